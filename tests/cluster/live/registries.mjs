// The registries of the live scenario as one kind of thing: started, told which MCP servers there are, killed and started again with what they
// knew. Their sources are tested by ../consul.mjs and ../etcd.mjs.

import { startConsul } from "../../servers/cluster/consul.mjs";
import { startEtcd } from "../../servers/cluster/etcd.mjs";
import { agent } from "../consul.mjs";
import { PREFIX, store } from "../etcd.mjs";

const SERVICE = "mcp-server";

async function consul() {
  const part = await startConsul({ keep: true });
  const operator = agent(part.url);
  return {
    part,
    config: { discoveryMethod: "consul", discoveryConfig: { endpoints: [part.url], serviceName: SERVICE } },
    register: ({ id, url }) => operator.register(id, { Name: SERVICE, Check: undefined, Meta: { "mcp-url": url } }),
    deregister: ({ id }) => operator.deregister(id),
  };
}

async function etcd(version) {
  const part = await startEtcd({ version });
  const operator = store(part.url);
  return {
    part,
    config: { discoveryMethod: "etcd", discoveryConfig: { endpoints: [part.url], serviceName: PREFIX } },
    register: ({ id, url }) => operator.put(id, { url }),
    deregister: ({ id }) => operator.remove(id),
  };
}

/** By the name they have on the command line. */
export const registries = { "consul": consul, "etcd-3.4": () => etcd("3.4"), "etcd-3.5": () => etcd("3.5") };

// A real Consul 1.8.7 server of one agent, with the headers that a browser needs or, on purpose, without. It registers nothing.

import { writeFileSync } from "node:fs";
import { join } from "node:path";

import { HOST, freePort } from "../ports.mjs";
import { startPart } from "./part.mjs";

/** What the operator of a Consul that browsers ask has to set (cluster design, 2). */
const FULL = {
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Allow-Headers": "X-Consul-Token, Content-Type",
  "Access-Control-Allow-Methods": "GET, PUT, OPTIONS",
  "Access-Control-Expose-Headers": "X-Consul-Index, X-Consul-KnownLeader, X-Consul-LastContact, X-Cache, Age",
  "Access-Control-Max-Age": "600",
};
/** What many set: the list can be read, its index cannot. */
const BARE = { "Access-Control-Allow-Origin": "*" };

/**
 * `cors`: `"full"` (the default), `"bare"` or `"none"`. `keep`: its state outlives a restart (`-dev` loses all). `token`: access control is
 * on, denies by default, and this is the master token.
 */
export async function startConsul({ port, cors = "full", keep = false, token } = {}) {
  const [server, serf] = [await freePort(), await freePort()];
  const settings = {
    bind_addr: HOST,
    client_addr: HOST,
    node_name: "bowline",
    disable_update_check: true,
    http_config: { response_headers: { full: FULL, bare: BARE, none: {} }[cors] },
    performance: { raft_multiplier: 1 },
    ...(token && { acl: { enabled: true, default_policy: "deny", tokens: { master: token } } }),
  };
  return startPart("consul", {
    port,
    command: (port, folder) => {
      const file = join(folder, "settings.json");
      writeFileSync(file, JSON.stringify({ ...settings, ports: { http: port, server, serf_lan: serf, serf_wan: -1, dns: -1, grpc: -1 } }));
      const mode = keep ? ["-server", "-bootstrap-expect", "1", "-data-dir", join(folder, "data")] : ["-dev"];
      return ["agent", ...mode, "-config-file", file, "-log-level", "warn"];
    },
    ready: async (url) => {
      const leader = await fetch(`${url}/v1/status/leader`);
      if (!leader.ok || (await leader.json()) === "") return false;
      if (!token) return true;
      // The master token works some moments after there is a leader.
      return (await fetch(`${url}/v1/acl/tokens`, { headers: { "X-Consul-Token": token } })).ok;
    },
  });
}

// End to end: the built package's cluster whose nodes are in a real Consul: found, gone when they are deregistered, kept when the agent dies.

import assert from "node:assert/strict";

import { check, finish, until } from "../e2e/checks.mjs";
import { startConsul } from "../servers/cluster/consul.mjs";
import { startServers } from "../servers/index.mjs";
import { agent } from "./consul.mjs";
import * as trial from "./route/trial.js";

const NAMES = ["north", "south", "west"];

const groups = await Promise.all(NAMES.map(() => startServers(["modern"], { say() {} })));
const consul = await startConsul({ cors: true });
const operator = agent(consul.url);
const register = (id) => {
  const { directUrl } = groups[NAMES.indexOf(id)].modern;
  return operator.register(id, { Name: "mcp-server", Meta: { "mcp-url": directUrl } });
};
for (const id of NAMES) await register(id);

const ids = async () => (await trial.nodes()).map(({ id }) => id.split("/").at(-1)).sort();

await check("nodes come from Consul, and calls go to all of them", async () => {
  const client = { enableWebSocket: false };
  const discoveryConfig = { endpoints: [consul.url], serviceName: "mcp-server" };
  const { error } = await trial.open({ clusterName: "live", discoveryMethod: "consul", discoveryConfig, loadBalancingStrategy: "round-robin", client });
  assert.equal(error, undefined);
  assert.deepEqual(await ids(), NAMES);
  const ends = await trial.calls(9, "tools/list", {});
  assert.deepEqual(ends.filter(({ error }) => error), []);
  assert.equal(new Set(ends.map(({ node }) => node)).size, 3);
});

await check("a node that is deregistered gets nothing any more; one that is registered does", async () => {
  await operator.deregister("west");
  await until(async () => (await ids()).length === 2, "the node that is gone is still there", 10_000);
  assert.ok((await trial.calls(6, "tools/list", {})).every(({ node, error }) => !error && !node.endsWith("west")));
  await register("west");
  await until(async () => (await ids()).length === 3, "the node that is back is not there", 20_000);
}, 40_000);

await check("without the agent the nodes of before stay, and calls go on", async () => {
  await consul.kill();
  await until(async () => !(await trial.snapshot()).discovery.ok, "the loss of the agent was not told", 10_000);
  assert.deepEqual(await ids(), NAMES);
  assert.deepEqual((await trial.calls(6, "tools/list", {})).filter(({ error }) => error), []);
  assert.ok((await trial.seen("error")).every(({ code }) => code === "DISCOVERY_FAILED"));
});

await trial.close();
await consul.close();
await Promise.all(groups.map((group) => group.stop()));
finish();

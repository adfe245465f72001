// Rates of single methods and tools on the package's side: which lane a call is in; over the fake core.
import assert from "node:assert/strict";
import { test } from "node:test";
import { McpError, open, settled } from "./client.mjs";

const lane = ({ flags }) => flags >> 24;
const rate = (requestsPerSecond, burst) => ({ requestsPerSecond, ...(burst && { burst }) });

test("each method and tool with a rate of its own has a lane, and a tool's own counts instead of that of all tools", async () => {
  const { client, peer } = open(
    { rateLimit: { methods: { "tools/call": rate(10), "tools/list": rate(1, 3) }, tools: { search: rate(0.5) }, onLimit: "reject" } },
    {},
  );
  assert.deepEqual(peer.limits, [[10, 10, 1], [1, 3, 1], [0.5, 1, 1]]);
  for (const name of ["search", "other"]) client.callTool(name).catch(() => {});
  client.request("tools/list").catch(() => {});
  client.request("prompts/list").catch(() => {});
  await settled();
  assert.deepEqual(peer.calls.map(lane), [3, 1, 2, 0]);
  await client.close();
});

test("without any there is no lane", async () => {
  const { client, peer } = open({ rateLimit: { requestsPerSecond: 5 } }, {});
  client.callTool("search").catch(() => {});
  await settled();
  assert.deepEqual([peer.limits, peer.calls.map(lane)], [[], [0]]);
  await client.close();
});

test("a rate that is none is named", () => {
  for (const wrong of [rate(0), rate(-1), { burst: 3 }, rate(1, 0.5), rate(NaN)]) {
    assert.throws(() => open({ rateLimit: { tools: { search: wrong } } }), (error) => McpError.is(error, "INVALID_CONFIG") && /tools\/call search/.test(error.message));
  }
});

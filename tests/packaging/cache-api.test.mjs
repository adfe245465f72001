// client.cache and the cache modes with the built package: a real core, and a `fetch` that answers for the server.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createClient } from "../../pkg/dist/index.js";

const VERSION = "2026-07-28";

/** A client, and what its server was asked. */
function open(cacheOptions = {}, results = {}) {
  const asked = [];
  const fetch = async (_url, { body }) => {
    const { id, method, params } = JSON.parse(body);
    if (method !== "server/discover") asked.push(method);
    if (results.down) throw new TypeError("down");
    const result = method === "server/discover" ? { supportedVersions: [VERSION], capabilities: {} } : { contents: [{ uri: params.uri, text: `${asked.length}` }], ...results };
    return new Response(JSON.stringify({ jsonrpc: "2.0", id, result: { resultType: "complete", ...result } }), { headers: { "content-type": "application/json" } });
  };
  const client = createClient({ serverUrl: "http://127.0.0.1/mcp", enableWebSocket: false, fetch, cacheOptions });
  return { client, asked };
}

const text = (result) => result.contents[0].text;
const kept = { ttlMs: 60_000 };

test("what is kept is seen, dropped by its address, and read again", async () => {
  const { client, asked } = open({}, kept);
  assert.equal(client.cache.get("resources/read", { uri: "a:1" }), undefined, "before the core is loaded");
  await client.readResource("a:1");
  await client.readResource("a:2");
  assert.equal(text(client.cache.get("resources/read", { uri: "a:1" })), "1");
  assert.ok(Object.isFrozen(client.cache.get("resources/read", { uri: "a:1" }).contents));
  assert.equal(client.cache.size, 2);
  assert.equal(client.cache.invalidate({ uri: "a:1" }), 1);
  assert.equal(client.cache.invalidate({ method: "tools/list" }), 0);
  assert.equal(text(await client.readResource("a:2")), "2");
  assert.equal(text(await client.readResource("a:1")), "3");
  assert.equal(asked.length, 3);
  client.cache.clear();
  assert.equal(client.cache.size, 0);
  assert.equal(client.cache.get("resources/read", { uri: "a:1" }), undefined);
  await client.close();
  assert.equal(client.cache.get("resources/read", { uri: "a:1" }), undefined, "after the end");
});

test("what the application sets is served without a server", async () => {
  const { client, asked } = open();
  const value = { contents: [{ uri: "a:1", text: "own" }] };
  client.cache.set("resources/read", { uri: "a:1" }, value);
  value.contents = [];
  const read = client.readResource("a:1", { cacheMode: "only-if-cached" });
  assert.equal(text(await read), "own");
  assert.deepEqual([read.stale, asked.length], [false, 0]);
  await assert.rejects(client.readResource("a:2", { cacheMode: "only-if-cached" }), { code: "NOT_CACHED", outcome: "not-sent" });
  client.cache.set("resources/read", { uri: "a:1" }, { contents: [] }, 0);
  assert.equal(client.cache.size, 0);
  await client.close();
});

test("what is kept goes through JSON into another client, with the time it has left", async () => {
  const { client } = open({}, kept);
  await client.readResource("a:1");
  const state = JSON.parse(JSON.stringify(client.cache.dehydrate()));
  const [[method, params, value, ttl]] = state.entries;
  assert.deepEqual([method, params, text(value)], ["resources/read", { uri: "a:1" }, "1"]);
  assert.ok(ttl > 50_000 && ttl <= 60_000);
  await client.close();

  const other = open();
  other.client.cache.hydrate(state);
  assert.equal(text(await other.client.readResource("a:1")), "1");
  assert.equal(other.asked.length, 0);
  assert.equal(other.client.cache.invalidate({ method: "resources/read", uri: "a:1" }), 1, "its address is known");
  await other.client.close();

  const late = open();
  late.client.cache.hydrate({ ...state, at: state.at - 60_000 });
  await late.client.readResource("a:1");
  assert.equal(late.asked.length, 1, "its time is over");
  await late.client.close();
  for (const wrong of [null, {}, { ...state, version: 2 }]) assert.throws(() => late.client.cache.hydrate(wrong), { code: "INVALID_CONFIG" });
});

test("nothing private is taken from another user, and nothing is left to the next", async () => {
  let user = "ann";
  const { client } = open({ partition: () => user }, kept);
  await client.readResource("a:1");
  client.cache.dehydrate();
  const state = client.cache.dehydrate();
  user = "bob";
  assert.equal(client.cache.get("resources/read", { uri: "a:1" }), undefined);
  client.cache.hydrate(state);
  assert.equal(client.cache.size, 0);
  user = "ann";
  client.cache.hydrate(state);
  assert.equal(client.cache.size, 1);
  await client.close();

  const shared = open({ partition: () => user }, { ...kept, cacheScope: "public" });
  await shared.client.readResource("a:1");
  user = "bob";
  await shared.client.readResource("a:1");
  assert.equal(shared.asked.length, 1);
  await shared.client.close();
});

test("a stale result comes at once where that is wished, and is read again", async () => {
  const { client, asked } = open({}, kept);
  await client.readResource("a:1", { cacheTTL: 1 });
  await new Promise((resolve) => setTimeout(resolve, 20));
  const stale = client.readResource("a:1", { cacheMode: "stale-while-revalidate" });
  assert.equal(text(await stale), "1");
  assert.ok(stale.stale);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.equal(asked.length, 2);
  const fresh = client.readResource("a:1");
  assert.equal(text(await fresh), "2");
  assert.equal(fresh.stale, false);
  const { hits, misses, staleServed } = client.metrics().cache;
  assert.deepEqual([hits, misses, staleServed], [1, 1, 1]);
  await client.close();
});

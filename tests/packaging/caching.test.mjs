// What the package does for the cache: which calls have a key, whose they are, and what a caller learns of a stale result. The core's side is
// tests/core/caching.rs and stale.rs.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as keeping from "../../src/web/keeping.js";
import { open, settled } from "./client.mjs";

const key = (peer, method) => peer.of(method).at(-1).key;

test("which methods are kept is the application's choice, tools by their names", () => {
  const { client, peer } = open({ cacheOptions: { methods: ["prompts/get"], cacheTools: ["weather"] } });
  client.getPrompt("review");
  client.listTools();
  client.callTool("weather");
  client.callTool("pay");
  assert.ok(key(peer, "prompts/get"));
  assert.equal(key(peer, "tools/list"), 0);
  assert.deepEqual(peer.of("tools/call").map((call) => call.key > 0), [true, false]);
  for (const cacheOptions of [{ methods: ["tools/call"] }, { methods: "x" }, { cacheTools: [1] }, { partition: 7 }]) {
    assert.throws(() => open({ cacheOptions }), { code: "INVALID_CONFIG", message: /cacheOptions/ });
  }
});

test("a call past the cache has no key, and the modes reach the core", () => {
  const { client, peer } = open();
  const sent = (options) => {
    client.readResource("a:b", options);
    const { key, flags, ttl } = peer.of("resources/read").at(-1);
    return [key > 0, flags >> 8, ttl];
  };
  assert.deepEqual(sent({}), [true, 0, -1]);
  assert.deepEqual(sent({ useCache: false }), [false, 0, -1]);
  assert.deepEqual(sent({ cacheMode: "bypass" }), [false, 0, -1]);
  assert.deepEqual(sent({ cacheMode: "refresh", cacheTTL: 5 }), [true, 1, 5]);
  assert.deepEqual(sent({ cacheMode: "only-if-cached" }), [true, 2, -1]);
  assert.deepEqual(sent({ cacheMode: "stale-while-revalidate" }), [true, 3, -1]);
});

test("another user is noticed before his first call, and one who cannot be told has no cache", () => {
  let user = "ann";
  const { client, peer } = open({ cacheOptions: { partition: () => user ?? assert.fail("nobody") } });
  const warnings = [];
  client.on("warning", ({ message }) => warnings.push(message));
  const changes = () => {
    client.readResource("a:b");
    return peer.contexts;
  };
  assert.deepEqual([changes(), changes()], [0, 0]);
  user = "bob";
  assert.deepEqual([changes(), changes()], [1, 1]);
  user = undefined;
  assert.equal(changes(), 1);
  assert.equal(key(peer, "resources/read"), 0);
  assert.match(warnings[0], /partition.*nobody/);
});

test("a stale result is marked, and the end of the read behind it is nobody's", async () => {
  const { client, peer } = open();
  for (const end of [(call) => peer.settle(call, { contents: [2] }), (call) => peer.fail(call, "REQUEST_TIMEOUT", { retryable: 1 })]) {
    const read = client.readResource("a:b");
    const [call] = peer.of("resources/read");
    peer.serve(call, { contents: [1] });
    assert.deepEqual(await read, { contents: [1] });
    assert.ok(read.stale);
    assert.equal(read.phase, "settled");
    end(call);
    await settled();
  }
  const fresh = client.readResource("a:b");
  peer.settle(peer.of("resources/read")[0], {});
  await fresh;
  assert.equal(fresh.stale, false);
});

test("equal addresses have equal numbers, and none has 0", () => {
  assert.equal(keeping.about("file:///a"), keeping.about("file:///a"));
  assert.notEqual(keeping.about("file:///a"), keeping.about("file:///b"));
  for (const none of [undefined, null, "", 7, {}]) assert.equal(keeping.about(none), 0);
});

// Several endpoints of one state: who is asked, who is passed by, what is never done twice. The endpoints are functions here; tests/cluster
// has real ones, with a primary that is killed.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { state } from "./state.mjs";

const { createStateStore, McpError } = state;

let now = 1_000_000;
mock.method(performance, "now", () => now);
beforeEach(() => (now += 1_000_000));

/**
 * A store in region "west" before the endpoints home (east), near (west) and far. Each has `version` and `value`, and `mode`: "primary" takes
 * writes, "replica" refuses them, "down" is not there, "silent" executes and does not answer.
 */
function three(region = "west") {
  const nodes = { home: { mode: "primary" }, near: { mode: "replica" }, far: { mode: "replica" } };
  const log = [];
  for (const node of Object.values(nodes)) Object.assign(node, { version: 0, value: null });
  const fetch = async (url, { body }) => {
    const name = new URL(url).hostname.split(".")[0];
    const node = nodes[name];
    const [command, ...args] = JSON.parse(body);
    log.push(`${name} ${command}`);
    if (node.mode === "down") throw new TypeError("Failed to fetch");
    if (command === "MGET") return Response.json({ result: [node.value, node.version ? `${node.version}` : null] });
    if (command === "PTTL") return Response.json({ result: 5 });
    if (command === "PUBLISH") return Response.json({ result: 0 });
    if (node.mode === "replica") return Response.json({ error: "READONLY You can't write against a read only replica." }, { status: 400 });
    node.version += 1;
    if (args[0] === state.SET.sha) node.value = args[4];
    if (node.mode === "silent") throw new TypeError("Failed to fetch");
    const { version, hold } = node;
    await hold;
    const result = { [state.INCR.sha]: [1, version], [state.LOCK.sha]: 1 }[args[0]] ?? [1, version];
    return Response.json({ result });
  };
  const endpoints = [{ url: "https://home.example", region: "east" }, { url: "https://near.example", region: "west" }, { url: "https://far.example", region: "south" }];
  const store = createStateStore({ provider: "redis", endpoints, region }, "prod", fetch);
  /** What was asked of whom since the last time. */
  const asked = () => log.splice(0).join(", ");
  return { store, nodes, asked };
}

const failed = async (promise) => {
  const error = await promise.then(() => assert.fail("resolved"), (error) => error);
  assert.ok(McpError.is(error, "STATE_STORE_FAILED"), error);
  return error;
};

test("what was not written here is read at the nearest, and writes go home", async () => {
  const { store, nodes, asked } = three();
  nodes.near.value = '"old"';
  assert.equal(await store.get("a"), "old");
  assert.equal(asked(), "near MGET");
  assert.equal(await store.set("a", "new"), 1);
  assert.equal(asked(), "home EVALSHA");
});

test("without a region everything is done at home", async () => {
  const { store, asked } = three(null);
  await store.get("a");
  assert.equal(asked(), "home MGET");
});

test("who wrote reads the own write: at home until the nearest has come so far", async () => {
  const { store, nodes, asked } = three();
  await store.set("a", "new");
  asked();
  assert.equal(await store.get("a"), "new");
  assert.equal(asked(), "near MGET, home MGET");
  Object.assign(nodes.near, { version: 1, value: '"new"' });
  assert.equal(await store.get("a"), "new");
  assert.equal(asked(), "near MGET");
});

test("of own writes whose answers overtake each other the later one counts", async () => {
  const { store, nodes, asked } = three();
  let answer;
  nodes.home.hold = new Promise((resolve) => (answer = resolve));
  const first = store.set("a", "first");
  await new Promise((resolve) => setImmediate(resolve));
  nodes.home.hold = undefined;
  assert.equal(await store.set("a", "second"), 2);
  answer();
  assert.equal(await first, 1);
  Object.assign(nodes.near, { version: 1, value: '"first"' });
  asked();
  assert.equal(await store.get("a"), "second");
  assert.equal(asked(), "near MGET, home MGET");
});

test("a version makes another client see the write", async () => {
  const { store, nodes, asked } = three();
  Object.assign(nodes.home, { version: 7, value: '"new"' });
  assert.equal(await store.get("a"), undefined);
  assert.equal(await store.get("a", { after: 7 }), "new");
  assert.equal(asked(), "near MGET, near MGET, home MGET");
});

test("after: 0 takes what the nearest has", async () => {
  const { store, asked } = three();
  await store.set("a", "new");
  asked();
  assert.equal(await store.get("a", { after: 0 }), undefined);
  assert.equal(asked(), "near MGET");
});

test("when nobody in reach has come so far, that is told and nothing older handed out", async () => {
  const { store, nodes } = three();
  await store.set("a", "new");
  nodes.home.mode = "down";
  const error = await failed(store.get("a"));
  assert.match(error.message, /no endpoint in reach has what was written before/);
  assert.match(error.hint, /after: 0/);
  assert.deepEqual([error.retryable, error.outcome], [true, "not-applied"]);
});

test("what no replica has after a minute was lost, and is waited for no more", async () => {
  const { store, nodes, asked } = three();
  await store.set("a", "new");
  nodes.home.mode = "down";
  now += 60_001;
  asked();
  assert.equal(await store.get("a"), undefined);
  assert.equal(asked(), "near MGET");
});

test("when home is gone a write goes to the next that takes it, and that is home from then on", async () => {
  const { store, nodes, asked } = three();
  for (let index = 0; index < 5; index += 1) await store.set("a", "before");
  nodes.home.mode = "down";
  nodes.far.mode = "primary";
  asked();
  assert.equal(await store.set("a", "after"), 1);
  assert.equal(asked(), "home EVALSHA, near EVALSHA, far EVALSHA");
  await store.set("a", "after");
  assert.equal(asked(), "far EVALSHA");
  assert.equal(await store.get("a"), "after");
  assert.equal(asked(), "near MGET, far MGET");
});

test("while no replica is promoted, writes are refused as not applied", async () => {
  const { store, nodes, asked } = three();
  nodes.home.mode = "replica";
  const error = await failed(store.set("a", 1));
  assert.equal(asked(), "home EVALSHA, near EVALSHA, far EVALSHA");
  assert.match(error.message, /no endpoint takes writes/);
  assert.deepEqual([error.outcome, error.retryable], ["not-applied", true]);
});

test("an old primary that came back as a replica sends writers on", async () => {
  const { store, nodes, asked } = three();
  nodes.home.mode = "replica";
  nodes.near.mode = "primary";
  await store.set("a", 1);
  await store.set("a", 1);
  assert.equal(asked(), "home EVALSHA, near EVALSHA, near EVALSHA");
});

test("what may have been executed and must not be repeated goes nowhere else", async () => {
  for (const [name, work] of [["incr", (store) => store.incr("a")], ["cas", (store) => store.cas("a", 1, 2)], ["lock", (store) => store.lock("a", 10)]]) {
    const { store, nodes, asked } = three();
    nodes.home.mode = "silent";
    nodes.near.mode = "primary";
    assert.equal((await failed(work(store))).outcome, "unknown", name);
    assert.equal(asked(), "home EVALSHA", name);
    // The next one finds its way.
    await work(store);
    assert.equal(asked(), "near EVALSHA", name);
  }
});

test("what does no harm twice goes on to the next", async () => {
  const { store, nodes, asked } = three();
  nodes.home.mode = "silent";
  nodes.near.mode = "primary";
  await store.set("a", 1);
  assert.equal(asked(), "home EVALSHA, near EVALSHA");
});

test("an endpoint that failed is asked last for five seconds, then for ten", async () => {
  const { store, nodes, asked } = three();
  nodes.near.mode = "down";
  await store.get("a");
  await store.get("a");
  assert.equal(asked(), "near MGET, home MGET, home MGET");
  now += 5_001;
  await store.get("a");
  assert.equal(asked(), "near MGET, home MGET");
  now += 5_001;
  await store.get("a");
  assert.equal(asked(), "home MGET");
  now += 5_001;
  nodes.near.mode = "replica";
  await store.get("a");
  await store.get("a");
  assert.equal(asked(), "near MGET, near MGET");
});

test("when all are down each is tried once, and the reason is told", async () => {
  const { store, nodes, asked } = three();
  for (const node of Object.values(nodes)) node.mode = "down";
  assert.match((await failed(store.get("a"))).message, /no readable answer/);
  assert.equal(asked(), "near MGET, home MGET, far MGET");
});

test("a replica that executes what is no write is not home for it", async () => {
  const { store, nodes, asked } = three();
  nodes.home.mode = "down";
  await store.publish("c", 1);
  await store.expiresIn("a");
  assert.equal(asked(), "home PUBLISH, near PUBLISH, near PTTL");
  nodes.home.mode = "primary";
  now += 5_001;
  await store.set("a", 1);
  assert.equal(asked(), "home EVALSHA");
});

// Shared state without a network: what a configuration means, what memory keeps, scripts and their names, the pieces of streams.
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mock, test } from "node:test";
import { contract } from "../cluster/state/contract.js";
import { state } from "./state.mjs";

const { createStateStore, McpError, Objects, stateScripts } = state;
const scripts = Object.entries(state).filter(([, one]) => typeof one === "object" && "sha" in one);

/** What using a store with this configuration rejects with. */
async function problem(config) {
  const store = createStateStore(config, "prod", () => assert.fail("asked the network"));
  const error = await store.get("key").then(() => assert.fail("resolved"), (error) => error);
  assert.ok(McpError.is(error, "INVALID_CONFIG"), error);
  assert.equal(store.problem, error, "it is known at once");
  for (const use of [() => store.set("a", 1), () => store.delete("a"), () => store.cas("a", 1, 2), () => store.incr("a"), () => store.ping()])
    await assert.rejects(use, error);
  for (const use of [() => store.lock("a", 1), () => store.limit("a", {}), () => store.publish("a", 1), () => store.expiresIn("a")])
    await assert.rejects(use, error);
  assert.throws(() => store.subscribe("a", () => {}), error);
  store.close();
  return error;
}

test("an address of Redis itself throws nothing at creation; its use names the two gateways and how to start one", async () => {
  const error = await problem({ provider: "redis", endpoints: ["redis://cluster:6379"] });
  assert.match(error.message, /endpoints: a browser cannot speak to redis:\/\/cluster:6379$/);
  assert.match(error.hint, /`webdis webdis\.json`.*webdis\+http:\/\/HOST:7379.*Upstash-compatible.*SRH_CONNECTION_STRING.*Calls are routed without it/);
});

test("the password of such an address is not shown", async () => {
  const error = await problem({ provider: "redis", endpoints: ["rediss://default:hunter2@cluster:6380/0"] });
  assert.doesNotMatch(JSON.stringify(error), /hunter2|default/);
});

test("a configuration that cannot be used is told with what is wrong", async () => {
  const redis = (url) => ({ provider: "redis", endpoints: [url] });
  const wrong = [
    [{ provider: "memcached" }, /no "memcached"/],
    [{ provider: "redis" }, /at least one/],
    [{ provider: "hazelcast", endpoints: [] }, /at least one/],
    [redis("state.example"), /no address/],
    [redis("ftp://state.example"), /ftp: is neither/],
    [redis("https://user:pw@state.example"), /no user and password/],
    [redis("https://state.example/?_token=t"), /no query/],
    [{ provider: "redis", endpoints: "https://state.example" }, /endpoints must be a list/],
    [{ ...redis("https://state.example"), keyPrefix: "a/b" }, /keyPrefix may have letters/],
    [{ ...redis("https://state.example"), ttl: 0 }, /ttl must be more than 0/],
    [{ ...redis("https://state.example"), timeout: -1 }, /timeout must be more than 0/],
    [{ provider: "hazelcast", endpoints: ["http://h:5701"], ttl: 1000 }, /Hazelcast keeps it per map/],
  ];
  for (const [config, words] of wrong) {
    const { message } = await problem(config);
    assert.match(message, words);
    assert.doesNotMatch(message, /pw|_token=t/);
  }
});

for (const { name, error } of await contract(() => createStateStore(undefined, "prod"), "memory")) {
  test(`memory: ${name}`, () => assert.equal(error, null));
}

test("memory forgets what is over although nobody asks for it", async () => {
  mock.timers.enable({ apis: ["Date"], now: 0 });
  const store = createStateStore({ provider: "memory", ttl: 1000 }, "prod");
  for (let index = 0; index < 63; index += 1) await store.set(`old ${index}`, index);
  mock.timers.setTime(2000);
  await store.set("new", 1);
  mock.timers.setTime(500);
  assert.equal(await store.get("old 1"), undefined, "a clock that went back would bring it back");
  assert.equal(await store.get("new"), 1);
  mock.timers.reset();
});

test("a listener that throws is reported as an uncaught error and takes nothing from the others", async () => {
  const store = createStateStore(undefined, "prod");
  const [heard, reported] = [[], []];
  const original = globalThis.queueMicrotask;
  globalThis.queueMicrotask = (task) => original(() => { try { task(); } catch (error) { reported.push(error.message); } });
  try {
    store.subscribe("channel", () => {
      throw new Error("mine");
    });
    store.subscribe("channel", (message) => heard.push(message));
    await store.publish("channel", 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual([heard, reported], [[1], ["mine"]]);
  } finally {
    globalThis.queueMicrotask = original;
  }
});

test("each script has the name that Redis computes, and all are there to be loaded", () => {
  assert.equal(scripts.length, 8);
  for (const [name, { sha, text }] of scripts) assert.equal(sha, createHash("sha1").update(text).digest("hex"), name);
  assert.deepEqual([...stateScripts].sort(), scripts.map(([, { text }]) => text).sort());
});

test("objects without anything between them are found wherever the pieces were cut", () => {
  const objects = [{ a: '}{ "x" \\', b: { c: [{}] } }, {}, { d: "\\\\" }, { "{": "}" }].map((one) => JSON.stringify(one));
  const text = objects.join("");
  for (let first = 0; first <= text.length; first += 1) {
    for (let second = first; second <= text.length; second += 1) {
      const split = new Objects();
      const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
      assert.deepEqual(pieces.flatMap((piece) => split.push(piece)), objects);
    }
  }
});

// Sessions and breaker hints over a store in memory: where a session lives is found by others, and a store that fails holds nothing up.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { state } from "./state.mjs";

const { createStateStore, Sessions, BreakerHints } = state;

let now = 1_000_000;
mock.method(performance, "now", () => now);
beforeEach(() => (now += 1_000_000));

/** A store that counts what it is asked, and fails while `broken` says why. */
function counting(ttl = 60_000) {
  const store = createStateStore({ provider: "memory", ttl }, "prod");
  const asked = [];
  const spy = { broken: null, asked };
  spy.store = new Proxy(store, {
    get(target, name) {
      const value = target[name];
      if (!["get", "set", "delete", "cas"].includes(name)) return typeof value === "function" ? value.bind(target) : value;
      return async (...args) => {
        asked.push(`${name} ${args[0]}`);
        if (spy.broken) throw spy.broken;
        return value.apply(target, args);
      };
    },
  });
  return spy;
}

const never = (error) => assert.fail(error);

test("a session is found by another client on the node that served it first", async () => {
  const { store } = counting();
  const mine = new Sessions(store, never).of("user-123");
  assert.equal(mine.node, null);
  assert.equal(await mine.find(), null);
  await mine.served("west-1");
  assert.equal(mine.node, "west-1");
  const theirs = new Sessions(store, never).of("user-123");
  assert.equal(theirs.node, null, "not asked yet");
  assert.equal(await theirs.find(), "west-1");
  assert.equal(theirs.node, "west-1");
});

test("the store is asked once for a session, however many calls want to know", async () => {
  const { store, asked } = counting();
  const sessions = new Sessions(store, never);
  await Promise.all([sessions.of("a").find(), sessions.of("a").find(), sessions.of("a").find()]);
  await sessions.of("a").find();
  assert.deepEqual(asked, ["get pin:a"]);
});

test("a pin is written once, and again after half of its life", async () => {
  const { store, asked } = counting(60_000);
  const session = new Sessions(store, never).of("a");
  await session.served("one");
  await session.served("one");
  now += 29_000;
  await session.served("one");
  assert.deepEqual(asked, ["cas pin:a"]);
  now += 1_000;
  await session.served("one");
  assert.deepEqual(asked, ["cas pin:a", "set pin:a"]);
});

test("of two clients that pin the same session the second follows the first", async () => {
  const { store } = counting();
  const [first, second] = [new Sessions(store, never).of("a"), new Sessions(store, never).of("a")];
  await Promise.all([first.find(), second.find()]);
  await Promise.all([first.served("one"), second.served("two")]);
  assert.deepEqual([first.node, second.node], ["one", "one"]);
});

test("a session that went on to another node is found there", async () => {
  const { store } = counting();
  const session = new Sessions(store, never).of("a");
  await session.served("one");
  await session.served("two");
  assert.equal(await new Sessions(store, never).of("a").find(), "two");
});

test("unpin lets a session go, and keeps its values", async () => {
  const { store } = counting();
  const session = new Sessions(store, never).of("a");
  await session.served("one");
  await session.set("cart", [1]);
  session.unpin();
  assert.equal(session.node, null);
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await new Sessions(store, never).of("a").find(), null);
  assert.deepEqual(await session.get("cart"), [1]);
});

test("values belong to one session and one key, whatever they are called", async () => {
  const { store } = counting();
  const sessions = new Sessions(store, never);
  await sessions.of("a:b").set("c", 1);
  await sessions.of("a").set("b:c", 2);
  await sessions.of("a").set("b%3Ac", 3);
  assert.deepEqual([await sessions.of("a:b").get("c"), await sessions.of("a").get("b:c"), await sessions.of("a").get("b%3Ac")], [1, 2, 3]);
  await sessions.of("a").delete("b:c");
  assert.deepEqual([await sessions.of("a:b").get("c"), await sessions.of("a").get("b:c")], [1, undefined]);
});

test("a store that fails holds no call up: it is told once and left alone for five seconds", async () => {
  const spy = counting();
  const told = [];
  const sessions = new Sessions(spy.store, (error) => told.push(error));
  spy.broken = new Error("down");
  assert.equal(await sessions.of("a").find(), null);
  await sessions.of("a").served("one");
  assert.equal(await sessions.of("b").find(), null);
  assert.deepEqual([spy.asked.length, told], [1, [spy.broken]]);
  assert.equal(sessions.of("a").node, "one", "known here all the same");
  spy.broken = null;
  now += 5_000;
  assert.equal(await sessions.of("b").find(), null);
  assert.equal(spy.asked.length, 2);
  await assert.rejects(async () => {
    spy.broken = new Error("again");
    await sessions.of("a").get("cart");
  }, /again/, "values are the application's business");
});

test("a store that lets wait holds a call up for half a second, and no other call of the session", async () => {
  const { store } = counting();
  let answer;
  const slow = new Proxy(store, {
    get: (target, name) => (name === "get" ? () => new Promise((resolve) => (answer = resolve)) : target[name]),
  });
  const session = new Sessions(slow, never).of("a");
  const start = process.hrtime.bigint();
  assert.equal(await session.find(), null);
  const waited = Number(process.hrtime.bigint() - start) / 1e6;
  assert.ok(waited >= 490 && waited < 5000, `${waited} ms`);
  assert.equal(await session.find(), null);
  assert.ok(Number(process.hrtime.bigint() - start) / 1e6 < waited + 400, "the second waited as well");
  answer("one");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(await session.find(), "one", "the answer counts all the same");
});

test("with a configuration that cannot be used sessions are pinned here alone, and nothing is told", async () => {
  const store = createStateStore({ provider: "redis", endpoints: ["redis://cluster:6379"] }, "prod");
  const session = new Sessions(store, never).of("a");
  assert.equal(await session.find(), null);
  await session.served("one");
  assert.equal(session.node, "one");
  session.unpin();
  await assert.rejects(session.get("cart"), { code: "INVALID_CONFIG" });
});

test("a store without cas keeps pins as well", async () => {
  const { store, asked } = counting();
  const plain = new Proxy(store, { get: (target, name) => (name === "capabilities" ? () => ({ cas: false }) : target[name]) });
  await new Sessions(plain, never).of("a").served("one");
  assert.deepEqual(asked, ["set pin:a"]);
});

test("a thousand sessions are remembered, those used last", async () => {
  const { store } = counting();
  const sessions = new Sessions(store, never);
  const [first, second] = [sessions.of("0"), sessions.of("1")];
  for (let index = 2; index < 1000; index += 1) sessions.of(`${index}`);
  assert.equal(sessions.of("0"), first);
  sessions.of("1000");
  assert.equal(sessions.of("0"), first);
  assert.notEqual(sessions.of("1"), second);
});

test("a hint at a node is heard by who listens, found by who asks later, and ends by itself", async () => {
  const { store } = counting();
  const [mine, theirs] = [new BreakerHints(store), new BreakerHints(store)];
  const heard = [];
  const end = theirs.hear((hint) => heard.push(hint));
  await mine.tell({ node: "west:1", openFor: 80 });
  assert.deepEqual(heard, [{ node: "west:1", openFor: 80 }]);
  const left = await theirs.of("west:1");
  assert.ok(left > 0 && left <= 80, `${left}`);
  assert.equal(await theirs.of("west:2"), 0);
  await new Promise((resolve) => setTimeout(resolve, 100));
  assert.equal(await theirs.of("west:1"), 0);
  await mine.tell({ node: "west:1", openFor: 10_000 });
  await mine.tell({ node: "west:1", openFor: 0 });
  assert.equal(await theirs.of("west:1"), 0);
  assert.deepEqual(heard.slice(1), [{ node: "west:1", openFor: 10_000 }, { node: "west:1", openFor: 0 }]);
  end();
});

test("what is no hint is not taken for one", async () => {
  const { store } = counting();
  const heard = [];
  new BreakerHints(store).hear((hint) => heard.push(hint));
  for (const message of [null, 1, "x", {}, { node: 1, openFor: 1 }, { node: "a", openFor: -1 }, { node: "a", openFor: "1" }]) await store.publish("breaker", message);
  assert.deepEqual(heard, []);
});

// Beside the official client of Upstash (@upstash/redis 1.39.0), through the same gateway into the same real Redis: what one writes the other
// reads, byte for byte, and both draw on the same limits.
import assert from "node:assert/strict";

import { Redis } from "@upstash/redis";

import { check, until } from "../../e2e/checks.mjs";
import { state } from "../../packaging/state.mjs";
import { operate } from "./rig.mjs";

const VALUES = [
  { text: 'ü ✓ 😀 \u0000 "quoted" \\ \ud83d\ude00', list: [1, -2.5, 1e21, null, true], nested: { "": [{}] } },
  [],
  { lone: "\ud800 is escaped" },
  [9007199254740991, 0.1, 1e-7],
];

export async function official({ redis, upstash, configs }) {
  const ours = state.createStateStore(configs.upstash, "prod");
  const options = { url: upstash.url, token: upstash.token, enableTelemetry: true };
  const theirs = new Redis(options);
  const plain = new Redis({ ...options, automaticDeserialization: false });
  const nameOf = (key) => `mcp:prod:value:${key}`;
  /** What lies in Redis, as bytes, or nothing. */
  const bytes = (key) => operate(redis, "GET", nameOf(key));

  await check("official client: the same value written by both is the same bytes", async () => {
    for (const value of VALUES) {
      await ours.set("ours", value);
      await theirs.set(nameOf("theirs"), value);
      const [mine, other] = [await bytes("ours"), await bytes("theirs")];
      assert.ok(mine.equals(other), `${mine} is not ${other}`);
      assert.equal(await plain.get(nameOf("ours")), JSON.stringify(value));
    }
  });

  await check("official client: each reads what the other wrote", async () => {
    for (const value of VALUES) {
      await ours.set("ours", value);
      assert.deepEqual(await theirs.get(nameOf("ours")), value);
      await theirs.set(nameOf("theirs"), value);
      assert.deepEqual(await ours.get("theirs"), value);
    }
    await ours.delete("ours");
    assert.equal(await theirs.get(nameOf("ours")), null);
    assert.equal(await ours.incr("both"), 1);
    assert.equal(await theirs.incr(nameOf("both")), 2);
    assert.equal(await ours.incr("both", 5), 7);
  });

  await check("official client: lives are the same", async () => {
    await ours.set("ours", 1, 30_000);
    await theirs.set(nameOf("theirs"), 1, { px: 30_000 });
    const [mine, other] = [await theirs.pttl(nameOf("ours")), await ours.expiresIn("theirs")];
    for (const left of [mine, other]) assert.ok(left > 25_000 && left <= 30_000, `${left} ms`);
  });

  await check("official client: a limit of 50 lets both together through 50 times", async () => {
    const rule = { requestsPerSecond: 0.01, burst: 50 };
    const args = [`${100e6}`, `${5000e6}`, "1"];
    const key = "mcp:prod:limit:both";
    const calls = Array.from({ length: 100 }, () => [
      ours.limit("both", rule).then(({ allowed }) => allowed),
      theirs.evalsha(state.LIMIT.sha, [key], args).then(([allowed]) => allowed === 1),
    ]);
    const allowed = (await Promise.all(calls.flat())).filter(Boolean).length;
    assert.equal(allowed, 50);
  });

  await check("official client: its pipelines, its transactions and its subscriptions work through our gateway", async () => {
    const pipeline = theirs.pipeline();
    pipeline.set(nameOf("p"), { a: 1 });
    pipeline.get(nameOf("p"));
    assert.deepEqual(await pipeline.exec(), ["OK", { a: 1 }]);
    const heard = [];
    const subscription = theirs.subscribe(["mcp:prod:channel:both"]);
    subscription.on("message", ({ message }) => heard.push(message));
    const listened = [];
    ours.subscribe("both", (message) => listened.push(message));
    await until(async () => (await operate(redis, "PUBSUB", "NUMSUB", "mcp:prod:channel:both"))[1] === 2, "not subscribed");
    await ours.publish("both", { from: "ours" });
    await theirs.publish("mcp:prod:channel:both", { from: "theirs" });
    const both = [{ from: "ours" }, { from: "theirs" }];
    await until(() => heard.length === 2 && listened.length === 2, () => JSON.stringify([heard, listened]));
    assert.deepEqual([heard, listened], [both, both]);
    await subscription.unsubscribe();
  });

  await check("official client: a wrong token is refused to both", async () => {
    await assert.rejects(new Redis({ ...options, token: "other" }).get(nameOf("ours")), /Unauthorized/);
    const other = state.createStateStore({ ...configs.upstash, headers: { authorization: "Bearer other" } }, "prod");
    await assert.rejects(other.get("ours"), { httpStatus: 401 });
  });
  ours.close();
}

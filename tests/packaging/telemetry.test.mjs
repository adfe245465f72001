// What the facade makes of events and numbers (events.ts, log.ts, metrics.ts), built by esbuild and run in Node; no wasm, no network.
import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = new URL("../../", import.meta.url);

async function load(name) {
  const outfile = fileURLToPath(new URL(`.cache/facade-test/telemetry-${name}.mjs`, root));
  const entryPoints = [fileURLToPath(new URL(`pkg-template/src/${name}.ts`, root))];
  await build({ bundle: true, format: "esm", target: "es2022", entryPoints, outfile });
  return import(outfile);
}

const { Emitter } = await load("emitter");
const { iterate } = await load("events");
const { attachLogger } = await load("log");
const { read } = await load("metrics");

test("the iterator gives events of before and after it was asked, in their order", async () => {
  const events = new Emitter();
  const all = iterate(events);
  events.emit("replay", { id: "call-1" });
  const first = await all.next();
  assert.equal(first.value.type, "replay");
  assert.deepEqual(first.value.detail, { id: "call-1" });
  const second = all.next();
  events.emit("error", 7);
  assert.equal((await second).value.detail, 7);
});

test("leaving the loop, or the signal, ends the iterator and its listening", async () => {
  const events = new Emitter();
  const loop = (async () => {
    for await (const { type } of iterate(events)) if (type === "state") break;
  })();
  events.emit("state", {});
  await loop;
  assert.equal(events.has("state"), false);
  const control = new AbortController();
  const waiting = iterate(events, { signal: control.signal }).next();
  control.abort();
  assert.equal((await waiting).done, true);
  assert.equal(events.has("state"), false);
});

test("a reader that sleeps loses the oldest events and no memory", async () => {
  const events = new Emitter();
  const all = iterate(events, { buffer: 2 });
  for (const n of [1, 2, 3]) events.emit("error", n);
  assert.equal((await all.next()).value.detail, 2);
  assert.equal((await all.next()).value.detail, 3);
});

function logged(config, ...told) {
  const events = new Emitter();
  const lines = [];
  attachLogger({ ...config, logger: { log: (...line) => lines.push(line) } }, events);
  for (const [event, detail] of told) events.emit(event, detail);
  return lines;
}

test("the logger gets warnings and errors unless it asks for more", () => {
  const doubt = ["outcomeUnknown", { id: "call-1", method: "tools/call", tool: "pay" }];
  const replay = ["replay", { id: "call-2", method: "tools/list" }];
  assert.deepEqual(logged({}, doubt, replay).map(([level]) => level), ["warn"]);
  assert.deepEqual(logged({ logLevel: "info" }, doubt, replay).map(([level]) => level), ["warn", "info"]);
  assert.deepEqual(logged({ logLevel: "silent" }, doubt, replay), []);
});

test("a silent stream is a warning in the log, with what to do about it", () => {
  const [[level, , fields]] = logged({}, ["stalled", { id: "call-1", method: "tools/call", silent: 10_000, hint: "a proxy?" }]);
  assert.deepEqual([level, fields.silent, fields.hint], ["warn", 10_000, "a proxy?"]);
});

test("a notification is logged without what it carries", () => {
  const [[, , fields]] = logged({ logLevel: "debug" }, ["notification", { method: "x", params: { secret: "s3cret" } }]);
  assert.deepEqual(fields, { method: "x" });
});

test("without a logger nobody listens", () => {
  const events = new Emitter();
  attachLogger({ logLevel: "trace" }, events);
  assert.equal(events.has("request"), false);
});

test("numbers of a client that did nothing are zero, and what is not known is null", () => {
  const { metrics, health, latency } = read(undefined, []);
  assert.equal(latency, null);
  assert.equal(metrics.totalRequests, 0);
  assert.equal(metrics.averageLatency, 0);
  assert.equal(metrics.connection.lastOutage, null);
  assert.deepEqual(metrics.queueWait.byPriority, { 0: 0, 1: 0, 2: 0, 3: 0 });
  assert.equal(metrics.cache.hitRate, 0);
  assert.deepEqual(metrics.byMethod, {});
  assert.deepEqual(health, { consecutiveFailures: 0, status: "unknown", score: 0, latency: null, lastSuccess: null, lastFailure: null });
});

test("a method of any name has its numbers under it", () => {
  const head = Object.keys(Array(50).fill(0)).map(Number);
  const { metrics } = read([...head, 1, 5, 2, 1.5, 9], ["a", "__proto__"]);
  assert.deepEqual(Object.getOwnPropertyDescriptor(metrics.byMethod, "__proto__").value, { count: 5, errors: 2, averageLatency: 1.5, p95: 9 });
});

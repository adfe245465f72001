// A cluster under so many calls per second, in Node or in a page: an open loop, which does not wait for answers. It keeps what became of each
// call and judges nothing. Times are those of `Date.now()`, which a page and Node share.

import { createCluster } from "../../../pkg/dist/cluster.js";

/** How long a tool call works, so that some are under way whenever a node is killed. Milliseconds. */
const WORK_MS = 200;
const TICK_MS = 5;
/** What a starved machine did not begin in time is left out, not made up for by a burst. Milliseconds. */
const LATE_MS = 100;
/** Four reads, then a tool call. */
const READS = [["tools/list", {}], ["resources/read", { uri: "demo://time" }], ["tools/list", {}], ["resources/read", { uri: "demo://readme" }]];

let cluster;
let load;
/** `{ at, name, detail }` of the cluster's events. */
let events = [];

export async function open(config) {
  cluster = createCluster(config);
  events = [];
  const keep = (name) => (detail) => events.push({ at: Date.now(), name, detail: JSON.parse(JSON.stringify(detail)) });
  for (const name of ["discovery", "failover", "error"]) cluster.on(name, keep(name));
  await cluster.connect();
}

export function start(prefix, rate) {
  const calls = [];
  const pending = new Set();
  const keep = (call, key) => {
    const one = settled({ key, begun: Date.now() }, call).then((seen) => {
      calls.push(seen);
      pending.delete(one);
    });
    pending.add(one);
  };
  const begin = (number) => {
    const turn = number % (READS.length + 1);
    const key = `${prefix}-${number}`;
    if (turn < READS.length) keep(cluster.route(...READS[turn]));
    else keep(cluster.callTool("counter", { key, ms: WORK_MS }), key);
  };
  const began = performance.now();
  let number = 0;
  let due = began;
  const timer = setInterval(() => {
    const now = performance.now();
    if (now - due > LATE_MS) due = now;
    for (; due <= now; due += 1000 / rate) begin(number++);
  }, TICK_MS);
  load = { calls, pending, timer, began, keep };
}

async function settled(seen, call) {
  try {
    const result = await call;
    seen.isError = result.isError === true;
  } catch ({ code, outcome, message }) {
    seen.error = { code, outcome, message };
  }
  seen.ended = Date.now();
  seen.node = await call.node.catch(() => null);
  return seen;
}

/** So many reads besides, on one node. */
export function aim(preferredNode, count) {
  for (; count > 0; count--) load.keep(cluster.route("tools/list", {}, { preferredNode }));
}

/** Begins no more, waits for those under way; all calls, and the seconds until all were answered. */
export async function stop() {
  clearInterval(load.timer);
  await Promise.all(load.pending);
  return { calls: load.calls, seconds: (performance.now() - load.began) / 1000 };
}

/** How many calls each node has answered that were begun since then, and how many are answered in all. */
export function shares(since) {
  const by = {};
  const late = load.calls.filter(({ begun, error }) => begun >= since && !error);
  for (const { node } of late) by[node] = (by[node] ?? 0) + 1;
  return { by, all: late.length };
}

export const nodes = () => cluster.nodes().map(({ id, active, breaker, suspect }) => ({ id, active, breaker, suspect }));
export const discovery = () => cluster.store.getSnapshot().discovery;
export const happened = () => events;

export function counters() {
  const { failovers, circuitBreakerTrips, hedges } = cluster.metrics();
  return { failovers, circuitBreakerTrips, hedges };
}

export const close = () => cluster.close();

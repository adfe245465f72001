// One cluster under test, the same in Node and in a page: what the checks of route.mjs tell it to do, and what it saw. It judges nothing.

import { createCluster } from "../../../pkg/dist/cluster.js";

let cluster;
let events;
let load;

const EVENTS = ["nodeUp", "nodeDown", "breaker", "discovery", "failover", "error"];

export async function open(config) {
  cluster = createCluster(config);
  events = [];
  for (const name of EVENTS) cluster.on(name, (detail) => events.push({ name, detail: JSON.parse(JSON.stringify(detail)) }));
  return told(cluster.connect());
}

const told = async (promise) => {
  try {
    return { value: await promise };
  } catch ({ name, code, outcome, message, hint }) {
    return { error: { name, code, outcome, message, hint } };
  }
};

/** Each of the calls, one after the other: who answered, and how it ended. */
export async function calls(count, method, params, options) {
  const ends = [];
  for (let left = count; left > 0; left--) {
    const call = cluster.route(method, params, options);
    const end = await told(call);
    ends.push({ ...(end.error ? end : {}), node: await call.node.catch(() => null) });
  }
  return ends;
}

/** One call that is given up after so long. */
export async function cancelled(method, params, after) {
  const controller = new AbortController();
  const call = told(cluster.route(method, params, { signal: controller.signal }));
  setTimeout(() => controller.abort("enough"), after);
  return call;
}

/** Reads and tool calls without end, until `stopLoad`. */
export function startLoad(prefix, options = {}) {
  const seen = { reads: 0, readErrors: [], tools: [] };
  load = { stopped: false, seen };
  const run = async (work) => {
    while (!load.stopped) await work();
  };
  let number = 0;
  const read = async () => {
    const { error } = await told(cluster.route("tools/list", {}, { timeout: 10_000, ...options }));
    if (error) seen.readErrors.push(error);
    else seen.reads += 1;
  };
  const call = async () => {
    const key = `${prefix}-${number++}`;
    const { error } = await told(cluster.callTool("counter", { key, ms: 5 }, { timeout: 10_000, ...options }));
    seen.tools.push({ key, error });
  };
  load.done = Promise.all([run(read), run(read), run(call), run(call)]);
}

/** What the load has seen so far. */
export const loaded = () => load.seen;

export async function stopLoad() {
  load.stopped = true;
  await load.done;
  return load.seen;
}

export const nodes = () => cluster.nodes().map(({ id, breaker, suspect, draining, active, connection }) => ({ id, breaker, suspect, draining, active, state: connection.state }));
export const seen = (name) => events.filter((event) => event.name === name).map(({ detail }) => detail);
export const snapshot = () => cluster.store.getSnapshot();
export const health = () => cluster.health();

export function metrics() {
  const { byNode, ...counters } = cluster.metrics();
  return { ...counters, nodes: Object.keys(byNode) };
}

export const drain = async (id) => void (await cluster.drain(id));
export const undrain = (id) => cluster.undrain(id);

let isolation;
export const isolate = (id) => void (isolation = cluster.isolate(id));
export const release = () => isolation.release();

export async function close() {
  await cluster.close();
  return told(cluster.route("tools/list"));
}

/** The cluster, for what only Node looks at. */
export const it = () => cluster;

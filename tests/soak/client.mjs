// The soak's client: makes the calls at their rate whatever becomes of them, notes each end in a byte, and holds the end against the
// server's count of executions and against what memory did meanwhile. Started by run.mjs.
import { getEventListeners, setMaxListeners } from "node:events";

import WebSocket from "ws";

import { say } from "../../pkg-template/proc.mjs";
import { bowline, check, finish, sleep } from "../e2e/checks.mjs";
import { random } from "../servers/fault/random.mjs";
import { cycle } from "./cycles.mjs";
import { growth, measure } from "./memory.mjs";

const { url, direct, minutes, rate, seed, cycles } = JSON.parse(process.argv[2]);
const TICK_MS = 10;
const TIMEOUT_MS = 1_000;
const TOTAL_MS = 8_000;
const STALL_MS = 100;
const BURST = 1_900;
const FAULTY = 0.01;
/** Not asked for: too big or too slow for a soak, sent twice by the server's own doing, or answered by nobody for the whole link. */
const LEFT_OUT = /^(none|random|slow|drip|reorder|silent|no-cors|cross-talk|oversize.*|gzip-bomb|redirect.*|session.*|handshake.*|refuse.*|bad-accept|no-subprotocol)$/;
/** There the fault server executes the call and says that it did not. */
const UNTRUE = { http: "header-mismatch", ws: "method-not-found" };
const GOOD = 1;
const ENDS = ["pending", "good", "not-sent", "not-applied", "unknown", "applied"];

const known = await (await fetch(`${direct}/faults`)).json();
const chance = random(seed);
const signal = new AbortController().signal;
setMaxListeners(0, signal);
const pick = (list) => list[Math.floor(chance() * list.length)];

// Links die here every few seconds: one that lived for so long is no failed attempt, or the client would soon be suspended, as it should.
const reconnectOptions = { initialDelay: 50, maxDelay: 500, minUptime: 200, maxAttempts: 100 };
const config = { timeout: TIMEOUT_MS, maxTotalTimeout: TOTAL_MS, reconnectOptions, WebSocket };
const http = { serverUrl: `${url}/call/asked`, enableWebSocket: false };
const ws = { serverUrl: `${url.replace("http", "ws")}/ws/asked`, enableWebSocket: true, enableHttpFallback: false };
const subjects = [
  { name: "http", client: bowline.createClient({ ...config, ...http }) },
  { name: "ws", client: bowline.createClient({ ...config, ...ws }) },
].map(({ name, client }) => ({
  client,
  faults: known[name].filter((fault) => !LEFT_OUT.test(fault) && fault !== UNTRUE[name]),
}));

const total = Math.ceil(minutes * 60 * rate);
// Fixed from the start, so that keeping the books is not what grows.
const [ends, isCall] = [new Uint8Array(total), new Uint8Array(total)];
const codes = new Map();
const samples = [];
let [made, pending, faulty, garbled, untyped] = [0, 0, 0, 0, 0];
let slowest = { took: 0, end: "none" };

// A timer cannot be on time in a process that the machine does not run: what the loop waited without using a processor, beyond STALL_MS
// in one go, is not the client's doing. What it computed itself is.
let [lost, turn, spent] = [0, performance.now(), process.cpuUsage()];
const watch = setInterval(() => {
  const [now, { user, system }] = [performance.now(), process.cpuUsage(spent)];
  lost += Math.max(0, now - turn - (user + system) / 1_000 - STALL_MS);
  [turn, spent] = [now, process.cpuUsage()];
}, TICK_MS);

/** One of the four things an application does, now and then with a fault. */
function make(i) {
  const { client, faults } = subjects[i % subjects.length];
  const fault = chance() < FAULTY ? pick(faults) : undefined;
  const kind = chance();
  const key = String(i);
  faulty += fault ? 1 : 0;
  if (kind < 0.1) return client.readResource(`demo://readme${fault ? `#${fault}` : ""}`, { signal, useCache: false });
  if (kind < 0.15) return client.listTools({ signal });
  isCall[i] = 1;
  if (kind < 0.17) {
    const abort = new AbortController();
    setTimeout(() => abort.abort(), chance() * 5);
    return client.callTool("counter", { key, text: key }, { signal: abort.signal });
  }
  const call = client.callTool("counter", { key, text: key, ...(fault ? { fault } : {}) }, { signal });
  return fault ? call : call.then(({ content }) => void (content[0].text === key || (garbled += 1)));
}

function one() {
  const [i, start, lostBefore] = [made, performance.now(), lost];
  made += 1;
  pending += 1;
  const settle = (end, code = "good") => {
    pending -= 1;
    ends[i] = end;
    const took = performance.now() - start - (lost - lostBefore);
    if (took > slowest.took) slowest = { took, end: code };
  };
  make(i).then(
    () => settle(GOOD),
    (error) => {
      if (!bowline.McpError.is(error)) untyped += 1;
      codes.set(error.code, (codes.get(error.code) ?? 0) + 1);
      settle(Math.max(ENDS.indexOf(error.outcome), 2), error.code);
    },
  );
}

/** Lets everything settle, so that what is measured is what is kept. */
async function rest(limit) {
  const end = performance.now() + limit;
  while (pending > 0 && performance.now() < end) await sleep(TICK_MS);
}

async function load() {
  const span = Math.min(60_000, Math.max(2_000, (minutes * 60_000) / 40));
  let [owed, last, next] = [0, performance.now(), performance.now() + span];
  while (made < total) {
    await sleep(TICK_MS);
    const now = performance.now();
    // After a pause of the machine it does not make up for all that it missed.
    owed = Math.min(owed + ((now - last) * rate) / 1_000, rate);
    last = now;
    for (; owed >= 1 && made < total; owed -= 1) one();
    for (const { client } of subjects) if (/auth_required|failed/.test(client.state)) client.reconnect().catch(() => {});
    if (now < next) continue;
    await rest(2_000);
    samples.push({ made, ...measure() });
    if (samples.length % 5 === 0) say(`${made} of ${total} calls, ${Math.round(samples.at(-1).heap / 1024)} KiB of JS, ${samples.at(-1).wasm / 1024} KiB of wasm`);
    last = performance.now();
    next = last + span;
  }
  await rest(TOTAL_MS + 5_000);
}

// As many at once as may ever wait: no later moment needs more memory than this one.
for (; made < Math.min(BURST, total / 4); ) one();
await rest(TOTAL_MS);
process.send("load");
const start = performance.now();
await load();
process.send("quiet");
clearInterval(watch);
const seconds = (performance.now() - start) / 1_000;
const executions = await (await fetch(`${direct}/executions`)).json();
const ended = (end) => ends.subarray(0, made).reduce((sum, one) => sum + (one === end ? 1 : 0), 0);
const tally = ENDS.map((name, end) => `${name} ${ended(end)}`).join(", ");
say(`${made} calls in ${seconds.toFixed(0)} s, ${faulty} of them with a fault, seed ${seed}: ${tally}`);
say(`slowest ${slowest.took.toFixed(0)} ms (${slowest.end}); the machine took ${lost.toFixed(0)} ms of the loop's time`);
say(`errors: ${[...codes].map(([code, times]) => `${code} ${times}`).join(", ")}`);

await check("every call settled, once, within its limit", () => {
  if (pending !== 0 || ended(0) !== 0) throw new Error(`${pending} calls did not settle`);
  if (slowest.took > TOTAL_MS + 2_000) throw new Error(`the slowest took ${slowest.took.toFixed(0)} ms (${slowest.end}), ${TOTAL_MS} is the limit`);
});
await check("most calls went well in spite of all", () => {
  if (ended(GOOD) < 0.8 * made) throw new Error(`${ended(GOOD)} of ${made}`);
});
await check("no call was executed twice, and what was told of each is true", () => {
  const wrong = [];
  for (let i = 0; i < made; i += 1) {
    const times = executions[i] ?? 0;
    const told = ENDS[ends[i]];
    const untrue = told === "good" ? times === 0 : told.startsWith("not-") && times > 0;
    if (isCall[i] && (times > 1 || untrue)) wrong.push(`call ${i}: executed ${times} times, told ${told}`);
  }
  if (wrong.length > 0) throw new Error(`${wrong.length} calls: ${wrong.slice(0, 10).join("; ")}`);
});
await check("every answer reached its own call, every error is typed", () => {
  if (garbled || untyped) throw new Error(`${garbled} wrong answers, ${untyped} errors without a type`);
});
await check("no listener is left on a signal that all calls shared", () => {
  const left = getEventListeners(signal, "abort").length;
  if (left > 0) throw new Error(`${left} listeners`);
});
await growth(samples);
await Promise.all(subjects.map(({ client }) => client.close()));
if (cycles > 0) await cycle(cycles, [http, ws].map((one) => ({ ...config, ...one })));
finish();

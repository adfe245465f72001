// Random cuts in the middle of calls: clients over both transports through a proxy that resets all its connections at seeded moments,
// to a server that answers in pieces. Every call that was under way must settle at once, none may be executed twice, and what is told of
// its execution must be true. In Node only: Chromium repeats a POST by itself (row 1k of the matrix).
import { pathToFileURL } from "node:url";

import WebSocket from "ws";

import { inRoot, say, seconds } from "../../pkg-template/proc.mjs";
import { random } from "../servers/fault/random.mjs";
import { startProxy } from "../servers/proxy.mjs";

const SETTLED_WITHIN_MS = 250;
/** Calls of one client under way at once: two more than an HTTP client sends, so that some wait in its queue. */
const CALLS = 7;
const LONGEST_CALL_MS = 25;
/** How many clients of each transport take turns at being cut. */
const PAIRS = 4;
const ROUND_LIMIT_MS = 10_000;

/** Makes `count` cuts and says what came of them; gives whether all was well. */
export async function cuts(fault, count, seed) {
  const start = performance.now();
  const { createClient, McpError } = await import(pathToFileURL(inRoot("pkg", "dist", "index.js")));
  const { port } = new URL(fault.directUrl);
  const tally = { cuts: 0, calls: 0, hit: 0, worst: 0, late: 0, wrong: new Map() };
  const runs = [];
  for (let at = 0; at < PAIRS * 2; at += 1) {
    const transport = at % 2 === 0 ? "http" : "ws";
    const more = () => tally.cuts < count;
    runs.push(cutOne({ createClient, McpError }, { transport, port, seed: seed * 1000 + at, more, tally }));
  }
  const calls = (await Promise.all(runs)).flat();
  const executions = await (await fetch(`${fault.directUrl.replace(/\/$/, "")}/executions`)).json();
  for (const call of calls) judge(call, executions[call.key] ?? 0, tally.wrong);
  const wrong = [...tally.wrong].map(([what, times]) => `${what}: ${times}`);
  const lateness = `worst settling ${tally.worst.toFixed(0)} ms after its cut (at most ${SETTLED_WITHIN_MS}), ${tally.late} late`;
  say(`cuts: ${tally.cuts} in the middle of ${tally.hit} of ${calls.length} calls, seed ${seed}, ${seconds(start)}`);
  say(`cuts: ${lateness}; ${wrong.length === 0 ? "0 duplicate executions, nothing told wrong" : wrong.join("; ")}`);
  return tally.late === 0 && wrong.length === 0;
}

/** One client and its proxy, cut while there is `more` to do. Gives what became of each call. */
async function cutOne({ createClient, McpError }, { transport, port, seed, more, tally }) {
  const chance = random(seed);
  const proxy = await startProxy(Number(port));
  const origin = `127.0.0.1:${proxy.port}`;
  const client = createClient({
    serverUrl: transport === "ws" ? `ws://${origin}/ws/drip` : `http://${origin}/call/drip`,
    enableWebSocket: transport === "ws",
    enableHttpFallback: transport !== "ws",
    WebSocket,
    // The way back is not what this is about.
    reconnectOptions: { initialDelay: 5, maxDelay: 20 },
  });
  const all = [];
  try {
    while (more()) {
      await client.connect().catch(() => {});
      const calls = [];
      for (let i = 0; i < CALLS; i += 1) calls.push(makeCall(McpError, client, `cut-${seed}-${all.length + i}`));
      all.push(...calls);
      await new Promise((resolve) => setTimeout(resolve, chance() * LONGEST_CALL_MS));
      const hit = calls.filter(({ promise, settled }) => settled === undefined && promise.phase === "sent");
      const at = performance.now();
      proxy.cut();
      if (hit.length > 0) tally.cuts += 1;
      tally.hit += hit.length;
      await Promise.race([Promise.all(calls.map(({ done }) => done)), new Promise((resolve) => setTimeout(resolve, ROUND_LIMIT_MS))]);
      // One that resolved after all was not on a connection that was cut: the proxy had yet to accept it.
      for (const { settled = Infinity } of hit.filter(({ resolved }) => !resolved)) {
        tally.worst = Math.max(tally.worst, settled - at);
        if (settled - at > SETTLED_WITHIN_MS) tally.late += 1;
      }
    }
  } finally {
    await client.close();
    await proxy.stop();
  }
  return all;
}

function makeCall(McpError, client, key) {
  const call = { key, promise: client.callTool("counter", { key }), settled: undefined };
  const settle = (end) => Object.assign(call, { settled: performance.now(), ...end });
  call.done = call.promise.then(
    () => settle({ resolved: true }),
    (error) => settle({ code: error?.code, outcome: error?.outcome, typed: McpError.is(error) }),
  );
  return call;
}

function judge({ settled, resolved, code, outcome, typed }, executions, wrong) {
  const note = (what) => wrong.set(what, (wrong.get(what) ?? 0) + 1);
  if (executions > 1) note("executed twice");
  if (settled === undefined) note("never settled");
  else if (resolved && executions !== 1) note(`resolved, executed ${executions} times`);
  else if (!resolved && !typed) note("no typed error");
  else if (!resolved && code !== "OUTCOME_UNKNOWN" && executions > 0 && outcome !== "unknown") note(`executed, told as ${code} ${outcome}`);
}

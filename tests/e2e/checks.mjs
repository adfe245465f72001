// Named checks for the end-to-end scripts in Node: each with its own limit and line, counted for the summary; and what such checks wait
// for. It starts nothing.
import assert from "node:assert/strict";
import { pathToFileURL } from "node:url";

import { inRoot, say, seconds } from "../../pkg-template/proc.mjs";

const LOOK_MS = 10;

/** An entry of the built package. */
export const built = (file) => import(pathToFileURL(inRoot("pkg", "dist", file)));
export const bowline = await built("index.js");

let passed = 0;
let failed = 0;

export async function check(name, work, limit = 20_000) {
  const start = performance.now();
  try {
    await Promise.race([work(), late(limit)]);
    passed += 1;
    say(`ok     ${name} (${seconds(start)})`);
  } catch (error) {
    failed += 1;
    say(`FAILED ${name} (${seconds(start)})\n${error.stack ?? error}`);
  }
}

/** Says how many checks there were, and ends the process. */
export function finish() {
  say(`${passed} passed, ${failed} failed`);
  // Not by running out: Node 20 can spin for ever in its cleanup when a reset socket (tests/servers/proxy.mjs) was not closed well.
  process.exit(failed > 0 ? 1 : 0);
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Waits until `look()` is true, at most `limit` milliseconds; `what` is said when it never is. */
export async function until(look, what, limit = 15_000) {
  const end = performance.now() + limit;
  while (!(await look())) {
    assert.ok(performance.now() < end, typeof what === "function" ? what() : what);
    await sleep(LOOK_MS);
  }
}

export async function state(client, wanted) {
  await until(() => client.state === wanted, () => `state is ${client.state}, not ${wanted}`, 20_000);
}

/** The error a promise rejects with; a value instead is a failure of the test. */
export async function rejection(promise) {
  const [error] = await Promise.allSettled([promise]);
  assert.equal(error.status, "rejected", `resolved with ${JSON.stringify(error.value)}`);
  assert.ok(bowline.McpError.is(error.reason), `not an McpError: ${error.reason?.stack}`);
  return error.reason;
}

function late(limit) {
  return new Promise((_, reject) => {
    setTimeout(() => reject(new Error(`not done after ${limit / 1000} s`)), limit).unref();
  });
}

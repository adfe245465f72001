// End to end: the module traps, in Node and in Chromium, at every function that is entered and at every crossing out of it in the lives of two
// clients (I6). Whatever was under way ends at once, the next call is served by a fresh instance, and three traps in a minute are the end.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { chromium } from "playwright-core";

import { inRoot, say } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import * as trials from "./crash/trial.js";

const NEXT_CALL_MS = 250;
// A busy machine may be late once; the client may not.
const TRIES = 3;

let passed = 0;
let failed = 0;

async function check(name, work) {
  const start = performance.now();
  try {
    const more = await work();
    passed += 1;
    say(`ok     ${name}${more ? `: ${more}` : ""} (${((performance.now() - start) / 1000).toFixed(1)} s)`);
  } catch (error) {
    failed += 1;
    say(`FAILED ${name}\n${error.stack ?? error}`);
  }
}

const complaints = [];

function judge(report, where) {
  const said = `${where}: ${JSON.stringify(report)}`;
  assert.deepEqual(report.texts, ["again", "again"], said);
  assert.deepEqual(report.unsettled, [], `never settled, ${said}`);
  assert.equal(report.entered, 0, `an instance that trapped was entered, ${said}`);
  assert.equal(report.open, 0, `left open after close, ${said}`);
  assert.equal(report.left, 0, `fetches or sockets of the old instance, ${said}`);
  assert.equal(report.instances, 1, said);
  if (report.ended.length) assert.ok(report.errors.includes("INTERNAL"), `no error event, ${said}`);
  for (const { name, outcome, hint } of report.ended) {
    assert.equal(outcome, name === "connect" || name === "reconnect" ? "not-sent" : "unknown", said);
    assert.ok(hint, said);
  }
  assert.deepEqual(complaints.splice(0), [], said);
}

/** One life with a trap in it; undefined when it was over before. */
async function survives(trial, bomb) {
  for (let i = 1; ; i += 1) {
    const report = await trial("life", bomb);
    if (!report.wentOff) return undefined;
    judge(report, JSON.stringify(bomb));
    if (report.late.length === 0 && report.took <= NEXT_CALL_MS) return report;
    assert.ok(i < TRIES, `${JSON.stringify(bomb)}: after 50 ms ${report.late}, the next call after ${report.took} ms`);
  }
}

async function suite(where, trial, step) {
  const calm = await trial("life", {});
  await check(`${where}: without a trap all is well`, () => {
    assert.deepEqual([calm.texts, calm.errors, calm.unsettled, calm.instances], [["again", "again"], [], [], 0], JSON.stringify(calm));
    assert.ok(calm.entries.length >= 9 && calm.entries.includes("hear"), calm.entries.join());
  });
  for (const entry of calm.entries) {
    await check(`${where}: the function ${entry} finds the memory ruined`, async () => assert.ok(await survives(trial, { entry })));
  }
  await check(`${where}: a trap in a crossing out of the module, one in ${step} of those in a life`, async () => {
    let [survived, slowest, ended] = [0, 0, 0];
    for (let at = 1; at <= calm.crossings; at += step) {
      const report = await survives(trial, { at });
      if (!report) continue;
      survived += 1;
      ended += report.ended.length;
      slowest = Math.max(slowest, report.took);
    }
    assert.ok(survived >= (0.9 * calm.crossings) / step, `only ${survived} of ${calm.crossings}`);
    return `${survived} traps, ${ended} calls ended by them, the slowest next call after ${slowest.toFixed(0)} ms`;
  });
  await check(`${where}: after three traps within a minute the client stays down and says so`, async () => {
    const { results, seen, reason, closed, instances } = await trial("falling", 3);
    assert.deepEqual(results.map(({ code }) => code), Array(4).fill("INTERNAL"));
    assert.deepEqual(results.map(({ state }) => state), ["ready", "ready", "failed", "failed"]);
    assert.deepEqual(seen, Array(3).fill("INTERNAL"));
    assert.match(results[3].message, /three times/);
    assert.match(results[3].hint, /Reload/);
    assert.equal(results[3].outcome, "not-sent");
    assert.equal(reason.code, "INTERNAL");
    assert.equal(closed, "closed");
    assert.equal(instances, 2);
  });
}

/** Between two crossings that are tried; `--every 1` tries all. */
const at = process.argv.indexOf("--every");
const every = at > 0 ? Number(process.argv[at + 1]) : undefined;

process.on("uncaughtException", (error) => complaints.push(error.message));
process.on("unhandledRejection", (error) => complaints.push(error.message));
const main = pathToFileURL(inRoot("pkg", "dist", "main.js"));
const wasm = readFileSync(inRoot("pkg", "dist", "bowline_bg.wasm"));
let copies = 0;
await suite("Node", async (name, ...args) => trials[name](await trials.load(`${main}?${(copies += 1)}`, wasm), ...args), every ?? 5);

const site = await serveFolder(inRoot());
const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
try {
  const page = await browser.newPage();
  page.on("pageerror", (error) => complaints.push(error.message));
  await page.goto(`${site.url}/tests/e2e/crash/page.html`);
  await page.waitForFunction(() => "trial" in globalThis);
  await suite("Chromium", (...args) => page.evaluate((all) => globalThis.trial(...all), args), every ?? 25);
} finally {
  await browser.close();
  await site.close();
}
say(`${passed} passed, ${failed} failed`);
// Clients of lives that failed would go on.
process.exit(failed > 0 ? 1 : 0);

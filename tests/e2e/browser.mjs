// End to end: the built demo in headless Chromium against its three real servers, through what a person
// sees and presses. It starts everything itself, keeps screenshots, and ends all it started. Not a test of
// the package's API: node.mjs beside it is.
import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { connect } from "node:net";

import { inRoot, say } from "../../pkg-template/proc.mjs";
import { ensureChromium, ensureNodeModules } from "../../pkg-template/setup.mjs";
import { startDemo } from "../../www/start.mjs";
import { FleetPanel } from "../../www/fleet-panel.mjs";
import { Panel } from "../../www/panel.mjs";

const SLOW = { tool: "slow", args: (ms, steps) => ({ ms, steps }) };
const SERVERS = [
  { name: "python-ws", transport: "WebSocket", era: "legacy", ...SLOW, quick: ["add", { a: 20, b: 22 }, "42"] },
  {
    name: "everything",
    transport: "Streamable HTTP",
    era: "legacy",
    tool: "trigger-long-running-operation",
    args: (ms, steps) => ({ duration: ms / 1000, steps }),
    quick: ["get-sum", { a: 20, b: 22 }, "42"],
  },
  { name: "modern", transport: "Streamable HTTP", era: "modern", version: "2026-07-28", ...SLOW, quick: ["add", { a: 20, b: 22 }, "42"] },
];

const ARTIFACTS = inRoot(".cache", "artifacts");
let passed = 0;
let failed = 0;

async function check(name, body) {
  try {
    await body();
    passed += 1;
    say(`ok   ${name}`);
  } catch (error) {
    failed += 1;
    say(`FAIL ${name}\n     ${String(error.stack ?? error).replaceAll("\n", "\n     ")}`);
  }
}

async function checkServer(panel, server) {
  const { name, transport, era, tool, args, quick } = server;
  const shot = (label) => panel.screenshot(`${ARTIFACTS}/${name}-${label}.png`);
  let tools = 0;

  await check(`${name}: is ready over ${transport}, ${era} era`, async () => {
    await panel.open(name);
    await panel.untilState("ready");
    assert.equal(await panel.fact("Transport"), transport);
    assert.equal(await panel.factNote("Protocol"), `${era} era`);
    if (server.version) assert.equal(await panel.fact("Protocol"), server.version);
    assert.notEqual(await panel.fact("Server"), "–");
  });

  await check(`${name}: shows its tools as forms`, async () => {
    tools = await panel.tools();
    assert.ok(tools >= 5, `${tools} tools`);
    await panel.watchTools();
  });

  await check(`${name}: a call with arguments from its form gives the result`, async () => {
    const call = await panel.call(...quick.slice(0, 2));
    assert.equal(await panel.untilEnded(call), "done");
    assert.match(await panel.text(call), new RegExp(quick[2]));
  });

  await check(`${name}: the progress of a call moves`, async () => {
    const call = await panel.call(tool, args(3000, 6));
    const seen = await panel.progressValues(call);
    assert.equal(await panel.untilEnded(call), "done");
    assert.ok(seen.length >= 2, `saw ${seen.join(", ")}`);
    assert.deepEqual(seen, [...seen].sort((a, b) => a - b));
    await shot("ready");
  });

  await check(`${name}: a call can be cancelled`, async () => {
    const call = await panel.call(tool, args(8000, 8));
    await panel.untilProgress(call);
    await panel.cancel(call);
    assert.equal(await panel.untilEnded(call), "cancelled");
  });

  // What that server says while its stream is broken off can be fetched afterwards (P78); elsewhere nobody will ever know.
  const resumes = name === "everything";
  const fate = resumes ? "a running call's answer is taken up" : "a running call is of unknown outcome";
  await check(`${name}: a cut link is lost, ${fate}, a waiting one survives`, async () => {
    const epoch = Number(await panel.fact("Epoch"));
    const running = await panel.call(tool, resumes ? args(2000, 8) : args(8000, 8));
    await panel.untilProgress(running);
    assert.equal(await panel.fact("Last loss"), "none");
    await panel.cut("3 seconds");
    await panel.untilState("reconnecting");
    if (!resumes) assert.equal(await panel.untilEnded(running), "unknown");
    const waiting = await panel.call(...quick.slice(0, 2));
    assert.equal(await panel.status(waiting), "pending");
    await panel.prioritise(waiting, "critical");
    await shot("cut");
    await panel.untilState("ready");
    assert.equal(await panel.untilEnded(waiting), "done");
    if (resumes) assert.equal(await panel.untilEnded(running), "done");
    assert.ok(Number(await panel.fact("Epoch")) > epoch, "the epoch did not grow");
    assert.match(await panel.fact("Last loss"), /^[A-Z_]+ /);
    assert.ok(await panel.outageShown(), "the chart has no gap");
    assert.match(await panel.text(waiting), /critical/);
    for (const name of ["p50", "p95", "p99", "critical"]) await panel.untilMeasured(name);
    await shot("back");
  });

  await check(`${name}: calls with progress work again`, async () => {
    const call = await panel.call(tool, args(1000, 4));
    assert.equal(await panel.untilEnded(call), "done");
  });

  await check(`${name}: a restarted server is found again`, async () => {
    await panel.restart();
    if (server.transport === "WebSocket") assert.ok(await panel.everLeftReady(), "the lost server was not noticed");
    await panel.untilState("ready");
    const call = await panel.call(...quick.slice(0, 2));
    assert.equal(await panel.untilEnded(call), "done");
    await shot("restarted");
  });

  await check(`${name}: the tool list was never blank`, async () => {
    assert.equal(await panel.fewestTools(), tools);
  });
}

async function checkTrouble(panel, fault) {
  await check("a page opened while a link is cut says why, and gets it by itself", async () => {
    await panel.open("modern");
    await panel.cut("3 seconds");
    await panel.page.reload();
    await panel.page.locator("#tab-modern").click();
    await panel.untilState("reconnecting");
    const [code, what, hint] = await panel.trouble();
    assert.match(code, /^CO[A-Z_]+$/);
    assert.ok(what && hint, `${code}: ${what}`);
    await panel.screenshot(`${ARTIFACTS}/opened-cut.png`);
    await panel.untilState("ready");
    assert.deepEqual(await panel.trouble(), []);
  });

  await check("servers that answer nonsense are told as such, each with what to do", async () => {
    const peers = ["html", "status-401", "no-cors"].map((name) => ({ name, url: `${fault}/first/${name}`, transport: "http", era: "both" }));
    await panel.page.route("**/peers.json", (route) => route.fulfill({ json: peers }));
    await panel.page.reload();
    for (const [name, state, code, hint] of [
      ["html", "failed", "PARSE_ERROR", /path/],
      ["status-401", "auth_required", "AUTH_REQUIRED", /token/],
      ["no-cors", "reconnecting", "CORS_OR_NETWORK", /mcp-session-id/],
    ]) {
      await panel.page.locator(`#tab-${name}`).click();
      await panel.untilState(state);
      const told = await panel.trouble();
      assert.equal(told[0], code);
      assert.match(told[2], hint);
      await panel.screenshot(`${ARTIFACTS}/fault-${name}.png`);
    }
  });
}

async function checkNetwork(panel) {
  await check("python-ws: without a network the link is suspended, and back when the network is", async () => {
    await panel.open("python-ws");
    await panel.untilState("ready");
    assert.equal(await panel.fact("Network"), "online");
    await panel.page.context().setOffline(true);
    try {
      await panel.untilState("suspended");
      assert.equal(await panel.fact("Network"), "offline");
      await panel.screenshot(`${ARTIFACTS}/offline.png`);
    } finally {
      await panel.page.context().setOffline(false);
    }
    await panel.untilState("ready");
    await panel.suspend();
    await panel.untilState("suspended");
    await panel.retry();
    await panel.untilState("ready");
  });
}

async function checkPage(panel) {
  await check("everything: a resource can be read", async () => {
    await panel.open("everything");
    assert.ok((await panel.readFirstResource()).length > 20);
  });

  await check("the page fits a phone and has a dark scheme", async () => {
    await panel.page.setViewportSize({ width: 390, height: 844 });
    await panel.screenshot(`${ARTIFACTS}/phone.png`);
    const overflow = await panel.page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.equal(overflow, 0);
    const light = await panel.background();
    await panel.page.emulateMedia({ colorScheme: "dark" });
    assert.notEqual(await panel.background(), light);
    await panel.page.setViewportSize({ width: 1280, height: 900 });
    await panel.screenshot(`${ARTIFACTS}/dark.png`);
  });
}

const settled = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** A share is that of so long on the page; a timer there may be late. Milliseconds. */
const WINDOW = 6000;

async function checkFleet(fleet, demo) {
  const shot = (label) => fleet.screenshot(`${ARTIFACTS}/cluster-${label}.png`);
  const ids = demo.nodes.list.map(({ id }) => id);

  /** The shares of all nodes over so many calls, in percent: on a slow machine those of a few seconds are of too few to tell anything. */
  async function sharesOver(calls) {
    const sums = ids.map(() => 0);
    let windows = 0;
    for (const from = await fleet.calls(); (await fleet.calls()) - from < calls; windows += 1) {
      assert.ok(windows < 20, `hardly any call is made: ${await fleet.calls()}`);
      await settled(WINDOW);
      for (const [at, id] of ids.entries()) sums[at] += await fleet.share(id);
    }
    return sums.map((sum) => sum / windows);
  }

  /** Calls that ended without an answer in five seconds although all nodes live: this machine is starved, and what it shows is its own. */
  let starved = 0;

  /** Until all that was answered lately was answered by others; that something was is what their shares say. */
  const untilSpared = (id) => fleet.untilShares((shares) => shares[id] === 0 && Object.values(shares).some((share) => share > 0));

  await check("cluster: five nodes share the calls by their weights", async () => {
    await fleet.page.goto(new URL("cluster.html", demo.url).href);
    await fleet.untilWord("All well");
    assert.deepEqual(await fleet.nodes(), ids);
    // The faster ones get more of so little: the first call of a node is slow, and remembered for five seconds.
    const first = await sharesOver(100);
    assert.ok(first.filter((share) => share > 0).length >= 3, first.join());
    await shot("adaptive");
    await fleet.choose("weighted");
    await fleet.untilWord("All well");
    for (let tries = 0, calm = false; !calm && tries < 3; tries += 1) {
      const troubles = async () => (await fleet.failures()).length + (await fleet.figure("Failed over"));
      const before = await troubles();
      const shares = await sharesOver(400);
      calm = (await troubles()) === before;
      if (!calm) say(`     this machine is starved: nodes that live seem to hang; shares ${shares}`);
      // By weight a sixth, and a third of node-3: four standard deviations lie between. A node that seems to hang has less.
      for (const share of shares) assert.ok(share >= (calm ? 5 : 1), shares.join());
      assert.ok(!calm || shares[2] > shares[0], `the one of weight 2 has no more than one of weight 1: ${shares}`);
    }
    starved = (await fleet.failures()).length;
    await shot("well");
  });

  await check("cluster: a node that is killed loses its calls to the others, and nobody sees an error that need not be", async () => {
    await fleet.press("node-2", "Kill");
    await fleet.until("node-2", "open", "half-open");
    await untilSpared("node-2");
    await fleet.untilWord("Holding");
    // Of a tool call that was under way nobody knows; reads go on elsewhere. One call at least found out.
    const failures = await fleet.failures();
    assert.ok((await fleet.figure("Failed over")) + failures.length > 0);
    const isExpected = (text) => (text.endsWith("(unknown)") && text.includes("tools/call")) || (starved > 0 && text.startsWith("REQUEST_TIMEOUT"));
    assert.deepEqual(failures.filter((text) => !isExpected(text)), []);
    await shot("killed");
  });

  await check("cluster: it comes back and takes its share again", async () => {
    await fleet.press("node-2", "Revive");
    await fleet.until("node-2", "closed");
    await fleet.untilWord("All well");
    await fleet.untilShares((shares) => shares["node-2"] >= 5);
    await shot("back");
  });

  await check("cluster: a drained node gets nothing new; another strategy works as well", async () => {
    await fleet.press("node-5", "Drain");
    await untilSpared("node-5");
    await fleet.choose("round-robin");
    await fleet.untilWord("All well");
    await fleet.untilShares((shares) => Object.values(shares).every((share) => share >= 5));
  });

  await check("cluster: the page fits a phone", async () => {
    await fleet.page.setViewportSize({ width: 390, height: 844 });
    await shot("phone");
    assert.equal(await fleet.page.evaluate(() => document.documentElement.scrollWidth - innerWidth), 0);
    await fleet.page.setViewportSize({ width: 1280, height: 900 });
  });
}

/** Chromium reports each failed connection on its own; those are what the test makes happen. */
const ofTheNetwork = (text) => /^(Failed to load resource|WebSocket connection to |Access to fetch at .* CORS policy)/.test(text);

/** Chromium itself sends a POST again when a kept-alive connection is reset before the answer began (ARCHITECTURE.md). */
const ofTheBrowser = (problem) => / was used before \(P2\)\n {2}in http /.test(problem);

const refuses = (port) =>
  new Promise((resolve) => {
    const socket = connect({ host: "127.0.0.1", port: Number(port) });
    socket.once("connect", () => resolve(false)).once("error", () => resolve(true));
    socket.once("connect", () => socket.destroy());
  });

await ensureNodeModules();
const { chromium } = await import("playwright-core");
const { startServers } = await import("../servers/index.mjs");
mkdirSync(ARTIFACTS, { recursive: true });
const demo = await startDemo({ port: 0, wire: true });
const faulty = await startServers(["fault"], { wire: true });
try {
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, colorScheme: "light" });
    page.setDefaultTimeout(20_000);
    const errors = [];
    page.on("console", (message) => {
      if (message.type() === "error" && !ofTheNetwork(message.text())) errors.push(message.text());
    });
    page.on("pageerror", (error) => errors.push(String(error)));
    await page.goto(demo.url);
    const panel = new Panel(page);
    for (const server of SERVERS) await checkServer(panel, server);
    await checkNetwork(panel);
    await checkPage(panel);
    await checkFleet(new FleetPanel(page), demo);
    await page.goto(demo.url);
    await checkTrouble(panel, faulty.fault.url.replace(/\/$/, ""));
    await check("the console shows no error of the page", () => assert.deepEqual(errors, []));
    await check("every message that was sent is right by the schema of its revision", () => {
      for (const { name, wire } of demo.servers.list) assert.ok(wire.sent.length > 10, `${name} saw ${wire.sent.length} messages`);
      assert.deepEqual([...demo.servers.problems(), ...faulty.problems()].filter((problem) => !ofTheBrowser(problem)), []);
    });
  } finally {
    await browser.close();
  }
} finally {
  await Promise.all([demo.close(), faulty.stop()]);
}
await check("everything that was started has ended", async () => {
  const urls = [demo.url, ...SERVERS.map(({ name }) => demo.servers[name].url), ...demo.nodes.list.map(({ url }) => url)];
  for (const url of urls) assert.ok(await refuses(new URL(url).port), `${url} still answers`);
});

say(`${passed} passed, ${failed} failed`);
// Not by running out: Node 20 can spin for ever in its cleanup when a reset socket (tests/servers/proxy.mjs) was not closed well.
process.exit(failed > 0 ? 1 : 0);

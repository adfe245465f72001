// End to end: the built package in Firefox, in a page and a worker, by each of its two entries, against real servers: what it serves, what
// becomes of it when links are cut, and what Firefox does differently from Chromium.
import assert from "node:assert/strict";

import { inRoot, say } from "../../pkg-template/proc.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startServers } from "../servers/index.mjs";
import { check, finish } from "./checks.mjs";
import { startFirefox } from "./firefox/webdriver.mjs";

const LIMIT_MS = 60_000;
const OUTAGE_MS = 4000;
// More than the some 250 that one aborter serves.
const CALLS = 300;

function served(report, transport) {
  const said = JSON.stringify(report);
  assert.equal(report.transport, transport, said);
  for (const name of ["echo", "slow", "counter"]) assert.ok(report.tools.includes(name), said);
  assert.equal(report.slow, "done in 6 steps", said);
  // Told while the tool worked, not all at its end.
  assert.ok(report.steps >= 5 && report.spread > 250, said);
  assert.deepEqual([...new Set(report.ended)], ["OUTCOME_UNKNOWN unknown"], said);
  assert.equal(report.after, "after", said);
  assert.equal(report.executed, transport === "websocket" ? "1" : "0", said);
  assert.equal(report.state, "ready", said);
}

async function suite(where, ask, servers) {
  const cut = (name) => `${servers.control}/cut?name=${name}`;
  const over = { "python-ws": "websocket", modern: "http", "python-http": "http" };
  for (const [name, transport] of Object.entries(over)) {
    const { url } = servers.find(name);
    const config = { serverUrl: url, ...(transport === "http" && { enableWebSocket: false }) };
    await check(`${where}: ${name} serves, is cut and serves again`, async () => served(await ask("life", config, cut(name)), transport), LIMIT_MS);
  }
}

const servers = await startServers(["modern", "python-ws", "python-http"], { wire: true, control: true });
const site = await serveFolder(inRoot());
let firefox;
try {
  firefox = await startFirefox();
  say(`Firefox ${firefox.version}`);
  const page = `${site.url}/tests/e2e/firefox/page.html`;
  for (const entry of ["slim", "index"]) {
    await firefox.open(page);
    await suite(`page, ${entry}`, (...args) => firefox.ask(entry, args[0], args.slice(1)), servers);
  }
  await firefox.open(`${page}?worker`);
  const ask = (name, ...args) => firefox.ask("slim", name, args);
  await suite("worker, slim", ask, servers);

  await firefox.open(page);
  const http = { serverUrl: servers.modern.url };
  await check(
    `${CALLS} calls in turn over HTTP, some given up between them`,
    async () => {
      const report = await ask("many", { ...http, enableWebSocket: false }, CALLS);
      assert.deepEqual([report.wrong, report.codes, report.activeRequests], [[], ["ABORTED"], 0], JSON.stringify(report));
    },
    LIMIT_MS,
  );
  await check("a refused WebSocket is not tried again by the next client of the page", async () => {
    const report = await ask("fallback", { ...http, transport: { webSocketUrl: servers.refused.replace(/^http/, "ws") } });
    const said = JSON.stringify(report);
    assert.deepEqual([report.before.transport, report.transport, report.dials], ["http", "http", 0], said);
    assert.ok(report.before.dials > 0 && report.took < 250, said);
  });
  await check(
    `a WebSocket server that was away for ${OUTAGE_MS / 1000} s is found again`,
    async () => {
      const { said, late } = await ask("outage", { serverUrl: servers["python-ws"].url }, servers.control, OUTAGE_MS);
      assert.equal(said, "back");
      say(`       ${late.toFixed(0)} ms after its return`);
    },
    LIMIT_MS,
  );
  await check("every message that was sent is right by the schema of its revision", async () => {
    for (const { name, wire } of servers.list) assert.ok(wire.sent.length > 20, `${name} saw ${wire.sent.length} messages`);
    assert.deepEqual(servers.problems(), []);
  });
} finally {
  await firefox?.close();
  await site.close();
  await servers.stop();
}
finish();

// What the shell hears of its surroundings (src/web/signals.js), the timer that was slept over, and what the facade makes of both; with
// a page made of event targets, no wasm and no network.
import assert from "node:assert/strict";
import { test } from "node:test";
import * as glue from "../../src/web/glue.js";
import { unwatch, watch } from "../../src/web/signals.js";
import { createClient, open, peers } from "./client.mjs";

const [ONLINE, OFFLINE, VISIBLE, HIDDEN, FROZEN, RESUMED] = [0, 1, 2, 3, 4, 5];
const [WAKE, SIGNAL] = [14, 15];
let heard = [];
glue.setUp({ hear: (_now, _client, _source, kind, _id, _handle, info) => void heard.push([kind, info]) }, "", 0, "2026-07-28");

/** What a client hears while `work` is done to a page. */
async function inPage(work, { visibility = "visible", online = true } = {}) {
  const page = new EventTarget();
  const document = Object.assign(new EventTarget(), { visibilityState: visibility });
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  heard = [];
  Object.assign(globalThis, { document, addEventListener: page.addEventListener.bind(page) });
  Object.defineProperty(globalThis, "navigator", { value: { onLine: online }, configurable: true });
  const told = [];
  const client = glue.open({ capabilities: {}, onSignal: () => told.push("told") }, 1000);
  try {
    watch(client);
    await work({ page, document, client });
  } finally {
    unwatch(client);
    delete globalThis.document;
    delete globalThis.addEventListener;
    Object.defineProperty(globalThis, "navigator", before ?? { value: undefined, configurable: true });
  }
  return { signals: heard.map(([kind, info]) => (kind === SIGNAL ? info : [kind])), told: told.length };
}

const event = (type, more) => Object.assign(new Event(type), more);

test("what the page's own policy blocked is noted when it is the client's address, and only then", async () => {
  for (const [blockedURI, barred] of [["https://other.example/", false], ["", false], ["eval", false], ["https://mcp.example/mcp", true], ["wss", true]]) {
    const client = glue.open({ capabilities: {}, url: "https://mcp.example/mcp", webSocketUrl: "wss://mcp.example/mcp" }, 1000);
    const page = new EventTarget();
    globalThis.addEventListener = page.addEventListener.bind(page);
    watch(client);
    page.dispatchEvent(event("securitypolicyviolation", { blockedURI }));
    delete globalThis.addEventListener;
    assert.equal(!!glue.clients[client].barred, barred, blockedURI);
    unwatch(client);
  }
});

test("network, visibility, freezing and the back/forward cache are heard; a page that goes for good is not", async () => {
  const { signals, told } = await inPage(({ page, document }) => {
    page.dispatchEvent(event("offline"));
    page.dispatchEvent(event("online"));
    document.visibilityState = "hidden";
    document.dispatchEvent(event("visibilitychange"));
    document.dispatchEvent(event("freeze"));
    document.dispatchEvent(event("resume"));
    document.visibilityState = "visible";
    document.dispatchEvent(event("visibilitychange"));
    page.dispatchEvent(event("pagehide", { persisted: true }));
    page.dispatchEvent(event("pageshow", { persisted: true }));
    page.dispatchEvent(event("pagehide", { persisted: false }));
    page.dispatchEvent(event("pageshow", { persisted: false }));
  });
  assert.deepEqual(signals, [OFFLINE, ONLINE, HIDDEN, FROZEN, RESUMED, VISIBLE, FROZEN, RESUMED]);
  assert.equal(told, 8, "the package hears of each before the core does");
});

test("a worker, which gets no events in some browsers, looks at the flag; a client that is closed does not", (t) => {
  t.mock.timers.enable({ apis: ["setInterval"] });
  const before = Object.getOwnPropertyDescriptor(globalThis, "navigator");
  const navigator = { onLine: true };
  Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
  globalThis.WorkerNavigator = class {};
  heard = [];
  try {
    const client = glue.open({ capabilities: {}, onSignal: () => {} }, 1000);
    watch(client);
    t.mock.timers.tick(3000);
    assert.deepEqual(heard, []);
    navigator.onLine = false;
    t.mock.timers.tick(3000);
    navigator.onLine = true;
    t.mock.timers.tick(3000);
    unwatch(client);
    navigator.onLine = false;
    t.mock.timers.tick(3000);
    assert.deepEqual(heard, [[SIGNAL, OFFLINE], [SIGNAL, ONLINE]]);
  } finally {
    delete globalThis.WorkerNavigator;
    Object.defineProperty(globalThis, "navigator", before ?? { value: undefined, configurable: true });
  }
});

test("a client begins with what is so already", async () => {
  assert.deepEqual((await inPage(() => {}, { visibility: "hidden", online: false })).signals, [OFFLINE, HIDDEN]);
  assert.deepEqual((await inPage(() => {})).signals, []);
});

test("a closed client hears nothing", async () => {
  const { signals } = await inPage(({ page, client }) => {
    unwatch(client);
    page.dispatchEvent(event("offline"));
  });
  assert.deepEqual(signals, []);
});

test("where there is no page and no network flag, there is nothing to hear", () => {
  const client = glue.open({ capabilities: {} }, 1000);
  watch(client);
  unwatch(client);
});

/** What a client hears when its timer comes so late by the clock on the wall. */
async function lateBy(ms) {
  const client = glue.open({ capabilities: {} }, 1000);
  const real = Date.now;
  heard = [];
  glue.wake(client, 5);
  Date.now = () => real() + ms;
  try {
    await new Promise((resolve) => setTimeout(resolve, 20));
  } finally {
    Date.now = real;
  }
  return heard;
}

test("a timer that comes much too late by the clock on the wall says that the machine slept", async () => {
  assert.deepEqual(await lateBy(0), [[WAKE, 0]]);
  assert.deepEqual(await lateBy(60_000), [[WAKE, 1]]);
});

test("the timers of a hidden page, which the browser lets fire once a minute, say so only when they are later than that", async () => {
  globalThis.document = { hidden: true };
  try {
    assert.deepEqual(await lateBy(61_000), [[WAKE, 0]]);
    assert.deepEqual(await lateBy(600_000), [[WAKE, 1]]);
  } finally {
    delete globalThis.document;
  }
});

test("the snapshot says what the browser says, and changes with it", async () => {
  await inPage(() => {
    const { client, peer } = open({}, { era: "modern" });
    assert.deepEqual([client.connection.online, client.connection.visible], [true, true]);
    globalThis.document.visibilityState = "hidden";
    globalThis.navigator.onLine = false;
    const before = client.connection;
    peer.host.onSignal();
    assert.deepEqual([client.connection.online, client.connection.visible], [false, false]);
    assert.deepEqual([before.online, client.connection.state], [true, "ready"]);
  });
});

test("the event `suspended` names the cause, once for each", () => {
  const { client, peer } = open({});
  const causes = [];
  client.on("suspended", ({ cause }) => causes.push(cause));
  for (const cause of ["offline", "offline", "", "offline", "hidden", ""]) {
    peer.host.onState(cause ? "suspended" : "ready", "", "", "", 0, NaN, 1, cause, null);
  }
  assert.deepEqual(causes, ["offline", "offline", "hidden"]);
});

test("suspend() and resume() reach the core, and a core that is loaded later", () => {
  const { client, peer } = open({});
  client.suspend();
  client.resume();
  assert.deepEqual(peer.signals, [7, 8]);
  const early = createClient({ serverUrl: "http://127.0.0.1/mcp" });
  early.suspend();
  early.listTools().catch(() => {});
  assert.deepEqual(peers.at(-1).signals, [7]);
});

// Links that are not what they seem: half open, or out of connections.
import assert from "node:assert/strict";

import { check, sleep } from "../checks.mjs";
import { after, isReady, on, seen, workerOf } from "./rig.mjs";

const isLost = ({ state, code }) => state !== "ready" && code === "HEARTBEAT_TIMEOUT";
// What a timer of the browser and the way of the event to us may add.
const SLACK_MS = 300;

/** A client with the default heartbeat and one call that will not be answered. */
async function withDefaults(rig, where, name) {
  const link = await rig.link();
  await on(where, "open", name, { serverUrl: `${link.ws}/stall?times=1&of=${encodeURIComponent(name)}` });
  await on(where, "connect", name);
  await on(where, "start", name, "pending", "counter", { key: name });
  return link;
}

async function isFound(rig, where, name, proxy, since, limit) {
  const look = await seen(where, name, ({ story }) => story.some(isLost), "the dead link found", limit + 3000);
  const found = after(look, since, isLost);
  assert.ok(found <= limit + SLACK_MS, `found after ${found} ms`);
  const { status, code, outcome } = (await on(where, "look", name)).calls.pending;
  assert.deepEqual([status, code, outcome], ["failed", "OUTCOME_UNKNOWN", "unknown"]);
  proxy.resume();
  await seen(where, name, isReady, "ready again", 20_000);
  assert.equal(await rig.executions(name), 1);
}

/** With the numbers an application gets when it names none; in a browser of its own, as it takes half a minute. */
export async function halfOpen(rig, browser) {
  const tab = await rig.tab({ worker: true, browser });
  const silent = async (where, name) => {
    const { proxy } = await withDefaults(rig, where, name);
    await sleep(300);
    proxy.pause();
    await isFound(rig, where, name, proxy, Date.now(), 30_000);
  };
  await Promise.all([
    check("a half-open link is found within 30 s", () => silent(tab, "half open"), 60_000),
    check("a half-open link is found within 30 s in a worker", () => silent(workerOf(tab), "half open worker"), 60_000),
  ]);
  await check("a half-open link is found within 4 s of waking", async () => {
    const { proxy } = await withDefaults(rig, tab, "woken");
    const cover = await rig.hide(tab, browser);
    proxy.pause();
    await sleep(2000);
    const shown = await cover.show();
    await isFound(rig, tab, "woken", proxy, shown, 4000);
  });
  await tab.close();
}

export async function links(rig) {
  await check("Chromium itself stalls a request behind six open streams (so the next check means something)", async () => {
    const tab = await rig.tab();
    const took = await tab.evaluate(async (url) => {
      const aborter = new AbortController();
      for (let i = 0; i < 6; i += 1) fetch(`${url}/sse-stall?stream=${i}`, { method: "GET", signal: aborter.signal }).catch(() => {});
      await new Promise((resolve) => setTimeout(resolve, 500));
      const start = Date.now();
      setTimeout(() => aborter.abort(), 1500);
      await fetch(url, { signal: AbortSignal.timeout(5000) }).catch(() => {});
      return Date.now() - start;
    }, (await rig.link()).http.replace("/call", "/first"));
    assert.ok(took > 1000, `it took ${took} ms`);
    await tab.close();
  });

  await check("six subscriptions and many running calls over HTTP/1.1 do not stall a critical call", async () => {
    const tab = await rig.tab();
    await on(tab, "open", "streams", { serverUrl: rig.servers.modern.url, enableWebSocket: false });
    await on(tab, "connect", "streams");
    for (const uri of ["readme", "time", "a", "b", "c", "d"]) await on(tab, "subscribe", "streams", { resourceSubscriptions: [`demo://${uri}`] });
    for (let i = 0; i < 12; i += 1) await on(tab, "start", "streams", `slow ${i}`, "slow", { ms: 2000, steps: 20 }, { priority: "low" });
    await sleep(300);
    await on(tab, "start", "streams", "critical", "echo", { text: "now" }, { priority: "critical" });
    const look = await seen(tab, "streams", ({ calls }) => calls.critical.status !== "pending", "the critical call answered");
    const { text, at, sentAt } = look.calls.critical;
    assert.equal(text, "now");
    assert.ok(at - sentAt < 500, `answered after ${at - sentAt} ms`);
    const end = await seen(tab, "streams", ({ calls }) => Object.values(calls).every(({ status }) => status === "done"), "the others done too", 15_000);
    assert.equal(end.epoch, 1);
    await tab.close();
  });

  await check("a client that fell back to HTTP moves to the WebSocket once there is one, and what runs ends where it began", async () => {
    const tab = await rig.tab();
    const [there, later] = [await rig.link(), await rig.link()];
    later.proxy.block(3000);
    await on(tab, "open", "upgrade", {
      serverUrl: `${there.http}/slow?times=1&of=upgrade`,
      transport: { webSocketUrl: `${later.ws}/none`, rememberFallback: 3500 },
      reconnectOptions: { suspendedInterval: 3000 },
    });
    const before = await on(tab, "connect", "upgrade");
    assert.deepEqual([before.transport, before.degraded], ["http", true]);
    await sleep(3000);
    await on(tab, "start", "upgrade", "running", "counter", { key: "upgrade running" });
    await seen(tab, "upgrade", ({ transport }) => transport === "websocket", "the WebSocket", 15_000);
    await on(tab, "start", "upgrade", "next", "counter", { key: "upgrade next" });
    const end = await seen(tab, "upgrade", ({ calls }) => Object.values(calls).every(({ status }) => status === "done"), "both done", 10_000);
    assert.deepEqual([end.state, end.degraded, end.epoch], ["ready", false, 2]);
    assert.ok(end.story.every(({ state }) => state !== "reconnecting"));
    assert.deepEqual([await rig.executions("upgrade running"), await rig.executions("upgrade next")], [1, 1]);
    await tab.close();
  }, 40_000);
}

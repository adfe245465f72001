// Pages that go away and come back: kept for the way back (bfcache), frozen, loaded anew. A call under way is decided, never left
// hanging and never sent twice, and the link is there again.
import assert from "node:assert/strict";

import { check, sleep } from "../checks.mjs";
import { after, isReady, on, seen, workerOf } from "./rig.mjs";

const AWAY_MS = 800;
// A jitter of up to 500 ms is by design, so that not everybody comes back at once.
const BACK_MS = 1500;
const DECIDED_MS = 250;
const QUICK = { reconnectOptions: { initialDelay: 200 } };

/** A client with one tool call under way that the server executed and will not answer. */
async function inFlight(rig, where, name) {
  const link = await rig.link();
  await on(where, "open", name, { serverUrl: `${link.ws}/stall?times=1&of=${name}`, ...QUICK });
  await on(where, "connect", name);
  await on(where, "start", name, "pending", "counter", { key: name, text: "in confidence" });
  while ((await rig.executions(name)) === 0) await sleep(20);
  return link;
}

/** The call is of unknown outcome, was executed once, and the link is back soon after `at`. */
async function isBack(rig, where, name, at) {
  const look = await seen(where, name, ({ state, calls, epoch }) => state === "ready" && epoch > 1 && calls.pending.status !== "pending", "back with the call decided");
  const { code, outcome } = look.calls.pending;
  assert.deepEqual([code, outcome], ["OUTCOME_UNKNOWN", "unknown"]);
  assert.ok(look.calls.pending.at - at <= DECIDED_MS + BACK_MS, `decided ${look.calls.pending.at - at} ms after the return`);
  const back = after(look, at, isReady);
  assert.ok(back <= BACK_MS, `ready ${back} ms after the return`);
  await on(where, "start", name, "next", "counter", { key: `${name} next` });
  await seen(where, name, ({ calls }) => calls.next.status === "done", "another call done");
  assert.equal(await rig.executions(name), 1);
}

export async function returns(rig) {
  await check("a page kept by the browser comes back: its call is decided, its link is there", async () => {
    const tab = await rig.tab();
    const { proxy } = await inFlight(rig, tab, "kept");
    const at = await rig.leaveAndReturn(tab, async () => {
      await sleep(AWAY_MS);
      assert.equal(proxy.connections, 0, "the socket stayed open behind a page that is not there");
    });
    await isBack(rig, tab, "kept", at);
    await tab.close();
  });

  await check("a page with a journal is kept when nothing is in doubt, and the next page knows when something is", async () => {
    const tab = await rig.tab();
    const config = { serverUrl: rig.servers.modern.url, enableWebSocket: false };
    const next = async () => {
      await tab.goto(`${rig.site.url}/tests/e2e/lifecycle/page.html?next`);
      await tab.waitForFunction(() => "lab" in globalThis);
      return on(tab, "openNoted", "journal", config);
    };
    assert.deepEqual(await on(tab, "openNoted", "journal", config), []);
    await on(tab, "connect", "journal");
    await tab.evaluate(() => (globalThis.sameAsBefore = true));
    assert.deepEqual(await next(), []);
    tab.goBack().catch(() => {});
    await tab.waitForFunction(() => globalThis.sameAsBefore);
    await on(tab, "start", "journal", "pending", "counter", { key: "journal", ms: 60_000 });
    await sleep(300);
    assert.deepEqual(await next(), ["counter"]);
    await tab.close();
  });

  await check("a dedicated worker of a page kept by the browser comes back as well", async () => {
    const tab = await rig.tab({ worker: true });
    await inFlight(rig, workerOf(tab), "kept worker");
    const at = await rig.leaveAndReturn(tab, () => sleep(AWAY_MS));
    await isBack(rig, workerOf(tab), "kept worker", at);
    await tab.close();
  });

  await check("a page kept while a call runs over HTTP comes back", async () => {
    const tab = await rig.tab();
    await on(tab, "open", "http", { serverUrl: rig.servers.modern.url, enableWebSocket: false, ...QUICK });
    await on(tab, "connect", "http");
    await on(tab, "start", "http", "pending", "slow", { ms: 2000, steps: 20 });
    await sleep(200);
    await rig.leaveAndReturn(tab, () => sleep(AWAY_MS));
    const { calls } = await seen(tab, "http", ({ calls }) => calls.pending.status !== "pending", "the call decided");
    // The browser may have kept its stream as well.
    assert.ok(calls.pending.status === "done" || calls.pending.code === "OUTCOME_UNKNOWN", JSON.stringify(calls.pending));
    await on(tab, "start", "http", "next", "echo", { text: "back" });
    await seen(tab, "http", ({ calls }) => calls.next.text === "back", "another call done");
    await tab.close();
  });

  for (const where of ["page", "worker"]) {
    await check(`a frozen ${where} wakes up: its call is decided, its link is there`, async () => {
      const tab = await rig.tab({ worker: where === "worker" });
      const target = where === "worker" ? workerOf(tab) : tab;
      const name = `frozen ${where}`;
      await inFlight(rig, target, name);
      const cover = await rig.hide(tab);
      const control = await rig.browser.control(tab);
      await control.send("Page.setWebLifecycleState", { state: "frozen" });
      await sleep(AWAY_MS);
      const at = Date.now();
      await control.send("Page.setWebLifecycleState", { state: "active" });
      await cover.show();
      await isBack(rig, target, name, at);
      await tab.close();
    });
  }
}

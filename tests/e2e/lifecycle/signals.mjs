// What the browser says of itself: offline and online, hidden and seen. It is believed as far as it is true.
import assert from "node:assert/strict";

import { check, sleep } from "../checks.mjs";
import { after, isReady, on, seen, workerOf } from "./rig.mjs";

const QUICK = { reconnectOptions: { initialDelay: 200 }, heartbeat: { interval: 1000, timeout: 1000, hiddenTimeout: 5000, wakeProbeTimeout: 500 } };
// Reliability 2, row 42.
const ONLINE_MS = 2000;

async function connected(rig, where, name, config = {}) {
  const link = await rig.link();
  await on(where, "open", name, { serverUrl: `${link.ws}/none`, ...QUICK, ...config });
  await on(where, "connect", name);
  return link;
}

async function works(where, name) {
  const as = `works ${Date.now()}`;
  await on(where, "start", name, as, "echo", { text: as });
  return seen(where, name, ({ calls }) => calls[as].text === as, "a call done");
}

export async function signals(rig) {
  for (const where of ["page", "worker"]) {
    await check(`offline and online again, in a ${where}: suspended without attempts, then back with what waited`, async () => {
      const tab = await rig.tab({ worker: where === "worker" });
      const target = where === "worker" ? workerOf(tab) : tab;
      const name = `offline ${where}`;
      const { proxy } = await connected(rig, target, name);
      await tab.context().setOffline(true);
      try {
        const down = await seen(target, name, ({ state }) => state === "suspended", "suspended");
        assert.equal(down.online, false);
        await on(target, "start", name, "waiting", "echo", { text: "waited" });
        const dialled = proxy.accepted;
        await sleep(1500);
        assert.equal(proxy.accepted, dialled, "it dialled while offline");
      } finally {
        await tab.context().setOffline(false);
      }
      const online = Date.now();
      const up = await seen(target, name, ({ calls }) => calls.waiting.status !== "pending", "the waiting call settled");
      assert.equal(up.calls.waiting.text, "waited");
      assert.ok(after(up, online, isReady) <= ONLINE_MS, `ready ${after(up, online, isReady)} ms after online`);
      assert.equal(up.online, true);
      await tab.close();
    });
  }

  await check("an offline flag that lies costs nothing: the link is probed and kept", async () => {
    const tab = await rig.tab();
    await connected(rig, tab, "lie");
    await tab.evaluate(() => {
      Object.defineProperty(navigator, "onLine", { configurable: true, get: () => false });
      dispatchEvent(new Event("offline"));
    });
    await sleep(1500);
    const { state, epoch } = await works(tab, "lie");
    assert.deepEqual({ state, epoch }, { state: "ready", epoch: 1 });
    await tab.close();
  });

  await check("a hidden tab with throttled timers keeps its link, and knows that it is hidden", async () => {
    const tab = await rig.tab();
    await connected(rig, tab, "hidden");
    assert.equal((await on(tab, "look", "hidden")).visible, true);
    const cover = await rig.hide(tab);
    await sleep(4000);
    const look = await works(tab, "hidden");
    assert.deepEqual([look.state, look.epoch, look.visible], ["ready", 1, false]);
    await cover.show();
    await sleep(700);
    const { epoch, visible } = await works(tab, "hidden");
    assert.deepEqual([epoch, visible], [1, true]);
    await tab.close();
  });

  await check("a link lost while hidden is not stormed for, and is back when the tab is seen", async () => {
    const tab = await rig.tab();
    const { proxy } = await connected(rig, tab, "deferred");
    const cover = await rig.hide(tab);
    const dialled = proxy.accepted;
    proxy.cut();
    const lost = await seen(tab, "deferred", ({ state }) => state === "suspended", "suspended");
    assert.ok(lost.story.some(({ cause }) => cause === "hidden"), JSON.stringify(lost.story));
    await sleep(3000);
    assert.equal(proxy.accepted, dialled, "it dialled while hidden");
    const shown = await cover.show();
    const up = await seen(tab, "deferred", isReady, "ready");
    assert.ok(after(up, shown, isReady) <= 1500, `ready ${after(up, shown, isReady)} ms after it was shown`);
    await works(tab, "deferred");
    await tab.close();
  });
}

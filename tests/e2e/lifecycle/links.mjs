// Links that are not what they seem: half open, on the wrong transport, or out of connections.
import assert from "node:assert/strict";

import { check, sleep } from "../checks.mjs";
import { on, seen } from "./rig.mjs";

export async function links(rig) {
  await check("Chromium itself stalls a request behind six open streams", async () => {
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

  await check("a critical call over HTTP waits behind neither six subscriptions nor forty slow calls", async () => {
    const tab = await rig.tab();
    await on(tab, "open", "busy", { serverUrl: rig.servers.modern.url, enableWebSocket: false });
    await on(tab, "connect", "busy");
    const subscriptions = Array.from({ length: 6 }, (_, i) => on(tab, "subscribe", "busy", { resourceSubscriptions: [`test://${i}`], toolsListChanged: true }));
    await Promise.allSettled(subscriptions);
    for (let i = 0; i < 40; i += 1) await on(tab, "start", "busy", `slow ${i}`, "slow", { ms: 3000, steps: 1 });
    await sleep(300);
    await on(tab, "start", "busy", "critical", "echo", { text: "now" }, { priority: 3 });
    const { calls } = await seen(tab, "busy", ({ calls }) => calls.critical.status === "done", "the critical call");
    const took = calls.critical.at - calls.critical.sentAt;
    const done = Object.values(calls).filter(({ status }) => status === "done").length;
    assert.ok(took < 1000, `it took ${took} ms`);
    assert.equal(done, 1, "the slow ones are still under way");
    await on(tab, "close", "busy");
    await tab.close();
  });
}

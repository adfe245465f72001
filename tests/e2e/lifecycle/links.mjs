// Links that are not what they seem: half open, on the wrong transport, or out of connections.
import assert from "node:assert/strict";

import { check } from "../checks.mjs";

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
}

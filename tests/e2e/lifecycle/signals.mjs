// What the browser says of itself: offline and online, hidden and seen. It is believed as far as it is true.
import assert from "node:assert/strict";

import { check, sleep } from "../checks.mjs";
import { on, seen } from "./rig.mjs";

const QUICK = { reconnectOptions: { initialDelay: 200 } };

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
}

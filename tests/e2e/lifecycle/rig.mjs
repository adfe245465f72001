// What the checks of a browser's life share: tabs with the lab of lab.js in them, links of their own to the fault server that can be
// broken one by one, and waiting for what a client's story tells.
import assert from "node:assert/strict";

import { inRoot } from "../../../pkg-template/proc.mjs";
import { serveFolder } from "../../packaging/static.mjs";
import { startServers } from "../../servers/index.mjs";
import { startProxy } from "../../servers/proxy.mjs";
import { sleep } from "../checks.mjs";
import { startChromium } from "./chromium.mjs";

const LOOK_MS = 50;
const HERE = "tests/e2e/lifecycle";

/** Calls a function of lab.js in a tab, or in its worker (`workerOf`). */
export const on = (where, name, ...args) => where.evaluate(([name, args]) => globalThis.lab[name](...args), [name, args]);

/** The worker of a tab made with `{ worker: true }`, for `on`. */
export const workerOf = (tab) => ({ evaluate: (_, call) => tab.evaluate(([name, args]) => globalThis.inWorker(name, args), call) });

/** Waits until `wanted(look)` holds for a client, and gives that look. */
export async function seen(where, client, wanted, what, limit = 5000) {
  const end = Date.now() + limit;
  for (;;) {
    const look = await on(where, "look", client);
    if (wanted(look)) return look;
    assert.ok(Date.now() < end, `not within ${limit} ms: ${what}; ${JSON.stringify(look)}`);
    await sleep(LOOK_MS);
  }
}

export const isReady = ({ state }) => state === "ready";

/** When the client first told of this after `since`, as milliseconds from then; Infinity when it did not. */
export const after = (look, since, wanted) => (look.story.find((entry) => entry.at >= since && wanted(entry))?.at ?? Infinity) - since;

export class Rig {
  static async start() {
    const rig = new Rig();
    rig.servers = await startServers(["fault", "modern"]);
    rig.site = await serveFolder(inRoot());
    rig.proxies = [];
    rig.browser = await startChromium();
    return rig;
  }

  /** A link to the fault server that nobody else uses. */
  async link() {
    const proxy = await startProxy(Number(new URL(this.servers.fault.directUrl).port));
    this.proxies.push(proxy);
    return { proxy, ws: `ws://127.0.0.1:${proxy.port}/ws`, http: `http://127.0.0.1:${proxy.port}/call` };
  }

  /** How often the fault server executed the call with this key. */
  async executions(key) {
    const response = await fetch(new URL("/executions", this.servers.fault.directUrl));
    return (await response.json())[key] ?? 0;
  }

  /** A tab in front of the others, with the lab in it, and in a dedicated worker if wanted. */
  async tab({ worker = false, browser = this.browser } = {}) {
    const tab = await browser.newTab();
    await tab.goto(`${this.site.url}/${HERE}/page.html${worker ? "?worker" : ""}`);
    await tab.waitForFunction(() => "lab" in globalThis);
    return tab;
  }

  /** Another tab in front, which hides the first. */
  async hide(tab, browser = this.browser) {
    const other = await browser.newTab();
    await other.bringToFront();
    await visibility(tab, "hidden");
    return {
      async show() {
        const at = Date.now();
        await tab.bringToFront();
        await visibility(tab, "visible");
        await other.close();
        return at;
      },
    };
  }

  /** Goes elsewhere and comes back by the history; `meanwhile` is done there. Gives when the way back began. */
  async leaveAndReturn(tab, meanwhile) {
    await tab.evaluate(() => (globalThis.sameAsBefore = true));
    await tab.goto(`${this.site.url}/${HERE}/other.html`);
    await meanwhile();
    const at = Date.now();
    // Playwright waits in vain for a page to load that comes back whole.
    tab.goBack().catch(() => {});
    await tab.waitForFunction(() => "lab" in globalThis);
    assert.ok(await tab.evaluate(() => globalThis.sameAsBefore), "the page was loaded anew, not kept");
    return at;
  }

  async stop() {
    await this.browser.close();
    await Promise.all(this.proxies.map((proxy) => proxy.stop()));
    await this.site.close();
    await this.servers.stop();
  }
}

const visibility = (tab, state) => tab.waitForFunction((state) => document.visibilityState === state, state, { polling: LOOK_MS });

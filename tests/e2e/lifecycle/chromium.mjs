// A Chromium as people have it: tabs in one window, of which only one is seen, timers throttled in the others, pages kept for the
// way back. Playwright's own launch turns all of that off, so it only connects here.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { chromium } from "playwright-core";

import { start, stop } from "../../../pkg-template/proc.mjs";
import { ensureChromium } from "../../../pkg-template/setup.mjs";

const FLAGS = ["--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-port=0"];

/** `newTab()` opens a tab in the window and shows it; `close()` ends the browser and leaves nothing behind. */
export async function startChromium() {
  const profile = mkdtempSync(join(tmpdir(), "bowline-lifecycle-"));
  const child = start(await ensureChromium(), [...FLAGS, `--user-data-dir=${profile}`, "about:blank"]);
  child.stdout.resume();
  const browser = await chromium.connectOverCDP(await address(child), { noDefaults: true });
  const [window] = browser.contexts();
  return {
    newTab: () => window.newPage(),
    /** The protocol of one tab, for what Playwright has no method for. */
    control: (page) => window.newCDPSession(page),
    async close() {
      await browser.close();
      await stop(child);
      rmSync(profile, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}

function address(child) {
  return new Promise((resolve, reject) => {
    let said = "";
    child.stderr.on("data", (chunk) => {
      said += chunk;
      const [, url] = /DevTools listening on (\S+)/.exec(said) ?? [];
      if (url) resolve(url);
    });
    child.once("exit", () => reject(new Error(`Chromium ended at once: ${said}`)));
  });
}

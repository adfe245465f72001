// Plays a scenario in a page of headless Chromium, which loads the built package from loopback and talks to the suite's server under
// the browser's CORS rules. Which scenarios there are is scenarios.js.
import { chromium } from "playwright-core";

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { startCorsProxy } from "./cors-proxy.mjs";

/** Rejects as `play` does in the page, and for an error that the page left uncaught. */
export async function inChromium(task) {
  const site = await serveFolder(inRoot());
  const proxy = await startCorsProxy(task.serverUrl);
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  try {
    const page = await browser.newPage();
    const uncaught = new Promise((_, reject) => page.once("pageerror", reject));
    await page.goto(`${site.url}/tests/conformance/page.html`);
    const played = page
      .waitForFunction(() => "playTask" in globalThis)
      .then(() => page.evaluate((given) => globalThis.playTask(given), { ...task, serverUrl: proxy.url }));
    await Promise.race([played, uncaught]);
  } finally {
    await browser.close();
    await proxy.close();
    await site.close();
  }
}

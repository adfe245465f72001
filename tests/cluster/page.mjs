// A trial in a page of headless Chromium: its functions, called from Node. It knows no trial; the page puts one at `globalThis.trial`.

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";

/** `path`: of the page, from the root of the project. `names`: the functions of its trial. */
export async function inChromium(path, names) {
  const { chromium } = await import("playwright-core");
  const site = await serveFolder(inRoot());
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  const page = await browser.newPage();
  page.on("pageerror", (error) => console.error(`the page said: ${error.message}`));
  await page.goto(`${site.url}/${path}`);
  await page.waitForFunction(() => "trial" in globalThis);
  const trial = Object.fromEntries(names.map((name) => [name, (...args) => page.evaluate(([name, args]) => globalThis.trial[name](...args), [name, args])]));
  return { trial, close: async () => (await browser.close(), await site.close()) };
}

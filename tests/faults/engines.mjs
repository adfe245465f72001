// Where the clients run: this Node process, or a page of headless Chromium. The same trials in both; it judges nothing.
// What an engine does not need is not loaded for it: memory is measured too.
import { mkdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

import WebSocket from "ws";

import { inRoot } from "../../pkg-template/proc.mjs";
import { trial } from "./trial.js";

/** Long enough for the delays between attempts to have grown. */
const OFFLINE_MS = 12_000;

/** The clients in this process. */
export async function startNode() {
  const { createClient, McpError } = await import(pathToFileURL(inRoot("pkg", "dist", "index.js")));
  const bowline = { createClient: (config) => createClient({ WebSocket, ...config }), McpError };
  return {
    name: "node",
    ours: (spec) => trial(bowline, spec),
    official: async (spec) => (await import("./official.js")).officialTrial(spec),
    close: async () => {},
  };
}

/** The clients in a page of a browser of its own. */
export async function startChromium() {
  const { build } = await import("esbuild");
  const { chromium } = await import("playwright-core");
  const { ensureChromium } = await import("../../pkg-template/setup.mjs");
  const { serveFolder } = await import("../packaging/static.mjs");
  const folder = inRoot(".cache", "faults");
  mkdirSync(folder, { recursive: true });
  await build({
    entryPoints: [inRoot("tests", "faults", "page.js")],
    outfile: `${folder}/page.js`,
    bundle: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    logLevel: "warning",
  });
  // One fault leads to another origin: the policy of the page must not be what stops it.
  const site = await serveFolder(inRoot(), { connect: "ws://127.0.0.1:* http://localhost:*" });
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(`${site.url}/tests/faults/page.html`);
  await page.waitForFunction(() => "trials" in globalThis);
  const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  const run = (kind, spec) => page.evaluate(([kind, spec]) => globalThis.trials[kind](spec), [kind, spec]);
  return {
    name: "chromium",
    browser,
    /** What can happen to a page; each gives the moment from which on the client can go on. `cut` breaks what is connected. */
    during: {
      async offline(cut) {
        await page.context().setOffline(true);
        await cut();
        await pause(OFFLINE_MS);
        await page.context().setOffline(false);
        return Date.now();
      },
    },
    ours: (spec) => run("ours", spec),
    official: (spec) => run("official", spec),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

// Where the clients run: this Node process, or a page of headless Chromium. The same trials in both; it judges nothing.
import { mkdirSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { build } from "esbuild";
import { chromium } from "playwright-core";
import WebSocket from "ws";

import { inRoot } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { serveFolder } from "../packaging/static.mjs";
import { officialTrial } from "./official.js";
import { trial } from "./trial.js";

/** The clients in this process. */
export async function startNode() {
  const { createClient, McpError } = await import(pathToFileURL(inRoot("pkg", "dist", "index.js")));
  const bowline = { createClient: (config) => createClient({ WebSocket, ...config }), McpError };
  return { name: "node", ours: (spec) => trial(bowline, spec), official: officialTrial, close: async () => {} };
}

/** The clients in a page of a browser of its own. */
export async function startChromium() {
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
  const run = (kind, spec) => page.evaluate(([kind, spec]) => globalThis.trials[kind](spec), [kind, spec]);
  return {
    name: "chromium",
    browser,
    ours: (spec) => run("ours", spec),
    official: (spec) => run("official", spec),
    async close() {
      await browser.close();
      await site.close();
    },
  };
}

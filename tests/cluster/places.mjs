// Where the live discovery tests run their sources: in this Node, and in a page of headless Chromium of another origin than the servers.
// It tests nothing.

import { createServer } from "node:http";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

import { ensureChromium } from "../../pkg-template/setup.mjs";
import { HOST } from "../servers/ports.mjs";

/** The sources as one script. */
export async function bundled() {
  const entryPoints = [fileURLToPath(new URL("sources.js", import.meta.url))];
  const { outputFiles } = await build({ entryPoints, write: false, bundle: true, format: "esm", target: "es2022" });
  return outputFiles[0].text;
}

export const inNode = async () => import(`data:text/javascript,${encodeURIComponent(await bundled())}`);

/** The questions and answers of one place. */
export class Place {
  #api;

  constructor(name, api, close = async () => {}) {
    this.name = name;
    this.#api = api;
    this.close = close;
  }

  async ask(kind, options, query) {
    const id = await this.#api.begin(kind, options, { endpoint: 0, ...query });
    return {
      next: (limit = 5000) => this.#api.next(id, limit),
      stop: () => this.#api.stop(id),
    };
  }

  /** The one answer to a list. */
  async list(kind, options, query = {}) {
    const asking = await this.ask(kind, options, { kind: "list", index: 0, wait: 0, ...query });
    return asking.next();
  }
}

export async function nodePlace() {
  return new Place("Node", await inNode());
}

export async function chromiumPlace() {
  const { chromium } = await import("playwright-core");
  const script = await bundled();
  const http = createServer((request, response) => {
    const isScript = request.url === "/sources.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? script : "<!doctype html><title>discovery</title><link rel=icon href=data:,>");
  });
  await new Promise((resolve) => http.listen(0, HOST, resolve));
  const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
  const page = await browser.newPage();
  await page.goto(`http://${HOST}:${http.address().port}/`);
  await page.evaluate(async () => {
    globalThis.sources = await import("/sources.js");
  });
  const api = {
    begin: (...args) => page.evaluate((args) => globalThis.sources.begin(...args), args),
    next: (...args) => page.evaluate((args) => globalThis.sources.next(...args), args),
    stop: (...args) => page.evaluate((args) => globalThis.sources.stop(...args), args),
  };
  return new Place("Chromium", api, async () => {
    await browser.close();
    http.closeAllConnections();
    http.close();
  });
}

// Packs pkg/ as npm would publish it, installs the tarball in an empty project and uses it from there:
// the list of files, the types, Node, a plain page, a Vite build. What the client can do is tested elsewhere.
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { build as vite } from "vite";
import { inRoot, node, run, say, seconds } from "../../pkg-template/proc.mjs";
import { ensureChromium } from "../../pkg-template/setup.mjs";
import { startServers } from "../servers/index.mjs";
import { serveFolder } from "./static.mjs";

const folder = inRoot(".cache", "packaging");
const consumer = join(folder, "consumer");
const manifest = JSON.parse(readFileSync(inRoot("pkg", "package.json"), "utf8"));

let passed = 0;
let failed = 0;

async function check(name, work) {
  const start = performance.now();
  try {
    await work();
    passed += 1;
    say(`ok     ${name} (${seconds(start)})`);
  } catch (error) {
    failed += 1;
    say(`FAILED ${name} (${seconds(start)})\n${error.stack ?? error}`);
  }
}

/** A project with nothing installed but the tarball. */
async function install() {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const packed = await run("npm", ["pack", inRoot("pkg"), "--json", "--pack-destination", folder], { quiet: true });
  const [{ filename, files }] = JSON.parse(packed.slice(packed.indexOf("[")));
  cpSync(inRoot("tests", "packaging", "consumer"), consumer, { recursive: true });
  writeFileSync(join(consumer, "package.json"), JSON.stringify({ name: "consumer", private: true, type: "module" }));
  const args = ["install", "--no-save", "--offline", "--no-audit", "--no-fund", join(folder, filename)];
  await run("npm", args, { cwd: consumer, quiet: true });
  return files.map((file) => file.path);
}

function expected(result) {
  assert.deepEqual(result, {
    version: manifest.version,
    transport: "http",
    era: "modern",
    hasEcho: true,
    text: "from a tarball",
    typedError: true,
  });
}

async function inNode(entry, server) {
  const output = await run(process.execPath, ["node.mjs", entry, server], {
    cwd: consumer,
    quiet: true,
    timeout: 60_000,
  });
  expected(JSON.parse(output.trim().split("\n").at(-1)));
}

async function inPage(browser, url, server) {
  const page = await browser.newPage();
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("requestfailed", (request) => complaints.push(`${request.url()}: ${request.failure()?.errorText}`));
  try {
    await page.goto(`${url}?server=${encodeURIComponent(server)}`);
    await page.waitForFunction(() => "result" in globalThis, undefined, { timeout: 15_000 });
    const result = await page.evaluate(() =>
      Promise.race([
        globalThis.result,
        new Promise((_, reject) => setTimeout(() => reject(new Error("no result after 30 s")), 30_000)),
      ]),
    );
    expected(result);
    const loaded = await page.evaluate(() => performance.getEntriesByType("resource").map((entry) => entry.name));
    return loaded.filter((name) => new URL(name).pathname.endsWith(".wasm")).length;
  } catch (error) {
    if (complaints.length > 0) error.message += `\nthe page said: ${complaints.join("; ")}`;
    throw error;
  } finally {
    await page.close();
  }
}

/** Vite with no configuration but its inputs; resolves with the names of the built assets. */
async function viteBuild() {
  await vite({
    root: consumer,
    // The pages are served from below the root of their host, as many are.
    base: "/dist/",
    configFile: false,
    logLevel: "warn",
    build: { rolldownOptions: { input: ["vite-inline.html", "vite-slim.html"].map((page) => join(consumer, page)) } },
  });
  return readdirSync(join(consumer, "dist", "assets"));
}

const files = await install();
const servers = await startServers(["modern"]);
const browser = await chromium.launch({ executablePath: await ensureChromium(), args: ["--no-sandbox"] });
const site = await serveFolder(consumer);
try {
  const server = servers.modern.url;
  await check("the tarball holds the built files, the licences and nothing else", () => {
    const known = /^(package\.json|README\.md|LICENSE(-APACHE|-MIT)?|dist\/[\w-]+\.(js|d\.ts)|dist\/bowline_bg\.wasm)$/;
    assert.deepEqual(
      files.filter((file) => !known.test(file)),
      [],
    );
    for (const name of ["LICENSE-APACHE", "LICENSE-MIT", "README.md"]) assert.ok(files.includes(name), name);
  });
  await check("every target of the exports map exists, types come first", () => {
    for (const target of Object.values(manifest.exports)) {
      if (typeof target === "object") assert.equal(Object.keys(target)[0], "types");
      for (const path of typeof target === "string" ? [target] : Object.values(target)) {
        assert.ok(existsSync(join(consumer, "node_modules", "bowline", path)), path);
      }
    }
  });
  await check("TypeScript finds the types of all entries (NodeNext)", () =>
    node(inRoot("node_modules", "typescript", "bin", "tsc"), ["-p", consumer], { quiet: true }),
  );
  await check("Node: import of the package", () => inNode("bowline", server));
  await check("Node: the slim entry with its module given", () => inNode("bowline/slim", server));
  await check("Node: the validator adapter loads its package when a schema is compiled, and no other entry names that", async () => {
    const output = await run(process.execPath, ["validator.mjs"], { cwd: consumer, quiet: true, timeout: 60_000 });
    assert.deepEqual(JSON.parse(output.trim().split("\n").at(-1)), { right: 0, wrong: true });
    const dist = join(consumer, "node_modules", "bowline", "dist");
    const named = readdirSync(dist).filter((name) => name.endsWith(".js") && readFileSync(join(dist, name), "utf8").includes("@cfworker"));
    assert.deepEqual(named, ["cfworker.js"]);
  });
  await check("a plain page: one script, no other file", async () =>
    assert.equal(await inPage(browser, `${site.url}/plain-inline.html`, server), 0),
  );
  await check("a plain page: the slim entry fetches its module", async () =>
    assert.equal(await inPage(browser, `${site.url}/plain-slim.html`, server), 1),
  );
  await check("a Vite build copies the module for the slim entry only, once", async () => {
    const assets = await viteBuild();
    assert.equal(assets.filter((name) => name.endsWith(".wasm")).length, 1);
  });
  await check("a Vite build: import of the package", async () =>
    assert.equal(await inPage(browser, `${site.url}/dist/vite-inline.html`, server), 0),
  );
  await check("a Vite build: the slim entry", async () =>
    assert.equal(await inPage(browser, `${site.url}/dist/vite-slim.html`, server), 1),
  );
} finally {
  await site.close();
  await browser.close();
  await servers.stop();
}
say(`${passed} passed, ${failed} failed`);
// Not by running out: Node 20 can spin for ever in its cleanup when a reset socket (tests/servers/proxy.mjs) was not closed well.
process.exit(failed > 0 ? 1 : 0);

// `npm run test:all`: the browser tests where `npm test` does not run them: Firefox (page and all
// three kinds of worker) and Chromium's shared and service worker; and the built package in Firefox.
// Firefox and its driver are fetched.
import { build } from "../pkg-template/build.mjs";
import { inRoot, node } from "../pkg-template/proc.mjs";
import { ensureNodeModules, ensureWasmBindgen, ensureWasmTarget } from "../pkg-template/setup.mjs";
import { browserTest } from "./browsers.mjs";
import { mustHaveRun, runSteps } from "./steps.mjs";

async function setup() {
  await ensureNodeModules();
  await ensureWasmTarget();
  await ensureWasmBindgen();
}

const step = (browser, where, binary, scope) => ({
  name: `${browser}-${where}`,
  about: `the Rust browser tests in ${browser}, ${where.replace("-", " ")}`,
  run: () => browserTest(browser, binary, scope),
});

await runSteps([
  { name: "setup", about: "npm modules, the wasm target, wasm-bindgen", run: setup, required: true },
  step("chromium", "shared-worker", "browser_env", "SHARED_WORKER"),
  step("chromium", "service-worker", "browser_env", "SERVICE_WORKER"),
  step("firefox", "page", "browser_page"),
  step("firefox", "worker", "browser_worker"),
  step("firefox", "shared-worker", "browser_env", "SHARED_WORKER"),
  step("firefox", "service-worker", "browser_env", "SERVICE_WORKER"),
  { name: "build", about: "npm run build: what the next step loads", run: () => build() },
  {
    name: "firefox-package",
    about: "the built package in Firefox against real servers: page and worker, both entries, links cut, a refused WebSocket",
    run: async () => mustHaveRun(await node(inRoot("tests", "e2e", "firefox.mjs"), [], { timeout: 600_000 })),
  },
]);

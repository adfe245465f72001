// `npm run test:all`: the browser tests where `npm test` does not run them: Firefox (page and all
// three kinds of worker) and Chromium's shared and service worker. Firefox and its driver are fetched.
import { ensureNodeModules, ensureWasmBindgen, ensureWasmTarget } from "../pkg-template/setup.mjs";
import { browserTest } from "./browsers.mjs";
import { runSteps } from "./steps.mjs";

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
]);

// Runs the Rust browser tests (tests/browser) in a real browser against the real servers.
// Which browser and which kind of thread is an argument; the tests themselves are Rust.
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { inRoot, run, start, stop, targetDir } from "../pkg-template/proc.mjs";
import { ensureChromedriver, ensureGeckodriver, ensureWasmBindgen, wasmTarget } from "../pkg-template/setup.mjs";
import { holdThreads } from "./pool.mjs";
import { freePort, HOST } from "./servers/ports.mjs";
import { mustHaveRun } from "./steps.mjs";

// The runner's web server falls back to the crate's folder, so a test reads this by `fetch`.
const peersFile = join(targetDir, "peer.json");
// The first time, an environment for Python is made as well.
const peersLimit = 600_000;
const LIMIT = 180_000;

function peersWritten() {
  try {
    JSON.parse(readFileSync(peersFile, "utf8"));
    return true;
  } catch {
    return false;
  }
}

/** Runs `work` while the test servers are up; their addresses are in target/peer.json. */
async function withPeers(work) {
  rmSync(peersFile, { force: true });
  const servers = start(process.execPath, [inRoot("tests", "servers", "main.mjs"), "--peers", peersFile], {
    stdin: "pipe",
  });
  servers.stdout.pipe(process.stdout, { end: false });
  servers.stderr.pipe(process.stderr, { end: false });
  try {
    const limit = performance.now() + peersLimit;
    while (!peersWritten()) {
      if (servers.exitCode !== null) throw new Error("the test servers ended before they were ready");
      if (performance.now() > limit) throw new Error(`the test servers were not ready after ${peersLimit / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    return await work();
  } finally {
    await stop(servers);
    rmSync(peersFile, { force: true });
  }
}

// One driver in the environment and no other, or the runner takes the first of its own list.
const drivers = {
  chromium: async () => ({ CHROMEDRIVER: await ensureChromedriver(), GECKODRIVER: undefined }),
  firefox: async () => ({ GECKODRIVER: await ensureGeckodriver(), CHROMEDRIVER: undefined }),
};

/**
 * One test binary in one browser. `scope` says where a binary runs that does not say so itself.
 * @param {'chromium' | 'firefox'} browser
 * @param {'browser_page' | 'browser_worker' | 'browser_env'} binary
 * @param {'SHARED_WORKER' | 'SERVICE_WORKER'} [scope]
 */
export async function browserTest(browser, binary, scope) {
  const { testRunner } = await ensureWasmBindgen();
  const env = {
    ...(await drivers[browser]()),
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUNNER: testRunner,
    WASM_BINDGEN_TEST_TIMEOUT: "180",
    WASM_BINDGEN_TEST_DRIVER_TIMEOUT: "60",
    // Without it the runner skips a binary for Node with success, in place of failing to find a page.
    WASM_BINDGEN_TEST_ONLY_WEB: "1",
    ...(scope && { [`WASM_BINDGEN_USE_${scope}`]: "1" }),
  };
  const args = ["test", "--locked", "--target", wasmTarget, "-p", "bowline", "--test", binary];
  // Compiled first, so that neither the servers nor the limit of the test wait for the compiler. As `wasm-pack test` does it: whatever cargo
  // takes by default in this folder has to compile for wasm32.
  await run("cargo", ["build", "--tests", "--locked", "--target", wasmTarget], { env });
  return withPeers(async () => {
    const port = await freePort();
    const threads = holdThreads(port);
    try {
      const address = { WASM_BINDGEN_TEST_ADDRESS: `${HOST}:${port}` };
      return mustHaveRun(await run("cargo", args, { env: { ...env, ...address }, timeout: LIMIT }));
    } finally {
      threads.release();
    }
  });
}

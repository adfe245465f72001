// What the scripts need from the machine, fetched once: npm modules, the wasm target, the
// wasm-bindgen programs, browsers. Each function is idempotent and quick when there is nothing to
// do; each says what it is about to do. It builds nothing of the product (build.mjs does).
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";
import { capture, inRoot, run, say, seconds, targetDir, which } from "./proc.mjs";

export const wasmTarget = "wasm32-unknown-unknown";
const geckodriverVersion = "0.37.1";

/** A step with its name before and its time after, as the first run takes minutes. */
async function timed(text, work) {
  const start = performance.now();
  say(`setup: ${text} ...`);
  const result = await work();
  say(`setup: ${text}: done in ${seconds(start)}`);
  return result;
}

export async function ensureNodeModules() {
  const stamp = inRoot("node_modules", ".package-lock.json");
  const fresh = existsSync(stamp) && statSync(stamp).mtimeMs >= statSync(inRoot("package-lock.json")).mtimeMs;
  if (fresh) return;
  await timed("npm ci", () => run("npm", ["ci", "--no-audit", "--no-fund"], { quiet: true }));
}

export async function ensureRust() {
  if (which("cargo") && which("rustc")) return;
  throw new Error("Rust is missing: install rustup (its minimal profile is enough), then run this again.");
}

/** `rustup component add` for the two parts that a minimal profile lacks and the tests use. */
export async function ensureRustComponents() {
  const missing = [
    ["rustfmt", "rustfmt"],
    ["clippy", "clippy-driver"],
  ]
    .filter(([, program]) => capture(program, ["--version"]) === null)
    .map(([component]) => component);
  if (missing.length === 0) return;
  if (!which("rustup")) throw new Error(`Rust lacks ${missing.join(" and ")}: install them with your toolchain.`);
  await timed(`rustup component add ${missing.join(" ")}`, () => run("rustup", ["component", "add", ...missing]));
}

export async function ensureWasmTarget() {
  await ensureRust();
  const libdir = capture("rustc", ["--print", "target-libdir", "--target", wasmTarget]);
  if (libdir && existsSync(libdir)) return;
  if (!which("rustup")) throw new Error(`Rust lacks the target ${wasmTarget} and there is no rustup to add it.`);
  await timed(`rustup target add ${wasmTarget}`, () => run("rustup", ["target", "add", wasmTarget]));
}

/** Builds the pinned wasm-bindgen programs from the lock file: 70 seconds once, then nothing. */
export async function ensureWasmBindgen() {
  await ensureRust();
  const programs = {
    wasmBindgen: join(targetDir, "debug", "wasm-bindgen"),
    testRunner: join(targetDir, "debug", "wasm-bindgen-test-runner"),
  };
  const args = ["build", "--locked", "-p", "wbg-tools"];
  if (Object.values(programs).every((file) => existsSync(file))) await run("cargo", args);
  else await timed("wasm-bindgen from Cargo.lock (about a minute, once)", () => run("cargo", args));
  return programs;
}

let aptUpdated = false;

/** Installs Debian packages when that is possible without asking; otherwise says in one line what to run. */
export async function ensureApt(packages) {
  const missing = packages.filter((name) => {
    const status = capture("dpkg-query", ["-W", "-f=${Status}", name]);
    return status !== "install ok installed";
  });
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  if (!which("apt-get") || process.getuid?.() !== 0) {
    throw new Error(`Missing on this machine: ${missing.join(", ")}. Run: sudo ${command}`);
  }
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  await timed(`apt-get install ${missing.join(" ")}`, async () => {
    if (!aptUpdated) await run("apt-get", ["update"], { env, quiet: true });
    aptUpdated = true;
    await run("apt-get", command.split(" ").slice(1), { env, quiet: true });
  });
}

const chromiumNames = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

/** The Chromium of this machine, for playwright-core: `CHROMIUM` in the environment, or PATH, or apt. */
export async function ensureChromium() {
  const given = process.env.CHROMIUM ?? which(...chromiumNames);
  if (given) return given;
  await ensureApt(["chromium"]);
  return which(...chromiumNames);
}

/** Chromium with its WebDriver, for wasm-bindgen-test-runner. */
export async function ensureChromedriver() {
  await ensureChromium();
  const given = process.env.CHROMEDRIVER ?? which("chromedriver");
  if (given) return given;
  await ensureApt(["chromium-driver"]);
  return which("chromedriver");
}

/** Firefox with its WebDriver. geckodriver is in no Debian release, so cargo builds it into .cache. */
export async function ensureGeckodriver() {
  if (!which("firefox", "firefox-esr")) await ensureApt(["firefox-esr"]);
  const given = process.env.GECKODRIVER ?? which("geckodriver");
  if (given) return given;
  const folder = inRoot(".cache", "geckodriver");
  const program = join(folder, "bin", "geckodriver");
  if (!existsSync(program)) {
    const args = ["install", "--locked", "--root", folder, "--version", geckodriverVersion, "geckodriver"];
    // In a folder of its own: it shares nothing with this workspace, and would lock it for minutes.
    const env = { CARGO_TARGET_DIR: undefined };
    await timed("geckodriver by cargo install (some minutes, once)", () => run("cargo", args, { env }));
  }
  return program;
}

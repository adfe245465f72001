// How the scripts of this repository start other programs: run, capture, find.
// It knows where the repository is; it does not know what any of the programs are for.
import { spawn, spawnSync } from "node:child_process";
import { accessSync, constants, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = dirname(dirname(fileURLToPath(import.meta.url)));
export const inRoot = (...parts) => join(root, ...parts);

/** One folder for everything cargo makes, whatever the user's own setting: the scripts look there. */
export const targetDir = inRoot("target");
const baseEnv = { ...process.env, CARGO_TARGET_DIR: targetDir };

export function say(text) {
  process.stdout.write(`${text}\n`);
}

export const seconds = (since) => `${((performance.now() - since) / 1000).toFixed(1)} s`;

/** A failed program. `output` is all that it printed; the message holds it when nobody has seen it. */
export class RunError extends Error {
  constructor(command, reason, output = "", unseen = false) {
    super(`${command} ended with ${reason}${unseen && output ? `\n${output.trimEnd()}` : ""}`);
    this.name = "RunError";
    this.output = output;
  }
}

// Every program leads its own process group, so that ending it also ends the browsers and servers
// that it started. The price: Ctrl-C reaches only this process, which then ends the groups.
const running = new Set();

function endGroup(child, signal) {
  try {
    process.kill(-child.pid, signal);
  } catch {
    // It has ended on its own already.
  }
}

const endAll = () => running.forEach((child) => endGroup(child, "SIGTERM"));
const interrupted = () => process.exit(130);

/** Listens only while something runs: a script that imports this keeps its own handling of signals. */
function watch(child) {
  if (running.size === 0) {
    process.on("exit", endAll);
    process.on("SIGINT", interrupted).on("SIGTERM", interrupted);
  }
  running.add(child);
  const forget = () => {
    if (!running.delete(child) || running.size > 0) return;
    process.off("exit", endAll);
    process.off("SIGINT", interrupted).off("SIGTERM", interrupted);
  };
  child.once("close", forget);
  child.once("error", forget);
}

/** Starts a program with the environment of the scripts; an `undefined` in `env` removes a variable. */
export function start(command, args = [], { cwd = root, env = {}, stdin = "ignore" } = {}) {
  const merged = { ...baseEnv, ...env };
  for (const name of Object.keys(merged)) if (merged[name] === undefined) delete merged[name];
  const child = spawn(command, args, { cwd, env: merged, detached: true, stdio: [stdin, "pipe", "pipe"] });
  watch(child);
  return child;
}

/** Asks a program to end, and ends it when it has not after three seconds. */
export async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once("close", resolve));
  endGroup(child, "SIGTERM");
  const force = setTimeout(() => endGroup(child, "SIGKILL"), 3000);
  await ended;
  clearTimeout(force);
}

/**
 * Runs a program to its end and resolves with everything it printed.
 * `quiet` keeps the output back unless the program fails; `timeout` (ms) bounds it.
 */
export function run(command, args = [], { quiet = false, timeout = 0, ...options } = {}) {
  const name = [command, ...args].join(" ");
  return new Promise((resolve, reject) => {
    const child = start(command, args, options);
    let output = "";
    const collect = (stream) => (chunk) => {
      output += chunk;
      if (!quiet) stream.write(chunk);
    };
    child.stdout.setEncoding("utf8").on("data", collect(process.stdout));
    child.stderr.setEncoding("utf8").on("data", collect(process.stderr));
    let late = false;
    const limit =
      timeout > 0 &&
      setTimeout(() => {
        late = true;
        stop(child);
      }, timeout);
    child.once("error", (cause) => {
      clearTimeout(limit);
      reject(new RunError(name, cause.code ?? cause.message));
    });
    child.once("close", (code, signal) => {
      clearTimeout(limit);
      if (code === 0) return resolve(output);
      const reason = late ? `a timeout after ${timeout / 1000} s` : (signal ?? code);
      reject(new RunError(name, reason, output, quiet));
    });
  });
}

/** `run` for a script in Node: never through npx, whose children outlive a killed wrapper. */
export const node = (script, args = [], options = {}) => run(process.execPath, [script, ...args], options);

/** What a short program prints, or null when it fails or does not exist. */
export function capture(command, args = []) {
  const { status, stdout } = spawnSync(command, args, { cwd: root, env: baseEnv, encoding: "utf8" });
  return status === 0 ? stdout.trim() : null;
}

/** The full path of the first of these programs that PATH has, or null. */
export function which(...names) {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      const file = join(folder, name);
      try {
        accessSync(file, constants.X_OK);
        if (statSync(file).isFile()) return file;
      } catch {
        // Not here: the next folder may have it.
      }
    }
  }
  return null;
}

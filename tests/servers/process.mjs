// One server as a child process: start, wait until it accepts connections, kill by pid, start again on the
// same port. It knows nothing of MCP. A child ends when its stdin ends, so none outlives a killed parent.

import { spawn } from "node:child_process";
import { connect } from "node:net";

import { HOST } from "./ports.mjs";

const READY_MS = 60_000;
const LOOK_MS = 25;
const LOG_LIMIT = 64 * 1024;

/** Those that run. All are ended with this process, by one listener: there may be dozens. */
const running = new Set();
process.on("exit", () => running.forEach((child) => child.kill("SIGKILL")));

export class ServerProcess {
  #name;
  #command;
  #child = null;
  #exited = Promise.resolve();
  #log = "";
  #stopping = false;

  /** `command(port)` gives `{ file, args, env }`. */
  constructor(name, port, command) {
    this.#name = name;
    this.port = port;
    this.#command = command;
  }

  get pid() {
    return this.#child?.pid;
  }

  /** The last of what the server printed. */
  get log() {
    return this.#log;
  }

  async start() {
    const { file, args, env } = this.#command(this.port);
    this.#stopping = false;
    this.#log = "";
    const child = spawn(file, args, { env: { ...process.env, ...env }, stdio: ["pipe", "pipe", "pipe"] });
    this.#child = child;
    running.add(child);
    child.stdin.on("error", () => {});
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8");
      stream.on("data", (text) => (this.#log = (this.#log + text).slice(-LOG_LIMIT)));
    }
    this.#exited = new Promise((resolve) => {
      child.once("error", (error) => {
        this.#log += String(error);
        resolve();
      });
      child.once("exit", resolve);
    }).finally(() => running.delete(child));
    await this.#ready(child);
  }

  async stop() {
    this.#stopping = true;
    // SIGKILL on purpose: a restart is a crash, not a farewell, and servers that drain would hold the port.
    this.#child?.kill("SIGKILL");
    await this.#exited;
    this.#child = null;
  }

  async restart() {
    await this.stop();
    await this.start();
  }

  async #ready(child) {
    const deadline = performance.now() + READY_MS;
    let gone = false;
    this.#exited.then(() => (gone = true));
    while (performance.now() < deadline) {
      if (gone || this.#stopping) break;
      if (await accepts(this.port)) {
        // Someone else's server may answer on this port while ours is failing to bind it.
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
        if (!gone) return;
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    if (!gone) child.kill("SIGKILL");
    await this.#exited;
    throw new Error(`server "${this.#name}" did not start on port ${this.port}:\n${this.#log.slice(-2000)}`);
  }
}

function accepts(port) {
  return new Promise((resolve) => {
    const socket = connect({ port, host: HOST });
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}

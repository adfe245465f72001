// One distributed part as a child process: started, killed, started again on the same ports with the same data, removed. It knows no
// part; consul.mjs, etcd.mjs, redis.mjs and webdis.mjs do.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { HOST, freePort } from "../ports.mjs";
import { ServerProcess } from "../process.mjs";
import { ensurePart } from "./install.mjs";

const READY_MS = 30_000;
const LOOK_MS = 20;

/**
 * `command(port, folder)` gives the arguments of the part called `name`; `ready(url)` says when it serves. Its folder is its own and goes
 * with it.
 */
export async function startPart(name, { port, command, ready }) {
  const { file, env } = await ensurePart(name);
  const folder = mkdtempSync(join(tmpdir(), `bowline-${name}-`));
  const chosen = port ?? (await freePort());
  // These do not watch their stdin as our own servers do: the kernel ends them with the process that started them.
  const leash = ["--pdeathsig", "KILL", file];
  const args = command(chosen, folder);
  const server = new ServerProcess(name, chosen, () => ({ file: "setpriv", args: [...leash, ...args], env }));
  const url = `http://${HOST}:${chosen}`;
  const start = async () => {
    await server.start();
    await until(() => ready(url), () => `${name} does not serve:\n${server.log.slice(-2000)}`);
  };
  const close = async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    await start();
  } catch (error) {
    await close();
    throw error;
  }
  return {
    url,
    port: chosen,
    get log() {
      return server.log;
    },
    /** SIGKILL; `restart()` brings it back. */
    kill: () => server.stop(),
    restart: async () => {
      await server.stop();
      await start();
    },
    /** Ends it for good, with its data. */
    close,
  };
}

async function until(ready, what) {
  const end = performance.now() + READY_MS;
  for (;;) {
    if (await ready().catch(() => false)) return;
    if (performance.now() > end) throw new Error(what());
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

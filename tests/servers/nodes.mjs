// Several servers of one kind, as the nodes of a cluster: each a process on its own port that can be killed and started again there. No
// proxies in between, and no knowledge of discovery.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { here } from "./paths.mjs";
import { freePort, HOST } from "./ports.mjs";
import { ServerProcess } from "./process.mjs";

/** Starts `count` MCP servers of both eras (modern.mjs), named `node-1`, `node-2`, ... */
export async function startNodes(count) {
  const nodes = [];
  const folder = mkdtempSync(join(tmpdir(), "bowline-nodes-"));
  const stop = async () => {
    await Promise.all(nodes.map((node) => node.kill()));
    rmSync(folder, { recursive: true, force: true });
  };
  try {
    // One after the other, so that a port that was free is still free when it is bound.
    for (let at = 1; at <= count; at += 1) nodes.push(await startNode(`node-${at}`, folder));
  } catch (error) {
    await stop();
    throw error;
  }
  return { list: nodes, find: (id) => nodes.find((node) => node.id === id), stop };
}

async function startNode(id, folder) {
  const executed = join(folder, id);
  writeFileSync(executed, "");
  const command = (port) => ({ file: process.execPath, args: [join(here, "modern.mjs"), String(port), "1"], env: { EXECUTED: executed } });
  const child = new ServerProcess(id, await freePort(), command);
  await child.start();
  return {
    id,
    url: `http://${HOST}:${child.port}/mcp`,
    get pid() {
      return child.pid;
    },
    /** The keys `counter` was executed with, in order, also those before a kill. */
    executed: () => readFileSync(executed, "utf8").split("\n").slice(0, -1),
    /** As `kill -9`: what was under way is lost, and the port refuses connections. */
    kill: () => child.stop(),
    revive: async () => {
      if (child.pid === undefined) await child.start();
    },
  };
}

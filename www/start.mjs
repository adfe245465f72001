// `npm start`: prepares everything the demo needs, starts its servers, builds the page and serves it.
// `startDemo` is the same for the end-to-end test. What is prepared lives in pkg-template/, the servers in
// tests/servers/; this only puts them in order.
import { realpathSync } from "node:fs";
import { pathToFileURL } from "node:url";

import { inRoot, node, say, seconds } from "../pkg-template/proc.mjs";
import { ensureNodeModules } from "../pkg-template/setup.mjs";
import { controlOf } from "./control.mjs";
import { serve } from "./serve.mjs";

const PORT = 5173;
const PEERS = ["python-ws", "everything", "modern"];
const NODES = 5;

/** The demo's servers and the listener for what the page may ask of them; `vite.config.ts` uses it too. `wire` as for `startServers`. */
export async function startPeers({ wire } = {}) {
  // Imported late: on a fresh clone its dependencies are not there before ensureNodeModules.
  const { startServers } = await import("../tests/servers/index.mjs");
  const { startNodes } = await import("../tests/servers/nodes.mjs");
  const servers = await startServers(PEERS, { say, wire });
  try {
    const nodes = await startNodes(NODES);
    const stop = async () => void (await Promise.all([servers.stop(), nodes.stop()]));
    return { servers, nodes, stop, control: controlOf(servers.list, nodes.list) };
  } catch (error) {
    await servers.stop();
    throw error;
  }
}

/**
 * Builds what is out of date, starts everything, and resolves when the page can be opened.
 * `close()` ends all that it started.
 */
export async function startDemo({ port = PORT, wire } = {}) {
  await ensureNodeModules();
  const { build } = await import("../pkg-template/build.mjs");
  await build({ quiet: true });
  await step("building the page", () => node(inRoot("node_modules/vite/bin/vite.js"), ["build", inRoot("www")], { quiet: true }));
  const { servers, nodes, stop, control } = await step(`starting the servers ${PEERS.join(", ")} and ${NODES} nodes`, () => startPeers({ wire }));
  try {
    const host = await serve(inRoot("www/dist"), control, port);
    const close = async () => void (await Promise.all([host.close(), stop()]));
    return { url: host.url, servers, nodes, close };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function step(what, work) {
  const start = performance.now();
  const result = await work();
  say(`demo: ${what}: ${seconds(start)}`);
  return result;
}

async function main() {
  const demo = await startDemo();
  const end = async () => {
    say("\ndemo: stopping");
    await demo.close();
    process.exit(0);
  };
  process.once("SIGINT", end).once("SIGTERM", end);
  say(`\nBowline demo: ${demo.url}\n(Ctrl-C ends it and its servers)`);
}

// Compared by real path: npm may reach this file through a link.
if (process.argv[1] && import.meta.url === pathToFileURL(realpathSync(process.argv[1])).href) {
  main().catch((error) => {
    say(`demo: ${error.message}`);
    process.exit(1);
  });
}

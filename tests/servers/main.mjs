// node main.mjs [--peers FILE] [--seed N] [NAME ...]: starts the servers, prints their addresses as JSON (and
// writes them to FILE), and stays until SIGTERM, SIGINT or, when stdin is a pipe, the end of stdin.

import { fstatSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { parseArgs } from "node:util";

import { serverNames, startServers } from "./index.mjs";

const { values, positionals } = parseArgs({
  options: { peers: { type: "string" }, seed: { type: "string", default: "1" } },
  allowPositionals: true,
});

const names = positionals.length > 0 ? positionals : serverNames;
let servers;
try {
  servers = await startServers(names, { control: true, seed: Number(values.seed) });
} catch (error) {
  console.error(error.message);
  process.exit(1);
}

const peers = `${JSON.stringify(servers.urls(), null, 2)}\n`;
if (values.peers) {
  mkdirSync(dirname(values.peers), { recursive: true });
  writeFileSync(values.peers, peers);
}
process.stdout.write(peers);

let stopping = false;
async function stop() {
  if (stopping) return;
  stopping = true;
  // A stale file would send the next run to servers that are gone.
  if (values.peers) rmSync(values.peers, { force: true });
  await servers.stop();
  process.exit(0);
}

process.on("SIGTERM", stop);
process.on("SIGINT", stop);
// A background job's stdin is often empty from the start; only a pipe that closes means that the parent left.
const stdin = fstatSync(0);
if (stdin.isFIFO() || stdin.isSocket()) process.stdin.on("end", stop).resume();

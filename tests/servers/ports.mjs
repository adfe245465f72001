// Free loopback ports, and addresses where nobody answers. It reserves nothing: a port is free when looked at.

import { createServer } from "node:net";

export const HOST = "127.0.0.1";

// Below the range from which kernels choose ports for outgoing connections (32768 on Linux, 49152 elsewhere).
// Inside that range another connection could sit on a server's port while it restarts, and a client that
// dials a dead port can even be connected to itself.
const FIRST = 20_000;
const LAST = 31_999;

export async function freePort() {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST + 1));
    if (await isFree(port)) return port;
  }
  throw new Error(`no free port between ${FIRST} and ${LAST}`);
}

/** An address that refuses connections, for example `refusedUrl("ws:", "/ws")`. */
export async function refusedUrl(protocol = "http:", path = "/mcp") {
  return `${protocol}//${HOST}:${await freePort()}${path}`;
}

function isFree(port) {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => resolve(false));
    probe.listen(port, HOST, () => probe.close(() => resolve(true)));
  });
}

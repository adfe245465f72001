// A client for one check: made for a server of tests/servers, closed whatever happens. And what checks ask of servers beside MCP.
import assert from "node:assert/strict";

import WebSocket from "ws";

import { bowline, check } from "../checks.mjs";

const LIMIT_MS = 8000;

/** The doubles of both eras share an origin, for which a client remembers the era (P32): a modern one has to be named. */
export const MODERN = { era: "modern" };

/** A named check with a client of its own for `server`, or for another address of it (`at`); `config` on top of what tests need. */
export function withClient(name, server, config, work) {
  const { at = "", ...more } = config;
  const base = {
    serverUrl: `${server.url.replace(/\/$/, "")}${at}`,
    WebSocket,
    enableWebSocket: server.transport === "ws",
    reconnectOptions: { initialDelay: 50, maxDelay: 200, minUptime: 0 },
    timeout: 5000,
  };
  const run = async () => {
    const client = bowline.createClient({ ...base, ...more });
    try {
      await work(client);
    } finally {
      await client.close();
    }
  };
  return check(name, run, LIMIT_MS);
}

/** Past the proxy, so that it is not taken for something a client said. */
export async function control(server, query) {
  const answer = await fetch(new URL(`/control?${query}`, server.directUrl), { method: "POST" });
  assert.ok(answer.ok, String(answer.status));
}

/** How often a tool of the fault server was executed under a key. */
export async function executions(server, key) {
  return (await (await fetch(new URL("/executions", server.directUrl))).json())[key] ?? 0;
}

/** What was sent of a method from now on, each time it is asked. */
export function watch({ wire }, method) {
  const before = wire.of(method).length;
  return () => wire.of(method).slice(before);
}

export const textOf = (result) => result.content[0].text;

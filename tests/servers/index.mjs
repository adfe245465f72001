// Starts real MCP servers (and the fault server) for tests, demo and benchmark, each behind a TCP proxy that can
// cut the link. It contains no server and no test.

import { join } from "node:path";

import { startControl } from "./control.mjs";
import { here } from "./paths.mjs";
import { freePort, HOST, refusedUrl } from "./ports.mjs";
import { ServerProcess } from "./process.mjs";
import { startProxy } from "./proxy.mjs";
import { ensurePython } from "./python.mjs";
import { Wire } from "./tap.mjs";

export { refusedUrl };

const START_ATTEMPTS = 3;

const kinds = {
  everything: { transport: "http", era: "legacy", path: "/mcp", program: "everything.mjs" },
  // The transport of 2024-11-05: a GET stream whose first event tells where to POST (P83).
  "everything-sse": { transport: "http", era: "legacy", path: "/sse", program: "everything.mjs", args: ["sse"], old: true },
  modern: { transport: "http", era: "both", path: "/mcp", program: "modern.mjs" },
  "python-ws": { transport: "ws", era: "legacy", path: "/ws", program: "ws_server.py", python: "ws" },
  "python-http": { transport: "http", era: "both", path: "/mcp", program: "http_server.py", python: "http" },
  fault: { transport: "http", era: "modern", path: "", program: "fault.mjs" },
};

export const serverNames = Object.keys(kinds);

/**
 * Starts the named servers (all by default). The result has one member per server, plus `list`, `urls()`,
 * `control` (address of the HTTP control, with `control: true`) and `stop()`.
 * Options: `control` (default false), `seed` of the fault server (default 1), `say` for progress lines, `wire` (default false): keep
 * what clients send through the proxies (`server.wire`, tap.mjs).
 */
export async function startServers(names = serverNames, options = {}) {
  const { say = (line) => console.error(line), seed = 1, control = false, wire = false } = options;
  const unknown = names.filter((name) => !(name in kinds));
  if (unknown.length > 0) throw new Error(`no such server: ${unknown.join(", ")} (there are ${serverNames.join(", ")})`);

  const servers = new Servers();
  try {
    for (const name of names) {
      const { python } = kinds[name];
      if (python) await ensurePython(python, say);
    }
    const started = await Promise.allSettled(names.map((name) => startServer(name, { say, seed, wire })));
    for (const { value } of started) {
      if (value) servers.add(value);
    }
    const failed = started.find(({ status }) => status === "rejected");
    if (failed) throw failed.reason;
    servers.refused = await refusedUrl();
    if (control) await servers.openControl();
  } catch (error) {
    await servers.stop();
    throw error;
  }
  return servers;
}

class Servers {
  /** The address of the HTTP control, when it was asked for. */
  control = undefined;
  /** An HTTP address that refuses connections. */
  refused = undefined;
  #list = [];
  #closeControl = async () => {};

  get list() {
    return [...this.#list];
  }

  add(server) {
    this.#list.push(server);
    this[server.name] = server;
  }

  find(name) {
    return this.#list.find((server) => server.name === name);
  }

  /** `{ name: url }` of all servers, plus `refused` and, when open, `control`. */
  urls() {
    const urls = Object.fromEntries(this.#list.map((server) => [server.name, server.url]));
    return { ...urls, refused: this.refused, ...(this.control ? { control: this.control } : {}) };
  }

  /** What clients said wrongly (with `wire: true`), of all servers. */
  problems() {
    return this.#list.flatMap(({ name, wire }) => wire.problems().map((problem) => `${name}: ${problem}`));
  }

  async openControl() {
    const { url, close } = await startControl(this);
    this.control = url;
    this.#closeControl = close;
  }

  async stop() {
    await this.#closeControl();
    await Promise.all(this.#list.map((server) => server.stop()));
  }

  [Symbol.asyncDispose]() {
    return this.stop();
  }
}

async function startServer(name, { say, seed, wire: tapped }) {
  const kind = kinds[name];
  const file = kind.python ? await ensurePython(kind.python, say) : process.execPath;
  const command = (port) => ({ file, args: [join(here, kind.program), String(port), String(seed), ...(kind.args ?? [])], env: ENVIRONMENT });
  const child = await startProcess(name, command);
  const wire = tapped ? new Wire(kind) : undefined;
  const proxy = await startProxy(child.port, wire);
  const scheme = kind.transport === "ws" ? "ws" : "http";
  return {
    name,
    transport: kind.transport,
    era: kind.era,
    /** Through the proxy: the address for tests. */
    url: `${scheme}://${HOST}:${proxy.port}${kind.path}`,
    /** Past the proxy: the address for measurements. */
    directUrl: `${scheme}://${HOST}:${child.port}${kind.path}`,
    proxy,
    wire,
    get pid() {
      return child.pid;
    },
    get log() {
      return child.log;
    },
    restart: () => child.restart(),
    async stop() {
      await child.stop();
      await proxy.stop();
    },
  };
}

// Python would write compiled files into the source tree, and buffer the lines we keep for error messages.
const ENVIRONMENT = { PYTHONDONTWRITEBYTECODE: "1", PYTHONUNBUFFERED: "1" };

async function startProcess(name, command) {
  for (let attempt = 1; ; attempt += 1) {
    const child = new ServerProcess(name, await freePort(), command);
    try {
      await child.start();
      return child;
    } catch (error) {
      await child.stop();
      // Another process can take a port between our look and the server's bind.
      if (attempt === START_ATTEMPTS || !/EADDRINUSE|address already in use/i.test(error.message)) throw error;
    }
  }
}

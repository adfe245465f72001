// The sub-path entry `bowline/testing`, for tests of applications: an MCP server and its network inside the page or process, and a clock
// that runs only when told to. The client under test is the real one.

import { createClient, init } from "./index.js";
import type { McpClient } from "./client.js";
import { CLOCK } from "./host.js";
import { Clock } from "./testing-clock.js";
import { Network } from "./testing-network.js";
import type { ClientSnapshot, MCPClientConfig } from "./types.js";

/** Options of a fake server. */
export interface FakeServerOptions {
  /** `modern` (2026-07-28) when absent; `legacy` is 2025-11-25. */
  era?: "modern" | "legacy";
  /** Both when absent. */
  transports?: ("websocket" | "http")[];
  /** Of the client's chance, as in the jitter of its delays. 1 when absent. */
  seed?: number;
}

/** A request that was executed. */
export interface Execution {
  method: string;
  params: unknown;
  /** As `clock.now()` tells time. */
  at: number;
}

/** An MCP server that lives in the test. It answers at once; time passes only by `clock.advance`. */
export interface FakeServer {
  /** For `serverUrl`. */
  readonly url: string;
  readonly WebSocket: typeof globalThis.WebSocket;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: {
    /** Milliseconds. */
    now(): number;
    /** Lets so many milliseconds pass for the client: its timers fire in order, each with all that follows from it at once. */
    advance(ms: number): Promise<void>;
  };
  /** What the server answers: what `fn` gives is the result, what it throws a JSON-RPC error. A promise keeps the call under way. */
  handle(method: string, fn: (params: any) => unknown): void;
  /**
   * Ends all links there are; new ones work. `clean`: with a closing handshake; `abrupt`: without; `half-open`: nothing arrives any more,
   * and nobody is told; `mid-stream`: inside of an answer. `abrupt` when absent.
   */
  drop(how?: "clean" | "abrupt" | "half-open" | "mid-stream"): void;
  /** Whether the network is there. Without it, links are silent and new ones fail. */
  setOnline(isOnline: boolean): void;
  /** What the server executed, oldest first, but handshakes and pings. */
  readonly executions: Execution[];
}

const clocks = new WeakMap<FakeServer, Clock>();

/** Makes a fake server. Handshakes, pings and empty lists are answered; everything else wants `handle`. */
export function createFakeServer({ era = "modern", transports = ["websocket", "http"], seed = 1 }: FakeServerOptions = {}): FakeServer {
  const clock = new Clock(seed);
  const network = new Network(era, transports, clock);
  const server: FakeServer = {
    url: `${transports.includes("http") ? "http" : "ws"}://fake.test/mcp`,
    WebSocket: network.WebSocket,
    fetch: network.fetch,
    clock: {
      now: () => clock.now(),
      async advance(ms) {
        await init();
        await clock.advance(ms);
      },
    },
    handle: (method, fn) => void network.handlers.set(method, fn),
    drop: (how = "abrupt") => network.drop(how),
    setOnline: (isOnline) => void (network.isOnline = isOnline),
    executions: network.executions,
  };
  clocks.set(server, clock);
  return server;
}

/** A client of a fake server, on its clock. `config` as for `createClient`. */
export function createTestClient(server: FakeServer, config: Partial<MCPClientConfig> = {}): McpClient {
  const { url: serverUrl, WebSocket, fetch } = server;
  return createClient({ serverUrl, WebSocket, fetch, ...config, [CLOCK]: clocks.get(server) } as MCPClientConfig);
}

/** The client's snapshots from now on, one for each state of the connection, the present one first. The array grows. */
export function recordStates(client: McpClient): ClientSnapshot[] {
  const seen = [client.store.getSnapshot()];
  client.on("state", () => seen.push(client.store.getSnapshot()));
  return seen;
}

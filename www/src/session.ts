// Everything the page keeps about one server: the client and the lists, log, calls and latency around it.
// It lives outside React, so that a re-render or StrictMode's double mount never opens a second link.
import { createClient, type McpClient, type MCPClientConfig, type Resource, type Tool } from "bowline";
import { createCalls, type Calls } from "./calls";
import { createLatency, type Latency } from "./latency";
import { createLog, follow, type Log } from "./log";
import { cutLink, restartServer, type Peer } from "./peers";
import { createStore, type Store } from "./store";

export interface Session {
  readonly peer: Peer;
  readonly config: MCPClientConfig;
  readonly client: McpClient;
  readonly tools: Store<readonly Tool[]>;
  readonly resources: Store<readonly Resource[]>;
  readonly log: Log;
  readonly calls: Calls;
  readonly latency: Latency;
  /** Opens the link, or makes the next attempt now instead of when it is due. */
  connect(): void;
  cut(holdMs: number): void;
  restart(): void;
}

/** The same for every server: the client finds out transport and era by itself. */
const CONFIG = {
  enableWebSocket: true,
  enableHttpFallback: true,
  enableReconnection: true,
  enableCaching: true,
  reconnectOptions: { maxAttempts: 10, initialDelay: 1000, maxDelay: 30000, backoffMultiplier: 1.5 },
  cacheOptions: { maxSize: 1000, defaultTTL: 300000 },
} satisfies Partial<MCPClientConfig>;

export function createSession(peer: Peer): Session {
  const config = { serverUrl: peer.url, ...CONFIG };
  const client = createClient(config);
  const log = createLog();
  const latency = createLatency(client);
  const tools = createStore<readonly Tool[]>([]);
  const resources = createStore<readonly Resource[]>([]);
  follow(client, log);

  // The lists are replaced by the next answer and never emptied in between: a lost link must not
  // take the form away from under the person who is filling it in.
  async function refresh<T>(store: Store<readonly T[]>, list: () => PromiseLike<T[]>, what: string): Promise<void> {
    try {
      store.set(await list());
    } catch (error) {
      log.add("error", `${what} not listed: ${(error as Error).message}`, "bad");
    }
  }
  const refreshTools = () => refresh(tools, () => client.listTools({ useCache: false }), "tools");
  const refreshResources = () => refresh(resources, () => client.listResources({ useCache: false }), "resources");

  client.on("state", ({ previous, current }) => {
    if (current.state === "ready" && previous !== "ready") {
      latency.probe();
      void refreshTools();
      if (current.server?.capabilities["resources"]) void refreshResources();
    }
  });
  client.on("notification", ({ method }) => {
    if (method === "notifications/tools/list_changed") void refreshTools();
    if (method === "notifications/resources/list_changed") void refreshResources();
  });

  const failed = (what: string) => (error: unknown) => log.add("error", `${what}: ${(error as Error).message}`, "bad");
  return {
    peer, config, client, tools, resources, log, latency,
    calls: createCalls(client),
    connect() {
      const waiting = client.state === "reconnecting" || client.state === "suspended";
      void (waiting ? client.reconnect() : client.connect()).catch(failed("connect"));
    },
    cut(holdMs) {
      log.add("demo", holdMs > 0 ? `link cut, new ones refused for ${holdMs / 1000} s` : "link cut", "warn");
      // An idle HTTP link has no socket to lose, so ask at once: the loss is noticed now, not at the next call.
      cutLink(peer, holdMs).then(() => latency.probe(), failed("cut"));
    },
    restart() {
      log.add("demo", "server restarting", "warn");
      restartServer(peer).then(() => log.add("demo", "server started again"), failed("restart"));
      setTimeout(() => latency.probe(), 100);
    },
  };
}

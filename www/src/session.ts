// Everything the page keeps about one server: the client and the lists, log, calls and latency around it.
// It lives outside React, so that a re-render or StrictMode's double mount never opens a second link.
import { createClient, type DisconnectReason, type McpClient, type MCPClientConfig, type Resource, type Tool } from "bowline";
import { createCalls, type Calls } from "./calls";
import { createLatency, type Latency } from "./latency";
import { createLog, follow, type Log } from "./log";
import { cutLink, restartServer, type Peer } from "./peers";
import { createStore, type Store } from "./store";

/** A link that was lost. */
export interface Loss {
  readonly at: number;
  readonly reason: DisconnectReason;
}

export interface Session {
  readonly peer: Peer;
  readonly config: MCPClientConfig;
  readonly client: McpClient;
  readonly tools: Store<readonly Tool[]>;
  readonly resources: Store<readonly Resource[]>;
  /** Why there is no link, since somebody asked for one and did not get it. */
  readonly trouble: Store<Error | null>;
  readonly loss: Store<Loss | null>;
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
  const trouble = createStore<Error | null>(null);
  const loss = createStore<Loss | null>(null);
  follow(client, log);

  // The lists are replaced by the next answer and never emptied in between: a lost link must not
  // take the form away from under the person who is filling it in.
  async function refresh<T>(store: Store<readonly T[]>, list: () => PromiseLike<T[]>, what: string): Promise<void> {
    try {
      store.set(await list());
    } catch (error) {
      log.fail(`${what} not listed`, error);
    }
  }
  const refreshTools = () => refresh(tools, () => client.listTools({ useCache: false }), "tools");
  const refreshResources = () => refresh(resources, () => client.listResources({ useCache: false }), "resources");

  client.on("state", ({ previous, current }) => {
    if (previous === "ready" && current.reason) loss.set({ at: current.since, reason: current.reason });
    if (current.state === "ready") {
      trouble.set(null);
      latency.probe();
      void refreshTools();
      if (current.server?.capabilities["resources"]) void refreshResources();
    }
  });
  client.on("notification", ({ method }) => {
    if (method === "notifications/tools/list_changed") void refreshTools();
    if (method === "notifications/resources/list_changed") void refreshResources();
  });

  return {
    peer, config, client, tools, resources, trouble, loss, log, latency,
    calls: createCalls(client),
    connect() {
      client.connect().catch((error: Error) => {
        // The answer may come after the link did: an attempt that failed, and the next one that did not.
        if (client.state !== "ready") trouble.set(error);
        log.fail("connect", error);
      });
    },
    cut(holdMs) {
      log.add("demo", holdMs > 0 ? `link cut, new ones refused for ${holdMs / 1000} s` : "link cut", "warn");
      const { epoch } = client.connection;
      cutLink(peer, holdMs)
        // An idle HTTP link has no socket to lose, so ask at once: the loss is noticed now, not at the next call.
        .then(() => client.ping().catch(() => {}))
        .then(
          () => {
            const unharmed = client.state === "ready" && client.connection.epoch === epoch;
            if (unharmed) log.add("demo", "no harm done: nothing was under way, and HTTP opened another connection");
          },
          (error) => log.fail("cut", error),
        );
    },
    restart() {
      log.add("demo", "server restarting", "warn");
      restartServer(peer).then(() => log.add("demo", "server started again"), (error) => log.fail("restart", error));
      setTimeout(() => latency.probe(), 100);
    },
  };
}

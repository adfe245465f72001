// What `createClient` accepts and what it refuses: the configuration, as the type checker sees it.
import {
  createClient,
  init,
  initSync,
  version,
  type CreateMessageResult,
  type ElicitParams,
  type ElicitResult,
  type InputHandler,
  type MCPClientConfig,
  type WasmSource,
} from "bowline";
import * as slim from "bowline/slim";
import { indexedDb, indexedDbJournal, persisted, type PersistedCache, type Shelf } from "bowline/persist";
import { exactly, some } from "./expect.js";

// The first example of the documentation, word for word.
createClient({
  serverUrl: "https://api.example.com/mcp",
  enableWebSocket: true,
  enableHttpFallback: true,
  enableReconnection: true,
  enableCaching: true,
  reconnectOptions: { maxAttempts: 10, initialDelay: 1000, maxDelay: 30000, backoffMultiplier: 1.5 },
  cacheOptions: { maxSize: 1000, defaultTTL: 300000 },
});

// Every option there is.
createClient({
  serverUrl: new URL("https://api.example.com/mcp"),
  autoConnect: true,
  timeout: 60_000,
  maxTotalTimeout: 300_000,
  reconnectOptions: {
    jitter: "full",
    onExhausted: "fail",
    suspendedInterval: 30_000,
    minUptime: 5000,
    connectTimeout: 10_000,
  },
  cacheOptions: {
    maxBytes: 8 << 20,
    maxTTL: 86_400_000,
    cacheTools: ["weather"],
    methods: ["tools/list", "acme/report"],
    staleWhileRevalidate: 5000,
    staleIfError: 0,
    partition: () => "user-1",
    revalidateOnReconnect: "all",
    persist: indexedDb({ name: "docs", delay: 500, maxBytes: 1 << 20, includePrivate: true }),
  },
  transport: {
    webSocketUrl: "wss://api.example.com/mcp",
    headStart: 250,
    probeTimeout: 2500,
    rememberFallback: 600_000,
    upgrade: "background",
    headers: async () => ({ authorization: "Bearer token" }),
    maxMessageBytes: 16 << 20,
    streamIdleTimeout: 90_000,
    headersTimeout: 15_000,
    highWaterMark: 1 << 20,
    lowWaterMark: 1 << 18,
  },
  heartbeat: { interval: 20_000, timeout: 10_000, hiddenTimeout: 75_000, wakeProbeTimeout: 4_000, method: "auto" },
  lifecycle: { hidden: "defer-reconnect", offline: "suspend", bfcache: "close", wakeDetection: true },
  queue: { concurrency: 8, adaptive: true, maxQueued: 100, reserve: 2, overflow: "drop-lowest", aging: 0, maxQueueTime: 500, whileDisconnected: "reject" },
  rateLimit: { requestsPerSecond: 10, burst: 20, onLimit: "reject", tools: { search: { requestsPerSecond: 0.5, burst: 2 } }, methods: { "tools/list": { requestsPerSecond: 1 } } },
  circuitBreaker: { enabled: true, failureThreshold: 3, resetTimeout: 1000, halfOpenMaxRequests: 2, mode: "rate", errorRate: 0.3, minimumRequests: 5, window: 5000, countTimeouts: false },
  protocol: {
    era: "legacy",
    versions: ["2025-11-25", "2025-06-18"],
    clientInfo: { name: "app", version: "1.0.0" },
    capabilities: { sampling: {}, elicitation: { form: {}, url: {} }, roots: { listChanged: true } },
    onInputRequired: async () => ({ action: "cancel" }),
    maxInputRounds: 3,
  },
  traceContext: () => ({ traceparent: "00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01" }),
  wasm: new URL("https://cdn.example.com/core.wasm"),
  fetch: globalThis.fetch,
  WebSocket: globalThis.WebSocket,
});

createClient({ serverUrl: "/mcp", transport: { headers: { authorization: "Bearer token" } } });

createClient({ serverUrl: "/mcp", protocol: { clientInfo: null } });
// Single tools only.
createClient({ serverUrl: "/mcp", rateLimit: { tools: { search: { requestsPerSecond: 1 } } } });
// @ts-expect-error a rate says how many
createClient({ serverUrl: "/mcp", rateLimit: { tools: { search: { burst: 1 } } } });

const shelf: Shelf = { read: async () => undefined, write: async () => {} };
const store = persisted(shelf);
exactly<PersistedCache>()(store);
exactly<Promise<void>>()(store.ready);
createClient({ serverUrl: "/mcp", cacheOptions: { persist: store } });

const journal = indexedDbJournal({ name: "docs" });
exactly<Promise<void>>()(journal.ready);
createClient({ serverUrl: "/mcp", journal });
// @ts-expect-error it has to be imported
createClient({ serverUrl: "/mcp", journal: "indexeddb" });

createClient({
  serverUrl: "/mcp",
  journal: "session",
  journalArgs: true,
  replay: {
    safeMethods: ["tools/list"],
    trustAnnotations: true,
    idempotentTools: ["search"],
    idempotencyKey: { metaKey: "com.example/key" },
    maxReplays: 1,
    toolCallOnLostLink: "unknown",
  },
});
// @ts-expect-error no server says that it supports keys
createClient({ serverUrl: "/mcp", replay: { idempotencyKey: "auto" } });

// What a server asks for is known by its method.
const handler: InputHandler = async (request) => {
  exactly<AbortSignal>()(request.signal);
  if (request.method === "elicitation/create") {
    exactly<ElicitParams>()(request.params);
    if (request.params.mode === "url") exactly<string>()(request.params.url);
    else exactly<string[] | undefined>()(request.params.requestedSchema.required);
    return { action: "accept", content: { name: "Ann", colours: ["red"] } } satisfies ElicitResult;
  }
  if (request.method === "sampling/createMessage") {
    exactly<number>()(request.params.maxTokens);
    return { role: "assistant", content: { type: "text", text: "hi" }, model: "m" } satisfies CreateMessageResult;
  }
  exactly<"roots/list">()(request.method);
  return { roots: [] };
};
createClient({ serverUrl: "/mcp", protocol: { onInputRequired: handler } });
// @ts-expect-error a handler answers later
createClient({ serverUrl: "/mcp", protocol: { onInputRequired: () => 1 } });

// @ts-expect-error an address is required
createClient({ enableWebSocket: true });
// @ts-expect-error an address is not a number
createClient({ serverUrl: 8080 });
// @ts-expect-error a misspelt option is no option
createClient({ serverUrl: "/mcp", enableWebsocket: true });
// @ts-expect-error a misspelt option of a group is no option
createClient({ serverUrl: "/mcp", reconnectOptions: { maxAttemps: 3 } });
// @ts-expect-error delays are numbers of milliseconds
createClient({ serverUrl: "/mcp", timeout: "60s" });
// @ts-expect-error there is no such jitter
createClient({ serverUrl: "/mcp", reconnectOptions: { jitter: "some" } });
// @ts-expect-error there is no such era
createClient({ serverUrl: "/mcp", protocol: { era: "2025-11-25" } });
// @ts-expect-error header values are text
createClient({ serverUrl: "/mcp", transport: { headers: { "x-count": 1 } } });

exactly<string>()(version);
exactly<Promise<void>>()(init());
exactly<void>()(initSync(new Uint8Array()));
init(fetch("/core.wasm"));

some<WasmSource>() satisfies NonNullable<MCPClientConfig["wasm"]>;

// Both entries are one client: what one makes, code written against the other takes.
exactly<typeof createClient>()(slim.createClient);
exactly<typeof init>()(slim.init);

// The configuration of a client: every option with its unit, default and danger. Types only; the core
// checks the values and applies the defaults that `@default` names.
// Delays are milliseconds, sizes are bytes.

import type { McpClient } from "./client.js";
import type { CircuitBreakerConfig, QueueOptions, RateLimitOptions } from "./config-queue.js";
import type { ReplayOptions } from "./config-replay.js";
import type { ClientCapabilities, InputHandler } from "./mcp-input.js";
import type { CallJournal } from "./types-journal.js";

/** Where the compiled core comes from. A `Response` or its promise is compiled while it streams. */
export type WasmSource =
  | string
  | URL
  | Request
  | Response
  | PromiseLike<Response>
  | BufferSource
  | WebAssembly.Module;

/** From nothing to everything. */
export type LogLevel = "silent" | "error" | "warn" | "info" | "debug" | "trace";

/** Takes log lines: `fields` are plain values. */
export interface Logger {
  log(level: LogLevel, message: string, fields: Record<string, unknown>): void;
}

/** What `createClient` accepts. Only `serverUrl` is required. */
export interface MCPClientConfig {
  /**
   * Address of the MCP endpoint, path included (for example `https://example.com/mcp`).
   * `http:` and `https:` allow both transports; `ws:` and `wss:` mean WebSocket only.
   * A relative address is resolved against the page. Redirects are not followed but fail with
   * `HTTP_ERROR`: give the address they lead to. Danger: over plain `http:`/`ws:` anyone on the
   * way can read and change the traffic; use them on loopback only.
   */
  serverUrl: string | URL;
  /**
   * Whether to try a WebSocket (one connection, no request waits for a free HTTP slot).
   * @default true
   */
  enableWebSocket?: boolean;
  /**
   * Whether Streamable HTTP may serve when the WebSocket does not answer. `false` with
   * `enableWebSocket: true` means WebSocket or nothing; both `false` means HTTP.
   * @default true
   */
  enableHttpFallback?: boolean;
  /**
   * Whether a lost link is opened again by itself. `false`: calls that wait when the link is lost
   * are rejected, and the link stays down until the next call or `connect()`.
   * @default true
   */
  enableReconnection?: boolean;
  /**
   * Whether answers of reading methods (`tools/list`, `resources/read`, ...) may be kept and reused.
   * Tool calls are never kept unless `cacheOptions.cacheTools` names them.
   * @default true
   */
  enableCaching?: boolean;
  /** How a lost link is opened again. */
  reconnectOptions?: ReconnectOptions;
  /** How long and how much is kept. */
  cacheOptions?: CacheOptions;
  /**
   * Whether to open the link at creation. Otherwise `connect()` or the first call opens it.
   * @default false
   */
  autoConnect?: boolean;
  /**
   * How long one call may wait for its answer, counted from the moment it is sent, not from the
   * moment it is queued. Milliseconds. Danger: a tool call that times out was sent, so its error has
   * `outcome: "unknown"`; too short a value turns slow successes into unknowns.
   * @default 60000
   */
  timeout?: number;
  /**
   * How long one call may take from its creation to its end: waiting for a link, waiting for its turn,
   * repetitions and progress included. Milliseconds.
   * @default 300000
   */
  maxTotalTimeout?: number;
  /** Details of the two transports. */
  transport?: TransportOptions;
  /** How a silent WebSocket is found to be gone; `false` asks only after the network, the page or the machine came back. */
  heartbeat?: HeartbeatOptions | false;
  /** What network, visibility and sleep mean for the connection. */
  lifecycle?: LifecycleOptions;
  /** Limits of the queue of calls. */
  queue?: QueueOptions;
  /** How many calls may leave in a time. Whatever this says, a method is left alone for as long as a `Retry-After` of the server asks. */
  rateLimit?: RateLimitOptions;
  /** Leaves a server alone that keeps failing. */
  circuitBreaker?: CircuitBreakerConfig;
  /** What may be sent again after a lost link. */
  replay?: ReplayOptions;
  /**
   * Whether `inDoubt()` still knows after a reload of the calls with side effects that had been sent. They are noted in the session storage
   * of the tab (workers and Node have none): `"unload"` when the page is left or hidden, which costs calls nothing; `"session"`
   * before each is sent as well (about 16 microseconds), so that a page that crashes is covered too. `indexedDbJournal()` of
   * `bowline/persist` also works in workers and outlives a closed tab and a killed service worker; a call then waits for its entry
   * (about 2 ms, at most a second). Danger: every script of the page's origin can read it.
   * @default "unload"
   */
  journal?: "none" | "unload" | "session" | CallJournal;
  /**
   * Whether the arguments are noted as well. Danger: they then lie in the storage of the page, as text, for every script of its origin.
   * @default false; only a digest is
   */
  journalArgs?: boolean;
  /** Protocol era, what the client says about itself, and what it answers when the server asks. */
  protocol?: ProtocolOptions;
  /** Where log lines go. Nothing is logged without; never are params, results or headers. */
  logger?: Logger;
  /**
   * The least grave lines the logger gets. `"trace"` has two for each call.
   * @default "warn"
   */
  logLevel?: LogLevel;
  /**
   * What the client calls itself towards the application: `client.id`.
   * @default "client-1", "client-2", ...
   */
  id?: string;
  /**
   * The trace a request belongs to, asked for each request and put into its `_meta`: W3C `traceparent`, `tracestate` and `baggage`. What
   * is malformed is left out, and a `warning` event says so; the request goes on. Danger: the server sees it.
   * @default none
   */
  traceContext?: () => { traceparent?: string; tracestate?: string; baggage?: string };
  /**
   * Where to load the core from, instead of what the entry brings with it: for a page with its own
   * asset server. The first client (or `init`) on the page decides; later values are not used.
   * @default the inlined core (`bowline`), or the file beside the module (`bowline/slim`)
   */
  wasm?: WasmSource;
  /**
   * The `fetch` used for every HTTP exchange. For tests, proxies and runtimes without a global one.
   * @default globalThis.fetch
   */
  fetch?: typeof globalThis.fetch;
  /**
   * The WebSocket class. Node 20 has none: pass the one of the package `ws`.
   * Without any, only HTTP is used.
   * @default globalThis.WebSocket
   */
  WebSocket?: WebSocketConstructor;
}

/** How a lost link is opened again. */
export interface ReconnectOptions {
  /**
   * Quick attempts before `onExhausted` decides. A count.
   * @default 10
   */
  maxAttempts?: number;
  /**
   * Base delay. The first attempt comes at a random moment before it, so that many clients of one
   * server do not return together. Milliseconds. Danger: a small value makes a restarting server
   * meet all its clients at once.
   * @default 1000
   */
  initialDelay?: number;
  /**
   * The longest delay between two quick attempts. Milliseconds.
   * @default 30000
   */
  maxDelay?: number;
  /**
   * Each delay is the one before times this. At least 1.
   * @default 1.5
   */
  backoffMultiplier?: number;
  /**
   * How chance spreads a delay `d`: `"equal"` between 0.45 d and 1.1 d, `"full"` between 0 and d,
   * `"none"` exactly d; never beyond `maxDelay`. Danger: with `"none"` clients cut together also return together.
   * @default "equal"
   */
  jitter?: "equal" | "full" | "none";
  /**
   * After `maxAttempts`: `"suspend"` keeps the queue and tries again every `suspendedInterval`;
   * `"fail"` rejects what waits with `RECONNECT_EXHAUSTED` and stops until `connect()`.
   * @default "suspend"
   */
  onExhausted?: "suspend" | "fail";
  /**
   * Delay between attempts while suspended, spread between half and all of it. Milliseconds.
   * @default 30000
   */
  suspendedInterval?: number;
  /**
   * A link must have answered and lived this long before the attempts are counted from zero again.
   * Milliseconds. Danger: 0 lets a server that accepts and drops at once be dialled without pause.
   * @default 5000
   */
  minUptime?: number;
  /**
   * How long one attempt may take, handshake included. Milliseconds.
   * @default 10000
   */
  connectTimeout?: number;
}

/** What is kept of answers, and for how long. The least recently used entry leaves first. */
export interface CacheOptions {
  /**
   * Most entries kept.
   * @default 1000
   */
  maxSize?: number;
  /**
   * Lifetime of an answer whose server names none (`ttlMs` of the 2026-07-28 protocol always wins).
   * Milliseconds; 0 keeps only what the server allows. Danger: a server of the older protocol that
   * sends no change notifications can be read this much out of date.
   * @default 300000
   */
  defaultTTL?: number;
  /**
   * Most bytes of JSON text kept.
   * @default 8388608 (8 MiB)
   */
  maxBytes?: number;
  /**
   * Longest lifetime, whatever the server says. Milliseconds.
   * @default 86400000 (24 hours)
   */
  maxTTL?: number;
  /**
   * Names of tools whose results may be kept. Danger: a second call with equal arguments then does
   * not reach the server; name only tools that change nothing.
   * @default []
   */
  cacheTools?: string[];
  /**
   * Names of the methods whose results may be kept. `tools/call` is refused: see `cacheTools`. Danger: calls of one of these that are
   * equal and made at once are sent once; name only methods that change nothing.
   * @default the six of 2026-07-28: the four lists, `resources/read`, `server/discover`
   */
  methods?: string[];
  /**
   * How long past its time a kept answer still serves at once, while it is read again in the background. Milliseconds.
   * @default 0
   */
  staleWhileRevalidate?: number;
  /**
   * How long past its time a kept answer serves when reading it again fails: no link, no answer in time, HTTP 5xx. The promise says so
   * (`stale`). Milliseconds; 0 rejects.
   * @default 60000
   */
  staleIfError?: number;
  /**
   * Who the user is, as any text that tells users apart; a function is asked before each call. When it changes, everything kept goes that
   * the server does not call public. What it throws is told by a `warning`, and the call goes past the cache. Danger: whoever changes
   * credentials of a client without changing this shows one user what was read for another.
   * @default none: all calls of the client are one user's
   */
  partition?: string | (() => string);
  /**
   * What counts as past its time once a lost link is there again, as news may have been missed: `"stale"`, the lists and reads whose
   * changes servers announce; `"all"`, everything; `"none"`, nothing. It still serves within `staleIfError`.
   * @default "stale"
   */
  revalidateOnReconnect?: "stale" | "all" | "none";
  /**
   * Keeps the cache across reloads: `indexedDb()` of `bowline/persist`, or a store of your own.
   * @default none
   */
  persist?: CacheStore;
}

/** What keeps a cache when the page is gone. */
export interface CacheStore {
  /** Called once, by the client that is made with it: to fill its `cache`, and to watch it. */
  watch(client: McpClient): void;
}

/** Details of the two transports. */
export interface TransportOptions {
  /**
   * Address of the WebSocket endpoint when it differs from `serverUrl`.
   * @default serverUrl with http replaced by ws
   */
  webSocketUrl?: string | URL;
  /**
   * How long the WebSocket may try alone before HTTP is tried beside it. Milliseconds.
   * @default 250
   */
  headStart?: number;
  /**
   * From dialling the WebSocket to its first answer; later than that it counts as failed. Danger: on a slow
   * network without HTTP to fall back to, too small a number never connects. Milliseconds.
   * @default 2500
   */
  probeTimeout?: number;
  /**
   * How long "this server has no WebSocket" is remembered for its origin, in `sessionStorage` where
   * there is one. Milliseconds; 0 tries the WebSocket on every connect.
   * @default 600000
   */
  rememberFallback?: number;
  /**
   * While HTTP serves in the WebSocket's place: `"background"` dials the WebSocket beside it when `rememberFallback` is over (every
   * `suspendedInterval` at most, and only while the page is visible) and moves the next calls over once it has answered;
   * `"next-connect"` leaves it to the next connect; `"never"` stays with HTTP until that fails.
   * @default "background"
   */
  upgrade?: "background" | "next-connect" | "never";
  /**
   * Headers added to every HTTP request, for example `authorization`. A function is asked anew
   * for each request and may be async. Danger: a browser cannot add headers to a WebSocket; a server
   * that wants them answers over HTTP only, so set `enableWebSocket: false` to save the failed try.
   * @default none
   */
  headers?: Record<string, string> | (() => Record<string, string> | Promise<Record<string, string>>);
  /**
   * Largest message accepted; a larger one fails with `MESSAGE_TOO_LARGE`. Danger: the page must
   * hold what it accepts, several times over while it is parsed.
   * @default 16777216 (16 MiB)
   */
  maxMessageBytes?: number;
  /**
   * While the WebSocket holds back more than this (`bufferedAmount`), nothing that waits is written, so that a critical call does not stand
   * behind megabytes. Bytes.
   * @default 1048576 (1 MiB)
   */
  highWaterMark?: number;
  /**
   * Writing goes on once the WebSocket holds back no more than this. Bytes.
   * @default 262144 (256 KiB)
   */
  lowWaterMark?: number;
  /**
   * How long an event stream over HTTP may stay silent before it counts as broken; a server's keep-alive comments count as sound. That of
   * `subscriptions/listen` is asked for anew; that of a call's answer ends the call as any lost link does, and halfway there is a `stalled`
   * event. Milliseconds; 0 waits for ever.
   * Danger: a limit shorter than the server's pause between comments breaks a good stream again and again.
   * @default 90000 where changes are listened to; a call has its own `timeout` and no other
   */
  streamIdleTimeout?: number;
  /**
   * How long a server may take to begin its answer to a call over HTTP; beyond that the call ends as with any lost link. Milliseconds; 0 waits
   * as long as `timeout`. Danger: many servers begin when the tool is done, so this must be longer than the longest tool takes.
   * @default 0
   */
  headersTimeout?: number;
}

/**
 * A WebSocket whose other end is gone looks like a silent one. HTTP needs no heartbeat: each call verifies it. Heartbeats are no calls and
 * count in no metrics.
 */
export interface HeartbeatOptions {
  /**
   * Silence after which the server is asked whether it is there; any message of it counts as life. Milliseconds; 0 never asks.
   * Danger: some proxies cut WebSockets that are silent for a minute.
   * @default 20000
   */
  interval?: number;
  /**
   * How long it may take to answer; after that the link is lost with `HEARTBEAT_TIMEOUT`. Milliseconds. Danger: a server that is busy
   * for longer loses its clients.
   * @default 10000
   */
  timeout?: number;
  /**
   * The same while the page is hidden: browsers let its timers run once a minute. Milliseconds.
   * @default 75000
   */
  hiddenTimeout?: number;
  /**
   * The same after the network, the page or the machine came back, when the link is verified at once. Milliseconds.
   * @default 4000
   */
  wakeProbeTimeout?: number;
  /**
   * What is asked. `"auto"` is `ping` before 2026-07-28, which has none, and `server/discover` since. An error is an answer, too.
   * @default "auto"
   */
  method?: "auto" | "ping" | "server/discover";
}

/** What the surroundings mean for the connection. Where there is no page (workers, Node), it counts as visible. */
export interface LifecycleOptions {
  /**
   * While nobody can see the page: `"defer-reconnect"` opens a lost link again when it is seen, and every `suspendedInterval` before;
   * `"keep"` does nothing special; `"close"` closes the link, and calls wait until the page is seen. Danger: with `"close"` a tool call
   * under way ends with `OUTCOME_UNKNOWN`.
   * @default "defer-reconnect"
   */
  hidden?: "keep" | "defer-reconnect" | "close";
  /**
   * When the browser says that there is no network: `"suspend"` verifies the link, tries only every `suspendedInterval` without one, and
   * at once when the network is back; `"ignore"` does not listen.
   * @default "suspend"
   */
  offline?: "suspend" | "ignore";
  /**
   * When the page is frozen or goes into the back/forward cache: `"close"` closes the link before and opens a new one on return;
   * `"ignore"` verifies the old one then. Danger: browsers refuse to keep pages with open WebSockets.
   * @default "close"
   */
  bfcache?: "close" | "ignore";
  /**
   * Whether the link is verified when a timer was so late that the machine must have slept.
   * @default true
   */
  wakeDetection?: boolean;
}

/** Protocol era, what the client says about itself, and what it answers when the server asks. */
export interface ProtocolOptions {
  /**
   * `"modern"`: 2026-07-28, where every request carries its own metadata. `"legacy"`: 2025-11-25 and
   * earlier, with the `initialize` handshake. `"auto"` asks the server.
   * @default "auto"
   */
  era?: "auto" | "modern" | "legacy";
  /**
   * Protocol versions that may be spoken, as their dates. The newest one that the server speaks too is chosen, whatever the order.
   * With `["2026-07-28"]` alone nothing is asked before the first call over HTTP.
   * @default all from 2024-11-05 on
   */
  versions?: string[];
  /**
   * What the client calls itself towards the server. `null` names nobody: 2026-07-28 allows that; to a legacy server, which
   * must be given a name, it is "client" then.
   * @default { name: "bowline", version: (that of the package) }
   */
  clientInfo?: { name: string; version: string; title?: string } | null;
  /**
   * What the server may ask this client for; it is refused anything else. Danger: declare only what your `onInputRequired`
   * answers, or what you answer yourself by calling again. `roots.listChanged` is a promise to
   * `notify("notifications/roots/list_changed")`.
   * @default { elicitation: { form: {} } } with `onInputRequired`, else {}
   */
  capabilities?: ClientCapabilities;
  /**
   * Answers the server's questions: forms and addresses for the user, samples of a language model, roots. Several may be asked at
   * once. The time it takes counts neither towards `timeout` nor towards `maxTotalTimeout`. Danger: what the server
   * writes is not to be trusted, and what is answered leaves the page; ask the user.
   * @default none: a call whose server asks rejects with `INPUT_REQUIRED`, and `data` says what for
   */
  onInputRequired?: InputHandler;
  /**
   * How often the server may ask before it answers one call; after that the call rejects with `INPUT_REQUIRED`. A count.
   * @default 10
   */
  maxInputRounds?: number;
  /**
   * Whether the server may answer a tool call with a task (extension `io.modelcontextprotocol/tasks`, modern era
   * only): the server decides, and `callTool` polls every `pollIntervalMs` of the server (1000 when it names
   * none, 100 at least, 60000 at most) until the result is there, for hours if need be. `timeout` then limits each
   * question; `maxTotalTimeout` limits the task only when given with the call. `request("tools/call")` resolves
   * with the task itself.
   * @default false
   */
  tasks?: boolean;
  /**
   * Checks structured results of `callTool` against the tool's `outputSchema`. `cfworker()` of `bowline/cfworker` is
   * one. A schema that refers to anything outside itself, is nested deeper than 64 or has more than 2000 parts is
   * refused like a result that does not fit; nothing is ever fetched.
   * @default none: results are not checked
   */
  validator?: SchemaValidator;
}

/** Gives what is wrong with a value, each with its place; nothing when it fits. */
export type OutputCheck = (value: unknown) => readonly string[];

/** A JSON Schema validator, as `protocol.validator` takes it. */
export interface SchemaValidator {
  /** The dialects it knows, as `$schema` names them, without a `#` at the end. Results under others are not checked, with a `warning`. */
  readonly dialects: readonly string[];
  /** Makes a check of a schema; called once for each. The schema may be frozen. Throw, or reject, when it is no good. */
  compile(schema: Record<string, unknown>): OutputCheck | Promise<OutputCheck>;
}

/** The part of a WebSocket the type checker looks at; at run time it must be a whole one. */
export interface WebSocketLike {
  readonly readyState: number;
  readonly bufferedAmount: number;
  readonly protocol: string;
  binaryType: string;
  send(data: string): void;
  close(code?: number, reason?: string): void;
}

/** A WebSocket class: the browser's, or the one of the package `ws`. */
export type WebSocketConstructor = new (url: string, protocols?: string[]) => WebSocketLike;

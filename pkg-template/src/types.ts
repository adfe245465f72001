// The public types of Bowline: calls, connection state, events, metrics and error codes; with those of
// config.ts and mcp.ts. Types only: no code.
// Delays are milliseconds, sizes are bytes; points in time are milliseconds as of `Date.now()`.

import type { McpError } from "./errors.js";
import type { HealthReport } from "./types-metrics.js";
import type { Meta, ServerInfo, SubscriptionFilter, Task, Tool } from "./mcp.js";

export type * from "./config.js";
export type * from "./config-queue.js";
export type * from "./config-replay.js";
export type * from "./mcp.js";
export type * from "./types-journal.js";
export type * from "./mcp-input.js";
export type * from "./types-metrics.js";

// ---- Calls ----------------------------------------------------------------------------------------

/** Larger goes first: 0 low, 1 normal, 2 high, 3 critical. Calls of one priority keep their order. */
export type RequestPriority = 0 | 1 | 2 | 3 | "low" | "normal" | "high" | "critical";

/** Options of one call. One of another type or size rejects with `SEND_FAILED`, before anything is sent. */
export interface RequestOptions {
  /**
   * Which waiting call goes first.
   * @default 1 ("normal")
   */
  priority?: RequestPriority;
  /**
   * As `MCPClientConfig.timeout`, for this call. Milliseconds.
   * @default the client's `timeout`
   */
  timeout?: number;
  /**
   * As `MCPClientConfig.maxTotalTimeout`, for this call. Milliseconds.
   * @default the client's `maxTotalTimeout`
   */
  maxTotalTimeout?: number;
  /**
   * As `queue.maxQueueTime`, for this call. Milliseconds.
   * @default the client's `queue.maxQueueTime`
   */
  queueTimeout?: number;
  /**
   * Whether each progress report starts `timeout` anew (never past `maxTotalTimeout`).
   * @default true
   */
  resetTimeoutOnProgress?: boolean;
  /**
   * Whether a kept answer will do. `false` is `cacheMode: "bypass"`.
   * @default true
   */
  useCache?: boolean;
  /**
   * What a kept answer is good for:
   * - `use`: it is the answer while it is fresh.
   * - `refresh`: nothing; the server's answer is kept in its place.
   * - `bypass`: nothing, and the server's answer is not kept.
   * - `only-if-cached`: it is the answer, fresh or stale; without one the call rejects with `NOT_CACHED`.
   * - `stale-while-revalidate`: it is the answer; a stale one is read again in the background.
   * @default "use"
   */
  cacheMode?: "use" | "refresh" | "bypass" | "only-if-cached" | "stale-while-revalidate";
  /**
   * How long the answer is kept, if the server does not say; it only shortens what the server says. Milliseconds; 0 does not keep it.
   * @default the server's word, else as `cacheOptions.defaultTTL` says
   */
  cacheTTL?: number;
  /**
   * Cancels the call: it rejects with `ABORTED` at once and the server is told. Danger: a tool call
   * already sent may have been executed all the same.
   */
  signal?: AbortSignal;
  /** Called for each progress report; its presence is what asks the server to send them. */
  onProgress?: (progress: Progress) => void;
  /**
   * "A second execution is harmless": the call may be sent again when the link was lost after the
   * first sending, instead of rejecting with `OUTCOME_UNKNOWN`. Danger: a payment made twice.
   * @default false; reading methods are always repeated
   */
  idempotent?: boolean;
  /**
   * Names what this call does, so that a server which knows the key executes it once however often it comes: it may be sent again as with
   * `idempotent`, each time with this key. Needs `replay.idempotencyKey`; rejects with `SEND_FAILED` without. Danger: a server
   * that ignores the key executes twice.
   */
  idempotencyKey?: string;
  /**
   * How often this call may be sent again after a sending that may have been executed: `true` is `replay.maxReplays`, `false` never.
   * Danger: `true` and a number permit it for calls with side effects too.
   * @default as `replay` of the client has it
   */
  replay?: boolean | number;
  /**
   * More for the request's `_meta`. A key has a prefix of your own (`com.example/name`) or none; the trace members need their W3C form.
   * Anything else, and prefixes of the protocol, reject with `SEND_FAILED`.
   */
  meta?: Meta;
  /**
   * What an earlier call asked for when it rejected with `INPUT_REQUIRED`: under each key of `error.data.inputRequests` its answer. For
   * applications without `onInputRequired`; the method and its params must be the same. Nothing of it is cached.
   */
  inputResponses?: Record<string, unknown>;
  /** `error.data.requestState` of that error, unchanged; to be left out where it has none. */
  requestState?: string;
}

/** Options of `complete`. */
export interface CompleteOptions extends RequestOptions {
  /** Values that other arguments have already. */
  context?: Record<string, string>;
}

/** Options of a tool call. */
export interface CallToolOptions extends RequestOptions {
  /**
   * The tool's definition, when it did not come to this client by a list: it tells which arguments go as
   * headers too, and what the result must look like. For this call only.
   * @default the definition of the newest list
   */
  toolDefinition?: Tool;
  /**
   * Whether the structured result is checked against the tool's `outputSchema`; needs `protocol.validator`.
   * A result that does not fit rejects with `INVALID_RESULT` and outcome `applied`: the tool was executed.
   * @default true
   */
  validateOutput?: boolean;
}

/** Options of a listing. */
export interface ListOptions extends RequestOptions {
  /** Fetches the one page of this cursor, as the server gave it. Without: all pages. */
  cursor?: string;
}

/** One progress report of the server. */
export interface Progress {
  progress: number;
  total?: number;
  message?: string;
}

/** Where a call is on its way. */
export type RequestPhase = "queued" | "sent" | "settled";

/** A promise of the result, with a hold on the call behind it. */
export interface RequestPromise<T> extends Promise<T> {
  /** Names the call in errors and events. Not the id on the wire, which is new for each sending. */
  readonly requestId: string;
  readonly phase: RequestPhase;
  /** Once it is resolved: the result was kept and is past its time (`staleIfError`, `staleWhileRevalidate`). */
  readonly stale: boolean;
  /** Moves the call in the queue; without effect once it is sent. */
  setPriority(priority: RequestPriority): void;
  /** As aborting `options.signal`. Without effect once the call is settled. */
  cancel(reason?: string): void;
}

/** The answer to `ping()`. */
export interface PingResult {
  /** From the call to its answer, waiting for a link included. Milliseconds. */
  latency: number;
  via: Transport;
}

/** What is meant: results of a method, results about an address, or both. */
export interface CacheFilter {
  method?: string;
  /** Of `resources/read`. */
  uri?: string;
}

/** What a client keeps. Before the core is loaded there is nothing; what is set or hydrated then is kept as soon as it is. */
export interface CacheApi {
  /** Entries, stale ones too. */
  readonly size: number;
  /** The fresh result that is kept for these params, frozen; undefined when there is none. Asks no server. */
  get(method: string, params?: object): unknown;
  /**
   * Keeps a result as if the server had given it; reads under way do not replace it. It is private.
   * @param ttl Milliseconds; `cacheOptions.defaultTTL` when absent, never more than `maxTTL`.
   * @throws TypeError when params or value are no JSON; McpError `INVALID_CONFIG` when `ttl` is no number of at least 0.
   */
  set(method: string, params: object | undefined, value: unknown, ttl?: number): void;
  /** Drops what is meant (everything without a filter), and how much that was. Reads under way are not kept. */
  invalidate(filter?: CacheFilter): number;
  clear(): void;
  /**
   * Everything fresh as plain JSON, with the time it has left. Danger: it holds what was read for the user; give it to nobody else (a
   * page that others get from a shared cache, say).
   */
  dehydrate(): object;
  /**
   * Takes back what `dehydrate` gave, here or elsewhere: what is still fresh and not kept already. What is private is taken only under the
   * same `cacheOptions.partition`. Entries that were damaged are left out.
   * @throws McpError `INVALID_CONFIG` when it is of another version.
   */
  hydrate(state: unknown): void;
}

// ---- State ----------------------------------------------------------------------------------------

export type Transport = "websocket" | "http";

/**
 * - `idle`: created, nothing opened yet.
 * - `connecting`: first attempt, handshake included.
 * - `ready`: the server has answered; calls flow.
 * - `reconnecting`: lost; the next attempt is planned (`retryAt`) or running. Calls wait.
 * - `suspended`: no network, a page that nobody sees or that does not run, quick attempts used up (slow attempts go on and what changes
 *   ends the wait), or `suspend()` (no attempts). Calls wait.
 * - `auth_required`: the server wants other credentials; `connect()` tries again.
 * - `closed`: `close()` was called. Final.
 * - `failed`: cannot go on by itself; a call or `connect()` tries again.
 */
export type ConnectionState =
  | "idle"
  | "connecting"
  | "ready"
  | "reconnecting"
  | "suspended"
  | "auth_required"
  | "closed"
  | "failed";

/** The connection at one moment. Frozen; the same object until something changes. */
export interface ConnectionSnapshot {
  readonly state: ConnectionState;
  /** When `state` was entered. */
  readonly since: number;
  readonly transport: Transport | null;
  /** HTTP serves although a WebSocket was wanted. */
  readonly degraded: boolean;
  readonly era: "modern" | "legacy" | null;
  readonly protocolVersion: string | null;
  readonly server: ServerInfo | null;
  /** Attempts and losses in a row, up to a link that lived `minUptime`. */
  readonly attempt: number;
  /** When the next attempt comes, if one is planned. */
  readonly retryAt: number | null;
  /** Why the link is not there; null while it is. */
  readonly reason: DisconnectReason | null;
  /** Last measured round trip. Milliseconds. */
  readonly latency: number | null;
  /** What the browser says of the network. It is a hint: the link is verified before it is believed. */
  readonly online: boolean;
  /** Whether somebody can see the page; true where there is none. */
  readonly visible: boolean;
  /** Grows with every new link, so that a closure can tell whether it belongs to the present one. */
  readonly epoch: number;
}

/** Why a link ended or could not be opened. */
export interface DisconnectReason {
  readonly code: McpErrorCode;
  readonly message: string;
  readonly closeCode?: number;
  readonly httpStatus?: number;
}

/** What a view needs, at one moment. Frozen; the same object until something changes. */
export interface ClientSnapshot {
  readonly connection: ConnectionSnapshot;
  /** Calls waiting to be sent. */
  readonly queued: number;
  /** Calls sent and not answered yet. */
  readonly active: number;
  /** As `client.inDoubt()`. */
  readonly inDoubt: readonly InDoubtCall[];
}

/** The three functions React's `useSyncExternalStore` asks for. They need no `this`. */
export interface ReadableStore<T> {
  subscribe(onChange: () => void): () => void;
  getSnapshot(): T;
  /** The snapshot of a client that has done nothing yet, as a server renders it. */
  getServerSnapshot(): T;
}

// ---- Events ---------------------------------------------------------------------------------------

/** Event names and what their listeners receive. */
export interface McpEventMap {
  /** The connection changed its state. */
  state: { previous: ConnectionState; current: ConnectionSnapshot };
  /** An attempt is planned. */
  reconnecting: { attempt: number; delay: number; retryAt: number; reason: DisconnectReason };
  /** Calls flow again. `downFor` in milliseconds. */
  reconnected: { downFor: number; attempts: number; transport: Transport };
  /** The connection rests, and why: no network, page hidden, page frozen, quick attempts used up, `suspend()`. */
  suspended: { cause: "offline" | "hidden" | "frozen" | "exhausted" | "manual" };
  /** Another transport carries the calls. */
  transport: { from: Transport | null; to: Transport; cause: "initial" | "fallback" | "upgrade" };
  /** A call is sent again: its `attempt`-th sending, under the JSON-RPC id `newId`. Its progress starts anew. */
  replay: { id: string; newId: string; method: string; attempt: number };
  /**
   * The event stream of the answer to a call, or without `id` that of the subscriptions, has said nothing for `silent` milliseconds: 10 s, or half
   * of `streamIdleTimeout` where that is shorter. Told once per silence, and nothing ends by it: a slow tool may have nothing to say.
   * With `hint` not even its first byte has come, as when a proxy buffers it.
   */
  stalled: { id?: string; method: string; silent: number; hint?: string };
  /** A call ended with outcome `unknown` and must not be repeated by itself. Its promise rejects as well. */
  outcomeUnknown: InDoubtCall;
  /** A call is in doubt no longer: its answer came after all (with `result` if it was executed), or `settleInDoubt` or `retry` said so. */
  outcomeResolved: {
    call: InDoubtCall;
    verdict: "applied" | "not-applied" | "dismissed";
    source: "late-response" | "user";
    result?: unknown;
  };
  /** The server sent a notification that belongs to no call. */
  notification: McpNotification;
  /**
   * A tool call goes on as a task, or its status changed. `id` is the `requestId` of the call. Keep `task.taskId`
   * where it survives a reload: `resumeTask` takes it up again.
   */
  task: { id: string; task: Task };
  /** Something is odd and was left out or got round; nothing failed. Each is told once. */
  warning: McpWarning;
  /** With `circuitBreaker`: the server is left alone (`open`), tried (`half-open`), or called as usual (`closed`). */
  breaker: { from: "closed" | "open" | "half-open"; to: "closed" | "open" | "half-open" };
  /** The verdict on the server's health changed. */
  health: HealthReport;
  /** A call was made, or is settled. `duration` in milliseconds. */
  request: { id: string; method: string; phase: "queued" | "settled"; duration?: number; error?: McpError };
  /** Something failed that no promise tells about. */
  error: McpError;
}

export interface McpWarning {
  message: string;
}
/** Any event, as `events()` gives it. */
export type AnyMcpEvent = { [E in keyof McpEventMap]: { type: E; time: number; detail: McpEventMap[E] } }[keyof McpEventMap];

/** Options of `on`. */
export interface ListenerOptions {
  /** Removes the listener when aborted. */
  signal?: AbortSignal;
  /** Removes the listener after its first call. */
  once?: boolean;
}

/** What is odd, for a log; its words are no API. */
export interface McpWarning {
  message: string;
  /** The tool it is about. */
  tool?: string;
}

export interface McpNotification {
  method: string;
  params?: Record<string, unknown>;
  receivedAt: number;
}

/**
 * Notifications of what was subscribed to, until `close()`, over lost links too. To be looped over, or with the handler given to
 * `subscribe`. A loop gets what has arrived since the subscription was made (with a handler: since the loop began), the last 1000 at
 * most: of a loop that is slower, the oldest are dropped. Leaving the loop closes the subscription; two loops share what arrives.
 */
export interface McpSubscription extends AsyncIterable<McpNotification> {
  /** The server honours it, or a part of it, at this moment. */
  readonly active: boolean;
  /** The part of the filter that the server honours; null until it has said so. */
  readonly honored: SubscriptionFilter | null;
  /**
   * Resolves when the server honours the subscription, or a part of it. Rejects with `CAPABILITY_NOT_SUPPORTED` when it does so with
   * nothing of it, with its error for one of the resources, or with why it cannot be reached; the subscription stays even then, and
   * serves as soon as it can. Later failures are `error` events.
   */
  readonly ready: Promise<void>;
  /**
   * The subscription is there again after it was lost: what happened from `from` to `to` (as `Date.now()` tells time) may have
   * been missed, so look again at what you watch. Returns what removes the listener.
   */
  onGap(listener: (gap: { from: number; to: number }) => void): () => void;
  /** Ends it: loops end once they have got what arrived before. */
  close(): Promise<void>;
}

/** The calls that wait for their turn: `client.queue`. */
export interface QueueApi {
  /** How many wait. */
  readonly size: number;
  /** How many are sent and not answered. */
  readonly active: number;
  /** Sends nothing more until `resume()`. Calls are accepted and wait; what is sent goes on. */
  pause(): void;
  resume(): void;
  /**
   * Cancels what waits, or the part of it that the filter names; each rejects with `ABORTED`, outcome `not-sent`. A priority is 0 to 3.
   * @returns how many.
   */
  clear(filter?: { method?: string; belowPriority?: number }): number;
  /** Resolves when nothing waits and nothing is in flight. */
  onIdle(): Promise<void>;
  /** Resolves when fewer than `n` wait: for whoever makes calls faster than they are answered. */
  onSizeLessThan(n: number): Promise<void>;
}

/** A call of which nobody here knows whether the server executed it. Frozen. */
export interface InDoubtCall {
  /** The `requestId` of its promise; another when it was restored. */
  readonly id: string;
  readonly method: string;
  /** The tool's name, for `tools/call`. */
  readonly tool?: string;
  /** Equal for equal params, as they were printed. Danger: no secret; short params can be found by trying. */
  readonly argsDigest: string;
  /** The tool's arguments, or all params of another method; restored only with `journalArgs`. */
  readonly args?: unknown;
  readonly idempotencyKey?: string;
  /** When it was handed to the network. */
  readonly sentAt: number;
  /** When it was given up; when it was found, if it was restored. */
  readonly lostAt: number;
  readonly reason: DisconnectReason;
  /** An earlier page sent it. */
  readonly restored: boolean;
  /** The application has said that a second execution is harmless. */
  readonly safeToRetry: boolean;
}

// ---- Errors (the classes are in errors.ts) --------------------------------------------------------

/**
 * What may be assumed about the server's side of a failed call:
 * - `not-sent`: it never left.
 * - `not-applied`: it was refused before execution, or it was a question without effects.
 * - `applied`: the server executed it and answered.
 * - `unknown`: it left, and no answer came.
 */
export type Outcome = "not-sent" | "not-applied" | "applied" | "unknown";

/** Why something failed. Branch on this, never on a message. */
export type McpErrorCode =
  | "CONNECTION_CLOSED"
  | "SEND_FAILED"
  | "CAPABILITY_NOT_SUPPORTED"
  | "REQUEST_TIMEOUT"
  | "CONNECT_TIMEOUT"
  | "CONNECT_FAILED"
  | "HEARTBEAT_TIMEOUT"
  | "OFFLINE"
  | "RECONNECT_EXHAUSTED"
  | "CLIENT_CLOSED"
  | "OUTCOME_UNKNOWN"
  | "ABORTED"
  | "QUEUE_FULL"
  | "NOT_CACHED"
  | "QUEUE_TIMEOUT"
  | "CIRCUIT_OPEN"
  | "NOT_CONNECTED"
  | "NO_HEALTHY_NODE"
  | "DISCOVERY_FAILED"
  | "STATE_STORE_FAILED"
  | "RPC_ERROR"
  | "HTTP_ERROR"
  | "STREAM_ENDED"
  | "PARSE_ERROR"
  | "MESSAGE_TOO_LARGE"
  | "PROTOCOL_VERSION"
  | "INPUT_REQUIRED"
  | "INVALID_RESULT"
  | "AUTH_REQUIRED"
  | "FORBIDDEN"
  | "CORS_OR_NETWORK"
  | "MIXED_CONTENT"
  | "CSP_BLOCKED"
  | "LOCAL_NETWORK_BLOCKED"
  | "RATE_LIMITED"
  | "INVALID_CONFIG"
  | "WASM_LOAD_FAILED"
  | "INTERNAL";

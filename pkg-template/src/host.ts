// The package's side of one core client: what the snippet needs to know of it, and what it tells: events and snapshots. It decides nothing.

import { changeContext, close, create, metrics, signal, type Tables } from "bowline-core";
import { CONNECT, submit, type Call, type Finish, type RawFailure } from "./call.js";
import { Doubts } from "./doubt.js";
import { Emitter, SnapshotStore } from "./emitter.js";
import { errorFrom, type Failure, type McpError } from "./errors.js";
import { failureOf } from "./failure.js";
import { Inputs } from "./input.js";
import { traceOf } from "./meta.js";
import { Lanes } from "./lanes.js";
import { attachLogger } from "./log.js";
import { read, type Numbers } from "./metrics.js";
import { Queue } from "./queue.js";
import { ReplayRules } from "./replay.js";
import { address, IDLE, invalid, isNear, lackingOf, list, serverInfo, surroundings } from "./outside.js";
import { load, loaded } from "./runtime.js";
import { Subscriptions } from "./subscription.js";
import { finishTool, hasTasks, withTasks } from "./tasks.js";
import { Tools } from "./tools.js";
import type {
  ClientCapabilities,
  ClientSnapshot,
  ConnectionSnapshot,
  ConnectionState,
  DisconnectReason,
  HealthReport,
  InputHandler,
  LoggingLevel,
  MCPClientConfig,
  McpEventMap,
  McpNotification,
  McpWarning,
  Meta,
  SchemaValidator,
  ServerInfo,
  SubscriptionFilter,
  Transport,
} from "./types.js";

/** The member of a configuration by which `bowline/testing` brings the clock of a test. */
export const CLOCK = Symbol.for("bowline.clock");

/** How often, at most, a store's watchers hear of calls coming and going. Milliseconds. */
const BEAT = 100;
const CALL = "tools/call";
const BUFFERED = "A proxy may buffer it: set proxy_buffering off (nginx) or X-Accel-Buffering: no.";
/** Warnings remembered, so that each is given once. */
const MAX_WARNINGS = 1000;

export class Host {
  readonly url: string | undefined;
  readonly webSocketUrl: string | undefined;
  readonly headers: NonNullable<MCPClientConfig["transport"]>["headers"];
  readonly fetch: typeof globalThis.fetch;
  readonly WebSocket: unknown;
  /** Undefined when the application wants to stay unnamed. */
  readonly clientInfo: { name: string; version: string } | undefined;
  readonly capabilities: ClientCapabilities;
  readonly onInput: InputHandler | undefined;
  readonly inputs = new Inputs(this);
  readonly subscriptions = new Subscriptions(this);
  readonly queue = new Queue(this);
  /** What a server of 2026-07-28 is told with each request, and a legacy one once per link. */
  logLevel: LoggingLevel | undefined;
  readonly caching: boolean;
  readonly validator: SchemaValidator | undefined;
  /** For results of tools: none where nobody checks them and none can be a task. */
  readonly finishTool: Finish | undefined;
  readonly events = new Emitter<McpEventMap>();
  readonly store: SnapshotStore<ClientSnapshot>;
  readonly tools = new Tools((message, tool) => this.warn(message, tool));
  readonly rules: ReplayRules;
  /** Undefined when no method and no tool has a rate of its own: the common case, and asked for every call. */
  readonly lanes: Lanes | undefined;
  readonly doubts: Doubts;
  readonly #warned = new Set<string>();
  /** Time, timers and chance of a test; the snippet asks it instead of the machine. */
  readonly clock: { now(): number } | undefined;
  readonly #config: MCPClientConfig;
  readonly #cacheTools: readonly string[] | undefined;
  readonly #methods: readonly string[] | undefined;
  /** The user whose results are kept, as `partition` names it. */
  partition: string | undefined;
  #due: (() => void)[] = [];

  /** Whether the page comes from elsewhere and the server is near: browsers guard that way. */
  readonly isLocal: boolean;
  readonly #isMixed: boolean;

  /** Set by the snippet when the server's first HTTP answer could be read. */
  answered = false;
  /** Whether the server speaks the modern era, or did when it was last there. */
  isModern = false;
  tables: Tables | undefined;
  /** The core's number for this client; -1 until it is loaded. */
  client = -1;
  #waiting: Call[] = [];
  /** The numbers of a closed client. */
  #last: number[] | undefined;
  #closing = false;
  #breaker: McpEventMap["breaker"]["to"] = "closed";
  #parked = false;
  #touched = false;
  #lostAt = 0;
  /** Links of cores that crashed. */
  #epochs = 0;
  #cause = "";
  #status: HealthReport["status"] = "unknown";
  #carrier: Transport | null = null;
  #server: ServerInfo | null = null;
  #connection: Omit<ConnectionSnapshot, "latency">;

  constructor(config: MCPClientConfig) {
    this.#config = config;
    this.clock = (config as { [CLOCK]?: { now(): number } })[CLOCK];
    const { serverUrl, transport = {}, protocol = {} } = config;
    const given = address("serverUrl", serverUrl);
    const socket = transport.webSocketUrl === undefined ? undefined : address("transport.webSocketUrl", transport.webSocketUrl);
    const isSocket = given.protocol.startsWith("ws");
    this.url = isSocket ? undefined : given.href;
    if (isSocket && config.enableWebSocket === false) {
      throw invalid("serverUrl must be an http(s) URL when enableWebSocket is false");
    }
    this.webSocketUrl = socket?.href ?? given.href.replace(/^http/, "ws");
    const isLocal = isNear(given);
    this.isLocal = isLocal && !isNear(globalThis.location);
    this.#isMixed = !isLocal && /^(http|ws):/.test(given.href) && !!globalThis.origin?.startsWith("https:");
    this.headers = transport.headers;
    // Called without `this`, as browsers demand of their own.
    this.fetch = config.fetch ?? globalThis.fetch;
    this.WebSocket = config.WebSocket ?? globalThis.WebSocket;
    const { clientInfo, onInputRequired } = protocol;
    this.clientInfo = clientInfo === undefined ? { name: "bowline", version: __VERSION__ } : (clientInfo ?? undefined);
    this.onInput = onInputRequired;
    // Forms show in the page; whoever opens addresses, runs a model, or shares folders has to say so.
    const capabilities = protocol.capabilities ?? (onInputRequired ? { elicitation: { form: {} } } : {});
    this.capabilities = protocol.tasks ? withTasks(capabilities) : capabilities;
    this.validator = protocol.validator;
    this.finishTool = this.validator || hasTasks(this.capabilities) ? finishTool : undefined;
    this.caching = config.enableCaching !== false;
    const { cacheTools, methods, partition } = config.cacheOptions ?? {};
    this.#cacheTools = list("cacheTools", cacheTools);
    this.#methods = list("methods", methods);
    if (methods?.includes(CALL)) throw invalid(`cacheOptions.methods must not name ${CALL}: name tools in cacheTools`);
    if (!/undef|str|func/.test(typeof partition)) throw invalid("cacheOptions.partition must be a text or a function");
    this.#connection = { ...IDLE, since: Date.now(), ...surroundings() };
    try {
      this.rules = new ReplayRules(config, (tool) => this.tools.get(tool));
      this.doubts = new Doubts(this, config);
      const { methods, tools } = config.rateLimit ?? {};
      this.lanes = methods || tools ? new Lanes(config) : undefined;
    } catch (error) {
      throw invalid((error as Error).message);
    }
    this.store = new SnapshotStore(() => this.#snapshot());
    attachLogger(config, this.events);
  }

  /** Whether results are kept; undefined for what the protocol says of the method. */
  keeps(method: string, tool?: string): boolean | undefined {
    return tool === undefined ? this.#methods?.includes(method) : !!this.#cacheTools?.includes(tool);
  }

  /** Whether there is a core to ask. */
  get isOpen(): boolean {
    return this.client >= 0 && !this.#closing;
  }

  /** Does it now, or when the core is loaded, before the first call. */
  onceOpen(work: () => void): void {
    if (this.isOpen) work();
    else if (!this.#closing) this.#due.push(work);
  }

  invalid(detail: string): McpError {
    return invalid(detail);
  }

  /** Finds out whose calls these are, and lets nothing private cross to another user (P55). False when that cannot be told. */
  inContext(): boolean {
    const { partition } = this.#config.cacheOptions ?? {};
    if (!partition) return true;
    try {
      const now = typeof partition === "string" ? partition : partition();
      if (this.partition !== undefined && now !== this.partition) changeContext(this.client);
      this.partition = now;
      return true;
    } catch (error) {
      this.warn(`cacheOptions.partition: ${error}`);
      return false;
    }
  }

  /** Tells of something odd, once. */
  warn(message: string, tool?: string): void {
    if (this.#warned.has(message)) return;
    if (this.#warned.size >= MAX_WARNINGS) this.#warned.clear();
    this.#warned.add(message);
    this.events.emit("warning", { message, tool } as McpWarning);
  }

  get state(): ConnectionState {
    return this.#connection.state;
  }

  get connection(): Omit<ConnectionSnapshot, "latency"> {
    return this.#connection;
  }

  /** What the server would have to offer for this method and does not, as far as is known. */
  lacking(method: string): string | undefined {
    const { state, era, server } = this.#connection;
    return state === "ready" && era === "legacy" ? lackingOf(method, server) : undefined;
  }

  /** What goes into the `_meta` of every request beside the protocol's own members. */
  ambient(): Meta | undefined {
    const { traceContext } = this.#config;
    const level = this.#connection.era === "modern" ? this.logLevel : undefined;
    if (!traceContext && !level) return undefined;
    const meta: Meta = level ? { "io.modelcontextprotocol/logLevel": level } : {};
    try {
      const trace = traceOf(traceContext?.() ?? {});
      if (trace.wrong.length) this.warn(`traceContext: malformed ${trace.wrong.join(", ")}`);
      return Object.assign(meta, trace.meta);
    } catch (error) {
      this.warn(`traceContext: ${error}`);
      return meta;
    }
  }

  /** Hands a call to the core, which is loaded first if need be. */
  submit(call: Call): void {
    this.touch();
    if (this.#closing) return call.refuse({ code: "CLIENT_CLOSED", outcome: "not-sent", retryable: false });
    if (this.client >= 0) return call.start();
    this.#waiting.push(call);
    // The browser would only say that it failed, and of a class that is not there nothing at all.
    const lacks = !this.url && !this.WebSocket;
    const code = this.#isMixed ? "MIXED_CONTENT" : lacks && "CONNECT_FAILED";
    if (code) return this.#abandon(errorFrom({ code, outcome: "not-sent", retryable: false, detail: "class", url: this.url ?? this.webSocketUrl! }));
    if (this.#waiting.length > 1) return;
    const tables = loaded();
    // Loaded already: start in this very task, so that calls issued together leave together.
    if (tables) this.#begin(tables);
    else this.#load();
  }

  #load(): void {
    load(this.#config.wasm).then((tables) => this.#begin(tables), (error: McpError) => this.#abandon(error));
  }

  #begin(tables: Tables): void {
    // One that waited for the core to be loaded again may find that it was begun.
    if (this.#closing || this.client >= 0) return;
    try {
      const client = create(this.#config, this);
      if (client === undefined) return this.#load();
      this.client = client;
    } catch (error) {
      return this.#abandon(invalid((error as Error).message));
    }
    this.tables = tables;
    this.lanes?.open(this.client);
    if (this.#parked) this.park(true);
    if (this.queue.paused) this.queue.pause();
    for (const work of this.#due.splice(0)) {
      try {
        work();
      } catch (error) {
        this.warn(`${error}`);
      }
    }
    for (const call of this.#waiting.splice(0)) call.start();
  }

  #abandon(error: McpError): void {
    if (this.#closing) return;
    const { code, message } = error;
    this.#enter({ ...this.#connection, state: "failed", reason: { code, message } });
    for (const call of this.#waiting.splice(0)) call.fail(error);
  }

  /** Whether there is to be no link for now. */
  park(parked: boolean): void {
    this.#parked = parked;
    if (this.client >= 0) signal(this.client, parked ? 7 : 8);
  }

  close(): void {
    this.#closing = true;
    this.inputs.close({ code: "CLIENT_CLOSED", outcome: "not-applied", retryable: false });
    this.subscriptions.close();
    if (this.client >= 0) {
      this.#last ??= close(this.client);
      return this.doubts.close();
    }
    this.doubts.close();
    this.#enter({ ...this.#connection, state: "closed" });
    for (const call of this.#waiting.splice(0)) {
      call.refuse({ code: "CLIENT_CLOSED", outcome: "not-sent", retryable: false });
    }
  }

  /** The core is gone with all that it knew. Everything it had ends; with tables of another one, a link that was wanted is opened again. */
  crashed(error: McpError, calls: (Call | undefined)[], tables?: Tables): void {
    const { code, message, retryable, cause } = error;
    const before = this.#connection;
    const failure: Failure = { code, outcome: "not-applied", retryable, detail: "crashed", cause };
    const isWanted = !this.#parked && ["connecting", "ready", "reconnecting", "suspended"].includes(before.state);
    if (before.state === "ready") this.#lostAt = Date.now();
    this.#epochs = before.epoch;
    this.inputs.close(failure);
    for (const call of calls) call?.crashed({ ...failure, outcome: "not-sent" });
    const state = this.#closing ? "closed" : !tables ? "failed" : isWanted ? "reconnecting" : this.#parked ? "suspended" : "idle";
    this.#enter({ ...before, state, since: Date.now(), transport: null, attempt: 0, retryAt: null, reason: { code, message } });
    this.subscriptions.forget();
    this.events.emit("error", error);
    if (tables && isWanted) submit(this, CONNECT, "").catch((error) => this.#closing || this.events.emit("error", error));
  }

  failure(raw: RawFailure, call?: Call): Failure {
    // After a loss there is no transport any more: the one that was lost is meant.
    const transport = this.#connection.transport ?? this.#carrier;
    const url = (transport ?? (this.url ? "http" : "websocket")) === "http" ? this.url : this.webSocketUrl;
    return failureOf(raw, { url, transport: call && transport } as Partial<Failure>);
  }

  // ---- called by the snippet ----

  onState(
    state: ConnectionState,
    transport: Transport | "",
    era: "modern" | "legacy" | "",
    version: string,
    attempt: number,
    retry: number,
    epoch: number,
    cause: McpEventMap["suspended"]["cause"] | "",
    raw: RawFailure | null,
  ): void {
    const before = this.#connection;
    epoch += this.#epochs;
    let reason: DisconnectReason | null = null;
    if (raw) {
      const { code, message, closeCode, httpStatus } = errorFrom(this.failure(raw));
      reason = { code, message, closeCode, httpStatus } as DisconnectReason;
    }
    // The core counts on the monotonic clock; people and React compare with Date.now().
    const delay = Number.isNaN(retry) ? null : Math.max(0, retry - (this.clock ?? performance).now());
    const now = Date.now();
    this.#enter({
      state,
      since: state === before.state ? before.since : now,
      transport: transport || null,
      degraded: transport === "http" && !!this.webSocketUrl && this.#config.enableWebSocket !== false,
      era: era || null,
      protocolVersion: version || null,
      server: this.#server,
      attempt,
      retryAt: delay === null ? null : now + delay,
      reason,
      epoch,
      ...surroundings(),
    });
    if (cause && cause !== this.#cause) this.events.emit("suspended", { cause });
    this.#cause = cause;
    if (era) this.isModern = era === "modern";
    const fresh = epoch !== before.epoch;
    if (fresh) this.inputs.drop();
    this.subscriptions.onLink();
    const { events, logLevel } = this;
    if (fresh && state === "ready" && era === "legacy" && logLevel) {
      // Its session is a new one and knows nothing of it (P76).
      submit(this, 0, "logging/setLevel", { level: logLevel }).catch((error) => events.emit("error", error));
    }
    if (before.state === "ready" && state !== "ready") this.#lostAt = now;
    if (delay !== null && reason) events.emit("reconnecting", { attempt, delay, retryAt: now + delay, reason });
    if (state === "ready" && transport) {
      if (transport !== this.#carrier) {
        const from = this.#carrier;
        const cause = !from ? "initial" : transport === "http" ? "fallback" : "upgrade";
        this.#carrier = transport;
        events.emit("transport", { from, to: transport, cause });
      }
      if (this.#lostAt) events.emit("reconnected", { downFor: now - this.#lostAt, attempts: before.attempt, transport });
      this.#lostAt = 0;
    }
  }

  onSignal(): void {
    this.#enter({ ...this.#connection, ...surroundings() });
  }

  onServer(answer: Record<string, unknown> | null): void {
    this.#server = serverInfo(answer);
  }

  onNotification({ method, params }: { method: string; params?: Record<string, unknown> }): void {
    const notification = { method, params, receivedAt: Date.now() } as McpNotification;
    if (method === "notifications/cancelled") this.inputs.cancelled(params?.requestId, params?.reason);
    this.subscriptions.hear(notification);
    this.events.emit("notification", notification);
  }

  onRequest(link: number, message: { id: unknown; method: string; params?: Record<string, unknown> }): void {
    void this.inputs.serve(link, message);
  }

  onListen(phase: number, value: SubscriptionFilter | undefined): void {
    this.subscriptions.onListen(phase, value);
  }

  onBreaker(to: McpEventMap["breaker"]["to"]): void {
    const from = this.#breaker;
    this.#breaker = to;
    this.events.emit("breaker", { from, to });
  }

  onReplay(call: Call | undefined, id: number, attempt: number): void {
    if (call) this.events.emit("replay", { id: call.requestId, newId: String(id), method: call.method, attempt });
  }

  onStalled(call: Call | undefined, silent: number, flows: number): void {
    const { requestId: id, method = "subscriptions/listen" } = call ?? {};
    this.events.emit("stalled", { id, method, silent, hint: flows ? undefined : BUFFERED } as McpEventMap["stalled"]);
  }

  onLate(id: number, applied: number, value: unknown): void {
    this.doubts.late(id, !!applied, value);
  }

  /** Calls that are with the core; some places are empty. */
  flying(): readonly (Call | undefined)[] {
    return this.tables?.calls(this.client) ?? [];
  }

  /** What is known as of now. */
  numbers(): Numbers {
    const values = this.#last ?? (this.client < 0 ? undefined : metrics(this.client));
    const numbers = read(values, this.tables?.names ?? []);
    numbers.metrics.queuedRequests += this.#waiting.length + this.doubts.noting.size;
    return numbers;
  }

  /** Numbers that watchers of the store see have changed. */
  touch(): void {
    if (this.#touched) return;
    this.#touched = true;
    setTimeout(() => {
      this.#touched = false;
      this.doubts.sweep();
      this.store.changed();
      this.#feel();
    }, BEAT);
  }

  #enter(connection: Omit<ConnectionSnapshot, "latency">): void {
    const previous = this.#connection.state;
    this.#connection = connection;
    this.store.changed();
    this.#feel();
    if (connection.state !== previous) {
      this.events.emit("state", { previous, current: this.store.getSnapshot().connection });
    }
  }

  /** Tells whoever waits for the queue, and a change of health to whoever listens. */
  #feel(): void {
    this.queue.look();
    if (!this.events.has("health")) return;
    const { health } = this.numbers();
    if (health.status === this.#status) return;
    this.#status = health.status;
    this.events.emit("health", health);
  }

  #snapshot(): ClientSnapshot {
    const { latency, metrics } = this.numbers();
    const { queuedRequests: queued, activeRequests: active } = metrics;
    return { connection: { ...this.#connection, latency }, queued, active, inDoubt: this.doubts.list };
  }
}

declare const __VERSION__: string;

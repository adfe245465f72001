// The client as applications see it: MCP's methods by name over one `request`, state, metrics, events. No decision is made here.

import { reconnect } from "bowline-core";
import { CONNECT, NOTIFICATION, submit, type Finish } from "./call.js";
import { Cache } from "./cache.js";
import { Host } from "./host.js";
import { serverInfo } from "./outside.js";
import { all, items, type ListName } from "./lists.js";
import { finishTask } from "./tasks.js";
import { iterate } from "./events.js";
import type {
  AnyMcpEvent,
  CacheApi,
  CallToolOptions,
  CallToolResult,
  ClientMetrics,
  ClientSnapshot,
  CompleteOptions,
  Completion,
  CompletionReference,
  ConnectionSnapshot,
  ConnectionState,
  GetPromptResult,
  HealthReport,
  InDoubtCall,
  ListenerOptions,
  ListOptions,
  LoggingLevel,
  MCPClientConfig,
  McpEventMap,
  McpMethods,
  McpNotification,
  McpSubscription,
  PingResult,
  Prompt,
  QueueApi,
  ReadableStore,
  ReadResourceResult,
  RequestOptions,
  RequestPromise,
  Resource,
  ResourceTemplate,
  ServerInfo,
  SubscriptionFilter,
  Tool,
} from "./types.js";

const NONE: RequestOptions = {};
const TOOLS: ListName = ["tools/list", "tools"];
const RESOURCES: ListName = ["resources/list", "resources"];
const TEMPLATES: ListName = ["resources/templates/list", "resourceTemplates"];
const PROMPTS: ListName = ["prompts/list", "prompts"];

let made = 0;

/** Makes a client. Nothing is loaded and nothing is sent before the first call, `connect()`, or `autoConnect`. */
export function createClient(config: MCPClientConfig): McpClient {
  return new McpClient(config);
}

/** An MCP client. Its methods may be called in any state: calls wait for the connection they need. */
export class McpClient {
  readonly #host: Host;
  #cache: CacheApi | undefined;
  /** `config.id`, or a name of its own. */
  readonly id: string;
  /** What the client was made with. */
  readonly config: Readonly<MCPClientConfig>;

  /** @throws McpError `INVALID_CONFIG` when `serverUrl` is no http(s) or ws(s) URL, or an option of `replay` is wrong; other options are checked when the core is loaded. */
  constructor(config: MCPClientConfig) {
    this.config = config;
    this.id = config.id ?? `client-${++made}`;
    this.#host = new Host(config);
    config.cacheOptions?.persist?.watch(this);
    if (config.autoConnect) this.connect().catch((error) => this.#host.events.emit("error", error));
  }

  get state(): ConnectionState {
    return this.#host.state;
  }

  /** Frozen; the same object until something changes. */
  get connection(): ConnectionSnapshot {
    return this.#host.store.getSnapshot().connection;
  }

  /** The calls that wait for their turn. */
  get queue(): QueueApi {
    return this.#host.queue;
  }

  /** What is kept: to be looked at, set, dropped, and carried elsewhere. */
  get cache(): CacheApi {
    return (this.#cache ??= new Cache(this.#host));
  }

  /** For `useSyncExternalStore` and everything like it. */
  get store(): ReadableStore<ClientSnapshot> {
    return this.#host.store;
  }

  /**
   * Resolves when calls can flow. Joins an attempt in progress, ends the waiting for the next one, and starts again after a failure.
   * @throws McpError why there is no connection; the client goes on trying unless its state says otherwise.
   */
  async connect(options: { signal?: AbortSignal; timeout?: number } = NONE): Promise<ConnectionSnapshot> {
    const { signal, timeout } = options;
    await this.#submit(CONNECT, "", undefined, { signal, maxTotalTimeout: timeout } as RequestOptions);
    return this.connection;
  }

  /** Drops the link and opens a new one. Calls under way are treated as after any lost link. */
  reconnect(): Promise<ConnectionSnapshot> {
    if (this.#host.client >= 0) reconnect(this.#host.client);
    return this.connect();
  }

  /**
   * Closes the link and opens none until `resume()`, `connect()` or `reconnect()`; calls wait meanwhile, within their limits. Calls under
   * way are treated as after any lost link.
   */
  suspend(): void {
    this.#host.park(true);
  }

  /** Ends `suspend()`: the link is opened again if there was one. */
  resume(): void {
    this.#host.park(false);
  }

  /** Settles every call with `CLIENT_CLOSED`, ends the session and the link. Final. */
  async close(): Promise<void> {
    this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Calls any method of the server.
   * @throws McpError (as rejection); see `code` and `outcome`.
   */
  request<M extends keyof McpMethods>(method: M, params?: McpMethods[M]["params"], options?: RequestOptions): RequestPromise<McpMethods[M]["result"]>;
  request<T = unknown>(method: string, params?: object | null, options?: RequestOptions): RequestPromise<T>;
  request(method: string, params?: object | null, options: RequestOptions = NONE): RequestPromise<unknown> {
    return this.#submit(0, method, params, options);
  }

  /**
   * Sends a notification, as `notifications/roots/list_changed` to a legacy server that was told of roots; resolves when it was handed
   * over (WebSocket) or accepted (HTTP).
   */
  async notify(method: string, params?: object): Promise<void> {
    await this.#submit(NOTIFICATION, method, params, NONE);
  }

  /** Who the server is. A 2026-07-28 server is asked; what an older one said at the handshake is given again. Connects if need be. */
  async discover(options: RequestOptions = NONE): Promise<ServerInfo> {
    const { era, server } = await this.#connected(options);
    return era === "legacy" && server ? server : serverInfo(await this.request("server/discover", {}, options));
  }

  /** All tools, page after page; with `cursor`, the one page it names. */
  listTools(options?: ListOptions): Promise<Tool[]> {
    return all(this.#ask, TOOLS, options);
  }

  /** All resources, page after page; with `cursor`, the one page it names. */
  listResources(options?: ListOptions): Promise<Resource[]> {
    return all(this.#ask, RESOURCES, options);
  }

  /** All resource templates, page after page; with `cursor`, the one page it names. */
  listResourceTemplates(options?: ListOptions): Promise<ResourceTemplate[]> {
    return all(this.#ask, TEMPLATES, options);
  }

  /** All prompts, page after page; with `cursor`, the one page it names. */
  listPrompts(options?: ListOptions): Promise<Prompt[]> {
    return all(this.#ask, PROMPTS, options);
  }

  /** The tools one by one; a page is asked for when it is reached, so that a loop may end early. From `cursor` on: that page only. */
  tools(options?: ListOptions): AsyncGenerator<Tool, void> {
    return items(this.#ask, TOOLS, options);
  }

  /** As `tools()`. */
  resources(options?: ListOptions): AsyncGenerator<Resource, void> {
    return items(this.#ask, RESOURCES, options);
  }

  /** As `tools()`. */
  resourceTemplates(options?: ListOptions): AsyncGenerator<ResourceTemplate, void> {
    return items(this.#ask, TEMPLATES, options);
  }

  /** As `tools()`. */
  prompts(options?: ListOptions): AsyncGenerator<Prompt, void> {
    return items(this.#ask, PROMPTS, options);
  }

  /**
   * Calls a tool. A tool that fails says so in its result (`isError`); only a call that fails rejects. What it returns as
   * `structuredContent` is typed by `callTool<CallToolResult<Weather>>(...)`. With `protocol.tasks` the server may make a task of the
   * call, which is followed to its result; cancelling the call then cancels the task.
   */
  callTool<R = CallToolResult>(name: string, args: Record<string, unknown> = {}, options: CallToolOptions = NONE): RequestPromise<R> {
    return this.#submit<R>(0, "tools/call", { name, arguments: args }, options, this.#host.finishTool);
  }

  /**
   * Follows a task of an earlier call to its result, for example after a reload: its id comes with the `task` event. With
   * `toolDefinition` the result is checked as that of `callTool` is.
   */
  resumeTask<R = CallToolResult>(taskId: string, options: CallToolOptions = NONE): RequestPromise<R> {
    return this.#submit<R>(0, "tasks/get", { taskId }, options, finishTask);
  }

  readResource(uri: string, options?: RequestOptions): RequestPromise<ReadResourceResult> {
    return this.request("resources/read", { uri }, options);
  }

  getPrompt(name: string, args: Record<string, string> = {}, options?: RequestOptions): RequestPromise<GetPromptResult> {
    return this.request("prompts/get", { name, arguments: args }, options);
  }

  /**
   * Proposals for an argument's value, from what the user has typed so far. Not debounced: while the user types, wait a moment
   * before calling, and cancel the call before by its `signal`.
   * @throws McpError `CAPABILITY_NOT_SUPPORTED` when a legacy server completes nothing.
   */
  async complete(ref: CompletionReference, argument: { name: string; value: string }, { context, ...options }: CompleteOptions = NONE): Promise<Completion> {
    const params = { ref, argument, context: context && { arguments: context } };
    const { completion } = await this.request<{ completion: Completion }>("completion/complete", params, options);
    return completion;
  }

  /**
   * From which level on the server sends `notifications/message` (the `notification` event). Connects if need be: a legacy server is
   * told, and told again after each reconnect; a 2026-07-28 server reads it from each later request. Deprecated by MCP.
   * @throws McpError `CAPABILITY_NOT_SUPPORTED` when a legacy server does not log.
   */
  async setLogLevel(level: LoggingLevel, options: RequestOptions = NONE): Promise<void> {
    const { era } = await this.#connected(options);
    if (era === "legacy") await this.request("logging/setLevel", { level }, options);
    this.#host.logLevel = level;
  }

  /**
   * Asks the server to tell of changes, and goes on asking after each reconnect, until it is closed. Connects if need be. All
   * subscriptions of a client share one stream. A legacy server sends `list_changed` without being asked.
   */
  subscribe(filter: SubscriptionFilter, handler?: (notification: McpNotification) => void): McpSubscription {
    return this.#host.subscriptions.add(filter, handler);
  }

  /** One round trip: `ping`, or `server/discover` where the protocol has no ping. */
  async ping(options: { timeout?: number } = NONE): Promise<PingResult> {
    const start = performance.now();
    await this.request("ping", undefined, { ...options, useCache: false });
    return { latency: performance.now() - start, via: this.connection.transport ?? "http" };
  }

  /** Counters and gauges as of now. */
  metrics(): ClientMetrics {
    return this.#host.numbers().metrics;
  }

  /** How well things go, as real traffic shows; asks nobody. */
  health(): HealthReport {
    return this.#host.numbers().health;
  }

  /**
   * Makes one round trip, then as `health()`. A failed round trip is in the report, not an error.
   * @param options.timeout Milliseconds; 5000 when absent.
   */
  async checkHealth({ timeout = 5000 }: { timeout?: number } = NONE): Promise<HealthReport> {
    await this.request("ping", undefined, { timeout, maxTotalTimeout: timeout, useCache: false }).catch(() => {});
    return this.health();
  }

  /**
   * The calls with outcome `unknown`, oldest first, at most 256; with `journal` also those that the page before this one left behind.
   * Frozen; the same object until something changes.
   */
  inDoubt(): readonly InDoubtCall[] {
    return this.#host.doubts.list;
  }

  /** Takes a call off `inDoubt()`, because the application knows by now, or will not. Harmless for one that is not there. */
  settleInDoubt(id: string, verdict: "applied" | "not-applied" | "dismissed"): void {
    this.#host.doubts.settle(id, verdict, "user");
  }

  /** Adds a listener and returns what removes it. */
  on<E extends keyof McpEventMap>(event: E, listener: (detail: McpEventMap[E]) => void, options?: ListenerOptions): () => void {
    return this.#host.events.on(event, listener, options);
  }

  off<E extends keyof McpEventMap>(event: E, listener: (detail: McpEventMap[E]) => void): void {
    this.#host.events.off(event, listener);
  }

  /** The next event of this name. */
  once<E extends keyof McpEventMap>(event: E, options?: { signal?: AbortSignal }): Promise<McpEventMap[E]> {
    return this.#host.events.once(event, options);
  }

  /**
   * All events from now on, until `signal` aborts or the loop is left.
   * @param options.buffer How many wait for a slow reader; beyond that the oldest are dropped. 1000 when absent.
   */
  events(options?: { signal?: AbortSignal; buffer?: number }): AsyncIterableIterator<AnyMcpEvent> {
    return iterate(this.#host.events, options);
  }

  readonly #ask = (method: string, params: object, options: RequestOptions): Promise<unknown> => this.request(method, params, options);

  async #connected({ signal }: RequestOptions): Promise<ConnectionSnapshot> {
    return this.state === "ready" ? this.connection : this.connect(signal && { signal });
  }

  #submit<T>(kind: number, method: string, params: object | null | undefined, options: RequestOptions, finish?: Finish): RequestPromise<T> {
    return submit(this.#host, kind, method, params, options, finish);
  }
}

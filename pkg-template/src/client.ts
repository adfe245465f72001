// The client as applications see it: MCP's methods by name over one `request`, state, metrics, events. No decision is made here.

import { reconnect } from "bowline-core";
import { Call, CONNECT, NOTIFICATION, type Finish } from "./call.js";
import { Host } from "./host.js";
import { errorFrom } from "./errors.js";
import { finishTask, finishTool } from "./tasks.js";
import type {
  CallToolOptions,
  CallToolResult,
  ClientMetrics,
  ClientSnapshot,
  ConnectionSnapshot,
  ConnectionState,
  ListenerOptions,
  ListOptions,
  MCPClientConfig,
  McpEventMap,
  McpMethods,
  PingResult,
  ReadableStore,
  ReadResourceResult,
  RequestOptions,
  RequestPromise,
  Resource,
  ServerInfo,
  Tool,
} from "./types.js";

const NONE: RequestOptions = {};
/** More pages than this, or a cursor that comes back, is a server that counts in circles (P58). */
const MAX_PAGES = 1000;

/** Makes a client. Nothing is loaded and nothing is sent before the first call, `connect()`, or `autoConnect`. */
export function createClient(config: MCPClientConfig): McpClient {
  return new McpClient(config);
}

/** An MCP client. Its methods may be called in any state: calls wait for the connection they need. */
export class McpClient {
  readonly #host: Host;
  /** What the client was made with. */
  readonly config: Readonly<MCPClientConfig>;

  /** @throws McpError `INVALID_CONFIG` when `serverUrl` is no http(s) or ws(s) URL; other options are checked when the core is loaded. */
  constructor(config: MCPClientConfig) {
    this.config = config;
    this.#host = new Host(config);
    if (config.autoConnect) this.connect().catch((error) => this.#host.events.emit("error", error));
  }

  get state(): ConnectionState {
    return this.#host.state;
  }

  /** Frozen; the same object until something changes. */
  get connection(): ConnectionSnapshot {
    return this.#host.store.getSnapshot().connection;
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

  /** Sends a notification; resolves when it was handed over (WebSocket) or accepted (HTTP). */
  async notify(method: string, params?: object): Promise<void> {
    await this.#submit(NOTIFICATION, method, params, NONE);
  }

  /** Asks a 2026-07-28 server who it is; what older servers told is in `connection.server`. */
  discover(options?: RequestOptions): RequestPromise<ServerInfo> {
    return this.request("server/discover", {}, options);
  }

  /** All tools, page after page; with `cursor`, the one page it names. */
  listTools(options?: ListOptions): Promise<Tool[]> {
    return this.#list<Tool>("tools/list", "tools", options);
  }

  /** All resources, page after page; with `cursor`, the one page it names. */
  listResources(options?: ListOptions): Promise<Resource[]> {
    return this.#list<Resource>("resources/list", "resources", options);
  }

  /**
   * Calls a tool. A tool that fails says so in its result (`isError`); only a call that fails rejects. With `protocol.tasks` the server may
   * make a task of it, which is followed to its result; cancelling the call then cancels the task.
   */
  callTool<R = CallToolResult>(name: string, args: Record<string, unknown> = {}, options: CallToolOptions = NONE): RequestPromise<R> {
    const { toolDefinition } = options;
    if (toolDefinition) this.#host.tools.learn({ tools: [toolDefinition] }, this.#host.isModern);
    return this.#submit<R>(0, "tools/call", { name, arguments: args }, options, finishTool);
  }

  /**
   * Follows a task of an earlier call to its result, for example after a reload: its id comes with the `task` event. With
   * `toolDefinition` the result is validated as that of `callTool`.
   */
  resumeTask<R = CallToolResult>(taskId: string, options: CallToolOptions = NONE): RequestPromise<R> {
    return this.#submit<R>(0, "tasks/get", { taskId }, options, finishTask);
  }

  readResource(uri: string, options?: RequestOptions): RequestPromise<ReadResourceResult> {
    return this.request("resources/read", { uri }, options);
  }

  /** One round trip: `ping`, or `server/discover` where the protocol has no ping. */
  async ping(options: { timeout?: number } = NONE): Promise<PingResult> {
    const start = performance.now();
    await this.request("ping", undefined, { ...options, useCache: false });
    return { latency: performance.now() - start, via: this.connection.transport ?? "http" };
  }

  /** Counters and gauges as of now. */
  metrics(): ClientMetrics {
    const { latency: _, ...metrics } = this.#host.metrics();
    return metrics;
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

  #submit<T>(
    kind: number,
    method: string,
    params: object | null | undefined,
    options: RequestOptions,
    finish: Finish | undefined = method === "tools/list" ? learn : undefined,
  ): RequestPromise<T> {
    const call = new Call(this.#host, kind, method, params, options, finish);
    this.#host.submit(call);
    return call.promise as RequestPromise<unknown> as RequestPromise<T>;
  }

  async #list<T>(method: string, member: string, { cursor, ...options }: ListOptions = NONE): Promise<T[]> {
    const items: T[] = [];
    const seen = new Set<string>();
    let next: string | undefined = cursor;
    do {
      const page: Record<string, unknown> | null = await this.request(method, next === undefined ? {} : { cursor: next }, options);
      const part = page?.[member];
      if (!Array.isArray(part)) throw invalid(method, `the result has no list of ${member}`);
      items.push(...(part as T[]));
      // Any text is a cursor, the empty one too; only its absence ends the list (P58).
      next = typeof page?.nextCursor === "string" ? page.nextCursor : undefined;
      if (next === undefined || cursor !== undefined) return items;
      if (seen.has(next) || seen.size >= MAX_PAGES) throw invalid(method, "the pages go round in circles");
      seen.add(next);
    } while (true);
  }
}

/** However a list of tools was asked for, what it says is learned, and what must not be used is left out of it. */
const learn: Finish = (result, { host }) => host.tools.learn(result, host.isModern);

function invalid(method: string, detail: string): Error {
  return errorFrom({ code: "INVALID_RESULT", outcome: "not-applied", retryable: false, method, detail });
}

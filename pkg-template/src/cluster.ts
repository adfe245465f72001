// The sub-path entry `bowline/cluster`: many servers as one. What applications see; no decision is made here.

import type { McpClient } from "./client.js";
import { ClusterHost } from "./cluster-host.js";
import { Routing, type Send } from "./cluster-route.js";
import { countersOf } from "./cluster-counters.js";
import type { CallToolResult, HealthReport, ListenerOptions, McpMethods, ReadableStore } from "./types.js";
import type {
  ClusterEventMap,
  ClusterForecast,
  ClusterSnapshot,
  DistributedMCPConfig,
  DistributedMetrics,
  NodeStatus,
  RouteOptions,
  RoutePromise,
  RouteToolOptions,
  SessionHandle,
  StateStore,
} from "./types-cluster.js";

export { stateScripts } from "./state.js";
export type * from "./types-cluster.js";

const NONE: RouteOptions = {};

/**
 * Makes a cluster. Nothing is loaded and nothing is sent before the first call or `connect()`.
 * @throws McpError `INVALID_CONFIG` that names the option which is wrong.
 */
export function createCluster(config: DistributedMCPConfig): DistributedMcp {
  return new DistributedMcp(config);
}

/** Many MCP servers as one. Each has a client of its own, whose calls the cluster makes; which one gets a call, and what happens when that fails, is decided here. */
export class DistributedMcp {
  readonly #host: ClusterHost;
  /** What the cluster was made with. */
  readonly config: Readonly<DistributedMCPConfig>;

  /** @throws McpError `INVALID_CONFIG` that names the option which is wrong. */
  constructor(config: DistributedMCPConfig) {
    this.config = config;
    this.#host = new ClusterHost(config);
  }

  /** For `useSyncExternalStore` and everything like it. */
  get store(): ReadableStore<ClusterSnapshot> {
    return this.#host.store;
  }

  /**
   * Learns the nodes and opens the first links; resolves when one is up. Not needed before a call.
   * @throws McpError `NO_HEALTHY_NODE` or `DISCOVERY_FAILED`; the cluster goes on trying.
   */
  connect(): Promise<void> {
    return this.#host.connect();
  }

  /** Settles every call with `CLIENT_CLOSED` and ends all links. Final. */
  async close(): Promise<void> {
    this.#host.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Calls any method on a node that the cluster chooses. When that fails, what may be executed twice (methods that read, and what
   * `client.replay` or the options vouch for) goes to another; a call with side effects does only when the first certainly did not
   * execute it.
   * @throws McpError (as rejection) of the last node that was asked; `NO_HEALTHY_NODE`, `CIRCUIT_OPEN` or `DISCOVERY_FAILED` when none could be.
   */
  route<M extends keyof McpMethods>(method: M, params?: McpMethods[M]["params"], options?: RouteOptions): RoutePromise<McpMethods[M]["result"]>;
  route<T = unknown>(method: string, params?: object | null, options?: RouteOptions): RoutePromise<T>;
  route(method: string, params?: object | null, options: RouteOptions = NONE): RoutePromise<unknown> {
    return this.#submit(method, params, options, (client, own) => client.request(method, params, own));
  }

  /** As `callTool` of a client, on a node that the cluster chooses. */
  callTool<R = CallToolResult>(name: string, args: Record<string, unknown> = {}, options: RouteToolOptions = NONE): RoutePromise<R> {
    const params = { name, arguments: args };
    return this.#submit("tools/call", params, options, (client, own) => client.callTool(name, args, own));
  }

  /** The nodes there are, with what is known of them. */
  nodes(): readonly NodeStatus[] {
    return this.#host.statuses();
  }

  /**
   * The client of one node, for what concerns only that: its events, subscriptions, calls in doubt. Calls made with it know nothing of
   * other nodes, and reject at once without a link.
   * @throws McpError `INVALID_CONFIG` when no node has that name.
   */
  client(nodeId: string): McpClient {
    return this.#host.find(nodeId).client;
  }

  /**
   * Gives a node nothing new any more; resolves when it has finished what it has.
   * @throws McpError `INVALID_CONFIG` (as rejection) when no node has that name.
   */
  async drain(nodeId: string): Promise<void> {
    const node = this.#host.find(nodeId);
    this.#host.drain(node, true);
    await node.idle();
  }

  /** Ends `drain`. */
  undrain(nodeId: string): void {
    this.#host.drain(this.#host.find(nodeId), false);
  }

  /**
   * Gives a node no call, whatever happens, until `release()`.
   * @throws McpError `INVALID_CONFIG` when no node has that name.
   */
  isolate(nodeId: string): { release(): void } {
    const node = this.#host.find(nodeId);
    this.#host.isolate(node, true);
    return { release: () => this.#host.isolate(node, false) };
  }

  /** What is shared in a session's name, and where the session lives. */
  session(sessionId: string): SessionHandle {
    const { state } = this.#host;
    const session = () => state.session(sessionId);
    return {
      id: sessionId,
      get node() {
        return session().node;
      },
      get: (key, options) => session().get(key, options),
      set: (key, value, ttl) => session().set(key, value, ttl),
      delete: (key) => session().delete(key),
      unpin: () => this.#host.unpin(sessionId),
    };
  }

  /** What the clients of the cluster share: values, locks, limits. */
  get state(): StateStore {
    return this.#host.state.store;
  }

  /** How many calls to expect, by those of the past, and how many nodes they need. */
  forecast(): ClusterForecast {
    return this.#host.forecast();
  }

  /** Counters and gauges as of now. */
  metrics(): DistributedMetrics {
    const byNode = [...this.#host.nodes.values()].flatMap(({ id, known }) => (known ? [[id, known.metrics()] as const] : []));
    return { ...countersOf(this.#host.metrics(), this.#host.nodes.size), byNode: Object.fromEntries(byNode) };
  }

  /** How well the cluster does, as real traffic shows; asks nobody. */
  health(): HealthReport {
    return this.#host.health();
  }

  /** Adds a listener and returns what removes it. */
  on<E extends keyof ClusterEventMap>(event: E, listener: (detail: ClusterEventMap[E]) => void, options?: ListenerOptions): () => void {
    return this.#host.events.on(event, listener, options);
  }

  off<E extends keyof ClusterEventMap>(event: E, listener: (detail: ClusterEventMap[E]) => void): void {
    this.#host.events.off(event, listener);
  }

  /** The next event of this name. */
  once<E extends keyof ClusterEventMap>(event: E, options?: { signal?: AbortSignal }): Promise<ClusterEventMap[E]> {
    return this.#host.events.once(event, options);
  }

  #submit<T>(method: string, params: object | null | undefined, options: RouteOptions, send: Send): RoutePromise<T> {
    const routing = new Routing(this.#host, method, params, options, send);
    this.#host.submit(routing);
    return routing.promise as RoutePromise<unknown> as RoutePromise<T>;
  }
}

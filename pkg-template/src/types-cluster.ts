// The public types of a cluster at work: calls, nodes, events, counters. Types only; the configuration is in config-cluster.ts.

import type { McpError } from "./errors.js";
import type { CallToolOptions, ClientMetrics, ConnectionSnapshot, HealthReport, Outcome, RequestOptions, RequestPromise } from "./types.js";
import type { ClusterNode } from "./config-cluster.js";

export type * from "./config-cluster.js";
export type * from "./state-config.js";
export type * from "./types-state.js";
export type { SessionHandle } from "./state-session.js";

/** Options of one call through a cluster. `timeout` is for all its attempts together. */
export interface RouteOptions extends RequestOptions {
  /**
   * The session it belongs to: any text. Calls of one session go to the same node from every client of the cluster, as long as that node
   * is well; then to another one, which is the same for all again.
   */
  sessionId?: string;
  /** The node to take if it is well. */
  preferredNode?: string;
  /** Nodes not to take. */
  excludeNodes?: string[];
  /** Instead of `region` of the configuration, for this call. */
  region?: string;
  /** Starts a second attempt beside the first after so long, if the call may be executed twice. Milliseconds. */
  hedgeAfter?: number;
}

/** Options of a tool call through a cluster. */
export interface RouteToolOptions extends RouteOptions, Omit<CallToolOptions, keyof RequestOptions> {}

/** A promise of the result, with a hold on the call behind it. */
export interface RoutePromise<T> extends RequestPromise<T> {
  /** The node that answered, or that failed last. Rejects as the call does when it reached none. */
  readonly node: Promise<string>;
}

/** A node at one moment. */
export interface NodeStatus extends ClusterNode {
  /** As real calls of this client show; `unknown` for one that was never called. */
  readonly health: HealthReport;
  /** `closed`: it may be given calls. `open`: not for a while. `half-open`: a probe decides. `isolated`: the application said no. */
  readonly breaker: "closed" | "open" | "half-open" | "isolated";
  /** It just failed and gets calls only when no other can. */
  readonly suspect: boolean;
  /** It finishes what it has and gets nothing new: `drain`. */
  readonly draining: boolean;
  /** Attempts under way. */
  readonly active: number;
  /** Of its answers, the slow ones remembered longer. Milliseconds; null before the first. */
  readonly latency: number | null;
  readonly connection: ConnectionSnapshot;
}

/** What a view needs, at one moment. Frozen; the same object until something changes. */
export interface ClusterSnapshot {
  readonly nodes: readonly NodeStatus[];
  /** How many may be given calls. */
  readonly healthy: number;
  /** `at`: when nodes were last learnt, as of `Date.now()`; 0 for never. `stale`: what is known since then may be wrong. */
  readonly discovery: { readonly ok: boolean; readonly at: number; readonly stale: boolean };
}

/** Counters since creation, except those of nodes and `throughput`, which are of this moment. Times are milliseconds. */
export interface DistributedMetrics {
  totalNodes: number;
  /** Those that may be given calls. */
  healthyNodes: number;
  totalRequests: number;
  /** Answered by a node, be it with an error in words. */
  successfulRequests: number;
  /** From creation to settle, over the answered calls, all attempts together. */
  averageLatency: number;
  /** How often a node was left alone. */
  circuitBreakerTrips: number;
  /** Answered calls per second, over the last ten seconds. */
  throughput: number;
  /** Attempts on another node, after a failure or beside a slow one. */
  failovers: number;
  /** Second attempts beside a slow first. */
  hedges: number;
  /** Those of them that answered first. */
  hedgesWon: number;
  /** Calls of a session that went where it lives. */
  stickyHits: number;
  /** How unevenly calls are spread for the weights: standard deviation by mean. */
  balanceCv: number;
  /** Attempts that were not made because too many of late were second ones. */
  budgetExhausted: number;
  /** Choices that ignored health, since too few nodes were left. */
  panics: number;
  /** Calls refused here, because all nodes refuse, or because so much is under way and late. */
  throttled: number;
  /** Since the source of nodes was heard. Milliseconds; null before, and for a list. */
  discoveryAge: number | null;
  /** From creation to settle, over the answered calls. Milliseconds. */
  latency: { p50: number; p95: number; p99: number };
  /** Of the nodes that were ever spoken to. */
  byNode: Record<string, ClientMetrics>;
}

/** What is expected in one bin. Calls per second. */
export interface ForecastPoint {
  /** Of the bin that ends so long after the last full one. Milliseconds. */
  after: number;
  rate: number;
  /** Nine of ten bins lie between this */
  low: number;
  /** and this. */
  high: number;
}

/** What this client's calls will be like, by what they were. Advice: nothing acts on it. */
export interface ClusterForecast {
  /** Length of a bin. Milliseconds. */
  bin: number;
  /** Full bins seen. */
  observed: number;
  /** One bin and twelve bins ahead; empty as long as there is too little to go by. */
  total: ForecastPoint[];
  /** Of the nodes that had calls of late. */
  byNode: Record<string, ForecastPoint[]>;
  /** How many nodes carry the higher of the upper bounds; null without `nodeRate`, without a forecast, or when no number does. */
  nodesNeeded: number | null;
}

/** Event names and what their listeners receive. */
export interface ClusterEventMap {
  /** A node may be given calls (again). */
  nodeUp: NodeStatus;
  /** It may not any more. */
  nodeDown: NodeStatus;
  /** A node is left alone, tried, or called as usual. */
  breaker: { node: string; from: NodeStatus["breaker"]; to: NodeStatus["breaker"] };
  /** Nodes came or went. */
  discovery: { added: string[]; removed: string[]; source: string };
  /** A call went on to another node; `outcome` is what the first did with it. */
  failover: { from: string; to: string; method: string; outcome: Outcome };
  /** Something failed that no promise tells about. */
  error: McpError;
}

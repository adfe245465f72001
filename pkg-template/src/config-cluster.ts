// The configuration of a cluster: every option with its unit, default and danger. Types only; cluster-options.ts checks the values, the core
// has the defaults that `@default` names. Delays are milliseconds.

import type { MCPClientConfig } from "./config.js";
import type { StateManagementConfig } from "./state-config.js";

/** One server of a cluster. */
export interface ClusterNode {
  /** Its name: any text, unique in the cluster. Sessions are placed by it, so it should outlive the node's address. */
  id: string;
  /** Address of its MCP endpoint, as `MCPClientConfig.serverUrl`. */
  url: string;
  /**
   * Its share of the calls, relative to the others'. 0 serves only when nobody else can. Danger: with machines of different size and no
   * weights the small ones drown; clients see too little of the whole to find that out themselves.
   * @default 1
   */
  weight?: number;
  /** Where it stands, at large, as `DistributedMCPConfig.region` says where the client does. */
  region?: string;
  /** And within the region. */
  zone?: string;
  /** Words of its own, for whoever looks at `nodes()`. */
  tags?: readonly string[];
}

/** What `createCluster` accepts. */
export interface DistributedMCPConfig {
  /** Names the cluster in events, keys of shared state and the names of its clients. */
  clusterName: string;
  /** Where nodes are learnt from: a list, a function of yours, a Consul agent, an etcd. */
  discoveryMethod: "static" | "custom" | "consul" | "etcd";
  /** The details of that. */
  discoveryConfig: ClusterDiscoveryConfig;
  /**
   * Who gets a call. All but `"random"` mind the weights; a call with a `sessionId` goes where its session lives, whatever is said here.
   * - `"adaptive"`: two by chance, of which the one with less load and latency, as far as that is known and fresh.
   * - `"p2c"`: the same.
   * - `"round-robin"`: one after the other, from a random start.
   * - `"least-connections"`: two by chance, of which the one with fewer calls of this client.
   * - `"weighted"`: by chance.
   * - `"sticky"`: as `"adaptive"`; sessions keep their node even when it is busier than others.
   * - `"latency"`: two by chance, of which the faster.
   * - `"random"`: by chance, all alike.
   * @default "adaptive"
   */
  loadBalancingStrategy?: "adaptive" | "p2c" | "round-robin" | "least-connections" | "weighted" | "sticky" | "latency" | "random";
  /** When a node is left alone. */
  circuitBreakerConfig?: ClusterBreakerConfig;
  /** How nodes are asked whether they live. */
  healthCheckConfig?: HealthCheckConfig;
  /** What happens to a call whose node fails. */
  failover?: FailoverConfig;
  /**
   * A second attempt of a slow call beside the first, on another node; the first answer counts. Only for calls that may be executed twice,
   * and at most one in twenty. Danger: more load, at the moment when there is too much.
   * @default none
   */
  hedge?: HedgeConfig;
  /**
   * Where this client stands, in the words of the nodes' `region`: nodes there go first, others when too few of those are well.
   * @default nowhere: all regions are alike
   */
  region?: string;
  /** And within the region, in the words of the nodes' `zone`. */
  zone?: string;
  /**
   * Where calls with side effects go as long as somebody there is well: read nearest, write home.
   * @default where reads go
   */
  homeRegion?: string;
  /** What `forecast()` counts with. */
  forecastConfig?: ForecastConfig;
  /**
   * What the clients of a cluster share: where sessions live, values kept for them, locks, limits. Calls are routed without it.
   * @default the memory of this cluster object
   */
  stateManagementConfig?: StateManagementConfig;
  /**
   * How every node is spoken to, as `createClient`. `timeout` and `maxTotalTimeout` are those of a call in all, however many nodes it visits;
   * answers are not kept unless `enableCaching` says so: each node would keep its own. Whom to call again, and when, is the cluster's to
   * decide: of `replay` only what may be executed twice is used.
   */
  client?: ClusterClientConfig;
}

/** A client's configuration without what the cluster decides. */
export type ClusterClientConfig = Omit<MCPClientConfig, "serverUrl" | "id" | "autoConnect" | "circuitBreaker">;

/** Where nodes are learnt from. */
export interface ClusterDiscoveryConfig {
  /** `consul`, `etcd`: addresses of agents, one after the other when one fails. `static`: addresses of nodes, when `nodes` names none. */
  endpoints?: string[];
  /**
   * `consul`: the service. `etcd`: what the keys of all nodes begin with, as `/mcp/prod/nodes/`; the rest of a key is the node's id, its value JSON:
   * `{ "url": ..., "weight": ..., "region": ..., "zone": ... }`.
   */
  serviceName?: string;
  /** `consul`: only nodes with all of these tags. */
  tags?: string[];
  /**
   * `consul`: only nodes whose checks all pass; `false` takes those that warn too, with their weight for that.
   * @default true
   */
  passing?: boolean;
  /**
   * `consul`: instead of the agent's own.
   * @default that of the agent
   */
  datacenter?: string;
  /**
   * `consul`: an ACL token. `etcd`: a token, instead of `user` and `password`. A function is asked whenever one is needed. Danger: every
   * script of the page can read it; let it only read.
   */
  token?: string | (() => string | Promise<string>);
  /** `etcd`: a user who may read below the prefix. Danger: as `token`. */
  user?: string;
  password?: string;
  /** Headers for what stands before the source. Danger: each makes the browser ask for leave first (CORS), and etcd by itself grants it for none. */
  headers?: Record<string, string>;
  /**
   * Whether the nodes are kept in the local storage of the page's origin (workers and Node have none), so that a page that is opened while
   * the source is down has somewhere to go; for a day.
   * @default false
   */
  lastKnownGood?: boolean;
  /** `static`: the nodes. Others: those to begin with. */
  nodes?: ClusterNode[];
  /**
   * `custom`: gives all nodes there are. Reject when you cannot tell: the nodes of before stay. An empty list is believed when it comes
   * three times in a row.
   */
  discover?: (signal: AbortSignal) => Promise<ClusterNode[]> | ClusterNode[];
  /**
   * How often a source is asked that cannot say when something changed. Milliseconds.
   * @default 30000
   */
  refreshInterval?: number;
  /**
   * `consul`, `etcd`: whether to wait for changes (blocking query, watch) instead of asking now and then. Danger: each watch holds one of the
   * six connections that browsers open to an HTTP/1.1 origin.
   * @default true
   */
  watch?: boolean;
}

/**
 * When a node is left alone: it gets no calls for a while, then one probe. A failure is a call that was sent and got no answer, a malformed
 * one, or a status from 500 on; 429 and 503 are not, nor is what happens to the network on this side.
 */
export interface ClusterBreakerConfig {
  /** Whether nodes are ever left alone. */
  enabled: boolean;
  /**
   * Failures in a row that open it. A count.
   * @default 3
   */
  failureThreshold?: number;
  /**
   * How long it stays open, exactly.
   * @default 5000, by chance half of it to all, and twice as long each time, up to five minutes
   */
  resetTimeout?: number;
  /**
   * What opens it: failures in a row, their share of the calls of the last ten seconds, or either.
   * @default "either"
   */
  mode?: "consecutive" | "rate" | "either";
  /**
   * The share that opens it, 0 to 1.
   * @default 0.5
   */
  errorRate?: number;
  /**
   * Fewer calls than this in ten seconds make no share. A count.
   * @default 10
   */
  minimumRequests?: number;
  /**
   * Whether a call without an answer in time is a failure.
   * @default true
   */
  countTimeouts?: boolean;
  /**
   * Probes in a row that close it. A count.
   * @default 2
   */
  successThreshold?: number;
}

/** How nodes are asked whether they live. Real calls tell most; only nodes that failed are asked unless `interval` is set. */
export interface HealthCheckConfig {
  /**
   * How often every node with a link is asked, while somebody can see the page. Milliseconds; 0 asks only those that failed. Danger: a
   * million pages that ask five nodes each every 30 s are 167,000 requests a second.
   * @default 0
   */
  interval?: number;
  /**
   * How long a node may take to answer. Milliseconds.
   * @default 5000
   */
  timeout?: number;
  /**
   * Answers in a row that make it healthy again. A count.
   * @default 1
   */
  healthyThreshold?: number;
  /**
   * Failures in a row that make it unhealthy. A count.
   * @default 2
   */
  unhealthyThreshold?: number;
}

/** What happens to a call whose node fails. */
export interface FailoverConfig {
  /**
   * Most nodes one call visits, the first included. A count.
   * @default 3
   */
  maxNodes?: number;
  /**
   * Whether a call with side effects may go to another node when the first has certainly not executed it (it was never sent, or refused).
   * When nobody can tell it never does: it rejects with outcome `unknown`.
   * @default "when-not-sent"
   */
  unsafe?: "never" | "when-not-sent";
}

/** What a forecast of the load counts with. Nothing acts on it. */
export interface ForecastConfig {
  /**
   * Calls are counted in bins of this length; one and twelve of them are looked ahead. Milliseconds. Danger: bins below five minutes lose sight
   * of the week, below 43 s of the day.
   * @default 300000
   */
  bin?: number;
  /**
   * Calls per second that one node serves when it has no pause, for `nodesNeeded`.
   * @default unknown, and so is what is needed
   */
  nodeRate?: number;
  /**
   * How many calls a node works on at once. A count.
   * @default 1
   */
  nodeWorkers?: number;
  /** There are enough nodes when 99 of 100 calls are answered in so many milliseconds; */
  targetP99?: number;
  /**
   * without that, when each is busy for at most this share of the time, 0 to 1.
   * @default 0.7
   */
  targetUtilisation?: number;
}

/** When a second attempt starts. */
export interface HedgeConfig {
  /** After so many milliseconds, or after the time within which 95 of 100 answers came so far. */
  after: number | "p95";
  /**
   * For these methods only.
   * @default all that may be executed twice
   */
  methods?: string[];
}

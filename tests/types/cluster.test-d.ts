// A cluster as the type checker sees it: what `createCluster` accepts and refuses, and what comes back.
import type { CallToolResult, ClientMetrics, HealthReport, ListToolsResult, McpClient, McpError, Outcome, Progress, ReadableStore, RequestPromise } from "bowline";
import {
  createCluster,
  DistributedMcp,
  stateScripts,
  type ClusterForecast,
  type ClusterNode,
  type ClusterSnapshot,
  type DistributedMCPConfig,
  type DistributedMetrics,
  type NodeStatus,
  type RouteOptions,
  type RoutePromise,
  type SessionHandle,
  type StateStore,
} from "bowline/cluster";
import { exactly } from "./expect.js";

// The example of the specification, word for word.
const config: DistributedMCPConfig = {
  clusterName: "production-cluster",
  discoveryMethod: "consul",
  discoveryConfig: {
    endpoints: ["http://consul:8500"],
    serviceName: "mcp-server",
  },
  loadBalancingStrategy: "least-connections",
  circuitBreakerConfig: {
    enabled: true,
    failureThreshold: 5,
    resetTimeout: 60000,
  },
  stateManagementConfig: {
    provider: "redis",
    endpoints: ["redis://cluster:6379"],
  },
};
const cluster = createCluster(config);
exactly<DistributedMcp>()(cluster);
const result = cluster.route("api.method", {}, { sessionId: "user-123", preferredNode: "node-west-1" });
exactly<RoutePromise<unknown>>()(result);

// Every option there is.
createCluster({
  clusterName: "all",
  discoveryMethod: "custom",
  discoveryConfig: {
    endpoints: ["https://a.example.com/mcp"],
    nodes: [{ id: "a", url: "https://a.example.com/mcp", weight: 2, region: "eu", zone: "1", tags: ["blue"] }],
    discover: async (signal: AbortSignal) => (signal.aborted ? [] : [{ id: "a", url: "https://a.example.com/mcp" }]),
    serviceName: "mcp",
    tags: ["blue"],
    passing: false,
    datacenter: "dc1",
    token: async () => "token",
    user: "reader",
    password: "secret",
    headers: { "x-proxy": "1" },
    refreshInterval: 10_000,
    watch: false,
    lastKnownGood: true,
  },
  loadBalancingStrategy: "p2c",
  circuitBreakerConfig: {
    enabled: true,
    failureThreshold: 5,
    resetTimeout: 60_000,
    mode: "either",
    errorRate: 0.5,
    minimumRequests: 10,
    countTimeouts: true,
    successThreshold: 2,
  },
  healthCheckConfig: { interval: 30_000, timeout: 5_000, healthyThreshold: 1, unhealthyThreshold: 2 },
  failover: { maxNodes: 2, unsafe: "never" },
  hedge: { after: "p95", methods: ["tools/list"] },
  region: "eu",
  zone: "1",
  homeRegion: "eu",
  forecastConfig: { bin: 60_000, nodeRate: 100, nodeWorkers: 4, targetP99: 200, targetUtilisation: 0.7 },
  stateManagementConfig: { provider: "memory", keyPrefix: "mcp:", ttl: 60_000, timeout: 1_000, headers: { authorization: "Bearer t" }, region: "eu" },
  client: { timeout: 10_000, enableCaching: true, replay: { idempotentTools: ["look"] } },
});

const base = { clusterName: "c", discoveryMethod: "static", discoveryConfig: { nodes: [] as ClusterNode[] } } as const;
// @ts-expect-error a cluster has a name
createCluster({ discoveryMethod: "static", discoveryConfig: {} });
// @ts-expect-error there is no such source
createCluster({ ...base, discoveryMethod: "dns" });
// @ts-expect-error there is no such strategy
createCluster({ ...base, loadBalancingStrategy: "best" });
// @ts-expect-error each node has its own address
createCluster({ ...base, client: { serverUrl: "https://a.example.com/mcp" } });
// @ts-expect-error the cluster has a breaker for each node
createCluster({ ...base, client: { circuitBreaker: { enabled: true } } });
// @ts-expect-error a node has a name
createCluster({ ...base, discoveryConfig: { nodes: [{ url: "https://a.example.com/mcp" }] } });

// Calls: those of the protocol by their names, others as the caller says.
exactly<RoutePromise<ListToolsResult>>()(cluster.route("tools/list"));
exactly<RoutePromise<{ value: number }>>()(cluster.route<{ value: number }>("own/method", { a: 1 }));
exactly<RoutePromise<CallToolResult>>()(cluster.callTool("look"));
exactly<Promise<string>>()(cluster.route("tools/list").node);
cluster.route("tools/list") satisfies RequestPromise<unknown>;
({
  sessionId: "s",
  preferredNode: "a",
  excludeNodes: ["b"],
  region: "eu",
  hedgeAfter: 100,
  priority: "high",
  timeout: 1_000,
  signal: new AbortController().signal,
  onProgress: (progress: Progress) => void progress.total,
  idempotent: true,
}) satisfies RouteOptions;
// @ts-expect-error options of a tool call are checked
cluster.callTool("look", {}, { sessionID: "s" });

// Nodes, counters, forecast.
exactly<readonly NodeStatus[]>()(cluster.nodes());
exactly<"closed" | "open" | "half-open" | "isolated" | undefined>()(cluster.nodes()[0]?.breaker);
exactly<McpClient>()(cluster.client("a"));
exactly<Promise<void>>()(cluster.drain("a"));
exactly<{ release(): void }>()(cluster.isolate("a"));
exactly<DistributedMetrics>()(cluster.metrics());
exactly<Record<string, ClientMetrics>>()(cluster.metrics().byNode);
exactly<HealthReport>()(cluster.health());
exactly<ReadableStore<ClusterSnapshot>>()(cluster.store);
exactly<ClusterForecast>()(cluster.forecast());
exactly<Promise<void>>()(cluster.connect());

// Shared state.
exactly<SessionHandle>()(cluster.session("user-123"));
exactly<string | null>()(cluster.session("user-123").node);
exactly<Promise<number | undefined>>()(cluster.session("user-123").get<number>("count"));
exactly<StateStore>()(cluster.state);
stateScripts satisfies object;

// Events.
const stop = cluster.on("nodeUp", (node) => exactly<NodeStatus>()(node));
exactly<() => void>()(stop);
cluster.on("breaker", ({ node, from, to }) => [node, from, to] satisfies string[]);
cluster.on("discovery", ({ added, removed, source }) => [...added, ...removed, source] satisfies string[]);
cluster.on("failover", ({ outcome }) => exactly<Outcome>()(outcome), { once: true });
cluster.once("error").then((error) => exactly<McpError>()(error));
// @ts-expect-error there is no such event
cluster.on("gone", () => {});

await using disposed = createCluster(config);
exactly<DistributedMcp>()(disposed);

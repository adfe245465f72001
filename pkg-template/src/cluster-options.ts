// A cluster's configuration as the numbers of its core, and what is wrong with it. The order of the numbers is known here and in
// src/bindings/cluster/options.rs only; NaN stands for the core's default.

import { errorFrom, type McpError } from "./errors.js";
import { given } from "./cluster-custom.js";
import type { DiscoveredNode } from "./cluster-source.js";
import type { DistributedMCPConfig } from "./types-cluster.js";

const STRATEGIES: readonly string[] = ["adaptive", "round-robin", "least-connections", "weighted", "sticky", "latency", "random", "p2c"];
const SOURCES: readonly string[] = ["static", "custom", "consul", "etcd"];
const MODES: readonly string[] = ["either", "consecutive", "rate"];
const WAYS: readonly string[] = ["never", "when-not-sent"];
/** Milliseconds a call may take when nobody says. */
const TIMEOUT = 60_000;
const MAX_TOTAL = 300_000;

export function invalid(detail: string): McpError {
  return errorFrom({ code: "INVALID_CONFIG", outcome: "not-sent", retryable: false, detail });
}

/** Reads options by their paths; throws an error that names the option which is wrong. */
class Options {
  readonly #config: object;

  constructor(config: object) {
    this.#config = config;
  }

  at(path: string): unknown {
    return path.split(".").reduce<unknown>((node, key) => (node as Record<string, unknown> | null | undefined)?.[key], this.#config);
  }

  /** A number from `least` on, NaN when absent. */
  number(path: string, least = 0): number {
    const value = this.at(path);
    if (value === undefined) return NaN;
    if (typeof value !== "number" || !(value >= least)) throw invalid(`${path} must be a number from ${least} on`);
    return value;
  }

  flag(path: string): number {
    const value = this.at(path);
    if (value !== undefined && typeof value !== "boolean") throw invalid(`${path} must be true or false`);
    return value === undefined ? NaN : +value;
  }

  choice(path: string, names: readonly string[]): number {
    const value = this.at(path);
    const index = names.indexOf(value as string);
    if (value !== undefined && index < 0) throw invalid(`${path} must be one of ${names.join(", ")}`);
    return value === undefined ? NaN : index;
  }
}

/** How long a call may take in all; with `open` also while its server asks or tells of progress. */
export function timeoutOf({ client = {} }: DistributedMCPConfig, given: number | undefined, open: boolean): number {
  return open ? (client.maxTotalTimeout ?? MAX_TOTAL) : (given ?? client.timeout ?? TIMEOUT);
}

/** The numbers of a configuration; `region` numbers the names of regions and zones. Throws McpError `INVALID_CONFIG`. */
export function numbersOf(config: DistributedMCPConfig, region: (name: string | undefined) => number): number[] {
  const options = new Options(config);
  const strategy = options.choice("loadBalancingStrategy", STRATEGIES);
  const breaker = "circuitBreakerConfig.";
  const mode = MODES[options.choice(`${breaker}mode`, MODES)];
  const threshold = options.number(`${breaker}failureThreshold`, 1);
  const share = options.number(`${breaker}errorRate`);
  const reset = options.number(`${breaker}resetTimeout`);
  const health = "healthCheckConfig.";
  const after = config.hedge?.after;
  if (config.hedge && after !== "p95") options.number("hedge.after");
  if (config.hedge && after === undefined) throw invalid(`hedge.after must be a number or "p95"`);
  return [
    strategy === STRATEGIES.indexOf("p2c") ? 0 : strategy,
    options.flag(`${breaker}enabled`),
    // A number of failures, and a share, that are never reached.
    mode === "rate" ? 2 ** 32 - 1 : threshold,
    mode === "consecutive" ? 2 : share,
    options.number(`${breaker}minimumRequests`, 1),
    reset,
    // The time that the application named is meant exactly.
    reset,
    options.number(`${breaker}successThreshold`, 1),
    options.flag(`${breaker}countTimeouts`),
    options.number(`${health}interval`),
    options.number(`${health}timeout`),
    options.number(`${health}healthyThreshold`, 1),
    options.number(`${health}unhealthyThreshold`, 1),
    options.number("failover.maxNodes", 1),
    options.choice("failover.unsafe", WAYS),
    config.hedge ? 1 : 0,
    typeof after === "number" ? after : NaN,
    timeoutOf(config, undefined, false),
    region(config.region),
    region(config.zone),
    region(config.homeRegion),
    SOURCES.indexOf(config.discoveryMethod),
    Math.max(1, config.discoveryConfig.endpoints?.length ?? 1),
    options.number("discoveryConfig.refreshInterval", 1),
    options.flag("discoveryConfig.watch"),
    options.number("forecastConfig.bin", 1),
    options.number("forecastConfig.nodeRate", 0.001),
    options.number("forecastConfig.nodeWorkers", 1),
    options.number("forecastConfig.targetP99", 1),
    options.number("forecastConfig.targetUtilisation"),
  ];
}

/** Checks what is no number. Throws McpError `INVALID_CONFIG`. */
export function check(config: DistributedMCPConfig): void {
  const { clusterName, discoveryMethod, discoveryConfig, client } = config;
  if (typeof clusterName !== "string" || !clusterName) throw invalid("clusterName must be a text");
  if (!SOURCES.includes(discoveryMethod)) throw invalid(`discoveryMethod must be one of ${SOURCES.join(", ")}`);
  if (typeof discoveryConfig !== "object" || !discoveryConfig) throw invalid("discoveryConfig must be there");
  const { endpoints, nodes, discover, serviceName } = discoveryConfig;
  for (const [name, list] of Object.entries({ endpoints, nodes })) {
    if (list !== undefined && !Array.isArray(list)) throw invalid(`discoveryConfig.${name} must be a list`);
  }
  if (discoveryMethod === "static" && !nodes?.length && !endpoints?.length) throw invalid("discoveryConfig.nodes must name at least one node");
  if (discoveryMethod === "custom" && typeof discover !== "function") throw invalid("discoveryConfig.discover must be a function");
  if (/consul|etcd/.test(discoveryMethod) && !endpoints?.length) throw invalid("discoveryConfig.endpoints must name at least one address");
  if (/consul|etcd/.test(discoveryMethod) && !serviceName) throw invalid("discoveryConfig.serviceName must name what is looked for");
  if (client?.transport?.webSocketUrl) throw invalid("client.transport.webSocketUrl would be one address for all nodes: leave it out");
}

/** The nodes that the configuration names. Throws McpError `INVALID_CONFIG` for one that cannot be. */
export function nodesOf({ discoveryMethod, discoveryConfig }: DistributedMCPConfig): DiscoveredNode[] {
  const { nodes, endpoints = [] } = discoveryConfig;
  try {
    return given(nodes ?? (discoveryMethod === "static" ? endpoints.map((url) => ({ id: url, url })) : []));
  } catch (error) {
    throw invalid(`discoveryConfig.nodes: ${(error as Error).message}`);
  }
}

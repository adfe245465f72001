// The counters of the cluster's core with their public names. It counts nothing itself.

import type { DistributedMetrics } from "./types-cluster.js";

type Counters = Omit<DistributedMetrics, "byNode">;

/** In the order of src/bindings/cluster/told.rs. */
const NAMES =
  "totalNodes healthyNodes totalRequests successfulRequests averageLatency circuitBreakerTrips throughput failovers hedges hedgesWon stickyHits " +
  "balanceCv budgetExhausted panics throttled discoveryAge";

/** Without numbers, those of a cluster that has done nothing yet. */
export function countersOf(numbers: readonly number[], nodes: number): Counters {
  const names = NAMES.split(" ");
  const counters = Object.fromEntries(names.map((name, at) => [name, numbers[at] || 0])) as unknown as Counters;
  // 0 is just now.
  if (!(numbers[names.length - 1]! >= 0)) counters.discoveryAge = null;
  const [p50 = 0, p95 = 0, p99 = 0] = numbers.slice(names.length);
  if (!numbers.length) counters.totalNodes = nodes;
  return { ...counters, latency: { p50, p95, p99 } };
}

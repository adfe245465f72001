// The core's numbers with their public names. It counts nothing and judges nothing itself.

import type { ClientMetrics, HealthReport } from "./types.js";

/**
 * The numbers in the order of src/web/driver.rs; a question mark: may be unknown. Those of `health` and `last` are not of the metrics. Behind
 * them come five for each method that was called.
 */
const COUNTERS =
  "totalRequests successfulRequests failedRequests cachedResponses activeRequests queuedRequests deduplicated replayed retried unknownOutcomes " +
  "timeouts aborted violations connection.connects connection.reconnects connection.failedAttempts connection.fallbacks cache.size " +
  "cache.bytes cache.hits cache.misses cache.staleServed cache.evictions latency.samples health.consecutiveFailures health.status bytesSent bytesReceived " +
  "bufferedAmount averageLatency last.latency? latency.p50 latency.p95 latency.p99 latency.max latency.jitter queueWait.p50 queueWait.p95 " +
  "queueWait.max connection.uptime connection.downtime connection.lastOutage? health.score health.latency? health.lastSuccess? " +
  "health.lastFailure? queueWait.byPriority.0 queueWait.byPriority.1 queueWait.byPriority.2 queueWait.byPriority.3";

const CONDITIONS = ["unknown", "healthy", "degraded", "unhealthy"] as const;

/** What is known at one moment. */
export interface Numbers {
  metrics: ClientMetrics;
  health: HealthReport;
  /** Round trip of the last answered call. Milliseconds. */
  latency: number | null;
}

/** Names the numbers; without any, those of a client that has done nothing. `names` are the methods' by their numbers. */
export function read(values: readonly number[] | undefined, names: readonly string[]): Numbers {
  const all: Record<string, unknown> = {};
  const paths = COUNTERS.split(" ");
  paths.forEach((path, at) => {
    let group = all;
    const parts = path.split(/[.?]/);
    const optional = path.endsWith("?") && parts.pop() === "";
    const last = parts.pop()!;
    for (const part of parts) group = (group[part] ??= {}) as Record<string, unknown>;
    const value = values?.[at] ?? NaN;
    group[last] = Number.isNaN(value) ? (optional ? null : 0) : value;
  });
  const byMethod: [string, object][] = [];
  for (let at = paths.length; values && at < values.length; at += 5) {
    const [method, count, errors, averageLatency, p95] = Array.from({ length: 5 }, (_, more) => values[at + more]!);
    byMethod.push([names[method!] ?? "?", { count, errors, averageLatency, p95 }]);
  }
  const { health, last, ...metrics } = all as { health: HealthReport; last: { latency: number | null }; cache: ClientMetrics["cache"] };
  const { hits, misses } = metrics.cache;
  metrics.cache.hitRate = hits / (hits + misses) || 0;
  health.status = CONDITIONS[health.status as unknown as number]!;
  return {
    metrics: { ...metrics, byMethod: Object.fromEntries(byMethod) } as unknown as ClientMetrics,
    health: { ...health, lastSuccess: wall(health.lastSuccess), lastFailure: wall(health.lastFailure) },
    latency: last.latency,
  };
}

/** The core counts on the monotonic clock; people compare with Date.now(). */
export const wall = (at: number | null): number | null => at && Date.now() + at - performance.now();

// The public types of what a client knows of itself: counters, times, health. Types only: no code.

/**
 * Counters since creation, except `activeRequests`, `queuedRequests`, `bufferedAmount` and the size of the cache, which are of this
 * moment. Times are milliseconds; percentiles are within 1 % of the truth.
 */
export interface ClientMetrics {
  totalRequests: number;
  successfulRequests: number;
  failedRequests: number;
  /** Answers that came from the cache. */
  cachedResponses: number;
  /** From sending to answer, over the answered calls. Milliseconds. */
  averageLatency: number;
  activeRequests: number;
  queuedRequests: number;
  bytesSent: number;
  bytesReceived: number;
  /** Written to the WebSocket and not yet on the network. Bytes. */
  bufferedAmount: number;
  /** Sendings beyond the first of their call, because a link was lost or the server wanted another. */
  replayed: number;
  /** Sendings beyond the first because the server, although it was there, refused (429) or failed (5xx). */
  retried: number;
  /** Reading calls that shared the answer of an identical one in flight. */
  deduplicated: number;
  /** Calls that ended with outcome `unknown`. */
  unknownOutcomes: number;
  /** Calls that ended in `REQUEST_TIMEOUT`. */
  timeouts: number;
  /** Calls that ended in `ABORTED`. */
  aborted: number;
  /** Messages of the server that answered nothing, or were no messages. */
  violations: number;
  /** From sending to answer. `jitter`: how much one answer differs from the next, smoothed (RFC 3550). */
  latency: { p50: number; p95: number; p99: number; max: number; jitter: number; samples: number };
  /** From creation to first sending; `byPriority`: the mean of the priorities 0 to 3. */
  queueWait: { p50: number; p95: number; max: number; byPriority: Record<number, number> };
  /** What is kept: entries, and bytes of their JSON text. What it was good for. */
  cache: { size: number; bytes: number; hits: number; misses: number; staleServed: number; evictions: number; hitRate: number };
  connection: {
    /** Links that became ready. */
    connects: number;
    /** Those of them that followed a loss. */
    reconnects: number;
    /** Attempts that failed. */
    failedAttempts: number;
    /** Links over HTTP while a WebSocket was wanted. */
    fallbacks: number;
    /** With a link, and without one after the first. Milliseconds. */
    uptime: number;
    downtime: number;
    /** How long the last outage that is over took. Milliseconds. */
    lastOutage: number | null;
  };
  /** By method name; those beyond the first 256 names are counted in the whole only. `p95` of the latency. */
  byMethod: Record<string, { count: number; errors: number; averageLatency: number; p95: number }>;
}

/** How well the server and the way to it are doing, as real traffic shows. */
export interface HealthReport {
  /**
   * - `unknown`: nothing was asked yet.
   * - `healthy`: calls flow and succeed.
   * - `degraded`: with failures, or over the fallback transport.
   * - `unhealthy`: no link, or three failures in a row.
   */
  status: "healthy" | "degraded" | "unhealthy" | "unknown";
  /** 1 well, 0 gone. */
  score: number;
  /** Smoothed over about the last ten answers. Milliseconds. */
  latency: number | null;
  /** The last answer, and the last failure of the server or of the way to it. Milliseconds as of `Date.now()`. */
  lastSuccess: number | null;
  lastFailure: number | null;
  /** Failures since the last answer. A tool's own errors are answers. */
  consecutiveFailures: number;
}

// The part of the configuration that is about which calls leave when: queue, rate, circuit breaker. Types only, as config.ts.

/** Limits of the queue of calls. */
export interface QueueOptions {
  /**
   * Most calls in flight at once. Danger: browsers open about six HTTP/1.1 connections per origin;
   * more calls than that wait inside the browser, out of reach of priorities.
   * @default 32 over WebSocket, 5 over HTTP
   */
  concurrency?: number;
  /**
   * Fewer in flight than that while the server answers later than it can: what it takes at once is found out from its quickest answers, in
   * windows of 600, and from 429 and 503. Danger: meant for many calls that take about as long as each other; beside quick ones, slow ones
   * look like a server in trouble, and about four at a time remain.
   * @default false
   */
  adaptive?: boolean;
  /**
   * Places in flight kept for calls of priority 3, so that the rest never holds them up. A count; the last place is never kept.
   * @default 1
   */
  reserve?: number;
  /**
   * Most calls waiting; beyond that `overflow` decides who is rejected with `QUEUE_FULL`.
   * @default 1000
   */
  maxQueued?: number;
  /**
   * Who leaves when too many wait: `"reject"` the newcomer; `"drop-lowest"` the youngest of the lowest priority, if that is below the
   * newcomer's.
   * @default "reject"
   */
  overflow?: "reject" | "drop-lowest";
  /**
   * A call that waited this long counts as one priority higher, after twice as long as two higher, and so on, so that none waits for ever
   * behind more urgent ones. Milliseconds; 0 turns it off. Danger: off, a stream of urgent calls starves the others.
   * @default 5000
   */
  aging?: number;
  /**
   * How long a call may wait to be sent for the first time; then it rejects with `QUEUE_TIMEOUT`, outcome `not-sent`. Milliseconds.
   * @default no limit but `maxTotalTimeout`
   */
  maxQueueTime?: number;
  /**
   * What a call does without a connection: wait for it, or reject with `NOT_CONNECTED` (and what waited when the connection was lost, with the
   * reason of that). With `"reject"` call `connect()` first. Reads under way are not sent again then either, and what the server refuses
   * for now (429, 503) is told at once, with `retryAfter`.
   * @default "queue"
   */
  whileDisconnected?: "queue" | "reject";
}

/** How many calls may leave in a time. */
export interface Rate {
  /** On average; more than 0, and may be a fraction. */
  requestsPerSecond: number;
  /**
   * How many may leave at once after a pause. A count, at least 1.
   * @default requestsPerSecond, rounded up
   */
  burst?: number;
}

/** How many calls may leave in a time: of all, and of single methods and tools beside that. What the cache answers does not count. */
export interface RateLimitOptions extends Partial<Rate> {
  /** By the names of methods, at most 127 together with `tools`. A call that is sent again is not counted again. */
  methods?: Record<string, Rate>;
  /** By the names of tools. */
  tools?: Record<string, Rate>;
  /**
   * What a call beyond that does: wait in the queue, or reject with `RATE_LIMITED`, outcome `not-sent`, and `retryAfter`.
   * @default "wait"
   */
  onLimit?: "wait" | "reject";
}

/**
 * When a server is left alone: calls then reject at once with `CIRCUIT_OPEN`, outcome `not-sent`, and `retryAfter`. A failure is a call that
 * was sent and got no answer, a malformed one, or a status from 500 on; errors the server puts into words are not, nor is what happens
 * to the network on this side.
 */
export interface CircuitBreakerConfig {
  /** Whether it is in use. Without the option it is not. */
  enabled: boolean;
  /**
   * With `mode: "consecutive"`: failures in a row that open it. A count.
   * @default 5
   */
  failureThreshold?: number;
  /**
   * How long it stays open. Then a few calls may try. Milliseconds.
   * @default 60000
   */
  resetTimeout?: number;
  /**
   * How many calls at a time may try. One failure opens it again, one success closes it. A count, at least 1.
   * @default 1
   */
  halfOpenMaxRequests?: number;
  /**
   * What opens it: failures in a row, or their share of all calls.
   * @default "consecutive"
   */
  mode?: "consecutive" | "rate";
  /**
   * With `mode: "rate"`: the share that opens it, 0 to 1.
   * @default 0.5
   */
  errorRate?: number;
  /**
   * With `mode: "rate"`: fewer calls than this in the time decide nothing. A count.
   * @default 10
   */
  minimumRequests?: number;
  /**
   * With `mode: "rate"`: how far back calls count, to twice as far. Milliseconds.
   * @default 10000
   */
  window?: number;
  /**
   * Whether a call without an answer within `timeout` is a failure.
   * @default true
   */
  countTimeouts?: boolean;
}

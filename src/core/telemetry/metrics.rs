//! The counters of one client: the seed's seven, and the few that explain them.

use crate::wire::Method;

/// Counters since the engine's creation; gauges are as of now.
#[derive(Clone, Debug, Default)]
pub struct Metrics {
    /// Requests and notifications asked for.
    pub total_requests: u64,
    /// Of those, settled well.
    pub successful_requests: u64,
    /// Of those, settled with an error.
    pub failed_requests: u64,
    /// Of the good ones, answered out of the cache.
    pub cached_responses: u64,
    /// Gauge: on the wire.
    pub active_requests: u64,
    /// Gauge: waiting for their turn or for a link.
    pub queued_requests: u64,
    /// Reads that shared the wire request of another.
    pub deduplicated: u64,
    /// Sendings beyond the first, after a link was lost or replaced.
    pub replayed: u64,
    /// Sendings beyond the first, on a link that works: the server refused or failed.
    pub retried: u64,
    /// Settled with outcome unknown.
    pub unknown_outcomes: u64,
    /// Settled because time ran out.
    pub timeouts: u64,
    /// Settled because the caller gave up.
    pub aborted: u64,
    /// Links that became ready.
    pub connects: u64,
    /// Of those, after an earlier one.
    pub reconnects: u64,
    /// Attempts that brought no link.
    pub failed_attempts: u64,
    /// Messages that answered nothing, or were none.
    pub violations: u64,
    /// Gauge: results kept.
    pub cache_size: u64,
    /// Gauge: their bytes.
    pub cache_bytes: u64,
    /// Reads that found a fresh result in the cache, and those that did not.
    pub cache_hits: u64,
    /// Reads that went out although a cache is there.
    pub cache_misses: u64,
    /// Reads that got a stale result.
    pub cache_stale: u64,
    /// Results that left the cache to make room.
    pub cache_evictions: u64,
    /// Links over HTTP while a WebSocket was wanted.
    pub fallbacks: u64,
    /// Time from sending to answer of answered requests.
    pub latency: Summary,
    /// The last of them, in milliseconds.
    pub last_latency: Option<f64>,
    /// Time from creation, or from being put back, to sending.
    pub queue_wait: Summary,
    /// Its mean for the priorities 0 to 3, in milliseconds.
    pub queue_wait_of: [f64; 4],
}

/// How spans are distributed, in milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// How many there were.
    pub samples: u64,
    /// Their mean.
    pub mean: f64,
    /// Half of them were not longer.
    pub p50: f64,
    /// 95 of 100 were not longer.
    pub p95: f64,
    /// 99 of 100 were not longer.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    /// How much one differs from the next (RFC 3550, 6.4.1).
    pub jitter: f64,
}

/// What is known of one method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MethodMetrics {
    /// Which.
    pub method: Method,
    /// Its calls that were settled.
    pub count: u64,
    /// Of those, with an error.
    pub errors: u64,
    /// Mean time from sending to answer, in milliseconds.
    pub average_latency: f64,
    /// 95 of 100 answers were not slower.
    pub p95: f64,
}

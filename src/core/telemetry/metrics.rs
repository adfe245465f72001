//! The counters of one client: the seed's seven, and the few that explain them.

use crate::time::Duration;

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
    /// Sendings beyond the first.
    pub replayed: u64,
    /// Settled `OUTCOME_UNKNOWN`.
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
    /// Time from sending to answer of the last answered request, in milliseconds.
    pub last_latency: Option<f64>,
    latency_sum: f64,
    latency_count: u64,
}

impl Metrics {
    /// Notes the time from sending to answer of one request.
    pub(crate) fn on_latency(&mut self, latency: Duration) {
        self.latency_sum += latency.as_millis();
        self.latency_count += 1;
        self.last_latency = Some(latency.as_millis());
    }

    /// Mean time from sending to answer, in milliseconds; 0 before the first.
    #[must_use]
    pub fn average_latency(&self) -> f64 {
        if self.latency_count == 0 {
            0.0
        } else {
            self.latency_sum / self.latency_count as f64
        }
    }
}

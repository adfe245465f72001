//! How many calls may leave in a time: the generic cell rate algorithm (resilience, section 4). One moment is all it remembers: when the
//! next call would be due if all came evenly. A call may come before that by what a burst allows.

use crate::config::RateLimit;
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Limiter {
    gap: Duration,
    /// How far ahead of its even moment a call may leave.
    ahead: Duration,
    due: Instant,
    /// Whether a call beyond that is rejected instead of waiting.
    pub(crate) rejects: bool,
}

impl Limiter {
    pub(crate) fn new(limit: &RateLimit) -> Self {
        let gap = Duration::from_millis_f64(1_000.0 / limit.per_second);
        Self { gap, ahead: gap.mul_f64(limit.burst - 1.0), due: Instant::default(), rejects: limit.reject }
    }

    /// How long until a call may leave; zero: now.
    pub(crate) fn wait(&self, now: Instant) -> Duration {
        self.due.since(now + self.ahead)
    }

    /// A call leaves.
    pub(crate) fn take(&mut self, now: Instant) {
        self.due = self.due.max(now) + self.gap;
    }
}

#[cfg(test)]
mod tests {
    use super::Limiter;
    use crate::config::RateLimit;
    use crate::time::{Duration, Instant};

    fn leaves(per_second: f64, burst: f64, span: u64) -> usize {
        let mut limiter = Limiter::new(&RateLimit { per_second, burst, reject: false });
        let moments = (0..span).map(|ms| Instant::default() + Duration::from_millis(ms));
        let mut count = 0;
        for now in moments {
            while limiter.wait(now) == Duration::ZERO {
                limiter.take(now);
                count += 1;
            }
        }
        count
    }

    #[test]
    fn a_burst_leaves_at_once_and_the_rest_evenly() {
        assert_eq!(leaves(10.0, 5.0, 1), 5);
        assert_eq!(leaves(10.0, 5.0, 1_000), 5 + 9);
        assert_eq!(leaves(10.0, 1.0, 1_000), 10);
    }

    #[test]
    fn what_was_not_used_for_long_is_no_more_than_a_burst() {
        let mut limiter = Limiter::new(&RateLimit { per_second: 1.0, burst: 2.0, reject: false });
        let later = Instant::from_millis(1e6);
        for left in [true, true, false] {
            assert_eq!(limiter.wait(later) == Duration::ZERO, left);
            limiter.take(later);
        }
    }
}

//! How long an answer takes here, and what follows: when a second attempt is worth its load, and when a node is slower than nearly all
//! ever were. It remembers between 500 and 1,000 answers, so that it follows a change.

use crate::telemetry::Sketch;
use crate::time::Duration;

/// Answers that a judgement stands on at least, once there were so many.
const MEMORY: u64 = 500;
/// Below so many samples, nothing is known.
const FEW: u64 = 20;
/// The quantiles are read anew after so many samples: reading takes about a microsecond.
const STALE: u64 = 16;
/// Slower than so many times the p99 is slower than nearly all ever were.
const BEYOND: f64 = 4.0;
/// And while nothing is known, than so many times the least patience.
const UNKNOWN: f64 = 10.0;

#[derive(Debug, Default)]
pub(super) struct Pace {
    /// The one that is asked, and the one that takes its place.
    old: Sketch,
    young: Sketch,
    p50: Duration,
    p95: Duration,
    p99: Duration,
}

impl Pace {
    /// An attempt took so long, or at least so long.
    pub(super) fn record(&mut self, took: Duration) {
        self.old.record(took);
        self.young.record(took);
        if self.old.samples() >= 2 * MEMORY {
            self.old = core::mem::take(&mut self.young);
        } else if self.old.samples() == MEMORY {
            self.young = Sketch::default();
        }
        if self.old.samples() <= FEW || self.old.samples().is_multiple_of(STALE) {
            let at = |share| Duration::from_millis_f64(self.old.quantile(share));
            (self.p50, self.p95, self.p99) = (at(0.5), at(0.95), at(0.99));
        }
    }

    /// Half of all answers do not take longer; zero while nothing is known.
    pub(super) fn typical(&self) -> Duration {
        self.known().map_or(Duration::ZERO, |()| self.p50)
    }

    /// When a second attempt is worth its load: 95 of 100 answers do not take longer. `None` while nothing is known.
    pub(super) fn hedge(&self) -> Option<Duration> {
        self.known().map(|()| self.p95)
    }

    /// After how long an attempt is in doubt, at least `least`.
    pub(super) fn patience(&self, least: Duration) -> Duration {
        self.known().map_or(least.mul_f64(UNKNOWN), |()| self.p99.mul_f64(BEYOND).max(least))
    }

    fn known(&self) -> Option<()> {
        (self.old.samples() >= FEW).then_some(())
    }
}

#[cfg(test)]
mod tests {
    use super::Pace;
    use crate::time::Duration;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn nothing_is_said_of_hedging_before_there_are_enough_answers() {
        let mut pace = Pace::default();
        (0..19).for_each(|_| pace.record(ms(100)));
        assert_eq!((pace.hedge(), pace.typical(), pace.patience(ms(500))), (None, ms(0), ms(5_000)));
        pace.record(ms(100));
        let near = |told: Duration, truth: f64| (told.as_millis() - truth).abs() <= truth * 0.01;
        assert!(pace.hedge().is_some_and(|after| near(after, 100.0)) && near(pace.typical(), 100.0));
        assert_eq!(pace.patience(ms(500)), ms(500), "never below the least");
        assert!(near(pace.patience(ms(10)), 400.0));
    }

    #[test]
    fn it_follows_a_change_within_a_thousand_answers() {
        let mut pace = Pace::default();
        (0..10_000).for_each(|_| pace.record(ms(2_000)));
        (0..1_000).for_each(|_| pace.record(ms(10)));
        assert!(pace.patience(ms(1)) < ms(50), "{:?}", pace.patience(ms(1)));
        assert!(pace.old.samples() >= 500);
    }
}

//! Whether an endpoint that keeps failing is asked at all: closed (yes), open (no, for a while), half-open (a few, to see). A pure policy:
//! what counts as a failure, and which endpoint it is about, is the caller's.

use crate::config::{BreakerLimits, Trip};
use crate::time::{Duration, Instant};

/// As the application may see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Calls leave.
    Closed,
    /// None does.
    Open,
    /// A few do; what becomes of them decides.
    HalfOpen,
}

#[derive(Debug)]
pub(crate) struct Breaker {
    limits: BreakerLimits,
    state: BreakerState,
    /// While open: until then.
    until: Instant,
    /// While half-open: calls under way.
    probes: u32,
    /// Failures in a row; for a rate: calls and failures of this window and of the one before.
    row: u32,
    window: Instant,
    counts: [(u32, u32); 2],
}

impl Breaker {
    pub(crate) fn new(limits: BreakerLimits) -> Self {
        let (state, origin) = (BreakerState::Closed, Instant::default());
        Self { limits, state, until: origin, probes: 0, row: 0, window: origin, counts: [(0, 0); 2] }
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.state
    }

    /// For how long no call is worth a try, if so.
    pub(crate) fn refusal(&self, now: Instant) -> Option<Duration> {
        match self.state {
            BreakerState::Open if self.until > now => Some(self.until.since(now)),
            BreakerState::HalfOpen if self.probes >= self.limits.half_open => Some(Duration::ZERO),
            _ => None,
        }
    }

    /// A call leaves.
    pub(crate) fn on_sent(&mut self) {
        if self.state == BreakerState::Open {
            (self.state, self.probes) = (BreakerState::HalfOpen, 0);
        }
        self.probes = self.probes.saturating_add(1);
    }

    /// A call came back, whatever it brought.
    pub(crate) fn on_back(&mut self) {
        self.probes = self.probes.saturating_sub(1);
    }

    /// The endpoint did its part, or did not.
    pub(crate) fn on_verdict(&mut self, well: bool, now: Instant) {
        if self.state == BreakerState::Open {
            // Of a call that left before.
            return;
        }
        let probe = self.state == BreakerState::HalfOpen;
        self.row = if well { 0 } else { self.row + 1 };
        let tripped = match self.limits.trip {
            _ if probe => !well,
            Trip::Consecutive(most) => self.row >= most,
            Trip::Rate { share, minimum, window } => {
                if now.since(self.window) >= window {
                    let idle = now.since(self.window).whole(window) > 1;
                    let [latest, _] = self.counts;
                    self.counts = [(0, 0), if idle { (0, 0) } else { latest }];
                    self.window = now;
                }
                let [(calls, failures), (before, failed)] = &mut self.counts;
                *calls += 1;
                *failures += u32::from(!well);
                let (all, bad) = (*calls + *before, *failures + *failed);
                !well && all >= minimum && f64::from(bad) >= share * f64::from(all)
            }
        };
        if tripped {
            (self.state, self.until) = (BreakerState::Open, now + self.limits.reset);
        } else if probe {
            self.state = BreakerState::Closed;
        } else {
            return;
        }
        (self.row, self.counts) = (0, [(0, 0); 2]);
    }
}

#[cfg(test)]
mod tests {
    use super::{Breaker, BreakerState};
    use crate::config::{BreakerLimits, Trip};
    use crate::time::{Duration, Instant};

    fn at(ms: f64) -> Instant {
        Instant::from_millis(ms)
    }

    fn breaker(trip: Trip) -> Breaker {
        Breaker::new(BreakerLimits { trip, ..BreakerLimits::default() })
    }

    fn end(breaker: &mut Breaker, well: bool, now: f64) -> BreakerState {
        breaker.on_sent();
        breaker.on_back();
        breaker.on_verdict(well, at(now));
        breaker.state()
    }

    #[test]
    fn failures_in_a_row_open_it_and_a_success_starts_the_row_anew() {
        let mut breaker = breaker(Trip::Consecutive(3));
        for well in [false, false, true, false, false] {
            assert_eq!(end(&mut breaker, well, 0.0), BreakerState::Closed);
        }
        assert_eq!(end(&mut breaker, false, 0.0), BreakerState::Open);
        assert_eq!(breaker.refusal(at(59_000.0)), Some(Duration::from_millis(1_000)));
        assert_eq!(breaker.refusal(at(60_000.0)), None);
    }

    #[test]
    fn one_probe_decides() {
        for (well, then) in [(true, BreakerState::Closed), (false, BreakerState::Open)] {
            let mut breaker = breaker(Trip::Consecutive(1));
            end(&mut breaker, false, 0.0);
            breaker.on_sent();
            assert_eq!(breaker.state(), BreakerState::HalfOpen);
            assert_eq!(breaker.refusal(at(60_001.0)), Some(Duration::ZERO), "one at a time");
            breaker.on_back();
            assert_eq!(breaker.refusal(at(60_001.0)), None, "a probe that tells nothing is followed by another");
            breaker.on_verdict(well, at(60_001.0));
            assert_eq!(breaker.state(), then);
        }
    }

    #[test]
    fn a_share_of_failures_opens_it_once_there_are_enough_calls() {
        let trip = Trip::Rate { share: 0.5, minimum: 4, window: Duration::from_millis(1_000) };
        let mut breaker = breaker(trip);
        for well in [false, false, true] {
            assert_eq!(end(&mut breaker, well, 10.0), BreakerState::Closed);
        }
        assert_eq!(end(&mut breaker, false, 20.0), BreakerState::Open);
        let mut breaker = self::breaker(trip);
        for ms in [0.0, 10.0, 20.0, 5_000.0] {
            assert_eq!(end(&mut breaker, false, ms), BreakerState::Closed, "old failures do not count");
        }
    }
}

//! How many calls a server takes at once, found out from how long it takes (after Netflix' gradient limits, as an option): answers that come
//! later than the quickest mean a queue over there, so fewer are sent; else a few more. The quickest is that of two windows, so that a
//! server that has become slower for good is not throttled for ever, and each window begins at half the load: the average of Gradient2
//! follows the queue that the client itself makes, and its limit drifts up without end (seen in the model below).

use crate::time::Duration;

/// Where it begins; there is nothing to measure before.
const FIRST: f64 = 8.0;
/// This much later than the quickest is no queue yet.
const TOLERANCE: f64 = 1.5;
/// One verdict goes no further than this. With what is always allowed beyond it, calls of very different length cost nothing below 4.
const STEEPEST: f64 = 0.5;
/// How much of a verdict counts at once.
const SMOOTHING: f64 = 0.2;
/// How many answers are one window.
const WINDOW: u32 = 600;
/// What is left when the server says that it is too much.
const RETREAT: f64 = 0.9;

#[derive(Debug)]
pub(crate) struct Gradient {
    limit: f64,
    /// Of this window, and of this one and the one before. Milliseconds.
    quickest: f64,
    base: f64,
    answers: u32,
}

impl Default for Gradient {
    fn default() -> Self {
        Self { limit: FIRST, quickest: f64::MAX, base: f64::MAX, answers: 0 }
    }
}

impl Gradient {
    /// How many may be in flight; at least one.
    pub(crate) fn limit(&self) -> usize {
        self.limit as usize
    }

    /// An answer came, when `flying` were in flight, of `most` that may ever be.
    pub(crate) fn on_answer(&mut self, latency: Duration, flying: usize, most: usize) {
        // Below a millisecond it is the clock that is measured.
        let sample = latency.as_millis().max(1.0);
        self.quickest = self.quickest.min(sample);
        self.base = self.base.min(sample);
        self.answers += 1;
        if self.answers >= WINDOW {
            (self.answers, self.base, self.quickest) = (0, self.quickest, f64::MAX);
            return self.settle(self.limit / 2.0, most);
        }
        // Who does not use what he has learns nothing about more.
        if (flying as f64) >= self.limit / 2.0 {
            let gradient = (TOLERANCE * self.base / sample).clamp(STEEPEST, 1.0);
            let wanted = self.limit * gradient + self.limit.sqrt();
            self.settle(self.limit + SMOOTHING * (wanted - self.limit), most);
        }
    }

    /// The server refused something as too much.
    pub(crate) fn on_overload(&mut self) {
        self.settle(self.limit * RETREAT, usize::MAX);
    }

    fn settle(&mut self, limit: f64, most: usize) {
        self.limit = limit.min(most as f64).max(1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::Gradient;
    use crate::time::Duration;

    /// A server that works on `room` calls at a time, 10 ms each: the client keeps as many in flight as it may.
    fn after(gradient: &mut Gradient, room: f64, answers: usize, most: usize) -> usize {
        for _ in 0..answers {
            let flying = gradient.limit();
            gradient.on_answer(Duration::from_millis_f64(10.0 * (flying as f64 / room).max(1.0)), flying, most);
        }
        gradient.limit()
    }

    #[test]
    fn it_grows_to_what_the_application_allows_while_answers_come_as_usual() {
        assert_eq!(after(&mut Gradient::default(), 1_000.0, 500, 100), 100);
        assert!(after(&mut Gradient::default(), 1_000.0, 601, 100) >= 50, "which is measured anew now and then");
    }

    #[test]
    fn it_stays_near_what_the_server_takes_at_once() {
        let mut gradient = Gradient::default();
        let limits: Vec<usize> = (0..10_000).map(|_| after(&mut gradient, 20.0, 1, 1_000)).skip(100).collect();
        let mean = limits.iter().sum::<usize>() / limits.len();
        assert!((20..=60).contains(&mean) && limits.iter().all(|limit| (10..=60).contains(limit)), "{mean}");
    }

    #[test]
    fn calls_of_very_different_length_cost_no_more_than_all_but_four() {
        let mut gradient = Gradient::default();
        for answer in 0..5_000 {
            let latency = if answer % 2 == 0 { 1 } else { 3_000 };
            gradient.on_answer(Duration::from_millis(latency), gradient.limit(), 100);
            assert!(gradient.limit() >= 3);
        }
    }

    #[test]
    fn it_shrinks_when_the_server_becomes_slower_and_grows_again_when_it_recovers() {
        let mut gradient = Gradient::default();
        let before = after(&mut gradient, 50.0, 600, 100);
        let worse = after(&mut gradient, 2.0, 30, 100);
        assert!(worse < before / 2, "{before} to {worse}");
        let better = after(&mut gradient, 50.0, 600, 100);
        assert!(better > 2 * worse, "{worse} to {better}");
    }

    #[test]
    fn refusals_shrink_it_and_one_is_always_allowed() {
        let mut gradient = Gradient::default();
        gradient.on_overload();
        assert_eq!(gradient.limit(), 7);
        (0..100).for_each(|_| gradient.on_overload());
        assert_eq!(gradient.limit(), 1);
    }

    #[test]
    fn an_idle_client_learns_nothing() {
        let mut gradient = Gradient::default();
        (0..100).for_each(|_| gradient.on_answer(Duration::from_millis(5), 1, 100));
        assert_eq!(gradient.limit(), 8);
    }
}

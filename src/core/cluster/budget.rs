//! What a failing cluster is spared (cluster design, 5.1). Two bounds, as one is not enough: the budget keeps the calls that go on to
//! another node few among those that are answered (gRPC proposal A6), and the throttle keeps calls away altogether when everybody refuses
//! them (Site Reliability Engineering, chapter 21). Neither knows a node. What nobody says is `super::room`'s.
//!
//! Not `policy::replay::Budget`: that one is charged for repetitions, this one for failures, whether or not something follows.

use super::window::Window;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// Ten tokens, counted in tenths.
const FULL: u8 = 100;
const FAILURE: u8 = 10;

/// Whether a call that failed may go on to another node.
#[derive(Debug)]
pub(super) struct Budget(u8);

impl Default for Budget {
    fn default() -> Self {
        Self(FULL)
    }
}

impl Budget {
    /// An attempt was answered: a tenth of a token.
    pub(super) fn earn(&mut self) {
        self.0 = FULL.min(self.0 + 1);
    }

    /// An attempt failed: one token.
    pub(super) fn charge(&mut self) {
        self.0 = self.0.saturating_sub(FAILURE);
    }

    /// While more than half is left.
    pub(super) const fn allows(&self) -> bool {
        self.0 > FULL / 2
    }
}

/// So many times more than are accepted may be sent.
const EXCESS: f64 = 2.0;
/// Over this time.
const MEMORY: Duration = Duration::from_millis(120_000);

/// How many calls are refused here, so that the nodes need not.
#[derive(Debug)]
pub(super) struct Throttle(Window);

impl Default for Throttle {
    fn default() -> Self {
        Self(Window::new(MEMORY))
    }
}

impl Throttle {
    /// An attempt ended, or a call was refused here; `refused`: it was too much.
    pub(super) fn record(&mut self, now: Instant, refused: bool) {
        self.0.record(now, refused);
    }

    /// Whether the next call is refused, by chance: the more the nodes refuse, the likelier.
    pub(super) fn refuses(&self, now: Instant, rng: &mut Rng) -> bool {
        let (requests, refused) = self.0.totals(now);
        let excess = f64::from(requests) - EXCESS * f64::from(requests - refused);
        excess > 0.0 && rng.unit() < excess / (f64::from(requests) + 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Budget, Throttle};
    use crate::rng::Rng;
    use crate::time::Instant;

    #[test]
    fn four_failures_may_go_on_and_then_each_tenth_answer_pays_for_one() {
        let mut budget = Budget::default();
        let allowed = |budget: &mut Budget| {
            budget.charge();
            budget.allows()
        };
        assert_eq!((0..100).filter(|_| allowed(&mut budget)).count(), 4, "the fifth leaves half, which is not more");
        (0..51).for_each(|_| budget.earn());
        assert!(budget.allows() && !allowed(&mut budget));
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| allowed(&mut budget)).count(), 4, "nothing is saved up");
    }

    #[test]
    fn nothing_is_refused_while_half_is_accepted_and_nearly_all_when_nothing_is() {
        let (mut throttle, mut rng, now) = (Throttle::default(), Rng::seeded(1), Instant::from_millis(1e6));
        for turn in 0..1_000 {
            throttle.record(now, turn % 2 == 0);
        }
        assert!((0..1_000).all(|_| !throttle.refuses(now, &mut rng)));
        let mut throttle = Throttle::default();
        (0..1_000).for_each(|_| throttle.record(now, true));
        assert!((0..1_000).filter(|_| throttle.refuses(now, &mut rng)).count() > 980);
        let later = Instant::from_millis(1e6 + 130_000.0);
        assert!((0..1_000).all(|_| !throttle.refuses(later, &mut rng)), "two minutes later that is forgotten");
    }
}

//! May this be sent again? The one table that keeps a side effect from happening twice (resilience rules, section 5; invariant I2).
//! It decides from what is known of the call and of its loss, never from an error text.

use crate::wire::Effect;

/// How far an attempt got before it was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Loss {
    /// It never left: the link was not up, or refused the bytes.
    NotSent,
    /// The server said that it did not execute it: a lost session, a refused revision, a rate limit.
    Refused,
    /// It left, and nobody can tell what became of it.
    Unknown,
}

/// How often what a server refused is sent again, whatever the application allows: nothing was executed.
const MAX_REFUSALS: u8 = 2;

/// Whether a call with `effect` (a side effect that its caller vouches for counts as safe) may be sent again, after it was lost as `loss`
/// says and was sent anew `replays` times before; `most` is what the application allows after a sending that may have been executed.
pub(crate) fn may_repeat(effect: Effect, loss: Loss, replays: u8, most: u8) -> bool {
    match loss {
        Loss::NotSent => true,
        Loss::Refused => replays < most.max(MAX_REFUSALS),
        Loss::Unknown => effect == Effect::Safe && replays < most,
    }
}

/// What a failing server is spared: repetitions on a link that works draw on this, at most ten at once, and each answer pays for a tenth
/// of another (as gRPC's retry throttling). Those after a lost link are paced by the backoff and draw on nothing.
#[derive(Debug)]
pub(crate) struct Budget(u8);

const FULL: u8 = 100;
const COST: u8 = 10;

impl Default for Budget {
    fn default() -> Self {
        Self(FULL)
    }
}

impl Budget {
    /// The server answered.
    pub(crate) fn earn(&mut self) {
        self.0 = FULL.min(self.0 + 1);
    }

    /// Whether one more repetition is affordable; it is paid for.
    pub(crate) fn spend(&mut self) -> bool {
        let left = self.0.checked_sub(COST);
        self.0 = left.unwrap_or(self.0);
        left.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::{may_repeat, Budget, Loss, MAX_REFUSALS};
    use crate::wire::Effect;

    #[test]
    fn a_side_effect_that_left_is_never_sent_again() {
        for replays in 0..=MAX_REFUSALS {
            assert!(!may_repeat(Effect::SideEffect, Loss::Unknown, replays, u8::MAX));
        }
    }

    #[test]
    fn what_never_left_is_always_sent() {
        for effect in [Effect::Safe, Effect::SideEffect] {
            assert!(may_repeat(effect, Loss::NotSent, u8::MAX, 0));
        }
    }

    #[test]
    fn replays_are_bounded_as_the_application_says() {
        for most in [0, 1, 2, 7] {
            let sent =
                (0..u8::MAX).take_while(|replays| may_repeat(Effect::Safe, Loss::Unknown, *replays, most)).count();
            assert_eq!(sent, usize::from(most));
        }
    }

    #[test]
    fn a_refusal_is_repeated_even_where_replays_are_forbidden() {
        for effect in [Effect::Safe, Effect::SideEffect] {
            assert!(may_repeat(effect, Loss::Refused, MAX_REFUSALS - 1, 0));
            assert!(!may_repeat(effect, Loss::Refused, MAX_REFUSALS, 0));
        }
    }

    #[test]
    fn ten_repetitions_are_free_and_then_each_tenth_answer_pays_for_one() {
        let mut budget = Budget::default();
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10);
        for _ in 0..9 {
            budget.earn();
            assert!(!budget.spend());
        }
        budget.earn();
        assert!(budget.spend() && !budget.spend());
        (0..1_000).for_each(|_| budget.earn());
        assert_eq!((0..100).filter(|_| budget.spend()).count(), 10, "nothing is saved up");
    }
}

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

/// What to do with the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Send it (again); the caller notices nothing.
    Again,
    /// Give it up: it was certainly not executed, or executing it twice is harmless but enough was tried.
    Fail,
    /// Give it up: it may have been executed.
    Doubt,
}

/// How often a call may be sent anew after it had left once.
pub(crate) const MAX_REPLAYS: u8 = 2;

/// The verdict for a call with `effect` (an idempotent side effect counts as safe) that was lost as `loss` says.
pub(crate) fn decide(effect: Effect, loss: Loss, replays: u8) -> Verdict {
    match (loss, effect) {
        (Loss::NotSent, _) => Verdict::Again,
        (Loss::Refused, _) | (Loss::Unknown, Effect::Safe) if replays < MAX_REPLAYS => Verdict::Again,
        (Loss::Refused, _) | (Loss::Unknown, Effect::Safe) => Verdict::Fail,
        (Loss::Unknown, Effect::SideEffect) => Verdict::Doubt,
    }
}

#[cfg(test)]
mod tests {
    use super::{decide, Loss, Verdict, MAX_REPLAYS};
    use crate::wire::Effect;

    #[test]
    fn a_side_effect_that_left_is_never_sent_again() {
        for replays in 0..=MAX_REPLAYS {
            assert_eq!(decide(Effect::SideEffect, Loss::Unknown, replays), Verdict::Doubt);
        }
    }

    #[test]
    fn what_never_left_is_always_sent() {
        for effect in [Effect::Safe, Effect::SideEffect] {
            assert_eq!(decide(effect, Loss::NotSent, MAX_REPLAYS), Verdict::Again);
        }
    }

    #[test]
    fn replays_are_bounded() {
        assert_eq!(decide(Effect::Safe, Loss::Unknown, MAX_REPLAYS - 1), Verdict::Again);
        assert_eq!(decide(Effect::Safe, Loss::Unknown, MAX_REPLAYS), Verdict::Fail);
        assert_eq!(decide(Effect::SideEffect, Loss::Refused, MAX_REPLAYS), Verdict::Fail);
    }
}

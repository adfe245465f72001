//! How much may be under way when nodes do not say that it is too much, and only do not answer in time. As TCP does with a network that says as
//! little (Jacobson, 1988): half of what is under way when a time passes in vain, then one more for each round of answers. What is under way
//! bounds what waits over there, however late it is told; a rate, as `budget::Throttle` bounds it, does not. It knows no node, and is used only
//! once something was late.
//!
//! Simulated (`npm run sim -- --cluster --experiment lateness`): servers that are asked for twice what they can do, and work on what nobody waits
//! for any more, answer nothing in time without it, for ever; with it they do what they can.

use crate::time::{Duration, Instant};

/// Never less: calls that are slow by nature take no room from others, and a few per client are no rush.
const LEAST: f64 = 4.0;
/// Unless nothing at all is answered.
const ALONE: f64 = 1.0;
/// An answer within this part of the time it had is one in good time. Others make little more room, so that it stays like that.
const SOON: f64 = 0.25;
const LITTLE: f64 = 1.0 / 16.0;
/// A bound that kept nobody away for so long is forgotten.
const MEMORY: Duration = Duration::from_millis(120_000);

#[derive(Debug)]
pub(super) struct Room {
    most: f64,
    /// When it was halved last, and when it last kept somebody away.
    halved: Instant,
    needed: Instant,
    /// When the latest left of those that were answered, and of those that were in good time.
    answered: Instant,
    soon: Instant,
}

impl Default for Room {
    fn default() -> Self {
        let never = Instant::default();
        Self { most: f64::INFINITY, halved: never, needed: never, answered: never, soon: never }
    }
}

impl Room {
    /// Whether there is none for one more beside so many.
    pub(super) fn is_full(&mut self, now: Instant, active: usize) -> bool {
        let full = active as f64 >= self.most;
        if full {
            self.needed = now;
        } else if now.since(self.needed) > MEMORY {
            self.most = f64::INFINITY;
        }
        full
    }

    /// What left at `sent` was answered; so much time it had.
    pub(super) fn on_answer(&mut self, now: Instant, sent: Instant, had: Duration) {
        self.answered = self.answered.max(sent);
        let soon = now.since(sent) <= had.mul_f64(SOON);
        if soon {
            self.soon = self.soon.max(sent);
        }
        self.most += if soon { 1.0 } else { LITTLE } / self.most;
    }

    /// What left at `sent` was not answered in time, with so many under way. Nothing follows where it was overtaken: something that left later
    /// was answered in good time, so that others work, or its node answered such a one (`overtaken`), so that it is the call that is slow.
    pub(super) fn on_late(&mut self, now: Instant, sent: Instant, overtaken: bool, active: usize) {
        // Once for all that left before.
        if !overtaken && sent >= self.soon && sent >= self.halved {
            let least = if self.answered < self.halved { ALONE } else { LEAST };
            self.most = least.max(self.most.min(active as f64) / 2.0);
            (self.halved, self.needed) = (now, now);
        }
    }
}

//! The one timer of a client.

use core::cell::Cell;

use bowline_core::Instant;

use crate::glue;

/// Browsers hold delays in a signed 32-bit number; a longer one would fire at once.
const LONGEST: f64 = i32::MAX as f64;

/// Wakes its client at the latest when asked to, and perhaps earlier: a timer that is armed for an earlier moment is left alone,
/// since setting one costs more than a spurious wake-up, which the core ignores.
#[derive(Default)]
pub(crate) struct Timer(Cell<Option<Instant>>);

impl Timer {
    /// `now` is asked only when a timer has to be set: reading a clock is a twentieth of a call.
    pub(crate) fn arm(&self, client: i32, at: Instant, now: impl FnOnce() -> Instant) {
        if self.0.get().is_some_and(|armed| armed <= at) {
            return;
        }
        self.0.set(Some(at));
        // Round up: waking a fraction of a millisecond early would only mean waking again.
        glue::wake(client, at.since(now()).as_millis().ceil().min(LONGEST));
    }

    /// The timer fired: nothing is armed any more.
    pub(crate) fn on_fired(&self) {
        self.0.set(None);
    }

    pub(crate) fn cancel(&self, client: i32) {
        self.0.set(None);
        glue::wake(client, -1.0);
    }
}

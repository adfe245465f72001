//! The one timer of a client.

use core::cell::{Cell, RefCell};

use bowline_core::Instant;
use gloo_timers::callback::Timeout;

/// Browsers hold delays in a signed 32-bit number; a longer one would fire at once.
const LONGEST: f64 = i32::MAX as f64;

/// Wakes its client at the latest when asked to, and perhaps earlier: a timer that is armed for an earlier moment is left alone,
/// since setting one costs more than a spurious wake-up, which the core ignores.
#[derive(Default)]
pub(crate) struct Timer {
    armed: Cell<Option<Instant>>,
    timeout: RefCell<Option<Timeout>>,
}

impl Timer {
    pub(crate) fn arm(&self, at: Instant, now: Instant, wake: impl FnOnce() + 'static) {
        if self.armed.get().is_some_and(|armed| armed <= at) {
            return;
        }
        // Round up: waking a fraction of a millisecond early would only mean waking again.
        let delay = at.since(now).as_millis().ceil().min(LONGEST);
        self.armed.set(Some(at));
        *self.timeout.borrow_mut() = Some(Timeout::new(delay as u32, wake));
    }

    /// The timer fired: nothing is armed any more.
    pub(crate) fn on_fired(&self) {
        self.armed.set(None);
    }

    pub(crate) fn cancel(&self) {
        self.armed.set(None);
        *self.timeout.borrow_mut() = None;
    }
}

//! A reference of the heartbeat: when a working WebSocket on which nothing is heard has to be given up at the latest, because a question
//! that was due by then has gone unanswered. Half-open links differ from quiet ones in nothing else.

use bowline_core::{Config, Duration, Instant, Signal, State, Transport};

use super::Ledger;
use crate::ms;

/// When something was heard, and what is due since.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    interval: Duration,
    patience: Duration,
    hidden_patience: Duration,
    wake_patience: Duration,
    wakes: bool,
    hidden: bool,
    /// Whether the page was hidden at any time since something was heard.
    was_hidden: bool,
    heard: Instant,
    /// Until when an answer to what the surroundings made it ask has to be there.
    due: Option<Instant>,
    /// The most patience of those questions, which may be asked in place of the one that silence leads to.
    granted: Duration,
    /// The question that silence led to was not followed by a verdict in time, and the surroundings made it ask anew.
    anew: bool,
}

impl Pulse {
    pub(super) fn new(config: &Config) -> Self {
        let beat = &config.heartbeat;
        Self {
            interval: beat.interval,
            patience: beat.timeout,
            hidden_patience: beat.hidden_timeout,
            wake_patience: beat.wake_timeout,
            wakes: config.lifecycle.wake_detection,
            ..Self::default()
        }
    }

    /// Somebody is there.
    pub(super) fn on_heard(&mut self, now: Instant) {
        (self.heard, self.due, self.was_hidden) = (now, None, self.hidden);
        (self.granted, self.anew) = (ms(0), false);
    }

    /// The surroundings changed: a working link is asked, unless there is nobody to see the answer.
    pub(super) fn on_signal(&mut self, now: Instant, signal: Signal, works: bool, woke: Instant) {
        let over = self.limit(ms(0), woke).is_some_and(|limit| limit <= now);
        self.hidden = match signal {
            Signal::Hidden => true,
            Signal::Visible => false,
            _ => self.hidden,
        };
        self.was_hidden |= self.hidden;
        let asks = match signal {
            Signal::Hidden | Signal::Frozen => false,
            Signal::Woken => self.wakes,
            _ => true,
        };
        if works && asks {
            let patience = if self.hidden { self.hidden_patience } else { self.wake_patience };
            let due = now + patience;
            self.granted = self.granted.max(patience);
            self.due = Some(self.due.filter(|_| !over).map_or(due, |other| other.min(due)));
            self.anew |= over;
        }
    }

    /// The latest moment of a link on which nothing more is heard, with timers that may be so late, on a machine that woke then.
    fn limit(&self, lateness: Duration, woke: Instant) -> Option<Instant> {
        let hidden = if self.was_hidden { self.hidden_patience } else { ms(0) };
        let patience = self.patience.max(hidden).max(self.granted);
        let idle = (self.interval > Duration::ZERO && !self.anew)
            .then(|| (self.heard + self.interval).max(woke) + lateness + patience)
            .into_iter();
        idle.chain(self.due.map(|due| due.max(woke))).min().map(|limit| limit + lateness)
    }
}

impl Ledger {
    /// Whether the link in use is a WebSocket.
    pub(super) fn is_on_websocket(&self) -> bool {
        self.state == Some(State::Ready) && self.transport == Some(Transport::WebSocket)
    }

    /// When everything that follows from an input is done.
    pub(super) fn is_alive(&mut self, now: Instant) {
        let limit = self.pulse.limit(self.lateness, self.woke).filter(|_| self.is_on_websocket());
        let alive = limit.is_none_or(|limit| now <= limit);
        self.check(alive, || format!("a silent link is still in use, which should have been given up by {limit:?}"));
    }
}

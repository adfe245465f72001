//! The page's life and the connection's: what the surroundings say (network, visibility, freezing, sleep), what the application wants,
//! and when the next attempt is made because of it (resilience rules, section 1). One brain for all of it; it dials nothing itself.

use super::connection::{Connection, Phase};
use super::{Change, Context, State};
use crate::config::{Config, WhenHidden};
use crate::error::{Code, Detail, Error};
use crate::io::Signal;
use crate::policy::backoff;
use crate::time::{Duration, Instant};
use crate::wire::Payload;

/// Clients that hear of a network's return at the same moment spread over this long.
const SPREAD: Duration = Duration::from_millis(500);

/// What the surroundings said last.
#[derive(Debug, Default)]
pub(super) struct Presence {
    pub(super) offline: bool,
    pub(super) hidden: bool,
    frozen: bool,
    parked: bool,
    /// The server asked not to be asked again before.
    not_before: Instant,
}

/// Why a connection is suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Cause {
    /// The fast attempts are used up.
    #[default]
    Exhausted,
    /// There is no network.
    Offline,
    /// Nobody looks at the page.
    Hidden,
    /// The page does not run.
    Frozen,
    /// The application wants it so.
    Manual,
}

impl Cause {
    /// The public name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Exhausted => "exhausted",
            Self::Offline => "offline",
            Self::Hidden => "hidden",
            Self::Frozen => "frozen",
            Self::Manual => "manual",
        }
    }
}

impl Presence {
    fn note(&mut self, signal: Signal, config: &Config) {
        match signal {
            Signal::Online => self.offline = false,
            Signal::Offline => self.offline = config.lifecycle.suspend_offline,
            Signal::Visible => self.hidden = false,
            Signal::Hidden => self.hidden = true,
            Signal::Frozen => self.frozen = config.lifecycle.close_frozen,
            Signal::Resumed => self.frozen = false,
            Signal::Woken => {}
            Signal::Park => self.parked = true,
            Signal::Unpark => self.parked = false,
        }
    }

    /// Why there is to be no link at all.
    pub(super) fn parks(&self, config: &Config) -> Option<Cause> {
        let hidden = self.hidden && config.lifecycle.hidden == WhenHidden::Close;
        let causes = [(self.parked, Cause::Manual), (self.frozen, Cause::Frozen), (hidden, Cause::Hidden)];
        causes.into_iter().find_map(|(holds, cause)| holds.then_some(cause))
    }

    /// Why attempts are rare.
    fn slows(&self, config: &Config) -> Option<Cause> {
        let hidden = self.hidden && config.lifecycle.hidden == WhenHidden::Defer;
        if self.offline {
            Some(Cause::Offline)
        } else {
            hidden.then_some(Cause::Hidden)
        }
    }

    /// Whoever asks for the connection by name is there and wants it.
    pub(super) fn unpark(&mut self) {
        self.parked = false;
        self.frozen = false;
    }
}

impl<P: Payload> Connection<P> {
    /// Something about the surroundings changed. The flags are hints: a link is believed to be gone only when a probe says so.
    pub(crate) fn on_signal(&mut self, signal: Signal, cx: &mut Context<'_, P>) -> Change<P> {
        self.presence.note(signal, cx.config);
        if let Some(cause) = self.presence.parks(cx.config) {
            // What was connected by name behind a hidden page ends when that is said again, not when the network changes.
            let said = matches!(signal, Signal::Hidden | Signal::Frozen | Signal::Park);
            if said || !matches!(self.phase, Phase::Up { .. } | Phase::Trying { .. }) {
                return self.park(cause, cx);
            }
        }
        let slow = self.presence.slows(cx.config);
        match (signal, &self.phase) {
            (Signal::Woken, _) if !cx.config.lifecycle.wake_detection => {}
            (Signal::Hidden | Signal::Frozen, Phase::Up { .. }) => {}
            (_, Phase::Up { .. }) => self.probe(cx.config.heartbeat.wake_timeout, cx),
            (Signal::Offline | Signal::Hidden, Phase::Waiting(_)) => {
                if let Some(cause) = slow.filter(|_| self.state() != State::Suspended) {
                    self.plan_slowly(cause, Duration::ZERO, cx);
                    self.enter(State::Suspended, cx);
                }
            }
            // While hidden the page's return is waited for, whatever else gets better.
            (Signal::Offline | Signal::Hidden, _) | (_, Phase::Trying { .. }) => {}
            _ if self.state() != State::Suspended && !matches!(self.phase, Phase::Waiting(_)) => {}
            _ if slow == Some(Cause::Hidden) && matches!(self.phase, Phase::Waiting(_)) => {}
            _ => {
                self.attempt = 0;
                let spread = if signal == Signal::Online { SPREAD.mul_f64(cx.rng.unit()) } else { Duration::ZERO };
                let at = (cx.now + spread).max(self.presence.not_before);
                if at <= cx.now {
                    self.start(cx);
                } else {
                    self.phase = Phase::Waiting(at);
                    self.enter(State::Reconnecting, cx);
                }
            }
        }
        Change::None
    }

    /// Lets go of what there is, until something changes. A socket that sleeps through a frozen page says that it is open when it is not.
    fn park(&mut self, cause: Cause, cx: &mut Context<'_, P>) -> Change<P> {
        let lost = self.up().map(|up| up.id);
        if !matches!(self.phase, Phase::Down) {
            self.drop_links(cx);
            self.phase = Phase::Down;
            self.rest(cause, cx);
        }
        lost.map_or(Change::None, |link| {
            Change::Lost(link, Error::new(Code::ConnectionClosed, Detail::Note(cause.as_str())))
        })
    }

    /// Waits for a change, without a link and without an attempt.
    pub(super) fn rest(&mut self, cause: Cause, cx: &mut Context<'_, P>) {
        if (self.state(), self.cause) != (State::Suspended, cause) {
            self.cause = cause;
            self.reason = Some(Error::new(Code::ConnectionClosed, Detail::Note(cause.as_str())));
            self.enter(State::Suspended, cx);
        }
    }

    /// The attempt brought nothing.
    pub(super) fn give_up(&mut self, error: Error<P>, cx: &mut Context<'_, P>) -> Change<P> {
        self.attempt += 1;
        // The verdict on the WebSocket was that HTTP works in its place: the next attempt finds out anew.
        self.no_websocket_until = cx.now;
        self.wait(error.clone(), cx);
        Change::Failed(self.reason.clone().unwrap_or(error))
    }

    /// Plans the next attempt, or none when it could not help.
    pub(super) fn wait(&mut self, error: Error<P>, cx: &mut Context<'_, P>) {
        let options = &cx.config.reconnect;
        let slow = self.presence.slows(cx.config);
        let exhausted = self.attempt >= options.max_attempts && slow.is_none();
        let asked = match error.detail {
            Detail::Http(_, Some(wait)) => wait,
            // Overloaded (1013), or too many of ours: not at once.
            Detail::Close(1013 | 4429) => options.initial_delay,
            _ => Duration::ZERO,
        };
        self.presence.not_before = cx.now + asked;
        let hopeless = error.is_hopeless(self.was_ready());
        self.phase = Phase::Down;
        let mut reason = error;
        if self.presence.offline && reason.is_unreachable() {
            reason.code = Code::Offline;
        }
        let state = if reason.code == Code::AuthRequired {
            State::AuthRequired
        } else if hopeless || !cx.config.reconnection {
            State::Failed
        } else if exhausted && options.fail_when_exhausted {
            reason.code = Code::ReconnectExhausted;
            State::Failed
        } else if let Some(cause) = slow.or(exhausted.then_some(Cause::Exhausted)) {
            self.plan_slowly(cause, asked, cx);
            State::Suspended
        } else {
            let delay = backoff::delay(options, self.attempt, cx.rng);
            self.phase = Phase::Waiting(cx.now + delay.max(asked));
            State::Reconnecting
        };
        self.reason = Some(reason);
        self.enter(state, cx);
    }

    /// Plans a slow probe: the flags that say "no use" are hints.
    fn plan_slowly(&mut self, cause: Cause, asked: Duration, cx: &mut Context<'_, P>) {
        let options = &cx.config.reconnect;
        let delay = backoff::jittered(options.suspended_interval, options.jitter, cx.rng);
        self.phase = Phase::Waiting(cx.now + delay.max(asked));
        self.cause = cause;
    }
}

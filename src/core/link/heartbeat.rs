//! Whether a silent WebSocket is still there: a half-open one looks like a quiet one, and only a question tells them apart (resilience
//! rules, section 1). HTTP links are verified by their calls. It asks and waits; what follows from silence is the connection's.

use super::{Change, Connection, Context, Transport};
use crate::config::Question;
use crate::error::{Code, Detail, Error, Stage};
use crate::ids::RequestId;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Outgoing, Payload};

/// What is known of the working link's life.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    heard: Instant,
    /// The last question; its answer may come after another message has settled the matter.
    asked: Option<RequestId>,
    /// When an unanswered question means that nobody is there, and how long it was given.
    until: Option<(Instant, Duration)>,
}

impl<P: Payload> Connection<P> {
    /// A message arrived: whatever it says, somebody is there.
    pub(crate) fn on_heard(&mut self, now: Instant) {
        self.heartbeat.heard = now;
        self.heartbeat.until = None;
    }

    /// Whether `id` was the last question.
    pub(crate) fn is_beat(&self, id: RequestId) -> bool {
        self.heartbeat.asked == Some(id)
    }

    /// When something is due on the working link.
    pub(super) fn next_beat(&self, interval: Duration) -> Instant {
        let on_websocket = self.up().is_some_and(|up| up.transport == Transport::WebSocket);
        match self.heartbeat.until {
            Some((until, _)) if on_websocket => until,
            None if on_websocket && interval > Duration::ZERO => self.heartbeat.heard + interval,
            _ => Instant::NEVER,
        }
    }

    /// Time passed on a working link.
    pub(super) fn on_beat(&mut self, cx: &mut Context<'_, P>) -> Change<P> {
        let options = &cx.config.heartbeat;
        if self.next_beat(options.interval) > cx.now {
            return Change::None;
        }
        match (self.heartbeat.until.take(), self.up().map(|up| up.id)) {
            (Some((_, span)), Some(link)) => {
                let error = Error::new(Code::HeartbeatTimeout, Detail::Time(Stage::Response, span));
                self.on_down(link, error, cx)
            }
            _ => {
                self.probe(options.timeout, cx);
                Change::None
            }
        }
    }

    /// Asks whether the server is still there, and waits so long at most; a hidden page waits longer, since its timers are throttled.
    pub(super) fn probe(&mut self, patience: Duration, cx: &mut Context<'_, P>) {
        let Some(up) = self.up().filter(|up| up.transport == Transport::WebSocket) else {
            return;
        };
        if self.heartbeat.until.is_none() {
            let id = cx.ids.request();
            // The 2026 era has no ping; its cheapest round trip is discovery (P81).
            let question = match (cx.config.heartbeat.question, up.version.era()) {
                (Question::Ping, _) | (Question::Auto, Era::Legacy) => Outgoing::Ping(id),
                _ => Outgoing::Discover(id),
            };
            let (link, version) = (up.id, up.version);
            cx.send(link, question, version);
            self.heartbeat.asked = Some(id);
        }
        let span = if self.presence.hidden { cx.config.heartbeat.hidden_timeout } else { patience };
        let until = (cx.now + span, span);
        // No signal puts a verdict off, or a page that is shown and hidden all the time would never have one. A question that a sleeping
        // machine left unanswered has its time again.
        let sooner = self.heartbeat.until.filter(|(other, _)| *other > cx.now && *other < until.0);
        self.heartbeat.until = Some(sooner.unwrap_or(until));
    }
}

//! The WebSocket that has not shown yet that it works: how long it has for that, and when it is asked the older question. What follows is
//! the connection's.

use super::connection::{Connection, Phase};
use super::{Change, Context, Link, Transport};
use crate::error::{Code, Detail, Error, Stage};
use crate::time::Instant;
use crate::wire::Payload;

impl<P: Payload> Connection<P> {
    /// A hidden page's timers may be a minute late: what is begun only now, HTTP or the older question, has its time all the same.
    pub(super) fn excuse(&mut self, now: Instant) {
        let http_at = match self.phase {
            Phase::Trying { http_at: Some(at), .. } => at,
            _ => Instant::NEVER,
        };
        let due = self.links.iter().fold(http_at, |due, link| due.min(link.discover_until));
        let late = now.since(due);
        if let Phase::Trying { until, .. } = &mut self.phase {
            *until = *until + late;
        }
        for link in &mut self.links {
            link.probe_until = link.probe_until + late;
        }
    }

    /// The WebSocket that has not shown yet that it works.
    pub(super) fn websocket(&self) -> Option<&Link<P>> {
        let up = self.up().map(|up| up.id);
        self.links.iter().find(|link| link.transport == Transport::WebSocket && Some(link.id) != up)
    }

    /// When its trial ends, or the first question of it.
    pub(super) fn next_trial(&self) -> Instant {
        self.websocket().map_or(Instant::NEVER, |link| link.discover_until.min(link.probe_until))
    }

    /// Ends its trial, or asks the older question in place of the newer one.
    pub(super) fn on_trial(&mut self, cx: &mut Context<'_, P>) -> Change<P> {
        let Some(link) = self.websocket() else {
            return Change::None;
        };
        let (id, probe_until) = (link.id, link.probe_until);
        let silent = Error::new(Code::ConnectTimeout, Detail::Time(Stage::Response, cx.config.probe_timeout));
        if probe_until <= cx.now {
            return self.on_down(id, silent, cx);
        }
        if link.discover_until <= cx.now {
            let at = self.links.iter_mut().find(|other| other.id == id);
            let next = at.map(|at| at.handshake.fall_back(silent, cx.ids));
            return next.map_or(Change::None, |next| self.on_next(id, next, cx));
        }
        Change::None
    }
}

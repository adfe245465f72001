//! Who may leave, and when (resilience rules, section 2): room in flight, the places kept for critical calls, the application's pause,
//! and what the socket still holds back. It says when a call goes; how it goes is `flow`'s.

use super::{Code, Detail, Engine, Exchange, LinkId, Output, Payload, Phase, Purpose, Transport};
use crate::time::{Duration, Instant};
use crate::wire::{Era, Method};

/// Between two looks at what a socket that is full holds back.
const RECHECK: Duration = Duration::from_millis(20);

/// What waits for a socket to take more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Choked {
    link: LinkId,
    look: Instant,
}

impl<P: Payload> Engine<P> {
    /// Sends one call that may be sent now, if any: the next follows when this one is written, and what the socket says of it is heard.
    /// What waits wakes a connection that sleeps.
    pub(super) fn flush(&mut self) {
        self.open_streams();
        let Some(up) = self.connection.up() else {
            if self.queue.len() > 0 {
                self.with(|connection, cx| connection.wake(false, cx));
            }
            return;
        };
        let (link, transport, era) = (up.id, up.transport, up.version.era());
        // Messages that travel apart may overtake each other, and servers refuse requests that come before this one.
        let introducing = |exchange: &Exchange| {
            exchange.link == link && exchange.purpose == Purpose::Initialized && exchange.is_headless()
        };
        let held = self.hold_until.is_some_and(|until| self.now < until);
        if held || (era == Era::Legacy && self.exchanges.iter().any(introducing)) {
            return;
        }
        let carried = up.endpoint().is_some();
        if self.paused || self.choked.is_some() || !self.has_room(transport, carried, false) {
            return;
        }
        let critical = !self.has_room(transport, carried, true);
        if let Some(id) = self.queue.pop(self.now, critical) {
            self.dispatch(id, link, era);
        }
    }

    /// As [`Engine::flush`], until there is something to do or nobody may leave.
    pub(super) fn flush_all(&mut self) {
        while self.out.is_empty() && self.queue.len() > 0 && self.connection.up().is_some() {
            let waiting = self.queue.len();
            self.flush();
            if self.queue.len() == waiting {
                return;
            }
        }
    }

    /// Whether a call may be in flight beside those that are; `ordinary`: one that leaves free what is kept for critical calls.
    fn has_room(&self, transport: Transport, carried: bool, ordinary: bool) -> bool {
        let among = self.fits(ordinary, self.active, self.config.websocket_concurrency, 1);
        match transport {
            Transport::WebSocket => among,
            // On HTTP+SSE a stream that is not counted carries the answers, but as many as on a socket.
            Transport::Http if carried => {
                among && self.fits(ordinary, self.exchanges.len().saturating_sub(1), self.config.http_concurrency, 1)
            }
            Transport::Http => self.has_connection(ordinary),
        }
    }

    /// Whether one of the browser's connections is left. What is listened to holds one too, but never the last; an answered stream that is
    /// not closed yet still holds its own.
    pub(super) fn has_connection(&self, ordinary: bool) -> bool {
        let standing = self.streams.iter().filter(|stream| stream.purpose == Purpose::Standing).count();
        let least = standing + self.listen.exchanges() + 1;
        self.fits(ordinary, self.exchanges.len(), self.config.http_concurrency, least)
    }

    /// Whether one more fits beside `flying` into `limit`, or into `least`. Critical calls take no place from the ordinary ones: a flood of
    /// them would leave those none.
    fn fits(&self, ordinary: bool, flying: usize, limit: usize, least: usize) -> bool {
        let others = flying.saturating_sub(self.critical);
        flying < limit.max(least) && (!ordinary || others < limit.saturating_sub(self.config.reserve).max(least))
    }

    /// Why a call of this priority may not even wait, if so. Makes room for it if it may.
    pub(super) fn refusal(&mut self, priority: u8) -> Option<Code> {
        if self.config.reject_disconnected && self.connection.up().is_none() {
            // The next one may find a link.
            self.with(|connection, cx| connection.wake(false, cx));
            return Some(Code::NotConnected);
        }
        while self.queue.len() >= self.config.max_queued {
            let lowest = if self.config.drop_lowest { self.queue.lowest(priority) } else { None };
            let Some(lowest) = lowest else {
                return Some(Code::QueueFull);
            };
            self.give_up(lowest, Code::QueueFull, Detail::None);
        }
        None
    }

    /// Sends nothing that waits, or goes on.
    pub(super) fn set_paused(&mut self, paused: bool) {
        self.paused = paused;
        self.flush();
    }

    /// Cancels what waits for its turn.
    pub(super) fn clear(&mut self, method: Option<Method>, below: u8) {
        let waiting = self.calls.select(|call| {
            let request = &call.request;
            matches!(call.phase, Phase::Queued)
                && request.params.is_some()
                && request.priority < below
                && method.is_none_or(|method| method == request.method)
        });
        // None of them may be sent because another made room.
        let paused = core::mem::replace(&mut self.paused, true);
        for id in waiting {
            self.give_up(id, Code::Aborted, Detail::None);
        }
        self.set_paused(paused);
    }

    /// So many bytes wait in the socket: between the two marks nothing changes. One that is gone holds nobody up.
    pub(super) fn on_buffered(&mut self, link: LinkId, bytes: f64) {
        let mark = if self.choked.is_some() { self.config.low_water } else { self.config.high_water };
        let full = bytes > mark && self.connection.up().is_some_and(|up| up.id == link);
        self.choked = full.then(|| Choked { link, look: self.now + RECHECK });
        self.flush();
    }

    /// Looks again at a socket that was full.
    pub(super) fn on_choked(&mut self) {
        if let Some(choked) = self.choked.as_mut().filter(|choked| choked.look <= self.now) {
            choked.look = self.now + RECHECK;
            self.out.push_back(Output::Measure(choked.link));
        }
    }

    /// When that is due.
    pub(super) fn next_look(&self) -> Option<Instant> {
        self.choked.map(|choked| choked.look)
    }
}

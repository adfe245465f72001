//! Who may leave, and when (resilience rules, section 2): room in flight, the places kept for critical calls, the application's pause,
//! and what the socket still holds back. It says when a call goes; how it goes is `flow`'s.

use super::flow::is_unwell;
use super::{
    Breaker, CallId, Code, Detail, Engine, Error, Event, Exchange, LinkId, Output, Payload, Phase, Purpose, Transport,
};
use crate::link::Call;
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

/// Who finds room in flight.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Room {
    /// Nobody.
    None,
    /// Calls of the highest priority: the rest is kept for them.
    Critical,
    /// Everybody.
    Any,
}

impl<P: Payload> Engine<P> {
    /// Sends one call that may be sent now, if any: the next follows when this one is written, and what the socket says of it is heard.
    /// What waits wakes a connection that sleeps.
    pub(super) fn flush(&mut self) {
        self.open_streams();
        if self.queue.len() == 0 {
            return;
        }
        let Some(up) = self.connection.up() else {
            return self.with(|connection, cx| connection.wake(false, cx));
        };
        let (link, transport, era) = (up.id, up.transport, up.version.era());
        // Messages that travel apart may overtake each other, and servers refuse requests that come before this one.
        let introducing = |exchange: &Exchange| {
            exchange.link == link && exchange.purpose == Purpose::Initialized && exchange.is_headless()
        };
        let held = self.hold_until.is_some_and(|until| self.now < until);
        if held || (era == Era::Legacy && self.exchanges.iter().any(|exchange| introducing(exchange))) {
            return;
        }
        let carried = up.endpoint().is_some();
        if self.paused || self.choked.is_some() {
            return;
        }
        let room = self.room(transport, carried);
        if room == Room::None {
            return;
        }
        let wait = self.limiter.as_ref().map_or(Duration::ZERO, |limiter| limiter.wait(self.now));
        if wait > Duration::ZERO && self.limiter.as_ref().is_some_and(|limiter| !limiter.rejects) {
            return;
        }
        let Some(id) = self.queue.pop(self.now, room == Room::Critical) else {
            return;
        };
        if wait > Duration::ZERO {
            return self.refuse_rate(id, wait);
        }
        if !self.is_held(id) && !self.is_broken(id) && !self.is_laned(id) {
            if let Some(limiter) = &mut self.limiter {
                limiter.take(self.now);
            }
            self.watch_breaker(Breaker::on_sent);
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

    /// Which call may be in flight beside those that are.
    fn room(&self, transport: Transport, carried: bool) -> Room {
        if transport == Transport::Http && !carried {
            return self.connections();
        }
        let among = self.fits(self.active, self.config.websocket_concurrency, 1);
        if transport == Transport::WebSocket {
            return among;
        }
        // On HTTP+SSE a stream that is not counted carries the answers, but as many as on a socket.
        among.min(self.fits(self.exchanges.len().saturating_sub(1), self.config.http_concurrency, 1))
    }

    /// For whom one of the browser's connections is left. What is listened to holds one too, but never the last; an answered stream that is
    /// not closed yet still holds its own.
    pub(super) fn connections(&self) -> Room {
        let standing = self.streams.iter().filter(|stream| stream.purpose == Purpose::Standing).count();
        let least = standing + self.listen.exchanges() + 1;
        self.fits(self.exchanges.len(), self.config.http_concurrency, least)
    }

    /// Who fits beside `flying` into `limit`, or into `least`. Critical calls take no place from the ordinary ones: a flood of them would
    /// leave those none.
    fn fits(&self, flying: usize, limit: usize, least: usize) -> Room {
        let limit = self.gradient.as_ref().map_or(limit, |gradient| limit.min(gradient.limit()));
        let others = flying.saturating_sub(self.critical);
        if flying >= limit.max(least) {
            Room::None
        } else if others >= limit.saturating_sub(self.config.reserve).max(least) {
            Room::Critical
        } else {
            Room::Any
        }
    }

    /// Leaves a method alone for as long as the server asked to, whoever calls it.
    pub(super) fn hold(&mut self, id: CallId, wait: Duration) {
        let (now, until) = (self.now, self.now + wait);
        self.held.retain(|(_, until)| *until > now);
        if let Some(call) = self.calls.at(id) {
            self.held.push((call.request.method, until));
        }
    }

    /// Whether a call is put off until its method may be called again.
    fn is_held(&mut self, id: CallId) -> bool {
        if self.held.is_empty() {
            return false;
        }
        let method = self.calls.at(id).map(|call| call.request.method);
        let until = self.held.iter().filter(|(held, _)| Some(*held) == method).map(|(_, until)| *until).max();
        let Some(until) = until.filter(|until| *until > self.now) else {
            return false;
        };
        self.calls.enter(id, Phase::Delayed(until));
        true
    }

    fn refuse_rate(&mut self, id: CallId, wait: Duration) {
        self.settle(id, Err(Error::new(Code::RateLimited, Detail::Http(0, Some(wait)))));
    }

    /// Whether a call's lane has it wait, or rejects it. Its moment is its own from then on, so that it comes back only once, however many
    /// wait for the same lane.
    fn is_laned(&mut self, id: CallId) -> bool {
        if self.lanes.is_empty() {
            return false;
        }
        let Some(call) = self.calls.at_mut(id) else {
            return false;
        };
        let lane = usize::from(call.request.lane).checked_sub(1).and_then(|at| self.lanes.get_mut(at));
        let Some(lane) = lane.filter(|_| !core::mem::replace(&mut call.is_paid, true)) else {
            return false;
        };
        let wait = lane.wait(self.now);
        if wait > Duration::ZERO && lane.rejects {
            self.refuse_rate(id, wait);
            return true;
        }
        lane.take(self.now);
        if wait > Duration::ZERO {
            self.calls.enter(id, Phase::Delayed(self.now + wait));
        }
        wait > Duration::ZERO
    }

    /// Whether the endpoint is left alone; the call is rejected then.
    pub(super) fn is_broken(&mut self, id: CallId) -> bool {
        let Some(wait) = self.breaker.as_ref().and_then(|breaker| breaker.refusal(self.now)) else {
            return false;
        };
        self.settle(id, Err(Error::new(Code::CircuitOpen, Detail::Http(0, Some(wait)))));
        true
    }

    /// Tells the breaker something, and the application what it makes of it.
    pub(super) fn watch_breaker(&mut self, tell: impl FnOnce(&mut Breaker)) {
        let Some(breaker) = &mut self.breaker else {
            return;
        };
        let before = breaker.state();
        tell(breaker);
        if breaker.state() != before {
            self.out.push_back(Output::Event(Event::Breaker(breaker.state())));
        }
    }

    /// What the end of a call that was sent says of the endpoint: an answer of whatever kind is well; what the caller or this side of the
    /// network did is nothing.
    pub(super) fn judge(&mut self, error: Option<&Error<P>>) {
        let Some(limits) = self.config.breaker else {
            return;
        };
        let well = match error {
            None => true,
            Some(Error { code: Code::RpcError | Code::InputRequired, .. }) => true,
            Some(Error { code: Code::HttpError, detail: Detail::Http(..=499, _), .. }) => true,
            Some(Error { code: Code::RequestTimeout, .. }) if !limits.count_timeouts => return,
            Some(Error { code: Code::CorsOrNetwork, .. }) => return,
            Some(error) if is_unwell(error.code) => false,
            _ => return,
        };
        let now = self.now;
        self.watch_breaker(|breaker| breaker.on_verdict(well, now));
    }

    /// Why a call of this priority may not even wait, if so. Makes room for it if it may.
    pub(super) fn refusal(&mut self, priority: u8) -> Option<Code> {
        if self.config.reject_disconnected && self.connection.up().is_none() {
            // The next one may find a link.
            self.with(|connection, cx| connection.wake(false, cx));
            return Some(Code::NotConnected);
        }
        let waits = |call: &Call<P>| matches!(call.phase, Phase::Delayed(_));
        let held = if self.held.is_empty() && self.lanes.is_empty() { 0 } else { self.calls.select(&waits).len() };
        while self.queue.len() + held >= self.config.max_queued {
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
        let waiting = self.calls.select(&|call| {
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

    /// When to look again, or when the rate lets the next one leave.
    pub(super) fn next_leave(&self) -> Instant {
        let limiter = self.limiter.as_ref().filter(|_| self.queue.len() > 0);
        let wait = limiter.map(|limiter| limiter.wait(self.now)).filter(|wait| *wait > Duration::ZERO);
        let look = self.choked.map_or(Instant::NEVER, |choked| choked.look);
        wait.map_or(look, |wait| look.min(self.now + wait))
    }
}

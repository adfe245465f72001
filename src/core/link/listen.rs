//! The one standing `subscriptions/listen` of a client (P47-P51, P85): which filter is wanted, which stream carries it, and when it is
//! asked for again. It does not know what is in a filter, and a legacy era has nothing like it.

use super::{Answer, Context, Link, Purpose};
use crate::config::Config;
use crate::ids::{ExchangeId, RequestId};
use crate::io::{Event, ListenPhase, Output};
use crate::policy::backoff;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Outgoing, Payload};

/// How many acknowledged streams in a row the server may end at once, before that counts as having nothing to tell: official servers
/// acknowledge an empty filter and complete.
const MOST_SHORT: u32 = 3;

/// What is listened to, and how that stands.
#[derive(Debug)]
pub(crate) struct Listen<P> {
    wanted: Option<P>,
    state: State,
    /// The stream of the filter before, until the present one is acknowledged: make before break.
    old: Option<Stream>,
    /// Streams in a row that did not live for `min_uptime`.
    attempt: u32,
    /// Notifications may have been missed since the last acknowledgment.
    gap: bool,
}

#[derive(Debug)]
enum State {
    /// Nothing is wanted, or there is no link of the modern era.
    Off,
    /// Asked, and perhaps acknowledged.
    Open(Stream),
    /// Asked again then.
    Waiting(Instant),
    /// The server will not: not asked again before the filter changes or another link is ready.
    Refused,
}

/// One request, as long as it runs.
#[derive(Debug)]
struct Stream {
    id: RequestId,
    /// What carries it over HTTP.
    exchange: Option<ExchangeId>,
    acknowledged: Option<Instant>,
    heard: Instant,
}

/// How a stream ended.
enum End {
    /// With the server's result, or because it said so (P38).
    Complete,
    /// The server's last word.
    Refused,
    /// Broken, or refused for now; asked again after this long at least.
    Broken(Duration),
}

impl<P> Default for Listen<P> {
    fn default() -> Self {
        Self { wanted: None, state: State::Off, old: None, attempt: 0, gap: false }
    }
}

impl<P: Payload> Listen<P> {
    /// Whether `id` is a stream that may speak.
    pub(crate) fn has(&self, id: RequestId) -> bool {
        self.streams().any(|stream| stream.id == id)
    }

    /// How many of the browser's connections it holds.
    pub(crate) fn exchanges(&self) -> usize {
        self.streams().filter(|stream| stream.exchange.is_some()).count()
    }

    /// The application wants to listen to this from now on.
    pub(crate) fn want(&mut self, filter: Option<P>, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.wanted = filter;
        match core::mem::replace(&mut self.state, State::Off) {
            // The new filter goes when the old one would have.
            waiting @ State::Waiting(_) if self.wanted.is_some() => return self.state = waiting,
            State::Open(stream) if stream.acknowledged.is_some() && self.wanted.is_some() => self.old = Some(stream),
            State::Open(stream) => hang_up(&stream, up, cx),
            _ => {}
        }
        if self.wanted.is_none() {
            if let Some(old) = self.old.take() {
                hang_up(&old, up, cx);
            }
            self.gap = false;
        }
        self.ask(up, cx);
    }

    /// A link is ready.
    pub(crate) fn on_ready(&mut self, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.attempt = 0;
        self.ask(up, cx);
    }

    /// The link is gone, and with it what travelled on it.
    pub(crate) fn on_lost(&mut self, cx: &mut Context<'_, P>) {
        let current = match core::mem::replace(&mut self.state, State::Off) {
            State::Open(stream) => Some(stream),
            _ => None,
        };
        let mut missed = false;
        for stream in current.into_iter().chain(self.old.take()) {
            missed |= stream.acknowledged.is_some();
            hang_up(&stream, None, cx);
        }
        if missed {
            self.miss(ListenPhase::Lost, cx);
        }
    }

    /// The server listens to us; true when notifications may have been missed before that.
    pub(crate) fn on_acknowledged(
        &mut self,
        id: RequestId,
        honoured: P,
        up: Option<&Link<P>>,
        cx: &mut Context<'_, P>,
    ) -> bool {
        match &mut self.state {
            State::Open(stream) if stream.id == id && stream.acknowledged.is_none() => {
                stream.acknowledged = Some(cx.now);
            }
            _ => return false,
        }
        if let Some(old) = self.old.take() {
            hang_up(&old, up, cx);
        }
        tell(ListenPhase::Acknowledged, Some(honoured), cx);
        core::mem::take(&mut self.gap)
    }

    /// The server ends a stream with a notification instead of a result (P38).
    pub(crate) fn on_cancelled(&mut self, id: RequestId, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.close(id, End::Complete, up, cx);
    }

    /// The answer to the request: its end, whatever it says.
    pub(crate) fn on_answer(
        &mut self,
        id: RequestId,
        answer: Answer<P>,
        wait: Option<Duration>,
        up: Option<&Link<P>>,
        cx: &mut Context<'_, P>,
    ) {
        let end = match answer {
            Answer::Result { .. } => End::Complete,
            Answer::Lost { .. } | Answer::Unreached(_) => End::Broken(Duration::ZERO),
            Answer::Error { status: 429 | 500.., .. } | Answer::Status(429 | 500.., _) => {
                End::Broken(wait.unwrap_or(Duration::ZERO))
            }
            Answer::Error { .. } | Answer::Status(..) | Answer::Accepted | Answer::Bad(_) => End::Refused,
        };
        if let Some(stream) = self.take(id) {
            self.on_end(&stream, end, up, cx);
        }
    }

    /// Bytes arrived in an exchange.
    pub(crate) fn on_heard(&mut self, exchange: ExchangeId, now: Instant) {
        let current = match &mut self.state {
            State::Open(stream) => Some(stream),
            _ => None,
        };
        for stream in current.into_iter().chain(&mut self.old) {
            if stream.exchange == Some(exchange) {
                stream.heard = now;
            }
        }
    }

    /// The soonest moment at which something is due.
    pub(crate) fn next_timeout(&self, config: &Config) -> Option<Instant> {
        let due = match self.state {
            State::Waiting(until) => Some(until),
            _ => None,
        };
        self.streams().filter_map(|stream| stream.silent_at(config)).chain(due).min()
    }

    /// Time passed.
    pub(crate) fn on_timeout(&mut self, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        let silent = |stream: &&Stream| stream.silent_at(cx.config).is_some_and(|at| at <= cx.now);
        let silent: Vec<RequestId> = self.streams().filter(silent).map(|stream| stream.id).collect();
        for id in silent {
            self.close(id, End::Broken(Duration::ZERO), up, cx);
        }
        if matches!(self.state, State::Waiting(until) if until <= cx.now) {
            self.ask(up, cx);
        }
    }

    fn ask(&mut self, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.state = State::Off;
        let (Some(filter), Some(up)) = (self.wanted.clone(), up.filter(|up| up.version.era() == Era::Modern)) else {
            return;
        };
        let id = cx.ids.request();
        let exchange = cx.write(up, Purpose::Listen(id), Outgoing::Listen(id, filter));
        self.state = State::Open(Stream { id, exchange, acknowledged: None, heard: cx.now });
    }

    /// Ends a stream from our side, and says what follows.
    fn close(&mut self, id: RequestId, end: End, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        if let Some(stream) = self.take(id) {
            self.on_end(&stream, end, up, cx);
            hang_up(&stream, up, cx);
        }
    }

    fn on_end(&mut self, stream: &Stream, end: End, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        let phase = if matches!(end, End::Complete) { ListenPhase::Ended } else { ListenPhase::Lost };
        if stream.acknowledged.is_some() {
            self.miss(phase, cx);
        }
        // The one that is to take its place is on its way.
        if !matches!(self.state, State::Off) {
            return;
        }
        let lived = |since| cx.now.since(since) >= cx.config.reconnect.min_uptime;
        self.attempt = if stream.acknowledged.is_some_and(lived) { 0 } else { self.attempt + 1 };
        let refused = match (&end, stream.acknowledged) {
            (End::Complete, Some(_)) => self.attempt >= MOST_SHORT,
            (End::Complete | End::Refused, None) => true,
            _ => false,
        };
        if refused {
            let Some(old) = self.old.take() else {
                self.attempt = 0;
                self.state = State::Refused;
                return tell(ListenPhase::Unsupported, None, cx);
            };
            // Some servers have room for one stream only: the old one goes before the new one is asked for again.
            hang_up(&old, up, cx);
            self.miss(ListenPhase::Lost, cx);
        }
        let asked = if let End::Broken(wait) = end { wait } else { Duration::ZERO };
        let delay = backoff::delay(&cx.config.reconnect, self.attempt, cx.rng);
        self.state = State::Waiting(cx.now + delay.max(asked));
    }

    /// The filter was honoured and is no more.
    fn miss(&mut self, phase: ListenPhase, cx: &mut Context<'_, P>) {
        self.gap = true;
        tell(phase, None, cx);
    }

    fn streams(&self) -> impl Iterator<Item = &Stream> {
        let current = match &self.state {
            State::Open(stream) => Some(stream),
            _ => None,
        };
        current.into_iter().chain(&self.old)
    }

    fn take(&mut self, id: RequestId) -> Option<Stream> {
        match core::mem::replace(&mut self.state, State::Off) {
            State::Open(stream) if stream.id == id => Some(stream),
            other => {
                self.state = other;
                self.old.take_if(|old| old.id == id)
            }
        }
    }
}

impl Stream {
    /// When it has been silent for too long. A socket is watched as a whole, not per request.
    fn silent_at(&self, config: &Config) -> Option<Instant> {
        let limited = self.exchange.is_some() && config.stream_idle != Duration::ZERO;
        limited.then(|| self.heard + config.stream_idle)
    }
}

/// Ends a stream on the wire: over HTTP by closing it, on a socket in words (P36). A socket that is gone needs none.
fn hang_up<P: Payload>(stream: &Stream, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
    match (stream.exchange, up) {
        (Some(exchange), _) => cx.abort(exchange),
        (None, Some(up)) => {
            cx.write(up, Purpose::Silent, Outgoing::Cancelled(stream.id));
        }
        (None, None) => {}
    }
}

fn tell<P>(phase: ListenPhase, honoured: Option<P>, cx: &mut Context<'_, P>) {
    cx.out.push_back(Output::Event(Event::Listen(phase, honoured)));
}

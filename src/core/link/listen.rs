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
/// acknowledge a filter of which they honour nothing, and complete.
const MOST_SHORT: u32 = 3;

/// What is listened to, and how that stands. Without a stream and without a moment to ask again, nothing is wanted, there is no link of
/// the modern era, or the server will not.
#[derive(Debug)]
pub(crate) struct Listen<P> {
    wanted: Option<P>,
    /// At most two, the newest last: the one before carries the filter before, until the new one is acknowledged.
    streams: Vec<Stream>,
    /// When to ask again; whatever stream there is meanwhile is an old one.
    ask_at: Option<Instant>,
    /// Streams in a row that did not live for `min_uptime`.
    attempt: u32,
    /// Notifications may have been missed since the last acknowledgment.
    gap: bool,
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

/// What concerns the listen.
pub(crate) enum Concern<P> {
    /// The application wants to listen to this from now on.
    Want(Option<P>),
    /// A link is ready.
    Ready,
    /// The link is gone, and with it what travelled on it.
    Lost,
    /// The server listens to us.
    Acknowledged(RequestId, P),
    /// The server ends a stream with a notification instead of a result (P38).
    Cancelled(RequestId),
    /// The answer to the request: its end, whatever it says; how long the server asked to wait.
    Answer(RequestId, Answer<P>, Option<Duration>),
    /// Time passed.
    Timeout,
}

/// How a stream ended.
#[derive(PartialEq)]
enum End {
    /// With the server's result, or because it said so.
    Complete,
    /// The server's last word.
    Refused,
    /// Broken, or refused for now; asked again after this long at least.
    Broken(Duration),
}

impl<P> Default for Listen<P> {
    fn default() -> Self {
        Self { wanted: None, streams: Vec::new(), ask_at: None, attempt: 0, gap: false }
    }
}

impl<P: Payload> Listen<P> {
    /// Whether `id` is a stream that may speak.
    pub(crate) fn has(&self, id: RequestId) -> bool {
        self.streams.iter().any(|stream| stream.id == id)
    }

    /// How many of the browser's connections it holds.
    pub(crate) fn exchanges(&self) -> usize {
        self.streams.iter().filter(|stream| stream.exchange.is_some()).count()
    }

    /// Bytes arrived in an exchange.
    pub(crate) fn on_heard(&mut self, exchange: ExchangeId, now: Instant) {
        if let Some(stream) = self.streams.iter_mut().find(|stream| stream.exchange == Some(exchange)) {
            stream.heard = now;
        }
    }

    /// The soonest moment at which something is due.
    pub(crate) fn next_timeout(&self, config: &Config) -> Instant {
        let silent = self.streams.iter().filter_map(|stream| stream.silent_at(config));
        silent.fold(self.ask_at.unwrap_or(Instant::NEVER), Instant::min)
    }

    /// Takes what happened; true when the server listens again and notifications may have been missed before that.
    pub(crate) fn on(&mut self, concern: Concern<P>, up: Option<&Link<P>>, cx: &mut Context<'_, P>) -> bool {
        match concern {
            Concern::Want(filter) => self.want(filter, up, cx),
            Concern::Ready => {
                self.attempt = 0;
                self.ask(up, cx);
            }
            Concern::Lost => {
                self.ask_at = None;
                self.hang_up_all(None, cx);
            }
            Concern::Acknowledged(id, honoured) => return self.on_acknowledged(id, honoured, up, cx),
            Concern::Cancelled(id) => self.on_end(id, End::Complete, true, up, cx),
            Concern::Answer(id, answer, wait) => self.on_end(id, end_of(&answer, wait), false, up, cx),
            Concern::Timeout => {
                let silent = |stream: &&Stream| stream.silent_at(cx.config).is_some_and(|at| at <= cx.now);
                if let Some(id) = self.streams.iter().find(silent).map(|stream| stream.id) {
                    self.on_end(id, End::Broken(Duration::ZERO), true, up, cx);
                }
                if self.ask_at.is_some_and(|at| at <= cx.now) {
                    self.ask(up, cx);
                }
            }
        }
        false
    }

    fn want(&mut self, filter: Option<P>, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.wanted = filter;
        if self.wanted.is_none() {
            self.ask_at = None;
            while let Some(stream) = self.streams.pop() {
                hang_up(&stream, up, cx);
            }
            self.gap = false;
        } else if self.ask_at.is_none() {
            self.ask(up, cx);
        }
    }

    fn ask(&mut self, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        self.ask_at = None;
        // Make before break: only what is not acknowledged is worth nothing.
        if let Some(stream) = self.streams.pop_if(|stream| stream.acknowledged.is_none()) {
            hang_up(&stream, up, cx);
        }
        let (Some(filter), Some(up)) = (self.wanted.clone(), up.filter(|up| up.version.era() == Era::Modern)) else {
            return;
        };
        let id = cx.ids.request();
        let exchange = cx.write(up, Purpose::Listen(id), Outgoing::Listen(id, filter));
        self.streams.push(Stream { id, exchange, acknowledged: None, heard: cx.now });
    }

    fn on_acknowledged(&mut self, id: RequestId, honoured: P, up: Option<&Link<P>>, cx: &mut Context<'_, P>) -> bool {
        let Some(mut stream) = self.streams.pop_if(|stream| stream.id == id && stream.acknowledged.is_none()) else {
            return false;
        };
        stream.acknowledged = Some(cx.now);
        while let Some(old) = self.streams.pop() {
            hang_up(&old, up, cx);
        }
        self.streams.push(stream);
        tell(ListenPhase::Acknowledged, Some(honoured), cx);
        core::mem::take(&mut self.gap)
    }

    fn on_end(&mut self, id: RequestId, end: End, open: bool, up: Option<&Link<P>>, cx: &mut Context<'_, P>) {
        let Some(at) = self.streams.iter().position(|stream| stream.id == id) else {
            return;
        };
        let stream = self.streams.remove(at);
        if open {
            hang_up(&stream, up, cx);
        }
        if stream.acknowledged.is_some() {
            self.miss(if end == End::Complete { ListenPhase::Ended } else { ListenPhase::Lost }, cx);
        }
        // The one that is to take its place is asked for already.
        if at < self.streams.len() || self.ask_at.is_some() {
            return;
        }
        let lived = |since| cx.now.since(since) >= cx.config.reconnect.min_uptime;
        self.attempt = if stream.acknowledged.is_some_and(lived) { 0 } else { self.attempt + 1 };
        let refused = match stream.acknowledged {
            Some(_) => end == End::Complete && self.attempt >= MOST_SHORT,
            None => matches!(end, End::Complete | End::Refused),
        };
        // Some servers have room for one stream only: the old one goes before the new one is asked for again.
        if refused && !self.hang_up_all(up, cx) {
            self.attempt = 0;
            return tell(ListenPhase::Unsupported, None, cx);
        }
        let asked = if let End::Broken(wait) = end { wait } else { Duration::ZERO };
        let delay = backoff::delay(&cx.config.reconnect, self.attempt, cx.rng);
        self.ask_at = Some(cx.now + delay.max(asked));
    }

    /// Ends what there is; whether that was honoured until now.
    fn hang_up_all(&mut self, up: Option<&Link<P>>, cx: &mut Context<'_, P>) -> bool {
        let mut honoured = false;
        while let Some(stream) = self.streams.pop() {
            honoured |= stream.acknowledged.is_some();
            hang_up(&stream, up, cx);
        }
        if honoured {
            self.miss(ListenPhase::Lost, cx);
        }
        honoured
    }

    /// The filter was honoured and is no more.
    fn miss(&mut self, phase: ListenPhase, cx: &mut Context<'_, P>) {
        self.gap = true;
        tell(phase, None, cx);
    }
}

impl Stream {
    /// When it has been silent for too long. A socket is watched as a whole, not per request.
    fn silent_at(&self, config: &Config) -> Option<Instant> {
        let limited = self.exchange.is_some() && config.stream_idle != Duration::ZERO;
        limited.then(|| self.heard + config.stream_idle)
    }
}

fn end_of<P>(answer: &Answer<P>, wait: Option<Duration>) -> End {
    match answer {
        Answer::Result { .. } => End::Complete,
        Answer::Lost { .. } | Answer::Unreached(_) => End::Broken(Duration::ZERO),
        Answer::Error { status: 429 | 500.., .. } | Answer::Status(429 | 500.., _) => {
            End::Broken(wait.unwrap_or(Duration::ZERO))
        }
        Answer::Error { .. } | Answer::Status(..) | Answer::Accepted | Answer::Bad(_) => End::Refused,
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

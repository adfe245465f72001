//! Event streams of the legacy eras that are more than the answer to one POST (P77, P78, P83): what comes on them, and when they are
//! opened again.

use super::gate::Room;
use super::{Answer, CallId, Duration, Engine, Incoming, LinkId, Payload, Phase, Purpose};
use crate::ids::ExchangeId;
use crate::link::Stream;
use crate::time::Instant;

/// How long calls wait at most for the stream on which a server may ask something before it answers them.
const HOLD: Duration = Duration::from_millis(500);

impl<P: Payload> Engine<P> {
    /// A message on a stream that was asked for.
    pub(super) fn on_streamed(&mut self, link: LinkId, purpose: Purpose, message: Incoming<P>) {
        if purpose == Purpose::Channel {
            // It is the connection, and treated as a socket's.
            return self.on_message(link, message);
        }
        match message {
            // Events are framed by themselves: the next one may be right.
            Incoming::Malformed(_) => return self.metrics.violations += 1,
            Incoming::Result { id, .. } | Incoming::Error { id: Some(id), .. } | Incoming::TooLarge(id) => {
                // Wherever the answer was expected (P78), nothing more comes there.
                let call = self.calls.awaiting(link, id).and_then(|call| self.calls.at(call)?.sending());
                if let Some(exchange) = call.and_then(|sending| sending.exchange) {
                    self.with(|_, cx| cx.abort(exchange));
                }
            }
            _ => {}
        }
        if let Some(stream) = self.stream(link, purpose) {
            stream.on_news();
        }
        self.on_message(link, message);
    }

    /// The server took `notifications/initialized`: it may speak on a stream of its own from now on.
    pub(super) fn on_initialized(&mut self, link: LinkId) {
        let up = self.connection.up().filter(|up| up.id == link && up.is_resumable());
        // The stream holds one connection, and calls need another.
        if let Some(up) = up.filter(|_| self.config.http_concurrency > 1) {
            self.streams.push(Stream::new(Purpose::Standing, up, Some(self.now)));
            // What the server asks during a call goes there, and nowhere while it is not open.
            self.hold_until = Some(self.now + HOLD);
        }
    }

    /// A stream is about to end, and can be taken up there.
    pub(super) fn on_cursor(&mut self, link: LinkId, purpose: Purpose, last: Option<P>, retry: Option<Duration>) {
        let rest = match purpose {
            Purpose::Call(call, request) => Purpose::Resume(call, request),
            other => other,
        };
        if rest != purpose && last.is_some() {
            let up = self.connection.up().filter(|up| up.id == link && up.is_resumable());
            if let Some(up) = up {
                self.streams.push(Stream::new(rest, up, None));
            }
        }
        if let Some(stream) = self.stream(link, rest) {
            stream.on_cursor(last, retry);
        }
    }

    /// Whether a call whose stream ended without the answer waits for the rest of it instead.
    pub(super) fn is_resumed(&mut self, call: CallId, answer: &Answer<P>) -> bool {
        let now = self.now;
        let rest = self.streams.iter_mut().find(|stream| stream.is_of(call));
        let (Answer::Lost { .. }, Some(stream)) = (answer, rest) else {
            return false;
        };
        stream.begin(now);
        self.travel(call, None);
        true
    }

    /// A stream that was asked for ended, was refused, or could not be had.
    pub(super) fn on_stream_end(&mut self, link: LinkId, purpose: Purpose, answer: &Answer<P>, wait: Option<Duration>) {
        let of = |stream: &Stream<P>| stream.link == link && stream.purpose == purpose;
        let Some(mut stream) = self.streams.iter().position(of).map(|at| self.streams.swap_remove(at)) else {
            return;
        };
        let (refused, broken) = match answer {
            Answer::Lost { broken } => (false, *broken),
            Answer::Unreached(_) => (false, true),
            Answer::Status(429 | 500.., _) => (false, false),
            // Nobody may be calling, and what the server says comes to nobody until there is a new session.
            Answer::Status(400 | 404, _) if stream.is_of_session() => return self.replace(link),
            // 405: not offered; 409: there is one already. That does not change while the link lives.
            _ => (true, false),
        };
        let failed = !matches!(answer, Answer::Lost { broken: false });
        self.with(|_, cx| stream.again(failed, wait.unwrap_or(Duration::ZERO), cx));
        // The link's own stream is no reason to lose the link, and a network comes back, however long that takes.
        let patient = broken && purpose == Purpose::Standing && self.config.reconnection;
        let again = !refused && (patient || !stream.is_exhausted());
        if again {
            self.streams.push(stream);
        }
        if let Purpose::Resume(call, _) = purpose {
            if again {
                self.travel(call, None);
            } else {
                // Of a refusal it is known only that the answer is lost: the call itself had been taken.
                self.on_answer(call, Answer::Lost { broken }, wait);
            }
        }
    }

    /// Asks for the streams that are due, as far as there are connections; they come before calls that wait.
    pub(super) fn open_streams(&mut self) {
        let now = self.now;
        while !self.streams.is_empty() && self.connections() == Room::Any {
            let is_due = |stream: &&mut Stream<P>| stream.due.is_some_and(|due| due <= now);
            let Some(stream) = self.streams.iter_mut().find(is_due) else {
                return;
            };
            let (link, purpose, plan) = (stream.link, stream.purpose, stream.open(now));
            let exchange = self.with(|_, cx| cx.fetch(link, purpose, plan));
            if let Purpose::Resume(call, _) = purpose {
                self.travel(call, Some(exchange));
            }
        }
    }

    /// When a stream is to be asked for; while all connections are taken, it is when one is free.
    pub(super) fn next_stream(&self) -> Instant {
        let due = self.streams.iter().filter_map(|stream| stream.due).fold(Instant::NEVER, Instant::min);
        if due > self.now || self.connections() == Room::Any {
            due
        } else {
            Instant::NEVER
        }
    }

    fn stream(&mut self, link: LinkId, purpose: Purpose) -> Option<&mut Stream<P>> {
        self.streams.iter_mut().find(|stream| stream.link == link && stream.purpose == purpose)
    }

    /// The exchange in which the answer to a call is expected from now on.
    fn travel(&mut self, call: CallId, exchange: Option<ExchangeId>) {
        if let Some(Phase::Sent(sending)) = self.calls.at_mut(call).map(|call| &mut call.phase) {
            sending.exchange = exchange;
        }
    }
}

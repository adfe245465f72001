//! One HTTP exchange: from its events to the one answer that counts (P20-P25). It judges shape, not meaning: what an answer means for a
//! call or a handshake is decided by whoever asked.

use crate::config::Config;
use crate::error::{Code, Detail, Error};
use crate::ids::{CallId, ExchangeId, LinkId, RequestId};
use crate::io::{ExchangeEvent, Reach};
use crate::time::{Duration, Instant};
use crate::wire::{Asked, Content, Hint, Incoming, Malformed, Method, ResultKind};

/// How long a stream may say nothing before that is told. Servers keep slow answers alive with comments, and a listen is acknowledged at
/// once: a proxy may keep the stream back. Or the tool is slow and its server says nothing meanwhile, so it is no error.
const STALL: Duration = Duration::from_millis(10_000);

/// A running exchange.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: ExchangeId,
    pub(crate) link: LinkId,
    pub(crate) purpose: Purpose,
    /// Answered but not ended, or waited for by nobody: abort it then, so that the server does not keep a connection.
    pub(crate) drain_until: Option<Instant>,
    /// When something of it was last heard of; at first, when it began.
    pub(crate) heard: Instant,
    /// Something came after its head.
    pub(crate) flows: bool,
    /// It was told that it is silent.
    pub(crate) stalled: bool,
    head: Option<(u16, Content, Option<Duration>)>,
    /// What was wrong with a message that could still be followed by the right one.
    flaw: Option<&'static str>,
}

/// Those that run, by their ids. Boxed, as the first of a thousand to end moves the others up (`tests/bench`, row 2).
pub(crate) type Exchanges = Vec<Box<Exchange>>;

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A call's request.
    Call(CallId, RequestId),
    /// A notification of the application.
    Notice(CallId),
    /// The handshake.
    Handshake(RequestId),
    /// The standing `subscriptions/listen`.
    Listen(RequestId),
    /// A request over HTTP+SSE: its answer comes on the link's channel, here only that it was taken (P83).
    Carry(RequestId),
    /// What is left of a call's event stream (P78).
    Resume(CallId, RequestId),
    /// The stream on which a legacy server speaks of itself (P77).
    Standing,
    /// The stream that is the connection of HTTP+SSE (P83).
    Channel,
    /// `notifications/initialized`: once it is taken, the standing stream may be asked for.
    Initialized,
    /// What HTTP answers where a WebSocket does not: only its head says something.
    Probe,
    /// Nobody waits: replies, cancellations, the end of a session.
    Silent,
}

impl Purpose {
    /// Whether the exchange is under a time limit from its start, since nobody else would end it.
    pub(crate) fn is_unheard(self) -> bool {
        matches!(self, Self::Carry(_) | Self::Initialized | Self::Silent)
    }

    /// Whether it is a GET, for nothing but an event stream.
    fn is_stream(self) -> bool {
        matches!(self, Self::Resume(..) | Self::Standing | Self::Channel)
    }
}

/// What an event means.
#[derive(Debug)]
pub(crate) enum Step<P> {
    /// Nothing yet.
    Wait,
    /// A message that answers nothing; the right one may follow.
    Flaw,
    /// The answer. Nothing that comes later counts.
    Answer(Answer<P>),
    /// A notification on the way to the answer.
    Notification(Method, Option<RequestId>, P),
    /// A request of the server on the way to the answer.
    Request(Asked, P),
    /// A message on a stream that was asked for: its id tells whom it answers.
    Message(Incoming<P>),
    /// Where the stream can be taken up again, and after what time.
    Cursor(Option<P>, Option<Duration>),
    /// Where the messages of the link go.
    Endpoint(Option<P>),
}

/// The answer to a POST.
#[derive(Debug)]
pub(crate) enum Answer<P> {
    Result {
        kind: ResultKind,
        hint: Hint,
        size: u32,
        payload: P,
    },
    /// A JSON-RPC error, and the status it came with.
    Error {
        code: i32,
        payload: P,
        status: u16,
    },
    /// A status that is no success, without a JSON-RPC body; what the server asked to wait.
    Status(u16, Option<Duration>),
    /// A success, without anything that could be the answer; or a 401 or 403 that says what credentials would do.
    Bad(Error<P>),
    /// The message was taken; there is nothing to wait for.
    Accepted,
    /// The body ended without an answer in it, or broke off.
    Lost {
        broken: bool,
    },
    /// No head ever came.
    Unreached(Reach),
}

impl Exchange {
    pub(crate) fn new(id: ExchangeId, link: LinkId, purpose: Purpose, heard: Instant) -> Self {
        Self { id, link, purpose, drain_until: None, heard, flows: false, stalled: false, head: None, flaw: None }
    }

    /// Something of it arrives.
    pub(crate) fn on_heard(&mut self, now: Instant) {
        (self.heard, self.stalled) = (now, false);
        self.flows = !self.is_headless();
    }

    /// The call whose answer it brings.
    pub(crate) fn call(&self) -> Option<CallId> {
        match self.purpose {
            Purpose::Call(call, _) | Purpose::Resume(call, _) => Some(call),
            _ => None,
        }
    }

    /// Whether its next silence is to be told: that of a stream that brings an answer, or on which a listen was not acknowledged yet. What
    /// comes after that comes whenever something happens.
    pub(crate) fn is_to_tell(&self) -> bool {
        let speaks = matches!(self.purpose, Purpose::Listen(_)) && !self.flows || self.call().is_some();
        speaks && !self.stalled && matches!(self.head, Some((200..=299, Content::EventStream, _)))
    }

    /// When silence has a consequence next: it is told of, or ends the exchange.
    pub(crate) fn silent_at(&self, config: &Config) -> Option<Instant> {
        let limit = if self.is_headless() { config.headers_timeout } else { config.call_idle };
        let limited = limit > Duration::ZERO && self.call().is_some();
        let patience = match (self.is_to_tell(), limited) {
            _ if self.drain_until.is_some() => return None,
            (true, true) => STALL.min(limit.mul_f64(0.5)),
            (true, false) => STALL,
            (false, true) => limit,
            (false, false) => return None,
        };
        Some(self.heard + patience)
    }

    /// When it has to be looked at next, as far as is known now.
    pub(crate) fn due_at(&self, config: &Config) -> Instant {
        self.drain_until.or_else(|| self.silent_at(config)).unwrap_or(Instant::NEVER)
    }

    /// The status, once the head is here.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.head.and_then(|(_, _, retry_after)| retry_after)
    }

    pub(crate) fn on_event<P>(&mut self, event: ExchangeEvent<P>) -> Step<P> {
        match event {
            ExchangeEvent::Head(head) => {
                self.head = Some((head.status, head.content, head.retry_after));
                if let Some(challenge) = head.challenge {
                    let detail = Detail::Challenge(head.status, challenge);
                    return Step::Answer(Answer::Bad(Error::new(refusal(head.status), detail)));
                }
                let success = (200..300).contains(&head.status);
                match (success, self.purpose) {
                    (false, Purpose::Probe) => Step::Answer(Answer::Status(head.status, head.retry_after)),
                    (true, Purpose::Probe) if head.content != Content::Html => Step::Answer(Answer::Accepted),
                    (true, Purpose::Notice(_)) => Step::Answer(Answer::Accepted),
                    (true, purpose) if purpose.is_unheard() => Step::Answer(Answer::Accepted),
                    (true, _) if matches!(head.status, 202 | 204) => bad("no-answer"),
                    (true, _) if head.content == Content::Html => bad("html"),
                    (true, _) if head.content == Content::Other => bad("content-type"),
                    (true, purpose) if purpose.is_stream() && head.content == Content::Json => bad("content-type"),
                    _ => Step::Wait,
                }
            }
            ExchangeEvent::Message(message) => self.on_message(message),
            ExchangeEvent::Alive => Step::Wait,
            ExchangeEvent::Cursor { id, retry } => Step::Cursor(id, retry),
            ExchangeEvent::Endpoint(endpoint) => Step::Endpoint(endpoint),
            ExchangeEvent::Failed(reach) if self.head.is_none() => Step::Answer(Answer::Unreached(reach)),
            ExchangeEvent::Ended | ExchangeEvent::Failed(_) => {
                let (status, content, retry_after) = self.head.unwrap_or((0, Content::Other, None));
                let ended = matches!(event, ExchangeEvent::Ended);
                match (self.flaw, content) {
                    _ if !(200..300).contains(&status) => Step::Answer(Answer::Status(status, retry_after)),
                    // The head was all there is to say.
                    _ if self.purpose.is_unheard() => Step::Wait,
                    (Some(flaw), _) => bad(flaw),
                    (None, Content::Json) if ended => bad("empty"),
                    _ => Step::Answer(Answer::Lost { broken: !ended }),
                }
            }
        }
    }

    /// What comes after the answer settles nothing any more (matrix rows 29 and 36), but a batch may have news behind it (P6).
    pub(crate) fn on_aside<P>(event: ExchangeEvent<P>) -> Step<P> {
        match event {
            ExchangeEvent::Message(Incoming::Notification { method, token, payload }) => {
                Step::Notification(method, token, payload)
            }
            ExchangeEvent::Message(Incoming::Request { asked, payload }) => Step::Request(asked, payload),
            ExchangeEvent::Message(_) => Step::Flaw,
            _ => Step::Wait,
        }
    }

    /// Whether the next message is the whole answer: the shell does not tell the head of a plain 200 with one JSON message, nor its end.
    pub(crate) fn is_headless(&self) -> bool {
        self.head.is_none()
    }

    fn on_message<P>(&mut self, message: Incoming<P>) -> Step<P> {
        let (status, content, _) = self.head.unwrap_or((200, Content::Json, None));
        let expected = match self.purpose {
            Purpose::Call(_, id) | Purpose::Handshake(id) | Purpose::Listen(id) | Purpose::Carry(id) => Some(id),
            _ => None,
        };
        if self.purpose.is_stream() {
            if self.is_headless() {
                return bad("content-type");
            }
            if !(200..300).contains(&status) {
                // The status says enough: a stream that is refused has no answer to a request in its body.
                return Step::Wait;
            }
            return Step::Message(message);
        }
        if expected.is_none() && self.is_headless() {
            return Step::Answer(Answer::Accepted);
        }
        let refused = !(200..300).contains(&status);
        let streamed = content == Content::EventStream;
        match message {
            Incoming::Result { id, kind, hint, size, payload } if Some(id) == expected => {
                Step::Answer(Answer::Result { kind, hint, size, payload })
            }
            Incoming::Error { id, code, payload } if id.is_none() || id == expected => {
                Step::Answer(Answer::Error { code, payload, status })
            }
            // The whole of a plain answer is no answer.
            Incoming::Notification { .. } | Incoming::Request { .. } if self.is_headless() => bad("no-answer"),
            // Somebody else's answer: on a stream the right one may follow (I3), a single body is all there will be. What is wrong with a
            // refusal's body takes nothing from its status.
            Incoming::Result { .. } | Incoming::Error { .. } => self.flawed("wrong-id", streamed || refused),
            Incoming::Notification { method, token, payload } => Step::Notification(method, token, payload),
            Incoming::Request { asked, payload } => Step::Request(asked, payload),
            Incoming::TooLarge(_) | Incoming::Malformed(Malformed::TooLarge) => {
                Step::Answer(Answer::Bad(Malformed::TooLarge.into()))
            }
            Incoming::Malformed(_) if refused => Step::Wait,
            Incoming::Malformed(Malformed::Json) => self.flawed("json", streamed),
            Incoming::Malformed(_) => self.flawed("envelope", streamed),
        }
    }

    fn flawed<P>(&mut self, flaw: &'static str, more_may_follow: bool) -> Step<P> {
        if more_may_follow {
            self.flaw = Some(flaw);
            Step::Flaw
        } else {
            bad(flaw)
        }
    }
}

fn bad<P>(note: &'static str) -> Step<P> {
    Step::Answer(Answer::Bad(Error::new(Code::ParseError, Detail::Note(note))))
}

/// What a status that is no success means.
pub(crate) fn refused<P>(status: u16, wait: Option<Duration>) -> Error<P> {
    Error::new(refusal(status), Detail::Http(status, wait))
}

fn refusal(status: u16) -> Code {
    match status {
        401 => Code::AuthRequired,
        403 => Code::Forbidden,
        429 => Code::RateLimited,
        _ => Code::HttpError,
    }
}

/// What a `fetch` that failed means.
pub(crate) fn unreached<P>(reach: Reach) -> Error<P> {
    match reach {
        Reach::Unknown => Error::new(Code::CorsOrNetwork, Detail::None),
        Reach::Blocked => Error::new(Code::CorsOrNetwork, Detail::Note("cors")),
        Reach::Down => Error::new(Code::ConnectFailed, Detail::Note("network")),
        Reach::Unsent => Error::new(Code::SendFailed, Detail::Note("headers")),
        Reach::Policy => Error::new(Code::CspBlocked, Detail::None),
        Reach::Local => Error::new(Code::LocalNetworkBlocked, Detail::None),
    }
}

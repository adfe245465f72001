//! One HTTP exchange: from its events to the one answer that counts (P20-P25). It judges shape, not meaning: what an answer means for a
//! call or a handshake is decided by whoever asked.

use crate::error::{Code, Detail, Error};
use crate::ids::{CallId, ExchangeId, LinkId, RequestId};
use crate::io::{ExchangeEvent, Reach};
use crate::time::{Duration, Instant};
use crate::wire::{Asked, Content, Hint, Incoming, Malformed, Method, ResultKind};

/// A running exchange.
#[derive(Debug)]
pub(crate) struct Exchange {
    pub(crate) id: ExchangeId,
    pub(crate) link: LinkId,
    pub(crate) purpose: Purpose,
    /// Answered but not ended, or waited for by nobody: abort it then, so that the server does not keep a connection.
    pub(crate) drain_until: Option<Instant>,
    head: Option<(u16, Content, Option<Duration>)>,
    /// What was wrong with a message that could still be followed by the right one.
    flaw: Option<&'static str>,
}

/// Who asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A call's request.
    Call(CallId, RequestId),
    /// A notification of the application.
    Notice(CallId),
    /// The handshake.
    Handshake(RequestId),
    /// Nobody waits: replies, cancellations, the end of a session.
    Silent,
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
    /// A success, without anything that could be the answer.
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
    pub(crate) fn new(id: ExchangeId, link: LinkId, purpose: Purpose) -> Self {
        Self { id, link, purpose, drain_until: None, head: None, flaw: None }
    }

    /// The status, once the head is here.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        self.head.and_then(|(_, _, retry_after)| retry_after)
    }

    pub(crate) fn on_event<P>(&mut self, event: ExchangeEvent<P>) -> Step<P> {
        match event {
            ExchangeEvent::Head(head) => {
                self.head = Some((head.status, head.content, head.retry_after));
                let success = (200..300).contains(&head.status);
                match (success, self.purpose) {
                    (true, Purpose::Notice(_) | Purpose::Silent) => Step::Answer(Answer::Accepted),
                    (true, _) if matches!(head.status, 202 | 204) => bad("no-answer"),
                    (true, _) if head.content == Content::Html => bad("html"),
                    (true, _) if head.content == Content::Other => bad("content-type"),
                    _ => Step::Wait,
                }
            }
            ExchangeEvent::Message(message) => self.on_message(message),
            ExchangeEvent::Failed(reach) if self.head.is_none() => Step::Answer(Answer::Unreached(reach)),
            ExchangeEvent::Ended | ExchangeEvent::Failed(_) => {
                let (status, content, retry_after) = self.head.unwrap_or((0, Content::Other, None));
                let ended = matches!(event, ExchangeEvent::Ended);
                match (self.flaw, content) {
                    _ if !(200..300).contains(&status) => Step::Answer(Answer::Status(status, retry_after)),
                    (Some(flaw), _) => bad(flaw),
                    (None, Content::Json) if ended => bad("empty"),
                    _ => Step::Answer(Answer::Lost { broken: !ended }),
                }
            }
        }
    }

    /// Whether the next message is the whole answer: the shell does not tell the head of a plain 200 with one JSON message, nor its end.
    pub(crate) fn is_headless(&self) -> bool {
        self.head.is_none()
    }

    fn on_message<P>(&mut self, message: Incoming<P>) -> Step<P> {
        let (status, content, _) = self.head.unwrap_or((200, Content::Json, None));
        let expected = match self.purpose {
            Purpose::Call(_, id) | Purpose::Handshake(id) => Some(id),
            Purpose::Notice(_) | Purpose::Silent => None,
        };
        if expected.is_none() && self.is_headless() {
            return Step::Answer(Answer::Accepted);
        }
        let streamed = content == Content::EventStream;
        match message {
            Incoming::Result { id, kind, hint, size, payload } if Some(id) == expected => {
                Step::Answer(Answer::Result { kind, hint, size, payload })
            }
            Incoming::Error { id, code, payload } if id.is_none() || id == expected => {
                Step::Answer(Answer::Error { code, payload, status })
            }
            // Somebody else's answer: on a stream the right one may follow (I3), a single body is all there will be.
            Incoming::Result { .. } | Incoming::Error { .. } => self.flawed("wrong-id", streamed),
            Incoming::Notification { method, token, payload } => Step::Notification(method, token, payload),
            Incoming::Request { asked, payload } => Step::Request(asked, payload),
            Incoming::TooLarge(_) | Incoming::Malformed(Malformed::TooLarge) => {
                Step::Answer(Answer::Bad(Malformed::TooLarge.into()))
            }
            Incoming::Malformed(_) if !(200..300).contains(&status) => Step::Wait,
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
    let code = match status {
        401 => Code::AuthRequired,
        403 => Code::Forbidden,
        429 => Code::RateLimited,
        _ => Code::HttpError,
    };
    Error::new(code, Detail::Http(status, wait))
}

/// What a `fetch` that failed means.
pub(crate) fn unreached<P>(reach: Reach) -> Error<P> {
    match reach {
        Reach::Unknown => Error::new(Code::CorsOrNetwork, Detail::None),
        Reach::Blocked => Error::new(Code::CorsOrNetwork, Detail::Note("cors")),
        Reach::Down => Error::new(Code::ConnectFailed, Detail::Note("network")),
        Reach::Unsent => Error::new(Code::SendFailed, Detail::Note("headers")),
    }
}

//! Event streams of the legacy eras that are more than the answer to one POST (P77, P78, P83): what comes on them, and calls whose
//! answers are taken up on another stream.

use super::{Answer, CallId, Duration, Engine, Incoming, LinkId, Payload, Phase, Purpose};
use crate::ids::ExchangeId;
use crate::link::{Call, Resume};
use crate::time::Instant;
use crate::wire::Verb;

impl<P: Payload> Engine<P> {
    /// A message on a stream that was asked for.
    pub(super) fn on_streamed(&mut self, link: LinkId, purpose: Purpose, message: Incoming<P>) {
        match purpose {
            // It is the connection, and treated as a socket's.
            Purpose::Channel => return self.on_message(link, message),
            Purpose::Resume(call, _) => self.resumes.on_news(call),
            _ => self.connection.on_standing_news(link),
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
        self.on_message(link, message);
    }

    /// A stream is about to end, and can be taken up there.
    pub(super) fn on_cursor(&mut self, link: LinkId, purpose: Purpose, last: Option<P>, retry: Option<Duration>) {
        let (call, request) = match purpose {
            Purpose::Call(call, request) | Purpose::Resume(call, request) => (call, request),
            Purpose::Standing => return self.connection.on_standing_cursor(link, last, retry),
            _ => return,
        };
        if self.calls.awaiting(link, request) != Some(call) {
            return;
        }
        let up = self.connection.up().filter(|up| up.id == link && up.is_resumable());
        if let Some(resume) = self.resumes.find(call) {
            resume.on_cursor(last, retry);
        } else if let (Some(_), Some(up)) = (&last, up) {
            let mut resume = Resume::new(call, request, up.plan(Verb::Get, None));
            resume.on_cursor(last, retry);
            self.resumes.put(resume);
        }
    }

    /// Whether a call whose stream ended without the answer waits for the rest of it instead.
    pub(super) fn is_resumed(&mut self, call: CallId, answer: &Answer<P>) -> bool {
        let (Answer::Lost { .. }, Some(resume)) = (answer, self.resumes.find(call)) else {
            return false;
        };
        resume.begin(self.now);
        self.travel(call, None);
        true
    }

    /// A stream that took up another ended without the answer.
    pub(super) fn on_resumed(&mut self, call: CallId, answer: Answer<P>, wait: Option<Duration>) {
        let broken = match answer {
            Answer::Lost { broken } => Some(broken),
            Answer::Unreached(_) => Some(true),
            Answer::Status(429 | 500.., _) => Some(false),
            _ => None,
        };
        // Of a refusal it is known only that the answer is lost: the call itself had been taken.
        let Some(broken) = broken else {
            return self.on_answer(call, Answer::Lost { broken: false }, wait);
        };
        let Some(mut resume) = self.resumes.take(call) else {
            return;
        };
        let failed = !matches!(answer, Answer::Lost { broken: false });
        if self.with(|_, cx| resume.again(failed, wait.unwrap_or(Duration::ZERO), cx)) {
            self.resumes.put(resume);
            self.travel(call, None);
        } else {
            self.on_answer(call, Answer::Lost { broken }, wait);
        }
    }

    /// Asks for the streams that are due, as far as there are connections; they come before calls that wait.
    pub(super) fn open_resumes(&mut self) {
        while self.has_connection() {
            let Some(resume) = self.resumes.due(self.now) else {
                return;
            };
            let (call, request, plan) = (resume.call, resume.request, resume.plan.clone());
            let Some(link) = self.calls.at(call).and_then(Call::sending).map(|sending| sending.link) else {
                return;
            };
            let exchange = self.with(|_, cx| cx.fetch(link, Purpose::Resume(call, request), plan));
            self.travel(call, Some(exchange));
        }
    }

    /// When a stream is to be asked for; while all connections are taken, it is when one is free.
    pub(super) fn next_stream(&self) -> Option<Instant> {
        let due = [self.resumes.next(), self.connection.standing_due()].into_iter().flatten().min();
        due.filter(|due| *due > self.now || self.has_connection())
    }

    pub(super) fn has_connection(&self) -> bool {
        self.exchanges.len() < self.config.http_concurrency
    }

    /// The exchange in which the answer to a call is expected from now on.
    fn travel(&mut self, call: CallId, exchange: Option<ExchangeId>) {
        if let Some(Phase::Sent(sending)) = self.calls.at_mut(call).map(|call| &mut call.phase) {
            sending.exchange = exchange;
        }
    }
}

//! The way of a call outwards: accepted, cached, joined, queued, sent; and its way out of the engine when it is given up.

use super::{
    Answer, CallId, Code, Connection, Detail, Effect, Engine, Error, Event, Kind, LinkId, Method, Outcome, Outgoing,
    Output, Payload, Phase, Purpose, Request, Settled, Transport,
};
use crate::ids::RequestId;
use crate::io::CacheMode;
use crate::link::{Call, Sending, State};
use crate::policy::queue::TOP;
use crate::policy::replay::{may_repeat, Loss};
use crate::time::Duration;
use crate::wire::Era;

impl<P: Payload> Engine<P> {
    pub(super) fn on_call(&mut self, id: CallId, request: Request<P>) {
        let (kind, key, mode) = (request.kind, request.key, request.cache_mode);
        let closed = self.connection.state() == State::Closed;
        let patience = if kind == Kind::Connect { Duration::MAX } else { self.config.max_queue_time };
        let limits = (self.config.timeout, self.config.max_total, patience);
        if !self.calls.insert(id, request, self.now, limits) {
            self.out.push_back(Output::Settle(id, Err(Error::new(Code::Internal, Detail::Note("call-id")))));
            return;
        }
        if kind != Kind::Connect {
            self.metrics.total_requests += 1;
        }
        if closed {
            return self.settle(id, Err(Error::new(Code::ClientClosed, Detail::None)));
        }
        if let (Some(key), Kind::Request) = (key, kind) {
            if self.answer_kept(id, key, mode) {
                return;
            }
            if mode != CacheMode::OnlyIfCached && !self.flight.join(key, id) {
                self.metrics.deduplicated += 1;
                return self.calls.enter(id, Phase::Following(self.now));
            }
        }
        if mode == CacheMode::OnlyIfCached {
            return self.settle(id, Err(Error::new(Code::NotCached, Detail::None)));
        }
        if kind != Kind::Connect {
            if self.is_broken(id) {
                return;
            }
            // Of less than it was asked for, if its caller has a stale result.
            let priority = self.calls.at(id).map_or(0, |call| call.request.priority);
            let refused = self.refusal(priority);
            self.queue.push(id, priority, self.now, false);
            if let Some(code) = refused {
                return self.give_up(id, code, Detail::None);
            }
        } else if self.connection.up().is_some() {
            return self.settle(id, Ok(Settled { payload: None, cached: false }));
        } else {
            self.with(|connection, cx| connection.wake(true, cx));
        }
        self.flush();
        if self.calls.at(id).is_some_and(|call| matches!(call.phase, Phase::Queued)) {
            self.calls.watch(id);
        }
    }

    pub(super) fn dispatch(&mut self, id: CallId, link: LinkId, era: Era) {
        let Some(call) = self.calls.at_mut(id) else {
            return;
        };
        let Some(params) = call.request.params.clone() else {
            return;
        };
        let critical = call.request.priority >= TOP;
        let (kind, method, progress) = (call.request.kind, call.request.method, call.request.progress);
        self.ids.sequence += 1;
        let request = RequestId::of(self.ids.sequence, id);
        if call.replays == 0 {
            self.timing.on_sent(call.request.priority, self.now.since(call.created));
        } else {
            let nth = u32::from(call.replays) + 1;
            self.out.push_back(Output::Event(Event::Replay(id, request, nth)));
        }
        // The 2026 era has no ping; its cheapest round trip is discovery.
        let method = if method == Method::PING && era == Era::Modern { Method::DISCOVER } else { method };
        let (purpose, message) = if kind == Kind::Notification {
            (Purpose::Notice(id), Outgoing::Notification { method, params })
        } else {
            (Purpose::Call(id, request), Outgoing::Request { id: request, method, params, progress })
        };
        let (exchange, in_session) = self.with(|connection, cx| match connection.up() {
            Some(up) => (cx.write(up, purpose, message), up.session.is_some()),
            None => (None, false),
        });
        let (at, heard) = (self.now, self.now);
        let sending = Sending { link, era, id: request, exchange, in_session, critical, at, heard };
        self.active += 1;
        self.critical += usize::from(critical);
        self.calls.enter(id, Phase::Sent(sending));
        if kind == Kind::Notification && exchange.is_none() {
            self.settle(id, Ok(Settled { payload: None, cached: false }));
        }
    }

    /// Puts a call back to wait for its turn, with its seniority.
    pub(super) fn requeue(&mut self, id: CallId) {
        self.unsend(id);
        let Some(call) = self.calls.at(id) else {
            return;
        };
        self.queue.push(id, call.request.priority, call.created, true);
        self.calls.enter(id, Phase::Queued);
    }

    /// The link of these calls is gone: decide each at once, none is left to its timeout.
    pub(super) fn on_lost(&mut self, link: LinkId, error: &Error<P>) {
        // Calls in exchanges of their own live or die with those, and so does what is left of their streams.
        let lost = self
            .calls
            .select(&|call| call.sending().is_some_and(|sending| sending.link == link && sending.exchange.is_none()));
        for id in lost {
            if !self.streams.iter().any(|stream| stream.is_of(id)) {
                self.on_call_lost(id, Loss::Unknown, error.clone(), None);
            }
        }
    }

    /// An attempt ended without an answer: again, in doubt, or over (resilience rules, section 5).
    pub(super) fn on_call_lost(&mut self, id: CallId, loss: Loss, error: Error<P>, delay: Option<Duration>) {
        let most = self.config.max_replays;
        let Some(call) = self.calls.at_mut(id) else {
            return;
        };
        let effect = call.request.method.effect();
        let repeated = may_repeat(call.effect(), loss, call.replays, call.request.replays.unwrap_or(most))
            // A pause means that the server is there, and fails.
            && (delay.is_none() || self.budget.spend());
        if !repeated {
            return self.settle(id, Err(given_up(error, loss, effect)));
        }
        if loss != Loss::NotSent {
            call.replays += 1;
            call.in_doubt |= loss == Loss::Unknown && effect == Effect::SideEffect;
            let count = if delay.is_some() { &mut self.metrics.retried } else { &mut self.metrics.replayed };
            *count += 1;
        }
        match delay {
            Some(delay) => {
                self.unsend(id);
                self.calls.enter(id, Phase::Delayed(self.now + delay));
            }
            None => self.requeue(id),
        }
    }

    /// Rejects what waits for a connection when waiting has no prospect: none is planned, or no server ever answered. Once one did,
    /// calls wait through reconnects, unless the application wants none to.
    pub(super) fn reject_waiting(&mut self, error: &Error<P>) {
        let planned = matches!(self.connection.state(), State::Connecting | State::Reconnecting | State::Suspended);
        if planned && self.connection.was_ready() && !self.config.reject_disconnected {
            return;
        }
        for id in self.calls.select(&|call| matches!(call.phase, Phase::Queued | Phase::Delayed(_))) {
            self.queue.remove(id);
            self.settle(id, Err(error.clone().with_outcome(Outcome::NotSent)));
        }
    }

    /// The caller or the clock gives up on a call.
    pub(super) fn give_up(&mut self, id: CallId, code: Code, detail: Detail<P>) {
        let Some(call) = self.calls.at(id) else {
            return;
        };
        if code == Code::Aborted {
            self.metrics.aborted += 1;
        }
        let outcome = self.outcome(id);
        let key = call.request.key;
        self.abandon(id);
        // Others may wait for the same read: the next of them travels in its place.
        if let Some(heir) = key.and_then(|_| self.flight.leave(id)) {
            self.requeue(heir);
        }
        self.settle(id, Err(Error { code, outcome, detail }));
        self.flush();
    }

    /// Takes a call off the queue or off the wire; a server that may be working on it is told to stop (P36).
    pub(super) fn abandon(&mut self, id: CallId) {
        let Some(call) = self.calls.at(id) else {
            return;
        };
        match call.phase {
            Phase::Queued => self.queue.remove(id),
            Phase::Sent(sending) => self.with(|connection: &mut Connection<P>, cx| {
                if let Some(exchange) = sending.exchange {
                    cx.abort(exchange);
                }
                let Some(up) = connection.up().filter(|up| up.id == sending.link) else {
                    return;
                };
                // Over modern HTTP closing the stream is the cancellation; everywhere else it has to be said.
                if up.transport == Transport::WebSocket || up.version.era() == Era::Legacy {
                    cx.write(up, Purpose::Silent, Outgoing::Cancelled(sending.id));
                }
            }),
            Phase::Following(_) | Phase::Delayed(_) | Phase::Asking(_) => {}
        }
    }

    /// What may be assumed about a call if it ended now.
    pub(super) fn outcome(&self, id: CallId) -> Outcome {
        let Some(call) = self.calls.at(id) else {
            return Outcome::NotSent;
        };
        match (call.phase, call.request.method.effect()) {
            (Phase::Queued | Phase::Following(_) | Phase::Delayed(_), _) if !call.was_taken() => Outcome::NotSent,
            (_, Effect::Safe) => Outcome::NotApplied,
            (Phase::Sent(_), Effect::SideEffect) => Outcome::Unknown,
            // A side effect waits again only after the server refused it, or in doubt, which `settle` looks at.
            (_, Effect::SideEffect) => Outcome::NotApplied,
        }
    }

    /// The end of a call, and of those that follow it.
    pub(super) fn settle(&mut self, id: CallId, mut end: Result<Settled<P>, Error<P>>) {
        let Some(call) = self.calls.at(id) else {
            return;
        };
        if let Err(error) = &mut end {
            error.outcome = call.outcome_after(error.outcome);
        }
        let Some(key) = call.request.key else {
            return self.leave(id, end);
        };
        for follower in self.flight.land(id) {
            self.end_read(follower, end.clone());
        }
        self.end_read(id, end);
        // Only now: the shell may give the text of a forgotten key away, and followers still stood for it.
        self.let_go(key);
    }

    /// A read that failed may have a stale result for its caller.
    fn end_read(&mut self, id: CallId, end: Result<Settled<P>, Error<P>>) {
        if let Some(payload) = end.as_ref().err().and_then(|error| self.stale_for(id, error)) {
            self.serve(id, payload);
        }
        self.leave(id, end);
    }

    /// The only place where calls leave.
    fn leave(&mut self, id: CallId, end: Result<Settled<P>, Error<P>>) {
        let last = self.calls.at(id).and_then(Call::sending).map(|sending| sending.id);
        self.unsend(id);
        let Some(call) = self.calls.at(id) else {
            return;
        };
        let (kind, method, served) = (call.request.kind, call.request.method, call.served);
        self.calls.remove(id);
        if last.is_some() {
            self.judge(end.as_ref().err());
        }
        if kind != Kind::Connect {
            self.timing.on_settled(method, end.is_ok());
            match &end {
                Err(_) if served => self.metrics.successful_requests += 1,
                Ok(_) => self.metrics.successful_requests += 1,
                Err(error) => {
                    self.metrics.failed_requests += 1;
                    if is_unwell(error.code) {
                        self.vitals.on_failure(self.now);
                    }
                    if error.outcome == Outcome::Unknown {
                        self.metrics.unknown_outcomes += 1;
                        if let Some(last) = last {
                            self.doubts.note(self.now, last);
                        }
                    }
                }
            }
        }
        self.out.push_back(Output::Settle(id, end));
    }

    /// A call is no longer on the wire.
    pub(super) fn unsend(&mut self, id: CallId) {
        if !self.streams.is_empty() {
            self.streams.retain(|stream| !stream.is_of(id));
        }
        let mut back = false;
        if let Some(call) = self.calls.at_mut(id) {
            if let Some(sending) = call.sending() {
                call.phase = Phase::Queued;
                self.critical -= usize::from(sending.critical);
                back = true;
                self.active = self.active.saturating_sub(1);
            }
        }
        if back {
            self.watch_breaker(super::Breaker::on_back);
        }
    }

    /// An error for a call whose answer was no answer.
    pub(super) fn fail(&mut self, id: CallId, error: Error<P>, answer_is_proof: bool) {
        let outcome = match self.calls.at(id).map(|call| call.request.method.effect()) {
            Some(Effect::SideEffect) if !answer_is_proof => Outcome::Unknown,
            _ => Outcome::NotApplied,
        };
        self.settle(id, Err(error.with_outcome(outcome)));
    }

    /// Notes the round trip of a call that was answered.
    pub(super) fn on_round_trip(&mut self, id: CallId, answer: &Answer<P>) {
        let Some((method, sending)) = self.calls.at(id).and_then(|call| Some((call.request.method, call.sending()?)))
        else {
            return;
        };
        if matches!(answer, Answer::Result { .. } | Answer::Error { .. }) {
            let latency = self.now.since(sending.at);
            self.budget.earn();
            self.timing.on_answer(method, latency);
            self.vitals.on_answer(self.now, latency);
            if let Some(gradient) = &mut self.gradient {
                let over_http = sending.exchange.is_some();
                let most = if over_http { self.config.http_concurrency } else { self.config.websocket_concurrency };
                gradient.on_answer(latency, self.active, most);
            }
        }
    }
}

/// How a call ends that is not sent again.
fn given_up<P>(error: Error<P>, loss: Loss, effect: Effect) -> Error<P> {
    if (loss, effect) != (Loss::Unknown, Effect::SideEffect) {
        return error.with_outcome(Outcome::NotApplied);
    }
    // What was wrong with an answer that did come says more than that none came.
    let told = matches!(error.code, Code::ParseError | Code::MessageTooLarge | Code::HttpError);
    let code = if told { error.code } else { Code::OutcomeUnknown };
    Error { code, outcome: Outcome::Unknown, detail: error.detail }
}

/// Whether an error tells of a server, or of a way to it, that is not well; a caller who gives up or a tool that fails does not.
pub(super) fn is_unwell(code: Code) -> bool {
    matches!(
        code,
        Code::ConnectionClosed
            | Code::ConnectFailed
            | Code::ConnectTimeout
            | Code::CorsOrNetwork
            | Code::HttpError
            | Code::OutcomeUnknown
            | Code::ParseError
            | Code::RequestTimeout
            | Code::StreamEnded
    )
}

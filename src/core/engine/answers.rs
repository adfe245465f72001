//! The way of an answer inwards: what it means for the call that waits for it.

use super::{
    Answer, CallId, Code, Connection, Detail, Engine, Error, Event, LinkId, Method, Output, Payload, RequestId, Settled,
};
use crate::io::Need;
use crate::link::{refused, unreached, Ask, Call};
use crate::policy::backoff;
use crate::policy::replay::Loss;
use crate::time::Duration;
use crate::wire::{Effect, Era, ResultKind, Versions, HEADER_MISMATCH, UNSUPPORTED_VERSION};

/// JSON-RPC errors that are said before anything is executed.
const BEFORE_EXECUTION: [i32; 8] = [-32700, -32600, -32601, -32602, -32020, -32021, -32022, -32002];
const METHOD_NOT_FOUND: i32 = -32601;
const INVALID_PARAMS: i32 = -32602;
/// What some legacy servers say, with status 400 instead of 404, of a session they do not know (P76).
const SESSION_REFUSED: i32 = -32000;
/// How long to wait after a 429 that does not say.
const RATE_LIMIT_PAUSE: Duration = Duration::from_millis(1_000);

impl<P: Payload> Engine<P> {
    pub(super) fn on_answer(&mut self, id: CallId, answer: Answer<P>, wait: Option<Duration>) {
        self.on_round_trip(id, &answer);
        let safe = self.calls.at(id).is_some_and(|call| call.effect() == Effect::Safe);
        match answer {
            Answer::Result { kind, hint, size, payload } => match kind {
                ResultKind::Complete => {
                    self.store(id, hint, size, &payload);
                    self.settle(id, Ok(Settled { payload: Some(payload), cached: false }));
                }
                // A promise of a result is worth nothing to anybody else.
                ResultKind::Task if self.calls.at(id).is_some_and(|call| call.request.method == Method::TOOLS_CALL) => {
                    self.settle(id, Ok(Settled { payload: Some(payload), cached: false }));
                }
                ResultKind::InputRequired => self.on_input_required(id, false, payload),
                ResultKind::StateOnly => self.on_input_required(id, true, payload),
                ResultKind::Task | ResultKind::Unknown => {
                    self.fail(id, Error::new(Code::InvalidResult, Detail::Note("result-type")), false);
                }
            },
            Answer::Accepted => self.settle(id, Ok(Settled { payload: None, cached: false })),
            Answer::Error { code, status, .. } if self.is_session_loss(id, status, Some(code)) => {
                self.on_session_lost(id);
            }
            Answer::Error { status: status @ (401 | 403 | 429), .. } => self.on_status(id, status, wait, safe),
            Answer::Error { code, payload, .. } => self.on_rpc_error(id, code, payload),
            Answer::Status(status, _) if self.is_session_loss(id, status, None) => self.on_session_lost(id),
            Answer::Status(status, wait) => self.on_status(id, status, wait, safe),
            Answer::Bad(error) => {
                let refused = matches!(error.detail, Detail::Challenge(..));
                self.fail(id, error, refused);
            }
            Answer::Lost { broken: false } => {
                let pause = self.pause(id);
                self.on_call_lost(id, Loss::Unknown, Error::new(Code::StreamEnded, Detail::None), Some(pause));
            }
            // The network failed: whether the server can still be reached has to be found out.
            Answer::Lost { broken: true } => self.on_network_failure(id, Error::new(Code::StreamEnded, Detail::None)),
            Answer::Unreached(reach) if reach.is_ours() => self.settle(id, Err(unreached(reach))),
            Answer::Unreached(reach) => self.on_network_failure(id, unreached(reach)),
        }
        self.flush();
    }

    fn on_network_failure(&mut self, id: CallId, error: Error<P>) {
        let link = self.calls.at(id).and_then(Call::sending).map(|sending| sending.link);
        self.on_call_lost(id, Loss::Unknown, error.clone(), None);
        if let Some(link) = link {
            let change = self.with(|connection, cx| connection.on_down(link, error, cx));
            self.on_change(change);
        }
    }

    fn on_status(&mut self, id: CallId, status: u16, wait: Option<Duration>, safe: bool) {
        let error = refused(status, wait);
        if let (429 | 503, Some(gradient)) = (status, &mut self.gradient) {
            gradient.on_overload();
        }
        // Whoever wants nothing to wait has somewhere else to go.
        let patient = !self.config.reject_disconnected;
        if let (Some(wait), 429 | 503, true) = (wait, status, patient) {
            self.hold(id, wait);
        }
        // Whoever was told the same does not come at the same moment.
        let spread = 1.0 + 0.3 * self.rng.unit();
        match status {
            // Refused before execution, so that even a side effect may be sent again.
            429 if patient => {
                let pause = wait.unwrap_or(RATE_LIMIT_PAUSE).mul_f64(spread);
                self.on_call_lost(id, Loss::Refused, error, Some(pause));
            }
            500.. if safe => {
                let pause = self.pause(id).max(wait.unwrap_or(Duration::ZERO).mul_f64(spread));
                self.on_call_lost(id, Loss::Unknown, error, Some(pause));
            }
            _ => self.fail(id, error, status < 500),
        }
    }

    /// How long a read waits before it is sent again to a server that is reachable.
    fn pause(&mut self, id: CallId) -> Duration {
        let replays = self.calls.at(id).map_or(0, |call| call.replays);
        backoff::delay(&self.config.reconnect, u32::from(replays), &mut self.rng)
    }

    fn is_session_loss(&self, id: CallId, status: u16, code: Option<i32>) -> bool {
        let in_session = self.calls.at(id).and_then(Call::sending).is_some_and(|sending| sending.in_session);
        // A 404 is also how a method is refused that the server does not have (P25).
        in_session
            && match status {
                404 => code != Some(METHOD_NOT_FOUND),
                400 => code == Some(SESSION_REFUSED),
                _ => false,
            }
    }

    /// The server forgot the session, and executed nothing.
    fn on_session_lost(&mut self, id: CallId) {
        self.on_link_refused(id, Error::new(Code::ConnectionClosed, Detail::Note("session")));
    }

    /// A call was refused for its link's sake: a new one is begun, and the call goes on it.
    fn on_link_refused(&mut self, id: CallId, error: Error<P>) {
        let link = self.calls.at(id).and_then(Call::sending).map(|sending| sending.link);
        self.on_call_lost(id, Loss::Refused, error, None);
        if let Some(link) = link {
            self.replace(link);
        }
    }

    /// A link is of no use to the server any more: a new one is begun.
    pub(super) fn replace(&mut self, link: LinkId) {
        // Others on the same link find it begun already.
        if self.connection.up().is_some_and(|up| up.id == link) {
            let change = self.with(Connection::restart);
            self.on_change(change);
        }
    }

    /// A JSON-RPC error. What was refused for its form is put right, once for each call: the server has executed nothing (P18, P29).
    fn on_rpc_error(&mut self, id: CallId, code: i32, payload: P) {
        let spoken = self.config.versions;
        let list = self.calls.at(id).filter(|call| call.request.key.is_some()).map(|call| call.request.method);
        if let Some(list) = list.filter(|list| code == INVALID_PARAMS && list.is_list()) {
            // A cursor is of a list that is no more: no page of it is good for anything (P57).
            self.invalidate(&[list], 0);
        }
        let Some(call) = self.calls.at_mut(id) else {
            return;
        };
        let modern = call.sending().filter(|sending| sending.era == Era::Modern && !call.corrected);
        let mirrors =
            modern.is_some_and(|sending| sending.exchange.is_some()) && call.request.method == Method::TOOLS_CALL;
        let error = Error::new(Code::RpcError, Detail::Rpc(code, payload.clone()));
        if code == HEADER_MISMATCH && mirrors {
            call.corrected = true;
            return self.ask(id, Need::Headers, payload, Ask { error, pause: Duration::ZERO });
        }
        let common = if code == UNSUPPORTED_VERSION { payload.versions().and(spoken) } else { Versions::default() };
        if modern.is_none() || common == Versions::default() {
            return self.fail(id, error, BEFORE_EXECUTION.contains(&code));
        }
        call.corrected = true;
        if common.newest(Era::Modern).is_some() {
            self.on_call_lost(id, Loss::Refused, error, None);
        } else {
            self.connection.forget_era();
            self.on_link_refused(id, error);
        }
    }

    /// What a call that ended with outcome unknown would have been told.
    pub(super) fn on_late(&mut self, id: RequestId, answer: Answer<P>) {
        let (applied, payload) = match answer {
            Answer::Result { kind: ResultKind::Complete | ResultKind::Task, payload, .. } => (true, payload),
            Answer::Result { kind: ResultKind::InputRequired | ResultKind::StateOnly, payload, .. } => (false, payload),
            Answer::Error { code, payload, .. } if BEFORE_EXECUTION.contains(&code) => (false, payload),
            // It does not say whether it was executed.
            _ => return,
        };
        self.out.push_back(Output::Event(Event::Late(id, applied, payload)));
    }
}

//! Which era a server speaks, and in which revision (P28-P34, P74). A sequence of questions and answers on one link; it knows neither
//! sockets nor statuses beyond what it is told.

use super::Ids;
use crate::error::{Code, Detail, Error};
use crate::ids::RequestId;
use crate::wire::{Era, Outgoing, Payload, ResultKind, Version, Versions};

const HEADER_MISMATCH: i32 = -32020;
const MISSING_CAPABILITY: i32 = -32021;
const UNSUPPORTED_VERSION: i32 = -32022;

/// The questions asked so far on one link.
#[derive(Debug)]
pub(crate) struct Handshake {
    era: Option<Era>,
    question: Question,
}

#[derive(Clone, Copy, Debug)]
enum Question {
    Discover {
        id: RequestId,
        corrected: bool,
    },
    Initialize {
        id: RequestId,
    },
    /// Nothing is asked: not yet, or not any more.
    None,
}

/// What follows from an answer.
#[derive(Debug)]
pub(crate) enum Next<P> {
    /// Ask this.
    Ask(Outgoing<P>),
    /// The link works, in this revision.
    Ready(Version, P),
    /// It does not.
    Fail(Error<P>),
}

impl Handshake {
    /// The first question: `initialize` when the server is known to be legacy, else `server/discover`.
    pub(crate) fn begin<P>(era: Option<Era>, known: Option<Era>, ids: &mut Ids) -> (Self, Outgoing<P>) {
        let id = ids.request();
        if era.or(known) == Some(Era::Legacy) {
            let question = Question::Initialize { id };
            return (Self { era, question }, Outgoing::Initialize(id, Version::newest(Era::Legacy)));
        }
        (Self { era, question: Question::Discover { id, corrected: false } }, Outgoing::Discover(id))
    }

    /// Before the first question.
    pub(crate) fn unasked() -> Self {
        Self { era: None, question: Question::None }
    }

    /// The id the handshake waits for.
    pub(crate) fn awaits(&self) -> Option<RequestId> {
        match self.question {
            Question::Discover { id, .. } | Question::Initialize { id } => Some(id),
            Question::None => None,
        }
    }

    pub(crate) fn on_result<P: Payload>(&mut self, kind: ResultKind, payload: P, ids: &mut Ids) -> Next<P> {
        let question = core::mem::replace(&mut self.question, Question::None);
        if kind != ResultKind::Complete {
            return Next::Fail(Error::new(Code::InvalidResult, Detail::Note("handshake")));
        }
        match question {
            Question::Discover { .. } => {
                let supported = payload.versions();
                // A server that names no revision at all answered a modern method in a modern way: believe it.
                if supported == Versions::default() || supported.newest(Era::Modern).is_some() {
                    Next::Ready(Version::newest(Era::Modern), payload)
                } else {
                    self.initialize(ids)
                }
            }
            Question::Initialize { .. } => match payload.versions().newest(Era::Legacy) {
                Some(version) => Next::Ready(version, payload),
                None => Next::Fail(Error::new(Code::ProtocolVersion, Detail::Note("initialize"))),
            },
            Question::None => Next::Fail(Error::new(Code::Internal, Detail::Note("handshake"))),
        }
    }

    /// A JSON-RPC error. On a modern server's own codes the era is settled (P30); -32022 is corrected once (P29); anything else means
    /// that the server does not know the question.
    pub(crate) fn on_error<P: Payload>(&mut self, code: i32, payload: P, ids: &mut Ids) -> Next<P> {
        let Question::Discover { corrected, .. } = self.question else {
            return Next::Fail(Error::new(Code::RpcError, Detail::Rpc(code, payload)));
        };
        match code {
            UNSUPPORTED_VERSION => {
                let supported = payload.versions();
                if supported.newest(Era::Modern).is_some() && !corrected {
                    let id = ids.request();
                    self.question = Question::Discover { id, corrected: true };
                    Next::Ask(Outgoing::Discover(id))
                } else if supported.newest(Era::Legacy).is_some() && self.era != Some(Era::Modern) {
                    self.initialize(ids)
                } else {
                    Next::Fail(Error::new(Code::ProtocolVersion, Detail::Rpc(code, payload)))
                }
            }
            HEADER_MISMATCH | MISSING_CAPABILITY => Next::Fail(Error::new(Code::RpcError, Detail::Rpc(code, payload))),
            _ if self.era == Some(Era::Modern) => Next::Fail(Error::new(Code::RpcError, Detail::Rpc(code, payload))),
            _ => self.initialize(ids),
        }
    }

    /// The question was refused without a JSON-RPC reason, not answered in time, or blocked by the browser (P33): ask the older one if
    /// there is one left, else fail with `error`.
    pub(crate) fn on_refusal<P: Payload>(&mut self, error: Error<P>, ids: &mut Ids) -> Next<P> {
        match self.question {
            Question::Discover { .. } if self.era != Some(Era::Modern) => self.initialize(ids),
            _ => Next::Fail(error),
        }
    }

    /// Whether `server/discover` is still unanswered.
    pub(crate) fn is_discovering(&self) -> bool {
        matches!(self.question, Question::Discover { .. })
    }

    fn initialize<P>(&mut self, ids: &mut Ids) -> Next<P> {
        let id = ids.request();
        self.question = Question::Initialize { id };
        Next::Ask(Outgoing::Initialize(id, Version::newest(Era::Legacy)))
    }
}

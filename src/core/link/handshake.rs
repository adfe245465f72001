//! Which era a server speaks, and in which revision (P28-P34, P74). A sequence of questions and answers on one link; it knows neither
//! sockets nor statuses beyond what it is told.

use super::Ids;
use crate::error::{Code, Detail, Error};
use crate::ids::RequestId;
use crate::wire::{
    Era, Outgoing, Payload, ResultKind, Version, Versions, HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION,
};

/// The questions asked so far on one link.
#[derive(Debug)]
pub(crate) struct Handshake {
    /// What may be spoken.
    allowed: Versions,
    question: Question,
    /// `initialize` came first because the server was known to be legacy; a server that refuses it was replaced by a newer one.
    presumed: bool,
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
    /// The first question: `initialize` when nothing newer may be spoken or the server is known to be legacy, else `server/discover`.
    pub(crate) fn begin<P>(allowed: Versions, known: Option<Era>, ids: &mut Ids) -> (Self, Outgoing<P>) {
        let modern = allowed.newest(Era::Modern).is_some();
        let presumed = modern && known == Some(Era::Legacy);
        let mut handshake = Self { allowed, question: Question::None, presumed };
        let legacy = allowed.newest(Era::Legacy).filter(|_| presumed || !modern);
        let question = match legacy {
            Some(version) => handshake.initialize(version, ids),
            None => handshake.discover(false, ids),
        };
        (handshake, question)
    }

    /// Before the first question.
    pub(crate) fn unasked() -> Self {
        Self { allowed: Versions::default(), question: Question::None, presumed: false }
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
        let supported = payload.versions();
        match question {
            Question::Discover { .. } => {
                // `supportedVersions` is what makes a result an answer to this question: some legacy servers answer anything with `{}`.
                match supported.and(self.allowed).newest(Era::Modern) {
                    Some(version) => Next::Ready(version, payload),
                    None => self.fall_back(Error::new(Code::ProtocolVersion, Detail::Note("discover")), ids),
                }
            }
            Question::Initialize { .. } => match supported.and(self.allowed).newest(Era::Legacy) {
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
            return self.fall_back(Error::new(Code::RpcError, Detail::Rpc(code, payload)), ids);
        };
        match code {
            UNSUPPORTED_VERSION => {
                let common = payload.versions().and(self.allowed);
                if common.newest(Era::Modern).is_some() && !corrected {
                    return Next::Ask(self.discover(true, ids));
                }
                let error = Error::new(Code::ProtocolVersion, Detail::Rpc(code, payload));
                match common.newest(Era::Legacy) {
                    Some(_) => self.fall_back(error, ids),
                    None => Next::Fail(error),
                }
            }
            HEADER_MISMATCH | MISSING_CAPABILITY => Next::Fail(Error::new(Code::RpcError, Detail::Rpc(code, payload))),
            _ => self.fall_back(Error::new(Code::RpcError, Detail::Rpc(code, payload)), ids),
        }
    }

    /// The question was refused, not answered in time, or blocked by the browser (P33): ask the other one if it was not asked yet and
    /// may be, else fail with `error`.
    pub(crate) fn fall_back<P>(&mut self, error: Error<P>, ids: &mut Ids) -> Next<P> {
        let legacy = self.allowed.newest(Era::Legacy);
        match (self.question, legacy) {
            (Question::Initialize { .. }, _) if core::mem::take(&mut self.presumed) => {
                Next::Ask(self.discover(false, ids))
            }
            (Question::Initialize { .. }, _) | (_, None) => Next::Fail(error),
            (_, Some(version)) => Next::Ask(self.initialize(version, ids)),
        }
    }

    /// Whether `server/discover` is still unanswered.
    pub(crate) fn is_discovering(&self) -> bool {
        matches!(self.question, Question::Discover { .. })
    }

    fn discover<P>(&mut self, corrected: bool, ids: &mut Ids) -> Outgoing<P> {
        let id = ids.request();
        self.question = Question::Discover { id, corrected };
        Outgoing::Discover(id)
    }

    fn initialize<P>(&mut self, version: Version, ids: &mut Ids) -> Outgoing<P> {
        let id = ids.request();
        self.question = Question::Initialize { id };
        Outgoing::Initialize(id, version)
    }
}

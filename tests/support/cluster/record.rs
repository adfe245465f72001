//! What became of the calls of clusters that run in a world where nodes fail: every attempt of every call, and everything that reached a
//! node. It judges nothing.

use bowline_core::{AttemptId, Duration, Instant, NodeId, Refusal, Verdict};

/// One sending of a call.
#[derive(Clone, Copy, Debug)]
pub struct Attempt {
    /// Its name.
    pub id: AttemptId,
    /// To whom.
    pub node: NodeId,
    /// When it left.
    pub sent: Instant,
    /// When and how it ended, if it was told.
    pub ended: Option<(Instant, Verdict)>,
}

/// How a call ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum End {
    /// As an attempt did.
    As(Verdict),
    /// Without one.
    Refused(Refusal),
}

/// One call.
#[derive(Clone, Debug)]
pub struct Record {
    /// Whose.
    pub client: usize,
    /// It may be executed twice.
    pub safe: bool,
    /// When it was made.
    pub made: Instant,
    /// Its attempts, in the order of their sending.
    pub attempts: Vec<Attempt>,
    /// When and how it ended.
    pub end: Option<(Instant, End)>,
    /// How often it ended: once.
    pub ends: u32,
}

impl Record {
    /// It was answered.
    #[must_use]
    pub fn good(&self) -> bool {
        matches!(self.end, Some((_, End::As(Verdict::Answered))))
    }

    /// How long it took; for ever if it did not end.
    #[must_use]
    pub fn took(&self) -> Duration {
        self.end.map_or(Duration::MAX, |(at, _)| at.since(self.made))
    }
}

/// What reaches a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Contact {
    /// A link.
    Dial,
    /// A question whether it lives.
    Probe,
    /// A call.
    Call,
}

/// Something that reached a node, whether or not anybody was there.
#[derive(Clone, Copy, Debug)]
pub struct Visit {
    /// When.
    pub at: Instant,
    /// Whose.
    pub client: usize,
    /// To whom.
    pub node: NodeId,
    /// What.
    pub what: Contact,
}

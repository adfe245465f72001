//! What the outsider notes of one call. Data only.

use bowline_core::{CallId, Duration, ExchangeId, Instant, LinkId, Outcome, RequestId};

use crate::Req;

/// One call, as the application and the wire saw it.
#[derive(Clone, Debug)]
pub struct Record {
    /// What was asked for.
    pub request: Req,
    /// How it ended: `None` for well, or the outcome of its error.
    pub end: Option<Option<Outcome>>,
    pub(super) slot: CallId,
    pub(super) deadline: Instant,
    pub(super) timeout: Duration,
    /// How often it was written, and how often it then turned out not to have left.
    pub(super) writes: usize,
    pub(super) unsent: usize,
    pub(super) place: Option<Place>,
    pub(super) last: Option<RequestId>,
    pub(super) heard: Instant,
    /// The newest announced state when it was asked for.
    pub(super) edition: u32,
    /// Since when the application is asked for new params, and how often they were given.
    pub(super) asking: Option<Instant>,
    pub(super) given: usize,
    /// Since its last sending: whether its exchange was aborted, whether the server was told that nobody waits, and which link it was.
    pub(super) silenced: bool,
    pub(super) told: bool,
    pub(super) epoch: u32,
    /// Whether it was given a stale result.
    pub(super) served: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Link(LinkId),
    Exchange(ExchangeId),
    /// On a stream that may be taken up, or not on the wire at all: an outsider cannot know.
    Stream,
}

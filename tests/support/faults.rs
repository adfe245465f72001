//! What can go wrong with one request, and how often. Chance is drawn from the schedule's own generator, so a seed is a network.

use bowline_core::Rng;

/// What becomes of one request that reaches the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is answered.
    Well,
    /// The connection breaks before the server sees it.
    CutBefore,
    /// The connection breaks after the server executed it.
    CutAfter,
    /// The answer begins and breaks off.
    CutMidway,
    /// The answer ends in good order without having been there.
    EndedEarly,
    /// The connection is dead, and nobody says so.
    HalfOpen,
    /// Nothing that the client sends arrives any more; what the server says does.
    Deaf,
    /// What the client sends arrives and is executed; nothing comes back any more.
    Mute,
    /// The server executes it and never answers.
    Silence,
    /// The answer takes long.
    Late,
    /// The answer comes twice, the second time at once or much later.
    Twice,
    /// An answer comes, to another id.
    WrongId,
    /// First an answer to another id, then the right one.
    WrongIdFirst,
    /// A JSON-RPC error without id.
    NoId,
    /// Something that is no message.
    Garbage,
    /// A message longer than allowed.
    Oversize,
    /// A JSON-RPC error that says that nothing was executed.
    RefusedByRpc,
    /// A JSON-RPC error after it was executed.
    FailedByRpc,
    /// HTTP 401.
    Unauthorized,
    /// HTTP 403.
    Forbidden,
    /// HTTP 429, with or without Retry-After.
    TooMany,
    /// HTTP 500, executed or not.
    ServerError,
    /// HTTP 503, executed or not, with or without Retry-After.
    Unavailable,
    /// A page for people.
    Html,
    /// A success without a body.
    Empty,
    /// HTTP 202 to a request.
    OnlyAccepted,
    /// A result of a kind that was not offered.
    StrangeKind,
    /// A modern request is refused for its revision.
    StrangeVersion,
    /// The server process is replaced: it refuses for a while and has forgotten its sessions.
    Restart,
    /// The server forgets the session.
    SessionLost,
}

const FATES: [Fate; 29] = [
    Fate::CutBefore,
    Fate::CutAfter,
    Fate::CutMidway,
    Fate::EndedEarly,
    Fate::HalfOpen,
    Fate::Deaf,
    Fate::Mute,
    Fate::Silence,
    Fate::Late,
    Fate::Twice,
    Fate::WrongId,
    Fate::WrongIdFirst,
    Fate::NoId,
    Fate::Garbage,
    Fate::Oversize,
    Fate::RefusedByRpc,
    Fate::FailedByRpc,
    Fate::Unauthorized,
    Fate::Forbidden,
    Fate::TooMany,
    Fate::ServerError,
    Fate::Unavailable,
    Fate::Html,
    Fate::Empty,
    Fate::OnlyAccepted,
    Fate::StrangeKind,
    Fate::StrangeVersion,
    Fate::Restart,
    Fate::SessionLost,
];

/// How often things go wrong; each a probability.
#[derive(Clone, Debug, Default)]
pub struct Faults {
    /// The fates that this network knows, besides a good one.
    pub fates: Vec<Fate>,
    /// A request meets one of them.
    pub ill: f64,
    /// A dial is refused.
    pub refused: f64,
    /// A dial is answered by nobody.
    pub unanswered: f64,
    /// A dial opens, and then nothing ever comes.
    pub mute: f64,
    /// A dial is closed with 4401.
    pub unauthorized: f64,
    /// The browser refuses a frame.
    pub send_failed: f64,
    /// Progress comes before an answer.
    pub progress: f64,
    /// A request of the server comes before an answer.
    pub ping: f64,
    /// The lists change.
    pub changed: f64,
    /// A stream stays open after its answer.
    pub linger: f64,
    /// How long everything takes on top, at most, in milliseconds.
    pub lag: u64,
    /// Events of links and exchanges that are gone are delivered nevertheless.
    pub stale: bool,
}

impl Faults {
    /// A random network: some never fail in a certain way, some often do.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let mut faults = Self::default();
        let known = rng.unit();
        faults.fates = FATES.into_iter().filter(|_| rng.unit() < known).collect();
        faults.ill = if faults.fates.is_empty() { 0.0 } else { rng.unit() * rng.unit() * 0.7 };
        faults.refused = rate(rng, 0.6);
        faults.unanswered = rate(rng, 0.3);
        faults.mute = rate(rng, 0.3);
        faults.unauthorized = rate(rng, 0.05);
        faults.send_failed = rate(rng, 0.1);
        faults.progress = rate(rng, 0.5);
        faults.ping = rate(rng, 0.2);
        faults.changed = rate(rng, 0.3);
        faults.linger = rate(rng, 0.5);
        faults.lag = if rng.unit() < 0.7 { 0 } else { rng.below(400) };
        faults.stale = rng.unit() < 0.3;
        faults
    }

    /// The fate of the next request.
    pub fn fate(&self, rng: &mut Rng) -> Fate {
        if rng.unit() >= self.ill {
            return Fate::Well;
        }
        let at = rng.below(self.fates.len() as u64) as usize;
        self.fates.get(at).copied().unwrap_or(Fate::Well)
    }
}

fn rate(rng: &mut Rng, most: f64) -> f64 {
    if rng.unit() < 0.6 {
        0.0
    } else {
        rng.unit() * most
    }
}

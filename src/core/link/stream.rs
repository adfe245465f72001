//! A legacy event stream that is opened again when it ends (P77, P78): the standing stream of a link, or the rest of a call's answer. It
//! knows when to ask and when it was enough; what follows from that is the engine's.

use super::{Context, Link, Purpose};
use crate::ids::LinkId;
use crate::policy::backoff;
use crate::time::{Duration, Instant};
use crate::wire::{Plan, Verb, Version};

/// Openings one after the other that may bring nothing: a server that only opens and closes must not be asked for ever.
const MOST_BARREN: u32 = 5;
/// Until a server says otherwise.
const RETRY: Duration = Duration::from_millis(1_000);

#[derive(Debug)]
pub(crate) struct Stream<P> {
    /// [`Purpose::Standing`] or [`Purpose::Resume`].
    pub(crate) purpose: Purpose,
    pub(crate) link: LinkId,
    /// Those of its link, whatever became of that.
    version: Version,
    session: Option<P>,
    /// It was asked for before, and not refused.
    again: bool,
    /// The last event seen.
    last: Option<P>,
    /// When to ask; none while it is open.
    pub(crate) due: Option<Instant>,
    retry: Duration,
    opened: Instant,
    news: bool,
    barren: u32,
}

impl<P: Clone> Stream<P> {
    pub(crate) fn new(purpose: Purpose, link: &Link<P>, due: Option<Instant>) -> Self {
        let (version, session) = (link.version, link.session.clone());
        Self {
            purpose,
            link: link.id,
            version,
            session,
            again: false,
            last: None,
            due,
            retry: RETRY,
            opened: Instant::default(),
            news: false,
            barren: 0,
        }
    }

    /// Whether it is what is left of a call's answer.
    pub(crate) fn is_of(&self, call: crate::ids::CallId) -> bool {
        matches!(self.purpose, Purpose::Resume(other, _) if other == call)
    }

    /// It is asked for with this.
    pub(crate) fn open(&mut self, now: Instant) -> Plan<P> {
        (self.due, self.opened, self.news) = (None, now, false);
        let (session, resume) = (self.session.clone(), self.last.clone());
        Plan { verb: Verb::Get, message: None, version: Some(self.version), session, resume, endpoint: None }
    }

    pub(crate) fn on_news(&mut self) {
        self.news = true;
    }

    /// Where it stood when it ended.
    pub(crate) fn on_cursor(&mut self, last: Option<P>, retry: Option<Duration>) {
        self.retry = retry.unwrap_or(self.retry);
        if last.is_some() {
            self.last = last;
        }
    }

    /// The stream before this one ended: what the server asks to wait is kept to the millisecond.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.due = Some(now + self.retry);
    }

    /// It ended or `failed`, and the server asks for some time.
    pub(crate) fn again(&mut self, failed: bool, asked: Duration, cx: &mut Context<'_, P>) {
        let useful = self.news || cx.now.since(self.opened) >= cx.config.reconnect.min_uptime;
        self.barren = if useful { 0 } else { self.barren + 1 };
        // A server that works may be taken at its word; one that does not is given more and more time.
        let grown = if failed { backoff::delay(&cx.config.reconnect, self.barren, cx.rng) } else { Duration::ZERO };
        self.due = Some(cx.now + self.retry.max(grown).max(asked));
        self.again = true;
    }

    /// Whether a server that does not know it speaks of the session (P76): one that offers no such stream has said so before.
    pub(crate) fn is_of_session(&self) -> bool {
        self.again && self.session.is_some() && self.purpose == Purpose::Standing
    }

    /// Whether the server had its chances.
    pub(crate) fn is_exhausted(&self) -> bool {
        self.barren >= MOST_BARREN
    }
}

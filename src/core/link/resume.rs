//! Taking up event streams of the legacy eras that ended too early (P78): how long to wait, and when it was enough. It keeps the streams
//! of calls that wait for the rest of their answers; what becomes of those calls in the end is the engine's.

use super::Context;
use crate::ids::{CallId, RequestId};
use crate::policy::backoff;
use crate::time::{Duration, Instant};
use crate::wire::Plan;

/// Streams that may end one after the other without having brought anything: a server that only opens and closes them must not be
/// asked for ever.
const MOST_BARREN: u32 = 5;
/// Until a server says otherwise.
const RETRY: Duration = Duration::from_millis(1_000);

/// When to open one stream again.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reopen {
    /// What the server asks to wait; it is kept to the millisecond.
    pub(super) retry: Duration,
    opened: Instant,
    news: bool,
    barren: u32,
}

impl Default for Reopen {
    fn default() -> Self {
        Self { retry: RETRY, opened: Instant::default(), news: false, barren: 0 }
    }
}

impl Reopen {
    pub(super) fn on_open(&mut self, now: Instant) {
        (self.opened, self.news) = (now, false);
    }

    pub(super) fn on_news(&mut self) {
        self.news = true;
    }

    /// The stream ended, or `failed`: how long until the next one.
    pub(super) fn on_end<P>(&mut self, failed: bool, cx: &mut Context<'_, P>) -> Duration {
        let useful = self.news || cx.now.since(self.opened) >= cx.config.reconnect.min_uptime;
        self.barren = if useful { 0 } else { self.barren + 1 };
        // What the server asks for comes from a server that works; one that does not is given more and more time.
        let grown = if failed { backoff::delay(&cx.config.reconnect, self.barren, cx.rng) } else { Duration::ZERO };
        self.retry.max(grown)
    }

    /// Whether the server had its chances.
    pub(super) fn is_exhausted(&self) -> bool {
        self.barren >= MOST_BARREN
    }
}

/// A call's stream that can be taken up.
#[derive(Debug)]
pub(crate) struct Resume<P> {
    pub(crate) call: CallId,
    pub(crate) request: RequestId,
    /// The GET that does it: the session is that of the call, whatever became of its link.
    pub(crate) plan: Plan<P>,
    reopen: Reopen,
    /// When to ask; none while a stream is open.
    due: Option<Instant>,
}

impl<P> Resume<P> {
    pub(crate) fn new(call: CallId, request: RequestId, plan: Plan<P>) -> Self {
        Self { call, request, plan, reopen: Reopen::default(), due: None }
    }

    /// Where the stream stood when it ended.
    pub(crate) fn on_cursor(&mut self, last: Option<P>, retry: Option<Duration>) {
        self.reopen.retry = retry.unwrap_or(self.reopen.retry);
        self.plan.resume = last.or(self.plan.resume.take());
    }

    /// The call's own stream ended: wait as the server asked.
    pub(crate) fn begin(&mut self, now: Instant) {
        self.due = Some(now + self.reopen.retry);
    }

    /// A stream that took it up ended or failed; false when that is enough.
    pub(crate) fn again(&mut self, failed: bool, asked: Duration, cx: &mut Context<'_, P>) -> bool {
        self.due = Some(cx.now + self.reopen.on_end(failed, cx).max(asked));
        !self.reopen.is_exhausted()
    }
}

/// The streams of all calls that can be taken up. Few at any time: a browser opens six connections to a server.
#[derive(Debug)]
pub(crate) struct Resumes<P>(Vec<Resume<P>>);

impl<P> Default for Resumes<P> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<P> Resumes<P> {
    pub(crate) fn find(&mut self, call: CallId) -> Option<&mut Resume<P>> {
        self.0.iter_mut().find(|resume| resume.call == call)
    }

    /// Whether a call waits for its stream; false while it is open.
    pub(crate) fn is_waiting(&self, call: CallId) -> bool {
        self.0.iter().any(|resume| resume.call == call && resume.due.is_some())
    }

    pub(crate) fn put(&mut self, resume: Resume<P>) {
        self.0.push(resume);
    }

    /// Takes out what there is of a call.
    pub(crate) fn take(&mut self, call: CallId) -> Option<Resume<P>> {
        let at = self.0.iter().position(|resume| resume.call == call)?;
        Some(self.0.swap_remove(at))
    }

    /// A message came on a call's stream.
    pub(crate) fn on_news(&mut self, call: CallId) {
        if let Some(resume) = self.find(call) {
            resume.reopen.on_news();
        }
    }

    /// The soonest moment at which a stream is to be asked for.
    pub(crate) fn next(&self) -> Option<Instant> {
        self.0.iter().filter_map(|resume| resume.due).min()
    }

    /// One that is due now, and counts as open from now on.
    pub(crate) fn due(&mut self, now: Instant) -> Option<&Resume<P>> {
        let resume = self.0.iter_mut().find(|resume| resume.due.is_some_and(|due| due <= now))?;
        resume.due = None;
        resume.reopen.on_open(now);
        Some(resume)
    }
}

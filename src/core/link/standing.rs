//! The standing stream of legacy Streamable HTTP (P77): on it the server speaks without having been asked. A convenience of the link,
//! never a reason to lose it: calls notice by themselves when the server is gone.

use super::connection::Connection;
use super::resume::Reopen;
use super::{Answer, Context, Purpose};
use crate::ids::LinkId;
use crate::time::{Duration, Instant};
use crate::wire::{Payload, Plan, Verb};

/// The state of a link's stream.
#[derive(Debug)]
pub(crate) struct Standing<P> {
    /// When to ask for it; none while it is open, or not to be had.
    due: Option<Instant>,
    last: Option<P>,
    reopen: Reopen,
}

impl<P> Default for Standing<P> {
    fn default() -> Self {
        Self { due: None, last: None, reopen: Reopen::default() }
    }
}

impl<P: Payload> Connection<P> {
    /// `notifications/initialized` was taken: the stream may be asked for.
    pub(crate) fn on_initialized(&mut self, link: LinkId, cx: &mut Context<'_, P>) {
        // It holds one connection, and calls need another.
        let room = cx.config.http_concurrency > 1;
        if let Some(at) = self.links.iter_mut().find(|at| at.id == link && at.is_resumable()).filter(|_| room) {
            at.standing.due = Some(cx.now);
        }
    }

    /// When the stream is to be asked for.
    pub(crate) fn standing_due(&self) -> Option<Instant> {
        self.up()?.standing.due
    }

    /// Asks for the stream if that is due; whether it was.
    pub(crate) fn open_standing(&mut self, cx: &mut Context<'_, P>) -> bool {
        let due = |at: &&mut super::Link<P>| at.standing.due.is_some_and(|due| due <= cx.now);
        let Some(at) = self.links.iter_mut().find(due) else {
            return false;
        };
        at.standing.due = None;
        at.standing.reopen.on_open(cx.now);
        let plan = Plan { resume: at.standing.last.clone(), ..at.plan(Verb::Get, None) };
        cx.fetch(at.id, Purpose::Standing, plan);
        true
    }

    /// A message came on it.
    pub(crate) fn on_standing_news(&mut self, link: LinkId) {
        if let Some(standing) = self.standing(link) {
            standing.reopen.on_news();
        }
    }

    /// Where it stood when it ended.
    pub(crate) fn on_standing_cursor(&mut self, link: LinkId, last: Option<P>, retry: Option<Duration>) {
        if let Some(standing) = self.standing(link) {
            standing.last = last.or(standing.last.take());
            standing.reopen.retry = retry.unwrap_or(standing.reopen.retry);
        }
    }

    /// It ended, was refused, or could not be had.
    pub(crate) fn on_standing_end(&mut self, link: LinkId, answer: &Answer<P>, cx: &mut Context<'_, P>) {
        let Some(standing) = self.standing(link) else {
            return;
        };
        let (network, asked) = match answer {
            Answer::Lost { broken } => (*broken, None),
            Answer::Unreached(_) => (true, None),
            Answer::Status(429 | 500.., wait) => (false, *wait),
            // 405: not offered; 409: there is one already. Neither that nor a page for people changes while the link lives.
            _ => return,
        };
        let ended = matches!(answer, Answer::Lost { broken: false });
        let delay = standing.reopen.on_end(!ended, cx).max(asked.unwrap_or(Duration::ZERO));
        // A network comes back, however long that takes; a server that answers so has said what it can say.
        if (network && cx.config.reconnection) || !standing.reopen.is_exhausted() {
            standing.due = Some(cx.now + delay);
        }
    }

    fn standing(&mut self, link: LinkId) -> Option<&mut Standing<P>> {
        self.links.iter_mut().find(|at| at.id == link).map(|at| &mut at.standing)
    }
}

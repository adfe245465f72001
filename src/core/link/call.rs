//! The calls between creation and settle, and their time limits. It knows where each call stands; what follows from that is the
//! engine's.

use crate::error::{Error, Outcome, Stage};
use crate::ids::{CallId, ExchangeId, LinkId, RequestId};
use crate::io::Request;
use crate::policy::deadline::{Deadlines, Order};
use crate::time::{Duration, Instant};
use crate::wire::{Effect, Era};

/// One `request()` of the application.
#[derive(Debug)]
pub(crate) struct Call<P> {
    pub(crate) request: Request<P>,
    pub(crate) phase: Phase,
    pub(crate) created: Instant,
    /// Sendings beyond the first, since its params were given.
    pub(crate) replays: u8,
    /// How often the server asked for input.
    pub(crate) rounds: u32,
    /// The server refused its form or its revision once, and it was sent again.
    pub(crate) corrected: bool,
    /// While the application is asked for new params.
    pub(crate) ask: Option<Ask<P>>,
    /// An earlier sending may have been executed, and it was sent again because its caller vouched for that.
    pub(crate) in_doubt: bool,
    /// The authorization context it was made in.
    pub(crate) context: u32,
    /// Its lane has let it pass; it may have to wait for its moment.
    pub(crate) is_paid: bool,
    /// Its caller got a stale result; what it brings is for the cache.
    pub(crate) served: bool,
    timeout: Duration,
    max_total: Duration,
    deadline: Instant,
    max_queue_time: Duration,
}

/// What a call that asks waits for.
#[derive(Debug)]
pub(crate) struct Ask<P> {
    /// How it ends without an answer.
    pub(crate) error: Error<P>,
    /// How long an answer is held back.
    pub(crate) pause: Duration,
}

/// Where a call stands: its ledger.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Phase {
    /// Waits for its turn or for a link; never left, or was given back.
    Queued,
    /// Shares the wire request of another call since then.
    Following(Instant),
    /// Waits until then before it queues again.
    Delayed(Instant),
    /// Waits for new params since then. The time a person takes to give them counts for no limit.
    Asking(Instant),
    /// Left.
    Sent(Sending),
}

/// One attempt under way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sending {
    pub(crate) link: LinkId,
    pub(crate) era: Era,
    pub(crate) id: RequestId,
    /// The HTTP exchange that carries it, if any.
    pub(crate) exchange: Option<ExchangeId>,
    /// Whether it named a session that the server may forget.
    pub(crate) in_session: bool,
    /// Whether it was of the highest priority when it left.
    pub(crate) critical: bool,
    pub(crate) at: Instant,
    /// When its timeout counts from: the sending, or the last progress.
    pub(crate) heard: Instant,
}

impl<P> Call<P> {
    /// When its next time limit passes; never while it asks.
    fn limit_at(&self) -> Instant {
        match self.phase {
            Phase::Asking(_) => Instant::NEVER,
            _ => self.phase_limit().min(self.deadline),
        }
    }

    /// What passes then.
    fn limit(&self) -> (Stage, Duration) {
        let in_time = self.phase_limit() <= self.deadline;
        match self.phase {
            Phase::Queued => (Stage::Queue, if in_time { self.max_queue_time } else { self.max_total }),
            Phase::Delayed(_) if in_time => (Stage::Queue, Duration::ZERO),
            Phase::Following(_) | Phase::Sent(_) if in_time => (Stage::Response, self.timeout),
            _ => (Stage::Total, self.max_total),
        }
    }

    /// The limit of its present phase alone.
    fn phase_limit(&self) -> Instant {
        match self.phase {
            Phase::Queued if !self.was_taken() => self.queue_limit(),
            Phase::Queued | Phase::Asking(_) => Instant::NEVER,
            Phase::Following(since) => since + self.timeout,
            Phase::Delayed(until) => until,
            Phase::Sent(sending) => sending.heard + self.timeout,
        }
    }

    fn queue_limit(&self) -> Instant {
        self.created + self.max_queue_time
    }

    /// Whether it will have waited for its first turn as long as it may, by `then`.
    pub(crate) fn waits_in_vain(&self, then: Instant) -> bool {
        matches!(self.phase, Phase::Queued) && !self.was_taken() && self.queue_limit() <= then
    }

    /// Ends asking: the time since then is given back.
    pub(crate) fn stop_asking(&mut self, now: Instant) -> Option<Ask<P>> {
        let Phase::Asking(since) = self.phase else {
            return None;
        };
        self.deadline = self.deadline + now.since(since);
        self.ask.take()
    }

    /// Whether a server has refused it before, or answered it with a question.
    pub(crate) fn was_taken(&self) -> bool {
        self.replays > 0 || self.rounds > 0 || self.corrected
    }

    /// What a second sending may do; an idempotent call counts as safe.
    pub(crate) fn effect(&self) -> Effect {
        if self.request.idempotent {
            Effect::Safe
        } else {
            self.request.method.effect()
        }
    }

    /// What may be assumed after all sendings, when `last` is what may be assumed after the last.
    pub(crate) fn outcome_after(&self, last: Outcome) -> Outcome {
        match last {
            Outcome::NotSent | Outcome::NotApplied if self.in_doubt => Outcome::Unknown,
            Outcome::NotSent if self.was_taken() => Outcome::NotApplied,
            last => last,
        }
    }

    /// The attempt under way.
    pub(crate) fn sending(&self) -> Option<Sending> {
        match self.phase {
            Phase::Sent(sending) => Some(sending),
            _ => None,
        }
    }
}

/// All unsettled calls, found by slot.
#[derive(Debug)]
pub(crate) struct Calls<P> {
    slots: Vec<Option<Call<P>>>,
    live: usize,
    deadlines: Deadlines,
}

impl<P> Default for Calls<P> {
    fn default() -> Self {
        Self { slots: Vec::new(), live: 0, deadlines: Deadlines::default() }
    }
}

impl<P> Calls<P> {
    /// Takes a new call in; false when the slot is taken or out of range.
    pub(crate) fn insert(
        &mut self,
        id: CallId,
        request: Request<P>,
        now: Instant,
        limits: (Duration, Duration, Duration),
    ) -> bool {
        let at = id.0 as usize;
        if id.0 > CallId::MAX {
            return false;
        }
        if self.slots.len() <= at {
            self.slots.resize_with(at + 1, || None);
        }
        let Some(slot @ None) = self.slots.get_mut(at) else {
            return false;
        };
        let timeout = request.timeout.unwrap_or(limits.0);
        let max_total = request.max_total.unwrap_or(limits.1);
        let max_queue_time = request.max_queue_time.unwrap_or(limits.2);
        *slot = Some(Call {
            request,
            phase: Phase::Queued,
            created: now,
            replays: 0,
            rounds: 0,
            corrected: false,
            ask: None,
            in_doubt: false,
            context: 0,
            is_paid: false,
            served: false,
            timeout,
            max_total,
            deadline: now + max_total,
            max_queue_time,
        });
        if self.live == 0 {
            self.deadlines.clear();
        }
        self.live += 1;
        true
    }

    pub(crate) fn at(&self, id: CallId) -> Option<&Call<P>> {
        self.slots.get(id.0 as usize)?.as_ref()
    }

    pub(crate) fn at_mut(&mut self, id: CallId) -> Option<&mut Call<P>> {
        self.slots.get_mut(id.0 as usize)?.as_mut()
    }

    /// The call whose current attempt on `link` has this id.
    pub(crate) fn awaiting(&self, link: LinkId, id: RequestId) -> Option<CallId> {
        let sending = self.at(id.slot())?.sending()?;
        (sending.id == id && sending.link == link).then(|| id.slot())
    }

    /// Forgets a call.
    pub(crate) fn remove(&mut self, id: CallId) {
        if let Some(slot @ Some(_)) = self.slots.get_mut(id.0 as usize) {
            *slot = None;
            self.live -= 1;
        }
    }

    /// Moves a call to another phase and watches the limit that follows from it.
    pub(crate) fn enter(&mut self, id: CallId, phase: Phase) {
        if let Some(call) = self.at_mut(id) {
            call.phase = phase;
            let at = call.limit_at();
            self.deadlines.arm(at, id);
        }
    }

    /// Watches the limit of a call's present phase.
    pub(crate) fn watch(&mut self, id: CallId) {
        if let Some(at) = self.at(id).map(Call::limit_at) {
            self.deadlines.arm(at, id);
        }
    }

    /// A moment before which no limit passes. That of a call that was settled may stand for the others' until it comes, which is cheaper
    /// than to look for theirs after each; but nothing does where there is no call.
    pub(crate) fn next_limit(&self) -> Instant {
        if self.live == 0 {
            return Instant::NEVER;
        }
        self.deadlines.first()
    }

    /// A call whose limit has passed, and which. It is looked at only once: whoever asks ends the call or moves it to another phase.
    pub(crate) fn overdue(&mut self, now: Instant) -> Option<(CallId, Stage, Duration)> {
        while let Some((at, id)) = self.deadlines.due(now) {
            let Some(call) = self.at(id) else { continue };
            if call.limit_at() <= at {
                let (stage, span) = call.limit();
                return Some((id, stage, span));
            }
            self.watch(id);
        }
        None
    }

    /// Whether a call that shares a read has time left after all: it counts from the sending, as for who travels for it.
    pub(crate) fn shares(&mut self, id: CallId, leader: Option<CallId>, now: Instant) -> bool {
        let Some(leader) = leader.and_then(|leader| self.at(leader)) else {
            return false;
        };
        let since = leader.sending().map_or(now, |sending| sending.heard);
        let has_time = self.at(id).is_some_and(|call| since + call.timeout > now && call.deadline > now);
        if has_time {
            self.enter(id, Phase::Following(since));
        }
        has_time
    }

    /// The ids of all calls that satisfy `pick`, in the order of their creation. One function for all who ask: none of them is frequent.
    pub(crate) fn select(&self, pick: &dyn Fn(&Call<P>) -> bool) -> Vec<CallId> {
        let mut found = Order::default();
        for (at, slot) in (0u32..).zip(&self.slots) {
            if let Some(call) = slot.as_ref().filter(|call| pick(call)) {
                found.push(call.created, CallId(at));
            }
        }
        core::iter::from_fn(|| found.pop()).map(|(_, id)| id).collect()
    }
}

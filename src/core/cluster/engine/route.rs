//! One call on its way through the nodes: sent, sent beside, sent elsewhere, settled once. A call with side effects goes on only from a
//! node that did not execute it; all else is bounded by nodes, time and budget. Who is next is the balancer's choice, what an end says
//! of a node is health's.

use super::{
    AttemptId, Cluster, ClusterEvent, ClusterOutput, Due, Duration, Ending, Failure, Instant, NodeId, NodePhase,
    Outcome, Refusal, RegionId, Route, RouteId, SourceKind, Verdict, Wish,
};

/// A call between its creation and its settle.
#[derive(Debug)]
pub(super) struct Call {
    route: Route,
    created: Instant,
    deadline: Instant,
    /// Nodes that are not to be picked: those it was told, and those it visited.
    avoid: Vec<NodeId>,
    visited: u8,
    pub(super) attempts: Vec<AttemptId>,
    /// An attempt that is over may have been executed.
    executed: bool,
}

/// One sending to one node.
#[derive(Clone, Copy, Debug)]
pub(super) struct Attempt {
    pub(super) route: RouteId,
    pub(super) node: NodeId,
    pub(super) sent: Instant,
    /// The time it had.
    pub(super) had: Duration,
    hedge: bool,
    /// It was slow, the call went on beside it, and was charged for that.
    pub(super) charged: bool,
}

/// Why a call is sent again.
#[derive(Clone, Copy, Debug)]
enum Again {
    /// It failed at this node, which did with it what the outcome says.
    Failed(NodeId, Outcome),
    /// This node is slow.
    Slow(NodeId),
    /// The second attempt was wanted beforehand.
    Hedge,
}

/// A timer that comes so much too late says that the page slept, not that a node is slow.
const ASLEEP: Duration = Duration::from_millis(5_000);
/// The share of calls that may be hedged where nobody said, but a call asks for it.
const HEDGED: f64 = 0.05;

impl Cluster {
    pub(super) fn on_route(&mut self, id: RouteId, route: Route) {
        if self.calls.contains_key(&id) {
            return;
        }
        self.begin();
        self.tally.total += 1;
        let deadline = self.now + route.timeout.unwrap_or(self.config.timeout);
        let (avoid, attempts) = (route.exclude.clone(), Vec::new());
        let call = Call { route, created: self.now, deadline, avoid, visited: 0, attempts, executed: false };
        self.calls.insert(id, call);
        self.agenda.set(Due::Deadline(id), Some(deadline));
        self.start(id);
    }

    /// Sends a call for the first time, or says why not. While nodes are still being found, it waits.
    pub(super) fn start(&mut self, id: RouteId) {
        if self.calls.get(&id).is_none_or(|call| call.deadline <= self.now) {
            // It waited for too long, and its timer is late.
            return;
        }
        if self.balancer.set().is_empty() && self.may_find_nodes() {
            self.waiting.push(id);
        } else if self.room.is_full(self.now, self.attempts.len()) || self.throttles() {
            self.tally.throttled += 1;
            self.fail(id, |_| Refusal::NoHealthyNode(None));
        } else if let Some(node) = self.choose(id) {
            self.send(id, node, false);
            self.arm_hedge(id);
        } else {
            let refusal = self.refusal(id);
            self.look_for_others();
            self.fail(id, |_| refusal);
        }
    }

    /// Those that wait for nodes wait no longer once every source was asked in vain.
    pub(super) fn forsake(&mut self) {
        if !self.waiting.is_empty() && !self.may_find_nodes() {
            for id in core::mem::take(&mut self.waiting) {
                self.fail(id, |_| Refusal::NoNode);
            }
        }
    }

    /// An attempt is over, and with it the call, unless another speaks for it or follows.
    pub(super) fn on_ended(&mut self, id: AttemptId, ending: Ending) {
        let Some((attempt, free)) = self.over(id, ending) else {
            return;
        };
        let Some(call) = self.calls.get_mut(&attempt.route) else {
            return;
        };
        let outcome = match ending.verdict {
            Verdict::Answered => return self.settle(id, attempt, true),
            Verdict::Busy(_) => Outcome::NotApplied,
            Verdict::Failed(_, outcome) | Verdict::Surroundings(outcome) => outcome,
            Verdict::Aborted => Outcome::Unknown,
        };
        call.executed |= !is_harmless(outcome);
        let given_up = ending.verdict == Verdict::Aborted;
        let goes_on = |cluster: &mut Self| cluster.go_on(attempt.route, Again::Failed(attempt.node, outcome), free);
        if call.attempts.is_empty() && (given_up || !goes_on(self)) {
            self.settle(id, attempt, false);
        }
    }

    /// The time of a call is over, since `at`. Its nodes did not answer, unless the page slept.
    pub(super) fn on_deadline(&mut self, id: RouteId, at: Instant) {
        let slept = self.now.since(at) >= ASLEEP;
        let verdict = if slept { Verdict::Aborted } else { Verdict::Failed(Failure::Timeout, Outcome::Unknown) };
        self.quit(id, verdict, Refusal::Timeout);
    }

    /// A call is slow enough for a second attempt.
    pub(super) fn on_hedge(&mut self, id: RouteId) {
        let share = self.config.hedge.map_or(HEDGED, |hedge| hedge.share);
        let affordable = (self.tally.hedges as f64) < 1.0 + share * self.tally.total as f64;
        if affordable && self.calls.get(&id).is_some_and(|call| !call.attempts.is_empty()) {
            self.go_on(id, Again::Hedge, false);
        }
    }

    /// An attempt is slower than nearly all others were. Its node may be gone, which a probe will tell; the call is tried elsewhere
    /// beside it when that cannot hurt, and whoever answers first settles it: a call that is slow by nature loses nothing.
    pub(super) fn on_patience(&mut self, id: AttemptId) {
        let Some(Attempt { route, node, .. }) = self.attempts.get(&id).copied() else {
            return;
        };
        if self.online && self.counts_timeouts() {
            self.tell(node, |health, cx| health.doubt(cx.now));
        }
        if self.go_on(route, Again::Slow(node), false) {
            self.budget.charge();
            if let Some(attempt) = self.attempts.get_mut(&id) {
                attempt.charged = true;
            }
        }
    }

    /// Ends a call without an attempt that speaks for it; `refusal` is told whether what was sent may have been executed.
    pub(super) fn fail(&mut self, id: RouteId, refusal: impl FnOnce(bool) -> Refusal) {
        self.quit(id, Verdict::Aborted, refusal);
    }

    fn quit(&mut self, id: RouteId, verdict: Verdict, refusal: impl FnOnce(bool) -> Refusal) {
        if let Some(call) = self.remove(id) {
            let executed = call.executed || !call.attempts.is_empty();
            self.out.push_back(ClusterOutput::Fail(id, refusal(executed)));
            call.attempts.into_iter().for_each(|attempt| self.abort(attempt, verdict));
        }
    }

    fn settle(&mut self, id: AttemptId, attempt: Attempt, answered: bool) {
        let Some(call) = self.remove(attempt.route) else {
            return;
        };
        if answered {
            self.tally.on_answer(self.now, self.now.since(call.created), attempt.hedge);
        }
        self.out.push_back(ClusterOutput::Settle(attempt.route, id));
        for other in call.attempts {
            // One that was very slow and then overtaken by a later one is as good as timed out; a race that was lost says nothing.
            let overtaken = self.attempts.get(&other).is_some_and(|other| other.charged);
            let late = Verdict::Failed(Failure::Timeout, Outcome::Unknown);
            self.abort(other, if overtaken { late } else { Verdict::Aborted });
        }
    }

    fn remove(&mut self, id: RouteId) -> Option<Call> {
        self.agenda.set(Due::Deadline(id), None);
        self.agenda.set(Due::Hedge(id), None);
        self.waiting.retain(|waiting| *waiting != id);
        self.calls.remove(&id)
    }

    fn abort(&mut self, id: AttemptId, verdict: Verdict) {
        if let Some(attempt) = self.attempts.get(&id) {
            let took = self.now.since(attempt.sent);
            self.out.push_back(ClusterOutput::Abort(id));
            self.over(id, Ending { verdict, took });
        }
    }

    /// Sends a call to another node, when it may go there, if somebody is left. `free`: that draws on no budget.
    fn go_on(&mut self, id: RouteId, again: Again, free: bool) -> bool {
        let Some(call) = self.calls.get(&id) else {
            return false;
        };
        let not_executed = matches!(again, Again::Failed(_, outcome) if is_harmless(outcome)) && !call.executed;
        let harmless = call.route.safe || (self.config.unsafe_failover && not_executed);
        let in_time = call.deadline.since(self.now) > self.pace.typical();
        if !harmless || !in_time || call.visited >= self.config.max_nodes || !self.online {
            return false;
        }
        // Company for a slow one is more of what there may be too much of already.
        let beside = !matches!(again, Again::Failed(..));
        if beside && self.room.is_full(self.now, self.attempts.len()) {
            return false;
        }
        if !free && !self.budget.allows() {
            self.tally.budget_exhausted += 1;
            return false;
        }
        let Some(to) = self.choose(id) else {
            return false;
        };
        let failover = |from, outcome| ClusterEvent::Failover { route: id, from, to, outcome };
        let event = match again {
            Again::Failed(from, outcome) => failover(from, outcome),
            Again::Slow(from) => failover(from, Outcome::Unknown),
            Again::Hedge => ClusterEvent::Hedged(id, to),
        };
        let hedge = matches!(again, Again::Hedge);
        *(if hedge { &mut self.tally.hedges } else { &mut self.tally.failovers }) += 1;
        self.out.push_back(ClusterOutput::Event(event));
        self.send(id, to, hedge);
        true
    }

    /// The node that a call goes to next.
    fn choose(&mut self, id: RouteId) -> Option<NodeId> {
        let call = self.calls.get_mut(&id)?;
        let (session, preferred) = (call.route.session, call.route.preferred);
        // Read nearest, write home, unless the call says where.
        let (region, stay) = match call.route.region {
            Some(region) => (region, false),
            None if !call.route.safe && self.config.home != RegionId::default() => (self.config.home, true),
            None => (self.config.region, false),
        };
        let zone = if region == self.config.region { self.config.zone } else { RegionId::default() };
        let avoid = core::mem::take(&mut call.avoid);
        let node = self.pick(&Wish { session, preferred, region, zone, stay, exclude: &avoid });
        if let Some(call) = self.calls.get_mut(&id) {
            call.avoid = avoid;
        }
        node
    }

    fn send(&mut self, route: RouteId, node: NodeId, hedge: bool) {
        self.open(node);
        self.tell(node, |_, _| ());
        let (Some(call), Some(member)) = (self.calls.get_mut(&route), self.members.get_mut(&node)) else {
            return;
        };
        let attempt = AttemptId(self.next_attempt);
        self.next_attempt = self.next_attempt.wrapping_add(1);
        let timeout = call.deadline.since(self.now);
        self.attempts.insert(attempt, Attempt { route, node, sent: self.now, had: timeout, hedge, charged: false });
        call.avoid.push(node);
        call.visited = call.visited.saturating_add(1);
        call.attempts.push(attempt);
        member.active += 1;
        member.share = member.share.saturating_add(1);
        if member.health.state() == NodePhase::HalfOpen {
            member.trial = member.trial.or(Some(attempt));
        }
        self.balancer.on_sent(node, self.now);
        let alone = self.balancer.set().len() < 2;
        if let Some(least) = self.config.min_attempt.filter(|_| !alone) {
            let at = self.now + self.pace.patience(least);
            self.agenda.set(Due::Patience(attempt), Some(at).filter(|at| *at < call.deadline));
        }
        self.out.push_back(ClusterOutput::Send { route, attempt, node, timeout });
    }

    fn arm_hedge(&mut self, id: RouteId) {
        let Some(Call { route, deadline, .. }) = self.calls.get(&id).filter(|call| call.route.safe) else {
            return;
        };
        let after = match (route.hedge_after, self.config.hedge) {
            (Some(after), _) => Some(after),
            (None, Some(hedge)) => hedge.after.or_else(|| self.pace.hedge()),
            (None, None) => None,
        };
        let at = after.map(|after| self.now + after).filter(|at| at < deadline);
        self.agenda.set(Due::Hedge(id), at);
    }

    /// Whether a call is better refused here: everybody refuses.
    fn throttles(&mut self) -> bool {
        let refuses = self.throttle.refuses(self.now, &mut self.rng)
            && self.members.iter().all(|(id, member)| member.refusing || self.is_banned(*id));
        if refuses {
            self.throttle.record(self.now, true);
        }
        refuses
    }

    /// Whether nodes may still turn up: somebody is asked for the first time.
    fn may_find_nodes(&self) -> bool {
        let limits = &self.config.discovery;
        let asked = self.discovery.failures() < limits.endpoints.max(1);
        limits.source != SourceKind::Static && asked && self.discovery.age(self.now).is_none()
    }

    /// Asks for nodes before it is time: those that are known are of no use. Not when the source fails itself, and with moderation, since a
    /// crowd of clients does the same.
    fn look_for_others(&mut self) {
        let enough = self.config.discovery.interval.mul_f64(0.25);
        if self.discovery.failures() == 0 && self.discovery.age(self.now).is_some_and(|age| age >= enough) {
            self.discovery.refresh(self.now, &mut self.rng);
        }
    }

    /// Why nobody may be given a call.
    fn refusal(&self, id: RouteId) -> Refusal {
        let set = self.balancer.set();
        if set.is_empty() {
            return Refusal::NoNode;
        }
        let avoid = self.calls.get(&id).map_or(&[][..], |call| &call.avoid);
        let candidate = |id: &NodeId| !avoid.contains(id) && !self.is_banned(*id);
        let ids = set.nodes().iter().map(|node| node.id);
        let candidates: Vec<_> = ids.filter(candidate).filter_map(|id| self.members.get(&id)).collect();
        let wait = candidates.iter().filter_map(|member| member.closed_for(self.now)).min();
        match (candidates.len(), wait) {
            (1, Some(wait)) => Refusal::CircuitOpen(wait),
            (_, wait) => Refusal::NoHealthyNode(wait),
        }
    }
}

/// Whether an attempt that ended so was certainly not executed.
fn is_harmless(outcome: Outcome) -> bool {
    matches!(outcome, Outcome::NotSent | Outcome::NotApplied)
}

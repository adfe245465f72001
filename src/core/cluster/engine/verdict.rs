//! What the end of an attempt teaches: its node's load, breaker and wish to be left alone, the pace of the cluster, the budgets. What
//! becomes of the call is not decided here.

use super::{Attempt, AttemptId, Cluster, Due, Duration, Ending, Failure, NodeId, Outcome, Verdict};

/// No node is left alone for longer, whatever it asks for.
const LONGEST_HOLD: Duration = Duration::from_millis(300_000);

impl Cluster {
    /// An attempt is over: its node is told. Whether going on after it draws on no budget.
    pub(super) fn over(&mut self, id: AttemptId, ending: Ending) -> Option<(Attempt, bool)> {
        let attempt = self.attempts.remove(&id)?;
        self.agenda.set(Due::Patience(id), None);
        if let Some(call) = self.calls.get_mut(&attempt.route) {
            call.attempts.retain(|other| *other != id);
        }
        if let Some(member) = self.members.get_mut(&attempt.node) {
            member.active = member.active.saturating_sub(1);
            member.attempts += 1;
            member.trial = member.trial.filter(|trial| *trial != id);
        }
        let free = self.learn(attempt, ending);
        self.let_go(attempt.node);
        Some((attempt, free))
    }

    fn learn(&mut self, attempt: Attempt, Ending { verdict, took }: Ending) -> bool {
        let Attempt { node, sent, had, charged, .. } = attempt;
        let learns = self.online || verdict == Verdict::Answered;
        let tells = matches!(verdict, Verdict::Answered | Verdict::Failed(Failure::Timeout, _)) && learns;
        self.balancer.on_back(node, self.now, tells.then_some(took));
        match verdict {
            Verdict::Answered => {
                self.budget.earn();
                self.pace.record(took);
                self.throttle.record(self.now, false);
                self.room.on_answer(self.now, sent, had);
                self.refused(node, None);
                if let Some(member) = self.members.get_mut(&node) {
                    member.answered = member.answered.max(sent);
                }
                self.tell(node, |health, cx| health.on_answer(sent, cx));
                true
            }
            Verdict::Busy(pause) => {
                self.budget.charge();
                self.throttle.record(self.now, true);
                self.balancer.on_busy(node, self.now, pause);
                self.refused(node, Some(pause.unwrap_or_default()));
                false
            }
            Verdict::Failed(failure, outcome) if learns => {
                self.throttle.record(self.now, false);
                if let Some(member) = self.members.get_mut(&node) {
                    member.failures += 1;
                    if failure == Failure::Timeout {
                        let overtaken = member.answered > sent;
                        self.room.on_late(self.now, sent, overtaken, self.attempts.len() + 1);
                    }
                }
                let blamed = failure != Failure::Timeout || self.counts_timeouts();
                let fact = self.tell(node, |health, cx| !blamed || health.on_failure(sent, failure, cx));
                // What never left costs no node anything, and a link that broke is one failure, however many calls were on it.
                let free = charged || outcome == Outcome::NotSent || fact == Some(false);
                if !free {
                    self.budget.charge();
                }
                free
            }
            Verdict::Failed(..) | Verdict::Surroundings(_) | Verdict::Aborted => true,
        }
    }

    /// A node refused and wants to be left alone for so long, or did not. A little longer by chance: others were told the same.
    fn refused(&mut self, id: NodeId, pause: Option<Duration>) {
        if let Some(member) = self.members.get_mut(&id) {
            member.refusing = pause.is_some();
            if let Some(pause) = pause {
                let until = self.now + pause.min(LONGEST_HOLD).mul_f64(1.0 + 0.1 * self.rng.unit());
                member.hold_until = member.hold_until.max(until);
            }
        }
    }

    /// Whether no answer in time is a node's failure.
    pub(super) fn counts_timeouts(&self) -> bool {
        self.config.breaker.is_none_or(|trips| trips.timeouts)
    }
}

//! What a call would cost at one node and at another, as far as experience can tell. Of two nodes, never of all: the cheapest of all that one
//! client knows is where everybody else goes too.

use super::config::Strategy;
use super::load::Loads;
use super::set::NodeSet;
use crate::time::{Duration, Instant};

/// The view of one moment.
pub(super) struct Costs<'a> {
    pub(super) set: &'a NodeSet,
    pub(super) loads: &'a Loads,
    pub(super) strategy: Strategy,
    /// A latency older than this says nothing.
    pub(super) fresh: Duration,
    pub(super) now: Instant,
}

impl Costs<'_> {
    /// The costs of both, of one unit but no particular one; `None` when too little is known of either: a node is not better for being
    /// known (measured: with that, a crowd of light clients is unstable).
    pub(super) fn compare(&self, one: usize, two: usize) -> Option<(f64, f64)> {
        let (busy, other) = (self.under_way(one), self.under_way(two));
        match self.strategy {
            Strategy::LeastConnections => Some((busy, other)),
            Strategy::Latency => {
                let (latency, others) = (self.loads.drained(one, self.now)?, self.loads.drained(two, self.now)?);
                Some((latency * (busy + 1.0), others * (other + 1.0)))
            }
            _ => {
                let (latency, others) = (self.latency(one), self.latency(two));
                let known = |latency: Option<f64>, at: usize| latency.is_some() || self.loads.active(at) > 0;
                if !known(latency, one) || !known(others, two) {
                    return None;
                }
                // Where only calls under way are known of one, they decide alone.
                let (latency, others) = latency.zip(others).unwrap_or((1.0, 1.0));
                Some((latency * (busy + 1.0), others * (other + 1.0)))
            }
        }
    }

    /// The average of answers, if fresh. Milliseconds.
    fn latency(&self, at: usize) -> Option<f64> {
        self.loads.average(at, self.now).filter(|(_, age)| *age < self.fresh).map(|(average, _)| average)
    }

    /// Calls under way, in as many as a node of mean weight would feel alike.
    fn under_way(&self, at: usize) -> f64 {
        let active = f64::from(self.loads.active(at));
        let weight = self.set.nodes().get(at).map_or(0.0, |node| node.weight) * self.loads.share(at, self.now);
        if active > 0.0 {
            active * self.set.mean_weight() / weight.max(f64::MIN_POSITIVE)
        } else {
            0.0
        }
    }
}

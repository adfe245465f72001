//! Which node a call goes to, as one client sees it. It asks whether a node admits; it knows no breaker and opens nothing.

use std::rc::Rc;

use super::config::{ClusterConfig, Strategy};
use super::node::{NodeId, RegionId};
use super::set::NodeSet;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// What a call wishes of its node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// A hash of the session it belongs to.
    pub session: Option<u64>,
    /// The node to take if it admits.
    pub preferred: Option<NodeId>,
    /// Where to look from; 0: from nowhere in particular.
    pub region: RegionId,
    /// And within it.
    pub zone: RegionId,
    /// Leave the region (or zone) only when nobody there admits, and not already when those who do have too much to do: for calls with
    /// side effects that go home.
    pub stay: bool,
    /// Not these.
    pub exclude: &'a [NodeId],
}

/// Whether a node may be given a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Yes,
    /// Only when no other can.
    Suspect,
    /// No (its breaker is open), except in panic.
    No,
    /// Not even in panic: isolated, draining.
    Never,
}

/// What is known of a node by experience.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Load {
    /// Calls under way.
    pub active: u32,
    /// Peak-sensitive moving average of its answers; `None` before the first.
    pub latency: Option<Duration>,
    /// What it counts in a pick now, of the unit of the discovered weight: after slow start, and halved while it is busy.
    pub weight: f64,
}

/// One client's choice among the nodes.
#[derive(Debug)]
pub struct Balancer {
    set: Rc<NodeSet>,
}

impl Balancer {
    /// With nothing learnt yet.
    #[must_use]
    pub fn new(_strategy: Strategy, _config: &ClusterConfig, set: Rc<NodeSet>, _rng: &mut Rng) -> Self {
        Self { set }
    }

    /// Other nodes. Those that stay keep what is known of them; those that are new among others start slowly.
    pub fn replace(&mut self, set: Rc<NodeSet>, _now: Instant) {
        self.set = set;
    }

    /// The nodes.
    #[must_use]
    pub fn set(&self) -> &Rc<NodeSet> {
        &self.set
    }

    /// A node for a call, or `None` when none may be given it. Nothing is counted before [`Self::on_sent`].
    pub fn pick(
        &mut self,
        _now: Instant,
        rng: &mut Rng,
        wish: &Wish<'_>,
        admits: &mut dyn FnMut(NodeId) -> Admission,
    ) -> Option<NodeId> {
        (0..8).find_map(|_| {
            let node = self.set.nodes().get(self.set.draw(rng)?)?.id;
            (!wish.exclude.contains(&node) && admits(node) == Admission::Yes).then_some(node)
        })
    }

    /// A call leaves for a node.
    pub fn on_sent(&mut self, _node: NodeId, _now: Instant) {}

    /// It is over; `None`: without an answer that tells a latency.
    pub fn on_back(&mut self, _node: NodeId, _now: Instant, _latency: Option<Duration>) {}

    /// A node refused for now (429, 503): half its weight for a while after `pause`, the time it wants to be left alone (which is the
    /// caller's to see to).
    pub fn on_busy(&mut self, _node: NodeId, _now: Instant, _pause: Option<Duration>) {}

    /// Its breaker closed again: slow start begins.
    pub fn on_return(&mut self, _node: NodeId, _now: Instant) {}

    /// A session ended: its node is free to be another next time.
    pub fn on_session_end(&mut self, _session: u64) {}

    /// Where a session lives, if it was picked for already.
    #[must_use]
    pub fn pinned(&self, _session: u64) -> Option<NodeId> {
        None
    }

    /// What is known of a node.
    #[must_use]
    pub fn load(&self, node: NodeId, _now: Instant) -> Load {
        let weight = self.set.node(node).map_or(0.0, |node| node.weight);
        Load { active: 0, latency: None, weight }
    }
}

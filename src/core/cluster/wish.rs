//! What is asked of the balancer and what it answers. Values only.

use super::node::{NodeId, RegionId};
use crate::time::Duration;

/// What a call wishes of its node.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wish<'a> {
    /// A hash of the session it belongs to; minded by [`Strategy::Sticky`] only.
    pub session: Option<u64>,
    /// The node to take if it admits.
    pub preferred: Option<NodeId>,
    /// Where to look from; 0: from nowhere in particular.
    pub region: RegionId,
    /// And within it.
    pub zone: RegionId,
    /// Leave the nearest tier only when nobody there admits, and not already when those who do would have too much to do: for calls with
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

/// What became of the picks so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// All that found a node.
    pub picks: u64,
    /// Of two nodes the first, since nothing fresh was known of one.
    pub unsure: u64,
    /// With health ignored.
    pub panic: u64,
    /// The node where the session lived already.
    pub sticky: u64,
}

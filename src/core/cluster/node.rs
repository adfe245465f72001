//! What a node is: its name as a number, what discovery says of it, and what is known of it by experience.

use crate::time::Duration;

/// One endpoint of a cluster. The shell interns names: the same name is the same number for as long as the cluster lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

/// One `route()` of the application, from creation to settle: any number not in use by an unsettled one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u32);

/// One sending of a route to one node. Given out by the cluster, never reused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AttemptId(pub u32);

/// A region or a zone, interned by the shell; 0 stands for one that nobody named.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RegionId(pub u32);

/// What discovery says of a node.
#[derive(Clone, Debug, PartialEq)]
pub struct NodeSpec {
    /// Which.
    pub id: NodeId,
    /// A hash of its name, the same in every client, so that sessions go to the same node from everywhere (rendezvous).
    pub hash: u64,
    /// Its share of the load, relative to the others'. At least 0; 0 takes new calls only when nobody else can.
    pub weight: f64,
    /// Where it stands, at large: a cloud region.
    pub region: RegionId,
    /// And within it.
    pub zone: RegionId,
}

/// Whether a node may be given calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodePhase {
    /// Yes.
    Closed,
    /// It just failed: only when no other can.
    Suspect,
    /// No, for a while.
    Open,
    /// A probe decides.
    HalfOpen,
    /// The application said no.
    Isolated,
}

/// What is known of a node.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct NodeStatus {
    /// Which.
    pub id: NodeId,
    /// May it be given calls?
    pub phase: NodePhase,
    /// It finishes what it has and gets nothing new.
    pub draining: bool,
    /// Its link is up.
    pub up: bool,
    /// Attempts under way.
    pub active: u32,
    /// Peak-sensitive moving average of its answers; `None` before the first.
    pub latency: Option<Duration>,
    /// What it counts in a pick now, after slow start; of the same unit as the discovered weight.
    pub weight: f64,
    /// Attempts that ended, and those that failed.
    pub attempts: u64,
    /// See `attempts`.
    pub failures: u64,
    /// How often its breaker opened.
    pub trips: u32,
    /// When open: how long still.
    pub retry_in: Option<Duration>,
}

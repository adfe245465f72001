//! The settings of a cluster, already parsed: nothing downstream checks them again. Defaults are here, in one place; public names are the
//! bindings'.

use super::node::RegionId;
use crate::time::Duration;

/// How a node is chosen (cluster design, 5.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Strategy {
    /// Two weighted draws; the one with less load and latency, as far as that is fresh, else the first. The default.
    #[default]
    Adaptive,
    /// One after the other by weight, from a random start; the turns of a heavy node are spread evenly (smooth weighted round robin).
    RoundRobin,
    /// Two weighted draws, the one with fewer calls under way for its weight (power of two choices).
    LeastConnections,
    /// By chance, by weight.
    Weighted,
    /// The same session the same node (weighted rendezvous hashing, bounded load), as it is with every strategy; calls without a session as
    /// `Adaptive`.
    Sticky,
    /// Two weighted draws, the faster (peak EWMA).
    Latency,
    /// By chance, all alike.
    Random,
}

/// Everything a cluster can be told at its creation.
#[derive(Clone, Debug)]
pub struct ClusterConfig {
    /// How a node is chosen.
    pub strategy: Strategy,
    /// When a node is left alone; `None` never is.
    pub breaker: Option<Trips>,
    /// How nodes are asked whether they live.
    pub health: HealthLimits,
    /// Nodes that one call may visit, the first included.
    pub max_nodes: u8,
    /// A call with side effects may visit another node when the first did not execute it.
    pub unsafe_failover: bool,
    /// A second attempt beside a slow first.
    pub hedge: Option<Hedge>,
    /// A node that did not answer an attempt for four times the p99 of the last answers, and at least so long, is suspect, and a safe call is
    /// sent to another beside it, when there is one; before twenty answers, ten times so long. `None`: never.
    pub min_attempt: Option<Duration>,
    /// From creation to settle, all attempts together.
    pub timeout: Duration,
    /// A node that came back, or is new among others, gets its full share only after so long (slow start).
    pub slow_start: Duration,
    /// A sample of latency older than this decides nothing (measured: 5 s).
    pub fresh: Duration,
    /// Below this share of nodes that may be given calls, all are tried alike (panic threshold); not of fewer than five.
    pub panic: f64,
    /// Links that are opened before anybody calls.
    pub warm: usize,
    /// Where this client stands; 0: nowhere in particular.
    pub region: RegionId,
    /// And within it.
    pub zone: RegionId,
    /// Where calls with side effects go as long as somebody is there; 0: where reads go.
    pub home: RegionId,
    /// Where nodes are learnt from.
    pub discovery: DiscoveryLimits,
}

impl Default for ClusterConfig {
    fn default() -> Self {
        Self {
            strategy: Strategy::Adaptive,
            breaker: Some(Trips::default()),
            health: HealthLimits::default(),
            max_nodes: 3,
            unsafe_failover: true,
            hedge: None,
            min_attempt: Some(Duration::from_millis(500)),
            timeout: Duration::from_millis(60_000),
            slow_start: Duration::from_millis(30_000),
            fresh: Duration::from_millis(5_000),
            panic: 0.5,
            warm: 3,
            region: RegionId::default(),
            zone: RegionId::default(),
            home: RegionId::default(),
            discovery: DiscoveryLimits::default(),
        }
    }
}

/// What opens the breaker of a node, and for how long.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Trips {
    /// Failures in a row.
    pub consecutive: u32,
    /// Or this share of the calls of the last ten seconds, of at least `minimum`.
    pub share: f64,
    /// See `share`.
    pub minimum: u32,
    /// Open for so long the first time (0.5 to 1 of it by chance), then twice as long each time up to `longest`.
    pub reset: Duration,
    /// See `reset`. The same as `reset`: always so long, and no chance in it, as the application named it.
    pub longest: Duration,
    /// Successes in a row that close it.
    pub successes: u32,
    /// Whether a call without an answer in time is a failure.
    pub timeouts: bool,
}

impl Default for Trips {
    fn default() -> Self {
        Self {
            consecutive: 3,
            share: 0.5,
            minimum: 10,
            reset: Duration::from_millis(5_000),
            longest: Duration::from_millis(300_000),
            successes: 2,
            timeouts: true,
        }
    }
}

/// How nodes are asked whether they live. Passive first: only nodes that failed, and links that may be dead, are asked.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HealthLimits {
    /// Every node with a link is asked so often; `None`: only those that failed.
    pub interval: Option<Duration>,
    /// And has so long to answer.
    pub timeout: Duration,
    /// Answers in a row that make it healthy again.
    pub healthy: u32,
    /// Failures in a row that make it unhealthy.
    pub unhealthy: u32,
}

impl Default for HealthLimits {
    fn default() -> Self {
        Self { interval: None, timeout: Duration::from_millis(5_000), healthy: 1, unhealthy: 2 }
    }
}

/// When a second attempt of a safe call starts beside the first (Dean and Barroso, The Tail at Scale).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Hedge {
    /// After so long; `None`: after the p95 of the answers so far.
    pub after: Option<Duration>,
    /// At most this share of all calls.
    pub share: f64,
}

/// Where nodes are learnt from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum SourceKind {
    /// The application listed them.
    #[default]
    Static,
    /// The shell asks for the whole list now and then.
    Poll,
    /// Consul's health endpoint with blocking queries.
    Consul,
    /// An etcd prefix: a range, then a watch from its revision.
    Etcd,
}

/// How often and how patiently.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DiscoveryLimits {
    /// Which.
    pub source: SourceKind,
    /// Addresses that can be asked; one after the other when one fails.
    pub endpoints: u32,
    /// Between two lists when nothing can be waited for, up to a tenth more by chance. With nodes known at the start, the first list is asked
    /// for within this tenth.
    pub interval: Duration,
    /// Wait for changes where the source can (blocking query, watch).
    pub watch: bool,
    /// How long one blocking query waits, or a silent watch is believed.
    pub wait: Duration,
    /// Empty lists in a row that are believed after a list with nodes.
    pub confirmations: u32,
    /// Between failures: from `backoff` to `longest`, doubling, full jitter.
    pub backoff: Duration,
    /// See `backoff`.
    pub longest: Duration,
}

impl Default for DiscoveryLimits {
    fn default() -> Self {
        Self {
            source: SourceKind::Static,
            endpoints: 1,
            interval: Duration::from_millis(30_000),
            watch: true,
            wait: Duration::from_millis(60_000),
            confirmations: 3,
            backoff: Duration::from_millis(1_000),
            longest: Duration::from_millis(60_000),
        }
    }
}

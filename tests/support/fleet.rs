//! A cluster driven by hand: a test says what becomes of attempts, probes and time, and asks what was said. It decides nothing. What a
//! test expects and does not find, it hears of as a panic.

use bowline_core::{
    AttemptId, Cluster, ClusterConfig, ClusterEvent, ClusterInput, ClusterOutput, DiscoveryLimits, Duration, Ending,
    Failure, HealthLimits, Hedge, Instant, NodeId, NodePhase, NodeSpec, NodeStatus, Outcome, Refusal, RegionId, Rng,
    Route, RouteId, SourceKind, Strategy, Trips, Verdict,
};

use crate::ms;

/// No connection: it never left.
pub const REFUSED: Verdict = Verdict::Failed(Failure::Transport, Outcome::NotSent);
/// The connection broke after it left.
pub const BROKEN: Verdict = Verdict::Failed(Failure::Transport, Outcome::Unknown);
/// A status from 500.
pub const SICK: Verdict = Verdict::Failed(Failure::Server, Outcome::Unknown);
/// No answer in time.
pub const SILENT: Verdict = Verdict::Failed(Failure::Timeout, Outcome::Unknown);

/// A cluster, its clock, and everything it said.
#[derive(Debug)]
pub struct Fleet {
    /// The cluster.
    pub cluster: Cluster,
    /// The virtual time.
    pub now: Instant,
    /// When it wants to be woken.
    pub timer: Option<Instant>,
    /// Everything it said, except for timers.
    pub log: Vec<(Instant, ClusterOutput)>,
    routes: u32,
}

/// A node of weight 1, nowhere in particular.
#[must_use]
pub fn spec(id: u32) -> NodeSpec {
    let hash = u64::from(id).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995;
    NodeSpec { id: NodeId(id), hash, weight: 1.0, region: RegionId(0), zone: RegionId(0) }
}

/// A call that may be executed twice.
#[must_use]
pub fn read() -> Route {
    Route {
        safe: true,
        session: None,
        preferred: None,
        exclude: Vec::new(),
        region: None,
        timeout: None,
        hedge_after: None,
    }
}

/// A call with side effects.
#[must_use]
pub fn write() -> Route {
    Route { safe: false, ..read() }
}

/// A node of any weight, somewhere.
#[must_use]
pub fn any_spec(id: u32, rng: &mut Rng) -> NodeSpec {
    let weight = [0.0, 1.0, 1.0, 5.0][rng.below(4) as usize];
    NodeSpec { weight, region: RegionId(id % 3), zone: RegionId(id % 2), ..spec(id) }
}

/// All strategies.
pub const STRATEGIES: [Strategy; 7] = {
    use Strategy::{Adaptive, Latency, LeastConnections, Random, RoundRobin, Sticky, Weighted};
    [Adaptive, RoundRobin, LeastConnections, Weighted, Sticky, Latency, Random]
};

/// Any settings that make sense.
#[must_use]
pub fn any_config(rng: &mut Rng) -> ClusterConfig {
    let mut yes = |share: f64| rng.unit() < share;
    let trips = Trips { reset: ms(if yes(0.5) { 60_000 } else { 1_000 }), timeouts: yes(0.8), ..Trips::default() };
    let longest = if yes(0.3) { trips.reset } else { trips.longest };
    let source = if yes(0.5) { SourceKind::Static } else { SourceKind::Poll };
    let mut config = ClusterConfig {
        breaker: yes(0.9).then_some(Trips { longest, ..trips }),
        health: HealthLimits { interval: yes(0.3).then(|| ms(3_000)), ..HealthLimits::default() },
        unsafe_failover: yes(0.8),
        hedge: yes(0.5).then_some(Hedge { after: yes(0.5).then(|| ms(30)), share: 0.2 }),
        min_attempt: yes(0.8).then(|| ms(200)),
        panic: if yes(0.5) { 0.5 } else { 0.0 },
        home: RegionId(u32::from(yes(0.3))),
        discovery: DiscoveryLimits { source, interval: ms(2_000), ..DiscoveryLimits::default() },
        timeout: ms(10_000),
        ..ClusterConfig::default()
    };
    config.strategy = STRATEGIES[rng.below(7) as usize];
    (config.max_nodes, config.warm) = (1 + rng.below(4) as u8, rng.below(4) as usize);
    config.region = RegionId(rng.below(3) as u32);
    config
}

impl Fleet {
    /// A cluster of so many nodes, connected a minute after the origin of the clock.
    #[must_use]
    pub fn new(config: ClusterConfig, nodes: u32) -> Self {
        Self::of(config, (0..nodes).map(spec).collect(), 7)
    }

    /// A cluster of these nodes, as above.
    #[must_use]
    pub fn of(config: ClusterConfig, nodes: Vec<NodeSpec>, seed: u64) -> Self {
        let cluster = Cluster::new(config, nodes, seed);
        let mut fleet = Self { cluster, now: Instant::from_millis(60_000.0), timer: None, log: Vec::new(), routes: 0 };
        fleet.input(ClusterInput::Connect);
        fleet
    }

    /// Hands in what happens now and drains; returns where in the log the consequences begin.
    pub fn input(&mut self, input: ClusterInput) -> usize {
        let from = self.log.len();
        self.cluster.handle_input(self.now, input);
        loop {
            match self.cluster.poll_output() {
                ClusterOutput::Timeout(timer) => {
                    self.timer = timer;
                    return from;
                }
                output => self.log.push((self.now, output)),
            }
        }
    }

    /// Time passes; the cluster is woken when it wants to be.
    pub fn pass(&mut self, span: u64) {
        let until = self.now + ms(span);
        while let Some(timer) = self.timer.filter(|timer| *timer <= until) {
            assert!(timer >= self.now || self.log.len() < 1_000_000, "it wakes for nothing");
            self.now = self.now.max(timer);
            self.input(ClusterInput::Timeout);
        }
        self.now = until;
    }

    /// A new call.
    pub fn route(&mut self, route: Route) -> RouteId {
        let id = RouteId(self.routes);
        self.routes += 1;
        self.input(ClusterInput::Route(id, route));
        id
    }

    /// An attempt ends.
    pub fn end(&mut self, attempt: AttemptId, verdict: Verdict) -> usize {
        let sent = |(at, output): &(Instant, ClusterOutput)| match output {
            ClusterOutput::Send { attempt: id, .. } if *id == attempt => Some(*at),
            _ => None,
        };
        let took = self.log.iter().find_map(sent).map_or(Duration::ZERO, |sent| self.now.since(sent));
        self.input(ClusterInput::Ended(attempt, Ending { verdict, took }))
    }

    /// The last attempt of a call ends.
    pub fn finish(&mut self, route: RouteId, verdict: Verdict) -> usize {
        let attempt = self.attempt(route);
        self.end(attempt, verdict)
    }

    /// A call from its creation to the end of its first attempt; where it went.
    pub fn run(&mut self, route: Route, verdict: Verdict) -> NodeId {
        let id = self.route(route);
        let node = self.node(id);
        self.finish(id, verdict);
        node
    }

    /// Calls to one node that end so, without going on to another.
    pub fn strike(&mut self, node: NodeId, verdict: Verdict, times: u32) {
        for _ in 0..times {
            let others = self.statuses().iter().map(|status| status.id).filter(|id| *id != node).collect();
            self.run(Route { exclude: others, ..write() }, verdict);
        }
    }

    /// The sendings of a call so far.
    #[must_use]
    pub fn sendings(&self, route: RouteId) -> Vec<(AttemptId, NodeId)> {
        let sending = |(_, output): &(Instant, ClusterOutput)| match output {
            ClusterOutput::Send { route: id, attempt, node, .. } if *id == route => Some((*attempt, *node)),
            _ => None,
        };
        self.log.iter().filter_map(sending).collect()
    }

    /// The nodes a call visited.
    #[must_use]
    pub fn visited(&self, route: RouteId) -> Vec<NodeId> {
        self.sendings(route).into_iter().map(|(_, node)| node).collect()
    }

    /// The last attempt of a call.
    #[must_use]
    pub fn attempt(&self, route: RouteId) -> AttemptId {
        let Some((attempt, _)) = self.sendings(route).last().copied() else {
            panic!("{route:?} was never sent: {:?}", self.log.last());
        };
        attempt
    }

    /// The node that a call was sent to last.
    #[must_use]
    pub fn node(&self, route: RouteId) -> NodeId {
        let Some((_, node)) = self.sendings(route).last().copied() else {
            panic!("{route:?} was never sent: {:?}", self.log.last());
        };
        node
    }

    /// How a call ended: as this attempt, or refused. `None`: not yet.
    #[must_use]
    pub fn outcome(&self, route: RouteId) -> Option<Result<AttemptId, Refusal>> {
        let end = |(_, output): &(Instant, ClusterOutput)| match output {
            ClusterOutput::Settle(id, attempt) if *id == route => Some(Ok(*attempt)),
            ClusterOutput::Fail(id, refusal) if *id == route => Some(Err(*refusal)),
            _ => None,
        };
        let ends: Vec<_> = self.log.iter().filter_map(end).collect();
        assert!(ends.len() <= 1, "{route:?} settled {} times", ends.len());
        ends.into_iter().next()
    }

    /// What was said from a place in the log on.
    #[must_use]
    pub fn said(&self, from: usize) -> Vec<&ClusterOutput> {
        self.log.iter().skip(from).map(|(_, output)| output).collect()
    }

    /// What the application was told from a place in the log on.
    #[must_use]
    pub fn events(&self, from: usize) -> Vec<&ClusterEvent> {
        let mut events = Vec::new();
        for output in self.said(from) {
            if let ClusterOutput::Event(event) = output {
                events.push(event);
            }
        }
        events
    }

    /// Nodes that were asked whether they live, and when.
    #[must_use]
    pub fn probes(&self, from: usize) -> Vec<(Instant, NodeId)> {
        let probe = |(at, output): &(Instant, ClusterOutput)| match output {
            ClusterOutput::Probe(node, _) => Some((*at, *node)),
            _ => None,
        };
        self.log.iter().skip(from).filter_map(probe).collect()
    }

    /// What is known of all nodes.
    #[must_use]
    pub fn statuses(&self) -> Vec<NodeStatus> {
        self.cluster.nodes(self.now)
    }

    /// What is known of a node.
    #[must_use]
    pub fn status(&self, node: NodeId) -> NodeStatus {
        let Some(status) = self.statuses().into_iter().find(|status| status.id == node) else {
            panic!("{node:?} is not there");
        };
        status
    }

    /// Whether a node may be given calls.
    #[must_use]
    pub fn phase(&self, node: NodeId) -> NodePhase {
        self.status(node).phase
    }
}

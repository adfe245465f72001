//! What holds of a cluster whatever happens to it: thousands of random lives, each from a seed, in which nodes die, hang, refuse and come
//! back, the set of nodes changes, the network goes, calls are given up, and words come that make no sense. A world beside it keeps
//! its own books. `BOWLINE_SCHEDULES` says how many, `BOWLINE_SEED` where to start.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{catch_unwind, AssertUnwindSafe};

use bowline_core::{
    Answer, AttemptId, Cluster, ClusterConfig, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Duration,
    Ending, Failure, Instant, NodeId, NodePhase, NodeSpec, Outcome, RegionId, Rng, Route, RouteId, SourceKind, Verdict,
};
use bowline_support::{any_config, any_spec, ms};

const SCHEDULES: u64 = 500;
const NODES: u32 = 6;

/// What a node does with what it gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mood {
    Well,
    /// It takes calls and never answers.
    Hung,
    /// Nobody listens.
    Dead,
    Sick,
    Busy,
}

/// What the world knows of a call.
struct Truth {
    route: Route,
    deadline: Instant,
    visited: Vec<NodeId>,
    /// Attempts that were sent and are neither ended nor aborted.
    live: BTreeSet<AttemptId>,
    /// The last that ended.
    last: Option<AttemptId>,
    /// One that ended may have been executed, as far as was told.
    harmful: bool,
    executions: u32,
    settled: bool,
}

/// What it knows of an attempt.
struct Sent {
    route: RouteId,
    node: NodeId,
    at: Instant,
    ended: bool,
}

#[derive(Debug)]
enum Next {
    /// An attempt ends, unless it was given up.
    End(AttemptId, Verdict),
    Probed(NodeId, bool),
    Found(u64),
}

/// How often the interesting things happened.
type Tally = BTreeMap<&'static str, u64>;

struct World {
    rng: Rng,
    now: Instant,
    timer: Option<Instant>,
    /// Timers come so much too late, as those of pages that nobody looks at do.
    drag: Duration,
    idle: u32,
    config: ClusterConfig,
    cluster: Cluster,
    moods: BTreeMap<NodeId, Mood>,
    truths: BTreeMap<RouteId, Truth>,
    sent: BTreeMap<AttemptId, Sent>,
    agenda: Vec<(Instant, u64, Next)>,
    set: BTreeSet<NodeId>,
    open: BTreeSet<NodeId>,
    banned: [BTreeSet<NodeId>; 2],
    holds: BTreeMap<NodeId, Instant>,
    asked: BTreeSet<NodeId>,
    /// What was told last of nodes that stay.
    up: BTreeMap<NodeId, bool>,
    queries: u64,
    online: bool,
    visible: bool,
    tally: Tally,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let config = any_config(&mut rng);
        let known = if config.discovery.source == SourceKind::Static { NODES } else { rng.below(4) as u32 };
        let nodes: Vec<NodeSpec> = (0..known).map(|id| any_spec(id, &mut rng)).collect();
        Self {
            now: Instant::from_millis(1e6),
            timer: None,
            drag: ms(if rng.unit() < 0.2 { rng.below(2_000) } else { 0 }),
            idle: 0,
            cluster: Cluster::new(config.clone(), nodes.clone(), seed ^ 0xabcd),
            config,
            moods: (0..NODES).map(|id| (NodeId(id), Mood::Well)).collect(),
            truths: BTreeMap::new(),
            sent: BTreeMap::new(),
            agenda: Vec::new(),
            set: nodes.iter().map(|node| node.id).collect(),
            open: BTreeSet::new(),
            banned: [BTreeSet::new(), BTreeSet::new()],
            holds: BTreeMap::new(),
            asked: BTreeSet::new(),
            up: BTreeMap::new(),
            queries: 0,
            online: true,
            visible: true,
            tally: Tally::default(),
            rng,
        }
    }

    fn chance(&mut self, share: f64) -> bool {
        self.rng.unit() < share
    }

    fn counted(&self, name: &str) -> u64 {
        self.tally.get(name).copied().unwrap_or(0)
    }

    fn count(&mut self, name: &'static str) {
        *self.tally.entry(name).or_default() += 1;
    }

    fn node(&mut self) -> NodeId {
        NodeId(self.rng.below(u64::from(NODES)) as u32)
    }

    fn live(mut self) -> Tally {
        for _ in 0..150 {
            self.act();
            let span = if self.chance(0.05) { 30_000 } else { self.rng.below(300) };
            self.pass(ms(span));
        }
        if self.chance(0.5) {
            self.input(ClusterInput::Close);
            assert!(self.timer.is_none(), "a closed cluster wants nothing");
        } else {
            self.pass(ms(20_000));
        }
        let open: Vec<_> = self.truths.iter().filter(|(_, truth)| !truth.settled).map(|(id, _)| *id).collect();
        assert!(open.is_empty(), "never settled: {open:?}");
        let metrics = self.cluster.metrics(self.now);
        let counted = ["calls", "answered", "failovers", "hedges"].map(|name| self.counted(name));
        let told = [metrics.total_requests, metrics.successful_requests, metrics.failovers, metrics.hedges];
        assert_eq!(told, counted, "the metrics are wrong");
        self.tally.extend([("panics", metrics.panics), ("trips", metrics.circuit_breaker_trips)]);
        self.tally
    }

    /// Something happens.
    fn act(&mut self) {
        let node = self.node();
        match self.rng.below(20) {
            0..=9 => self.call(),
            10 => {
                let id = RouteId(self.rng.below(self.truths.len() as u64 + 1) as u32);
                self.input(ClusterInput::Cancel(id));
            }
            11 | 12 => self.sway(node),
            13 => {
                let (list, yes) = (self.rng.below(2) as usize, self.chance(0.4));
                if yes {
                    self.banned[list].insert(node);
                } else {
                    self.banned[list].remove(&node);
                }
                let input = if list == 0 { ClusterInput::Drain(node, yes) } else { ClusterInput::Isolate(node, yes) };
                self.input(input);
            }
            14 => {
                self.online = !self.online || self.chance(0.8);
                let signal = if self.online { ClusterSignal::Online } else { ClusterSignal::Offline };
                self.input(ClusterInput::Signal(signal));
            }
            15 => {
                self.visible = !self.visible || self.chance(0.5);
                let signal = if self.visible { ClusterSignal::Visible } else { ClusterSignal::Hidden };
                self.input(ClusterInput::Signal(signal));
            }
            16 => {
                let surroundings = !self.online || self.chance(0.2);
                let up = self.chance(0.5);
                self.input(if up { ClusterInput::Up(node) } else { ClusterInput::Down(node, surroundings) });
            }
            17 => {
                // Words about what is over, or never was.
                let attempt = AttemptId(self.rng.below(self.sent.len() as u64 + 5) as u32);
                if self.sent.get(&attempt).is_none_or(|sent| sent.ended) {
                    let verdict =
                        [Verdict::Answered, Verdict::Busy(None), Verdict::Aborted][self.rng.below(3) as usize];
                    self.input(ClusterInput::Ended(attempt, Ending { verdict, took: ms(1) }));
                }
            }
            18 if node.0.is_multiple_of(2) => self.input(ClusterInput::Discovered(Answer::Ended)),
            18 => self.input(ClusterInput::Unpin(2)),
            _ => {
                self.asked.remove(&node);
                self.input(ClusterInput::Probed(node, None));
            }
        }
    }

    fn call(&mut self) {
        let safe = self.chance(0.6);
        let some = |rng: &mut Rng, share: f64, below: u64| (rng.unit() < share).then(|| rng.below(below));
        let rng = &mut self.rng;
        let route = Route {
            safe,
            session: some(rng, 0.3, 5),
            preferred: some(rng, 0.3, u64::from(NODES)).map(|id| NodeId(id as u32)),
            exclude: some(rng, 0.2, u64::from(NODES)).map(|id| NodeId(id as u32)).into_iter().collect(),
            region: some(rng, 0.2, 3).map(|id| RegionId(id as u32)),
            timeout: some(rng, 0.3, 20_000).map(ms),
            hedge_after: some(rng, 0.2, 500).map(ms),
        };
        let id = RouteId(self.truths.len() as u32);
        let deadline = self.now + route.timeout.unwrap_or(self.config.timeout);
        self.count("calls");
        let truth = Truth {
            route: route.clone(),
            deadline,
            visited: Vec::new(),
            live: BTreeSet::new(),
            last: None,
            harmful: false,
            executions: 0,
            settled: false,
        };
        self.truths.insert(id, truth);
        self.input(ClusterInput::Route(id, route));
    }

    /// A node changes its mood; what it had is lost with it when it dies.
    fn sway(&mut self, node: NodeId) {
        let moods = [Mood::Well, Mood::Well, Mood::Hung, Mood::Dead, Mood::Sick, Mood::Busy];
        let mood = moods[self.rng.below(6) as usize];
        self.moods.insert(node, mood);
        if mood == Mood::Dead {
            let lost: Vec<AttemptId> =
                self.sent.iter().filter(|(_, sent)| sent.node == node && !sent.ended).map(|(id, _)| *id).collect();
            for attempt in lost {
                self.end(attempt, Verdict::Failed(Failure::Transport, Outcome::Unknown));
            }
            self.input(ClusterInput::Down(node, false));
        }
    }

    /// What becomes of an attempt that arrives.
    fn arrive(&mut self, attempt: AttemptId, node: NodeId, timeout: Duration) {
        let most = if self.chance(0.1) { 3_000 } else { 60 };
        let took = 1 + self.rng.below(most);
        let unknown = |failure| Verdict::Failed(failure, Outcome::Unknown);
        let (mood, half) = (self.moods[&node], self.chance(0.5));
        let (executed, took, verdict) = match mood {
            _ if !self.online => (false, ms(took), Verdict::Surroundings(Outcome::NotSent)),
            Mood::Well if ms(took) < timeout => (true, ms(took), Verdict::Answered),
            Mood::Well | Mood::Hung => (half, timeout, unknown(Failure::Timeout)),
            Mood::Dead => (false, ms(took), Verdict::Failed(Failure::Transport, Outcome::NotSent)),
            Mood::Sick if half => (false, ms(took), Verdict::Failed(Failure::Server, Outcome::NotApplied)),
            Mood::Sick => (self.chance(0.5), ms(took), unknown(Failure::Server)),
            Mood::Busy => {
                let pause = half.then(|| ms(self.rng.below(20_000)));
                (false, ms(took), Verdict::Busy(pause))
            }
        };
        self.execute(attempt, executed);
        let due = if took < timeout { self.now + took } else { self.now + timeout };
        let order = self.rng.bits();
        self.agenda.push((due, order, Next::End(attempt, verdict)));
    }

    fn execute(&mut self, attempt: AttemptId, executed: bool) {
        let route = self.sent[&attempt].route;
        let truth = self.truths.get_mut(&route).expect("it was sent");
        truth.executions += u32::from(executed);
        assert!(truth.route.safe || truth.executions <= 1, "{route:?} was executed twice");
    }

    fn end(&mut self, attempt: AttemptId, verdict: Verdict) {
        let sent = self.sent.get_mut(&attempt).expect("it was sent");
        if core::mem::replace(&mut sent.ended, true) {
            return;
        }
        let (route, node, took) = (sent.route, sent.node, self.now.since(sent.at));
        let truth = self.truths.get_mut(&route).expect("it was sent");
        truth.live.remove(&attempt);
        truth.last = Some(attempt);
        let harmless = match verdict {
            Verdict::Busy(_) => true,
            Verdict::Failed(_, outcome) | Verdict::Surroundings(outcome) => {
                matches!(outcome, Outcome::NotSent | Outcome::NotApplied)
            }
            Verdict::Answered | Verdict::Aborted => false,
        };
        truth.harmful |= !harmless;
        let alone = truth.live.is_empty();
        if let Verdict::Busy(Some(pause)) = verdict {
            self.holds.insert(node, self.now + pause);
        }
        if verdict == Verdict::Answered {
            self.count("answered");
        }
        self.input(ClusterInput::Ended(attempt, Ending { verdict, took }));
        let truth = &self.truths[&route];
        assert!(verdict != Verdict::Answered || truth.settled, "{route:?} was answered and goes on");
        assert!(!alone || truth.settled || !truth.live.is_empty(), "{route:?} was forgotten");
    }

    fn input(&mut self, input: ClusterInput) {
        self.cluster.handle_input(self.now, input);
        loop {
            match self.cluster.poll_output() {
                ClusterOutput::Timeout(timer) => {
                    self.timer = timer;
                    break;
                }
                output => self.perform(output),
            }
        }
        let live = self.sent.values().filter(|sent| !sent.ended).count();
        let active: u32 = self.cluster.nodes(self.now).iter().map(|node| node.active).sum();
        assert_eq!(live as u32, active, "attempts under way are counted wrongly");
    }

    fn perform(&mut self, output: ClusterOutput) {
        match output {
            ClusterOutput::Open(node) => assert!(self.open.insert(node), "{node:?} is open already"),
            ClusterOutput::Shut(node) => {
                assert!(self.open.remove(&node), "{node:?} was never opened");
                let busy = self.sent.values().any(|sent| sent.node == node && !sent.ended);
                assert!(!busy, "{node:?} has something to finish");
                // With it goes what it wished.
                self.asked.remove(&node);
                self.holds.remove(&node);
                self.count("shut");
            }
            ClusterOutput::Send { route, attempt, node, timeout } => self.dispatch(route, attempt, node, timeout),
            ClusterOutput::Abort(attempt) => {
                let sent = self.sent.get_mut(&attempt).expect("only what was sent is given up");
                assert!(!core::mem::replace(&mut sent.ended, true), "{attempt:?} is over already");
                self.truths.get_mut(&sent.route).expect("it was sent").live.remove(&attempt);
            }
            ClusterOutput::Settle(route, attempt) => {
                assert_eq!(self.truths[&route].last, Some(attempt), "{route:?} ends as something else");
                self.settle(route);
            }
            ClusterOutput::Fail(route, _) => {
                self.count("failed");
                self.settle(route);
            }
            ClusterOutput::Probe(node, limit) => {
                assert!(self.online && self.visible, "a question that nobody waits for");
                assert!(self.open.contains(&node) && !self.banned[1].contains(&node));
                assert!(self.asked.insert(node), "{node:?} is asked twice at a time");
                let well = matches!(self.moods[&node], Mood::Well | Mood::Sick | Mood::Busy);
                let due = self.now + if well { ms(10) } else { limit };
                let order = self.rng.bits();
                self.agenda.push((due, order, Next::Probed(node, well)));
                self.count("probes");
            }
            ClusterOutput::Ask(_) => {
                self.queries += 1;
                let (due, order) = (self.now + ms(self.rng.below(500)), self.rng.bits());
                self.agenda.push((due, order, Next::Found(self.queries)));
            }
            ClusterOutput::Event(event) => self.hear(event),
            ClusterOutput::Timeout(_) => {}
        }
    }

    fn dispatch(&mut self, route: RouteId, attempt: AttemptId, node: NodeId, timeout: Duration) {
        let truth = self.truths.get_mut(&route).expect("nobody asked for it");
        assert!(!truth.settled, "{route:?} is over");
        assert!(!truth.visited.contains(&node), "{route:?} visits {node:?} again");
        assert!(!truth.route.exclude.contains(&node), "{node:?} was excluded");
        assert!(self.set.contains(&node) && self.open.contains(&node), "{node:?} is not there");
        assert!(self.banned.iter().all(|list| !list.contains(&node)), "{node:?} is not to be used");
        assert!(self.holds.get(&node).is_none_or(|until| *until <= self.now), "{node:?} wants to be left alone");
        assert!(truth.route.safe || (truth.live.is_empty() && !truth.harmful), "{route:?} may be executed twice");
        let again = !truth.visited.is_empty();
        assert!(!again || truth.route.safe || self.config.unsafe_failover, "{route:?} was not to go on");
        assert!(!again || self.online, "{route:?} goes on without a network");
        assert_eq!(self.now + timeout, truth.deadline, "{route:?} is told a wrong time");
        truth.visited.push(node);
        truth.live.insert(attempt);
        assert!(truth.visited.len() <= usize::from(self.config.max_nodes.max(1)));
        let before = self.sent.insert(attempt, Sent { route, node, at: self.now, ended: false });
        assert!(before.is_none(), "{attempt:?} was there before");
        self.arrive(attempt, node, timeout);
    }

    fn settle(&mut self, route: RouteId) {
        let truth = self.truths.get_mut(&route).expect("nobody asked for it");
        assert!(!core::mem::replace(&mut truth.settled, true), "{route:?} settled twice");
        assert!(self.now <= truth.deadline + self.drag, "{route:?} settled {:?} late", self.now.since(truth.deadline));
    }

    fn hear(&mut self, event: ClusterEvent) {
        match event {
            ClusterEvent::Discovery { added, removed } => {
                self.up.retain(|node, _| !added.contains(node) && !removed.contains(node));
                self.set.extend(added);
                for node in removed {
                    assert!(self.set.remove(&node));
                    self.count("removed");
                }
            }
            ClusterEvent::Phase(node, from, to) => {
                assert_ne!(from, to);
                let trips = to == NodePhase::Open && from != NodePhase::Isolated;
                assert!(self.online || !trips, "{node:?} is blamed for the network");
            }
            ClusterEvent::NodeDown(node) => self.turn(node, false),
            ClusterEvent::NodeUp(node) => self.turn(node, true),
            ClusterEvent::Failover { .. } => self.count("failovers"),
            ClusterEvent::Hedged(..) => self.count("hedges"),
            _ => {}
        }
    }

    fn turn(&mut self, node: NodeId, up: bool) {
        assert_ne!(self.up.insert(node, up), Some(up), "{node:?}: told twice");
    }

    /// Time passes, everything at its moment.
    fn pass(&mut self, span: Duration) {
        let until = self.now + span;
        loop {
            self.agenda.sort_by_key(|(due, order, _)| (*due, *order));
            let due = self.agenda.first().map(|(due, ..)| *due);
            let timer = self.timer.map(|timer| self.now.max(timer + self.drag));
            let Some(next) = [due, timer].into_iter().flatten().min().filter(|next| *next <= until) else {
                break;
            };
            self.idle = if next > self.now { 0 } else { self.idle + 1 };
            assert!(self.idle < 1_000, "it does not come to rest");
            self.now = self.now.max(next);
            if due != Some(next) || (timer == due && self.chance(0.5)) {
                self.input(ClusterInput::Timeout);
                continue;
            }
            match self.agenda.remove(0).2 {
                Next::End(attempt, verdict) => self.end(attempt, verdict),
                Next::Probed(node, well) => {
                    self.asked.remove(&node);
                    self.input(ClusterInput::Probed(node, well.then_some(ms(10))));
                }
                Next::Found(query) => self.find(query),
            }
        }
        self.now = until;
    }

    fn find(&mut self, query: u64) {
        if query != self.queries {
            return;
        }
        let list = (0..NODES).filter(|_| self.rng.unit() < 0.7).collect::<Vec<_>>();
        let answer = match self.rng.below(5) {
            0 => Answer::Failed,
            1 => Answer::List(Vec::new(), 0),
            _ => Answer::List(list.into_iter().map(|id| any_spec(id, &mut self.rng)).collect(), 0),
        };
        self.input(ClusterInput::Discovered(answer));
    }
}

#[test]
fn no_schedule_breaks_an_invariant_of_the_cluster() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let (first, count) = (number("BOWLINE_SEED").unwrap_or(1), number("BOWLINE_SCHEDULES").unwrap_or(SCHEDULES));
    let mut sum = Tally::default();
    for seed in first..first + count {
        let Ok(tally) = catch_unwind(AssertUnwindSafe(|| World::new(seed).live())) else {
            panic!(
                "replay: BOWLINE_SEED={seed} BOWLINE_SCHEDULES=1 cargo test -p bowline-core --test cluster_schedules"
            );
        };
        tally.into_iter().for_each(|(name, times)| *sum.entry(name).or_default() += times);
    }
    println!("{count} schedules from {first}: {sum:?}");
    if count >= 500 {
        // A world that stopped reaching the interesting states would pass everything.
        let many = [("calls", 100), ("answered", 40), ("failovers", 6), ("probes", 6), ("panics", 1)];
        let others = ["failed", "hedges", "trips", "removed", "shut"].map(|name| (name, 2));
        for (name, halves) in many.into_iter().chain(others) {
            assert!(2 * sum[name] > halves * count, "few {name}: {sum:?}");
        }
    }
}

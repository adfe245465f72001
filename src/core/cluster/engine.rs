//! The cluster as one state machine: calls, ends of attempts and facts about nodes in; sendings, links, probes and settles out. It keeps
//! the promise that every route settles exactly once, and composes the parts; what a node is worth, who is picked and when a source is
//! asked are theirs.

mod member;
mod metrics;
mod route;
mod verdict;

use std::collections::VecDeque;
use std::rc::Rc;

use super::agenda::{Agenda, Due};
use super::balance::Balancer;
use super::budget::{Budget, Throttle};
use super::config::{ClusterConfig, SourceKind};
use super::discovery::{Discovery, SetChange};
use super::health::{Context, Health};
use super::io::{ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Ending, Failure, Refusal, Route, Verdict};
use super::node::{AttemptId, NodeId, NodePhase, NodeSpec, NodeStatus, RegionId, RouteId};
use super::pace::Pace;
use super::room::Room;
use super::set::NodeSet;
use super::table::Table;
use super::window::Window;
use super::wish::{Admission, Wish};
use crate::error::Outcome;
use crate::rng::Rng;
use crate::telemetry::Sketch;
use crate::time::{Duration, Instant};
use member::Member;
pub use metrics::ClusterMetrics;
use metrics::Tally;
use route::{Attempt, Call};

/// Many servers as one. Two kinds of method: [`Cluster::handle_input`] takes what happened, [`Cluster::poll_output`] says what to do.
///
/// Call `handle_input` with the time and one input, then `poll_output` until it answers [`ClusterOutput::Timeout`]; perform each output
/// in its order. When the timeout's moment comes, hand in [`ClusterInput::Timeout`]; a spurious one is harmless. Inputs about nodes,
/// routes and attempts that are gone are ignored. A route begins the cluster if nobody did.
#[derive(Debug)]
pub struct Cluster {
    config: ClusterConfig,
    now: Instant,
    rng: Rng,
    begun: bool,
    closed: bool,
    online: bool,
    visible: bool,
    discovery: Discovery,
    balancer: Balancer,
    /// The nodes of the set, and those that left it and still have something to finish.
    members: Table<NodeId, Member>,
    /// What the application said of nodes outlives their leaving.
    drained: Table<NodeId, ()>,
    isolated: Table<NodeId, ()>,
    calls: Table<RouteId, Call>,
    /// Those that wait for the first nodes.
    waiting: Vec<RouteId>,
    attempts: Table<AttemptId, Attempt>,
    next_attempt: u32,
    agenda: Agenda,
    budget: Budget,
    throttle: Throttle,
    room: Room,
    pace: Pace,
    tally: Tally,
    out: VecDeque<ClusterOutput>,
}

impl Cluster {
    /// A cluster that has done nothing yet, with the nodes of a static list or the last known good ones. `seed` feeds its choices and its
    /// jitter: clients that share it do the same at the same time.
    #[must_use]
    pub fn new(config: ClusterConfig, nodes: Vec<NodeSpec>, seed: u64) -> Self {
        let (mut rng, set) = (Rng::seeded(seed), Rc::new(NodeSet::new(nodes)));
        let member = |node: &NodeSpec| (node.id, Member::new(Instant::default()));
        Self {
            members: set.nodes().iter().map(member).collect(),
            discovery: Discovery::new(config.discovery, set.nodes().to_vec()),
            balancer: Balancer::new(config.strategy, &config, set, &mut rng),
            now: Instant::default(),
            rng,
            begun: false,
            closed: false,
            online: true,
            visible: true,
            drained: Table::default(),
            isolated: Table::default(),
            calls: Table::default(),
            waiting: Vec::new(),
            attempts: Table::default(),
            next_attempt: 0,
            agenda: Agenda::default(),
            budget: Budget::default(),
            throttle: Throttle::default(),
            room: Room::default(),
            pace: Pace::default(),
            tally: Tally::default(),
            out: VecDeque::new(),
            config,
        }
    }

    /// Takes one thing that happened at `now`, which never runs backwards (an earlier time counts as the last one).
    pub fn handle_input(&mut self, now: Instant, input: ClusterInput) {
        self.now = self.now.max(now);
        if self.closed {
            if let ClusterInput::Route(id, _) = input {
                self.out.push_back(ClusterOutput::Fail(id, Refusal::Closed(false)));
            }
            return;
        }
        match input {
            ClusterInput::Connect => self.begin(),
            ClusterInput::Route(id, route) => self.on_route(id, route),
            ClusterInput::Cancel(id) => self.fail(id, Refusal::Aborted),
            ClusterInput::Ended(attempt, ending) => self.on_ended(attempt, ending),
            ClusterInput::Up(node) => self.on_up(node),
            ClusterInput::Down(node, surroundings) => self.on_down(node, surroundings),
            ClusterInput::Hint(node) => {
                self.tell(node, |health, cx| health.doubt(cx.now));
            }
            ClusterInput::Probed(node, took) => self.on_probed(node, took.is_some()),
            ClusterInput::Discovered(answer) => {
                if let Some(change) = self.discovery.on_answer(self.now, &mut self.rng, answer) {
                    self.on_set(change);
                }
            }
            ClusterInput::Drain(node, yes) => self.ban(node, yes, |cluster| &mut cluster.drained),
            ClusterInput::Isolate(node, yes) => self.ban(node, yes, |cluster| &mut cluster.isolated),
            ClusterInput::Unpin(session) => self.balancer.on_session_end(session),
            ClusterInput::Signal(signal) => self.on_signal(signal),
            ClusterInput::Timeout => {}
            ClusterInput::Close => return self.close(),
        }
        self.on_due();
        while let Some(event) = self.discovery.poll_event() {
            self.out.push_back(ClusterOutput::Event(event));
        }
        if let Some(query) = self.discovery.poll_query() {
            self.out.push_back(ClusterOutput::Ask(query));
        }
        self.forsake();
    }

    /// The next thing to do; [`ClusterOutput::Timeout`] when there is nothing more for now.
    pub fn poll_output(&mut self) -> ClusterOutput {
        let next = || match self.closed {
            true => None,
            false => [self.agenda.next(), self.discovery.deadline()].into_iter().flatten().min(),
        };
        self.out.pop_front().unwrap_or_else(|| ClusterOutput::Timeout(next()))
    }

    /// What is known of each node of the set, and of those that finish what they have.
    #[must_use]
    pub fn nodes(&self, now: Instant) -> Vec<NodeStatus> {
        self.members.iter().map(|(id, member)| self.status(*id, member, now)).collect()
    }

    /// Where a session lives, once a call of it was sent.
    #[must_use]
    pub fn home(&self, session: u64) -> Option<NodeId> {
        self.balancer.pinned(session)
    }

    fn begin(&mut self) {
        if !self.begun {
            self.begun = true;
            self.discovery.start(self.now, &mut self.rng);
            self.warm_up();
        }
    }

    fn on_due(&mut self) {
        self.discovery.on_timeout(self.now, &mut self.rng);
        while let Some((at, due)) = self.agenda.pop(self.now) {
            match due {
                Due::Deadline(route) => self.on_deadline(route, at),
                Due::Hedge(route) => self.on_hedge(route),
                Due::Patience(attempt) => self.on_patience(attempt),
                Due::Node(node) => self.look_after(node),
            }
        }
    }

    fn on_signal(&mut self, signal: ClusterSignal) {
        match signal {
            ClusterSignal::Offline => self.on_offline(),
            ClusterSignal::Hidden => self.visible = false,
            ClusterSignal::Visible => self.visible = true,
            ClusterSignal::Online => {
                self.online = true;
                self.discovery.refresh(self.now, &mut self.rng);
            }
        }
        if self.online && self.visible {
            // What was due meanwhile was left out.
            let nodes: Vec<NodeId> = self.members.keys().copied().collect();
            nodes.into_iter().for_each(|node| self.arm(node));
        }
    }

    fn close(&mut self) {
        let calls: Vec<RouteId> = self.calls.keys().copied().collect();
        calls.into_iter().for_each(|id| self.fail(id, Refusal::Closed));
        for (id, member) in core::mem::take(&mut self.members) {
            if member.opened {
                self.out.push_back(ClusterOutput::Shut(id));
            }
        }
        self.closed = true;
    }
}

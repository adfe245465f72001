//! Clusters of the core, each in a client of its own, and servers that die, fall silent and come back. What the shell does with an output is
//! done here as the facade does it; what a node's own client does between dials is a model of its backoff. It judges nothing.

use std::collections::BTreeMap;

use bowline_core::{
    AttemptId, Cluster, ClusterConfig, ClusterInput, ClusterOutput, Duration, Ending, Failure, Instant, NodeId,
    Outcome, Rng, Route, RouteId, Verdict,
};

use super::chance::{gap, Work};
use super::crowd::specs;
use super::farm::{Farm, Machine};
use super::record::{Attempt, Contact, End, Record, Visit};
use crate::{ms, Agenda};

/// Who calls whom, and how much.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The servers.
    pub machines: Vec<Machine>,
    /// What a call costs them.
    pub work: Work,
    /// There and back.
    pub rtt: Duration,
    /// Calls that a server lets wait beside those it works on; it refuses others (503) at once.
    pub waiting: usize,
    /// Clients.
    pub clients: usize,
    /// Calls per second, of all of them.
    pub rate: f64,
    /// Of those, such as may be executed twice.
    pub safe: f64,
    /// Links stay open, so that the end of a node is told to all at once (WebSocket); else only those who call learn of it.
    pub standing: bool,
    /// A node's own client dials until it has a link again, as that of the package does; else only the cluster's probes find out.
    pub redials: bool,
    /// What all clients are told at their creation.
    pub config: ClusterConfig,
    /// Everything that is chance comes of this.
    pub seed: u64,
}

/// What a server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// It serves.
    Well,
    /// Its process is gone: the machine refuses.
    Gone,
    /// Nothing comes back from it.
    Silent,
}

/// A setting that goes on.
#[derive(Debug)]
pub struct World {
    setting: Setting,
    farm: Farm,
    conditions: Vec<Condition>,
    /// Grows when a node dies: what was begun before is lost.
    lives: Vec<u32>,
    clients: Vec<Client>,
    under_way: BTreeMap<(usize, AttemptId), UnderWay>,
    agenda: Agenda<Happening>,
    rng: Rng,
    next: Instant,
    now: Instant,
    /// Every call, in the order in which they were made.
    pub records: Vec<Record>,
    /// What reached nodes, in the order in which it did.
    pub visits: Vec<Visit>,
}

#[derive(Debug)]
struct Client {
    cluster: Cluster,
    timer: Option<Instant>,
    /// By node.
    links: BTreeMap<NodeId, Link>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Link {
    up: bool,
    /// A dial is planned or under way.
    dialling: bool,
    tries: u32,
}

#[derive(Clone, Copy, Debug)]
struct UnderWay {
    record: usize,
    node: NodeId,
    sent: Instant,
}

#[derive(Debug)]
enum Happening {
    Timer(usize),
    Dialled(usize, NodeId),
    Linked(usize, NodeId, bool),
    Asked(usize, NodeId, Instant, Duration),
    Told(usize, NodeId, Option<Duration>),
    Reached(usize, AttemptId),
    /// The node had this life when it began.
    Served(usize, AttemptId, u32),
    Ended(usize, AttemptId, Verdict),
}

/// A node's own client gives a dial so long, and waits between dials from the first to the last of these, doubling, half of it by chance:
/// the defaults of the single client.
const DIAL: Duration = ms(10_000);
const BACKOFF: (u64, u64) = (1_000, 30_000);

impl World {
    /// All servers well, all clients connecting.
    #[must_use]
    pub fn new(setting: Setting) -> Self {
        let mut rng = Rng::seeded(setting.seed);
        let nodes =
            specs((0..).zip(&setting.machines).map(|(id, machine)| (id, machine.speed * machine.workers as f64)));
        let client = |_| Client {
            cluster: Cluster::new(setting.config.clone(), nodes.clone(), rng.bits()),
            timer: None,
            links: BTreeMap::new(),
        };
        let clients = (0..setting.clients).map(client).collect();
        let now = Instant::default();
        let mut world = Self {
            farm: Farm::new(&setting.machines, setting.work),
            conditions: vec![Condition::Well; setting.machines.len()],
            lives: vec![0; setting.machines.len()],
            clients,
            under_way: BTreeMap::new(),
            agenda: Agenda::default(),
            next: now + gap(&mut rng, setting.rate),
            rng,
            now,
            records: Vec::new(),
            visits: Vec::new(),
            setting,
        };
        (0..world.clients.len()).for_each(|client| world.feed(client, ClusterInput::Connect));
        world
    }

    /// The time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Lets it go on for so long, with calls.
    pub fn go_on(&mut self, span: Duration) {
        let end = self.now + span;
        while self.next <= end {
            self.happen_until(self.next);
            self.now = self.next;
            self.next = self.now + gap(&mut self.rng, self.setting.rate);
            self.call();
        }
        self.happen_until(end);
        self.now = end;
    }

    /// So many calls per second from now on.
    pub fn set_rate(&mut self, rate: f64) {
        self.setting.rate = rate;
        self.next = self.now + gap(&mut self.rng, rate);
    }

    /// Lets it go on for so long, without new calls.
    pub fn rest(&mut self, span: Duration) {
        let end = self.now + span;
        self.happen_until(end);
        self.now = end;
        self.next = end + gap(&mut self.rng, self.setting.rate);
    }

    /// A server changes. One that dies takes with it what it was working on.
    pub fn turn(&mut self, node: NodeId, condition: Condition) {
        let at = node.0 as usize;
        self.conditions[at] = condition;
        if condition == Condition::Well {
            return;
        }
        self.lives[at] += 1;
        self.farm.restart(at, self.now);
        if condition == Condition::Silent {
            return;
        }
        let half = self.half();
        let lost: Vec<_> = self.under_way.iter().filter(|(_, way)| way.node == node).map(|(key, _)| *key).collect();
        for (client, attempt) in lost {
            let verdict = Verdict::Failed(Failure::Transport, Outcome::Unknown);
            self.agenda.at(self.now + half, Happening::Ended(client, attempt, verdict));
        }
        for client in 0..self.clients.len() {
            let up = self.clients[client].links.get(&node).is_some_and(|link| link.up);
            if self.setting.standing && up {
                self.agenda.at(self.now + half, Happening::Linked(client, node, false));
            }
        }
    }

    fn half(&self) -> Duration {
        self.setting.rtt.mul_f64(0.5)
    }

    fn call(&mut self) {
        let client = self.rng.below(self.clients.len() as u64) as usize;
        let safe = self.rng.unit() < self.setting.safe;
        let route = RouteId(self.records.len() as u32);
        let record = Record { client, safe, made: self.now, attempts: Vec::new(), end: None, ends: 0 };
        self.records.push(record);
        let wish = Route {
            safe,
            session: None,
            preferred: None,
            exclude: Vec::new(),
            region: None,
            timeout: None,
            hedge_after: None,
        };
        self.feed(client, ClusterInput::Route(route, wish));
    }

    fn feed(&mut self, client: usize, input: ClusterInput) {
        self.clients[client].cluster.handle_input(self.now, input);
        loop {
            match self.clients[client].cluster.poll_output() {
                ClusterOutput::Timeout(timer) => {
                    if timer.is_some() && timer != self.clients[client].timer {
                        self.agenda.at(timer.unwrap_or_default().max(self.now), Happening::Timer(client));
                    }
                    self.clients[client].timer = timer;
                    return;
                }
                output => self.perform(client, output),
            }
        }
    }

    fn perform(&mut self, client: usize, output: ClusterOutput) {
        let half = self.half();
        match output {
            ClusterOutput::Open(node) => {
                self.clients[client].links.insert(node, Link { dialling: true, ..Link::default() });
                self.agenda.at(self.now + half, Happening::Dialled(client, node));
            }
            ClusterOutput::Shut(node) => drop(self.clients[client].links.remove(&node)),
            ClusterOutput::Send { route, attempt, node, timeout } => {
                let record = route.0 as usize;
                self.records[record].attempts.push(Attempt { id: attempt, node, sent: self.now, ended: None });
                self.under_way.insert((client, attempt), UnderWay { record, node, sent: self.now });
                self.agenda.at(self.now + half, Happening::Reached(client, attempt));
                let late = Verdict::Failed(Failure::Timeout, Outcome::Unknown);
                self.agenda.at(self.now + timeout, Happening::Ended(client, attempt, late));
            }
            ClusterOutput::Abort(attempt) => drop(self.under_way.remove(&(client, attempt))),
            ClusterOutput::Settle(route, attempt) => {
                let ended = self.records[route.0 as usize].attempts.iter().find(|known| known.id == attempt);
                let verdict = ended.and_then(|attempt| attempt.ended).map_or(Verdict::Aborted, |(_, verdict)| verdict);
                self.end(route, End::As(verdict));
            }
            ClusterOutput::Fail(route, refusal) => self.end(route, End::Refused(refusal)),
            ClusterOutput::Probe(node, timeout) => {
                self.agenda.at(self.now + half, Happening::Asked(client, node, self.now, timeout));
            }
            // The list of nodes is static here, and what the application would be told is seen from its calls.
            ClusterOutput::Ask(_) | ClusterOutput::Event(_) | ClusterOutput::Timeout(_) => {}
        }
    }

    fn end(&mut self, route: RouteId, end: End) {
        let record = &mut self.records[route.0 as usize];
        record.end = Some((self.now, end));
        record.ends += 1;
    }

    fn happen_until(&mut self, end: Instant) {
        while self.agenda.next().is_some_and(|when| when <= end) {
            let Some((when, happening)) = self.agenda.pop() else { return };
            self.now = when;
            self.happen(happening);
        }
    }

    fn happen(&mut self, happening: Happening) {
        let half = self.half();
        match happening {
            Happening::Timer(client) => {
                // One that was moved since is no timer any more.
                if self.clients[client].timer == Some(self.now) {
                    self.clients[client].timer = None;
                    self.feed(client, ClusterInput::Timeout);
                }
            }
            Happening::Dialled(client, node) => {
                self.visit(client, node, Contact::Dial);
                let (after, up) = match self.condition(node) {
                    Condition::Well => (half, true),
                    Condition::Gone => (half, false),
                    Condition::Silent => (DIAL, false),
                };
                self.agenda.at(self.now + after, Happening::Linked(client, node, up));
            }
            Happening::Linked(client, node, up) => self.linked(client, node, up),
            Happening::Asked(client, node, sent, timeout) => {
                self.visit(client, node, Contact::Probe);
                let (at, answer) = match self.condition(node) {
                    Condition::Well => (self.now + half, Some(self.setting.rtt)),
                    Condition::Gone => (self.now + half, None),
                    Condition::Silent => ((sent + timeout).max(self.now), None),
                };
                self.agenda.at(at, Happening::Told(client, node, answer));
            }
            Happening::Told(client, node, answer) => self.feed(client, ClusterInput::Probed(node, answer)),
            Happening::Reached(client, attempt) => self.reached(client, attempt),
            Happening::Served(client, attempt, life) => {
                let alive = self.under_way.get(&(client, attempt)).map(|way| self.lives[way.node.0 as usize]);
                if alive == Some(life) {
                    self.ended(client, attempt, Verdict::Answered);
                }
            }
            Happening::Ended(client, attempt, verdict) => self.ended(client, attempt, verdict),
        }
    }

    fn linked(&mut self, client: usize, node: NodeId, up: bool) {
        let Some(link) = self.clients[client].links.get_mut(&node) else { return };
        link.up = up;
        link.dialling = !up;
        if up {
            link.tries = 0;
            return self.feed(client, ClusterInput::Up(node));
        }
        let scale = (BACKOFF.0 << link.tries.min(10)).min(BACKOFF.1);
        link.tries += 1;
        if self.setting.redials {
            let wait = ms(scale).mul_f64(0.5 + 0.5 * self.rng.unit());
            self.agenda.at(self.now + wait + self.half(), Happening::Dialled(client, node));
        }
        self.feed(client, ClusterInput::Down(node, false));
    }

    fn reached(&mut self, client: usize, attempt: AttemptId) {
        let Some(way) = self.under_way.get(&(client, attempt)).copied() else { return };
        let (at, half) = (way.node.0 as usize, self.half());
        self.visit(client, way.node, Contact::Call);
        match self.condition(way.node) {
            Condition::Silent => {}
            Condition::Gone => {
                let verdict = Verdict::Failed(Failure::Transport, Outcome::NotSent);
                self.agenda.at(self.now + half, Happening::Ended(client, attempt, verdict));
                self.lose(client, way.node);
            }
            Condition::Well => {
                if self.farm.under_way(at, self.now) >= self.setting.machines[at].workers + self.setting.waiting {
                    self.agenda.at(self.now + half, Happening::Ended(client, attempt, Verdict::Busy(None)));
                    return;
                }
                let done = self.farm.serve(at, self.now, &mut self.rng);
                self.agenda.at(done + half, Happening::Served(client, attempt, self.lives[at]));
            }
        }
    }

    /// A refused call tells the node's client that its link is down; it dials until it is up again.
    fn lose(&mut self, client: usize, node: NodeId) {
        let half = self.half();
        let Some(link) = self.clients[client].links.get_mut(&node) else { return };
        if !link.dialling {
            link.dialling = true;
            self.agenda.at(self.now + half, Happening::Linked(client, node, false));
        }
    }

    fn ended(&mut self, client: usize, attempt: AttemptId, verdict: Verdict) {
        let Some(way) = self.under_way.remove(&(client, attempt)) else { return };
        let attempts = &mut self.records[way.record].attempts;
        if let Some(known) = attempts.iter_mut().find(|known| known.id == attempt) {
            known.ended = Some((self.now, verdict));
        }
        let ending = Ending { verdict, took: self.now.since(way.sent) };
        self.feed(client, ClusterInput::Ended(attempt, ending));
    }

    fn visit(&mut self, client: usize, node: NodeId, what: Contact) {
        self.visits.push(Visit { at: self.now, client, node, what });
    }

    fn condition(&self, node: NodeId) -> Condition {
        self.conditions[node.0 as usize]
    }
}

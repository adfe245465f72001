//! Many clients, each with a balancer of its own, that call one farm under a virtual clock. No node fails here: what is measured is where
//! calls go and how long they wait. Clients call independently (Poisson); a node is equally far from all of them.

use std::rc::Rc;

use bowline_core::{
    Admission, Balancer, ClusterConfig, Duration, Instant, NodeId, NodeSet, NodeSpec, RegionId, Rng, Strategy, Wish,
};

use super::account::Account;
use super::chance::{gap, Work};
use super::farm::{capacity, Farm, Machine};
use crate::Agenda;

/// Who calls whom, and how much.
#[derive(Clone, Debug)]
pub struct Scene {
    /// The servers.
    pub machines: Vec<Machine>,
    /// What a call costs them.
    pub work: Work,
    /// There and back.
    pub rtt: Duration,
    /// Clients that know nothing of each other.
    pub clients: usize,
    /// All calls, as a share of what the servers can do.
    pub load: f64,
    /// So often another fifth of the servers has trouble and does 0.6 of what it can; `None`: never.
    pub unrest: Option<Duration>,
    /// Everything that is chance comes of this.
    pub seed: u64,
}

/// How a node is found for a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// As the core does it.
    By(Strategy),
    /// By somebody who sees every call in every server and on every wire: no client can be so good.
    Ideal,
}

/// A scene that goes on.
#[derive(Debug)]
pub struct Crowd {
    farm: Farm,
    balancers: Vec<Balancer>,
    ideal: bool,
    /// Of the world: the same calls at the same times of the same length, whoever picks.
    world: Rng,
    chance: Rng,
    agenda: Agenda<Back>,
    rate: f64,
    half: Duration,
    now: Instant,
    next: Instant,
    account: Account,
    clients: u64,
    shunned: Option<NodeId>,
    machines: Vec<Machine>,
    unrest: Option<Duration>,
    /// How often trouble went on.
    troubles: u64,
}

#[derive(Debug)]
struct Back {
    client: u32,
    node: NodeId,
    sent: Instant,
}

impl Scene {
    /// Calls per second, of all clients.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.load * capacity(&self.machines, self.work)
    }

    /// All machines, by their numbers, weighted as fast as they are.
    #[must_use]
    pub fn weighted(&self) -> Rc<NodeSet> {
        let nodes = (0..).zip(&self.machines);
        set(nodes.map(|(id, machine)| (id, machine.speed * machine.workers as f64)))
    }

    /// All machines, all alike.
    #[must_use]
    pub fn alike(&self) -> Rc<NodeSet> {
        set((0..).zip(&self.machines).map(|(id, _)| (id, 1.0)))
    }

    /// Plays it: first unrecorded, for a fifth of the calls, until queues are as long as they will be; then recorded, to the last answer.
    #[must_use]
    pub fn play(&self, way: Way, set: &Rc<NodeSet>, calls: usize) -> Account {
        let mut crowd = Crowd::new(self, way, set);
        crowd.call(calls / 5);
        crowd.record();
        crowd.call(calls);
        crowd.finish()
    }
}

/// Nodes by number and weight, for balancers.
pub fn set(nodes: impl Iterator<Item = (u32, f64)>) -> Rc<NodeSet> {
    Rc::new(NodeSet::new(specs(nodes)))
}

/// Nodes by number and weight, as discovery would list them.
pub fn specs(nodes: impl Iterator<Item = (u32, f64)>) -> Vec<NodeSpec> {
    let spec = |(id, weight): (u32, f64)| NodeSpec {
        id: NodeId(id),
        hash: Rng::seeded(u64::from(id)).bits(),
        weight,
        region: RegionId::default(),
        zone: RegionId::default(),
    };
    nodes.map(spec).collect()
}

impl Crowd {
    /// Clients that have just been made.
    #[must_use]
    pub fn new(scene: &Scene, way: Way, set: &Rc<NodeSet>) -> Self {
        let (mut world, chance) = (Rng::seeded(scene.seed), Rng::seeded(!scene.seed));
        // Of its own, so that who draws by weight alone draws the same for any number of clients.
        let mut birth = Rng::seeded(scene.seed << 32);
        let config = ClusterConfig::default();
        let balancers = match way {
            Way::By(strategy) => {
                let one = |_| Balancer::new(strategy, &config, Rc::clone(set), &mut birth);
                (0..scene.clients).map(one).collect()
            }
            Way::Ideal => Vec::new(),
        };
        let rate = scene.rate();
        let now = Instant::default();
        Self {
            farm: Farm::new(&scene.machines, scene.work),
            balancers,
            ideal: way == Way::Ideal,
            next: now + gap(&mut world, rate),
            world,
            chance,
            agenda: Agenda::default(),
            rate,
            half: scene.rtt.mul_f64(0.5),
            now,
            account: Account::new(scene.machines.len(), now),
            clients: scene.clients as u64,
            shunned: None,
            machines: scene.machines.clone(),
            unrest: scene.unrest,
            troubles: 0,
        }
    }

    /// Lets so many calls be made, and comes back at the time of the last.
    pub fn call(&mut self, calls: usize) {
        for _ in 0..calls {
            self.settle_until(self.next);
            self.now = self.next;
            self.next = self.now + gap(&mut self.world, self.rate);
            self.trouble();
            self.send();
        }
    }

    /// Lets calls be made for so long.
    pub fn call_for(&mut self, span: Duration) {
        let end = self.now + span;
        while self.next <= end {
            self.call(1);
        }
        self.settle_until(end);
        self.now = end;
    }

    /// What is sent from now on is on record, and nothing else.
    pub fn record(&mut self) {
        self.account = Account::new(self.farm.len(), self.now);
    }

    /// Discovery tells all clients of other nodes at one moment.
    pub fn replace(&mut self, set: &Rc<NodeSet>) {
        for balancer in &mut self.balancers {
            balancer.replace(Rc::clone(set), self.now);
        }
    }

    /// From now on no client gives this node anything: to all of them its breaker is open.
    pub fn shun(&mut self, node: u32) {
        self.shunned = Some(NodeId(node));
    }

    /// The record so far.
    #[must_use]
    pub fn recorded(&self) -> &Account {
        &self.account
    }

    /// Waits for the last answer and gives the record away.
    #[must_use]
    pub fn finish(mut self) -> Account {
        while let Some(when) = self.agenda.next() {
            self.settle_until(when);
        }
        self.account
    }

    fn trouble(&mut self) {
        let Some(troubles) = self.unrest.map(|unrest| self.now.since(Instant::default()).whole(unrest)) else { return };
        if troubles == self.troubles {
            return;
        }
        self.troubles = troubles;
        for (at, machine) in self.machines.iter().enumerate() {
            // Not the fifths by speed, which are those of `at` modulo five.
            let mine = (at / 5 + troubles as usize).is_multiple_of(5);
            self.farm.turn(at, if mine { 0.6 * machine.speed } else { machine.speed });
        }
    }

    fn send(&mut self) {
        let client = self.world.below(self.clients);
        let Some(node) = self.pick(client as usize) else { return };
        self.account.on_sent(node.0 as usize, self.now);
        let done = self.farm.serve(node.0 as usize, self.now + self.half, &mut self.world);
        self.agenda.at(done + self.half, Back { client: client as u32, node, sent: self.now });
    }

    fn pick(&mut self, client: usize) -> Option<NodeId> {
        if self.ideal {
            return self.shortest();
        }
        let balancer = self.balancers.get_mut(client)?;
        let shunned = self.shunned;
        let mut admits = |node| if Some(node) == shunned { Admission::No } else { Admission::Yes };
        let node = balancer.pick(self.now, &mut self.chance, &Wish::default(), &mut admits)?;
        balancer.on_sent(node, self.now);
        Some(node)
    }

    /// The node with the least to do for its speed; chance among equals.
    fn shortest(&mut self) -> Option<NodeId> {
        let mut best: Option<(f64, NodeId)> = None;
        let nodes = self.farm.len();
        let first = self.chance.below(nodes as u64) as usize;
        for at in (0..nodes).map(|step| (first + step) % nodes) {
            let cost = (self.farm.under_way(at, self.now) + 1) as f64 / self.farm.speed(at);
            if best.is_none_or(|(least, _)| cost < least) {
                best = Some((cost, NodeId(at as u32)));
            }
        }
        best.map(|(_, node)| node)
    }

    fn settle_until(&mut self, end: Instant) {
        while self.agenda.next().is_some_and(|when| when <= end) {
            let Some((now, Back { client, node, sent })) = self.agenda.pop() else { return };
            self.account.on_back(sent, now);
            if let Some(balancer) = self.balancers.get_mut(client as usize) {
                balancer.on_back(node, now, Some(now.since(sent)));
            }
        }
    }
}

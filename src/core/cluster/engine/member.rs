//! The nodes as the cluster keeps them: their links, who may be given calls, who is asked whether it lives, who leaves. Calls are not
//! touched here.

use super::{
    Admission, AttemptId, Cluster, ClusterEvent, ClusterOutput, Context, Due, Duration, Health, Instant, NodeId,
    NodePhase, NodeSet, NodeStatus, Rc, SetChange, Table, Wish,
};

/// A link that is back within this time was not away: nothing is cold there, and nobody left for long.
const BLIP: Duration = Duration::from_millis(1_000);

/// One node.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) health: Health,
    /// There is a client for it; whether its link is up.
    pub(super) opened: bool,
    up: bool,
    /// While its link is lost: from then on its return is no blip's, and begins slowly.
    away_from: Option<Instant>,
    /// It left the set, and goes when it has nothing to do.
    leaving: bool,
    /// A probe is under way.
    probing: bool,
    /// Attempts under way.
    pub(super) active: u32,
    /// Of those, the one that was let through a half-open breaker.
    pub(super) trial: Option<AttemptId>,
    /// It wants to be left alone until then.
    pub(super) hold_until: Instant,
    /// The last thing it said was that it is too much.
    pub(super) refusing: bool,
    /// When the latest left of the attempts that it answered.
    pub(super) answered: Instant,
    /// Attempts that ended, and those that failed.
    pub(super) attempts: u64,
    pub(super) failures: u64,
    /// Attempts that left since the set changed.
    pub(super) share: u32,
}

impl Member {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            health: Health::new(now),
            opened: false,
            up: false,
            away_from: None,
            leaving: false,
            probing: false,
            active: 0,
            trial: None,
            hold_until: now,
            refusing: false,
            answered: now,
            attempts: 0,
            failures: 0,
            share: 0,
        }
    }

    /// For how long it gets nothing, if that is known.
    pub(super) fn closed_for(&self, now: Instant) -> Option<Duration> {
        let hold = Some(self.hold_until.since(now)).filter(|left| *left > Duration::ZERO);
        self.health.retry_in(now).max(hold)
    }

    fn admission(&self, now: Instant) -> Admission {
        match self.health.phase(now) {
            _ if self.hold_until > now => Admission::Never,
            NodePhase::Closed => Admission::Yes,
            NodePhase::Suspect => Admission::Suspect,
            NodePhase::HalfOpen if self.trial.is_none() => Admission::Suspect,
            _ => Admission::No,
        }
    }
}

impl Cluster {
    /// Whether the application wants nothing new given to it.
    pub(super) fn is_banned(&self, id: NodeId) -> bool {
        self.drained.contains_key(&id) || self.isolated.contains_key(&id)
    }

    pub(super) fn status(&self, id: NodeId, member: &Member, now: Instant) -> NodeStatus {
        let load = self.balancer.load(id, now);
        NodeStatus {
            id,
            phase: if self.isolated.contains_key(&id) { NodePhase::Isolated } else { member.health.phase(now) },
            draining: member.leaving || self.drained.contains_key(&id),
            up: member.up,
            active: member.active,
            latency: load.latency,
            weight: load.weight,
            attempts: member.attempts,
            failures: member.failures,
            trips: member.health.trips(),
            retry_in: member.health.retry_in(now),
        }
    }

    /// Whom the balancer takes.
    pub(super) fn pick(&mut self, wish: &Wish<'_>) -> Option<NodeId> {
        let Self { balancer, members, drained, isolated, rng, now, .. } = self;
        balancer.pick(*now, rng, wish, &mut |id| match members.get(&id) {
            Some(member) if !drained.contains_key(&id) && !isolated.contains_key(&id) => member.admission(*now),
            _ => Admission::Never,
        })
    }

    /// Makes sure that there is a client for a node.
    pub(super) fn open(&mut self, id: NodeId) {
        if let Some(member) = self.members.get_mut(&id).filter(|member| !member.opened) {
            member.opened = true;
            self.out.push_back(ClusterOutput::Open(id));
            self.arm(id);
        }
    }

    /// Opens links before anybody calls, as many as are wanted beforehand.
    pub(super) fn warm_up(&mut self) {
        let open = |(id, member): (&NodeId, &Member)| (member.opened && !member.leaving).then_some(*id);
        let mut opened: Vec<NodeId> = self.members.iter().filter_map(open).collect();
        while self.begun && opened.len() < self.config.warm {
            let (region, zone) = (self.config.region, self.config.zone);
            let Some(node) = self.pick(&Wish { region, zone, exclude: &opened, ..Wish::default() }) else {
                return;
            };
            self.open(node);
            opened.push(node);
        }
    }

    /// The set of nodes is another.
    pub(super) fn on_set(&mut self, change: SetChange) {
        let now = self.now;
        for node in &change.nodes {
            if let Some(member) = self.members.get_or_insert(node.id, Member::new(now)) {
                member.leaving = false;
            }
        }
        for id in &change.removed {
            if let Some(member) = self.members.get_mut(id) {
                member.leaving = true;
            }
        }
        self.members.values_mut().for_each(|member| member.share = 0);
        self.balancer.replace(Rc::new(NodeSet::new(change.nodes)), now);
        for id in change.added.iter().chain(&change.removed) {
            self.arm(*id);
            self.let_go(*id);
        }
        let (added, removed) = (change.added, change.removed);
        self.out.push_back(ClusterOutput::Event(ClusterEvent::Discovery { added, removed }));
        self.warm_up();
        core::mem::take(&mut self.waiting).into_iter().for_each(|id| self.start(id));
    }

    /// Lets a node go that left the set and has nothing to do any more.
    pub(super) fn let_go(&mut self, id: NodeId) {
        if self.members.get(&id).is_some_and(|member| member.leaving && member.active == 0) {
            let Some(member) = self.members.remove(&id) else {
                return;
            };
            self.tally.trips += u64::from(member.health.trips());
            if member.opened {
                self.out.push_back(ClusterOutput::Shut(id));
            }
        }
    }

    /// The application says that a node is to be given nothing (new), or takes that back.
    pub(super) fn ban(&mut self, id: NodeId, yes: bool, list: impl FnOnce(&mut Self) -> &mut Table<NodeId, ()>) {
        let before = self.view(id);
        let list = list(self);
        if yes {
            list.insert(id, ());
        } else {
            list.remove(&id);
        }
        self.notice(id, before);
    }

    pub(super) fn on_up(&mut self, id: NodeId) {
        if let Some(member) = self.members.get_mut(&id) {
            let again = !core::mem::replace(&mut member.up, true);
            let was_away = member.away_from.take().is_some_and(|from| from <= self.now);
            self.tell(id, |health, cx| health.on_up(again, cx));
            // Whether or not its breaker had time to open.
            if was_away {
                self.balancer.on_return(id, self.now);
            }
        }
    }

    /// There is no network: that links are lost says nothing of the nodes, not even of those that were lost before it was told.
    pub(super) fn on_offline(&mut self) {
        self.online = false;
        self.members.values_mut().for_each(|member| member.away_from = None);
    }

    pub(super) fn on_down(&mut self, id: NodeId, surroundings: bool) {
        if let Some(member) = self.members.get_mut(&id) {
            member.up = false;
            if self.online && !surroundings {
                // Told again while it is down, a dial was in vain: nobody is there, as when a process starts anew.
                let lost_already = member.away_from.is_some();
                member.away_from = Some(if lost_already { self.now } else { self.now + BLIP });
                self.tell(id, |health, cx| health.doubt(cx.now));
            }
        }
    }

    pub(super) fn on_probed(&mut self, id: NodeId, well: bool) {
        let Some(member) = self.members.get_mut(&id).filter(|member| member.probing) else {
            return;
        };
        member.probing = false;
        if self.online || well {
            self.tell(id, |health, cx| health.on_probe(well, cx));
        }
        self.arm(id);
    }

    /// The moment of a node has come: its breaker was open for long enough, or it is to be asked.
    pub(super) fn look_after(&mut self, id: NodeId) {
        let phase = |cluster: &Self| cluster.members.get(&id).map(|member| member.health.state());
        let before = phase(self);
        self.watch(id, |health, cx| health.on_time(cx.now));
        // In another state it has another moment; while nobody looks or there is no network, none.
        if before == phase(self) && self.online && self.visible {
            self.open(id);
            if let Some(member) = self.members.get_mut(&id) {
                member.probing = true;
                self.agenda.set(Due::Node(id), None);
                self.out.push_back(ClusterOutput::Probe(id, self.config.health.timeout));
            }
        }
    }

    /// Sets the next moment to look after a node.
    pub(super) fn arm(&mut self, id: NodeId) {
        let asked = |member: &&Member| !member.leaving && !member.probing;
        let at = match self.members.get(&id).filter(asked) {
            Some(member) if !self.isolated.contains_key(&id) => {
                let interval = self.config.health.interval.filter(|_| member.opened);
                member.health.next_look(self.now, interval, &mut self.rng)
            }
            _ => None,
        };
        self.agenda.set(Due::Node(id), at);
    }

    /// Tells a node's health a fact, and everybody what follows.
    pub(super) fn tell<R>(&mut self, id: NodeId, fact: impl FnOnce(&mut Health, &mut Context<'_>) -> R) -> Option<R> {
        self.watch(id, |health, cx| health.on_time(cx.now));
        self.watch(id, fact)
    }

    fn watch<R>(&mut self, id: NodeId, fact: impl FnOnce(&mut Health, &mut Context<'_>) -> R) -> Option<R> {
        let before = self.view(id);
        let member = self.members.get_mut(&id)?;
        let mut cx = Context { now: self.now, config: &self.config, rng: &mut self.rng };
        let result = fact(&mut member.health, &mut cx);
        self.notice(id, before);
        Some(result)
    }

    /// What the application sees of a node: its phase, and whether it may be given calls.
    fn view(&self, id: NodeId) -> Option<(NodePhase, bool)> {
        let phase = match self.members.get(&id)?.health.state() {
            _ if self.isolated.contains_key(&id) => NodePhase::Isolated,
            phase => phase,
        };
        let may = matches!(phase, NodePhase::Closed | NodePhase::Suspect) && !self.drained.contains_key(&id);
        Some((phase, may))
    }

    /// Tells what changed of a node, if anything did.
    fn notice(&mut self, id: NodeId, before: Option<(NodePhase, bool)>) {
        let (Some((old, could)), Some((new, can))) = (before, self.view(id)) else {
            return;
        };
        if old != new {
            self.out.push_back(ClusterOutput::Event(ClusterEvent::Phase(id, old, new)));
            self.arm(id);
        }
        if could && !can {
            self.out.push_back(ClusterOutput::Event(ClusterEvent::NodeDown(id)));
        } else if can && !could {
            self.balancer.on_return(id, self.now);
            self.out.push_back(ClusterOutput::Event(ClusterEvent::NodeUp(id)));
        }
    }
}

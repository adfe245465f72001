//! Which node a call goes to, as one client sees it: near before far, by weight, and by experience as far as that is fresh. It asks whether a
//! node admits; it knows no breaker and opens nothing.
//!
//! Why so (measured, cluster design 5.2): weights from discovery are what keeps a crowd of light clients stable; what one of them knows by
//! itself helps only while it is fresh, and harms when it is not. So every draw is by weight, and experience only chooses between two of them.

use std::rc::Rc;

use super::affinity::{score, Pins};
use super::census::Census;
use super::config::{ClusterConfig, Strategy};
use super::cost::Costs;
use super::load::{Loads, FIRST_SHARE};
use super::node::{NodeId, NodeSpec};
use super::set::NodeSet;
use super::tier::{Tier, Tiers};
use super::wish::{Admission, Load, Tally, Wish};
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// One client's choice among the nodes. Tell it of every call with [`Self::on_sent`] and [`Self::on_back`].
#[derive(Debug)]
pub struct Balancer {
    set: Rc<NodeSet>,
    strategy: Strategy,
    fresh: Duration,
    panic: f64,
    loads: Loads,
    /// Only while somebody refuses.
    census: Option<Box<Census>>,
    /// Only once there was a session.
    pins: Option<Box<Pins>>,
    /// Whose turn it is in each tier.
    turns: [u32; 3],
    tally: Tally,
}

/// One pick under way.
struct Pick<'a> {
    now: Instant,
    rng: &'a mut Rng,
    wish: &'a Wish<'a>,
    admits: &'a mut dyn FnMut(NodeId) -> Admission,
    tiers: Tiers,
    panic: bool,
    /// Somebody refused whom nobody excluded.
    refused: bool,
    choice: Choice,
}

/// How the node was chosen: the effects of a choice, for it may be made anew.
#[derive(Default)]
struct Choice {
    /// See [`super::Tally`].
    unsure: bool,
    sticky: bool,
    /// A session that lives there from now on.
    pin: Option<u64>,
}

impl Balancer {
    /// With nothing learnt yet. Round robin begins at a random place: a crowd that begins at the first node sends it everything (measured: 28
    /// times the p99).
    #[must_use]
    pub fn new(strategy: Strategy, config: &ClusterConfig, set: Rc<NodeSet>, rng: &mut Rng) -> Self {
        Self {
            set,
            strategy,
            fresh: config.fresh,
            panic: config.panic,
            loads: Loads::new(config.slow_start),
            census: None,
            pins: None,
            turns: [(); 3].map(|()| rng.bits() as u32),
            tally: Tally::default(),
        }
    }

    /// Other nodes. Those that stay keep what is known of them; those that are new among others start slowly, but not so slowly that those
    /// who stay get more than a fifth more to do than before.
    pub fn replace(&mut self, set: Rc<NodeSet>, now: Instant) {
        let origin: Vec<Option<usize>> = set.nodes().iter().map(|node| self.set.index(node.id)).collect();
        let staying = set.nodes().iter().zip(&origin).filter(|(_, from)| from.is_some()).map(|(node, _)| node.weight);
        let staying: f64 = staying.sum();
        // Of nodes that are all new, none has to wait for another.
        let needed = (self.set.total_weight() / BEARABLE - staying) / (set.total_weight() - staying);
        let first = if staying > 0.0 { needed.clamp(FIRST_SHARE, 1.0) } else { 1.0 };
        self.loads.move_to(&origin, first, now);
        (self.set, self.census) = (set, None);
    }

    /// The nodes.
    #[must_use]
    pub fn set(&self) -> &Rc<NodeSet> {
        &self.set
    }

    /// A node for a call, or `None` when none may be given it. Nothing is counted before [`Self::on_sent`]. `admits` is asked of a few nodes,
    /// or of all, some of them twice; it must be cheap and without effect.
    pub fn pick(
        &mut self,
        now: Instant,
        rng: &mut Rng,
        wish: &Wish<'_>,
        admits: &mut dyn FnMut(NodeId) -> Admission,
    ) -> Option<NodeId> {
        let tiers = self.set.tiers(wish.region, wish.zone);
        let mut pick = Pick { now, rng, wish, admits, tiers, panic: false, refused: false, choice: Choice::default() };
        if self.census.as_ref().is_some_and(|census| census.is_old(now)) {
            self.count(&mut pick);
        }
        let (healthy, turns) = (self.census.is_none(), self.turns);
        let mut found = self.choose(&mut pick);
        if pick.refused && (healthy || found.is_none()) {
            // The first refusal, or nobody is left of those that were counted: how many refuse by now?
            self.count(&mut pick);
            (self.turns, pick.choice) = (turns, Choice::default());
            found = self.choose(&mut pick);
        }
        let found = self.set.nodes().get(found?)?.id;
        if let Some(session) = pick.choice.pin {
            self.pins.get_or_insert_with(|| Box::new(Pins::default())).put(session, found);
        }
        self.tally.picks += 1;
        self.tally.panic += u64::from(pick.panic);
        self.tally.unsure += u64::from(pick.choice.unsure);
        self.tally.sticky += u64::from(pick.choice.sticky);
        Some(found)
    }

    /// A call leaves for a node.
    pub fn on_sent(&mut self, node: NodeId, now: Instant) {
        if let Some(at) = self.set.index(node) {
            self.loads.on_sent(at, self.set.len(), now);
        }
    }

    /// It is over; `None`: without an answer that tells a latency.
    pub fn on_back(&mut self, node: NodeId, now: Instant, latency: Option<Duration>) {
        if let Some(at) = self.set.index(node) {
            self.loads.on_back(at, now, latency);
        }
    }

    /// A node refused for now (429, 503): half its weight until ten seconds after `pause`, the time it wants to be left alone (which is the
    /// caller's to see to).
    pub fn on_busy(&mut self, node: NodeId, now: Instant, pause: Option<Duration>) {
        if let Some(at) = self.set.index(node) {
            self.loads.on_busy(at, self.set.len(), now, pause.unwrap_or_default());
        }
    }

    /// It is there again: slow start begins.
    pub fn on_return(&mut self, node: NodeId, now: Instant) {
        if let Some(at) = self.set.index(node) {
            self.loads.on_return(at, self.set.len(), now);
        }
        if let Some(census) = &mut self.census {
            census.expire();
        }
    }

    /// A session ended: next time it goes where the hash leads.
    pub fn on_session_end(&mut self, session: u64) {
        if let Some(pins) = &mut self.pins {
            pins.remove(session);
        }
    }

    /// Where a session lives, if it was picked for already.
    #[must_use]
    pub fn pinned(&self, session: u64) -> Option<NodeId> {
        self.pins.as_ref()?.peek(session)
    }

    /// What is known of a node; nothing of one that is not in the set.
    #[must_use]
    pub fn load(&self, node: NodeId, now: Instant) -> Load {
        let Some(at) = self.set.index(node) else { return Load { active: 0, latency: None, weight: 0.0 } };
        let latency = self.loads.average(at, now).map(|(average, _)| Duration::from_millis_f64(average));
        Load { active: self.loads.active(at), latency, weight: self.weight(at, now) }
    }

    /// What became of the picks so far.
    #[must_use]
    pub fn tally(&self) -> Tally {
        self.tally
    }

    fn count(&mut self, pick: &mut Pick<'_>) {
        self.census = Census::take(&self.set, pick.now, pick.admits).map(Box::new);
    }

    fn choose(&mut self, pick: &mut Pick<'_>) -> Option<usize> {
        let session = pick.wish.session;
        // Which part of the calls this one is: of a session always the same, so that all clients spill the same sessions.
        let part = session.map_or(0.0, |session| Rng::seeded(session).unit());
        let level = self.level(pick, session.is_some().then_some(part));
        let preferred = pick.wish.preferred.and_then(|node| self.set.index(node));
        if let Some(at) = preferred.filter(|at| self.admits(pick, *at)) {
            return Some(at);
        }
        let tier = pick.tiers.iter().nth(level)?;
        let found = match (self.strategy, session) {
            (_, Some(session)) => return self.home(pick, tier, session),
            (Strategy::Weighted | Strategy::Random, _) => self.draw(pick, tier, None),
            (Strategy::RoundRobin, _) => self.next(pick, tier, level),
            _ => self.better_of_two(pick, tier),
        };
        found.or_else(|| self.search(pick))
    }

    /// In which tier to look; `part`: for which part of the calls, in `[0, 1)`, by chance when not said.
    fn level(&mut self, pick: &mut Pick<'_>, part: Option<f64>) -> usize {
        let Some(census) = &self.census else {
            pick.panic = false;
            return pick.tiers.iter().position(|tier| self.set.weight(tier) > 0.0).unwrap_or(0);
        };
        let (shares, panic) = census.shares(&self.set, &pick.tiers, self.panic);
        pick.panic = panic;
        if pick.wish.stay {
            return pick.tiers.iter().position(|tier| census.admits(tier)).unwrap_or(0);
        }
        let mut mark = part.unwrap_or_else(|| pick.rng.unit()) * shares.iter().sum::<f64>();
        let found = shares.iter().position(|share| {
            mark -= share;
            mark < 0.0
        });
        found.unwrap_or(0)
    }

    /// The next in turn; or one by weight when that one does not take the call. Not the one after it: all clients have the same order, and
    /// what a node refuses, or while it starts slowly is not given, would all go to its neighbour (measured: 1.7 times its share).
    fn next(&mut self, pick: &mut Pick<'_>, tier: Tier, level: usize) -> Option<usize> {
        let order = self.set.turns(tier);
        let turn = self.turns.get_mut(level)?;
        let at = order.get((*turn as usize).checked_rem(order.len())?).map(|at| *at as usize)?;
        *turn = turn.wrapping_add(1);
        if self.takes(pick, at) {
            Some(at)
        } else {
            self.draw(pick, tier, Some(at))
        }
    }

    /// One of a tier that admits, by weight, and not `other`; `None` when chance did not find any in a few draws.
    fn draw(&self, pick: &mut Pick<'_>, tier: Tier, other: Option<usize>) -> Option<usize> {
        (0..DRAWS).find_map(|_| {
            let at = match self.strategy {
                Strategy::Random => self.set.draw_alike(tier, pick.rng),
                _ => self.set.draw(tier, pick.rng),
            };
            at.filter(|at| Some(*at) != other && self.takes(pick, *at))
        })
    }

    /// Whether a node that was drawn by its weight takes the call: it does so for the share of its weight that it has now.
    fn takes(&self, pick: &mut Pick<'_>, at: usize) -> bool {
        let share = self.share(at, pick.now);
        (share >= 1.0 || pick.rng.unit() < share) && self.admits(pick, at)
    }

    fn admits(&self, pick: &mut Pick<'_>, at: usize) -> bool {
        self.admission(pick, at) == Admission::Yes
    }

    fn admission(&self, pick: &mut Pick<'_>, at: usize) -> Admission {
        let Some(node) = self.set.nodes().get(at).filter(|node| !pick.wish.exclude.contains(&node.id)) else {
            return Admission::Never;
        };
        let admission = (pick.admits)(node.id);
        pick.refused |= admission != Admission::Yes;
        match admission {
            Admission::Suspect | Admission::No if pick.panic => Admission::Yes,
            admission => admission,
        }
    }

    /// What share of its weight a node has now: none if it has no weight.
    fn share(&self, at: usize, now: Instant) -> f64 {
        let weighs = self.set.nodes().get(at).is_some_and(|node| node.weight > 0.0);
        if weighs {
            self.loads.share(at, now)
        } else {
            0.0
        }
    }

    fn costs(&self, now: Instant) -> Costs<'_> {
        Costs { set: &self.set, loads: &self.loads, strategy: self.strategy, fresh: self.fresh, now }
    }

    fn weight(&self, at: usize, now: Instant) -> f64 {
        self.set.nodes().get(at).map_or(0.0, |node| node.weight * self.loads.share(at, now))
    }

    fn better_of_two(&mut self, pick: &mut Pick<'_>, tier: Tier) -> Option<usize> {
        let first = self.draw(pick, tier, None)?;
        let Some(second) = self.second(pick, tier, first) else { return Some(first) };
        let Some((cost, other)) = self.costs(pick.now).compare(first, second) else {
            pick.choice.unsure = true;
            return Some(first);
        };
        if other >= cost {
            return Some(first);
        }
        // Costs are noisy. Two different nodes are drawn in the order heavy, light more often than the other way round, so that noise alone
        // would carry calls to the light one (of two nodes, half of all); the way there must be as likely as the way back (Metropolis' rule).
        // What each has under way is no noise.
        let all = self.set.weight(tier);
        let (stay, go) = (all - self.weight(first, pick.now), all - self.weight(second, pick.now));
        let sure = self.strategy == Strategy::LeastConnections || stay >= go;
        Some(if sure || pick.rng.unit() * go < stay { second } else { first })
    }

    /// Another one than the first, by weight as well.
    fn second(&self, pick: &mut Pick<'_>, tier: Tier, first: usize) -> Option<usize> {
        if self.set.size(tier) > DRAWS {
            return self.draw(pick, tier, Some(first));
        }
        // Of so few, chance would draw the first again too often.
        let (mut sum, mut found) = (0.0, None);
        for at in self.set.members(tier).filter(|at| *at != first) {
            let weight = self.weight(at, pick.now);
            if weight > 0.0 && self.admits(pick, at) {
                sum += weight;
                found = if pick.rng.unit() * sum < weight { Some(at) } else { found };
            }
        }
        found
    }

    /// The node of a session: where it lives, or else where the hash leads, which it lives at from now on.
    fn home(&mut self, pick: &mut Pick<'_>, tier: Tier, session: u64) -> Option<usize> {
        let pinned = self.pins.as_mut().and_then(|pins| pins.find(session));
        let lives = pinned.and_then(|node| self.set.index(node));
        let admission = lives.map(|at| self.admission(pick, at));
        let better = if admission == Some(Admission::Yes) { None } else { self.belongs(pick, tier, session) };
        // Where all are suspects a session does not wander.
        let stays = matches!(admission, Some(Admission::Yes | Admission::Suspect)) && better.is_none();
        if let Some(at) = lives.filter(|_| stays) {
            pick.choice.sticky = true;
            return Some(at);
        }
        let at = better.or_else(|| self.search(pick))?;
        // A node that only this call may not go to again is still where the session lives.
        if lives.is_none() || pinned.is_none_or(|pinned| !pick.wish.exclude.contains(&pinned)) {
            pick.choice.pin = Some(session);
        }
        Some(at)
    }

    /// Where the hash leads, among those that admit and have not too much to do already (bounded load, Mirrokni et al. 2016).
    fn belongs(&self, pick: &mut Pick<'_>, tier: Tier, session: u64) -> Option<usize> {
        let whole = pick.tiers.iter().count() == 1;
        let room = |at: usize, node: &NodeSpec| {
            let share = node.weight / self.set.weight(tier);
            let most = (BOUND * f64::from(self.loads.all_active() + 1) * share).ceil();
            f64::from(self.loads.active(at)) < most
        };
        if whole && self.set.len() > MANY {
            let mut choices = self.set.maglev().choices(session).take(DRAWS);
            let found = choices
                .find(|at| self.set.nodes().get(*at).is_some_and(|node| room(*at, node)) && self.admits(pick, *at));
            if found.is_some() {
                return found;
            }
        }
        // The best that has room, and the best.
        let mut best = [None::<(f64, usize)>; 2];
        for at in self.set.members(tier) {
            let Some(node) = self.set.nodes().get(at).filter(|node| node.weight > 0.0) else { continue };
            let score = score(session, node);
            let ahead = best.map(|best| best.is_none_or(|(most, _)| score > most));
            let [roomy, any] = [ahead[0] && room(at, node), ahead[1]];
            // Few are asked: only those that are ahead of all before them.
            if (roomy || any) && self.admits(pick, at) {
                let own = Some((score, at));
                best = [if roomy { own } else { best[0] }, if any { own } else { best[1] }];
            }
        }
        best.into_iter().flatten().next().map(|(_, at)| at)
    }

    /// All nodes, when chance found none: of the best kind there is, one by weight. Those that admit before those without weight, these
    /// before suspects; near before far, or the other way round for a call that stays.
    fn search(&self, pick: &mut Pick<'_>) -> Option<usize> {
        let (mut best, mut sum, mut found) = ((u8::MAX, u8::MAX), 0.0, None);
        let tiers = pick.tiers;
        for (level, tier) in (0..).zip(tiers.iter()) {
            for at in self.set.members(tier) {
                let weight = if self.strategy == Strategy::Random {
                    self.share(at, pick.now)
                } else {
                    self.weight(at, pick.now)
                };
                let kind = match self.admission(pick, at) {
                    Admission::Yes => u8::from(weight <= 0.0),
                    Admission::Suspect => 2 + u8::from(weight <= 0.0),
                    Admission::No | Admission::Never => continue,
                };
                let rank = if pick.wish.stay { (level, kind) } else { (kind, level) };
                if rank < best {
                    (best, sum) = (rank, 0.0);
                }
                if rank == best {
                    // A reservoir of one.
                    let weight = if weight > 0.0 { weight } else { 1.0 };
                    sum += weight;
                    if pick.rng.unit() * sum < weight {
                        found = Some(at);
                    }
                }
            }
        }
        found
    }
}

/// So often chance may fail to find a node that admits, before all are looked at.
const DRAWS: usize = 8;
/// A session goes past a node that has more than this many times its share of the calls under way.
const BOUND: f64 = 1.25;
/// Who stays when others come and go may get so much more to do for a while.
const BEARABLE: f64 = 1.2;
/// Beyond so many nodes, sessions are looked up in a table instead of asking each node's hash.
const MANY: usize = 256;

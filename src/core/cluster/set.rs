//! The nodes there are, immutable and shared: a new discovery makes a new set. It holds nothing that belongs to one client, so that a
//! hundred thousand simulated ones share it, and knows nobody's health.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use super::alias::Alias;
use super::maglev::Maglev;
use super::node::{NodeId, NodeSpec, RegionId};
use super::order::sorted;
use super::tier::{Tier, Tiers};
use super::turn::turns;
use crate::rng::Rng;

/// All nodes of a cluster, each with a dense index below `len`: those of a zone next to each other, the zones of a region too.
#[derive(Debug)]
pub struct NodeSet {
    nodes: Vec<NodeSpec>,
    /// By id.
    index: Vec<(NodeId, usize)>,
    /// Region and zone of every zone, in order, and its table of weights.
    zones: Vec<(RegionId, RegionId, Alias)>,
    /// The first index of every zone, and the end.
    starts: Vec<usize>,
    /// The weight of all zones before this one, and in the end of all.
    before: Vec<f64>,
    /// What only some strategies need, made when the first client asks.
    turns: RefCell<Vec<(Tier, Rc<[u32]>)>>,
    maglev: OnceCell<Maglev>,
}

impl NodeSet {
    /// O(n), but for sorting. Weights that are negative or no numbers count as 0; of a node that is named twice, the last word holds.
    #[must_use]
    pub fn new(mut nodes: Vec<NodeSpec>) -> Self {
        nodes.reverse();
        nodes = sorted(&nodes, |node| u64::from(node.id.0));
        nodes.dedup_by_key(|node| node.id);
        for node in &mut nodes {
            node.weight = if node.weight > 0.0 { node.weight.min(HEAVIEST) } else { 0.0 };
        }
        nodes = sorted(&nodes, |node| (u64::from(node.region.0) << 32) | u64::from(node.zone.0));
        let index: Vec<_> = nodes.iter().map(|node| node.id).zip(0..).collect();
        let index = sorted(&index, |(id, _)| u64::from(id.0));
        let (mut zones, mut starts, mut before) = (Vec::new(), vec![0], vec![0.0]);
        let (mut end, mut sum) = (0, 0.0);
        for zone in nodes.chunk_by(|a, b| (a.region, a.zone) == (b.region, b.zone)) {
            let weights: Vec<f64> = zone.iter().map(|node| node.weight).collect();
            (end, sum) = (end + zone.len(), sum + weights.iter().sum::<f64>());
            zones.extend(zone.first().map(|node| (node.region, node.zone, Alias::new(&weights))));
            starts.push(end);
            before.push(sum);
        }
        Self { nodes, index, zones, starts, before, turns: RefCell::default(), maglev: OnceCell::new() }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// All of them, in the order of their dense index.
    #[must_use]
    pub fn nodes(&self) -> &[NodeSpec] {
        &self.nodes
    }

    /// The dense index of a node. O(log n).
    #[must_use]
    pub fn index(&self, id: NodeId) -> Option<usize> {
        let at = self.index.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.index.get(at).map(|(_, index)| *index)
    }

    /// What discovery says of a node. O(log n).
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeSpec> {
        self.nodes.get(self.index(id)?)
    }

    /// What a node weighs on average.
    pub(super) fn mean_weight(&self) -> f64 {
        self.before.last().copied().unwrap_or(0.0) / self.nodes.len().max(1) as f64
    }

    /// Near and far from a viewpoint. Who knows the zone only stands in the first region that has one of that name.
    pub(super) fn tiers(&self, region: RegionId, zone: RegionId) -> Tiers {
        let all = 0..self.zones.len();
        let nowhere = RegionId::default();
        if all.len() < 2 || (region, zone) == (nowhere, nowhere) {
            return Tiers::nested([all]);
        }
        let exact = self.zones.binary_search_by_key(&(region, zone), |(region, zone, _)| (*region, *zone)).ok();
        let own = match exact.filter(|_| zone != nowhere) {
            None if region == nowhere => self.zones.iter().position(|(_, name, _)| *name == zone),
            own => own,
        };
        let region = own.and_then(|own| self.zones.get(own)).map_or(region, |(of, ..)| *of);
        let own = own.map_or(0..0, |own| own..own + 1);
        let around = if region == nowhere {
            0..0
        } else {
            self.zones.partition_point(|(of, ..)| *of < region)..self.zones.partition_point(|(of, ..)| *of <= region)
        };
        Tiers::nested([own, around, all])
    }

    /// The weight of a tier.
    pub(super) fn weight(&self, tier: Tier) -> f64 {
        tier.sum(&self.before)
    }

    /// How many nodes there are in a tier.
    pub(super) fn size(&self, tier: Tier) -> usize {
        tier.runs(&self.starts).map(|run| run.len()).iter().sum()
    }

    /// The indices of a tier.
    pub(super) fn members(&self, tier: Tier) -> impl Iterator<Item = usize> {
        tier.runs(&self.starts).into_iter().flatten()
    }

    /// Running sums over the zones of what each node is worth, as [`Tier::sum`] wants them.
    pub(super) fn sums(&self, mut worth: impl FnMut(&NodeSpec) -> f64) -> Vec<f64> {
        let (mut sums, mut sum) = (vec![0.0], 0.0);
        for zone in self.nodes.chunk_by(|a, b| (a.region, a.zone) == (b.region, b.zone)) {
            sum += zone.iter().map(&mut worth).sum::<f64>();
            sums.push(sum);
        }
        sums
    }

    /// One node of a tier by weight: O(1) in nodes, O(log) in zones. `None` when the tier has no weight.
    pub(super) fn draw(&self, tier: Tier, rng: &mut Rng) -> Option<usize> {
        let weight = self.weight(tier);
        if weight <= 0.0 {
            return None;
        }
        let zone = if tier.to - tier.from == 1 {
            tier.from
        } else {
            let at = |zone: usize| self.before.get(zone).copied().unwrap_or(0.0);
            let mut mark = at(tier.from) + rng.unit() * weight;
            let (from, to) = if mark < at(tier.skip_from) {
                (tier.from, tier.skip_from)
            } else {
                mark += at(tier.skip_to) - at(tier.skip_from);
                (tier.skip_to, tier.to)
            };
            // The first zone whose end lies beyond the mark; rounding must not lead out of the run.
            let ends = self.before.get(from + 1..to).unwrap_or_default();
            from + ends.partition_point(|end| *end <= mark)
        };
        let (.., table) = self.zones.get(zone)?;
        Some(self.starts.get(zone)? + table.draw(rng)?)
    }

    /// One node of a tier, all alike.
    pub(super) fn draw_alike(&self, tier: Tier, rng: &mut Rng) -> Option<usize> {
        let [near, far] = tier.runs(&self.starts);
        let at = rng.below(self.size(tier) as u64) as usize;
        let at = if at < near.len() { near.start + at } else { far.start + at - near.len() };
        (at < near.end || far.contains(&at)).then_some(at)
    }

    /// The turns of a tier, as indices into `nodes`. Made once for all clients; they may be many when weights differ.
    pub(super) fn turns(&self, tier: Tier) -> Rc<[u32]> {
        let mut known = self.turns.borrow_mut();
        if let Some((_, turns)) = known.iter().find(|(of, _)| *of == tier) {
            return Rc::clone(turns);
        }
        let members: Vec<(u32, f64)> =
            self.members(tier).filter_map(|at| Some((at as u32, self.nodes.get(at)?.weight))).collect();
        let order = turns(&members.iter().map(|(_, weight)| *weight).collect::<Vec<_>>());
        let made: Rc<[u32]> = order.iter().filter_map(|at| Some(members.get(*at as usize)?.0)).collect();
        known.push((tier, Rc::clone(&made)));
        made
    }

    /// The table of sessions, made when the first is asked for.
    pub(super) fn maglev(&self) -> &Maglev {
        self.maglev.get_or_init(|| Maglev::new(&self.nodes))
    }
}

/// Weights are sums and ratios: one of 1e300 would be the end of both.
const HEAVIEST: f64 = 1e9;

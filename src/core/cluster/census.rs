//! How much of each tier may be given calls, counted now and then while some may not: when a tier spills into the next, and when so few are
//! left that health is better ignored. It decides by shares; which node is taken is decided elsewhere.

use super::node::NodeId;
use super::set::NodeSet;
use super::tier::{Tier, Tiers};
use super::wish::Admission;
use crate::time::{Duration, Instant};

/// One count of a set. Made only when a node refused, so that a healthy cluster never pays for it.
#[derive(Debug)]
pub(super) struct Census {
    taken: Instant,
    old: bool,
    /// The weight of those that admit: running sums over the zones.
    open: Vec<f64>,
    /// Of those that are not out of the question: which share may be given calls if need be.
    able: f64,
}

impl Census {
    /// Asks every node. `None` when all admit: there is nothing to remember.
    pub(super) fn take(set: &NodeSet, now: Instant, admits: &mut dyn FnMut(NodeId) -> Admission) -> Option<Self> {
        let (mut able, mut unable, mut closed) = (0u32, 0u32, false);
        let open = set.sums(|node| {
            let admission = admits(node.id);
            match admission {
                Admission::Yes | Admission::Suspect => able += 1,
                Admission::No => unable += 1,
                Admission::Never => (),
            }
            closed |= admission != Admission::Yes;
            if admission == Admission::Yes {
                node.weight
            } else {
                0.0
            }
        });
        let able = if able + unable > 0 { f64::from(able) / f64::from(able + unable) } else { 1.0 };
        closed.then_some(Self { taken: now, old: false, open, able })
    }

    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.old || now.since(self.taken) >= VALID
    }

    /// Something changed: it is not believed any more.
    pub(super) fn expire(&mut self) {
        self.old = true;
    }

    /// Which share of the calls each tier takes: as much as its open share allows, the rest spills to the next (Envoy's priority load). What
    /// nobody can take is spread by what there is. And whether to panic: too few of many are left, even with all tiers together.
    pub(super) fn shares(&self, set: &NodeSet, tiers: &Tiers, panic: f64) -> ([f64; 3], bool) {
        let (mut shares, mut rest) = ([0.0; 3], 1.0);
        for (share, tier) in shares.iter_mut().zip(tiers.iter()) {
            let weight = set.weight(tier);
            let bears = if weight > 0.0 { OVERPROVISIONED * tier.sum(&self.open) / weight } else { 0.0 };
            *share = bears.min(rest);
            rest -= *share;
        }
        // Sums of weights are only as exact as their order.
        (shares, rest > 1e-9 && self.able < panic && set.nodes().len() >= MANY)
    }

    /// Whether anybody in a tier admits.
    pub(super) fn admits(&self, tier: Tier) -> bool {
        tier.sum(&self.open) > 0.0
    }
}

/// What was counted is believed for so long: a count costs one question for each node.
const VALID: Duration = Duration::from_millis(250);
/// Panic spares the nodes that are left, and costs calls at those that are not. Of fewer than this, one that is well is worth more than
/// its load, and when none is the breaker's word is final.
const MANY: usize = 5;
/// A tier can take this many times its usual load per healthy node before it spills (Envoy's overprovisioning factor).
const OVERPROVISIONED: f64 = 1.4;

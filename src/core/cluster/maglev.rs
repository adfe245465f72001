//! Sessions to very many nodes in constant time: Maglev hashing (Eisenbud et al., NSDI 2016). A table that every client builds alike; when a
//! node goes, few sessions but its own move.

use super::node::NodeSpec;
use super::order::sorted;
use super::turn::turns;
use crate::rng::Rng;

/// Which node each of 65,537 slots belongs to, as an index into the nodes it was made of.
#[derive(Debug)]
pub(super) struct Maglev(Vec<u32>);

impl Maglev {
    /// Each node has slots by its weight. Nodes beyond the number of slots, and those of weight 0, have none. About 5 ms.
    pub(super) fn new(nodes: &[NodeSpec]) -> Self {
        // The same order in every client: by hash, not by the numbers that each gives out by itself.
        let order: Vec<(u32, &NodeSpec)> = (0..).zip(nodes).collect();
        let order = sorted(&order, |(_, node)| node.hash);
        let turns = turns(&order.iter().map(|(_, node)| node.weight).collect::<Vec<_>>());
        // Each node goes through the slots in an order of its own: where it is, and its step.
        let mut walks: Vec<(usize, usize)> = order
            .iter()
            .map(|(_, node)| {
                let mut rng = Rng::seeded(node.hash);
                (rng.below(SLOTS as u64) as usize, 1 + rng.below(SLOTS as u64 - 1) as usize)
            })
            .collect();
        let mut slots = vec![FREE; if turns.is_empty() { 0 } else { SLOTS }];
        let next = turns.iter().cycle().filter_map(|turn| Some((*turn, order.get(*turn as usize)?.0)));
        for (turn, node) in next.take(slots.len()) {
            let Some((at, step)) = walks.get_mut(turn as usize) else { continue };
            // The step and the prime number of slots have no common divisor: the walk comes to every slot, and there is a free one.
            while slots.get(*at).is_some_and(|slot| *slot != FREE) {
                *at = (*at + *step) % SLOTS;
            }
            if let Some(slot) = slots.get_mut(*at) {
                *slot = node;
            }
        }
        Self(slots)
    }

    /// The nodes of a session, the first choice first, without end (and with repetitions). Nothing of nothing.
    pub(super) fn choices(&self, session: u64) -> impl Iterator<Item = usize> + '_ {
        let mut rng = Rng::seeded(session);
        std::iter::from_fn(move || self.0.get(rng.below(self.0.len() as u64) as usize).map(|node| *node as usize))
    }
}

/// A prime, as in the paper.
const SLOTS: usize = 65_537;
const FREE: u32 = u32::MAX;

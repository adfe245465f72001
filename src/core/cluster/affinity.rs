//! The same session, the same node, from every client: weighted rendezvous hashing (Thaler and Ravishankar 1998; the logarithm is Schindelhauer
//! and Schomaker's, 2005), and where sessions live since. Which nodes admit is asked; when to ask is the balancer's.

use core::hash::BuildHasherDefault;

use lru::LruCache;

use super::node::{NodeId, NodeSpec};
use crate::policy::cache::Mix;
use crate::rng::Rng;

/// Where sessions of one client live. Of more than can be kept, those that were not heard of for longest are forgotten: they go where the
/// hash leads.
#[derive(Debug)]
pub(super) struct Pins(LruCache<u64, NodeId, BuildHasherDefault<Mix>>);

impl Pins {
    pub(super) fn new() -> Self {
        Self(LruCache::unbounded_with_hasher(BuildHasherDefault::default()))
    }

    /// Where it lives; this makes it the last one heard of.
    pub(super) fn find(&mut self, session: u64) -> Option<NodeId> {
        self.0.get(&session).copied()
    }

    /// The same, without being heard of.
    pub(super) fn peek(&self, session: u64) -> Option<NodeId> {
        self.0.peek(&session).copied()
    }

    pub(super) fn put(&mut self, session: u64, node: NodeId) {
        self.0.put(session, node);
        if self.0.len() > MOST {
            self.0.pop_lru();
        }
    }

    pub(super) fn remove(&mut self, session: u64) {
        self.0.pop(&session);
    }
}

/// How much a session belongs to a node: the greatest wins. Removing a node moves its own sessions only, and each node has its weight's share.
pub(super) fn score(session: u64, node: &NodeSpec) -> f64 {
    // One step of the generator mixes well, and says the same everywhere.
    node.weight / -Rng::seeded(session ^ node.hash).unit().ln()
}

const MOST: usize = 4_096;

#[cfg(test)]
mod tests {
    use super::{Pins, MOST};
    use crate::cluster::NodeId;

    #[test]
    fn of_too_many_sessions_the_one_not_heard_of_for_longest_is_forgotten() {
        let mut pins = Pins::new();
        for session in 0..MOST as u64 {
            pins.put(session, NodeId(1));
        }
        assert_eq!(pins.find(0), Some(NodeId(1)));
        pins.put(MOST as u64, NodeId(2));
        assert_eq!((pins.peek(0), pins.peek(1), pins.peek(MOST as u64)), (Some(NodeId(1)), None, Some(NodeId(2))));
        pins.remove(0);
        assert_eq!(pins.peek(0), None);
    }
}

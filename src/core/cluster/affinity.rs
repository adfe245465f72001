//! The same session, the same node, from every client: weighted rendezvous hashing (Thaler and Ravishankar 1998; the logarithm is Schindelhauer
//! and Schomaker's, 2005), and where sessions live since. Which nodes admit is asked; when to ask is the balancer's.

use super::node::{NodeId, NodeSpec};
use super::table::Table;
use crate::rng::Rng;

/// Where sessions of one client live. Of more than can be kept, those that were not heard of for longest are forgotten: they go where the
/// hash leads. A sorted list, and not the cache of the client, whose hash table would be 1 KB of this module; who has to leave is looked for,
/// which only a session costs that is new beyond the bound.
#[derive(Debug, Default)]
pub(super) struct Pins {
    sessions: Table<u64, Pin>,
    /// How often one was heard of.
    heard: u64,
}

#[derive(Debug)]
struct Pin {
    node: NodeId,
    /// The greatest is that of the session heard of last.
    heard: u64,
}

impl Pins {
    /// Where it lives; this makes it the last one heard of.
    pub(super) fn find(&mut self, session: u64) -> Option<NodeId> {
        let pin = self.sessions.get_mut(&session)?;
        self.heard += 1;
        pin.heard = self.heard;
        Some(pin.node)
    }

    /// The same, without being heard of.
    pub(super) fn peek(&self, session: u64) -> Option<NodeId> {
        self.sessions.get(&session).map(|pin| pin.node)
    }

    pub(super) fn put(&mut self, session: u64, node: NodeId) {
        self.heard += 1;
        let is_new = self.sessions.insert(session, Pin { node, heard: self.heard }).is_none();
        if is_new && self.sessions.len() > MOST {
            let longest_ago = self.sessions.iter().min_by_key(|(_, pin)| pin.heard).map(|(session, _)| *session);
            longest_ago.map(|session| self.sessions.remove(&session));
        }
    }

    pub(super) fn remove(&mut self, session: u64) {
        self.sessions.remove(&session);
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
        let mut pins = Pins::default();
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

//! The set of nodes that is believed, and how much it takes to believe that there are none: an empty list is what a source says that lost
//! its credentials (Consul without a token: 200 and `[]`), its data or its leases, more often than what is true. It asks nobody.

use crate::cluster::order::sorted;
use crate::cluster::{Change, NodeId, NodeSpec};
use crate::time::{Duration, Instant};

/// What became of the set.
#[derive(Clone, Debug, PartialEq)]
pub struct SetChange {
    /// All nodes, by id.
    pub nodes: Vec<NodeSpec>,
    /// Who came.
    pub added: Vec<NodeId>,
    /// Who went. With nobody here or in `added`, a node is only described anew.
    pub removed: Vec<NodeId>,
}

/// What an answer does to the set.
pub(super) enum Belief {
    /// Nothing: it is the set that was known.
    Same,
    /// It is the set now.
    Changed(SetChange),
    /// It says that there are no nodes, and is not believed yet; `true` the first time.
    Doubted(bool),
}

#[derive(Debug)]
pub(super) struct Known {
    nodes: Vec<NodeSpec>,
    confirmations: u32,
    /// Empty answers closer together than this are one.
    spacing: Duration,
    /// Empty answers in a row, and when the last of them counted.
    doubt: Option<(u32, Instant)>,
}

impl Known {
    pub(super) fn new(nodes: Vec<NodeSpec>, confirmations: u32, spacing: Duration) -> Self {
        Self { nodes: ordered(nodes), confirmations, spacing, doubt: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// The last answer said that there are no nodes, and was not believed.
    pub(super) fn in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// A source listed all nodes, in any order (Consul shuffles them).
    pub(super) fn replace(&mut self, now: Instant, nodes: Vec<NodeSpec>) -> Belief {
        let nodes = ordered(nodes);
        if nodes.is_empty() && !self.nodes.is_empty() {
            let (count, first) = match self.doubt {
                None => (1, true),
                Some((count, at)) if now.since(at) < self.spacing => {
                    self.doubt = Some((count, at));
                    return Belief::Doubted(false);
                }
                Some((count, _)) => (count.saturating_add(1), false),
            };
            if count < self.confirmations {
                self.doubt = Some((count, now));
                return Belief::Doubted(first);
            }
        }
        self.doubt = None;
        self.adopt(nodes)
    }

    /// A source said what changed since it was asked last.
    pub(super) fn apply(&mut self, now: Instant, changes: Vec<Change>) -> Belief {
        let mut nodes = self.nodes.clone();
        for change in changes {
            let (id, spec) = match change {
                Change::Put(spec) => (spec.id, Some(spec)),
                Change::Gone(id) => (id, None),
            };
            nodes.retain(|node| node.id != id);
            nodes.extend(spec);
        }
        self.replace(now, nodes)
    }

    fn adopt(&mut self, nodes: Vec<NodeSpec>) -> Belief {
        if nodes == self.nodes {
            return Belief::Same;
        }
        let only = |some: &[NodeSpec], others: &[NodeSpec]| -> Vec<NodeId> {
            let known = |id| others.binary_search_by_key(&id, |node| node.id).is_ok();
            some.iter().map(|node| node.id).filter(|id| !known(*id)).collect()
        };
        let (added, removed) = (only(&nodes, &self.nodes), only(&self.nodes, &nodes));
        self.nodes.clone_from(&nodes);
        Belief::Changed(SetChange { nodes, added, removed })
    }
}

/// By id, each once: of two with the same name the first is taken.
fn ordered(mut nodes: Vec<NodeSpec>) -> Vec<NodeSpec> {
    nodes = sorted(&nodes, |node| u64::from(node.id.0));
    nodes.dedup_by_key(|node| node.id);
    nodes
}

//! The nodes there are, immutable and shared: a new discovery makes a new set. It holds nothing that belongs to one client, so that a
//! hundred thousand simulated ones share it, and knows nobody's health.

use super::alias::Alias;
use super::node::{NodeId, NodeSpec};
use crate::rng::Rng;

/// All nodes of a cluster, each with a dense index below `len`.
#[derive(Debug)]
pub struct NodeSet {
    nodes: Vec<NodeSpec>,
    /// By id.
    index: Vec<(NodeId, u32)>,
    all: Alias,
}

impl NodeSet {
    /// O(n). Weights that are negative or no numbers count as 0; of a node that is named twice, the last word holds.
    #[must_use]
    pub fn new(mut nodes: Vec<NodeSpec>) -> Self {
        nodes.reverse();
        nodes.sort_by_key(|node| node.id);
        nodes.dedup_by_key(|node| node.id);
        for node in &mut nodes {
            node.weight = if node.weight.is_finite() { node.weight.max(0.0) } else { 0.0 };
        }
        let index = nodes.iter().zip(0..).map(|(node, at)| (node.id, at)).collect();
        let all = Alias::new(&nodes.iter().map(|node| node.weight).collect::<Vec<_>>());
        Self { nodes, index, all }
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

    /// The dense index of a node.
    #[must_use]
    pub fn index(&self, id: NodeId) -> Option<usize> {
        let at = self.index.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.index.get(at).map(|(_, index)| *index as usize)
    }

    /// What discovery says of a node.
    #[must_use]
    pub fn node(&self, id: NodeId) -> Option<&NodeSpec> {
        self.nodes.get(self.index(id)?)
    }

    /// One node by weight.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<usize> {
        self.all.draw(rng)
    }
}

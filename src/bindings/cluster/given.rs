//! What the next call of the boundary is about beside its arguments: lists of numbers, and names, of which only the hash is kept. One
//! crossing for each number or letter costs nanoseconds and spares memory that both sides would share.

use std::cell::RefCell;

use bowline_core::{NameHash, NodeId, NodeSpec, RegionId};
use wasm_bindgen::prelude::wasm_bindgen;

/// A node in numbers: its id, weight, region and zone. Its name is among the names.
const NODE: usize = 4;

/// What was given and not used yet.
#[derive(Default)]
pub(crate) struct Given {
    pub(crate) numbers: Vec<f64>,
    pub(crate) names: Vec<u64>,
    spelled: NameHash,
}

thread_local! {
    static GIVEN: RefCell<Given> = RefCell::default();
}

/// One more number.
#[wasm_bindgen]
pub fn give(number: f64) {
    GIVEN.with_borrow_mut(|given| given.numbers.push(number));
}

/// One more UTF-16 unit of the name that comes.
#[wasm_bindgen]
pub fn spell(unit: i32) {
    GIVEN.with_borrow_mut(|given| given.spelled.push(unit as u16));
}

/// The name is complete.
#[wasm_bindgen]
pub fn name() {
    GIVEN.with_borrow_mut(|given| {
        let hash = std::mem::take(&mut given.spelled).finish();
        given.names.push(hash);
    });
}

/// All of it; what comes then is for the next.
pub(crate) fn given() -> Given {
    GIVEN.take()
}

impl Given {
    /// A node for each name, from the first numbers on; and the numbers behind those.
    pub(crate) fn nodes(&self) -> (Vec<NodeSpec>, &[f64]) {
        let ends = self.numbers.len().min(NODE * self.names.len());
        let (described, rest) = self.numbers.split_at(ends);
        let nodes = described.chunks_exact(NODE).zip(&self.names).filter_map(|(numbers, &hash)| match *numbers {
            [id, weight, region, zone] => Some(NodeSpec {
                id: NodeId(id as u32),
                hash,
                weight,
                region: RegionId(region as u32),
                zone: RegionId(zone as u32),
            }),
            _ => None,
        });
        (nodes.collect(), rest)
    }
}

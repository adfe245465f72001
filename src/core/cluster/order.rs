//! One sort for everything that is sorted here: the one of the standard library is 5 KB of module for each kind of thing, and nothing is sorted
//! often.

use std::collections::BinaryHeap;

/// The places of the keys in their order; equal ones stay as they were.
pub(super) fn order(keys: impl Iterator<Item = u64>) -> Vec<u32> {
    let keyed: Vec<(u64, u32)> = keys.zip(0..).collect();
    BinaryHeap::from(keyed).into_sorted_vec().into_iter().map(|(_, at)| at).collect()
}

/// The things in the order of their keys.
pub(super) fn sorted<T: Clone>(things: &[T], key: impl Fn(&T) -> u64) -> Vec<T> {
    order(things.iter().map(key)).into_iter().filter_map(|at| things.get(at as usize)).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::{order, sorted};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_sorts_and_keeps_equals_as_they_were(things in prop::collection::vec((0u64..20, any::<u8>()), 0..100)) {
            let mut expected = things.clone();
            expected.sort_by_key(|(key, _)| *key);
            prop_assert_eq!(sorted(&things, |(key, _)| *key), expected);
            prop_assert_eq!(order(things.iter().map(|(key, _)| *key)).len(), things.len());
        }
    }
}

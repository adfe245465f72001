//! Weighted chance in constant time: an alias table (Walker 1974, built as Vose 1991). It knows numbers, no nodes.

use crate::rng::Rng;

/// Draws an index with the probability of its weight. Eight bytes an entry; built in O(n), drawn in O(1).
#[derive(Debug)]
pub(super) struct Alias(Vec<Entry>);

/// One bucket: below `keep` of `u32::MAX` the draw stays here, else it goes to `other`.
#[derive(Clone, Copy, Debug)]
struct Entry {
    keep: u32,
    other: u32,
}

impl Alias {
    /// For weights that are finite and not negative. When all are 0, all are alike.
    pub(super) fn new(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        let mean = sum / weights.len() as f64;
        // What each bucket holds, of one mean weight.
        let mut held: Vec<f64> = weights.iter().map(|weight| if sum > 0.0 { weight / mean } else { 1.0 }).collect();
        let mut entries: Vec<Entry> = (0..).zip(&held).map(|(at, _)| Entry { keep: u32::MAX, other: at }).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) =
            (0..held.len()).partition(|at| held.get(*at).is_some_and(|held| *held < 1.0));
        while let (Some(small), Some(large)) = (poor.pop(), rich.pop()) {
            let share = held.get(small).copied().unwrap_or(1.0);
            if let Some(entry) = entries.get_mut(small) {
                *entry = Entry { keep: (share * f64::from(u32::MAX)) as u32, other: large as u32 };
            }
            if let Some(left) = held.get_mut(large) {
                *left -= 1.0 - share;
                if *left < 1.0 { &mut poor } else { &mut rich }.push(large);
            }
        }
        Self(entries)
    }

    /// One draw; `None` of nothing.
    pub(super) fn draw(&self, rng: &mut Rng) -> Option<usize> {
        let bits = rng.bits();
        // The high half chooses the bucket (multiply and shift), the low half whether to stay in it.
        let at = (((bits >> 32) * self.0.len() as u64) >> 32) as usize;
        self.0
            .get(at)
            .map(|entry| if (bits as u32) <= entry.keep && entry.keep > 0 { at } else { entry.other as usize })
    }
}

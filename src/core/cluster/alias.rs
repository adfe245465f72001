//! Weighted chance in constant time: an alias table (Walker 1974, built as Vose 1991). It knows numbers, no nodes.

use crate::rng::Rng;

/// Draws an index with the probability of its weight. Eight bytes an entry; built in O(n), drawn in O(1).
#[derive(Debug)]
pub(super) struct Alias(Vec<Entry>);

/// One bucket of equal size: a draw stays here with the chance `keep` / 2^32, else it goes to `other` (itself, where it is full).
#[derive(Clone, Copy, Debug)]
struct Entry {
    keep: u32,
    other: u32,
}

impl Alias {
    /// For weights that are finite and not negative. When all are 0, all are alike.
    pub(super) fn new(weights: &[f64]) -> Self {
        let sum: f64 = weights.iter().sum();
        // What each bucket holds, in mean weights.
        let scale = if sum > 0.0 { weights.len() as f64 / sum } else { 0.0 };
        let mut held: Vec<f64> = weights.iter().map(|weight| if scale > 0.0 { weight * scale } else { 1.0 }).collect();
        let mut entries: Vec<Entry> = (0..).zip(weights).map(|(at, _)| Entry { keep: 0, other: at }).collect();
        let (mut poor, mut rich): (Vec<usize>, Vec<usize>) =
            (0..held.len()).partition(|at| held.get(*at).is_some_and(|held| *held < 1.0));
        // What is left over when one of the two is empty is full but for rounding.
        while let Some(small) = poor.pop() {
            let Some(large) = rich.pop() else { break };
            let share = held.get(small).copied().unwrap_or(1.0);
            if let Some(entry) = entries.get_mut(small) {
                *entry = Entry { keep: (share * 4_294_967_296.0) as u32, other: large as u32 };
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
        self.0.get(at).map(|entry| if (bits as u32) < entry.keep { at } else { entry.other as usize })
    }
}

#[cfg(test)]
mod tests {
    use super::Alias;
    use crate::rng::Rng;

    /// Pearson's chi-square of so many draws, over the weights above 0; one that has none must never be drawn.
    fn chi_square(weights: &[f64], draws: u32) -> f64 {
        let (alias, mut rng) = (Alias::new(weights), Rng::seeded(7));
        let mut counts = vec![0u32; weights.len()];
        for _ in 0..draws {
            let count = alias.draw(&mut rng).and_then(|at| counts.get_mut(at));
            *count.unwrap_or(&mut 0) += 1;
        }
        assert_eq!(counts.iter().sum::<u32>(), draws);
        let sum: f64 = weights.iter().sum();
        let term = |(weight, count): (&f64, &u32)| {
            let expected = f64::from(draws) * weight / sum;
            assert!(*weight > 0.0 || *count == 0, "a weight of 0 was drawn");
            if *weight > 0.0 {
                (f64::from(*count) - expected).powi(2) / expected
            } else {
                0.0
            }
        };
        weights.iter().zip(&counts).map(term).sum()
    }

    #[test]
    fn a_draw_is_as_likely_as_its_weight() {
        // 99.9 % quantiles of chi-square for 2, 4 and 99 degrees of freedom.
        assert!(chi_square(&[1.0, 2.0, 7.0], 100_000) < 13.8);
        assert!(chi_square(&[0.0, 1e-3, 5.0, 0.0, 0.1, 3.0, 90.0], 1_000_000) < 18.5);
        let many: Vec<f64> = (1..=100).map(f64::from).collect();
        assert!(chi_square(&many, 1_000_000) < 148.3);
    }

    #[test]
    fn weights_of_nothing_but_zero_are_all_alike_and_nothing_gives_nothing() {
        let (alias, mut rng) = (Alias::new(&[0.0, 0.0]), Rng::seeded(1));
        let ones = (0..1_000).filter(|_| alias.draw(&mut rng) == Some(1)).count();
        assert!((400..600).contains(&ones), "{ones}");
        assert_eq!(Alias::new(&[]).draw(&mut rng), None);
    }
}

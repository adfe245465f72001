//! Near and far: what a viewpoint makes of the zones of a set. A tier is a run of zones without the nearer tier in its middle. Numbers only;
//! which node is chosen in it, and when it is left, is decided elsewhere.

use std::ops::Range;

/// Zones `from..to` but not `skip_from..skip_to`, which lies between them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Tier {
    pub(super) from: usize,
    pub(super) skip_from: usize,
    pub(super) skip_to: usize,
    pub(super) to: usize,
}

/// The tiers of one viewpoint, the nearest first: own zone, rest of the region, everywhere else. Each node is in one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Tiers {
    tiers: [Tier; 3],
    len: usize,
}

impl Tier {
    /// Of running sums over the zones (one more than zones, from 0), the sum of this tier.
    pub(super) fn sum(self, before: &[f64]) -> f64 {
        let at = |zone: usize| before.get(zone).copied().unwrap_or(0.0);
        (at(self.skip_from) - at(self.from)) + (at(self.to) - at(self.skip_to))
    }

    /// Of the first index of every zone (and the end), the two runs of indices of this tier.
    pub(super) fn runs(self, starts: &[usize]) -> [Range<usize>; 2] {
        let at = |zone: usize| starts.get(zone).copied().unwrap_or(0);
        [at(self.from)..at(self.skip_from), at(self.skip_to)..at(self.to)]
    }
}

impl Tiers {
    /// Of runs of zones that each hold the one before; what adds nothing is left out.
    pub(super) fn nested(runs: impl IntoIterator<Item = Range<usize>>) -> Self {
        let mut tiers = Self::default();
        let mut inner = None::<Range<usize>>;
        for run in runs {
            let skip = inner.clone().unwrap_or(run.end..run.end);
            if skip != run && !run.is_empty() {
                if let Some(tier) = tiers.tiers.get_mut(tiers.len) {
                    *tier = Tier { from: run.start, skip_from: skip.start, skip_to: skip.end, to: run.end };
                    tiers.len += 1;
                }
                inner = Some(run);
            }
        }
        tiers
    }

    /// From near to far.
    pub(super) fn iter(&self) -> impl Iterator<Item = Tier> + '_ {
        self.tiers.iter().take(self.len).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::{Tier, Tiers};

    #[test]
    fn every_tier_is_what_the_nearer_ones_are_not() {
        let starts = [0, 2, 3, 7, 9];
        let tiers: Vec<Tier> = Tiers::nested([1..2, 1..3, 0..4]).iter().collect();
        let members: Vec<Vec<usize>> =
            tiers.iter().map(|tier| tier.runs(&starts).into_iter().flatten().collect()).collect();
        assert_eq!(members, [vec![2], vec![3, 4, 5, 6], vec![0, 1, 7, 8]]);
        let before = [0.0, 10.0, 11.0, 16.0, 36.0];
        assert_eq!(tiers.iter().map(|tier| tier.sum(&before)).collect::<Vec<_>>(), [1.0, 5.0, 30.0]);
    }

    #[test]
    fn a_tier_that_adds_nothing_is_left_out() {
        assert_eq!(Tiers::nested([0..1, 0..1, 0..1]).iter().count(), 1);
        assert_eq!(Tiers::nested([2..2, 0..1, 0..3]).iter().count(), 2);
        assert_eq!(Tiers::nested(std::iter::once(0..0)).iter().count(), 0);
    }
}

//! How many of the last things went badly: counts over a sliding time of ten buckets, of constant size. What is counted, and what bad
//! means, is the caller's.

use crate::time::{Duration, Instant};

/// Buckets. The oldest goes as a whole, so the window is between nine and ten of them long.
const BUCKETS: u64 = 10;

#[derive(Clone, Debug)]
pub(super) struct Window {
    /// The length of a bucket.
    unit: Duration,
    /// The number of the latest bucket since the origin of the clock.
    at: u64,
    /// All, and the bad ones.
    counts: [(u32, u32); BUCKETS as usize],
}

impl Default for Window {
    /// Of ten seconds.
    fn default() -> Self {
        Self::new(Duration::from_millis(10_000))
    }
}

impl Window {
    /// An empty window of `length`.
    pub(super) fn new(length: Duration) -> Self {
        Self { unit: Duration::from_micros(length.as_micros() / BUCKETS), at: 0, counts: [(0, 0); BUCKETS as usize] }
    }

    pub(super) fn record(&mut self, now: Instant, bad: bool) {
        let latest = self.bucket(now);
        // What lies between the last record and this one is empty.
        for empty in (self.at + 1..=latest).rev().take(BUCKETS as usize) {
            if let Some(count) = self.counts.get_mut((empty % BUCKETS) as usize) {
                *count = (0, 0);
            }
        }
        self.at = self.at.max(latest);
        if let Some((all, failed)) = self.counts.get_mut((self.at % BUCKETS) as usize) {
            *all = all.saturating_add(1);
            *failed = failed.saturating_add(u32::from(bad));
        }
    }

    /// All of the last time, and the bad ones.
    pub(super) fn totals(&self, now: Instant) -> (u32, u32) {
        let latest = self.bucket(now);
        let old = latest.saturating_sub(self.at).min(BUCKETS);
        (old..BUCKETS).fold((0u32, 0u32), |(all, bad), back| {
            let age = self.at.checked_sub(back - old);
            let count = age.and_then(|bucket| self.counts.get((bucket % BUCKETS) as usize)).copied();
            let (more, worse) = count.unwrap_or_default();
            (all.saturating_add(more), bad.saturating_add(worse))
        })
    }

    fn bucket(&self, now: Instant) -> u64 {
        now.since(Instant::default()).whole(self.unit)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;
    use crate::time::Instant;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_counts_what_lies_in_its_last_ten_buckets(
            mut moments in prop::collection::vec((0u64..60_000, any::<bool>()), 0..200),
            rest in 0u64..20_000,
        ) {
            moments.sort_unstable();
            let mut window = Window::default();
            for (ms, bad) in &moments {
                window.record(Instant::from_millis(*ms as f64), *bad);
            }
            let now = moments.last().map_or(0, |(ms, _)| *ms) + rest;
            let recent = moments.iter().filter(|(ms, _)| ms / 1_000 + 10 > now / 1_000);
            let (all, bad) = recent.fold((0, 0), |(all, bad), (_, failed)| (all + 1, bad + u32::from(*failed)));
            prop_assert_eq!(window.totals(Instant::from_millis(now as f64)), (all, bad));
        }
    }
}

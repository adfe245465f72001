//! Quantiles of spans in one pass and bounded memory: a histogram whose buckets grow with the value, 64 to each doubling, so that every
//! answer is within 1 % of the truth (the idea of HdrHistogram and DDSketch, without logarithms). It knows only numbers.

use crate::time::Duration;

/// Buckets to a doubling, as a power of two.
const BITS: u32 = 6;
const STEPS: u64 = 1 << BITS;
/// Spans beyond 2.4 hours count as that long, which bounds the memory to 7 KB.
const LONGEST: u64 = 1 << 33;

/// How often spans of about each length occurred.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sketch {
    counts: Vec<u32>,
    total: u64,
    /// In microseconds.
    sum: u64,
    longest: Duration,
}

impl Sketch {
    /// Counts one span. Constant time; memory grows with the longest.
    pub(crate) fn record(&mut self, span: Duration) {
        self.record_at(bucket_of(span), span);
    }

    /// As [`Sketch::record`], for a span that several count: they share the search for its bucket.
    pub(crate) fn record_at(&mut self, at: usize, span: Duration) {
        if self.counts.len() <= at {
            self.counts.resize(at + 1, 0);
        }
        if let Some(count) = self.counts.get_mut(at) {
            *count = count.saturating_add(1);
        }
        self.total += 1;
        self.sum = self.sum.saturating_add(span.as_micros());
        self.longest = self.longest.max(span);
    }

    /// How many spans were counted.
    pub(crate) fn samples(&self) -> u64 {
        self.total
    }

    /// Their mean, in milliseconds; 0 of none.
    pub(crate) fn mean(&self) -> f64 {
        if self.total == 0 {
            0.0
        } else {
            self.sum as f64 / self.total as f64 / 1000.0
        }
    }

    /// The longest, in milliseconds.
    pub(crate) fn max(&self) -> f64 {
        self.longest.as_millis()
    }

    /// The span that `share` of all do not exceed (0.99: p99), in milliseconds, within 1 %; 0 of none.
    pub(crate) fn quantile(&self, share: f64) -> f64 {
        let rank = (share * self.total as f64).max(1.0);
        let mut passed = 0.0;
        for (at, count) in (0u64..).zip(&self.counts) {
            passed += f64::from(*count);
            if passed >= rank {
                return (middle(at) / 1000.0).min(self.max());
            }
        }
        self.max()
    }
}

/// The bucket of a span.
pub(crate) fn bucket_of(span: Duration) -> usize {
    bucket(span.as_micros().min(LONGEST))
}

/// The bucket of a value: exact below 64, then 64 to each doubling.
fn bucket(value: u64) -> usize {
    let shift = (value | 1).ilog2().saturating_sub(BITS);
    let within = (value >> shift) & (STEPS - 1);
    let octave = if value < STEPS { 0 } else { u64::from(shift) + 1 };
    (octave * STEPS + within) as usize
}

/// The middle of a bucket's values.
fn middle(bucket: u64) -> f64 {
    match (bucket / STEPS).checked_sub(1) {
        None => bucket as f64,
        Some(shift) => {
            let width = (1u64 << shift) as f64;
            (STEPS + bucket % STEPS) as f64 * width + (width - 1.0) / 2.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_quantile_is_within_one_percent_of_the_exact_one(
            mut spans in prop::collection::vec(0u64..5_000_000_000, 1..400),
            share in 0.0f64..=1.0,
        ) {
            let mut sketch = Sketch::default();
            spans.iter().for_each(|span| sketch.record(Duration::from_micros(*span)));
            spans.sort_unstable();
            let rank = ((share * spans.len() as f64).ceil() as usize).max(1);
            let exact = spans.get(rank - 1).copied().unwrap_or_default() as f64 / 1000.0;
            let told = sketch.quantile(share);
            prop_assert!((told - exact).abs() <= exact * 0.01 + 0.001, "{told} is not {exact}");
        }

        #[test]
        fn a_longer_span_never_falls_into_an_earlier_bucket(a in 0u64..LONGEST, b in 0u64..LONGEST) {
            prop_assert!(a > b || bucket(a) <= bucket(b));
        }
    }

    #[test]
    fn nothing_recorded_is_zero() {
        let sketch = Sketch::default();
        assert_eq!((sketch.quantile(0.5), sketch.max(), sketch.mean(), sketch.samples()), (0.0, 0.0, 0.0, 0));
    }

    #[test]
    fn an_absurdly_long_span_costs_no_more_memory_than_a_long_one() {
        let mut sketch = Sketch::default();
        sketch.record(Duration::from_millis(u64::MAX / 2000));
        assert!(sketch.counts.len() < 2_000);
    }
}

//! What is written down while a crowd calls: how long each call took, exactly, and where calls went when. It judges nothing.

use bowline_core::{Duration, Instant};

/// Bins of a tenth of a second.
const BIN: Duration = Duration::from_millis(100);
const BINS_PER_SECOND: usize = 10;

/// The record of a run.
#[derive(Debug)]
pub struct Account {
    from: Instant,
    /// Microseconds; every call, not a sketch of them: the judge must not have an error of its own.
    latencies: Vec<u32>,
    sorted: bool,
    /// Calls to each node, by bin.
    bins: Vec<Vec<u32>>,
    nodes: usize,
}

impl Account {
    /// An empty record of so many nodes, which begins at a time.
    #[must_use]
    pub fn new(nodes: usize, from: Instant) -> Self {
        Self { from, latencies: Vec::new(), sorted: true, bins: Vec::new(), nodes }
    }

    /// A call went to a node.
    pub fn on_sent(&mut self, node: usize, now: Instant) {
        if now < self.from {
            return;
        }
        let bin = now.since(self.from).whole(BIN) as usize;
        if self.bins.len() <= bin {
            self.bins.resize(bin + 1, vec![0; self.nodes]);
        }
        self.bins[bin][node] += 1;
    }

    /// A call that was sent at a time came back.
    pub fn on_back(&mut self, sent: Instant, now: Instant) {
        if sent >= self.from {
            self.latencies.push(u32::try_from(now.since(sent).as_micros()).unwrap_or(u32::MAX));
            self.sorted = false;
        }
    }

    /// Calls that came back.
    #[must_use]
    pub fn count(&self) -> usize {
        self.latencies.len()
    }

    /// Their mean, in milliseconds.
    #[must_use]
    pub fn mean(&self) -> f64 {
        self.latencies.iter().map(|us| f64::from(*us) / 1000.0).sum::<f64>() / self.latencies.len().max(1) as f64
    }

    /// The span that this share of them did not exceed, in milliseconds; 0 of none.
    pub fn quantile(&mut self, share: f64) -> f64 {
        if !self.sorted {
            self.latencies.sort_unstable();
            self.sorted = true;
        }
        let rank = (share * self.latencies.len() as f64).ceil() as usize;
        self.latencies.get(rank.saturating_sub(1)).map_or(0.0, |us| f64::from(*us) / 1000.0)
    }

    /// Calls to each node.
    #[must_use]
    pub fn picks(&self) -> Vec<u64> {
        let sum = |node: usize| self.bins.iter().map(|bin| u64::from(bin[node])).sum();
        (0..self.nodes).map(sum).collect()
    }

    /// The most calls that a node got in any second (by tenths), over what it should have got: `share(node)` of `rate` per second.
    pub fn worst_second(&self, rate: f64, share: impl Fn(usize) -> f64) -> f64 {
        let node = |node: usize| {
            let most = self.bins.windows(BINS_PER_SECOND).map(|second| second.iter().map(|bin| bin[node]).sum::<u32>());
            f64::from(most.max().unwrap_or(0)) / (rate * share(node))
        };
        (0..self.nodes).filter(|at| share(*at) > 0.0).map(node).fold(0.0, f64::max)
    }

    /// Coefficient of variation of the nodes' calls, each over its share: 0 is perfect.
    pub fn imbalance(&self, share: impl Fn(usize) -> f64) -> f64 {
        let picks = self.picks();
        let total: u64 = picks.iter().sum();
        let ratios: Vec<f64> = (0..).zip(&picks).map(|(at, n)| *n as f64 / (total as f64 * share(at))).collect();
        let mean = ratios.iter().sum::<f64>() / ratios.len() as f64;
        let variance = ratios.iter().map(|ratio| (ratio - mean).powi(2)).sum::<f64>() / ratios.len() as f64;
        variance.sqrt() / mean
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ms;

    #[test]
    fn a_quantile_is_the_call_of_that_rank() {
        let mut account = Account::new(1, Instant::default());
        let begin = Instant::default();
        (1..=100).for_each(|n| account.on_back(begin, begin + ms(n)));
        assert_eq!((account.quantile(0.5), account.quantile(0.99), account.quantile(1.0)), (50.0, 99.0, 100.0));
        assert!((account.mean() - 50.5).abs() < 1e-9);
    }

    #[test]
    fn what_was_sent_before_the_record_begins_is_not_in_it() {
        let begin = Instant::default() + ms(1_000);
        let mut account = Account::new(1, begin);
        account.on_sent(0, Instant::default());
        account.on_back(Instant::default(), begin + ms(1));
        assert_eq!((account.count(), account.picks()), (0, vec![0]));
    }

    #[test]
    fn the_worst_second_is_found_wherever_it_begins() {
        let mut account = Account::new(2, Instant::default());
        for at in [0, 900, 1_000, 1_800, 1_850, 5_000] {
            account.on_sent(0, Instant::default() + ms(at));
        }
        assert!((account.worst_second(4.0, |_| 0.5) - 2.0).abs() < 1e-9, "four within 900..1900");
    }

    #[test]
    fn equal_nodes_with_equal_calls_are_in_balance() {
        let mut account = Account::new(2, Instant::default());
        (0..2).for_each(|node| account.on_sent(node, Instant::default()));
        assert!(account.imbalance(|_| 0.5) < 1e-9);
        account.on_sent(0, Instant::default());
        account.on_sent(0, Instant::default());
        assert!((account.imbalance(|_| 0.5) - 0.5).abs() < 1e-9, "3 and 1: 0.5 on each side of 1");
    }
}

//! How many requests will come: an online forecast of the rate of every node and of all together, one bin and twelve bins ahead. It knows
//! only counts by bin, advises and decides nothing; how many nodes a rate needs is `capacity`'s matter.

mod series;

use super::capacity::Capacity;
use super::node::NodeId;
use crate::time::{Duration, Instant};
use series::{Series, AHEAD, FARTHEST, HIGHEST, LONGEST};

const DAY: Duration = Duration::from_millis(86_400_000);
const WEEK: Duration = Duration::from_millis(7 * 86_400_000);
/// Nodes with a series of their own; the others count in the total only.
const MOST_NODES: usize = 128;
/// A node without a request for so many bins is forgotten.
const FORGOTTEN: usize = 288;

/// What is expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Forecast {
    /// Length of a bin.
    pub bin: Duration,
    /// Full bins seen, up to now.
    pub observed: u64,
    /// All nodes together, one bin and twelve bins ahead; empty as long as there is too little to go by.
    pub total: Vec<Point>,
    /// Each node that had a request of late, by its id.
    pub nodes: Vec<(NodeId, Vec<Point>)>,
    /// How many nodes of the configured capacity carry the higher of the upper bounds of `total`; `None` without a capacity, without a
    /// forecast, or when no number does. Advice: nothing acts on it.
    pub needed: Option<u32>,
}

/// One forecast.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// Of the bin that ends so long after the last full one.
    pub after: Duration,
    /// Requests per second, median.
    pub rate: f64,
    /// Nine of ten bins lie between this
    pub low: f64,
    /// and this.
    pub high: f64,
}

/// Counts requests and forecasts their rate. A request costs a counter; a bin costs the same for each series whatever its past.
#[derive(Clone, Debug)]
pub struct Forecaster {
    bin: Duration,
    seasons: [usize; 2],
    capacity: Option<Capacity>,
    /// When the current bin began; `None` before the first request.
    began: Option<Instant>,
    observed: u64,
    count: u32,
    total: Series,
    /// By their ids.
    nodes: Vec<Node>,
}

#[derive(Clone, Debug)]
struct Node {
    id: NodeId,
    count: u32,
    /// Bins without a request, in a row.
    quiet: usize,
    series: Series,
}

impl Forecaster {
    /// Forecasts in bins of this length (at least a millisecond; 5 minutes is a good one), with advice for nodes of this capacity. Bins
    /// shorter than 5 minutes lose sight of the week, shorter than 43 s of the day.
    #[must_use]
    pub fn new(bin: Duration, capacity: Option<Capacity>) -> Self {
        let bin = bin.max(Duration::from_millis(1));
        let seasons = [DAY, WEEK].map(|season| season.whole(bin) as usize);
        Self {
            bin,
            seasons: seasons.map(|bins| if (2 * FARTHEST..=LONGEST).contains(&bins) { bins } else { 0 }),
            capacity,
            began: None,
            observed: 0,
            count: 0,
            total: Series::default(),
            nodes: Vec::new(),
        }
    }

    /// A request goes to a node now.
    pub fn on_request(&mut self, node: NodeId, now: Instant) {
        self.began.get_or_insert(now);
        self.pass(now);
        self.count = self.count.saturating_add(1);
        let at = match self.nodes.binary_search_by_key(&node, |known| known.id) {
            Ok(at) => at,
            Err(_) if self.nodes.len() >= MOST_NODES => return,
            Err(at) => {
                self.nodes.insert(at, Node { id: node, count: 0, quiet: 0, series: Series::default() });
                at
            }
        };
        if let Some(node) = self.nodes.get_mut(at) {
            node.count = node.count.saturating_add(1);
        }
    }

    /// What is expected, by the bins that are full now.
    pub fn forecast(&mut self, now: Instant) -> Forecast {
        self.pass(now);
        let total = self.points(&self.total);
        let high = total.iter().map(|point| point.high).fold(0.0, f64::max);
        let needed = self.capacity.filter(|_| !total.is_empty()).and_then(|capacity| capacity.nodes_for(high));
        let nodes = self.nodes.iter().map(|node| (node.id, self.points(&node.series)));
        let nodes = nodes.filter(|(_, points)| !points.is_empty()).collect();
        Forecast { bin: self.bin, observed: self.observed, total, nodes, needed }
    }

    fn points(&self, series: &Series) -> Vec<Point> {
        let seconds = self.bin.as_millis() / 1000.0;
        let rate = |log: f64| (log.clamp(0.0, HIGHEST).exp() - 1.0) / seconds;
        let point = |((told, [low, high]), ahead): ((f64, [f64; 2]), usize)| Point {
            after: self.bin.mul_f64(ahead as f64),
            rate: rate(told),
            low: rate(told + low.min(0.0)),
            high: rate(told + high.max(0.0)),
        };
        series.foretold().into_iter().flatten().zip(AHEAD).map(point).collect()
    }

    /// Closes the bins that are over.
    fn pass(&mut self, now: Instant) {
        let Some(began) = self.began else { return };
        let over = now.since(began).whole(self.bin);
        if over == 0 {
            return;
        }
        self.began = Some(began + Duration::from_micros(self.bin.as_micros().saturating_mul(over)));
        self.observed = self.observed.saturating_add(over);
        if over > LONGEST as u64 {
            // A silence longer than all that is remembered: as if nothing had been.
            (self.total, self.count) = (Series::default(), 0);
            return self.nodes.clear();
        }
        for _ in 0..over {
            let count = core::mem::take(&mut self.count);
            self.total.push(count, self.seasons);
            let seasons = self.seasons;
            self.nodes.retain_mut(|node| {
                let count = core::mem::take(&mut node.count);
                node.quiet = if count == 0 { node.quiet + 1 } else { 0 };
                node.series.push(count, seasons);
                node.quiet < FORGOTTEN
            });
        }
    }
}

//! How many nodes a rate of requests needs (Erlang C, Erlang 1917). It knows neither the rate's future nor who the nodes are.

use crate::time::Duration;

/// What one node can do, and what is asked of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Capacity {
    /// Requests per second that one node serves when it has no pause.
    pub rate: f64,
    /// How many it works on at once; at least 1. One takes `workers / rate` seconds on average, exponentially distributed.
    pub workers: u32,
    /// When it is enough.
    pub goal: Goal,
}

/// When there are enough nodes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Goal {
    /// When each is busy for at most this share of the time, 0 to 1.
    Utilisation(f64),
    /// When 99 of 100 requests are answered within this time, waiting included, on each node (an M/M/workers queue of its own: a balancer
    /// that looks at load does better than that).
    P99(Duration),
}

/// More than anybody has: a goal that so many do not reach is not reached.
const MOST: u32 = 1_000_000;

impl Capacity {
    /// The fewest nodes that together reach the goal at this rate of requests per second; `None` when no number does, or when the capacity
    /// or the rate is no positive number. At least 1.
    #[must_use]
    pub fn nodes_for(&self, rate: f64) -> Option<u32> {
        let sound = self.rate.is_finite() && self.rate > 0.0 && self.workers > 0 && rate.is_finite() && rate >= 0.0;
        if !sound || !self.is_enough(rate, MOST) {
            return None;
        }
        // The more nodes, the better each: by halves.
        let (mut few, mut enough) = (0, MOST);
        while enough - few > 1 {
            let middle = few + (enough - few) / 2;
            if self.is_enough(rate, middle) {
                enough = middle;
            } else {
                few = middle;
            }
        }
        Some(enough)
    }

    fn is_enough(&self, rate: f64, nodes: u32) -> bool {
        let busy = rate / f64::from(nodes) / self.rate;
        match self.goal {
            Goal::Utilisation(most) => busy <= most && busy <= 1.0,
            Goal::P99(limit) => busy < 1.0 && self.later_than(busy, limit) <= 0.01,
        }
    }

    /// The share of requests that take longer than `limit` on a node that is busy for that share of the time: P(T > t) of an M/M/c queue.
    fn later_than(&self, busy: f64, limit: Duration) -> f64 {
        let workers = f64::from(self.workers);
        // Time in units of the mean service time.
        let time = limit.as_millis() / 1000.0 * self.rate / workers;
        let idle = workers * (1.0 - busy);
        let waits = waiting(self.workers, workers * busy);
        let slack = idle - 1.0;
        let at_work = (-time).exp();
        // Both terms stay below 1 whatever the time, unlike their quotient.
        let after_wait = if slack.abs() < 1e-9 { time * at_work } else { (at_work - (-idle * time).exp()) / slack };
        at_work + waits * after_wait
    }
}

/// The share of requests that find all `workers` busy when `load` of them are on average (Erlang C, by the recursion of Erlang B).
fn waiting(workers: u32, load: f64) -> f64 {
    let blocked = (1..=workers).fold(1.0, |blocked, n| load * blocked / (f64::from(n) + load * blocked));
    let busy = load / f64::from(workers);
    blocked / (1.0 - busy * (1.0 - blocked))
}

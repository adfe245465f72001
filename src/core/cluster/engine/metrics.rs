//! The counters of a cluster: the seed's seven, and the few that explain them. Nothing here decides anything.

use super::{Cluster, Duration, Instant, NodePhase, Sketch, Window};

/// Counters since the cluster's creation; gauges are as of now. Times are in milliseconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ClusterMetrics {
    /// Gauge: nodes of the set.
    pub total_nodes: u64,
    /// Gauge: of those, the ones that may be given calls without a doubt.
    pub healthy_nodes: u64,
    /// Calls that were asked for.
    pub total_requests: u64,
    /// Of those, settled with an answer of a node, be it a JSON-RPC error.
    pub successful_requests: u64,
    /// Mean time from creation to settle of those, all attempts together.
    pub average_latency: f64,
    /// How often a breaker opened.
    pub circuit_breaker_trips: u64,
    /// Answered calls per second over the last ten.
    pub throughput: f64,
    /// Of the times from creation to settle, half are not longer.
    pub p50: f64,
    /// 95 of 100 are not longer.
    pub p95: f64,
    /// 99 of 100 are not longer.
    pub p99: f64,
    /// Sendings to another node, after a failure or beside a slow one.
    pub failovers: u64,
    /// Second attempts that were wanted beforehand.
    pub hedges: u64,
    /// Of those, the ones that answered first.
    pub hedges_won: u64,
    /// Choices of the node where the session of the call lives already.
    pub sticky_hits: u64,
    /// Choices that ignored health, since too few nodes were left.
    pub panics: u64,
    /// Times that a call did not go on to another node, or was not hedged, because too many fail.
    pub budget_exhausted: u64,
    /// Calls that were refused here, because all nodes refuse, or because what is under way is too late already.
    pub throttled: u64,
    /// Gauge: how unevenly sendings since the last change of the set are spread over nodes, each by its weight: standard deviation by mean;
    /// 0: exactly by weight.
    pub balance_cv: f64,
    /// Gauge: how long ago the source of nodes was heard; `None` before it was, and of a static list.
    pub discovery_age: Option<f64>,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) total: u64,
    pub(super) failovers: u64,
    pub(super) hedges: u64,
    hedges_won: u64,
    pub(super) budget_exhausted: u64,
    pub(super) throttled: u64,
    /// Of nodes that are not there any more.
    pub(super) trips: u64,
    latency: Sketch,
    /// Of the last ten seconds.
    answers: Window,
}

impl Tally {
    pub(super) fn on_answer(&mut self, now: Instant, took: Duration, by_hedge: bool) {
        self.latency.record(took);
        self.answers.record(now, false);
        self.hedges_won += u64::from(by_hedge);
    }
}

impl Cluster {
    /// The counters, with the gauges as of `now`.
    #[must_use]
    pub fn metrics(&self, now: Instant) -> ClusterMetrics {
        let tally = &self.tally;
        let nodes = self.nodes(now);
        let healthy = nodes.iter().filter(|node| node.phase == NodePhase::Closed && !node.draining).count();
        let trips: u64 = nodes.iter().map(|node| u64::from(node.trips)).sum();
        ClusterMetrics {
            total_nodes: self.balancer.set().len() as u64,
            healthy_nodes: healthy as u64,
            total_requests: tally.total,
            successful_requests: tally.latency.samples(),
            average_latency: tally.latency.mean(),
            circuit_breaker_trips: trips + tally.trips,
            throughput: f64::from(tally.answers.totals(now).0) / 10.0,
            p50: tally.latency.quantile(0.50),
            p95: tally.latency.quantile(0.95),
            p99: tally.latency.quantile(0.99),
            failovers: tally.failovers,
            hedges: tally.hedges,
            hedges_won: tally.hedges_won,
            sticky_hits: self.balancer.tally().sticky,
            panics: self.balancer.tally().panic,
            budget_exhausted: tally.budget_exhausted,
            throttled: tally.throttled,
            balance_cv: self.balance_cv(),
            discovery_age: self.discovery.age(now).map(Duration::as_millis),
        }
    }

    fn balance_cv(&self) -> f64 {
        let nodes = self.balancer.set().nodes().iter().filter(|node| node.weight > 0.0);
        let share = |id| self.members.get(id).map_or(0.0, |member| f64::from(member.share));
        let loads: Vec<f64> = nodes.map(|node| share(&node.id) / node.weight).collect();
        let mean = loads.iter().sum::<f64>() / loads.len() as f64;
        let variance = loads.iter().map(|load| (load - mean) * (load - mean)).sum::<f64>() / loads.len() as f64;
        if mean > 0.0 {
            variance.sqrt() / mean
        } else {
            0.0
        }
    }
}

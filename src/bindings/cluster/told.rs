//! What the core says, as numbers: for each output its kind and then its fields, in the order of the package's cluster-told.ts. Taken one
//! by one, so that nothing has to be allocated or copied for them on the other side.

use std::cell::RefCell;

use bowline_core::{
    Cluster, ClusterEvent, ClusterMetrics, ClusterOutput, Duration, Forecast, NodeId, NodePhase, NodeStatus, Outcome,
    Point, Query, Refusal,
};
use wasm_bindgen::prelude::wasm_bindgen;

thread_local! {
    /// The last first.
    static TOLD: RefCell<Vec<f64>> = const { RefCell::new(Vec::new()) };
}

/// The next of the numbers that the last call has promised; NaN behind the last.
#[wasm_bindgen]
#[must_use]
pub fn take() -> f64 {
    TOLD.with_borrow_mut(|told| told.pop().unwrap_or(f64::NAN))
}

/// Puts numbers where [`take`] finds them, and says how many.
pub(crate) fn tell(write: impl FnOnce(&mut Vec<f64>)) -> i32 {
    TOLD.with_borrow_mut(|told| {
        told.clear();
        write(told);
        told.reverse();
        told.len() as i32
    })
}

/// Everything the cluster wants done now; `sent` hears to whom calls go.
pub(crate) fn drain(cluster: &mut Cluster, told: &mut Vec<f64>, mut sent: impl FnMut(NodeId)) {
    loop {
        let output = cluster.poll_output();
        push(&output, told);
        if let ClusterOutput::Send { node, .. } = output {
            sent(node);
        }
        if matches!(output, ClusterOutput::Timeout(_)) {
            return;
        }
    }
}

fn push(output: &ClusterOutput, told: &mut Vec<f64>) {
    match output {
        ClusterOutput::Open(node) => told.extend([0.0, number(*node)]),
        ClusterOutput::Shut(node) => told.extend([1.0, number(*node)]),
        ClusterOutput::Send { route, attempt, node, timeout } => {
            told.extend([2.0, f64::from(route.0), f64::from(attempt.0), number(*node), timeout.as_millis()]);
        }
        ClusterOutput::Abort(attempt) => told.extend([3.0, f64::from(attempt.0)]),
        ClusterOutput::Settle(route, attempt) => told.extend([4.0, f64::from(route.0), f64::from(attempt.0)]),
        ClusterOutput::Fail(route, refusal) => {
            let (kind, value) = refused(*refusal);
            told.extend([5.0, f64::from(route.0), kind, value]);
        }
        ClusterOutput::Probe(node, timeout) => told.extend([6.0, number(*node), timeout.as_millis()]),
        ClusterOutput::Ask(Query::List { endpoint, index, wait }) => {
            told.extend([7.0, f64::from(*endpoint), *index as f64, wait.as_millis()]);
        }
        ClusterOutput::Ask(Query::Watch { endpoint, revision, idle }) => {
            told.extend([8.0, f64::from(*endpoint), *revision as f64, idle.as_millis()]);
        }
        ClusterOutput::Event(event) => push_event(event, told),
        ClusterOutput::Timeout(at) => told.extend([17.0, at.map_or(f64::NAN, |at| at.as_millis())]),
    }
}

fn push_event(event: &ClusterEvent, told: &mut Vec<f64>) {
    match event {
        ClusterEvent::NodeUp(node) => told.extend([9.0, number(*node)]),
        ClusterEvent::NodeDown(node) => told.extend([10.0, number(*node)]),
        ClusterEvent::Phase(node, from, to) => told.extend([11.0, number(*node), phase(*from), phase(*to)]),
        ClusterEvent::Discovery { added, removed } => {
            told.extend([12.0, added.len() as f64, removed.len() as f64]);
            told.extend(added.iter().chain(removed).map(|node| number(*node)));
        }
        ClusterEvent::DiscoveryEmpty => told.push(13.0),
        ClusterEvent::DiscoveryFailed(times) => told.extend([14.0, f64::from(*times)]),
        ClusterEvent::Failover { route, from, to, outcome } => {
            told.extend([15.0, f64::from(route.0), number(*from), number(*to), f64::from(index(*outcome))]);
        }
        ClusterEvent::Hedged(route, node) => told.extend([16.0, f64::from(route.0), number(*node)]),
    }
}

fn refused(refusal: Refusal) -> (f64, f64) {
    let flag = |is: bool| f64::from(u8::from(is));
    match refusal {
        Refusal::NoNode => (0.0, f64::NAN),
        Refusal::NoHealthyNode(wait) => (1.0, wait.map_or(f64::NAN, Duration::as_millis)),
        Refusal::CircuitOpen(wait) => (2.0, wait.as_millis()),
        Refusal::Timeout(sent) => (3.0, flag(sent)),
        Refusal::Aborted(sent) => (4.0, flag(sent)),
        Refusal::Closed(sent) => (5.0, flag(sent)),
    }
}

/// Eleven numbers of a node.
pub(crate) fn push_status(status: &NodeStatus, told: &mut Vec<f64>) {
    let flag = |is: bool| f64::from(u8::from(is));
    let span = |span: Option<Duration>| span.map_or(f64::NAN, Duration::as_millis);
    told.extend([
        number(status.id),
        phase(status.phase),
        flag(status.draining),
        flag(status.up),
        f64::from(status.active),
        span(status.latency),
        status.weight,
        status.attempts as f64,
        status.failures as f64,
        f64::from(status.trips),
        span(status.retry_in),
    ]);
}

/// The counters, in the order of the package's cluster-counters.ts.
pub(crate) fn push_metrics(metrics: &ClusterMetrics, told: &mut Vec<f64>) {
    told.extend([
        metrics.total_nodes as f64,
        metrics.healthy_nodes as f64,
        metrics.total_requests as f64,
        metrics.successful_requests as f64,
        metrics.average_latency,
        metrics.circuit_breaker_trips as f64,
        metrics.throughput,
        metrics.failovers as f64,
        metrics.hedges as f64,
        metrics.hedges_won as f64,
        metrics.sticky_hits as f64,
        metrics.balance_cv,
        metrics.budget_exhausted as f64,
        metrics.panics as f64,
        metrics.throttled as f64,
        metrics.discovery_age.unwrap_or(f64::NAN),
        metrics.p50,
        metrics.p95,
        metrics.p99,
    ]);
}

/// The bin, how many were seen, how many nodes are needed (NaN: unknown); then of all together and of each node its id (NaN: all), how many
/// points there are, and four numbers for each.
pub(crate) fn push_forecast(forecast: &Forecast, told: &mut Vec<f64>) {
    told.extend([forecast.bin.as_millis(), forecast.observed as f64, forecast.needed.map_or(f64::NAN, f64::from)]);
    push_points(f64::NAN, &forecast.total, told);
    for (node, points) in &forecast.nodes {
        push_points(number(*node), points, told);
    }
}

fn push_points(whose: f64, points: &[Point], told: &mut Vec<f64>) {
    told.extend([whose, points.len() as f64]);
    for point in points {
        told.extend([point.after.as_millis(), point.rate, point.low, point.high]);
    }
}

fn number(node: NodeId) -> f64 {
    f64::from(node.0)
}

fn phase(phase: NodePhase) -> f64 {
    match phase {
        NodePhase::Closed => 0.0,
        NodePhase::Suspect => 1.0,
        NodePhase::Open => 2.0,
        NodePhase::HalfOpen => 3.0,
        NodePhase::Isolated => 4.0,
    }
}

fn index(outcome: Outcome) -> u8 {
    match outcome {
        Outcome::NotSent => 0,
        Outcome::NotApplied => 1,
        Outcome::Applied => 2,
        Outcome::Unknown => 3,
    }
}

//! The configuration from its numbers, in the order of the package's cluster-options.ts, which has checked them. What is not a number
//! (NaN) leaves the default; this is the only place beside it that knows the order.

use bowline_core::{Capacity, ClusterConfig, Duration, Forecaster, Goal, Hedge, RegionId, SourceKind, Strategy, Trips};

/// How many numbers a configuration has; behind them come the nodes.
pub(crate) const COUNT: usize = 30;

/// At most this share of all calls has a second attempt beside the first.
const HEDGES: f64 = 0.05;
/// Load is counted in bins of this length,
const BIN: Duration = Duration::from_millis(300_000);
/// and nodes are to be busy for at most this share of the time.
const BUSY: f64 = 0.7;

pub(crate) fn parse(numbers: &[f64]) -> (ClusterConfig, Forecaster) {
    let mut config = ClusterConfig::default();
    let mut next = numbers.iter().copied();
    let mut number = || next.next().filter(|value| !value.is_nan());
    let span = |value: f64| Duration::from_millis_f64(value);
    let set = |place: &mut Duration, value: Option<f64>| *place = value.map_or(*place, span);

    config.strategy = match number().map(|value| value as u32) {
        Some(1) => Strategy::RoundRobin,
        Some(2) => Strategy::LeastConnections,
        Some(3) => Strategy::Weighted,
        Some(4) => Strategy::Sticky,
        Some(5) => Strategy::Latency,
        Some(6) => Strategy::Random,
        _ => config.strategy,
    };
    let mut trips = Trips::default();
    let enabled = number() != Some(0.0);
    trips.consecutive = number().map_or(trips.consecutive, |value| value as u32);
    trips.share = number().unwrap_or(trips.share);
    trips.minimum = number().map_or(trips.minimum, |value| value as u32);
    set(&mut trips.reset, number());
    set(&mut trips.longest, number());
    trips.successes = number().map_or(trips.successes, |value| value as u32);
    trips.timeouts = number().map_or(trips.timeouts, |value| value != 0.0);
    config.breaker = enabled.then_some(trips);

    config.health.interval = number().filter(|value| *value > 0.0).map(span);
    set(&mut config.health.timeout, number());
    config.health.healthy = number().map_or(config.health.healthy, |value| value as u32);
    config.health.unhealthy = number().map_or(config.health.unhealthy, |value| value as u32);

    config.max_nodes = number().map_or(config.max_nodes, |value| value.min(255.0) as u8);
    config.unsafe_failover = number().map_or(config.unsafe_failover, |value| value != 0.0);
    let (hedge, after) = (number(), number());
    config.hedge = hedge.filter(|on| *on != 0.0).map(|_| Hedge { after: after.map(span), share: HEDGES });
    set(&mut config.timeout, number());
    config.region = number().map_or(config.region, |value| RegionId(value as u32));
    config.zone = number().map_or(config.zone, |value| RegionId(value as u32));
    config.home = number().map_or(config.home, |value| RegionId(value as u32));

    let discovery = &mut config.discovery;
    discovery.source = match number().map(|value| value as u32) {
        Some(1) => SourceKind::Poll,
        Some(2) => SourceKind::Consul,
        Some(3) => SourceKind::Etcd,
        _ => SourceKind::Static,
    };
    discovery.endpoints = number().map_or(discovery.endpoints, |value| value as u32);
    set(&mut discovery.interval, number());
    discovery.watch = number().map_or(discovery.watch, |value| value != 0.0);

    let bin = number().map_or(BIN, span);
    let (rate, workers, p99, busy) = (number(), number(), number(), number());
    let goal = p99.map_or(Goal::Utilisation(busy.unwrap_or(BUSY)), |limit| Goal::P99(span(limit)));
    let capacity = rate.map(|rate| Capacity { rate, workers: workers.map_or(1, |value| value as u32), goal });
    (config, Forecaster::new(bin, capacity))
}

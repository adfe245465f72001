//! What one choice among 10 to 10,000 nodes costs, natively: `cargo bench -p bowline-core --bench pick`. It prints nanoseconds and fails when a
//! strategy is not flat (more than 3 times from the cheapest size to the dearest). Latencies of crowds are the simulator's.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Instant as Clock;

use bowline_core::{
    Admission, Balancer, ClusterConfig, Duration, Instant, NodeId, NodeSet, NodeSpec, RegionId, Rng, Strategy, Wish,
};

const SIZES: [u32; 4] = [10, 100, 1_000, 10_000];
const PICKS: u32 = 200_000;
const ROUNDS: usize = 9;
const FLAT: f64 = 3.0;

fn main() -> ExitCode {
    println!("ns per pick of n nodes: the quickest of {ROUNDS} rounds of {PICKS}");
    println!("{:46}{}", "", SIZES.map(|n| format!("{n:>9}")).concat());
    let strategies = [
        ("adaptive, all fresh", Strategy::Adaptive, None),
        ("round-robin", Strategy::RoundRobin, None),
        ("least-connections", Strategy::LeastConnections, None),
        ("weighted", Strategy::Weighted, None),
        ("latency", Strategy::Latency, None),
        ("random", Strategy::Random, None),
        ("sticky, 1,000 sessions that live somewhere", Strategy::Sticky, Some(1_000)),
    ];
    let mut flat = true;
    for (name, strategy, sessions) in strategies {
        let costs = SIZES.map(|n| cost(n, strategy, sessions, false));
        let (least, most) = costs.iter().fold((f64::MAX, 0.0f64), |(least, most), ns| (least.min(*ns), most.max(*ns)));
        flat &= most <= FLAT * least;
        row(name, costs, &format!("{:.1}x", most / least));
    }
    row("adaptive, a tenth refuses (not gated)", SIZES.map(|n| cost(n, Strategy::Adaptive, None, true)), "");
    row("sticky, a new session (not gated)", SIZES.map(|n| cost(n, Strategy::Sticky, Some(u64::MAX), false)), "");
    row("a new set of nodes (not gated)", SIZES.map(build), "");
    row("a new set of nodes, for each node", SIZES.map(|n| build(n) / f64::from(n)), "");
    println!("{}", if flat { "flat within 3x" } else { "NOT flat within 3x" });
    if flat {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn row(name: &str, costs: [f64; 4], more: &str) {
    println!("{name:46}{}{more:>8}", costs.map(|ns| format!("{ns:>9.0}")).concat());
}

/// Nodes of five weights.
fn nodes(n: u32) -> Vec<NodeSpec> {
    let node = |id: u32| NodeSpec {
        id: NodeId(id),
        hash: Rng::seeded(id.into()).bits(),
        weight: f64::from(1 + id % 5),
        region: RegionId(0),
        zone: RegionId(0),
    };
    (0..n).map(node).collect()
}

/// Of a client that has fresh answers of all nodes, and calls under way at some.
fn cost(n: u32, strategy: Strategy, sessions: Option<u64>, ill: bool) -> f64 {
    let (mut rng, now) = (Rng::seeded(1), Instant::from_millis(1.0));
    let set = Rc::new(NodeSet::new(nodes(n)));
    let mut balancer = Balancer::new(strategy, &ClusterConfig::default(), set, &mut rng);
    for id in (0..n).map(NodeId) {
        balancer.on_sent(id, now);
        balancer.on_back(id, now, Some(Duration::from_millis(10 + rng.below(90))));
        if rng.below(2) == 0 {
            balancer.on_sent(id, now);
        }
    }
    let mut admits = |node: NodeId| if ill && node.0 % 10 == 3 { Admission::No } else { Admission::Yes };
    quickest(|| {
        let start = Clock::now();
        for _ in 0..PICKS {
            let session = sessions.map(|sessions| Rng::seeded(rng.below(sessions)).bits());
            let wish = Wish { session, ..Wish::default() };
            black_box(balancer.pick(now, &mut rng, &wish, &mut admits));
        }
        start.elapsed().as_nanos() as f64 / f64::from(PICKS)
    })
}

fn build(n: u32) -> f64 {
    quickest(|| {
        let nodes = nodes(n);
        let start = Clock::now();
        black_box(NodeSet::new(nodes));
        start.elapsed().as_nanos() as f64
    })
}

/// The rounds in which the machine had something else to do are no part of the cost.
fn quickest(mut measure: impl FnMut() -> f64) -> f64 {
    (0..ROUNDS).map(|_| measure()).fold(f64::MAX, f64::min)
}

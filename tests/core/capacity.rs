//! How many nodes a rate needs: against tables of Erlang C, against a simulated queue, and as advice on a forecast, where the number told
//! an hour ahead has to be enough when the hour has come.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{Capacity, Forecaster, Goal, Instant, NodeId, Rng};
use bowline_support::ms;
use proptest::prelude::*;

const BIN: u64 = 300_000;
const DAY: usize = 288;

/// The 99th percentile, in seconds, of an M/M/workers queue that is busy `rate / capacity` of the time: `calls` of them, simulated.
fn simulated_p99(rate: f64, capacity: &Capacity, calls: usize, rng: &mut Rng) -> f64 {
    let mean = f64::from(capacity.workers) / capacity.rate;
    let exponential = |rng: &mut Rng, mean: f64| -mean * (1.0 - rng.unit()).ln();
    let mut free = vec![0.0f64; capacity.workers as usize];
    let mut now = 0.0;
    let mut took: Vec<f64> = (0..calls)
        .map(|_| {
            now += exponential(rng, 1.0 / rate);
            // First come, first served: the worker that is free first takes it.
            let (at, ready) = free.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1)).unwrap_or_default();
            free[at] = ready.max(now) + exponential(rng, mean);
            free[at] - now
        })
        .collect();
    // Not the first tenth, which found everybody idle.
    let mut took = took.split_off(calls / 10);
    took.sort_unstable_by(f64::total_cmp);
    took[took.len() * 99 / 100]
}

#[test]
fn a_share_of_busy_time_is_a_division() {
    let capacity = Capacity { rate: 100.0, workers: 4, goal: Goal::Utilisation(0.7) };
    let needed = [0.0, 1.0, 70.0, 70.1, 700.0, 7_000.0].map(|rate| capacity.nodes_for(rate));
    assert_eq!(needed, [1, 1, 1, 2, 10, 100].map(Some));
}

#[test]
fn the_fewest_nodes_keep_the_time_and_one_less_does_not() {
    let mut rng = Rng::seeded(1);
    for (workers, limit, rate) in [(1, 150, 500.0), (4, 100, 900.0), (4, 250, 3_000.0), (16, 300, 5_000.0)] {
        let capacity = Capacity { rate: 50.0 * f64::from(workers), workers, goal: Goal::P99(ms(limit)) };
        let needed = capacity.nodes_for(rate).unwrap_or_default();
        let p99 = |nodes: u32, rng: &mut Rng| 1_000.0 * simulated_p99(rate / f64::from(nodes), &capacity, 300_000, rng);
        let (enough, less) = (p99(needed, &mut rng), p99(needed - 1, &mut rng));
        println!("{workers} workers, {limit} ms, {rate}/s: {needed} nodes {enough:.0} ms, one less {less:.0} ms");
        assert!(
            enough < 1.04 * limit as f64 && less > 0.97 * limit as f64,
            "{needed} nodes: {enough}, one less: {less}"
        );
    }
}

#[test]
fn the_tables_of_erlang_are_met() {
    // Two workers, half busy: a third waits (Erlang C = 1/3); P(T > t) = e^-t (1 + t / 3) where no slack is left, in service times.
    let share = |seconds: f64| (-seconds).exp() * (1.0 + seconds / 3.0);
    let limit = (1..).map(|t| f64::from(t) / 1_000.0).find(|t| share(*t) <= 0.01).unwrap_or_default();
    let goal = |seconds: f64| Goal::P99(ms((1_000.0 * seconds) as u64));
    let capacity = Capacity { rate: 2.0, workers: 2, goal: goal(limit + 0.002) };
    assert_eq!(capacity.nodes_for(10.0), Some(10));
    assert_eq!(Capacity { goal: goal(limit - 0.002), ..capacity }.nodes_for(10.0), Some(11));
    // One worker: P(T > t) = e^(-(mu - lambda) t); with mu 10, lambda 5 the p99 is ln(100) / 5.
    let single = Capacity { rate: 10.0, workers: 1, goal: goal(100f64.ln() / 5.0 + 0.001) };
    assert_eq!(single.nodes_for(50.0), Some(10));
}

#[test]
fn what_no_number_of_nodes_reaches_has_none() {
    let capacity = Capacity { rate: 10.0, workers: 1, goal: Goal::P99(ms(400)) };
    assert_eq!(capacity.nodes_for(1.0), None, "the work itself takes 460 ms in one of a hundred cases");
    for rate in [f64::NAN, f64::INFINITY, -1.0, 1e12] {
        assert_eq!(capacity.nodes_for(rate), None);
    }
    let useless = [
        Capacity { rate: 0.0, ..capacity },
        Capacity { workers: 0, ..capacity },
        Capacity { goal: Goal::Utilisation(0.0), ..capacity },
        Capacity { goal: Goal::Utilisation(f64::NAN), ..capacity },
    ];
    assert_eq!(useless.map(|capacity| capacity.nodes_for(1.0)), [None; 4]);
}

/// Requests in each bin of four weeks: days, and a noise of a tenth.
fn days(rng: &mut Rng) -> Vec<u32> {
    let count = |bin: usize| {
        let day = (core::f64::consts::TAU * bin as f64 / DAY as f64).sin();
        let noise: f64 = (0..12).map(|_| rng.unit()).sum::<f64>() - 6.0;
        (6.5 + 0.9 * day + 0.1 * noise).exp() as u32
    };
    (0..28 * DAY).map(count).collect()
}

#[test]
fn the_number_advised_an_hour_ahead_is_enough_when_the_hour_has_come() {
    let mut rng = Rng::seeded(3);
    let (counts, limit) = (days(&mut rng), 92);
    let capacity = Capacity { rate: 0.1, workers: 1, goal: Goal::P99(ms(1_000 * limit)) };
    let mut forecaster = Forecaster::new(ms(BIN), Some(capacity));
    let (mut decisions, mut broken, mut broken_by_now, mut nodes, mut ideal) = (0, 0, 0, 0, 0);
    for bin in 0..counts.len() - 12 {
        let begin = Instant::default() + ms(BIN * bin as u64);
        (0..counts[bin]).for_each(|_| forecaster.on_request(NodeId(1), begin));
        if bin < 14 * DAY || bin % 17 != 0 {
            continue;
        }
        let advised = forecaster.forecast(begin + ms(BIN)).needed.unwrap_or_default();
        let rate = |bin: usize| f64::from(counts[bin]) / (BIN as f64 / 1_000.0);
        let by_now = capacity.nodes_for(rate(bin)).unwrap_or_default();
        let mut late = |nodes: u32| {
            let p99 = simulated_p99(rate(bin + 12) / f64::from(nodes), &capacity, 20_000, &mut rng);
            p99 > 1.05 * limit as f64
        };
        decisions += 1;
        broken += u32::from(late(advised));
        broken_by_now += u32::from(late(by_now));
        nodes += advised;
        ideal += capacity.nodes_for(rate(bin + 12)).unwrap_or_default();
    }
    println!("{decisions} decisions: p99 broken in {broken}, by the present rate {broken_by_now}; {nodes} nodes, {ideal} had been enough");
    assert!(decisions > 200);
    assert!(f64::from(broken) < 0.08 * f64::from(decisions));
    assert!(broken_by_now > 4 * broken);
    assert!(f64::from(nodes) < 1.4 * f64::from(ideal));
}

proptest! {
    #[test]
    fn more_load_never_needs_fewer_nodes_and_a_stricter_goal_never_fewer(
        rate in 0.1..1_000.0f64,
        workers in 1u32..64,
        load in 0.0..100_000.0f64,
        more in 1.0..3.0f64,
        limit in 1u64..10_000,
    ) {
        let capacity = Capacity { rate, workers, goal: Goal::P99(ms(limit)) };
        let nodes = |capacity: Capacity, load: f64| capacity.nodes_for(load).unwrap_or(u32::MAX);
        prop_assert!(nodes(capacity, load) <= nodes(capacity, load * more));
        let stricter = Capacity { goal: Goal::P99(ms(limit / 2)), ..capacity };
        prop_assert!(nodes(capacity, load) <= nodes(stricter, load));
    }
}

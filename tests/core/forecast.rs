//! The forecast of load against what everybody has for free: the last value, a moving average, the value of a week ago. On series made up
//! from a seed (a daily and a weekly rhythm, drift, bursts, Poisson noise), of which the forecast sees nothing before it happens.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{Capacity, Duration, Forecast, Forecaster, Goal, Instant, NodeId, Point, Rng};
use bowline_support::ms;
use proptest::prelude::*;

const BIN: u64 = 300_000;
const SECONDS: f64 = 300.0;
const DAY: usize = 288;
const WEEK: usize = 7 * DAY;
const AHEAD: [usize; 2] = [1, 12];

/// What a made-up series is like.
#[derive(Clone, Copy)]
struct Like {
    seed: u64,
    /// The logarithm of the usual number of requests in a bin.
    level: f64,
    /// When the day begins, as a part of a turn.
    dawn: f64,
    /// Now and then nothing is sent for 100 minutes.
    outages: bool,
}

const USUAL: Like = Like { seed: 1, level: 7.0, dawn: 0.0, outages: false };

/// Four weeks of requests per bin of five minutes.
fn series(like: Like) -> Vec<u32> {
    let mut rng = Rng::seeded(like.seed);
    let (mut drift, mut burst) = (0.0f64, 0.0f64);
    let turn = |bin: usize| core::f64::consts::TAU * (bin as f64 / DAY as f64 - like.dawn);
    let count = |bin: usize| {
        let daily = turn(bin).sin() + 0.35 * (2.0 * turn(bin)).sin();
        let weekend = if matches!(bin / DAY % 7, 5 | 6) { 0.5 } else { 0.0 };
        drift = 0.995 * drift + 0.008 * normal(&mut rng);
        burst = if rng.unit() < 0.003 { 0.3 + 0.9 * rng.unit() } else { 0.88 * burst };
        let log = like.level + 0.95 * daily - weekend + drift + burst + 0.04 * normal(&mut rng);
        let out = like.outages && bin > 3_000 && bin % 2_500 < 20;
        let mean = if out { 0.0 } else { log.exp() };
        (mean + mean.sqrt() * normal(&mut rng)).max(0.0) as u32
    };
    (0..4 * WEEK).map(count).collect()
}

fn normal(rng: &mut Rng) -> f64 {
    let radius = -2.0 * (1.0 - rng.unit()).ln();
    radius.sqrt() * (core::f64::consts::TAU * rng.unit()).cos()
}

/// Mean absolute percentage errors over the second half of the series, where anything was sent at all.
fn errors(counts: &[u32], mut ahead: impl FnMut(usize) -> [f64; 2]) -> [f64; 2] {
    let mut seen = [Vec::new(), Vec::new()];
    for bin in 0..counts.len() - 12 {
        let told = ahead(bin);
        for ((seen, told), h) in seen.iter_mut().zip(told).zip(AHEAD) {
            let real = f64::from(counts[bin + h]);
            if bin >= 2 * WEEK && real > 0.0 {
                seen.push(100.0 * (told - real).abs() / real);
            }
        }
    }
    seen.map(|errors| errors.iter().sum::<f64>() / errors.len() as f64)
}

/// Lives through one bin; node `i` gets `counts[i]` requests.
fn live(forecaster: &mut Forecaster, bin: usize, counts: &[u32]) -> Forecast {
    let begin = Instant::default() + ms(BIN * bin as u64);
    for (node, count) in (1..).zip(counts) {
        (0..*count).for_each(|_| forecaster.on_request(NodeId(node), begin));
    }
    forecaster.forecast(begin + ms(BIN))
}

fn in_counts(points: &[Point]) -> [f64; 2] {
    [0, 1].map(|at| points.get(at).map_or(0.0, |point| point.rate * SECONDS))
}

/// The errors of the last value, of an exponential moving average, and of the value of a week ago.
fn free(counts: &[u32]) -> [(&'static str, [f64; 2]); 3] {
    let of = |bin: usize| f64::from(counts[bin]);
    let mut level = of(0);
    [
        ("last value", errors(counts, |bin| [of(bin); 2])),
        (
            "EWMA 0.3",
            errors(counts, |bin| {
                level += 0.3 * (of(bin) - level);
                [level; 2]
            }),
        ),
        ("last week", errors(counts, |bin| AHEAD.map(|h| (bin + h).checked_sub(WEEK).map_or(0.0, of)))),
    ]
}

/// Prints the table of a series and holds the forecast against the free ones: better by those factors, one bin and twelve bins ahead.
fn beats(name: &str, counts: &[u32], own: [f64; 2], factors: [f64; 2]) {
    println!("{name}: MAPE in %, 5 and 60 minutes ahead, last two weeks of four");
    let free = free(counts);
    for (name, [one, twelve]) in free.iter().chain([&("forecast", own)]) {
        println!("  {name:12} {one:5.1} {twelve:5.1}");
    }
    for at in [0, 1] {
        let best = free.iter().map(|(_, errors)| errors[at]).fold(f64::MAX, f64::min);
        assert!(own[at] < factors[at] * best, "{name}: {own:?} is not below {} of {best}", factors[at]);
    }
}

#[test]
fn it_beats_what_is_free_and_nine_of_ten_bins_lie_within_its_bounds() {
    for seed in [1, 2] {
        let counts = series(Like { seed, ..USUAL });
        let mut forecaster = Forecaster::new(ms(BIN), None);
        let mut told = vec![];
        let own = errors(&counts, |bin| {
            let points = live(&mut forecaster, bin, &[counts[bin]]).total;
            told.push(points.clone());
            in_counts(&points)
        });
        beats(&format!("seed {seed}"), &counts, own, [0.95, 0.85]);
        for (at, h) in AHEAD.into_iter().enumerate() {
            // From the first day on: the bounds are learnt while the seasons are not known yet.
            for (from, to) in [(50, DAY), (2 * WEEK, told.len())] {
                let within = |bin: &usize| {
                    let (point, real) = (told[*bin][at], f64::from(counts[bin + h]) / SECONDS);
                    point.low <= real && real <= point.high
                };
                let share = (from..to).filter(within).count() as f64 / (to - from) as f64;
                println!("  within the bounds {h} ahead, bins {from} to {to}: {:.1} %", 100.0 * share);
                let least = if from == 50 { 0.75 } else { 0.87 };
                assert!((least..0.98).contains(&share), "{share} of the bins lie within, {h} ahead");
            }
        }
    }
}

#[test]
fn outages_of_the_past_are_no_pattern() {
    let counts = series(Like { outages: true, ..USUAL });
    let mut forecaster = Forecaster::new(ms(BIN), None);
    let own = errors(&counts, |bin| in_counts(&live(&mut forecaster, bin, &[counts[bin]]).total));
    beats("with outages", &counts, own, [0.95, 0.95]);
}

#[test]
fn nodes_of_different_days_have_forecasts_of_their_own() {
    let (here, there) = (Like { level: 5.0, ..USUAL }, Like { level: 5.5, dawn: 0.5, seed: 2, ..USUAL });
    let nodes = [series(here), series(there)];
    let mut forecaster = Forecaster::new(ms(BIN), None);
    let told: Vec<Forecast> =
        (0..4 * WEEK).map(|bin| live(&mut forecaster, bin, &[nodes[0][bin], nodes[1][bin]])).collect();
    for (at, counts) in nodes.iter().enumerate() {
        let own = errors(counts, |bin| in_counts(told[bin].nodes.get(at).map_or(&[], |(_, points)| points)));
        beats(&format!("node {}", at + 1), counts, own, [0.95, 0.85]);
    }
}

#[test]
fn a_client_that_has_just_begun_goes_by_the_trend() {
    let mut forecaster = Forecaster::new(ms(BIN), None);
    let forecasts: Vec<Forecast> = (0..12).map(|bin| live(&mut forecaster, bin, &[100 + 30 * bin as u32])).collect();
    let known: Vec<usize> = forecasts.iter().map(|forecast| forecast.total.len()).collect();
    assert_eq!(known, [0, 0, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2]);
    let (last, [next, later]) = (430.0, in_counts(&forecasts[11].total));
    assert!(next > last && later > next && later < 2.0 * last, "{next} and {later} after {last}");
}

#[test]
fn what_goes_on_as_it_was_is_forecast_so() {
    let mut forecaster = Forecaster::new(ms(BIN), None);
    let last = (0..3 * WEEK).map(|bin| live(&mut forecaster, bin, &[60])).last();
    for point in last.iter().flat_map(|forecast| &forecast.total) {
        assert!((point.rate - 0.2).abs() < 0.001 && point.high - point.low < 0.02, "{point:?}");
    }
}

#[test]
fn a_node_that_is_not_used_any_more_is_forgotten() {
    let mut forecaster = Forecaster::new(ms(BIN), None);
    (0..10).for_each(|bin| drop(live(&mut forecaster, bin, &[60, 60])));
    let nodes = |forecast: Forecast| forecast.nodes.into_iter().map(|(node, _)| node.0).collect::<Vec<_>>();
    assert_eq!(nodes(live(&mut forecaster, 10, &[60])), [1, 2]);
    let last = (11..10 + DAY).map(|bin| live(&mut forecaster, bin, &[60])).last();
    assert_eq!(last.map(nodes), Some(vec![1]));
}

#[test]
fn after_a_silence_longer_than_its_memory_it_begins_anew() {
    let mut forecaster = Forecaster::new(ms(BIN), None);
    (0..10).for_each(|bin| drop(live(&mut forecaster, bin, &[60])));
    let forecast = forecaster.forecast(Instant::default() + ms(BIN * 1_000_000));
    assert_eq!((forecast.observed, forecast.total, forecast.nodes), (1_000_000, vec![], vec![]));
}

#[test]
fn short_bins_bring_a_forecast_within_seconds() {
    let mut forecaster = Forecaster::new(ms(100), None);
    for bin in 0..50u64 {
        (0..20).for_each(|_| forecaster.on_request(NodeId(1), Instant::default() + ms(100 * bin)));
    }
    let forecast = forecaster.forecast(Instant::default() + ms(5_000));
    let ends: Vec<Duration> = forecast.total.iter().map(|point| point.after).collect();
    assert_eq!((forecast.observed, ends), (50, vec![ms(100), ms(1_200)]));
    assert!((forecast.total[0].rate - 200.0).abs() < 1.0, "{forecast:?}");
}

proptest! {
    #[test]
    fn whatever_comes_it_stays_finite_ordered_and_small(
        bin in prop_oneof![Just(0u64), 1..1_000_000u64, Just(u64::MAX)],
        steps in prop::collection::vec((0u32..200, 0u32..50, prop_oneof![0..10u64, 0..10_000_000u64, Just(u64::MAX / 3)]), 1..200),
        rate in prop_oneof![Just(f64::NAN), Just(f64::INFINITY), -1.0..1e9f64],
        workers in 0u32..100,
        limit in prop_oneof![Just(0u64), 0..100_000_000u64],
        by_time in any::<bool>(),
    ) {
        let goal = if by_time { Goal::P99(Duration::from_micros(limit)) } else { Goal::Utilisation(rate / 2.0) };
        let mut forecaster = Forecaster::new(Duration::from_micros(bin), Some(Capacity { rate, workers, goal }));
        let mut now = 0u64;
        for (node, times, after) in steps {
            // Now and then the clock goes back.
            now = if after == 7 { now / 2 } else { now.saturating_add(after) };
            let at = Instant::default() + Duration::from_micros(now);
            (0..times).for_each(|n| forecaster.on_request(NodeId(node.wrapping_mul(n)), at));
            let forecast = forecaster.forecast(at);
            prop_assert!(forecast.nodes.len() <= 128);
            for point in forecast.nodes.iter().flat_map(|(_, points)| points).chain(&forecast.total) {
                let ordered = 0.0 <= point.low && point.low <= point.rate && point.rate <= point.high;
                prop_assert!(ordered && point.high.is_finite(), "{point:?}");
            }
            prop_assert!(forecast.needed != Some(0));
        }
    }
}

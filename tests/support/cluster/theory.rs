//! E1: does the simulator, with the core's own strategies in it, agree with what is proven? One client sees everything, service is
//! exponential, wires are short: random choice is then M/M/1, and the less busy of two is the supermarket model (Mitzenmacher, 2001).

use bowline_core::{Duration, Strategy};

use super::chance::Work;
use super::crowd::{Scene, Way};
use super::farm::Machine;
use super::report::{Report, Size};

const NODES: usize = 200;
/// A multiple of the mean work, so that a mean sojourn reads as in the literature; long, so that microseconds are fine enough.
const MEAN: f64 = 1_000.0;

/// Mean time in the system against the closed forms, for random choice and the less busy of two.
#[must_use]
pub fn theory(size: Size) -> Report {
    let (loads, calls): (&[f64], usize) = match size {
        Size::Short => (&[0.5, 0.7], 150_000),
        Size::Usual => (&[0.5, 0.7, 0.9, 0.95], 3_000_000),
        Size::Full => (&[0.5, 0.7, 0.9, 0.95], 10_000_000),
    };
    let heads = ["load", "random", "M/M/1", "off by", "p99", "M/M/1 p99", "less busy of two", "supermarket", "off by"];
    let mut report = Report::new("E1 theory: mean time in the system, in units of mean work, n = 200", &heads);
    for &load in loads {
        let scene = Scene {
            machines: vec![Machine { speed: 1.0, workers: 1 }; NODES],
            work: Work::Exponential(MEAN),
            rtt: Duration::ZERO,
            clients: 1,
            load,
            unrest: None,
            seed: 11,
        };
        let set = scene.alike();
        let mut random = scene.play(Way::By(Strategy::Random), &set, calls);
        let two = scene.play(Way::By(Strategy::LeastConnections), &set, calls);
        let (single, market) = (1.0 / (1.0 - load), supermarket(load));
        let (random_mean, two_mean) = (random.mean() / MEAN, two.mean() / MEAN);
        let (p99, p99_theory) = (random.quantile(0.99) / MEAN, -0.01_f64.ln() / (1.0 - load));
        let off = |found: f64, theory: f64| (found / theory - 1.0) * 100.0;
        report.row(&[
            format!("{load}"),
            format!("{random_mean:.3}"),
            format!("{single:.3}"),
            format!("{:+.1} %", off(random_mean, single)),
            format!("{p99:.2}"),
            format!("{p99_theory:.2}"),
            format!("{two_mean:.3}"),
            format!("{market:.3}"),
            format!("{:+.1} %", off(two_mean, market)),
        ]);
        // The closed form is that of infinitely many nodes: 200 of them are measurably worse where queues are long.
        let bound = if load > 0.9 { 3.0 } else { 2.0 };
        let mut agree = |what: &str, found: f64, theory: f64, bound: f64| {
            let off = off(found, theory);
            let words = format!("{what} at {load}: {found:.3}, theory {theory:.3}, {off:+.1} %, at most {bound} %");
            report.expect(off.abs() <= bound, words);
        };
        agree("random", random_mean, single, bound);
        agree("less busy of two", two_mean, market, bound);
        // One long busy period in millions of calls moves a p99 by more than it moves a mean.
        agree("p99 of random", p99, p99_theory, 2.0 * bound);
    }
    report
}

/// The sum of load^(2^i - 2) over all i from 1.
fn supermarket(load: f64) -> f64 {
    (1..20).map(|i| load.powi((1 << i) - 2)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_supermarket_sum_is_as_published() {
        for (load, published) in [(0.5, 1.2657), (0.9, 2.6141)] {
            assert!((supermarket(load) - published).abs() < 1e-3, "{load}: {}", supermarket(load));
        }
    }
}

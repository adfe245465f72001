//! E5 and E7: where calls go. After discovery told a hundred thousand clients of new nodes at one moment nobody is trampled down, and in
//! the long run each node has its share. How long calls wait is told elsewhere.

use bowline_core::Strategy;

use super::chance::Work;
use super::crowd::{set, Crowd, Scene, Way};
use super::farm::Machine;
use super::report::{Report, Size};
use crate::ms;

/// E5: clients that all start at one moment, then hear at one moment that one node of twenty is gone, that one is new, and that the
/// weights of others changed; then all of their breakers for one node open. In no second does a node get more than 1.2 times its share.
#[must_use]
pub fn herd(size: Size) -> Report {
    // So many calls that chance alone stays within a tenth of a node's share per second.
    let (clients, span) = match size {
        Size::Short => (10_000, 1_500),
        Size::Usual => (100_000, 10_000),
        Size::Full => (100_000, 60_000),
    };
    let strategies: &[Strategy] = match size {
        Size::Short => &[Strategy::Adaptive, Strategy::RoundRobin],
        _ => &[
            Strategy::Adaptive,
            Strategy::RoundRobin,
            Strategy::LeastConnections,
            Strategy::Latency,
            Strategy::Weighted,
        ],
    };
    let heads = ["strategy", "all start", "the nodes change", "a breaker opens", "at most"];
    let mut report = Report::new(
        &format!("E5 herd: {clients} clients, 40,000 calls per second; a node's worst second, of its share"),
        &heads,
    );
    for &strategy in strategies {
        let scene = Scene {
            // Fast enough for what comes: 21 machines, of which 20 are in use at a time.
            machines: vec![Machine { speed: 1.0, workers: 80 }; 21],
            work: Work::LogNormal(20.0),
            rtt: ms(30),
            clients,
            load: 40_000.0 / 84_000.0,
            unrest: None,
            seed: 5,
        };
        let mut crowd = Crowd::new(&scene, Way::By(strategy), &set((0..20).map(|id| (id, 1.0))));
        crowd.call_for(ms(span));
        let before = |node: usize| if node < 20 { 1.0 / 20.0 } else { 0.0 };
        let started = crowd.recorded().worst_second(scene.rate(), before);
        crowd.record();
        // Node 0 is gone, 20 is new, 1 to 4 count half as much again.
        let weight = |id: u32| if (1..5).contains(&id) { 1.5 } else { 1.0 };
        crowd.replace(&set((1..21).map(|id| (id, weight(id)))));
        crowd.call_for(ms(span));
        let after = |node: usize| if node == 0 { 0.0 } else { weight(node as u32) / 22.0 };
        let changed = crowd.recorded().worst_second(scene.rate(), after);
        if size > Size::Short {
            // Until the new one has its whole weight.
            crowd.call_for(ms(30_000 - span.min(30_000)));
        }
        crowd.record();
        crowd.shun(2);
        crowd.call_for(ms(span));
        let without = |node: usize| if node == 0 || node == 2 { 0.0 } else { weight(node as u32) / (22.0 - 1.5) };
        let opened = crowd.recorded().worst_second(scene.rate(), without);
        let cells = [started, changed, opened].map(|worst| format!("{worst:.2}"));
        let [strategy, bound] = [format!("{strategy:?}"), "1.2".into()];
        for (what, worst) in heads.iter().skip(1).zip([started, changed, opened]) {
            let words = format!("{strategy}, when {what}: a node got {worst:.2} x its share, at most 1.2");
            report.expect(worst <= 1.2, words);
        }
        report.row(&[&[strategy][..], &cells, &[bound]].concat());
    }
    report
}

/// E7: the balance of nodes that are all alike, beside that of fair dice.
#[must_use]
pub fn balance(size: Size) -> Report {
    let counts: &[usize] = match size {
        Size::Short => &[20],
        Size::Usual | Size::Full => &[1, 20, 1_000, 100_000],
    };
    let calls = if size == Size::Short { 20_000 } else { 500_000 };
    let heads = ["strategy", "clients", "imbalance (CV)", "of dice", "ratio"];
    let mut report = Report::new("E7 balance: 20 nodes alike, load 0.7", &heads);
    for &clients in counts {
        for strategy in [
            Strategy::Adaptive,
            Strategy::RoundRobin,
            Strategy::LeastConnections,
            Strategy::Latency,
            Strategy::Weighted,
            Strategy::Random,
        ] {
            let scene = Scene {
                machines: vec![Machine { speed: 1.0, workers: 4 }; 20],
                work: Work::LogNormal(20.0),
                rtt: ms(30),
                clients,
                load: 0.7,
                unrest: None,
                seed: 7,
            };
            let account = scene.play(Way::By(strategy), &scene.alike(), calls);
            let found = account.imbalance(|_| 1.0 / 20.0);
            // Multinomial: the variance of a node's count is N p (1 - p).
            let dice = (19.0 / calls as f64).sqrt();
            report.row(&[
                format!("{strategy:?}"),
                clients.to_string(),
                format!("{found:.4}"),
                format!("{dice:.4}"),
                format!("{:.2}", found / dice),
            ]);
            // With 20 nodes the CV of dice itself varies by a sixth: 1.5 is three deviations. Who goes by latency remembers a slow answer for
            // ten seconds, and leaves that node to others meanwhile: that is what it is for, but it stays within a twentieth.
            let remembers = matches!(strategy, Strategy::Adaptive | Strategy::Latency);
            if remembers && size == Size::Short {
                continue;
            }
            let bound = if remembers { (1.5 * dice).max(0.05) } else { 1.5 * dice };
            let words = format!("{strategy:?}, {clients} clients: imbalance {found:.4}, at most {bound:.4}");
            report.expect(found <= bound, words);
        }
    }
    report
}

//! E2, E3 and hedging: how long calls wait, for few busy clients and for many light ones, over servers of different speeds. The measure is the p99
//! of somebody who sees everything (no client can be so good) and that of chance by weight (what needs no signal at all).

use bowline_core::{ClusterConfig, Duration, Hedge, Strategy};

use super::account::Account;
use super::chance::Work;
use super::crowd::{Scene, Way};
use super::farm::{capacity, mixed};
use super::record::Record;
use super::report::{Report, Size};
use super::world::{Setting, World};
use crate::ms;

/// Whole runs of one cell, each with a seed of its own, are averaged: a single p99 at high load is off by a tenth now and then.
fn cell(clients: usize, load: f64, way: Way, size: Size) -> Times {
    average(clients, load, None, way, size)
}

fn average(clients: usize, load: f64, unrest: Option<Duration>, way: Way, size: Size) -> Times {
    let (seeds, calls) = match size {
        Size::Short => (1, 60_000),
        Size::Usual => (2, 1_000_000),
        Size::Full => (5, 2_000_000),
    };
    let runs = (0..seeds).map(|seed| Times::of(&mut play(clients, load, unrest, way, calls, 100 + seed)));
    runs.fold(Times::default(), |sum, run| sum.plus(&run, f64::from(seeds as u32)))
}

fn play(clients: usize, load: f64, unrest: Option<Duration>, way: Way, calls: usize, seed: u64) -> Account {
    let scene = Scene { machines: mixed(), work: WORK, rtt: ms(30), clients, load, unrest, seed };
    scene.play(way, &scene.weighted(), calls)
}

/// The same by whole clusters, with links, breakers and patience: how long calls took, and the share that was sent more than once.
fn whole(clients: usize, load: f64, safe: f64, config: &ClusterConfig, size: Size) -> (Account, f64) {
    let seconds = if size == Size::Short { 4 } else { 50 };
    let machines = mixed();
    let mut world = World::new(Setting {
        rate: load * capacity(&machines, WORK),
        machines,
        work: WORK,
        rtt: ms(30),
        waiting: 100_000,
        clients,
        safe,
        standing: false,
        redials: true,
        config: config.clone(),
        seed: 100,
    });
    world.go_on(ms(seconds * 200));
    let begin = world.now();
    world.go_on(ms(seconds * 1_000));
    world.rest(ms(120_000));
    let records: Vec<&Record> = world.records.iter().filter(|record| record.made >= begin).collect();
    let mut account = Account::new(1, begin);
    for record in &records {
        if let Some((end, _)) = record.end {
            account.on_back(record.made, end);
        }
    }
    let twice = records.iter().filter(|record| record.attempts.len() > 1).count();
    (account, twice as f64 / records.len() as f64)
}

#[derive(Clone, Copy, Debug, Default)]
struct Times {
    p50: f64,
    p99: f64,
}

impl Times {
    fn of(account: &mut Account) -> Self {
        Self { p50: account.quantile(0.5), p99: account.quantile(0.99) }
    }

    fn plus(self, other: &Self, runs: f64) -> Self {
        Self { p50: self.p50 + other.p50 / runs, p99: self.p99 + other.p99 / runs }
    }

    fn show(self) -> String {
        format!("{:.0} ({:.0})", self.p99, self.p50)
    }
}

const LOADS: [f64; 2] = [0.7, 0.9];
const WORK: Work = Work::LogNormal(20.0);

/// E2: 50 servers, 10,000 calls a second at most, by strategy and number of clients.
#[must_use]
pub fn crowds(size: Size) -> Report {
    let counts: &[usize] = match size {
        Size::Short => &[20],
        Size::Usual | Size::Full => &[20, 1_000, 100_000],
    };
    let heads = ["strategy", "load", "clients", "p99 (p50), ms", "over ideal", "over chance by weight"];
    let mut report = Report::new("E2 waiting: 50 servers of three speeds, RTT 30 ms, work 20 ms", &heads);
    for load in LOADS {
        // Who sees everything, and who looks at nothing, is the same for any number of clients.
        let ideal = cell(1, load, Way::Ideal, size);
        let chance = cell(1, load, Way::By(Strategy::Weighted), size);
        let row = |who: String, clients: String, times: Times| {
            let (over_ideal, over_chance) = (times.p99 / ideal.p99, times.p99 / chance.p99);
            let [over_ideal, over_chance] = [over_ideal, over_chance].map(|ratio| format!("{ratio:.2}"));
            [who, load.to_string(), clients, times.show(), over_ideal, over_chance]
        };
        report.row(&row("ideal".into(), "any".into(), ideal));
        report.row(&row("chance by weight".into(), "any".into(), chance));
        for &clients in counts {
            // In memory, whole clusters are for fewer clients.
            if clients <= 1_000 {
                // Three calls in ten have side effects.
                let times = Times::of(&mut whole(clients, load, 0.7, &ClusterConfig::default(), size).0);
                report.row(&row("Adaptive, whole clusters".into(), clients.to_string(), times));
                judge(
                    &mut report,
                    &format!("whole clusters, {clients} clients"),
                    load,
                    clients,
                    times,
                    [ideal, chance],
                );
            }
            for &strategy in compared(size) {
                let times = cell(clients, load, Way::By(strategy), size);
                report.row(&row(format!("{strategy:?}"), clients.to_string(), times));
                if strategy == Strategy::Adaptive {
                    judge(&mut report, &format!("adaptive, {clients} clients"), load, clients, times, [ideal, chance]);
                }
            }
        }
    }
    report
}

/// The pass lines of E2: near the ideal where a client knows enough, and never far above what needs no knowledge.
fn judge(report: &mut Report, who: &str, load: f64, clients: usize, times: Times, [ideal, chance]: [Times; 2]) {
    let (over_ideal, over_chance) = (times.p99 / ideal.p99, times.p99 / chance.p99);
    let bound = if load < 0.8 { 1.3 } else { 1.25 };
    if load < 0.8 || load * 10_000.0 / clients as f64 >= 400.0 {
        let words = format!("{who}, load {load}: p99 {over_ideal:.2} x ideal, at most {bound}");
        report.expect(over_ideal <= bound, words);
    }
    report.expect(
        over_chance <= 1.1,
        format!("{who}, load {load}: p99 {over_chance:.2} x chance by weight, at most 1.1"),
    );
}

fn compared(size: Size) -> &'static [Strategy] {
    match size {
        Size::Short | Size::Usual => &[Strategy::Adaptive],
        Size::Full => {
            &[Strategy::Adaptive, Strategy::RoundRobin, Strategy::LeastConnections, Strategy::Latency, Strategy::Random]
        }
    }
}

/// E3: clients that call so rarely that all they know is old must not be worse off for knowing it; least of all when it is not true any
/// more, since the trouble of some servers went on to others.
#[must_use]
pub fn light(size: Size) -> Report {
    let heads = [
        "load",
        "trouble goes on",
        "calls per second and client",
        "clients",
        "adaptive p99 (p50), ms",
        "chance by weight",
        "ratio",
    ];
    let mut report = Report::new("E3 light clients", &heads);
    let (steady, moving): (&[f64], &[f64]) = match size {
        Size::Short => (&[10.0], &[]),
        Size::Usual | Size::Full => (&[0.1, 0.5, 2.0, 10.0, 50.0], &[0.1, 0.5, 2.0, 10.0]),
    };
    for (load, unrest, words, rates) in [(0.9, None, "never", steady), (0.7, Some(ms(10_000)), "every 10 s", moving)] {
        let chance = average(1, load, unrest, Way::By(Strategy::Weighted), size);
        for &rate in rates {
            let clients = (load * 10_000.0 / rate) as usize;
            let adaptive = average(clients, load, unrest, Way::By(Strategy::Adaptive), size);
            let ratio = adaptive.p99 / chance.p99;
            report.row(&[
                load.to_string(),
                words.into(),
                rate.to_string(),
                clients.to_string(),
                adaptive.show(),
                chance.show(),
                format!("{ratio:.2}"),
            ]);
            let words = format!("{rate} calls per second, trouble goes on {words}: p99 {ratio:.2} x chance by weight");
            report.expect(ratio <= 1.1, format!("{words}, at most 1.1"));
        }
    }
    report
}

/// A second attempt beside a slow first (Dean and Barroso, The Tail at Scale), for the share of calls that it may cost.
#[must_use]
pub fn hedging(size: Size) -> Report {
    let heads = ["load", "hedged", "p50", "p99", "p99.9, ms", "sent twice", "p99.9 over that without"];
    let mut report =
        Report::new("Hedging after the p95, at most 5 of 100 calls; 100 clients, calls without side effects", &heads);
    let loads: &[f64] = if size == Size::Short { &[0.5] } else { &[0.5, 0.7, 0.9] };
    for &load in loads {
        let mut alone = 0.0;
        for hedge in [None, Some(Hedge { after: None, share: 0.05 })] {
            let config = ClusterConfig { hedge, ..ClusterConfig::default() };
            let (mut account, twice) = whole(100, load, 1.0, &config, size);
            let [p50, p99, tail] = [0.5, 0.99, 0.999].map(|share| account.quantile(share));
            alone = if hedge.is_none() { tail } else { alone };
            report.row(&[
                load.to_string(),
                hedge.is_some().to_string(),
                format!("{p50:.0}"),
                format!("{p99:.0}"),
                format!("{tail:.0}"),
                format!("{:.1} %", twice * 100.0),
                format!("{:.2}", tail / alone),
            ]);
            if hedge.is_some() {
                // Near saturation, 5 of 100 calls more make all of them wait: there it must only do no harm to the tail.
                let bound = if load < 0.8 { 0.85 } else { 1.0 };
                let words = format!("hedging at {load}: p99.9 {:.2} x that without, at most {bound}", tail / alone);
                report.expect(tail <= bound * alone, words);
                report.expect(twice <= 0.055, format!("hedging at {load}: {:.1} % sent twice", twice * 100.0));
            }
        }
    }
    report
}

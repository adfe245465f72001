//! E6 and E9: what many clients do to servers that are in trouble. One that comes back is not overrun by all who waited for it, and servers
//! that are asked for more than they can do go on doing what they can.

use std::collections::BTreeSet;

use bowline_core::{ClusterConfig, NodeId, Verdict};

use super::chance::Work;
use super::farm::{capacity, Machine};
use super::record::{Contact, Record};
use super::report::{Report, Size};
use super::world::{Condition, Setting, World};
use crate::ms;

/// E6: the first contact of each client with a node that was away, over time: when only the pauses of the cluster decide it, and with the
/// dials of the node's own client, which are a model here (those of the single client: tests/core/herd.rs) and spread by chance themselves.
#[must_use]
pub fn restart(size: Size) -> Report {
    let clients = if size == Size::Short { 300 } else { 3_000 };
    let heads = [
        "away, s",
        "links are dialled",
        "clients",
        "first contact: half of them within, s",
        "95 of 100",
        "busiest second, of all",
        "over the mean until half are there",
    ];
    let mut report = Report::new("E6 restart: who comes when, after a node of five was away", &heads);
    let outages: &[(u64, bool)] = match size {
        Size::Short => &[(3, false), (60, true)],
        Size::Usual | Size::Full => &[(3, false), (10, false), (60, false), (10, true), (60, true), (300, true)],
    };
    for &(away, redials) in outages {
        let mut world = World::new(Setting {
            machines: vec![Machine { speed: 1.0, workers: 100 }; 5],
            work: Work::LogNormal(20.0),
            rtt: ms(30),
            waiting: 1_000,
            clients,
            rate: clients as f64 / 2.0,
            safe: 1.0,
            standing: true,
            redials,
            config: ClusterConfig::default(),
            seed: 6,
        });
        let node = NodeId(0);
        world.go_on(ms(20_000));
        world.turn(node, Condition::Gone);
        world.go_on(ms(away * 1_000));
        let back = world.now();
        world.turn(node, Condition::Well);
        world.go_on(ms(120_000));
        let mut seen = BTreeSet::new();
        let mine = |what: Contact| matches!(what, Contact::Probe | Contact::Call);
        let visits = world.visits.iter().filter(|visit| visit.at >= back && visit.node == node && mine(visit.what));
        let first: Vec<f64> = visits
            .filter(|visit| seen.insert(visit.client))
            .map(|visit| visit.at.since(back).as_millis() / 1_000.0)
            .collect();
        let at = |share: f64| first.get((first.len() as f64 * share) as usize).copied().unwrap_or(f64::INFINITY);
        let mut seconds = vec![0u32; 121];
        first.iter().for_each(|when| seconds[*when as usize] += 1);
        let peak = f64::from(seconds.iter().copied().max().unwrap_or(0));
        // Not over the whole time: that some come late makes no herd of those who come first.
        let half = at(0.5);
        let over = peak / (first.len() as f64 * 0.5 / half);
        report.row(&[
            away.to_string(),
            redials.to_string(),
            clients.to_string(),
            format!("{half:.1}"),
            format!("{:.1}", at(0.95)),
            format!("{:.0} %", 100.0 * peak / clients as f64),
            format!("{over:.2}"),
        ]);
        let words = if redials { "with dials" } else { "without" };
        report.expect(
            over <= 2.0,
            format!("after {away} s, {words}: the busiest second {over:.2} x the mean, at most 2"),
        );
        let all = first.len() as f64 / clients as f64;
        report.expect(
            all > 0.95,
            format!("after {away} s, {words}: {all:.2} of the clients came back within two minutes"),
        );
    }
    report
}

/// E9: all servers are asked for more than they can do. Some refuse the rest at once; some let it wait, work on what nobody waits for any
/// more, and get slower than anybody has patience for.
#[must_use]
pub fn storm(size: Size) -> Report {
    let heads = [
        "load",
        "clients",
        "a server lets wait",
        "answered, of capacity",
        "refused here",
        "sent again, of calls",
        "p99, ms",
    ];
    let mut report = Report::new("E9 overload: ten servers, 2,000 calls per second at most", &heads);
    let machines = vec![Machine { speed: 1.0, workers: 4 }; 10];
    let work = Work::LogNormal(20.0);
    let most = capacity(&machines, work);
    let span = if size == Size::Short { 10_000 } else { 120_000 };
    let rows: &[(f64, usize, usize)] = match size {
        Size::Short => &[(1.2, 20, 20)],
        _ => &[(1.2, 20, 20), (1.2, 400, 20), (1.2, 20, 10_000), (1.2, 400, 10_000), (4.0, 400, 20)],
    };
    for &(load, clients, waiting) in rows {
        let mut world = World::new(Setting {
            machines: machines.clone(),
            work,
            rtt: ms(30),
            waiting,
            clients,
            rate: most * load,
            safe: 0.7,
            standing: false,
            redials: true,
            config: ClusterConfig::default(),
            seed: 9,
        });
        world.go_on(ms(20_000));
        let begin = world.now();
        world.go_on(ms(span));
        world.rest(ms(70_000));
        let records: Vec<_> = world.records.iter().filter(|record| record.made >= begin).collect();
        // Answered in that time, whenever it was asked: what is answered after the rush was over does not count.
        let end = begin + ms(span);
        let in_time = |record: &&Record| record.good() && record.end.is_some_and(|(at, _)| at >= begin && at < end);
        let good = world.records.iter().filter(in_time).count() as f64;
        let goodput = good / (most * span as f64 / 1_000.0);
        let sent: usize = records.iter().map(|record| record.attempts.len()).sum();
        let begun = records.iter().filter(|record| !record.attempts.is_empty()).count();
        let again = (sent - begun) as f64 / records.len() as f64;
        let here = (records.len() - begun) as f64 / records.len() as f64;
        let answered = records.iter().filter(|record| record.good());
        let mut took: Vec<f64> = answered.map(|record| record.took().as_millis()).collect();
        took.sort_by(f64::total_cmp);
        report.row(&[
            load.to_string(),
            clients.to_string(),
            waiting.to_string(),
            format!("{goodput:.3}"),
            format!("{:.1} %", here * 100.0),
            format!("{:.1} %", again * 100.0),
            format!("{:.0}", took.get(took.len() * 99 / 100).copied().unwrap_or(0.0)),
        ]);
        let words = format!("load {load}, {clients} clients, {waiting} wait");
        let attempts = records.iter().flat_map(|record| &record.attempts);
        let refused = attempts.filter(|attempt| matches!(attempt.ended, Some((_, Verdict::Busy(_))))).count();
        report.expect(refused > 0 || waiting > 20, format!("{words}: servers refused {refused} calls"));
        report.expect(goodput >= 0.9, format!("{words}: {goodput:.3} of capacity answered, at least 0.9"));
        report.expect(again <= 0.1, format!("{words}: {:.1} % sent again, at most 10 %", again * 100.0));
    }
    report
}

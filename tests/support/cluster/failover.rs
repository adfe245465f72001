//! E4: a node of ten dies, and comes back after a while. Nobody who reads sees an error, nobody waits longer than it takes to notice, the node
//! is left alone as soon as it is known, and has its share again soon after its return.

use bowline_core::{ClusterConfig, Duration, Failure, Instant, NodeId, Outcome, Verdict};

use super::chance::Work;
use super::fleet::Machine;
use super::record::{Contact, Record};
use super::report::{Report, Size};
use super::world::{Condition, Setting, World};
use crate::ms;

const RTT: Duration = ms(30);
const DEAD: NodeId = NodeId(3);
const NODES: usize = 10;

/// One way to die, for one kind of clients.
#[derive(Clone, Copy, Debug)]
struct Case {
    words: &'static str,
    condition: Condition,
    standing: bool,
    clients: usize,
}

const CASES: [Case; 5] = [
    Case { words: "refuses, 100 clients", condition: Condition::Gone, standing: false, clients: 100 },
    Case { words: "refuses, 100 clients, standing links", condition: Condition::Gone, standing: true, clients: 100 },
    Case { words: "refuses, 2,000 light clients", condition: Condition::Gone, standing: false, clients: 2_000 },
    Case { words: "silent, 100 clients", condition: Condition::Silent, standing: false, clients: 100 },
    Case { words: "silent, 2,000 light clients", condition: Condition::Silent, standing: false, clients: 2_000 },
];

/// E4.
#[must_use]
pub fn failover(size: Size) -> Report {
    let heads = [
        "the node",
        "calls",
        "reads failed",
        "side effects failed",
        "went on",
        "later by, p50 (max), ms",
        "first sent to it though known dead",
        "share of its load 35 s after its first call",
    ];
    let mut report = Report::new("E4 failover: one node of ten is gone for a minute, 1,000 calls per second", &heads);
    for case in CASES {
        if size > Size::Short || case.clients == 100 {
            one(case, size, &mut report);
        }
    }
    report
}

fn one(case: Case, size: Size, report: &mut Report) {
    let rate = if size == Size::Short { 200.0 } else { 1_000.0 };
    let config = ClusterConfig::default();
    let mut world = World::new(Setting {
        machines: vec![Machine { speed: 1.0, workers: 4 }; NODES],
        work: Work::LogNormal(20.0),
        rtt: RTT,
        waiting: 1_000,
        clients: case.clients,
        rate,
        safe: 0.7,
        standing: case.standing,
        config: config.clone(),
        seed: 4,
    });
    world.go_on(ms(20_000));
    let died = world.now();
    world.turn(DEAD, case.condition);
    world.go_on(ms(60_000));
    let back = world.now();
    world.turn(DEAD, Condition::Well);
    world.go_on(ms(120_000));
    world.rest(ms(90_000));

    let records = &world.records;
    let failed = |safe: bool| records.iter().filter(|record| record.safe == safe && !record.good()).count();
    let (reads, effects) = (failed(true), failed(false));
    let mut delays: Vec<f64> = records.iter().filter_map(Record::delay).map(Duration::as_millis).collect();
    delays.sort_by(f64::total_cmp);
    let at = |share: f64| delays.get((delays.len() as f64 * share) as usize).copied().unwrap_or(0.0);
    let worst = delays.last().copied().unwrap_or(0.0);
    let known = sent_though_known(records, case.clients, died, back);
    let returned = returned(&world, back, rate);
    report.row(&[
        case.words.into(),
        records.len().to_string(),
        reads.to_string(),
        effects.to_string(),
        delays.len().to_string(),
        format!("{:.0} ({worst:.0})", at(0.5)),
        known.to_string(),
        returned.map_or("no call".into(), |share| format!("{share:.2}")),
    ]);

    let words = case.words;
    report.expect(records.iter().all(|record| record.ends == 1), format!("{words}: every call ends once"));
    report.expect(reads == 0, format!("{words}: {reads} reads failed"));
    let lost = records.iter().filter(|record| record.attempts.iter().any(|attempt| unknown(attempt.ended)));
    let lost = lost.filter(|record| !record.safe).count();
    report.expect(effects <= lost, format!("{words}: {effects} calls with side effects failed, {lost} were under way"));
    let twice = records.iter().filter(|record| !record.safe && again_after_doubt(record)).count();
    report
        .expect(twice == 0, format!("{words}: {twice} calls with side effects were sent again though maybe executed"));
    let bound = match case.condition {
        // What is refused is known after one round trip; what was under way when the node died took no longer than it had been.
        Condition::Gone => refused_bound(records),
        _ => attempt_bound(records, died, &config),
    };
    report.expect(worst <= bound, format!("{words}: went on {worst:.0} ms later, at most {bound:.0}"));
    report.expect(!delays.is_empty(), format!("{words}: some calls went on to another node"));
    report.expect(known == 0, format!("{words}: {known} calls were first sent to the node though it was known dead"));
    let share = returned.unwrap_or(0.0);
    report.expect(share >= 0.9, format!("{words}: {share:.2} of its share 35 s after its return, at least 0.9"));
}

fn unknown(ended: Option<(Instant, Verdict)>) -> bool {
    matches!(ended, None | Some((_, Verdict::Failed(_, Outcome::Unknown) | Verdict::Aborted)))
}

fn again_after_doubt(record: &Record) -> bool {
    let earlier = record.attempts.len().saturating_sub(1);
    record.attempts.iter().take(earlier).any(|attempt| unknown(attempt.ended))
}

/// One round trip for what was refused; for what broke off, as long as it had been under way.
fn refused_bound(records: &[Record]) -> f64 {
    let broke = |record: &Record| {
        let (at, verdict) = record.attempts.first()?.ended?;
        let sent = record.attempts.first()?.sent;
        matches!(verdict, Verdict::Failed(Failure::Transport, Outcome::Unknown)).then(|| at.since(sent).as_millis())
    };
    records.iter().filter_map(broke).fold(RTT.as_millis(), f64::max) + 0.01
}

/// Four times the p99 of what was answered before, at least `min_attempt`; a twentieth more for what each client's own estimate is off.
fn attempt_bound(records: &[Record], died: Instant, config: &ClusterConfig) -> f64 {
    let good = records.iter().filter(|record| record.made < died && record.good());
    let mut took: Vec<f64> = good.map(|record| record.took().as_millis()).collect();
    took.sort_by(f64::total_cmp);
    let p99 = took.get(took.len() * 99 / 100).copied().unwrap_or(0.0);
    let least = config.min_attempt.map_or(0.0, Duration::as_millis);
    (4.0 * p99 * 1.05).max(least)
}

/// Calls that a client first sent to the dead node after one of its own had failed there, while others were well.
fn sent_though_known(records: &[Record], clients: usize, died: Instant, back: Instant) -> usize {
    let mut knows: Vec<Option<Instant>> = vec![None; clients];
    for record in records {
        for attempt in record.attempts.iter().filter(|attempt| attempt.node == DEAD && attempt.sent >= died) {
            if let Some((at, Verdict::Failed(..))) = attempt.ended {
                let known = knows[record.client].get_or_insert(at);
                *known = at.min(*known);
            }
        }
    }
    let late = |record: &&Record| {
        let first = record.attempts.first();
        let known = knows[record.client];
        first.is_some_and(|first| {
            first.node == DEAD && first.sent < back && known.is_some_and(|known| known < first.sent)
        })
    };
    records.iter().filter(late).count()
}

/// What the node gets in ten seconds, 35 s (slow start, and a little) after the first call that reached it, of its share.
fn returned(world: &World, back: Instant, rate: f64) -> Option<f64> {
    let calls = || world.visits.iter().filter(|visit| visit.node == DEAD && visit.what == Contact::Call);
    let first = calls().find(|visit| visit.at >= back)?.at;
    let (from, to) = (first + ms(35_000), first + ms(45_000));
    let count = calls().filter(|visit| visit.at >= from && visit.at < to).count();
    Some(count as f64 / (10.0 * rate / NODES as f64))
}

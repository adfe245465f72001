//! E4: a node of ten dies, and comes back after a while. Nobody who reads sees an error, nobody waits longer than it takes to notice, the node
//! is left alone as soon as it is known, and has its share again soon after its return.

use bowline_core::{ClusterConfig, Duration, Failure, Instant, NodeId, Outcome, Verdict};

use super::chance::Work;
use super::farm::Machine;
use super::record::Record;
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
        "each client's share 35 s after its first answer",
        "nine tenths of its load again after, s",
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
        redials: true,
        config: config.clone(),
        seed: 4,
    });
    world.go_on(ms(20_000));
    let died = world.now();
    world.turn(DEAD, case.condition);
    world.go_on(ms(60_000));
    let back = world.now();
    world.turn(DEAD, Condition::Well);
    world.go_on(ms(150_000));
    world.rest(ms(90_000));

    let records = &world.records;
    let failed = |safe: bool| records.iter().filter(|record| record.safe == safe && !record.good()).count();
    let (reads, effects) = (failed(true), failed(false));
    let hit = records.iter().filter(|record| met(record, died, back));
    let moves: Vec<Move> = hit.filter_map(|record| Move::of(record, records, &config)).collect();
    let mut delays: Vec<f64> = moves.iter().map(|moved| moved.delay).collect();
    delays.sort_by(f64::total_cmp);
    let (median, worst) = (delays.get(delays.len() / 2).copied(), delays.last().copied());
    let known = sent_though_known(records, case.clients, died, back);
    let (share, whole) = (share_of_each(records, case.clients, back), whole_again(records, back));
    report.row(&[
        case.words.into(),
        records.len().to_string(),
        reads.to_string(),
        effects.to_string(),
        moves.len().to_string(),
        format!("{:.0} ({:.0})", median.unwrap_or(0.0), worst.unwrap_or(0.0)),
        known.to_string(),
        format!("{share:.2}"),
        format!("{whole:.0}"),
    ]);

    let words = case.words;
    report.expect(records.iter().all(|record| record.ends == 1), format!("{words}: every call ends once"));
    report.expect(reads == 0, format!("{words}: {reads} reads failed"));
    let doubtful = |record: &&Record| !record.safe && record.attempts.iter().any(|attempt| unknown(attempt.ended));
    let lost = records.iter().filter(doubtful).count();
    report.expect(effects <= lost, format!("{words}: {effects} calls with side effects failed, {lost} were under way"));
    let twice = records.iter().filter(|record| !record.safe && again_after_doubt(record)).count();
    report
        .expect(twice == 0, format!("{words}: {twice} calls with side effects were sent again though maybe executed"));
    report.expect(!moves.is_empty(), format!("{words}: some calls went on to another node"));
    let late = moves.iter().filter(|moved| moved.delay > moved.bound + 0.01);
    let late: Vec<String> =
        late.map(|moved| format!("{:.1} ms, not {:.1}", moved.delay, moved.bound)).take(3).collect();
    report.expect(late.is_empty(), format!("{words}: calls went on too late: {}", late.join("; ")));
    report.expect(known == 0, format!("{words}: {known} calls were first sent to the node though it was known dead"));
    report.expect(share >= 0.9, format!("{words}: {share:.2} of its share after slow start, at least 0.9"));
    report.expect(whole <= 90.0, format!("{words}: nine tenths of its load {whole:.0} s after its return, at most 90"));
}

/// The first attempt went to the dead node while it was dead, or when it died.
fn met(record: &Record, died: Instant, back: Instant) -> bool {
    record.attempts.first().is_some_and(|first| {
        first.node == DEAD && first.sent < back && first.ended.is_none_or(|(at, verdict)| at > died && failure(verdict))
    })
}

fn failure(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Failed(..) | Verdict::Aborted)
}

/// How a call went on from the dead node.
struct Move {
    /// How much later than if the node had not been there, in milliseconds.
    delay: f64,
    /// And at most.
    bound: f64,
}

impl Move {
    fn of(record: &Record, records: &[Record], config: &ClusterConfig) -> Option<Self> {
        let (first, next) = (record.attempts.first()?, record.attempts.get(1)?);
        let delay = next.sent.since(first.sent).as_millis();
        Some(match first.ended {
            // Refused: known after one round trip.
            Some((_, Verdict::Failed(Failure::Transport, Outcome::NotSent))) => Self { delay, bound: RTT.as_millis() },
            // Broken off: a call that was under way for a while goes on at that moment.
            Some((at, Verdict::Failed(Failure::Transport, _))) => {
                Self { delay: next.sent.since(at).as_millis(), bound: 0.0 }
            }
            _ => Self { delay, bound: patience(records, record.client, first.sent, config) },
        })
    }
}

/// What a client that sends now may wait for a silent node: four times its own p99, which is no more than its longest answer; ten times the least while it
/// had fewer than twenty answers.
fn patience(records: &[Record], client: usize, now: Instant, config: &ClusterConfig) -> f64 {
    let least = config.min_attempt.map_or(f64::INFINITY, Duration::as_millis);
    let own = records.iter().filter(|record| record.client == client);
    let ends = own.flat_map(|record| &record.attempts).filter_map(|attempt| Some((attempt.sent, attempt.ended?)));
    let took = ends.filter(|(_, (at, _))| *at < now).map(|(sent, (at, _))| at.since(sent).as_millis());
    let (count, longest) = took.fold((0, 0.0_f64), |(count, longest), took| (count + 1, longest.max(took)));
    if count < 20 {
        10.0 * least
    } else {
        (4.0 * longest).max(least)
    }
}

fn unknown(ended: Option<(Instant, Verdict)>) -> bool {
    matches!(ended, None | Some((_, Verdict::Failed(_, Outcome::Unknown) | Verdict::Aborted)))
}

fn again_after_doubt(record: &Record) -> bool {
    let earlier = record.attempts.len().saturating_sub(1);
    record.attempts.iter().take(earlier).any(|attempt| unknown(attempt.ended))
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
        let known = knows[record.client];
        record.attempts.first().is_some_and(|first| {
            first.node == DEAD && first.sent < back && known.is_some_and(|known| known < first.sent)
        })
    };
    records.iter().filter(late).count()
}

/// What part of its share the node gets from clients for which slow start is over: 35 s after its first answer to each.
fn share_of_each(records: &[Record], clients: usize, back: Instant) -> f64 {
    let mut since: Vec<Option<Instant>> = vec![None; clients];
    let (mut all, mut here) = (0, 0);
    for record in records.iter().filter(|record| record.made >= back) {
        let Some(first) = record.attempts.first() else { continue };
        let known = &mut since[record.client];
        if first.node == DEAD && record.good() && known.is_none() {
            *known = Some(first.sent + ms(35_000));
        }
        if known.is_some_and(|known| known <= first.sent) {
            all += 1;
            here += usize::from(first.node == DEAD);
        }
    }
    here as f64 * NODES as f64 / f64::from(all).max(1.0)
}

/// Seconds from the node's return to the end of the first ten seconds in which it got nine tenths of its share.
fn whole_again(records: &[Record], back: Instant) -> f64 {
    let firsts = || records.iter().filter_map(|record| record.attempts.first());
    let windows = (0..28).map(|window| (back + ms(window * 5_000), back + ms(window * 5_000 + 10_000)));
    let share = |from: Instant, to: Instant| {
        let within = firsts().filter(|attempt| attempt.sent >= from && attempt.sent < to);
        let (all, here) = within
            .fold((0.0, 0.0), |(all, here), attempt| (all + 1.0, here + f64::from(u8::from(attempt.node == DEAD))));
        here * NODES as f64 / f64::max(all, 1.0)
    };
    let found = windows.into_iter().find(|(from, to)| share(*from, *to) >= 0.9);
    found.map_or(f64::INFINITY, |(_, to)| to.since(back).as_millis() / 1_000.0)
}

//! Overload that nobody says: servers that let everybody wait, work on what nobody waits for any more, and never refuse. All that clients see is
//! answers that come late, and then none. What they can do is call less; when the rush is over, they are to call as before.

use bowline_core::{ClusterConfig, Instant};

use super::chance::Work;
use super::farm::{capacity, Machine};
use super::record::{End, Record};
use super::report::{Report, Size};
use super::world::{Setting, World};
use crate::ms;

/// How long each call has.
const TIME: u64 = 5_000;

/// Who calls whom.
#[derive(Clone, Copy, Debug)]
struct Case {
    load: f64,
    clients: usize,
    servers: usize,
    workers: usize,
}

/// What became of calls.
struct Ends {
    answered: f64,
    /// Their whole time passed in vain.
    wasted: f64,
    /// Refused without a sending.
    here: f64,
    p99: f64,
}

/// Servers that are asked for more than they can do (and for less), from a minute after that began; and whether all is as before half a minute
/// after it ended.
#[must_use]
pub fn lateness(size: Size) -> Report {
    let heads = [
        "load",
        "clients",
        "servers",
        "answered, of capacity",
        "waited in vain, of calls",
        "refused here",
        "p99 of the answered, ms",
        "answered after the rush",
    ];
    let mut report =
        Report::new("Lateness: servers of 200 calls per second that never refuse, 5 s for each call", &heads);
    let cases: &[(f64, usize, usize)] = match size {
        Size::Short => &[(2.0, 20, 6)],
        Size::Usual | Size::Full => &[
            (0.9, 400, 10),
            (1.2, 400, 10),
            (2.0, 20, 10),
            (2.0, 400, 10),
            (2.0, 4_000, 10),
            (2.0, 40_000, 10),
            (4.0, 400, 10),
            (2.0, 20, 3),
            (2.0, 100, 3),
        ],
    };
    let workers = if size == Size::Short { 1 } else { 4 };
    for &(load, clients, servers) in cases {
        one(Case { load, clients, servers, workers }, size, &mut report);
    }
    report
}

fn one(Case { load, clients, servers, workers }: Case, size: Size, report: &mut Report) {
    let (machines, work) = (vec![Machine { speed: 1.0, workers }; servers], Work::LogNormal(20.0));
    let most = capacity(&machines, work);
    let [begun, span] = if size == Size::Short { [25_000, 20_000] } else { [60_000, 120_000] };
    let mut world = World::new(Setting {
        machines,
        work,
        rtt: ms(30),
        waiting: usize::MAX / 2,
        clients,
        rate: most * load,
        safe: 0.7,
        standing: false,
        redials: true,
        config: ClusterConfig { timeout: ms(TIME), ..ClusterConfig::default() },
        seed: 10,
    });
    world.go_on(ms(begun));
    let begin = world.now();
    world.go_on(ms(span));
    let end = world.now();
    world.set_rate(most * 0.6);
    world.go_on(ms(30_000));
    let over = world.now();
    world.go_on(ms(10_000));
    let rest = world.now();
    world.rest(ms(2 * TIME));

    let rush = ends(&world.records, begin, end);
    let goodput = rush.answered * load;
    let after = ends(&world.records, over, rest);
    report.row(&[
        load.to_string(),
        clients.to_string(),
        servers.to_string(),
        format!("{goodput:.3}"),
        format!("{:.1} %", rush.wasted * 100.0),
        format!("{:.1} %", rush.here * 100.0),
        format!("{:.0}", rush.p99),
        format!("{:.1} %", after.answered * 100.0),
    ]);
    // Who calls less often than once in the time of a call has nothing under way that could be less, and is told of nothing in time.
    if most * load * (TIME as f64) / 1_000.0 < clients as f64 {
        return;
    }
    let words = format!("load {load}, {clients} clients, {servers} servers");
    report.expect(goodput >= 0.8 * load.min(1.0), format!("{words}: {goodput:.3} of capacity answered, at least 0.8"));
    report.expect(rush.wasted <= 0.1, format!("{words}: {:.1} % waited in vain, at most 10", rush.wasted * 100.0));
    report.expect(load > 1.0 || rush.here == 0.0, format!("{words}: refused here what could have been done"));
    report.expect(after.answered > 0.99, format!("{words}: {:.3} answered after the rush", after.answered));
}

fn ends(records: &[Record], begin: Instant, end: Instant) -> Ends {
    let made: Vec<_> = records.iter().filter(|record| record.made >= begin && record.made < end).collect();
    let share = |count: usize| count as f64 / made.len() as f64;
    let mut took: Vec<f64> =
        made.iter().filter(|record| record.good()).map(|record| record.took().as_millis()).collect();
    took.sort_by(f64::total_cmp);
    let here = |record: &&&Record| record.attempts.is_empty() && matches!(record.end, Some((_, End::Refused(_))));
    Ends {
        answered: share(took.len()),
        wasted: share(made.iter().filter(|record| !record.good() && record.took() >= ms(TIME - 1)).count()),
        here: share(made.iter().filter(here).count()),
        p99: took.get(took.len() * 99 / 100).copied().unwrap_or(0.0),
    }
}

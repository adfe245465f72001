//! The invariants that hold whatever the network does (reliability, section 1): thousands of random lives of a client, each from a
//! seed. `BOWLINE_SCHEDULES` says how many, `BOWLINE_SEED` where to start; a failing seed is printed with the line that replays it.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::panic::catch_unwind;

use bowline_support::{run, Tally};

const SCHEDULES: u64 = 10_000;

#[test]
fn no_schedule_breaks_an_invariant() {
    let first = number("BOWLINE_SEED").unwrap_or(1);
    let count = number("BOWLINE_SCHEDULES").unwrap_or(SCHEDULES);
    let half = count / 2;
    let other = std::thread::spawn(move || many(first + half..first + count));
    let one = many(first..first + half);
    let two = other.join().expect("the thread catches what its schedules do");
    let tally = one.and_then(|one| two.map(|two| sum(one, two))).unwrap_or_else(|words| panic!("{words}"));
    println!("{count} schedules from {first}: {tally:?}");
    if count >= SCHEDULES {
        // A simulation that stopped reaching the interesting states would pass everything.
        assert!(tally.calls > 5 * count && tally.good * 4 > tally.calls, "{tally:?}");
        assert!(tally.connects > count && tally.replayed > count / 10 && tally.unknown > count / 20, "{tally:?}");
        assert!(tally.executed > count && tally.cached > count / 15, "{tally:?}");
        assert!(tally.listened > count / 5, "{tally:?}");
        assert!(tally.asked > count / 5, "{tally:?}");
        assert!(tally.stale > count / 50 && tally.shared > count / 500 && tally.told > count / 200, "{tally:?}");
    }
}

fn many(seeds: core::ops::Range<u64>) -> Result<Tally, String> {
    let mut tally = Tally::default();
    for seed in seeds {
        let report = catch_unwind(|| run(seed, false)).map_err(|_| failed(seed, "the engine panicked"))?;
        report.verdict.map_err(|words| failed(seed, &words))?;
        tally = sum(tally, report.tally);
    }
    Ok(tally)
}

fn failed(seed: u64, words: &str) -> String {
    let story = catch_unwind(|| run(seed, true)).map(|report| report.story.join("\n")).unwrap_or_default();
    if number("BOWLINE_SCHEDULES") == Some(1) {
        println!("{story}");
    }
    format!("{words}\nreplay: BOWLINE_SEED={seed} BOWLINE_SCHEDULES=1 cargo test -p bowline-core --test invariants")
}

fn sum(one: Tally, two: Tally) -> Tally {
    Tally {
        calls: one.calls + two.calls,
        good: one.good + two.good,
        connects: one.connects + two.connects,
        replayed: one.replayed + two.replayed,
        unknown: one.unknown + two.unknown,
        executed: one.executed + two.executed,
        cached: one.cached + two.cached,
        listened: one.listened + two.listened,
        asked: one.asked + two.asked,
        stale: one.stale + two.stale,
        shared: one.shared + two.shared,
        told: one.told + two.told,
    }
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

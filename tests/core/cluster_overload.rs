//! Nodes that have too much to do and do not say so, only answer too late: less is under way then, and more again when they answer. A method
//! that is slow by nature, and a node that hangs among others, take nothing from anybody. At large: `lateness` in tests/support/cluster.

use bowline_core::{ClusterConfig, ClusterInput, Duration, NodeId, Refusal, Route, RouteId, Verdict};
use bowline_support::{ms, read, write, Fleet};

const TIME: u64 = 10_000;

/// Three nodes that are never left alone; calls have ten seconds, and get no company.
fn fleet() -> Fleet {
    let config = ClusterConfig { breaker: None, min_attempt: None, timeout: ms(TIME), ..ClusterConfig::default() };
    Fleet::new(config, 3)
}

fn calls(fleet: &mut Fleet, count: usize) -> Vec<RouteId> {
    (0..count).map(|_| fleet.route(write())).collect()
}

/// Of so many calls at once, those that were sent; they are answered after so long.
fn admitted(fleet: &mut Fleet, count: usize, after: u64) -> usize {
    let calls = calls(fleet, count);
    let sent: Vec<RouteId> = calls.iter().filter(|call| !fleet.sendings(**call).is_empty()).copied().collect();
    for call in calls.iter().filter(|call| !sent.contains(call)) {
        assert_eq!(fleet.outcome(*call), Some(Err(Refusal::NoHealthyNode(None))));
    }
    fleet.pass(after);
    for call in &sent {
        fleet.finish(*call, Verdict::Answered);
    }
    sent.len()
}

/// So many calls at once that nobody answers.
fn in_vain(fleet: &mut Fleet, count: usize) {
    calls(fleet, count);
    fleet.pass(TIME);
}

fn throttled(fleet: &Fleet) -> u64 {
    fleet.cluster.metrics(fleet.now).throttled
}

#[test]
fn nothing_is_refused_before_something_was_late() {
    let mut fleet = fleet();
    assert_eq!((admitted(&mut fleet, 5_000, TIME - 1), throttled(&fleet)), (5_000, 0));
}

#[test]
fn half_of_what_was_not_answered_in_time_may_be_under_way_next_and_each_round_in_vain_halves_it_again() {
    let mut fleet = fleet();
    in_vain(&mut fleet, 64);
    for expected in [32, 16, 8, 4] {
        let calls = calls(&mut fleet, 100);
        let sent = calls.iter().filter(|call| !fleet.sendings(**call).is_empty()).count();
        assert_eq!(sent, expected);
        fleet.pass(TIME);
    }
    assert_eq!(throttled(&fleet), 400 - 60);
}

#[test]
fn one_call_is_always_sent() {
    let mut fleet = fleet();
    for _ in 0..20 {
        in_vain(&mut fleet, 1);
    }
    assert_eq!(throttled(&fleet), 0);
    assert_eq!(admitted(&mut fleet, 1, 100), 1);
}

#[test]
fn answers_in_good_time_make_room_for_one_more_per_round_and_late_ones_hardly_any() {
    for (after, least, most) in [(100, 25, 27), (TIME - 1, 16, 17)] {
        let mut fleet = fleet();
        in_vain(&mut fleet, 32);
        for _ in 0..10 {
            admitted(&mut fleet, 100, after);
        }
        let now = admitted(&mut fleet, 100, after);
        assert!((least..=most).contains(&now), "{now} after answers in {after} ms");
    }
}

#[test]
fn a_bound_that_nobody_reached_for_two_minutes_is_forgotten() {
    let mut fleet = fleet();
    in_vain(&mut fleet, 32);
    assert_eq!(admitted(&mut fleet, 16, 10), 16);
    fleet.pass(121_000);
    assert_eq!(admitted(&mut fleet, 1, 10), 1);
    assert_eq!(admitted(&mut fleet, 500, 10), 500);
}

#[test]
fn one_slow_method_on_healthy_nodes_costs_the_others_nothing_however_often_it_is_called() {
    let mut fleet = fleet();
    // Of ten calls, nine are of a method that nobody answers.
    for turn in 0..3_000 {
        let call = fleet.route(if turn % 2 == 0 { read() } else { write() });
        fleet.pass(20);
        if turn % 10 == 0 {
            fleet.finish(call, Verdict::Answered);
        }
    }
    assert_eq!(throttled(&fleet), 0);
}

#[test]
fn nor_does_a_slow_method_that_is_called_alone_for_a_while() {
    let mut fleet = fleet();
    in_vain(&mut fleet, 2);
    let stuck = calls(&mut fleet, 2);
    for _ in 0..100 {
        assert_eq!(admitted(&mut fleet, 2, 20), 2);
    }
    assert!(stuck.iter().all(|call| fleet.outcome(*call).is_none()));
    assert_eq!(throttled(&fleet), 0);
}

#[test]
fn calls_that_all_take_long_are_no_overload_when_one_of_them_is_never_answered() {
    let mut fleet = fleet();
    let only = |node| Route { preferred: Some(NodeId(node)), ..write() };
    for _ in 0..20 {
        let lost = fleet.route(only(0));
        fleet.pass(10);
        let slow: Vec<RouteId> = (0..30).map(|turn| fleet.route(only(turn % 3))).collect();
        fleet.pass(TIME - 100);
        slow.into_iter().for_each(|call| {
            fleet.finish(call, Verdict::Answered);
        });
        fleet.pass(90);
        assert_eq!(fleet.outcome(lost), Some(Err(Refusal::Timeout(true))));
    }
    assert_eq!(throttled(&fleet), 0);
}

#[test]
fn a_node_that_hangs_among_others_takes_no_room_from_them() {
    let mut fleet = fleet();
    for turn in 0..1_000 {
        // Some have no choice.
        let exclude = if turn % 10 == 0 { vec![NodeId(1), NodeId(2)] } else { Vec::new() };
        let call = fleet.route(Route { exclude, ..write() });
        fleet.pass(50);
        if fleet.node(call) != NodeId(0) {
            fleet.finish(call, Verdict::Answered);
        }
    }
    assert!(fleet.status(NodeId(0)).failures > 50);
    assert_eq!(throttled(&fleet), 0);
}

#[test]
fn while_there_is_no_room_a_slow_attempt_gets_no_company() {
    let config =
        ClusterConfig { breaker: None, timeout: ms(TIME), min_attempt: Some(ms(100)), ..ClusterConfig::default() };
    for crowd in [0, 8] {
        let mut fleet = Fleet::new(config.clone(), 3);
        in_vain(&mut fleet, crowd);
        let first = fleet.route(read());
        calls(&mut fleet, 3);
        fleet.pass(5_000);
        assert_eq!(fleet.sendings(first).len() > 1, crowd == 0);
    }
}

#[test]
fn a_page_that_slept_says_nothing_of_the_nodes() {
    let mut fleet = fleet();
    calls(&mut fleet, 32);
    fleet.now = fleet.now + Duration::from_millis(600_000);
    fleet.input(ClusterInput::Timeout);
    assert_eq!(admitted(&mut fleet, 100, 10), 100);
}

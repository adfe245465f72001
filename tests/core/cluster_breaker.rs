//! When a node is left alone, and until when: doubt after the first transport error, the breaker after several failures, probes. What the
//! surroundings do is no node's fault. How it gets its share back: cluster_return.rs.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    ClusterConfig, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Duration, HealthLimits, NodeId, NodePhase,
    Outcome, Refusal, Route, Trips, Verdict,
};
use bowline_support::{ms, read, write, Fleet, BROKEN, REFUSED, SICK, SILENT};

const A: NodeId = NodeId(0);

fn tripping(trips: Trips) -> ClusterConfig {
    ClusterConfig { breaker: Some(trips), ..ClusterConfig::default() }
}

/// As the seed says it: so many in a row, exactly so long.
fn verbatim() -> Trips {
    let reset = ms(60_000);
    Trips { consecutive: 5, reset, longest: reset, successes: 1, ..Trips::default() }
}

fn probed(fleet: &mut Fleet, well: bool) {
    fleet.input(ClusterInput::Probed(A, well.then_some(ms(5))));
}

fn signal(fleet: &mut Fleet, signal: ClusterSignal) {
    fleet.input(ClusterInput::Signal(signal));
}

/// Lets time pass until the node is probed.
fn until_probed(fleet: &mut Fleet, within: u64) -> bool {
    let from = fleet.log.len();
    for _ in 0..within {
        fleet.pass(1);
        if !fleet.probes(from).is_empty() {
            return true;
        }
    }
    false
}

#[test]
fn the_first_transport_error_makes_a_node_suspect_and_it_is_skipped_while_there_are_others() {
    for verdict in [BROKEN, REFUSED, SILENT] {
        let mut fleet = Fleet::new(ClusterConfig::default(), 3);
        fleet.strike(A, verdict, 1);
        assert_eq!(fleet.phase(A), NodePhase::Suspect);
        for _ in 0..100 {
            assert_ne!(fleet.run(read(), Verdict::Answered), A);
        }
    }
}

#[test]
fn what_another_client_says_makes_a_node_suspect_and_opens_nothing() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    for _ in 0..50 {
        fleet.input(ClusterInput::Hint(A));
    }
    assert_eq!(fleet.phase(A), NodePhase::Suspect);
    assert_ne!(fleet.run(read(), Verdict::Answered), A);
    fleet.strike(A, Verdict::Answered, 1);
    assert_eq!(fleet.phase(A), NodePhase::Closed, "its own experience counts more");
    fleet.input(ClusterInput::Hint(NodeId(99)));
}

#[test]
fn an_answer_that_is_an_error_of_the_server_makes_no_suspect() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.strike(A, SICK, 1);
    assert_eq!(fleet.phase(A), NodePhase::Closed);
}

#[test]
fn a_suspect_is_used_when_there_is_no_other_and_an_answer_clears_it() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 1);
    fleet.strike(A, BROKEN, 1);
    assert_eq!(fleet.run(read(), Verdict::Answered), A);
    assert_eq!(fleet.phase(A), NodePhase::Closed);
}

#[test]
fn a_suspect_is_asked_within_five_seconds_and_a_good_probe_clears_it() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.strike(A, BROKEN, 1);
    assert!(until_probed(&mut fleet, 5_000));
    probed(&mut fleet, true);
    assert_eq!(fleet.phase(A), NodePhase::Closed);
}

#[test]
fn probes_in_vain_open_the_breaker_as_calls_do() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.strike(A, BROKEN, 1);
    for phase in [NodePhase::Suspect, NodePhase::Open] {
        assert!(until_probed(&mut fleet, 10_000));
        probed(&mut fleet, false);
        assert_eq!(fleet.phase(A), phase);
    }
}

#[test]
fn a_link_that_comes_up_clears_a_suspect_and_closes_no_breaker_but_lets_a_probe_decide() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.input(ClusterInput::Down(A, false));
    assert_eq!(fleet.phase(A), NodePhase::Suspect);
    fleet.input(ClusterInput::Up(A));
    assert_eq!((fleet.phase(A), fleet.status(A).up), (NodePhase::Closed, true));
    fleet.strike(A, SICK, 3);
    fleet.input(ClusterInput::Up(A));
    assert_eq!(fleet.phase(A), NodePhase::Open, "it was up all the time");
    fleet.input(ClusterInput::Down(A, false));
    let from = fleet.input(ClusterInput::Up(A));
    assert_eq!((fleet.phase(A), fleet.probes(from).len()), (NodePhase::HalfOpen, 1));
}

#[test]
fn unless_the_application_named_how_long_it_is_open() {
    let mut fleet = Fleet::new(tripping(verbatim()), 3);
    fleet.strike(A, SICK, 5);
    fleet.input(ClusterInput::Up(A));
    assert_eq!((fleet.phase(A), fleet.status(A).retry_in), (NodePhase::Open, Some(ms(60_000))));
}

#[test]
fn a_link_that_comes_back_lets_a_probe_decide_before_a_long_pause_is_over() {
    let returns = |trips: Trips| {
        let mut fleet = Fleet::new(tripping(trips), 3);
        fleet.input(ClusterInput::Up(A));
        fleet.input(ClusterInput::Down(A, false));
        fleet.strike(A, SICK, trips.consecutive);
        assert_eq!(fleet.phase(A), NodePhase::Open);
        let from = fleet.log.len();
        fleet.input(ClusterInput::Up(A));
        (fleet.phase(A), fleet.probes(from).len())
    };
    assert_eq!(returns(Trips::default()), (NodePhase::HalfOpen, 1), "not closed: a link is no answer");
    assert_eq!(returns(verbatim()), (NodePhase::Open, 0), "a pause that the application named is kept");
}

#[test]
fn failures_in_a_row_open_the_breaker_and_an_answer_starts_the_row_anew() {
    let mut fleet = Fleet::new(tripping(verbatim()), 3);
    fleet.strike(A, SICK, 4);
    fleet.strike(A, Verdict::Answered, 1);
    fleet.strike(A, SICK, 4);
    assert_eq!(fleet.phase(A), NodePhase::Closed);
    let from = fleet.log.len();
    fleet.strike(A, SICK, 1);
    assert_eq!((fleet.phase(A), fleet.status(A).trips), (NodePhase::Open, 1));
    let down = [&ClusterEvent::Phase(A, NodePhase::Closed, NodePhase::Open), &ClusterEvent::NodeDown(A)];
    assert_eq!(fleet.events(from), down);
    assert_eq!(fleet.cluster.metrics(fleet.now).circuit_breaker_trips, 1);
}

#[test]
fn a_share_of_failures_of_the_last_ten_seconds_opens_it_once_there_are_enough_calls() {
    let trips = Trips { consecutive: 100, share: 0.5, minimum: 10, ..Trips::default() };
    let alternate = |pause: u64| {
        let mut fleet = Fleet::new(tripping(trips), 3);
        for _ in 0..5 {
            fleet.strike(A, Verdict::Answered, 1);
            fleet.pass(pause);
            assert_eq!(fleet.phase(A), NodePhase::Closed);
            fleet.strike(A, SICK, 1);
            fleet.pass(pause);
        }
        fleet.phase(A)
    };
    assert_eq!(alternate(100), NodePhase::Open);
    assert_eq!(alternate(1_500), NodePhase::Closed, "old failures do not count");
}

#[test]
fn calls_that_break_with_one_link_are_one_failure() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 1);
    let calls: Vec<_> = (0..20).map(|_| fleet.route(read())).collect();
    fleet.pass(10);
    calls.into_iter().for_each(|call| {
        fleet.finish(call, BROKEN);
    });
    assert_eq!(fleet.phase(A), NodePhase::Suspect);
}

#[test]
fn a_reset_time_that_the_application_named_is_kept_exactly() {
    let mut fleet = Fleet::new(tripping(verbatim()), 3);
    for _ in 0..3 {
        fleet.strike(A, SICK, 5);
        assert_eq!(fleet.status(A).retry_in, Some(ms(60_000)));
        fleet.pass(59_999);
        assert_eq!((fleet.phase(A), fleet.probes(0).len()), (NodePhase::Open, 0));
        fleet.pass(1);
        assert_eq!((fleet.phase(A), fleet.probes(0).len()), (NodePhase::HalfOpen, 1));
        probed(&mut fleet, true);
        assert_eq!(fleet.phase(A), NodePhase::Closed);
        fleet.log.clear();
    }
}

#[test]
fn each_time_it_opens_for_twice_as_long_up_to_the_longest_with_chance_in_it() {
    let mut spans: Vec<Vec<f64>> = Vec::new();
    for seed in 0..50 {
        let specs = (0..3).map(bowline_support::spec).collect();
        let mut fleet = Fleet::of(ClusterConfig::default(), specs, seed);
        fleet.strike(A, SICK, 3);
        spans.push(Vec::new());
        for _ in 0..9 {
            let left = fleet.status(A).retry_in.expect("open").as_millis();
            spans.last_mut().expect("pushed").push(left);
            fleet.pass(left as u64 + 1);
            probed(&mut fleet, false);
        }
    }
    for (turn, full) in [5e3, 10e3, 20e3, 40e3, 80e3, 160e3, 300e3, 300e3, 300e3].into_iter().enumerate() {
        let drawn: Vec<f64> = spans.iter().map(|spans| spans[turn]).collect();
        assert!(drawn.iter().all(|span| *span >= 0.5 * full && *span <= full), "turn {turn}: {drawn:?}");
        assert!(drawn.iter().any(|span| *span < 0.65 * full) && drawn.iter().any(|span| *span > 0.85 * full));
    }
}

#[test]
fn a_node_that_was_well_for_as_long_as_it_was_open_starts_with_a_short_time_again() {
    let trips = Trips { successes: 1, ..Trips::default() };
    for (well, factor) in [(200_000, 1.0), (10, 4.0)] {
        let mut fleet = Fleet::new(tripping(trips), 3);
        fleet.strike(A, SICK, 3);
        for well_now in [false, true] {
            fleet.pass(fleet.status(A).retry_in.expect("open").as_millis() as u64 + 1);
            probed(&mut fleet, well_now);
        }
        fleet.pass(well);
        fleet.strike(A, SICK, 3);
        let open = fleet.status(A).retry_in.expect("open").as_millis();
        assert!(open >= 2_500.0 * factor && open <= 5_000.0 * factor, "{open} after {well}");
    }
}

#[test]
fn a_half_open_node_is_probed_one_at_a_time_and_closes_after_enough_successes() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.strike(A, SICK, 3);
    let from = fleet.log.len();
    fleet.pass(5_000);
    assert_eq!((fleet.phase(A), fleet.probes(from).len()), (NodePhase::HalfOpen, 1));
    fleet.pass(4_000);
    assert_eq!(fleet.probes(from).len(), 1, "the first is still under way");
    probed(&mut fleet, true);
    assert_eq!(fleet.phase(A), NodePhase::HalfOpen);
    fleet.pass(1_000);
    assert_eq!(fleet.probes(from).len(), 2);
    let from = fleet.log.len();
    probed(&mut fleet, true);
    let up = [&ClusterEvent::Phase(A, NodePhase::HalfOpen, NodePhase::Closed), &ClusterEvent::NodeUp(A)];
    assert_eq!((fleet.phase(A), fleet.events(from)), (NodePhase::Closed, up.to_vec()));
}

#[test]
fn a_half_open_node_lets_one_call_through_when_there_is_no_other() {
    let mut fleet = Fleet::new(ClusterConfig { panic: 0.0, ..ClusterConfig::default() }, 1);
    fleet.strike(A, SICK, 3);
    fleet.pass(5_000);
    let trial = fleet.route(write());
    assert_eq!(fleet.visited(trial), [A]);
    let second = fleet.route(write());
    assert_eq!(fleet.outcome(second), Some(Err(Refusal::NoHealthyNode(None))));
    fleet.finish(trial, Verdict::Answered);
    fleet.run(write(), Verdict::Answered);
    assert_eq!(fleet.phase(A), NodePhase::Closed, "two calls do for two probes");
}

#[test]
fn a_probe_in_vain_opens_a_half_open_breaker_again_and_so_does_a_call() {
    for by_call in [false, true] {
        let mut fleet = Fleet::new(ClusterConfig::default(), 1);
        fleet.strike(A, SICK, 3);
        fleet.pass(5_000);
        if by_call {
            fleet.strike(A, SICK, 1);
        } else {
            probed(&mut fleet, false);
        }
        assert_eq!((fleet.phase(A), fleet.status(A).trips), (NodePhase::Open, 2));
    }
}

#[test]
fn what_was_sent_before_the_breaker_opened_says_nothing_any_more() {
    let mut fleet = Fleet::new(tripping(Trips { successes: 1, ..Trips::default() }), 1);
    let (old, older) = (fleet.route(write()), fleet.route(write()));
    fleet.pass(1);
    fleet.strike(A, SICK, 3);
    fleet.pass(1);
    fleet.finish(older, Verdict::Answered);
    assert_eq!(fleet.phase(A), NodePhase::Open);
    fleet.pass(5_000);
    fleet.finish(old, SICK);
    assert_eq!((fleet.phase(A), fleet.status(A).trips), (NodePhase::HalfOpen, 1));
}

#[test]
fn in_panic_a_call_to_an_open_node_that_is_answered_is_as_good_as_a_probe() {
    let mut fleet = Fleet::new(tripping(Trips { successes: 2, ..Trips::default() }), 5);
    (0..3).for_each(|id| fleet.strike(NodeId(id), SICK, 3));
    fleet.pass(1);
    let only = || Route { exclude: (1..5).map(NodeId).collect(), ..read() };
    fleet.run(only(), Verdict::Answered);
    assert_eq!(fleet.phase(A), NodePhase::HalfOpen);
    fleet.run(only(), Verdict::Answered);
    assert_eq!(fleet.phase(A), NodePhase::Closed);
    assert!(fleet.cluster.metrics(fleet.now).panics > 0);
}

#[test]
fn the_surroundings_count_against_no_node() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 1);
    fleet.strike(A, Verdict::Surroundings(Outcome::NotSent), 20);
    fleet.input(ClusterInput::Down(A, true));
    assert_eq!((fleet.phase(A), fleet.status(A).failures), (NodePhase::Closed, 0));
}

#[test]
fn while_there_is_no_network_no_breaker_opens_and_nobody_is_probed() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 2);
    let under_way = fleet.route(write());
    signal(&mut fleet, ClusterSignal::Offline);
    fleet.finish(under_way, BROKEN);
    for verdict in [REFUSED, BROKEN, SICK, SILENT] {
        fleet.strike(A, verdict, 20);
    }
    fleet.input(ClusterInput::Down(A, false));
    assert_eq!(fleet.phase(A), NodePhase::Closed);
    signal(&mut fleet, ClusterSignal::Online);
    fleet.strike(A, BROKEN, 1);
    signal(&mut fleet, ClusterSignal::Offline);
    let from = fleet.log.len();
    fleet.pass(60_000);
    assert!(fleet.probes(from).is_empty());
    signal(&mut fleet, ClusterSignal::Online);
    assert!(until_probed(&mut fleet, 5_000));
}

#[test]
fn a_probe_that_failed_without_a_network_opens_nothing() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 2);
    fleet.strike(A, SICK, 3);
    fleet.pass(5_000);
    assert_eq!(fleet.phase(A), NodePhase::HalfOpen);
    signal(&mut fleet, ClusterSignal::Offline);
    probed(&mut fleet, false);
    assert_eq!(fleet.phase(A), NodePhase::HalfOpen);
}

#[test]
fn nobody_is_probed_while_nobody_looks_and_all_that_are_due_afterwards() {
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    signal(&mut fleet, ClusterSignal::Hidden);
    fleet.strike(A, SICK, 3);
    fleet.strike(NodeId(1), BROKEN, 1);
    fleet.pass(600_000);
    assert!(fleet.probes(0).is_empty());
    signal(&mut fleet, ClusterSignal::Visible);
    fleet.pass(5_000);
    let mut asked: Vec<NodeId> = fleet.probes(0).into_iter().map(|(_, node)| node).collect();
    asked.sort();
    assert_eq!(asked, [A, NodeId(1)]);
}

#[test]
fn with_an_interval_every_node_with_a_link_is_asked_at_scattered_times() {
    let health = HealthLimits { interval: Some(ms(10_000)), ..HealthLimits::default() };
    let mut fleet = Fleet::new(ClusterConfig { health, warm: 2, ..ClusterConfig::default() }, 5);
    let mut answered = 0;
    for _ in 0..100_000 / 50 {
        fleet.pass(50);
        for (_, node) in fleet.probes(0).into_iter().skip(answered) {
            answered += 1;
            fleet.input(ClusterInput::Probed(node, Some(ms(3))));
        }
    }
    let probes = fleet.probes(0);
    let mut nodes: Vec<NodeId> = probes.iter().map(|(_, node)| *node).collect();
    nodes.sort();
    nodes.dedup();
    assert_eq!(nodes.len(), 2, "only those with a link");
    assert!(probes.len() >= 14 && probes.len() <= 28, "{} in 100 s", probes.len());
    let mut gaps: Vec<Duration> = probes.windows(2).map(|pair| pair[1].0.since(pair[0].0)).collect();
    gaps.sort();
    assert!(gaps.first() != gaps.last());
}

#[test]
fn probes_of_an_interval_that_fail_open_the_breaker_of_a_node_nobody_calls() {
    let health = HealthLimits { interval: Some(ms(10_000)), unhealthy: 3, ..HealthLimits::default() };
    let mut fleet = Fleet::new(ClusterConfig { health, warm: 1, ..ClusterConfig::default() }, 1);
    for phase in [NodePhase::Suspect, NodePhase::Suspect, NodePhase::Open] {
        assert!(until_probed(&mut fleet, 20_000));
        probed(&mut fleet, false);
        assert_eq!(fleet.phase(A), phase);
    }
}

#[test]
fn as_many_good_probes_as_the_application_wants_clear_a_suspect() {
    let health = HealthLimits { healthy: 3, ..HealthLimits::default() };
    let mut fleet = Fleet::new(ClusterConfig { health, ..ClusterConfig::default() }, 2);
    fleet.strike(A, BROKEN, 1);
    for phase in [NodePhase::Suspect, NodePhase::Suspect, NodePhase::Closed] {
        assert!(until_probed(&mut fleet, 5_000));
        probed(&mut fleet, true);
        assert_eq!(fleet.phase(A), phase);
    }
}

#[test]
fn without_a_breaker_a_node_is_only_ever_suspect() {
    let mut fleet = Fleet::new(ClusterConfig { breaker: None, ..ClusterConfig::default() }, 2);
    fleet.strike(A, BROKEN, 50);
    for _ in 0..5 {
        assert!(until_probed(&mut fleet, 60_000));
        probed(&mut fleet, false);
    }
    assert_eq!((fleet.phase(A), fleet.status(A).trips), (NodePhase::Suspect, 0));
}

#[test]
fn timeouts_count_only_if_the_application_wants() {
    for (timeouts, phase) in [(true, NodePhase::Open), (false, NodePhase::Closed)] {
        let mut fleet = Fleet::new(tripping(Trips { timeouts, ..Trips::default() }), 2);
        fleet.strike(A, SILENT, 3);
        assert_eq!(fleet.phase(A), phase);
    }
}

#[test]
fn a_call_that_runs_out_of_time_counts_against_the_node_that_did_not_answer() {
    let mut fleet = Fleet::new(ClusterConfig { min_attempt: None, ..ClusterConfig::default() }, 1);
    for _ in 0..3 {
        fleet.route(write());
        fleet.pass(60_000);
    }
    assert_eq!(fleet.status(A).trips, 1);
}

#[test]
fn but_not_when_the_page_slept() {
    let mut fleet = Fleet::new(ClusterConfig { min_attempt: None, ..ClusterConfig::default() }, 1);
    for _ in 0..3 {
        let call = fleet.route(write());
        fleet.now = fleet.now + ms(600_000);
        fleet.input(ClusterInput::Timeout);
        assert_eq!(fleet.outcome(call), Some(Err(Refusal::Timeout(true))));
    }
    assert_eq!((fleet.status(A).failures, fleet.status(A).trips), (0, 0));
}

#[test]
fn a_probe_goes_to_a_client_that_is_there() {
    let mut fleet = Fleet::new(ClusterConfig { warm: 0, ..ClusterConfig::default() }, 2);
    fleet.input(ClusterInput::Down(A, false));
    fleet.pass(5_000);
    let open = fleet.log.iter().position(|(_, output)| *output == ClusterOutput::Open(A));
    let probe = fleet.log.iter().position(|(_, output)| matches!(output, ClusterOutput::Probe(A, _)));
    assert!(open.is_some() && open < probe);
}

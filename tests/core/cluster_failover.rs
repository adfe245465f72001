//! What happens to a call when its node fails: who may go on to another node, how far, at what cost, and how it ends when nobody is left.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    ClusterConfig, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Failure, NodeId, NodePhase, Outcome,
    Refusal, Route, Trips, Verdict,
};
use bowline_support::{ms, read, write, Fleet, BROKEN, REFUSED, SICK, SILENT};

const UNKNOWN: Verdict = Verdict::Surroundings(Outcome::Unknown);

fn fleet(nodes: u32) -> Fleet {
    Fleet::new(ClusterConfig::default(), nodes)
}

/// Never too many failures for a breaker.
fn patient() -> ClusterConfig {
    let trips = Trips { consecutive: u32::MAX, minimum: u32::MAX, ..Trips::default() };
    ClusterConfig { breaker: Some(trips), ..ClusterConfig::default() }
}

#[test]
fn a_safe_call_goes_on_to_another_node_after_any_failure() {
    for verdict in [REFUSED, BROKEN, SICK, SILENT, UNKNOWN, Verdict::Busy(None)] {
        let mut fleet = fleet(5);
        let call = fleet.route(read());
        let from = fleet.finish(call, verdict);
        let visited = fleet.visited(call);
        assert_eq!(visited.len(), 2, "{verdict:?}");
        assert_ne!(visited[0], visited[1]);
        let failover = |event: &&ClusterEvent| matches!(event, ClusterEvent::Failover { route, from, to, .. } if (*route, *from, *to) == (call, visited[0], visited[1]));
        assert_eq!(fleet.events(from).into_iter().filter(failover).count(), 1);
        let second = fleet.attempt(call);
        fleet.end(second, Verdict::Answered);
        assert_eq!(fleet.outcome(call), Some(Ok(second)));
    }
}

#[test]
fn a_call_with_side_effects_goes_on_only_when_it_was_not_executed() {
    let executed = [BROKEN, SICK, SILENT, UNKNOWN, Verdict::Failed(Failure::Transport, Outcome::Applied)];
    for verdict in executed {
        let mut fleet = fleet(5);
        let call = fleet.route(write());
        let attempt = fleet.attempt(call);
        fleet.end(attempt, verdict);
        assert_eq!((fleet.visited(call).len(), fleet.outcome(call)), (1, Some(Ok(attempt))), "{verdict:?}");
    }
    let not = Outcome::NotApplied;
    for verdict in [REFUSED, Verdict::Failed(Failure::Server, not), Verdict::Busy(None), Verdict::Surroundings(not)] {
        let mut fleet = fleet(5);
        let call = fleet.route(write());
        fleet.finish(call, verdict);
        assert_eq!((fleet.visited(call).len(), fleet.outcome(call)), (2, None), "{verdict:?}");
        let second = fleet.attempt(call);
        fleet.end(second, BROKEN);
        assert_eq!((fleet.visited(call).len(), fleet.outcome(call)), (2, Some(Ok(second))));
    }
}

#[test]
fn and_not_even_then_if_the_application_forbids_it() {
    let mut fleet = Fleet::new(ClusterConfig { unsafe_failover: false, ..ClusterConfig::default() }, 5);
    let call = fleet.route(write());
    let attempt = fleet.attempt(call);
    fleet.end(attempt, REFUSED);
    assert_eq!((fleet.visited(call).len(), fleet.outcome(call)), (1, Some(Ok(attempt))));
}

#[test]
fn a_call_visits_as_many_nodes_as_it_may_and_none_twice_and_ends_as_its_last_attempt_did() {
    for (most, nodes) in [(1, 5), (3, 5), (5, 3)] {
        let mut fleet = Fleet::new(ClusterConfig { max_nodes: most, ..ClusterConfig::default() }, nodes);
        let call = fleet.route(read());
        while fleet.outcome(call).is_none() {
            fleet.finish(call, REFUSED);
        }
        let mut visited = fleet.visited(call);
        assert_eq!(fleet.outcome(call), Some(Ok(fleet.attempt(call))));
        visited.sort();
        visited.dedup();
        assert_eq!(visited.len(), usize::from(most).min(nodes as usize), "{most} of {nodes}");
    }
}

#[test]
fn what_is_left_of_the_time_is_passed_down_and_nothing_starts_that_has_no_time() {
    let mut fleet = Fleet::new(ClusterConfig { min_attempt: None, ..patient() }, 5);
    for _ in 0..30 {
        let call = fleet.route(read());
        fleet.pass(100);
        fleet.finish(call, Verdict::Answered);
    }
    let limited = || Route { timeout: Some(ms(1_000)), ..read() };
    let call = fleet.route(limited());
    fleet.pass(850);
    let from = fleet.finish(call, BROKEN);
    let timeout =
        |output: &&ClusterOutput| matches!(output, ClusterOutput::Send { timeout, .. } if *timeout == ms(150));
    assert_eq!(fleet.said(from).into_iter().filter(timeout).count(), 1);
    let call = fleet.route(limited());
    fleet.pass(950);
    let attempt = fleet.attempt(call);
    fleet.end(attempt, BROKEN);
    assert_eq!(fleet.outcome(call), Some(Ok(attempt)), "half of all answers take longer than the 50 ms that are left");
}

#[test]
fn calls_that_break_with_one_link_all_go_on_and_cost_one_token() {
    let mut fleet = fleet(2);
    let calls: Vec<_> = (0..100).map(|_| fleet.route(read())).collect();
    fleet.pass(10);
    let dead = NodeId(0);
    for call in &calls {
        if fleet.node(*call) == dead {
            fleet.finish(*call, BROKEN);
        }
    }
    calls.iter().for_each(|call| assert_eq!(fleet.node(*call), NodeId(1)));
    assert_eq!(fleet.phase(dead), NodePhase::Suspect);
    assert_eq!(fleet.cluster.metrics(fleet.now).budget_exhausted, 0);
}

#[test]
fn calls_that_never_left_go_on_at_no_cost() {
    let mut fleet = Fleet::new(patient(), 5);
    for _ in 0..100 {
        let call = fleet.route(read());
        fleet.finish(call, REFUSED);
        assert_eq!(fleet.visited(call).len(), 2);
        fleet.input(ClusterInput::Cancel(call));
    }
}

#[test]
fn when_many_fail_few_go_on_and_each_tenth_answer_pays_for_one() {
    let mut fleet = Fleet::new(patient(), 5);
    let mut went_on = 0;
    let fail = |fleet: &mut Fleet| {
        let call = fleet.route(read());
        while fleet.outcome(call).is_none() {
            fleet.finish(call, SICK);
        }
        fleet.visited(call).len() - 1
    };
    for _ in 0..20 {
        went_on += fail(&mut fleet);
    }
    assert_eq!(went_on, 3, "10 tokens, each failure takes one, and more than 5 must be left: 9, 8, then 6");
    assert!(fleet.cluster.metrics(fleet.now).budget_exhausted >= 16);
    for _ in 0..61 {
        fleet.run(read(), Verdict::Answered);
    }
    assert_eq!(fail(&mut fleet), 1);
}

#[test]
fn without_a_network_no_other_node_is_tried() {
    let mut fleet = fleet(5);
    fleet.input(ClusterInput::Signal(ClusterSignal::Offline));
    for route in [read(), write()] {
        let call = fleet.route(route);
        let attempt = fleet.attempt(call);
        fleet.end(attempt, Verdict::Surroundings(Outcome::NotSent));
        assert_eq!((fleet.visited(call).len(), fleet.outcome(call)), (1, Some(Ok(attempt))));
    }
}

#[test]
fn a_node_that_is_busy_is_left_alone_as_long_as_it_wants_and_is_not_at_fault() {
    let mut fleet = fleet(3);
    let call = fleet.route(write());
    let busy = fleet.node(call);
    fleet.finish(call, Verdict::Busy(Some(ms(10_000))));
    assert_ne!(fleet.node(call), busy, "nothing was executed");
    for _ in 0..100 {
        assert_ne!(fleet.run(read(), Verdict::Answered), busy);
        fleet.pass(99);
    }
    let status = fleet.status(busy);
    assert_eq!((status.phase, status.failures, status.trips), (NodePhase::Closed, 0, 0));
    assert!(status.weight <= 0.5);
    fleet.pass(1_200);
    assert!((0..100).any(|_| fleet.run(read(), Verdict::Answered) == busy));
}

#[test]
fn a_wish_to_be_left_alone_for_ever_is_granted_for_five_minutes() {
    let mut fleet = fleet(1);
    fleet.run(read(), Verdict::Busy(Some(ms(u64::MAX / 2_000))));
    let call = fleet.route(read());
    assert!(matches!(fleet.outcome(call), Some(Err(Refusal::CircuitOpen(wait))) if wait <= ms(330_000)));
    fleet.pass(330_000);
    fleet.run(read(), Verdict::Answered);
}

#[test]
fn when_all_nodes_refuse_calls_are_refused_here_and_otherwise_none_is() {
    for all in [true, false] {
        let mut fleet = fleet(3);
        if !all {
            fleet.run(Route { preferred: Some(NodeId(2)), ..read() }, Verdict::Answered);
        }
        let mut refused = 0;
        for turn in 0..500 {
            let preferred = Some(NodeId(turn % if all { 3 } else { 2 }));
            let call = fleet.route(Route { preferred, ..write() });
            if fleet.sendings(call).is_empty() {
                refused += 1;
            } else if all || fleet.node(call) != NodeId(2) {
                let before = fleet.attempt(call);
                fleet.end(before, Verdict::Busy(None));
                fleet.input(ClusterInput::Cancel(call));
            }
            fleet.pass(10);
        }
        assert_eq!(refused > 300, all, "{refused} of 500 refused here");
        assert_eq!(fleet.cluster.metrics(fleet.now).throttled, refused);
    }
}

#[test]
fn a_slow_attempt_of_a_safe_call_gets_company_and_whoever_answers_first_settles_it() {
    for first_wins in [true, false] {
        let mut fleet = fleet(3);
        for _ in 0..50 {
            let call = fleet.route(read());
            fleet.pass(20);
            fleet.finish(call, Verdict::Answered);
        }
        let call = fleet.route(read());
        fleet.pass(499);
        assert_eq!(fleet.sendings(call).len(), 1);
        fleet.pass(1);
        let [(one, slow), (two, _)] = fleet.sendings(call)[..] else {
            panic!("{:?}", fleet.sendings(call));
        };
        assert_eq!(fleet.phase(slow), NodePhase::Suspect, "nobody else has to find out");
        let (winner, loser) = if first_wins { (one, two) } else { (two, one) };
        let from = fleet.end(winner, Verdict::Answered);
        assert_eq!(fleet.outcome(call), Some(Ok(winner)));
        assert!(fleet.said(from).contains(&&ClusterOutput::Abort(loser)));
        assert_eq!(fleet.end(loser, Verdict::Answered), fleet.log.len(), "late words are not heard");
    }
}

#[test]
fn a_slow_attempt_with_side_effects_gets_none_but_its_node_is_asked() {
    let mut fleet = fleet(3);
    let call = fleet.route(write());
    let node = fleet.node(call);
    fleet.pass(5_000);
    assert_eq!((fleet.sendings(call).len(), fleet.phase(node)), (1, NodePhase::Suspect));
    fleet.pass(5_000);
    assert_eq!(fleet.probes(0).into_iter().map(|(_, node)| node).collect::<Vec<_>>(), [node]);
    fleet.input(ClusterInput::Probed(node, Some(ms(1))));
    fleet.pass(20_000);
    assert_eq!(fleet.phase(node), NodePhase::Closed, "slow by nature, and nothing was lost");
    fleet.finish(call, Verdict::Answered);
    assert!(matches!(fleet.outcome(call), Some(Ok(_))));
}

#[test]
fn a_node_that_answers_probes_but_no_calls_is_found_out() {
    let mut fleet = fleet(2);
    let (hung, mut calls) = (NodeId(0), 0);
    while fleet.phase(hung) != NodePhase::Open {
        calls += 1;
        assert!(calls < 2_000, "it is still {:?}", fleet.phase(hung));
        let call = fleet.route(read());
        while fleet.node(call) == hung {
            fleet.pass(10);
            assert_eq!(fleet.outcome(call), None, "it was left there");
        }
        fleet.pass(20);
        fleet.finish(call, Verdict::Answered);
        fleet.input(ClusterInput::Probed(hung, Some(ms(1))));
    }
}

#[test]
fn a_failure_beside_another_attempt_waits_for_that_one() {
    let mut fleet = Fleet::new(ClusterConfig { max_nodes: 2, ..ClusterConfig::default() }, 3);
    let call = fleet.route(read());
    fleet.pass(5_000);
    let [(one, _), (two, _)] = fleet.sendings(call)[..] else {
        panic!("{:?}", fleet.sendings(call));
    };
    fleet.end(two, SICK);
    assert_eq!(fleet.outcome(call), None);
    fleet.end(one, Verdict::Answered);
    assert_eq!(fleet.outcome(call), Some(Ok(one)));
}

#[test]
fn an_attempt_that_somebody_else_gave_up_ends_its_call() {
    let mut fleet = fleet(3);
    let call = fleet.route(read());
    let attempt = fleet.attempt(call);
    fleet.end(attempt, Verdict::Aborted);
    assert_eq!((fleet.sendings(call).len(), fleet.outcome(call)), (1, Some(Ok(attempt))));
}

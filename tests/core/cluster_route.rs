//! One call on its way through a cluster that works, and the links and nodes around it: who is opened, who is taken, what is told, and how
//! every call ends once.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    Answer, ClusterConfig, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, DiscoveryLimits, Hedge, NodeId,
    NodePhase, NodeSpec, Query, Refusal, RegionId, Route, RouteId, SourceKind, Strategy, Verdict,
};
use bowline_support::{ms, read, spec, write, Fleet, BROKEN, SICK};

fn fleet(nodes: u32) -> Fleet {
    Fleet::new(ClusterConfig::default(), nodes)
}

fn polled() -> ClusterConfig {
    let discovery = DiscoveryLimits { source: SourceKind::Poll, ..DiscoveryLimits::default() };
    ClusterConfig { discovery, ..ClusterConfig::default() }
}

fn found(fleet: &mut Fleet, nodes: impl IntoIterator<Item = u32>) -> usize {
    let list = nodes.into_iter().map(spec).collect();
    fleet.input(ClusterInput::Discovered(Answer::List(list, 0)))
}

/// Lets time pass until the source is asked, and answers.
fn find(fleet: &mut Fleet, nodes: impl IntoIterator<Item = u32>) -> usize {
    let asked = |fleet: &Fleet| fleet.log.iter().filter(|(_, output)| matches!(output, ClusterOutput::Ask(_))).count();
    let before = asked(fleet);
    for _ in 0..40_000 {
        if asked(fleet) > before {
            return found(fleet, nodes);
        }
        fleet.pass(1);
    }
    panic!("nobody is asked");
}

fn opened(fleet: &Fleet) -> Vec<NodeId> {
    let open = |(_, output): &(_, ClusterOutput)| match output {
        ClusterOutput::Open(node) => Some(*node),
        _ => None,
    };
    fleet.log.iter().filter_map(open).collect()
}

#[test]
fn some_links_are_opened_before_anybody_calls_and_others_before_their_first_call() {
    let mut fleet = Fleet::new(ClusterConfig { warm: 2, ..ClusterConfig::default() }, 5);
    let mut warm = opened(&fleet);
    assert_eq!(warm.len(), 2);
    for _ in 0..100 {
        let from = fleet.log.len();
        let node = fleet.run(read(), Verdict::Answered);
        let opens = fleet.said(from).first() == Some(&&ClusterOutput::Open(node));
        assert_eq!(opens, !warm.contains(&node), "once, and before the sending");
        warm.push(node);
    }
    assert_eq!(opened(&fleet).len(), 5);
}

#[test]
fn a_route_begins_a_cluster_that_nobody_began() {
    let mut cluster = bowline_core::Cluster::new(ClusterConfig::default(), vec![spec(0)], 1);
    cluster.handle_input(bowline_core::Instant::default(), ClusterInput::Route(RouteId(0), read()));
    assert_eq!(cluster.poll_output(), ClusterOutput::Open(NodeId(0)));
    assert!(matches!(cluster.poll_output(), ClusterOutput::Send { .. }));
}

#[test]
fn a_route_whose_number_is_in_use_changes_nothing() {
    let mut fleet = fleet(3);
    let call = fleet.route(read());
    let from = fleet.input(ClusterInput::Route(call, write()));
    assert!(fleet.said(from).is_empty());
    fleet.finish(call, Verdict::Answered);
    let from = fleet.input(ClusterInput::Route(call, read()));
    assert_eq!(fleet.said(from).len(), 1, "it is free again");
}

#[test]
fn a_call_that_was_cancelled_is_given_up_wherever_it_is() {
    let mut fleet = fleet(3);
    let call = fleet.route(read());
    let attempt = fleet.attempt(call);
    let from = fleet.input(ClusterInput::Cancel(call));
    let end = [&ClusterOutput::Fail(call, Refusal::Aborted(true)), &ClusterOutput::Abort(attempt)];
    assert_eq!(fleet.said(from), end);
    let from = fleet.end(attempt, Verdict::Answered);
    fleet.input(ClusterInput::Cancel(call));
    fleet.pass(120_000);
    assert!(fleet.said(from).is_empty());
    assert_eq!(fleet.status(NodeId(0)).active + fleet.status(NodeId(1)).active + fleet.status(NodeId(2)).active, 0);
}

#[test]
fn a_call_ends_at_its_deadline_all_attempts_together() {
    let mut fleet = Fleet::new(ClusterConfig { min_attempt: None, ..ClusterConfig::default() }, 3);
    let call = fleet.route(Route { timeout: Some(ms(1_000)), ..read() });
    fleet.pass(600);
    fleet.finish(call, BROKEN);
    fleet.pass(399);
    assert_eq!(fleet.outcome(call), None);
    let attempt = fleet.attempt(call);
    let from = fleet.log.len();
    fleet.pass(1);
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::Timeout(true))));
    assert!(fleet.said(from).contains(&&ClusterOutput::Abort(attempt)));
}

#[test]
fn when_the_cluster_closes_all_calls_end_and_all_links_and_later_calls_find_it_closed() {
    let mut fleet = fleet(3);
    let call = fleet.route(write());
    let from = fleet.input(ClusterInput::Close);
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::Closed(true))));
    let shut = fleet.said(from).into_iter().filter(|output| matches!(output, ClusterOutput::Shut(_))).count();
    assert_eq!((shut, fleet.timer), (3, None));
    let late = fleet.route(read());
    assert_eq!(fleet.outcome(late), Some(Err(Refusal::Closed(false))));
    let from = fleet.input(ClusterInput::Connect);
    assert!(fleet.said(from).is_empty());
}

#[test]
fn a_list_without_nodes_ends_calls_at_once() {
    let mut fleet = fleet(0);
    let call = fleet.route(read());
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::NoNode)));
}

#[test]
fn calls_wait_while_nodes_are_being_found_for_the_first_time() {
    let mut fleet = Fleet::new(polled(), 0);
    let (call, other, cancelled) = (fleet.route(read()), fleet.route(write()), fleet.route(write()));
    assert!(fleet.said(0).iter().any(|output| matches!(output, ClusterOutput::Ask(Query::List { .. }))));
    fleet.pass(1_000);
    fleet.input(ClusterInput::Cancel(cancelled));
    assert_eq!(fleet.outcome(cancelled), Some(Err(Refusal::Aborted(false))));
    let from = found(&mut fleet, [4, 5]);
    let event = ClusterEvent::Discovery { added: vec![NodeId(4), NodeId(5)], removed: vec![] };
    assert!(fleet.events(from).contains(&&event));
    assert_eq!((fleet.sendings(call).len(), fleet.sendings(other).len(), fleet.sendings(cancelled).len()), (1, 1, 0));
}

#[test]
fn a_number_that_is_free_again_while_its_first_call_would_still_wait_is_sent_once() {
    let mut fleet = Fleet::new(polled(), 0);
    let call = fleet.route(read());
    fleet.input(ClusterInput::Cancel(call));
    fleet.input(ClusterInput::Route(call, read()));
    found(&mut fleet, [1, 2]);
    assert_eq!(fleet.sendings(call).len(), 1);
}

#[test]
fn they_wait_no_longer_when_every_source_was_asked_in_vain_or_their_time_is_over() {
    let discovery = DiscoveryLimits { endpoints: 2, ..polled().discovery };
    let mut fleet = Fleet::new(ClusterConfig { discovery, ..ClusterConfig::default() }, 0);
    let call = fleet.route(read());
    let short = fleet.route(Route { timeout: Some(ms(5)), ..read() });
    fleet.pass(5);
    assert_eq!(fleet.outcome(short), Some(Err(Refusal::Timeout(false))));
    fleet.input(ClusterInput::Discovered(Answer::Failed));
    assert_eq!(fleet.outcome(call), None);
    fleet.pass(2_000);
    fleet.input(ClusterInput::Discovered(Answer::Failed));
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::NoNode)));
    let late = fleet.route(read());
    assert_eq!(fleet.outcome(late), Some(Err(Refusal::NoNode)), "it is known by now");
}

#[test]
fn a_call_that_waited_for_too_long_is_not_sent_even_when_its_timer_is_late() {
    let mut fleet = Fleet::new(polled(), 0);
    let call = fleet.route(Route { timeout: Some(ms(100)), ..read() });
    fleet.now = fleet.now + ms(500);
    found(&mut fleet, [1]);
    assert_eq!((fleet.sendings(call).len(), fleet.outcome(call)), (0, Some(Err(Refusal::Timeout(false)))));
}

#[test]
fn a_node_that_left_finishes_what_it_has_gets_nothing_new_and_is_shut() {
    let mut fleet = Fleet::new(polled(), 2);
    let leaver = NodeId(0);
    let call = fleet.route(Route { preferred: Some(leaver), ..write() });
    let from = find(&mut fleet, [1, 2]);
    let event = ClusterEvent::Discovery { added: vec![NodeId(2)], removed: vec![leaver] };
    assert!(fleet.events(from).contains(&&event));
    assert!(fleet.status(leaver).draining);
    for _ in 0..50 {
        assert_ne!(fleet.run(Route { preferred: Some(leaver), ..read() }, Verdict::Answered), leaver);
    }
    assert!(!fleet.said(0).contains(&&ClusterOutput::Shut(leaver)));
    let from = fleet.finish(call, Verdict::Answered);
    assert!(fleet.said(from).contains(&&ClusterOutput::Shut(leaver)));
    assert!(fleet.statuses().iter().all(|status| status.id != leaver));
}

#[test]
fn a_node_that_comes_back_is_what_it_was() {
    let mut fleet = Fleet::new(polled(), 2);
    let node = NodeId(0);
    let call = fleet.route(Route { preferred: Some(node), ..write() });
    fleet.strike(node, SICK, 3);
    find(&mut fleet, [1]);
    find(&mut fleet, [0, 1]);
    assert!(!fleet.status(node).draining);
    assert_eq!((fleet.status(node).trips, fleet.status(node).active), (1, 1), "its breaker is not forgotten");
    fleet.finish(call, Verdict::Answered);
    assert!(!fleet.said(0).contains(&&ClusterOutput::Shut(node)));
}

#[test]
fn a_drained_node_gets_nothing_new_until_the_application_says_otherwise() {
    let mut fleet = fleet(2);
    let node = NodeId(0);
    let call = fleet.route(Route { preferred: Some(node), ..write() });
    let from = fleet.input(ClusterInput::Drain(node, true));
    assert_eq!(fleet.events(from), [&ClusterEvent::NodeDown(node)]);
    for _ in 0..50 {
        assert_eq!(fleet.run(Route { preferred: Some(node), ..read() }, Verdict::Answered), NodeId(1));
    }
    fleet.finish(call, Verdict::Answered);
    assert!(matches!(fleet.outcome(call), Some(Ok(_))), "what it had it finished");
    let from = fleet.input(ClusterInput::Drain(node, false));
    assert_eq!(fleet.events(from), [&ClusterEvent::NodeUp(node)]);
    assert_eq!(fleet.run(Route { preferred: Some(node), ..read() }, Verdict::Answered), node);
}

#[test]
fn an_isolated_node_gets_nothing_even_if_it_is_the_last_one_and_leaves_and_comes_back() {
    let mut fleet = Fleet::new(polled(), 1);
    let node = NodeId(0);
    let from = fleet.input(ClusterInput::Isolate(node, true));
    let told = [&ClusterEvent::Phase(node, NodePhase::Closed, NodePhase::Isolated), &ClusterEvent::NodeDown(node)];
    assert_eq!(fleet.events(from), told);
    let refused = |fleet: &mut Fleet| {
        let call = fleet.route(read());
        assert_eq!(fleet.outcome(call), Some(Err(Refusal::NoHealthyNode(None))));
    };
    refused(&mut fleet);
    find(&mut fleet, [1]);
    find(&mut fleet, [0]);
    refused(&mut fleet);
    fleet.input(ClusterInput::Down(node, false));
    let from = fleet.log.len();
    fleet.pass(20_000);
    assert!(fleet.probes(from).is_empty(), "not even a question");
    fleet.input(ClusterInput::Isolate(node, false));
    assert_eq!(fleet.run(read(), Verdict::Answered), node);
}

#[test]
fn excluded_nodes_are_not_taken_and_a_preferred_one_is_unless_it_fails() {
    let mut fleet = fleet(4);
    for _ in 0..50 {
        let exclude = vec![NodeId(0), NodeId(1)];
        assert!(fleet.run(Route { exclude, ..read() }, Verdict::Answered) >= NodeId(2));
    }
    let preferred = Some(NodeId(3));
    let call = fleet.route(Route { preferred, ..read() });
    assert_eq!(fleet.node(call), NodeId(3));
    fleet.finish(call, BROKEN);
    assert_ne!(fleet.node(call), NodeId(3));
    let call = fleet.route(Route { exclude: (0..4).map(NodeId).collect(), ..read() });
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::NoHealthyNode(None))));
}

#[test]
fn refusals_say_when_it_is_worth_another_try() {
    let mut fleet = Fleet::new(ClusterConfig { panic: 0.0, ..ClusterConfig::default() }, 2);
    fleet.strike(NodeId(0), SICK, 3);
    fleet.pass(1_000);
    fleet.strike(NodeId(1), SICK, 3);
    let waits: Vec<_> = fleet.statuses().iter().filter_map(|status| status.retry_in).collect();
    let call = fleet.route(read());
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::NoHealthyNode(waits.iter().min().copied()))));
    let call = fleet.route(Route { exclude: vec![NodeId(0)], ..read() });
    assert_eq!(fleet.outcome(call), Some(Err(Refusal::CircuitOpen(waits[1]))));
}

#[test]
fn a_session_stays_on_its_node_and_falls_over_when_that_fails() {
    let mut fleet = Fleet::new(ClusterConfig { strategy: Strategy::Sticky, ..ClusterConfig::default() }, 5);
    let of = |session| Route { session: Some(session), ..read() };
    for session in 0..20 {
        let home = fleet.run(of(session), Verdict::Answered);
        for _ in 0..5 {
            assert_eq!(fleet.run(of(session), Verdict::Answered), home);
        }
    }
    assert_eq!(fleet.cluster.metrics(fleet.now).sticky_hits, 100);
    let call = fleet.route(of(3));
    let home = fleet.node(call);
    fleet.finish(call, BROKEN);
    let other = fleet.node(call);
    assert_ne!(other, home);
    fleet.finish(call, Verdict::Answered);
    assert_ne!(fleet.run(of(3), Verdict::Answered), home, "it is suspect");
}

#[test]
fn a_session_that_was_moved_by_a_failure_lives_there_until_it_ends() {
    let mut fleet = Fleet::new(ClusterConfig { strategy: Strategy::Sticky, ..ClusterConfig::default() }, 5);
    let of = || Route { session: Some(9), ..read() };
    assert_eq!(fleet.cluster.home(9), None);
    let first = fleet.run(of(), Verdict::Answered);
    fleet.strike(first, BROKEN, 1);
    let second = fleet.run(of(), Verdict::Answered);
    fleet.input(ClusterInput::Up(first));
    assert_eq!(fleet.run(of(), Verdict::Answered), second);
    assert_eq!(fleet.cluster.home(9), Some(second));
    fleet.input(ClusterInput::Unpin(9));
    assert_eq!((fleet.cluster.home(9), fleet.run(of(), Verdict::Answered)), (None, first));
}

#[test]
fn reads_go_to_the_nearest_and_writes_go_home() {
    let at = |id, region, zone| NodeSpec { region: RegionId(region), zone: RegionId(zone), ..spec(id) };
    let nodes = vec![at(0, 1, 1), at(1, 1, 2), at(2, 2, 3), at(3, 2, 3)];
    let (region, zone, home) = (RegionId(1), RegionId(1), RegionId(2));
    let mut fleet = Fleet::of(ClusterConfig { region, zone, home, ..ClusterConfig::default() }, nodes, 3);
    for _ in 0..50 {
        assert_eq!(fleet.run(read(), Verdict::Answered), NodeId(0));
        assert!(fleet.run(write(), Verdict::Answered) >= NodeId(2));
        assert!(fleet.run(Route { region: Some(RegionId(2)), ..read() }, Verdict::Answered) >= NodeId(2));
        assert_eq!(fleet.run(Route { region: Some(RegionId(1)), ..write() }, Verdict::Answered), NodeId(0));
    }
    fleet.strike(NodeId(0), SICK, 3);
    assert_eq!(fleet.run(read(), Verdict::Answered), NodeId(1), "the next tier");
    fleet.strike(NodeId(2), SICK, 3);
    for _ in 0..20 {
        assert_eq!(fleet.run(write(), Verdict::Answered), NodeId(3), "home has somebody left");
    }
}

#[test]
fn a_hedge_starts_a_second_attempt_and_the_first_answer_wins() {
    let hedge = Some(Hedge { after: Some(ms(100)), share: 1.0 });
    let mut fleet = Fleet::new(ClusterConfig { hedge, ..ClusterConfig::default() }, 3);
    let call = fleet.route(read());
    fleet.pass(99);
    assert_eq!(fleet.sendings(call).len(), 1);
    fleet.pass(1);
    let [(one, first), (two, second)] = fleet.sendings(call)[..] else {
        panic!("{:?}", fleet.sendings(call));
    };
    assert_ne!(first, second);
    assert!(fleet.events(0).contains(&&ClusterEvent::Hedged(call, second)));
    let from = fleet.end(two, Verdict::Answered);
    assert_eq!(fleet.said(from), [&ClusterOutput::Settle(call, two), &ClusterOutput::Abort(one)]);
    let metrics = fleet.cluster.metrics(fleet.now);
    assert_eq!((metrics.hedges, metrics.hedges_won, metrics.failovers), (1, 1, 0));
    assert_eq!(fleet.status(first).failures, 0, "a race that was lost says nothing");
}

#[test]
fn calls_with_side_effects_are_never_hedged() {
    let hedge = Some(Hedge { after: Some(ms(1)), share: 1.0 });
    let mut fleet = Fleet::new(ClusterConfig { hedge, ..ClusterConfig::default() }, 3);
    let call = fleet.route(Route { hedge_after: Some(ms(1)), ..write() });
    fleet.pass(50_000);
    assert_eq!(fleet.sendings(call).len(), 1);
}

#[test]
fn hedges_are_a_small_share_of_all_calls() {
    for (hedge, own) in [(Some(Hedge { after: Some(ms(10)), share: 0.05 }), None), (None, Some(ms(10)))] {
        let mut fleet = Fleet::new(ClusterConfig { hedge, ..ClusterConfig::default() }, 3);
        for _ in 0..1_000 {
            let call = fleet.route(Route { hedge_after: own, ..read() });
            fleet.pass(20);
            fleet.finish(call, Verdict::Answered);
        }
        let hedges = fleet.cluster.metrics(fleet.now).hedges;
        assert!((40..=51).contains(&hedges), "{hedges} of 1,000");
    }
}

#[test]
fn without_a_time_of_its_own_a_hedge_waits_for_the_p95_once_that_is_known() {
    let hedge = Some(Hedge { after: None, share: 1.0 });
    let mut fleet = Fleet::new(ClusterConfig { hedge, ..ClusterConfig::default() }, 3);
    for _ in 0..20 {
        let call = fleet.route(read());
        fleet.pass(40);
        fleet.finish(call, Verdict::Answered);
        assert_eq!(fleet.sendings(call).len(), 1, "nothing is known yet");
    }
    let call = fleet.route(read());
    fleet.pass(39);
    assert_eq!(fleet.sendings(call).len(), 1);
    fleet.pass(2);
    assert_eq!(fleet.sendings(call).len(), 2);
}

#[test]
fn the_source_is_asked_soon_when_the_network_is_back() {
    let mut fleet = Fleet::new(polled(), 2);
    fleet.pass(3_000);
    found(&mut fleet, [0, 1]);
    let from = fleet.input(ClusterInput::Signal(ClusterSignal::Online));
    fleet.pass(1_000);
    assert!(fleet.said(from).iter().any(|output| matches!(output, ClusterOutput::Ask(_))));
}

#[test]
fn the_source_is_asked_before_its_time_when_no_node_is_of_use_but_not_all_the_time() {
    for (pause, asks) in [(8_000, 1), (4_000, 0)] {
        let mut fleet = Fleet::new(polled(), 1);
        find(&mut fleet, [0]);
        fleet.input(ClusterInput::Isolate(NodeId(0), true));
        fleet.pass(pause);
        let from = fleet.log.len();
        for _ in 0..20 {
            fleet.route(read());
            fleet.pass(100);
        }
        let asked = fleet.said(from).into_iter().filter(|output| matches!(output, ClusterOutput::Ask(_))).count();
        assert_eq!(asked, asks, "after {pause}");
    }
}

#[test]
fn facts_about_nodes_and_attempts_that_are_gone_change_nothing() {
    let mut fleet = fleet(2);
    let gone = NodeId(77);
    for input in [
        ClusterInput::Up(gone),
        ClusterInput::Down(gone, false),
        ClusterInput::Probed(gone, None),
        ClusterInput::Drain(gone, true),
        ClusterInput::Isolate(gone, true),
        ClusterInput::Cancel(RouteId(9)),
        ClusterInput::Discovered(Answer::List(vec![], 0)),
        ClusterInput::Timeout,
    ] {
        let from = fleet.input(input.clone());
        assert!(fleet.said(from).is_empty(), "{input:?}");
    }
    assert_eq!(fleet.statuses().len(), 2);
}

#[test]
fn metrics_count_what_happened() {
    let mut fleet = fleet(2);
    for _ in 0..30 {
        let call = fleet.route(read());
        fleet.pass(100);
        fleet.finish(call, Verdict::Answered);
    }
    let call = fleet.route(read());
    fleet.pass(50);
    fleet.finish(call, BROKEN);
    fleet.pass(50);
    fleet.finish(call, Verdict::Answered);
    fleet.run(write(), SICK);
    let metrics = fleet.cluster.metrics(fleet.now);
    assert_eq!((metrics.total_nodes, metrics.healthy_nodes), (2, 1));
    assert_eq!((metrics.total_requests, metrics.successful_requests, metrics.failovers), (32, 31, 1));
    assert!((metrics.throughput - 3.1).abs() < 1e-9, "{}", metrics.throughput);
    assert!((metrics.average_latency - 100.0).abs() < 1.0 && (metrics.p99 - 100.0).abs() < 1.0);
    fleet.pass(11_000);
    assert_eq!(fleet.cluster.metrics(fleet.now).throughput, 0.0);
}

#[test]
fn the_balance_is_measured_by_weight() {
    let nodes = vec![NodeSpec { weight: 3.0, ..spec(0) }, spec(1)];
    let config = ClusterConfig { strategy: Strategy::RoundRobin, ..ClusterConfig::default() };
    let mut fleet = Fleet::of(config, nodes, 5);
    for _ in 0..400 {
        fleet.run(read(), Verdict::Answered);
    }
    let even = fleet.cluster.metrics(fleet.now).balance_cv;
    assert!(even < 0.01, "{even}");
    fleet.strike(NodeId(1), Verdict::Answered, 100);
    assert!((fleet.cluster.metrics(fleet.now).balance_cv - 1.0 / 3.0).abs() < 0.01);
}

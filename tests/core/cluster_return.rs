//! How a node that was away gets its share back: slowly, whether or not its breaker had time to open; and at once when it was only a blip.

use bowline_core::{ClusterConfig, ClusterInput, ClusterSignal, NodeId, NodePhase, Trips, Verdict};
use bowline_support::{ms, read, Fleet, BROKEN, SICK};

const A: NodeId = NodeId(0);

/// Ten nodes with links.
fn linked(config: ClusterConfig) -> Fleet {
    let mut fleet = Fleet::new(config, 10);
    for id in 0..10 {
        fleet.input(ClusterInput::Up(NodeId(id)));
    }
    fleet
}

/// Its link is lost, and there again after so long.
fn lose(fleet: &mut Fleet, node: NodeId, span: u64) {
    fleet.input(ClusterInput::Down(node, false));
    fleet.pass(span);
    fleet.input(ClusterInput::Up(node));
}

fn weight(fleet: &Fleet) -> f64 {
    fleet.status(A).weight
}

/// Of so many calls that are answered at once, those that went to it.
fn calls(fleet: &mut Fleet, count: usize) -> usize {
    (0..count).filter(|_| fleet.run(read(), Verdict::Answered) == A).count()
}

#[test]
fn a_node_whose_breaker_closed_gets_its_share_slowly() {
    let trips = Trips { successes: 1, ..Trips::default() };
    let mut fleet = Fleet::new(ClusterConfig { breaker: Some(trips), ..ClusterConfig::default() }, 3);
    fleet.strike(A, SICK, 3);
    fleet.pass(5_000);
    fleet.input(ClusterInput::Probed(A, Some(ms(5))));
    let first = weight(&fleet);
    fleet.pass(15_000);
    let half = weight(&fleet);
    fleet.pass(15_001);
    assert!(first <= 0.11 && half > 0.3 && half < 0.7, "{first}, {half}");
    assert_eq!(weight(&fleet), 1.0);
}

#[test]
fn so_does_one_that_is_back_before_its_breaker_opened() {
    let mut fleet = linked(ClusterConfig::default());
    fleet.strike(A, BROKEN, 1);
    lose(&mut fleet, A, 2_500);
    assert_eq!((fleet.phase(A), fleet.status(A).trips, weight(&fleet)), (NodePhase::Closed, 0, 0.1));
    let first = calls(&mut fleet, 1_000);
    fleet.pass(15_000);
    let half = weight(&fleet);
    fleet.pass(15_001);
    let whole = calls(&mut fleet, 1_000);
    assert!(first < 40 && (whole as f64) > 2.0 * first as f64, "{first} of 1000 calls at first, then {whole}");
    assert!((half, weight(&fleet)) == (0.5, 1.0), "{half}, {}", weight(&fleet));
}

#[test]
fn and_one_without_a_breaker() {
    let mut fleet = linked(ClusterConfig { breaker: None, ..ClusterConfig::default() });
    lose(&mut fleet, A, 60_000);
    assert_eq!(weight(&fleet), 0.1);
}

#[test]
fn a_blip_takes_nothing_of_its_share() {
    for span in [0, 300, 999] {
        let mut fleet = linked(ClusterConfig::default());
        fleet.strike(A, BROKEN, 1);
        lose(&mut fleet, A, span);
        assert_eq!((fleet.phase(A), weight(&fleet)), (NodePhase::Closed, 1.0), "{span} ms");
        fleet.pass(5_000);
        lose(&mut fleet, A, span);
        assert_eq!(weight(&fleet), 1.0, "two blips are not one long loss");
    }
    let mut fleet = linked(ClusterConfig::default());
    lose(&mut fleet, A, 1_000);
    assert_eq!(weight(&fleet), 0.1);
}

#[test]
fn a_failure_without_a_loss_takes_nothing_either() {
    let mut fleet = linked(ClusterConfig::default());
    for verdict in [BROKEN, SICK] {
        fleet.strike(A, verdict, 1);
        fleet.pass(2_500);
        fleet.strike(A, Verdict::Answered, 1);
        assert_eq!((fleet.phase(A), weight(&fleet)), (NodePhase::Closed, 1.0));
    }
}

#[test]
fn a_dial_in_vain_says_that_nobody_was_there_however_soon_somebody_is() {
    let mut fleet = linked(ClusterConfig::default());
    fleet.input(ClusterInput::Down(A, false));
    fleet.pass(200);
    lose(&mut fleet, A, 200);
    assert_eq!(weight(&fleet), 0.1);
}

#[test]
fn a_first_link_that_comes_late_begins_slowly_and_one_that_comes_at_once_whole() {
    for (span, expected) in [(5_000, 0.1), (0, 1.0)] {
        let mut fleet = Fleet::new(ClusterConfig::default(), 3);
        lose(&mut fleet, A, span);
        assert_eq!(weight(&fleet), expected);
    }
    let mut fleet = Fleet::new(ClusterConfig::default(), 3);
    fleet.pass(5_000);
    fleet.input(ClusterInput::Up(A));
    assert_eq!(weight(&fleet), 1.0, "it was never lost");
}

#[test]
fn what_the_network_of_this_side_did_takes_nothing() {
    let mut fleet = linked(ClusterConfig::default());
    fleet.input(ClusterInput::Down(A, true));
    fleet.pass(60_000);
    fleet.input(ClusterInput::Up(A));
    assert_eq!(weight(&fleet), 1.0, "it was the surroundings");
    // Links may break before anybody says that there is no network.
    fleet.input(ClusterInput::Down(A, false));
    fleet.pass(100);
    fleet.input(ClusterInput::Signal(ClusterSignal::Offline));
    fleet.input(ClusterInput::Down(A, false));
    fleet.pass(60_000);
    fleet.input(ClusterInput::Signal(ClusterSignal::Online));
    fleet.input(ClusterInput::Up(A));
    assert_eq!(weight(&fleet), 1.0);
}

#[test]
fn a_breaker_that_closes_after_the_link_is_up_begins_anew() {
    let mut fleet = linked(ClusterConfig::default());
    fleet.strike(A, SICK, 3);
    lose(&mut fleet, A, 2_000);
    assert_eq!(fleet.phase(A), NodePhase::HalfOpen);
    fleet.pass(1_000);
    for _ in 0..2 {
        fleet.input(ClusterInput::Probed(A, Some(ms(5))));
        fleet.pass(1_000);
    }
    assert_eq!(fleet.phase(A), NodePhase::Closed);
    assert!(weight(&fleet) <= 0.11, "{}", weight(&fleet));
}

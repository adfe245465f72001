//! Which node a call goes to (cluster design, section 5.3): weights, turns, experience that is fresh, near before far, suspects and panic,
//! and that the choice is always a lawful one. Sessions are in `cluster_sticky.rs`; crowds and latencies are the simulator's.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::rc::Rc;

use bowline_core::{
    Admission, Balancer, ClusterConfig, Instant, NodeId, NodeSet, NodeSpec, RegionId, Rng, Strategy, Wish,
};
use bowline_support::{ms, STRATEGIES};
use proptest::prelude::*;

fn at(ms: f64) -> Instant {
    Instant::from_millis(ms)
}

fn spec(id: u32, weight: f64, region: u32, zone: u32) -> NodeSpec {
    let hash = Rng::seeded(id.into()).bits();
    NodeSpec { id: NodeId(id), hash, weight, region: RegionId(region), zone: RegionId(zone) }
}

fn weighing(weights: &[f64]) -> Rc<NodeSet> {
    Rc::new(NodeSet::new((0..).zip(weights).map(|(id, weight)| spec(id, *weight, 0, 0)).collect()))
}

/// A balancer and its chance.
struct Client {
    balancer: Balancer,
    rng: Rng,
}

impl Client {
    fn new(strategy: Strategy, set: &Rc<NodeSet>, seed: u64) -> Self {
        Self::with(strategy, &ClusterConfig::default(), set, seed)
    }

    fn with(strategy: Strategy, config: &ClusterConfig, set: &Rc<NodeSet>, seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        Self { balancer: Balancer::new(strategy, config, Rc::clone(set), &mut rng), rng }
    }

    fn pick(&mut self, now: f64, wish: &Wish<'_>, admits: impl Fn(u32) -> Admission) -> Option<u32> {
        self.balancer.pick(at(now), &mut self.rng, wish, &mut |node| admits(node.0)).map(|node| node.0)
    }

    /// How often each of `nodes` nodes is picked in so many times, nothing being sent.
    fn counts(&mut self, times: u32, nodes: u32, wish: &Wish<'_>, admits: impl Fn(u32) -> Admission) -> Vec<u32> {
        let mut counts = vec![0; nodes as usize];
        for _ in 0..times {
            counts[self.pick(1.0, wish, &admits).expect("some node") as usize] += 1;
        }
        counts
    }

    fn answer(&mut self, node: u32, now: f64, latency: u64) {
        self.balancer.on_sent(NodeId(node), at(now));
        self.balancer.on_back(NodeId(node), at(now), Some(ms(latency)));
    }
}

fn all(_: u32) -> Admission {
    Admission::Yes
}

/// Whether `count` of `times` is what a chance of `share` gives, within four standard deviations.
fn likely(count: u32, times: u32, share: f64) -> bool {
    let (times, mean) = (f64::from(times), f64::from(times) * share);
    (f64::from(count) - mean).abs() <= 4.0 * (times * share * (1.0 - share)).sqrt()
}

#[test]
fn every_strategy_that_knows_weights_honours_them_when_nothing_else_is_known() {
    let weights = [1.0, 2.0, 0.0, 5.0, 2.0];
    for strategy in STRATEGIES {
        let counts = Client::new(strategy, &weighing(&weights), 1).counts(20_000, 5, &Wish::default(), all);
        for (count, weight) in counts.iter().zip(weights) {
            let share = match strategy {
                Strategy::Random if weight > 0.0 => 0.25,
                _ => weight / 10.0,
            };
            assert!(likely(*count, 20_000, share), "{strategy:?}: {counts:?}");
        }
    }
}

#[test]
fn turns_follow_one_another_by_weight() {
    let mut client = Client::new(Strategy::RoundRobin, &weighing(&[5.0, 1.0, 1.0]), 3);
    let seen: Vec<u32> = (0..14).filter_map(|_| client.pick(0.0, &Wish::default(), all)).collect();
    let round = [0, 1, 0, 0, 0, 2, 0];
    let begin = (0..7).find(|begin| (0..14).all(|turn| seen[turn] == round[(begin + turn) % 7]));
    assert!(begin.is_some(), "{seen:?}");
}

#[test]
fn the_turn_of_a_node_that_refuses_goes_to_any_other_and_these_keep_their_order() {
    let refuses = |node| if node == 2 { Admission::No } else { Admission::Yes };
    let mut instead = [0; 4];
    for seed in 0..100 {
        let mut client = Client::new(Strategy::RoundRobin, &weighing(&[1.0; 4]), seed);
        let seen: Vec<u32> = (0..40).filter_map(|_| client.pick(0.0, &Wish::default(), refuses)).collect();
        let others =
            |begin: usize| (0..40).all(|turn| (begin + turn) % 4 == 2 || seen[turn] as usize == (begin + turn) % 4);
        let begin = (0..4).find(|begin| others(*begin)).expect("each has its turn");
        (0..40).filter(|turn| (begin + turn) % 4 == 2).for_each(|turn| instead[seen[turn] as usize] += 1);
    }
    assert_eq!(instead[2], 0);
    for node in [0, 1, 3] {
        assert!(likely(instead[node], 1_000, 1.0 / 3.0), "not its neighbour alone: {instead:?}");
    }
}

#[test]
fn a_crowd_does_not_begin_at_the_same_node() {
    let set = weighing(&[1.0; 10]);
    let mut counts = [0; 10];
    for seed in 0..10_000 {
        let first = Client::new(Strategy::RoundRobin, &set, seed).pick(0.0, &Wish::default(), all);
        counts[first.expect("some node") as usize] += 1;
    }
    assert!(counts.iter().all(|count| likely(*count, 10_000, 0.1)), "{counts:?}");
}

#[test]
fn least_connections_gives_a_call_to_the_node_that_has_less_for_its_weight() {
    let mut client = Client::new(Strategy::LeastConnections, &weighing(&[1.0, 2.0]), 1);
    for node in [0, 1] {
        client.balancer.on_sent(NodeId(node), at(0.0));
    }
    assert_eq!(client.counts(100, 2, &Wish::default(), all), [0, 100], "1 of 2 is less than 1 of 1");
    for _ in 0..2 {
        client.balancer.on_sent(NodeId(1), at(0.0));
    }
    assert_eq!(client.counts(100, 2, &Wish::default(), all), [100, 0]);
    client.balancer.on_back(NodeId(1), at(0.0), None);
    let counts = client.counts(3_000, 2, &Wish::default(), all);
    assert!(likely(counts[0], 3_000, 1.0 / 3.0), "as much for its weight: by weight, {counts:?}");
}

#[test]
fn what_is_fresh_decides_and_what_is_stale_does_not() {
    let mut client = Client::new(Strategy::Adaptive, &weighing(&[1.0, 1.0]), 1);
    client.answer(0, 0.0, 500);
    let counts = |client: &mut Client, now: f64| {
        (0..1_000).filter(|_| client.pick(now, &Wish::default(), all) == Some(0)).count() as u32
    };
    assert!(
        likely(counts(&mut client, 10.0), 1_000, 0.5),
        "a node is not better for being unknown, nor for being known"
    );
    client.answer(1, 0.0, 20);
    assert_eq!(counts(&mut client, 4_999.0), 0);
    let before = client.balancer.tally().unsure;
    assert!(likely(counts(&mut client, 5_000.0), 1_000, 0.5), "stale");
    assert_eq!(client.balancer.tally().unsure - before, 1_000);
}

#[test]
fn calls_under_way_are_a_fresh_sign_too() {
    let mut client = Client::new(Strategy::Adaptive, &weighing(&[1.0, 1.0]), 1);
    client.answer(1, 0.0, 20);
    for _ in 0..3 {
        client.balancer.on_sent(NodeId(0), at(0.0));
    }
    assert_eq!(client.counts(200, 2, &Wish::default(), all), [0, 200], "a node that does not answer");
    let late = (0..200).filter(|_| client.pick(60_000.0, &Wish::default(), all) == Some(0)).count();
    assert!(likely(late as u32, 200, 0.5), "nothing fresh of the other: by weight");
}

#[test]
fn the_latency_strategy_believes_old_answers_as_far_as_distance_goes() {
    let mut client = Client::new(Strategy::Latency, &weighing(&[1.0, 1.0]), 1);
    client.answer(0, 0.0, 30);
    client.answer(0, 0.0, 900);
    client.answer(1, 0.0, 200);
    assert_eq!(client.counts(100, 2, &Wish::default(), all), [0, 100], "queue");
    let late = (0..100).filter(|_| client.pick(60_000.0, &Wish::default(), all) == Some(0)).count();
    assert_eq!(late, 100, "the queue is over by now, the other is far away still");
}

#[test]
fn noise_does_not_carry_calls_from_a_heavy_node_to_a_light_one() {
    for weights in [vec![9.0, 1.0], vec![8.0, 4.0, 4.0, 2.0, 2.0]] {
        let set = weighing(&weights);
        let mut client = Client::new(Strategy::Adaptive, &set, 5);
        let mut counts = vec![0u32; weights.len()];
        for call in 0..40_000u32 {
            let now = f64::from(call) * 20.0;
            let node = client.pick(now, &Wish::default(), all).expect("some node");
            counts[node as usize] += 1;
            let latency = 10 + client.rng.below(90);
            client.answer(node, now, latency);
        }
        let sum: f64 = weights.iter().sum();
        for (count, weight) in counts.iter().zip(&weights) {
            let share = f64::from(*count) / 40_000.0;
            // What is known of a node that is seldom taken lags; without care it would have half of all calls.
            assert!((share / (weight / sum) - 1.0).abs() < 0.25, "{counts:?}");
        }
    }
}

#[test]
fn who_is_preferred_is_taken_and_who_is_excluded_is_not() {
    for strategy in STRATEGIES {
        let mut client = Client::new(strategy, &weighing(&[1.0; 4]), 1);
        let wish = Wish { preferred: Some(NodeId(2)), session: Some(7), ..Wish::default() };
        assert_eq!(client.counts(100, 4, &wish, all)[2], 100, "{strategy:?}");
        let ill = |node| if node == 2 { Admission::Suspect } else { Admission::Yes };
        assert_eq!(client.counts(100, 4, &wish, ill)[2], 0, "{strategy:?}");
        let wish = Wish { exclude: &[NodeId(0), NodeId(2), NodeId(3)], ..wish };
        assert_eq!(client.counts(100, 4, &wish, all), [0, 100, 0, 0], "{strategy:?}");
        let wish = Wish { exclude: &[NodeId(0), NodeId(1), NodeId(2), NodeId(3)], ..wish };
        assert_eq!(client.pick(0.0, &wish, all), None, "{strategy:?}");
    }
}

#[test]
fn suspects_are_taken_only_when_no_other_can_be() {
    for strategy in STRATEGIES {
        let mut client = Client::new(strategy, &weighing(&[1.0, 1.0, 0.0]), 1);
        let suspect = |node| if node == 2 { Admission::Yes } else { Admission::Suspect };
        assert_eq!(
            client.counts(50, 3, &Wish::default(), suspect),
            [0, 0, 50],
            "{strategy:?}: sooner one of no weight"
        );
        let wish = Wish { exclude: &[NodeId(2)], ..Wish::default() };
        let counts = client.counts(2_000, 3, &wish, suspect);
        assert!(likely(counts[0], 2_000, 0.5), "{strategy:?}: {counts:?}");
    }
}

#[test]
fn when_too_few_are_left_health_is_ignored_but_never_the_word_of_the_application() {
    let ill = |node| match node {
        0..=3 => Admission::Yes,
        9 => Admission::Never,
        _ => Admission::No,
    };
    let mut client = Client::new(Strategy::Weighted, &weighing(&[1.0; 10]), 1);
    let counts = client.counts(9_000, 10, &Wish::default(), ill);
    assert!((0..9).all(|node| likely(counts[node], 9_000, 1.0 / 9.0)), "{counts:?}");
    assert_eq!(counts[9], 0);
    assert_eq!(client.balancer.tally().panic, 9_000);

    let config = ClusterConfig { panic: 0.0, ..ClusterConfig::default() };
    for strategy in STRATEGIES {
        let mut client = Client::with(strategy, &config, &weighing(&[1.0; 10]), 1);
        let counts = client.counts(1_000, 10, &Wish::default(), ill);
        assert_eq!(counts[4..].iter().sum::<u32>(), 0, "{strategy:?}: without panic {counts:?}");
        assert_eq!(client.pick(1.0, &Wish::default(), |_| Admission::No), None, "{strategy:?}");
    }
    let half = |node| if node < 5 { Admission::Yes } else { Admission::No };
    let counts = Client::new(Strategy::Weighted, &weighing(&[1.0; 10]), 1).counts(1_000, 10, &Wish::default(), half);
    assert_eq!(counts[5..].iter().sum::<u32>(), 0, "half is enough");
    let mut few = Client::new(Strategy::Weighted, &weighing(&[1.0; 4]), 1);
    let one = |node| if node == 3 { Admission::Yes } else { Admission::No };
    assert_eq!(few.counts(1_000, 4, &Wish::default(), one), [0, 0, 0, 1_000], "of few the one that is well");
    assert_eq!(few.pick(2.0, &Wish::default(), |_| Admission::No), None);
}

#[test]
fn that_nobody_is_left_is_noticed_at_once() {
    let mut client = Client::new(Strategy::Adaptive, &weighing(&[1.0; 5]), 1);
    let one = |node| if node == 0 { Admission::No } else { Admission::Yes };
    assert!(client.pick(0.0, &Wish::default(), one).is_some_and(|node| node != 0));
    assert!(
        client.pick(0.0, &Wish::default(), |_| Admission::No).is_some(),
        "what was counted a moment ago is no excuse"
    );
}

/// Four nodes in the own zone 1 of region 1, four in its zone 2, eight in region 2.
fn continents() -> Rc<NodeSet> {
    let place = |id| match id {
        0..=3 => (1, 1),
        4..=7 => (1, 2),
        _ => (2, 1),
    };
    Rc::new(NodeSet::new((0..16).map(|id| spec(id, 1.0, place(id).0, place(id).1)).collect()))
}

/// Calls to the own zone, the rest of the region, elsewhere, of 10,000.
fn spread(strategy: Strategy, wish: Wish<'_>, admits: impl Fn(u32) -> Admission) -> [u32; 3] {
    let counts = Client::new(strategy, &continents(), 2).counts(10_000, 16, &wish, admits);
    [counts[..4].iter().sum(), counts[4..8].iter().sum(), counts[8..].iter().sum()]
}

const HERE: Wish<'_> =
    Wish { region: RegionId(1), zone: RegionId(1), session: None, preferred: None, stay: false, exclude: &[] };

#[test]
fn the_own_zone_comes_first_then_the_region_then_the_world() {
    for strategy in STRATEGIES {
        let gone = |to: u32| move |node: u32| if node < to { Admission::No } else { Admission::Yes };
        assert_eq!(spread(strategy, HERE, all), [10_000, 0, 0], "{strategy:?}");
        assert_eq!(spread(strategy, HERE, gone(4)), [0, 10_000, 0], "{strategy:?}");
        assert_eq!(spread(strategy, HERE, gone(8)), [0, 0, 10_000], "{strategy:?}");
        let region = Wish { zone: RegionId(0), ..HERE };
        let [own, near, far] = spread(strategy, region, all);
        assert!(likely(own, 10_000, 0.5) && likely(near, 10_000, 0.5) && far == 0, "{strategy:?}");
        let nowhere = Wish { region: RegionId(0), zone: RegionId(0), ..HERE };
        let [own, near, far] = spread(strategy, nowhere, all);
        assert!(likely(own, 10_000, 0.25) && likely(near, 10_000, 0.25) && likely(far, 10_000, 0.5), "{strategy:?}");
        let unknown = Wish { region: RegionId(9), zone: RegionId(9), ..HERE };
        assert!(likely(spread(strategy, unknown, all)[2], 10_000, 0.5), "{strategy:?}");
    }
}

#[test]
fn a_zone_that_is_ill_keeps_what_its_healthy_part_can_bear_and_spills_the_rest() {
    for strategy in STRATEGIES {
        let half = |node| if node < 2 { Admission::No } else { Admission::Yes };
        let [own, near, far] = spread(strategy, HERE, half);
        assert!(likely(own, 10_000, 0.7) && likely(near, 10_000, 0.3) && far == 0, "{strategy:?}: {own} {near} {far}");
        let most = |node| if node < 1 { Admission::Suspect } else { Admission::Yes };
        assert_eq!(spread(strategy, HERE, most), [10_000, 0, 0], "{strategy:?}: three of four bear it");
        let both = |node| if matches!(node, 0..=2 | 4..=5) { Admission::No } else { Admission::Yes };
        let [own, near, far] = spread(strategy, HERE, both);
        let lawful = likely(own, 10_000, 0.35) && likely(near, 10_000, 0.65) && far == 0;
        assert!(lawful, "{strategy:?}: {own} {near} {far}");
    }
}

#[test]
fn a_call_that_stays_leaves_only_when_nobody_is_there() {
    let stay = Wish { stay: true, ..HERE };
    let one = |node| if node < 3 { Admission::No } else { Admission::Yes };
    assert_eq!(spread(Strategy::Adaptive, stay, one), [10_000, 0, 0]);
    let none = |node| if node < 4 { Admission::No } else { Admission::Yes };
    assert_eq!(spread(Strategy::Adaptive, stay, none), [0, 10_000, 0]);
}

#[test]
fn a_zone_that_died_is_no_reason_for_panic_while_others_bear_its_calls() {
    let place = |id| if id < 12 { 1 } else { 2 };
    let set = Rc::new(NodeSet::new((0..17).map(|id| spec(id, 1.0, 1, place(id))).collect()));
    let mut client = Client::new(Strategy::Adaptive, &set, 1);
    let dead = |node| if node < 13 { Admission::No } else { Admission::Yes };
    let counts = client.counts(1_000, 17, &HERE, dead);
    assert_eq!(counts[..13].iter().sum::<u32>(), 0, "four of five bear it");
    let nowhere = Wish { region: RegionId(0), zone: RegionId(0), ..HERE };
    let counts = client.counts(1_000, 17, &nowhere, dead);
    assert!(likely(counts[..13].iter().sum(), 1_000, 13.0 / 17.0), "from nowhere it is one tier, and four are too few");
}

#[test]
fn a_zone_that_came_back_is_found_again() {
    let mut client = Client::new(Strategy::Adaptive, &continents(), 1);
    let dead = |node| if node < 4 { Admission::No } else { Admission::Yes };
    assert!(client.pick(0.0, &HERE, dead).is_some_and(|node| node >= 4));
    assert!(client.pick(100.0, &HERE, all).is_some_and(|node| node >= 4), "what was counted is believed for a while");
    assert!(client.pick(250.0, &HERE, all).is_some_and(|node| node < 4));
    assert!(client.pick(300.0, &HERE, dead).is_some_and(|node| node >= 4));
    client.balancer.on_return(NodeId(0), at(301.0));
    assert!(client.pick(301.0, &HERE, all).is_some_and(|node| node < 4), "or until a node returns");
}

#[test]
fn a_node_that_returns_gets_its_share_little_by_little() {
    for strategy in STRATEGIES {
        let mut client = Client::new(strategy, &weighing(&[1.0; 4]), 1);
        client.balancer.on_return(NodeId(0), at(0.0));
        for (now, share) in [(0.0, 0.1), (15_000.0, 0.5), (30_000.0, 1.0)] {
            let count = (0..4_000).filter(|_| client.pick(now, &Wish::default(), all) == Some(0)).count();
            let expected = share / (3.0 + share);
            assert!(likely(count as u32, 4_000, expected), "{strategy:?} after {now} ms: {count} of 4000");
        }
        assert_eq!(client.balancer.load(NodeId(0), at(15_000.0)).weight, 0.5);
    }
}

#[test]
fn a_node_that_is_new_among_others_begins_slowly_and_those_who_stay_keep_what_is_known() {
    let mut client = Client::new(Strategy::Weighted, &weighing(&[1.0; 3]), 1);
    client.answer(1, 0.0, 40);
    client.balancer.on_sent(NodeId(2), at(0.0));
    client.balancer.replace(weighing(&[1.0; 4]), at(0.0));
    let counts = client.counts(4_000, 4, &Wish::default(), all);
    assert!(likely(counts[3], 4_000, 0.1 / 3.1), "{counts:?}");
    let [one, two] = [1, 2].map(|node| client.balancer.load(NodeId(node), at(0.0)));
    assert_eq!((one.latency, two.active), (Some(ms(40)), 1));
    client.balancer.replace(weighing(&[]), at(0.0));
    assert_eq!(client.pick(0.0, &Wish::default(), all), None);
    client.balancer.replace(weighing(&[1.0; 3]), at(0.0));
    assert_eq!(client.balancer.load(NodeId(2), at(0.0)).weight, 1.0, "all are new: none has to wait");
}

#[test]
fn who_stays_is_not_trampled_down_while_newcomers_start() {
    let mut client = Client::new(Strategy::Weighted, &weighing(&[1.0; 10]), 1);
    client.balancer.replace(Rc::new(NodeSet::new((5..15).map(|id| spec(id, 1.0, 0, 0)).collect())), at(0.0));
    let counts = client.counts(20_000, 15, &Wish::default(), all);
    // Ten shared all of it; a fifth more is 12 %.
    assert!((5..10).all(|node| likely(counts[node], 20_000, 0.12)), "{counts:?}");
}

#[test]
fn a_busy_node_counts_half_for_a_while() {
    let mut client = Client::new(Strategy::Weighted, &weighing(&[1.0; 3]), 1);
    client.balancer.on_busy(NodeId(1), at(0.0), None);
    let counts = client.counts(4_000, 3, &Wish::default(), all);
    assert!(likely(counts[1], 4_000, 0.2), "{counts:?}");
    assert_eq!(client.balancer.load(NodeId(1), at(10_000.0)).weight, 1.0);
}

#[test]
fn the_last_word_about_a_node_holds_and_nonsense_weighs_nothing() {
    let mut nodes: Vec<NodeSpec> = (0..4).map(|id| spec(id, 1.0, 0, 0)).collect();
    nodes.extend([spec(0, f64::NAN, 0, 0), spec(1, -3.0, 0, 0), spec(2, f64::INFINITY, 0, 0)]);
    let set = NodeSet::new(nodes);
    let weights: Vec<f64> = set.nodes().iter().map(|node| node.weight).collect();
    assert_eq!(weights, [0.0, 0.0, 1e9, 1.0]);
    let mut client = Client::new(Strategy::Weighted, &weighing(&[0.0, 0.0]), 1);
    let counts = client.counts(1_000, 2, &Wish::default(), all);
    assert!(likely(counts[0], 1_000, 0.5), "when nobody weighs anything all are alike: {counts:?}");
}

#[test]
fn what_is_told_of_a_node_that_is_not_there_is_nothing() {
    let mut client = Client::new(Strategy::Adaptive, &weighing(&[1.0]), 1);
    let stranger = NodeId(99);
    client.balancer.on_sent(stranger, at(0.0));
    client.balancer.on_back(stranger, at(0.0), Some(ms(1)));
    client.balancer.on_back(NodeId(0), at(0.0), None);
    client.balancer.on_busy(stranger, at(0.0), None);
    client.balancer.on_return(stranger, at(0.0));
    assert_eq!(client.balancer.load(stranger, at(0.0)).active, 0);
    assert_eq!(client.balancer.load(NodeId(0), at(0.0)).active, 0, "a call that comes back without having left");
}

const ADMISSIONS: [Admission; 4] = [Admission::Yes, Admission::Suspect, Admission::No, Admission::Never];

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_choice_is_always_lawful(
        nodes in prop::collection::vec((0u32..40, 0u32..6, 0u32..3, 0u32..3), 0..40),
        health in prop::collection::vec(0usize..4, 40),
        facts in prop::collection::vec((0u32..40, 0u8..6), 0..60),
        wish in (prop::option::of(0u64..9), prop::option::of(0u32..40), 0u32..4, 0u32..4, any::<bool>()),
        exclude in prop::collection::vec(0u32..40, 0..4),
        strategy in 0usize..7,
        panic in prop::sample::select(vec![0.0, 0.5, 1.0]),
        seed in any::<u64>(),
    ) {
        let specs: Vec<NodeSpec> =
            nodes.iter().map(|(id, weight, region, zone)| spec(*id, f64::from(*weight), *region, *zone)).collect();
        let set = Rc::new(NodeSet::new(specs));
        let config = ClusterConfig { panic, ..ClusterConfig::default() };
        let mut client = Client::with(STRATEGIES[strategy], &config, &set, seed);
        let exclude: Vec<NodeId> = exclude.into_iter().map(NodeId).collect();
        let (session, preferred, region, zone, stay) = wish;
        let wish = Wish {
            session,
            preferred: preferred.map(NodeId),
            region: RegionId(region),
            zone: RegionId(zone),
            stay,
            exclude: &exclude,
        };
        let of = |node: u32| ADMISSIONS[health[node as usize]];
        let free = |kind: Admission| {
            set.nodes().iter().any(|node| !exclude.contains(&node.id) && of(node.id.0) == kind)
        };
        let [yes, suspect] = [Admission::Yes, Admission::Suspect].map(free);
        let mut now = 0.0;
        for (node, fact) in facts {
            now += 700.0;
            let before = client.balancer.tally();
            let picked = client.pick(now, &wish, of);
            let panicked = client.balancer.tally().panic > before.panic;
            match picked {
                Some(node) => {
                    prop_assert!(set.index(NodeId(node)).is_some() && !exclude.contains(&NodeId(node)));
                    match of(node) {
                        Admission::Yes => (),
                        Admission::Suspect => prop_assert!(stay || !yes || panicked),
                        Admission::No => prop_assert!(panicked && panic > 0.0),
                        Admission::Never => prop_assert!(false, "never is never"),
                    }
                }
                None => prop_assert!(!yes && !suspect),
            }
            let node = NodeId(picked.unwrap_or(node));
            match fact {
                0 | 1 => client.balancer.on_sent(node, at(now)),
                2 => client.balancer.on_back(node, at(now), Some(ms(30))),
                3 => client.balancer.on_busy(node, at(now), Some(ms(2_000))),
                4 => client.balancer.on_return(node, at(now)),
                _ => client.balancer.replace(Rc::clone(&set), at(now)),
            }
        }
    }
}

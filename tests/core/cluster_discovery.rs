//! When a source of nodes is asked and what its answers are worth (cluster design, 1, 2 and 5.3), step by step. No wire is in it: the adapters are tested in `tests/cluster`.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    Answer, Change, ClusterEvent, Discovery, DiscoveryLimits, Duration, Instant, NodeId, NodeSpec, Query, RegionId,
    Rng, SetChange, SourceKind,
};

const MS: fn(u64) -> Duration = Duration::from_millis;

fn node(id: u32) -> NodeSpec {
    NodeSpec {
        id: NodeId(id),
        hash: u64::from(id),
        weight: 1.0,
        region: RegionId::default(),
        zone: RegionId::default(),
    }
}

fn nodes(ids: &[u32]) -> Vec<NodeSpec> {
    ids.iter().copied().map(node).collect()
}

fn list(ids: &[u32], index: u64) -> Answer {
    Answer::List(nodes(ids), index)
}

/// A discovery with its clock.
struct Bench {
    discovery: Discovery,
    rng: Rng,
    now: Instant,
    believed: Vec<u32>,
}

impl Bench {
    fn with(limits: DiscoveryLimits, ids: &[u32]) -> Self {
        let now = Instant::from_millis(1e6);
        let mut bench =
            Self { discovery: Discovery::new(limits, nodes(ids)), rng: Rng::seeded(7), now, believed: ids.to_vec() };
        bench.discovery.start(now, &mut bench.rng);
        bench
    }

    fn of(source: SourceKind) -> Self {
        Self::with(DiscoveryLimits { source, endpoints: 3, ..DiscoveryLimits::default() }, &[])
    }

    fn pass(&mut self, ms: u64) -> &mut Self {
        self.now = self.now + MS(ms);
        self.discovery.on_timeout(self.now, &mut self.rng);
        self
    }

    fn answer(&mut self, answer: Answer) -> Option<SetChange> {
        let change = self.discovery.on_answer(self.now, &mut self.rng, answer);
        if let Some(change) = &change {
            self.believed = change.nodes.iter().map(|node| node.id.0).collect();
        }
        change
    }

    /// Milliseconds until the next deadline; the clock goes there.
    fn skip_to_deadline(&mut self) -> f64 {
        let before = self.now;
        self.now = self.discovery.deadline().unwrap();
        self.discovery.on_timeout(self.now, &mut self.rng);
        self.now.since(before).as_millis()
    }

    /// The list that is asked for now: index, wait.
    fn listing(&mut self) -> (u64, f64) {
        match self.discovery.poll_query() {
            Some(Query::List { index, wait, .. }) => (index, wait.as_millis()),
            other => panic!("{other:?} is no list"),
        }
    }

    fn watching(&mut self) -> u64 {
        match self.discovery.poll_query() {
            Some(Query::Watch { revision, .. }) => revision,
            other => panic!("{other:?} is no watch"),
        }
    }

    fn endpoint(&mut self) -> u32 {
        match self.discovery.poll_query() {
            Some(Query::List { endpoint, .. } | Query::Watch { endpoint, .. }) => endpoint,
            None => panic!("nothing is asked"),
        }
    }

    /// Takes the next query; how long it takes to come.
    fn asked_after(&mut self) -> f64 {
        let pause = if self.asks_nothing() { self.skip_to_deadline() } else { 0.0 };
        self.discovery.poll_query();
        pause
    }

    fn asks_nothing(&mut self) -> bool {
        self.discovery.poll_query().is_none()
    }

    fn events(&mut self) -> Vec<ClusterEvent> {
        std::iter::from_fn(|| self.discovery.poll_event()).collect()
    }
}

#[test]
fn a_static_list_asks_nobody() {
    let mut bench = Bench::with(DiscoveryLimits::default(), &[1, 2]);
    assert!(bench.asks_nothing());
    assert_eq!((bench.discovery.deadline(), bench.discovery.age(bench.now)), (None, None));
}

#[test]
fn who_knows_no_node_asks_at_once_and_who_knows_some_within_a_tenth_of_the_interval() {
    let poll = DiscoveryLimits { source: SourceKind::Poll, ..DiscoveryLimits::default() };
    assert_eq!(Bench::with(poll, &[]).listing(), (0, 0.0));
    let first: Vec<f64> = (0..100)
        .map(|seed| {
            let mut discovery = Discovery::new(poll, nodes(&[1]));
            discovery.start(Instant::default(), &mut Rng::seeded(seed));
            assert_eq!(discovery.poll_query(), None);
            discovery.deadline().unwrap().as_millis()
        })
        .collect();
    assert!(first.iter().all(|due| *due <= 3_000.0) && first.iter().any(|due| *due > 1_500.0), "{first:?}");
}

#[test]
fn a_source_that_cannot_wait_is_asked_every_interval() {
    let mut bench = Bench::of(SourceKind::Poll);
    for _ in 0..10 {
        assert_eq!(bench.listing(), (0, 0.0));
        bench.answer(list(&[1], 0));
        let pause = bench.skip_to_deadline();
        assert!((30_000.0..=33_000.0).contains(&pause), "{pause}");
    }
}

#[test]
fn a_change_says_who_came_and_who_went_and_the_same_list_in_another_order_is_none() {
    let mut bench = Bench::of(SourceKind::Poll);
    assert_eq!(bench.answer(list(&[2, 1], 0)).unwrap().added, [NodeId(1), NodeId(2)]);
    bench.skip_to_deadline();
    assert_eq!(bench.answer(list(&[1, 2, 2], 0)), None);
    bench.skip_to_deadline();
    let change = bench.answer(list(&[3, 2], 0)).unwrap();
    assert_eq!((change.added, change.removed), (vec![NodeId(3)], vec![NodeId(1)]));
    bench.skip_to_deadline();
    let heavier = Answer::List(vec![NodeSpec { weight: 2.0, ..node(2) }, node(3)], 0);
    let change = bench.answer(heavier).unwrap();
    assert_eq!((change.nodes[0].weight, change.added.len(), change.removed.len()), (2.0, 0, 0));
}

#[test]
fn consul_is_asked_to_block_at_the_index_it_gave() {
    let mut bench = Bench::of(SourceKind::Consul);
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[1], 41));
    assert_eq!(bench.listing(), (41, 60_000.0));
    bench.pass(20_000).answer(list(&[1, 2], 44));
    assert_eq!(bench.listing(), (44, 60_000.0));
    assert_eq!(bench.believed, [1, 2]);
}

#[test]
fn an_index_that_goes_down_begins_again_at_zero() {
    let mut bench = Bench::of(SourceKind::Consul);
    bench.answer(list(&[1], 41));
    bench.pass(60_000).answer(list(&[1], 12));
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[1], 12));
    assert_eq!(bench.listing(), (12, 60_000.0));
}

#[test]
fn without_a_readable_index_or_without_watch_a_source_is_polled() {
    for (source, watch, index) in
        [(SourceKind::Consul, true, 0), (SourceKind::Consul, false, 41), (SourceKind::Etcd, false, 41)]
    {
        let mut bench = Bench::with(DiscoveryLimits { source, watch, ..DiscoveryLimits::default() }, &[]);
        bench.answer(list(&[1], index));
        assert!(bench.skip_to_deadline() >= 30_000.0);
        assert_eq!(bench.listing(), (0, 0.0));
    }
}

#[test]
fn answers_that_say_nothing_new_before_their_time_come_twice_and_then_every_15_s() {
    let mut bench = Bench::of(SourceKind::Consul);
    bench.answer(list(&[1], 41));
    let mut pauses = Vec::new();
    for index in 42..47 {
        pauses.push(bench.asked_after());
        bench.answer(list(&[1], index));
    }
    assert_eq!(pauses, [0.0, 0.0, 0.0, 15_000.0, 15_000.0]);
    // One that blocked for its whole time paced itself.
    bench.asked_after();
    bench.pass(60_000).answer(list(&[1], 47));
    assert_eq!(bench.listing(), (47, 60_000.0));
}

#[test]
fn changes_are_followed_at_once_but_not_more_than_once_per_second_for_long() {
    let mut bench = Bench::of(SourceKind::Consul);
    bench.answer(list(&[1], 41));
    let mut waited = 0.0;
    for index in 42..62 {
        waited += bench.asked_after();
        assert!(bench.answer(list(&[1, index], u64::from(index))).is_some());
    }
    assert_eq!(waited, 15_000.0);
}

#[test]
fn an_empty_list_after_nodes_is_believed_the_third_time() {
    for source in [SourceKind::Poll, SourceKind::Consul, SourceKind::Etcd] {
        let mut bench = Bench::of(source);
        bench.answer(list(&[1, 2], 0));
        let mut said = Vec::new();
        for _ in 0..3 {
            assert_eq!(bench.believed, [1, 2]);
            bench.skip_to_deadline();
            said.push(bench.answer(list(&[], 0)).map(|change| change.removed.len()));
        }
        assert_eq!(said, [None, None, Some(2)], "{source:?}");
        assert_eq!(bench.events(), [ClusterEvent::DiscoveryEmpty]);
    }
}

#[test]
fn empty_lists_in_quick_succession_are_one_and_a_node_ends_the_doubt() {
    let mut bench = Bench::of(SourceKind::Consul);
    bench.answer(list(&[1], 41));
    for index in 42..50 {
        bench.pass(100).answer(list(&[], index));
        bench.discovery.on_timeout(bench.discovery.deadline().unwrap(), &mut bench.rng);
    }
    assert_eq!(bench.believed, [1]);
    bench.pass(1).answer(list(&[1], 60));
    bench.pass(60_000).answer(list(&[], 61));
    assert_eq!(bench.believed, [1], "the count begins anew");
}

#[test]
fn while_in_doubt_consul_is_blocked_for_no_longer_than_the_interval() {
    let mut bench = Bench::of(SourceKind::Consul);
    bench.answer(list(&[1], 41));
    bench.pass(60_000).answer(list(&[], 42));
    assert_eq!(bench.listing(), (42, 30_000.0));
    bench.pass(100).answer(list(&[1, 2], 43));
    assert_eq!((bench.believed.clone(), bench.listing()), (vec![1, 2], (43, 60_000.0)));
}

#[test]
fn last_known_good_nodes_outlive_an_empty_first_list() {
    let consul = DiscoveryLimits { source: SourceKind::Consul, ..DiscoveryLimits::default() };
    let mut bench = Bench::with(consul, &[1]);
    bench.skip_to_deadline();
    assert_eq!(bench.answer(list(&[], 5)), None);
    assert_eq!(bench.events(), [ClusterEvent::DiscoveryEmpty]);
}

#[test]
fn a_source_without_nodes_from_the_start_is_believed_without_fuss() {
    let mut bench = Bench::of(SourceKind::Consul);
    assert_eq!(bench.answer(list(&[], 5)), None);
    assert_eq!((bench.events(), bench.listing()), (vec![], (5, 60_000.0)));
}

#[test]
fn failures_go_on_at_the_next_endpoint_later_and_later_and_never_lose_a_node() {
    let mut bench = Bench::of(SourceKind::Consul);
    let first = bench.endpoint();
    bench.answer(list(&[1], 41));
    bench.discovery.poll_query();
    let mut longest = 0.0f64;
    for n in 1..=30u32 {
        bench.answer(if n % 2 == 0 { Answer::Failed } else { Answer::Ended });
        assert_eq!((bench.discovery.failures(), bench.events()), (n, vec![ClusterEvent::DiscoveryFailed(n)]));
        let pause = bench.skip_to_deadline();
        assert!(pause <= 1_000.0 * 2f64.powi(n.min(7) as i32 - 1) && pause <= 60_000.0, "{n}: {pause}");
        longest = longest.max(pause);
        // From the beginning: the next one may have lost its state.
        let query = bench.discovery.poll_query();
        assert_eq!(query, Some(Query::List { endpoint: (first + n) % 3, index: 0, wait: Duration::ZERO }));
    }
    assert!(longest > 30_000.0, "{longest}");
    assert_eq!(bench.believed, [1]);
    bench.answer(list(&[1], 3));
    assert_eq!(bench.discovery.failures(), 0);
    assert_eq!(bench.listing(), (3, 60_000.0));
}

#[test]
fn missing_credentials_are_a_failure_at_the_same_endpoint() {
    let mut bench = Bench::of(SourceKind::Etcd);
    let first = bench.endpoint();
    bench.answer(Answer::Unauthorized);
    bench.skip_to_deadline();
    assert_eq!((bench.endpoint(), bench.events()), (first, vec![ClusterEvent::DiscoveryFailed(1)]));
}

#[test]
fn a_query_without_an_answer_is_a_failure_a_little_after_its_time() {
    let mut bench = Bench::of(SourceKind::Consul);
    assert_eq!(bench.skip_to_deadline(), 10_000.0);
    assert_eq!(bench.discovery.failures(), 1);
    bench.skip_to_deadline();
    bench.answer(list(&[1], 41));
    assert_eq!(bench.skip_to_deadline(), 60_000.0 * 17.0 / 16.0 + 10_000.0);
    assert_eq!((bench.discovery.failures(), bench.believed), (1, vec![1]));
}

#[test]
fn etcd_is_listed_and_then_watched_from_the_next_revision() {
    let mut bench = Bench::of(SourceKind::Etcd);
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[1, 2], 100));
    assert_eq!(bench.watching(), 101);
    bench.answer(Answer::Changes(vec![Change::Put(node(3)), Change::Gone(NodeId(1))], 105));
    assert_eq!(bench.believed, [2, 3]);
    bench.answer(Answer::Changes(vec![], 110));
    // A sign of life may name the revision that the watch began at.
    bench.answer(Answer::Changes(vec![], 100));
    assert!(bench.asks_nothing(), "the watch goes on");
    bench.pass(20_000).answer(Answer::Failed);
    assert!(bench.skip_to_deadline() <= 1_000.0);
    assert_eq!(bench.watching(), 111);
}

#[test]
fn a_watch_that_ends_goes_on_after_the_last_revision_soon() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    bench.answer(Answer::Changes(vec![], 100));
    bench.pass(9_000).answer(Answer::Changes(vec![Change::Put(node(2))], 104));
    bench.pass(1_000).answer(Answer::Ended);
    assert!(bench.skip_to_deadline() <= 1_000.0);
    assert_eq!((bench.watching(), bench.events()), (105, vec![]));
    // Silent for its whole time: at once.
    bench.answer(Answer::Changes(vec![], 104));
    bench.pass(60_000).answer(Answer::Ended);
    assert_eq!(bench.watching(), 105);
}

#[test]
fn watches_that_end_as_soon_as_they_are_opened_come_later_and_later() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    let mut total = 0.0;
    for n in 1..=10 {
        assert_eq!(bench.watching(), 101);
        bench.answer(Answer::Changes(vec![], 100));
        bench.pass(10).answer(Answer::Ended);
        assert_eq!(bench.events(), [ClusterEvent::DiscoveryFailed(n)]);
        total += bench.skip_to_deadline();
    }
    assert!(total > 60_000.0, "{total}");
}

#[test]
fn where_watches_never_speak_lists_are_asked_instead() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    assert_eq!(bench.watching(), 101);
    bench.pass(60_000).answer(Answer::Ended);
    bench.skip_to_deadline();
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[1, 2], 120));
    assert_eq!(bench.believed, [1, 2]);
    // And when the shell does not say so.
    assert_eq!(bench.watching(), 121);
    assert_eq!(bench.skip_to_deadline(), 120_000.0);
    bench.skip_to_deadline();
    assert_eq!(bench.listing(), (0, 0.0));
}

#[test]
fn a_server_that_is_down_for_a_moment_is_watched_again_and_one_that_refuses_watches_is_listed() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    bench.discovery.poll_query();
    for _ in 0..2 {
        bench.answer(Answer::Failed);
        bench.skip_to_deadline();
        assert_eq!(bench.watching(), 101);
    }
    let mut pauses = 0.0;
    for n in 0..10 {
        bench.answer(Answer::Failed);
        pauses += bench.skip_to_deadline();
        assert_eq!(bench.listing(), (0, 0.0));
        bench.answer(list(&[1, n + 2], 120));
        assert_eq!(bench.watching(), 121);
    }
    assert!(pauses > 60_000.0, "{pauses}");
    assert_eq!(bench.believed, [1, 11]);
}

#[test]
fn a_compacted_revision_is_listed_again_but_not_in_a_loop() {
    let mut bench = Bench::of(SourceKind::Etcd);
    let mut pauses = Vec::new();
    for revision in 100..104 {
        bench.answer(list(&[1], revision));
        bench.watching();
        bench.answer(Answer::Compacted);
        pauses.push(bench.asked_after());
    }
    assert_eq!(pauses, [0.0, 0.0, 15_000.0, 15_000.0]);
}

#[test]
fn the_last_node_that_goes_in_a_watch_stays_until_lists_confirm_it() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1, 2], 100));
    bench.answer(Answer::Changes(vec![Change::Gone(NodeId(1))], 101));
    bench.answer(Answer::Changes(vec![Change::Gone(NodeId(2))], 102));
    assert_eq!((bench.believed.clone(), bench.events()), (vec![2], vec![ClusterEvent::DiscoveryEmpty]));
    assert_eq!(bench.skip_to_deadline(), 30_000.0);
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[], 102));
    assert_eq!((bench.believed.clone(), bench.watching()), (vec![2], 103));
    // Signs of life put nothing off.
    bench.pass(100).answer(Answer::Changes(vec![], 102));
    assert_eq!(bench.skip_to_deadline(), 29_900.0);
    bench.answer(list(&[], 102));
    assert_eq!(bench.believed, Vec::<u32>::new());
}

#[test]
fn a_node_that_comes_while_in_doubt_is_listed_at_once() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    bench.answer(Answer::Changes(vec![Change::Gone(NodeId(1))], 101));
    bench.answer(Answer::Changes(vec![Change::Put(node(2))], 102));
    assert_eq!(bench.listing(), (0, 0.0));
    bench.answer(list(&[2], 102));
    assert_eq!(bench.believed, [2]);
}

#[test]
fn answers_to_queries_that_were_replaced_are_nothing() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(Answer::Changes(vec![Change::Put(node(9))], 500));
    bench.answer(list(&[1], 100));
    bench.answer(list(&[7], 90));
    assert_eq!(bench.believed, [1]);
    bench.answer(Answer::Failed);
    assert_eq!(bench.answer(list(&[7], 90)), None);
}

#[test]
fn a_network_that_is_back_shortens_the_wait() {
    let mut bench = Bench::of(SourceKind::Consul);
    for _ in 0..12 {
        bench.answer(Answer::Failed);
        bench.skip_to_deadline();
    }
    bench.answer(Answer::Failed);
    bench.discovery.poll_query();
    bench.discovery.refresh(bench.now, &mut bench.rng);
    assert_eq!(bench.discovery.failures(), 0);
    assert!(bench.skip_to_deadline() <= 1_000.0);
    assert_eq!(bench.listing(), (0, 0.0));
    bench.discovery.refresh(bench.now, &mut bench.rng);
    assert!(bench.asks_nothing(), "a query is under way");
}

#[test]
fn age_is_since_the_source_was_heard_and_no_failure_makes_it_younger() {
    let mut bench = Bench::of(SourceKind::Etcd);
    bench.answer(list(&[1], 100));
    bench.pass(5_000).answer(Answer::Changes(vec![], 100));
    bench.pass(7_000).answer(Answer::Failed);
    assert_eq!(bench.discovery.age(bench.now), Some(MS(7_000)));
}

#[test]
fn a_crowd_begins_at_all_endpoints() {
    let limits = DiscoveryLimits { source: SourceKind::Consul, endpoints: 3, ..DiscoveryLimits::default() };
    let mut count = [0; 3];
    for seed in 0..300 {
        let mut discovery = Discovery::new(limits, Vec::new());
        discovery.start(Instant::default(), &mut Rng::seeded(seed));
        if let Some(Query::List { endpoint, .. }) = discovery.poll_query() {
            count[endpoint as usize] += 1;
        }
    }
    assert!(count.iter().all(|n| (60..=140).contains(n)), "{count:?}");
}

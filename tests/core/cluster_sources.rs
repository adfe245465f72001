//! Discovery against sources that live, change, lie and fail by chance, under a virtual clock: what it believes was true, it never loses all
//! nodes to a lie, it catches up when the trouble is over, and it asks no source in a loop. The sources are models of what was measured on
//! real ones (cluster design, 1 and 2); `tests/cluster` runs real ones.

#![allow(clippy::panic, clippy::unwrap_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::BTreeSet;

use bowline_core::{
    Answer, Change, Discovery, DiscoveryLimits, Duration, Instant, NodeId, NodeSpec, Query, RegionId, Rng, SourceKind,
};

type Set = BTreeSet<u32>;

const TICK: Duration = Duration::from_millis(20);
const LATENCY: Duration = Duration::from_millis(40);
/// Trouble and peace take turns.
const TROUBLE: u64 = 600_000;
const PEACE: u64 = 300_000;
const NODES: u64 = 8;

fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn spec(id: u32) -> NodeSpec {
    NodeSpec {
        id: NodeId(id),
        hash: u64::from(id),
        weight: 1.0,
        region: RegionId::default(),
        zone: RegionId::default(),
    }
}

fn specs(set: &Set) -> Vec<NodeSpec> {
    set.iter().rev().copied().map(spec).collect()
}

/// What goes wrong for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Trouble {
    None,
    /// Every query fails soon.
    Down,
    /// No query is answered.
    Mute,
    /// Lists are answered, what waits for news never is (a proxy that holds streams back).
    Held,
    /// Credentials are gone: Consul says that there are no nodes, etcd refuses.
    Locked,
    /// The state is put back or lost: index and revision go down.
    Reset,
    /// What waits for news ends at once.
    Brief,
}

const TROUBLES: [Trouble; 7] =
    [Trouble::None, Trouble::Down, Trouble::Mute, Trouble::Held, Trouble::Locked, Trouble::Reset, Trouble::Brief];

/// A source with its history: at which revision which change made which set.
struct Source {
    kind: SourceKind,
    set: Set,
    revision: u64,
    log: Vec<(u64, Change)>,
    compacted: u64,
    /// Everything that was ever true.
    truths: Vec<Set>,
    trouble: Trouble,
}

impl Source {
    fn new(kind: SourceKind) -> Self {
        let set: Set = [1, 2, 3].into();
        Self {
            kind,
            truths: vec![set.clone()],
            set,
            revision: 1_000_000,
            log: Vec::new(),
            compacted: 0,
            trouble: Trouble::None,
        }
    }

    fn change(&mut self, rng: &mut Rng) {
        let id = rng.below(NODES) as u32;
        self.revision += 1;
        if self.set.insert(id) {
            self.log.push((self.revision, Change::Put(spec(id))));
        } else if self.set.len() > 1 {
            self.set.remove(&id);
            self.log.push((self.revision, Change::Gone(NodeId(id))));
        }
        self.truths.push(self.set.clone());
    }

    fn compact(&mut self) {
        self.compacted = self.revision;
        self.log.clear();
    }

    /// The store begins again from a copy. So far back that it does not catch up with itself while nobody looks: no revision could tell that.
    fn reset(&mut self) {
        self.revision -= 10_000;
        self.compacted = 0;
        self.log.clear();
    }
}

/// A query under way.
struct Asked {
    query: Query,
    at: Instant,
    /// The next revision to tell, and when something was told last.
    next: u64,
    heard: Option<Instant>,
}

impl Asked {
    /// What the source says to it now, and whether that was the last word.
    fn answer(&mut self, source: &Source, now: Instant) -> Option<(Answer, bool)> {
        if now.since(self.at) < LATENCY {
            return None;
        }
        match (source.trouble, self.query) {
            (Trouble::Down, _) => Some((Answer::Failed, true)),
            (Trouble::Mute, Query::Watch { idle, .. }) => self.silent(now, idle),
            (Trouble::Mute, Query::List { .. }) => None,
            (Trouble::Locked, _) if source.kind == SourceKind::Etcd => Some((Answer::Unauthorized, true)),
            (_, Query::List { index, wait, .. }) => self.list(source, now, index, wait),
            (Trouble::Brief, Query::Watch { .. }) => Some((Answer::Ended, true)),
            (Trouble::Held, Query::Watch { idle, .. }) => self.silent(now, idle),
            (_, Query::Watch { idle, .. }) => self.watch(source, now, idle),
        }
    }

    fn list(&self, source: &Source, now: Instant, index: u64, wait: Duration) -> Option<(Answer, bool)> {
        let waits = source.kind == SourceKind::Consul && index > 0 && index >= source.revision;
        let held = source.trouble == Trouble::Held && index > 0;
        if (waits || held) && source.trouble != Trouble::Brief && now.since(self.at) < wait.mul_f64(1.03) {
            return None;
        }
        if held {
            return Some((Answer::Failed, true));
        }
        let set = if source.trouble == Trouble::Locked { Set::new() } else { source.set.clone() };
        let index = if source.kind == SourceKind::Poll { 0 } else { source.revision };
        Some((Answer::List(specs(&set), index), true))
    }

    fn watch(&mut self, source: &Source, now: Instant, idle: Duration) -> Option<(Answer, bool)> {
        if self.next <= source.compacted || self.next > source.revision + 1 {
            return Some((Answer::Compacted, true));
        }
        if self.heard.is_none() {
            self.heard = Some(now);
            return Some((Answer::Changes(Vec::new(), self.next - 1), false));
        }
        let news: Vec<Change> =
            source.log.iter().filter(|(at, _)| *at >= self.next).map(|(_, change)| change.clone()).collect();
        if source.revision < self.next || news.is_empty() {
            return self.silent(now, idle);
        }
        self.next = source.revision + 1;
        self.heard = Some(now);
        Some((Answer::Changes(news, source.revision), false))
    }

    fn silent(&self, now: Instant, idle: Duration) -> Option<(Answer, bool)> {
        (now.since(self.heard.unwrap_or(self.at)) >= idle).then_some((Answer::Ended, true))
    }
}

/// One discovery, its source, and what came of it.
struct World {
    discovery: Discovery,
    source: Source,
    asked: Option<Asked>,
    rng: Rng,
    now: Instant,
    believed: Set,
    queries: u64,
    name: String,
}

impl World {
    fn new(kind: SourceKind, seed: u64) -> Self {
        let limits = DiscoveryLimits { source: kind, endpoints: 3, ..DiscoveryLimits::default() };
        let mut world = Self {
            discovery: Discovery::new(limits, Vec::new()),
            source: Source::new(kind),
            asked: None,
            rng: Rng::seeded(seed),
            now: Instant::from_millis(1e6),
            believed: Set::new(),
            queries: 0,
            name: format!("{kind:?}, seed {seed}"),
        };
        world.discovery.start(world.now, &mut world.rng);
        world.pump();
        world
    }

    fn pump(&mut self) {
        while let Some(query) = self.discovery.poll_query() {
            let next = if let Query::Watch { revision, .. } = query { revision } else { 0 };
            self.asked = Some(Asked { query, at: self.now, next, heard: None });
            self.queries += 1;
        }
        while self.discovery.poll_event().is_some() {}
        assert!(self.discovery.deadline().is_some(), "{}: it stands still", self.name);
    }

    fn tick(&mut self) {
        self.now = self.now + TICK;
        let said = self.asked.as_mut().and_then(|asked| asked.answer(&self.source, self.now));
        if let Some((answer, last)) = said {
            if last {
                self.asked = None;
            }
            if let Some(change) = self.discovery.on_answer(self.now, &mut self.rng, answer) {
                self.follow(&change.nodes, &change.added, &change.removed);
            }
            self.pump();
        }
        if self.discovery.deadline().is_some_and(|due| due <= self.now) {
            self.discovery.on_timeout(self.now, &mut self.rng);
            self.pump();
        }
    }

    fn follow(&mut self, nodes: &[NodeSpec], added: &[NodeId], removed: &[NodeId]) {
        let told: Set = nodes.iter().map(|node| node.id.0).collect();
        let mut folded = self.believed.clone();
        for id in removed {
            assert!(folded.remove(&id.0), "{}: {id:?} went twice", self.name);
        }
        for id in added {
            assert!(folded.insert(id.0), "{}: {id:?} came twice", self.name);
        }
        assert_eq!(folded, told, "{}: what came and went is not the difference", self.name);
        assert!(self.source.truths.contains(&told), "{}: {told:?} never was", self.name);
        self.believed = told;
    }

    fn pass(&mut self, span: u64, mut each: impl FnMut(&mut Source, &mut Rng)) {
        let end = self.now + ms(span);
        while self.now < end {
            each(&mut self.source, &mut self.rng);
            self.tick();
        }
    }
}

/// Chance that something with this mean distance happens in a tick.
fn once_per(rng: &mut Rng, mean_ms: u64) -> bool {
    rng.below(mean_ms / 20) == 0
}

fn live(kind: SourceKind, seed: u64) {
    let mut world = World::new(kind, seed);
    for _ in 0..3 {
        let mut until = 0;
        let mut elapsed = 0;
        let before = world.queries;
        world.pass(TROUBLE, |source, rng| {
            elapsed += 20;
            if elapsed >= until {
                let lied = source.trouble == Trouble::Locked;
                source.trouble = if lied { Trouble::None } else { TROUBLES[rng.below(TROUBLES.len() as u64) as usize] };
                if source.trouble == Trouble::Reset {
                    source.reset();
                }
                // A lie is shorter than it takes to be believed, and the truth is heard before the next one.
                until = elapsed + if lied { 100_000 } else { 1_000 + rng.below(29_000) };
            }
            if once_per(rng, 3_000) {
                source.change(rng);
            }
            if once_per(rng, 60_000) {
                source.compact();
            }
        });
        let asked = world.queries - before;
        assert!(asked < TROUBLE / 1_000, "{}: {asked} queries in {TROUBLE} ms of trouble", world.name);
        assert!(!world.believed.is_empty() || world.queries < 5, "{}: no node is left", world.name);
        world.source.trouble = Trouble::None;
        world.pass(PEACE, |_, _| {});
        assert_eq!(world.believed, world.source.set, "{}: it has not caught up", world.name);
        let before = world.queries;
        world.pass(PEACE, |_, _| {});
        let asked = world.queries - before;
        assert!(asked <= PEACE / 30_000, "{}: {asked} queries in {PEACE} ms of peace", world.name);
    }
}

#[test]
fn whatever_happens_to_a_source_what_is_believed_was_true_and_is_true_again_in_the_end() {
    for kind in [SourceKind::Consul, SourceKind::Etcd, SourceKind::Poll] {
        for seed in 0..20 {
            live(kind, seed);
        }
    }
}

#[test]
fn in_peace_a_change_is_believed_as_soon_as_it_is_told() {
    for kind in [SourceKind::Consul, SourceKind::Etcd] {
        let mut world = World::new(kind, 7);
        world.pass(1_000, |_, _| {});
        for _ in 0..50 {
            world.pass(20_000, |_, _| {});
            world.source.change(&mut world.rng);
            world.pass(200, |_, _| {});
            assert_eq!(world.believed, world.source.set, "{}", world.name);
        }
    }
}

#[test]
fn a_source_that_answers_anything_at_once_is_not_asked_in_a_loop() {
    let answers: [fn(u64) -> Answer; 7] = [
        |n| Answer::List(specs(&[n as u32].into()), n + 10),
        |_| Answer::List(specs(&[1].into()), 7),
        |n| Answer::List(Vec::new(), 1_000 - n.min(999)),
        |_| Answer::Failed,
        |_| Answer::Ended,
        |_| Answer::Compacted,
        |n| Answer::Changes(vec![Change::Put(spec(n as u32)), Change::Gone(NodeId(n as u32))], n),
    ];
    for kind in [SourceKind::Consul, SourceKind::Etcd, SourceKind::Poll] {
        for seed in 0..100 {
            let mut world = World::new(kind, seed);
            let mut rng = Rng::seeded(seed);
            // Each seed has favourites, so that also few answers meet again and again.
            let favourites = [rng.below(7) as usize, rng.below(7) as usize];
            let end = world.now + ms(600_000);
            while world.now < end {
                world.now = world.discovery.deadline().unwrap().min(world.now + ms(100)).max(world.now);
                world.discovery.on_timeout(world.now, &mut world.rng);
                for _ in 0..20 {
                    world.pump();
                    if world.asked.is_some() {
                        let answer = answers[favourites[rng.below(2) as usize]](world.queries);
                        world.discovery.on_answer(world.now, &mut world.rng, answer);
                    }
                }
                world.pump();
                world.now = world.now + ms(1);
            }
            assert!(world.queries < 2_500, "{}: {} queries in 600 s", world.name, world.queries);
        }
    }
}

/// When each of a crowd asks next, in milliseconds, after the same things happened to all at the same times.
fn crowd(kind: SourceKind, answers: &[(u64, Answer)]) -> Vec<f64> {
    (0..2_000)
        .map(|seed| {
            let mut world = World::new(kind, seed);
            for (at, answer) in answers {
                world.now = Instant::from_millis(1e6) + ms(*at);
                world.discovery.on_answer(world.now, &mut world.rng, answer.clone());
                world.pump();
            }
            world.discovery.deadline().unwrap().since(world.now).as_millis()
        })
        .collect()
}

#[test]
fn a_crowd_whose_server_stops_comes_back_evenly_over_a_second() {
    let begun = [(0, Answer::List(specs(&[1].into()), 7)), (40, Answer::Changes(Vec::new(), 7))];
    let lost = [(20_000, Answer::Ended), (20_000, Answer::Failed)];
    for last in lost {
        let due = crowd(SourceKind::Etcd, &[&begun[..], &[last]].concat());
        let mut tenths = [0; 10];
        for due in due {
            tenths[(due / 100.0) as usize] += 1;
        }
        assert!(tenths.iter().all(|n| (140..=260).contains(n)), "{tenths:?}");
    }
}

#[test]
fn a_crowd_that_polls_drifts_apart() {
    let due = crowd(SourceKind::Poll, &[(0, Answer::List(specs(&[1].into()), 0))]);
    let mut parts = [0; 10];
    for due in due {
        parts[((due - 30_000.0) / 300.0) as usize] += 1;
    }
    assert!(parts.iter().all(|n| (140..=260).contains(n)), "{parts:?}");
}

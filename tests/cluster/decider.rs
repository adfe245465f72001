//! The core's discovery as a program of lines, so that its real decisions can be tried on real sources from Node (`decided.mjs`). A line in:
//! the time in milliseconds and what happened; lines out: what to ask, what is believed, what is told, when to come back. It decides nothing.

#![allow(clippy::panic, clippy::unwrap_used, reason = "a test speaks by panicking")]

use std::io::{stdin, stdout, BufRead, Write};

use bowline_core::{
    Answer, Change, ClusterEvent, Discovery, DiscoveryLimits, Duration, Instant, NodeId, NodeSpec, Query, RegionId,
    Rng, SourceKind,
};

fn main() {
    let mut lines = stdin().lock().lines();
    let first = lines.next().unwrap().unwrap();
    let mut words = first.split(' ');
    let now = time(words.next());
    let mut rng = Rng::seeded(number(words.next()));
    let source = match words.next() {
        Some("consul") => SourceKind::Consul,
        Some("etcd") => SourceKind::Etcd,
        other => panic!("{other:?} is no source"),
    };
    let limits = DiscoveryLimits {
        source,
        endpoints: number(words.next()) as u32,
        interval: Duration::from_millis(number(words.next())),
        wait: Duration::from_millis(number(words.next())),
        ..DiscoveryLimits::default()
    };
    let mut discovery = Discovery::new(limits, Vec::new());
    discovery.start(now, &mut rng);
    say(&mut discovery);
    for line in lines.map_while(Result::ok) {
        let (now, said) = line.split_once(' ').unwrap();
        let now = time(Some(now));
        if said == "timeout" {
            discovery.on_timeout(now, &mut rng);
        } else if let Some(change) = discovery.on_answer(now, &mut rng, answer(said)) {
            println!("set{}", change.nodes.iter().map(|node| format!(" {}", node.id.0)).collect::<String>());
        }
        say(&mut discovery);
    }
}

fn say(discovery: &mut Discovery) {
    while let Some(event) = discovery.poll_event() {
        match event {
            ClusterEvent::DiscoveryEmpty => println!("empty"),
            ClusterEvent::DiscoveryFailed(row) => println!("failed {row}"),
            other => panic!("{other:?} is not discovery's to tell"),
        }
    }
    match discovery.poll_query() {
        Some(Query::List { endpoint, index, wait }) => println!("ask list {endpoint} {index} {}", wait.as_millis()),
        Some(Query::Watch { endpoint, revision, idle }) => {
            println!("ask watch {endpoint} {revision} {}", idle.as_millis());
        }
        None => {}
    }
    if let Some(due) = discovery.deadline() {
        println!("until {}", due.as_millis());
    }
    stdout().flush().unwrap();
}

fn answer(said: &str) -> Answer {
    let mut words = said.split(' ');
    match words.next() {
        Some("list") => {
            let index = number(words.next());
            Answer::List(words.map(node).collect(), index)
        }
        Some("changes") => {
            let revision = number(words.next());
            let change = |word: &str| match word.strip_prefix('-') {
                Some(id) => Change::Gone(node(id).id),
                None => Change::Put(node(word)),
            };
            Answer::Changes(words.map(change).collect(), revision)
        }
        Some("compacted") => Answer::Compacted,
        Some("unauthorized") => Answer::Unauthorized,
        Some("failed") => Answer::Failed,
        Some("ended") => Answer::Ended,
        other => panic!("{other:?} is no answer"),
    }
}

fn node(id: &str) -> NodeSpec {
    let id = number(Some(id)) as u32;
    NodeSpec {
        id: NodeId(id),
        hash: u64::from(id),
        weight: 1.0,
        region: RegionId::default(),
        zone: RegionId::default(),
    }
}

fn number(word: Option<&str>) -> u64 {
    word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{word:?} is no number"))
}

fn time(word: Option<&str>) -> Instant {
    Instant::from_millis(word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{word:?} is no time")))
}

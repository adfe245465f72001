//! The exported functions: a cluster is a number, time is milliseconds of the package's monotonic clock. Each takes one input of the core and
//! gives how many numbers `take` has then (see told.rs). None throws; a number that stands for no cluster (any more) has nothing to say.

use std::cell::RefCell;

use bowline_core::{
    Answer, AttemptId, Change, Cluster, ClusterInput, ClusterSignal, Duration, Effect, Ending, Failure, Forecaster,
    Instant, Method, NameHash, NodeId, Outcome, RegionId, Route, RouteId, Verdict,
};
use wasm_bindgen::prelude::wasm_bindgen;

use crate::given::given;
use crate::{options, told};

/// Bits of `flags` in [`route`].
const SAFE: i32 = 1;
const SESSION: i32 = 2;

thread_local! {
    /// The clusters by their numbers, until they are closed.
    static CLUSTERS: RefCell<Vec<Option<Held>>> = const { RefCell::new(Vec::new()) };
}

/// A cluster, and what is counted of its load.
struct Held {
    cluster: Cluster,
    load: Forecaster,
}

/// A cluster of what was given: the numbers of its configuration, and the nodes that are known.
#[wasm_bindgen]
#[must_use]
pub fn create(seed: f64) -> i32 {
    let mut given = given();
    let settings: Vec<f64> = given.numbers.drain(..options::COUNT.min(given.numbers.len())).collect();
    let (nodes, _) = given.nodes();
    let (config, load) = options::parse(&settings);
    let held = Held { cluster: Cluster::new(config, nodes, seed.to_bits()), load };
    CLUSTERS.with_borrow_mut(|clusters| {
        clusters.push(Some(held));
        clusters.len() as i32 - 1
    })
}

/// Begins: discovers, opens the first links.
#[wasm_bindgen]
#[must_use]
pub fn connect(cluster: i32, now: f64) -> i32 {
    input(cluster, now, ClusterInput::Connect)
}

/// A call. `preferred` and `region` are negative for none, `timeout` and `hedge` NaN. The numbers given are nodes not to take, the name is
/// the session, when there is the flag.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::too_many_arguments)] // one crossing of numbers per call
pub fn route(
    cluster: i32,
    now: f64,
    route: i32,
    flags: i32,
    preferred: i32,
    region: i32,
    timeout: f64,
    hedge: f64,
) -> i32 {
    let span = |ms: f64| (!ms.is_nan()).then(|| Duration::from_millis_f64(ms));
    let given = given();
    let call = Route {
        safe: flags & SAFE != 0,
        session: given.names.first().copied().filter(|_| flags & SESSION != 0),
        preferred: u32::try_from(preferred).ok().map(NodeId),
        exclude: given.numbers.iter().map(|node| NodeId(*node as u32)).collect(),
        region: u32::try_from(region).ok().map(RegionId),
        timeout: span(timeout),
        hedge_after: span(hedge),
    };
    input(cluster, now, ClusterInput::Route(RouteId(route as u32), call))
}

/// The application gave a call up.
#[wasm_bindgen]
#[must_use]
pub fn cancel(cluster: i32, now: f64, route: i32) -> i32 {
    input(cluster, now, ClusterInput::Cancel(RouteId(route as u32)))
}

/// An attempt is over. `verdict`: 0 answered, 1 busy (`retry`: for how long, or NaN), 2 transport, 3 timeout, 4 server, 5 surroundings,
/// 6 aborted; `outcome` by its number, `took` in milliseconds.
#[wasm_bindgen]
#[must_use]
pub fn ended(cluster: i32, now: f64, attempt: i32, verdict: i32, outcome: i32, retry: f64, took: f64) -> i32 {
    let outcome = match outcome {
        0 => Outcome::NotSent,
        1 => Outcome::NotApplied,
        2 => Outcome::Applied,
        _ => Outcome::Unknown,
    };
    let verdict = match verdict {
        0 => Verdict::Answered,
        1 => Verdict::Busy((!retry.is_nan()).then(|| Duration::from_millis_f64(retry))),
        2 => Verdict::Failed(Failure::Transport, outcome),
        3 => Verdict::Failed(Failure::Timeout, outcome),
        4 => Verdict::Failed(Failure::Server, outcome),
        5 => Verdict::Surroundings(outcome),
        _ => Verdict::Aborted,
    };
    let ending = Ending { verdict, took: Duration::from_millis_f64(took) };
    input(cluster, now, ClusterInput::Ended(AttemptId(attempt as u32), ending))
}

/// The link of a node came up.
#[wasm_bindgen]
#[must_use]
pub fn up(cluster: i32, now: f64, node: i32) -> i32 {
    input(cluster, now, ClusterInput::Up(NodeId(node as u32)))
}

/// It went down; not 0 where the surroundings are to blame.
#[wasm_bindgen]
#[must_use]
pub fn down(cluster: i32, now: f64, node: i32, surroundings: i32) -> i32 {
    input(cluster, now, ClusterInput::Down(NodeId(node as u32), surroundings != 0))
}

/// A probe is over: how long its answer took, NaN without one.
#[wasm_bindgen]
#[must_use]
pub fn probed(cluster: i32, now: f64, node: i32, took: f64) -> i32 {
    let took = (!took.is_nan()).then(|| Duration::from_millis_f64(took));
    input(cluster, now, ClusterInput::Probed(NodeId(node as u32), took))
}

/// A source of nodes answered. `kind`: 0 a list of the nodes given, 1 changes (the nodes given, and behind their numbers those that are
/// gone), 2 compacted, 3 unauthorized, 4 failed, 5 ended; `revision` of the first two.
#[wasm_bindgen]
#[must_use]
pub fn discovered(cluster: i32, now: f64, kind: i32, revision: f64) -> i32 {
    let given = given();
    let (nodes, gone) = given.nodes();
    let answer = match kind {
        0 => Answer::List(nodes, revision as u64),
        1 => {
            let gone = gone.iter().map(|node| Change::Gone(NodeId(*node as u32)));
            Answer::Changes(nodes.into_iter().map(Change::Put).chain(gone).collect(), revision as u64)
        }
        2 => Answer::Compacted,
        3 => Answer::Unauthorized,
        4 => Answer::Failed,
        _ => Answer::Ended,
    };
    input(cluster, now, ClusterInput::Discovered(answer))
}

/// Nothing new for a node, or, for 0, again.
#[wasm_bindgen]
#[must_use]
pub fn drain(cluster: i32, now: f64, node: i32, on: i32) -> i32 {
    input(cluster, now, ClusterInput::Drain(NodeId(node as u32), on != 0))
}

/// Nothing at all for a node, or, for 0, again.
#[wasm_bindgen]
#[must_use]
pub fn isolate(cluster: i32, now: f64, node: i32, on: i32) -> i32 {
    input(cluster, now, ClusterInput::Isolate(NodeId(node as u32), on != 0))
}

/// Another client found that a node fails.
#[wasm_bindgen]
#[must_use]
pub fn hint(cluster: i32, now: f64, node: i32) -> i32 {
    input(cluster, now, ClusterInput::Hint(NodeId(node as u32)))
}

/// The session that was given lives nowhere any more.
#[wasm_bindgen]
#[must_use]
pub fn unpin(cluster: i32, now: f64) -> i32 {
    given().names.pop().map_or(0, |session| input(cluster, now, ClusterInput::Unpin(session)))
}

/// A fact of the environment: 0 online, 1 offline, 2 visible, 3 hidden.
#[wasm_bindgen]
#[must_use]
pub fn signal(cluster: i32, now: f64, signal: i32) -> i32 {
    let signal = match signal {
        0 => ClusterSignal::Online,
        1 => ClusterSignal::Offline,
        2 => ClusterSignal::Visible,
        _ => ClusterSignal::Hidden,
    };
    input(cluster, now, ClusterInput::Signal(signal))
}

/// The time that was asked for has come.
#[wasm_bindgen]
#[must_use]
pub fn wake(cluster: i32, now: f64) -> i32 {
    input(cluster, now, ClusterInput::Timeout)
}

/// The end of the cluster.
#[wasm_bindgen]
#[must_use]
pub fn close(cluster: i32, now: f64) -> i32 {
    let told = input(cluster, now, ClusterInput::Close);
    CLUSTERS.with_borrow_mut(|clusters| clusters.get_mut(cluster as usize).map(Option::take));
    told
}

/// Eleven numbers for each node.
#[wasm_bindgen]
#[must_use]
pub fn nodes(cluster: i32, now: f64) -> i32 {
    with(cluster, |held| {
        let nodes = held.cluster.nodes(Instant::from_millis(now));
        told::tell(|told| nodes.iter().for_each(|status| told::push_status(status, told)))
    })
}

/// The counters.
#[wasm_bindgen]
#[must_use]
pub fn metrics(cluster: i32, now: f64) -> i32 {
    with(cluster, |held| told::tell(|told| told::push_metrics(&held.cluster.metrics(Instant::from_millis(now)), told)))
}

/// What is expected of the load: see told.rs.
#[wasm_bindgen]
#[must_use]
pub fn forecast(cluster: i32, now: f64) -> i32 {
    with(cluster, |held| told::tell(|told| told::push_forecast(&held.load.forecast(Instant::from_millis(now)), told)))
}

/// Whether the method whose name was given only reads: 1 or 0.
#[wasm_bindgen]
#[must_use]
pub fn reads() -> i32 {
    let Some(asked) = given().names.pop() else {
        return 0;
    };
    let known = Method::NAMES.split('|').position(|name| NameHash::of(name) == asked);
    i32::from(known.is_some_and(|index| Method::from_index(index as u32).effect() == Effect::Safe))
}

fn input(cluster: i32, now: f64, input: ClusterInput) -> i32 {
    let now = Instant::from_millis(now);
    with(cluster, |Held { cluster, load }| {
        cluster.handle_input(now, input);
        told::tell(|told| told::drain(cluster, told, |node| load.on_request(node, now)))
    })
}

fn with(cluster: i32, run: impl FnOnce(&mut Held) -> i32) -> i32 {
    CLUSTERS.with_borrow_mut(|clusters| match clusters.get_mut(cluster as usize) {
        Some(Some(held)) => run(held),
        _ => 0,
    })
}

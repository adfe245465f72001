//! When a source of nodes is asked, and what its answers are worth. It opens no connection and knows no wire: the shell performs a
//! [`Query`] and hands in each [`Answer`]. Consul is asked with blocking queries by the rules of its API documentation ("Blocking
//! Queries": index, reset, loop guard), etcd with a range and a watch from its revision (as `clientv3` does), anything else by polling.

use std::collections::VecDeque;

use super::{Answer, ClusterEvent, DiscoveryLimits, NodeSpec, Query, SourceKind};
use crate::config::{Jitter, RateLimit, Reconnect};
use crate::policy::backoff;
use crate::policy::limiter::Limiter;
use crate::rng::Rng;
use crate::time::{Duration, Instant};
use known::{Belief, Known};

pub use known::SetChange;

mod known;

/// The set of nodes as a source tells it.
///
/// Use: [`start`](Self::start) once, then [`on_answer`](Self::on_answer) for each answer and [`on_timeout`](Self::on_timeout) at
/// [`deadline`](Self::deadline). After each of these, perform [`poll_query`](Self::poll_query) (a new query replaces the one under way,
/// whose answers are not handed in any more) and tell [`poll_event`](Self::poll_event) until there are none.
#[derive(Debug)]
pub struct Discovery {
    limits: DiscoveryLimits,
    known: Known,
    phase: Phase,
    endpoint: u32,
    /// Consul: what is known, for the next query to block at. 0: do not block.
    index: u64,
    /// etcd: what is known, for the watch to go on from. `None`: the list comes first.
    revision: Option<u64>,
    /// Failures in a row.
    failures: u32,
    /// Watches in a row that ended as soon as they were opened.
    brief: u32,
    heard: Option<Instant>,
    growth: Reconnect,
    /// For answers that say nothing new.
    guard: Limiter,
    /// For those that do.
    churn: Limiter,
    query: Option<Query>,
    events: VecDeque<ClusterEvent>,
}

#[derive(Clone, Copy, Debug)]
enum Phase {
    /// Nothing is asked, and nothing will be.
    Idle,
    /// The next query leaves at this time.
    Waiting(Instant),
    /// A list was asked for, to be answered after at most this wait.
    Listing { asked: Instant, wait: Duration },
    /// Changes are told, the last word came at this time if there was one, and the next must come before `until`.
    Watching { opened: Instant, spoke: Option<Instant>, until: Instant },
}

impl Discovery {
    /// Begins with nodes that are known already: those of a static list, or the last known good ones. They stay until a source says
    /// otherwise.
    #[must_use]
    pub fn new(limits: DiscoveryLimits, nodes: Vec<NodeSpec>) -> Self {
        Self {
            limits,
            known: Known::new(nodes, limits.confirmations, limits.interval.mul_f64(0.5)),
            phase: Phase::Idle,
            endpoint: 0,
            index: 0,
            revision: None,
            failures: 0,
            brief: 0,
            heard: None,
            growth: Reconnect {
                initial_delay: limits.backoff,
                max_delay: limits.longest,
                multiplier: 2.0,
                jitter: Jitter::Full,
                ..Reconnect::default()
            },
            guard: Limiter::new(&GUARD),
            churn: Limiter::new(&CHURN),
            query: None,
            events: VecDeque::new(),
        }
    }

    /// Asks for the first time: at once when no node is known, else up to a tenth of the interval later. Which endpoint is the first is
    /// chance, so that a crowd does not begin at the same one.
    pub fn start(&mut self, now: Instant, rng: &mut Rng) {
        if self.limits.source == SourceKind::Static {
            return;
        }
        self.endpoint = u32::try_from(rng.below(u64::from(self.limits.endpoints))).unwrap_or(0);
        if self.known.is_empty() {
            self.ask(now);
        } else {
            self.phase = Phase::Waiting(now + self.limits.interval.mul_f64(0.1 * rng.unit()));
        }
    }

    /// Asks soon when it waits: the network is back, or no node works. Failures until now are forgotten.
    pub fn refresh(&mut self, now: Instant, rng: &mut Rng) {
        if let Phase::Waiting(due) = self.phase {
            (self.failures, self.brief) = (0, 0);
            self.phase = Phase::Waiting(due.min(now + self.limits.backoff.mul_f64(rng.unit())));
        }
    }

    /// The source answered the query under way. What becomes of the set, if it changes.
    pub fn on_answer(&mut self, now: Instant, rng: &mut Rng, answer: Answer) -> Option<SetChange> {
        match (self.phase, answer) {
            (Phase::Listing { asked, wait }, Answer::List(nodes, index)) => {
                self.hear(now);
                let changed = self.learn(|known| known.replace(now, nodes));
                let pause = match changed {
                    _ if now.since(asked) >= wait.mul_f64(PUNCTUAL) => Duration::ZERO,
                    Some(_) => toll(&mut self.churn, now),
                    None => toll(&mut self.guard, now),
                };
                self.after_list(now, rng, index, pause);
                changed
            }
            (Phase::Watching { opened, until, .. }, Answer::Changes(changes, revision)) => {
                self.hear(now);
                self.revision = self.revision.max(Some(revision));
                match (self.known.in_doubt(), changes.is_empty()) {
                    // What is held is not what the source changes: the list says what there is now.
                    (true, false) => self.list_guarded(now),
                    // A sign of life does not put off the list that ends the doubt.
                    (true, true) => self.phase = Phase::Watching { opened, spoke: Some(now), until },
                    (false, _) => {
                        let change = self.learn(|known| known.apply(now, changes));
                        self.phase = Phase::Watching { opened, spoke: Some(now), until: now + self.belief() };
                        return change;
                    }
                }
                None
            }
            (Phase::Watching { opened, spoke, .. }, Answer::Ended) => {
                self.ended(now, rng, opened, spoke);
                None
            }
            (Phase::Listing { .. } | Phase::Watching { .. }, Answer::Compacted) => {
                self.list_guarded(now);
                None
            }
            (Phase::Listing { .. } | Phase::Watching { .. }, Answer::Unauthorized) => {
                // The credentials are the same everywhere: no other endpoint.
                self.failed(now, rng);
                None
            }
            (Phase::Listing { .. } | Phase::Watching { .. }, Answer::Failed)
            | (Phase::Listing { .. }, Answer::Ended) => {
                self.rotate();
                self.failed(now, rng);
                None
            }
            // An answer to a query that was replaced.
            (Phase::Idle | Phase::Waiting(_), _)
            | (Phase::Listing { .. }, Answer::Changes(..))
            | (Phase::Watching { .. }, Answer::List(..)) => None,
        }
    }

    /// The time of [`deadline`](Self::deadline) has come; before it, nothing happens.
    pub fn on_timeout(&mut self, now: Instant, rng: &mut Rng) {
        if self.deadline().is_none_or(|due| now < due) {
            return;
        }
        match self.phase {
            Phase::Idle => {}
            Phase::Waiting(_) => self.ask(now),
            Phase::Watching { .. } if self.known.in_doubt() => {
                self.revision = None;
                self.ask(now);
            }
            Phase::Listing { .. } | Phase::Watching { .. } => {
                self.rotate();
                self.failed(now, rng);
            }
        }
    }

    /// When to come back, if ever.
    #[must_use]
    pub fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Idle => None,
            Phase::Waiting(due) => Some(due),
            // Consul adds up to a sixteenth to the wait.
            Phase::Listing { asked, wait } => Some(asked + wait.mul_f64(17.0 / 16.0) + PATIENCE),
            Phase::Watching { until, .. } => Some(until),
        }
    }

    /// What to ask now, if anything.
    pub fn poll_query(&mut self) -> Option<Query> {
        self.query.take()
    }

    /// What to tell the application: [`ClusterEvent::DiscoveryEmpty`] and [`ClusterEvent::DiscoveryFailed`].
    pub fn poll_event(&mut self) -> Option<ClusterEvent> {
        self.events.pop_front()
    }

    /// How long ago the source was heard last; `None` before it ever was.
    #[must_use]
    pub fn age(&self, now: Instant) -> Option<Duration> {
        self.heard.map(|at| now.since(at))
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.failures
    }

    fn hear(&mut self, now: Instant) {
        self.heard = Some(now);
        self.failures = 0;
    }

    fn learn(&mut self, learn: impl FnOnce(&mut Known) -> Belief) -> Option<SetChange> {
        match learn(&mut self.known) {
            Belief::Changed(change) => return Some(change),
            Belief::Doubted(true) => self.events.push_back(ClusterEvent::DiscoveryEmpty),
            Belief::Doubted(false) | Belief::Same => {}
        }
        None
    }

    /// What follows a list, after this pause if that is for the list to come.
    fn after_list(&mut self, now: Instant, rng: &mut Rng, index: u64, pause: Duration) {
        match self.limits.source {
            SourceKind::Etcd if self.limits.watch && index > 0 => {
                self.revision = Some(index);
                self.ask(now);
            }
            SourceKind::Consul if self.limits.watch && index > 0 => {
                // It went down: the agent lost its state, and would be silent until it has caught up with the old index.
                self.index = if index < self.index { 0 } else { index };
                self.ask_after(now, pause);
            }
            // Nothing to wait at: the source cannot, must not, or hides its index (CORS without Access-Control-Expose-Headers).
            _ => {
                self.index = 0;
                self.phase = Phase::Waiting(now + self.limits.interval.mul_f64(1.0 + 0.1 * rng.unit()));
            }
        }
    }

    /// A watch ended without a fault of its own.
    fn ended(&mut self, now: Instant, rng: &mut Rng, opened: Instant, spoke: Option<Instant>) {
        match spoke {
            Some(at) if now.since(at) >= self.limits.wait.mul_f64(PUNCTUAL) => {
                // Nothing happened for so long that nobody knows whether the connection lives: open it anew.
                self.brief = 0;
                self.ask(now);
            }
            // All clients of a server that stops are here at the same time.
            Some(_) if now.since(opened) >= STEADY => {
                self.brief = 0;
                self.phase = Phase::Waiting(now + backoff::delay(&self.growth, 0, rng));
            }
            _ => {
                self.rotate();
                self.failed(now, rng);
            }
        }
    }

    fn failed(&mut self, now: Instant, rng: &mut Rng) {
        if let Phase::Watching { opened, spoke, .. } = self.phase {
            let lived = now.since(opened) >= STEADY;
            self.brief = if lived { 0 } else { self.brief.saturating_add(1) };
            // A watch goes on where it was. One that never says a word may be held back by something between: then lists are all there is
            // to learn from.
            if spoke.is_none() && (lived || self.brief >= UNSPOKEN) {
                self.revision = None;
            }
        }
        // Whoever answers next may be an agent that lost its state: it must not block at what another one knew.
        self.index = 0;
        self.failures = self.failures.saturating_add(1);
        let row = self.failures.max(self.brief);
        self.events.push_back(ClusterEvent::DiscoveryFailed(row));
        self.phase = Phase::Waiting(now + backoff::delay(&self.growth, row.saturating_sub(1), rng));
    }

    fn rotate(&mut self) {
        self.endpoint = self.endpoint.saturating_add(1).checked_rem(self.limits.endpoints).unwrap_or(0);
    }

    /// Lists again because of an answer that is of no use.
    fn list_guarded(&mut self, now: Instant) {
        self.revision = None;
        let pause = toll(&mut self.guard, now);
        self.ask_after(now, pause);
    }

    fn ask_after(&mut self, now: Instant, pause: Duration) {
        if pause == Duration::ZERO {
            self.ask(now);
        } else {
            self.phase = Phase::Waiting(now + pause);
        }
    }

    fn ask(&mut self, now: Instant) {
        let endpoint = self.endpoint;
        let query = match self.revision {
            Some(revision) => {
                self.phase = Phase::Watching { opened: now, spoke: None, until: now + self.belief() };
                Query::Watch { endpoint, revision: revision.saturating_add(1), idle: self.limits.wait }
            }
            None => {
                let wait = match (self.index, self.known.in_doubt()) {
                    (0, _) => Duration::ZERO,
                    (_, true) => self.limits.wait.min(self.limits.interval),
                    (_, false) => self.limits.wait,
                };
                self.phase = Phase::Listing { asked: now, wait };
                Query::List { endpoint, index: self.index, wait }
            }
        };
        self.query = Some(query);
    }

    /// How long a watch may say nothing. The shell ends one without a byte for `wait`; this is for a shell that does not.
    fn belief(&self) -> Duration {
        if self.known.in_doubt() {
            self.limits.interval
        } else {
            self.limits.wait.mul_f64(2.0)
        }
    }
}

/// How long a query must wait so that a source that answers without waiting, or changes all the time, is not asked in a loop.
fn toll(limiter: &mut Limiter, now: Instant) -> Duration {
    let pause = limiter.wait(now);
    limiter.take(now);
    pause
}

/// For an answer beyond the time it may wait for news.
const PATIENCE: Duration = Duration::from_millis(10_000);
/// A watch that lived so long worked.
const STEADY: Duration = Duration::from_millis(5_000);
/// So many watches in a row that fail before a word may be refused for what they are.
const UNSPOKEN: u32 = 3;
/// Clocks differ a little: what took this share of its time took its time.
const PUNCTUAL: f64 = 0.9;
/// Consul's documentation: a bucket of two tokens, and one more every 15 s.
const GUARD: RateLimit = RateLimit { per_second: 1.0 / 15.0, burst: 2.0, reject: false };
/// What changes faster than this is told a second late rather than fetched each time.
const CHURN: RateLimit = RateLimit { per_second: 1.0, burst: 4.0, reject: false };

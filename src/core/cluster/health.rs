//! Whether one node is worth a call: its circuit breaker, and the doubt before that. It decides from what became of attempts and
//! probes; it sends neither, and knows no other node (that some are needed whatever their state is the balancer's).
//!
//! Closed, a transport error makes it suspect: left aside while there are others, until an answer or a probe clears it. Too many failures
//! open it (Nygard, "Release It!"): nothing for a while, twice as long each time. Then it is half-open: probes, or a single call, decide.
//!
//! Not `policy::breaker`: the breaker of a single client lets calls probe, since it has nowhere else to send them, and has no doubt,
//! no growth and no wins to count. One state machine for both would make every client pay for what only a cluster needs.

use super::config::{ClusterConfig, Trips};
use super::io::Failure;
use super::node::NodePhase;
use super::window::Window;
use crate::rng::Rng;
use crate::time::{Duration, Instant};

/// The scale of the first pause before a node in doubt is asked.
const ASK: Duration = Duration::from_millis(5_000);
/// And of the longest.
const ASK_LONGEST: Duration = Duration::from_millis(60_000);
/// The scale of the pause between the probes that close a breaker.
const AGAIN: Duration = Duration::from_millis(1_000);

/// What its facts are judged by.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) config: &'a ClusterConfig,
    pub(super) rng: &'a mut Rng,
}

#[derive(Debug)]
pub(super) struct Health {
    /// Any but `Isolated`, which is the application's.
    phase: NodePhase,
    /// Since then.
    since: Instant,
    /// When it was closed last, or began.
    well_since: Instant,
    /// While open: for so long from `since`. Later: how long it was open last.
    spell: Duration,
    /// How often it opened, without a long good time between.
    spells: u32,
    /// Failures of attempts in a row, good signs in a row while not closed, failures of probes in a row.
    row: u32,
    wins: u32,
    vain: u32,
    /// Attempts of the last ten seconds, and those that failed.
    calls: Window,
    trips: u32,
}

impl Health {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            phase: NodePhase::Closed,
            since: now,
            well_since: now,
            spell: Duration::ZERO,
            spells: 0,
            row: 0,
            wins: 0,
            vain: 0,
            calls: Window::default(),
            trips: 0,
        }
    }

    /// As of now: a breaker that was open for long enough is half-open.
    pub(super) fn phase(&self, now: Instant) -> NodePhase {
        match self.phase {
            NodePhase::Open if self.retry_in(now).is_none() => NodePhase::HalfOpen,
            phase => phase,
        }
    }

    /// As of the last fact.
    pub(super) const fn state(&self) -> NodePhase {
        self.phase
    }

    /// While open: for how long still.
    pub(super) fn retry_in(&self, now: Instant) -> Option<Duration> {
        let left = (self.since + self.spell).since(now);
        (self.phase == NodePhase::Open && left > Duration::ZERO).then_some(left)
    }

    pub(super) const fn trips(&self) -> u32 {
        self.trips
    }

    /// An attempt that left at `sent` was answered.
    pub(super) fn on_answer(&mut self, sent: Instant, cx: &Context<'_>) {
        self.calls.record(cx.now, false);
        match self.phase {
            NodePhase::Open if sent <= self.since => {}
            NodePhase::HalfOpen if sent < self.since => {}
            // In panic it is given calls although it is open: one that is answered is as good as a probe.
            NodePhase::Open => {
                self.enter(cx.now, NodePhase::HalfOpen);
                self.win(cx);
            }
            NodePhase::HalfOpen => self.win(cx),
            NodePhase::Suspect => {
                self.row = 0;
                self.win(cx);
            }
            _ => self.row = 0,
        }
    }

    /// An attempt that left at `sent` failed. Whether that is news: when a link breaks, what was under way on it fails together, and is
    /// one failure.
    pub(super) fn on_failure(&mut self, sent: Instant, failure: Failure, cx: &mut Context<'_>) -> bool {
        match self.phase {
            NodePhase::Suspect if failure == Failure::Transport && sent <= self.since => return false,
            NodePhase::Open => return sent > self.since,
            NodePhase::HalfOpen if sent < self.since => return false,
            NodePhase::HalfOpen => self.trip(cx),
            _ => {
                self.calls.record(cx.now, true);
                self.row = self.row.saturating_add(1);
                if cx.config.breaker.is_some_and(|trips| self.is_too_much(cx.now, trips)) {
                    self.trip(cx);
                } else if failure != Failure::Server {
                    self.doubt(cx.now);
                }
            }
        }
        true
    }

    /// Something hints that nobody is there: its link went down, an attempt is very slow.
    pub(super) fn doubt(&mut self, now: Instant) {
        if self.phase == NodePhase::Closed {
            self.enter(now, NodePhase::Suspect);
        }
    }

    /// Its link came up; `again`: after it was down. Then a breaker that grows its pauses need not sit out one that is longer than the node was
    /// away: a probe decides now. When links are dialled is chance already, so that nobody is overrun. (Simulated: of the clients of a node
    /// that was away for five minutes, one in five found it again within two minutes; so it is all of them, within half a minute.)
    pub(super) fn on_up(&mut self, again: bool, cx: &Context<'_>) {
        match self.phase {
            NodePhase::Suspect => self.enter(cx.now, NodePhase::Closed),
            NodePhase::Open if again && cx.config.breaker.is_some_and(|trips| trips.longest > trips.reset) => {
                self.enter(cx.now, NodePhase::HalfOpen);
            }
            _ => {}
        }
    }

    /// A probe is over.
    pub(super) fn on_probe(&mut self, well: bool, cx: &mut Context<'_>) {
        self.vain = if well { 0 } else { self.vain.saturating_add(1) };
        match self.phase {
            NodePhase::Open => {}
            NodePhase::Suspect | NodePhase::HalfOpen if well => self.win(cx),
            NodePhase::HalfOpen => self.trip(cx),
            _ if well => {}
            _ if cx.config.breaker.is_some() && self.vain >= cx.config.health.unhealthy => self.trip(cx),
            _ => self.doubt(cx.now),
        }
    }

    /// Time passed.
    pub(super) fn on_time(&mut self, now: Instant) {
        if self.phase(now) != self.phase {
            self.enter(now, NodePhase::HalfOpen);
        }
    }

    /// When it is to be looked at again, in this state: half-open when open, else asked. `interval`: when nothing is wrong.
    pub(super) fn next_look(&self, now: Instant, interval: Option<Duration>, rng: &mut Rng) -> Option<Instant> {
        match self.phase {
            NodePhase::Open => Some(self.since + self.spell),
            // The first at once: how long it was open was chance already, or the application's exact word.
            NodePhase::HalfOpen if self.wins == 0 => Some(now),
            NodePhase::HalfOpen => Some(now + AGAIN.mul_f64(rng.unit())),
            NodePhase::Suspect => Some(now + doubled(ASK, self.vain, ASK_LONGEST).mul_f64(rng.unit())),
            _ => interval.map(|mean| now + mean.mul_f64(0.5 + rng.unit())),
        }
    }

    fn is_too_much(&self, now: Instant, trips: Trips) -> bool {
        let (all, bad) = self.calls.totals(now);
        let share = f64::from(bad) >= trips.share * f64::from(all);
        self.row >= trips.consecutive || (all >= trips.minimum && share)
    }

    fn win(&mut self, cx: &Context<'_>) {
        self.wins = self.wins.saturating_add(1);
        let half_open = self.phase == NodePhase::HalfOpen;
        let needed = match cx.config.breaker {
            Some(trips) if half_open => trips.successes,
            _ => cx.config.health.healthy,
        };
        if self.wins >= needed {
            self.enter(cx.now, NodePhase::Closed);
            self.vain = 0;
            if half_open {
                (self.well_since, self.row, self.calls) = (cx.now, 0, Window::default());
            }
        }
    }

    fn trip(&mut self, cx: &mut Context<'_>) {
        let Some(Trips { reset, longest, .. }) = cx.config.breaker else {
            return;
        };
        let steady = self.phase != NodePhase::HalfOpen && cx.now.since(self.well_since) >= self.spell;
        self.spells = if steady { 0 } else { self.spells };
        self.spell = if longest <= reset {
            reset
        } else {
            doubled(reset, self.spells, longest).mul_f64(0.5 + 0.5 * cx.rng.unit())
        };
        self.spells = self.spells.saturating_add(1);
        self.trips = self.trips.saturating_add(1);
        self.enter(cx.now, NodePhase::Open);
    }

    fn enter(&mut self, now: Instant, phase: NodePhase) {
        (self.phase, self.since, self.wins) = (phase, now, 0);
    }
}

/// `first`, doubled so often, at most `longest`.
fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.mul_f64(2f64.powi(times.min(64) as i32)).min(longest)
}

//! How well a server and the way to it are doing, told from real traffic: no request is made to find out. It judges, and decides nothing.

use crate::time::{Duration, Instant};

/// Weight of the newest answer in the smoothed latency and success: about the last ten count.
const GAIN: f64 = 0.1;
/// So many failures in a row are an outage even while the link looks alive.
const OUTAGE: u32 = 3;
/// Below this share of successes something is wrong.
const GOOD: f64 = 0.9;

/// The verdict.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Condition {
    /// Nothing was asked yet.
    #[default]
    Unknown,
    /// Calls flow and succeed.
    Healthy,
    /// Calls flow, with failures, on the fallback, or after a loss that was not outlived yet.
    Degraded,
    /// No link, or nothing but failures.
    Unhealthy,
}

/// The state of health at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Health {
    /// The verdict.
    pub condition: Condition,
    /// 1 well, 0 gone.
    pub score: f64,
    /// Smoothed time from sending to answer, in milliseconds.
    pub latency: Option<f64>,
    /// The last answer.
    pub last_success: Option<Instant>,
    /// The last failure of the server or of the way to it.
    pub last_failure: Option<Instant>,
    /// Failures since the last answer.
    pub consecutive_failures: u32,
    /// Time with a link, in milliseconds.
    pub uptime: f64,
    /// Time without one, after the first.
    pub downtime: f64,
    /// How long the last outage that is over took.
    pub last_outage: Option<f64>,
}

/// What the verdict is made from.
#[derive(Debug, Default)]
pub(crate) struct Vitals {
    health: Health,
    /// Smoothed, in microseconds.
    latency: Option<f64>,
    success: Option<f64>,
    /// Since when there is a link, or none after one.
    since: Option<(bool, Instant)>,
}

impl Vitals {
    /// A request was answered, well or not: the server is there and works.
    pub(crate) fn on_answer(&mut self, now: Instant, latency: Duration) {
        let us = latency.as_micros() as f64;
        self.latency = Some(self.latency.map_or(us, |old| old + (us - old) * GAIN));
        self.health.last_success = Some(now);
        self.health.consecutive_failures = 0;
        self.on_attempt(1.0);
    }

    /// A request failed for reasons of the server or of the way to it.
    pub(crate) fn on_failure(&mut self, now: Instant) {
        self.health.last_failure = Some(now);
        self.health.consecutive_failures = self.health.consecutive_failures.saturating_add(1);
        self.on_attempt(0.0);
    }

    fn on_attempt(&mut self, success: f64) {
        self.success = Some(self.success.map_or(success, |old| old + (success - old) * GAIN));
    }

    /// A link became ready, or was lost.
    pub(crate) fn on_link(&mut self, now: Instant, up: bool) {
        if up && self.success.is_none() {
            // The handshake was a round trip.
            self.success = Some(1.0);
        }
        match self.since {
            Some((was_up, _)) if was_up == up => return,
            Some((true, since)) => self.health.uptime += now.since(since).as_millis(),
            Some((false, since)) => {
                let outage = now.since(since).as_millis();
                self.health.downtime += outage;
                self.health.last_outage = Some(outage);
            }
            // Before the first link there was nothing to lose.
            None if !up => return,
            None => {}
        }
        self.since = Some((up, now));
    }

    /// The verdict as of now; `degraded` says that the link is not the one that was wanted.
    pub(crate) fn health(&self, now: Instant, degraded: bool) -> Health {
        let mut health = self.health;
        match self.since {
            Some((true, since)) => health.uptime += now.since(since).as_millis(),
            Some((false, since)) => health.downtime += now.since(since).as_millis(),
            None => {}
        }
        let linked = matches!(self.since, Some((true, _)));
        let failures = health.consecutive_failures;
        let success = self.success.unwrap_or(0.0);
        let condition = match self.success {
            None => Condition::Unknown,
            Some(_) if !linked || failures >= OUTAGE => Condition::Unhealthy,
            Some(success) if degraded || failures > 0 || success < GOOD => Condition::Degraded,
            Some(_) => Condition::Healthy,
        };
        let score = match (linked, degraded) {
            (false, _) => 0.0,
            (true, true) => success * 0.8,
            (true, false) => success,
        };
        let latency = self.latency.map(|us| us / 1000.0);
        Health { condition, score, latency, ..health }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Instant {
        Instant::default() + Duration::from_millis(ms)
    }

    #[test]
    fn nothing_is_known_before_the_first_link() {
        assert_eq!(Vitals::default().health(at(5), false).condition, Condition::Unknown);
    }

    #[test]
    fn a_link_that_answers_is_healthy_and_the_fallback_is_degraded() {
        let mut vitals = Vitals::default();
        vitals.on_link(at(0), true);
        vitals.on_answer(at(10), Duration::from_millis(10));
        assert_eq!(vitals.health(at(10), false).condition, Condition::Healthy);
        assert_eq!(vitals.health(at(10), true).condition, Condition::Degraded);
    }

    #[test]
    fn one_failure_degrades_and_three_in_a_row_are_an_outage_until_the_next_answer() {
        let mut vitals = Vitals::default();
        vitals.on_link(at(0), true);
        (0..30).for_each(|ms| vitals.on_answer(at(ms), Duration::from_millis(1)));
        vitals.on_failure(at(40));
        assert_eq!(vitals.health(at(40), false).condition, Condition::Degraded);
        vitals.on_failure(at(41));
        vitals.on_failure(at(42));
        assert_eq!(vitals.health(at(42), false).condition, Condition::Unhealthy);
        (0..30).for_each(|ms| vitals.on_answer(at(50 + ms), Duration::from_millis(1)));
        assert_eq!(vitals.health(at(90), false).condition, Condition::Healthy);
    }

    #[test]
    fn time_with_and_without_a_link_adds_up() {
        let mut vitals = Vitals::default();
        vitals.on_link(at(50), false);
        vitals.on_link(at(100), true);
        vitals.on_link(at(400), false);
        vitals.on_link(at(450), false);
        assert_eq!(vitals.health(at(500), false).downtime, 100.0);
        vitals.on_link(at(600), true);
        let health = vitals.health(at(1_000), false);
        assert_eq!((health.uptime, health.downtime, health.last_outage), (700.0, 200.0, Some(200.0)));
    }
}

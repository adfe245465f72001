//! What one client knows of each node by experience: calls under way, how long answers take, what makes it count less for a while. Compact,
//! since a simulator holds millions of these. Facts go in, figures come out; nothing is chosen here.

use crate::time::{Duration, Instant};

/// The experience with all nodes of a set, by dense index. Takes no memory before the first fact.
#[derive(Debug)]
pub(super) struct Loads {
    slow_start: Duration,
    nodes: Vec<Experience>,
    /// Calls under way at all nodes.
    active: u32,
}

/// The experience with one node: 24 bytes. Times are whole milliseconds modulo 2^32 (49 days), compared by their difference.
#[derive(Clone, Copy, Debug, Default)]
struct Experience {
    /// Milliseconds: the peak-sensitive average, and the quickest answer ever.
    average: f32,
    quickest: f32,
    /// When the last answer came.
    sampled: u32,
    /// When slow start began, and when a busy node counts whole again; both only as `marks` say.
    returned: u32,
    busy_until: u32,
    active: u16,
    marks: u8,
    /// Slow start begins with so many hundredths.
    first: u8,
}

const SAMPLED: u8 = 1;
const RETURNED: u8 = 2;
const BUSY: u8 = 4;

/// An average forgets as with this half-life over ln 2 (Finagle's peak EWMA: 10 s).
const TAU_MS: f64 = 10_000.0;
/// A busy node counts half for so long, after the time it asked for.
const BUSY_FOR: Duration = Duration::from_millis(10_000);
const LONGEST_PAUSE: Duration = Duration::from_millis(3_600_000);
/// Slow start begins with this share (Envoy's `min_weight_percent`), and grows evenly.
pub(super) const FIRST_SHARE: f64 = 0.1;

impl Loads {
    pub(super) fn new(slow_start: Duration) -> Self {
        Self { slow_start, nodes: Vec::new(), active: 0 }
    }

    /// The experience of those that stay, at their new index; `origin` says which index each new one had. New ones begin with the share
    /// `first` of their weight and grow to all of it.
    pub(super) fn move_to(&mut self, origin: &[Option<usize>], first: f64, now: Instant) {
        let all_stay = origin.iter().all(Option::is_some);
        if self.nodes.is_empty() && (all_stay || first >= 1.0) {
            return;
        }
        let mut fresh = Experience::default();
        fresh.begin(now, first);
        let moved = |from: &Option<usize>| from.map_or(fresh, |from| self.nodes.get(from).copied().unwrap_or_default());
        self.nodes = origin.iter().map(moved).collect();
        self.active = self.nodes.iter().map(|node| u32::from(node.active)).sum();
    }

    /// A call leaves for node `at` of `len`.
    pub(super) fn on_sent(&mut self, at: usize, len: usize, now: Instant) {
        let slow_start = self.slow_start;
        let Some(node) = self.node(at, len) else { return };
        node.forget(now, slow_start);
        if let Some(active) = node.active.checked_add(1) {
            node.active = active;
            self.active += 1;
        }
    }

    /// A call is over; see [`super::Balancer::on_back`].
    pub(super) fn on_back(&mut self, at: usize, now: Instant, latency: Option<Duration>) {
        let Some(node) = self.nodes.get_mut(at) else { return };
        if let Some(active) = node.active.checked_sub(1) {
            node.active = active;
            self.active = self.active.saturating_sub(1);
        }
        let Some(latency) = latency else { return };
        let (sample, at) = (latency.as_millis() as f32, tick(now));
        if node.marks & SAMPLED == 0 {
            (node.average, node.quickest) = (sample, sample);
        } else if sample > node.average {
            node.average = sample;
        } else {
            let kept = (-f64::from(at.wrapping_sub(node.sampled)) / TAU_MS).exp() as f32;
            node.average = node.average * kept + sample * (1.0 - kept);
        }
        node.quickest = node.quickest.min(sample);
        node.sampled = at;
        node.marks |= SAMPLED;
    }

    /// It counts half for a while.
    pub(super) fn on_busy(&mut self, at: usize, len: usize, now: Instant, pause: Duration) {
        if let Some(node) = self.node(at, len) {
            node.busy_until = tick(now + pause.min(LONGEST_PAUSE) + BUSY_FOR);
            node.marks |= BUSY;
        }
    }

    /// Slow start begins.
    pub(super) fn on_return(&mut self, at: usize, len: usize, now: Instant) {
        if let Some(node) = self.node(at, len) {
            node.begin(now, FIRST_SHARE);
        }
    }

    /// Calls under way at a node.
    pub(super) fn active(&self, at: usize) -> u32 {
        self.nodes.get(at).map_or(0, |node| u32::from(node.active))
    }

    /// And at all.
    pub(super) fn all_active(&self) -> u32 {
        self.active
    }

    /// The average in milliseconds, however old, and its age.
    pub(super) fn average(&self, at: usize, now: Instant) -> Option<(f64, Duration)> {
        let node = self.nodes.get(at).filter(|node| node.marks & SAMPLED != 0)?;
        Some((f64::from(node.average), Duration::from_millis(tick(now).wrapping_sub(node.sampled).into())))
    }

    /// What the average would be now if queues drained since: from its last value back to the quickest answer ever, which is distance and
    /// work, and does not pass. Milliseconds.
    pub(super) fn drained(&self, at: usize, now: Instant) -> Option<f64> {
        let node = self.nodes.get(at).filter(|node| node.marks & SAMPLED != 0)?;
        let kept = (-f64::from(tick(now).wrapping_sub(node.sampled)) / TAU_MS).exp();
        Some(f64::from(node.quickest) + f64::from(node.average - node.quickest) * kept)
    }

    /// What share of its weight a node has now: slow start, busy.
    pub(super) fn share(&self, at: usize, now: Instant) -> f64 {
        match self.nodes.get(at) {
            Some(node) if node.marks & (RETURNED | BUSY) != 0 => {
                node.slow(now, self.slow_start) * if node.busy(now) { 0.5 } else { 1.0 }
            }
            _ => 1.0,
        }
    }

    fn node(&mut self, at: usize, len: usize) -> Option<&mut Experience> {
        if self.nodes.is_empty() {
            self.nodes.resize(len, Experience::default());
        }
        self.nodes.get_mut(at)
    }
}

impl Experience {
    fn begin(&mut self, now: Instant, first: f64) {
        (self.returned, self.first) = (tick(now), (first * 100.0) as u8);
        self.marks |= RETURNED;
    }

    fn slow(&self, now: Instant, slow_start: Duration) -> f64 {
        let passed = f64::from(tick(now).wrapping_sub(self.returned));
        if self.marks & RETURNED == 0 || passed >= slow_start.as_millis() {
            return 1.0;
        }
        (passed / slow_start.as_millis()).max(f64::from(self.first) / 100.0)
    }

    fn busy(&self, now: Instant) -> bool {
        // Half of the circle lies ahead.
        self.marks & BUSY != 0 && (1..=u32::MAX / 2).contains(&self.busy_until.wrapping_sub(tick(now)))
    }

    /// Takes down marks that no longer mean anything, before the clock comes round.
    fn forget(&mut self, now: Instant, slow_start: Duration) {
        if self.slow(now, slow_start) >= 1.0 {
            self.marks &= !RETURNED;
        }
        if !self.busy(now) {
            self.marks &= !BUSY;
        }
    }
}

fn tick(now: Instant) -> u32 {
    (now.since(Instant::default()).as_micros() / 1000) as u32
}

#[cfg(test)]
mod tests {
    use super::{Experience, Loads};
    use crate::time::{Duration, Instant};

    fn at(ms: f64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn loads() -> Loads {
        Loads::new(ms(30_000))
    }

    fn answer(loads: &mut Loads, now: f64, latency: u64) {
        loads.on_sent(0, 2, at(now));
        loads.on_back(0, at(now), Some(ms(latency)));
    }

    fn average(loads: &Loads, now: f64) -> f64 {
        loads.average(0, at(now)).map_or(f64::NAN, |(average, _)| average)
    }

    #[test]
    fn a_hundred_thousand_clients_of_fifty_nodes_fit_into_memory() {
        assert!(size_of::<Experience>() <= 24);
        assert_eq!(loads().nodes.capacity(), 0, "nothing before the first fact");
    }

    #[test]
    fn a_peak_counts_at_once_and_is_forgotten_over_ten_seconds() {
        let mut loads = loads();
        answer(&mut loads, 0.0, 10);
        answer(&mut loads, 100.0, 200);
        assert_eq!(average(&loads, 100.0), 200.0);
        answer(&mut loads, 10_100.0, 10);
        let expected = 10.0 + 190.0 / std::f64::consts::E;
        assert!((average(&loads, 10_100.0) - expected).abs() < 0.01, "{}", average(&loads, 10_100.0));
        assert_eq!(loads.average(0, at(15_100.0)).map(|(_, age)| age), Some(ms(5_000)));
    }

    #[test]
    fn a_queue_is_thought_to_drain_and_a_distance_to_stay() {
        let mut loads = loads();
        answer(&mut loads, 0.0, 40);
        answer(&mut loads, 0.0, 400);
        assert_eq!(loads.drained(0, at(0.0)), Some(400.0));
        assert!(loads.drained(0, at(100_000.0)).is_some_and(|latency| (40.0..40.1).contains(&latency)));
        assert_eq!(loads.drained(1, at(0.0)), None);
    }

    #[test]
    fn slow_start_grows_from_a_tenth_to_the_whole() {
        let mut loads = loads();
        loads.on_return(1, 2, at(1_000.0));
        let shares = [1_000.0, 4_000.0, 16_000.0, 31_000.0, 99_000.0].map(|now| loads.share(1, at(now)));
        assert_eq!(shares, [0.1, 0.1, 0.5, 1.0, 1.0]);
        assert_eq!(loads.share(0, at(1_000.0)), 1.0);
        let mut loads = Loads::new(Duration::ZERO);
        loads.on_return(1, 2, at(1_000.0));
        assert_eq!(loads.share(1, at(1_000.0)), 1.0, "without slow start there is none");
    }

    #[test]
    fn a_busy_node_counts_half_until_ten_seconds_after_its_pause() {
        let mut loads = loads();
        loads.on_busy(0, 2, at(0.0), ms(3_000));
        assert_eq!([0.0, 12_999.0, 13_000.0].map(|now| loads.share(0, at(now))), [0.5, 0.5, 1.0]);
        loads.on_busy(0, 2, at(0.0), Duration::MAX);
        assert_eq!([3_609_999.0, 3_610_000.0].map(|now| loads.share(0, at(now))), [0.5, 1.0]);
    }

    #[test]
    fn a_mark_that_was_taken_down_is_not_met_again_when_the_clock_comes_round() {
        let mut loads = loads();
        loads.on_return(0, 2, at(0.0));
        loads.on_busy(0, 2, at(0.0), Duration::ZERO);
        loads.on_sent(0, 2, at(60_000.0));
        let round = 4_294_967_296.0;
        assert_eq!(loads.share(0, at(round)), 1.0);
    }

    #[test]
    fn those_who_stay_keep_what_is_known_and_newcomers_begin_slowly() {
        let mut loads = loads();
        loads.move_to(&[None, None], 1.0, at(0.0));
        assert_eq!(loads.share(0, at(0.0)), 1.0);
        answer(&mut loads, 0.0, 10);
        loads.on_sent(0, 2, at(0.0));
        loads.on_sent(1, 2, at(0.0));
        loads.move_to(&[None, Some(0)], 0.25, at(100.0));
        assert_eq!((loads.active(0), loads.active(1), loads.all_active()), (0, 1, 1));
        assert_eq!((loads.share(0, at(100.0)), loads.share(1, at(100.0))), (0.25, 1.0));
        assert_eq!(loads.share(0, at(15_100.0)), 0.5);
        assert_eq!(loads.drained(1, at(100.0)), Some(10.0));
    }
}

//! The servers of a simulated cluster: each has some workers and one queue, and serves first come, first served. Their calls arrive in the
//! order in which they are told; where they come from and what becomes of the answers is others' business.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use bowline_core::{Duration, Instant, Rng};

use super::chance::Work;

/// What a server is made of.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Of the normal speed.
    pub speed: f64,
    /// Calls that it works on at a time.
    pub workers: usize,
}

/// All servers.
#[derive(Debug)]
pub struct Farm {
    work: Work,
    machines: Vec<Busy>,
}

#[derive(Debug)]
struct Busy {
    speed: f64,
    /// When each worker has nothing left to do; the earliest first.
    free: BinaryHeap<Reverse<Instant>>,
    /// When each call that is here, or on its way here, is done.
    due: BinaryHeap<Reverse<Instant>>,
}

impl Farm {
    /// Idle servers.
    #[must_use]
    pub fn new(machines: &[Machine], work: Work) -> Self {
        let busy = |machine: &Machine| Busy {
            speed: machine.speed,
            free: (0..machine.workers).map(|_| Reverse(Instant::default())).collect(),
            due: BinaryHeap::new(),
        };
        Self { work, machines: machines.iter().map(busy).collect() }
    }

    /// Gives a call to a server that it reaches at this time; says when it is done. Calls to one server must come in order.
    pub fn serve(&mut self, at: usize, reached: Instant, rng: &mut Rng) -> Instant {
        let took = self.work.draw(rng);
        let machine = &mut self.machines[at];
        let Reverse(free) = machine.free.pop().unwrap_or(Reverse(reached));
        let done = free.max(reached) + Duration::from_millis_f64(took / machine.speed);
        machine.free.push(Reverse(done));
        machine.due.push(Reverse(done));
        done
    }

    /// Calls that are in it or on their way to it: what only somebody who sees the wires can know.
    pub fn under_way(&mut self, at: usize, now: Instant) -> usize {
        let due = &mut self.machines[at].due;
        while due.peek().is_some_and(|Reverse(done)| *done <= now) {
            due.pop();
        }
        due.len()
    }

    /// A server forgets what it was doing; it can do something else from now on.
    pub fn restart(&mut self, at: usize, now: Instant) {
        let machine = &mut self.machines[at];
        machine.due.clear();
        machine.free = machine.free.drain().map(|_| Reverse(now)).collect();
    }

    /// What it begins from now on takes this part of its machine's speed.
    pub fn turn(&mut self, at: usize, speed: f64) {
        self.machines[at].speed = speed;
    }

    /// How fast it is.
    #[must_use]
    pub fn speed(&self, at: usize) -> f64 {
        self.machines[at].speed
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.machines.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.machines.is_empty()
    }
}

/// Calls per second that these can do at most.
#[must_use]
pub fn capacity(machines: &[Machine], work: Work) -> f64 {
    machines.iter().map(|machine| machine.speed * machine.workers as f64 * 1000.0 / work.mean()).sum()
}

/// The farm of the main experiment: 50 servers of 4 workers; one in five has half the speed, one in five half as much again.
#[must_use]
pub fn mixed() -> Vec<Machine> {
    let speed = |at: usize| match at % 5 {
        0 => 0.5,
        1 => 1.5,
        _ => 1.0,
    };
    (0..50).map(|at| Machine { speed: speed(at), workers: 4 }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ms;

    #[test]
    fn calls_wait_only_when_all_workers_have_something_to_do() {
        let mut farm = Farm::new(&[Machine { speed: 1.0, workers: 2 }], Work::Exponential(1000.0));
        let mut rng = Rng::seeded(1);
        let begin = Instant::default();
        let ends: Vec<Instant> = (0..3).map(|_| farm.serve(0, begin, &mut rng)).collect();
        let mut again = Rng::seeded(1);
        let took: Vec<Duration> =
            (0..3).map(|_| Duration::from_millis_f64(Work::Exponential(1000.0).draw(&mut again))).collect();
        let first_free = (begin + took[0]).min(begin + took[1]);
        assert_eq!(ends, [begin + took[0], begin + took[1], first_free + took[2]]);
        assert_eq!(farm.under_way(0, begin), 3);
        assert_eq!(farm.under_way(0, begin + ms(1_000_000)), 0);
    }

    #[test]
    fn the_mixed_fleet_does_ten_thousand_calls_a_second() {
        assert!((capacity(&mixed(), Work::LogNormal(20.0)) - 10_000.0).abs() < 1e-6);
    }
}

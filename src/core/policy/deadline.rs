//! All time limits of all calls behind one timer. A binary heap of looks, not of limits: settling a call or putting its limit off costs
//! nothing here, and what its limit is by then is asked when its look comes. The heap stays proportional to the slots.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::CallId;
use crate::time::Instant;

/// Calls in the order of an instant, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Order(BinaryHeap<Reverse<(Instant, CallId)>>);

impl Order {
    pub(crate) fn push(&mut self, at: Instant, call: CallId) {
        self.0.push(Reverse((at, call)));
    }

    pub(crate) fn pop(&mut self) -> Option<(Instant, CallId)> {
        self.0.pop().map(|Reverse(entry)| entry)
    }
}

/// When each call is to be looked at. A look that comes too early stands for all later ones of its call: at most one for each slot counts,
/// so that a call in the place of another costs nothing here as long as its own limit is later.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    looks: Order,
    /// By slot: the look that counts, or never.
    armed: Vec<Instant>,
}

impl Deadlines {
    /// Has `call` looked at by `at`.
    pub(crate) fn arm(&mut self, at: Instant, call: CallId) {
        let slot = call.0 as usize;
        if self.armed.len() <= slot {
            self.armed.resize(slot + 1, Instant::NEVER);
        }
        let Some(armed) = self.armed.get_mut(slot).filter(|armed| at < **armed) else {
            return;
        };
        *armed = at;
        self.looks.push(at, call);
        let (Order(heap), armed) = (&mut self.looks, &self.armed);
        if heap.len() > 2 * armed.len() {
            heap.retain(|Reverse((at, call))| counts(armed, *at, *call));
        }
    }

    /// The soonest look, which may be one of a call that is no more.
    pub(crate) fn first(&self) -> Instant {
        self.looks.0.peek().map_or(Instant::NEVER, |Reverse((at, _))| *at)
    }

    /// Takes the soonest look that is due.
    pub(crate) fn due(&mut self, now: Instant) -> Option<(Instant, CallId)> {
        while self.first() <= now {
            let (at, call) = self.looks.pop()?;
            if counts(&self.armed, at, call) {
                *self.armed.get_mut(call.0 as usize)? = Instant::NEVER;
                return Some((at, call));
            }
        }
        None
    }

    /// There is no call any more.
    pub(crate) fn clear(&mut self) {
        // Those only: a burst of long ago may have left thousands of slots.
        for Reverse((_, call)) in self.looks.0.drain() {
            if let Some(armed) = self.armed.get_mut(call.0 as usize) {
                *armed = Instant::NEVER;
            }
        }
    }
}

fn counts(armed: &[Instant], at: Instant, call: CallId) -> bool {
    armed.get(call.0 as usize) == Some(&at)
}

#[cfg(test)]
mod tests {
    use super::Deadlines;
    use crate::ids::CallId;
    use crate::time::{Duration, Instant};

    fn at(ms: u64) -> Instant {
        Instant::default() + Duration::from_millis(ms)
    }

    #[test]
    fn looks_come_in_the_order_of_their_moments_and_each_once() {
        let mut deadlines = Deadlines::default();
        for (ms, call) in [(30, 3), (10, 1), (20, 2)] {
            deadlines.arm(at(ms), CallId(call));
        }
        assert_eq!(deadlines.due(at(9)), None);
        let due: Vec<_> = core::iter::from_fn(|| deadlines.due(at(25))).collect();
        assert_eq!(due, [(at(10), CallId(1)), (at(20), CallId(2))]);
        assert_eq!(deadlines.first(), at(30));
    }

    #[test]
    fn an_earlier_look_takes_the_place_of_a_later_one_and_a_later_one_is_none() {
        let mut deadlines = Deadlines::default();
        for ms in [20, 10, 15] {
            deadlines.arm(at(ms), CallId(0));
        }
        assert_eq!(deadlines.due(at(30)), Some((at(10), CallId(0))));
        assert_eq!((deadlines.due(at(30)), deadlines.first()), (None, Instant::NEVER));
    }

    #[test]
    fn calls_that_follow_each_other_in_a_slot_pile_up_nothing() {
        let mut deadlines = Deadlines::default();
        for ms in (1_000..2_000).chain((0..1_000).rev()) {
            deadlines.arm(at(ms), CallId(7));
            assert!(deadlines.looks.0.len() <= 16);
        }
        assert_eq!(deadlines.due(at(0)), Some((at(0), CallId(7))));
    }
}

//! All time limits of all calls behind one timer. A binary heap with lazy deletion: settling a call costs nothing here, its entry is
//! dropped when it surfaces, and the heap is rebuilt when more than half of it is stale, so it stays proportional to the live calls.

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

/// The limits, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines(Order);

const SLACK: usize = 64;

impl Deadlines {
    /// Notes that `call` has its next limit at `at`. Earlier notes of the call become stale by themselves: `is_live` says so.
    pub(crate) fn arm(&mut self, at: Instant, call: CallId, live: usize, is_live: impl Fn(Instant, CallId) -> bool) {
        let Order(heap) = &mut self.0;
        if live == 1 {
            // It is the only call, and this is the limit it has now.
            heap.clear();
        }
        heap.push(Reverse((at, call)));
        if heap.len() > 2 * live + SLACK {
            heap.retain(|Reverse((at, call))| is_live(*at, *call));
        }
    }

    /// The soonest limit of all that were noted, stale or not.
    pub(crate) fn first(&self) -> Option<Instant> {
        self.0 .0.peek().map(|Reverse((at, _))| *at)
    }

    /// The soonest limit that still holds.
    pub(crate) fn next(&mut self, is_live: impl Fn(Instant, CallId) -> bool) -> Option<(Instant, CallId)> {
        while let Some(&Reverse((at, call))) = self.0 .0.peek() {
            if is_live(at, call) {
                return Some((at, call));
            }
            self.0.pop();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{Deadlines, SLACK};
    use crate::ids::CallId;
    use crate::time::Instant;

    fn at(ms: f64) -> Instant {
        Instant::from_millis(ms)
    }

    #[test]
    fn the_limit_of_the_only_call_is_the_only_one() {
        let mut deadlines = Deadlines::default();
        for ms in [1.0, 9.0, 5.0] {
            deadlines.arm(at(ms), CallId(0), 1, |_, _| true);
        }
        assert_eq!((deadlines.0 .0.len(), deadlines.first()), (1, Some(at(5.0))));
    }

    #[test]
    fn stale_limits_stay_few_and_the_first_that_holds_is_told() {
        let mut deadlines = Deadlines::default();
        let holds = |limit: Instant, _| limit >= at(990.0);
        (0..1_000u16).for_each(|ms| deadlines.arm(at(ms.into()), CallId(ms.into()), 10, holds));
        assert!(deadlines.0 .0.len() <= 2 * 10 + SLACK + 1);
        assert!(deadlines.first() <= Some(at(990.0)));
        assert_eq!(deadlines.next(holds), Some((at(990.0), CallId(990))));
        assert_eq!(deadlines.first(), Some(at(990.0)));
    }
}

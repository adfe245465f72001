//! All time limits of all calls behind one timer. A binary heap with lazy deletion: settling a call costs nothing here, its entry is
//! dropped when it surfaces, and the heap is rebuilt when more than half of it is stale, so it stays proportional to the live calls.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::ids::CallId;
use crate::time::Instant;

/// The limits, soonest first.
#[derive(Debug, Default)]
pub(crate) struct Deadlines {
    heap: BinaryHeap<Reverse<(Instant, CallId)>>,
}

const SLACK: usize = 64;

impl Deadlines {
    /// Notes that `call` has its next limit at `at`. Earlier notes of the call become stale by themselves: `is_live` says so.
    pub(crate) fn arm(&mut self, at: Instant, call: CallId, live: usize, is_live: impl Fn(Instant, CallId) -> bool) {
        self.heap.push(Reverse((at, call)));
        if self.heap.len() > 2 * live + SLACK {
            self.heap.retain(|Reverse((at, call))| is_live(*at, *call));
        }
    }

    /// The soonest limit that still holds.
    pub(crate) fn next(&mut self, is_live: impl Fn(Instant, CallId) -> bool) -> Option<(Instant, CallId)> {
        while let Some(&Reverse((at, call))) = self.heap.peek() {
            if is_live(at, call) {
                return Some((at, call));
            }
            self.heap.pop();
        }
        None
    }
}

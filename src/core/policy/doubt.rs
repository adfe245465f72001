//! Requests whose outcome is unknown, so that an answer that comes late is recognized as theirs (resilience rules, section 5). It knows
//! ids and moments; what a late answer says is for whoever asks.

use crate::ids::RequestId;
use crate::time::{Duration, Instant};

/// How many are remembered, and for how long: an answer this late is a server's mistake like any other.
const MOST: usize = 256;
const LONGEST: Duration = Duration::from_millis(600_000);

/// Oldest first. Not a deque: nobody else takes from the middle of one, and few calls end so.
#[derive(Debug, Default)]
pub(crate) struct Doubts(Vec<(Instant, RequestId)>);

impl Doubts {
    /// A request was given up although its server may have executed it.
    pub(crate) fn note(&mut self, now: Instant, id: RequestId) {
        if self.0.len() >= MOST {
            self.0.remove(0);
        }
        self.0.push((now, id));
    }

    /// Whether `id` is one of them; it is forgotten.
    pub(crate) fn settle(&mut self, now: Instant, id: RequestId) -> bool {
        let at = self.0.iter().position(|(_, other)| *other == id);
        at.map(|at| self.0.remove(at)).is_some_and(|(since, _)| now.since(since) <= LONGEST)
    }
}

#[cfg(test)]
mod tests {
    use super::{Doubts, LONGEST, MOST};
    use crate::ids::RequestId;
    use crate::time::{Duration, Instant};

    #[test]
    fn a_doubt_is_settled_once_and_within_its_time() {
        let (now, mut doubts) = (Instant::default(), Doubts::default());
        doubts.note(now, RequestId(1));
        doubts.note(now, RequestId(2));
        assert!(!doubts.settle(now, RequestId(3)));
        assert!(doubts.settle(now + LONGEST, RequestId(1)));
        assert!(!doubts.settle(now, RequestId(1)));
        assert!(!doubts.settle(now + LONGEST + Duration::from_millis(1), RequestId(2)));
    }

    #[test]
    fn only_so_many_are_remembered() {
        let (now, mut doubts) = (Instant::default(), Doubts::default());
        (0..=MOST as u64).for_each(|id| doubts.note(now, RequestId(id)));
        assert!(!doubts.settle(now, RequestId(0)));
        assert!(doubts.settle(now, RequestId(1)) && doubts.settle(now, RequestId(MOST as u64)));
    }
}

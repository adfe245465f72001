//! One table for all timers of a cluster. Each has a reason, and at most one moment; it knows nothing of what is done then.

use super::node::{AttemptId, NodeId, RouteId};
use super::table::Table;
use crate::time::Instant;

/// Why something is to be done at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Due {
    /// The time of a call is over.
    Deadline(RouteId),
    /// It is slow enough for a second attempt beside the first.
    Hedge(RouteId),
    /// An attempt is slower than nearly all others ever were.
    Patience(AttemptId),
    /// A node is to be asked whether it lives, or its breaker has been open for long enough.
    Node(NodeId),
}

#[derive(Debug, Default)]
pub(super) struct Agenda {
    moments: Table<Due, Instant>,
    order: Table<(Instant, Due), ()>,
}

impl Agenda {
    /// Sets the moment of `due`, or takes it out.
    pub(super) fn set(&mut self, due: Due, at: Option<Instant>) {
        let before = match at {
            Some(at) => self.moments.insert(due, at),
            None => self.moments.remove(&due),
        };
        if let Some(before) = before {
            self.order.remove(&(before, due));
        }
        if let Some(at) = at {
            self.order.insert((at, due), ());
        }
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.order.first().map(|((at, _), ())| *at)
    }

    /// Takes out the first that is due at `now`, and says when it was.
    pub(super) fn pop(&mut self, now: Instant) -> Option<(Instant, Due)> {
        let (at, due) = self.order.first().map(|(first, ())| *first).filter(|(at, _)| *at <= now)?;
        self.set(due, None);
        Some((at, due))
    }
}

#[cfg(test)]
mod tests {
    use super::{Agenda, Due};
    use crate::cluster::node::{NodeId, RouteId};
    use crate::time::Instant;

    #[test]
    fn what_is_set_anew_is_due_once_and_at_its_last_moment() {
        let (mut agenda, at) = (Agenda::default(), Instant::from_millis);
        let (call, node) = (Due::Deadline(RouteId(1)), Due::Node(NodeId(1)));
        for (due, ms) in [(call, 5.0), (node, 7.0), (call, 9.0)] {
            agenda.set(due, Some(at(ms)));
        }
        assert_eq!(agenda.next(), Some(at(7.0)));
        assert_eq!((agenda.pop(at(6.9)), agenda.pop(at(10.0))), (None, Some((at(7.0), node))));
        assert_eq!((agenda.pop(at(10.0)), agenda.pop(at(10.0))), (Some((at(9.0), call)), None));
        agenda.set(call, Some(at(11.0)));
        agenda.set(call, None);
        assert_eq!(agenda.next(), None);
    }
}

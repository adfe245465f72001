//! What is still to happen, by virtual time; things of one moment happen in the order in which they were planned.

use std::collections::BTreeMap;

use bowline_core::Instant;

/// The future.
#[derive(Debug)]
pub struct Agenda<T> {
    plans: BTreeMap<(Instant, u64), T>,
    planned: u64,
}

impl<T> Default for Agenda<T> {
    fn default() -> Self {
        Self { plans: BTreeMap::new(), planned: 0 }
    }
}

impl<T> Agenda<T> {
    /// Plans a thing.
    pub fn at(&mut self, when: Instant, what: T) {
        self.planned += 1;
        self.plans.insert((when, self.planned), what);
    }

    /// When the next thing happens.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        self.plans.keys().next().map(|(when, _)| *when)
    }

    /// The next thing.
    pub fn pop(&mut self) -> Option<(Instant, T)> {
        self.plans.pop_first().map(|((when, _), what)| (when, what))
    }
}

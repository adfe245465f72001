//! Identical reads in progress share one wire request. The first is the leader and travels; the others follow and get its answer.

use std::collections::BTreeMap;

use crate::ids::{CacheKey, CallId};

/// The reads in progress, by cache key.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    leaders: BTreeMap<CacheKey, Crew>,
}

#[derive(Debug)]
struct Crew {
    leader: CallId,
    followers: Vec<CallId>,
}

impl Flight {
    /// Joins the read of `key`; true when `call` is its leader and has to travel.
    pub(crate) fn join(&mut self, key: CacheKey, call: CallId) -> bool {
        if let Some(crew) = self.leaders.get_mut(&key) {
            crew.followers.push(call);
            return false;
        }
        self.leaders.insert(key, Crew { leader: call, followers: Vec::new() });
        true
    }

    /// The leader landed (or crashed): ends the flight and returns the followers. Empty when `call` leads no flight of `key`.
    pub(crate) fn land(&mut self, key: CacheKey, call: CallId) -> Vec<CallId> {
        if self.leaders.get(&key).is_some_and(|crew| crew.leader == call) {
            return self.leaders.remove(&key).map(|crew| crew.followers).unwrap_or_default();
        }
        Vec::new()
    }

    /// `call` leaves alone (its caller gave up, or its own limit passed). When it led, the first follower leads from now on and is
    /// returned: it has to travel.
    pub(crate) fn leave(&mut self, key: CacheKey, call: CallId) -> Option<CallId> {
        let crew = self.leaders.get_mut(&key)?;
        if crew.leader != call {
            crew.followers.retain(|follower| *follower != call);
            return None;
        }
        if crew.followers.is_empty() {
            self.leaders.remove(&key);
            return None;
        }
        crew.leader = crew.followers.remove(0);
        Some(crew.leader)
    }

    /// Whether a read of `key` is in progress.
    pub(crate) fn has(&self, key: CacheKey) -> bool {
        self.leaders.contains_key(&key)
    }
}

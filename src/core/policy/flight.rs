//! Identical reads in progress share one wire request. The first is the leader and travels; the others follow and get its answer.

use crate::ids::{CacheKey, CallId};

/// The reads in progress, sorted by key. Keys grow with time, so a new one goes to the end; a map would be larger and no faster at the
/// few hundred entries a queue can hold.
#[derive(Debug, Default)]
pub(crate) struct Flight(Vec<Crew>);

#[derive(Debug)]
struct Crew {
    key: CacheKey,
    leader: CallId,
    followers: Vec<CallId>,
}

impl Flight {
    /// Joins the read of `key`; true when `call` is its leader and has to travel.
    pub(crate) fn join(&mut self, key: CacheKey, call: CallId) -> bool {
        match self.find(key) {
            Ok(at) => {
                if let Some(crew) = self.0.get_mut(at) {
                    crew.followers.push(call);
                }
                false
            }
            Err(at) => {
                self.0.insert(at, Crew { key, leader: call, followers: Vec::new() });
                true
            }
        }
    }

    /// Lets nobody join the reads any more whose leaders satisfy `is_old`.
    pub(crate) fn overtake(&mut self, is_old: impl Fn(CallId) -> bool) {
        let old: Vec<CacheKey> =
            self.leaders.iter().filter(|(_, crew)| is_old(crew.leader)).map(|(key, _)| *key).collect();
        for key in old {
            if let Some(crew) = self.leaders.remove(&key) {
                self.overtaken.push((key, crew));
            }
        }
    }

    /// The leader landed (or crashed): ends the flight and returns the followers. Empty when `call` leads no flight of `key`.
    pub(crate) fn land(&mut self, key: CacheKey, call: CallId) -> Vec<CallId> {
        if self.leaders.get(&key).is_some_and(|crew| crew.leader == call) {
            return self.leaders.remove(&key).map(|crew| crew.followers).unwrap_or_default();
        }
        match self.overtaken.iter().position(|(_, crew)| crew.leader == call) {
            Some(at) => self.overtaken.swap_remove(at).1.followers,
            None => Vec::new(),
        }
    }

    /// `call` leaves alone (its caller gave up, or its own limit passed). When it led, the first follower leads from now on and is
    /// returned: it has to travel.
    pub(crate) fn leave(&mut self, key: CacheKey, call: CallId) -> Option<CallId> {
        let overtaken = self.overtaken.iter_mut().map(|(_, crew)| crew);
        let crew = self.leaders.get_mut(&key).into_iter().chain(overtaken).find(|crew| crew.has(call))?;
        if crew.leader != call {
            crew.followers.retain(|follower| *follower != call);
            return None;
        }
        if crew.followers.is_empty() {
            self.land(key, call);
            return None;
        }
        crew.leader = crew.followers.remove(0);
        Some(crew.leader)
    }

    /// Whether a read of `key` is in progress.
    pub(crate) fn has(&self, key: CacheKey) -> bool {
        self.leaders.contains_key(&key) || self.overtaken.iter().any(|(other, _)| *other == key)
    }
}

impl Crew {
    fn has(&self, call: CallId) -> bool {
        self.leader == call || self.followers.contains(&call)
    }
}

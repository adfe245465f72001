//! Identical reads in progress share one wire request. The first is the leader and travels; the others follow and get its answer.

use crate::ids::{CacheKey, CallId};

/// The reads in progress.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    /// Sorted by key. Keys grow with time, so a new one goes to the end; a map would be larger and no faster at the few hundred entries
    /// a queue can hold.
    crews: Vec<Crew>,
    /// Reads that left before a change was announced: whoever asks after it must not be given the state before it.
    overtaken: Vec<Crew>,
}

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
                if let Some(crew) = self.crews.get_mut(at) {
                    crew.followers.push(call);
                }
                false
            }
            Err(at) => {
                self.crews.insert(at, Crew { key, leader: call, followers: Vec::new() });
                true
            }
        }
    }

    /// Lets nobody join the reads any more whose leaders satisfy `is_old`.
    pub(crate) fn overtake(&mut self, is_old: impl Fn(CallId) -> bool) {
        while let Some(at) = self.crews.iter().position(|crew| is_old(crew.leader)) {
            self.overtaken.push(self.crews.remove(at));
        }
    }

    /// The leader landed (or crashed): ends the flight and returns the followers. Empty when `call` leads no flight of `key`.
    pub(crate) fn land(&mut self, key: CacheKey, call: CallId) -> Vec<CallId> {
        match self.find(key) {
            Ok(at) if self.crews.get(at).is_some_and(|crew| crew.leader == call) => self.crews.remove(at).followers,
            _ => match self.overtaken.iter().position(|crew| crew.leader == call) {
                Some(at) => self.overtaken.swap_remove(at).followers,
                None => Vec::new(),
            },
        }
    }

    /// `call` leaves alone (its caller gave up, or its own limit passed). When it led, the first follower leads from now on and is
    /// returned: it has to travel.
    pub(crate) fn leave(&mut self, key: CacheKey, call: CallId) -> Option<CallId> {
        let all = self.crews.iter_mut().chain(&mut self.overtaken);
        let crew = all.filter(|crew| crew.key == key).find(|crew| crew.has(call))?;
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
        self.find(key).is_ok() || self.overtaken.iter().any(|crew| crew.key == key)
    }

    fn find(&self, key: CacheKey) -> Result<usize, usize> {
        self.crews.binary_search_by_key(&key, |crew| crew.key)
    }
}

impl Crew {
    fn has(&self, call: CallId) -> bool {
        self.leader == call || self.followers.contains(&call)
    }
}

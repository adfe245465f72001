//! Identical reads in progress share one wire request. The first is the leader and travels; the others follow and get its answer.

use crate::ids::{CacheKey, CallId};

/// The reads in progress. A list, because there are seldom more than a handful: a map would be larger and no faster.
#[derive(Debug, Default)]
pub(crate) struct Flight(Vec<Crew>);

#[derive(Debug)]
struct Crew {
    key: CacheKey,
    leader: CallId,
    followers: Vec<CallId>,
    /// Left before a change was announced: whoever asks after it must not be given the state before it.
    overtaken: bool,
}

impl Flight {
    /// Joins the read of `key`; true when `call` is its leader and has to travel.
    pub(crate) fn join(&mut self, key: CacheKey, call: CallId) -> bool {
        if let Some(crew) = self.0.iter_mut().find(|crew| crew.key == key && !crew.overtaken) {
            crew.followers.push(call);
            return false;
        }
        self.0.push(Crew { key, leader: call, followers: Vec::new(), overtaken: false });
        true
    }

    /// Lets nobody join the reads any more whose leaders satisfy `is_old`; what they bring is not kept either.
    pub(crate) fn overtake(&mut self, is_old: &dyn Fn(CallId) -> bool) {
        for crew in &mut self.0 {
            crew.overtaken |= is_old(crew.leader);
        }
    }

    /// Whether `call` leads a read that nothing has overtaken.
    pub(crate) fn is_current(&self, call: CallId) -> bool {
        self.0.iter().any(|crew| crew.leader == call && !crew.overtaken)
    }

    /// The leader landed (or crashed): ends the flight and returns the followers. Empty when `call` leads no flight.
    pub(crate) fn land(&mut self, call: CallId) -> Vec<CallId> {
        let crew = self.0.iter_mut().find(|crew| crew.leader == call);
        let followers = crew.map(|crew| core::mem::take(&mut crew.followers)).unwrap_or_default();
        self.0.retain(|crew| crew.leader != call);
        followers
    }

    /// `call` leaves alone (its caller gave up, or its own limit passed). When it led, the first follower leads from now on and is
    /// returned: it has to travel.
    pub(crate) fn leave(&mut self, call: CallId) -> Option<CallId> {
        for crew in &mut self.0 {
            if crew.leader == call {
                let heir = *crew.followers.first()?;
                crew.followers.retain(|follower| *follower != heir);
                crew.leader = heir;
                return Some(heir);
            }
            crew.followers.retain(|follower| *follower != call);
        }
        None
    }

    /// Who travels for `call`, if that follows.
    pub(crate) fn leader(&self, call: CallId) -> Option<CallId> {
        self.0.iter().find(|crew| crew.followers.contains(&call)).map(|crew| crew.leader)
    }

    /// Whether a read of `key` is in progress.
    pub(crate) fn has(&self, key: CacheKey) -> bool {
        self.0.iter().any(|crew| crew.key == key)
    }

    /// Whether a read of `key` is in progress that may be joined.
    pub(crate) fn is_joinable(&self, key: CacheKey) -> bool {
        self.0.iter().any(|crew| crew.key == key && !crew.overtaken)
    }
}

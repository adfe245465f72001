//! What is kept, seen from the calls: who is answered by it, what enters it, what makes it old (protocol P52-P57; resilience rules, section
//! 3). How much is kept, and which goes first, is `policy/cache`'s.

use super::{forget, CacheKey, CallId, Code, Detail, Engine, Error, Method, Output, Payload, Settled};
use crate::config::Revalidate;
use crate::io::{CacheMode, Keep};
use crate::link::Call;
use crate::policy::cache::{Entry, Scope};
use crate::time::{Duration, Instant};
use crate::wire::{Era, Hint};

impl<P: Payload> Engine<P> {
    /// Answers a new read out of the cache, if its mode and what is kept allow that; true when it is settled.
    pub(super) fn answer_kept(&mut self, id: CallId, key: CacheKey, mode: CacheMode) -> bool {
        if mode == CacheMode::Refresh {
            self.overtake(&|call| call.request.key == Some(key));
        }
        let Some(cache) = &mut self.cache else {
            return false;
        };
        if let Some(call) = self.calls.at_mut(id) {
            call.context = cache.context();
        }
        let found = match mode {
            CacheMode::Use => cache.find(key, self.now, cache.limits().stale_while_revalidate),
            CacheMode::Refresh => None,
            CacheMode::OnlyIfCached | CacheMode::StaleWhileRevalidate => cache.find(key, self.now, Duration::MAX),
        };
        let Some((payload, stale)) = found else {
            self.metrics.cache_misses += 1;
            return false;
        };
        self.metrics.cached_responses += 1;
        if !stale {
            self.metrics.cache_hits += 1;
            self.settle(id, Ok(Settled { payload: Some(payload), cached: true }));
            return true;
        }
        self.serve(id, payload);
        // One read behind the callers' backs is enough.
        let done = mode == CacheMode::OnlyIfCached || self.flight.is_joinable(key);
        if done {
            self.settle(id, Ok(Settled { payload: None, cached: true }));
        }
        done
    }

    /// Gives a stale result to a caller. What the call does from now on is not urgent, and nobody hears of its progress.
    pub(super) fn serve(&mut self, id: CallId, payload: P) {
        let Some(call) = self.calls.at_mut(id).filter(|call| !call.served) else {
            return;
        };
        call.served = true;
        call.request.priority = 0;
        call.request.progress = false;
        self.metrics.cache_stale += 1;
        self.out.push_back(Output::Serve(id, payload));
    }

    /// What there is for the caller of a read that fails: nothing that another user may have read since (P55), and nothing for one who
    /// asked for the server's own word.
    pub(super) fn stale_for(&mut self, id: CallId, error: &Error<P>) -> Option<P> {
        let (call, cache) = (self.calls.at(id)?, self.cache.as_mut()?);
        let server_spoke = matches!(error.detail, Detail::Http(..=499, _));
        let refresh = call.request.cache_mode == CacheMode::Refresh;
        let unreached = super::flow::is_unwell(error.code) || error.code == Code::NotConnected;
        if refresh || server_spoke || !unreached || call.context != cache.context() {
            return None;
        }
        let grace = cache.limits().stale_if_error;
        cache.find(call.request.key?, self.now, grace).map(|(payload, _)| payload)
    }

    /// Keeps what a read brought, unless something overtook it: a change that was announced, a later read, another user.
    pub(super) fn store(&mut self, id: CallId, hint: Hint, size: u32, payload: &P) {
        let (Some(call), Some(cache)) = (self.calls.at(id), &self.cache) else {
            return;
        };
        let Some(key) = call.request.key.filter(|_| self.flight.is_current(id)) else {
            return;
        };
        let era = call.sending().map_or(Era::Modern, |sending| sending.era);
        let lifetime = cache.lifetime(hint, era, call.request.cache_ttl);
        let method = call.request.method;
        let subject = subject_of(method, call.request.params.as_ref());
        let fresh_until = self.now + lifetime;
        let entry =
            Entry { payload: payload.clone(), method, subject, bytes: size as usize, fresh_until, public: hint.public };
        self.put(key, entry, lifetime);
    }

    /// The application's own results.
    pub(super) fn on_keep(&mut self, key: CacheKey, keep: Keep<P>) {
        let Keep { method, subject, payload, size, ttl, public, newer } = keep;
        if newer {
            self.overtake(&|call| call.request.key == Some(key));
        }
        let Some(cache) = self.cache.as_ref().filter(|cache| newer || !cache.has(key)) else {
            return self.let_go(key);
        };
        let lifetime = cache.lifetime(Hint { ttl, public }, Era::Legacy, None);
        let fresh_until = self.now + lifetime;
        self.put(key, Entry { payload, method, subject, bytes: size as usize, fresh_until, public }, lifetime);
        self.let_go(key);
    }

    /// What replaces a result and must not be kept leaves nothing behind: the older one is old.
    fn put(&mut self, key: CacheKey, entry: Entry<P>, lifetime: Duration) {
        let (flight, out, evictions) = (&self.flight, &mut self.out, &mut self.metrics.cache_evictions);
        let Some(cache) = &mut self.cache else {
            return;
        };
        if lifetime == Duration::ZERO {
            // Its own key is let go of right after this.
            return cache.drop_all(&|other, _| other == key, &mut |_| ());
        }
        cache.store(key, entry, &mut |gone| {
            *evictions += 1;
            if gone != key {
                forget(gone, flight, out);
            }
        });
    }

    /// A call does not need its key any more; a kept result may.
    pub(super) fn let_go(&mut self, key: CacheKey) {
        if !self.is_needed(key) {
            self.out.push_back(Output::Forget(key));
        }
    }

    /// Whether a result is kept under this key, or a read of it in progress.
    pub(super) fn is_needed(&self, key: CacheKey) -> bool {
        self.flight.has(key) || self.cache.as_ref().is_some_and(|cache| cache.has(key))
    }

    /// What is kept of these, and what is on its way, is old.
    pub(super) fn invalidate(&mut self, methods: &[Method], subject: u32) {
        let scope = Scope { methods, subject };
        self.overtake(&|call| covers(scope, call));
        let (flight, out) = (&self.flight, &mut self.out);
        if let Some(cache) = &mut self.cache {
            let gone = |_, entry: &Entry<P>| scope.covers(entry.method, entry.subject);
            cache.drop_all(&gone, &mut |key| forget(key, flight, out));
        }
    }

    /// News may have been missed: what they could have been about is stale, but better than nothing.
    pub(super) fn on_gap(&mut self) {
        let revalidate = self.cache.as_ref().map_or(Revalidate::None, |cache| cache.limits().revalidate);
        let methods: &[Method] = match revalidate {
            Revalidate::Watched => &Method::WATCHED,
            Revalidate::All => &[],
            Revalidate::None => return,
        };
        let scope = Scope { methods, subject: 0 };
        self.overtake(&|call| covers(scope, call));
        if let Some(cache) = &mut self.cache {
            cache.expire(scope, self.now);
        }
    }

    /// Another user's calls follow: what is on its way may be the last one's.
    pub(super) fn on_context(&mut self) {
        self.flight.overtake(&|_| true);
        let (flight, out) = (&self.flight, &mut self.out);
        if let Some(cache) = &mut self.cache {
            cache.change_context(&mut |key| forget(key, flight, out));
        }
    }

    /// Reads that have left show the state before now.
    fn overtake(&mut self, is_old: &dyn Fn(&Call<P>) -> bool) {
        let calls = &self.calls;
        let left = |leader| calls.at(leader).filter(|call| call.sending().is_some());
        self.flight.overtake(&|leader| left(leader).is_some_and(is_old));
    }

    /// The fresh result that is kept under this key.
    pub fn peek(&mut self, now: Instant, key: CacheKey) -> Option<P> {
        let found = self.cache.as_mut()?.find(key, now, Duration::ZERO);
        // Whoever asks in vain made the key for that.
        self.let_go(key);
        Some(found?.0)
    }

    /// Tells of everything fresh that is kept: its key, the result, how long it stays fresh, and whether it is public.
    pub fn each_kept(&self, now: Instant, tell: &mut dyn FnMut(CacheKey, &P, Duration, bool)) {
        for (key, entry) in self.cache.iter().flat_map(super::Cache::entries) {
            let left = entry.fresh_until.since(now);
            if left > Duration::ZERO {
                tell(key, &entry.payload, left, entry.public);
            }
        }
    }
}

fn covers<P: Payload>(scope: Scope<'_>, call: &Call<P>) -> bool {
    scope.covers(call.request.method, subject_of(call.request.method, call.request.params.as_ref()))
}

/// Only reads of resources are announced one by one.
fn subject_of<P: Payload>(method: Method, params: Option<&P>) -> u32 {
    params.filter(|_| method == Method::RESOURCES_READ).map_or(0, Payload::subject)
}

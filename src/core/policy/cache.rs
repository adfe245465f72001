//! Results worth keeping: least recently used first out (`lru` crate), bounded in entries and in bytes, each with its own end of
//! freshness (P52-P56). The server's hint wins; the default is for eras that have no hints. What is stored is a handle. What is no longer
//! fresh stays until something better comes: it may serve while that is fetched, or when it cannot be (resilience rules, section 3).

use core::hash::{BuildHasherDefault, Hasher};

use lru::LruCache;

use crate::config::CacheLimits;
use crate::ids::CacheKey;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Hint, Method};

/// The cache of one client: of one authorization context at a time.
#[derive(Debug)]
pub(crate) struct Cache<P> {
    limits: CacheLimits,
    entries: LruCache<CacheKey, Entry<P>, BuildHasherDefault<Mix>>,
    bytes: usize,
    /// Grows with every change of the authorization context, so that a read of one is nothing to the next.
    context: u32,
}

/// One result that is kept.
#[derive(Debug)]
pub(crate) struct Entry<P> {
    pub(crate) payload: P,
    pub(crate) method: Method,
    /// What it is about, where notifications name that (P56).
    pub(crate) subject: u32,
    pub(crate) bytes: usize,
    pub(crate) fresh_until: Instant,
    /// Whether other authorization contexts may have it (P55).
    pub(crate) public: bool,
}

/// Which results are meant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scope<'a> {
    /// Of which methods; of any when empty.
    pub(crate) methods: &'a [Method],
    /// About what; about anything when zero.
    pub(crate) subject: u32,
}

impl Scope<'_> {
    pub(crate) fn covers(self, method: Method, subject: u32) -> bool {
        (self.methods.is_empty() || self.methods.contains(&method)) && (self.subject == 0 || self.subject == subject)
    }
}

impl<P: Clone> Cache<P> {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self { limits, entries: LruCache::unbounded_with_hasher(BuildHasherDefault::default()), bytes: 0, context: 0 }
    }

    /// The result of `key`, which thereby becomes the most recently used, and whether it is stale; never one that has been stale for
    /// `grace`.
    pub(crate) fn find(&mut self, key: CacheKey, now: Instant, grace: Duration) -> Option<(P, bool)> {
        let entry = self.entries.get(&key)?;
        (now < entry.fresh_until + grace).then(|| (entry.payload.clone(), now >= entry.fresh_until))
    }

    /// How long a result may be served: the server's word; nothing said means the caller's, else the default in a legacy era, and not at
    /// all in the modern one. The caller's word and the cap only shorten.
    pub(crate) fn lifetime(&self, hint: Hint, era: Era, own: Option<Duration>) -> Duration {
        let silent = if era == Era::Legacy { self.limits.default_ttl } else { Duration::ZERO };
        let ttl = hint.ttl.or(own).unwrap_or(silent);
        ttl.min(own.unwrap_or(ttl)).min(self.limits.max_ttl)
    }

    /// Keeps a result; `evicted` hears of every key that had to go, including this one when it cannot stay.
    pub(crate) fn store(&mut self, key: CacheKey, entry: Entry<P>, evicted: &mut dyn FnMut(CacheKey)) {
        self.bytes += entry.bytes;
        if let Some(old) = self.entries.put(key, entry) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
        while self.entries.len() > self.limits.max_size || self.bytes > self.limits.max_bytes {
            let Some((key, old)) = self.entries.pop_lru() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(old.bytes);
            evicted(key);
        }
    }

    /// Drops what is `gone`; `evicted` hears of the keys.
    pub(crate) fn drop_all(&mut self, gone: &dyn Fn(CacheKey, &Entry<P>) -> bool, evicted: &mut dyn FnMut(CacheKey)) {
        let keys: Vec<CacheKey> =
            self.entries.iter().filter(|(key, entry)| gone(**key, entry)).map(|(key, _)| *key).collect();
        for key in keys {
            if let Some(old) = self.entries.pop(&key) {
                self.bytes = self.bytes.saturating_sub(old.bytes);
                evicted(key);
            }
        }
    }

    /// Ends the freshness of what is meant.
    pub(crate) fn expire(&mut self, scope: Scope<'_>, now: Instant) {
        for (_, entry) in &mut self.entries {
            if scope.covers(entry.method, entry.subject) {
                entry.fresh_until = entry.fresh_until.min(now);
            }
        }
    }

    /// Another authorization context begins: what was private to the last one goes (P55).
    pub(crate) fn change_context(&mut self, evicted: &mut dyn FnMut(CacheKey)) {
        self.context = self.context.wrapping_add(1);
        self.drop_all(&|_, entry| !entry.public, evicted);
    }

    pub(crate) fn limits(&self) -> &CacheLimits {
        &self.limits
    }

    /// The present authorization context; a read remembers it when it is made.
    pub(crate) fn context(&self) -> u32 {
        self.context
    }

    /// Everything that is kept, the least recently used last.
    pub(crate) fn entries(&self) -> impl Iterator<Item = (CacheKey, &Entry<P>)> {
        self.entries.iter().map(|(key, entry)| (*key, entry))
    }

    /// Whether `key` is kept.
    pub(crate) fn has(&self, key: CacheKey) -> bool {
        self.entries.contains(&key)
    }

    /// Entries kept, and their bytes.
    pub(crate) fn size(&self) -> (usize, usize) {
        (self.entries.len(), self.bytes)
    }
}

/// A hasher for integers, small and dense or hashed already: Fibonacci multiplication, then the high bits folded down, since the table looks
/// at both ends.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.write_u64(u64::from(n));
    }

    fn write_u64(&mut self, n: u64) {
        self.0 = (self.0 ^ n).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::{Cache, Entry, Scope};
    use crate::config::CacheLimits;
    use crate::ids::CacheKey;
    use crate::time::{Duration, Instant};
    use crate::wire::{Era, Hint, Method};

    const LIST: Method = Method::TOOLS_LIST;

    fn at(ms: f64) -> Instant {
        Instant::from_millis(ms)
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn cache(max_size: usize, max_bytes: usize) -> Cache<&'static str> {
        Cache::new(CacheLimits { max_size, max_bytes, ..CacheLimits::default() })
    }

    fn entry(payload: &'static str, bytes: usize) -> Entry<&'static str> {
        Entry { payload, method: LIST, subject: 0, bytes, fresh_until: at(10.0), public: false }
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = cache(2, 1_000);
        let mut gone = Vec::new();
        cache.store(CacheKey(1), entry("a", 1), &mut |key| gone.push(key));
        cache.store(CacheKey(2), entry("b", 1), &mut |key| gone.push(key));
        assert_eq!(cache.find(CacheKey(1), at(1.0), Duration::ZERO), Some(("a", false)));
        cache.store(CacheKey(3), entry("c", 1), &mut |key| gone.push(key));
        assert_eq!(gone, [CacheKey(2)]);
    }

    #[test]
    fn bytes_are_bounded_and_a_giant_does_not_stay() {
        let mut cache = cache(100, 10);
        let mut gone = Vec::new();
        cache.store(CacheKey(1), entry("a", 6), &mut |key| gone.push(key));
        cache.store(CacheKey(2), entry("b", 6), &mut |key| gone.push(key));
        cache.store(CacheKey(3), entry("c", 60), &mut |key| gone.push(key));
        assert_eq!(gone, [CacheKey(1), CacheKey(2), CacheKey(3)]);
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn what_is_stale_is_served_within_its_grace_only() {
        let mut cache = cache(9, 99);
        cache.store(CacheKey(1), entry("a", 1), &mut |_| ());
        assert_eq!(cache.find(CacheKey(1), at(9.9), Duration::ZERO), Some(("a", false)));
        assert_eq!(cache.find(CacheKey(1), at(10.0), Duration::ZERO), None);
        assert_eq!(cache.find(CacheKey(1), at(14.9), ms(5)), Some(("a", true)));
        assert_eq!(cache.find(CacheKey(1), at(15.0), ms(5)), None);
    }

    #[test]
    fn the_hint_wins_over_the_default_and_a_caller_only_shortens_it() {
        let cache = cache(9, 99);
        let hint = |span| Hint { ttl: Some(ms(span)), ..Hint::default() };
        assert_eq!(cache.lifetime(hint(7), Era::Legacy, None), ms(7));
        assert_eq!(cache.lifetime(hint(u64::MAX), Era::Modern, None), ms(86_400_000));
        assert_eq!(cache.lifetime(Hint::default(), Era::Legacy, None), ms(300_000));
        assert_eq!(cache.lifetime(Hint::default(), Era::Modern, None), Duration::ZERO);
        assert_eq!(cache.lifetime(hint(7), Era::Modern, Some(ms(9))), ms(7));
        assert_eq!(cache.lifetime(hint(7), Era::Modern, Some(ms(5))), ms(5));
        assert_eq!(cache.lifetime(hint(0), Era::Modern, Some(ms(5))), Duration::ZERO);
        assert_eq!(cache.lifetime(Hint::default(), Era::Modern, Some(ms(5))), ms(5));
    }

    #[test]
    fn a_scope_means_a_method_a_subject_or_both() {
        let all = Scope { methods: &[], subject: 0 };
        assert!(all.covers(LIST, 0) && all.covers(Method::RESOURCES_READ, 7));
        let one = Scope { methods: &[Method::RESOURCES_READ], subject: 7 };
        assert!(one.covers(Method::RESOURCES_READ, 7));
        assert!(!one.covers(Method::RESOURCES_READ, 8) && !one.covers(LIST, 7));
    }

    #[test]
    fn another_context_keeps_what_is_public() {
        let mut cache = cache(9, 99);
        let before = cache.context();
        cache.store(CacheKey(1), entry("a", 1), &mut |_| ());
        cache.store(CacheKey(2), Entry { public: true, ..entry("b", 1) }, &mut |_| ());
        cache.change_context(&mut |key| assert_eq!(key, CacheKey(1)));
        assert!(!cache.has(CacheKey(1)) && cache.has(CacheKey(2)));
        assert_ne!(cache.context(), before);
    }
}

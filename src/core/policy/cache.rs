//! Results worth keeping: least recently used first out (`lru` crate), bounded in entries and in bytes, each with its own end of
//! freshness (P52-P56). The server's hint wins; the default is for eras that have no hints. What is stored is a handle.

use core::hash::{BuildHasherDefault, Hasher};

use lru::LruCache;

use crate::config::CacheLimits;
use crate::ids::CacheKey;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Hint, Method};

/// The cache of one client, which is one authorization context.
#[derive(Debug)]
pub(crate) struct Cache<P> {
    limits: CacheLimits,
    entries: LruCache<CacheKey, Entry<P>, BuildHasherDefault<Mix>>,
    bytes: usize,
    /// Grows with every invalidation, so that a read that left before one cannot store what it brings after it.
    generation: u32,
}

#[derive(Debug)]
struct Entry<P> {
    payload: P,
    method: Method,
    bytes: usize,
    fresh_until: Instant,
}

impl<P: Clone> Cache<P> {
    pub(crate) fn new(limits: CacheLimits) -> Self {
        Self {
            limits,
            entries: LruCache::unbounded_with_hasher(BuildHasherDefault::default()),
            bytes: 0,
            generation: 0,
        }
    }

    /// The fresh result of `key`, which thereby becomes the most recently used.
    pub(crate) fn fresh(&mut self, key: CacheKey, now: Instant) -> Option<P> {
        let entry = self.entries.get(&key)?;
        (now < entry.fresh_until).then(|| entry.payload.clone())
    }

    /// How long a result may be served: the server's word, capped; nothing said means the default in a legacy era, and not at all in
    /// the modern one.
    pub(crate) fn lifetime(&self, hint: Hint, era: Era) -> Duration {
        match (hint.ttl, era) {
            (Some(ttl), _) => ttl.min(self.limits.max_ttl),
            (None, Era::Legacy) => self.limits.default_ttl,
            (None, Era::Modern) => Duration::ZERO,
        }
    }

    /// Keeps a result; `evicted` hears of every key that had to go, including this one when it cannot stay.
    pub(crate) fn store(
        &mut self,
        (key, method): (CacheKey, Method),
        payload: P,
        bytes: usize,
        fresh_until: Instant,
        mut evicted: impl FnMut(CacheKey),
    ) {
        if let Some(old) = self.entries.put(key, Entry { payload, method, bytes, fresh_until }) {
            self.bytes = self.bytes.saturating_sub(old.bytes);
        }
        self.bytes += bytes;
        while self.entries.len() > self.limits.max_size || self.bytes > self.limits.max_bytes {
            let Some((key, old)) = self.entries.pop_lru() else {
                break;
            };
            self.bytes = self.bytes.saturating_sub(old.bytes);
            evicted(key);
        }
    }

    /// Drops every result of `methods`; `evicted` hears of their keys.
    pub(crate) fn invalidate(&mut self, methods: &[Method], mut evicted: impl FnMut(CacheKey)) {
        self.generation = self.generation.wrapping_add(1);
        let gone: Vec<CacheKey> =
            self.entries.iter().filter(|(_, entry)| methods.contains(&entry.method)).map(|(key, _)| *key).collect();
        for key in gone {
            if let Some(old) = self.entries.pop(&key) {
                self.bytes = self.bytes.saturating_sub(old.bytes);
                evicted(key);
            }
        }
    }

    /// The current generation; a read remembers it when it is sent.
    pub(crate) fn generation(&self) -> u32 {
        self.generation
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

/// A hasher for small dense integers: Fibonacci multiplication, then the high bits folded down, since the table looks at both ends.
#[derive(Default)]
pub(crate) struct Mix(u64);

impl Hasher for Mix {
    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u32(u32::from(*byte));
        }
    }

    fn write_u32(&mut self, n: u32) {
        self.0 = (self.0 ^ u64::from(n)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }

    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }
}

#[cfg(test)]
mod tests {
    use super::Cache;
    use crate::config::CacheLimits;
    use crate::ids::CacheKey;
    use crate::time::{Duration, Instant};
    use crate::wire::{Era, Hint, Method};

    const LIST: Method = Method::TOOLS_LIST;

    fn at(ms: f64) -> Instant {
        Instant::from_millis(ms)
    }

    fn cache(max_size: usize, max_bytes: usize) -> Cache<&'static str> {
        Cache::new(CacheLimits { max_size, max_bytes, ..CacheLimits::default() })
    }

    #[test]
    fn the_least_recently_used_goes_first() {
        let mut cache = cache(2, 1_000);
        let mut gone = Vec::new();
        cache.store((CacheKey(1), LIST), "a", 1, at(9.0), |key| gone.push(key));
        cache.store((CacheKey(2), LIST), "b", 1, at(9.0), |key| gone.push(key));
        assert_eq!(cache.fresh(CacheKey(1), at(1.0)), Some("a"));
        cache.store((CacheKey(3), LIST), "c", 1, at(9.0), |key| gone.push(key));
        assert_eq!(gone, [CacheKey(2)]);
    }

    #[test]
    fn bytes_are_bounded_and_a_giant_does_not_stay() {
        let mut cache = cache(100, 10);
        let mut gone = Vec::new();
        cache.store((CacheKey(1), LIST), "a", 6, at(9.0), |key| gone.push(key));
        cache.store((CacheKey(2), LIST), "b", 6, at(9.0), |key| gone.push(key));
        cache.store((CacheKey(3), LIST), "c", 60, at(9.0), |key| gone.push(key));
        assert_eq!(gone, [CacheKey(1), CacheKey(2), CacheKey(3)]);
        assert_eq!(cache.size(), (0, 0));
    }

    #[test]
    fn what_is_stale_is_not_served() {
        let mut cache = cache(9, 99);
        cache.store((CacheKey(1), LIST), "a", 1, at(10.0), |_| ());
        assert_eq!(cache.fresh(CacheKey(1), at(9.9)), Some("a"));
        assert_eq!(cache.fresh(CacheKey(1), at(10.0)), None);
    }

    #[test]
    fn the_hint_wins_over_the_default() {
        let cache = cache(9, 99);
        let hint = |ms| Hint { ttl: Some(Duration::from_millis(ms)) };
        assert_eq!(cache.lifetime(hint(7), Era::Legacy), Duration::from_millis(7));
        assert_eq!(cache.lifetime(hint(u64::MAX), Era::Modern), Duration::from_millis(86_400_000));
        assert_eq!(cache.lifetime(Hint::default(), Era::Legacy), Duration::from_millis(300_000));
        assert_eq!(cache.lifetime(Hint::default(), Era::Modern), Duration::ZERO);
    }

    #[test]
    fn an_invalidation_drops_the_method_and_moves_the_generation() {
        let mut cache = cache(9, 99);
        let before = cache.generation();
        cache.store((CacheKey(1), LIST), "a", 1, at(10.0), |_| ());
        cache.store((CacheKey(2), Method::RESOURCES_READ), "b", 1, at(10.0), |_| ());
        cache.invalidate(&[LIST], |_| ());
        assert!(!cache.has(CacheKey(1)) && cache.has(CacheKey(2)));
        assert_ne!(cache.generation(), before);
    }
}

//! What the outsider holds the client to besides its answers: memory stays within its bounds (I4), and who gives up tells the server (I9).

use bowline_core::{CallId, Code, Config, Era, ExchangeId, Metrics, State};

use super::{Ledger, Place, Record};

/// The bounds of the settings, and what they are compared with.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    queued: u64,
    pub(super) max_replays: u8,
    entries: u64,
    bytes: u64,
    /// How many waited before.
    waiting: u64,
    /// Whether all that happened is that a call was made.
    pub(super) newcomer: bool,
    /// Who was given up by the application just now.
    pub(super) cancelled: Option<CallId>,
}

impl Bounds {
    pub(super) fn new(config: &Config) -> Self {
        let cache = config.cache.as_ref();
        Self {
            queued: config.max_queued as u64,
            max_replays: config.max_replays,
            entries: cache.map_or(0, |cache| cache.max_size as u64),
            bytes: cache.map_or(0, |cache| cache.max_bytes as u64),
            ..Self::default()
        }
    }
}

impl Ledger {
    /// Calls that come back always find room; a new one only up to the bound.
    pub(super) fn within_bounds(&mut self, metrics: &Metrics) {
        let Bounds { queued, entries, bytes, waiting, newcomer, .. } = self.bounds;
        let now = metrics.queued_requests;
        self.check(!newcomer || now <= waiting.max(queued), || format!("{now} calls wait where {queued} may"));
        self.check(metrics.cache_size <= entries, || {
            format!("{} results kept where {entries} may", metrics.cache_size)
        });
        self.check(metrics.cache_bytes <= bytes, || format!("{} bytes kept where {bytes} may", metrics.cache_bytes));
        let outlives = self.bounds.cancelled.take().filter(|slot| self.open.contains_key(slot));
        self.check(outlives.is_none(), || format!("{outlives:?} is open after it was cancelled"));
        (self.bounds.waiting, self.bounds.newcomer) = (now, false);
    }

    /// The client lets go of an exchange.
    pub(super) fn silence(&mut self, id: ExchangeId) {
        let mine = |record: &&mut Record| record.place == Some(Place::Exchange(id)) && record.end.is_none();
        for record in self.records.iter_mut().filter(mine) {
            (record.place, record.silenced) = (None, true);
        }
        self.leave(Place::Exchange(id));
    }

    /// At once: by closing the stream, and wherever that is no cancellation by saying so (P36).
    pub(super) fn given_up(&mut self, record: &Record, code: Code) {
        if !matches!(code, Code::Aborted | Code::RequestTimeout) {
            return;
        }
        let slot = record.slot;
        let same = self.state == Some(State::Ready) && record.epoch == self.epoch;
        let told = record.told || !(same && self.era == Some(Era::Legacy));
        let well = match record.place {
            Some(Place::Link(link)) => record.told || self.links.get(&link) != Some(&true),
            Some(Place::Exchange(id)) => self.exchanges.get(&id) != Some(&true),
            Some(Place::Stream) => true,
            None => !record.silenced || told,
        };
        self.check(well, || format!("{slot:?} is given up ({code:?}), and the server is not told: {record:?}"));
    }
}

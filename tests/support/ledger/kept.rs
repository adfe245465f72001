//! What is shown out of what was kept: never another user's private result (I10), and a stale one at most once and only to who may have it.

use bowline_core::{CacheMode, CallId};

use super::{Ledger, Record};
use crate::Doc;

impl Ledger {
    /// A result reaches a caller.
    pub(super) fn show(&mut self, record: &Record, payload: Option<Doc>, kept: bool) {
        let (slot, owner) = (record.slot, record.request.params.map(|params| params.owner));
        let Some(payload) = payload else { return };
        let own = Some(payload.owner) == owner;
        self.shared += u64::from(!own);
        self.check(own || payload.public, || {
            format!("{slot:?} of user {owner:?} is shown what is private: {payload:?}")
        });
        let mode = record.request.cache_mode;
        self.check(!kept || mode != CacheMode::Refresh, || {
            format!("{slot:?} wants a fresh result and gets a kept one")
        });
    }

    /// A stale result reaches a caller whose call goes on, or fails.
    pub(super) fn serve(&mut self, slot: CallId, payload: &Doc) {
        self.stale += 1;
        let Some(record) = self.of(slot).cloned() else {
            return self.check(false, || format!("{slot:?} is given a stale result without being open"));
        };
        self.show(&record, Some(*payload), true);
        let asked = record.request.params.map(|params| params.key);
        let fits = record.request.key.is_some() && asked == Some(payload.key);
        self.check(fits && !record.served, || format!("{slot:?} asked {asked:?} and is given {payload:?}"));
        if let Some(record) = self.of_mut(slot) {
            record.served = true;
        }
    }
}

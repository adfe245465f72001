//! What the outsider notes of messages: what the client says, and what it hears.

use bowline_core::{Incoming, Instant, Kind, ListenPhase, Method, Outgoing};

use super::{Ledger, Place, Record};
use crate::Doc;

impl Ledger {
    pub(super) fn write(&mut self, now: Instant, place: Place, message: &Outgoing<Doc>) {
        let id = match message {
            Outgoing::Request { id, .. }
            | Outgoing::Discover(id)
            | Outgoing::Initialize(id, _)
            | Outgoing::Ping(id)
            | Outgoing::Listen(id, _) => Some(*id),
            _ => None,
        };
        if let Some(id) = id {
            let fresh = self.ids.insert(id);
            self.check(fresh, || format!("{id:?} is used twice"));
        }
        match message {
            Outgoing::Request { id, params, .. } => {
                let known = self.of(id.slot()).filter(|record| record.request.params == Some(*params)).is_some();
                self.check(known, || format!("{message:?} belongs to no open call"));
                let (max_replays, epoch) = (self.bounds.max_replays, self.epoch);
                if let Some(record) = self.of_mut(id.slot()) {
                    (record.silenced, record.told, record.epoch) = (false, false, epoch);
                    record.writes += 1;
                    (record.place, record.last, record.heard) = (Some(place), Some(*id), now);
                    let replays = usize::from(record.request.replays.unwrap_or(max_replays).max(2));
                    let (most, resent) = ((1 + replays) * (1 + record.given) + record.unsent, record.writes);
                    self.check(resent <= most, || format!("{id:?} is sending {resent} of {most}"));
                }
                let beside = |other: &&Record| match (place, other.place) {
                    (Place::Link(here), Some(Place::Link(there))) => here == there,
                    (Place::Exchange(_), Some(Place::Exchange(_))) => true,
                    _ => false,
                };
                let flying = self.open_records().filter(beside).count();
                let room = if matches!(place, Place::Link(_)) { self.room.0 } else { self.room.1 };
                self.check(flying <= room, || format!("{flying} calls in flight where {room} have room"));
            }
            Outgoing::Listen(id, filter) => {
                let wanted = self.wanted;
                self.check(wanted == Some(*filter), || format!("{filter:?} is listened to instead of {wanted:?}"));
                self.listens.insert(*id, place);
                let open = self.listens.len();
                self.check(open <= 2, || format!("{open} listens at once"));
            }
            Outgoing::Cancelled(id) => {
                self.listens.remove(id);
                if let Some(record) = self.of_mut(id.slot()).filter(|record| record.last == Some(*id)) {
                    record.told = true;
                }
            }
            Outgoing::Notification { params, .. } => {
                let mine = |record: &Record| {
                    record.request.kind == Kind::Notification && record.request.params == Some(*params)
                };
                let slot = self.open_records().find(|record| mine(record)).map(|record| record.slot);
                if let (Some(slot), Place::Exchange(_)) = (slot, place) {
                    if let Some(record) = self.of_mut(slot) {
                        record.place = Some(place);
                        record.heard = now;
                    }
                }
            }
            _ => {}
        }
    }

    /// Progress restarts a clock, a refusal frees a place.
    pub(super) fn hear(&mut self, now: Instant, message: &Incoming<Doc>) {
        match message {
            Incoming::Notification { method: Method::PROGRESS, token: Some(token), .. } => {
                if let Some(record) = self.of_mut(token.slot()).filter(|record| record.last == Some(*token)) {
                    if record.request.progress_resets_timeout {
                        record.heard = now;
                    }
                }
            }
            Incoming::Notification { method: Method::CANCELLED, token: Some(id), .. } => {
                self.listens.remove(id);
            }
            Incoming::Result { id, .. } | Incoming::TooLarge(id) => {
                self.listens.remove(id);
            }
            Incoming::Error { id: Some(id), code, .. } => {
                if *code != -32000 {
                    self.listens.remove(id);
                }
                if !matches!(code, -32000 | -32022) {
                    return;
                }
                if let Some(record) = self.of_mut(id.slot()).filter(|record| record.last == Some(*id)) {
                    record.place = None;
                }
            }
            _ => {}
        }
    }

    pub(super) fn listen(&mut self, phase: ListenPhase) {
        let (wanted, last) = (self.wanted, self.phase.replace(phase));
        match phase {
            ListenPhase::Acknowledged => {
                self.acknowledged += 1;
                self.check(wanted.is_some(), || "the server listens to what nobody wants".to_owned());
            }
            ListenPhase::Lost | ListenPhase::Ended => {
                self.check(last == Some(ListenPhase::Acknowledged), || format!("{phase:?} after {last:?}"));
            }
            ListenPhase::Unsupported => {
                self.check(last != Some(ListenPhase::Acknowledged), || format!("{phase:?} after {last:?}"));
            }
        }
    }
}

//! The standing listen between the application, the link and the cache. What it is asked for and when is `link/listen`'s.

use super::{Concern, Engine, Method, Payload};
use crate::ids::RequestId;
use crate::wire::Era;

impl<P: Payload> Engine<P> {
    pub(super) fn on_listen(&mut self, filter: Option<P>) {
        let wanted = filter.is_some();
        self.on_concern(Concern::Want(filter));
        if wanted {
            self.with(|connection, cx| connection.wake(false, cx));
        }
        self.flush();
    }

    /// Takes out what concerns the listen itself; gives back what is news. What claims to belong to a stream that is not there is
    /// dropped: its filter is not wanted any more (P49).
    pub(super) fn on_subscription(&mut self, method: Method, token: Option<RequestId>, payload: P) -> Option<P> {
        // In a legacy era a cancellation is about one of the server's own requests.
        let modern = self.connection.up().is_some_and(|up| up.version.era() == Era::Modern);
        let Some(id) = token.filter(|_| modern) else {
            return Some(payload);
        };
        if !self.listen.has(id) {
            self.metrics.violations += 1;
            return None;
        }
        self.on_concern(match method {
            Method::ACKNOWLEDGED => Concern::Acknowledged(id, payload),
            Method::CANCELLED => Concern::Cancelled(id),
            _ => return Some(payload),
        });
        None
    }

    /// Hands to the listen what concerns it. What changed while nobody heard may be in the cache.
    pub(super) fn on_concern(&mut self, concern: Concern<P>) {
        let mut listen = core::mem::take(&mut self.listen);
        let missed = self.with(|connection, cx| listen.on(concern, connection.up(), cx));
        self.listen = listen;
        if missed {
            self.on_gap();
        }
    }
}

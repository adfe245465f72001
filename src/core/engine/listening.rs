//! The standing listen between the application, the link and the cache. What it is asked for and when is `link/listen`'s.

use super::{Engine, Listen, Method, Payload};
use crate::ids::RequestId;
use crate::link::{Context, Link};
use crate::wire::Era;

impl<P: Payload> Engine<P> {
    pub(super) fn on_listen(&mut self, filter: Option<P>) {
        let wanted = filter.is_some();
        self.with_listen(|listen, up, cx| listen.want(filter, up, cx));
        if wanted && self.connection.up().is_none() {
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
        match method {
            Method::ACKNOWLEDGED => {
                if self.with_listen(|listen, up, cx| listen.on_acknowledged(id, payload, up, cx)) {
                    self.invalidate(&Method::WATCHED);
                }
                None
            }
            Method::CANCELLED => {
                self.with_listen(|listen, up, cx| listen.on_cancelled(id, up, cx));
                None
            }
            _ => Some(payload),
        }
    }

    /// Runs `work` on the listen with the working link and everything else it needs of the engine.
    pub(super) fn with_listen<R>(
        &mut self,
        work: impl FnOnce(&mut Listen<P>, Option<&Link<P>>, &mut Context<'_, P>) -> R,
    ) -> R {
        let mut listen = core::mem::take(&mut self.listen);
        let done = self.with(|connection, cx| work(&mut listen, connection.up(), cx));
        self.listen = listen;
        done
    }
}

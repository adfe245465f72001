//! The way back from HTTP to the WebSocket that was wanted (resilience rules, section 1): dialled again beside the working link when the
//! verdict on it expires, and taken once it has answered. Running exchanges end by themselves; nothing is interrupted.

use super::connection::Connection;
use super::{Context, Link};
use crate::config::Upgrade;
use crate::io::Output;
use crate::time::{Duration, Instant};
use crate::wire::Payload;

impl<P: Payload> Connection<P> {
    /// A link became ready: when a better one is looked for beside it.
    pub(super) fn plan_upgrade(&mut self, cx: &mut Context<'_, P>) {
        // Beside a WebSocket that is on trial already, nothing is known yet.
        let falls_back = self.up().is_some_and(Link::gives_way) && self.websocket().is_none();
        let wanted = cx.config.websocket && cx.config.upgrade == Upgrade::Background;
        self.upgrade_at = (falls_back && wanted).then(|| {
            let pause = cx.config.reconnect.suspended_interval.max(Duration::from_millis(1_000));
            self.no_websocket_until.max(cx.now + pause)
        });
        if falls_back && cx.config.upgrade == Upgrade::Never {
            self.no_websocket_until = Instant::NEVER;
        }
    }

    /// When it is looked for; a page that nobody sees can wait.
    pub(super) fn next_upgrade(&self) -> Instant {
        self.upgrade_at.filter(|_| !self.presence.hidden).unwrap_or(Instant::NEVER)
    }

    /// Time passed on a working link.
    pub(super) fn on_upgrade(&mut self, cx: &mut Context<'_, P>) {
        if self.next_upgrade() <= cx.now {
            self.upgrade_at = None;
            self.dial(cx);
        }
    }
    /// HTTP works where the WebSocket does not: a verdict worth remembering.
    pub(super) fn blame_websocket(&mut self, cx: &mut Context<'_, P>) {
        self.no_websocket_until = cx.now + cx.config.remember_fallback;
        cx.out.push_back(Output::RememberFallback(cx.config.remember_fallback));
    }
}

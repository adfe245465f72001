//! Answers over HTTP that do not come, or that stop coming: limits for the head of an answer and for the silence within its stream. Both are
//! options. What is found so is a network that failed; what follows from that is `answers`'.

use super::{Engine, Exchange, ExchangeEvent, Output, Payload, Purpose};
use crate::io::Reach;
use crate::time::{Duration, Instant};

impl<P: Payload> Engine<P> {
    fn silent_at(&self, exchange: &Exchange) -> Option<Instant> {
        let patience = if exchange.is_headless() { self.config.headers_timeout } else { self.config.call_idle };
        let waits =
            exchange.drain_until.is_none() && matches!(exchange.purpose, Purpose::Call(..) | Purpose::Resume(..));
        (patience > Duration::ZERO && waits).then(|| exchange.heard + patience)
    }

    /// When the first of them has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        self.exchanges.iter().filter_map(|exchange| self.silent_at(exchange)).min()
    }

    /// Ends those that have been.
    pub(super) fn on_silence(&mut self) {
        let over = |engine: &Self| {
            let is_over = |exchange: &&Exchange| engine.silent_at(exchange).is_some_and(|at| at <= engine.now);
            engine.exchanges.iter().find(is_over).map(|exchange| exchange.id)
        };
        while let Some(id) = over(self) {
            self.out.push_back(Output::Abort(id));
            self.on_exchange(id, ExchangeEvent::Failed(Reach::Unknown));
        }
    }
}

//! Answers over HTTP that do not come, or that stop coming: limits for the head of an answer and for the silence within its stream, both of
//! them options, and before the second the news that there is one. What is found so is a network that failed; what follows from that is
//! `answers`'.

use super::{Engine, Event, Exchange, ExchangeEvent, Output, Payload};
use crate::io::Reach;
use crate::time::{Duration, Instant};

/// How long a stream may say nothing before that is told. Servers keep slow answers alive with comments, and a listen is acknowledged at
/// once: a proxy may keep the stream back. Or the tool is slow and its server says nothing meanwhile, so it is no error.
const STALL: Duration = Duration::from_millis(10_000);

impl<P: Payload> Engine<P> {
    /// When silence has a consequence next: it is told of, or ends the exchange.
    fn silent_at(&self, exchange: &Exchange) -> Option<Instant> {
        let limit = if exchange.is_headless() { self.config.headers_timeout } else { self.config.call_idle };
        let limited = limit > Duration::ZERO && exchange.call().is_some();
        let patience = match (exchange.is_to_tell(), limited) {
            _ if exchange.drain_until.is_some() => return None,
            (true, true) => STALL.min(limit.mul_f64(0.5)),
            (true, false) => STALL,
            (false, true) => limit,
            (false, false) => return None,
        };
        Some(exchange.heard + patience)
    }

    /// When the first of them has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        self.exchanges.iter().filter_map(|exchange| self.silent_at(exchange)).min()
    }

    /// Tells of those that have been, or ends them.
    pub(super) fn on_silence(&mut self) {
        let due = |engine: &Self| {
            let is_due = |exchange: &Exchange| engine.silent_at(exchange).is_some_and(|at| at <= engine.now);
            engine.exchanges.iter().position(is_due)
        };
        while let Some(exchange) = due(self).and_then(|place| self.exchanges.get_mut(place)) {
            if exchange.is_to_tell() {
                exchange.stalled = true;
                let stalled = Event::Stalled(exchange.call(), self.now.since(exchange.heard), exchange.flows);
                self.out.push_back(Output::Event(stalled));
            } else {
                let id = exchange.id;
                self.out.push_back(Output::Abort(id));
                self.on_exchange(id, ExchangeEvent::Failed(Reach::Unknown));
            }
        }
    }
}

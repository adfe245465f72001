//! Answers over HTTP that do not come, or that stop coming: limits for the head of an answer and for the silence within its stream, both of
//! them options, and before the second the news that there is one. What is found so is a network that failed; what follows from that is
//! `answers`'.

use super::{Engine, Event, Exchange, ExchangeEvent, Output, Payload};
use crate::io::Reach;

impl<P: Payload> Engine<P> {
    /// Tells of those that have been silent for too long, or ends them.
    pub(super) fn on_silence(&mut self) {
        let due = |engine: &Self| {
            let is_due = |exchange: &Exchange| exchange.silent_at(&engine.config).is_some_and(|at| at <= engine.now);
            engine.exchanges.iter().position(|exchange| is_due(exchange))
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

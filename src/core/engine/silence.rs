//! Answers over HTTP that do not come, or that stop coming: limits for the head of an answer and for the silence within its stream, both of
//! them options, and before the second the news that there is one. What is found so is a network that failed; what follows from that is
//! `answers`'.

use super::{Engine, Event, Exchange, ExchangeEvent, Output, Payload, Purpose};
use crate::io::Reach;
use crate::time::{Duration, Instant};

/// How long a stream may say nothing before that is told. Servers keep slow answers alive with comments, and a listen is acknowledged at
/// once: a proxy may keep the stream back. Or the tool is slow and its server says nothing meanwhile, so it is no error.
const STALL: Duration = Duration::from_millis(10_000);

impl<P: Payload> Engine<P> {
    /// When silence has a consequence next, and whether that is only to tell of it.
    fn silent_at(&self, exchange: &Exchange) -> Option<(Instant, bool)> {
        let limit = if exchange.is_headless() { self.config.headers_timeout } else { self.config.call_idle };
        let limited = limit > Duration::ZERO;
        let (ends, tells) = match exchange.purpose {
            _ if exchange.drain_until.is_some() => (false, false),
            Purpose::Call(..) | Purpose::Resume(..) => (limited, true),
            // What comes after its acknowledgment comes whenever something happens.
            Purpose::Listen(_) => (false, !exchange.flows),
            _ => (false, false),
        };
        if tells && exchange.is_streamed() && !exchange.stalled {
            let patience = if ends { STALL.min(limit.mul_f64(0.5)) } else { STALL };
            return Some((exchange.heard + patience, true));
        }
        ends.then(|| (exchange.heard + limit, false))
    }

    /// When the first of them has been silent for too long.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        self.exchanges.iter().filter_map(|exchange| self.silent_at(exchange)).map(|(at, _)| at).min()
    }

    /// Tells of those that have been, or ends them.
    pub(super) fn on_silence(&mut self) {
        let due = |engine: &Self| {
            engine.exchanges.iter().enumerate().find_map(|(place, exchange)| {
                let (at, tells) = engine.silent_at(exchange)?;
                (at <= engine.now).then_some((place, exchange.id, tells))
            })
        };
        while let Some((place, id, tells)) = due(self) {
            match self.exchanges.get_mut(place) {
                Some(exchange) if tells => {
                    exchange.stalled = true;
                    let call = match exchange.purpose {
                        Purpose::Call(call, _) | Purpose::Resume(call, _) => Some(call),
                        _ => None,
                    };
                    let (span, flows) = (self.now.since(exchange.heard), exchange.flows);
                    self.out.push_back(Output::Event(Event::Stalled(call, span, flows)));
                }
                _ => {
                    self.out.push_back(Output::Abort(id));
                    self.on_exchange(id, ExchangeEvent::Failed(Reach::Unknown));
                }
            }
        }
    }
}

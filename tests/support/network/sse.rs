//! The network's HTTP+SSE (protocol P83): one GET stream per client, POSTs to the address that was named on it, answers on the stream.

use bowline_core::{Content, ExchangeEvent, ExchangeId, Plan, Verb};

use super::{id_of, tool_argument, worded, Network};
use crate::{ms, Doc, Fate, Reply};

impl Network {
    pub(super) fn over_sse(&mut self, id: ExchangeId, plan: &Plan<Doc>) {
        match (plan.verb, plan.endpoint) {
            (Verb::Get, _) => {
                self.streams.insert(id, crate::Channel::default());
                self.head(id, 200, Content::EventStream, None, None);
                self.brings(id, 30, ExchangeEvent::Endpoint(Some(Doc::of(id.0))));
            }
            (Verb::Post, Some(address)) => self.posted(id, ExchangeId(address.key), plan),
            _ => self.status(id, 405, None),
        }
    }

    fn posted(&mut self, id: ExchangeId, stream: ExchangeId, plan: &Plan<Doc>) {
        let (Some(message), Some(mut channel)) = (&plan.message, self.streams.get(&stream).copied()) else {
            self.refused.extend(plan.message.as_ref().and_then(tool_argument));
            return self.status(id, 404, None);
        };
        let fate = self.faults.fate(&mut self.rng);
        match fate {
            Fate::CutBefore => return self.fails(id),
            Fate::Restart => return self.restart(self.now),
            Fate::TooMany => return self.refuse(id, message, 429, Some(ms(500))),
            Fate::Forbidden => return self.refuse(id, message, 403, None),
            Fate::HalfOpen | Fate::Deaf => return,
            _ => {}
        }
        let reply = self.server.take(message, None, &mut channel);
        self.streams.insert(stream, channel);
        match fate {
            Fate::CutAfter => return self.fails(id),
            Fate::CutMidway => return self.fails(stream),
            Fate::EndedEarly => return self.brings(stream, 30, ExchangeEvent::Ended),
            Fate::ServerError => return self.status(id, 500, None),
            _ => self.status(id, 202, None),
        }
        let answer = id_of(message).filter(|_| reply != Reply::Accepted).and_then(|request| worded(request, reply));
        if let Some(answer) =
            answer.filter(|_| !matches!(fate, Fate::Silence | Fate::Mute) && self.exchanges.contains_key(&stream))
        {
            self.brings(stream, 60, ExchangeEvent::Message(answer));
        }
    }
}

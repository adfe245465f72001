//! What goes over a link: a link's facts, fresh ids, the writing of a message as a frame or as an exchange, and what is told upwards. No
//! decisions.

use std::collections::VecDeque;

use super::{Channel, Exchange, Exchanges, Handshake, Purpose, Transport};
use crate::config::Config;
use crate::error::Error;
use crate::ids::{ExchangeId, LinkId, RequestId};
use crate::io::Output;
use crate::rng::Rng;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Outgoing, Plan, Verb, Version};

/// How long an exchange that nobody waits for may stay unanswered: it holds one of the browser's few connections.
const UNHEARD: Duration = Duration::from_millis(10_000);

/// What the connection shares with the engine while it works.
pub(crate) struct Context<'a, P> {
    pub(crate) now: Instant,
    pub(crate) config: &'a Config,
    pub(crate) rng: &'a mut Rng,
    pub(crate) ids: &'a mut Ids,
    pub(crate) exchanges: &'a mut Exchanges,
    pub(crate) next_due: &'a mut Instant,
    pub(crate) out: &'a mut VecDeque<Output<P>>,
}

/// What the engine must act upon.
#[derive(Debug)]
pub(crate) enum Change<P> {
    /// Nothing.
    None,
    /// A link is ready: calls may flow.
    Ready,
    /// The working link is gone: decide the calls on it.
    Lost(LinkId, Error<P>),
    /// The attempt brought nothing.
    Failed(Error<P>),
}

/// Where fresh ids come from.
#[derive(Debug, Default)]
pub(crate) struct Ids {
    pub(crate) sequence: u64,
    pub(super) exchange: u32,
    pub(super) link: u32,
}

/// One link, working or on trial.
#[derive(Debug)]
pub(crate) struct Link<P> {
    pub(crate) id: LinkId,
    pub(crate) transport: Transport,
    pub(crate) version: Version,
    pub(crate) session: Option<P>,
    pub(super) channel: Channel<P>,
    pub(super) handshake: Handshake,
    /// What the WebSocket was last dialled with, and whether that was in another form than the first time.
    pub(super) subprotocols: bool,
    pub(super) redialled: bool,
    /// For a WebSocket on trial: when the trial ends, and when to stop waiting for `server/discover` (P34).
    pub(super) probe_until: Instant,
    pub(super) discover_until: Instant,
}

impl<P: Clone> Link<P> {
    /// An HTTP exchange as this link's messages travel.
    pub(crate) fn plan(&self, verb: Verb, message: Option<Outgoing<P>>) -> Plan<P> {
        let endpoint = self.endpoint().cloned();
        // The header is younger than HTTP+SSE, whose servers need not let it through a preflight.
        let version = endpoint.is_none().then_some(self.version);
        Plan { verb, message, version, session: self.session.clone(), resume: None, endpoint }
    }

    /// Where messages go, on HTTP+SSE.
    pub(crate) fn endpoint(&self) -> Option<&P> {
        match &self.channel {
            Channel::Open(endpoint) => Some(endpoint),
            _ => None,
        }
    }

    /// Whether another link may take over: answers of HTTP+SSE come on the link itself, which could not go before they have.
    pub(super) fn gives_way(&self) -> bool {
        self.transport == Transport::Http && self.endpoint().is_none()
    }

    /// Whether it speaks legacy Streamable HTTP, whose streams can be taken up again.
    pub(crate) fn is_resumable(&self) -> bool {
        self.version.era() == Era::Legacy && self.gives_way()
    }
}

impl<P: Clone> Context<'_, P> {
    /// Writes a message on a link, as a frame or as an exchange of its own, which is returned if its answer comes there.
    pub(crate) fn write(&mut self, link: &Link<P>, purpose: Purpose, message: Outgoing<P>) -> Option<ExchangeId> {
        match link.transport {
            Transport::WebSocket => {
                self.send(link.id, message, link.version);
                None
            }
            Transport::Http => {
                let plan = link.plan(Verb::Post, Some(message));
                match purpose {
                    Purpose::Call(_, id) | Purpose::Handshake(id) if plan.endpoint.is_some() => {
                        self.fetch(link.id, Purpose::Carry(id), plan);
                        None
                    }
                    _ => Some(self.fetch(link.id, purpose, plan)),
                }
            }
        }
    }

    /// Aborts an exchange and forgets it.
    pub(crate) fn abort(&mut self, id: ExchangeId) {
        if let Ok(at) = self.exchanges.binary_search_by_key(&id, |exchange| exchange.id) {
            self.exchanges.remove(at);
        }
        self.out.push_back(Output::Abort(id));
    }

    pub(super) fn send(&mut self, link: LinkId, message: Outgoing<P>, version: Version) {
        self.out.push_back(Output::Send { link, message, version });
    }

    pub(crate) fn fetch(&mut self, link: LinkId, purpose: Purpose, plan: Plan<P>) -> ExchangeId {
        self.ids.exchange += 1;
        let id = ExchangeId(self.ids.exchange);
        let mut exchange = Exchange::new(id, link, purpose, self.now);
        if purpose.is_unheard() {
            // A request may be long, and so may its way to the server; and it may be of a call that has more time than most.
            let patience = if let Purpose::Carry(_) = purpose { self.config.timeout.max(UNHEARD) } else { UNHEARD };
            exchange.drain_until = Some(self.now + patience);
        }
        *self.next_due = exchange.due_at(self.config).min(*self.next_due);
        self.exchanges.push(Box::new(exchange));
        self.out.push_back(Output::Fetch(id, plan));
        id
    }

    /// Takes a link down. Of an HTTP link only its own exchanges go: the calls on it live or die by themselves.
    pub(super) fn hangup(&mut self, link: LinkId, transport: Transport) {
        if transport == Transport::WebSocket {
            self.out.push_back(Output::Hangup(link));
        }
        let own = |exchange: &Exchange| {
            let purpose = exchange.purpose;
            let is_own =
                matches!(purpose, Purpose::Handshake(_) | Purpose::Standing | Purpose::Channel | Purpose::Probe);
            exchange.link == link && is_own
        };
        while let Some(id) = self.exchanges.iter().find(|exchange| own(exchange)).map(|exchange| exchange.id) {
            self.abort(id);
        }
    }
}

impl Ids {
    /// A fresh id for a request that belongs to no call.
    pub(crate) fn request(&mut self) -> RequestId {
        self.sequence += 1;
        RequestId::internal(self.sequence)
    }
}

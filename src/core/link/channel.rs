//! HTTP+SSE, the transport of 2024-11-05 (P30, P83): one GET stream is the connection, and the server names on it where messages are to
//! be POSTed. Once that is known the link works as a socket does; everything else about it is the connection's.

use super::connection::Connection;
use super::{refused, Answer, Change, Context, Handshake, Link, Next, Purpose, Transport};
use crate::error::{Code, Detail, Error};
use crate::ids::LinkId;
use crate::wire::{Era, Payload, Verb};

/// How far a link has come with this transport.
#[derive(Debug)]
pub(crate) enum Channel<P> {
    /// It is another transport, as far as anybody knows.
    None,
    /// The stream was asked for after `initialize` had been refused with this.
    Asked(Error<P>),
    /// Messages go there.
    Open(P),
}

impl<P: Payload> Link<P> {
    /// The refusal in this answer to `initialize`, when the server may be one of 2024-11-05.
    pub(super) fn tries_channel(&self, answer: &Answer<P>) -> Option<Error<P>> {
        let fresh = matches!(self.channel, Channel::None) && self.transport == Transport::Http;
        if !fresh || self.handshake.is_discovering() {
            return None;
        }
        match answer {
            Answer::Status(status @ (400 | 404 | 405), wait) => Some(refused(*status, *wait)),
            // Only a newer server speaks of itself in these codes.
            Answer::Error { code: -32022..=-32020, .. } => None,
            Answer::Error { status: 400 | 404 | 405, code, payload } => {
                Some(Error::new(Code::RpcError, Detail::Rpc(*code, payload.clone())))
            }
            _ => None,
        }
    }
}

impl<P: Payload> Connection<P> {
    /// Asks for the stream at the address that refused `initialize`.
    pub(super) fn open_channel(&mut self, link: LinkId, refusal: Error<P>, cx: &mut Context<'_, P>) -> Change<P> {
        if let Some(at) = self.links.iter_mut().find(|other| other.id == link) {
            at.channel = Channel::Asked(refusal);
            let plan = crate::wire::Plan { version: None, ..at.plan(Verb::Get, None) };
            cx.fetch(link, Purpose::Channel, plan);
        }
        Change::None
    }

    /// The server names the address for messages: `initialize` again, there.
    pub(crate) fn on_endpoint(&mut self, link: LinkId, address: Option<P>, cx: &mut Context<'_, P>) -> Change<P> {
        let at = self.links.iter_mut().find(|other| other.id == link);
        // Only the first one counts.
        let Some(at) = at.filter(|at| matches!(at.channel, Channel::Asked(_))) else {
            return Change::None;
        };
        let Some(address) = address else {
            // Calls, and the credentials with them, go to the origin that the application named, and to no other.
            let error = Error::new(Code::ParseError, Detail::Note("endpoint"));
            return self.on_next(link, Next::Fail(error), cx);
        };
        at.channel = Channel::Open(address);
        let (handshake, question) = Handshake::begin(cx.config.versions, Some(Era::Legacy), cx.ids);
        at.handshake = handshake;
        self.ask(link, question, cx);
        Change::None
    }

    /// The stream is over: the link is lost, or there never was such a transport.
    pub(crate) fn on_channel_end(&mut self, link: LinkId, cx: &mut Context<'_, P>) -> Change<P> {
        // Neither is it of 2024-11-05. What is left is that it was legacy once, and is not any more.
        let next = self.links.iter_mut().find(|other| other.id == link).and_then(|at| match &at.channel {
            Channel::Asked(refusal) => Some(at.handshake.fall_back(refusal.clone(), cx.ids)),
            _ => None,
        });
        match next {
            Some(next) => self.on_next(link, next, cx),
            None => self.on_down(link, Error::new(Code::ConnectionClosed, Detail::None), cx),
        }
    }
}

//! What the end of a WebSocket says: a close code that is final, one after which trying again helps, and a handshake that failed, of which
//! a browser tells nothing: HTTP is asked at the same address instead, once and only where it is not asked anyway (P90). What follows from
//! the error is the connection's.

use super::connection::{Connection, Phase};
use super::{refused, unreached, Answer, Change, Context, Purpose};
use crate::error::{Code, Detail, Error};
use crate::ids::LinkId;
use crate::io::{Output, Reach};
use crate::wire::{Payload, Plan, Verb};

/// There was no closing handshake.
const ABNORMAL: u16 = 1006;
/// One attempt in so many, where it is known which form of the handshake the server takes, tries the other one too.
const OTHER_FORM: u32 = 3;

impl<P: Payload> Connection<P> {
    /// A WebSocket closed.
    pub(crate) fn on_closed(&mut self, link: LinkId, code: u16, cx: &mut Context<'_, P>) -> Change<P> {
        let works = matches!(self.phase, Phase::Up { link: up, .. } if up == link);
        let is_first = !cx.config.http && !self.was_ready() && !self.presence.offline;
        let Some(at) = self.links.iter_mut().find(|other| other.id == link) else {
            return Change::None;
        };
        let unopened = at.handshake.awaits().is_none() && !works;
        // Where one form opened before, the other is tried now and then only: a server that restarts is not asked twice by each client.
        if unopened && !at.redialled && (self.offered.is_none() || self.attempt % OTHER_FORM == OTHER_FORM - 1) {
            // Some servers refuse the handshake when a subprotocol is offered that they do not know.
            at.redialled = true;
            at.subprotocols = !at.subprotocols;
            cx.out.push_back(Output::Dial { link, subprotocols: at.subprotocols });
            return Change::None;
        }
        if unopened && is_first {
            if cx.exchanges.iter().any(|other| other.link == link && other.purpose == Purpose::Probe) {
                return Change::None;
            }
            let bare = Plan { version: None, ..at.plan(Verb::Probe, None) };
            cx.fetch(link, Purpose::Probe, bare);
            return Change::None;
        }
        self.on_down(link, closed(code, unopened), cx)
    }

    /// What HTTP answers where the WebSocket's handshake failed.
    pub(crate) fn on_probe(&mut self, link: LinkId, answer: Answer<P>, cx: &mut Context<'_, P>) -> Change<P> {
        let error = match answer {
            Answer::Status(status @ (0 | 401 | 403), wait) => refused(status, wait),
            Answer::Status(status @ (404 | 405 | 500..), wait) => {
                Error::new(Code::ConnectFailed, Detail::Http(status, wait))
            }
            Answer::Bad(error) => error,
            Answer::Unreached(reach @ (Reach::Down | Reach::Policy | Reach::Local)) => unreached(reach),
            // Somebody is there and speaks HTTP, or it cannot be told.
            _ => closed(ABNORMAL, true),
        };
        self.on_down(link, error, cx)
    }
}

/// What a close code means: 44xx are HTTP's 4xx, as many servers use them.
fn closed<P>(code: u16, unopened: bool) -> Error<P> {
    let class = match code {
        4401 => Code::AuthRequired,
        4403 => Code::Forbidden,
        4429 => Code::RateLimited,
        _ if unopened => Code::ConnectFailed,
        _ => Code::ConnectionClosed,
    };
    Error::new(class, Detail::Close(code))
}

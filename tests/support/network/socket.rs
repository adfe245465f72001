//! The network's WebSockets: dials, frames in their order, and the ways in which sockets die.

use bowline_core::{
    Era, Hint, Incoming, Input, LinkEvent, LinkId, Malformed, Method, Outgoing, RequestId, ResultKind, Version,
};

use super::{id_of, is_refusal, progress_of, tool_argument, worded, Happening, Network, Socket, DOWN, UP};
use crate::{about, ms, result, Channel, Doc, Fate, Reply};

impl Network {
    pub(super) fn dial(&mut self, link: LinkId, subprotocols: bool) {
        let rng = &mut self.rng;
        let faults = &self.faults;
        let refused = !self.server.shape.websocket
            || self.now < self.down_until
            || (subprotocols && self.server.shape.no_subprotocols)
            || rng.unit() < faults.refused;
        let lost = self.now < self.lost_until;
        let (unanswered, mute) = (lost || rng.unit() < faults.unanswered, rng.unit() < faults.mute);
        let unauthorized = rng.unit() < faults.unauthorized;
        let when = self.soon(60).max(self.held[UP]).max(self.held[DOWN]);
        let open = !refused && !unanswered;
        let socket = Socket { open, dead_up: mute, dead_down: mute, down: when, up: when, ..Socket::default() };
        self.sockets.insert(link, socket);
        let event = match (refused, unanswered, unauthorized) {
            (true, ..) => LinkEvent::Closed(1006),
            (_, true, _) => return,
            (_, _, true) => LinkEvent::Closed(4401),
            _ => LinkEvent::Opened,
        };
        self.agenda.at(when, Happening::Client(Input::Link(link, event)));
    }

    pub(super) fn send(&mut self, link: LinkId, message: &Outgoing<Doc>, version: Version) {
        let failed = self.rng.unit() < self.faults.send_failed;
        let when = self.soon(30);
        let Some(socket) = self.sockets.get_mut(&link) else { return };
        if failed {
            let id = id_of(message);
            self.failed = Some(Input::Link(link, LinkEvent::SendFailed(id)));
            self.refused.extend(tool_argument(message));
            socket.die();
            return;
        }
        socket.up = socket.up.max(when).max(self.held[UP]);
        self.agenda.at(socket.up, Happening::Frame(link, message.clone(), version));
    }

    pub(super) fn frame(&mut self, link: LinkId, message: &Outgoing<Doc>, version: Version) {
        let Some(socket) = self.sockets.get(&link) else { return };
        if socket.dead_up || !socket.open {
            return;
        }
        let id = id_of(message);
        let fate = if id.is_some() { self.faults.fate(&mut self.rng) } else { Fate::Well };
        match fate {
            Fate::CutBefore => return self.cut(link, 1006),
            Fate::HalfOpen => return self.half_open(link, true),
            Fate::Deaf => return self.half_open(link, false),
            Fate::Restart => return self.restart(self.now),
            _ => {}
        }
        let mut channel = self.sockets.get(&link).map_or_else(Channel::default, |socket| socket.channel);
        let strange = fate == Fate::StrangeVersion && version.era() == Era::Modern;
        let reply = match fate {
            Fate::RefusedByRpc => Reply::Accepted,
            _ if strange => Reply::Error(-32022, self.strange_versions(), 400),
            _ => self.server.take(message, Some(version), &mut channel),
        };
        self.refused.extend(tool_argument(message).filter(|_| is_refusal(&reply)));
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.channel = channel;
        }
        if let Outgoing::Cancelled(listen) = message {
            if let Some(socket) = self.sockets.get_mut(&link).filter(|socket| socket.listening == Some(*listen)) {
                socket.listening = None;
            }
        }
        let Some(id) = id else { return };
        self.asides(link, id, message);
        // An id that nobody uses: a server that answers one call with the words meant for another cannot be caught on a socket.
        let wrong = RequestId(id.0 + (1 << 45));
        let ahead = self.rng.below(60_000);
        match fate {
            Fate::CutAfter | Fate::CutMidway => return self.cut(link, 1006),
            Fate::EndedEarly => return self.cut(link, 1001),
            Fate::Silence => return,
            Fate::Mute => {
                if let Some(socket) = self.sockets.get_mut(&link) {
                    socket.dead_down = true;
                }
                return;
            }
            Fate::Garbage => return self.tell(link, 30, Incoming::Malformed(Malformed::Json)),
            Fate::Oversize => return self.tell(link, 30, Incoming::TooLarge(id)),
            Fate::NoId => {
                return self.tell(link, 30, Incoming::Error { id: None, code: -32603, payload: Doc::default() })
            }
            Fate::WrongId => return self.reply(link, wrong, reply, 30),
            Fate::WrongIdFirst => self.reply(link, wrong, reply, 10),
            Fate::RefusedByRpc => return self.answer(link, id, Reply::Error(-32602, Doc::default(), 400), ahead),
            Fate::FailedByRpc => return self.answer(link, id, Reply::Error(-32603, Doc::default(), 500), ahead),
            Fate::StrangeKind => {
                return self.answer(
                    link,
                    id,
                    Reply::Result(ResultKind::Unknown, Hint::default(), Doc::default()),
                    ahead,
                )
            }
            Fate::Twice => self.answer(link, id, reply, ahead),
            // A frame that is late does not hold up the others: this one was worked on for long.
            Fate::Late => return self.reply_at(link, id, reply, ahead),
            _ => {}
        }
        if let Reply::Listening(more) = reply {
            return self.listen_on(link, id, more);
        }
        self.reply(link, id, reply, 50);
    }

    fn listen_on(&mut self, link: LinkId, id: RequestId, more: bool) {
        self.tell(link, 30, about(id, Method::ACKNOWLEDGED));
        if !more {
            return self.tell(link, 10, result(id, Doc::default()));
        }
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.listening = Some(id);
        }
        if let Some((when, end)) = self.draw_end(id) {
            self.agenda.at(when, Happening::Client(Input::Link(link, LinkEvent::Message(end))));
        }
    }

    /// What a server says on a socket before it answers.
    fn asides(&mut self, link: LinkId, id: RequestId, message: &Outgoing<Doc>) {
        let (progress, asked, changed) = self.draw_asides();
        if progress && matches!(message, Outgoing::Request { progress: true, .. }) {
            self.tell(link, 20, progress_of(id));
        }
        if let Some(request) = asked {
            self.tell(link, 20, request);
        }
        if changed {
            self.announce();
        }
    }

    fn reply(&mut self, link: LinkId, id: RequestId, reply: Reply, within: u64) {
        if let Some(message) = worded(id, reply) {
            self.tell(link, within, message);
        }
    }

    /// Soon, or so late that its slot may be another call's by then.
    fn answer(&mut self, link: LinkId, id: RequestId, reply: Reply, ahead: u64) {
        if ahead.is_multiple_of(2) {
            self.reply(link, id, reply, 30);
        } else {
            self.reply_at(link, id, reply, ahead);
        }
    }

    fn reply_at(&mut self, link: LinkId, id: RequestId, reply: Reply, ahead: u64) {
        if let Some(message) = worded(id, reply) {
            let when = (self.now + ms(ahead)).max(self.held[DOWN]);
            self.agenda.at(when, Happening::Client(Input::Link(link, LinkEvent::Message(message))));
        }
    }

    /// Sends a frame to the client, behind those sent before.
    pub(super) fn tell(&mut self, link: LinkId, within: u64, message: Incoming<Doc>) {
        self.down(link, within, LinkEvent::Message(message));
    }

    fn down(&mut self, link: LinkId, within: u64, event: LinkEvent<Doc>) {
        let when = self.soon(within);
        let Some(socket) = self.sockets.get_mut(&link) else { return };
        if !socket.dead_down {
            socket.down = socket.down.max(when).max(self.held[DOWN]);
            self.agenda.at(socket.down, Happening::Client(Input::Link(link, event)));
        }
    }

    pub(super) fn cut(&mut self, link: LinkId, code: u16) {
        self.down(link, 30, LinkEvent::Closed(code));
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.die();
        }
    }

    fn half_open(&mut self, link: LinkId, both: bool) {
        if let Some(socket) = self.sockets.get_mut(&link) {
            (socket.dead_up, socket.dead_down) = (true, socket.dead_down || both);
        }
    }
}

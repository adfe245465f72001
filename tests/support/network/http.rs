//! The network's HTTP exchanges: each on its own, answered with a body, a stream, a status, or not at all.

use bowline_core::{
    Content, Duration, Era, ExchangeEvent, ExchangeId, Head, Hint, Incoming, Input, Instant, Malformed, Method,
    Outgoing, Plan, Reach, RequestId, ResultKind, Verb, Version,
};

use super::{id_of, is_refusal, progress_of, tool_argument, worded, Happening, Network, DOWN};
use crate::{about, ms, result, Channel, Doc, Fate, Reply, Style};

impl Network {
    pub(super) fn exchange(&mut self, id: ExchangeId, plan: &Plan<Doc>) {
        // An abort overtakes what is still on its way, or it does not.
        if self.aborted.contains(&id) && self.rng.unit() < 0.5 {
            return;
        }
        if self.now < self.down_until || !self.server.shape.http {
            return self.fails(id);
        }
        if self.now < self.lost_until {
            // It fails at once, or there is silence.
            if self.rng.unit() < 0.5 {
                self.fails(id);
            }
            return;
        }
        if self.server.shape.sse {
            return self.over_sse(id, plan);
        }
        if plan.verb == Verb::Get {
            return self.get(id, plan);
        }
        let Some(message) = plan.message.as_ref().filter(|_| plan.verb == Verb::Post) else {
            self.head(id, 200, Content::Other, None, None);
            return self.brings(id, 5, ExchangeEvent::Ended);
        };
        let fate = self.faults.fate(&mut self.rng);
        match fate {
            Fate::CutBefore => return self.fails(id),
            Fate::HalfOpen | Fate::Deaf => return,
            Fate::Restart => return self.restart(self.now),
            Fate::SessionLost => self.server.forget_sessions(),
            _ => {}
        }
        let wait = (self.rng.unit() < 0.5).then(|| ms(self.rng.below(3_000)));
        match fate {
            Fate::Unauthorized => return self.refuse(id, message, 401, None),
            Fate::Forbidden => return self.refuse(id, message, 403, None),
            Fate::TooMany => return self.refuse(id, message, 429, wait),
            Fate::ServerError if self.rng.unit() < 0.5 => return self.refuse(id, message, 500, None),
            Fate::Unavailable if self.rng.unit() < 0.5 => return self.refuse(id, message, 503, wait),
            Fate::StrangeVersion if plan.version == Some(Version::newest(Era::Modern)) => {
                let reply = Reply::Error(-32022, self.strange_versions(), 400);
                return self.respond(id, message, reply, fate, None);
            }
            Fate::RefusedByRpc => {
                let reply = Reply::Error(-32602, Doc::default(), 400);
                return self.respond(id, message, reply, fate, None);
            }
            _ => {}
        }
        let mut channel =
            Channel { http: true, session: plan.session.map(|session| session.key), ..Channel::default() };
        let asked = channel.session;
        let reply = self.server.take(message, plan.version, &mut channel);
        match fate {
            Fate::ServerError => return self.status(id, 500, None),
            Fate::Unavailable => return self.status(id, 503, wait),
            Fate::CutAfter => return self.fails(id),
            Fate::Silence | Fate::Mute => return,
            _ => {}
        }
        let given = channel.session.filter(|session| Some(*session) != asked);
        self.respond(id, message, reply, fate, given.map(Doc::of));
    }

    pub(super) fn refuse(&mut self, id: ExchangeId, message: &Outgoing<Doc>, status: u16, wait: Option<Duration>) {
        if status < 500 {
            self.refused.extend(tool_argument(message));
        }
        self.status(id, status, wait);
    }

    pub(super) fn status(&mut self, id: ExchangeId, status: u16, wait: Option<Duration>) {
        self.head(id, status, Content::Other, wait, None);
        self.brings(id, 10, ExchangeEvent::Ended);
    }

    fn respond(&mut self, id: ExchangeId, message: &Outgoing<Doc>, reply: Reply, fate: Fate, session: Option<Doc>) {
        let Some(request) = id_of(message) else {
            return self.status(id, 202, None);
        };
        if let Reply::Listening(more) = reply {
            return self.listen(id, request, fate, more);
        }
        self.refused.extend(tool_argument(message).filter(|_| is_refusal(&reply)));
        let status = match reply {
            Reply::Status(status) => {
                self.refused.extend(tool_argument(message).filter(|_| status == 404));
                return self.status(id, status, None);
            }
            Reply::Blocked => return self.fails(id),
            Reply::Error(_, _, status) => status,
            _ => 200,
        };
        let streamed = match self.server.shape.style {
            Style::Json => false,
            Style::Events => status == 200,
            Style::Mixed => status == 200 && self.rng.unit() < 0.5,
        };
        let content = match fate {
            Fate::Html => Content::Html,
            _ if streamed => Content::EventStream,
            _ => Content::Json,
        };
        let status = match fate {
            Fate::OnlyAccepted => 202,
            Fate::FailedByRpc => 500,
            _ => status,
        };
        self.head(id, status, content, None, session);
        if streamed {
            self.stream_asides(id, request, message);
        }
        if streamed && self.server.shape.resumable && matches!(fate, Fate::CutMidway | Fate::EndedEarly) {
            self.breaks_off(id, request, reply);
        }
        let after = if fate == Fate::Late { self.rng.below(60_000) } else { 40 };
        let wrong = RequestId(request.0 + (1 << 40));
        let bodies = match fate {
            Fate::CutMidway => return self.fails(id),
            Fate::EndedEarly | Fate::Empty | Fate::OnlyAccepted => return self.brings(id, 30, ExchangeEvent::Ended),
            Fate::Html | Fate::Garbage => vec![Some(Incoming::Malformed(Malformed::Json))],
            Fate::Oversize => vec![Some(Incoming::Malformed(Malformed::TooLarge))],
            Fate::NoId => vec![Some(Incoming::Error { id: None, code: -32603, payload: Doc::default() })],
            Fate::FailedByRpc => vec![worded(request, Reply::Error(-32603, Doc::default(), 500))],
            Fate::StrangeKind => {
                vec![worded(request, Reply::Result(ResultKind::Unknown, Hint::default(), Doc::default()))]
            }
            Fate::WrongId => vec![worded(wrong, reply)],
            Fate::WrongIdFirst if streamed => vec![worded(wrong, reply), worded(request, reply)],
            Fate::Twice => vec![worded(request, reply), worded(request, reply)],
            _ => vec![worded(request, reply)],
        };
        for body in bodies.into_iter().flatten() {
            self.brings(id, after, ExchangeEvent::Message(body));
        }
        if !(streamed && self.rng.unit() < self.faults.linger) {
            self.brings(id, 10, ExchangeEvent::Ended);
        }
    }

    fn listen(&mut self, id: ExchangeId, listen: RequestId, fate: Fate, more: bool) {
        self.head(id, 200, Content::EventStream, None, None);
        match fate {
            Fate::CutMidway => return self.fails(id),
            Fate::EndedEarly | Fate::Empty => return self.brings(id, 30, ExchangeEvent::Ended),
            Fate::Garbage => {
                self.brings(id, 10, ExchangeEvent::Message(Incoming::Malformed(Malformed::Json)));
                return self.brings(id, 10, ExchangeEvent::Ended);
            }
            Fate::Oversize => {
                let giant = ExchangeEvent::Message(Incoming::Malformed(Malformed::TooLarge));
                return self.brings(id, 10, giant);
            }
            _ => {}
        }
        self.brings(id, 30, ExchangeEvent::Message(about(listen, Method::ACKNOWLEDGED)));
        if !more {
            self.brings(id, 10, ExchangeEvent::Message(result(listen, Doc::default())));
            return self.brings(id, 10, ExchangeEvent::Ended);
        }
        let Some(since) = self.exchanges.get(&id).copied() else { return };
        self.listening.insert(id, (listen, since));
        let mut later = |when: Instant, event| {
            self.agenda.at(when.max(since), Happening::Client(Input::Exchange(id, event)));
        };
        for minute in 0..self.rng.below(4) {
            later(self.now + ms(15_000 * minute), ExchangeEvent::Alive);
        }
        let end = self.now + ms(self.rng.below(60_000));
        match self.rng.below(4) {
            0 => later(end, ExchangeEvent::Ended),
            1 => later(end, ExchangeEvent::Failed(Reach::Unknown)),
            _ => {}
        }
        if let Some((when, end)) = self.draw_end(listen) {
            let when = when.max(since);
            self.agenda.at(when, Happening::Client(Input::Exchange(id, ExchangeEvent::Message(end))));
        }
    }

    /// A GET: what was left of a stream, or the standing one.
    fn get(&mut self, id: ExchangeId, plan: &Plan<Doc>) {
        if let Err(status) = self.server.admit_stream(plan.version, plan.session.map(|session| session.key)) {
            return self.status(id, status, None);
        }
        let kept = plan.resume.and_then(|last| self.kept.get(&last.key).copied());
        if plan.resume.is_none() && !self.server.shape.standing {
            return self.status(id, 405, None);
        }
        let ill = self.rng.unit() < self.faults.ill;
        let wait = Some(ms(self.rng.below(3_000)));
        match self.rng.below(4) {
            0 if ill => return self.fails(id),
            1 if ill => return self.status(id, 503, wait),
            2 if ill => return self.status(id, 409, None),
            _ => self.head(id, 200, Content::EventStream, None, None),
        }
        if self.draw_asides().2 {
            self.server.edition += 1;
            let news = self.news(None);
            self.brings(id, 30, ExchangeEvent::Message(news));
        }
        if let Some((request, reply)) = kept {
            if self.rng.unit() < self.faults.ill {
                self.breaks_off(id, request, reply);
            } else {
                self.brings(id, 40, worded(request, reply).map_or(ExchangeEvent::Ended, ExchangeEvent::Message));
                return self.brings(id, 10, ExchangeEvent::Ended);
            }
        }
        if kept.is_some() || self.rng.unit() < 0.3 {
            self.brings(id, 20_000, ExchangeEvent::Ended);
        }
    }

    /// Tells where a stream can be taken up, and keeps what is still to come.
    fn breaks_off(&mut self, id: ExchangeId, request: RequestId, reply: Reply) {
        let last = self.kept.len() as u32 + 1;
        self.kept.insert(last, (request, reply));
        let retry = (self.rng.unit() < 0.5).then(|| ms(self.rng.below(3_000)));
        self.brings(id, 30, ExchangeEvent::Cursor { id: Some(Doc::of(last)), retry });
    }

    fn stream_asides(&mut self, id: ExchangeId, request: RequestId, message: &Outgoing<Doc>) {
        let (progress, asked, changed) = self.draw_asides();
        if progress && matches!(message, Outgoing::Request { progress: true, .. }) {
            self.brings(id, 30, ExchangeEvent::Message(progress_of(request)));
        }
        if let Some(request) = asked {
            self.brings(id, 30, ExchangeEvent::Message(request));
        }
        if changed {
            self.announce();
            let news = self.news(None);
            self.brings(id, 30, ExchangeEvent::Message(news));
        }
    }

    pub(super) fn head(
        &mut self,
        id: ExchangeId,
        status: u16,
        content: Content,
        retry_after: Option<Duration>,
        session: Option<Doc>,
    ) {
        self.brings(id, 30, ExchangeEvent::Head(Head { status, content, session, retry_after, challenge: None }));
    }

    /// Lets the client hear of an exchange, after what was planned for it before.
    pub(super) fn brings(&mut self, id: ExchangeId, within: u64, event: ExchangeEvent<Doc>) {
        let delay = ms(1 + self.rng.below(within.max(1) + self.faults.lag));
        let cursor = self.exchanges.get_mut(&id);
        let when = (cursor.as_deref().copied().unwrap_or(self.now).max(self.now) + delay).max(self.held[DOWN]);
        if let Some(cursor) = cursor {
            *cursor = when;
        }
        self.agenda.at(when, Happening::Client(Input::Exchange(id, event)));
    }

    /// The exchange breaks; whether the shell finds out more about the server is chance.
    pub(super) fn fails(&mut self, id: ExchangeId) {
        let reach = match self.rng.below(3) {
            0 => Reach::Unknown,
            1 => Reach::Blocked,
            _ => Reach::Down,
        };
        self.brings(id, 30, ExchangeEvent::Failed(reach));
    }
}

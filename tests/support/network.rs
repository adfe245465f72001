//! The wire between an engine and a [`Server`]: it takes the engine's outputs, lets time pass and things go wrong, and plans the
//! inputs that follow. WebSocket frames keep their order; HTTP exchanges are independent of each other.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::{
    Asked, Content, Duration, ExchangeEvent, ExchangeId, Head, Hint, Incoming, Input, Instant, LinkEvent, LinkId,
    Malformed, Method, Outgoing, Output, Plan, Reach, RequestId, ResultKind, Rng, Verb, Version,
};

use crate::{ms, Agenda, Channel, Doc, Fate, Faults, Reply, Server, Style};

/// What the network has planned.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The engine hears of something.
    Client(Input<Doc>),
    /// A frame reaches the server.
    Frame(LinkId, Outgoing<Doc>, Version),
    /// A POST or DELETE reaches the server.
    Exchange(ExchangeId, Plan<Doc>),
}

/// The network and the server.
#[derive(Debug)]
pub struct Network {
    /// The other end.
    pub server: Server,
    /// What goes wrong from now on.
    pub faults: Faults,
    /// What is still to happen.
    pub agenda: Agenda<Happening>,
    /// Arguments of tool calls that the server refused before executing them, or that did not leave; one entry each time.
    pub refused: Vec<u32>,
    rng: Rng,
    now: Instant,
    down_until: Instant,
    sockets: BTreeMap<LinkId, Socket>,
    /// The exchanges that the client still knows; true once their answer is planned to its end.
    exchanges: BTreeMap<ExchangeId, Instant>,
    aborted: BTreeSet<ExchangeId>,
    failed: Option<Input<Doc>>,
}

#[derive(Debug, Default)]
struct Socket {
    channel: Channel,
    open: bool,
    /// No byte passes any more, in either direction.
    dead: bool,
    /// The client has let go of it.
    gone: bool,
    up: Instant,
    down: Instant,
}

impl Network {
    /// A network in front of `server`.
    #[must_use]
    pub fn new(server: Server, faults: Faults, seed: u64) -> Self {
        Self {
            server,
            faults,
            agenda: Agenda::default(),
            refused: Vec::new(),
            rng: Rng::seeded(seed),
            now: Instant::default(),
            down_until: Instant::default(),
            sockets: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            aborted: BTreeSet::new(),
            failed: None,
        }
    }

    /// No faults any more, and the server is up; what is broken already stays so.
    pub fn heal(&mut self) {
        self.faults = Faults::default();
        self.down_until = self.now;
    }

    /// Whether the client should hear of this: not of what it let go.
    pub fn is_current(&self, input: &Input<Doc>) -> bool {
        match input {
            Input::Link(link, _) => self.sockets.get(link).is_some_and(|socket| !socket.gone),
            Input::Exchange(id, _) => self.exchanges.contains_key(id),
            _ => true,
        }
    }

    /// The client has heard of something.
    pub fn delivered(&mut self, input: &Input<Doc>) {
        match input {
            Input::Link(link, LinkEvent::Closed(_)) => {
                if let Some(socket) = self.sockets.get_mut(link) {
                    socket.gone = true;
                    socket.dead = true;
                }
            }
            Input::Exchange(id, ExchangeEvent::Ended | ExchangeEvent::Failed(_)) => {
                self.exchanges.remove(id);
            }
            _ => {}
        }
    }

    /// Does what the engine says.
    pub fn perform(&mut self, now: Instant, output: &Output<Doc>) {
        self.now = now;
        match output {
            Output::Dial { link, subprotocols } => self.dial(*link, *subprotocols),
            Output::Hangup(link) => {
                if let Some(socket) = self.sockets.get_mut(link) {
                    socket.gone = true;
                }
            }
            Output::Send { link, message, version } => self.send(*link, message, *version),
            Output::Fetch(id, plan) => {
                self.exchanges.insert(*id, now);
                let when = self.soon(40);
                self.agenda.at(when, Happening::Exchange(*id, plan.clone()));
            }
            Output::Abort(id) => {
                self.exchanges.remove(id);
                self.aborted.insert(*id);
            }
            _ => {}
        }
    }

    /// What the shell reports while it still performs: the frame that could not be written.
    pub fn failed_at_once(&mut self) -> Option<Input<Doc>> {
        self.failed.take()
    }

    /// Something planned comes true at the server's end.
    pub fn happen(&mut self, now: Instant, happening: Happening) {
        self.now = now;
        match happening {
            Happening::Client(_) => {}
            Happening::Frame(link, message, version) => self.frame(link, &message, version),
            Happening::Exchange(id, plan) => self.exchange(id, &plan),
        }
    }

    fn dial(&mut self, link: LinkId, subprotocols: bool) {
        let rng = &mut self.rng;
        let faults = &self.faults;
        let refused = !self.server.shape.websocket
            || self.now < self.down_until
            || (subprotocols && self.server.shape.no_subprotocols)
            || rng.unit() < faults.refused;
        let (unanswered, mute) = (rng.unit() < faults.unanswered, rng.unit() < faults.mute);
        let unauthorized = rng.unit() < faults.unauthorized;
        let when = self.soon(60);
        let socket = Socket { open: !refused && !unanswered, dead: mute, down: when, up: when, ..Socket::default() };
        self.sockets.insert(link, socket);
        let event = match (refused, unanswered, unauthorized) {
            (true, ..) => LinkEvent::Closed(1006),
            (_, true, _) => return,
            (_, _, true) => LinkEvent::Closed(4401),
            _ => LinkEvent::Opened,
        };
        self.agenda.at(when, Happening::Client(Input::Link(link, event)));
    }

    fn send(&mut self, link: LinkId, message: &Outgoing<Doc>, version: Version) {
        let failed = self.rng.unit() < self.faults.send_failed;
        let when = self.soon(30);
        let Some(socket) = self.sockets.get_mut(&link) else { return };
        if failed {
            let id = id_of(message);
            self.failed = Some(Input::Link(link, LinkEvent::SendFailed(id)));
            self.refused.extend(tool_argument(message));
            socket.dead = true;
            return;
        }
        socket.up = socket.up.max(when);
        self.agenda.at(socket.up, Happening::Frame(link, message.clone(), version));
    }

    fn frame(&mut self, link: LinkId, message: &Outgoing<Doc>, version: Version) {
        let Some(socket) = self.sockets.get(&link) else { return };
        if socket.dead || !socket.open {
            return;
        }
        let id = id_of(message);
        let fate = if id.is_some() { self.faults.fate(&mut self.rng) } else { Fate::Well };
        match fate {
            Fate::CutBefore => return self.cut(link, 1006),
            Fate::HalfOpen => return self.half_open(link),
            Fate::Restart => return self.restart(),
            _ => {}
        }
        let mut channel = self.sockets.get(&link).map_or_else(Channel::default, |socket| socket.channel);
        let refused = fate == Fate::RefusedByRpc;
        let reply = if refused { Reply::Accepted } else { self.server.take(message, Some(version), &mut channel) };
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.channel = channel;
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
            Fate::Garbage => return self.tell(link, 30, Incoming::Malformed(Malformed::Json)),
            Fate::Oversize => return self.tell(link, 30, Incoming::TooLarge(id)),
            Fate::NoId => {
                return self.tell(link, 30, Incoming::Error { id: None, code: -32603, payload: Doc::default() })
            }
            Fate::WrongId => return self.reply(link, wrong, reply, 30),
            Fate::WrongIdFirst => self.reply(link, wrong, reply, 10),
            Fate::RefusedByRpc => return self.reply(link, id, Reply::Error(-32602, Doc::default(), 400), 30),
            Fate::FailedByRpc => return self.reply(link, id, Reply::Error(-32603, Doc::default(), 500), 30),
            Fate::StrangeKind => {
                return self.reply(link, id, Reply::Result(ResultKind::Unknown, Hint::default(), Doc::default()), 30)
            }
            Fate::Twice => self.reply(link, id, reply, 30),
            // A frame that is late does not hold up the others: this one was worked on for long.
            Fate::Late => {
                if let Some(message) = worded(id, reply) {
                    let when = self.now + ms(ahead);
                    self.agenda.at(when, Happening::Client(Input::Link(link, LinkEvent::Message(message))));
                }
                return;
            }
            _ => {}
        }
        self.reply(link, id, reply, 50);
    }

    /// What a server says on a socket before it answers.
    fn asides(&mut self, link: LinkId, id: RequestId, message: &Outgoing<Doc>) {
        let (progress, ping, changed) = self.draw_asides();
        if progress && matches!(message, Outgoing::Request { progress: true, .. }) {
            self.tell(link, 20, progress_of(id));
        }
        if ping {
            self.tell(link, 20, Incoming::Request { asked: Asked::Ping, payload: Doc::of(9) });
        }
        if changed {
            self.server.edition += 1;
            let news = self.news();
            let live: Vec<LinkId> = self.sockets.iter().filter(|(_, s)| s.open && !s.dead).map(|(id, _)| *id).collect();
            for link in live {
                self.tell(link, 5, news.clone());
            }
        }
    }

    fn draw_asides(&mut self) -> (bool, bool, bool) {
        let (rng, faults) = (&mut self.rng, &self.faults);
        (rng.unit() < faults.progress, rng.unit() < faults.ping, rng.unit() < faults.changed)
    }

    fn news(&self) -> Incoming<Doc> {
        let payload = Doc { edition: self.server.edition, ..Doc::default() };
        Incoming::Notification { method: Method::TOOLS_CHANGED, token: None, payload }
    }

    fn reply(&mut self, link: LinkId, id: RequestId, reply: Reply, within: u64) {
        if let Some(message) = worded(id, reply) {
            self.tell(link, within, message);
        }
    }

    /// Sends a frame to the client, behind those sent before.
    fn tell(&mut self, link: LinkId, within: u64, message: Incoming<Doc>) {
        self.down(link, within, LinkEvent::Message(message));
    }

    fn down(&mut self, link: LinkId, within: u64, event: LinkEvent<Doc>) {
        let when = self.soon(within);
        let Some(socket) = self.sockets.get_mut(&link) else { return };
        if !socket.dead {
            socket.down = socket.down.max(when);
            self.agenda.at(socket.down, Happening::Client(Input::Link(link, event)));
        }
    }

    fn cut(&mut self, link: LinkId, code: u16) {
        self.down(link, 30, LinkEvent::Closed(code));
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.dead = true;
        }
    }

    fn half_open(&mut self, link: LinkId) {
        if let Some(socket) = self.sockets.get_mut(&link) {
            socket.dead = true;
        }
    }

    fn restart(&mut self) {
        self.server.forget_sessions();
        self.down_until = self.now + ms(self.rng.below(4_000));
        let open: Vec<LinkId> = self.sockets.iter().filter(|(_, s)| s.open && !s.dead).map(|(id, _)| *id).collect();
        for link in open {
            self.cut(link, 1006);
        }
        let running: Vec<ExchangeId> = self.exchanges.keys().copied().collect();
        for id in running {
            self.fails(id);
        }
    }

    fn exchange(&mut self, id: ExchangeId, plan: &Plan<Doc>) {
        // An abort overtakes what is still on its way, or it does not.
        if self.aborted.contains(&id) && self.rng.unit() < 0.5 {
            return;
        }
        if self.now < self.down_until || !self.server.shape.http {
            return self.fails(id);
        }
        let Some(message) = plan.message.as_ref().filter(|_| plan.verb == Verb::Post) else {
            self.head(id, 200, Content::Other, None, None);
            return self.brings(id, 5, ExchangeEvent::Ended);
        };
        let fate = self.faults.fate(&mut self.rng);
        match fate {
            Fate::CutBefore => return self.fails(id),
            Fate::HalfOpen => return,
            Fate::Restart => return self.restart(),
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
            Fate::Silence => return,
            _ => {}
        }
        let given = channel.session.filter(|session| Some(*session) != asked);
        self.respond(id, message, reply, fate, given.map(Doc::of));
    }

    fn refuse(&mut self, id: ExchangeId, message: &Outgoing<Doc>, status: u16, wait: Option<Duration>) {
        if status < 500 {
            self.refused.extend(tool_argument(message));
        }
        self.status(id, status, wait);
    }

    fn status(&mut self, id: ExchangeId, status: u16, wait: Option<Duration>) {
        self.head(id, status, Content::Other, wait, None);
        self.brings(id, 10, ExchangeEvent::Ended);
    }

    fn respond(&mut self, id: ExchangeId, message: &Outgoing<Doc>, reply: Reply, fate: Fate, session: Option<Doc>) {
        let Some(request) = id_of(message) else {
            return self.status(id, 202, None);
        };
        let status = match reply {
            Reply::Status(status) => {
                self.refused.extend(tool_argument(message).filter(|_| status == 404));
                return self.status(id, status, None);
            }
            Reply::Blocked => return self.fails(id),
            Reply::Error(code, _, status) => {
                self.refused.extend(tool_argument(message).filter(|_| code == -32000));
                status
            }
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
        let after = if fate == Fate::Late { self.rng.below(60_000) } else { 40 };
        let wrong = RequestId(request.0 - (1 << 20));
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

    fn stream_asides(&mut self, id: ExchangeId, request: RequestId, message: &Outgoing<Doc>) {
        let (progress, ping, changed) = self.draw_asides();
        if progress && matches!(message, Outgoing::Request { progress: true, .. }) {
            self.brings(id, 30, ExchangeEvent::Message(progress_of(request)));
        }
        if ping {
            let ping = Incoming::Request { asked: Asked::Ping, payload: Doc::of(9) };
            self.brings(id, 30, ExchangeEvent::Message(ping));
        }
        if changed {
            self.server.edition += 1;
            let news = self.news();
            self.brings(id, 30, ExchangeEvent::Message(news));
        }
    }

    fn head(
        &mut self,
        id: ExchangeId,
        status: u16,
        content: Content,
        retry_after: Option<Duration>,
        session: Option<Doc>,
    ) {
        self.brings(id, 30, ExchangeEvent::Head(Head { status, content, session, retry_after }));
    }

    /// Lets the client hear of an exchange, after what was planned for it before.
    fn brings(&mut self, id: ExchangeId, within: u64, event: ExchangeEvent<Doc>) {
        let delay = ms(1 + self.rng.below(within.max(1)));
        let cursor = self.exchanges.get_mut(&id);
        let when = cursor.as_deref().copied().unwrap_or(self.now).max(self.now) + delay;
        if let Some(cursor) = cursor {
            *cursor = when;
        }
        self.agenda.at(when, Happening::Client(Input::Exchange(id, event)));
    }

    /// The exchange breaks; whether the shell finds out more about the server is chance.
    fn fails(&mut self, id: ExchangeId) {
        let reach = match self.rng.below(3) {
            0 => Reach::Unknown,
            1 => Reach::Blocked,
            _ => Reach::Down,
        };
        self.brings(id, 30, ExchangeEvent::Failed(reach));
    }

    fn soon(&mut self, within: u64) -> Instant {
        self.now + ms(1 + self.rng.below(within))
    }
}

fn worded(id: RequestId, reply: Reply) -> Option<Incoming<Doc>> {
    match reply {
        Reply::Result(kind, hint, payload) => Some(Incoming::Result { id, kind, hint, size: 10, payload }),
        Reply::Error(code, payload, _) => Some(Incoming::Error { id: Some(id), code, payload }),
        _ => None,
    }
}

fn progress_of(id: RequestId) -> Incoming<Doc> {
    Incoming::Notification { method: Method::PROGRESS, token: Some(id), payload: Doc::default() }
}

fn id_of(message: &Outgoing<Doc>) -> Option<RequestId> {
    match message {
        Outgoing::Request { id, .. } | Outgoing::Discover(id) | Outgoing::Initialize(id, _) => Some(*id),
        _ => None,
    }
}

/// The argument of a tool call.
fn tool_argument(message: &Outgoing<Doc>) -> Option<u32> {
    match message {
        Outgoing::Request { method, params, .. } if *method == Method::TOOLS_CALL => Some(params.key),
        _ => None,
    }
}

//! The wire between an engine and a [`Server`]: it takes the engine's outputs, lets time pass and things go wrong, and plans the
//! inputs that follow. WebSocket frames keep their order; HTTP exchanges are independent of each other.

mod http;
mod socket;
mod sse;

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::{
    Asked, ExchangeEvent, ExchangeId, Incoming, Input, Instant, LinkEvent, LinkId, Method, Outgoing, Output, Plan,
    RequestId, ResultKind, Rng, Version,
};

use crate::{about, ms, result, Agenda, Channel, Doc, Faults, Reply, Server};

const UP: usize = 0;
const DOWN: usize = 1;

/// What the network has planned.
#[derive(Clone, Debug)]
pub enum Happening {
    /// The engine hears of something.
    Client(Input<Doc>),
    /// A frame reaches the server.
    Frame(LinkId, Outgoing<Doc>, Version),
    /// A POST or DELETE reaches the server.
    Exchange(ExchangeId, Plan<Doc>),
    /// The application has thought about the question of that number.
    Answer(u32),
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
    /// Until then nothing is reached, and nobody says so.
    lost_until: Instant,
    /// Until when what is sent is held up, towards the server and towards the client.
    held: [Instant; 2],
    /// The streams that listen, and from when on they can be told something.
    listening: BTreeMap<ExchangeId, (RequestId, Instant)>,
    sockets: BTreeMap<LinkId, Socket>,
    /// The exchanges that the client still knows; true once their answer is planned to its end.
    exchanges: BTreeMap<ExchangeId, Instant>,
    aborted: BTreeSet<ExchangeId>,
    failed: Option<Input<Doc>>,
    /// Answers on streams that broke off, by the last event before them.
    kept: BTreeMap<u32, (RequestId, Reply)>,
    /// The streams of HTTP+SSE, and what the server knows of their clients.
    streams: BTreeMap<ExchangeId, Channel>,
}

#[derive(Debug, Default)]
struct Socket {
    channel: Channel,
    /// What it listens with.
    listening: Option<RequestId>,
    open: bool,
    /// No byte reaches the server any more; none reaches the client.
    dead_up: bool,
    dead_down: bool,
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
            lost_until: Instant::default(),
            held: [Instant::default(); 2],
            listening: BTreeMap::new(),
            sockets: BTreeMap::new(),
            exchanges: BTreeMap::new(),
            aborted: BTreeSet::new(),
            failed: None,
            kept: BTreeMap::new(),
            streams: BTreeMap::new(),
        }
    }

    /// No faults any more, and the server is up; what is broken already stays so.
    pub fn heal(&mut self) {
        self.faults = Faults::default();
        (self.server.shape.rounds, self.server.shape.mirrors) = (0, false);
        (self.down_until, self.lost_until) = (self.now, self.now);
        self.held = [self.now; 2];
    }

    /// Until then nothing that is sent arrives, in one direction or in both; nothing is lost.
    pub fn stall(&mut self, until: Instant, up: bool, down: bool) {
        for (held, _) in self.held.iter_mut().zip([up, down]).filter(|(_, stalls)| *stalls) {
            *held = until;
        }
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
                    socket.die();
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
                let when = self.soon(40).max(self.held[UP]);
                self.agenda.at(when, Happening::Exchange(*id, plan.clone()));
            }
            Output::Abort(id) => {
                self.exchanges.remove(id);
                self.listening.remove(id);
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
            Happening::Client(_) | Happening::Answer(_) => {}
            Happening::Frame(link, message, version) => self.frame(link, &message, version),
            Happening::Exchange(id, plan) => self.exchange(id, &plan),
        }
    }

    fn draw_asides(&mut self) -> (bool, Option<Incoming<Doc>>, bool) {
        let (rng, faults) = (&mut self.rng, &self.faults);
        let asked = if rng.unit() < 0.5 { Asked::Ping } else { Asked::Other };
        let request = Incoming::Request { asked, payload: Doc::of(9) };
        (rng.unit() < faults.progress, (rng.unit() < faults.ping).then_some(request), rng.unit() < faults.changed)
    }

    /// What a server may say of its revisions while it is replaced by another.
    fn strange_versions(&mut self) -> Doc {
        Doc::supporting(["2026-07-28 2025-11-25", "2025-11-25 2025-03-26", "1999-01-01"][self.rng.below(3) as usize])
    }

    /// The lists change, and everybody who listens hears of it.
    fn announce(&mut self) {
        self.server.edition += 1;
        let live = |socket: &Socket| socket.open && !socket.dead_down;
        let sockets: Vec<_> = self.sockets.iter().filter(|(_, s)| live(s)).map(|(id, s)| (*id, s.listening)).collect();
        for (link, listen) in sockets {
            let news = self.news(listen);
            self.tell(link, 5, news);
        }
        let streams: Vec<_> = self.listening.iter().map(|(id, stream)| (*id, *stream)).collect();
        for (id, (listen, since)) in streams {
            let (when, news) = (self.soon(30).max(since).max(self.held[DOWN]), self.news(Some(listen)));
            self.agenda.at(when, Happening::Client(Input::Exchange(id, ExchangeEvent::Message(news))));
        }
    }

    fn news(&self, token: Option<RequestId>) -> Incoming<Doc> {
        let payload = Doc { edition: self.server.edition, ..Doc::default() };
        Incoming::Notification { method: Method::TOOLS_CHANGED, token, payload }
    }

    /// How and when a server ends a listen, if it does.
    fn draw_end(&mut self, listen: RequestId) -> Option<(Instant, Incoming<Doc>)> {
        let when = self.now + ms(200 + self.rng.below(60_000));
        let end = match self.rng.below(6) {
            0 | 1 => result(listen, Doc::default()),
            2 => about(listen, Method::CANCELLED),
            _ => return None,
        };
        Some((when, end))
    }

    /// The server is gone for a while, and its sessions for good.
    pub fn restart(&mut self, now: Instant) {
        self.now = now;
        self.server.forget_sessions();
        self.kept.clear();
        self.streams.clear();
        self.down_until = self.now + ms(self.rng.below(4_000));
        let open: Vec<LinkId> =
            self.sockets.iter().filter(|(_, s)| s.open && !s.dead_down).map(|(id, _)| *id).collect();
        for link in open {
            self.cut(link, 1006);
        }
        self.listening.clear();
        let running: Vec<ExchangeId> = self.exchanges.keys().copied().collect();
        for id in running {
            self.fails(id);
        }
    }

    /// The client's machine sleeps until `wake`, and is without a network until `back`. Every socket is half-open from now on; requests under
    /// way fail when it wakes, or are answered as if nothing had been.
    pub fn sleep(&mut self, wake: Instant, back: Instant) {
        self.sockets.values_mut().for_each(Socket::die);
        (self.now, self.lost_until) = (wake, back);
        let running: Vec<ExchangeId> = self.exchanges.keys().copied().collect();
        for id in running {
            if self.rng.unit() < 0.7 {
                self.fails(id);
            }
        }
    }

    fn soon(&mut self, within: u64) -> Instant {
        self.now + ms(1 + self.rng.below(within + self.faults.lag))
    }
}

impl Socket {
    fn die(&mut self) {
        (self.dead_up, self.dead_down) = (true, true);
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
        Outgoing::Request { id, .. }
        | Outgoing::Discover(id)
        | Outgoing::Initialize(id, _)
        | Outgoing::Ping(id)
        | Outgoing::Listen(id, _) => Some(*id),
        _ => None,
    }
}

/// Whether a server says that it has executed nothing.
fn is_refusal(reply: &Reply) -> bool {
    match reply {
        Reply::Result(kind, ..) => matches!(kind, ResultKind::InputRequired | ResultKind::StateOnly),
        Reply::Error(code, ..) => [-32000, -32020, -32022].contains(code),
        _ => false,
    }
}

/// The argument of a tool call.
fn tool_argument(message: &Outgoing<Doc>) -> Option<u32> {
    match message {
        Outgoing::Request { method, params, .. } if *method == Method::TOOLS_CALL => Some(params.key),
        _ => None,
    }
}

//! An engine driven by hand: a test says what happens, moment by moment, and asks what was said. The helpers find ids, so that tests
//! speak of calls and questions; they decide nothing. What a test expects and does not find, it hears of as a panic.

use bowline_core::{
    CallId, Code, Command, Config, Content, Duration, Error, Event, ExchangeEvent, ExchangeId, Head, Hint, Incoming,
    Input, LinkEvent, LinkId, ListenPhase, Method, Need, Outcome, Outgoing, Output, Plan, RequestId, ResultKind,
    Settled, Status, Verb, Version,
};

use crate::{about, connect, failure, ms, result, Doc, Driver, Req};

/// Where a message was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// As a frame.
    Link(LinkId),
    /// As an exchange of its own.
    Exchange(ExchangeId),
}

/// A client in the hand of a test.
#[derive(Debug)]
pub struct Hand {
    /// The engine, its clock, and everything it said.
    pub driver: Driver,
    calls: u32,
    read: usize,
}

impl Hand {
    /// A client that is idle.
    #[must_use]
    pub fn new(config: Config) -> Self {
        Self { driver: Driver::new(config, 7), calls: 0, read: 0 }
    }

    /// A client whose modern WebSocket is ready.
    #[must_use]
    pub fn on_websocket(config: Config) -> Self {
        let mut hand = Self::new(config);
        hand.call(connect());
        hand.open();
        hand.answer_question(Doc::supporting("2026-07-28"));
        hand.news();
        hand
    }

    /// A client whose WebSocket is ready and speaks 2025-11-25.
    #[must_use]
    pub fn on_legacy_websocket(config: Config) -> Self {
        let mut hand = Self::new(config);
        hand.call(connect());
        hand.open();
        hand.refuse_question(-32601);
        hand.answer_question(Doc::speaking(Version::V2025_11_25));
        hand.news();
        hand
    }

    /// A client that speaks modern Streamable HTTP.
    #[must_use]
    pub fn on_http(config: Config) -> Self {
        let mut hand = Self::new(Config { websocket: false, ..config });
        hand.call(connect());
        hand.answer_question(Doc::supporting("2026-07-28"));
        hand.news();
        hand
    }

    /// A client that speaks legacy Streamable HTTP, in a session.
    #[must_use]
    pub fn on_legacy_http(config: Config, session: u32) -> Self {
        let mut hand = Self::new(Config { websocket: false, ..config });
        hand.call(connect());
        hand.refuse_question(-32601);
        hand.begin_session(session);
        hand.news();
        hand
    }

    /// The same, where the server keeps a standing stream.
    #[must_use]
    pub fn with_standing_stream(config: Config, session: u32) -> Self {
        let mut hand = Self::before_standing_stream(config, session);
        hand.stream(hand.last_exchange());
        hand
    }

    /// The same, before the server says anything to that.
    #[must_use]
    pub fn before_standing_stream(config: Config, session: u32) -> Self {
        let mut hand = Self::new(Config { websocket: false, ..config });
        hand.call(connect());
        hand.refuse_question(-32601);
        hand.answer_initialize(session);
        hand.status(hand.last_exchange(), 202, None);
        hand
    }

    // ---- what happens ----

    /// The application makes a call.
    pub fn call(&mut self, request: Req) -> CallId {
        let id = CallId(self.calls);
        self.calls += 1;
        self.driver.input(Input::Command(Command::Call(id, request)));
        id
    }

    /// The application wants something else.
    pub fn command(&mut self, command: Command<Doc>) {
        self.driver.input(Input::Command(command));
    }

    /// Something happens on a WebSocket.
    pub fn link(&mut self, link: LinkId, event: LinkEvent<Doc>) {
        self.driver.input(Input::Link(link, event));
    }

    /// Something happens in an exchange.
    pub fn exchange(&mut self, id: ExchangeId, event: ExchangeEvent<Doc>) {
        self.driver.input(Input::Exchange(id, event));
    }

    /// Time passes; timers fire at their moments.
    pub fn pass(&mut self, span: u64) {
        let end = self.driver.now + ms(span);
        for _ in 0..10_000 {
            let Some(timer) = self.driver.timer.filter(|timer| *timer <= end) else {
                self.driver.now = end;
                return;
            };
            self.driver.now = self.driver.now.max(timer);
            self.driver.input(Input::Timeout);
        }
        panic!("the timer never moves on");
    }

    /// Time passes until the next attempt begins.
    pub fn pass_to_retry(&mut self) {
        let wait = self.retry_in().expect("an attempt is planned");
        self.pass(wait.ceil() as u64);
    }

    /// The WebSocket dialled last opens.
    pub fn open(&mut self) {
        self.link(self.last_link(), LinkEvent::Opened);
    }

    /// The WebSocket dialled last closes.
    pub fn close_link(&mut self, code: u16) {
        self.link(self.last_link(), LinkEvent::Closed(code));
    }

    /// A message arrives on the WebSocket dialled last.
    pub fn frame(&mut self, message: Incoming<Doc>) {
        self.link(self.last_link(), LinkEvent::Message(message));
    }

    /// An exchange is answered with one JSON body.
    pub fn json(&mut self, id: ExchangeId, status: u16, message: Incoming<Doc>) {
        self.head(id, status, Content::Json, None);
        self.exchange(id, ExchangeEvent::Message(message));
        self.exchange(id, ExchangeEvent::Ended);
    }

    /// An exchange is answered with a status and nothing more.
    pub fn status(&mut self, id: ExchangeId, status: u16, retry_after: Option<Duration>) {
        self.head(id, status, Content::Other, retry_after);
        self.exchange(id, ExchangeEvent::Ended);
    }

    /// The head of an answer arrives.
    pub fn head(&mut self, id: ExchangeId, status: u16, content: Content, retry_after: Option<Duration>) {
        self.exchange(id, ExchangeEvent::Head(Head { status, content, session: None, retry_after, challenge: None }));
    }

    /// A stream begins.
    pub fn stream(&mut self, id: ExchangeId) {
        self.head(id, 200, Content::EventStream, None);
    }

    /// A stream ends, and can be taken up after that event and time.
    pub fn end_at(&mut self, id: ExchangeId, last: u32, retry: Option<Duration>) {
        self.exchange(id, ExchangeEvent::Cursor { id: Some(Doc::of(last)), retry });
        self.exchange(id, ExchangeEvent::Ended);
    }

    /// The last question of the handshake is answered, where it was asked.
    pub fn answer_question(&mut self, doc: Doc) {
        let (place, id, _) = self.question();
        self.reply(place, 200, result(id, doc));
    }

    /// The last question of the handshake is refused with a JSON-RPC error.
    pub fn refuse_question(&mut self, code: i32) {
        let (place, id, _) = self.question();
        self.reply(place, 400, failure(id, code));
    }

    /// A session is begun over HTTP, with a server that keeps no standing stream.
    pub fn begin_session(&mut self, session: u32) {
        self.answer_initialize(session);
        let before = self.gets().len();
        self.status(self.last_exchange(), 202, None);
        if let Some((standing, _)) = self.gets().into_iter().nth(before) {
            self.status(standing, 405, None);
        }
    }

    /// `initialize` is answered over HTTP, and a session given.
    pub fn answer_initialize(&mut self, session: u32) {
        let (place, id, _) = self.question();
        let Place::Exchange(exchange) = place else { panic!("sessions are of HTTP") };
        let session = Some(Doc::of(session));
        self.exchange(
            exchange,
            ExchangeEvent::Head(Head {
                status: 200,
                content: Content::Json,
                session,
                retry_after: None,
                challenge: None,
            }),
        );
        self.exchange(exchange, ExchangeEvent::Message(result(id, Doc::speaking(Version::V2025_11_25))));
        self.exchange(exchange, ExchangeEvent::Ended);
    }

    /// A call is answered, where it was sent last.
    pub fn answer(&mut self, call: CallId, doc: Doc) {
        let (place, id) = self.sent(call);
        self.reply(place, 200, result(id, doc));
    }

    /// A call is answered with a result of a kind.
    pub fn answer_kind(&mut self, call: CallId, kind: ResultKind, payload: Doc) {
        let (place, id) = self.sent(call);
        self.reply(
            place,
            200,
            Incoming::Result { id, kind, hint: Hint { ttl: Some(ms(60_000)), public: false }, size: 10, payload },
        );
    }

    /// A call is refused with a JSON-RPC error; over HTTP with a status that says so too.
    pub fn refuse_with(&mut self, call: CallId, code: i32, payload: Doc) {
        let (place, id) = self.sent(call);
        self.reply(place, 400, Incoming::Error { id: Some(id), code, payload });
    }

    /// A call is answered with a JSON-RPC error.
    pub fn refuse(&mut self, call: CallId, code: i32) {
        let (place, id) = self.sent(call);
        self.reply(place, 200, failure(id, code));
    }

    /// The server acknowledges the last listen.
    pub fn acknowledge(&mut self) {
        let (place, id) = self.listens().pop().expect("a listen");
        if let Place::Exchange(exchange) = place {
            self.stream(exchange);
        }
        self.bring(place, about(id, Method::ACKNOWLEDGED));
    }

    /// A message arrives where it belongs: as a frame, or in the stream of an exchange.
    pub fn bring(&mut self, place: Place, message: Incoming<Doc>) {
        match place {
            Place::Link(link) => self.link(link, LinkEvent::Message(message)),
            Place::Exchange(id) => self.exchange(id, ExchangeEvent::Message(message)),
        }
    }

    fn reply(&mut self, place: Place, status: u16, message: Incoming<Doc>) {
        match place {
            Place::Link(link) => self.link(link, LinkEvent::Message(message)),
            Place::Exchange(id) => self.json(id, status, message),
        }
    }

    // ---- what was said ----

    /// Everything said since the last time somebody asked.
    pub fn news(&mut self) -> Vec<Output<Doc>> {
        let news = self.driver.log[self.read..].iter().map(|(_, output)| output.clone()).collect();
        self.read = self.driver.log.len();
        news
    }

    /// The time, in milliseconds.
    #[must_use]
    pub fn time(&self) -> f64 {
        self.driver.now.as_millis()
    }

    fn said(&self) -> impl DoubleEndedIterator<Item = &Output<Doc>> {
        self.driver.log.iter().map(|(_, output)| output)
    }

    /// All dials: when, and whether with subprotocols.
    #[must_use]
    pub fn dials(&self) -> Vec<(f64, bool)> {
        let dial = |(at, output): &(bowline_core::Instant, Output<Doc>)| match output {
            Output::Dial { subprotocols, .. } => Some((at.as_millis(), *subprotocols)),
            _ => None,
        };
        self.driver.log.iter().filter_map(dial).collect()
    }

    /// The WebSocket dialled last.
    #[must_use]
    pub fn last_link(&self) -> LinkId {
        let link = |output: &Output<Doc>| match output {
            Output::Dial { link, .. } => Some(*link),
            _ => None,
        };
        self.said().rev().find_map(link).expect("a dial")
    }

    /// Whether a WebSocket was hung up.
    #[must_use]
    pub fn hung_up(&self, link: LinkId) -> bool {
        self.said().any(|output| matches!(output, Output::Hangup(other) if *other == link))
    }

    /// All exchanges.
    #[must_use]
    pub fn fetches(&self) -> Vec<(ExchangeId, Plan<Doc>)> {
        let fetch = |output: &Output<Doc>| match output {
            Output::Fetch(id, plan) => Some((*id, plan.clone())),
            _ => None,
        };
        self.said().filter_map(fetch).collect()
    }

    /// All GETs, oldest first.
    #[must_use]
    pub fn gets(&self) -> Vec<(ExchangeId, Plan<Doc>)> {
        self.fetches().into_iter().filter(|(_, plan)| plan.verb == Verb::Get).collect()
    }

    /// The exchange begun last.
    #[must_use]
    pub fn last_exchange(&self) -> ExchangeId {
        self.fetches().last().map(|(id, _)| *id).expect("an exchange")
    }

    /// Whether an exchange was aborted.
    #[must_use]
    pub fn aborted(&self, id: ExchangeId) -> bool {
        self.said().any(|output| matches!(output, Output::Abort(other) if *other == id))
    }

    /// All messages written, wherever.
    #[must_use]
    pub fn written(&self) -> Vec<(Place, Outgoing<Doc>)> {
        let message = |output: &Output<Doc>| match output {
            Output::Send { link, message, .. } => Some((Place::Link(*link), message.clone())),
            Output::Fetch(id, plan) => plan.message.clone().map(|message| (Place::Exchange(*id), message)),
            _ => None,
        };
        self.said().filter_map(message).collect()
    }

    /// The last question of a handshake.
    #[must_use]
    pub fn question(&self) -> (Place, RequestId, Outgoing<Doc>) {
        let question = |(place, message): (Place, Outgoing<Doc>)| match message {
            Outgoing::Discover(id) | Outgoing::Initialize(id, _) => Some((place, id, message)),
            _ => None,
        };
        self.written().into_iter().rev().find_map(question).expect("a question")
    }

    /// Every time something was listened to.
    #[must_use]
    pub fn listens(&self) -> Vec<(Place, RequestId)> {
        let listen = |(place, message): (Place, Outgoing<Doc>)| match message {
            Outgoing::Listen(id, _) => Some((place, id)),
            _ => None,
        };
        self.written().into_iter().filter_map(listen).collect()
    }

    /// What was told of the listen so far.
    #[must_use]
    pub fn phases(&self) -> Vec<ListenPhase> {
        let phase = |output: &Output<Doc>| match output {
            Output::Event(Event::Listen(phase, _)) => Some(*phase),
            _ => None,
        };
        self.said().filter_map(phase).collect()
    }

    /// Every sending of a call.
    #[must_use]
    pub fn sendings(&self, call: CallId) -> Vec<(Place, RequestId)> {
        let mine = |(place, message): (Place, Outgoing<Doc>)| match message {
            Outgoing::Request { id, .. } if id.slot() == call => Some((place, id)),
            _ => None,
        };
        self.written().into_iter().filter_map(mine).collect()
    }

    /// The last sending of a call.
    #[must_use]
    pub fn sent(&self, call: CallId) -> (Place, RequestId) {
        self.sendings(call).pop().expect("the call was sent")
    }

    /// The exchange of the last sending of a call.
    #[must_use]
    pub fn exchange_of(&self, call: CallId) -> ExchangeId {
        match self.sent(call).0 {
            Place::Exchange(id) => id,
            Place::Link(link) => panic!("sent on {link:?}"),
        }
    }

    /// What calls asked for, in their order.
    #[must_use]
    pub fn asks(&self) -> Vec<(CallId, Need, Doc)> {
        let ask = |output: &Output<Doc>| match output {
            Output::Ask(call, need, doc) => Some((*call, *need, *doc)),
            _ => None,
        };
        self.said().filter_map(ask).collect()
    }

    /// How a call ended, if it did.
    #[must_use]
    pub fn end(&self, call: CallId) -> Option<Result<Settled<Doc>, Error<Doc>>> {
        let end = |output: &Output<Doc>| match output {
            Output::Settle(id, end) if *id == call => Some(end.clone()),
            _ => None,
        };
        self.said().find_map(end)
    }

    /// What a call brought; and that it did so well.
    #[must_use]
    pub fn value(&self, call: CallId) -> u32 {
        match self.end(call) {
            Some(Ok(settled)) => settled.payload.map_or(0, |doc| doc.key),
            other => panic!("{call:?} ended with {other:?}"),
        }
    }

    /// The error that ended a call.
    #[must_use]
    pub fn error(&self, call: CallId) -> (Code, Outcome) {
        match self.end(call) {
            Some(Err(error)) => (error.code, error.outcome),
            other => panic!("{call:?} ended with {other:?}"),
        }
    }

    /// The connection as last told.
    #[must_use]
    pub fn status_now(&self) -> Status<Doc> {
        let status = |output: &Output<Doc>| match output {
            Output::Event(Event::State(status)) => Some(status.clone()),
            _ => None,
        };
        self.said().rev().find_map(status).expect("a state")
    }

    /// How long until the next attempt.
    #[must_use]
    pub fn retry_in(&self) -> Option<f64> {
        self.status_now().retry_at.map(|at| at.since(self.driver.now).as_millis())
    }
}

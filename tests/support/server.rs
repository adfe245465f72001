//! The server of the simulated network: it knows the two eras, sessions and its own rules, counts what it executes, and writes down
//! every breach of the protocol by the client. Faults are not its matter: it is always right.

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::{Duration, Era, Hint, Method, Outgoing, ResultKind, Version};

use crate::Doc;

/// How answers to a POST come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// As one JSON body.
    Json,
    /// As a stream of events.
    Events,
    /// Now so, now so.
    Mixed,
}

/// How a legacy server takes a question that it does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shyness {
    /// With a JSON-RPC error.
    Error(i32),
    /// With a bare HTTP status; on a WebSocket with -32601.
    Status(u16),
    /// Not at all; over HTTP with 400.
    Silent,
    /// The browser's preflight fails; on a WebSocket -32601.
    Blocked,
}

/// How a modern server takes `subscriptions/listen`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listening {
    /// It acknowledges and tells what changes.
    Well,
    /// It acknowledges, has nothing to tell, and ends the stream.
    Idle,
    /// It answers without having listened.
    AtOnce,
    /// It does not know the method.
    Unknown,
}

/// What a server is.
#[derive(Clone, Debug)]
pub struct Shape {
    /// It has a WebSocket.
    pub websocket: bool,
    /// It speaks Streamable HTTP.
    pub http: bool,
    /// It speaks 2026-07-28.
    pub modern: bool,
    /// It speaks an earlier revision.
    pub legacy: Option<Version>,
    /// Over HTTP, its legacy side hands out sessions.
    pub sessions: bool,
    /// It says of an unknown session 400 and -32000 instead of 404.
    pub odd_session_refusal: bool,
    /// It refuses a dial that offers subprotocols.
    pub no_subprotocols: bool,
    /// How it answers.
    pub style: Style,
    /// Over HTTP, it speaks HTTP+SSE and nothing else.
    pub sse: bool,
    /// Its streams have event ids, and it keeps answers that were not delivered.
    pub resumable: bool,
    /// Its legacy side keeps a standing stream.
    pub standing: bool,
    /// How its legacy side takes `server/discover`.
    pub shyness: Shyness,
    /// How its modern side takes `subscriptions/listen`.
    pub listening: Listening,
    /// Its caching hint.
    pub ttl: Option<Duration>,
    /// What one user reads, others may be shown.
    pub public: bool,
    /// Its modern side asks for input up to so often, depending on the argument.
    pub rounds: u32,
    /// Over HTTP, its modern side wants headers that mirror the params of its odder tools.
    pub mirrors: bool,
}

/// What it knows of the sender of a message.
#[derive(Clone, Copy, Debug, Default)]
pub struct Channel {
    /// Whether this is Streamable HTTP.
    pub http: bool,
    /// Whether `initialize` was answered on this WebSocket.
    pub initialized: bool,
    /// `Mcp-Session-Id`, asked with or given.
    pub session: Option<u32>,
}

/// What it says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reply {
    /// A result.
    Result(ResultKind, Hint, Doc),
    /// A JSON-RPC error, and its HTTP status.
    Error(i32, Doc, u16),
    /// A status without a reason.
    Status(u16),
    /// Nothing, ever.
    Silence,
    /// Nothing, because the browser did not let the request out.
    Blocked,
    /// Taken; there is nothing to say.
    Accepted,
    /// An acknowledgment, and news from then on; or, when false, the end.
    Listening(bool),
}

/// The server.
#[derive(Debug)]
pub struct Server {
    /// What it is.
    pub shape: Shape,
    /// How often it executed `tools/call`, by argument.
    pub executions: BTreeMap<u32, u32>,
    /// The state of its lists.
    pub edition: u32,
    /// What the client did that no client may do.
    pub breaches: Vec<String>,
    sessions: BTreeSet<u32>,
    sessions_given: u32,
}

impl Server {
    /// A fresh process.
    #[must_use]
    pub fn new(shape: Shape) -> Self {
        Self {
            shape,
            executions: BTreeMap::new(),
            edition: 0,
            breaches: Vec::new(),
            sessions: BTreeSet::new(),
            sessions_given: 0,
        }
    }

    /// Forgets all sessions.
    pub fn forget_sessions(&mut self) {
        self.sessions.clear();
    }

    /// The revisions it speaks.
    #[must_use]
    pub fn supported(&self) -> Doc {
        let modern = if self.shape.modern { Version::newest(Era::Modern).as_str() } else { "" };
        let legacy = self.shape.legacy.map_or("", Version::as_str);
        Doc::supporting(&format!("{modern} {legacy}"))
    }

    /// Takes a message; executes it, if it is to be executed.
    pub fn take(&mut self, message: &Outgoing<Doc>, version: Option<Version>, channel: &mut Channel) -> Reply {
        match message {
            Outgoing::Discover(_) if self.shape.modern => self.complete(self.supported()),
            Outgoing::Discover(_) => self.shy(channel),
            Outgoing::Initialize(..) => self.initialize(version, channel),
            Outgoing::Request { method, params, .. } => match self.admit(*method, version, channel) {
                Some(refusal) => refusal,
                None if version.map(Version::era) == Some(Era::Modern) => {
                    self.question(*method, *params, channel).unwrap_or_else(|| self.execute(*method, *params))
                }
                None => self.execute(*method, *params),
            },
            Outgoing::Listen(..) => self.listen(version, channel),
            Outgoing::Ping(_) => {
                self.admit(Method::PING, version, channel).unwrap_or_else(|| self.complete(Doc::default()))
            }
            Outgoing::Notification { .. }
            | Outgoing::Cancelled(_)
            | Outgoing::Pong(_)
            | Outgoing::Response(_)
            | Outgoing::Initialized => {
                let modern = version.is_some_and(|version| version.era() == Era::Modern);
                match message {
                    Outgoing::Cancelled(_) if channel.http && modern => {
                        self.breach("cancelled by a message over modern HTTP");
                    }
                    Outgoing::Pong(_) | Outgoing::Response(_) if modern => {
                        self.breach("a response in an era in which servers ask nothing");
                    }
                    _ => {}
                }
                Reply::Accepted
            }
        }
    }

    fn shy(&mut self, channel: &Channel) -> Reply {
        match self.shape.shyness {
            Shyness::Error(code) => Reply::Error(code, Doc::default(), 400),
            Shyness::Status(status) if channel.http => Reply::Status(status),
            Shyness::Silent if channel.http => Reply::Status(400),
            Shyness::Silent => Reply::Silence,
            Shyness::Blocked if channel.http => Reply::Blocked,
            Shyness::Status(_) | Shyness::Blocked => Reply::Error(-32601, Doc::default(), 404),
        }
    }

    fn initialize(&mut self, version: Option<Version>, channel: &mut Channel) -> Reply {
        if channel.http && version.is_some() {
            self.breach("initialize announced a revision");
        }
        if channel.session.is_some() {
            self.breach("initialize inside a session");
        }
        let Some(version) = self.shape.legacy else {
            return Reply::Error(-32022, self.supported(), 400);
        };
        channel.initialized = true;
        if channel.http && self.shape.sessions {
            self.sessions_given += 1;
            self.sessions.insert(self.sessions_given);
            channel.session = Some(self.sessions_given);
        }
        self.complete(Doc::speaking(version))
    }

    /// Whether a GET is let in; the status, otherwise.
    pub fn admit_stream(&mut self, version: Option<Version>, session: Option<u32>) -> Result<(), u16> {
        match version.map(Version::era) {
            Some(Era::Legacy) => {}
            Some(Era::Modern) => self.breach("a GET in an era that has none"),
            // The question for HTTP+SSE, which this server is not.
            None => return Err(405),
        }
        let known = session.is_some_and(|session| self.sessions.contains(&session));
        if self.shape.sessions && !known {
            return Err(404);
        }
        Ok(())
    }

    /// Whether a request is let in; why not, otherwise.
    fn admit(&mut self, method: Method, version: Option<Version>, channel: &Channel) -> Option<Reply> {
        let era = version.map(Version::era);
        if era == Some(Era::Modern) {
            if !self.shape.modern {
                self.breach("a modern request to a legacy server");
            }
            if method == Method::PING {
                self.breach("ping in an era that has none");
            }
            if channel.session.is_some() {
                self.breach("a session in an era that has none");
            }
            return None;
        }
        if self.shape.legacy.is_none() {
            self.breach("a legacy request to a modern server");
        }
        if !channel.http {
            if !channel.initialized {
                self.breach("a request before initialize");
            }
            return None;
        }
        if !self.shape.sessions {
            return None;
        }
        match channel.session {
            Some(session) if self.sessions.contains(&session) => None,
            Some(_) if self.shape.odd_session_refusal => Some(Reply::Error(-32000, Doc::default(), 400)),
            Some(_) => Some(Reply::Status(404)),
            None => {
                self.breach("a request without the session it was given");
                Some(Reply::Status(400))
            }
        }
    }

    fn listen(&mut self, version: Option<Version>, channel: &Channel) -> Reply {
        if version.map(Version::era) != Some(Era::Modern) {
            self.breach("a listen in an era that has none");
        }
        if let Some(refusal) = self.admit(Method::LISTEN, version, channel) {
            return refusal;
        }
        match self.shape.listening {
            Listening::Well => Reply::Listening(true),
            Listening::Idle => Reply::Listening(false),
            Listening::AtOnce => self.complete(Doc::default()),
            Listening::Unknown => Reply::Error(-32601, Doc::default(), 404),
        }
    }

    /// What it wants before it executes a modern request.
    fn question(&self, method: Method, params: Doc, channel: &Channel) -> Option<Reply> {
        if self.shape.mirrors && channel.http && method == Method::TOOLS_CALL && params.key % 2 == 1 && !params.mirrored
        {
            return Some(Reply::Error(-32020, Doc::default(), 400));
        }
        let asks = [Method::TOOLS_CALL, Method::RESOURCES_READ, Method::PROMPTS_GET].contains(&method);
        let wanted = params.key % (self.shape.rounds + 1);
        let kind = if params.key.is_multiple_of(3) { ResultKind::StateOnly } else { ResultKind::InputRequired };
        (asks && params.round < wanted).then_some(Reply::Result(
            kind,
            Hint { ttl: self.shape.ttl, public: false },
            params,
        ))
    }

    fn execute(&mut self, method: Method, params: Doc) -> Reply {
        if method == Method::TOOLS_CALL {
            *self.executions.entry(params.key).or_default() += 1;
        }
        let (edition, public) = (self.edition, self.shape.public);
        self.complete(Doc { key: params.key, owner: params.owner, edition, public, ..Doc::default() })
    }

    fn complete(&self, doc: Doc) -> Reply {
        Reply::Result(ResultKind::Complete, Hint { ttl: self.shape.ttl, public: doc.public }, doc)
    }

    fn breach(&mut self, what: &str) {
        self.breaches.push(what.to_owned());
    }
}

//! The value that stands for params, results and errors in tests, and short ways to write requests and messages.

use bowline_core::{
    CacheKey, CacheMode, Config, Duration, Heartbeat, Hint, Incoming, Jitter, Kind, Method, Payload, Reconnect,
    Request, RequestId, ResultKind, Version, Versions,
};

/// A payload. Params carry `key`, results echo it, so that an answer that reached the wrong call shows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Doc {
    /// Which argument, which answer, which session.
    pub key: u32,
    /// Which state of the server a result shows; grows with every `list_changed`.
    pub edition: u32,
    /// The revisions it names: `supportedVersions`, `data.supported`, or `protocolVersion`.
    pub names: Versions,
    /// How often input was asked for and given.
    pub round: u32,
    /// Params whose headers mirror them.
    pub mirrored: bool,
    /// Who asks, or for whom a result is.
    pub owner: u32,
    /// Whether it is for everybody nevertheless.
    pub public: bool,
}

/// A request of the application.
pub type Req = Request<Doc>;

impl Doc {
    /// A payload that is only a number.
    #[must_use]
    pub fn of(key: u32) -> Self {
        Self { key, ..Self::default() }
    }

    /// What `server/discover` brings, or the data of a -32022: the revisions that occur in `text`.
    #[must_use]
    pub fn supporting(text: &str) -> Self {
        let bits = (0u8..).zip(Version::ALL).filter(|(_, version)| text.contains(version.as_str()));
        Self { names: Versions::from_bits(bits.fold(0, |bits, (at, _)| bits | 1 << at)), ..Self::default() }
    }

    /// An `initialize` result.
    #[must_use]
    pub fn speaking(version: Version) -> Self {
        Self { names: Versions::only(version), ..Self::default() }
    }
}

impl Payload for Doc {
    fn versions(&self) -> Versions {
        self.names
    }

    fn subject(&self) -> u32 {
        self.key
    }
}

/// A span of whole milliseconds.
#[must_use]
pub const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// The defaults without chance and heartbeats, so that moments can be named.
#[must_use]
pub fn fixed() -> Config {
    Config {
        reconnect: Reconnect { jitter: Jitter::None, ..Reconnect::default() },
        heartbeat: Heartbeat { interval: ms(0), ..Heartbeat::default() },
        ..Config::default()
    }
}

/// The method of that name in the specification's table.
#[must_use]
pub fn named(name: &str) -> Option<Method> {
    let at = Method::NAMES.split('|').position(|other| other == name)?;
    Some(Method::from_index(at as u32))
}

/// A plain request: normal priority, default limits, past the cache.
#[must_use]
pub fn request(method: Method, key: u32) -> Req {
    Request {
        kind: Kind::Request,
        method,
        params: Some(Doc::of(key)),
        priority: 1,
        lane: 0,
        timeout: None,
        max_total: None,
        max_queue_time: None,
        progress_resets_timeout: false,
        progress: false,
        idempotent: false,
        replays: None,
        key: None,
        cache_mode: CacheMode::Use,
        cache_ttl: None,
    }
}

/// A side effect.
#[must_use]
pub fn tool_call(key: u32) -> Req {
    request(Method::TOOLS_CALL, key)
}

/// A read that may be shared and kept.
#[must_use]
pub fn tools_list(key: u32) -> Req {
    Request { key: Some(CacheKey(key)), ..request(Method::TOOLS_LIST, key) }
}

/// A notification of the application.
#[must_use]
pub fn notify(key: u32) -> Req {
    Request { kind: Kind::Notification, ..request(Method::from_index(Method::FIRST_FOREIGN), key) }
}

/// A wish for a connection.
#[must_use]
pub fn connect() -> Req {
    Request { kind: Kind::Connect, params: None, ..request(Method::PING, 0) }
}

/// A complete result without hints.
#[must_use]
pub fn result(id: RequestId, payload: Doc) -> Incoming<Doc> {
    Incoming::Result { id, kind: ResultKind::Complete, hint: Hint::default(), size: 10, payload }
}

/// A JSON-RPC error.
#[must_use]
pub fn failure(id: RequestId, code: i32) -> Incoming<Doc> {
    Incoming::Error { id: Some(id), code, payload: Doc::default() }
}

/// A notification of the server about one of the client's requests: a listen, say.
#[must_use]
pub fn about(id: RequestId, method: Method) -> Incoming<Doc> {
    Incoming::Notification { method, token: Some(id), payload: Doc::default() }
}

/// A notification of the server that belongs to no call.
#[must_use]
pub fn notification(method: Method) -> Incoming<Doc> {
    Incoming::Notification { method, token: None, payload: Doc::default() }
}

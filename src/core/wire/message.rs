//! JSON-RPC messages as policy sees them: the envelope, and a handle on the rest. Nothing here parses or prints JSON.

use super::{Method, Version, Versions};
use crate::ids::RequestId;

/// An opaque value that the shell keeps: params going out, a result or an error object coming in. Cloning makes a second handle on
/// the same value.
pub trait Payload: Clone {
    /// The revisions that an answer names: `supportedVersions` of a `server/discover` result, `data.supported` of a -32022 error
    /// object, `protocolVersion` of an `initialize` result. Empty when there is no such field.
    fn versions(&self) -> Versions;

    /// What these params are about, those of a `resources/read` or of a `notifications/resources/updated`: equal for equal addresses, and
    /// seldom for others (then more is read again than need be). 0 when they name none.
    fn subject(&self) -> u32;
}

/// A message that arrived.
#[derive(Clone, Debug)]
pub enum Incoming<P> {
    /// A response with a result.
    Result {
        /// Which request it answers.
        id: RequestId,
        /// `resultType`.
        kind: ResultKind,
        /// Caching hints of the result.
        hint: Hint,
        /// Length of the message in UTF-16 units, which is what it weighs in the cache.
        size: u32,
        /// The result.
        payload: P,
    },
    /// A response with an error. `id` is absent when the server could not tell it (P3, P23).
    Error {
        /// Which request it answers.
        id: Option<RequestId>,
        /// `error.code`.
        code: i32,
        /// The error object.
        payload: P,
    },
    /// A notification.
    Notification {
        /// Its method.
        method: Method,
        /// Which of our requests it is about, when that is one of our numbers: `progressToken` of progress, `requestId` of a
        /// cancellation, else the subscription id (P49).
        token: Option<RequestId>,
        /// Its params.
        payload: P,
    },
    /// A request of the server.
    Request {
        /// What it asks.
        asked: Asked,
        /// The whole message: the shell answers with its `id`.
        payload: P,
    },
    /// A WebSocket frame longer than `maxMessageBytes`, whose id could be read.
    TooLarge(RequestId),
    /// Something that is no JSON-RPC message.
    Malformed(Malformed),
}

/// `resultType` (P5): absent means complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResultKind {
    /// `"complete"` or absent.
    Complete,
    /// `"input_required"` (multi round-trip requests).
    InputRequired,
    /// The same without `inputRequests`: the server only wants its state back, later.
    StateOnly,
    /// `"task"`, if the application advertised the tasks extension (P86).
    Task,
    /// A kind we have not offered to understand.
    Unknown,
}

/// Caching hints (P54): how long the server calls the result fresh, if it said so.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Hint {
    /// `ttlMs`; `None` when absent.
    pub ttl: Option<crate::time::Duration>,
    /// `cacheScope` is `"public"` (P55); anything else is private.
    pub public: bool,
}

/// A modern server's error: the headers do not mirror the body.
pub(crate) const HEADER_MISMATCH: i32 = -32020;
/// A modern server's error: a capability is missing that the request needs.
pub(crate) const MISSING_CAPABILITY: i32 = -32021;
/// A modern server's error: the revision is not one of those it names.
pub(crate) const UNSUPPORTED_VERSION: i32 = -32022;

/// What a server asks of its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `ping`: answered with an empty result.
    Ping,
    /// Anything else: the application's to answer.
    Other,
}

/// Why a text is no message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Malformed {
    /// Not JSON.
    Json,
    /// JSON, but no JSON-RPC message.
    Envelope,
    /// Longer than `maxMessageBytes`.
    TooLarge,
    /// A binary WebSocket frame.
    Binary,
}

/// A message to write.
#[derive(Clone, Debug)]
pub enum Outgoing<P> {
    /// A request of the application.
    Request {
        /// Its id, fresh per attempt.
        id: RequestId,
        /// Its method.
        method: Method,
        /// Its params.
        params: P,
        /// Whether the caller listens to progress: the token is the id.
        progress: bool,
    },
    /// A notification of the application.
    Notification {
        /// Its method.
        method: Method,
        /// Its params.
        params: P,
    },
    /// `server/discover`, without params.
    Discover(RequestId),
    /// `initialize`, offering a revision.
    Initialize(RequestId, Version),
    /// `ping`, of our own accord.
    Ping(RequestId),
    /// `notifications/initialized`.
    Initialized,
    /// `notifications/cancelled` for one of our requests.
    Cancelled(RequestId),
    /// `subscriptions/listen` with its params: the id names the subscription too (P47).
    Listen(RequestId, P),
    /// The answer to a server's ping, which is given.
    Pong(P),
    /// The application's response to a request of the server.
    Response(P),
}

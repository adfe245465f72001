//! How a call can end badly: a code for programs, an outcome for the caller's conscience, and the few numbers that explain it.
//! Texts and hints are the package's: they are longer than all of this and never decide anything.

use crate::time::Duration;
use crate::wire::Malformed;

/// What the caller may assume about side effects on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Never left this client.
    NotSent,
    /// Reached the server, which did not execute it; or a request that has no effects.
    NotApplied,
    /// Executed.
    Applied,
    /// Sent, and nobody can tell: the server may or may not have executed it.
    Unknown,
}

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $text:literal),+ $(,)?) => {
        /// What went wrong, as a closed set. The public names, the `McpErrorCode` union, are written where they are told: in glue.js.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = concat!("`", $text, "`")] #[doc = ""] $(#[$doc])* $variant),+ }
    };
}

codes! {
    /// The connection ended under a request that needs it.
    ConnectionClosed = "CONNECTION_CLOSED",
    /// Could not be written: params that are no JSON, or a socket that refuses.
    SendFailed = "SEND_FAILED",
    /// No answer in time.
    RequestTimeout = "REQUEST_TIMEOUT",
    /// No connection in time.
    ConnectTimeout = "CONNECT_TIMEOUT",
    /// A silent WebSocket did not answer a probe either.
    HeartbeatTimeout = "HEARTBEAT_TIMEOUT",
    /// No connection, and the surroundings say that there is no network.
    Offline = "OFFLINE",
    /// No connection.
    ConnectFailed = "CONNECT_FAILED",
    /// All fast attempts used up and `onExhausted` is `"fail"`.
    ReconnectExhausted = "RECONNECT_EXHAUSTED",
    /// `close()` was called.
    ClientClosed = "CLIENT_CLOSED",
    /// The link was lost after sending: it may or may not have been executed.
    OutcomeUnknown = "OUTCOME_UNKNOWN",
    /// The caller's signal or `cancel()`.
    Aborted = "ABORTED",
    /// Only what is kept was asked for, and nothing is.
    NotCached = "NOT_CACHED",
    /// More than `maxQueued` calls wait.
    QueueFull = "QUEUE_FULL",
    /// Not sent within `maxQueueTime`.
    QueueTimeout = "QUEUE_TIMEOUT",
    /// No link, and nothing is to wait for one.
    NotConnected = "NOT_CONNECTED",
    /// The breaker is open.
    CircuitOpen = "CIRCUIT_OPEN",
    /// The server answered with a JSON-RPC error.
    RpcError = "RPC_ERROR",
    /// An HTTP status that is no success.
    HttpError = "HTTP_ERROR",
    /// A response stream ended without the response.
    StreamEnded = "STREAM_ENDED",
    /// The answer is no MCP message.
    ParseError = "PARSE_ERROR",
    /// Longer than `maxMessageBytes`.
    MessageTooLarge = "MESSAGE_TOO_LARGE",
    /// No common protocol revision.
    ProtocolVersion = "PROTOCOL_VERSION",
    /// The server wants input that nobody gives.
    InputRequired = "INPUT_REQUIRED",
    /// A result of a kind that was not offered.
    InvalidResult = "INVALID_RESULT",
    /// HTTP 401, or WebSocket close 4401.
    AuthRequired = "AUTH_REQUIRED",
    /// HTTP 403.
    Forbidden = "FORBIDDEN",
    /// `fetch` failed without telling why: no network, or no CORS headers.
    CorsOrNetwork = "CORS_OR_NETWORK",
    /// The page's Content-Security-Policy.
    CspBlocked = "CSP_BLOCKED",
    /// The page has no permission to call the machine or the network it runs in.
    LocalNetworkBlocked = "LOCAL_NETWORK_BLOCKED",
    /// HTTP 429, WebSocket close 4429, or the client's own limit.
    RateLimited = "RATE_LIMITED",
    /// The engine was told something impossible; a bug of this package.
    Internal = "INTERNAL",
}

/// Where time ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Waiting for its turn or for a connection.
    Queue,
    /// Waiting for the answer.
    Response,
    /// Over all attempts.
    Total,
}

/// The facts behind a code.
#[derive(Clone, Debug)]
pub enum Detail<P> {
    /// Nothing more to say.
    None,
    /// A JSON-RPC error object.
    Rpc(i32, P),
    /// The result that asks for input, and what the package is to add to it.
    Input(P, &'static str),
    /// An HTTP status, and how long the server asked to wait. Status 0: the client's own wish.
    Http(u16, Option<Duration>),
    /// An HTTP status, and what the server said in `WWW-Authenticate`.
    Challenge(u16, P),
    /// A WebSocket close code.
    Close(u16),
    /// A time limit.
    Time(Stage, Duration),
    /// A situation the package has words for.
    Note(&'static str),
}

/// How a call ended badly.
#[derive(Clone, Debug)]
pub struct Error<P> {
    /// What went wrong.
    pub code: Code,
    /// What may have happened on the server.
    pub outcome: Outcome,
    /// The facts.
    pub detail: Detail<P>,
}

impl<P> Error<P> {
    /// An error that happened before anything was sent.
    #[must_use]
    pub const fn new(code: Code, detail: Detail<P>) -> Self {
        Self { code, outcome: Outcome::NotSent, detail }
    }

    /// The same error with another outcome.
    #[must_use]
    pub fn with_outcome(self, outcome: Outcome) -> Self {
        Self { outcome, ..self }
    }

    /// Whether the same call may succeed later without a change to it.
    #[must_use]
    pub const fn retryable(&self) -> bool {
        match self.code {
            Code::ConnectionClosed
            | Code::RequestTimeout
            | Code::ConnectTimeout
            | Code::ConnectFailed
            | Code::HeartbeatTimeout
            | Code::Offline
            | Code::ReconnectExhausted
            | Code::QueueFull
            | Code::QueueTimeout
            | Code::NotConnected
            | Code::CircuitOpen
            | Code::StreamEnded
            | Code::CorsOrNetwork
            | Code::RateLimited => true,
            Code::HttpError => matches!(self.detail, Detail::Http(500.., _)),
            _ => false,
        }
    }

    /// Whether nobody was there, as far as it tells.
    pub(crate) const fn is_unreachable(&self) -> bool {
        matches!(self.code, Code::ConnectFailed | Code::ConnectTimeout | Code::CorsOrNetwork | Code::HeartbeatTimeout)
    }

    /// Whether a connection that ended so cannot be had by trying again. A server that worked before may answer nonsense while it
    /// restarts or while a portal is in the way.
    pub(crate) const fn is_hopeless(&self, worked_before: bool) -> bool {
        match self.code {
            Code::Forbidden | Code::ProtocolVersion | Code::CspBlocked | Code::LocalNetworkBlocked => true,
            // What is sent is not accepted there: data, policy, size, extensions, and whatever the server counts as a wrong request.
            Code::ConnectionClosed => {
                !worked_before && matches!(self.detail, Detail::Close(1003 | 1007..=1010 | 4400..=4499))
            }
            Code::HttpError => !worked_before && matches!(self.detail, Detail::Http(..=499, _)),
            Code::ParseError | Code::InvalidResult | Code::RpcError | Code::MessageTooLarge => !worked_before,
            _ => false,
        }
    }
}

impl<P> From<Malformed> for Error<P> {
    fn from(malformed: Malformed) -> Self {
        let (code, note) = match malformed {
            Malformed::Json => (Code::ParseError, "json"),
            Malformed::Envelope => (Code::ParseError, "envelope"),
            Malformed::Binary => (Code::ParseError, "binary"),
            Malformed::TooLarge => (Code::MessageTooLarge, "too-large"),
        };
        Self::new(code, Detail::Note(note))
    }
}

impl Stage {
    /// The public name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queue => "queue",
            Self::Response => "response",
            Self::Total => "total",
        }
    }
}

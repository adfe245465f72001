//! The engine's two vocabularies: what can happen ([`Input`]) and what is to be done ([`Output`]). Data only.

use crate::config::RateLimit;
use crate::error::Error;
use crate::ids::{CacheKey, CallId, ExchangeId, LinkId, RequestId};
use crate::link::{Cause, Reason, State, Transport};
use crate::policy::BreakerState;
use crate::time::{Duration, Instant};
use crate::wire::{Era, Head, Incoming, Method, Outgoing, Plan, Version};

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Input<P> {
    /// The application wants something.
    Command(Command<P>),
    /// Something happened on a connection.
    Link(LinkId, LinkEvent<P>),
    /// Something happened in an HTTP exchange.
    Exchange(ExchangeId, ExchangeEvent<P>),
    /// The surroundings changed, or the application wants rest. Harmless at any moment.
    Signal(Signal),
    /// The server broke the protocol in a way that the shell forgives, and only it sees.
    Violation,
    /// Time passed. Harmless at any moment.
    Timeout,
}

/// What the surroundings say. None of it is believed blindly: a network that is said to be gone is probed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Signal {
    /// There is a network.
    Online,
    /// There is none.
    Offline,
    /// Somebody can see the page.
    Visible,
    /// Nobody can.
    Hidden,
    /// The page stops running, or goes into the back/forward cache.
    Frozen,
    /// It runs again.
    Resumed,
    /// The machine slept, as a timer that was much too late shows.
    Woken,
    /// The application wants no link until [`Signal::Unpark`], or until it asks for the connection by name.
    Park,
    /// It does not mind one any more.
    Unpark,
}

impl Signal {
    /// Every signal, by its number.
    pub const ALL: [Self; 9] = [
        Self::Online,
        Self::Offline,
        Self::Visible,
        Self::Hidden,
        Self::Frozen,
        Self::Resumed,
        Self::Woken,
        Self::Park,
        Self::Unpark,
    ];
}

/// A wish of the application.
#[derive(Clone, Debug)]
pub enum Command<P> {
    /// Make a call; exactly one [`Output::Settle`] with this id follows.
    Call(CallId, Request<P>),
    /// Settle the call now, and tell the server to stop if it was sent.
    Cancel(CallId),
    /// Move a waiting call to another priority.
    SetPriority(CallId, u8),
    /// Listen to this filter (the params of `subscriptions/listen`) from now on, across links; `None` to nothing any more. In a legacy
    /// era it is only remembered.
    Listen(Option<P>),
    /// Reply to an [`Output::Ask`]: send the call again with these params, or fail it with what led to asking.
    Answer(CallId, Option<P>),
    /// Reply to an [`Output::Asked`] with a whole JSON-RPC response, if its link still works.
    Reply(LinkId, P),
    /// Keep this result as if the server had given it.
    Keep(CacheKey, Keep<P>),
    /// What is kept of this method (`None`: of all), about this (0: about anything), is old.
    Invalidate(Option<Method>, u32),
    /// The calls from now on are another user's: nothing private may cross to them (P55).
    ChangeContext,
    /// Another lane, with a rate of its own: the next number from 1 on, for [`Request::lane`].
    Limit(RateLimit),
    /// Send nothing that waits, or go on.
    Pause(bool),
    /// Cancel what waits: of one method or of all, and of a lower priority than this.
    Clear(Option<Method>, u8),
    /// Drop the link and connect anew, now.
    Reconnect,
    /// Settle everything, end the session, and stay closed.
    Close,
}

/// A result that the application has.
#[derive(Clone, Debug)]
pub struct Keep<P> {
    /// Its method.
    pub method: Method,
    /// What it is about; see [`Payload::subject`](crate::wire::Payload::subject).
    pub subject: u32,
    /// The result.
    pub payload: P,
    /// What it weighs.
    pub size: u32,
    /// How long it is fresh; `None` for the default.
    pub ttl: Option<Duration>,
    /// Whether other authorization contexts may have it.
    pub public: bool,
    /// Whether it is newer than what is kept and what is on its way.
    pub newer: bool,
}

/// What a call asks for.
#[derive(Clone, Debug)]
pub struct Request<P> {
    /// Request, notification, or only a connection.
    pub kind: Kind,
    /// Its method.
    pub method: Method,
    /// Its params; none for [`Kind::Connect`].
    pub params: Option<P>,
    /// 0 low, 1 normal, 2 high, 3 critical.
    pub priority: u8,
    /// The lane whose rate it keeps beside that of all calls; 0 for none.
    pub lane: u8,
    /// From dispatch to answer; `None` for the engine's default.
    pub timeout: Option<Duration>,
    /// From creation to settle; `None` for the engine's default.
    pub max_total: Option<Duration>,
    /// From creation to its first sending; `None` for the engine's default.
    pub max_queue_time: Option<Duration>,
    /// Whether progress restarts `timeout`.
    pub progress_resets_timeout: bool,
    /// Whether the caller listens to progress.
    pub progress: bool,
    /// The caller vouches that a second sending does no harm.
    pub idempotent: bool,
    /// How often it may be sent again after a sending that may have been executed; `None` for the engine's default.
    pub replays: Option<u8>,
    /// Where its result is kept; `None` bypasses the cache and shares no wire request.
    pub key: Option<CacheKey>,
    /// What a kept result is good for.
    pub cache_mode: CacheMode,
    /// No longer than this is its result kept; so long, when the server does not say.
    pub cache_ttl: Option<Duration>,
}

/// What a kept result is good for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum CacheMode {
    /// While it is fresh it is the answer.
    #[default]
    Use,
    /// Nothing: the server is asked, and what it says is kept.
    Refresh,
    /// It is the answer, stale or not, and without one there is none.
    OnlyIfCached,
    /// It is the answer, and a stale one is read again behind the caller's back.
    StaleWhileRevalidate,
}

/// The three kinds of call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Has an answer.
    Request,
    /// Settles when it was handed over.
    Notification,
    /// Settles when the client is ready; puts nothing on the wire.
    Connect,
}

/// What happens on a connection. HTTP links have no connection of their own: theirs arrive as [`ExchangeEvent`]s.
#[derive(Clone, Debug)]
pub enum LinkEvent<P> {
    /// The WebSocket is open.
    Opened,
    /// A message arrived.
    Message(Incoming<P>),
    /// The WebSocket is closed; code 1006 when there was no closing handshake.
    Closed(u16),
    /// The shell could not write a frame; the request with this id, if it was one, did not leave.
    SendFailed(Option<RequestId>),
    /// So many bytes were handed to the WebSocket and not to the network: the reply to [`Output::Measure`], and told unasked after a frame
    /// that brought them above the high mark.
    Buffered(f64),
}

/// What happens in an HTTP exchange.
#[derive(Clone, Debug)]
pub enum ExchangeEvent<P> {
    /// Status and headers arrived.
    Head(Head<P>),
    /// A message arrived: the body, or the data of one event. Without a head before it, it is the whole of a plain 200 answer, and
    /// nothing follows.
    Message(Incoming<P>),
    /// Bytes arrived that complete no message: a comment that keeps an event stream open, or a part of something long.
    Alive,
    /// Once, right before the end of an event stream in which it was seen: the last event id, and how long to wait before the stream
    /// is opened again (P78).
    Cursor {
        /// The text of the last `id:`; none when it was empty, or when there was none.
        id: Option<P>,
        /// The last `retry:`.
        retry: Option<Duration>,
    },
    /// An `endpoint` event of HTTP+SSE: where messages go, or `None` when it is no address of the stream's origin (P83).
    Endpoint(Option<P>),
    /// The body ended.
    Ended,
    /// `fetch` or the body's reader failed.
    Failed(Reach),
}

/// Whether the server was there when `fetch` failed (P90). A browser hides the reason from scripts, but lets them ask without reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Not asked, or no answer in time.
    Unknown,
    /// It answers a request whose answer may not be read: its CORS headers are missing.
    Blocked,
    /// It does not answer.
    Down,
    /// Nothing was sent: the application's own headers could not be had.
    Unsent,
    /// Nothing was sent: the policy of the page forbids it.
    Policy,
    /// Nothing was sent: the page may not call the machine or the network it runs in (P91).
    Local,
}

impl Reach {
    /// Whether it was this side that sent nothing.
    pub(crate) const fn is_ours(self) -> bool {
        matches!(self, Self::Unsent | Self::Policy | Self::Local)
    }
}

/// Something to do.
#[derive(Clone, Debug)]
pub enum Output<P> {
    /// Dial the WebSocket; with or without the subprotocols.
    Dial {
        /// Its name from now on.
        link: LinkId,
        /// Whether to offer `mcp`, `mcp.version.…`.
        subprotocols: bool,
    },
    /// Close the WebSocket and forget it; no event is expected from it any more.
    Hangup(LinkId),
    /// Write a frame.
    Send {
        /// Where.
        link: LinkId,
        /// What.
        message: Outgoing<P>,
        /// The revision in whose form it is written.
        version: Version,
    },
    /// Say with [`LinkEvent::Buffered`] how much the WebSocket holds back.
    Measure(LinkId),
    /// Start an HTTP exchange.
    Fetch(ExchangeId, Plan<P>),
    /// Abort an HTTP exchange; no event is expected from it any more.
    Abort(ExchangeId),
    /// The end of a call.
    Settle(CallId, Result<Settled<P>, Error<P>>),
    /// The caller gets this stale result now. The settle that follows, at once or when the read behind it is done, is told to nobody.
    Serve(CallId, P),
    /// Progress of a call whose caller listens.
    Progress(CallId, P),
    /// A call waits, without limit, for [`Command::Answer`] or for its end; with the result or the error object that says why.
    Ask(CallId, Need, P),
    /// A legacy server's request, as a whole message: it waits for [`Command::Reply`].
    Asked(LinkId, P),
    /// A fact for the application.
    Event(Event<P>),
    /// Nothing refers to this cache key any more.
    Forget(CacheKey),
    /// Remember for the endpoint that its WebSocket failed, for this long.
    RememberFallback(Duration),
    /// Remember for the endpoint which era its server speaks, for this long.
    RememberEra(Era, Duration),
    /// Nothing more to do until then (`None`: until the next input). It may prove earlier than need be, never later.
    Timeout(Option<Instant>),
}

/// What a call cannot go on without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// What a result of kind `input_required` asks for (P42).
    Input,
    /// Headers that mirror its params, which the server missed (P18).
    Headers,
}

/// A good end.
#[derive(Clone, Debug)]
pub struct Settled<P> {
    /// The result; none for notifications and connects.
    pub payload: Option<P>,
    /// Whether it came out of the cache.
    pub cached: bool,
}

/// A fact for the application.
#[derive(Clone, Debug)]
pub enum Event<P> {
    /// The connection changed.
    State(Status<P>),
    /// A server told who it is: the `server/discover` or `initialize` result.
    Server(P),
    /// The endpoint is asked again, or not any more.
    Breaker(BreakerState),
    /// A call is sent again, under a new id; the how-manyeth sending that is.
    Replay(CallId, RequestId, u32),
    /// The answer to a request that was given up with outcome unknown: whether it was executed after all, and what the server says.
    Late(RequestId, bool, P),
    /// A notification of the server that belongs to no call.
    Notification(Method, P),
    /// The event stream of a call's answer, or of the standing `subscriptions/listen`, says nothing; for how long, and whether anything
    /// but its head ever came. It goes on.
    Stalled(Option<CallId>, Duration, bool),
    /// The standing `subscriptions/listen` changed; with the acknowledgment when it is one.
    Listen(ListenPhase, Option<P>),
}

/// How the standing `subscriptions/listen` stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListenPhase {
    /// The server listens; the filter it honours comes with it.
    Acknowledged,
    /// Broken after it was acknowledged; it is asked for again.
    Lost,
    /// Ended by the server in good order; it is asked for again.
    Ended,
    /// The server will not; it is asked again when the filter changes or another link is ready.
    Unsupported,
}

/// The connection as the application may see it.
#[derive(Clone, Debug)]
pub struct Status<P> {
    /// One of eight.
    pub state: State,
    /// What carries traffic.
    pub transport: Option<Transport>,
    /// The era of the server.
    pub era: Option<Era>,
    /// The revision spoken.
    pub version: Option<Version>,
    /// Consecutive attempts without success.
    pub attempt: u32,
    /// When the next attempt starts.
    pub retry_at: Option<Instant>,
    /// Grows with every link that became ready.
    pub epoch: u32,
    /// Why it rests, while it is suspended.
    pub cause: Option<Cause>,
    /// Why the last link or attempt ended.
    pub reason: Option<Reason<P>>,
}

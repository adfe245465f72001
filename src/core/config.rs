//! The engine's settings, already parsed: nothing downstream checks them again. Public names, units and validation are the
//! bindings' (`options.rs`); defaults are here, in one place.

use crate::time::Duration;
use crate::wire::{Era, Versions};

/// Everything an engine can be told at its creation.
#[derive(Clone, Debug)]
pub struct Config {
    /// Dial the WebSocket of the endpoint.
    pub websocket: bool,
    /// Speak Streamable HTTP to the endpoint, at once or as the fallback.
    pub http: bool,
    /// Connect again after a loss.
    pub reconnection: bool,
    /// How.
    pub reconnect: Reconnect,
    /// Whether the WebSocket is looked for again while HTTP serves in its place.
    pub upgrade: Upgrade,
    /// How a silent WebSocket is verified.
    pub heartbeat: Heartbeat,
    /// What the page's life means for the connection.
    pub lifecycle: Lifecycle,
    /// Keep results; `None` caches nothing.
    pub cache: Option<CacheLimits>,
    /// From dispatch to answer, unless a call says otherwise.
    pub timeout: Duration,
    /// From creation to settle, whatever happens in between.
    pub max_total: Duration,
    /// How long the WebSocket goes alone before HTTP is started beside it.
    pub head_start: Duration,
    /// From dialling the WebSocket to its first answer.
    pub probe_timeout: Duration,
    /// How long a WebSocket that failed is not dialled again while HTTP works.
    pub remember_fallback: Duration,
    /// How long an earlier failure still counts, when the engine starts.
    pub fallback_remembered: Duration,
    /// The revisions that may be spoken; the newest that the server speaks too is.
    pub versions: Versions,
    /// The server is trusted to speak the one modern revision of `versions`: HTTP alone, without a WebSocket, is ready without asking.
    pub pinned: bool,
    /// The era in which the server was met earlier, when the engine starts.
    pub known_era: Option<Era>,
    /// How often a call may be sent again after a sending that may have been executed, unless the call says otherwise.
    pub max_replays: u8,
    /// How often one call may be asked for input.
    pub max_input_rounds: u32,
    /// Requests in flight on a WebSocket.
    pub websocket_concurrency: usize,
    /// Requests in flight over HTTP: browsers open six connections to an HTTP/1.1 origin, and one is left for everybody else.
    pub http_concurrency: usize,
    /// Of those, kept for calls of the highest priority; never the last one.
    pub reserve: usize,
    /// Calls that may wait.
    pub max_queued: usize,
    /// When so many wait: the lowest leaves instead of the newcomer, if it is lower.
    pub drop_lowest: bool,
    /// A call that waited so long gains a priority; zero: never.
    pub aging: Duration,
    /// From creation to the first sending, unless a call says otherwise.
    pub max_queue_time: Duration,
    /// Nothing waits for a link, nor for a server that wants to be left alone.
    pub reject_disconnected: bool,
    /// Fewer in flight than that while a server answers later than usual.
    pub adaptive: bool,
    /// Calls in a time; `None`: as many as there are.
    pub rate_limit: Option<RateLimit>,
    /// Leaves an endpoint alone that keeps failing; `None`: never.
    pub breaker: Option<BreakerLimits>,
    /// Nothing more is written while a WebSocket holds back more bytes than this,
    pub high_water: f64,
    /// until they are fewer than this.
    pub low_water: f64,
    /// How long the stream of a listen over HTTP may be silent before it counts as broken; zero for ever.
    pub stream_idle: Duration,
    /// The same for the stream of a call's answer.
    pub call_idle: Duration,
    /// How long the head of a call's answer over HTTP may take; zero for ever.
    pub headers_timeout: Duration,
}

/// Reconnection (seed: `reconnectOptions`).
#[derive(Clone, Debug)]
pub struct Reconnect {
    /// Fast attempts before the client slows down.
    pub max_attempts: u32,
    /// The scale of the first delays.
    pub initial_delay: Duration,
    /// No delay is longer.
    pub max_delay: Duration,
    /// Growth per attempt.
    pub multiplier: f64,
    /// How chance is mixed in.
    pub jitter: Jitter,
    /// Give up after the fast attempts instead of probing slowly.
    pub fail_when_exhausted: bool,
    /// Between slow probes.
    pub suspended_interval: Duration,
    /// A link must have lived this long for the attempt counter to start again.
    pub min_uptime: Duration,
    /// For one attempt, both transports together.
    pub connect_timeout: Duration,
}

/// Jitter of a delay `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Uniform in `[d/2, d)`.
    Equal,
    /// Uniform in `[0, d)`.
    Full,
    /// Exactly `d`: for tests and single clients only, it synchronizes crowds.
    None,
}

/// Calls that may leave in a time.
#[derive(Clone, Debug)]
pub struct RateLimit {
    /// On average.
    pub per_second: f64,
    /// At once, after a pause; at least 1.
    pub burst: f64,
    /// Whether a call beyond that is rejected instead of waiting.
    pub reject: bool,
}

/// When an endpoint is left alone (seed: `circuitBreakerConfig`).
#[derive(Clone, Copy, Debug)]
pub struct BreakerLimits {
    /// After which failures.
    pub trip: Trip,
    /// For how long.
    pub reset: Duration,
    /// Calls at a time that find out whether it is well again.
    pub half_open: u32,
    /// Whether calls without an answer in time are failures.
    pub count_timeouts: bool,
}

/// Which failures are too many.
#[derive(Clone, Copy, Debug)]
pub enum Trip {
    /// So many in a row.
    Consecutive(u32),
    /// A share of the calls in this window and the one before.
    Rate {
        /// 0 to 1.
        share: f64,
        /// Fewer calls decide nothing.
        minimum: u32,
        /// How long one window is.
        window: Duration,
    },
}

/// Whether the WebSocket is looked for again while HTTP serves in its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Beside the working link, when the verdict on it expires.
    Background,
    /// With the next attempt, when the verdict has expired.
    NextConnect,
    /// Not before HTTP fails.
    Never,
}

/// How a silent WebSocket is verified.
#[derive(Clone, Debug)]
pub struct Heartbeat {
    /// Silence after which the server is asked; zero for never.
    pub interval: Duration,
    /// From the question to the verdict.
    pub timeout: Duration,
    /// The same while the page is hidden: its timers are throttled.
    pub hidden_timeout: Duration,
    /// The same after the network, the page or the machine came back.
    pub wake_timeout: Duration,
    /// What is asked.
    pub question: Question,
}

/// The question of a heartbeat.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Question {
    /// What the era has: `ping`, or `server/discover`.
    Auto,
    /// `ping`.
    Ping,
    /// `server/discover`.
    Discover,
}

/// What the page's life means for the connection.
#[derive(Clone, Debug)]
pub struct Lifecycle {
    /// While nobody can see the page.
    pub hidden: WhenHidden,
    /// Without a network, attempts are rare.
    pub suspend_offline: bool,
    /// Links are closed before the page stops running.
    pub close_frozen: bool,
    /// A machine that slept has its link verified.
    pub wake_detection: bool,
}

/// What happens while nobody can see the page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenHidden {
    /// A lost link is opened again when the page is seen, and rarely before.
    Defer,
    /// Nothing special.
    Keep,
    /// The link is closed, and opened again when the page is seen.
    Close,
}

/// Bounds of the cache (seed: `cacheOptions`).
#[derive(Clone, Debug)]
pub struct CacheLimits {
    /// Entries.
    pub max_size: usize,
    /// Sum of the messages' lengths.
    pub max_bytes: usize,
    /// For results without a hint of the server, in the legacy eras.
    pub default_ttl: Duration,
    /// Cap on the server's hint.
    pub max_ttl: Duration,
    /// How long a stale result serves while it is read again.
    pub stale_while_revalidate: Duration,
    /// How long it serves when the server cannot be read.
    pub stale_if_error: Duration,
    /// What counts as stale when news may have been missed.
    pub revalidate: Revalidate,
}

/// What counts as stale once there is another link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Revalidate {
    /// Lists and reads whose changes servers announce.
    Watched,
    /// Everything.
    All,
    /// Nothing.
    None,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            websocket: true,
            http: true,
            reconnection: true,
            reconnect: Reconnect::default(),
            upgrade: Upgrade::Background,
            heartbeat: Heartbeat::default(),
            lifecycle: Lifecycle::default(),
            cache: Some(CacheLimits::default()),
            timeout: Duration::from_millis(60_000),
            max_total: Duration::from_millis(300_000),
            head_start: Duration::from_millis(250),
            probe_timeout: Duration::from_millis(2_500),
            remember_fallback: Duration::from_millis(600_000),
            fallback_remembered: Duration::ZERO,
            versions: Versions::ALL,
            pinned: false,
            known_era: None,
            max_replays: 2,
            max_input_rounds: 10,
            websocket_concurrency: 32,
            http_concurrency: 5,
            reserve: 1,
            max_queued: 1_000,
            drop_lowest: false,
            aging: Duration::from_millis(5_000),
            max_queue_time: Duration::MAX,
            reject_disconnected: false,
            adaptive: false,
            rate_limit: None,
            breaker: None,
            high_water: 1_048_576.0,
            low_water: 262_144.0,
            stream_idle: Duration::from_millis(90_000),
            call_idle: Duration::ZERO,
            headers_timeout: Duration::ZERO,
        }
    }
}

impl Default for BreakerLimits {
    fn default() -> Self {
        Self { trip: Trip::Consecutive(5), reset: Duration::from_millis(60_000), half_open: 1, count_timeouts: true }
    }
}

impl Default for Reconnect {
    fn default() -> Self {
        Self {
            max_attempts: 10,
            initial_delay: Duration::from_millis(1_000),
            max_delay: Duration::from_millis(30_000),
            multiplier: 1.5,
            jitter: Jitter::Equal,
            fail_when_exhausted: false,
            suspended_interval: Duration::from_millis(30_000),
            min_uptime: Duration::from_millis(5_000),
            connect_timeout: Duration::from_millis(10_000),
        }
    }
}

impl Default for Heartbeat {
    fn default() -> Self {
        Self {
            interval: Duration::from_millis(20_000),
            timeout: Duration::from_millis(10_000),
            hidden_timeout: Duration::from_millis(75_000),
            wake_timeout: Duration::from_millis(4_000),
            question: Question::Auto,
        }
    }
}

impl Default for Lifecycle {
    fn default() -> Self {
        Self { hidden: WhenHidden::Defer, suspend_offline: true, close_frozen: true, wake_detection: true }
    }
}

impl Default for CacheLimits {
    fn default() -> Self {
        Self {
            max_size: 1_000,
            max_bytes: 8 << 20,
            default_ttl: Duration::from_millis(300_000),
            max_ttl: Duration::from_millis(86_400_000),
            stale_while_revalidate: Duration::ZERO,
            stale_if_error: Duration::from_millis(60_000),
            revalidate: Revalidate::Watched,
        }
    }
}

//! Public configuration into the core's: the only file that knows both vocabularies. Absent means default; anything of a wrong kind
//! throws a text that names the option, so that a misspelt value never becomes a silent default.

use bowline_core::{
    BreakerLimits, CacheLimits, Config, Duration, Era, Heartbeat, Jitter, Lifecycle, Question, RateLimit, Reconnect,
    Revalidate, Trip, Upgrade, Version, Versions, WhenHidden,
};
use bowline_web::{has, option, option_set, HostObject};
use js_sys::Object;

const FLAG: &str = "false|true";

/// The configuration, and the largest message to accept in bytes.
pub(crate) fn parse(object: &Object, host: &HostObject) -> (Config, f64) {
    let has = |name| has(host, name) != 0;
    let options = Options(object);
    let websocket = options.flag("enableWebSocket", true) && has("webSocketUrl");
    // An http URL without WebSocket is plain HTTP, whatever is said of falling back to it.
    let http = has("url") && (options.flag("enableHttpFallback", true) || !websocket);
    let mut config = Config {
        // Without a constructor there is nothing to dial; HTTP then goes first instead of waiting for the dial to fail.
        websocket: websocket && (has("WebSocket") || !http),
        http,
        reconnection: options.flag("enableReconnection", true),
        ..Config::default()
    };
    options.span("timeout", &mut config.timeout);
    options.span("maxTotalTimeout", &mut config.max_total);
    options.span("transport.headStart", &mut config.head_start);
    options.span("transport.probeTimeout", &mut config.probe_timeout);
    options.span("transport.rememberFallback", &mut config.remember_fallback);
    config.upgrade = match options.choice("transport.upgrade", "background|next-connect|never") {
        Some(1) => Upgrade::NextConnect,
        Some(2) => Upgrade::Never,
        _ => Upgrade::Background,
    };
    options.span("transport.streamIdleTimeout", &mut config.stream_idle);
    options.span("transport.streamIdleTimeout", &mut config.call_idle);
    options.span("transport.headersTimeout", &mut config.headers_timeout);
    let replays = options.number("replay.maxReplays");
    if !replays.is_nan() {
        config.max_replays = replays.min(254.0) as u8;
    }
    options.count("queue.maxQueued", &mut config.max_queued);
    options.count("queue.concurrency", &mut config.websocket_concurrency);
    options.count("queue.concurrency", &mut config.http_concurrency);
    options.count("queue.reserve", &mut config.reserve);
    config.adaptive = options.flag("queue.adaptive", false);
    options.span("queue.aging", &mut config.aging);
    options.span("queue.maxQueueTime", &mut config.max_queue_time);
    config.drop_lowest = options.choice("queue.overflow", "reject|drop-lowest") == Some(1);
    config.reject_disconnected = options.choice("queue.whileDisconnected", "queue|reject") == Some(1);
    options.rate(&mut config);
    options.breaker(&mut config);
    options.measure("transport.highWaterMark", &mut config.high_water);
    options.measure("transport.lowWaterMark", &mut config.low_water);
    // No room at all would be a client that never sends.
    config.websocket_concurrency = config.websocket_concurrency.max(1);
    config.http_concurrency = config.http_concurrency.max(1);
    options.protocol(&mut config);
    options.reconnect(&mut config.reconnect);
    options.heartbeat(&mut config.heartbeat);
    options.lifecycle(&mut config.lifecycle);
    let mut limits = CacheLimits::default();
    options.count("cacheOptions.maxSize", &mut limits.max_size);
    options.count("cacheOptions.maxBytes", &mut limits.max_bytes);
    options.span("cacheOptions.defaultTTL", &mut limits.default_ttl);
    options.span("cacheOptions.maxTTL", &mut limits.max_ttl);
    options.span("cacheOptions.staleWhileRevalidate", &mut limits.stale_while_revalidate);
    options.span("cacheOptions.staleIfError", &mut limits.stale_if_error);
    limits.revalidate = match options.choice("cacheOptions.revalidateOnReconnect", "stale|all|none") {
        Some(1) => Revalidate::All,
        Some(2) => Revalidate::None,
        _ => Revalidate::Watched,
    };
    config.cache = options.flag("enableCaching", true).then_some(limits);
    let mut max_message = f64::from(16 << 20);
    options.measure("transport.maxMessageBytes", &mut max_message);
    (config, max_message)
}

struct Options<'a>(&'a Object);

impl Options<'_> {
    fn protocol(&self, config: &mut Config) {
        let bits = option_set(self.0, "protocol.versions", Version::NAMES);
        if bits != 0 {
            config.versions = Versions::from_bits(bits as u8);
            // Whoever names the one modern revision knows the server.
            config.pinned = config.versions == Versions::of(Era::Modern);
        }
        // An era in which nothing may be spoken is no choice.
        let eras = match (config.versions.newest(Era::Modern), config.versions.newest(Era::Legacy)) {
            (Some(_), Some(_)) => "auto|modern|legacy",
            (Some(_), None) => "auto|modern",
            _ => "auto|legacy",
        };
        let era = match self.choice("protocol.era", eras) {
            Some(1) if config.versions.span_eras() => Versions::of(Era::Modern),
            Some(2) => Versions::of(Era::Legacy),
            _ => Versions::ALL,
        };
        config.versions = config.versions.and(era);
        let rounds = self.number("protocol.maxInputRounds");
        if !rounds.is_nan() {
            config.max_input_rounds = rounds as u32;
        }
    }

    fn rate(&self, config: &mut Config) {
        let path = "rateLimit.requestsPerSecond";
        let per_second = self.number(path);
        if per_second == 0.0 {
            // No choice is a number: it throws.
            option(self.0, path, "a number above 0");
        }
        let mut burst = per_second.ceil();
        self.measure("rateLimit.burst", &mut burst);
        let reject = self.choice("rateLimit.onLimit", "wait|reject") == Some(1);
        if per_second > 0.0 {
            config.rate_limit = Some(RateLimit { per_second, burst: burst.max(1.0), reject });
        }
    }

    fn breaker(&self, config: &mut Config) {
        let mut limits = BreakerLimits::default();
        let (mut threshold, mut half_open, mut minimum) = (5.0, 1.0, 10.0);
        let (mut share, mut window) = (0.5, Duration::from_millis(10_000));
        self.measure("circuitBreaker.failureThreshold", &mut threshold);
        self.measure("circuitBreaker.halfOpenMaxRequests", &mut half_open);
        self.measure("circuitBreaker.errorRate", &mut share);
        self.measure("circuitBreaker.minimumRequests", &mut minimum);
        self.span("circuitBreaker.window", &mut window);
        self.span("circuitBreaker.resetTimeout", &mut limits.reset);
        limits.count_timeouts = self.flag("circuitBreaker.countTimeouts", true);
        // None at all would never find out.
        limits.half_open = half_open.max(1.0) as u32;
        limits.trip = if self.choice("circuitBreaker.mode", "consecutive|rate") == Some(1) {
            Trip::Rate { share, minimum: minimum as u32, window }
        } else {
            Trip::Consecutive(threshold as u32)
        };
        config.breaker = self.flag("circuitBreaker.enabled", false).then_some(limits);
    }

    fn reconnect(&self, reconnect: &mut Reconnect) {
        let attempts = self.number("reconnectOptions.maxAttempts");
        if !attempts.is_nan() {
            reconnect.max_attempts = attempts as u32;
        }
        let multiplier = self.number("reconnectOptions.backoffMultiplier");
        if !multiplier.is_nan() {
            // Delays that shrink would be a storm; below 1 counts as 1.
            reconnect.multiplier = multiplier.max(1.0);
        }
        self.span("reconnectOptions.initialDelay", &mut reconnect.initial_delay);
        self.span("reconnectOptions.maxDelay", &mut reconnect.max_delay);
        self.span("reconnectOptions.suspendedInterval", &mut reconnect.suspended_interval);
        self.span("reconnectOptions.minUptime", &mut reconnect.min_uptime);
        self.span("reconnectOptions.connectTimeout", &mut reconnect.connect_timeout);
        reconnect.jitter = match self.choice("reconnectOptions.jitter", "equal|full|none") {
            Some(1) => Jitter::Full,
            Some(2) => Jitter::None,
            _ => Jitter::Equal,
        };
        reconnect.fail_when_exhausted = self.choice("reconnectOptions.onExhausted", "suspend|fail") == Some(1);
    }

    fn heartbeat(&self, heartbeat: &mut Heartbeat) {
        // An object's text is no choice of the application's, and a number or a name neither.
        if self.choice("heartbeat", "false|[object Object]") == Some(0) {
            heartbeat.interval = Duration::ZERO;
        }
        self.span("heartbeat.interval", &mut heartbeat.interval);
        self.span("heartbeat.timeout", &mut heartbeat.timeout);
        self.span("heartbeat.hiddenTimeout", &mut heartbeat.hidden_timeout);
        self.span("heartbeat.wakeProbeTimeout", &mut heartbeat.wake_timeout);
        heartbeat.question = match self.choice("heartbeat.method", "auto|ping|server/discover") {
            Some(1) => Question::Ping,
            Some(2) => Question::Discover,
            _ => Question::Auto,
        };
    }

    fn lifecycle(&self, lifecycle: &mut Lifecycle) {
        lifecycle.hidden = match self.choice("lifecycle.hidden", "defer-reconnect|keep|close") {
            Some(1) => WhenHidden::Keep,
            Some(2) => WhenHidden::Close,
            _ => WhenHidden::Defer,
        };
        lifecycle.suspend_offline = self.choice("lifecycle.offline", "suspend|ignore") != Some(1);
        lifecycle.close_frozen = self.choice("lifecycle.bfcache", "close|ignore") != Some(1);
        lifecycle.wake_detection = self.flag("lifecycle.wakeDetection", true);
    }

    fn number(&self, path: &str) -> f64 {
        option(self.0, path, "")
    }

    fn span(&self, path: &str, into: &mut Duration) {
        let ms = self.number(path);
        if !ms.is_nan() {
            *into = Duration::from_millis_f64(ms);
        }
    }

    fn count(&self, path: &str, into: &mut usize) {
        let count = self.number(path);
        if !count.is_nan() {
            *into = count as usize;
        }
    }

    fn measure(&self, path: &str, into: &mut f64) {
        let value = self.number(path);
        if !value.is_nan() {
            *into = value;
        }
    }

    fn choice(&self, path: &str, choices: &str) -> Option<u32> {
        let at = option(self.0, path, choices);
        (!at.is_nan()).then_some(at as u32)
    }

    fn flag(&self, path: &str, default: bool) -> bool {
        self.choice(path, FLAG).map_or(default, |at| at == 1)
    }
}

//! Public configuration into the core's: the only file that knows both vocabularies. Absent means default; anything of a wrong kind is
//! an error that names the option, so that a misspelt value never becomes a silent default.

use bowline_core::{CacheLimits, Config, Duration, Era, Jitter, Reconnect};
use bowline_web::HostObject;
use js_sys::{Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

/// The configuration, and the largest message to accept in bytes.
pub(crate) fn parse(config: &Object, host: &HostObject) -> Result<(Config, u32), JsValue> {
    let root = Group { name: "", object: Some(config.clone()) };
    let reconnect = root.group("reconnectOptions")?;
    let cache = root.group("cacheOptions")?;
    let transport = root.group("transport")?;
    let queue = root.group("queue")?;
    let protocol = root.group("protocol")?;
    let defaults = Config::default();
    let limits = CacheLimits::default();
    let concurrency = queue.count("concurrency")?;

    let has = |name: &str| Reflect::get(host, &name.into()).is_ok_and(|value| value.is_truthy());
    let websocket = root.flag("enableWebSocket", true)? && has("webSocketUrl");
    // An http URL without WebSocket is plain HTTP, whatever is said of falling back to it.
    let http = has("url") && (root.flag("enableHttpFallback", true)? || !websocket);
    if !websocket && !http {
        return Err(wrong("serverUrl", "an http(s) URL, or a ws(s) URL with enableWebSocket"));
    }
    let cached = root.flag("enableCaching", true)?;
    let limits = CacheLimits {
        max_size: cache.count("maxSize")?.unwrap_or(limits.max_size),
        max_bytes: cache.count("maxBytes")?.unwrap_or(limits.max_bytes),
        default_ttl: cache.span("defaultTTL")?.unwrap_or(limits.default_ttl),
        max_ttl: cache.span("maxTTL")?.unwrap_or(limits.max_ttl),
    };
    let config = Config {
        // Without a constructor there is nothing to dial; HTTP then goes first instead of waiting for the dial to fail.
        websocket: websocket && (has("WebSocket") || !http),
        http,
        reconnection: root.flag("enableReconnection", true)?,
        reconnect: self::reconnect(&reconnect)?,
        cache: cached.then_some(limits),
        timeout: root.span("timeout")?.unwrap_or(defaults.timeout),
        max_total: root.span("maxTotalTimeout")?.unwrap_or(defaults.max_total),
        head_start: transport.span("headStart")?.unwrap_or(defaults.head_start),
        probe_timeout: transport.span("probeTimeout")?.unwrap_or(defaults.probe_timeout),
        remember_fallback: transport.span("rememberFallback")?.unwrap_or(defaults.remember_fallback),
        era: protocol.choice(
            "era",
            "\"auto\", \"modern\" or \"legacy\"",
            &[("auto", None), ("modern", Some(Era::Modern)), ("legacy", Some(Era::Legacy))],
            None,
        )?,
        websocket_concurrency: concurrency.unwrap_or(defaults.websocket_concurrency).max(1),
        http_concurrency: concurrency.unwrap_or(defaults.http_concurrency).max(1),
        max_queued: queue.count("maxQueued")?.unwrap_or(defaults.max_queued),
        ..defaults
    };
    let max_message = transport.count("maxMessageBytes")?.unwrap_or(16 << 20);
    Ok((config, u32::try_from(max_message).unwrap_or(u32::MAX)))
}

fn reconnect(group: &Group) -> Result<Reconnect, JsValue> {
    let defaults = Reconnect::default();
    let jitters = [("equal", Jitter::Equal), ("full", Jitter::Full), ("none", Jitter::None)];
    let multiplier = group.number("backoffMultiplier")?.unwrap_or(defaults.multiplier);
    if multiplier < 1.0 {
        return Err(group.wrong("backoffMultiplier", "a number of at least 1"));
    }
    Ok(Reconnect {
        max_attempts: group
            .count("maxAttempts")?
            .map_or(defaults.max_attempts, |n| u32::try_from(n).unwrap_or(u32::MAX)),
        initial_delay: group.span("initialDelay")?.unwrap_or(defaults.initial_delay),
        max_delay: group.span("maxDelay")?.unwrap_or(defaults.max_delay),
        multiplier,
        jitter: group.choice("jitter", "\"equal\", \"full\" or \"none\"", &jitters, defaults.jitter)?,
        fail_when_exhausted: group.choice(
            "onExhausted",
            "\"suspend\" or \"fail\"",
            &[("suspend", false), ("fail", true)],
            defaults.fail_when_exhausted,
        )?,
        suspended_interval: group.span("suspendedInterval")?.unwrap_or(defaults.suspended_interval),
        min_uptime: group.span("minUptime")?.unwrap_or(defaults.min_uptime),
        connect_timeout: group.span("connectTimeout")?.unwrap_or(defaults.connect_timeout),
    })
}

/// An object of the configuration, perhaps absent.
struct Group {
    name: &'static str,
    object: Option<Object>,
}

impl Group {
    fn value(&self, name: &str) -> Option<JsValue> {
        let value = Reflect::get(self.object.as_ref()?, &name.into()).ok()?;
        (!value.is_undefined() && !value.is_null()).then_some(value)
    }

    fn group(&self, name: &'static str) -> Result<Self, JsValue> {
        let object = match self.value(name) {
            None => None,
            Some(value) => Some(value.dyn_into().map_err(|_| self.wrong(name, "an object"))?),
        };
        Ok(Self { name, object })
    }

    fn flag(&self, name: &str, default: bool) -> Result<bool, JsValue> {
        self.value(name).map_or(Ok(default), |value| value.as_bool().ok_or_else(|| self.wrong(name, "true or false")))
    }

    /// A finite number that is not negative; infinity counts as "no limit".
    fn number(&self, name: &str) -> Result<Option<f64>, JsValue> {
        let Some(value) = self.value(name) else { return Ok(None) };
        let number = value.as_f64().filter(|n| *n >= 0.0);
        number.map(Some).ok_or_else(|| self.wrong(name, "a number of at least 0"))
    }

    fn span(&self, name: &str) -> Result<Option<Duration>, JsValue> {
        Ok(self.number(name)?.map(Duration::from_millis_f64))
    }

    fn count(&self, name: &str) -> Result<Option<usize>, JsValue> {
        Ok(self.number(name)?.map(|n| n as usize))
    }

    fn choice<T: Copy>(&self, name: &str, expected: &str, choices: &[(&str, T)], default: T) -> Result<T, JsValue> {
        let Some(value) = self.value(name) else { return Ok(default) };
        let text = value.as_string();
        let found = choices.iter().find(|(choice, _)| Some(*choice) == text.as_deref());
        found.map(|(_, chosen)| *chosen).ok_or_else(|| self.wrong(name, expected))
    }

    fn wrong(&self, name: &str, expected: &str) -> JsValue {
        if self.name.is_empty() {
            wrong(name, expected)
        } else {
            wrong(&[self.name, name].join("."), expected)
        }
    }
}

fn wrong(option: &str, expected: &str) -> JsValue {
    [option, " must be ", expected].concat().into()
}

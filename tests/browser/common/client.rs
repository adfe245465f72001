//! A client for tests: the driver with a host, and calls as futures. It adds no behaviour of its own.

use std::rc::Rc;

use bowline_core::{
    CacheKey, CacheMode, CallId, Command, Config, Duration, Input, Jitter, Kind, Method, Reconnect, Request,
};
use bowline_web::{api, Driver, Payload};
use js_sys::{Array, Reflect, JSON};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::host::{attach_call, make_host, pause, Entry, Exchange, Failure, Host, Link, Tables};

/// Longer than anything here takes, on a busy machine too.
const PATIENCE_MS: u32 = 20_000;
const GLANCE_MS: u32 = 10;

/// A driver and its host. Dropping it drops the driver.
pub(crate) struct Client {
    pub(crate) driver: Rc<Driver>,
    pub(crate) host: Host,
    pub(crate) tables: Tables,
}

/// A call under way.
pub(crate) struct Call {
    id: CallId,
    entry: Entry,
}

/// The defaults, except that waiting for the next attempt is short.
pub(crate) fn config() -> Config {
    let reconnect = Reconnect {
        initial_delay: Duration::from_millis(50),
        max_delay: Duration::from_millis(300),
        jitter: Jitter::None,
        ..Reconnect::default()
    };
    Config { reconnect, ..Config::default() }
}

impl Client {
    /// A client of a WebSocket server.
    pub(crate) fn over_web_socket(url: &str) -> Self {
        Self::new(Config { http: false, ..config() }, "", url)
    }

    /// A client of an HTTP server.
    pub(crate) fn over_http(url: &str) -> Self {
        Self::new(Config { websocket: false, ..config() }, url, "")
    }

    pub(crate) fn new(config: Config, url: &str, web_socket_url: &str) -> Self {
        Self::with_limit(16 << 20, config, url, web_socket_url)
    }

    /// A client that accepts messages of at most `limit` bytes.
    pub(crate) fn with_limit(limit: u32, config: Config, url: &str, web_socket_url: &str) -> Self {
        let host = make_host(url, web_socket_url);
        let driver = Driver::new(config, f64::from(limit), &host);
        Self { driver, host, tables: api().unchecked_into() }
    }

    /// Waits until the client is ready.
    pub(crate) async fn connect(&self) {
        let call = self.start(Kind::Connect, Method::PING, 0, None);
        if let Err(failure) = JsFuture::from(call.entry.promise()).await {
            panic!("no connection: {}", failure.unchecked_into::<Failure>().code());
        }
    }

    /// Starts a request; `params` is JSON. Nothing of it is kept or taken from the cache.
    pub(crate) fn request(&self, method: &str, params: &str) -> Call {
        let method = self.tables.method_id(method);
        let params = self.tables.params(method, &parse(params));
        self.start(Kind::Request, Method::from_index(method), params, None)
    }

    /// The same for a read whose result may be kept.
    pub(crate) fn cached(&self, method: &str, params: &str) -> Call {
        let method = self.tables.method_id(method);
        let handle = self.tables.params(method, &parse(params));
        let key = self.tables.key(self.driver.client(), method, &parse(params), None);
        self.start(Kind::Request, Method::from_index(method), handle, Some(CacheKey(key)))
    }

    /// Starts a call of a tool; `arguments` is JSON.
    pub(crate) fn tool(&self, name: &str, arguments: &str) -> Call {
        self.request("tools/call", &format!(r#"{{"name":"{name}","arguments":{arguments}}}"#))
    }

    /// Listens to a filter, as JSON, from now on.
    pub(crate) fn listen(&self, filter: &str) {
        let method = self.tables.method_id("subscriptions/listen");
        let params = self.tables.params(method, &parse(&format!(r#"{{"notifications":{filter}}}"#)));
        self.driver.handle(Input::Command(Command::Listen(Payload::from_raw(params))));
    }

    /// How often the server executed `counter` for this key.
    pub(crate) async fn count(&self, key: &str) -> u32 {
        let text = self.tool("count", &format!(r#"{{"key":"{key}"}}"#)).text().await;
        text.parse().unwrap_or_else(|_| panic!("no number: {text}"))
    }

    /// A call that is cancelled while the server works on it ends here at once, and soon there.
    pub(crate) async fn cancels_on_the_server(&self) {
        let before = self.count("slow:cancelled").await;

        let call = self.tool("slow", r#"{"ms":60000,"steps":600}"#);
        self.until("the server works on it", |_| !call.reports().is_empty()).await;
        self.cancel(&call);
        let failure = call.failure().await;
        assert_eq!((failure.code(), failure.outcome()), ("ABORTED".into(), "unknown".into()));

        self.until_count("slow:cancelled", before + 1).await;
    }

    /// Waits until the server's counter has this value: it may work on the question before it hears of a cancel.
    pub(crate) async fn until_count(&self, key: &str, wanted: u32) {
        for _ in 0..PATIENCE_MS / GLANCE_MS {
            if self.count(key).await == wanted {
                return;
            }
            sleep(GLANCE_MS).await;
        }
        panic!("{key} is {}, not {wanted}", self.count(key).await);
    }

    pub(crate) fn cancel(&self, call: &Call) {
        self.driver.handle(Input::Command(Command::Cancel(call.id)));
    }

    pub(crate) fn is_sent(&self, call: &Call) -> bool {
        self.driver.is_sent(call.id)
    }

    pub(crate) fn state(&self) -> String {
        self.host.states().iter().last().and_then(|state| state.as_string()).unwrap_or_default()
    }

    /// The states since the beginning.
    pub(crate) fn history(&self) -> String {
        self.host.states().join(" ").into()
    }

    /// Every WebSocket that was ever dialled.
    pub(crate) fn links(&self) -> Vec<Link> {
        elements(&self.host.sockets())
    }

    pub(crate) fn exchanges(&self) -> Vec<Exchange> {
        elements(&self.host.exchanges())
    }

    /// Waits until `condition` holds; `what` is said when it never does.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Self) -> bool) {
        for _ in 0..PATIENCE_MS / GLANCE_MS {
            if condition(self) {
                return;
            }
            sleep(GLANCE_MS).await;
        }
        panic!("not within {PATIENCE_MS} ms: {what}; the states were {} ({})", self.history(), self.host.reason());
    }

    fn start(&self, kind: Kind, method: Method, params: i32, key: Option<CacheKey>) -> Call {
        let entry = attach_call(&self.tables, self.driver.client());
        let id = CallId(entry.slot());
        let request = Request {
            kind,
            method,
            params: Payload::from_raw(params),
            priority: 1,
            lane: 0,
            timeout: None,
            max_total: None,
            max_queue_time: None,
            progress_resets_timeout: true,
            progress: kind == Kind::Request,
            idempotent: false,
            replays: None,
            key,
            cache_mode: CacheMode::Use,
            cache_ttl: None,
        };
        self.driver.handle(Input::Command(Command::Call(id, request)));
        Call { id, entry }
    }
}

impl Call {
    /// The result; a failure fails the test.
    pub(crate) async fn result(self) -> JsValue {
        match JsFuture::from(self.entry.promise()).await {
            Ok(result) => result,
            Err(failure) => {
                let failure: Failure = failure.unchecked_into();
                panic!("the call failed: {} ({})", failure.code(), failure.outcome())
            }
        }
    }

    /// The text of a tool's result.
    pub(crate) async fn text(self) -> String {
        let result = self.result().await;
        at(&result, "content.0.text").as_string().unwrap_or_else(|| panic!("no text in {}", print(&result)))
    }

    /// How the call failed; a result fails the test.
    pub(crate) async fn failure(self) -> Failure {
        match JsFuture::from(self.entry.promise()).await {
            Ok(result) => panic!("the call has a result: {}", print(&result)),
            Err(failure) => failure.unchecked_into(),
        }
    }

    /// The progress reported until the result.
    pub(crate) async fn reports_after_the_end(self) -> Vec<f64> {
        let reports = self.entry.reports();
        self.result().await;
        reports.iter().filter_map(|report| report.as_f64()).collect()
    }

    /// The progress reported so far.
    pub(crate) fn reports(&self) -> Vec<f64> {
        self.entry.reports().iter().filter_map(|report| report.as_f64()).collect()
    }
}

/// The value at a path of members.
pub(crate) fn at(value: &JsValue, path: &str) -> JsValue {
    path.split('.').fold(value.clone(), |value, name| Reflect::get(&value, &name.into()).unwrap_or(JsValue::UNDEFINED))
}

pub(crate) async fn sleep(ms: u32) {
    JsFuture::from(pause(ms)).await.expect("a timer does not fail");
}

/// A name that no earlier test gave to anything on a server.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}:{}:{}", js_sys::Date::now(), js_sys::Math::random())
}

fn parse(json: &str) -> JsValue {
    JSON::parse(json).unwrap_or_else(|_| panic!("not JSON: {json}"))
}

fn print(value: &JsValue) -> String {
    JSON::stringify(value).map_or_else(|_| "something unprintable".into(), Into::into)
}

pub(crate) fn elements<T: JsCast>(array: &Array) -> Vec<T> {
    array.iter().map(JsCast::unchecked_into).collect()
}

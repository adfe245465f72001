//! The exported functions: a client is a number. They are synchronous, never throw once the client exists, and do nothing for a number
//! that stands for no client (any more).

use std::cell::RefCell;
use std::rc::Rc;

use bowline_core::{
    CacheKey, CacheMode, CallId, Command, Duration, Input, Instant, Keep, Kind, LinkId, Method, RateLimit, Request,
};
use bowline_web::{Driver, HostObject, Payload};
use js_sys::Object;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;

use crate::options;

/// Bits of `flags` in [`call`].
const NOTIFICATION: i32 = 1;
const CONNECT: i32 = 2;
const PROGRESS: i32 = 4;
const KEEP_TIMEOUT: i32 = 8;
const IDEMPOTENT: i32 = 16;
/// The two bits above these are the cache mode.
const MODE_SHIFT: i32 = 8;

thread_local! {
    /// The clients by their numbers, until they are closed.
    static CLIENTS: RefCell<Vec<Option<Rc<Driver>>>> = const { RefCell::new(Vec::new()) };
}

/// A client with the application's configuration (public names) for the package's `host`, as a number.
///
/// Throws a text that names the option which is wrong, and what it should be.
#[wasm_bindgen]
#[must_use]
pub fn create(config: &Object, host: &HostObject) -> i32 {
    let (config, max_message) = options::parse(config, host);
    let driver = Driver::new(config, max_message, host);
    let client = driver.client();
    // Numbers are given out one after the other, and only here.
    CLIENTS.with_borrow_mut(|clients| clients.push(Some(driver)));
    client
}

/// Makes the call whose settlers are in `slot`. `timeout`, `max_total`, `max_queue_time` and `ttl` are milliseconds, negative for the
/// default; `key` is zero for none. It gives back what [`Payload::left`] says.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::too_many_arguments)] // one crossing of numbers per request
pub fn call(
    now: f64,
    client: i32,
    slot: i32,
    method: i32,
    params: i32,
    priority: i32,
    timeout: f64,
    max_total: f64,
    max_queue_time: f64,
    flags: i32,
    key: i32,
    ttl: f64,
) -> i32 {
    let kind = match flags & (NOTIFICATION | CONNECT) {
        0 => Kind::Request,
        NOTIFICATION => Kind::Notification,
        _ => Kind::Connect,
    };
    let span = |ms: f64| (ms >= 0.0).then(|| Duration::from_millis_f64(ms));
    let request = Request {
        kind,
        method: Method::from_index(method as u32),
        params: Payload::from_raw(params),
        priority: priority as u8,
        lane: (flags >> 24) as u8,
        timeout: span(timeout),
        max_total: span(max_total),
        max_queue_time: span(max_queue_time),
        progress_resets_timeout: flags & KEEP_TIMEOUT == 0,
        progress: flags & PROGRESS != 0,
        idempotent: flags & IDEMPOTENT != 0,
        // Above the other bits: one more than the number, or nothing.
        replays: ((flags >> 16) as u8).checked_sub(1),
        key: (key != 0).then_some(CacheKey(key as u32)),
        cache_mode: match flags >> MODE_SHIFT & 3 {
            1 => CacheMode::Refresh,
            2 => CacheMode::OnlyIfCached,
            3 => CacheMode::StaleWhileRevalidate,
            _ => CacheMode::Use,
        },
        cache_ttl: span(ttl),
    };
    if let Some(driver) = driver(client) {
        driver.handle_at(Instant::from_millis(now), Input::Command(Command::Call(CallId(slot as u32), request)));
    }
    Payload::left()
}

/// Gives up on the call in `slot`.
#[wasm_bindgen]
pub fn cancel(client: i32, slot: i32) {
    tell(client, Command::Cancel(CallId(slot as u32)));
}

/// Answers what the call in `slot` asked for: its new params, or 0 when it cannot go on.
#[wasm_bindgen]
pub fn answer(client: i32, slot: i32, params: i32) {
    tell(client, Command::Answer(CallId(slot as u32), Payload::from_raw(params)));
}

/// Sends a response to a server's request that came on `link`, if that link still works.
#[wasm_bindgen]
pub fn reply(client: i32, link: i32, message: i32) {
    if let Some(message) = Payload::from_raw(message) {
        tell(client, Command::Reply(LinkId(link as u32), message));
    }
}

/// Moves the waiting call in `slot`.
#[wasm_bindgen(js_name = setPriority)]
pub fn set_priority(client: i32, slot: i32, priority: i32) {
    tell(client, Command::SetPriority(CallId(slot as u32), priority as u8));
}

/// Whether the call in `slot` is on the wire: 1 or 0.
#[wasm_bindgen(js_name = isSent)]
#[must_use]
pub fn is_sent(client: i32, slot: i32) -> i32 {
    i32::from(driver(client).is_some_and(|driver| driver.is_sent(CallId(slot as u32))))
}

/// Listens to the filter in `params`, those of `subscriptions/listen`, from now on; 0 is nothing any more.
#[wasm_bindgen]
pub fn listen(client: i32, params: i32) {
    tell(client, Command::Listen(Payload::from_raw(params)));
}

/// A handle on the fresh result under `key`, or 0.
#[wasm_bindgen]
#[must_use]
pub fn peek(client: i32, key: i32) -> i32 {
    driver(client).map_or(0, |driver| driver.peek(CacheKey(key as u32)))
}

/// Keeps a result under `key`; `flags` are 1 for public and 2 for newer than what is kept, a negative `ttl` is the default.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments)] // as above
pub fn keep(client: i32, key: i32, method: i32, subject: i32, handle: i32, size: i32, ttl: f64, flags: i32) {
    if let Some(payload) = Payload::from_raw(handle) {
        let keep = Keep {
            method: Method::from_index(method as u32),
            subject: subject as u32,
            payload,
            size: size as u32,
            ttl: (ttl >= 0.0).then(|| Duration::from_millis_f64(ttl)),
            public: flags & 1 != 0,
            newer: flags & 2 != 0,
        };
        tell(client, Command::Keep(CacheKey(key as u32), keep));
    }
}

/// Four numbers for each fresh result; see the driver.
#[wasm_bindgen]
#[must_use]
pub fn kept(client: i32) -> JsValue {
    driver(client).map_or(JsValue::UNDEFINED, |driver| driver.kept())
}

/// What is kept of `method` (negative: of all), about `subject` (0: about anything), is old.
#[wasm_bindgen]
pub fn invalidate(client: i32, method: i32, subject: i32) {
    let method = (method >= 0).then(|| Method::from_index(method as u32));
    tell(client, Command::Invalidate(method, subject as u32));
}

/// The calls from now on are another user's.
#[wasm_bindgen(js_name = changeContext)]
pub fn change_context(client: i32) {
    tell(client, Command::ChangeContext);
}

/// Another lane with a rate of its own; the calls whose flags say so keep it, above the number of replays.
#[wasm_bindgen]
pub fn limit(client: i32, per_second: f64, burst: f64, reject: i32) {
    tell(client, Command::Limit(RateLimit { per_second, burst, reject: reject != 0 }));
}

/// Sends nothing that waits, or, for 0, goes on.
#[wasm_bindgen]
pub fn pause(client: i32, paused: i32) {
    tell(client, Command::Pause(paused != 0));
}

/// Cancels what waits: of a method or, when that is negative, of all, and of lower priority than `below`.
#[wasm_bindgen]
pub fn clear(client: i32, method: i32, below: i32) {
    let method = (method >= 0).then(|| Method::from_index(method as u32));
    tell(client, Command::Clear(method, below as u8));
}

/// Drops the link and connects anew.
#[wasm_bindgen]
pub fn reconnect(client: i32) {
    tell(client, Command::Reconnect);
}

/// Tells the client what the application wants of it, by the numbers of the core's signals: 7 rest, 8 no rest any more.
#[wasm_bindgen]
pub fn signal(client: i32, signal: i32) {
    if let Some(driver) = driver(client) {
        driver.signal(signal);
    }
}

/// Settles everything and ends the client; its last counters.
#[wasm_bindgen]
#[must_use]
pub fn close(client: i32) -> JsValue {
    let driver = CLIENTS.with_borrow_mut(|clients| clients.get_mut(client as usize).and_then(Option::take));
    // Whoever is using it at this moment keeps it until then.
    driver.map_or(JsValue::UNDEFINED, |driver| {
        driver.close();
        driver.metrics()
    })
}

/// The counters, in the order of the driver; undefined for a client that is closed.
#[wasm_bindgen]
#[must_use]
pub fn metrics(client: i32) -> JsValue {
    driver(client).map_or(JsValue::UNDEFINED, |driver| driver.metrics())
}

fn tell(client: i32, command: Command<Payload>) {
    if let Some(driver) = driver(client) {
        driver.handle(Input::Command(command));
    }
}

fn driver(client: i32) -> Option<Rc<Driver>> {
    CLIENTS.with_borrow(|clients| clients.get(client as usize).cloned().flatten())
}

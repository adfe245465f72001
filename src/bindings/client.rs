//! The exported class. Its methods are synchronous, take `&self` and never throw after construction.

use std::rc::Rc;

use bowline_core::{CacheKey, CallId, Command, Duration, Input, Kind, Method, Request};
use bowline_web::{Driver, HostObject, Payload};
use js_sys::Object;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;

use crate::options;

/// Bits of `flags` in [`Core::call`].
const NOTIFICATION: u32 = 1;
const CONNECT: u32 = 2;
const PROGRESS: u32 = 4;
const KEEP_TIMEOUT: u32 = 8;
const IDEMPOTENT: u32 = 16;

/// One client.
#[wasm_bindgen]
pub struct Core {
    driver: Rc<Driver>,
}

#[wasm_bindgen]
impl Core {
    /// A client with the application's configuration (public names) for the package's `host`.
    ///
    /// Throws a text that names the option which is wrong, and what it should be.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new(config: &Object, host: &HostObject) -> Self {
        let (config, max_message) = options::parse(config, host);
        Self { driver: Driver::new(config, max_message, host) }
    }

    /// The number under which the snippet knows this client.
    #[must_use]
    pub fn client(&self) -> i32 {
        self.driver.client()
    }

    /// Makes the call whose settlers are in `slot`. `timeout` and `max_total` are milliseconds, negative for the default; `key` is zero
    /// for none.
    #[allow(clippy::too_many_arguments)] // one crossing of numbers per request
    pub fn call(
        &self,
        slot: u32,
        method: u32,
        params: i32,
        priority: u8,
        timeout: f64,
        max_total: f64,
        flags: u32,
        key: u32,
    ) {
        let kind = match flags & (NOTIFICATION | CONNECT) {
            0 => Kind::Request,
            NOTIFICATION => Kind::Notification,
            _ => Kind::Connect,
        };
        let span = |ms: f64| (ms >= 0.0).then(|| Duration::from_millis_f64(ms));
        let request = Request {
            kind,
            method: Method::from_index(method),
            params: Payload::from_raw(params),
            priority,
            timeout: span(timeout),
            max_total: span(max_total),
            progress_resets_timeout: flags & KEEP_TIMEOUT == 0,
            progress: flags & PROGRESS != 0,
            idempotent: flags & IDEMPOTENT != 0,
            key: (key != 0).then_some(CacheKey(key)),
        };
        self.tell(Command::Call(CallId(slot), request));
    }

    /// Gives up on the call in `slot`.
    pub fn cancel(&self, slot: u32) {
        self.tell(Command::Cancel(CallId(slot)));
    }

    /// Moves the waiting call in `slot`.
    #[wasm_bindgen(js_name = setPriority)]
    pub fn set_priority(&self, slot: u32, priority: u8) {
        self.tell(Command::SetPriority(CallId(slot), priority));
    }

    /// Whether the call in `slot` is on the wire.
    #[wasm_bindgen(js_name = isSent)]
    #[must_use]
    pub fn is_sent(&self, slot: u32) -> bool {
        self.driver.is_sent(CallId(slot))
    }

    /// Drops the link and connects anew.
    pub fn reconnect(&self) {
        self.tell(Command::Reconnect);
    }

    /// Settles everything and closes for good.
    pub fn close(&self) {
        self.driver.close();
    }

    /// The counters, by their public names.
    #[must_use]
    pub fn metrics(&self) -> JsValue {
        self.driver.metrics()
    }

    fn tell(&self, command: Command<Payload>) {
        self.driver.handle(Input::Command(command));
    }
}

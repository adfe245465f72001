//! The declarations of `glue.js`. What each function does is said there.

use js_sys::Object;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;
use web_sys::{AbortSignal, WebSocket};

/// `on(source, kind, id, handle, info, number, size)`: something happened on a link or in an exchange.
pub(crate) type On = Closure<dyn Fn(u32, u32, f64, u32, u32, f64, u32)>;

#[wasm_bindgen(module = "/glue.js")]
#[allow(clippy::too_many_arguments)] // numbers side by side cross the boundary for nothing; an object would cost more than the call
extern "C" {
    /// The package's side of a client: `url`, `webSocketUrl`, `headers`, `fetch`, `WebSocket`, `clientInfo`, `capabilities`, and the
    /// callbacks `onState`, `onServer`, `onNotification`, `onReplay`.
    #[wasm_bindgen(extends = Object)]
    pub type HostObject;

    /// What the package uses of the snippet.
    pub fn api() -> JsValue;

    #[wasm_bindgen(js_name = isSetUp)]
    pub(crate) fn is_set_up() -> bool;
    #[wasm_bindgen(js_name = addMethod)]
    pub(crate) fn add_method(name: &str, cacheable: bool);
    #[wasm_bindgen(js_name = addVersion)]
    pub(crate) fn add_version(name: &str);
    pub(crate) fn open(host: &HostObject) -> u32;
    pub(crate) fn shut(client: u32);

    pub(crate) fn retain(handle: u32);
    pub(crate) fn release(handle: u32);
    pub(crate) fn revisions(handle: u32, listed: bool) -> String;

    pub(crate) fn settle(client: u32, slot: u32, handle: u32);
    pub(crate) fn failure(
        code: &str,
        outcome: &str,
        retryable: bool,
        kind: &str,
        number: f64,
        extra: f64,
        note: &str,
        handle: u32,
    ) -> JsValue;
    pub(crate) fn fail(client: u32, slot: u32, failure: &JsValue);
    pub(crate) fn progress(client: u32, slot: u32, handle: u32);
    pub(crate) fn state(
        client: u32,
        state: &str,
        transport: &str,
        era: &str,
        version: &str,
        attempt: u32,
        retry_at: f64,
        epoch: u32,
        reason: &JsValue,
    );
    pub(crate) fn server(client: u32, handle: u32);
    pub(crate) fn notification(client: u32, handle: u32);
    pub(crate) fn replay(client: u32, slot: u32);
    pub(crate) fn forget(client: u32, key: u32);
    pub(crate) fn metrics(
        total_requests: f64,
        successful_requests: f64,
        failed_requests: f64,
        cached_responses: f64,
        average_latency: f64,
        active_requests: f64,
        queued_requests: f64,
        last_latency: f64,
        deduplicated: f64,
        replayed: f64,
        unknown_outcomes: f64,
        timeouts: f64,
        aborted: f64,
        violations: f64,
        connects: f64,
        reconnects: f64,
        failed_attempts: f64,
        cache_size: f64,
        cache_bytes: f64,
        bytes_sent: f64,
        bytes_received: f64,
        buffered_amount: f64,
    ) -> JsValue;

    pub(crate) fn send(
        socket: &WebSocket,
        client: u32,
        kind: i32,
        id: f64,
        method: u32,
        handle: u32,
        version: i32,
        progress: bool,
    ) -> f64;
    #[wasm_bindgen(catch)]
    pub(crate) fn dial(client: u32, subprotocols: &str) -> Result<WebSocket, JsValue>;
    pub(crate) fn listen(socket: &WebSocket, source: u32, limit: f64, on: &On);
    #[wasm_bindgen(js_name = copyBytes)]
    pub(crate) fn copy_bytes(handle: u32, into: &mut [u8]);
    #[wasm_bindgen(js_name = receiveBytes)]
    pub(crate) fn receive_bytes(bytes: &[u8], limit: f64, source: u32, on: &On);
    pub(crate) fn exchange(
        client: u32,
        source: u32,
        kind: i32,
        id: f64,
        method: u32,
        handle: u32,
        version: i32,
        progress: bool,
        session: u32,
        signal: &AbortSignal,
        limit: f64,
        on: &On,
    ) -> f64;

    pub(crate) fn now() -> f64;
    pub(crate) fn seed() -> u32;
    #[wasm_bindgen(js_name = rememberFallback)]
    pub(crate) fn remember_fallback(client: u32, ms: f64);
    #[wasm_bindgen(js_name = fallbackRemembered)]
    pub(crate) fn fallback_remembered(client: u32) -> f64;
}

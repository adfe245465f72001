//! The declarations of `glue.js` and its siblings. What each function does is said there. Numbers are
//! `i32` and `f64` throughout: for any other kind of number wasm-bindgen puts a function of its own in between.

use js_sys::Object;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;
use web_sys::WebSocket;

#[wasm_bindgen(module = "/glue.js")]
#[allow(clippy::too_many_arguments)] // numbers side by side cross the boundary for nothing; an object would cost more than the call
extern "C" {
    /// The package's side of a client: `url`, `webSocketUrl`, `headers`, `fetch`, `WebSocket`, `clientInfo`, `capabilities`, and the
    /// callbacks `onState`, `onServer`, `onNotification`, `onReplay`, `onLate`, `onListen`, `onRequest`,
    /// `onSignal`, `onStalled`.
    #[wasm_bindgen(extends = Object)]
    #[derive(Clone)]
    pub type HostObject;

    /// What the package uses of the snippet.
    pub fn api() -> JsValue;

    #[wasm_bindgen(js_name = isSetUp)]
    pub(crate) fn is_set_up() -> i32;
    #[wasm_bindgen(js_name = setUp)]
    pub(crate) fn set_up(exports: &JsValue, methods: &str, cacheable: i32, versions: &str);
    pub(crate) fn open(host: &HostObject, limit: f64, high_water: f64) -> i32;
    pub(crate) fn shut(client: i32);

    pub(crate) fn retain(handle: i32);
    pub(crate) fn release(handle: i32);
    pub(crate) fn revisions(handle: i32) -> i32;

    pub(crate) fn settle(client: i32, slot: i32, handle: i32);
    pub(crate) fn failure(
        code: i32,
        outcome: i32,
        retryable: i32,
        kind: i32,
        number: f64,
        extra: f64,
        note: &str,
        handle: i32,
    ) -> i32;
    pub(crate) fn fail(client: i32, slot: i32, failure: i32);
    pub(crate) fn progress(client: i32, slot: i32, handle: i32);
    pub(crate) fn state(
        client: i32,
        state: i32,
        transport: i32,
        era: i32,
        version: i32,
        attempt: i32,
        retry_at: f64,
        epoch: i32,
        cause: i32,
        reason: i32,
    );
    pub(crate) fn server(client: i32, handle: i32);
    pub(crate) fn notification(client: i32, handle: i32);
    pub(crate) fn breaker(client: i32, state: i32);
    pub(crate) fn stalled(client: i32, slot: i32, ms: f64, flows: i32);
    pub(crate) fn replay(client: i32, slot: i32, id: f64, nth: i32);
    pub(crate) fn late(client: i32, id: f64, applied: i32, handle: i32);
    pub(crate) fn forget(client: i32, key: i32);
    pub(crate) fn note(value: f64);
    pub(crate) fn noted() -> JsValue;

    pub(crate) fn send(
        socket: &WebSocket,
        client: i32,
        kind: i32,
        id: f64,
        method: i32,
        handle: i32,
        version: i32,
        flags: i32,
    ) -> f64;
    pub(crate) fn dial(client: i32, subprotocols: i32) -> Option<WebSocket>;
    pub(crate) fn listen(socket: &WebSocket, client: i32, link: i32);
    pub(crate) fn hangup(socket: &WebSocket);
    #[wasm_bindgen(js_name = copyBytes)]
    pub(crate) fn copy_bytes(handle: i32, into: &mut [u8]);
    #[wasm_bindgen(js_name = receiveBytes)]
    pub(crate) fn receive_bytes(bytes: &[u8], client: i32, source: i32);
    pub(crate) fn wake(client: i32, delay: f64);
}

#[wasm_bindgen(module = "/http.js")]
#[allow(clippy::too_many_arguments)] // as above
extern "C" {
    pub(crate) fn exchange(
        client: i32,
        source: i32,
        kind: i32,
        id: f64,
        method: i32,
        handle: i32,
        version: i32,
        flags: i32,
        session: i32,
        resume: i32,
        endpoint: i32,
    ) -> f64;

    pub(crate) fn abort(client: i32, source: i32);
}

#[wasm_bindgen(module = "/listening.js")]
extern "C" {
    #[wasm_bindgen(js_name = heardListen)]
    pub(crate) fn heard_listen(client: i32, phase: i32, handle: i32);
}

#[wasm_bindgen(module = "/asking.js")]
extern "C" {
    pub(crate) fn ask(client: i32, slot: i32, need: i32, handle: i32);
    pub(crate) fn asked(client: i32, link: i32, handle: i32);
}

#[wasm_bindgen(module = "/signals.js")]
extern "C" {
    pub(crate) fn watch(client: i32);
    pub(crate) fn unwatch(client: i32);
}

#[wasm_bindgen(module = "/keeping.js")]
extern "C" {
    pub(crate) fn subject(handle: i32) -> i32;
    pub(crate) fn serve(client: i32, slot: i32, handle: i32);
}

#[wasm_bindgen(module = "/stream.js")]
extern "C" {
    #[wasm_bindgen(js_name = messageAddress)]
    pub(crate) fn message_address(client: i32, bytes: &[u8]) -> i32;
    #[wasm_bindgen(js_name = headerBytes)]
    pub(crate) fn header_bytes(bytes: &[u8]) -> i32;
}

#[wasm_bindgen(module = "/env.js")]
extern "C" {
    /// An option by its path: NaN when absent; else a number of at least 0, or, given `choices` separated by bars, the index among them.
    /// Throws a `TypeError` that names the option and what it should be.
    pub fn option(config: &Object, path: &str, choices: &str) -> f64;
    /// A list option by its path: the places among `choices` of what it names, as bits; 0 when absent. Throws like `option`.
    #[wasm_bindgen(js_name = optionSet)]
    pub fn option_set(config: &Object, path: &str, choices: &str) -> i32;
    /// Whether the host has the member.
    pub fn has(host: &HostObject, name: &str) -> i32;

    pub(crate) fn now(client: i32) -> f64;
    pub(crate) fn seed(client: i32) -> i32;
    pub(crate) fn remember(host: &HostObject, verdict: i32, ms: f64);
    pub(crate) fn remembered(host: &HostObject, verdict: i32) -> f64;
}

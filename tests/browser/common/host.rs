//! The declarations of `host.js`. What each member does is said there.

use bowline_web::HostObject;
use js_sys::{Array, JsString, Object, Promise};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;

#[wasm_bindgen(module = "/tests/browser/common/host.js")]
extern "C" {
    #[wasm_bindgen(extends = HostObject)]
    #[derive(Clone)]
    pub(crate) type Host;

    #[wasm_bindgen(js_name = makeHost)]
    pub(crate) fn make_host(url: &str, web_socket_url: &str) -> Host;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn states(this: &Host) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn transport(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn era(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn version(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn epoch(this: &Host) -> u32;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn reason(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn server(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn replays(this: &Host) -> u32;
    /// The methods of the notifications that belong to no call.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn notifications(this: &Host) -> Array;
    /// What was told of the listen, as the numbers of the core's phases.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn phases(this: &Host) -> Array;
    /// The filter that the server honours, as JSON.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn honoured(this: &Host) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn sockets(this: &Host) -> Array;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn exchanges(this: &Host) -> Array;
    #[wasm_bindgen(method, setter, js_name = listener)]
    pub(crate) fn set_listener(this: &Host, listener: &JsValue);

    /// What went through `fetch` once.
    pub(crate) type Exchange;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn method(this: &Exchange) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn rpc(this: &Exchange) -> Option<String>;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn headers(this: &Exchange) -> Object;
    #[wasm_bindgen(method, getter, js_name = type)]
    pub(crate) fn content_type(this: &Exchange) -> String;
    /// The session that the server named.
    #[wasm_bindgen(method, getter)]
    pub(crate) fn given(this: &Exchange) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn status(this: &Exchange) -> u16;

    /// A call's entry in the snippet's table.
    pub(crate) type Entry;

    #[wasm_bindgen(js_name = attachCall)]
    pub(crate) fn attach_call(tables: &Tables, client: i32) -> Entry;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn slot(this: &Entry) -> u32;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn promise(this: &Entry) -> Promise;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn reports(this: &Entry) -> Array;

    /// What a call that ends badly rejects with: the snippet's `failure`.
    pub(crate) type Failure;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn code(this: &Failure) -> String;
    #[wasm_bindgen(method, getter)]
    pub(crate) fn outcome(this: &Failure) -> String;

    /// The snippet's `api()`.
    pub(crate) type Tables;

    #[wasm_bindgen(method)]
    pub(crate) fn attach(this: &Tables, client: i32, entry: &JsValue) -> u32;
    #[wasm_bindgen(method, js_name = methodId)]
    pub(crate) fn method_id(this: &Tables, name: &str) -> u32;
    #[wasm_bindgen(method)]
    pub(crate) fn params(this: &Tables, method: u32, given: &JsValue) -> i32;
    #[wasm_bindgen(method)]
    pub(crate) fn key(this: &Tables, client: i32, method: u32, given: &JsValue, always: Option<bool>) -> u32;

    /// The browser's, as far as the tests look at it.
    pub(crate) type Link;

    #[wasm_bindgen(method, getter)]
    pub(crate) fn protocol(this: &Link) -> JsString;
    #[wasm_bindgen(method, getter, js_name = readyState)]
    pub(crate) fn ready_state(this: &Link) -> u16;

    pub(crate) fn pause(ms: u32) -> Promise;
    #[wasm_bindgen(js_name = fetchJson)]
    pub(crate) fn fetch_json(address: &str, method: &str) -> Promise;
    #[wasm_bindgen(js_name = hasSessionStorage)]
    pub(crate) fn has_session_storage() -> bool;
    pub(crate) fn stored(name: &str) -> String;
}

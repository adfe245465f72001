//! The boundary of the wasm module. It translates: public option names into the core's configuration, numbers into commands, counters
//! into an object. It holds no logic and no state; promises are made by the package and settled through the snippet's table.

mod client;
mod options;

pub use client::{
    answer, call, cancel, change_context, clear, close, create, invalidate, is_sent, keep, kept, limit, listen,
    metrics, pause, peek, reconnect, reply, set_priority, signal,
};

use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;

/// Half the size of the standard allocator, whose speed nobody would notice here.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

/// What the package uses of the snippet, so that both use the same instance of it.
#[wasm_bindgen]
#[must_use]
pub fn api() -> JsValue {
    bowline_web::api()
}

//! The browser tests wherever `WASM_BINDGEN_USE_SHARED_WORKER=1` or `WASM_BINDGEN_USE_SERVICE_WORKER=1` puts them: a file that says
//! itself where it runs cannot be told otherwise. What they test is in `common`.
#![cfg(target_arch = "wasm32")]

mod common;

//! The boundary of the cluster's wasm module. It translates: numbers into inputs of the core, its outputs into numbers. It holds no logic and no
//! payload; clients, promises and timers are the package's.

mod cluster;
mod given;
mod options;
mod told;

pub use cluster::{
    cancel, close, connect, create, discovered, down, drain, ended, forecast, hint, isolate, metrics, nodes, probed,
    reads, route, signal, unpin, up, wake,
};
pub use given::{give, name, spell};
pub use told::take;

/// As the client's module has it: half the size of the standard allocator.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

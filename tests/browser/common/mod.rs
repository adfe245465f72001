//! Tests of the shell in a real browser against real servers (`tests/servers`, started by `tests/run.mjs`). What the core decides is
//! tested natively, in `tests/core`; the package around the shell in `tests/packaging` and `tests/e2e`.

mod client;
mod closing;
mod fallback;
mod host;
mod http;
mod listening;
mod loss;
mod peers;
mod reentry;
mod tables;
mod websocket;

//! Performs what `bowline-core` decides, with the browser's WebSocket, `fetch` and timers. It decides nothing: no retry, no limit and
//! no interpretation of an answer is here. Works in a page, in every kind of worker, and in Node.

mod driver;
mod fetch;
mod glue;
mod message;
mod payload;
mod socket;
mod timer;

pub use driver::{hear, Driver};
pub use glue::{api, has, option, option_set, HostObject};
pub use payload::Payload;

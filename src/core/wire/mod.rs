//! What MCP messages mean to the client's policies. Texts and values stay with the shell: here are only kinds, ids, numbers and the
//! rules that follow from them.

mod http;
mod message;
mod method;
mod sse;
mod version;

pub use http::{Content, Head, Plan, Verb};
pub use message::{Asked, Hint, Incoming, Malformed, Outgoing, Payload, ResultKind};
pub(crate) use message::{HEADER_MISMATCH, MISSING_CAPABILITY, UNSUPPORTED_VERSION};
pub use method::{Effect, Method};
pub use sse::{Parser, Sink, TooLong};
pub use version::{Era, Version, Versions};

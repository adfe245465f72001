//! One client's connection: how it is set up, kept and lost, and the calls that travel on it.

mod call;
mod channel;
mod closing;
mod connection;
mod context;
mod exchange;
mod handshake;
mod heartbeat;
mod lifecycle;
mod listen;
mod stream;
mod trial;
mod upgrade;

pub(crate) use call::{Ask, Call, Calls, Phase, Sending};
pub(crate) use channel::Channel;
pub(crate) use connection::Connection;
pub(crate) use context::{Change, Context, Ids, Link};
pub(crate) use exchange::{refused, unreached, Answer, Exchange, Exchanges, Purpose, Step};
pub(crate) use handshake::{Handshake, Next};
pub(crate) use listen::{Concern, Listen};
pub(crate) use stream::Stream;

pub use crate::error::Error as Reason;
pub use lifecycle::Cause;

/// The kind of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Transport {
    /// One socket, one message per text frame.
    WebSocket,
    /// Streamable HTTP: one exchange per message.
    Http,
}

/// Where the connection stands, as the application sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum State {
    /// Created; nothing opened yet.
    Idle,
    /// The first attempt is running.
    Connecting,
    /// One round trip was verified; calls flow.
    Ready,
    /// Lost; the next attempt is scheduled or running.
    Reconnecting,
    /// Rests, and the cause is told: slow probes only, or none.
    Suspended,
    /// The server wants a credential.
    AuthRequired,
    /// `close()` was called.
    Closed,
    /// Cannot work as configured; a new call or `connect()` tries again.
    Failed,
}

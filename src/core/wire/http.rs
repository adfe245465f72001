//! HTTP exchanges as data: what the shell is to send, and what of an answer's head policy needs. The shell writes the header lines
//! (P12, P13), since the values they carry are its own.

use super::{Outgoing, Version};
use crate::time::Duration;

/// The HTTP method of a [`Plan`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A message to the server.
    Post,
    /// An event stream of the legacy eras (P77, P78, P83).
    Get,
    /// The end of a session (P76).
    Delete,
    /// GET as well, of the WebSocket's address.
    Probe,
}

/// An HTTP exchange the shell must do.
#[derive(Clone, Debug)]
pub struct Plan<P> {
    /// What is done.
    pub verb: Verb,
    /// The body; POST has one.
    pub message: Option<Outgoing<P>>,
    /// `MCP-Protocol-Version`, and from 2026-07-28 on `Mcp-Method` and `Mcp-Name` too; none for `initialize`, whose answer decides it.
    pub version: Option<Version>,
    /// `Mcp-Session-Id`, exactly as the server gave it.
    pub session: Option<P>,
    /// `Last-Event-ID`: where a stream that broke off goes on (P78).
    pub resume: Option<P>,
    /// The address to use instead of the server's own: HTTP+SSE names one for its messages (P83).
    pub endpoint: Option<P>,
}

/// The head of an answer.
#[derive(Clone, Debug)]
pub struct Head<P> {
    /// HTTP status.
    pub status: u16,
    /// What the body is.
    pub content: Content,
    /// `Mcp-Session-Id`, if the server gave one and the browser may see it.
    pub session: Option<P>,
    /// `Retry-After`, as a span from now.
    pub retry_after: Option<Duration>,
    /// `WWW-Authenticate` of a 401 or 403, if the browser may see it. Such a status is the whole answer, whatever its body.
    pub challenge: Option<P>,
}

/// The media type of a body, as far as it matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// `application/json` and its relatives.
    Json,
    /// `text/event-stream`.
    EventStream,
    /// `text/html`: most likely a login page, a captive portal, or an app's index page.
    Html,
    /// Anything else, or nothing.
    Other,
}

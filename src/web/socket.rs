//! One WebSocket; dropping it takes its listeners off and closes it.

use bowline_core::LinkId;
use web_sys::WebSocket;

use crate::glue;

/// An open or opening socket.
pub(crate) struct Socket {
    pub(crate) link: LinkId,
    pub(crate) socket: WebSocket,
}

impl Drop for Socket {
    fn drop(&mut self) {
        glue::hangup(&self.socket);
    }
}

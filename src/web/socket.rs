//! One WebSocket; dropping it takes its listeners off and closes it.

use bowline_core::LinkId;
use web_sys::WebSocket;

/// An open or opening socket.
pub(crate) struct Socket {
    pub(crate) link: LinkId,
    pub(crate) socket: WebSocket,
}

impl Drop for Socket {
    fn drop(&mut self) {
        self.socket.set_onopen(None);
        self.socket.set_onmessage(None);
        self.socket.set_onclose(None);
        // Closing a socket that is closed already is harmless; no code means 1005, a normal end.
        let _ = self.socket.close();
    }
}

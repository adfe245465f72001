//! One WebSocket with its listeners; dropping it takes the listeners off and closes it.

use bowline_core::LinkId;
use js_sys::Function;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::JsCast;
use web_sys::{CloseEvent, WebSocket};

/// An open or opening socket.
pub(crate) struct Socket {
    pub(crate) link: LinkId,
    pub(crate) socket: WebSocket,
    _opened: Closure<dyn Fn()>,
    _closed: Closure<dyn Fn(CloseEvent)>,
}

impl Socket {
    /// Listens to a socket that was just made.
    pub(crate) fn new(
        link: LinkId,
        socket: WebSocket,
        on_message: &Function,
        on_opened: impl Fn() + 'static,
        on_closed: impl Fn(u16) + 'static,
    ) -> Self {
        let opened: Closure<dyn Fn()> = Closure::new(on_opened);
        let closed: Closure<dyn Fn(CloseEvent)> = Closure::new(move |event: CloseEvent| on_closed(event.code()));
        socket.set_onopen(Some(opened.as_ref().unchecked_ref()));
        socket.set_onmessage(Some(on_message));
        socket.set_onclose(Some(closed.as_ref().unchecked_ref()));
        // An error event says nothing; the close event that follows it does. Without a listener Node's `ws` would throw.
        socket.set_onerror(Some(&Function::default()));
        Self { link, socket, _opened: opened, _closed: closed }
    }
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

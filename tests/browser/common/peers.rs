//! The real servers: their addresses, and the control that breaks the links to them.

use js_sys::{JsString, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::host::fetch_json;

/// The addresses of the servers by their names.
pub(crate) struct Peers(JsValue);

impl Peers {
    /// Reads the file that the starter of the servers wrote; the test runner's web server hands it out.
    pub(crate) async fn find() -> Self {
        Self(json("/target/peer.json", "GET").await)
    }

    pub(crate) fn url(&self, name: &str) -> String {
        Reflect::get(&self.0, &JsString::from(name)).unwrap().as_string().expect(name)
    }

    /// The address of a port that nobody listens on, as a WebSocket's.
    pub(crate) fn refused_web_socket(&self) -> String {
        self.url("refused").replacen("http", "ws", 1)
    }

    /// Resets every connection to the server now.
    pub(crate) async fn cut(&self, name: &str) {
        self.control("cut", name).await;
    }

    /// Lets connections to the server hang, old and new.
    pub(crate) async fn pause(&self, name: &str) {
        self.control("pause", name).await;
    }

    /// Ends [`Peers::pause`]. Harmless without one, and tells how many connections to the server are open.
    pub(crate) async fn resume(&self, name: &str) -> f64 {
        self.control("resume", name).await
    }

    /// Kills the server and starts it anew; it has forgotten everything.
    pub(crate) async fn restart(&self, name: &str) {
        self.control("restart", name).await;
    }

    /// The tools of the modern server change, and whoever listens to it hears of that.
    pub(crate) async fn change_tools(&self) {
        json(&self.url("modern").replace("/mcp", "/control?event=toolsChanged"), "POST").await;
    }

    async fn control(&self, action: &str, name: &str) -> f64 {
        let answer = json(&format!("{}/{action}?name={name}", self.url("control")), "POST").await;
        Reflect::get(&answer, &"connections".into()).unwrap().as_f64().expect("connections")
    }
}

async fn json(address: &str, method: &str) -> JsValue {
    JsFuture::from(fetch_json(address, method)).await.unwrap_or_else(|error| {
        panic!("{}", error.dyn_into::<js_sys::Error>().map_or_else(|_| address.into(), |error| error.to_string()))
    })
}

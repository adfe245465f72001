//! An endpoint whose WebSocket refuses connections: HTTP takes over, and later clients of the page know.

use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{config, Client};
use super::host::{has_session_storage, stored};
use super::peers::Peers;

#[wasm_bindgen_test]
async fn a_refused_web_socket_falls_back_to_http_and_is_not_tried_again() {
    let peers = Peers::find().await;
    let (http, web_socket) = (peers.url("modern"), peers.refused_web_socket());

    let first = Client::new(config(), &http, &web_socket);
    assert_eq!(first.tool("add", r#"{"a":2,"b":3}"#).text().await, "5");
    assert_eq!(first.host.transport(), "http");
    assert!(!first.links().is_empty(), "the WebSocket was not even tried");
    assert!(!first.history().contains("reconnecting"), "{}", first.history());
    // Firefox puts off a second dial to an address that refused the first, so HTTP may be ready before the verdict is.
    first
        .until("the WebSocket failed for good", |first| first.links().iter().all(|link| link.ready_state() == 3))
        .await;

    let second = Client::new(config(), &http, &web_socket);
    assert_eq!(second.tool("add", r#"{"a":2,"b":4}"#).text().await, "6");
    assert_eq!(second.host.transport(), "http");
    assert_eq!(second.links().len(), 0, "the WebSocket was tried again");

    // Another WebSocket of the same page is another matter.
    let third = Client::new(config(), &http, &peers.url("python-ws"));
    third.connect().await;
    assert_eq!(third.links().len(), 1);
    assert_eq!(third.host.transport(), "websocket");

    // Where there is session storage the verdict outlives the page; elsewhere the thread remembers, as shown.
    if has_session_storage() {
        let until = stored(&format!("bowline:fallback:{web_socket}"));
        assert!(until.parse::<f64>().is_ok_and(|until| until > js_sys::Date::now()), "{until}");
    }
}

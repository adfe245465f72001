//! Streamable HTTP against three official servers: both eras, with and without a session, JSON and event-stream answers.

use bowline_core::{Config, Era, Versions};
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{at, config, Client};
use super::host::Exchange;
use super::peers::Peers;

fn header(exchange: &Exchange, name: &str) -> Option<String> {
    at(&exchange.headers(), name).as_string()
}

fn of<'a>(exchanges: &'a [Exchange], rpc: &str) -> &'a Exchange {
    exchanges.iter().find(|exchange| exchange.rpc().as_deref() == Some(rpc)).unwrap_or_else(|| panic!("no {rpc}"))
}

/// Asserts that one session was begun and that everything after went through it.
fn assert_one_session(exchanges: &[Exchange]) -> String {
    let first = of(exchanges, "initialize");
    assert!(!first.given().is_empty(), "the server begins a session");
    assert_eq!(header(first, "mcp-session-id"), None);
    for exchange in exchanges.iter().filter(|exchange| exchange.rpc().as_deref() != Some("initialize")) {
        // The discovery that found out the era came before the session.
        if exchange.rpc().as_deref() != Some("server/discover") {
            assert_eq!(header(exchange, "mcp-session-id"), Some(first.given()), "{:?}", exchange.rpc());
        }
    }
    first.given()
}

#[wasm_bindgen_test]
async fn a_server_of_2026_is_discovered_and_needs_no_session() {
    let client = Client::over_http(&Peers::find().await.url("modern"));
    client.connect().await;

    assert_eq!(client.history(), "idle connecting ready");
    assert_eq!(client.host.transport(), "http");
    assert_eq!(client.host.era(), "modern");
    assert_eq!(client.host.version(), "2026-07-28");
    assert_eq!(client.host.server(), "bowline-modern");
    assert_eq!(client.tool("add", r#"{"a":2,"b":3}"#).text().await, "5");

    let exchanges = client.exchanges();
    let methods: Vec<_> = exchanges.iter().filter_map(Exchange::rpc).collect();
    assert_eq!(methods, ["server/discover", "tools/call"]);
    let call = of(&exchanges, "tools/call");
    assert_eq!(header(call, "mcp-protocol-version").as_deref(), Some("2026-07-28"));
    assert_eq!(header(call, "mcp-method").as_deref(), Some("tools/call"));
    assert_eq!(header(call, "mcp-name").as_deref(), Some("add"));
    assert_eq!(header(call, "mcp-session-id"), None);
}

#[wasm_bindgen_test]
async fn a_server_of_2026_reports_progress_on_the_stream_of_the_answer() {
    let client = Client::over_http(&Peers::find().await.url("modern"));

    let call = client.tool("slow", r#"{"ms":300,"steps":3}"#);
    client.until("the first report arrives", |_| !call.reports().is_empty()).await;
    assert_eq!(call.reports(), [1.0], "reports arrive one by one, before the result");
    assert_eq!(call.reports_after_the_end().await, [1.0, 2.0, 3.0]);
    assert!(of(&client.exchanges(), "tools/call").content_type().starts_with("text/event-stream"));
}

#[wasm_bindgen_test]
async fn a_call_cancelled_over_http_stops_on_the_server() {
    let client = Client::over_http(&Peers::find().await.url("modern"));
    client.cancels_on_the_server().await;
}

#[wasm_bindgen_test]
async fn a_legacy_server_gets_a_session_and_answers_in_event_streams() {
    let client = Client::over_http(&Peers::find().await.url("everything"));
    client.connect().await;

    assert_eq!(client.host.era(), "legacy");
    assert_eq!(client.host.version(), "2025-11-25");
    assert!(!client.host.server().is_empty());
    let said = "naïve – 綱 – 🪢";
    let text = client.tool("echo", &format!(r#"{{"message":"{said}"}}"#)).text().await;
    assert!(text.contains(said), "{text}");

    let exchanges = client.exchanges();
    assert_one_session(&exchanges);
    let call = of(&exchanges, "tools/call");
    assert!(call.content_type().starts_with("text/event-stream"), "{}", call.content_type());
    assert_eq!(header(call, "mcp-protocol-version").as_deref(), Some("2025-11-25"));
    assert_eq!(header(call, "mcp-method"), None);
    assert_eq!(of(&exchanges, "notifications/initialized").status(), 202);
}

#[wasm_bindgen_test]
async fn the_python_server_speaks_the_newest_revision_when_nothing_else_is_asked() {
    let client = Client::over_http(&Peers::find().await.url("python-http"));

    let call = client.tool("slow", r#"{"ms":200,"steps":2}"#);
    assert_eq!(call.reports_after_the_end().await, [1.0, 2.0]);
    assert_eq!(client.host.version(), "2026-07-28");
    assert_eq!(client.host.server(), "bowline-python-http");
}

#[wasm_bindgen_test]
async fn a_server_that_was_found_to_be_legacy_is_initialized_first_by_the_next_client() {
    let url = Peers::find().await.url("everything");
    Client::over_http(&url).connect().await;

    let next = Client::over_http(&url);
    next.connect().await;

    let methods: Vec<_> = next.exchanges().iter().filter_map(Exchange::rpc).collect();
    assert_eq!(methods.first().map(String::as_str), Some("initialize"), "{methods:?}");
    assert_eq!(next.host.era(), "legacy");
}

#[wasm_bindgen_test]
async fn the_python_server_keeps_a_session_with_a_client_of_the_legacy_era() {
    let peers = Peers::find().await;
    let config = Config { websocket: false, versions: Versions::of(Era::Legacy), ..config() };
    let client = Client::new(config, &peers.url("python-http"), "");

    assert_eq!(client.tool("add", r#"{"a":2,"b":3}"#).text().await, "5");
    assert_eq!(client.host.version(), "2025-11-25");
    assert_one_session(&client.exchanges());
}

#[wasm_bindgen_test]
async fn a_session_that_a_restarted_server_forgot_is_begun_again() {
    let peers = Peers::find().await;
    let config = Config { websocket: false, versions: Versions::of(Era::Legacy), ..config() };
    let client = Client::new(config, &peers.url("python-http"), "");
    client.connect().await;
    let (epoch, before) = (client.host.epoch(), client.exchanges().len());
    let session = assert_one_session(&client.exchanges());

    peers.restart("python-http").await;
    client.request("tools/list", "{}").result().await;

    assert!(client.host.epoch() > epoch);
    let after = &client.exchanges()[before..];
    assert!(after.iter().any(|exchange| exchange.status() == 404), "the server says that it knows no such session");
    let renewed = of(after, "initialize");
    assert!(!renewed.given().is_empty() && renewed.given() != session);
    assert_eq!(after.last().and_then(|exchange| header(exchange, "mcp-session-id")), Some(renewed.given()));
}

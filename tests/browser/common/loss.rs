//! Links that are cut, by resetting the TCP connections in front of the servers: what is sent again, what must not be, and what the
//! servers really executed.

use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{sleep, unique, Call, Client};
use super::peers::Peers;

const CUTS: u32 = 50;

#[wasm_bindgen_test]
async fn a_cut_while_idle_is_noticed_and_repaired() {
    let peers = Peers::find().await;
    let client = Client::over_web_socket(&peers.url("python-ws"));
    client.connect().await;
    let epoch = client.host.epoch();

    peers.cut("python-ws").await;
    client.until("a new link", |client| client.host.epoch() > epoch).await;

    assert_eq!(client.history(), "idle connecting ready reconnecting ready");
    assert_eq!(client.tool("add", r#"{"a":2,"b":3}"#).text().await, "5");
    assert_eq!(client.links().len(), 2);
    assert_eq!(client.links()[0].ready_state(), 3);
}

#[wasm_bindgen_test]
async fn a_call_with_side_effects_cut_on_a_web_socket_is_never_sent_again() {
    let peers = Peers::find().await;
    let client = Client::over_web_socket(&peers.url("python-ws"));
    client.connect().await;
    assert_never_sent_again(&peers, "python-ws", &client).await;
}

#[wasm_bindgen_test]
async fn a_call_with_side_effects_cut_over_http_before_the_answer_is_never_sent_again() {
    let peers = Peers::find().await;
    let client = Client::over_http(&peers.url("modern"));
    client.connect().await;
    forget_connections(&peers, "modern").await;
    assert_never_sent_again(&peers, "modern", &client).await;
}

#[wasm_bindgen_test]
async fn a_call_with_side_effects_cut_over_http_during_the_answer_is_never_sent_again() {
    let peers = Peers::find().await;
    let client = Client::over_http(&peers.url("modern"));
    let before = client.count("slow:started").await;
    let call = client.tool("slow", r#"{"ms":60000,"steps":600}"#);
    client.until("the answer has begun", |_| !call.reports().is_empty()).await;

    peers.cut("modern").await;
    assert_unknown(call).await;

    assert_eq!(client.count("slow:started").await, before + 1);
}

#[wasm_bindgen_test]
async fn a_read_cut_on_a_web_socket_is_replayed() {
    let peers = Peers::find().await;
    let client = Client::over_web_socket(&peers.url("python-ws"));
    client.connect().await;
    assert_replayed(&peers, "python-ws", &client).await;
}

#[wasm_bindgen_test]
async fn a_read_cut_over_http_is_replayed() {
    let peers = Peers::find().await;
    let client = Client::over_http(&peers.url("modern"));
    client.connect().await;
    forget_connections(&peers, "modern").await;
    assert_replayed(&peers, "modern", &client).await;
}

async fn assert_never_sent_again(peers: &Peers, server: &str, client: &Client) {
    let key = unique("cut");
    let call = client.tool("counter", &format!(r#"{{"key":"{key}","ms":60000}}"#));
    client.until("the call is sent", |client| client.is_sent(&call)).await;
    client.until_count(&key, 1).await;

    peers.cut(server).await;
    assert_unknown(call).await;

    // Another call, on the new link, would follow a second sending.
    assert_eq!(client.tool("add", r#"{"a":2,"b":3}"#).text().await, "5");
    assert_eq!(client.count(&key).await, 1);
    assert_eq!(client.host.replays(), 0);
}

async fn assert_unknown(call: Call) {
    let failure = call.failure().await;
    assert_eq!((failure.code(), failure.outcome()), ("OUTCOME_UNKNOWN".into(), "unknown".into()));
}

async fn assert_replayed(peers: &Peers, server: &str, client: &Client) {
    // The read leaves but does not arrive: then the link dies under it.
    peers.pause(server).await;
    let call = client.request("resources/read", r#"{"uri":"demo://time"}"#);
    client.until("the read is sent", |client| client.is_sent(&call)).await;
    // More than once: a busy browser may dial only after the first cut, and a proxy at rest would hold that connection for ever.
    let is_lost = |client: &Client| client.history().ends_with("reconnecting");
    for _ in 0..CUTS {
        peers.cut(server).await;
        if is_lost(client) {
            break;
        }
        sleep(100).await;
    }
    client.until("the loss is noticed", is_lost).await;
    peers.resume(server).await;

    call.result().await;
    assert_eq!(client.host.replays(), 1);
}

/// Chromium sends any request again by itself, and tells nobody, when it left on a connection that served before and that is reset
/// before the answer begins. With the idle connections gone, the next request leaves on one that never served.
async fn forget_connections(peers: &Peers, server: &str) {
    peers.cut(server).await;
    sleep(100).await;
}

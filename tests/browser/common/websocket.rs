//! WebSocket against the official Python server. Lost links are in `loss`.

use js_sys::Array;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{at, Client};
use super::peers::Peers;

async fn connected() -> Client {
    let client = Client::over_web_socket(&Peers::find().await.url("python-ws"));
    client.connect().await;
    client
}

#[wasm_bindgen_test]
async fn a_web_socket_connects_with_the_subprotocol_and_initializes() {
    let client = connected().await;

    assert_eq!(client.history(), "idle connecting ready");
    assert_eq!(client.host.transport(), "websocket");
    assert_eq!(client.host.era(), "legacy");
    assert_eq!(client.host.version(), "2025-11-25");
    assert_eq!(client.host.server(), "bowline-python-ws");
    assert_eq!(client.links().len(), 1);
    assert_eq!(client.links()[0].protocol(), "mcp");
}

#[wasm_bindgen_test]
async fn a_web_socket_lists_tools_page_by_page() {
    let client = connected().await;

    let first = client.request("tools/list", "{}").result().await;
    let cursor = at(&first, "nextCursor").as_string().expect("a second page");
    let second = client.request("tools/list", &format!(r#"{{"cursor":"{cursor}"}}"#)).result().await;

    let tools = |page| at(page, "tools").unchecked_into::<Array>();
    let names: Vec<_> =
        tools(&first).concat(&tools(&second)).iter().filter_map(|tool| at(&tool, "name").as_string()).collect();
    assert_eq!(names, ["echo", "add", "slow", "counter", "count", "big", "fail"]);
    assert!(at(&second, "nextCursor").is_undefined());
}

#[wasm_bindgen_test]
async fn a_web_socket_carries_a_tool_call_with_text_of_any_script() {
    let client = connected().await;

    let sum = client.tool("add", r#"{"a":20,"b":22}"#).result().await;
    assert_eq!(at(&sum, "structuredContent.sum"), 42);
    let said = "naïve – 綱 – 🪢 – \u{2028}";
    assert_eq!(client.tool("echo", &format!(r#"{{"text":"{said}"}}"#)).text().await, said);
}

#[wasm_bindgen_test]
async fn a_web_socket_gives_every_one_of_many_calls_its_own_answer() {
    let client = connected().await;

    let calls: Vec<_> = (0..100).map(|i| client.tool("add", &format!(r#"{{"a":{i},"b":1000}}"#))).collect();
    for (i, call) in calls.into_iter().enumerate() {
        assert_eq!(call.text().await, (1000 + i).to_string());
    }
}

#[wasm_bindgen_test]
async fn a_web_socket_carries_the_progress_of_a_slow_call() {
    let client = connected().await;

    let call = client.tool("slow", r#"{"ms":300,"steps":3}"#);
    client.until("the first report arrives", |_| !call.reports().is_empty()).await;
    assert_eq!(call.reports(), [1.0], "reports arrive one by one, before the result");
    let reports = call.reports_after_the_end().await;
    assert_eq!(reports, [1.0, 2.0, 3.0]);
}

#[wasm_bindgen_test]
async fn a_call_cancelled_on_a_web_socket_stops_on_the_server() {
    let client = connected().await;
    client.cancels_on_the_server().await;
    assert_eq!(client.host.epoch(), 1, "a cancel does not cost the link");
}

//! The end of a client: closed, or dropped without a word. Whoever waits hears of it, and nothing stays behind on the server.

use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{at, elements, sleep, unique, Client};
use super::host::{Exchange, Host};
use super::peers::Peers;

const CLOSED: u16 = 3;

#[wasm_bindgen_test]
async fn dropping_a_client_settles_its_calls_and_closes_its_web_socket() {
    let peers = Peers::find().await;
    let client = Client::over_web_socket(&peers.url("python-ws"));
    client.connect().await;
    let sent = client.tool("slow", r#"{"ms":60000,"steps":600}"#);
    client.until("the server works on it", |_| !sent.reports().is_empty()).await;
    let (link, host) = (client.links().remove(0), client.host.clone());

    drop(client);

    let failure = sent.failure().await;
    assert_eq!((failure.code(), failure.outcome()), ("CLIENT_CLOSED".into(), "unknown".into()));
    assert!(String::from(host.states().join(" ")).ends_with("ready closed"));
    for _ in 0..1000 {
        if link.ready_state() == CLOSED && peers.resume("python-ws").await == 0.0 {
            return;
        }
        sleep(10).await;
    }
    panic!("the WebSocket is in state {}, the server has connections", link.ready_state());
}

#[wasm_bindgen_test]
async fn dropping_a_client_that_never_connected_settles_its_calls() {
    let peers = Peers::find().await;
    let client = Client::over_web_socket(&peers.url("python-ws"));
    let waiting = client.tool("counter", &format!(r#"{{"key":"{}"}}"#, unique("never")));

    drop(client);

    let failure = waiting.failure().await;
    assert_eq!((failure.code(), failure.outcome()), ("CLIENT_CLOSED".into(), "not-sent".into()));
}

#[wasm_bindgen_test]
async fn dropping_a_client_over_http_settles_its_calls_and_ends_its_session() {
    let peers = Peers::find().await;
    let client = Client::over_http(&peers.url("everything"));
    client.connect().await;
    let sent = client.tool("trigger-long-running-operation", r#"{"duration":60,"steps":600}"#);
    client.until("the server works on it", |_| !sent.reports().is_empty()).await;
    let host = client.host.clone();

    drop(client);

    let failure = sent.failure().await;
    assert_eq!((failure.code(), failure.outcome()), ("CLIENT_CLOSED".into(), "unknown".into()));
    assert_session_ended(&host).await;
}

#[wasm_bindgen_test]
async fn dropping_a_client_over_http_stops_its_calls_on_the_server() {
    let peers = Peers::find().await;
    let (client, witness) = (Client::over_http(&peers.url("modern")), Client::over_http(&peers.url("modern")));
    let before = witness.count("slow:cancelled").await;
    let call = client.tool("slow", r#"{"ms":60000,"steps":600}"#);
    client.until("the server works on it", |_| !call.reports().is_empty()).await;

    drop(client);

    assert_eq!(call.failure().await.code(), "CLIENT_CLOSED");
    witness.until_count("slow:cancelled", before + 1).await;
}

#[wasm_bindgen_test]
async fn closing_a_client_over_http_ends_its_session() {
    let client = Client::over_http(&Peers::find().await.url("everything"));
    client.connect().await;

    client.driver.close();

    assert_eq!(client.state(), "closed");
    assert_session_ended(&client.host).await;
    let failure = client.tool("echo", r#"{"message":"too late"}"#).failure().await;
    assert_eq!((failure.code(), failure.outcome()), ("CLIENT_CLOSED".into(), "not-sent".into()));
}

/// The request that ends a session carries its id, and the server agrees.
async fn assert_session_ended(host: &Host) {
    let exchanges: Vec<Exchange> = elements(&host.exchanges());
    let last = exchanges.last().expect("exchanges");
    let session =
        exchanges.iter().find(|exchange| exchange.rpc().as_deref() == Some("initialize")).map(Exchange::given);
    assert_eq!(last.method(), "DELETE");
    assert_eq!(at(&last.headers(), "mcp-session-id").as_string(), session);
    for _ in 0..1000 {
        if last.status() != 0 {
            break;
        }
        sleep(10).await;
    }
    assert_eq!(last.status(), 200);
}

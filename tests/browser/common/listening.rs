//! The standing listen against the official server of the modern era: news as they happen, over a link that is cut, and the end of it.

use bowline_core::{Command, Config, Duration, Input};
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{at, config, sleep, Client};
use super::peers::Peers;

const TOOLS: &str = r#"{"toolsListChanged":true,"resourceSubscriptions":["demo://time"]}"#;

async fn listening(peers: &Peers) -> Client {
    listening_with(config(), peers).await
}

async fn listening_with(config: Config, peers: &Peers) -> Client {
    let client = Client::new(Config { websocket: false, ..config }, &peers.url("modern"), "");
    client.listen(TOOLS);
    client.until("the server listens", |client| client.host.phases().length() == 1).await;
    client
}

fn phases(client: &Client) -> String {
    client.host.phases().join(" ").into()
}

/// How often the list went over the wire.
fn lists(client: &Client) -> usize {
    client.exchanges().iter().filter(|exchange| exchange.rpc().as_deref() == Some("tools/list")).count()
}

#[wasm_bindgen_test]
async fn a_server_of_2026_tells_what_changes_to_whoever_listens() {
    let peers = Peers::find().await;
    let client = listening(&peers).await;
    assert_eq!(client.host.honoured(), TOOLS);
    let exchanges = client.exchanges();
    let listen = exchanges.last().expect("exchanges");
    assert_eq!(listen.rpc().as_deref(), Some("subscriptions/listen"));
    assert_eq!(at(&listen.headers(), "mcp-method").as_string().as_deref(), Some("subscriptions/listen"));
    client.cached("tools/list", "{}").result().await;
    client.cached("tools/list", "{}").result().await;
    assert_eq!(lists(&client), 1, "the list is kept");

    peers.change_tools().await;
    client.until("the news", |client| client.host.notifications().length() > 0).await;

    assert_eq!(String::from(client.host.notifications().join(" ")), "notifications/tools/list_changed");
    client.cached("tools/list", "{}").result().await;
    assert_eq!(lists(&client), 2, "and read again when it is old");
}

#[wasm_bindgen_test]
async fn a_listen_that_is_cut_is_taken_up_again_and_what_was_kept_is_old() {
    let peers = Peers::find().await;
    let client = listening(&peers).await;
    client.cached("tools/list", "{}").result().await;

    peers.cut("modern").await;
    client.until("the server listens again", |client| client.host.phases().length() == 3).await;

    assert_eq!(phases(&client), "0 1 0");
    assert_eq!(client.host.epoch(), 1, "a stream that breaks does not cost the link");
    client.cached("tools/list", "{}").result().await;
    assert_eq!(lists(&client), 2);
    peers.change_tools().await;
    client.until("the news", |client| client.host.notifications().length() > 0).await;
}

#[wasm_bindgen_test]
async fn a_filter_is_replaced_without_a_word_and_dropped_when_nobody_wants_it() {
    let peers = Peers::find().await;
    let client = listening(&peers).await;

    client.listen(r#"{"toolsListChanged":true,"resourcesListChanged":true}"#);
    client.until("the server listens to the new filter", |client| client.host.phases().length() == 2).await;
    assert_eq!(client.host.honoured(), r#"{"toolsListChanged":true,"resourcesListChanged":true}"#);
    assert_eq!(phases(&client), "0 0");
    peers.change_tools().await;
    client.until("the news", |client| client.host.notifications().length() > 0).await;
    sleep(100).await;
    assert_eq!(client.host.notifications().length(), 1, "told by one stream only");

    client.driver.handle(Input::Command(Command::Listen(None)));
    peers.change_tools().await;
    sleep(100).await;
    assert_eq!((client.host.notifications().length(), phases(&client).as_str()), (1, "0 0"));
}

#[wasm_bindgen_test]
async fn comments_keep_a_stream_alive_and_silence_ends_it() {
    let peers = Peers::find().await;
    let limit = |ms| Config { stream_idle: Duration::from_millis(ms), ..config() };

    // The server sends one every half second.
    let patient = listening_with(limit(1_500), &peers).await;
    sleep(2_500).await;
    assert_eq!(phases(&patient), "0");

    let impatient = listening_with(limit(200), &peers).await;
    impatient.until("the server listens again", |client| client.host.phases().length() >= 3).await;
    assert!(phases(&impatient).starts_with("0 1 0"), "{}", phases(&impatient));
}

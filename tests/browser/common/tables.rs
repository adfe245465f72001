//! The snippet's tables after much work: values, slots of calls and keys of the cache. They are private; what is counted here follows
//! from the numbers that the snippet gives out.

use std::cell::Cell;

use bowline_core::{CacheLimits, Config};
use bowline_web::Payload;
use js_sys::JSON;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{config, Client};
use super::peers::Peers;

const BATCH: usize = 50;

thread_local! {
    static PROBES: Cell<i32> = const { Cell::new(3_000) };
}

#[wasm_bindgen_test]
async fn a_thousand_calls_leave_nothing_in_the_tables() {
    let peers = Peers::find().await;
    let socket = Client::over_web_socket(&peers.url("python-ws"));
    let http = Client::over_http(&peers.url("modern"));
    for client in [&socket, &http] {
        call(client, BATCH).await;
    }
    let values = values_in_use(&socket);

    for client in [&socket, &http] {
        call(client, 500).await;
    }

    assert_eq!(values_in_use(&socket), values, "values that nobody will ask for");
    assert_eq!([slots_in_use(&socket), slots_in_use(&http)], [0, 0], "slots of calls that are over");
    assert_eq!(socket.links().len(), 1);
}

#[wasm_bindgen_test]
async fn a_client_that_is_gone_leaves_none_of_its_results_in_the_tables() {
    let url = Peers::find().await.url("python-ws");
    let witness = Client::over_web_socket(&url);
    witness.connect().await;
    let before = values_in_use(&witness);
    let client = Client::new(Config { http: false, cache: Some(CacheLimits::default()), ..config() }, "", &url);
    client.cached("resources/read", r#"{"uri":"demo://readme"}"#).result().await;

    drop(client);

    assert_eq!(values_in_use(&witness), before);
}

#[wasm_bindgen_test]
async fn the_keys_of_evicted_results_are_forgotten() {
    let cache = Some(CacheLimits { max_size: 10, ..CacheLimits::default() });
    let url = Peers::find().await.url("python-ws");
    let client = Client::new(Config { http: false, cache, ..config() }, "", &url);
    let params = |i| format!(r#"{{"uri":"demo://readme","number":{i}}}"#);
    let method = client.tables.method_id("resources/read");
    let key = |i| client.tables.key(client.driver.client(), method, &JSON::parse(&params(i)).unwrap(), None);

    let mut keys = Vec::new();
    for i in 0..100 {
        keys.push(key(i));
        client.cached("resources/read", &params(i)).result().await;
    }

    // A text that is remembered has its old number still.
    let remembered: Vec<_> = (0..100).filter(|&i| key(i) == keys[i as usize]).collect();
    assert_eq!(remembered, (90..100).collect::<Vec<_>>());
}

async fn call(client: &Client, times: usize) {
    for _ in 0..times / BATCH {
        let calls: Vec<_> = (0..BATCH).map(|i| client.tool("add", &format!(r#"{{"a":{i},"b":1}}"#))).collect();
        for (i, call) in calls.into_iter().enumerate() {
            assert_eq!(call.text().await, (i + 1).to_string());
        }
    }
}

/// Places are given out again before new ones are made. So when there are more probes than free places, the last probe is in the last
/// place of all, and whatever place is no probe's is in use.
fn values_in_use(client: &Client) -> i32 {
    // Far more than the last time: those are free places now.
    let count = PROBES.replace(2 * PROBES.get());
    let probes: Vec<_> = (0..count).map(|_| client.tables.params(0, &JsValue::UNDEFINED)).collect();
    let in_use = probes.iter().max().copied().unwrap_or(0) - probes.len() as i32;
    probes.into_iter().for_each(|probe| drop(Payload::from_raw(probe)));
    in_use
}

/// The same for slots, which start at 0. The client is of no use afterwards.
fn slots_in_use(client: &Client) -> i32 {
    let probes: Vec<_> =
        (0..3_000).map(|_| client.tables.attach(client.driver.client(), &JsValue::UNDEFINED) as i32).collect();
    probes.iter().max().copied().unwrap_or(0) + 1 - probes.len() as i32
}

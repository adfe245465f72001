//! Callbacks that use the client they are called by. The driver must not be borrowed while JavaScript runs.

use std::cell::RefCell;
use std::rc::Rc;

use bowline_core::Config;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{config, Call, Client};
use super::host::Host;
use super::peers::Peers;

/// Hears the states of a client; dropping it ends that.
struct Listening {
    host: Host,
    _listener: Closure<dyn Fn(String)>,
}

impl Listening {
    fn new(host: &Host, heard: impl Fn(&str) + 'static) -> Self {
        let listener = Closure::<dyn Fn(String)>::new(move |state: String| heard(&state));
        host.set_listener(listener.as_ref());
        Self { host: host.clone(), _listener: listener }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.host.set_listener(&JsValue::UNDEFINED);
    }
}

#[wasm_bindgen_test]
async fn a_call_made_inside_a_state_callback_is_answered() {
    let client = Rc::new(Client::over_web_socket(&Peers::find().await.url("python-ws")));
    let made: Rc<RefCell<Vec<Call>>> = Rc::default();
    let (caller, calls) = (client.clone(), made.clone());
    // At "connecting" it has to wait, at "ready" it can leave at once.
    let _listening = Listening::new(&client.host, move |_| {
        let call = caller.tool("add", r#"{"a":2,"b":3}"#);
        calls.borrow_mut().push(call);
    });

    client.connect().await;

    let calls = made.take();
    assert_eq!(calls.len(), 2, "{}", client.history());
    for call in calls {
        assert_eq!(call.text().await, "5");
    }
}

#[wasm_bindgen_test]
async fn a_client_closed_inside_its_own_state_callback_stays_closed_and_settles_its_calls() {
    let client = Rc::new(Client::over_web_socket(&Peers::find().await.url("python-ws")));
    let closer = client.clone();
    let _listening = Listening::new(&client.host, move |state| {
        if state == "ready" {
            closer.driver.close();
        }
    });

    let failure = client.tool("add", r#"{"a":2,"b":3}"#).failure().await;

    assert_eq!(failure.code(), "CLIENT_CLOSED");
    assert_eq!(client.history(), "idle connecting ready closed");
    client.until("the WebSocket is closed", |client| client.links()[0].ready_state() == 3).await;
    assert_eq!(client.links().len(), 1);
}

#[wasm_bindgen_test]
async fn a_client_dropped_inside_its_own_state_callback_settles_its_calls() {
    let client = Client::over_web_socket(&Peers::find().await.url("python-ws"));
    let (call, host) = (client.tool("add", r#"{"a":2,"b":3}"#), client.host.clone());
    let only = RefCell::new(Some(client));
    let _listening = Listening::new(&host, move |state| {
        if state == "ready" {
            drop(only.take());
        }
    });

    assert_eq!(call.failure().await.code(), "CLIENT_CLOSED");
    assert_eq!(String::from(host.states().join(" ")), "idle connecting ready closed");
}

#[wasm_bindgen_test]
async fn a_call_made_while_a_fetch_is_aborted_is_answered() {
    let url = Peers::find().await.url("everything");
    let client = Rc::new(Client::with_limit(8_192, Config { websocket: false, ..config() }, &url, ""));
    client.connect().await;
    let made: Rc<RefCell<Vec<Call>>> = Rc::default();
    let (caller, calls) = (client.clone(), made.clone());
    let listening = Listening::new(&client.host, move |what| {
        if what == "aborted" {
            let call = caller.tool("echo", r#"{"message":"small"}"#);
            calls.borrow_mut().push(call);
        }
    });

    // The rest of an event stream with an event beyond the limit is not read.
    let long = client.tool("echo", &format!(r#"{{"message":"{}"}}"#, "x".repeat(10_000)));
    assert_eq!(long.failure().await.code(), "MESSAGE_TOO_LARGE");
    // Nor is the answer to a call that was cancelled.
    let slow = client.tool("trigger-long-running-operation", r#"{"duration":60,"steps":600}"#);
    client.until("the server works on it", |_| !slow.reports().is_empty()).await;
    client.cancel(&slow);
    assert_eq!(slow.failure().await.code(), "ABORTED");

    drop(listening);
    let calls = made.take();
    assert_eq!(calls.len(), 2);
    for call in calls {
        assert_eq!(call.text().await, "Echo: small");
    }
}

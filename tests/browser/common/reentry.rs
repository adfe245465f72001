//! Callbacks that use the client they are called by. The driver must not be borrowed while JavaScript runs.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::closure::Closure;
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use super::client::{Call, Client};
use super::peers::Peers;

type Listener = Closure<dyn Fn(String)>;

fn listen(client: &Rc<Client>, heard: impl Fn(&Client, &str) + 'static) -> Listener {
    let weak = Rc::downgrade(client);
    let listener = Listener::new(move |state: String| {
        if let Some(client) = weak.upgrade() {
            heard(&client, &state);
        }
    });
    client.host.set_listener(listener.as_ref().unchecked_ref());
    listener
}

#[wasm_bindgen_test]
async fn a_call_made_inside_a_state_callback_is_answered() {
    let client = Rc::new(Client::over_web_socket(&Peers::find().await.url("python-ws")));
    let made: Rc<RefCell<Vec<Call>>> = Rc::default();
    let calls = made.clone();
    // At "connecting" it has to wait, at "ready" it can leave at once.
    let _listener = listen(&client, move |client, _| {
        let call = client.tool("add", r#"{"a":2,"b":3}"#);
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
    let _listener = listen(&client, |client, state| {
        if state == "ready" {
            client.driver.close();
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
    let url = Peers::find().await.url("python-ws");
    let only = Rc::new(RefCell::new(Some(Client::over_web_socket(&url))));
    let place = only.clone();
    let listener = Listener::new(move |state: String| {
        if state == "ready" {
            drop(place.take());
        }
    });
    let call = {
        let client = only.borrow();
        let client = client.as_ref().expect("not dropped yet");
        client.host.set_listener(listener.as_ref().unchecked_ref());
        client.tool("add", r#"{"a":2,"b":3}"#)
    };

    assert_eq!(call.failure().await.code(), "CLIENT_CLOSED");
}

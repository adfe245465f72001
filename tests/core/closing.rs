//! What the end of a WebSocket says (resilience rules, section 1): close codes that are final and those that are not, and what HTTP answers
//! where a handshake failed without a word.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    Code, Config, Content, Event, ExchangeEvent, Incoming, Malformed, Method, Outcome, Output, Reach, State, Verb,
};
use bowline_support::{connect, fixed, ms, Doc, Hand};

/// A client of a WebSocket alone whose first handshake failed twice, with and without subprotocols, and its call to `connect()`.
fn refused() -> (Hand, bowline_core::CallId) {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    let call = hand.call(connect());
    hand.close_link(1006);
    assert!(hand.gets().is_empty(), "it may have been the subprotocols");
    hand.close_link(1006);
    (hand, call)
}

#[test]
fn a_handshake_that_fails_at_first_contact_is_asked_about_over_http_once() {
    let (mut hand, call) = refused();
    let (probe, plan) = hand.fetches().pop().expect("a probe");
    assert_eq!((plan.verb, plan.version.is_none(), plan.message.is_none()), (Verb::Probe, true, true));
    hand.close_link(1006);
    assert_eq!(hand.fetches().len(), 1, "nor twice for one that closes twice");
    assert!(hand.end(call).is_none());
    hand.exchange(probe, ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.error(call), (Code::ConnectFailed, Outcome::NotSent));
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

#[test]
fn nothing_is_heard_from_a_websocket_that_is_only_asked_about() {
    let (mut hand, call) = refused();
    hand.frame(Incoming::Notification { method: Method::TOOLS_CHANGED, token: None, payload: Doc::of(1) });
    assert!(!hand.driver.log.iter().any(|(_, output)| matches!(output, Output::Event(Event::Notification(..)))));
    hand.frame(Incoming::Malformed(Malformed::Json));
    assert!(hand.end(call).is_none(), "what HTTP answers says more");
}

#[test]
fn what_http_answers_there_decides_the_code_and_whether_it_is_tried_again() {
    for (status, content, code, state) in [
        (401, Content::Other, Code::AuthRequired, State::AuthRequired),
        (403, Content::Other, Code::Forbidden, State::Failed),
        (404, Content::Html, Code::ConnectFailed, State::Reconnecting),
        (405, Content::Other, Code::ConnectFailed, State::Reconnecting),
        (426, Content::Other, Code::ConnectFailed, State::Reconnecting),
        (503, Content::Html, Code::ConnectFailed, State::Reconnecting),
        (200, Content::Other, Code::ConnectFailed, State::Reconnecting),
        (200, Content::Html, Code::ParseError, State::Failed),
        // A redirect that may not be followed.
        (0, Content::Other, Code::HttpError, State::Failed),
    ] {
        let (mut hand, call) = refused();
        hand.head(hand.last_exchange(), status, content, None);
        assert_eq!((hand.error(call), hand.status_now().state), ((code, Outcome::NotSent), state), "{status}");
        assert_eq!(hand.fetches().len(), 1, "{status}");
    }
}

#[test]
fn what_this_side_forbids_is_not_tried_again() {
    for (reach, code) in [(Reach::Policy, Code::CspBlocked), (Reach::Local, Code::LocalNetworkBlocked)] {
        let (mut hand, call) = refused();
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(reach));
        assert_eq!((hand.error(call).0, hand.status_now().state), (code, State::Failed));
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        let call = hand.call(connect());
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(reach));
        assert_eq!((hand.error(call).0, hand.status_now().state), (code, State::Failed), "at once");
    }
}

#[test]
fn a_probe_without_an_answer_ends_with_the_trial() {
    let (mut hand, call) = refused();
    let probe = hand.last_exchange();
    hand.pass(2_500);
    assert_eq!(hand.error(call).0, Code::ConnectTimeout);
    assert!(hand.aborted(probe));
}

#[test]
fn where_http_is_tried_anyway_or_the_server_was_there_before_nothing_is_probed() {
    let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.close_link(1006);
    hand.close_link(1006);
    assert!(hand.fetches().is_empty());
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.close_link(1006);
    hand.close_link(1006);
    assert!(hand.fetches().iter().all(|(_, plan)| plan.verb == Verb::Post));
}

#[test]
fn close_codes_are_final_or_not() {
    for (code, error, state) in [
        (1000, Code::ConnectionClosed, State::Reconnecting),
        (1001, Code::ConnectionClosed, State::Reconnecting),
        (1003, Code::ConnectionClosed, State::Failed),
        (1006, Code::ConnectionClosed, State::Reconnecting),
        (1008, Code::ConnectionClosed, State::Failed),
        (1011, Code::ConnectionClosed, State::Reconnecting),
        (1012, Code::ConnectionClosed, State::Reconnecting),
        (1013, Code::ConnectionClosed, State::Reconnecting),
        (4400, Code::ConnectionClosed, State::Failed),
        (4401, Code::AuthRequired, State::AuthRequired),
        (4403, Code::Forbidden, State::Failed),
        (4429, Code::RateLimited, State::Reconnecting),
        (4500, Code::ConnectionClosed, State::Reconnecting),
    ] {
        let mut hand = Hand::new(Config { http: false, ..fixed() });
        let call = hand.call(connect());
        hand.open();
        hand.close_link(code);
        assert_eq!((hand.error(call).0, hand.status_now().state), (error, state), "{code}");
    }
}

#[test]
fn a_server_that_worked_before_may_close_as_it_likes() {
    for code in [1003, 1008, 4400] {
        let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
        hand.close_link(code);
        assert_eq!(hand.status_now().state, State::Reconnecting, "{code}");
    }
}

#[test]
fn an_overloaded_server_gets_its_pause() {
    for code in [1013, 4429] {
        let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
        hand.pass(60_000);
        hand.close_link(code);
        let pause = hand.retry_in().expect("an attempt is planned");
        assert!(pause >= ms(1_000).as_millis(), "{code}: {pause}");
    }
}

//! Before any server has answered, a failed attempt is an answer to whoever waits: a wrong address must not look like patience. Once the
//! client was ready, calls wait through reconnects.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{Code, Config, ExchangeEvent, Outcome, Reach, State};
use bowline_support::{connect, fixed, tool_call, tools_list, Doc, Hand};

#[test]
fn each_failed_attempt_rejects_what_waits_until_a_server_has_answered() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    for round in 0..3 {
        let calls = [hand.call(connect()), hand.call(tool_call(round)), hand.call(tools_list(round))];
        if round > 0 {
            assert!(hand.end(calls[0]).is_none());
        }
        for _ in 0..2 {
            hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
        }
        for call in calls {
            assert_eq!(hand.error(call), (Code::CorsOrNetwork, Outcome::NotSent), "round {round}");
        }
        assert_eq!(hand.status_now().state, State::Reconnecting, "and goes on trying");
    }
}

#[test]
fn what_the_shell_found_out_decides_the_code() {
    for (reach, code) in [
        (Reach::Unknown, Code::CorsOrNetwork),
        (Reach::Blocked, Code::CorsOrNetwork),
        (Reach::Down, Code::ConnectFailed),
    ] {
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        let call = hand.call(connect());
        for _ in 0..2 {
            hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(reach));
        }
        assert_eq!(hand.error(call).0, code, "{reach:?}");
    }
}

#[test]
fn after_one_success_calls_wait_through_reconnects() {
    let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    let call = hand.call(tool_call(3));
    for _ in 0..4 {
        hand.pass_to_retry();
        hand.close_link(1006);
        hand.close_link(1006);
        assert!(hand.end(call).is_none());
    }
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(call, Doc::of(3));
    assert_eq!(hand.value(call), 3);
}

#[test]
fn what_cannot_get_better_rejects_even_after_a_success() {
    let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    let call = hand.call(tool_call(3));
    hand.pass_to_retry();
    hand.open();
    hand.close_link(4403);
    assert_eq!(hand.error(call), (Code::Forbidden, Outcome::NotSent));
    assert_eq!(hand.status_now().state, State::Failed);
}

#[test]
fn a_page_for_people_is_named() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    let call = hand.call(connect());
    hand.head(hand.last_exchange(), 200, bowline_core::Content::Html, None);
    assert_eq!(hand.error(call), (Code::ParseError, Outcome::NotSent));
    assert_eq!(hand.status_now().state, State::Failed, "an address that answers nonsense is not asked again");
}

#[test]
fn an_address_where_nothing_speaks_mcp_is_not_asked_again() {
    for status in [404, 405] {
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        let call = hand.call(connect());
        // As either era, and as the transport of 2024-11-05.
        for _ in 0..3 {
            hand.status(hand.last_exchange(), status, None);
        }
        assert_eq!(hand.error(call), (Code::HttpError, Outcome::NotSent));
        assert_eq!(hand.status_now().state, State::Failed, "{status}");
    }
}

#[test]
fn the_same_address_is_asked_again_if_it_once_worked_or_only_has_trouble() {
    // It worked before: this is a deployment, not a wrong address.
    let mut hand = Hand::on_http(fixed());
    hand.command(bowline_core::Command::Reconnect);
    for _ in 0..3 {
        hand.status(hand.last_exchange(), 404, None);
    }
    assert_eq!(hand.status_now().state, State::Reconnecting);

    // A server error says nothing about the address.
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.status(hand.last_exchange(), 502, None);
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

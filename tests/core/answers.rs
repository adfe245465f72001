//! Which answer counts (reliability I3, fault matrix rows 17-36): the first, to the right id, in the right exchange, in the right form.
//! Everything else is counted, named, or ignored, and never settles somebody else's call.

#![allow(clippy::panic, reason = "a test speaks by panicking")]

use bowline_core::{
    CacheKey, CallId, Code, Config, Content, Detail, Event, ExchangeEvent, ExchangeId, Head, Incoming, LinkEvent,
    Malformed, Method, Outcome, Outgoing, Output, RequestId, ResultKind, State,
};
use bowline_support::{connect, failure, fixed, notification, request, result, tool_call, tools_list, Doc, Hand};

fn violations(hand: &Hand) -> u64 {
    hand.driver.engine.metrics().violations
}

#[test]
fn the_first_of_two_answers_counts() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    hand.frame(result(id, Doc::of(1)));
    hand.news();
    hand.frame(result(id, Doc::of(2)));
    assert!(hand.news().is_empty());
    assert_eq!((hand.value(call), violations(&hand)), (1, 1));
}

#[test]
fn an_answer_to_an_unknown_id_is_nobodys() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    for other in [RequestId(0), RequestId(id.0 + (1 << 20)), RequestId(u64::MAX)] {
        hand.frame(result(other, Doc::of(9)));
        hand.frame(failure(other, -32603));
    }
    assert!(hand.end(call).is_none());
    assert_eq!(violations(&hand), 6);
}

#[test]
fn an_answer_on_another_link_is_nobodys() {
    let mut hand = Hand::on_websocket(fixed());
    let old = hand.last_link();
    hand.command(bowline_core::Command::Reconnect);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    hand.link(old, LinkEvent::Message(result(id, Doc::of(9))));
    assert!(hand.end(call).is_none());
}

#[test]
fn an_answer_to_an_exchange_does_not_come_on_a_socket() {
    let mut hand = Hand::new(fixed());
    let call = hand.call(tool_call(1));
    hand.pass(250);
    hand.answer_question(Doc::supporting("2026-07-28"));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.command(bowline_core::Command::Reconnect);
    hand.open();
    hand.frame(result(id, Doc::of(9)));
    assert!(hand.end(call).is_none(), "the call lives in its exchange, which outlives the reconnect");
    hand.json(exchange, 200, result(id, Doc::of(1)));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn on_a_stream_somebody_elses_answer_is_ignored_and_the_right_one_awaited() {
    let mut hand = Hand::on_http(fixed());
    let mine = hand.call(tool_call(1));
    let other = hand.call(tool_call(2));
    let (exchange, (_, my_id), (_, other_id)) = (hand.exchange_of(mine), hand.sent(mine), hand.sent(other));
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(result(other_id, Doc::of(9))));
    assert!(hand.end(mine).is_none() && hand.end(other).is_none(), "cross-talk settles neither");
    hand.exchange(exchange, ExchangeEvent::Message(result(my_id, Doc::of(1))));
    assert_eq!((hand.value(mine), violations(&hand)), (1, 1));
}

#[test]
fn what_comes_on_a_stream_after_the_answer_is_counted_and_settles_nothing() {
    let mut hand = Hand::on_http(fixed());
    let mine = hand.call(tool_call(1));
    let other = hand.call(tool_call(2));
    let (exchange, (_, my_id), (_, other_id)) = (hand.exchange_of(mine), hand.sent(mine), hand.sent(other));
    hand.stream(exchange);
    for message in [
        result(my_id, Doc::of(1)),
        result(my_id, Doc::of(2)),
        failure(other_id, -32603),
        Incoming::Malformed(Malformed::Json),
    ] {
        hand.exchange(exchange, ExchangeEvent::Message(message));
    }
    assert_eq!((hand.value(mine), violations(&hand)), (1, 3));
    assert!(hand.end(other).is_none());
}

#[test]
fn a_stream_that_brings_only_somebody_elses_answer_ends_at_once() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(request(Method::RESOURCES_READ, 1));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(result(RequestId(id.0 + (1 << 20)), Doc::of(9))));
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert_eq!(hand.error(call), (Code::ParseError, Outcome::NotApplied));
}

#[test]
fn a_json_body_with_a_wrong_id_is_a_broken_answer() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.head(exchange, 200, Content::Json, None);
    hand.exchange(exchange, ExchangeEvent::Message(result(RequestId(id.0 + (1 << 20)), Doc::of(9))));
    assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown));
}

#[test]
fn a_malformed_event_may_be_followed_by_the_answer() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(Incoming::Malformed(Malformed::Json)));
    assert!(hand.end(call).is_none());
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!((hand.value(call), violations(&hand)), (1, 1));
}

#[test]
fn every_broken_body_is_named_at_once() {
    let bodies: [(Option<Incoming<Doc>>, Code); 4] = [
        (Some(Incoming::Malformed(Malformed::Json)), Code::ParseError),
        (Some(Incoming::Malformed(Malformed::Envelope)), Code::ParseError),
        (Some(Incoming::Malformed(Malformed::TooLarge)), Code::MessageTooLarge),
        (None, Code::ParseError),
    ];
    for (body, code) in bodies {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        let exchange = hand.exchange_of(call);
        hand.head(exchange, 200, Content::Json, None);
        if let Some(message) = body {
            hand.exchange(exchange, ExchangeEvent::Message(message));
        }
        hand.exchange(exchange, ExchangeEvent::Ended);
        assert_eq!(hand.error(call), (code, Outcome::Unknown));
        assert_eq!(hand.status_now().state, State::Ready, "the link is not to blame");
    }
}

#[test]
fn a_request_that_is_only_accepted_will_never_be_answered() {
    for status in [202, 204] {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        // Without waiting for a body, whatever its type: there will be none.
        hand.head(hand.exchange_of(call), status, Content::Json, None);
        assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown), "{status}");
    }
}

#[test]
fn a_status_with_a_json_rpc_body_is_the_json_rpc_error() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    hand.json(hand.exchange_of(call), 404, failure(id, -32601));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
}

#[test]
fn a_frame_that_is_no_message_ends_the_link() {
    let mut hand = Hand::on_websocket(fixed());
    let link = hand.last_link();
    let call = hand.call(tool_call(1));
    hand.frame(Incoming::Malformed(Malformed::Json));
    assert!(hand.hung_up(link));
    assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    assert_eq!(violations(&hand), 1);
}

#[test]
fn a_frame_that_is_too_long_ends_only_its_call() {
    let mut hand = Hand::on_websocket(fixed());
    let big = hand.call(tool_call(1));
    let other = hand.call(tool_call(2));
    let (_, id) = hand.sent(big);
    hand.frame(Incoming::TooLarge(id));
    assert_eq!(hand.error(big), (Code::MessageTooLarge, Outcome::Unknown));
    hand.answer(other, Doc::of(2));
    assert_eq!(hand.value(other), 2);
}

#[test]
fn an_error_without_an_id_ends_nothing_on_a_websocket() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    hand.frame(Incoming::Error { id: None, code: -32700, payload: Doc::default() });
    assert!(hand.end(call).is_none());
    assert_eq!(violations(&hand), 1);
}

#[test]
fn kinds_of_results_that_were_not_offered_are_errors() {
    for (kind, asked, outcome) in [
        (ResultKind::Unknown, tool_call(1), Outcome::Unknown),
        (ResultKind::Unknown, tools_list(1), Outcome::NotApplied),
        (ResultKind::Task, tools_list(1), Outcome::NotApplied),
    ] {
        let mut hand = Hand::on_websocket(fixed());
        let call = hand.call(asked);
        hand.answer_kind(call, kind, Doc::of(1));
        assert_eq!(hand.error(call), (Code::InvalidResult, outcome));
    }
}

#[test]
fn a_task_is_the_result_of_a_tool_call_and_of_that_call_alone() {
    let mut hand = Hand::on_websocket(fixed());
    let cached = bowline_core::Request { key: Some(CacheKey(1)), ..tool_call(1) };
    for _ in 0..2 {
        let call = hand.call(cached.clone());
        hand.answer_kind(call, ResultKind::Task, Doc::of(1));
        assert_eq!(hand.value(call), 1);
        assert_eq!(hand.sendings(call).len(), 1, "what was promised to one call is not kept for another");
    }
}

#[test]
fn an_answered_stream_that_stays_open_is_aborted_after_a_second() {
    let mut hand = Hand::on_http(Config { http_concurrency: 1, ..fixed() });
    let call = hand.call(tool_call(1));
    let next = hand.call(tool_call(2));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!(hand.value(call), 1, "without waiting for the end");
    hand.pass(999);
    assert!(!hand.aborted(exchange));
    assert!(hand.sendings(next).is_empty(), "it still holds a connection");
    hand.pass(1);
    assert!(hand.aborted(exchange));
    assert_eq!(hand.sendings(next).len(), 1);
}

#[test]
fn notifications_of_the_server_reach_the_application() {
    let mut hand = Hand::on_websocket(fixed());
    hand.frame(notification(Method::TOOLS_CHANGED));
    let told = |output: &Output<Doc>| matches!(output, Output::Event(Event::Notification(method, _)) if *method == Method::TOOLS_CHANGED);
    assert!(hand.news().iter().any(told));
}

#[test]
fn ping_is_discovery_where_there_is_no_ping() {
    let mut modern = Hand::on_websocket(fixed());
    let mut legacy = Hand::on_legacy_websocket(fixed());
    for (hand, expected) in [(&mut modern, Method::DISCOVER), (&mut legacy, Method::PING)] {
        let call = hand.call(request(Method::PING, 1));
        let method = hand.written().pop().map(|(_, message)| match message {
            Outgoing::Request { method, .. } => Some(method),
            _ => None,
        });
        assert_eq!(method.flatten(), Some(expected));
        hand.answer(call, Doc::of(1));
        assert_eq!(hand.value(call), 1);
    }
}

#[test]
fn latency_is_measured_from_sending_to_answer() {
    let mut hand = Hand::on_websocket(fixed());
    for (key, wait) in [(1, 100), (2, 300)] {
        let call = hand.call(tool_call(key));
        hand.pass(wait);
        hand.answer(call, Doc::of(key));
    }
    assert_eq!(hand.driver.engine.metrics().latency.mean, 200.0);
}

#[test]
fn a_message_without_a_head_is_the_whole_of_a_plain_answer() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    let exchange = hand.exchange_of(call);
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!(hand.value(call), 1);
    hand.news();
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::of(2))));
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert!(hand.news().is_empty(), "it ended with its only message");
    for wrong in [result(RequestId(7), Doc::of(1)), Incoming::Malformed(Malformed::Json)] {
        let call = hand.call(tool_call(2));
        hand.exchange(hand.exchange_of(call), ExchangeEvent::Message(wrong));
        assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown));
    }
}

#[test]
fn a_plain_answer_that_is_no_answer_ends_its_call_at_once() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.exchange(hand.exchange_of(call), ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
    assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown));
}

#[test]
fn a_refusal_whose_body_has_another_id_is_what_its_status_says() {
    let refusals = [(401, Code::AuthRequired), (403, Code::Forbidden), (404, Code::HttpError), (413, Code::HttpError)];
    for (status, code) in refusals {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        // As servers send whose ids are numbers and which had not read ours yet.
        hand.json(hand.exchange_of(call), status, failure(RequestId(0), -32600));
        assert_eq!((hand.error(call), violations(&hand)), ((code, Outcome::NotApplied), 1), "{status}");
    }
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.json(hand.last_exchange(), 400, failure(RequestId(0), -32600));
    assert!(matches!(hand.question(), (_, _, Outgoing::Initialize(..))), "a legacy server refuses the newer question");
}

#[test]
fn whatever_a_server_says_to_a_notification_it_is_taken() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(bowline_support::notify(1));
    hand.exchange(hand.last_exchange(), ExchangeEvent::Message(result(RequestId(7), Doc::of(1))));
    assert!(matches!(hand.end(call), Some(Ok(_))));
}

#[test]
fn a_resource_that_is_not_found_in_the_words_of_an_older_server_is_its_json_rpc_error() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(request(Method::RESOURCES_READ, 1));
    hand.refuse(call, -32002);
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
    assert_eq!(hand.sendings(call).len(), 1, "an answer is not a loss");
}

/// The answer that says in its head what credentials would do.
fn challenge(hand: &mut Hand, exchange: ExchangeId, status: u16) {
    let challenge = Some(Doc::of(7));
    let head = Head { status, content: Content::Json, session: None, retry_after: None, challenge };
    hand.exchange(exchange, ExchangeEvent::Head(head));
}

/// What is known of a refusal: its code and outcome, its status, and what it said.
fn refusal(hand: &Hand, call: CallId) -> (Code, Outcome, u16, u32) {
    match hand.end(call) {
        Some(Err(error)) => match error.detail {
            Detail::Challenge(status, said) => (error.code, error.outcome, status, said.key),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_refusal_says_of_credentials_is_told_with_its_error_and_its_body_is_not_waited_for() {
    for (status, code) in [(401, Code::AuthRequired), (403, Code::Forbidden)] {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        let exchange = hand.exchange_of(call);
        challenge(&mut hand, exchange, status);
        assert_eq!(refusal(&hand, call), (code, Outcome::NotApplied, status, 7));
        hand.exchange(exchange, ExchangeEvent::Ended);
        assert_eq!((hand.status_now().state, violations(&hand)), (State::Ready, 0));
    }
}

#[test]
fn the_same_at_first_contact_over_either_transport() {
    let states = [(401, Code::AuthRequired, State::AuthRequired), (403, Code::Forbidden, State::Failed)];
    for (status, code, state) in states {
        for websocket in [false, true] {
            let mut hand = Hand::new(Config { websocket, http: !websocket, ..fixed() });
            let call = hand.call(connect());
            if websocket {
                // With and without subprotocols; then HTTP is asked why.
                hand.close_link(1006);
                hand.close_link(1006);
            }
            let exchange = hand.last_exchange();
            challenge(&mut hand, exchange, status);
            assert_eq!(refusal(&hand, call), (code, Outcome::NotSent, status, 7));
            assert_eq!(hand.status_now().state, state);
        }
    }
}

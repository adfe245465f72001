//! Answers over HTTP that do not come, or stop coming, when the application limits that (resilience rules, section 1; fault rows 8 and 9b).

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{Code, Config, ExchangeEvent, Method, Outcome, State};
use bowline_support::{fixed, ms, request, tool_call, Doc, Hand};

fn impatient() -> Config {
    Config { call_idle: ms(1_000), headers_timeout: ms(300), ..fixed() }
}

#[test]
fn a_stream_that_falls_silent_ends_the_call_and_the_server_is_asked_whether_it_is_there() {
    let mut hand = Hand::on_http(impatient());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.pass(999);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert!(hand.aborted(exchange));
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

#[test]
fn whatever_arrives_on_the_stream_counts_as_life() {
    let mut hand = Hand::on_http(impatient());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    for _ in 0..5 {
        hand.pass(900);
        hand.exchange(exchange, ExchangeEvent::Alive);
    }
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
    hand.pass(10_000);
    assert_eq!(hand.status_now().state, State::Ready, "what is answered is waited for by nobody");
}

#[test]
fn a_head_that_does_not_come_ends_the_call() {
    let mut hand = Hand::on_http(impatient());
    let call = hand.call(tool_call(1));
    hand.pass(300);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
}

#[test]
fn a_read_is_sent_again_once_the_server_is_found_again() {
    let mut hand = Hand::on_http(impatient());
    let call = hand.call(request(Method::RESOURCES_READ, 7));
    hand.pass(300);
    assert!(hand.end(call).is_none());
    hand.pass_to_retry();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(call, Doc::of(7));
    assert_eq!(hand.value(call), 7);
}

#[test]
fn neither_is_limited_unless_the_application_says_so() {
    let mut hand = Hand::on_http(fixed());
    let calls = [tool_call(1), tool_call(2)].map(|call| hand.call(call));
    hand.stream(hand.exchange_of(calls[1]));
    hand.pass(59_000);
    assert!(calls.iter().all(|call| hand.end(*call).is_none()));
}

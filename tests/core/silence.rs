//! Answers over HTTP that do not come, or stop coming, when the application limits that (resilience rules, section 1; fault rows 8 and 9b).

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{CallId, Code, Command, Config, Content, Event, ExchangeEvent, Method, Outcome, Output, State};
use bowline_support::{fixed, ms, request, tool_call, Doc, Hand, Place};

fn impatient() -> Config {
    Config { call_idle: ms(1_000), headers_timeout: ms(300), ..fixed() }
}

/// What is told of silent streams: whose, for how many milliseconds, and whether anything but the head came.
fn stalls(hand: &mut Hand) -> Vec<(Option<CallId>, f64, bool)> {
    let told = |output| match output {
        Output::Event(Event::Stalled(call, span, flows)) => Some((call, span.as_millis(), flows)),
        _ => None,
    };
    hand.news().into_iter().filter_map(told).collect()
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

#[test]
fn a_stream_of_which_only_the_head_came_is_told_of_after_ten_seconds_and_goes_on() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.pass(9_999);
    assert_eq!(stalls(&mut hand), []);
    hand.pass(1);
    assert_eq!(stalls(&mut hand), [(Some(call), 10_000.0, false)]);
    hand.pass(40_000);
    assert_eq!(stalls(&mut hand), [], "once");
    assert!(hand.end(call).is_none() && !hand.aborted(exchange), "a slow tool may have nothing to say");
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_stream_that_falls_silent_later_is_told_of_each_time() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    for _ in 0..2 {
        hand.exchange(exchange, ExchangeEvent::Alive);
        hand.pass(12_000);
        assert_eq!(stalls(&mut hand), [(Some(call), 10_000.0, true)]);
    }
    for _ in 0..5 {
        hand.exchange(exchange, ExchangeEvent::Alive);
        hand.pass(5_000);
    }
    assert_eq!(stalls(&mut hand), [], "a stream that is kept alive is not silent");
}

#[test]
fn a_limit_on_silence_is_announced_halfway() {
    let mut hand = Hand::on_http(impatient());
    let call = hand.call(tool_call(1));
    hand.stream(hand.exchange_of(call));
    hand.pass(500);
    assert_eq!(stalls(&mut hand), [(Some(call), 500.0, false)]);
    assert!(hand.end(call).is_none());
    hand.pass(500);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(stalls(&mut hand), []);
}

#[test]
fn nothing_is_told_of_what_is_no_stream_or_is_answered() {
    let mut hand = Hand::on_http(fixed());
    let calls = [1, 2, 3].map(|key| hand.call(tool_call(key)));
    hand.head(hand.exchange_of(calls[0]), 200, Content::Json, None);
    hand.stream(hand.exchange_of(calls[2]));
    hand.answer(calls[2], Doc::of(3));
    hand.pass(59_000);
    assert_eq!(stalls(&mut hand), []);
}

#[test]
fn a_listen_is_told_of_only_while_it_is_not_acknowledged() {
    let mut hand = Hand::on_http(fixed());
    hand.command(Command::Listen(Some(Doc::of(1))));
    let [(Place::Exchange(exchange), _)] = hand.listens()[..] else { panic!("a listen over HTTP") };
    hand.stream(exchange);
    hand.pass(10_000);
    assert_eq!(stalls(&mut hand), [(None, 10_000.0, false)]);
    hand.acknowledge();
    hand.pass(80_000);
    assert_eq!(stalls(&mut hand), [], "later it speaks when there is something to say");
}

//! The limits of a call: `timeout` from dispatch to answer, `max_total` from creation to settle, and which of them progress may move.

use bowline_core::{CallId, Code, Config, Detail, Incoming, Method, Outcome, Outgoing, Output, Request, Stage};
use bowline_support::{connect, fixed, ms, request, tool_call, tools_list, Doc, Hand, Req};

fn limited(timeout: u64) -> Req {
    Request { timeout: Some(ms(timeout)), ..tool_call(1) }
}

fn stage(hand: &Hand, call: CallId) -> Option<Stage> {
    match hand.end(call) {
        Some(Err(error)) => match error.detail {
            Detail::Time(stage, _) => Some(stage),
            _ => None,
        },
        _ => None,
    }
}

fn progress(hand: &mut Hand, call: CallId) {
    let (_, id) = hand.sent(call);
    hand.frame(Incoming::Notification { method: Method::PROGRESS, token: Some(id), payload: Doc::default() });
}

#[test]
fn the_timeout_counts_from_dispatch_and_not_from_creation() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 1, ..fixed() });
    let first = hand.call(tool_call(9));
    let call = hand.call(limited(1_000));
    hand.pass(5_000);
    assert!(hand.end(call).is_none(), "it only waits");
    hand.answer(first, Doc::of(9));
    hand.pass(999);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::Unknown));
    assert_eq!(stage(&hand, call), Some(Stage::Response));
}

#[test]
fn the_timeout_of_a_shared_read_counts_from_its_dispatch_too() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 1, ..fixed() });
    let first = hand.call(tool_call(9));
    let leader = hand.call(tools_list(1));
    let follower = hand.call(Request { timeout: Some(ms(1_000)), ..tools_list(1) });
    hand.pass(5_500);
    assert!(hand.end(follower).is_none(), "it only waits");
    hand.answer(first, Doc::of(9));
    hand.pass(999);
    assert!(hand.end(follower).is_none());
    hand.pass(1);
    assert_eq!(stage(&hand, follower), Some(Stage::Response));
    assert!(hand.end(leader).is_none());
}

#[test]
fn a_call_that_times_out_is_cancelled_on_the_wire() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(limited(1_000));
    let (_, id) = hand.sent(call);
    hand.pass(1_000);
    let told = hand.written().iter().any(|(_, message)| matches!(message, Outgoing::Cancelled(other) if *other == id));
    assert!(told);
    assert_eq!(hand.driver.engine.metrics().timeouts, 1);
}

#[test]
fn over_http_a_timeout_aborts_the_exchange() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(limited(1_000));
    let exchange = hand.exchange_of(call);
    hand.pass(1_000);
    assert!(hand.aborted(exchange));
}

#[test]
fn the_outcome_of_a_timeout_is_unknown_for_side_effects_only() {
    let mut hand = Hand::on_websocket(fixed());
    let read = hand.call(Request { timeout: Some(ms(10)), ..request(Method::RESOURCES_READ, 1) });
    hand.pass(10);
    assert_eq!(hand.error(read), (Code::RequestTimeout, Outcome::NotApplied));
}

#[test]
fn progress_restarts_the_timeout_when_asked_to() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { progress: true, progress_resets_timeout: true, ..limited(1_000) });
    for _ in 0..5 {
        hand.pass(900);
        progress(&mut hand, call);
    }
    assert!(hand.end(call).is_none());
    hand.pass(1_000);
    assert_eq!(hand.error(call).0, Code::RequestTimeout);
    assert_eq!(hand.time(), 5_500.0);
}

#[test]
fn progress_does_not_restart_the_timeout_unasked() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { progress: true, ..limited(1_000) });
    hand.pass(900);
    progress(&mut hand, call);
    hand.pass(100);
    assert_eq!(hand.error(call).0, Code::RequestTimeout);
}

#[test]
fn nothing_moves_the_total() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request {
        progress: true,
        progress_resets_timeout: true,
        max_total: Some(ms(2_500)),
        ..limited(1_000)
    });
    for _ in 0..2 {
        hand.pass(900);
        progress(&mut hand, call);
    }
    hand.pass(700);
    assert_eq!(hand.error(call).0, Code::RequestTimeout);
    assert_eq!(stage(&hand, call), Some(Stage::Total));
    assert_eq!(hand.time(), 2_500.0);
}

#[test]
fn a_call_that_finds_no_link_ends_with_its_total() {
    let mut hand = Hand::on_websocket(fixed());
    hand.close_link(1006);
    let call = hand.call(Request { max_total: Some(ms(700)), ..tool_call(1) });
    hand.pass(700);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::NotSent));
    assert_eq!(stage(&hand, call), Some(Stage::Queue));
}

#[test]
fn a_connect_that_takes_too_long_is_a_connect_timeout() {
    let mut hand = Hand::new(fixed());
    let call = hand.call(Request { max_total: Some(ms(100)), ..connect() });
    hand.pass(100);
    assert_eq!(hand.error(call), (Code::ConnectTimeout, Outcome::NotSent));
}

#[test]
fn the_defaults_are_the_configs() {
    let mut hand = Hand::on_websocket(Config { timeout: ms(300), max_total: ms(1_000), ..fixed() });
    let call = hand.call(tool_call(1));
    hand.pass(299);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert_eq!(hand.error(call).0, Code::RequestTimeout);
}

#[test]
fn a_follower_has_a_timeout_of_its_own() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(tools_list(1));
    hand.pass(500);
    let follower = hand.call(Request { timeout: Some(ms(1_000)), ..tools_list(1) });
    hand.pass(1_000);
    assert_eq!(hand.error(follower).0, Code::RequestTimeout);
    assert!(hand.end(leader).is_none());
    hand.answer(leader, Doc::of(1));
    assert_eq!(hand.value(leader), 1);
}

#[test]
fn when_the_leader_times_out_its_follower_travels() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(Request { timeout: Some(ms(1_000)), ..tools_list(1) });
    hand.pass(500);
    let follower = hand.call(tools_list(1));
    hand.pass(500);
    assert_eq!(hand.error(leader).0, Code::RequestTimeout);
    hand.answer(follower, Doc::of(1));
    assert_eq!(hand.value(follower), 1);
}

#[test]
fn progress_reaches_its_call_and_only_while_it_is_in_flight() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { progress: true, ..tool_call(1) });
    progress(&mut hand, call);
    let heard = |hand: &mut Hand| {
        hand.news().iter().filter(|output| matches!(output, Output::Progress(id, _) if *id == call)).count()
    };
    assert_eq!(heard(&mut hand), 1);
    hand.answer(call, Doc::of(1));
    progress(&mut hand, call);
    assert_eq!(heard(&mut hand), 0, "progress of finished requests is dropped");
}

#[test]
fn a_spurious_timer_changes_nothing() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(limited(1_000));
    hand.news();
    for _ in 0..10 {
        hand.pass(50);
        hand.driver.input(bowline_core::Input::Timeout);
    }
    assert!(hand.news().is_empty());
    assert!(hand.end(call).is_none());
}

#[test]
fn the_timer_is_the_soonest_of_all_limits() {
    let mut hand = Hand::on_websocket(fixed());
    let timer = |hand: &Hand| hand.driver.timer.map(|at| at.as_millis());
    let last = hand.call(limited(3_000));
    let soonest = hand.call(limited(1_000));
    let next = hand.call(limited(2_000));
    assert_eq!(timer(&hand), Some(1_000.0));
    // That of a call that is settled may come, and is gone then: it is no reason to look for the others' before.
    hand.answer(soonest, Doc::of(1));
    assert!(timer(&hand).is_some_and(|at| at <= 2_000.0));
    hand.pass(1_000);
    assert_eq!(timer(&hand), Some(2_000.0));
    hand.answer(next, Doc::of(2));
    hand.answer(last, Doc::of(3));
    assert_eq!(timer(&hand), None, "an idle host is not kept awake");
}

//! Calls that are held back for the server's sake (resilience, section 4): the client's own rate, what the server asks for, and an endpoint
//! that keeps failing.

#![allow(clippy::expect_used, reason = "a test speaks by panicking")]

use bowline_core::{
    BreakerLimits, BreakerState, CallId, Code, Command, Config, Detail, Event, Method, Outcome, Output, RateLimit,
    Request, Trip,
};
use bowline_support::{fixed, ms, request, tool_call, Doc, Hand};

fn limited(per_second: f64, burst: f64, reject: bool) -> Config {
    Config { rate_limit: Some(RateLimit { per_second, burst, reject }), ..fixed() }
}

fn breaking(limits: BreakerLimits) -> Hand {
    Hand::on_http(Config { breaker: Some(limits), ..fixed() })
}

/// A tool call that the server fails.
fn fail(hand: &mut Hand, status: u16) -> CallId {
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.status(exchange, status, None);
    call
}

fn states(hand: &mut Hand) -> Vec<BreakerState> {
    let state = |output: Output<Doc>| match output {
        Output::Event(Event::Breaker(state)) => Some(state),
        _ => None,
    };
    hand.news().into_iter().filter_map(state).collect()
}

fn retry_after(hand: &Hand, call: CallId) -> Option<f64> {
    match hand.end(call) {
        Some(Err(error)) => match error.detail {
            Detail::Http(0, Some(wait)) => Some(wait.as_millis()),
            _ => None,
        },
        _ => None,
    }
}

#[test]
fn calls_beyond_the_rate_wait_for_their_turn_in_the_order_of_the_queue() {
    let mut hand = Hand::on_websocket(limited(10.0, 2.0, false));
    let [_, _, low, critical] = [1, 1, 0, 3].map(|priority| hand.call(Request { priority, ..tool_call(1) }));
    assert_eq!(hand.driver.engine.metrics().active_requests, 2, "a burst leaves at once");
    hand.pass(99);
    assert!(hand.sendings(critical).is_empty());
    hand.pass(1);
    assert_eq!((hand.sendings(critical).len(), hand.sendings(low).len()), (1, 0));
    hand.pass(100);
    assert_eq!(hand.sendings(low).len(), 1);
}

#[test]
fn calls_beyond_the_rate_can_be_rejected_instead() {
    let mut hand = Hand::on_websocket(limited(10.0, 1.0, true));
    let calls = [(); 2].map(|()| hand.call(tool_call(1)));
    assert_eq!(hand.error(calls[1]), (Code::RateLimited, Outcome::NotSent));
    assert_eq!(retry_after(&hand, calls[1]), Some(100.0));
    hand.pass(100);
    let later = hand.call(tool_call(1));
    assert_eq!(hand.sendings(later).len(), 1);
}

#[test]
fn what_the_cache_answers_counts_for_no_rate() {
    let mut hand = Hand::on_websocket(limited(0.1, 1.0, true));
    let first = hand.call(bowline_support::tools_list(1));
    hand.answer_kind(first, bowline_core::ResultKind::Complete, Doc::of(5));
    let again = hand.call(bowline_support::tools_list(1));
    assert_eq!(hand.value(again), 5);
}

#[test]
fn a_server_that_asks_to_wait_is_left_alone_with_that_method() {
    let mut hand = Hand::on_http(fixed());
    let first = hand.call(tool_call(1));
    let exchange = hand.exchange_of(first);
    hand.status(exchange, 429, Some(ms(2_000)));
    let same = hand.call(tool_call(2));
    let other = hand.call(request(Method::RESOURCES_READ, 3));
    assert_eq!((hand.sendings(same).len(), hand.sendings(other).len()), (0, 1));
    hand.pass(1_999);
    assert!(hand.sendings(same).is_empty());
    hand.pass(1);
    assert_eq!(hand.sendings(same).len(), 1);
}

#[test]
fn who_wants_nothing_to_wait_hears_at_once_that_the_server_wants_to_be_left_alone() {
    let mut hand = Hand::on_http(Config { reject_disconnected: true, ..fixed() });
    for status in [429, 503] {
        let call = hand.call(tool_call(1));
        let exchange = hand.exchange_of(call);
        hand.status(exchange, status, Some(ms(60_000)));
        let told = hand.end(call).and_then(Result::err).map(|error| error.detail);
        assert!(matches!(told, Some(Detail::Http(told, Some(wait))) if told == status && wait == ms(60_000)));
        assert_eq!(hand.sendings(call).len(), 1);
    }
    let next = hand.call(tool_call(1));
    assert_eq!(hand.sendings(next).len(), 1, "the method is not held either");
}

#[test]
fn what_waits_for_the_server_is_bounded_and_was_not_sent() {
    let mut hand = Hand::on_http(Config { max_queued: 2, ..fixed() });
    let first = hand.call(tool_call(1));
    let exchange = hand.exchange_of(first);
    hand.status(exchange, 503, Some(ms(60_000)));
    let calls = [(); 3].map(|()| hand.call(tool_call(2)));
    assert_eq!(hand.error(calls[2]), (Code::QueueFull, Outcome::NotSent));
    hand.command(bowline_core::Command::Cancel(calls[0]));
    assert_eq!(hand.error(calls[0]), (Code::Aborted, Outcome::NotSent));
}

#[test]
fn an_endpoint_that_keeps_failing_is_left_alone_until_a_probe_succeeds() {
    let mut hand = breaking(BreakerLimits::default());
    for _ in 0..5 {
        fail(&mut hand, 500);
    }
    assert_eq!(states(&mut hand), [BreakerState::Open]);
    hand.pass(20_000);
    let refused = hand.call(tool_call(1));
    assert_eq!(hand.error(refused), (Code::CircuitOpen, Outcome::NotSent));
    assert_eq!(retry_after(&hand, refused), Some(40_000.0));
    hand.pass(40_000);
    let probe = hand.call(tool_call(1));
    let beside = hand.call(tool_call(1));
    assert_eq!(hand.error(beside).0, Code::CircuitOpen, "one probe at a time");
    hand.answer(probe, Doc::of(1));
    assert_eq!(states(&mut hand), [BreakerState::HalfOpen, BreakerState::Closed]);
    let after = hand.call(tool_call(1));
    assert_eq!(hand.sendings(after).len(), 1);
}

#[test]
fn what_is_not_the_endpoints_fault_opens_nothing() {
    let mut hand = breaking(BreakerLimits { trip: Trip::Consecutive(1), ..BreakerLimits::default() });
    fail(&mut hand, 404);
    let refused = hand.call(tool_call(1));
    hand.refuse(refused, -32602);
    let aborted = hand.call(tool_call(1));
    hand.command(bowline_core::Command::Cancel(aborted));
    assert_eq!(states(&mut hand), []);
    fail(&mut hand, 500);
    assert_eq!(states(&mut hand), [BreakerState::Open]);
}

#[test]
fn a_timeout_is_a_failure_unless_it_is_not_to_be() {
    for (count_timeouts, told) in [(true, 1), (false, 0)] {
        let limits = BreakerLimits { trip: Trip::Consecutive(1), count_timeouts, ..BreakerLimits::default() };
        let mut hand = breaking(limits);
        hand.call(Request { timeout: Some(ms(100)), ..tool_call(1) });
        hand.pass(100);
        assert_eq!(states(&mut hand).len(), told);
    }
}

/// A client over a WebSocket with a lane of its own for one tool.
fn laned(per_second: f64, burst: f64, reject: bool) -> Hand {
    let mut hand = Hand::on_websocket(fixed());
    hand.command(Command::Limit(RateLimit { per_second, burst, reject }));
    hand
}

#[test]
fn a_tool_may_have_a_rate_of_its_own_that_holds_up_nobody_else() {
    let mut hand = laned(10.0, 2.0, false);
    let slow = [(); 4].map(|()| hand.call(Request { lane: 1, ..tool_call(1) }));
    let other = hand.call(tool_call(2));
    let left = |hand: &Hand| slow.iter().filter(|call| !hand.sendings(**call).is_empty()).count();
    assert_eq!((left(&hand), hand.sendings(other).len()), (2, 1));
    for (span, count) in [(99, 2), (1, 3), (99, 3), (1, 4)] {
        hand.pass(span);
        assert_eq!(left(&hand), count);
    }
}

#[test]
fn calls_beyond_the_rate_of_their_lane_can_be_rejected_instead() {
    let mut hand = laned(10.0, 1.0, true);
    let calls = [(); 2].map(|()| hand.call(Request { lane: 1, ..tool_call(1) }));
    assert_eq!(hand.error(calls[1]), (Code::RateLimited, Outcome::NotSent));
    assert_eq!(retry_after(&hand, calls[1]), Some(100.0));
}

#[test]
fn a_call_that_is_sent_again_does_not_pay_its_lane_twice() {
    let mut hand = laned(0.001, 1.0, false);
    let read = hand.call(Request { lane: 1, ..request(Method::RESOURCES_READ, 1) });
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.sendings(read).len(), 2);
}

#[test]
fn fewer_calls_are_in_flight_while_a_server_answers_later_than_usual() {
    let mut hand = Hand::on_websocket(Config { adaptive: true, ..fixed() });
    let active = |hand: &Hand| hand.driver.engine.metrics().active_requests;
    let mut calls: std::collections::VecDeque<CallId> = (0..60).map(|key| hand.call(tool_call(key))).collect();
    assert_eq!(active(&hand), 7, "it begins with little: eight, one of them for a critical call");
    // One answer after the other, each `span` after the last; another call takes its place.
    let mut serve = |hand: &mut Hand, span: u64, answers: u32| {
        for key in 0..answers {
            hand.pass(span);
            let call = calls.pop_front().expect("calls are there");
            hand.answer(call, Doc::of(key));
            calls.push_back(hand.call(tool_call(key)));
        }
        active(hand)
    };
    let good = serve(&mut hand, 0, 200);
    assert_eq!(good, 31, "and grows to what the application allows");
    let bad = serve(&mut hand, 200, 60);
    assert!(bad < good / 2, "{bad} of {good}");
}

#[test]
fn a_server_that_says_it_is_too_much_gets_one_at_a_time_in_the_end() {
    let mut hand = Hand::on_http(Config { adaptive: true, reserve: 0, ..fixed() });
    let active = |hand: &Hand| hand.driver.engine.metrics().active_requests;
    let mut calls: std::collections::VecDeque<CallId> = (0..60).map(|key| hand.call(tool_call(key))).collect();
    assert_eq!(active(&hand), 5, "as many as a browser has connections for");
    for _ in 0..25 {
        let call = calls.pop_front().expect("calls are there");
        let exchange = hand.exchange_of(call);
        hand.status(exchange, 503, None);
    }
    assert_eq!(active(&hand), 1);
}

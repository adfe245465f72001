//! Calls whose event stream ended before the answer (protocol P78, SEP-1699): taken up again where it stood, within bounds, and decided
//! by the replay rules when that fails.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    CallId, Code, Command, Config, Content, ExchangeEvent, ExchangeId, Incoming, Method, Outcome, Outgoing, Reach,
    State,
};
use bowline_support::{failure, fixed, ms, notification, request, result, tool_call, Doc, Hand, Req};

/// A call whose stream ended behind event 7.
fn cut(hand: &mut Hand, request: Req) -> CallId {
    let call = hand.call(request);
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.end_at(exchange, 7, None);
    call
}

/// The GET begun last.
fn resumed(hand: &Hand) -> ExchangeId {
    hand.gets().pop().unwrap_or_else(|| panic!("a stream")).0
}

fn gets_after(hand: &Hand, first: usize) -> usize {
    hand.gets().len() - first
}

#[test]
fn the_answer_comes_on_the_stream_that_takes_it_up() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    let before = hand.gets().len();
    hand.pass(999);
    assert_eq!(gets_after(&hand, before), 0);
    hand.pass(1);
    let (stream, plan) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
    assert_eq!((plan.resume, plan.session), (Some(Doc::of(7)), Some(Doc::of(8))));
    hand.stream(stream);
    let (_, id) = hand.sent(call);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(3))));
    assert_eq!(hand.value(call), 3);
    assert_eq!(hand.sendings(call).len(), 1, "it was sent once");
    hand.exchange(stream, ExchangeEvent::Cursor { id: Some(Doc::of(9)), retry: None });
    hand.exchange(stream, ExchangeEvent::Ended);
    hand.pass(60_000);
    assert_eq!(gets_after(&hand, before), 1, "never after the answer");
}

#[test]
fn a_broken_stream_is_taken_up_like_one_that_ended() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(3));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Cursor { id: Some(Doc::of(7)), retry: Some(ms(500)) });
    hand.exchange(exchange, ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.status_now().state, State::Ready, "whether the network is there is found out by asking");
    hand.pass(500);
    let stream = resumed(&hand);
    hand.stream(stream);
    let (_, id) = hand.sent(call);
    hand.exchange(stream, ExchangeEvent::Message(failure(id, -32603)));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::Unknown));
}

#[test]
fn each_stream_has_its_own_place() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let calls = [hand.call(tool_call(1)), hand.call(tool_call(2))];
    for (call, last) in calls.into_iter().zip([11, 22]) {
        let exchange = hand.exchange_of(call);
        hand.stream(exchange);
        hand.end_at(exchange, last, None);
    }
    let before = hand.gets().len();
    hand.pass(1_000);
    let mut places: Vec<_> =
        hand.gets()[before..].iter().filter_map(|(_, plan)| plan.resume).map(|doc| doc.key).collect();
    places.sort_unstable();
    assert_eq!(places, [11, 22]);
}

#[test]
fn the_place_moves_on_with_the_streams() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    cut(&mut hand, tool_call(3));
    hand.pass(1_000);
    let stream = resumed(&hand);
    hand.stream(stream);
    hand.end_at(stream, 8, Some(ms(200)));
    hand.pass(200);
    let (_, plan) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
    assert_eq!(plan.resume, Some(Doc::of(8)));
}

#[test]
fn without_an_event_id_there_is_nothing_to_take_up() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(3));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Cursor { id: None, retry: Some(ms(10)) });
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
}

#[test]
fn the_newer_era_takes_nothing_up() {
    let mut hand = Hand::on_http(fixed());
    let call = cut(&mut hand, tool_call(3));
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert!(hand.gets().is_empty());
}

#[test]
fn a_refusal_leaves_the_call_to_the_replay_rules() {
    for status in [400, 404, 405] {
        let mut hand = Hand::on_legacy_http(fixed(), 8);
        let tool = cut(&mut hand, tool_call(3));
        hand.pass(1_000);
        hand.status(resumed(&hand), status, None);
        assert_eq!(hand.error(tool), (Code::OutcomeUnknown, Outcome::Unknown), "{status}: the call had been taken");

        let read = cut(&mut hand, request(Method::RESOURCES_READ, 4));
        hand.pass(1_000);
        hand.status(resumed(&hand), status, None);
        hand.pass(5_000);
        assert_eq!(hand.sendings(read).len(), 2, "{status}");
        hand.answer(read, Doc::of(4));
        assert_eq!(hand.value(read), 4);
    }
}

#[test]
fn a_refusal_with_a_reason_is_a_refusal() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    hand.pass(1_000);
    let nameless = Incoming::Error { id: None, code: -32000, payload: Doc::default() };
    hand.json(resumed(&hand), 400, nameless);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.sendings(call).len(), 1);
}

#[test]
fn what_is_no_event_stream_is_a_refusal() {
    for content in [Content::Html, Content::Json, Content::Other] {
        let mut hand = Hand::on_legacy_http(fixed(), 8);
        let call = cut(&mut hand, tool_call(3));
        hand.pass(1_000);
        hand.head(resumed(&hand), 200, content, None);
        assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown), "{content:?}");
    }
}

#[test]
fn five_streams_without_news_are_enough() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    let before = hand.gets().len();
    for _ in 0..5 {
        assert!(hand.end(call).is_none());
        hand.pass(1_000);
        let stream = resumed(&hand);
        hand.stream(stream);
        hand.end_at(stream, 7, None);
    }
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(gets_after(&hand, before), 5);
}

#[test]
fn news_begin_the_count_again() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    for _ in 0..12 {
        hand.pass(1_000);
        let stream = resumed(&hand);
        hand.stream(stream);
        hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
        hand.end_at(stream, 7, None);
    }
    assert!(hand.end(call).is_none());
}

#[test]
fn a_network_that_fails_meanwhile_is_tried_again_within_the_bound() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    for _ in 0..4 {
        hand.pass(20_000);
        hand.exchange(resumed(&hand), ExchangeEvent::Failed(Reach::Down));
        assert_eq!(hand.status_now().state, State::Ready);
        if hand.end(call).is_some() {
            return assert_eq!(hand.error(call).0, Code::RequestTimeout);
        }
    }
    panic!("the call outlived its timeout");
}

#[test]
fn when_the_network_stays_away_the_link_is_lost_too() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    for _ in 0..5 {
        let count = hand.gets().len();
        while hand.gets().len() == count {
            hand.pass(100);
        }
        hand.exchange(resumed(&hand), ExchangeEvent::Failed(Reach::Down));
    }
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

#[test]
fn its_session_is_used_even_when_the_link_was_lost_meanwhile() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    hand.command(Command::Reconnect);
    hand.begin_session(9);
    hand.pass(1_000);
    let (stream, plan) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
    assert_eq!((plan.session, plan.resume), (Some(Doc::of(8)), Some(Doc::of(7))));
    hand.stream(stream);
    let (_, id) = hand.sent(call);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(3))));
    assert_eq!(hand.value(call), 3);
}

#[test]
fn the_calls_timeout_counts_on() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(Req { timeout: Some(ms(1_500)), ..tool_call(3) });
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.end_at(exchange, 7, None);
    hand.pass(1_000);
    let stream = resumed(&hand);
    hand.pass(499);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::Unknown));
    assert!(hand.aborted(stream));
}

#[test]
fn a_call_can_be_cancelled_while_it_waits_and_while_it_listens() {
    for wait in [500, 1_000] {
        let mut hand = Hand::on_legacy_http(fixed(), 8);
        let call = cut(&mut hand, tool_call(3));
        hand.pass(wait);
        let (_, id) = hand.sent(call);
        hand.command(Command::Cancel(call));
        assert_eq!(hand.error(call), (Code::Aborted, Outcome::Unknown));
        assert!(matches!(hand.written().pop(), Some((_, Outgoing::Cancelled(told))) if told == id));
        let before = hand.gets().len();
        hand.pass(60_000);
        assert_eq!(gets_after(&hand, before), 0);
    }
}

#[test]
fn close_ends_the_waiting() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    hand.command(Command::Close);
    assert_eq!(hand.error(call), (Code::ClientClosed, Outcome::Unknown));
    let before = hand.gets().len();
    hand.pass(60_000);
    assert_eq!(gets_after(&hand, before), 0);
}

#[test]
fn the_standing_stream_may_bring_the_answer() {
    for asked in [false, true] {
        let mut hand = Hand::with_standing_stream(fixed(), 8);
        let (standing, _) = hand.gets().remove(0);
        let call = cut(&mut hand, tool_call(3));
        hand.pass(if asked { 1_000 } else { 500 });
        let stream = resumed(&hand);
        let (_, id) = hand.sent(call);
        hand.exchange(standing, ExchangeEvent::Message(result(id, Doc::of(3))));
        assert_eq!(hand.value(call), 3);
        assert_eq!(hand.aborted(stream), asked, "nobody waits for the other stream any more");
        let before = hand.gets().len();
        hand.pass(60_000);
        assert_eq!(gets_after(&hand, before), 0);
    }
}

#[test]
fn what_a_server_replays_of_other_streams_is_passed_over() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let other = hand.call(tool_call(2));
    let call = cut(&mut hand, tool_call(3));
    hand.pass(1_000);
    let stream = resumed(&hand);
    hand.stream(stream);
    let stray = bowline_core::RequestId(hand.sent(call).1 .0 + (1 << 30));
    hand.exchange(stream, ExchangeEvent::Message(result(stray, Doc::of(9))));
    hand.exchange(stream, ExchangeEvent::Message(Incoming::Malformed(bowline_core::Malformed::Json)));
    let (sent, answered) = (hand.exchange_of(other), hand.sent(other).1);
    hand.exchange(stream, ExchangeEvent::Message(result(answered, Doc::of(2))));
    assert_eq!(hand.value(other), 2, "an answer is an answer");
    assert!(hand.aborted(sent));
    hand.end_at(stream, 8, None);
    hand.pass(1_000);
    let stream = resumed(&hand);
    hand.stream(stream);
    let (_, id) = hand.sent(call);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(3))));
    assert_eq!(hand.value(call), 3);
    assert_eq!(hand.driver.engine.metrics().violations, 2);
}

#[test]
fn streams_that_are_due_come_before_calls_that_wait() {
    let mut hand = Hand::on_legacy_http(Config { http_concurrency: 1, ..fixed() }, 8);
    let call = cut(&mut hand, tool_call(3));
    let next = hand.call(tool_call(4));
    let last = hand.call(tool_call(5));
    hand.pass(1_000);
    assert!(hand.gets().is_empty(), "the only connection is taken");
    hand.answer(next, Doc::of(4));
    assert_eq!(hand.gets().len(), 1);
    assert!(hand.sendings(last).is_empty());
    let (_, id) = hand.sent(call);
    let stream = resumed(&hand);
    hand.stream(stream);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(3))));
    hand.exchange(stream, ExchangeEvent::Ended);
    assert_eq!(hand.value(call), 3);
    assert_eq!(hand.sendings(last).len(), 1);
}

#[test]
fn the_server_may_ask_for_time() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = cut(&mut hand, tool_call(3));
    hand.pass(1_000);
    hand.status(resumed(&hand), 503, Some(ms(9_000)));
    let before = hand.gets().len();
    hand.pass(8_999);
    assert_eq!(gets_after(&hand, before), 0);
    hand.pass(1);
    assert_eq!(gets_after(&hand, before), 1);
    assert!(hand.end(call).is_none());
}

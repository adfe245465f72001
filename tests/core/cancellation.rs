//! Giving up a call, by transport and era (protocol P36, P37): the caller is told at once, the server in the way its transport knows,
//! and what it still says is nobody's.

use bowline_core::{Code, Command, Config, Event, ExchangeEvent, Outcome, Outgoing, Output};
use bowline_support::{fixed, request, result, tool_call, tools_list, Doc, Hand, Place};

fn cancelled(hand: &Hand, call: bowline_core::CallId) -> bool {
    let (_, id) = hand.sent(call);
    hand.written().iter().any(|(_, message)| matches!(message, Outgoing::Cancelled(other) if *other == id))
}

#[test]
fn on_a_websocket_the_server_is_told_in_either_era() {
    for mut hand in [Hand::on_websocket(fixed()), Hand::on_legacy_websocket(fixed())] {
        let call = hand.call(tool_call(1));
        hand.command(Command::Cancel(call));
        assert_eq!(hand.error(call), (Code::Aborted, Outcome::Unknown));
        assert!(cancelled(&hand, call));
        assert_eq!(hand.driver.engine.metrics().aborted, 1);
    }
}

#[test]
fn over_modern_http_closing_the_stream_is_the_cancellation() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::Unknown));
    assert!(hand.aborted(exchange));
    assert!(!cancelled(&hand, call), "the 2026 era has no such message over HTTP");
}

#[test]
fn over_legacy_http_the_stream_is_closed_and_the_server_told() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(1));
    hand.command(Command::Cancel(call));
    assert!(hand.aborted(hand.exchange_of(call)));
    assert!(cancelled(&hand, call));
    let session = hand.fetches().last().and_then(|(_, plan)| plan.session);
    assert_eq!(session, Some(Doc::of(8)), "in the session of the call");
}

#[test]
fn a_call_that_waits_is_cancelled_without_a_trace_on_the_wire() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 1, ..fixed() });
    hand.call(tool_call(1));
    let waiting = hand.call(tool_call(2));
    let written = hand.written().len();
    hand.command(Command::Cancel(waiting));
    assert_eq!(hand.error(waiting), (Code::Aborted, Outcome::NotSent));
    assert_eq!(hand.written().len(), written);
}

#[test]
fn a_cancelled_read_had_no_effects() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(request(bowline_core::Method::RESOURCES_READ, 1));
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::NotApplied));
}

#[test]
fn a_late_answer_to_a_cancelled_read_is_dropped() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(request(bowline_core::Method::RESOURCES_READ, 1));
    let (_, id) = hand.sent(call);
    hand.command(Command::Cancel(call));
    hand.news();
    hand.frame(result(id, Doc::of(1)));
    assert!(hand.news().is_empty());
    assert_eq!(hand.driver.engine.metrics().violations, 1);
}

#[test]
fn a_late_answer_does_not_settle_the_next_call_under_the_same_name() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    let (_, old) = hand.sent(call);
    hand.command(Command::Cancel(call));
    hand.command(Command::Call(call, tool_call(2)));
    hand.news();
    hand.frame(result(old, Doc::of(1)));
    let news = hand.news();
    let told = matches!(news.as_slice(), [Output::Event(Event::Late(id, true, doc))] if *id == old && doc.key == 1);
    assert!(told, "the name is used again, the id is not: {news:?}");
}

#[test]
fn cancelling_twice_or_nothing_does_nothing() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    hand.command(Command::Cancel(call));
    hand.news();
    hand.command(Command::Cancel(call));
    hand.command(Command::Cancel(bowline_core::CallId(77)));
    assert!(hand.news().is_empty());
}

#[test]
fn a_cancelled_call_makes_room_for_the_next() {
    let mut hand = Hand::on_http(Config { http_concurrency: 1, ..fixed() });
    let first = hand.call(tool_call(1));
    let second = hand.call(tool_call(2));
    assert!(hand.sendings(second).is_empty());
    hand.command(Command::Cancel(first));
    assert!(matches!(hand.sent(second).0, Place::Exchange(_)));
}

#[test]
fn a_server_that_never_answers_a_cancellation_does_not_keep_the_connection() {
    let mut hand = Hand::on_legacy_http(Config { http_concurrency: 1, ..fixed() }, 8);
    let call = hand.call(tool_call(1));
    hand.command(Command::Cancel(call));
    let cancellation = hand.last_exchange();
    let next = hand.call(tool_call(2));
    assert!(hand.sendings(next).is_empty(), "it holds one of the browser's connections");
    hand.pass(10_000);
    assert!(hand.aborted(cancellation));
    assert_eq!(hand.sendings(next).len(), 1);
}

#[test]
fn a_leader_that_is_cancelled_leaves_its_followers_their_answer() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(tools_list(1));
    let follower = hand.call(tools_list(1));
    hand.command(Command::Cancel(leader));
    assert_eq!(hand.error(leader).0, Code::Aborted);
    assert_eq!(hand.sendings(follower).len(), 1, "it travels in the place of the leader");
    hand.answer(follower, Doc::of(1));
    assert_eq!(hand.value(follower), 1);
}

#[test]
fn closing_settles_everything_at_once() {
    for mut hand in [Hand::on_websocket(fixed()), Hand::on_http(fixed())] {
        let read = hand.call(tools_list(1));
        let follower = hand.call(tools_list(1));
        let effect = hand.call(tool_call(2));
        hand.command(Command::Close);
        assert_eq!(hand.error(read), (Code::ClientClosed, Outcome::NotApplied));
        assert_eq!(hand.error(follower), (Code::ClientClosed, Outcome::NotApplied));
        assert_eq!(hand.error(effect), (Code::ClientClosed, Outcome::Unknown));
        let later = hand.call(tool_call(3));
        assert_eq!(hand.error(later), (Code::ClientClosed, Outcome::NotSent));
        assert_eq!(hand.driver.timer, None);
    }
}

#[test]
fn closing_gives_a_legacy_session_back() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    hand.command(Command::Close);
    let last = hand.fetches().pop();
    assert!(last.as_ref().is_some_and(|(_, plan)| plan.verb == bowline_core::Verb::Delete));
    assert_eq!(last.and_then(|(_, plan)| plan.session), Some(Doc::of(8)));
}

#[test]
fn a_notification_that_is_cancelled_ends_its_exchange() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(bowline_support::notify(1));
    let exchange = hand.last_exchange();
    hand.command(Command::Cancel(call));
    assert!(hand.aborted(exchange));
    assert_eq!(hand.error(call).0, Code::Aborted);
    hand.news();
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert!(hand.news().is_empty());
    assert_eq!(hand.driver.timer, None);
}

//! Who goes next when not all can (resilience, section 2): urgent before ordinary, elder before younger, nobody starved, and a bound on
//! how many wait.

use bowline_core::{CallId, Code, Command, Config, Content, ExchangeEvent, Outcome, Outgoing, Request};
use bowline_support::{connect, fixed, notify, result, tool_call, Doc, Hand};

fn narrow() -> Config {
    Config { websocket_concurrency: 1, ..fixed() }
}

fn call(hand: &mut Hand, key: u32, priority: u8) -> CallId {
    hand.call(Request { priority, ..tool_call(key) })
}

/// Answers whatever is in flight until nothing is; the order in which calls went out.
fn order(hand: &mut Hand) -> Vec<u32> {
    let requests = |hand: &Hand| -> Vec<(CallId, u32)> {
        let request = |(_, message)| match message {
            Outgoing::Request { id, params, .. } => {
                let params: Doc = params;
                Some((id.slot(), params.key))
            }
            _ => None,
        };
        hand.written().into_iter().filter_map(request).collect()
    };
    let mut answered = 0;
    while let Some((slot, key)) = requests(hand).get(answered).copied() {
        hand.answer(slot, Doc::of(key));
        answered += 1;
    }
    requests(hand).into_iter().map(|(_, key)| key).collect()
}

#[test]
fn urgent_calls_go_first_and_equals_in_their_order() {
    let mut hand = Hand::on_websocket(narrow());
    for (key, priority) in [(0, 1), (1, 0), (2, 1), (3, 3), (4, 2), (5, 3), (6, 1)] {
        call(&mut hand, key, priority);
    }
    assert_eq!(order(&mut hand), [0, 3, 5, 4, 2, 6, 1]);
}

#[test]
fn the_queue_that_forms_before_the_connection_is_ordered_too() {
    let mut hand = Hand::new(narrow());
    for (key, priority) in [(1, 0), (2, 3), (3, 1)] {
        call(&mut hand, key, priority);
    }
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(order(&mut hand), [2, 3, 1]);
}

#[test]
fn a_waiting_call_gains_a_level_every_five_seconds() {
    let mut hand = Hand::on_websocket(narrow());
    call(&mut hand, 0, 1);
    call(&mut hand, 1, 0);
    hand.pass(14_999);
    call(&mut hand, 2, 3);
    hand.pass(1);
    call(&mut hand, 3, 3);
    assert_eq!(order(&mut hand), [0, 1, 2, 3], "three levels in fifteen seconds, and the elder goes first");
}

#[test]
fn a_call_that_waited_less_is_overtaken() {
    let mut hand = Hand::on_websocket(narrow());
    call(&mut hand, 0, 1);
    call(&mut hand, 1, 0);
    hand.pass(14_999);
    call(&mut hand, 2, 3);
    assert_eq!(order(&mut hand), [0, 2, 1]);
}

#[test]
fn a_priority_can_be_changed_while_the_call_waits() {
    let mut hand = Hand::on_websocket(narrow());
    call(&mut hand, 0, 1);
    let late = call(&mut hand, 1, 0);
    call(&mut hand, 2, 1);
    hand.command(Command::SetPriority(late, 3));
    assert_eq!(order(&mut hand), [0, 1, 2]);
}

#[test]
fn a_new_priority_for_a_call_in_flight_does_not_send_it_again() {
    let mut hand = Hand::on_websocket(narrow());
    let call = call(&mut hand, 0, 1);
    hand.command(Command::SetPriority(call, 3));
    assert_eq!(hand.sendings(call).len(), 1);
    assert_eq!(hand.driver.engine.metrics().queued_requests, 0);
}

#[test]
fn a_new_priority_for_a_waiting_connect_does_not_put_it_on_the_wire() {
    let mut hand = Hand::new(narrow());
    let call = hand.call(connect());
    hand.command(Command::SetPriority(call, 3));
    assert_eq!(hand.driver.engine.metrics().queued_requests, 0);
}

#[test]
fn an_absurd_priority_is_the_highest() {
    let mut hand = Hand::on_websocket(narrow());
    call(&mut hand, 0, 1);
    call(&mut hand, 1, 3);
    call(&mut hand, 2, 200);
    assert_eq!(order(&mut hand), [0, 1, 2]);
}

#[test]
fn no_more_calls_fly_than_there_is_room_for() {
    let mut hand = Hand::on_websocket(fixed());
    for key in 0..40 {
        call(&mut hand, key, 1);
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.active_requests, metrics.queued_requests), (32, 8));

    let mut hand = Hand::on_http(fixed());
    for key in 0..40 {
        call(&mut hand, key, 1);
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.active_requests, metrics.queued_requests), (5, 35), "one of six connections is left to others");
}

#[test]
fn over_http_an_exchange_that_ended_makes_room_at_once() {
    let mut hand = Hand::on_http(Config { http_concurrency: 1, ..fixed() });
    let first = call(&mut hand, 0, 1);
    let second = call(&mut hand, 1, 1);
    let (exchange, (_, id)) = (hand.exchange_of(first), hand.sent(first));
    hand.head(exchange, 200, Content::Json, None);
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::of(0))));
    assert!(hand.sendings(second).is_empty(), "answered, but it still holds its connection");
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert_eq!(hand.sendings(second).len(), 1);
}

#[test]
fn who_comes_when_the_queue_is_full_is_turned_away() {
    let mut hand = Hand::new(Config { max_queued: 2, ..fixed() });
    let kept = [call(&mut hand, 0, 1), hand.call(notify(1))];
    let refused = [call(&mut hand, 2, 3), hand.call(notify(3))];
    for call in refused {
        assert_eq!(hand.error(call), (Code::QueueFull, Outcome::NotSent));
    }
    for call in kept {
        assert!(hand.end(call).is_none());
    }
    let connecting = hand.call(connect());
    assert!(hand.end(connecting).is_none(), "a connect does not queue");
}

#[test]
fn what_returns_from_a_lost_link_finds_room_in_a_full_queue() {
    let mut hand = Hand::on_websocket(Config { max_queued: 1, websocket_concurrency: 2, ..fixed() });
    let reads: Vec<CallId> =
        (0..3).map(|key| hand.call(bowline_support::request(bowline_core::Method::RESOURCES_READ, key))).collect();
    hand.close_link(1006);
    for call in reads {
        assert!(hand.end(call).is_none());
    }
    assert_eq!(hand.driver.engine.metrics().queued_requests, 3);
}

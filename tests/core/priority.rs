//! Who goes next when not all can (resilience, section 2): urgent before ordinary, elder before younger, nobody starved, and a bound on
//! how many wait.

use bowline_core::{
    CallId, Code, Command, Config, Content, ExchangeEvent, Input, LinkEvent, Outcome, Outgoing, Output, Request,
};
use bowline_support::{connect, fixed, ms, notify, result, tool_call, Doc, Hand};

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
    assert_eq!((metrics.active_requests, metrics.queued_requests), (31, 9), "one place is kept for critical calls");

    let mut hand = Hand::on_http(fixed());
    for key in 0..40 {
        call(&mut hand, key, 1);
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.active_requests, metrics.queued_requests), (4, 36), "one of six connections is left to others");
    for key in 40..42 {
        call(&mut hand, key, 3);
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.active_requests, metrics.queued_requests), (5, 37), "and one is kept for a critical call");
}

#[test]
fn as_many_places_are_kept_as_the_application_wants_but_never_all() {
    for (reserve, ordinary) in [(0, 3), (2, 1), (3, 1), (9, 1)] {
        let mut hand = Hand::on_websocket(Config { websocket_concurrency: 3, reserve, ..fixed() });
        for key in 0..5 {
            call(&mut hand, key, 2);
        }
        assert_eq!(hand.driver.engine.metrics().active_requests, ordinary, "{reserve}");
    }
}

#[test]
fn age_makes_no_call_critical() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 2, ..fixed() });
    call(&mut hand, 0, 1);
    let old = call(&mut hand, 1, 0);
    hand.pass(40_000);
    let critical = call(&mut hand, 2, 3);
    assert_eq!((hand.sendings(old).len(), hand.sendings(critical).len()), (0, 1));
}

#[test]
fn a_critical_call_finds_a_connection_beside_streams_and_calls() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    for key in 0..40 {
        call(&mut hand, key, 2);
    }
    assert_eq!(hand.driver.engine.metrics().active_requests, 3, "the stream, three calls, and one place kept");
    let critical = call(&mut hand, 40, 3);
    assert_eq!(hand.sendings(critical).len(), 1);
}

#[test]
fn ageing_can_be_turned_off() {
    let mut hand = Hand::on_websocket(Config { aging: bowline_core::Duration::ZERO, ..narrow() });
    call(&mut hand, 0, 1);
    call(&mut hand, 1, 0);
    hand.pass(50_000);
    call(&mut hand, 2, 1);
    assert_eq!(order(&mut hand), [0, 2, 1]);
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
fn the_lowest_may_leave_for_a_more_urgent_one() {
    let mut hand = Hand::new(Config { max_queued: 3, drop_lowest: true, ..fixed() });
    let [_, older, younger] = [(0, 1), (1, 0), (2, 0)].map(|(key, priority)| call(&mut hand, key, priority));
    let equal = call(&mut hand, 3, 0);
    assert_eq!(hand.error(equal), (Code::QueueFull, Outcome::NotSent), "nobody is lower than the newcomer");
    let urgent = call(&mut hand, 4, 2);
    assert_eq!(hand.error(younger), (Code::QueueFull, Outcome::NotSent));
    assert!(hand.end(older).is_none() && hand.end(urgent).is_none());
}

#[test]
fn a_call_waits_to_be_sent_as_long_as_it_may() {
    let mut hand = Hand::on_websocket(Config { max_queue_time: ms(2_000), ..narrow() });
    let sent = call(&mut hand, 0, 1);
    let waiting = call(&mut hand, 1, 1);
    let hasty = hand.call(Request { max_queue_time: Some(ms(500)), ..tool_call(2) });
    hand.pass(499);
    assert!(hand.end(hasty).is_none());
    hand.pass(1);
    assert_eq!(hand.error(hasty), (Code::QueueTimeout, Outcome::NotSent));
    hand.pass(1_500);
    assert_eq!(hand.error(waiting), (Code::QueueTimeout, Outcome::NotSent));
    assert!(hand.end(sent).is_none(), "it was sent");
}

#[test]
fn a_read_that_was_sent_waits_again_without_that_limit() {
    let mut hand = Hand::on_websocket(Config { max_queue_time: ms(500), ..fixed() });
    let read = hand.call(bowline_support::request(bowline_core::Method::RESOURCES_READ, 1));
    hand.close_link(1006);
    hand.pass(700);
    assert!(hand.end(read).is_none());
}

#[test]
fn nothing_waits_for_a_connection_when_the_application_wants_so() {
    let mut hand = Hand::new(Config { reject_disconnected: true, ..narrow() });
    let early = call(&mut hand, 0, 1);
    assert_eq!(hand.error(early), (Code::NotConnected, Outcome::NotSent));
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    let (sent, waiting) = (call(&mut hand, 1, 1), call(&mut hand, 2, 1));
    assert!(hand.end(waiting).is_none(), "the first one woke the connection");
    hand.close_link(1006);
    assert_eq!(hand.error(sent), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.error(waiting), (Code::ConnectionClosed, Outcome::NotSent));
}

#[test]
fn a_paused_client_accepts_calls_and_sends_none() {
    let mut hand = Hand::on_websocket(fixed());
    let before = call(&mut hand, 0, 1);
    hand.command(Command::Pause(true));
    let after = call(&mut hand, 1, 3);
    assert!(hand.sendings(after).is_empty());
    hand.answer(before, Doc::of(0));
    assert_eq!(hand.value(before), 0);
    hand.command(Command::Pause(false));
    assert_eq!(hand.sendings(after).len(), 1);
}

#[test]
fn what_waits_can_be_cleared_by_method_and_priority() {
    let mut hand = Hand::on_websocket(narrow());
    let sent = call(&mut hand, 0, 0);
    let (low, high) = (call(&mut hand, 1, 0), call(&mut hand, 2, 2));
    let read = hand.call(bowline_support::request(bowline_core::Method::RESOURCES_READ, 1));
    hand.command(Command::Clear(Some(bowline_core::Method::TOOLS_CALL), 2));
    assert_eq!(hand.error(low), (Code::Aborted, Outcome::NotSent));
    assert!([sent, high, read].iter().all(|call| hand.end(*call).is_none()));
    hand.command(Command::Clear(None, 4));
    assert!(hand.end(high).is_some() && hand.end(read).is_some() && hand.end(sent).is_none());
}

#[test]
fn a_full_socket_holds_calls_back_until_it_has_emptied() {
    let mut hand = Hand::on_websocket(fixed());
    let link = hand.last_link();
    let asked = |hand: &mut Hand| hand.news().iter().any(|output| matches!(output, Output::Measure(_)));
    hand.link(link, LinkEvent::Buffered(1_048_577.0));
    let low = call(&mut hand, 0, 0);
    let critical = call(&mut hand, 1, 3);
    hand.pass(20);
    assert!(asked(&mut hand), "it looks again");
    hand.link(link, LinkEvent::Buffered(262_145.0));
    assert!(hand.sendings(critical).is_empty(), "between the marks nothing changes");
    hand.pass(20);
    assert!(asked(&mut hand));
    hand.link(link, LinkEvent::Buffered(262_144.0));
    let last_but_one = hand.written().into_iter().nth_back(1).map(|(_, message)| message);
    assert!(matches!(last_but_one, Some(Outgoing::Request { id, .. }) if id.slot() == critical), "in order of urgency");
    assert_eq!(hand.sendings(low).len(), 1);
    hand.news();
    hand.pass(100);
    assert!(!asked(&mut hand), "nobody looks at a socket that is not full");
}

#[test]
fn what_the_socket_says_of_one_frame_is_heard_before_the_next() {
    let mut hand = Hand::new(fixed());
    let calls = [call(&mut hand, 0, 1), call(&mut hand, 1, 1)];
    hand.open();
    let (_, id, _) = hand.question();
    let link = hand.last_link();
    hand.driver.tell(Input::Link(link, LinkEvent::Message(result(id, Doc::supporting("2026-07-28")))));
    while let Some(output) = hand.driver.poll() {
        if matches!(output, Output::Send { message: Outgoing::Request { .. }, .. }) {
            hand.driver.tell(Input::Link(link, LinkEvent::Buffered(2e6)));
        }
    }
    assert_eq!(calls.map(|call| hand.sendings(call).len()), [1, 0]);
}

#[test]
fn a_lost_link_is_not_full_any_more() {
    let mut hand = Hand::on_websocket(fixed());
    hand.link(hand.last_link(), LinkEvent::Buffered(2e6));
    let waiting = call(&mut hand, 0, 1);
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.sendings(waiting).len(), 1);
}

#[test]
fn what_returns_from_a_lost_link_finds_room_in_a_full_queue() {
    let mut hand = Hand::on_websocket(Config { max_queued: 1, websocket_concurrency: 2, reserve: 0, ..fixed() });
    let reads: Vec<CallId> =
        (0..3).map(|key| hand.call(bowline_support::request(bowline_core::Method::RESOURCES_READ, key))).collect();
    hand.close_link(1006);
    for call in reads {
        assert!(hand.end(call).is_none());
    }
    assert_eq!(hand.driver.engine.metrics().queued_requests, 3);
}

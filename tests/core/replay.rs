//! What may be sent again and what must not (resilience, section 5): one test per row of the table that this client acts upon. The
//! rule is the same everywhere: a side effect that left is never sent again unless the server said that it did not execute it.

use bowline_core::{
    CallId, Code, Command, Content, Effect, Event, ExchangeEvent, Input, Kind, LinkEvent, Method, Outcome, Output,
    Reach, Request, State,
};
use bowline_support::{failure, fixed, ms, named, notify, request, tool_call, Doc, Hand, Place};

const READS: [&str; 15] = [
    "server/discover",
    "initialize",
    "ping",
    "tools/list",
    "resources/list",
    "resources/templates/list",
    "prompts/list",
    "resources/read",
    "prompts/get",
    "completion/complete",
    "tasks/get",
    "subscriptions/listen",
    "logging/setLevel",
    "resources/subscribe",
    "resources/unsubscribe",
];
const EFFECTS: [&str; 3] = ["tools/call", "tasks/update", "tasks/cancel"];

fn lose_and_return(hand: &mut Hand) {
    hand.close_link(1006);
    come_back(hand);
}

fn come_back(hand: &mut Hand) {
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
}

fn replays(hand: &Hand, call: CallId) -> usize {
    let replay = |output: &Output<Doc>| matches!(output, Output::Event(Event::Replay(id, ..)) if *id == call);
    hand.driver.log.iter().filter(|(_, output)| replay(output)).count()
}

#[test]
fn the_table_of_methods_is_the_specifications() {
    for name in READS {
        assert_eq!(named(name).map(Method::effect), Some(Effect::Safe), "{name}");
    }
    for name in EFFECTS {
        assert_eq!(named(name).map(Method::effect), Some(Effect::SideEffect), "{name}");
    }
    assert_eq!(Method::from_index(Method::FIRST_FOREIGN).effect(), Effect::SideEffect, "who knows");
}

#[test]
fn a_read_in_flight_is_sent_again_on_the_next_link_with_a_new_id() {
    for name in READS {
        let Some(method) = named(name) else { continue };
        let mut hand = Hand::on_websocket(fixed());
        let call = hand.call(request(method, 4));
        let (_, first) = hand.sent(call);
        lose_and_return(&mut hand);
        let (place, second) = hand.sent(call);
        assert_ne!(first, second, "{name}: ids are never used twice");
        assert_eq!(place, Place::Link(hand.last_link()));
        assert_eq!(replays(&hand, call), 1, "{name}: the application may know");
        hand.answer(call, Doc::of(4));
        assert_eq!(hand.value(call), 4);
        assert_eq!(hand.driver.engine.metrics().replayed, 1);
    }
}

#[test]
fn a_side_effect_in_flight_is_in_doubt_at_once_and_never_sent_again() {
    for method in [Method::TOOLS_CALL, Method::from_index(Method::FIRST_FOREIGN + 3)] {
        let mut hand = Hand::on_websocket(fixed());
        let call = hand.call(request(method, 4));
        hand.pass(50);
        hand.close_link(1006);
        assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
        come_back(&mut hand);
        hand.pass(60_000);
        assert_eq!(hand.sendings(call).len(), 1);
        assert_eq!(hand.driver.engine.metrics().unknown_outcomes, 1);
    }
}

#[test]
fn progress_does_not_make_a_side_effect_safe() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { progress: true, ..tool_call(4) });
    let (_, id) = hand.sent(call);
    let payload = Doc::default();
    hand.frame(bowline_core::Incoming::Notification { method: Method::PROGRESS, token: Some(id), payload });
    hand.close_link(1006);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
}

#[test]
fn what_still_waits_is_sent_on_the_next_link_even_if_it_has_effects() {
    let mut hand = Hand::on_websocket(bowline_core::Config { websocket_concurrency: 1, ..fixed() });
    let first = hand.call(tool_call(1));
    let second = hand.call(tool_call(2));
    assert!(hand.sendings(second).is_empty(), "no room yet");
    lose_and_return(&mut hand);
    assert_eq!(hand.error(first).0, Code::OutcomeUnknown);
    hand.answer(second, Doc::of(2));
    assert_eq!(hand.value(second), 2);
    assert_eq!(replays(&hand, second), 0, "it was never sent: nothing is repeated");
}

#[test]
fn a_frame_that_could_not_be_written_is_sent_again_even_if_it_has_effects() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    hand.link(hand.last_link(), LinkEvent::SendFailed(Some(id)));
    assert!(hand.end(call).is_none());
    assert_eq!(hand.status_now().state, State::Reconnecting);
    come_back(&mut hand);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn those_written_before_a_frame_that_could_not_be_are_in_doubt() {
    let mut hand = Hand::on_websocket(fixed());
    let before = hand.call(tool_call(1));
    let failed = hand.call(tool_call(2));
    let (_, id) = hand.sent(failed);
    hand.link(hand.last_link(), LinkEvent::SendFailed(Some(id)));
    assert_eq!(hand.error(before), (Code::OutcomeUnknown, Outcome::Unknown));
    assert!(hand.end(failed).is_none());
}

#[test]
fn those_that_were_still_to_be_written_after_it_did_not_leave_either() {
    let mut hand = Hand::on_websocket(fixed());
    // As in a shell that performs one output after the other: the second frame is not written yet when the first fails.
    let (first, second) = (CallId(5), CallId(6));
    for (id, key) in [(first, 5), (second, 6)] {
        hand.driver.tell(Input::Command(Command::Call(id, tool_call(key))));
    }
    assert!(matches!(hand.driver.poll(), Some(Output::Send { .. })));
    let (_, id) = hand.sent(first);
    hand.link(hand.last_link(), LinkEvent::SendFailed(Some(id)));
    assert!(hand.sendings(second).is_empty(), "nothing is written on a link that is lost");
    come_back(&mut hand);
    for (call, key) in [(first, 5), (second, 6)] {
        hand.answer(call, Doc::of(key));
        assert_eq!(hand.value(call), key, "neither is in doubt");
    }
}

#[test]
fn a_side_effect_that_its_caller_vouches_for_is_sent_again() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { idempotent: true, ..tool_call(1) });
    lose_and_return(&mut hand);
    assert_eq!(hand.sendings(call).len(), 2);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn replays_end_after_the_second_and_a_read_then_fails() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(request(Method::TOOLS_LIST, 1));
    lose_and_return(&mut hand);
    lose_and_return(&mut hand);
    assert!(hand.end(call).is_none());
    hand.close_link(1006);
    assert_eq!(hand.sendings(call).len(), 3);
    assert_eq!(hand.error(call), (Code::ConnectionClosed, Outcome::NotApplied));
}

#[test]
fn a_vouched_side_effect_stays_in_doubt_whatever_its_later_sendings_say() {
    // Replays used up.
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { idempotent: true, ..tool_call(1) });
    lose_and_return(&mut hand);
    lose_and_return(&mut hand);
    hand.close_link(1006);
    assert_eq!(hand.error(call).1, Outcome::Unknown);

    // The second sending was refused; the first may have been executed.
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { idempotent: true, ..tool_call(1) });
    lose_and_return(&mut hand);
    hand.refuse(call, -32602);
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::Unknown));

    // It waits for a link, and its caller gives up.
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { idempotent: true, ..tool_call(1) });
    hand.close_link(1006);
    hand.command(bowline_core::Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::Unknown));

    // Nothing is planned any more.
    let mut hand = Hand::on_websocket(bowline_core::Config { reconnection: false, ..fixed() });
    let call = hand.call(Request { idempotent: true, ..tool_call(1) });
    hand.close_link(1006);
    assert_eq!(hand.error(call).1, Outcome::Unknown);
}

#[test]
fn a_rate_limit_is_waited_out_by_anything_since_nothing_was_executed() {
    for call in [tool_call(1), request(Method::TOOLS_LIST, 1)] {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(call);
        hand.status(hand.exchange_of(call), 429, Some(ms(2_000)));
        hand.pass(1_999);
        assert_eq!(hand.sendings(call).len(), 1, "not before Retry-After");
        hand.pass(601);
        assert_eq!(hand.sendings(call).len(), 2, "at most 30 % later");
        hand.answer(call, Doc::of(1));
        assert_eq!(hand.value(call), 1);
    }
}

#[test]
fn a_rate_limit_that_names_no_time_waits_for_one_second() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.status(hand.exchange_of(call), 429, None);
    hand.pass(999);
    assert_eq!(hand.sendings(call).len(), 1);
    hand.pass(301);
    assert_eq!(hand.sendings(call).len(), 2);
}

#[test]
fn a_rate_limit_beyond_the_deadline_ends_with_the_deadline() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(Request { max_total: Some(ms(5_000)), ..tool_call(1) });
    hand.status(hand.exchange_of(call), 429, Some(ms(60_000)));
    hand.pass(5_000);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::NotApplied));
    assert_eq!(hand.time(), 5_000.0);
}

#[test]
fn a_server_that_never_stops_limiting_is_believed_in_the_end() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    for _ in 0..2 {
        hand.status(hand.exchange_of(call), 429, None);
        hand.pass(1_300);
    }
    hand.status(hand.exchange_of(call), 429, None);
    assert_eq!(hand.error(call), (Code::RateLimited, Outcome::NotApplied));
}

#[test]
fn a_server_error_is_retried_for_reads_and_in_doubt_for_side_effects() {
    for status in [500, 502, 503, 504] {
        let mut hand = Hand::on_http(fixed());
        let read = hand.call(request(Method::RESOURCES_READ, 1));
        let effect = hand.call(tool_call(2));
        hand.status(hand.exchange_of(read), status, None);
        hand.status(hand.exchange_of(effect), status, None);
        assert_eq!(hand.error(effect), (Code::HttpError, Outcome::Unknown), "{status}");
        hand.pass(1_000);
        hand.answer(read, Doc::of(1));
        assert_eq!(hand.value(read), 1);
        assert_eq!(hand.status_now().state, State::Ready, "the server is reachable");
    }
}

#[test]
fn retry_after_of_a_503_is_honoured_by_reads() {
    let mut hand = Hand::on_http(fixed());
    let read = hand.call(request(Method::RESOURCES_READ, 1));
    hand.status(hand.exchange_of(read), 503, Some(ms(7_000)));
    hand.pass(6_999);
    assert_eq!(hand.sendings(read).len(), 1);
    // And a little more, by chance: others were told the same.
    hand.pass(2_101);
    assert_eq!(hand.sendings(read).len(), 2);
}

#[test]
fn a_fetch_that_failed_is_repeated_for_reads_and_in_doubt_for_side_effects() {
    let mut hand = Hand::on_http(fixed());
    let read = hand.call(request(Method::RESOURCES_READ, 1));
    let effect = hand.call(tool_call(2));
    hand.exchange(hand.exchange_of(effect), ExchangeEvent::Failed(Reach::Unknown));
    hand.exchange(hand.exchange_of(read), ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.error(effect), (Code::OutcomeUnknown, Outcome::Unknown));
    hand.pass_to_retry();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(read, Doc::of(1));
    assert_eq!(hand.value(read), 1);
}

#[test]
fn a_stream_that_ends_without_the_answer_is_repeated_for_reads_only() {
    let mut hand = Hand::on_http(fixed());
    let read = hand.call(request(Method::RESOURCES_READ, 1));
    let effect = hand.call(tool_call(2));
    for call in [read, effect] {
        hand.stream(hand.exchange_of(call));
        hand.exchange(hand.exchange_of(call), ExchangeEvent::Ended);
    }
    assert_eq!(hand.error(effect), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.status_now().state, State::Ready, "the server ended it in good order: the link is well");
    hand.pass(1_000);
    hand.answer(read, Doc::of(1));
    assert_eq!(hand.value(read), 1);
}

#[test]
fn a_stream_that_breaks_is_the_networks_fault_and_the_link_is_tried_anew() {
    let mut hand = Hand::on_http(fixed());
    let read = hand.call(request(Method::RESOURCES_READ, 1));
    let effect = hand.call(tool_call(2));
    for call in [read, effect] {
        hand.stream(hand.exchange_of(call));
    }
    for call in [read, effect] {
        hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Unknown));
    }
    assert_eq!(hand.error(effect), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    assert_eq!(hand.status_now().attempt, 1, "once, however many streams broke");
    hand.pass_to_retry();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(read, Doc::of(1));
    assert_eq!(hand.value(read), 1);
}

#[test]
fn a_json_rpc_error_is_the_servers_word_and_never_retried() {
    for (code, method, outcome) in [
        (-32601, Method::TOOLS_CALL, Outcome::NotApplied),
        (-32602, Method::TOOLS_CALL, Outcome::NotApplied),
        (-32603, Method::TOOLS_CALL, Outcome::Unknown),
        (-32603, Method::TOOLS_LIST, Outcome::NotApplied),
        (7, Method::TOOLS_CALL, Outcome::Unknown),
    ] {
        let mut hand = Hand::on_websocket(fixed());
        let call = hand.call(request(method, 1));
        hand.refuse(call, code);
        assert_eq!(hand.error(call), (Code::RpcError, outcome), "{code}");
        hand.pass(60_000);
        assert_eq!(hand.sendings(call).len(), 1);
    }
}

#[test]
fn credentials_and_permissions_are_refusals_before_execution() {
    for (status, code) in [(401, Code::AuthRequired), (403, Code::Forbidden)] {
        let mut hand = Hand::on_http(fixed());
        let bare = hand.call(tool_call(1));
        hand.status(hand.exchange_of(bare), status, None);
        assert_eq!(hand.error(bare), (code, Outcome::NotApplied));
        let worded = hand.call(tool_call(2));
        let (_, id) = hand.sent(worded);
        hand.json(hand.exchange_of(worded), status, failure(id, -32001));
        assert_eq!(hand.error(worded), (code, Outcome::NotApplied));
    }
}

#[test]
fn a_notification_is_handed_over_once_and_never_repeated() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(notify(1));
    assert!(hand.end(call).is_some_and(|end| end.is_ok()), "nobody answers a notification");

    let mut hand = Hand::on_http(fixed());
    let call = hand.call(notify(1));
    assert!(hand.end(call).is_none());
    let Some((exchange, _)) = hand.fetches().pop() else { return };
    hand.exchange(exchange, ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    hand.pass_to_retry();
    hand.answer_question(Doc::supporting("2026-07-28"));
    let notices = hand.fetches().len();
    hand.pass(60_000);
    assert_eq!(hand.fetches().len(), notices);
    assert_eq!(notify(1).kind, Kind::Notification);
}

#[test]
fn a_replay_keeps_its_deadline() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(Request { max_total: Some(ms(3_500)), ..request(Method::TOOLS_LIST, 1) });
    hand.pass(1_000);
    lose_and_return(&mut hand);
    assert_eq!(hand.sendings(call).len(), 2);
    hand.pass(999);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert_eq!(hand.error(call).0, Code::RequestTimeout);
}

#[test]
fn a_replay_keeps_its_place_among_its_equals() {
    let mut hand = Hand::on_websocket(bowline_core::Config { websocket_concurrency: 1, ..fixed() });
    let first = hand.call(request(Method::RESOURCES_READ, 1));
    hand.pass(10);
    let second = hand.call(request(Method::RESOURCES_READ, 2));
    lose_and_return(&mut hand);
    assert_eq!(hand.sendings(first).len(), 2, "the older one goes first");
    assert!(hand.sendings(second).is_empty());
}

#[test]
fn an_answer_that_is_no_answer_leaves_a_side_effect_in_doubt() {
    for content in [Content::Html, Content::Other, Content::Json] {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        hand.head(hand.exchange_of(call), 200, content, None);
        hand.exchange(hand.exchange_of(call), ExchangeEvent::Ended);
        assert_eq!(hand.error(call), (Code::ParseError, Outcome::Unknown), "{content:?}");
    }
}

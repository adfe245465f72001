//! Sessions of legacy Streamable HTTP (protocol P76): named in every message, begun anew when the server forgot them, and never asked
//! for in the other era.

use bowline_core::{Code, Command, Event, ExchangeEvent, Head, Outcome, Outgoing, Output, State, Verb, Version};
use bowline_core::{Content, Incoming};
use bowline_support::{failure, fixed, notify, request, result, tool_call, Doc, Hand};

fn initializes(hand: &Hand) -> usize {
    hand.written().iter().filter(|(_, message)| matches!(message, Outgoing::Initialize(..))).count()
}

#[test]
fn every_message_names_the_session_and_the_agreed_revision() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    hand.call(tool_call(1));
    hand.call(notify(2));
    let after: Vec<_> = hand.fetches().into_iter().skip(2).collect();
    assert_eq!(after.len(), 4, "initialized, the standing stream, a call, a notification");
    for (_, plan) in after {
        assert_eq!(plan.session, Some(Doc::of(8)));
        assert_eq!(plan.version, Some(Version::V2025_11_25));
    }
}

#[test]
fn a_lost_session_is_begun_anew_without_the_old_id_and_the_call_goes_again() {
    for odd in [false, true] {
        let mut hand = Hand::on_legacy_http(fixed(), 8);
        let call = hand.call(tool_call(1));
        let (_, id) = hand.sent(call);
        if odd {
            hand.json(hand.exchange_of(call), 400, failure(id, -32000));
        } else {
            hand.status(hand.exchange_of(call), 404, None);
        }
        let initialize = hand.fetches().pop();
        assert!(matches!(initialize, Some((_, plan)) if plan.session.is_none()), "without the old id");
        assert!(hand.end(call).is_none());
        hand.begin_session(9);
        let again = hand.fetches().pop();
        assert_eq!(again.and_then(|(_, plan)| plan.session), Some(Doc::of(9)));
        assert_eq!(hand.sendings(call).len(), 2, "even a side effect: nothing was executed");
        hand.answer(call, Doc::of(1));
        assert_eq!(hand.value(call), 1);
    }
}

#[test]
fn a_404_with_a_reason_in_the_body_is_a_lost_session_too() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(1));
    let (_, id) = hand.sent(call);
    hand.json(hand.exchange_of(call), 404, failure(id, -32001));
    assert_eq!(initializes(&hand), 2);
    assert!(hand.end(call).is_none());
}

#[test]
fn concurrent_calls_share_one_new_session() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let calls: Vec<_> = (0..4).map(|key| hand.call(tool_call(key))).collect();
    for call in &calls {
        hand.status(hand.exchange_of(*call), 404, None);
    }
    assert_eq!(initializes(&hand), 2, "the first, and one more");
    hand.begin_session(9);
    for (call, key) in calls.into_iter().zip(0..) {
        hand.answer(call, Doc::of(key));
        assert_eq!(hand.value(call), key);
        assert_eq!(hand.sendings(call).len(), 2);
    }
}

#[test]
fn who_hears_of_it_after_the_new_session_began_does_not_begin_another() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let quick = hand.call(tool_call(1));
    let slow = hand.call(tool_call(2));
    let slow_exchange = hand.exchange_of(slow);
    hand.status(hand.exchange_of(quick), 404, None);
    hand.begin_session(9);
    hand.status(slow_exchange, 404, None);
    assert_eq!(initializes(&hand), 2);
    assert_eq!(hand.sendings(slow).len(), 2);
    hand.answer(slow, Doc::of(2));
    assert_eq!(hand.value(slow), 2);
}

#[test]
fn an_answer_that_was_on_its_way_still_counts() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let lost = hand.call(tool_call(1));
    let answered = hand.call(tool_call(2));
    let (_, id) = hand.sent(answered);
    hand.status(hand.exchange_of(lost), 404, None);
    hand.json(hand.exchange_of(answered), 200, result(id, Doc::of(2)));
    assert_eq!(hand.value(answered), 2);
}

#[test]
fn a_server_that_forgets_every_session_is_given_up() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(1));
    for session in 9..11 {
        hand.status(hand.exchange_of(call), 404, None);
        hand.begin_session(session);
    }
    hand.status(hand.exchange_of(call), 404, None);
    assert_eq!(hand.error(call).1, Outcome::NotApplied);
    assert_eq!(hand.sendings(call).len(), 3);
}

#[test]
fn a_404_without_a_session_is_an_error_like_any_other() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.status(hand.exchange_of(call), 404, None);
    assert_eq!(hand.error(call), (Code::HttpError, Outcome::NotApplied));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn a_modern_server_that_gives_a_session_is_not_taken_up_on_it() {
    let mut hand = Hand::new(bowline_core::Config { websocket: false, ..fixed() });
    let call = hand.call(tool_call(1));
    let (_, id, _) = hand.question();
    let probe = hand.last_exchange();
    let session = Some(Doc::of(5));
    hand.exchange(
        probe,
        ExchangeEvent::Head(Head { status: 200, content: Content::Json, session, retry_after: None, challenge: None }),
    );
    hand.exchange(probe, ExchangeEvent::Message(result(id, Doc::supporting("2026-07-28"))));
    assert_eq!(hand.sendings(call).len(), 1);
    let named = hand.fetches().pop().and_then(|(_, plan)| plan.session);
    assert_eq!(named, None, "the era has no sessions (P24)");
}

#[test]
fn reconnect_begins_a_session_of_its_own() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    hand.command(Command::Reconnect);
    let last = hand.fetches().pop();
    assert!(matches!(last, Some((_, plan)) if plan.session.is_none() && plan.verb == Verb::Post));
}

#[test]
fn a_read_survives_a_session_that_is_lost_with_others() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let read = hand.call(request(bowline_core::Method::RESOURCES_READ, 3));
    hand.status(hand.exchange_of(read), 404, None);
    hand.begin_session(9);
    hand.answer(read, Doc::of(3));
    assert_eq!(hand.value(read), 3);
    let told = |output: &Output<Doc>| matches!(output, Output::Event(Event::Replay(id, ..)) if *id == read);
    assert!(hand.driver.log.iter().any(|(_, output)| told(output)));
}

#[test]
fn an_error_without_an_id_speaks_of_the_exchange_it_came_in() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(1));
    let nameless = Incoming::Error { id: None, code: -32000, payload: Doc::default() };
    hand.json(hand.exchange_of(call), 400, nameless);
    assert_eq!(initializes(&hand), 2, "as some servers refuse a session they do not know");
}

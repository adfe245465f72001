//! HTTP+SSE of 2024-11-05 (protocol P30, P83): found when `initialize` is refused, kept to one origin, and then a connection like a
//! socket's.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    Asked, CallId, Code, Command, Config, Content, Detail, Event, ExchangeEvent, ExchangeId, Incoming, Method, Outcome,
    Outgoing, Output, Reach, Request, State, Transport, Verb, Version,
};
use bowline_support::{
    connect, failure, fixed, ms, notification, notify, request, result, tool_call, Doc, Hand, Place,
};

const ADDRESS: u32 = 77;

/// A client before the stream that it asked for; `initialize` was refused with the status.
fn asking(status: u16) -> (Hand, CallId, ExchangeId) {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    let call = hand.call(connect());
    hand.status(hand.last_exchange(), 404, None);
    hand.status(hand.last_exchange(), status, None);
    let stream = hand.gets().pop().unwrap_or_else(|| panic!("a stream")).0;
    (hand, call, stream)
}

/// A client that works over this transport, and its stream.
fn ready(config: Config) -> (Hand, ExchangeId) {
    let mut hand = Hand::new(Config { websocket: false, ..config });
    hand.call(connect());
    hand.status(hand.last_exchange(), 404, None);
    hand.status(hand.last_exchange(), 405, None);
    let stream = hand.last_exchange();
    hand.stream(stream);
    hand.exchange(stream, ExchangeEvent::Endpoint(Some(Doc::of(ADDRESS))));
    hand.status(hand.last_exchange(), 202, None);
    let (_, id, _) = hand.question();
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::speaking(Version::V2024_11_05))));
    hand.status(hand.last_exchange(), 202, None);
    (hand, stream)
}

/// The exchange that carries a call, and its id.
fn carried(hand: &Hand, call: CallId) -> (ExchangeId, bowline_core::RequestId) {
    match hand.sent(call) {
        (Place::Exchange(exchange), id) => (exchange, id),
        (Place::Link(_), _) => panic!("sent on a socket"),
    }
}

#[test]
fn the_stream_is_asked_for_when_initialize_is_refused() {
    for status in [400, 404, 405] {
        let (mut hand, call, stream) = asking(status);
        let (_, plan) = hand.gets().remove(0);
        assert!(plan.session.is_none() && plan.version.is_none() && plan.message.is_none());
        hand.stream(stream);
        hand.exchange(stream, ExchangeEvent::Endpoint(Some(Doc::of(ADDRESS))));
        let (post, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("initialize"));
        assert!(matches!(plan.message, Some(Outgoing::Initialize(..))));
        assert_eq!((plan.verb, plan.endpoint, plan.version), (Verb::Post, Some(Doc::of(ADDRESS)), None));
        hand.status(post, 202, None);
        assert!(hand.end(call).is_none(), "that it was taken is no answer");
        let (_, id, _) = hand.question();
        hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::speaking(Version::V2024_11_05))));
        assert!(matches!(hand.end(call), Some(Ok(_))));
        let now = hand.status_now();
        assert_eq!((now.state, now.transport), (State::Ready, Some(Transport::Http)));
        assert_eq!(now.version, Some(Version::V2024_11_05));
        let (_, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("initialized"));
        assert!(matches!(plan.message, Some(Outgoing::Initialized)));
        assert_eq!(plan.endpoint, Some(Doc::of(ADDRESS)));
    }
}

#[test]
fn a_json_rpc_refusal_leads_there_too_unless_a_newer_server_says_it() {
    for (code, older) in [(-32600, true), (-32000, true), (-32020, false), (-32021, false), (-32022, false)] {
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        hand.call(connect());
        hand.status(hand.last_exchange(), 404, None);
        hand.refuse_question(code);
        assert_eq!(hand.gets().len(), usize::from(older), "{code}");
    }
}

#[test]
fn other_statuses_are_no_sign_of_it() {
    for status in [401, 403, 415, 429, 500, 503] {
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        hand.call(connect());
        hand.status(hand.last_exchange(), 404, None);
        hand.status(hand.last_exchange(), status, None);
        assert!(hand.gets().is_empty(), "{status}");
    }
}

#[test]
fn when_there_is_no_such_stream_the_refusal_of_initialize_is_told() {
    for end in 0..4 {
        let (mut hand, call, stream) = asking(404);
        match end {
            0 => hand.status(stream, 405, None),
            1 => hand.head(stream, 200, Content::Html, None),
            2 => hand.exchange(stream, ExchangeEvent::Failed(Reach::Unknown)),
            _ => {
                hand.stream(stream);
                hand.exchange(stream, ExchangeEvent::Ended);
            }
        }
        let Some(Err(error)) = hand.end(call) else { panic!("an error") };
        assert_eq!((error.code, error.outcome), (Code::HttpError, Outcome::NotSent), "{end}");
        assert!(matches!(error.detail, Detail::Http(404, None)));
        assert_eq!(hand.status_now().state, State::Failed);
    }
}

#[test]
fn an_address_of_another_origin_is_not_used() {
    let (mut hand, call, stream) = asking(405);
    hand.stream(stream);
    let before = hand.fetches().len();
    hand.exchange(stream, ExchangeEvent::Endpoint(None));
    let Some(Err(error)) = hand.end(call) else { panic!("an error") };
    assert_eq!(error.code, Code::ParseError);
    assert!(matches!(error.detail, Detail::Note("endpoint")));
    assert_eq!(hand.fetches().len(), before, "nothing is sent anywhere");
    assert!(hand.aborted(stream));
}

#[test]
fn a_second_address_is_passed_over() {
    let (mut hand, stream) = ready(fixed());
    hand.exchange(stream, ExchangeEvent::Endpoint(Some(Doc::of(99))));
    hand.exchange(stream, ExchangeEvent::Endpoint(None));
    hand.call(tool_call(1));
    assert_eq!(hand.fetches().pop().and_then(|(_, plan)| plan.endpoint), Some(Doc::of(ADDRESS)));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn an_address_on_any_other_stream_means_nothing() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Endpoint(Some(Doc::of(ADDRESS))));
    let next = hand.call(tool_call(2));
    assert_eq!(hand.fetches().pop().and_then(|(_, plan)| plan.endpoint), None);
    hand.answer(next, Doc::of(2));
    assert_eq!(hand.value(next), 2);
}

#[test]
fn a_call_is_posted_there_and_answered_on_the_stream() {
    let (mut hand, stream) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, id) = carried(&hand, call);
    hand.status(post, 202, None);
    hand.pass(30_000);
    assert!(hand.end(call).is_none());
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_call_with_more_time_than_most_is_carried_as_long() {
    let (mut hand, stream) = ready(Config { timeout: ms(1), ..fixed() });
    let call = hand.call(Request { timeout: Some(ms(60_000)), ..tool_call(5) });
    let (post, id) = carried(&hand, call);
    hand.pass(9_000);
    assert!(!hand.aborted(post), "its receipt is on its way");
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(5))));
    assert_eq!(hand.value(call), 5);
}

#[test]
fn the_answer_may_overtake_the_receipt() {
    let (mut hand, stream) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, id) = carried(&hand, call);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!(hand.value(call), 1);
    hand.status(post, 202, None);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(1))));
    assert_eq!(hand.driver.engine.metrics().violations, 1);
}

#[test]
fn a_post_that_is_refused_fails_its_call_only() {
    let (mut hand, stream) = ready(fixed());
    let refused = hand.call(tool_call(1));
    let other = hand.call(tool_call(2));
    hand.status(carried(&hand, refused).0, 404, None);
    assert_eq!(hand.error(refused), (Code::HttpError, Outcome::NotApplied));
    let broken = hand.call(tool_call(3));
    hand.status(carried(&hand, broken).0, 500, None);
    assert_eq!(hand.error(broken), (Code::HttpError, Outcome::Unknown));
    let (post, id) = carried(&hand, other);
    hand.status(post, 202, None);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(2))));
    assert_eq!(hand.value(other), 2);
}

#[test]
fn a_receipt_that_fails_after_its_call_ended_in_doubt_does_not_use_the_doubt_up() {
    let (mut hand, stream) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, id) = carried(&hand, call);
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::Unknown));
    hand.exchange(post, ExchangeEvent::Failed(Reach::Unknown));
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(5))));
    let told = hand
        .driver
        .log
        .iter()
        .any(|(_, output)| matches!(output, Output::Event(Event::Late(late, true, _)) if *late == id));
    assert!(told && hand.driver.engine.metrics().violations == 0);
}

#[test]
fn a_json_rpc_error_in_the_receipt_is_the_calls() {
    let (mut hand, _) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, id) = carried(&hand, call);
    hand.json(post, 400, failure(id, -32602));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
}

#[test]
fn losing_the_stream_is_losing_the_link() {
    for failed in [false, true] {
        let (mut hand, stream) = ready(fixed());
        let tool = hand.call(tool_call(1));
        let read = hand.call(request(Method::RESOURCES_READ, 2));
        hand.status(carried(&hand, tool).0, 202, None);
        hand.status(carried(&hand, read).0, 202, None);
        hand.exchange(stream, if failed { ExchangeEvent::Failed(Reach::Down) } else { ExchangeEvent::Ended });
        assert_eq!(hand.error(tool), (Code::OutcomeUnknown, Outcome::Unknown));
        assert!(hand.end(read).is_none());
        assert_eq!(hand.status_now().state, State::Reconnecting);

        hand.pass_to_retry();
        hand.status(hand.last_exchange(), 405, None);
        let again = hand.last_exchange();
        hand.stream(again);
        hand.exchange(again, ExchangeEvent::Endpoint(Some(Doc::of(88))));
        let (_, id, _) = hand.question();
        hand.exchange(again, ExchangeEvent::Message(result(id, Doc::speaking(Version::V2024_11_05))));
        assert_eq!(hand.fetches().pop().and_then(|(_, plan)| plan.endpoint), Some(Doc::of(88)));
        hand.status(hand.last_exchange(), 202, None);
        let (_, id) = carried(&hand, read);
        hand.exchange(again, ExchangeEvent::Message(result(id, Doc::of(2))));
        assert_eq!(hand.value(read), 2);
    }
}

#[test]
fn a_receipt_that_comes_after_the_link_was_lost_means_nothing() {
    let (mut hand, stream) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, _) = carried(&hand, call);
    hand.exchange(stream, ExchangeEvent::Ended);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    hand.status(post, 500, None);
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

#[test]
fn a_cancel_is_said_to_the_server() {
    let (mut hand, _) = ready(fixed());
    let call = hand.call(tool_call(1));
    let (post, id) = carried(&hand, call);
    hand.status(post, 202, None);
    hand.command(Command::Cancel(call));
    let (_, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("a message"));
    assert!(matches!(plan.message, Some(Outgoing::Cancelled(told)) if told == id));
    assert_eq!(plan.endpoint, Some(Doc::of(ADDRESS)));
}

#[test]
fn the_server_speaks_and_asks_on_the_stream() {
    let (mut hand, stream) = ready(fixed());
    hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
    let ping = Incoming::Request { asked: Asked::Ping, payload: Doc::of(3) };
    hand.exchange(stream, ExchangeEvent::Message(ping));
    let (_, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("an answer"));
    assert!(matches!(plan.message, Some(Outgoing::Pong(_))));
    assert_eq!(plan.endpoint, Some(Doc::of(ADDRESS)));
    assert_eq!(hand.gets().len(), 1, "there is no other stream");
}

#[test]
fn a_notification_settles_when_it_was_taken() {
    let (mut hand, _) = ready(fixed());
    let call = hand.call(notify(1));
    assert!(hand.end(call).is_none());
    hand.status(hand.last_exchange(), 202, None);
    assert!(matches!(hand.end(call), Some(Ok(_))));
}

#[test]
fn one_connection_besides_the_stream_is_enough() {
    let (mut hand, stream) = ready(Config { http_concurrency: 1, websocket_concurrency: 2, reserve: 0, ..fixed() });
    let calls: Vec<_> = (0..3).map(|key| hand.call(tool_call(key))).collect();
    assert_eq!(hand.sendings(calls[0]).len(), 1);
    assert!(hand.sendings(calls[1]).is_empty());
    hand.status(carried(&hand, calls[0]).0, 202, None);
    hand.status(carried(&hand, calls[1]).0, 202, None);
    assert!(hand.sendings(calls[2]).is_empty(), "two are under way");
    let (_, id) = carried(&hand, calls[0]);
    hand.exchange(stream, ExchangeEvent::Message(result(id, Doc::of(0))));
    assert_eq!(hand.sendings(calls[2]).len(), 1);
}

#[test]
fn close_ends_the_stream_and_asks_for_nothing_more() {
    let (mut hand, stream) = ready(fixed());
    let call = hand.call(tool_call(1));
    let before = hand.fetches().len();
    hand.command(Command::Close);
    assert!(hand.aborted(stream));
    assert_eq!(hand.error(call), (Code::ClientClosed, Outcome::Unknown));
    let after: Vec<_> = hand.fetches().into_iter().skip(before).collect();
    assert!(after.iter().all(|(_, plan)| plan.verb == Verb::Post), "it has no session to end");
    hand.pass(120_000);
    assert_eq!(hand.driver.timer, None);
}

#[test]
fn a_stream_without_an_address_ends_with_the_attempt() {
    let (mut hand, call, stream) = asking(405);
    hand.stream(stream);
    hand.pass(10_000);
    assert_eq!(hand.error(call).0, Code::ConnectTimeout);
    assert!(hand.aborted(stream));
}

//! The standing stream of legacy Streamable HTTP (protocol P77, P78): when it is asked for, what comes on it, and how often it is opened
//! again when it ends.

#![allow(clippy::panic, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    Asked, Code, Command, Config, Content, Event, ExchangeEvent, Head, Incoming, LinkEvent, Method, Outcome, Outgoing,
    Output, Reach, State, Verb, Version,
};
use bowline_support::{connect, fixed, ms, notification, request, result, tool_call, Doc, Hand};

fn heard(hand: &Hand, method: Method) -> usize {
    let told =
        |output: &Output<Doc>| matches!(output, Output::Event(Event::Notification(other, _)) if *other == method);
    hand.driver.log.iter().filter(|(_, output)| told(output)).count()
}

#[test]
fn it_is_asked_for_once_the_server_took_the_initialized_notification() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.refuse_question(-32601);
    hand.answer_initialize(8);
    assert_eq!(hand.status_now().state, State::Ready);
    let call = hand.call(tool_call(1));
    assert!(hand.gets().is_empty() && hand.sendings(call).is_empty(), "a call could overtake the notification");
    hand.status(hand.last_exchange(), 202, None);
    assert!(hand.sendings(call).is_empty(), "what the server asks during the call would come to nobody");
    let (stream, plan) = hand.gets().remove(0);
    hand.stream(stream);
    assert_eq!(hand.sendings(call).len(), 1);
    assert_eq!((plan.session, plan.version), (Some(Doc::of(8)), Some(Version::V2025_11_25)));
    assert!(plan.resume.is_none() && plan.message.is_none());
}

#[test]
fn a_standing_stream_that_is_not_there_is_not_waited_for_long() {
    for refused in [false, true] {
        let mut hand = Hand::new(Config { websocket: false, ..fixed() });
        hand.call(connect());
        hand.refuse_question(-32601);
        hand.answer_initialize(8);
        let call = hand.call(tool_call(1));
        hand.status(hand.last_exchange(), 202, None);
        let (stream, _) = hand.gets().remove(0);
        if refused {
            hand.status(stream, 405, None);
        } else {
            hand.pass(499);
            assert!(hand.sendings(call).is_empty());
            hand.pass(1);
        }
        assert_eq!(hand.sendings(call).len(), 1);
    }
}

#[test]
fn a_server_that_does_not_take_the_notification_is_not_asked() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.refuse_question(-32601);
    hand.answer_initialize(8);
    let call = hand.call(tool_call(1));
    hand.status(hand.last_exchange(), 400, None);
    assert_eq!(hand.sendings(call).len(), 1, "calls find out by themselves");
    hand.answer(call, Doc::of(1));
    hand.pass(60_000);
    assert!(hand.gets().is_empty());
}

#[test]
fn a_notification_that_nobody_answers_holds_calls_up_for_ten_seconds_at_most() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.refuse_question(-32601);
    hand.answer_initialize(8);
    let call = hand.call(tool_call(1));
    hand.pass(10_000);
    assert_eq!(hand.sendings(call).len(), 1);
}

#[test]
fn no_other_link_has_one() {
    for mut hand in [Hand::on_http(fixed()), Hand::on_websocket(fixed()), Hand::on_legacy_websocket(fixed())] {
        hand.pass(60_000);
        assert!(hand.gets().is_empty());
    }
}

#[test]
fn what_the_server_says_on_it_is_heard_and_answered() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
    assert_eq!(heard(&hand, Method::TOOLS_CHANGED), 1);
    let ping = Incoming::Request { asked: Asked::Ping, payload: Doc::of(3) };
    hand.exchange(stream, ExchangeEvent::Message(ping));
    let (_, last) = hand.written().pop().unwrap_or_else(|| panic!("an answer"));
    assert!(matches!(last, Outgoing::Pong(asked) if asked == Doc::of(3)));
}

#[test]
fn a_refusal_is_for_as_long_as_the_link_lives() {
    for status in [400, 401, 403, 404, 405, 409] {
        let mut hand = Hand::before_standing_stream(fixed(), 8);
        hand.status(hand.last_exchange(), status, None);
        hand.pass(120_000);
        assert_eq!(hand.gets().len(), 1, "{status}");
        assert_eq!(hand.status_now().state, State::Ready, "{status} says nothing about the link");
    }
}

#[test]
fn a_stream_that_was_open_and_is_not_known_any_more_tells_that_the_session_is_over() {
    for status in [400, 404] {
        let mut hand = Hand::with_standing_stream(fixed(), 8);
        let (stream, _) = hand.gets().remove(0);
        hand.end_at(stream, 42, None);
        hand.pass(1_000);
        hand.status(hand.last_exchange(), status, None);
        let (_, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("a question"));
        assert!(matches!(plan.message, Some(Outgoing::Initialize(..))), "{status}: nobody calls, and nothing is heard");
        assert!(plan.session.is_none());
        hand.answer_initialize(9);
        hand.status(hand.last_exchange(), 202, None);
        let (_, plan) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
        assert_eq!((plan.session, plan.resume), (Some(Doc::of(9)), None), "{status}");
    }
}

#[test]
fn what_is_no_event_stream_is_a_refusal_too() {
    let mut hand = Hand::before_standing_stream(fixed(), 8);
    hand.head(hand.last_exchange(), 200, Content::Html, None);
    hand.pass(120_000);
    assert_eq!(hand.gets().len(), 1);
    assert!(hand.aborted(hand.last_exchange()), "its connection is given back");
}

#[test]
fn when_it_ends_it_is_taken_up_after_a_second_behind_the_last_event() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.end_at(stream, 42, None);
    hand.pass(999);
    assert_eq!(hand.gets().len(), 1);
    hand.pass(1);
    let (_, plan) = hand.gets().remove(1);
    assert_eq!((plan.resume, plan.session), (Some(Doc::of(42)), Some(Doc::of(8))));
}

#[test]
fn the_time_that_the_server_names_is_kept_to_the_millisecond() {
    let mut hand = Hand::with_standing_stream(Config::default(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.exchange(stream, ExchangeEvent::Cursor { id: None, retry: Some(ms(500)) });
    hand.exchange(stream, ExchangeEvent::Ended);
    hand.pass(499);
    assert_eq!(hand.gets().len(), 1);
    hand.pass(1);
    assert_eq!(hand.gets().len(), 2);
    assert_eq!(hand.gets()[1].1.resume, None, "no event was seen");
}

#[test]
fn a_server_that_only_opens_and_closes_it_is_asked_five_times() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    for _ in 0..20 {
        let (stream, _) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
        hand.stream(stream);
        hand.exchange(stream, ExchangeEvent::Ended);
        hand.pass(5_000);
    }
    assert_eq!(hand.gets().len(), 5);
    hand.command(Command::Reconnect);
    hand.answer_initialize(9);
    hand.status(hand.last_exchange(), 202, None);
    assert_eq!(hand.gets().len(), 6, "another link is another matter");
}

#[test]
fn one_that_brings_something_each_time_may_end_as_often_as_it_likes() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    for _ in 0..20 {
        let (stream, _) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
        hand.stream(stream);
        hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
        hand.exchange(stream, ExchangeEvent::Ended);
        hand.pass(1_000);
    }
    assert_eq!(hand.gets().len(), 21);
}

#[test]
fn a_network_failure_of_it_costs_no_link_and_is_waited_out_ever_longer() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let mut begun = Vec::new();
    for _ in 0..10 {
        let (stream, _) = hand.gets().pop().unwrap_or_else(|| panic!("a stream"));
        hand.exchange(stream, ExchangeEvent::Failed(Reach::Down));
        let (from, count) = (hand.time(), hand.gets().len());
        while hand.gets().len() == count {
            hand.pass(50);
        }
        begun.push(hand.time() - from);
    }
    assert_eq!(hand.status_now().state, State::Ready);
    assert_eq!(begun[0], 1_500.0);
    assert!(begun.windows(2).all(|pair| pair[0] <= pair[1]) && begun[9] > 10_000.0, "{begun:?}");
}

#[test]
fn a_server_in_trouble_is_given_the_time_it_asks_for() {
    let mut hand = Hand::before_standing_stream(fixed(), 8);
    hand.status(hand.last_exchange(), 503, Some(ms(7_000)));
    hand.pass(6_999);
    assert_eq!(hand.gets().len(), 1);
    hand.pass(1);
    assert_eq!(hand.gets().len(), 2);
}

#[test]
fn it_takes_one_of_the_connections() {
    let mut hand = Hand::with_standing_stream(Config { http_concurrency: 3, reserve: 0, ..fixed() }, 8);
    let calls: Vec<_> = (0..3).map(|key| hand.call(tool_call(key))).collect();
    let left: Vec<_> = calls.iter().map(|call| hand.sendings(*call).len()).collect();
    assert_eq!(left, [1, 1, 0]);
    hand.answer(calls[0], Doc::of(0));
    assert_eq!(hand.sendings(calls[2]).len(), 1);
}

#[test]
fn it_waits_for_a_free_connection_but_comes_before_waiting_calls() {
    let mut hand = Hand::with_standing_stream(Config { http_concurrency: 2, ..fixed() }, 8);
    let (stream, _) = hand.gets().remove(0);
    hand.end_at(stream, 1, None);
    let calls: Vec<_> = (0..3).map(|key| hand.call(tool_call(key))).collect();
    hand.pass(1_000);
    assert_eq!(hand.gets().len(), 1, "both connections are taken");
    hand.answer(calls[0], Doc::of(0));
    assert_eq!(hand.gets().len(), 2);
    assert!(hand.sendings(calls[2]).is_empty());
    hand.answer(calls[1], Doc::of(1));
    hand.answer(calls[2], Doc::of(2));
}

#[test]
fn a_client_with_one_connection_keeps_it_for_calls() {
    let mut hand = Hand::on_legacy_http(Config { http_concurrency: 1, ..fixed() }, 8);
    assert!(hand.gets().is_empty());
    let call = hand.call(tool_call(1));
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn nonsense_on_it_is_passed_over() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.exchange(stream, ExchangeEvent::Message(Incoming::Malformed(bowline_core::Malformed::Json)));
    let stray = hand.call(tool_call(1));
    let (_, id) = hand.sent(stray);
    let other = bowline_core::RequestId(id.0 + (1 << 30));
    hand.exchange(stream, ExchangeEvent::Message(result(other, Doc::of(9))));
    hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
    assert_eq!(heard(&hand, Method::TOOLS_CHANGED), 1);
    assert_eq!(hand.driver.engine.metrics().violations, 2);
    assert!(hand.end(stray).is_none());
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn it_goes_with_its_link_and_comes_with_the_next() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    let call = hand.call(tool_call(1));
    hand.status(hand.exchange_of(call), 404, None);
    assert!(hand.aborted(stream), "the session is gone, and with it its stream");
    hand.answer_initialize(9);
    assert_eq!(hand.sendings(call).len(), 1);
    hand.status(hand.last_exchange(), 202, None);
    let (stream, plan) = hand.gets().remove(1);
    hand.stream(stream);
    assert_eq!(hand.sendings(call).len(), 2);
    assert_eq!((plan.session, plan.resume), (Some(Doc::of(9)), None));
}

#[test]
fn close_ends_it_and_the_session() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.command(Command::Close);
    assert!(hand.aborted(stream));
    let (end, plan) = hand.fetches().pop().unwrap_or_else(|| panic!("the end of the session"));
    assert_eq!((plan.verb, plan.session), (Verb::Delete, Some(Doc::of(8))));
    hand.status(end, 405, None);
    hand.pass(60_000);
    assert_eq!(hand.gets().len(), 1);
}

#[test]
fn events_of_a_stream_that_is_gone_change_nothing() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    hand.command(Command::Reconnect);
    hand.news();
    hand.exchange(stream, ExchangeEvent::Message(notification(Method::TOOLS_CHANGED)));
    hand.end_at(stream, 5, None);
    assert!(hand.news().is_empty());
}

#[test]
fn a_batch_may_have_news_behind_the_answer() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(request(Method::PROMPTS_LIST, 4));
    let (exchange, (_, id)) = (hand.exchange_of(call), hand.sent(call));
    hand.head(exchange, 200, Content::Json, None);
    let ping = Incoming::Request { asked: Asked::Ping, payload: Doc::of(3) };
    for message in [result(id, Doc::of(4)), notification(Method::TOOLS_CHANGED), ping, result(id, Doc::of(5))] {
        hand.exchange(exchange, ExchangeEvent::Message(message));
    }
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert_eq!(hand.value(call), 4);
    assert_eq!(heard(&hand, Method::TOOLS_CHANGED), 1);
    assert!(matches!(hand.written().pop(), Some((_, Outgoing::Pong(_)))));
}

#[test]
fn a_websocket_that_takes_over_ends_it() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.pass(250);
    hand.open();
    hand.frame(bowline_support::failure(hand.question().1, -32601));
    let (_, ask, _) = hand.question();
    hand.frame(result(ask, Doc::speaking(Version::V2025_11_25)));
    hand.pass(60_000);
    assert!(hand.gets().is_empty());
    hand.link(hand.last_link(), LinkEvent::Closed(1006));
    let call = hand.call(tool_call(1));
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::NotSent));
}

#[test]
fn a_head_without_a_stream_behind_it_is_an_end_like_any_other() {
    let mut hand = Hand::with_standing_stream(fixed(), 8);
    let (stream, _) = hand.gets().remove(0);
    let session = None;
    hand.exchange(stream, ExchangeEvent::Ended);
    hand.pass(1_000);
    let (again, _) = hand.gets().remove(1);
    let head = Head { status: 200, content: Content::EventStream, session, retry_after: None, challenge: None };
    hand.exchange(again, ExchangeEvent::Head(head));
    hand.pass(6_000);
    hand.exchange(again, ExchangeEvent::Failed(Reach::Unknown));
    hand.pass(1_000);
    assert_eq!(hand.gets().len(), 3, "it lived: its failure is the first");
}

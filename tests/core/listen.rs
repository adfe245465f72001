//! The standing `subscriptions/listen` of the modern era (protocol P47-P51, P85): asked for while somebody wants it, replaced without a
//! gap, found broken, asked for again with patience, and never again of a server that has nothing like it.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use bowline_core::{
    CacheKey, Command, Config, Content, Event, ExchangeEvent, ExchangeId, Incoming, LinkEvent, ListenPhase, Method,
    Outgoing, Output, Reach, Reconnect, RequestId, ResultKind, State,
};
use bowline_support::{about, failure, fixed, ms, notification, result, tool_call, tools_list, Doc, Hand, Place};

use ListenPhase::{Acknowledged, Ended, Lost, Unsupported};

fn want(hand: &mut Hand, key: u32) {
    hand.command(Command::Listen(Some(Doc::of(key))));
}

/// A client over HTTP whose listen is acknowledged; its exchange and its id.
fn listening_on_http(config: Config) -> (Hand, ExchangeId, RequestId) {
    let mut hand = Hand::on_http(config);
    want(&mut hand, 1);
    hand.acknowledge();
    let (exchange, id) = last(&hand);
    (hand, exchange, id)
}

fn listening_on_websocket() -> (Hand, RequestId) {
    let mut hand = Hand::on_websocket(fixed());
    want(&mut hand, 1);
    hand.acknowledge();
    let (_, id) = hand.listens()[0];
    (hand, id)
}

fn last(hand: &Hand) -> (ExchangeId, RequestId) {
    match hand.listens().pop() {
        Some((Place::Exchange(exchange), id)) => (exchange, id),
        other => panic!("not over HTTP: {other:?}"),
    }
}

/// The filters that were sent, in order.
fn filters(hand: &Hand) -> Vec<u32> {
    let filter = |(_, message): (Place, Outgoing<Doc>)| match message {
        Outgoing::Listen(_, filter) => Some(filter.key),
        _ => None,
    };
    hand.written().into_iter().filter_map(filter).collect()
}

fn notified(hand: &mut Hand) -> Vec<Method> {
    let method = |output: &Output<Doc>| match output {
        Output::Event(Event::Notification(method, _)) => Some(*method),
        _ => None,
    };
    hand.news().iter().filter_map(method).collect()
}

fn cancelled(hand: &Hand, listen: RequestId) -> bool {
    hand.written().iter().any(|(_, message)| matches!(message, Outgoing::Cancelled(id) if *id == listen))
}

/// Puts a tools list into the cache.
fn keep_a_list(hand: &mut Hand) {
    let call = hand.call(tools_list(1));
    let (place, id) = hand.sent(call);
    let hint = bowline_core::Hint { ttl: Some(ms(600_000)), public: false };
    let answer = Incoming::Result { id, kind: ResultKind::Complete, hint, size: 10, payload: Doc::of(1) };
    match place {
        Place::Link(_) => hand.bring(place, answer),
        Place::Exchange(exchange) => hand.json(exchange, 200, answer),
    }
    assert!(is_kept(hand), "the list is kept");
}

fn is_kept(hand: &mut Hand) -> bool {
    hand.driver.engine.peek(hand.driver.now, CacheKey(1)).is_some()
}

#[test]
fn what_is_wanted_is_asked_for_as_soon_as_a_modern_link_is_ready() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    want(&mut hand, 5);
    assert_eq!(hand.status_now().state, State::Connecting, "a wish to listen wakes an idle client");
    assert_eq!(filters(&hand), []);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(filters(&hand), [5]);
    hand.acknowledge();
    assert_eq!(hand.phases(), [Acknowledged]);
}

#[test]
fn the_acknowledgment_comes_with_the_filter_that_the_server_honours() {
    let (mut hand, id) = listening_on_websocket();
    let told = hand.news().into_iter().find_map(|output| match output {
        Output::Event(Event::Listen(Acknowledged, honoured)) => honoured,
        _ => None,
    });
    assert_eq!(told, Some(Doc::default()));
    // Said twice, it is told once.
    hand.frame(about(id, Method::ACKNOWLEDGED));
    assert_eq!(hand.phases(), [Acknowledged]);
}

#[test]
fn a_legacy_server_is_asked_nothing() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    want(&mut hand, 1);
    hand.pass(60_000);
    assert!(hand.listens().is_empty() && hand.phases().is_empty());
    assert_eq!(hand.driver.timer, None);
}

#[test]
fn a_legacy_servers_cancellation_is_the_applications_business() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    hand.news();
    hand.frame(about(RequestId(3), Method::CANCELLED));
    assert_eq!(notified(&mut hand), [Method::CANCELLED]);
}

#[test]
fn news_of_the_stream_reach_the_application_and_the_cache() {
    let (mut hand, id) = listening_on_websocket();
    keep_a_list(&mut hand);
    hand.news();
    hand.frame(about(id, Method::TOOLS_CHANGED));
    assert_eq!(notified(&mut hand), [Method::TOOLS_CHANGED]);
    assert!(!is_kept(&mut hand));
}

#[test]
fn progress_on_the_stream_is_nobodys() {
    let (mut hand, id) = listening_on_websocket();
    hand.news();
    hand.frame(about(id, Method::PROGRESS));
    let told = |output: &Output<Doc>| matches!(output, Output::Progress(..) | Output::Event(Event::Notification(..)));
    assert!(!hand.news().iter().any(told));
}

#[test]
fn news_of_a_stream_that_is_not_there_are_dropped_and_counted() {
    let (mut hand, id) = listening_on_websocket();
    hand.news();
    hand.frame(about(RequestId(id.0 + (1 << 20)), Method::TOOLS_CHANGED));
    assert_eq!(notified(&mut hand), []);
    assert_eq!(hand.driver.engine.metrics().violations, 1);
    hand.frame(notification(Method::TOOLS_CHANGED));
    assert_eq!(notified(&mut hand), [Method::TOOLS_CHANGED], "a notification that names no stream is believed");
}

#[test]
fn a_stream_over_http_says_itself_whose_news_it_brings() {
    let mut hand = Hand::on_http(fixed());
    want(&mut hand, 1);
    let (exchange, _) = last(&hand);
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(notification(Method::ACKNOWLEDGED)));
    hand.exchange(exchange, ExchangeEvent::Message(notification(Method::PROMPTS_CHANGED)));
    assert_eq!(hand.phases(), [Acknowledged]);
    assert_eq!(notified(&mut hand), [Method::PROMPTS_CHANGED]);
}

#[test]
fn a_new_filter_replaces_the_old_one_without_a_gap() {
    let (mut hand, old, old_id) = listening_on_http(fixed());
    want(&mut hand, 2);
    let (new, _) = last(&hand);
    assert!(!hand.aborted(old), "make before break");
    hand.news();
    hand.exchange(old, ExchangeEvent::Message(about(old_id, Method::TOOLS_CHANGED)));
    assert_eq!(notified(&mut hand), [Method::TOOLS_CHANGED], "the old stream still counts");
    hand.acknowledge();
    assert!(hand.aborted(old) && !hand.aborted(new));
    assert_eq!((filters(&hand), hand.phases()), (vec![1, 2], vec![Acknowledged, Acknowledged]));
}

#[test]
fn on_a_web_socket_the_replaced_stream_is_cancelled_in_words() {
    let (mut hand, old) = listening_on_websocket();
    want(&mut hand, 2);
    assert!(!cancelled(&hand, old));
    hand.acknowledge();
    assert!(cancelled(&hand, old));
    hand.news();
    hand.frame(about(old, Method::TOOLS_CHANGED));
    assert_eq!(notified(&mut hand), [], "told by the new stream already");
}

#[test]
fn a_filter_that_was_not_acknowledged_yet_is_given_up_at_once() {
    let (mut hand, old, _) = listening_on_http(fixed());
    want(&mut hand, 2);
    let (between, _) = last(&hand);
    want(&mut hand, 3);
    assert!(hand.aborted(between) && !hand.aborted(old), "only what was acknowledged is worth keeping");
    hand.acknowledge();
    assert!(hand.aborted(old));
    assert_eq!(filters(&hand), [1, 2, 3]);
}

#[test]
fn when_nothing_is_wanted_any_more_the_stream_ends() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    want(&mut hand, 2);
    let (new, _) = last(&hand);
    hand.command(Command::Listen(None));
    assert!(hand.aborted(exchange) && hand.aborted(new));
    assert_eq!(hand.driver.timer, None, "and no timer stays");

    let (mut hand, id) = listening_on_websocket();
    hand.command(Command::Listen(None));
    assert!(cancelled(&hand, id));
    hand.pass(100_000);
    assert_eq!((hand.listens().len(), hand.phases()), (1, vec![Acknowledged]));
}

#[test]
fn a_stream_that_breaks_is_asked_for_again_with_growing_patience() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    hand.pass(5_000);
    hand.exchange(exchange, ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.phases(), [Acknowledged, Lost]);
    assert_eq!(hand.status_now().state, State::Ready, "calls notice themselves whether the server is there");
    for wait in [1_000, 1_500, 2_250, 3_375] {
        let before = hand.listens().len();
        hand.pass(wait - 1);
        assert_eq!(hand.listens().len(), before);
        hand.pass(1);
        assert_eq!(hand.listens().len(), before + 1, "after {wait} ms");
        let (exchange, _) = last(&hand);
        hand.exchange(exchange, ExchangeEvent::Failed(Reach::Down));
    }
    assert_eq!(hand.phases(), [Acknowledged, Lost], "told once");
    hand.pass(5_063);
    hand.acknowledge();
    assert_eq!(hand.phases(), [Acknowledged, Lost, Acknowledged]);
}

#[test]
fn a_stream_that_ends_without_a_result_is_lost_and_one_with_a_result_has_ended() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    hand.exchange(exchange, ExchangeEvent::Ended);
    assert_eq!(hand.phases(), [Acknowledged, Lost]);

    let (mut hand, exchange, id) = listening_on_http(fixed());
    hand.pass(10_000);
    hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::default())));
    assert_eq!(hand.phases(), [Acknowledged, Ended]);
    hand.exchange(exchange, ExchangeEvent::Ended);
    hand.pass(1_000);
    assert_eq!(hand.listens().len(), 2);
}

#[test]
fn a_server_ends_a_stream_with_a_cancellation_too() {
    let (mut hand, id) = listening_on_websocket();
    hand.pass(10_000);
    hand.news();
    hand.frame(about(id, Method::CANCELLED));
    assert_eq!((hand.phases(), notified(&mut hand)), (vec![Acknowledged, Ended], vec![]));
    hand.pass(1_000);
    assert_eq!(hand.listens().len(), 2);

    let (mut hand, exchange, id) = listening_on_http(fixed());
    hand.exchange(exchange, ExchangeEvent::Message(about(id, Method::CANCELLED)));
    assert!(hand.aborted(exchange), "the rest of the stream is not waited for");
}

#[test]
fn a_result_before_the_acknowledgment_means_that_there_is_no_such_thing() {
    let mut hand = Hand::on_websocket(fixed());
    want(&mut hand, 1);
    let (place, id) = hand.listens()[0];
    hand.bring(place, result(id, Doc::default()));
    assert_eq!(hand.phases(), [Unsupported]);
    hand.pass(600_000);
    assert_eq!((hand.listens().len(), hand.driver.timer), (1, None), "it is not asked again");
    want(&mut hand, 2);
    assert_eq!(hand.listens().len(), 2, "but with another filter");
}

#[test]
fn a_refusal_is_the_last_word_until_another_link_is_ready() {
    let mut hand = Hand::on_http(fixed());
    want(&mut hand, 1);
    let (exchange, id) = last(&hand);
    hand.json(exchange, 404, failure(id, -32601));
    assert_eq!(hand.phases(), [Unsupported]);
    hand.pass(600_000);
    assert_eq!(hand.listens().len(), 1);
    hand.command(Command::Reconnect);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.listens().len(), 2);
}

#[test]
fn what_is_no_stream_is_a_refusal() {
    for (status, content) in [(400, Content::Other), (405, Content::Other), (202, Content::Other), (200, Content::Html)]
    {
        let mut hand = Hand::on_http(fixed());
        want(&mut hand, 1);
        let (exchange, _) = last(&hand);
        hand.head(exchange, status, content, None);
        hand.exchange(exchange, ExchangeEvent::Ended);
        assert_eq!(hand.phases(), [Unsupported], "{status} {content:?}");
    }
}

#[test]
fn a_server_that_is_busy_is_asked_again_when_it_says() {
    for status in [429, 503] {
        let mut hand = Hand::on_http(fixed());
        want(&mut hand, 1);
        let (exchange, _) = last(&hand);
        hand.status(exchange, status, Some(ms(7_000)));
        hand.pass(6_999);
        assert_eq!((hand.listens().len(), hand.phases()), (1, vec![]));
        hand.pass(1);
        assert_eq!(hand.listens().len(), 2, "{status}");
    }
}

#[test]
fn a_server_that_has_nothing_to_tell_is_not_asked_for_ever() {
    let mut hand = Hand::on_http(fixed());
    want(&mut hand, 1);
    for _ in 0..20 {
        let Some((Place::Exchange(exchange), id)) = hand.listens().pop() else { panic!("over HTTP") };
        if !hand.phases().contains(&Unsupported) {
            hand.acknowledge();
            hand.exchange(exchange, ExchangeEvent::Message(result(id, Doc::default())));
            hand.exchange(exchange, ExchangeEvent::Ended);
        }
        hand.pass(60_000);
    }
    let short = [Acknowledged, Ended];
    assert_eq!(hand.phases(), [&short[..], &short[..], &short[..], &[Unsupported]].concat());
}

#[test]
fn a_server_with_room_for_one_stream_gets_the_new_filter_when_the_old_one_is_gone() {
    let (mut hand, old, _) = listening_on_http(fixed());
    want(&mut hand, 2);
    let (refused, id) = last(&hand);
    hand.json(refused, 200, failure(id, -32603));
    assert!(hand.aborted(old));
    assert_eq!(hand.phases(), [Acknowledged, Lost]);
    hand.pass(1_500);
    assert_eq!(filters(&hand), [1, 2, 2]);
    hand.acknowledge();
    assert_eq!(hand.phases(), [Acknowledged, Lost, Acknowledged]);
}

#[test]
fn after_a_lost_link_it_is_asked_for_on_the_next_one() {
    let (mut hand, _) = listening_on_websocket();
    hand.close_link(1006);
    assert_eq!(hand.phases(), [Acknowledged, Lost]);
    hand.pass_to_retry();
    hand.open();
    assert_eq!(hand.listens().len(), 1, "not before the link is ready");
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.listens().len(), 2);
    hand.acknowledge();
    assert_eq!(hand.phases(), [Acknowledged, Lost, Acknowledged]);
}

#[test]
fn a_reconnect_over_http_gives_the_old_stream_back() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    hand.command(Command::Reconnect);
    assert!(hand.aborted(exchange));
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.listens().len(), 2);
}

#[test]
fn what_may_have_changed_unheard_is_stale_once_the_server_listens_again() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    keep_a_list(&mut hand);
    hand.exchange(exchange, ExchangeEvent::Failed(Reach::Unknown));
    assert!(is_kept(&mut hand), "a list that may be old is better than none");
    hand.pass(1_500);
    hand.acknowledge();
    assert!(!is_kept(&mut hand));

    // Replacing a filter misses nothing.
    keep_a_list(&mut hand);
    want(&mut hand, 2);
    hand.acknowledge();
    assert!(is_kept(&mut hand));
}

#[test]
fn a_read_that_was_under_way_at_that_moment_is_not_kept() {
    let (mut hand, id) = listening_on_websocket();
    hand.frame(about(id, Method::CANCELLED));
    let call = hand.call(tools_list(1));
    hand.pass(1_500);
    hand.acknowledge();
    let (place, request) = hand.sent(call);
    let hint = bowline_core::Hint { ttl: Some(ms(600_000)), public: false };
    let answer = Incoming::Result { id: request, kind: ResultKind::Complete, hint, size: 10, payload: Doc::of(1) };
    hand.bring(place, answer);
    assert_eq!(hand.value(call), 1);
    assert!(!is_kept(&mut hand));
}

#[test]
fn a_silent_stream_over_http_counts_as_broken() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    hand.pass(89_999);
    hand.exchange(exchange, ExchangeEvent::Alive);
    hand.pass(89_999);
    assert_eq!(hand.phases(), [Acknowledged]);
    hand.pass(1);
    assert_eq!(hand.phases(), [Acknowledged, Lost]);
    assert!(hand.aborted(exchange));
    hand.pass(1_000);
    assert_eq!(hand.listens().len(), 2);
}

#[test]
fn silence_may_be_allowed() {
    let (mut hand, _, _) = listening_on_http(Config { stream_idle: ms(0), ..fixed() });
    hand.pass(1_000_000);
    assert_eq!(hand.driver.timer, None);
    assert_eq!(hand.phases(), [Acknowledged]);

    let (mut hand, _) = listening_on_websocket();
    assert_eq!(hand.driver.timer, None, "a socket is watched as a whole");
    hand.pass(1_000_000);
    assert_eq!(hand.phases(), [Acknowledged]);
}

#[test]
fn patience_starts_anew_after_a_stream_that_lived() {
    let reconnect = Reconnect { initial_delay: ms(100), multiplier: 10.0, ..fixed().reconnect };
    let (mut hand, _, _) = listening_on_http(Config { reconnect, ..fixed() });
    for (lived, wait) in [(0, 1_000), (0, 10_000), (5_000, 100)] {
        hand.pass(lived);
        let (exchange, _) = last(&hand);
        hand.exchange(exchange, ExchangeEvent::Ended);
        let before = hand.listens().len();
        hand.pass(wait - 1);
        assert_eq!(hand.listens().len(), before);
        hand.pass(1);
        assert_eq!(hand.listens().len(), before + 1, "after {wait} ms");
        hand.acknowledge();
    }
}

#[test]
fn a_stream_takes_one_of_the_connections_but_never_the_last() {
    let (mut hand, _, _) = listening_on_http(Config { http_concurrency: 2, reserve: 0, ..fixed() });
    let (one, other) = (hand.call(tool_call(1)), hand.call(tool_call(2)));
    assert_eq!((hand.sendings(one).len(), hand.sendings(other).len()), (1, 0));
    hand.command(Command::Listen(None));
    assert_eq!(hand.sendings(other).len(), 1, "its connection is free again");

    let (mut hand, _, _) = listening_on_http(Config { http_concurrency: 1, ..fixed() });
    let call = hand.call(tool_call(1));
    assert_eq!(hand.sendings(call).len(), 1);
}

#[test]
fn a_closed_client_listens_to_nothing() {
    let (mut hand, exchange, _) = listening_on_http(fixed());
    hand.command(Command::Close);
    assert!(hand.aborted(exchange));
    assert_eq!(hand.driver.timer, None);
    want(&mut hand, 2);
    assert_eq!(hand.listens().len(), 1);
    assert_eq!(hand.status_now().state, State::Closed);
}

#[test]
fn a_frame_that_could_not_be_written_loses_the_link_and_not_the_wish() {
    let mut hand = Hand::on_websocket(fixed());
    want(&mut hand, 1);
    hand.link(hand.last_link(), LinkEvent::SendFailed(None));
    assert_eq!(hand.phases(), []);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.listens().len(), 2);
}

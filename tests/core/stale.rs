//! What is past its time and still good for something (resilience rules, section 3): while it is read again, when it cannot be, and for who
//! says so. What is fresh is the matter of `caching.rs`.

use bowline_core::{
    CacheKey, CacheLimits, CacheMode, CallId, Code, Command, Config, Error, Hint, Incoming, Keep, Method, Outcome,
    Output, Request, ResultKind, Revalidate,
};
use bowline_support::{fixed, ms, request, tools_list, Doc, Hand, Req};

fn with(limits: CacheLimits) -> Config {
    Config { cache: Some(limits), timeout: ms(1_000), ..fixed() }
}

/// A tools list, edition after edition.
fn answer(hand: &mut Hand, call: CallId, edition: u32, ttl: u64) {
    let (_, id) = hand.sent(call);
    let hint = Hint { ttl: Some(ms(ttl)), public: false };
    hand.frame(Incoming::Result { id, kind: ResultKind::Complete, hint, size: 10, payload: Doc::of(edition) });
}

/// A client that keeps edition 1, which ends to be fresh now.
fn stale(limits: CacheLimits) -> Hand {
    let mut hand = Hand::on_websocket(with(limits));
    let call = hand.call(tools_list(1));
    answer(&mut hand, call, 1, 5_000);
    hand.pass(5_000);
    hand
}

fn list(mode: CacheMode) -> Req {
    Request { cache_mode: mode, ..tools_list(1) }
}

/// What the call got before its end, if it did.
fn served(hand: &mut Hand, call: CallId) -> Option<u32> {
    hand.news().iter().find_map(|output| match output {
        Output::Serve(id, doc) if *id == call => Some(doc.key),
        _ => None,
    })
}

fn failed(hand: &Hand, call: CallId) -> Option<(Code, Outcome)> {
    match hand.end(call) {
        Some(Err(Error { code, outcome, .. })) => Some((code, outcome)),
        _ => None,
    }
}

#[test]
fn a_read_that_fails_has_the_stale_result() {
    let mut hand = stale(CacheLimits::default());
    let call = hand.call(tools_list(1));
    let follower = hand.call(tools_list(1));
    hand.news();
    // The follower travels in its place, and waits as long.
    hand.pass(2_000);
    let news = hand.news();
    for one in [call, follower] {
        assert!(news.iter().any(|output| matches!(output, Output::Serve(id, doc) if *id == one && doc.key == 1)));
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.cache_stale, metrics.failed_requests, metrics.timeouts), (2, 0, 2));
}

#[test]
fn not_longer_than_stale_if_error_says() {
    let mut hand = stale(CacheLimits { stale_if_error: ms(999), ..CacheLimits::default() });
    let call = hand.call(tools_list(1));
    hand.pass(1_000);
    assert_eq!(served(&mut hand, call), None);
    assert!(failed(&hand, call).is_some_and(|(code, _)| code == Code::RequestTimeout));
}

#[test]
fn an_error_of_the_server_is_the_answer() {
    let mut hand = stale(CacheLimits::default());
    let call = hand.call(tools_list(1));
    hand.refuse(call, -32603);
    assert_eq!(served(&mut hand, call), None);
}

#[test]
fn who_gives_up_gets_nothing() {
    let mut hand = stale(CacheLimits::default());
    let call = hand.call(tools_list(1));
    hand.command(Command::Cancel(call));
    assert_eq!(served(&mut hand, call), None);
}

#[test]
fn within_its_window_a_stale_result_is_served_at_once_and_read_again_behind_it() {
    let mut hand = stale(CacheLimits { stale_while_revalidate: ms(10_000), ..CacheLimits::default() });
    let call = hand.call(Request { progress: true, ..tools_list(1) });
    assert_eq!(served(&mut hand, call), Some(1));
    assert_eq!(hand.sendings(call).len(), 1);
    let beside = hand.call(tools_list(1));
    assert_eq!(served(&mut hand, beside), Some(1));
    assert!(hand.sendings(beside).is_empty() && hand.end(beside).is_some(), "one read is enough");
    answer(&mut hand, call, 2, 5_000);
    let after = hand.call(tools_list(1));
    assert_eq!(hand.value(after), 2);
    hand.pass(15_000);
    let late = hand.call(tools_list(1));
    assert_eq!(served(&mut hand, late), None, "the window is over");
}

#[test]
fn a_read_behind_the_callers_back_that_fails_is_nobodys_failure() {
    let mut hand = stale(CacheLimits::default());
    let call = hand.call(list(CacheMode::StaleWhileRevalidate));
    assert_eq!(served(&mut hand, call), Some(1));
    hand.pass(1_000);
    assert_eq!(served(&mut hand, call), None, "once");
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.successful_requests, metrics.failed_requests), (2, 0));
}

#[test]
fn a_read_behind_the_callers_back_does_not_ask_the_user() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    let read = |mode| Request { key: Some(CacheKey(1)), cache_mode: mode, ..request(Method::RESOURCES_READ, 1) };
    let call = hand.call(read(CacheMode::Use));
    answer(&mut hand, call, 1, 5_000);
    hand.pass(5_000);
    let call = hand.call(read(CacheMode::StaleWhileRevalidate));
    hand.answer_kind(call, ResultKind::InputRequired, Doc::of(1));
    assert!(hand.asks().is_empty());
    assert!(hand.end(call).is_some());
}

#[test]
fn only_if_cached_asks_nobody() {
    let mut hand = stale(CacheLimits::default());
    hand.pass(3_600_000);
    let kept = hand.call(list(CacheMode::OnlyIfCached));
    assert_eq!(served(&mut hand, kept), Some(1));
    let other = hand.call(Request { key: Some(CacheKey(2)), ..list(CacheMode::OnlyIfCached) });
    let past = hand.call(Request { key: None, ..list(CacheMode::OnlyIfCached) });
    for call in [other, past] {
        assert_eq!(failed(&hand, call), Some((Code::NotCached, Outcome::NotSent)));
        assert!(hand.sendings(call).is_empty());
    }
}

#[test]
fn a_refresh_asks_the_server_and_its_word_is_kept() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    let call = hand.call(tools_list(1));
    let refresh = hand.call(list(CacheMode::Refresh));
    assert_eq!(hand.sendings(refresh).len(), 1, "what left before it is no answer to it");
    answer(&mut hand, refresh, 2, 5_000);
    answer(&mut hand, call, 1, 5_000);
    let kept = hand.call(tools_list(1));
    assert_eq!(hand.value(kept), 2);
    let refresh = hand.call(list(CacheMode::Refresh));
    hand.pass(1_000);
    assert!(failed(&hand, refresh).is_some());
    assert_eq!(served(&mut hand, refresh), None, "it wanted the server's own word");
}

#[test]
fn a_result_that_must_not_be_kept_ends_the_one_before_it() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    let call = hand.call(tools_list(1));
    answer(&mut hand, call, 1, 5_000);
    let refresh = hand.call(list(CacheMode::Refresh));
    answer(&mut hand, refresh, 2, 0);
    assert_eq!(hand.driver.engine.metrics().cache_size, 0);
}

#[test]
fn a_callers_ttl_keeps_what_the_server_says_nothing_of() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    let call = hand.call(Request { cache_ttl: Some(ms(100)), ..tools_list(1) });
    hand.answer(call, Doc::of(1));
    let kept = hand.call(tools_list(1));
    assert_eq!(hand.value(kept), 1);
    hand.pass(100);
    assert_eq!(hand.driver.engine.peek(hand.driver.now, CacheKey(1)), None);
}

/// A list and a discovery, both fresh, and then another link.
fn back(revalidate: Revalidate) -> (Hand, [bool; 2]) {
    let mut hand = Hand::on_websocket(with(CacheLimits { revalidate, ..CacheLimits::default() }));
    for read in [tools_list(1), Request { key: Some(CacheKey(2)), ..request(Method::DISCOVER, 2) }] {
        let call = hand.call(read);
        answer(&mut hand, call, 1, 600_000);
    }
    hand.close_link(1006);
    assert!(hand.driver.engine.peek(hand.driver.now, CacheKey(1)).is_some(), "without a link it is the best there is");
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    let fresh = [1, 2].map(|key| hand.driver.engine.peek(hand.driver.now, CacheKey(key)).is_some());
    (hand, fresh)
}

#[test]
fn with_another_link_what_may_have_changed_unheard_is_stale() {
    let (mut hand, fresh) = back(Revalidate::Watched);
    assert_eq!(fresh, [false, true]);
    let call = hand.call(tools_list(1));
    hand.pass(1_000);
    assert_eq!(served(&mut hand, call), Some(1), "and better than nothing");
    assert_eq!(back(Revalidate::All).1, [false, false]);
    assert_eq!(back(Revalidate::None).1, [true, true]);
}

fn keep(edition: u32, newer: bool) -> Keep<Doc> {
    let payload = Doc::of(edition);
    Keep { method: Method::TOOLS_LIST, subject: 0, payload, size: 10, ttl: Some(ms(5_000)), public: false, newer }
}

#[test]
fn the_applications_own_result_is_served_and_not_replaced_by_an_older_one() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    let old = hand.call(tools_list(1));
    hand.command(Command::Keep(CacheKey(1), keep(2, true)));
    answer(&mut hand, old, 1, 5_000);
    let kept = hand.call(tools_list(1));
    assert_eq!(hand.value(kept), 2);
    hand.command(Command::Keep(CacheKey(1), keep(3, false)));
    assert_eq!(
        hand.driver.engine.peek(hand.driver.now, CacheKey(1)),
        Some(Doc::of(2)),
        "what was saved earlier replaces nothing"
    );
    hand.command(Command::Invalidate(Some(Method::TOOLS_LIST), 0));
    assert_eq!(hand.driver.engine.peek(hand.driver.now, CacheKey(1)), None);
}

#[test]
fn what_is_kept_can_be_told_with_the_time_it_has_left() {
    let mut hand = Hand::on_websocket(with(CacheLimits::default()));
    hand.command(Command::Keep(CacheKey(1), keep(2, true)));
    hand.pass(2_000);
    let mut told = Vec::new();
    hand.driver
        .engine
        .each_kept(hand.driver.now, &mut |key, doc, left, public| told.push((key, doc.key, left, public)));
    assert_eq!(told, [(CacheKey(1), 2, ms(3_000), false)]);
}

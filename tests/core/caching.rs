//! What is answered without the wire (protocol P52-P56): results kept as long as the server says, reads shared while they are in flight,
//! and nothing shown that was announced to be old.

use bowline_core::{
    CacheKey, CacheLimits, CallId, Command, Config, ExchangeEvent, Hint, Incoming, Instant, LinkEvent, Method, Output,
    Reach, Request, ResultKind,
};
use bowline_support::{fixed, ms, notification, request, tools_list, Doc, Hand};

/// Answers the last sending of a call with a result that is fresh for so long.
fn answer_fresh(hand: &mut Hand, call: CallId, key: u32, ttl: Option<u64>) {
    let (_, id) = hand.sent(call);
    let hint = Hint { ttl: ttl.map(ms), public: false };
    hand.frame(Incoming::Result { id, kind: ResultKind::Complete, hint, size: 10, payload: Doc::of(key) });
}

fn cached(hand: &Hand, call: CallId) -> bool {
    matches!(hand.end(call), Some(Ok(settled)) if settled.cached)
}

fn forgotten(hand: &mut Hand) -> Vec<CacheKey> {
    let forget = |output: &Output<Doc>| match output {
        Output::Forget(key) => Some(*key),
        _ => None,
    };
    hand.news().iter().filter_map(forget).collect()
}

#[test]
fn a_result_is_kept_as_long_as_the_server_says() {
    let mut hand = Hand::on_websocket(fixed());
    let first = hand.call(tools_list(1));
    answer_fresh(&mut hand, first, 1, Some(5_000));
    hand.pass(4_999);
    let second = hand.call(tools_list(1));
    assert!(cached(&hand, second));
    assert_eq!(hand.value(second), 1);
    hand.pass(1);
    let third = hand.call(tools_list(1));
    assert_eq!(hand.sendings(third).len(), 1, "stale");
    assert_eq!(hand.driver.engine.metrics().cached_responses, 1);
}

#[test]
fn a_modern_server_that_says_nothing_wants_nothing_kept() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tools_list(1));
    answer_fresh(&mut hand, call, 1, None);
    assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
    let again = hand.call(tools_list(1));
    assert!(!cached(&hand, again) && hand.end(again).is_none());
}

#[test]
fn a_legacy_server_cannot_say_so_the_default_holds() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    let call = hand.call(tools_list(1));
    answer_fresh(&mut hand, call, 1, None);
    hand.pass(299_999);
    let again = hand.call(tools_list(1));
    assert!(cached(&hand, again));
    hand.pass(1);
    let stale = hand.call(tools_list(1));
    assert!(hand.end(stale).is_none());
}

#[test]
fn the_servers_word_is_capped() {
    let limits = CacheLimits { max_ttl: ms(1_000), ..CacheLimits::default() };
    let mut hand = Hand::on_websocket(Config { cache: Some(limits), ..fixed() });
    let call = hand.call(tools_list(1));
    answer_fresh(&mut hand, call, 1, Some(u64::MAX));
    hand.pass(1_000);
    let again = hand.call(tools_list(1));
    assert!(hand.end(again).is_none());
}

#[test]
fn a_ttl_of_zero_is_not_kept() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tools_list(1));
    answer_fresh(&mut hand, call, 1, Some(0));
    assert_eq!(hand.driver.engine.metrics().cache_size, 0);
}

#[test]
fn a_call_without_a_key_bypasses_the_cache() {
    let mut hand = Hand::on_websocket(fixed());
    let first = hand.call(tools_list(1));
    answer_fresh(&mut hand, first, 1, Some(5_000));
    let bypass = hand.call(request(Method::TOOLS_LIST, 1));
    assert_eq!(hand.sendings(bypass).len(), 1);
}

#[test]
fn a_cached_result_needs_no_connection() {
    let mut hand = Hand::on_websocket(fixed());
    let first = hand.call(tools_list(1));
    answer_fresh(&mut hand, first, 1, Some(60_000));
    hand.close_link(1006);
    let second = hand.call(tools_list(1));
    assert!(cached(&hand, second));
}

#[test]
fn errors_and_broken_answers_are_not_kept() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tools_list(1));
    hand.refuse(call, -32603);
    let again = hand.call(tools_list(1));
    assert_eq!(hand.sendings(again).len(), 1);
}

#[test]
fn without_a_cache_nothing_is_kept_but_reads_are_still_shared() {
    let mut hand = Hand::on_websocket(Config { cache: None, ..fixed() });
    let first = hand.call(tools_list(1));
    let second = hand.call(tools_list(1));
    assert!(hand.sendings(second).is_empty());
    answer_fresh(&mut hand, first, 1, Some(60_000));
    assert_eq!(hand.value(second), 1);
    assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
}

#[test]
fn a_notification_makes_what_it_names_stale_at_once() {
    for (news, stale, other) in [
        (Method::TOOLS_CHANGED, Method::TOOLS_LIST, Method::PROMPTS_LIST),
        (Method::PROMPTS_CHANGED, Method::PROMPTS_LIST, Method::TOOLS_LIST),
        (Method::RESOURCES_CHANGED, Method::RESOURCES_LIST, Method::RESOURCES_READ),
        (Method::RESOURCES_CHANGED, Method::RESOURCE_TEMPLATES_LIST, Method::TOOLS_LIST),
        (Method::RESOURCE_UPDATED, Method::RESOURCES_READ, Method::RESOURCES_LIST),
    ] {
        let mut hand = Hand::on_websocket(fixed());
        let keyed = |method, key| Request { key: Some(CacheKey(key)), ..request(method, key) };
        for (method, key) in [(stale, 1), (other, 2)] {
            let call = hand.call(keyed(method, key));
            answer_fresh(&mut hand, call, key, Some(60_000));
        }
        hand.news();
        hand.frame(Incoming::Notification { method: news, token: None, payload: Doc::of(1) });
        assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
        let refetched = hand.call(keyed(stale, 1));
        assert_eq!(hand.sendings(refetched).len(), 1, "{stale:?} after {news:?}");
        let kept = hand.call(keyed(other, 2));
        assert!(cached(&hand, kept), "{other:?} after {news:?}");
    }
}

/// A read of a resource under the key of its address.
fn resource(key: u32) -> Request<Doc> {
    Request { key: Some(CacheKey(key)), ..request(Method::RESOURCES_READ, key) }
}

#[test]
fn an_update_concerns_the_reads_of_its_address_only() {
    let mut hand = Hand::on_websocket(fixed());
    for key in [1, 2] {
        let call = hand.call(resource(key));
        answer_fresh(&mut hand, call, key, Some(60_000));
    }
    let (other, same) = (hand.call(resource(3)), hand.call(resource(4)));
    hand.news();
    for address in [1, 4] {
        let payload = Doc::of(address);
        hand.frame(Incoming::Notification { method: Method::RESOURCE_UPDATED, token: None, payload });
    }
    assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
    let kept = hand.call(resource(2));
    assert!(cached(&hand, kept));
    answer_fresh(&mut hand, other, 3, Some(60_000));
    answer_fresh(&mut hand, same, 4, Some(60_000));
    let (kept, old) = (hand.call(resource(3)), hand.call(resource(4)));
    assert!(cached(&hand, kept), "on its way, but of another address");
    assert!(!cached(&hand, old), "it left before the change");
}

#[test]
fn an_update_that_names_nothing_concerns_all_reads() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(resource(1));
    answer_fresh(&mut hand, call, 1, Some(60_000));
    hand.news();
    hand.frame(notification(Method::RESOURCE_UPDATED));
    assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
}

#[test]
fn a_refused_cursor_drops_all_pages_of_its_list() {
    let mut hand = Hand::on_websocket(fixed());
    let other = Request { key: Some(CacheKey(9)), ..request(Method::PROMPTS_LIST, 9) };
    for (page, key) in [(tools_list(1), 1), (tools_list(2), 2), (other.clone(), 9)] {
        let call = hand.call(page);
        answer_fresh(&mut hand, call, key, Some(60_000));
    }
    let third = hand.call(tools_list(3));
    hand.refuse(third, -32602);
    let (first, kept) = (hand.call(tools_list(1)), hand.call(other));
    assert_eq!(hand.sendings(first).len(), 1);
    assert!(cached(&hand, kept));
}

#[test]
fn a_read_that_left_before_a_change_is_answered_but_not_kept() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tools_list(1));
    hand.frame(notification(Method::TOOLS_CHANGED));
    answer_fresh(&mut hand, call, 1, Some(60_000));
    assert_eq!(hand.value(call), 1);
    assert_eq!(hand.driver.engine.metrics().cache_size, 0);
}

#[test]
fn who_asks_after_a_change_is_not_given_the_state_before_it() {
    let mut hand = Hand::on_websocket(fixed());
    let before = hand.call(tools_list(1));
    let beside = hand.call(tools_list(1));
    hand.frame(notification(Method::TOOLS_CHANGED));
    let after = hand.call(tools_list(1));
    assert_eq!(hand.sendings(after).len(), 1, "it travels by itself");
    let with = hand.call(tools_list(1));
    assert!(hand.sendings(with).is_empty(), "and others may join it");
    answer_fresh(&mut hand, before, 10, Some(60_000));
    assert_eq!((hand.value(before), hand.value(beside)), (10, 10));
    assert!(hand.end(after).is_none() && hand.end(with).is_none());
    answer_fresh(&mut hand, after, 11, Some(60_000));
    assert_eq!((hand.value(after), hand.value(with)), (11, 11));
    let kept = hand.call(tools_list(1));
    assert_eq!(hand.value(kept), 11);
}

#[test]
fn the_answers_of_overtaken_reads_may_come_in_any_order() {
    let mut hand = Hand::on_websocket(fixed());
    let before = hand.call(tools_list(1));
    hand.frame(notification(Method::TOOLS_CHANGED));
    let after = hand.call(tools_list(1));
    hand.news();
    answer_fresh(&mut hand, after, 11, Some(60_000));
    answer_fresh(&mut hand, before, 10, Some(60_000));
    assert_eq!((hand.value(before), hand.value(after)), (10, 11));
    assert!(forgotten(&mut hand).is_empty(), "the newer result still stands under the key");
    let kept = hand.call(tools_list(1));
    assert_eq!(hand.value(kept), 11);
}

#[test]
fn a_change_of_something_else_lets_reads_be_shared() {
    let mut hand = Hand::on_websocket(fixed());
    hand.call(tools_list(1));
    hand.frame(notification(Method::PROMPTS_CHANGED));
    let after = hand.call(tools_list(1));
    assert!(hand.sendings(after).is_empty());
}

#[test]
fn identical_reads_in_flight_share_one_request() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(tools_list(1));
    let followers: Vec<CallId> = (0..3).map(|_| hand.call(tools_list(1))).collect();
    let other = hand.call(tools_list(2));
    assert_eq!(hand.written().iter().filter(|(_, m)| matches!(m, bowline_core::Outgoing::Request { .. })).count(), 2);
    answer_fresh(&mut hand, leader, 7, None);
    for call in followers {
        assert_eq!(hand.value(call), 7);
    }
    assert!(hand.end(other).is_none());
    assert_eq!(hand.driver.engine.metrics().deduplicated, 3);
}

#[test]
fn a_key_is_forgotten_once_and_only_when_nobody_uses_it() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(tools_list(1));
    hand.call(tools_list(1));
    hand.call(tools_list(1));
    hand.news();
    hand.refuse(leader, -32603);
    let news = hand.news();
    let forgets = news.iter().filter(|output| matches!(output, Output::Forget(_))).count();
    assert_eq!(forgets, 1);
    assert!(matches!(news.last(), Some(Output::Forget(CacheKey(1)))), "after the last settle: {news:?}");
}

#[test]
fn a_key_that_is_used_again_before_the_shell_hears_that_it_is_free_is_not_forgotten() {
    let mut hand = Hand::on_websocket(fixed());
    // As a listener does, which looks for a result, finds none, and asks for it: what follows is performed when it has returned.
    let now = Instant::from_millis(hand.time());
    assert!(hand.driver.engine.peek(now, CacheKey(1)).is_none());
    let read = hand.call(tools_list(1));
    answer_fresh(&mut hand, read, 1, Some(5_000));
    assert_eq!(forgotten(&mut hand), []);
    hand.command(Command::Invalidate(None, 0));
    assert_eq!(forgotten(&mut hand), [CacheKey(1)]);
}

#[test]
fn followers_of_a_read_whose_link_is_lost_wait_with_it() {
    let mut hand = Hand::on_websocket(fixed());
    let leader = hand.call(tools_list(1));
    let follower = hand.call(tools_list(1));
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.sendings(leader).len(), 2);
    answer_fresh(&mut hand, leader, 5, None);
    assert_eq!(hand.value(follower), 5);
}

#[test]
fn followers_share_the_leaders_failure() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    let leader = hand.call(tools_list(1));
    let follower = hand.call(tools_list(1));
    for _ in 0..2 {
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Down));
    }
    assert_eq!(hand.error(leader), hand.error(follower));
}

#[test]
fn the_least_recently_used_result_makes_room() {
    let limits = CacheLimits { max_size: 2, ..CacheLimits::default() };
    let mut hand = Hand::on_websocket(Config { cache: Some(limits), ..fixed() });
    for key in [1, 2] {
        let call = hand.call(tools_list(key));
        answer_fresh(&mut hand, call, key, Some(60_000));
    }
    hand.call(tools_list(1));
    hand.news();
    let third = hand.call(tools_list(3));
    answer_fresh(&mut hand, third, 3, Some(60_000));
    assert_eq!(forgotten(&mut hand), [CacheKey(2)]);
}

#[test]
fn news_from_a_link_that_is_gone_changes_nothing() {
    let mut hand = Hand::on_websocket(fixed());
    let old = hand.last_link();
    hand.command(Command::Reconnect);
    hand.news();
    hand.link(old, LinkEvent::Message(notification(Method::TOOLS_CHANGED)));
    assert!(hand.news().is_empty());
}

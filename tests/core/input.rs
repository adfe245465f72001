//! Calls that a server answers with a question (protocol P41-P46): the application is asked, the same call goes again with what it
//! gave, under a new id and with the time it thought not counted; and what such a call brings is nobody else's.

use std::collections::BTreeSet;

use bowline_core::{
    CacheKey, CallId, Code, Command, Config, Detail, Method, Need, Outcome, Outgoing, Output, ResultKind,
};
use bowline_core::{ExchangeEvent, Reach, Request};
use bowline_support::{fixed, ms, request, tool_call, Doc, Hand, Req};

const QUESTION: Doc = Doc { round: 7, ..EMPTY };
const GIVEN: Doc = Doc { key: 1, round: 1, ..EMPTY };
const EMPTY: Doc = Doc {
    key: 1,
    edition: 0,
    names: bowline_core::Versions::from_bits(0),
    round: 0,
    mirrored: false,
    owner: 0,
    public: false,
};

/// A call that was answered with a question.
fn asking(hand: &mut Hand, what: Req) -> CallId {
    let call = hand.call(what);
    hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
    assert_eq!(hand.asks().last(), Some(&(call, Need::Input, QUESTION)));
    call
}

fn read(key: u32) -> Req {
    Request { key: Some(CacheKey(key)), ..request(Method::RESOURCES_READ, 1) }
}

fn params(hand: &Hand) -> Option<Doc> {
    hand.written().iter().rev().find_map(|(_, message)| match message {
        Outgoing::Request { params, .. } => Some(*params),
        _ => None,
    })
}

#[test]
fn what_the_application_gives_goes_with_the_same_call_under_a_new_id() {
    for mut hand in [Hand::on_websocket(fixed()), Hand::on_http(fixed())] {
        for method in [Method::TOOLS_CALL, Method::PROMPTS_GET, Method::RESOURCES_READ] {
            let call = asking(&mut hand, request(method, 1));
            assert!(hand.end(call).is_none());
            assert!(!hand.driver.engine.is_sent(call));
            hand.command(Command::Answer(call, Some(GIVEN)));
            let ids: BTreeSet<_> = hand.sendings(call).into_iter().map(|(_, id)| id).collect();
            assert_eq!(ids.len(), 2);
            assert_eq!(params(&hand), Some(GIVEN));
            hand.answer(call, Doc::of(5));
            assert_eq!(hand.value(call), 5);
        }
        assert_eq!(hand.driver.engine.metrics().replayed, 0, "a round is no replay");
    }
}

#[test]
fn an_application_that_cannot_answer_gets_the_question_with_the_error() {
    let mut hand = Hand::on_http(fixed());
    let call = asking(&mut hand, tool_call(1));
    hand.command(Command::Answer(call, None));
    assert_eq!(hand.error(call), (Code::InputRequired, Outcome::NotApplied));
    let told = hand.end(call).and_then(Result::err).map(|error| error.detail);
    assert!(matches!(told, Some(Detail::Input(QUESTION, ""))), "{told:?}");
}

#[test]
fn the_time_that_a_person_thinks_counts_for_no_limit() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(Request { timeout: Some(ms(1_000)), max_total: Some(ms(1_500)), ..tool_call(1) });
    hand.pass(400);
    hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
    assert!(hand.driver.timer.is_none_or(|timer| timer.since(hand.driver.now) <= ms(1_000)), "only a drain, at most");
    hand.pass(3_600_000);
    assert!(hand.end(call).is_none());
    hand.command(Command::Answer(call, Some(GIVEN)));
    hand.pass(999);
    assert!(hand.end(call).is_none(), "the sending has its own timeout");
    hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
    hand.command(Command::Answer(call, Some(GIVEN)));
    hand.pass(101);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::Unknown), "1500 ms of work are over");
}

#[test]
fn a_call_that_asks_can_be_cancelled_and_ends_with_close() {
    for command in [Some(Command::Cancel(CallId(1))), None] {
        let mut hand = Hand::on_websocket(fixed());
        let call = asking(&mut hand, tool_call(1));
        assert_eq!(call, CallId(1));
        hand.news();
        let code = if command.is_some() { Code::Aborted } else { Code::ClientClosed };
        hand.command(command.unwrap_or(Command::Close));
        assert_eq!(hand.error(call), (code, Outcome::NotApplied));
        let told = hand.news().into_iter().any(|output| matches!(output, Output::Send { .. }));
        assert!(!told, "the server is not working on it: there is nothing to cancel");
        hand.command(Command::Answer(call, Some(GIVEN)));
        assert!(hand.news().is_empty(), "an answer that comes too late is nobody's");
    }
}

#[test]
fn losing_the_link_does_not_hurt_a_call_that_asks() {
    let mut hand = Hand::on_websocket(fixed());
    let call = asking(&mut hand, tool_call(1));
    hand.close_link(1006);
    hand.command(Command::Answer(call, Some(GIVEN)));
    assert_eq!(hand.sendings(call).len(), 1, "there is no link");
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.sendings(call).len(), 2);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_call_that_waits_for_a_link_after_a_round_has_been_at_the_server_before() {
    let mut hand = Hand::on_websocket(fixed());
    let call = asking(&mut hand, tool_call(1));
    hand.close_link(1006);
    hand.command(Command::Answer(call, Some(GIVEN)));
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::NotApplied), "which is more than never having left");
}

#[test]
fn each_round_of_a_tool_call_that_is_lost_after_sending_is_in_doubt() {
    let mut hand = Hand::on_http(fixed());
    let call = asking(&mut hand, tool_call(1));
    hand.command(Command::Answer(call, Some(GIVEN)));
    hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.sendings(call).len(), 2);
}

#[test]
fn each_round_of_a_read_may_be_replayed_as_often_as_the_first() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(request(Method::RESOURCES_READ, 1));
    for _ in 0..2 {
        for _ in 0..2 {
            hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Unknown));
            hand.pass_to_retry();
            hand.answer_question(Doc::supporting("2026-07-28"));
        }
        hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
        hand.command(Command::Answer(call, Some(GIVEN)));
    }
    hand.answer(call, Doc::of(3));
    assert_eq!((hand.value(call), hand.sendings(call).len()), (3, 7));
}

#[test]
fn rounds_are_bounded() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    for _ in 0..10 {
        hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
        hand.command(Command::Answer(call, Some(GIVEN)));
    }
    hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
    assert_eq!(hand.asks().len(), 10);
    assert_eq!(hand.error(call), (Code::InputRequired, Outcome::NotApplied));
    let told = hand.end(call).and_then(Result::err).map(|error| error.detail);
    assert!(matches!(told, Some(Detail::Input(QUESTION, "rounds"))), "{told:?}");

    let mut never = Hand::on_websocket(Config { max_input_rounds: 0, ..fixed() });
    let call = never.call(tool_call(1));
    never.answer_kind(call, ResultKind::InputRequired, QUESTION);
    assert_eq!(never.error(call).0, Code::InputRequired);
    assert!(never.asks().is_empty());
}

#[test]
fn a_server_that_only_wants_its_state_back_gets_it_ever_more_slowly() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(1));
    for pause in [100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000] {
        hand.answer_kind(call, ResultKind::StateOnly, QUESTION);
        let sent = hand.sendings(call).len();
        hand.command(Command::Answer(call, Some(GIVEN)));
        hand.pass(pause - 1);
        assert_eq!(hand.sendings(call).len(), sent, "before {pause} ms");
        hand.pass(1);
        assert_eq!(hand.sendings(call).len(), sent + 1, "after {pause} ms");
    }
}

#[test]
fn other_methods_and_older_eras_have_no_such_result() {
    for (mut hand, method) in [
        (Hand::on_websocket(fixed()), Method::TOOLS_LIST),
        (Hand::on_http(fixed()), Method::from_index(Method::FIRST_FOREIGN)),
        (Hand::on_legacy_websocket(fixed()), Method::TOOLS_CALL),
        (Hand::on_legacy_http(fixed(), 1), Method::RESOURCES_READ),
    ] {
        let call = hand.call(request(method, 1));
        hand.answer_kind(call, ResultKind::InputRequired, QUESTION);
        assert_eq!(hand.error(call).0, Code::InvalidResult);
        assert!(hand.asks().is_empty());
    }
}

#[test]
fn what_a_call_brings_after_a_round_is_never_kept() {
    let mut hand = Hand::on_websocket(fixed());
    let call = asking(&mut hand, read(1));
    let forgotten = hand.news().iter().any(|output| matches!(output, Output::Forget(CacheKey(1))));
    assert!(forgotten, "no result will be kept under it");
    hand.command(Command::Answer(call, Some(GIVEN)));
    hand.answer_kind(call, ResultKind::Complete, Doc::of(1));
    assert_eq!(hand.value(call), 1);
    let next = hand.call(read(2));
    assert_eq!(hand.sendings(next).len(), 1, "asked anew");
    assert_eq!(hand.driver.engine.metrics().cache_size, 0);
}

#[test]
fn who_shared_the_read_travels_alone_when_it_asks() {
    let mut hand = Hand::on_websocket(fixed());
    let (leader, follower) = (hand.call(read(1)), hand.call(read(1)));
    assert!(hand.sendings(follower).is_empty());
    hand.answer_kind(leader, ResultKind::InputRequired, QUESTION);
    assert_eq!(hand.sendings(follower).len(), 1);
    hand.answer_kind(follower, ResultKind::Complete, Doc::of(4));
    assert_eq!(hand.value(follower), 4);
    hand.command(Command::Answer(leader, Some(GIVEN)));
    hand.answer(leader, Doc::of(1));
    assert_eq!(hand.value(leader), 1);
    let cached = hand.call(read(1));
    assert_eq!(hand.value(cached), 4, "the one that needed no input is kept");
}

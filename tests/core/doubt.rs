//! What is known of calls after they ended with outcome unknown (resilience, section 5): an answer that comes late is told, once, and
//! never settles anything; and how often a call may be sent again, as its caller and a failing server have it.

use bowline_core::{
    Code, Command, Config, Detail, Error, Event, ExchangeEvent, Method, Outcome, Output, Reach, Request, RequestId,
    ResultKind,
};
use bowline_support::{failure, fixed, ms, request, result, tool_call, Doc, Hand};

/// What was told of late answers: the request, whether it was executed, and what the answer says.
fn late(hand: &Hand) -> Vec<(RequestId, bool, u32)> {
    let told = |(_, output): &(bowline_core::Instant, Output<Doc>)| match output {
        Output::Event(Event::Late(id, applied, doc)) => Some((*id, *applied, doc.key)),
        _ => None,
    };
    hand.driver.log.iter().filter_map(told).collect()
}

/// A tool call that ran out of time after it was sent.
fn doubtful(hand: &mut Hand) -> RequestId {
    let call = hand.call(Request { timeout: Some(ms(100)), ..tool_call(5) });
    let (_, id) = hand.sent(call);
    hand.pass(100);
    assert_eq!(hand.error(call), (Code::RequestTimeout, Outcome::Unknown));
    id
}

fn come_back(hand: &mut Hand) {
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
}

#[test]
fn an_answer_after_the_timeout_tells_that_the_call_was_executed() {
    let mut hand = Hand::on_websocket(fixed());
    let id = doubtful(&mut hand);
    hand.frame(result(id, Doc::of(5)));
    assert_eq!(late(&hand), [(id, true, 5)]);
    assert_eq!(hand.driver.engine.metrics().violations, 0);
    assert_eq!(hand.driver.engine.metrics().unknown_outcomes, 1, "however it ends");
    hand.frame(result(id, Doc::of(5)));
    assert_eq!((late(&hand).len(), hand.driver.engine.metrics().violations), (1, 1), "told once");
}

#[test]
fn an_answer_on_a_later_link_is_told_as_well() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(tool_call(5));
    let (_, id) = hand.sent(call);
    hand.close_link(1006);
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    come_back(&mut hand);
    hand.frame(result(id, Doc::of(5)));
    assert_eq!(late(&hand), [(id, true, 5)]);
}

#[test]
fn a_late_refusal_before_execution_tells_that_it_was_not_executed() {
    for (code, told) in [(-32602, 1), (-32601, 1), (-32603, 0), (7, 0)] {
        let mut hand = Hand::on_websocket(fixed());
        let id = doubtful(&mut hand);
        hand.frame(failure(id, code));
        assert_eq!(late(&hand).len(), told, "{code}");
        assert!(late(&hand).iter().all(|(_, applied, _)| !applied));
    }
}

#[test]
fn a_late_question_tells_that_it_was_not_executed() {
    let mut hand = Hand::on_websocket(fixed());
    let id = doubtful(&mut hand);
    let (kind, hint) = (ResultKind::InputRequired, bowline_core::Hint::default());
    hand.frame(bowline_core::Incoming::Result { id, kind, hint, size: 10, payload: Doc::of(5) });
    assert_eq!(late(&hand), [(id, false, 5)]);
}

#[test]
fn a_late_result_of_an_unknown_kind_tells_nothing() {
    let mut hand = Hand::on_websocket(fixed());
    let id = doubtful(&mut hand);
    let (kind, hint) = (ResultKind::Unknown, bowline_core::Hint::default());
    hand.frame(bowline_core::Incoming::Result { id, kind, hint, size: 10, payload: Doc::of(5) });
    assert_eq!(late(&hand), [], "it may have been executed");
}

#[test]
fn nothing_is_told_of_reads_and_of_answers_that_come_much_too_late() {
    let mut hand = Hand::on_websocket(fixed());
    let read = hand.call(request(Method::TOOLS_LIST, 1));
    let (_, id) = hand.sent(read);
    hand.command(Command::Cancel(read));
    hand.frame(result(id, Doc::of(1)));
    let id = doubtful(&mut hand);
    hand.pass(600_001);
    hand.frame(result(id, Doc::of(5)));
    assert_eq!((late(&hand).len(), hand.driver.engine.metrics().violations), (0, 2));
}

#[test]
fn every_end_with_outcome_unknown_counts() {
    let mut hand = Hand::on_http(fixed());
    for status in [500, 503] {
        let call = hand.call(tool_call(1));
        hand.status(hand.exchange_of(call), status, Some(ms(10)));
        assert_eq!(hand.error(call), (Code::HttpError, Outcome::Unknown), "a Retry-After is no permission");
    }
    assert_eq!(hand.driver.engine.metrics().unknown_outcomes, 2);
}

#[test]
fn a_call_that_must_not_be_repeated_is_not() {
    let mut hand = Hand::on_websocket(fixed());
    let read = hand.call(Request { replays: Some(0), ..request(Method::TOOLS_LIST, 1) });
    let vouched = hand.call(Request { replays: Some(0), idempotent: true, ..tool_call(2) });
    hand.close_link(1006);
    assert_eq!(hand.error(read), (Code::ConnectionClosed, Outcome::NotApplied));
    assert_eq!(hand.error(vouched), (Code::OutcomeUnknown, Outcome::Unknown));
}

#[test]
fn what_was_refused_is_sent_again_even_then() {
    let mut hand = Hand::on_http(Config { max_replays: 0, ..fixed() });
    let call = hand.call(Request { replays: Some(0), ..tool_call(1) });
    hand.status(hand.exchange_of(call), 429, None);
    hand.pass(1_300);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_call_is_repeated_as_often_as_it_or_the_client_allows() {
    for (own, most, sendings) in [(None, 1, 2), (Some(3), 0, 4)] {
        let mut hand = Hand::on_websocket(Config { max_replays: most, ..fixed() });
        let call = hand.call(Request { replays: own, ..request(Method::TOOLS_LIST, 1) });
        while hand.end(call).is_none() {
            hand.close_link(1006);
            if hand.end(call).is_none() {
                come_back(&mut hand);
            }
        }
        assert_eq!(hand.sendings(call).len(), sendings);
    }
}

#[test]
fn a_replay_is_told_with_its_new_id_when_it_leaves() {
    let mut hand = Hand::on_websocket(fixed());
    let call = hand.call(request(Method::TOOLS_LIST, 1));
    hand.close_link(1006);
    hand.news();
    come_back(&mut hand);
    let (_, id) = hand.sent(call);
    let told =
        |output: &Output<Doc>| matches!(output, Output::Event(Event::Replay(of, new, 2)) if (*of, *new) == (call, id));
    assert_eq!(hand.news().iter().filter(|output| told(output)).count(), 1);
}

#[test]
fn a_server_that_fails_everything_is_asked_ten_times_more_and_no_oftener() {
    let mut hand = Hand::on_http(fixed());
    let (mut calls, mut failed) = (0, 0);
    for _ in 0..20 {
        let call = hand.call(request(Method::RESOURCES_READ, 1));
        calls += 1;
        while hand.end(call).is_none() {
            hand.status(hand.exchange_of(call), 503, None);
            failed += 1;
            hand.pass(2_000);
        }
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((failed, metrics.retried, metrics.replayed), (calls + 10, 10, 0));
}

#[test]
fn a_lost_link_spends_nothing_of_the_budget() {
    let mut hand = Hand::on_websocket(fixed());
    let calls: Vec<_> = (0..30).map(|key| hand.call(request(Method::RESOURCES_READ, key))).collect();
    hand.close_link(1006);
    come_back(&mut hand);
    assert!(calls.iter().all(|call| hand.sendings(*call).len() == 2));
    assert_eq!((hand.driver.engine.metrics().replayed, hand.driver.engine.metrics().retried), (30, 0));
}

#[test]
fn the_first_fetch_that_fails_for_want_of_cors_headers_says_so_even_in_doubt() {
    let mut hand = Hand::new(Config { websocket: false, pinned: true, ..fixed() });
    let call = hand.call(tool_call(1));
    hand.pass(1);
    hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Blocked));
    let error = hand.end(call).and_then(Result::err);
    assert!(
        matches!(
            &error,
            Some(Error { code: Code::OutcomeUnknown, outcome: Outcome::Unknown, detail: Detail::Note("cors") })
        ),
        "{error:?}"
    );
}

//! What a modern server refuses for its form is put right, once for each call (protocol P18, P29): it has executed nothing, so even a
//! side effect may go again.

use bowline_core::{CallId, Code, Command, Config, Era, Event, Need, Outcome, Outgoing, Output, Version, Versions};
use bowline_core::{ExchangeEvent, Method, Reach};
use bowline_support::{fixed, request, tool_call, Doc, Hand};

const HEADER_MISMATCH: i32 = -32020;
const UNSUPPORTED_VERSION: i32 = -32022;
const MIRRORED: Doc =
    Doc { key: 1, edition: 0, names: Versions::from_bits(0), round: 0, mirrored: true, owner: 0, public: false };

fn mismatched(hand: &mut Hand) -> CallId {
    let call = hand.call(tool_call(1));
    hand.refuse_with(call, HEADER_MISMATCH, Doc::of(2));
    call
}

#[test]
fn a_header_mismatch_is_asked_about_and_the_call_goes_once_more() {
    let mut hand = Hand::on_http(fixed());
    let call = mismatched(&mut hand);
    assert_eq!(hand.asks(), [(call, Need::Headers, Doc::of(2))]);
    hand.pass(600_000);
    assert!(hand.end(call).is_none());
    hand.command(Command::Answer(call, Some(MIRRORED)));
    let params = |(_, message): (_, Outgoing<Doc>)| match message {
        Outgoing::Request { params, .. } => Some(params),
        _ => None,
    };
    assert_eq!(hand.written().pop().and_then(params), Some(MIRRORED));
    hand.answer(call, Doc::of(1));
    assert_eq!((hand.value(call), hand.sendings(call).len()), (1, 2));
}

#[test]
fn a_second_header_mismatch_is_the_calls_error() {
    let mut hand = Hand::on_http(fixed());
    let call = mismatched(&mut hand);
    hand.command(Command::Answer(call, Some(MIRRORED)));
    hand.refuse_with(call, HEADER_MISMATCH, Doc::of(2));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
    assert_eq!(hand.asks().len(), 1);
}

#[test]
fn without_other_headers_the_mismatch_is_the_calls_error() {
    let mut hand = Hand::on_http(fixed());
    let call = mismatched(&mut hand);
    hand.command(Command::Answer(call, None));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
}

#[test]
fn a_call_that_is_cancelled_while_its_headers_are_looked_up_was_not_executed() {
    let mut hand = Hand::on_http(fixed());
    let call = mismatched(&mut hand);
    hand.command(Command::Cancel(call));
    assert_eq!(hand.error(call), (Code::Aborted, Outcome::NotApplied));
}

#[test]
fn only_a_tool_call_over_modern_http_mirrors_its_params() {
    for (mut hand, method) in [
        (Hand::on_websocket(fixed()), Method::TOOLS_CALL),
        (Hand::on_legacy_http(fixed(), 1), Method::TOOLS_CALL),
        (Hand::on_http(fixed()), Method::PROMPTS_GET),
    ] {
        let call = hand.call(request(method, 1));
        hand.refuse_with(call, HEADER_MISMATCH, Doc::of(2));
        assert_eq!(hand.error(call).0, Code::RpcError);
        assert!(hand.asks().is_empty());
    }
}

#[test]
fn a_refused_revision_that_the_server_speaks_after_all_is_tried_once_more() {
    for mut hand in [Hand::on_http(fixed()), Hand::on_websocket(fixed())] {
        let call = hand.call(tool_call(1));
        let supported = Doc::supporting("2025-11-25 2026-07-28");
        hand.refuse_with(call, UNSUPPORTED_VERSION, supported);
        assert_eq!(hand.sendings(call).len(), 2);
        hand.refuse_with(call, UNSUPPORTED_VERSION, supported);
        assert_eq!(hand.sendings(call).len(), 2, "a server that goes on saying so is not asked for ever");
        assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
    }
}

#[test]
fn a_server_that_speaks_only_older_revisions_by_now_is_initialized_and_the_call_goes_on() {
    for mut hand in [Hand::on_http(fixed()), Hand::on_websocket(fixed())] {
        let on_socket = hand.status_now().transport == Some(bowline_core::Transport::WebSocket);
        let call = hand.call(tool_call(1));
        hand.refuse_with(call, UNSUPPORTED_VERSION, Doc::supporting("2025-06-18"));
        assert!(hand.end(call).is_none());
        if on_socket {
            hand.open();
        }
        hand.refuse_question(-32601);
        hand.answer_question(Doc::speaking(Version::V2025_06_18));
        assert_eq!(hand.status_now().era, Some(Era::Legacy));
        if !on_socket {
            // Nothing is sent before the server took `notifications/initialized`.
            hand.status(hand.last_exchange(), 202, None);
            hand.status(hand.last_exchange(), 405, None);
        }
        assert_eq!(hand.sendings(call).len(), 2, "it was refused, not executed");
        hand.answer(call, Doc::of(1));
        assert_eq!(hand.value(call), 1);
    }
}

#[test]
fn a_server_that_says_it_is_older_by_now_may_also_refuse_the_preflight_of_the_newer_era() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.refuse_with(call, UNSUPPORTED_VERSION, Doc::supporting("2025-06-18"));
    hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
    assert!(matches!(hand.question().2, Outgoing::Initialize(..)), "nothing is known of its era any more");
}

#[test]
fn without_a_common_revision_the_refusal_is_the_calls_error() {
    let modern_only = Config { versions: Versions::of(Era::Modern), ..fixed() };
    for (config, supported) in [(fixed(), ""), (modern_only, "2025-11-25")] {
        let mut hand = Hand::on_http(config);
        let call = hand.call(tool_call(1));
        hand.refuse_with(call, UNSUPPORTED_VERSION, Doc::supporting(supported));
        assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
        assert_eq!(hand.status_now().era, Some(Era::Modern), "one answer does not make the server another");
    }
}

#[test]
fn a_missing_capability_is_the_applications_matter() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.refuse_with(call, -32021, Doc::of(2));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
}

#[test]
fn a_corrected_call_that_is_lost_is_in_doubt_like_any_other() {
    let mut hand = Hand::on_http(fixed());
    let call = mismatched(&mut hand);
    hand.command(Command::Answer(call, Some(MIRRORED)));
    hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Unknown));
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
}

#[test]
fn an_unknown_method_is_refused_with_404_and_the_session_lives() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let (call, exchange) = {
        let call = hand.call(request(Method::PROMPTS_GET, 1));
        (call, hand.exchange_of(call))
    };
    let (_, id) = hand.sent(call);
    hand.json(exchange, 404, bowline_support::failure(id, -32601));
    assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied));
    let lost = |output: &Output<Doc>| matches!(output, Output::Event(Event::State(status)) if status.epoch > 1);
    assert!(!hand.news().iter().any(lost));
}

#[test]
fn any_4xx_may_carry_the_servers_reason() {
    for status in [400, 402, 404, 406, 409, 410, 422, 499] {
        let mut hand = Hand::on_http(fixed());
        let call = hand.call(tool_call(1));
        let (_, id) = hand.sent(call);
        hand.json(hand.exchange_of(call), status, bowline_support::failure(id, -32602));
        assert_eq!(hand.error(call), (Code::RpcError, Outcome::NotApplied), "{status}");
    }
}

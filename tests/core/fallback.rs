//! The race between the WebSocket and HTTP (resilience, section 1): a head start, the first verified round trip wins, and the verdict is
//! remembered only when it is known to be the WebSocket's fault.

use bowline_core::{Code, Config, ExchangeEvent, Input, Output, Reach, State, Transport, Upgrade, Verb, Version};
use bowline_support::{connect, fixed, ms, tool_call, Doc, Hand, Place};

fn remembered(hand: &mut Hand) -> bool {
    hand.news().iter().any(|output| matches!(output, Output::RememberFallback(_)))
}

#[test]
fn the_websocket_goes_alone_for_its_head_start() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    assert_eq!(hand.dials(), [(0.0, true)]);
    hand.open();
    hand.pass(249);
    assert!(hand.fetches().is_empty());
    hand.pass(1);
    assert_eq!(hand.fetches().len(), 1, "an open socket that has not answered is not enough");
}

/// A timer of a hidden page comes a minute late.
fn wake_late(hand: &mut Hand) {
    hand.driver.now = hand.driver.now + ms(60_000);
    hand.driver.input(Input::Timeout);
}

#[test]
fn http_has_its_time_however_late_the_timers_of_a_hidden_page_are() {
    let mut hand = Hand::new(fixed());
    let connected = hand.call(connect());
    wake_late(&mut hand);
    assert_eq!(hand.fetches().len(), 1, "{:?}", hand.end(connected));
    hand.pass(9_000);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(matches!(hand.end(connected), Some(Ok(_))), "{:?}", hand.end(connected));
}

#[test]
fn http_has_its_time_when_the_websocket_fails_before_a_late_timer() {
    let mut hand = Hand::new(fixed());
    let connected = hand.call(connect());
    hand.driver.now = hand.driver.now + ms(20_000);
    hand.close_link(1006);
    hand.close_link(1006);
    hand.pass(9_000);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(matches!(hand.end(connected), Some(Ok(_))), "{:?}", hand.end(connected));
}

#[test]
fn an_attempt_that_has_had_its_time_ends_with_a_late_timer() {
    let mut hand = Hand::new(fixed());
    let connected = hand.call(connect());
    hand.pass(250);
    wake_late(&mut hand);
    assert_eq!(hand.error(connected).0, Code::ConnectTimeout);
}

#[test]
fn a_websocket_whose_server_ignores_the_newer_question_is_asked_the_older_however_late_the_timers_are() {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    let connected = hand.call(connect());
    hand.open();
    wake_late(&mut hand);
    hand.pass(1_000);
    hand.answer_question(Doc::speaking(Version::V2025_11_25));
    assert!(matches!(hand.end(connected), Some(Ok(_))), "{:?}", hand.end(connected));
}

#[test]
fn a_websocket_that_answers_within_its_head_start_makes_http_unnecessary() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.open();
    hand.pass(200);
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.pass(10_000);
    assert!(hand.fetches().is_empty());
    assert_eq!(hand.status_now().transport, Some(Transport::WebSocket));
}

#[test]
fn http_starts_at_once_when_the_websocket_fails() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.pass(10);
    hand.close_link(1006);
    hand.close_link(1006);
    assert_eq!(hand.fetches().len(), 1);
    assert_eq!(hand.time(), 10.0);
}

#[test]
fn a_refused_dial_is_tried_once_more_without_subprotocols() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.close_link(1006);
    assert_eq!(hand.dials(), [(0.0, true), (0.0, false)]);
    assert!(hand.fetches().is_empty(), "not failed yet");
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().state, State::Ready);
}

/// The dials of the next attempt, which fail.
fn refused(hand: &mut Hand) -> Vec<bool> {
    let before = hand.dials().len();
    hand.pass_to_retry();
    for dials in before + 1.. {
        hand.close_link(1006);
        if hand.dials().len() == dials {
            break;
        }
    }
    hand.dials().iter().skip(before).map(|(_, subprotocols)| *subprotocols).collect()
}

#[test]
fn a_server_that_restarts_is_dialled_as_it_worked_and_the_other_way_in_each_third_attempt() {
    let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    let attempts: Vec<_> = (0..6).map(|_| refused(&mut hand)).collect();
    let dials: Vec<_> = attempts.iter().map(Vec::as_slice).collect();
    assert_eq!(dials, [&[true][..], &[true, false], &[true], &[true], &[true, false], &[true]]);
}

#[test]
fn a_server_that_takes_no_subprotocols_is_offered_none_again() {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    hand.call(connect());
    hand.close_link(1006);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.close_link(1006);
    assert_eq!(refused(&mut hand), [false]);
    assert_eq!(refused(&mut hand), [false, true], "it may have been replaced by one that wants them");
}

#[test]
fn a_socket_that_closes_after_it_opened_is_not_redialled_without_subprotocols() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.open();
    hand.close_link(1006);
    assert_eq!(hand.dials().len(), 1);
    assert_eq!(hand.fetches().len(), 1);
}

#[test]
fn when_http_wins_the_websocket_is_hung_up() {
    let mut hand = Hand::new(fixed());
    let call = hand.call(tool_call(5));
    let link = hand.last_link();
    hand.pass(250);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(hand.hung_up(link));
    assert_eq!(hand.status_now().transport, Some(Transport::Http));
    assert!(matches!(hand.sent(call).0, Place::Exchange(_)), "the waiting call goes on the winner");
}

#[test]
fn when_the_websocket_wins_the_http_probe_is_aborted() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.pass(250);
    let probe = hand.last_exchange();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(hand.aborted(probe));
    assert_eq!(hand.status_now().transport, Some(Transport::WebSocket));
}

#[test]
fn a_websocket_that_failed_while_http_works_is_remembered_and_skipped() {
    let mut hand = Hand::new(Config { upgrade: Upgrade::NextConnect, ..fixed() });
    hand.call(connect());
    hand.close_link(1006);
    hand.close_link(1006);
    assert!(!remembered(&mut hand), "it might be the network");
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(remembered(&mut hand));
    hand.command(bowline_core::Command::Reconnect);
    assert_eq!(hand.dials().len(), 2, "no third dial");
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.pass(600_000);
    hand.command(bowline_core::Command::Reconnect);
    assert_eq!(hand.dials().len(), 3, "after ten minutes it gets another chance");
}

#[test]
fn a_websocket_that_is_merely_slow_is_not_remembered() {
    let mut hand = Hand::new(fixed());
    hand.call(connect());
    hand.pass(250);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(!remembered(&mut hand));
}

/// A client whose second dial the browser put off until HTTP was ready, as Firefox does.
fn put_off(config: Config) -> Hand {
    let mut hand = Hand::new(config);
    hand.call(connect());
    hand.close_link(1006);
    hand.pass(250);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().transport, Some(Transport::Http));
    assert!(!remembered(&mut hand), "the second dial may succeed");
    hand
}

#[test]
fn a_second_dial_that_fails_when_http_is_ready_is_remembered() {
    let mut hand = put_off(Config { upgrade: Upgrade::NextConnect, ..fixed() });
    hand.pass(100);
    hand.close_link(1006);
    assert!(remembered(&mut hand));
    assert_eq!(hand.status_now().state, State::Ready);
    hand.command(bowline_core::Command::Reconnect);
    assert_eq!(hand.dials().len(), 2, "no third dial");
}

#[test]
fn a_second_dial_that_is_put_off_for_long_is_given_up_as_a_failure() {
    let mut hand = put_off(fixed());
    let link = hand.last_link();
    hand.pass(2_500);
    assert!(hand.hung_up(link));
    assert!(remembered(&mut hand));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn a_second_dial_that_succeeds_when_http_is_ready_takes_over() {
    let mut hand = put_off(Config { upgrade: Upgrade::Never, ..fixed() });
    hand.pass(100);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().transport, Some(Transport::WebSocket));
    assert!(!remembered(&mut hand));
    hand.command(bowline_core::Command::Reconnect);
    assert_eq!(hand.dials().len(), 3, "it is the WebSocket that works");
}

#[test]
fn when_both_fail_nothing_is_remembered() {
    let mut hand = Hand::new(fixed());
    let call = hand.call(connect());
    for _ in 0..2 {
        hand.close_link(1006);
    }
    for _ in 0..2 {
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
    }
    assert!(!remembered(&mut hand));
    assert_eq!(hand.error(call).0, Code::CorsOrNetwork, "what HTTP says is more telling than a bare 1006");
    hand.pass_to_retry();
    assert_eq!(hand.dials().len(), 3, "the WebSocket is dialled again");
}

#[test]
fn a_remembered_failure_is_forgotten_when_http_fails_too() {
    let mut hand = Hand::new(Config { fallback_remembered: ms(600_000), ..fixed() });
    hand.call(connect());
    assert!(hand.dials().is_empty(), "remembered from an earlier visit");
    for _ in 0..2 {
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
    }
    hand.pass_to_retry();
    assert_eq!(hand.dials().len(), 1, "HTTP works was the reason, and it does not");
}

#[test]
fn without_the_fallback_only_the_websocket_is_tried() {
    let mut hand = Hand::new(Config { http: false, fallback_remembered: ms(600_000), ..fixed() });
    hand.call(connect());
    hand.close_link(1006);
    hand.close_link(1006);
    hand.pass(5_000);
    assert!(hand.fetches().iter().all(|(_, plan)| plan.verb == Verb::Probe), "nothing but why");
    assert!(hand.dials().len() > 2, "a remembered fallback means nothing without a fallback");
}

#[test]
fn without_the_websocket_http_starts_at_once() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    assert!(hand.dials().is_empty());
    assert_eq!(hand.fetches().len(), 1);
}

#[test]
fn a_failed_http_probe_leaves_the_websocket_its_time() {
    let mut hand = Hand::new(fixed());
    let call = hand.call(connect());
    hand.pass(250);
    for _ in 0..2 {
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Down));
    }
    assert!(hand.end(call).is_none());
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert!(hand.end(call).is_some_and(|end| end.is_ok()));
}

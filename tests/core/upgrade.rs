//! How a client that fell back to HTTP comes to the WebSocket it wanted (resilience rules, section 1): beside the working link, between
//! calls, and not for a page that nobody sees.

#![allow(clippy::panic, reason = "a test speaks by panicking")]

use bowline_core::{Command, Config, Input, Output, Reach, Signal, State, Transport, Upgrade};
use bowline_support::{connect, fixed, tool_call, Doc, Hand, Place};

/// A client whose WebSocket failed and whom HTTP serves.
fn fallen_back(config: Config) -> Hand {
    let mut hand = Hand::new(config);
    hand.call(connect());
    hand.close_link(1006);
    hand.close_link(1006);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().transport, Some(Transport::Http));
    hand.news();
    hand
}

fn remembered(hand: &mut Hand) -> bool {
    hand.news().iter().any(|output| matches!(output, Output::RememberFallback(_)))
}

#[test]
fn when_the_verdict_expires_the_websocket_is_dialled_beside_http_and_taken_once_it_has_answered() {
    let mut hand = fallen_back(fixed());
    let (before, epoch) = (hand.dials().len(), hand.status_now().epoch);
    hand.pass(599_000);
    assert_eq!(hand.dials().len(), before);
    hand.pass(1_000);
    assert_eq!(hand.dials().len(), before + 1);
    let running = hand.call(tool_call(1));
    hand.open();
    assert_eq!(hand.status_now().transport, Some(Transport::Http), "not before it has answered");
    hand.answer_question(Doc::supporting("2026-07-28"));
    let status = hand.status_now();
    assert_eq!((status.state, status.transport), (State::Ready, Some(Transport::WebSocket)));
    assert_eq!(status.epoch, epoch + 1);
    let next = hand.call(tool_call(2));
    assert_eq!(hand.sent(next).0, Place::Link(hand.last_link()));
    hand.answer(running, Doc::of(1));
    hand.answer(next, Doc::of(2));
    assert_eq!((hand.value(running), hand.value(next)), (1, 2), "what ran over HTTP ended there");
}

#[test]
fn a_filter_that_changes_meanwhile_is_asked_of_the_websocket_in_place_of_http() {
    let mut hand = fallen_back(fixed());
    let want = |hand: &mut Hand, key| hand.command(Command::Listen(Some(Doc::of(key))));
    let exchange = |hand: &Hand| match hand.listens().pop() {
        Some((Place::Exchange(exchange), _)) => exchange,
        other => panic!("not over HTTP: {other:?}"),
    };
    hand.pass(600_000);
    hand.open();
    want(&mut hand, 1);
    hand.acknowledge();
    let old = exchange(&hand);
    want(&mut hand, 2);
    let pending = exchange(&hand);
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().transport, Some(Transport::WebSocket));
    assert!(hand.aborted(pending) && !hand.aborted(old), "at most one beside the one that works");
    hand.acknowledge();
    assert!(hand.aborted(old));
    assert_eq!(hand.listens().len(), 3);
}

#[test]
fn a_failed_try_renews_the_verdict_and_disturbs_nobody() {
    let mut hand = fallen_back(fixed());
    hand.pass(600_000);
    let tries = hand.dials().len();
    let call = hand.call(tool_call(1));
    hand.close_link(1006);
    hand.close_link(1006);
    assert!(remembered(&mut hand));
    assert_eq!(hand.status_now().state, State::Ready);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
    hand.pass(600_000);
    assert_eq!(hand.dials().len(), tries + 2, "once more without subprotocols, and once more after ten minutes");
}

#[test]
fn a_websocket_that_opens_and_says_nothing_is_given_up_after_its_trial() {
    let mut hand = fallen_back(fixed());
    hand.pass(600_000);
    let link = hand.last_link();
    hand.open();
    hand.pass(2_500);
    assert!(hand.hung_up(link));
    assert!(remembered(&mut hand));
    assert_eq!(hand.status_now().transport, Some(Transport::Http));
}

#[test]
fn a_page_that_nobody_sees_can_wait() {
    let mut hand = fallen_back(fixed());
    hand.driver.input(Input::Signal(Signal::Hidden));
    let before = hand.dials().len();
    hand.pass(3_600_000);
    assert_eq!(hand.dials().len(), before);
    hand.driver.input(Input::Signal(Signal::Visible));
    hand.pass(1);
    assert_eq!(hand.dials().len(), before + 1);
}

#[test]
fn a_link_that_is_lost_during_the_try_takes_the_try_with_it() {
    let mut hand = fallen_back(fixed());
    hand.pass(600_000);
    let link = hand.last_link();
    let call = hand.call(tool_call(1));
    hand.exchange(hand.exchange_of(call), bowline_core::ExchangeEvent::Failed(Reach::Unknown));
    assert!(hand.hung_up(link));
    assert_eq!(hand.status_now().state, State::Reconnecting);
}

#[test]
fn the_search_can_wait_for_the_next_connect_or_end() {
    for upgrade in [Upgrade::NextConnect, Upgrade::Never] {
        let mut hand = fallen_back(Config { upgrade, ..fixed() });
        let before = hand.dials().len();
        hand.pass(3_600_000);
        assert_eq!(hand.dials().len(), before);
        hand.command(bowline_core::Command::Reconnect);
        assert_eq!(hand.dials().len() - before, usize::from(upgrade == Upgrade::NextConnect), "{upgrade:?}");
    }
}

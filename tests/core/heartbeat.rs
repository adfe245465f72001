//! How a link whose other end is gone is told from a silent one (resilience rules, section 1): when the server is asked, what counts as
//! life, and what follows from silence.

use bowline_core::{
    Code, Command, Config, Heartbeat, Input, LinkEvent, Method, Outcome, Outgoing, Question, RequestId, Signal, State,
};
use bowline_support::{failure, fixed, ms, notification, result, tool_call, tools_list, Doc, Hand, Place};

fn beating() -> Config {
    Config { heartbeat: Heartbeat::default(), ..fixed() }
}

/// The questions asked after the handshake, and where.
fn beats(hand: &mut Hand) -> Vec<Outgoing<Doc>> {
    let is_beat = |message: &Outgoing<Doc>| matches!(message, Outgoing::Ping(_) | Outgoing::Discover(_));
    let sent = hand.news().into_iter().filter_map(|output| match output {
        bowline_core::Output::Send { message, .. } => Some(message),
        _ => None,
    });
    sent.filter(is_beat).collect()
}

/// The id of the last question; one that nobody used when there is none.
fn asked(hand: &mut Hand) -> RequestId {
    match beats(hand).pop() {
        Some(Outgoing::Ping(id) | Outgoing::Discover(id)) => id,
        _ => RequestId(0),
    }
}

#[test]
fn a_silent_server_is_asked_after_twenty_seconds_in_the_words_of_its_era() {
    let mut hand = Hand::on_websocket(beating());
    hand.pass(19_999);
    assert!(beats(&mut hand).is_empty());
    hand.pass(1);
    assert!(matches!(beats(&mut hand)[..], [Outgoing::Discover(_)]), "the modern era has no ping");
    let mut hand = Hand::on_legacy_websocket(beating());
    hand.pass(20_000);
    assert!(matches!(beats(&mut hand)[..], [Outgoing::Ping(_)]));
}

#[test]
fn a_half_open_link_is_found_within_thirty_seconds_and_its_calls_are_decided() {
    let mut hand = Hand::on_websocket(beating());
    let (read, write) = (hand.call(tools_list(1)), hand.call(tool_call(2)));
    hand.pass(30_000);
    assert_eq!(hand.status_now().reason.map(|reason| reason.code), Some(Code::HeartbeatTimeout));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    assert_eq!(hand.error(write), (Code::OutcomeUnknown, Outcome::Unknown));
    assert!(hand.end(read).is_none(), "a read is sent again");
    let old = hand.last_link();
    assert!(hand.hung_up(old));
}

#[test]
fn an_answer_keeps_the_link_and_an_error_is_an_answer() {
    let mut hand = Hand::on_legacy_websocket(beating());
    for round in 0..5 {
        hand.pass(20_000);
        let beat = asked(&mut hand);
        let answer = if round % 2 == 0 { result(beat, Doc::of(0)) } else { failure(beat, -32601) };
        hand.frame(answer);
    }
    assert_eq!(hand.status_now().state, State::Ready);
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.violations, metrics.total_requests, metrics.latency.samples), (0, 0, 0), "no call, no fault");
}

#[test]
fn whatever_is_heard_counts_as_life_and_moves_the_next_question() {
    let mut hand = Hand::on_websocket(beating());
    hand.pass(15_000);
    hand.frame(notification(Method::TOOLS_CHANGED));
    hand.pass(19_000);
    assert!(beats(&mut hand).is_empty());
    hand.pass(1_000);
    let beat = asked(&mut hand);
    hand.frame(notification(Method::TOOLS_CHANGED));
    hand.pass(15_000);
    assert_eq!(hand.status_now().state, State::Ready, "news came instead of the answer");
    hand.frame(result(beat, Doc::of(0)));
    assert_eq!(hand.driver.engine.metrics().violations, 0, "a late answer is no fault");
}

#[test]
fn heartbeats_wait_for_no_place_among_the_calls() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 1, ..beating() });
    hand.call(tool_call(1));
    hand.pass(20_000);
    assert_eq!(beats(&mut hand).len(), 1);
    assert_eq!(hand.driver.engine.metrics().active_requests, 1);
}

#[test]
fn a_hidden_page_waits_longer_because_its_timers_are_throttled() {
    let mut hand = Hand::on_websocket(beating());
    hand.driver.input(Input::Signal(Signal::Hidden));
    hand.pass(20_000 + 74_999);
    assert_eq!(hand.status_now().state, State::Ready);
    hand.pass(1);
    assert_ne!(hand.status_now().state, State::Ready);
}

#[test]
fn no_heartbeat_without_an_interval_and_none_over_http() {
    let mut hand = Hand::on_websocket(fixed());
    hand.pass(600_000);
    assert!(beats(&mut hand).is_empty());
    let mut hand = Hand::on_http(beating());
    let before = hand.fetches().len();
    hand.pass(600_000);
    assert_eq!(hand.fetches().len(), before);
}

#[test]
fn the_question_can_be_chosen() {
    let asks = |question| {
        let heartbeat = Heartbeat { question, ..Heartbeat::default() };
        let mut hand = Hand::on_legacy_websocket(Config { heartbeat, ..fixed() });
        hand.pass(20_000);
        beats(&mut hand)
    };
    assert!(matches!(asks(Question::Discover)[..], [Outgoing::Discover(_)]));
    assert!(matches!(asks(Question::Ping)[..], [Outgoing::Ping(_)]));
}

#[test]
fn the_next_link_begins_with_a_full_interval() {
    let mut hand = Hand::on_websocket(beating());
    hand.pass(25_000);
    hand.link(hand.last_link(), LinkEvent::Closed(1006));
    hand.pass_to_retry();
    hand.open();
    let (place, id, _) = hand.question();
    assert!(matches!(place, Place::Link(_)));
    hand.frame(result(id, Doc::supporting("2026-07-28")));
    hand.news();
    hand.pass(19_000);
    assert!(beats(&mut hand).is_empty(), "the question to the link before was forgotten with it");
    assert_eq!(hand.status_now().state, State::Ready);
    hand.command(Command::Close);
    assert_eq!(hand.driver.timer.map(|at| at <= hand.driver.now + ms(0)), None, "nothing beats after the end");
}

#[test]
fn a_page_that_is_shown_again_and_again_does_not_keep_a_dead_link() {
    let mut hand = Hand::on_websocket(beating());
    hand.pass(20_000);
    for _ in 0..10 {
        hand.driver.input(Input::Signal(Signal::Visible));
        hand.pass(1_000);
    }
    assert_eq!(hand.status_now().reason.map(|reason| reason.code), Some(Code::HeartbeatTimeout));
}

#[test]
fn a_question_that_a_machine_slept_over_has_its_time_again() {
    let mut hand = Hand::on_websocket(beating());
    hand.pass(20_000);
    let beat = asked(&mut hand);
    hand.driver.now = hand.driver.now + ms(3_600_000);
    hand.driver.input(Input::Signal(Signal::Woken));
    assert_eq!(hand.status_now().state, State::Ready, "the answer may be on its way up");
    hand.frame(result(beat, Doc::of(0)));
    hand.pass(4_001);
    assert_eq!(hand.status_now().state, State::Ready);
}

//! What network, visibility, freezing and sleep mean for the connection (resilience rules, section 1): flags are hints that are verified,
//! nobody dials for a page that nobody sees, and what gets better is used at once.

use bowline_core::{
    Cause, Code, Config, Input, Jitter, Lifecycle, LinkEvent, Outcome, Outgoing, Output, Reconnect, Signal, State,
    WhenHidden,
};
use bowline_support::{connect, fixed, ms, result, tool_call, tools_list, Doc, Hand};

fn websocket() -> Config {
    Config { http: false, ..fixed() }
}

fn with(lifecycle: Lifecycle) -> Config {
    Config { lifecycle, ..websocket() }
}

fn tell(hand: &mut Hand, signal: Signal) {
    hand.driver.input(Input::Signal(signal));
}

fn lose(hand: &mut Hand) {
    hand.link(hand.last_link(), LinkEvent::Closed(1006));
}

/// All dials of an attempt fail.
fn refuse(hand: &mut Hand) {
    let mut dials = 0;
    while dials != hand.dials().len() {
        dials = hand.dials().len();
        hand.close_link(1006);
    }
}

fn rests(hand: &Hand) -> (State, Option<Cause>) {
    let status = hand.status_now();
    (status.state, status.cause)
}

fn probes(hand: &mut Hand) -> usize {
    let probe = |output: &Output<Doc>| matches!(output, Output::Send { message: Outgoing::Discover(_), .. });
    hand.news().iter().filter(|output| probe(output)).count()
}

fn reconnected(hand: &mut Hand) {
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn a_link_said_to_be_offline_is_asked_and_kept_when_it_answers() {
    let mut hand = Hand::on_websocket(websocket());
    let call = hand.call(tool_call(1));
    tell(&mut hand, Signal::Offline);
    assert_eq!(probes(&mut hand), 1, "the flag lies");
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.pass(30_000);
    assert_eq!(hand.status_now().state, State::Ready);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn an_offline_link_that_keeps_silent_is_lost_after_four_seconds_and_attempts_become_rare() {
    let mut hand = Hand::on_websocket(websocket());
    let call = hand.call(tool_call(1));
    tell(&mut hand, Signal::Offline);
    hand.pass(4_000);
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Offline)));
    assert_eq!(hand.status_now().reason.map(|reason| reason.code), Some(Code::Offline));
    assert_eq!(hand.error(call), (Code::OutcomeUnknown, Outcome::Unknown));
    let before = hand.dials().len();
    hand.pass(29_000);
    assert_eq!(hand.dials().len(), before);
    hand.pass(1_000);
    assert_eq!(hand.dials().len(), before + 1, "one slow probe, since the flag may lie");
    refuse(&mut hand);
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Offline)));
}

#[test]
fn when_the_network_is_back_the_next_attempt_comes_within_half_a_second_and_clients_spread_over_it() {
    let spread = |seed: u64| {
        let mut hand =
            Hand::new(Config { reconnect: Reconnect { jitter: Jitter::Equal, ..Reconnect::default() }, ..websocket() });
        hand.driver = bowline_support::Driver::new(websocket(), seed);
        hand.call(connect());
        reconnected(&mut hand);
        tell(&mut hand, Signal::Offline);
        lose(&mut hand);
        hand.pass(10_000);
        let (from, before) = (hand.time(), hand.dials().len());
        tell(&mut hand, Signal::Online);
        hand.pass(500);
        assert_eq!(hand.dials().len(), before + 1);
        hand.dials().last().map_or(0.0, |(at, _)| at - from)
    };
    let delays: Vec<f64> = (1..200).map(spread).collect();
    assert!(delays.iter().any(|delay| *delay < 50.0) && delays.iter().any(|delay| *delay > 450.0), "{delays:?}");
}

#[test]
fn an_attempt_that_fails_offline_says_so() {
    let mut hand = Hand::new(websocket());
    tell(&mut hand, Signal::Offline);
    let call = hand.call(connect());
    assert_eq!(hand.dials().len(), 1, "the flag is verified by one attempt");
    refuse(&mut hand);
    assert_eq!(hand.error(call).0, Code::Offline);
}

#[test]
fn the_network_flag_can_be_ignored() {
    let mut hand = Hand::on_websocket(with(Lifecycle { suspend_offline: false, ..Lifecycle::default() }));
    tell(&mut hand, Signal::Offline);
    lose(&mut hand);
    assert_eq!(rests(&hand), (State::Reconnecting, None));
}

#[test]
fn a_link_lost_while_hidden_is_opened_again_when_the_page_is_seen() {
    let mut hand = Hand::on_websocket(websocket());
    tell(&mut hand, Signal::Hidden);
    hand.pass(3_600_000);
    assert_eq!(hand.status_now().state, State::Ready, "hiding alone changes nothing");
    lose(&mut hand);
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Hidden)));
    let before = hand.dials().len();
    hand.pass(29_000);
    tell(&mut hand, Signal::Online);
    assert_eq!(hand.dials().len(), before, "nobody looks");
    tell(&mut hand, Signal::Visible);
    assert_eq!(hand.dials().len(), before + 1, "at once");
    reconnected(&mut hand);
}

#[test]
fn hiding_ends_a_storm_of_attempts() {
    let mut hand = Hand::on_websocket(websocket());
    lose(&mut hand);
    tell(&mut hand, Signal::Hidden);
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Hidden)));
    let before = hand.dials().len();
    for _ in 0..20 {
        hand.pass_to_retry();
        refuse(&mut hand);
    }
    assert_eq!(hand.dials().len(), before + 27, "one for each, and another for each third");
    assert!(hand.time() >= 600_000.0, "thirty seconds apart");
}

#[test]
fn a_hidden_page_connects_for_whoever_asks() {
    let mut hand = Hand::new(websocket());
    tell(&mut hand, Signal::Hidden);
    hand.call(tools_list(1));
    reconnected(&mut hand);
}

#[test]
fn hiding_can_keep_everything_or_close_the_link() {
    let mut hand = Hand::on_websocket(with(Lifecycle { hidden: WhenHidden::Keep, ..Lifecycle::default() }));
    tell(&mut hand, Signal::Hidden);
    lose(&mut hand);
    assert_eq!(rests(&hand), (State::Reconnecting, None));
    let mut hand = Hand::on_websocket(with(Lifecycle { hidden: WhenHidden::Close, ..Lifecycle::default() }));
    let link = hand.last_link();
    tell(&mut hand, Signal::Hidden);
    assert!(hand.hung_up(link));
    let call = hand.call(tools_list(1));
    hand.pass(200_000);
    assert_eq!(hand.dials().len(), 1, "calls wait");
    tell(&mut hand, Signal::Visible);
    reconnected(&mut hand);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn what_a_hidden_page_connected_by_name_stays_when_something_else_changes() {
    for signal in [Signal::Online, Signal::Offline, Signal::Woken, Signal::Resumed, Signal::Unpark] {
        let mut hand = Hand::new(with(Lifecycle { hidden: WhenHidden::Close, ..Lifecycle::default() }));
        tell(&mut hand, Signal::Hidden);
        let connected = hand.call(connect());
        tell(&mut hand, signal);
        hand.open();
        hand.answer_question(Doc::supporting("2026-07-28"));
        assert!(matches!(hand.end(connected), Some(Ok(_))), "{signal:?}: {:?}", hand.status_now());
        let call = hand.call(tool_call(1));
        tell(&mut hand, signal);
        assert!(hand.end(call).is_none(), "{signal:?}: {:?}", hand.end(call));
        tell(&mut hand, Signal::Hidden);
        assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Hidden)));
    }
}

#[test]
fn a_page_that_freezes_closes_its_sockets_and_decides_its_calls() {
    let mut hand = Hand::on_websocket(websocket());
    let (write, read, link) = (hand.call(tool_call(1)), hand.call(tools_list(2)), hand.last_link());
    tell(&mut hand, Signal::Frozen);
    assert!(hand.hung_up(link));
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Frozen)));
    assert_eq!(hand.error(write), (Code::OutcomeUnknown, Outcome::Unknown));
    tell(&mut hand, Signal::Frozen);
    hand.pass(100_000);
    assert_eq!(hand.dials().len(), 1, "a frozen page dials nothing");
    tell(&mut hand, Signal::Resumed);
    reconnected(&mut hand);
    hand.answer(read, Doc::of(2));
    assert_eq!(hand.value(read), 2, "the read went on by itself");
}

#[test]
fn a_page_may_keep_its_socket_and_have_it_verified_on_return() {
    let mut hand = Hand::on_websocket(with(Lifecycle { close_frozen: false, ..Lifecycle::default() }));
    tell(&mut hand, Signal::Frozen);
    assert_eq!(hand.status_now().state, State::Ready);
    hand.news();
    tell(&mut hand, Signal::Resumed);
    assert_eq!(probes(&mut hand), 1);
    hand.pass(4_000);
    assert_ne!(hand.status_now().state, State::Ready);
}

#[test]
fn after_sleep_a_dead_link_is_found_within_four_seconds() {
    let mut hand = Hand::on_websocket(websocket());
    hand.driver.now = hand.driver.now + ms(3_600_000);
    tell(&mut hand, Signal::Woken);
    assert_eq!(probes(&mut hand), 1);
    hand.pass(3_999);
    assert_eq!(hand.status_now().state, State::Ready);
    hand.pass(1);
    assert_eq!(hand.status_now().reason.map(|reason| reason.code), Some(Code::HeartbeatTimeout));
}

#[test]
fn a_question_that_was_slept_over_is_given_four_more_seconds() {
    let mut hand = Hand::on_websocket(Config { heartbeat: bowline_core::Heartbeat::default(), ..websocket() });
    hand.pass(20_000);
    let (_, id, _) = hand.question();
    hand.driver.now = hand.driver.now + ms(60_000);
    tell(&mut hand, Signal::Woken);
    hand.driver.input(Input::Timeout);
    assert_eq!(hand.status_now().state, State::Ready, "the answer may be waiting behind the timer");
    hand.frame(result(id, Doc::supporting("2026-07-28")));
    hand.pass(10_000);
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn sleep_can_be_ignored() {
    let mut hand = Hand::on_websocket(with(Lifecycle { wake_detection: false, ..Lifecycle::default() }));
    tell(&mut hand, Signal::Woken);
    assert_eq!(probes(&mut hand), 0);
}

#[test]
fn whatever_gets_better_ends_the_suspension_and_the_fast_attempts_begin_anew() {
    for signal in [Signal::Visible, Signal::Resumed, Signal::Woken] {
        let mut hand = Hand::on_websocket(websocket());
        lose(&mut hand);
        for _ in 0..11 {
            hand.pass_to_retry();
            refuse(&mut hand);
        }
        assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Exhausted)));
        let before = hand.dials().len();
        tell(&mut hand, signal);
        assert_eq!(hand.dials().len(), before + 1, "{signal:?}");
        refuse(&mut hand);
        assert_eq!(rests(&hand), (State::Reconnecting, None));
    }
}

#[test]
fn what_a_server_asked_to_wait_is_waited_whatever_the_surroundings_say() {
    let mut hand = Hand::new(Config { websocket: false, ..fixed() });
    hand.call(connect());
    hand.status(hand.last_exchange(), 503, Some(ms(20_000)));
    let before = hand.fetches().len();
    tell(&mut hand, Signal::Visible);
    hand.pass(19_999);
    assert_eq!(hand.fetches().len(), before);
    hand.pass(1);
    assert_eq!(hand.fetches().len(), before + 1);
}

#[test]
fn the_application_can_park_the_client_and_calls_wait() {
    let mut hand = Hand::on_websocket(websocket());
    let link = hand.last_link();
    tell(&mut hand, Signal::Park);
    assert!(hand.hung_up(link));
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Manual)));
    let call = hand.call(tool_call(1));
    for signal in [Signal::Visible, Signal::Online, Signal::Resumed, Signal::Woken] {
        tell(&mut hand, signal);
    }
    hand.pass(100_000);
    assert_eq!(hand.dials().len(), 1);
    tell(&mut hand, Signal::Unpark);
    reconnected(&mut hand);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_parked_client_connects_for_whoever_says_connect() {
    let mut hand = Hand::new(websocket());
    tell(&mut hand, Signal::Park);
    hand.call(tools_list(1));
    assert!(hand.dials().is_empty());
    assert_eq!(rests(&hand), (State::Suspended, Some(Cause::Manual)));
    hand.call(connect());
    reconnected(&mut hand);
    lose(&mut hand);
    assert_eq!(rests(&hand), (State::Reconnecting, None), "that ended it");
}

#[test]
fn signals_wake_no_client_that_nobody_uses_or_that_is_closed() {
    let mut hand = Hand::new(websocket());
    Signal::ALL.into_iter().for_each(|signal| tell(&mut hand, signal));
    assert!(hand.dials().is_empty());
    let mut hand = Hand::on_websocket(websocket());
    hand.command(bowline_core::Command::Close);
    Signal::ALL.into_iter().for_each(|signal| tell(&mut hand, signal));
    assert_eq!((hand.dials().len(), hand.driver.timer), (1, None));
}

//! How a lost connection comes back (resilience, section 1): the delays, who counts as stable, what slows down after many failures, and
//! what a server or a user may say about it.

use bowline_core::{
    Code, Command, Config, Content, Duration, Era, Event, ExchangeEvent, Jitter, Outcome, Output, Reach, Reconnect,
    State, Transport,
};
use bowline_support::{connect, failure, fixed, ms, request, tool_call, Doc, Hand};

fn websocket(reconnect: Reconnect) -> Config {
    Config { http: false, reconnect, ..Config::default() }
}

fn plain() -> Reconnect {
    Reconnect { jitter: Jitter::None, ..Reconnect::default() }
}

/// Refuses every dial until `count` attempts have failed; the delays in between.
fn refused_delays(hand: &mut Hand, count: usize) -> Vec<f64> {
    let mut delays = Vec::new();
    for _ in 0..count {
        hand.close_link(1006);
        hand.close_link(1006);
        delays.extend(hand.retry_in());
        hand.pass_to_retry();
    }
    delays
}

#[test]
fn delays_grow_by_the_multiplier_up_to_the_cap() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_delay: ms(3_000), ..plain() }));
    hand.close_link(1006);
    let first = hand.retry_in();
    hand.pass_to_retry();
    assert_eq!(first, Some(1_500.0), "a link that lived too short counts as a failed attempt");
    assert_eq!(refused_delays(&mut hand, 4), [2_250.0, 3_000.0, 3_000.0, 3_000.0]);
}

#[test]
fn equal_jitter_keeps_about_half_of_each_delay_and_spreads_the_rest() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 1_000, ..Reconnect::default() }));
    hand.close_link(1006);
    hand.pass_to_retry();
    let delays = refused_delays(&mut hand, 200);
    let mut distinct = delays.clone();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup();
    assert!(distinct.len() > 150, "chance is mixed in");
    for (attempt, delay) in (2..).zip(delays) {
        let full = (1_000.0 * 1.5f64.powi(attempt)).min(30_000.0);
        assert!(
            delay >= full * 0.45 - 1.0 && delay <= (full * 1.1).min(30_000.0),
            "attempt {attempt}: {delay} of {full}"
        );
    }
}

#[test]
fn the_first_delay_after_a_stable_link_is_anywhere_below_the_initial_one() {
    let mut delays = Vec::new();
    let mut hand = Hand::on_websocket(websocket(Reconnect::default()));
    for _ in 0..30 {
        let call = hand.call(request(bowline_core::Method::PING, 1));
        hand.answer(call, Doc::of(1));
        hand.pass(5_000);
        hand.close_link(1006);
        delays.extend(hand.retry_in());
        hand.pass_to_retry();
        hand.open();
        hand.answer_question(Doc::supporting("2026-07-28"));
    }
    assert!(delays.iter().all(|delay| *delay < 1_000.0));
    assert!(delays.iter().any(|delay| *delay < 300.0) && delays.iter().any(|delay| *delay > 700.0));
}

#[test]
fn a_link_that_dies_young_does_not_reset_the_counter() {
    let mut hand = Hand::on_websocket(websocket(plain()));
    for expected in [1, 2, 3] {
        hand.pass(4_999);
        hand.close_link(1006);
        assert_eq!(hand.status_now().attempt, expected);
        hand.pass_to_retry();
        hand.open();
        hand.answer_question(Doc::supporting("2026-07-28"));
    }
}

#[test]
fn an_idle_link_that_a_proxy_cuts_again_and_again_never_suspends_the_client() {
    let mut hand = Hand::on_websocket(websocket(plain()));
    for _ in 0..20 {
        hand.pass(20_000);
        hand.close_link(1006);
        assert_eq!(hand.status_now().attempt, 0, "the handshake was answered, and it lived long enough");
        hand.pass_to_retry();
        hand.open();
        hand.answer_question(Doc::supporting("2026-07-28"));
    }
}

#[test]
fn a_link_that_served_and_lived_resets_the_counter() {
    let mut hand = Hand::on_websocket(websocket(plain()));
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().attempt, 1);
    let call = hand.call(tool_call(1));
    hand.answer(call, Doc::of(1));
    hand.pass(5_000);
    hand.close_link(1006);
    assert_eq!(hand.status_now().attempt, 0);
}

#[test]
fn after_max_attempts_the_client_is_suspended_and_probes_slowly() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 3, ..plain() }));
    hand.close_link(1006);
    hand.pass_to_retry();
    refused_delays(&mut hand, 1);
    hand.close_link(1006);
    hand.close_link(1006);
    assert_eq!(hand.status_now().state, State::Suspended);
    assert_eq!(hand.retry_in(), Some(30_000.0));
    let dials = hand.dials().len();
    hand.pass(29_999);
    assert_eq!(hand.dials().len(), dials);
    hand.pass(1);
    assert_eq!(hand.dials().len(), dials + 1);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn slow_probes_are_jittered_too() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 1, ..Reconnect::default() }));
    hand.close_link(1006);
    let delay = hand.retry_in();
    assert!(delay.is_some_and(|delay| (15_000.0..30_000.0).contains(&delay) && delay != 30_000.0), "{delay:?}");
}

#[test]
fn a_suspended_client_waits_with_its_calls_and_wakes_on_connect() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 1, ..plain() }));
    hand.close_link(1006);
    assert_eq!(hand.status_now().state, State::Suspended);
    let call = hand.call(tool_call(4));
    let dials = hand.dials().len();
    hand.pass(1_000);
    assert_eq!(hand.dials().len(), dials, "a call waits for the next probe");
    hand.call(connect());
    assert_eq!(hand.dials().len(), dials + 1, "connect() does not");
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(call, Doc::of(4));
    assert_eq!(hand.value(call), 4);
}

#[test]
fn on_exhausted_fail_ends_it_and_rejects_what_waits() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 2, fail_when_exhausted: true, ..plain() }));
    hand.close_link(1006);
    let call = hand.call(tool_call(1));
    hand.pass_to_retry();
    assert!(hand.end(call).is_none(), "it was ready once: calls wait through reconnects");
    hand.close_link(1006);
    hand.close_link(1006);
    assert_eq!(hand.status_now().state, State::Failed);
    assert_eq!(hand.error(call), (Code::ReconnectExhausted, Outcome::NotSent));
    assert_eq!(hand.driver.timer, None);
}

#[test]
fn a_new_call_tries_again_after_a_failure() {
    let mut hand = Hand::on_websocket(websocket(Reconnect { max_attempts: 1, fail_when_exhausted: true, ..plain() }));
    hand.close_link(1006);
    assert_eq!(hand.status_now().state, State::Failed);
    let dials = hand.dials().len();
    let call = hand.call(tool_call(1));
    assert_eq!(hand.dials().len(), dials + 1);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn without_reconnection_a_lost_link_stays_lost() {
    let mut hand = Hand::on_websocket(Config { reconnection: false, ..websocket(plain()) });
    let waiting = hand.call(connect());
    assert!(hand.end(waiting).is_some_and(|end| end.is_ok()));
    hand.close_link(1006);
    assert_eq!(hand.status_now().state, State::Failed);
    assert_eq!(hand.retry_in(), None);
}

#[test]
fn retry_after_of_the_handshake_is_a_floor_for_the_next_attempt() {
    let mut hand = Hand::on_http(fixed());
    hand.command(Command::Reconnect);
    hand.status(hand.last_exchange(), 503, Some(ms(9_000)));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    assert_eq!(hand.retry_in(), Some(9_000.0));
}

#[test]
fn so_is_that_of_a_refusal_that_says_why_in_its_body() {
    for status in [429, 503] {
        let mut hand = Hand::on_http(fixed());
        hand.command(Command::Reconnect);
        let (exchange, (_, id, _)) = (hand.last_exchange(), hand.question());
        hand.head(exchange, status, Content::Json, Some(ms(9_000)));
        hand.exchange(exchange, ExchangeEvent::Message(failure(id, -32000)));
        assert_eq!(hand.retry_in(), Some(9_000.0), "{status}");
    }
}

#[test]
fn reconnect_drops_the_link_and_dials_at_once() {
    let mut hand = Hand::on_websocket(fixed());
    let link = hand.last_link();
    hand.command(Command::Reconnect);
    assert!(hand.hung_up(link));
    assert_ne!(hand.last_link(), link);
    assert_eq!(hand.status_now().state, State::Reconnecting, "connecting is what happens before a first success");
    assert_eq!(hand.status_now().retry_at, None);
}

#[test]
fn every_ready_link_is_a_new_epoch() {
    let mut hand = Hand::on_websocket(fixed());
    assert_eq!(hand.status_now().epoch, 1);
    hand.command(Command::Reconnect);
    assert_eq!(hand.status_now().epoch, 1);
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().epoch, 2);
    assert_eq!(hand.driver.engine.metrics().reconnects, 1);
}

#[test]
fn an_attempt_ends_with_the_connect_timeout() {
    let reconnect = Reconnect { connect_timeout: ms(1_500), ..plain() };
    let mut hand = Hand::new(Config { websocket: false, reconnect, ..Config::default() });
    let call = hand.call(connect());
    let probe = hand.last_exchange();
    hand.pass(1_499);
    assert!(hand.end(call).is_none());
    hand.pass(1);
    assert!(hand.aborted(probe));
    assert_eq!(hand.error(call), (Code::ConnectTimeout, Outcome::NotSent));
}

#[test]
fn credentials_are_asked_for_and_not_retried() {
    let mut hand = Hand::new(websocket(plain()));
    let call = hand.call(connect());
    hand.open();
    hand.close_link(4401);
    assert_eq!(hand.status_now().state, State::AuthRequired);
    assert_eq!(hand.error(call).0, Code::AuthRequired);
    assert_eq!(hand.driver.timer, None);
}

#[test]
fn http_is_lost_only_when_fetch_cannot_reach_the_server() {
    let mut hand = Hand::on_http(fixed());
    let call = hand.call(tool_call(1));
    hand.status(hand.exchange_of(call), 500, None);
    assert_eq!(hand.status_now().state, State::Ready);
    let call = hand.call(tool_call(2));
    hand.exchange(hand.exchange_of(call), ExchangeEvent::Failed(Reach::Down));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    assert_eq!(hand.status_now().transport, None::<Transport>);
    assert_eq!(hand.status_now().era, Some(Era::Modern), "what is known of the server stays known");
    assert!(hand.retry_in() > Some(Duration::ZERO.as_millis()));
}

#[test]
fn what_waits_for_a_link_that_is_lost_for_good_is_rejected_with_it() {
    let mut hand = Hand::on_http(Config { reconnection: false, http_concurrency: 1, ..fixed() });
    let flying = hand.call(tool_call(1));
    let waiting = hand.call(tool_call(2));
    hand.exchange(hand.exchange_of(flying), ExchangeEvent::Failed(Reach::Down));
    assert_eq!(hand.error(flying), (Code::OutcomeUnknown, Outcome::Unknown));
    assert_eq!(hand.error(waiting), (Code::ConnectFailed, Outcome::NotSent));
    assert_eq!(hand.status_now().state, State::Failed);
}

#[test]
fn one_lost_link_fails_many_exchanges_but_plans_one_attempt() {
    let mut hand = Hand::on_http(fixed());
    let calls: Vec<_> = (0..3).map(|key| hand.call(tool_call(key))).collect();
    for call in &calls {
        hand.exchange(hand.exchange_of(*call), ExchangeEvent::Failed(Reach::Down));
    }
    assert_eq!(hand.status_now().attempt, 1);
    for call in calls {
        assert_eq!(hand.error(call).1, Outcome::Unknown);
    }
}

#[test]
fn the_states_of_a_life() {
    let mut hand = Hand::on_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    hand.answer_question(Doc::supporting("2026-07-28"));
    hand.command(Command::Close);
    let states: Vec<State> = hand
        .driver
        .log
        .iter()
        .filter_map(|(_, output)| match output {
            Output::Event(Event::State(status)) => Some(status.state),
            _ => None,
        })
        .collect();
    // Reconnecting is told twice: when the attempt is planned, with its moment, and when it begins.
    use State::{Closed, Connecting, Ready, Reconnecting};
    assert_eq!(states, [Connecting, Ready, Reconnecting, Reconnecting, Ready, Closed]);
}

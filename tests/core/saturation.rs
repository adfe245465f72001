//! What more calls than there is room for do to the urgent ones (resilience, section 2): a critical call waits at most two service times
//! while the rest queues up behind each other, and the rest is served all the same.

#![allow(clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::{BTreeMap, VecDeque};

use bowline_core::{
    CallId, Config, Duration, ExchangeEvent, ExchangeId, Input, Instant, LinkEvent, LinkId, Outgoing, Output, Request,
    RequestId, Rng,
};
use bowline_support::{fixed, ms, result, tool_call, Doc, Hand};

/// What the server takes for each call.
const SERVICE: u64 = 100;
const STEP: u64 = 5;
/// How long calls are made.
const RUSH: u64 = 40_000;

#[derive(Clone, Copy)]
enum Way {
    Link(LinkId),
    Exchange(ExchangeId),
}

/// How long the calls of each priority waited to be sent; those that never were are missing.
fn rush(mut hand: Hand, per_second: [f64; 4], seed: u64) -> (BTreeMap<u8, Vec<f64>>, usize) {
    let mut rng = Rng::seeded(seed);
    let mut made: Vec<(u8, Instant)> = Vec::new();
    let mut waits: BTreeMap<u8, Vec<f64>> = BTreeMap::new();
    let mut served: VecDeque<(Instant, Way, RequestId)> = VecDeque::new();
    let mut read = hand.driver.log.len();
    let mut offset = None;
    let mut settled = 0;
    for step in 0.. {
        let now = hand.driver.now;
        while let Some((_, way, id)) = served.front().copied().filter(|(at, ..)| *at <= now) {
            served.pop_front();
            let message = result(id, Doc::of(1));
            hand.driver.input(match way {
                Way::Link(link) => Input::Link(link, LinkEvent::Message(message)),
                Way::Exchange(id) => Input::Exchange(id, ExchangeEvent::Message(message)),
            });
        }
        for (priority, rate) in (0u8..).zip(per_second) {
            if step * STEP < RUSH && rng.unit() < rate * STEP as f64 / 1_000.0 {
                let CallId(id) = hand.call(Request { priority, ..tool_call(1) });
                offset.get_or_insert(id);
                made.push((priority, now));
            }
        }
        for (at, output) in &hand.driver.log[read..] {
            let (way, message) = match output {
                Output::Send { link, message, .. } => (Way::Link(*link), Some(message)),
                Output::Fetch(id, plan) => (Way::Exchange(*id), plan.message.as_ref()),
                Output::Settle(_, end) => {
                    settled += usize::from(end.is_ok());
                    continue;
                }
                _ => continue,
            };
            if let Some(Outgoing::Request { id, .. }) = message {
                let (priority, created) = made[(id.slot().0 - offset.unwrap_or(0)) as usize];
                waits.entry(priority).or_default().push(at.since(created).as_millis());
                served.push_back((*at + ms(SERVICE), way, *id));
            }
        }
        read = hand.driver.log.len();
        if step * STEP >= RUSH && served.is_empty() {
            break;
        }
        hand.pass(STEP);
    }
    (waits, made.len() - settled)
}

fn p99(waits: &mut [f64]) -> f64 {
    waits.sort_by(f64::total_cmp);
    waits[(waits.len() - 1) * 99 / 100]
}

fn patient(config: Config) -> Config {
    Config { max_queued: 100_000, max_total: Duration::MAX, timeout: Duration::MAX, ..config }
}

fn urgent_ones_hardly_wait(hand: Hand, per_second: [f64; 4], what: &str) {
    let (mut waits, lost) = rush(hand, per_second, 11);
    assert_eq!(lost, 0, "{what}: every call was served, the lowest too");
    let critical = p99(waits.get_mut(&3).expect("critical calls"));
    let low = p99(waits.get_mut(&0).expect("low calls"));
    println!("{what}: p99 wait of critical calls {critical} ms, of low calls {low} ms, a service takes {SERVICE} ms");
    assert!(critical <= 2.0 * SERVICE as f64, "{what}: {critical} ms");
    assert!(low > 20.0 * SERVICE as f64, "{what}: it was no saturation, {low} ms");
}

#[test]
fn a_critical_call_waits_two_service_times_at_most_on_a_websocket() {
    let hand = Hand::on_websocket(patient(Config { websocket_concurrency: 8, ..fixed() }));
    urgent_ones_hardly_wait(hand, [80.0, 40.0, 10.0, 2.0], "websocket");
}

#[test]
fn a_critical_call_waits_two_service_times_at_most_over_http() {
    urgent_ones_hardly_wait(Hand::on_http(patient(fixed())), [50.0, 20.0, 10.0, 2.0], "http");
}

#[test]
fn low_calls_are_served_during_an_endless_rush_of_urgent_ones() {
    let hand = Hand::on_websocket(patient(Config { websocket_concurrency: 4, ..fixed() }));
    let (waits, _) = rush(hand, [1.0, 0.0, 0.0, 42.0], 12);
    let slowest = waits[&0].iter().copied().fold(0.0, f64::max);
    assert!(slowest < 30_000.0, "three levels of five seconds, and then its turn among its elders: {slowest}");
}

//! What is counted, timed and judged while calls come and go (resilience, section 4).

use bowline_core::{Condition, Config, Method, Request};
use bowline_support::{fixed, notify, tool_call, Doc, Hand};

#[test]
fn an_answered_call_is_timed_as_a_whole_and_by_its_method() {
    let mut hand = Hand::on_websocket(fixed());
    for ms in [100, 200] {
        let call = hand.call(tool_call(1));
        hand.pass(ms);
        hand.answer(call, Doc::of(1));
    }
    let metrics = hand.driver.engine.metrics();
    assert_eq!((metrics.latency.samples, metrics.latency.mean, metrics.latency.max), (2, 150.0, 200.0));
    assert!((metrics.latency.p99 - 200.0).abs() < 2.0);
    let methods: Vec<_> = hand.driver.engine.methods().collect();
    let told: Vec<_> = methods.iter().map(|own| (own.method, own.count, own.errors)).collect();
    assert_eq!(told, [(Method::TOOLS_CALL, 2, 0)]);
}

#[test]
fn the_wait_in_the_queue_is_told_by_priority() {
    let mut hand = Hand::on_websocket(Config { websocket_concurrency: 1, ..fixed() });
    let first = hand.call(tool_call(1));
    hand.call(Request { priority: 3, ..tool_call(2) });
    hand.pass(400);
    hand.answer(first, Doc::of(1));
    let metrics = hand.driver.engine.metrics();
    assert_eq!(metrics.queue_wait_of, [0.0, 0.0, 0.0, 400.0]);
    assert_eq!(metrics.queue_wait.samples, 2);
}

#[test]
fn health_follows_the_link_and_the_answers() {
    let idle = Hand::new(fixed());
    assert_eq!(idle.driver.engine.health().condition, Condition::Unknown);
    let mut hand = Hand::on_websocket(fixed());
    assert_eq!(hand.driver.engine.health().condition, Condition::Healthy);
    let call = hand.call(tool_call(1));
    hand.pass(10);
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.driver.engine.health().latency, Some(10.0));
    let call = hand.call(tool_call(1));
    hand.close_link(1006);
    assert!(hand.end(call).is_some());
    let health = hand.driver.engine.health();
    assert_eq!((health.condition, health.consecutive_failures), (Condition::Unhealthy, 1));
}

#[test]
fn a_notification_and_a_connect_are_not_timed() {
    let mut hand = Hand::on_websocket(fixed());
    hand.call(notify(1));
    assert_eq!(hand.driver.engine.metrics().latency.samples, 0);
}

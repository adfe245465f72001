//! The experiments of the cluster's simulator as tests: small when built for debugging, as large as `npm run sim -- --cluster` when built
//! for speed. What they show is in tests/support/cluster.

#![allow(clippy::panic, reason = "a test speaks by panicking")]

use bowline_support::cluster::{
    balance, crowds, failover, hedging, herd, lateness, light, restart, storm, theory, Experiment, Size,
};

fn judge(experiment: Experiment) {
    let report = experiment(if cfg!(debug_assertions) { Size::Short } else { Size::Usual });
    println!("{report}");
    assert!(report.failures().is_empty(), "{}", report.failures().join("; "));
    assert!(report.passed() > 0, "nothing was judged");
}

#[test]
fn random_choice_and_the_less_busy_of_two_wait_as_theory_says() {
    judge(theory);
}

#[test]
fn adaptive_waits_little_longer_than_who_sees_everything_and_never_longer_than_chance() {
    judge(crowds);
}

#[test]
fn who_calls_rarely_is_not_worse_off_for_what_it_knows() {
    judge(light);
}

#[test]
fn a_hundred_thousand_clients_trample_no_node_down() {
    judge(herd);
}

#[test]
fn every_strategy_gives_each_node_its_share() {
    judge(balance);
}

#[test]
fn who_reads_sees_no_error_when_a_node_dies_and_waits_no_longer_than_it_takes_to_notice() {
    judge(failover);
}

#[test]
fn a_node_that_comes_back_is_not_overrun() {
    judge(restart);
}

#[test]
fn servers_that_are_asked_for_too_much_go_on_doing_what_they_can() {
    judge(storm);
}

#[test]
fn servers_that_never_say_that_it_is_too_much_go_on_doing_what_they_can() {
    judge(lateness);
}

#[test]
fn a_second_attempt_beside_a_slow_first_shortens_the_tail_for_few_calls_more() {
    judge(hedging);
}

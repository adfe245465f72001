//! What a thousand clients do to one server that comes back (resilience, section 1): chance spreads them, and nobody is lost however long
//! it was away. Each client is an engine of its own with its own seed; the server is a moment in time.

use bowline_core::{CallId, Command, Config, Input, Instant, Jitter, LinkEvent, LinkId, Outgoing, Output, Reconnect};
use bowline_support::{connect, ms, result, tool_call, Doc, Driver};

const CLIENTS: u64 = 1_000;

/// When each client is ready again after its link was lost at one moment and the server refused everybody for so long.
fn returns(outage: u64, jitter: Jitter) -> Vec<f64> {
    let reconnect = Reconnect { jitter, ..Reconnect::default() };
    (0..CLIENTS)
        .map(|seed| one(Config { http: false, reconnect: reconnect.clone(), ..Config::default() }, seed, outage))
        .collect()
}

fn one(config: Config, seed: u64, outage: u64) -> f64 {
    let mut driver = Driver::new(config, seed);
    let call = Input::Command(Command::Call(CallId(0), connect()));
    let from = driver.input(call);
    let mut link = dialled(&driver, from).unwrap_or(LinkId(0));
    accept(&mut driver, link);
    serve(&mut driver, link);
    driver.now = driver.now + ms(60_000);
    let lost = driver.now;
    driver.input(Input::Link(link, LinkEvent::Closed(1006)));
    while let Some(timer) = driver.timer {
        driver.now = timer;
        let mut from = driver.input(Input::Timeout);
        while let Some(dial) = dialled(&driver, from) {
            link = dial;
            if driver.now >= lost + ms(outage) {
                return driver.now.since(lost).as_millis();
            }
            from = driver.input(Input::Link(link, LinkEvent::Closed(1006)));
        }
    }
    f64::INFINITY
}

fn dialled(driver: &Driver, from: usize) -> Option<LinkId> {
    let dial = |(_, output): &(Instant, Output<Doc>)| match output {
        Output::Dial { link, .. } => Some(*link),
        _ => None,
    };
    driver.log.iter().skip(from).find_map(dial)
}

fn accept(driver: &mut Driver, link: LinkId) {
    let from = driver.input(Input::Link(link, LinkEvent::Opened));
    let question = driver.log.iter().skip(from).find_map(|(_, output)| match output {
        Output::Send { message: Outgoing::Discover(id), .. } => Some(*id),
        _ => None,
    });
    if let Some(id) = question {
        driver.input(Input::Link(link, LinkEvent::Message(result(id, Doc::supporting("2026-07-28")))));
    }
}

/// One call and its answer: only a link that served counts as having worked.
fn serve(driver: &mut Driver, link: LinkId) {
    let from = driver.input(Input::Command(Command::Call(CallId(0), tool_call(1))));
    let sent = driver.log.iter().skip(from).find_map(|(_, output)| match output {
        Output::Send { message: Outgoing::Request { id, .. }, .. } => Some(*id),
        _ => None,
    });
    if let Some(id) = sent {
        driver.input(Input::Link(link, LinkEvent::Message(result(id, Doc::of(1)))));
    }
}

/// The most that come in one tenth of a second.
fn peak(moments: &[f64]) -> usize {
    let tenth = |at: f64| (at / 100.0) as u64;
    let mates = |mine: f64| moments.iter().filter(|at| tenth(**at) == tenth(mine)).count();
    moments.iter().map(|at| mates(*at)).max().unwrap_or(0)
}

/// How long after the server's return 99 of 100 were back, and the last.
fn back(moments: &[f64], outage: u64) -> (f64, f64) {
    let mut sorted = moments.to_vec();
    sorted.sort_by(f64::total_cmp);
    let at = |share: f64| sorted.get((CLIENTS as f64 * share) as usize - 1).copied().unwrap_or(f64::INFINITY);
    (at(0.99) - outage as f64, at(1.0) - outage as f64)
}

#[test]
fn after_a_short_outage_the_clients_come_back_spread_out_and_soon() {
    let moments = returns(2_000, Jitter::Equal);
    let (worst, (p99, last)) = (peak(&moments), back(&moments, 2_000));
    println!("2 s outage, {CLIENTS} clients: peak {worst} in 100 ms, p99 back after {p99:.0} ms, the last after {last:.0} ms");
    assert!(worst <= 80, "{worst} of {CLIENTS} in 100 ms");
    assert!(p99 <= 2_500.0, "p99 back after {p99} ms");
}

#[test]
fn without_jitter_they_would_come_all_at_once() {
    assert_eq!(peak(&returns(2_000, Jitter::None)), CLIENTS as usize, "which is why it is the default");
}

#[test]
fn after_a_long_outage_nobody_is_lost() {
    for outage in [120_000, 600_000] {
        let (p99, last) = back(&returns(outage, Jitter::Equal), outage);
        println!("{} s outage: p99 back after {p99:.0} ms, the last after {last:.0} ms", outage / 1_000);
        assert!(last < 33_100.0, "the last one came {last} ms after the server");
    }
}

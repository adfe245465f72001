//! Which era a server speaks, and how the client finds out (protocol P28-P34): one question, and at most one older one, on the same
//! channel. Faults of the network are another file's; here the server answers, refuses, or keeps silent.

use bowline_core::{Code, Config, Era, Event, LinkEvent, Outcome, Outgoing, Output, Reach, State, Version, Versions};
use bowline_core::{ExchangeEvent, Incoming, Method};
use bowline_support::{connect, fixed, ms, request, Doc, Hand, Place};

fn http() -> Config {
    Config { websocket: false, ..fixed() }
}

fn asks_initialize(hand: &Hand) -> bool {
    matches!(hand.question().2, Outgoing::Initialize(_, Version::V2025_11_25))
}

fn speaks(hand: &Hand) -> (State, Option<Era>, Option<Version>) {
    let status = hand.status_now();
    (status.state, status.era, status.version)
}

const MODERN: (State, Option<Era>, Option<Version>) = (State::Ready, Some(Era::Modern), Some(Version::V2026_07_28));

#[test]
fn a_server_that_answers_discover_is_modern() {
    for config in [fixed(), http()] {
        let mut hand = Hand::new(config.clone());
        let call = hand.call(connect());
        if config.websocket {
            hand.open();
        }
        assert!(matches!(hand.question().2, Outgoing::Discover(_)));
        let answer = Doc::supporting("2026-07-28 2025-11-25");
        hand.answer_question(answer);
        assert_eq!(speaks(&hand), MODERN);
        assert!(hand.end(call).is_some_and(|end| end.is_ok()));
        let introduced = |output: &Output<Doc>| matches!(output, Output::Event(Event::Server(doc)) if *doc == answer);
        assert!(hand.news().iter().any(introduced), "the application hears who the server is");
    }
}

#[test]
fn a_server_that_answers_anything_with_an_empty_result_is_initialized() {
    let mut hand = Hand::new(http());
    hand.call(connect());
    hand.answer_question(Doc::default());
    assert!(asks_initialize(&hand));
}

#[test]
fn a_server_that_knows_discover_but_only_older_revisions_is_initialized() {
    let mut hand = Hand::new(http());
    hand.call(connect());
    hand.answer_question(Doc::supporting("2025-06-18"));
    assert!(asks_initialize(&hand));
}

#[test]
fn an_unsupported_version_is_corrected_once_and_only_once() {
    let mut hand = Hand::new(http());
    let call = hand.call(connect());
    let unsupported = |hand: &mut Hand, doc: Doc| {
        let (place, id, _) = hand.question();
        let Place::Exchange(exchange) = place else { return };
        hand.json(exchange, 400, Incoming::Error { id: Some(id), code: -32022, payload: doc });
    };
    unsupported(&mut hand, Doc::supporting("2026-07-28"));
    assert!(matches!(hand.question().2, Outgoing::Discover(_)), "asked again in a revision that both speak");
    assert_eq!(hand.fetches().len(), 2);
    unsupported(&mut hand, Doc::supporting("2026-07-28"));
    assert_eq!(hand.fetches().len(), 2, "a server that goes on saying so is not asked for ever");
    assert_eq!(hand.error(call), (Code::ProtocolVersion, Outcome::NotSent));
    assert_eq!(hand.status_now().state, State::Failed);
}

#[test]
fn an_unsupported_version_with_only_legacy_ones_leads_to_initialize() {
    let mut hand = Hand::new(http());
    hand.call(connect());
    let (place, id, _) = hand.question();
    let payload = Doc::supporting("2025-11-25 2025-06-18");
    assert_eq!(place, Place::Exchange(hand.last_exchange()));
    hand.json(hand.last_exchange(), 400, Incoming::Error { id: Some(id), code: -32022, payload });
    assert!(asks_initialize(&hand));
}

#[test]
fn any_other_error_means_legacy_and_the_same_channel_is_initialized() {
    for code in [-32000, -32600, -32601, -32602, -32700, 0, 404] {
        let mut hand = Hand::new(fixed());
        hand.call(connect());
        hand.open();
        hand.refuse_question(code);
        let (place, _, question) = hand.question();
        assert!(matches!(question, Outgoing::Initialize(..)), "after {code}");
        assert_eq!(place, Place::Link(hand.last_link()));
        hand.answer_question(Doc::speaking(Version::V2025_06_18));
        assert_eq!(speaks(&hand), (State::Ready, Some(Era::Legacy), Some(Version::V2025_06_18)));
        let initialized = hand.written().iter().any(|(_, message)| matches!(message, Outgoing::Initialized));
        assert!(initialized, "a legacy server is told that the client is ready");
    }
}

#[test]
fn a_modern_servers_own_errors_do_not_make_it_legacy() {
    for code in [-32020, -32021] {
        let mut hand = Hand::new(http());
        let call = hand.call(connect());
        hand.refuse_question(code);
        assert_eq!(hand.error(call).0, Code::RpcError, "{code}");
        assert_eq!(hand.fetches().len(), 1);
    }
}

#[test]
fn a_bare_refusal_over_http_means_legacy() {
    for status in [400, 404, 405, 406, 415] {
        let mut hand = Hand::new(http());
        hand.call(connect());
        hand.status(hand.last_exchange(), status, None);
        assert!(asks_initialize(&hand), "after {status}");
    }
}

#[test]
fn a_status_that_says_nothing_about_the_era_is_an_error_of_its_own() {
    for (status, code) in [
        (401, Code::AuthRequired),
        (403, Code::Forbidden),
        (429, Code::RateLimited),
        (500, Code::HttpError),
        (503, Code::HttpError),
    ] {
        let mut hand = Hand::new(http());
        let call = hand.call(connect());
        hand.status(hand.last_exchange(), status, None);
        assert_eq!(hand.error(call), (code, Outcome::NotSent), "{status}");
        assert_eq!(hand.fetches().len(), 1, "{status}: initialize would hear the same");
    }
}

#[test]
fn a_probe_that_fetch_refuses_is_followed_by_initialize_which_needs_no_new_headers() {
    let mut hand = Hand::new(http());
    hand.call(connect());
    hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
    assert!(asks_initialize(&hand));
    let announced = hand.fetches().last().and_then(|(_, plan)| plan.version);
    assert_eq!(announced, None, "no MCP-Protocol-Version before it is agreed");
}

#[test]
fn a_network_that_fails_does_not_make_a_modern_server_legacy() {
    let mut hand = Hand::new(http());
    hand.call(connect());
    hand.answer_question(Doc::supporting("2026-07-28"));
    let read = hand.call(request(Method::TOOLS_LIST, 1));
    let exchange = hand.last_exchange();
    hand.exchange(exchange, ExchangeEvent::Failed(Reach::Unknown));
    for _ in 0..3 {
        hand.pass_to_retry();
        assert!(matches!(hand.question().2, Outgoing::Discover(_)));
        hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
        assert!(!asks_initialize(&hand), "the era is known: only the server itself can refute it");
    }
    hand.pass_to_retry();
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(hand.status_now().version, Some(Version::V2026_07_28));
    hand.answer(read, Doc::of(1));
}

#[test]
fn silence_on_a_websocket_means_legacy() {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    hand.call(connect());
    hand.open();
    hand.pass(999);
    assert!(matches!(hand.question().2, Outgoing::Discover(_)));
    hand.pass(1);
    assert!(asks_initialize(&hand), "two fifths of the probe's time are for discover");
    assert_eq!(hand.dials().len(), 1, "on the same socket");
    hand.answer_question(Doc::speaking(Version::V2024_11_05));
    assert_eq!(speaks(&hand), (State::Ready, Some(Era::Legacy), Some(Version::V2024_11_05)));
}

#[test]
fn a_short_connect_timeout_leaves_time_for_initialize() {
    let mut config = Config { http: false, ..fixed() };
    config.reconnect.connect_timeout = ms(500);
    let mut hand = Hand::new(config);
    hand.call(connect());
    hand.open();
    hand.pass(200);
    assert!(asks_initialize(&hand));
}

#[test]
fn a_pinned_modern_era_never_initializes() {
    for refusal in [Some(-32601), None] {
        let mut hand = Hand::new(Config { versions: Versions::of(Era::Modern), ..http() });
        let call = hand.call(connect());
        match refusal {
            Some(code) => hand.refuse_question(code),
            None => hand.status(hand.last_exchange(), 404, None),
        }
        assert!(hand.end(call).is_some_and(|end| end.is_err()));
        assert_eq!(hand.fetches().len(), 1);
    }
}

#[test]
fn a_pinned_legacy_era_never_discovers() {
    let mut hand = Hand::new(Config { versions: Versions::of(Era::Legacy), ..http() });
    hand.call(connect());
    assert!(asks_initialize(&hand));
    hand.answer_question(Doc::speaking(Version::V2025_11_25));
    assert_eq!(hand.status_now().state, State::Ready);
}

#[test]
fn an_initialize_answered_in_a_modern_or_unknown_revision_is_refused() {
    for doc in [Doc::speaking(Version::V2026_07_28), Doc::default()] {
        let mut hand = Hand::new(Config { versions: Versions::of(Era::Legacy), ..http() });
        let call = hand.call(connect());
        hand.answer_question(doc);
        assert_eq!(hand.error(call).0, Code::ProtocolVersion);
    }
}

#[test]
fn a_server_known_to_be_legacy_is_initialized_at_once_on_reconnect() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    assert!(asks_initialize(&hand));
}

#[test]
fn a_verdict_that_does_not_hold_is_corrected_on_the_same_channel() {
    let mut hand = Hand::on_legacy_websocket(Config { http: false, ..fixed() });
    hand.close_link(1006);
    hand.pass_to_retry();
    hand.open();
    // The server was upgraded meanwhile, and does not know initialize any more.
    hand.refuse_question(-32601);
    assert!(matches!(hand.question().2, Outgoing::Discover(_)));
    hand.answer_question(Doc::supporting("2026-07-28"));
    assert_eq!(speaks(&hand), MODERN);
}

#[test]
fn a_server_that_refuses_both_questions_is_asked_no_third_time() {
    let mut hand = Hand::new(Config { known_era: Some(Era::Legacy), ..http() });
    let call = hand.call(connect());
    hand.refuse_question(-32601);
    hand.status(hand.last_exchange(), 405, None);
    assert!(matches!(hand.question().2, Outgoing::Discover(_)), "nor is it HTTP+SSE");
    hand.refuse_question(-32601);
    assert!(asks_initialize(&hand), "what was believed first is asked last");
    hand.refuse_question(-32601);
    assert_eq!(hand.fetches().len(), 4);
    assert_eq!(hand.error(call).0, Code::RpcError);
}

fn remembered(hand: &Hand) -> Vec<(Era, f64)> {
    let verdict = |(_, output): &(_, Output<Doc>)| match output {
        Output::RememberEra(era, span) => Some((*era, span.as_millis())),
        _ => None,
    };
    hand.driver.log.iter().filter_map(verdict).collect()
}

#[test]
fn an_era_that_was_found_out_is_remembered_for_an_hour() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    assert_eq!(remembered(&hand), [(Era::Legacy, 3_600_000.0)]);
    hand.close_link(1006);
    hand.pass(1_000);
    hand.open();
    hand.answer_question(Doc::speaking(Version::V2025_11_25));
    assert_eq!(remembered(&hand).len(), 1, "a verdict that is only used again does not become younger");
    assert_eq!(remembered(&Hand::on_http(fixed())), [(Era::Modern, 3_600_000.0)]);
}

#[test]
fn an_era_that_was_no_choice_is_not_remembered() {
    let mut hand = Hand::new(Config { versions: Versions::of(Era::Legacy), ..http() });
    hand.call(connect());
    hand.answer_question(Doc::speaking(Version::V2025_11_25));
    assert_eq!(hand.status_now().state, State::Ready);
    assert!(remembered(&hand).is_empty(), "the server may well be of both");
}

#[test]
fn a_server_remembered_as_legacy_is_initialized_first_and_a_modern_one_is_asked_as_ever() {
    for (era, first) in [(Era::Legacy, true), (Era::Modern, false)] {
        let mut hand = Hand::new(Config { known_era: Some(era), ..http() });
        hand.call(connect());
        assert_eq!(asks_initialize(&hand), first);
    }
    let mut hand = Hand::new(Config { known_era: Some(Era::Modern), ..http() });
    hand.call(connect());
    hand.exchange(hand.last_exchange(), ExchangeEvent::Failed(Reach::Unknown));
    assert!(asks_initialize(&hand), "a preflight that a replaced server does not pass is no dead end");
}

#[test]
fn a_handshake_that_the_server_never_answers_ends_with_the_probe() {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    let call = hand.call(connect());
    let link = hand.last_link();
    hand.open();
    hand.pass(2_500);
    assert!(hand.hung_up(link));
    assert_eq!(hand.error(call).0, Code::ConnectTimeout);
}

#[test]
fn an_answer_to_an_old_question_does_not_count() {
    let mut hand = Hand::new(Config { http: false, ..fixed() });
    hand.call(connect());
    hand.open();
    let (_, discover, _) = hand.question();
    hand.pass(1_000);
    assert!(asks_initialize(&hand));
    let late = bowline_support::result(discover, Doc::supporting("2026-07-28"));
    hand.link(hand.last_link(), LinkEvent::Message(late));
    assert_eq!(hand.status_now().state, State::Connecting);
}

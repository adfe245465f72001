//! Which revisions may be spoken (protocol P28, P29, P74): the newest that both sides know, by this side's preference, and nothing that
//! the application has not allowed.

use bowline_core::{
    Code, Config, Era, Event, ExchangeEvent, Incoming, Outgoing, Output, Reach, State, Version, Versions,
};
use bowline_support::{connect, fixed, ms, request, tool_call, Doc, Hand, Place};

fn allowing(text: &str) -> Config {
    Config { versions: Doc::supporting(text).names, websocket: false, ..fixed() }
}

fn pinned() -> Config {
    Config { pinned: true, ..allowing("2026-07-28") }
}

fn spoken(hand: &Hand) -> (State, Option<Version>) {
    let status = hand.status_now();
    (status.state, status.version)
}

fn offered(hand: &Hand) -> Option<Version> {
    match hand.question().2 {
        Outgoing::Initialize(_, version) => Some(version),
        _ => None,
    }
}

#[test]
fn initialize_offers_the_newest_allowed_revision_of_its_era() {
    for (allowed, newest) in [
        ("2025-06-18 2024-11-05", Version::V2025_06_18),
        ("2024-11-05", Version::V2024_11_05),
        ("2025-11-25 2025-03-26", Version::V2025_11_25),
    ] {
        let mut hand = Hand::new(allowing(allowed));
        hand.call(connect());
        assert_eq!(offered(&hand), Some(newest), "and nothing is discovered before");
        hand.answer_question(Doc::speaking(newest));
        assert_eq!(spoken(&hand), (State::Ready, Some(newest)));
    }
}

#[test]
fn a_lower_revision_is_accepted_only_if_it_is_allowed() {
    let mut hand = Hand::new(allowing("2025-11-25 2025-06-18"));
    hand.call(connect());
    hand.answer_question(Doc::speaking(Version::V2025_06_18));
    assert_eq!(spoken(&hand), (State::Ready, Some(Version::V2025_06_18)));

    let mut hand = Hand::new(allowing("2025-11-25"));
    let call = hand.call(connect());
    hand.answer_question(Doc::speaking(Version::V2025_06_18));
    assert_eq!(hand.error(call).0, Code::ProtocolVersion);
}

#[test]
fn a_discovery_without_a_common_modern_revision_leads_to_an_allowed_older_one_or_nowhere() {
    let mut hand = Hand::new(allowing("2026-07-28 2025-06-18"));
    hand.call(connect());
    hand.answer_question(Doc::supporting("2025-11-25 2025-06-18"));
    assert_eq!(offered(&hand), Some(Version::V2025_06_18));

    let mut hand = Hand::new(allowing("2026-07-28"));
    let call = hand.call(connect());
    hand.answer_question(Doc::supporting("2025-11-25"));
    assert_eq!(hand.error(call).0, Code::ProtocolVersion);
    assert_eq!(hand.fetches().len(), 1);
}

#[test]
fn the_order_of_a_servers_list_decides_nothing() {
    // A set has no order: what is left to show is that older members do not win.
    let mut hand = Hand::new(allowing("2024-11-05 2025-11-25 2026-07-28"));
    hand.call(connect());
    hand.answer_question(Doc::supporting("2024-11-05 2025-03-26 2025-06-18 2025-11-25 2026-07-28"));
    assert_eq!(spoken(&hand), (State::Ready, Some(Version::V2026_07_28)));
}

#[test]
fn a_refused_revision_is_answered_with_the_newest_allowed_one_in_common() {
    let refused = |config: Config| {
        let mut hand = Hand::new(config);
        let call = hand.call(connect());
        let (_, id, _) = hand.question();
        let payload = Doc::supporting("2025-11-25 2025-03-26");
        hand.json(hand.last_exchange(), 400, Incoming::Error { id: Some(id), code: -32022, payload });
        (hand, call)
    };
    let (hand, _) = refused(allowing("2026-07-28 2025-06-18 2025-03-26"));
    assert_eq!(offered(&hand), Some(Version::V2025_06_18), "the server may answer with the older one that it speaks");
    let (hand, call) = refused(allowing("2026-07-28 2025-06-18"));
    assert_eq!(hand.error(call).0, Code::ProtocolVersion, "nothing in common");
}

#[test]
fn a_pinned_client_over_http_is_ready_without_a_question() {
    let mut hand = Hand::new(pinned());
    let (connected, call) = (hand.call(connect()), hand.call(tool_call(1)));
    hand.pass(0);
    assert!(matches!(hand.end(connected), Some(Ok(_))));
    assert_eq!(spoken(&hand), (State::Ready, Some(Version::V2026_07_28)));
    assert_eq!(hand.written().len(), 1, "the call itself is the first message");
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
    let told =
        |(_, output): &(_, Output<Doc>)| matches!(output, Output::Event(Event::Server(_)) | Output::RememberEra(..));
    assert!(!hand.driver.log.iter().any(told), "nothing was found out");
}

#[test]
fn a_pinned_client_is_ready_however_late_the_timers_of_its_hidden_page_are() {
    let mut hand = Hand::new(pinned());
    let connected = hand.call(connect());
    hand.driver.now = hand.driver.now + ms(60_000);
    hand.driver.input(bowline_core::Input::Timeout);
    assert!(matches!(hand.end(connected), Some(Ok(_))), "{:?}", hand.end(connected));
}

#[test]
fn a_pinned_client_is_ready_again_after_each_loss() {
    let mut hand = Hand::new(pinned());
    let read = hand.call(request(bowline_core::Method::TOOLS_LIST, 1));
    hand.pass(0);
    hand.exchange(hand.exchange_of(read), ExchangeEvent::Failed(Reach::Down));
    assert_eq!(hand.status_now().state, State::Reconnecting);
    hand.pass_to_retry();
    assert_eq!(hand.sendings(read).len(), 2);
    hand.answer(read, Doc::of(1));
    assert_eq!(hand.value(read), 1);
    assert!(hand.written().iter().all(|(_, message)| matches!(message, Outgoing::Request { .. })));
}

#[test]
fn a_pinned_client_never_leaves_its_revision() {
    let mut hand = Hand::new(pinned());
    let call = hand.call(tool_call(1));
    hand.pass(0);
    hand.refuse_with(call, -32022, Doc::supporting("2025-11-25"));
    assert_eq!(hand.error(call).0, Code::RpcError);
    assert_eq!(hand.fetches().len(), 1);
}

#[test]
fn a_websocket_is_verified_even_when_the_revision_is_pinned() {
    let mut hand = Hand::new(Config { websocket: true, ..pinned() });
    hand.call(connect());
    hand.open();
    assert!(matches!(hand.question(), (Place::Link(_), _, Outgoing::Discover(_))));
    hand.refuse_question(-32601);
    let (place, _, question) = hand.question();
    assert!(matches!((place, question), (Place::Exchange(_), Outgoing::Discover(_))), "and so is HTTP in its place");
}

#[test]
fn sets_of_revisions_are_what_they_say() {
    assert_eq!(Versions::ALL, Doc::supporting("2024-11-05 2025-03-26 2025-06-18 2025-11-25 2026-07-28").names);
    assert_eq!(Versions::of(Era::Modern), Versions::only(Version::V2026_07_28));
    assert_eq!(Versions::of(Era::Legacy).newest(Era::Legacy), Some(Version::V2025_11_25));
    assert_eq!(Versions::of(Era::Legacy).and(Versions::of(Era::Modern)), Versions::default());
    assert!(Versions::ALL.span_eras() && !Versions::of(Era::Legacy).span_eras());
}

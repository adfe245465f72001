//! An engine that is told nonsense: events of links and exchanges that never were, answers nobody asked for, calls under names in use,
//! a clock that runs backwards. It may do anything with that but panic, settle a call twice, or keep one after `close()`.

#![allow(clippy::panic, clippy::expect_used, clippy::indexing_slicing, reason = "a test speaks by panicking")]

use std::collections::BTreeMap;

use bowline_core::{
    Asked, CacheKey, CallId, Command, Config, Content, Engine, ExchangeEvent, ExchangeId, Head, Hint, Incoming, Input,
    Instant, Kind, LinkEvent, LinkId, Malformed, Method, Output, Reach, Request, RequestId, ResultKind, Versions,
};
use bowline_support::{ms, request, Doc, Req};
use proptest::prelude::*;

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_call_settles_once_whatever_the_engine_is_told(
        http in any::<bool>(),
        websocket in any::<bool>(),
        pinned in any::<bool>(),
        seed in any::<u64>(),
        told in prop::collection::vec((0u32..5_000, input()), 0..60),
    ) {
        let config = Config { http, websocket, pinned, max_queued: 5, http_concurrency: 2, ..Config::default() };
        let mut engine = Engine::new(config, seed, Instant::default());
        let mut debts = BTreeMap::new();
        for (at, input) in told {
            owe(&mut debts, &input);
            // Not in order: an engine must not mind a clock that was corrected.
            engine.handle_input(Instant::from_millis(f64::from(at)), input);
            pay(&mut engine, &mut debts)?;
        }
        engine.handle_input(Instant::from_millis(6_000.0), Input::Command(Command::Close));
        pay(&mut engine, &mut debts)?;
        prop_assert!(debts.values().all(|debt| *debt == 0), "never settled: {debts:?}");
        let metrics = engine.metrics();
        prop_assert_eq!((metrics.active_requests, metrics.queued_requests), (0, 0));
        prop_assert_eq!(metrics.total_requests, metrics.successful_requests + metrics.failed_requests);
    }
}

fn owe(debts: &mut BTreeMap<CallId, i32>, input: &Input<Doc>) {
    if let Input::Command(Command::Call(id, _)) = input {
        *debts.entry(*id).or_default() += 1;
    }
}

fn pay(engine: &mut Engine<Doc>, debts: &mut BTreeMap<CallId, i32>) -> Result<(), TestCaseError> {
    for _ in 0..10_000 {
        match engine.poll_output() {
            Output::Timeout(_) => return Ok(()),
            Output::Settle(id, _) => {
                let debt = debts.entry(id).or_default();
                *debt -= 1;
                prop_assert!(*debt >= 0, "{:?} settles more often than it was made", id);
            }
            _ => {}
        }
    }
    Err(TestCaseError::fail("the outputs never end"))
}

fn input() -> BoxedStrategy<Input<Doc>> {
    prop_oneof![
        4 => command().prop_map(Input::Command),
        4 => (link(), link_event()).prop_map(|(link, event)| Input::Link(link, event)),
        4 => (exchange(), exchange_event()).prop_map(|(id, event)| Input::Exchange(id, event)),
        1 => Just(Input::Timeout),
    ]
    .boxed()
}

fn command() -> BoxedStrategy<Command<Doc>> {
    prop_oneof![
        10 => (slot(), call()).prop_map(|(slot, call)| Command::Call(slot, call)),
        2 => slot().prop_map(Command::Cancel),
        1 => (slot(), any::<u8>()).prop_map(|(slot, priority)| Command::SetPriority(slot, priority)),
        2 => prop::option::of(0u32..3).prop_map(|filter| Command::Listen(filter.map(Doc::of))),
        2 => (slot(), prop::option::of(payload())).prop_map(|(slot, params)| Command::Answer(slot, params)),
        1 => (link(), payload()).prop_map(|(link, response)| Command::Reply(link, response)),
        1 => Just(Command::Reconnect),
        1 => any::<bool>().prop_map(Command::Pause),
        1 => (prop::option::of(0u32..30), 0u8..5).prop_map(|(method, below)| Command::Clear(method.map(Method::from_index), below)),
    ]
    .boxed()
}

fn call() -> BoxedStrategy<Req> {
    let kind = prop_oneof![6 => Just(Kind::Request), 1 => Just(Kind::Notification), 1 => Just(Kind::Connect)];
    (kind, 0u32..30, any::<u8>(), prop::option::of(0u32..3), any::<[bool; 4]>(), prop::option::of(0u64..5_000))
        .prop_map(|(kind, method, priority, key, flags, limit)| Request {
            kind,
            // Params may be missing where they are due: the engine cannot see to that.
            params: flags[0].then(|| Doc::of(method)),
            priority,
            timeout: limit.map(ms),
            max_total: limit.filter(|_| flags[1]).map(ms),
            progress_resets_timeout: flags[2],
            idempotent: flags[3],
            key: key.map(CacheKey),
            ..request(Method::from_index(method), 0)
        })
        .boxed()
}

fn link_event() -> BoxedStrategy<LinkEvent<Doc>> {
    prop_oneof![
        3 => Just(LinkEvent::Opened),
        6 => incoming().prop_map(LinkEvent::Message),
        1 => prop_oneof![Just(1000), Just(1006), Just(4401), Just(4403)].prop_map(LinkEvent::Closed),
        1 => prop::option::of(id()).prop_map(LinkEvent::SendFailed),
    ]
    .boxed()
}

fn exchange_event() -> BoxedStrategy<ExchangeEvent<Doc>> {
    let content =
        prop_oneof![Just(Content::Json), Just(Content::EventStream), Just(Content::Html), Just(Content::Other)];
    let status = prop_oneof![4 => Just(200), 1 => Just(202), 1 => Just(400), 1 => Just(401), 1 => Just(404), 1 => Just(429),
        1 => Just(503), 1 => any::<u16>()];
    let head = (status, content, prop::option::of(0u32..3), prop::option::of(0u64..3_000), prop::option::of(0u32..3))
        .prop_map(|(status, content, session, wait, challenge)| Head {
            status,
            content,
            session: session.map(Doc::of),
            retry_after: wait.map(ms),
            challenge: challenge.map(Doc::of),
        });
    prop_oneof![
        3 => head.prop_map(ExchangeEvent::Head),
        5 => incoming().prop_map(ExchangeEvent::Message),
        1 => Just(ExchangeEvent::Alive),
        2 => Just(ExchangeEvent::Ended),
        1 => prop_oneof![Just(Reach::Unknown), Just(Reach::Blocked), Just(Reach::Down)].prop_map(ExchangeEvent::Failed),
    ]
    .boxed()
}

fn incoming() -> BoxedStrategy<Incoming<Doc>> {
    let kind = prop_oneof![
        4 => Just(ResultKind::Complete),
        2 => Just(ResultKind::InputRequired),
        1 => Just(ResultKind::StateOnly),
        1 => Just(ResultKind::Task),
        1 => Just(ResultKind::Unknown)
    ];
    let malformed = prop_oneof![
        Just(Malformed::Json),
        Just(Malformed::Envelope),
        Just(Malformed::TooLarge),
        Just(Malformed::Binary)
    ];
    let result = (id(), kind, prop::option::of(any::<u64>()), payload()).prop_map(|(id, kind, ttl, payload)| {
        Incoming::Result { id, kind, hint: Hint { ttl: ttl.map(ms), public: false }, size: u32::MAX, payload }
    });
    let code = prop_oneof![Just(-32601), Just(-32022), Just(-32020), Just(-32000), any::<i32>()];
    prop_oneof![
        6 => result,
        2 => (prop::option::of(id()), code, payload()).prop_map(|(id, code, payload)| Incoming::Error { id, code, payload }),
        2 => (0u32..30, prop::option::of(id()), payload())
            .prop_map(|(method, token, payload)| Incoming::Notification { method: Method::from_index(method), token, payload }),
        1 => (prop_oneof![Just(Asked::Ping), Just(Asked::Other)], payload())
            .prop_map(|(asked, payload)| Incoming::Request { asked, payload }),
        1 => id().prop_map(Incoming::TooLarge),
        1 => malformed.prop_map(Incoming::Malformed),
    ]
    .boxed()
}

fn payload() -> BoxedStrategy<Doc> {
    any::<u8>().prop_map(|bits| Doc { names: Versions::from_bits(bits), ..Doc::default() }).boxed()
}

/// Small numbers, so that they meet; and the impossible ones.
fn slot() -> BoxedStrategy<CallId> {
    prop_oneof![9 => (0u32..6).prop_map(CallId), 1 => Just(CallId(CallId::MAX + 1)), 1 => Just(CallId(u32::MAX))]
        .boxed()
}

fn id() -> BoxedStrategy<RequestId> {
    prop_oneof![
        6 => (0u64..20, 0u32..6).prop_map(|(sequence, slot)| RequestId::of(sequence, CallId(slot))),
        4 => (0u64..20).prop_map(RequestId::internal),
        1 => any::<u64>().prop_map(RequestId),
    ]
    .boxed()
}

fn link() -> impl Strategy<Value = LinkId> {
    (0u32..5).prop_map(LinkId)
}

fn exchange() -> impl Strategy<Value = ExchangeId> {
    (0u32..15).prop_map(ExchangeId)
}

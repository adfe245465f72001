//! What servers ask of their clients (protocol P26, P79): a ping is answered at once, everything else by the application, on the link it
//! came on; and in the modern era there are no such requests.

use bowline_core::{Asked, Command, ExchangeEvent, Incoming, LinkId, Outgoing, Output};
use bowline_support::{fixed, tool_call, Doc, Hand};

fn responses(hand: &Hand) -> Vec<u32> {
    let response = |(_, message): (_, Outgoing<Doc>)| match message {
        Outgoing::Pong(doc) | Outgoing::Response(doc) => Some(doc.key),
        _ => None,
    };
    hand.written().into_iter().filter_map(response).collect()
}

fn asked(hand: &Hand) -> Vec<(LinkId, u32)> {
    let request = |(_, output): &(_, Output<Doc>)| match output {
        Output::Asked(link, doc) => Some((*link, doc.key)),
        _ => None,
    };
    hand.driver.log.iter().filter_map(request).collect()
}

fn violations(hand: &Hand) -> u64 {
    hand.driver.engine.metrics().violations
}

#[test]
fn a_ping_is_answered_at_once() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    hand.frame(Incoming::Request { asked: Asked::Ping, payload: Doc::of(3) });
    assert_eq!(responses(&hand), [3]);
    assert!(asked(&hand).is_empty());
}

#[test]
fn everything_else_is_put_to_the_application_which_replies_when_it_can() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    hand.frame(Incoming::Request { asked: Asked::Other, payload: Doc::of(3) });
    hand.frame(Incoming::Request { asked: Asked::Other, payload: Doc::of(4) });
    let link = hand.last_link();
    assert_eq!(asked(&hand), [(link, 3), (link, 4)]);
    hand.pass(600_000);
    hand.command(Command::Reply(link, Doc::of(14)));
    hand.command(Command::Reply(link, Doc::of(13)));
    assert_eq!(responses(&hand), [14, 13]);
}

#[test]
fn a_request_on_a_calls_stream_is_answered_by_a_post_of_its_own() {
    let mut hand = Hand::on_legacy_http(fixed(), 8);
    let call = hand.call(tool_call(1));
    let exchange = hand.exchange_of(call);
    hand.stream(exchange);
    hand.exchange(exchange, ExchangeEvent::Message(Incoming::Request { asked: Asked::Other, payload: Doc::of(3) }));
    for (link, key) in asked(&hand) {
        hand.command(Command::Reply(link, Doc::of(key + 10)));
    }
    assert_eq!(responses(&hand), [13]);
    let plan = hand.fetches().pop().map(|(_, plan)| plan);
    assert!(plan.is_some_and(|plan| plan.session == Some(Doc::of(8))), "in the session");
    hand.status(hand.last_exchange(), 202, None);
    assert!(hand.end(call).is_none());
    hand.answer(call, Doc::of(1));
    assert_eq!(hand.value(call), 1);
}

#[test]
fn a_reply_to_a_link_that_is_gone_goes_nowhere() {
    let mut hand = Hand::on_legacy_websocket(fixed());
    hand.frame(Incoming::Request { asked: Asked::Other, payload: Doc::of(3) });
    let link = hand.last_link();
    hand.close_link(1006);
    hand.command(Command::Reply(link, Doc::of(13)));
    hand.pass(1_000);
    hand.open();
    hand.answer_question(Doc::speaking(bowline_core::Version::V2025_11_25));
    hand.command(Command::Reply(link, Doc::of(13)));
    assert!(responses(&hand).is_empty(), "who asked is not there any more");
}

#[test]
fn a_modern_server_that_asks_is_counted_and_not_answered() {
    for kind in [Asked::Ping, Asked::Other] {
        let request = Incoming::Request { asked: kind, payload: Doc::of(3) };
        let mut socket = Hand::on_websocket(fixed());
        socket.frame(request.clone());
        let mut http = Hand::on_http(fixed());
        let call = http.call(tool_call(1));
        let exchange = http.exchange_of(call);
        http.stream(exchange);
        http.exchange(exchange, ExchangeEvent::Message(request));
        for hand in [&socket, &http] {
            assert_eq!((violations(hand), asked(hand), responses(hand)), (1, vec![], vec![]));
        }
        http.answer(call, Doc::of(1));
        assert_eq!(http.value(call), 1, "the answer counts nevertheless");
    }
}

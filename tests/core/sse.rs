//! `text/event-stream` as WHATWG HTML 9.2.6 has it, whatever the pieces it arrives in: fixed cases by their names, and random streams cut
//! at random against a reference that reads the whole stream at once.

use bowline_core::{Parser, Sink, TooLong};
use proptest::prelude::*;

const ROOMY: usize = 1 << 20;

#[derive(Debug, Default, PartialEq)]
struct Heard(Vec<Fact>);

#[derive(Debug, PartialEq)]
enum Fact {
    Event(String, Vec<u8>),
    Retry(u64),
    Id(Vec<u8>),
}

impl Sink for Heard {
    fn event(&mut self, name: &[u8], data: &[u8]) {
        self.0.push(event(&String::from_utf8_lossy(name), data));
    }
    fn retry(&mut self, ms: u64) {
        self.0.push(Fact::Retry(ms));
    }
    fn id(&mut self, id: &[u8]) {
        self.0.push(Fact::Id(id.to_vec()));
    }
}

fn event(name: &str, data: impl AsRef<[u8]>) -> Fact {
    Fact::Event(name.to_owned(), data.as_ref().to_vec())
}

/// All of `stream` in one piece.
fn whole(stream: impl AsRef<[u8]>) -> Vec<Fact> {
    pieces([stream.as_ref()], ROOMY).0
}

fn pieces<'a>(pieces: impl IntoIterator<Item = &'a [u8]>, limit: usize) -> (Vec<Fact>, Result<(), TooLong>) {
    let (mut parser, mut heard) = (Parser::new(limit), Heard::default());
    for piece in pieces {
        if let Err(error) = parser.push(piece, &mut heard) {
            return (heard.0, Err(error));
        }
    }
    (heard.0, Ok(()))
}

#[test]
fn the_examples_of_the_standard() {
    assert_eq!(whole("data: YHOO\ndata: +2\ndata: 10\n\n"), [event("", "YHOO\n+2\n10")]);
    assert_eq!(
        whole(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n"),
        [
            Fact::Id(b"1".to_vec()),
            event("", "first event"),
            Fact::Id(b"".to_vec()),
            event("", "second event"),
            event("", " third event"),
        ]
    );
    // The standard dispatches the first event too, with no data; this parser skips it (P22).
    assert_eq!(whole("data\n\ndata\ndata\n\ndata:"), [event("", "\n")]);
    assert_eq!(whole("data:test\n\ndata: test\n\n"), [event("", "test"), event("", "test")]);
}

#[test]
fn every_kind_of_line_end_ends_a_line() {
    for end in ["\n", "\r", "\r\n"] {
        let stream = format!("event: a{end}data: 1{end}data: 2{end}{end}data: 3{end}{end}");
        assert_eq!(whole(stream), [event("a", "1\n2"), event("", "3")], "{end:?}");
    }
    assert_eq!(whole("data: 1\r\n\ndata: 2\r\r\ndata: 3\n\r\n"), [event("", "1"), event("", "2"), event("", "3")]);
}

#[test]
fn a_crlf_cut_in_two_is_one_line_end() {
    let (heard, _) = pieces([&b"data: 1\r"[..], b"\ndata: 2\r", b"", b"\n\r\n"], ROOMY);
    assert_eq!(heard, [event("", "1\n2")]);
    let (heard, _) = pieces([&b"data: 1\r"[..], b"data: 2\r", b"\r"], ROOMY);
    assert_eq!(heard, [event("", "1\n2")], "a CR that is followed by something else ends its line as well");
}

#[test]
fn a_byte_order_mark_at_the_start_is_dropped_and_only_there() {
    assert_eq!(whole("\u{feff}data: 1\n\n"), [event("", "1")]);
    assert_eq!(whole("data: 1\n\n\u{feff}data: 2\n\n"), [event("", "1")], "elsewhere it is part of an unknown field");
    assert_eq!(whole("\u{feff}\u{feff}data: 1\n\n"), []);
    assert_eq!(whole("data: \u{feff}1\n\n"), [event("", "\u{feff}1")]);
}

#[test]
fn a_byte_order_mark_may_come_in_pieces() {
    let (heard, _) = pieces([&b"\xef"[..], b"\xbb", b"\xbfdata: 1\n\n"], ROOMY);
    assert_eq!(heard, [event("", "1")]);
}

#[test]
fn one_space_after_the_colon_belongs_to_the_colon() {
    assert_eq!(whole("data:  x \n\n"), [event("", " x ")]);
    assert_eq!(whole("data:\tx\n\n"), [event("", "\tx")]);
    assert_eq!(whole("data : x\n\n"), [], "a space before it makes another field");
}

#[test]
fn comments_and_unknown_fields_are_ignored() {
    assert_eq!(whole(":\n: keep-alive\n\n:data: 1\nfoo: bar\nDATA: 1\ndatas: 1\ndata: 2\n\n"), [event("", "2")]);
    assert_eq!(whole("data: 1\n: between\ndata: 2\n\n"), [event("", "1\n2")]);
}

#[test]
fn an_event_without_data_is_not_dispatched_and_leaves_no_name() {
    assert_eq!(whole("event: a\n\ndata: 1\n\n"), [event("", "1")]);
    assert_eq!(whole("id: 7\ndata:\n\n"), [Fact::Id(b"7".to_vec())], "a priming event");
}

#[test]
fn the_last_name_counts() {
    assert_eq!(whole("event: a\nevent: b\ndata: 1\n\n"), [event("b", "1")]);
    assert_eq!(whole("event: a\nevent\ndata: 1\n\n"), [event("", "1")]);
}

#[test]
fn an_id_with_a_nul_is_no_id() {
    assert_eq!(whole("id: a\0b\ndata: 1\n\n"), [event("", "1")]);
    assert_eq!(whole("id: ab\ndata: 1\n\n"), [Fact::Id(b"ab".to_vec()), event("", "1")]);
}

#[test]
fn an_id_counts_once_its_event_is_complete() {
    assert_eq!(whole("id: 1\ndata: 1\n\nid: 2\ndata: 2\n"), [Fact::Id(b"1".to_vec()), event("", "1")]);
    assert_eq!(whole("id: 1\nid: 2\ndata:\n\n"), [Fact::Id(b"2".to_vec())], "an event without data primes a stream");
}

#[test]
fn retry_takes_digits_only() {
    assert_eq!(whole("retry: 3000\n"), [Fact::Retry(3_000)]);
    for line in ["retry: 3s\n", "retry: -1\n", "retry: 1.5\n", "retry:\n", "retry\n", "retry:  1\n", "retry: ٣\n"] {
        assert_eq!(whole(line), [], "{line:?}");
    }
    assert_eq!(whole(format!("retry: {}\n", "9".repeat(40))), [Fact::Retry(u64::MAX)], "it saturates");
}

#[test]
fn an_event_that_is_not_finished_is_not_dispatched() {
    assert_eq!(whole("data: 1"), []);
    assert_eq!(whole("data: 1\n"), []);
    assert_eq!(whole("data: 1\n\ndata: 2\n"), [event("", "1")]);
}

#[test]
fn bytes_that_are_no_utf_8_pass_unchanged() {
    assert_eq!(whole(b"data: \xff\xfe\n\n"), [event("", b"\xff\xfe")]);
}

#[test]
fn a_line_that_is_too_long_ends_the_stream_before_its_end_is_seen() {
    let line = [b"data: ".as_slice(), &[b'x'; 100]].concat();
    let (heard, end) = pieces(line.chunks(7), 50);
    assert_eq!((heard, end), (vec![], Err(TooLong)));
}

#[test]
fn an_event_that_is_too_long_ends_the_stream_however_short_its_lines() {
    let stream = "data: 12345678\n".repeat(20);
    let (heard, end) = pieces([stream.as_bytes()], 50);
    assert_eq!((heard, end), (vec![], Err(TooLong)));
}

#[test]
fn the_limit_is_one_events_and_not_the_streams() {
    let stream = "data: 12345678\n\n".repeat(100);
    let (heard, end) = pieces([stream.as_bytes()], 50);
    assert_eq!((heard.len(), end), (100, Ok(())));
}

#[test]
fn a_dead_parser_stays_dead() {
    let (mut parser, mut heard) = (Parser::new(5), Heard::default());
    assert_eq!(parser.push(b"data: too long", &mut heard), Err(TooLong));
    assert_eq!(parser.push(b"\n\n:\n\n", &mut heard), Err(TooLong));
    assert_eq!(heard, Heard::default());
}

/// The standard, read off line by line, with all of the stream at hand.
fn reference(stream: &[u8]) -> Vec<Fact> {
    let stream = stream.strip_prefix(b"\xef\xbb\xbf").unwrap_or(stream);
    let mut lines: Vec<Vec<u8>> = vec![Vec::new()];
    let mut bytes = stream.iter().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\r' | b'\n' => {
                if *byte == b'\r' && bytes.peek() == Some(&&b'\n') {
                    bytes.next();
                }
                lines.push(Vec::new());
            }
            byte => lines.last_mut().into_iter().for_each(|line| line.push(*byte)),
        }
    }
    // What follows the last line end is no line yet.
    lines.pop();
    let (mut facts, mut name, mut data, mut id) = (Vec::new(), String::new(), Vec::new(), None);
    for line in lines {
        if line.is_empty() {
            facts.extend(id.take().map(Fact::Id));
            let dispatched: Vec<u8> = data.strip_suffix(b"\n").unwrap_or(&data).to_vec();
            if !dispatched.is_empty() {
                facts.push(event(&name, dispatched));
            }
            name.clear();
            data.clear();
            continue;
        }
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let field = halves.next().unwrap_or_default();
        let value = halves.next().unwrap_or_default();
        let value = value.strip_prefix(b" ").unwrap_or(value);
        match field {
            b"data" => data = [data.as_slice(), value, b"\n"].concat(),
            b"event" => name = String::from_utf8_lossy(value).into_owned(),
            b"id" if !value.contains(&0) => id = Some(value.to_vec()),
            b"retry" => {
                let digits = std::str::from_utf8(value).ok().filter(|text| text.bytes().all(|b| b.is_ascii_digit()));
                facts.extend(digits.and_then(|text| text.parse().ok()).map(Fact::Retry));
            }
            _ => {}
        }
    }
    facts
}

/// Streams made of what matters: fields, colons, spaces, every line end, marks, NULs and broken UTF-8.
fn stream() -> BoxedStrategy<Vec<u8>> {
    let part: Vec<&'static [u8]> = vec![
        b"data",
        b"data",
        b"data:",
        b"data: ",
        b"data: x",
        b"event: a",
        b"id: 7",
        b"id:\0",
        b"retry: 12",
        b"retry:x",
        b":",
        b" ",
        b"\n",
        b"\n",
        b"\r",
        b"\r\n",
        b"\n\n",
        b"\r\r",
        b"\xef\xbb\xbf",
        b"\xff",
        b"\xc3\xa9",
        b"x",
        b"foo: bar",
    ];
    prop::collection::vec(prop::sample::select(part), 0..40).prop_map(|parts| parts.concat()).boxed()
}

/// `bytes` cut where the numbers say.
fn cut<'a>(mut bytes: &'a [u8], sizes: &[usize]) -> Vec<&'a [u8]> {
    let mut pieces = Vec::new();
    for size in sizes {
        let (piece, rest) = bytes.split_at((*size).min(bytes.len()));
        pieces.push(piece);
        bytes = rest;
    }
    pieces.push(bytes);
    pieces
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_stream_cut_anywhere_says_what_the_standard_says(
        stream in stream(),
        sizes in prop::collection::vec(0usize..6, 0..60),
    ) {
        let (heard, end) = pieces(cut(&stream, &sizes), ROOMY);
        prop_assert_eq!(end, Ok(()));
        prop_assert_eq!(heard, reference(&stream));
    }

    #[test]
    fn where_a_stream_is_cut_does_not_decide_what_is_too_long(
        stream in stream(),
        sizes in prop::collection::vec(0usize..6, 0..60),
        limit in 0usize..30,
    ) {
        prop_assert_eq!(pieces(cut(&stream, &sizes), limit), pieces([stream.as_slice()], limit));
    }
}

//! What one `tools/call` costs the engine, natively and without a shell: `cargo bench -p bowline-core --bench call`. It prints nanoseconds for the
//! way of a call and back (made, sent, answered, settled) and fails nobody: the gates are the browser's (rows 1 and 2). Its payload is a
//! number, so nothing but the engine's own bookkeeping is on the heap. `-- ROW ROUNDS` runs one row, for a profiler.

#![allow(clippy::disallowed_methods, reason = "a bench reads the clock")]

use std::hint::black_box;
use std::time::Instant as Clock;

use bowline_core::{
    CacheMode, CallId, Command, Config, Duration, Engine, ExchangeEvent, ExchangeId, Hint, Incoming, Input, Instant,
    Kind, LinkEvent, LinkId, Method, Outgoing, Output, Payload, Request, RequestId, ResultKind, Version, Versions,
};

const CALLS: u32 = 20_000;
const ROUNDS: u32 = 25;
const ROWS: [(&str, bool, u32); 4] = [
    ("WebSocket, one at a time", true, 1),
    ("WebSocket, 1,000 in flight", true, 1_000),
    ("HTTP, one at a time", false, 1),
    ("HTTP, 1,000 in flight", false, 1_000),
];

#[derive(Clone, Copy)]
struct Number(#[allow(dead_code, reason = "it is carried, as a shell's handle is")] u32);

impl Payload for Number {
    fn versions(&self) -> Versions {
        Versions::only(Version::V2026_07_28)
    }

    fn subject(&self) -> u32 {
        0
    }
}

/// An engine, and a server that answers when it is told to.
struct Bench {
    engine: Engine<Number>,
    now: Instant,
    asked: Vec<(Option<ExchangeId>, RequestId)>,
    settled: u32,
}

fn main() {
    let mut words = std::env::args().skip(1).filter_map(|word| word.parse::<u32>().ok());
    let (only, rounds) = (words.next(), words.next().unwrap_or(ROUNDS));
    println!("ns per tools/call: the quickest of {rounds} rounds of {CALLS}");
    for (at, (name, websocket, in_flight)) in (0u32..).zip(ROWS) {
        if only.is_none_or(|only| only == at) {
            let mut bench = Bench::ready(websocket);
            // The rounds in which the machine had something else to do are no part of the cost.
            let costs = (0..rounds).map(|_| bench.round(in_flight));
            println!("{name:30}{:>7.0}", costs.fold(f64::MAX, f64::min));
        }
    }
}

impl Bench {
    /// A client whose link to a server of 2026-07-28 works.
    fn ready(websocket: bool) -> Self {
        let config = Config {
            websocket,
            http: !websocket,
            websocket_concurrency: 1_000,
            http_concurrency: 1_000,
            reserve: 0,
            max_queued: 1_000,
            ..Config::default()
        };
        let now = Instant::from_millis(1.0);
        let mut bench = Self { engine: Engine::new(config, 1, now), now, asked: Vec::new(), settled: 0 };
        bench.tell(Input::Command(Command::Call(CallId(0), request(Kind::Connect))));
        if websocket {
            bench.tell(Input::Link(LinkId(1), LinkEvent::Opened));
        }
        bench.answer();
        assert_eq!(bench.settled, 1, "no link");
        bench
    }

    fn round(&mut self, in_flight: u32) -> f64 {
        self.settled = 0;
        let start = Clock::now();
        for _ in 0..CALLS / in_flight {
            for id in (0..in_flight).map(CallId) {
                self.tell(Input::Command(Command::Call(id, request(Kind::Request))));
            }
            self.answer();
        }
        let ns = start.elapsed().as_nanos() as f64 / f64::from(CALLS);
        assert_eq!(self.settled, CALLS, "calls are missing");
        ns
    }

    /// As the shell's pump, a microsecond later each time.
    fn tell(&mut self, input: Input<Number>) {
        self.now = self.now + Duration::from_micros(1);
        self.engine.handle_input(self.now, input);
        loop {
            match self.engine.poll_output() {
                Output::Send { message: Outgoing::Request { id, .. } | Outgoing::Discover(id), .. } => {
                    self.asked.push((None, id));
                }
                Output::Fetch(exchange, plan) => {
                    if let Some(Outgoing::Request { id, .. } | Outgoing::Discover(id)) = plan.message {
                        self.asked.push((Some(exchange), id));
                    }
                }
                Output::Settle(_, end) => self.settled += u32::from(end.is_ok()),
                Output::Timeout(at) => {
                    black_box(at);
                    return;
                }
                _ => {}
            }
        }
    }

    /// Answers everything that was asked, in its order.
    fn answer(&mut self) {
        let mut asked = core::mem::take(&mut self.asked);
        for (exchange, id) in asked.drain(..) {
            let kind = ResultKind::Complete;
            let message = Incoming::Result { id, kind, hint: Hint::default(), size: 100, payload: Number(2) };
            self.tell(match exchange {
                None => Input::Link(LinkId(1), LinkEvent::Message(message)),
                Some(exchange) => Input::Exchange(exchange, ExchangeEvent::Message(message)),
            });
        }
        self.asked = asked;
    }
}

fn request(kind: Kind) -> Request<Number> {
    Request {
        kind,
        method: Method::TOOLS_CALL,
        params: (kind == Kind::Request).then_some(Number(1)),
        priority: 1,
        lane: 0,
        timeout: None,
        max_total: None,
        max_queue_time: None,
        progress_resets_timeout: false,
        progress: false,
        idempotent: false,
        replays: None,
        key: None,
        cache_mode: CacheMode::Use,
        cache_ttl: None,
    }
}

//! The pump: hands inputs to the engine and performs its outputs. The engine is never borrowed while an output is performed, so whatever
//! JavaScript does meanwhile (a listener that makes a call, a socket that answers at once) only adds inputs.

use core::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use bowline_core::{
    CacheKey, CallId, Command, Config, Detail, Duration, Engine, Era, Error, Event, ExchangeEvent, ExchangeId,
    Incoming, Input, Instant, LinkEvent, LinkId, Malformed, Method, Metrics, Outgoing, Output, Plan, RequestId, Signal,
    Status, Verb, Version,
};
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::JsValue;

use crate::fetch::{Events, Fetch};
use crate::glue::{self, HostObject};
use crate::message::{exchange_event, link_event, parts, Told, CHUNK, ODD_ID, OPENED, SIGNAL, WAKE};
use crate::payload::{leave, Payload, Rest};
use crate::socket::Socket;
use crate::timer::Timer;

/// The place of what is absent, in a list of the snippet's names.
const NONE: i32 = -1;
/// Verdicts on the server's origin, by their places among the snippet's names of them.
const FALLBACK: i32 = 0;
const LEGACY: i32 = 1;

/// One client at work. Dropping it closes the client: every promise settles first.
pub struct Driver {
    client: i32,
    host: HostObject,
    engine: RefCell<Engine<Payload>>,
    sockets: RefCell<Vec<Socket>>,
    fetches: RefCell<Vec<Fetch>>,
    timer: Timer,
    pumping: Cell<bool>,
    sent: Cell<f64>,
    received: Cell<f64>,
    max_message: f64,
    /// The last, as fields are dropped in their order.
    _rest: Rest,
}

impl Driver {
    /// A driver for a client that `host` describes. `max_message` bounds one incoming message, in bytes.
    #[must_use]
    pub fn new(mut config: Config, max_message: f64, host: &HostObject) -> Rc<Self> {
        if glue::is_set_up() == 0 {
            glue::set_up(&wasm_bindgen::exports(), Method::NAMES, Method::CACHEABLE as i32, Version::NAMES);
        }
        let client = glue::open(host, max_message, config.high_water);
        config.fallback_remembered = Duration::from_millis_f64(glue::remembered(host, FALLBACK));
        config.known_era = (glue::remembered(host, LEGACY) > 0.0).then_some(Era::Legacy);
        let seed = (glue::seed(client) as u64) << 32 | glue::seed(client) as u32 as u64;
        let engine = Engine::new(config, seed, now(client));
        let driver = Rc::new(Self {
            client,
            host: host.clone(),
            engine: RefCell::new(engine),
            sockets: RefCell::default(),
            fetches: RefCell::default(),
            timer: Timer::default(),
            pumping: Cell::new(false),
            sent: Cell::new(0.0),
            received: Cell::new(0.0),
            max_message,
            _rest: Rest,
        });
        // The snippet gives numbers out one after the other.
        DRIVERS.with_borrow_mut(|drivers| drivers.push(Rc::downgrade(&driver)));
        glue::watch(client);
        driver
    }

    /// The number under which the snippet knows this client.
    #[must_use]
    pub fn client(&self) -> i32 {
        self.client
    }

    /// Tells the engine what happened, then performs what follows. Called while outputs are being performed, it only tells.
    pub fn handle(&self, input: Input<Payload>) {
        self.handle_at(now(self.client), input);
        // Whoever told gives nothing back.
        leave(0);
    }

    /// The same, for who knows the time, and gives back to JavaScript what [`Payload::left`] says.
    pub fn handle_at(&self, now: Instant, input: Input<Payload>) {
        self.engine.borrow_mut().handle_input(now, input);
        self.pump();
    }

    /// Everything that is counted, in the order of `COUNTERS` in the package's metrics.ts, then five numbers for each method that was called.
    /// Traffic is in UTF-16 units of message text; `bufferedAmount` is what was handed to the WebSocket but not to the network, in bytes.
    #[must_use]
    pub fn metrics(&self) -> JsValue {
        let engine = self.engine.borrow();
        let (metrics, health) = (engine.metrics(), engine.health());
        let Metrics { latency, queue_wait: wait, .. } = metrics;
        let count = |count: u64| glue::note(count as f64);
        let known = |value: Option<f64>| glue::note(value.unwrap_or(f64::NAN));
        let at = |at: Option<Instant>| known(at.map(Instant::as_millis));
        // One after the other rather than as a list: no list has to be put together first, and the module is 1 % smaller.
        count(metrics.total_requests);
        count(metrics.successful_requests);
        count(metrics.failed_requests);
        count(metrics.cached_responses);
        count(metrics.active_requests);
        count(metrics.queued_requests);
        count(metrics.deduplicated);
        count(metrics.replayed);
        count(metrics.retried);
        count(metrics.unknown_outcomes);
        count(metrics.timeouts);
        count(metrics.aborted);
        count(metrics.violations);
        count(metrics.connects);
        count(metrics.reconnects);
        count(metrics.failed_attempts);
        count(metrics.fallbacks);
        count(metrics.cache_size);
        count(metrics.cache_bytes);
        count(metrics.cache_hits);
        count(metrics.cache_misses);
        count(metrics.cache_stale);
        count(metrics.cache_evictions);
        count(latency.samples);
        count(u64::from(health.consecutive_failures));
        count(health.condition as u64);
        glue::note(self.sent.get());
        glue::note(self.received.get());
        glue::note(self.buffered());
        glue::note(latency.mean);
        known(metrics.last_latency);
        glue::note(latency.p50);
        glue::note(latency.p95);
        glue::note(latency.p99);
        glue::note(latency.max);
        glue::note(latency.jitter);
        glue::note(wait.p50);
        glue::note(wait.p95);
        glue::note(wait.max);
        glue::note(health.uptime);
        glue::note(health.downtime);
        known(health.last_outage);
        glue::note(health.score);
        known(health.latency);
        at(health.last_success);
        at(health.last_failure);
        metrics.queue_wait_of.into_iter().for_each(glue::note);
        for own in engine.methods() {
            count(u64::from(own.method.index()));
            count(own.count);
            count(own.errors);
            glue::note(own.average_latency);
            glue::note(own.p95);
        }
        glue::noted()
    }

    /// A handle on the fresh result under `key`, or 0.
    #[must_use]
    pub fn peek(&self, key: CacheKey) -> i32 {
        let found = self.engine.borrow_mut().peek(now(self.client), key);
        self.pump();
        found.map_or(0, Payload::into_raw)
    }

    /// Four numbers for each fresh result: its key, its handle, the milliseconds it has left, whether it is public.
    #[must_use]
    pub fn kept(&self) -> JsValue {
        self.engine.borrow().each_kept(now(self.client), &mut |key, payload, left, public| {
            [f64::from(key.0), f64::from(payload.raw()), left.as_millis(), f64::from(public)]
                .into_iter()
                .for_each(glue::note);
        });
        glue::noted()
    }

    /// Whether a call is on the wire.
    #[must_use]
    pub fn is_sent(&self, call: CallId) -> bool {
        self.engine.borrow().is_sent(call)
    }

    /// Settles everything and closes for good.
    pub fn close(&self) {
        self.handle(Input::Command(Command::Close));
        self.timer.cancel(self.client);
        glue::unwatch(self.client);
    }

    /// Tells the engine of its surroundings; the numbers are those of [`Signal::ALL`].
    pub fn signal(&self, signal: i32) {
        if let Some(signal) = Signal::ALL.get(signal as usize) {
            self.handle(Input::Signal(*signal));
        }
    }

    fn pump(&self) {
        if self.pumping.replace(true) {
            return;
        }
        loop {
            let output = self.engine.borrow_mut().poll_output();
            if let Output::Timeout(at) = output {
                self.pumping.set(false);
                if let Some(at) = at {
                    self.timer.arm(self.client, at, || now(self.client));
                }
                return;
            }
            self.perform(output);
        }
    }

    fn perform(&self, output: Output<Payload>) {
        let client = self.client;
        match output {
            Output::Send { link, message, version } => self.send(link, &message, version),
            Output::Settle(call, Ok(settled)) => {
                glue::settle(client, call.0 as i32, settled.payload.map_or(0, Payload::into_raw));
            }
            Output::Settle(call, Err(error)) => glue::fail(client, call.0 as i32, failure(error)),
            Output::Serve(call, payload) => glue::serve(client, call.0 as i32, payload.into_raw()),
            Output::Measure(link) => self.handle(Input::Link(link, LinkEvent::Buffered(self.buffered()))),
            Output::Fetch(id, plan) => self.fetch(id, &plan),
            Output::Abort(id) => self.abandon(id),
            Output::Dial { link, subprotocols } => self.dial(link, subprotocols),
            Output::Hangup(link) => self.hangup(link),
            Output::Progress(call, payload) => glue::progress(client, call.0 as i32, payload.into_raw()),
            Output::Ask(call, need, payload) => glue::ask(client, call.0 as i32, need as i32, payload.into_raw()),
            Output::Asked(link, payload) => glue::asked(client, link.0 as i32, payload.into_raw()),
            Output::Event(Event::State(status)) => self.state(status),
            Output::Event(Event::Server(payload)) => glue::server(client, payload.into_raw()),
            Output::Event(Event::Notification(_, payload)) => glue::notification(client, payload.into_raw()),
            Output::Event(Event::Listen(phase, acknowledged)) => {
                glue::heard_listen(client, phase as i32, acknowledged.map_or(0, Payload::into_raw));
            }
            Output::Event(Event::Stalled(call, span, flows)) => {
                let slot = call.map_or(NONE, |call| call.0 as i32);
                glue::stalled(client, slot, span.as_millis(), i32::from(flows));
            }
            Output::Event(Event::Breaker(state)) => glue::breaker(client, state as i32),
            Output::Event(Event::Replay(call, id, nth)) => {
                glue::replay(client, call.0 as i32, id.0 as f64, nth as i32);
            }
            Output::Event(Event::Late(id, applied, payload)) => {
                glue::late(client, id.0 as f64, i32::from(applied), payload.into_raw());
            }
            Output::Forget(key) => glue::forget(client, key.0 as i32),
            Output::RememberFallback(span) => glue::remember(&self.host, FALLBACK, span.as_millis()),
            // A modern server is asked first anyway: all there is to remember is that it is not.
            Output::RememberEra(Era::Legacy, span) => glue::remember(&self.host, LEGACY, span.as_millis()),
            Output::RememberEra(Era::Modern, _) => glue::remember(&self.host, LEGACY, 0.0),
            Output::Timeout(_) => {}
        }
    }

    fn send(&self, link: LinkId, message: &Outgoing<Payload>, version: Version) {
        let parts = parts(message);
        let version = parts.offered.unwrap_or(version) as i32;
        let sent = self.sockets.borrow().iter().find(|socket| socket.link == link).map_or(0.0, |socket| {
            let (id, method, handle) = (parts.id, parts.method, parts.handle);
            glue::send(&socket.socket, self.client, parts.kind, id, method, handle, version, parts.flags)
        });
        if sent == 0.0 {
            let id = matches!(message, Outgoing::Request { .. }).then_some(RequestId(parts.id as u64));
            self.handle(Input::Link(link, LinkEvent::SendFailed(id)));
        } else {
            self.sent.set(self.sent.get() + sent.abs());
            if sent < 0.0 {
                self.handle(Input::Link(link, LinkEvent::Buffered(self.buffered())));
            }
        }
    }

    /// What was handed to sockets and not to the network. Bytes.
    fn buffered(&self) -> f64 {
        self.sockets.borrow().iter().fold(0.0, |sum, socket| sum + f64::from(socket.socket.buffered_amount()))
    }

    fn dial(&self, link: LinkId, subprotocols: bool) {
        self.hangup(link);
        let Some(socket) = glue::dial(self.client, i32::from(subprotocols)) else {
            // A URL that the browser refuses, or no WebSocket at all: the same as a dial that failed.
            return self.handle(Input::Link(link, LinkEvent::Closed(1006)));
        };
        glue::listen(&socket, self.client, link.0 as i32);
        self.sockets.borrow_mut().push(Socket { link, socket });
    }

    fn hangup(&self, link: LinkId) {
        // Closing may run JavaScript, so the socket leaves the table first.
        let all = self.sockets.take();
        for socket in all {
            if socket.link != link {
                self.sockets.borrow_mut().push(socket);
            }
        }
    }

    fn fetch(&self, id: ExchangeId, plan: &Plan<Payload>) {
        let parts = plan.message.as_ref().map(parts).unwrap_or_default();
        let kind = match plan.verb {
            Verb::Post => parts.kind,
            Verb::Delete => -1,
            Verb::Get => -2,
            Verb::Probe => -3,
        };
        let raw = |value: &Option<Payload>| value.as_ref().map_or(0, Payload::raw);
        let version = parts.offered.or(plan.version).map_or(-1, |version| version as i32);
        let sent = glue::exchange(
            self.client,
            id.0 as i32,
            kind,
            parts.id,
            parts.method,
            parts.handle,
            version,
            parts.flags,
            raw(&plan.session),
            raw(&plan.resume),
            raw(&plan.endpoint),
        );
        self.sent.set(self.sent.get() + sent);
    }

    fn on_exchange(&self, now: Instant, id: ExchangeId, told: Told) {
        if told.kind == CHUNK {
            return self.on_chunk(id, told);
        }
        let event = exchange_event(told);
        if matches!(event, ExchangeEvent::Ended | ExchangeEvent::Failed(_)) {
            if let Some(cursor) = self.forget(id).and_then(Fetch::cursor) {
                self.handle_at(now, Input::Exchange(id, cursor));
            }
        }
        self.handle_at(now, Input::Exchange(id, event));
    }

    fn on_chunk(&self, id: ExchangeId, told: Told) {
        let mut chunk = vec![0; told.size as usize];
        glue::copy_bytes(told.handle, &mut chunk);
        glue::release(told.handle);
        let events = {
            let mut fetches = self.fetches.borrow_mut();
            if !fetches.iter().any(|fetch| fetch.id == id) {
                fetches.push(Fetch::new(id, self.max_message as usize));
            }
            fetches.iter_mut().find(|fetch| fetch.id == id).map_or(Ok(Events::default()), |fetch| fetch.feed(&chunk))
        };
        match events {
            Ok(events) => {
                if events.is_none() {
                    return self.handle(Input::Exchange(id, ExchangeEvent::Alive));
                }
                if let Some(endpoint) = events.endpoint {
                    let address = Payload::from_raw(glue::message_address(self.client, &endpoint));
                    self.handle(Input::Exchange(id, ExchangeEvent::Endpoint(address)));
                }
                events.messages.iter().for_each(|data| glue::receive_bytes(data, self.client, id.0 as i32));
            }
            Err(_) => {
                self.abandon(id);
                let message = Incoming::Malformed(Malformed::TooLarge);
                self.handle(Input::Exchange(id, ExchangeEvent::Message(message)));
                self.handle(Input::Exchange(id, ExchangeEvent::Ended));
            }
        }
    }

    fn forget(&self, id: ExchangeId) -> Option<Fetch> {
        let mut fetches = self.fetches.borrow_mut();
        let at = fetches.iter().position(|fetch| fetch.id == id)?;
        Some(fetches.swap_remove(at))
    }

    fn abandon(&self, id: ExchangeId) {
        self.forget(id);
        // Runs the listeners of the application's `fetch`, so nothing is borrowed any more.
        glue::abort(self.client, id.0 as i32);
    }

    fn state(&self, status: Status<Payload>) {
        glue::state(
            self.client,
            status.state as i32,
            status.transport.map_or(NONE, |transport| transport as i32),
            status.era.map_or(NONE, |era| era as i32),
            status.version.map_or(NONE, |version| version as i32),
            status.attempt as i32,
            status.retry_at.map_or(f64::NAN, Instant::as_millis),
            status.epoch as i32,
            status.cause.map_or(NONE, |cause| cause as i32),
            status.reason.map_or(0, failure),
        );
    }
}

thread_local! {
    /// The drivers by their numbers, for [`hear`].
    static DRIVERS: RefCell<Vec<Weak<Driver>>> = const { RefCell::new(Vec::new()) };
}

/// The one ear: the snippet takes it from the exports and calls it when anything happened to any client. A closure per client would
/// cost a wrapper with a rest parameter on every message. It gives back what [`Payload::left`] says. Not for applications.
#[wasm_bindgen]
#[must_use]
#[allow(clippy::too_many_arguments)] // numbers only, so that nothing is converted
pub fn hear(
    now: f64,
    client: i32,
    source: i32,
    kind: i32,
    id: f64,
    handle: i32,
    info: i32,
    number: f64,
    size: i32,
) -> i32 {
    on(Instant::from_millis(now), client, source, Told { kind, id, handle, info, number, size });
    Payload::left()
}

fn on(now: Instant, client: i32, source: i32, told: Told) {
    let Told { kind, handle, info, size, .. } = told;
    let driver = DRIVERS.with_borrow(|drivers| drivers.get(client as usize).and_then(Weak::upgrade));
    let Some(driver) = driver else {
        // Nobody else would release what came with it.
        return drop(Payload::from_raw(handle));
    };
    if kind == WAKE {
        driver.timer.on_fired();
        // A machine that sleeps may stop the monotonic clock, which the engine lives by; the timer was late by the other one.
        if info > 0 {
            driver.handle(Input::Signal(Signal::Woken));
        }
        return driver.handle_at(now, Input::Timeout);
    }
    if kind == SIGNAL {
        return driver.signal(info);
    }
    if kind < OPENED {
        driver.received.set(driver.received.get() + f64::from(size));
        if info & ODD_ID != 0 {
            driver.handle(Input::Violation);
        }
    }
    if source < 0 {
        driver.handle_at(now, Input::Link(LinkId(source.unsigned_abs()), link_event(told)));
    } else {
        driver.on_exchange(now, ExchangeId(source as u32), told);
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        self.close();
        glue::shut(self.client);
        // A weak reference keeps the memory of what it points to.
        DRIVERS.with_borrow_mut(|drivers| drivers.get_mut(self.client as usize).map(core::mem::take));
    }
}

fn now(client: i32) -> Instant {
    Instant::from_millis(glue::now(client))
}

/// A handle on an error as the package's plain object.
fn failure(error: Error<Payload>) -> i32 {
    let (code, outcome, retryable) = (error.code as i32, error.outcome as i32, i32::from(error.retryable()));
    // The kinds in the order of the snippet's names of them.
    let (kind, number, extra, note, handle) = match error.detail {
        Detail::None => (0, 0.0, 0.0, "", 0),
        Detail::Rpc(code, payload) => (1, f64::from(code), 0.0, "", payload.into_raw()),
        Detail::Http(status, wait) => (2, f64::from(status), wait.map_or(-1.0, Duration::as_millis), "", 0),
        Detail::Challenge(status, text) => (2, f64::from(status), -1.0, "", text.into_raw()),
        Detail::Close(code) => (3, f64::from(code), 0.0, "", 0),
        Detail::Time(stage, span) => (4, span.as_millis(), 0.0, stage.as_str(), 0),
        Detail::Note(note) => (5, 0.0, 0.0, note, 0),
        Detail::Input(payload, note) => (6, 0.0, 0.0, note, payload.into_raw()),
    };
    glue::failure(code, outcome, retryable, kind, number, extra, note, handle)
}

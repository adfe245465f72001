//! The whole client as one state machine: calls in, messages out, answers in, settles out. It composes the policies and the connection
//! and keeps the one promise that matters most: every call settles exactly once.

mod answers;
mod asking;
mod caching;
mod flow;
mod gate;
mod listening;
mod silence;
mod streams;

use std::collections::VecDeque;

use crate::config::Config;
use crate::error::{Code, Detail, Error, Outcome, Stage};
use crate::ids::{CacheKey, CallId, ExchangeId, LinkId, RequestId};
use crate::io::{Command, Event, ExchangeEvent, Input, Kind, LinkEvent, Output, Request, Settled};
use crate::link::{
    Answer, Calls, Change, Concern, Connection, Context, Exchange, Exchanges, Ids, Listen, Phase, Purpose, Step,
    Stream, Transport,
};
use crate::policy::breaker::Breaker;
use crate::policy::cache::Cache;
use crate::policy::doubt::Doubts;
use crate::policy::flight::Flight;
use crate::policy::gradient::Gradient;
use crate::policy::limiter::Limiter;
use crate::policy::queue::Queue;
use crate::policy::replay::Budget;
use crate::rng::Rng;
use crate::telemetry::{Health, MethodMetrics, Metrics, Timing, Vitals};
use crate::time::{Duration, Instant};
use crate::wire::{Effect, Incoming, Method, Outgoing, Payload};

/// How long an answered exchange may stay open before it is aborted.
const DRAIN: Duration = Duration::from_millis(1_000);

/// One MCP client. Two kinds of method: [`Engine::handle_input`] takes what happened, [`Engine::poll_output`] says what to do.
///
/// Call `handle_input` with the time and one input, then `poll_output` until it answers [`Output::Timeout`]; perform each output
/// before asking for the next, and hand in what comes back (a refused frame, say) as further inputs. When the timeout's moment comes,
/// hand in [`Input::Timeout`]; a spurious one is harmless. Inputs about links and exchanges that are gone are ignored.
#[derive(Debug)]
pub struct Engine<P> {
    config: Config,
    now: Instant,
    rng: Rng,
    ids: Ids,
    calls: Calls<P>,
    queue: Queue,
    flight: Flight,
    cache: Option<Cache<P>>,
    connection: Connection<P>,
    listen: Listen<P>,
    exchanges: Exchanges,
    /// Those that are opened again when they end.
    streams: Vec<Stream<P>>,
    /// None of them has to be looked at before this. Asking them all would cost each of a thousand exchanges a look at the others.
    next_due: Instant,
    /// Calls wait until then for the standing stream of their link to open.
    hold_until: Option<Instant>,
    active: usize,
    budget: Budget,
    doubts: Doubts,
    /// Of those, the ones of the highest priority.
    critical: usize,
    /// The application wants nothing sent.
    paused: bool,
    choked: Option<gate::Choked>,
    limiter: Option<Limiter>,
    /// Those of single tools and methods, by their numbers less one.
    lanes: Vec<Limiter>,
    gradient: Option<Gradient>,
    breaker: Option<Breaker>,
    /// Methods that the server wants left alone, and until when.
    held: Vec<(Method, Instant)>,
    metrics: Metrics,
    timing: Timing,
    vitals: Vitals,
    out: VecDeque<Output<P>>,
}

impl<P: Payload> Engine<P> {
    /// An idle client. `seed` feeds its jitter.
    #[must_use]
    pub fn new(config: Config, seed: u64, now: Instant) -> Self {
        Self {
            now,
            rng: Rng::seeded(seed),
            ids: Ids::default(),
            calls: Calls::default(),
            queue: Queue::new(config.aging),
            flight: Flight::default(),
            cache: config.cache.clone().map(Cache::new),
            connection: Connection::new(&config, now),
            listen: Listen::default(),
            exchanges: Exchanges::new(),
            streams: Vec::new(),
            next_due: Instant::NEVER,
            hold_until: None,
            active: 0,
            budget: Budget::default(),
            doubts: Doubts::default(),
            critical: 0,
            paused: false,
            choked: None,
            limiter: config.rate_limit.as_ref().map(Limiter::new),
            lanes: Vec::new(),
            gradient: config.adaptive.then(Gradient::default),
            breaker: config.breaker.map(Breaker::new),
            held: Vec::new(),
            metrics: Metrics::default(),
            timing: Timing::default(),
            vitals: Vitals::default(),
            out: VecDeque::new(),
            config,
        }
    }

    /// Takes one thing that happened at `now`, which never runs backwards (an earlier time counts as the last one).
    pub fn handle_input(&mut self, now: Instant, input: Input<P>) {
        self.now = self.now.max(now);
        match input {
            Input::Command(command) => self.on_command(command),
            Input::Link(link, event) => self.on_link(link, event),
            Input::Exchange(id, event) => self.on_exchange(id, event),
            Input::Signal(signal) => {
                let change = self.with(|connection, cx| connection.on_signal(signal, cx));
                self.on_change(change);
                self.flush();
            }
            Input::Violation => self.metrics.violations += 1,
            Input::Timeout => self.on_timeout(),
        }
    }

    /// The next thing to do; [`Output::Timeout`] when there is nothing more for now.
    pub fn poll_output(&mut self) -> Output<P> {
        loop {
            self.flush_all();
            match self.out.pop_front() {
                // A listener that was told before this may have made use of it again.
                Some(Output::Forget(key)) if self.is_needed(key) => {}
                Some(output) => return output,
                None => return Output::Timeout(self.next_timeout()),
            }
        }
    }

    /// The counters, with the gauges as of now.
    #[must_use]
    pub fn metrics(&self) -> Metrics {
        let (cache_size, cache_bytes) = self.cache.as_ref().map_or((0, 0), Cache::size);
        let mut metrics = self.metrics.clone();
        metrics.active_requests = self.active as u64;
        metrics.queued_requests = self.queue.len() as u64;
        metrics.cache_size = cache_size as u64;
        metrics.cache_bytes = cache_bytes as u64;
        metrics.connects = u64::from(self.connection.epoch());
        metrics.reconnects = metrics.connects.saturating_sub(1);
        metrics.latency = self.timing.latency();
        metrics.last_latency = self.timing.last_latency();
        metrics.queue_wait = self.timing.queue_wait();
        metrics.queue_wait_of = self.timing.queue_wait_of();
        metrics
    }

    /// What is known of each method that was called.
    pub fn methods(&self) -> impl Iterator<Item = MethodMetrics> + '_ {
        self.timing.methods()
    }

    /// How well the server and the way to it are doing.
    #[must_use]
    pub fn health(&self) -> Health {
        let fallback = self.connection.up().is_some_and(|up| up.transport == Transport::Http) && self.config.websocket;
        self.vitals.health(self.now, fallback)
    }

    /// Whether a call is on the wire: sent, and neither answered nor lost.
    #[must_use]
    pub fn is_sent(&self, id: CallId) -> bool {
        self.calls.at(id).is_some_and(|call| call.sending().is_some())
    }

    /// When something may be due. What ended early may leave a wake-up behind, but not one that keeps an idle host awake.
    fn next_timeout(&self) -> Option<Instant> {
        let mut at = self.calls.next_limit().min(self.connection.next_timeout(&self.config));
        at = at.min(self.listen.next_timeout(&self.config));
        if !self.exchanges.is_empty() {
            at = at.min(self.next_due);
        }
        if let Some(until) = self.hold_until {
            at = at.min(until);
        }
        at = at.min(self.next_stream()).min(self.next_leave());
        (at < Instant::NEVER).then_some(at)
    }

    fn on_command(&mut self, command: Command<P>) {
        match command {
            Command::Call(id, request) => self.on_call(id, request),
            Command::Cancel(id) => self.give_up(id, Code::Aborted, Detail::None),
            Command::SetPriority(id, priority) => {
                let Some(call) = self.calls.at_mut(id) else {
                    return;
                };
                call.request.priority = priority;
                if let (Phase::Queued, Kind::Request | Kind::Notification) = (call.phase, call.request.kind) {
                    let created = call.created;
                    self.queue.remove(id);
                    self.queue.push(id, priority, created, false);
                }
            }
            Command::Limit(limit) => self.lanes.push(Limiter::new(&limit)),
            Command::Pause(paused) => self.set_paused(paused),
            Command::Clear(method, below) => self.clear(method, below),
            Command::Listen(filter) => self.on_listen(filter),
            Command::Answer(id, params) => self.on_params(id, params),
            Command::Reply(link, response) => self.respond(link, Outgoing::Response(response)),
            Command::Keep(key, keep) => self.on_keep(key, keep),
            Command::Invalidate(method, subject) => {
                self.invalidate(method.as_slice(), subject);
            }
            Command::ChangeContext => self.on_context(),
            Command::Reconnect => {
                let change = self.with(Connection::restart);
                self.on_change(change);
            }
            Command::Close => {
                self.with(Connection::close);
                self.on_concern(Concern::Want(None));
                self.streams.clear();
                self.hold_until = None;
                self.vitals.on_link(self.now, false);
                for id in self.calls.select(&|_| true) {
                    self.abandon(id);
                    let outcome = self.outcome(id);
                    self.settle(id, Err(Error::new(Code::ClientClosed, Detail::None).with_outcome(outcome)));
                }
            }
        }
    }

    fn on_link(&mut self, link: LinkId, event: LinkEvent<P>) {
        match event {
            LinkEvent::Opened => self.with(|connection, cx| connection.on_opened(link, cx)),
            LinkEvent::Closed(code) => {
                let change = self.with(|connection, cx| connection.on_closed(link, code, cx));
                self.on_change(change);
            }
            LinkEvent::SendFailed(id) => {
                // This one certainly did not leave, nor did those that were still to be written; of those before it nobody knows.
                let mut unsent: Vec<RequestId> = id.into_iter().collect();
                self.out.retain(|output| match output {
                    Output::Send { link: other, message, .. } if *other == link => {
                        if let Outgoing::Request { id, .. } = message {
                            unsent.push(*id);
                        }
                        false
                    }
                    _ => true,
                });
                for id in unsent {
                    if let Some(call) = self.calls.awaiting(link, id) {
                        self.requeue(call);
                    }
                }
                let error = Error::new(Code::ConnectionClosed, Detail::Note("send"));
                let change = self.with(|connection, cx| connection.on_down(link, error, cx));
                self.on_change(change);
            }
            LinkEvent::Message(message) if self.connection.hears(link) => {
                self.connection.on_heard(self.now);
                self.on_message(link, message);
            }
            LinkEvent::Message(_) => {}
            LinkEvent::Buffered(bytes) => self.on_buffered(link, bytes),
        }
    }

    fn on_message(&mut self, link: LinkId, message: Incoming<P>) {
        let (id, answer) = match message {
            Incoming::Result { id, kind, hint, size, payload } => (id, Answer::Result { kind, hint, size, payload }),
            Incoming::Error { id: Some(id), code, payload } => (id, Answer::Error { code, payload, status: 200 }),
            Incoming::Error { id: None, .. } => {
                self.metrics.violations += 1;
                return;
            }
            Incoming::Notification { method, token, payload } => return self.on_notification(method, token, payload),
            Incoming::Request { asked, payload } => return self.on_request(link, asked, payload),
            Incoming::TooLarge(id) => (id, Answer::Bad(Error::new(Code::MessageTooLarge, Detail::Note("too-large")))),
            // The framing of the stream cannot be trusted any more: start afresh rather than wait for answers that were garbled.
            Incoming::Malformed(malformed) => {
                self.metrics.violations += 1;
                let change = self.with(|connection, cx| connection.on_down(link, malformed.into(), cx));
                return self.on_change(change);
            }
        };
        self.on_response(link, id, answer, None);
    }

    /// An answer that is found by its id alone.
    fn on_response(&mut self, link: LinkId, id: RequestId, answer: Answer<P>, wait: Option<Duration>) {
        if let Some(call) = self.calls.awaiting(link, id) {
            self.on_answer(call, answer, wait);
        } else if self.connection.awaits(link, id) {
            let change = self.with(|connection, cx| connection.on_answer(link, answer, wait, cx));
            self.on_change(change);
        } else if self.listen.has(id) {
            self.on_concern(Concern::Answer(id, answer, None));
        } else if self.doubts.settle(self.now, id) {
            self.on_late(id, answer);
        } else if !self.connection.is_beat(id) {
            // A late answer to a call that was given up, or a server's mistake: never a settle (P37, I3).
            self.metrics.violations += 1;
        }
    }

    fn on_exchange(&mut self, id: ExchangeId, event: ExchangeEvent<P>) {
        let ended = matches!(event, ExchangeEvent::Ended | ExchangeEvent::Failed(_));
        let session = match &event {
            ExchangeEvent::Head(head) => head.session.clone(),
            _ => None,
        };
        // Ids grow, so the list is sorted.
        let Ok(at) = self.exchanges.binary_search_by_key(&id, |exchange| exchange.id) else {
            return;
        };
        let Some(exchange) = self.exchanges.get_mut(at) else {
            return;
        };
        exchange.on_heard(self.now);
        let (link, purpose) = (exchange.link, exchange.purpose);
        if purpose == Purpose::Standing {
            self.hold_until = None;
        }
        if let Purpose::Listen(_) = purpose {
            self.listen.on_heard(id, self.now);
        }
        let ended = ended || (matches!(event, ExchangeEvent::Message(_)) && exchange.is_headless());
        let answered = exchange.drain_until.is_some() && !purpose.is_unheard();
        let message = matches!(event, ExchangeEvent::Message(_));
        let step = if answered { Exchange::on_aside(event) } else { exchange.on_event(event) };
        if message && matches!(step, Step::Flaw | Step::Answer(Answer::Bad(_))) {
            self.metrics.violations += 1;
        }
        let wait = exchange.retry_after();
        if ended {
            self.exchanges.remove(at);
        } else {
            if let Step::Answer(_) = &step {
                exchange.drain_until = Some(self.now + DRAIN);
            }
            self.next_due = self.next_due.min(exchange.due_at(&self.config));
        }
        if let (Some(session), Purpose::Handshake(_)) = (session, purpose) {
            self.connection.on_session(link, session);
        }
        match step {
            Step::Wait | Step::Flaw => {}
            Step::Notification(method, token, payload) => {
                // A stream of its own says whose notifications it brings, should they not.
                let stream = if let Purpose::Listen(request) = purpose { Some(request) } else { None };
                self.on_notification(method, token.or(stream), payload);
            }
            Step::Request(asked, payload) => self.on_request(link, asked, payload),
            Step::Message(message) => self.on_streamed(link, purpose, message),
            Step::Cursor(last, retry) => self.on_cursor(link, purpose, last, retry),
            Step::Endpoint(address) => {
                let change = self.with(|connection, cx| connection.on_endpoint(link, address, cx));
                self.on_change(change);
            }
            Step::Answer(answer) => match purpose {
                Purpose::Handshake(_) => {
                    let change = self.with(|connection, cx| connection.on_answer(link, answer, wait, cx));
                    self.on_change(change);
                }
                Purpose::Call(call, request) => {
                    if self.calls.awaiting(link, request) == Some(call) && !self.is_resumed(call, &answer) {
                        self.on_answer(call, answer, wait);
                    }
                }
                Purpose::Resume(..) | Purpose::Standing => self.on_stream_end(link, purpose, &answer, wait),
                Purpose::Carry(_) if matches!(answer, Answer::Accepted) => {}
                // A POST that fails says nothing of a request that nobody waits for any more: its answer may still come on the stream.
                Purpose::Carry(request) => {
                    let spoke = matches!(answer, Answer::Result { .. } | Answer::Error { .. });
                    let awaited = self.calls.awaiting(link, request).is_some() || self.connection.awaits(link, request);
                    if spoke || awaited || self.listen.has(request) {
                        self.on_response(link, request, answer, wait);
                    }
                }
                Purpose::Notice(call) => {
                    let id_matches = |sending: crate::link::Sending| sending.exchange == Some(id);
                    if self.calls.at(call).and_then(crate::link::Call::sending).is_some_and(id_matches) {
                        self.on_answer(call, answer, wait);
                    }
                }
                Purpose::Listen(request) => self.on_concern(Concern::Answer(request, answer, wait)),
                Purpose::Initialized if matches!(answer, Answer::Accepted) => self.on_initialized(link),
                Purpose::Channel => {
                    let change = self.with(|connection, cx| connection.on_channel_end(link, cx));
                    self.on_change(change);
                }
                Purpose::Probe => {
                    let change = self.with(|connection, cx| connection.on_probe(link, answer, cx));
                    self.on_change(change);
                }
                Purpose::Initialized | Purpose::Silent => {}
            },
        }
        self.flush();
    }

    fn on_timeout(&mut self) {
        self.hold_until = self.hold_until.filter(|until| *until > self.now);
        let change = self.with(Connection::on_timeout);
        self.on_change(change);
        self.on_concern(Concern::Timeout);
        self.on_choked();
        self.on_silence();
        let overdue = |exchange: &Exchange| exchange.drain_until.is_some_and(|until| until <= self.now);
        let drained: Vec<ExchangeId> = self.exchanges.iter().filter(|x| overdue(x)).map(|x| x.id).collect();
        for id in drained {
            self.with(|_, cx| cx.abort(id));
        }
        let due = self.exchanges.iter().map(|exchange| exchange.due_at(&self.config));
        self.next_due = due.fold(Instant::NEVER, Instant::min);
        while let Some((id, stage, span)) = self.calls.overdue(self.now) {
            if self.calls.shares(id, self.flight.leader(id), self.now) {
                continue;
            }
            if matches!(self.calls.at(id), Some(call) if matches!(call.phase, Phase::Delayed(_)))
                && stage == Stage::Queue
            {
                self.requeue(id);
            } else {
                let connect = self.calls.at(id).is_some_and(|call| call.request.kind == Kind::Connect);
                self.metrics.timeouts += u64::from(!connect);
                let in_vain = self.calls.at(id).is_some_and(|call| call.waits_in_vain(self.now));
                let code = match (connect, in_vain) {
                    (true, _) => Code::ConnectTimeout,
                    (_, true) => Code::QueueTimeout,
                    _ => Code::RequestTimeout,
                };
                self.give_up(id, code, Detail::Time(stage, span));
            }
        }
        self.flush();
    }

    fn on_notification(&mut self, method: Method, token: Option<RequestId>, payload: P) {
        if method == Method::PROGRESS {
            // Progress of unknown and finished requests is dropped (P40).
            let Some(id) = token.map(RequestId::slot) else {
                return;
            };
            let now = self.now;
            let Some(call) = self.calls.at_mut(id) else {
                return;
            };
            let Phase::Sent(sending) = &mut call.phase else {
                return;
            };
            if Some(sending.id) != token {
                return;
            }
            if call.request.progress_resets_timeout {
                sending.heard = now;
                self.calls.watch(id);
            }
            self.out.push_back(Output::Progress(id, payload));
            return;
        }
        let Some(payload) = self.on_subscription(method, token, payload) else {
            return;
        };
        let methods = method.invalidates();
        if !methods.is_empty() {
            let subject = if method == Method::RESOURCE_UPDATED { payload.subject() } else { 0 };
            self.invalidate(methods, subject);
        }
        self.out.push_back(Output::Event(Event::Notification(method, payload)));
    }

    fn on_change(&mut self, change: Change<P>) {
        match change {
            Change::None => {}
            Change::Ready => {
                self.vitals.on_link(self.now, true);
                let fallback = self.connection.up().is_some_and(|up| up.transport == Transport::Http);
                self.metrics.fallbacks += u64::from(fallback && self.config.websocket);
                let connects = self.calls.select(&|call| call.request.kind == Kind::Connect);
                for id in connects {
                    self.settle(id, Ok(Settled { payload: None, cached: false }));
                }
                // What an earlier link's server says of itself is said on this one, and no stream of that is waited for.
                self.hold_until = None;
                let link = self.connection.up().map(|up| up.id);
                self.streams.retain(|stream| stream.purpose != Purpose::Standing || Some(stream.link) == link);
                if self.connection.epoch() > 1 {
                    self.on_gap();
                }
                // Before the calls: it holds one of the few connections, and they fill the rest.
                self.on_concern(Concern::Ready);
                self.flush();
            }
            Change::Lost(link, error) => {
                self.hold_until = None;
                self.on_concern(Concern::Lost);
                self.choked = None;
                self.streams.retain(|stream| stream.purpose != Purpose::Standing || stream.link != link);
                self.vitals.on_link(self.now, false);
                self.on_lost(link, &error);
                self.reject_waiting(&error);
            }
            Change::Failed(error) => {
                self.metrics.failed_attempts += 1;
                self.reject_waiting(&error);
            }
        }
    }

    /// Runs `work` on the connection with everything it needs of the engine.
    fn with<R>(&mut self, work: impl FnOnce(&mut Connection<P>, &mut Context<'_, P>) -> R) -> R {
        let mut cx = Context {
            now: self.now,
            config: &self.config,
            rng: &mut self.rng,
            ids: &mut self.ids,
            exchanges: &mut self.exchanges,
            next_due: &mut self.next_due,
            out: &mut self.out,
        };
        work(&mut self.connection, &mut cx)
    }
}

/// Tells the shell that a key is not needed any more, unless a read of it is in progress.
fn forget<P>(key: CacheKey, flight: &Flight, out: &mut VecDeque<Output<P>>) {
    if !flight.has(key) {
        out.push_back(Output::Forget(key));
    }
}

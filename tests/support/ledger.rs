//! What an outsider who sees every input and output can hold an engine to: the invariants of `reliability` section 1. It believes
//! nothing that it did not count along.

mod bounds;
mod doubts;
mod end;
mod kept;
mod pulse;
mod record;
mod wire;

use std::collections::{BTreeMap, BTreeSet};

use bowline_core::{
    CacheKey, CallId, Command, Config, Content, Duration, Effect, Era, Event, ExchangeEvent, ExchangeId, Incoming,
    Input, Instant, Kind, LinkEvent, LinkId, ListenPhase, Method, Metrics, Need, Outcome, Outgoing, Output, RequestId,
    Settled, State, Transport, Verb,
};

use crate::{ms, Doc};
use bounds::Bounds;
use doubts::Doubts;
use pulse::Pulse;
use record::Place;

pub use record::Record;

/// The outsider.
#[derive(Debug, Default)]
pub struct Ledger {
    /// All calls, oldest first.
    pub records: Vec<Record>,
    open: BTreeMap<CallId, usize>,
    ids: BTreeSet<RequestId>,
    links: BTreeMap<LinkId, bool>,
    exchanges: BTreeMap<ExchangeId, bool>,
    /// The exchange that carries `notifications/initialized`, until its answer begins: calls wait for that.
    introducing: Option<ExchangeId>,
    /// A standing stream that is asked for, and how long calls may wait for its head.
    holding: Option<(ExchangeId, Instant)>,
    /// Whether answers come on the stream of HTTP+SSE, so that as many calls fly as on a socket.
    carried: bool,
    keys: BTreeSet<CacheKey>,
    closed: bool,
    epoch: u32,
    edition: u32,
    broken: Option<String>,
    /// How often in a row the timer fired and wanted to fire again at once.
    spins: u32,
    /// Side effects whose link was lost: only their end is right.
    lost: Vec<usize>,
    /// The state last told, and the bounds on calls in flight.
    state: Option<State>,
    era: Option<Era>,
    transport: Option<Transport>,
    room: (usize, usize),
    reserve: usize,
    limits: (Duration, Duration),
    /// What is to be listened to, the listens that are open, and what was told of them last.
    wanted: Option<Doc>,
    listens: BTreeMap<RequestId, Place>,
    phase: Option<ListenPhase>,
    /// The exchanges whose head says that the request was refused, so that it may be sent again.
    refusing: BTreeSet<ExchangeId>,
    bounds: Bounds,
    doubts: Doubts,
    pulse: Pulse,
    /// When the machine last woke from sleep: what was due meanwhile is due then.
    woke: Instant,
    /// The streams that are no answer to one POST.
    common: BTreeSet<ExchangeId>,
    /// How often it was told what became of a call in doubt.
    pub told: u64,
    /// How often a caller was given a stale result, and how often another user's public one.
    pub stale: u64,
    /// See `stale`.
    pub shared: u64,
    /// How often a listen was acknowledged.
    pub acknowledged: u64,
    /// How late a timer may be in this schedule.
    pub lateness: Duration,
}

impl Ledger {
    /// An outsider at a client whose timers are at most this late.
    #[must_use]
    pub fn new(lateness: Duration, config: &Config) -> Self {
        let room = (config.websocket_concurrency, config.http_concurrency);
        let bounds = Bounds::new(config);
        Self {
            lateness,
            room,
            reserve: if config.adaptive { usize::MAX } else { config.reserve }, // its own room; one call at least
            bounds,
            pulse: Pulse::new(config),
            limits: (config.timeout, config.max_total),
            ..Self::default()
        }
    }

    /// What was violated first, if anything.
    pub fn verdict(&mut self) -> Result<(), String> {
        self.broken.take().map_or(Ok(()), Err)
    }

    /// The slots of calls that are not settled.
    #[must_use]
    pub fn open(&self) -> Vec<CallId> {
        self.open.keys().copied().collect()
    }

    /// The params of an open call.
    #[must_use]
    pub fn params(&self, slot: CallId) -> Option<Doc> {
        self.of(slot)?.request.params
    }

    /// The machine wakes from sleep.
    pub fn wakes(&mut self, now: Instant) {
        self.woke = now;
        for at in self.open.values() {
            if let Some(record) = self.records.get_mut(*at) {
                record.deadline = record.deadline.max(now);
            }
        }
    }

    /// The keys that the engine may still refer to.
    #[must_use]
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// Before an input is handed in.
    pub fn input(&mut self, now: Instant, input: &Input<Doc>) {
        match input {
            Input::Command(Command::Call(slot, request)) => {
                let timeout = request.timeout.unwrap_or(self.limits.0);
                let deadline = now + request.max_total.unwrap_or(self.limits.1);
                self.keys.extend(request.key);
                self.bounds.newcomer = true;
                self.open.insert(*slot, self.records.len());
                self.records.push(Record {
                    request: request.clone(),
                    end: None,
                    slot: *slot,
                    deadline,
                    timeout,
                    writes: 0,
                    unsent: 0,
                    place: None,
                    last: None,
                    heard: now,
                    edition: self.edition,
                    asking: None,
                    given: 0,
                    silenced: false,
                    told: false,
                    served: false,
                    epoch: 0,
                });
            }
            Input::Signal(signal) => self.pulse.on_signal(now, *signal, self.is_on_websocket(), self.woke),
            Input::Command(Command::Cancel(slot)) => self.bounds.cancelled = Some(*slot),
            Input::Command(Command::Close) => (self.closed, self.wanted) = (true, None),
            Input::Command(Command::Listen(filter)) => {
                self.wanted = *filter;
                self.phase = self.phase.filter(|_| filter.is_some());
            }
            Input::Command(Command::Answer(slot, Some(params))) => {
                if let Some(record) = self.of_mut(*slot) {
                    if let Some(since) = record.asking.take() {
                        record.deadline = record.deadline + now.since(since);
                        record.given += 1;
                        record.request.params = Some(*params);
                    }
                }
            }
            Input::Link(link, LinkEvent::SendFailed(id)) => {
                self.bounds.newcomer = false;
                if let Some(record) = id.and_then(|id| self.of_mut(id.slot()).filter(|record| record.last == Some(id)))
                {
                    record.unsent += 1;
                    record.place = None;
                }
                self.leave(Place::Link(*link));
            }
            Input::Link(link, LinkEvent::Closed(_)) => self.leave(Place::Link(*link)),
            Input::Link(link, LinkEvent::Message(Incoming::Malformed(_))) => self.leave(Place::Link(*link)),
            Input::Link(link, LinkEvent::Message(message)) => {
                if self.links.get(link) == Some(&true) {
                    self.pulse.on_heard(now);
                    self.undoubt(now, message);
                }
                self.hear(now, message);
            }
            Input::Exchange(id, ExchangeEvent::Ended | ExchangeEvent::Failed(_)) => {
                self.exchanges.insert(*id, false);
                self.introduced(*id);
                self.leave(Place::Exchange(*id));
            }
            Input::Exchange(id, ExchangeEvent::Message(message)) => {
                // What is no message may end a stream, and an error without an id is the last word of the one it comes on.
                if matches!(message, Incoming::Malformed(_) | Incoming::Error { id: None, .. }) {
                    self.listens.retain(|_, place| *place != Place::Exchange(*id));
                }
                if self.is_common(*id) {
                    self.undoubt(now, message);
                }
                self.hear(now, message);
            }
            Input::Exchange(id, ExchangeEvent::Head(head)) => {
                if (head.status, head.content) != (200, Content::EventStream) {
                    self.listens.retain(|_, place| *place != Place::Exchange(*id));
                }
                if (400..500).contains(&head.status) {
                    self.refusing.insert(*id);
                }
                self.introduced(*id);
            }
            Input::Exchange(id, ExchangeEvent::Cursor { id: Some(_), .. }) => {
                let mine = |record: &&mut Record| record.place == Some(Place::Exchange(*id));
                self.records.iter_mut().filter(mine).for_each(|record| record.place = Some(Place::Stream));
            }
            _ => {}
        }
    }

    /// Each output, in order. `closing` while the outputs of the close itself are drained.
    pub fn output(&mut self, now: Instant, output: &Output<Doc>, closing: bool) {
        let after_close = self.closed && !closing;
        match output {
            Output::Dial { link, .. } => {
                self.check(!after_close, || format!("{link:?} is dialled after close"));
                self.check(self.links.get(link) != Some(&false), || format!("{link:?} is dialled after its hangup"));
                self.links.insert(*link, true);
            }
            Output::Hangup(link) => {
                let was = self.links.insert(*link, false);
                self.check(was == Some(true), || format!("{link:?} is hung up, but was {was:?}"));
                self.leave(Place::Link(*link));
            }
            Output::Send { link, message, .. } => {
                self.check(!after_close, || format!("{message:?} is sent after close"));
                self.check(self.links.get(link) == Some(&true), || {
                    format!("{message:?} is sent on {link:?}, which is gone")
                });
                self.write(now, Place::Link(*link), message);
            }
            Output::Fetch(id, plan) => {
                self.check(!after_close, || format!("{id:?} is fetched after close"));
                let was = self.exchanges.insert(*id, true);
                self.check(was.is_none(), || format!("{id:?} is fetched twice"));
                if let Some(Outgoing::Initialized) = plan.message {
                    self.introducing = Some(*id);
                }
                if plan.verb == Verb::Get {
                    self.common.insert(*id);
                }
                if plan.verb == Verb::Get && plan.resume.is_none() {
                    self.holding = Some((*id, now + ms(500) + self.lateness));
                }
                if let Some(message) = &plan.message {
                    self.carried = plan.endpoint.is_some();
                    let carried = self.carried && matches!(message, Outgoing::Request { .. });
                    self.write(now, if carried { Place::Stream } else { Place::Exchange(*id) }, message);
                }
            }
            Output::Abort(id) => {
                let was = self.exchanges.insert(*id, false);
                self.introduced(*id);
                self.check(was == Some(true), || format!("{id:?} is aborted, but was {was:?}"));
                self.silence(*id);
            }
            Output::Settle(slot, end) => self.settle(now, *slot, end),
            Output::Serve(slot, payload) => self.serve(*slot, payload),
            Output::Progress(slot, _) => {
                let listens = self.of(*slot).is_some_and(|record| record.request.progress);
                self.check(listens, || format!("{slot:?} has progress and does not listen"));
            }
            Output::Ask(slot, need, _) => {
                let sent = self.of(*slot).is_some_and(|record| record.place.is_some() && record.asking.is_none());
                self.check(sent, || format!("{slot:?} asks without having been answered"));
                if let Some(record) = self.of_mut(*slot) {
                    record.place = None;
                    record.asking = Some(now);
                    // What it brings is its own from now on.
                    record.request.key = record.request.key.filter(|_| *need == Need::Headers);
                }
            }
            Output::Asked(link, _) => {
                let legacy = self.era == Some(Era::Legacy);
                self.check(legacy, || format!("a request on {link:?} is told in an era that has none"));
            }
            Output::Event(Event::Replay(slot, ..)) => {
                self.check(self.open.contains_key(slot), || format!("{slot:?} is replayed after its end"));
            }
            Output::Event(Event::Stalled(Some(slot), ..)) => {
                self.check(self.open.contains_key(slot), || format!("{slot:?} is told to be silent after its end"));
            }
            Output::Event(Event::Late(id, applied, _)) => self.late(*id, *applied),
            Output::Event(Event::State(status)) => {
                let (epoch, last) = (status.epoch, self.epoch);
                self.check(epoch >= last, || format!("epoch {epoch} after {last}"));
                if epoch > last {
                    self.pulse.on_heard(now);
                }
                self.epoch = epoch;
                self.state = Some(status.state);
                self.era = status.era;
                self.transport = status.transport;
            }
            Output::Event(Event::Notification(Method::TOOLS_CHANGED, news)) => {
                self.edition = self.edition.max(news.edition);
            }
            Output::Event(Event::Listen(phase, _)) => self.listen(*phase),
            Output::Forget(key) => {
                self.keys.remove(key);
                let used =
                    self.open.values().any(|at| self.records.get(*at).is_some_and(|r| r.request.key == Some(*key)));
                self.check(!used, || format!("{key:?} is forgotten while a call uses it"));
            }
            _ => {}
        }
    }

    /// When everything that follows from an input is done.
    pub fn drained(&mut self, now: Instant, metrics: &Metrics, at_timer: bool, timer: Option<Instant>) {
        let again = at_timer && timer.is_some_and(|timer| timer <= now);
        self.spins = if again { self.spins + 1 } else { 0 };
        let stuck = self.spins > 2;
        self.check(!stuck, || format!("the timer stays at {timer:?} after it fired at {now:?}"));
        let late: Vec<CallId> = self
            .open_records()
            .filter(|r| r.asking.is_none() && r.deadline + self.lateness < now)
            .map(|r| r.slot)
            .collect();
        self.check(late.is_empty(), || format!("{late:?} are open after their deadlines"));
        let overdue: Vec<CallId> = self
            .open_records()
            .filter(|r| {
                !matches!(r.place, None | Some(Place::Stream))
                    && (r.heard + r.timeout).max(self.woke) + self.lateness < now
            })
            .map(|r| r.slot)
            .collect();
        self.check(overdue.is_empty(), || format!("{overdue:?} wait for answers beyond their timeouts"));
        let flying = self.open_records().filter(|record| record.place.is_some()).count() as u64;
        self.check(metrics.active_requests <= flying, || {
            format!("{} requests are active, but only {flying} can be", metrics.active_requests)
        });
        let undecided =
            core::mem::take(&mut self.lost).into_iter().any(|at| self.records.get(at).is_some_and(|r| r.end.is_none()));
        self.check(!undecided, || "a side effect outlives its link".to_owned());
        let at_rest = matches!(self.state, Some(State::Failed | State::AuthRequired | State::Closed));
        let (state, waiting) = (self.state, metrics.queued_requests);
        self.check(!at_rest || waiting == 0, || format!("{waiting} calls wait while {state:?}"));
        let (flying, room) = match self.transport {
            Some(Transport::WebSocket) => (metrics.active_requests as usize, self.room.0),
            _ => {
                let streams = self.listens.values().filter(|place| matches!(place, Place::Exchange(_))).count();
                (self.exchanges.values().filter(|is_open| **is_open).count(), self.room.1.max(streams + 1))
            }
        };
        // The places kept for critical calls may stay empty.
        let all_but = |limit: usize| limit.saturating_sub(self.reserve).max(1);
        let full = self.carried && metrics.active_requests as usize >= all_but(self.room.0);
        let room = all_but(room);
        let held = self.introducing.is_some() || self.holding.is_some_and(|(_, until)| now < until);
        let idle = !full && self.state == Some(State::Ready) && waiting > 0 && flying < room && !held;
        self.check(!idle, || format!("{waiting} calls wait while {flying} of {room} fly"));
        let unwanted = self.wanted.is_none() && !self.listens.is_empty();
        self.check(!unwanted, || "something is listened to that nobody wants".to_owned());
        let open = self.open.len() as u64;
        self.check(metrics.queued_requests + metrics.active_requests <= open, || {
            format!("{metrics:?} with {open} calls open")
        });
        let closed = self.closed && open > 0;
        self.check(!closed, || format!("{open} calls are open after close"));
        self.within_bounds(metrics);
        self.told_all();
        self.is_alive(now);
    }

    fn settle(&mut self, now: Instant, slot: CallId, end: &Result<Settled<Doc>, bowline_core::Error<Doc>>) {
        let Some(at) = self.open.remove(&slot) else {
            return self.check(false, || format!("{slot:?} settles without being open"));
        };
        let Some(record) = self.records.get_mut(at) else { return };
        record.end = Some(end.as_ref().err().map(|error| error.outcome));
        let record = record.clone();
        if record.end == Some(Some(Outcome::Unknown)) {
            self.doubt(now, at);
        }
        let in_time = record.asking.is_some() || now <= record.deadline + self.lateness;
        self.check(in_time, || format!("{slot:?} settles after its deadline"));
        let settled = match end {
            Ok(settled) => settled,
            Err(error) => return self.given_up(&record, error.code),
        };
        self.check(!settled.cached || record.request.key.is_some(), || format!("{slot:?} is served from the cache"));
        let (connect, state) = (record.request.kind == Kind::Connect, self.state);
        self.check(!connect || state == Some(State::Ready), || format!("{slot:?} is connected while {state:?}"));
        if record.request.kind != Kind::Request {
            return self.check(settled.payload.is_none(), || format!("{slot:?} has a result"));
        }
        let asked = record.request.params.map(|params| params.key);
        let got = settled.payload.map(|payload| payload.key);
        if record.served && got.is_none() {
            // A stale result was all.
            return;
        }
        self.show(&record, settled.payload, settled.cached);
        self.check(asked == got, || format!("{slot:?} asked {asked:?} and got the answer to {got:?}"));
        let shown = settled.payload.map_or(0, |payload| payload.edition);
        let stale = record.request.method == Method::TOOLS_LIST && shown < record.edition;
        self.check(!stale, || {
            format!("{slot:?} was asked for after edition {} was announced and shows {shown}", record.edition)
        });
    }

    fn leave(&mut self, place: Place) {
        self.listens.retain(|_, other| *other != place);
        let refused = matches!(place, Place::Exchange(id) if self.refusing.remove(&id));
        for (at, record) in self.records.iter_mut().enumerate() {
            if record.place == Some(place) {
                record.place = None;
                let vouched = record.request.idempotent || record.request.method.effect() == Effect::Safe;
                if !vouched && !refused {
                    self.lost.push(at);
                }
            }
        }
    }

    fn open_records(&self) -> impl Iterator<Item = &Record> {
        self.open.values().filter_map(|at| self.records.get(*at))
    }

    fn of(&self, slot: CallId) -> Option<&Record> {
        self.records.get(*self.open.get(&slot)?)
    }
    fn of_mut(&mut self, slot: CallId) -> Option<&mut Record> {
        self.records.get_mut(*self.open.get(&slot)?)
    }

    fn check(&mut self, holds: bool, words: impl FnOnce() -> String) {
        if !holds && self.broken.is_none() {
            self.broken = Some(words());
        }
    }
}

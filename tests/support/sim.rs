//! One schedule from the first command to rest: engine, network and ledger under one clock, as the browser's shell would drive them
//! (a frame that cannot be written is reported while outputs are still being performed).

use std::collections::BTreeMap;

use bowline_core::{CacheKey, CallId, Command, Era, Event, Input, Instant, LinkId, Need, Output, Rng, Signal, State};

use crate::network::Happening;
use crate::{connect, ms, tool_call, Doc, Driver, Ledger, Listening, Network, Req, Schedule, Server, Step};

/// What came of a schedule.
#[derive(Debug)]
pub struct Report {
    /// What was violated, if anything.
    pub verdict: Result<(), String>,
    /// What happened, in words, when asked for.
    pub story: Vec<String>,
    /// How much was done, so that a run that tests nothing shows.
    pub tally: Tally,
}

/// Counts over a schedule.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    /// Calls made.
    pub calls: u64,
    /// Of those, settled well.
    pub good: u64,
    /// Links that became ready.
    pub connects: u64,
    /// Reads sent again.
    pub replayed: u64,
    /// Outcomes unknown.
    pub unknown: u64,
    /// Tool calls that the server executed.
    pub executed: u64,
    /// Results out of the cache.
    pub cached: u64,
    /// Listens that were acknowledged.
    pub listened: u64,
    /// Questions of servers, for input or of their own.
    pub asked: u64,
    /// Stale results that callers were given.
    pub stale: u64,
    /// Results that were read for another user, and are for everybody.
    pub shared: u64,
    /// Late answers that told what became of a call in doubt.
    pub told: u64,
}

/// Runs the schedule of a seed.
#[must_use]
pub fn run(seed: u64, tell: bool) -> Report {
    let mut rng = Rng::seeded(seed);
    let schedule = Schedule::draw(&mut rng);
    let mut sim = Sim::new(&schedule, rng, tell);
    let verdict = sim.live(&schedule);
    let metrics = sim.driver.engine.metrics();
    let tally = Tally {
        calls: metrics.total_requests,
        good: metrics.successful_requests,
        connects: metrics.connects,
        replayed: metrics.replayed,
        unknown: metrics.unknown_outcomes,
        executed: sim.network.server.executions.values().map(|n| u64::from(*n)).sum(),
        cached: metrics.cached_responses,
        listened: sim.ledger.acknowledged,
        asked: u64::from(sim.questions),
        stale: sim.ledger.stale,
        shared: sim.ledger.shared,
        told: sim.ledger.told,
    };
    if tell {
        sim.story.insert(0, format!("{schedule:#?}"));
    }
    Report { verdict, story: sim.story, tally }
}

struct Sim {
    driver: Driver,
    network: Network,
    ledger: Ledger,
    rng: Rng,
    texts: BTreeMap<u32, CacheKey>,
    next_key: u32,
    /// What the application is asked, by number; and how many questions there were.
    open: BTreeMap<u32, Open>,
    questions: u32,
    state: State,
    era: Option<Era>,
    /// Whose calls are made.
    user: u32,
    /// How many milliseconds the machine slept.
    slept: u64,
    tell: bool,
    story: Vec<String>,
}

/// A question to the application.
enum Open {
    Params(CallId, Need),
    Response(LinkId),
}

/// No schedule does so much; a client that turns in circles does.
const MOST_EVENTS: u32 = 60_000;

impl Sim {
    fn new(schedule: &Schedule, mut rng: Rng, tell: bool) -> Self {
        let (engine, network) = (rng.bits(), rng.bits());
        Self {
            driver: Driver::new(schedule.config.clone(), engine),
            network: Network::new(Server::new(schedule.shape.clone()), schedule.faults.clone(), network),
            ledger: Ledger::new(schedule.lateness, &schedule.config),
            rng,
            texts: BTreeMap::new(),
            next_key: 0,
            open: BTreeMap::new(),
            questions: 0,
            state: State::Idle,
            era: None,
            user: 0,
            slept: 0,
            tell,
            story: Vec::new(),
        }
    }

    fn live(&mut self, schedule: &Schedule) -> Result<(), String> {
        for (at, step) in &schedule.steps {
            let at = *at + ms(self.slept);
            self.run_until(at, true)?;
            self.driver.now = self.driver.now.max(at);
            self.step(step)?;
        }
        let patience = self.driver.now + ms(130_000) + schedule.lateness;
        self.run_until(patience, false)?;
        if schedule.compatible && self.state != State::Closed {
            self.recover(schedule)?;
        }
        self.feed(Input::Command(Command::Close))?;
        let rest = self.driver.now + ms(200_000);
        self.run_until(rest, true)?;
        if let Some(timer) = self.driver.timer.filter(|timer| *timer > self.driver.now) {
            return Err(format!("a closed client still has a timer at {timer:?}"));
        }
        self.ledger.finish(&self.driver.engine.metrics(), &self.network.server.executions, &self.network.refused);
        self.verdict()
    }

    /// When nothing goes wrong any more, a call that is made anew succeeds.
    fn recover(&mut self, schedule: &Schedule) -> Result<(), String> {
        self.network.heal();
        self.feed(Input::Command(Command::Reconnect))?;
        if schedule.config.max_queued == 0 {
            return Ok(());
        }
        // Until a server has ever answered, each failed attempt rejects what waits: one of a few calls must find it.
        let mut end = None;
        for key in 0..4 {
            if key > 0 {
                // The first attempt was asked for by name. If all it brought is the server's true era, the next is for somebody who looks.
                for signal in [Signal::Unpark, Signal::Resumed, Signal::Visible, Signal::Online] {
                    self.feed(Input::Signal(signal))?;
                }
            }
            let limits = (Some(ms(60_000)), Some(ms(120_000)));
            let patience = self.driver.now + ms(120_000) + schedule.lateness;
            if schedule.config.reject_disconnected {
                // Then nothing else waits for the link.
                self.call(bowline_core::Request { max_total: limits.1, ..connect() }, None)?;
                self.run_until(patience, false)?;
            }
            let request = bowline_core::Request { max_queue_time: limits.1, ..tool_call(key) };
            self.call(bowline_core::Request { timeout: limits.0, max_total: limits.1, ..request }, None)?;
            self.run_until(patience, false)?;
            end = self.ledger.records.last().and_then(|record| record.end);
            if end == Some(None) {
                return self.listen_again(schedule);
            }
        }
        Err(format!("a call over a healed network ended with {end:?}"))
    }

    /// Then a server that can be listened to is.
    fn listen_again(&mut self, schedule: &Schedule) -> Result<(), String> {
        let before = self.ledger.acknowledged;
        self.feed(Input::Command(Command::Listen(Some(Doc::of(77)))))?;
        let patience = self.driver.now + ms(40_000) + schedule.lateness;
        self.run_until(patience, true)?;
        let can = self.era == Some(Era::Modern) && schedule.shape.listening == Listening::Well;
        if can && self.ledger.acknowledged == before {
            return Err("a server that can be listened to is not".to_owned());
        }
        Ok(())
    }

    /// Lets things happen until `end`, or until every call is settled.
    fn run_until(&mut self, end: Instant, to_the_end: bool) -> Result<(), String> {
        for _ in 0..MOST_EVENTS {
            if !to_the_end && self.ledger.open().is_empty() {
                return Ok(());
            }
            let timer = self.driver.timer.map(|timer| (timer + self.late()).max(self.driver.now));
            let planned = self.network.agenda.next();
            let next = timer.into_iter().chain(planned).min();
            let Some(next) = next.filter(|next| *next <= end) else {
                return Ok(());
            };
            if self.rng.unit() < 0.01 {
                // A spurious timer is harmless at any moment.
                self.feed(Input::Timeout)?;
                continue;
            }
            if planned == Some(next) && (timer != Some(next) || self.rng.unit() < 0.5) {
                let Some((at, happening)) = self.network.agenda.pop() else { return Ok(()) };
                self.driver.now = self.driver.now.max(at);
                self.happen(happening)?;
            } else {
                self.driver.now = next;
                self.feed(Input::Timeout)?;
            }
        }
        Err("the client turns in circles".to_owned())
    }

    fn late(&mut self) -> bowline_core::Duration {
        self.ledger.lateness.mul_f64(self.rng.unit())
    }

    fn happen(&mut self, happening: Happening) -> Result<(), String> {
        let input = match happening {
            Happening::Client(input) => input,
            Happening::Answer(question) => return self.answer(question),
            other => {
                self.network.happen(self.driver.now, other);
                return Ok(());
            }
        };
        if self.network.is_current(&input) {
            self.network.delivered(&input);
            return self.feed(input);
        }
        if !self.network.faults.stale {
            return Ok(());
        }
        // What follows from the time alone follows first.
        if self.driver.timer.is_some_and(|timer| timer <= self.driver.now) {
            self.feed(Input::Timeout)?;
        }
        self.say(|| format!("stale: {input:?}"));
        let from = self.driver.input(input);
        match self.driver.log.get(from) {
            Some((_, output)) => Err(format!("{output:?} follows from something that is gone")),
            None => Ok(()),
        }
    }

    fn step(&mut self, step: &Step) -> Result<(), String> {
        let open = self.ledger.open();
        let nth = |n: u32| open.get(n as usize % open.len().max(1)).copied().unwrap_or(CallId(n));
        let command = match step {
            Step::Call(request, text) => return self.call(request.clone(), *text),
            Step::Cancel(n) => Command::Cancel(nth(*n)),
            Step::SetPriority(n, priority) => Command::SetPriority(nth(*n), *priority),
            Step::Listen(filter) => Command::Listen(filter.map(Doc::of)),
            Step::Signal(signal) => return self.feed(Input::Signal(*signal)),
            Step::Reconnect => Command::Reconnect,
            Step::Close => Command::Close,
            Step::Restart => {
                self.network.restart(self.driver.now);
                return Ok(());
            }
            Step::Sleep(span, lost) => return self.sleep(*span, *lost),
            Step::ChangeContext => {
                self.user += 1;
                Command::ChangeContext
            }
            Step::Stall(span, up, down) => {
                self.network.stall(self.driver.now + ms(*span), *up, *down);
                return Ok(());
            }
        };
        self.feed(Input::Command(command))
    }

    /// Nothing of the client runs for so long; then its timers and what it was sent before come all at once.
    fn sleep(&mut self, span: u64, lost: u64) -> Result<(), String> {
        let now = self.driver.now;
        let wake = now + ms(span);
        self.say(|| format!("{:>10.3} sleeps until {:.3}", now.as_millis(), wake.as_millis()));
        self.network.sleep(wake, wake + ms(lost));
        self.ledger.wakes(wake);
        self.driver.now = wake;
        self.slept += span;
        // Whether the shell notices is chance.
        if self.rng.unit() < 0.5 {
            self.feed(Input::Signal(Signal::Woken))?;
        }
        Ok(())
    }

    /// A question is put to the application, which thinks for as long as people do, or for ever.
    fn ask(&mut self, open: Open) {
        self.questions += 1;
        self.open.insert(self.questions, open);
        if self.rng.unit() < 0.95 {
            let thinking = if self.rng.unit() < 0.5 { 100 } else { 100_000 };
            let when = self.driver.now + ms(self.rng.below(thinking));
            self.network.agenda.at(when, Happening::Answer(self.questions));
        }
    }

    /// The application answers, unless the call that asked is over.
    fn answer(&mut self, question: u32) -> Result<(), String> {
        let command = match self.open.remove(&question) {
            None => return Ok(()),
            Some(Open::Response(link)) => Command::Reply(link, Doc::of(9)),
            Some(Open::Params(slot, need)) => {
                let params = self.ledger.params(slot).filter(|_| self.rng.unit() < 0.9);
                let given = params.map(|params| match need {
                    Need::Input => Doc { round: params.round + 1, ..params },
                    Need::Headers => Doc { mirrored: true, ..params },
                });
                Command::Answer(slot, given)
            }
        };
        self.feed(Input::Command(command))
    }

    fn call(&mut self, mut request: Req, text: Option<u32>) -> Result<(), String> {
        request.key = text.map(|text| {
            *self.texts.entry(text).or_insert_with(|| {
                self.next_key += 1;
                CacheKey(self.next_key)
            })
        });
        request.params = request.params.map(|params| Doc { owner: self.user, ..params });
        let open = self.ledger.open();
        let slot = (0..).map(CallId).find(|slot| !open.contains(slot)).unwrap_or(CallId(0));
        self.feed(Input::Command(Command::Call(slot, request)))
    }

    /// Hands in an input and performs everything that follows.
    fn feed(&mut self, input: Input<crate::Doc>) -> Result<(), String> {
        let now = self.driver.now;
        let closing = matches!(input, Input::Command(Command::Close));
        let at_timer = matches!(input, Input::Timeout);
        self.tell(input);
        while let Some(output) = self.driver.poll() {
            self.say(|| format!("{:>10.3}     -> {output:?}", now.as_millis()));
            self.ledger.output(now, &output, closing);
            self.network.perform(now, &output);
            match output {
                Output::Forget(key) => self.texts.retain(|_, other| *other != key),
                Output::Event(Event::State(status)) => (self.state, self.era) = (status.state, status.era),
                Output::Ask(slot, need, _) => self.ask(Open::Params(slot, need)),
                Output::Asked(link, _) => self.ask(Open::Response(link)),
                Output::Settle(slot, _) => {
                    self.open.retain(|_, open| !matches!(open, Open::Params(other, _) if *other == slot));
                }
                // The shell hears at once that a frame cannot be written.
                Output::Send { .. } => {
                    while let Some(failed) = self.network.failed_at_once() {
                        self.tell(failed);
                    }
                }
                _ => {}
            }
        }
        self.ledger.drained(now, &self.driver.engine.metrics(), at_timer, self.driver.timer);
        self.verdict()
    }

    fn tell(&mut self, input: Input<crate::Doc>) {
        self.say(String::new);
        let now = self.driver.now;
        self.say(|| format!("{:>10.3} {input:?}", now.as_millis()));
        self.ledger.input(now, &input);
        self.driver.tell(input);
    }

    fn say(&mut self, words: impl FnOnce() -> String) {
        if self.tell {
            self.story.push(words());
        }
    }

    fn verdict(&mut self) -> Result<(), String> {
        self.ledger.verdict()?;
        match self.network.server.breaches.first() {
            Some(breach) => Err(format!("the client broke the protocol: {breach}")),
            None => Ok(()),
        }
    }
}

//! The connection state machine: dial, race, verify, serve, lose, wait, dial again (resilience rules, section 1). It owns the links and
//! the attempt in progress; the calls that travel on them are the engine's.

use super::heartbeat::Heartbeat;
use super::lifecycle::{Cause, Presence};
use super::{refused, unreached, Answer, Change, Channel, Context, Handshake, Link, Next, Purpose, State, Transport};
use crate::config::Config;
use crate::error::{Code, Detail, Error, Stage};
use crate::ids::{LinkId, RequestId};
use crate::io::{Event, Output, Status};
use crate::time::{Duration, Instant};
use crate::wire::{Era, Outgoing, Payload, Plan, Verb, Version};

/// How long a verdict on the era is believed without asking: an upgrade that goes on serving the older era shows nowhere else.
const REMEMBER_ERA: Duration = Duration::from_millis(3_600_000);

#[derive(Debug)]
pub(super) enum Phase<P> {
    /// Nothing is going on and nothing is planned: idle, failed, auth_required, closed.
    Down,
    /// An attempt is running.
    Trying { until: Instant, http_at: Option<Instant>, no_websocket: bool, error: Option<Error<P>> },
    /// A link works.
    Up { link: LinkId, since: Instant },
    /// The next attempt is planned.
    Waiting(Instant),
}

#[derive(Debug)]
pub(crate) struct Connection<P> {
    state: State,
    pub(super) phase: Phase<P>,
    pub(super) links: Vec<Link<P>>,
    pub(super) attempt: u32,
    epoch: u32,
    era: Option<Era>,
    pub(super) no_websocket_until: Instant,
    /// Whether the WebSocket that last opened had been offered subprotocols.
    pub(super) offered: Option<bool>,
    pub(super) reason: Option<Error<P>>,
    pub(super) heartbeat: Heartbeat,
    pub(super) presence: Presence,
    /// When the WebSocket is dialled beside a working HTTP link.
    pub(super) upgrade_at: Option<Instant>,
    /// Why it is suspended, when it is.
    pub(super) cause: Cause,
}

impl<P: Payload> Connection<P> {
    pub(crate) fn new(config: &Config, now: Instant) -> Self {
        Self {
            state: State::Idle,
            phase: Phase::Down,
            links: Vec::new(),
            attempt: 0,
            epoch: 0,
            // That a server was modern is no reason not to ask: a browser that refuses to has to be heard (P33).
            era: config.known_era.filter(|era| *era == Era::Legacy),
            no_websocket_until: now + config.fallback_remembered,
            offered: None,
            reason: None,
            heartbeat: Heartbeat::default(),
            presence: Presence::default(),
            upgrade_at: None,
            cause: Cause::default(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    /// The working link.
    pub(crate) fn up(&self) -> Option<&Link<P>> {
        match self.phase {
            Phase::Up { link, .. } => self.links.iter().find(|other| other.id == link),
            _ => None,
        }
    }

    /// Whether anything may be said on `link`: it works, or a question is open on it. One whose handshake failed is only asked about.
    pub(crate) fn hears(&self, link: LinkId) -> bool {
        let works = matches!(self.phase, Phase::Up { link: up, .. } if up == link);
        works || self.links.iter().any(|other| other.id == link && other.handshake.awaits().is_some())
    }

    /// Whether a link was ever ready.
    pub(crate) fn was_ready(&self) -> bool {
        self.epoch > 0
    }

    /// The server contradicts what was believed of it: find out again.
    pub(crate) fn forget_era(&mut self) {
        self.era = None;
    }

    /// How many links were ready so far.
    pub(crate) fn epoch(&self) -> u32 {
        self.epoch
    }

    /// A call wants the connection: starts an attempt if nothing is going on, or, when `now` it must be, ends the waiting.
    pub(crate) fn wake(&mut self, urgent: bool, cx: &mut Context<'_, P>) {
        if urgent {
            self.presence.unpark();
        }
        let parks = self.presence.parks(cx.config).filter(|_| !urgent);
        match self.phase {
            Phase::Down if matches!(self.state, State::Closed) => {}
            Phase::Down => match parks {
                Some(cause) => self.rest(cause, cx),
                None => self.start(cx),
            },
            Phase::Waiting(_) if urgent => self.start(cx),
            _ => {}
        }
    }

    /// Drops what there is and starts anew.
    pub(crate) fn restart(&mut self, cx: &mut Context<'_, P>) -> Change<P> {
        let lost = match self.phase {
            Phase::Up { link, .. } => Some(link),
            _ => None,
        };
        self.drop_links(cx);
        if self.state == State::Closed {
            return Change::None;
        }
        self.presence.unpark();
        self.attempt = 0;
        self.start(cx);
        match lost {
            Some(link) => Change::Lost(link, Error::new(Code::ConnectionClosed, Detail::Note("reconnect"))),
            None => Change::None,
        }
    }

    /// Ends everything for good; a legacy HTTP session is given back (P76).
    pub(crate) fn close(&mut self, cx: &mut Context<'_, P>) {
        if let Some(up) = self.up().filter(|up| up.session.is_some()) {
            cx.fetch(up.id, Purpose::Silent, up.plan(Verb::Delete, None));
        }
        self.drop_links(cx);
        self.phase = Phase::Down;
        self.enter(State::Closed, cx);
    }

    /// The WebSocket is open: ask the first question.
    pub(crate) fn on_opened(&mut self, link: LinkId, cx: &mut Context<'_, P>) {
        if let Some(at) = self.links.iter().find(|other| other.id == link) {
            self.offered = Some(at.subprotocols);
            self.begin(link, cx);
        }
    }

    fn begin(&mut self, link: LinkId, cx: &mut Context<'_, P>) {
        let (handshake, question) = Handshake::begin(cx.config.versions, self.era, cx.ids);
        if let Some(at) = self.links.iter_mut().find(|other| other.id == link) {
            at.handshake = handshake;
        }
        self.ask(link, question, cx);
    }

    /// Whether `id` on `link` belongs to the handshake.
    pub(crate) fn awaits(&self, link: LinkId, id: RequestId) -> bool {
        self.links.iter().any(|other| other.id == link && other.handshake.awaits() == Some(id))
    }

    /// An answer to the handshake's question, and how long it asks to wait.
    pub(crate) fn on_answer(
        &mut self,
        link: LinkId,
        answer: Answer<P>,
        wait: Option<Duration>,
        cx: &mut Context<'_, P>,
    ) -> Change<P> {
        let Some(at) = self.links.iter_mut().find(|other| other.id == link) else {
            return Change::None;
        };
        if let Some(refusal) = at.tries_channel(&answer) {
            return self.open_channel(link, refusal, cx);
        }
        let next = match answer {
            Answer::Error { status: status @ (401 | 403 | 429 | 500..), .. }
            | Answer::Status(status @ (401 | 403 | 429 | 500..), _) => Next::Fail(refused(status, wait)),
            Answer::Result { kind, payload, .. } => at.handshake.on_result(kind, payload, cx.ids),
            Answer::Error { code, payload, .. } => at.handshake.on_error(code, payload, cx.ids),
            Answer::Status(status, _) => at.handshake.fall_back(refused(status, wait), cx.ids),
            // Once the era is known, a `fetch` that fails is the network's fault and says nothing about the server. Before that, a
            // browser hides whether the preflight refused the headers of the newer era (P33).
            Answer::Unreached(reach) if self.era.is_some() || reach.is_ours() => Next::Fail(unreached(reach)),
            Answer::Unreached(reach) => at.handshake.fall_back(unreached(reach), cx.ids),
            Answer::Lost { .. } => Next::Fail(Error::new(Code::StreamEnded, Detail::Note("connect"))),
            Answer::Accepted => Next::Fail(Error::new(Code::ParseError, Detail::Note("no-answer"))),
            Answer::Bad(error) => Next::Fail(error),
        };
        self.on_next(link, next, cx)
    }

    /// `Mcp-Session-Id` of an answer to the handshake.
    pub(crate) fn on_session(&mut self, link: LinkId, session: P) {
        if let Some(at) = self.links.iter_mut().find(|other| other.id == link) {
            at.session = Some(session);
        }
    }

    /// A link is of no use any more.
    pub(crate) fn on_down(&mut self, link: LinkId, error: Error<P>, cx: &mut Context<'_, P>) -> Change<P> {
        let Some(transport) = self.links.iter().find(|other| other.id == link).map(|at| at.transport) else {
            return Change::None;
        };
        self.excuse(cx.now);
        self.links.retain(|other| other.id != link);
        cx.hangup(link, transport);
        match &mut self.phase {
            Phase::Up { link: up, since } if *up == link => {
                // It served at least the handshake.
                let stable = cx.now.since(*since) >= cx.config.reconnect.min_uptime;
                self.attempt = if stable { 0 } else { self.attempt + 1 };
                self.drop_links(cx);
                self.wait(error.clone(), cx);
                Change::Lost(link, error)
            }
            Phase::Trying { http_at, no_websocket, error: kept, .. } => {
                if transport == Transport::WebSocket {
                    *no_websocket = true;
                    if http_at.take().is_some() {
                        *kept = Some(error);
                        self.open_http(cx);
                        return Change::None;
                    }
                }
                // What HTTP says is more telling than a WebSocket's bare 1006.
                let error = if transport == Transport::Http { error } else { kept.take().unwrap_or(error) };
                if self.links.is_empty() {
                    return self.give_up(error, cx);
                }
                *kept = Some(error);
                Change::None
            }
            Phase::Up { .. } => {
                self.blame_websocket(cx);
                self.plan_upgrade(cx);
                Change::None
            }
            _ => Change::None,
        }
    }

    /// The soonest moment at which something is due.
    pub(crate) fn next_timeout(&self, config: &Config) -> Instant {
        match self.phase {
            Phase::Waiting(until) => until,
            Phase::Trying { until, http_at, .. } => {
                let pinned = self.pinned().map_or(until, |_| Instant::default());
                until.min(pinned).min(http_at.unwrap_or(until)).min(self.next_trial())
            }
            Phase::Up { .. } => {
                let beat = self.next_beat(config.heartbeat.interval).min(self.next_upgrade());
                // As a rule there is no link but this one.
                if self.links.len() > 1 {
                    beat.min(self.next_trial())
                } else {
                    beat
                }
            }
            Phase::Down => Instant::NEVER,
        }
    }

    /// Time passed.
    pub(crate) fn on_timeout(&mut self, cx: &mut Context<'_, P>) -> Change<P> {
        if let (Phase::Trying { .. }, Some(link)) = (&self.phase, self.pinned()) {
            // Nothing has to come first, however late a throttled timer is.
            return self.serve(link, Version::newest(Era::Modern), None, cx);
        }
        self.excuse(cx.now);
        match &mut self.phase {
            Phase::Waiting(until) if *until <= cx.now => {
                self.start(cx);
                Change::None
            }
            Phase::Trying { until, .. } if *until <= cx.now => {
                self.drop_links(cx);
                let span = cx.config.reconnect.connect_timeout;
                self.give_up(Error::new(Code::ConnectTimeout, Detail::Time(Stage::Queue, span)), cx)
            }
            Phase::Trying { http_at, .. } => {
                if http_at.is_some_and(|at| at <= cx.now) {
                    *http_at = None;
                    self.open_http(cx);
                }
                self.on_trial(cx)
            }
            Phase::Up { .. } => {
                self.on_upgrade(cx);
                match self.on_trial(cx) {
                    Change::None => self.on_beat(cx),
                    change => change,
                }
            }
            _ => Change::None,
        }
    }

    pub(super) fn start(&mut self, cx: &mut Context<'_, P>) {
        self.drop_links(cx);
        let websocket = cx.config.websocket && !(cx.config.http && cx.now < self.no_websocket_until);
        let http_at = (websocket && cx.config.http).then(|| cx.now + cx.config.head_start);
        let until = cx.now + cx.config.reconnect.connect_timeout;
        self.phase = Phase::Trying { until, http_at, no_websocket: false, error: None };
        self.enter(if self.attempt == 0 && !self.was_ready() { State::Connecting } else { State::Reconnecting }, cx);
        if websocket {
            self.dial(cx);
        } else if cx.config.pinned && !cx.config.websocket {
            // Ready with the next timer, as if it had been asked. In a WebSocket's place HTTP has to show first that it works.
            self.add(Transport::Http, cx);
        } else {
            self.open_http(cx);
        }
    }

    /// The HTTP link that is used without a question.
    fn pinned(&self) -> Option<LinkId> {
        let unasked = |link: &&Link<P>| link.transport == Transport::Http && link.handshake.awaits().is_none();
        self.links.iter().find(unasked).map(|link| link.id)
    }

    fn open_http(&mut self, cx: &mut Context<'_, P>) {
        let link = self.add(Transport::Http, cx);
        self.begin(link, cx);
    }

    pub(super) fn dial(&mut self, cx: &mut Context<'_, P>) {
        let subprotocols = self.offered.unwrap_or(true);
        let link = self.add(Transport::WebSocket, cx);
        cx.out.push_back(Output::Dial { link, subprotocols });
    }

    fn add(&mut self, transport: Transport, cx: &mut Context<'_, P>) -> LinkId {
        cx.ids.link += 1;
        let id = LinkId(cx.ids.link);
        self.links.push(Link {
            id,
            transport,
            version: Version::newest(Era::Modern),
            session: None,
            channel: Channel::None,
            handshake: Handshake::unasked(),
            subprotocols: self.offered.unwrap_or(true),
            redialled: false,
            probe_until: cx.now + cx.config.probe_timeout,
            discover_until: Instant::NEVER,
        });
        id
    }

    pub(super) fn ask(&mut self, link: LinkId, question: Outgoing<P>, cx: &mut Context<'_, P>) {
        let Some(at) = self.links.iter_mut().find(|other| other.id == link) else {
            return;
        };
        let era = if matches!(question, Outgoing::Initialize(..)) { Era::Legacy } else { Era::Modern };
        let Some(id) = at.handshake.awaits() else {
            return;
        };
        match at.transport {
            Transport::WebSocket => {
                // Time must be left for `initialize`, within whichever limit ends the trial.
                let trial = cx.config.probe_timeout.min(cx.config.reconnect.connect_timeout);
                let modern = era == Era::Modern;
                at.discover_until = if modern { cx.now + trial.mul_f64(0.4) } else { Instant::NEVER };
                cx.send(link, question, Version::newest(era));
            }
            Transport::Http if at.endpoint().is_some() => {
                cx.write(at, Purpose::Handshake(id), question);
            }
            Transport::Http => {
                // `initialize` decides the revision, so it cannot announce one (P75).
                let version = (era == Era::Modern).then(|| Version::newest(era));
                let plan = Plan { version, session: None, ..at.plan(Verb::Post, Some(question)) };
                cx.fetch(link, Purpose::Handshake(id), plan);
            }
        }
    }

    pub(super) fn on_next(&mut self, link: LinkId, next: Next<P>, cx: &mut Context<'_, P>) -> Change<P> {
        match next {
            Next::Ask(question) => {
                self.ask(link, question, cx);
                Change::None
            }
            Next::Fail(error) => {
                // The server itself says so; a network that fails does not, nor does one that is asked beside a link that works.
                let alone = !matches!(self.phase, Phase::Up { .. });
                let said = matches!(error.code, Code::RpcError | Code::ProtocolVersion | Code::InvalidResult)
                    || matches!(error.detail, Detail::Http(400 | 404..=428, _));
                if alone && said {
                    self.forget_era();
                }
                self.on_down(link, error, cx)
            }
            Next::Ready(version, server) => self.serve(link, version, Some(server), cx),
        }
    }

    fn serve(&mut self, link: LinkId, version: Version, server: Option<P>, cx: &mut Context<'_, P>) -> Change<P> {
        // A browser may put off the second dial to an address that refused the first (Firefox does, RFC 6455 7.2.3), until HTTP is ready. Its
        // end is still awaited, as the verdict on the WebSocket.
        let moves = self.links.iter().any(|other| other.id == link && other.gives_way());
        let (kept, losers): (_, Vec<_>) = core::mem::take(&mut self.links)
            .into_iter()
            .partition(|other| other.id == link || moves && other.redialled);
        self.links = kept;
        for loser in losers {
            cx.hangup(loser.id, loser.transport);
        }
        if matches!(self.phase, Phase::Trying { no_websocket: true, .. }) {
            // Only now is it the WebSocket's fault and not the network's: HTTP works in the same attempt.
            self.blame_websocket(cx);
        }
        // Only an era that was found out is worth remembering; what was believed before does not become younger by being used (P32).
        if cx.config.versions.span_eras() && self.era != Some(version.era()) {
            cx.out.push_back(Output::RememberEra(version.era(), REMEMBER_ERA));
        }
        self.era = Some(version.era());
        self.epoch += 1;
        self.reason = None;
        self.phase = Phase::Up { link, since: cx.now };
        self.on_heard(cx.now);
        self.plan_upgrade(cx);
        if let Some(up) = self.links.iter_mut().find(|other| other.id == link) {
            up.version = version;
            if version.era() == Era::Modern {
                // The era has no sessions; an id that comes nevertheless is ignored (P24).
                up.session = None;
            }
        }
        if version.era() == Era::Legacy {
            if let Some(up) = self.up() {
                cx.write(up, Purpose::Initialized, Outgoing::Initialized);
            }
        }
        if let Some(server) = server {
            cx.out.push_back(Output::Event(Event::Server(server)));
        }
        self.enter(State::Ready, cx);
        Change::Ready
    }

    pub(super) fn drop_links(&mut self, cx: &mut Context<'_, P>) {
        for link in core::mem::take(&mut self.links) {
            cx.hangup(link.id, link.transport);
        }
    }

    pub(super) fn enter(&mut self, state: State, cx: &mut Context<'_, P>) {
        self.state = state;
        let up = self.up();
        let status = Status {
            state,
            transport: up.map(|link| link.transport),
            era: self.era,
            version: up.map(|link| link.version),
            attempt: self.attempt,
            retry_at: match self.phase {
                Phase::Waiting(until) => Some(until),
                _ => None,
            },
            epoch: self.epoch,
            cause: (state == State::Suspended).then_some(self.cause),
            reason: self.reason.clone(),
        };
        cx.out.push_back(Output::Event(Event::State(status)));
    }
}

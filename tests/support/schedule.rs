//! A random life of a client: settings, a server, a network, and what the application does. Everything follows from the seed.

use bowline_core::{
    CacheLimits, CacheMode, Config, Era, Heartbeat, Instant, Jitter, Lifecycle, Method, Question, Reconnect, Request,
    Revalidate, Rng, Signal, Upgrade, Version, Versions, WhenHidden,
};

use crate::{connect, ms, notify, request, tool_call, Faults, Listening, Req, Server, Shape, Shyness, Style};

/// What the application does.
#[derive(Clone, Debug)]
pub enum Step {
    /// Makes a call; a text instead of a key, since keys are given at the time.
    Call(Req, Option<u32>),
    /// Cancels one of the open calls.
    Cancel(u32),
    /// Changes the priority of one of the open calls.
    SetPriority(u32, u8),
    /// Wants to listen to something, or to nothing any more.
    Listen(Option<u32>),
    /// Wants a new connection.
    Reconnect,
    /// Closes the client.
    Close,
    /// The server's process is replaced, whatever goes on.
    Restart,
    /// The machine sleeps for so many milliseconds, and finds no network for so many more. Every socket dies without a word.
    Sleep(u64, u64),
    /// Another user's calls follow.
    ChangeContext,
    /// The surroundings change, or are said to.
    Signal(Signal),
    /// For so many milliseconds nothing moves: up, down, or both ways. Then all of it comes.
    Stall(u64, bool, bool),
}

/// A life.
#[derive(Clone, Debug)]
pub struct Schedule {
    /// The client's settings.
    pub config: Config,
    /// The server.
    pub shape: Shape,
    /// The network.
    pub faults: Faults,
    /// What the application does, and when.
    pub steps: Vec<(Instant, Step)>,
    /// How late the client's timers are, at most.
    pub lateness: bowline_core::Duration,
    /// Whether the client and the server can understand each other.
    pub compatible: bool,
}

impl Schedule {
    /// The life that belongs to a seed.
    #[must_use]
    pub fn draw(rng: &mut Rng) -> Self {
        let shape = shape(rng);
        let mut config = config(rng);
        // Only who knows that the server is modern may say so.
        config.pinned = shape.modern && config.versions == Versions::of(Era::Modern) && rng.unit() < 0.5;
        let spoken = Server::new(shape.clone()).supported().names.and(config.versions);
        let era = spoken != Versions::default();
        let transport = (config.websocket && shape.websocket) || (config.http && shape.http);
        // Timers of a busy page, and of one that was hidden for long.
        let lateness = pick(rng, &[0, 0, 0, 0, 0, 0, 0, 0, 2_000, 60_000]);
        let lateness = ms(rng.below(lateness + 1));
        let count = 1 + rng.below(30) as u32;
        let habits = Habits { crowd: rng.unit() < 0.3, reader: rng.unit() < 0.3, shared: rng.unit() < 0.2 };
        let mut at = Instant::default();
        let mut steps = Vec::new();
        for number in 0..count {
            if !(habits.crowd && rng.unit() < 0.8) {
                at = at + ms(rng.below(2_500));
            }
            steps.push((at, step(rng, number, habits)));
        }
        Self { config, shape, faults: Faults::draw(rng), steps, lateness, compatible: era && transport }
    }
}

/// What an application is like.
#[derive(Clone, Copy)]
struct Habits {
    /// Much happens at once.
    crowd: bool,
    /// It mostly reads the same lists.
    reader: bool,
    /// Its users change often.
    shared: bool,
}

fn step(rng: &mut Rng, number: u32, habits: Habits) -> Step {
    match rng.below(100) {
        36..=49 if habits.shared => Step::ChangeContext,
        0..=9 => Step::Cancel(rng.below(1_000) as u32),
        10..=14 => Step::SetPriority(rng.below(1_000) as u32, rng.below(5) as u8),
        15..=18 => Step::Reconnect,
        19 => Step::Close,
        20 | 21 => Step::Restart,
        22 if rng.unit() < 0.4 => {
            let span = if rng.unit() < 0.3 { 7_200_000 } else { 60_000 };
            Step::Sleep(rng.below(span), rng.below(2) * rng.below(20_000))
        }
        22 => {
            let direction = rng.below(3);
            Step::Stall(rng.below(15_000), direction != 1, direction != 0)
        }
        34 | 35 => Step::ChangeContext,
        28..=33 => Step::Signal(pick(rng, &Signal::ALL)),
        23..=27 => Step::Listen((rng.unit() < 0.8).then_some(rng.below(9) as u32)),
        _ => {
            let (request, text) = call(rng, number, habits.reader);
            Step::Call(request, text)
        }
    }
}

const MODES: [CacheMode; 6] = [
    CacheMode::Use,
    CacheMode::Use,
    CacheMode::Use,
    CacheMode::Refresh,
    CacheMode::OnlyIfCached,
    CacheMode::StaleWhileRevalidate,
];

fn call(rng: &mut Rng, number: u32, reader: bool) -> (Req, Option<u32>) {
    let text = rng.below(3) as u32;
    let kind = if reader && rng.unit() < 0.7 { 4 } else { rng.below(10) };
    let (request, key) = match kind {
        0..=3 => (tool_call(1_000 + number), None),
        4 | 5 => (request(Method::TOOLS_LIST, text), Some(text)),
        6 => (request(Method::RESOURCES_READ, 500 + text), Some(500 + text)),
        7 => (request(Method::PING, 1_000 + number), None),
        8 if rng.unit() < 0.5 => (notify(1_000 + number), None),
        8 => (request(Method::from_index(Method::FIRST_FOREIGN + 1), 1_000 + number), None),
        _ => (connect(), None),
    };
    let key = key.filter(|_| rng.unit() < 0.8);
    let limit = |rng: &mut Rng, most: u64| (rng.unit() < 0.5).then(|| ms(1 + rng.below(most)));
    let request = Request {
        priority: rng.below(5) as u8,
        timeout: limit(rng, 20_000),
        max_total: limit(rng, 60_000),
        max_queue_time: limit(rng, 30_000),
        progress_resets_timeout: rng.unit() < 0.3,
        progress: rng.unit() < 0.3,
        idempotent: rng.unit() < 0.2,
        replays: (rng.unit() < 0.2).then(|| rng.below(4) as u8),
        cache_mode: if key.is_some() { pick(rng, &MODES) } else { CacheMode::Use },
        ..request
    };
    (request, key)
}

fn config(rng: &mut Rng) -> Config {
    let transports = rng.below(5);
    let versions = match rng.below(6) {
        0 => Versions::of(Era::Modern),
        1 => Versions::of(Era::Legacy),
        2 => Versions::from_bits(1 + rng.below(31) as u8),
        _ => Versions::ALL,
    };
    Config {
        websocket: transports != 0,
        http: transports != 1,
        reconnection: rng.unit() < 0.9,
        reconnect: Reconnect {
            max_attempts: 1 + rng.below(10) as u32,
            initial_delay: ms(1 + rng.below(2_000)),
            max_delay: ms(1 + rng.below(30_000)),
            multiplier: 1.0 + rng.unit() * 2.0,
            jitter: pick(rng, &[Jitter::Equal, Jitter::Full, Jitter::None]),
            fail_when_exhausted: rng.unit() < 0.2,
            suspended_interval: ms(1 + rng.below(30_000)),
            min_uptime: ms(rng.below(6_000)),
            connect_timeout: ms(800 + rng.below(10_000)),
        },
        upgrade: pick(rng, &[Upgrade::Background, Upgrade::NextConnect, Upgrade::Never]),
        heartbeat: Heartbeat {
            interval: pick(rng, &[ms(0), ms(700), ms(20_000)]),
            timeout: ms(400 + rng.below(10_000)),
            hidden_timeout: ms(400 + rng.below(75_000)),
            wake_timeout: ms(400 + rng.below(4_000)),
            question: Question::Auto,
        },
        lifecycle: Lifecycle {
            hidden: pick(rng, &[WhenHidden::Defer, WhenHidden::Keep, WhenHidden::Close]),
            suspend_offline: rng.unit() < 0.8,
            close_frozen: rng.unit() < 0.8,
            wake_detection: rng.unit() < 0.8,
        },
        cache: (rng.unit() < 0.8).then(|| CacheLimits {
            max_size: rng.below(4) as usize,
            max_bytes: if rng.unit() < 0.2 { 15 } else { 10_000 },
            default_ttl: ms(rng.below(20_000)),
            max_ttl: ms(rng.below(20_000)),
            stale_while_revalidate: ms(rng.below(2) * rng.below(20_000)),
            stale_if_error: ms(rng.below(2) * rng.below(60_000)),
            revalidate: pick(rng, &[Revalidate::Watched, Revalidate::All, Revalidate::None]),
        }),
        timeout: ms(1 + rng.below(60_000)),
        max_total: ms(1 + rng.below(120_000)),
        head_start: ms(rng.below(500)),
        probe_timeout: ms(600 + rng.below(2_500)),
        remember_fallback: ms(rng.below(60_000)),
        fallback_remembered: if rng.unit() < 0.1 { ms(rng.below(30_000)) } else { ms(0) },
        versions,
        pinned: false,
        known_era: pick(rng, &[None, None, Some(Era::Modern), Some(Era::Legacy)]),
        max_replays: rng.below(4) as u8,
        max_input_rounds: rng.below(5) as u32,
        websocket_concurrency: 1 + rng.below(32) as usize,
        http_concurrency: 1 + rng.below(5) as usize,
        stream_idle: pick(rng, &[ms(0), ms(2_000), ms(20_000), ms(90_000)]),
        call_idle: pick(rng, &[ms(0), ms(0), ms(2_000)]),
        headers_timeout: pick(rng, &[ms(0), ms(0), ms(3_000)]),
        adaptive: rng.unit() < 0.3,
        reserve: rng.below(3) as usize,
        aging: ms(rng.below(3) * 2_500),
        drop_lowest: rng.unit() < 0.5,
        max_queue_time: if rng.unit() < 0.1 { ms(rng.below(20_000)) } else { bowline_core::Duration::MAX },
        reject_disconnected: rng.unit() < 0.1,
        rate_limit: None,
        breaker: None,
        high_water: 1_048_576.0,
        low_water: 262_144.0,
        max_queued: if rng.unit() < 0.1 { rng.below(5) as usize } else { 1_000 },
    }
}

fn shape(rng: &mut Rng) -> Shape {
    let legacy = pick(
        rng,
        &[
            Some(Version::V2025_11_25),
            Some(Version::V2025_06_18),
            Some(Version::V2025_03_26),
            Some(Version::V2024_11_05),
            None,
        ],
    );
    let sse = legacy.is_some() && rng.unit() < 0.15;
    let transports = rng.below(5);
    let code = pick(rng, &[-32601, -32600, -32602, -32000]);
    let status = pick(rng, &[400, 404, 405, 415]);
    Shape {
        websocket: transports != 0,
        http: transports != 1,
        modern: !sse && (legacy.is_none() || rng.unit() < 0.5),
        sse,
        legacy,
        sessions: rng.unit() < 0.6,
        odd_session_refusal: rng.unit() < 0.3,
        no_subprotocols: rng.unit() < 0.2,
        style: pick(rng, &[Style::Json, Style::Events, Style::Mixed]),
        resumable: rng.unit() < 0.5,
        standing: rng.unit() < 0.5,
        shyness: pick(rng, &[Shyness::Error(code), Shyness::Status(status), Shyness::Silent, Shyness::Blocked]),
        listening: pick(
            rng,
            &[Listening::Well, Listening::Well, Listening::Idle, Listening::AtOnce, Listening::Unknown],
        ),
        ttl: (rng.unit() < 0.6).then(|| ms(rng.below(30_000))),
        public: rng.unit() < 0.3,
        rounds: if rng.unit() < 0.5 { 0 } else { rng.below(5) as u32 },
        mirrors: rng.unit() < 0.3,
    }
}

fn pick<T: Copy>(rng: &mut Rng, from: &[T]) -> T {
    from[rng.below(from.len() as u64) as usize]
}

//! Messages between their core form and the snippet's numbers. The numbers are the constants of `glue.js`.

use bowline_core::{
    Asked, Content, Duration, Effect, ExchangeEvent, Head, Hint, Incoming, LinkEvent, Malformed, Method, Outgoing,
    Reach, RequestId, ResultKind, Version,
};

use crate::payload::Payload;

/// An outgoing message as the snippet's `encode` takes it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) kind: i32,
    pub(crate) id: f64,
    pub(crate) method: i32,
    pub(crate) handle: i32,
    /// 1: it asks for progress; 2: it is a call that may change the world.
    pub(crate) flags: i32,
    /// The revision named inside an `initialize`.
    pub(crate) offered: Option<Version>,
}

pub(crate) fn parts(message: &Outgoing<Payload>) -> Parts {
    let bare = |kind| Parts { kind, ..Parts::default() };
    let with_id = |kind, id: &RequestId| Parts { id: id.0 as f64, ..bare(kind) };
    match message {
        Outgoing::Request { id, method, params, progress } => Parts {
            method: method.index() as i32,
            handle: params.raw(),
            flags: i32::from(*progress) | i32::from(method.effect() == Effect::SideEffect) << 1,
            ..with_id(0, id)
        },
        Outgoing::Notification { method, params } => {
            Parts { method: method.index() as i32, handle: params.raw(), ..bare(1) }
        }
        Outgoing::Discover(id) => with_id(2, id),
        Outgoing::Initialize(id, version) => Parts { offered: Some(*version), ..with_id(3, id) },
        Outgoing::Initialized => bare(4),
        Outgoing::Cancelled(id) => with_id(5, id),
        Outgoing::Listen(id, params) => {
            Parts { method: Method::LISTEN.index() as i32, handle: params.raw(), ..with_id(0, id) }
        }
        Outgoing::Pong(request) => Parts { handle: request.raw(), ..bare(6) },
        Outgoing::Ping(id) => with_id(8, id),
        Outgoing::Response(response) => Parts { handle: response.raw(), ..bare(7) },
    }
}

/// What the snippet's `on` tells, after its source.
pub(crate) struct Told {
    pub(crate) kind: i32,
    pub(crate) id: f64,
    pub(crate) handle: i32,
    pub(crate) info: i32,
    pub(crate) number: f64,
    pub(crate) size: i32,
}

/// The kind that carries bytes of an event stream instead of an event.
pub(crate) const CHUNK: i32 = 11;
/// The first kind that is no message.
pub(crate) const OPENED: i32 = 8;
const CLOSED: i32 = 9;
/// A bit of an answer's `info`: its id came back as text.
pub(crate) const ODD_ID: i32 = 32;
/// The timer.
pub(crate) const WAKE: i32 = 14;
/// The surroundings.
pub(crate) const SIGNAL: i32 = 15;
const HEAD: i32 = 10;
const ENDED: i32 = 12;
const FAILED: i32 = 13;
/// Bytes that complete nothing yet.
const ALIVE: i32 = 16;

/// What happened on a link.
pub(crate) fn link_event(told: Told) -> LinkEvent<Payload> {
    match told.kind {
        OPENED => LinkEvent::Opened,
        CLOSED => LinkEvent::Closed(told.info as u16),
        _ => LinkEvent::Message(incoming(told)),
    }
}

/// What happened in an exchange.
pub(crate) fn exchange_event(told: Told) -> ExchangeEvent<Payload> {
    match told.kind {
        HEAD => {
            let status = told.size as u16;
            let (session, challenge) = if status < 300 { (told.handle, 0) } else { (0, told.handle) };
            ExchangeEvent::Head(Head {
                status,
                content: match told.info {
                    0 => Content::Json,
                    1 => Content::EventStream,
                    2 => Content::Html,
                    _ => Content::Other,
                },
                session: Payload::from_raw(session),
                retry_after: (told.number >= 0.0).then(|| Duration::from_millis_f64(told.number)),
                challenge: Payload::from_raw(challenge),
            })
        }
        ALIVE => ExchangeEvent::Alive,
        ENDED => ExchangeEvent::Ended,
        FAILED => ExchangeEvent::Failed(match told.info {
            1 => Reach::Blocked,
            2 => Reach::Down,
            3 => Reach::Unsent,
            4 => Reach::Policy,
            5 => Reach::Local,
            _ => Reach::Unknown,
        }),
        _ => ExchangeEvent::Message(incoming(told)),
    }
}

fn incoming(told: Told) -> Incoming<Payload> {
    let Told { kind, id, handle, info, number, size } = told;
    // Every sequence starts at 1, so the number of an unreadable id (NaN casts to 0) matches no request.
    let request = RequestId(id as u64);
    let known = (!id.is_nan()).then_some(request);
    match (kind, Payload::from_raw(handle)) {
        (0, Some(payload)) => {
            let kind = match info & 7 {
                0 => ResultKind::Complete,
                1 => ResultKind::InputRequired,
                2 => ResultKind::StateOnly,
                3 => ResultKind::Task,
                _ => ResultKind::Unknown,
            };
            let ttl = (info & 8 != 0).then(|| Duration::from_millis_f64(number));
            Incoming::Result {
                id: request,
                kind,
                hint: Hint { ttl, public: info & 16 != 0 },
                size: size as u32,
                payload,
            }
        }
        (1, Some(payload)) => Incoming::Error { id: known, code: number as i32, payload },
        (2, Some(payload)) => Incoming::Notification { method: Method::from_index(info as u32), token: known, payload },
        (3, Some(payload)) => Incoming::Request { asked: if info == 1 { Asked::Ping } else { Asked::Other }, payload },
        (4, _) => known.map_or(Incoming::Malformed(Malformed::TooLarge), Incoming::TooLarge),
        (5, _) => Incoming::Malformed(Malformed::Json),
        (7, _) => Incoming::Malformed(Malformed::Binary),
        _ => Incoming::Malformed(Malformed::Envelope),
    }
}

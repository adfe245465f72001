//! Messages between their core form and the snippet's numbers. The numbers are the constants of `glue.js`.

use bowline_core::{Asked, Duration, Hint, Incoming, Malformed, Method, Outgoing, RequestId, ResultKind, Version};

use crate::payload::Payload;

/// An outgoing message as the snippet's `encode` takes it.
#[derive(Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) kind: i32,
    pub(crate) id: f64,
    pub(crate) method: u32,
    pub(crate) handle: u32,
    pub(crate) progress: bool,
    /// The revision named inside an `initialize`.
    pub(crate) offered: Option<Version>,
}

pub(crate) fn parts(message: &Outgoing<Payload>) -> Parts {
    let bare = |kind| Parts { kind, ..Parts::default() };
    let with_id = |kind, id: &RequestId| Parts { id: id.0 as f64, ..bare(kind) };
    match message {
        Outgoing::Request { id, method, params, progress } => {
            Parts { method: method.index(), handle: params.raw(), progress: *progress, ..with_id(0, id) }
        }
        Outgoing::Notification { method, params } => Parts { method: method.index(), handle: params.raw(), ..bare(1) },
        Outgoing::Discover(id) => with_id(2, id),
        Outgoing::Initialize(id, version) => Parts { offered: Some(*version), ..with_id(3, id) },
        Outgoing::Initialized => bare(4),
        Outgoing::Cancelled(id) => with_id(5, id),
        Outgoing::Reply(Asked::Ping, request) => Parts { handle: request.raw(), ..bare(6) },
        Outgoing::Reply(Asked::Other, request) => Parts { handle: request.raw(), ..bare(7) },
    }
}

/// An incoming message as the snippet's `on` gives it.
pub(crate) fn incoming(kind: u32, id: f64, handle: u32, info: u32, number: f64, size: u32) -> Incoming<Payload> {
    // Every sequence starts at 1, so the number of an unreadable id (NaN casts to 0) matches no request.
    let request = RequestId(id as u64);
    let known = (!id.is_nan()).then_some(request);
    match (kind, Payload::from_raw(handle)) {
        (0, Some(payload)) => {
            let kind = match info & 3 {
                0 => ResultKind::Complete,
                1 => ResultKind::InputRequired,
                _ => ResultKind::Unknown,
            };
            let ttl = (info & 4 != 0).then(|| Duration::from_millis_f64(number));
            Incoming::Result { id: request, kind, hint: Hint { ttl }, size, payload }
        }
        (1, Some(payload)) => Incoming::Error { id: known, code: number as i32, payload },
        (2, Some(payload)) => Incoming::Notification { method: Method::from_index(info), token: known, payload },
        (3, Some(payload)) => Incoming::Request { asked: if info == 1 { Asked::Ping } else { Asked::Other }, payload },
        (4, _) => known.map_or(Incoming::Malformed(Malformed::TooLarge), Incoming::TooLarge),
        (5, _) => Incoming::Malformed(Malformed::Json),
        (7, _) => Incoming::Malformed(Malformed::Binary),
        _ => Incoming::Malformed(Malformed::Envelope),
    }
}

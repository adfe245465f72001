//! Typed names for things that are numbers on the wire or across the boundary.

/// One `request()` of the application, from creation to settle. Chosen by the caller: any number not in use by an unsettled call
/// and at most [`CallId::MAX`]; small dense numbers keep the engine's table small.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

impl CallId {
    /// The largest usable number: the twenty low bits of a [`RequestId`] carry it, and the last value is the handshake's.
    pub const MAX: u32 = (1 << RequestId::SLOT_BITS) - 2;
}

/// The JSON-RPC `id` of one attempt: a sequence number above the call's slot. It grows with every sending, so it is never used
/// twice in a session (P2), and the low bits find the call without a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl RequestId {
    const SLOT_BITS: u32 = 20;
    const SLOT_MASK: u64 = (1 << Self::SLOT_BITS) - 1;

    /// The id of the `sequence`-th sending, for the call in `slot`.
    #[must_use]
    pub fn of(sequence: u64, slot: CallId) -> Self {
        Self((sequence << Self::SLOT_BITS) | u64::from(slot.0))
    }

    /// The id of the `sequence`-th sending when it belongs to no call (a handshake).
    #[must_use]
    pub fn internal(sequence: u64) -> Self {
        Self((sequence << Self::SLOT_BITS) | Self::SLOT_MASK)
    }

    /// The call's slot, whatever call is in it by now.
    #[must_use]
    pub fn slot(self) -> CallId {
        CallId((self.0 & Self::SLOT_MASK) as u32)
    }
}

/// One connection to one endpoint, whatever the transport. Never reused within an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u32);

/// One HTTP request with its answer. Never reused within an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ExchangeId(pub u32);

/// An interned cache key: the shell keeps the text (method and canonical params), the engine only the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(pub u32);

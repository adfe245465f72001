//! Typed names for things that are numbers on the wire or across the boundary.

/// One `request()` of the application, from creation to settle. Chosen by the caller: any number not in use by an unsettled call
/// and at most [`CallId::MAX`]; small dense numbers keep the engine's table small, and the ids on the wire short.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub u32);

impl CallId {
    /// The largest usable number: a [`RequestId`] has room for twenty bits of it, and the last value is the handshake's.
    pub const MAX: u32 = RequestId::INTERNAL.0 - 1;
}

/// The JSON-RPC `id` of one attempt: a sequence number above the call's slot, so it is never used twice in a session (P2), and the low
/// bits find the call without a map. Ten bits are enough for the slot as a rule, and twenty where they are not; the lowest bit says which.
/// That keeps half a million ids below 2^30: JavaScript prints and parses larger numbers ten times as slowly, a tenth of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u64);

impl RequestId {
    const SHORT: u32 = 10;
    const LONG: u32 = 20;
    /// In the place of a slot, where there is no call.
    const INTERNAL: CallId = CallId((1 << Self::LONG) - 1);

    /// The id of the `sequence`-th sending, for the call in `slot`.
    #[must_use]
    pub fn of(sequence: u64, slot: CallId) -> Self {
        let long = slot.0 >> Self::SHORT != 0;
        let bits = if long { Self::LONG } else { Self::SHORT };
        Self((sequence << bits | u64::from(slot.0)) << 1 | u64::from(long))
    }

    /// The id of the `sequence`-th sending when it belongs to no call (a handshake).
    #[must_use]
    pub fn internal(sequence: u64) -> Self {
        Self::of(sequence, Self::INTERNAL)
    }

    /// The call's slot, whatever call is in it by now.
    #[must_use]
    pub fn slot(self) -> CallId {
        let bits = if self.0 & 1 == 0 { Self::SHORT } else { Self::LONG };
        CallId((self.0 >> 1 & ((1 << bits) - 1)) as u32)
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

#[cfg(test)]
mod tests {
    use super::{CallId, RequestId};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn an_id_tells_its_slot_and_is_nobody_elses(a in (0u64..1 << 32, 0..=CallId::MAX), b in (0u64..1 << 32, 0..=CallId::MAX)) {
            let [(first, one), (second, other)] = [a, b].map(|(sequence, slot)| (sequence, RequestId::of(sequence, CallId(slot))));
            prop_assert_eq!(one.slot(), CallId(a.1));
            prop_assert!(first == second || one != other);
            prop_assert!(one.0 < 1 << 53, "JavaScript would round it");
            prop_assert!(RequestId::internal(first) != one && RequestId::internal(first).slot().0 > CallId::MAX);
        }
    }

    #[test]
    fn half_a_million_sendings_of_a_thousand_calls_are_small_numbers() {
        assert!(RequestId::of((1 << 19) - 1, CallId(1023)).0 < 1 << 30);
    }
}

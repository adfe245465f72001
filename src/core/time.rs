//! Time as data. This module never reads a clock: the caller passes `now` with every input, measured on a monotonic clock of its
//! own choice, so the same code runs in a browser, under a virtual clock, and in a replayed failure.

use core::ops::Add;

/// A point on the caller's monotonic clock, with microsecond resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(u64);

/// A span between two [`Instant`]s, with microsecond resolution.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Duration(u64);

impl Instant {
    /// A moment that does not come.
    pub(crate) const NEVER: Self = Self(u64::MAX);

    /// The instant `ms` milliseconds after the clock's origin; negative and non-finite values are the origin.
    #[must_use]
    pub fn from_millis(ms: f64) -> Self {
        // A float-to-integer cast saturates and maps NaN to 0.
        Self((ms * 1000.0) as u64)
    }

    /// Milliseconds since the clock's origin.
    #[must_use]
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// Time passed since `earlier`; zero when `earlier` is later (a clock may be corrected).
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Add<Duration> for Instant {
    type Output = Self;

    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// For ever.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of whole milliseconds.
    #[must_use]
    pub const fn from_millis(ms: u64) -> Self {
        Self(ms.saturating_mul(1000))
    }

    /// A span of whole microseconds.
    #[must_use]
    pub const fn from_micros(us: u64) -> Self {
        Self(us)
    }

    /// The span in whole microseconds.
    #[must_use]
    pub const fn as_micros(self) -> u64 {
        self.0
    }

    /// A span of fractional milliseconds; negative and NaN are zero, infinity saturates.
    #[must_use]
    pub fn from_millis_f64(ms: f64) -> Self {
        Self((ms * 1000.0) as u64)
    }

    /// The span in milliseconds.
    #[must_use]
    pub fn as_millis(self) -> f64 {
        self.0 as f64 / 1000.0
    }

    /// The span times a factor; never negative.
    #[must_use]
    pub fn mul_f64(self, factor: f64) -> Self {
        Self((self.0 as f64 * factor) as u64)
    }

    /// How many whole `unit`s fit into the span; 0 when `unit` is zero.
    #[must_use]
    pub fn whole(self, unit: Self) -> u64 {
        self.0.checked_div(unit.0).unwrap_or(0)
    }
}

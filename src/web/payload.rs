//! A value that stays in JavaScript: the core holds a number and gives it back.

use core::cell::Cell;
use core::mem::ManuallyDrop;

use bowline_core::Versions;

use crate::glue;

/// A handle on a value of the snippet's table. Zero is "no value".
#[derive(Debug)]
pub struct Payload(i32);

impl Payload {
    /// Takes over a handle that JavaScript made; `None` for zero.
    #[must_use]
    pub fn from_raw(handle: i32) -> Option<Self> {
        (handle != 0).then_some(Self(handle))
    }

    /// The number, still owned here.
    pub(crate) fn raw(&self) -> i32 {
        self.0
    }

    /// The number, now owned by whoever gets it.
    pub(crate) fn into_raw(self) -> i32 {
        ManuallyDrop::new(self).0
    }

    /// The last handle that was dropped, or 0. JavaScript releases what its call gives back: that costs no crossing of its own.
    #[must_use]
    pub fn left() -> i32 {
        LEFT.take()
    }
}

thread_local! {
    static LEFT: Cell<i32> = const { Cell::new(0) };
}

/// Has `handle` given back, and releases the one before, if there is one.
#[inline(never)] // there are so many places where one is dropped
pub(crate) fn leave(handle: i32) {
    let before = LEFT.replace(handle);
    if before != 0 {
        glue::release(before);
    }
}

/// What is owned beside payloads, and dropped after them: the last of those is released at once, as no call of JavaScript's may follow.
#[derive(Debug, Default)]
pub(crate) struct Rest;

impl Drop for Rest {
    fn drop(&mut self) {
        leave(0);
    }
}

impl Clone for Payload {
    fn clone(&self) -> Self {
        glue::retain(self.0);
        Self(self.0)
    }
}

impl Drop for Payload {
    fn drop(&mut self) {
        leave(self.0);
    }
}

impl bowline_core::Payload for Payload {
    fn versions(&self) -> Versions {
        Versions::from_bits(glue::revisions(self.0) as u8)
    }

    fn subject(&self) -> u32 {
        glue::subject(self.0) as u32
    }
}

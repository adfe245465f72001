//! One policy, one file. Policies know time, chance and ids; they know no link and no message.

pub(crate) mod backoff;
pub(crate) mod breaker;
pub(crate) mod cache;
pub(crate) mod deadline;
pub(crate) mod doubt;
pub(crate) mod flight;
pub(crate) mod gradient;
pub(crate) mod limiter;
pub(crate) mod queue;
pub(crate) mod replay;

pub use breaker::BreakerState;

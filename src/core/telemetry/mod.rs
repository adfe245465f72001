//! Counting, timing and judging. O(1) per call; nothing here decides anything.

mod health;
mod metrics;
mod sketch;
mod timing;

pub use health::{Condition, Health};
pub use metrics::{MethodMetrics, Metrics, Summary};

pub(crate) use health::Vitals;
pub(crate) use sketch::Sketch;
pub(crate) use timing::Timing;

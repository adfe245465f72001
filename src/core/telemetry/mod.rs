//! Counting. O(1) per call; nothing here decides anything.

mod metrics;

pub use metrics::Metrics;

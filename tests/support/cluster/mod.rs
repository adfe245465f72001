//! A cluster under a virtual clock: servers with queues, clients with the core's own balancers, and the experiments that judge them. No
//! model of the balancer is in here: what picks is what is shipped.

mod account;
mod chance;
mod crowd;
mod fleet;
mod report;
mod spread;
mod theory;
mod waiting;

pub use account::Account;
pub use chance::{gap, Work};
pub use crowd::{set, Crowd, Scene, Way};
pub use fleet::{capacity, mixed, Fleet, Machine};
pub use report::{Report, Size};
pub use spread::{balance, herd};
pub use theory::theory;
pub use waiting::{crowds, light};

/// An experiment: how much of it, and what it found.
pub type Experiment = fn(Size) -> Report;

/// All experiments, by the names of the cluster's design.
pub const EXPERIMENTS: &[(&str, Experiment)] =
    &[("E1", theory), ("E2", crowds), ("E3", light), ("E5", herd), ("E7", balance)];

//! A cluster under a virtual clock: servers with queues, clients with the core's own balancers, and the experiments that judge them. No
//! model of the balancer is in here: what picks is what is shipped.

mod account;
mod chance;
mod crowd;
mod failover;
mod farm;
mod lateness;
mod record;
mod report;
mod spread;
mod storm;
mod theory;
mod waiting;
mod world;

pub use account::Account;
pub use chance::{gap, Work};
pub use crowd::{set, specs, Crowd, Scene, Way};
pub use failover::failover;
pub use farm::{capacity, mixed, Farm, Machine};
pub use lateness::lateness;
pub use record::{Attempt, Contact, End, Record, Visit};
pub use report::{Report, Size};
pub use spread::{balance, herd};
pub use storm::{restart, storm};
pub use theory::theory;
pub use waiting::{crowds, hedging, light};
pub use world::{Condition, Setting, World};

/// An experiment: how much of it, and what it found.
pub type Experiment = fn(Size) -> Report;

/// All experiments, by the names of the cluster's design as far as they have one.
pub const EXPERIMENTS: &[(&str, Experiment)] = &[
    ("E1", theory),
    ("E2", crowds),
    ("E3", light),
    ("E4", failover),
    ("E5", herd),
    ("E6", restart),
    ("E7", balance),
    ("E9", storm),
    ("lateness", lateness),
    ("hedging", hedging),
];

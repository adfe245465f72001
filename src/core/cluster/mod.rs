//! Many servers as one: which node a call goes to, and what happens when it fails there. Nodes are ends of the same engine that serves one
//! client; this module opens no connection and knows no payload. It stands beside `engine` and names neither it nor `link`.

mod affinity;
mod agenda;
mod alias;
mod balance;
mod budget;
mod capacity;
mod census;
mod config;
mod cost;
mod discovery;
mod engine;
mod forecast;
mod hash;
mod health;
mod io;
mod load;
mod maglev;
mod node;
mod order;
mod pace;
mod room;
mod set;
mod table;
mod tier;
mod turn;
mod window;
mod wish;

pub use balance::Balancer;
pub use capacity::{Capacity, Goal};
pub use config::{ClusterConfig, DiscoveryLimits, HealthLimits, Hedge, SourceKind, Strategy, Trips};
pub use discovery::{Discovery, SetChange};
pub use engine::{Cluster, ClusterMetrics};
pub use forecast::{Forecast, Forecaster, Point};
pub use hash::NameHash;
pub use io::{
    Answer, Change, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Ending, Failure, Query, Refusal, Route,
    Verdict,
};
pub use node::{AttemptId, NodeId, NodePhase, NodeSpec, NodeStatus, RegionId, RouteId};
pub use set::NodeSet;
pub use wish::{Admission, Load, Tally, Wish};

//! Many servers as one: which node a call goes to, and what happens when it fails there. Nodes are ends of the same engine that serves one
//! client; this module opens no connection and knows no payload. It stands beside `engine` and names neither it nor `link`.

mod capacity;
mod config;
mod forecast;
mod io;
mod node;

pub use capacity::{Capacity, Goal};
pub use config::{ClusterConfig, DiscoveryLimits, HealthLimits, Hedge, SourceKind, Strategy, Trips};
pub use forecast::{Forecast, Forecaster, Point};
pub use io::{
    Answer, Change, ClusterEvent, ClusterInput, ClusterOutput, ClusterSignal, Ending, Failure, Query, Refusal, Route,
    Verdict,
};
pub use node::{AttemptId, NodeId, NodePhase, NodeSpec, NodeStatus, RegionId, RouteId};

//! The decisions of an MCP client. This crate does no I/O, reads no clock, draws no entropy and parses no JSON: it is told what
//! happened and says what to do, so the whole client runs under a virtual clock with a seeded network.
//!
//! The protocol of use, on [`Engine`]: hand in one [`Input`] with the current time, then drain [`Engine::poll_output`] until it says
//! [`Output::Timeout`]; come back with the next input, or with [`Input::Timeout`] when that time has come.

mod cluster;
mod config;
mod engine;
mod error;
mod ids;
mod io;
mod link;
mod policy;
mod rng;
mod telemetry;
mod time;
mod wire;

pub use cluster::{
    Admission, Answer, AttemptId, Balancer, Capacity, Change, Cluster, ClusterConfig, ClusterEvent, ClusterInput,
    ClusterMetrics, ClusterOutput, ClusterSignal, Discovery, DiscoveryLimits, Ending, Failure, Forecast, Forecaster,
    Goal, HealthLimits, Hedge, Load, NameHash, NodeId, NodePhase, NodeSet, NodeSpec, NodeStatus, Point, Query, Refusal,
    RegionId, Route, RouteId, SetChange, SourceKind, Strategy, Tally, Trips, Verdict, Wish,
};
pub use config::{
    BreakerLimits, CacheLimits, Config, Heartbeat, Jitter, Lifecycle, Question, RateLimit, Reconnect, Revalidate, Trip,
    Upgrade, WhenHidden,
};
pub use engine::Engine;
pub use error::{Code, Detail, Error, Outcome, Stage};
pub use ids::{CacheKey, CallId, ExchangeId, LinkId, RequestId};
pub use io::{
    CacheMode, Command, Event, ExchangeEvent, Input, Keep, Kind, LinkEvent, ListenPhase, Need, Output, Reach, Request,
    Settled, Signal, Status,
};
pub use link::{Cause, Reason, State, Transport};
pub use policy::BreakerState;
pub use rng::Rng;
pub use telemetry::{Condition, Health, MethodMetrics, Metrics, Summary};
pub use time::{Duration, Instant};
pub use wire::{
    Asked, Content, Effect, Era, Head, Hint, Incoming, Malformed, Method, Outgoing, Parser, Payload, Plan, ResultKind,
    Sink, TooLong, Verb, Version, Versions,
};

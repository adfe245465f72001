//! Test parts for `bowline-core`: a payload, an engine under a virtual clock, a bench to drive it by hand, and a seeded network
//! with a server on its other end. Nothing here waits, listens or sleeps: a minute of a bad network takes microseconds.

pub mod cluster;

mod agenda;
mod driver;
mod faults;
mod fleet;
mod hand;
mod ledger;
mod network;
mod payload;
mod schedule;
mod server;
mod sim;

pub use agenda::Agenda;
pub use driver::Driver;
pub use faults::{Fate, Faults};
pub use fleet::{any_config, any_spec, read, spec, write, Fleet, BROKEN, REFUSED, SICK, SILENT, STRATEGIES};
pub use hand::{Hand, Place};
pub use ledger::Ledger;
pub use network::Network;
pub use payload::{
    about, connect, failure, fixed, ms, named, notification, notify, request, result, tool_call, tools_list, Doc, Req,
};
pub use schedule::{Schedule, Step};
pub use server::{Channel, Listening, Reply, Server, Shape, Shyness, Style};
pub use sim::{run, Report, Tally};

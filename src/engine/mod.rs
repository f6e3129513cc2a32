//! The engine: moves records by checked maps. One record through one leg is a pure function ([`apply`]), the same in
//! initial sync, live sync and `test`. How the promises are kept is in docs/protocol.md.

pub mod apply;
mod behind;
mod chunk;
mod conflict;
pub mod env;
mod evaluate;
mod fence;
mod fold;
mod initial;
mod live;
mod lookups;
mod message;
mod quarantine;
mod references;
mod related;
pub mod report;
mod runtime;
mod setup;
pub mod status;
mod waiting;

pub use env::Env;
pub use report::{LegReport, Observer, Quiet, Report, StoppedLeg};
pub use runtime::{Engine, EngineError, Limits, Master};

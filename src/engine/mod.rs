//! The engine: moves records by checked maps. One record through one leg is a pure function ([`apply`]), the same in
//! initial sync, live sync and `test`. How the promises are kept is in docs/protocol.md.

pub mod apply;
mod behind;
mod chunk;
mod compare;
mod conflict;
mod conflicts;
mod deletes;
pub mod env;
mod evaluate;
mod fence;
mod fold;
mod forward;
mod holding;
mod initial;
mod keys;
mod live;
mod lookups;
mod message;
mod quarantine;
mod queue;
mod references;
mod related;
mod reload;
pub mod report;
mod resolution;
mod runtime;
mod setup;
mod since;
pub mod status;
mod waiting;
mod window;

pub use compare::{Recovered, RecoveredLeg};
pub use env::Env;
pub use report::{LegReport, Observer, Quiet, Report, StoppedLeg};
pub use resolution::Resolution;
pub use runtime::{Engine, EngineError, Limits, Master};
pub use window::CapturedTable;

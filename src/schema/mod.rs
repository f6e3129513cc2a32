//! Store schemas: the typed description of a store's tables. `model` is what the rest of the house sees, `load` reads
//! `STORE.schema.yaml`; `live` is what a store says of itself, `pull` brings that into the file.

mod column;
mod csdl;
mod csv;
mod live;
mod load;
mod lookup;
mod merge;
mod model;
mod pull;
mod write;

pub use csdl::csdl;
pub use csv::csv;
pub use live::*;
pub use load::load;
pub use merge::{Merged, merge};
pub use model::*;
pub use pull::{Pulled, pull};
pub use write::{NewColumn, NewSchema, NewTable};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

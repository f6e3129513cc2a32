//! Store schemas: the typed description of a store's tables. `model` is what the rest of the house sees, `load` reads
//! `STORE.schema.yaml`; `live` is what a store says of itself, `pull` brings that into the file.

mod column;
mod live;
mod load;
mod lookup;
mod model;
mod pull;

pub use live::*;
pub use load::load;
pub use model::*;
pub use pull::{Pulled, pull};

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

//! Store schemas: the typed description of a store's tables. `model` is what the rest of the house sees, `load` reads
//! `STORE.schema.yaml`.

mod column;
mod load;
mod lookup;
mod model;

pub use load::load;
pub use model::*;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

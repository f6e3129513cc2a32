//! Store schemas: the typed description of a store's tables. `model` is what the rest of the house sees, `load` reads
//! `STORE.schema.yaml`.

mod load;
mod model;

pub use load::load;
pub use model::*;

//! `tablemap`: table maps as text files, checked before they run, and one generic engine that keeps records of two
//! systems in step. See `ARCHITECTURE.md` for the rooms and who may know whom.

#[macro_use]
mod mutants;

pub mod change;
pub mod check;
pub mod cli;
pub mod diagnostic;
pub mod draft;
pub mod engine;
pub mod export;
pub mod function;
pub mod import;
pub mod project;
pub mod schema;
pub mod sema;
pub mod source;
pub mod store;
pub mod syntax;
pub mod value;
pub mod yaml;

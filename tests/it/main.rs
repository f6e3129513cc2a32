//! The integration tests: one binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod architecture;
mod cli;
mod cli_bad_input;
mod corpus;
mod docs;
mod engine;
mod fix;
mod harness;
mod kill;
mod notations;
mod render;

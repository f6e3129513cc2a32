//! The one integration binary.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod engine;
mod harness;
mod kill;
mod notations;
mod corpus;

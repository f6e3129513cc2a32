//! The integration tests: one binary, one module per subject.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod architecture;
mod cell;
mod cli;
mod cli_bad_input;
mod cli_live;
#[cfg(feature = "postgres")]
mod cluster;
mod corpus;
mod demo;
mod docs;
mod engine;
mod features;
mod fix;
mod fuzz_corpus;
mod harness;
mod import;
mod kept;
mod kill;
mod levels;
mod library;
mod mutants;
mod mutations;
#[cfg(feature = "postgres")]
mod named_cases;
mod notations;
mod pages;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod postgres_hang;
#[cfg(feature = "postgres")]
mod postgres_rights;
#[cfg(feature = "postgres")]
mod postgres_sample;
#[cfg(feature = "postgres")]
mod postgres_schema;
#[cfg(feature = "postgres")]
mod postgres_torture;
mod proofs;
mod protocol;
mod recipes;
mod render;
mod rng;
mod torture;
mod versions;

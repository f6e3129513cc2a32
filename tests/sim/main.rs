//! The simulator, a test binary of its own: it is built optimised where many cases are played (`tests/simulate`).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[cfg(feature = "postgres")]
#[path = "../it/cluster.rs"]
mod cluster;
#[path = "../it/rng.rs"]
mod rng;
mod simulate;

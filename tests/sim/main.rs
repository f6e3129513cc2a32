//! The simulator, a test binary of its own: `tests/simulate` plays as many cases as are asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

#[path = "../it/cell.rs"]
mod cell;
#[cfg(feature = "postgres")]
#[path = "../it/cluster.rs"]
mod cluster;
#[path = "../it/rng.rs"]
mod rng;
mod simulate;

/// As the binary's: cases allocate little and often.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

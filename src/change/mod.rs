//! Versions of map files: what changed between two, and one made of two that began as one.
//!
//! Both go by meaning: what is compared are statements, lines, pairs and tests, wherever they stand and however they are
//! laid out. A line is known by what it writes, a map by its id, a test by its name.

mod diff;
mod matching;
mod merge;
mod merge_line;
mod merge_map;
mod say;
mod show;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

pub use diff::{Change, Detail, Kind, MapChanges, Said, diff};
pub use merge_map::{Merged, merge};
pub use show::{markdown, text};

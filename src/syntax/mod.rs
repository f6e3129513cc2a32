//! Texts of maps into one tree, and back. Nothing here fails: it returns what it read plus problems.

pub mod ast;
pub mod dsl;
pub mod yaml;

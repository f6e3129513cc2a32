//! Names, types, directions, keys, lookups: from the tree to the checked map the engine runs (ids, no names).

mod eval;
mod reader;
mod report;
mod typing;
pub mod expr;
pub mod ir;

pub use eval::DIVISION_SCALE;
pub use expr::{EvalError, Expr};
pub use ir::*;

use crate::diagnostic::Diagnostic;
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources};
use crate::syntax::ast;
use std::sync::Arc;

/// What there is to analyse.
pub struct Input<'a> {
    /// The texts, for names and lines in messages.
    pub sources: &'a Sources,
    /// The stores: name in the project, schema.
    pub stores: &'a [(String, Arc<StoreSchema>)],
    /// The map files.
    pub files: &'a [(FileId, ast::File)],
    /// The configured companies; none = all.
    pub companies: Option<&'a [String]>,
    /// The project's time zone.
    pub time_zone: jiff::tz::TimeZone,
}

/// Analyses all maps. Maps without errors are in the result, even where others have some.
pub fn analyse(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let _ = input;
    todo!("in work")
}

//! Names, types, directions, keys, lookups: from the tree to the checked map the engine runs (ids, no names).

mod call;
mod capture;
mod env;
mod eval;
pub mod expr;
mod fingerprint;
mod guard;
pub mod ir;
mod kept;
mod leg;
mod leg_checks;
mod line;
mod map;
mod order;
mod overlay;
mod overlay_edits;
mod project;
mod reader;
mod reference;
mod related;
mod report;
pub mod round_trip;
mod rows;
mod samples;
mod spelling;
mod typing;
mod value_map;

pub use crate::store::{Grant, Op, ReadPlan, Use};
pub use eval::DIVISION_SCALE;
pub use expr::{EvalError, Expr};
pub use ir::*;
pub use kept::{Each, How, Kept, MadeOf, one_by_one};
pub use overlay::{Effective, effective, id_of, note_replaced};
pub use related::{Aggregate, Related};
pub use spelling::spell;

pub use crate::store::Predicate;

use crate::diagnostic::Diagnostic;
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources};
use crate::syntax::ast;
use crate::value::Type;
use std::sync::Arc;

/// What there is to analyse.
pub struct Input<'a> {
    /// The texts, for names and lines in messages.
    pub sources: &'a Sources,
    /// The stores: name in the project, schema.
    pub stores: &'a [(String, Arc<StoreSchema>)],
    /// The map files.
    pub files: &'a [(FileId, Arc<ast::File>)],
    /// The configured companies; none = all.
    pub companies: Option<&'a [String]>,
    /// The project's time zone.
    pub time_zone: jiff::tz::TimeZone,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;

/// Analyses all maps. Maps without errors are in the result, even where others have some.
pub fn analyse(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    project::analyse(input, How::default(), &MadeOf::default())
}

/// [`analyse`], done as `how` says; `made_of` comes from [`effective`] where maps extend others.
pub fn analyse_as(input: &Input<'_>, how: How<'_>, made_of: &MadeOf) -> (CheckedProject, Vec<Diagnostic>) {
    project::analyse(input, how, made_of)
}

/// Types an expression that reads no columns, and where nothing says what it should be.
pub fn constant_expression(sources: &Sources, e: &ast::Expr) -> Result<(Expr, Type), Vec<Diagnostic>> {
    let mut report = report::Report::new(sources);
    let mut reader = reader::Reader::nothing();
    let typed = typing::Typer { reader: &mut reader, report: &mut report }.infer(e, None);
    typed.map(|t| (t.expr, t.ty)).ok_or(report.findings)
}

//! A table map as dual-write tells it, whatever file it came from.

use super::text::Mapped;
use crate::diagnostic::Diagnostic;
use crate::source::Span;
use crate::syntax::ast::Flow;

/// A text with its place.
#[derive(Clone, Debug, Default)]
pub struct Spelled {
    /// The text.
    pub text: String,
    /// Its place in the file.
    pub at: Span,
}

/// A table map.
#[derive(Clone, Debug, Default)]
pub struct TableMap {
    /// The finance entity's display name.
    pub entity: Spelled,
    /// The Dataverse table's entity set.
    pub set: Spelled,
    /// `a.b.c.d`, where it is known.
    pub version: Option<String>,
    /// What the publisher says it is for.
    pub description: Option<String>,
    /// Whether the publisher says that no initial sync is wanted.
    pub skip_initial: bool,
    /// Whether value maps without pairs are those of a document that leaves them out.
    pub documented: bool,
    /// The X++ query range of the finance side.
    pub source_filter: Option<Mapped>,
    /// The OData filter of the Dataverse side.
    pub reversed_filter: Option<Mapped>,
    /// The field mappings, in order.
    pub mappings: Vec<Mapping>,
    /// What was wrong while it was read.
    pub findings: Vec<Diagnostic>,
    /// Its place in the file.
    pub at: Span,
}

impl TableMap {
    /// `Customers V3 (accounts)`
    pub fn name(&self) -> String {
        format!("{} ({})", self.entity.text, self.set.text)
    }
}

/// A field mapping.
#[derive(Clone, Debug)]
pub struct Mapping {
    /// Which one of the file's.
    pub index: usize,
    /// The finance field; none = no field.
    pub source: Option<Spelled>,
    /// The Dataverse column or lookup path; none = no column.
    pub destination: Option<Spelled>,
    /// Which way it runs.
    pub flow: Flow,
    /// Its value map; an empty one is not known.
    pub values: Option<Vec<PairOf>>,
    /// Its default or constant.
    pub default: Option<Spelled>,
    /// A transform that nobody documents: its name.
    pub unknown: Option<String>,
    /// The table that the lookup refers to.
    pub related: Option<String>,
    /// What else the file says of it, for people.
    pub notes: Vec<String>,
    /// Its place in the file.
    pub at: Span,
}

/// A pair of a value map; none is nothing (blank, null).
#[derive(Clone, Debug)]
pub struct PairOf {
    /// The finance value.
    pub left: Option<String>,
    /// The Dataverse value.
    pub right: Option<String>,
    /// Its place in the file.
    pub at: Span,
}

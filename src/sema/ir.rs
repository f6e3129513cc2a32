//! The checked map: what the engine runs. Ids, no names; names are kept only for messages.

use super::expr::Expr;
use super::related::Related;
use crate::function::Context;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::source::At;
use crate::store::{CaptureSpec, GuardSpec, ReadPlan};
use crate::syntax::ast::{self, Conflict, OnMissing, RunMode, Side};
use crate::value::{Type, Value};
use std::sync::Arc;

/// Every checked map of a project.
#[derive(Clone)]
pub struct CheckedProject {
    /// The stores: name, schema. [`TableAt::store`] is an index.
    pub stores: Vec<(String, Arc<StoreSchema>)>,
    /// The maps.
    pub maps: Vec<Arc<CheckedMap>>,
    /// Indexes of `maps` in the order they run: what is looked up or needed first.
    pub order: Vec<usize>,
    /// The configured companies; none = all.
    pub companies: Option<Vec<String>>,
    /// What functions may read.
    pub context: Context,
}

impl CheckedProject {
    /// A map by id, name or any label.
    pub fn map(&self, name: &str) -> Option<usize> {
        let hit = |m: &CheckedMap| m.id == name || m.name == name || m.labels.iter().any(|l| l == name);
        self.maps.iter().position(|m| hit(m))
    }
}

/// A table of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TableAt {
    /// Index of the store.
    pub store: usize,
    /// The table.
    pub table: TableId,
}

/// What `initial` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initial {
    /// Nothing is copied; the map starts with what changes from then on.
    None,
    /// That side is the master.
    Wins(Side),
    /// Not said: the source of a one-way map; else the command must say.
    Unsaid,
}

/// One checked map.
#[derive(Clone, Debug)]
pub struct CheckedMap {
    /// Its id.
    pub id: String,
    /// Its display name.
    pub name: String,
    /// Its labels in other languages.
    pub labels: Vec<String>,
    /// Its version, or empty.
    pub version: String,
    /// The file it stands in.
    pub file: String,
    /// Hash of its meaning (comments and layout do not count).
    pub hash: String,
    /// Left table.
    pub left: TableAt,
    /// Right table.
    pub right: TableAt,
    /// The leg into left.
    pub into_left: Option<Leg>,
    /// The leg into right.
    pub into_right: Option<Leg>,
    /// Indexes of prerequisite maps in [`CheckedProject::maps`].
    pub needs: Vec<usize>,
    /// `initial`
    pub initial: Initial,
    /// `conflict`
    pub conflict: Option<Conflict>,
    /// `run`
    pub run: RunMode,
    /// Guards: index of the store, what to install.
    pub guards: Vec<(usize, GuardSpec)>,
    /// How many two-way lines there are ([`Line::two_way`] counts them).
    pub two_way: usize,
    /// Its tests, run by `tablemap test`.
    pub tests: Vec<ast::Test>,
}

impl CheckedMap {
    /// The leg into a side.
    pub fn leg(&self, into: Side) -> Option<&Leg> {
        match into {
            Side::Left => self.into_left.as_ref(),
            Side::Right => self.into_right.as_ref(),
        }
    }
    /// The legs there are.
    pub fn legs(&self) -> impl Iterator<Item = &Leg> {
        self.into_left.iter().chain(self.into_right.iter())
    }
}

/// One direction of a map, compiled.
#[derive(Clone, Debug)]
pub struct Leg {
    /// The side it writes.
    pub into: Side,
    /// Where it reads.
    pub source: TableAt,
    /// Where it writes.
    pub target: TableAt,
    /// What it reads: the source's primary key first (in key order), then what filter, key and lines need, the
    /// referring columns of every join included.
    pub read: ReadPlan,
    /// One per join of `read`.
    pub joins: Vec<JoinInfo>,
    /// What is asked of related rows. A row is read as: the columns of `read`, one found flag per join, one answer each.
    pub related: Vec<Related>,
    /// Which rows leave the source; none = all.
    pub filter: Option<Filter>,
    /// The company a record belongs to.
    pub company: Company,
    /// Columns of the target that identify the record, the company's included. Their values come from `lines` with
    /// `key` set (and their references), or from `each`.
    pub key: Vec<ColumnId>,
    /// What is written, in map order, key and company lines first.
    pub lines: Vec<Line>,
    /// References written through lookups, in the order they must be resolved.
    pub references: Vec<Reference>,
    /// What the engine may do to the target.
    pub operations: Operations,
    /// `on exit`: delete the target row when its source row stops matching.
    pub exit_delete: bool,
    /// What the source store's log must hold for this leg: its table and every looked-up one.
    pub capture: Vec<CaptureSpec>,
}

impl Leg {
    /// `MAP-ID/left` or `MAP-ID/right`.
    pub fn name(&self, map: &CheckedMap) -> String {
        format!("{}/{}", map.id, self.into.word())
    }
}

/// A filter with its place.
#[derive(Clone, Debug)]
pub struct Filter {
    /// The condition.
    pub condition: Expr,
    /// Its text.
    pub text: String,
    /// `file:line`
    pub place: String,
    /// Its place.
    pub at: At,
    /// The joins it follows.
    pub joins: Vec<usize>,
}

/// What the engine must know of a join beside the plan.
#[derive(Clone, Debug)]
pub struct JoinInfo {
    /// Cells of the referring columns; the reference is null where one of them is.
    pub refs: Vec<usize>,
    /// Cell of the found flag.
    pub found: usize,
    /// The join before it on the path.
    pub parent: Option<usize>,
    /// Joins of the same polymorphic step, itself included: missing only if none was found. One entry otherwise.
    pub siblings: Vec<usize>,
    /// The path so far, for messages: `salesorderid`.
    pub text: String,
}

/// What the engine may do to a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operations {
    /// Insert.
    pub create: bool,
    /// Change.
    pub update: bool,
    /// Delete.
    pub delete: bool,
}

/// How a leg is striped.
#[derive(Clone, Debug)]
pub enum Company {
    /// Not at all.
    None,
    /// The record's company is this expression of the source row; rows of companies that are not configured stay.
    Of(Expr),
    /// One target row per configured company, its code written into this column.
    Each(ColumnId),
}

/// What fills one column (or one end column of a reference) of the target.
#[derive(Clone, Debug)]
pub struct Line {
    /// `file:line`, for messages.
    pub place: String,
    /// Its place.
    pub at: At,
    /// The line's text, for messages.
    pub text: String,
    /// What it fills.
    pub target: LineTarget,
    /// The target column's name as the map writes it (`salesorderid.ordernumber` of a path), for messages.
    pub column: String,
    /// The value, before [`Line::ty`].
    pub value: Expr,
    /// The type it must have in the end.
    pub ty: Type,
    /// Whether a value may not fit `ty` (else no check per record is needed).
    pub checked: bool,
    /// Part of the key or the company.
    pub key: bool,
    /// `once`, or a create-only column: written on create, not compared after.
    pub once: bool,
    /// Whether the map says `once`.
    pub said_once: bool,
    /// `on missing`
    pub on_missing: OnMissing,
    /// The joins it follows (for `on missing`).
    pub joins: Vec<usize>,
    /// Columns of the source's own table it reads (referring columns of its paths included).
    pub inputs: Vec<ColumnId>,
    /// The number of the two-way line it is one direction of; the same in both legs.
    pub two_way: Option<usize>,
    /// For a two-way line: whether there and back is exact. A lossy one is written only when its input changed, on
    /// create, or in a full sync.
    pub exact: bool,
    /// Whether null may be written into the column (a required column without blank takes none).
    pub nullable: bool,
}

/// What a line fills.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineTarget {
    /// A column.
    Column(ColumnId),
    /// An input of a reference (by index in [`Leg::references`]); which one is said there.
    Reference(usize),
}

/// A reference written through a lookup, or a lookup column written as it is (then the referred row must exist).
#[derive(Clone, Debug)]
pub struct Reference {
    /// The lookup's name.
    pub name: String,
    /// Tables it may point to, tried in order: the first match is written.
    pub targets: Vec<ReferenceTarget>,
    /// For a polymorphic lookup: the column that gets the table's name.
    pub type_column: Option<ColumnId>,
    /// What to do where there is a value but no row.
    pub on_missing: OnMissing,
    /// Part of the key or the company.
    pub key: bool,
    /// Whether an update leaves it alone (all its lines are `once`, or its columns create-only).
    pub once: bool,
    /// Whether null may be written.
    pub nullable: bool,
}

/// One table a reference may point to.
#[derive(Clone, Debug)]
pub struct ReferenceTarget {
    /// The table.
    pub table: TableId,
    /// Its columns to find the row by, and where their values come from.
    pub by: Vec<(ColumnId, ReferenceInput)>,
    /// What is written: (column of the found row, referring column of the target).
    pub writes: Vec<(ColumnId, ColumnId)>,
    /// What the type column of a polymorphic lookup gets: the table's name, or the number of that member of a choice.
    pub type_value: Value,
}

/// Where the value to find a referred row by comes from. The reference is null where a `Line` or `Nested` is null.
#[derive(Clone, Debug)]
pub enum ReferenceInput {
    /// The value of a line (index in [`Leg::lines`]).
    Line(usize),
    /// A column of the record being written (its company), already resolved.
    Column(ColumnId),
    /// The first written column of another reference (index in [`Leg::references`]), resolved earlier; that reference
    /// writes nothing of its own (its targets' `writes` name the found column only for this).
    Nested(usize),
}

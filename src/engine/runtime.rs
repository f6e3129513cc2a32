//! The engine's handles: stores, legs made ready for running, limits.

use super::env::Env;
use super::lookups::Way;
use super::report::LegReport;
use crate::schema::{ColumnId, StoreSchema, Table};
use crate::sema::{CheckedMap, CheckedProject, Company, Leg, LineTarget, Reference, ReferenceInput};
use crate::store::{Change, Store, StoreError};
use crate::syntax::ast::{OnMissing, Side};
use crate::value::{Collation, Key, Type, Value};
use std::sync::Arc;

/// Why the engine stopped as a whole. A single record is never the reason.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something the user must decide first.
    #[error("{0}")]
    Refused(String),
    /// The engine was asked to stop.
    #[error("stopped on request")]
    Cancelled,
}

/// Result of engine work.
pub type Result<T> = std::result::Result<T, EngineError>;

/// A side as people name it: who wins in an initial sync, or into which one a leg writes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Master {
    /// A side of every map.
    Side(Side),
    /// The side that lies in this store.
    Store(String),
}

impl std::fmt::Display for Master {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Master::Side(side) => f.write_str(side.word()),
            Master::Store(name) => f.write_str(name),
        }
    }
}

impl Master {
    /// The side of a map that is meant; none where both lie in the store, or neither.
    pub fn side_of(&self, maps: &CheckedProject, map: &CheckedMap) -> Option<Side> {
        match self {
            Master::Side(side) => Some(*side),
            Master::Store(name) => match [map.left, map.right].map(|at| maps.stores[at.store].0 == *name) {
                [true, false] => Some(Side::Left),
                [false, true] => Some(Side::Right),
                _ => None,
            },
        }
    }
}

/// Sizes and times; the defaults are the protocol's.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Source rows per initial-sync chunk: one snapshot, one target transaction.
    pub chunk_rows: usize,
    /// Rows per batch inside a chunk, handed from reading to writing.
    pub batch_rows: usize,
    /// Records per live transaction.
    pub live_rows: usize,
    /// From how many records on the next chunk is evaluated while one is written; a thread is not worth it for fewer.
    pub apart_rows: usize,
    /// Log rows read at once, and records folded at once (of a long backlog up to five times as many).
    pub log_rows: usize,
    /// Cycles after which working off what is pending ends, come to rest or not.
    pub cycles: usize,
    /// Open failures at which a leg stops itself.
    pub open_failures: u64,
    /// How many of the last records are looked at for the failure rate…
    pub failure_window: usize,
    /// …and the share of them, in percent, at which a leg stops itself.
    pub failure_percent: usize,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            chunk_rows: 250_000,
            batch_rows: 1_000,
            live_rows: 1_000,
            apart_rows: 2_000,
            log_rows: 50_000,
            cycles: 100_000,
            open_failures: 1_000,
            failure_window: 200,
            failure_percent: 5,
        }
    }
}

/// One engine over one project.
pub struct Engine {
    /// The project's name; begins every leg's name in the state tables.
    pub project: String,
    /// The checked maps.
    pub maps: CheckedProject,
    /// The stores, in the order of [`CheckedProject::stores`].
    pub stores: Vec<Arc<dyn Store>>,
    /// Sizes and times.
    pub limits: Limits,
    /// Clock, randomness, cancellation.
    pub env: Env,
    pub(super) legs: Vec<LegRt>,
    pub(super) epochs: std::sync::Mutex<Vec<i64>>,
    pub(super) windows: std::sync::Mutex<std::collections::HashMap<String, super::quarantine::Window>>,
}

impl Engine {
    /// An engine that has not touched any store yet.
    pub fn new(project: &str, maps: CheckedProject, stores: Vec<Arc<dyn Store>>, env: Env, limits: Limits) -> Engine {
        let mut legs = Vec::new();
        for &m in &maps.order {
            let map = &maps.maps[m];
            for side in [Side::Left, Side::Right] {
                if map.leg(side).is_some() {
                    legs.push(LegRt::new(project, m, map, side, &maps.stores));
                }
            }
        }
        let owes: Vec<Vec<usize>> = legs.iter().map(|leg| owes(leg, &legs)).collect();
        legs.iter_mut().zip(owes).for_each(|(leg, owes)| leg.owes = owes);
        let epochs = std::sync::Mutex::new(vec![0; stores.len()]);
        Engine {
            project: project.to_string(),
            maps,
            stores,
            limits,
            env,
            legs,
            epochs,
            windows: std::sync::Mutex::default(),
        }
    }
    pub(super) fn source(&self, leg: &LegRt) -> &Arc<dyn Store> {
        &self.stores[leg.leg().source.store]
    }
    pub(super) fn target(&self, leg: &LegRt) -> &Arc<dyn Store> {
        &self.stores[leg.leg().target.store]
    }
    pub(super) fn epoch(&self, store: usize) -> i64 {
        self.epochs.lock().map(|e| e[store]).unwrap_or(0)
    }
    /// The leg of the same map in the other direction, as ready.
    pub(super) fn opposite(&self, leg: &LegRt) -> Option<&LegRt> {
        self.legs.iter().find(|l| l.map_index == leg.map_index && l.into != leg.into)
    }
}

/// Where a written cell comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CellFrom {
    /// The line's value.
    Line(usize),
    /// A reference's nth written column.
    Reference(usize, usize),
    /// The company of a fan-out.
    Each,
}

/// A column that a leg writes.
#[derive(Clone, Debug)]
pub(super) struct Cell {
    pub column: ColumnId,
    pub from: CellFrom,
    /// Written on create, left alone after.
    pub once: bool,
    /// Part of the integration key.
    pub key: bool,
    /// Number of its two-way line and whether that is exact.
    pub two_way: Option<(usize, bool)>,
    pub collation: Collation,
    /// Index of a line to blame in messages.
    pub line: Option<usize>,
}

/// A leg made ready: names resolved to positions once.
#[derive(Clone, Debug)]
pub(super) struct LegRt {
    pub map: Arc<CheckedMap>,
    pub map_index: usize,
    pub into: Side,
    /// `PROJECT/MAP/left`
    pub name: String,
    /// What is written, key cells first.
    pub cells: Vec<Cell>,
    /// The columns of `cells`, in order.
    pub columns: Vec<ColumnId>,
    /// For each column of the leg's key the index in `cells`.
    pub key_cells: Vec<usize>,
    pub source_key_types: Vec<Type>,
    /// Columns of the source's primary key.
    pub source_primary_key: Vec<ColumnId>,
    pub source_key_folds: Vec<Collation>,
    pub target_key_folds: Vec<Collation>,
    /// No references: a cell is a line.
    pub plain: bool,
    /// How changed rows of other tables lead to records.
    pub ways: Vec<Way>,
    /// References that are written as null while their row is missing, and filled when it is there (R19).
    pub owes: Vec<usize>,
}

/// The references of a leg inside a ring of tables, or from a table to itself, that may be empty for a while: waiting for
/// their rows, the records might wait for each other. One that runs both ways may not: null would be carried back.
fn owes(leg: &LegRt, legs: &[LegRt]) -> Vec<usize> {
    let l = leg.leg();
    let to = |r: &Reference| r.targets.iter().map(|t| t.table).collect::<Vec<_>>();
    let ends_here = |r: &Reference| {
        let mut seen = to(r);
        let mut at = 0;
        while let Some(table) = seen.get(at).copied().filter(|t| *t != l.target.table) {
            let from_it = |o: &&LegRt| o.leg().target.store == l.target.store && o.leg().target.table == table;
            for next in legs.iter().filter(from_it).flat_map(|o| &o.leg().references).flat_map(to) {
                if !seen.contains(&next) {
                    seen.push(next);
                }
            }
            at += 1;
        }
        at < seen.len()
    };
    let may = |(n, r): &(usize, &Reference)| {
        let inputs = || l.references.iter().flat_map(|r| &r.targets).flat_map(|t| &t.by);
        let two_way = l.lines.iter().any(|line| line.target == LineTarget::Reference(*n) && line.two_way.is_some());
        let nested = inputs().any(|(_, input)| matches!(input, ReferenceInput::Nested(i) if i == n));
        let nullable = r.nullable && !r.key && !r.once && r.on_missing == OnMissing::Park;
        nullable && l.operations.update && !two_way && !nested && ends_here(r)
    };
    l.references.iter().enumerate().filter(may).map(|(n, _)| n).collect()
}

impl LegRt {
    fn new(
        project: &str,
        map_index: usize,
        map: &Arc<CheckedMap>,
        into: Side,
        stores: &[(String, Arc<StoreSchema>)],
    ) -> LegRt {
        let leg = map.leg(into).unwrap_or_else(|| unreachable!("asked only for legs that are there"));
        let target: &Table = stores[leg.target.store].1.get(leg.target.table);
        let source: &Table = stores[leg.source.store].1.get(leg.source.table);
        let mut cells: Vec<Cell> = Vec::new();
        let mut add = |cell: Cell| match cells.iter_mut().find(|c| c.column == cell.column) {
            Some(known) => known.key |= cell.key,
            None => cells.push(cell),
        };
        let collation = |c: ColumnId| target.column(c).collation;
        if let Company::Each(column) = leg.company {
            add(Cell {
                column,
                from: CellFrom::Each,
                once: false,
                key: true,
                two_way: None,
                collation: collation(column),
                line: None,
            });
        }
        for (i, line) in leg.lines.iter().enumerate() {
            if let LineTarget::Column(column) = line.target {
                add(Cell {
                    column,
                    from: CellFrom::Line(i),
                    once: line.once,
                    key: line.key,
                    two_way: line.two_way.map(|n| (n, line.exact)),
                    collation: collation(column),
                    line: Some(i),
                });
            }
        }
        for (r, reference) in leg.references.iter().enumerate() {
            // A nested reference only feeds another one.
            let nested = leg
                .references
                .iter()
                .flat_map(|r| &r.targets)
                .flat_map(|t| &t.by)
                .any(|(_, input)| matches!(input, crate::sema::ReferenceInput::Nested(n) if *n == r));
            if nested {
                continue;
            }
            let line = leg.lines.iter().position(|l| l.target == LineTarget::Reference(r));
            let two_way = line.and_then(|l| leg.lines[l].two_way.map(|n| (n, leg.lines[l].exact)));
            let mut columns: Vec<ColumnId> =
                reference.targets.first().map(|t| t.writes.iter().map(|w| w.1).collect()).unwrap_or_default();
            columns.extend(reference.type_column);
            for (n, column) in columns.into_iter().enumerate() {
                add(Cell {
                    column,
                    from: CellFrom::Reference(r, n),
                    once: reference.once,
                    key: reference.key,
                    two_way,
                    collation: collation(column),
                    line,
                });
            }
        }
        let columns: Vec<ColumnId> = cells.iter().map(|c| c.column).collect();
        let key_cells = leg.key.iter().filter_map(|k| columns.iter().position(|c| c == k)).collect();
        LegRt {
            map: map.clone(),
            map_index,
            into,
            name: format!("{project}/{}", leg.name(map)),
            key_cells,
            source_primary_key: source.primary_key.clone(),
            source_key_types: source.primary_key.iter().map(|c| source.column(*c).ty.clone()).collect(),
            source_key_folds: source.primary_key.iter().map(|c| source.column(*c).collation).collect(),
            target_key_folds: target.primary_key.iter().map(|c| target.column(*c).collation).collect(),
            ways: super::lookups::ways(leg, &stores[leg.source.store].1),
            plain: leg.references.is_empty() && !matches!(leg.company, Company::Each(_)),
            columns,
            cells,
            owes: vec![],
        }
    }
    /// Counts of it, none yet.
    pub fn counts(&self) -> LegReport {
        LegReport { map: self.map.id.clone(), into: self.into.word().into(), ..LegReport::default() }
    }
    pub fn leg(&self) -> &Leg {
        self.map.leg(self.into).unwrap_or_else(|| unreachable!("a ready leg has its leg"))
    }
    /// The name of the leg in the other direction, whether it exists or not.
    pub fn opposite_name(&self, project: &str) -> String {
        format!("{project}/{}/{}", self.map.id, self.into.other().word())
    }
    pub fn source_key(&self, values: &[Value]) -> Key {
        Key::new(values.iter().zip(self.source_key_folds.iter().copied()))
    }
    pub fn target_key(&self, values: &[Value]) -> Key {
        Key::new(values.iter().zip(self.target_key_folds.iter().copied()))
    }
    /// Whether it writes into the table that it reads.
    pub fn is_derived(&self) -> bool {
        self.leg().source == self.leg().target
    }
    /// Whether a log row of its source is its map's own work, which it has not to carry. `opposite`: the name of the leg in
    /// the other direction.
    pub fn made(&self, change: &Change, opposite: &str) -> bool {
        let origin = change.origin.as_deref();
        origin == Some(opposite) || (self.is_derived() && origin == Some(&self.name))
    }
    /// The columns of the source from which the integration key comes.
    pub fn key_inputs(&self) -> impl Iterator<Item = &ColumnId> {
        self.leg().lines.iter().filter(|l| l.key).flat_map(|l| &l.inputs)
    }
    /// Whether it writes references to rows of its own target.
    pub fn refers_to_itself(&self) -> bool {
        let l = self.leg();
        l.references.iter().flat_map(|r| &r.targets).any(|t| t.table == l.target.table)
    }
    /// Whether a new or scheduled run includes it without being named.
    pub fn is_live(&self) -> bool {
        matches!(self.map.run, crate::syntax::ast::RunMode::Live)
    }
}

//! The Store trait: what the engine asks of a system that holds tables. A store never sees a map; it sees tables and
//! columns of its schema, plans made of them, typed values, and the state tables of the protocol.
//!
//! Values cross this boundary typed by the schema. A stored value that does not fit its column's schema is reported as
//! a [`Misfit`], never cast; a blank is read as null and null is written as the blank.

mod plan;
mod state;

#[cfg(feature = "sqlite")]
pub mod memory;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "sqlite")]
pub mod sqlite;

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic, missing_docs)]
pub(crate) mod conformance;

pub use plan::*;
pub use state::*;

use crate::schema::{ColumnId, LiveTable, StoreSchema, TableId};
use crate::value::Value;
use std::sync::Arc;

/// Why a store could not do what it was asked. Never the fault of one record.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The store cannot be reached, opened, read or locked: `(store, reason, what to do)`.
    #[error("store `{store}` cannot be reached: {reason}")]
    Unreachable {
        /// The store's name.
        store: String,
        /// The reason in words.
        reason: String,
    },
    /// Tables or columns of the schema are missing in the store, or have another shape.
    #[error("store `{store}` does not have what its schema says: {}", problems.join("; "))]
    Schema {
        /// The store's name.
        store: String,
        /// One sentence each.
        problems: Vec<String>,
    },
    /// The transaction is gone; nothing of it happened.
    #[error("store `{store}` lost the transaction: {reason}")]
    Lost {
        /// The store's name.
        store: String,
        /// The reason in words.
        reason: String,
    },
    /// Another engine has taken over.
    #[error("another engine has taken over project `{project}` in store `{store}`")]
    Fenced {
        /// The store's name.
        store: String,
        /// The project.
        project: String,
    },
    /// The store went back in time, or is another one (R4).
    #[error("store `{store}` is not where progress left it: {reason}; run `tablemap recover`")]
    NeedsRecover {
        /// The store's name.
        store: String,
        /// What does not match.
        reason: String,
    },
    /// Anything else.
    #[error("store `{store}`: {reason}")]
    Other {
        /// The store's name.
        store: String,
        /// The reason in words.
        reason: String,
    },
}

/// Result of a store operation.
pub type Result<T> = std::result::Result<T, StoreError>;

/// Why one record could not be written. The transaction goes on without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The kind, which decides what the engine does.
    pub kind: RecordErrorKind,
    /// The column at fault, where one is.
    pub column: Option<ColumnId>,
    /// The reason in words.
    pub message: String,
}

impl RecordError {
    /// What is told of a row that was to be changed, and is no more.
    pub fn gone() -> RecordError {
        RecordError { kind: RecordErrorKind::Refused, column: None, message: "the row is not there any more".into() }
    }
}

/// Kinds of [`RecordError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordErrorKind {
    /// A unique key is taken: retried once after the cycle's deletes (R19).
    Unique,
    /// A foreign key has no row.
    Foreign,
    /// A required column has no value.
    Required,
    /// The value does not fit the column as stored.
    Misfit,
    /// A check constraint or a trigger of the store refused it.
    Refused,
}

/// A point in a store's change log; opaque to the engine, ordered by the store alone.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Default)]
pub struct Position(pub String);

/// How long a store's log is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSize {
    /// Rows, counted from the first to the last number.
    pub rows: u64,
    /// When the oldest row was written; empty where there is none.
    pub oldest: String,
    /// What the rows hold, in bytes: guessed from the newest ones.
    pub bytes: u64,
    /// What the server keeps besides of what the log has not taken in yet, in bytes; none where it keeps nothing.
    pub held_back: Option<u64>,
}

/// Who a store is (R4).
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Identity {
    /// Made once, kept in the store.
    pub store_id: String,
    /// Changes when the store is restored or replaced on purpose.
    pub incarnation: String,
}

/// A store as the engine sees it. Methods open what they need; the handles are used by one thread at a time.
pub trait Store: Send + Sync {
    /// Its name in the project.
    fn name(&self) -> &str;
    /// Its schema.
    fn schema(&self) -> &Arc<StoreSchema>;
    /// What is missing of `tables` in the store, one sentence each; empty is fine.
    fn verify(&self, tables: &[TableId]) -> Result<Vec<String>>;
    /// Every table the store has, whatever the schema says; not those of tablemap or of the store itself.
    fn describe(&self) -> Result<Vec<LiveTable>>;
    /// Creates the schema's tables that are not there (for demos, new projects and tests).
    fn create_tables(&self) -> Result<()>;
    /// Creates the state tables where they are not there.
    fn prepare(&self) -> Result<()>;
    /// Whether [`Store::prepare`] ever ran here.
    fn is_prepared(&self) -> Result<bool>;
    /// Who the store is; needs [`Store::prepare`].
    fn identity(&self) -> Result<Identity>;
    /// Takes the project over: raises its epoch and returns it (R13).
    fn take_over(&self, project: &str, holder: &str) -> Result<i64>;
    /// Lets the change log hold what `specs` ask for, for `wanted_by` (a project); tables no longer asked for by
    /// anybody are let go. Returns the tables whose capture was newly made or made anew.
    fn capture(&self, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>>;
    /// Installs exactly these guards for the project, replacing its earlier ones; an empty list removes them.
    fn install_guards(&self, project: &str, guards: &[GuardSpec]) -> Result<()>;
    /// Removes every trace of the project's guards; how many were there.
    fn remove_guards(&self, project: &str) -> Result<usize>;
    /// The guards installed for the project: (table, operation, map, mode), and the reports of `report` guards.
    fn guards(&self, project: &str) -> Result<GuardStatus>;
    /// Opens a consistent view for reading.
    fn snapshot(&self) -> Result<Box<dyn Snapshot>>;
    /// Begins a write transaction; waits for the lock as long as the store's busy time allows.
    fn begin(&self) -> Result<Box<dyn Transaction>>;
    /// A cheap watch on whether anything was committed by anybody.
    fn watch(&self) -> Result<Box<dyn Watch>>;
    /// The position that has consumed everything up to and including the change with this number.
    fn position_at(&self, seq: i64) -> Position;
    /// Says in the source up to where a leg has come, so that the log may be cut (after the target's commit, lazily).
    fn acknowledge(&self, acks: &[(String, Position)]) -> Result<()>;
    /// The rights that `role` (none = the one that asks here) needs for these uses; none where a store knows no rights.
    fn grants(&self, uses: &[Use], role: Option<&str>) -> Result<Vec<Grant>> {
        let _ = (uses, role);
        Ok(vec![])
    }
    /// Work between cycles: cuts the log, checkpoints.
    fn maintain(&self) -> Result<()>;
}

/// A cheap watch.
pub trait Watch: Send {
    /// Whether anything was committed since the last call (the first call says yes).
    fn changed(&mut self) -> Result<bool>;
}

/// Reading, in a snapshot or in a write transaction.
pub trait Read {
    /// The newest position of the log that this view sees.
    fn head(&mut self) -> Result<Position>;
    /// The random mark of the newest log row at or below a position, and whether the log still reaches back to it
    /// (R4); none = the log was cut or went back.
    fn witness(&mut self, position: &Position) -> Result<Option<String>>;
    /// Appends at most `limit` rows of `plan` in the order of the table's primary key, beginning after the key
    /// `after`. A chunk goes on beyond `limit` while the key of its last row cannot be read (a misfit): nobody could go
    /// on after it. `plan` should hold the primary key of the base. Fewer than `limit` rows: the end was reached.
    fn scan(&mut self, plan: &ReadPlan, after: Option<&[Value]>, limit: usize, out: &mut Rows) -> Result<()>;
    /// Appends at least one row, at most about `limit`, in whatever order is cheapest to go through once, beginning
    /// where `cursor` says (none = at the start). For copying a whole table: rows that are there the whole time come
    /// once; what is inserted or changed meanwhile is in the log.
    fn sweep(&mut self, plan: &ReadPlan, cursor: Option<&str>, limit: usize, out: &mut Rows) -> Result<Swept>;
    /// Appends one row per primary key, in order; the bool says whether it is there (else its cells are null).
    fn fetch(&mut self, plan: &ReadPlan, keys: &[Vec<Value>], out: &mut Rows) -> Result<Vec<bool>>;
    /// Appends the rows whose columns `by` hold these values (compared by the columns' collation), in any order. A null
    /// finds nothing.
    fn related(&mut self, plan: &ReadPlan, by: &[ColumnId], values: &[Value], out: &mut Rows) -> Result<()>;
    /// Appends the row there would be if the base table held these values (other base columns null), lookups as they
    /// are in this view.
    fn imagine(&mut self, plan: &ReadPlan, base: &[(ColumnId, Value)], out: &mut Rows) -> Result<()>;
    /// Primary keys of base rows that reach the join `join` of the plan with these values in the join's referring
    /// columns, in key order, after `after`, at most `limit`.
    fn dependents(
        &mut self,
        plan: &ReadPlan,
        join: usize,
        values: &[Value],
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Vec<Value>>>;
    /// For each list of values the rows of `table` that hold them in the columns `by` (compared by the columns'
    /// collation): primary key and the columns `read`. More than one is told as [`Found::Many`].
    fn find(&mut self, table: TableId, by: &[ColumnId], keys: &[Vec<Value>], read: &[ColumnId]) -> Result<Vec<Found>>;
    /// At most `limit` log rows after `after` of these tables, in order; rows meant for a leg (`touch`) come only if
    /// it is among `legs`. Returns whether the end of the log was reached.
    fn changes(
        &mut self,
        after: &Position,
        tables: &[TableId],
        legs: &[String],
        limit: usize,
        out: &mut Vec<Change>,
    ) -> Result<bool>;
    /// How many log rows of these tables lie after a position (for `status`), not counting rows whose origin is one of `own`.
    fn count_changes(&mut self, after: &Position, tables: &[TableId], own: &[String]) -> Result<u64>;
    /// How long the log is; what is cheap to know.
    fn log_size(&mut self) -> Result<LogSize>;
    /// Whether the table holds no row.
    fn is_empty(&mut self, table: TableId) -> Result<bool>;
    /// How many rows the table holds (for progress; may be an estimate).
    fn count(&mut self, table: TableId) -> Result<u64>;
    /// The state tables.
    fn state(&mut self) -> &mut dyn ReadState;
}

/// Where a [`Read::sweep`] stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Swept {
    /// Go on with this cursor.
    More(String),
    /// That was all.
    End,
    /// The cursor means nothing any more (the table was rebuilt): begin again.
    Stale,
}

/// A consistent view.
pub trait Snapshot: Read + Send {}

/// One write transaction; dropped without commit it is rolled back.
pub trait Transaction: Read {
    /// Fails with [`StoreError::Fenced`] if the project's epoch is not this one.
    fn check_epoch(&mut self, project: &str, epoch: i64) -> Result<()>;
    /// Marks what follows as written by `leg` on behalf of `path`, settling earlier changes of the record or not (R2,
    /// R15). Cheap when nothing changes. Removed by [`Transaction::commit`].
    fn writing(&mut self, leg: &str, settles: bool, path: &str) -> Result<()>;
    /// Inserts a row; the primary key where the store made a part of it.
    fn insert(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        row: &[Value],
    ) -> Result<std::result::Result<Option<Vec<Value>>, RecordError>>;
    /// Inserts rows of one shape; one outcome per row, as [`Transaction::insert`] would give it.
    fn insert_all(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[&[Value]],
        outcomes: &mut Vec<std::result::Result<Option<Vec<Value>>, RecordError>>,
    ) -> Result<()> {
        for row in rows {
            outcomes.push(self.insert(table, columns, row)?);
        }
        Ok(())
    }
    /// Changes a row by primary key; a row that is not there is [`RecordErrorKind::Refused`].
    fn update(
        &mut self,
        table: TableId,
        key: &[Value],
        columns: &[ColumnId],
        values: &[Value],
    ) -> Result<std::result::Result<(), RecordError>>;
    /// Changes the same columns of several rows, each given by its primary key and its values; one outcome per row, as
    /// [`Transaction::update`] would give it.
    fn update_all(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[(&[Value], &[Value])],
        outcomes: &mut Vec<std::result::Result<(), RecordError>>,
    ) -> Result<()> {
        for (key, values) in rows {
            outcomes.push(self.update(table, key, columns, values)?);
        }
        Ok(())
    }
    /// Whether rows that are written together cost less than one by one.
    fn in_batches(&self) -> bool {
        false
    }
    /// Deletes a row by primary key; one that is not there is no error.
    fn delete(&mut self, table: TableId, key: &[Value]) -> Result<std::result::Result<(), RecordError>>;
    /// Deletes rows by primary key; one outcome per row, as [`Transaction::delete`] would give it.
    fn delete_all(
        &mut self,
        table: TableId,
        keys: &[&[Value]],
        outcomes: &mut Vec<std::result::Result<(), RecordError>>,
    ) -> Result<()> {
        for key in keys {
            outcomes.push(self.delete(table, key)?);
        }
        Ok(())
    }
    /// Adds a touch row to the log, for one leg.
    fn touch(&mut self, table: TableId, key: &[Value], old: &[(ColumnId, Value)], for_leg: &str) -> Result<()>;
    /// Log rows of this transaction that carry the leg's origin lose it and keep the path (R3) where there are more of a
    /// (table, key) than the leg wrote: a user's trigger wrote as well. `written`: how often the leg wrote the row, by the
    /// key that it gave it. Returns how many lost it.
    fn disown_side_effects(&mut self, leg: &str, written: &dyn Fn(TableId, &[Value]) -> usize) -> Result<u64>;
    /// The state tables, for writing.
    fn state_mut(&mut self) -> &mut dyn WriteState;
    /// Checks deferred constraints, unmarks the writer, commits.
    fn commit(self: Box<Self>) -> Result<()>;
}

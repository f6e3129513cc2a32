//! The protocol's state tables, typed. `leg` is `MAP-ID/left` or `MAP-ID/right`, prefixed with the project:
//! `PROJECT/MAP-ID/left`. Keys are [`crate::value::Key::to_text`] forms. Times are UTC, `2026-11-20T10:00:00.000Z`.

use super::{Position, Result};
use crate::schema::{ColumnId, TableId};
use crate::value::Value;

/// Where a leg stands (in its target).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The leg.
    pub leg: String,
    /// Hash of the map's meaning when it last ran.
    pub map_hash: String,
    /// The source's store id.
    pub source_id: String,
    /// The source's incarnation.
    pub source_incarnation: String,
    /// Everything up to here in the source's log is consumed.
    pub position: Position,
    /// The source position the target reflects.
    pub cut: Position,
    /// The mark of the log row at the position.
    pub witness: String,
    /// `initial` or `live`.
    pub phase: String,
    /// Where initial sync stands: the last key done, as a key text; empty = at the start.
    pub cursor: String,
    /// What the operator wants: `run`, `pause`, `stop`.
    pub desired: String,
    /// What it does: `running`, `paused`, `stopped`, `needs recover`, `too many failures`.
    pub state: String,
    /// The engine's epoch at the last write.
    pub epoch: i64,
    /// When a record was last applied.
    pub last_applied_at: String,
    /// When a scheduled leg last began to run.
    pub last_run_at: String,
}

/// Kinds of quarantine entries.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum QuarantineKind {
    /// Failed; retried with back-off or by command.
    Failed,
    /// Waits for a record it looks up.
    Parked,
    /// Waits for a person (conflict `hold`).
    Held,
    /// Skipped by command, kept.
    Skipped,
    /// A reference still to be filled.
    Debt,
    /// Cut out of a circle.
    Circle,
}

impl QuarantineKind {
    /// Its word in the table.
    pub fn word(self) -> &'static str {
        match self {
            QuarantineKind::Failed => "failed",
            QuarantineKind::Parked => "parked",
            QuarantineKind::Held => "held",
            QuarantineKind::Skipped => "skipped",
            QuarantineKind::Debt => "debt",
            QuarantineKind::Circle => "circle",
        }
    }
    /// Back from the word.
    pub fn from_word(word: &str) -> Option<QuarantineKind> {
        use QuarantineKind::*;
        [Failed, Parked, Held, Skipped, Debt, Circle].into_iter().find(|k| k.word() == word)
    }
}

/// A record in quarantine (in the leg's target).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Quarantined {
    /// The leg.
    pub leg: String,
    /// The source record's key text.
    pub key: String,
    /// The company, where the leg fans out; else empty.
    pub company: String,
    /// Why it waits.
    pub kind: QuarantineKind,
    /// A stable code, `TM9001`.
    pub code: String,
    /// The map line at fault, `file:line`, or empty.
    pub line: String,
    /// The column at fault, or empty.
    pub column: String,
    /// The value at fault, readable, or empty.
    pub value: String,
    /// The whole message: map, line, record, column, value, reason, remedy.
    pub message: String,
    /// Values before the first change, for two-way lines (JSON), or empty.
    pub base: String,
    /// The integration key before, where it changed (key text), or empty.
    pub old_ikey: String,
    /// How often it was tried.
    pub tries: i64,
    /// When to try again by itself; empty = only by command (or, parked, when what it waits for arrives).
    pub next_try: String,
    /// When it first failed.
    pub since: String,
}

/// What a parked record waits for (in the target).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wait {
    /// The leg.
    pub leg: String,
    /// The source record's key text.
    pub key: String,
    /// The referred table, in the target store.
    pub table: TableId,
    /// Its columns.
    pub columns: Vec<ColumnId>,
    /// The values they must hold.
    pub values: Vec<Value>,
}

/// Which record a [`Ahead`] speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum AheadKind {
    /// The one that had the key at that point of the log.
    Now,
    /// The one that lost the key with that very log row, or was deleted by it.
    Gone,
    /// The one that had the key at that point, but not the deleted one whose key it took.
    Reborn,
}

impl AheadKind {
    /// Its word in the table.
    pub fn word(self) -> &'static str {
        match self {
            AheadKind::Now => "now",
            AheadKind::Gone => "gone",
            AheadKind::Reborn => "reborn",
        }
    }
    /// Back from the word.
    pub fn from_word(word: &str) -> Option<AheadKind> {
        [AheadKind::Now, AheadKind::Gone, AheadKind::Reborn].into_iter().find(|k| k.word() == word)
    }
}

/// A record that was consumed beyond its leg's position (in the target).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ahead {
    /// The source record's key text at that point of the log.
    pub key: String,
    /// Which record that is.
    pub kind: AheadKind,
    /// Up to which log number it was consumed.
    pub through: i64,
}

/// Entries of one run for `_tablemap_runs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RunRecord {
    /// Run id.
    pub run: String,
    /// The leg.
    pub leg: String,
    /// Times.
    pub started: String,
    /// Times.
    pub ended: String,
    /// JSON object of counts.
    pub counts: String,
    /// JSON list of samples.
    pub samples: String,
}

/// What is written down of a conflict (in the target of the leg that found it).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConflictRow {
    /// Its number in this store.
    pub id: i64,
    /// The leg that found it.
    pub leg: String,
    /// The source record's key text.
    pub key: String,
    /// Values before the first change on either side, and the lines (JSON).
    pub base: String,
    /// Values on the left (JSON).
    pub left: String,
    /// Values on the right (JSON).
    pub right: String,
    /// What became of it; `held` while it waits for a person.
    pub outcome: String,
    /// When it was found.
    pub at: String,
}

/// Which quarantine entries to list.
#[derive(Clone, Debug, Default)]
pub struct QuarantineFilter {
    /// Of this leg only.
    pub leg: Option<String>,
    /// Entries whose `next_try` is set and not after this time.
    pub due: Option<String>,
    /// Only entries with an integration key before.
    pub rekeyed: bool,
    /// At most so many; 0 = all.
    pub limit: usize,
}

/// Reading state.
pub trait ReadState {
    /// A leg's progress.
    fn progress(&mut self, leg: &str) -> Result<Option<Progress>>;
    /// Every leg's progress whose name begins with the prefix.
    fn all_progress(&mut self, prefix: &str) -> Result<Vec<Progress>>;
    /// Entries of the quarantine, by leg and key.
    fn quarantined(&mut self, filter: &QuarantineFilter) -> Result<Vec<Quarantined>>;
    /// One entry per key and company, where there is one.
    fn quarantine_of(&mut self, leg: &str, key: &str) -> Result<Vec<Quarantined>>;
    /// How many entries of a leg there are, by kind.
    fn quarantine_counts(&mut self, leg: &str) -> Result<Vec<(QuarantineKind, u64)>>;
    /// Key texts of parked records of a leg one of whose waits has arrived: each of a polymorphic reference's tables, and
    /// each company of a fan-out, is a wait of its own.
    fn arrived(&mut self, leg: &str, limit: usize) -> Result<Vec<String>>;
    /// Records consumed beyond the position, by key.
    fn ahead(&mut self, leg: &str) -> Result<Vec<Ahead>>;
    /// Integration keys that records consumed beyond the position hold: (integration key text, the record's key text).
    fn held(&mut self, leg: &str) -> Result<Vec<(String, String, i64)>>;
    /// Initial-sync chunks: (upper key text, log number), in the order they were read.
    fn ledger(&mut self, leg: &str) -> Result<Vec<(String, i64)>>;
    /// The newest run records of legs with the prefix, newest first.
    fn runs(&mut self, prefix: &str, limit: usize) -> Result<Vec<RunRecord>>;
    /// The conflicts of a leg, or of one record of it by its key text, oldest first.
    fn conflicts(&mut self, leg: &str, key: Option<&str>) -> Result<Vec<ConflictRow>>;
    /// How many conflict rows a leg has.
    fn conflict_count(&mut self, leg: &str) -> Result<u64>;
    /// Tables (as they are named in the store) whose capture is suspended for the project.
    fn suspended(&mut self, project: &str) -> Result<Vec<String>>;
    /// Companies recorded for the project: (company, since, until).
    fn companies(&mut self, project: &str) -> Result<Vec<(String, String, String)>>;
}

/// Writing state.
pub trait WriteState: ReadState {
    /// Writes a leg's progress.
    fn put_progress(&mut self, progress: &Progress) -> Result<()>;
    /// Forgets a leg altogether: progress, consumed, held, ledger, quarantine, waits.
    fn forget_leg(&mut self, leg: &str) -> Result<()>;
    /// Puts or replaces an entry; the first `since` and the first `base` stay.
    fn quarantine(&mut self, entry: &Quarantined) -> Result<()>;
    /// Solved entries go, with their waits; how many there were. An empty company means all.
    fn release(&mut self, leg: &str, key: &str, company: &str) -> Result<u64>;
    /// An entry's integration key before is no longer its record's.
    fn forget_before(&mut self, leg: &str, key: &str, company: &str) -> Result<()>;
    /// What a parked record waits for, replacing its earlier waits.
    fn put_waits(&mut self, leg: &str, key: &str, company: &str, waits: &[Wait]) -> Result<()>;
    /// Notes a record consumed beyond the position.
    fn put_ahead(&mut self, leg: &str, ahead: &Ahead) -> Result<()>;
    /// Notes that such a record holds an integration key, whoever held it before.
    fn put_held(&mut self, leg: &str, ikey: &str, key: &str, through: i64) -> Result<()>;
    /// Drops records consumed, and keys held, at or below the log number.
    fn drop_ahead(&mut self, leg: &str, through: i64) -> Result<()>;
    /// Enters an initial-sync chunk.
    fn put_ledger(&mut self, leg: &str, upper: &str, position: i64) -> Result<()>;
    /// Drops a leg's ledger.
    fn drop_ledger(&mut self, leg: &str) -> Result<()>;
    /// Logs a conflict: leg, key, base, left, right (JSON), outcome.
    fn put_conflict(&mut self, leg: &str, key: &str, base: &str, left: &str, right: &str, outcome: &str) -> Result<()>;
    /// Replaces what the conflict with this number says; its leg and its time stay.
    fn update_conflict(&mut self, row: &ConflictRow) -> Result<()>;
    /// Writes a run record.
    fn put_run(&mut self, run: &RunRecord) -> Result<()>;
    /// Notes that a table's capture is suspended for the project, or no more.
    fn put_suspended(&mut self, project: &str, table: &str, suspended: bool) -> Result<()>;
    /// Writes a company (until empty = now).
    fn put_company(&mut self, project: &str, company: &str, since: &str, until: &str) -> Result<()>;
}

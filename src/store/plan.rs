//! What the engine asks to read, write, capture and guard: store-neutral, ids only.

use crate::schema::{ColumnId, TableId};
use crate::value::Value;
use std::cmp::Ordering;

/// What to read of one table and of the rows its lookups reach.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct ReadPlan {
    /// The base table.
    pub table: TableId,
    /// Rows reached over lookups, each from the base or an earlier join (left outer).
    pub joins: Vec<Join>,
    /// The columns of a row, in order: (0 = base, n = join n-1; column). After them a row holds one
    /// [`Value::Boolean`] per join: whether the referred row was found.
    pub columns: Vec<(usize, ColumnId)>,
}

/// One lookup followed.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Join {
    /// Where the referring columns are: 0 = base, n = join n-1.
    pub from: usize,
    /// The referring columns.
    pub columns: Vec<ColumnId>,
    /// The referred table.
    pub table: TableId,
    /// Its columns, equal to `columns` one by one.
    pub key: Vec<ColumnId>,
    /// In a polymorphic lookup: follow only where this column of the referring row holds this value.
    pub when: Option<(ColumnId, Value)>,
}

/// Rows in one flat buffer.
#[derive(Debug, Default)]
pub struct Rows {
    /// Cells of a row: columns of the plan, then one found flag per join.
    pub width: usize,
    /// `width` cells per row.
    pub cells: Vec<Value>,
    /// Cells that did not fit their schema; they hold null.
    pub misfits: Vec<(usize, Misfit)>,
}

impl Rows {
    /// Room for rows of a plan.
    pub fn of(plan: &ReadPlan) -> Rows {
        Rows { width: plan.columns.len() + plan.joins.len(), ..Rows::default() }
    }
    /// How many rows.
    pub fn len(&self) -> usize {
        self.cells.len().checked_div(self.width).unwrap_or(0)
    }
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
    /// The cells of row `i`.
    pub fn row(&self, i: usize) -> &[Value] {
        &self.cells[i * self.width..(i + 1) * self.width]
    }
    /// Forgets the rows, keeps the room.
    pub fn clear(&mut self) {
        self.cells.clear();
        self.misfits.clear();
    }
}

/// A stored value that does not fit its column's schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misfit {
    /// The table it stands in.
    pub table: TableId,
    /// The column.
    pub column: ColumnId,
    /// The primary key as stored, readable.
    pub key: String,
    /// The stored value, readable, cut to 200 characters.
    pub value: String,
    /// Why it does not fit, in words ("is no date", "is longer than 20 characters").
    pub reason: String,
}

/// What a [`super::Read::find`] found for one key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// No row.
    None,
    /// One row: its primary key and the columns asked for.
    One {
        /// Primary key.
        key: Vec<Value>,
        /// The columns asked for; one that does not fit its schema is null here and listed in `misfits`.
        values: Vec<Value>,
        /// Values that do not fit, by index; a misfit of the key's column `i` stands at `values.len() + i`.
        misfits: Vec<(usize, Misfit)>,
    },
    /// More than one: the columns are no key.
    Many,
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Inserted.
    Insert,
    /// Changed.
    Update,
    /// Deleted.
    Delete,
    /// Owed to a leg by the engine.
    Touch,
    /// The whole table was emptied or must be compared.
    Truncate,
}

impl Op {
    /// What a letter in a store's log means.
    pub fn from_letter(letter: &str) -> Op {
        match letter {
            "I" => Op::Insert,
            "U" => Op::Update,
            "D" => Op::Delete,
            "T" => Op::Touch,
            _ => Op::Truncate,
        }
    }
    /// Its word in maps and messages.
    pub fn word(self) -> &'static str {
        match self {
            Op::Insert => "create",
            Op::Update => "update",
            Op::Delete => "delete",
            Op::Touch => "touch",
            Op::Truncate => "truncate",
        }
    }
}

/// One log row.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// Its number.
    pub seq: i64,
    /// The table.
    pub table: TableId,
    /// What happened.
    pub op: Op,
    /// Primary key after (or, of a delete, before); a key that does not fit the schema is told as its misfit.
    pub key: std::result::Result<Vec<Value>, Misfit>,
    /// Primary key before, where it changed.
    pub old_key: Option<Vec<Value>>,
    /// Values before, of the columns the capture keeps (on update and delete) or of a touch's base.
    pub old: Vec<(ColumnId, Value)>,
    /// The leg that wrote it; none = a direct change.
    pub origin: Option<String>,
    /// For the opposite leg earlier changes of this record are done.
    pub settles: bool,
    /// The legs that led to it, separated by blanks.
    pub path: String,
    /// When, in UTC, as the store's clock says.
    pub at: String,
}

/// What the log of a table must hold.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CaptureSpec {
    /// The table.
    pub table: TableId,
    /// Columns whose change is logged.
    pub watched: Vec<ColumnId>,
    /// Columns whose values before the change are kept (primary key always is).
    pub old: Vec<ColumnId>,
}

/// A fence for one operation on one table.
#[derive(Clone, Debug, PartialEq)]
pub struct GuardSpec {
    /// The map's id.
    pub map: String,
    /// The map's name, for the message.
    pub map_name: String,
    /// The table.
    pub table: TableId,
    /// Insert, Update or Delete.
    pub op: Op,
    /// For updates: the columns people may change all the same; none = no column at all.
    pub except: Vec<ColumnId>,
    /// The rows it holds for (by their state before an update or delete, after an insert); none = all.
    pub when: Option<Predicate>,
    /// Refuse (else record).
    pub reject: bool,
    /// The message, whole: names the map and the reason.
    pub message: String,
}

/// A condition on one row's own columns, in three-valued logic, blanks read as null.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// All of them.
    And(Vec<Predicate>),
    /// Any of them.
    Or(Vec<Predicate>),
    /// Not.
    Not(Box<Predicate>),
    /// Column compared with a value of its type, by its collation.
    Compare(ColumnId, Comparison, Value),
    /// Column is null.
    IsNull(ColumnId),
    /// Column is one of these values.
    In(ColumnId, Vec<Value>),
}

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    /// Whether it holds for two values in this order.
    pub fn holds(self, order: Ordering) -> bool {
        match self {
            Comparison::Eq => order.is_eq(),
            Comparison::Ne => order.is_ne(),
            Comparison::Lt => order.is_lt(),
            Comparison::Le => order.is_le(),
            Comparison::Gt => order.is_gt(),
            Comparison::Ge => order.is_ge(),
        }
    }
    /// The same with the sides exchanged.
    pub fn turned(self) -> Comparison {
        match self {
            Comparison::Lt => Comparison::Gt,
            Comparison::Le => Comparison::Ge,
            Comparison::Gt => Comparison::Lt,
            Comparison::Ge => Comparison::Le,
            same => same,
        }
    }
    /// Its sign in SQL.
    pub fn sql(self) -> &'static str {
        match self {
            Comparison::Eq => "=",
            Comparison::Ne => "<>",
            Comparison::Lt => "<",
            Comparison::Le => "<=",
            Comparison::Gt => ">",
            Comparison::Ge => ">=",
        }
    }
}

/// Guards that are installed, and what report guards saw.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GuardStatus {
    /// (map id, table, operation word, `reject` or `report`).
    pub installed: Vec<(String, String, String, String)>,
    /// (time, map id, table, operation word, key), newest first, at most 100.
    pub reports: Vec<(String, String, String, String, String)>,
}

/// What maps do with a table; they read whatever they use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Use {
    /// The table.
    pub table: TableId,
    /// The columns of rows that they make.
    pub insert: Vec<ColumnId>,
    /// The columns that they change.
    pub update: Vec<ColumnId>,
    /// Whether they delete rows.
    pub delete: bool,
    /// Whether the store must tell them what changes, or refuse what people do.
    pub triggers: bool,
    /// The maps' ids.
    pub maps: Vec<String>,
}

/// A statement that gives a right which the maps need.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    /// What is needed, in words.
    pub what: String,
    /// The statement, for the owner to run.
    pub sql: String,
    /// The table it is about; none = the store as a whole.
    pub table: Option<TableId>,
    /// Whether the role has not got it yet.
    pub missing: bool,
}

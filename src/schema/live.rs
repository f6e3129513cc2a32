//! What a store says of its tables as they stand, in the same words for every store.

use crate::value::{Collation, Type};

/// A table of a live store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LiveTable {
    /// Its name.
    pub name: String,
    /// Its columns, in the store's order.
    pub columns: Vec<LiveColumn>,
    /// The primary key, in key order; empty where there is none.
    pub primary_key: Vec<String>,
    /// Other keys that are unique over all rows; those over expressions or for some rows only are not among them.
    pub unique: Vec<Vec<String>>,
    /// Its foreign keys.
    pub foreign_keys: Vec<LiveForeignKey>,
    /// Every index, the ones of keys included.
    pub indexes: Vec<LiveIndex>,
    /// Triggers on it.
    pub triggers: Vec<LiveTrigger>,
    /// About how many rows it holds, where the store says so cheaply.
    pub rows: Option<u64>,
    /// What the store's people say of it.
    pub description: Option<String>,
}

/// A column of a live table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveColumn {
    /// Its name.
    pub name: String,
    /// The type as the store declares it, may be empty.
    pub declared: String,
    /// The type a schema would give it.
    pub ty: Type,
    /// What people should look at: the type is a guess, or digits may be lost.
    pub doubt: Option<String>,
    /// What it holds in truth.
    pub holds: Holds,
    /// Whether it may be null.
    pub nullable: bool,
    /// The default as the store writes it.
    pub default: Option<String>,
    /// Whether the store makes the value where none is given (a row id).
    pub generated: bool,
    /// Whether it is computed from others, so that nobody writes it.
    pub computed: bool,
    /// How its text compares; none = in a way that schemas do not know.
    pub collation: Option<Collation>,
    /// The only words it holds, where the store says so (an enum type); empty = others too.
    pub words: Vec<String>,
    /// What the store's people say of it.
    pub description: Option<String>,
}

/// What values a live column keeps as they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Anything.
    Anything,
    /// Text; numbers become text.
    Text,
    /// Numbers of at most 15 digits, and 64-bit whole numbers; text that is no number stays.
    Numbers,
    /// The same, and whole numbers become floats.
    Floats,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveForeignKey {
    /// Columns of the table.
    pub columns: Vec<String>,
    /// The table referred to.
    pub table: String,
    /// Its columns; empty = its primary key.
    pub referred: Vec<String>,
}

/// An index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveIndex {
    /// Its name.
    pub name: String,
    /// Its columns in order; none = an expression.
    pub columns: Vec<Option<String>>,
    /// Whether it is unique.
    pub unique: bool,
    /// Whether it holds some rows only.
    pub partial: bool,
}

/// A trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveTrigger {
    /// Its name.
    pub name: String,
    /// Whether tablemap made it.
    pub ours: bool,
    /// Columns of the table that it names, so that they cannot be dropped while it is there.
    pub columns: Vec<String>,
}

impl LiveTable {
    /// The column of that name, whatever its case.
    pub fn column(&self, name: &str) -> Option<&LiveColumn> {
        self.columns.iter().find(|c| c.name.eq_ignore_ascii_case(name))
    }
    /// Whether these columns, in any order, are together unique over all rows.
    pub fn is_unique(&self, names: &[&str]) -> bool {
        let same = |key: &Vec<String>| {
            key.len() == names.len() && names.iter().all(|n| key.iter().any(|k| k.eq_ignore_ascii_case(n)))
        };
        same(&self.primary_key) || self.unique.iter().any(same)
    }
    /// Whether an index over all rows begins with these columns, in any order among them.
    pub fn is_indexed(&self, names: &[&str]) -> bool {
        let begins = |key: &[Option<&str>]| {
            key.len() >= names.len()
                && names.iter().all(|n| key[..names.len()].iter().any(|k| k.is_some_and(|k| k.eq_ignore_ascii_case(n))))
        };
        let index = |i: &LiveIndex| {
            !i.partial && begins(&i.columns.iter().map(|c| c.as_deref()).collect::<Vec<Option<&str>>>())
        };
        begins(&self.primary_key.iter().map(|c| Some(c.as_str())).collect::<Vec<_>>()) || self.indexes.iter().any(index)
    }
}

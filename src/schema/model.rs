//! The model of a store schema.

use crate::source::Span;
use crate::value::{Collation, Type, Value};

/// Index of a table in [`StoreSchema::tables`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// Index of a column in [`Table::columns`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ColumnId(pub u32);

/// A store's tables.
#[derive(Clone, Debug, Default)]
pub struct StoreSchema {
    /// The store's name as the schema file gives it.
    pub name: String,
    /// Whether names of tables, columns and choice members match without regard to ASCII case.
    pub case_insensitive_names: bool,
    /// The tables, in file order.
    pub tables: Vec<Table>,
}

impl StoreSchema {
    /// The table of that name, exactly or as the store's rule for names says.
    pub fn table(&self, name: &str) -> Option<TableId> {
        position(self.tables.iter().map(|t| t.name.as_str()), name, self.case_insensitive_names).map(TableId)
    }
    /// The table of an id of this schema.
    pub fn get(&self, id: TableId) -> &Table {
        &self.tables[id.0 as usize]
    }
    /// The column of that name in a table.
    pub fn column(&self, table: TableId, name: &str) -> Option<ColumnId> {
        let t = self.get(table);
        position(t.columns.iter().map(|c| c.name.as_str()), name, self.case_insensitive_names).map(ColumnId)
    }
    /// The lookup of that name in a table (a lookup over one column is named like the column).
    pub fn lookup<'a>(&'a self, table: TableId, name: &str) -> Option<&'a Lookup> {
        let t = self.get(table);
        position(t.lookups.iter().map(|l| l.name.as_str()), name, self.case_insensitive_names)
            .map(|i| &t.lookups[i as usize])
    }
}

fn position<'a>(mut names: impl Iterator<Item = &'a str>, name: &str, fold: bool) -> Option<u32> {
    let same = |n: &str| {
        if fold { n.eq_ignore_ascii_case(name) } else { n == name }
    };
    names.position(same).map(|i| i as u32)
}

/// A table.
#[derive(Clone, Debug, Default)]
pub struct Table {
    /// Its name.
    pub name: String,
    /// The name of the table in the database where it is another one (`stored: …`).
    pub stored: Option<String>,
    /// Its place in the schema file.
    pub span: Span,
    /// The column that says to which company a row belongs, if the table is company-specific.
    pub company: Option<ColumnId>,
    /// The primary key; never empty.
    pub primary_key: Vec<ColumnId>,
    /// Further unique keys.
    pub alternate_keys: Vec<Vec<ColumnId>>,
    /// The columns, in file order.
    pub columns: Vec<Column>,
    /// The lookups.
    pub lookups: Vec<Lookup>,
    /// Whether people or another program fill it, so that no map has to.
    pub filled_elsewhere: bool,
}

impl Table {
    /// The column of an id of this table.
    pub fn column(&self, id: ColumnId) -> &Column {
        &self.columns[id.0 as usize]
    }
    /// The table's name in the database.
    pub fn stored_name(&self) -> &str {
        self.stored.as_deref().unwrap_or(&self.name)
    }
    /// Primary and alternate keys.
    pub fn keys(&self) -> impl Iterator<Item = &[ColumnId]> {
        std::iter::once(self.primary_key.as_slice()).chain(self.alternate_keys.iter().map(Vec::as_slice))
    }
}

/// A column.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its name, also in the database.
    pub name: String,
    /// Its place in the schema file.
    pub span: Span,
    /// Its type.
    pub ty: Type,
    /// Whether a row must have a value.
    pub required: bool,
    /// Whether nobody but the store writes it.
    pub read_only: bool,
    /// Whether it is written on create and never after.
    pub create_only: bool,
    /// Whether the store itself makes a value on create where none is given (an id, a number).
    pub generated: bool,
    /// What the store puts in on create where nothing is given.
    pub default: Option<Value>,
    /// Whether changes of it are seen (a computed column may not be).
    pub tracked: bool,
    /// How its text compares.
    pub collation: Collation,
    /// What stands for null: read, it becomes null; null is written as it. The store's own `blank` for text and dates
    /// is already taken in here.
    pub blank: Option<Value>,
    /// For a choice: whether the database holds the member's name instead of its number.
    pub choice_by_name: bool,
}

/// A reference to a row of another table.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The column's name, or for a lookup over several columns a name of its own.
    pub name: String,
    /// Its place in the schema file.
    pub span: Span,
    /// Which tables it may point to; more than one makes it polymorphic.
    pub targets: Vec<LookupTarget>,
    /// In a polymorphic lookup: the column that holds the name of the row's table (as the schema writes it).
    pub type_column: Option<ColumnId>,
}

/// One table a lookup may point to. `columns[i]` of the referring row equals `key[i]` of the referred row. Where the
/// referred table's key holds its company column and the lookup does not name it, load has added the pair of both
/// tables' company columns.
#[derive(Clone, Debug)]
pub struct LookupTarget {
    /// The referred table.
    pub table: TableId,
    /// Columns of the referring table.
    pub columns: Vec<ColumnId>,
    /// Columns of the referred table: one of its keys.
    pub key: Vec<ColumnId>,
}

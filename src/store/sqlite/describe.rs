//! The tables as they stand in the file: their shape, what is missing of a schema, and making them.

use super::connect::{Inner, Session, locked};
use super::types::{Affinity, encode, ident, literal, text_literal};
use crate::schema::{Column, ColumnId, Table, TableId};
use crate::store::{Result, StoreError};
use crate::value::{Collation, Type};
use rusqlite::{Connection, OptionalExtension};
use std::sync::Arc;

/// A table as it stands in the file.
#[derive(Debug, Default)]
pub(super) struct Shape {
    /// Its name as the file writes it.
    pub name: String,
    /// Per column of the schema's table: none where the file has no such column.
    pub columns: Vec<Option<ColumnShape>>,
    /// Every column of the file, by name.
    pub names: Vec<String>,
    /// Its unique keys without those that hold for some rows only or are over expressions.
    pub unique: Vec<Vec<(String, String)>>,
    /// Whether it has triggers that are not ours: a refused row is then undone by a savepoint.
    pub user_triggers: bool,
    /// Whether it can be gone through by row id.
    pub by_rowid: bool,
    /// The column that is another name of the row id.
    pub row_id: Option<String>,
    /// Columns that are computed from others.
    pub computed: Vec<String>,
}

/// A column as it stands in the file.
#[derive(Debug)]
pub(super) struct ColumnShape {
    pub declared: String,
    pub affinity: Affinity,
    /// `BINARY`, `NOCASE` or another, in upper case.
    pub collation: String,
}

impl Shape {
    pub fn affinity(&self, c: ColumnId) -> Affinity {
        self.columns[c.0 as usize].as_ref().map_or(Affinity::None, |c| c.affinity)
    }
    /// How the schema's collation is brought about where the stored one is another: the collation to name.
    pub fn collate(&self, column: &Column, c: ColumnId) -> Option<&'static str> {
        let stored = self.columns[c.0 as usize].as_ref().map_or("BINARY", |c| c.collation.as_str());
        match (column.collation, stored) {
            (Collation::NoCase, "NOCASE") | (Collation::Exact, "BINARY") => None,
            _ if !matches!(column.ty, Type::Text { .. }) => None,
            (c, _) => Some(super::types::collation_word(c)),
        }
    }
}

impl Session {
    /// The table's shape; an error where it, or a column of it, is not there.
    pub fn shape(&self, inner: &Inner, table: TableId) -> Result<Arc<Shape>> {
        let missing = |problem: String| StoreError::Schema { store: inner.name.clone(), problems: vec![problem] };
        self.shape_if_there(inner, table)?
            .ok_or_else(|| missing(format!("there is no table `{}`", inner.schema.get(table).stored_name())))
    }

    /// The table's shape as of the version that was looked at last; none where there is no such table.
    pub fn shape_if_there(&self, inner: &Inner, table: TableId) -> Result<Option<Arc<Shape>>> {
        {
            let mut shapes = locked(&inner.shapes);
            if shapes.0 != self.version {
                *shapes = (self.version, Default::default());
            }
            if let Some(s) = shapes.1.get(&table) {
                return Ok(Some(s.clone()));
            }
        }
        let Some(shape) = shape_of(&self.conn, inner.schema.get(table)).map_err(|e| inner.err(e))? else {
            return Ok(None);
        };
        let shape = Arc::new(shape);
        let mut shapes = locked(&inner.shapes);
        if shapes.0 == self.version {
            shapes.1.insert(table, shape.clone());
        }
        drop(shapes);
        Ok(Some(shape))
    }
}

/// The name of a table as the file writes it, and its SQL.
fn stored_table(conn: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    conn.prepare_cached("SELECT name FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?1)")?
        .query_row([name], |r| r.get(0))
        .optional()
}

/// The shape of a table, none where there is no such table.
pub(super) fn shape_of(conn: &Connection, t: &Table) -> rusqlite::Result<Option<Shape>> {
    let Some(name) = stored_table(conn, t.stored_name())? else {
        return Ok(None);
    };
    let mut shape = Shape { names: column_names(conn, &name)?, unique: unique_keys(conn, &name)?, ..Shape::default() };
    for c in &t.columns {
        let there = shape.names.iter().find(|n| n.eq_ignore_ascii_case(&c.name));
        shape.columns.push(match there {
            None => None,
            Some(n) => {
                let (declared, collation, ..) = conn.column_metadata(Some("main"), name.as_str(), n.as_str())?;
                let declared = declared.map_or(String::new(), |d| d.to_string_lossy().into_owned());
                Some(ColumnShape {
                    affinity: Affinity::of(&declared),
                    declared,
                    collation: collation.map_or("BINARY".into(), |c| c.to_string_lossy().to_ascii_uppercase()),
                })
            }
        });
    }
    shape.user_triggers = conn
        .prepare_cached(
            "SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND lower(tbl_name) = lower(?1) \
             AND substr(name, 1, 10) <> '_tablemap_'",
        )?
        .exists([&name])?;
    let without_rowid: bool = conn
        .prepare_cached("SELECT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1")?
        .query_row([&name], |r| r.get(0))?;
    shape.by_rowid = !without_rowid && !shape.names.iter().any(|n| n.eq_ignore_ascii_case("rowid"));
    let mut s = conn.prepare_cached("SELECT name FROM pragma_table_xinfo(?1, 'main') WHERE hidden IN (2, 3)")?;
    shape.computed = s.query_map([&name], |r| r.get(0))?.collect::<Result2<_>>()?;
    if !without_rowid {
        // The primary key is the row id if SQLite keeps no index for it.
        let sql = "SELECT max(name) FROM pragma_table_xinfo(?1, 'main') WHERE pk > 0 AND NOT EXISTS \
                   (SELECT 1 FROM pragma_index_list(?1, 'main') WHERE origin = 'pk')";
        shape.row_id = conn.prepare_cached(sql)?.query_row([&name], |r| r.get(0))?;
    }
    shape.name = name;
    Ok(Some(shape))
}

/// Every column of a table, generated ones too.
pub(super) fn column_names(conn: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut s = conn.prepare(&format!("PRAGMA main.table_xinfo({})", ident(table)))?;
    let names = s.query_map([], |r| r.get(1))?;
    names.collect()
}

/// The unique keys of a table as (column, collation): row id, primary key, unique constraints and indexes; not those
/// over expressions or for some rows only.
fn unique_keys(conn: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<(String, String)>>> {
    let mut keys: Vec<Vec<(String, String)>> = Vec::new();
    let mut indexes = conn.prepare(&format!("PRAGMA main.index_list({})", ident(table)))?;
    let listed: Vec<(String, bool, String, bool)> =
        indexes.query_map([], |r| Ok((r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)))?.collect::<Result2<_>>()?;
    let has_pk_index = listed.iter().any(|(_, _, origin, _)| origin == "pk");
    for (name, unique, _, partial) in listed {
        if !unique || partial {
            continue;
        }
        let mut info = conn.prepare(&format!("PRAGMA main.index_xinfo({})", ident(&name)))?;
        let columns: Vec<(Option<String>, Option<String>, bool)> =
            info.query_map([], |r| Ok((r.get(2)?, r.get(4)?, r.get(5)?)))?.collect::<Result2<_>>()?;
        let key: Option<Vec<(String, String)>> = columns
            .into_iter()
            .filter(|(_, _, is_key)| *is_key)
            .map(|(column, coll, _)| Some((column?, coll.unwrap_or_else(|| "BINARY".into()).to_ascii_uppercase())))
            .collect();
        keys.extend(key.filter(|k| !k.is_empty()));
    }
    if !has_pk_index {
        // A row id under the name of a column.
        let mut s = conn.prepare(&format!("PRAGMA main.table_xinfo({})", ident(table)))?;
        let pk: Vec<(String, i64)> = s.query_map([], |r| Ok((r.get(1)?, r.get(5)?)))?.collect::<Result2<_>>()?;
        let pk: Vec<_> = pk.into_iter().filter(|(_, n)| *n > 0).map(|(c, _)| (c, "BINARY".to_string())).collect();
        if !pk.is_empty() {
            keys.push(pk);
        }
    }
    Ok(keys)
}

type Result2<T> = rusqlite::Result<T>;

/// What is missing of a table, one sentence each. `shape`: the table as it stands in the file.
pub(super) fn verify(t: &Table, shape: Option<&Shape>) -> Vec<String> {
    let Some(shape) = shape else {
        return vec![format!("there is no table `{}`", t.stored_name())];
    };
    let mut problems = Vec::new();
    for (c, s) in t.columns.iter().zip(&shape.columns) {
        let Some(s) = s else {
            problems.push(format!("table `{}` has no column `{}`", t.stored_name(), c.name));
            continue;
        };
        let plausible = match &c.ty {
            Type::Text { .. } | Type::Json => matches!(s.affinity, Affinity::Text | Affinity::None | Affinity::Blob),
            Type::Integer | Type::Float => s.affinity != Affinity::Text,
            Type::Choice(_) => (s.affinity == Affinity::Text) <= c.choice_by_name,
            _ => true,
        };
        if !plausible {
            problems.push(format!(
                "column `{}` of `{}` is declared {}, in which a value of type {} would not stay what it is",
                c.name,
                t.stored_name(),
                s.declared,
                c.ty
            ));
        }
    }
    for key in t.keys() {
        let covers = |u: &Vec<(String, String)>| {
            u.len() == key.len()
                && key.iter().all(|c| u.iter().any(|(n, _)| n.eq_ignore_ascii_case(&t.column(*c).name)))
        };
        if !shape.unique.iter().any(covers) {
            let names: Vec<&str> = key.iter().map(|c| t.column(*c).name.as_str()).collect();
            problems.push(format!("table `{}` has no unique index on ({})", t.stored_name(), names.join(", ")));
        }
    }
    problems
}

/// The statements that make a table.
pub(super) fn create_sql(t: &Table) -> std::result::Result<Vec<String>, String> {
    let list = |key: &[ColumnId]| key.iter().map(|c| ident(&t.column(*c).name)).collect::<Vec<_>>().join(", ");
    let alone = |c: usize| t.primary_key == [ColumnId(c as u32)];
    let row_id = |c: usize| alone(c) && t.columns[c].ty == Type::Integer;
    let mut lines = Vec::new();
    for (i, c) in t.columns.iter().enumerate() {
        let declared = match &c.ty {
            Type::Integer | Type::Boolean => "INTEGER",
            Type::Choice(_) if !c.choice_by_name => "INTEGER",
            Type::Float => "REAL",
            Type::Binary => "BLOB",
            _ => "TEXT",
        };
        let mut line = format!("{} {declared}", ident(&c.name));
        if row_id(i) {
            line.push_str(" PRIMARY KEY");
        }
        if c.collation == Collation::NoCase && declared == "TEXT" {
            line.push_str(" COLLATE NOCASE");
        }
        let default = match (&c.default, &c.blank) {
            (Some(v), _) | (None, Some(v)) => Some(literal(encode(v, c, Affinity::of(declared))?.as_ref())),
            (None, None) if c.generated && c.ty == Type::Uuid => Some(UUID_V4.into()),
            _ => None,
        };
        // A generated number that is no row id is the next one; null stands until then.
        let must = c.required || t.primary_key.contains(&ColumnId(i as u32));
        if must && !row_id(i) && !(c.generated && c.ty == Type::Integer) {
            line.push_str(" NOT NULL");
        }
        if let Some(d) = default {
            line.push_str(&format!(" DEFAULT ({d})"));
        }
        lines.push(line);
    }
    if t.primary_key.len() != 1 || !row_id(t.primary_key[0].0 as usize) {
        lines.push(format!("PRIMARY KEY ({})", list(&t.primary_key)));
    }
    for key in &t.alternate_keys {
        lines.push(format!("UNIQUE ({})", list(key)));
    }
    let mut all =
        vec![format!("CREATE TABLE IF NOT EXISTS {} (\n  {}\n)", ident(t.stored_name()), lines.join(",\n  "))];
    let mut indexed: Vec<&[ColumnId]> = t.keys().collect();
    for target in t.lookups.iter().flat_map(|l| &l.targets) {
        if indexed.iter().any(|k| k.starts_with(&target.columns)) {
            continue;
        }
        indexed.push(&target.columns);
        let names: Vec<&str> = target.columns.iter().map(|c| t.column(*c).name.as_str()).collect();
        all.push(format!(
            "CREATE INDEX IF NOT EXISTS {} ON {} ({})",
            ident(&format!("{}_{}", t.stored_name(), names.join("_"))),
            ident(t.stored_name()),
            list(&target.columns)
        ));
    }
    for (i, c) in t.columns.iter().enumerate() {
        if c.generated && c.ty == Type::Integer && !row_id(i) {
            let (table, column) = (ident(t.stored_name()), ident(&c.name));
            all.push(format!(
                "CREATE TRIGGER IF NOT EXISTS {} AFTER INSERT ON {table} WHEN NEW.{column} IS NULL BEGIN \
                 UPDATE {table} SET {column} = (SELECT ifnull(max({column}), 0) + 1 FROM {table}) \
                 WHERE rowid = NEW.rowid; END",
                ident(&format!("{}_{}_number", t.stored_name(), c.name)),
            ));
        }
    }
    Ok(all)
}

/// A random uuid, version 4.
const UUID_V4: &str = "lower(hex(randomblob(4)) || '-' || hex(randomblob(2)) || '-4' || substr(hex(randomblob(2)), 2) || '-' \
     || substr('89AB', 1 + (abs(random() % 4)), 1) || substr(hex(randomblob(2)), 2) || '-' || hex(randomblob(6)))";

/// Makes the tables that are not there.
pub(super) fn create_tables(conn: &Connection, inner: &Inner) -> Result<()> {
    for t in &inner.schema.tables {
        if stored_table(conn, t.stored_name()).map_err(|e| inner.err(e))?.is_some() {
            continue;
        }
        let all = create_sql(t)
            .map_err(|why| inner.other(format!("table {} cannot be made: {why}", text_literal(&t.name))))?;
        for sql in all {
            conn.execute_batch(&sql).map_err(|e| inner.err(e))?;
        }
    }
    Ok(())
}

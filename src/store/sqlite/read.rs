//! Plans as SQL, and rows as values.

use super::Handle;
use super::connect::{Inner, Session};
use super::describe::Shape;
use super::types::{Affinity, Bound, decode, encode, form_count, ident, is_findable, literal, other_forms, readable};
use crate::schema::{Column, ColumnId, Table, TableId};
use crate::store::{Change, Found, LogSize, Misfit, Position, Read, ReadPlan, ReadState, Result, Rows, Swept};
use crate::value::{Key, Type, Value};
use rusqlite::types::ValueRef;
use rusqlite::{Row, Statement};
use std::fmt::Write;
use std::sync::Arc;

/// A [`ReadPlan`] as SQL. Result columns: the plan's, then per join the first column of its key (null = not found),
/// then the primary keys of the base and of every joined table.
pub(super) struct ScanPlan {
    pub scan_first: String,
    pub scan_next: String,
    /// By row id, from one on; the row id is the last result column. None where the table has none.
    pub sweep: Option<String>,
    width: usize,
    /// The statement up to its conditions.
    head: String,
    pub fetch: String,
    pub imagine: Imagine,
    /// Each of the plan's columns, and to which key it belongs.
    cells: Vec<(Column, ColumnId, usize)>,
    joins: usize,
    /// Per source (0 = base): where its primary key begins among the result columns, and its columns.
    keys: Vec<(usize, TableId, Vec<ColumnId>)>,
    /// Per column of the plan: whether it is a base primary key column with this affinity.
    key_affinity: Vec<Option<Affinity>>,
}

/// Halves of the statement around the row of a [`Read::imagine`].
pub(super) struct Imagine {
    head: String,
    tail: String,
}

/// A [`Read::find`] as SQL.
pub(super) struct FindPlan {
    sql: String,
    affinities: Vec<Affinity>,
}

/// An equality of a column with the forms of one key value, from parameter `n` on; which parameter is next.
pub(super) fn equality(alias: &str, t: &Table, shape: &Shape, c: ColumnId, n: usize) -> (String, usize) {
    let column = t.column(c);
    let name = format!("{alias}{}", ident(&column.name));
    let count = form_count(column, shape.affinity(c));
    if count > 1 {
        let marks: Vec<String> = (n..n + count).map(|i| format!("?{i}")).collect();
        return (format!("{name} IN ({})", marks.join(", ")), n + count);
    }
    let sql = match shape.collate(column, c) {
        None => format!("{name} = ?{n}"),
        // The first half may use an index, the second says what is meant.
        Some("BINARY") => format!("{name} = ?{n} AND {name} = ?{n} COLLATE BINARY"),
        Some(other) => format!("{name} = ?{n} COLLATE {other}"),
    };
    (sql, n + 1)
}

/// Binds the forms of a key value from parameter `n` on; which is next.
pub(super) fn bind_forms(
    s: &mut Statement<'_>,
    value: &Value,
    column: &Column,
    affinity: Affinity,
    n: usize,
) -> std::result::Result<usize, BindError> {
    let count = form_count(column, affinity);
    let bound = encode(value, column, affinity).map_err(BindError::Misfit)?;
    let mut at = n;
    if count > 1
        && let Bound::Text(t) = &bound
    {
        for form in other_forms(t, column) {
            at += 1;
            s.raw_bind_parameter(at, form.as_str()).map_err(BindError::Sql)?;
        }
    }
    s.raw_bind_parameter(n, bound).map_err(BindError::Sql)?;
    Ok(n + count)
}

/// Why a key could not be bound.
pub(super) enum BindError {
    /// Nothing stored can equal it.
    Misfit(String),
    Sql(rusqlite::Error),
}

fn source_alias(i: usize) -> String {
    format!("t{i}.")
}

impl ScanPlan {
    fn compile(session: &Session, inner: &Inner, plan: &ReadPlan) -> Result<ScanPlan> {
        let schema = &inner.schema;
        let base = schema.get(plan.table);
        let shapes: Vec<Arc<Shape>> = std::iter::once(plan.table)
            .chain(plan.joins.iter().map(|j| j.table))
            .map(|t| session.shape(inner, t))
            .collect::<Result<_>>()?;
        let tables: Vec<TableId> = std::iter::once(plan.table).chain(plan.joins.iter().map(|j| j.table)).collect();
        let name =
            |source: usize, c: ColumnId| format!("t{source}.{}", ident(&schema.get(tables[source]).column(c).name));
        let mut select: Vec<String> = plan.columns.iter().map(|(s, c)| name(*s, *c)).collect();
        for (i, j) in plan.joins.iter().enumerate() {
            select.push(name(i + 1, j.key[0]));
        }
        let mut keys = Vec::new();
        for (source, table) in tables.iter().enumerate() {
            let pk = schema.get(*table).primary_key.clone();
            keys.push((select.len(), *table, pk.clone()));
            select.extend(pk.iter().map(|c| name(source, *c)));
        }
        let mut from = String::new();
        for (i, j) in plan.joins.iter().enumerate() {
            let referring = schema.get(tables[j.from]);
            let mut on = Vec::new();
            for (c, k) in j.columns.iter().zip(&j.key) {
                on.push(same(&name(i + 1, *k), &name(j.from, *c), schema.get(j.table).column(*k), &shapes[i + 1], *k));
                // A blank refers to nothing.
                on.extend(not_blank(&name(j.from, *c), referring, &shapes[j.from], *c));
            }
            if let Some((c, v)) = &j.when {
                on.push(is_value(&name(j.from, *c), referring, &shapes[j.from], *c, v));
            }
            let _ = write!(from, " LEFT JOIN {} AS t{} ON {}", ident(&shapes[i + 1].name), i + 1, on.join(" AND "));
        }
        let width = select.len();
        let select = select.join(", ");
        let sweep = shapes[0].by_rowid.then(|| {
            let table = ident(&shapes[0].name);
            format!("SELECT {select}, t0.rowid FROM {table} AS t0{from} WHERE t0.rowid >= ?1 ORDER BY t0.rowid")
        });
        let head = format!("SELECT {select} FROM {} AS t0{from}", ident(&shapes[0].name));
        // The order of the primary key, by the schema's collation.
        let ordered: Vec<String> = base
            .primary_key
            .iter()
            .map(|c| match shapes[0].collate(base.column(*c), *c) {
                Some("NOCASE") => format!("{} COLLATE NOCASE", name(0, *c)),
                _ => name(0, *c),
            })
            .collect();
        let ordered = ordered.join(", ");
        let n = base.primary_key.len();
        let marks: Vec<String> = (1..=n).map(|i| format!("?{i}")).collect();
        let mut equal = Vec::new();
        let mut at = 1;
        for c in &base.primary_key {
            let (sql, next) = equality("t0.", base, &shapes[0], *c, at);
            equal.push(sql);
            at = next;
        }
        let key_affinity = plan
            .columns
            .iter()
            .map(|(s, c)| (*s == 0 && base.primary_key.contains(c)).then(|| shapes[0].affinity(*c)))
            .collect();
        Ok(ScanPlan {
            scan_first: format!("{head} ORDER BY {ordered} LIMIT ?1"),
            scan_next: if n == 1 {
                format!("{head} WHERE {ordered} > ?1 ORDER BY {ordered} LIMIT ?2")
            } else {
                format!("{head} WHERE ({ordered}) > ({}) ORDER BY {ordered} LIMIT ?{}", marks.join(", "), n + 1)
            },
            sweep,
            width,
            fetch: format!("{head} WHERE {}", equal.join(" AND ")),
            head,
            imagine: Imagine { head: format!("SELECT {select} FROM (SELECT "), tail: format!(") AS t0{from}") },
            cells: plan.columns.iter().map(|(s, c)| (schema.get(tables[*s]).column(*c).clone(), *c, *s)).collect(),
            joins: plan.joins.len(),
            keys,
            key_affinity,
        })
    }

    /// Appends one row; whether its primary key could be read.
    fn read(&self, row: &Row<'_>, out: &mut Rows) -> rusqlite::Result<bool> {
        let mut key_good = true;
        for (i, (c, column, source)) in self.cells.iter().enumerate() {
            let stored = row.get_ref(i)?;
            let why = match decode(stored, c) {
                Ok(v) => match self.key_affinity[i] {
                    Some(affinity) if !is_findable(stored, &v, c, affinity) => {
                        "stands in a form in which a key is not found again".into()
                    }
                    key => {
                        key_good &= key.is_none() || !v.is_null() || c.blank.is_some();
                        out.cells.push(v);
                        continue;
                    }
                },
                Err(why) => why,
            };
            key_good &= self.key_affinity[i].is_none();
            let (at, key_table, pk) = &self.keys[*source];
            let mut key = String::new();
            for n in 0..pk.len() {
                let _ = write!(key, "{}{}", if n == 0 { "" } else { ", " }, readable(row.get_ref(at + n)?));
            }
            let misfit =
                Misfit { table: *key_table, column: *column, key, value: readable(stored), reason: why.into_owned() };
            out.misfits.push((out.cells.len(), misfit));
            out.cells.push(Value::Null);
        }
        for j in 0..self.joins {
            let found = !matches!(row.get_ref(self.cells.len() + j)?, ValueRef::Null);
            out.cells.push(Value::Boolean(found));
        }
        Ok(key_good)
    }
}

/// `key = reference`, by the key column's collation as the schema has it.
fn same(key: &str, reference: &str, column: &Column, shape: &Shape, c: ColumnId) -> String {
    match shape.collate(column, c) {
        None => format!("{key} = {reference}"),
        Some("BINARY") => format!("{key} = {reference} AND {key} = {reference} COLLATE BINARY"),
        Some(other) => format!("{key} = {reference} COLLATE {other}"),
    }
}

fn not_blank(name: &str, t: &Table, shape: &Shape, c: ColumnId) -> Option<String> {
    let column = t.column(c);
    let blank = encode(column.blank.as_ref()?, column, shape.affinity(c)).ok()?;
    Some(format!("{name} <> {}", literal(blank.as_ref())))
}

/// `column = value` with a constant.
fn is_value(name: &str, t: &Table, shape: &Shape, c: ColumnId, v: &Value) -> String {
    let column = t.column(c);
    match encode(v, column, shape.affinity(c)) {
        Ok(Bound::Null) | Err(_) => "0".into(),
        Ok(bound) => {
            let collate = shape.collate(column, c).map(|w| format!(" COLLATE {w}")).unwrap_or_default();
            format!("{name} = {}{collate}", literal(bound.as_ref()))
        }
    }
}

impl Handle {
    pub(super) fn scan_plan(&mut self, plan: &ReadPlan) -> Result<Arc<ScanPlan>> {
        let inner = self.inner.clone();
        let s = self.session();
        if let Some(p) = s.scans.get(plan) {
            return Ok(p.clone());
        }
        let compiled = Arc::new(ScanPlan::compile(s, &inner, plan)?);
        s.scans.insert(plan.clone(), compiled.clone());
        Ok(compiled)
    }

    fn find_plan(&mut self, table: TableId, by: &[ColumnId], read: &[ColumnId]) -> Result<Arc<FindPlan>> {
        let inner = self.inner.clone();
        let s = self.session();
        let id = (table, by.to_vec(), read.to_vec());
        if let Some(p) = s.finds.get(&id) {
            return Ok(p.clone());
        }
        let shape = s.shape(&inner, table)?;
        let t = inner.schema.get(table);
        let select: Vec<String> = t.primary_key.iter().chain(read).map(|c| ident(&t.column(*c).name)).collect();
        let (mut equal, mut at) = (Vec::new(), 1);
        for c in by {
            let (sql, next) = equality("", t, &shape, *c, at);
            equal.push(sql);
            at = next;
        }
        let plan = Arc::new(FindPlan {
            sql: format!(
                "SELECT {} FROM {} WHERE {} LIMIT 2",
                select.join(", "),
                ident(&shape.name),
                equal.join(" AND ")
            ),
            affinities: by.iter().map(|c| shape.affinity(*c)).collect(),
        });
        s.finds.insert(id, plan.clone());
        Ok(plan)
    }

    /// The stored form of a key to go on after: its own where the row is still there, else the least it may have.
    fn stored_after(&mut self, table: TableId, key: &[Value]) -> Result<Vec<rusqlite::types::Value>> {
        let inner = self.inner.clone();
        let t = inner.schema.get(table);
        let shape = self.session().shape(&inner, table)?;
        let mut bounds = Vec::with_capacity(key.len());
        let mut several = false;
        for (c, v) in t.primary_key.iter().zip(key) {
            let (column, affinity) = (t.column(*c), shape.affinity(*c));
            let bound = encode(v, column, affinity)
                .map_err(|why| inner.other(format!("`{}` cannot be read on after {v}: it {why}", t.name)))?;
            let mut least: rusqlite::types::Value = bound.as_ref().try_into().map_err(|_| inner.other("key"))?;
            if form_count(column, affinity) > 1
                && let Bound::Text(own) = &bound
            {
                several = true;
                let all = other_forms(own, column);
                if let Some(min) = all.iter().map(|f| f.as_str()).chain([own.as_str()]).min() {
                    least = rusqlite::types::Value::Text(min.to_string());
                }
            }
            bounds.push(least);
        }
        if several {
            let plan = self.find_plan(table, &t.primary_key, &[])?;
            let conn = &self.session().conn;
            let mut s = conn.prepare_cached(&plan.sql).map_err(|e| inner.err(e))?;
            let mut at = 1;
            for ((c, v), affinity) in t.primary_key.iter().zip(key).zip(&plan.affinities) {
                match bind_forms(&mut s, v, t.column(*c), *affinity, at) {
                    Ok(next) => at = next,
                    Err(BindError::Sql(e)) => return Err(inner.err(e)),
                    Err(BindError::Misfit(_)) => return Ok(bounds),
                }
            }
            let mut rows = s.raw_query();
            if let Some(row) = rows.next().map_err(|e| inner.err(e))? {
                for (i, b) in bounds.iter_mut().enumerate() {
                    *b = row.get(i).map_err(|e| inner.err(e))?;
                }
            }
        }
        Ok(bounds)
    }
}

impl Read for Handle {
    fn log_size(&mut self) -> Result<LogSize> {
        self.log_length()
    }
    fn head(&mut self) -> Result<Position> {
        self.log_head()
    }

    fn witness(&mut self, position: &Position) -> Result<Option<String>> {
        self.log_witness(position)
    }

    fn scan(&mut self, plan: &ReadPlan, after: Option<&[Value]>, limit: usize, out: &mut Rows) -> Result<()> {
        let p = self.scan_plan(plan)?;
        let bounds = match after {
            Some(key) => Some(self.stored_after(plan.table, key)?),
            None => None,
        };
        let inner = self.inner.clone();
        let conn = &self.session().conn;
        let mut run = || -> rusqlite::Result<()> {
            let mut s = conn.prepare_cached(if bounds.is_some() { &p.scan_next } else { &p.scan_first })?;
            let mut n = 1;
            for b in bounds.iter().flatten() {
                s.raw_bind_parameter(n, b)?;
                n += 1;
            }
            // No bound on the rows in SQL: the chunk goes on while its last key cannot be read (nobody could go on
            // after it).
            s.raw_bind_parameter(n, -1)?;
            let mut rows = s.raw_query();
            let mut read = 0;
            while let Some(row) = rows.next()? {
                let good = p.read(row, out)?;
                read += 1;
                if read >= limit && good {
                    break;
                }
            }
            Ok(())
        };
        run().map_err(|e| inner.err(e))
    }

    fn sweep(&mut self, plan: &ReadPlan, cursor: Option<&str>, limit: usize, out: &mut Rows) -> Result<Swept> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let version = self.session().version;
        // Row ids of a table may change when it is rebuilt, which also changes the file's schema version. Without row
        // ids the order is the key's.
        let (kind, at) = match cursor.map(|c| c.split_once(' ').unwrap_or(("", c))) {
            None => ("", i64::MIN.to_string()),
            Some((kind, at)) => (kind, at.to_string()),
        };
        let Some(sql) = &p.sweep else {
            let types: Vec<Type> = {
                let t = inner.schema.get(plan.table);
                t.primary_key.iter().map(|c| t.column(*c).ty.clone()).collect()
            };
            let after = match cursor {
                None => None,
                Some(_) if kind != "key" => return Ok(Swept::Stale),
                Some(_) => match Key::parse(&at, &types) {
                    None => return Ok(Swept::Stale),
                    known => known.map(|k| k.0.into_vec()),
                },
            };
            let before = out.len();
            self.scan(plan, after.as_deref(), limit, out)?;
            if out.len() - before < limit {
                return Ok(Swept::End);
            }
            let last = out.row(out.len() - 1)[..types.len()].to_vec();
            return Ok(Swept::More(format!("key {}", Key(last.into_boxed_slice()).to_text())));
        };
        if cursor.is_some() && kind != format!("rowid-{version}") {
            return Ok(Swept::Stale);
        }
        let Ok(from) = at.parse::<i64>() else { return Ok(Swept::Stale) };
        let conn = &self.session().conn;
        let mut run = || -> rusqlite::Result<Option<i64>> {
            let mut s = conn.prepare_cached(sql)?;
            s.raw_bind_parameter(1, from)?;
            let mut rows = s.raw_query();
            let mut read = 0;
            while let Some(row) = rows.next()? {
                if read == limit {
                    return row.get(p.width).map(Some);
                }
                p.read(row, out)?;
                read += 1;
            }
            Ok(None)
        };
        Ok(match run().map_err(|e| inner.err(e))? {
            Some(next) => Swept::More(format!("rowid-{version} {next}")),
            None => Swept::End,
        })
    }

    fn fetch(&mut self, plan: &ReadPlan, keys: &[Vec<Value>], out: &mut Rows) -> Result<Vec<bool>> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        let session = self.session();
        let shape = session.shape(&inner, plan.table)?;
        let mut run = || -> rusqlite::Result<Vec<bool>> {
            let mut there = Vec::with_capacity(keys.len());
            let mut s = session.conn.prepare_cached(&p.fetch)?;
            for key in keys {
                let mut n = 1;
                let mut possible = true;
                for (c, v) in t.primary_key.iter().zip(key) {
                    match bind_forms(&mut s, v, t.column(*c), shape.affinity(*c), n) {
                        Ok(next) => n = next,
                        Err(BindError::Sql(e)) => return Err(e),
                        Err(BindError::Misfit(_)) => possible = false,
                    }
                }
                let mut found = false;
                if possible {
                    let mut rows = s.raw_query();
                    if let Some(row) = rows.next()? {
                        p.read(row, out)?;
                        found = true;
                    }
                }
                if !found {
                    out.cells.resize(out.cells.len() + p.cells.len(), Value::Null);
                    out.cells.resize(out.cells.len() + p.joins, Value::Boolean(false));
                }
                there.push(found);
            }
            Ok(there)
        };
        run().map_err(|e| inner.err(e))
    }

    fn related(&mut self, plan: &ReadPlan, by: &[ColumnId], values: &[Value], out: &mut Rows) -> Result<()> {
        if values.iter().any(Value::is_null) {
            return Ok(());
        }
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        let session = self.session();
        let shape = session.shape(&inner, plan.table)?;
        let (mut conditions, mut at) = (Vec::new(), 1);
        for c in by {
            let (sql, next) = equality("t0.", t, &shape, *c, at);
            conditions.push(sql);
            at = next;
        }
        let sql = format!("{} WHERE {}", p.head, conditions.join(" AND "));
        let mut run = || -> rusqlite::Result<()> {
            let mut s = session.conn.prepare_cached(&sql)?;
            let mut n = 1;
            for (c, v) in by.iter().zip(values) {
                match bind_forms(&mut s, v, t.column(*c), shape.affinity(*c), n) {
                    Ok(next) => n = next,
                    Err(BindError::Sql(e)) => return Err(e),
                    Err(BindError::Misfit(_)) => return Ok(()),
                }
            }
            let mut rows = s.raw_query();
            while let Some(row) = rows.next()? {
                p.read(row, out)?;
            }
            Ok(())
        };
        run().map_err(|e| inner.err(e))
    }

    fn imagine(&mut self, plan: &ReadPlan, base: &[(ColumnId, Value)], out: &mut Rows) -> Result<()> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let session = self.session();
        let shape = session.shape(&inner, plan.table)?;
        let t = inner.schema.get(plan.table);
        let mut fields = Vec::with_capacity(t.columns.len());
        let mut bounds = Vec::with_capacity(base.len());
        for (i, column) in t.columns.iter().enumerate() {
            let id = ColumnId(i as u32);
            let value = base.iter().find(|(c, _)| *c == id).map(|(_, v)| v);
            let field = match value {
                None => "NULL".to_string(),
                Some(v) => {
                    // What cannot be stored exactly here was never stored here: as text it equals nothing.
                    let bound = encode(v, column, shape.affinity(id))
                        .unwrap_or_else(|_| Bound::Text(compact_str::format_compact!("{v}")));
                    bounds.push(bound);
                    format!("?{}", bounds.len())
                }
            };
            fields.push(format!("{field} AS {}", ident(&column.name)));
        }
        let sql = format!("{}{}{}", p.imagine.head, fields.join(", "), p.imagine.tail);
        let mut run = || -> rusqlite::Result<()> {
            let mut s = session.conn.prepare_cached(&sql)?;
            for (i, b) in bounds.iter().enumerate() {
                s.raw_bind_parameter(i + 1, b)?;
            }
            let mut rows = s.raw_query();
            if let Some(row) = rows.next()? {
                p.read(row, out)?;
            }
            Ok(())
        };
        run().map_err(|e| inner.err(e))
    }

    fn dependents(
        &mut self,
        plan: &ReadPlan,
        join: usize,
        values: &[Value],
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Vec<Value>>> {
        let inner = self.inner.clone();
        let schema = &inner.schema;
        let tables: Vec<TableId> = std::iter::once(plan.table).chain(plan.joins.iter().map(|j| j.table)).collect();
        let table = |source: usize| schema.get(tables[source]);
        let j = &plan.joins[join];
        // A null refers to nothing.
        if values.iter().any(Value::is_null) {
            return Ok(vec![]);
        }
        let bounds = match after {
            Some(key) => self.stored_after(plan.table, key)?,
            None => vec![],
        };
        let session = self.session();
        let shapes: Vec<Arc<Shape>> = tables.iter().map(|t| session.shape(&inner, *t)).collect::<Result<_>>()?;
        let name = |source: usize, c: ColumnId| format!("t{source}.{}", ident(&table(source).column(c).name));
        // From the referring rows back to the base, in this order whatever the planner thinks.
        let mut from = format!("{} AS t{}", ident(&shapes[j.from].name), j.from);
        let mut conditions = Vec::new();
        let mut n = 1;
        for c in &j.columns {
            let (sql, next) = equality(&source_alias(j.from), table(j.from), &shapes[j.from], *c, n);
            conditions.push(sql);
            n = next;
        }
        if let Some((c, v)) = &j.when {
            conditions.push(is_value(&name(j.from, *c), table(j.from), &shapes[j.from], *c, v));
        }
        let mut source = j.from;
        while source > 0 {
            let link = &plan.joins[source - 1];
            let _ = write!(from, " CROSS JOIN {} AS t{}", ident(&shapes[link.from].name), link.from);
            for (c, k) in link.columns.iter().zip(&link.key) {
                conditions.push(same(
                    &name(source, *k),
                    &name(link.from, *c),
                    table(source).column(*k),
                    &shapes[source],
                    *k,
                ));
                conditions.extend(not_blank(&name(link.from, *c), table(link.from), &shapes[link.from], *c));
            }
            if let Some((c, v)) = &link.when {
                conditions.push(is_value(&name(link.from, *c), table(link.from), &shapes[link.from], *c, v));
            }
            source = link.from;
        }
        let base = table(0);
        // With `+` so that the planner goes by the referring columns, and not through the whole key for its order.
        let pk: Vec<String> = base
            .primary_key
            .iter()
            .map(|c| match shapes[0].collate(base.column(*c), *c) {
                Some("NOCASE") => format!("+{} COLLATE NOCASE", name(0, *c)),
                _ => format!("+{}", name(0, *c)),
            })
            .collect();
        let pk = pk.join(", ");
        if !bounds.is_empty() {
            let marks: Vec<String> = (0..bounds.len()).map(|i| format!("?{}", n + i)).collect();
            conditions.push(format!("({pk}) > ({})", marks.join(", ")));
        }
        let plain: Vec<String> = base.primary_key.iter().map(|c| name(0, *c)).collect();
        // Joins lead to one row at most, so no row comes twice.
        let sql = format!(
            "SELECT {} FROM {from} WHERE {} ORDER BY {pk} LIMIT ?{}",
            plain.join(", "),
            conditions.join(" AND "),
            n + bounds.len()
        );
        let run = || -> rusqlite::Result<Vec<Vec<Value>>> {
            let mut s = session.conn.prepare_cached(&sql)?;
            let mut n = 1;
            for (c, v) in j.columns.iter().zip(values) {
                match bind_forms(&mut s, v, table(j.from).column(*c), shapes[j.from].affinity(*c), n) {
                    Ok(next) => n = next,
                    Err(BindError::Sql(e)) => return Err(e),
                    Err(BindError::Misfit(_)) => return Ok(vec![]),
                }
            }
            for b in &bounds {
                s.raw_bind_parameter(n, b)?;
                n += 1;
            }
            s.raw_bind_parameter(n, i64::try_from(limit).unwrap_or(i64::MAX))?;
            let mut keys = Vec::new();
            let mut rows = s.raw_query();
            while let Some(row) = rows.next()? {
                let mut key = Vec::with_capacity(base.primary_key.len());
                for (i, c) in base.primary_key.iter().enumerate() {
                    if let Ok(v) = decode(row.get_ref(i)?, base.column(*c)) {
                        key.push(v);
                    }
                }
                // A row whose key does not fit is told by the scan.
                if key.len() == base.primary_key.len() {
                    keys.push(key);
                }
            }
            Ok(keys)
        };
        run().map_err(|e| inner.err(e))
    }

    fn find(&mut self, table: TableId, by: &[ColumnId], keys: &[Vec<Value>], read: &[ColumnId]) -> Result<Vec<Found>> {
        let plan = self.find_plan(table, by, read)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(table);
        let session = self.session();
        let run = || -> rusqlite::Result<Vec<Found>> {
            let mut s = session.conn.prepare_cached(&plan.sql)?;
            let mut all = Vec::with_capacity(keys.len());
            for key in keys {
                all.push(find_one(&mut s, t, table, by, &plan, key, read)?);
            }
            Ok(all)
        };
        run().map_err(|e| inner.err(e))
    }

    fn changes(
        &mut self,
        after: &Position,
        tables: &[TableId],
        legs: &[String],
        limit: usize,
        out: &mut Vec<Change>,
    ) -> Result<bool> {
        self.log_changes(after, tables, legs, limit, out)
    }

    fn count_changes(&mut self, after: &Position, tables: &[TableId], own: &[String]) -> Result<u64> {
        self.log_count(after, tables, own)
    }

    fn is_empty(&mut self, table: TableId) -> Result<bool> {
        let inner = self.inner.clone();
        let s = self.session();
        let shape = s.shape(&inner, table)?;
        let sql = format!("SELECT 1 FROM {} LIMIT 1", ident(&shape.name));
        let there = s.conn.prepare_cached(&sql).and_then(|mut s| s.exists([]));
        there.map(|there| !there).map_err(|e| inner.err(e))
    }

    fn count(&mut self, table: TableId) -> Result<u64> {
        let inner = self.inner.clone();
        let s = self.session();
        let shape = s.shape(&inner, table)?;
        let sql = format!("SELECT count(*) FROM {}", ident(&shape.name));
        let n: rusqlite::Result<i64> = s.conn.prepare_cached(&sql).and_then(|mut s| s.query_row([], |r| r.get(0)));
        n.map(|n| n.unsigned_abs()).map_err(|e| inner.err(e))
    }

    fn state(&mut self) -> &mut dyn ReadState {
        self
    }
}

fn find_one(
    s: &mut Statement<'_>,
    t: &Table,
    table: TableId,
    by: &[ColumnId],
    plan: &FindPlan,
    key: &[Value],
    read: &[ColumnId],
) -> rusqlite::Result<Found> {
    let mut n = 1;
    for ((c, v), affinity) in by.iter().zip(key).zip(&plan.affinities) {
        // A null binds the blank, or null, which equals nothing.
        match bind_forms(s, v, t.column(*c), *affinity, n) {
            Ok(next) => n = next,
            Err(BindError::Sql(e)) => return Err(e),
            Err(BindError::Misfit(_)) => return Ok(Found::None),
        }
    }
    let mut rows = s.raw_query();
    let Some(row) = rows.next()? else {
        return Ok(Found::None);
    };
    let pk = t.primary_key.len();
    let mut found_key = Vec::with_capacity(pk);
    let mut values = Vec::with_capacity(read.len());
    let mut misfits = Vec::new();
    let key_text = |row: &Row<'_>| -> rusqlite::Result<String> {
        let parts: rusqlite::Result<Vec<String>> = (0..pk).map(|i| Ok(readable(row.get_ref(i)?))).collect();
        Ok(parts?.join(", "))
    };
    for (i, c) in t.primary_key.iter().chain(read).enumerate() {
        let stored = row.get_ref(i)?;
        let value = match decode(stored, t.column(*c)) {
            Ok(v) => v,
            Err(why) => {
                let misfit = Misfit {
                    table,
                    column: *c,
                    key: key_text(row)?,
                    value: readable(stored),
                    reason: why.into_owned(),
                };
                // A misfit of the key itself comes after those of the values.
                misfits.push((if i < pk { read.len() + i } else { i - pk }, misfit));
                Value::Null
            }
        };
        if i < pk { found_key.push(value) } else { values.push(value) }
    }
    if rows.next()?.is_some() {
        return Ok(Found::Many);
    }
    Ok(Found::One { key: found_key, values, misfits })
}

//! Plans as SQL, and rows as values.

use super::Handle;
use super::connect::{Inner, Session};
use super::describe::{ColumnShape, Shape};
use super::error::Fault;
use super::types::{Fold, Kind, Param, array, decode, encode, ident, literal, readable};
use crate::schema::{Column, ColumnId, Table, TableId};
use crate::store::{
    Change, Found, LogSize, Misfit, Position, Read, ReadPlan, ReadState, Result, Rows, StoreError, Swept,
};
use crate::value::Value;
use std::borrow::Cow;
use std::fmt::Write;
use std::sync::Arc;
use tokio_postgres::{Row, SimpleQueryRow};

/// A [`ReadPlan`] as SQL. Result columns, all as text: the plan's, then per join the first column of its key (null = not
/// found), then the primary keys of the base and of every joined table.
pub(super) struct ScanPlan {
    /// `SELECT …`, without FROM.
    pub select: String,
    /// ` FROM base AS t0 LEFT JOIN …`
    pub from: String,
    /// The joins alone.
    joined: String,
    /// The columns of the order, by the schema's collation.
    pub ordered: Vec<String>,
    /// Conditions for `k.k0`, `k.k1` … of [`Read::fetch`].
    equal: String,
    cells: Vec<Cell>,
    joins: usize,
    /// Per source (0 = base): where its primary key begins among the result columns.
    keys: Vec<SourceKey>,
}

struct Cell {
    column: Column,
    id: ColumnId,
    source: usize,
    kind: Kind,
    /// Whether it is a part of the base's primary key.
    is_key: bool,
}

struct SourceKey {
    at: usize,
    table: TableId,
    kinds: Vec<Kind>,
}

/// A row whose values come as text.
pub(super) trait Texts {
    fn at(&self, i: usize) -> std::result::Result<Option<&str>, Fault>;
}
impl Texts for Row {
    fn at(&self, i: usize) -> std::result::Result<Option<&str>, Fault> {
        Ok(self.try_get(i)?)
    }
}
impl Texts for SimpleQueryRow {
    fn at(&self, i: usize) -> std::result::Result<Option<&str>, Fault> {
        Ok(self.try_get(i)?)
    }
}

/// A column as text in a result.
pub(super) fn shown(name: &str, kind: &Kind) -> String {
    match kind {
        Kind::Text(_) => name.to_string(),
        _ => format!("{name}::text"),
    }
}

/// What a column compares by, in orders and equalities.
pub(super) fn folded(name: &str, l: &ColumnShape) -> String {
    match l.fold {
        Fold::Plain => name.to_string(),
        Fold::Exactly => format!("({name}::text COLLATE \"C\")"),
        Fold::LowerC => format!("lower({name} COLLATE \"C\")"),
        Fold::Lower => format!("lower({name})"),
        Fold::AsText => format!("({name}::text)"),
    }
}

/// A value that came as text (a parameter, or a column of a list of keys), as the column compares.
pub(super) fn folded_value(text: &str, l: &ColumnShape) -> String {
    match (&l.fold, &l.kind) {
        (Fold::Exactly, _) => format!("({text}::text COLLATE \"C\")"),
        (Fold::LowerC, _) => format!("lower({text}::text COLLATE \"C\")"),
        (Fold::Lower, _) => format!("lower({text}::text COLLATE {})", l.collation),
        (Fold::AsText, _) => format!("{text}::text"),
        (Fold::Plain, Kind::Text(_)) => format!("{text}::text"),
        // Wide enough for every value; the index serves it all the same.
        (Fold::Plain, Kind::Int(_)) => format!("{text}::text::bigint"),
        (Fold::Plain, _) => format!("{text}::text::{}", l.cast),
    }
}

/// `column = value`, the value being text.
pub(super) fn equal_text(name: &str, text: &str, l: &ColumnShape) -> String {
    let condition = format!("{} = {}", folded(name, l), folded_value(text, l));
    match l.fold {
        // The first half may use an index, the second says what is meant.
        Fold::Exactly => format!("{name} = {text}::text::{} AND {condition}", l.cast),
        _ => condition,
    }
}

/// `key = reference`, by the key column as its schema has it.
fn same(key: &str, k: &ColumnShape, reference: &str, r: &ColumnShape) -> String {
    if !k.kind.compares_with(&r.kind) || !k.kind.compares() {
        return format!("{key}::text = {reference}::text");
    }
    if !k.kind.is_text() {
        return format!("{key} = {reference}");
    }
    let reference = match (&k.fold, &k.kind) {
        (Fold::Exactly, _) => format!("({reference}::text COLLATE \"C\")"),
        (Fold::LowerC, _) => format!("lower({reference}::text COLLATE \"C\")"),
        (Fold::Lower, _) => format!("lower({reference}::text COLLATE {})", k.collation),
        (_, Kind::Citext) => format!("{reference}::text::{}", k.cast),
        _ if k.kind == r.kind && k.collation == r.collation => reference.to_string(),
        _ => format!("({reference}::text COLLATE {})", k.collation),
    };
    format!("{} = {reference}", folded(key, k))
}

/// What is not the column's blank; a blank refers to nothing.
fn not_blank(name: &str, column: &Column, l: &ColumnShape) -> Option<String> {
    let blank = encode(column.blank.as_ref()?, column, &l.kind).ok()??;
    Some(format!("{} <> {}", folded(name, l), folded_value(&literal(Some(&blank)), l)))
}

/// `column = value` with a constant.
fn is_value(name: &str, column: &Column, l: &ColumnShape, v: &Value) -> String {
    match encode(v, column, &l.kind) {
        Ok(Some(text)) => equal_text(name, &literal(Some(&text)), l),
        Ok(None) | Err(_) => "false".into(),
    }
}

/// The column of a shape, or an error that it is not there.
pub(super) fn there<'a>(inner: &Inner, t: &Table, shape: &'a Shape, c: ColumnId) -> Result<&'a ColumnShape> {
    shape.column(c).ok_or_else(|| StoreError::Schema {
        store: inner.name.clone(),
        problems: vec![format!("table `{}` has no column `{}`", t.stored_name(), t.column(c).name)],
    })
}

/// Tables and shapes of a plan: the base and every joined one.
struct Tables<'a> {
    inner: &'a Inner,
    ids: Vec<TableId>,
    shapes: Vec<Arc<Shape>>,
}

impl<'a> Tables<'a> {
    fn of(session: &mut Session, inner: &'a Inner, plan: &ReadPlan) -> Result<Tables<'a>> {
        let ids: Vec<TableId> = std::iter::once(plan.table).chain(plan.joins.iter().map(|j| j.table)).collect();
        let shapes = ids.iter().map(|t| session.shape(inner, *t)).collect::<Result<_>>()?;
        Ok(Tables { inner, ids, shapes })
    }
    fn table(&self, source: usize) -> &'a Table {
        self.inner.schema.get(self.ids[source])
    }
    fn column(&self, source: usize, c: ColumnId) -> Result<&ColumnShape> {
        there(self.inner, self.table(source), &self.shapes[source], c)
    }
    fn name(&self, source: usize, c: ColumnId) -> Result<String> {
        Ok(format!("t{source}.{}", ident(&self.column(source, c)?.name)))
    }
    /// The conditions under which a join's row is reached from its referring row.
    fn on(&self, plan: &ReadPlan, join: usize) -> Result<Vec<String>> {
        let j = &plan.joins[join];
        let mut on = Vec::new();
        for (c, k) in j.columns.iter().zip(&j.key) {
            let (name, column) = (self.name(j.from, *c)?, self.column(j.from, *c)?);
            on.push(same(&self.name(join + 1, *k)?, self.column(join + 1, *k)?, &name, column));
            on.extend(not_blank(&name, self.table(j.from).column(*c), column));
        }
        if let Some((c, v)) = &j.when {
            on.push(is_value(&self.name(j.from, *c)?, self.table(j.from).column(*c), self.column(j.from, *c)?, v));
        }
        Ok(on)
    }
}

impl ScanPlan {
    fn compile(session: &mut Session, inner: &Inner, plan: &ReadPlan) -> Result<ScanPlan> {
        let tables = Tables::of(session, inner, plan)?;
        let mut select = Vec::new();
        let mut cells = Vec::new();
        let base = tables.table(0);
        for (source, c) in &plan.columns {
            let l = tables.column(*source, *c)?;
            select.push(shown(&tables.name(*source, *c)?, &l.kind));
            cells.push(Cell {
                column: tables.table(*source).column(*c).clone(),
                id: *c,
                source: *source,
                kind: l.kind.clone(),
                is_key: *source == 0 && base.primary_key.contains(c),
            });
        }
        for (i, j) in plan.joins.iter().enumerate() {
            if let Some(first) = j.key.first() {
                select.push(format!("{}::text", tables.name(i + 1, *first)?));
            }
        }
        let mut keys = Vec::new();
        for (source, table) in tables.ids.iter().enumerate() {
            let pk = &tables.table(source).primary_key;
            let mut key = SourceKey { at: select.len(), table: *table, kinds: vec![] };
            for c in pk {
                let l = tables.column(source, *c)?;
                select.push(shown(&tables.name(source, *c)?, &l.kind));
                key.kinds.push(l.kind.clone());
            }
            keys.push(key);
        }
        let mut joined = String::new();
        for i in 0..plan.joins.len() {
            let on = tables.on(plan, i)?.join(" AND ");
            let _ = write!(joined, " LEFT JOIN {} AS t{} ON {on}", tables.shapes[i + 1].sql, i + 1);
        }
        let mut ordered = Vec::new();
        let mut equal = Vec::new();
        for (i, c) in base.primary_key.iter().enumerate() {
            let (name, l) = (tables.name(0, *c)?, tables.column(0, *c)?);
            ordered.push(folded(&name, l));
            equal.push(equal_text(&name, &format!("k.k{i}"), l));
        }
        Ok(ScanPlan {
            select: format!("SELECT {}", select.join(", ")),
            from: format!(" FROM {} AS t0{joined}", tables.shapes[0].sql),
            joined,
            ordered,
            equal: equal.join(" AND "),
            cells,
            joins: plan.joins.len(),
            keys,
        })
    }

    /// How many result columns there are.
    pub fn width(&self) -> usize {
        self.keys.last().map_or(0, |k| k.at + k.kinds.len())
    }

    /// Appends one row; whether its primary key could be read.
    pub fn read(&self, row: &impl Texts, out: &mut Rows) -> std::result::Result<bool, Fault> {
        let mut key_good = true;
        for (i, cell) in self.cells.iter().enumerate() {
            let stored = row.at(i)?;
            match decode(stored, &cell.column, &cell.kind) {
                Ok(v) => {
                    key_good &= !cell.is_key || !v.is_null() || cell.column.blank.is_some();
                    out.cells.push(v);
                }
                Err(why) => {
                    key_good &= !cell.is_key;
                    let of = &self.keys[cell.source];
                    let mut key = String::new();
                    for (n, kind) in of.kinds.iter().enumerate() {
                        let part = readable(row.at(of.at + n)?, kind);
                        let _ = write!(key, "{}{part}", if n == 0 { "" } else { ", " });
                    }
                    let misfit = Misfit {
                        table: of.table,
                        column: cell.id,
                        key,
                        value: readable(stored, &cell.kind),
                        reason: why.into_owned(),
                    };
                    out.misfits.push((out.cells.len(), misfit));
                    out.cells.push(Value::Null);
                }
            }
        }
        for j in 0..self.joins {
            out.cells.push(Value::Boolean(row.at(self.cells.len() + j)?.is_some()));
        }
        Ok(key_good)
    }
}

/// The columns `k.k0`, `k.k1` … `k.n` of a list of keys that come as one array per column.
pub(super) fn key_list(n: usize) -> String {
    let arrays: Vec<String> = (1..=n).map(|i| format!("${i}::text[]")).collect();
    let names: Vec<String> = (0..n).map(|i| format!("k{i}")).collect();
    format!("unnest({}) WITH ORDINALITY AS k({}, n)", arrays.join(", "), names.join(", "))
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

    /// The values of a key as parameters; the error is for a key that nothing stored can equal.
    fn key_texts<'a>(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        key: &'a [Value],
    ) -> Result<std::result::Result<Vec<Option<Cow<'a, str>>>, String>> {
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, table)?;
        let t = inner.schema.get(table);
        let mut all = Vec::with_capacity(key.len());
        for (c, v) in columns.iter().zip(key) {
            match encode(v, t.column(*c), shape.kind(*c)) {
                Ok(text) => all.push(text.map(|t| Cow::Owned(t.into_owned()))),
                Err(why) => return Ok(Err(why)),
            }
        }
        Ok(Ok(all))
    }

    /// `(order) > (values)` with the values as literals or from parameter `n` on.
    pub(super) fn after(
        &mut self,
        plan: &ScanPlan,
        table: TableId,
        key: &[Value],
        mut put: impl FnMut(Option<String>) -> String,
    ) -> Result<String> {
        let inner = self.inner.clone();
        let t = inner.schema.get(table);
        let texts = self
            .key_texts(table, &t.primary_key, key)?
            .map_err(|why| inner.other(format!("`{}` cannot be read on after a key that {why}", t.name)))?;
        let shape = self.session().shape(&inner, table)?;
        let mut values = Vec::new();
        for (c, text) in t.primary_key.iter().zip(texts) {
            values.push(folded_value(&put(text.map(Cow::into_owned)), there(&inner, t, &shape, *c)?));
        }
        Ok(format!("({}) > ({})", plan.ordered.join(", "), values.join(", ")))
    }
}

impl Read for Handle {
    fn head(&mut self) -> Result<Position> {
        self.log_head()
    }

    fn witness(&mut self, position: &Position) -> Result<Option<String>> {
        self.log_witness(position)
    }

    fn scan(&mut self, plan: &ReadPlan, after: Option<&[Value]>, limit: usize, out: &mut Rows) -> Result<()> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let mut bounds: Vec<Option<String>> = Vec::new();
        let condition = match after {
            None => String::new(),
            Some(key) => {
                let put = |text: Option<String>| {
                    bounds.push(text);
                    format!("${}", bounds.len())
                };
                format!(" WHERE {}", self.after(&p, plan.table, key, put)?)
            }
        };
        let n = bounds.len();
        let sql = format!(
            "{}{}{condition} ORDER BY {} LIMIT ${}::text::bigint OFFSET ${}::text::bigint",
            p.select,
            p.from,
            p.ordered.join(", "),
            n + 1,
            n + 2
        );
        let mut skip = 0;
        loop {
            let mut params: Vec<Param<'_>> = bounds.iter().map(|b| Param(b.as_deref().map(Cow::Borrowed))).collect();
            params.extend([Param::number(limit), Param::number(skip)]);
            let rows = self.rows(&sql, &params)?;
            let mut good = true;
            for row in &rows {
                good = p.read(row, out).map_err(|e| inner.err(e))?;
            }
            // The chunk goes on while its last key cannot be read: nobody could go on after it.
            if good || rows.len() < limit {
                return Ok(());
            }
            skip += rows.len();
        }
    }

    fn sweep(&mut self, plan: &ReadPlan, cursor: Option<&str>, limit: usize, out: &mut Rows) -> Result<Swept> {
        self.sweep_on(plan, cursor, limit, out)
    }

    fn fetch(&mut self, plan: &ReadPlan, keys: &[Vec<Value>], out: &mut Rows) -> Result<Vec<bool>> {
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        let n = t.primary_key.len();
        let mut texts = Vec::with_capacity(keys.len());
        for key in keys {
            // What nothing stored can equal is asked for as null.
            texts.push(self.key_texts(plan.table, &t.primary_key, key)?.unwrap_or_else(|_| vec![None; n]));
        }
        let params: Vec<Param<'_>> = (0..n).map(|i| array(texts.iter().map(|k| k.get(i).cloned().flatten()))).collect();
        // The row's place comes last.
        let width = p.width();
        let from = p.from.strip_prefix(" FROM ").unwrap_or(&p.from);
        let from = from.strip_suffix(p.joined.as_str()).unwrap_or(from);
        let sql =
            format!("{}, k.n::text FROM {} JOIN {from} ON {}{} ORDER BY k.n", p.select, key_list(n), p.equal, p.joined);
        let rows = self.rows(&sql, &params)?;
        let mut there = Vec::with_capacity(keys.len());
        let mut rows = rows.iter().peekable();
        let mut read = || -> std::result::Result<(), Fault> {
            for i in 1..=keys.len() {
                let mut found = false;
                while let Some(row) = rows.peek() {
                    let place: usize = row.at(width)?.and_then(|n| n.parse().ok()).unwrap_or(0);
                    if place > i {
                        break;
                    }
                    // A key that names two rows is none; the first counts.
                    if place == i && !found {
                        p.read(*row, out)?;
                        found = true;
                    }
                    rows.next();
                }
                if !found {
                    out.cells.resize(out.cells.len() + p.cells.len(), Value::Null);
                    out.cells.resize(out.cells.len() + p.joins, Value::Boolean(false));
                }
                there.push(found);
            }
            Ok(())
        };
        read().map_err(|e| inner.err(e))?;
        Ok(there)
    }

    fn related(&mut self, plan: &ReadPlan, by: &[ColumnId], values: &[Value], out: &mut Rows) -> Result<()> {
        if values.iter().any(Value::is_null) {
            return Ok(());
        }
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        // Nothing stored can equal such a value.
        let Ok(texts) = self.key_texts(plan.table, by, values)? else { return Ok(()) };
        let shape = self.session().shape(&inner, plan.table)?;
        let mut conditions = Vec::with_capacity(by.len());
        for (i, c) in by.iter().enumerate() {
            let l = there(&inner, t, &shape, *c)?;
            conditions.push(equal_text(&format!("t0.{}", ident(&l.name)), &format!("${}", i + 1), l));
        }
        let params: Vec<Param<'_>> = texts.into_iter().map(Param).collect();
        let sql = format!("{}{} WHERE {}", p.select, p.from, conditions.join(" AND "));
        for row in self.rows(&sql, &params)? {
            p.read(&row, out).map_err(|e| inner.err(e))?;
        }
        Ok(())
    }

    fn imagine(&mut self, plan: &ReadPlan, base: &[(ColumnId, Value)], out: &mut Rows) -> Result<()> {
        let p = self.scan_plan(plan)?;
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, plan.table)?;
        let t = inner.schema.get(plan.table);
        if plan.joins.is_empty() {
            // Nothing to ask for: it holds what it is given, as far as that could ever be stored here.
            let stored = |c: ColumnId| {
                let value = base.iter().find(|(b, _)| *b == c).map(|(_, v)| v)?;
                let text = encode(value, t.column(c), &shape.column(c)?.kind).ok().flatten();
                text.and(Some(value.clone())).filter(|_| !value.is_null())
            };
            out.cells.extend(plan.columns.iter().map(|(_, c)| stored(*c).unwrap_or(Value::Null)));
            return Ok(());
        }
        let mut fields = Vec::with_capacity(t.columns.len());
        let mut params: Vec<Param<'_>> = Vec::with_capacity(base.len());
        for (i, (column, l)) in t.columns.iter().zip(&shape.columns).enumerate() {
            let Some(l) = l else { continue };
            let value = base.iter().find(|(c, _)| c.0 as usize == i).map(|(_, v)| v);
            // What cannot be stored here was never stored here.
            let text = value.and_then(|v| encode(v, column, &l.kind).ok().flatten());
            let collate = if l.collation.is_empty() { String::new() } else { format!(" COLLATE {}", l.collation) };
            let field = match text {
                None => format!("NULL::{}", l.cast),
                Some(text) => {
                    params.push(Param(Some(text)));
                    format!("${}::text::{}", params.len(), l.cast)
                }
            };
            fields.push(format!("({field}){collate} AS {}", ident(&l.name)));
        }
        let sql = format!("{} FROM (SELECT {}) AS t0{}", p.select, fields.join(", "), p.joined);
        let rows = self.rows(&sql, &params)?;
        if let Some(row) = rows.first() {
            p.read(row, out).map_err(|e| inner.err(e))?;
        }
        Ok(())
    }

    fn dependents(
        &mut self,
        plan: &ReadPlan,
        join: usize,
        values: &[Value],
        after: Option<&[Value]>,
        limit: usize,
    ) -> Result<Vec<Vec<Value>>> {
        // A null refers to nothing.
        if values.iter().any(Value::is_null) {
            return Ok(vec![]);
        }
        let inner = self.inner.clone();
        let p = self.scan_plan(plan)?;
        let tables = Tables::of(self.session(), &inner, plan)?;
        let j = &plan.joins[join];
        let mut params: Vec<Option<String>> = Vec::new();
        let mut conditions = Vec::new();
        for (c, v) in j.columns.iter().zip(values) {
            let l = tables.column(j.from, *c)?;
            let Ok(Some(text)) = encode(v, tables.table(j.from).column(*c), &l.kind) else { return Ok(vec![]) };
            params.push(Some(text.into_owned()));
            conditions.push(equal_text(&tables.name(j.from, *c)?, &format!("${}", params.len()), l));
        }
        if let Some((c, v)) = &j.when {
            let l = tables.column(j.from, *c)?;
            conditions.push(is_value(&tables.name(j.from, *c)?, tables.table(j.from).column(*c), l, v));
        }
        // From the referring rows back to the base.
        let mut from = format!("{} AS t{}", tables.shapes[j.from].sql, j.from);
        let mut source = j.from;
        while source > 0 {
            let link = &plan.joins[source - 1];
            let _ = write!(from, ", {} AS t{}", tables.shapes[link.from].sql, link.from);
            conditions.extend(tables.on(plan, source - 1)?);
            source = link.from;
        }
        let base = tables.table(0);
        let mut select = Vec::new();
        for c in &base.primary_key {
            select.push(shown(&tables.name(0, *c)?, &tables.column(0, *c)?.kind));
        }
        let kinds: Vec<Kind> = base.primary_key.iter().map(|c| tables.shapes[0].kind(*c).clone()).collect();
        if let Some(key) = after {
            let put = |text: Option<String>| {
                params.push(text);
                format!("${}", params.len())
            };
            conditions.push(self.after(&p, plan.table, key, put)?);
        }
        // Joins lead to one row at most, so no row comes twice.
        let sql = format!(
            "SELECT {} FROM {from} WHERE {} ORDER BY {} LIMIT {limit}",
            select.join(", "),
            conditions.join(" AND "),
            p.ordered.join(", ")
        );
        let params: Vec<Param<'_>> = params.iter().map(|b| Param(b.as_deref().map(Cow::Borrowed))).collect();
        let mut keys = Vec::new();
        for row in self.rows(&sql, &params)? {
            let mut key = Vec::with_capacity(kinds.len());
            for (i, (c, kind)) in base.primary_key.iter().zip(&kinds).enumerate() {
                if let Ok(v) = decode(row.at(i).map_err(|e| inner.err(e))?, base.column(*c), kind) {
                    key.push(v);
                }
            }
            // A row whose key does not fit is told by the scan.
            if key.len() == kinds.len() {
                keys.push(key);
            }
        }
        Ok(keys)
    }

    fn find(&mut self, table: TableId, by: &[ColumnId], keys: &[Vec<Value>], read: &[ColumnId]) -> Result<Vec<Found>> {
        if keys.is_empty() {
            return Ok(vec![]);
        }
        let inner = self.inner.clone();
        let t = inner.schema.get(table);
        let shape = self.session().shape(&inner, table)?;
        let id = (table, by.to_vec(), read.to_vec());
        let known = self.session().finds.get(&id).cloned();
        let sql = match known {
            Some(sql) => sql,
            None => {
                let mut select = vec!["k.n::text".to_string()];
                for c in t.primary_key.iter().chain(read) {
                    let l = there(&inner, t, &shape, *c)?;
                    select.push(shown(&format!("t.{}", ident(&l.name)), &l.kind));
                }
                let mut equal = Vec::new();
                for (i, c) in by.iter().enumerate() {
                    let l = there(&inner, t, &shape, *c)?;
                    equal.push(equal_text(&format!("t.{}", ident(&l.name)), &format!("k.k{i}"), l));
                }
                let sql = Arc::new(format!(
                    "SELECT {} FROM {} JOIN {} AS t ON {} ORDER BY k.n",
                    select.join(", "),
                    key_list(by.len()),
                    shape.sql,
                    equal.join(" AND ")
                ));
                self.session().finds.insert(id, sql.clone());
                sql
            }
        };
        let mut texts = Vec::with_capacity(keys.len());
        for key in keys {
            texts.push(self.key_texts(table, by, key)?.unwrap_or_else(|_| vec![None; by.len()]));
        }
        let params: Vec<Param<'_>> =
            (0..by.len()).map(|i| array(texts.iter().map(|k| k.get(i).cloned().flatten()))).collect();
        let rows = self.rows(&sql, &params)?;
        let mut all = vec![Found::None; keys.len()];
        for row in &rows {
            let place: usize = row.at(0).map_err(|e| inner.err(e))?.and_then(|n| n.parse().ok()).unwrap_or(0);
            let Some(slot) = place.checked_sub(1).and_then(|i| all.get_mut(i)) else { continue };
            *slot = match slot {
                Found::None => found(row, t, table, &shape, read).map_err(|e| inner.err(e))?,
                Found::One { .. } | Found::Many => Found::Many,
            };
        }
        Ok(all)
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

    fn log_size(&mut self) -> Result<LogSize> {
        self.log_length()
    }

    fn is_empty(&mut self, table: TableId) -> Result<bool> {
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, table)?;
        Ok(self.rows(&format!("SELECT 1 FROM {} LIMIT 1", shape.sql), &[])?.is_empty())
    }

    fn count(&mut self, table: TableId) -> Result<u64> {
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, table)?;
        // Counting a large table means reading it; what the server noted is near enough.
        let noted = "SELECT greatest(reltuples, 0)::bigint::text FROM pg_catalog.pg_class WHERE oid = $1::oid";
        let noted = self.one(noted, &[Param::number(shape.oid)])?.and_then(|n| n.parse().ok()).unwrap_or(0u64);
        if noted > 100_000 {
            return Ok(noted);
        }
        let n = self.one(&format!("SELECT count(*)::text FROM {}", shape.sql), &[])?;
        Ok(n.and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    fn state(&mut self) -> &mut dyn ReadState {
        self
    }
}

/// A row that was found: its place, its primary key, the columns asked for.
fn found(row: &Row, t: &Table, table: TableId, shape: &Shape, read: &[ColumnId]) -> std::result::Result<Found, Fault> {
    let pk = t.primary_key.len();
    let (mut key, mut values, mut misfits) = (Vec::with_capacity(pk), Vec::with_capacity(read.len()), Vec::new());
    for (i, c) in t.primary_key.iter().chain(read).enumerate() {
        let (stored, kind) = (row.at(i + 1)?, shape.kind(*c));
        let value = match decode(stored, t.column(*c), kind) {
            Ok(v) => v,
            Err(why) => {
                let parts: std::result::Result<Vec<String>, Fault> = t
                    .primary_key
                    .iter()
                    .enumerate()
                    .map(|(n, c)| Ok(readable(row.at(n + 1)?, shape.kind(*c))))
                    .collect();
                let misfit = Misfit {
                    table,
                    column: *c,
                    key: parts?.join(", "),
                    value: readable(stored, kind),
                    reason: why.into_owned(),
                };
                // A misfit of the key itself comes after those of the values.
                misfits.push((if i < pk { read.len() + i } else { i - pk }, misfit));
                Value::Null
            }
        };
        if i < pk { key.push(value) } else { values.push(value) }
    }
    Ok(Found::One { key, values, misfits })
}

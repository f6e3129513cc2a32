//! Write transactions.
//!
//! In PostgreSQL a refused statement undoes everything back to the last savepoint. A savepoint per row would cost two
//! messages and a transaction number each; so there is one for many rows, and the statements since it are kept: where
//! one is refused, the others are run again.

use super::Handle;
use super::connect::{Inner, Ran, Session};
use super::describe::{ColumnShape, Shape};
use super::error::{Fault, column_named, record_error};
use super::read::{equal_text, shown, there};
use super::types::{Fold, Param, decode, encode, ident};
use crate::schema::{ColumnId, Table, TableId};
use crate::store::{RecordError, RecordErrorKind, Result, StoreError, Transaction, WriteState};
use crate::value::Value;
use std::borrow::Cow;
use std::sync::Arc;
use tokio_postgres::Row;

pub(super) type Outcome<T> = std::result::Result<T, RecordError>;

/// At most so many statements are run again for one that was refused.
const JOURNAL: usize = 200;
/// What was done since the savepoint.
#[derive(Default)]
pub(super) struct Journal {
    /// Whether there is a savepoint; one name: a newer takes the place of the older.
    stands: bool,
    /// Whether a rollback to it takes away the steps and nothing else.
    open: bool,
    steps: Vec<(Arc<str>, Vec<Option<String>>)>,
}

impl Journal {
    /// Something else was done that a rollback must not take away.
    pub fn end(&mut self) {
        self.open = false;
        self.steps.clear();
    }

    /// The statements that make a new savepoint; they must be sent next.
    pub fn renew(&mut self) -> &'static str {
        self.end();
        match std::mem::replace(&mut self.stands, true) {
            true => "RELEASE SAVEPOINT tablemap; SAVEPOINT tablemap",
            false => "SAVEPOINT tablemap",
        }
    }
}

/// A statement that writes one row.
pub(super) struct RowPlan {
    pub kind: Kind,
    pub table: TableId,
    pub columns: Box<[ColumnId]>,
    sql: Arc<str>,
    /// The same for many rows: `COPY … FROM STDIN` for an insert that is given its whole key, and for an update one that
    /// takes a list per column and returns the places of the rows that were there; for a delete one that takes a list
    /// per column of the key.
    pub many: Option<Arc<str>>,
    pub shape: Arc<Shape>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Insert,
    Update,
    Delete,
}

/// A parameter in a SET or VALUES list: the server reads the text for the column.
fn assigned(n: usize, l: &ColumnShape) -> String {
    // A cast to a length would cut in silence; the assignment refuses.
    format!("${n}::text::{}", l.cast)
}

impl Session {
    pub fn row_plan(
        &mut self,
        inner: &Inner,
        kind: Kind,
        table: TableId,
        columns: &[ColumnId],
    ) -> Result<Arc<RowPlan>> {
        let same = |p: &Arc<RowPlan>| p.kind == kind && p.table == table && *p.columns == *columns;
        if let Some(i) = self.rows.iter().rposition(same) {
            let last = self.rows.len() - 1;
            self.rows.swap(i, last);
            return Ok(self.rows[last].clone());
        }
        let t = inner.schema.get(table);
        let shape = self.shape(inner, table)?;
        let name = |c: &ColumnId| -> Result<String> { Ok(ident(&there(inner, t, &shape, *c)?.name)) };
        let names: Vec<String> = columns.iter().map(name).collect::<Result<_>>()?;
        let mut equal = Vec::new();
        let mut key = Vec::new();
        for (i, c) in t.primary_key.iter().enumerate() {
            let l = there(inner, t, &shape, *c)?;
            equal.push(equal_text(&ident(&l.name), &format!("${}", columns.len() + 1 + i), l));
            key.push(shown(&ident(&l.name), &l.kind));
        }
        let equal = equal.join(" AND ");
        let all_given = t.primary_key.iter().all(|c| columns.contains(c));
        let into = &shape.sql;
        let marks = |from: usize| -> Result<Vec<String>> {
            columns.iter().enumerate().map(|(i, c)| Ok(assigned(from + i, there(inner, t, &shape, *c)?))).collect()
        };
        let mut many = None;
        let sql = match kind {
            Kind::Insert => {
                let always = columns.iter().any(|c| shape.column(*c).is_some_and(|l| l.identity == "a"));
                let overriding = if always { " OVERRIDING SYSTEM VALUE" } else { "" };
                let values = if columns.is_empty() {
                    " DEFAULT VALUES".to_string()
                } else {
                    format!(" ({}){overriding} VALUES ({})", names.join(", "), marks(1)?.join(", "))
                };
                if all_given && shape.is_table {
                    many = Some(format!("COPY {into} ({}) FROM STDIN", names.join(", ")).into());
                }
                let returning = if all_given { String::new() } else { format!(" RETURNING {}", key.join(", ")) };
                format!("INSERT INTO {into}{values}{returning}")
            }
            Kind::Update => {
                let set: Vec<String> = names.iter().zip(marks(1)?).map(|(n, m)| format!("{n} = {m}")).collect();
                many = Some(update_many_sql(inner, t, &shape, columns)?.into());
                format!("UPDATE {into} SET {} WHERE {equal} RETURNING 1", set.join(", "))
            }
            Kind::Delete => {
                many = Some(delete_many_sql(inner, t, &shape)?.into());
                format!("DELETE FROM {into} WHERE {equal}")
            }
        };
        let plan = Arc::new(RowPlan { kind, table, columns: columns.into(), sql: sql.into(), many, shape });
        self.rows.push(plan.clone());
        Ok(plan)
    }
}

/// An update of many rows. The first parameters are the lists of new values, then come those of the key.
fn update_many_sql(inner: &Inner, t: &Table, shape: &Shape, columns: &[ColumnId]) -> Result<String> {
    let (mut set, mut equal) = (Vec::new(), Vec::new());
    for (i, c) in columns.iter().enumerate() {
        let l = there(inner, t, shape, *c)?;
        // A cast to a length would cut in silence; the assignment refuses.
        set.push(format!("{} = k.k{i}::text::{}", ident(&l.name), l.cast));
    }
    for (i, c) in t.primary_key.iter().enumerate() {
        let l = there(inner, t, shape, *c)?;
        equal.push(equal_text(&format!("t.{}", ident(&l.name)), &format!("k.k{}", columns.len() + i), l));
    }
    Ok(format!(
        "UPDATE {} AS t SET {} FROM {} WHERE {} RETURNING k.n::text",
        shape.sql,
        set.join(", "),
        super::read::key_list(columns.len() + t.primary_key.len()),
        equal.join(" AND ")
    ))
}

/// A delete of many rows, which takes a list per column of the key.
fn delete_many_sql(inner: &Inner, t: &Table, shape: &Shape) -> Result<String> {
    let equal = |(i, c): (usize, &ColumnId)| -> Result<String> {
        let l = there(inner, t, shape, *c)?;
        Ok(equal_text(&format!("t.{}", ident(&l.name)), &format!("k.k{i}"), l))
    };
    let equal = t.primary_key.iter().enumerate().map(equal).collect::<Result<Vec<String>>>()?;
    let keys = super::read::key_list(t.primary_key.len());
    Ok(format!("DELETE FROM {} AS t USING {keys} WHERE {}", shape.sql, equal.join(" AND ")))
}

pub(super) fn misfit(column: ColumnId, message: String) -> RecordError {
    RecordError { kind: RecordErrorKind::Misfit, column: Some(column), message }
}

/// A row's values and key as texts.
pub(super) fn texts(plan: &RowPlan, t: &Table, values: &[Value], key: &[Value]) -> Outcome<Vec<Option<String>>> {
    let key = if plan.kind == Kind::Insert { &[] } else { key };
    let mut all = Vec::with_capacity(values.len() + key.len());
    for (c, v) in plan.columns.iter().zip(values).chain(t.primary_key.iter().zip(key)) {
        match encode(v, t.column(*c), plan.shape.kind(*c)) {
            Ok(text) => all.push(text.map(Cow::into_owned)),
            Err(why) => return Err(misfit(*c, why)),
        }
    }
    Ok(all)
}

pub(super) fn params(texts: &[Option<String>]) -> Vec<Param<'_>> {
    texts.iter().map(|t| Param(t.as_deref().map(Cow::Borrowed))).collect()
}

impl Handle {
    /// An error where the transaction has gone.
    pub(super) fn alive(&self) -> Result<()> {
        match &self.lost {
            Some(reason) => Err(self.inner.lost(reason.clone())),
            None => Ok(()),
        }
    }

    fn savepoint(&mut self) -> Result<()> {
        let sql = self.journal.renew();
        self.batch(sql)?;
        self.journal.open = true;
        Ok(())
    }

    /// Back to the savepoint, and everything since it again.
    fn restore(&mut self) -> Result<()> {
        let steps = std::mem::take(&mut self.journal.steps);
        let inner = self.inner.clone();
        let session = self.session();
        let mut again = || -> Ran<()> {
            session.batch("ROLLBACK TO SAVEPOINT tablemap")?;
            for (sql, texts) in &steps {
                session.query(sql, &params(texts))?;
            }
            session.batch("RELEASE SAVEPOINT tablemap; SAVEPOINT tablemap")
        };
        again().map_err(|e| self.gone(&e, &inner))
    }

    /// The transaction is lost (R11).
    pub(super) fn gone(&mut self, fault: &Fault, inner: &Inner) -> StoreError {
        let told = super::error::store_error(&inner.name, &inner.address.shown, &inner.address.user, fault);
        self.lost = Some(told.to_string());
        if fault.outdates() {
            inner.forget_shapes();
        }
        told
    }

    /// Runs a statement that one record may be refused by. The rows it returned, or the record's fault.
    fn guarded(
        &mut self,
        sql: &Arc<str>,
        texts: Vec<Option<String>>,
        record: impl FnOnce(&Fault) -> Option<RecordError>,
    ) -> Result<Outcome<Vec<Row>>> {
        self.alive()?;
        if !self.journal.open || self.journal.steps.len() >= JOURNAL {
            self.savepoint()?;
        }
        match self.session().query(sql, &params(&texts)) {
            Ok(rows) => {
                self.journal.steps.push((sql.clone(), texts));
                Ok(Ok(rows))
            }
            Err(fault) => match record(&fault) {
                Some(e) => {
                    self.restore()?;
                    Ok(Err(e))
                }
                None => {
                    let inner = self.inner.clone();
                    Err(self.gone(&fault, &inner))
                }
            },
        }
    }

    /// Runs a row's statement with its values and, for update and delete, its key.
    fn run_row(
        &mut self,
        kind: Kind,
        table: TableId,
        columns: &[ColumnId],
        values: &[Value],
        key: &[Value],
    ) -> Result<Outcome<Vec<Row>>> {
        self.alive()?;
        let inner = self.inner.clone();
        let plan = self.session().row_plan(&inner, kind, table, columns)?;
        let t = inner.schema.get(table);
        let texts = match texts(&plan, t, values, key) {
            Ok(texts) => texts,
            Err(e) => return Ok(Err(e)),
        };
        let mut index = None;
        let done = self.guarded(&plan.sql, texts, |fault| {
            index = fault.db().and_then(|db| plan.shape.index_named(db.constraint()?).cloned());
            record_error(t, &plan.shape, fault)
        })?;
        match done {
            Err(e) if e.kind == RecordErrorKind::Unique => {
                if let Some(index) = &index
                    && self.is_from_meanwhile(&plan, t, values, index)?
                {
                    let reason = format!("somebody else wrote a row of `{}` with the same key meanwhile", t.name);
                    self.lost = Some(reason.clone());
                    return Err(inner.lost(reason));
                }
                Ok(Err(e))
            }
            done => Ok(done),
        }
    }

    /// Whether no row that this view sees holds a unique key that is taken: then it came after the view, and the batch
    /// must be worked out anew.
    fn is_from_meanwhile(
        &mut self,
        plan: &RowPlan,
        t: &Table,
        values: &[Value],
        index: &super::describe::Index,
    ) -> Result<bool> {
        if index.partial {
            return Ok(false);
        }
        let mut equal = Vec::new();
        let mut texts = Vec::new();
        for name in &index.columns {
            let column = name.as_deref().and_then(|n| column_named(t, n));
            let Some(at) = column.and_then(|c| plan.columns.iter().position(|p| *p == c)) else { return Ok(false) };
            let (c, value) = (plan.columns[at], &values[at]);
            let (Some(l), Ok(Some(text))) = (plan.shape.column(c), encode(value, t.column(c), plan.shape.kind(c)))
            else {
                return Ok(false);
            };
            texts.push(Some(text.into_owned()));
            // As loosely as any index would have it.
            let l = ColumnShape { fold: if l.kind.is_text() { Fold::Lower } else { l.fold.clone() }, ..l.clone() };
            equal.push(equal_text(&ident(&l.name), &format!("${}", texts.len()), &l));
        }
        let sql = format!("SELECT 1 FROM {} WHERE {} LIMIT 1", plan.shape.sql, equal.join(" AND "));
        let inner = self.inner.clone();
        let found = self.session().query(&sql, &params(&texts)).map_err(|e| inner.err(e))?;
        Ok(found.is_empty())
    }

    /// The primary key that an insert returned.
    fn made(&self, plan: &RowPlan, rows: &[Row]) -> Result<Option<Vec<Value>>> {
        let t = self.inner.schema.get(plan.table);
        if t.primary_key.iter().all(|c| plan.columns.contains(c)) {
            return Ok(None);
        }
        let Some(row) = rows.first() else { return Ok(None) };
        let mut key = Vec::with_capacity(t.primary_key.len());
        for (i, c) in t.primary_key.iter().enumerate() {
            let text: Option<&str> = row.try_get(i).map_err(|e| self.inner.err(e.into()))?;
            key.push(decode(text, t.column(*c), plan.shape.kind(*c)).unwrap_or(Value::Null));
        }
        Ok(Some(key))
    }
}

impl Transaction for Handle {
    fn check_epoch(&mut self, project: &str, epoch: i64) -> Result<()> {
        self.alive()?;
        let inner = self.inner.clone();
        // Locked until the end, so that nobody takes over in between.
        let there =
            self.one("SELECT epoch::text FROM _tablemap_lease WHERE project = $1 FOR SHARE", &[project.into()])?;
        if there.and_then(|e| e.parse().ok()) == Some(epoch) {
            return Ok(());
        }
        Err(StoreError::Fenced { store: inner.name.clone(), project: project.to_string() })
    }

    fn writing(&mut self, leg: &str, settles: bool, path: &str) -> Result<()> {
        if let Some((l, s, p)) = &self.writer
            && l == leg
            && *s == settles
            && p == path
        {
            return Ok(());
        }
        let mark = super::capture::writer_mark(leg, settles, path);
        let sql: Arc<str> = super::slot::writing_sql(&self.inner.address.state, self.inner.address.logical).into();
        // Among the rows' statements, so that it comes again with them. No record is refused by it.
        let _ = self.guarded(&sql, vec![Some(mark)], |_| None)?;
        self.writer = Some((leg.to_string(), settles, path.to_string()));
        Ok(())
    }

    fn insert(&mut self, table: TableId, columns: &[ColumnId], row: &[Value]) -> Result<Outcome<Option<Vec<Value>>>> {
        let inner = self.inner.clone();
        let done = self.run_row(Kind::Insert, table, columns, row, &[])?;
        let rows = match done {
            Ok(rows) => rows,
            Err(e) => return Ok(Err(e)),
        };
        let plan = self.session().row_plan(&inner, Kind::Insert, table, columns)?;
        let key = self.made(&plan, &rows)?;
        if key.is_some() {
            // Run again it would get another key.
            self.journal.end();
        }
        self.meant(table, columns, row, key.as_deref());
        Ok(Ok(key))
    }

    fn insert_all(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[&[Value]],
        outcomes: &mut Vec<Outcome<Option<Vec<Value>>>>,
    ) -> Result<()> {
        self.insert_many(table, columns, rows, outcomes)
    }

    fn update(&mut self, table: TableId, key: &[Value], columns: &[ColumnId], values: &[Value]) -> Result<Outcome<()>> {
        if columns.is_empty() {
            return Ok(Ok(()));
        }
        let done = self
            .run_row(Kind::Update, table, columns, values, key)?
            .and_then(|rows| if rows.is_empty() { Err(RecordError::gone()) } else { Ok(()) });
        if done.is_ok() {
            self.meant(table, columns, values, Some(key));
        }
        Ok(done)
    }

    fn update_all(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[(&[Value], &[Value])],
        outcomes: &mut Vec<Outcome<()>>,
    ) -> Result<()> {
        self.update_many(table, columns, rows, outcomes)
    }

    fn in_batches(&self) -> bool {
        true
    }

    fn delete(&mut self, table: TableId, key: &[Value]) -> Result<Outcome<()>> {
        let done = self.run_row(Kind::Delete, table, &[], &[], key)?.map(|_| ());
        if done.is_ok() {
            self.meant(table, &[], &[], Some(key));
        }
        Ok(done)
    }

    fn delete_all(&mut self, table: TableId, keys: &[&[Value]], outcomes: &mut Vec<Outcome<()>>) -> Result<()> {
        self.delete_many(table, keys, outcomes)
    }

    fn touch(&mut self, table: TableId, key: &[Value], old: &[(ColumnId, Value)], for_leg: &str) -> Result<()> {
        self.alive()?;
        self.log_touch(table, key, old, for_leg)
    }

    fn disown_side_effects(&mut self, leg: &str, written: &dyn Fn(TableId, &[Value]) -> usize) -> Result<u64> {
        self.alive()?;
        self.log_disown(leg, written)
    }

    fn state_mut(&mut self) -> &mut dyn WriteState {
        self
    }

    fn commit(mut self: Box<Self>) -> Result<()> {
        self.alive()?;
        self.write_noted()?;
        let inner = self.inner.clone();
        self.journal.end();
        // COMMIT of a transaction that has failed says nothing of it; the statement before it does.
        match self.session().batch("SELECT 1; COMMIT") {
            Ok(()) => {
                self.session().busy = false;
                Ok(())
            }
            Err(fault) => match record_error(&Table::default(), &Shape::default(), &fault) {
                Some(e) => {
                    Err(inner.lost(format!("a constraint that is checked at the end does not hold: {}", e.message)))
                }
                None => Err(inner.err(fault)),
            },
        }
    }
}

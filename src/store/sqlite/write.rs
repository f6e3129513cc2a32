//! Write transactions.

use super::Handle;
use super::connect::{Inner, Session};
use super::error::record_error;
use super::read::{BindError, bind_forms, equality};
use super::types::{Affinity, decode, encode, ident};
use crate::schema::{ColumnId, Table, TableId};
use crate::store::{RecordError, RecordErrorKind, Result, StoreError, Transaction, WriteState};
use crate::value::Value;
use rusqlite::Statement;
use std::sync::Arc;

type Outcome<T> = std::result::Result<T, RecordError>;
/// How many rows, and the key where one was asked for.
type Written = (usize, Option<Vec<Value>>);

/// A statement that writes one row.
pub(super) struct RowPlan {
    kind: Kind,
    table: TableId,
    columns: Box<[ColumnId]>,
    sql: String,
    /// Of the columns written.
    affinities: Box<[Affinity]>,
    /// Of the primary key, for update and delete.
    key: Box<[Affinity]>,
    /// Whether an insert tells the primary key.
    returning: bool,
    /// Whether a refused row is undone by a savepoint: a trigger may RAISE(FAIL) half way.
    savepoint: bool,
    /// For an insert whose key a trigger fills in after it.
    reread: String,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Insert,
    Update,
    Delete,
}

impl Session {
    fn row_plan(&mut self, inner: &Inner, kind: Kind, table: TableId, columns: &[ColumnId]) -> Result<Arc<RowPlan>> {
        let same = |p: &Arc<RowPlan>| p.kind == kind && p.table == table && *p.columns == *columns;
        if let Some(last) = self.rows.last()
            && same(last)
        {
            return Ok(last.clone());
        }
        if let Some(i) = self.rows.iter().position(same) {
            let last = self.rows.len() - 1;
            self.rows.swap(i, last);
            return Ok(self.rows[last].clone());
        }
        let t = inner.schema.get(table);
        if inner.options.rows_refused {
            return Err(inner.other(format!(
                "a row of table `{}` would be written, but a store with `poll` in tablemap.yaml is only read",
                t.name
            )));
        }
        let shape = self.shape(inner, table)?;
        if let Some(c) = columns.iter().find(|c| shape.columns[c.0 as usize].is_none()) {
            return Err(StoreError::Schema {
                store: inner.name.clone(),
                problems: vec![format!("table `{}` has no column `{}`", t.stored_name(), t.column(*c).name)],
            });
        }
        let name = |c: &ColumnId| ident(&t.column(*c).name);
        let into = ident(&shape.name);
        let all_given = t.primary_key.iter().all(|c| columns.contains(c));
        let mut at = columns.len() + 1;
        let mut equal = Vec::new();
        for c in &t.primary_key {
            let (sql, next) = equality("", t, &shape, *c, at);
            equal.push(sql);
            at = next;
        }
        let equal = equal.join(" AND ");
        let pk = t.primary_key.iter().map(name).collect::<Vec<_>>().join(", ");
        let sql = match kind {
            Kind::Insert => {
                let names: Vec<String> = columns.iter().map(name).collect();
                let marks: Vec<String> = (1..=columns.len()).map(|i| format!("?{i}")).collect();
                let values = if columns.is_empty() {
                    "DEFAULT VALUES".to_string()
                } else {
                    format!("({}) VALUES ({})", names.join(", "), marks.join(", "))
                };
                let returning = if all_given { String::new() } else { format!(" RETURNING {pk}") };
                format!("INSERT INTO {into} {values}{returning}")
            }
            Kind::Update => {
                let set: Vec<String> =
                    columns.iter().enumerate().map(|(i, c)| format!("{} = ?{}", name(c), i + 1)).collect();
                format!("UPDATE {into} SET {} WHERE {equal}", set.join(", "))
            }
            Kind::Delete => format!("DELETE FROM {into} WHERE {equal}"),
        };
        let plan = Arc::new(RowPlan {
            kind,
            table,
            columns: columns.into(),
            sql,
            affinities: columns.iter().map(|c| shape.affinity(*c)).collect(),
            key: t.primary_key.iter().map(|c| shape.affinity(*c)).collect(),
            returning: kind == Kind::Insert && !all_given,
            savepoint: shape.user_triggers && !mutant!("no-savepoint"),
            reread: format!("SELECT {pk} FROM {into} WHERE rowid = last_insert_rowid()"),
        });
        self.rows.push(plan.clone());
        Ok(plan)
    }
}

fn misfit(column: ColumnId, message: String) -> RecordError {
    RecordError { kind: RecordErrorKind::Misfit, column: Some(column), message }
}

/// What running one row's statement came to.
enum Ran {
    /// How many rows, and the key where one was asked for.
    Done(usize, Option<Vec<Value>>),
    Refused(RecordError),
    Failed(rusqlite::Error),
}

impl Handle {
    /// Runs a row's statement with its values and, for update and delete, its key.
    fn run_row(
        &mut self,
        kind: Kind,
        table: TableId,
        columns: &[ColumnId],
        values: &[Value],
        key: &[Value],
    ) -> Result<Outcome<Written>> {
        self.alive()?;
        let inner = self.inner.clone();
        let session = self.session();
        let plan = session.row_plan(&inner, kind, table, columns)?;
        let t = inner.schema.get(table);
        if plan.savepoint {
            session
                .conn
                .prepare_cached("SAVEPOINT tablemap_row")
                .and_then(|mut s| s.execute([]))
                .map_err(|e| inner.err(e))?;
        }
        let ran = run(session, &plan, t, values, key);
        let gone = session.conn.is_autocommit();
        if let Ran::Failed(e) = &ran
            && gone
        {
            // RAISE(ROLLBACK), a full disk, an I/O error: what was written is no more (R11).
            let reason = e.to_string();
            self.lost = Some(reason.clone());
            return Err(inner.lost(reason));
        }
        if plan.savepoint {
            let end = if matches!(ran, Ran::Done(..)) {
                "RELEASE tablemap_row"
            } else {
                "ROLLBACK TO tablemap_row; RELEASE tablemap_row"
            };
            session.conn.execute_batch(end).map_err(|e| inner.err(e))?;
        }
        match ran {
            Ran::Done(n, key) => Ok(Ok((n, key))),
            Ran::Refused(e) => Ok(Err(e)),
            Ran::Failed(e) => match record_error(t, &e) {
                Some(record) => Ok(Err(record)),
                None if mutant!("store-error-is-the-records") => {
                    Ok(Err(RecordError { kind: RecordErrorKind::Refused, column: None, message: e.to_string() }))
                }
                None => Err(inner.err(e)),
            },
        }
    }

    /// An error where the transaction has gone.
    pub(super) fn alive(&self) -> Result<()> {
        match &self.lost {
            Some(_) if mutant!("lost-not-noticed") => Ok(()),
            Some(reason) => Err(self.inner.lost(reason.clone())),
            None => Ok(()),
        }
    }
}

fn run(session: &Session, plan: &RowPlan, t: &Table, values: &[Value], key: &[Value]) -> Ran {
    match session.conn.prepare_cached(&plan.sql) {
        Ok(mut s) => run_on(&mut s, session, plan, t, values, key),
        Err(e) => Ran::Failed(e),
    }
}

fn run_on(s: &mut Statement<'_>, session: &Session, plan: &RowPlan, t: &Table, values: &[Value], key: &[Value]) -> Ran {
    let mut inner = || -> rusqlite::Result<Outcome<(usize, Option<Vec<Value>>)>> {
        for (i, ((c, affinity), v)) in plan.columns.iter().zip(&plan.affinities).zip(values).enumerate() {
            match encode(v, t.column(*c), *affinity) {
                Ok(bound) => s.raw_bind_parameter(i + 1, bound)?,
                Err(why) => return Ok(Err(misfit(*c, why))),
            }
        }
        let mut n = plan.columns.len() + 1;
        if plan.kind != Kind::Insert {
            for ((c, v), affinity) in t.primary_key.iter().zip(key).zip(&plan.key) {
                match bind_forms(s, v, t.column(*c), *affinity, n) {
                    Ok(next) => n = next,
                    Err(BindError::Sql(e)) => return Err(e),
                    Err(BindError::Misfit(why)) => return Ok(Err(misfit(*c, why))),
                }
            }
        }
        if !plan.returning {
            return Ok(Ok((s.raw_execute()?, None)));
        }
        let read = |row: &rusqlite::Row<'_>| -> rusqlite::Result<Vec<Value>> {
            let pk = t.primary_key.iter().enumerate();
            pk.map(|(i, c)| Ok(decode(row.get_ref(i)?, t.column(*c)).unwrap_or(Value::Null))).collect()
        };
        let mut made = None;
        let mut rows = s.raw_query();
        while let Some(row) = rows.next()? {
            made = Some(read(row)?);
        }
        drop(rows);
        // A trigger may fill a part of the key in after the row is there.
        if made.as_ref().is_some_and(|k| k.iter().any(Value::is_null)) {
            made = session.conn.prepare_cached(&plan.reread)?.query_row([], read).map(Some)?;
        }
        Ok(Ok((1, made)))
    };
    match inner() {
        Ok(Ok((n, key))) => Ran::Done(n, key),
        Ok(Err(e)) => Ran::Refused(e),
        Err(e) => Ran::Failed(e),
    }
}

impl Transaction for Handle {
    fn check_epoch(&mut self, project: &str, epoch: i64) -> Result<()> {
        self.alive()?;
        let inner = self.inner.clone();
        let there: Option<i64> = self.one("SELECT epoch FROM _tablemap_lease WHERE project = ?1", [project])?;
        if there == Some(epoch) {
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
        self.alive()?;
        self.run(
            "INSERT OR REPLACE INTO _tablemap_writer (id, leg, settles, path) VALUES (1, ?1, ?2, ?3)",
            (leg, settles, path),
        )?;
        self.writer = Some((leg.to_string(), settles, path.to_string()));
        Ok(())
    }

    fn insert(&mut self, table: TableId, columns: &[ColumnId], row: &[Value]) -> Result<Outcome<Option<Vec<Value>>>> {
        Ok(self.run_row(Kind::Insert, table, columns, row, &[])?.map(|(_, key)| key))
    }

    fn insert_all(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[&[Value]],
        outcomes: &mut Vec<Outcome<Option<Vec<Value>>>>,
    ) -> Result<()> {
        self.alive()?;
        let inner = self.inner.clone();
        let session = self.session();
        let plan = session.row_plan(&inner, Kind::Insert, table, columns)?;
        let t = inner.schema.get(table);
        let mut rest = rows;
        if !plan.savepoint {
            let mut s = session.conn.prepare_cached(&plan.sql).map_err(|e| inner.err(e))?;
            while let Some((row, others)) = rest.split_first() {
                match run_on(&mut s, session, &plan, t, row, &[]) {
                    Ran::Done(_, key) => outcomes.push(Ok(key)),
                    Ran::Refused(e) => outcomes.push(Err(e)),
                    // An error of the database: once more on its own, where it is told apart.
                    Ran::Failed(_) if !session.conn.is_autocommit() => break,
                    Ran::Failed(e) => {
                        let reason = e.to_string();
                        drop(s);
                        self.lost = Some(reason.clone());
                        return Err(inner.lost(reason));
                    }
                }
                rest = others;
            }
        }
        while let Some((row, others)) = rest.split_first() {
            outcomes.push(self.insert(table, columns, row)?);
            rest = others;
        }
        Ok(())
    }

    fn update(&mut self, table: TableId, key: &[Value], columns: &[ColumnId], values: &[Value]) -> Result<Outcome<()>> {
        if columns.is_empty() {
            return Ok(Ok(()));
        }
        Ok(self
            .run_row(Kind::Update, table, columns, values, key)?
            .and_then(|(n, _)| if n == 0 { Err(RecordError::gone()) } else { Ok(()) }))
    }

    fn delete(&mut self, table: TableId, key: &[Value]) -> Result<Outcome<()>> {
        Ok(self.run_row(Kind::Delete, table, &[], &[], key)?.map(|_| ()))
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
        let inner = self.inner.clone();
        if self.writer.take().is_some() && !mutant!("writer-stays") {
            self.run("DELETE FROM _tablemap_writer", [])?;
        }
        let session = self.session();
        match session.conn.execute_batch("COMMIT") {
            Ok(()) => Ok(()),
            Err(e) => {
                // A deferred constraint that fails leaves the transaction open: dropping the handle rolls it back.
                let deferred = matches!(
                    &e,
                    rusqlite::Error::SqliteFailure(code, _) if code.code == rusqlite::ErrorCode::ConstraintViolation
                );
                let reason = if deferred {
                    "a foreign key that is checked at the end has no row".to_string()
                } else if session.conn.is_autocommit() {
                    e.to_string()
                } else {
                    return Err(inner.err(e));
                };
                Err(inner.lost(reason))
            }
        }
    }
}

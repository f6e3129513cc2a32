//! Many rows at once: inserts by COPY, updates and deletes by one statement that takes a list per column. Where one row is refused,
//! the halves are tried on their own, and at last single rows, so that each gets its own outcome.

use super::Handle;
use super::error::record_error;
use super::types::{array, encode};
use super::write::{Kind, Outcome, RowPlan, misfit, texts};
use crate::schema::{ColumnId, Table, TableId};
use crate::store::{RecordError, Result};
use crate::value::Value;
use std::borrow::Cow;

/// From so many rows on they are written together.
const TOGETHER: usize = 8;

/// Rows in the text form of COPY, and what is told of each.
struct Sent<'a> {
    bytes: Vec<u8>,
    /// Per row: its place among the outcomes, its values, and where its line ends in `bytes`.
    rows: Vec<(usize, &'a [Value], usize)>,
}

/// A text in the text form of COPY.
pub(super) fn escaped(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    while let Some(at) = rest.iter().position(|b| matches!(b, b'\\' | b'\n' | b'\r' | b'\t')) {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        out.push(b'\\');
        out.push(match tail.first() {
            Some(b'\n') => b'n',
            Some(b'\r') => b'r',
            Some(b'\t') => b't',
            _ => b'\\',
        });
        rest = tail.get(1..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
}

/// Appends a row's line; what of it was appended before a value that does not fit is taken back.
fn line(plan: &RowPlan, t: &Table, values: &[Value], out: &mut Vec<u8>) -> Outcome<()> {
    let begin = out.len();
    for (i, (c, v)) in plan.columns.iter().zip(values).enumerate() {
        if i > 0 {
            out.push(b'\t');
        }
        match encode(v, t.column(*c), plan.shape.kind(*c)) {
            Ok(None) => out.extend_from_slice(b"\\N"),
            Ok(Some(text)) => escaped(&text, out),
            Err(why) => {
                out.truncate(begin);
                return Err(misfit(*c, why));
            }
        }
    }
    out.push(b'\n');
    Ok(())
}

impl Handle {
    /// Inserts rows of one shape; one outcome per row.
    pub(super) fn insert_many(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[&[Value]],
        outcomes: &mut Vec<Outcome<Option<Vec<Value>>>>,
    ) -> Result<()> {
        use crate::store::Transaction;
        self.alive()?;
        let inner = self.inner.clone();
        let plan = self.session().row_plan(&inner, Kind::Insert, table, columns)?;
        if plan.many.is_none() || rows.len() < TOGETHER {
            for row in rows {
                outcomes.push(self.insert(table, columns, row)?);
            }
            return Ok(());
        }
        let t = inner.schema.get(table);
        let mut done: Vec<Outcome<Option<Vec<Value>>>> = vec![Ok(None); rows.len()];
        let mut sent = Sent { bytes: Vec::with_capacity(rows.len() * 256), rows: Vec::with_capacity(rows.len()) };
        for (i, row) in rows.iter().enumerate() {
            match line(&plan, t, row, &mut sent.bytes) {
                Ok(()) => sent.rows.push((i, row, sent.bytes.len())),
                Err(e) => done[i] = Err(e),
            }
        }
        let bytes = bytes::Bytes::from(sent.bytes);
        self.copy(&plan, &bytes, 0, &sent.rows, &mut done)?;
        outcomes.append(&mut done);
        Ok(())
    }

    /// Sends rows by COPY, their lines beginning at `from`; where one is refused, the halves on their own.
    fn copy(
        &mut self,
        plan: &RowPlan,
        bytes: &bytes::Bytes,
        from: usize,
        rows: &[(usize, &[Value], usize)],
        outcomes: &mut [Outcome<Option<Vec<Value>>>],
    ) -> Result<()> {
        use crate::store::Transaction;
        let (Some(sql), Some((_, _, end)), true) = (&plan.many, rows.last(), rows.len() >= TOGETHER) else {
            for (i, row, _) in rows {
                outcomes[*i] = self.insert(plan.table, &plan.columns, row)?;
            }
            return Ok(());
        };
        self.alive()?;
        let inner = self.inner.clone();
        let savepoint = self.journal.renew();
        match self.session().copy(savepoint, sql, bytes.slice(from..*end)) {
            Ok(()) => {
                rows.iter().for_each(|(_, row, _)| self.meant(plan.table, &plan.columns, row, None));
                Ok(())
            }
            Err(fault) if record_error(inner.schema.get(plan.table), &plan.shape, &fault).is_some() => {
                self.back()?;
                let (left, right) = rows.split_at(rows.len() / 2);
                self.copy(plan, bytes, from, left, outcomes)?;
                let middle = left.last().map_or(from, |(_, _, end)| *end);
                self.copy(plan, bytes, middle, right, outcomes)
            }
            Err(fault) => Err(self.gone(&fault, &inner)),
        }
    }

    /// Changes the same columns of many rows; one outcome per row.
    pub(super) fn update_many(
        &mut self,
        table: TableId,
        columns: &[ColumnId],
        rows: &[(&[Value], &[Value])],
        outcomes: &mut Vec<Outcome<()>>,
    ) -> Result<()> {
        self.alive()?;
        if columns.is_empty() {
            outcomes.extend(rows.iter().map(|_| Ok(())));
            return Ok(());
        }
        self.change_many(Kind::Update, table, columns, rows, outcomes)
    }

    /// Deletes rows by primary key; one outcome per row.
    pub(super) fn delete_many(
        &mut self,
        table: TableId,
        keys: &[&[Value]],
        outcomes: &mut Vec<Outcome<()>>,
    ) -> Result<()> {
        self.alive()?;
        let rows: Vec<(&[Value], &[Value])> = keys.iter().map(|key| (*key, [].as_slice())).collect();
        self.change_many(Kind::Delete, table, &[], &rows, outcomes)
    }

    fn change_many(
        &mut self,
        kind: Kind,
        table: TableId,
        columns: &[ColumnId],
        rows: &[(&[Value], &[Value])],
        outcomes: &mut Vec<Outcome<()>>,
    ) -> Result<()> {
        let inner = self.inner.clone();
        let plan = self.session().row_plan(&inner, kind, table, columns)?;
        let t = inner.schema.get(table);
        let mut done: Vec<Outcome<()>> = vec![Ok(()); rows.len()];
        let mut good = Vec::with_capacity(rows.len());
        for (i, (key, values)) in rows.iter().enumerate() {
            match texts(&plan, t, values, key) {
                Ok(texts) => good.push((i, texts)),
                Err(e) => done[i] = Err(e),
            }
        }
        self.change(&plan, rows, &good, &mut done)?;
        outcomes.append(&mut done);
        Ok(())
    }

    /// Runs one statement for all rows; where one is refused, the halves on their own.
    fn change(
        &mut self,
        plan: &RowPlan,
        rows: &[(&[Value], &[Value])],
        good: &[(usize, Vec<Option<String>>)],
        outcomes: &mut [Outcome<()>],
    ) -> Result<()> {
        use crate::store::Transaction;
        let (Some(sql), true) = (plan.many.clone(), good.len() >= TOGETHER) else {
            for (i, _) in good {
                let (key, values) = rows[*i];
                outcomes[*i] = match plan.kind {
                    Kind::Delete => self.delete(plan.table, key)?,
                    _ => self.update(plan.table, key, &plan.columns, values)?,
                };
            }
            return Ok(());
        };
        let inner = self.inner.clone();
        let t = inner.schema.get(plan.table);
        let width = plan.columns.len() + t.primary_key.len();
        let lists: Vec<_> =
            (0..width).map(|i| array(good.iter().map(|(_, t)| t.get(i)?.as_deref().map(Cow::Borrowed)))).collect();
        self.alive()?;
        let savepoint = self.journal.renew();
        match self.session().query_after(savepoint, &sql, &lists) {
            // A row that is not there need not go.
            Ok(_) if plan.kind == Kind::Delete => {
                good.iter().for_each(|(i, _)| self.meant(plan.table, &[], &[], Some(rows[*i].0)));
                Ok(())
            }
            Ok(found) => {
                let mut there = vec![false; good.len()];
                for row in &found {
                    let place: Option<&str> = row.try_get(0).map_err(|e| inner.err(e.into()))?;
                    let place = place.and_then(|n| n.parse::<usize>().ok()).and_then(|n| n.checked_sub(1));
                    if let Some(slot) = place.and_then(|n| there.get_mut(n)) {
                        *slot = true;
                    }
                }
                for ((i, _), there) in good.iter().zip(there) {
                    let (key, values) = rows[*i];
                    match there {
                        true => self.meant(plan.table, &plan.columns, values, Some(key)),
                        false => outcomes[*i] = Err(RecordError::gone()),
                    }
                }
                Ok(())
            }
            Err(fault) if record_error(t, &plan.shape, &fault).is_some() => {
                self.back()?;
                let (left, right) = good.split_at(good.len() / 2);
                self.change(plan, rows, left, outcomes)?;
                self.change(plan, rows, right, outcomes)
            }
            Err(fault) => Err(self.gone(&fault, &inner)),
        }
    }

    /// Back to the savepoint just made.
    fn back(&mut self) -> Result<()> {
        self.batch("ROLLBACK TO SAVEPOINT tablemap")
    }
}

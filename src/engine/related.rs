//! Answers about related rows: read for each row, worked out, put behind its found flags.

use super::apply::{self, Failure, code};
use super::lookups::{LookedUp, WayOf};
use super::runtime::{Engine, LegRt, Result};
use crate::schema::TableId;
use crate::sema::Related;
use crate::store::{Read, Rows};
use crate::value::{Value, compare};
use std::collections::HashMap;
use std::collections::hash_map::Entry;

/// A changed row of a question's table, while the answer of before is worked out.
struct Before<'a> {
    leg: &'a LegRt,
    changes: &'a [LookedUp],
}

/// An answer, or why this record has none.
type Answer = std::result::Result<Value, Box<Failure>>;

impl Engine {
    /// Puts the answers of the leg's questions into rows that were just read; which rows have none, and why.
    pub(super) fn answer_all(
        &self,
        leg: &LegRt,
        view: &mut (impl Read + ?Sized),
        rows: &mut Rows,
    ) -> Result<HashMap<usize, Box<Failure>>> {
        let asked = leg.leg().related.len();
        let mut failed = HashMap::new();
        if asked == 0 {
            return Ok(failed);
        }
        let (width, n) = (rows.width, rows.len());
        // Rows that stand side by side often ask the same: the lines of one invoice about its lines.
        let mut known: HashMap<(usize, Vec<Value>), Answer> = HashMap::new();
        let mut cells = Vec::with_capacity(n * (width + asked));
        let mut narrow = std::mem::take(&mut rows.cells).into_iter();
        for i in 0..n {
            cells.extend(narrow.by_ref().take(width));
            let at = cells.len() - width;
            let misfit = rows.misfits.iter().any(|(cell, _)| cell / width == i);
            for (q, r) in leg.leg().related.iter().enumerate() {
                let row = &cells[at..at + width];
                // All that a question reads of the row outside.
                let of_row = r.by.iter().map(|(_, c, _)| c).chain(&r.outer).map(|c| row[*c].clone()).collect();
                let answer = match (misfit, known.entry((q, of_row))) {
                    (true, _) => Ok(Value::Null),
                    (false, Entry::Occupied(known)) => known.get().clone(),
                    (false, Entry::Vacant(new)) => new.insert(self.answer(leg, view, r, row, None)?).clone(),
                };
                cells.push(answer.unwrap_or_else(|f| {
                    failed.entry(i).or_insert(f);
                    Value::Null
                }));
            }
        }
        rows.cells = cells;
        rows.width = width + asked;
        rows.misfits.iter_mut().for_each(|(cell, _)| *cell += *cell / width * asked);
        Ok(failed)
    }

    /// Puts the answers of before into a row that was imagined (R10): related rows that changed count as they were.
    pub(super) fn answer_before(
        &self,
        leg: &LegRt,
        view: &mut (impl Read + ?Sized),
        changes: &[LookedUp],
        row: &mut Vec<Value>,
    ) -> Result<()> {
        let width = row.len();
        for (q, r) in leg.leg().related.iter().enumerate() {
            let of_rows: Vec<LookedUp> =
                changes.iter().filter(|e| leg.ways[e.way].of == WayOf::Question(q)).cloned().collect();
            let before = Before { leg, changes: &of_rows };
            let answer = self.answer(leg, view, r, &row[..width], Some(&before))?;
            row.push(answer.unwrap_or(Value::Null));
        }
        Ok(())
    }

    fn answer(
        &self,
        leg: &LegRt,
        view: &mut (impl Read + ?Sized),
        r: &Related,
        outside: &[Value],
        before: Option<&Before<'_>>,
    ) -> Result<Answer> {
        let cell = |cell: &usize| outside.get(*cell).cloned().unwrap_or(Value::Null);
        let by: Vec<_> = r.by.iter().map(|(c, ..)| *c).collect();
        let values: Vec<Value> = r.by.iter().map(|(_, c, _)| cell(c)).collect();
        let mut rows = Rows::of(&r.read);
        view.related(&r.read, &by, &values, &mut rows)?;
        if let Some(before) = before {
            self.as_before(view, r, &values, before, &mut rows)?;
        }
        if let Some((_, m)) = rows.misfits.first() {
            let mut f = apply::misfit(leg, m, &|m| self.names(leg.leg().source.store, m));
            f.reason = format!("`{}`: {}", r.text, f.reason);
            return Ok(Err(Box::new(f)));
        }
        let outer: Vec<Value> = r.outer.iter().map(cell).collect();
        let width = rows.width + r.related.len() + outer.len();
        let mut wide = Vec::with_capacity(rows.len() * width);
        for i in 0..rows.len() {
            let row = rows.row(i);
            let mut answers = Vec::with_capacity(r.related.len());
            for inner in &r.related {
                match self.answer(leg, view, inner, row, None)? {
                    Ok(v) => answers.push(v),
                    Err(f) => return Ok(Err(f)),
                }
            }
            wide.extend(row.iter().cloned().chain(answers).chain(outer.iter().cloned()));
        }
        let answer = r.answer(&self.maps.context, wide.chunks(width.max(1)));
        Ok(answer.map_err(|e| {
            let mut f = Failure::new(code::EXPRESSION, format!("`{}`: {}", r.text, e.reason), e.remedy);
            f.value = e.value.map(|v| v.to_string());
            Box::new(f)
        }))
    }

    /// Makes related rows what they were before they changed. Of rows that look further that is not known; the checker
    /// refuses these where it would matter.
    fn as_before(
        &self,
        view: &mut (impl Read + ?Sized),
        r: &Related,
        values: &[Value],
        before: &Before<'_>,
        rows: &mut Rows,
    ) -> Result<()> {
        if before.changes.is_empty() || !r.read.joins.is_empty() || !r.related.is_empty() {
            return Ok(());
        }
        let table: TableId = r.read.table;
        let schema = &self.maps.stores[before.leg.leg().source.store].1;
        let t = schema.get(table);
        let key_len = t.primary_key.len();
        // By their key now and by the one before: the first change of a row tells what it was.
        let mut seen: Vec<&[Value]> = Vec::new();
        for e in before.changes {
            if seen.contains(&e.was.as_slice()) || seen.contains(&e.key.as_slice()) {
                seen.push(&e.key);
                continue;
            }
            seen.extend([e.was.as_slice(), e.key.as_slice()]);
            let same = |row: &[Value]| {
                row.iter()
                    .zip(&e.key)
                    .zip(&t.primary_key)
                    .take(key_len)
                    .all(|((a, b), c)| compare(a, b, t.column(*c).collation) == Some(std::cmp::Ordering::Equal))
            };
            let kept: Vec<Value> =
                (0..rows.len()).filter(|i| !same(rows.row(*i))).flat_map(|i| rows.row(i).to_vec()).collect();
            rows.cells = kept;
            // The way's columns are the question's. Most rows that changed belonged to other records.
            let belonged = e.before.as_ref().is_some_and(|before| {
                before.iter().zip(values).zip(&r.by).all(|((was, v), (c, ..))| {
                    compare(was, v, t.column(*c).collation) == Some(std::cmp::Ordering::Equal)
                })
            });
            if !belonged {
                continue;
            }
            let mut now = Rows::of(&r.read);
            view.fetch(&r.read, std::slice::from_ref(&e.key), &mut now)?;
            let mut old = now.row(0).to_vec();
            for (slot, (_, c)) in r.read.columns.iter().enumerate() {
                let pk = t.primary_key.iter().position(|k| k == c).and_then(|i| e.was.get(i));
                if let Some(v) = e.old.iter().find(|(o, _)| o == c).map(|(_, v)| v).or(pk) {
                    old[slot] = v.clone();
                }
            }
            rows.cells.extend(old);
        }
        Ok(())
    }
}

//! Writes of one chunk, side by side: rows of one shape go to the store together, where that is cheaper than one by one.

use super::chunk::{Chunk, Item, Left, Record, word};
use super::report::LegReport;
use super::runtime::{LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{RecordError, Transaction};
use crate::value::{Key, Value};

/// What is to be written of a record.
pub(super) enum Step {
    /// Nothing, or it was done.
    Done,
    /// A row.
    Create,
    /// Other values of the row with this primary key, which holds `there` in the leg's columns.
    Update {
        key: Vec<Value>,
        there: Vec<Value>,
        columns: Vec<ColumnId>,
        new: Vec<Value>,
        /// Whether it settles earlier changes of the record for the opposite leg (R2).
        settles: bool,
        /// The integration key that the row keeps, though the record has another one.
        kept: Option<Key>,
    },
}

impl Step {
    /// Whether a row gets another integration key, so that rows are found elsewhere after it.
    pub fn moves(&self, leg: &LegRt) -> bool {
        matches!(self, Step::Update { columns, .. } if columns.iter().any(|c| leg.leg().key.contains(c)))
    }

    fn is_like(&self, other: &Step) -> bool {
        match (self, other) {
            (Step::Create, Step::Create) => true,
            (Step::Update { columns, settles, .. }, Step::Update { columns: others, settles: also, .. }) => {
                columns == others && settles == also
            }
            _ => false,
        }
    }
}

/// Steps that were decided and not written, each with its record's index.
#[derive(Default)]
pub(super) struct Queue(Vec<(usize, Step)>);

impl Queue {
    pub fn push(&mut self, record: usize, step: Step) {
        if !matches!(step, Step::Done) {
            self.0.push((record, step));
        }
    }

    /// The steps in groups of one shape and one path, rows to be made first: a changed one may refer to them.
    fn groups(self, path: impl Fn(usize) -> String) -> Vec<(String, Vec<(usize, Step)>)> {
        let (creates, updates): (Vec<_>, Vec<_>) = self.0.into_iter().partition(|(_, s)| matches!(s, Step::Create));
        let mut groups: Vec<(String, Vec<(usize, Step)>)> = Vec::new();
        for (record, step) in creates.into_iter().chain(updates) {
            let path = path(record);
            let fits = |(p, steps): &&mut (String, Vec<(usize, Step)>)| {
                *p == path && steps.first().is_some_and(|(_, s)| s.is_like(&step))
            };
            match groups.iter_mut().find(fits) {
                Some((_, steps)) => steps.push((record, step)),
                None => groups.push((path, vec![(record, step)])),
            }
        }
        groups
    }
}

impl Chunk<'_> {
    /// Writes what is queued.
    pub(super) fn flush(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        records: &[Record<'_>],
        queue: &mut Queue,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        for (_, steps) in std::mem::take(queue).groups(|n| items[records[n].item].path.clone()) {
            // Records of one path are marked alike, or go in the same circle.
            let mut marked = Vec::with_capacity(steps.len());
            for (n, step) in steps {
                let record = &records[n];
                let settles = !matches!(step, Step::Update { settles: false, .. });
                if self.mark(tx, &items[record.item], settles, &word(record.company), counts)? {
                    marked.push((record, step));
                }
            }
            match marked.first() {
                None => {}
                Some((_, Step::Update { .. })) => self.update_all(tx, items, marked, counts, left)?,
                Some(_) => {
                    let records: Vec<&Record<'_>> = marked.into_iter().map(|(record, _)| record).collect();
                    self.insert_all(tx, items, &records, counts, left)?;
                }
            }
        }
        Ok(())
    }

    /// Inserts into a target that held nothing.
    pub(super) fn create_all(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        records: &[Record<'_>],
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        // A bulk load is nobody's echo: no record of it has a path.
        tx.writing(&self.leg.name, true, &self.leg.name)?;
        let records: Vec<&Record<'_>> = records.iter().collect();
        self.insert_all(tx, items, &records, counts, left)
    }

    fn insert_all(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        records: &[&Record<'_>],
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let leg = self.leg;
        if records.is_empty() {
            return Ok(());
        }
        let rows: Vec<&[Value]> = records.iter().map(|r| &*r.cells).collect();
        let mut outcomes = Vec::with_capacity(rows.len());
        tx.insert_all(leg.leg().target.table, &leg.columns, &rows, &mut outcomes)?;
        for (record, outcome) in records.iter().zip(outcomes) {
            self.created(tx, items, record, outcome, counts, left)?;
        }
        Ok(())
    }

    fn update_all(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        steps: Vec<(&Record<'_>, Step)>,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let leg = self.leg;
        let mut rows: Vec<(&[Value], &[Value])> = Vec::with_capacity(steps.len());
        let mut shape: &[ColumnId] = &[];
        for (_, step) in &steps {
            if let Step::Update { key, columns, new, .. } = step {
                shape = columns;
                rows.push((key, new));
            }
        }
        let mut outcomes = Vec::with_capacity(rows.len());
        tx.update_all(leg.leg().target.table, shape, &rows, &mut outcomes)?;
        for ((record, step), outcome) in steps.iter().zip(outcomes) {
            let Step::Update { key, there, columns, new, kept, .. } = step else { continue };
            if let Err(e) = outcome {
                self.refused(tx, items, record, e, counts, left)?;
                continue;
            }
            let item = &items[record.item];
            counts.updated += 1;
            self.aside.remove(&record.item);
            self.moved |= step.moves(leg);
            self.own(key, columns, new);
            self.claim_of(tx, item, record, kept.as_ref())?;
            if kept.is_some() {
                self.tell_key(tx, key, &record.cells)?;
            }
            self.wake(tx, key, there)?;
            self.outcomes.push((item.n, false));
            self.solved(tx, item, &word(record.company))?;
        }
        Ok(())
    }

    fn created(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        outcome: std::result::Result<Option<Vec<Value>>, RecordError>,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let leg = self.leg;
        let item = &items[record.item];
        match outcome {
            Ok(key) => {
                counts.created += 1;
                if !self.mode.bulk {
                    self.claim(tx, item, &self.ikey_of(record))?;
                }
                if self.tracks || self.mode.compares {
                    let key = key.or_else(|| self.primary_key(&record.cells));
                    if let Some(key) = key {
                        self.written.add(leg, &key);
                        if self.mode.compares {
                            self.compared.met.insert(&leg.target_key(&key));
                        }
                    }
                }
                self.outcomes.push((item.n, false));
                let company = word(record.company);
                self.solved(tx, item, &company)
            }
            Err(e) => self.refused(tx, items, record, e, counts, left),
        }
    }
}

//! Keys that change: what key a record's target row still has, from the log, from what it looks up, from quarantine.

use super::apply;
use super::fold::Work;
use super::runtime::{Engine, LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{Rows, Snapshot};
use crate::value::{Key, Type, Value};

impl Engine {
    /// What the quarantine knows of these records: the key that a row still has, and entries under a former primary key.
    pub(super) fn recall(&self, leg: &LegRt, works: &mut [Work]) -> Result<()> {
        let mut view = self.target(leg).snapshot()?;
        if view.state().quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        let types: Vec<Type> = leg.leg().lines.iter().map(|l| l.ty.clone()).collect();
        for w in works.iter_mut().filter(|w| w.misfit.is_none()) {
            let now = leg.source_key(&w.key).to_text();
            let was = w.old_key.as_ref().map(|k| leg.source_key(k).to_text()).filter(|k| *k != now);
            for key in was.iter().chain([&now]) {
                for entry in view.state().quarantine_of(&leg.name, key)? {
                    if w.ikey_before.is_none() && !entry.old_ikey.is_empty() {
                        w.ikey_before = Key::parse(&entry.old_ikey, &types).map(|k| k.0.into_vec());
                    }
                    if *key != now && !w.was.contains(key) {
                        w.was.push(key.clone());
                        w.old.extend(self.base_of(leg, &entry));
                    }
                }
            }
        }
        Ok(())
    }

    /// The key lines' values that the record's target row still has, where they may be others now.
    pub(super) fn had_key(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        row: &[Value],
    ) -> Result<Option<Vec<Value>>> {
        match &work.ikey_before {
            Some(known) => Ok(Some(known.clone())),
            None if self.key_changed(leg, work, row) => self.key_before(leg, snapshot, work, row),
            None => Ok(None),
        }
    }

    fn key_changed(&self, leg: &LegRt, work: &Work, row: &[Value]) -> bool {
        let l = leg.leg();
        if self.key_looked_up(leg, work, row) {
            return true;
        }
        if work.old.is_empty() {
            return work.old_key.is_some();
        }
        let inputs = l.lines.iter().filter(|l| l.key).flat_map(|l| &l.inputs);
        inputs.into_iter().any(|c| match work.old.get(c) {
            None => false,
            Some(old) => l.read.columns.iter().position(|rc| *rc == (0, *c)).is_some_and(|slot| row[slot] != *old),
        }) || work.old_key.is_some()
    }

    /// Whether a key that is looked up (a company's code, mostly) may be another one now because the looked-up row
    /// changed. Where the record refers to another row than before, its own old values say more.
    fn key_looked_up(&self, leg: &LegRt, work: &Work, row: &[Value]) -> bool {
        let l = leg.leg();
        let refers_anew = || {
            l.read.columns.iter().zip(row).any(|((from, c), now)| {
                let refers = l.read.joins.iter().any(|j| j.from == 0 && j.columns.contains(c));
                *from == 0 && refers && work.old.get(c).is_some_and(|old| old != now)
            })
        };
        l.lines.iter().any(|l| l.key && !l.joins.is_empty())
            && work.cells_before.iter().any(|(slot, old)| row[*slot] != *old)
            && !refers_anew()
    }

    /// The key lines' values before the change.
    fn key_before(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        row: &[Value],
    ) -> Result<Option<Vec<Value>>> {
        let l = leg.leg();
        let source = self.maps.stores[l.source.store].1.get(l.source.table);
        let mut base: Vec<(ColumnId, Value)> = work.old.iter().map(|(c, v)| (*c, v.clone())).collect();
        for (c, v) in source.primary_key.iter().zip(work.old_key.as_ref().unwrap_or(&work.key)) {
            if !base.iter().any(|(b, _)| b == c) {
                base.push((*c, v.clone()));
            }
        }
        let mut rows = Rows::of(&l.read);
        if !self.key_looked_up(leg, work, row) {
            snapshot.imagine(&l.read, &base, &mut rows)?;
            return Ok(apply::evaluate_key(l, &self.maps.context, rows.row(0)).ok());
        }
        let own = l.read.columns.iter().zip(row).filter(|((from, _), _)| *from == 0);
        for ((_, c), now) in own {
            if !base.iter().any(|(b, _)| b == c) {
                base.push((*c, now.clone()));
            }
        }
        snapshot.imagine(&l.read, &base, &mut rows)?;
        let mut before = rows.row(0).to_vec();
        for (slot, old) in &work.cells_before {
            before[*slot] = old.clone();
        }
        Ok(apply::evaluate_key(l, &self.maps.context, &before).ok())
    }
}

//! Rows that legs have yet to delete or to give another key (R25): a reference by such a key finds a row that will be
//! called otherwise, and the key may be another row's by then.

use super::chunk::{Chunk, Item, KeySet, Mode, What, word};
use super::fold::{Folded, number};
use super::live::LegRun;
use super::quarantine::Window;
use super::references::{Passing, cell_value};
use super::runtime::{Engine, LegRt, Result};
use crate::sema::Company;
use crate::store::{ReadState, Snapshot};
use crate::value::{Key, Value};
use std::collections::HashSet;

impl Engine {
    /// Of the rows that a leg refers to, those whose records other legs have not carried yet: in quarantine, or in the
    /// log of a leg that is paused, stopped or not at its end. `end`: up to where this leg itself takes up the log.
    pub(super) fn behind(
        &self,
        leg: &LegRt,
        end: i64,
        runs: &[LegRun<'_>],
        snapshot: &mut dyn Snapshot,
        state: &mut dyn ReadState,
    ) -> Result<Passing> {
        let l = leg.leg();
        let head = number(&snapshot.head()?);
        let refers = |to: &LegRt| {
            let to = to.leg();
            let mut targets = l.references.iter().flat_map(|r| &r.targets);
            to.target.store == l.target.store
                && targets.any(|t| t.table == to.target.table && t.by.iter().map(|(c, _)| c).eq(&to.key))
        };
        let mut all = Passing::new();
        for other in self.legs.iter().filter(|other| refers(other)) {
            let mut keys = KeySet::default();
            self.waiting_keys(other, state, &mut keys)?;
            let run = runs.iter().find(|r| r.leg.name == other.name && r.stopped.is_none());
            let end = if other.name == leg.name { Some(end) } else { run.map(|r| r.end) };
            if other.leg().source.store == l.source.store && end != Some(head) {
                self.pending_keys(other, snapshot, state, &mut keys)?;
            }
            if !keys.is_empty() {
                all.push((other.leg().target.table, other.leg().key.clone(), keys));
            }
        }
        Ok(all)
    }

    /// The integration keys under which records that wait in quarantine were applied, where they have other ones now.
    fn waiting_keys(&self, leg: &LegRt, state: &mut dyn ReadState, keys: &mut KeySet) -> Result<()> {
        if state.quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        let chunk = Chunk::new(self, leg, Mode::default(), Window::default());
        for entry in state.quarantined(&chunk.filter())? {
            for key in chunk.before_ikeys(&entry.old_ikey, &entry.company) {
                keys.insert(&key);
            }
        }
        Ok(())
    }

    /// The integration keys which records leave in what is pending in the log.
    fn pending_keys(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        state: &mut dyn ReadState,
        keys: &mut KeySet,
    ) -> Result<()> {
        let Some(progress) = state.progress(&leg.name)? else { return Ok(()) };
        let ahead = state.ahead(&leg.name)?;
        let ledger = state.ledger(&leg.name)?.first().map_or(0, |(_, n)| *n);
        let mut folded = Folded::new(leg, ahead, ledger, usize::MAX, HashSet::new());
        self.fold_log(leg, snapshot, number(&progress.position), &mut folded)?;
        self.part(leg, snapshot, &mut folded)?;
        for works in folded.works.chunks(self.limits.live_rows) {
            let mut values = Vec::new();
            for item in self.evaluate_works(leg, snapshot, works, &folded.looked_up, &mut values)? {
                for key in self.keys_left(leg, &item, &values) {
                    keys.insert(&key);
                }
            }
        }
        Ok(())
    }

    /// The integration keys, one for each company, which a record leaves: by another one, or because it is to be
    /// deleted. None where parts of the key are looked up in the target.
    pub(super) fn keys_left(&self, leg: &LegRt, item: &Item, values: &[Value]) -> Vec<Key> {
        let ikey = |lines: &[Value], company: Option<&Value>| {
            let value = |i: &usize| cell_value(&leg.cells[*i], lines, company, &[]);
            let key: Option<Vec<Value>> = leg.key_cells.iter().map(value).collect();
            let folds = leg.key_cells.iter().map(|i| leg.cells[*i].collation);
            key.map(|key| Key::new(key.iter().zip(folds)))
        };
        let left = |company: &Option<Value>| {
            let was = ikey(item.before_in(&word(company.as_ref()))?, company.as_ref())?;
            let now = match item.what {
                What::Write(at) => ikey(&values[at..], company.as_ref()),
                _ => None,
            };
            (now.as_ref() != Some(&was)).then_some(was)
        };
        self.companies_of(leg).iter().filter_map(left).collect()
    }

    /// The companies a record fans out to; else none, once.
    pub(super) fn companies_of(&self, leg: &LegRt) -> Vec<Option<Value>> {
        match leg.leg().company {
            Company::Each(_) => self.maps.companies.iter().flatten().map(|c| Some(Value::text(c))).collect(),
            _ => vec![None],
        }
    }
}

/// The rows that legs before have yet to delete, or to give another key.
pub(super) fn passing(runs: &[LegRun<'_>]) -> Passing {
    let of = |run: &LegRun<'_>| {
        let l = run.leg.leg();
        (!run.leaving.is_empty()).then(|| (l.target.table, l.key.clone(), run.leaving.clone()))
    };
    runs.iter().filter_map(of).collect()
}

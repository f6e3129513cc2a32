//! What waits in quarantine, given to the works of a cycle: retries that are due, the values before a record's first
//! open change, and the order in which records that leave a primary key come before those that take it.

use super::chunk::Claims;
use super::conflict::ikey_in;
use super::fold::{Folded, Reborn, Work};
use super::quarantine::{before_lines, taken};
use super::runtime::{Engine, LegRt, Result};
use crate::schema::{ColumnId, TableId};
use crate::store::{
    Found, QuarantineFilter, QuarantineKind, Quarantined, ReadPlan, ReadState, Rows, Snapshot, WriteState,
};
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet};

impl Engine {
    /// Source keys of records whose time has come, and of parked ones whose reference has arrived.
    pub(super) fn due(&self, leg: &LegRt, state: &mut dyn ReadState) -> Result<Vec<Vec<Value>>> {
        let due = QuarantineFilter {
            leg: Some(leg.name.clone()),
            due: Some(if mutant!("retries-never-due") { "0".into() } else { self.env.now() }),
            limit: self.limits.live_rows,
            ..QuarantineFilter::default()
        };
        let mut keys: Vec<String> = state.quarantined(&due)?.into_iter().map(|e| e.key).collect();
        if !mutant!("parked-never-wakes") {
            keys.extend(state.arrived(&leg.name, self.limits.live_rows)?);
        }
        keys.dedup();
        Ok(keys.iter().filter_map(|k| Some(Key::parse(k, &leg.source_key_types)?.0.into_vec())).collect())
    }

    /// Gives the works what waits of their records, and adds works for what is due. An entry belongs to the record that
    /// had its key when it was last consumed.
    pub(super) fn give_waiting(
        &self,
        leg: &LegRt,
        state: &mut dyn ReadState,
        folded: &mut Folded,
        due: Vec<Vec<Value>>,
    ) -> Result<()> {
        let mut others = std::mem::take(&mut folded.undone);
        if state.quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        for i in 0..folded.works.len() {
            let w = &folded.works[i];
            let (key, moved) = (w.key.clone(), leg.source_key(&w.start) != leg.source_key(&w.key));
            let (alive, owns) = (!w.gone && w.misfit.is_none(), w.owns);
            self.recall_one(leg, state, &mut folded.works[i])?;
            if !alive || (owns && !moved) || folded.owned(leg, &key) {
                continue;
            }
            match owns {
                // Moved there by a try that could not be finished.
                true => {
                    let entries = self.entries(leg, state, &key)?;
                    self.attach(leg, &mut folded.works[i], entries);
                }
                false => others.push(key),
            }
        }
        for key in others.into_iter().chain(due) {
            if folded.owned(leg, &key) {
                continue;
            }
            let entries = self.entries(leg, state, &key)?;
            if entries.is_empty() {
                continue;
            }
            // Another record has the key now.
            let mut work = Work { gone: folded.at(leg, &key).is_some(), ..folded.still(leg, key) };
            self.attach(leg, &mut work, entries);
            folded.push(leg, work);
        }
        Ok(())
    }

    /// A copy meets what is there. What waits of records that are not there any more, or not under their primary key, is
    /// due at once: where they went may not be in the log. What people put aside stays there.
    pub(super) fn wake_gone_ones(&self, leg: &LegRt, state: &mut dyn WriteState) -> Result<()> {
        if state.quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        let filter = QuarantineFilter { leg: Some(leg.name.clone()), ..QuarantineFilter::default() };
        let tried = [QuarantineKind::Failed, QuarantineKind::Parked, QuarantineKind::Debt];
        let entries = state.quarantined(&filter)?.into_iter().filter(|e| tried.contains(&e.kind));
        let waiting: Vec<(Vec<Value>, Quarantined)> =
            entries.filter_map(|e| Some((Key::parse(&e.key, &leg.source_key_types)?.0.into_vec(), e))).collect();
        let mut snapshot = self.source(leg).snapshot()?;
        let columns = leg.source_primary_key.iter().map(|c| (0, *c)).collect();
        let plan = ReadPlan { table: leg.leg().source.table, joins: vec![], columns };
        for some in waiting.chunks(self.limits.live_rows) {
            let keys: Vec<Vec<Value>> = some.iter().map(|(key, _)| key.clone()).collect();
            let there = snapshot.fetch(&plan, &keys, &mut Rows::of(&plan))?;
            for ((_, entry), _) in some.iter().zip(there).filter(|(_, there)| !there) {
                state.quarantine(&Quarantined { next_try: self.env.now(), ..entry.clone() })?;
            }
        }
        Ok(())
    }

    /// Keys that works took from records which were left to a later fold, and of which something waits: these must be
    /// taken up too, before what waits under the keys is another one's.
    pub(super) fn strangers(&self, leg: &LegRt, state: &mut dyn ReadState, folded: &Folded) -> Result<Vec<Key>> {
        let mut strangers = Vec::new();
        if folded.end(i64::MAX) == i64::MAX || state.quarantine_counts(&leg.name)?.is_empty() {
            return Ok(strangers);
        }
        for w in folded.works.iter().filter(|w| !w.gone && w.misfit.is_none() && !folded.owned(leg, &w.key)) {
            if !self.entries(leg, state, &w.key)?.is_empty() {
                strangers.push(leg.source_key(&w.key));
            }
        }
        Ok(strangers)
    }

    /// Gives works of records that come to be evaluated because of what they look up what waits of them.
    pub(super) fn recall(&self, leg: &LegRt, works: &mut [Work]) -> Result<()> {
        let mut view = self.target(leg).snapshot()?;
        if view.state().quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        works.iter_mut().try_for_each(|w| self.recall_one(leg, view.state(), w))
    }

    fn recall_one(&self, leg: &LegRt, state: &mut dyn ReadState, work: &mut Work) -> Result<()> {
        if work.owns && work.misfit.is_none() {
            let entries = self.entries(leg, state, &work.start)?;
            self.attach(leg, work, entries);
        }
        Ok(())
    }

    fn entries(&self, leg: &LegRt, state: &mut dyn ReadState, key: &[Value]) -> Result<Vec<Quarantined>> {
        Ok(state.quarantine_of(&leg.name, &leg.source_key(key).to_text())?)
    }

    /// The base, and the key, of a record's first open change.
    fn attach(&self, leg: &LegRt, work: &mut Work, entries: Vec<Quarantined>) {
        for entry in entries {
            work.waits = true;
            if entry.kind == QuarantineKind::Debt {
                // It was applied but for a reference.
                work.dependent |= work.untouched();
                continue;
            }
            let base = self.base_of(leg, &entry);
            if !base.is_empty() && !mutant!("waiting-loses-its-base") {
                work.old.extend(base);
                (work.based, work.dependent) = (true, false);
            } else if work.untouched() && !work.dependent {
                work.based = false;
            }
            work.before.extend(before_lines(leg, &entry.old_ikey).map(|b| (entry.company, b)));
        }
    }

    pub(super) fn base_of(&self, leg: &LegRt, entry: &Quarantined) -> HashMap<ColumnId, Value> {
        self.base_in(leg.leg().source.store, leg.leg().source.table, &entry.base)
    }

    fn base_in(&self, store: usize, table: TableId, base: &str) -> HashMap<ColumnId, Value> {
        let schema = &self.maps.stores[store].1;
        let Ok(map) = serde_json::from_str::<HashMap<String, String>>(base) else { return HashMap::new() };
        map.into_iter()
            .filter_map(|(name, text)| {
                let column = schema.column(table, &name)?;
                let ty = schema.get(table).column(column).ty.clone();
                let key = Key::parse(&text, &[ty])?;
                Some((column, key.0.first()?.clone()))
            })
            .collect()
    }

    /// A row that was deleted, and one that came under its primary key with another integration key, are two records.
    pub(super) fn part(&self, leg: &LegRt, snapshot: &mut dyn Snapshot, folded: &mut Folded) -> Result<()> {
        let l = leg.leg();
        let mut reborn = Vec::new();
        for (i, w) in folded.works.iter_mut().enumerate() {
            reborn.extend(w.reborn.take().filter(|_| !w.gone).map(|at| (i, at)));
        }
        let mut reborn = reborn.into_iter().peekable();
        while reborn.peek().is_some() {
            let some: Vec<_> = reborn.by_ref().take(self.limits.live_rows).collect();
            let keys: Vec<Vec<Value>> = some.iter().map(|(i, _)| folded.works[*i].key.clone()).collect();
            let mut rows = Rows::of(&l.read);
            let there = snapshot.fetch(&l.read, &keys, &mut rows)?;
            for (n, (i, at)) in some.into_iter().enumerate() {
                let w = &mut folded.works[i];
                let row = there[n].then(|| rows.row(n));
                // One that is gone again, and was on the other side, has to go there too.
                let parts = (row.is_some() || w.met_again) && !mutant!("reborn-is-the-same");
                if parts && self.is_another(leg, w, &at, row) {
                    let new = w.part(at);
                    folded.push(leg, new);
                } else {
                    w.met |= w.met_again;
                }
            }
        }
        Ok(())
    }

    /// Whether a row that came under a work's primary key had another integration key then. `row`: what is there now.
    fn is_another(&self, leg: &LegRt, work: &Work, reborn: &Reborn, row: Option<&[Value]>) -> bool {
        let l = leg.leg();
        let born = |c: &ColumnId| {
            let primary = leg.source_primary_key.iter().position(|p| p == c).and_then(|i| reborn.key.get(i));
            let now = || row?.get(l.read.columns.iter().position(|rc| *rc == (0, *c))?);
            primary.or_else(|| reborn.old.get(c)).or_else(now)
        };
        let differs = |c: &ColumnId| matches!((work.old.get(c), born(c)), (Some(was), Some(is)) if was != is);
        work.start != reborn.key || leg.key_inputs().any(differs)
    }

    /// Of a two-way leg, records that are gone, by the integration key they had: index of their work. The columns of
    /// the key, in the source.
    fn gone_by_key(&self, leg: &LegRt, folded: &Folded) -> Option<(Vec<ColumnId>, HashMap<Key, usize>)> {
        let opposite = self.opposite(leg).filter(|_| leg.map.two_way > 0)?;
        let mut gone = HashMap::new();
        for (i, w) in folded.works.iter().enumerate() {
            if w.based && (w.gone || w.deleted) && w.misfit.is_none() {
                gone.extend(ikey_in(opposite, &w.old).map(|key| (key, i)));
            }
        }
        let columns = || opposite.key_cells.iter().map(|c| opposite.cells[*c].column).collect();
        (!gone.is_empty()).then(|| (columns(), gone))
    }

    /// Primary keys under which records that are gone came back, and whose own log rows were left to a later fold: they
    /// must be taken up too, so that what the records were before is known.
    pub(super) fn returned(&self, leg: &LegRt, snapshot: &mut dyn Snapshot, folded: &Folded) -> Result<Vec<Key>> {
        if folded.end(i64::MAX) == i64::MAX {
            return Ok(vec![]);
        }
        let Some((columns, gone)) = self.gone_by_key(leg, folded) else { return Ok(vec![]) };
        let keys: Vec<Vec<Value>> = gone.into_keys().map(|k| k.0.into_vec()).collect();
        let mut returned = Vec::new();
        for found in snapshot.find(leg.leg().source.table, &columns, &keys, &[])? {
            if let Found::One { key, .. } = found
                && folded.at(leg, &key).is_none()
            {
                returned.push(leg.source_key(&folded.earlier(leg, key)));
            }
        }
        Ok(returned)
    }

    /// A row that came under the integration key of a record which is held for a person, and whose own row is gone, is that
    /// record again: it takes over what waits of it.
    pub(super) fn rejoin_held(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        state: &mut dyn ReadState,
        folded: &mut Folded,
    ) -> Result<()> {
        let Some(opposite) = self.opposite(leg).filter(|_| leg.map.two_way > 0) else { return Ok(()) };
        if mutant!("held-does-not-return") || state.quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        let filter = QuarantineFilter { leg: Some(leg.name.clone()), ..QuarantineFilter::default() };
        let mut held: HashMap<Key, (Vec<Value>, HashMap<ColumnId, Value>)> = HashMap::new();
        for entry in state.quarantined(&filter)?.into_iter().filter(|e| e.kind == QuarantineKind::Held) {
            let base = self.base_of(leg, &entry);
            let key = Key::parse(&entry.key, &leg.source_key_types);
            if let (Some(ikey), Some(key)) = (ikey_in(opposite, &base), key) {
                held.insert(ikey, (key.0.into_vec(), base));
            }
        }
        if held.is_empty() {
            return Ok(());
        }
        let columns = leg.source_primary_key.iter().map(|c| (0, *c)).collect();
        let plan = ReadPlan { table: leg.leg().source.table, joins: vec![], columns };
        for (i, ikey) in self.newcomers(leg, opposite, snapshot, folded)? {
            let Some((was, base)) = held.get(&ikey) else { continue };
            let mut gone = Rows::of(&plan);
            if snapshot.fetch(&plan, std::slice::from_ref(was), &mut gone)? == [false] {
                folded.takes_over(leg, i, was, base.clone());
            }
        }
        Ok(())
    }

    /// Records of a two-way leg that came since, and are there: index of their work, and their integration key.
    fn newcomers(
        &self,
        leg: &LegRt,
        opposite: &LegRt,
        snapshot: &mut dyn Snapshot,
        folded: &Folded,
    ) -> Result<Vec<(usize, Key)>> {
        let came = |w: &Work| !w.based && !w.gone && !w.untouched() && w.misfit.is_none();
        let new: Vec<usize> = (0..folded.works.len()).filter(|i| came(&folded.works[*i])).collect();
        let cells = || opposite.key_cells.iter().map(|c| &opposite.cells[*c]);
        let columns = cells().map(|c| (0, c.column)).collect();
        let plan = ReadPlan { table: leg.leg().source.table, joins: vec![], columns };
        let mut all = Vec::new();
        for new in new.chunks(self.limits.live_rows) {
            let keys: Vec<Vec<Value>> = new.iter().map(|i| folded.works[*i].key.clone()).collect();
            let mut rows = Rows::of(&plan);
            let there = snapshot.fetch(&plan, &keys, &mut rows)?;
            let ikey = |n: usize| Key::new(rows.row(n).iter().zip(cells().map(|c| c.collation)));
            all.extend(new.iter().enumerate().filter(|(n, _)| there[*n]).map(|(n, i)| (*i, ikey(n))));
        }
        Ok(all)
    }

    /// In a two-way leg, a row that came under the integration key of a record that is gone is that record again,
    /// whatever its primary key is called: what it was before is what that one was. Unless another one was, which was
    /// applied under that key before the engine died, and has moved on.
    pub(super) fn rejoin(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        claims: &Claims,
        folded: &mut Folded,
    ) -> Result<()> {
        if mutant!("returned-is-new") {
            return Ok(());
        }
        let Some((_, gone)) = self.gone_by_key(leg, folded) else { return Ok(()) };
        let Some(opposite) = self.opposite(leg) else { return Ok(()) };
        for (i, ikey) in self.newcomers(leg, opposite, snapshot, folded)? {
            if let Some(was) = gone.get(&ikey) {
                let was = &folded.works[*was];
                let there = leg.key_cells.iter().map(|c| leg.cells[*c].collation);
                let there = Key::new(ikey.0.iter().zip(there));
                if taken(leg, claims, was.owns, (&was.start, was.since), &there) && !mutant!("came-back-twice") {
                    continue;
                }
                let old = was.old.clone();
                let w = &mut folded.works[i];
                (w.old, w.based) = (old, true);
            }
        }
        Ok(())
    }
}

/// Works in the order of the log, but a record that leaves a primary key before the one that takes it, so that what
/// waits under the key is out of the way. With each work whether the next one must be in the same transaction: records
/// that took their keys from each other in a ring.
pub(super) fn leavers_first(leg: &LegRt, mut works: Vec<Work>) -> (Vec<Work>, Vec<bool>) {
    works.sort_by_key(|w| w.first);
    let mut glued = vec![false; works.len()];
    if mutant!("leavers-not-first") {
        return (works, glued);
    }
    if works.iter().all(|w| !w.gone && (w.owns || w.misfit.is_some()) && w.start == w.key) {
        return (works, glued);
    }
    let owners: HashMap<Key, usize> =
        works.iter().enumerate().filter(|(_, w)| w.owns).map(|(i, w)| (leg.source_key(&w.start), i)).collect();
    // Who had the key; of one that is gone nothing is in the way but what waits.
    let before = |i: usize| -> Option<usize> {
        let w = &works[i];
        let owner = *owners.get(&leg.source_key(&w.key)).filter(|j| !w.gone && **j != i)?;
        (!works[owner].gone || works[owner].waits).then_some(owner)
    };
    let mut order: Vec<usize> = Vec::with_capacity(works.len());
    let mut placed = vec![false; works.len()];
    for i in 0..works.len() {
        let mut chain: Vec<usize> = Vec::new();
        let mut seen: HashSet<usize> = HashSet::new();
        let mut at = Some(i).filter(|i| !placed[*i]);
        while let Some(n) = at.filter(|n| !placed[*n] && seen.insert(*n)) {
            chain.push(n);
            at = before(n);
        }
        let ring = at.is_some_and(|n| seen.contains(&n));
        let first = order.len();
        for n in chain.into_iter().rev() {
            placed[n] = true;
            order.push(n);
        }
        if ring {
            let last = order.len() - 1;
            glued[first..last].fill(true);
        }
    }
    let mut slots: Vec<Option<Work>> = works.into_iter().map(Some).collect();
    (order.into_iter().filter_map(|i| slots[i].take()).collect(), glued)
}

//! From works to items: the source rows fetched and evaluated, what is gone, and which key a record had before.

use super::apply::{self, Verdict};
use super::chunk::{Item, What};
use super::fold::Work;
use super::lookups::{LookedUp, columns_of};
use super::runtime::{Engine, LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{Rows, Snapshot};
use crate::value::Value;
use std::collections::HashMap;

impl Engine {
    /// Items of works: fetched in the snapshot, evaluated; their line values in `values`.
    pub(super) fn evaluate_works(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        works: &[Work],
        looked_up: &[LookedUp],
        values: &mut Vec<Value>,
    ) -> Result<Vec<Item>> {
        let l = leg.leg();
        let context = &self.maps.context;
        let companies = self.maps.companies.as_deref();
        let keys: Vec<Vec<Value>> = works.iter().filter(|w| w.misfit.is_none()).map(|w| w.key.clone()).collect();
        let mut rows = Rows::of(&l.read);
        let there = snapshot.fetch(&l.read, &keys, &mut rows)?;
        let mut unanswered = self.answer_all(leg, snapshot, &mut rows)?;
        // A key that is looked up (a company's code, mostly) may be another one because the looked-up row changed. Asked once:
        // there may be thousands of changes, and of records.
        let by_key = |way: usize| l.lines.iter().any(|line| line.key && line.joins.contains(&way));
        let through = looked_up.iter().any(|e| by_key(e.way));
        let mut items = Vec::with_capacity(works.len());
        let mut r = 0;
        for (n, work) in works.iter().enumerate() {
            let mut item = Item {
                key: work.key.clone(),
                what: What::FilteredOut,
                before: None,
                base: None,
                now: HashMap::new(),
                path: work.path.clone(),
                renewed: !work.owns && !work.gone,
                silent: work.left(leg) && !work.waits,
                absent: false,
                known: work.based || work.met || (work.untouched() && work.dependent),
                kept: work.before.clone(),
                start: work.owns.then(|| work.start.clone()),
                stood: (work.start.clone(), work.since),
                n,
            };
            if let Some(m) = &work.misfit {
                item.what = What::Failed(Box::new(apply::misfit(leg, m, &|m| self.names(l.source.store, m))));
                items.push(item);
                continue;
            }
            let i = r;
            r += 1;
            let row = rows.row(i);
            item.absent = !there[i];
            if !there[i] || work.gone {
                self.gone(leg, snapshot, work, looked_up, None, &mut item)?;
                items.push(item);
                continue;
            }
            if leg.map.two_way > 0 {
                let own = l.read.columns.iter().enumerate().filter(|(_, (j, _))| *j == 0);
                item.now = own.map(|(slot, (_, c))| (*c, row[slot].clone())).collect();
                item.base = match (work.dependent && work.untouched(), work.based) {
                    (true, _) => Some(item.now.clone()),
                    (false, true) => Some(work.base(&item.now)),
                    (false, false) => None,
                };
            }
            if let Some((_, m)) = rows.misfits.iter().find(|(n, _)| *n / rows.width.max(1) == i) {
                item.before = self.before(leg, snapshot, work, looked_up, through, row)?;
                item.what = What::Failed(Box::new(apply::misfit(leg, m, &|m| self.names(l.source.store, m))));
                items.push(item);
                continue;
            }
            let start = values.len();
            let verdict = match unanswered.remove(&i) {
                Some(f) => Verdict::Failed(f),
                None => apply::evaluate(l, context, companies, row, values),
            };
            match verdict {
                Verdict::Write => {
                    item.what = What::Write(start);
                    item.before = self.before(leg, snapshot, work, looked_up, through, row)?;
                }
                Verdict::FilteredOut => {
                    if l.exit_delete && !mutant!("exit-never-deletes") {
                        self.gone(leg, snapshot, work, looked_up, Some(row), &mut item)?;
                    }
                }
                Verdict::Failed(f) => {
                    item.before = self.before(leg, snapshot, work, looked_up, through, row)?;
                    item.what = What::Failed(f);
                }
            }
            items.push(item);
        }
        Ok(items)
    }

    /// A record whose row is gone, or left the filter: a delete if it matched before and the map allows it.
    fn gone(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        looked_up: &[LookedUp],
        now: Option<&[Value]>,
        item: &mut Item,
    ) -> Result<()> {
        let l = leg.leg();
        if !l.operations.delete {
            return Ok(());
        }
        if !work.before.is_empty() {
            // It was applied under these keys, and what came after is still open.
            item.what = What::Delete;
        }
        let known = match now {
            // It is there and does not match now.
            Some(_) => !work.old.is_empty() || work.dependent,
            None => {
                let was_there = work.based || work.met || work.untouched();
                !work.old.is_empty() && (leg.map.two_way == 0 || was_there)
            }
        };
        if !known {
            return Ok(());
        }
        let row = self.row_before(leg, snapshot, work, looked_up, now)?;
        let context = &self.maps.context;
        if !mutant!("deletes-what-never-matched")
            && !apply::matches(l, context, self.maps.companies.as_deref(), &row).unwrap_or(false)
        {
            return Ok(());
        }
        if let Ok(lines) = apply::evaluate_key(l, context, &row) {
            item.before = Some(lines);
            item.what = What::Delete;
            if leg.map.two_way > 0 {
                item.base = Some(work.old.clone());
            }
        }
        Ok(())
    }

    /// Puts into an imagined row what it looked up before the changes at hand (R10).
    fn lookups_before(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        looked_up: &[LookedUp],
        row: &mut [Value],
    ) -> Result<()> {
        let l = leg.leg();
        // What changed before the record was last consumed is no change for it.
        let from = looked_up.partition_point(|e| e.seq <= work.since);
        let looked_up = &looked_up[from..];
        if looked_up.is_empty() || mutant!("lookups-as-now") {
            return Ok(());
        }
        let schema = &self.maps.stores[l.source.store].1;
        let mut other = vec![false; l.read.joins.len()];
        for (j, (join, info)) in l.read.joins.iter().zip(&l.joins).enumerate() {
            let slots: Vec<(usize, ColumnId)> = l
                .read
                .columns
                .iter()
                .enumerate()
                .filter(|(_, (s, _))| *s == j + 1)
                .map(|(i, (_, c))| (i, *c))
                .collect();
            let columns: Vec<ColumnId> = slots.iter().map(|(_, c)| *c).collect();
            let parent = join.from.checked_sub(1);
            let refs: Vec<Value> = info.refs.iter().map(|s| row[*s].clone()).collect();
            let of_type = join.when.as_ref().is_none_or(|(c, v)| {
                l.read.columns.iter().position(|rc| *rc == (join.from, *c)).is_none_or(|slot| row[slot] == *v)
            });
            let reached = parent.is_none_or(|p| row[l.joins[p].found] == Value::Boolean(true));
            let changes = || looked_up.iter().filter(|e| e.way == j);
            let mut there: Option<Option<Vec<Value>>> = None;
            if !of_type || !reached || refs.iter().any(Value::is_null) {
                there = parent.is_some_and(|p| other[p]).then_some(None);
            } else if let Some((n, e)) = changes().enumerate().find(|(_, e)| e.before.as_ref() == Some(&refs)) {
                let made = changes().take(n).any(|x| x.before.is_none() && x.key == e.was);
                // What the log does not say has not changed; mostly the row that it tells of is the one looked up now.
                let at_hand = row[info.found] == Value::Boolean(true)
                    && e.key == refs
                    && !parent.is_some_and(|p| other[p])
                    && join.key == schema.get(join.table).primary_key;
                let now: Vec<Value> = match at_hand {
                    true => slots.iter().map(|(slot, _)| row[*slot].clone()).collect(),
                    false => {
                        let keys = std::slice::from_ref(&e.key);
                        columns_of(snapshot, join.table, &columns, keys)?.pop().unwrap_or_default()
                    }
                };
                let old = |i: usize, c: &ColumnId| {
                    let old = e.old.iter().find(|(o, _)| o == c).map(|(_, v)| v);
                    old.or_else(|| now.get(i)).cloned().unwrap_or(Value::Null)
                };
                there = Some((!made).then(|| columns.iter().enumerate().map(|(i, c)| old(i, c)).collect()));
            } else if changes().any(|e| e.key == refs && join.key == schema.get(join.table).primary_key) {
                // It came under this key since.
                there = Some(None);
            } else if parent.is_some_and(|p| other[p]) {
                let found = snapshot.find(join.table, &join.key, std::slice::from_ref(&refs), &columns)?.pop();
                there = Some(match found {
                    Some(crate::store::Found::One { values, .. }) => Some(values),
                    _ => None,
                });
            }
            if let Some(there) = there {
                other[j] = true;
                row[info.found] = Value::Boolean(there.is_some());
                for (i, (slot, _)) in slots.iter().enumerate() {
                    row[*slot] = there.as_ref().and_then(|v| v.get(i)).cloned().unwrap_or(Value::Null);
                }
            }
        }
        Ok(())
    }

    /// The key lines' values under which the target may hold the record, where they are not those of now. `through`:
    /// whether a row changed that key lines look up.
    fn before(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        looked_up: &[LookedUp],
        through: bool,
        row: &[Value],
    ) -> Result<Option<Vec<Value>>> {
        if let Some((_, before)) = work.before.iter().find(|(company, _)| company.is_empty()) {
            return Ok(Some(before.clone()));
        }
        // One that came since was never on the other side under another key.
        let new = leg.map.two_way > 0 && !work.based && !work.met && !work.untouched();
        if new && !mutant!("found-where-it-never-was") {
            return Ok(None);
        }
        match (through || self.key_changed(leg, work, row)) && !mutant!("found-by-new-key-only") {
            true => self.key_before(leg, snapshot, work, looked_up, row),
            false => Ok(None),
        }
    }

    pub(super) fn key_changed(&self, leg: &LegRt, work: &Work, row: &[Value]) -> bool {
        let moved = work.start != work.key;
        let l = leg.leg();
        leg.key_inputs().any(|c| match work.old.get(c) {
            None => false,
            Some(old) => l.read.columns.iter().position(|rc| *rc == (0, *c)).is_some_and(|slot| row[slot] != *old),
        }) || moved
    }

    /// The key lines' values before the change.
    fn key_before(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        looked_up: &[LookedUp],
        row: &[Value],
    ) -> Result<Option<Vec<Value>>> {
        let before = self.row_before(leg, snapshot, work, looked_up, Some(row))?;
        Ok(apply::evaluate_key(leg.leg(), &self.maps.context, &before).ok())
    }

    /// The source row as it was when the record was last consumed (R10): what the log says, under the primary key it
    /// had; what the log does not say has not changed.
    fn row_before(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        work: &Work,
        looked_up: &[LookedUp],
        now: Option<&[Value]>,
    ) -> Result<Vec<Value>> {
        let l = leg.leg();
        let source = self.maps.stores[l.source.store].1.get(l.source.table);
        let mut base: Vec<(ColumnId, Value)> = work.old.iter().map(|(c, v)| (*c, v.clone())).collect();
        let mut add = |c: ColumnId, v: &Value| {
            if !base.iter().any(|(b, _)| *b == c) {
                base.push((c, v.clone()));
            }
        };
        source.primary_key.iter().zip(&work.start).for_each(|(c, v)| add(*c, v));
        let own = || l.read.columns.iter().zip(now.unwrap_or_default()).filter(|((from, _), _)| *from == 0);
        own().for_each(|((_, c), now)| add(*c, now));
        let same = |((_, c), now): (&(usize, ColumnId), &Value)| base.iter().any(|(b, v)| b == c && v == now);
        let mut rows = Rows::of(&l.read);
        let mut before = match now.filter(|_| own().all(same)) {
            // Nothing of its own has changed: what it looks up now is what it would have looked up.
            Some(now) => now.iter().take(rows.width).cloned().collect(),
            None => {
                snapshot.imagine(&l.read, &base, &mut rows)?;
                rows.row(0).to_vec()
            }
        };
        self.lookups_before(leg, snapshot, work, looked_up, &mut before)?;
        let since = looked_up.partition_point(|e| e.seq <= work.since);
        self.answer_before(leg, snapshot, &looked_up[since..], &mut before)?;
        Ok(before)
    }

    /// Table and column names of a misfit.
    pub(super) fn names(&self, store: usize, m: &crate::store::Misfit) -> (String, String) {
        let table = self.maps.stores[store].1.get(m.table);
        (table.name.clone(), table.column(m.column).name.clone())
    }
}

//! Two-way lines: what to write when a record changed on both sides (R5, R6).

use super::chunk::{Chunk, Item, Record};
use super::fold::{Folded, Work};
use super::runtime::{LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{Change, ReadState};
use crate::syntax::ast::{Conflict, Side};
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet};

/// Changes of one record on the target side that the opposite leg has not consumed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// The values before the first of them, where the log holds them; a row that was inserted has none.
    pub base: HashMap<ColumnId, Value>,
    /// Columns that hold what they held before, where `base` says nothing of them.
    pub even: HashSet<ColumnId>,
    /// Whether the row was inserted by a direct change.
    pub inserted: bool,
    /// It was inserted, and no record of the other side was found to be the same yet.
    pub unmet: bool,
    /// It was deleted, and a row came under the same primary key.
    pub reborn: bool,
    /// The opposite leg holds the record for a person: the conflict is written down there.
    pub held: bool,
}

/// What is pending on the target side: the target's log as the opposite leg would fold it.
#[derive(Clone, Debug)]
pub(super) struct PendingTarget {
    /// The opposite leg.
    opposite: LegRt,
    folded: Folded,
    /// Rows that are gone, by integration key.
    gone: HashMap<Key, usize>,
    /// Rows that changed, by the integration key they had.
    changed: HashMap<Key, usize>,
    /// Records that the opposite leg holds for a person, by primary key, with the values before.
    held: HashMap<Key, Pending>,
    /// Their primary keys by integration key: their rows may be gone.
    held_by: HashMap<Key, Vec<Value>>,
}

impl PendingTarget {
    /// Nothing is pending yet. `state`: where the opposite leg keeps what it consumed ahead of its position.
    pub fn of_leg(opposite: &LegRt, state: &mut dyn ReadState) -> Result<PendingTarget> {
        let ahead = state.ahead(&opposite.name)?;
        let ledger = state.ledger(&opposite.name)?.first().map_or(0, |(_, n)| *n);
        let folded = Folded::new(opposite, ahead, ledger, usize::MAX, HashSet::new());
        let (gone, changed) = (HashMap::new(), HashMap::new());
        let (held, held_by) = (HashMap::new(), HashMap::new());
        Ok(PendingTarget { opposite: opposite.clone(), folded, gone, changed, held, held_by })
    }

    /// A record of the opposite leg waits, with these values before its first change.
    pub fn waits(&mut self, key: Vec<Value>, base: HashMap<ColumnId, Value>) {
        self.folded.seed(&self.opposite, key, base);
    }

    /// A record of the opposite leg is held for a person.
    pub fn holds(&mut self, leg: &LegRt, key: &[Value], base: &HashMap<ColumnId, Value>) {
        let id = self.opposite.source_key(key);
        if let Some(ikey) = ikey_in(leg, base) {
            self.held_by.insert(ikey, key.to_vec());
        }
        let pending = Pending { base: base.clone(), held: true, ..Pending::default() };
        self.held.insert(id, pending);
    }

    /// Further log rows of the target. What this leg wrote does not count, and does away with what went before it if it
    /// settles. `ended`: the log ends with them.
    pub fn add(&mut self, leg: &LegRt, changes: Vec<Change>, ended: bool) {
        self.folded.add(&self.opposite, &leg.name, changes);
        if ended {
            self.folded.consume_ahead(&self.opposite, i64::MAX);
        }
        for i in std::mem::take(&mut self.folded.ended) {
            let w = &self.folded.works[i];
            // What came and went was never there for this leg.
            if !w.based && !w.met {
                continue;
            }
            if let Some(ikey) = ikey_in(leg, &w.old) {
                self.gone.insert(ikey, i);
            }
        }
        for i in std::mem::take(&mut self.folded.changed) {
            let w = &self.folded.works[i];
            if let Some(ikey) = ikey_in(leg, &w.old).filter(|_| w.based || w.met) {
                self.changed.insert(ikey, i);
            }
        }
    }

    /// The primary key of the row that had this integration key when the sides last agreed, and has another one now.
    pub fn moved(&self, leg: &LegRt, ikey: &Key) -> Option<&[Value]> {
        let w = &self.folded.works[*self.changed.get(ikey).filter(|_| !mutant!("moved-there-is-unknown"))?];
        let there = w.last >= 0 && !w.gone && !w.deleted && (w.based || w.met);
        (there && ikey_in(leg, &w.old).as_ref() == Some(ikey)).then_some(&w.key)
    }

    /// Whether a row had this integration key when the sides last agreed.
    pub fn is_that(&self, leg: &LegRt, key: &[Value], ikey: &Key) -> bool {
        let Some(i) = self.folded.at(&self.opposite, key) else { return true };
        let w = &self.folded.works[i];
        (w.based || w.met) && ikey_in(leg, &w.old).is_none_or(|was| was == *ikey)
    }

    /// What is pending for a row. One that came under the integration key of a row that is gone is that record again,
    /// whatever its primary key is called: it is compared with what that one was.
    pub fn of(&self, key: &[Value], ikey: &Key) -> Option<Pending> {
        let held = self.held.contains_key(&self.opposite.source_key(key)) && !mutant!("held-not-woken");
        let pending = Pending::of(&self.folded.works[self.folded.at(&self.opposite, key)?]);
        let pending = Pending { held, ..pending };
        match pending.inserted || pending.reborn {
            true => self.gone(ikey).map(|gone| Pending { reborn: false, ..gone }).or(Some(pending)),
            false => Some(pending),
        }
    }

    /// What is pending for a row that is gone, by its integration key.
    pub fn gone(&self, ikey: &Key) -> Option<Pending> {
        let known = self.gone.get(ikey).filter(|_| !mutant!("deleted-there-is-made-again"));
        let logged = known.map(|i| &self.folded.works[*i]).filter(|w| w.last >= 0).map(Pending::of);
        logged.or_else(|| self.held.get(&self.opposite.source_key(self.held_by.get(ikey)?)).cloned())
    }

    /// The primary key under which the opposite leg holds the record with this integration key for a person.
    pub fn held_as(&self, ikey: &Key) -> Option<&[Value]> {
        self.held_by.get(ikey).map(Vec::as_slice)
    }
}

/// The integration key that a target row had, if all of it is known.
pub(super) fn ikey_in(leg: &LegRt, row: &HashMap<ColumnId, Value>) -> Option<Key> {
    let value = |c: &usize| row.get(&leg.cells[*c].column).map(|v| (v, leg.cells[*c].collation));
    Some(Key::new(leg.key_cells.iter().map(value).collect::<Option<Vec<_>>>()?))
}

impl Pending {
    fn of(work: &Work) -> Pending {
        Pending {
            base: work.old.clone(),
            even: work.even.clone(),
            inserted: !work.based,
            unmet: !work.based && !work.met,
            reborn: work.reborn.is_some(),
            held: false,
        }
    }
}

/// What to do with the two-way lines of one record.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Decision {
    /// Two-way lines not to write, by number.
    pub skip: Vec<usize>,
    /// Nothing is owed to the other direction.
    pub settles: bool,
    /// Lines in conflict: their numbers; to be logged.
    pub conflicts: Vec<usize>,
    /// Wait for a person.
    pub hold: bool,
    /// Two-way lines to write whoever changed them, by number: a person said so.
    pub force: Vec<usize>,
}

/// One two-way line of a record, as both sides see it.
pub(super) struct LineState {
    /// Its number.
    pub number: usize,
    /// Whether its inputs changed at the source; unknown counts as changed.
    pub changed_here: bool,
    /// Whether its column changed at the target.
    pub changed_there: bool,
    /// Whether the value to write equals the one that is there.
    pub equal: bool,
    /// What a person decided: whether the source counts.
    pub decided: Option<bool>,
}

/// What becomes of a conflict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The source's values are written.
    Source,
    /// The target's stay.
    Target,
    /// The record waits for a person.
    Hold,
}

/// What a map says of conflicts, for a leg that reads `source`.
pub(super) fn verdict(policy: Option<Conflict>, source: Side) -> Verdict {
    match policy {
        _ if mutant!("last-one-wins") => Verdict::Source,
        Some(Conflict::Wins(side) | Conflict::MergeElse(side)) if side == source => Verdict::Source,
        Some(Conflict::Wins(_) | Conflict::MergeElse(_)) => Verdict::Target,
        Some(Conflict::Hold | Conflict::MergeElseHold) | None => Verdict::Hold,
    }
}

/// Decides for a record that is there on both sides.
pub(super) fn decide(verdict: Verdict, lines: &[LineState]) -> Decision {
    let mut d = Decision { settles: true, ..Decision::default() };
    for line in lines {
        match (line.decided, line.changed_here, line.changed_there) {
            _ if line.equal && !mutant!("equal-is-conflict") => {}
            (Some(true), ..) => d.force.push(line.number),
            (None, _, false) => {}
            (Some(false), ..) | (None, false, true) => {
                d.skip.push(line.number);
                d.settles = mutant!("skipped-line-settles");
            }
            (None, true, true) => d.conflicts.push(line.number),
        }
    }
    if d.conflicts.is_empty() {
        return d;
    }
    match verdict {
        Verdict::Source => {}
        Verdict::Target => {
            d.skip.extend(&d.conflicts);
            d.settles = false;
        }
        Verdict::Hold => {
            d.hold = true;
            d.settles = false;
        }
    }
    d
}

impl Chunk<'_> {
    pub(super) fn decision(
        &self,
        item: &Item,
        record: &Record<'_>,
        key: &[Value],
        there: &[Value],
    ) -> Option<Decision> {
        let leg = self.leg;
        let compares = self.mode.compares;
        if leg.map.two_way == 0 || (self.mode.yields && !compares) {
            return None;
        }
        let pending = self.pending.and_then(|p| p.of(key, &self.ikey_there(there)));
        let resolution = self.resolution(item);
        if pending.is_none() && resolution.is_none() && !compares {
            return None;
        }
        let pending = pending.as_ref();
        let whole = compares || mutant!("conflicts-by-record");
        let compares = compares && !mutant!("recover-takes-the-source");
        let source = leg.into.other();
        let lines: Vec<LineState> = (0..leg.map.two_way)
            .map(|number| {
                let cells: Vec<usize> =
                    (0..leg.cells.len()).filter(|i| leg.cells[*i].two_way.is_some_and(|(n, _)| n == number)).collect();
                LineState {
                    number,
                    changed_here: whole || record.elsewhere || self.line_changed(item, number),
                    changed_there: compares || pending.is_some_and(|p| self.changed_there(p, number, there)),
                    equal: cells.iter().all(|i| record.cells[*i] == there[*i]),
                    decided: resolution.and_then(|r| r.side(&leg.map, number)).map(|side| side == source),
                }
            })
            .collect();
        Some(decide(verdict(leg.map.conflict, source), &lines))
    }

    /// Whether the columns of a two-way line changed at the target; where the base is unknown, yes. A row of the log
    /// need not mean a change: an upsert that did nothing leaves one too.
    pub(super) fn changed_there(&self, pending: &Pending, number: usize, there: &[Value]) -> bool {
        let of_line = |i: &usize| self.leg.cells[*i].two_way.is_some_and(|(n, _)| n == number);
        let unlike = |i: usize| {
            let column = &self.leg.cells[i].column;
            pending.base.get(column).map_or_else(|| !pending.even.contains(column), |b| *b != there[i])
        };
        let another = |i: &usize| {
            let fold = self.leg.cells[*i].collation;
            pending.base.get(&self.leg.cells[*i].column).is_some_and(|b| fold.fold(b) != fold.fold(&there[*i]))
        };
        let inserted = pending.inserted || (pending.reborn && self.leg.key_cells.iter().any(another));
        inserted || (0..self.leg.cells.len()).filter(of_line).any(unlike)
    }

    /// Whether the inputs of a two-way line changed at the source; where the base is unknown, yes.
    pub(super) fn line_changed(&self, item: &Item, number: usize) -> bool {
        let Some(base) = &item.base else { return true };
        let Some(line) = self.leg.leg().lines.iter().find(|l| l.two_way == Some(number)) else { return false };
        line.inputs.iter().any(|c| match (base.get(c), item.now.get(c)) {
            (Some(b), Some(n)) => b != n,
            _ => true,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(number: usize, here: bool, there: bool, equal: bool) -> LineState {
        LineState { number, changed_here: here, changed_there: there, equal, decided: None }
    }

    #[test]
    fn disjoint_changes_are_no_conflict() {
        let d = decide(Verdict::Target, &[line(0, true, false, false), line(1, false, true, false)]);
        assert_eq!((d.skip, d.settles, d.conflicts.len()), (vec![1], false, 0));
    }

    #[test]
    fn equal_outcomes_are_no_conflict() {
        let d = decide(Verdict::Target, &[line(0, true, true, true)]);
        assert_eq!((d.skip.len(), d.settles, d.conflicts.len()), (0, true, 0));
    }

    #[test]
    fn the_winner_writes_and_settles_the_loser_is_skipped() {
        let d = decide(Verdict::Source, &[line(0, true, true, false)]);
        assert_eq!((d.skip.len(), d.settles, d.conflicts.clone()), (0, true, vec![0]));
        let d = decide(Verdict::Target, &[line(0, true, true, false)]);
        assert_eq!((d.skip, d.settles, d.conflicts), (vec![0], false, vec![0]));
    }

    #[test]
    fn what_a_person_said_goes_before_the_policy() {
        let decided = |n, said| LineState { decided: Some(said), ..line(n, true, true, false) };
        let d = decide(Verdict::Hold, &[decided(0, true), decided(1, false)]);
        assert_eq!((d.force, d.skip, d.hold, d.settles), (vec![0], vec![1], false, false));
        // What nobody decided is still a conflict.
        let d = decide(Verdict::Hold, &[decided(0, true), line(1, true, true, false), line(2, false, true, false)]);
        assert_eq!((d.conflicts, d.hold), (vec![1], true));
    }
}

//! Two-way lines: what to write when a record changed on both sides (R5, R6).

use super::chunk::{Chunk, Item, Record};
use super::fold::{Folded, Work};
use super::runtime::{LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{Change, ReadState, Transaction};
use crate::syntax::ast::{Conflict, Side};
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet};

/// Changes of one record on the target side that the opposite leg has not consumed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// The values before the first of them, where the log holds them; a row that was inserted has none.
    pub base: HashMap<ColumnId, Value>,
    /// Whether the row was inserted by a direct change.
    pub inserted: bool,
    /// It was deleted, and a row came under the same primary key.
    pub reborn: bool,
}

/// What is pending on the target side: the target's log as the opposite leg would fold it.
#[derive(Clone, Debug)]
pub(super) struct PendingTarget {
    /// The opposite leg.
    opposite: LegRt,
    folded: Folded,
    /// Rows that are gone, by integration key.
    gone: HashMap<Key, usize>,
}

impl PendingTarget {
    /// Nothing is pending yet. `state`: where the opposite leg keeps what it consumed ahead of its position.
    pub fn of_leg(opposite: &LegRt, state: &mut dyn ReadState) -> Result<PendingTarget> {
        let ahead = state.ahead(&opposite.name)?;
        let ledger = state.ledger(&opposite.name)?.first().map_or(0, |(_, n)| *n);
        let folded = Folded::new(opposite, ahead, ledger, usize::MAX, HashSet::new());
        Ok(PendingTarget { opposite: opposite.clone(), folded, gone: HashMap::new() })
    }

    /// A record of the opposite leg waits, with these values before its first change.
    pub fn waits(&mut self, key: Vec<Value>, base: HashMap<ColumnId, Value>) {
        self.folded.seed(&self.opposite, key, base);
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
            if !w.based {
                continue;
            }
            let value = |c: &usize| w.old.get(&leg.cells[*c].column).map(|v| (v, leg.cells[*c].collation));
            if let Some(ikey) = leg.key_cells.iter().map(value).collect::<Option<Vec<_>>>() {
                self.gone.insert(Key::new(ikey), i);
            }
        }
    }

    /// What is pending for a row. One that came under the integration key of a row that is gone is that record again,
    /// whatever its primary key is called: it is compared with what that one was.
    pub fn of(&self, key: &[Value], ikey: &Key) -> Option<Pending> {
        let pending = Pending::of(&self.folded.works[self.folded.at(&self.opposite, key)?]);
        match pending.inserted || pending.reborn {
            true => self.gone(ikey).map(|gone| Pending { reborn: false, ..gone }).or(Some(pending)),
            false => Some(pending),
        }
    }

    /// What is pending for a row that is gone, by its integration key.
    pub fn gone(&self, ikey: &Key) -> Option<Pending> {
        self.gone.get(ikey).map(|i| &self.folded.works[*i]).filter(|w| w.last >= 0).map(Pending::of)
    }
}

impl Pending {
    fn of(work: &Work) -> Pending {
        Pending { base: work.old.clone(), inserted: !work.based, reborn: work.reborn.is_some() }
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
    /// Which side won, for the log.
    pub outcome: &'static str,
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
}

/// Decides for a record that is there on both sides and has changes pending at the target.
pub(super) fn decide(policy: Option<Conflict>, source_wins: bool, lines: &[LineState]) -> Decision {
    let mut d = Decision { settles: true, ..Decision::default() };
    for line in lines {
        match (line.changed_here, line.changed_there) {
            _ if line.equal => {}
            (_, false) => {}
            (false, true) => {
                d.skip.push(line.number);
                d.settles = false;
            }
            (true, true) => d.conflicts.push(line.number),
        }
    }
    if d.conflicts.is_empty() {
        return d;
    }
    match policy {
        Some(Conflict::Wins(_)) | Some(Conflict::MergeElse(_)) if source_wins => d.outcome = "source wins",
        Some(Conflict::Wins(_)) | Some(Conflict::MergeElse(_)) => {
            d.outcome = "target wins";
            d.skip.extend(&d.conflicts);
            d.settles = false;
        }
        Some(Conflict::Hold) | Some(Conflict::MergeElseHold) | None => {
            d.outcome = "held";
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
        if leg.map.two_way == 0 || self.mode.yields {
            return None;
        }
        let pending = &self.pending?.of(key, &self.ikey_there(there))?;
        let lines: Vec<LineState> = (0..leg.map.two_way)
            .map(|number| {
                let cells: Vec<usize> =
                    (0..leg.cells.len()).filter(|i| leg.cells[*i].two_way.is_some_and(|(n, _)| n == number)).collect();
                LineState {
                    number,
                    changed_here: record.elsewhere || self.line_changed(item, number),
                    changed_there: self.changed_there(pending, number, there),
                    equal: cells.iter().all(|i| record.cells[*i] == there[*i]),
                }
            })
            .collect();
        Some(decide(leg.map.conflict, self.source_wins(), &lines))
    }

    /// Whether the columns of a two-way line changed at the target; where the base is unknown, yes. A row of the log
    /// need not mean a change: an upsert that did nothing leaves one too.
    pub(super) fn changed_there(&self, pending: &Pending, number: usize, there: &[Value]) -> bool {
        let of_line = |i: &usize| self.leg.cells[*i].two_way.is_some_and(|(n, _)| n == number);
        let unlike = |i: usize| pending.base.get(&self.leg.cells[i].column).is_none_or(|b| *b != there[i]);
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

    pub(super) fn source_wins(&self) -> bool {
        let source: Side = self.leg.into.other();
        matches!(self.leg.map.conflict, Some(Conflict::Wins(s) | Conflict::MergeElse(s)) if s == source)
    }

    pub(super) fn log_conflict(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        there: &Pending,
        record: &Record<'_>,
        outcome: &str,
    ) -> Result<()> {
        let leg = self.leg;
        let (source, target) = (leg.leg().source, leg.leg().target);
        let source_table = self.engine.maps.stores[source.store].1.get(source.table);
        let target_table = self.engine.maps.stores[target.store].1.get(target.table);
        let json = |pairs: Vec<(String, String)>| {
            let map: serde_json::Map<String, serde_json::Value> =
                pairs.into_iter().map(|(k, v)| (k, serde_json::Value::String(v))).collect();
            serde_json::Value::Object(map).to_string()
        };
        let of_source = |m: &HashMap<ColumnId, Value>| {
            let mut pairs: Vec<(String, String)> =
                m.iter().map(|(c, v)| (source_table.column(*c).name.clone(), v.to_string())).collect();
            pairs.sort();
            json(pairs)
        };
        let base = item.base.as_ref().map(of_source).unwrap_or_default();
        let here = of_source(&item.now);
        let mut pairs: Vec<(String, String)> =
            there.base.iter().map(|(c, v)| (target_table.column(*c).name.clone(), v.to_string())).collect();
        pairs.extend(
            leg.columns
                .iter()
                .zip(record.cells.iter())
                .map(|(c, v)| (format!("{} (ours)", target_table.column(*c).name), v.to_string())),
        );
        pairs.sort();
        let there = json(pairs);
        let (left, right) = if leg.into == Side::Left { (there, here) } else { (here, there) };
        let key = leg.source_key(&item.key).to_text();
        Ok(tx.state_mut().put_conflict(&leg.name, &key, &base, &left, &right, outcome)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::ast::Side;

    fn line(number: usize, here: bool, there: bool, equal: bool) -> LineState {
        LineState { number, changed_here: here, changed_there: there, equal }
    }

    #[test]
    fn disjoint_changes_are_no_conflict() {
        let d = decide(
            Some(Conflict::Wins(Side::Left)),
            false,
            &[line(0, true, false, false), line(1, false, true, false)],
        );
        assert_eq!((d.skip, d.settles, d.conflicts.len()), (vec![1], false, 0));
    }

    #[test]
    fn equal_outcomes_are_no_conflict() {
        let d = decide(Some(Conflict::Wins(Side::Left)), false, &[line(0, true, true, true)]);
        assert_eq!((d.skip.len(), d.settles, d.conflicts.len()), (0, true, 0));
    }

    #[test]
    fn the_winner_writes_and_settles_the_loser_is_skipped() {
        let d = decide(Some(Conflict::Wins(Side::Left)), true, &[line(0, true, true, false)]);
        assert_eq!((d.skip.len(), d.settles, d.conflicts.clone()), (0, true, vec![0]));
        let d = decide(Some(Conflict::Wins(Side::Left)), false, &[line(0, true, true, false)]);
        assert_eq!((d.skip, d.settles, d.conflicts), (vec![0], false, vec![0]));
    }
}

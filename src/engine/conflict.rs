//! Two-way lines: what to write when a record changed on both sides (R5, R6).

use super::chunk::{Chunk, Item, Record};
use super::runtime::{LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{Change, Op, Transaction};
use crate::syntax::ast::{Conflict, Side};
use crate::value::{Key, Value};
use std::collections::HashMap;

/// Changes of one record on the target side that the opposite leg has not consumed.
#[derive(Clone, Debug, Default)]
pub(super) struct Pending {
    /// The values before the first of them, where the log holds them; a row that was inserted has none.
    pub base: HashMap<ColumnId, Value>,
    /// Whether the row was inserted by a direct change.
    pub inserted: bool,
    /// Whether it is gone.
    pub deleted: bool,
    /// It was deleted, and a row came under the same primary key.
    pub reborn: bool,
}

/// What is pending on the target side, by primary key and, for rows that are gone, by integration key.
#[derive(Clone, Debug, Default)]
pub(super) struct PendingTarget {
    pub by_key: HashMap<Key, Pending>,
    pub gone: HashMap<Key, Pending>,
}

impl PendingTarget {
    /// Folds further log rows of the target: what the opposite leg consumed ahead of its position and rows of this leg's own origin do not count, and one that settles clears what went
    /// before it.
    pub fn add(&mut self, leg: &LegRt, changes: &[Change], ahead: &HashMap<String, i64>) {
        let all = self;
        for c in changes {
            let Ok(key) = &c.key else { continue };
            let key = leg.target_key(key);
            if let Some(old_key) = &c.old_key
                && let Some(p) = all.by_key.remove(&leg.target_key(old_key))
            {
                all.by_key.insert(key.clone(), p);
            }
            if ahead.get(&key.to_text()).is_some_and(|through| c.seq <= *through) {
                continue;
            }
            if c.origin.as_deref() == Some(leg.name.as_str()) {
                if c.settles {
                    all.by_key.remove(&key);
                }
                continue;
            }
            let p = all.by_key.entry(key).or_default();
            match c.op {
                Op::Insert => {
                    p.inserted |= !p.deleted;
                    p.reborn |= p.deleted;
                }
                Op::Update | Op::Touch => {
                    for (column, value) in &c.old {
                        p.base.entry(*column).or_insert_with(|| value.clone());
                    }
                }
                Op::Delete if p.inserted => {
                    // It came and went: nothing was there before. Or an upsert met it, and it is there still.
                    p.deleted = true;
                }
                Op::Delete => {
                    for (column, value) in &c.old {
                        p.base.entry(*column).or_insert_with(|| value.clone());
                    }
                    p.deleted = true;
                    let ikey: Option<Vec<(&Value, crate::value::Collation)>> = leg
                        .key_cells
                        .iter()
                        .map(|i| p.base.get(&leg.cells[*i].column).map(|v| (v, leg.cells[*i].collation)))
                        .collect();
                    if let Some(ikey) = ikey {
                        let ikey = Key::new(ikey);
                        let gone = p.clone();
                        all.gone.insert(ikey, gone);
                    }
                }
                Op::Truncate => {}
            }
            if c.op == Op::Insert
                && let Ok(k) = &c.key
            {
                // Back again: what was gone is there.
                let key = leg.target_key(k);
                if let Some(p) = all.by_key.get_mut(&key) {
                    p.deleted = false;
                }
            }
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
        let pending = self.pending?.by_key.get(&leg.target_key(key))?;
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

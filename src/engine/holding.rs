//! Conflicts written down, with what they came to; records that are held until a person decides.

use super::apply::{Failure, code};
use super::chunk::{Chunk, Item};
use super::conflict::{Pending, Verdict, verdict};
use super::report::LegReport;
use super::resolution::{Resolution, columns};
use super::runtime::{LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{ConflictRow, QuarantineFilter, QuarantineKind, ReadState, Transaction};
use crate::syntax::ast::Side;
use crate::value::{Key, Value};
use serde_json::{Map, Value as Json, json};
use std::collections::HashMap;

/// The outcome of a conflict that waits for a person.
pub(super) const HELD: &str = "held";

/// The outcome of one that went away by itself.
pub(super) const SETTLED: &str = "no longer in conflict";

/// The conflicts of a record that wait for a person.
pub(super) fn open(state: &mut (impl ReadState + ?Sized), leg: &str, key: &str) -> Result<Vec<ConflictRow>> {
    let mut all = state.conflicts(leg, Some(key))?;
    all.retain(|c| c.outcome == HELD);
    Ok(all)
}

/// Says what the open conflicts of a record came to.
pub(super) fn close(tx: &mut dyn Transaction, leg: &str, key: &str, outcome: &str) -> Result<()> {
    for mut conflict in open(tx.state_mut(), leg, key)? {
        conflict.outcome = outcome.into();
        tx.state_mut().update_conflict(&conflict)?;
    }
    Ok(())
}

impl Chunk<'_> {
    /// The source key under which what waits of the item's record was put.
    fn waiting_key(&self, item: &Item) -> String {
        self.leg.source_key(item.start.as_ref().unwrap_or(&item.key)).to_text()
    }

    /// Whether the record was held when the transaction began.
    pub(super) fn is_held(&self, item: &Item) -> bool {
        !self.held.is_empty() && !item.renewed && self.held.contains_key(&self.waiting_key(item))
    }

    /// What a person decided about the record.
    pub(super) fn resolution(&self, item: &Item) -> Option<&Resolution> {
        if self.held.is_empty() || item.renewed {
            return None;
        }
        self.held.get(&self.waiting_key(item))?.as_ref()
    }

    /// Who wins where one side has the record no more, or a line is undecided.
    pub(super) fn whole(&self, item: &Item) -> Verdict {
        let source = self.leg.into.other();
        match self.resolution(item).and_then(|r| r.all) {
            Some(side) if side == source => Verdict::Source,
            Some(_) => Verdict::Target,
            None => verdict(self.leg.map.conflict, source),
        }
    }

    /// Lets the opposite leg look again at a record that it holds: this one went on.
    pub(super) fn wake(&self, tx: &mut dyn Transaction, key: &[Value], row: &[Value]) -> Result<()> {
        if self.pending.and_then(|p| p.of(key, &self.ikey_there(row))).is_some_and(|p| p.held) {
            let opposite = self.leg.opposite_name(&self.engine.project);
            tx.touch(self.leg.leg().target.table, key, &[], &opposite)?;
        }
        Ok(())
    }

    /// The same for a record that is not on this side any more.
    pub(super) fn wake_gone(&self, tx: &mut dyn Transaction, ikey: &Key) -> Result<()> {
        let held = self.pending.and_then(|p| p.held_as(ikey)).filter(|_| !mutant!("held-and-gone-not-woken"));
        if let Some(key) = held {
            let opposite = self.leg.opposite_name(&self.engine.project);
            tx.touch(self.leg.leg().target.table, key, &[], &opposite)?;
        }
        Ok(())
    }

    /// Whether the record waits for a person, in either direction.
    pub(super) fn is_held_anywhere(&self, item: &Item, ikey: &Key) -> bool {
        self.is_held(item) || self.pending.is_some_and(|p| p.held_as(ikey).is_some())
    }

    /// Tells the opposite leg that the row it has yet to carry over is a record which is on this side already, and was
    /// left as it is: if the row goes before it is carried, this one has to go too.
    pub(super) fn meet(&self, tx: &mut dyn Transaction, key: &[Value], row: &[Value]) -> Result<()> {
        if self.pending.and_then(|p| p.of(key, &self.ikey_there(row))).is_some_and(|p| p.unmet) {
            let opposite = self.leg.opposite_name(&self.engine.project);
            tx.touch(self.leg.leg().target.table, key, &[], &opposite)?;
        }
        Ok(())
    }

    /// Tells the opposite leg, which has yet to carry a row's key, under which one the record is on its other side now.
    pub(super) fn tell_key(&self, tx: &mut dyn Transaction, key: &[Value], cells: &[Value]) -> Result<()> {
        let opposite = self.leg.opposite_name(&self.engine.project);
        let of = |i: &usize| (self.leg.cells[*i].column, cells[*i].clone());
        let ikey: Vec<(ColumnId, Value)> = self.leg.key_cells.iter().map(of).collect();
        Ok(tx.touch(self.leg.leg().target.table, key, &ikey, &opposite)?)
    }

    /// Learns which records are held for a person.
    pub(super) fn learn_held(&mut self, tx: &mut dyn Transaction) -> Result<()> {
        if self.leg.map.two_way > 0 {
            let entries = tx
                .state_mut()
                .quarantined(&QuarantineFilter { leg: Some(self.leg.name.clone()), ..QuarantineFilter::default() })?;
            let held = entries.into_iter().filter(|e| e.kind == QuarantineKind::Held);
            self.held = held.map(|e| (e.key, Resolution::parse(&e.value))).collect();
        }
        Ok(())
    }

    /// Keeps the record back until a person decides.
    pub(super) fn hold(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        company: &str,
        lines: &[usize],
        counts: &mut LegReport,
    ) -> Result<()> {
        let mut f = Failure::new(
            code::CONFLICT,
            match lines {
                [] => "it was changed on one side and deleted on the other",
                _ => "it changed on both sides since they last agreed",
            },
            "`tablemap conflicts list` shows it, `tablemap conflicts resolve` decides",
        );
        f.kind = QuarantineKind::Held;
        let names = lines.iter().map(|n| match self.leg.into {
            Side::Left => columns(&self.leg.map, *n).0,
            Side::Right => columns(&self.leg.map, *n).1,
        });
        f.column = names.collect::<Vec<_>>().join(", ");
        self.failed(tx, item, company, &f, &[], counts)
    }

    /// Writes a conflict down: `here` what the source would write, `there` the target's values; none where the side has
    /// the record no more. A held record has one open conflict, in the leg that found it first.
    #[expect(clippy::too_many_arguments, reason = "all that a conflict is")]
    pub(super) fn note(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        pending: &Pending,
        here: Option<&[Value]>,
        there: Option<&[Value]>,
        lines: &[usize],
        verdict: Verdict,
    ) -> Result<()> {
        let leg = self.leg;
        let source = leg.into.other();
        let outcome = match (verdict, self.resolution(item)) {
            (Verdict::Hold, _) => HELD.to_string(),
            // It was written down when it was decided.
            (_, Some(_)) => return Ok(()),
            (Verdict::Source, None) => format!("{} wins", source.word()),
            (Verdict::Target, None) => format!("{} wins", leg.into.word()),
        };
        let key = leg.source_key(&item.key).to_text();
        let (base, left, right) = self.told(item, pending, here, there, lines);
        if verdict == Verdict::Hold {
            // What waited under another primary key has come along.
            if let Some(mut known) = open(tx.state_mut(), &leg.name, &key)?.pop() {
                (known.base, known.left, known.right) = (base, left, right);
                return Ok(tx.state_mut().update_conflict(&known)?);
            }
            if pending.held {
                return Ok(());
            }
        }
        Ok(tx.state_mut().put_conflict(&leg.name, &key, &base, &left, &right, &outcome)?)
    }

    /// Base, left and right of a conflict as JSON (docs/json.md).
    fn told(
        &self,
        item: &Item,
        pending: &Pending,
        here: Option<&[Value]>,
        there: Option<&[Value]>,
        conflicts: &[usize],
    ) -> (String, String, String) {
        let leg = self.leg;
        let source_side = leg.into.other();
        let opposite = self.engine.opposite(leg);
        let mut lines = Vec::new();
        let mut sides: [(Map<String, Json>, Map<String, Json>); 2] = Default::default();
        for number in 0..leg.map.two_way {
            let (left, right) = columns(&leg.map, number);
            let (here_name, there_name) = if source_side == Side::Left { (&left, &right) } else { (&right, &left) };
            // A side's values are those of the columns that the line fills there.
            let of = |leg: &LegRt, row: &dyn Fn(ColumnId) -> Option<Value>| {
                let cells = leg.cells.iter().filter(|c| c.two_way.is_some_and(|(n, _)| n == number));
                let values: Vec<Value> = cells.filter_map(|c| row(c.column)).collect();
                text_of(&values)
            };
            let cell =
                |row: &[Value], c: ColumnId| leg.columns.iter().position(|k| *k == c).and_then(|i| row.get(i)).cloned();
            let [source, target] = &mut sides;
            if let Some(opposite) = opposite {
                let from = |m: &HashMap<ColumnId, Value>, c: ColumnId| m.get(&c).cloned();
                if let Some(base) = &item.base {
                    source.0.insert(here_name.clone(), of(opposite, &|c| from(base, c)));
                }
                if here.is_some() {
                    source.1.insert(here_name.clone(), of(opposite, &|c| from(&item.now, c)));
                }
            }
            target.0.insert(there_name.clone(), of(leg, &|c| pending.base.get(&c).cloned()));
            if let Some(row) = there {
                target.1.insert(there_name.clone(), of(leg, &|c| cell(row, c)));
            }
            lines.push(json!({ "left": left, "right": right, "conflict": conflicts.contains(&number) }));
        }
        let table = self.engine.maps.stores[leg.leg().target.store].1.get(leg.leg().target.table);
        let key: Vec<Json> = match here {
            Some(cells) => leg.key_cells.iter().map(|i| one(&cells[*i])).collect(),
            None => leg.key_cells.iter().filter_map(|i| Some(one(there?.get(*i)?))).collect(),
        };
        let names = leg.leg().key.iter().map(|c| table.column(*c).name.clone());
        let key: Map<String, Json> = names.zip(key).collect();
        let [(source_base, source_now), (target_base, target_now)] = sides;
        let source_now = if here.is_some() { Json::Object(source_now) } else { Json::Null };
        let target_now = if there.is_some() { Json::Object(target_now) } else { Json::Null };
        let (left, right, left_base, right_base) = match source_side {
            Side::Left => (source_now, target_now, source_base, target_base),
            Side::Right => (target_now, source_now, target_base, source_base),
        };
        let base = json!({ "key": key, "lines": lines, "left": left_base, "right": right_base });
        (base.to_string(), left.to_string(), right.to_string())
    }
}

fn one(value: &Value) -> Json {
    if value.is_null() { Json::Null } else { Json::String(plain(value)) }
}

/// A value without quotes.
pub(super) fn plain(value: &Value) -> String {
    match value {
        Value::Text(text) => text.to_string(),
        other => other.to_string(),
    }
}

/// The values of a line's columns: mostly one.
fn text_of(values: &[Value]) -> Json {
    match values {
        [value] => one(value),
        _ if values.iter().all(Value::is_null) => Json::Null,
        _ => Json::String(values.iter().map(plain).collect::<Vec<_>>().join(", ")),
    }
}

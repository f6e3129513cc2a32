//! Conflicts for the operator: what was written down, and a decision given to the records that wait for one.

use super::holding::{HELD, SETTLED, plain};
use super::resolution::Resolution;
use super::runtime::{Engine, EngineError, LegRt, Result};
use crate::schema::ColumnId;
use crate::store::{ConflictRow, QuarantineFilter, QuarantineKind, Quarantined, ReadPlan, Rows};
use crate::value::{Collation, Key};
use serde_json::Value as Json;

/// The outcome of a conflict that a person decided.
fn decided(resolution: &Resolution) -> String {
    format!("decided: {}", resolution.to_text())
}

impl Engine {
    /// The conflicts of these maps (indexes), oldest first in each leg; with `all` those that are decided too.
    pub fn conflicts(&self, maps: &[usize], all: bool) -> Result<Vec<(usize, ConflictRow)>> {
        let mut found = Vec::new();
        for leg in self.legs.iter().filter(|l| maps.contains(&l.map_index)) {
            let target = self.target(leg);
            if leg.map.two_way == 0 || !target.is_prepared()? {
                continue;
            }
            let rows = target.snapshot()?.state().conflicts(&leg.name, None)?;
            found.extend(rows.into_iter().filter(|c| all || c.outcome == HELD).map(|c| (leg.map_index, c)));
        }
        Ok(found)
    }

    /// Gives both legs of a held record the decision; their next cycle applies it to the values there are then. How many
    /// legs hold it.
    pub fn resolve(&self, conflict: &ConflictRow, resolution: &Resolution) -> Result<usize> {
        let Some(leg) = self.legs.iter().find(|l| l.name == conflict.leg) else { return Ok(0) };
        let own: Vec<Quarantined> = self.held_entries(leg)?.into_iter().filter(|e| e.key == conflict.key).collect();
        // From here on it is decided: cut off behind this transaction, the leg passes the decision on (`pass_on`).
        for entry in &own {
            self.decide_entry(leg, entry, resolution, Some(conflict))?;
        }
        self.env.point("between the halves of a decision")?;
        let told = self.tell_opposite(leg, &conflict.base, resolution)?;
        if own.is_empty() {
            // Another record has taken the key under which this leg held it, or it was dropped.
            let outcome = if told > 0 { decided(resolution) } else { SETTLED.to_string() };
            let mut tx = self.target(leg).begin()?;
            tx.state_mut().update_conflict(&ConflictRow { outcome, ..conflict.clone() })?;
            tx.commit()?;
        }
        if told + own.len() == 0 {
            return Err(EngineError::Refused(
                "no record waits for this decision any more; `tablemap conflicts list --all` says what became of it"
                    .into(),
            ));
        }
        Ok(told + own.len())
    }

    /// A leg that is about to carry out decisions sees to it that the opposite one knows them: whoever gave them may have
    /// been cut off before that.
    pub(super) fn pass_on(&self, leg: &LegRt) -> Result<()> {
        if leg.map.two_way == 0 || mutant!("decision-not-passed-on") {
            return Ok(());
        }
        for entry in self.held_entries(leg)? {
            let Some(resolution) = Resolution::parse(&entry.value) else { continue };
            let all = self.target(leg).snapshot()?.state().conflicts(&leg.name, Some(&entry.key))?;
            let Some(conflict) = all.into_iter().rfind(|c| c.outcome == decided(&resolution)) else { continue };
            self.tell_opposite(leg, &conflict.base, &resolution)?;
        }
        Ok(())
    }

    /// Gives the opposite leg's entries of a record whose conflict has this base the decision, unless they have it; how
    /// many there are.
    fn tell_opposite(&self, leg: &LegRt, base: &str, resolution: &Resolution) -> Result<usize> {
        let Some(opposite) = self.opposite(leg) else { return Ok(0) };
        let mut told = 0;
        for entry in self.held_entries(opposite)? {
            if self.is_of(opposite, leg, &entry, base)? {
                if entry.value != resolution.to_text() {
                    self.decide_entry(opposite, &entry, resolution, None)?;
                }
                told += 1;
            }
        }
        Ok(told)
    }

    fn held_entries(&self, leg: &LegRt) -> Result<Vec<Quarantined>> {
        let filter = QuarantineFilter { leg: Some(leg.name.clone()), ..QuarantineFilter::default() };
        let mut all = self.target(leg).snapshot()?.state().quarantined(&filter)?;
        all.retain(|e| e.kind == QuarantineKind::Held);
        Ok(all)
    }

    fn decide_entry(
        &self,
        leg: &LegRt,
        entry: &Quarantined,
        resolution: &Resolution,
        conflict: Option<&ConflictRow>,
    ) -> Result<()> {
        let mut tx = self.target(leg).begin()?;
        let known = tx.state_mut().quarantine_of(&leg.name, &entry.key)?;
        if let Some(known) = known.into_iter().find(|e| e.company == entry.company && e.kind == QuarantineKind::Held) {
            let decided = Quarantined { value: resolution.to_text(), next_try: self.env.now(), ..known };
            tx.state_mut().quarantine(&decided)?;
        }
        if let Some(conflict) = conflict {
            tx.state_mut().update_conflict(&ConflictRow { outcome: decided(resolution), ..conflict.clone() })?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Whether an entry of the opposite leg is the record of a conflict that `leg` found: its integration key was, or is,
    /// the conflict's.
    fn is_of(&self, opposite: &LegRt, leg: &LegRt, entry: &Quarantined, base: &str) -> Result<bool> {
        let target = leg.leg().target;
        let table = self.maps.stores[target.store].1.get(target.table);
        let columns = &leg.leg().key;
        let Ok(base) = serde_json::from_str::<Json>(base) else { return Ok(false) };
        let same = |value: &dyn Fn(usize, ColumnId) -> Option<String>| {
            columns.iter().enumerate().all(|(i, c)| {
                let column = table.column(*c);
                let (wanted, value) = (base["key"][&column.name].as_str(), value(i, *c));
                match (wanted, value, column.collation) {
                    (Some(w), Some(v), Collation::NoCase) => w.eq_ignore_ascii_case(&v),
                    (Some(w), Some(v), Collation::Exact) => w == v,
                    _ => false,
                }
            })
        };
        let before = self.base_of(opposite, entry);
        if same(&|_, c| before.get(&c).map(plain)) {
            return Ok(true);
        }
        let Some(key) = Key::parse(&entry.key, &opposite.source_key_types) else { return Ok(false) };
        let plan = ReadPlan { table: target.table, joins: vec![], columns: columns.iter().map(|c| (0, *c)).collect() };
        let mut rows = Rows::of(&plan);
        let there = self.target(leg).snapshot()?.fetch(&plan, &[key.0.into_vec()], &mut rows)?;
        Ok(there == [true] && same(&|i, _| rows.row(0).get(i).map(plain)))
    }
}

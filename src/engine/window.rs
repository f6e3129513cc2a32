//! Migration windows: capture taken off tables so that they can be rebuilt, the legs that touch them waiting; and what is
//! pending skipped by command.

use super::apply::{Failure, code};
use super::chunk::{Item, What};
use super::live::watched_tables;
use super::report::{Observer, Report};
use super::runtime::{Engine, EngineError, LegRt, Result};
use super::setup::widen;
use crate::schema::TableId;
use crate::store::{CaptureSpec, LogSize, QuarantineKind, ReadState, StoreError};
use crate::syntax::ast::Side;
use std::collections::BTreeSet;

/// What `progress.desired` begins with where changes up to a log number are to be skipped.
const SKIP: &str = "skip ";

/// The log number up to which an operator wants changes skipped.
pub(super) fn skip_of(desired: &str) -> Option<i64> {
    desired.strip_prefix(SKIP)?.parse().ok()
}

/// Puts an item aside instead of applying it.
pub(super) fn skip(item: &mut Item) {
    if matches!(item.what, What::FilteredOut) && item.renewed && !mutant!("skip-forgets-the-dead") {
        // Nothing is carried of it; what is kept is of the record that had its primary key before.
        (item.renewed, item.silent) = (false, true);
    }
    if matches!(item.what, What::Write(_) | What::Delete) {
        let mut f = Failure::new(
            code::SKIPPED,
            "its change was skipped by `tablemap resume --skip`",
            "`tablemap errors retry` carries it over after all; so does its next change",
        );
        f.kind = QuarantineKind::Skipped;
        item.what = What::Failed(Box::new(f));
    }
}

/// A captured table and whether its capture is suspended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CapturedTable {
    /// Index of the store.
    pub store: usize,
    /// The table.
    pub table: TableId,
    /// Whether capture is suspended.
    pub suspended: bool,
    /// Ids of the maps whose legs read or write it.
    pub maps: Vec<String>,
}

impl Engine {
    /// What the legs want logged in a store, without suspended tables.
    pub(super) fn capture_specs(&self, store: usize, without: &[TableId]) -> Vec<CaptureSpec> {
        let mut specs: Vec<CaptureSpec> = Vec::new();
        for leg in self.legs.iter().filter(|l| l.leg().source.store == store) {
            for spec in leg.leg().capture.iter().filter(|s| !without.contains(&s.table)) {
                widen(&mut specs, spec);
            }
        }
        specs
    }

    /// The suspended tables of a store.
    pub(super) fn suspended_tables(&self, store: usize) -> Result<Vec<TableId>> {
        let s = &self.stores[store];
        if !s.is_prepared()? {
            return Ok(vec![]);
        }
        let names = s.snapshot()?.state().suspended(&self.project)?;
        let tables = &s.schema().tables;
        let id = |name: &String| tables.iter().position(|t| t.stored_name() == name).map(|i| TableId(i as u32));
        Ok(names.iter().filter_map(id).collect())
    }

    /// Whether the leg waits for a table whose capture is suspended. `source` and `target`: the state of its stores.
    pub(super) fn suspended_in(
        &self,
        leg: &LegRt,
        source: &mut dyn ReadState,
        target: &mut dyn ReadState,
    ) -> Result<bool> {
        let l = leg.leg();
        let named = |store: usize, table: TableId| self.maps.stores[store].1.get(table).stored_name().to_string();
        let there = source.suspended(&self.project)?;
        if mutant!("window-not-waited-for") {
            return Ok(false);
        }
        if !there.is_empty() && watched_tables(leg).iter().any(|t| there.contains(&named(l.source.store, *t))) {
            return Ok(true);
        }
        let there = target.suspended(&self.project)?;
        Ok(there.contains(&named(l.target.store, l.target.table)))
    }

    /// [`Engine::suspended_in`] for legs that are looked at from outside of a cycle.
    pub(super) fn is_suspended(&self, leg: &LegRt) -> Result<bool> {
        let (source, target) = (self.source(leg), self.target(leg));
        if !source.is_prepared()? || !target.is_prepared()? {
            return Ok(false);
        }
        self.suspended_in(leg, source.snapshot()?.state(), target.snapshot()?.state())
    }

    /// Whether a leg of the map waits for a table whose capture is suspended.
    pub(super) fn map_suspended(&self, m: usize) -> Result<bool> {
        for leg in self.legs.iter().filter(|l| l.map_index == m) {
            if self.is_suspended(leg)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The tables that the maps capture, of one store or of all.
    pub fn captured(&self, store: Option<usize>) -> Result<Vec<CapturedTable>> {
        let mut all = Vec::new();
        for s in (0..self.stores.len()).filter(|s| store.is_none_or(|wanted| wanted == *s)) {
            let suspended = self.suspended_tables(s)?;
            let tables: BTreeSet<TableId> = self.capture_specs(s, &[]).iter().map(|c| c.table).collect();
            for table in tables {
                let touching = self.legs.iter().filter(|l| touches(l, s, table));
                let mut maps: Vec<String> = touching.map(|l| l.map.id.clone()).collect();
                maps.dedup();
                all.push(CapturedTable { store: s, table, suspended: suspended.contains(&table), maps });
            }
        }
        Ok(all)
    }

    /// Takes capture off these tables of a store. Legs that read or write them wait from then on. Two-way maps must have
    /// nothing pending: of what changes meanwhile nobody knows the values before.
    pub fn suspend(&self, store: usize, tables: &[TableId]) -> Result<()> {
        let s = &self.stores[store];
        if !s.is_prepared()? {
            return Err(EngineError::Refused(format!(
                "nothing is captured in store `{}` yet; `tablemap sync` begins with it",
                s.name()
            )));
        }
        for leg in self.legs.iter().filter(|l| l.map.two_way > 0 && tables.iter().any(|t| touches(l, store, *t))) {
            let status = self.leg_status(leg)?;
            if status.pending > 0 {
                return Err(EngineError::Refused(format!(
                    "map `{}` has {} changes that are not carried over; let `tablemap run` finish (or `tablemap run \
                     --once`), so that they are not taken for conflicts later",
                    leg.map.id, status.pending
                )));
            }
        }
        s.prepare()?;
        self.mark(store, tables, true)?;
        s.capture(&self.project, &self.capture_specs(store, &self.suspended_tables(store)?))?;
        Ok(())
    }

    /// Puts capture on again. The legs that read these tables go through them once more with their next cycle.
    pub fn resume_capture(&self, store: usize, tables: &[TableId]) -> Result<()> {
        let s = &self.stores[store];
        let problems = s.verify(tables)?;
        if !problems.is_empty() {
            return Err(StoreError::Schema { store: s.name().to_string(), problems }.into());
        }
        let mut rest = self.suspended_tables(store)?;
        rest.retain(|t| !tables.contains(t));
        for leg in self.legs.iter().filter(|l| tables.iter().any(|t| touches(l, store, *t))) {
            let reads = leg.leg().source.store == store && watched_tables(leg).iter().any(|t| tables.contains(t));
            let both = self.opposite(leg).is_some();
            if !(reads || both) {
                continue;
            }
            let mut tx = self.target(leg).begin()?;
            if let Some(mut p) = tx.state_mut().progress(&leg.name)?
                && p.phase == "live"
                && !mutant!("window-not-gone-through")
            {
                p.phase = if both { "compare" } else { "initial" }.into();
                p.cursor = String::new();
                tx.state_mut().put_progress(&p)?;
                tx.commit()?;
            }
        }
        s.capture(&self.project, &self.capture_specs(store, &rest))?;
        self.mark(store, tables, false)
    }

    fn mark(&self, store: usize, tables: &[TableId], suspended: bool) -> Result<()> {
        let s = &self.stores[store];
        let mut tx = s.begin()?;
        for table in tables {
            tx.state_mut().put_suspended(&self.project, s.schema().get(*table).stored_name(), suspended)?;
        }
        tx.commit()?;
        Ok(())
    }

    /// Compares a map whose capture was suspended. Whether that was so.
    pub(super) fn after_window(&self, m: usize, observer: &dyn Observer, report: &mut Report) -> Result<bool> {
        let mut due = false;
        for leg in self.legs.iter().filter(|l| l.map_index == m) {
            match self.progress_of(leg)? {
                Some(p) if p.phase == "compare" && p.desired == "run" && p.state == "running" => due = true,
                Some(p) if p.desired == "run" && p.state == "running" => {}
                _ => return Ok(false),
            }
        }
        if due {
            for leg in self.compare(m, false, observer)? {
                if leg.only_in_source > 0 {
                    observer.note(&format!(
                        "map `{}` into {}: {} records have no row there and were left alone, the first: {}",
                        leg.counts.map,
                        leg.counts.into,
                        leg.only_in_source,
                        leg.examples.first().map_or("", String::as_str)
                    ));
                }
                report.add(&leg.counts);
            }
        }
        Ok(due)
    }

    /// Lets the paused legs of a map, or the one into a side, go on without what is pending now: those changes are put
    /// aside as skipped. Returns how many legs.
    pub fn skip_pending(&self, map: usize, into: Option<Side>) -> Result<usize> {
        let mut n = 0;
        for leg in self.legs_into(map, into) {
            let Some(known) = self.progress_of(leg)? else { continue };
            if known.desired != "pause" || known.phase != "live" {
                let why = match (known.desired.as_str(), known.phase.as_str()) {
                    ("pause", _) => "is still being copied, so it has nothing to skip",
                    _ => "is not paused",
                };
                return Err(EngineError::Refused(format!("map `{}` {why}; `tablemap resume` goes on", leg.map.id)));
            }
            let head = self.source(leg).snapshot()?.head()?;
            let mut tx = self.target(leg).begin()?;
            if let Some(mut p) = tx.state_mut().progress(&leg.name)? {
                p.desired = format!("{SKIP}{}", super::fold::number(&head));
                tx.state_mut().put_progress(&p)?;
                tx.commit()?;
            }
            n += 1;
        }
        Ok(n)
    }

    /// How long each store's log is, in the order of the stores; nothing for stores that were never prepared.
    pub fn log_sizes(&self) -> Result<Vec<(String, LogSize)>> {
        let mut all = Vec::new();
        for store in &self.stores {
            if store.is_prepared()? {
                all.push((store.name().to_string(), store.snapshot()?.log_size()?));
            }
        }
        Ok(all)
    }
}

/// Whether a leg reads or writes the table.
fn touches(leg: &LegRt, store: usize, table: TableId) -> bool {
    let l = leg.leg();
    (l.source.store == store && watched_tables(leg).contains(&table))
        || (l.target.store, l.target.table) == (store, table)
}

//! Where every leg stands, and what an operator may say about it.

use super::holding;
use super::runtime::{Engine, EngineError, LegRt, Result};
use crate::store::{QuarantineFilter, QuarantineKind, Quarantined};
use crate::syntax::ast::Side;
use serde::Serialize;

/// One leg's standing; the JSON form of `status` (docs/json.md).
#[derive(Clone, Debug, Default, Serialize, PartialEq)]
pub struct LegStatus {
    /// The map's id.
    pub map: String,
    /// `left` or `right`.
    pub into: String,
    /// `never ran`, `copying`, `running`, `paused`, `stopped`, `capture suspended`, `too many failures`, `needs recover`.
    pub state: String,
    /// The map was edited since its rows were last copied: those that did not change since are as the earlier map said.
    pub edited: bool,
    /// Changes not yet looked at.
    pub pending: u64,
    /// Records that failed.
    pub quarantined: u64,
    /// Records that wait for one they look up.
    pub parked: u64,
    /// Records whose change was skipped by command.
    pub skipped: u64,
    /// When a record was last applied; empty = never.
    pub last_applied_at: String,
    /// Age of the oldest change not yet looked at; 0 = none.
    pub lag_seconds: f64,
}

impl Engine {
    /// Every leg's standing.
    pub fn status(&self) -> Result<Vec<LegStatus>> {
        self.legs.iter().map(|leg| self.leg_status(leg)).collect()
    }

    pub(super) fn leg_status(&self, leg: &LegRt) -> Result<LegStatus> {
        let mut s = LegStatus {
            map: leg.map.id.clone(),
            into: leg.into.word().into(),
            state: "never ran".into(),
            ..LegStatus::default()
        };
        let target = self.target(leg);
        if !target.is_prepared()? {
            return Ok(s);
        }
        let mut view = target.snapshot()?;
        let Some(progress) = view.state().progress(&leg.name)? else { return Ok(s) };
        s.state = match (progress.desired.as_str(), progress.phase.as_str()) {
            ("pause", _) => "paused".into(),
            ("stop", _) => "stopped".into(),
            _ if progress.state != "running" => progress.state.clone(),
            _ if self.is_suspended(leg)? => "capture suspended".into(),
            (_, "compare") => "copying".into(),
            (_, "initial") if leg.is_live() => "copying".into(),
            _ => "running".into(),
        };
        s.edited = progress.phase == "live" && progress.map_hash != leg.map.hash;
        for (kind, n) in view.state().quarantine_counts(&leg.name)? {
            match kind {
                QuarantineKind::Parked => s.parked += n,
                QuarantineKind::Skipped => s.skipped += n,
                _ => s.quarantined += n,
            }
        }
        drop(view);
        let source = self.source(leg);
        if source.is_prepared()? {
            let tables = super::live::watched_tables(leg);
            let own = vec![leg.opposite_name(&self.project)];
            let mut view = source.snapshot()?;
            s.pending = view.count_changes(&progress.position, &tables, &own)?;
            if s.pending > 0 {
                let mut first = Vec::new();
                view.changes(&progress.position, &tables, std::slice::from_ref(&leg.name), 1, &mut first)?;
                s.lag_seconds = first.first().and_then(|c| self.env.seconds_since(&c.at)).unwrap_or(0.0).max(0.0);
            }
        }
        s.last_applied_at = progress.last_applied_at;
        Ok(s)
    }

    /// Says what the legs of a map (its index), or the one into a side, are to do: `pause`, `run` or `stop`. Returns how many
    /// legs heard of it: those that ever ran.
    pub fn set_desired(&self, map: usize, into: Option<Side>, desired: &str) -> Result<usize> {
        let mut n = 0;
        for leg in self.legs_into(map, into) {
            let target = self.target(leg);
            if !target.is_prepared()? {
                continue;
            }
            let mut tx = target.begin()?;
            let Some(mut p) = tx.state_mut().progress(&leg.name)? else { continue };
            if desired == "run" && p.desired == "stop" {
                return Err(EngineError::Refused(format!(
                    "map `{}` was stopped and has missed changes since; `tablemap sync {}` starts it again",
                    leg.map.id, leg.map.id
                )));
            }
            p.desired = desired.into();
            if desired == "run" && p.state == "too many failures" {
                p.state = "running".into();
            }
            tx.state_mut().put_progress(&p)?;
            tx.commit()?;
            if desired == "stop" {
                self.let_log_go(leg.leg().source.store, &leg.name)?;
            }
            n += 1;
        }
        Ok(n)
    }

    /// The legs of a map, or the one into a side.
    pub(super) fn legs_into(&self, map: usize, into: Option<Side>) -> impl Iterator<Item = &LegRt> {
        self.legs.iter().filter(move |l| l.map_index == map && into.is_none_or(|side| l.into == side))
    }

    /// A leg that will begin anew, if ever, does not hold back the cutting of a store's log.
    pub(super) fn let_log_go(&self, store: usize, leg: &str) -> Result<()> {
        let source = &self.stores[store];
        if source.is_prepared()? {
            source.acknowledge(&[(leg.to_string(), source.position_at(i64::MAX))])?;
        }
        Ok(())
    }

    /// Quarantined records of these maps.
    pub fn errors(&self, maps: &[usize]) -> Result<Vec<(usize, Quarantined)>> {
        let mut all = Vec::new();
        for leg in self.legs.iter().filter(|l| maps.contains(&l.map_index)) {
            let target = self.target(leg);
            if !target.is_prepared()? {
                continue;
            }
            let filter = QuarantineFilter { leg: Some(leg.name.clone()), ..QuarantineFilter::default() };
            let entries = target.snapshot()?.state().quarantined(&filter)?;
            all.extend(entries.into_iter().map(|e| (leg.map_index, e)));
        }
        Ok(all)
    }

    /// Lets these entries be tried again with the next cycle.
    pub fn retry(&self, entries: &[Quarantined]) -> Result<usize> {
        self.each_entry(entries, &|tx, e| {
            let again = Quarantined { next_try: self.env.now(), ..e.clone() };
            Ok(tx.state_mut().quarantine(&again)?)
        })
    }

    /// Forgets these entries: the records stay as they are on the other side until they change again.
    pub fn drop_entries(&self, entries: &[Quarantined]) -> Result<usize> {
        self.each_entry(entries, &|tx, e| {
            tx.state_mut().release(&e.leg, &e.key, &e.company)?;
            holding::close(tx, &e.leg, &e.key, "dropped")
        })
    }

    fn each_entry(
        &self,
        entries: &[Quarantined],
        act: &dyn Fn(&mut dyn crate::store::Transaction, &Quarantined) -> Result<()>,
    ) -> Result<usize> {
        let mut n = 0;
        for leg in &self.legs {
            let mine: Vec<&Quarantined> = entries.iter().filter(|e| e.leg == leg.name).collect();
            if mine.is_empty() {
                continue;
            }
            let mut tx = self.target(leg).begin()?;
            for e in mine {
                act(tx.as_mut(), e)?;
                n += 1;
            }
            tx.commit()?;
        }
        Ok(n)
    }
}

//! Stores that went back in time, or whose changes were not logged for a while: both sides of a map are compared,
//! without a master. Rows that agree are agreed; two-way lines that differ are conflicts, decided as the map says; rows
//! that only one side has are told, and made only where a one-way map says so. Nothing is deleted.

use super::chunk::{KeySet, Mode};
use super::holding;
use super::report::{LegReport, Observer, Report, StoppedLeg};
use super::runtime::{Engine, EngineError, LegRt, Result};
use crate::store::{Progress, QuarantineFilter, ReadPlan, Rows, Swept};
use crate::syntax::ast::Side;
use serde::Serialize;

/// How many records are told by name.
const EXAMPLES: usize = 20;

/// What a comparison finds on its way.
#[derive(Debug, Default)]
pub(super) struct Compared {
    /// Target rows that a record was found for, by primary key.
    pub met: KeySet,
    /// Conflicts that were found.
    pub conflicts: u64,
    only_source: u64,
    examples: Vec<String>,
}

impl Compared {
    /// A record that the target does not have.
    pub fn alone(&mut self, record: impl FnOnce() -> String) {
        self.only_source += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(record());
        }
    }
}

/// What comparing one direction of a map came to; part of the JSON form of `recover` (docs/json.md).
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecoveredLeg {
    /// Counts as in `sync`.
    #[serde(flatten)]
    pub counts: LegReport,
    /// Two-way records that differ: decided by the map's policy, or held.
    pub conflicts: u64,
    /// Records that the target does not have, and that were not made.
    pub only_in_source: u64,
    /// Rows of the target for which the source has no record; none where the other direction tells.
    pub only_in_target: Option<u64>,
    /// The first of both.
    pub examples: Vec<String>,
}

/// What `recover` did, or would do.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Recovered {
    /// One entry per direction that was compared.
    pub legs: Vec<RecoveredLeg>,
}

impl Engine {
    /// Compares the maps (indexes) whose stores are not where progress left them; with `store` every map that has it on
    /// a side and ever ran. With `dry` nothing of it stays.
    pub fn recover(&self, store: Option<usize>, dry: bool, observer: &dyn Observer) -> Result<Recovered> {
        self.set_up()?;
        let mut all = Recovered::default();
        for &m in &self.maps.order {
            let legs: Vec<&LegRt> = self.legs.iter().filter(|l| l.map_index == m).collect();
            let ran = legs.iter().map(|l| Ok(self.progress_of(l)?.is_some())).collect::<Result<Vec<bool>>>()?;
            let wanted = match store {
                Some(s) => legs.iter().any(|l| l.leg().source.store == s || l.leg().target.store == s),
                None => self.strayed(m)?.is_some(),
            };
            if wanted && ran.contains(&true) {
                all.legs.extend(self.compare(m, dry, observer)?);
            }
        }
        Ok(all)
    }

    /// Compares both sides of a map and lets its legs go on from where the logs stand now.
    pub(super) fn compare(&self, m: usize, dry: bool, observer: &dyn Observer) -> Result<Vec<RecoveredLeg>> {
        let legs: Vec<&LegRt> = self.legs.iter().filter(|l| l.map_index == m).collect();
        let mut starts: Vec<Progress> = Vec::new();
        // Where all logs stand is noted before the first row is looked at.
        for leg in &legs {
            let known = self.progress_of(leg)?;
            let fresh = self.fresh_progress(leg, "initial")?;
            let known = known.unwrap_or_else(|| fresh.clone());
            // Cut off on the way it is still to be recovered: what was compared agrees already.
            starts.push(Progress {
                desired: if known.desired == "stop" { "run".into() } else { known.desired.clone() },
                state: "needs recover".into(),
                last_applied_at: known.last_applied_at,
                last_run_at: known.last_run_at,
                ..fresh
            });
        }
        if !dry {
            for (leg, progress) in legs.iter().zip(&starts) {
                self.forget_open(leg, progress)?;
            }
        }
        let mut told = Vec::new();
        let one_way = legs.len() == 1;
        for (n, (leg, mut progress)) in legs.iter().zip(starts).enumerate() {
            if dry {
                let Some(known) = self.progress_of(leg)? else { continue };
                progress = known;
            }
            let mode = Mode { full: true, compares: true, yields: n == 1, ..Mode::default() };
            let (counts, compared) = self.go_through(leg, &mut progress, mode, dry, observer)?;
            observer.leg_finished(&counts);
            let mut leg_told = RecoveredLeg {
                counts,
                conflicts: compared.conflicts,
                only_in_source: compared.only_source,
                only_in_target: None,
                examples: compared.examples,
            };
            if one_way {
                leg_told.only_in_target = Some(self.unmet(leg, &compared.met, &mut leg_told.examples)?);
            }
            if !dry {
                self.source(leg).acknowledge(&[(leg.name.clone(), progress.position.clone())])?;
            }
            told.push(leg_told);
        }
        Ok(told)
    }

    /// What waits, and what was consumed ahead, speaks of a log that is no more.
    fn forget_open(&self, leg: &LegRt, progress: &Progress) -> Result<()> {
        let mut tx = self.begin_own(leg.leg().target.store)?;
        let filter = QuarantineFilter { leg: Some(leg.name.clone()), ..QuarantineFilter::default() };
        for entry in tx.state_mut().quarantined(&filter)? {
            if mutant!("recover-keeps-what-waits") {
                break;
            }
            tx.state_mut().release(&entry.leg, &entry.key, &entry.company)?;
            holding::close(tx.as_mut(), &entry.leg, &entry.key, "compared again")?;
        }
        tx.state_mut().drop_ahead(&leg.name, i64::MAX)?;
        tx.state_mut().drop_ledger(&leg.name)?;
        tx.state_mut().put_progress(progress)?;
        tx.commit()?;
        Ok(())
    }

    /// How many rows of the target no record was found for.
    fn unmet(&self, leg: &LegRt, met: &KeySet, examples: &mut Vec<String>) -> Result<u64> {
        let target = leg.leg().target;
        let table = self.maps.stores[target.store].1.get(target.table);
        let keys = &table.primary_key;
        let plan = ReadPlan { table: target.table, joins: vec![], columns: keys.iter().map(|c| (0, *c)).collect() };
        let mut view = self.target(leg).snapshot()?;
        let (mut rows, mut cursor, mut n) = (Rows::of(&plan), None::<String>, 0);
        loop {
            rows.clear();
            let swept = view.sweep(&plan, cursor.as_deref(), self.limits.batch_rows, &mut rows)?;
            for i in 0..rows.len() {
                if met.contains(&leg.target_key(rows.row(i))) {
                    continue;
                }
                n += 1;
                if examples.len() < EXAMPLES {
                    let named = keys.iter().zip(rows.row(i)).map(|(c, v)| format!("{}={v}", table.column(*c).name));
                    examples.push(format!("{} {}", table.name, named.collect::<Vec<_>>().join(", ")));
                }
            }
            match swept {
                Swept::More(next) => cursor = Some(next),
                Swept::End => return Ok(n),
                Swept::Stale => {
                    return Err(EngineError::Refused(format!(
                        "table `{}` was rebuilt meanwhile; run it again",
                        table.name
                    )));
                }
            }
        }
    }

    pub(super) fn progress_of(&self, leg: &LegRt) -> Result<Option<Progress>> {
        let target = self.target(leg);
        if !target.is_prepared()? {
            return Ok(None);
        }
        Ok(target.snapshot()?.state().progress(&leg.name)?)
    }

    /// The side, and why, if a leg of the map does not find its source where progress left it.
    pub(super) fn strayed(&self, m: usize) -> Result<Option<(Side, String)>> {
        for leg in self.legs.iter().filter(|l| l.map_index == m) {
            let Some(progress) = self.progress_of(leg)? else { continue };
            // A leg that was stopped, or whose map was out of the project, begins anew.
            if progress.desired == "stop" || progress.map_hash.is_empty() {
                continue;
            }
            if progress.state == "needs recover" {
                return Ok(Some((leg.into, "needs recover".into())));
            }
            let mut snapshot = self.source(leg).snapshot()?;
            if let Some(reason) = self.check_source(leg, &progress, snapshot.as_mut())? {
                return Ok(Some((leg.into, reason)));
            }
        }
        Ok(None)
    }

    /// Whether a map must be recovered before it may run: then all its legs say so, and nothing is copied by guess.
    pub(super) fn needs_recover(&self, m: usize, report: &mut Report) -> Result<bool> {
        let Some((into, reason)) = self.strayed(m)? else { return Ok(false) };
        for leg in self.legs.iter().filter(|l| l.map_index == m) {
            if self.progress_of(leg)?.is_some_and(|p| p.state == "running") {
                self.stop_leg(leg, "needs recover", &reason, &[])?;
            }
        }
        let map = self.maps.maps[m].id.clone();
        let reason = match reason.as_str() {
            "needs recover" => "waits for `tablemap recover`".to_string(),
            why => format!("{why}; `tablemap recover --dry-run` shows what differs, `tablemap recover` goes on"),
        };
        report.stopped.push(StoppedLeg { map, into: into.word().into(), reason });
        Ok(true)
    }
}

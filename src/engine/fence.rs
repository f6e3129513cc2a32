//! What must still hold before a leg writes: this engine, this position, this source (R4, R13); and legs that stop
//! themselves (R12).

use super::runtime::{Engine, LegRt, Result};
use crate::store::{Progress, RunRecord, Snapshot, StoreError, Transaction};

impl Engine {
    /// Begins a transaction in which this engine is still the one that has the project.
    pub(super) fn begin_own(&self, store: usize) -> Result<Box<dyn Transaction>> {
        let mut tx = self.stores[store].begin()?;
        if !mutant!("no-epoch") {
            tx.check_epoch(&self.project, self.epoch(store))?;
        }
        Ok(tx)
    }

    /// Begins a target transaction in which this engine and this position are still the ones expected.
    pub(super) fn begin(&self, leg: &LegRt, progress: &mut Progress) -> Result<Box<dyn Transaction>> {
        let store = leg.leg().target.store;
        let mut tx = self.begin_own(store)?;
        let now = tx.state_mut().progress(&leg.name)?;
        match now {
            Some(p) if p.position == progress.position && p.cursor == progress.cursor => {
                // An operator may have said something since.
                if !mutant!("desired-overwritten") {
                    progress.desired = p.desired;
                }
                Ok(tx)
            }
            _ => {
                Err(StoreError::Fenced { store: self.stores[store].name().to_string(), project: self.project.clone() }
                    .into())
            }
        }
    }

    /// Why the leg's source is not where progress left it; nothing if it is. A store that cannot be asked has not said
    /// that it is another: its error is passed on.
    pub(super) fn check_source(
        &self,
        leg: &LegRt,
        progress: &Progress,
        snapshot: &mut dyn Snapshot,
    ) -> Result<Option<String>> {
        let store = self.source(leg);
        let identity = store.identity()?;
        if identity.store_id != progress.source_id && !mutant!("another-store") {
            return Ok(Some(format!("store `{}` is another one than before", store.name())));
        }
        if identity.incarnation != progress.source_incarnation {
            return Ok(Some(format!("store `{}` was restored", store.name())));
        }
        if progress.witness.is_empty() || mutant!("no-witness") {
            return Ok(None);
        }
        Ok(match snapshot.witness(&progress.position)? {
            Some(w) if w == progress.witness => None,
            Some(_) => Some(format!("the change log of store `{}` went back in time", store.name())),
            None => Some(format!("the change log of store `{}` was cut before it was read", store.name())),
        })
    }

    /// Stops a leg by itself, with samples, in a transaction of its own (R12).
    pub(super) fn stop_leg(&self, leg: &LegRt, state: &str, reason: &str, samples: &[String]) -> Result<()> {
        let mut tx = self.begin_own(leg.leg().target.store)?;
        if let Some(mut progress) = tx.state_mut().progress(&leg.name)? {
            progress.state = state.to_string();
            tx.state_mut().put_progress(&progress)?;
        }
        let now = self.env.now();
        let run = RunRecord {
            run: self.env.id(),
            leg: leg.name.clone(),
            started: now.clone(),
            ended: now,
            counts: serde_json::json!({ "stopped": reason }).to_string(),
            samples: serde_json::Value::from(samples.to_vec()).to_string(),
        };
        tx.state_mut().put_run(&run)?;
        tx.commit()?;
        Ok(())
    }
}

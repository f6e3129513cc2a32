//! Other maps while the engine runs (R18): capture is widened to what both need, the legs come to where the logs stood
//! then, and the next engine takes over.

use super::fold::number;
use super::live::watched_tables;
use super::report::{Observer, Report};
use super::runtime::{Engine, Result};
use super::setup::widen;
use crate::schema::{ColumnId, TableId};
use crate::store::{CaptureSpec, StoreError};

impl Engine {
    /// Lets the stores log what this engine and the one before it need, so that no change falls between them. Fails
    /// if the stores do not have what the maps use; the engine before may go on then.
    pub fn widen_from(&self, before: &Engine) -> Result<()> {
        for (s, store) in self.stores.iter().enumerate() {
            let suspended = self.suspended_tables(s)?;
            let mut tables: Vec<TableId> = Vec::new();
            for leg in &self.legs {
                let l = leg.leg();
                if l.source.store == s {
                    tables.extend(watched_tables(leg));
                }
                if l.target.store == s {
                    tables.push(l.target.table);
                }
            }
            tables.sort();
            tables.dedup();
            tables.retain(|t| !suspended.contains(t));
            let problems = store.verify(&tables)?;
            if !problems.is_empty() {
                return Err(StoreError::Schema { store: store.name().to_string(), problems }.into());
            }
            store.prepare()?;
            let mut specs = self.capture_specs(s, &suspended);
            if let Some(old) = before.stores.iter().position(|o| o.name() == store.name()) {
                let there = before.suspended_tables(old)?;
                for spec in before.capture_specs(old, &there) {
                    if mutant!("reload-narrows-capture") {
                        continue;
                    }
                    if let Some(spec) = translated(&before.maps.stores[old].1, store.schema(), &spec) {
                        widen(&mut specs, &spec);
                    }
                }
            }
            store.capture(&self.project, &specs)?;
        }
        Ok(())
    }

    /// Carries over what the logs hold at this moment, as far as the legs run. What comes later is for the next engine.
    pub fn settle(&self, select: Option<&[usize]>, observer: &dyn Observer) -> Result<Report> {
        let heads: Vec<i64> = self.stores.iter().map(|s| Ok(number(&s.snapshot()?.head()?))).collect::<Result<_>>()?;
        let legs = self.runnable(select)?;
        let mut report = Report::default();
        while self.cycle(&legs, observer, &mut report)? && !self.env.cancelled() {
            let mut behind = false;
            for &i in &legs {
                let leg = &self.legs[i];
                let head = heads[leg.leg().source.store];
                behind |= self.progress_of(leg)?.is_some_and(|p| p.desired == "run" && number(&p.position) < head);
            }
            if !behind {
                break;
            }
        }
        Ok(report)
    }
}

/// A spec of one schema in the ids of another; none where the table is not there.
fn translated(
    from: &crate::schema::StoreSchema,
    to: &crate::schema::StoreSchema,
    spec: &CaptureSpec,
) -> Option<CaptureSpec> {
    let old = from.get(spec.table);
    let table = to.tables.iter().position(|t| t.stored_name() == old.stored_name()).map(|i| TableId(i as u32))?;
    let same_key = {
        let name = |s: &crate::schema::StoreSchema, t: TableId| {
            s.get(t).primary_key.iter().map(|c| s.get(t).column(*c).name.clone()).collect::<Vec<_>>()
        };
        name(from, spec.table) == name(to, table)
    };
    let column = |c: &ColumnId| {
        let name = &old.column(*c).name;
        to.get(table).columns.iter().position(|n| n.name == *name).map(|i| ColumnId(i as u32))
    };
    let columns = |all: &[ColumnId]| all.iter().filter_map(column).collect();
    same_key.then(|| CaptureSpec { table, watched: columns(&spec.watched), old: columns(&spec.old) })
}

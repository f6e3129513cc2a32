//! What changed while a copy goes on. Each chunk of it is read at a later moment than the one before; so that all of them
//! together hold what the source held when the copy began, records that changed since are left to live sync, which
//! knows them from the log.

use super::fold::number;
use super::keys::KeySet;
use super::live::watched_tables;
use super::runtime::{Engine, LegRt, Result};
use crate::store::{Change, Op, Snapshot};
use crate::value::{Key, Value};
use std::collections::HashSet;

/// The records that live sync will carry, because the log says something of them that the copy may not have seen.
#[derive(Debug)]
pub(super) struct Since {
    /// Up to which log number the log was looked at; none: the copy begins where its first chunk is read.
    through: Option<i64>,
    changed: KeySet,
}

impl Since {
    /// Nothing is known yet of what came after a log number.
    pub fn after(through: Option<i64>) -> Since {
        Since { through, changed: KeySet::default() }
    }

    /// Whether a record is left to live sync.
    pub fn holds(&self, key: impl FnOnce() -> Key) -> bool {
        !self.changed.is_empty() && self.changed.contains(&key())
    }

    /// A log row of the leg's source table: as the fold will see it.
    fn add(&mut self, leg: &LegRt, opposite: &str, c: &Change) {
        let Ok(key) = &c.key else { return };
        let own = leg.made(c, opposite);
        let key = leg.source_key(key);
        let was = c.old_key.as_ref().map(|was| leg.source_key(was));
        if own && c.settles {
            // Both sides agree; nothing is left to live sync.
            was.iter().chain([&key]).for_each(|key| self.changed.remove(key));
        } else if !own || (c.op == Op::Update && was.as_ref().is_some_and(|was| self.changed.contains(was))) {
            for key in was.iter().chain([&key]) {
                self.changed.insert(key);
            }
        }
    }
}

impl Engine {
    /// Learns what changed up to the snapshot: records themselves, and those that look up what changed.
    pub(super) fn learn_changed(&self, leg: &LegRt, snapshot: &mut dyn Snapshot, since: &mut Since) -> Result<()> {
        let head = number(&snapshot.head()?);
        let Some(through) = since.through.replace(head).filter(|through| *through < head) else { return Ok(()) };
        let (tables, opposite) = (watched_tables(leg), leg.opposite_name(&self.project));
        let mut after = self.source(leg).position_at(through);
        loop {
            let mut changes: Vec<Change> = Vec::new();
            let log = std::slice::from_ref(&leg.name);
            let ended = snapshot.changes(&after, &tables, log, self.limits.log_rows, &mut changes)?;
            if let Some(last) = changes.last() {
                after = self.source(leg).position_at(last.seq);
            }
            let mut looked_up = Vec::new();
            for c in &changes {
                if c.op != Op::Touch {
                    super::lookups::add(leg, c, &mut looked_up);
                }
                if c.table == leg.leg().source.table {
                    since.add(leg, &opposite, c);
                }
            }
            let mut asked: HashSet<(usize, Vec<Value>)> = HashSet::new();
            let now = self.referred_now(leg, snapshot, &looked_up)?;
            for change in &looked_up {
                for values in self.referred(leg, snapshot, change, now.get(&(change.way, change.key.clone())))? {
                    let Some((plan, join)) = leg.ways[change.way].steps.last() else { continue };
                    if asked.insert((change.way, values.clone())) {
                        self.all_dependents(snapshot, plan, *join, &values, &mut |_, page| {
                            for key in &page {
                                since.changed.insert(&leg.source_key(key));
                            }
                            Ok(())
                        })?;
                    }
                }
            }
            if ended {
                return Ok(());
            }
        }
    }
}

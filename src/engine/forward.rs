//! The first half of a leg's turn: what is to be made and changed, chunk by chunk. While one chunk is written the next one
//! is evaluated; both look at the same snapshot, so that it makes no difference to what is written.

use super::chunk::{Item, KeySet, What};
use super::fold::Work;
use super::live::LegRun;
use super::lookups::LookedUp;
use super::references::cell_value;
use super::runtime::{CellFrom, Engine, EngineError, LegRt, Result};
use crate::store::Snapshot;
use crate::value::{Key, Value};
use std::ops::Range;
use std::sync::mpsc::sync_channel;

/// Records of one chunk, and their line values.
struct Evaluated {
    items: Vec<Item>,
    values: Vec<Value>,
}

impl Engine {
    /// Evaluates and writes works, chunk by chunk; deletes are put aside.
    pub(super) fn forward_chunks(
        &self,
        run: &mut LegRun<'_>,
        snapshot: &mut dyn Snapshot,
        chunks: &[Range<usize>],
    ) -> Result<()> {
        // What the opposite leg made may have to be looked at between two chunks.
        if chunks.len() < 2 || run.works.len() < self.limits.apart_rows || !run.back.is_empty() {
            for chunk in chunks {
                if run.stopped.is_some() || self.env.cancelled() {
                    break;
                }
                let evaluated = self.evaluate_chunk(run.leg, snapshot, &run.works[chunk.clone()], &run.looked_up)?;
                if evaluated.items.iter().any(|i| i.before.is_some()) {
                    self.claim_back(run, snapshot)?;
                }
                self.write_chunk(run, chunk.start, evaluated)?;
            }
            return Ok(());
        }
        let (leg, works, looked_up) = (run.leg, run.works.clone(), run.looked_up.clone());
        std::thread::scope(|scope| {
            let (send, receive) = sync_channel::<Result<Evaluated>>(1);
            let evaluating = scope.spawn(move || {
                for chunk in chunks {
                    let evaluated = self.evaluate_chunk(leg, snapshot, &works[chunk.clone()], &looked_up);
                    let failed = evaluated.is_err();
                    // Nobody listens any more when writing ended early.
                    if send.send(evaluated).is_err() || failed {
                        break;
                    }
                }
            });
            let mut write = || {
                for (chunk, evaluated) in chunks.iter().zip(&receive) {
                    if run.stopped.is_some() || self.env.cancelled() {
                        break;
                    }
                    self.write_chunk(run, chunk.start, evaluated?)?;
                }
                Ok(())
            };
            let written = write();
            drop(receive);
            match evaluating.join() {
                Ok(()) => written,
                Err(_) => Err(EngineError::Refused("the evaluating thread failed".into())),
            }
        })
    }

    fn evaluate_chunk(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        works: &[Work],
        looked_up: &[LookedUp],
    ) -> Result<Evaluated> {
        let mut values = Vec::new();
        let items = self.evaluate_works(leg, snapshot, works, looked_up, &mut values)?;
        Ok(Evaluated { items, values })
    }

    /// Puts deletes aside, writes the rest; the chunk's works begin at `at`.
    fn write_chunk(&self, run: &mut LegRun<'_>, at: usize, evaluated: Evaluated) -> Result<()> {
        let mut items = Vec::new();
        let mut which = Vec::new();
        for (n, mut item) in evaluated.items.into_iter().enumerate() {
            run.counts.read += 1;
            if run.skip.is_some_and(|upto| run.works[at + n].is_before(upto)) {
                super::window::skip(&mut item);
            }
            match item.what {
                // What waits of one that left its key must be out of the way of the one that has the key now.
                What::Delete if !(run.works[at + n].waits && run.works[at + n].left(run.leg)) => {
                    for key in self.keys_left(run.leg, &item, &[]) {
                        run.leaving.insert(&key);
                    }
                    run.deletes.push((at + n, item));
                }
                _ => {
                    items.push(item);
                    which.push(at + n);
                }
            }
        }
        self.apply_and_commit(run, &items, &which, &evaluated.values, false)
    }

    /// Rows that the opposite leg made after others were deleted may stand for these: they hold their integration keys.
    fn claim_back(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        let leg = run.leg;
        let back = std::mem::take(&mut run.back);
        let of_lines = |i: &usize| !matches!(leg.cells[*i].from, CellFrom::Reference(..));
        if back.is_empty() || !leg.key_cells.iter().all(of_lines) {
            return Ok(());
        }
        let companies = self.companies_of(leg);
        let works: Vec<Work> = back.into_iter().map(Work::of).collect();
        for works in works.chunks(self.limits.live_rows) {
            let mut values = Vec::new();
            for item in self.evaluate_works(leg, snapshot, works, &[], &mut values)? {
                let What::Write(at) = item.what else { continue };
                for company in &companies {
                    let value = |i: &usize| cell_value(&leg.cells[*i], &values[at..], company.as_ref(), &[]);
                    let key: Option<Vec<Value>> = leg.key_cells.iter().map(value).collect();
                    let folds = leg.key_cells.iter().map(|i| leg.cells[*i].collation);
                    if let Some(key) = key {
                        run.claimed.insert(KeySet::fingerprint(&Key::new(key.iter().zip(folds))), None);
                    }
                }
            }
        }
        Ok(())
    }
}

//! Initial sync: bulk copy in the order of the source's key, chunk by chunk; reading and evaluating on one thread,
//! writing on the other. Each chunk is one source snapshot and one target transaction, entered in the leg's ledger, so
//! that a killed run resumes behind the last chunk that was committed.

use super::apply::{self, Verdict};
use super::chunk::{Chunk, Item, Mode, What, Window};
use super::conflict::PendingTarget;
use super::fold::number;
use super::report::{LegReport, Observer};
use super::runtime::{Engine, EngineError, LegRt, Result};
use crate::store::{Position, Progress, Rows, StoreError};
use crate::value::{Key, Value};
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What the reading thread hands over.
enum Message {
    /// Evaluated rows.
    Batch { items: Vec<Item>, values: Vec<Value> },
    /// A chunk ends: its upper key (none = the table's end), where the source's log stood.
    End { upper: Option<Vec<Value>>, head: Position },
}

impl Engine {
    /// Copies one leg from where its progress stands to the end. `yields`: rows that are there keep their two-way
    /// columns (the master went first).
    pub(super) fn initial_leg(
        &self,
        leg: &LegRt,
        mut progress: Progress,
        yields: bool,
        observer: &dyn Observer,
    ) -> Result<LegReport> {
        let started = self.env.monotonic();
        let l = leg.leg();
        let (source, target) = (self.source(leg), self.target(leg));
        let total = source.snapshot()?.count(l.source.table)?;
        observer.leg_started(&leg.map.id, leg.into.word(), Some(total));
        let bulk = progress.cursor.is_empty() && l.operations.create && target.snapshot()?.is_empty(l.target.table)?;
        let mode = Mode { bulk, yields, full: true, ..Mode::default() };
        let after = Key::parse(&progress.cursor, &leg.source_key_types).map(|k| k.0.into_vec());
        let mut counts = LegReport { map: leg.map.id.clone(), into: leg.into.word().into(), ..LegReport::default() };
        let outcome = std::thread::scope(|scope| {
            let (send, receive) = sync_channel::<Message>(4);
            let reader = scope.spawn(move || self.read_chunks(leg, after, &send));
            let wrote = self.write_chunks(leg, &mut progress, mode, &receive, &mut counts, observer);
            drop(receive);
            let read = reader.join().unwrap_or_else(|_| Err(EngineError::Refused("the reading thread failed".into())));
            // A reader whose writer is gone has nothing to say.
            wrote.and_then(|()| read)
        });
        outcome?;
        counts.seconds = self.env.monotonic().saturating_sub(started).as_secs_f64();
        observer.leg_finished(&counts);
        Ok(counts)
    }

    fn read_chunks(&self, leg: &LegRt, mut after: Option<Vec<Value>>, send: &SyncSender<Message>) -> Result<()> {
        let l = leg.leg();
        let source = self.source(leg);
        let key_len = leg.source_key_types.len();
        let mut rows = Rows::of(&l.read);
        loop {
            let mut snapshot = source.snapshot()?;
            let head = snapshot.head()?;
            let mut read = 0;
            let mut ended = false;
            while read < self.limits.chunk_rows && !ended {
                if self.env.cancelled() {
                    return Err(EngineError::Cancelled);
                }
                rows.clear();
                snapshot.scan(&l.read, after.as_deref(), self.limits.batch_rows, &mut rows)?;
                let n = rows.len();
                ended = n < self.limits.batch_rows;
                read += n;
                if n == 0 {
                    break;
                }
                let last = rows.row(n - 1)[..key_len].to_vec();
                if last.iter().any(Value::is_null) {
                    let table = &self.maps.stores[l.source.store].1.get(l.source.table).name;
                    return Err(StoreError::Other {
                        store: source.name().to_string(),
                        reason: format!("a primary key of table `{table}` does not fit the schema; correct it first"),
                    }
                    .into());
                }
                after = Some(last);
                let (items, values) = self.evaluate_rows(leg, &rows, key_len);
                if send.send(Message::Batch { items, values }).is_err() {
                    return Ok(());
                }
            }
            drop(snapshot);
            let upper = if ended { None } else { after.clone() };
            if send.send(Message::End { upper, head }).is_err() || ended {
                return Ok(());
            }
        }
    }

    fn evaluate_rows(&self, leg: &LegRt, rows: &Rows, key_len: usize) -> (Vec<Item>, Vec<Value>) {
        let l = leg.leg();
        let n = rows.len();
        let mut items = Vec::with_capacity(n);
        let mut values = Vec::with_capacity(n * l.lines.len());
        let mut misfits = rows.misfits.iter().peekable();
        for i in 0..n {
            let row = rows.row(i);
            let mut item = Item {
                key: row[..key_len].to_vec(),
                what: What::FilteredOut,
                before: None,
                base: None,
                now: HashMap::new(),
                path: String::new(),
                n: i,
            };
            let mut misfit = None;
            while let Some((_, m)) = misfits.next_if(|(cell, _)| *cell / rows.width == i) {
                misfit = misfit.or(Some(m));
            }
            if let Some(m) = misfit {
                item.what = What::Failed(Box::new(apply::misfit(leg, m, &|m| self.names(l.source.store, m))));
                items.push(item);
                continue;
            }
            if leg.map.two_way > 0 {
                let own = l.read.columns.iter().enumerate().filter(|(_, (j, _))| *j == 0);
                item.now = own.map(|(slot, (_, c))| (*c, row[slot].clone())).collect();
            }
            let start = values.len();
            item.what = match apply::evaluate(l, &self.maps.context, self.maps.companies.as_deref(), row, &mut values) {
                Verdict::Write => What::Write(start),
                Verdict::FilteredOut => What::FilteredOut,
                Verdict::Failed(f) => What::Failed(f),
            };
            items.push(item);
        }
        (items, values)
    }

    fn write_chunks(
        &self,
        leg: &LegRt,
        progress: &mut Progress,
        mode: Mode,
        receive: &Receiver<Message>,
        counts: &mut LegReport,
        observer: &dyn Observer,
    ) -> Result<()> {
        let target_store = self.target(leg);
        let mut window = Window::default();
        let pending_from = self.opposite_position(leg)?;
        loop {
            let mut tx = self.begin(leg, progress)?;
            let mut pending = PendingTarget::default();
            if let Some((position, opposite)) = &pending_from {
                let mut changes = Vec::new();
                tx.changes(
                    position,
                    &[leg.leg().target.table],
                    std::slice::from_ref(opposite),
                    usize::MAX >> 1,
                    &mut changes,
                )?;
                pending.add(leg, &changes, &HashMap::new());
            }
            let mut chunk = Chunk::new(self, leg, mode, std::mem::take(&mut window));
            chunk.has_quarantine = !tx.state_mut().quarantine_counts(&leg.name)?.is_empty();
            if pending_from.is_some() {
                chunk.pending = Some(&pending);
            }
            let mut chunk_counts = LegReport::default();
            let end = loop {
                match receive.recv() {
                    Ok(Message::Batch { items, values }) => {
                        let n = items.len() as u64;
                        chunk_counts.read += n;
                        let left = chunk.apply(tx.as_mut(), &items, &values, &mut chunk_counts)?;
                        // A key taken now may be free when the chunk is done: there are no deletes here to wait for.
                        if !left.retry.is_empty() {
                            chunk.mode.last_try = true;
                            let again: Vec<Item> = left.retry.iter().map(|i| copy(&items[*i])).collect();
                            chunk.apply(tx.as_mut(), &again, &values, &mut chunk_counts)?;
                            chunk.mode.last_try = mode.last_try;
                        }
                        observer.advanced(n);
                    }
                    Ok(Message::End { upper, head }) => break Some((upper, head)),
                    Err(_) => break None,
                }
            };
            // The reader stopped in the middle of a chunk; what it says about it comes with its result.
            let Some((upper, head)) = end else { return Ok(()) };
            if let Some(reason) = chunk.must_stop(tx.as_mut())? {
                let samples = chunk.samples.clone();
                drop(chunk);
                drop(tx);
                self.stop_leg(leg, "too many failures", &reason, &samples)?;
                let first = samples.first().map(|s| format!("; the first: {s}")).unwrap_or_default();
                return Err(EngineError::Refused(format!(
                    "map `{}` into {} stopped: {reason}{first}; correct the cause, then `tablemap resume {}` and `tablemap sync {}`",
                    leg.map.id,
                    leg.into.word(),
                    leg.map.id,
                    leg.map.id
                )));
            }
            let written = std::mem::take(&mut chunk.written);
            window = std::mem::take(&mut chunk.window);
            drop(chunk);
            let upper_text = upper.as_ref().map(|u| leg.source_key(u).to_text()).unwrap_or_default();
            tx.state_mut().put_ledger(&leg.name, &upper_text, number(&head))?;
            let mut now = progress.clone();
            now.cursor = upper.as_ref().map(|u| Key(u.clone().into_boxed_slice()).to_text()).unwrap_or_default();
            now.cut = head;
            now.epoch = self.epoch(leg.leg().target.store);
            now.last_applied_at = self.env.now();
            if upper.is_none() {
                now.phase = "live".into();
            }
            tx.state_mut().put_progress(&now)?;
            tx.disown_side_effects(&leg.name, &|t, k| {
                t == leg.leg().target.table && written.contains(&leg.target_key(k))
            })?;
            self.env.point("before commit");
            self.env.point("in commit");
            tx.commit()?;
            self.env.point("after commit");
            *progress = now;
            counts.add(&chunk_counts);
            if upper.is_none() {
                return Ok(());
            }
            if self.env.cancelled() {
                return Err(EngineError::Cancelled);
            }
            target_store.maintain()?;
        }
    }

    /// Where the opposite leg stands in the target's log, if the map has two-way lines.
    fn opposite_position(&self, leg: &LegRt) -> Result<Option<(Position, String)>> {
        if leg.map.two_way == 0 {
            return Ok(None);
        }
        let Some(opposite) = self.opposite(leg) else { return Ok(None) };
        let mut view = self.source(leg).snapshot()?;
        Ok(view.state().progress(&opposite.name)?.map(|p| (p.position, opposite.name.clone())))
    }
}

fn copy(item: &Item) -> Item {
    Item {
        key: item.key.clone(),
        what: match &item.what {
            What::Write(at) => What::Write(*at),
            What::FilteredOut => What::FilteredOut,
            What::Failed(f) => What::Failed(f.clone()),
            What::Delete => What::Delete,
        },
        before: item.before.clone(),
        base: item.base.clone(),
        now: item.now.clone(),
        path: item.path.clone(),
        n: item.n,
    }
}

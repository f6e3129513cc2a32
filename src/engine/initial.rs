//! Initial sync: bulk copy in the source's cheapest order, chunk by chunk; reading and evaluating on one thread,
//! writing on the other. Each chunk is one source snapshot and one target transaction with the cursor in it, so that a
//! killed run resumes behind the last chunk that was committed. The ledger holds where the source's log stood at the
//! first chunk: what the log says up to there every chunk has seen, whatever order the rows came in.

use super::apply::{self, Failure, Verdict};
use super::chunk::{Chunk, Item, Mode, What};
use super::compare::Compared;
use super::conflict::PendingTarget;
use super::fold::number;
use super::quarantine::Window;
use super::report::{LegReport, Observer};
use super::runtime::{Engine, EngineError, LegRt, Result};
use super::since::Since;
use crate::store::{Position, Progress, QuarantineKind, Rows, Swept};
use crate::value::Value;
use std::collections::HashMap;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

/// What the reading thread hands over.
enum Message {
    /// Evaluated rows.
    Batch { items: Vec<Item>, values: Vec<Value> },
    /// A chunk ends: where to go on (none = the table's end), where the source's log stood.
    End { next: Option<String>, head: Position },
    /// The table was rebuilt meanwhile: it is read from the start once more.
    Again,
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
        let l = leg.leg();
        let (source, target) = (self.source(leg), self.target(leg));
        let total = source.snapshot()?.count(l.source.table)?;
        observer.leg_started(&leg.map.id, leg.into.word(), Some(total));
        let bulk = progress.cursor.is_empty()
            && l.operations.create
            && (mutant!("bulk-without-looking") || target.snapshot()?.is_empty(l.target.table)?)
            && !self.holds_some(leg)?;
        let mode = Mode { bulk, yields, full: true, ..Mode::default() };
        let (counts, _) = self.go_through(leg, &mut progress, mode, false, observer)?;
        observer.leg_finished(&counts);
        Ok(counts)
    }

    /// Whether records of the leg's map wait for a person, in either direction: these are not made anew.
    fn holds_some(&self, leg: &LegRt) -> Result<bool> {
        for leg in std::iter::once(leg).chain(self.opposite(leg)).filter(|l| l.map.two_way > 0) {
            let counts = self.target(leg).snapshot()?.state().quarantine_counts(&leg.name)?;
            if counts.iter().any(|(kind, n)| *kind == QuarantineKind::Held && *n > 0) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Reads all of a leg's source from where its progress stands, and applies it. With `dry` nothing of it stays.
    pub(super) fn go_through(
        &self,
        leg: &LegRt,
        progress: &mut Progress,
        mode: Mode,
        dry: bool,
        observer: &dyn Observer,
    ) -> Result<(LegReport, Compared)> {
        let started = self.env.monotonic();
        let after = (!progress.cursor.is_empty() && !dry).then(|| progress.cursor.clone());
        let (mut counts, mut compared) = (leg.counts(), Compared::default());
        let since = if dry || mode.compares { None } else { Some(self.copied_since(leg, progress, mode)?) };
        let outcome = std::thread::scope(|scope| {
            let (send, receive) = sync_channel::<Message>(4);
            let reader = scope.spawn(move || self.read_chunks(leg, after, since, &send));
            let wrote = self.write_chunks(leg, progress, (mode, dry), &receive, (&mut counts, &mut compared), observer);
            drop(receive);
            let read = reader.join().unwrap_or_else(|_| Err(EngineError::Refused("the reading thread failed".into())));
            // A reader whose writer is gone has nothing to say.
            wrote.and(read)
        });
        outcome?;
        counts.seconds = self.env.monotonic().saturating_sub(started).as_secs_f64();
        Ok((counts, compared))
    }

    /// What the log says from where on a copy leaves to live sync: what its ledger does not cover.
    fn copied_since(&self, leg: &LegRt, progress: &Progress, mode: Mode) -> Result<Since> {
        let ledger = self.target(leg).snapshot()?.state().ledger(&leg.name)?.first().map(|(_, n)| *n);
        let begins = progress.cursor.is_empty() && progress.last_applied_at.is_empty() && !mode.yields;
        let position = number(&progress.position);
        Ok(Since::after(match ledger {
            Some(ledger) => Some(ledger.max(position)),
            None if begins => None,
            None => Some(position),
        }))
    }

    fn read_chunks(
        &self,
        leg: &LegRt,
        mut cursor: Option<String>,
        mut since: Option<Since>,
        send: &SyncSender<Message>,
    ) -> Result<()> {
        let l = leg.leg();
        let source = self.source(leg);
        let mut rows = Rows::of(&l.read);
        loop {
            let mut snapshot = source.snapshot()?;
            let head = snapshot.head()?;
            if let Some(since) = since.as_mut().filter(|_| !mutant!("copies-what-changed-since")) {
                self.learn_changed(leg, &mut *snapshot, since)?;
            }
            let mut read = 0;
            let mut ended = false;
            while read < self.limits.chunk_rows && !ended {
                if self.env.cancelled() {
                    return Err(EngineError::Cancelled);
                }
                rows.clear();
                rows.width = l.read.columns.len() + l.read.joins.len();
                match snapshot.sweep(&l.read, cursor.as_deref(), self.limits.batch_rows, &mut rows)? {
                    Swept::More(next) => cursor = Some(next),
                    Swept::End => ended = true,
                    Swept::Stale => {
                        cursor = None;
                        if send.send(Message::Again).is_err() {
                            return Ok(());
                        }
                        continue;
                    }
                }
                read += rows.len();
                if rows.is_empty() {
                    continue;
                }
                let unanswered = self.answer_all(leg, &mut *snapshot, &mut rows)?;
                let (items, values) = self.evaluate_rows(leg, &rows, unanswered, since.as_ref());
                if send.send(Message::Batch { items, values }).is_err() {
                    return Ok(());
                }
            }
            drop(snapshot);
            if leg.leg().source.store != leg.leg().target.store {
                // Whoever writes there meanwhile cannot begin its WAL anew while somebody reads in it.
                source.maintain()?;
            }
            let next = if ended { None } else { cursor.clone() };
            if send.send(Message::End { next, head }).is_err() || ended {
                return Ok(());
            }
        }
    }

    fn evaluate_rows(
        &self,
        leg: &LegRt,
        rows: &Rows,
        mut unanswered: HashMap<usize, Box<Failure>>,
        since: Option<&Since>,
    ) -> (Vec<Item>, Vec<Value>) {
        let l = leg.leg();
        let (n, key_len) = (rows.len(), leg.source_key_types.len());
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
                start: None,
                stood: (vec![], 0),
                kept: vec![],
                renewed: false,
                silent: false,
                absent: false,
                known: false,
                n: i,
            };
            let mut misfit = None;
            while let Some((_, m)) = misfits.next_if(|(cell, _)| *cell / rows.width == i) {
                misfit = misfit.or(Some(m));
            }
            if since.is_some_and(|s| s.holds(|| leg.source_key(&item.key))) {
                continue;
            }
            if let Some(m) = misfit {
                if item.key.iter().any(Value::is_null) {
                    item.key = vec![Value::text(&m.key)];
                }
                item.what = What::Failed(Box::new(apply::misfit(leg, m, &|m| self.names(l.source.store, m))));
                items.push(item);
                continue;
            }
            if leg.map.two_way > 0 {
                let own = l.read.columns.iter().enumerate().filter(|(_, (j, _))| *j == 0);
                item.now = own.map(|(slot, (_, c))| (*c, row[slot].clone())).collect();
            }
            let start = values.len();
            let companies = self.maps.companies.as_deref();
            let verdict = match unanswered.remove(&i) {
                Some(f) => Verdict::Failed(f),
                None => apply::evaluate(l, &self.maps.context, companies, row, &mut values),
            };
            item.what = match verdict {
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
        (mut mode, dry): (Mode, bool),
        receive: &Receiver<Message>,
        (counts, compared): (&mut LegReport, &mut Compared),
        observer: &dyn Observer,
    ) -> Result<()> {
        let target_store = self.target(leg);
        let mut window = Window::default();
        let mut pending_from = self.opposite_position(leg)?;
        let again = progress.cursor.is_empty() && !progress.last_applied_at.is_empty();
        loop {
            let mut tx = self.begin(leg, progress)?;
            self.env.point("in transaction")?;
            // Now the pending set is exact; our own rows of earlier chunks pass by.
            if let Some((through, pending, opposite)) = &mut pending_from {
                loop {
                    let mut changes = Vec::new();
                    let table = leg.leg().target.table;
                    let log = std::slice::from_ref(opposite);
                    let ended = tx.changes(through, &[table], log, self.limits.log_rows, &mut changes)?;
                    if let Some(last) = changes.last() {
                        *through = target_store.position_at(last.seq);
                    }
                    pending.add(leg, changes, ended);
                    if ended {
                        break;
                    }
                }
            }
            let mut chunk = Chunk::new(self, leg, mode, std::mem::take(&mut window));
            chunk.has_quarantine = !tx.state_mut().quarantine_counts(&leg.name)?.is_empty();
            if chunk.has_quarantine {
                chunk.learn_befores(tx.as_mut())?;
                chunk.learn_held(tx.as_mut())?;
            }
            chunk.compared = std::mem::take(compared);
            chunk.pending = pending_from.as_ref().map(|(_, pending, _)| pending);
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
                    Ok(Message::End { next, head }) => break Some((next, head)),
                    Ok(Message::Again) => {
                        mode.bulk = false;
                        chunk.mode.bulk = false;
                    }
                    Err(_) => break None,
                }
            };
            // The reader stopped in the middle of a chunk; what it says about it comes with its result.
            let Some((next, head)) = end else { return Ok(()) };
            if !mode.compares
                && let Some(reason) = chunk.must_stop(tx.as_mut())?
            {
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
            *compared = std::mem::take(&mut chunk.compared);
            drop(chunk);
            if dry {
                drop(tx);
                counts.add(&chunk_counts);
                match next {
                    None => return Ok(()),
                    Some(_) if self.env.cancelled() => return Err(EngineError::Cancelled),
                    Some(_) => continue,
                }
            }
            // A leg that yields leaves what changed since the master's was written to the live cycles; one that ran
            // before may still owe deletes.
            let first = if mutant!("ledger-of-last-chunk") { next.is_none() } else { progress.cursor.is_empty() };
            if !mode.yields && !again && first && tx.state_mut().ledger(&leg.name)?.is_empty() {
                tx.state_mut().put_ledger(&leg.name, "", number(&head))?;
            }
            let mut now = progress.clone();
            now.cursor = next.clone().filter(|_| !mutant!("cursor-not-stored")).unwrap_or_default();
            now.cut = head;
            now.epoch = self.epoch(leg.leg().target.store);
            if chunk_counts.written() > 0 {
                now.last_applied_at = self.env.now();
            }
            if next.is_none() {
                if !mode.compares && !mutant!("copy-leaves-what-waits") {
                    self.wake_gone_ones(leg, tx.state_mut())?;
                }
                now.phase = "live".into();
                if mode.compares {
                    now.state = "running".into();
                }
            }
            tx.state_mut().put_progress(&now)?;
            tx.disown_side_effects(&leg.name, &|t, k| written.of(leg, t, k))?;
            self.env.point("before commit")?;
            self.env.point("in commit")?;
            tx.commit()?;
            self.env.point("after commit")?;
            *progress = now;
            counts.add(&chunk_counts);
            if next.is_none() {
                return Ok(());
            }
            if self.env.cancelled() {
                return Err(EngineError::Cancelled);
            }
            target_store.maintain()?;
        }
    }

    /// Where the opposite leg stands in the target's log, if the map has two-way lines.
    fn opposite_position(&self, leg: &LegRt) -> Result<Option<(Position, PendingTarget, String)>> {
        if leg.map.two_way == 0 {
            return Ok(None);
        }
        let pending = self.pending_of(leg, self.source(leg).snapshot()?.state())?;
        Ok(pending.map(|(position, pending)| (position, pending, leg.opposite_name(&self.project))))
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
        start: item.start.clone(),
        stood: item.stood.clone(),
        kept: item.kept.clone(),
        renewed: item.renewed,
        silent: item.silent,
        absent: item.absent,
        known: item.known,
        n: item.n,
    }
}

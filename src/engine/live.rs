//! Live sync: the cycle of the protocol. Legs are grouped by (source store, target store); each group reads one
//! snapshot, so that the legs of one map never overlap.

use super::chunk::{Chunk, Item, KeySet, Mode, What};
use super::conflict::{Pending, PendingTarget};
use super::fold::{Covered, Folded, LookedUp, Work, number};
use super::quarantine::{Window, before_lines};
use super::references::cell_value;
use super::report::{LegReport, Observer, Report, StoppedLeg};
use super::runtime::{CellFrom, Engine, LegRt, Result};
use super::setup::leg_state;
use crate::schema::{ColumnId, TableId};
use crate::sema::Company;
use crate::store::{
    Change, Position, Progress, QuarantineFilter, QuarantineKind, Quarantined, Rows, Snapshot, Transaction,
};
use crate::value::{Key, Value};
use std::collections::HashMap;
use std::time::Duration;

/// One leg in one cycle.
struct LegRun<'a> {
    leg: &'a LegRt,
    progress: Progress,
    works: Vec<Work>,
    /// By index in `works`.
    done: Vec<bool>,
    /// Deletes that wait for the end of the cycle: (index in works, item).
    deletes: Vec<(usize, Item)>,
    /// Records that met a taken unique key.
    retries: Vec<usize>,
    /// Where the leg stands when all is done.
    end: i64,
    /// Newest log number of the snapshot.
    head: i64,
    counts: LegReport,
    window: Window,
    pending: Option<PendingTarget>,
    pending_through: Position,
    pending_ahead: HashMap<String, i64>,
    /// Integration keys that records hold since the cycle began, and records consumed ahead of the position.
    claimed: KeySet,
    /// Records consumed ahead of the position whose integration keys are not among them yet.
    ahead: Vec<String>,
    /// Looked-up rows that changed in what is not consumed.
    looked_up: Vec<LookedUp>,
    stopped: Option<String>,
    moved: bool,
    /// When it began, on the clock of [`super::Env::monotonic`].
    started: Duration,
}

impl Engine {
    /// One cycle over these legs (indexes of `self.legs`, in order). Returns whether anything was consumed or written.
    pub(super) fn cycle(&self, legs: &[usize], observer: &dyn Observer, report: &mut Report) -> Result<bool> {
        let mut groups: Vec<((usize, usize), Vec<&LegRt>)> = Vec::new();
        for &i in legs {
            let leg = &self.legs[i];
            let pair = (leg.leg().source.store, leg.leg().target.store);
            match groups.iter_mut().find(|(p, _)| *p == pair) {
                Some((_, g)) => g.push(leg),
                None => groups.push((pair, vec![leg])),
            }
        }
        // Derived maps come last: they see what this cycle brought.
        groups.sort_by_key(|((s, t), _)| s == t);
        let mut moved = false;
        for ((source, target), group) in groups {
            moved |= self.phase(source, target, &group, "live", observer, report)?;
        }
        Ok(moved)
    }

    /// Works off what is pending for a leg that ran before and is about to be copied anew: a copy does not see what is
    /// gone, or had another key.
    pub(super) fn catch_up(&self, leg: &LegRt, observer: &dyn Observer, report: &mut Report) -> Result<()> {
        let (source, target) = (leg.leg().source.store, leg.leg().target.store);
        while self.phase(source, target, &[leg], "initial", observer, report)? {
            if self.env.cancelled() {
                return Err(super::EngineError::Cancelled);
            }
        }
        Ok(())
    }

    fn phase(
        &self,
        source: usize,
        target: usize,
        group: &[&LegRt],
        wanted: &str,
        observer: &dyn Observer,
        report: &mut Report,
    ) -> Result<bool> {
        let mut snapshot = self.stores[source].snapshot()?;
        let mut runs: Vec<LegRun> = Vec::new();
        for leg in group {
            if self.env.cancelled() {
                break;
            }
            match self.forward(leg, wanted, snapshot.as_mut())? {
                Some(run) => runs.push(run),
                None => continue,
            }
        }
        for run in runs.iter_mut().rev() {
            self.backward(run, snapshot.as_mut())?;
        }
        let mut moved = false;
        for run in &mut runs {
            moved |= self.finish(run)?;
            if let Some(reason) = run.stopped.take() {
                observer.note(&format!("map `{}` into {} stopped: {reason}", run.leg.map.id, run.leg.into.word()));
                report.stopped.push(StoppedLeg {
                    map: run.leg.map.id.clone(),
                    into: run.leg.into.word().to_string(),
                    reason,
                });
            }
            if run.counts.read > 0 {
                run.counts.seconds = self.env.monotonic().saturating_sub(run.started).as_secs_f64();
                observer.leg_finished(&run.counts);
                report.add(&run.counts);
            }
        }
        let acks: Vec<(String, Position)> =
            runs.iter().filter(|r| r.moved).map(|r| (r.leg.name.clone(), r.progress.position.clone())).collect();
        drop(snapshot);
        self.env.point("before acknowledge")?;
        if !acks.is_empty() {
            self.stores[source].acknowledge(&acks)?;
        }
        let _ = target;
        Ok(moved)
    }

    /// The rest of the log, row by row.
    fn look_ahead(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        from: i64,
        tables: &[TableId],
        each: &mut dyn FnMut(&Change),
    ) -> Result<()> {
        if tables.is_empty() {
            return Ok(());
        }
        let mut after = self.source(leg).position_at(from);
        loop {
            let mut changes = Vec::new();
            let name = std::slice::from_ref(&leg.name);
            let ended = snapshot.changes(&after, tables, name, self.limits.log_rows.max(1_000), &mut changes)?;
            changes.iter().for_each(&mut *each);
            match changes.last() {
                Some(last) if !ended => after = self.source(leg).position_at(last.seq),
                _ => return Ok(()),
            }
        }
    }

    /// Records that have work without a log row of their own may have one later in the log than this cycle reads; the
    /// snapshot holds that change, so what was before it must be known.
    fn own_later(&self, leg: &LegRt, snapshot: &mut dyn Snapshot, from: i64, works: &mut [Work]) -> Result<()> {
        let mut index: HashMap<Key, usize> = works
            .iter()
            .enumerate()
            .filter(|(_, w)| w.first == i64::MAX && w.misfit.is_none())
            .map(|(i, w)| (leg.source_key(&w.key), i))
            .collect();
        if index.is_empty() {
            return Ok(());
        }
        let opposite = leg.opposite_name(&self.project);
        self.look_ahead(leg, snapshot, from, &[leg.leg().source.table], &mut |c| {
            let (Ok(key), false) = (&c.key, c.origin.as_deref() == Some(&opposite)) else { return };
            if let Some(old_key) = &c.old_key
                && let Some(i) = index.remove(&leg.source_key(old_key))
            {
                works[i].old_key.get_or_insert_with(|| old_key.clone());
                works[i].key.clone_from(key);
                index.insert(leg.source_key(key), i);
            }
            if let Some(i) = index.get(&leg.source_key(key)) {
                for (column, value) in &c.old {
                    works[*i].old.entry(*column).or_insert_with(|| value.clone());
                }
            }
        })
    }

    /// A row that was deleted, and one that came under its primary key with another integration key, are two records.
    fn part(&self, leg: &LegRt, snapshot: &mut dyn Snapshot, works: &mut Vec<Work>) -> Result<()> {
        let l = leg.leg();
        let mut gone = Vec::new();
        for w in works.iter_mut().filter(|w| w.reborn && w.based && !w.displaced && w.misfit.is_none()) {
            let mut rows = Rows::of(&l.read);
            let there = snapshot.fetch(&l.read, std::slice::from_ref(&w.key), &mut rows)?;
            if there.first() != Some(&true) || !self.key_changed(leg, w, rows.row(0)) {
                continue;
            }
            let mut new = Work::of(w.key.clone());
            (new.first, new.last) = (w.first, w.last);
            new.path.clone_from(&w.path);
            (new.shared, new.renewed) = (true, true);
            let mut old = std::mem::replace(w, new);
            (old.shared, old.displaced) = (true, true);
            gone.push(old);
        }
        works.append(&mut gone);
        Ok(())
    }

    /// Creates and updates of one leg, chunk by chunk.
    fn forward<'a>(&'a self, leg: &'a LegRt, wanted: &str, snapshot: &mut dyn Snapshot) -> Result<Option<LegRun<'a>>> {
        let target = self.target(leg);
        let mut view = target.snapshot()?;
        let Some(progress) = view.state().progress(&leg.name)? else { return Ok(None) };
        if progress.desired != "run" || progress.state != "running" || progress.phase != wanted {
            return Ok(None);
        }
        if let Err(reason) = self.check_source(leg, &progress, snapshot) {
            drop(view);
            self.stop_leg(leg, "needs recover", &reason, &[])?;
            return Ok(None);
        }
        let head = number(&snapshot.head()?);
        let covered = Covered {
            ahead: view.state().ahead(&leg.name)?.into_iter().collect(),
            ledger: view.state().ledger(&leg.name)?.first().map_or(0, |(_, n)| *n),
        };
        let tables = watched_tables(leg);
        let mut changes: Vec<Change> = Vec::new();
        let ended = snapshot.changes(
            &progress.position,
            &tables,
            std::slice::from_ref(&leg.name),
            self.limits.log_rows,
            &mut changes,
        )?;
        let last_read = changes.last().map_or(0, |c| c.seq);
        let end = if ended { head } else { last_read };
        let mut folded = Folded::default();
        let any = !changes.is_empty();
        folded.add(leg, &leg.opposite_name(&self.project), changes, &covered);
        folded.renew(leg);
        self.add_retries(leg, view.as_mut(), &mut folded)?;
        drop(view);
        let mut run = LegRun {
            leg,
            works: vec![],
            done: vec![],
            deletes: vec![],
            retries: vec![],
            end,
            head,
            counts: LegReport { map: leg.map.id.clone(), into: leg.into.word().into(), ..LegReport::default() },
            window: leg_state(self, &leg.name),
            pending: None,
            pending_through: Position::default(),
            pending_ahead: HashMap::new(),
            claimed: KeySet::default(),
            ahead: covered.ahead.into_keys().collect(),
            looked_up: std::mem::take(&mut folded.looked_up),
            stopped: None,
            moved: any && end > number(&progress.position),
            started: self.env.monotonic(),
            progress,
        };
        if leg.map.two_way > 0 {
            self.pending_before(&mut run, snapshot)?;
        }
        // What changed rows are looked up by comes first, page by page; the log rows that caused it stay unconsumed
        // until all of it is done.
        let looked_up = run.looked_up.clone();
        if !ended && leg.leg().operations.delete {
            let mut later = Folded::default();
            let joined: Vec<TableId> = leg.leg().read.joins.iter().map(|j| j.table).collect();
            self.look_ahead(leg, snapshot, end, &joined, &mut |c| later.add_looked_up(leg, c))?;
            run.looked_up.append(&mut later.looked_up);
        }
        for change in &looked_up {
            self.dependents(&mut run, snapshot, change, &mut folded)?;
            if run.stopped.is_some() {
                return Ok(Some(run));
            }
        }
        let mut works = folded.works;
        if !looked_up.is_empty() {
            self.recall(leg, &mut works)?;
        }
        if !ended {
            self.own_later(leg, snapshot, end, &mut works)?;
        }
        self.part(leg, snapshot, &mut works)?;
        works.sort_by_key(|w| w.first);
        // Work without a log row does not hold the position back.
        run.done = vec![false; works.len()];
        run.works = works;
        let mut at = 0;
        while at < run.works.len() && run.stopped.is_none() && !self.env.cancelled() {
            let upto = (at + self.limits.live_rows).min(run.works.len());
            self.forward_chunk(&mut run, snapshot, at, upto)?;
            at = upto;
        }
        Ok(Some(run))
    }

    /// Integration keys of records that a cycle which did not end consumed ahead of the position.
    fn claim_ahead(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        let leg = run.leg;
        let ahead = std::mem::take(&mut run.ahead);
        let of_lines = |i: &usize| !matches!(leg.cells[*i].from, CellFrom::Reference(..));
        if ahead.is_empty() || !leg.key_cells.iter().all(of_lines) {
            return Ok(());
        }
        let companies: Vec<Option<Value>> = match leg.leg().company {
            Company::Each(_) => self.maps.companies.iter().flatten().map(|c| Some(Value::text(c))).collect(),
            _ => vec![None],
        };
        let mut view = self.target(leg).snapshot()?;
        let none_waits = view.state().quarantine_counts(&leg.name)?.is_empty();
        let mut holding = Vec::new();
        for key in ahead {
            // One that waits has not got its key.
            if none_waits || view.state().quarantine_of(&leg.name, &key)?.is_empty() {
                holding.push(key);
            }
        }
        drop(view);
        let works: Vec<Work> = holding
            .iter()
            .filter_map(|k| Key::parse(k, &leg.source_key_types))
            .map(|k| Work::of(k.0.into_vec()))
            .collect();
        for works in works.chunks(self.limits.live_rows) {
            let mut values = Vec::new();
            for item in self.evaluate_works(leg, snapshot, works, &[], &mut values)? {
                let What::Write(at) = item.what else { continue };
                for company in &companies {
                    let value = |i: &usize| cell_value(&leg.cells[*i], &values[at..], company.as_ref(), &[]);
                    let key: Option<Vec<Value>> = leg.key_cells.iter().map(value).collect();
                    let folds = leg.key_cells.iter().map(|i| leg.cells[*i].collation);
                    if let Some(key) = key {
                        run.claimed.insert(&Key::new(key.iter().zip(folds)));
                    }
                }
            }
        }
        Ok(())
    }

    /// Evaluates the works `at..upto`, puts deletes aside, writes the rest.
    fn forward_chunk(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot, at: usize, upto: usize) -> Result<()> {
        let mut values = Vec::new();
        let evaluated = self.evaluate_works(run.leg, snapshot, &run.works[at..upto], &run.looked_up, &mut values)?;
        if evaluated.iter().any(|i| i.before.is_some()) {
            self.claim_ahead(run, snapshot)?;
        }
        let mut items = Vec::new();
        let mut which = Vec::new();
        for (n, item) in evaluated.into_iter().enumerate() {
            run.counts.read += 1;
            match item.what {
                What::Delete => run.deletes.push((at + n, item)),
                _ => {
                    items.push(item);
                    which.push(at + n);
                }
            }
        }
        self.apply_and_commit(run, &items, &which, &values, false)
    }

    /// One transaction: items applied, position moved past what is contiguous, the rest noted as ahead.
    fn apply_and_commit(
        &self,
        run: &mut LegRun<'_>,
        items: &[Item],
        which: &[usize],
        values: &[Value],
        last_try: bool,
    ) -> Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        let mode = Mode { last_try, swaps: last_try, ..Mode::default() };
        if !self.apply_by(run, items, which, values, mode)? {
            self.apply_by(run, items, which, values, Mode { swaps: false, ..mode })?;
        }
        Ok(())
    }

    /// False if nothing was done because keys could not be swapped.
    fn apply_by(
        &self,
        run: &mut LegRun<'_>,
        items: &[Item],
        which: &[usize],
        values: &[Value],
        mode: Mode,
    ) -> Result<bool> {
        let leg = run.leg;
        let mut tx = self.begin(leg, &mut run.progress)?;
        self.env.point("in transaction")?;
        self.pending_now(run, tx.as_mut())?;
        let mut chunk = Chunk::new(self, leg, mode, run.window.clone());
        chunk.pending = run.pending.as_ref();
        chunk.has_quarantine = !tx.state_mut().quarantine_counts(&leg.name)?.is_empty();
        // A second try begins from the same.
        chunk.claimed = if mode.swaps { run.claimed.clone() } else { std::mem::take(&mut run.claimed) };
        if chunk.has_quarantine {
            chunk.learn_befores(tx.as_mut())?;
        }
        let mut counts = LegReport::default();
        let left = chunk.apply(tx.as_mut(), items, values, &mut counts)?;
        if chunk.swap_failed {
            return Ok(false);
        }
        if let Some(reason) = chunk.must_stop(tx.as_mut())? {
            let samples = chunk.samples.clone();
            drop(tx);
            self.stop_leg(leg, "too many failures", &reason, &samples)?;
            run.stopped = Some(format!("{reason}; see `tablemap errors list`, then `tablemap resume {}`", leg.map.id));
            return Ok(true);
        }
        let written = std::mem::take(&mut chunk.written);
        let window = std::mem::take(&mut chunk.window);
        run.claimed = std::mem::take(&mut chunk.claimed);
        drop(chunk);
        for (n, &w) in which.iter().enumerate() {
            if left.retry.contains(&n) {
                run.retries.push(w);
            } else {
                run.done[w] = true;
            }
        }
        let position = self.reached(run);
        let cut_short = run.end < run.head;
        for (item, &w) in items.iter().zip(which) {
            let work = &run.works[w];
            // The snapshot holds more than the stretch of the log at hand: a later row of the same record would be
            // judged once more by a before that is none.
            // But a row that was deleted and is there may be another record's.
            let unsure = cut_short && work.deleted && !item.absent;
            let twice = cut_short && !unsure && (leg.map.two_way > 0 || item.before.is_some());
            if run.done[w] && (work.last > position || twice) && !work.shared && work.misfit.is_none() {
                let key = leg.source_key(&work.key).to_text();
                tx.state_mut().put_ahead(&leg.name, &key, if unsure { work.last } else { run.head })?;
            }
        }
        let own = |t: TableId, k: &[Value]| t == leg.leg().target.table && written.contains(&leg.target_key(k));
        self.seal(run, tx, position, counts.written() > 0, &own)?;
        run.window = window;
        run.counts.add(&counts);
        run.moved = true;
        Ok(true)
    }

    /// Up to which log number everything is consumed.
    fn reached(&self, run: &LegRun<'_>) -> i64 {
        let open = run.works.iter().zip(&run.done).filter(|(_, d)| !**d).map(|(w, _)| w.first).min();
        match open {
            Some(first) if first != i64::MAX => (first - 1).min(run.end),
            _ => run.end,
        }
        .max(number(&run.progress.position))
    }

    /// Moves the position and commits.
    fn seal(
        &self,
        run: &mut LegRun<'_>,
        mut tx: Box<dyn Transaction>,
        position: i64,
        applied: bool,
        written: &dyn Fn(TableId, &[Value]) -> bool,
    ) -> Result<()> {
        let leg = run.leg;
        let store = self.source(leg);
        let mut progress = run.progress.clone();
        if position != number(&progress.position) {
            progress.position = store.position_at(position);
            progress.witness = store.snapshot()?.witness(&progress.position)?.unwrap_or_default();
            tx.state_mut().drop_ahead(&leg.name, position)?;
        }
        progress.cut = store.position_at(run.head);
        progress.map_hash = leg.map.hash.clone();
        progress.epoch = self.epoch(leg.leg().target.store);
        if applied {
            progress.last_applied_at = self.env.now();
        }
        tx.state_mut().put_progress(&progress)?;
        tx.disown_side_effects(&leg.name, written)?;
        self.env.point("before commit")?;
        self.env.point("in commit")?;
        tx.commit()?;
        self.env.point("after commit")?;
        run.progress = progress;
        Ok(())
    }

    /// Deletes, then what met a taken unique key.
    fn backward(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        if run.stopped.is_some() {
            return Ok(());
        }
        let deletes = std::mem::take(&mut run.deletes);
        let (which, items): (Vec<usize>, Vec<Item>) = deletes.into_iter().unzip();
        for (items, which) in items.chunks(self.limits.live_rows).zip(which.chunks(self.limits.live_rows)) {
            if self.env.cancelled() || run.stopped.is_some() {
                return Ok(());
            }
            self.apply_and_commit(run, items, which, &[], false)?;
        }
        let retries = std::mem::take(&mut run.retries);
        if !retries.is_empty() && run.stopped.is_none() {
            let works: Vec<Work> = retries.iter().map(|w| run.works[*w].clone()).collect();
            let mut values = Vec::new();
            let items = self.evaluate_works(run.leg, snapshot, &works, &run.looked_up, &mut values)?;
            self.apply_and_commit(run, &items, &retries, &values, true)?;
        }
        Ok(())
    }

    /// Consumes what is left of the log: rows that needed nothing.
    fn finish(&self, run: &mut LegRun<'_>) -> Result<bool> {
        let position = self.reached(run);
        let behind = position - number(&run.progress.position);
        if run.stopped.is_none() && behind > 0 && (run.moved || behind > 1_000) {
            let tx = self.begin(run.leg, &mut run.progress)?;
            let relevant = run.moved;
            self.seal(run, tx, position, false, &|_, _| false)?;
            run.moved = relevant;
        }
        super::setup::keep_leg_state(self, &run.leg.name, &run.window);
        Ok(run.moved)
    }

    /// Re-evaluates, page by page, the records that reach a changed row.
    fn dependents(
        &self,
        run: &mut LegRun<'_>,
        snapshot: &mut dyn Snapshot,
        change: &LookedUp,
        folded: &mut Folded,
    ) -> Result<()> {
        let leg = run.leg;
        let l = leg.leg();
        let join = &l.read.joins[change.join];
        let schema = &self.maps.stores[l.source.store].1;
        let plan = crate::store::ReadPlan {
            table: join.table,
            joins: vec![],
            columns: join.key.iter().map(|c| (0, *c)).collect(),
        };
        let mut rows = Rows::of(&plan);
        let there = snapshot.fetch(&plan, std::slice::from_ref(&change.key), &mut rows)?;
        let mut wanted: Vec<Vec<Value>> = Vec::new();
        if there.first() == Some(&true) {
            wanted.push(rows.row(0).to_vec());
        }
        if let Some(before) = &change.before
            && !wanted.contains(before)
        {
            wanted.push(before.clone());
        }
        let key_len = schema.get(l.source.table).primary_key.len();
        for values in wanted {
            if values.iter().any(Value::is_null) {
                continue;
            }
            let mut after: Option<Vec<Value>> = None;
            loop {
                let keys =
                    snapshot.dependents(&l.read, change.join, &values, after.as_deref(), self.limits.live_rows)?;
                let full = keys.len() == self.limits.live_rows;
                after = keys.last().map(|k| k[..key_len].to_vec());
                let mut page: Vec<Work> = Vec::new();
                for key in keys {
                    if !folded.knows(leg, &key) && (full || folded.works.len() > self.limits.log_rows) {
                        let mut w = Work::of(key);
                        (w.dependent, w.path) = (true, change.path.clone());
                        page.push(w);
                    } else {
                        let w = folded.work(leg, &key);
                        w.dependent |= w.last == 0;
                        if change.path.len() > w.path.len() {
                            w.path.clone_from(&change.path);
                        }
                    }
                }
                if !page.is_empty() {
                    if run.end < run.head {
                        self.own_later(leg, snapshot, run.end, &mut page)?;
                    }
                    self.recall(leg, &mut page)?;
                    self.dependent_page(run, snapshot, page)?;
                }
                if !full || run.stopped.is_some() || self.env.cancelled() {
                    break;
                }
            }
        }
        Ok(())
    }

    /// A page of dependents in its own transaction; the log rows that caused it stay where they are.
    fn dependent_page(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot, page: Vec<Work>) -> Result<()> {
        let (works, done) = (std::mem::take(&mut run.works), std::mem::take(&mut run.done));
        let end = std::mem::replace(&mut run.end, number(&run.progress.position));
        run.done = vec![false; page.len()];
        let n = page.len();
        run.works = page;
        let outcome = self.forward_chunk(run, snapshot, 0, n).and_then(|()| self.backward(run, snapshot));
        (run.works, run.done, run.end) = (works, done, end);
        outcome
    }

    /// Records in quarantine whose time has come, and parked ones whose reference has arrived.
    fn add_retries(&self, leg: &LegRt, view: &mut dyn Snapshot, folded: &mut Folded) -> Result<()> {
        let due =
            QuarantineFilter { leg: Some(leg.name.clone()), due: Some(self.env.now()), limit: self.limits.live_rows };
        let mut entries = view.state().quarantined(&due)?;
        for key in view.state().arrived(&leg.name, self.limits.live_rows)? {
            entries.extend(view.state().quarantine_of(&leg.name, &key)?);
        }
        // A record that changed again keeps the base, and the key, of its first change; also under the key it had.
        if !view.state().quarantine_counts(&leg.name)?.is_empty() {
            let mut renamed: HashMap<String, Vec<Value>> = HashMap::new();
            for w in folded.works.iter().filter(|w| w.misfit.is_none() && !w.displaced) {
                if let Some(was) = &w.old_key {
                    renamed.insert(leg.source_key(was).to_text(), w.key.clone());
                }
            }
            let keys: Vec<String> =
                folded.works.iter().filter(|w| !w.renewed).map(|w| leg.source_key(&w.key).to_text()).collect();
            let undone = std::mem::take(&mut folded.undone);
            let keys = keys.into_iter().chain(undone.iter().map(|k| leg.source_key(k).to_text()));
            let mut more = Vec::new();
            for key in keys {
                more.extend(view.state().quarantine_of(&leg.name, &key)?);
            }
            for (was, now) in renamed {
                for mut entry in view.state().quarantine_of(&leg.name, &was)? {
                    entry.key = leg.source_key(&now).to_text();
                    entries.retain(|e| e.key != was);
                    more.retain(|e| e.key != was);
                    more.push(entry);
                }
            }
            entries.extend(more);
        }
        for entry in entries {
            let Some(key) = Key::parse(&entry.key, &leg.source_key_types) else { continue };
            let known = folded.work(leg, &key.0).last != 0;
            let base = self.base_of(leg, &entry);
            let before = before_lines(leg, &entry.old_ikey);
            let w = folded.work(leg, &key.0);
            w.before.extend(before.map(|b| (entry.company.clone(), b)));
            if !base.is_empty() {
                for (c, v) in base {
                    w.old.insert(c, v);
                }
                w.based = true;
            } else if !known {
                w.based = false;
            }
        }
        Ok(())
    }

    /// What waits of records that come to be evaluated because of what they look up: the base, and the key before.
    fn recall(&self, leg: &LegRt, works: &mut [Work]) -> Result<()> {
        let mut view = self.target(leg).snapshot()?;
        if view.state().quarantine_counts(&leg.name)?.is_empty() {
            return Ok(());
        }
        for w in works.iter_mut().filter(|w| w.dependent && w.before.is_empty()) {
            for entry in view.state().quarantine_of(&leg.name, &leg.source_key(&w.key).to_text())? {
                let base = self.base_of(leg, &entry);
                if !base.is_empty() {
                    (w.based, w.dependent) = (true, false);
                    w.old.extend(base);
                }
                w.before.extend(before_lines(leg, &entry.old_ikey).map(|b| (entry.company, b)));
            }
        }
        Ok(())
    }

    fn base_of(&self, leg: &LegRt, entry: &Quarantined) -> HashMap<ColumnId, Value> {
        self.base_in(leg.leg().source.store, leg.leg().source.table, &entry.base)
    }

    fn base_in(&self, store: usize, table: TableId, base: &str) -> HashMap<ColumnId, Value> {
        let schema = &self.maps.stores[store].1;
        let Ok(map) = serde_json::from_str::<HashMap<String, String>>(base) else { return HashMap::new() };
        map.into_iter()
            .filter_map(|(name, text)| {
                let column = schema.column(table, &name)?;
                let ty = schema.get(table).column(column).ty.clone();
                let key = Key::parse(&text, &[ty])?;
                Some((column, key.0.first()?.clone()))
            })
            .collect()
    }

    /// What is pending for the opposite leg as the phase begins: its quarantine; its log is read in the transaction.
    fn pending_before(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        let Some(opposite) = self.opposite(run.leg) else { return Ok(()) };
        let Some(progress) = snapshot.state().progress(&opposite.name)? else { return Ok(()) };
        let mut pending = PendingTarget::default();
        let filter = QuarantineFilter { leg: Some(opposite.name.clone()), ..QuarantineFilter::default() };
        for entry in snapshot.state().quarantined(&filter)? {
            if entry.kind == QuarantineKind::Skipped {
                continue;
            }
            if let Some(key) = Key::parse(&entry.key, &opposite.source_key_types) {
                let base = self.base_of(opposite, &entry);
                let inserted = base.is_empty();
                pending.by_key.insert(key, Pending { base, inserted, ..Pending::default() });
            }
        }
        run.pending_ahead = snapshot.state().ahead(&opposite.name)?.into_iter().collect();
        run.pending = Some(pending);
        run.pending_through = progress.position;
        Ok(())
    }

    /// Adds the target's log rows since the last look, in the transaction that writes: now the pending set is exact.
    fn pending_now(&self, run: &mut LegRun<'_>, tx: &mut dyn Transaction) -> Result<()> {
        let Some(pending) = &mut run.pending else { return Ok(()) };
        let table = run.leg.leg().target.table;
        let opposite: Vec<String> = vec![run.leg.opposite_name(&self.project)];
        loop {
            let mut changes = Vec::new();
            let ended = tx.changes(&run.pending_through, &[table], &opposite, self.limits.log_rows, &mut changes)?;
            pending.add(run.leg, &changes, &run.pending_ahead);
            if let Some(last) = changes.last() {
                run.pending_through = self.target(run.leg).position_at(last.seq);
            }
            if ended {
                return Ok(());
            }
        }
    }
}

/// The tables a leg reads.
pub(super) fn watched_tables(leg: &LegRt) -> Vec<TableId> {
    let l = leg.leg();
    let mut tables = vec![l.source.table];
    for j in &l.read.joins {
        if !tables.contains(&j.table) {
            tables.push(j.table);
        }
    }
    tables
}

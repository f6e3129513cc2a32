//! Live sync: the cycle of the protocol. Legs are grouped by (source store, target store); each group reads one
//! snapshot, so that the legs of one map never overlap.

use super::behind::passing;
use super::chunk::{Chunk, Claims, Item, KeySet, Mode};
use super::conflict::PendingTarget;
use super::fold::{Folded, Work, number};
use super::lookups::LookedUp;
use super::quarantine::Window;
use super::references::Passing;
use super::report::{LegReport, Observer, Report, StoppedLeg};
use super::runtime::{Engine, LegRt, Result};
use super::setup::leg_state;
use super::waiting::leavers_first;
use crate::schema::TableId;
use crate::store::{
    Ahead, AheadKind, Change, Position, Progress, QuarantineFilter, QuarantineKind, ReadState, Snapshot, Transaction,
};
use crate::value::{Key, Type, Value};
use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

/// One leg in one cycle.
pub(super) struct LegRun<'a> {
    pub leg: &'a LegRt,
    pub progress: Progress,
    pub works: Arc<Vec<Work>>,
    /// By index in `works`.
    pub done: Vec<bool>,
    /// Deletes that wait for the end of the cycle: (index in works, item).
    pub deletes: Vec<(usize, Item)>,
    /// Records that met a taken unique key.
    pub retries: Vec<usize>,
    /// Such records of pages of dependents.
    pub postponed: Vec<Work>,
    /// Where the leg stands when all is done.
    pub end: i64,
    /// Newest log number of the snapshot.
    pub head: i64,
    pub counts: LegReport,
    window: Window,
    pending: Option<PendingTarget>,
    pending_through: Position,
    pub claimed: Claims,
    /// Rows of other legs' targets that have yet to go or to change.
    passing: Passing,
    /// Rows that legs which are behind have yet to delete, or to give another key.
    behind: Arc<Passing>,
    /// The integration keys in this leg's target which records have yet to leave.
    pub leaving: KeySet,
    /// Records that the opposite leg made, whose integration keys are not among those claimed yet.
    pub back: Vec<Vec<Value>>,
    /// Looked-up rows that changed in what is not consumed, in the order of the log.
    pub looked_up: Arc<Vec<LookedUp>>,
    pub stopped: Option<String>,
    /// Up to which log number changes are put aside as skipped, by command.
    pub skip: Option<i64>,
    moved: bool,
    /// Whether records were left to the opposite leg, and whether any was not.
    yielded: bool,
    applied: bool,
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

    /// Works off what is pending for legs that ran before and are about to be copied anew: a copy does not see what is
    /// gone, or had another key. Legs of one map may have to wait for each other, so they take turns.
    pub(super) fn catch_up(&self, legs: &[&LegRt], observer: &dyn Observer, report: &mut Report) -> Result<()> {
        let mut moved = !mutant!("copy-forgets-deletes");
        while moved {
            moved = false;
            for leg in legs {
                let (source, target) = (leg.leg().source.store, leg.leg().target.store);
                while self.phase(source, target, &[leg], "initial", observer, report)? {
                    moved = true;
                    if self.env.cancelled() {
                        return Err(super::EngineError::Cancelled);
                    }
                }
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
            match self.forward(leg, wanted, snapshot.as_mut(), &runs)? {
                Some(run) => runs.push(run),
                None => continue,
            }
        }
        if mutant!("deletes-in-order") {
            runs.iter_mut().try_for_each(|run| self.backward(run))?;
        }
        for run in runs.iter_mut().rev() {
            self.backward(run)?;
        }
        for run in &mut runs {
            self.again(run, snapshot.as_mut())?;
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
        let read = |r: &LegRun<'_>| match mutant!("acknowledges-the-head") {
            true => r.progress.cut.clone(),
            false => r.progress.position.clone(),
        };
        let acks: Vec<(String, Position)> =
            runs.iter().filter(|r| r.moved).map(|r| (r.leg.name.clone(), read(r))).collect();
        drop(snapshot);
        self.env.point("before acknowledge")?;
        if !acks.is_empty() {
            self.stores[source].acknowledge(&acks)?;
        }
        let _ = target;
        Ok(moved)
    }

    /// Creates and updates of one leg, chunk by chunk.
    fn forward<'a>(
        &'a self,
        leg: &'a LegRt,
        wanted: &str,
        snapshot: &mut dyn Snapshot,
        before: &[LegRun<'_>],
    ) -> Result<Option<LegRun<'a>>> {
        let target = self.target(leg);
        let mut view = target.snapshot()?;
        let Some(progress) = view.state().progress(&leg.name)? else { return Ok(None) };
        let skip = super::window::skip_of(&progress.desired);
        let goes = progress.desired == "run" || skip.is_some();
        if !goes || progress.state != "running" || progress.phase != wanted {
            return Ok(None);
        }
        if self.suspended_in(leg, snapshot.state(), view.state())? {
            return Ok(None);
        }
        if let Some(reason) = self.check_source(leg, &progress, snapshot)? {
            drop(view);
            // Nor can the other direction know what is pending.
            for leg in std::iter::once(leg).chain(self.opposite(leg)) {
                self.stop_leg(leg, "needs recover", &reason, &[])?;
            }
            return Ok(None);
        }
        let head = number(&snapshot.head()?);
        let ahead = view.state().ahead(&leg.name)?;
        let ledger = view.state().ledger(&leg.name)?.first().map_or(0, |(_, n)| *n);
        let due = self.due(leg, view.state())?;
        if !due.is_empty() {
            self.pass_on(leg)?;
        }
        let mut wanted: HashSet<Key> = due.iter().map(|k| leg.source_key(k)).collect();
        let stretch = self.stretch(head - number(&progress.position));
        let (mut folded, any) = loop {
            let mut folded = Folded::new(leg, ahead.clone(), ledger, stretch, wanted.clone());
            let any = self.fold_log(leg, snapshot, number(&progress.position), &mut folded)?;
            let known = wanted.len();
            wanted.extend(self.strangers(leg, view.state(), &folded)?);
            wanted.extend(self.returned(leg, snapshot, &folded)?);
            if wanted.len() == known {
                break (folded, any);
            }
        };
        let end = folded.end(head);
        self.part(leg, snapshot, &mut folded)?;
        let claimed = self.claims(leg, view.state())?;
        self.rejoin_held(leg, snapshot, view.state(), &mut folded)?;
        self.rejoin(leg, snapshot, &claimed, &mut folded)?;
        self.give_waiting(leg, view.state(), &mut folded, due)?;
        let asked = !folded.works.is_empty() || !folded.looked_up.is_empty();
        let behind = match asked && !leg.leg().references.is_empty() {
            true => self.behind(leg, end, before, snapshot, view.state())?,
            false => Passing::new(),
        };
        drop(view);
        let mut run = LegRun {
            leg,
            works: Arc::default(),
            done: vec![],
            deletes: vec![],
            retries: vec![],
            end,
            head,
            counts: leg.counts(),
            window: leg_state(self, &leg.name),
            pending: None,
            pending_through: Position::default(),
            claimed,
            passing: passing(before),
            behind: Arc::new(behind),
            postponed: vec![],
            leaving: KeySet::default(),
            back: std::mem::take(&mut folded.back),
            looked_up: Arc::new(std::mem::take(&mut folded.looked_up)),
            stopped: None,
            skip,
            moved: any && end > number(&progress.position),
            yielded: false,
            applied: false,
            started: self.env.monotonic(),
            progress,
        };
        if leg.map.two_way > 0 {
            self.pending_before(&mut run, snapshot)?;
        }
        if mutant!("progress-before-rows") {
            let tx = self.begin(leg, &mut run.progress)?;
            self.seal(&mut run, tx, end, false, &|_, _| 0)?;
        }
        self.dependents(&mut run, snapshot, &mut folded)?;
        if run.stopped.is_some() {
            return Ok(Some(run));
        }
        let (works, glued) = leavers_first(leg, folded.works);
        let all = works.len();
        let postponed = std::mem::take(&mut run.postponed);
        run.retries.extend(all..all + postponed.len());
        run.works = Arc::new(works.into_iter().chain(postponed).collect());
        run.done = vec![false; run.works.len()];
        let mut chunks = Vec::new();
        let mut at = 0;
        while at < all {
            let mut upto = (at + self.limits.live_rows).min(all);
            while glued[upto - 1] {
                upto += 1;
            }
            chunks.push(at..upto);
            at = upto;
        }
        self.forward_chunks(&mut run, snapshot, &chunks)?;
        Ok(Some(run))
    }

    /// How many records a fold takes up. Each fold reads what is pending to its end, so that a long backlog must not be
    /// worked off in ever more stretches: a quarter of it at a time, as far as memory allows.
    fn stretch(&self, pending: i64) -> usize {
        let least = self.limits.log_rows;
        usize::try_from(pending / 4).unwrap_or(0).clamp(least, least.saturating_mul(5))
    }

    /// Folds the log after a number to its end; whether there was anything.
    pub(super) fn fold_log(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        after: i64,
        folded: &mut Folded,
    ) -> Result<bool> {
        let (tables, opposite) = (watched_tables(leg), leg.opposite_name(&self.project));
        let mut after = self.source(leg).position_at(after);
        let mut any = false;
        loop {
            let mut changes: Vec<Change> = Vec::new();
            let log = std::slice::from_ref(&leg.name);
            let ended = snapshot.changes(&after, &tables, log, self.limits.log_rows, &mut changes)?;
            any |= !changes.is_empty();
            if let Some(last) = changes.last() {
                after = self.source(leg).position_at(last.seq);
            }
            folded.add(leg, &opposite, changes);
            if ended || mutant!("first-page-of-the-log") {
                folded.close(leg);
                return Ok(any);
            }
        }
    }

    /// Who holds which integration key ahead of the position.
    fn claims(&self, leg: &LegRt, state: &mut dyn ReadState) -> Result<Claims> {
        let held = state.held(&leg.name)?;
        if held.is_empty() {
            return Ok(Claims::new());
        }
        let target = leg.leg().target;
        let table = self.maps.stores[target.store].1.get(target.table);
        let types: Vec<Type> = leg.leg().key.iter().map(|c| table.column(*c).ty.clone()).collect();
        let claim = |(ikey, key, through): (String, String, i64)| {
            Some((KeySet::fingerprint(&Key::parse(&ikey, &types)?), Some((key, through))))
        };
        Ok(held.into_iter().filter_map(claim).collect())
    }

    /// One transaction: items applied, position moved past what is contiguous, the rest noted as ahead.
    pub(super) fn apply_and_commit(
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
        chunk.cache.passing.clone_from(&run.passing);
        chunk.cache.behind = run.behind.clone();
        if !mode.last_try && leg.refers_to_itself() {
            chunk.cache.passing.extend(passing(std::slice::from_ref(run)));
        }
        chunk.has_quarantine = !tx.state_mut().quarantine_counts(&leg.name)?.is_empty();
        // A second try begins from the same.
        chunk.claimed = if mode.swaps { run.claimed.clone() } else { std::mem::take(&mut run.claimed) };
        if chunk.has_quarantine {
            chunk.learn_befores(tx.as_mut())?;
            chunk.learn_held(tx.as_mut())?;
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
        let holds = std::mem::take(&mut chunk.holds);
        drop(chunk);
        for ikey in &left.leaving {
            run.leaving.insert(ikey);
        }
        for (n, &w) in which.iter().enumerate() {
            if left.retry.contains(&n) {
                run.retries.push(w);
                for ikey in self.keys_left(leg, &items[n], values) {
                    run.leaving.insert(&ikey);
                }
            } else {
                run.done[w] = !left.yielded.contains(&n);
            }
        }
        let position = self.reached(run);
        for (item, &w) in items.iter().zip(which) {
            let work = &run.works[w];
            // One of which the log says nothing may have been written because of what it looks up: should it change before
            // that is consumed, it was what it is now, not what it was before that.
            let consumed = match work.untouched() && work.first == i64::MAX {
                true => position >= run.end,
                false => work.last <= position && (work.first <= position || mutant!("dependents-not-noted")),
            };
            if !run.done[w] || consumed || work.misfit.is_some() || (work.untouched() && work.gone) {
                continue;
            }
            // The snapshot holds all of the log, and so does what was applied.
            let (kind, through) = match work.gone || (work.deleted && item.absent) {
                true => (AheadKind::Gone, work.last),
                false if work.newborn && !mutant!("newborn-noted-as-now") => (AheadKind::Reborn, run.head),
                false => (AheadKind::Now, run.head),
            };
            let key = leg.source_key(&work.key).to_text();
            for (_, ikey) in holds.iter().filter(|(n, _)| *n == item.n && kind != AheadKind::Gone) {
                tx.state_mut().put_held(&leg.name, &ikey.to_text(), &key, run.head)?;
            }
            tx.state_mut().put_ahead(&leg.name, &Ahead { key, kind, through })?;
        }
        let own = |t: TableId, k: &[Value]| written.of(leg, t, k);
        self.seal(run, tx, position, counts.written() > 0, &own)?;
        run.window = window;
        run.counts.add(&counts);
        run.yielded |= !left.yielded.is_empty();
        run.applied |= left.yielded.len() < items.len();
        run.moved = true;
        Ok(true)
    }

    /// Up to which log number everything is consumed. Where the filter or the key may look something up, what an open
    /// record was before is only known with the changes of what it looked up (R10): these are not consumed before it is.
    fn reached(&self, run: &LegRun<'_>) -> i64 {
        let l = run.leg.leg();
        let looks = l.filter.is_some() || l.lines.iter().any(|l| l.key && !l.joins.is_empty());
        let looks = looks && !mutant!("lookups-consumed-early");
        let first = |w: &Work| {
            let at = run.looked_up.partition_point(|e| e.seq <= w.since);
            let change = run.looked_up.get(at).filter(|_| looks && w.based && !w.untouched());
            change.map_or(w.first, |c| c.seq.min(w.first))
        };
        let open = run.works.iter().zip(&run.done).filter(|(_, d)| !**d).map(|(w, _)| first(w)).min();
        match open {
            _ if mutant!("position-past-open-records") => run.end,
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
        written: &dyn Fn(TableId, &[Value]) -> usize,
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
        progress.epoch = self.epoch(leg.leg().target.store);
        if applied {
            progress.last_applied_at = self.env.now();
        }
        if mutant!("progress-apart") {
            tx.disown_side_effects(&leg.name, written)?;
            tx.commit()?;
            tx = self.stores[leg.leg().target.store].begin()?;
            self.env.point("between")?;
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

    /// The deletes that were put aside.
    pub(super) fn backward(&self, run: &mut LegRun<'_>) -> Result<()> {
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
        Ok(())
    }

    /// What met a taken unique key, or refers to a row that had yet to go or to change.
    pub(super) fn again(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        if run.stopped.is_some() || self.env.cancelled() {
            return Ok(());
        }
        run.passing.clear();
        let retries = std::mem::take(&mut run.retries);
        if !retries.is_empty() {
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
        let skipped = run.skip.is_some_and(|upto| position >= upto);
        if run.stopped.is_none() && (skipped || (behind > 0 && (run.moved || behind > 1_000))) {
            let tx = self.begin(run.leg, &mut run.progress)?;
            if skipped && super::window::skip_of(&run.progress.desired) == run.skip {
                run.progress.desired = "run".into();
            }
            let relevant = run.moved;
            self.seal(run, tx, position, false, &|_, _| 0)?;
            run.moved = relevant;
        } else if run.yielded && !run.applied {
            // Nothing moves before the opposite leg does.
            run.moved = false;
        }
        super::setup::keep_leg_state(self, &run.leg.name, &run.window);
        Ok(run.moved)
    }

    /// What is pending for the opposite leg as the phase begins: its quarantine; its log is read in the transaction.
    fn pending_before(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot) -> Result<()> {
        if let Some((through, pending)) = self.pending_of(run.leg, snapshot.state())? {
            (run.pending, run.pending_through) = (Some(pending), through);
        }
        Ok(())
    }

    /// What waits of the opposite leg in quarantine, and where that leg stands in its log. `state`: of the leg's source.
    pub(super) fn pending_of(
        &self,
        leg: &LegRt,
        state: &mut dyn ReadState,
    ) -> Result<Option<(Position, PendingTarget)>> {
        let Some(opposite) = self.opposite(leg) else { return Ok(None) };
        let Some(progress) = state.progress(&opposite.name)? else { return Ok(None) };
        if progress.desired == "stop" {
            // It will never carry what changed there: nothing of it is waited for.
            return Ok(None);
        }
        let mut pending = PendingTarget::of_leg(opposite, state)?;
        let filter = QuarantineFilter { leg: Some(opposite.name.clone()), ..QuarantineFilter::default() };
        for entry in state.quarantined(&filter)? {
            if matches!(entry.kind, QuarantineKind::Skipped | QuarantineKind::Debt) {
                continue;
            }
            if let Some(key) = Key::parse(&entry.key, &opposite.source_key_types) {
                let (key, base) = (key.0.into_vec(), self.base_of(opposite, &entry));
                if entry.kind == QuarantineKind::Held {
                    pending.holds(leg, &key, &base);
                }
                if !mutant!("pending-without-quarantine") {
                    pending.waits(key, base);
                }
            }
        }
        Ok(Some((progress.position, pending)))
    }

    /// Adds the target's log rows since the last look, in the transaction that writes: now the pending set is exact.
    fn pending_now(&self, run: &mut LegRun<'_>, tx: &mut dyn Transaction) -> Result<()> {
        let Some(pending) = run.pending.as_mut().filter(|_| !mutant!("pending-without-log")) else { return Ok(()) };
        let table = run.leg.leg().target.table;
        let opposite: Vec<String> = vec![run.leg.opposite_name(&self.project)];
        loop {
            let mut changes = Vec::new();
            let ended = tx.changes(&run.pending_through, &[table], &opposite, self.limits.log_rows, &mut changes)?;
            if let Some(last) = changes.last() {
                run.pending_through = self.target(run.leg).position_at(last.seq);
            }
            pending.add(run.leg, changes, ended);
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
    for w in &leg.ways {
        if !tables.contains(&w.table) {
            tables.push(w.table);
        }
    }
    tables
}

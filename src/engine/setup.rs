//! Getting ready, `sync` and `run`: which legs, in which order, from which master.

use super::live::watched_tables;
use super::quarantine::Window;
use super::report::{Observer, Report, StoppedLeg};
use super::runtime::{Engine, EngineError, LegRt, Master, Result};
use crate::schema::TableId;
use crate::sema::Initial;
use crate::store::{CaptureSpec, Progress, StoreError, Watch};
use crate::syntax::ast::{RunMode, Side};
use std::collections::HashMap;
use std::time::Duration;

/// The time from one look at whether anything was committed to the next: at 5 ms, asking took more than 1% of a CPU. A
/// tenth of a millisecond is left for waking up late.
const POLL: Duration = Duration::from_micros(9_900);
/// How long `run` waits for a store that cannot be reached, at first and at most.
const RETRY_FIRST: Duration = Duration::from_secs(1);
const RETRY_LAST: Duration = Duration::from_secs(30);

/// The outcomes of a leg's last records, kept between cycles.
pub(super) fn leg_state(engine: &Engine, leg: &str) -> Window {
    engine.windows.lock().ok().and_then(|w| w.get(leg).cloned()).unwrap_or_default()
}

/// Keeps them.
pub(super) fn keep_leg_state(engine: &Engine, leg: &str, window: &Window) {
    if let Ok(mut w) = engine.windows.lock() {
        w.insert(leg.to_string(), window.clone());
    }
}

impl Engine {
    /// Checks that every store has what its schema says, makes the state tables and the capture of every table the
    /// maps read, and takes the project over.
    pub fn set_up(&self) -> Result<()> {
        for (s, store) in self.stores.iter().enumerate() {
            let mut tables: Vec<TableId> = Vec::new();
            for leg in &self.legs {
                if leg.leg().source.store == s {
                    tables.extend(watched_tables(leg));
                }
                if leg.leg().target.store == s {
                    tables.push(leg.leg().target.table);
                    tables.extend(leg.leg().references.iter().flat_map(|r| r.targets.iter().map(|t| t.table)));
                }
            }
            tables.sort();
            tables.dedup();
            // A table in a migration window may be anything just now.
            let suspended = self.suspended_tables(s)?;
            tables.retain(|t| !suspended.contains(t));
            let problems = store.verify(&tables)?;
            if !problems.is_empty() {
                return Err(StoreError::Schema { store: store.name().to_string(), problems }.into());
            }
            store.prepare()?;
            let anew = store.capture(&self.project, &self.capture_specs(s, &suspended))?;
            self.look_again(s, &anew)?;
            let epoch = store.take_over(&self.project, &format!("pid {}", std::process::id()))?;
            if let Ok(mut epochs) = self.epochs.lock() {
                epochs[s] = epoch;
            }
        }
        self.forget_removed()
    }

    /// Legs of maps that are no longer in the project let their logs go; should a map come back, it begins anew.
    fn forget_removed(&self) -> Result<()> {
        let prefix = format!("{}/", self.project);
        let ids: Vec<String> = self.stores.iter().map(|s| Ok(s.identity()?.store_id)).collect::<Result<_>>()?;
        for target in &self.stores {
            let known = target.snapshot()?.state().all_progress(&prefix)?;
            for mut p in known {
                if p.map_hash.is_empty() || self.legs.iter().any(|l| l.name == p.leg) {
                    continue;
                }
                if let Some(source) = ids.iter().position(|id| *id == p.source_id) {
                    self.let_log_go(source, &p.leg)?;
                }
                (p.phase, p.cursor, p.map_hash) = ("initial".into(), String::new(), String::new());
                let mut tx = target.begin()?;
                tx.state_mut().put_progress(&p)?;
                tx.commit()?;
            }
        }
        Ok(())
    }

    /// A table whose capture was missing may have changed unseen: legs that read it copy it again (R7).
    fn look_again(&self, store: usize, tables: &[TableId]) -> Result<()> {
        for leg in self.legs.iter().filter(|l| l.leg().source.store == store) {
            if !watched_tables(leg).iter().any(|t| tables.contains(t)) {
                continue;
            }
            let target = self.target(leg);
            if !target.is_prepared()? {
                continue;
            }
            let mut tx = target.begin()?;
            if let Some(mut p) = tx.state_mut().progress(&leg.name)?
                && p.phase == "live"
                && !mutant!("gap-of-capture-ignored")
                // A stopped leg reads nothing; `sync` begins it from what is there then.
                && p.desired != "stop"
            {
                p.phase = "initial".into();
                p.cursor = String::new();
                tx.state_mut().put_progress(&p)?;
                tx.commit()?;
            }
        }
        Ok(())
    }

    /// Initial sync of these maps (indexes; none = all that run live), then what changed meanwhile.
    pub fn sync(&self, select: Option<&[usize]>, master: Option<&Master>, observer: &dyn Observer) -> Result<Report> {
        self.set_up()?;
        let mut report = Report::default();
        let legs = self.copy(select, master, true, observer, &mut report)?;
        // Without a gap: what changed while copying, and what was parked and can go now.
        self.drain(&legs, observer, &mut report)?;
        Ok(report)
    }

    /// [`Engine::sync`] of those of these maps that were edited since they were last copied, or never ran; the others
    /// only work off what their logs hold.
    pub fn sync_changed(
        &self,
        select: Option<&[usize]>,
        master: Option<&Master>,
        observer: &dyn Observer,
    ) -> Result<Report> {
        self.set_up()?;
        let mut report = Report::default();
        let chosen = self.runnable(select)?;
        let mut edited: Vec<usize> = Vec::new();
        for &i in &chosen {
            let leg = &self.legs[i];
            let known = self.progress_of(leg)?;
            let behind = known.is_none_or(|p| p.map_hash != leg.map.hash && p.desired != "stop");
            if behind && !edited.contains(&leg.map_index) && self.strayed(leg.map_index)?.is_none() {
                edited.push(leg.map_index);
            }
        }
        for &i in &chosen {
            report.add(&self.legs[i].counts());
        }
        self.copy(Some(&edited), master, true, observer, &mut report)?;
        self.copy(select, None, false, observer, &mut report)?;
        self.drain(&chosen, observer, &mut report)?;
        Ok(report)
    }

    /// Starts legs that never ran, works off what is pending, stops. A named map runs even if manual or scheduled.
    pub fn run_once(&self, select: Option<&[usize]>, observer: &dyn Observer) -> Result<Report> {
        self.set_up()?;
        let mut report = Report::default();
        self.copy(select, None, false, observer, &mut report)?;
        let legs = self.runnable(select)?;
        self.start_scheduled(&legs, observer, &mut report)?;
        for &i in &legs {
            report.add(&self.legs[i].counts());
        }
        self.drain(&legs, observer, &mut report)?;
        self.note_runs(&legs)?;
        Ok(report)
    }

    /// Runs until cancelled, or until the observer has other maps: a cycle whenever a store says that something was committed, and for schedules and
    /// retries every second.
    pub fn run(&self, select: Option<&[usize]>, observer: &dyn Observer) -> Result<Report> {
        self.set_up()?;
        let mut report = Report::default();
        self.copy(select, None, false, observer, &mut report)?;
        let mut watches = self.stores.iter().map(|s| s.watch()).collect::<std::result::Result<Vec<_>, _>>()?;
        let mut last = Duration::ZERO;
        let mut first = true;
        let mut looked = self.env.monotonic();
        // A store that cannot be reached is waited for, ever longer; nothing was done meanwhile, so nothing is lost.
        let mut trouble: Option<(Duration, Duration)> = None;
        while !self.env.cancelled() {
            if trouble.is_none() && observer.interrupts() {
                break;
            }
            let now = self.env.monotonic();
            if trouble.is_none_or(|(until, _)| now >= until) {
                match self.turn(select, &mut watches, now, (&mut last, &mut first, &mut looked), observer, &mut report)
                {
                    Ok(()) => {
                        if trouble.take().is_some() {
                            observer.note("every store can be reached again");
                        }
                    }
                    Err(EngineError::Store(e @ (StoreError::Unreachable { .. } | StoreError::Lost { .. }))) => {
                        let wait = trouble.map_or(RETRY_FIRST, |(_, wait)| (wait * 2).min(RETRY_LAST));
                        if trouble.is_none() {
                            observer.note(&format!("{e}; waiting for it"));
                        }
                        trouble = Some((self.env.monotonic() + wait, wait));
                        first = true;
                    }
                    Err(e) => return Err(e),
                }
            }
            let passed = self.env.monotonic().saturating_sub(now);
            self.env.sleep(POLL.saturating_sub(passed));
        }
        Ok(report)
    }

    /// One look at the stores, and a cycle if there is a reason for one.
    fn turn(
        &self,
        select: Option<&[usize]>,
        watches: &mut [Box<dyn Watch>],
        now: Duration,
        (last, first, looked): (&mut Duration, &mut bool, &mut Duration),
        observer: &dyn Observer,
        report: &mut Report,
    ) -> Result<()> {
        if now.saturating_sub(*looked) >= Duration::from_secs(1) {
            *looked = now;
            if self.to_go_through()? {
                let mut again = Report::default();
                self.copy(select, None, false, observer, &mut again)?;
                again.legs.iter().for_each(|l| report.add(l));
            }
        }
        let mut wake = *first;
        for w in watches.iter_mut() {
            wake |= w.changed()?;
        }
        if !wake && now.saturating_sub(*last) < Duration::from_secs(1) {
            return Ok(());
        }
        *last = now;
        // A commit that was seen is not seen again: it stays a reason until a cycle went through.
        *first = true;
        let legs = self.runnable(select)?;
        let mut cycle = Report::default();
        self.start_scheduled(&legs, observer, &mut cycle)?;
        while !self.env.cancelled() && self.cycle(&legs, observer, &mut cycle)? {}
        let scheduled: Vec<usize> = legs.iter().copied().filter(|i| !self.legs[*i].is_live()).collect();
        self.note_runs(&scheduled)?;
        for leg in &cycle.legs {
            report.add(leg);
        }
        if wake {
            for store in &self.stores {
                store.maintain()?;
            }
            // Our own commits are no news.
            for w in watches.iter_mut() {
                w.changed()?;
            }
            // A change between the last cycle and the line above would be overlooked for a second.
            let mut late = Report::default();
            while !self.env.cancelled() && self.cycle(&legs, observer, &mut late)? {}
            for leg in &late.legs {
                report.add(leg);
            }
        }
        *first = false;
        Ok(())
    }

    /// Whether a live leg has its source to go through again, after a migration window.
    fn to_go_through(&self) -> Result<bool> {
        let prefix = format!("{}/", self.project);
        for target in &self.stores {
            for p in target.snapshot()?.state().all_progress(&prefix)? {
                let live = || self.legs.iter().any(|l| l.name == p.leg && l.is_live());
                if p.phase != "live" && p.desired == "run" && p.state == "running" && live() {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn drain(&self, legs: &[usize], observer: &dyn Observer, report: &mut Report) -> Result<()> {
        let mut cycles = 0;
        while self.cycle(legs, observer, report)? && !mutant!("one-cycle-only") {
            if self.env.cancelled() {
                return Err(EngineError::Cancelled);
            }
            cycles += 1;
            if cycles >= self.limits.cycles {
                return Err(EngineError::Refused(format!(
                    "after {cycles} cycles there is still something to move: somebody writes faster than it can be \
                     carried, or maps feed each other; see `tablemap status` and `tablemap errors list`"
                )));
            }
        }
        for store in &self.stores {
            store.maintain()?;
        }
        Ok(())
    }

    /// Indexes of legs that belong to the selection; without one, those that run live, and those whose schedule says
    /// so.
    pub(super) fn runnable(&self, select: Option<&[usize]>) -> Result<Vec<usize>> {
        let mut legs = Vec::new();
        for (i, leg) in self.legs.iter().enumerate() {
            let take = match (select, leg.map.run) {
                (Some(maps), _) => maps.contains(&leg.map_index),
                (None, RunMode::Live) => true,
                (None, RunMode::Manual) => false,
                (None, RunMode::Every(seconds)) => self.is_due(leg, seconds)?,
            };
            if take {
                legs.push(i);
            }
        }
        Ok(legs)
    }

    /// Legs that run by schedule and are due begin with a copy the first time.
    fn start_scheduled(&self, legs: &[usize], observer: &dyn Observer, report: &mut Report) -> Result<()> {
        let maps: Vec<usize> =
            legs.iter().map(|i| &self.legs[*i]).filter(|l| !l.is_live()).map(|l| l.map_index).collect();
        if !maps.is_empty() {
            self.copy(Some(&maps), None, false, observer, report)?;
        }
        Ok(())
    }

    fn is_due(&self, leg: &LegRt, seconds: u64) -> Result<bool> {
        let target = self.target(leg);
        if !target.is_prepared()? {
            return Ok(false);
        }
        let progress = target.snapshot()?.state().progress(&leg.name)?;
        let seconds = if mutant!("always-due") { 0 } else { seconds };
        Ok(progress.is_some_and(|p| self.env.seconds_since(&p.last_run_at).is_none_or(|s| s >= seconds as f64)))
    }

    fn note_runs(&self, legs: &[usize]) -> Result<()> {
        for &i in legs {
            let leg = &self.legs[i];
            if leg.is_live() {
                continue;
            }
            let mut tx = self.target(leg).begin()?;
            if let Some(mut p) = tx.state_mut().progress(&leg.name)? {
                p.last_run_at = self.env.now();
                tx.state_mut().put_progress(&p)?;
                tx.commit()?;
            }
        }
        Ok(())
    }

    /// Copies: with `anew` every selected leg, else those that never ran or were killed on the way. Returns the legs.
    fn copy(
        &self,
        select: Option<&[usize]>,
        master: Option<&Master>,
        anew: bool,
        observer: &dyn Observer,
        report: &mut Report,
    ) -> Result<Vec<usize>> {
        // (leg, progress, copies, yields)
        let mut plan: Vec<(usize, Progress, bool, bool)> = Vec::new();
        for &m in &self.maps.order {
            let map = &self.maps.maps[m];
            let named = select.is_some_and(|s| s.contains(&m));
            if select.is_some() && !named {
                continue;
            }
            let manual = !matches!(map.run, RunMode::Live) && !named;
            if self.map_suspended(m)? {
                let reason = "waits: capture is suspended; `tablemap capture status`, `tablemap capture resume`";
                let into = if map.into_left.is_some() { Side::Left } else { Side::Right };
                let (map, into) = (map.id.clone(), into.word().into());
                report.stopped.push(StoppedLeg { map, into, reason: reason.into() });
                continue;
            }
            if !anew && (self.needs_recover(m, report)? || self.after_window(m, observer, report)?) {
                continue;
            }
            if !anew && self.is_started(m)? {
                continue;
            }
            let first = self.first_side(m, master)?;
            let copies = (map.initial != Initial::None || (named && master.is_some())) && !manual;
            let mut sides = vec![first, first.other()];
            sides.retain(|s| map.leg(*s).is_some());
            for (n, side) in sides.into_iter().enumerate() {
                let Some(i) = self.legs.iter().position(|l| l.map_index == m && l.into == side) else { continue };
                let leg = &self.legs[i];
                let known = self.target(leg).snapshot()?.state().progress(&leg.name)?;
                let yields = n == 1 && map.two_way > 0 && !mutant!("master-is-overwritten");
                let applied = known.as_ref().map(|p| p.last_applied_at.clone()).unwrap_or_default();
                let fresh = |phase: &str| {
                    Ok::<_, EngineError>(Progress {
                        last_applied_at: applied.clone(),
                        ..self.fresh_progress(leg, phase)?
                    })
                };
                match known {
                    Some(p) if p.desired == "pause" => {
                        report.stopped.push(StoppedLeg {
                            map: map.id.clone(),
                            into: side.word().into(),
                            reason: format!("is paused; `tablemap resume {}`", map.id),
                        });
                    }
                    Some(p) if !anew && (p.desired != "run" || p.state != "running") => {}
                    // Killed on the way: go on where it was; a map that changed since begins anew.
                    Some(p) if p.phase == "initial" && !manual => {
                        let same = p.map_hash == leg.map.hash || mutant!("edited-map-resumes");
                        let p = if same { p } else { self.anew(leg, &p)? };
                        plan.push((i, p, true, yields));
                    }
                    // Started again, it too begins with what changes from then on.
                    Some(p) if anew && !copies && !manual && p.desired == "stop" => {
                        plan.push((i, fresh("live")?, false, yields));
                    }
                    Some(_) if !anew || !copies => {}
                    // A map that runs by command starts with a copy at its first run.
                    None if manual => plan.push((i, fresh("initial")?, false, yields)),
                    None if !copies => plan.push((i, fresh("live")?, false, yields)),
                    Some(p) => plan.push((i, self.anew(leg, &p)?, true, yields)),
                    None => plan.push((i, fresh("initial")?, true, yields)),
                }
            }
        }
        // The positions of all of them are noted before the first row moves.
        for (i, progress, _, _) in &plan {
            let leg = &self.legs[*i];
            let mut tx = self.begin_own(leg.leg().target.store)?;
            let known = tx.state_mut().progress(&leg.name)?;
            let same = known.as_ref().is_some_and(|p| p == progress);
            if !same {
                if progress.cursor.is_empty() {
                    let goes_on = known.is_some_and(|p| p.position == progress.position);
                    // What an earlier copy saw of the log is not pending, as long as the leg has not come past it.
                    if !goes_on || progress.last_applied_at.is_empty() {
                        tx.state_mut().drop_ledger(&leg.name)?;
                    }
                    if !goes_on {
                        tx.state_mut().drop_ahead(&leg.name, i64::MAX)?;
                    }
                }
                tx.state_mut().put_progress(progress)?;
                tx.commit()?;
            } else {
                // In a derived map the source is the same store.
                drop(tx);
            }
            self.env.point("noted")?;
            // So that the log is kept from here on.
            self.source(leg).acknowledge(&[(leg.name.clone(), progress.position.clone())])?;
        }
        let ran = |(_, p, copies, _): &&mut (usize, Progress, bool, bool)| {
            *copies && p.cursor.is_empty() && !p.last_applied_at.is_empty()
        };
        let behind: Vec<&LegRt> = plan.iter_mut().filter(ran).map(|(i, ..)| &self.legs[*i]).collect();
        self.catch_up(&behind, observer, report)?;
        for (i, progress, ..) in plan.iter_mut().filter(ran) {
            let leg = &self.legs[*i];
            if let Some(p) = self.target(leg).snapshot()?.state().progress(&leg.name)? {
                *progress = p;
            }
        }
        let mut legs = Vec::new();
        for (i, progress, copies, yields) in plan {
            legs.push(i);
            if copies {
                let counts = self.initial_leg(&self.legs[i], progress, yields, observer)?;
                report.add(&counts);
                self.env.point("leg copied")?;
            }
        }
        if anew {
            legs.sort_unstable();
        }
        Ok(legs)
    }

    /// Whether every leg of the map is past its initial sync, or told not to run.
    fn is_started(&self, m: usize) -> Result<bool> {
        for leg in self.legs.iter().filter(|l| l.map_index == m) {
            match self.target(leg).snapshot()?.state().progress(&leg.name)? {
                Some(p) if p.phase == "live" || p.desired != "run" || p.state != "running" => {}
                _ => return Ok(false),
            }
        }
        Ok(true)
    }

    /// The progress of a leg that ran before and is copied anew: it keeps its position where its source is still the
    /// same, because a copy does not see what was deleted since.
    fn anew(&self, leg: &LegRt, known: &Progress) -> Result<Progress> {
        let mut p = self.fresh_progress(leg, "initial")?;
        let same = p.source_id == known.source_id && p.source_incarnation == known.source_incarnation;
        if !same || known.desired == "stop" || known.state == "needs recover" {
            return Ok(p);
        }
        let mut view = self.source(leg).snapshot()?;
        if view.witness(&known.position)?.is_some_and(|w| known.witness.is_empty() || w == known.witness) {
            p.position = known.position.clone();
            p.witness = known.witness.clone();
            p.cut = known.cut.clone();
            p.last_applied_at = match known.last_applied_at.is_empty() && known.phase == "live" {
                true => self.env.now(),
                false => known.last_applied_at.clone(),
            };
        }
        Ok(p)
    }

    pub(super) fn fresh_progress(&self, leg: &LegRt, phase: &str) -> Result<Progress> {
        let source = self.source(leg);
        let identity = source.identity()?;
        let mut view = source.snapshot()?;
        let position = view.head()?;
        let witness = view.witness(&position)?.unwrap_or_default();
        Ok(Progress {
            leg: leg.name.clone(),
            map_hash: leg.map.hash.clone(),
            source_id: identity.store_id,
            source_incarnation: identity.incarnation,
            cut: position.clone(),
            position,
            witness,
            phase: phase.into(),
            cursor: String::new(),
            desired: "run".into(),
            state: "running".into(),
            epoch: self.epoch(leg.leg().target.store),
            last_applied_at: String::new(),
            last_run_at: self.env.now(),
        })
    }

    /// Which side is written first: the one that is not the master.
    fn first_side(&self, m: usize, master: Option<&Master>) -> Result<Side> {
        let map = &self.maps.maps[m];
        if map.into_left.is_none() {
            return Ok(Side::Right);
        }
        if map.into_right.is_none() {
            return Ok(Side::Left);
        }
        match (master, map.initial) {
            (Some(master), _) => master.side_of(&self.maps, map).map(Side::other).ok_or_else(|| {
                EngineError::Refused(format!(
                    "map `{}`: `--master {master}` does not name one of its two stores; use left or right",
                    map.id
                ))
            }),
            (None, Initial::Wins(side)) => Ok(side.other()),
            (None, Initial::Unsaid) if map.two_way > 0 => Err(EngineError::Refused(format!(
                "map `{}` has two-way lines and does not say who wins at first; add `initial left wins` (or right) to it, \
                 or use `--master left|right|STORE`",
                map.id
            ))),
            // Every line has one source: the order decides nothing but who makes the rows.
            (None, _) => {
                let creates = |s: Side| map.leg(s).is_some_and(|l| l.operations.create);
                Ok(if creates(Side::Left) || !creates(Side::Right) { Side::Left } else { Side::Right })
            }
        }
    }

    /// Installs the guards of all maps.
    pub fn install_guards(&self) -> Result<usize> {
        let mut by_store: HashMap<usize, Vec<crate::store::GuardSpec>> = HashMap::new();
        for map in &self.maps.maps {
            for (store, guard) in &map.guards {
                by_store.entry(*store).or_default().push(guard.clone());
            }
        }
        let mut n = 0;
        for (s, store) in self.stores.iter().enumerate() {
            store.prepare()?;
            let guards = by_store.remove(&s).unwrap_or_default();
            n += guards.len();
            store.install_guards(&self.project, &guards)?;
        }
        Ok(n)
    }
}

pub(super) fn widen(specs: &mut Vec<CaptureSpec>, spec: &CaptureSpec) {
    let Some(known) = specs.iter_mut().find(|s| s.table == spec.table) else {
        specs.push(spec.clone());
        return;
    };
    for (into, from) in [(&mut known.watched, &spec.watched), (&mut known.old, &spec.old)] {
        for c in from {
            if !into.contains(c) {
                into.push(*c);
            }
        }
    }
}

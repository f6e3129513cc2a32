//! One case: what happens is drawn from the seed while it is played, and kept as a list that can be played again
//! without some of its steps, until only those are left that a failure needs.

use super::faults::{CALLS, Crash};
use super::world::{Sim, Weather};
use super::{Project, Rng, Stats, Template};
use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};
use tablemap::engine::Limits;

/// One thing that happens.
#[derive(Clone, Debug)]
pub enum Step {
    /// A person writes.
    Sql(String, String),
    /// The model takes note of what is there.
    Before,
    /// The engine runs (`sync` or `run --once`).
    Run(bool, Weather),
    /// The engine comes to rest, and the model says whether all is as it must be.
    Check,
    /// `pause`, `run` for a map.
    Desire(usize, &'static str),
    /// What is pending of a paused map is put aside, and carried over after all later.
    Skip(usize),
    /// Other maps in the place of those before, while an engine works.
    Reload(Vec<String>),
    /// A copy of a store's file is made.
    BackUp(String),
    /// The copy takes the file's place, and `recover` compares.
    Restore(String),
    /// Capture of a table is suspended.
    Suspend(String, usize),
    /// And put on again.
    Resume(String, usize),
    /// What is wrong in the data is mended; then nothing may wait any more.
    Heal,
    /// A further run writes nothing.
    Quiet,
}

/// Everything of a case that does not happen in it.
struct Case {
    template: Box<dyn Template>,
    project: Project,
    sim: Sim,
    rng: Rng,
    /// For what came to the simulator later: so the seeds that were kept still say what they said.
    more: Rng,
}

pub type Make<'a> = &'a dyn Fn(&mut Rng) -> Box<dyn Template>;

fn case(seed: u64, faults: bool, make: Make) -> Case {
    let mut rng = Rng::new(seed);
    let mut more = Rng::new(seed ^ 0x5EED_0000_0000);
    let mut template = make(&mut rng);
    let project = template.project(&mut rng);
    let mut limits = Limits { cycles: 400, ..Limits::default() };
    if rng.chance(50) {
        limits.chunk_rows = 1 + rng.below(4) as usize;
        limits.batch_rows = 1 + rng.below(3) as usize;
        limits.live_rows = 1 + rng.below(3) as usize;
        limits.log_rows = 1 + rng.below(6) as usize;
    }
    let threads = faults && more.chance(60);
    let mut sim = Sim::new(&project, limits, threads);
    sim.batches = faults && more.chance(30);
    sim.stats.add("cases with rows written together", u64::from(sim.batches));
    sim.stats.add(if threads { "cases with writer threads" } else { "cases with one writer" }, 1);
    sim.steps.push(format!("limits: {limits:?}"));
    Case { template, project, sim, rng, more }
}

/// Plays one seed.
pub fn play(seed: u64, faults: bool, make: Make, stats: &mut Stats, points: &mut Points) -> Result<(), String> {
    let mut trace = Vec::new();
    let mut c = case(seed, faults, make);
    let outcome = caught(|| drawn(&mut c, faults, &mut trace));
    for (what, n) in &c.sim.stats.0 {
        stats.add(what, *n);
    }
    points.seen.append(&mut c.sim.seen);
    points.died.append(&mut c.sim.died);
    outcome.map_err(|e| {
        let whole = format!("seed {seed}: {e}\nsteps:\n  {}", c.sim.steps.join("\n  "));
        // Who only wants to know whether a seed fails (tests/mutants) has no use for the shortest way to it.
        let plain = std::env::var("TABLEMAP_SIM_FIRST").is_ok();
        let short = if plain { None } else { shrunk(trace, &|steps| again(seed, faults, make, steps)) };
        let maps = c.project.maps.join("\n");
        let schemas: Vec<&str> = c.project.schemas.iter().map(|(_, text)| text.as_str()).collect();
        let said = match &short {
            Some((steps, e, told)) => {
                let n = steps.len();
                if std::env::var("TABLEMAP_SEED").is_ok() {
                    steps.iter().for_each(|step| println!("{step:?}"));
                }
                format!("seed {seed}, cut down to {n} steps: {e}\nsteps:\n  {}", told.join("\n  "))
            }
            None if plain => whole.clone(),
            None => format!("{whole}\n(the same steps once more went well)"),
        };
        if std::env::var("TABLEMAP_SEED").is_ok() {
            println!("{whole}");
        }
        format!("{said}\nmaps: {maps}\nschemas: {}", schemas.join("\n"))
    })
}

/// The calls of the stores that engines made, and those before or after which they died.
#[derive(Default)]
pub struct Points {
    pub seen: BTreeSet<&'static str>,
    pub died: BTreeSet<(&'static str, bool)>,
}

fn caught(what: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(what)).unwrap_or_else(|p| {
        let text = p.downcast_ref::<String>().cloned();
        Err(format!("panic: {}", text.or_else(|| p.downcast_ref::<&str>().map(|s| s.to_string())).unwrap_or_default()))
    })
}

/// The steps once more: how they fail, and what was told on the way.
fn again(seed: u64, faults: bool, make: Make, steps: &[Step]) -> Option<(String, Vec<String>)> {
    let mut c = case(seed, faults, make);
    let outcome = caught(|| {
        for step in steps {
            perform(&mut c.sim, c.template.as_mut(), step)?;
        }
        Ok(())
    });
    outcome.err().map(|e| (e, std::mem::take(&mut c.sim.steps)))
}

type Failing<'a> = &'a dyn Fn(&[Step]) -> Option<(String, Vec<String>)>;

/// Delta debugging: pieces are left out, ever smaller ones, as long as what is left still fails. A failure of another
/// kind counts as well: it is a failure.
fn shrunk(mut steps: Vec<Step>, fails: Failing) -> Option<(Vec<Step>, String, Vec<String>)> {
    let began = Instant::now();
    let mut last = fails(&steps)?;
    let mut size = (steps.len() / 2).max(1);
    loop {
        let mut cut = false;
        let mut from = 0;
        while from < steps.len() && began.elapsed() < Duration::from_secs(90) {
            let mut fewer = steps.clone();
            fewer.drain(from..(from + size).min(steps.len()));
            match fails(&fewer) {
                Some(how) => {
                    (steps, last, cut) = (fewer, how, true);
                }
                None => from += size,
            }
        }
        if size == 1 && !cut || began.elapsed() >= Duration::from_secs(90) {
            return Some((steps, last.0, last.1));
        }
        size = (size / 2).max(1);
    }
}

/// Whether the engine came through, where it ran.
fn perform(sim: &mut Sim, t: &mut dyn Template, step: &Step) -> Result<bool, String> {
    match step {
        Step::Sql(store, sql) => {
            sim.sql(store, sql);
            sim.loose |= sim.noted;
        }
        Step::Before => {
            t.before_run(sim);
            (sim.loose, sim.noted) = (false, true);
        }
        // Copying everything takes no notice of what is paused.
        Step::Run(true, _) if !sim.paused.is_empty() => {}
        Step::Run(sync, weather) => return Ok(sim.run(*sync, weather)?.is_some()),
        Step::Check if !sim.paused.is_empty() || !sim.suspended.is_empty() => {}
        Step::Check => {
            if std::mem::take(&mut sim.loose) {
                t.lost_track();
            }
            sim.noted = false;
            sim.rest()?;
            t.rested(sim)?;
        }
        Step::Desire(map, word) => return sim.desire(*map, word),
        Step::Skip(map) => {
            sim.skip(*map)?;
            // Of two records of one primary key only the later one is kept as skipped (docs/guarantees.md, known gaps):
            // the row of the earlier one may stay.
            t.began_anew(sim);
        }
        Step::Reload(maps) => {
            sim.reload(maps)?;
            t.reloaded(maps);
            t.began_anew(sim);
        }
        Step::BackUp(store) => sim.back_up(store),
        Step::Restore(store) => {
            if sim.restore(store)? {
                t.began_anew(sim);
            }
        }
        Step::Suspend(store, table) => sim.suspend(store, *table)?,
        Step::Resume(store, table) => {
            if sim.resume(store, *table)? {
                t.began_anew(sim);
            }
        }
        Step::Heal => {
            let mends = t.heal();
            if mends.is_empty() {
                return Ok(true);
            }
            for (store, sql) in mends {
                sim.sql(&store, &sql);
            }
            t.before_run(sim);
            sim.run(false, &Weather::default())?;
            sim.rest()?;
            if let Some(q) = sim.quarantine().iter().find(|q| !t.may_stay(q)) {
                return Err(format!("nothing is wrong any more, and there waits: {} {} {}", q.leg, q.key, q.message));
            }
            t.rested(sim)?;
            sim.assert_quiet()?;
        }
        Step::Quiet => sim.assert_quiet()?,
    }
    Ok(true)
}

/// What is drawn happens at once.
struct Play<'a> {
    sim: &'a mut Sim,
    t: &'a mut dyn Template,
    trace: &'a mut Vec<Step>,
}

impl Play<'_> {
    fn go(&mut self, step: Step) -> Result<bool, String> {
        self.trace.push(step);
        perform(self.sim, self.t, &self.trace[self.trace.len() - 1])
    }
    fn people(&mut self, rng: &mut Rng, most: u64) -> Result<(), String> {
        for _ in 0..1 + rng.below(most) {
            let (store, sql) = self.t.act(rng);
            self.go(Step::Sql(store, sql))?;
        }
        Ok(())
    }
}

fn drawn(c: &mut Case, faults: bool, trace: &mut Vec<Step>) -> Result<(), String> {
    let (rng, more) = (&mut c.rng, &mut c.more);
    let p = &mut Play { sim: &mut c.sim, t: c.template.as_mut(), trace };
    p.people(rng, 30)?;
    let mut begun = false;
    for _ in 0..3 + rng.below(5) {
        p.people(rng, 7)?;
        let sync = rng.chance(if begun { 12 } else { 60 });
        if begun && rng.chance(12) {
            let map = rng.below(p.sim.maps.maps.len() as u64) as usize;
            let word = if p.sim.paused.contains(&map) { "run" } else { "pause" };
            p.go(Step::Desire(map, word))?;
            continue;
        }
        if !p.sim.paused.is_empty() && sync {
            continue;
        }
        p.go(Step::Before)?;
        while rng.chance(35) {
            let point = Some(1 + rng.below(14) as u32);
            if p.go(Step::Run(sync, Weather { point, ..Weather::default() }))? {
                break;
            }
            if p.t.loose() && rng.chance(40) {
                p.people(rng, 3)?;
            }
        }
        if faults {
            disturbed(p, more, sync)?;
        }
        p.go(Step::Run(sync, Weather::default()))?;
        begun = true;
        p.go(Step::Check)?;
        if faults && p.sim.paused.is_empty() {
            upheaval(p, more)?;
        }
    }
    for map in p.sim.paused.clone() {
        p.go(Step::Desire(map, "run"))?;
    }
    p.go(Step::Before)?;
    p.go(Step::Run(false, Weather::default()))?;
    p.go(Step::Check)?;
    p.go(Step::Quiet)?;
    p.go(Step::Heal)?;
    Ok(())
}

/// Engines that die at some call, are taken over, stand before locks and full disks, or have company.
fn disturbed(p: &mut Play, rng: &mut Rng, sync: bool) -> Result<(), String> {
    let files = p.sim.files();
    for _ in 0..rng.below(4) {
        let mut weather = Weather::default();
        let kind = rng.below(100);
        if kind < 55 {
            let call = *rng.pick(CALLS);
            // Some calls are made once in a run, others hundreds of times.
            let most = *rng.pick(&[1, 3, 3, 12]);
            weather.crash = Some(Crash { call, after: rng.chance(50), n: 1 + rng.below(most) as u32 });
        }
        if p.t.loose() && (45..80).contains(&kind) {
            for _ in 0..1 + rng.below(4) {
                let (store, sql) = p.t.act(rng);
                if files.contains(&store) {
                    weather.writes.push((store, 1 + rng.below(90) as u32, sql));
                }
            }
        }
        if kind >= 80 && !files.is_empty() {
            let store = rng.pick(&files).clone();
            match kind {
                80..=87 => weather.takeover = Some((store, 20 + rng.below(80) as u32)),
                88..=93 => weather.locked = Some(store),
                _ => weather.full = Some((store, rng.below(3) as u32)),
            }
        }
        let through = p.go(Step::Run(sync, weather))?;
        if !through && p.t.loose() && rng.chance(40) {
            p.people(rng, 3)?;
        }
    }
    Ok(())
}

/// Restored files, edited maps, windows, changes that are put aside: where the template's model can follow.
fn upheaval(p: &mut Play, rng: &mut Rng) -> Result<(), String> {
    if !p.t.follows_upheaval() {
        return Ok(());
    }
    match rng.below(100) {
        0..=11 => {
            if let Some(maps) = p.t.edited(rng) {
                p.people(rng, 4)?;
                p.go(Step::Reload(maps))?;
                p.go(Step::Check)?;
            }
        }
        12..=23 => {
            let store = rng.pick(&p.sim.files()).clone();
            p.go(Step::BackUp(store.clone()))?;
            p.people(rng, 5)?;
            p.go(Step::Run(false, Weather::default()))?;
            p.people(rng, 2)?;
            p.go(Step::Restore(store))?;
            p.go(Step::Check)?;
        }
        24..=33 => {
            let stores: Vec<(String, usize)> =
                p.sim.schemas.iter().map(|(name, s)| (name.clone(), s.tables.len())).collect();
            let (store, tables) = rng.pick(&stores).clone();
            let table = rng.below(tables as u64) as usize;
            p.go(Step::Suspend(store.clone(), table))?;
            p.people(rng, 5)?;
            p.go(Step::Run(false, Weather::default()))?;
            p.people(rng, 2)?;
            p.go(Step::Resume(store, table))?;
            p.go(Step::Check)?;
        }
        34..=43 => {
            let map = rng.below(p.sim.maps.maps.len() as u64) as usize;
            p.go(Step::Desire(map, "pause"))?;
            p.people(rng, 5)?;
            p.go(Step::Skip(map))?;
            p.people(rng, 2)?;
            p.go(Step::Check)?;
        }
        _ => {}
    }
    Ok(())
}

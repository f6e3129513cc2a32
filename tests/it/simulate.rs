//! A seeded simulator on real SQLite files: people write SQL on both sides, the engine syncs, runs, is paused, crashes
//! at its crash points and starts again, with small limits in some seeds. At rest a model that shares nothing with the
//! engine but the templates' texts says what the tables must hold.
//!
//! `TABLEMAP_CASES` sets how many seeds each template gets, `TABLEMAP_SEED` runs one seed and prints its steps.
//! `TABLEMAP_SIM_POSTGRES=all` puts every store into PostgreSQL, `=mixed` every one but the first.

mod amid;
mod chain;
mod companies;
mod hold;
mod mixed;
mod moved;
mod one_way;
#[cfg(feature = "postgres")]
mod people;
mod references;
mod ring;
mod two_way;

use rusqlite::Connection;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tablemap::engine::{Engine, EngineError, Env, Limits, Quiet, Report};
use tablemap::sema::{self, CheckedProject};
use tablemap::source::Sources;
use tablemap::store::Store;
use tablemap::store::sqlite::{Options, SqliteStore};

/// Small, seeded, and the same everywhere.
pub struct Rng(u64);

impl Rng {
    pub fn new(seed: u64) -> Rng {
        Rng(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03)
    }
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Below `n`.
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
    pub fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
    pub fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len() as u64) as usize]
    }
}

/// A family of projects with their people and their model.
pub trait Template {
    /// Stores, maps, companies.
    fn project(&mut self, rng: &mut Rng) -> Project;
    /// One thing that people do: store and SQL.
    fn act(&mut self, rng: &mut Rng) -> (String, String);
    /// Mends what is wrong in the data, so that nothing needs to wait.
    fn heal(&mut self) -> Vec<(String, String)> {
        vec![]
    }
    /// Before the engine works, without a crash that people's writes follow.
    fn before_run(&mut self, _sim: &Sim) {}
    /// The engine came to rest.
    fn rested(&mut self, sim: &mut Sim) -> Result<(), String>;
    /// Whether people also write while the engine works. `copies`: while it copies.
    fn amid(&self, _copies: bool) -> bool {
        false
    }
    /// Whether after a crash people may write before the engine starts again.
    fn loose(&self) -> bool {
        true
    }
    /// Whether a crash with writes after it happened: an exact model cannot follow.
    fn lost_track(&mut self) {}
}

/// What people write while the engine works, and from which of its points on: (point, (store, SQL)).
type Acts = Vec<(u64, (String, String))>;

pub struct Project {
    pub schemas: Vec<(&'static str, &'static str)>,
    pub maps: Vec<String>,
    pub companies: Option<Vec<String>>,
}

/// What happened, over all seeds of a template.
#[derive(Default, Debug)]
pub struct Stats(pub BTreeMap<&'static str, u64>);

impl Stats {
    pub fn add(&mut self, what: &'static str, n: u64) {
        *self.0.entry(what).or_default() += n;
    }
}

pub struct Quarantined {
    pub leg: String,
    pub key: String,
    pub company: String,
    pub kind: String,
    pub message: String,
    pub again: bool,
}

pub struct Sim {
    dir: tempfile::TempDir,
    connections: BTreeMap<String, Connection>,
    #[cfg(feature = "postgres")]
    servers: BTreeMap<String, people::Server>,
    schemas: Vec<(String, Arc<tablemap::schema::StoreSchema>)>,
    maps: CheckedProject,
    limits: Limits,
    hours: u64,
    pub steps: Vec<String>,
    pub stats: Stats,
}

impl Sim {
    fn new(project: &Project, limits: Limits) -> Sim {
        let shm = std::path::Path::new("/dev/shm");
        let dir = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let mut sources = Sources::new();
        let mut schemas = Vec::new();
        for (name, text) in &project.schemas {
            let file = sources.add(format!("{name}.schema.yaml"), text.to_string());
            let (schema, findings) = tablemap::schema::load(&sources, file);
            assert!(findings.is_empty(), "schema {name}: {findings:?}");
            schemas.push((name.to_string(), Arc::new(schema)));
        }
        let mut files = Vec::new();
        for (i, text) in project.maps.iter().enumerate() {
            let file = sources.add(format!("m{i}.tmap"), text.clone());
            let (ast, findings) = tablemap::syntax::dsl::parse(&sources, file);
            assert!(findings.is_empty(), "{findings:?}");
            files.push((file, std::sync::Arc::new(ast)));
        }
        let input = sema::Input {
            sources: &sources,
            stores: &schemas,
            files: &files,
            companies: project.companies.as_deref(),
            time_zone: jiff::tz::TimeZone::UTC,
        };
        let (maps, findings) = sema::analyse(&input);
        let errors: Vec<_> =
            findings.into_iter().filter(|d| d.severity == tablemap::diagnostic::Severity::Error).collect();
        assert!(errors.is_empty(), "{errors:?}");
        let mut sim = Sim {
            dir,
            connections: BTreeMap::new(),
            #[cfg(feature = "postgres")]
            servers: people::servers(&schemas),
            schemas,
            maps,
            limits,
            hours: 0,
            steps: vec![],
            stats: Stats::default(),
        };
        for store in sim.engine(None).stores {
            store.create_tables().unwrap();
        }
        for (name, _) in &sim.schemas {
            #[cfg(feature = "postgres")]
            if sim.servers.contains_key(name) {
                continue;
            }
            let c = Connection::open(sim.path(name)).unwrap();
            c.busy_timeout(Duration::from_secs(5)).unwrap();
            c.execute_batch("pragma synchronous = off").unwrap();
            sim.connections.insert(name.clone(), c);
        }
        sim
    }

    fn path(&self, store: &str) -> PathBuf {
        self.dir.path().join(format!("{store}.db"))
    }

    /// An engine as a new process would make it.
    fn engine(&self, fails_at: Option<u32>) -> Engine {
        let opened: Vec<Arc<dyn Store>> = self
            .schemas
            .iter()
            .map(|(name, schema)| {
                #[cfg(feature = "postgres")]
                if let Some(server) = self.servers.get(name) {
                    return server.open(name, schema.clone());
                }
                let options = Options { create: true, ..Options::default() };
                Arc::new(SqliteStore::open(name, &self.path(name), schema.clone(), options).unwrap()) as Arc<dyn Store>
            })
            .collect();
        let mut env = Env::default().forward(Duration::from_secs(3600 * self.hours));
        if let Some(n) = fails_at {
            env = env.failing_at(n);
        }
        Engine::new("sim", self.maps.clone(), opened, env, self.limits)
    }

    /// A direct change; a refused one is refused by the table's own rules and changes nothing.
    fn sql(&mut self, store: &str, sql: &str) {
        #[cfg(feature = "postgres")]
        if let Some(server) = self.servers.get(store) {
            let ok = if server.sql(sql) { "" } else { " (refused)" };
            self.steps.push(format!("{store}: {sql}{ok}"));
            return;
        }
        let c = &self.connections[store];
        let done = c.execute_batch(&format!("begin immediate; {sql}; commit"));
        if let Err(e) = &done {
            c.execute_batch("rollback").unwrap();
            let text = e.to_string();
            assert!(
                text.contains("UNIQUE") || text.contains("NOT NULL") || text.contains("CHECK"),
                "a direct change failed: {sql}: {e}"
            );
        }
        let ok = if done.is_ok() { "" } else { " (refused)" };
        self.steps.push(format!("{store}: {sql}{ok}"));
    }

    /// Rows as text, null as `-`.
    pub fn rows(&self, store: &str, sql: &str) -> Vec<Vec<String>> {
        #[cfg(feature = "postgres")]
        if let Some(server) = self.servers.get(store) {
            return server.rows(sql);
        }
        let mut s = self.connections[store].prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let n = s.column_count();
        let rows = s.query_map([], |r| {
            Ok((0..n)
                .map(|i| match r.get_ref(i).unwrap() {
                    rusqlite::types::ValueRef::Null => "-".to_string(),
                    rusqlite::types::ValueRef::Integer(i) => i.to_string(),
                    rusqlite::types::ValueRef::Real(f) => f.to_string(),
                    rusqlite::types::ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
                    rusqlite::types::ValueRef::Blob(b) => format!("{b:?}"),
                })
                .collect())
        });
        rows.unwrap().map(Result::unwrap).collect()
    }

    /// Everything in quarantine.
    pub fn quarantine(&self) -> Vec<Quarantined> {
        let mut all = Vec::new();
        for (store, _) in &self.schemas {
            let there = self.rows(store, "select 1 from sqlite_master where name = '_tablemap_quarantine'");
            if there.is_empty() {
                continue;
            }
            for r in self.rows(store, "select leg, key, company, kind, message, next_try from _tablemap_quarantine") {
                all.push(Quarantined {
                    leg: r[0].clone(),
                    key: r[1].clone(),
                    company: r[2].clone(),
                    kind: r[3].clone(),
                    message: r[4].clone(),
                    again: !r[5].is_empty(),
                });
            }
        }
        all
    }

    /// How many rows the logs, and the conflict tables, hold.
    fn logged(&self) -> Vec<String> {
        let count = |store: &String| {
            let r = self.rows(
                store,
                "select (select max(seq) from _tablemap_changes), (select count(*) from _tablemap_conflicts)",
            );
            r[0].join("/")
        };
        self.schemas.iter().map(|(s, _)| count(s)).collect()
    }

    /// An environment in which people write at some of the engine's points, as long as the store is not locked; what
    /// they wrote, and where.
    fn among_people(&self, env: Env, acts: Acts) -> (Env, Arc<Mutex<Vec<String>>>) {
        let told: Arc<Mutex<Vec<String>>> = Arc::default();
        let open = |s: &String| {
            let c = Connection::open(self.path(s)).unwrap();
            c.busy_timeout(Duration::ZERO).unwrap();
            (s.clone(), c)
        };
        let connections: BTreeMap<String, Connection> = self.schemas.iter().map(|(s, _)| open(s)).collect();
        let state = Mutex::new((0, connections, acts));
        let steps = told.clone();
        let env = env.at_points(move |name| {
            let mut state = state.lock().unwrap();
            let (n, connections, acts) = &mut *state;
            *n += 1;
            acts.retain(|(at, (store, sql))| {
                if *at > *n {
                    return true;
                }
                let c = &connections[store];
                let done = c.execute_batch(&format!("begin immediate; {sql}; commit"));
                if done.is_err() && !c.is_autocommit() {
                    c.execute_batch("rollback").unwrap();
                }
                let busy = done.as_ref().is_err_and(|e| e.to_string().contains("locked"));
                if !busy {
                    let ok = if done.is_ok() { "" } else { " (refused)" };
                    steps.lock().unwrap().push(format!("  at point {n} ({name}): {store}: {sql}{ok}"));
                }
                busy
            });
        });
        (env, told)
    }

    /// One run; with a crash somewhere in it, if there are so many crash points. Whether it went through.
    fn run(&mut self, sync: bool, fails_at: Option<u32>) -> Result<Option<Report>, String> {
        self.run_among(sync, fails_at, vec![])
    }

    /// The same while people write: what, and at which point of the engine.
    fn run_among(&mut self, sync: bool, fails_at: Option<u32>, acts: Acts) -> Result<Option<Report>, String> {
        let mut engine = self.engine(fails_at);
        let (env, told) = self.among_people(engine.env, acts);
        engine.env = env;
        let done = if sync { engine.sync(None, None, &Quiet) } else { engine.run_once(None, &Quiet) };
        let word = if sync { "sync" } else { "run" };
        self.steps.append(&mut told.lock().unwrap());
        match done {
            Ok(report) => {
                self.steps.push(word.to_string());
                for l in &report.legs {
                    self.stats.add("creates", l.created);
                    self.stats.add("updates", l.updated);
                    self.stats.add("deletes", l.deleted);
                    self.stats.add("parks", l.parked);
                    self.stats.add("quarantines", l.quarantined);
                }
                if !report.stopped.is_empty() && report.stopped.iter().any(|s| !s.reason.contains("paused")) {
                    return Err(format!("stopped: {:?}", report.stopped));
                }
                Ok(Some(report))
            }
            Err(EngineError::Cancelled) if fails_at.is_some() => {
                self.steps.push(format!("{word} crashed at point {}", fails_at.unwrap_or(0)));
                self.stats.add("crashes", 1);
                Ok(None)
            }
            Err(e) => Err(format!("{word}: {e}")),
        }
    }

    /// Runs until nothing moves and nothing is due any more.
    fn rest(&mut self) -> Result<(), String> {
        for _ in 0..12 {
            let waiting = self.quarantine().iter().any(|q| q.again);
            let report = self.run(false, None)?.unwrap_or_default();
            let moved = report.legs.iter().any(|l| l.written() > 0);
            if !moved && !waiting {
                return Ok(());
            }
            // What waits for its time gets it.
            self.hours += 2;
        }
        let report = self.run(false, None)?.unwrap_or_default();
        match report.legs.iter().any(|l| l.written() > 0) {
            true => Err(format!("it does not come to rest: {report:?}")),
            false => Ok(()),
        }
    }

    /// A further run writes nothing, into no log.
    fn assert_quiet(&mut self) -> Result<(), String> {
        let before = self.logged();
        let report = self.run(false, None)?.unwrap_or_default();
        let written: u64 = report.legs.iter().map(|l| l.written()).sum();
        let after = self.logged();
        if written > 0 || before != after {
            return Err(format!("a run without changes wrote: {report:?}, logs {before:?} -> {after:?}"));
        }
        Ok(())
    }
}

/// Plays one seed.
fn play(seed: u64, make: &dyn Fn(&mut Rng) -> Box<dyn Template>, stats: &mut Stats) -> Result<(), String> {
    let mut rng = Rng::new(seed);
    let rng = &mut rng;
    let mut t = make(rng);
    let project = t.project(rng);
    let mut limits = Limits { cycles: 400, ..Limits::default() };
    if rng.chance(50) {
        limits.chunk_rows = 1 + rng.below(4) as usize;
        limits.batch_rows = 1 + rng.below(3) as usize;
        limits.live_rows = 1 + rng.below(3) as usize;
        limits.log_rows = 1 + rng.below(6) as usize;
    }
    let mut sim = Sim::new(&project, limits);
    sim.steps.push(format!("limits: {limits:?}"));
    let outcome = steps(rng, t.as_mut(), &mut sim);
    for (what, n) in &sim.stats.0 {
        stats.add(what, *n);
    }
    outcome.map_err(|e| {
        let maps = project.maps.join("\n");
        if std::env::var("TABLEMAP_SEED").is_ok() {
            for (store, _) in &sim.schemas {
                let log = "select seq, tbl, op, key, old_key, old, origin, settles from _tablemap_changes";
                sim.rows(store, log).iter().for_each(|r| println!("{store} {}", r.join(" | ")));
            }
        }
        format!("seed {seed}: {e}\nsteps:\n  {}\nmaps: {maps}", sim.steps.join("\n  "))
    })
}

fn steps(rng: &mut Rng, t: &mut dyn Template, sim: &mut Sim) -> Result<(), String> {
    fn people(rng: &mut Rng, t: &mut dyn Template, sim: &mut Sim, most: u64) {
        for _ in 0..1 + rng.below(most) {
            let (store, sql) = t.act(rng);
            sim.sql(&store, &sql);
        }
    }
    fn amid(rng: &mut Rng, t: &mut dyn Template, copies: bool) -> Acts {
        match t.amid(copies) && rng.chance(60) {
            true => (0..1 + rng.below(6)).map(|_| (1 + rng.below(25), t.act(rng))).collect(),
            false => vec![],
        }
    }
    people(rng, t, sim, 30);
    let mut begun = false;
    let mut paused: Vec<usize> = vec![];
    for _ in 0..3 + rng.below(5) {
        people(rng, t, sim, 7);
        let sync = rng.chance(if begun { 12 } else { 60 });
        if begun && rng.chance(12) {
            let map = rng.below(sim.maps.maps.len() as u64) as usize;
            let engine = sim.engine(None);
            let word = if paused.contains(&map) { "run" } else { "pause" };
            if engine.set_desired(&[map], word).map_err(|e| e.to_string())? > 0 {
                paused.retain(|m| *m != map);
                if word == "pause" {
                    paused.push(map);
                }
            }
            sim.steps.push(format!("{word} map {map}"));
            continue;
        }
        if !paused.is_empty() && sync {
            continue;
        }
        t.before_run(sim);
        let mut loose = false;
        while rng.chance(35) {
            let n = 1 + rng.below(14) as u32;
            let acts = amid(rng, t, sync || !begun);
            loose |= !acts.is_empty();
            if sim.run_among(sync, Some(n), acts)?.is_some() {
                break;
            }
            if t.loose() && (begun || t.amid(true) || !t.amid(false)) && rng.chance(40) {
                people(rng, t, sim, 3);
                loose = true;
            }
        }
        let acts = amid(rng, t, sync || !begun);
        if loose || !acts.is_empty() {
            t.lost_track();
        }
        sim.run_among(sync, None, acts)?;
        begun = true;
        if paused.is_empty() {
            sim.rest()?;
            t.rested(sim)?;
        }
    }
    for map in paused {
        sim.engine(None).set_desired(&[map], "run").map_err(|e| e.to_string())?;
    }
    t.before_run(sim);
    sim.run(false, None)?;
    sim.rest()?;
    t.rested(sim)?;
    sim.assert_quiet()?;
    let mends = t.heal();
    if !mends.is_empty() {
        for (store, sql) in mends {
            sim.sql(&store, &sql);
        }
        t.before_run(sim);
        sim.run(false, None)?;
        sim.rest()?;
        if let Some(q) = sim.quarantine().first() {
            return Err(format!("nothing is wrong any more, and there waits: {} {} {}", q.leg, q.key, q.message));
        }
        t.rested(sim)?;
        sim.assert_quiet()?;
    }
    Ok(())
}

/// Plays the seeds of a template; every counter named must have moved.
fn simulate(name: &str, cases: u64, kept: &[u64], counters: &[&str], make: &dyn Fn(&mut Rng) -> Box<dyn Template>) {
    let number = |v: &str| std::env::var(v).ok().and_then(|s| s.parse::<u64>().ok());
    let seeds: Vec<u64> = match number("TABLEMAP_SEED") {
        Some(seed) => vec![seed],
        None => kept.iter().copied().chain(0..number("TABLEMAP_CASES").unwrap_or(cases)).collect(),
    };
    // Fewer seeds than usual need not show everything.
    let all = seeds.len() as u64 >= cases;
    let mut stats = Stats::default();
    let mut failures: Vec<(u64, String)> = Vec::new();
    for seed in &seeds {
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play(*seed, make, &mut stats)));
        match outcome {
            Ok(Ok(())) => {}
            Ok(Err(e)) => failures.push((*seed, e)),
            Err(p) => {
                let text = p.downcast_ref::<String>().cloned().unwrap_or_else(|| "panic".into());
                failures.push((*seed, format!("seed {seed} panicked: {text}")));
            }
        }
    }
    println!("{name}: {} seeds, {stats:?}", seeds.len());
    if let Some((_, first)) = failures.iter().min_by_key(|(_, e)| e.len()) {
        let seeds: Vec<u64> = failures.iter().map(|(s, _)| *s).collect();
        panic!("{name}: {} seeds failed: {seeds:?}\nthe shortest: {first}", failures.len());
    }
    for c in counters.iter().filter(|_| all) {
        assert!(stats.0.get(c).is_some_and(|n| *n > 0), "{name}: `{c}` never happened: {stats:?}");
    }
}

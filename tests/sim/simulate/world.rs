//! The stores of one case, the people who write to them, and the engines that come and go.

use super::faults::{Crash, Faults, Turn};
use super::{Project, Stats};
use rusqlite::Connection;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tablemap::engine::{Engine, EngineError, Env, Limits, Quiet, Report};
use tablemap::schema::StoreSchema;
use tablemap::sema::{self, CheckedProject};
use tablemap::source::Sources;
use tablemap::store::Store;
use tablemap::store::sqlite::{Options, SqliteStore};

pub struct Quarantined {
    pub leg: String,
    pub key: String,
    pub company: String,
    pub kind: String,
    pub message: String,
    pub again: bool,
}

/// A person with a connection and a thread of their own, who writes when it is their turn.
struct Writer {
    ask: Option<Sender<(String, Sender<Said>)>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// What became of a direct change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Said {
    Done,
    /// By the table's own rules; nothing changed.
    Refused,
    /// The engine held the lock; nothing changed.
    Busy,
}

impl Said {
    fn word(self) -> &'static str {
        match self {
            Said::Done => "",
            Said::Refused => " (refused)",
            Said::Busy => " (locked)",
        }
    }
}

/// One direct change in a transaction of its own.
fn write(c: &Connection, sql: &str) -> Said {
    let Err(e) = c.execute_batch(&format!("begin immediate; {sql}; commit")) else { return Said::Done };
    // Where not even `begin` went through there is nothing to take back.
    let _ = c.execute_batch("rollback");
    let text = e.to_string();
    if text.contains("locked") {
        return Said::Busy;
    }
    let own = ["UNIQUE", "NOT NULL", "CHECK", "FOREIGN KEY", "datatype mismatch"].iter().any(|r| text.contains(r));
    assert!(own, "a direct change failed: {sql}: {e}");
    Said::Refused
}

fn connect(path: &Path, wait: Duration) -> Connection {
    let c = Connection::open(path).unwrap();
    c.busy_timeout(Duration::from_secs(5)).unwrap();
    c.execute_batch("pragma synchronous = off").unwrap();
    c.busy_timeout(wait).unwrap();
    c
}

impl Writer {
    fn start(path: PathBuf) -> Writer {
        let (ask, asked) = channel::<(String, Sender<Said>)>();
        let thread = std::thread::spawn(move || {
            let c = connect(&path, Duration::ZERO);
            for (sql, answer) in asked {
                // Whoever asked has gone: so has the case.
                let _ = answer.send(write(&c, &sql));
            }
        });
        Writer { ask: Some(ask), thread: Some(thread) }
    }
    fn write(&self, sql: &str) -> Said {
        let (say, said) = channel();
        self.ask.as_ref().unwrap().send((sql.to_string(), say)).unwrap();
        said.recv().unwrap_or_else(|_| panic!("the writer of `{sql}` failed"))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.ask = None;
        // What it failed of was told to whoever asked.
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

/// What one engine meets.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Weather {
    /// Dies at the `n`th named crash point of the engine.
    pub point: Option<u32>,
    /// Dies at a call of a store.
    pub crash: Option<Crash>,
    /// Direct changes while it works: store, at which call on that store, SQL.
    pub writes: Vec<(String, u32, String)>,
    /// Another engine takes the project over: store, at which call on it.
    pub takeover: Option<(String, u32)>,
    /// Somebody holds this store's lock.
    pub locked: Option<String>,
    /// This store's disk has room for so many pages more.
    pub full: Option<(String, u32)>,
}

pub struct Sim {
    dir: tempfile::TempDir,
    connections: BTreeMap<String, Connection>,
    writers: BTreeMap<String, Arc<Mutex<Writer>>>,
    #[cfg(feature = "postgres")]
    servers: BTreeMap<String, super::people::Server>,
    pub schemas: Vec<(String, Arc<StoreSchema>)>,
    pub maps: CheckedProject,
    pub companies: Option<Vec<String>>,
    limits: Limits,
    hours: u64,
    pub paused: Vec<usize>,
    /// Tables whose capture is off.
    pub suspended: Vec<(String, usize)>,
    /// The model took note of what was there, and has not judged since.
    pub noted: bool,
    /// Somebody wrote while an engine worked or lay dead: an exact model cannot follow.
    pub loose: bool,
    pub steps: Vec<String>,
    pub stats: Stats,
    /// Calls that engines made, and those they died at.
    pub seen: BTreeSet<&'static str>,
    pub died: BTreeSet<(&'static str, bool)>,
    died_before: bool,
    /// Stores that engines left open: those after them take them over, as if the process had gone on. After some
    /// deaths all are opened anew.
    pool: RefCell<BTreeMap<String, Arc<dyn Store>>>,
    /// Engines write rows together (what PostgreSQL asks for).
    pub batches: bool,
}

/// The maps' texts, checked; the errors where they cannot run.
pub fn checked(
    schemas: &[(String, Arc<StoreSchema>)],
    maps: &[String],
    companies: Option<&[String]>,
) -> Result<CheckedProject, String> {
    let mut sources = Sources::new();
    let mut files = Vec::new();
    for (i, text) in maps.iter().enumerate() {
        let file = sources.add(format!("m{i}.tmap"), text.clone());
        let (ast, findings) = tablemap::syntax::dsl::parse(&sources, file);
        if !findings.is_empty() {
            return Err(format!("{findings:?}\n{text}"));
        }
        files.push((file, Arc::new(ast)));
    }
    let time_zone = jiff::tz::TimeZone::UTC;
    let input = sema::Input { sources: &sources, stores: schemas, files: &files, companies, time_zone };
    let (maps, findings) = sema::analyse(&input);
    let errors: Vec<String> = findings
        .into_iter()
        .filter(|d| d.severity == tablemap::diagnostic::Severity::Error)
        .map(|d| tablemap::diagnostic::render::human::render(&sources, &d, false))
        .collect();
    match errors.is_empty() {
        true => Ok(maps),
        false => Err(errors.join("\n")),
    }
}

/// The schemas' texts, read.
pub fn read_schemas(texts: &[(&'static str, String)]) -> Vec<(String, Arc<StoreSchema>)> {
    let mut sources = Sources::new();
    let read = |(name, text): &(&'static str, String)| {
        let file = sources.add(format!("{name}.schema.yaml"), text.clone());
        let (schema, findings) = tablemap::schema::load(&sources, file);
        assert!(findings.is_empty(), "schema {name}: {findings:?}\n{text}");
        (name.to_string(), Arc::new(schema))
    };
    texts.iter().map(read).collect()
}

impl Sim {
    pub fn new(project: &Project, limits: Limits, threads: bool) -> Sim {
        let shm = Path::new("/dev/shm");
        let dir = if shm.is_dir() { tempfile::tempdir_in(shm) } else { tempfile::tempdir() }.unwrap();
        let schemas = read_schemas(&project.schemas);
        let maps = checked(&schemas, &project.maps, project.companies.as_deref()).unwrap_or_else(|e| panic!("{e}"));
        let mut sim = Sim {
            dir,
            connections: BTreeMap::new(),
            writers: BTreeMap::new(),
            #[cfg(feature = "postgres")]
            servers: super::people::servers(&schemas),
            schemas,
            maps,
            companies: project.companies.clone(),
            limits,
            hours: 0,
            paused: vec![],
            suspended: vec![],
            noted: false,
            loose: false,
            steps: vec![],
            stats: Stats::default(),
            seen: BTreeSet::new(),
            died: BTreeSet::new(),
            died_before: false,
            pool: RefCell::default(),
            batches: false,
        };
        for store in sim.engine(&Weather::default(), &Faults::default()).stores {
            store.create_tables().unwrap();
        }
        for store in sim.files() {
            sim.open(&store, threads);
        }
        sim
    }

    pub fn open(&mut self, store: &str, threads: bool) {
        let path = self.path(store);
        self.connections.insert(store.to_string(), connect(&path, Duration::from_secs(5)));
        if threads {
            self.writers.insert(store.to_string(), Arc::new(Mutex::new(Writer::start(path))));
        }
    }

    /// Nobody of the people is connected any more; whether they have threads of their own.
    pub fn close(&mut self, store: &str) -> bool {
        self.connections.remove(store);
        self.pool.borrow_mut().clear();
        self.writers.remove(store).is_some()
    }

    /// The stores that are SQLite files.
    pub fn files(&self) -> Vec<String> {
        let names = self.schemas.iter().map(|(name, _)| name.clone());
        #[cfg(feature = "postgres")]
        let names = names.filter(|n| !self.servers.contains_key(n));
        names.collect()
    }

    pub fn path(&self, store: &str) -> PathBuf {
        self.dir.path().join(format!("{store}.db"))
    }

    /// An engine as a new process would make it.
    fn engine(&self, weather: &Weather, faults: &Faults) -> Engine {
        let patient = weather.locked.is_none() && weather.takeover.is_none();
        // Opening costs more than what most engines do then, a server's connections a hundred times that of a file: one
        // death in so many closes them.
        let crashes = self.stats.0.get("crashes").copied().unwrap_or_default();
        let closes = crashes.is_multiple_of(if self.files().len() == self.schemas.len() { 2 } else { 4 });
        let anew = (self.died_before && closes) || !patient || weather.full.is_some();
        if anew {
            self.pool.borrow_mut().clear();
        }
        let opened: Vec<Arc<dyn Store>> = self
            .schemas
            .iter()
            .map(|(name, schema)| {
                if let Some(open) = self.pool.borrow().get(name) {
                    return faults.around(open.clone());
                }
                let store = self.store(name, schema, weather, patient);
                if !anew {
                    self.pool.borrow_mut().insert(name.clone(), store.clone());
                }
                faults.around(store)
            })
            .collect();
        let mut env = Env::default().forward(Duration::from_secs(3600 * self.hours));
        if let Some(n) = weather.point {
            env = env.failing_at(n);
        }
        Engine::new("sim", self.maps.clone(), opened, env, self.limits)
    }

    fn store(&self, name: &str, schema: &Arc<StoreSchema>, weather: &Weather, patient: bool) -> Arc<dyn Store> {
        #[cfg(feature = "postgres")]
        if let Some(server) = self.servers.get(name) {
            return server.open(name, schema.clone());
        }
        let options = Options {
            create: true,
            busy_ms: if patient { 5000 } else { 10 },
            pages_more: weather.full.as_ref().filter(|(s, _)| s == name).map(|(_, n)| *n),
            ..Options::default()
        };
        Arc::new(SqliteStore::open(name, &self.path(name), schema.clone(), options).unwrap())
    }

    /// An engine that nothing happens to.
    pub fn plain_engine(&self) -> Engine {
        self.engine(&Weather::default(), &Faults::default())
    }

    /// A direct change; a refused one is refused by the table's own rules and changes nothing.
    pub fn sql(&mut self, store: &str, sql: &str) {
        #[cfg(feature = "postgres")]
        if let Some(server) = self.servers.get(store) {
            let ok = if server.sql(sql) { "" } else { " (refused)" };
            self.steps.push(format!("{store}: {sql}{ok}"));
            return;
        }
        let said = match self.writers.get(store) {
            Some(writer) => writer.lock().unwrap().write(sql),
            None => write(&self.connections[store], sql),
        };
        self.steps.push(format!("{store}: {sql}{}", said.word()));
        self.stats.add("key changes", u64::from(said == Said::Done && sql.ends_with("/* key */")));
    }

    /// What others do while an engine works.
    fn turns(&self, weather: &Weather, log: &Arc<Mutex<Vec<String>>>) -> Vec<Turn> {
        let mut turns = Vec::new();
        for (store, at, sql) in &weather.writes {
            let writer = self.writers.get(store).cloned();
            let (path, store, sql, log) = (self.path(store), store.clone(), sql.clone(), log.clone());
            let at = *at;
            let name = store.clone();
            let act = Box::new(move || {
                let said = match &writer {
                    Some(writer) => writer.lock().unwrap().write(&sql),
                    None => write(&connect(&path, Duration::ZERO), &sql),
                };
                log.lock().unwrap().push(format!("  at call {at} on {name}: {sql}{}", said.word()));
                said == Said::Done
            });
            turns.push(Turn { store, at, act });
        }
        if let Some((store, at)) = &weather.takeover {
            let other = self.engine(weather, &Faults::default());
            let (log, at) = (log.clone(), *at);
            let act = Box::new(move || {
                let done = other.run_once(None, &Quiet);
                let word = done.as_ref().map_or_else(|e| e.to_string(), |_| "done".into());
                log.lock().unwrap().push(format!("  at call {at}: another engine takes over: {word}"));
                // The locks of the one that sleeps may be in its way; otherwise nothing is.
                let in_the_way = word.contains("locked") || word.contains("a lock was not let go");
                assert!(done.is_ok() || in_the_way, "the engine that took over: {word}");
                done.is_ok()
            });
            turns.push(Turn { store: store.clone(), at, act });
        }
        turns
    }

    /// Rows as text, null as `-`.
    pub fn rows(&self, store: &str, sql: &str) -> Vec<Vec<String>> {
        #[cfg(feature = "postgres")]
        if let Some(server) = self.servers.get(store) {
            return server.rows(sql);
        }
        let mut s = self.connections[store].prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let n = s.column_count();
        let rows = s.query_map([], |r| Ok((0..n).map(|i| crate::cell::shown(r.get_ref(i).unwrap())).collect()));
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

    /// One run. None where the engine did not come through: it died, was taken over, or could not write.
    pub fn run(&mut self, sync: bool, weather: &Weather) -> Result<Option<Report>, String> {
        let log = Arc::new(Mutex::new(Vec::new()));
        let faults = Faults::new(weather.crash.clone(), self.turns(weather, &log), self.batches);
        let holder = weather.locked.as_ref().map(|store| {
            let c = connect(&self.path(store), Duration::from_secs(5));
            c.execute_batch("begin immediate").unwrap();
            c
        });
        let engine = self.engine(weather, &faults);
        let done = if sync { engine.sync(None, None, &Quiet) } else { engine.run_once(None, &Quiet) };
        drop(engine);
        drop(holder);
        self.seen.extend(faults.seen());
        let word = if sync { "sync" } else { "run" };
        // Turns of calls that were never made come now, as if the engine had slept before its last step.
        for turn in faults.left() {
            (turn.act)();
        }
        let plan = faults.plan();
        let (died, taken) = (plan.died, plan.taken);
        drop(plan);
        self.steps.push(word.to_string());
        self.steps.append(&mut log.lock().unwrap());
        self.stats.add("turns", taken);
        self.loose |= !weather.writes.is_empty();
        if let Some((call, after)) = died {
            self.died.insert((call, after));
            self.died_before = true;
            self.stats.add("crashes", 1);
            self.steps.push(format!("  died {} {call}", if after { "after" } else { "before" }));
        }
        match done {
            Ok(_) if died.is_some() => Err(format!("{word}: an error of a store was swallowed at {died:?}")),
            Ok(report) => {
                let written: u64 = report.legs.iter().map(|l| l.written()).sum();
                self.stats.add("replays", u64::from(self.died_before && written > 0));
                self.died_before = false;
                for l in &report.legs {
                    self.stats.add("creates", l.created);
                    self.stats.add("updates", l.updated);
                    self.stats.add("deletes", l.deleted);
                    self.stats.add("parks", l.parked);
                    self.stats.add("quarantines", l.quarantined);
                }
                if !report.stopped.is_empty()
                    && report.stopped.iter().any(|s| !s.reason.contains("paused") && !s.reason.contains("suspended"))
                {
                    return Err(format!("stopped: {:?}", report.stopped));
                }
                Ok(Some(report))
            }
            Err(EngineError::Cancelled) if weather.point.is_some() => {
                self.died_before = true;
                self.steps.push(format!("  crashed at point {}", weather.point.unwrap_or(0)));
                self.stats.add("crashes", 1);
                Ok(None)
            }
            Err(_) if died.is_some() => Ok(None),
            Err(e) => {
                let text = e.to_string();
                let counter = match () {
                    () if weather.takeover.is_some() && text.contains("taken over") => "takeovers",
                    () if weather.takeover.is_some() && text.contains("locked") => "locks",
                    () if weather.locked.is_some() && text.contains("locked") => "locks",
                    () if weather.full.is_some() && text.contains("full") => "full disks",
                    () => return Err(format!("{word}: {e} ({weather:?})")),
                };
                self.steps.push(format!("  {counter}: {text}"));
                self.stats.add(counter, 1);
                Ok(None)
            }
        }
    }

    /// Says to a map's legs to pause, run, …; whether there were any.
    pub fn desire(&mut self, map: usize, word: &str) -> Result<bool, String> {
        let done = self.plain_engine().set_desired(map, None, word).map_err(|e| e.to_string())? > 0;
        self.steps.push(format!("{word} map {map}"));
        if done {
            self.paused.retain(|m| *m != map);
            if word == "pause" {
                self.paused.push(map);
            }
        }
        Ok(done)
    }

    /// Runs until nothing moves and nothing is due any more.
    pub fn rest(&mut self) -> Result<(), String> {
        let mut idle = 0;
        for _ in 0..14 {
            let waiting = self.quarantine().iter().any(|q| q.again);
            let report = self.run(false, &Weather::default())?.unwrap_or_default();
            idle = if report.legs.iter().any(|l| l.written() > 0) { 0 } else { idle + 1 };
            // What waits for its time got it in the second of two idle runs.
            if idle > 0 && (!waiting || idle > 1) {
                return Ok(());
            }
            self.hours += 2;
        }
        Err("it does not come to rest".into())
    }

    /// A further run writes nothing, into no log.
    pub fn assert_quiet(&mut self) -> Result<(), String> {
        let before = self.logged();
        let report = self.run(false, &Weather::default())?.unwrap_or_default();
        let written: u64 = report.legs.iter().map(|l| l.written()).sum();
        let after = self.logged();
        if written > 0 || before != after {
            return Err(format!("a run without changes wrote: {report:?}, logs {before:?} -> {after:?}"));
        }
        Ok(())
    }
}

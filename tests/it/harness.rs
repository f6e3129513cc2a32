//! A small world for engine tests: two SQLite files made from schemas, maps from text, people who write SQL.
//!
//! `named_cases.rs` lets the same tests run on PostgreSQL: `TABLEMAP_TEST_PAIR` says on which side of what kind, and the
//! stores are then schemas of the database that `TABLEMAP_TEST_POSTGRES` names.

use std::path::PathBuf;
use std::sync::Arc;
use tablemap::engine::{Engine, Env, Limits, Master, Quiet, Report};
use tablemap::sema;
use tablemap::source::Sources;
use tablemap::store::Store;
use tablemap::store::sqlite::{Options, SqliteStore};

#[cfg(feature = "postgres")]
#[path = "harness_server.rs"]
mod server;

pub struct World {
    pub dir: tempfile::TempDir,
    schemas: Vec<(String, String)>,
    maps: Vec<String>,
    companies: Option<Vec<String>>,
    time_zone: &'static str,
    limits: Limits,
    /// What tells this world's schemas from others' on a server.
    mark: String,
}

impl World {
    /// Stores by name and schema text; their tables are created.
    pub fn new(schemas: &[(&str, &str)], maps: &[&str]) -> World {
        World::bare(schemas, maps).create()
    }
    /// The same without tables: [`World::create`] or the test makes them.
    pub fn bare(schemas: &[(&str, &str)], maps: &[&str]) -> World {
        World {
            dir: tempfile::tempdir().unwrap(),
            schemas: schemas.iter().map(|(n, s)| (n.to_string(), s.to_string())).collect(),
            maps: maps.iter().map(|m| m.to_string()).collect(),
            companies: None,
            time_zone: "UTC",
            limits: Limits::default(),
            mark: format!("w{}", uuid::Uuid::new_v4().simple()),
        }
    }
    pub fn create(self) -> World {
        #[cfg(feature = "postgres")]
        self.make_schemas();
        for store in self.engine().stores {
            store.create_tables().unwrap();
        }
        #[cfg(feature = "postgres")]
        self.fold_names();
        self
    }
    pub fn time_zone(mut self, zone: &'static str) -> World {
        self.time_zone = zone;
        self
    }
    pub fn companies(mut self, companies: &[&str]) -> World {
        self.companies = Some(companies.iter().map(|c| c.to_string()).collect());
        self
    }
    pub fn limits(mut self, limits: Limits) -> World {
        self.limits = limits;
        self
    }
    pub fn set_companies(&mut self, companies: &[&str]) {
        self.companies = Some(companies.iter().map(|c| c.to_string()).collect());
    }
    pub fn set_maps(&mut self, maps: &[&str]) {
        self.maps = maps.iter().map(|m| m.to_string()).collect();
    }
    pub fn path(&self, store: &str) -> PathBuf {
        self.dir.path().join(format!("{store}.db"))
    }
    /// A fresh engine, as a new process would make it.
    pub fn engine(&self) -> Engine {
        self.engine_in(Env::default())
    }
    /// One that sees this clock, and dies where it says.
    pub fn engine_in(&self, env: Env) -> Engine {
        let mut sources = Sources::new();
        let mut stores = Vec::new();
        for (name, text) in &self.schemas {
            let file = sources.add(format!("{name}.schema.yaml"), text.clone());
            let (schema, findings) = tablemap::schema::load(&sources, file);
            assert!(findings.is_empty(), "schema {name}: {}", show(&sources, &findings));
            stores.push((name.clone(), Arc::new(schema)));
        }
        let mut files = Vec::new();
        for (i, text) in self.maps.iter().enumerate() {
            let file = sources.add(format!("m{i}.tmap"), text.clone());
            let (ast, findings) = tablemap::syntax::dsl::parse(&sources, file);
            assert!(findings.is_empty(), "{}", show(&sources, &findings));
            files.push((file, std::sync::Arc::new(ast)));
        }
        let input = sema::Input {
            sources: &sources,
            stores: &stores,
            files: &files,
            companies: self.companies.as_deref(),
            time_zone: jiff::tz::TimeZone::get(self.time_zone).unwrap(),
        };
        let (maps, findings) = sema::analyse(&input);
        let errors: Vec<_> =
            findings.into_iter().filter(|d| d.severity == tablemap::diagnostic::Severity::Error).collect();
        assert!(errors.is_empty(), "{}", show(&sources, &errors));
        let opened: Vec<Arc<dyn Store>> = stores
            .iter()
            .map(|(name, schema)| {
                #[cfg(feature = "postgres")]
                {
                    if let Some((mark, url, way)) = self.server(name) {
                        use tablemap::store::postgres::{Options, PostgresStore};
                        let url = format!("{url}{way}&state_schema={mark}_state");
                        let store = PostgresStore::open(name, &url, schema.clone(), Options::default());
                        return Arc::new(store.unwrap()) as Arc<dyn Store>;
                    }
                }
                let options = Options { create: true, ..Options::default() };
                Arc::new(SqliteStore::open(name, &self.path(name), schema.clone(), options).unwrap()) as Arc<dyn Store>
            })
            .collect();
        Engine::new("test", maps, opened, env, self.limits)
    }
    /// A direct change by somebody with an own connection.
    pub fn sql(&self, store: &str, sql: &str) {
        #[cfg(feature = "postgres")]
        {
            if let Some((_, url, _)) = self.server(store) {
                return crate::cluster::Sql::open(&url).run(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
            }
        }
        let c = rusqlite::Connection::open(self.path(store)).unwrap();
        c.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
        c.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    /// Rows as text, columns joined by `|`, null as `-`.
    pub fn rows(&self, store: &str, sql: &str) -> Vec<String> {
        #[cfg(feature = "postgres")]
        {
            if let Some((_, url, _)) = self.server(store) {
                let word = |cell: Option<String>| match cell.as_deref() {
                    None => "-".to_string(),
                    Some("t") => "1".to_string(),
                    Some("f") => "0".to_string(),
                    Some(text) => text.to_string(),
                };
                let rows = crate::cluster::Sql::open(&url).cells(sql);
                return rows.into_iter().map(|r| r.into_iter().map(word).collect::<Vec<_>>().join("|")).collect();
            }
        }
        let c = rusqlite::Connection::open(self.path(store)).unwrap();
        let mut s = c.prepare(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
        let n = s.column_count();
        let rows = s.query_map([], |r| {
            Ok((0..n).map(|i| crate::cell::shown(r.get_ref(i).unwrap())).collect::<Vec<_>>().join("|"))
        });
        rows.unwrap().map(Result::unwrap).collect()
    }
    pub fn sync(&self) -> Report {
        self.engine().sync(None, None, &Quiet).unwrap()
    }
    pub fn sync_with(&self, master: Master) -> Report {
        self.engine().sync(None, Some(&master), &Quiet).unwrap()
    }
    pub fn run(&self) -> Report {
        self.engine().run_once(None, &Quiet).unwrap()
    }
    pub fn run_map(&self, id: &str) -> Report {
        let engine = self.engine();
        let map = engine.maps.map(id).unwrap();
        engine.run_once(Some(&[map]), &Quiet).unwrap()
    }
    /// Messages of everything in quarantine.
    pub fn errors(&self) -> Vec<String> {
        let engine = self.engine();
        let all: Vec<usize> = (0..engine.maps.maps.len()).collect();
        engine.errors(&all).unwrap().into_iter().map(|(_, e)| format!("{} {}", e.kind.word(), e.message)).collect()
    }
    /// Lets everything in quarantine be tried again.
    pub fn retry(&self) {
        let engine = self.engine();
        let all: Vec<usize> = (0..engine.maps.maps.len()).collect();
        let entries: Vec<_> = engine.errors(&all).unwrap().into_iter().map(|(_, e)| e).collect();
        engine.retry(&entries).unwrap();
    }
    /// Asserts that another run writes nothing.
    pub fn assert_quiet(&self) {
        let report = self.run();
        let written: u64 = report.legs.iter().map(|l| l.written()).sum();
        assert_eq!(written, 0, "a run without changes wrote rows: {report:?}");
    }
}

fn show(sources: &Sources, findings: &[tablemap::diagnostic::Diagnostic]) -> String {
    findings
        .iter()
        .map(|d| tablemap::diagnostic::render::human::render(sources, d, false))
        .collect::<Vec<_>>()
        .join("\n")
}

/// created, updated, deleted, unchanged, filtered, parked, quarantined of one leg.
pub fn counts(report: &Report, map: &str, into: &str) -> [u64; 7] {
    let l = report.legs.iter().find(|l| l.map == map && l.into == into);
    l.map_or([0; 7], |l| [l.created, l.updated, l.deleted, l.unchanged, l.filtered_out, l.parked, l.quarantined])
}

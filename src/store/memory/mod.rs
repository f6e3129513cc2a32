//! A store for tests of maps: the SQLite store on a scratch database of this process, made from a schema, gone with it.
//!
//! It is a file in the folder for temporary files, not SQLite's shared in-memory database: there, one reader keeps
//! every writer out, and the engine reads a store while it writes it. Nothing waits for the disk.

use super::sqlite::{Options, SqliteStore};
use super::{CaptureSpec, GuardSpec, GuardStatus, Identity, Position, Result, Snapshot, Store, Transaction, Watch};
use crate::schema::{LiveTable, StoreSchema, TableId};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A scratch store with its schema's tables made.
pub struct MemoryStore {
    store: SqliteStore,
    path: PathBuf,
}

impl MemoryStore {
    /// An empty store.
    pub fn new(name: &str, schema: Arc<StoreSchema>) -> Result<MemoryStore> {
        let file = format!("tablemap-{}-{}.db", std::process::id(), uuid::Uuid::new_v4().simple());
        let path = std::env::temp_dir().join(file);
        let options = Options { create: true, scratch: true, cache_kib: 16384, ..Options::default() };
        let store = SqliteStore::open(name, &path, schema, options)?;
        store.create_tables()?;
        Ok(MemoryStore { store, path })
    }
    /// Where the database lies, for tests that act as a user of it.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Store for MemoryStore {
    fn name(&self) -> &str {
        self.store.name()
    }
    fn schema(&self) -> &Arc<StoreSchema> {
        self.store.schema()
    }
    fn verify(&self, tables: &[TableId]) -> Result<Vec<String>> {
        self.store.verify(tables)
    }
    fn describe(&self) -> Result<Vec<LiveTable>> {
        self.store.describe()
    }
    fn create_tables(&self) -> Result<()> {
        self.store.create_tables()
    }
    fn prepare(&self) -> Result<()> {
        self.store.prepare()
    }
    fn is_prepared(&self) -> Result<bool> {
        self.store.is_prepared()
    }
    fn identity(&self) -> Result<Identity> {
        self.store.identity()
    }
    fn take_over(&self, project: &str, holder: &str) -> Result<i64> {
        self.store.take_over(project, holder)
    }
    fn capture(&self, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>> {
        self.store.capture(wanted_by, specs)
    }
    fn install_guards(&self, project: &str, guards: &[GuardSpec]) -> Result<()> {
        self.store.install_guards(project, guards)
    }
    fn remove_guards(&self, project: &str) -> Result<usize> {
        self.store.remove_guards(project)
    }
    fn guards(&self, project: &str) -> Result<GuardStatus> {
        self.store.guards(project)
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.store.snapshot()
    }
    fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.store.begin()
    }
    fn watch(&self) -> Result<Box<dyn Watch>> {
        self.store.watch()
    }
    fn position_at(&self, seq: i64) -> Position {
        self.store.position_at(seq)
    }
    fn acknowledge(&self, acks: &[(String, Position)]) -> Result<()> {
        self.store.acknowledge(acks)
    }
    fn maintain(&self) -> Result<()> {
        self.store.maintain()
    }
}

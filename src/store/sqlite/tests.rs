//! What only SQLite does.

use super::*;
use crate::store::conformance::{self, Rig};
use crate::store::{Op, ReadPlan, Rows};
use crate::value::{Type, Value};
use rusqlite::Connection;
use tempfile::TempDir;

fn user_of(path: &Path) -> Box<dyn Fn(&str) -> std::result::Result<(), String>> {
    let conn = Connection::open(path).unwrap();
    conn.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    Box::new(move |sql| conn.execute_batch(sql).map_err(|e| e.to_string()))
}

fn open(dir: &TempDir, schema: Arc<StoreSchema>) -> (SqliteStore, std::path::PathBuf) {
    let path = dir.path().join(format!("{}.db", uuid::Uuid::new_v4()));
    let store = SqliteStore::open("s", &path, schema, Options { create: true, ..Options::default() }).unwrap();
    (store, path)
}

#[test]
fn conforms() {
    let dir = TempDir::new().unwrap();
    conformance::run(&|schema| {
        let (store, path) = open(&dir, schema);
        store.create_tables().unwrap();
        Rig { store: Box::new(store), user: user_of(&path) }
    });
}

#[test]
fn the_scratch_store_conforms() {
    conformance::run(&|schema| {
        let store = crate::store::memory::MemoryStore::new("s", schema).unwrap();
        let user = user_of(store.path());
        Rig { store: Box::new(store), user }
    });
}

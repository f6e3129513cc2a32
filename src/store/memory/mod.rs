//! A store for tests of maps: the SQLite store on a scratch database of this process, made from a schema, gone with it.
//!
//! It is a file in the folder for temporary files, not SQLite's shared in-memory database: there, one reader keeps
//! every writer out, and the engine reads a store while it writes it. Nothing waits for the disk.

use super::sqlite::{Options, SqliteStore};
use super::{Result, Store};
use crate::schema::StoreSchema;
use std::sync::Arc;

/// A scratch store with its schema's tables made, empty. It goes with the last who holds it.
pub fn open(name: &str, schema: Arc<StoreSchema>) -> Result<SqliteStore> {
    let file = format!("tablemap-{}-{}.db", std::process::id(), uuid::Uuid::new_v4().simple());
    let path = std::env::temp_dir().join(file);
    let options = Options { create: true, scratch: true, cache_kib: 16384, ..Options::default() };
    let store = SqliteStore::open(name, &path, schema, options)?;
    store.create_tables()?;
    Ok(store)
}

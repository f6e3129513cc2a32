//! SQLite behind the Store trait.
//!
//! `connect` opens and pools connections, `describe` knows the tables as they stand in the file (`live`
//! says it of all of them, for people), `types` is the
//! boundary between stored and typed values, `read` and `write` make SQL of plans, `capture` installs the triggers that
//! log changes, `changes` reads that log, `guard` fences tables, `state` keeps the protocol's tables. `polled` is a file
//! that may only be read.

mod capture;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod capture_bench;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod capture_tests;
mod changes;
mod connect;
mod describe;
mod error;
mod guard;
mod live;
mod network;
mod polled;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod polled_tests;
mod read;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod row_bench;
mod state;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod types;
mod watch;
mod write;

pub use connect::Options;
pub use polled::{Poll, PolledStore};

use crate::schema::{LiveTable, StoreSchema, TableId};
use crate::store::{
    CaptureSpec, GuardSpec, GuardStatus, Identity, Position, Result, Snapshot, Store, StoreError, Transaction, Watch,
};
use connect::{Inner, Session};
use rusqlite::{OptionalExtension, Params, Row};
use std::path::Path;
use std::sync::Arc;

/// A SQLite database file.
pub struct SqliteStore {
    inner: Arc<Inner>,
}

impl SqliteStore {
    /// Opens the database at `path`.
    pub fn open(name: &str, path: &Path, schema: Arc<StoreSchema>, options: Options) -> Result<SqliteStore> {
        Ok(SqliteStore { inner: Inner::open(name, path, schema, options)? })
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.inner.path
    }

    fn handle(&self, writing: bool) -> Result<Handle> {
        let inner = self.inner.clone();
        inner.same_file()?;
        let mut session = inner.take(writing)?;
        let begin = if writing { "BEGIN IMMEDIATE" } else { "BEGIN" };
        if let Err(e) = session.conn.execute_batch(begin) {
            let e = inner.err(e);
            inner.put_back(session, writing);
            return Err(e);
        }
        session.look(&inner)?;
        Ok(Handle { inner, session: Some(session), writes: writing, began: None, writer: None, lost: None })
    }

    fn transaction(&self) -> Result<Handle> {
        let mut handle = self.handle(true)?;
        handle.began = handle.newest_seq()?;
        Ok(handle)
    }

    /// Work outside a transaction.
    fn alone<T>(&self, work: impl FnOnce(&mut Session) -> Result<T>) -> Result<T> {
        let mut session = self.inner.take(true)?;
        let done = work(&mut session);
        self.inner.put_back(session, true);
        done
    }
}

/// A connection in a transaction: a snapshot or a write transaction. Dropped, it rolls back what was not committed and
/// gives the connection back.
pub(crate) struct Handle {
    inner: Arc<Inner>,
    session: Option<Session>,
    writes: bool,
    /// The newest log number when the transaction began; none = the store is not prepared.
    began: Option<i64>,
    /// What `_tablemap_writer` holds.
    writer: Option<(String, bool, String)>,
    /// Why the transaction is gone.
    lost: Option<String>,
}

impl Handle {
    #[allow(clippy::expect_used)]
    fn session(&mut self) -> &mut Session {
        // Taken out only by drop.
        self.session.as_mut().expect("a handle has its session until it is dropped")
    }

    /// Runs a statement of the state tables.
    fn run(&mut self, sql: &str, params: impl Params) -> Result<usize> {
        let inner = self.inner.clone();
        self.session().conn.prepare_cached(sql).and_then(|mut s| s.execute(params)).map_err(|e| inner.err(e))
    }

    /// The first column of the first row.
    fn one<T: rusqlite::types::FromSql>(&mut self, sql: &str, params: impl Params) -> Result<Option<T>> {
        let inner = self.inner.clone();
        self.session()
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params, |r| r.get(0)).optional())
            .map_err(|e| inner.err(e))
    }

    /// Every row.
    fn all<T>(
        &mut self,
        sql: &str,
        params: impl Params,
        read: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Vec<T>> {
        let inner = self.inner.clone();
        let conn = &self.session().conn;
        let rows = conn.prepare_cached(sql).and_then(|mut s| s.query_map(params, read)?.collect());
        rows.map_err(|e| inner.err(e))
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        if let Some(session) = self.session.take() {
            self.inner.put_back(session, self.writes);
        }
    }
}

impl Snapshot for Handle {}

impl Store for SqliteStore {
    fn name(&self) -> &str {
        &self.inner.name
    }
    fn schema(&self) -> &Arc<StoreSchema> {
        &self.inner.schema
    }
    fn verify(&self, tables: &[TableId]) -> Result<Vec<String>> {
        self.alone(|s| {
            s.look(&self.inner)?;
            let mut problems = Vec::new();
            for t in tables {
                let shape = s.shape_if_there(&self.inner, *t)?;
                problems.extend(describe::verify(self.inner.schema.get(*t), shape.as_deref()));
            }
            Ok(problems)
        })
    }
    fn describe(&self) -> Result<Vec<LiveTable>> {
        let mut handle = self.handle(false)?;
        let inner = self.inner.clone();
        live::describe(&handle.session().conn).map_err(|e| inner.err(e))
    }
    fn create_tables(&self) -> Result<()> {
        let mut handle = self.handle(true)?;
        let inner = self.inner.clone();
        describe::create_tables(&handle.session().conn, &inner)?;
        Box::new(handle).commit()
    }
    fn prepare(&self) -> Result<()> {
        let mut handle = self.handle(true)?;
        handle.make_state_tables()?;
        Box::new(handle).commit()
    }
    fn is_prepared(&self) -> Result<bool> {
        self.alone(|s| {
            let there = s.conn.prepare_cached("SELECT 1 FROM sqlite_master WHERE name = '_tablemap_meta'");
            there.and_then(|mut s| s.exists([])).map_err(|e| self.inner.err(e))
        })
    }
    fn identity(&self) -> Result<Identity> {
        self.alone(|s| {
            s.conn
                .query_row("SELECT store_id, incarnation FROM _tablemap_meta", [], |r| {
                    Ok(Identity { store_id: r.get(0)?, incarnation: r.get(1)? })
                })
                .map_err(|e| self.inner.err(e))
        })
    }
    fn take_over(&self, project: &str, holder: &str) -> Result<i64> {
        let mut handle = self.handle(true)?;
        let epoch = handle.one(
            "INSERT INTO _tablemap_lease (project, holder, epoch, beat) VALUES (?1, ?2, 1, 0) \
             ON CONFLICT (project) DO UPDATE SET holder = excluded.holder, epoch = epoch + 1 RETURNING epoch",
            [project, holder],
        )?;
        Box::new(handle).commit()?;
        epoch.ok_or_else(|| self.inner.other("the lease was not written"))
    }
    fn capture(&self, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>> {
        capture::capture(self, wanted_by, specs)
    }
    fn install_guards(&self, project: &str, guards: &[GuardSpec]) -> Result<()> {
        guard::install(self, project, guards)
    }
    fn remove_guards(&self, project: &str) -> Result<usize> {
        guard::remove(self, project)
    }
    fn guards(&self, project: &str) -> Result<GuardStatus> {
        guard::status(self, project)
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        Ok(Box::new(self.handle(false)?))
    }
    fn begin(&self) -> Result<Box<dyn Transaction>> {
        Ok(Box::new(self.transaction()?))
    }
    fn watch(&self) -> Result<Box<dyn Watch>> {
        Ok(Box::new(watch::DataVersion::new(&self.inner)?))
    }
    fn position_at(&self, seq: i64) -> Position {
        Position(seq.to_string())
    }
    fn acknowledge(&self, acks: &[(String, Position)]) -> Result<()> {
        let mut handle = self.handle(true)?;
        for (leg, position) in acks {
            let acked = changes::seq_of(&self.inner, position)?;
            handle.run(
                "INSERT INTO _tablemap_readers (leg, acked, expires) VALUES (?1, ?2, '') \
                 ON CONFLICT (leg) DO UPDATE SET acked = excluded.acked",
                (leg, acked),
            )?;
        }
        Box::new(handle).commit()
    }
    fn maintain(&self) -> Result<()> {
        changes::cut(self)?;
        let large = std::fs::metadata(self.inner.wal()).is_ok_and(|m| m.len() > 64 << 20);
        self.alone(|s| {
            // A reader in the way is no error: the pragma says so in its row and does what it can.
            let checkpoint = |mode: &str| {
                let pages = |r: &Row<'_>| Ok((r.get::<_, i64>(1)?, r.get::<_, i64>(2)?));
                let done = s.conn.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], pages);
                match done.map_err(|e| self.inner.err(e)) {
                    Ok((all, copied)) => Ok(all - copied),
                    Err(StoreError::Unreachable { .. }) => Ok(0),
                    Err(e) => Err(e),
                }
            };
            // Copying waits for the disk twice: not for a few pages.
            if large {
                checkpoint("TRUNCATE")?;
            } else if checkpoint("NOOP")? > SMALL_WAL {
                checkpoint("PASSIVE")?;
            }
            Ok(())
        })
    }
}

/// How many pages (4 MiB) may stay in the WAL between cycles.
const SMALL_WAL: i64 = 1_000;

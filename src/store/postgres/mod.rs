//! PostgreSQL behind the Store trait.
//!
//! `url` says where the server is, `connect` opens and pools connections, `describe` knows the tables as they stand
//! in the database (`live` says it of all of them, for people), `types` is the boundary between stored and typed
//! values, `read` and `write` make SQL of plans, `capture` installs the triggers that log changes; in their place there may
//! be a replication `slot`, which `drain` brings into the log, reading `pgoutput`. `sequence` numbers the log in the order
//! in which its rows became visible (R9), `changes` reads it, `guard` fences tables, `state` keeps
//! the protocol's tables, `watch` sees whether anything was committed.

mod bulk;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod bulk_tests;
mod capture;
mod changes;
#[cfg(test)]
#[path = "../../../tests/it/cluster.rs"]
mod cluster;
mod connect;
mod describe;
mod drain;
mod error;
mod guard;
mod live;
mod pgoutput;
mod read;
mod rights;
mod sequence;
mod slot;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod slot_tests;
mod state;
mod sweep;
#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests;
mod tls;
mod types;
mod url;
mod watch;
mod write;

pub use connect::Options;

use crate::schema::{LiveTable, StoreSchema, TableId};
use crate::store::{
    CaptureSpec, Grant, GuardSpec, GuardStatus, Identity, Position, Result, Snapshot, Store, StoreError, Transaction,
    Use, Watch,
};
use crate::value::Value;
use connect::{Inner, Session};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use sweep::Portal;
use tokio_postgres::Row;
use types::Param;
use write::Journal;

/// A PostgreSQL database.
pub struct PostgresStore {
    inner: Arc<Inner>,
}

impl PostgresStore {
    /// Connects to the database at `url`; what the url does not say is read from the environment.
    pub fn open(name: &str, url: &str, schema: Arc<StoreSchema>, options: Options) -> Result<PostgresStore> {
        let environment = |name: &str| std::env::var(name).ok().filter(|v| !v.is_empty());
        let address = url::Address::read(name, url, &environment)?;
        Ok(PostgresStore { inner: Inner::open(name, address, schema, options)? })
    }

    /// A connection in a transaction whose view and whose place in the log are one (R9).
    fn handle(&self, writing: bool) -> Result<Handle> {
        self.begun(|handle| handle.begin(writing))
    }

    /// A transaction of the state tables or the catalog: it sees what others commit meanwhile.
    fn simple(&self) -> Result<Handle> {
        self.begun(|handle| handle.batch("BEGIN"))
    }

    /// Rows of one statement that is a transaction by itself.
    fn alone(&self, sql: &str) -> Result<Vec<Row>> {
        loop {
            let (mut session, pooled) = self.inner.take()?;
            let rows = session.query(sql, &[]);
            let again = pooled && session.broken;
            self.inner.put_back(session);
            match rows {
                Err(_) if again => {}
                rows => return rows.map_err(|e| self.inner.err(e)),
            }
        }
    }

    /// A transaction. A connection of the pool may have died since it was used: then the next, at last a new one.
    fn begun(&self, begin: impl Fn(&mut Handle) -> Result<()>) -> Result<Handle> {
        loop {
            let (session, pooled) = self.inner.take()?;
            let mut handle = Handle {
                session: Some(session),
                inner: self.inner.clone(),
                log: None,
                head: 0,
                writer: None,
                lost: None,
                journal: Journal::default(),
                portal: None,
                logged: false,
                noted: state::Noted::default(),
                wrote: Vec::new(),
            };
            match begin(&mut handle) {
                Ok(()) => return Ok(handle),
                Err(_) if pooled && handle.session().broken => {}
                Err(e) => return Err(e),
            }
        }
    }
}

/// A connection in a transaction: a snapshot or a write transaction. Dropped, it rolls back what was not committed and
/// gives the connection back.
pub(crate) struct Handle {
    inner: Arc<Inner>,
    session: Option<Session>,
    /// Reads the log where the view was taken before its newest rows had their numbers.
    log: Option<Session>,
    /// The newest log number of this view.
    head: i64,
    /// Whether there is a log.
    logged: bool,
    /// What the log writes down as the writer.
    writer: Option<(String, bool, String)>,
    /// Why the transaction is gone.
    lost: Option<String>,
    journal: Journal,
    portal: Option<Portal>,
    /// Rows of the state tables that are written with the next ones.
    noted: state::Noted,
    /// Which rows were written, where a slot and not the log itself is asked afterwards.
    wrote: Vec<(TableId, Vec<Value>)>,
}

impl Handle {
    #[allow(clippy::expect_used)]
    fn session(&mut self) -> &mut Session {
        // Taken out only by drop.
        self.session.as_mut().expect("a handle has its session until it is dropped")
    }

    /// Runs statements without parameters.
    fn batch(&mut self, sql: &str) -> Result<()> {
        let inner = self.inner.clone();
        self.journal.end();
        let session = self.session();
        session.busy = true;
        session.batch(sql).map_err(|e| inner.err(e))
    }

    /// Runs a statement of the state tables; how many rows.
    fn run(&mut self, sql: &str, params: &[Param<'_>]) -> Result<u64> {
        let inner = self.inner.clone();
        self.journal.end();
        self.session().execute(sql, params).map_err(|e| inner.err(e))
    }

    /// Every row.
    fn rows(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Vec<Row>> {
        let inner = self.inner.clone();
        self.session().query(sql, params).map_err(|e| inner.err(e))
    }

    /// The first column of the first row, as text.
    fn one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<String>> {
        let inner = self.inner.clone();
        let rows = self.rows(sql, params)?;
        match rows.first() {
            None => Ok(None),
            Some(row) => row.try_get(0).map_err(|e| inner.err(e.into())),
        }
    }

    /// Commits.
    fn finish(mut self) -> Result<()> {
        self.batch("COMMIT")?;
        self.session().busy = false;
        Ok(())
    }

    /// Whether the state tables are there.
    fn is_prepared(&mut self) -> Result<bool> {
        if self.inner.prepared.load(Ordering::Relaxed) {
            return Ok(true);
        }
        let there = self.one(
            "SELECT 'yes' FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = '_tablemap_meta'",
            &[Param::from(&self.inner.address.state.clone())],
        )?;
        self.inner.prepared.store(there.is_some(), Ordering::Relaxed);
        Ok(there.is_some())
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        for session in [self.session.take(), self.log.take()].into_iter().flatten() {
            self.inner.put_back(session);
        }
    }
}

impl Snapshot for Handle {}

impl Store for PostgresStore {
    fn name(&self) -> &str {
        &self.inner.name
    }
    fn schema(&self) -> &Arc<StoreSchema> {
        &self.inner.schema
    }
    fn verify(&self, tables: &[TableId]) -> Result<Vec<String>> {
        // Whoever asks begins anew: what was known of tables may be of another time.
        self.inner.forget_shapes();
        let mut handle = self.simple()?;
        let inner = self.inner.clone();
        let mut problems = Vec::new();
        for t in tables {
            let found = describe::verify(handle.session(), inner.schema.get(*t));
            problems.extend(found.map_err(|e| inner.err(e))?);
        }
        Ok(problems)
    }
    fn describe(&self) -> Result<Vec<LiveTable>> {
        let mut handle = self.simple()?;
        let inner = self.inner.clone();
        live::describe(handle.session(), &inner)
    }
    fn create_tables(&self) -> Result<()> {
        let mut handle = self.simple()?;
        let inner = self.inner.clone();
        describe::create_tables(handle.session(), &inner)?;
        handle.finish()
    }
    fn prepare(&self) -> Result<()> {
        let mut handle = self.simple()?;
        handle.make_state_tables()?;
        handle.finish()
    }
    fn is_prepared(&self) -> Result<bool> {
        // State tables that hold something are dropped by nobody.
        Ok(self.inner.prepared.load(Ordering::Relaxed) || self.simple()?.is_prepared()?)
    }
    fn identity(&self) -> Result<Identity> {
        let ask = || -> Result<Identity> {
            // A dump that was read into another server is another one: its transactions have other numbers.
            let may = match self.inner.controls.get() {
                Some(may) => *may,
                None => {
                    let may = "SELECT has_function_privilege('pg_control_system()', 'EXECUTE')::text";
                    let may = self.simple()?.one(may, &[])?.as_deref() == Some("true");
                    *self.inner.controls.get_or_init(|| may)
                }
            };
            let server = if may { "(SELECT ' ' || system_identifier FROM pg_control_system())" } else { "''" };
            let rows = self.alone(&format!("SELECT store_id, incarnation || {server} FROM _tablemap_meta"))?;
            let row = rows.first().ok_or_else(|| self.inner.other("it is not prepared"))?;
            let text = |i: usize| row.try_get(i).map_err(|e| self.inner.err(e.into()));
            Ok(Identity { store_id: text(0)?, incarnation: text(1)? })
        };
        // A connection that is cut just now says nothing about who the store is.
        changes::patiently(ask)
    }
    fn take_over(&self, project: &str, holder: &str) -> Result<i64> {
        let mut handle = self.simple()?;
        let epoch = handle.one(
            "INSERT INTO _tablemap_lease AS l (project, holder, epoch, beat) VALUES ($1, $2, 1, 0) \
             ON CONFLICT (project) DO UPDATE SET holder = excluded.holder, epoch = l.epoch + 1 RETURNING epoch::text",
            &[project.into(), holder.into()],
        )?;
        handle.finish()?;
        epoch.and_then(|e| e.parse().ok()).ok_or_else(|| self.inner.other("the lease was not written"))
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
        Ok(Box::new(self.handle(true)?))
    }
    fn watch(&self) -> Result<Box<dyn Watch>> {
        watch::watch(&self.inner)
    }
    fn position_at(&self, seq: i64) -> Position {
        Position(seq.to_string())
    }
    fn acknowledge(&self, acks: &[(String, Position)]) -> Result<()> {
        let mut handle = self.simple()?;
        for (leg, position) in acks {
            let acked = changes::seq_of(&self.inner, position)?;
            handle.run(
                "INSERT INTO _tablemap_readers (leg, acked) VALUES ($1, $2) \
                 ON CONFLICT (leg) DO UPDATE SET acked = excluded.acked",
                &[leg.into(), Param::number(acked)],
            )?;
        }
        handle.finish()
    }
    fn grants(&self, uses: &[Use], role: Option<&str>) -> Result<Vec<Grant>> {
        rights::grants(self, uses, role)
    }
    fn maintain(&self) -> Result<()> {
        changes::cut(self)
    }
}

/// An error for a table that is not there.
fn no_table(inner: &Inner, name: &str) -> StoreError {
    StoreError::Schema { store: inner.name.clone(), problems: vec![format!("there is no table `{name}`")] }
}

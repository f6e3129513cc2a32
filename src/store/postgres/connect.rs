//! Connections: opening, settings, running statements with a time limit, and the pool.

use super::describe::Shape;
use super::error::{Fault, store_error};
use super::pgoutput::{Relation, place};
use super::read::ScanPlan;
use super::types::{Kind, Param};
use super::url::Address;
use super::write::RowPlan;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::store::{ReadPlan, Result, StoreError};
use std::collections::{HashMap, HashSet};
use std::future::{Future, poll_fn};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::task::Poll;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::types::ToSql;
use tokio_postgres::{AsyncMessage, Client, Connection, NoTls, Row, SimpleQueryMessage, SimpleQueryRow, Statement};

/// How a PostgreSQL store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// How long to wait for a lock, in milliseconds.
    pub busy_ms: u32,
    /// How long a statement may take, in seconds.
    pub statement_secs: u32,
}

impl Default for Options {
    fn default() -> Options {
        Options { busy_ms: 10_000, statement_secs: 600 }
    }
}

/// Prepared statements a connection keeps.
const STATEMENTS: usize = 512;

/// A table that a slot named, with the kinds of its columns as far as they are known.
type Described = (Relation, Vec<Option<Kind>>);

/// What all connections of a store share.
pub(super) struct Inner {
    pub name: String,
    pub address: Address,
    pub schema: Arc<StoreSchema>,
    pub options: Options,
    /// Whether the change log is known to be there.
    pub prepared: AtomicBool,
    shapes: Mutex<HashMap<TableId, Arc<Shape>>>,
    /// Raised when a table turned out to be another than was known: plans of all connections are made anew.
    generation: std::sync::atomic::AtomicU64,
    pool: Mutex<Vec<Session>>,
    /// Tables that somebody wrote to while they were read by place.
    pub restless: Mutex<HashSet<TableId>>,
    /// Tables that a slot named, by object id.
    relations: Mutex<HashMap<u32, Described>>,
    /// Whether the user may ask which server this is.
    pub controls: OnceLock<bool>,
    /// Up to where in the WAL the slot was found empty.
    drained: Mutex<Option<u64>>,
}

/// A poisoned lock guards nothing that a panic could have left half done here.
pub(super) fn locked<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Result of a statement.
pub(super) type Ran<T> = std::result::Result<T, Fault>;

/// A connection with what was worked out for it.
pub(super) struct Session {
    // Before the runtime: it closes the connection while that still runs.
    client: Client,
    rt: Runtime,
    seconds: u64,
    statements: HashMap<String, Statement>,
    /// Set when a notification came.
    pub news: Arc<AtomicBool>,
    /// Whether it is in a transaction, as far as we know.
    pub busy: bool,
    /// Of no use any more.
    pub broken: bool,
    generation: u64,
    /// The schema of the state tables.
    pub state: String,
    pub scans: HashMap<ReadPlan, Arc<ScanPlan>>,
    pub finds: HashMap<(TableId, Vec<ColumnId>, Vec<ColumnId>), Arc<String>>,
    pub rows: Vec<Arc<RowPlan>>,
}

/// Keeps the connection going, and notes notifications.
async fn drive<S, T>(mut connection: Connection<S, T>, news: Arc<AtomicBool>)
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    poll_fn(|cx| {
        loop {
            match connection.poll_message(cx) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(AsyncMessage::Notification(_)))) => news.store(true, Ordering::Relaxed),
                Poll::Ready(Some(Ok(_))) => {}
                // Whoever asks next is told that it is closed.
                Poll::Ready(Some(Err(_)) | None) => return Poll::Ready(()),
            }
        }
    })
    .await;
}

impl Session {
    fn wait<T>(&mut self, work: impl AsyncFnOnce(&Client) -> Ran<T>) -> Ran<T> {
        let limit = Duration::from_secs(self.seconds);
        let client = &self.client;
        let done = self.rt.block_on(async { tokio::time::timeout(limit, work(client)).await });
        let done = done.unwrap_or(Err(Fault::Silent(self.seconds)));
        if let Err(fault) = &done {
            self.broken |= fault.breaks();
            if fault.outdates() {
                self.statements.clear();
                self.forget();
            }
        }
        done
    }

    /// Forgets what was worked out for tables. What is prepared stays: the server plans it anew where a table changed.
    pub fn forget(&mut self) {
        self.scans.clear();
        self.finds.clear();
        self.rows.clear();
    }

    /// Runs statements without parameters.
    pub fn batch(&mut self, sql: &str) -> Ran<()> {
        self.wait(async |c| Ok(c.batch_execute(sql).await?))
    }

    /// Rows of a statement without parameters, every value as text.
    pub fn simple(&mut self, sql: &str) -> Ran<Vec<SimpleQueryRow>> {
        let all = self.wait(async |c| Ok(c.simple_query(sql).await?))?;
        let row = |m| match m {
            SimpleQueryMessage::Row(r) => Some(r),
            _ => None,
        };
        Ok(all.into_iter().filter_map(row).collect())
    }

    fn prepared(&mut self, sql: &str) -> Ran<Statement> {
        if let Some(s) = self.statements.get(sql) {
            return Ok(s.clone());
        }
        if self.statements.len() >= STATEMENTS {
            self.statements.clear();
        }
        let s = self.wait(async |c| Ok(c.prepare(sql).await?))?;
        self.statements.insert(sql.to_string(), s.clone());
        Ok(s)
    }

    /// Every row of a statement.
    pub fn query(&mut self, sql: &str, params: &[Param<'_>]) -> Ran<Vec<Row>> {
        let s = self.prepared(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        self.wait(async |c| Ok(c.query(&s, &params).await?))
    }

    /// How many rows a statement touched.
    pub fn execute(&mut self, sql: &str, params: &[Param<'_>]) -> Ran<u64> {
        let s = self.prepared(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        self.wait(async |c| Ok(c.execute(&s, &params).await?))
    }

    /// Every row of a statement; `before` is sent along with it, and done before it.
    pub fn query_after(&mut self, before: &str, sql: &str, params: &[Param<'_>]) -> Ran<Vec<Row>> {
        let s = self.prepared(sql)?;
        let params: Vec<&(dyn ToSql + Sync)> = params.iter().map(|p| p as &(dyn ToSql + Sync)).collect();
        self.wait(async |c| {
            let (first, rows) = futures_util::future::join(c.batch_execute(before), c.query(&s, &params)).await;
            first?;
            Ok(rows?)
        })
    }

    /// Sends rows in the text form of COPY, after the statements of `before`.
    pub fn copy(&mut self, before: &str, sql: &str, rows: bytes::Bytes) -> Ran<()> {
        use futures_util::SinkExt;
        let s = self.prepared(sql)?;
        self.wait(async |c| {
            let (first, sink) =
                futures_util::future::join(c.batch_execute(before), c.copy_in::<_, bytes::Bytes>(&s)).await;
            first?;
            let mut sink = std::pin::pin!(sink?);
            sink.send(rows).await?;
            sink.finish().await?;
            Ok(())
        })
    }

    /// Lets notifications that have come be noted.
    pub fn listen(&mut self) -> bool {
        // Long enough for what the socket holds to be read.
        self.rt.block_on(async {
            for _ in 0..3 {
                tokio::task::yield_now().await;
            }
        });
        self.broken |= self.client.is_closed();
        self.news.swap(false, Ordering::Relaxed)
    }
}

impl Inner {
    pub fn open(name: &str, address: Address, schema: Arc<StoreSchema>, options: Options) -> Result<Arc<Inner>> {
        let inner = Arc::new(Inner {
            name: name.to_string(),
            address,
            schema,
            options,
            prepared: AtomicBool::new(false),
            shapes: Mutex::default(),
            generation: Default::default(),
            pool: Mutex::default(),
            restless: Mutex::default(),
            relations: Mutex::default(),
            controls: OnceLock::new(),
            drained: Mutex::default(),
        });
        let session = inner.connect()?;
        inner.put_back(session);
        Ok(inner)
    }

    pub fn err(&self, fault: Fault) -> StoreError {
        if fault.outdates() {
            self.forget_shapes();
        }
        store_error(&self.name, &self.address.shown, &self.address.user, &fault)
    }
    pub fn other(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Other { store: self.name.clone(), reason: reason.into() }
    }
    pub fn lost(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Lost { store: self.name.clone(), reason: reason.into() }
    }

    /// What is known of tables is looked up anew, by every connection.
    pub fn forget_shapes(&self) {
        locked(&self.shapes).clear();
        self.generation.fetch_add(1, Ordering::Relaxed);
    }
    pub fn known_shape(&self, table: TableId) -> Option<Arc<Shape>> {
        locked(&self.shapes).get(&table).cloned()
    }
    /// The kinds of the columns of a table that a slot named, where it looks as it did.
    pub fn relation(&self, relation: &Relation) -> Option<Vec<Option<Kind>>> {
        locked(&self.relations).get(&relation.id).filter(|(known, _)| known == relation).map(|(_, kinds)| kinds.clone())
    }
    pub fn learn_relation(&self, relation: Relation, kinds: Vec<Option<Kind>>) {
        locked(&self.relations).insert(relation.id, (relation, kinds));
    }
    /// Whether nothing was written into the WAL since the slot was found empty.
    pub fn is_drained(&self, insert: &str) -> bool {
        place(insert).is_some_and(|at| *locked(&self.drained) == Some(at))
    }
    pub fn drained_to(&self, place: Option<u64>) {
        *locked(&self.drained) = place;
    }
    pub fn learn_shape(&self, table: TableId, shape: Arc<Shape>) {
        locked(&self.shapes).insert(table, shape);
    }

    /// A new connection with its settings made.
    pub fn connect(&self) -> Result<Session> {
        let rt = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| self.other(format!("no event loop can be made: {e}")))?;
        let news = Arc::new(AtomicBool::new(false));
        let config = self.address.config();
        let open = async {
            let client = match self.address.tls() {
                None => {
                    let (client, connection) = config.connect(NoTls).await?;
                    tokio::spawn(drive(connection, news.clone()));
                    client
                }
                Some(tls) => {
                    let (client, connection) = config.connect(tls.clone()).await?;
                    tokio::spawn(drive(connection, news.clone()));
                    client
                }
            };
            Ok::<Client, tokio_postgres::Error>(client)
        };
        let limit = Duration::from_secs(15);
        let client = match rt.block_on(async { tokio::time::timeout(limit, within(open)).await }) {
            Ok(Ok(client)) => client,
            Ok(Err(e)) => return Err(self.err(e.into())),
            Err(_) => return Err(self.err(Fault::Silent(limit.as_secs()))),
        };
        let mut session = Session {
            client,
            rt,
            // The server ends a statement first; this is for one that does not answer at all.
            seconds: u64::from(self.options.statement_secs) + 5,
            statements: HashMap::new(),
            news,
            busy: false,
            broken: false,
            generation: self.generation.load(Ordering::Relaxed),
            state: self.address.state.clone(),
            scans: HashMap::new(),
            finds: HashMap::new(),
            rows: Vec::new(),
        };
        let version = session.simple("SHOW server_version_num").map_err(|e| self.err(e))?;
        let version: u32 = version.first().and_then(|r| r.get(0)?.parse().ok()).unwrap_or(0);
        if version < 130_000 {
            return Err(StoreError::Unreachable {
                store: self.name.clone(),
                reason: format!("{} is older than PostgreSQL 13, the oldest that tablemap knows", self.address.shown),
            });
        }
        // What was committed is not lost in a crash: another store builds on it. Our own tables are named without their
        // schema; what they are called cannot be shadowed. A whole table is read from its first block on. With row_security=off a policy that would hide rows is an error
        // instead of a silent gap.
        let settings = format!(
            "SET datestyle = 'ISO, YMD'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET bytea_output = 'hex'; \
             SET extra_float_digits = 1; SET row_security = off; SET synchronize_seqscans = off; SET client_min_messages = warning; \
             SET standard_conforming_strings = on; SET lock_timeout = {}; SET statement_timeout = {}; \
             SELECT set_config('synchronous_commit', CASE setting WHEN 'off' THEN 'local' ELSE setting END, false) \
             FROM pg_settings WHERE name = 'synchronous_commit'; SELECT set_config('search_path', {} || CASE WHEN current_schema() IS NULL THEN '' ELSE \
             ', ' || current_setting('search_path') END, false)",
            self.options.busy_ms,
            u64::from(self.options.statement_secs) * 1000,
            super::types::text_literal(&super::types::ident(&self.address.state)),
        );
        session.batch(&settings).map_err(|e| self.err(e))?;
        Ok(session)
    }

    /// A connection, and whether it is out of the pool.
    pub fn take(&self) -> Result<(Session, bool)> {
        let now = self.generation.load(Ordering::Relaxed);
        loop {
            let Some(mut session) = locked(&self.pool).pop() else { return Ok((self.connect()?, false)) };
            session.listen();
            if session.broken {
                continue;
            }
            if session.generation != now {
                session.forget();
                session.generation = now;
            }
            return Ok((session, true));
        }
    }

    /// Back into the pool, out of its transaction; one too many is closed.
    pub fn put_back(&self, mut session: Session) {
        if session.broken || (session.busy && session.batch("ROLLBACK").is_err()) {
            return;
        }
        session.busy = false;
        let mut pool = locked(&self.pool);
        if pool.len() < 6 {
            pool.push(session);
        }
    }
}

/// Spawning needs the runtime that the caller blocks on.
async fn within<T>(work: impl Future<Output = T>) -> T {
    work.await
}

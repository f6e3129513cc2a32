//! Opening, settings of a connection, and the pool.

use super::describe::Shape;
use super::error::store_error;
use super::read::{FindPlan, ScanPlan};
use super::write::RowPlan;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::store::{ReadPlan, Result, StoreError};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How a SQLite store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Page cache of the writing connection in KiB; a reading one gets a quarter of it.
    pub cache_kib: u32,
    /// How long to wait for a lock, in milliseconds.
    pub busy_ms: u32,
    /// Whether a missing file is made.
    pub create: bool,
    /// Whether the file is of this process alone and may be lost with it: nothing is waited for on disk.
    pub scratch: bool,
    /// Whether its rows are another store's copies: whoever writes one is refused.
    pub rows_refused: bool,
    /// How many pages the file may grow by, counted when a connection is opened; none = as far as the disk goes.
    pub pages_more: Option<u32>,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            cache_kib: 65536,
            busy_ms: 5000,
            create: false,
            scratch: false,
            rows_refused: false,
            pages_more: None,
        }
    }
}

/// At how many pages (32 MiB) a commit copies the WAL back into the file. SQLite's own 1,000 are the pages of one live
/// transaction of rows that lie apart, so that every commit would wait for it.
const WAL_PAGES: u32 = 8_192;

/// What all connections of a store share.
pub(super) struct Inner {
    pub name: String,
    pub path: PathBuf,
    pub schema: Arc<StoreSchema>,
    pub options: Options,
    /// Shapes of the tables as of a schema version of the file.
    pub shapes: Mutex<(i64, HashMap<TableId, Arc<Shape>>)>,
    /// What `capture` last made sure of: (schema version, who wants what).
    pub captured: Mutex<Option<(i64, String)>>,
    /// Which file it was when it was opened.
    file: Mutex<Option<(u64, u64)>>,
    readers: Mutex<Vec<Session>>,
    writers: Mutex<Vec<Session>>,
}

impl Drop for Inner {
    fn drop(&mut self) {
        locked(&self.readers).clear();
        locked(&self.writers).clear();
        if self.options.scratch {
            for tail in ["", "-wal", "-shm"] {
                let mut name = self.path.clone().into_os_string();
                name.push(tail);
                let _ = std::fs::remove_file(name);
            }
        }
    }
}

/// A poisoned lock guards nothing that a panic could have left half done here.
pub(super) fn locked<T>(m: &Mutex<T>) -> MutexGuard<'_, T> {
    m.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A connection with what was worked out for it. Plans hold as long as the file's schema version does.
pub(super) struct Session {
    pub conn: Connection,
    pub version: i64,
    pub scans: HashMap<ReadPlan, Arc<ScanPlan>>,
    pub finds: HashMap<(TableId, Vec<ColumnId>, Vec<ColumnId>), Arc<FindPlan>>,
    pub rows: Vec<Arc<RowPlan>>,
}

impl Session {
    /// Forgets plans if the file's schema has changed. In a transaction this also fixes what it sees.
    pub fn look(&mut self, inner: &Inner) -> Result<()> {
        let version: i64 = self
            .conn
            .prepare_cached("PRAGMA schema_version")
            .and_then(|mut s| s.query_row([], |r| r.get(0)))
            .map_err(|e| inner.err(e))?;
        if version != self.version {
            self.version = version;
            self.scans.clear();
            self.finds.clear();
            self.rows.clear();
        }
        Ok(())
    }
}

impl Inner {
    pub fn open(name: &str, path: &Path, schema: Arc<StoreSchema>, options: Options) -> Result<Arc<Inner>> {
        let unreachable = |reason: String| StoreError::Unreachable { store: name.to_string(), reason };
        let shown = path.display();
        match std::fs::metadata(path) {
            Ok(m) if m.is_dir() => {
                return Err(unreachable(format!("`{shown}` is a folder; name the database file in it")));
            }
            Ok(_) => {}
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                if !options.create {
                    return Err(unreachable(format!(
                        "the file `{shown}` does not exist; correct `path` of the store in tablemap.yaml, or create it \
                         with your own program (`tablemap init` and `tablemap demo` make examples)"
                    )));
                }
                if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty() && !f.exists()) {
                    return Err(unreachable(format!("the folder `{}` does not exist", folder.display())));
                }
            }
            Err(e) => return Err(unreachable(format!("`{shown}` cannot be read: {e}"))),
        }
        on_this_machine(name, path)?;
        let inner = Arc::new(Inner {
            name: name.to_string(),
            path: path.to_path_buf(),
            schema,
            options,
            shapes: Mutex::default(),
            captured: Mutex::default(),
            file: Mutex::default(),
            readers: Mutex::default(),
            writers: Mutex::default(),
        });
        let session = inner.connect(true)?;
        inner.put_back(session, true);
        *locked(&inner.file) = file_id(path);
        Ok(inner)
    }

    /// An error where the file at the path is another one than was opened (R4): open connections would go on with
    /// the old one.
    pub fn same_file(&self) -> Result<()> {
        if file_id(&self.path) == *locked(&self.file) {
            return Ok(());
        }
        Err(StoreError::NeedsRecover {
            store: self.name.clone(),
            reason: format!("the file `{}` was removed or replaced while it was open", self.path.display()),
        })
    }

    /// Where its write-ahead log lies.
    pub fn wal(&self) -> PathBuf {
        let mut wal = self.path.clone().into_os_string();
        wal.push("-wal");
        wal.into()
    }

    pub fn err(&self, e: rusqlite::Error) -> StoreError {
        store_error(&self.name, e)
    }
    pub fn other(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Other { store: self.name.clone(), reason: reason.into() }
    }
    pub fn lost(&self, reason: impl Into<String>) -> StoreError {
        StoreError::Lost { store: self.name.clone(), reason: reason.into() }
    }

    /// A new connection with its settings made.
    pub fn connect(&self, writing: bool) -> Result<Session> {
        self.connect_with(writing, OpenFlags::empty())
    }

    /// [`Inner::connect`] with further flags.
    pub fn connect_with(&self, writing: bool, more: OpenFlags) -> Result<Session> {
        let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX | more;
        if self.options.create {
            flags |= OpenFlags::SQLITE_OPEN_CREATE;
        }
        let make = || -> rusqlite::Result<(Connection, String)> {
            let conn = Connection::open_with_flags(&self.path, flags)?;
            conn.busy_timeout(Duration::from_millis(u64::from(self.options.busy_ms)))?;
            conn.set_prepared_statement_cache_capacity(512);
            // Without it, a statement that sorts or has a limit is prepared anew each time that its values are bound.
            conn.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
            let mode: String = conn.query_row("PRAGMA journal_mode=WAL", [], |r| r.get(0))?;
            let cache = if writing { self.options.cache_kib } else { self.options.cache_kib / 4 }.max(2048);
            let sync = if self.options.scratch { "OFF" } else { "NORMAL" };
            // Triggers of users must not call themselves on our connection when they do not on theirs, so
            // recursive_triggers stays off; rows displaced by REPLACE are logged by BEFORE triggers (capture.rs).
            conn.execute_batch(&format!(
                "PRAGMA synchronous={sync}; PRAGMA foreign_keys=ON; PRAGMA mmap_size=0; PRAGMA cache_size=-{cache}; \
                 PRAGMA temp_store=MEMORY; PRAGMA recursive_triggers=OFF; PRAGMA wal_autocheckpoint={WAL_PAGES}"
            ))?;
            if let Some(more) = self.options.pages_more {
                let pages: u32 = conn.query_row("PRAGMA page_count", [], |r| r.get(0))?;
                conn.query_row(&format!("PRAGMA max_page_count={}", pages.saturating_add(more)), [], |_| Ok(()))?;
            }
            Ok((conn, mode))
        };
        let (conn, mode) = make().map_err(|e| self.err(e))?;
        if conn.is_readonly("main").map_err(|e| self.err(e))? {
            return Err(StoreError::Unreachable {
                store: self.name.clone(),
                reason: format!(
                    "`{}` is read-only; give the user who runs the engine the right to write the file and its folder",
                    self.path.display()
                ),
            });
        }
        if !mode.eq_ignore_ascii_case("wal") {
            return Err(StoreError::Unreachable {
                store: self.name.clone(),
                reason: format!("the database cannot be put into WAL mode (it stays in `{mode}`)"),
            });
        }
        Ok(Session { conn, version: -1, scans: HashMap::new(), finds: HashMap::new(), rows: Vec::new() })
    }

    /// A connection out of the pool, or a new one.
    pub fn take(&self, writing: bool) -> Result<Session> {
        let pool = if writing { &self.writers } else { &self.readers };
        let pooled = locked(pool).pop();
        pooled.map_or_else(|| self.connect(writing), Ok)
    }

    /// Back into the pool; one too many is closed.
    pub fn put_back(&self, session: Session, writing: bool) {
        let (pool, most) = if writing { (&self.writers, 1) } else { (&self.readers, 4) };
        if !session.conn.is_autocommit() && session.conn.execute_batch("ROLLBACK").is_err() {
            return;
        }
        let mut pool = locked(pool);
        if pool.len() < most {
            pool.push(session);
        }
    }
}

/// An error where the file lies on a network file system.
pub(super) fn on_this_machine(store: &str, path: &Path) -> Result<()> {
    let folder = path.parent().filter(|f| !f.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let Some(kind) = super::network::network(folder) else { return Ok(()) };
    let reason = format!(
        "`{}` lies on a network file system ({kind}), where file locks cannot be trusted and records would be lost; put \
         the database on a disk of this machine and run the engine there",
        path.display()
    );
    Err(StoreError::Unreachable { store: store.to_string(), reason })
}

#[cfg(unix)]
pub(super) fn file_id(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata(path).ok().map(|m| (m.dev(), m.ino()))
}

#[cfg(not(unix))]
pub(super) fn file_id(_: &Path) -> Option<(u64, u64)> {
    None
}

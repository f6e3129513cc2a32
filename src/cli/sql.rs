//! Plain SQL on the file of a SQLite store: what people and other programs do in demos and new projects.

use super::failure::Failure;
use std::path::{Path, PathBuf};

/// What a script did: rows changed, or why the database refused it.
pub(super) type Done = Result<u64, String>;

/// Runs a script as any user of the database would; the inner result is the database's own answer.
#[cfg(feature = "sqlite")]
pub(super) fn script(path: &Path, sql: &str) -> Result<Done, Failure> {
    use rusqlite::fallible_iterator::FallibleIterator;
    let conn = open(path)?;
    let mut rows = 0;
    let mut statements = rusqlite::Batch::new(&conn, sql);
    loop {
        let step =
            statements.next().and_then(|next| next.map(|mut s| Ok((s.readonly(), s.raw_execute()?))).transpose());
        match step {
            Ok(None) => return Ok(Ok(rows)),
            // What only reads or controls would tell the count of the one before.
            Ok(Some((true, _))) => {}
            Ok(Some((false, n))) => rows += n as u64,
            Err(e) => {
                if !conn.is_autocommit() {
                    conn.execute_batch("ROLLBACK").map_err(|e| Failure::new(e.to_string()))?;
                }
                return Ok(Err(reason(&e)));
            }
        }
    }
}

/// What the database said, without the library's words around it.
#[cfg(feature = "sqlite")]
fn reason(e: &rusqlite::Error) -> String {
    match e {
        rusqlite::Error::SqliteFailure(_, Some(text)) => text.clone(),
        rusqlite::Error::SqlInputError { msg, .. } => msg.clone(),
        other => other.to_string(),
    }
}

#[cfg(feature = "sqlite")]
fn open(path: &Path) -> Result<rusqlite::Connection, Failure> {
    let open = || -> rusqlite::Result<rusqlite::Connection> {
        let conn = rusqlite::Connection::open(path)?;
        conn.busy_timeout(std::time::Duration::from_secs(5))?;
        Ok(conn)
    };
    open().map_err(|e| Failure::unreachable(format!("`{}` cannot be opened: {}", path.display(), reason(&e))))
}

/// Reads databases as anybody would who knows SQL, attached by name. A connection that was opened is used again: with the
/// triggers of capture a schema takes a while to read.
#[cfg(feature = "sqlite")]
pub(super) struct Reader {
    databases: Vec<(&'static str, PathBuf)>,
    idle: std::sync::Mutex<Vec<rusqlite::Connection>>,
}

#[cfg(feature = "sqlite")]
impl Reader {
    pub fn new(databases: Vec<(&'static str, PathBuf)>) -> Reader {
        Reader { databases, idle: std::sync::Mutex::default() }
    }

    fn with<T>(&self, f: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
        let idle = self.idle.lock().ok().and_then(|mut all| all.pop());
        let conn = match idle {
            Some(conn) => conn,
            None => self.connect()?,
        };
        let done = f(&conn)?;
        if let Ok(mut all) = self.idle.lock() {
            all.push(conn);
        }
        Ok(done)
    }

    fn connect(&self) -> rusqlite::Result<rusqlite::Connection> {
        let conn = rusqlite::Connection::open_in_memory()?;
        for (name, path) in &self.databases {
            conn.execute(&format!("ATTACH ?1 AS {name}"), [path.to_string_lossy()])?;
            conn.execute_batch(&format!("PRAGMA {name}.cache_size = -65536"))?;
        }
        // Whole tables are compared; what is sorted for that stays off the disk.
        conn.execute_batch("PRAGMA temp_store = MEMORY")?;
        Ok(conn)
    }

    /// Runs each named query of a script (`-- name: …` before each); how many rows each gives, and the first of them.
    pub fn queries(&self, script: &str) -> Result<Vec<(String, usize, String)>, Failure> {
        let answer = |part: &&str| -> rusqlite::Result<(String, usize, String)> {
            let (name, sql) = part.split_once('\n').unwrap_or((part, ""));
            self.with(|conn| {
                let mut statement = conn.prepare(sql)?;
                let columns = statement.column_count();
                let mut rows = statement.query([])?;
                let mut n = 0;
                let mut first = String::new();
                while let Some(row) = rows.next()? {
                    if n == 0 {
                        let cells: rusqlite::Result<Vec<String>> =
                            (0..columns).map(|i| row.get_ref(i).map(shown)).collect();
                        first = cells?.join(" | ");
                    }
                    n += 1;
                }
                Ok((name.trim().to_string(), n, first))
            })
        };
        let parts: Vec<&str> = script.split("\n-- name: ").skip(1).collect();
        let all: rusqlite::Result<Vec<_>> = crate::project::in_parallel(&parts, answer).into_iter().collect();
        all.map_err(|e| Failure::new(format!("the comparison could not be made: {}", reason(&e))))
    }

    /// The one number of a query.
    pub fn count(&self, sql: &str) -> Result<u64, Failure> {
        let n = self.with(|conn| conn.query_row(sql, [], |r| r.get::<_, i64>(0)));
        n.map(|n| n.max(0) as u64).map_err(|e| Failure::new(format!("`{sql}`: {}", reason(&e))))
    }
}

#[cfg(feature = "sqlite")]
fn shown(value: rusqlite::types::ValueRef<'_>) -> String {
    use rusqlite::types::ValueRef;
    match value {
        ValueRef::Null => "null".into(),
        ValueRef::Integer(i) => i.to_string(),
        ValueRef::Real(f) => f.to_string(),
        ValueRef::Text(t) => String::from_utf8_lossy(t).into_owned(),
        ValueRef::Blob(b) => format!("{} bytes", b.len()),
    }
}

/// An empty database with the tables of a schema.
#[cfg(feature = "sqlite")]
pub(super) fn create(
    name: &str,
    path: &Path,
    schema: std::sync::Arc<crate::schema::StoreSchema>,
) -> Result<(), Failure> {
    use crate::store::Store;
    use crate::store::sqlite::{Options, SqliteStore};
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|e| Failure::io("make", folder, &e))?;
    }
    let store = SqliteStore::open(name, path, schema, Options { create: true, ..Options::default() })?;
    Ok(store.create_tables()?)
}

#[cfg(not(feature = "sqlite"))]
mod without {
    use super::*;
    fn no<T>() -> Result<T, Failure> {
        Err(Failure::new("this build has no SQLite").help("build with the feature `sqlite`"))
    }
    pub fn script(_: &Path, _: &str) -> Result<Done, Failure> {
        no()
    }
    pub struct Reader;
    impl Reader {
        pub fn new(_: Vec<(&'static str, PathBuf)>) -> Reader {
            Reader
        }
        pub fn queries(&self, _: &str) -> Result<Vec<(String, usize, String)>, Failure> {
            no()
        }
        pub fn count(&self, _: &str) -> Result<u64, Failure> {
            no()
        }
    }
    pub fn create(_: &str, _: &Path, _: std::sync::Arc<crate::schema::StoreSchema>) -> Result<(), Failure> {
        no()
    }
}
#[cfg(not(feature = "sqlite"))]
pub(super) use without::{Reader, create, script};

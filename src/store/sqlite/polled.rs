//! A SQLite file that may not be changed, as a source of maps: no trigger, no table and no setting is put into it.
//!
//! Its captured tables are kept once more in a copy, a file of the project. Each look compares them in the database,
//! in one transaction, and brings the copy up to date; the copy's own triggers log what changed. Snapshots, old
//! values, lookups and the log are those of the copy, so the engine sees a store like any other. What a row looked
//! like between two looks is not seen, and a changed key is a delete and an insert.

use super::connect::{Session, locked, on_this_machine};
use super::describe::{Shape, shape_of};
use super::types::{Affinity, collation_word, ident};
use super::{Options, SqliteStore, describe, live};
use crate::schema::{ColumnId, LiveTable, StoreSchema, Table, TableId};
use crate::store::{
    CaptureSpec, GuardSpec, GuardStatus, Identity, Position, Result, Snapshot, Store, StoreError, Transaction, Watch,
};
use rusqlite::{Connection, OpenFlags, OptionalExtension, types::Value as Stored};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// When and how a polled store is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poll {
    /// The time between two looks. A file that nobody wrote to since the last one is not compared.
    pub every: Duration,
    /// Tables with a column that grows with each change of a row (a time or a row version): between full comparisons
    /// only rows at or above the highest value seen are compared.
    pub modified: BTreeMap<TableId, ColumnId>,
    /// The time between two full comparisons of such tables: these find deleted rows, and rows that were committed
    /// late with a lower value.
    pub full: Duration,
}

impl Default for Poll {
    fn default() -> Poll {
        Poll { every: Duration::from_secs(1), modified: BTreeMap::new(), full: Duration::from_secs(600) }
    }
}

/// A SQLite file that is only read, with its copy.
pub struct PolledStore {
    shared: Arc<Shared>,
}

struct Shared {
    copy: SqliteStore,
    source: PathBuf,
    poll: Poll,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The tables that are kept in the copy.
    tables: BTreeSet<TableId>,
    /// The copy with the file attached as `source`.
    session: Option<Session>,
    /// Which file is attached, and its `data_version` at the last look.
    seen: Option<(Option<(u64, u64)>, i64)>,
    looked: Option<Instant>,
    compared: Option<Instant>,
    /// Tables of which only a part was compared since the file last changed.
    partial: bool,
}

impl PolledStore {
    /// Opens the file at `source` for reading, with its copy at `copy`, which is made where it is not there.
    pub fn open(
        name: &str,
        source: &Path,
        copy: &Path,
        schema: Arc<StoreSchema>,
        poll: Poll,
        options: Options,
    ) -> Result<PolledStore> {
        on_this_machine(name, source)?;
        let options = Options { create: true, rows_refused: true, ..options };
        let shared = Shared {
            copy: SqliteStore::open(name, copy, schema, options)?,
            source: source.to_path_buf(),
            poll,
            state: Mutex::default(),
        };
        shared.reader()?;
        Ok(PolledStore { shared: Arc::new(shared) })
    }

    /// Compares now, whatever the time; whether anything was different.
    pub fn look(&self) -> Result<bool> {
        self.shared.look(true)
    }
}

impl Shared {
    fn err(&self, e: rusqlite::Error) -> StoreError {
        self.copy.inner.err(e)
    }

    /// A connection that can only read the file.
    fn reader(&self) -> Result<Connection> {
        let unreachable = |reason: String| StoreError::Unreachable { store: self.copy.inner.name.clone(), reason };
        if !self.source.is_file() {
            return Err(unreachable(format!(
                "the file `{}` does not exist; correct `path` of the store in tablemap.yaml",
                self.source.display()
            )));
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let conn = Connection::open_with_flags(&self.source, flags).map_err(|e| self.err(e))?;
        let busy = Duration::from_millis(u64::from(self.copy.inner.options.busy_ms));
        conn.busy_timeout(busy).map_err(|e| self.err(e))?;
        // Opening reads nothing; this does, so that a file that is no database is told here.
        conn.query_row("PRAGMA schema_version", [], |_| Ok(())).map_err(|e| self.err(e))?;
        Ok(conn)
    }

    /// The shape of a table in the file.
    fn shape(&self, reader: &Connection, t: &Table) -> Result<Shape> {
        let missing =
            |problem: String| StoreError::Schema { store: self.copy.inner.name.clone(), problems: vec![problem] };
        let shape = shape_of(reader, t).map_err(|e| self.err(e))?;
        let shape = shape.ok_or_else(|| missing(format!("there is no table `{}`", t.stored_name())))?;
        match shape.columns.iter().zip(&t.columns).find(|(s, _)| s.is_none()) {
            Some((_, c)) => Err(missing(format!("table `{}` has no column `{}`", t.stored_name(), c.name))),
            None => Ok(shape),
        }
    }

    /// Makes the copy's tables what the file's are. One that is made anew loses its triggers, so its legs begin anew.
    fn make_tables(&self, tables: &BTreeSet<TableId>) -> Result<()> {
        let reader = self.reader()?;
        let mut handle = self.copy.handle(true)?;
        for id in tables {
            let t = self.copy.inner.schema.get(*id);
            let wish = create_sql(t, &self.shape(&reader, t)?);
            let conn = &handle.session().conn;
            let there: Option<String> = conn
                .prepare_cached("SELECT sql FROM sqlite_master WHERE type = 'table' AND lower(name) = lower(?1)")
                .and_then(|mut s| s.query_row([t.stored_name()], |r| r.get(0)).optional())
                .map_err(|e| self.err(e))?;
            let [table, indexes @ ..] = wish.as_slice() else { continue };
            if there.as_ref() != Some(table) {
                let drop = format!("DROP TABLE IF EXISTS {}", ident(t.stored_name()));
                for sql in [&drop, table].into_iter().chain(indexes) {
                    conn.execute_batch(sql).map_err(|e| self.err(e))?;
                }
            }
        }
        Box::new(handle).commit()
    }

    /// Compares if it is time, or `now`; whether anything was different.
    fn look(&self, now: bool) -> Result<bool> {
        let mut state = locked(&self.state);
        let at = Instant::now();
        if !now && state.looked.is_some_and(|t| at.duration_since(t) < self.poll.every) {
            return Ok(false);
        }
        state.looked = Some(at);
        let due = state.compared.is_none_or(|t| at.duration_since(t) >= self.poll.full);
        let full = now || due;
        let file = super::connect::file_id(&self.source);
        // Not put back after an error: the next look attaches the file again.
        let session = match state.session.take() {
            Some(session) if state.seen.is_some_and(|(f, _)| f == file) => session,
            _ => {
                state.seen = None;
                self.attach()?
            }
        };
        let version = session.conn.query_row("PRAGMA source.data_version", [], |r| r.get(0));
        let seen = Some((file, version.map_err(|e| self.err(e))?));
        let changed = if state.seen == seen && !now && !(due && state.partial) {
            false
        } else {
            let changed = self.compare(&session.conn, &state.tables, full)?;
            state.seen = seen;
            state.partial = !full && !self.poll.modified.is_empty();
            if full {
                state.compared = Some(at);
            }
            changed
        };
        state.session = Some(session);
        Ok(changed)
    }

    /// A connection to the copy with the file attached, for reading only.
    fn attach(&self) -> Result<Session> {
        self.reader()?;
        let session = self.copy.inner.connect_with(true, OpenFlags::SQLITE_OPEN_URI)?;
        let path = std::path::absolute(&self.source).unwrap_or_else(|_| self.source.clone());
        let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
        session.conn.execute("ATTACH ?1 AS source", [format!("file:{path}?mode=ro")]).map_err(|e| self.err(e))?;
        Ok(session)
    }

    /// Brings the copy up to date in one transaction, which sees one state of the file.
    fn compare(&self, conn: &Connection, tables: &BTreeSet<TableId>, full: bool) -> Result<bool> {
        conn.execute_batch("BEGIN IMMEDIATE").map_err(|e| self.err(e))?;
        let mut changed = 0;
        for id in tables {
            let t = self.copy.inner.schema.get(*id);
            let modified = self.poll.modified.get(id).filter(|_| !full);
            match compare_table(conn, t, modified.map(|c| t.column(*c).name.as_str())) {
                Ok(n) => changed += n,
                Err(e) => {
                    let _ = conn.execute_batch("ROLLBACK");
                    return Err(self.told(t, e));
                }
            }
        }
        let end = if changed > 0 { "COMMIT" } else { "ROLLBACK" };
        conn.execute_batch(end).map_err(|e| self.err(e))?;
        Ok(changed > 0)
    }

    fn told(&self, t: &Table, e: rusqlite::Error) -> StoreError {
        let constraint = e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation);
        if !constraint {
            return self.err(e);
        }
        let names: Vec<&str> = t.primary_key.iter().map(|c| t.column(*c).name.as_str()).collect();
        self.copy.inner.other(format!(
            "two rows of table `{}` hold the same ({}), which its schema calls the primary key; make them unique there, \
             or name another key in the schema file",
            t.stored_name(),
            names.join(", ")
        ))
    }

    fn read_only(&self, what: &str) -> StoreError {
        self.copy.inner.other(format!("{what}: a store with `poll` in tablemap.yaml is only read"))
    }
}

/// The statements that make a table's copy: the file's types, so that each value is kept as it is stored there; the
/// schema's key; indexes on what is looked up.
fn create_sql(t: &Table, shape: &Shape) -> Vec<String> {
    let column = |(i, c): (usize, &crate::schema::Column)| {
        let declared = match shape.affinity(ColumnId(i as u32)) {
            Affinity::Text => " TEXT",
            Affinity::Numeric => " NUMERIC",
            // Not INTEGER: such a key would be the row id, which holds nothing but numbers.
            Affinity::Integer => " INT",
            Affinity::Real => " REAL",
            Affinity::Blob | Affinity::None => "",
        };
        format!("{}{declared} COLLATE {}", ident(&c.name), collation_word(c.collation))
    };
    let list = |key: &[ColumnId]| key.iter().map(|c| ident(&t.column(*c).name)).collect::<Vec<_>>().join(", ");
    let mut lines: Vec<String> = t.columns.iter().enumerate().map(column).collect();
    lines.push(format!("PRIMARY KEY ({})", list(&t.primary_key)));
    let mut all = vec![format!("CREATE TABLE {} (\n  {}\n)", ident(t.stored_name()), lines.join(",\n  "))];
    let referring = t.lookups.iter().flat_map(|l| &l.targets).map(|target| &target.columns);
    let indexed: BTreeSet<&Vec<ColumnId>> = t.alternate_keys.iter().chain(referring).collect();
    for (n, columns) in indexed.into_iter().enumerate() {
        let name = ident(&format!("_tablemap_copy_{}_{n}", t.stored_name()));
        all.push(format!("CREATE INDEX {name} ON {} ({})", ident(t.stored_name()), list(columns)));
    }
    all
}

/// Makes the copy's table hold what the file's holds; how many rows were different. With `modified`, only rows at or
/// above the copy's highest value there are looked at, and none is deleted.
fn compare_table(conn: &Connection, t: &Table, modified: Option<&str>) -> rusqlite::Result<usize> {
    let table = ident(t.stored_name());
    let names: Vec<String> = t.columns.iter().map(|c| ident(&c.name)).collect();
    // A null in a key is equal to itself here, or its row would be new with every look.
    let same: Vec<String> = t
        .primary_key
        .iter()
        .map(|c| {
            let column = t.column(*c);
            format!("c.{0} IS s.{0} COLLATE {1}", ident(&column.name), collation_word(column.collation))
        })
        .collect();
    let same = same.join(" AND ");
    let mut changed = 0;
    let (since, from) = match modified {
        None => {
            let gone = format!(
                "DELETE FROM main.{table} AS c WHERE NOT EXISTS (SELECT 1 FROM source.{table} AS s WHERE {same})"
            );
            changed += conn.execute(&gone, [])?;
            ("?1 IS NULL".to_string(), Stored::Null)
        }
        Some(m) => {
            let highest = format!("SELECT max({}) FROM main.{table}", ident(m));
            let from: Stored = conn.query_row(&highest, [], |r| r.get(0))?;
            (format!("(?1 IS NULL OR s.{} >= ?1)", ident(m)), from)
        }
    };
    // Numbers and texts that look alike are different, and so are texts that differ in case.
    let differs: Vec<String> =
        names.iter().map(|n| format!("c.{n} IS NOT s.{n} COLLATE BINARY OR typeof(c.{n}) <> typeof(s.{n})")).collect();
    let set: Vec<String> = names.iter().map(|n| format!("{n} = s.{n}")).collect();
    let update = format!(
        "UPDATE main.{table} AS c SET {} FROM source.{table} AS s WHERE {since} AND {same} AND ({})",
        set.join(", "),
        differs.join(" OR ")
    );
    changed += conn.execute(&update, [&from])?;
    let of_source: Vec<String> = names.iter().map(|n| format!("s.{n}")).collect();
    let insert = format!(
        "INSERT INTO main.{table} ({}) SELECT {} FROM source.{table} AS s \
         WHERE {since} AND NOT EXISTS (SELECT 1 FROM main.{table} AS c WHERE {same})",
        names.join(", "),
        of_source.join(", ")
    );
    changed += conn.execute(&insert, [&from])?;
    Ok(changed)
}

impl Store for PolledStore {
    fn name(&self) -> &str {
        self.shared.copy.name()
    }
    fn schema(&self) -> &Arc<StoreSchema> {
        self.shared.copy.schema()
    }
    fn verify(&self, tables: &[TableId]) -> Result<Vec<String>> {
        let reader = self.shared.reader()?;
        let mut problems = Vec::new();
        for t in tables {
            let table = self.schema().get(*t);
            let shape = shape_of(&reader, table).map_err(|e| self.shared.err(e))?;
            problems.extend(describe::verify(table, shape.as_ref()));
        }
        Ok(problems)
    }
    fn describe(&self) -> Result<Vec<LiveTable>> {
        live::describe(&self.shared.reader()?).map_err(|e| self.shared.err(e))
    }
    fn create_tables(&self) -> Result<()> {
        Err(self.shared.read_only("no table is made"))
    }
    fn prepare(&self) -> Result<()> {
        self.shared.copy.prepare()
    }
    fn is_prepared(&self) -> Result<bool> {
        self.shared.copy.is_prepared()
    }
    fn identity(&self) -> Result<Identity> {
        self.shared.copy.identity()
    }
    fn take_over(&self, project: &str, holder: &str) -> Result<i64> {
        self.shared.copy.take_over(project, holder)
    }
    fn capture(&self, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>> {
        let tables = specs.iter().map(|s| s.table).collect();
        self.shared.make_tables(&tables)?;
        locked(&self.shared.state).tables = tables;
        // Before the triggers of a new copy, so that its first rows are not logged one by one.
        self.shared.look(true)?;
        self.shared.copy.capture(wanted_by, specs)
    }
    fn install_guards(&self, project: &str, guards: &[GuardSpec]) -> Result<()> {
        match guards.first() {
            Some(g) => Err(self.shared.read_only(&format!("the guard of map `{}` cannot be installed", g.map))),
            None => self.shared.copy.install_guards(project, guards),
        }
    }
    fn remove_guards(&self, project: &str) -> Result<usize> {
        self.shared.copy.remove_guards(project)
    }
    fn guards(&self, project: &str) -> Result<GuardStatus> {
        self.shared.copy.guards(project)
    }
    fn snapshot(&self) -> Result<Box<dyn Snapshot>> {
        self.shared.copy.snapshot()
    }
    fn begin(&self) -> Result<Box<dyn Transaction>> {
        self.shared.copy.begin()
    }
    fn watch(&self) -> Result<Box<dyn Watch>> {
        Ok(Box::new(Looking { shared: self.shared.clone(), copy: self.shared.copy.watch()? }))
    }
    fn position_at(&self, seq: i64) -> Position {
        self.shared.copy.position_at(seq)
    }
    fn acknowledge(&self, acks: &[(String, Position)]) -> Result<()> {
        self.shared.copy.acknowledge(acks)
    }
    fn maintain(&self) -> Result<()> {
        self.shared.copy.maintain()
    }
}

/// Looks when it is time, and says whether the copy changed.
struct Looking {
    shared: Arc<Shared>,
    copy: Box<dyn Watch>,
}

impl Watch for Looking {
    fn changed(&mut self) -> Result<bool> {
        self.shared.look(false)?;
        self.copy.changed()
    }
}

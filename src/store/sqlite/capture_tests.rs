//! What the capture triggers log where SQLite's shortcuts might leave them out.

use super::*;
use crate::schema::{ColumnId, Table};
use crate::store::{Change, Op, conformance::col};
use crate::value::{Type, Value};
use rusqlite::Connection;
use tempfile::TempDir;

const T: TableId = TableId(0);

/// Runs `sql` on a captured table `t` of integer `id`, and text columns beside it; what is logged.
fn logged(ddl: &str, columns: &[&str], watched: &[u32], sql: &str) -> Vec<Change> {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("t.db");
    let user = Connection::open(&path).unwrap();
    user.execute_batch(ddl).unwrap();
    let mut all = vec![col("id", Type::Integer)];
    all.extend(columns.iter().map(|c| col(c, Type::Text { max: None })));
    let t = Table { name: "t".into(), primary_key: vec![ColumnId(0)], columns: all, ..Table::default() };
    let schema = Arc::new(StoreSchema { tables: vec![t], ..StoreSchema::default() });
    let store = SqliteStore::open("s", &path, schema, Options::default()).unwrap();
    store.prepare().unwrap();
    let watched: Vec<ColumnId> = watched.iter().map(|c| ColumnId(*c)).collect();
    store.capture("p", &[CaptureSpec { table: T, old: watched.clone(), watched }]).unwrap();
    user.execute_batch(sql).unwrap();
    let mut out = Vec::new();
    store.snapshot().unwrap().changes(&Position::default(), &[T], &[], 1000, &mut out).unwrap();
    assert!(out.iter().all(|c| c.at.len() == 24 && c.at.ends_with('Z')), "{out:?}");
    out
}

fn ops(changes: &[Change]) -> Vec<(Op, i64)> {
    let id = |c: &Change| match c.key.as_deref() {
        Ok([Value::Integer(i)]) => *i,
        _ => -1,
    };
    changes.iter().map(|c| (c.op, id(c))).collect()
}

#[test]
fn a_row_id_is_seen_under_any_of_its_names() {
    for name in ["id", "rowid", "OID", "_rowid_"] {
        let sql = format!(
            "INSERT INTO t VALUES (1, 'a'), (2, 'b'); UPDATE t SET {name} = 9 WHERE a = 'a'; \
             UPDATE OR REPLACE t SET {name} = 2 WHERE a = 'a'; UPDATE t SET a = a"
        );
        let log = logged("CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT)", &["a"], &[1], &sql);
        let expected = [(Op::Insert, 1), (Op::Insert, 2), (Op::Update, 9), (Op::Delete, 2), (Op::Update, 2)];
        assert_eq!(ops(&log), expected, "{name}");
        assert_eq!(log[2].old_key, Some(vec![Value::Integer(1)]));
        assert_eq!(log[3].old, [(ColumnId(1), Value::text("b"))]);
    }
}

#[test]
fn computed_columns_change_without_being_set() {
    let ddl = "CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT, b TEXT UNIQUE, c TEXT AS (upper(a)) STORED UNIQUE)";
    let sql = "INSERT INTO t VALUES (1, 'a', 'x'), (2, 'b', 'y'); UPDATE OR REPLACE t SET a = 'B' WHERE id = 1; \
               UPDATE t SET b = 'z'";
    let log = logged(ddl, &["c"], &[1], sql);
    assert_eq!(ops(&log), [(Op::Insert, 1), (Op::Insert, 2), (Op::Delete, 2), (Op::Update, 1)]);
}

#[test]
fn foreign_keys_that_cascade_are_seen() {
    let ddl = "CREATE TABLE p (k TEXT PRIMARY KEY); INSERT INTO p VALUES ('x'); \
               CREATE TABLE t (id INTEGER PRIMARY KEY, a TEXT REFERENCES p ON UPDATE CASCADE ON DELETE SET NULL, b TEXT)";
    let sql = "PRAGMA foreign_keys = ON; INSERT INTO t VALUES (1, 'x', 'n'); UPDATE p SET k = 'y'; UPDATE t SET b = 'm'; \
               DELETE FROM p";
    let log = logged(ddl, &["a", "b"], &[1], sql);
    assert_eq!(ops(&log), [(Op::Insert, 1), (Op::Update, 1), (Op::Update, 1)]);
    assert_eq!(log[2].old, [(ColumnId(1), Value::text("y"))]);
}

#[test]
fn numbers_of_the_log_go_up_after_it_was_cut() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("t.db");
    let user = Connection::open(&path).unwrap();
    user.execute_batch("CREATE TABLE t (id INTEGER PRIMARY KEY)").unwrap();
    let t = Table {
        name: "t".into(),
        primary_key: vec![ColumnId(0)],
        columns: vec![col("id", Type::Integer)],
        ..Table::default()
    };
    let schema = Arc::new(StoreSchema { tables: vec![t], ..StoreSchema::default() });
    let store = SqliteStore::open("s", &path, schema, Options::default()).unwrap();
    store.prepare().unwrap();
    store.capture("p", &[CaptureSpec { table: T, watched: vec![], old: vec![] }]).unwrap();
    user.execute_batch("INSERT INTO t VALUES (1), (2), (3)").unwrap();
    user.execute_batch("UPDATE _tablemap_changes SET at = '2020-01-01 00:00:00'").unwrap();
    store.acknowledge(&[("l".into(), store.position_at(3))]).unwrap();
    store.maintain().unwrap();
    let seqs =
        || -> String { user.query_row("SELECT group_concat(seq) FROM _tablemap_changes", [], |r| r.get(0)).unwrap() };
    assert_eq!(seqs(), "3", "the newest is the witness and stays");
    user.execute_batch("BEGIN; DELETE FROM t; ROLLBACK; DELETE FROM t WHERE id = 1").unwrap();
    assert_eq!(seqs(), "3,4");
}

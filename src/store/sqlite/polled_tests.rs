//! A file that may only be read: what is found in it, and that nothing is left in it.

use super::*;
use crate::schema::{Column, ColumnId, Table};
use crate::store::conformance::col;
use crate::store::{Change, ReadPlan, Rows};
use crate::value::{Collation, Type, Value};
use rusqlite::Connection;
use std::collections::BTreeMap;
use std::time::Duration;
use tempfile::TempDir;

const T: TableId = TableId(0);

/// T: ID text, AMOUNT integer, NOTE text(5), VERSION integer.
fn schema(collation: Collation) -> Arc<StoreSchema> {
    let id = Column { collation, ..col("ID", Type::Text { max: None }) };
    let note = col("NOTE", Type::Text { max: Some(5) });
    let columns = vec![id, col("AMOUNT", Type::Integer), note, col("VERSION", Type::Integer)];
    let table = Table { name: "T".into(), primary_key: vec![ColumnId(0)], columns, ..Table::default() };
    Arc::new(StoreSchema { tables: vec![table], ..StoreSchema::default() })
}

struct Rig {
    dir: TempDir,
    store: PolledStore,
    user: Connection,
    at: Position,
}

impl Rig {
    fn new(sql: &str, poll: Poll) -> Rig {
        Rig::with(sql, poll, Collation::Exact)
    }
    fn with(sql: &str, poll: Poll, collation: Collation) -> Rig {
        let dir = TempDir::new().unwrap();
        let user = Connection::open(dir.path().join("source.db")).unwrap();
        user.execute_batch("CREATE TABLE T (ID TEXT, AMOUNT INTEGER, NOTE TEXT, VERSION INTEGER)").unwrap();
        user.execute_batch(sql).unwrap();
        let store = open(&dir, poll, collation);
        let mut rig = Rig { dir, store, user, at: Position::default() };
        assert_eq!(rig.capture(), [T]);
        rig.at = rig.store.snapshot().unwrap().head().unwrap();
        rig
    }
    fn capture(&self) -> Vec<TableId> {
        let all: Vec<ColumnId> = (0..4).map(ColumnId).collect();
        let spec = CaptureSpec { table: T, watched: all.clone(), old: all[1..].to_vec() };
        self.store.prepare().unwrap();
        self.store.capture("p", &[spec]).unwrap()
    }
    /// The changes since the last call, as a user would tell them.
    fn changes(&mut self) -> Vec<String> {
        let mut view = self.store.snapshot().unwrap();
        let mut out: Vec<Change> = Vec::new();
        view.changes(&self.at, &[T], &[], 1000, &mut out).unwrap();
        self.at = view.head().unwrap();
        let mut told: Vec<String> = out
            .iter()
            .map(|c| {
                let key = format!("{:?}", c.key.as_ref().unwrap()[0]);
                let old: Vec<String> = c.old.iter().map(|(c, v)| format!("{}={v:?}", c.0)).collect();
                format!("{:?} {key} {}", c.op, old.join(" ")).trim_end().to_string()
            })
            .collect();
        told.sort();
        told
    }
    fn sql(&self, sql: &str) {
        self.user.execute_batch(sql).unwrap();
    }
    /// Whether the copy holds what the file holds.
    fn agrees(&self) -> bool {
        let conn = Connection::open(self.dir.path().join("copy.db")).unwrap();
        conn.execute("ATTACH ?1 AS s", [self.dir.path().join("source.db").to_str().unwrap()]).unwrap();
        let row = "SELECT quote(ID), quote(AMOUNT), quote(NOTE), quote(VERSION) FROM";
        let sql = format!(
            "SELECT count(*) FROM (SELECT * FROM ({row} main.T EXCEPT {row} s.T) UNION ALL \
             SELECT * FROM ({row} s.T EXCEPT {row} main.T))"
        );
        conn.query_row(&sql, [], |r| r.get::<_, i64>(0)).unwrap() == 0
    }
}

fn open(dir: &TempDir, poll: Poll, collation: Collation) -> PolledStore {
    let (source, copy) = (dir.path().join("source.db"), dir.path().join("copy.db"));
    PolledStore::open("s", &source, &copy, schema(collation), poll, Options::default()).unwrap()
}

fn text(s: &str) -> String {
    format!("{:?}", Value::Text(s.into()))
}

#[test]
fn changes_are_found_by_comparison() {
    let mut rig =
        Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 0), ('b', 2, NULL, 0), ('c', 3, 'z', 0)", Poll::default());
    assert!(!rig.store.look().unwrap());
    rig.sql(
        "UPDATE T SET AMOUNT = 10 WHERE ID = 'a'; DELETE FROM T WHERE ID = 'b'; INSERT INTO T VALUES ('d', 4, '', 0)",
    );
    assert!(rig.store.look().unwrap());
    let (one, two) = (format!("{:?}", Value::Integer(1)), format!("{:?}", Value::Integer(2)));
    let (null, nought) = (format!("{:?}", Value::Null), format!("{:?}", Value::Integer(0)));
    let expected = [
        format!("Delete {} 1={two} 2={null} 3={nought}", text("b")),
        format!("Insert {}", text("d")),
        format!("Update {} 1={one} 2={} 3={nought}", text("a"), text("x")),
    ];
    assert_eq!(rig.changes(), expected);
    assert!(!rig.store.look().unwrap());
    assert!(rig.changes().is_empty());
}

#[test]
fn a_changed_key_is_a_delete_and_an_insert() {
    let mut rig = Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 0), ('b', 2, 'y', 0)", Poll::default());
    rig.sql("UPDATE T SET ID = CASE ID WHEN 'a' THEN 'b' ELSE 'a' END; UPDATE T SET ID = 'new' WHERE ID = 'b'");
    assert!(rig.store.look().unwrap());
    let kinds: Vec<String> = rig.changes().iter().map(|c| c.chars().take(6).collect()).collect();
    assert_eq!(kinds, ["Delete", "Insert", "Update"]);
    assert!(rig.agrees());
}

#[test]
fn nothing_is_left_in_the_file() {
    for mode in ["DELETE", "WAL"] {
        let sql = format!("PRAGMA journal_mode = {mode}; INSERT INTO T VALUES ('a', 1, 'x', 0)");
        let rig = Rig::new(&sql, Poll::default());
        rig.store.look().unwrap();
        let version = |c: &Connection| c.query_row("PRAGMA data_version", [], |r| r.get::<_, i64>(0)).unwrap();
        let before = version(&rig.user);
        rig.capture();
        rig.store.look().unwrap();
        rig.store.maintain().unwrap();
        assert_eq!(version(&rig.user), before, "somebody wrote to it");
        let sql = "SELECT group_concat(name) FROM sqlite_master";
        assert_eq!(rig.user.query_row(sql, [], |r| r.get::<_, String>(0)).unwrap(), "T");
        let stays: String = rig.user.query_row("PRAGMA journal_mode", [], |r| r.get(0)).unwrap();
        assert_eq!(stays, mode.to_lowercase());
    }
}

#[test]
fn values_are_kept_as_they_are_stored() {
    let sql = "INSERT INTO T VALUES ('a', 'no number', 'far too long a note', 0), ('b', 1.5, x'00ff', 0), \
               ('n' || char(0) || 'l', 1, 'a' || char(0), 0)";
    let mut rig = Rig::new(sql, Poll::default());
    assert!(rig.agrees());
    let plan = ReadPlan { table: T, joins: vec![], columns: (0..4).map(|c| (0, ColumnId(c))).collect() };
    let mut rows = Rows::of(&plan);
    rig.store.snapshot().unwrap().scan(&plan, None, 10, &mut rows).unwrap();
    let told: Vec<&str> = rows.misfits.iter().map(|(_, m)| m.value.as_str()).collect();
    assert!(told.contains(&"'no number'") && told.contains(&"'far too long a note'"), "{told:?}");
    // 1 and '1', and texts that differ in case only, are different.
    rig.sql("UPDATE T SET NOTE = 1 WHERE ID = 'a'; UPDATE T SET NOTE = 'A' || char(0) WHERE AMOUNT = 1");
    assert!(rig.store.look().unwrap());
    assert_eq!(rig.changes().len(), 2);
    assert!(rig.agrees());
}

#[test]
fn rows_by_a_growing_column_and_the_rest_now_and_then() {
    let modified = BTreeMap::from([(T, ColumnId(3))]);
    let poll = Poll { every: Duration::ZERO, modified, full: Duration::from_secs(3600) };
    let mut rig = Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 5), ('b', 2, 'y', 6)", poll);
    let mut watch = rig.store.watch().unwrap();
    assert!(watch.changed().unwrap(), "the first call says yes");
    rig.sql("UPDATE T SET AMOUNT = 9, VERSION = 7 WHERE ID = 'a'; INSERT INTO T VALUES ('c', 3, '', 6)");
    assert!(watch.changed().unwrap());
    assert_eq!(rig.changes().len(), 2);
    // A row with a lower version, and one that went, wait for the full comparison.
    rig.sql("INSERT INTO T VALUES ('late', 4, '', 1); DELETE FROM T WHERE ID = 'b'");
    watch.changed().unwrap();
    assert_eq!(rig.changes().len(), 0);
    assert!(rig.store.look().unwrap());
    assert_eq!(rig.changes().len(), 2);
    assert!(rig.agrees());
}

#[test]
fn it_waits_between_two_looks() {
    let mut rig = Rig::new("", Poll { every: Duration::from_secs(3600), ..Poll::default() });
    let mut watch = rig.store.watch().unwrap();
    watch.changed().unwrap();
    rig.sql("INSERT INTO T VALUES ('a', 1, 'x', 5)");
    assert!(!watch.changed().unwrap());
    assert!(rig.changes().is_empty());
}

#[test]
fn a_key_that_differs_in_case_only_stays_one_row() {
    let mut rig = Rig::with("INSERT INTO T VALUES ('a', 1, 'x', 0)", Poll::default(), Collation::NoCase);
    rig.sql("UPDATE T SET ID = 'A'");
    assert!(rig.store.look().unwrap());
    assert_eq!(rig.changes().len(), 1);
    assert!(rig.agrees());
    rig.sql("INSERT INTO T VALUES ('b', 1, 'x', 0), ('B', 1, 'x', 0)");
    let told = rig.store.look().unwrap_err().to_string();
    assert!(told.contains("two rows of table `T` hold the same (ID)"), "{told}");
}

#[test]
fn a_file_put_in_its_place_is_compared_like_any_other() {
    let mut rig = Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 0), ('b', 2, 'y', 0)", Poll::default());
    let (path, other) = (rig.dir.path().join("source.db"), rig.dir.path().join("other.db"));
    let conn = Connection::open(&other).unwrap();
    conn.execute_batch(
        "CREATE TABLE T (ID TEXT, AMOUNT INTEGER, NOTE TEXT, VERSION INTEGER); INSERT INTO T VALUES ('b', 3, 'y', 0)",
    )
    .unwrap();
    drop(conn);
    std::fs::rename(&other, &path).unwrap();
    assert!(rig.store.look().unwrap());
    assert_eq!(rig.changes().len(), 2);
    assert!(rig.agrees());
    // Gone: told; back: it goes on.
    std::fs::rename(&path, &other).unwrap();
    assert!(matches!(rig.store.look(), Err(StoreError::Unreachable { .. })));
    std::fs::rename(&other, &path).unwrap();
    assert!(!rig.store.look().unwrap());
}

#[test]
fn a_table_of_another_shape_is_copied_anew() {
    let rig = Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 0)", Poll::default());
    assert!(rig.capture().is_empty(), "nothing new to capture");
    rig.sql("DROP TABLE T; CREATE TABLE T (ID TEXT PRIMARY KEY, AMOUNT TEXT, NOTE TEXT, VERSION INTEGER)");
    rig.sql("INSERT INTO T VALUES ('a', 1, 'x', 0)");
    assert_eq!(rig.capture(), [T], "made anew, so its legs go through it once more");
    assert!(rig.agrees());
}

#[test]
fn it_remembers_where_it_was() {
    let mut rig = Rig::new("INSERT INTO T VALUES ('a', 1, 'x', 0)", Poll::default());
    rig.sql("UPDATE T SET AMOUNT = 2");
    rig.store = open(&rig.dir, Poll::default(), Collation::Exact);
    assert!(rig.capture().is_empty());
    assert_eq!(rig.changes().len(), 1, "what changed while nobody looked");
}

#[test]
fn it_is_never_written() {
    let rig = Rig::new("", Poll::default());
    let mut tx = rig.store.begin().unwrap();
    let values = [Value::Text("a".into()), Value::Integer(1)];
    let told = tx.insert(T, &[ColumnId(0), ColumnId(1)], &values).unwrap_err().to_string();
    assert!(told.contains("is only read"), "{told}");
    assert!(rig.store.create_tables().is_err());
}

#[test]
fn seeded_changes_end_in_the_same_rows() {
    let modified = BTreeMap::from([(T, ColumnId(3))]);
    for poll in [Poll::default(), Poll { modified, ..Poll::default() }] {
        let rig = Rig::new("", poll);
        let mut seed = 1u64;
        let mut random = |n: u64| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 33) % n
        };
        for _ in 0..60 {
            for _ in 0..random(8) {
                let (id, n) = (random(12), random(5));
                rig.sql(&match random(4) {
                    0 => format!("DELETE FROM T WHERE ID = 'k{id}'"),
                    1 => format!("UPDATE T SET AMOUNT = {n}, NOTE = NULL WHERE ID = 'k{id}'"),
                    2 => format!("UPDATE T SET ID = 'k{n}' WHERE ID = 'k{id}' AND NOT EXISTS (SELECT 1 FROM T WHERE ID = 'k{n}')"),
                    _ => format!("INSERT INTO T SELECT 'k{id}', {n}, 'n{n}', {n} WHERE NOT EXISTS (SELECT 1 FROM T WHERE ID = 'k{id}')"),
                });
            }
            rig.store.look().unwrap();
            assert!(rig.agrees());
        }
    }
}

//! What only SQLite does.

use super::*;
use crate::schema::{Column, ColumnId, Table};
use crate::store::conformance::{self, Rig, col};
use crate::store::{Op, ReadPlan, RecordErrorKind, Rows};
use crate::value::{Type, Value};
use rusqlite::Connection;
use tempfile::TempDir;

fn user_of(path: &Path) -> conformance::User {
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
        Rig { store: Box::new(store), user: user_of(&path), typed: None }
    });
}

#[test]
fn the_scratch_store_conforms() {
    conformance::run(&|schema| {
        let store = crate::store::memory::open("s", schema).unwrap();
        let user = user_of(store.path());
        Rig { store: Box::new(store), user, typed: None }
    });
}

/// A store over tables that a user made by `sql`, with the schema's tables as `conformance::schema` has them.
fn over(dir: &TempDir, sql: &str, schema: StoreSchema) -> (SqliteStore, Connection) {
    let (store, path) = open(dir, Arc::new(schema));
    let user = Connection::open(path).unwrap();
    user.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    user.execute_batch(sql).unwrap();
    (store, user)
}

fn table(name: &str, key: &[u32], columns: Vec<Column>) -> Table {
    Table { name: name.into(), primary_key: key.iter().map(|i| ColumnId(*i)).collect(), columns, ..Table::default() }
}

fn schema_of(tables: Vec<Table>) -> StoreSchema {
    StoreSchema { tables, ..StoreSchema::default() }
}

const T: TableId = TableId(0);
const C0: ColumnId = ColumnId(0);
const C1: ColumnId = ColumnId(1);

fn text_columns(n: usize) -> Vec<Column> {
    (0..n).map(|i| col(&format!("c{i}"), Type::Text { max: None })).collect()
}

fn watch_all(store: &SqliteStore) -> Vec<TableId> {
    let all: Vec<ColumnId> = (0..store.schema().get(T).columns.len() as u32).map(ColumnId).collect();
    store.capture("p", &[CaptureSpec { table: T, watched: all.clone(), old: all }]).unwrap()
}

fn log(store: &SqliteStore) -> Vec<crate::store::Change> {
    let mut out = Vec::new();
    store.snapshot().unwrap().changes(&Position::default(), &[T], &[], 1000, &mut out).unwrap();
    out
}

fn ops(store: &SqliteStore) -> Vec<(Op, String)> {
    let key = |k: Vec<Value>| k.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    log(store).into_iter().map(|c| (c.op, c.key.map_or("misfit".into(), key))).collect()
}

#[test]
fn says_why_a_file_cannot_be_opened() {
    let dir = TempDir::new().unwrap();
    let schema = Arc::new(StoreSchema::default());
    let try_open =
        |path: &Path| match SqliteStore::open("s", path, schema.clone(), Options { busy_ms: 50, ..Options::default() })
        {
            Err(e @ StoreError::Unreachable { .. }) => e.to_string(),
            Err(e) => panic!("{e:?}"),
            Ok(_) => panic!("it opened"),
        };
    assert!(try_open(&dir.path().join("none.db")).contains("does not exist"));
    assert!(try_open(dir.path()).contains("is a folder"));
    let other = dir.path().join("other.db");
    std::fs::write(&other, "this is a text file, long enough to be looked at as a database header".repeat(20)).unwrap();
    assert!(try_open(&other).contains("no SQLite database"));
    let locked = dir.path().join("locked.db");
    let user = Connection::open(&locked).unwrap();
    user.execute_batch("CREATE TABLE t (a); BEGIN EXCLUSIVE").unwrap();
    assert!(try_open(&locked).contains("locked"));
}

#[test]
fn verifies_shapes() {
    let dir = TempDir::new().unwrap();
    let mut t = table("T", &[0], text_columns(3));
    t.columns[2].ty = Type::Integer;
    t.alternate_keys = vec![vec![C1]];
    let schema = schema_of(vec![t, table("None", &[0], text_columns(1))]);
    let (store, _user) = over(&dir, "CREATE TABLE t (c0 INTEGER PRIMARY KEY, c1 TEXT)", schema);
    assert_eq!(
        store.verify(&[T, TableId(1)]).unwrap(),
        vec![
            "column `c0` of `T` is declared INTEGER, in which a value of type text would not stay what it is",
            "table `T` has no column `c2`",
            "table `T` has no unique index on (c1)",
            "there is no table `None`",
        ]
    );
}

#[test]
fn decimals_are_exact_or_refused() {
    let dir = TempDir::new().unwrap();
    let dec = |name: &str| col(name, Type::Decimal { limits: None });
    let schema = schema_of(vec![table("t", &[0], vec![col("id", Type::Integer), dec("n"), dec("x"), dec("r")])]);
    let (store, user) = over(&dir, "CREATE TABLE t (id INTEGER PRIMARY KEY, n DECIMAL(32,6), x TEXT, r REAL)", schema);
    let columns = [C0, C1, ColumnId(2), ColumnId(3)];
    let d = |s: &str| Value::Decimal(crate::value::Dec::parse(s).unwrap());
    let mut tx = store.begin().unwrap();
    for (i, s) in ["0.1", "-12.50", "9007199254740993", "0", "123456789.123456"].iter().enumerate() {
        let id = Value::Integer(i as i64);
        let real = if *s == "9007199254740993" { Value::Null } else { d(s) };
        tx.insert(T, &columns, &[id, d(s), d(s), real]).unwrap().unwrap();
    }
    for s in ["12345678901234567890.123456", "0.12345678901234567891", "9223372036854775808.5"] {
        let e = tx.insert(T, &columns[..2], &[Value::Integer(99), d(s)]).unwrap().unwrap_err();
        assert_eq!((e.kind, e.column), (RecordErrorKind::Misfit, Some(C1)), "{s}");
        assert!(e.message.contains("make the column TEXT"));
    }
    let e = tx.insert(T, &[C0, ColumnId(3)], &[Value::Integer(99), d("9007199254740993")]).unwrap().unwrap_err();
    assert_eq!(e.kind, RecordErrorKind::Misfit);
    tx.commit().unwrap();
    user.execute_batch("INSERT INTO t VALUES (50, 'twelve', '1e3', 1e300), (51, 1.5, '+1', 2)").unwrap();
    let plan = ReadPlan { table: T, joins: vec![], columns: columns.iter().map(|c| (0, *c)).collect() };
    let mut rows = Rows::of(&plan);
    store.snapshot().unwrap().scan(&plan, None, 100, &mut rows).unwrap();
    assert_eq!(rows.row(0)[1..], [d("0.1"), d("0.1"), d("0.1")]);
    assert_eq!(rows.row(1)[1..], [d("-12.5"), d("-12.5"), d("-12.5")]);
    assert_eq!(rows.row(1)[2].to_string(), "-12.50");
    assert_eq!(rows.row(2)[1..], [d("9007199254740993"), d("9007199254740993"), Value::Null]);
    assert_eq!(rows.row(4)[1..], [d("123456789.123456"), d("123456789.123456"), d("123456789.123456")]);
    let bad: Vec<(u32, &str)> = rows.misfits.iter().map(|(_, m)| (m.column.0, m.value.as_str())).collect();
    assert_eq!(bad[0], (1, "'twelve'"));
    assert_eq!(bad[1], (2, "'1e3'"));
    assert_eq!(rows.row(6)[1], d("1.5"));
}

#[test]
fn no_text_becomes_a_number_and_no_number_text() {
    let dir = TempDir::new().unwrap();
    let schema = schema_of(vec![table(
        "t",
        &[0],
        vec![
            col("id", Type::Integer),
            col("a", Type::Text { max: None }),
            col("b", Type::Integer),
            col("c", Type::Uuid),
        ],
    )]);
    let (store, user) = over(&dir, "CREATE TABLE t (id INTEGER PRIMARY KEY, a NUMERIC, b TEXT, c BLOB)", schema);
    let mut tx = store.begin().unwrap();
    let id = Value::Integer(1);
    for s in ["007", " 1e5 ", "-.5"] {
        let e = tx.insert(T, &[C0, C1], &[id.clone(), Value::text(s)]).unwrap().unwrap_err();
        assert_eq!((e.kind, e.column), (RecordErrorKind::Misfit, Some(C1)), "{s}");
    }
    let e = tx.insert(T, &[C0, ColumnId(2)], &[id.clone(), Value::Integer(5)]).unwrap().unwrap_err();
    assert_eq!(e.column, Some(ColumnId(2)));
    let u = Value::Uuid(uuid::Uuid::from_u128(7));
    tx.insert(T, &[C0, C1, ColumnId(3)], &[id, Value::text("7 dwarfs"), u.clone()]).unwrap().unwrap();
    tx.commit().unwrap();
    assert!(user.query_row("SELECT typeof(c) = 'blob' FROM t", [], |r| r.get::<_, bool>(0)).unwrap());
    user.execute_batch("INSERT INTO t VALUES (2, 5, 'x', 'no uuid'), (3, X'00', NULL, NULL)").unwrap();
    let plan = ReadPlan { table: T, joins: vec![], columns: (0..4).map(|c| (0, ColumnId(c))).collect() };
    let mut rows = Rows::of(&plan);
    store.snapshot().unwrap().scan(&plan, None, 100, &mut rows).unwrap();
    assert_eq!(rows.row(0)[3], u);
    let reasons: Vec<&str> = rows.misfits.iter().map(|(_, m)| m.reason.as_str()).collect();
    assert_eq!(
        reasons,
        vec![
            "is stored as a whole number, not as text",
            "is stored as text, not as integer",
            "is no uuid",
            "is stored as bytes, not as text"
        ]
    );
}

#[test]
fn reads_in_key_order_over_the_key_index() {
    let dir = TempDir::new().unwrap();
    let (store, path) = open(&dir, conformance::schema());
    store.create_tables().unwrap();
    let user = Connection::open(path).unwrap();
    let mut handle = store.handle(false).unwrap();
    for plan in [conformance::line_plan(), conformance::every(TableId(0), 14), conformance::every(TableId(1), 3)] {
        let p = handle.scan_plan(&plan).unwrap();
        for sql in [&p.scan_first, &p.scan_next, &p.fetch] {
            let mut s = user.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let n = s.parameter_count();
            let steps: Vec<String> = s
                .query_map(rusqlite::params_from_iter(vec![1; n]), |r| r.get(3))
                .unwrap()
                .collect::<rusqlite::Result<_>>()
                .unwrap();
            assert!(!steps.iter().any(|s| s.contains("TEMP B-TREE")), "{sql}: {steps:?}");
            assert!(!steps[1..].iter().any(|s| s.contains("SCAN")), "{sql}: {steps:?}");
            assert_eq!(
                steps[0].contains("SCAN"),
                sql == &p.scan_first && steps[0].starts_with("SCAN"),
                "{sql}: {steps:?}"
            );
        }
    }
}

#[test]
fn collations_of_the_schema_hold_over_the_stored_ones() {
    let dir = TempDir::new().unwrap();
    let mut t = table("t", &[0], text_columns(2));
    t.columns[0].collation = crate::value::Collation::NoCase;
    let (store, _user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT COLLATE NOCASE); \
         INSERT INTO t VALUES ('b', 'x'), ('A', 'X'), ('C', 'y'), ('d', NULL)",
        schema_of(vec![t]),
    );
    let plan = ReadPlan { table: T, joins: vec![], columns: vec![(0, C0)] };
    let (mut seen, mut after) = (Vec::new(), None);
    for _ in 0..4 {
        let mut rows = Rows::of(&plan);
        store.snapshot().unwrap().scan(&plan, after.as_deref(), 1, &mut rows).unwrap();
        let key = rows.row(0)[0].clone();
        after = Some(vec![crate::value::Collation::NoCase.fold(&key)]);
        seen.push(key.to_string());
    }
    assert_eq!(seen, vec!["'A'", "'b'", "'C'", "'d'"]);
    let mut snap = store.snapshot().unwrap();
    let one = |snap: &mut Box<dyn Snapshot>, by: ColumnId, v: &str| {
        snap.find(T, &[by], &[vec![Value::text(v)]], &[C0]).unwrap().remove(0)
    };
    assert!(matches!(one(&mut snap, C0, "a"), crate::store::Found::One { .. }));
    assert!(matches!(one(&mut snap, C1, "x"), crate::store::Found::One { key, .. } if key == [Value::text("b")]));
}

#[test]
fn a_chunk_does_not_end_on_an_unreadable_key() {
    let dir = TempDir::new().unwrap();
    let schema = schema_of(vec![table("t", &[0], vec![col("c0", Type::Text { max: Some(3) })])]);
    let (store, _user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY); INSERT INTO t VALUES ('a'), ('bbbb'), ('cccc'), ('d'), ('e')",
        schema,
    );
    let plan = ReadPlan { table: T, joins: vec![], columns: vec![(0, C0)] };
    let mut rows = Rows::of(&plan);
    let mut snap = store.snapshot().unwrap();
    snap.scan(&plan, None, 2, &mut rows).unwrap();
    assert_eq!((rows.len(), rows.misfits.len()), (4, 2));
    assert_eq!(rows.row(3)[0], Value::text("d"));
}

#[test]
fn lost_transactions_move_nothing() {
    let dir = TempDir::new().unwrap();
    let (store, user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT CHECK (c1 <> 'checked')); \
         CREATE TRIGGER r BEFORE INSERT ON t WHEN NEW.c1 = 'rollback' BEGIN SELECT RAISE(ROLLBACK, 'all of it'); END; \
         CREATE TRIGGER f AFTER INSERT ON t WHEN NEW.c1 = 'fail' BEGIN SELECT RAISE(FAIL, 'half of it'); END; \
         CREATE TRIGGER a AFTER INSERT ON t WHEN NEW.c1 = 'abort' BEGIN SELECT RAISE(ABORT, 'not this one'); END;",
        schema_of(vec![table("t", &[0], text_columns(2))]),
    );
    let mut tx = store.begin().unwrap();
    let row = |a: &str, b: &str| [Value::text(a), Value::text(b)];
    tx.insert(T, &[C0, C1], &row("1", "good")).unwrap().unwrap();
    for (what, message) in [("fail", "half of it"), ("abort", "not this one"), ("checked", "CHECK constraint failed")] {
        let e = tx.insert(T, &[C0, C1], &row("2", what)).unwrap().unwrap_err();
        assert_eq!(e.kind, RecordErrorKind::Refused);
        assert!(e.message.contains(message), "{e:?}");
    }
    tx.commit().unwrap();
    let count = || user.query_row("SELECT count(*) FROM t", [], |r| r.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 1, "what failed half way is undone");
    let mut tx = store.begin().unwrap();
    tx.insert(T, &[C0, C1], &row("3", "good")).unwrap().unwrap();
    assert!(matches!(tx.insert(T, &[C0, C1], &row("4", "rollback")), Err(StoreError::Lost { .. })));
    assert!(matches!(tx.insert(T, &[C0, C1], &row("5", "good")), Err(StoreError::Lost { .. })));
    assert!(matches!(tx.writing("l", false, ""), Err(StoreError::Lost { .. })));
    assert!(matches!(tx.commit(), Err(StoreError::Lost { .. })));
    assert_eq!(count(), 1);
    let mut tx = store.begin().unwrap();
    tx.insert(T, &[C0, C1], &row("6", "good")).unwrap().unwrap();
    tx.commit().unwrap();
    assert_eq!(count(), 2);
}

#[test]
fn foreign_keys_fail_a_record_or_the_commit() {
    let dir = TempDir::new().unwrap();
    let (store, user) = over(
        &dir,
        "CREATE TABLE p (id TEXT PRIMARY KEY); \
         CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT REFERENCES p, c2 TEXT REFERENCES p DEFERRABLE INITIALLY DEFERRED)",
        schema_of(vec![table("t", &[0], text_columns(3))]),
    );
    let mut tx = store.begin().unwrap();
    let e = tx.insert(T, &[C0, C1], &[Value::text("1"), Value::text("none")]).unwrap().unwrap_err();
    assert_eq!(e.kind, RecordErrorKind::Foreign);
    tx.insert(T, &[C0, ColumnId(2)], &[Value::text("2"), Value::text("none")]).unwrap().unwrap();
    assert!(matches!(tx.commit(), Err(StoreError::Lost { .. })));
    assert_eq!(user.query_row("SELECT count(*) FROM t", [], |r| r.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn a_users_trigger_may_update_its_own_row() {
    let dir = TempDir::new().unwrap();
    let (store, _user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT); INSERT INTO t VALUES ('a', 'x'); \
         CREATE TRIGGER m AFTER UPDATE ON t BEGIN UPDATE t SET c1 = c1 || '!' WHERE c0 = NEW.c0; END",
        schema_of(vec![table("t", &[0], text_columns(2))]),
    );
    store.prepare().unwrap();
    watch_all(&store);
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/right", false, "").unwrap();
    tx.update(T, &[Value::text("a")], &[C1], &[Value::text("y")]).unwrap().unwrap();
    tx.commit().unwrap();
    let all = log(&store);
    assert_eq!(all.len(), 2);
    assert!(all.iter().any(|c| c.old.contains(&(C1, Value::text("y")))), "{all:?}");
}

#[test]
fn replace_is_captured() {
    let dir = TempDir::new().unwrap();
    let (store, user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT UNIQUE, c2 TEXT); \
         INSERT INTO t VALUES ('a', '1', 'x'), ('b', '2', 'y'), ('c', '3', 'z')",
        schema_of(vec![table("t", &[0], text_columns(3))]),
    );
    store.prepare().unwrap();
    assert_eq!(watch_all(&store), vec![T]);
    let gone = |key: &str| (Op::Delete, format!("'{key}'"));
    user.execute_batch("INSERT OR REPLACE INTO t VALUES ('d', '1', 'new')").unwrap();
    assert_eq!(ops(&store), vec![gone("a"), (Op::Insert, "'d'".into())]);
    assert!(log(&store)[0].old.contains(&(ColumnId(2), Value::text("x"))));
    user.execute_batch("UPDATE OR REPLACE t SET c1 = '2' WHERE c0 = 'c'").unwrap();
    assert_eq!(ops(&store)[2..], [gone("b"), (Op::Update, "'c'".into())]);
    user.execute_batch("UPDATE t SET c2 = 'only a value'; DELETE FROM _tablemap_changes").unwrap();
    // What fails leaves nothing.
    user.execute_batch("INSERT INTO t VALUES ('e', '2', '')").unwrap_err();
    user.execute_batch("UPDATE t SET c1 = '1' WHERE c0 = 'c'").unwrap_err();
    assert_eq!(ops(&store), vec![]);
    // An upsert tells the row twice; it is still there for who looks.
    user.execute_batch("INSERT INTO t VALUES ('c', '9', 'up') ON CONFLICT (c0) DO UPDATE SET c2 = excluded.c2")
        .unwrap();
    assert_eq!(ops(&store), vec![gone("c"), (Op::Update, "'c'".into())]);
}

#[test]
fn a_rebuilt_table_is_noticed() {
    let dir = TempDir::new().unwrap();
    let (store, user) =
        over(&dir, "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT)", schema_of(vec![table("t", &[0], text_columns(2))]));
    store.prepare().unwrap();
    assert_eq!(watch_all(&store), vec![T]);
    user.execute_batch("CREATE INDEX i ON t (c1)").unwrap();
    assert_eq!(watch_all(&store), vec![], "another change of the schema is none of ours");
    user.execute_batch(
        "BEGIN; CREATE TABLE n (c0 TEXT PRIMARY KEY, c1 TEXT); INSERT INTO n SELECT * FROM t; DROP TABLE t; \
         ALTER TABLE n RENAME TO t; COMMIT; INSERT INTO t VALUES ('missed', '')",
    )
    .unwrap();
    assert_eq!(watch_all(&store), vec![T]);
    assert_eq!(watch_all(&store), vec![]);
    user.execute_batch("INSERT INTO t VALUES ('seen', ''); DROP TRIGGER _tablemap_capture_t_insert").unwrap();
    assert_eq!(ops(&store), vec![(Op::Insert, "'seen'".into())]);
    assert_eq!(watch_all(&store), vec![T]);
    user.execute_batch("DROP TABLE t").unwrap();
    let e = store.capture("p", &[CaptureSpec { table: T, watched: vec![C1], old: vec![] }]).unwrap_err();
    assert!(matches!(e, StoreError::Schema { .. }), "{e:?}");
}

/// I15: what users do comes out the same with and without capture.
#[test]
fn capture_changes_no_outcome_of_a_users_write() {
    let dir = TempDir::new().unwrap();
    let make = "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT UNIQUE COLLATE NOCASE, c2, c3 TEXT DEFAULT 'd', c4 REAL); \
                CREATE TABLE r (id INTEGER PRIMARY KEY, t TEXT REFERENCES t ON DELETE CASCADE ON UPDATE CASCADE)";
    let schema = || schema_of(vec![table("t", &[0], text_columns(5))]);
    let (plain, a) = over(&dir, make, schema());
    let (captured, b) = over(&dir, make, schema());
    drop(plain);
    captured.prepare().unwrap();
    watch_all(&captured);
    for u in [&a, &b] {
        u.execute_batch("PRAGMA foreign_keys=ON").unwrap();
    }
    for sql in [
        "INSERT INTO t (c0, c1, c2) VALUES ('a', 'x', 1), ('b', 'y', X'00ff'), ('c', NULL, 0.1 + 0.2), ('n' || char(0) || 'l', 'q', 9e999)",
        "INSERT INTO t (c0) VALUES (NULL), (NULL)",
        "INSERT INTO t (c0, c1) VALUES ('d', 'X')",
        "INSERT OR IGNORE INTO t (c0, c1) VALUES ('d', 'X'), ('e', 'E')",
        "INSERT OR REPLACE INTO t (c0, c1) VALUES ('d', 'X')",
        "INSERT OR FAIL INTO t (c0, c1) VALUES ('f', 'F'), ('f', 'G'), ('h', 'H')",
        "INSERT INTO t (c0, c1) VALUES ('e', 'Z') ON CONFLICT DO UPDATE SET c1 = excluded.c1, c2 = last_insert_rowid()",
        "INSERT INTO r (t) VALUES ('d'), ('e'), ('b')",
        "UPDATE OR REPLACE t SET c1 = 'same'",
        "UPDATE t SET c0 = 'bb' WHERE c0 = 'e'",
        "UPDATE OR IGNORE t SET c1 = 'u'",
        "UPDATE t SET rowid = rowid + 100",
        "REPLACE INTO t SELECT c0, c1, c2, c3, c4 FROM t",
        "INSERT INTO t (c0, c2) VALUES (zeroblob(3), changes()), (x'80', 1), (CAST(x'80ff' AS TEXT), 2)",
        "DELETE FROM t WHERE c0 = 'bb'",
        "WITH s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < 50) INSERT INTO t (c0, c2) SELECT 's' || i, i FROM s",
        "DELETE FROM t",
        "INSERT INTO t (c0) VALUES ('last') RETURNING rowid, c0, c3",
    ] {
        let done: Vec<String> = [&a, &b]
            .iter()
            .map(|u| {
                let run = u.execute_batch(sql).map_err(|e| e.to_string());
                let dump: Vec<u8> = u
                    .query_row(
                        "SELECT CAST(ifnull(group_concat(quote(c0) || quote(c1) || quote(c2) || quote(c3) || quote(c4) || typeof(c2), ';'), '') \
                         || (SELECT ifnull(group_concat(id || t), '') FROM r) AS BLOB) FROM (SELECT * FROM t ORDER BY rowid)",
                        [],
                        |r| r.get(0),
                    )
                    .unwrap();
                format!("{run:?} {dump:?} {} {}", u.last_insert_rowid(), u.changes())
            })
            .collect();
        assert_eq!(done[0], done[1], "{sql}");
    }
    // Whatever stands in the log can be read.
    assert!(log(&captured).len() > 50);
}

#[test]
fn keys_of_any_content_come_back() {
    let dir = TempDir::new().unwrap();
    let schema = schema_of(vec![table("t", &[0, 1, 2], {
        let mut all = text_columns(1);
        all.extend([col("b", Type::Binary), col("f", Type::Float)]);
        all
    })]);
    let (store, user) = over(&dir, "CREATE TABLE t (c0 TEXT, b BLOB, f REAL, PRIMARY KEY (c0, b, f))", schema);
    store.prepare().unwrap();
    watch_all(&store);
    let float = |f: f64| Value::Float(crate::value::Float::new(f).unwrap());
    let mut keys = Vec::new();
    for s in ["", ",", "','", "NULL", "a\0b", "T'00'", "\u{1F600}'\"=", "\n"] {
        for f in [0.1 + 0.2, -1e-300, 3.0, 1.7976931348623157e308] {
            let bytes: Box<[u8]> = s.as_bytes().into();
            user.execute("INSERT INTO t VALUES (?1, ?2, ?3)", (s, &*bytes, f)).unwrap();
            keys.push(vec![Value::text(s), Value::Binary(bytes), float(f)]);
        }
    }
    let read: Vec<Vec<Value>> = log(&store).into_iter().map(|c| c.key.unwrap()).collect();
    assert_eq!(read, keys);
    let mut tx = store.begin().unwrap();
    for k in &keys {
        tx.touch(T, k, &[(C0, k[0].clone())], "l").unwrap();
    }
    tx.commit().unwrap();
    let mut touched = Vec::new();
    let legs = ["l".to_string()];
    store.snapshot().unwrap().changes(&store.position_at(keys.len() as i64), &[T], &legs, 1000, &mut touched).unwrap();
    let read: Vec<Vec<Value>> = touched.iter().map(|c| c.key.clone().unwrap()).collect();
    assert_eq!(read, keys);
    assert!(touched.iter().zip(&keys).all(|(c, k)| c.old == [(C0, k[0].clone())]));
}

#[test]
fn the_log_is_cut_behind_every_reader() {
    let dir = TempDir::new().unwrap();
    let (store, user) =
        over(&dir, "CREATE TABLE t (c0 TEXT PRIMARY KEY)", schema_of(vec![table("t", &[0], text_columns(1))]));
    store.prepare().unwrap();
    watch_all(&store);
    for i in 0..6 {
        user.execute("INSERT INTO t VALUES (?1)", [i.to_string()]).unwrap();
    }
    user.execute_batch("UPDATE _tablemap_changes SET at = '2020-01-01T00:00:00.000Z' WHERE seq <= 5").unwrap();
    store.maintain().unwrap();
    assert_eq!(log(&store).len(), 6, "nobody has read yet");
    store.acknowledge(&[("a".into(), store.position_at(4)), ("b".into(), store.position_at(6))]).unwrap();
    store.maintain().unwrap();
    assert_eq!(log(&store).iter().map(|c| c.seq).collect::<Vec<_>>(), vec![4, 5, 6]);
    let mut snap = store.snapshot().unwrap();
    assert!(snap.witness(&store.position_at(4)).unwrap().is_some_and(|m| !m.is_empty()));
    assert_eq!(snap.witness(&store.position_at(2)).unwrap(), None);
    drop(snap);
    store.acknowledge(&[("a".into(), store.position_at(6))]).unwrap();
    user.execute_batch("UPDATE _tablemap_changes SET at = '2020-01-01T00:00:00.000Z'").unwrap();
    store.maintain().unwrap();
    assert_eq!(log(&store).iter().map(|c| c.seq).collect::<Vec<_>>(), vec![6], "the newest stays");
}

#[test]
fn generated_keys_come_back() {
    let dir = TempDir::new().unwrap();
    let mut numbers = table("n", &[0, 1], vec![col("c", Type::Text { max: None }), col("i", Type::Integer)]);
    numbers.columns[1].generated = true;
    let mut ids = table("u", &[0], vec![col("id", Type::Uuid), col("x", Type::Text { max: None })]);
    ids.columns[0].generated = true;
    let (store, _) = open(&dir, Arc::new(schema_of(vec![numbers, ids])));
    store.create_tables().unwrap();
    store.create_tables().unwrap();
    let mut tx = store.begin().unwrap();
    for n in 1..=2 {
        let key = tx.insert(T, &[C0], &[Value::text("a")]).unwrap().unwrap();
        assert_eq!(key, Some(vec![Value::text("a"), Value::Integer(n)]));
    }
    let key = tx.insert(TableId(1), &[], &[]).unwrap().unwrap().unwrap();
    assert!(matches!(&key[0], Value::Uuid(u) if u.get_version_num() == 4), "{key:?}");
    tx.commit().unwrap();
}

#[test]
fn dates_in_keys_are_found_in_other_forms_or_told() {
    let dir = TempDir::new().unwrap();
    let at = Type::DateTime { kind: crate::value::DateTimeKind::Instant };
    let (store, _user) = over(
        &dir,
        "CREATE TABLE t (d TEXT PRIMARY KEY); INSERT INTO t VALUES \
         ('2026-01-01 10:00:00'), ('2026-01-01 11:00:00.000'), ('2026-01-01T09:00:00Z'), ('2026-01-01 12:00')",
        schema_of(vec![table("t", &[0], vec![col("d", at)])]),
    );
    let plan = ReadPlan { table: T, joins: vec![], columns: vec![(0, C0)] };
    let mut snap = store.snapshot().unwrap();
    let (mut seen, mut misfits, mut after) = (Vec::new(), 0, None);
    loop {
        let mut rows = Rows::of(&plan);
        snap.scan(&plan, after.as_deref(), 1, &mut rows).unwrap();
        if rows.is_empty() {
            break;
        }
        misfits += rows.misfits.len();
        seen.extend(rows.cells.iter().filter(|v| !v.is_null()).map(ToString::to_string));
        after = rows.cells.last().map(|v| vec![v.clone()]);
    }
    assert_eq!(seen, vec!["2026-01-01T10:00:00", "2026-01-01T11:00:00", "2026-01-01T09:00:00"]);
    assert_eq!(misfits, 1, "a form that an equality would not find again");
    let eleven = Value::DateTime(crate::value::parse_datetime("2026-01-01T11:00:00").unwrap());
    let mut rows = Rows::of(&plan);
    assert_eq!(snap.fetch(&plan, &[vec![eleven]], &mut rows).unwrap(), vec![true]);
}

#[test]
fn guards_leave_no_trace() {
    let dir = TempDir::new().unwrap();
    let (store, path) = open(&dir, conformance::schema());
    store.create_tables().unwrap();
    store.prepare().unwrap();
    let user = Connection::open(path).unwrap();
    let dump = || -> Vec<String> {
        let mut s = user.prepare("SELECT name || ifnull(sql, '') FROM sqlite_master ORDER BY name").unwrap();
        s.query_map([], |r| r.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
    };
    // Something of a project stays here besides.
    store.take_over("p", "test").unwrap();
    let before = dump();
    let guard = GuardSpec {
        map: "m".into(),
        map_name: "M".into(),
        table: TableId(1),
        op: Op::Insert,
        except: vec![],
        when: None,
        reject: false,
        message: "no".into(),
    };
    store.install_guards("p", &[guard]).unwrap();
    user.execute_batch("INSERT INTO Projects (Company, ProjectId) VALUES ('a', 'b')").unwrap();
    // An upsert that becomes an update is no create.
    user.execute_batch(
        "INSERT INTO Projects (Company, ProjectId) VALUES ('a', 'b') ON CONFLICT DO UPDATE SET Name = 'x'",
    )
    .unwrap();
    assert_eq!(store.guards("p").unwrap().reports.len(), 1);
    assert_ne!(before, dump());
    assert_eq!(store.remove_guards("p").unwrap(), 1);
    assert_eq!(before, dump());
    let left: i64 = user
        .query_row(
            "SELECT (SELECT count(*) FROM _tablemap_guards) + (SELECT count(*) FROM _tablemap_guard_reports)",
            [],
            |r| r.get(0),
        )
        .unwrap();
    assert_eq!(left, 0);
}

#[test]
fn a_displaced_row_counts_as_a_delete() {
    let dir = TempDir::new().unwrap();
    let (store, user) = over(
        &dir,
        "CREATE TABLE t (c0 TEXT PRIMARY KEY, c1 TEXT UNIQUE); INSERT INTO t VALUES ('a', '1'), ('b', '2'), ('free', '3')",
        schema_of(vec![table("t", &[0], text_columns(2))]),
    );
    store.prepare().unwrap();
    let guard = |reject| GuardSpec {
        map: "m".into(),
        map_name: "M".into(),
        table: T,
        op: Op::Delete,
        except: vec![],
        when: Some(crate::store::Predicate::Not(Box::new(crate::store::Predicate::Compare(
            C0,
            crate::store::Comparison::Eq,
            Value::text("free"),
        )))),
        reject,
        message: "keep it".into(),
    };
    store.install_guards("p", &[guard(true)]).unwrap();
    for sql in ["REPLACE INTO t VALUES ('x', '1')", "UPDATE OR REPLACE t SET c1 = '1' WHERE c0 = 'b'", "DELETE FROM t"]
    {
        assert!(user.execute_batch(sql).unwrap_err().to_string().contains("keep it"), "{sql}");
    }
    for sql in [
        "INSERT INTO t VALUES ('a', '1') ON CONFLICT (c0) DO UPDATE SET c1 = '11'",
        "INSERT OR IGNORE INTO t VALUES ('a', '5')",
        "INSERT INTO t VALUES ('new', '6')",
        "UPDATE t SET c1 = '66' WHERE c0 = 'new'",
        "REPLACE INTO t VALUES ('y', '3')",
    ] {
        user.execute_batch(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
    store.install_guards("p", &[guard(false)]).unwrap();
    user.execute_batch("REPLACE INTO t VALUES ('x', '11'); DELETE FROM t WHERE c0 = 'b'").unwrap();
    let keys: Vec<String> = store.guards("p").unwrap().reports.into_iter().map(|r| r.4).collect();
    assert_eq!(keys, vec!["'b'", "'a'"]);
    assert_eq!(store.guards("p").unwrap().installed.len(), 1);
    assert_eq!(store.remove_guards("p").unwrap(), 1);
    let left = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger'";
    assert_eq!(user.query_row(left, [], |r| r.get::<_, i64>(0)).unwrap(), 0);
}

#[test]
fn a_replaced_file_is_noticed() {
    let dir = TempDir::new().unwrap();
    let (store, path) = open(&dir, conformance::schema());
    let copy = dir.path().join("copy.db");
    store.maintain().unwrap();
    std::fs::copy(&path, &copy).unwrap();
    std::fs::rename(&copy, &path).unwrap();
    assert!(matches!(store.snapshot(), Err(StoreError::NeedsRecover { .. })));
}

#[test]
fn the_scratch_store_goes_with_its_owner() {
    let store = crate::store::memory::open("s", conformance::schema()).unwrap();
    let path = store.path().to_path_buf();
    assert!(path.exists());
    drop(store);
    assert!(!path.exists());
}

//! What only PostgreSQL does.

use super::cluster::{self, Cluster, Sql};
use super::*;
use crate::store::conformance::{self, Rig, Typed};

fn open(url: &str, schema: Arc<StoreSchema>) -> PostgresStore {
    PostgresStore::open("s", url, schema, Options::default()).unwrap()
}

fn user_of(url: &str) -> conformance::User {
    let sql = Sql::open(url);
    Box::new(move |text| sql.run(text))
}

const LOOSEN: &str =
    "ALTER TABLE \"Kinds\" ALTER \"Name\" TYPE text, ALTER \"Day\" DROP DEFAULT, ALTER \"Day\" TYPE text";

#[test]
fn conforms() {
    if cluster::left_out() {
        return;
    }
    // Its own: the watch sees whatever is committed on the server.
    let cluster = Cluster::own(&[]);
    for way in cluster.ways() {
        conformance::run(&|schema| {
            let url = cluster.database();
            let store = open(&format!("{url}{way}"), schema);
            store.create_tables().unwrap();
            Rig { store: Box::new(store), user: user_of(&url), typed: Some(Typed { loosen: LOOSEN }) }
        });
    }
}

use crate::schema::{Column, ColumnId, Table};
use crate::store::conformance::col;
use crate::store::{Op, Read, ReadPlan, RecordErrorKind, Rows};
use crate::value::{Collation, Dec, Type, Value};

pub(super) const T: TableId = TableId(0);
pub(super) const fn c(i: u32) -> ColumnId {
    ColumnId(i)
}
pub(super) fn text(s: &str) -> Value {
    Value::text(s)
}
pub(super) fn int(i: i64) -> Value {
    Value::Integer(i)
}

/// A store over one table `t` that a user made, its first column the key; and its url.
pub(super) fn over(cluster: &Cluster, sql: &str, columns: Vec<Column>) -> (PostgresStore, String) {
    over_by(cluster, "", sql, columns)
}

/// The same with a way of capture.
pub(super) fn over_by(cluster: &Cluster, way: &str, sql: &str, columns: Vec<Column>) -> (PostgresStore, String) {
    let url = cluster.database();
    Sql::open(&url).run(sql).unwrap();
    let table = Table { name: "t".into(), primary_key: vec![c(0)], columns, ..Table::default() };
    let schema = StoreSchema { tables: vec![table], ..StoreSchema::default() };
    (open(&format!("{url}{way}"), Arc::new(schema)), url)
}

pub(super) fn watch_all(store: &PostgresStore) -> Vec<TableId> {
    store.prepare().unwrap();
    let all: Vec<ColumnId> = (0..store.schema().get(T).columns.len() as u32).map(ColumnId).collect();
    store.capture("p", &[CaptureSpec { table: T, watched: all.clone(), old: all }]).unwrap()
}

pub(super) fn since(store: &PostgresStore, after: &Position) -> Vec<crate::store::Change> {
    let mut out = Vec::new();
    store.snapshot().unwrap().changes(after, &[T], &[], 100_000, &mut out).unwrap();
    out
}

pub(super) fn ops(store: &PostgresStore) -> Vec<String> {
    let key = |k: Vec<Value>| k.iter().map(ToString::to_string).collect::<Vec<_>>().join(",");
    let shown = |c: crate::store::Change| format!("{:?} {}", c.op, c.key.map_or("misfit".into(), key));
    since(store, &Position::default()).into_iter().map(shown).collect()
}

pub(super) fn plan(store: &PostgresStore) -> ReadPlan {
    let n = store.schema().get(T).columns.len() as u32;
    ReadPlan { table: T, joins: vec![], columns: (0..n).map(|i| (0, c(i))).collect() }
}

fn scan(store: &PostgresStore) -> Rows {
    let plan = plan(store);
    let mut rows = Rows::of(&plan);
    store.snapshot().unwrap().scan(&plan, None, 1000, &mut rows).unwrap();
    rows
}

pub(super) fn numbers() -> Vec<Column> {
    vec![col("id", Type::Integer), col("v", Type::Integer)]
}

#[test]
fn a_later_commit_of_an_earlier_row_is_not_skipped() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    cluster.ways().into_iter().for_each(|way| a_later_commit_of_an_earlier_row_is_not_skipped_by(&cluster, way));
}

fn a_later_commit_of_an_earlier_row_is_not_skipped_by(cluster: &Cluster, way: &str) {
    let (store, url) = over_by(cluster, way, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)", numbers());
    watch_all(&store);
    let (slow, fast, elsewhere) = (Sql::open(&url), Sql::open(&url), cluster.sql("postgres"));
    // A long transaction in another database, and one here that has written.
    elsewhere.run("BEGIN; CREATE TEMP TABLE x (a int); INSERT INTO x VALUES (1)").unwrap();
    slow.run("BEGIN; INSERT INTO t VALUES (1, 1)").unwrap();
    fast.run("INSERT INTO t VALUES (2, 1)").unwrap();
    // Nothing stalls …
    assert_eq!(ops(&store), ["Insert 2"]);
    let position = store.snapshot().unwrap().head().unwrap();
    fast.run("INSERT INTO t VALUES (3, 1)").unwrap();
    slow.run("INSERT INTO t VALUES (4, 1); COMMIT").unwrap();
    // … and nothing is skipped.
    // Triggers number rows as they were written, a slot gives transactions as they were committed.
    let keys: Vec<_> = since(&store, &position).into_iter().map(|c| c.key.unwrap()).collect();
    match way {
        "" => assert_eq!(keys, [[int(1)], [int(3)], [int(4)]]),
        _ => assert_eq!(keys, [[int(3)], [int(1)], [int(4)]]),
    }
    // A view that was opened before sees neither row nor log row.
    let mut before = store.snapshot().unwrap();
    let head = before.head().unwrap();
    slow.run("INSERT INTO t VALUES (5, 1)").unwrap();
    let mut after = store.snapshot().unwrap();
    assert_ne!(after.head().unwrap(), head);
    let mut seen = Vec::new();
    assert!(before.changes(&head, &[T], &[], 10, &mut seen).unwrap());
    assert!(seen.is_empty() && before.head().unwrap() == head);
    elsewhere.run("ROLLBACK").unwrap();
}

/// Writers who commit in any order; a reader that goes on from its last position. Every row comes once, rows of one key in
/// their order, and what a view holds is what its log says.
#[test]
fn views_and_the_log_are_one() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    cluster.ways().into_iter().for_each(|way| views_and_the_log_are_one_by(&cluster, way));
}

fn views_and_the_log_are_one_by(cluster: &Cluster, way: &str) {
    let (store, url) = over_by(cluster, way, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)", numbers());
    watch_all(&store);
    let mut setup = String::from("INSERT INTO t VALUES (0, 0)");
    (1..10).for_each(|i| setup.push_str(&format!(", ({i}, 0)")));
    Sql::open(&url).run(&setup).unwrap();
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut position = store.snapshot().unwrap().head().unwrap();
    let mut values = [0i64; 10];
    let mut seqs = Vec::new();
    std::thread::scope(|scope| {
        for writer in 0..4u64 {
            let (url, stop) = (&url, &stop);
            scope.spawn(move || {
                let sql = Sql::open(url);
                for round in 0..60u64 {
                    let (a, b) = ((writer * 3 + round) % 10, (writer + round * 7) % 10);
                    // In the order of the keys, so that nobody waits in a circle.
                    let (a, b) = (a.min(b), a.max(b));
                    let pause = (writer * 13 + round) % 4;
                    sql.run(&format!(
                        "BEGIN; UPDATE t SET v = v + 1 WHERE id = {a}; SELECT pg_sleep(0.00{pause}); \
                         UPDATE t SET v = v + 1 WHERE id = {b}; COMMIT"
                    ))
                    .unwrap();
                }
                stop.fetch_or(writer == 3, std::sync::atomic::Ordering::Relaxed);
            });
        }
        let until = std::time::Instant::now() + std::time::Duration::from_secs(60);
        let expected = 4 * 60 * 2;
        while values.iter().sum::<i64>() < expected && std::time::Instant::now() < until {
            // Write transactions see the log in the same way.
            let mut view = store.transaction_for_tests(seqs.len() % 2 == 0);
            let mut changes = Vec::new();
            view.changes(&position, &[T], &[], 100_000, &mut changes).unwrap();
            for change in &changes {
                let Ok([Value::Integer(id)]) = change.key.as_deref() else { panic!("{change:?}") };
                let before = change.old.iter().find(|(c, _)| c.0 == 1).map(|(_, v)| v.clone());
                assert_eq!(before, Some(int(values[*id as usize])), "a row was skipped or came twice");
                values[*id as usize] += 1;
                seqs.push(change.seq);
            }
            position = view.head().unwrap();
            let plan = plan(&store);
            let mut rows = Rows::of(&plan);
            view.scan(&plan, None, 1000, &mut rows).unwrap();
            for i in 0..rows.len() {
                let [Value::Integer(id), Value::Integer(v)] = rows.row(i) else { panic!() };
                assert_eq!(*v, values[*id as usize], "the view is not where its log is");
            }
        }
        assert_eq!(values.iter().sum::<i64>(), expected);
    });
    assert!(seqs.windows(2).all(|w| w[0] < w[1]));
}

#[test]
fn capture_misses_nothing_and_breaks_nothing() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    cluster.ways().into_iter().for_each(|way| capture_misses_nothing_and_breaks_nothing_by(&cluster, way));
}

fn capture_misses_nothing_and_breaks_nothing_by(cluster: &Cluster, way: &str) {
    let columns = vec![col("id", Type::Integer), col("v", Type::Text { max: None }), col("doc", Type::Json)];
    let (store, url) =
        over_by(cluster, way, "CREATE TABLE t (id bigint PRIMARY KEY, v text, doc json, more text)", columns);
    assert_eq!(watch_all(&store), [T]);
    let user = Sql::open(&url);
    // What replication applies.
    user.run("SET session_replication_role = replica; INSERT INTO t VALUES (1, 'a'); RESET session_replication_role")
        .unwrap();
    // JSON that is none to jsonb.
    user.run("INSERT INTO t VALUES (2, 'b', '{\"a\": \"\\u0000\"}')").unwrap();
    user.run("UPDATE t SET more = 'x'").unwrap();
    user.run("UPDATE t SET v = 'c' WHERE id = 2").unwrap();
    // A writer without any right of ours.
    let role = format!("w{}", uuid::Uuid::new_v4().simple());
    user.run(&format!(
        "CREATE ROLE {role}; GRANT ALL ON t TO {role}; SET ROLE {role}; INSERT INTO t VALUES (3, 'c'); RESET ROLE"
    ))
    .unwrap();
    // Upserts are what they become.
    user.run("INSERT INTO t VALUES (3, 'd') ON CONFLICT (id) DO UPDATE SET v = excluded.v").unwrap();
    user.run("INSERT INTO t VALUES (3, 'e') ON CONFLICT DO NOTHING").unwrap();
    user.run("DELETE FROM t WHERE id = 2").unwrap();
    user.run("TRUNCATE t").unwrap();
    let all = ["Insert 1", "Insert 2", "Update 2", "Insert 3", "Update 3", "Delete 2", "Delete 1", "Delete 3"];
    assert_eq!(ops(&store), all);
    let logged = since(&store, &Position::default());
    assert!(logged[2].old.contains(&(c(2), text("{\"a\": \"\\u0000\"}"))), "{:?}", logged[2]);
    assert!(logged[7].old.contains(&(c(1), text("d"))), "{:?}", logged[7]);
    // A column goes: writes go on.
    user.run("ALTER TABLE t DROP COLUMN more; ALTER TABLE t DROP COLUMN doc; INSERT INTO t VALUES (4, 'x')").unwrap();
    assert_eq!(ops(&store).last().unwrap(), "Insert 4");
    assert!(store.verify(&[T]).unwrap()[0].contains("no column `doc`"));
    user.run("ALTER TABLE t ADD doc json").unwrap();
    // A trigger that somebody disabled or dropped is missed and made anew.
    let publication = user.rows("SELECT pubname FROM pg_publication").pop().unwrap_or_default();
    let harms: &[&str] = match way {
        "" => &["ALTER TABLE t DISABLE TRIGGER _tablemap_capture", "DROP TRIGGER _tablemap_capture ON t"],
        _ => &[
            "ALTER TABLE t DISABLE TRIGGER _tablemap_capture_truncate",
            "ALTER TABLE t REPLICA IDENTITY DEFAULT",
            "ALTER PUBLICATION @ DROP TABLE t",
            "SELECT pg_drop_replication_slot('@')",
            "DROP PUBLICATION @",
        ],
    };
    for harm in harms {
        user.run(&harm.replace('@', &publication)).unwrap();
        assert_eq!(watch_all(&store), [T], "{harm}");
        assert_eq!(watch_all(&store), [], "{harm}");
    }
    user.run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[test]
fn partitions_are_captured() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    cluster.ways().into_iter().for_each(|way| partitions_are_captured_by(&cluster, way));
}

fn partitions_are_captured_by(cluster: &Cluster, way: &str) {
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint) PARTITION BY RANGE (id); \
               CREATE TABLE t1 PARTITION OF t FOR VALUES FROM (0) TO (10)";
    let (store, url) = over_by(cluster, way, sql, numbers());
    watch_all(&store);
    let user = Sql::open(&url);
    user.run("INSERT INTO t VALUES (1, 1); INSERT INTO t1 VALUES (2, 2)").unwrap();
    user.run("CREATE TABLE t2 PARTITION OF t FOR VALUES FROM (10) TO (20)").unwrap();
    user.run("SET session_replication_role = replica; INSERT INTO t2 VALUES (11, 1); RESET session_replication_role")
        .unwrap();
    user.run("UPDATE t SET id = 12 WHERE id = 2; TRUNCATE t1").unwrap();
    assert_eq!(ops(&store), ["Insert 1", "Insert 2", "Insert 11", "Delete 2", "Insert 12", "Delete 1"]);
    assert_eq!(watch_all(&store), [T], "a new partition has no trigger for TRUNCATE yet");
    user.run("TRUNCATE t").unwrap();
    assert_eq!(ops(&store).len(), 8);
}

#[test]
fn concurrent_writers_make_the_batch_anew() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let (store, url) =
        over(&cluster, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); INSERT INTO t VALUES (1, 1)", numbers());
    store.prepare().unwrap();
    let user = Sql::open(&url);
    let lost = |e: StoreError| assert!(matches!(e, StoreError::Lost { .. }), "{e}");
    let mut tx = store.begin().unwrap();
    user.run("UPDATE t SET v = 2").unwrap();
    lost(tx.update(T, &[int(1)], &[c(1)], &[int(3)]).unwrap_err());
    lost(tx.insert(T, &[c(0)], &[int(9)]).unwrap_err());
    lost(tx.commit().unwrap_err());
    let mut tx = store.begin().unwrap();
    user.run("INSERT INTO t VALUES (2, 2)").unwrap();
    lost(tx.insert(T, &[c(0), c(1)], &[int(2), int(3)]).unwrap_err());
    drop(tx);
    // One that was there all the time is the record's fault.
    let mut tx = store.begin().unwrap();
    assert_eq!(tx.insert(T, &[c(0), c(1)], &[int(2), int(3)]).unwrap().unwrap_err().kind, RecordErrorKind::Unique);
    drop(tx);
    // A connection that is cut in the middle.
    let mut tx = store.begin().unwrap();
    tx.update(T, &[int(1)], &[c(1)], &[int(4)]).unwrap().unwrap();
    let db = url.rsplit('/').next().unwrap().split('?').next().unwrap();
    let cut = format!(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{db}' AND application_name = 'tablemap'"
    );
    cluster.sql("postgres").rows(&cut);
    let e = tx.update(T, &[int(1)], &[c(1)], &[int(5)]).unwrap_err();
    assert!(matches!(e, StoreError::Unreachable { .. }), "{e}");
    drop(tx);
    assert_eq!(scan(&store).row(0), [int(1), int(2)]);
    assert!(store.begin().unwrap().commit().is_ok());
}

/// Two writers who wait for each other: the batch is lost, no record is blamed.
#[test]
fn a_deadlock_makes_the_batch_anew() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); INSERT INTO t VALUES (1, 1), (2, 2)";
    let (store, url) = over(&cluster, sql, numbers());
    store.prepare().unwrap();
    let user = Sql::open(&url);
    // The server ends the one who asks first.
    user.run("SET deadlock_timeout = '30s'; BEGIN; UPDATE t SET v = 10 WHERE id = 1").unwrap();
    let mut tx = store.begin().unwrap();
    tx.update(T, &[int(2)], &[c(1)], &[int(20)]).unwrap().unwrap();
    std::thread::scope(|scope| {
        let waits = scope.spawn(|| user.run("UPDATE t SET v = 10 WHERE id = 2; COMMIT"));
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database WHERE \
                       datname = current_database()) OR NOT granted AND locktype = 'transactionid'";
        let look = Sql::open(&url);
        while look.rows(waiting) == ["0"] {
            std::thread::sleep(std::time::Duration::from_millis(5));
        }
        let e = tx.update(T, &[int(1)], &[c(1)], &[int(20)]).unwrap_err();
        assert!(matches!(&e, StoreError::Lost { reason, .. } if reason.contains("waited for each other")), "{e}");
        drop(tx);
        waits.join().unwrap().unwrap();
    });
    assert_eq!(Sql::open(&url).rows("SELECT sum(v) FROM t"), ["20"]);
}

/// A table that is altered while the store is at work: what does not matter goes on, what is missing is named, and what
/// is there again is used again.
#[test]
fn a_table_that_changes_under_way() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); INSERT INTO t VALUES (1, 1)";
    let (store, url) = over(&cluster, sql, numbers());
    watch_all(&store);
    let user = Sql::open(&url);
    let write = |v: i64| -> Result<()> {
        let mut tx = store.begin()?;
        tx.update(T, &[int(1)], &[c(1)], &[int(v)])?.unwrap();
        tx.commit()
    };
    write(2).unwrap();
    user.run("ALTER TABLE t ALTER v TYPE numeric, ADD more text DEFAULT 'x'").unwrap();
    write(3).or_else(|_| write(3)).unwrap();
    assert_eq!(scan(&store).row(0), [int(1), int(3)]);
    user.run("ALTER TABLE t RENAME v TO w").unwrap();
    let told = write(4).unwrap_err().to_string();
    assert!(told.contains("`s`") && told.contains("\"v\""), "{told}");
    let told = write(4).unwrap_err().to_string();
    assert!(told.contains("`t` has no column `v`"), "{told}");
    user.run("ALTER TABLE t RENAME w TO v").unwrap();
    write(5).or_else(|_| write(5)).unwrap();
    assert_eq!(scan(&store).row(0), [int(1), int(5)]);
}

#[test]
fn refused_rows_take_no_others_with_them() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    cluster.ways().into_iter().for_each(|way| refused_rows_take_no_others_with_them_by(&cluster, way));
}

fn refused_rows_take_no_others_with_them_by(cluster: &Cluster, way: &str) {
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint CHECK (v < 1000)); INSERT INTO t VALUES (5, 0)";
    let (store, url) = over_by(cluster, way, sql, numbers());
    watch_all(&store);
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/left", true, "p/m/left").unwrap();
    // More than are kept for running again.
    for i in 100..450 {
        tx.insert(T, &[c(0), c(1)], &[int(i), int(i)]).unwrap().unwrap();
        if i % 100 == 50 {
            assert!(tx.insert(T, &[c(0), c(1)], &[int(i), int(i)]).unwrap().is_err());
            assert_eq!(
                tx.update(T, &[int(i)], &[c(1)], &[int(1000)]).unwrap().unwrap_err().kind,
                RecordErrorKind::Refused
            );
        }
    }
    // By COPY: one is there already, one is refused.
    let rows: Vec<[Value; 2]> = (0..60).map(|i| [int(i), int(if i == 40 { 2000 } else { i })]).collect();
    let slices: Vec<&[Value]> = rows.iter().map(|r| r.as_slice()).collect();
    let mut outcomes = Vec::new();
    tx.insert_all(T, &[c(0), c(1)], &slices, &mut outcomes).unwrap();
    let refused: Vec<usize> = (0..60).filter(|i| outcomes[*i].is_err()).collect();
    assert_eq!(refused, [5, 40]);
    assert_eq!(outcomes[5].as_ref().unwrap_err().kind, RecordErrorKind::Unique);
    assert_eq!(tx.disown_side_effects("p/m/left", &|_, k| usize::from(k != [int(7)])).unwrap(), 1);
    tx.commit().unwrap();
    assert_eq!(
        Sql::open(&url).rows("SELECT count(*), sum(v) FROM t"),
        [format!("409|{}", (100..450).sum::<i64>() + (0..60).sum::<i64>() - 45)]
    );
    let log = since(&store, &Position::default());
    assert_eq!(log.len(), 408);
    assert_eq!(log.iter().filter(|c| c.origin.is_none()).count(), 1, "marks come back with the rows");
}

#[test]
fn a_constraint_that_is_checked_at_the_end() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint REFERENCES t DEFERRABLE INITIALLY DEFERRED)";
    let (store, _) = over(&cluster, sql, numbers());
    let mut tx = store.begin().unwrap();
    tx.insert(T, &[c(0), c(1)], &[int(1), int(2)]).unwrap().unwrap();
    let e = tx.commit().unwrap_err();
    assert!(matches!(e, StoreError::Lost { .. }), "{e}");
    assert_eq!(scan(&store).len(), 0);
}

#[test]
fn values_that_do_not_fit_are_told() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let sql = "CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN small AS integer CHECK (VALUE < 100); \
               CREATE TABLE t (id bigint PRIMARY KEY, num numeric, at timestamptz, day date, mood mood, small small, \
               short varchar(3), fixed char(5), money numeric(8,2), ratio real, tags text[], twice int GENERATED ALWAYS AS (2 * small) STORED); \
               INSERT INTO t VALUES (1, 'NaN', 'infinity', '0044-03-15 BC', 'ok', 7, 'abc', 'ab', 1.5, 0.1); \
               INSERT INTO t VALUES (2, 'Infinity', '2026-01-01 10:00+02', '-infinity', 'sad', 8, '', '', 2, 1e10)";
    let choice = Type::Choice(Arc::new(crate::value::Choice {
        members: vec![
            crate::value::Member { value: 1, name: "sad".into() },
            crate::value::Member { value: 2, name: "ok".into() },
            crate::value::Member { value: 3, name: "gone".into() },
        ],
    }));
    let columns = vec![
        col("id", Type::Integer),
        col("num", Type::Decimal { limits: None }),
        col("at", Type::DateTime { kind: crate::value::DateTimeKind::Instant }),
        col("day", Type::Date),
        Column { choice_by_name: true, ..col("mood", choice) },
        col("small", Type::Integer),
        col("short", Type::Text { max: None }),
        col("fixed", Type::Text { max: None }),
        col("money", Type::Decimal { limits: None }),
        col("ratio", Type::Float),
    ];
    let (store, url) = over(&cluster, sql, columns);
    assert_eq!(store.verify(&[T]).unwrap(), Vec::<String>::new());
    let rows = scan(&store);
    let told: Vec<(u32, &str, &str)> =
        rows.misfits.iter().map(|(_, m)| (m.column.0, m.value.as_str(), m.reason.as_str())).collect();
    assert_eq!(
        told,
        [
            (1, "NaN", "is no decimal"),
            (2, "'infinity'", "is no date and time"),
            (3, "'0044-03-15 BC'", "is no date"),
            (1, "Infinity", "is no decimal"),
            (3, "'-infinity'", "is no date"),
        ]
    );
    assert_eq!(rows.row(0)[4..8], [int(2), int(7), text("abc"), text("ab")]);
    assert_eq!(rows.row(1)[2].to_string(), "2026-01-01T08:00:00");
    assert_eq!(rows.row(0)[9], Value::Float(crate::value::Float::new(0.1).unwrap()));
    let mut tx = store.begin().unwrap();
    let dec = |s: &str| Value::Decimal(Dec::parse(s).unwrap());
    for (column, value, kind, part) in [
        (4, int(3), RecordErrorKind::Misfit, "enum type"),
        (5, int(100), RecordErrorKind::Refused, "small"),
        (5, int(1 << 40), RecordErrorKind::Misfit, "whole number of 4 bytes"),
        (6, text("abcd"), RecordErrorKind::Misfit, "longer than the 3 characters"),
        (6, text("abc "), RecordErrorKind::Misfit, "longer than the 3 characters"),
        (6, text("a\0b"), RecordErrorKind::Misfit, "character of code 0"),
        (8, dec("1.005"), RecordErrorKind::Misfit, "numeric(8,2)"),
        (9, Value::Float(crate::value::Float::new(0.123456789).unwrap()), RecordErrorKind::Misfit, "float8"),
    ] {
        let e = tx.update(T, &[int(1)], &[c(column)], &[value]).unwrap().unwrap_err();
        assert_eq!(e.kind, kind, "{}", e.message);
        assert!(e.message.contains(part), "{}", e.message);
    }
    tx.update(T, &[int(1)], &[c(1), c(6)], &[dec("123456789012345678901234567890.000000001"), text("é'\\")])
        .unwrap()
        .unwrap();
    tx.commit().unwrap();
    let row = scan(&store);
    assert_eq!(row.row(0)[1], dec("123456789012345678901234567890.000000001"));
    assert_eq!(row.row(0)[6], text("é'\\"));
    // What a schema would say of it.
    let live = store.describe().unwrap();
    let t = live.iter().find(|t| t.name == "t").unwrap();
    assert!(t.column("twice").unwrap().computed && t.column("tags").unwrap().doubt.is_some());
    assert_eq!(t.column("mood").unwrap().words, ["sad", "ok"]);
    Sql::open(&url).run("CREATE SCHEMA other; CREATE TABLE other.x (a int PRIMARY KEY, t bigint REFERENCES t); CREATE VIEW v AS SELECT * FROM t").unwrap();
    let live = store.describe().unwrap();
    let names: Vec<&str> = live.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names, ["t", "v", "other.x"]);
    assert_eq!(live[2].foreign_keys[0].table, "t");
}

#[test]
fn keys_that_compare_loosely() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let nocase = Column { collation: Collation::NoCase, ..col("id", Type::Text { max: None }) };
    let mut tables = vec![
        "CREATE TABLE t (id text PRIMARY KEY, v bigint); CREATE UNIQUE INDEX ON t (lower(id))",
        "CREATE TABLE t (id text PRIMARY KEY, v bigint); CREATE UNIQUE INDEX ON t (lower(id COLLATE \"C\"))",
    ];
    let probe = cluster.sql("postgres");
    if probe.rows("SELECT count(*) FROM pg_available_extensions WHERE name = 'citext'") == ["1"] {
        tables.push("CREATE EXTENSION citext; CREATE TABLE t (id citext PRIMARY KEY, v bigint)");
    }
    if probe.rows("SELECT count(*) > 0 FROM pg_collation WHERE collprovider = 'i'") == ["t"] {
        tables.push(
            "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', deterministic = false); \
             CREATE TABLE t (id text COLLATE loose PRIMARY KEY, v bigint)",
        );
    }
    assert!(tables.len() > 2, "neither citext nor ICU is there: nothing of them is tested");
    for sql in tables {
        let (store, url) = over(&cluster, sql, vec![nocase.clone(), col("v", Type::Integer)]);
        assert_eq!(store.verify(&[T]).unwrap(), Vec::<String>::new(), "{sql}");
        watch_all(&store);
        Sql::open(&url)
            .run("INSERT INTO t SELECT CASE WHEN i % 2 = 0 THEN 'K' ELSE 'k' END || i, i FROM generate_series(1, 9) i")
            .unwrap();
        let mut tx = store.begin().unwrap();
        assert_eq!(tx.insert(T, &[c(0)], &[text("K1")]).unwrap().unwrap_err().kind, RecordErrorKind::Unique, "{sql}");
        tx.update(T, &[text("K1")], &[c(1)], &[int(100)]).unwrap().unwrap();
        tx.delete(T, &[text("k2")]).unwrap().unwrap();
        let found = tx.find(T, &[c(0)], &[vec![text("K1")], vec![text("K2")], vec![text("k8")]], &[c(1)]).unwrap();
        assert!(
            matches!(&found[0], crate::store::Found::One { key, values, .. } if key == &[text("k1")] && values == &[int(100)]),
            "{sql}"
        );
        assert!(
            matches!((&found[1], &found[2]), (crate::store::Found::None, crate::store::Found::One { .. })),
            "{sql}"
        );
        tx.commit().unwrap();
        let plan = plan(&store);
        let (mut after, mut seen) = (None::<Vec<Value>>, 0);
        loop {
            let mut rows = Rows::of(&plan);
            store.snapshot().unwrap().scan(&plan, after.as_deref(), 3, &mut rows).unwrap();
            if rows.is_empty() {
                break;
            }
            seen += rows.len();
            after = Some(vec![Collation::NoCase.fold(&rows.row(rows.len() - 1)[0])]);
        }
        assert_eq!(seen, 8, "{sql}");
        let mut rows = Rows::of(&plan);
        let mut snapshot = store.snapshot().unwrap();
        let mut cursor = None;
        while let crate::store::Swept::More(next) = snapshot.sweep(&plan, cursor.as_deref(), 3, &mut rows).unwrap() {
            cursor = Some(next);
        }
        assert_eq!(rows.len(), 8, "{sql}");
    }
}

#[test]
fn hidden_rows_are_an_error() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let (store, url) =
        over(&cluster, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); INSERT INTO t VALUES (1, 1)", numbers());
    let role = format!("r{}", uuid::Uuid::new_v4().simple());
    Sql::open(&url)
        .run(&format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT SELECT ON t TO {role}; ALTER TABLE t ENABLE ROW LEVEL SECURITY; \
             CREATE POLICY p ON t USING (v > 1)"
        ))
        .unwrap();
    assert_eq!(scan(&store).len(), 1);
    let theirs = url.replace(&format!("tester:{}", cluster::PASSWORD), &format!("{role}:x"));
    let limited = open(&theirs, store.schema().clone());
    let plan = plan(&store);
    let e = limited.snapshot().unwrap().scan(&plan, None, 10, &mut Rows::of(&plan)).unwrap_err().to_string();
    assert!(e.contains("row-level security"), "{e}");
    let e = limited.prepare().unwrap_err().to_string();
    assert!(e.contains("GRANT CREATE ON DATABASE"), "{e}");
    Sql::open(&url).run(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).unwrap();
}

#[test]
fn notifications_wake() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let (quiet, url) = over(&cluster, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)", numbers());
    let store = open(&format!("{url}&notify=on"), quiet.schema().clone());
    watch_all(&store);
    let mut watch = store.watch().unwrap();
    assert!(watch.changed().unwrap());
    let user = Sql::open(&url);
    let mut wait = |what: &str, at_most: u64| {
        let began = std::time::Instant::now();
        while !watch.changed().unwrap() {
            assert!(began.elapsed().as_millis() < u128::from(at_most), "{what}");
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
    };
    user.run("INSERT INTO t VALUES (1, 1)").unwrap();
    wait("a captured table notifies", 500);
    user.run("CREATE TABLE elsewhere (a int)").unwrap();
    wait("others are seen all the same", 5_000);
    let since: Vec<Op> = since(&store, &Position::default()).into_iter().map(|c| c.op).collect();
    assert_eq!(since, [Op::Insert]);
}

impl PostgresStore {
    fn transaction_for_tests(&self, writing: bool) -> Handle {
        self.handle(writing).unwrap()
    }
}

//! Rows written together, and a table gone through by place.

use super::cluster::{self, Cluster, Sql};
use super::tests::{T, c, int, over, plan, text};
use super::*;
use crate::schema::Column;
use crate::store::conformance::col;
use crate::store::{RecordErrorKind, Rows, Swept};
use crate::value::{Type, Value};
use std::collections::HashSet;

fn columns() -> Vec<Column> {
    vec![col("id", Type::Integer), col("name", Type::Text { max: Some(9) }), col("n", Type::Integer)]
}

const TABLE: &str = "CREATE TABLE t (id bigint PRIMARY KEY, name varchar(9) UNIQUE, n bigint CHECK (n > 0))";

#[test]
fn every_row_of_a_batch_has_its_own_outcome() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let (store, url) = over(&cluster, TABLE, columns());
    store.prepare().unwrap();
    let all = [c(0), c(1), c(2)];
    let mut rows: Vec<Vec<Value>> = (0..300).map(|i| vec![int(i), text(&format!("n{i}\\\t\n")), int(i + 1)]).collect();
    rows[37][2] = int(-1);
    rows[50][1] = rows[49][1].clone();
    rows[60][1] = text("longer than nine");
    rows[299][0] = int(0);
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/left", true, "p/m/left").unwrap();
    let borrowed: Vec<&[Value]> = rows.iter().map(|r| &**r).collect();
    let mut outcomes = Vec::new();
    tx.insert_all(T, &all, &borrowed, &mut outcomes).unwrap();
    let refused: Vec<(usize, RecordErrorKind)> =
        outcomes.iter().enumerate().filter_map(|(i, o)| Some((i, o.as_ref().err()?.kind))).collect();
    assert_eq!(
        refused,
        [
            (37, RecordErrorKind::Refused),
            (50, RecordErrorKind::Unique),
            (60, RecordErrorKind::Misfit),
            (299, RecordErrorKind::Unique)
        ]
    );
    // Changed together: one that breaks a rule, one that is not there, one whose key is taken.
    let keys: Vec<[Value; 1]> = (0..200).map(|i| [int(if i == 20 { 5000 } else { i })]).collect();
    let mut news: Vec<[Value; 2]> = (0..200).map(|i| [text(&format!("u{i}")), int(i + 1000)]).collect();
    news[3][1] = int(0);
    news[90][0] = text("n250\\\t\n");
    let pairs: Vec<(&[Value], &[Value])> = keys.iter().zip(&news).map(|(k, v)| (&k[..], &v[..])).collect();
    let mut outcomes = Vec::new();
    tx.update_all(T, &[c(1), c(2)], &pairs, &mut outcomes).unwrap();
    let refused: Vec<(usize, RecordErrorKind)> =
        outcomes.iter().enumerate().filter_map(|(i, o)| Some((i, o.as_ref().err()?.kind))).collect();
    let gone = RecordErrorKind::Refused;
    assert_eq!(refused, [(3, gone), (20, gone), (37, gone), (50, gone), (60, gone), (90, RecordErrorKind::Unique)]);
    tx.commit().unwrap();
    let sql = Sql::open(&url);
    assert_eq!(sql.rows("SELECT count(*), count(*) FILTER (WHERE name LIKE 'u%') FROM t"), ["296|194"]);
    assert_eq!(sql.rows("SELECT name, n FROM t WHERE id = 199"), ["u199|1199"]);
    assert_eq!(sql.rows("SELECT n FROM t WHERE id IN (3, 20, 90) ORDER BY id"), ["4", "21", "91"]);
    assert_eq!(sql.rows("SELECT replace(replace(name, E'\\t', 'T'), E'\\n', 'N') FROM t WHERE id = 210"), ["n210\\TN"]);
}

#[test]
fn rows_that_go_together_go_at_once_and_a_refused_one_stays() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let (store, url) = over(&cluster, TABLE, columns());
    let sql = Sql::open(&url);
    sql.run(
        "INSERT INTO t SELECT i, 'n' || i, 1 FROM generate_series(0, 99) i; \
         CREATE TABLE child (t bigint NOT NULL REFERENCES t, parent bigint REFERENCES t); INSERT INTO child VALUES (30, 31)",
    )
    .unwrap();
    store.prepare().unwrap();
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/left", true, "p/m/left").unwrap();
    // The last one was never there.
    let keys: Vec<[Value; 1]> = (20..60).chain([5000]).map(|i| [int(i)]).collect();
    let borrowed: Vec<&[Value]> = keys.iter().map(|k| &k[..]).collect();
    let mut outcomes = Vec::new();
    tx.delete_all(T, &borrowed, &mut outcomes).unwrap();
    let refused: Vec<(usize, RecordErrorKind)> =
        outcomes.iter().enumerate().filter_map(|(i, o)| Some((i, o.as_ref().err()?.kind))).collect();
    assert_eq!(refused, [(10, RecordErrorKind::Foreign), (11, RecordErrorKind::Foreign)]);
    assert_eq!(outcomes.len(), 41);
    tx.commit().unwrap();
    assert_eq!(sql.rows("SELECT count(*), min(id) FILTER (WHERE id > 19) FROM t"), ["62|30"]);
}

/// Goes through the table in views of one step each, with `between` after the first.
fn sweep(store: &PostgresStore, between: impl FnOnce()) -> (Vec<i64>, bool) {
    let plan = plan(store);
    let (mut ids, mut cursor, mut stale, mut between) = (Vec::new(), None::<String>, false, Some(between));
    loop {
        let mut view = store.snapshot().unwrap();
        let mut rows = Rows::of(&plan);
        let mut swept = Swept::Stale;
        for _ in 0..2 {
            swept = view.sweep(&plan, cursor.as_deref(), 400, &mut rows).unwrap();
            match &swept {
                Swept::More(next) => cursor = Some(next.clone()),
                _ => break,
            }
        }
        ids.extend((0..rows.len()).filter_map(|i| match rows.row(i)[0] {
            Value::Integer(n) => Some(n),
            _ => None,
        }));
        match swept {
            Swept::More(_) => {}
            Swept::End => return (ids, stale),
            Swept::Stale => {
                assert!(!stale, "once is enough");
                (stale, cursor) = (true, None);
                ids.clear();
            }
        }
        drop(view);
        if let Some(between) = between.take() {
            between();
        }
    }
}

#[test]
fn a_table_is_gone_through_once_whoever_writes_to_it() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    let fill = "INSERT INTO t SELECT i, 'n' || i, 1 FROM generate_series(1, 3000) i ORDER BY md5(i::text)";
    let complete = |ids: &[i64]| {
        let all: HashSet<i64> = ids.iter().copied().collect();
        assert_eq!((all.len(), ids.len()), (3000, 3000));
    };
    // In the order of the file, over several views.
    let (store, _) = over(&cluster, &format!("{TABLE}; {fill}"), columns());
    let (ids, stale) = sweep(&store, || {});
    complete(&ids);
    assert!(!stale && !ids.is_sorted());
    // A change that no log holds moves a row: it is neither missed nor read twice.
    for change in [
        "UPDATE t SET n = 2 WHERE id % 100 = 7",
        "DELETE FROM t WHERE id > 3000; VACUUM FULL t",
        "BEGIN; SAVEPOINT a; UPDATE t SET n = 2 WHERE id = 2999; RELEASE a; COMMIT",
    ] {
        let (store, url) = over(&cluster, &format!("{TABLE}; {fill}"), columns());
        let sql = Sql::open(&url);
        sql.run("INSERT INTO t VALUES (4000, 'gone', 1); DELETE FROM t WHERE id = 4000").unwrap();
        sql.run("DELETE FROM t WHERE id <= 20").unwrap();
        sql.run("VACUUM t").unwrap();
        sql.run("INSERT INTO t SELECT i, 'n' || i, 1 FROM generate_series(1, 20) i").unwrap();
        let (ids, stale) = sweep(&store, || change.split("; ").for_each(|s| sql.run(s).unwrap()));
        complete(&ids);
        assert!(stale, "{change}");
        // And the next time at once by key.
        let (ids, stale) = sweep(&store, || {});
        complete(&ids);
        assert!(!stale && ids.is_sorted());
    }
    // A cursor of somebody who makes things up.
    let mut view = store.snapshot().unwrap();
    let mut rows = Rows::of(&plan(&store));
    for cursor in ["@(0,1) 1", "@(0,1)'; 1 1", "@", "@(0,1) 1 1"] {
        assert_eq!(view.sweep(&plan(&store), Some(cursor), 10, &mut rows).unwrap(), Swept::Stale, "{cursor}");
    }
}

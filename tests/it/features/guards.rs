//! Guards: what people may not do to rows a map fills.

use super::{one, store};
use crate::harness::World;

fn world(statements: &str) -> World {
    let b = store("b", "t", "ID", "V: text(5)\nNOTE: text(9)\nST: integer\nCODE: text(5)")
        .replace("    columns:", "    alternate_keys: [[CODE]]\n    columns:");
    World::new(&[("a", &store("a", "s", "id", "v: text(5)\nst: integer")), ("b", &b)], &[&one(statements)])
}

/// Every object of the database that is not SQLite's own.
fn objects(w: &World) -> Vec<String> {
    w.rows("b", "select type, name, tbl_name, sql from sqlite_master where name not like 'sqlite_%' order by 1, 2")
}

fn refused(w: &World, sql: &str) -> String {
    let c = rusqlite::Connection::open(w.path("b")).unwrap();
    c.execute_batch(sql).expect_err(sql).to_string()
}

fn guards(w: &World) {
    w.engine().install_guards().unwrap();
}

const REJECT: &str = "direct left: update (NOTE)\n guard left: reject\n fields {\n V < v\n ST < st\n}";

#[test]
fn direct_changes_are_refused_and_own_writes_pass() {
    let w = world(REJECT);
    w.sql("a", "insert into s values (1, 'a', 1), (2, 'b', 2)");
    w.sync();
    guards(&w);
    for sql in [
        "insert into t(ID) values (9)",
        "insert or replace into t(ID, V) values (1, 'x')",
        "replace into t(ID, V) values (9, 'x')",
        "insert into t(ID, V) values (9, 'x') on conflict (ID) do update set V = 'x'",
        "insert into t(ID, V) values (1, 'x') on conflict (ID) do update set V = excluded.V",
        "update t set V = 'x'",
        "update t set NOTE = 'n', V = 'x' where ID = 1",
        "update or replace t set ID = 2 where ID = 1",
        "delete from t where ID = 1",
        "delete from t",
    ] {
        let message = refused(&w, sql);
        for part in ["map \"M\"", "not allowed"] {
            assert!(message.contains(part), "{sql}: {message}");
        }
    }
    assert_eq!(w.rows("b", "select ID, V, NOTE from t order by 1"), ["1|a|-", "2|b|-"]);
    // What is allowed, and what changes nothing.
    w.sql("b", "update t set NOTE = 'mine'; update t set V = V");
    w.sql("b", "insert into t(ID, V) values (1, 'zz') on conflict (ID) do update set NOTE = 'ups'");
    w.sql("b", "insert or ignore into t(ID, V) values (1, 'zz')");
    // The map's own writes pass.
    w.sql("a", "insert into s values (3, 'c', 3); update s set v = 'aa' where id = 1; delete from s where id = 2");
    w.run();
    assert_eq!(w.rows("b", "select ID, V, NOTE from t order by 1"), ["1|aa|ups", "3|c|-"]);
    w.assert_quiet();
}

#[test]
fn report_lets_changes_happen_and_keeps_them() {
    let w = world("direct left: none\n fields {\n V < v\n}");
    w.sql("a", "insert into s values (1, 'a', 1)");
    w.sync();
    guards(&w);
    w.sql("b", "insert into t(ID, V) values (9, 'x'); update t set V = 'y' where ID = 9; delete from t where ID = 9");
    let status = &w.engine().stores[1].guards("test").unwrap();
    let ops: Vec<(&str, &str)> = status.reports.iter().map(|r| (r.3.as_str(), r.4.as_str())).collect();
    assert_eq!(ops, [("delete", "9"), ("update", "9"), ("create", "9")]);
    assert_eq!(status.installed.len(), 3);
    // Writes of the map are no direct changes.
    w.sql("a", "update s set v = 'b'");
    w.run();
    assert_eq!(w.engine().stores[1].guards("test").unwrap().reports.len(), 3);
}

#[test]
fn a_filter_of_the_side_limits_its_guard() {
    let w = world(
        "direct left: create\n guard left: reject\n filter left: ST >= 5 and CODE is not null\n fields {\n V < v\n}",
    );
    w.sync();
    guards(&w);
    w.sql("b", "insert into t(ID, ST, CODE) values (1, 4, 'x'), (2, 5, 'y'), (3, 5, null), (4, null, 'z')");
    refused(&w, "update t set V = 'x' where ID = 2");
    refused(&w, "delete from t where ID = 2");
    refused(&w, "insert or replace into t(ID, ST, CODE) values (10, 1, 'y')");
    w.sql("b", "update t set V = 'x' where ID in (1, 3, 4); delete from t where ID in (1, 3, 4)");
    // Out of the filter's reach and back is still a change of a row in it.
    refused(&w, "update t set ST = 1 where ID = 2");
}

#[test]
fn removing_guards_leaves_no_trace() {
    // Guards only, nothing ever moved.
    let w = world(REJECT);
    let before = objects(&w);
    guards(&w);
    assert!(objects(&w).len() > before.len());
    guards(&w);
    let store = w.engine().stores[1].clone();
    assert_eq!(store.remove_guards("test").unwrap(), 3);
    assert_eq!(objects(&w), before);
    assert_eq!(store.remove_guards("test").unwrap(), 0);
    w.sql("b", "insert into t(ID) values (1); delete from t");
    // After a sync: all but the guards stays.
    w.sync();
    let before = objects(&w);
    guards(&w);
    w.engine().stores[1].remove_guards("test").unwrap();
    assert_eq!(objects(&w), before);
    assert_eq!(w.engine().status().unwrap()[0].state, "running");
}

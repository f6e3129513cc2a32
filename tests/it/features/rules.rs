//! What statements say: operations, filters, exits, order, initial, run, derived maps and chains.

use super::{one, pair, s, store, t};
use crate::harness::{World, counts};
use tablemap::engine::{Limits, Quiet};

#[test]
fn operations_say_what_may_be_done_to_a_side() {
    for (allowed, expected) in [
        ("create", ["1|old", "2|new"].as_slice()),
        ("update", &["1|new", "9|x"]),
        ("create, update", &["1|new", "2|new", "9|x"]),
        ("update, delete", &["1|new"]),
        ("create, update, delete", &["1|new", "2|new"]),
    ] {
        let w = pair("v: text(5)", "V: text(5)", &format!("operations left: {allowed}\n fields {{\n V < v\n}}"));
        w.sql("b", "insert into t values (1, 'old'), (9, 'x')");
        w.sql("a", "insert into s values (1, 'new'), (2, 'new'), (9, 'x')");
        w.sync();
        // Nothing waits because something is not allowed.
        assert!(w.errors().is_empty(), "{allowed}");
        if allowed.contains("create") && !allowed.contains("update") {
            assert_eq!(t(&w), ["1|old", "2|new", "9|x"]);
        }
        w.sql("a", "delete from s where id = 9");
        w.run();
        let t = if allowed == "create" { t(&w)[..2].to_vec() } else { t(&w) };
        assert_eq!(t, expected, "{allowed}");
        w.assert_quiet();
    }
}

#[test]
fn each_side_has_its_own_filter_operations_and_exit() {
    let w = pair(
        "v: text(5)
         ready: boolean
         voucher: text(5)",
        "V: text(5)
         VOUCHER: text(5)",
        "tables b.t <-> a.s
         operations left: create, update, delete
         operations right: update
         filter right: ready
         filter left: VOUCHER is not null
         on exit left: delete
         fields {
           V < v
           VOUCHER > voucher
         }",
    );
    w.sql("a", "insert into s values (1, 'a', 1, null), (2, 'b', 0, null), (3, 'c', null, null)");
    w.sql("b", "insert into t values (7, 'x', 'V7')");
    w.sync();
    assert_eq!(t(&w), ["1|a|-", "7|x|V7"]);
    // Into right only updates: 7 is not created there, and 1 waits for its voucher.
    assert_eq!(s(&w).len(), 3);
    w.sql("b", "update t set VOUCHER = 'V1' where ID = 1");
    assert_eq!(counts(&w.run(), "m", "right"), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(s(&w)[0], "1|a|1|V1");
    // It stops matching on the right: its row on the left goes; and nothing goes on the right.
    w.sql("a", "update s set ready = 0 where id = 1; update s set ready = 1 where id = 2");
    let report = w.run();
    assert_eq!(counts(&report, "m", "left"), [1, 0, 1, 0, 0, 0, 0]);
    assert_eq!(t(&w), ["2|b|-", "7|x|V7"]);
    assert_eq!(s(&w).len(), 3);
    w.assert_quiet();
}

#[test]
fn on_exit_leave_leaves_the_row() {
    for exit in ["", "on exit left: leave"] {
        let w =
            pair("v: text(5)\nok: boolean", "V: text(5)", &format!("filter right: ok\n{exit}\nfields {{\n V < v\n}}"));
        w.sql("a", "insert into s values (1, 'a', 1)");
        w.sync();
        w.sql("a", "update s set ok = 0, v = 'b'");
        w.run();
        assert_eq!(t(&w), ["1|a"]);
        w.sql("a", "update s set ok = 1");
        w.run();
        assert_eq!(t(&w), ["1|b"]);
        // A row that is deleted while it matches is deleted on the other side.
        w.sql("a", "delete from s");
        w.run();
        assert!(t(&w).is_empty());
        w.assert_quiet();
    }
}

#[test]
fn an_exit_over_a_lookup_deletes() {
    let a = "store: a\ntables:\n  s:\n    primary_key: [id]\n    columns:\n      id: integer\n      g: { type: integer, lookup: g }\n  g:\n    filled: elsewhere\n    primary_key: [id]\n    columns: { id: integer, ok: boolean }\n";
    let w = World::new(
        &[("a", a), ("b", &store("b", "t", "ID", "V: text(5)"))],
        &[&one("filter right: g.ok\n on exit left: delete\n fields {\n V << 'x'\n}")],
    );
    w.sql("a", "insert into g values (1, 1), (2, 1); insert into s values (1, 1), (2, 1), (3, 2)");
    w.sync();
    assert_eq!(t(&w).len(), 3);
    w.sql("a", "update g set ok = 0 where id = 1");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 0, 2, 0, 0, 0, 0]);
    w.sql("a", "delete from g where id = 2");
    w.run();
    assert!(t(&w).is_empty());
    w.assert_quiet();
}

fn two_tables() -> Vec<(&'static str, String)> {
    let b = "store: b\ntables:\n  t:\n    primary_key: [ID]\n    columns:\n      ID: integer\n      V: text(5)\n  u:\n    primary_key: [ID]\n    columns:\n      ID: integer\n      T: { type: integer, lookup: t }\n      W: text(9)\n";
    vec![("a", store("a", "s", "id", "v: text(5)")), ("b", b.to_string())]
}

fn world(maps: &[&str]) -> World {
    let schemas = two_tables();
    let schemas: Vec<(&str, &str)> = schemas.iter().map(|(n, t)| (*n, t.as_str())).collect();
    World::new(&schemas, maps)
}

#[test]
fn needs_and_lookups_say_the_order() {
    let u = "map \"U\" {\n id a-u\n tables b.u <- a.s\n key ID = id\n fields {\n T < id\n W << 'w'\n}\n}";
    let w = world(&[u, &one("fields {\n V < v\n}")]);
    w.sql("a", "insert into s values (1, 'x'), (2, 'y')");
    let report = w.sync();
    // `a-u` refers to `t`, so `m` came first and nothing parked on the way.
    assert_eq!(counts(&report, "a-u", "left"), [2, 0, 0, 0, 0, 0, 0]);
    // Deletes run the other way round: with foreign keys on, the referring rows go first.
    w.sql("b", "create trigger fk before delete on t when exists (select 1 from u where u.T = old.ID) begin select raise(abort, 'still referred to'); end");
    w.sql("a", "delete from s where id = 1");
    let report = w.run();
    assert_eq!((counts(&report, "m", "left")[2], counts(&report, "a-u", "left")[2]), (1, 1), "{:?}", w.errors());
    // `needs` says it where no lookup does.
    let maps = [
        "map \"U\" {\n id a-u\n needs m\n tables b.u <- b.t\n run manual\n key ID = ID\n fields {\n W < V\n}\n}",
        &one("run manual\n fields {\n V < v\n}"),
    ];
    let w = world(&maps);
    w.sql("a", "insert into s values (1, 'x')");
    let report = w.engine().sync(Some(&[0, 1]), None, &Quiet).unwrap();
    assert_eq!(counts(&report, "a-u", "left")[0], 1, "{report:?}");
}

#[test]
fn initial_none_begins_with_what_changes() {
    let w = pair("v: text(5)", "V: text(5)", "initial none\n fields {\n V < v\n}");
    w.sql("a", "insert into s values (1, 'old'), (2, 'old')");
    w.sync();
    assert!(t(&w).is_empty());
    w.sql("a", "update s set v = 'new' where id = 2");
    w.run();
    assert_eq!(t(&w), ["2|new"]);
    w.assert_quiet();
}

#[test]
fn a_manual_map_runs_when_it_is_named_and_only_what_changed() {
    let w = pair("v: text(5)", "V: text(5)", "run manual\n fields {\n V < v\n}");
    w.sql("a", "insert into s values (1, 'x')");
    w.sync();
    w.run();
    assert!(t(&w).is_empty());
    assert_eq!(counts(&w.run_map("m"), "m", "left"), [1, 0, 0, 0, 0, 0, 0]);
    w.sql("a", "update s set v = 'y'");
    w.run();
    assert_eq!(t(&w), ["1|x"]);
    assert_eq!(counts(&w.run_map("m"), "m", "left"), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(t(&w), ["1|y"]);
}

#[test]
fn a_scheduled_map_runs_when_it_is_due() {
    let w = pair("v: text(5)", "V: text(5)", "run every 1s\n fields {\n V < v\n}");
    w.sql("a", "insert into s values (1, 'x')");
    w.run();
    std::thread::sleep(std::time::Duration::from_millis(1100));
    w.run();
    assert_eq!(t(&w), ["1|x"]);
    w.sql("a", "update s set v = 'y'");
    w.run();
    assert_eq!(t(&w), ["1|x"], "not due yet");
    std::thread::sleep(std::time::Duration::from_millis(1100));
    w.run();
    assert_eq!(t(&w), ["1|y"]);
}

#[test]
fn derived_maps_and_chains_settle_in_one_run() {
    let first = one("fields {\n V < v\n}");
    let second = "map \"U\" {\n id u\n tables b.u <- b.t\n key ID = ID\n filter right: V != 'no'\n on exit left: delete\n fields {\n T = ID\n W << concat(V, '!')\n}\n}"
        .replace("T = ID", "T < ID");
    let back = "map \"Back\" {\n id back\n tables b.t <- b.u\n operations left: update\n key ID = ID\n filter right: W == 'end!'\n fields {\n V << 'END'\n}\n}";
    let w = world(&[&first, &second]);
    w.sql("a", "insert into s values (1, 'x'), (2, 'no')");
    w.sync();
    let u = |w: &World| w.rows("b", "select ID, W from u order by 1");
    assert_eq!(u(&w), ["1|x!"]);
    w.sql("a", "update s set v = 'y' where id = 1; update s set v = 'yes' where id = 2");
    w.run();
    assert_eq!(u(&w), ["1|y!", "2|yes!"]);
    w.sql("a", "update s set v = 'no' where id = 1; delete from s where id = 2");
    w.run();
    assert!(u(&w).is_empty());
    w.assert_quiet();
    // Two derived maps that feed each other and settle.
    let w = world(&[&second, back]);
    w.sync();
    w.sql("b", "insert into t values (1, 'end')");
    w.run();
    assert_eq!(w.rows("b", "select V, W from t join u on u.ID = t.ID"), ["END|END!"]);
    w.assert_quiet();
}

#[test]
fn maps_that_feed_each_other_for_ever_are_cut_and_named() {
    let there =
        "map \"U\" {\n id there\n tables b.u <- b.t\n key ID = ID\n fields {\n W << concat(V, 'a') | right(5)\n}\n}";
    let back = "map \"T\" {\n id back\n tables b.t <- b.u\n key ID = ID\n operations left: update\n fields {\n V << concat(W, 'b') | right(5)\n}\n}";
    let w = world(&[there, back]);
    w.sync();
    w.sql("b", "insert into t values (1, 'x')");
    w.run();
    let e = w.errors();
    assert!(e.iter().any(|e| e.contains("circle") && e.contains("there") && e.contains("back")), "{e:?}");
    w.assert_quiet();
}

#[test]
fn errors_retry_and_drop() {
    let w = pair("v: text(9)", "V: text(3)", "fields {\n V << v\n}");
    w.sql("a", "insert into s values (1, 'long'), (2, 'longer'), (3, 'ok')");
    assert_eq!(counts(&w.sync(), "m", "left"), [1, 0, 0, 0, 0, 0, 2]);
    for part in ["map `m`", "m0.tmap:6", "`V << v`", "a.s id=1", "column `V`", "'long'", "longer than 3", "truncate"] {
        assert!(w.errors()[0].contains(part), "no {part} in {}", w.errors()[0]);
    }
    // Tried again it fails again, and is still there once.
    w.retry();
    w.run();
    assert_eq!(w.errors().len(), 2);
    // A change of another record does not touch them; the latest state goes when it is mended.
    w.sql(
        "a",
        "update s set v = 'ok2' where id = 3; update s set v = 'x' where id = 1; update s set v = 'y' where id = 1",
    );
    w.run();
    assert_eq!(t(&w), ["1|y", "3|ok2"]);
    let engine = w.engine();
    let entries: Vec<_> = engine.errors(&[0]).unwrap().into_iter().map(|(_, e)| e).collect();
    assert_eq!(engine.drop_entries(&entries).unwrap(), 1);
    w.retry();
    w.assert_quiet();
    assert_eq!(t(&w).len(), 2);
    w.sql("a", "update s set v = 'z' where id = 2");
    w.run();
    assert_eq!(t(&w).len(), 3);
}

#[test]
fn a_leg_that_stopped_itself_goes_on_where_it_was() {
    let w = pair("v: text(9)", "V: text(3)", "fields {\n V << v\n}")
        .limits(Limits { open_failures: 5, ..Limits::default() });
    w.sync();
    w.sql("a", "with recursive n(i) as (select 1 union all select i + 1 from n where i < 10) insert into s select i, 'long' from n");
    let report = w.run();
    assert_eq!(report.stopped.len(), 1, "{report:?}");
    assert!(report.stopped[0].reason.contains("tablemap resume"), "{report:?}");
    assert_eq!(w.engine().status().unwrap()[0].state, "too many failures");
    w.sql("a", "insert into s values (11, 'ok')");
    assert_eq!(counts(&w.run(), "m", "left"), [0; 7]);
    w.sql("a", "update s set v = 'ok'");
    w.engine().set_desired(0, None, "run").unwrap();
    assert_eq!(counts(&w.run(), "m", "left")[0], 11);
    assert_eq!(w.engine().status().unwrap()[0].state, "running");
    w.assert_quiet();
}

#[test]
fn last_applied_is_when_something_was_applied() {
    let w = pair("v: text(9)\nok: boolean", "V: text(3)", "filter right: ok\n fields {\n V << v\n}");
    let at = || w.engine().status().unwrap()[0].last_applied_at.clone();
    w.sync();
    assert_eq!(at(), "");
    w.sql("a", "insert into s values (1, 'x', 0), (2, 'long', 1)");
    w.run();
    assert_eq!(at(), "");
    w.sql("a", "insert into s values (3, 'x', 1)");
    w.run();
    let first = at();
    assert!(!first.is_empty());
    w.sql("a", "insert into s values (4, 'x', 0)");
    w.run();
    w.sync();
    assert_eq!(at(), first);
}

#[test]
fn a_record_whose_key_is_taken_waits_for_the_delete_that_frees_it() {
    let b = "store: b\ntables:\n  t:\n    primary_key: [ID]\n    columns:\n      ID: integer\n      V: { type: text(5), required: true }\n    alternate_keys: [[V]]\n";
    let w = World::new(&[("a", &store("a", "s", "id", "v: text(5)")), ("b", b)], &[&one("fields {\n V < v\n}")]);
    w.sql("a", "insert into s values (1, 'x'), (2, 'y')");
    w.sync();
    w.sql("a", "insert into s values (3, 'x'); delete from s where id = 1");
    w.run();
    assert_eq!(t(&w), ["2|y", "3|x"], "{:?}", w.errors());
    // One that stays taken is told with what holds it.
    w.sql("a", "insert into s values (4, 'y')");
    w.run();
    let e = &w.errors()[0];
    for part in ["column `V`", "'y'", "`t`", "id=4"] {
        assert!(e.contains(part), "no {part} in {e}");
    }
}

#[test]
fn a_store_that_cannot_be_written_is_no_records_fault() {
    let w = pair("v: text(5)", "V: text(5)", "fields {\n V < v\n}");
    w.sync();
    let full = w.rows("b", "pragma page_count")[0].parse::<u32>().unwrap();
    w.sql("a", "insert into s values (1, 'x'), (2, 'y')");
    // The table goes away while the engine is at work.
    let engine = w.engine();
    engine.set_up().unwrap();
    w.sql("b", "alter table t rename to gone");
    let error = engine.run_once(None, &Quiet).unwrap_err().to_string();
    assert!(error.contains('b') && error.contains('t'), "{error}");
    assert!(full > 0 && w.errors().is_empty());
    w.sql("b", "alter table gone rename to t");
    assert_eq!(counts(&w.run(), "m", "left")[0], 2);
    assert!(w.errors().is_empty());
    w.assert_quiet();
}

#[test]
fn a_check_constraint_or_a_trigger_of_the_target_refuses_one_record() {
    let w = World::bare(
        &[("a", &store("a", "s", "id", "v: integer")), ("b", &store("b", "t", "ID", "V: integer"))],
        &[&one("fields {\n V < v\n}")],
    );
    w.sql("a", "create table s(id integer primary key, v integer); insert into s values (1, 1), (2, -2), (3, 13)");
    w.sql(
        "b",
        "create table t(ID integer primary key, V integer check (V > 0));
         create trigger luck before insert on t when new.V = 13 begin select raise(abort, 'no thirteen here'); end",
    );
    assert_eq!(counts(&w.sync(), "m", "left"), [1, 0, 0, 0, 0, 0, 2]);
    let e = w.errors();
    assert!(e.iter().any(|e| e.contains("no thirteen here") && e.contains("id=3")), "{e:?}");
    assert!(e.iter().any(|e| e.contains("CHECK") && e.contains("id=2")), "{e:?}");
    w.sql("a", "update s set v = 5");
    w.run();
    assert_eq!(t(&w), ["1|5", "2|5", "3|5"]);
}

#[test]
fn a_removed_or_stopped_map_lets_the_log_go_and_begins_anew() {
    let other = "map \"U\" {\n id u\n tables b.u <- a.s\n key ID = id\n fields {\n W < v\n}\n}";
    let m = one("fields {\n V < v\n}");
    let mut w = world(&[&m, other]);
    w.sql("a", "insert into s values (1, 'x')");
    w.sync();
    let held = |w: &World| w.rows("a", "select leg from _tablemap_readers where acked < 1000000 order by 1");
    assert_eq!(held(&w), ["test/m/left", "test/u/left"]);
    w.set_maps(&[&m]);
    w.run();
    assert_eq!(held(&w), ["test/m/left"]);
    w.sql("a", "insert into s values (2, 'y'); update s set v = 'z' where id = 1");
    w.run();
    // Years later the log is gone up to here.
    w.sql("a", "delete from _tablemap_changes where seq < (select max(seq) from _tablemap_changes)");
    w.set_maps(&[&m, other]);
    w.run();
    assert_eq!(w.rows("b", "select ID, W from u order by 1"), ["1|z", "2|y"]);
    assert_eq!(
        w.engine().status().unwrap().iter().map(|l| l.state.as_str()).collect::<Vec<_>>(),
        ["running", "running"]
    );
    w.engine().set_desired(1, None, "stop").unwrap();
    assert_eq!(held(&w), ["test/m/left"]);
    w.sql("a", "insert into s values (3, 'c')");
    w.run();
    assert_eq!(w.rows("b", "select count(*) from u"), ["2"]);
    w.engine().sync(Some(&[1]), None, &Quiet).unwrap();
    assert_eq!(w.rows("b", "select count(*) from u"), ["3"]);
    assert_eq!(held(&w).len(), 2);
    w.assert_quiet();
}

#[test]
fn a_stopped_map_without_initial_copy_starts_again_with_what_changes_from_then_on() {
    let none = |line: &str| one(&format!("initial none\n fields {{\n {line}\n}}"));
    let a = store("a", "s", "id", "v: text(10)\n w: text(10)");
    let b = store("b", "t", "ID", "V: text(20)");
    let mut w = World::new(&[("a", &a), ("b", &b)], &[&none("V < v")]);
    w.sql("a", "insert into s (id, v) values (1, 'x')");
    w.sync();
    w.sql("a", "insert into s (id, v) values (2, 'y')");
    w.run();
    assert_eq!(t(&w), ["2|y"]);
    // Edited or not, what happened while it was stopped stays where it is.
    for (id, line) in [(3, "V < v"), (4, "V << upper(v)"), (5, "V << concat(v, w)"), (6, "V < v")] {
        w.engine().set_desired(0, None, "stop").unwrap();
        w.sql("a", &format!("insert into s (id, v) values ({id}, 'not me')"));
        w.run();
        w.set_maps(&[&none(line)]);
        w.run();
        assert_eq!(w.engine().status().unwrap()[0].state, "stopped");
        w.sync();
        assert_eq!(w.engine().status().unwrap()[0].state, "running", "{line}");
        assert_eq!(t(&w), ["2|y"], "{line}");
    }
    w.sql("a", "insert into s (id, v) values (7, 'z'); update s set v = 'now me' where id = 3");
    w.run();
    assert_eq!(t(&w), ["2|y", "3|now me", "7|z"]);
    w.assert_quiet();
}

#[test]
fn an_empty_value_map_keeps_its_map_from_running() {
    let other = "map \"U\" {\n id u\n tables b.u <- a.s\n key ID = id\n fields {\n W < v\n}\n}";
    let mut w = world(&[&one("fields {\n V << v { }\n}"), other]);
    w.sql("a", "insert into s values (1, 'x')");
    w.sync();
    assert_eq!((t(&w).len(), w.rows("b", "select count(*) from u")), (0, vec!["1".to_string()]));
    w.set_maps(&[&one("fields {\n V << v { 'X' < 'x' }\n}"), other]);
    w.run();
    assert_eq!(t(&w), ["1|X"]);
}

//! Migration windows, changes skipped by command, maps edited since they were copied: on the real binary.

use super::project::Site;
use super::{one, store};

fn one_way() -> Site {
    let map = one("operations left: create, update, delete\n fields {\n V < v\n}");
    let a = store("a", "s", "id", "v: text(9)\nw: text(9)");
    Site::new(&[("a", &a), ("b", &store("b", "t", "ID", "V: text(9)\nW: text(9)"))], &[&map])
}

fn t(s: &Site) -> Vec<String> {
    s.w.rows("b", "select * from t order by 1")
}

fn leg(s: &Site) -> serde_json::Value {
    s.run(&["status", "--format", "json"]).json()["legs"][0].clone()
}

#[test]
fn a_table_is_rebuilt_in_a_window_and_gone_through_again() {
    let s = one_way();
    s.w.sql("a", "insert into s values (1, 'a', 'x'), (2, 'b', 'y')");
    s.run(&["capture", "suspend"]).says(1, &["tablemap sync"]);
    s.run(&["sync"]).says(0, &[]);
    s.run(&["capture", "status"]).says(0, &["a.s", "captured", "m"]);
    s.run(&["capture", "suspend", "c"]).says(2, &["no store is called `c`"]);
    s.run(&["capture", "suspend", "a", "x"]).says(2, &["no map captures a table `x`"]);
    // A change from before the window is kept for after it.
    s.w.sql("a", "delete from s where id = 2");
    s.run(&["capture", "suspend", "a", "s"]).says(0, &["a.s: capture suspended", "1 map waits now: m"]);
    s.run(&["capture", "suspend", "a", "s"]).says(0, &["suspended already"]);
    assert!(s.w.rows("a", "select name from sqlite_master where type = 'trigger'").is_empty());
    s.w.sql("a", "alter table s drop column v; alter table s add column v text; update s set v = 'new'; insert into s(id, v) values (3, 'c')");
    s.run(&["run", "--once"]).says(1, &["capture is suspended"]);
    assert_eq!((t(&s), leg(&s)["state"].as_str()), (vec!["1|a|-".into(), "2|b|-".into()], Some("capture suspended")));
    s.run(&["capture", "status"]).says(0, &["suspended"]);
    assert!(s.w.rows("a", "select name from sqlite_master where type = 'trigger'").is_empty(), "a run puts none on");
    s.run(&["capture", "resume"]).says(0, &["a.s: capture resumed", "run --once"]);
    s.once();
    assert_eq!((t(&s), leg(&s)["state"].as_str()), (vec!["1|new|-".into(), "3|c|-".into()], Some("running")));
    s.w.sql("a", "update s set v = 'live' where id = 3");
    s.once();
    assert_eq!(t(&s)[1], "3|live|-");
    s.w.assert_quiet();
}

#[test]
fn what_waits_of_a_record_that_is_gone_after_a_window_is_done_with() {
    let a = "store: a\ntables:\n  s:\n    primary_key: [id]\n    columns: { id: integer, number: text(9), g: { type: integer, lookup: g } }\n    alternate_keys: [[number]]\n  g:\n    filled: elsewhere\n    primary_key: [id]\n    columns: { id: integer, code: text(9) }\n";
    let b = store("b", "t", "ID", "NUMBER: text(9)\nW: text(9)");
    let b = b.replace("primary_key: [ID]", "primary_key: [ID]\n    alternate_keys: [[NUMBER]]");
    let b = b.replace("ID: { type: integer, required: true }", "ID: { type: integer, generated: true }");
    let map = one("key NUMBER = number\n operations left: create, update, delete\n fields {\n W < g.code\n}");
    let s = Site::new(&[("a", a), ("b", &b)], &[&map]);
    let rows = || s.w.rows("b", "select NUMBER, W from t order by NUMBER");
    s.w.sql("a", "insert into g values (1, 'G'); insert into s values (1, 'one', 1), (2, 'two', 1), (3, 'three', 1), (4, 'four', 5)");
    s.run(&["sync"]).says(0, &[]);
    // Records wait under the keys that they had, one was never there.
    s.w.sql("a", "update s set number = 'II', g = 5 where id = 2; update s set number = 'III', g = 5 where id = 3");
    s.run(&["run", "--once"]).says(0, &[]);
    assert_eq!(s.w.errors().len(), 3, "{:?}", s.w.errors());
    s.run(&["capture", "suspend", "a", "s"]).says(0, &[]);
    s.w.sql("a", "delete from s where id in (2, 4); update s set id = 9, number = 'three', g = 1 where id = 3");
    s.run(&["capture", "resume"]).says(0, &[]);
    s.once();
    assert_eq!(s.w.errors(), Vec::<String>::new());
    // One had been carried before it waited, and its row goes; the row of another one is that of who has its key now.
    assert_eq!(rows(), ["one|G", "three|G"]);
    s.w.assert_quiet();
}

#[test]
fn a_window_of_a_two_way_map_ends_in_a_comparison() {
    let a = store("a", "s", "id", "v: text(9)");
    let map = "map \"M\" {\n id m\n tables b.t <-> a.s\n key ID = id\n initial left wins\n conflict hold\n fields {\n V = v\n}\n}";
    let s = Site::new(&[("a", &a), ("b", &store("b", "t", "ID", "V: text(9)"))], &[map]);
    s.w.sql("b", "insert into t values (1, 'a'), (2, 'b'), (3, 'c')");
    s.run(&["sync"]).says(0, &[]);
    s.w.sql("b", "update t set V = 'open' where ID = 3");
    s.run(&["capture", "suspend", "a"]).says(1, &["not carried over"]);
    s.once();
    s.run(&["capture", "suspend", "a"]).says(0, &[]);
    s.w.sql("a", "update s set v = 'mine' where id = 1; insert into s values (4, 'd')");
    s.w.sql("b", "update t set V = 'yours' where ID = 2");
    s.run(&["run", "--once"]).says(1, &[]);
    assert_eq!(t(&s), ["1|a", "2|yours", "3|open"]);
    s.run(&["capture", "resume", "a"]).says(0, &[]);
    s.run(&["run", "--once"]).says(1, &[]);
    // Nobody knows which of two values is the later one, and who made or deleted a row.
    let told = s.run(&["conflicts", "list", "--format", "json"]).json();
    assert_eq!(told["conflicts"].as_array().unwrap().len(), 2, "{told}");
    assert_eq!(t(&s), ["1|a", "2|yours", "3|open"]);
    for c in told["conflicts"].as_array().unwrap() {
        let side = if c["record"]["ID"] == "1" { "--right" } else { "--left" };
        s.run(&["conflicts", "resolve", c["id"].as_str().unwrap(), side]).says(0, &[]);
    }
    s.once();
    assert_eq!(t(&s), ["1|mine", "2|yours", "3|open"]);
    assert_eq!(s.w.rows("a", "select * from s order by 1"), ["1|mine", "2|yours", "3|open", "4|d"]);
    s.w.assert_quiet();
}

#[test]
fn what_is_pending_is_skipped_and_kept() {
    let s = one_way();
    s.w.sql("a", "insert into s values (1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'z')");
    s.run(&["sync"]).says(0, &[]);
    s.run(&["resume", "--skip", "m"]).says(1, &["is not paused"]);
    s.run(&["pause", "m"]).says(0, &[]);
    s.w.sql("a", "update s set v = 'late' where id = 1; delete from s where id = 2; insert into s values (4, 'd', 'w'); update s set v = 'late' where id = 3");
    s.run(&["resume", "--skip", "m"]).says(0, &["without what was pending"]);
    // What changes after the command is carried over.
    s.w.sql("a", "update s set v = 'later' where id = 3; insert into s values (5, 'e', 'v')");
    s.once();
    assert_eq!(t(&s), ["1|a|-", "2|b|-", "3|later|-", "5|e|-"]);
    s.run(&["errors", "list", "--kind", "skipped"]).says(0, &["3 skipped", "TM9011"]);
    assert_eq!((leg(&s)["skipped"].as_u64(), leg(&s)["quarantined"].as_u64()), (Some(3), Some(0)));
    s.w.assert_quiet();
    // The next change of a record, or a command, brings its latest state along.
    s.w.sql("a", "update s set w = 'X', v = 'again' where id = 1");
    s.once();
    assert_eq!(t(&s)[0], "1|again|-");
    s.run(&["errors", "retry", "--all"]).says(0, &["2 records"]);
    s.once();
    assert_eq!(t(&s), ["1|again|-", "3|later|-", "4|d|-", "5|e|-"]);
    s.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
    s.w.assert_quiet();
}

#[test]
fn only_maps_that_were_edited_are_copied_again() {
    let s = one_way();
    let other = one("fields {\n W < w\n}\n operations left: update").replace("\"M\"", "\"N\"").replace("id m", "id n");
    s.write("n.tmap", &other);
    s.w.sql("a", "insert into s values (1, 'a', 'x'), (2, 'b', 'y')");
    s.run(&["sync"]).says(0, &[]);
    assert_eq!(t(&s), ["1|a|x", "2|b|y"]);
    let read = |args: &[&str], map: &str| {
        let report = s.run(args).json();
        let legs = report["legs"].as_array().unwrap();
        legs.iter().find(|l| l["map"] == map).map_or(0, |l| l["read"].as_u64().unwrap())
    };
    let changed = ["sync", "--changed", "--format", "json"];
    assert_eq!((read(&changed, "m"), leg(&s)["edited"].as_bool()), (0, Some(false)));
    s.write("n.tmap", &other.replace("W < w", "W << upper(w)"));
    s.run(&["status"]).says(0, &["edited since the last copy: n", "sync --changed"]);
    // Rows that change follow the edited map; the others when they are copied.
    s.w.sql("a", "update s set w = 'z' where id = 2");
    s.once();
    assert_eq!(t(&s), ["1|a|x", "2|b|Z"]);
    s.w.sql("a", "update s set v = 'c' where id = 2");
    let report = s.run(&changed).json();
    let legs = report["legs"].as_array().unwrap();
    let of = |map: &str| legs.iter().find(|l| l["map"] == map).unwrap()["read"].as_u64().unwrap();
    // What changed since is carried over first: a copy does not see what is gone.
    assert_eq!((of("m"), of("n")), (1, 3), "{report}");
    assert_eq!(t(&s), ["1|a|X", "2|c|Z"]);
    s.run(&["status"]).says(0, &["all is well"]);
    s.w.sql("a", "update s set v = 'c' where id = 1");
    let status = s.run(&["status", "--format", "json"]).json();
    let log = &status["logs"][0];
    assert_eq!((log["store"].as_str(), log["rows"].as_u64()), (Some("a"), Some(3)), "{status}");
    assert!(log["bytes"].as_u64().unwrap() > 100 && log["oldest"].as_str().unwrap().starts_with("20"), "{status}");
    s.run(&["status"]).says(0, &["log of a: 3 rows"]);
}

//! Records that changed on both sides: each policy, and what a person decides, on the real binary.

use super::project::Site;

const A: &str = "store: a\ntables:\n  people:\n    primary_key: [id]\n    columns:\n      id: { type: integer, generated: true }\n      number: { type: text(20), required: true }\n      name: text(30)\n      city: text(30)\n      onhold: boolean\n    alternate_keys: [[number]]\n";
const B: &str = "store: b\ntables:\n  Customers:\n    primary_key: [ACCOUNT]\n    columns:\n      ACCOUNT: { type: text(20), required: true }\n      NAME: text(30)\n      CITY: text(30)\n      HOLD: text(3)\n";

fn site(policy: &str) -> Site {
    let map = format!(
        "map \"People\" {{\n  id people\n  tables b.Customers <-> a.people\n  key ACCOUNT = number\n  initial left wins\n  conflict {policy}\n  fields {{\n    NAME = name\n    CITY = city\n    HOLD >< onhold {{ 'Yes' = true, 'No' = false }}\n  }}\n}}\n"
    );
    let s = Site::new(&[("a", A), ("b", B)], &[&map]);
    s.w.sql("b", "insert into Customers values ('1', 'n', 'x', 'Yes'), ('2', 'm', 'y', 'No')");
    s.run(&["sync"]).says(0, &[]);
    s
}

fn left(s: &Site) -> Vec<String> {
    s.w.rows("b", "select ACCOUNT, NAME, CITY, HOLD from Customers order by 1")
}

fn right(s: &Site) -> Vec<String> {
    let sql = "select number, name, city, case onhold when 1 then 'Yes' when 0 then 'No' end from people order by 1";
    s.w.rows("a", sql)
}

/// Both sides are this, nothing waits, and nothing moves any more.
#[track_caller]
fn agreed(s: &Site, rows: &[&str]) {
    assert_eq!(left(s), rows);
    assert_eq!(right(s), rows);
    s.run(&["conflicts", "list"]).says(0, &["no conflict waits"]);
    s.run(&["errors", "list"]).says(0, &["nothing is in quarantine"]);
    s.w.assert_quiet();
}

/// The conflicts, as programs read them.
fn conflicts(s: &Site) -> Vec<serde_json::Value> {
    s.run(&["conflicts", "list", "--all", "--format", "json"]).json()["conflicts"].as_array().unwrap().clone()
}

/// The id of the one conflict that waits.
#[track_caller]
fn waiting(s: &Site) -> String {
    let all = s.run(&["conflicts", "list", "--format", "json"]).json();
    let all = all["conflicts"].as_array().unwrap();
    assert_eq!(all.len(), 1, "{all:?}");
    all[0]["id"].as_str().unwrap().to_string()
}

#[test]
fn merge_takes_each_sides_own_changes_and_the_fallback_decides_the_rest() {
    for (policy, name) in [("merge else left wins", "fromb"), ("merge else right wins", "froma")] {
        let s = site(policy);
        s.w.sql("b", "update Customers set NAME = 'fromb', HOLD = 'No' where ACCOUNT = '1'");
        s.w.sql("a", "update people set name = 'froma', city = 'onlya' where number = '1'");
        s.once();
        agreed(&s, &[&format!("1|{name}|onlya|No"), "2|m|y|No"]);
        let all = conflicts(&s);
        assert_eq!(all.len(), 1, "{all:?}");
        let c = &all[0];
        assert_eq!((c["open"].as_bool(), c["record"]["ACCOUNT"].as_str()), (Some(false), Some("1")), "{c}");
        assert_eq!(c["outcome"], policy.trim_start_matches("merge else "));
        let column = &c["columns"][0];
        assert_eq!((column["left"].as_str(), column["conflict"].as_bool()), (Some("NAME"), Some(true)), "{c}");
        assert_eq!((column["base"]["left"].as_str(), column["base"]["right"].as_str()), (Some("n"), Some("n")), "{c}");
        assert_eq!((column["now"]["left"].as_str(), column["now"]["right"].as_str()), (Some("fromb"), Some("froma")));
        assert_eq!(c["columns"][1]["conflict"], false, "{c}");
    }
}

#[test]
fn a_held_record_waits_on_both_sides_until_somebody_decides() {
    for (policy, args, end) in [
        ("hold", vec!["--left"], "1|fromb|x|No"),
        ("hold", vec!["--right"], "1|froma|onlya|Yes"),
        ("merge else hold", vec!["--merge", "--set", "name=right"], "1|froma|onlya|No"),
        ("merge else hold", vec!["--set", "NAME=left"], "1|fromb|onlya|No"),
        ("hold", vec!["--left", "--set", "CITY=right"], "1|fromb|onlya|No"),
    ] {
        let s = site(policy);
        s.w.sql("b", "update Customers set NAME = 'fromb', HOLD = 'No' where ACCOUNT = '1'; update Customers set NAME = 'M' where ACCOUNT = '2'");
        s.w.sql("a", "update people set name = 'froma', city = 'onlya' where number = '1'");
        s.run(&["run", "--once"]).says(1, &[]);
        // It is left alone, the others go on; what changes meanwhile waits with it.
        assert_eq!(left(&s), ["1|fromb|x|No", "2|M|y|No"]);
        assert_eq!(right(&s), ["1|froma|onlya|Yes", "2|M|y|No"]);
        s.w.sql(
            "a",
            "update people set name = 'froma2' where number = '1'; update people set name = 'froma' where number = '1'",
        );
        s.run(&["run", "--once"]);
        assert_eq!(left(&s)[0], "1|fromb|x|No");
        s.run(&["conflicts", "list"]).says(0, &["people", "ACCOUNT=1", "NAME = name", "1 waits"]);
        let id = waiting(&s);
        s.run(&["conflicts", "show", &id]).says(0, &["left: b.Customers", "fromb", "froma", "onlya", "both changed"]);
        s.run(&["conflicts", "resolve", &id, "--merge"]).says(2, &["--set NAME=left|right"]);
        s.run(&["conflicts", "resolve", &id, "--merge", "--set", "NAM=left"]).says(2, &["no two-way line", "NAME"]);
        s.run(&["conflicts", "resolve", "00000000", "--left"]).says(2, &["no conflict has the id"]);
        let mut all = vec!["conflicts", "resolve", &id];
        all.extend(&args);
        s.run(&all).says(0, &["decided", "run --once"]);
        s.once();
        agreed(&s, &[end, "2|M|y|No"]);
        s.run(&["conflicts", "list", "--all"]).says(0, &["decided: "]);
        assert_eq!(conflicts(&s).len(), 1);
        s.run(&["conflicts", "resolve", &id, "--left"]).says(1, &["does not wait"]);
        // And changes travel again.
        s.w.sql("a", "update people set name = 'later' where number = '1'");
        s.once();
        assert!(left(&s)[0].starts_with("1|later|"));
    }
}

#[test]
fn a_delete_against_a_change_follows_the_policy_too() {
    for deleted_left in [true, false] {
        for (policy, decision) in [
            ("left wins", None),
            ("right wins", None),
            ("merge else left wins", None),
            ("hold", Some("left")),
            ("merge else hold", Some("right")),
        ] {
            let s = site(policy);
            if deleted_left {
                s.w.sql("b", "delete from Customers where ACCOUNT = '1'");
                s.w.sql("a", "update people set name = 'froma' where number = '1'");
            } else {
                s.w.sql("a", "delete from people where number = '1'");
                s.w.sql("b", "update Customers set NAME = 'fromb' where ACCOUNT = '1'");
            }
            s.run(&["run", "--once"]);
            let winner = match decision {
                None => policy.rsplit(' ').nth(1).unwrap(),
                Some(side) => {
                    let (l, r) = if deleted_left { (1, 2) } else { (2, 1) };
                    assert_eq!((left(&s).len(), right(&s).len()), (l, r), "{policy} {deleted_left}");
                    s.run(&["run", "--once"]);
                    assert_eq!((left(&s).len(), right(&s).len()), (l, r), "{policy} {deleted_left}");
                    let id = waiting(&s);
                    s.run(&["conflicts", "show", &id]).says(0, &["(deleted)", "deleted on the"]);
                    s.run(&["conflicts", "resolve", &id, "--merge"]).says(2, &["makes it again"]);
                    s.run(&["conflicts", "resolve", &id, &format!("--{side}")]).says(0, &[]);
                    s.once();
                    side
                }
            };
            let gone = (winner == "left") == deleted_left;
            let name = if deleted_left { "froma" } else { "fromb" };
            let row = format!("1|{name}|x|Yes");
            let rows: Vec<&str> = if gone { vec!["2|m|y|No"] } else { vec![&row, "2|m|y|No"] };
            agreed(&s, &rows);
            assert_eq!(conflicts(&s).len(), 1, "{policy} {deleted_left}");
        }
    }
}

#[test]
fn a_held_record_that_people_bring_together_goes_on_by_itself() {
    let s = site("hold");
    s.w.sql("b", "update Customers set NAME = 'fromb', HOLD = 'No' where ACCOUNT = '1'");
    s.w.sql("a", "update people set name = 'froma', city = 'onlya' where number = '1'");
    s.run(&["run", "--once"]).says(1, &[]);
    s.w.sql("a", "update people set name = 'fromb' where number = '1'");
    s.once();
    agreed(&s, &["1|fromb|onlya|No", "2|m|y|No"]);
    assert_eq!(conflicts(&s)[0]["outcome"], "no longer in conflict");
}

#[test]
fn a_copy_decides_no_held_conflict() {
    let s = site("hold");
    s.w.sql("b", "update Customers set NAME = 'fromb' where ACCOUNT = '1'");
    s.w.sql("a", "update people set name = 'froma' where number = '1'");
    s.run(&["run", "--once"]).says(1, &[]);
    s.run(&["sync"]);
    assert_eq!((left(&s)[0].as_str(), right(&s)[0].as_str()), ("1|fromb|x|Yes", "1|froma|x|Yes"));
    let id = waiting(&s);
    s.run(&["conflicts", "resolve", &id, "--right"]).says(0, &[]);
    s.once();
    agreed(&s, &["1|froma|x|Yes", "2|m|y|No"]);
}

#[test]
fn a_copy_into_an_empty_table_decides_no_held_conflict() {
    let s = site("hold");
    s.w.sql("a", "update people set city = 'onlya'");
    s.w.sql("b", "delete from Customers");
    s.run(&["run", "--once"]).says(1, &[]);
    s.run(&["sync"]);
    assert_eq!(left(&s), Vec::<String>::new());
    assert_eq!(conflicts(&s).iter().filter(|c| c["open"] == true).count(), 2);
}

#[test]
fn the_same_record_made_on_both_sides_is_held() {
    let s = site("hold");
    s.w.sql("b", "insert into Customers values ('3', 'fromb', 'x', 'No')");
    s.w.sql("a", "insert into people(number, name, city, onhold) values ('3', 'froma', 'x', 1)");
    s.run(&["run", "--once"]).says(1, &[]);
    let id = waiting(&s);
    s.run(&["conflicts", "resolve", &id, "--right"]).says(0, &[]);
    s.once();
    agreed(&s, &["1|n|x|Yes", "2|m|y|No", "3|froma|x|Yes"]);
}

#[test]
fn one_direction_rests_while_the_other_goes_on() {
    let s = site("left wins");
    // Into a, which is right: what b has to say waits.
    s.run(&["pause", "--into", "a", "people"]).says(0, &["people: paused (1 direction)"]);
    s.run(&["status"]).says(0, &["a.people", "paused", "b.Customers", "running"]);
    s.w.sql("b", "update Customers set NAME = 'b1', CITY = 'b1' where ACCOUNT = '1'");
    s.w.sql("a", "update people set name = 'a1' where number = '1'");
    s.w.sql("a", "update people set name = 'a2', city = 'a2' where number = '2'");
    s.once();
    // The direction that goes on meets what waits in the other one: a conflict, decided by the map.
    assert_eq!(left(&s), ["1|b1|b1|Yes", "2|a2|a2|No"]);
    assert_eq!(right(&s), ["1|a1|x|Yes", "2|a2|a2|No"]);
    s.run(&["resume", "--into", "right", "people"]).says(0, &["people: running (1 direction)"]);
    s.once();
    agreed(&s, &["1|b1|b1|Yes", "2|a2|a2|No"]);
    // What is skipped of one direction is kept, and the other one is not asked.
    s.run(&["resume", "--skip", "--into", "left", "people"]).says(1, &["is not paused"]);
    s.run(&["pause", "--into", "left"]).says(0, &["people: paused (1 direction)"]);
    s.w.sql("a", "update people set name = 'skipped' where number = '2'");
    s.run(&["resume", "--skip", "--into", "b"]).says(0, &["without what was pending (1 direction)"]);
    s.w.sql("b", "update Customers set CITY = 'goes' where ACCOUNT = '1'");
    s.once();
    assert_eq!((left(&s)[1].as_str(), right(&s)[1].as_str()), ("2|a2|a2|No", "2|skipped|a2|No"));
    assert_eq!(right(&s)[0], "1|b1|goes|Yes");
    s.run(&["errors", "list"]).says(0, &["skipped"]);
    s.run(&["pause", "--into", "c"]).says(2, &["`--into c` is no side and no store", "did you mean `a` or `b`?"]);
}

#[test]
fn where_one_direction_is_stopped_the_other_waits_for_nothing() {
    let s = site("left wins");
    s.run(&["stop", "--into", "right", "people"]).says(0, &["people: stopped (1 direction)"]);
    s.w.sql("b", "update Customers set NAME = 'b1' where ACCOUNT = '1'");
    s.w.sql("a", "update people set name = 'a1' where number = '1'");
    s.once();
    assert_eq!((left(&s)[0].as_str(), right(&s)[0].as_str()), ("1|a1|x|Yes", "1|a1|x|Yes"));
    s.w.sql("b", "update Customers set NAME = 'b2' where ACCOUNT = '2'");
    s.once();
    assert_eq!((left(&s)[1].as_str(), right(&s)[1].as_str()), ("2|b2|y|No", "2|m|y|No"));
    s.run(&["resume", "--into", "right", "people"]).says(1, &["tablemap sync people"]);
    s.run(&["sync", "people"]).says(0, &[]);
    agreed(&s, &["1|a1|x|Yes", "2|b2|y|No"]);
}

#[test]
fn a_held_record_that_is_made_anew_is_held_once() {
    // Deleted and made anew at once, or looked at in between; nobody has to decide twice.
    for between in [false, true] {
        let s = site("hold");
        s.w.sql("b", "update Customers set NAME = 'fromb' where ACCOUNT = '1'");
        s.w.sql("a", "delete from people where number = '1'");
        if between {
            s.run(&["run", "--once"]).says(1, &[]);
        }
        s.w.sql("a", "insert into people(number, name, city, onhold) values ('1', 'froma', 'x', 1)");
        s.run(&["run", "--once"]).says(1, &[]);
        let id = waiting(&s);
        s.run(&["conflicts", "resolve", &id, "--right"]).says(0, &[]);
        s.once();
        agreed(&s, &["1|froma|x|Yes", "2|m|y|No"]);
        assert_eq!(conflicts(&s).len(), 1);
    }
}

#[test]
fn a_held_record_that_is_gone_on_both_sides_or_unchanged_on_one_goes_on_by_itself() {
    let unlike = "update people set city = 'onlya' where number = '1'";
    for (then, why) in [
        ("update people set city = 'x' where number = '1'", "it is what it was: the delete goes on"),
        ("delete from people where number = '1'", "it is gone on both sides"),
    ] {
        let s = site("hold");
        s.w.sql("a", unlike);
        s.w.sql("b", "delete from Customers where ACCOUNT = '1'");
        s.run(&["run", "--once"]).says(1, &[]);
        waiting(&s);
        s.w.sql("a", then);
        s.once();
        assert_eq!(left(&s), ["2|m|y|No"], "{why}");
        agreed(&s, &["2|m|y|No"]);
        assert_eq!(conflicts(&s)[0]["outcome"], "no longer in conflict", "{why}");
    }
}

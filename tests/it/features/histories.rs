//! Histories that torture brought to light: an engine that dies, and people who go on meanwhile.

use crate::harness::World;
use tablemap::engine::{EngineError, Env, Quiet, Resolution};
use tablemap::syntax::ast::Side;

const A: &str = "
store: a
tables:
  people:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: { type: integer, generated: true }
      number: { type: text(20), required: true }
      name: text(30)
      city: text(30)
    alternate_keys: [[number]]
";
const B: &str = "
store: b
tables:
  Customers:
    primary_key: [ACCOUNT]
    columns:
      ACCOUNT: { type: text(20), required: true }
      NAME: text(30)
      CITY: text(30)
";

/// Customers in `b`, people in `a`; the key of the map is not the primary key of `a`.
fn world(arrow: &str, rest: &str) -> World {
    let map = format!(
        "map \"People\" {{\n id people\n tables b.Customers {arrow} a.people\n key ACCOUNT = number\n {rest}\n}}\n"
    );
    World::new(&[("a", A), ("b", B)], &[&map])
}

fn one_way() -> World {
    world("<-", "operations left: create, update, delete\n fields {\n NAME < name\n CITY < city\n }")
}

fn two_way() -> World {
    world("<->", "initial left wins\n conflict left wins\n fields {\n NAME = name\n CITY = city\n }")
}

/// The engine works and dies at its `n`th point; whether it got that far.
fn dies(w: &World, n: u32, sync: bool) -> bool {
    let engine = w.engine_in(Env::default().failing_at(n));
    let done = if sync { engine.sync(None, None, &Quiet) } else { engine.run_once(None, &Quiet) };
    match done {
        Ok(_) => false,
        Err(EngineError::Cancelled) => true,
        Err(e) => panic!("{e}"),
    }
}

#[track_caller]
fn agree(w: &World, history: &str) {
    let left = w.rows("b", "select ACCOUNT, NAME, CITY from Customers order by 1");
    let right = w.rows("a", "select number, name, city from people order by 1");
    assert_eq!(left, right, "{history}: {:?}", w.errors());
    assert!(w.errors().is_empty(), "{history}: {:?}", w.errors());
    w.assert_quiet();
}

#[test]
fn three_records_of_one_primary_key_with_two_deaths_between_them() {
    for first in 4..9 {
        for second in 4..9 {
            let w = one_way();
            w.sql("a", "insert into people values (1, 'x', 'n', 'c')");
            w.sync();
            w.sql("a", "delete from people; insert into people values (1, 'y', 'n', 'c')");
            let died = dies(&w, first, false);
            w.sql("a", "delete from people; insert into people values (1, 'z', 'n', 'c')");
            let again = dies(&w, second, false);
            w.sql("a", "update people set name = 'm'");
            w.run();
            agree(&w, &format!("died at {first} and {second}"));
            if !died || !again {
                break;
            }
        }
    }
}

#[test]
fn a_row_that_was_left_as_it_is_and_goes_before_it_is_carried() {
    for name in ["left", "right"] {
        for n in 1..14 {
            let w = two_way();
            w.sync();
            w.sql("a", "insert into people values (1, 'x', 'right', 'c')");
            w.sql("b", &format!("insert into Customers values ('x', '{name}', 'c')"));
            let died = dies(&w, n, false);
            w.sql("b", "delete from Customers");
            w.run();
            agree(&w, &format!("{name}, died at {n}"));
            if !died {
                break;
            }
        }
    }
}

#[test]
fn a_key_is_left_and_taken_on_one_side_while_its_record_comes_back_on_the_other() {
    for end in
        ["", "; update Customers set NAME = 'n' where ACCOUNT = 'm'", "; delete from Customers where ACCOUNT = 'm'"]
    {
        let w = two_way();
        w.sql("b", "insert into Customers values ('x', 'n', 'c')");
        w.sync();
        w.sql("a", "delete from people; insert into people(number, name) values ('x', 'came back')");
        let renamed = "update Customers set ACCOUNT = 'm'; insert into Customers values ('x', 'another', 'c')";
        w.sql("b", &format!("{renamed}{end}"));
        w.run();
        w.run();
        agree(&w, end);
    }
}

#[test]
fn what_a_copy_saw_of_the_log_is_not_pending_for_the_next_copy() {
    for n in 1..6 {
        let w = one_way();
        w.sql("a", "insert into people values (1, 'x', 'n', 'c')");
        // The log is noted before the first row is copied; this change is in the log and in the copy.
        let died = dies(&w, n, true);
        w.sql("a", "update people set number = 'y'");
        w.run();
        w.sql("a", "delete from people");
        w.sync();
        agree(&w, &format!("died at {n}"));
        if !died {
            break;
        }
    }
}

#[test]
fn an_edit_that_comes_after_a_death_between_the_directions() {
    let edits = [
        // Carried to the left before the death, and edited again: the left never changed it itself.
        ("update people set city = '1'", "update people set city = '2'", "x|name|2"),
        // The key goes along, and another record takes it.
        (
            "update people set number = 'm'; insert into people(number, name) values ('x', 'y')",
            "update people set city = '2' where number = 'm'",
            "m|name|2",
        ),
    ];
    for (first, second, expected) in edits {
        for n in 4..11 {
            let w = two_way();
            w.sql("a", "insert into people values (1, 'x', 'n', 'c')");
            w.sync();
            w.sql("b", "update Customers set NAME = 'name'");
            w.sql("a", first);
            let died = dies(&w, n, false);
            w.sql("a", second);
            w.run();
            agree(&w, &format!("died at {n}"));
            let there = w.rows("b", "select ACCOUNT, NAME, CITY from Customers order by 1");
            assert_eq!(there[0], expected, "died at {n}");
            if !died {
                break;
            }
        }
    }
}

/// Which directions lose, by policy.
const POLICIES: [&str; 4] = ["left wins", "right wins", "merge else left wins", "merge else right wins"];

fn moving(policy: &str) -> World {
    let rest = format!("initial left wins\n conflict {policy}\n fields {{\n NAME = name\n CITY = city\n }}");
    let w = world("<->", &rest);
    w.sql("b", "insert into Customers values ('x', 'n', 'c'), ('y', 'n', 'c')");
    w.sync();
    w
}

/// A record's key changes on one side, and something else of it on the other.
#[test]
fn a_record_that_moved_on_one_side_is_not_made_again_by_the_other() {
    let (x, y) = ("update people set name = 'm' where number = 'x'", "update people set id = 9 where number = 'y'");
    for policy in POLICIES {
        let w = moving(policy);
        w.sql("b", "update Customers set ACCOUNT = 'm' || ACCOUNT");
        w.sql("a", &format!("{x}; {y}"));
        w.run();
        agree(&w, policy);
        assert_eq!(w.rows("a", "select number, name from people order by 1"), ["mx|m", "my|n"], "{policy}");
        let w = moving(policy);
        w.sql("a", "update people set number = 'm' || number");
        w.sql("b", "update Customers set NAME = 'm' where ACCOUNT = 'x'");
        w.run();
        agree(&w, policy);
        assert_eq!(w.rows("a", "select number, name from people order by 1"), ["mx|m", "my|n"], "{policy}");
    }
}

/// Its key changes on both sides: one record still, under the winner's key, and the conflict is written down.
#[test]
fn a_record_that_moved_on_both_sides_stays_one() {
    for policy in POLICIES {
        for n in 3..9 {
            let w = moving(policy);
            w.sql("b", "update Customers set ACCOUNT = 'left' where ACCOUNT = 'x'");
            w.sql("a", "update people set number = 'right', city = 'd' where number = 'x'");
            let died = dies(&w, n, false);
            w.sql("b", "update Customers set NAME = 'later' where ACCOUNT <> 'y'");
            w.run();
            agree(&w, &format!("{policy}, died at {n}"));
            let won = if policy.contains("left") { "left|later" } else { "right|later" };
            assert_eq!(w.rows("a", "select number, name from people order by 1"), [won, "y|n"], "{policy}, {n}");
            let noted = ["a", "b"].map(|s| w.rows(s, "select outcome from _tablemap_conflicts where outcome <> ''"));
            assert!(
                noted.concat().iter().any(|o| won.starts_with(&o.replace(" wins", ""))),
                "{policy}, {n}: {noted:?}"
            );
            if !died {
                break;
            }
        }
    }
}

/// Its key changes on one side while the other deletes it.
#[test]
fn a_record_that_moved_on_one_side_and_went_on_the_other() {
    for policy in &POLICIES[..2] {
        for (move_there, delete) in [
            ("update Customers set ACCOUNT = 'm' where ACCOUNT = 'x'", "delete from people where number = 'x'"),
            ("delete from Customers where ACCOUNT = 'x'", "update people set number = 'm' where number = 'x'"),
        ] {
            for n in 3..9 {
                let w = moving(policy);
                w.sql("b", move_there);
                w.sql("a", delete);
                let died = dies(&w, n, false);
                w.run();
                let history = format!("{policy}: {move_there}, died at {n}");
                agree(&w, &history);
                let left_moves = move_there.starts_with("update");
                let stays = left_moves == policy.contains("left");
                let expected: &[&str] = if stays { &["m", "y"] } else { &["y"] };
                assert_eq!(w.rows("a", "select number from people order by 1"), expected, "{history}");
                if !died {
                    break;
                }
            }
        }
    }
}

/// A row comes under the key of a record that moved here, and went there: it is another record.
#[test]
fn a_row_under_the_key_of_a_record_that_moved_and_went_is_new() {
    for policy in POLICIES {
        let w = moving(policy);
        w.sql(
            "a",
            "update people set number = 'm' where number = 'x'; insert into people(number, name) values ('x', 'new')",
        );
        w.sql("b", "delete from Customers where ACCOUNT = 'x'");
        w.run();
        agree(&w, policy);
        let there = w.rows("b", "select ACCOUNT, NAME from Customers order by 1");
        assert!(there.contains(&"x|new".to_string()), "{policy}: {there:?}");
    }
}

/// A row is replaced here, under the same key, while the record moved there: the replaced row's end is not its end.
#[test]
fn a_row_that_is_replaced_here_and_moved_there_stays() {
    for policy in POLICIES {
        let w = moving(policy);
        w.sql("a", "insert or replace into people(number, name, city) values ('x', 'again', 'c')");
        w.sql("b", "update Customers set ACCOUNT = 'm' where ACCOUNT = 'x'");
        w.run();
        agree(&w, policy);
        assert_eq!(w.rows("a", "select number, name from people order by 1"), ["m|again", "y|n"], "{policy}");
    }
}

/// A row comes on each side under the same key, and one is renamed before anything is carried: two records.
#[test]
fn a_new_row_is_not_found_under_a_key_it_had_before_it_was_carried() {
    let w = moving("right wins");
    w.sql(
        "b",
        "insert into Customers values ('z', 'left', 'c'); update Customers set ACCOUNT = 'm' where ACCOUNT = 'z'",
    );
    w.sql("a", "insert into people(number, name, city) values ('z', 'right', 'c')");
    w.run();
    agree(&w, "renamed before it was carried");
    let there = w.rows("a", "select number, name from people order by 1");
    assert_eq!(there, ["m|left", "x|n", "y|n", "z|right"]);
}

/// A record is replaced under its key, met by the other side's, and goes or is renamed before it is told.
#[test]
fn a_record_that_came_back_and_was_met_goes_on_as_that_record() {
    for (end, expected) in [
        ("delete from Customers where ACCOUNT = 'z'", ["x|n", "y|n"].as_slice()),
        ("update Customers set ACCOUNT = 'm' where ACCOUNT = 'z'", ["m|left", "x|n", "y|n"].as_slice()),
    ] {
        for n in 3..11 {
            let w = moving("left wins");
            let made = "insert into Customers values ('z', 'first', 'c')";
            let again = "delete from Customers where ACCOUNT = 'z'; insert into Customers values ('z', 'left', 'c')";
            w.sql("b", &format!("{made}; {again}"));
            w.sql("a", "insert into people(number, name, city) values ('z', 'right', 'c')");
            let died = dies(&w, n, false);
            w.sql("b", end);
            w.run();
            agree(&w, &format!("{end}, died at {n}"));
            // Where nobody had met it before, the other side's row is a record of its own.
            let there = w.rows("a", "select number, name from people order by 1");
            assert!(there == expected || there.contains(&"z|right".to_string()), "{end}, died at {n}: {there:?}");
            if !died {
                break;
            }
        }
    }
}

/// A primary key is used again while the engine works: the new record's echo says nothing of the old one's end.
#[test]
fn an_echo_of_a_new_record_does_not_settle_the_end_of_the_one_before() {
    for n in 1..60 {
        let w = moving("left wins");
        w.sql("a", "insert into people values (7, 'z', 'n', 'c')");
        let died = dies(&w, n, false);
        w.sql("a", "delete from people where number = 'z'; insert into people values (7, 'w', 'n', 'c')");
        w.sql("b", "insert or ignore into Customers values ('w', 'left', 'c')");
        w.run();
        agree(&w, &format!("died at {n}"));
        assert_eq!(w.rows("a", "select number, name from people order by 1"), ["w|left", "x|n", "y|n"], "died at {n}");
        if !died {
            break;
        }
    }
}

#[test]
fn what_is_written_while_a_direction_rests_does_not_settle_the_end_of_a_record_before() {
    for policy in POLICIES {
        let w = moving(policy);
        w.sql("a", "insert into people values (7, 'z', 'n', 'c')");
        w.run();
        w.engine().set_desired(0, Some(Side::Left), "pause").unwrap();
        w.sql("a", "delete from people where number = 'z'; insert into people values (7, 'w', 'n', 'c')");
        w.sql("b", "insert into Customers values ('w', 'left', 'c')");
        w.run();
        w.engine().set_desired(0, Some(Side::Left), "run").unwrap();
        w.run();
        agree(&w, policy);
        assert_eq!(w.rows("a", "select number from people order by 1"), ["w", "x", "y"], "{policy}");
    }
}

/// Records of one side swapped their keys, and the other side's rows had passing ones: these are no changes of that side.
#[test]
fn a_swap_that_was_carried_before_a_death_is_no_change_of_the_other_side() {
    let swap = |table: &str, key: &str| {
        let to = |from: &str, to: &str| format!("update {table} set {key} = '{to}' where {key} = '{from}'; ");
        [to("x", "pass"), to("y", "x"), to("pass", "y")].concat()
    };
    for policy in &POLICIES[..2] {
        for (side, table, key) in [("b", "Customers", "ACCOUNT"), ("a", "people", "number")] {
            for n in 5..14 {
                let w = moving(policy);
                w.sql("b", "update Customers set NAME = ACCOUNT");
                w.run();
                w.sql(side, &swap(table, key));
                let died = dies(&w, n, false);
                w.sql(side, &format!("update {table} set {key} = 'm' where {key} = 'x'"));
                w.run();
                agree(&w, &format!("{policy}, {side}, died at {n}"));
                let there = w.rows("a", "select number, name from people order by 1");
                assert_eq!(there, ["m|y", "y|x"], "{policy}, {side}, died at {n}");
                for store in ["a", "b"] {
                    let noted = w.rows(store, "select base, left, right, outcome from _tablemap_conflicts");
                    assert!(noted.is_empty(), "{policy}, {side}, died at {n}: {noted:?}");
                }
                if !died {
                    break;
                }
            }
        }
    }
}

/// Somebody decides about a held record and is cut off before both directions know of it.
#[test]
fn a_decision_that_was_cut_off_counts_in_both_directions() {
    let changed = "update Customers set NAME = 'left' where ACCOUNT = 'x'";
    let changed_there = "update people set name = 'right' where number = 'x'";
    let gone = "delete from Customers where ACCOUNT = 'x'";
    let gone_there = "delete from people where number = 'x'";
    for (left, right) in [(changed, changed_there), (gone, changed_there), (changed, gone_there)] {
        for side in [Side::Left, Side::Right] {
            for n in [5, 99] {
                let w = moving("hold");
                w.sql("b", left);
                w.sql("a", right);
                w.run();
                let history = format!("{left}, {right}, {}, died at {n}", side.word());
                let decided = Resolution { all: Some(side), set: vec![] };
                let open = w.engine().conflicts(&[0], false).unwrap();
                assert_eq!(open.len(), 1, "{history}");
                let cut_off = w.engine_in(Env::default().failing_at(1)).resolve(&open[0].1, &decided);
                assert!(matches!(cut_off, Err(EngineError::Cancelled)), "{history}: {cut_off:?}");
                assert_eq!(w.engine().conflicts(&[0], false).unwrap(), [], "{history}: it is decided");
                dies(&w, n, false);
                w.run();
                agree(&w, &history);
                let winner = if side == Side::Left { left } else { right };
                let name = format!("x|{}", side.word());
                let expected = if winner.starts_with("delete") { &["y|n"][..] } else { &[name.as_str(), "y|n"] };
                assert_eq!(w.rows("a", "select number, name from people order by 1"), expected, "{history}");
            }
        }
    }
}

/// A record came back here before a death, moved on, and went there; another row took its key, and both were looked at
/// before a second death. The row that comes there then is only one of them.
#[test]
fn a_record_that_came_back_and_moved_on_is_not_two_records() {
    for policy in &POLICIES[..2] {
        for first in [4, 6] {
            for second in [4, 6] {
                let w = moving(policy);
                w.sql("a", "delete from people where number = 'x'; insert into people values (7, 'x', 'back', 'c')");
                dies(&w, first, false);
                w.sql(
                    "a",
                    "update people set number = 'm' where id = 7; insert into people values (8, 'x', 'new', 'c')",
                );
                w.sql("b", "delete from Customers where ACCOUNT = 'x'");
                dies(&w, second, false);
                w.sql("b", "insert or ignore into Customers values ('x', 'again', 'c')");
                w.run();
                agree(&w, &format!("{policy}, died at {first} and {second}"));
            }
        }
    }
}

/// Records hand their keys on while one of them waits for what it looks up: those behind it wait for it, and nobody is told
/// to correct a key.
#[test]
fn a_key_whose_row_is_about_to_leave_it_is_no_failure() {
    const A: &str = "
store: a
tables:
  groups:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      code: { type: text(20), required: true }
  orders:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      number: { type: text(20), required: true }
      group: { type: integer, lookup: groups }
    alternate_keys: [[number]]
";
    const B: &str = "
store: b
tables:
  Groups:
    primary_key: [ID]
    columns:
      ID: { type: integer, generated: true }
      CODE: { type: text(20), required: true }
    alternate_keys: [[CODE]]
  Invoices:
    primary_key: [ROWNO]
    columns:
      ROWNO: { type: integer, generated: true }
      NUMBER: { type: text(20), required: true }
      GRP: { type: integer, lookup: Groups }
    alternate_keys: [[NUMBER]]
";
    let groups = "map \"Groups\" {\n id groups\n tables b.Groups <- a.groups\n operations left: create, update, delete\n key CODE = code\n}\n";
    let orders = "map \"Orders\" {\n id orders\n tables b.Invoices <- a.orders\n operations left: create, update, delete\n key NUMBER = number\n fields {\n GRP.CODE < group.code\n }\n}\n";
    let w = World::new(&[("a", A), ("b", B)], &[groups, orders]);
    w.sql("a", "insert into groups values (1, 'g1')");
    w.sql("a", "insert into orders values (1, 'one', 1), (2, 'two', 1), (3, 'three', 1)");
    w.sync();
    w.sql("a", "update orders set number = 'four', \"group\" = 9 where id = 1");
    w.sql("a", "update orders set number = 'one' where id = 2; update orders set number = 'two' where id = 3");
    w.run();
    let told = w.errors();
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|e| e.starts_with("parked")), "{told:?}");
    assert_eq!(told.iter().filter(|e| e.contains("tried again every ten seconds")).count(), 2, "{told:?}");
    w.sql("a", "insert into groups values (9, 'g9')");
    w.run();
    w.engine_in(Env::default().forward(std::time::Duration::from_secs(20))).run_once(None, &Quiet).unwrap();
    assert_eq!(w.errors(), [] as [&str; 0]);
    let there = w.rows("b", "select NUMBER, CODE from Invoices join Groups on ID = GRP order by 1");
    assert_eq!(there, ["four|g9", "one|g1", "two|g1"]);
    w.assert_quiet();
}

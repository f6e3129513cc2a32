//! The engine on real SQLite files.

use crate::harness::{World, counts};
use tablemap::engine::Master;
use tablemap::syntax::ast::Side;

const A: &str = "
store: a
tables:
  orders:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(20), required: true }
      name: text(100)
      status: { type: choice, choice: { Draft: 1, Open: 2, Paid: 3 } }
      amount: decimal(20,4)
      customer: { type: integer, lookup: customers }
      changed: text(10)
    alternate_keys: [[number]]
  customers:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      account: { type: text(20), required: true }
      group: { type: integer, lookup: groups }
    alternate_keys: [[account]]
  groups:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      code: text(10)
    alternate_keys: [[code]]
";

const B: &str = "
store: b
names: case-insensitive
blank: { text: \"\" }
tables:
  Invoices:
    primary_key: [NUMBER]
    columns:
      NUMBER: { type: text(20), required: true, collation: case-insensitive }
      NAME: text(12)
      STATUS: text(10)
      AMOUNT: decimal(32,6)
      ACCOUNT: text(20)
      GROUPCODE: text(10)
      NOTE: text(50)
";

const ONE_WAY: &str = "
map \"Orders\" {
  id orders
  tables b.Invoices <- a.orders
  operations left: create, update, delete
  key NUMBER = number
  filter right: status != 'Draft'
  on exit left: delete
  fields {
    NAME      << name | trim()
    STATUS    << status { 'open' < 'Open', 'paid' < 'Paid' }
    AMOUNT    <  amount
    ACCOUNT   <  customer.account
    GROUPCODE <  customer.group.code
  }
}
";

fn seed(w: &World) {
    w.sql(
        "a",
        "insert into groups(id, code) values (1, 'G1'), (2, 'G2');
         insert into customers(id, account, \"group\") values (10, 'C10', 1), (11, 'C11', 2);
         insert into orders(id, number, name, status, amount, customer) values
          (1, 'N1', ' first ', 2, '12345678901234.5600', 10),
          (2, 'N2', 'second', 1, '1', 10),
          (3, 'N3', null, 3, null, 11);",
    );
}

fn all(w: &World) -> Vec<String> {
    w.rows("b", "select NUMBER, NAME, STATUS, AMOUNT, ACCOUNT, GROUPCODE from Invoices order by NUMBER")
}

#[test]
fn one_way_copies_and_follows() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    let report = w.sync();
    assert_eq!(all(&w), ["N1|first|open|12345678901234.5600|C10|G1", "N3||paid|-|C11|G2"]);
    assert_eq!(counts(&report, "orders", "left"), [2, 0, 0, 0, 1, 0, 0]);
    w.assert_quiet();
    // An update of a mapped column, one of an unmapped column, an insert, a delete, a status that lets a row in.
    w.sql("a", "update orders set name = 'changed' where id = 1; update orders set changed = 'x' where id = 3;");
    w.sql("a", "insert into orders(id, number, status) values (4, 'N4', 2); delete from orders where id = 3;");
    w.sql("a", "update orders set status = 3 where id = 2;");
    let report = w.run();
    assert_eq!(all(&w), ["N1|changed|open|12345678901234.5600|C10|G1", "N2|second|paid|1|C10|G1", "N4||open|-||"]);
    assert_eq!(counts(&report, "orders", "left"), [2, 1, 1, 0, 0, 0, 0]);
    w.assert_quiet();
}

#[test]
fn leaving_the_filter_deletes_where_the_map_says_so() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sync();
    w.sql("a", "update orders set status = 1 where id = 1");
    assert_eq!(counts(&w.run(), "orders", "left"), [0, 0, 1, 0, 0, 0, 0]);
    assert_eq!(all(&w).len(), 1);
    // A row that never matched deletes nothing, even if somebody made its target by hand.
    w.sql("b", "insert into Invoices(NUMBER) values ('N2')");
    w.sql("a", "update orders set name = 'still a draft' where id = 2; delete from orders where id = 2");
    assert_eq!(counts(&w.run(), "orders", "left")[2], 0);
    assert_eq!(all(&w).len(), 2);
}

#[test]
fn lookups_are_live_over_two_steps() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sync();
    w.sql("a", "update groups set code = 'NEW' where id = 1");
    assert_eq!(counts(&w.run(), "orders", "left")[1], 1);
    assert_eq!(all(&w)[0], "N1|first|open|12345678901234.5600|C10|NEW");
    w.sql("a", "update customers set \"group\" = 2, account = 'C10b' where id = 10");
    w.run();
    assert_eq!(all(&w)[0], "N1|first|open|12345678901234.5600|C10b|G2");
    w.assert_quiet();
}

#[test]
fn a_changed_key_updates_the_row_found_by_the_old_one() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sync();
    w.sql("b", "update Invoices set NOTE = 'kept' where NUMBER = 'N1'");
    w.sql("a", "update orders set number = 'N1x' where id = 1");
    assert_eq!(counts(&w.run(), "orders", "left"), [0, 1, 0, 0, 0, 0, 0]);
    assert_eq!(w.rows("b", "select NUMBER, NOTE from Invoices where NOTE is not null and NOTE <> ''"), ["N1x|kept"]);
    w.assert_quiet();
}

#[test]
fn bad_records_wait_and_the_rest_goes_on() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sql("a", "insert into orders(id, number, name, status) values (5, 'N5', 'much too long a name', 2)");
    w.sql("a", "insert into orders(id, number, status, amount) values (6, 'N6', 2, 'abc')");
    let report = w.sync();
    assert_eq!(counts(&report, "orders", "left"), [2, 0, 0, 0, 1, 0, 2]);
    let errors = w.errors();
    assert_eq!(errors.len(), 2, "{errors:?}");
    for part in ["orders", "m0.tmap:", "NAME << name | trim()", "id=5", "column `NAME`", "'much too long a name'", "12"]
    {
        assert!(errors[0].contains(part), "{part} in {}", errors[0]);
    }
    for part in ["orders", "amount", "abc", "6"] {
        assert!(errors[1].contains(part), "{part} in {}", errors[1]);
    }
    // Mended, they go by themselves.
    w.sql("a", "update orders set name = 'short' where id = 5; update orders set amount = '1.5' where id = 6");
    assert_eq!(counts(&w.run(), "orders", "left"), [2, 0, 0, 0, 0, 0, 0]);
    assert!(w.errors().is_empty());
    assert_eq!(all(&w).len(), 4);
}

#[test]
fn a_missing_source_reference_parks_and_arrives() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sql("a", "insert into orders(id, number, status, customer) values (7, 'N7', 2, 99)");
    let report = w.sync();
    assert_eq!(counts(&report, "orders", "left")[5], 1);
    assert_eq!(w.errors().len(), 1);
    w.sql("a", "insert into customers(id, account) values (99, 'C99')");
    assert_eq!(counts(&w.run(), "orders", "left"), [1, 0, 0, 0, 0, 0, 0]);
    assert!(w.errors().is_empty());
    assert_eq!(all(&w).last().unwrap(), "N7||open|-|C99|");
}

const REFS: &str = "
store: r
tables:
  parents:
    primary_key: [id]
    columns:
      id: { type: uuid, generated: true }
      code: { type: text(10), required: true }
    alternate_keys: [[code]]
  children:
    primary_key: [id]
    columns:
      id: { type: uuid, generated: true }
      number: { type: text(20), required: true }
      parent: { type: uuid, lookup: parents }
    alternate_keys: [[number]]
";

const PARENTS: &str = "
map \"Parents\" {
  id parents
  tables a.groups -> r.parents
  key code = code
}
";

const CHILDREN: &str = "
map \"Children\" {
  id children
  tables a.customers -> r.children
  key account = number
  fields {
    group.code > parent.code
  }
}
";

#[test]
fn references_are_written_and_wait_for_their_row() {
    let w = World::new(&[("a", A), ("r", REFS)], &[CHILDREN, PARENTS]);
    seed(&w);
    let report = w.sync();
    assert_eq!(counts(&report, "children", "right"), [2, 0, 0, 0, 0, 0, 0], "{:?}", w.errors());
    let joined = "select c.number, p.code from children c left join parents p on p.id = c.parent order by 1";
    assert_eq!(w.rows("r", joined), ["C10|G1", "C11|G2"]);
    // The parent in the target is gone: the child parks until it is back.
    w.sql("r", "delete from parents where code = 'G2'");
    w.sql("a", "insert into customers(id, account, \"group\") values (12, 'C12', 2)");
    assert_eq!(counts(&w.run(), "children", "right")[5], 1);
    w.sql("a", "update groups set code = 'G2' where id = 2; insert into groups(id, code) values (3, 'G3')");
    w.sql("r", "insert into parents(id, code) values ('00000000-0000-0000-0000-000000000002', 'G2')");
    w.run();
    assert_eq!(w.rows("r", joined), ["C10|G1", "C11|-", "C12|G2"]);
    assert!(w.errors().is_empty());
    w.assert_quiet();
}

const TWO_WAY_A: &str = "
store: a
tables:
  people:
    primary_key: [id]
    columns:
      id: { type: integer, generated: true }
      number: { type: text(20), required: true }
      name: text(30)
      city: text(30)
      onhold: boolean
    alternate_keys: [[number]]
";

const TWO_WAY_B: &str = "
store: b
tables:
  Customers:
    primary_key: [ACCOUNT]
    columns:
      ACCOUNT: { type: text(20), required: true }
      NAME: text(30)
      CITY: text(30)
      HOLD: text(3)
";

fn two_way(policy: &str) -> String {
    format!(
        "
map \"People\" {{
  id people
  tables b.Customers <-> a.people
  key ACCOUNT = number
  initial left wins
  conflict {policy}
  fields {{
    NAME = name
    CITY = city
    HOLD >< onhold {{ 'Yes' = true, 'No' = false }}
  }}
}}
"
    )
}

fn both(w: &World) -> (Vec<String>, Vec<String>) {
    (
        w.rows("b", "select ACCOUNT, NAME, CITY, HOLD from Customers order by 1"),
        w.rows("a", "select number, name, city, onhold from people order by 1"),
    )
}

#[test]
fn two_way_initial_sync_lets_the_master_win_and_adds_the_rest() {
    let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way("left wins")]);
    w.sql("b", "insert into Customers values ('1', 'b1', 'x', 'Yes'), ('2', 'b2', 'y', 'No')");
    w.sql("a", "insert into people(number, name, city, onhold) values ('2', 'a2', 'z', 1), ('3', 'a3', 'w', 0)");
    w.sync();
    let (b, a) = both(&w);
    assert_eq!(b, ["1|b1|x|Yes", "2|b2|y|No", "3|a3|w|No"]);
    assert_eq!(a, ["1|b1|x|1", "2|b2|y|0", "3|a3|w|0"]);
    w.assert_quiet();
}

#[test]
fn two_way_changes_travel_and_do_not_come_back() {
    let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way("left wins")]);
    w.sync();
    w.sql("b", "insert into Customers values ('1', 'b1', 'x', 'Yes')");
    w.sql("a", "insert into people(number, name, onhold) values ('2', 'a2', 0)");
    w.run();
    w.assert_quiet();
    w.sql("b", "update Customers set NAME = 'b1b' where ACCOUNT = '1'");
    w.sql("a", "update people set name = 'a2a' where number = '2'");
    let report = w.run();
    assert_eq!(counts(&report, "people", "left")[1], 1);
    assert_eq!(counts(&report, "people", "right")[1], 1);
    let (b, a) = both(&w);
    assert_eq!(b, ["1|b1b|x|Yes", "2|a2a|-|No"]);
    assert_eq!(a, ["1|b1b|x|1", "2|a2a|-|0"]);
    w.assert_quiet();
    w.sql("b", "delete from Customers where ACCOUNT = '2'");
    w.sql("a", "delete from people where number = '1'");
    w.run();
    assert_eq!(both(&w), (vec![], vec![]));
    w.assert_quiet();
}

#[test]
fn the_winner_of_a_conflict_is_the_side_the_map_names() {
    for (policy, name) in [("left wins", "fromb"), ("right wins", "froma")] {
        let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way(policy)]);
        w.sql("b", "insert into Customers values ('1', 'n', 'x', 'Yes')");
        w.sync();
        w.sql("b", "update Customers set NAME = 'fromb' where ACCOUNT = '1'");
        w.sql("a", "update people set name = 'froma', city = 'onlya' where number = '1'");
        w.run();
        let (b, a) = both(&w);
        // The line that changed on one side only travels, whoever wins the other.
        assert_eq!(b, [format!("1|{name}|onlya|Yes")], "{policy}");
        assert_eq!(a, [format!("1|{name}|onlya|1")], "{policy}");
        let conflicts: usize = ["a", "b"].iter().map(|s| w.rows(s, "select * from _tablemap_conflicts").len()).sum();
        assert_eq!(conflicts, 1, "{policy}");
        w.assert_quiet();
    }
}

#[test]
fn equal_changes_on_both_sides_are_no_conflict() {
    let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way("left wins")]);
    w.sql("b", "insert into Customers values ('1', 'n', 'x', 'Yes')");
    w.sync();
    w.sql("b", "update Customers set NAME = 'same' where ACCOUNT = '1'");
    w.sql("a", "update people set name = 'same' where number = '1'");
    w.run();
    assert_eq!(w.rows("a", "select * from _tablemap_conflicts").len(), 0);
    assert_eq!(w.rows("b", "select * from _tablemap_conflicts").len(), 0);
    w.assert_quiet();
}

#[test]
fn delete_against_update_follows_the_policy() {
    for (policy, left) in [("left wins", 0), ("right wins", 1)] {
        let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way(policy)]);
        w.sql("b", "insert into Customers values ('1', 'n', 'x', 'Yes')");
        w.sync();
        w.sql("b", "delete from Customers where ACCOUNT = '1'");
        w.sql("a", "update people set name = 'froma' where number = '1'");
        w.run();
        let (b, a) = both(&w);
        assert_eq!((b.len(), a.len()), (left, left), "{policy}");
        w.assert_quiet();
    }
}

#[test]
fn a_master_from_the_command_line_wins() {
    let w = World::new(&[("a", TWO_WAY_A), ("b", TWO_WAY_B)], &[&two_way("left wins")]);
    w.sql("b", "insert into Customers values ('2', 'b2', 'y', 'No')");
    w.sql("a", "insert into people(number, name, city, onhold) values ('2', 'a2', 'z', 1)");
    w.sync_with(Master::Side(Side::Right));
    assert_eq!(both(&w).0, ["2|a2|z|Yes"]);
    w.assert_quiet();
}

#[test]
fn pause_keeps_and_resume_catches_up_stop_forgets() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sync();
    let engine = w.engine();
    assert_eq!(engine.set_desired(0, None, "pause").unwrap(), 1);
    w.sql("a", "update orders set name = 'later' where id = 1");
    assert_eq!(counts(&w.run(), "orders", "left")[1], 0);
    let status = w.engine().status().unwrap();
    assert_eq!((status[0].state.as_str(), status[0].pending), ("paused", 1));
    engine.set_desired(0, None, "run").unwrap();
    assert_eq!(counts(&w.run(), "orders", "left")[1], 1);
    assert_eq!(w.engine().status().unwrap()[0].pending, 0);
    engine.set_desired(0, None, "stop").unwrap();
    assert!(engine.set_desired(0, None, "run").is_err());
}

#[test]
fn a_leg_stops_itself_when_too_much_fails() {
    let w = World::new(&[("a", A), ("b", B)], &[ONE_WAY]);
    seed(&w);
    w.sync();
    w.sql(
        "a",
        "with recursive n(i) as (select 100 union all select i + 1 from n where i < 400)
         insert into orders(id, number, name, status) select i, 'X' || i, case when i % 10 = 0 then 'much too long a name' else 'ok' end, 2 from n",
    );
    let report = w.run();
    assert_eq!(report.stopped.len(), 1, "{report:?}");
    assert_eq!(w.engine().status().unwrap()[0].state, "too many failures");
    // The crossing batch was rolled back whole.
    assert_eq!(all(&w).len(), 2);
    assert!(w.errors().is_empty());
}

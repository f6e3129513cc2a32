//! References to rows that are not there yet, wait for each other, or are about to get another key.

use crate::harness::World;

const A: &str = "
store: a
tables:
  groups:
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(10), required: true }
      top: { type: integer, lookup: groups }
      head: { type: integer, lookup: people }
    alternate_keys: [[code]]
  people:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(10), required: true }
      group: { type: integer, lookup: groups }
    alternate_keys: [[number]]
";
const B: &str = "
store: b
tables:
  teams:
    primary_key: [ID]
    columns:
      ID: { type: uuid, generated: true }
      CODE: { type: text(10), required: true }
      TOP: { type: uuid, lookup: teams }
      HEAD: { type: uuid, lookup: members }
    alternate_keys: [[CODE]]
  members:
    primary_key: [ID]
    columns:
      ID: { type: uuid, generated: true }
      NUMBER: { type: text(10), required: true }
      TEAM: { type: uuid, lookup: teams }
    alternate_keys: [[NUMBER]]
";

fn map(id: &str, tables: &str, key: &str, line: &str) -> String {
    format!(
        "map \"{id}\" {{\n  id {id}\n  tables {tables}\n  operations right: create, update, delete\n  key {key}\n  \
         fields {{\n    {line}\n  }}\n}}\n"
    )
}

fn world(teams: &str, members: &str) -> World {
    let teams = map("teams", "a.groups -> b.teams", "code = CODE", teams);
    let members = map("members", "a.people -> b.members", "number = NUMBER", members);
    World::new(&[("a", A), ("b", B)], &[&teams, &members])
}

fn tops(w: &World) -> Vec<String> {
    w.rows("b", "select t.CODE, u.CODE from teams t left join teams u on u.ID = t.TOP order by 1")
}

fn of_teams(w: &World) -> Vec<String> {
    w.rows("b", "select m.NUMBER, t.CODE from members m left join teams t on t.ID = m.TEAM order by 1")
}

#[test]
fn rows_of_one_table_refer_to_each_other_in_a_ring() {
    let w = world("top.code > TOP.CODE", "group.code > TEAM.CODE");
    w.sql(
        "a",
        "insert into groups values (1, 'A', 2, null), (2, 'B', 1, null), (3, 'C', 3, null), (4, 'D', null, null)",
    );
    let report = w.sync();
    assert_eq!(report.legs.iter().map(|l| (l.parked, l.quarantined)).max(), Some((0, 0)), "{report:?}");
    assert_eq!(tops(&w), ["A|B", "B|A", "C|C", "D|-"]);
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
    // The same in live sync: the ring grows, and a row goes out of it.
    w.sql(
        "a",
        "insert into groups values (5, 'E', 6, null), (6, 'F', 5, null); update groups set top = 5 where id = 2",
    );
    w.run();
    assert_eq!(tops(&w), ["A|B", "B|E", "C|C", "D|-", "E|F", "F|E"]);
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
}

#[test]
fn tables_in_a_ring_refer_to_each_other() {
    let w = world("head.number > HEAD.NUMBER", "group.code > TEAM.CODE");
    w.sql("a", "insert into groups values (1, 'A', null, 1); insert into people values (1, 'P', 1), (2, 'Q', 1)");
    w.sync();
    let heads = || w.rows("b", "select t.CODE, m.NUMBER from teams t left join members m on m.ID = t.HEAD");
    assert_eq!((heads(), of_teams(&w)), (vec!["A|P".to_string()], vec!["P|A".to_string(), "Q|A".to_string()]));
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
    w.sql("a", "insert into groups values (2, 'B', null, 3); insert into people values (3, 'R', 2)");
    w.run();
    assert_eq!(heads(), ["A|P", "B|R"]);
    assert_eq!(of_teams(&w), ["P|A", "Q|A", "R|B"]);
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
}

#[test]
fn what_a_reference_lacks_is_owed_until_it_is_there() {
    let w = world("code > TOP.CODE once", "group.code > TEAM.CODE");
    w.sql("a", "insert into groups values (1, 'A', null, null)");
    w.sync();
    // Written once only: it could not be filled later, and parks.
    assert_eq!(tops(&w), [""; 0]);
    assert!(w.errors()[0].starts_with("parked"), "{:?}", w.errors());
    let w = world("head.number > HEAD.NUMBER", "group.code > TEAM.CODE");
    w.sync();
    w.engine().set_desired(1, None, "pause").unwrap();
    w.sql("a", "insert into groups values (1, 'A', null, 1); insert into people values (1, 'P', 1)");
    w.run();
    assert_eq!(w.rows("b", "select CODE, HEAD from teams"), ["A|-"]);
    assert!(w.errors()[0].starts_with("debt"), "{:?}", w.errors());
    // Nothing is owed any more where the reference goes.
    w.sql("a", "update groups set head = null");
    w.run();
    assert_eq!(w.errors(), [""; 0]);
    w.sql("a", "update groups set head = 1");
    w.run();
    w.engine().set_desired(1, None, "run").unwrap();
    w.run();
    assert_eq!(w.rows("b", "select t.CODE, m.NUMBER from teams t left join members m on m.ID = t.HEAD"), ["A|P"]);
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
}

#[test]
fn a_reference_does_not_take_a_row_that_is_about_to_get_another_key() {
    let w = world("head.number > HEAD.NUMBER", "group.code > TEAM.CODE");
    w.sql(
        "a",
        "insert into groups values (1, 'A', null, null), (2, 'B', null, null); insert into people values (1, 'P', 1)",
    );
    w.sync();
    let id = |code: &str| w.rows("b", &format!("select ID from teams where CODE = '{code}'"));
    let (first, second) = (id("A"), id("B"));
    w.engine().set_desired(0, None, "pause").unwrap();
    // `A` is the second group's code now, and still the first one's in the target.
    w.sql("a", "update groups set code = 'C' where id = 1; update groups set code = 'A' where id = 2");
    w.sql("a", "update people set \"group\" = 2 where id = 1; insert into people values (2, 'Q', 2)");
    w.run();
    assert!(w.errors().iter().all(|e| e.contains("has a change that its map has not carried yet")), "{:?}", w.errors());
    assert_eq!(w.errors().len(), 2);
    assert_eq!(w.rows("b", "select NUMBER, TEAM from members"), [format!("P|{}", first[0])]);
    w.assert_quiet();
    w.engine().set_desired(0, None, "run").unwrap();
    w.run();
    w.retry();
    w.run();
    assert_eq!((id("C"), id("A")), (first, second));
    assert_eq!(of_teams(&w), ["P|A", "Q|A"]);
    assert_eq!(w.errors(), [""; 0]);
    w.assert_quiet();
}

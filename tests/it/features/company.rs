//! Rows of several companies.

use crate::harness::{World, counts};

const A: &str = "
store: a
tables:
  s:
    primary_key: [id]
    columns:
      id: integer
      number: text(10)
      owner: { type: integer, lookup: owners }
      project: text(10)
  owners:
    filled: elsewhere
    primary_key: [id]
    columns: { id: integer, code: text(4) }
";

const B: &str = "
store: b
names: case-insensitive
tables:
  t:
    company: CO
    primary_key: [CO, NUMBER]
    columns:
      CO: { type: text(4), required: true, collation: case-insensitive }
      NUMBER: { type: text(10), required: true }
      PROJECT: { type: text(10), lookup: projects }
      NOTE: text(10)
  projects:
    company: CO
    filled: elsewhere
    primary_key: [CO, ID]
    columns:
      CO: { type: text(4), required: true, collation: case-insensitive }
      ID: { type: text(10), required: true }
      CODE: { type: text(10), required: true }
    alternate_keys: [[CO, CODE]]
";

const OF: &str = "
map \"M\" {
  id m
  tables b.t <- a.s
  company CO = owner.code
  key NUMBER = number
  operations left: create, update
  fields {
    PROJECT.CODE < project
  }
}
";

fn world(map: &str, companies: &[&str]) -> World {
    World::bare(&[("a", A), ("b", B)], &[map]).companies(companies).create()
}

fn t(w: &World) -> Vec<String> {
    w.rows("b", "select CO, NUMBER, PROJECT from t order by 1, 2")
}

#[test]
fn the_company_comes_from_a_path_limits_the_map_and_is_part_of_references() {
    let mut w = world(OF, &["uspm", "GBSI"]);
    w.sql("a", "insert into owners values (1, 'USPM'), (2, 'GBSI'), (3, 'FRSI');
                insert into s values (1, 'N1', 1, 'P'), (2, 'N1', 2, 'P'), (3, 'N3', 3, 'P'), (4, 'N4', null, 'P'), (5, 'N5', 2, 'Q')");
    w.sql("b", "insert into projects values ('uspm', 'us', 'P'), ('GBSI', 'gb', 'P'), ('USPM', 'usq', 'Q')");
    assert_eq!(counts(&w.sync(), "m", "left"), [2, 0, 0, 0, 2, 1, 0], "{:?}", w.errors());
    assert_eq!(t(&w), ["GBSI|N1|gb", "USPM|N1|us"]);
    w.assert_quiet();
    // What it waits for arrives in its own company.
    w.sql("b", "insert into projects values ('FRSI', 'frq', 'Q')");
    assert_eq!(w.run().legs[0].created, 0);
    w.sql("b", "insert into projects values ('gbsi', 'gbq', 'Q'), ('FRSI', 'frp', 'P')");
    assert_eq!(w.run().legs[0].created, 1);
    // A company is added to the list: `sync` brings its rows.
    w.set_companies(&["USPM", "GBSI", "FRSI"]);
    assert_eq!(counts(&w.sync(), "m", "left")[0], 1);
    assert_eq!(t(&w), ["FRSI|N3|frp", "GBSI|N1|gb", "GBSI|N5|gbq", "USPM|N1|us"]);
    // The code of a company changes: the row moves with its record.
    w.sql("a", "update owners set code = 'USPM' where id = 3");
    w.sql("b", "update t set NOTE = 'kept' where NUMBER = 'N3'");
    w.run();
    assert_eq!(w.rows("b", "select CO, NUMBER, PROJECT, NOTE from t where NUMBER = 'N3'"), ["USPM|N3|us|kept"]);
    w.assert_quiet();
}

const EACH: &str = "
map \"M\" {
  id m
  tables b.t <- a.s
  company CO = each
  key NUMBER = number
  on exit left: delete
  filter right: number != 'no'
  fields {
    PROJECT.CODE < project
  }
}
";

#[test]
fn each_makes_a_row_per_company_and_takes_them_away_again() {
    let mut w = world(EACH, &["USPM", "GBSI"]);
    w.sql("a", "insert into s values (1, 'N1', null, null), (2, 'N2', null, 'P')");
    // Each company waits for its own row.
    assert_eq!(counts(&w.sync(), "m", "left"), [2, 0, 0, 0, 0, 2, 0], "{:?}", w.errors());
    w.sql("b", "insert into projects values ('USPM', 'us', 'P')");
    assert_eq!(counts(&w.run(), "m", "left")[0], 1, "{:?}", w.errors());
    assert_eq!(w.errors().len(), 1, "{:?}", w.errors());
    w.sql("b", "insert into projects values ('GBSI', 'gb', 'P')");
    assert_eq!(counts(&w.run(), "m", "left")[0], 1, "{:?}", w.errors());
    assert_eq!(t(&w), ["GBSI|N1|-", "GBSI|N2|gb", "USPM|N1|-", "USPM|N2|us"]);
    assert!(w.errors().is_empty());
    w.assert_quiet();
    w.sql("a", "update s set number = 'N9' where id = 1");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 2, 0, 0, 0, 0, 0]);
    w.sql("a", "delete from s where id = 1");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 0, 2, 0, 0, 0, 0]);
    w.set_companies(&["USPM", "GBSI", "FRSI"]);
    w.sql("b", "insert into projects values ('FRSI', 'fr', 'P')");
    assert_eq!(counts(&w.sync(), "m", "left"), [1, 0, 0, 2, 0, 0, 0]);
    assert_eq!(t(&w), ["FRSI|N2|fr", "GBSI|N2|gb", "USPM|N2|us"]);
    w.sql("a", "update s set number = 'no'");
    assert_eq!(counts(&w.run(), "m", "left")[2], 3);
    assert!(t(&w).is_empty());
    w.assert_quiet();
}

#[test]
fn a_record_that_failed_as_a_whole_is_mended_in_every_company() {
    let w = world(EACH, &["USPM", "GBSI"]);
    w.sql("a", "insert into s values (1, null, null, null)");
    w.sync();
    w.sql("a", "insert into s values (2, 'much too long a number', null, null)");
    w.run();
    assert!(!w.errors().is_empty());
    w.sql("a", "update s set number = 'N' || id");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    assert_eq!(t(&w).len(), 4);
    // Waiting in one company, then failing as a whole, then fine.
    w.sql("b", "insert into projects values ('USPM', 'us', 'P')");
    w.sql("a", "update s set project = 'P' where id = 1");
    w.run();
    assert_eq!(w.errors().len(), 1);
    w.sql("a", "update s set project = 'much too long a code' where id = 1");
    w.run();
    assert!(w.errors().iter().any(|e| e.contains("much too long a code")), "{:?}", w.errors());
    w.sql("a", "update s set project = null where id = 1");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    w.assert_quiet();
}

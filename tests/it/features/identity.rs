//! Which target row belongs to which record when primary keys are changed, taken over and used again, with folds that
//! take up one record at a time.

use crate::harness::World;
use tablemap::engine::Limits;

const A: &str = "
store: a
tables:
  s:
    primary_key: [id]
    columns:
      id: integer
      number: { type: text(10), required: true }
      name: text(10)
      of: { type: integer, lookup: s }
    alternate_keys: [[number]]
";

const B: &str = "
store: b
tables:
  t:
    primary_key: [ROWNO]
    columns:
      ROWNO: { type: integer, generated: true }
      NUMBER: { type: text(10), required: true }
      NAME: text(5)
      OF: { type: integer, lookup: t }
      NOTE: text(10)
    alternate_keys: [[NUMBER]]
";

const MAP: &str = "
map \"M\" {
  id m
  tables b.t <- a.s
  key NUMBER = number
  operations left: create, update, delete
  fields {
    NAME << name
  }
}
";

fn world(map: &str, log_rows: usize) -> World {
    let w = World::new(&[("a", A), ("b", B)], &[map]).limits(Limits {
        log_rows,
        live_rows: 1,
        apart_rows: log_rows,
        ..Limits::default()
    });
    w.sql("a", "insert into s(id, number, name) values (1, 'N1', 'one'), (2, 'N2', 'two'), (3, 'N3', 'three')");
    w.sync();
    w.sql("b", "update t set NOTE = 'of ' || NUMBER");
    w
}

fn all(w: &World) -> Vec<String> {
    w.rows("b", "select NUMBER, NAME, NOTE from t order by NUMBER")
}

/// The same with every bound: a record at a time, and all at once.
fn each(check: impl Fn(&World), map: &str) {
    for log_rows in [1, 2, 50_000] {
        let w = world(map, log_rows);
        check(&w);
        w.assert_quiet();
        assert_eq!(w.errors(), Vec::<String>::new());
    }
}

#[test]
fn a_row_keeps_its_record_when_primary_and_integration_key_change_in_turns() {
    let check = |w: &World| {
        w.sql("a", "update s set id = 7 where id = 1");
        w.sql("a", "update s set name = 'two b' where id = 2");
        w.sql("a", "update s set number = 'N1b' where id = 7");
        w.sql("a", "update s set id = 1 where id = 2");
        w.sql("a", "update s set number = 'N1' where id = 1");
        w.run();
        assert_eq!(all(w), ["N1|two b|of N2", "N1b|one|of N1", "N3|three|of N3"]);
    };
    each(check, MAP);
}

#[test]
fn a_row_that_replace_displaces_is_deleted_and_the_one_that_took_its_key_is_its_own() {
    let check = |w: &World| {
        w.sql("a", "insert or replace into s(id, number, name) values (1, 'N9', 'nine')");
        w.sql("a", "update or replace s set number = 'N3' where id = 2");
        w.sql("a", "update s set name = 'ten' where id = 1");
        w.run();
        assert_eq!(all(w), ["N3|two|of N2", "N9|ten|-"]);
    };
    each(check, MAP);
}

#[test]
fn a_record_that_is_replaced_by_itself_keeps_its_row() {
    let check = |w: &World| {
        w.sql("a", "insert or replace into s(id, number, name) values (1, 'N1', 'again')");
        w.run();
        assert_eq!(all(w)[0], "N1|again|of N1");
    };
    each(check, MAP);
}

#[test]
fn what_waits_goes_along_with_its_record() {
    for log_rows in [1, 50_000] {
        let w = world(MAP, log_rows);
        w.sql("a", "update s set name = 'too long' where id in (1, 2)");
        w.run();
        assert_eq!(w.errors().len(), 2);
        // They take their primary keys from each other, and one gets another number on the way.
        w.sql(
            "a",
            "update s set id = 9 where id = 1; update s set id = 1 where id = 2; update s set id = 2 where id = 9",
        );
        w.sql("a", "update s set number = 'N1b' where id = 2");
        w.run();
        assert_eq!(w.errors().len(), 2);
        w.sql("a", "delete from s where id = 1; update s set name = 'fine' where id = 2");
        w.run();
        assert_eq!(all(&w), ["N1b|fine|of N1", "N3|three|of N3"]);
        assert_eq!(w.errors(), Vec::<String>::new());
        w.assert_quiet();
    }
}

#[test]
fn what_waits_is_not_deleted_under_a_key_that_another_record_took() {
    let check = |w: &World| {
        w.sql("a", "insert into s(id, number, name) values (4, 'N4', 'too long')");
        w.run();
        // It was never applied; another record gets its number, and it that one's.
        w.sql(
            "a",
            "update s set number = 'x' where id = 1; update s set number = 'N1' where id = 4; update s set number = 'N4' where id = 1",
        );
        w.run();
        assert_eq!(w.errors().len(), 1);
        w.sql("a", "delete from s where id = 4");
        w.run();
        assert_eq!(all(w), ["N2|two|of N2", "N3|three|of N3", "N4|one|of N1"]);
    };
    each(check, MAP);
}

#[test]
fn two_records_of_one_primary_key_that_were_skipped_are_carried_over_after_all() {
    let check = |w: &World| {
        w.engine().set_desired(0, None, "pause").unwrap();
        w.sql("a", "delete from s where id = 1; insert into s(id, number, name) values (1, 'N9', 'new')");
        w.engine().skip_pending(0, None).unwrap();
        w.run();
        assert_eq!(all(w), ["N1|one|of N1", "N2|two|of N2", "N3|three|of N3"]);
        w.retry();
        w.run();
        assert_eq!(all(w), ["N2|two|of N2", "N3|three|of N3", "N9|new|of N1"]);
        assert_eq!(w.errors(), Vec::<String>::new());
    };
    each(check, MAP);
}

#[test]
fn a_delete_that_was_skipped_is_kept_where_the_next_record_of_its_key_is_filtered_out() {
    let map = MAP.replace("  fields", "  filter right: name is not null\n  on exit left: delete\n  fields");
    let check = |w: &World| {
        w.engine().set_desired(0, None, "pause").unwrap();
        w.sql("a", "delete from s where id = 1; insert into s(id, number) values (1, 'N9')");
        w.engine().skip_pending(0, None).unwrap();
        w.run();
        assert_eq!(all(w), ["N1|one|of N1", "N2|two|of N2", "N3|three|of N3"]);
        assert_eq!(w.errors().len(), 1);
        w.retry();
        w.run();
        assert_eq!(all(w), ["N2|two|of N2", "N3|three|of N3"]);
        assert_eq!(w.errors(), Vec::<String>::new());
    };
    each(check, &map);
}

#[test]
fn two_way_a_primary_key_used_again_is_another_record() {
    let map = "
map \"M\" {
  id m
  tables b.t <-> a.s
  key NUMBER = number
  initial right wins
  conflict left wins
  fields {
    NAME = name
  }
}
";
    for log_rows in [1, 50_000] {
        let limits = Limits { log_rows, live_rows: 1, apart_rows: log_rows, ..Limits::default() };
        let a = A.replace("name: text(10)", "name: text(5)");
        let w = World::new(&[("a", &a), ("b", B)], &[map]).limits(limits);
        w.sql("a", "insert into s(id, number, name) values (1, 'N1', 'one'), (2, 'N2', 'two')");
        w.sync();
        // SQLite gives the freed number to the row that comes from the other side.
        w.sql("a", "delete from s where id = 2");
        w.sql("b", "insert into t(NUMBER, NAME) values ('N7', 'seven')");
        w.run();
        let left = w.rows("b", "select NUMBER, NAME from t order by NUMBER");
        assert_eq!(left, ["N1|one", "N7|seven"]);
        assert_eq!(w.rows("a", "select number, name from s order by number"), left);
        assert_eq!(w.rows("b", "select count(*) from _tablemap_conflicts"), ["0"]);
        w.assert_quiet();
    }
}

#[test]
fn two_way_a_record_that_comes_back_under_another_primary_key_is_compared_with_what_it_was() {
    let map = "
map \"M\" {
  id m
  tables b.t <-> a.s
  key NUMBER = number
  initial right wins
  conflict right wins
  fields {
    NAME = name
  }
}
";
    for log_rows in [1, 50_000] {
        let limits = Limits { log_rows, live_rows: 1, apart_rows: log_rows, ..Limits::default() };
        let w = World::new(&[("a", A), ("b", B)], &[map]).limits(limits);
        w.sql("a", "insert into s(id, number, name) values (1, 'N1', 'one'), (2, 'N2', 'two')");
        w.sync();
        // Nothing of it changed on this side.
        w.sql("a", "delete from s where id = 1");
        w.sql("a", "update s set name = 'deux' where id = 2");
        w.sql("a", "insert into s(id, number, name) values (9, 'N1', 'one')");
        w.sql("b", "update t set NAME = 'first' where NUMBER = 'N1'");
        w.run();
        let left = w.rows("b", "select NUMBER, NAME from t order by NUMBER");
        assert_eq!(left, ["N1|first", "N2|deux"]);
        assert_eq!(w.rows("a", "select number, name from s order by number"), left);
        assert_eq!(w.rows("b", "select count(*) from _tablemap_conflicts"), ["0"]);
        w.assert_quiet();
    }
}

#[test]
fn a_reference_waits_for_the_row_that_is_about_to_get_the_key() {
    let parents = MAP.to_string();
    let children = "
map \"C\" {
  id c
  tables b.u <- a.c
  key ID = id
  operations left: create, update
  fields {
    OF.NUMBER < of.number
  }
}
";
    let a = format!(
        "{A}  c:\n    primary_key: [id]\n    columns:\n      id: integer\n      of: {{ type: integer, lookup: s }}\n"
    );
    let b = format!(
        "{B}  u:\n    primary_key: [ID]\n    columns:\n      ID: integer\n      OF: {{ type: integer, lookup: t }}\n"
    );
    let w = World::new(&[("a", &a), ("b", &b)], &[&parents, children]);
    w.sql("a", "insert into s(id, number) values (1, 'N1'), (2, 'N2'); insert into c values (1, 2)");
    w.sync();
    let of = "select NUMBER from u join t on ROWNO = u.OF";
    assert_eq!(w.rows("b", of), ["N2"]);
    let row = w.rows("b", "select OF from u");
    w.sql("a", "delete from s where id = 1; update s set number = 'N1' where id = 2");
    w.run();
    assert_eq!((w.rows("b", of), w.rows("b", "select OF from u")), (vec!["N1".to_string()], row));
    w.assert_quiet();
}

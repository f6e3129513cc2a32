//! Questions about related rows: `exists every count sum min max`, in `sync` and live.

use super::{one, store, t};
use crate::harness::World;

/// Heads `a.s` with lines `a.l` and kinds `a.k` of lines; the map writes `b.t`.
fn heads(map: &str) -> World {
    let more = "  l:\n    filled: elsewhere\n    primary_key: [num]\n    columns:\n      num: { type: integer, required: true }\n      \
                head: integer\n      amount: decimal(9,2)\n      name: text(9)\n      done: boolean\n      kind: { type: integer, lookup: k }\n  \
                k:\n    filled: elsewhere\n    primary_key: [kid]\n    columns:\n      kid: { type: integer, required: true }\n      word: text(9)\n  \
                p:\n    filled: elsewhere\n    primary_key: [pid]\n    columns:\n      pid: { type: integer, required: true }\n      \
                line: integer\n      paid: boolean\n";
    let a = store("a", "s", "id", "v: text(9)\nwant: integer") + more;
    let b = store(
        "b",
        "t",
        "ID",
        "N: integer\nSUM: decimal(9,2)\nLEAST: text(9)\nMOST: text(9)\nANY: boolean\nALL: boolean",
    );
    World::new(&[("a", &a), ("b", &b)], &[&one(map)])
}

const ALL: &str = "fields {\n N < count(l where head == this.id)\n SUM < sum(l where head == this.id : amount)\n \
                   LEAST < min(l where head == this.id : name)\n MOST < max(l where head == this.id : name)\n \
                   ANY < exists(l where head == this.id and amount > 100)\n ALL < every(l where head == this.id : done)\n}";

/// What the map should have written, asked of the source's tables by SQL.
const TRUTH: &str = "select id, (select count(*) from l where head = id), (select sum(amount) from l where head = id), \
                     (select min(name) from l where head = id), (select max(name) from l where head = id), \
                     (select count(*) > 0 from l where head = id and cast(amount as real) > 100), \
                     (select count(*) = 0 from l where head = id and not ifnull(done, 0)) from s order by id";

fn agrees(w: &World) {
    let number = "select ID, N, cast(SUM as real) + 0, LEAST, MOST, ANY, \"ALL\" from t order by ID";
    let truth = TRUTH.replace("sum(amount)", "cast(sum(amount) as real) + 0");
    assert_eq!(w.rows("b", number), w.rows("a", &truth));
}

#[test]
fn answers_follow_every_change_of_related_rows() {
    let w = heads(ALL);
    w.sql("a", "insert into s values (1, 'x', 0), (2, 'y', 0), (3, 'none', 0)");
    w.sql(
        "a",
        "insert into l values (10, 1, '10.50', 'b', 1, null), (11, 1, '200', 'a', 0, null), (12, 2, '1', null, 1, null), \
         (13, null, '7', 'n', 0, null), (14, 99, '8', 'o', 0, null)",
    );
    w.sync();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    agrees(&w);
    assert_eq!(w.rows("b", "select N, SUM is null, LEAST is null, ANY, \"ALL\" from t where ID = 3"), ["0|1|1|0|1"]);
    w.assert_quiet();
    for change in [
        "insert into l values (15, 3, '101', 'z', null, null)",
        "update l set amount = '99.99' where num = 11",
        "update l set head = 2 where num = 10",
        "update l set head = null where num = 12",
        "update l set head = 3 where num = 14",
        "delete from l where num = 11",
        "update l set num = 20 where num = 10",
        "insert or replace into l values (20, 1, '5', 'q', 1, null)",
        "update s set id = 7 where id = 2",
        "insert into s values (99, 'new', 0)",
        "delete from l",
    ] {
        w.sql("a", change);
        w.run();
        assert!(w.errors().is_empty(), "{change}: {:?}", w.errors());
        agrees(&w);
        w.assert_quiet();
    }
}

#[test]
fn a_gate_opens_when_all_are_there_and_shuts_again() {
    let w = heads(
        "filter right: count(l where head == this.id) >= want and every(l where head == this.id : done)\n \
         on exit left: delete\n fields {\n LEAST < v\n}",
    );
    w.sql("a", "insert into s values (1, 'one', 2), (2, 'two', 0)");
    w.sync();
    assert_eq!(w.rows("b", "select ID from t"), ["2"]);
    w.sql("a", "insert into l values (10, 1, '1', 'a', 1, null)");
    w.run();
    assert_eq!(w.rows("b", "select ID from t"), ["2"], "one of two");
    w.sql("a", "insert into l values (11, 1, '1', 'b', 0, null)");
    w.run();
    assert_eq!(w.rows("b", "select ID from t"), ["2"], "one is not done");
    w.sql("a", "update l set done = 1 where num = 11");
    w.run();
    assert_eq!(w.rows("b", "select ID from t order by 1"), ["1", "2"]);
    w.assert_quiet();
    // It leaves with a line, with the line's head, with a line that is not done.
    for (change, back) in [
        ("delete from l where num = 11", "insert into l values (11, 1, '1', 'b', 1, null)"),
        ("update l set head = 5 where num = 11", "update l set head = 1 where num = 11"),
        ("update l set done = null where num = 10", "update l set done = 1 where num = 10"),
        ("update s set want = 3 where id = 1", "update s set want = 2 where id = 1"),
    ] {
        w.sql("a", change);
        w.run();
        assert_eq!(w.rows("b", "select ID from t"), ["2"], "{change}");
        w.assert_quiet();
        w.sql("a", back);
        w.run();
        assert_eq!(w.rows("b", "select ID from t order by 1"), ["1", "2"], "{back}");
    }
    // Head and lines go together, in either order.
    w.sql("a", "delete from l where head = 1; delete from s where id = 1");
    w.run();
    assert_eq!(w.rows("b", "select ID from t"), ["2"]);
    w.assert_quiet();
    // What never passed the gate is not deleted.
    w.sql("b", "insert into t (ID, LEAST) values (50, 'ours')");
    w.sql("a", "insert into s values (50, 'theirs', 1)");
    w.run();
    w.sql(
        "a",
        "insert into l values (60, 50, '1', 'a', 0, null); delete from l where num = 60; delete from s where id = 50",
    );
    w.run();
    assert_eq!(w.rows("b", "select LEAST from t where ID = 50"), ["ours"]);
}

#[test]
fn related_rows_look_up_and_ask_in_turn() {
    let w = heads(
        "operations left: create, update\n fields {\n N < count(l where head == this.id and kind.word == 'big')\n \
         SUM < sum(l where head == this.id and exists(p where line == this.num and paid) : amount)\n}",
    );
    w.sql("a", "insert into s values (1, 'x', 0), (2, 'y', 0); insert into k values (5, 'big'), (6, 'small')");
    w.sql("a", "insert into l values (10, 1, '10', 'a', 1, 5), (11, 1, '20', 'b', 1, 6), (12, 2, '40', 'c', 1, 5)");
    w.sync();
    let truth = "select id, (select count(*) from l join k on kid = kind where head = id and word = 'big'), \
                 (select sum(amount) + 0 from l where head = id and exists (select 1 from p where line = num and paid)) from s order by id";
    let agrees = |what: &str| {
        assert!(w.errors().is_empty(), "{what}: {:?}", w.errors());
        assert_eq!(w.rows("b", "select ID, N, SUM + 0 from t order by ID"), w.rows("a", truth), "{what}");
        w.assert_quiet();
    };
    agrees("sync");
    for change in [
        "update k set word = 'big' where kid = 6",
        "update k set word = 'x' where kid = 5",
        "insert into p values (1, 10, 1), (2, 11, 0), (3, 12, 1)",
        "update p set paid = 1 where pid = 2",
        "update p set line = 11 where pid = 1",
        "delete from p where pid = 3",
        "update l set kind = 6 where num = 12",
        "delete from k where kid = 6",
    ] {
        w.sql("a", change);
        w.run();
        agrees(change);
    }
}

#[test]
fn a_bad_related_row_holds_its_record_only() {
    let w = heads(ALL);
    w.sql("a", "insert into s values (1, 'x', 0), (2, 'y', 0); insert into l values (10, 1, '1', 'a', 1, null)");
    w.sql("a", "insert into l values (11, 2, 'no number', 'a', 1, null)");
    w.sync();
    let errors = w.errors();
    assert_eq!(errors.len(), 1, "{errors:?}");
    assert!(errors[0].contains("`amount`") && errors[0].contains("no number") && errors[0].contains("l"), "{errors:?}");
    assert_eq!(w.rows("b", "select ID from t"), ["1"]);
    w.sql("a", "update l set amount = '2' where num = 11");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    agrees(&w);
    // A sum that its column cannot hold.
    w.sql("a", "insert into l values (20, 1, '9999999', 'a', 1, null), (21, 1, '9999999', 'a', 1, null)");
    w.run();
    assert_eq!(w.errors().len(), 1, "{:?}", w.errors());
    assert!(w.errors()[0].contains("sum"), "{:?}", w.errors());
}

#[test]
fn rows_of_the_own_table_are_related_too() {
    let w = World::new(
        &[("a", &store("a", "s", "id", "up: integer")), ("b", &store("b", "t", "ID", "N: integer"))],
        &[&one("fields {\n N < count(s where up == this.id)\n}")],
    );
    w.sql("a", "insert into s values (1, null), (2, 1), (3, 1), (4, 3)");
    w.sync();
    assert_eq!(t(&w), ["1|2", "2|0", "3|1", "4|0"]);
    w.sql("a", "update s set up = 2 where id = 4; delete from s where id = 3; insert into s values (5, 4)");
    w.run();
    assert_eq!(t(&w), ["1|1", "2|1", "4|1", "5|0"]);
    w.assert_quiet();
}

//! What happens to single records: odd values, odd tables, keys that change, records that come and go while they wait.

use super::{one, pair, s, store, t};
use crate::harness::{World, counts};

#[test]
fn values_pass_as_they_are() {
    let columns = "v: text\nb: binary\nj: json\nf: float\ni: integer\no: boolean\nu: uuid\nd: date";
    let w = World::new(
        &[("a", &store("a", "s", "id", columns)), ("b", &store("b", "t", "ID", columns))],
        &[&one(
            "tables b.t <-> a.s\n initial right wins\n conflict left wins\n fields {\n v = v\n b = b\n j = j\n f = f\n i = i\n o = o\n u = u\n d = d\n}",
        )],
    );
    w.sql(
        "a",
        "insert into s values
          (1, 'It''s \"quoted\"' || char(10) || 'two lines', x'00ff', '{\"a\": [1, 2]}', 1e300, 9223372036854775807, 1, 'AAAAAAAA-0000-4000-8000-000000000001', '0001-01-01'),
          (2, '  blanks  ', x'', 'null', -0.1, -9223372036854775808, 0, 'bbbbbbbb-0000-4000-8000-000000000002', '9999-12-31'),
          (3, '🦀 漢字 é', null, '[]', 0.0, 9007199254740993, null, null, null),
          (4, '', null, null, null, null, null, null, null),
          (5, '123', null, null, null, null, null, null, null),
          (6, '1e5', null, null, null, null, null, null, null)",
    );
    w.sync();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    let all = "select id, v, hex(b), j, f, i, o, lower(u), d, typeof(v) from";
    let a = w.rows("a", &format!("{all} s order by 1"));
    assert_eq!(w.rows("b", &format!("{all} t order by 1").replace("id", "ID")), a);
    w.assert_quiet();
    // And back again.
    w.sql("a", "create table kept as select * from s; delete from s where id > 0 and 0");
    w.sql("b", "update t set v = v || '!' where id < 4; insert into t select ID + 10, v, b, j, f, i, o, u, d from t where ID < 4");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    assert_eq!(
        w.rows("b", &format!("{all} t order by 1").replace("id", "ID")),
        w.rows("a", &format!("{all} s order by 1"))
    );
    w.assert_quiet();
}

#[test]
fn a_waiting_record_that_is_deleted_or_filtered_out_waits_no_more() {
    let w =
        pair("v: text(9)\nok: boolean", "V: text(3)", "filter right: ok\n on exit left: delete\n fields {\n V << v\n}");
    w.sql("a", "insert into s values (1, 'a', 1), (2, 'b', 1), (3, 'c', 1)");
    w.sync();
    w.sql("a", "update s set v = 'too long'");
    w.run();
    assert_eq!(w.errors().len(), 3);
    assert_eq!(t(&w), ["1|a", "2|b", "3|c"], "the last good state stays");
    w.sql("a", "delete from s where id = 1; update s set ok = 0 where id = 2");
    w.run();
    assert_eq!(t(&w), ["3|c"]);
    assert_eq!(w.errors().len(), 1);
    // Its primary key changes while it waits.
    w.sql("a", "update s set id = 33 where id = 3");
    w.run();
    assert_eq!(w.errors().len(), 1, "{:?}", w.errors());
    w.sql("a", "update s set v = 'ok' where id = 33");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    assert_eq!(t(&w), ["33|ok"]);
    w.assert_quiet();
}

#[test]
fn a_key_changes_while_its_record_waits() {
    let w = World::new(
        &[
            ("a", &store("a", "s", "id", "code: text(9)\nv: text(9)")),
            (
                "b",
                "store: b\ntables:\n  t:\n    primary_key: [CODE]\n    columns:\n      CODE: text(9)\n      V: text(3)\n",
            ),
        ],
        &[&one("key CODE = code\n fields {\n V << v\n}")],
    );
    w.sql("a", "insert into s values (1, 'A', 'a')");
    w.sync();
    w.sql("a", "update s set v = 'too long'");
    w.run();
    w.sql("a", "update s set code = 'B'");
    w.run();
    w.sql("a", "update s set v = 'ok'");
    w.run();
    assert_eq!(w.rows("b", "select * from t"), ["B|ok"], "{:?}", w.errors());
    w.sql("a", "update s set v = 'too long', code = 'C'");
    w.run();
    w.sql("a", "delete from s");
    w.run();
    assert!(w.rows("b", "select * from t").is_empty(), "{:?}", w.errors());
    assert!(w.errors().is_empty());
    w.assert_quiet();
}

#[test]
fn primary_keys_of_the_source_change_swap_and_are_replaced() {
    let w = pair("v: text(9)", "V: text(9)", "fields {\n V < v\n}");
    w.sql("a", "insert into s values (1, 'a'), (2, 'b'), (3, 'c')");
    w.sync();
    w.sql(
        "a",
        "update s set id = 10 where id = 1; insert or replace into s values (2, 'bb'); replace into s values (4, 'd')",
    );
    w.run();
    assert_eq!(t(&w), ["2|bb", "3|c", "4|d", "10|a"]);
    // 2 and 3 change places.
    w.sql(
        "a",
        "update s set id = -1 where id = 2; update s set id = 2 where id = 3; update s set id = 3 where id = -1",
    );
    w.run();
    w.run();
    assert_eq!(t(&w), s(&w), "{:?}", w.errors());
    // Deleted and made anew between two looks.
    w.sql("a", "delete from s where id = 4; insert into s values (4, 'again')");
    w.run();
    assert_eq!(t(&w), s(&w));
    // Two statements, one of them undone.
    w.sql("a", "begin; update s set v = 'no'; rollback; begin; update s set v = 'yes' where id = 4; savepoint x; delete from s; rollback to x; commit");
    w.run();
    assert_eq!(t(&w), s(&w));
    w.assert_quiet();
}

#[test]
fn tables_as_people_make_them() {
    let a = "store: a\ntables:\n  Order Lines:\n    stored: order_lines\n    primary_key: [\"Order No\", line]\n    columns:\n      Order No: { type: text(9), required: true }\n      line: { type: integer, required: true }\n      \"select\": text(9)\n";
    let b = "store: b\ntables:\n  t:\n    primary_key: [k]\n    columns:\n      k: text(20)\n      nn: integer\n      v: text(9)\n    alternate_keys: [[nn]]\n";
    let w = World::bare(
        &[("a", a), ("b", b)],
        &[
            "map \"M\" {\n id m\n tables b.t <- a.\"Order Lines\"\n key k << concat(\"Order No\", '/', text(line))\n fields {\n v < \"select\"\n nn << line * 10\n}\n}",
        ],
    );
    w.sql("a", "create table order_lines(\"Order No\" text not null, line int not null, \"select\" text, extra, gen int generated always as (line + 1), primary key (\"Order No\", line)) without rowid");
    w.sql("b", "create table t(v text default 'd', \"K\" text collate nocase, nn int unique, other text default 'x', primary key (k))");
    w.sql("a", "insert into order_lines(\"Order No\", line, \"select\") values ('A', 1, 'x'), ('B', 2, 'y')");
    w.sync();
    assert_eq!(
        w.rows("b", "select k, nn, v, other from t order by 1"),
        ["A/1|10|x|x", "B/2|20|y|x"],
        "{:?}",
        w.errors()
    );
    w.sql("a", "update order_lines set line = 3 where line = 1; delete from order_lines where line = 2");
    w.run();
    assert_eq!(w.rows("b", "select k, nn, v from t order by 1"), ["A/3|30|x"]);
    w.assert_quiet();
}

#[test]
fn a_trigger_of_the_target_that_changes_what_is_written_does_not_make_a_circle() {
    let w = pair(
        "v: text(9)",
        "V: text(9)
         N: integer",
        "tables b.t <-> a.s
         initial right wins
         conflict left wins
         fields {
           V = v
         }",
    );
    w.sql("b", "create trigger up after insert on t begin update t set V = upper(new.V), N = 1 where ID = new.ID; end");
    w.sql("b", "create trigger up2 after update of V on t when new.V <> upper(new.V) begin update t set V = upper(new.V) where ID = new.ID; end");
    w.sync();
    w.sql("a", "insert into s values (1, 'abc')");
    w.run();
    // What the trigger made of it goes back.
    assert_eq!((t(&w), s(&w)), (vec!["1|ABC|1".to_string()], vec!["1|ABC".to_string()]));
    w.assert_quiet();
    w.sql("a", "update s set v = 'xyz'");
    w.run();
    assert_eq!((t(&w), s(&w)), (vec!["1|XYZ|1".to_string()], vec!["1|XYZ".to_string()]));
    w.assert_quiet();
}

#[test]
fn a_key_with_a_value_map_and_one_with_a_pipe_run_both_ways() {
    let w = World::new(
        &[
            (
                "a",
                "store: a\ntables:\n  s:\n    primary_key: [kind, day]\n    columns:\n      kind: integer\n      day: date\n      v: text(5)\n",
            ),
            (
                "b",
                "store: b\ntables:\n  t:\n    primary_key: [KIND, DAY]\n    columns:\n      KIND: text(5)\n      DAY: text(10)\n      V: text(5)\n",
            ),
        ],
        &[&one(
            "tables b.t <-> a.s\n initial right wins\n conflict left wins\n key KIND >< kind { 'A' = 1, 'B' = 2 }, DAY >< day | format_date('%d.%m.%Y')\n fields {\n V = v\n}",
        )],
    );
    w.sql("a", "insert into s values (1, '2026-01-02', 'x')");
    w.sync();
    w.sql("b", "insert into t values ('B', '03.02.2026', 'y'), ('C', '03.02.2026', 'z'), ('A', '30.02.2026', 'z')");
    let report = w.run();
    assert_eq!(counts(&report, "m", "right"), [1, 0, 0, 0, 0, 0, 2]);
    assert_eq!(w.rows("a", "select * from s order by 1"), ["1|2026-01-02|x", "2|2026-02-03|y"]);
    assert_eq!(w.rows("b", "select KIND, V from t where V in ('x', 'y') order by 1"), ["A|x", "B|y"]);
    w.sql("b", "update t set DAY = '04.02.2026' where KIND = 'B'; delete from t where KIND = 'A'");
    w.run();
    assert_eq!(w.rows("a", "select * from s"), ["2|2026-02-04|y"]);
}

#[test]
fn one_look_at_a_long_log_is_the_latest_state_once() {
    let w = pair("v: text(9)", "V: text(9)", "fields {\n V < v\n}");
    w.sync();
    w.sql("a", "insert into s values (1, 'a'), (2, 'a')");
    for i in 0..50 {
        w.sql(
            "a",
            &format!(
                "update s set v = 'n{i}' where id = 1; delete from s where id = 2; insert into s values (2, 'm{i}')"
            ),
        );
    }
    assert_eq!(counts(&w.run(), "m", "left"), [2, 0, 0, 0, 0, 0, 0]);
    assert_eq!(t(&w), ["1|n49", "2|m49"]);
}

#[test]
fn conflicts_of_lines_through_lookups_and_of_whole_rows() {
    for (policy, v) in [("left", "left"), ("right", "right")] {
        let w = pair(
            "v: text(9)\nx: text(9)",
            "V: text(9)\nX: text(9)",
            &format!(
                "tables b.t <-> a.s\n initial right wins\n conflict {policy} wins\n fields {{\n V = v\n X = x\n}}"
            ),
        );
        w.sql("a", "insert into s values (1, 'v', 'x')");
        w.sync();
        // The same new record on both sides.
        w.sql("a", "insert into s values (2, 'right', 'r')");
        w.sql("b", "insert into t values (2, 'left', 'l')");
        // And one that is only partly the same.
        w.sql("a", "update s set v = 'right', x = 'only' where id = 1");
        w.sql("b", "update t set V = 'left' where ID = 1");
        w.run();
        let first = &v[..1];
        assert_eq!(t(&w), [format!("1|{v}|only"), format!("2|{v}|{first}")], "{policy}");
        assert_eq!(s(&w), t(&w), "{policy}");
        w.assert_quiet();
    }
}

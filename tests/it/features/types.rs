//! Values at the boundary: decimals, dates, blanks, case, what does not fit.

use super::{one, pair, s, store, t};
use crate::harness::{World, counts};

/// Tables whose columns SQLite declares as it likes.
fn declared(a: &str, b: &str, ty: &str, map: &str) -> World {
    let w = World::bare(
        &[
            ("a", &store("a", "s", "id", &format!("v: \"{ty}\""))),
            ("b", &store("b", "t", "ID", &format!("V: \"{ty}\""))),
        ],
        &[&one(map)],
    );
    w.sql("a", &format!("create table s(id integer primary key, v {a})"));
    w.sql("b", &format!("create table t(ID integer primary key, V {b})"));
    w
}

const TWO_WAY: &str = "tables b.t <-> a.s\n initial right wins\n conflict left wins\n fields {\n V = v\n}";

#[test]
fn decimals_are_exact_whatever_the_column_is_declared() {
    let values = ["0.1", "-12345.6789", "99999999.9999", "100", "0", "-0.0001"];
    for a in ["TEXT", "NUMERIC", "REAL", "INTEGER", "DECIMAL(20,4)", ""] {
        for b in ["TEXT", "NUMERIC", "REAL"] {
            let w = declared(a, b, "decimal(20,4)", TWO_WAY);
            for (i, v) in values.iter().enumerate() {
                w.sql("a", &format!("insert into s values ({i}, '{v}')"));
            }
            w.sync();
            assert!(w.errors().is_empty(), "{a} {b}: {:?}", w.errors());
            let got = w.rows("b", "select V from t order by ID");
            for (v, got) in values.iter().zip(&got) {
                let same = got.parse::<f64>().unwrap() == v.parse::<f64>().unwrap();
                assert!(same, "{a} {b}: {v} became {got}");
            }
            w.assert_quiet();
            // The same number in another form is no change.
            w.sql("a", "update s set v = '100.0' where id = 3");
            w.assert_quiet();
            w.sql("b", "update t set V = '7.25' where ID = 0");
            w.run();
            assert_eq!(w.rows("a", "select cast(v as text) from s where id = 0"), ["7.25"], "{a} {b}");
            w.assert_quiet();
        }
    }
}

#[test]
fn thirty_eight_digits_go_both_ways_as_text() {
    let w = declared("TEXT", "TEXT", "decimal(38,18)", TWO_WAY);
    let long =
        ["12345678901234567890.123456789012345678", "-99999999999999999999.999999999999999999", "0.000000000000000001"];
    for (i, v) in long.iter().enumerate() {
        w.sql("a", &format!("insert into s values ({i}, '{v}')"));
    }
    w.sync();
    assert_eq!(w.rows("b", "select V from t order by ID"), long);
    w.sql("b", &format!("insert into t values (9, '{}')", "-1".to_string() + &long[0][1..]));
    w.run();
    assert_eq!(w.rows("a", "select v from s where id = 9"), ["-12345678901234567890.123456789012345678"]);
    w.assert_quiet();
}

#[test]
fn a_decimal_a_column_cannot_keep_is_quarantined_not_rounded() {
    for b in ["REAL", "NUMERIC", "INTEGER"] {
        let w = declared("TEXT", b, "decimal(38,10)", "fields {\n V < v\n}");
        w.sql("a", "insert into s values (1, '1234567890123456789.0123456789'), (2, '1.5')");
        let report = w.sync();
        assert_eq!(counts(&report, "m", "left"), [1, 0, 0, 0, 0, 0, 1], "{b}");
        let e = &w.errors()[0];
        for part in ["m0.tmap:", "id=1", "`V`", "1234567890123456789.0123456789", "exactly", "TEXT"] {
            assert!(e.contains(part), "{b}: no {part} in {e}");
        }
    }
}

#[test]
fn a_stored_value_that_does_not_fit_is_told_with_table_key_column_and_value() {
    let types = [
        ("integer", "'abc'"),
        ("integer", "1.5"),
        ("decimal(5,2)", "'12x'"),
        ("decimal(5,2)", "'1234567'"),
        ("decimal(5,2)", "'1.234'"),
        ("float", "'wide'"),
        ("boolean", "2"),
        ("boolean", "'maybe'"),
        ("date", "'2026-02-30'"),
        ("date", "'2026-02-03T10:00:00'"),
        ("datetime", "'yesterday'"),
        ("uuid", "'not-a-uuid'"),
        ("uuid", "x'0102'"),
        ("text(3)", "'four'"),
        ("text(3)", "x'ff'"),
        ("binary", "'text'"),
    ];
    for (ty, bad) in types {
        let w = declared("", "", ty, "fields {\n V < v\n}");
        w.sql("a", &format!("insert into s values (1, null), (7, {bad})"));
        let report = w.sync();
        assert_eq!(counts(&report, "m", "left"), [1, 0, 0, 0, 0, 0, 1], "{ty} {bad}");
        let errors = w.errors();
        let shown = bad.trim_start_matches("x'").trim_matches('\'').to_string();
        for part in ["`m`", "table `s`", "key 7", "column `v`", &shown] {
            assert!(errors[0].contains(part), "{ty} {bad}: no `{part}` in {}", errors[0]);
        }
        // Live too, and mended it goes by itself.
        w.sql("a", &format!("insert into s values (8, {bad})"));
        assert_eq!(counts(&w.run(), "m", "left")[6], 1, "{ty} {bad}");
        w.sql("a", "update s set v = null");
        w.run();
        assert!(w.errors().is_empty(), "{ty} {bad}: {:?}", w.errors());
        assert_eq!(t(&w), ["1|-", "7|-", "8|-"], "{ty} {bad}");
        w.assert_quiet();
    }
}

#[test]
fn choices_by_name_and_by_number() {
    let w = pair(
        "v: { choice: { Open: 4, Posted: 5 } }
         n: { choice: { Open: 4, Posted: 5 }, stored_as: name }",
        "V: { choice: { Open: 4, Posted: 5 }, stored_as: name }
         N: { choice: { Offen: 1, Gebucht: 2 } }",
        "fields {
           V < v
           N << n { 'Offen' < 'Open' }
         }",
    );
    w.sql("a", "insert into s values (1, 4, 'Open'), (2, 5, 'Posted'), (3, 6, 'Open'), (4, 4, 'Shut')");
    assert_eq!(counts(&w.sync(), "m", "left"), [1, 0, 0, 0, 0, 0, 3]);
    assert_eq!(t(&w), ["1|Open|1"]);
    let e = w.errors();
    for part in ["m0.tmap:", "id=2", "column `N`", "5", "'Posted'", "pair"] {
        assert!(e.iter().any(|e| e.contains(part)), "no {part} in {e:?}");
    }
    assert!(e.iter().any(|e| e.contains("key 3") && e.contains("6") && e.contains("`v`")), "{e:?}");
    assert!(e.iter().any(|e| e.contains("'Shut'")), "{e:?}");
}

#[test]
fn blanks_are_nothing_both_ways() {
    let w = pair(
        "name: text(10)
         day: date
         n: integer",
        "NAME: { type: text(10), required: true, blank: '' }
         DAY: { type: date, required: true, blank: 1900-01-01 }
         N: { type: integer, required: true, blank: 0 }",
        "tables b.t <-> a.s
         initial right wins
         conflict left wins
         fields {
           NAME = name
           DAY = day
           N = n
         }",
    );
    w.sql("a", "insert into s values (1, null, null, null), (2, 'x', '2026-01-02', 3)");
    w.sync();
    assert_eq!(t(&w), ["1||1900-01-01|0", "2|x|2026-01-02|3"]);
    w.assert_quiet();
    w.sql(
        "b",
        "update t set NAME = '', DAY = '1900-01-01', N = 0 where ID = 2; insert into t values (3, '', '1900-01-01', 0)",
    );
    w.run();
    assert_eq!(s(&w), ["1|-|-|-", "2|-|-|-", "3|-|-|-"]);
    w.assert_quiet();
}

#[test]
fn dates_datetimes_and_instants() {
    let w = World::bare(
        &[
            ("a", &store("a", "s", "id", "at: datetime\nlocal: datetime(civil)\nday: date")),
            (
                "b",
                &store(
                    "b",
                    "t",
                    "ID",
                    "DAY: date\nDAYP: date\nAT: datetime(civil)\nUTC: datetime\nSAME: datetime\nNEXT: date",
                ),
            ),
        ],
        &[&one("fields {
               DAY  << at | date('America/New_York')
               DAYP << at | date()
               AT   << at | local()
               UTC  << local | utc('Asia/Tokyo')
               SAME <  at
               NEXT << day | add_months(1) | end_of_month()
             }")],
    )
    .time_zone("Europe/Copenhagen")
    .create();
    w.sql("a", "insert into s values (1, '2026-07-01T23:30:00Z', '2026-07-01T08:00:00', '2026-01-31')");
    w.sync();
    assert_eq!(
        t(&w),
        ["1|2026-07-01|2026-07-02|2026-07-02T01:30:00|2026-06-30T23:00:00Z|2026-07-01T23:30:00Z|2026-02-28"]
    );
    w.assert_quiet();
    // Another spelling of the same moment is no change.
    w.sql("a", "update s set at = '2026-07-01 23:30:00'");
    w.assert_quiet();
    w.sql("a", "update s set at = '2026-12-01T23:30:00Z'");
    w.run();
    assert_eq!(
        t(&w),
        ["1|2026-12-01|2026-12-02|2026-12-02T00:30:00|2026-06-30T23:00:00Z|2026-12-01T23:30:00Z|2026-02-28"]
    );
}

#[test]
fn names_and_keys_without_case() {
    let a = "store: a\nnames: case-insensitive\ntables:\n  People:\n    primary_key: [Code]\n    columns:\n      Code: { type: text(5), required: true, collation: case-insensitive }\n      Name: text(10)\n      City: { type: text(5), collation: case-insensitive, lookup: { table: Cities, key: [Code] } }\n  Cities:\n    filled: elsewhere\n    primary_key: [Code]\n    columns:\n      Code: { type: text(5), collation: case-insensitive }\n      Name: text(10)\n";
    let b = "store: b\ntables:\n  t:\n    primary_key: [id]\n    columns:\n      id: { type: text(5), required: true, collation: case-insensitive }\n      name: text(10)\n      city: text(10)\n      big: boolean\n";
    let w = World::new(
        &[("a", a), ("b", b)],
        &[
            "map \"M\" {\n id m\n tables b.t <-> a.PEOPLE\n operations right: update, create\n operations left: update, create\n initial right wins\n conflict left wins\n key id = CODE\n fields {\n name = NAME\n city < CITY.name\n big << (city == 'CPH')\n}\n}",
        ],
    );
    w.sql("a", "insert into Cities values ('cph', 'Copenhagen'); insert into People values ('Ab', 'x', 'CPH')");
    w.sync();
    assert_eq!(t2(&w), ["Ab|x|Copenhagen|1"]);
    // The other side spells the key its own way: the row is the same one.
    w.sql("b", "update t set id = 'AB', name = 'y'");
    w.run();
    assert_eq!(w.rows("a", "select * from People"), ["Ab|y|CPH"]);
    w.sql("a", "update People set Name = 'z'");
    w.run();
    assert_eq!(t2(&w).len(), 1, "{:?}", t2(&w));
    assert!(t2(&w)[0].contains("|z|"), "{:?}", t2(&w));
    w.assert_quiet();
}

fn t2(w: &World) -> Vec<String> {
    w.rows("b", "select * from t order by 1")
}

//! Field lines: signs, operands, pipes, value maps, defaults, `once`.

use super::{one, pair, s, t};
use crate::harness::counts;

#[test]
fn expressions_are_computed_in_sync_and_live() {
    let w = pair(
        "q: integer
         price: decimal(10,2)
         first: text(10)
         last: text(20)
         debit: integer
         credit: integer",
        "AMOUNT: decimal(20,4)
         NAME: text(30)
         SOURCE: text(10)
         BALANCED: boolean
         SIZE: text(6)
         NEG: decimal(10,2)",
        "fields {
           AMOUNT   << q * price + 0.5
           NAME     << concat(first, ' ', last) | upper() | truncate(12)
           SOURCE   << 'tablemap'
           BALANCED << (debit == credit)
           SIZE     << case when q > 100 then 'big' when q > 10 then 'middle' else 'small' end
           NEG      << -price
         }",
    );
    w.sql("a", "insert into s values (1, 3, '9.99', 'Ada', 'Lovelace-King', 1, 1), (2, 200, '0.1', 'Bo', 'X', 1, 2), (3, 11, null, 'C', 'D', null, 2)");
    w.sync();
    assert_eq!(
        t(&w),
        [
            "1|30.47|ADA LOVELACE|tablemap|1|small|-9.99",
            "2|20.5|BO X|tablemap|0|big|-0.1",
            "3|-|C D|tablemap|-|middle|-"
        ]
    );
    w.assert_quiet();
    w.sql("a", "update s set q = 4, debit = 2 where id = 1; update s set price = '1' where id = 3");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 2, 0, 0, 0, 0, 0]);
    assert_eq!(t(&w)[0], "1|40.46|ADA LOVELACE|tablemap|0|small|-9.99");
    assert_eq!(t(&w)[2], "3|11.5|C D|tablemap|-|middle|-1");
    w.assert_quiet();
}

#[test]
fn a_pipe_on_a_two_way_line_has_its_inverse() {
    let w = pair(
        "day: text(10)
         code: text(10)",
        "DAY: date
         CODE: text(10)",
        "tables b.t <-> a.s
         initial right wins
         conflict left wins
         fields {
           DAY >< day | parse_date('%d.%m.%Y')
           CODE = code
         }",
    );
    w.sql("a", "insert into s values (1, '24.12.2026', 'x')");
    w.sync();
    assert_eq!(t(&w), ["1|2026-12-24|x"]);
    w.sql("b", "update t set DAY = '2027-01-02'; insert into t values (2, '2026-02-03', 'y')");
    w.run();
    assert_eq!(s(&w), ["1|02.01.2027|x", "2|03.02.2026|y"]);
    w.assert_quiet();
}

#[test]
fn value_maps_in_each_direction() {
    let map = format!(
        "values NoYes {{ 'No' = false, 'Yes' = true }}\n{}",
        one("tables b.t <-> a.s
         initial right wins
         conflict right wins
         fields {
           LANG  >< lang { 'en-us' = 1, 'en-gb' > 1, 'de' = 2, null > 3, else > 9, else < error }
           HOLD  >< hold values NoYes
           KIND  << kind { 'A' < 1, 'A' < 2, null < 3, else 'other' }
           PASS  << kind2 { 'x' < 'y', else pass } default 'none'
         }")
    );
    let w = crate::harness::World::new(
        &[
            ("a", &super::store("a", "s", "id", "lang: integer\nhold: boolean\nkind: integer\nkind2: text(5)")),
            ("b", &super::store("b", "t", "ID", "LANG: text(5)\nHOLD: text(3)\nKIND: text(5)\nPASS: text(5)")),
        ],
        &[&map],
    );
    w.sql(
        "a",
        "insert into s values (1, 1, 1, 2, 'y'), (2, 2, 0, 7, 'z'), (3, 77, 1, 1, null), (4, null, null, 3, null)",
    );
    assert_eq!(counts(&w.sync(), "m", "left"), [3, 0, 0, 0, 0, 0, 1]);
    assert_eq!(t(&w), ["1|en-us|Yes|A|x", "2|de|No|other|z", "4|-|-|-|none"]);
    // A null without a pair on the way passes; `null > 3` is for the way right only.
    let errors = w.errors();
    assert!(errors[0].contains("77") && errors[0].contains("LANG"), "{errors:?}");
    w.sql("b", "update t set LANG = 'en-gb' where ID = 2; update t set LANG = 'xx', HOLD = 'No' where ID = 1");
    w.run();
    assert_eq!(w.rows("a", "select lang, hold from s where id < 3 order by id"), ["9|0", "1|0"]);
}

#[test]
fn many_to_one_keeps_the_value_that_is_there() {
    let w = pair(
        "status: integer
         note: text(5)",
        "STATUS: text(6)
         NOTE: text(5)",
        "tables b.t <-> a.s
         initial right wins
         conflict left wins
         fields {
           STATUS >< status { 'Open' = 1, 'Closed' = 2, 'Closed' < 3 }
           NOTE = note
         }",
    );
    w.sql("a", "insert into s values (1, 3, 'n')");
    w.sync();
    assert_eq!(t(&w), ["1|Closed|n"]);
    // Another column changes on the left: the 3 that 'Closed' came from stays.
    w.sql("b", "update t set NOTE = 'm'");
    w.run();
    assert_eq!(s(&w), ["1|3|m"]);
    w.sql("b", "update t set STATUS = 'Open'");
    w.run();
    assert_eq!(s(&w), ["1|1|m"]);
    w.sql("b", "update t set STATUS = 'Closed'");
    w.run();
    assert_eq!(s(&w), ["1|2|m"]);
    w.assert_quiet();
}

#[test]
fn default_fills_a_null_and_a_blank() {
    let w = pair(
        "a: { type: text(5), blank: '' }
         b: integer",
        "A: { type: text(5), required: true }
         B: { type: integer, blank: 0 }",
        "fields {
           A << a default 'none'
           B << b { 5 < 1, else null } default 7
         }",
    );
    w.sql("a", "insert into s values (1, '', null), (2, 'x', 1), (3, null, 2)");
    w.sync();
    assert_eq!(t(&w), ["1|none|7", "2|x|5", "3|none|7"]);
    w.assert_quiet();
    w.sql("a", "update s set a = '' where id = 2");
    w.run();
    assert_eq!(t(&w)[1], "2|none|5");
}

#[test]
fn once_is_written_on_create_and_left_alone() {
    let w = pair(
        "a: text(5)
         b: text(5)
         c: text(5)",
        "A: text(5)
         B: text(5)
         C: { type: text(5), create_only: true }",
        "fields {
           A < a once
           B < b
           C < c
         }",
    );
    w.sql("a", "insert into s values (1, 'a1', 'b1', 'c1')");
    w.sync();
    // Somebody edits what is written once.
    w.sql("b", "update t set A = 'mine'");
    w.sql("a", "update s set a = 'a2', c = 'c2'");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 0, 0, 1, 0, 0, 0]);
    assert_eq!(t(&w), ["1|mine|b1|c1"]);
    w.sql("a", "update s set b = 'b2'");
    w.run();
    assert_eq!(t(&w), ["1|mine|b2|c1"]);
    // A whole sync anew leaves it too.
    w.sync();
    assert_eq!(t(&w), ["1|mine|b2|c1"]);
    w.sql("a", "insert into s values (2, 'a', 'b', 'c')");
    w.run();
    assert_eq!(t(&w)[1], "2|a|b|c");
}

#[test]
fn a_direct_change_of_a_one_way_column_lasts_until_the_record_is_applied() {
    let w = pair("a: text(5)\nb: text(5)", "A: text(5)\nB: text(5)", "fields {\n A < a\n B < b\n}");
    w.sql("a", "insert into s values (1, 'a', 'b')");
    w.sync();
    w.sql("b", "update t set A = 'mine'");
    w.assert_quiet();
    assert_eq!(t(&w), ["1|mine|b"]);
    w.sql("a", "update s set b = 'c'");
    w.run();
    assert_eq!(t(&w), ["1|a|c"]);
}

#[test]
fn computed_keys_give_the_same_row_every_time() {
    let w = crate::harness::World::new(
        &[
            ("a", &super::store("a", "s", "id", "code: text(5)\nname: text(10)")),
            (
                "b",
                "store: b\ntables:\n  t:\n    primary_key: [ID]\n    columns:\n      ID: uuid\n      KIND: text(5)\n      NAME: text(10)\n",
            ),
        ],
        &[&one("key ID << uuid_of('billed', id)\n fields {\n KIND << 'b'\n NAME < name\n}")],
    );
    w.sql("a", "insert into s values (1, 'x', 'one'), (2, 'y', 'two')");
    w.sync();
    let before = w.rows("b", "select ID, NAME from t order by NAME");
    assert_eq!(before.len(), 2);
    w.sql("a", "update s set name = 'uno' where id = 1");
    assert_eq!(counts(&w.run(), "m", "left"), [0, 1, 0, 0, 0, 0, 0]);
    w.sync();
    let after = w.rows("b", "select ID, NAME from t order by NAME desc");
    assert_eq!(after[0].replace("uno", "one"), before[0]);
    w.sql("a", "delete from s where id = 1");
    w.run();
    assert_eq!(w.rows("b", "select NAME from t"), ["two"]);
    w.assert_quiet();
}

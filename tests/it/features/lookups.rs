//! Paths: read over, written through, to several tables, over several columns, missing.

use super::{one, store};
use crate::harness::{World, counts};

const A: &str = "
store: a
tables:
  s:
    primary_key: [id]
    columns:
      id: integer
      who: { type: integer, lookup: { tables: [accounts, contacts], type_column: kind } }
      kind: text(10)
      dept: { type: integer, lookup: depts }
  accounts:
    filled: elsewhere
    primary_key: [id]
    columns: { id: integer, number: text(10) }
  contacts:
    filled: elsewhere
    primary_key: [id]
    columns: { id: integer, code: text(10) }
  depts:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: integer
      code: text(10)
      site: { type: integer, lookup: sites }
  sites:
    filled: elsewhere
    primary_key: [id]
    columns: { id: integer, code: text(10) }
";

#[test]
fn a_lookup_to_several_tables_reads_the_rows_actual_type() {
    let w = World::new(
        &[("a", A), ("b", &store("b", "t", "ID", "WHO: text(10)\nTYPE: text(10)\nSITE: text(10)"))],
        &[&one(
            "fields {\n WHO < who.accounts(number).contacts(code)\n TYPE << lookup_type(who)\n SITE < dept.site.code on missing null\n}",
        )],
    );
    w.sql("a", "insert into accounts values (1, 'A1'); insert into contacts values (1, 'C1'), (2, 'C2');
                insert into sites values (1, 'S1'); insert into depts values (1, 'D1', 1), (2, 'D2', 99), (3, 'D3', null);
                insert into s values (1, 1, 'accounts', 1), (2, 1, 'contacts', 2), (3, 2, 'contacts', 3), (4, null, null, null), (5, 2, 'accounts', null)");
    assert_eq!(counts(&w.sync(), "m", "left"), [4, 0, 0, 0, 0, 1, 0]);
    let t = || w.rows("b", "select * from t order by ID");
    assert_eq!(t(), ["1|A1|accounts|S1", "2|C1|contacts|-", "3|C2|contacts|-", "4|-|-|-"]);
    w.assert_quiet();
    // Each of the looked-up tables wakes its records, the type column too; what was missing arrives.
    w.sql("a", "update contacts set code = 'C1x' where id = 1; update accounts set number = 'A1x'; insert into accounts values (2, 'A2')");
    assert_eq!(counts(&w.run(), "m", "left"), [1, 2, 0, 0, 0, 0, 0]);
    w.sql("a", "update s set kind = 'contacts' where id = 1; insert into sites values (99, 'S99')");
    w.run();
    assert_eq!(t(), ["1|C1x|contacts|S1", "2|C1x|contacts|S99", "3|C2|contacts|-", "4|-|-|-", "5|A2|accounts|-"]);
    w.assert_quiet();
    // A looked-up row goes: `on missing null` lets the value go, a parked one keeps the row as it is.
    w.sql("a", "delete from sites where id = 1; delete from contacts where id = 2");
    w.run();
    assert_eq!(t()[0], "1|C1x|contacts|-");
    assert_eq!(t()[2], "3|C2|contacts|-");
    assert_eq!(w.errors().len(), 1, "{:?}", w.errors());
}

fn poly(kind: &str) -> String {
    format!(
        "
store: b
tables:
  t:
    primary_key: [ID]
    columns:
      ID: integer
      who: {{ type: uuid, lookup: {{ tables: [accounts, contacts], type_column: kind }} }}
      kind: {kind}
      note: text(10)
  accounts:
    filled: elsewhere
    primary_key: [id]
    columns: {{ id: uuid, number: {{ type: text(10), required: true, collation: case-insensitive }} }}
    alternate_keys: [[number]]
  contacts:
    filled: elsewhere
    primary_key: [id]
    columns: {{ id: uuid, number: {{ type: text(10), required: true }} }}
    alternate_keys: [[number]]
"
    )
}

const U: [&str; 3] = [
    "00000000-0000-4000-8000-000000000001",
    "00000000-0000-4000-8000-000000000002",
    "00000000-0000-4000-8000-000000000003",
];

#[test]
fn a_lookup_to_several_tables_writes_the_first_match_and_its_type() {
    for (kind, account, contact) in
        [("text(10)", "accounts", "contacts"), ("{ choice: { contacts: 2, accounts: 1 } }", "1", "2")]
    {
        let w = World::new(
            &[("a", &store("a", "s", "id", "who: text(10)\nnote: text(5)")), ("b", &poly(kind))],
            &[&one("fields {\n who.accounts(number).contacts(number) < who\n note < note\n}")],
        );
        w.sql(
            "b",
            &format!(
                "insert into accounts values ('{}', 'X'); insert into contacts values ('{}', 'Y'), ('{}', 'X')",
                U[0], U[1], U[2]
            ),
        );
        w.sql("a", "insert into s values (1, 'x', 'n'), (2, 'Y', 'n'), (3, null, 'n'), (4, 'Z', 'n'), (5, 'V', 'n')");
        assert_eq!(counts(&w.sync(), "m", "left"), [3, 0, 0, 0, 0, 2, 0], "{:?}", w.errors());
        let t = || w.rows("b", "select ID, who, kind from t order by ID");
        assert_eq!(t(), [format!("1|{}|{account}", U[0]), format!("2|{}|{contact}", U[1]), "3|-|-".to_string()]);
        w.assert_quiet();
        // What a record waits for may arrive in any of the tables.
        w.sql("b", "insert into contacts values ('00000000-0000-4000-8000-000000000004', 'Z')");
        assert_eq!(counts(&w.run(), "m", "left"), [1, 0, 0, 0, 0, 0, 0], "{:?}", w.errors());
        w.sql("b", "insert into accounts values ('00000000-0000-4000-8000-000000000005', 'V')");
        assert_eq!(counts(&w.run(), "m", "left"), [1, 0, 0, 0, 0, 0, 0], "{:?}", w.errors());
        assert_eq!(
            t()[3..],
            [
                format!("4|00000000-0000-4000-8000-000000000004|{contact}"),
                format!("5|00000000-0000-4000-8000-000000000005|{account}")
            ]
        );
        w.sql("a", "update s set who = 'Y' where id = 1; update s set who = null where id = 2");
        w.run();
        assert_eq!(t()[..2], [format!("1|{}|{contact}", U[1]), "2|-|-".to_string()]);
        w.assert_quiet();
    }
}

#[test]
fn missing_rows_park_are_null_or_fail_at_both_ends() {
    for (word, expected, text) in [
        ("park", [0, 0, 0, 0, 0, 1, 0], "parked"),
        ("error", [0, 0, 0, 0, 0, 0, 1], "failed"),
        ("null", [1, 0, 0, 0, 0, 0, 0], ""),
    ] {
        // Read over.
        let w = World::new(
            &[("a", A), ("b", &store("b", "t", "ID", "DEPT: text(10)"))],
            &[&one(&format!("fields {{\n DEPT < dept.code on missing {word}\n}}"))],
        );
        w.sql("a", "insert into s(id, dept) values (1, 5)");
        assert_eq!(counts(&w.sync(), "m", "left"), expected, "{word}");
        if !text.is_empty() {
            let e = w.errors();
            for part in [text, "DEPT", "dept", "5", "id=1"] {
                assert!(e[0].contains(part), "{word}: {e:?}");
            }
        }
        w.sql("a", "insert into depts(id, code) values (5, 'D5')");
        w.run();
        assert_eq!(w.rows("b", "select DEPT from t"), ["D5"], "{word} {:?}", w.errors());
        assert!(w.errors().is_empty());
        // Written through.
        let w = World::new(
            &[
                ("a", &store("a", "s", "id", "who: text(10)")),
                (
                    "b",
                    &poly("text(10)")
                        .replace("tables: [accounts, contacts], type_column: kind", "table: accounts, key: [id]"),
                ),
            ],
            &[&one(&format!("fields {{\n who.number < who on missing {word}\n}}"))],
        );
        w.sql("a", "insert into s values (1, 'X')");
        assert_eq!(counts(&w.sync(), "m", "left"), expected, "{word}");
        w.sql("b", &format!("insert into accounts values ('{}', 'X')", U[0]));
        if word == "error" {
            w.retry();
        }
        if word == "null" {
            w.sql("a", "update s set who = 'x'");
        }
        w.run();
        assert_eq!(w.rows("b", "select who from t"), [U[0]], "{word}");
        assert!(w.errors().is_empty(), "{word}: {:?}", w.errors());
        w.assert_quiet();
    }
}

#[test]
fn a_lookup_column_written_as_it_is_must_refer_to_a_row() {
    let w = World::new(
        &[
            ("a", A),
            (
                "b",
                &store("b", "t", "ID", "D: { type: integer, lookup: d }").replace(
                    "  t:",
                    "  d:\n    filled: elsewhere\n    primary_key: [id]\n    columns: { id: integer }\n  t:",
                ),
            ),
        ],
        &[&one("fields {\n D < dept\n}")],
    );
    w.sql("a", "insert into s(id, dept) values (1, 5), (2, null)");
    assert_eq!(counts(&w.sync(), "m", "left"), [1, 0, 0, 0, 0, 1, 0]);
    w.sql("b", "insert into d values (5)");
    assert_eq!(counts(&w.run(), "m", "left")[0], 1);
    w.assert_quiet();
}

const NESTED: &str = "
store: b
tables:
  t:
    primary_key: [ID]
    columns:
      ID: integer
      dept: { type: integer, lookup: depts }
      note: text(10)
  depts:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(10), required: true }
      site: { type: integer, lookup: sites }
    alternate_keys: [[site, code]]
  sites:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(10), required: true }
      land: { type: integer, lookup: lands }
    alternate_keys: [[land, code]]
  lands:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: integer
      code: { type: text(10), required: true }
    alternate_keys: [[code]]
";

#[test]
fn nested_references_are_written_through() {
    let w = World::new(
        &[("a", &store("a", "s", "id", "land: text(5)\nsite: text(5)\ndept: text(5)")), ("b", NESTED)],
        &[&one("fields {\n dept.code < dept\n dept.site.code < site\n dept.site.land.code < land\n}")],
    );
    w.sql(
        "b",
        "insert into lands values (1, 'DK'), (2, 'SE'); insert into sites values (10, 'X', 1), (20, 'X', 2);
                insert into depts values (100, 'D', 10), (200, 'D', 20)",
    );
    w.sql(
        "a",
        "insert into s values (1, 'DK', 'X', 'D'), (2, 'SE', 'X', 'D'), (3, 'SE', 'Y', 'D'), (4, null, null, null)",
    );
    assert_eq!(counts(&w.sync(), "m", "left"), [3, 0, 0, 0, 0, 1, 0], "{:?}", w.errors());
    let t = || w.rows("b", "select ID, dept from t order by ID");
    assert_eq!(t(), ["1|100", "2|200", "4|-"]);
    w.assert_quiet();
    // First the site arrives, then the department.
    w.sql("b", "insert into sites values (30, 'Y', 2)");
    w.run();
    assert_eq!(w.errors().len(), 1);
    w.sql("b", "insert into depts values (300, 'D', 30)");
    assert_eq!(counts(&w.run(), "m", "left")[0], 1, "{:?}", w.errors());
    assert_eq!(t(), ["1|100", "2|200", "3|300", "4|-"]);
    w.assert_quiet();
}

#[test]
fn lookups_over_several_columns() {
    let a = "
store: a
tables:
  s:
    primary_key: [id]
    columns:
      id: integer
      land: text(5)
      zip: text(5)
    lookups:
      place: { columns: [land, zip], table: places }
  places:
    filled: elsewhere
    primary_key: [land, zip]
    columns: { land: text(5), zip: text(5), name: text(20) }
";
    let b = a
        .replace("store: a", "store: b")
        .replace("  s:", "  t:")
        .replace("[id]", "[ID]")
        .replace("      id:", "      ID:");
    // Read over on one side, written through on the other.
    let w = World::new(
        &[("a", a), ("b", &b.replace("[land, zip]\n    columns: { land: text(5), zip: text(5), name: text(20) }", "[land, zip]\n    columns: { land: text(5), zip: text(5), name: { type: text(20), required: true } }\n    alternate_keys: [[name]]"))],
        &[&one("fields {\n place.name < place.name\n}")],
    );
    w.sql("a", "insert into places values ('DK', '1000', 'Kbh'), ('SE', '1000', 'Sth'); insert into s values (1, 'DK', '1000'), (2, 'SE', '1000'), (3, 'DK', null), (4, 'DK', '9')");
    w.sql("b", "insert into places values ('dk', '1', 'Kbh'), ('se', '2', 'Sth')");
    assert_eq!(counts(&w.sync(), "m", "left"), [3, 0, 0, 0, 0, 1, 0], "{:?}", w.errors());
    let t = || w.rows("b", "select * from t order by ID");
    assert_eq!(t(), ["1|dk|1", "2|se|2", "3|-|-"]);
    w.assert_quiet();
    w.sql("a", "insert into places values ('DK', '9', 'Kbh')");
    w.sql("a", "update s set land = 'SE' where id = 1");
    w.run();
    assert_eq!(t(), ["1|se|2", "2|se|2", "3|-|-", "4|dk|1"]);
    w.assert_quiet();
}

#[test]
fn rows_that_refer_to_themselves_need_no_hand() {
    let w = World::new(
        &[
            (
                "a",
                "store: a\ntables:\n  s:\n    primary_key: [id]\n    columns:\n      id: integer\n      code: text(5)\n      boss: { type: integer, lookup: s }\n",
            ),
            (
                "b",
                "store: b\ntables:\n  t:\n    primary_key: [id]\n    columns:\n      id: { type: integer, generated: true }\n      code: { type: text(5), required: true }\n      boss: { type: integer, lookup: t }\n    alternate_keys: [[code]]\n",
            ),
        ],
        &[&one("key code = code\n fields {\n boss.code < boss.code\n}")],
    );
    w.sql("a", "insert into s values (1, 'A', 3), (2, 'B', 1), (3, 'C', null), (4, 'D', 4)");
    w.sync();
    w.run();
    let joined = "select t.code, b.code from t left join t b on b.id = t.boss order by 1";
    let rows = w.rows("b", joined);
    assert_eq!(rows[..3], ["A|C", "B|A", "C|-"], "{:?}", w.errors());
}

const LEFT: &str = "
store: b
names: case-insensitive
tables:
  t:
    company: CO
    primary_key: [CO, NUMBER]
    columns:
      CO: { type: text(4), required: true, collation: case-insensitive }
      NUMBER: { type: text(10), required: true }
      CUST: { type: text(10), lookup: CUSTS }
      V: text(10)
  CUSTS:
    company: CO
    filled: elsewhere
    primary_key: [CO, ACC]
    columns:
      CO: { type: text(4), required: true, collation: case-insensitive }
      ACC: { type: text(10), required: true }
      NAME: text(10)
";

const RIGHT: &str = "
store: a
tables:
  s:
    company: owner
    primary_key: [id]
    columns:
      id: { type: uuid, generated: true }
      number: { type: text(10), required: true }
      owner: { type: uuid, required: true, lookup: cos }
      cust: { type: uuid, lookup: custs }
      custname: text(10)
      v: text(10)
    alternate_keys: [[owner, number]]
  cos:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: uuid
      code: { type: text(4), required: true, collation: case-insensitive }
    alternate_keys: [[code]]
  custs:
    filled: elsewhere
    company: co
    primary_key: [id]
    columns:
      id: uuid
      co: { type: uuid, required: true, lookup: cos }
      acc: { type: text(10), required: true }
    alternate_keys: [[co, acc]]
";

#[test]
fn paths_on_two_way_lines_are_read_one_way_and_written_through_the_other() {
    let map = "map \"M\" {\n id m\n tables b.t <-> a.s\n company CO = owner.code\n key NUMBER = number\n operations left: create, update\n operations right: create, update\n initial right wins\n conflict right wins\n fields {\n CUST = cust.acc\n CUST.NAME > custname\n V = v\n}\n}";
    let w = World::bare(&[("a", RIGHT), ("b", LEFT)], &[map]).companies(&["USPM", "GBSI"]).create();
    let id = |n: u32| format!("00000000-0000-4000-8000-{n:012}");
    w.sql("a", &format!("insert into cos values ('{}', 'USPM'), ('{}', 'GBSI'); insert into custs values ('{}', '{}', 'C1'), ('{}', '{}', 'C1')", id(1), id(2), id(11), id(1), id(12), id(2)));
    w.sql("b", "insert into custs values ('USPM', 'C1', 'us'), ('GBSI', 'C1', 'gb')");
    w.sql(
        "a",
        &format!(
            "insert into s(id, number, owner, cust, v) values ('{}', 'N1', '{}', '{}', 'x')",
            id(21),
            id(1),
            id(11)
        ),
    );
    w.sync();
    assert_eq!(w.rows("b", "select * from t"), ["USPM|N1|C1|x"], "{:?}", w.errors());
    // Made on the left: company and customer are found on the right.
    w.sql("b", "insert into t values ('gbsi', 'N1', 'C1', 'y')");
    w.run();
    assert!(w.errors().is_empty(), "{:?}", w.errors());
    let s = || w.rows("a", "select number, owner, cust, custname, v from s order by owner");
    assert_eq!(s(), [format!("N1|{}|{}|us|x", id(1), id(11)), format!("N1|{}|{}|gb|y", id(2), id(12))]);
    w.assert_quiet();
    // The looked-up name of the left's own side is live; a customer that is not there parks.
    w.sql("b", "update custs set NAME = 'uk' where CO = 'GBSI'; update t set CUST = 'C9' where CO = 'USPM'; insert into custs values ('USPM', 'C9', 'nine')");
    w.run();
    assert_eq!(s()[1], format!("N1|{}|{}|uk|y", id(2), id(12)));
    assert_eq!(w.errors().len(), 1, "{:?}", w.errors());
    w.sql("a", &format!("insert into custs values ('{}', '{}', 'C9')", id(19), id(1)));
    w.run();
    assert_eq!(s()[0], format!("N1|{}|{}|nine|x", id(1), id(19)));
    assert!(w.errors().is_empty());
    w.assert_quiet();
}

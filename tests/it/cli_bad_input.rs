//! Bad input on the real binary: each gives a finding or an error with a place and a way out, and nothing is lost.

use super::cli::{Project, tablemap};
use rusqlite::Connection;

/// (what, file, from, to, exit code of `check`, what it says)
type Case = (&'static str, &'static str, &'static str, &'static str, &'static [&'static str]);

const CASES: &[Case] = &[
    (
        "unknown table",
        "maps/customers.tmap",
        "crm.accounts",
        "crm.acounts",
        &["TM0202", "customers.tmap:", "did you mean `accounts`"],
    ),
    (
        "unknown column",
        "maps/customers.tmap",
        "<< email",
        "<< emial",
        &["TM0203", "customers.tmap:", "did you mean `email`"],
    ),
    (
        "unknown store",
        "maps/customers.tmap",
        "erp.CUSTOMERS <->",
        "epr.CUSTOMERS <->",
        &["TM0201", "did you mean `erp`"],
    ),
    ("unknown function", "maps/customers.tmap", "| lower()", "| lowr()", &["TM0204", "did you mean `lower`"]),
    ("unknown statement", "maps/customers.tmap", "  initial ", "  intial ", &["customers.tmap:", "initial"]),
    ("statement twice", "maps/customers.tmap", "  version ", "  version 2.0\n  version ", &["TM0106"]),
    ("prerequisites in a circle", "maps/customers.tmap", "  initial ", "  needs customers\n  initial ", &["TM1001"]),
    ("unknown key", "tablemap.yaml", "companies:", "company:", &["TM0154", "tablemap.yaml:", "companies"]),
    ("key twice", "tablemap.yaml", "time_zone:", "name: again\ntime_zone:", &["TM0131", "tablemap.yaml:"]),
    ("wrong type", "tablemap.yaml", "[DK01, DE01]", "{ a: 1 }", &["TM0153", "tablemap.yaml:"]),
    ("unknown time zone", "tablemap.yaml", "Europe/Copenhagen", "Europe/Kopenhagen", &["TM0165", "Copenhagen"]),
    ("missing schema", "tablemap.yaml", "crm.schema.yaml", "cmr.schema.yaml", &["TM0150", "does not exist"]),
    ("no such kind", "tablemap.yaml", "kind: sqlite", "kind: sqllite", &["TM0166", "sqlite"]),
    ("unset variable", "tablemap.yaml", "data/crm.db", "\"${NOT_SET_AT_ALL}\"", &["TM0164", "NOT_SET_AT_ALL"]),
    ("unknown type", "schemas/crm.schema.yaml", "email: text(100)", "email: txt(100)", &["TM0156", "crm.schema.yaml:"]),
    ("unknown key of a schema", "schemas/crm.schema.yaml", "filled:", "filed:", &["TM0154", "filled"]),
    ("lookup to nowhere", "schemas/crm.schema.yaml", "lookup: companies", "lookup: company", &["TM0158", "companies"]),
    ("tabs", "tablemap.yaml", "  crm:", "\tcrm:", &["tablemap.yaml:"]),
];

#[test]
fn every_fault_is_found_with_place_and_way_out_and_nothing_moves() {
    for (what, file, from, to, says) in CASES {
        let p = Project::new();
        p.edit(file, from, to);
        let check = p.run(&["check"]);
        if *what == "unset variable" {
            // A project can be checked without what it takes to open its stores.
            assert!(check.code <= 1, "{what}");
        } else {
            check.says(1, says);
        }
        let sync = p.run(&["sync"]);
        assert!((1..=3).contains(&sync.code), "{what}: {}", sync.err);
        assert!(!sync.err.contains("panicked"), "{what}: {}", sync.err);
        let json = p.run(&["check", "--format", "json"]).json();
        assert_eq!(json["format"], 1, "{what}");
        assert_eq!(p.query("erp", "SELECT count(*) FROM CUSTOMERS"), "Integer(1)", "{what}");
    }
}

#[test]
fn texts_of_all_kinds() {
    let p = Project::new();
    let map = p.read("maps/customers.tmap");
    p.write("maps/customers.tmap", map.replace('\n', "\r\n"));
    p.run(&["check"]).says(0, &["no findings"]);
    p.write("maps/customers.tmap", format!("\u{feff}{map}"));
    p.run(&["check"]).says(0, &["no findings"]);
    let project = p.read("tablemap.yaml");
    p.write("tablemap.yaml", format!("\u{feff}{}", project.replace('\n', "\r\n")));
    p.run(&["test"]).says(0, &["3 tests passed"]);
    p.write("maps/customers.tmap", [map.as_bytes(), b"# caf\xe9\n"].concat());
    p.run(&["check"]).says(1, &["TM0151", "customers.tmap", "save it as UTF-8"]);
    p.write("maps/customers.tmap", vec![b'#'; 50 * 1024 * 1024]);
    p.run(&["check"]).says(1, &["TM0152", "customers.tmap", "larger than 8 MiB", "map_size"]);
    p.run(&["sync"]).says(1, &["TM0152"]);
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n".to_string()
        + &('b'..='i')
            .map(|c| {
                let before = (c as u8 - 1) as char;
                format!("{c}: &{c} [{}]\n", vec![format!("*{before}"); 9].join(", "))
            })
            .collect::<String>();
    std::fs::remove_file(p.path("maps/customers.tmap")).unwrap();
    p.write("maps/bomb.map.yaml", bomb);
    p.run(&["check"]).says(1, &["bomb.map.yaml"]);
    p.write("maps/bomb.map.yaml", "[".repeat(100_000));
    p.run(&["check"]).says(1, &["bomb.map.yaml"]);
    std::fs::remove_file(p.path("maps/bomb.map.yaml")).unwrap();
    p.write("maps/deep.tmap", format!("map \"Deep\" {{\n  filter left: {}\n}}\n", "(".repeat(100_000)));
    p.run(&["check"]).says(1, &["deep.tmap"]);
    std::fs::remove_file(p.path("maps/deep.tmap")).unwrap();
    p.run(&["check"]).says(0, &["TM0169", "no map is found"]);
    p.write("tablemap.yaml", "");
    p.run(&["check"]).says(1, &["the project file is empty"]);
    std::fs::remove_file(p.path("tablemap.yaml")).unwrap();
    p.run(&["check"]).says(1, &["no `tablemap.yaml`", "tablemap init"]);
}

#[test]
fn files_that_cannot_be_read_are_named_as_places() {
    let p = Project::new();
    p.write("maps/other.tmap", b"# caf\xe9\n");
    p.write("maps/large.tmap", vec![b'#'; 9 * 1024 * 1024]);
    p.write("maps/none.tmap", "");
    let found = p.run(&["check", "--format", "json"]).json();
    let at = |code: &str| {
        let all = found["findings"].as_array().unwrap();
        let d = all.iter().find(|d| d["code"] == code).unwrap_or_else(|| panic!("no {code} in {found}"));
        let name = d["at"]["file"].as_str().unwrap().rsplit('/').next().unwrap().to_string();
        (name, d["at"]["line"].as_u64().unwrap(), d["at"]["column"].as_u64().unwrap())
    };
    assert_eq!(at("TM0151"), ("other.tmap".into(), 1, 6));
    assert_eq!(at("TM0152"), ("large.tmap".into(), 1, 1));
    assert_eq!(at("TM0119"), ("none.tmap".into(), 1, 1));
}

#[test]
fn honest_mistakes_are_told_once_and_with_a_way_out() {
    // (from, to, what it says, findings in all)
    for (from, to, says, count) in [
        ("== 'Customer'", "== ‘Customer’", "straight quotes", 1),
        ("== 'Customer'", "== \"Customer\"", "single quotes, `'Customer'`", 1),
        ("right: status", "crm: status", "not by their store", 1),
        ("  fields {", "  {", "write `fields {`", 1),
        ("create, update  ", "create, udpate  ", "did you mean `update`", 1),
        ("default 1000", "default 1000,50", "decimal sign is a point", 1),
        ("# what the", "// what the", "a comment begins with `#`", 1),
        // What cannot be read is not also missing.
        ("erp.CUSTOMERS <->", "CUSTOMERS <->", "`store.table`", 1),
        ("customers\n  version", "my customers\n  version", "expected the end of the line", 1),
        ("  key        ACCOUNT = number", "  key        ACCOUNT = = number", "TM0101", 1),
        // What is missing is.
        ("  key        ACCOUNT = number", "  #", "TM0501", 1),
    ] {
        let p = Project::new();
        p.edit("maps/customers.tmap", from, to);
        p.run(&["check"]).says(1, &[says, "customers.tmap:"]);
        let json = p.run(&["check", "--format", "json"]).json();
        assert_eq!(json["findings"].as_array().unwrap().len(), count, "{to}: {json}");
    }
}

#[test]
fn check_looks_at_the_maps_as_a_set() {
    let p = Project::new();
    p.write("maps/values.tmap", "values Unused { 'No' = false, 'Yes' = true }\n");
    p.run(&["check"]).says(0, &["TM1101", "Unused"]);
}

#[test]
fn yaml_faults_stand_at_their_line() {
    let p = Project::new();
    let file = p.path("maps/customers.tmap");
    tablemap(&["convert", "--to", "yaml", "--out", file.to_str().unwrap()]).says(0, &[]);
    std::fs::remove_file(file).unwrap();
    let good = p.read("maps/customers.map.yaml");
    let line = |part: &str| good.lines().position(|l| l.starts_with(part)).unwrap() + 1;
    for (from, to, code, at) in [
        ("initial:", "intial:", "TM0142", line("initial:")),
        ("initial:", "version: 2.0.0\ninitial:", "TM0131", line("initial:")),
        ("company: COMPANY", "company: COMPANI", "TM0203", line("company:")),
        ("version: 1.0.0", "version: [1]", "TM0141", line("version:")),
    ] {
        assert!(good.contains(from), "{from}");
        p.write("maps/customers.map.yaml", good.replacen(from, to, 1));
        p.run(&["check"]).says(1, &[code, &format!("customers.map.yaml:{at}:")]);
    }
}

#[test]
fn stores_that_cannot_be_used() {
    let p = Project::new();
    let moved = |p: &Project, sql: &str| p.query("erp", sql);
    // Locked by somebody.
    let holder = Connection::open(p.path("data/erp.db")).unwrap();
    holder.execute_batch("BEGIN EXCLUSIVE").unwrap();
    p.run(&["sync"]).says(3, &["`erp`", "locked"]);
    holder.execute_batch("ROLLBACK").unwrap();
    drop(holder);
    p.run(&["sync"]).says(0, &[]);
    assert_eq!(moved(&p, "SELECT count(*) FROM CUSTOMERS"), "Integer(2)");
    // Without a table, or a column, of the schema.
    p.sql("erp", "ALTER TABLE CUSTOMERS RENAME COLUMN EMAIL TO MAIL").unwrap();
    p.run(&["run", "--once"]).says(1, &["`erp`", "CUSTOMERS", "EMAIL"]);
    let p = Project::new();
    p.sql("erp", "DROP TABLE CUSTOMERS").unwrap();
    p.run(&["sync"]).says(1, &["`erp`", "there is no table `CUSTOMERS`", "help:"]);
    // No database, a folder, or something else.
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    for command in ["sync", "status", "pause"] {
        p.run(&[command]).says(3, &["`erp`", "does not exist"]);
    }
    assert!(!p.path("data/erp.db").exists());
    p.write("data/erp.db", "this is no database at all, but long enough to be read as one".repeat(20));
    p.run(&["sync"]).says(3, &["`erp`"]);
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    std::fs::create_dir(p.path("data/erp.db")).unwrap();
    p.run(&["sync"]).says(3, &["`erp`", "is a folder"]);
    let json = p.run(&["sync", "--format", "json"]);
    assert_eq!(json.code, 3);
    let error: serde_json::Value = serde_json::from_str(&json.err).unwrap();
    assert_eq!(error["exit"], 3);
}

#[test]
fn limits_for_tests_are_numbers() {
    let p = Project::new();
    let run = |value: &str| {
        let mut command = assert_cmd::Command::new(env!("CARGO_BIN_EXE_tablemap"));
        let output =
            command.env("TABLEMAP_CHUNK_ROWS", value).args(["sync", "-C", p.path("").to_str().unwrap()]).output();
        output.unwrap().status.code()
    };
    assert_eq!((run("many"), run("0"), run("1")), (Some(2), Some(2), Some(0)));
}

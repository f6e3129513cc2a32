//! `schema pull`, `schema diff`, `check --live` and `new`, on the real binary.

use crate::cli::{Done, Project, tablemap};
use std::path::Path;

/// The shipped schemas as a project without maps.
fn shipped() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("maps/project-operations/schemas");
    std::fs::create_dir_all(dir.path().join("schemas")).unwrap();
    std::fs::create_dir_all(dir.path().join("maps")).unwrap();
    let mut project = String::from("stores:\n");
    for store in ["dataverse", "finance"] {
        let file = format!("{store}.schema.yaml");
        std::fs::copy(from.join(&file), dir.path().join("schemas").join(&file)).unwrap();
        project.push_str(&format!("  {store}: {{ kind: sqlite, path: {store}.db, schema: schemas/{file} }}\n"));
    }
    project.push_str("maps: [\"maps/*.tmap\", \"maps/*.map.yaml\"]\nchecks: { TM0169: allow }\n");
    std::fs::write(dir.path().join("tablemap.yaml"), project).unwrap();
    dir
}

fn at(dir: &Path, args: &[&str]) -> Done {
    let mut all = vec!["-C", dir.to_str().unwrap()];
    all.extend(args);
    tablemap(&all)
}

#[test]
fn new_maps_of_shipped_tables_check() {
    let pairs: &[(&str, &str, &[&str])] = &[
        (
            "finance.CustomersV3",
            "dataverse.accounts",
            &[
                "company    DATAAREAID = msdyn_company.cdm_companycode",
                "CUSTOMERACCOUNT = accountnumber",
                "=  msdyn_customergroupid.msdyn_groupid",
                "=  transactioncurrencyid.isocurrencycode",
                "{ 'No' = false, 'Yes' = true }",
                "=  address1_postalcode",
            ],
        ),
        ("finance.ProjInvoiceProposals", "dataverse.invoices", &["INVOICEPROPOSALID = invoicenumber"]),
        ("finance.ProjActualsImports", "dataverse.msdyn_actuals", &["fields {"]),
        ("finance.ProjectsV2", "dataverse.msdyn_projects", &["PROJECTID"]),
        ("finance.ProjectContractHeaders", "dataverse.salesorders", &["fields {"]),
        ("finance.CustomerGroups", "dataverse.msdyn_customergroups", &["CUSTOMERGROUPID = msdyn_groupid"]),
        ("finance.Currencies", "dataverse.transactioncurrencies", &["CURRENCYCODE = isocurrencycode"]),
        ("finance.LegalEntities", "dataverse.cdm_companies", &["LEGALENTITYID = cdm_companycode"]),
        (
            "finance.ProjTransactionRelationshipImports",
            "dataverse.msdyn_transactionconnections",
            &["CONNECTIONID = msdyn_transactionconnectionid"],
        ),
        ("dataverse.accounts", "finance.CustomersV3", &["address1_city"]),
        ("dataverse.accounts", "dataverse.contacts", &["fields {"]),
    ];
    for (left, right, expected) in pairs {
        let dir = shipped();
        let done = at(dir.path(), &["new", left, right, "--out", dir.path().join("maps/x.tmap").to_str().unwrap()]);
        done.says(0, &["written: "]);
        let text = std::fs::read_to_string(dir.path().join("maps/x.tmap")).unwrap();
        for e in *expected {
            assert!(text.contains(e), "{left} {right}: no `{e}` in\n{text}");
        }
        at(dir.path(), &["fmt", "--check"]).says(0, &[]);
        let report = at(dir.path(), &["check", "--format", "json"]).json();
        let errors: Vec<String> = report["findings"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|d| d["severity"] == "error")
            .map(|d| format!("{} {}", d["code"], d["message"]))
            .collect();
        assert!(errors.len() <= 2, "{left} {right}: {errors:#?}\n{text}");
        assert!(!errors.iter().any(|e| e.contains("TM02") || e.contains("TM01")), "{errors:#?}\n{text}");
    }
}

#[test]
fn new_in_both_notations_and_wrong_usage() {
    let dir = shipped();
    let tables = ["finance.CustomersV3", "dataverse.accounts"];
    let yaml = at(dir.path(), &["new", tables[0], tables[1], "--yaml", "--id", "my-id"]);
    yaml.says(0, &["id: my-id"]);
    std::fs::write(dir.path().join("maps/x.map.yaml"), &yaml.out).unwrap();
    at(dir.path(), &["fmt", "--check"]).says(0, &[]);
    at(dir.path(), &["check"]).says(0, &["1 map in 1 file"]);
    at(dir.path(), &["new", "finance.CustomerV3", tables[1]]).says(2, &["did you mean `CustomersV3`"]);
    at(dir.path(), &["new", "finanse.CustomersV3", tables[1]]).says(2, &["did you mean `finance`?"]);
    at(dir.path(), &["new", "CustomersV3", tables[1]]).says(2, &["`STORE.TABLE`"]);
    let there = dir.path().join("maps/x.map.yaml");
    at(dir.path(), &["new", tables[0], tables[1], "--out", there.to_str().unwrap()]).says(1, &["--force"]);
}

const LIVE: &str = "CREATE TABLE groups (id INTEGER PRIMARY KEY, code VARCHAR(10) NOT NULL UNIQUE COLLATE NOCASE);
    CREATE TABLE customers (no CHAR(36) PRIMARY KEY, name VARCHAR(60) DEFAULT 'it''s', grp INTEGER REFERENCES groups,
      gcode TEXT REFERENCES groups (code), limit_ NUMERIC(32,6), since DATE, flag BOOLEAN NOT NULL DEFAULT 0,
      total REAL GENERATED ALWAYS AS (1.0 * grp) VIRTUAL);
    CREATE TABLE heap (x);";

#[test]
fn pull_writes_and_updates_a_schema_that_loads() {
    let dir = tempfile::tempdir().unwrap();
    rusqlite::Connection::open(dir.path().join("a.db")).unwrap().execute_batch(LIVE).unwrap();
    let project = "stores:\n  a: { kind: sqlite, path: a.db, schema: schemas/a.schema.yaml }\nmaps: []\n";
    std::fs::write(dir.path().join("tablemap.yaml"), project).unwrap();
    let file = dir.path().join("schemas/a.schema.yaml");
    let read = || std::fs::read_to_string(&file).unwrap();
    at(dir.path(), &["schema", "pull", "a", "--dry-run"]).says(0, &["+  customers:", "would be added"]);
    assert!(!file.exists());
    at(dir.path(), &["schema", "pull", "a"]).says(0, &["2 tables", "left out", "`heap`"]);
    let text = read();
    for line in [
        "      id: { type: integer, required: true, generated: true }",
        "      code: { type: text(10), required: true, collation: case-insensitive }",
        "    alternate_keys: [[code]]",
        "      no: { type: uuid, required: true }   # a guess: declared CHAR(36)",
        "      name: { type: text(60), default: \"it's\" }",
        "      grp: { type: integer, lookup: groups }",
        "      gcode: { type: text, lookup: { table: groups, key: [code] } }",
        "      limit_: decimal(32,6)   # SQLite keeps 15 digits of it; declared as TEXT it would keep all",
        "      flag: { type: boolean, required: true, default: false }   # a guess: declared BOOLEAN",
        "      total: { type: float, read_only: true }",
    ] {
        let whole = text.replace("\"no\":", "no:");
        assert!(whole.contains(line), "{line}\n{text}");
    }
    at(dir.path(), &["check"]).says(0, &["no findings"]);
    at(dir.path(), &["schema", "diff"]).says(0, &["note", "a: 3 tables in the store"]);
    at(dir.path(), &["schema", "pull", "a"]).says(0, &["has all that the store has"]);
    assert_eq!(read(), text);
    // What people wrote stays; what is new comes in.
    let mine = text.replace("type: uuid, required: true }", "type: uuid, required: true, label: Nummer }  # mine");
    std::fs::write(&file, mine.replace("      since: date   # a guess: declared DATE\n", "")).unwrap();
    at(dir.path(), &["schema", "pull", "a"]).says(0, &["0 tables and 1 column"]);
    assert!(read().contains("label: Nummer }  # mine") && read().contains("      since: date "), "{}", read());
    at(dir.path(), &["schema", "pull", "b"]).says(2, &["no store is called `b`"]);
    at(dir.path(), &["schema", "pull", "a", "custmers"]).says(2, &["did you mean `customers`?"]);
    std::fs::remove_file(dir.path().join("a.db")).unwrap();
    at(dir.path(), &["schema", "pull", "a"]).says(3, &["cannot be reached"]);
}

#[test]
fn drift_is_told_where_maps_break() {
    let p = Project::new();
    p.run(&["sync"]).says(0, &[]);
    p.run(&["schema", "diff"]).says(0, &["DROP COLUMN", "_tablemap_capture_accounts_update", "erp: 1 table"]);
    p.run(&["check", "--live"]).says(0, &["no findings"]);
    p.sql("erp", "ALTER TABLE CUSTOMERS RENAME COLUMN EMAIL TO MAIL").unwrap();
    p.run(&["schema", "diff"])
        .says(1, &["breaks TM1202 erp: the live table `CUSTOMERS` has no column `EMAIL`", "MAIL"]);
    p.run(&["check", "--live"]).says(1, &["TM1202", "schemas/erp.schema.yaml"]);
    p.run(&["check"]).says(0, &["no findings"]);
    let json = p.run(&["schema", "diff", "erp", "--format", "json"]).json();
    assert_eq!(json["format"], 1);
    let first = &json["stores"][0]["drift"][0];
    assert_eq!((first["severity"].as_str(), first["column"].as_str()), (Some("breaks"), Some("EMAIL")));

    // A table that somebody else made.
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    p.sql(
        "erp",
        "CREATE TABLE CUSTOMERS (COMPANY TEXT COLLATE NOCASE, ACCOUNT TEXT, NAME INTEGER, EMAIL TEXT NOT NULL, \
         CREDITLIMIT NUMERIC(19,4), BLOCKED INTEGER, BALANCE TEXT, EXTRA TEXT NOT NULL)",
    )
    .unwrap();
    let done = p.run(&["check", "--live", "--format", "json"]);
    assert_eq!(done.code, 1);
    let told: Vec<String> = done.json()["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| format!("{} {}", d["code"].as_str().unwrap(), d["message"].as_str().unwrap()))
        .collect();
    for expected in [
        "TM1203 `CUSTOMERS.NAME` is `text(60)`, but the live column is declared INTEGER",
        "TM1204 `CUSTOMERS.ACCOUNT` compares `case-insensitive` in the schema, `exact` in the live store",
        "TM1204 `CUSTOMERS.CREDITLIMIT` is `decimal(19,4)`, but the live column is declared NUMERIC(19,4): it keeps 15 digits",
        "TM1205 the live column `CUSTOMERS.EXTRA` must have a value, and nobody gives it one when a row is made",
        "TM1206 the primary key (COMPANY, ACCOUNT) of `CUSTOMERS` has no unique index in the live store",
    ] {
        assert!(told.iter().any(|t| t.starts_with(expected)), "no {expected}\n{told:#?}");
    }
    p.sql("erp", "DROP TABLE CUSTOMERS").unwrap();
    p.run(&["schema", "diff"]).says(1, &["TM1201", "used by"]);
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    p.run(&["check", "--live"]).says(3, &["cannot be reached"]);
    p.run(&["schema", "diff"]).says(3, &["cannot be reached"]);
}

#[test]
fn fixes_and_live_findings_in_one_run() {
    let p = Project::new();
    p.run(&["sync"]).says(0, &[]);
    let good = p.read("maps/customers.tmap");
    let bad = good.replace("status ==", "status =");
    assert_ne!(bad, good);
    std::fs::write(p.path("maps/customers.tmap"), &bad).unwrap();
    p.sql("erp", "ALTER TABLE CUSTOMERS RENAME COLUMN EMAIL TO MAIL").unwrap();
    p.run(&["check", "--fix", "--diff", "--live"]).says(1, &["@@", "to be fixed"]);
    assert_eq!(p.read("maps/customers.tmap"), bad);
    p.run(&["check", "--fix", "--live"]).says(1, &["1 fixed", "TM1202", "EMAIL"]);
    assert_eq!(p.read("maps/customers.tmap"), good);
    let json = p.run(&["check", "--fix", "--live", "--format", "json"]).json();
    assert_eq!(json["fixed"].as_array().map(Vec::len), Some(0), "{json}");
    assert!(json["findings"].to_string().contains("TM1202"), "{json}");
    // A store that is not there: what is known without it is told, and mended, all the same.
    std::fs::write(p.path("maps/customers.tmap"), &bad).unwrap();
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    p.run(&["check", "--fix", "--live"]).says(3, &["1 fixed", "cannot be reached"]);
    assert_eq!(p.read("maps/customers.tmap"), good);
}

#[test]
fn a_comment_silences_what_only_a_live_store_shows() {
    let p = Project::new();
    p.run(&["sync"]).says(0, &[]);
    p.run(&["check", "--live"]).says(0, &["no findings"]);
    std::fs::remove_file(p.path("data/erp.db")).unwrap();
    p.sql(
        "erp",
        "CREATE TABLE CUSTOMERS (COMPANY TEXT COLLATE NOCASE, ACCOUNT TEXT, NAME TEXT, EMAIL TEXT, \
         CREDITLIMIT TEXT, BLOCKED INTEGER, BALANCE TEXT, PRIMARY KEY (COMPANY, ACCOUNT))",
    )
    .unwrap();
    let told = p.run(&["check", "--live", "--format", "json"]).json();
    let warned = told["findings"].as_array().unwrap().iter().find(|d| d["severity"] == "warning");
    let Some(d) = warned else { panic!("{told}") };
    let code = d["code"].as_str().unwrap();
    let line = d["at"]["line"].as_u64().unwrap() as usize;
    let file = Path::new(d["at"]["file"].as_str().unwrap());
    let text = std::fs::read_to_string(file).unwrap();
    let mut lines: Vec<String> = text.lines().map(String::from).collect();
    lines[line - 1] += &format!("  # allow {code}: the table is made anew next week");
    std::fs::write(file, lines.join("\n") + "\n").unwrap();
    // Without the stores nobody can say whether it is found.
    let quiet = p.run(&["check"]);
    assert!(!quiet.out.contains("TM1111"), "{}", quiet.out);
    let now = p.run(&["check", "--live"]);
    assert!(now.out.contains("1 silenced") && !now.out.contains("TM1111"), "{}", now.out);
}

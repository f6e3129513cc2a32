//! `schema pull` from a PostgreSQL catalog: what becomes of its types, keys, comments, partitions and schemas.

use crate::cluster::{Cluster, Sql, left_out};
use std::process::Command;

const TABLES: &str = "
CREATE SCHEMA sales;
CREATE TYPE mood AS ENUM ('sad', 'quite ok', 'happy');
CREATE TYPE odd AS ENUM ('a', 'A');
CREATE DOMAIN money_amount AS numeric(18,2) CHECK (VALUE >= 0);
CREATE COLLATION ci (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
CREATE TABLE customer (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  account varchar(20) NOT NULL UNIQUE,
  feeling mood NOT NULL DEFAULT 'quite ok',
  strange odd,
  currency char(3) DEFAULT 'EUR',
  label text COLLATE ci,
  doubled numeric GENERATED ALWAYS AS (1 + 1) STORED,
  tags text[]);
COMMENT ON TABLE customer IS 'Who buys';
COMMENT ON COLUMN customer.account IS 'The number on \"paper\"';
CREATE TABLE sales.invoice (
  customer bigint NOT NULL REFERENCES customer, day date NOT NULL, amount money_amount, sent timestamptz, seen timestamp,
  PRIMARY KEY (customer, day)) PARTITION BY RANGE (day);
CREATE TABLE sales.invoice_2026 PARTITION OF sales.invoice FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE VIEW everybody AS SELECT id, account FROM customer;
";

const EXPECTED: &str = r#"  customer:
    primary_key: [id]
    description: "Who buys"
    alternate_keys: [[account]]
    columns:
      id: { type: integer, required: true, generated: true }
      account: { type: text(20), required: true, description: "The number on \"paper\"" }
      feeling: { choice: { sad: 1, quite ok: 2, happy: 3 }, stored_as: name, required: true, generated: true }   # where none is given: 'quite ok'
      strange: text
      currency: { type: text(3), default: "EUR" }
      label: text   # it compares in a way that no schema can say
      doubled: { type: decimal, read_only: true }
      tags: { type: text, read_only: true }   # an array, which no map carries: take the column out

  sales.invoice:
    primary_key: [customer, day]
    columns:
      customer: { type: integer, required: true, lookup: customer }
      day: { type: date, required: true }
      amount: decimal(18,2)
      sent: datetime
      seen: datetime(civil)
"#;

#[test]
fn a_catalog_becomes_a_schema() {
    if left_out() {
        return;
    }
    let cluster = Cluster::any();
    let url = cluster.database();
    Sql::open(&url).run(TABLES).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let project =
        "name: p\nstores:\n  fin: { kind: postgres, url: \"${FIN_URL}\", schema: fin.schema.yaml }\nmaps: []\n";
    std::fs::write(dir.path().join("tablemap.yaml"), project).unwrap();
    let run = |args: &[&str]| {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        let done = c.arg("-C").arg(dir.path()).args(args).env("FIN_URL", &url).output().unwrap();
        let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
        (done.status.code(), said)
    };
    let schema = dir.path().join("fin.schema.yaml");
    std::fs::write(&schema, "store: fin\ntables: {}\n").unwrap();
    let (code, said) = run(&["schema", "pull", "fin"]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("everybody"), "a view without a key is told: {said}");
    let text = std::fs::read_to_string(&schema).unwrap();
    assert_eq!(text.split_once("tables: \n").map(|(_, t)| t), Some(EXPECTED), "{text}");
    // A second pull changes nothing.
    let (code, said) = run(&["schema", "pull", "fin"]);
    assert_eq!(code, Some(0), "{said}");
    assert_eq!(std::fs::read_to_string(&schema).unwrap(), text);
}

//! The project that is tortured: two maps of both directions, one that merges and one whose right side wins, and maps of
//! one direction with lookups, references that park, and a filter that records leave. What both sides must hold at the
//! end is SQL here, which shares nothing with the engine but the maps' texts.

use rusqlite::Connection;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const PROJECT: &str = "
name: torture
stores:
  a: { kind: sqlite, path: DIR/a.db, schema: a.schema.yaml }
  b: { kind: sqlite, path: DIR/b.db, schema: b.schema.yaml }
maps: [\"*.tmap\"]
";

const A: &str = "
store: a
tables:
  people:
    primary_key: [id]
    columns:
      id: { type: integer, generated: true }
      number: { type: text(20), required: true }
      name: text(40)
      city: text(40)
      onhold: boolean
    alternate_keys: [[number]]
  items:
    primary_key: [id]
    columns:
      id: { type: integer, generated: true }
      number: { type: text(20), required: true }
      title: text(40)
      price: decimal(12,2)
      stock: integer
    alternate_keys: [[number]]
  groups:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      code: { type: text(20), required: true }
    alternate_keys: [[code]]
  customers:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      account: { type: text(20), required: true }
      blocked: integer
    alternate_keys: [[account]]
  orders:
    primary_key: [id]
    filled: elsewhere
    columns:
      id: integer
      number: { type: text(20), required: true }
      name: text(40)
      amount: decimal(12,2)
      status: integer
      customer: { type: integer, lookup: customers }
      group: { type: integer, lookup: groups }
    alternate_keys: [[number]]
";

const B: &str = "
store: b
tables:
  Customers:
    primary_key: [ACCOUNT]
    columns:
      ACCOUNT: { type: text(20), required: true }
      NAME: text(40)
      CITY: text(40)
      HOLD: text(3)
  Stock:
    primary_key: [CODE]
    columns:
      CODE: { type: text(20), required: true }
      TITLE: text(40)
      PRICE: decimal(12,2)
      STOCK: integer
  Groups:
    primary_key: [ID]
    columns:
      ID: { type: integer, generated: true }
      CODE: { type: text(20), required: true }
    alternate_keys: [[CODE]]
  Invoices:
    primary_key: [ROWNO]
    columns:
      ROWNO: { type: integer, generated: true }
      NUMBER: { type: text(20), required: true }
      NAME: text(40)
      AMOUNT: decimal(12,2)
      ACCOUNT: text(20)
      GRP: { type: integer, lookup: Groups }
      NOTE: text(40)
    alternate_keys: [[NUMBER]]
";

const MAPS: &str = "
map \"People\" {
  id people
  tables b.Customers <-> a.people
  key ACCOUNT = number
  initial right wins
  conflict merge else left wins
  fields {
    NAME = name
    CITY = city
    HOLD >< onhold { 'Yes' = true, 'No' = false }
  }
}

map \"Items\" {
  id items
  tables b.Stock <-> a.items
  key CODE = number
  initial right wins
  conflict right wins
  fields {
    TITLE = title
    PRICE = price
    STOCK = stock
  }
}

map \"Groups\" {
  id groups
  tables b.Groups <- a.groups
  operations left: create, update, delete
  key CODE = code
}

map \"Orders\" {
  id orders
  tables b.Invoices <- a.orders
  operations left: create, update, delete
  key NUMBER = number
  filter right: status > 0 and (customer is null or customer.blocked != 1)
  on exit left: delete
  fields {
    NAME     << name | trim()
    AMOUNT   <  amount
    ACCOUNT  <  customer.account
    GRP.CODE <  group.code
  }
}
";

const TABLES_A: &str = "
pragma journal_mode = wal;
create table people(id integer primary key, number text not null unique, name text, city text, onhold integer);
create table items(id integer primary key, number text not null unique, title text, price text, stock integer);
create table groups(id integer primary key, code text not null unique);
create table customers(id integer primary key, account text not null unique, blocked integer);
create table orders(id integer primary key, number text not null unique, name text, amount text, status integer,
  customer integer, \"group\" integer);
";
const TABLES_B: &str = "
pragma journal_mode = wal;
create table Customers(ACCOUNT text primary key not null, NAME text, CITY text, HOLD text);
create table Stock(CODE text primary key not null, TITLE text, PRICE text, STOCK integer);
create table Groups(ID integer primary key, CODE text not null unique);
create table Invoices(ROWNO integer primary key, NUMBER text not null unique, NAME text, AMOUNT text, ACCOUNT text, GRP integer,
  NOTE text);
";

/// How many groups, customers, records that everybody writes, and records whose every edit must arrive.
pub const GROUPS: u64 = 12;
pub const CUSTOMERS: u64 = 20;
pub const HOT: u64 = 60;
pub const CALM: u64 = 40;

/// What both sides must hold at the end: a name, and statements on `a` and `b` that must give the same rows.
const SAME: &[(&str, &str, &str)] = &[
    (
        "people",
        "select number, name, city, case onhold when 1 then 'Yes' when 0 then 'No' end from people order by 1",
        "select ACCOUNT, NAME, CITY, HOLD from Customers order by 1",
    ),
    (
        "items",
        "select number, title, cast(round(price * 100) as integer), stock from items order by 1",
        "select CODE, TITLE, cast(round(PRICE * 100) as integer), STOCK from Stock order by 1",
    ),
    ("groups", "select code from groups order by 1", "select CODE from Groups order by 1"),
    (
        "orders",
        "select o.number, trim(o.name), cast(round(o.amount * 100) as integer), c.account, g.code from orders o \
         left join customers c on c.id = o.customer left join groups g on g.id = o.\"group\" \
         where o.status > 0 and (o.customer is null or c.blocked <> 1) order by 1",
        "select i.NUMBER, i.NAME, cast(round(i.AMOUNT * 100) as integer), i.ACCOUNT, g.CODE from Invoices i \
         left join Groups g on g.ID = i.GRP order by 1",
    ),
];

/// A project in a folder of its own; its files may be another folder's.
pub struct Site {
    pub dir: PathBuf,
    pub data: PathBuf,
}

impl Site {
    /// A new one, with `orders` orders, of which the last three in a hundred are kept by the filter.
    pub fn new(dir: &Path, orders: u64) -> Site {
        let site = Site::beside(dir, dir);
        site.open("a").execute_batch(TABLES_A).unwrap();
        site.open("b").execute_batch(TABLES_B).unwrap();
        site.open("a")
            .execute_batch(&format!(
                "begin; {}
                 with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < {CALM})
                   insert into people(number, name, city, onhold) select 'calm' || i, 'n', 'c', 0 from n;
                 with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < {CALM})
                   insert into items(number, title, price, stock) select 'calm' || i, 't', '1.50', 0 from n;
                 with recursive n(i) as (select 1 union all select i + 1 from n where i < {orders})
                   insert into orders select i * 3, 'O' || i, 'order ' || i, (i % 1000) || '.25', i % 33,
                     nullif(i % {CUSTOMERS}, 0), nullif(i % {GROUPS}, 0) from n;
                 commit;",
                whole()
            ))
            .unwrap();
        site
    }

    /// A second project folder with the same maps, over the files of the first.
    pub fn beside(dir: &Path, data: &Path) -> Site {
        std::fs::create_dir_all(dir).unwrap();
        let project = PROJECT.replace("DIR", data.to_str().unwrap());
        for (name, text) in
            [("tablemap.yaml", project.as_str()), ("a.schema.yaml", A), ("b.schema.yaml", B), ("maps.tmap", MAPS)]
        {
            std::fs::write(dir.join(name), text).unwrap();
        }
        Site { dir: dir.to_path_buf(), data: data.to_path_buf() }
    }

    pub fn open(&self, store: &str) -> Connection {
        let c = Connection::open(self.data.join(format!("{store}.db"))).unwrap();
        c.busy_timeout(Duration::from_secs(60)).unwrap();
        c.execute_batch("pragma synchronous = normal").unwrap();
        c
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut c = Command::new(env!("CARGO_BIN_EXE_tablemap"));
        c.arg("-C").arg(&self.dir).args(args).stdin(Stdio::null());
        c
    }

    /// Runs to the end: exit code, standard output, standard error.
    pub fn run(&self, args: &[&str]) -> (i32, String, String) {
        let o = self.command(args).output().unwrap();
        let text = |b: Vec<u8>| String::from_utf8(b).unwrap();
        (o.status.code().unwrap_or(-1), text(o.stdout), text(o.stderr))
    }

    pub fn rows(&self, store: &str, sql: &str) -> Vec<Vec<String>> {
        let c = self.open(store);
        let mut s = c.prepare(sql).unwrap();
        let n = s.column_count();
        let text = |v: rusqlite::types::Value| match v {
            rusqlite::types::Value::Null => "-".to_string(),
            rusqlite::types::Value::Integer(i) => i.to_string(),
            rusqlite::types::Value::Real(f) => f.to_string(),
            rusqlite::types::Value::Text(t) => t,
            rusqlite::types::Value::Blob(b) => format!("{b:?}"),
        };
        let row = |r: &rusqlite::Row<'_>| (0..n).map(|i| r.get(i).map(text)).collect();
        s.query_map([], row).unwrap().map(Result::unwrap).collect()
    }

    /// What differs between the sides, a sentence each; and what waits in quarantine.
    pub fn differences(&self) -> Vec<String> {
        let mut told = Vec::new();
        for (name, left, right) in SAME {
            let (a, b) = (self.rows("a", left), self.rows("b", right));
            let only = |these: &[Vec<String>], those: &[Vec<String>]| {
                let there: std::collections::BTreeSet<&Vec<String>> = those.iter().collect();
                these.iter().filter(|r| !there.contains(r)).map(|r| r.join("|")).collect::<Vec<_>>()
            };
            let (only_a, only_b) = (only(&a, &b), only(&b, &a));
            if !only_a.is_empty() || !only_b.is_empty() {
                let some = |v: &[String]| v.iter().take(8).cloned().collect::<Vec<_>>().join("  ");
                let (na, nb) = (only_a.len(), only_b.len());
                told.push(format!("{name}: only a ({na}): {}; only b ({nb}): {}", some(&only_a), some(&only_b)));
            } else if a.len() != b.len() {
                let twice = b.windows(2).filter(|w| w[0] == w[1]).map(|w| w[0].join("|")).collect::<Vec<_>>();
                told.push(format!("{name}: {} rows in a, {} in b, twice: {twice:?}", a.len(), b.len()));
            }
        }
        for store in ["a", "b"] {
            let there = "select 1 from sqlite_master where name = '_tablemap_quarantine'";
            if !self.rows(store, there).is_empty() {
                let sql = "select 'waits in STORE: ' || leg, key, kind, message from _tablemap_quarantine";
                told.extend(self.rows(store, &sql.replace("STORE", store)).into_iter().map(|r| r.join(" ")));
            }
        }
        told
    }
}

/// Makes every group and customer that is not there.
pub fn whole() -> String {
    format!(
        "with recursive n(i) as (select 1 union all select i + 1 from n where i < {GROUPS})
           insert or ignore into groups select i, 'g' || i || '-whole' from n;
         with recursive n(i) as (select 1 union all select i + 1 from n where i < {CUSTOMERS})
           insert or ignore into customers select i, 'C' || i || '-whole', 0 from n;"
    )
}

//! The invoices that the benches move: their project, one map, and a fixed generator.

use rusqlite::Connection;
use std::path::Path;

const PROJECT: &str = "\
stores:
  src: { kind: sqlite, path: src.db, schema: src.schema.yaml }
  dst: { kind: sqlite, path: dst.db, schema: dst.schema.yaml }
maps: [\"*.tmap\"]
";

const SRC_SCHEMA: &str = "\
store: src
tables:
  invoice:
    filled: elsewhere
    primary_key: [id]
    columns:
      id: { type: uuid, required: true }
      number: { type: text(20), required: true }
      customer: { type: text(20), required: true }
      status: { type: integer, required: true }
      amount: { type: \"decimal(18,2)\", required: true }
      currency: text(3)
      date: { type: date, required: true }
      due_date: { type: date, required: true }
      tax: { type: \"decimal(18,2)\", required: true }
      discount: { type: \"decimal(18,2)\", required: true }
      net: { type: \"decimal(18,2)\", required: true }
      salesperson: text(20)
      region: text(10)
      city: text(40)
      country: text(2)
      notes: text(200)
      created_at: { type: datetime, required: true }
      modified_at: { type: datetime, required: true }
      version: { type: integer, required: true }
      po_number: text(20)
";

const DST_SCHEMA: &str = "\
store: dst
tables:
  fin_invoice:
    primary_key: [invoice_id]
    columns:
      invoice_id: { type: uuid, required: true }
      invoice_no: { type: text(20), required: true }
      customer_account: { type: text(20), required: true }
      status_code: { type: text(20), required: true }
      total_amount: { type: \"decimal(18,2)\", required: true }
      currency_code: { type: text(3), required: true }
      invoice_date: { type: date, required: true }
      due_date: date
      tax_amount: \"decimal(18,2)\"
      discount_amount: \"decimal(18,2)\"
      sales_rep: text(20)
      location: text(60)
      region_code: text(10)
      po_reference: text(20)
      modified: datetime
";

const MAP: &str = "\
# The bench's map: 11 renames (the key is one), 1 column of the same name, 1 value map, 1 default, 1 concatenation.
map \"Invoices\" {
  id         invoices
  tables     dst.fin_invoice <- src.invoice
  operations left: create, update
  key        invoice_id = id
  filter     right: status in (1, 2, 3, 4)

  fields {
    invoice_no       <  number
    customer_account <  customer
    status_code      << status { 'Draft' < 1, 'Open' < 2, 'Paid' < 3, 'Cancelled' < 4, else 'Unknown' }
    total_amount     <  amount
    currency_code    << currency default 'EUR'
    invoice_date     <  date
    due_date         <  due_date
    tax_amount       <  tax
    discount_amount  <  discount
    sales_rep        <  salesperson
    location         << concat(country, '-', city)
    region_code      <  region
    po_reference     <  po_number
    modified         <  modified_at
  }
}
";

pub const SOURCE: &str = "CREATE TABLE invoice(
 id TEXT PRIMARY KEY NOT NULL, number TEXT NOT NULL, customer TEXT NOT NULL, status INTEGER NOT NULL,
 amount NUMERIC NOT NULL, currency TEXT, date TEXT NOT NULL, due_date TEXT NOT NULL, tax NUMERIC NOT NULL,
 discount NUMERIC NOT NULL, net NUMERIC NOT NULL, salesperson TEXT, region TEXT, city TEXT, country TEXT,
 notes TEXT, created_at TEXT NOT NULL, modified_at TEXT NOT NULL, version INTEGER NOT NULL, po_number TEXT)";

pub const TARGET: &str = "CREATE TABLE fin_invoice(
 invoice_id TEXT PRIMARY KEY NOT NULL, invoice_no TEXT NOT NULL, customer_account TEXT NOT NULL,
 status_code TEXT NOT NULL, total_amount NUMERIC NOT NULL, currency_code TEXT NOT NULL, invoice_date TEXT NOT NULL,
 due_date TEXT, tax_amount NUMERIC, discount_amount NUMERIC, sales_rep TEXT, location TEXT, region_code TEXT,
 po_reference TEXT, modified TEXT)";

/// splitmix64: the same rows on every machine.
pub struct Rng(pub u64);
impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }
    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }
}

fn cents(c: u64) -> String {
    format!("{}.{:02}", c / 100, c % 100)
}

/// Takes a database away.
pub fn remove(db: &Path) {
    for tail in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{tail}", db.display()));
    }
}

/// A project in a folder, its source filled.
pub fn generate(dir: &Path, rows: u64) {
    const CITIES: [(&str, &str); 8] = [
        ("Berlin", "DE"),
        ("Amsterdam", "NL"),
        ("Lyon", "FR"),
        ("Oslo", "NO"),
        ("Porto", "PT"),
        ("Turin", "IT"),
        ("Leeds", "GB"),
        ("Ghent", "BE"),
    ];
    const CURRENCIES: [Option<&str>; 7] =
        [Some("EUR"), Some("EUR"), Some("EUR"), Some("NOK"), Some("GBP"), Some("USD"), None];
    const NOTES: [Option<&str>; 5] = [
        None,
        None,
        Some("net 30, deliver to dock 4"),
        Some("partial delivery, see order"),
        Some("reverse charge applies"),
    ];
    for (name, text) in [
        ("tablemap.yaml", PROJECT),
        ("src.schema.yaml", SRC_SCHEMA),
        ("dst.schema.yaml", DST_SCHEMA),
        ("invoices.tmap", MAP),
    ] {
        std::fs::write(dir.join(name), text).unwrap();
    }
    let db = dir.join("src.db");
    remove(&db);
    let c = Connection::open(&db).unwrap();
    c.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF;").unwrap();
    c.execute_batch(SOURCE).unwrap();
    let mut r = Rng(20_261_120);
    c.execute_batch("BEGIN").unwrap();
    {
        let marks = ["?"; 20].join(",");
        let mut insert = c.prepare(&format!("INSERT INTO invoice VALUES({marks})")).unwrap();
        for i in 0..rows {
            let mut id = [0; 16];
            id[..8].copy_from_slice(&r.next().to_be_bytes());
            id[8..].copy_from_slice(&r.next().to_be_bytes());
            let id = uuid::Builder::from_random_bytes(id).into_uuid().to_string();
            let amount = 1_000 + r.below(99_998_999);
            let discount = r.below(5_000).min(amount);
            let (city, country) = CITIES[r.below(8) as usize];
            let (year, month, day) = (2020 + r.below(6), 1 + r.below(12), 1 + r.below(28));
            let date = format!("{year}-{month:02}-{day:02}");
            insert
                .execute(rusqlite::params![
                    id,
                    format!("INV-{i:08}"),
                    format!("C{:06}", r.below(50_000)),
                    1 + r.below(5) as i64,
                    cents(amount),
                    CURRENCIES[r.below(7) as usize],
                    date,
                    format!("{}28", &date[..8]),
                    cents(amount * 21 / 100),
                    cents(discount),
                    cents(amount - discount),
                    format!("rep{:03}", r.below(400)),
                    format!("R{:02}", r.below(20)),
                    city,
                    country,
                    NOTES[r.below(5) as usize],
                    format!("{date}T08:00:00Z"),
                    format!("{date}T{:02}:{:02}:00Z", r.below(24), r.below(60)),
                    1 + r.below(9) as i64,
                    format!("PO-{:07}", r.below(10_000_000)),
                ])
                .unwrap();
        }
    }
    c.execute_batch("COMMIT; PRAGMA journal_mode=WAL; ANALYZE;").unwrap();
}

/// A fresh, empty target.
pub fn fresh(dir: &Path) {
    let db = dir.join("dst.db");
    remove(&db);
    Connection::open(&db).unwrap().execute_batch(&format!("PRAGMA journal_mode=WAL; {TARGET};")).unwrap();
}

/// The middle one.
pub fn median(values: &[f64]) -> f64 {
    let mut v = values.to_vec();
    v.sort_by(f64::total_cmp);
    match v.len() {
        0 => f64::NAN,
        n if n % 2 == 1 => v[n / 2],
        n => f64::midpoint(v[n / 2 - 1], v[n / 2]),
    }
}

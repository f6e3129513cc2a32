//! What capture costs a user's writes, in time on the processor:
//! `cargo test --release --lib capture_bench -- --ignored --nocapture`.

use super::*;
use crate::schema::{Column, ColumnId, Table};
use crate::store::conformance;
use crate::value::Type;
use rusqlite::Connection;
use tempfile::TempDir;

/// Time on the processor: others may work on the machine.
fn cpu() -> u64 {
    let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
}

const ROWS: u64 = 200_000;

/// The invoice table of the bulk workload: 20 columns, of which a map reads 15.
const TYPES: [(&str, Type); 20] = [
    ("id", Type::Uuid),
    ("number", Type::Text { max: Some(20) }),
    ("customer", Type::Text { max: Some(20) }),
    ("status", Type::Integer),
    ("amount", Type::Decimal { limits: Some((20, 4)) }),
    ("currency", Type::Text { max: Some(3) }),
    ("date", Type::Date),
    ("due_date", Type::Date),
    ("tax", Type::Decimal { limits: Some((20, 4)) }),
    ("discount", Type::Decimal { limits: Some((20, 4)) }),
    ("net", Type::Decimal { limits: Some((20, 4)) }),
    ("salesperson", Type::Text { max: Some(20) }),
    ("region", Type::Text { max: Some(20) }),
    ("city", Type::Text { max: Some(60) }),
    ("country", Type::Text { max: Some(2) }),
    ("notes", Type::Text { max: None }),
    ("created_at", Type::Text { max: None }),
    ("modified_at", Type::Text { max: None }),
    ("version", Type::Integer),
    ("po_number", Type::Text { max: Some(20) }),
];
const WATCHED: u32 = 15;

fn key(i: u64, text: bool) -> rusqlite::types::Value {
    if text {
        let u = u128::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        uuid::Uuid::from_u128(u).to_string().into()
    } else {
        (i as i64).into()
    }
}

/// The rows in an order in which no two neighbours lie beside each other.
fn shuffled(i: u64) -> u64 {
    i.wrapping_mul(123_457) % ROWS
}

/// Microseconds per row: insert in batches, update in batches, update one by one, delete in batches.
fn measure(dir: &TempDir, name: &str, text: bool, captured: Option<&[u32]>) -> [f64; 4] {
    let column = |(i, (name, ty)): (usize, &(&str, Type))| {
        conformance::col(name, if i == 0 && !text { Type::Integer } else { ty.clone() })
    };
    let columns: Vec<Column> = TYPES.iter().enumerate().map(column).collect();
    let watched: Vec<ColumnId> = (0..WATCHED).map(ColumnId).collect();
    let table = Table { name: "T".into(), primary_key: vec![ColumnId(0)], columns, ..Table::default() };
    let schema = Arc::new(StoreSchema { tables: vec![table], ..StoreSchema::default() });
    let path = dir.path().join(name);
    let store = SqliteStore::open("s", &path, schema, Options { create: true, ..Options::default() }).unwrap();
    store.create_tables().unwrap();
    store.prepare().unwrap();
    if let Some(old) = captured {
        let old = old.iter().map(|c| ColumnId(*c)).collect();
        store.capture("p", &[CaptureSpec { table: TableId(0), watched, old }]).unwrap();
    }
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL").unwrap();
    let batches = |sql: &str, rows: u64, batch: u64, per_row: &dyn Fn(u64) -> Vec<rusqlite::types::Value>| {
        let params: Vec<Vec<rusqlite::types::Value>> = (0..rows).map(per_row).collect();
        let mut s = conn.prepare(sql).unwrap();
        let at = cpu();
        for part in params.chunks(batch as usize) {
            if batch > 1 {
                conn.execute_batch("BEGIN").unwrap();
            }
            for p in part {
                s.execute(rusqlite::params_from_iter(p)).unwrap();
            }
            if batch > 1 {
                conn.execute_batch("COMMIT").unwrap();
            }
        }
        (cpu() - at) as f64 / 1000.0 / rows as f64
    };
    let insert = batches(
        "INSERT INTO T VALUES (?1, 'INV-00004711', 'C012345', 3, '123456.78', 'EUR', '2026-11-20', '2026-11-28', '25925.92', \
         '12.34', '123444.44', 'rep042', 'R07', 'Amsterdam', 'NL', 'net 30, deliver to dock 4', '2026-11-20T08:00:00Z', \
         '2026-11-20T10:11:00Z', ?2, 'PO-0815123')",
        ROWS,
        1000,
        &|i| vec![key(i, text), (i as i64).into()],
    );
    let update = "UPDATE T SET status = ?2, amount = ?3, version = ?4 WHERE id = ?1";
    let row = |i: u64, n: i64| vec![key(shuffled(i), text), (i as i64 + n).into(), format!("{i}.{n}").into(), n.into()];
    let batched = batches(update, ROWS, 1000, &|i| row(i, 10));
    let single = batches(update, ROWS / 10, 1, &|i| row(i, 20));
    let delete = batches("DELETE FROM T WHERE id = ?1", ROWS, 1000, &|i| vec![key(shuffled(i), text)]);
    [insert, batched, single, delete]
}

#[test]
#[ignore = "a measurement"]
fn capture_costs() {
    for text in [true, false] {
        println!("{} key: µs per row and ratio", if text { "uuid" } else { "integer" });
        let cases: [(&str, Option<&[u32]>); 3] = [("plain", None), ("one-way", Some(&[])), ("two-way", Some(&[3, 4]))];
        let mut best = [[f64::MAX; 4]; 3];
        for _ in 0..3 {
            for (c, (name, captured)) in cases.iter().enumerate() {
                let dir = TempDir::new().unwrap();
                for (b, m) in best[c].iter_mut().zip(measure(&dir, name, text, *captured)) {
                    *b = b.min(m);
                }
            }
        }
        for (c, (name, _)) in cases.iter().enumerate() {
            let parts: Vec<String> = ["insert", "update/1000", "update/1", "delete"]
                .iter()
                .enumerate()
                .map(|(i, what)| format!("{what} {:.2} ({:.2}x)", best[c][i], best[c][i] / best[0][i]))
                .collect();
            println!("  {name:<8} {}", parts.join("  "));
        }
    }
}

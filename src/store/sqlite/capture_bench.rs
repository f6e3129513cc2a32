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

const ROWS: u64 = 50_000;

fn key(i: u64, text: bool) -> rusqlite::types::Value {
    if text {
        let u = u128::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        uuid::Uuid::from_u128(u).to_string().into()
    } else {
        (i as i64).into()
    }
}

/// Microseconds per row: insert in batches, update in batches, update one by one, delete in batches.
fn measure(dir: &TempDir, name: &str, text: bool, captured: Option<&[u32]>) -> [f64; 4] {
    let types = [
        Type::Uuid,
        Type::Text { max: Some(20) },
        Type::Text { max: Some(60) },
        Type::Text { max: None },
        Type::Integer,
        Type::Integer,
        Type::Decimal { limits: Some((20, 4)) },
        Type::Decimal { limits: Some((20, 4)) },
        Type::Float,
        Type::Boolean,
        Type::Date,
        Type::DateTime { kind: crate::value::DateTimeKind::Instant },
        Type::Uuid,
        Type::Text { max: Some(10) },
        Type::Text { max: Some(20) },
    ];
    let column = |(i, ty): (usize, &Type)| {
        conformance::col(&format!("C{i}"), if i == 0 && !text { Type::Integer } else { ty.clone() })
    };
    let columns: Vec<Column> = types.iter().enumerate().map(column).collect();
    let all: Vec<ColumnId> = (0..columns.len() as u32).map(ColumnId).collect();
    let table = Table { name: "T".into(), primary_key: vec![ColumnId(0)], columns, ..Table::default() };
    let schema = Arc::new(StoreSchema { tables: vec![table], ..StoreSchema::default() });
    let path = dir.path().join(name);
    let store = SqliteStore::open("s", &path, schema, Options { create: true, ..Options::default() }).unwrap();
    store.create_tables().unwrap();
    store.prepare().unwrap();
    if let Some(old) = captured {
        let old = old.iter().map(|c| ColumnId(*c)).collect();
        store.capture("p", &[CaptureSpec { table: TableId(0), watched: all, old }]).unwrap();
    }
    let conn = Connection::open(&path).unwrap();
    conn.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -200000").unwrap();
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
        "INSERT INTO T VALUES (?1, 'USSI-000012', 'A description of some forty characters', \
         'more text, a little longer than the other texts of this row, say eighty characters', 42, ?2, '1234.5600', \
         '-0.2500', 0.3, 1, '2026-11-20', '2026-11-20T10:00:00Z', '00000000-0000-0000-0000-00000000004d', 'EUR', 'P-0001')",
        ROWS,
        1000,
        &|i| vec![key(i, text), (i as i64).into()],
    );
    let update = "UPDATE T SET C4 = ?2, C5 = ?3, C6 = '12.34' WHERE C0 = ?1";
    let batched = batches(update, ROWS, 1000, &|i| vec![key(i, text), (i as i64 + 100).into(), (i as i64).into()]);
    let single = batches(update, ROWS / 5, 1, &|i| vec![key(i, text), (i as i64 + 200).into(), (i as i64).into()]);
    let delete = batches("DELETE FROM T WHERE C0 = ?1", ROWS, 1000, &|i| vec![key(i, text)]);
    [insert, batched, single, delete]
}

#[test]
#[ignore = "a measurement"]
fn capture_costs() {
    for text in [true, false] {
        println!("{} key: µs per row and ratio", if text { "uuid" } else { "integer" });
        let cases: [(&str, Option<&[u32]>); 3] = [("plain", None), ("one-way", Some(&[])), ("two-way", Some(&[1, 6]))];
        let mut best = [[f64::MAX; 4]; 3];
        for _ in 0..5 {
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

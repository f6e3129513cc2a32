//! What inserting, scanning, finding and updating one million rows of 15 columns costs.

use super::*;
use crate::schema::{Column, ColumnId, Table};
use crate::store::{ReadPlan, Rows, conformance};
use crate::value::{Type, Value};
use tempfile::TempDir;

/// `ROWS=n` takes another number: `cargo test --release --lib row_bench -- --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn bench() {
    use crate::value::{Dec, Float, Uuid, parse_date, parse_datetime};
    // Time on the processor: others may work on the machine.
    struct Instant(std::time::Instant, u64);
    impl Instant {
        fn cpu() -> u64 {
            let stat = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
            stat.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0)
        }
        fn now() -> Instant {
            Instant(std::time::Instant::now(), Instant::cpu())
        }
        fn elapsed(&self) -> String {
            let cpu = std::time::Duration::from_nanos(Instant::cpu() - self.1);
            format!("{cpu:.2?} (wall {:.2?})", self.0.elapsed())
        }
    }
    let rows: u64 = std::env::var("ROWS").ok().and_then(|r| r.parse().ok()).unwrap_or(1_000_000);
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
    for (what, text_key) in [("uuid key in random order", true), ("integer key in order", false)] {
        let columns: Vec<Column> = types
            .iter()
            .enumerate()
            .map(|(i, ty)| {
                let ty = if i == 0 && !text_key { Type::Integer } else { ty.clone() };
                conformance::col(&format!("C{i}"), ty)
            })
            .collect();
        let all: Vec<ColumnId> = (0..columns.len() as u32).map(ColumnId).collect();
        let table = Table { name: "T".into(), primary_key: vec![ColumnId(0)], columns, ..Table::default() };
        let schema = Arc::new(StoreSchema { tables: vec![table], ..StoreSchema::default() });
        let dir = TempDir::new().unwrap();
        for captured in [false, true] {
            let path = dir.path().join(format!("{}.db", uuid::Uuid::new_v4()));
            let options = Options { create: true, ..Options::default() };
            let store = SqliteStore::open("s", &path, schema.clone(), options).unwrap();
            store.create_tables().unwrap();
            store.prepare().unwrap();
            if captured {
                let spec = CaptureSpec { table: TableId(0), watched: all.clone(), old: vec![ColumnId(1), ColumnId(6)] };
                store.capture("p", &[spec]).unwrap();
            }
            let key = |i: u64| {
                if text_key {
                    Value::Uuid(Uuid::from_u128(u128::from(i).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835)))
                } else {
                    Value::Integer(i as i64)
                }
            };
            let mut row: Vec<Value> = vec![
                Value::Null,
                Value::text("USSI-000012"),
                Value::text("A description of some forty characters"),
                Value::text("more text, a little longer than the other texts of this row, say eighty characters"),
                Value::Integer(42),
                Value::Integer(123_456_789),
                Value::Decimal(Dec::parse("1234.5600").unwrap()),
                Value::Decimal(Dec::parse("-0.2500").unwrap()),
                Value::Float(Float::new(0.3).unwrap()),
                Value::Boolean(true),
                Value::Date(parse_date("2026-11-20").unwrap()),
                Value::DateTime(parse_datetime("2026-11-20T10:00:00").unwrap()),
                Value::Uuid(Uuid::from_u128(77)),
                Value::text("EUR"),
                Value::text("P-0001"),
            ];
            let mut tx = store.begin().unwrap();
            tx.writing("p/m/right", false, "p/m/right").unwrap();
            let at = Instant::now();
            for i in 0..rows {
                row[0] = key(i);
                row[5] = Value::Integer(i as i64);
                tx.insert(TableId(0), &all, &row).unwrap().unwrap();
            }
            let inserted = at.elapsed();
            tx.commit().unwrap();
            let committed = at.elapsed();
            println!("{what}, captured {captured}: insert {inserted}, with commit {committed}");
            store.maintain().unwrap();
            let plan = ReadPlan { table: TableId(0), joins: vec![], columns: all.iter().map(|c| (0, *c)).collect() };
            for chunk in [2_000, 100_000] {
                let at = Instant::now();
                let mut snap = store.snapshot().unwrap();
                let mut out = Rows::of(&plan);
                let (mut after, mut n): (Option<Vec<Value>>, usize) = (None, 0);
                loop {
                    out.clear();
                    snap.scan(&plan, after.as_deref(), chunk, &mut out).unwrap();
                    if out.is_empty() {
                        break;
                    }
                    n += out.len();
                    after = Some(vec![out.row(out.len() - 1)[0].clone()]);
                }
                println!("  scan of {n} rows by {chunk}: {}", at.elapsed());
            }
            let keys: Vec<Vec<Value>> = (0..rows.min(100_000)).map(|i| vec![key(i)]).collect();
            let at = Instant::now();
            store.snapshot().unwrap().find(TableId(0), &[ColumnId(0)], &keys, &all[1..6]).unwrap();
            println!("  find of {} keys: {}", keys.len(), at.elapsed());
            let mut tx = store.begin().unwrap();
            tx.writing("p/m/right", false, "p/m/right").unwrap();
            let at = Instant::now();
            for k in &keys {
                tx.update(TableId(0), k, &all[4..7], &[Value::Integer(1), Value::Integer(2), Value::Null])
                    .unwrap()
                    .unwrap();
            }
            println!("  update of {} rows: {}", keys.len(), at.elapsed());
            let at = Instant::now();
            let n = tx.disown_side_effects("p/m/right", &|_, _| 1).unwrap();
            println!("  disown ({n}): {}", at.elapsed());
            tx.commit().unwrap();
            let at = Instant::now();
            let mut changes = Vec::new();
            let mut snap = store.snapshot().unwrap();
            snap.changes(&Position::default(), &[TableId(0)], &[], usize::MAX, &mut changes).unwrap();
            println!("  log of {} rows: {}", changes.len(), at.elapsed());
        }
    }
}

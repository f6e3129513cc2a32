//! What any store must do, as tests: every store calls [`run`] with a way to make an empty one.

mod log;

use super::*;
use crate::schema::{Column, Lookup, LookupTarget, Table};
use crate::value::{Choice, Collation, DateTimeKind, Dec, Float, Member, Type, Uuid, parse_date, parse_datetime};
use std::sync::Arc;

/// A store under test, and a user of it who is not the engine: runs SQL statements on a connection of its own.
pub struct Rig {
    pub store: Box<dyn Store>,
    pub user: User,
    /// None where a column of the store holds whatever it is given.
    pub typed: Option<Typed>,
}

/// A store whose columns hold values of their own types only.
pub struct Typed {
    /// SQL that lets the columns `Name` and `Day` of `Kinds` hold any text.
    pub loosen: &'static str,
}

/// Runs SQL as a user.
pub type User = Box<dyn Fn(&str) -> std::result::Result<(), String>>;

impl Rig {
    fn sql(&self, sql: &str) {
        (self.user)(sql).unwrap_or_else(|e| panic!("{sql}: {e}"));
    }
}

type Make<'a> = &'a dyn Fn(Arc<StoreSchema>) -> Rig;

/// Runs the whole suite. `make` gives a store of the schema with its tables made and nothing in it.
pub fn run(make: Make<'_>) {
    types_round_trip(make);
    misfits_are_told(make);
    blanks(make);
    scan_pages(make);
    joins_and_dependents(make);
    finds(make);
    refused_rows(make);
    rolls_back_when_dropped(make);
    log::captures(make);
    log::origin_and_touch(make);
    log::key_changes_are_logged(make);
    log::capture_widens(make);
    epochs(make);
    state_tables(make);
    guards(make);
    watches(make);
    describes(make);
}

pub fn col(name: &str, ty: Type) -> Column {
    Column {
        name: name.into(),
        span: Default::default(),
        ty,
        required: false,
        read_only: false,
        create_only: false,
        generated: false,
        default: None,
        tracked: true,
        collation: Collation::Exact,
        blank: None,
        choice_by_name: false,
    }
}

fn text(max: u32) -> Type {
    Type::Text { max: Some(max) }
}

/// Tables `Kinds` (every type), `Projects` (composite case-insensitive key), `Lines` (generated number, lookups).
pub fn schema() -> Arc<StoreSchema> {
    let choice = Type::Choice(Arc::new(Choice {
        members: vec![Member { value: 1, name: "New".into() }, Member { value: 2, name: "Old".into() }],
    }));
    let kinds = Table {
        name: "Kinds".into(),
        primary_key: vec![ColumnId(0)],
        columns: vec![
            Column { generated: true, required: true, ..col("Id", Type::Uuid) },
            col("Name", text(20)),
            col("Num", Type::Integer),
            col("Amount", Type::Decimal { limits: Some((24, 6)) }),
            col("Ratio", Type::Float),
            col("Flag", Type::Boolean),
            Column { blank: parse_date("1900-01-01").map(Value::Date), ..col("Day", Type::Date) },
            col("At", Type::DateTime { kind: DateTimeKind::Instant }),
            col("Local", Type::DateTime { kind: DateTimeKind::Civil }),
            col("State", choice.clone()),
            Column { choice_by_name: true, ..col("StateName", choice) },
            col("Raw", Type::Binary),
            col("Doc", Type::Json),
            Column { blank: Some(Value::text("")), required: true, ..col("Note", Type::Text { max: None }) },
        ],
        ..Table::default()
    };
    let nocase = |c: Column| Column { collation: Collation::NoCase, ..c };
    let projects = Table {
        name: "Projects".into(),
        primary_key: vec![ColumnId(0), ColumnId(1)],
        columns: vec![
            nocase(Column { required: true, ..col("Company", text(4)) }),
            nocase(Column { required: true, ..col("ProjectId", text(20)) }),
            col("Name", text(60)),
            nocase(col("Parent", text(20))),
            col("Code", text(10)),
        ],
        alternate_keys: vec![vec![ColumnId(4)]],
        lookups: vec![Lookup {
            name: "Parent".into(),
            span: Default::default(),
            targets: vec![LookupTarget {
                table: TableId(1),
                columns: vec![ColumnId(0), ColumnId(3)],
                key: vec![ColumnId(0), ColumnId(1)],
            }],
            type_column: None,
        }],
        ..Table::default()
    };
    let lines = Table {
        name: "Lines".into(),
        primary_key: vec![ColumnId(0)],
        columns: vec![
            Column { generated: true, required: true, ..col("LineId", Type::Integer) },
            nocase(col("Company", text(4))),
            Column { blank: Some(Value::text("")), ..nocase(col("ProjectId", text(20))) },
            col("OwnerType", text(20)),
            col("OwnerId", Type::Uuid),
            col("Text", text(60)),
        ],
        lookups: vec![Lookup {
            name: "Project".into(),
            span: Default::default(),
            targets: vec![LookupTarget {
                table: TableId(1),
                columns: vec![ColumnId(1), ColumnId(2)],
                key: vec![ColumnId(0), ColumnId(1)],
            }],
            type_column: None,
        }],
        ..Table::default()
    };
    Arc::new(StoreSchema { name: "s".into(), case_insensitive_names: false, tables: vec![kinds, projects, lines] })
}

const KINDS: TableId = TableId(0);
const PROJECTS: TableId = TableId(1);
const LINES: TableId = TableId(2);

fn c(i: u32) -> ColumnId {
    ColumnId(i)
}
fn t(s: &str) -> Value {
    Value::text(s)
}
fn dec(s: &str) -> Value {
    Value::Decimal(Dec::parse(s).unwrap())
}
fn uuid(n: u128) -> Value {
    Value::Uuid(Uuid::from_u128(n))
}

fn insert(
    store: &dyn Store,
    table: TableId,
    columns: &[u32],
    row: &[Value],
) -> std::result::Result<Option<Vec<Value>>, RecordError> {
    let mut tx = store.begin().unwrap();
    let columns: Vec<ColumnId> = columns.iter().map(|i| c(*i)).collect();
    let done = tx.insert(table, &columns, row).unwrap();
    tx.commit().unwrap();
    done
}

pub fn every(table: TableId, n: u32) -> ReadPlan {
    ReadPlan { table, joins: vec![], columns: (0..n).map(|i| (0, c(i))).collect() }
}

fn scan(store: &dyn Store, plan: &ReadPlan) -> Rows {
    let mut rows = Rows::of(plan);
    store.snapshot().unwrap().scan(plan, None, 1000, &mut rows).unwrap();
    rows
}

fn types_round_trip(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    assert_eq!(store.verify(&[KINDS, PROJECTS, LINES]).unwrap(), Vec::<String>::new());
    let all: Vec<u32> = (0..14).collect();
    let mut rows = [
        vec![
            uuid(1),
            t("a'b\u{e9}\"c"),
            Value::Integer(i64::MIN),
            dec("123456789012345678.123456"),
            Value::Float(Float::new(0.1 + 0.2).unwrap()),
            Value::Boolean(true),
            Value::Date(parse_date("2026-11-20").unwrap()),
            Value::DateTime(parse_datetime("2026-11-20T10:00:00.1234567").unwrap()),
            Value::DateTime(parse_datetime("2026-11-20T10:00:00").unwrap()),
            Value::Integer(2),
            Value::Integer(1),
            Value::Binary([0u8, 255, 39].into()),
            t("{\"a\": [1]}"),
            t("nul\0inside"),
        ],
        vec![
            uuid(2),
            t("12345678901234567890"),
            Value::Integer(i64::MAX),
            dec("-0.10"),
            Value::Float(Float::new(1e300).unwrap()),
            Value::Boolean(false),
            Value::Date(parse_date("9999-12-31").unwrap()),
            Value::DateTime(parse_datetime("0001-01-01").unwrap()),
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            Value::Null,
            t("007"),
        ],
    ];
    if rig.typed.is_some() {
        // What such a store cannot keep is refused, never changed.
        let fine = [(7, Value::DateTime(parse_datetime("2026-11-20T10:00:00.123456").unwrap())), (13, t("no nul"))];
        for (i, value) in fine {
            let e = insert(store, KINDS, &all, &rows[0]).unwrap_err();
            assert_eq!((e.kind, e.column), (RecordErrorKind::Misfit, Some(c(i as u32))));
            rows[0][i] = value;
        }
    }
    for row in &rows {
        assert_eq!(insert(store, KINDS, &all, row).unwrap(), None);
    }
    let plan = every(KINDS, 14);
    let read = scan(store, &plan);
    assert_eq!(read.misfits, vec![]);
    assert_eq!(read.len(), 2);
    for (i, row) in rows.iter().enumerate() {
        assert_eq!(read.row(i), row.as_slice());
    }
    // Scale is kept where the column keeps it.
    assert_eq!(read.row(1)[3].to_string(), "-0.10");
    // Written back as read, nothing changes.
    let mut tx = store.begin().unwrap();
    let columns: Vec<ColumnId> = (1..14).map(c).collect();
    tx.update(KINDS, &[uuid(1)], &columns, &rows[0][1..]).unwrap().unwrap();
    tx.commit().unwrap();
    assert_eq!(scan(store, &plan).row(0), rows[0].as_slice());
}

fn misfits_are_told(make: Make<'_>) {
    let rig = make(schema());
    if let Some(typed) = &rig.typed {
        rig.sql(typed.loosen);
    }
    rig.sql(
        "INSERT INTO \"Kinds\" (\"Id\", \"Name\", \"Num\", \"Day\", \"State\", \"StateName\") VALUES \
         ('00000000-0000-0000-0000-000000000001', 'longer than twenty characters', 7, '2026-13-01', 3, 'Odd')",
    );
    rig.sql(
        "INSERT INTO \"Kinds\" (\"Id\", \"Day\", \"At\") VALUES \
         ('00000000-0000-0000-0000-000000000002', '2026-01-02', '2026-01-02 03:04:05')",
    );
    let rows = scan(rig.store.as_ref(), &every(KINDS, 14));
    let told: Vec<(usize, u32, &str)> = rows.misfits.iter().map(|(i, m)| (*i, m.column.0, m.reason.as_str())).collect();
    assert_eq!(
        told,
        vec![
            (1, 1, "is longer than 20 characters"),
            (6, 6, "is no date"),
            (9, 9, "is no member of `State`"),
            (10, 10, "is no member of `StateName`"),
        ]
    );
    assert_eq!(rows.misfits[1].1.key, "'00000000-0000-0000-0000-000000000001'");
    assert_eq!(rows.misfits[1].1.value, "'2026-13-01'");
    assert_eq!(rows.row(0)[1], Value::Null);
    assert_eq!(rows.row(0)[2], Value::Integer(7));
    assert_eq!(rows.row(1)[7], Value::DateTime(parse_datetime("2026-01-02T03:04:05").unwrap()));
}

fn blanks(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    insert(store, KINDS, &[0, 6, 13], &[uuid(1), Value::Null, Value::Null]).unwrap();
    rig.sql("INSERT INTO \"Kinds\" (\"Id\", \"Day\") VALUES ('00000000-0000-0000-0000-000000000002', NULL)");
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'blank' WHERE \"Day\" = '1900-01-01' AND \"Note\" = ''");
    let rows = scan(store, &every(KINDS, 14));
    assert_eq!(rows.row(0)[1], t("blank"));
    for row in [rows.row(0), rows.row(1)] {
        assert_eq!((&row[6], &row[13]), (&Value::Null, &Value::Null));
    }
    // Null finds the blank; without one it finds nothing.
    let mut snap = store.snapshot().unwrap();
    let found = snap.find(KINDS, &[c(6)], &[vec![Value::Null]], &[c(1)]).unwrap();
    assert!(matches!(&found[0], Found::One { values, .. } if values == &vec![t("blank")]), "{found:?}");
    assert_eq!(snap.find(KINDS, &[c(2)], &[vec![Value::Null]], &[]).unwrap(), vec![Found::None]);
}

fn scan_pages(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    let mut tx = store.begin().unwrap();
    for (company, n) in [("USSI", 7), ("gbsi", 5)] {
        for i in 0..n {
            let id = if i % 2 == 0 { format!("P{i}") } else { format!("p{i}") };
            tx.insert(PROJECTS, &[c(0), c(1)], &[t(company), t(&id)]).unwrap().unwrap();
        }
    }
    for i in 0..5 {
        tx.insert(KINDS, &[c(0)], &[uuid(i)]).unwrap().unwrap();
    }
    tx.commit().unwrap();
    // A user writes uuids in capitals too.
    rig.sql(
        "INSERT INTO \"Kinds\" (\"Id\") VALUES ('ABCDEF00-0000-0000-0000-000000000000'), \
         ('abcdef00-0000-0000-0000-000000000001'), ('ABCDEF00-0000-0000-0000-000000000002')",
    );
    for (plan, total, pk) in [(every(PROJECTS, 2), 12, 2), (every(KINDS, 1), 8, 1)] {
        for limit in [1, 2, 5, 100] {
            let mut after: Option<Vec<Value>> = None;
            let mut seen = Vec::new();
            loop {
                let mut rows = Rows::of(&plan);
                store.snapshot().unwrap().scan(&plan, after.as_deref(), limit, &mut rows).unwrap();
                if rows.is_empty() {
                    break;
                }
                assert!(rows.len() <= limit);
                // A folded key goes on as well as the one that was read.
                let last = &rows.row(rows.len() - 1)[..pk];
                let fold = if plan.table == PROJECTS { Collation::NoCase } else { Collation::Exact };
                after = Some(last.iter().map(|v| fold.fold(v)).collect());
                seen.extend((0..rows.len()).map(|i| rows.row(i).to_vec()));
                assert!(seen.len() <= total, "rows come again: {seen:?}");
            }
            assert_eq!(seen.len(), total, "limit {limit}");
        }
    }
    let mut snap = store.snapshot().unwrap();
    assert_eq!(snap.count(PROJECTS).unwrap(), 12);
    assert!(!snap.is_empty(PROJECTS).unwrap());
    assert!(snap.is_empty(LINES).unwrap());
    let mut rows = Rows::of(&every(KINDS, 1));
    let there = snap.fetch(&every(KINDS, 1), &[vec![uuid(3)], vec![uuid(99)], vec![uuid(1)]], &mut rows).unwrap();
    assert_eq!(there, vec![true, false, true]);
    assert_eq!(rows.cells, vec![uuid(3), Value::Null, uuid(1)]);
    let capital = Value::Uuid("abcdef00-0000-0000-0000-000000000002".parse().unwrap());
    assert_eq!(snap.fetch(&every(KINDS, 1), &[vec![capital]], &mut rows).unwrap(), vec![true]);
}

/// Lines with their project's name and the name of the project's parent, and the name of an owner that is a `Kinds`.
pub fn line_plan() -> ReadPlan {
    ReadPlan {
        table: LINES,
        joins: vec![
            Join { from: 0, columns: vec![c(1), c(2)], table: PROJECTS, key: vec![c(0), c(1)], when: None },
            Join { from: 1, columns: vec![c(0), c(3)], table: PROJECTS, key: vec![c(0), c(1)], when: None },
            Join { from: 0, columns: vec![c(4)], table: KINDS, key: vec![c(0)], when: Some((c(3), t("Kinds"))) },
        ],
        columns: vec![(0, c(0)), (1, c(2)), (2, c(2)), (3, c(1))],
    }
}

fn joins_and_dependents(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    insert(store, PROJECTS, &[0, 1, 2, 3], &[t("USSI"), t("P1"), t("One"), t("p0")]).unwrap();
    insert(store, PROJECTS, &[0, 1, 2], &[t("USSI"), t("P0"), t("Zero")]).unwrap();
    insert(store, PROJECTS, &[0, 1, 2], &[t("USSI"), t(""), t("Blank")]).unwrap();
    insert(store, KINDS, &[0, 1], &[uuid(5), t("Owner")]).unwrap();
    let line = [1, 2, 3, 4];
    let key = insert(store, LINES, &line, &[t("ussi"), t("p1"), t("Kinds"), uuid(5)]).unwrap();
    assert_eq!(key, Some(vec![Value::Integer(1)]), "the number the store made");
    insert(store, LINES, &line, &[t("USSI"), Value::Null, t("Other"), uuid(5)]).unwrap();
    insert(store, LINES, &line, &[t("USSI"), t("P0"), Value::Null, Value::Null]).unwrap();
    let plan = line_plan();
    let rows = scan(store, &plan);
    let yes = Value::Boolean(true);
    let no = Value::Boolean(false);
    let n = Value::Integer;
    assert_eq!(rows.row(0), [n(1), t("One"), t("Zero"), t("Owner"), yes.clone(), yes.clone(), yes.clone()]);
    assert_eq!(rows.row(1), [n(2), Value::Null, Value::Null, Value::Null, no.clone(), no.clone(), no.clone()]);
    assert_eq!(rows.row(2), [n(3), t("Zero"), Value::Null, Value::Null, yes.clone(), no.clone(), no.clone()]);
    let mut snap = store.snapshot().unwrap();
    let mut imagined = Rows::of(&plan);
    snap.imagine(&plan, &[(c(0), n(77)), (c(1), t("USSI")), (c(2), t("P1"))], &mut imagined).unwrap();
    assert_eq!(imagined.cells, [n(77), t("One"), t("Zero"), Value::Null, yes.clone(), yes, no]);
    let mut reach = |join: usize, values: &[Value], after: Option<&[Value]>| {
        snap.dependents(&plan, join, values, after, 10).unwrap()
    };
    assert_eq!(reach(0, &[t("USSI"), t("P1")], None), vec![vec![n(1)]]);
    assert_eq!(reach(0, &[t("USSI"), t("p0")], None), vec![vec![n(3)]]);
    assert_eq!(reach(1, &[t("USSI"), t("P0")], None), vec![vec![n(1)]]);
    assert_eq!(reach(1, &[t("USSI"), t("P0")], Some(&[n(1)])), Vec::<Vec<Value>>::new());
    assert_eq!(reach(2, &[uuid(5)], None), vec![vec![n(1)]]);
    assert_eq!(reach(0, &[t("USSI"), Value::Null], None), Vec::<Vec<Value>>::new());
}

fn finds(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    insert(store, PROJECTS, &[0, 1, 2, 4], &[t("USSI"), t("P1"), t("Same"), t("c")]).unwrap();
    insert(store, PROJECTS, &[0, 1, 2, 4], &[t("USSI"), t("P2"), t("Same"), t("C")]).unwrap();
    let mut snap = store.snapshot().unwrap();
    let found = snap
        .find(
            PROJECTS,
            &[c(0), c(1)],
            &[vec![t("ussi"), t("p2")], vec![t("x"), t("y")], vec![t("USSI"), Value::Null]],
            &[c(2)],
        )
        .unwrap();
    let one = |key: &str, values: Vec<Value>| Found::One { key: vec![t("USSI"), t(key)], values, misfits: vec![] };
    assert_eq!(found, vec![one("P2", vec![t("Same")]), Found::None, Found::None]);
    assert_eq!(snap.find(PROJECTS, &[c(2)], &[vec![t("Same")]], &[]).unwrap(), vec![Found::Many]);
    let mut related = |by: &[ColumnId], values: &[Value]| {
        let mut rows = Rows::of(&every(PROJECTS, 3));
        snap.related(&every(PROJECTS, 3), by, values, &mut rows).unwrap();
        let mut keys: Vec<String> = (0..rows.len()).map(|i| rows.row(i)[1].to_string()).collect();
        keys.sort();
        keys
    };
    assert_eq!(related(&[c(0)], &[t("ussi")]), ["'P1'", "'P2'"]);
    assert_eq!(related(&[c(0), c(4)], &[t("USSI"), t("C")]), ["'P2'"]);
    assert!(related(&[c(0)], &[t("none")]).is_empty() && related(&[c(3)], &[Value::Null]).is_empty());
    // Exact columns compare exactly.
    assert_eq!(snap.find(PROJECTS, &[c(4)], &[vec![t("c")]], &[]).unwrap(), vec![one("P1", vec![])]);
}

fn refused_rows(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    let mut tx = store.begin().unwrap();
    let row = [t("USSI"), t("P1")];
    tx.insert(PROJECTS, &[c(0), c(1)], &row).unwrap().unwrap();
    let e = tx.insert(PROJECTS, &[c(0), c(1)], &[t("ussi"), t("p1")]).unwrap().unwrap_err();
    assert_eq!(e.kind, RecordErrorKind::Unique);
    let e = tx.insert(PROJECTS, &[c(0), c(1)], &[t("USSI"), Value::Null]).unwrap().unwrap_err();
    assert_eq!((e.kind, e.column), (RecordErrorKind::Required, Some(c(1))));
    assert_eq!(tx.update(PROJECTS, &row, &[c(2)], &[t("Name")]).unwrap(), Ok(()));
    assert_eq!(tx.delete(PROJECTS, &[t("none"), t("none")]).unwrap(), Ok(()));
    // The transaction goes on without the refused rows.
    tx.commit().unwrap();
    assert_eq!(scan(store, &every(PROJECTS, 3)).cells, vec![t("USSI"), t("P1"), t("Name")]);
}

fn rolls_back_when_dropped(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    let mut tx = store.begin().unwrap();
    tx.insert(KINDS, &[c(0)], &[uuid(1)]).unwrap().unwrap();
    drop(tx);
    assert!(store.snapshot().unwrap().is_empty(KINDS).unwrap());
    // A snapshot stays what it was.
    let mut snap = store.snapshot().unwrap();
    insert(store, KINDS, &[0], &[uuid(1)]).unwrap();
    assert!(snap.is_empty(KINDS).unwrap());
    drop(snap);
    assert!(!store.snapshot().unwrap().is_empty(KINDS).unwrap());
}

fn epochs(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    let mine = store.take_over("p", "me").unwrap();
    store.begin().unwrap().check_epoch("p", mine).unwrap();
    let theirs = store.take_over("p", "them").unwrap();
    assert!(theirs > mine);
    assert!(matches!(store.begin().unwrap().check_epoch("p", mine), Err(StoreError::Fenced { .. })));
    store.begin().unwrap().check_epoch("p", theirs).unwrap();
    assert!(matches!(store.begin().unwrap().check_epoch("q", 1), Err(StoreError::Fenced { .. })));
}

fn state_tables(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    let leg = "p/m/right";
    let progress = Progress {
        leg: leg.into(),
        map_hash: "h".into(),
        position: Position("7".into()),
        phase: "live".into(),
        epoch: 3,
        ..Progress::default()
    };
    let entry = Quarantined {
        leg: leg.into(),
        key: "[\"k\"]".into(),
        company: String::new(),
        kind: QuarantineKind::Failed,
        code: "TM9001".into(),
        line: "m.tmap:3".into(),
        column: "Name".into(),
        value: "'x'".into(),
        message: "whole".into(),
        base: "{\"a\":1}".into(),
        old_ikey: String::new(),
        tries: 1,
        next_try: "2026-01-01T00:00:00.000Z".into(),
        since: "2025-01-01T00:00:00.000Z".into(),
    };
    let mut tx = store.begin().unwrap();
    let s = tx.state_mut();
    s.put_progress(&progress).unwrap();
    s.quarantine(&entry).unwrap();
    let again = Quarantined {
        kind: QuarantineKind::Parked,
        base: "other".into(),
        tries: 2,
        since: "later".into(),
        next_try: String::new(),
        ..entry.clone()
    };
    s.quarantine(&again).unwrap();
    s.quarantine(&Quarantined { company: "USSI".into(), old_ikey: "k".into(), ..entry.clone() }).unwrap();
    let wait = Wait {
        leg: leg.into(),
        key: entry.key.clone(),
        table: PROJECTS,
        columns: vec![c(0), c(1)],
        values: vec![t("ussi"), t("P1")],
    };
    s.put_waits(leg, &entry.key, &entry.company, &[wait]).unwrap();
    let ahead = |key: &str, kind, through| Ahead { key: key.into(), kind, through };
    for a in [ahead("a", AheadKind::Now, 5), ahead("b", AheadKind::Reborn, 9), ahead("a", AheadKind::Gone, 3)] {
        s.put_ahead(leg, &a).unwrap();
        s.put_ahead(leg, &a).unwrap();
    }
    for (ikey, key, through) in [("k", "a", 5), ("l", "a", 5), ("k", "b", 9)] {
        s.put_held(leg, ikey, key, through).unwrap();
    }
    s.put_ledger(leg, "k1", 1).unwrap();
    s.put_ledger(leg, "k0", 2).unwrap();
    s.put_conflict(leg, "k", "b", "l", "r", "held").unwrap();
    let mut found = s.conflicts(leg, Some("k")).unwrap().pop().unwrap();
    (found.key, found.outcome) = ("k2".into(), "left wins".into());
    s.update_conflict(&found).unwrap();
    for (table, on) in [("t", true), ("t", true), ("u", true), ("u", false)] {
        s.put_suspended("p", table, on).unwrap();
    }
    for (run, started) in [("r1", "1"), ("r2", "2")] {
        s.put_run(&RunRecord { run: run.into(), leg: leg.into(), started: started.into(), ..RunRecord::default() })
            .unwrap();
    }
    s.put_company("p", "USSI", "s", "").unwrap();
    tx.commit().unwrap();

    let mut snap = store.snapshot().unwrap();
    let s = snap.state();
    assert_eq!(s.progress(leg).unwrap(), Some(progress.clone()));
    assert_eq!(s.progress("p/m/left").unwrap(), None);
    assert_eq!(s.all_progress("p/").unwrap(), vec![progress]);
    assert_eq!(s.all_progress("q/").unwrap(), vec![]);
    let kept = Quarantined { base: entry.base.clone(), since: entry.since.clone(), ..again };
    assert_eq!(s.quarantine_of(leg, &entry.key).unwrap()[0], kept);
    let due = QuarantineFilter { due: Some("2026-06-01".into()), ..QuarantineFilter::default() };
    assert_eq!(s.quarantined(&due).unwrap().len(), 1);
    let rekeyed = QuarantineFilter { rekeyed: true, ..QuarantineFilter::default() };
    assert_eq!(s.quarantined(&rekeyed).unwrap().len(), 1);
    assert_eq!(s.quarantined(&QuarantineFilter { limit: 1, ..QuarantineFilter::default() }).unwrap(), vec![kept]);
    assert_eq!(s.quarantine_counts(leg).unwrap(), vec![(QuarantineKind::Failed, 1), (QuarantineKind::Parked, 1)]);
    assert_eq!(s.arrived(leg, 10).unwrap(), Vec::<String>::new());
    let (gone, now, reborn) =
        (ahead("a", AheadKind::Gone, 3), ahead("a", AheadKind::Now, 5), ahead("b", AheadKind::Reborn, 9));
    assert_eq!(s.ahead(leg).unwrap(), vec![gone, now, reborn.clone()]);
    assert_eq!(s.held(leg).unwrap(), vec![("k".into(), "b".into(), 9), ("l".into(), "a".into(), 5)]);
    assert_eq!(s.ledger(leg).unwrap(), vec![("k1".into(), 1), ("k0".into(), 2)]);
    assert_eq!(s.conflict_count(leg).unwrap(), 1);
    assert_eq!(s.conflicts(leg, Some("k")).unwrap(), vec![]);
    let c = s.conflicts(leg, None).unwrap().pop().unwrap();
    assert_eq!([&c.key, &c.base, &c.left, &c.right, &c.outcome], ["k2", "b", "l", "r", "left wins"]);
    assert_eq!((s.suspended("p").unwrap(), s.suspended("q").unwrap()), (vec!["t".to_string()], vec![]));
    let runs: Vec<String> = s.runs("p/", 10).unwrap().into_iter().map(|r| r.run).collect();
    assert_eq!(runs, vec!["r2", "r1"]);
    assert_eq!(s.companies("p").unwrap(), vec![("USSI".into(), "s".into(), "".into())]);
    drop(snap);

    insert(store, PROJECTS, &[0, 1], &[t("USSI"), t("p1")]).unwrap();
    let mut tx = store.begin().unwrap();
    let s = tx.state_mut();
    assert_eq!(s.arrived(leg, 10).unwrap(), vec![entry.key.clone()]);
    assert_eq!(s.release(leg, &entry.key, "USSI").unwrap(), 1);
    assert_eq!(s.arrived(leg, 10).unwrap().len(), 1, "the other entry still waits");
    assert_eq!(s.release(leg, &entry.key, "").unwrap(), 1);
    assert_eq!(s.arrived(leg, 10).unwrap().len(), 0);
    s.drop_ahead(leg, 5).unwrap();
    assert_eq!(s.ahead(leg).unwrap(), vec![reborn]);
    assert_eq!(s.held(leg).unwrap(), vec![("k".into(), "b".into(), 9)]);
    s.drop_ledger(leg).unwrap();
    assert_eq!(s.ledger(leg).unwrap(), vec![]);
    s.forget_leg(leg).unwrap();
    assert_eq!(s.progress(leg).unwrap(), None);
    tx.commit().unwrap();
}

fn guards(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    let guard = |op: Op, except: Vec<ColumnId>, when: Option<Predicate>, reject: bool| GuardSpec {
        map: "m".into(),
        map_name: "Map".into(),
        table: PROJECTS,
        op,
        except,
        when,
        reject,
        message: "map `Map`: it's filled from elsewhere".into(),
    };
    let ours = Predicate::And(vec![
        Predicate::Compare(c(0), Comparison::Eq, t("ussi")),
        Predicate::Not(Box::new(Predicate::IsNull(c(2)))),
        Predicate::In(c(1), vec![t("p1"), t("p2")]),
    ]);
    store
        .install_guards(
            "p",
            &[
                guard(Op::Insert, vec![], None, true),
                guard(Op::Update, vec![c(3)], Some(ours.clone()), true),
                guard(Op::Delete, vec![], None, false),
            ],
        )
        .unwrap();
    let e = (rig.user)("INSERT INTO \"Projects\" (\"Company\", \"ProjectId\") VALUES ('USSI', 'P1')").unwrap_err();
    assert!(e.contains("map `Map`: it's filled from elsewhere"), "{e}");
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/right", false, "p/m/right").unwrap();
    for id in ["P1", "P3"] {
        tx.insert(PROJECTS, &[c(0), c(1), c(2)], &[t("USSI"), t(id), t("One")]).unwrap().unwrap();
    }
    tx.commit().unwrap();
    rig.sql("UPDATE \"Projects\" SET \"Name\" = 'ours not' WHERE \"ProjectId\" = 'P3'");
    rig.sql("UPDATE \"Projects\" SET \"Parent\" = 'allowed' WHERE \"ProjectId\" = 'P1'");
    (rig.user)("UPDATE \"Projects\" SET \"Name\" = 'no' WHERE \"ProjectId\" = 'P1'").unwrap_err();
    rig.sql("DELETE FROM \"Projects\" WHERE \"ProjectId\" = 'P3'");
    let status = store.guards("p").unwrap();
    assert_eq!(status.installed.len(), 3);
    assert_eq!(status.reports.len(), 1);
    assert_eq!(status.reports[0].1, "m");
    assert_eq!(store.guards("q").unwrap(), GuardStatus::default());
    store.install_guards("p", &[guard(Op::Delete, vec![], None, true)]).unwrap();
    rig.sql("UPDATE \"Projects\" SET \"Name\" = 'now'");
    (rig.user)("DELETE FROM \"Projects\"").unwrap_err();
    assert_eq!(store.remove_guards("p").unwrap(), 1);
    rig.sql("DELETE FROM \"Projects\"");
    assert_eq!(store.guards("p").unwrap(), GuardStatus::default());
}

fn watches(make: Make<'_>) {
    let rig = make(schema());
    let mut watch = rig.store.watch().unwrap();
    assert!(watch.changed().unwrap());
    assert!(!watch.changed().unwrap());
    rig.sql("INSERT INTO \"Lines\" (\"Text\") VALUES ('x')");
    assert!(watch.changed().unwrap());
    assert!(!watch.changed().unwrap());
    insert(rig.store.as_ref(), LINES, &[5], &[t("y")]).unwrap();
    assert!(watch.changed().unwrap());
}

fn describes(make: Make<'_>) {
    let rig = make(schema());
    rig.store.prepare().unwrap();
    rig.store.capture("p", &[log::spec(TableId(1), &[2], &[])]).unwrap();
    rig.sql("CREATE TABLE \"else\" (a INTEGER PRIMARY KEY, b VARCHAR(7) NOT NULL UNIQUE DEFAULT 'x', c NUMERIC(8,2))");
    rig.sql("CREATE INDEX \"else_c\" ON \"else\" (c, b)");
    let live = rig.store.describe().unwrap();
    let names: Vec<&str> = live.iter().map(|t| t.name.as_str()).collect();
    assert_eq!(names.len(), 4, "{names:?}: the schema's and the user's, not ours");
    let of = |name: &str| live.iter().find(|t| t.name == name).unwrap();
    for t in &schema().tables {
        let l = of(t.stored_name());
        let key: Vec<&str> = t.primary_key.iter().map(|c| t.column(*c).name.as_str()).collect();
        assert_eq!(l.primary_key, key);
        assert_eq!(l.columns.len(), t.columns.len());
        for column in &t.columns {
            assert!(l.column(&column.name).is_some(), "{}", column.name);
        }
    }
    let other = of("else");
    assert!(other.is_unique(&["b"]) && other.is_unique(&["a"]) && !other.is_unique(&["c"]));
    assert!(other.is_indexed(&["c"]) && other.is_indexed(&["b", "c"]) && !other.is_indexed(&["c", "a"]));
    let b = other.column("B").unwrap();
    assert_eq!((b.ty.clone(), b.nullable), (Type::Text { max: Some(7) }, false));
    assert_eq!(other.column("c").unwrap().ty, Type::Decimal { limits: Some((8, 2)) });
    // Of a store without types a key of whole numbers is a row id.
    assert_eq!(
        (other.column("a").unwrap().generated, other.column("a").unwrap().nullable),
        (rig.typed.is_none(), false)
    );
    // Whichever way the store captures, a trigger of ours names a column.
    let triggers = &of("Projects").triggers;
    assert!(triggers.iter().any(|t| t.ours && t.columns.iter().any(|c| c == "ProjectId")), "{triggers:?}");
    assert!(other.triggers.is_empty() && other.rows.is_none_or(|n| n == 0));
}

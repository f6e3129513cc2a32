//! What a store's log must tell: changes, who made them, keys that moved.

use super::*;

pub fn spec(table: TableId, watched: &[u32], old: &[u32]) -> CaptureSpec {
    let ids = |all: &[u32]| all.iter().map(|i| c(*i)).collect();
    CaptureSpec { table, watched: ids(watched), old: ids(old) }
}

fn log(store: &dyn Store, tables: &[TableId], legs: &[&str]) -> Vec<Change> {
    let mut out = Vec::new();
    let legs: Vec<String> = legs.iter().map(|l| l.to_string()).collect();
    let start = Position::default();
    let done = store.snapshot().unwrap().changes(&start, tables, &legs, 1000, &mut out).unwrap();
    assert!(done);
    out
}

pub fn captures(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    assert!(!store.is_prepared().unwrap());
    store.prepare().unwrap();
    store.prepare().unwrap();
    assert!(store.is_prepared().unwrap());
    let identity = store.identity().unwrap();
    assert!(!identity.store_id.is_empty() && identity == store.identity().unwrap());
    let specs = [spec(KINDS, &[1, 3], &[1, 3, 13, 11]), spec(PROJECTS, &[2], &[])];
    assert_eq!(store.capture("p", &specs).unwrap(), vec![KINDS, PROJECTS]);
    assert_eq!(store.capture("p", &specs).unwrap(), vec![]);
    let start = store.snapshot().unwrap().head().unwrap();
    assert_eq!(store.snapshot().unwrap().witness(&start).unwrap(), Some(String::new()));
    let id = "00000000-0000-0000-0000-00000000000";
    rig.sql(&format!("INSERT INTO \"Kinds\" (\"Id\", \"Name\", \"Amount\") VALUES ('{id}1', 'a,''b', '1.10')"));
    rig.sql("UPDATE \"Kinds\" SET \"Num\" = 5");
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'A,''b'");
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'A,''b'");
    rig.sql("DELETE FROM \"Kinds\"");
    rig.sql("INSERT INTO \"Lines\" (\"Text\") VALUES ('not captured')");
    let all = log(store, &[KINDS, PROJECTS, LINES], &[]);
    let ops: Vec<Op> = all.iter().map(|x| x.op).collect();
    assert_eq!(ops, vec![Op::Insert, Op::Update, Op::Delete], "{all:?}");
    assert!(all.iter().all(|x| x.key == Ok(vec![uuid(1)]) && x.origin.is_none() && x.table == KINDS));
    assert!(all.iter().all(|x| x.old_key.is_none() && !x.settles && x.path.is_empty() && x.at.len() == 24));
    assert!(all[0].old.is_empty());
    let mut old = all[1].old.clone();
    old.sort_by_key(|(c, _)| *c);
    assert_eq!(old, vec![(c(1), t("a,'b")), (c(3), dec("1.10")), (c(11), Value::Null), (c(13), Value::Null)]);
    assert!(all[2].old.contains(&(c(1), t("A,'b"))));
    // Positions, paging, marks.
    let mut snap = store.snapshot().unwrap();
    let head = snap.head().unwrap();
    assert_eq!(head, store.position_at(all[2].seq));
    assert!(!snap.witness(&head).unwrap().unwrap().is_empty());
    assert_eq!(snap.witness(&store.position_at(all[2].seq + 1)).unwrap(), None, "the log is not that long");
    let mut page = Vec::new();
    assert!(!snap.changes(&Position::default(), &[KINDS], &[], 2, &mut page).unwrap());
    assert!(snap.changes(&store.position_at(page[1].seq), &[KINDS], &[], 2, &mut page).unwrap());
    assert_eq!(page, all);
    assert_eq!(snap.count_changes(&Position::default(), &[KINDS], &[]).unwrap(), 3);
    let size = snap.log_size().unwrap();
    assert_eq!((size.rows, &size.oldest), (3, &all[0].at));
    assert!((100..3000).contains(&size.bytes), "{} bytes", size.bytes);
    store.acknowledge(&[("p/m/left".into(), head)]).unwrap();
    store.maintain().unwrap();
    assert_eq!(log(store, &[KINDS], &[]).len(), 3, "young rows stay");
}

pub fn origin_and_touch(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    insert(store, KINDS, &[0, 1], &[uuid(2), t("x")]).unwrap();
    store.capture("p", &[spec(KINDS, &[1], &[1]), spec(PROJECTS, &[2], &[])]).unwrap();
    let mut tx = store.begin().unwrap();
    tx.writing("p/m/right", false, "p/m/right").unwrap();
    tx.insert(KINDS, &[c(0), c(1)], &[uuid(1), t("x")]).unwrap().unwrap();
    tx.writing("p/m/right", true, "p/k/left p/m/right").unwrap();
    tx.update(KINDS, &[uuid(2)], &[c(1)], &[t("y")]).unwrap().unwrap();
    tx.insert(PROJECTS, &[c(0), c(1)], &[t("USSI"), t("side effect")]).unwrap().unwrap();
    tx.touch(KINDS, &[uuid(1)], &[(c(1), t("base, 'q'"))], "p/m/left").unwrap();
    assert_eq!(tx.disown_side_effects("p/m/right", &|table, _| usize::from(table == KINDS)).unwrap(), 1);
    tx.commit().unwrap();
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'z' WHERE \"Name\" = 'y'");
    // A row that is written more often in a transaction than we wrote it was changed by a trigger.
    for (ours, foreign) in [(2, 0), (1, 2)] {
        let mut tx = store.begin().unwrap();
        tx.writing("p/m/right", true, "p/m/right").unwrap();
        tx.insert(PROJECTS, &[c(0), c(1)], &[t("USSI"), t("twice")]).unwrap().unwrap();
        tx.update(PROJECTS, &[t("USSI"), t("twice")], &[c(2)], &[t("again")]).unwrap().unwrap();
        assert_eq!(tx.disown_side_effects("p/m/right", &|_, _| ours).unwrap(), foreign);
    }
    let all = log(store, &[KINDS, PROJECTS], &["p/m/left"]);
    let told: Vec<(Op, Option<&str>, bool, &str)> =
        all.iter().map(|x| (x.op, x.origin.as_deref(), x.settles, x.path.as_str())).collect();
    let both = "p/k/left p/m/right";
    assert_eq!(
        told,
        vec![
            (Op::Insert, Some("p/m/right"), false, "p/m/right"),
            (Op::Update, Some("p/m/right"), true, both),
            (Op::Insert, None, false, both),
            (Op::Touch, None, false, both),
            (Op::Update, None, false, ""),
        ]
    );
    assert_eq!(all[3].old, vec![(c(1), t("base, 'q'"))]);
    assert_eq!(all[3].key, Ok(vec![uuid(1)]));
    // Touched for another leg only.
    assert_eq!(log(store, &[KINDS], &["p/x/left"]).len(), 3);
    let own = ["p/m/right".to_string()];
    let mut snap = store.snapshot().unwrap();
    assert_eq!(snap.count_changes(&Position::default(), &[KINDS, PROJECTS], &own).unwrap(), 3);
}

pub fn key_changes_are_logged(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    store.capture("p", &[spec(PROJECTS, &[2], &[2])]).unwrap();
    rig.sql("INSERT INTO \"Projects\" (\"Company\", \"ProjectId\", \"Name\") VALUES ('USSI', 'P1', 'One')");
    rig.sql("UPDATE \"Projects\" SET \"ProjectId\" = 'P9' WHERE \"ProjectId\" = 'P1'");
    rig.sql("UPDATE \"Projects\" SET \"ProjectId\" = 'p9'");
    let all = log(store, &[PROJECTS], &[]);
    let last: Vec<&Change> = all.iter().filter(|x| x.op == Op::Update).collect();
    assert_eq!(last[0].key, Ok(vec![t("USSI"), t("P9")]));
    assert_eq!(last[0].old_key, Some(vec![t("USSI"), t("P1")]));
    assert_eq!(last[0].old, vec![(c(2), t("One"))]);
    assert_eq!(last[1].old_key, Some(vec![t("USSI"), t("P9")]), "a change of case is one");
}

pub fn capture_widens(make: Make<'_>) {
    let rig = make(schema());
    let store = rig.store.as_ref();
    store.prepare().unwrap();
    assert_eq!(store.capture("p", &[spec(KINDS, &[1], &[])]).unwrap(), vec![KINDS]);
    assert_eq!(store.capture("q", &[spec(KINDS, &[2], &[2])]).unwrap(), vec![KINDS]);
    assert_eq!(store.capture("r", &[spec(KINDS, &[2], &[])]).unwrap(), vec![]);
    rig.sql("INSERT INTO \"Kinds\" (\"Id\") VALUES ('00000000-0000-0000-0000-000000000001')");
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'x'");
    rig.sql("UPDATE \"Kinds\" SET \"Num\" = 1");
    assert_eq!(log(store, &[KINDS], &[]).len(), 3);
    assert_eq!(store.capture("q", &[]).unwrap(), vec![]);
    assert_eq!(store.capture("r", &[]).unwrap(), vec![]);
    rig.sql("UPDATE \"Kinds\" SET \"Num\" = 2");
    rig.sql("UPDATE \"Kinds\" SET \"Name\" = 'y'");
    assert_eq!(log(store, &[KINDS], &[]).len(), 4);
    assert_eq!(store.capture("p", &[]).unwrap(), vec![]);
    rig.sql("DELETE FROM \"Kinds\"");
    assert_eq!(log(store, &[KINDS], &[]).len(), 4);
}

//! What only a replication slot does, and what it must do as the triggers do it.

use super::cluster::{self, Cluster, Sql};
use super::tests::{T, c, int, numbers, ops, over_by, since, text, watch_all};
use super::*;
use crate::schema::Column;
use crate::store::conformance::col;
use crate::value::{Collation, Type};
use std::time::Duration;

const LOGICAL: &str = "&capture=logical";
const LEG: &str = "p/m/left";

/// A cluster on which slots can be made.
fn logical() -> Option<Cluster> {
    let cluster = (!cluster::left_out()).then(Cluster::any)?;
    cluster.ways().contains(&LOGICAL).then_some(cluster)
}

/// Own writes are known, whatever they are; what a user's trigger makes of them is not ours.
#[test]
fn own_writes_are_known_and_side_effects_travel() {
    if cluster::left_out() {
        return;
    }
    let cluster = Cluster::any();
    for way in cluster.ways() {
        let nocase = Column { collation: Collation::NoCase, ..col("id", Type::Text { max: None }) };
        let sql = "CREATE TABLE t (id text PRIMARY KEY, v bigint); CREATE UNIQUE INDEX ON t (lower(id)); \
                   INSERT INTO t SELECT 'u' || i, 0 FROM generate_series(1, 20) i; \
                   CREATE FUNCTION more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN \
                   IF NEW.v = 7 THEN INSERT INTO t VALUES (NEW.id || '-side', 0); END IF; \
                   IF NEW.v = 8 THEN UPDATE t SET v = 80 WHERE id = NEW.id; END IF; RETURN NULL; END $$; \
                   CREATE TRIGGER more AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION more()";
        let (store, url) = over_by(&cluster, way, sql, vec![nocase, col("v", Type::Integer)]);
        watch_all(&store);
        let mut tx = store.begin().unwrap();
        tx.writing(LEG, false, "p/k/right p/m/left").unwrap();
        let all = [c(0), c(1)];
        // By COPY, alone, changed together, changed under another case of the key, given another key, gone.
        let rows: Vec<[Value; 2]> = (0..12).map(|i| [text(&format!("n{i}")), int(i)]).collect();
        let rows: Vec<&[Value]> = rows.iter().map(|r| &r[..]).collect();
        let mut told = Vec::new();
        tx.insert_all(T, &all, &rows, &mut told).unwrap();
        assert!(told.iter().all(|o| o.is_ok()));
        tx.insert(T, &all, &[text("alone"), int(1)]).unwrap().unwrap();
        // Refused, and everything since the savepoint again.
        assert!(tx.insert(T, &all, &[text("ALONE"), int(1)]).unwrap().is_err());
        let keys: Vec<[Value; 1]> = (1..12).map(|i| [text(&format!("U{i}"))]).collect();
        let pairs: Vec<(&[Value], &[Value])> =
            keys.iter().map(|k| (&k[..], std::slice::from_ref(&rows[1][1]))).collect();
        let mut told = Vec::new();
        tx.update_all(T, &[c(1)], &pairs, &mut told).unwrap();
        assert!(told.iter().all(|o| o.is_ok()));
        tx.update(T, &[text("u12")], &[c(0)], &[text("moved")]).unwrap().unwrap();
        tx.delete(T, &[text("u13")]).unwrap().unwrap();
        let gone: Vec<[Value; 1]> = (14..21).map(|i| [text(&format!("u{i}"))]).collect();
        let gone: Vec<&[Value]> = gone.iter().map(|k| &k[..]).collect();
        let mut told = Vec::new();
        tx.delete_all(T, &gone, &mut told).unwrap();
        // What was meant, by its key as it compares.
        let known = |k: &[Value]| matches!(k, [Value::Text(t)] if !t.contains("side"));
        tx.disown_side_effects(LEG, &|_, k| usize::from(known(k))).unwrap();
        tx.commit().unwrap();
        let log = since(&store, &Position::default());
        let key = |c: &crate::store::Change| c.key.as_ref().unwrap()[0].to_string().replace('\'', "");
        let mut foreign: Vec<String> = log.iter().filter(|c| c.origin.is_none()).map(key).collect();
        foreign.sort();
        // The row that a trigger made, and the one that it changed, both times.
        assert_eq!(foreign, ["n7-side", "n8", "n8"], "{way}");
        assert_eq!(log.len(), 12 + 1 + 1 + 1 + 11 + 1 + 1 + 7, "{way}");
        for change in &log {
            assert_eq!(change.path, "p/k/right p/m/left", "{way}: {change:?}");
            assert!(change.origin.as_deref().is_none_or(|o| o == LEG) && !change.settles);
        }
        // Nobody else is taken for the leg.
        Sql::open(&url).run("UPDATE t SET v = 3 WHERE id = 'n1'").unwrap();
        let last = since(&store, &Position::default()).pop().unwrap();
        assert_eq!((last.origin, last.path.as_str(), last.old.len()), (None, "", 2), "{way}");
    }
}

/// More rows than are held at once; subtransactions; transactions that are rolled back; values that do not change and are
/// too long to be sent again.
#[test]
fn large_transactions_and_large_values() {
    let Some(cluster) = logical() else { return };
    let columns = vec![col("id", Type::Integer), col("v", Type::Integer), col("doc", Type::Text { max: None })];
    let sql = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint, doc text)";
    let (store, url) = over_by(&cluster, LOGICAL, sql, columns);
    watch_all(&store);
    let user = Sql::open(&url);
    user.run("INSERT INTO t SELECT i, i FROM generate_series(1, 12000) i").unwrap();
    user.run("BEGIN; INSERT INTO t VALUES (20000, 1); ROLLBACK").unwrap();
    user.run(
        "BEGIN; SAVEPOINT a; INSERT INTO t VALUES (20001, 1); ROLLBACK TO a; INSERT INTO t VALUES (20002, 1); COMMIT",
    )
    .unwrap();
    let long: String = (0..4000u32).map(|i| char::from(b'a' + u8::try_from(i * i % 26).unwrap())).collect();
    user.run(&format!(
        "ALTER TABLE t ALTER doc SET STORAGE EXTERNAL; INSERT INTO t VALUES (20003, 1, '{long}'); \
         UPDATE t SET v = 2 WHERE id = 20003; UPDATE t SET doc = doc WHERE id = 20003; DELETE FROM t WHERE id = 20003"
    ))
    .unwrap();
    let log = since(&store, &Position::default());
    let told = ops(&store);
    assert_eq!((log.len(), told[12000].as_str()), (12_004, "Insert 20002"));
    assert_eq!(told[12_001..], ["Insert 20003", "Update 20003", "Delete 20003"]);
    for change in &log[12_002..] {
        assert!(change.old.contains(&(c(2), text(&long))), "what it was is known");
    }
    // Those who come later find the slot where it was left, however often they look.
    assert_eq!(since(&store, &store.snapshot().unwrap().head().unwrap()), []);
    let held = store.snapshot().unwrap().log_size().unwrap().held_back;
    assert!(held.is_some_and(|bytes| bytes < 64 << 20), "{held:?}");
}

/// Transactions that do not wait for the disk are seen, and read, at once.
#[test]
fn what_a_view_sees_is_in_its_log() {
    let Some(cluster) = logical() else { return };
    let (store, url) = over_by(&cluster, LOGICAL, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)", numbers());
    watch_all(&store);
    let user = Sql::open(&url);
    user.run("SET synchronous_commit = off").unwrap();
    for i in 0..100 {
        user.run(&format!("INSERT INTO t VALUES ({i}, 1)")).unwrap();
        assert_eq!(since(&store, &Position::default()).len(), i + 1);
    }
}

#[test]
fn a_table_that_is_emptied_in_silence_stops_those_who_read_it() {
    let Some(cluster) = logical() else { return };
    let (store, url) = over_by(&cluster, LOGICAL, "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)", numbers());
    watch_all(&store);
    let user = Sql::open(&url);
    user.run("INSERT INTO t VALUES (1, 1)").unwrap();
    let position = store.snapshot().unwrap().head().unwrap();
    user.run("ALTER TABLE t DISABLE TRIGGER _tablemap_capture_truncate; TRUNCATE t").unwrap();
    let told = store.snapshot().err().unwrap().to_string();
    assert!(told.contains("`public.t` was emptied by TRUNCATE") && told.contains("tablemap recover"), "{told}");
    // And so for whoever comes later.
    let mut view = store.snapshot().unwrap();
    assert_eq!(view.witness(&position).unwrap(), None);
    user.run("INSERT INTO t VALUES (2, 1)").unwrap();
    assert_eq!(ops(&store), ["Insert 1", "Insert 2"]);
}

#[test]
fn a_server_or_a_user_that_cannot_is_told() {
    let Some(cluster) = logical() else { return };
    let role = format!("r{}", uuid::Uuid::new_v4().simple());
    let table = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint)";
    let (store, url) = over_by(&cluster, LOGICAL, table, numbers());
    let user = Sql::open(&url);
    let database = user.rows("SELECT current_database()").remove(0);
    user.run(&format!("CREATE ROLE {role} LOGIN PASSWORD 'x'; GRANT CREATE ON DATABASE {database} TO {role}")).unwrap();
    let theirs = url.replace(&format!("tester:{}", cluster::PASSWORD), &format!("{role}:x"));
    let schema = store.schema().clone();
    let limited = PostgresStore::open("s", &format!("{theirs}{LOGICAL}"), schema, Options::default()).unwrap();
    limited.prepare().unwrap();
    let spec = || vec![CaptureSpec { table: T, watched: vec![c(1)], old: vec![] }];
    let told = limited.capture("p", &spec()).unwrap_err().to_string();
    assert!(told.contains("REPLICATION"), "{told}");
    user.run(&format!("ALTER ROLE {role} REPLICATION; GRANT SELECT ON t TO {role}")).unwrap();
    let told = limited.capture("p", &spec()).unwrap_err().to_string();
    assert!(told.contains("cannot be published") && told.contains("grant it their role"), "{told}");
    user.run(&format!("ALTER TABLE t OWNER TO {role}")).unwrap();
    assert_eq!(limited.capture("p", &spec()).unwrap(), [T]);
    user.run("INSERT INTO t VALUES (1, 1)").unwrap();
    assert_eq!(ops(&limited), ["Insert 1"]);
    // Nobody wants anything any more: nothing is left.
    limited.capture("p", &[]).unwrap();
    assert_eq!(user.rows("SELECT slot_name FROM pg_replication_slots WHERE database = current_database()"), [""; 0]);
    assert_eq!(user.rows("SELECT pubname FROM pg_publication"), [""; 0]);
    user.run(&format!("DROP OWNED BY {role} CASCADE; DROP ROLE {role}")).unwrap();
    let plain = Cluster::own(&[("wal_level", "replica")]);
    let (store, _) = over_by(&plain, LOGICAL, table, numbers());
    store.prepare().unwrap();
    let told = store.capture("p", &spec()).unwrap_err().to_string();
    assert!(told.contains("wal_level = logical") && told.contains("`replica`"), "{told}");
}

/// A message stands in the stream by its end and a row by its beginning: in two subtransactions the first row after a
/// message may come before it.
#[test]
fn who_writes_is_said_before_the_first_row() {
    let Some(cluster) = logical() else { return };
    let sql =
        "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); INSERT INTO t SELECT i, 0 FROM generate_series(1, 20) i";
    let (store, _) = over_by(&cluster, LOGICAL, sql, numbers());
    watch_all(&store);
    let keys: Vec<[Value; 1]> = (1..21).map(|k| [int(k)]).collect();
    for round in 1..40 {
        let (position, v) = (store.snapshot().unwrap().head().unwrap(), [int(round)]);
        let rows: Vec<(&[Value], &[Value])> = keys.iter().map(|k| (&k[..], &v[..])).collect();
        let fresh: Vec<[Value; 2]> = (0..8 + round % 9).map(|i| [int(round * 100 + i), int(0)]).collect();
        let fresh: Vec<&[Value]> = fresh.iter().map(|r| &r[..]).collect();
        let mut tx = store.begin().unwrap();
        tx.writing(LEG, true, "p/m/left").unwrap();
        tx.insert_all(T, &[c(0), c(1)], &fresh, &mut Vec::new()).unwrap();
        let parts = rows.split_at(9);
        for (some, settles) in [(parts.0, false), (&parts.1[..1], true), (&parts.1[1..], false)] {
            tx.writing(LEG, settles, "p/m/left").unwrap();
            tx.update_all(T, &[c(1)], some, &mut Vec::new()).unwrap();
        }
        tx.disown_side_effects(LEG, &|_, _| 1).unwrap();
        tx.commit().unwrap();
        let log = since(&store, &position);
        let told: Vec<_> = log.iter().map(|c| (c.origin.is_some(), c.settles)).collect();
        let wanted = [vec![true; fresh.len()], vec![false; 9], vec![true], vec![false; 10]].concat();
        assert_eq!(told, wanted.into_iter().map(|settles| (true, settles)).collect::<Vec<_>>(), "{round}");
    }
}

/// What happened, as a trigger of the users' own wrote it down in the same transactions.
const AUDITED: &str = "CREATE TABLE t (id bigint PRIMARY KEY, v bigint); \
    INSERT INTO t SELECT i, 0 FROM generate_series(1, 50) i; \
    CREATE TABLE audit (id bigint, op text, ours boolean); \
    CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO audit VALUES (NEW.id, TG_OP, \
    coalesce(current_setting('tablemap.writer', true), '') <> ''); RETURN NULL; END $$; \
    CREATE TRIGGER audit AFTER INSERT OR UPDATE ON t FOR EACH ROW EXECUTE FUNCTION audit()";

/// Whatever the moment at which connections are cut or the server dies, and whoever else reads: each change is in the log
/// once, with its origin, and whoever reads on from where they were reads each once.
#[test]
fn cuts_and_crashes_lose_and_repeat_nothing() {
    if cluster::left_out() {
        return;
    }
    for way in ["", LOGICAL] {
        cut_and_crashed(&mut Cluster::own(&[("fsync", "on")]), way);
    }
}

fn cut_and_crashed(cluster: &mut Cluster, way: &str) {
    let (store, url) = over_by(cluster, way, AUDITED, numbers());
    watch_all(&store);
    let stop = std::sync::atomic::AtomicBool::new(false);
    let going = || !stop.load(Ordering::Relaxed);
    let passing = |e: StoreError| match e {
        StoreError::Unreachable { .. } | StoreError::Lost { .. } => std::thread::sleep(Duration::from_millis(5)),
        e => panic!("{way}: {e}"),
    };
    // Reads on from where it was; the numbers of what it read.
    let read = |position: &mut Position, seen: &mut Vec<i64>| -> Result<()> {
        let mut view = store.snapshot()?;
        let mut some = Vec::new();
        view.changes(position, &[T], &[], 100_000, &mut some)?;
        *position = view.head()?;
        seen.extend(some.iter().map(|c| c.seq));
        Ok(())
    };
    // Never what the row holds: people only count up.
    let write = |n: i64| -> Result<()> {
        let mut tx = store.begin()?;
        tx.writing(LEG, false, "p/m/left")?;
        let keys: Vec<i64> = (0..10).map(|i| (n * 7 + i) % 50 + 1).collect();
        let (keys, v) = (keys.into_iter().map(|k| [int(k)]).collect::<Vec<_>>(), [int(-n)]);
        let rows: Vec<(&[Value], &[Value])> = keys.iter().map(|k| (&k[..], &v[..])).collect();
        tx.update_all(T, &[c(1)], &rows, &mut Vec::new())?;
        tx.disown_side_effects(LEG, &|_, _| 1)?;
        tx.commit()
    };
    let readers: Vec<(Position, Vec<i64>)> = std::thread::scope(|scope| {
        let readers: Vec<_> = (0..2)
            .map(|_| {
                scope.spawn(|| {
                    let (mut position, mut seen) = (Position::default(), Vec::new());
                    while going() {
                        read(&mut position, &mut seen).unwrap_or_else(passing);
                    }
                    (position, seen)
                })
            })
            .collect();
        scope.spawn(|| (1..).take_while(|_| going()).for_each(|n| write(n).unwrap_or_else(passing)));
        for first in [100, 1_000_000] {
            let (url, going) = (url.clone(), &going);
            scope.spawn(move || {
                let mut sql = None;
                for n in (first..).take_while(|_| going()) {
                    let Some(user) = sql.take().or_else(|| Sql::try_open(&url).ok()) else { continue };
                    let text = format!(
                        "BEGIN; INSERT INTO t VALUES ({n}, 0); UPDATE t SET v = v + 1 WHERE id = {}; COMMIT",
                        n % 50 + 1
                    );
                    match user.run(&text) {
                        Ok(()) => sql = Some(user),
                        Err(_) => continue,
                    }
                }
            });
        }
        let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'tablemap'";
        for round in 0..30u64 {
            std::thread::sleep(Duration::from_millis(40 + round * 13 % 60));
            match round % 15 {
                14 => {
                    cluster.stop("QUIT");
                    cluster.start();
                }
                _ => drop(cluster.sql("postgres").run(cut)),
            }
        }
        stop.store(true, Ordering::Relaxed);
        readers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    // Whose connection was cut may be about to commit all the same.
    let user = Sql::open(&url);
    while user.rows("SELECT pid FROM pg_stat_activity WHERE backend_xid IS NOT NULL") != [""; 0] {
        std::thread::sleep(Duration::from_millis(10));
    }
    let log = since(&store, &Position::default());
    let mut told: Vec<String> = log
        .iter()
        .map(|c| format!("{}|{:?}|{}", c.key.as_ref().unwrap()[0], c.op, c.origin.is_some()).to_uppercase())
        .collect();
    told.sort();
    let mut truth: Vec<String> =
        user.rows("SELECT id, op, ours::text FROM audit").iter().map(|r| r.to_uppercase()).collect();
    truth.sort();
    let lacking: Vec<_> = truth.iter().filter(|t| !told.contains(t)).collect();
    assert!(truth == told, "{way}: {} happened, {} are in the log, of none: {lacking:?}", truth.len(), told.len());
    let all: Vec<i64> = log.iter().map(|c| c.seq).collect();
    for (mut position, mut seen) in readers {
        read(&mut position, &mut seen).unwrap();
        assert!(seen == all, "{way}: {} were read of {}", seen.len(), all.len());
    }
}

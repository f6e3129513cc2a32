//! What only a replication slot does, and what it must do as the triggers do it.

use super::cluster::{self, Cluster, Sql};
use super::tests::{T, c, int, numbers, ops, over_by, since, text, watch_all};
use super::*;
use crate::schema::Column;
use crate::store::conformance::col;
use crate::value::{Collation, Type};

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

//! People of the simulator who write to PostgreSQL: the templates' SQL, said in its words.

use crate::cluster::{Cluster, Sql};
use std::collections::BTreeMap;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use tablemap::schema::StoreSchema;
use tablemap::store::Store;
use tablemap::store::postgres::{Options, PostgresStore};

/// A database in the place of a file. It is given back when the case ends, and emptied before the next one has it.
pub struct Server {
    cluster: Arc<Shared>,
    url: String,
    sql: Arc<Sql>,
    /// Names of tables and columns, which stand quoted in the database.
    names: Vec<String>,
    /// The primary key's columns by table.
    keys: BTreeMap<String, Vec<String>>,
    columns: BTreeMap<String, Vec<String>>,
}

/// The next case finds a database without tables, and state tables without rows: to make those takes longer than most
/// cases do.
const EMPTIED: &str = "ROLLBACK; DROP SCHEMA public CASCADE; CREATE SCHEMA public; \
    DO $$ DECLARE sql text; BEGIN \
    FOR sql IN SELECT format('DELETE FROM tablemap.%I', tablename) FROM pg_tables \
    WHERE schemaname = 'tablemap' AND tablename <> '_tablemap_meta' \
    UNION ALL SELECT 'UPDATE tablemap._tablemap_meta SET store_id = gen_random_uuid(), incarnation = gen_random_uuid(), floor = 0' \
    WHERE to_regclass('tablemap._tablemap_meta') IS NOT NULL \
    UNION ALL SELECT format('DROP FUNCTION %s CASCADE', oid::regprocedure) FROM pg_proc \
    WHERE pronamespace = to_regnamespace('tablemap') LOOP EXECUTE sql; END LOOP; END $$";

/// A server for all cases that are played at one time.
pub struct Shared {
    cluster: Cluster,
    /// Databases that nobody plays in.
    free: Mutex<Vec<(String, Arc<Sql>)>>,
    /// The server ends with the thread that started it, which ends when this goes.
    _started: Sender<()>,
}

impl Shared {
    fn new() -> Shared {
        let (started, ends) = channel::<()>();
        let (hand, taken) = channel();
        std::thread::spawn(move || {
            let cluster = match std::env::var("TABLEMAP_TEST_POSTGRES") {
                Ok(_) => Cluster::any(),
                Err(_) => Cluster::quick(),
            };
            // Nobody sends anything: it ends when the other end is gone.
            let _ = hand.send(cluster).is_ok() && ends.recv().is_ok();
        });
        let cluster = taken.recv().unwrap_or_else(|_| panic!("PostgreSQL cannot be started"));
        Shared { cluster, free: Mutex::default(), _started: started }
    }

    fn database(&self) -> (String, Arc<Sql>) {
        let known = self.free.lock().unwrap_or_else(PoisonError::into_inner).pop();
        if let Some((url, sql)) = known {
            // Engines that died left connections behind, which are gone in a moment.
            sql.run(EMPTIED).unwrap();
            return (url, sql);
        }
        let url = self.cluster.database();
        let sql = Arc::new(Sql::open(&url));
        // People write 0 and 1 for truth values, as in SQLite.
        sql.run(
            "SET client_min_messages = error; \
             UPDATE pg_cast SET castcontext = 'a' WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype",
        )
        .unwrap();
        (url, sql)
    }
}

/// Where the stores do not lie in files.
pub fn asked() -> Option<usize> {
    match std::env::var("TABLEMAP_SIM_POSTGRES").as_deref() {
        Ok("all") => Some(0),
        Ok("mixed") => Some(1),
        _ => None,
    }
}

/// The server that plays; whoever holds it keeps it going.
pub fn shared() -> Option<Arc<Shared>> {
    static SHARED: Mutex<Weak<Shared>> = Mutex::new(Weak::new());
    asked()?;
    let mut known = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    let shared = known.upgrade().unwrap_or_else(|| Arc::new(Shared::new()));
    *known = Arc::downgrade(&shared);
    Some(shared)
}

/// The stores that lie in PostgreSQL, as the environment says.
pub fn servers(schemas: &[(String, Arc<StoreSchema>)]) -> BTreeMap<String, Server> {
    let (Some(skipped), Some(shared)) = (asked(), shared()) else { return BTreeMap::new() };
    schemas.iter().skip(skipped).map(|(name, schema)| (name.clone(), Server::new(shared.clone(), schema))).collect()
}

impl Drop for Server {
    fn drop(&mut self) {
        let mut free = self.cluster.free.lock().unwrap_or_else(PoisonError::into_inner);
        free.push((std::mem::take(&mut self.url), self.sql.clone()));
    }
}

impl Server {
    fn new(cluster: Arc<Shared>, schema: &StoreSchema) -> Server {
        let (url, sql) = cluster.database();
        sql.run(
            "CREATE FUNCTION is_number(boolean, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1::int = $2'; \
             CREATE OPERATOR = (LEFTARG = boolean, RIGHTARG = integer, FUNCTION = is_number)",
        )
        .unwrap();
        sql.run("SET search_path = public, tablemap").unwrap();
        let mut server = Server { cluster, url, sql, names: vec![], keys: BTreeMap::new(), columns: BTreeMap::new() };
        for t in &schema.tables {
            let columns: Vec<String> = t.columns.iter().map(|c| c.name.clone()).collect();
            server.names.push(t.name.clone());
            server.names.extend(columns.clone());
            let key = t.primary_key.iter().map(|c| t.column(*c).name.clone()).collect();
            server.keys.insert(t.name.to_lowercase(), key);
            server.columns.insert(t.name.to_lowercase(), columns);
        }
        server
    }

    pub fn open(&self, name: &str, schema: Arc<StoreSchema>) -> Arc<dyn Store> {
        Arc::new(PostgresStore::open(name, &self.url, schema, Options::default()).unwrap())
    }

    /// Whether it was done; a refused one is refused by the table's own rules.
    pub fn sql(&self, sql: &str) -> bool {
        let told = self.translated(sql);
        let done = self.sql.run(&format!("begin; {told}; commit"));
        if let Err(e) = &done {
            self.sql.run("rollback").unwrap();
            let rules = ["duplicate key", "not-null", "violates check", "value too long"];
            let own = rules.iter().any(|r| e.contains(r));
            assert!(own, "a direct change failed: {told}: {e}");
        }
        done.is_ok()
    }

    /// Rows as text, null as `-`, truth values as SQLite has them.
    pub fn rows(&self, sql: &str) -> Vec<Vec<String>> {
        let sql = match sql.strip_prefix("select 1 from sqlite_master where name = ") {
            Some(name) => format!("select 1 from pg_tables where tablename = {name}"),
            // The state tables' names are small.
            None if sql.contains("_tablemap_") => sql.to_string(),
            None => self.translated(sql),
        };
        let cell = |c: Option<String>| match c.as_deref() {
            None => "-".to_string(),
            Some("t") => "1".into(),
            Some("f") => "0".into(),
            Some(other) => other.to_string(),
        };
        self.sql.cells(&sql).into_iter().map(|r| r.into_iter().map(cell).collect()).collect()
    }

    fn translated(&self, sql: &str) -> String {
        let sql = sql.replace("ifnull(", "coalesce(").replace("sw(a, b)", "sw(a text, b text)");
        // Only a text can be blank there.
        let sql = sql.replace("coalesce(top, '')", "coalesce(top::text, '')");
        let all: Vec<String> = sql.split(';').map(|one| self.statement(one.trim())).collect();
        all.join("; ")
    }

    fn statement(&self, sql: &str) -> String {
        let word = |prefix: &str| {
            let rest = sql.get(prefix.len()..).filter(|_| sql.to_lowercase().starts_with(prefix))?;
            let table: String = rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            Some((rest.trim_start().to_string(), table))
        };
        if let Some((rest, _)) = word("insert or ignore into") {
            return format!("{} on conflict do nothing", self.quoted(&format!("insert into {rest}")));
        }
        if let Some((rest, table)) = word("insert or replace into") {
            let table = table.to_lowercase();
            let key = self.keys.get(&table).cloned().unwrap_or_default();
            let list = |names: &[String]| names.iter().map(|n| format!("\"{n}\"")).collect::<Vec<_>>().join(", ");
            let set: Vec<String> = self.columns[&table].iter().map(|c| format!("\"{c}\" = excluded.\"{c}\"")).collect();
            let insert = self.quoted(&format!("insert into {rest}"));
            return format!("{insert} on conflict ({}) do update set {}", list(&key), set.join(", "));
        }
        match ["update or replace", "update or ignore"].into_iter().find_map(word) {
            Some((rest, _)) => self.quoted(&format!("update {rest}")),
            None => self.quoted(sql),
        }
    }

    /// Names in quotes, as the tables were made.
    fn quoted(&self, sql: &str) -> String {
        // A name that several tables write differently is that of a table in the statement.
        let words: Vec<String> = sql.split(|c: char| !c.is_alphanumeric() && c != '_').map(str::to_lowercase).collect();
        let here = self.columns.iter().filter(|(t, _)| words.contains(t)).flat_map(|(_, columns)| columns);
        let names: Vec<&String> = here.chain(&self.names).collect();
        let mut out = String::new();
        let mut chars = sql.chars().peekable();
        while let Some(c) = chars.next() {
            if c == '\'' || c == '"' {
                out.push(c);
                for inner in chars.by_ref() {
                    out.push(inner);
                    if inner == c {
                        break;
                    }
                }
            } else if c.is_alphabetic() || c == '_' {
                let mut name = String::from(c);
                while let Some(c) = chars.next_if(|c| c.is_alphanumeric() || *c == '_') {
                    name.push(c);
                }
                match names.iter().find(|n| n.eq_ignore_ascii_case(&name)) {
                    Some(exact) => out.push_str(&format!("\"{exact}\"")),
                    _ => out.push_str(&name),
                }
            } else {
                out.push(c);
            }
        }
        out
    }
}

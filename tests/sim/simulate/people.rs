//! People of the simulator who write to PostgreSQL: the templates' SQL, said in its words.

use crate::cluster::{Cluster, Sql};
use std::collections::BTreeMap;
use std::sync::Arc;
use tablemap::schema::StoreSchema;
use tablemap::store::Store;
use tablemap::store::postgres::{Options, PostgresStore};

/// A database in the place of a file.
pub struct Server {
    url: String,
    sql: Sql,
    /// Names of tables and columns, which stand quoted in the database.
    names: Vec<String>,
    /// The primary key's columns by table.
    keys: BTreeMap<String, Vec<String>>,
    columns: BTreeMap<String, Vec<String>>,
}

thread_local! {
    static CLUSTER: Cluster = Cluster::any();
}

/// The stores that lie in PostgreSQL, as the environment says.
pub fn servers(schemas: &[(String, Arc<StoreSchema>)]) -> BTreeMap<String, Server> {
    let skipped = match std::env::var("TABLEMAP_SIM_POSTGRES").as_deref() {
        Ok("all") => 0,
        Ok("mixed") => 1,
        _ => return BTreeMap::new(),
    };
    let url = || CLUSTER.with(Cluster::database);
    schemas.iter().skip(skipped).map(|(name, schema)| (name.clone(), Server::new(url(), schema))).collect()
}

impl Server {
    fn new(url: String, schema: &StoreSchema) -> Server {
        let sql = Sql::open(&url);
        // People write 0 and 1 for truth values, as in SQLite.
        sql.run(
            "UPDATE pg_cast SET castcontext = 'a' WHERE castsource = 'int4'::regtype AND casttarget = 'bool'::regtype",
        )
        .unwrap();
        sql.run(
            "CREATE FUNCTION is_number(boolean, integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1::int = $2'; \
             CREATE OPERATOR = (LEFTARG = boolean, RIGHTARG = integer, FUNCTION = is_number)",
        )
        .unwrap();
        sql.run("SET search_path = public, tablemap; SET client_min_messages = error").unwrap();
        let mut server = Server { url, sql, names: vec![], keys: BTreeMap::new(), columns: BTreeMap::new() };
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

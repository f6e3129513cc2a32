//! The world of engine tests on a PostgreSQL server: each store a schema of one database.

use super::World;
use crate::cluster::Sql;

/// The kinds of the stores of a world: of all of them, or of those after the first.
fn kind(place: usize) -> Option<&'static str> {
    let pair = std::env::var("TABLEMAP_TEST_PAIR").ok()?;
    match (pair.as_str(), place) {
        ("postgres", _) | ("sqlite-postgres", 1..) | ("postgres-sqlite", 0) => Some(""),
        ("logical", _) => Some("&capture=logical"),
        ("sqlite-postgres" | "postgres-sqlite", _) => None,
        (other, _) => panic!("TABLEMAP_TEST_PAIR is `{other}`"),
    }
}

impl World {
    /// Where a store is, if it is on a server: what its schema is called, its url for people, what the engine's ends with.
    pub(super) fn server(&self, store: &str) -> Option<(String, String, &'static str)> {
        let place = self.schemas.iter().position(|(name, _)| name == store).unwrap_or(0);
        let way = kind(place)?;
        let schema = format!("{}_{store}", self.mark);
        let base = std::env::var("TABLEMAP_TEST_POSTGRES").unwrap();
        let url = format!("{base}/postgres?sslmode=disable&options=-csearch_path%3D{schema},{schema}_state");
        Some((schema, url, way))
    }

    pub(super) fn make_schemas(&self) {
        for (name, _) in &self.schemas {
            if let Some((schema, url, _)) = self.server(name) {
                Sql::open(&url).run(&format!("CREATE SCHEMA {schema}")).unwrap();
            }
        }
    }

    /// People write names as they like; the server takes them for small letters.
    pub(super) fn fold_names(&self) {
        for (name, _) in &self.schemas {
            let Some((schema, url, _)) = self.server(name) else { continue };
            let sql = Sql::open(&url);
            for (catalog, what) in
                [("column", "COLUMN %I TO %I', table_name, column_name"), ("table", "TO %I', table_name")]
            {
                for row in sql.cells(&format!(
                    "SELECT format('ALTER TABLE %I RENAME {what}, lower({catalog}_name)) FROM information_schema.{catalog}s \
                     WHERE table_schema = '{schema}' AND {catalog}_name <> lower({catalog}_name)"
                )) {
                    sql.run(row[0].as_deref().unwrap_or_default()).unwrap();
                }
            }
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        for (name, _) in &self.schemas {
            let Some((schema, url, _)) = self.server(name) else { continue };
            let Ok(sql) = Sql::try_open(&url) else { continue };
            let slot = format!(
                "SELECT pg_drop_replication_slot(slot) FROM {schema}_state._tablemap_slot WHERE slot IN \
                 (SELECT slot_name FROM pg_replication_slots WHERE NOT active)"
            );
            let _ = sql.run(&slot);
            let _ = sql.run(&format!("DROP SCHEMA IF EXISTS {schema}, {schema}_state CASCADE"));
        }
    }
}

//! What the map language promises, feature by feature, on real SQLite files: in `sync`, then live.

mod company;
mod conflicts;
mod daemon;
mod guards;
mod histories;
mod identity;
mod lines;
mod lookups;
mod project;
mod records;
mod recover;
mod references;
mod related;
mod rules;
mod types;
mod windows;

use crate::harness::World;

/// Two stores `a` and `b` made of columns, one table each: `a.s` to `b.t`, their keys `id` and `ID`.
pub fn pair(a: &str, b: &str, map: &str) -> World {
    World::new(&[("a", &store("a", "s", "id", a)), ("b", &store("b", "t", "ID", b))], &[&one(map)])
}

/// The schema of a store with one table; columns as `name: type` lines.
pub fn store(name: &str, table: &str, key: &str, columns: &str) -> String {
    let lines: String =
        columns.lines().map(str::trim).filter(|l| !l.is_empty()).map(|l| format!("      {l}\n")).collect();
    format!(
        "store: {name}\ntables:\n  {table}:\n    filled: elsewhere\n    primary_key: [{key}]\n    columns:\n      {key}: {{ type: integer, required: true }}\n{lines}"
    )
}

/// A map `m` from its statements; without `tables` it runs from `a.s` into `b.t`.
pub fn one(statements: &str) -> String {
    let tables = if statements.contains("tables") { "" } else { "tables b.t <- a.s" };
    let key = if statements.contains("key ") { "" } else { "key ID = id" };
    format!("map \"M\" {{\n id m\n {tables}\n {key}\n {statements}\n}}")
}

/// One column after the other of `b.t`, by key.
pub fn t(w: &World) -> Vec<String> {
    w.rows("b", "select * from t order by ID")
}

pub fn s(w: &World) -> Vec<String> {
    w.rows("a", "select * from s order by id")
}

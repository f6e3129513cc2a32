//! The rights that maps need, as GRANT statements, and which of them a role has not got.

use super::Handle;
use super::PostgresStore;
use super::describe::Shape;
use super::read::Texts;
use super::types::{Param, ident, text_literal};
use crate::schema::ColumnId;
use crate::store::{Grant, Result, Use};
use std::collections::BTreeSet;

/// Sequences that give a table's columns their defaults: name, column.
const SEQUENCES: &str = "
SELECT DISTINCT s.oid::regclass::text, a.attname::text FROM pg_catalog.pg_attrdef ad
JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = ad.oid
JOIN pg_catalog.pg_class s ON s.oid = d.refobjid AND s.relkind = 'S'
JOIN pg_catalog.pg_attribute a ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum
WHERE ad.adrelid = $1::oid ORDER BY 1";

/// Whether a row-level policy holds a role back.
const HELD_BACK: &str = "
SELECT (c.relrowsecurity AND NOT r.rolbypassrls AND NOT r.rolsuper
        AND (c.relforcerowsecurity OR NOT pg_has_role(r.oid, c.relowner, 'USAGE')))::text
FROM pg_catalog.pg_class c, pg_catalog.pg_roles r WHERE c.oid = $1::oid AND r.rolname = $2";

/// Collects grants for one role.
struct Asked<'a> {
    handle: &'a mut Handle,
    role: String,
    /// Whether there is such a role.
    known: bool,
    all: Vec<Grant>,
}

impl Asked<'_> {
    /// Adds a statement; `has` is an SQL expression that says whether the role has the right, its name being `$1`.
    fn add(&mut self, table: Option<crate::schema::TableId>, what: &str, sql: String, has: &str) -> Result<()> {
        let missing = match self.known {
            false => true,
            true => {
                let told = self.handle.one(&format!("SELECT ({has})::text"), &[Param::from(&self.role)])?;
                told.as_deref() != Some("true")
            }
        };
        self.all.push(Grant { what: format!("`{}` may not {what}", self.role), sql, table, missing });
        Ok(())
    }
}

/// [`crate::store::Store::grants`].
pub(super) fn grants(store: &PostgresStore, uses: &[Use], role: Option<&str>) -> Result<Vec<Grant>> {
    let inner = &store.inner;
    let mut handle = store.simple()?;
    let role = role.unwrap_or(&inner.address.user).to_string();
    let known = handle.one("SELECT 'yes' FROM pg_catalog.pg_roles WHERE rolname = $1", &[Param::from(&role)])?;
    let mut asked = Asked { handle: &mut handle, known: known.is_some(), role, all: vec![] };
    let to = ident(&asked.role);
    if !asked.known {
        let sql = format!("CREATE ROLE {to} LOGIN");
        asked.all.push(Grant { what: format!("there is no role `{}`", asked.role), sql, table: None, missing: true });
    }
    if uses.is_empty() {
        return Ok(asked.all);
    }
    whole(&mut asked, &inner.address.state, &to)?;
    if inner.address.logical && uses.iter().any(|u| u.triggers) {
        slot(&mut asked, &to)?;
    }
    let mut schemas: BTreeSet<String> = BTreeSet::new();
    for u in uses {
        let t = inner.schema.get(u.table);
        // A table that is not there is told elsewhere.
        let Ok(shape) = asked.handle.session().shape(inner, u.table) else { continue };
        let (schema, _) = shape.log_name.split_once('.').unwrap_or(("public", ""));
        if schemas.insert(schema.to_string()) {
            asked.add(
                Some(u.table),
                &format!("use the schema `{schema}`"),
                format!("GRANT USAGE ON SCHEMA {} TO {to}", ident(schema)),
                &format!("has_schema_privilege($1, {}, 'USAGE')", text_literal(schema)),
            )?;
        }
        table(&mut asked, u, t.stored_name(), &shape, &to)?;
    }
    Ok(asked.all)
}

/// The database, and the schema of the state tables.
fn whole(asked: &mut Asked<'_>, state: &str, to: &str) -> Result<()> {
    let database = asked.handle.one("SELECT current_database()::text", &[])?.unwrap_or_default();
    asked.add(
        None,
        &format!("connect to the database `{database}`"),
        format!("GRANT CONNECT ON DATABASE {} TO {to}", ident(&database)),
        "has_database_privilege($1, current_database(), 'CONNECT')",
    )?;
    let there = asked.handle.one("SELECT 'yes' FROM pg_catalog.pg_namespace WHERE nspname = $1", &[state.into()])?;
    let name = ident(state);
    if there.is_none() {
        return asked.add(
            None,
            &format!("make the schema `{state}`, which holds tablemap's own tables"),
            format!("CREATE SCHEMA {name} AUTHORIZATION {to}"),
            "has_database_privilege($1, current_database(), 'CREATE')",
        );
    }
    asked.add(
        None,
        &format!("make tablemap's own tables in the schema `{state}`"),
        format!("GRANT USAGE, CREATE ON SCHEMA {name} TO {to}"),
        &format!(
            "has_schema_privilege($1, {0}, 'USAGE') AND has_schema_privilege($1, {0}, 'CREATE')",
            text_literal(state)
        ),
    )?;
    asked.add(
        None,
        &format!("use tablemap's own tables in the schema `{state}`"),
        format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {to}"),
        &format!(
            "NOT EXISTS (SELECT 1 FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND c.relnamespace = {}::regnamespace \
             AND c.relname LIKE '\\_tablemap\\_%' AND NOT (has_table_privilege($1, c.oid, 'SELECT') \
             AND has_table_privilege($1, c.oid, 'INSERT') AND has_table_privilege($1, c.oid, 'UPDATE') \
             AND has_table_privilege($1, c.oid, 'DELETE')))",
            text_literal(&name)
        ),
    )
}

/// What logical decoding needs of the server and the role.
fn slot(asked: &mut Asked<'_>, to: &str) -> Result<()> {
    let level = asked.handle.one("SELECT current_setting('wal_level')", &[])?.unwrap_or_default();
    if level != "logical" {
        asked.all.push(Grant {
            what: format!(
                "the server has `wal_level = {level}`, and `capture=logical` needs `logical`; start it anew after it"
            ),
            sql: "ALTER SYSTEM SET wal_level = logical".into(),
            table: None,
            missing: true,
        });
    }
    asked.add(
        None,
        "make a replication slot",
        format!("ALTER ROLE {to} REPLICATION"),
        "EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = $1 AND (rolreplication OR rolsuper))",
    )?;
    let database = asked.handle.one("SELECT current_database()::text", &[])?.unwrap_or_default();
    asked.add(
        None,
        &format!("make a publication in the database `{database}`"),
        format!("GRANT CREATE ON DATABASE {} TO {to}", ident(&database)),
        "has_database_privilege($1, current_database(), 'CREATE')",
    )
}

fn table(asked: &mut Asked<'_>, u: &Use, name: &str, shape: &Shape, to: &str) -> Result<()> {
    let on = &shape.sql;
    let mut words = vec!["SELECT"];
    words.extend(u.triggers.then_some("TRIGGER"));
    words.extend(u.delete.then_some("DELETE"));
    for word in words {
        asked.add(
            Some(u.table),
            &format!("{word} on `{name}`"),
            format!("GRANT {word} ON {on} TO {to}"),
            &format!("has_table_privilege($1, {}::oid, '{word}')", shape.oid),
        )?;
    }
    let inner = asked.handle.inner.clone();
    if u.triggers && shape.is_table && inner.address.logical {
        let owner = "SELECT relowner::regrole::text FROM pg_catalog.pg_class WHERE oid = $1::oid";
        let owner = asked.handle.one(owner, &[Param::number(shape.oid)])?.unwrap_or_default();
        asked.add(
            Some(u.table),
            &format!("publish `{name}`, which only its owner may"),
            format!("GRANT {owner} TO {to}"),
            &format!("pg_has_role($1, {}, 'USAGE')", text_literal(&owner)),
        )?;
    }
    let leaves = super::capture::leaves(asked.handle.session(), shape).map_err(|e| inner.err(e))?;
    // A TRUNCATE of a single partition is seen by a trigger on it.
    for leaf in leaves.iter().filter(|_| u.triggers && shape.is_table && leaves.len() > 1) {
        asked.add(
            Some(u.table),
            &format!("SELECT and TRIGGER on the partition `{leaf}` of `{name}`"),
            format!("GRANT SELECT, TRIGGER ON {leaf} TO {to}"),
            &format!(
                "has_table_privilege($1, {0}, 'SELECT') AND has_table_privilege($1, {0}, 'TRIGGER')",
                text_literal(leaf)
            ),
        )?;
    }
    let live = |columns: &[ColumnId]| -> Vec<String> {
        let there = columns.iter().filter_map(|c| shape.column(*c)).filter(|l| !l.computed);
        there.map(|l| l.name.clone()).collect()
    };
    let written = live(&u.insert);
    for (word, names) in [("INSERT", &written), ("UPDATE", &live(&u.update))] {
        if names.is_empty() {
            continue;
        }
        let quoted: Vec<String> = names.iter().map(|n| ident(n)).collect();
        let has: Vec<String> = names
            .iter()
            .map(|n| format!("has_column_privilege($1, {}::oid, {}, '{word}')", shape.oid, text_literal(n)))
            .collect();
        asked.add(
            Some(u.table),
            &format!("{word} ({}) on `{name}`", names.join(", ")),
            format!("GRANT {word} ({}) ON {on} TO {to}", quoted.join(", ")),
            &has.join(" AND "),
        )?;
    }
    if !written.is_empty() {
        for row in asked.handle.rows(SEQUENCES, &[Param::number(shape.oid)])? {
            let text = |i: usize| row.at(i).map(Option::unwrap_or_default).map_err(|e| inner.err(e));
            let (sequence, column) = (text(0)?, text(1)?);
            if written.iter().any(|w| w == column) {
                continue;
            }
            asked.add(
                Some(u.table),
                &format!("use the sequence `{sequence}`, which numbers `{name}.{column}`"),
                format!("GRANT USAGE ON SEQUENCE {sequence} TO {to}"),
                &format!("has_sequence_privilege($1, {}, 'USAGE')", text_literal(sequence)),
            )?;
        }
    }
    let role = asked.role.clone();
    let held = asked.handle.one(HELD_BACK, &[Param::number(shape.oid), Param::from(&role)])?;
    if held.as_deref() == Some("true") {
        let sql = format!("ALTER ROLE {to} BYPASSRLS");
        let what = format!("`{role}` may not see rows of `{name}` that a row-level policy hides");
        asked.all.push(Grant { what, sql, table: Some(u.table), missing: true });
    }
    Ok(())
}

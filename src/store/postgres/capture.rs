//! The triggers that log changes.
//!
//! They never refuse a user's write: they only add rows to `_tablemap_changes`, as the function's owner, so that writers
//! need no rights of ours. Everything in them is named with its schema. Columns are read out of the row as JSON, so that
//! one that was dropped reads as null. Where we own the table they fire whatever `session_replication_role` says. A TRUNCATE is logged as the
//! delete of every row.

use super::connect::{Inner, Session};
use super::describe::{Shape, shape_of};
use super::slot;
use super::types::{Kind, Param, ident, text_literal};
use super::url::Address;
use super::{Handle, PostgresStore, no_table};
use crate::schema::{Table, TableId};
use crate::store::{CaptureSpec, Result, StoreError};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};

/// What a project wants of a table: column `columns` of `_tablemap_capture`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Wanted {
    pub key: Vec<String>,
    pub watched: BTreeSet<String>,
    pub old: BTreeSet<String>,
}

/// What the log is to hold, by table, for all projects together.
pub(super) fn wanted(s: &mut Session, inner: &Inner) -> Result<BTreeMap<String, Wanted>> {
    let mut union: BTreeMap<String, Wanted> = BTreeMap::new();
    for row in s.query("SELECT tbl, columns FROM _tablemap_capture", &[]).map_err(|e| inner.err(e))? {
        let text = |i: usize| row.try_get::<_, String>(i).map_err(|e| inner.err(e.into()));
        let (table, w) = (text(0)?, unfolded(inner, &text(0)?, &text(1)?)?);
        let u = union.entry(table).or_insert_with(|| Wanted { key: w.key, ..Wanted::default() });
        u.watched.extend(w.watched);
        u.old.extend(w.old);
    }
    Ok(union)
}

fn unfolded(inner: &Inner, table: &str, columns: &str) -> Result<Wanted> {
    serde_json::from_str(columns)
        .map_err(|_| inner.other(format!("_tablemap_capture holds something unreadable for `{table}`")))
}

/// The text by which our own transactions are known, in the setting `tablemap.writer`.
pub(super) fn writer_mark(leg: &str, settles: bool, path: &str) -> String {
    format!("{leg}\u{1f}{}\u{1f}{path}", if settles { "1" } else { "" })
}

/// Makes sure that the log holds what `specs` ask for.
pub(super) fn capture(store: &PostgresStore, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>> {
    let inner = &store.inner;
    inner.forget_shapes();
    if inner.address.logical && !specs.is_empty() {
        slot::make(store)?;
    }
    let mut handle = store.simple()?;
    // One after the other: two projects may ask for the same table.
    handle.batch("LOCK TABLE _tablemap_capture IN SHARE ROW EXCLUSIVE MODE")?;
    let mut mine: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut names: BTreeMap<String, TableId> = BTreeMap::new();
    for spec in specs {
        let t = inner.schema.get(spec.table);
        let shape = handle.session().shape(inner, spec.table)?;
        if !shape.is_table {
            return Err(StoreError::Schema {
                store: inner.name.clone(),
                problems: vec![format!(
                    "`{}` is a view or a foreign table, whose changes cannot be logged; read the tables behind it",
                    t.stored_name()
                )],
            });
        }
        let name = |c: &crate::schema::ColumnId| {
            shape.column(*c).map_or_else(|| t.column(*c).name.clone(), |l| l.name.clone())
        };
        names.insert(shape.log_name.clone(), spec.table);
        let w = mine.entry(shape.log_name.clone()).or_default();
        w.key = t.primary_key.iter().map(name).collect();
        w.watched.extend(spec.watched.iter().map(name));
        w.old.extend(spec.old.iter().map(name));
    }
    let made = bring_about(&mut handle, wanted_by, &mine)?;
    let left = handle.one("SELECT 'yes' FROM _tablemap_capture LIMIT 1", &[])?;
    handle.finish()?;
    if left.is_none() || !inner.address.logical {
        slot::remove(store)?;
    }
    Ok(made.iter().filter_map(|name| names.get(name).copied()).collect())
}

/// Writes what is wanted, and makes the triggers what the union of all wishes asks for. Returns the tables of this
/// project that were not, or not so widely, captured before.
fn bring_about(handle: &mut Handle, wanted_by: &str, mine: &BTreeMap<String, Wanted>) -> Result<Vec<String>> {
    let inner = handle.inner.clone();
    let problem = |what: String| StoreError::Schema { store: inner.name.clone(), problems: vec![what] };
    let before = handle.rows("SELECT tbl, columns, wanted_by, trigger_hash FROM _tablemap_capture", &[])?;
    let mut union: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut earlier: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    let add = |to: &mut BTreeMap<String, Wanted>, table: &str, w: &Wanted| -> Result<()> {
        let u = to.entry(table.to_string()).or_insert_with(|| Wanted { key: w.key.clone(), ..Wanted::default() });
        if u.key != w.key {
            return Err(problem(format!(
                "two projects give table `{table}` different primary keys: ({}) and ({})",
                u.key.join(", "),
                w.key.join(", ")
            )));
        }
        u.watched.extend(w.watched.iter().cloned());
        u.old.extend(w.old.iter().cloned());
        Ok(())
    };
    for row in &before {
        let text = |i: usize| row.try_get::<_, String>(i).map_err(|e| inner.err(e.into()));
        let (table, columns, by, hash) = (text(0)?, text(1)?, text(2)?, text(3)?);
        let w = unfolded(&inner, &table, &columns)?;
        add(&mut earlier, &table, &w)?;
        if by != wanted_by {
            add(&mut union, &table, &w)?;
        }
        hashes.insert(table, hash);
    }
    for (table, w) in mine {
        add(&mut union, table, w)?;
    }
    let mut made = Vec::new();
    let touched: BTreeSet<&String> = union.keys().chain(earlier.keys()).collect();
    let mut new_hashes: BTreeMap<&String, String> = BTreeMap::new();
    for table in touched {
        let bare = Table { name: table.clone(), ..Table::default() };
        let shape = shape_of(handle.session(), &bare).map_err(|e| inner.err(e))?;
        let Some(shape) = shape else {
            if mine.contains_key(table) {
                return Err(no_table(&inner, table));
            }
            continue;
        };
        let there = installed(handle.session(), &shape).map_err(|e| inner.err(e))?;
        let wish = match union.get(table) {
            None => None,
            Some(w) => Some(
                Wish::of(&inner.address, &shape, w, mine.contains_key(table))
                    .map_err(|problems| StoreError::Schema { store: inner.name.clone(), problems })?,
            ),
        };
        let now = match &wish {
            Some(wish) => {
                let leaves = wish.leaves(handle.session(), &shape).map_err(|e| inner.err(e))?;
                format!("{}{leaves}", if wish.function.is_empty() { &wish.truncate } else { &wish.function })
            }
            None => String::new(),
        };
        let hash = if now.is_empty() { String::new() } else { digest(&now) };
        // As we left it: the same wish, and every trigger there, enabled, with the function as it was made.
        let as_left =
            hashes.get(table).is_some_and(|h| h.split(' ').nth(1) == Some(there.as_str()) && !there.is_empty());
        let intact = as_left && hashes.get(table).is_some_and(|h| h.split(' ').next() == Some(hash.as_str()));
        if !intact {
            handle.unpublish(&shape)?;
            drop_triggers(handle, &shape)?;
            if let Some(wish) = &wish {
                wish.make(handle, &shape)?;
            }
        }
        let wider = mine.get(table).is_some_and(|w| {
            earlier.get(table).is_none_or(|e| !(w.watched.is_subset(&e.watched) && w.old.is_subset(&e.old)))
        });
        let asked = if mine.contains_key(table) { !as_left || wider } else { !as_left && hashes.contains_key(table) };
        if !intact && asked && union.contains_key(table) {
            made.push(table.clone());
        }
        let there = installed(handle.session(), &shape).map_err(|e| inner.err(e))?;
        new_hashes.insert(table, format!("{hash} {there}"));
    }
    handle.run("DELETE FROM _tablemap_capture WHERE wanted_by = $1", &[wanted_by.into()])?;
    for (table, w) in mine {
        let columns = serde_json::to_string(w).unwrap_or_default();
        handle.run(
            "INSERT INTO _tablemap_capture (tbl, columns, wanted_by, trigger_hash) VALUES ($1, $2, $3, '')",
            &[table.into(), Param::from(&columns), wanted_by.into()],
        )?;
    }
    for (table, hash) in new_hashes {
        handle.run(
            "UPDATE _tablemap_capture SET trigger_hash = $2 WHERE tbl = $1",
            &[table.into(), Param::from(&hash)],
        )?;
    }
    Ok(made)
}

fn digest(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// Names of a table's function and triggers: its object id keeps them apart.
fn function_name(shape: &Shape) -> String {
    format!("_tablemap_capture_{}", shape.oid)
}

/// What stands of our triggers, as one word: the table, its partitions, whether each fires, and the functions' text.
fn installed(s: &mut Session, shape: &Shape) -> super::connect::Ran<String> {
    // Only the owner could say that they fire always; whether somebody did is the same to others.
    let enabled = match owns(s, shape)? {
        true => "t.tgenabled",
        false => "CASE t.tgenabled WHEN 'A' THEN 'O' ELSE t.tgenabled END",
    };
    let sql = format!(
        "SELECT coalesce(md5(string_agg(concat_ws(' ', t.tgrelid::text, t.tgname, ({enabled})::text, t.tgtype::text, \
               md5(p.prosrc)), ',' ORDER BY t.tgrelid, t.tgname)), '') \
               FROM pg_catalog.pg_trigger t JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid \
               WHERE t.tgname LIKE '\\_tablemap\\_capture%' AND (t.tgrelid = $1::oid OR t.tgrelid IN \
               (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))"
    );
    let rows = s.query(&sql, &[Param::number(shape.oid)])?;
    let triggers: String = rows.first().map_or(Ok(String::new()), |r| r.try_get(0))?;
    let published = slot::published(s, shape)?;
    // Blanks part the words of `trigger_hash`.
    Ok(format!("{triggers}{}{}", if published.is_empty() { "" } else { "+" }, published.replace(' ', "_")))
}

/// The tables that hold a table's rows: itself, or its partitions.
pub(super) fn leaves(s: &mut Session, shape: &Shape) -> super::connect::Ran<Vec<String>> {
    let sql = "SELECT c.relid::regclass::text FROM (SELECT $1::oid AS relid WHERE (SELECT relkind FROM pg_catalog.pg_class \
               WHERE oid = $1::oid) = 'r' UNION SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass) \
               WHERE isleaf) c ORDER BY 1";
    s.query(sql, &[Param::number(shape.oid)])?.iter().map(|r| Ok(r.try_get(0)?)).collect()
}

/// Whether the user is the table's owner, or acts for it. Others who were granted TRIGGER make triggers, but can neither
/// let them fire for replication nor drop them but with their functions.
fn owns(s: &mut Session, shape: &Shape) -> super::connect::Ran<bool> {
    let sql = "SELECT pg_has_role(relowner, 'USAGE')::text FROM pg_catalog.pg_class WHERE oid = $1::oid";
    let rows = s.query(sql, &[Param::number(shape.oid)])?;
    Ok(rows.first().map_or(Ok(None), |r| r.try_get::<_, Option<&str>>(0))? == Some("true"))
}

fn drop_triggers(handle: &mut Handle, shape: &Shape) -> Result<()> {
    let inner = handle.inner.clone();
    let functions = "SELECT DISTINCT p.oid::regprocedure::text FROM pg_catalog.pg_trigger t \
                     JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid WHERE t.tgname LIKE '\\_tablemap\\_capture%' \
                     AND (t.tgrelid = $1::oid OR t.tgrelid IN \
                     (SELECT relid FROM pg_catalog.pg_partition_tree($1::oid::regclass)))";
    let mut sql = String::new();
    for row in handle.rows(functions, &[Param::number(shape.oid)])? {
        let function: &str = row.try_get(0).map_err(|e| inner.err(e.into()))?;
        sql.push_str(&format!("DROP FUNCTION IF EXISTS {function} CASCADE;"));
    }
    for tail in ["", "_truncate"] {
        let function = ident(&format!("{}{tail}", function_name(shape)));
        sql.push_str(&format!("DROP FUNCTION IF EXISTS {}.{function}() CASCADE;", ident(&inner.address.state)));
    }
    handle.batch(&sql)
}

/// The functions that log a table.
struct Wish {
    /// Of the trigger that sees each row; empty where a slot does.
    function: String,
    truncate: String,
}

impl Wish {
    /// The error is what is missing, where it must be there.
    fn of(address: &Address, shape: &Shape, w: &Wanted, must: bool) -> std::result::Result<Wish, Vec<String>> {
        let (state, notify) = (&address.state, address.notify);
        let column = |name: &String| shape.all.iter().find(|l| l.name == *name);
        let missing: Vec<String> = w
            .key
            .iter()
            .chain(&w.watched)
            .chain(&w.old)
            .filter(|c| column(c).is_none())
            .map(|c| format!("table `{}` has no column `{c}`", shape.log_name))
            .collect();
        if !missing.is_empty() && must {
            return Err(missing);
        }
        // A value as text; JSON as its text, so that a text in it keeps its quotes.
        let value = |row: &str, name: &String| {
            let at = text_literal(name);
            match column(name).map(|l| &l.kind) {
                Some(Kind::Jsonb) => format!("nullif(({row}->{at})::text, 'null')"),
                Some(Kind::Json) => format!("nullif({row}->>{at}, 'null')"),
                _ => format!("({row}->>{at})"),
            }
        };
        let key = |row: &str| {
            let parts: Vec<String> = w.key.iter().map(|c| value(row, c)).collect();
            format!("pg_catalog.jsonb_build_array({})::text", parts.join(", "))
        };
        let old = |row: &str| {
            if w.old.is_empty() {
                return "NULL".to_string();
            }
            // At most 100 arguments, of which two make a column.
            let all: Vec<&String> = w.old.iter().collect();
            let parts: Vec<String> = all
                .chunks(40)
                .map(|some| {
                    let pairs: Vec<String> =
                        some.iter().map(|c| format!("{}, {}", text_literal(c), value(row, c))).collect();
                    format!("pg_catalog.jsonb_build_object({})", pairs.join(", "))
                })
                .collect();
            format!("({})::text", parts.join(" || "))
        };
        let read: BTreeSet<&String> = w.key.iter().chain(&w.watched).collect();
        let image = |row: &str| {
            let parts: Vec<String> = read.iter().map(|c| value(row, c)).collect();
            format!("ARRAY[{}]", parts.join(", "))
        };
        let log = format!("{}._tablemap_changes", ident(state));
        let table = text_literal(&shape.log_name);
        let by = "nullif(pg_catalog.split_part(w, E'\\x1f', 1), ''), pg_catalog.split_part(w, E'\\x1f', 2) = '1', \
                  pg_catalog.split_part(w, E'\\x1f', 3)";
        let insert = |op: &str, key: &str, old_key: &str, old: &str| {
            format!(
                "INSERT INTO {log} (tbl, op, key, old_key, old, origin, settles, path) VALUES ({table}, '{op}', {key}, \
                 {old_key}, {old}, {by});"
            )
        };
        // A row with a json column may not become JSON: json keeps what jsonb refuses.
        let of_row = |to: &str, from: &str| {
            if !shape.all.iter().any(|l| l.kind == Kind::Json || l.kind == Kind::Other) {
                return format!("{to} := pg_catalog.to_jsonb({from});");
            }
            let named: BTreeSet<&String> =
                w.key.iter().chain(&w.watched).chain(&w.old).filter(|c| column(c).is_some()).collect();
            let put = |c: &String, value: String| {
                format!("{to} := {to} || pg_catalog.jsonb_build_object({}, {value});", text_literal(c))
            };
            let is_json = |c: &&&String| column(c).is_some_and(|l| l.kind == Kind::Json);
            // As it is written, blanks and order of keys included.
            let verbatim: Vec<String> = named
                .iter()
                .filter(is_json)
                .map(|c| put(c, format!("(pg_catalog.row_to_json({from})->{})::text", text_literal(c))))
                .collect();
            let single: Vec<String> = named
                .iter()
                .map(|c| match column(c).map(|l| &l.kind) {
                    Some(Kind::Jsonb) => put(c, format!("{from}.{}", ident(c))),
                    _ => put(c, format!("{from}.{}::text", ident(c))),
                })
                .collect();
            format!(
                "BEGIN {to} := pg_catalog.to_jsonb({from}); {} EXCEPTION WHEN OTHERS THEN {to} := '{{}}'::jsonb; {} END;",
                verbatim.join(" "),
                single.join(" ")
            )
        };
        // Settings that change how a value is written as text; each costs a little, so only where one is read.
        let kinds: Vec<&Kind> =
            w.key.iter().chain(&w.watched).chain(&w.old).filter_map(|c| column(c).map(|l| &l.kind)).collect();
        let mut settings = String::from("SET search_path = pg_catalog, pg_temp");
        for (kind, setting) in [
            (Kind::Timestamptz, " SET timezone = 'UTC'"),
            (Kind::Bytea, " SET bytea_output = 'hex'"),
            (Kind::Float8, " SET extra_float_digits = 1"),
            (Kind::Float4, " SET extra_float_digits = 1"),
        ] {
            if kinds.contains(&&kind) && !settings.contains(setting) {
                settings.push_str(setting);
            }
        }
        let wake = match notify {
            true => format!("PERFORM pg_catalog.pg_notify({}, '');", text_literal(&super::watch::channel(state))),
            false => String::new(),
        };
        let head = |name: &str| {
            format!(
                "CREATE OR REPLACE FUNCTION {}.{}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER {settings} AS",
                ident(state),
                ident(name)
            )
        };
        let name = function_name(shape);
        let body = format!(
            "DECLARE o jsonb; n jsonb; k text; b text; \
             w text := coalesce(pg_catalog.current_setting('tablemap.writer', true), ''); \
             BEGIN \
             IF TG_OP = 'INSERT' THEN {new} {inserted} \
             ELSIF TG_OP = 'DELETE' THEN {was} {deleted} \
             ELSE {was} {new} \
             IF {image_o} IS NOT DISTINCT FROM {image_n} THEN RETURN NULL; END IF; \
             k := {key_n}; b := {key_o}; {updated} \
             END IF; {wake} RETURN NULL; END",
            new = of_row("n", "NEW"),
            was = of_row("o", "OLD"),
            inserted = insert("I", &key("n"), "NULL", "NULL"),
            deleted = insert("D", &key("o"), "NULL", &old("o")),
            updated = insert("U", "k", "CASE WHEN k <> b THEN b END", &old("o")),
            image_o = image("o"),
            image_n = image("n"),
            key_n = key("n"),
            key_o = key("o"),
        );
        // Its rows go without a trigger of their own. A table in a trigger is known by TG_RELID only.
        let rows = format!(
            "INSERT INTO {log} (tbl, op, key, old, origin, settles, path) SELECT {}, 'D', {}, {}, \
             nullif(split_part($1, E'\\x1f', 1), ''), split_part($1, E'\\x1f', 2) = '1', split_part($1, E'\\x1f', 3) \
             FROM (SELECT pg_catalog.to_jsonb(x) AS o FROM ONLY %s AS x) AS y",
            table,
            key("y.o"),
            old("y.o")
        );
        let rows = match address.logical {
            true => slot::emptied_sql(state, &shape.log_name, &key("y.o"), &old("y.o")),
            false => rows,
        };
        let emptied = format!(
            "BEGIN EXECUTE pg_catalog.format({}, TG_RELID::pg_catalog.regclass) USING \
             coalesce(pg_catalog.current_setting('tablemap.writer', true), ''); {wake} RETURN NULL; END",
            text_literal(&rows.replace('%', "%%").replacen("%%s AS x", "%s AS x", 1)),
        );
        Ok(Wish {
            function: match address.logical {
                true => String::new(),
                false => format!("{} {};", head(&name), text_literal(&body)),
            },
            truncate: format!("{} {};", head(&format!("{name}_truncate")), text_literal(&emptied)),
        })
    }

    /// Which partitions are there belongs to what is wanted.
    fn leaves(&self, s: &mut Session, shape: &Shape) -> super::connect::Ran<String> {
        Ok(leaves(s, shape)?.join(","))
    }

    fn make(&self, handle: &mut Handle, shape: &Shape) -> Result<()> {
        let inner = handle.inner.clone();
        let state = ident(&inner.address.state);
        let name = function_name(shape);
        let all = leaves(handle.session(), shape).map_err(|e| inner.err(e))?;
        let mut sql = format!("{} {}", self.function, self.truncate);
        let always = owns(handle.session(), shape).map_err(|e| inner.err(e))?;
        if self.function.is_empty() {
            handle.publish(shape, &all)?;
        } else {
            sql.push_str(&format!(
                "CREATE TRIGGER _tablemap_capture AFTER INSERT OR UPDATE OR DELETE ON {on} FOR EACH ROW \
                 EXECUTE FUNCTION {state}.{f}();",
                on = shape.sql,
                f = ident(&name)
            ));
        }
        if always && !self.function.is_empty() {
            sql.push_str(&format!("ALTER TABLE {} ENABLE ALWAYS TRIGGER _tablemap_capture;", shape.sql));
        }
        for leaf in all {
            sql.push_str(&format!(
                "CREATE TRIGGER _tablemap_capture_truncate BEFORE TRUNCATE ON {leaf} FOR EACH STATEMENT EXECUTE FUNCTION \
                 {state}.{f}();",
                f = ident(&format!("{name}_truncate"))
            ));
            if always {
                sql.push_str(&format!("ALTER TABLE {leaf} ENABLE ALWAYS TRIGGER _tablemap_capture_truncate;"));
            }
        }
        handle.batch(&sql)
    }
}

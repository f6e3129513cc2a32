//! The triggers that log changes.
//!
//! They never refuse a user's write: they only add rows to `_tablemap_changes`. Their SQL parses in SQLite 3.24. REPLACE
//! removes rows without firing delete triggers (on connections without `recursive_triggers`), so BEFORE triggers log
//! every row that holds a unique key of the new one as `D`. An upsert fires them too; the engine looks at the row as it
//! is now, so a `D` of a row that is still there means no more than a change.

use super::describe::shape_of;
use super::types::{ident, text_literal};
use super::{Handle, SqliteStore};
use crate::schema::TableId;
use crate::store::{CaptureSpec, Result, StoreError, Transaction};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

/// What a project wants of a table: column `columns` of `_tablemap_capture`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Wanted {
    key: Vec<String>,
    watched: BTreeSet<String>,
    old: BTreeSet<String>,
}

/// Makes sure that the log holds what `specs` ask for.
pub(super) fn capture(store: &SqliteStore, wanted_by: &str, specs: &[CaptureSpec]) -> Result<Vec<TableId>> {
    let inner = &store.inner;
    let mine = wanted(store, specs);
    let fingerprint = format!("{wanted_by} {}", serde_json::to_string(&mine).unwrap_or_default());
    let fine = |version: i64| {
        super::connect::locked(&inner.captured).as_ref().is_some_and(|(v, f)| *v == version && *f == fingerprint)
    };
    {
        // Nothing was asked anew and nobody changed the file's schema: the triggers are there.
        let mut look = store.handle(false)?;
        if fine(look.session().version) {
            return Ok(vec![]);
        }
    }
    let mut handle = store.handle(true)?;
    let made = bring_about(&mut handle, wanted_by, &mine)?;
    Box::new(handle).commit()?;
    let version = store.handle(false)?.session().version;
    *super::connect::locked(&inner.captured) = Some((version, fingerprint));
    let id = |name: &String| {
        let i = inner.schema.tables.iter().position(|t| t.stored_name().eq_ignore_ascii_case(name))?;
        Some(TableId(i as u32))
    };
    Ok(made.iter().filter_map(id).collect())
}

fn wanted(store: &SqliteStore, specs: &[CaptureSpec]) -> BTreeMap<String, Wanted> {
    let mut all: BTreeMap<String, Wanted> = BTreeMap::new();
    for spec in specs {
        let t = store.inner.schema.get(spec.table);
        let w = all.entry(t.stored_name().to_string()).or_default();
        w.key = t.primary_key.iter().map(|c| t.column(*c).name.clone()).collect();
        w.watched.extend(spec.watched.iter().map(|c| t.column(*c).name.clone()));
        w.old.extend(spec.old.iter().map(|c| t.column(*c).name.clone()));
    }
    all
}

/// Writes what is wanted, and makes the triggers what the union of all wishes asks for. Returns the tables of this
/// project that were not, or not so widely, captured before.
fn bring_about(handle: &mut Handle, wanted_by: &str, mine: &BTreeMap<String, Wanted>) -> Result<Vec<String>> {
    let inner = handle.inner.clone();
    let problem = |what: String| StoreError::Schema { store: inner.name.clone(), problems: vec![what] };
    let before = handle.all("SELECT tbl, columns, wanted_by, trigger_hash FROM _tablemap_capture", [], |r| {
        Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?))
    })?;
    let mut union: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut earlier: BTreeMap<String, Wanted> = BTreeMap::new();
    let mut hashes: BTreeMap<String, String> = BTreeMap::new();
    let add = |to: &mut BTreeMap<String, Wanted>, table: &str, w: &Wanted| -> Result<()> {
        let u = to.entry(table.to_string()).or_insert_with(|| Wanted { key: w.key.clone(), ..Wanted::default() });
        let same = u.key.len() == w.key.len() && u.key.iter().zip(&w.key).all(|(a, b)| a.eq_ignore_ascii_case(b));
        if !same {
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
    for (table, columns, by, hash) in &before {
        let w: Wanted = serde_json::from_str(columns)
            .map_err(|_| inner.other(format!("_tablemap_capture holds something unreadable for `{table}`")))?;
        add(&mut earlier, table, &w)?;
        hashes.insert(table.clone(), hash.clone());
        if by != wanted_by {
            add(&mut union, table, &w)?;
        }
    }
    for (table, w) in mine {
        add(&mut union, table, w)?;
    }
    let mut made = Vec::new();
    let touched: BTreeSet<&String> = union.keys().chain(earlier.keys()).collect();
    let mut new_hashes: BTreeMap<&String, String> = BTreeMap::new();
    for table in touched {
        let there = handle.all(
            "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE '\\_tablemap\\_capture\\_%' ESCAPE '\\' \
             AND lower(tbl_name) = lower(?1) ORDER BY name",
            [table],
            |r| Ok((r.get::<_, String>(0)?, r.get::<_, String>(1)?)),
        )?;
        let wish = match union.get(table) {
            None => vec![],
            Some(w) => triggers(handle, table, w, mine.contains_key(table))?,
        };
        let hash = hash_of(&wish);
        let intact = there == wish;
        if !intact {
            for (name, _) in &there {
                handle.run(&format!("DROP TRIGGER {}", ident(name)), [])?;
            }
            for (_, sql) in &wish {
                let done = handle.session().conn.execute_batch(sql);
                done.map_err(|e| inner.err(e))?;
            }
        }
        // Newly made: not there before, or not as we left it (a rebuilt table loses its triggers), or wider now.
        let as_left = hashes.get(table).is_some_and(|h| *h == hash_of(&there)) && !there.is_empty();
        let wider = mine.get(table).is_some_and(|w| {
            earlier.get(table).is_none_or(|e| !(w.watched.is_subset(&e.watched) && w.old.is_subset(&e.old)))
        });
        let asked = if mine.contains_key(table) { !as_left || wider } else { !as_left && hashes.contains_key(table) };
        if !intact && asked && union.contains_key(table) {
            made.push(table.clone());
        }
        new_hashes.insert(table, hash);
    }
    handle.run("DELETE FROM _tablemap_capture WHERE wanted_by = ?1", [wanted_by])?;
    for (table, w) in mine {
        let columns = serde_json::to_string(w).unwrap_or_default();
        handle.run(
            "INSERT INTO _tablemap_capture (tbl, columns, wanted_by, trigger_hash) VALUES (?1, ?2, ?3, '')",
            (table, columns, wanted_by),
        )?;
    }
    for (table, hash) in new_hashes {
        handle.run("UPDATE _tablemap_capture SET trigger_hash = ?2 WHERE tbl = ?1", (table, hash))?;
    }
    Ok(made)
}

fn hash_of(triggers: &[(String, String)]) -> String {
    let mut h = Sha256::new();
    for (name, sql) in triggers {
        h.update(name.as_bytes());
        h.update([0]);
        h.update(sql.as_bytes());
        h.update([0]);
    }
    h.finalize().iter().take(16).map(|b| format!("{b:02x}")).collect()
}

/// A value in the log's text: `quote()`, which cuts text at a NUL, or hex. A row id is never text.
fn quoted(row: &str, column: &str, row_id: bool) -> String {
    let value = format!("{row}.{}", ident(column));
    if row_id {
        return format!("quote({value})");
    }
    format!(
        "CASE WHEN instr({value}, char(0)) > 0 AND typeof({value}) = 'text' THEN 'T''' || hex({value}) || '''' \
         ELSE quote({value}) END"
    )
}

/// The triggers of a table by name, in the order of their names.
fn triggers(handle: &mut Handle, table: &str, w: &Wanted, must: bool) -> Result<Vec<(String, String)>> {
    let inner = handle.inner.clone();
    // A table that only another project's schema has is known by its name.
    let known = inner.schema.tables.iter().position(|t| t.stored_name() == table);
    let shape = match known {
        Some(i) => handle.session().shape_if_there(&inner, TableId(i as u32))?,
        None => {
            let bare = crate::schema::Table { name: table.to_string(), ..Default::default() };
            shape_of(&handle.session().conn, &bare).map_err(|e| inner.err(e))?.map(std::sync::Arc::new)
        }
    };
    let Some(shape) = shape else {
        return if must {
            Err(StoreError::Schema {
                store: inner.name.clone(),
                problems: vec![format!("there is no table `{table}`")],
            })
        } else {
            Ok(vec![])
        };
    };
    let there = |c: &String| shape.names.iter().any(|n| n.eq_ignore_ascii_case(c));
    // A trigger that names a column which is not there would break every write of the table.
    let missing: Vec<&String> = w.key.iter().chain(&w.watched).chain(&w.old).filter(|c| !there(c)).collect();
    if !missing.is_empty() && (must || w.key.iter().any(|c| !there(c))) {
        let problems = missing.iter().map(|c| format!("table `{table}` has no column `{c}`")).collect();
        return Err(StoreError::Schema { store: inner.name.clone(), problems });
    }
    let row_id = |c: &String| shape.row_id.as_ref().is_some_and(|n| n.eq_ignore_ascii_case(c));
    let key = |row: &str| {
        let parts: Vec<String> = w.key.iter().map(|c| quoted(row, c, row_id(c))).collect();
        parts.join(" || ',' || ")
    };
    let old = |row: &str| {
        let parts: Vec<String> = w
            .old
            .iter()
            .filter(|c| there(c))
            .map(|c| format!("{} || {}", text_literal(&format!("{}=", ident(c))), quoted(row, c, row_id(c))))
            .collect();
        if parts.is_empty() || mutant!("no-old-values") { "NULL".to_string() } else { parts.join(" || ',' || ") }
    };
    let is_not = if mutant!("changes-to-null-not-logged") { "<>" } else { "IS NOT" };
    let exactly = if mutant!("changes-of-case-not-logged") { "" } else { " COLLATE BINARY" };
    // Compared byte by byte: a change of case in a case-insensitive column is one.
    let changed = |columns: &mut dyn Iterator<Item = &String>| {
        let parts: BTreeSet<String> = columns.map(|c| format!("OLD.{0} {is_not} NEW.{0}{exactly}", ident(c))).collect();
        parts.into_iter().collect::<Vec<_>>().join(" OR ")
    };
    // Who writes is looked up only where a row is logged. CURRENT_TIMESTAMP and random() are the cheapest of their kind,
    // and VALUES is cheaper than a SELECT.
    let log = |op: &str, key: &str, old_key: &str, old: &str, from: &str| {
        let cells = format!(
            "{}, '{op}', {key}, {old_key}, {old}, (SELECT leg FROM _tablemap_writer), \
             ifnull((SELECT settles FROM _tablemap_writer), 0), ifnull((SELECT path FROM _tablemap_writer), ''), \
             CURRENT_TIMESTAMP, random()",
            text_literal(&shape.name)
        );
        let rows = if from.is_empty() { format!("VALUES ({cells})") } else { format!("SELECT {cells}{from}") };
        format!("INSERT INTO _tablemap_changes (tbl, op, key, old_key, old, origin, settles, path, at, mark) {rows};")
    };
    let on = ident(&shape.name);
    let name = |what: &str| format!("_tablemap_capture_{}_{what}", shape.name);
    let trigger = |what: &str, when: &str, body: &str| {
        let name = name(what);
        let sql = format!("CREATE TRIGGER {} {when} BEGIN {body} END", ident(&name));
        (name, sql)
    };
    // SQLite leaves such a trigger out of a statement that sets none of these columns. What is computed changes without
    // being set, and a row id is set under any of its names.
    let of = |columns: &BTreeSet<&String>| {
        if columns.iter().any(|c| shape.computed.iter().any(|n| n.eq_ignore_ascii_case(c))) {
            return String::new();
        }
        let mut names: Vec<String> = columns.iter().map(|c| ident(c)).collect();
        if columns.iter().any(|c| row_id(c)) {
            names.extend(["rowid", "oid", "_rowid_"].map(String::from));
        }
        format!(" OF {}", names.join(", "))
    };
    let key_changed = changed(&mut w.key.iter());
    let keys = w.key.iter().filter(|_| !mutant!("changed-keys-not-logged"));
    let read: BTreeSet<&String> = keys.chain(w.watched.iter().filter(|c| there(c))).collect();
    let any_changed = changed(&mut read.iter().copied());
    let mut all = vec![
        trigger("delete", &format!("AFTER DELETE ON {on}"), &log("D", &key("OLD"), "NULL", &old("OLD"), "")),
        trigger("insert", &format!("AFTER INSERT ON {on}"), &log("I", &key("NEW"), "NULL", "NULL", "")),
        trigger(
            "update",
            &format!("AFTER UPDATE{} ON {on} WHEN {any_changed}", of(&read)),
            &log("U", &key("NEW"), &format!("CASE WHEN {key_changed} THEN {} END", key("OLD")), &old("OLD"), ""),
        ),
    ];
    let (mut on_insert, mut on_update) = (String::new(), String::new());
    let mut unique_columns: BTreeSet<&String> = BTreeSet::new();
    let another: Vec<String> = w.key.iter().map(|c| format!("d.{0} IS NOT OLD.{0} COLLATE BINARY", ident(c))).collect();
    for unique in &shape.unique {
        let equal: Vec<String> =
            unique.iter().map(|(c, coll)| format!("d.{0} = NEW.{0} COLLATE {coll}", ident(c))).collect();
        let same = format!(" FROM {on} AS d WHERE {}", equal.join(" AND "));
        let _ = write!(on_insert, "{}", log("D", &key("d"), "NULL", &old("d"), &same));
        let same = format!("{same} AND ({})", another.join(" OR "));
        let _ = write!(on_update, "{}", log("D", &key("d"), "NULL", &old("d"), &same));
        unique_columns.extend(unique.iter().map(|(c, _)| c));
    }
    if !on_insert.is_empty() && !mutant!("replace-not-logged") {
        let set = of(&unique_columns);
        let unique_changed = changed(&mut unique_columns.into_iter());
        all.push(trigger("replace", &format!("BEFORE INSERT ON {on}"), &on_insert));
        all.push(trigger(
            "replace_by_update",
            &format!("BEFORE UPDATE{set} ON {on} WHEN {unique_changed}"),
            &on_update,
        ));
    }
    all.sort();
    Ok(all)
}

//! Guards: triggers that refuse or record what people do to rows a map fills. A fence, no security boundary.

use super::describe::{Shape, shape_of};
use super::types::{encode, ident, literal, text_literal};
use super::{Handle, SqliteStore};
use crate::schema::{ColumnId, Table};
use crate::store::{GuardSpec, GuardStatus, Op, Predicate, Result, Store, StoreError, Transaction};
use crate::value::Value;

pub(super) fn install(store: &SqliteStore, project: &str, guards: &[GuardSpec]) -> Result<()> {
    if guards.is_empty() && !store.is_prepared()? {
        return Ok(());
    }
    let inner = &store.inner;
    let mut handle = store.handle(true)?;
    let installed = names(&mut handle, project)?;
    let mut wanted = Vec::new();
    for (i, g) in guards.iter().enumerate() {
        let t = inner.schema.get(g.table);
        let shape =
            shape_of(&handle.session().conn, t).map_err(|e| inner.err(e))?.ok_or_else(|| StoreError::Schema {
                store: inner.name.clone(),
                problems: vec![format!("there is no table `{}`", t.stored_name())],
            })?;
        let name = format!("_tablemap_guard_{project}_{i}_{}_{}", shape.name, g.op.word());
        let all = triggers(&name, project, g, t, &shape)
            .map_err(|why| inner.other(format!("the guard of map `{}` on `{}` {why}", g.map_name, t.name)))?;
        wanted.extend(all.into_iter().map(|(name, sql, helper)| (name, sql, helper, shape.name.clone(), g)));
    }
    drop_all(&mut handle, project, &installed)?;
    for (name, sql, helper, table, g) in wanted {
        let done = handle.session().conn.execute_batch(&sql);
        done.map_err(|e| inner.err(e))?;
        handle.run(
            "INSERT INTO _tablemap_guards (trigger_name, project, map, tbl, op, mode, helper) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            (name, project, &g.map, table, g.op.word(), if g.reject { "reject" } else { "report" }, helper),
        )?;
    }
    Box::new(handle).commit()
}

pub(super) fn remove(store: &SqliteStore, project: &str) -> Result<usize> {
    if !store.is_prepared()? {
        return Ok(0);
    }
    let mut handle = store.handle(true)?;
    let installed = names(&mut handle, project)?;
    drop_all(&mut handle, project, &installed)?;
    handle.run("DELETE FROM _tablemap_guard_reports WHERE project = ?1", [project])?;
    handle.drop_unused_state()?;
    Box::new(handle).commit()?;
    Ok(installed.iter().filter(|(_, helper)| !helper).count())
}

pub(super) fn status(store: &SqliteStore, project: &str) -> Result<GuardStatus> {
    if !store.is_prepared()? {
        return Ok(GuardStatus::default());
    }
    let mut handle = store.handle(false)?;
    // A guard whose trigger somebody dropped is not installed.
    let installed = handle.all(
        "SELECT map, tbl, op, mode FROM _tablemap_guards WHERE project = ?1 AND NOT helper AND EXISTS \
         (SELECT 1 FROM sqlite_master WHERE type = 'trigger' AND name = trigger_name) ORDER BY trigger_name",
        [project],
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?)),
    )?;
    let reports = handle.all(
        "SELECT at, map, tbl, op, key FROM _tablemap_guard_reports WHERE project = ?1 ORDER BY id DESC LIMIT 100",
        [project],
        |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?, r.get(3)?, r.get(4)?)),
    )?;
    Ok(GuardStatus { installed, reports })
}

/// The triggers installed for the project, and whether each only helps another.
fn names(handle: &mut Handle, project: &str) -> Result<Vec<(String, bool)>> {
    handle.all("SELECT trigger_name, helper FROM _tablemap_guards WHERE project = ?1", [project], |r| {
        Ok((r.get(0)?, r.get(1)?))
    })
}

fn drop_all(handle: &mut Handle, project: &str, installed: &[(String, bool)]) -> Result<()> {
    for (name, _) in installed {
        handle.run(&format!("DROP TRIGGER IF EXISTS {}", ident(name)), [])?;
        handle.run("DELETE FROM _tablemap_guard_displaced WHERE trigger_name = ?1", [name])?;
    }
    handle.run("DELETE FROM _tablemap_guards WHERE project = ?1", [project])?;
    Ok(())
}

/// The triggers of a guard: name, SQL, and whether it only helps the first.
///
/// A row that REPLACE removes counts as deleted, but no delete trigger fires for it. A BEFORE trigger notes the rows that
/// hold a unique key of the new row; where the AFTER trigger fires as well, the row went in, so they are gone. (An upsert
/// that turned into an update, or an ignored row, fires the first only.)
fn triggers(
    name: &str,
    project: &str,
    g: &GuardSpec,
    t: &Table,
    shape: &Shape,
) -> std::result::Result<Vec<(String, String, bool)>, String> {
    // Create is refused after the insert: an upsert that turns into an update fires BEFORE INSERT.
    let (event, row) = match g.op {
        Op::Insert => ("AFTER INSERT", "NEW"),
        Op::Update => ("BEFORE UPDATE", "OLD"),
        Op::Delete => ("BEFORE DELETE", "OLD"),
        Op::Touch | Op::Truncate => return Err("is for no operation people have".into()),
    };
    const NOT_OURS: &str = "NOT EXISTS (SELECT 1 FROM _tablemap_writer)";
    let mut when = vec![if mutant!("guard-stops-own-writes") { "1".into() } else { NOT_OURS.to_string() }];
    if g.op == Op::Update {
        let free = |name: &str| g.except.iter().any(|c| t.column(*c).name.eq_ignore_ascii_case(name));
        let fenced: Vec<String> = shape
            .names
            .iter()
            .filter(|n| !free(n))
            .map(|n| format!("OLD.{0} IS NOT NEW.{0} COLLATE BINARY", ident(n)))
            .collect();
        if fenced.is_empty() {
            when.push("0".into());
        } else {
            when.push(format!("({})", fenced.join(" OR ")));
        }
    }
    if let Some(p) = &g.when {
        when.push(predicate(p, row, t, shape)?);
    }
    let key = |row: &str| {
        let parts: Vec<String> =
            t.primary_key.iter().map(|c| format!("quote({row}.{})", ident(&t.column(*c).name))).collect();
        parts.join(" || ', ' || ")
    };
    let refuse = |key: &str, from: &str| {
        if g.reject {
            return format!("SELECT RAISE(ABORT, {});", raised(&g.message));
        }
        format!(
            "INSERT INTO _tablemap_guard_reports (at, project, map, tbl, op, key) \
             SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), {}, {}, {}, '{}', {key}{from};",
            text_literal(project),
            text_literal(&g.map),
            text_literal(&shape.name),
            g.op.word(),
        )
    };
    let on = ident(&shape.name);
    let make = |name: &str, event: &str, when: &str, body: &str| {
        format!("CREATE TRIGGER {} {event} ON {on} WHEN {when} BEGIN {body} END", ident(name))
    };
    let mut all = vec![(name.to_string(), make(name, event, &when.join(" AND "), &refuse(&key(row), "")), false)];
    if g.op != Op::Delete || shape.unique.is_empty() || mutant!("guard-lets-replace-pass") {
        return Ok(all);
    }
    let condition = match &g.when {
        Some(p) => format!(" AND {}", predicate(p, "d", t, shape)?),
        None => String::new(),
    };
    let another: Vec<String> = t
        .primary_key
        .iter()
        .map(|c| format!("d.{0} IS NOT OLD.{0} COLLATE BINARY", ident(&t.column(*c).name)))
        .collect();
    for (event, besides) in [("INSERT", String::new()), ("UPDATE", format!(" AND ({})", another.join(" OR ")))] {
        let noted = text_literal(&format!("{name}_{event}"));
        let forget = format!("DELETE FROM _tablemap_guard_displaced WHERE trigger_name = {noted};");
        let mut body = forget.clone();
        for unique in &shape.unique {
            let equal: Vec<String> =
                unique.iter().map(|(c, coll)| format!("d.{0} = NEW.{0} COLLATE {coll}", ident(c))).collect();
            body.push_str(&format!(
                "INSERT INTO _tablemap_guard_displaced (trigger_name, key) SELECT {noted}, {} FROM {on} AS d WHERE {}{besides}{condition};",
                key("d"),
                equal.join(" AND ")
            ));
        }
        let before = format!("{name}_before_{event}");
        all.push((before.clone(), make(&before, &format!("BEFORE {event}"), NOT_OURS, &body), true));
        let from = format!(" FROM _tablemap_guard_displaced WHERE trigger_name = {noted} GROUP BY key");
        let body = format!("{}{forget}", refuse("key", &from));
        let any =
            format!("{NOT_OURS} AND EXISTS (SELECT 1 FROM _tablemap_guard_displaced WHERE trigger_name = {noted})");
        let after = format!("{name}_{event}");
        all.push((after.clone(), make(&after, &format!("AFTER {event}"), &any, &body), true));
    }
    Ok(all)
}

/// RAISE takes a literal only.
fn raised(message: &str) -> String {
    text_literal(&message.replace('\0', " "))
}

/// In three-valued logic: what is unknown does not hold.
fn predicate(p: &Predicate, row: &str, t: &Table, shape: &Shape) -> std::result::Result<String, String> {
    let list = |all: &[Predicate], word: &str, none: &str| -> std::result::Result<String, String> {
        let parts: Vec<String> =
            all.iter().map(|p| predicate(p, row, t, shape)).collect::<std::result::Result<_, _>>()?;
        Ok(if parts.is_empty() { none.to_string() } else { format!("({})", parts.join(word)) })
    };
    let column = |c: ColumnId| -> std::result::Result<String, String> {
        let column = t.column(c);
        let name = format!("{row}.{}", ident(&column.name));
        Ok(match &column.blank {
            None => name,
            Some(blank) => format!("NULLIF({name}, {})", literal(encode(blank, column, shape.affinity(c))?.as_ref())),
        })
    };
    let value = |c: ColumnId, v: &Value| -> std::result::Result<String, String> {
        if v.is_null() {
            return Ok("NULL".into());
        }
        Ok(literal(encode(v, t.column(c), shape.affinity(c))?.as_ref()))
    };
    // A function's result has no collation of its own, so it is always said.
    let collate = |c: ColumnId| format!(" COLLATE {}", super::types::collation_word(t.column(c).collation));
    Ok(match p {
        Predicate::And(all) => list(all, " AND ", "1")?,
        Predicate::Or(all) => list(all, " OR ", "0")?,
        Predicate::Not(p) => format!("(NOT {})", predicate(p, row, t, shape)?),
        Predicate::IsNull(c) => format!("({} IS NULL)", column(*c)?),
        Predicate::Compare(c, comparison, v) => {
            let sign = comparison.sql();
            format!("({} {sign} {}{})", number(column(*c)?, t, *c), number(value(*c, v)?, t, *c), collate(*c))
        }
        Predicate::In(c, all) => {
            let values: Vec<String> =
                all.iter().map(|v| Ok(number(value(*c, v)?, t, *c))).collect::<std::result::Result<_, String>>()?;
            if values.is_empty() {
                return Ok("0".into());
            }
            format!("({}{} IN ({}))", number(column(*c)?, t, *c), collate(*c), values.join(", "))
        }
    })
}

/// A decimal kept as text compares as a number: as far as a real says, which is enough for a fence.
fn number(sql: String, t: &Table, c: ColumnId) -> String {
    match t.column(c).ty {
        crate::value::Type::Decimal { .. } => format!("CAST({sql} AS NUMERIC)"),
        _ => sql,
    }
}

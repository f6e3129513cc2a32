//! Guards: triggers that refuse or record what people do to rows a map fills. A fence, no security boundary. They fire
//! for people only: what replication applies was let through where it was written.

use super::describe::{ColumnShape, Shape};
use super::types::{Fold, Kind, Param, encode, ident, literal, text_literal};
use super::{Handle, PostgresStore};
use crate::schema::{ColumnId, Table};
use crate::store::{GuardSpec, GuardStatus, Op, Predicate, Result};
use crate::value::{Collation, Value};
use sha2::{Digest, Sha256};

pub(super) fn install(store: &PostgresStore, project: &str, guards: &[GuardSpec]) -> Result<()> {
    let mut handle = store.simple()?;
    if guards.is_empty() && !handle.is_prepared()? {
        return Ok(());
    }
    let inner = &store.inner;
    drop_all(&mut handle, project)?;
    for (i, g) in guards.iter().enumerate() {
        let t = inner.schema.get(g.table);
        let shape = handle.session().shape(inner, g.table)?;
        // A name that no length of another cuts.
        let digest = Sha256::digest(format!("{project} {i} {} {}", shape.log_name, g.op.word()).as_bytes());
        let name: String = digest.iter().take(8).map(|b| format!("{b:02x}")).collect();
        let name = format!("_tablemap_guard_{name}");
        let sql = statements(&inner.address.state, &name, project, g, t, &shape)
            .map_err(|why| inner.other(format!("the guard of map `{}` on `{}` {why}", g.map_name, t.name)))?;
        handle.batch(&sql)?;
        handle.run(
            "INSERT INTO _tablemap_guards (trigger_name, project, map, tbl, op, mode) VALUES ($1, $2, $3, $4, $5, $6)",
            &[
                Param::from(&name),
                project.into(),
                Param::from(&g.map),
                Param::from(&shape.log_name),
                g.op.word().into(),
                if g.reject { "reject" } else { "report" }.into(),
            ],
        )?;
    }
    handle.finish()
}

pub(super) fn remove(store: &PostgresStore, project: &str) -> Result<usize> {
    let mut handle = store.simple()?;
    if !handle.is_prepared()? {
        return Ok(0);
    }
    let n = drop_all(&mut handle, project)?;
    handle.run("DELETE FROM _tablemap_guard_reports WHERE project = $1", &[project.into()])?;
    handle.drop_unused_state()?;
    handle.finish()?;
    Ok(n)
}

pub(super) fn status(store: &PostgresStore, project: &str) -> Result<GuardStatus> {
    let mut handle = store.simple()?;
    if !handle.is_prepared()? {
        return Ok(GuardStatus::default());
    }
    // A guard whose trigger somebody dropped or disabled is not installed.
    let installed = handle.all(
        "SELECT map, tbl, op, mode FROM _tablemap_guards WHERE project = $1 AND EXISTS \
         (SELECT 1 FROM pg_catalog.pg_trigger WHERE tgname::text = trigger_name AND tgenabled <> 'D') ORDER BY trigger_name",
        &[project.into()],
        |r| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?, r.try_get(3)?)),
    )?;
    let reports = handle.all(
        "SELECT at, map, tbl, op, key FROM _tablemap_guard_reports WHERE project = $1 ORDER BY id DESC LIMIT 100",
        &[project.into()],
        |r| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?, r.try_get(3)?, r.try_get(4)?)),
    )?;
    Ok(GuardStatus { installed, reports })
}

/// Drops the project's guards; how many there were.
fn drop_all(handle: &mut Handle, project: &str) -> Result<usize> {
    let names: Vec<String> = handle.all(
        "SELECT trigger_name FROM _tablemap_guards WHERE project = $1 ORDER BY trigger_name",
        &[project.into()],
        |r| r.try_get(0),
    )?;
    let state = ident(&handle.inner.address.state);
    for name in &names {
        // With its triggers, on whatever table they stand by now.
        handle.batch(&format!("DROP FUNCTION IF EXISTS {state}.{}() CASCADE", ident(name)))?;
    }
    handle.run("DELETE FROM _tablemap_guards WHERE project = $1", &[project.into()])?;
    Ok(names.len())
}

fn statements(
    state: &str,
    name: &str,
    project: &str,
    g: &GuardSpec,
    t: &Table,
    shape: &Shape,
) -> std::result::Result<String, String> {
    // Create is refused after the insert: an upsert that turns into an update fires BEFORE INSERT.
    let (event, row) = match g.op {
        Op::Insert => ("AFTER INSERT", "NEW"),
        Op::Update => ("BEFORE UPDATE", "OLD"),
        Op::Delete => ("BEFORE DELETE", "OLD"),
        Op::Touch | Op::Truncate => return Err("is for no operation people have".into()),
    };
    let mut when = vec!["coalesce(pg_catalog.current_setting('tablemap.writer', true), '') = ''".to_string()];
    if g.op == Op::Update {
        let free: Vec<&str> = g.except.iter().filter_map(|c| shape.column(*c).map(|l| l.name.as_str())).collect();
        let fenced: Vec<String> = shape
            .all
            .iter()
            .filter(|l| !free.contains(&l.name.as_str()))
            .map(|l| format!("OLD.{0}::text IS DISTINCT FROM NEW.{0}::text COLLATE pg_catalog.\"C\"", ident(&l.name)))
            .collect();
        when.push(if fenced.is_empty() { "false".into() } else { format!("({})", fenced.join(" OR ")) });
    }
    let holds = |row: &str| match &g.when {
        Some(p) => predicate(p, row, t, shape),
        None => Ok("true".into()),
    };
    let key = |row: &str| {
        let parts: Vec<String> = t
            .primary_key
            .iter()
            .map(|c| format!("pg_catalog.quote_nullable({row}.{}::text)", shape.name(*c)))
            .collect();
        format!("pg_catalog.concat_ws(', ', {})", parts.join(", "))
    };
    let note = |row: &str, from: &str| {
        format!(
            "INSERT INTO {}._tablemap_guard_reports (at, project, map, tbl, op, key) SELECT \
             pg_catalog.to_char(pg_catalog.now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), \
             {}, {}, {}, '{}', {}{from};",
            ident(state),
            text_literal(project),
            text_literal(&g.map),
            text_literal(&shape.log_name),
            g.op.word(),
            key(row)
        )
    };
    let raise = format!("RAISE EXCEPTION USING MESSAGE = {}, ERRCODE = 'raise_exception';", text_literal(&g.message));
    let act = if g.reject { raise.clone() } else { note(row, "") };
    // A delete trigger that answers with nothing would keep the row; nobody heeds what an AFTER trigger answers.
    let answer = if g.op == Op::Update { "NEW" } else { row };
    let mut body =
        format!("BEGIN IF {} AND {} THEN {act} END IF; RETURN {answer}; END", when.join(" AND "), holds(row)?);
    if g.op == Op::Delete {
        let from = format!(" FROM {} AS d WHERE {}", shape.sql, holds("d")?);
        let emptied = match g.reject {
            true => format!("IF EXISTS (SELECT 1{from}) THEN {raise} END IF;"),
            false => note("d", &from),
        };
        body = format!(
            "BEGIN IF TG_OP = 'TRUNCATE' THEN IF {} THEN {emptied} END IF; RETURN NULL; END IF; {} ",
            when.join(" AND "),
            body.strip_prefix("BEGIN ").unwrap_or(&body)
        );
    }
    let (state, f, on) = (ident(state), ident(name), &shape.sql);
    let mut sql = format!(
        "CREATE OR REPLACE FUNCTION {state}.{f}() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER \
         SET search_path = pg_catalog, pg_temp AS {}; \
         CREATE TRIGGER {f} {event} ON {on} FOR EACH ROW EXECUTE FUNCTION {state}.{f}();",
        text_literal(&body)
    );
    if g.op == Op::Delete && shape.is_table {
        sql.push_str(&format!(
            "CREATE TRIGGER {} BEFORE TRUNCATE ON {on} FOR EACH STATEMENT EXECUTE FUNCTION {state}.{f}();",
            ident(&format!("{name}_all"))
        ));
    }
    Ok(sql)
}

/// A value or a column as guards compare it: the function sees the operators of the system's types only.
fn comparable(sql: &str, column: &crate::schema::Column, l: &ColumnShape, is_literal: bool) -> String {
    let as_text = l.kind.is_text() || matches!(l.kind, Kind::Enum(_)) || l.fold == Fold::AsText;
    match (as_text, column.collation) {
        (true, Collation::NoCase) => format!("pg_catalog.lower(({sql})::text COLLATE pg_catalog.\"C\")"),
        (true, Collation::Exact) => format!("(({sql})::text COLLATE pg_catalog.\"C\")"),
        (false, _) if is_literal => format!("({sql})::{}", l.cast),
        (false, _) => sql.to_string(),
    }
}

/// In three-valued logic: what is unknown does not hold.
fn predicate(p: &Predicate, row: &str, t: &Table, shape: &Shape) -> std::result::Result<String, String> {
    let list = |all: &[Predicate], word: &str, none: &str| -> std::result::Result<String, String> {
        let parts: Vec<String> =
            all.iter().map(|p| predicate(p, row, t, shape)).collect::<std::result::Result<_, _>>()?;
        Ok(if parts.is_empty() { none.to_string() } else { format!("({})", parts.join(word)) })
    };
    let live = |c: ColumnId| shape.column(c).ok_or_else(|| format!("names `{}`, which is not there", t.column(c).name));
    let value = |c: ColumnId, v: &Value| -> std::result::Result<String, String> {
        if v.is_null() {
            return Ok("NULL".into());
        }
        let l = live(c)?;
        let text = encode(v, t.column(c), &l.kind)?;
        Ok(comparable(&literal(text.as_deref()), t.column(c), l, true))
    };
    let column = |c: ColumnId| -> std::result::Result<String, String> {
        let l = live(c)?;
        let name = comparable(&format!("{row}.{}", ident(&l.name)), t.column(c), l, false);
        match &t.column(c).blank {
            None => Ok(name),
            Some(blank) => Ok(format!("NULLIF({name}, {})", value(c, blank)?)),
        }
    };
    Ok(match p {
        Predicate::And(all) => list(all, " AND ", "true")?,
        Predicate::Or(all) => list(all, " OR ", "false")?,
        Predicate::Not(p) => format!("(NOT {})", predicate(p, row, t, shape)?),
        Predicate::IsNull(c) => format!("({} IS NULL)", column(*c)?),
        Predicate::Compare(c, comparison, v) => {
            let sign = comparison.sql();
            format!("({} {sign} {})", column(*c)?, value(*c, v)?)
        }
        Predicate::In(c, all) => {
            let values: Vec<String> = all.iter().map(|v| value(*c, v)).collect::<std::result::Result<_, _>>()?;
            if values.is_empty() {
                return Ok("false".into());
            }
            format!("({} IN ({}))", column(*c)?, values.join(", "))
        }
    })
}

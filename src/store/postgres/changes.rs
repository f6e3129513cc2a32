//! The change log: reading, touching, disowning, cutting.
//!
//! A key stands in the log as a JSON array of texts and nulls, old values as a JSON object of column names and texts.

use super::connect::{Inner, Session};
use super::error::column_named;
use super::read::Texts;
use super::types::{Param, array, decode, encode, readable};
use super::{Handle, PostgresStore};
use crate::schema::{ColumnId, Table, TableId};
use crate::store::{Change, LogSize, Misfit, Op, Position, Result, StoreError};
use crate::value::Value;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How long rows stay that every reader has taken in.
const RETENTION_DAYS: u32 = 7;
/// At most so many rows go at once.
const CUT_AT_ONCE: usize = 10_000;

/// The log number of a position; the empty one is the beginning.
pub(super) fn seq_of(inner: &Inner, p: &Position) -> Result<i64> {
    if p.0.is_empty() {
        return Ok(0);
    }
    p.0.parse().map_err(|_| inner.other(format!("`{}` is no position of this store", p.0)))
}

fn list(items: &[String]) -> Param<'static> {
    array(items.iter().map(|s| Some(Cow::Borrowed(s.as_str()))))
}

/// A table of the log, with what is needed to read its rows.
struct Logged {
    id: TableId,
    shape: Arc<super::describe::Shape>,
}

impl Logged {
    /// A key as values, or why it is none.
    fn key(&self, t: &Table, text: &str) -> std::result::Result<Vec<Value>, Misfit> {
        let misfit = |column: ColumnId, value: String, reason: String| Misfit {
            table: self.id,
            column,
            key: text.to_string(),
            value,
            reason,
        };
        let first = t.primary_key.first().copied().unwrap_or(ColumnId(0));
        let parts: Vec<Option<String>> = serde_json::from_str(text).unwrap_or_default();
        if parts.len() != t.primary_key.len() {
            return Err(misfit(first, text.to_string(), "is no key of the table as its schema has it".into()));
        }
        let mut key = Vec::with_capacity(parts.len());
        for (c, part) in t.primary_key.iter().zip(&parts) {
            let kind = self.shape.kind(*c);
            match decode(part.as_deref(), t.column(*c), kind) {
                Ok(v) => key.push(v),
                Err(why) => return Err(misfit(*c, readable(part.as_deref(), kind), why.into_owned())),
            }
        }
        Ok(key)
    }

    /// Old values as values. One that does not fit its column is unknown: it is left out.
    fn old(&self, t: &Table, text: Option<&str>) -> Vec<(ColumnId, Value)> {
        let parts: BTreeMap<String, Option<String>> =
            text.and_then(|t| serde_json::from_str(t).ok()).unwrap_or_default();
        let typed = parts.iter().filter_map(|(name, part)| {
            let c = column_named(t, name)?;
            Some((c, decode(part.as_deref(), t.column(c), self.shape.kind(c)).ok()?))
        });
        typed.collect()
    }
}

/// The mark of the newest row at or below a number; none where the log does not reach back so far.
fn mark_at(session: &mut Session, inner: &Inner, seq: i64) -> Result<Option<String>> {
    let sql = "SELECT (SELECT floor FROM _tablemap_meta)::text, \
               (SELECT mark FROM _tablemap_changes WHERE seq <= $1 ORDER BY seq DESC LIMIT 1)::text";
    let rows = session.query(sql, &[Param::number(seq)]).map_err(|e| inner.err(e))?;
    let row = rows.first().ok_or_else(|| inner.other("its log cannot be read"))?;
    let text = |i: usize| row.at(i).map_err(|e| inner.err(e));
    if text(0)?.and_then(|f| f.parse::<i64>().ok()).is_some_and(|f| f > seq) {
        return Ok(None);
    }
    // Nothing was ever logged up to here, and nothing was cut.
    Ok(Some(text(1)?.unwrap_or_default().to_string()))
}

/// Asks until the server can be reached, for half a minute: whoever asks takes no answer for a bad one.
pub(super) fn patiently<T>(mut ask: impl FnMut() -> Result<T>) -> Result<T> {
    let until = Instant::now() + Duration::from_secs(30);
    loop {
        match ask() {
            Err(StoreError::Unreachable { .. }) if Instant::now() < until => {
                std::thread::sleep(Duration::from_millis(200));
            }
            told => return told,
        }
    }
}

impl Handle {
    /// An error where there is no log.
    fn must_log(&self) -> Result<()> {
        if self.logged { Ok(()) } else { Err(self.inner.other("it is not prepared")) }
    }

    pub(super) fn log_head(&mut self) -> Result<Position> {
        self.must_log()?;
        Ok(Position(self.head.to_string()))
    }

    /// The first column of the first row, on the connection that sees the log's numbers.
    fn log_one(&mut self, sql: &str, params: &[Param<'_>]) -> Result<Option<String>> {
        let inner = self.inner.clone();
        let rows = self.log().query(sql, params).map_err(|e| inner.err(e))?;
        rows.first().map_or(Ok(None), |r| r.try_get(0)).map_err(|e| inner.err(e.into()))
    }

    pub(super) fn log_witness(&mut self, position: &Position) -> Result<Option<String>> {
        let seq = seq_of(&self.inner, position)?;
        self.must_log()?;
        if self.head < seq {
            return Ok(None);
        }
        let inner = self.inner.clone();
        match mark_at(self.log(), &inner, seq) {
            // A cut connection says nothing about the log, whose rows stay what they are: another one is asked.
            Err(StoreError::Unreachable { .. }) => patiently(|| {
                let (mut session, _) = inner.take()?;
                let told = mark_at(&mut session, &inner, seq);
                inner.put_back(session);
                told
            }),
            told => told,
        }
    }

    /// The names under which these tables stand in the log.
    fn log_names(&mut self, tables: &[TableId]) -> Result<HashMap<String, Logged>> {
        let inner = self.inner.clone();
        let session = self.session();
        let mut all = HashMap::new();
        for id in tables {
            let shape = session.shape(&inner, *id)?;
            all.insert(shape.log_name.clone(), Logged { id: *id, shape });
        }
        Ok(all)
    }

    pub(super) fn log_changes(
        &mut self,
        after: &Position,
        tables: &[TableId],
        legs: &[String],
        limit: usize,
        out: &mut Vec<Change>,
    ) -> Result<bool> {
        let inner = self.inner.clone();
        let after = seq_of(&inner, after)?;
        let known = self.log_names(tables)?;
        if known.is_empty() || !self.logged {
            return Ok(true);
        }
        let names: Vec<String> = known.keys().cloned().collect();
        let sql = "SELECT seq::text, tbl, op, key, old_key, old, origin, settles::text, path, \
                   to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') FROM _tablemap_changes AS c \
                   WHERE seq > $1 AND seq <= $2 AND tbl = ANY ($3::text[]) \
                   AND (for_leg IS NULL OR for_leg = ANY ($4::text[])) ORDER BY c.seq LIMIT $5";
        let head = self.head;
        let params = [Param::number(after), Param::number(head), list(&names), list(legs), Param::number(limit)];
        let rows = self.log().query(sql, &params).map_err(|e| inner.err(e))?;
        let n = rows.len();
        for row in rows {
            let text = |i: usize| row.at(i).map_err(|e| inner.err(e));
            let Some(logged) = known.get(text(1)?.unwrap_or_default()) else { continue };
            let t = inner.schema.get(logged.id);
            out.push(Change {
                seq: text(0)?.and_then(|n| n.parse().ok()).ok_or_else(|| inner.other("its log has odd numbers"))?,
                table: logged.id,
                op: Op::from_letter(text(2)?.unwrap_or_default()),
                key: logged.key(t, text(3)?.unwrap_or_default()),
                old_key: text(4)?.and_then(|k| logged.key(t, k).ok()),
                old: logged.old(t, text(5)?),
                origin: text(6)?.map(str::to_string),
                settles: text(7)? == Some("true"),
                path: text(8)?.unwrap_or_default().to_string(),
                at: text(9)?.unwrap_or_default().to_string(),
            });
        }
        Ok(n < limit)
    }

    pub(super) fn log_count(&mut self, after: &Position, tables: &[TableId], own: &[String]) -> Result<u64> {
        let inner = self.inner.clone();
        let after = seq_of(&inner, after)?;
        let names: Vec<String> = self.log_names(tables)?.into_keys().collect();
        if !self.logged {
            return Ok(0);
        }
        let sql = "SELECT count(*)::text FROM _tablemap_changes WHERE seq > $1 AND seq <= $2 AND tbl = ANY ($3::text[]) \
                   AND (origin IS NULL OR NOT origin = ANY ($4::text[]))";
        let head = self.head;
        let n = self.log_one(sql, &[Param::number(after), Param::number(head), list(&names), list(own)])?;
        Ok(n.and_then(|n| n.parse().ok()).unwrap_or(0))
    }

    /// The log's length: numbers follow each other, and it is cut at its beginning only.
    pub(super) fn log_length(&mut self) -> Result<LogSize> {
        if !self.logged {
            return Ok(LogSize::default());
        }
        let inner = self.inner.clone();
        let head = self.head;
        let sql = "SELECT c.seq::text, to_char(at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'), \
                   (SELECT avg(pg_column_size(newest.*))::bigint FROM (SELECT * FROM _tablemap_changes WHERE seq <= $1 \
                   ORDER BY seq DESC LIMIT 1000) AS newest)::text \
                   FROM _tablemap_changes AS c WHERE c.seq <= $1 ORDER BY c.seq LIMIT 1";
        let held_back = match inner.address.logical {
            true => super::slot::held_back(self.session()).map_err(|e| inner.err(e))?,
            false => None,
        };
        let found = self.log().query(sql, &[Param::number(head)]).map_err(|e| inner.err(e))?;
        let Some(row) = found.first() else { return Ok(LogSize { held_back, ..LogSize::default() }) };
        let text = |i: usize| row.at(i).map(Option::unwrap_or_default).map_err(|e| inner.err(e));
        let number = |s: &str| s.parse::<i64>().map_err(|_| inner.other("its log has odd numbers"));
        let rows = head.saturating_sub(number(text(0)?)?).saturating_add(1).unsigned_abs();
        let each = number(text(2)?)?.unsigned_abs();
        Ok(LogSize { rows, oldest: text(1)?.to_string(), bytes: rows.saturating_mul(each), held_back })
    }

    pub(super) fn log_touch(
        &mut self,
        table: TableId,
        key: &[Value],
        old: &[(ColumnId, Value)],
        for_leg: &str,
    ) -> Result<()> {
        let inner = self.inner.clone();
        let shape = self.session().shape(&inner, table)?;
        let t = inner.schema.get(table);
        let text = |c: ColumnId, v: &Value| match encode(v, t.column(c), shape.kind(c)) {
            Ok(text) => text.map_or(serde_json::Value::Null, |t| t.into_owned().into()),
            Err(_) => v.to_string().into(),
        };
        let key: Vec<serde_json::Value> = t.primary_key.iter().zip(key).map(|(c, v)| text(*c, v)).collect();
        let old: serde_json::Map<String, serde_json::Value> =
            old.iter().map(|(c, v)| (t.column(*c).name.clone(), text(*c, v))).collect();
        // Owed by the engine to one leg, whoever writes now: no origin, but the path goes on.
        let path = self.writer.as_ref().map_or(String::new(), |w| w.2.clone());
        let (key, old) = (serde_json::Value::from(key).to_string(), serde_json::Value::from(old).to_string());
        if inner.address.logical {
            // It takes its place among the changes.
            return self.say(&super::drain::touch(&shape.log_name, &key, &old, &path, for_leg));
        }
        self.run(
            "INSERT INTO _tablemap_changes (tbl, op, key, old, path, for_leg) VALUES ($1, 'T', $2, $3, $4, $5)",
            &[Param::from(&shape.log_name), Param::from(&key), Param::from(&old), Param::from(&path), for_leg.into()],
        )?;
        Ok(())
    }

    pub(super) fn log_disown(&mut self, leg: &str, written: &dyn Fn(TableId, &[Value]) -> usize) -> Result<u64> {
        if !self.logged {
            return Ok(0);
        }
        if self.inner.address.logical {
            return self.say_what_was_meant(leg, written);
        }
        let inner = self.inner.clone();
        // Rows of this transaction have no number yet. Without one, there is no transaction number either.
        let sql = "SELECT c.id::text, tbl, key FROM _tablemap_changes AS c WHERE seq IS NULL \
                   AND txid = pg_current_xact_id_if_assigned() AND origin = $1 ORDER BY c.id";
        let rows = self.rows(sql, &[leg.into()])?;
        if rows.is_empty() {
            return Ok(0);
        }
        let ids: Vec<TableId> =
            (0..inner.schema.tables.len()).filter_map(|i| u32::try_from(i).ok()).map(TableId).collect();
        let mut known: HashMap<String, Logged> = HashMap::new();
        for id in ids {
            // A table of the schema that is not in the database logs nothing.
            if let Ok(shape) = self.session().shape(&inner, id) {
                known.insert(shape.log_name.clone(), Logged { id, shape });
            }
        }
        let mut disowned: Vec<Option<Cow<'_, str>>> = Vec::new();
        let mut by_row: HashMap<(&str, &str), Vec<&str>> = HashMap::new();
        for row in &rows {
            let text = |i: usize| row.at(i).map(Option::unwrap_or_default).map_err(|e| inner.err(e));
            by_row.entry((text(1)?, text(2)?)).or_default().push(text(0)?);
        }
        for ((table, key), ids) in by_row {
            let times = known
                .get(table)
                .and_then(|logged| Some(written(logged.id, &logged.key(inner.schema.get(logged.id), key).ok()?)));
            // Once more than the engine wrote it, it was a trigger, and the row differs from what was written.
            if ids.len() > times.unwrap_or(0) {
                disowned.extend(ids.into_iter().map(|id| Some(Cow::Borrowed(id))));
            }
        }
        if disowned.is_empty() {
            return Ok(0);
        }
        self.run(
            "UPDATE _tablemap_changes SET origin = NULL, settles = false WHERE id = ANY ($1::text[]::bigint[])",
            &[array(disowned.into_iter())],
        )
    }
}

/// Cuts what every reader has taken in and what is old enough. The row at a reader's position stays: it is its witness.
pub(super) fn cut(store: &PostgresStore) -> Result<()> {
    let mut handle = store.simple()?;
    if !handle.is_prepared()? {
        return Ok(());
    }
    let sql = format!(
        "WITH read AS MATERIALIZED (SELECT seq, at FROM _tablemap_changes \
         WHERE seq < (SELECT min(acked) FROM _tablemap_readers) AND seq < (SELECT max(seq) FROM _tablemap_changes) \
         ORDER BY seq LIMIT {CUT_AT_ONCE}) \
         SELECT max(seq)::text FROM read WHERE seq < coalesce((SELECT min(seq) FROM read \
         WHERE at >= now() - interval '{RETENTION_DAYS} days'), 9223372036854775807)"
    );
    if let Some(last) = handle.one(&sql, &[])? {
        handle.run("DELETE FROM _tablemap_changes WHERE seq <= $1", &[Param::from(&last)])?;
        handle.run("UPDATE _tablemap_meta SET floor = greatest(floor, $1)", &[Param::from(&last)])?;
    }
    handle.finish()
}

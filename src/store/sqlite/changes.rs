//! The change log: reading, touching, disowning, cutting.
//!
//! A key stands in the log as the `quote()` of its columns with commas between, old values as `"column"=quoted` pieces
//! with commas between. Text that holds a NUL, which `quote()` cuts, stands as `T'hex'`.

use super::connect::Inner;
use super::error::column_named;
use super::types::{Bound, decode, encode, ident, readable};
use super::{Handle, SqliteStore};
use crate::schema::{ColumnId, Table, TableId};
use crate::store::{Change, LogSize, Misfit, Op, Position, Result, Transaction};
use crate::value::Value;
use rusqlite::types::ValueRef;
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::fmt::Write;
use std::hash::{DefaultHasher, Hash, Hasher};

/// How long rows stay that every reader has taken in.
const RETENTION_DAYS: u32 = 7;
/// At most so many rows go at once, so that nobody waits long.
const CUT_AT_ONCE: usize = 10_000;

/// The log number of a position; the empty one is the beginning.
pub(super) fn seq_of(inner: &Inner, p: &Position) -> Result<i64> {
    if p.0.is_empty() {
        return Ok(0);
    }
    p.0.parse().map_err(|_| inner.other(format!("`{}` is no position of this store", p.0)))
}

/// A piece of the log's text.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Piece<'a> {
    Null,
    Int(i64),
    Real(f64),
    Text(Cow<'a, str>),
    Bytes(Vec<u8>),
    /// Text that is no UTF-8.
    Broken(Vec<u8>),
}

impl Piece<'_> {
    fn as_ref(&self) -> ValueRef<'_> {
        match self {
            Piece::Null => ValueRef::Null,
            Piece::Int(i) => ValueRef::Integer(*i),
            Piece::Real(f) => ValueRef::Real(*f),
            Piece::Text(t) => ValueRef::Text(t.as_bytes()),
            Piece::Bytes(b) => ValueRef::Blob(b),
            Piece::Broken(b) => ValueRef::Text(b),
        }
    }
}

/// Reads one piece off the front.
fn piece<'a>(text: &mut &'a str) -> Option<Piece<'a>> {
    let s: &'a str = text;
    let hex_of = |body: &str| -> Option<Vec<u8>> {
        let b = body.as_bytes();
        b.chunks(2).map(|c| u8::from_str_radix(std::str::from_utf8(c).ok()?, 16).ok()).collect()
    };
    match s.as_bytes().first()? {
        b'\'' => {
            let (body, rest, doubled) = quoted(s, b'\'')?;
            *text = rest;
            Some(Piece::Text(if doubled { Cow::Owned(body.replace("''", "'")) } else { Cow::Borrowed(body) }))
        }
        mark @ (b'X' | b'T') => {
            let (body, rest, _) = quoted(&s[1..], b'\'')?;
            *text = rest;
            let bytes = hex_of(body)?;
            Some(if *mark == b'X' {
                Piece::Bytes(bytes)
            } else {
                match String::from_utf8(bytes) {
                    Ok(t) => Piece::Text(Cow::Owned(t)),
                    Err(e) => Piece::Broken(e.into_bytes()),
                }
            })
        }
        _ => {
            let end = s.find(',').unwrap_or(s.len());
            let (body, rest) = s.split_at(end);
            *text = rest;
            Some(match body {
                "NULL" => Piece::Null,
                _ => match body.parse::<i64>() {
                    Ok(i) => Piece::Int(i),
                    Err(_) => Piece::Real(body.parse().ok()?),
                },
            })
        }
    }
}

/// What stands between the quotes at the front, what follows, and whether a quote is doubled in it.
fn quoted(s: &str, quote: u8) -> Option<(&str, &str, bool)> {
    let b = s.as_bytes();
    if b.first() != Some(&quote) {
        return None;
    }
    let (mut i, mut doubled) = (1, false);
    while i < b.len() {
        if b[i] == quote {
            if b.get(i + 1) == Some(&quote) {
                doubled = true;
                i += 1;
            } else {
                return Some((&s[1..i], &s[i + 1..], doubled));
            }
        }
        i += 1;
    }
    None
}

/// The pieces of a key.
pub(super) fn key_pieces(mut text: &str) -> Option<Vec<Piece<'_>>> {
    let mut all = Vec::with_capacity(2);
    loop {
        all.push(piece(&mut text)?);
        match text.strip_prefix(',') {
            Some(rest) => text = rest,
            None => return text.is_empty().then_some(all),
        }
    }
}

/// The pieces of old values, with their columns' names.
fn old_pieces(mut text: &str) -> Option<Vec<(Cow<'_, str>, Piece<'_>)>> {
    let mut all = Vec::new();
    while !text.is_empty() {
        let (name, rest, doubled) = quoted(text, b'"')?;
        let name = if doubled { Cow::Owned(name.replace("\"\"", "\"")) } else { Cow::Borrowed(name) };
        text = rest.strip_prefix('=')?;
        all.push((name, piece(&mut text)?));
        text = text.strip_prefix(',').unwrap_or(text);
    }
    Some(all)
}

/// A stored value as the triggers write it.
fn quote(v: ValueRef<'_>, out: &mut String) {
    match v {
        ValueRef::Null => out.push_str("NULL"),
        ValueRef::Integer(i) => {
            let _ = write!(out, "{i}");
        }
        ValueRef::Real(f) => {
            let _ = write!(out, "{f:e}");
        }
        ValueRef::Text(t) => match std::str::from_utf8(t) {
            Ok(s) if !s.contains('\0') => {
                let _ = write!(out, "'{}'", s.replace('\'', "''"));
            }
            _ => hex(b'T', t, out),
        },
        ValueRef::Blob(b) => hex(b'X', b, out),
    }
}

fn hex(mark: u8, bytes: &[u8], out: &mut String) {
    let _ = write!(out, "{}'", char::from(mark));
    for b in bytes {
        let _ = write!(out, "{b:02X}");
    }
    out.push('\'');
}

/// A time as the triggers write it (`2026-11-20 10:00:00`), in the form everybody else uses.
fn iso(at: &str) -> String {
    match at.split_once(' ') {
        Some((day, time)) => format!("{day}T{time}.000Z"),
        None => at.to_string(),
    }
}

/// A key as values, or why it is none.
fn read_key(stored: ValueRef<'_>, t: &Table, table: TableId) -> std::result::Result<Vec<Value>, Misfit> {
    let bytes = stored.as_bytes().unwrap_or_default();
    let (text, valid) = match std::str::from_utf8(bytes) {
        Ok(s) => (Cow::Borrowed(s), true),
        Err(_) => (String::from_utf8_lossy(bytes), false),
    };
    let text = text.as_ref();
    let misfit = |column: ColumnId, value: String, reason: String| Misfit {
        table,
        column,
        key: text.to_string(),
        value,
        reason,
    };
    let first = t.primary_key.first().copied().unwrap_or(ColumnId(0));
    if !valid {
        return Err(misfit(first, text.to_string(), "is no valid UTF-8".into()));
    }
    let pieces = match key_pieces(text) {
        Some(p) if p.len() == t.primary_key.len() => p,
        _ => return Err(misfit(first, text.to_string(), "is no key of the table as its schema has it".into())),
    };
    let mut key = Vec::with_capacity(pieces.len());
    for (c, p) in t.primary_key.iter().zip(&pieces) {
        match decode(p.as_ref(), t.column(*c)) {
            Ok(v) => key.push(v),
            Err(why) => return Err(misfit(*c, readable(p.as_ref()), why.into_owned())),
        }
    }
    Ok(key)
}

/// Old values as values. One that does not fit its column is unknown: it is left out.
fn read_old(bytes: &[u8], t: &Table) -> Vec<(ColumnId, Value)> {
    let text = String::from_utf8_lossy(bytes);
    // Text that is no UTF-8 has lost what it was.
    let valid = matches!(text, Cow::Borrowed(_));
    let pieces = old_pieces(&text).unwrap_or_default();
    let typed = pieces.iter().filter_map(|(name, p)| {
        if !valid && matches!(p, Piece::Text(t) if t.contains('\u{FFFD}')) {
            return None;
        }
        let c = column_named(t, name)?;
        Some((c, decode(p.as_ref(), t.column(c)).ok()?))
    });
    typed.collect()
}

impl Handle {
    /// The newest log number; none where there is no log.
    pub(super) fn newest_seq(&mut self) -> Result<Option<i64>> {
        let there: Option<i64> =
            self.one("SELECT 1 FROM sqlite_master WHERE name = '_tablemap_changes' AND type = 'table'", [])?;
        match there {
            None => Ok(None),
            Some(_) => {
                Ok(Some(self.one("SELECT seq FROM _tablemap_changes ORDER BY seq DESC LIMIT 1", [])?.unwrap_or(0)))
            }
        }
    }

    fn floor(&mut self) -> Result<i64> {
        Ok(self.one("SELECT floor FROM _tablemap_meta", [])?.unwrap_or(0))
    }

    pub(super) fn log_head(&mut self) -> Result<Position> {
        let newest = self.newest_seq()?.ok_or_else(|| self.inner.other("it is not prepared"))?;
        Ok(Position(newest.to_string()))
    }

    /// The log's length: numbers follow each other, and it is cut at its beginning only.
    pub(super) fn log_length(&mut self) -> Result<LogSize> {
        let Some(newest) = self.newest_seq()?.filter(|n| *n > 0) else { return Ok(LogSize::default()) };
        let first: Option<i64> = self.one("SELECT min(seq) FROM _tablemap_changes", [])?;
        let oldest: Option<String> = self.one("SELECT at FROM _tablemap_changes ORDER BY seq LIMIT 1", [])?;
        let each: Option<i64> = self.one(
            "SELECT sum(24 + length(tbl) + length(key) + ifnull(length(old_key), 0) + ifnull(length(old), 0) \
             + ifnull(length(origin), 0) + length(path) + length(at) + length(mark)) / count(*) \
             FROM (SELECT * FROM _tablemap_changes ORDER BY seq DESC LIMIT 1000)",
            [],
        )?;
        let rows = newest.saturating_sub(first.unwrap_or(newest)).saturating_add(1).unsigned_abs();
        let bytes = rows.saturating_mul(each.unwrap_or(0).unsigned_abs());
        Ok(LogSize { rows, oldest: iso(&oldest.unwrap_or_default()), bytes, held_back: None })
    }

    pub(super) fn log_witness(&mut self, position: &Position) -> Result<Option<String>> {
        let seq = seq_of(&self.inner, position)?;
        let newest = self.newest_seq()?.ok_or_else(|| self.inner.other("it is not prepared"))?;
        if newest < seq || self.floor()? > seq {
            return Ok(None);
        }
        let mark = self.one("SELECT mark FROM _tablemap_changes WHERE seq <= ?1 ORDER BY seq DESC LIMIT 1", [seq])?;
        // Nothing was ever logged up to here, and nothing was cut.
        Ok(Some(mark.unwrap_or_default()))
    }

    /// The names under which these tables stand in the log.
    fn log_names(&mut self, tables: &[TableId]) -> Result<Vec<(String, TableId)>> {
        let inner = self.inner.clone();
        let session = self.session();
        tables.iter().map(|t| Ok((session.shape(&inner, *t)?.name.clone(), *t))).collect()
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
        let names = self.log_names(tables)?;
        if names.is_empty() {
            return Ok(true);
        }
        let marks = |from: usize, n: usize| (from..from + n).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
        // `+` keeps the planner on the order of the log.
        let sql = format!(
            "SELECT seq, tbl, op, key, old_key, old, origin, settles, path, at FROM _tablemap_changes \
             WHERE seq > ?1 AND +tbl IN ({}) AND (for_leg IS NULL OR for_leg IN ({})) ORDER BY seq LIMIT ?2",
            marks(3, names.len()),
            marks(3 + names.len(), legs.len()),
        );
        let conn = &self.session().conn;
        let mut run = || -> rusqlite::Result<bool> {
            let mut s = conn.prepare_cached(&sql)?;
            s.raw_bind_parameter(1, after)?;
            s.raw_bind_parameter(2, i64::try_from(limit).unwrap_or(i64::MAX))?;
            for (i, name) in names.iter().map(|(n, _)| n).chain(legs).enumerate() {
                s.raw_bind_parameter(i + 3, name)?;
            }
            let mut rows = s.raw_query();
            let mut n = 0;
            let mut last = 0;
            while let Some(row) = rows.next()? {
                n += 1;
                let name = row.get_ref(1)?.as_str()?;
                if names[last].0 != name {
                    last = names.iter().position(|(n, _)| n == name).unwrap_or(last);
                }
                let table = names[last].1;
                let t = inner.schema.get(table);
                let key = read_key(row.get_ref(3)?, t, table);
                let old_key = match row.get_ref(4)? {
                    ValueRef::Null => None,
                    stored => read_key(stored, t, table).ok(),
                };
                let old = match row.get_ref(5)? {
                    ValueRef::Text(text) => read_old(text, t),
                    _ => vec![],
                };
                out.push(Change {
                    seq: row.get(0)?,
                    table,
                    op: Op::from_letter(row.get_ref(2)?.as_str()?),
                    key,
                    old_key,
                    old,
                    origin: row.get(6)?,
                    settles: row.get(7)?,
                    path: row.get(8)?,
                    at: iso(row.get_ref(9)?.as_str()?),
                });
            }
            Ok(n < limit)
        };
        run().map_err(|e| inner.err(e))
    }

    pub(super) fn log_count(&mut self, after: &Position, tables: &[TableId], own: &[String]) -> Result<u64> {
        let inner = self.inner.clone();
        let after = seq_of(&inner, after)?;
        let names = self.log_names(tables)?;
        let marks = |from: usize, n: usize| (from..from + n).map(|i| format!("?{i}")).collect::<Vec<_>>().join(", ");
        let sql = format!(
            "SELECT count(*) FROM _tablemap_changes WHERE seq > ?1 AND +tbl IN ({}) AND ifnull(origin, '') NOT IN ({})",
            marks(2, names.len()),
            marks(2 + names.len(), own.len()),
        );
        let conn = &self.session().conn;
        let run = || -> rusqlite::Result<i64> {
            let mut s = conn.prepare_cached(&sql)?;
            s.raw_bind_parameter(1, after)?;
            for (i, name) in names.iter().map(|(n, _)| n).chain(own).enumerate() {
                s.raw_bind_parameter(i + 2, name)?;
            }
            let mut rows = s.raw_query();
            rows.next()?.map_or(Ok(0), |r| r.get(0))
        };
        run().map(|n| n.unsigned_abs()).map_err(|e| inner.err(e))
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
        let put = |c: ColumnId, v: &Value, out: &mut String| {
            let bound = encode(v, t.column(c), shape.affinity(c))
                .unwrap_or_else(|_| Bound::Text(compact_str::format_compact!("{v}")));
            quote(bound.as_ref(), out);
        };
        let mut key_text = String::new();
        for (i, (c, v)) in t.primary_key.iter().zip(key).enumerate() {
            if i > 0 {
                key_text.push(',');
            }
            put(*c, v, &mut key_text);
        }
        let mut old_text = String::new();
        for (c, v) in old {
            if !old_text.is_empty() {
                old_text.push(',');
            }
            let _ = write!(old_text, "{}=", ident(&t.column(*c).name));
            put(*c, v, &mut old_text);
        }
        // Owed by the engine to one leg, whoever writes now: no origin, but the path goes on.
        let path = self.writer.as_ref().map_or(String::new(), |w| w.2.clone());
        self.run(
            "INSERT INTO _tablemap_changes (tbl, op, key, old, settles, path, for_leg, at, mark) \
             VALUES (?1, 'T', ?2, ?3, 0, ?4, ?5, CURRENT_TIMESTAMP, random())",
            (&shape.name, key_text, old_text, path, for_leg),
        )?;
        Ok(())
    }

    pub(super) fn log_disown(&mut self, leg: &str, written: &dyn Fn(TableId, &[Value]) -> usize) -> Result<u64> {
        let (Some(began), Some(newest)) = (self.began, self.newest_seq()?) else {
            return Ok(0);
        };
        if newest == began || mutant!("origin-by-transaction") {
            return Ok(0);
        }
        let inner = self.inner.clone();
        let known: Vec<TableId> = (0..inner.schema.tables.len() as u32).map(TableId).collect();
        let wrote = |table: TableId, stored: ValueRef<'_>| {
            read_key(stored, inner.schema.get(table), table).map_or(0, |k| written(table, &k))
        };
        let mut disowned: HashSet<i64> = HashSet::new();
        let conn = &self.session().conn;
        let mut run = || -> rusqlite::Result<()> {
            let mut s =
                conn.prepare_cached("SELECT seq, tbl, key FROM _tablemap_changes WHERE seq > ?1 AND origin = ?2")?;
            let mut rows = s.query((began, leg))?;
            let mut last: Option<TableId> = None;
            // Once more than the engine wrote it, it was a trigger, and the row differs from what was written. (Only
            // hashes are kept; two rows of one hash are looked at once more for nothing.)
            let mut left: HashMap<u64, usize> = HashMap::new();
            let mut beyond: Vec<(TableId, String, String)> = Vec::new();
            while let Some(row) = rows.next()? {
                let name = row.get_ref(1)?.as_str()?;
                let mut hash = DefaultHasher::new();
                (name, row.get_ref(2)?.as_str()?).hash(&mut hash);
                let of = |t: &TableId| inner.schema.get(*t).stored_name().eq_ignore_ascii_case(name);
                if !last.as_ref().is_some_and(of) {
                    last = known.iter().copied().find(|t| of(t));
                }
                let times = last.map_or(0, |table| wrote(table, row.get_ref(2).unwrap_or(ValueRef::Null)));
                if times == 0 {
                    disowned.insert(row.get(0)?);
                }
                let left = left.entry(hash.finish()).or_insert(times);
                if let (0, Some(table)) = (*left, last)
                    && times > 0
                    && !mutant!("own-row-changed-by-a-trigger")
                {
                    beyond.push((table, name.to_string(), row.get(2)?));
                }
                *left = left.saturating_sub(1);
            }
            drop(rows);
            for (table, name, key) in &beyond {
                let mut all = conn.prepare_cached(
                    "SELECT seq FROM _tablemap_changes WHERE seq > ?1 AND origin = ?2 AND tbl = ?3 AND key = ?4",
                )?;
                let rows = all.query_map((began, leg, name, key), |r| r.get::<_, i64>(0))?;
                let rows = rows.collect::<rusqlite::Result<Vec<i64>>>()?;
                if rows.len() > wrote(*table, ValueRef::Text(key.as_bytes())) {
                    disowned.extend(rows);
                }
            }
            let mut clear =
                conn.prepare_cached("UPDATE _tablemap_changes SET origin = NULL, settles = 0 WHERE seq = ?1")?;
            for seq in &disowned {
                clear.execute([seq])?;
            }
            Ok(())
        };
        run().map_err(|e| inner.err(e))?;
        Ok(disowned.len() as u64)
    }
}

/// Cuts what every reader has taken in and what is old enough. The row at a reader's position stays: it is its witness.
pub(super) fn cut(store: &SqliteStore) -> Result<()> {
    let inner = &store.inner;
    let mut look = store.handle(false)?;
    if look.newest_seq()?.is_none() {
        return Ok(());
    }
    let slowest = if mutant!("cut-behind-the-fastest") { "max" } else { "min" };
    let through = |h: &mut Handle| -> Result<Option<i64>> {
        let acked: Option<Option<i64>> = h.one(&format!("SELECT {slowest}(acked) FROM _tablemap_readers"), [])?;
        let Some(acked) = acked.flatten() else {
            return Ok(None);
        };
        let conn = &h.session().conn;
        let run = || -> rusqlite::Result<Option<i64>> {
            let before: String = conn.query_row(
                &format!("SELECT strftime('%Y-%m-%dT%H:%M:%fZ', 'now', '-{RETENTION_DAYS} days')"),
                [],
                |r| r.get(0),
            )?;
            let mut s = conn.prepare_cached(
                "SELECT seq, at FROM _tablemap_changes WHERE seq < ?1 \
                 AND seq < (SELECT max(seq) FROM _tablemap_changes) ORDER BY seq LIMIT ?2",
            )?;
            let mut rows = s.query((acked + i64::from(mutant!("cuts-the-witness")), CUT_AT_ONCE as i64))?;
            let mut last = None;
            while let Some(row) = rows.next()? {
                if iso(row.get_ref(1)?.as_str()?) >= before {
                    break;
                }
                last = Some(row.get(0)?);
            }
            Ok(last)
        };
        run().map_err(|e| inner.err(e))
    };
    if through(&mut look)?.is_none() {
        return Ok(());
    }
    drop(look);
    let mut handle = store.handle(true)?;
    if let Some(last) = through(&mut handle)? {
        handle.run("DELETE FROM _tablemap_changes WHERE seq <= ?1", [last])?;
        handle.run("UPDATE _tablemap_meta SET floor = max(floor, ?1)", [last])?;
    }
    Box::new(handle).commit()
}

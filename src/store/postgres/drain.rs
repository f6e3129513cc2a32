//! From the slot into the change log.
//!
//! Whoever opens a view reads, behind the lock of those who number, what the slot holds up to that moment, and adds it to
//! the log with the transactions' own numbers; from there on a row is like one that a trigger wrote. A transaction whose
//! commit stands in the WAL but which the view does not see yet keeps its rows without a number for the next view.
//!
//! The slot moves on only once what was read of it is committed: up to where that is stands in `_tablemap_slot`, in the
//! same transaction as the rows. What it gives again after a crash is known by its place, and left out.

use super::Handle;
use super::bulk::escaped;
use super::capture::Wanted;
use super::connect::{Inner, Session};
use super::describe::columns_of;
use super::pgoutput::{Cell, Message, Old, Relation, Tuple, as_logged, place, place_text, read, unhex, whole_xid};
use super::read::Texts;
use super::slot::{self, Slot};
use super::types::{Fold, Kind, Param, array, encode, ident, text_literal};
use crate::schema::{ColumnId, TableId};
use crate::store::Result;
use crate::value::Value;
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::time::Duration;

/// Messages that are fetched at once, and log rows that are sent at once.
const AT_ONCE: usize = 5_000;
/// So many bytes of WAL may be read again before the slot moves on: moving costs as much as reading.
const AGAIN: u64 = 256 * 1024;

/// A key, as the log has it.
type KeyText = Vec<Option<String>>;

/// A row of the log to be.
#[derive(Default)]
struct Logged {
    table: String,
    op: char,
    key: String,
    /// Of rows that the stream itself gave: the key's parts.
    parts: KeyText,
    old_key: Option<String>,
    old: Option<String>,
    origin: Option<String>,
    settles: bool,
    path: String,
    for_leg: Option<String>,
}

/// Which rows a leg meant to write in this transaction, of one table; one that it wrote twice stands there twice.
#[derive(Serialize, Deserialize)]
struct Meant {
    leg: String,
    table: String,
    /// Which parts of the key compare without regard to case.
    loose: Vec<bool>,
    keys: Vec<KeyText>,
}

/// The message of a row that is to be looked at again, by one leg.
pub(super) fn touch(table: &str, key: &str, old: &str, path: &str, for_leg: &str) -> String {
    format!("T{}", serde_json::Value::from(vec![table, key, old, path, for_leg]))
}

/// The transaction at hand.
struct Current {
    xid: u64,
    at: i64,
    rows: Vec<Logged>,
    /// Who writes, as `capture::writer_mark` has it.
    writer: String,
    meant: Vec<Meant>,
    /// Tables whose rows were said one by one before they were emptied.
    emptied: BTreeSet<String>,
}

/// Reads the slot's messages, one after the other.
struct Reader<'a> {
    inner: &'a Inner,
    wanted: BTreeMap<String, Wanted>,
    prefix: String,
    /// A whole transaction number near those that are read.
    near: u64,
    /// Up to where everything is in the log.
    drained: u64,
    relations: HashMap<u32, (Relation, Vec<Option<Kind>>)>,
    current: Option<Current>,
    /// The text form of COPY of what is ready.
    ready: Vec<u8>,
    rows: usize,
    /// The end of the last transaction.
    end: u64,
    /// Rows went that nobody said anything of.
    lost: Option<String>,
}

impl Reader<'_> {
    fn odd(&self) -> crate::store::StoreError {
        self.inner.other("its replication slot gives what cannot be read")
    }

    fn take(&mut self, log: &mut Session, message: Message) -> Result<()> {
        match message {
            Message::Begin { commit, at, xid } => {
                let fresh = commit >= self.drained || mutant!("slot-repeats");
                self.current = fresh.then(|| Current {
                    xid: whole_xid(xid, self.near),
                    at,
                    rows: Vec::new(),
                    writer: String::new(),
                    meant: Vec::new(),
                    emptied: BTreeSet::new(),
                });
            }
            Message::Commit { end } => {
                if let Some(done) = self.current.take() {
                    self.end = end;
                    self.finish(done)?;
                }
            }
            Message::Relation(relation) => self.learn(log, relation)?,
            Message::Insert { relation, new } => self.row('I', relation, None, Some(new))?,
            Message::Update { relation, old, new } => self.row('U', relation, old, Some(new))?,
            Message::Delete { relation, old } => self.row('D', relation, Some(old), None)?,
            Message::Truncate { relations } => {
                for id in relations {
                    let Some((relation, _)) = self.relations.get(&id) else { continue };
                    let said = self.current.as_ref().is_none_or(|c| c.emptied.contains(&relation.name));
                    if !said && self.wanted.contains_key(&relation.name) {
                        self.lost = Some(relation.name.clone());
                    }
                }
            }
            Message::Said { prefix, text } if prefix == self.prefix => self.said(&text)?,
            Message::Said { .. } | Message::Other => {}
        }
        Ok(())
    }

    /// Notes what a table looks like. Its types are asked for where they are not known yet.
    fn learn(&mut self, log: &mut Session, relation: Relation) -> Result<()> {
        if !self.wanted.contains_key(&relation.name) {
            return Ok(());
        }
        let known = self.inner.relation(&relation);
        let kinds = match known {
            Some(kinds) => kinds,
            None => {
                let columns = columns_of(log, &relation.id.to_string()).map_err(|e| self.inner.err(e))?;
                let kind = |name: &String| columns.iter().find(|c| c.name == *name).map(|c| c.kind.clone());
                let kinds: Vec<Option<Kind>> = relation.columns.iter().map(kind).collect();
                self.inner.learn_relation(relation.clone(), kinds.clone());
                kinds
            }
        };
        self.relations.insert(relation.id, (relation, kinds));
        Ok(())
    }

    fn row(&mut self, op: char, relation: u32, old: Option<Old>, new: Option<Tuple>) -> Result<()> {
        let Some(current) = &mut self.current else { return Ok(()) };
        let Some((relation, kinds)) = self.relations.get(&relation) else { return Ok(()) };
        let Some(wanted) = self.wanted.get(&relation.name) else { return Ok(()) };
        let value = |row: &Tuple, name: &String| {
            let i = relation.columns.iter().position(|c| c == name)?;
            as_logged(row.get(i)?, kinds.get(i)?.as_ref())
        };
        let key = |row: &Tuple| -> KeyText { wanted.key.iter().map(|c| value(row, c)).collect() };
        let text = |key: &KeyText| serde_json::json!(key).to_string();
        let kept = |old: &Old| {
            let values: serde_json::Map<String, serde_json::Value> =
                wanted.old.iter().map(|c| (c.clone(), value(&old.row, c).into())).collect();
            (old.full && !values.is_empty()).then(|| serde_json::Value::from(values).to_string())
        };
        let mut logged = Logged { op, table: relation.name.clone(), ..Logged::default() };
        match (old, new) {
            (Some(old), Some(mut new)) => {
                for (now, was) in new.iter_mut().zip(&old.row).filter(|(now, _)| **now == Cell::Same) {
                    now.clone_from(was);
                }
                let image = |row: &Tuple| -> Vec<Option<String>> {
                    wanted.key.iter().chain(&wanted.watched).map(|c| value(row, c)).collect()
                };
                if old.full && image(&old.row) == image(&new) {
                    return Ok(());
                }
                (logged.parts, logged.old) = (key(&new), kept(&old));
                let was = key(&old.row);
                logged.old_key = (was != logged.parts).then(|| text(&was));
            }
            (None, Some(new)) => logged.parts = key(&new),
            (Some(old), None) => (logged.parts, logged.old) = (key(&old.row), kept(&old)),
            (None, None) => return Ok(()),
        }
        logged.key = text(&logged.parts);
        current.add(logged);
        // Whose transaction is told at its end needs not be held until then.
        if current.rows.len() >= AT_ONCE && current.writer.is_empty() {
            let rows = std::mem::take(&mut current.rows);
            let (xid, at) = (current.xid, current.at);
            self.send(xid, at, rows)?;
        }
        Ok(())
    }

    /// One of our own messages.
    fn said(&mut self, text: &str) -> Result<()> {
        let odd = self.odd();
        let Some(current) = &mut self.current else { return Ok(()) };
        let list = |rest: &str| serde_json::from_str::<Vec<Option<String>>>(rest);
        let mut chars = text.chars();
        let kind = chars.next();
        let rest = chars.as_str();
        match kind {
            Some('W') => rest.clone_into(&mut current.writer),
            Some('K') => current.meant.push(serde_json::from_str(rest).map_err(|_| odd)?),
            Some('E') => {
                current.emptied.insert(rest.to_string());
            }
            Some(op @ ('T' | 'D')) => {
                let mut parts = list(rest).map_err(|_| odd)?.into_iter();
                let mut next = || parts.next().flatten();
                let mut logged = Logged { op, table: next().unwrap_or_default(), ..Logged::default() };
                logged.key = next().unwrap_or_default();
                logged.parts = serde_json::from_str(&logged.key).unwrap_or_default();
                logged.old = next();
                if op == 'T' {
                    // Owed to one leg, whoever writes now.
                    (logged.path, logged.for_leg) = (next().unwrap_or_default(), next());
                    current.rows.push(logged);
                } else if self.wanted.contains_key(&logged.table) {
                    current.add(logged);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// A whole transaction: what no leg meant to write loses its origin (R3).
    fn finish(&mut self, mut done: Current) -> Result<()> {
        let mut legs: HashSet<&str> = HashSet::new();
        let mut meant: HashMap<(&str, &str, KeyText), usize> = HashMap::new();
        for m in &done.meant {
            legs.insert(&m.leg);
            for k in &m.keys {
                *meant.entry((&m.leg, &m.table, folded(k, &m.loose))).or_default() += 1;
            }
        }
        let loose = |leg: &str, table: &str| done.meant.iter().find(|m| m.leg == leg && m.table == table);
        let mut times: HashMap<(&str, &str), usize> = HashMap::new();
        for row in done.rows.iter().filter(|r| r.origin.is_some()) {
            *times.entry((&row.table, &row.key)).or_default() += 1;
        }
        let own = |row: &Logged| {
            if mutant!("slot-own-by-transaction") {
                return true;
            }
            let Some(leg) = row.origin.as_deref().filter(|leg| legs.contains(leg)) else { return true };
            let meant = loose(leg, &row.table)
                .and_then(|m| meant.get(&(leg, row.table.as_str(), folded(&row.parts, &m.loose))))
                .copied();
            // Once more than the engine wrote it, it was a trigger.
            times.get(&(row.table.as_str(), row.key.as_str())).copied() <= meant
        };
        let foreign: Vec<usize> = (0..done.rows.len()).filter(|i| !own(&done.rows[*i])).collect();
        for i in foreign {
            (done.rows[i].origin, done.rows[i].settles) = (None, false);
        }
        self.send(done.xid, done.at, done.rows)
    }

    fn send(&mut self, xid: u64, at: i64, rows: Vec<Logged>) -> Result<()> {
        // Microseconds since 2000.
        let at = jiff::Timestamp::from_microsecond(at.saturating_add(946_684_800_000_000)).map_err(|_| self.odd())?;
        let (xid, at) = (xid.to_string(), at.to_string());
        self.rows += rows.len();
        for row in rows {
            let op = row.op.to_string();
            let settles = if row.settles { "t" } else { "f" };
            let cells: [Option<&str>; 11] = [
                Some(&xid),
                Some(&row.table),
                Some(&op),
                Some(&row.key),
                row.old_key.as_deref(),
                row.old.as_deref(),
                row.origin.as_deref(),
                Some(settles),
                Some(&row.path),
                row.for_leg.as_deref(),
                Some(&at),
            ];
            for (i, cell) in cells.iter().enumerate() {
                if i > 0 {
                    self.ready.push(b'\t');
                }
                match cell {
                    None => self.ready.extend_from_slice(b"\\N"),
                    Some(text) => escaped(text, &mut self.ready),
                }
            }
            self.ready.push(b'\n');
        }
        Ok(())
    }

    /// Adds what is ready to the log.
    fn write(&mut self, log: &mut Session) -> Result<()> {
        if self.ready.is_empty() {
            return Ok(());
        }
        let rows = bytes::Bytes::from(std::mem::take(&mut self.ready));
        let sql =
            "COPY _tablemap_changes (txid, tbl, op, key, old_key, old, origin, settles, path, for_leg, at) FROM STDIN";
        log.copy("", sql, rows).map_err(|e| self.inner.err(e))
    }
}

impl Current {
    fn add(&mut self, mut logged: Logged) {
        let mut parts = self.writer.split('\u{1f}');
        logged.origin = parts.next().filter(|leg| !leg.is_empty()).map(str::to_string);
        logged.settles = parts.next() == Some("1");
        logged.path = parts.next().unwrap_or_default().to_string();
        self.rows.push(logged);
    }
}

/// A key as it compares.
fn folded(key: &KeyText, loose: &[bool]) -> KeyText {
    let fold = |(part, loose): (&Option<String>, &bool)| match loose {
        true => part.as_ref().map(|p| p.to_lowercase()),
        false => part.clone(),
    };
    key.iter().zip(loose.iter().chain(std::iter::repeat(&false))).map(fold).collect()
}

/// Reads the slot up to now, behind the lock, in the transaction of `log`; `view` is the snapshot whose changes must be in
/// the log afterwards. Returns up to where it is empty, should the transaction be committed.
pub(super) fn drain(log: &mut Session, inner: &Inner, view: &str) -> Result<Option<u64>> {
    let place_of = |text: &str| place(text).ok_or_else(|| inner.other(format!("`{text}` is no place in a WAL")));
    let rows = log.query(
        "SELECT s.slot, s.made, s.drained::text, r.confirmed_flush_lsn::text, pg_current_wal_insert_lsn()::text, \
         pg_current_wal_flush_lsn()::text FROM _tablemap_slot s LEFT JOIN pg_replication_slots r ON r.slot_name = s.slot",
        &[],
    );
    let rows = rows.map_err(|e| inner.err(e))?;
    let Some(row) = rows.first() else { return Ok(None) };
    let text = |i: usize| row.at(i).map_err(|e| inner.err(e));
    let word = |i: usize| text(i).map(|t| t.unwrap_or_default().to_string());
    let slot = Slot { name: word(0)?, made: word(1)?, drained: word(2)? };
    let drained = place_of(&slot.drained)?;
    let (insert, flush) = (place_of(&word(4)?)?, place_of(&word(5)?)?);
    let target = if flush >= insert || mutant!("slot-not-flushed") { flush } else { flushed(log, inner, insert)? };
    let Some(confirmed) = text(3)? else {
        return Err(inner.other(format!(
            "its replication slot `{}` is gone: what was changed since is not known; start the command again, and every map \
             that reads the store goes through its tables once more",
            slot.name
        )));
    };
    let confirmed = place_of(confirmed)?;
    if drained.saturating_sub(confirmed) > AGAIN {
        advance(log, inner, &slot, drained)?;
    }
    let near = view.split(':').nth(1).and_then(|xmax| xmax.parse().ok()).unwrap_or(0);
    let mut reader = Reader {
        inner,
        wanted: super::capture::wanted(log, inner)?,
        prefix: slot::prefix(&inner.address.state),
        near,
        drained,
        relations: HashMap::new(),
        current: None,
        ready: Vec::new(),
        rows: 0,
        end: 0,
        lost: None,
    };
    let fetch = format!("FETCH FORWARD {AT_ONCE} FROM tablemap_slot");
    let mut next = format!(
        "DECLARE tablemap_slot NO SCROLL CURSOR FOR SELECT encode(data, 'hex') FROM pg_logical_slot_peek_binary_changes(\
         {name}, '{}'::pg_lsn, NULL, 'proto_version', '1', 'publication_names', {}, 'messages', 'true'); {fetch}",
        place_text(target),
        text_literal(&ident(&slot.name)),
        name = text_literal(&slot.name),
    );
    loop {
        let some = log.simple(&next).map_err(|e| inner.err(e))?;
        next.clone_from(&fetch);
        let n = some.len();
        for row in some {
            let text = row.at(0).map_err(|e| inner.err(e))?.unwrap_or_default();
            let message = unhex(text).and_then(|bytes| read(&bytes)).ok_or_else(|| reader.odd())?;
            reader.take(log, message)?;
        }
        reader.write(log)?;
        if n < AT_ONCE {
            break;
        }
    }
    if let Some(table) = reader.lost.as_ref().filter(|_| !mutant!("slot-emptied-in-silence")) {
        return Err(emptied(log, inner, table, reader.end));
    }
    if reader.rows == 0 {
        // Nothing to lose: it goes on at once, without a trace.
        advance(log, inner, &slot, target)?;
    } else {
        let sql = "UPDATE _tablemap_slot SET drained = $1::text::pg_lsn";
        log.execute(sql, &[Param::from(&place_text(reader.end))]).map_err(|e| inner.err(e))?;
    }
    Ok(Some(target))
}

/// A table was emptied and no trigger said of what. Nobody may go on as if nothing had happened (R4).
fn emptied(log: &mut Session, inner: &Inner, table: &str, end: u64) -> crate::store::StoreError {
    let sql = "UPDATE _tablemap_meta SET floor = greatest((SELECT max(seq) FROM _tablemap_changes), floor, 0) + 1";
    let done = log.batch(sql).and_then(|()| {
        log.batch(&format!("UPDATE _tablemap_slot SET drained = '{}'::pg_lsn; COMMIT", place_text(end)))
    });
    match done {
        Ok(()) => crate::store::StoreError::NeedsRecover {
            store: inner.name.clone(),
            reason: format!(
                "`{table}` was emptied by TRUNCATE while its trigger for that was off, and its rows are not known"
            ),
        },
        Err(fault) => inner.err(fault),
    }
}

/// Waits until the WAL is on the disk up to `wanted`: transactions that do not wait for the disk may be seen before they
/// are on it, and a slot gives only what is. Up to where it is then.
fn flushed(log: &mut Session, inner: &Inner, wanted: u64) -> Result<u64> {
    for tries in 0..10_000 {
        let rows = log.query("SELECT pg_current_wal_flush_lsn()::text", &[]).map_err(|e| inner.err(e))?;
        let Some(flush) = rows.first().and_then(|r| r.try_get::<_, &str>(0).ok()).and_then(place) else { break };
        if flush >= wanted {
            return Ok(flush);
        }
        if tries % 8 == 3 {
            // A commit that waits for the disk takes all before it along.
            let (mut other, _) = inner.take()?;
            let done = other.query("SELECT pg_logical_emit_message(true, 'tablemap', '')::text", &[]);
            inner.put_back(other);
            done.map_err(|e| inner.err(e))?;
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
    Err(inner.other("it does not say where its WAL stands"))
}

fn advance(log: &mut Session, inner: &Inner, slot: &Slot, to: u64) -> Result<()> {
    let sql = "SELECT (pg_replication_slot_advance(slot_name, $2::text::pg_lsn)).end_lsn::text FROM pg_replication_slots \
               WHERE slot_name = $1 AND confirmed_flush_lsn < $2::text::pg_lsn";
    log.query(sql, &[Param::from(&slot.name), Param::from(&place_text(to))]).map_err(|e| inner.err(e))?;
    Ok(())
}

impl Handle {
    /// Notes a row that was written, by the key that it has now, where a slot gives it back later.
    pub(super) fn meant(&mut self, table: TableId, columns: &[ColumnId], values: &[Value], key: Option<&[Value]>) {
        if !self.inner.address.logical || !self.logged {
            return;
        }
        let t = self.inner.schema.get(table);
        let part = |(i, c): (usize, &ColumnId)| {
            let given = columns.iter().position(|k| k == c).and_then(|at| values.get(at));
            given.or_else(|| key?.get(i)).cloned()
        };
        if let Some(key) = t.primary_key.iter().enumerate().map(part).collect::<Option<Vec<Value>>>() {
            self.wrote.push((table, key));
        }
    }

    /// Says at the end of a transaction which of its rows `leg` meant to write: what else comes back with its origin is the
    /// work of triggers (R3). Returns how many rows it wrote and did not mean, or more often than it meant.
    pub(super) fn say_what_was_meant(
        &mut self,
        leg: &str,
        written: &dyn Fn(TableId, &[Value]) -> usize,
    ) -> Result<u64> {
        let inner = self.inner.clone();
        if self.writer.is_none() {
            return Ok(0);
        }
        let mut tables: BTreeMap<TableId, Vec<Vec<Value>>> = BTreeMap::new();
        let mut disowned = 0;
        let mut times: HashMap<(TableId, String), usize> = HashMap::new();
        let wrote = std::mem::take(&mut self.wrote);
        let text = |key: &[Value]| format!("{key:?}");
        for (table, key) in &wrote {
            *times.entry((*table, text(key))).or_default() += 1;
        }
        for (table, key) in wrote {
            if times.get(&(table, text(&key))).is_none_or(|n| *n > written(table, &key)) {
                disowned += 1;
                continue;
            }
            tables.entry(table).or_default().push(key);
        }
        if tables.is_empty() {
            // Nothing was meant: nothing is its own.
            let none = Meant { leg: leg.to_string(), table: String::new(), loose: vec![], keys: vec![] };
            let none = serde_json::to_string(&none).unwrap_or_default();
            self.say(&format!("K{none}"))?;
        }
        for (table, keys) in tables {
            let shape = self.session().shape(&inner, table)?;
            let t = inner.schema.get(table);
            let mut loose = Vec::new();
            let mut parts = Vec::new();
            for (i, c) in t.primary_key.iter().enumerate() {
                let l = super::read::there(&inner, t, &shape, *c)?;
                loose.push(
                    l.kind.is_text() && !matches!(l.fold, Fold::Plain | Fold::Exactly)
                        || l.kind == Kind::Citext
                        || !l.deterministic,
                );
                // As the server writes a value of the column.
                parts.push(format!("(k.k{i}::text::{})::text", l.cast));
            }
            let mut lists = Vec::new();
            for (i, c) in t.primary_key.iter().enumerate() {
                let mut list = Vec::with_capacity(keys.len());
                for key in &keys {
                    let value = key.get(i).unwrap_or(&Value::Null);
                    let text = encode(value, t.column(*c), shape.kind(*c)).unwrap_or_default();
                    list.push(text.map(|t| Cow::Owned(t.into_owned())));
                }
                lists.push(array(list.into_iter()));
            }
            let meant = Meant { leg: leg.to_string(), table: shape.log_name.clone(), loose, keys: vec![] };
            let head = serde_json::to_string(&meant).unwrap_or_default();
            // The keys go into the list at the end of the head.
            let head = head.strip_suffix("]}").unwrap_or_default();
            let sql = format!(
                "SELECT pg_logical_emit_message(true, {}, 'K' || {} || string_agg(json_build_array({})::text, ',') || ']}}')::text \
                 FROM {}",
                text_literal(&slot::prefix(&inner.address.state)),
                text_literal(head),
                parts.join(", "),
                super::read::key_list(t.primary_key.len()),
            );
            self.run(&sql, &lists)?;
        }
        Ok(disowned)
    }
}

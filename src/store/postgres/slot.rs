//! Logical decoding as the other way of capture: a publication that says which tables, and a slot that keeps what
//! transactions did until it was read. Each table gives its rows as they were (`REPLICA IDENTITY FULL`), and one trigger,
//! which a TRUNCATE alone fires, says what it took away.
//!
//! Own writes are known by messages in the transaction's own stream (`pg_logical_emit_message`): who writes from here on,
//! and at the end which rows were meant. `drain` brings all of it into the change log.

use super::connect::{Ran, Session};
use super::describe::Shape;
use super::error::Fault;
use super::types::{Param, ident, text_literal};
use super::{Handle, PostgresStore};
use crate::store::{Result, StoreError};
use sha2::{Digest, Sha256};

/// What is known of the slot, as `_tablemap_slot` has it.
pub(super) struct Slot {
    /// Its name, which is the publication's too.
    pub name: String,
    /// Changes when it is made anew.
    pub made: String,
    /// Up to where in the WAL its transactions are in the log.
    pub drained: String,
}

/// What our messages begin with.
pub(super) fn prefix(state: &str) -> String {
    format!("tablemap:{state}")
}

/// The slot, where there is one; nothing says that the server has it still.
pub(super) fn known(s: &mut Session) -> Ran<Option<Slot>> {
    let rows = s.query("SELECT slot, made, drained::text FROM _tablemap_slot", &[])?;
    match rows.first() {
        None => Ok(None),
        Some(r) => Ok(Some(Slot { name: r.try_get(0)?, made: r.try_get(1)?, drained: r.try_get(2)? })),
    }
}

/// Makes publication and slot where they are not there. A slot that the server has lost is made anew: then every table
/// counts as newly captured.
pub(super) fn make(store: &PostgresStore) -> Result<()> {
    let inner = &store.inner;
    let mut handle = store.simple()?;
    let level = handle.one("SELECT current_setting('wal_level')", &[])?.unwrap_or_default();
    let version = handle.one("SELECT current_setting('server_version_num')", &[])?.unwrap_or_default();
    if level != "logical" {
        return Err(inner.other(format!(
            "its `url` says `capture=logical`, which needs a server with `wal_level = logical`, and {} has `{level}`; let \
             an administrator run `ALTER SYSTEM SET wal_level = logical` and start the server anew, or leave `capture` out",
            inner.address.shown
        )));
    }
    if version.parse::<u32>().is_ok_and(|v| v < 140_000) {
        return Err(inner.other("`capture=logical` needs PostgreSQL 14 or later; leave `capture` out for triggers"));
    }
    let lock = "SELECT pg_advisory_xact_lock(29806, hashtext($1))";
    handle.rows(lock, &[Param::from(&inner.address.state)])?;
    let database = handle.one("SELECT oid::text FROM pg_database WHERE datname = current_database()", &[])?;
    let state: String =
        Sha256::digest(inner.address.state.as_bytes()).iter().take(4).map(|b| format!("{b:02x}")).collect();
    let name = format!("tablemap_{}_{state}", database.unwrap_or_default());
    let lives = "SELECT coalesce(wal_status, '') FROM pg_replication_slots WHERE slot_name = $1";
    let there = handle.one(lives, &[Param::from(&name)])?;
    let row = known(handle.session()).map_err(|e| inner.err(e))?;
    let published = "SELECT 'yes' FROM pg_publication WHERE pubname = $1";
    let published = handle.one(published, &[Param::from(&name)])?.is_some();
    if published && row.is_some() && there.as_deref().is_some_and(|s| s != "lost") {
        return Ok(());
    }
    if !published {
        // What is decoded must find the publication that was there then: it is committed before the slot begins.
        handle.batch(&format!(
            "CREATE PUBLICATION {} WITH (publish = 'insert, update, delete, truncate', publish_via_partition_root = true); \
             COMMIT; BEGIN",
            ident(&name)
        ))?;
        handle.rows(lock, &[Param::from(&inner.address.state)])?;
    }
    if handle.one(lives, &[Param::from(&name)])?.is_some() {
        // Nobody knows from where on it was read.
        handle.rows("SELECT pg_drop_replication_slot($1::name)", &[Param::from(&name)])?;
    }
    // Whoever writes just now must come to an end first, however long that takes.
    handle.batch("SET LOCAL lock_timeout = 0")?;
    let begin = "SELECT lsn::text FROM pg_create_logical_replication_slot($1::name, 'pgoutput')";
    let made = handle.session().query(begin, &[Param::from(&name)]);
    let made = made.map_err(|fault| not_made(&fault).map_or_else(|| inner.err(fault), |why| inner.other(why)))?;
    let at: String = match made.first() {
        Some(row) => row.try_get(0).map_err(|e| inner.err(e.into()))?,
        None => return Err(inner.other("the server did not make a replication slot")),
    };
    handle.run("DELETE FROM _tablemap_slot", &[])?;
    handle.run(
        "INSERT INTO _tablemap_slot (id, slot, made, drained) VALUES (1, $1, gen_random_uuid()::text, $2::text::pg_lsn)",
        &[Param::from(&name), Param::from(&at)],
    )?;
    handle.finish()
}

/// What people are told where a slot is refused.
fn not_made(fault: &Fault) -> Option<String> {
    let db = fault.db()?;
    let said = db.message();
    match db.code().code() {
        "42501" => Some(format!(
            "no replication slot can be made ({said}); let an administrator run `ALTER ROLE … REPLICATION` for the user"
        )),
        "53400" => Some(format!("no replication slot can be made ({said}); raise `max_replication_slots`")),
        "57014" | "55P03" => Some(format!(
            "no replication slot can be made ({said}): it waits until every transaction of the server that is open now has \
             ended; end the long ones, then try again"
        )),
        _ => None,
    }
}

/// Takes publication and slot away.
pub(super) fn remove(store: &PostgresStore) -> Result<()> {
    let inner = &store.inner;
    let mut handle = store.simple()?;
    let Some(slot) = known(handle.session()).map_err(|e| inner.err(e))? else { return Ok(()) };
    handle.run("DELETE FROM _tablemap_slot", &[])?;
    handle.batch(&format!("DROP PUBLICATION IF EXISTS {}", ident(&slot.name)))?;
    handle.finish()?;
    let mut handle = store.simple()?;
    handle.rows(
        "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = $1",
        &[Param::from(&slot.name)],
    )?;
    handle.finish()
}

/// How many bytes of WAL the server keeps for the slot.
pub(super) fn held_back(s: &mut Session) -> Ran<Option<u64>> {
    let rows = s.query(
        "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), restart_lsn)::bigint::text FROM pg_replication_slots \
         WHERE slot_name = (SELECT slot FROM _tablemap_slot)",
        &[],
    )?;
    let text: Option<&str> = rows.first().map_or(Ok(None), |r| r.try_get(0))?;
    Ok(text.and_then(|t| t.parse::<i64>().ok()).map(i64::unsigned_abs))
}

/// What stands of a table's publishing, as one word.
pub(super) fn published(s: &mut Session, shape: &Shape) -> Ran<String> {
    let Some(slot) = known(s)? else { return Ok(String::new()) };
    let sql = "SELECT coalesce((SELECT 'in ' FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p \
               ON p.oid = r.prpubid WHERE p.pubname = $1 AND r.prrelid = $2::oid), '') || string_agg(c.relreplident::text, '' \
               ORDER BY c.oid) FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND (c.oid = $2::oid OR c.oid IN \
               (SELECT relid FROM pg_catalog.pg_partition_tree($2::oid::regclass)))";
    let rows = s.query(sql, &[Param::from(&slot.name), Param::number(shape.oid)])?;
    let text: Option<String> = rows.first().map_or(Ok(None), |r| r.try_get(0))?;
    Ok(format!("{} {}", text.unwrap_or_default(), slot.made))
}

impl Handle {
    /// Publishes a table, once everybody who writes to it has come to an end: from then on nothing is missed.
    pub(super) fn publish(&mut self, shape: &Shape, leaves: &[String]) -> Result<()> {
        let inner = self.inner.clone();
        let Some(slot) = known(self.session()).map_err(|e| inner.err(e))? else {
            return Err(inner.other("it has no replication slot"));
        };
        let mut sql = format!("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE;", shape.sql);
        for leaf in leaves {
            let is_full = "SELECT 'yes' FROM pg_catalog.pg_class WHERE oid = $1::text::regclass AND relreplident = 'f'";
            if self.one(is_full, &[Param::from(leaf)])?.is_none() {
                sql.push_str(&format!("ALTER TABLE {leaf} REPLICA IDENTITY FULL;"));
            }
        }
        sql.push_str(&format!("ALTER PUBLICATION {} ADD TABLE {}", ident(&slot.name), shape.sql));
        self.journal.end();
        let done = self.session().batch(&sql);
        done.map_err(|fault| match fault.db().filter(|db| db.code().code() == "42501") {
            Some(db) => StoreError::Schema {
                store: inner.name.clone(),
                problems: vec![format!(
                    "`{}` cannot be published ({}); with `capture=logical` the user acts for the owners of the tables: let an \
                     administrator grant it their role",
                    shape.log_name,
                    db.message()
                )],
            },
            None => inner.err(fault),
        })
    }

    /// The opposite of [`Handle::publish`].
    pub(super) fn unpublish(&mut self, shape: &Shape) -> Result<()> {
        let sql = "SELECT p.pubname::text FROM pg_catalog.pg_publication_rel r JOIN pg_catalog.pg_publication p \
                   ON p.oid = r.prpubid JOIN _tablemap_slot s ON s.slot = p.pubname WHERE r.prrelid = $1::oid";
        match self.one(sql, &[Param::number(shape.oid)])? {
            None => Ok(()),
            Some(name) => self.batch(&format!("ALTER PUBLICATION {} DROP TABLE {}", ident(&name), shape.sql)),
        }
    }

    /// Says something in the transaction's own stream; undone with it.
    pub(super) fn say(&mut self, text: &str) -> Result<()> {
        let prefix = prefix(&self.inner.address.state);
        self.run("SELECT pg_logical_emit_message(true, $1, $2::text)::text", &[Param::from(&prefix), text.into()])?;
        Ok(())
    }
}

/// The statement that says who writes from here on, to triggers and to the slot.
///
/// Decoding orders what a transaction's subtransactions did by place, and takes a message to stand where it ends, a row
/// where it begins: the row that follows may come first. A second message between them leaves no doubt about the first.
pub(super) fn writing_sql(state: &str, logical: bool) -> String {
    let set = "SELECT set_config('tablemap.writer', $1, true)";
    if !logical {
        return set.into();
    }
    let said = format!("{set}, pg_logical_emit_message(true, {}, 'W' || $1)::text", text_literal(&prefix(state)));
    match mutant!("slot-writer-said-once") {
        true => said,
        false => format!("{said}, pg_logical_emit_message(true, 'tablemap', '')::text"),
    }
}

/// What the trigger of a TRUNCATE runs: each row is said, and that the table was emptied. `key` and `old` are expressions
/// over the row `y.o`; `%s` stands for the table.
pub(super) fn emptied_sql(state: &str, table: &str, key: &str, old: &str) -> String {
    let prefix = text_literal(&prefix(state));
    let table = text_literal(table);
    format!(
        "SELECT pg_catalog.count(pg_catalog.pg_logical_emit_message(true, {prefix}, 'D' || \
         pg_catalog.jsonb_build_array({table}, {key}, {old})::text)), \
         pg_catalog.pg_logical_emit_message(true, {prefix}, 'E' || {table}) \
         FROM (SELECT pg_catalog.to_jsonb(x) AS o FROM ONLY %s AS x) AS y"
    )
}

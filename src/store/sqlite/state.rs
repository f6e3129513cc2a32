//! The protocol's tables.

use super::Handle;
use super::types::ident;
use crate::schema::{ColumnId, TableId};
use crate::store::{
    Ahead, AheadKind, ConflictRow, Found, Position, Progress, QuarantineFilter, QuarantineKind, Quarantined, Read,
    ReadState, Result, RunRecord, Wait, WriteState,
};
use crate::value::{Collation, Key, Type, Value};
use rusqlite::Row;
use std::collections::{HashMap, HashSet};

/// The format of the tables below; a newer one is refused.
const FORMAT: i64 = 1;

const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _tablemap_meta (
  id INTEGER PRIMARY KEY CHECK (id = 1), store_id TEXT NOT NULL, incarnation TEXT NOT NULL, format INTEGER NOT NULL,
  floor INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS _tablemap_lease (
  project TEXT PRIMARY KEY, holder TEXT NOT NULL, epoch INTEGER NOT NULL, beat INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_capture (
  tbl TEXT NOT NULL, columns TEXT NOT NULL, wanted_by TEXT NOT NULL, trigger_hash TEXT NOT NULL,
  PRIMARY KEY (tbl, wanted_by));
CREATE TABLE IF NOT EXISTS _tablemap_changes (
  seq INTEGER PRIMARY KEY, txid INTEGER, tbl TEXT NOT NULL, op TEXT NOT NULL, key TEXT NOT NULL,
  old_key TEXT, old TEXT, origin TEXT, settles INTEGER NOT NULL DEFAULT 0, path TEXT NOT NULL DEFAULT '', for_leg TEXT,
  at TEXT NOT NULL, mark TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_readers (
  leg TEXT PRIMARY KEY, acked INTEGER NOT NULL, expires TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS _tablemap_writer (
  id INTEGER PRIMARY KEY CHECK (id = 1), leg TEXT, epoch INTEGER, settles INTEGER NOT NULL DEFAULT 0,
  path TEXT NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS _tablemap_progress (
  leg TEXT PRIMARY KEY, map_hash TEXT NOT NULL, source_id TEXT NOT NULL, source_incarnation TEXT NOT NULL,
  position TEXT NOT NULL, cut TEXT NOT NULL, witness TEXT NOT NULL, phase TEXT NOT NULL, cursor TEXT NOT NULL,
  desired TEXT NOT NULL, state TEXT NOT NULL, epoch INTEGER NOT NULL, last_applied_at TEXT NOT NULL,
  last_run_at TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_consumed (
  leg TEXT NOT NULL, key TEXT NOT NULL, kind TEXT NOT NULL, through INTEGER NOT NULL,
  PRIMARY KEY (leg, key, kind, through)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _tablemap_held (
  leg TEXT NOT NULL, ikey TEXT NOT NULL, key TEXT NOT NULL, through INTEGER NOT NULL,
  PRIMARY KEY (leg, ikey)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _tablemap_ledger (
  id INTEGER PRIMARY KEY, leg TEXT NOT NULL, upper_key TEXT NOT NULL, position INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS _tablemap_ledger_leg ON _tablemap_ledger (leg, id);
CREATE TABLE IF NOT EXISTS _tablemap_quarantine (
  leg TEXT NOT NULL, key TEXT NOT NULL, company TEXT NOT NULL DEFAULT '', kind TEXT NOT NULL, code TEXT NOT NULL,
  line TEXT NOT NULL, \"column\" TEXT NOT NULL, value TEXT NOT NULL, message TEXT NOT NULL, base TEXT NOT NULL,
  old_ikey TEXT NOT NULL, tries INTEGER NOT NULL, next_try TEXT NOT NULL, since TEXT NOT NULL,
  PRIMARY KEY (leg, key, company));
CREATE TABLE IF NOT EXISTS _tablemap_waits (
  id INTEGER PRIMARY KEY, leg TEXT NOT NULL, key TEXT NOT NULL, tbl TEXT NOT NULL, \"columns\" TEXT NOT NULL,
  \"values\" TEXT NOT NULL, company TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS _tablemap_waits_leg ON _tablemap_waits (leg, key);
CREATE INDEX IF NOT EXISTS _tablemap_waits_for ON _tablemap_waits (tbl, \"columns\", \"values\");
CREATE TABLE IF NOT EXISTS _tablemap_conflicts (
  id INTEGER PRIMARY KEY AUTOINCREMENT, leg TEXT NOT NULL, key TEXT NOT NULL, base TEXT NOT NULL, \"left\" TEXT NOT NULL,
  \"right\" TEXT NOT NULL, outcome TEXT NOT NULL, at TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS _tablemap_conflicts_leg ON _tablemap_conflicts (leg);
CREATE TABLE IF NOT EXISTS _tablemap_runs (
  run TEXT NOT NULL, leg TEXT NOT NULL, started TEXT NOT NULL, ended TEXT NOT NULL, counts TEXT NOT NULL,
  samples TEXT NOT NULL, PRIMARY KEY (run, leg));
CREATE TABLE IF NOT EXISTS _tablemap_companies (
  project TEXT NOT NULL, company TEXT NOT NULL, since TEXT NOT NULL, until TEXT NOT NULL,
  PRIMARY KEY (project, company, since));
CREATE TABLE IF NOT EXISTS _tablemap_suspended (
  project TEXT NOT NULL, tbl TEXT NOT NULL, since TEXT NOT NULL, PRIMARY KEY (project, tbl)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _tablemap_guards (
  trigger_name TEXT PRIMARY KEY, project TEXT NOT NULL, map TEXT NOT NULL, tbl TEXT NOT NULL, op TEXT NOT NULL,
  mode TEXT NOT NULL, helper INTEGER NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS _tablemap_guard_displaced (trigger_name TEXT NOT NULL, key TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_guard_reports (
  id INTEGER PRIMARY KEY AUTOINCREMENT, at TEXT NOT NULL, project TEXT NOT NULL, map TEXT NOT NULL, tbl TEXT NOT NULL,
  op TEXT NOT NULL, key TEXT NOT NULL);
INSERT OR IGNORE INTO _tablemap_meta (id, store_id, incarnation, format)
  VALUES (1, lower(hex(randomblob(16))), lower(hex(randomblob(16))), 1);
";

const PROGRESS: &str = "leg, map_hash, source_id, source_incarnation, position, cut, witness, phase, cursor, desired, \
                        state, epoch, last_applied_at, last_run_at";

const QUARANTINE: &str = "leg, key, company, kind, code, line, \"column\", value, message, base, old_ikey, tries, \
                          next_try, since";

fn progress_of(r: &Row<'_>) -> rusqlite::Result<Progress> {
    Ok(Progress {
        leg: r.get(0)?,
        map_hash: r.get(1)?,
        source_id: r.get(2)?,
        source_incarnation: r.get(3)?,
        position: Position(r.get(4)?),
        cut: Position(r.get(5)?),
        witness: r.get(6)?,
        phase: r.get(7)?,
        cursor: r.get(8)?,
        desired: r.get(9)?,
        state: r.get(10)?,
        epoch: r.get(11)?,
        last_applied_at: r.get(12)?,
        last_run_at: r.get(13)?,
    })
}

fn quarantined_of(r: &Row<'_>) -> rusqlite::Result<Quarantined> {
    Ok(Quarantined {
        leg: r.get(0)?,
        key: r.get(1)?,
        company: r.get(2)?,
        // An unknown kind, of a newer version, is treated as one that only a person may touch.
        kind: QuarantineKind::from_word(&r.get::<_, String>(3)?).unwrap_or(QuarantineKind::Held),
        code: r.get(4)?,
        line: r.get(5)?,
        column: r.get(6)?,
        value: r.get(7)?,
        message: r.get(8)?,
        base: r.get(9)?,
        old_ikey: r.get(10)?,
        tries: r.get(11)?,
        next_try: r.get(12)?,
        since: r.get(13)?,
    })
}

impl Handle {
    /// Drops the state tables where nothing was ever moved in or out of the store and no guard is left: a store that had
    /// guards only is as it was.
    pub(super) fn drop_unused_state(&mut self) -> Result<()> {
        let names: Vec<String> = self.all(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE '\\_tablemap\\_%' ESCAPE '\\'",
            [],
            |r| r.get(0),
        )?;
        for name in names.iter().filter(|n| *n != "_tablemap_meta") {
            if self.one::<i64>(&format!("SELECT 1 FROM {} LIMIT 1", ident(name)), [])?.is_some() {
                return Ok(());
            }
        }
        for name in &names {
            self.run(&format!("DROP TABLE {}", ident(name)), [])?;
        }
        Ok(())
    }
    /// Makes the state tables that are not there.
    pub(super) fn make_state_tables(&mut self) -> Result<()> {
        let inner = self.inner.clone();
        let there: Option<i64> =
            self.one("SELECT 1 FROM sqlite_master WHERE name = '_tablemap_meta' AND type = 'table'", [])?;
        let mut prepared = false;
        if there.is_some() {
            let format: Option<i64> = self.one("SELECT format FROM _tablemap_meta", [])?;
            if format.is_some_and(|f| f > FORMAT) {
                return Err(inner.other("it was prepared by a newer tablemap; use that one"));
            }
            prepared = format.is_some() && self.has_state_tables()?;
        }
        if !prepared {
            self.session().conn.execute_batch(TABLES).map_err(|e| inner.err(e))?;
        }
        let by_company: Option<i64> =
            self.one("SELECT 1 FROM pragma_table_info('_tablemap_waits') WHERE name = 'company'", [])?;
        if by_company.is_none() {
            // Made by an earlier build.
            self.run("ALTER TABLE _tablemap_waits ADD COLUMN company TEXT NOT NULL DEFAULT ''", [])?;
        }
        Ok(())
    }

    /// Whether every table and index of the protocol is there: asking is cheaper than making them once more.
    fn has_state_tables(&mut self) -> Result<bool> {
        let sql =
            "SELECT name FROM sqlite_master WHERE type IN ('table', 'index') AND substr(name, 1, 10) = '_tablemap_'";
        let there: HashSet<String> = self.all(sql, [], |r| r.get(0))?.into_iter().collect();
        let name = |after: &str| after.split(' ').next().map(str::to_string);
        let mut names = TABLES.split(" IF NOT EXISTS ").skip(1).filter_map(name);
        Ok(names.all(|name| there.contains(&name)))
    }

    /// Whether a row of the table holds these values.
    fn holds(&mut self, table: &str, columns: &str, values: &str) -> Result<bool> {
        let inner = self.inner.clone();
        // What this schema does not know any more is not waited for.
        let Some(i) = inner.schema.tables.iter().position(|t| t.stored_name() == table) else {
            return Ok(true);
        };
        let (id, t) = (TableId(i as u32), &inner.schema.tables[i]);
        let names: Vec<String> = serde_json::from_str(columns).unwrap_or_default();
        let by: Option<Vec<ColumnId>> =
            names.iter().map(|n| t.columns.iter().position(|c| c.name == *n).map(|i| ColumnId(i as u32))).collect();
        let Some(by) = by.filter(|b| !b.is_empty()) else {
            return Ok(true);
        };
        let types: Vec<Type> = by.iter().map(|c| t.column(*c).ty.clone()).collect();
        let Some(key) = Key::parse(values, &types) else {
            return Ok(true);
        };
        let found = self.find(id, &by, &[key.0.into_vec()], &[])?;
        Ok(found.iter().any(|f| *f != Found::None))
    }
}

/// The text before which nothing with the prefix ends: for a range instead of LIKE.
fn above(prefix: &str) -> String {
    format!("{prefix}\u{10FFFF}")
}

impl ReadState for Handle {
    fn progress(&mut self, leg: &str) -> Result<Option<Progress>> {
        let found =
            self.all(&format!("SELECT {PROGRESS} FROM _tablemap_progress WHERE leg = ?1"), [leg], progress_of)?;
        Ok(found.into_iter().next())
    }
    fn all_progress(&mut self, prefix: &str) -> Result<Vec<Progress>> {
        let sql = format!("SELECT {PROGRESS} FROM _tablemap_progress WHERE leg >= ?1 AND leg < ?2 ORDER BY leg");
        self.all(&sql, [prefix, &above(prefix)], progress_of)
    }
    fn quarantined(&mut self, filter: &QuarantineFilter) -> Result<Vec<Quarantined>> {
        let limit = if filter.limit == 0 { -1 } else { i64::try_from(filter.limit).unwrap_or(i64::MAX) };
        let sql = format!(
            "SELECT {QUARANTINE} FROM _tablemap_quarantine WHERE (?1 IS NULL OR leg = ?1) \
             AND (?2 IS NULL OR (next_try <> '' AND next_try <= ?2)) AND (NOT ?3 OR old_ikey <> '') \
             ORDER BY leg, key, company LIMIT ?4"
        );
        self.all(&sql, (&filter.leg, &filter.due, filter.rekeyed, limit), quarantined_of)
    }
    fn quarantine_of(&mut self, leg: &str, key: &str) -> Result<Vec<Quarantined>> {
        let sql = format!("SELECT {QUARANTINE} FROM _tablemap_quarantine WHERE leg = ?1 AND key = ?2 ORDER BY company");
        self.all(&sql, [leg, key], quarantined_of)
    }
    fn quarantine_counts(&mut self, leg: &str) -> Result<Vec<(QuarantineKind, u64)>> {
        let sql = "SELECT kind, count(*) FROM _tablemap_quarantine WHERE leg = ?1 GROUP BY kind ORDER BY kind";
        let all = self.all(sql, [leg], |r| Ok((r.get::<_, String>(0)?, r.get::<_, i64>(1)?)))?;
        let known = |(word, n): (String, i64)| {
            (QuarantineKind::from_word(&word).unwrap_or(QuarantineKind::Held), n.unsigned_abs())
        };
        Ok(all.into_iter().map(known).collect())
    }
    fn arrived(&mut self, leg: &str, limit: usize) -> Result<Vec<String>> {
        let waits = self.all(
            "SELECT key, tbl, \"columns\", \"values\", company FROM _tablemap_waits WHERE leg = ?1 \
             ORDER BY key, company, id",
            [leg],
            |r| {
                Ok((
                    (r.get::<_, String>(0)?, r.get::<_, String>(4)?),
                    (r.get::<_, String>(1)?, r.get::<_, String>(2)?, r.get::<_, String>(3)?),
                ))
            },
        )?;
        let mut known: HashMap<(String, String, String), bool> = HashMap::new();
        let mut arrived: Vec<String> = Vec::new();
        let mut i = 0;
        while i < waits.len() && arrived.len() < limit {
            let (key, company) = &waits[i].0;
            let mut any = false;
            while i < waits.len() && waits[i].0.0 == *key && waits[i].0.1 == *company {
                let wait = &waits[i].1;
                let there = match known.get(wait) {
                    Some(there) => *there,
                    None => {
                        let there = self.holds(&wait.0, &wait.1, &wait.2)?;
                        known.insert(wait.clone(), there);
                        there
                    }
                };
                any |= there;
                i += 1;
            }
            if any && arrived.last() != Some(key) {
                arrived.push(key.clone());
            }
        }
        Ok(arrived)
    }
    fn ahead(&mut self, leg: &str) -> Result<Vec<Ahead>> {
        let sql = "SELECT key, kind, through FROM _tablemap_consumed WHERE leg = ?1 ORDER BY key, through";
        let rows = self.all(sql, [leg], |r| Ok((r.get(0)?, r.get::<_, String>(1)?, r.get(2)?)))?;
        let known = |(key, kind, through): (String, String, i64)| {
            let kind = AheadKind::from_word(&kind)
                .ok_or_else(|| self.inner.other(format!("_tablemap_consumed holds a kind that is none, `{kind}`")))?;
            Ok(Ahead { key, kind, through })
        };
        rows.into_iter().map(known).collect()
    }
    fn held(&mut self, leg: &str) -> Result<Vec<(String, String, i64)>> {
        let sql = "SELECT ikey, key, through FROM _tablemap_held WHERE leg = ?1 ORDER BY ikey";
        self.all(sql, [leg], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
    }
    fn ledger(&mut self, leg: &str) -> Result<Vec<(String, i64)>> {
        let sql = "SELECT upper_key, position FROM _tablemap_ledger WHERE leg = ?1 ORDER BY id";
        self.all(sql, [leg], |r| Ok((r.get(0)?, r.get(1)?)))
    }
    fn runs(&mut self, prefix: &str, limit: usize) -> Result<Vec<RunRecord>> {
        let sql = "SELECT run, leg, started, ended, counts, samples FROM _tablemap_runs WHERE leg >= ?1 AND leg < ?2 \
                   ORDER BY started DESC, rowid DESC LIMIT ?3";
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.all(sql, (prefix, above(prefix), limit), |r| {
            Ok(RunRecord {
                run: r.get(0)?,
                leg: r.get(1)?,
                started: r.get(2)?,
                ended: r.get(3)?,
                counts: r.get(4)?,
                samples: r.get(5)?,
            })
        })
    }
    fn conflicts(&mut self, leg: &str, key: Option<&str>) -> Result<Vec<ConflictRow>> {
        let sql = "SELECT id, leg, key, base, \"left\", \"right\", outcome, at FROM _tablemap_conflicts \
                   WHERE leg = ?1 AND (?2 IS NULL OR key = ?2) ORDER BY id";
        self.all(sql, (leg, key), |r| {
            Ok(ConflictRow {
                id: r.get(0)?,
                leg: r.get(1)?,
                key: r.get(2)?,
                base: r.get(3)?,
                left: r.get(4)?,
                right: r.get(5)?,
                outcome: r.get(6)?,
                at: r.get(7)?,
            })
        })
    }
    fn conflict_count(&mut self, leg: &str) -> Result<u64> {
        let n: Option<i64> = self.one("SELECT count(*) FROM _tablemap_conflicts WHERE leg = ?1", [leg])?;
        Ok(n.unwrap_or(0).unsigned_abs())
    }
    fn suspended(&mut self, project: &str) -> Result<Vec<String>> {
        // A store that an earlier build prepared has no such table yet.
        let there: Option<i64> =
            self.one("SELECT 1 FROM sqlite_master WHERE name = '_tablemap_suspended' AND type = 'table'", [])?;
        match there {
            None => Ok(vec![]),
            Some(_) => {
                let sql = "SELECT tbl FROM _tablemap_suspended WHERE project = ?1 ORDER BY tbl";
                self.all(sql, [project], |r| r.get(0))
            }
        }
    }
    fn companies(&mut self, project: &str) -> Result<Vec<(String, String, String)>> {
        let sql = "SELECT company, since, until FROM _tablemap_companies WHERE project = ?1 ORDER BY company, since";
        self.all(sql, [project], |r| Ok((r.get(0)?, r.get(1)?, r.get(2)?)))
    }
}

impl WriteState for Handle {
    fn put_progress(&mut self, p: &Progress) -> Result<()> {
        self.alive()?;
        let sql = format!(
            "INSERT OR REPLACE INTO _tablemap_progress ({PROGRESS}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)"
        );
        self.run(
            &sql,
            rusqlite::params![
                p.leg,
                p.map_hash,
                p.source_id,
                p.source_incarnation,
                p.position.0,
                p.cut.0,
                p.witness,
                p.phase,
                p.cursor,
                p.desired,
                p.state,
                p.epoch,
                p.last_applied_at,
                p.last_run_at
            ],
        )?;
        Ok(())
    }
    fn forget_leg(&mut self, leg: &str) -> Result<()> {
        self.alive()?;
        for table in ["progress", "consumed", "held", "ledger", "quarantine", "waits"] {
            self.run(&format!("DELETE FROM _tablemap_{table} WHERE leg = ?1"), [leg])?;
        }
        Ok(())
    }
    fn quarantine(&mut self, q: &Quarantined) -> Result<()> {
        self.alive()?;
        let sql = format!(
            "INSERT INTO _tablemap_quarantine ({QUARANTINE}) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14) \
             ON CONFLICT (leg, key, company) DO UPDATE SET kind = excluded.kind, code = excluded.code, \
             line = excluded.line, \"column\" = excluded.\"column\", value = excluded.value, \
             message = excluded.message, base = CASE WHEN base = '' THEN excluded.base ELSE base END, \
             old_ikey = CASE WHEN old_ikey = '' THEN excluded.old_ikey ELSE old_ikey END, \
             tries = excluded.tries, next_try = excluded.next_try"
        );
        self.run(
            &sql,
            rusqlite::params![
                q.leg,
                q.key,
                q.company,
                q.kind.word(),
                q.code,
                q.line,
                q.column,
                q.value,
                q.message,
                q.base,
                q.old_ikey,
                q.tries,
                q.next_try,
                q.since
            ],
        )?;
        Ok(())
    }
    fn release(&mut self, leg: &str, key: &str, company: &str) -> Result<u64> {
        self.alive()?;
        let n = self.run(
            "DELETE FROM _tablemap_quarantine WHERE leg = ?1 AND key = ?2 AND (?3 = '' OR company = ?3)",
            [leg, key, company],
        )?;
        if n > 0 {
            self.run(
                "DELETE FROM _tablemap_waits WHERE leg = ?1 AND key = ?2 AND (?3 = '' OR company = ?3)",
                [leg, key, company],
            )?;
        }
        Ok(n as u64)
    }
    fn forget_before(&mut self, leg: &str, key: &str, company: &str) -> Result<()> {
        self.alive()?;
        self.run(
            "UPDATE _tablemap_quarantine SET old_ikey = '' WHERE leg = ?1 AND key = ?2 AND company = ?3",
            [leg, key, company],
        )?;
        Ok(())
    }
    fn put_waits(&mut self, leg: &str, key: &str, company: &str, waits: &[Wait]) -> Result<()> {
        self.alive()?;
        self.run("DELETE FROM _tablemap_waits WHERE leg = ?1 AND key = ?2 AND company = ?3", [leg, key, company])?;
        let inner = self.inner.clone();
        for w in waits {
            let t = inner.schema.get(w.table);
            let names: Vec<&str> = w.columns.iter().map(|c| t.column(*c).name.as_str()).collect();
            let columns = serde_json::Value::from(names).to_string();
            let exact = |v: &Value| Collation::Exact.fold(v);
            let values = Key(w.values.iter().map(exact).collect()).to_text();
            self.run(
                "INSERT INTO _tablemap_waits (leg, key, tbl, \"columns\", \"values\", company) \
                 VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                (leg, key, t.stored_name(), columns, values, company),
            )?;
        }
        Ok(())
    }
    fn put_ahead(&mut self, leg: &str, ahead: &Ahead) -> Result<()> {
        self.alive()?;
        self.run(
            "INSERT OR IGNORE INTO _tablemap_consumed (leg, key, kind, through) VALUES (?1, ?2, ?3, ?4)",
            (leg, &ahead.key, ahead.kind.word(), ahead.through),
        )?;
        Ok(())
    }
    fn put_held(&mut self, leg: &str, ikey: &str, key: &str, through: i64) -> Result<()> {
        self.alive()?;
        if mutant!("holders-not-noted") {
            return Ok(());
        }
        self.run(
            "INSERT INTO _tablemap_held (leg, ikey, key, through) VALUES (?1, ?2, ?3, ?4) \
             ON CONFLICT (leg, ikey) DO UPDATE SET key = excluded.key, through = excluded.through",
            (leg, ikey, key, through),
        )?;
        Ok(())
    }
    fn drop_ahead(&mut self, leg: &str, through: i64) -> Result<()> {
        self.alive()?;
        for table in ["consumed", "held"] {
            self.run(&format!("DELETE FROM _tablemap_{table} WHERE leg = ?1 AND through <= ?2"), (leg, through))?;
        }
        Ok(())
    }
    fn put_ledger(&mut self, leg: &str, upper: &str, position: i64) -> Result<()> {
        self.alive()?;
        self.run(
            "INSERT INTO _tablemap_ledger (leg, upper_key, position) VALUES (?1, ?2, ?3)",
            (leg, upper, position),
        )?;
        Ok(())
    }
    fn drop_ledger(&mut self, leg: &str) -> Result<()> {
        self.alive()?;
        self.run("DELETE FROM _tablemap_ledger WHERE leg = ?1", [leg])?;
        Ok(())
    }
    fn put_conflict(&mut self, leg: &str, key: &str, base: &str, left: &str, right: &str, outcome: &str) -> Result<()> {
        self.alive()?;
        self.run(
            "INSERT INTO _tablemap_conflicts (leg, key, base, \"left\", \"right\", outcome, at) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
            [leg, key, base, left, right, outcome],
        )?;
        Ok(())
    }
    fn update_conflict(&mut self, c: &ConflictRow) -> Result<()> {
        self.alive()?;
        self.run(
            "UPDATE _tablemap_conflicts SET key = ?2, base = ?3, \"left\" = ?4, \"right\" = ?5, outcome = ?6 \
             WHERE id = ?1",
            (c.id, &c.key, &c.base, &c.left, &c.right, &c.outcome),
        )?;
        Ok(())
    }
    fn put_run(&mut self, r: &RunRecord) -> Result<()> {
        self.alive()?;
        self.run(
            "INSERT OR REPLACE INTO _tablemap_runs (run, leg, started, ended, counts, samples) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            [&r.run, &r.leg, &r.started, &r.ended, &r.counts, &r.samples],
        )?;
        Ok(())
    }
    fn put_suspended(&mut self, project: &str, table: &str, suspended: bool) -> Result<()> {
        self.alive()?;
        let sql = match suspended {
            true => {
                "INSERT OR IGNORE INTO _tablemap_suspended (project, tbl, since) \
                 VALUES (?1, ?2, strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))"
            }
            false => "DELETE FROM _tablemap_suspended WHERE project = ?1 AND tbl = ?2",
        };
        self.run(sql, [project, table])?;
        Ok(())
    }
    fn put_company(&mut self, project: &str, company: &str, since: &str, until: &str) -> Result<()> {
        self.alive()?;
        self.run(
            "INSERT OR REPLACE INTO _tablemap_companies (project, company, since, until) VALUES (?1, ?2, ?3, ?4)",
            [project, company, since, until],
        )?;
        Ok(())
    }
}

//! The protocol's tables.

use super::Handle;
use super::types::{Param, array, ident};
use crate::schema::{ColumnId, TableId};
use crate::store::{
    Ahead, AheadKind, ConflictRow, Found, Position, Progress, QuarantineFilter, QuarantineKind, Quarantined, Read,
    ReadState, Result as StoreResult, RunRecord, Wait, WriteState,
};
use crate::value::{Collation, Key, Type};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::Ordering;
use tokio_postgres::{Error, Row};

/// The format of the tables below; a newer one is refused.
const FORMAT: i64 = 1;

/// Texts that are keys compare by their bytes.
const TABLES: &str = r#"
CREATE TABLE IF NOT EXISTS _tablemap_meta (
  id int PRIMARY KEY CHECK (id = 1), store_id text NOT NULL, incarnation text NOT NULL, format int NOT NULL,
  floor bigint NOT NULL DEFAULT 0);
CREATE TABLE IF NOT EXISTS _tablemap_lease (
  project text COLLATE "C" PRIMARY KEY, holder text NOT NULL, epoch bigint NOT NULL, beat bigint NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_capture (
  tbl text COLLATE "C" NOT NULL, columns text NOT NULL, wanted_by text COLLATE "C" NOT NULL, trigger_hash text NOT NULL,
  PRIMARY KEY (tbl, wanted_by));
CREATE TABLE IF NOT EXISTS _tablemap_changes (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, seq bigint, txid xid8 NOT NULL DEFAULT pg_current_xact_id(),
  tbl text COLLATE "C" NOT NULL, op text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, old_key text COLLATE "C",
  old text, origin text COLLATE "C", settles boolean NOT NULL DEFAULT false, path text NOT NULL DEFAULT '',
  for_leg text COLLATE "C", at timestamptz NOT NULL DEFAULT clock_timestamp(),
  mark bigint NOT NULL DEFAULT (random() * 9007199254740991)::bigint);
CREATE UNIQUE INDEX IF NOT EXISTS _tablemap_changes_seq ON _tablemap_changes (seq);
CREATE INDEX IF NOT EXISTS _tablemap_changes_fresh ON _tablemap_changes (txid, id) WHERE seq IS NULL;
CREATE TABLE IF NOT EXISTS _tablemap_readers (
  leg text COLLATE "C" PRIMARY KEY, acked bigint NOT NULL, expires text NOT NULL DEFAULT '');
CREATE TABLE IF NOT EXISTS _tablemap_progress (
  leg text COLLATE "C" PRIMARY KEY, map_hash text NOT NULL, source_id text NOT NULL, source_incarnation text NOT NULL,
  position text NOT NULL, cut text NOT NULL, witness text NOT NULL, phase text NOT NULL, cursor text NOT NULL,
  desired text NOT NULL, state text NOT NULL, epoch bigint NOT NULL, last_applied_at text NOT NULL,
  last_run_at text NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_consumed (
  leg text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, kind text COLLATE "C" NOT NULL, through bigint NOT NULL,
  PRIMARY KEY (leg, key, kind, through));
CREATE TABLE IF NOT EXISTS _tablemap_held (
  leg text COLLATE "C" NOT NULL, ikey text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, through bigint NOT NULL,
  PRIMARY KEY (leg, ikey));
CREATE TABLE IF NOT EXISTS _tablemap_ledger (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, leg text COLLATE "C" NOT NULL, upper_key text NOT NULL,
  position bigint NOT NULL);
CREATE INDEX IF NOT EXISTS _tablemap_ledger_leg ON _tablemap_ledger (leg, id);
CREATE TABLE IF NOT EXISTS _tablemap_quarantine (
  leg text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL DEFAULT '',
  kind text COLLATE "C" NOT NULL, code text NOT NULL, line text NOT NULL, "column" text NOT NULL, value text NOT NULL,
  message text NOT NULL, base text NOT NULL, old_ikey text NOT NULL, tries bigint NOT NULL,
  next_try text COLLATE "C" NOT NULL, since text NOT NULL, PRIMARY KEY (leg, key, company));
CREATE TABLE IF NOT EXISTS _tablemap_waits (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, leg text COLLATE "C" NOT NULL, key text COLLATE "C" NOT NULL,
  tbl text NOT NULL, columns text NOT NULL, "values" text NOT NULL, company text COLLATE "C" NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS _tablemap_waits_leg ON _tablemap_waits (leg, key);
CREATE TABLE IF NOT EXISTS _tablemap_conflicts (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, leg text COLLATE "C" NOT NULL, key text NOT NULL, base text NOT NULL,
  "left" text NOT NULL, "right" text NOT NULL, outcome text NOT NULL, at text NOT NULL);
CREATE INDEX IF NOT EXISTS _tablemap_conflicts_leg ON _tablemap_conflicts (leg);
CREATE TABLE IF NOT EXISTS _tablemap_runs (
  id bigint GENERATED ALWAYS AS IDENTITY, run text COLLATE "C" NOT NULL, leg text COLLATE "C" NOT NULL,
  started text COLLATE "C" NOT NULL, ended text NOT NULL, counts text NOT NULL, samples text NOT NULL,
  PRIMARY KEY (run, leg));
CREATE TABLE IF NOT EXISTS _tablemap_companies (
  project text COLLATE "C" NOT NULL, company text COLLATE "C" NOT NULL, since text COLLATE "C" NOT NULL,
  until text NOT NULL, PRIMARY KEY (project, company, since));
CREATE TABLE IF NOT EXISTS _tablemap_suspended (
  project text COLLATE "C" NOT NULL, tbl text COLLATE "C" NOT NULL, since text NOT NULL, PRIMARY KEY (project, tbl));
CREATE TABLE IF NOT EXISTS _tablemap_slot (
  id int PRIMARY KEY CHECK (id = 1), slot text NOT NULL, made text NOT NULL, drained pg_lsn NOT NULL);
CREATE TABLE IF NOT EXISTS _tablemap_guards (
  trigger_name text COLLATE "C" PRIMARY KEY, project text COLLATE "C" NOT NULL, map text NOT NULL, tbl text NOT NULL,
  op text NOT NULL, mode text NOT NULL, helper boolean NOT NULL DEFAULT false);
CREATE TABLE IF NOT EXISTS _tablemap_guard_reports (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at text NOT NULL, project text COLLATE "C" NOT NULL,
  map text NOT NULL, tbl text NOT NULL, op text NOT NULL, key text NOT NULL);
INSERT INTO _tablemap_meta (id, store_id, incarnation, format)
  VALUES (1, gen_random_uuid()::text, gen_random_uuid()::text, 1) ON CONFLICT DO NOTHING;
"#;

const PROGRESS: &str = "leg, map_hash, source_id, source_incarnation, position, cut, witness, phase, cursor, desired, \
                        state, epoch, last_applied_at, last_run_at";

const QUARANTINE: &str = "leg, key, company, kind, code, line, \"column\", value, message, base, old_ikey, tries, \
                          next_try, since";

fn progress_of(r: &Row) -> Result<Progress, Error> {
    Ok(Progress {
        leg: r.try_get(0)?,
        map_hash: r.try_get(1)?,
        source_id: r.try_get(2)?,
        source_incarnation: r.try_get(3)?,
        position: Position(r.try_get(4)?),
        cut: Position(r.try_get(5)?),
        witness: r.try_get(6)?,
        phase: r.try_get(7)?,
        cursor: r.try_get(8)?,
        desired: r.try_get(9)?,
        state: r.try_get(10)?,
        epoch: r.try_get(11)?,
        last_applied_at: r.try_get(12)?,
        last_run_at: r.try_get(13)?,
    })
}

fn quarantined_of(r: &Row) -> Result<Quarantined, Error> {
    Ok(Quarantined {
        leg: r.try_get(0)?,
        key: r.try_get(1)?,
        company: r.try_get(2)?,
        // An unknown kind, of a newer version, is treated as one that only a person may touch.
        kind: QuarantineKind::from_word(r.try_get(3)?).unwrap_or(QuarantineKind::Held),
        code: r.try_get(4)?,
        line: r.try_get(5)?,
        column: r.try_get(6)?,
        value: r.try_get(7)?,
        message: r.try_get(8)?,
        base: r.try_get(9)?,
        old_ikey: r.try_get(10)?,
        tries: r.try_get(11)?,
        next_try: r.try_get(12)?,
        since: r.try_get(13)?,
    })
}

/// A text for a state table. What came from another store may hold a character of code 0, which PostgreSQL cannot keep:
/// a mark stands for it.
fn text(s: &str) -> Param<'_> {
    Param(Some(if s.contains('\0') { Cow::Owned(s.replace('\0', "\u{2400}")) } else { Cow::Borrowed(s) }))
}

fn texts<'a, const N: usize>(all: [&'a str; N]) -> [Param<'a>; N] {
    all.map(text)
}

impl Handle {
    /// Every row, read.
    pub(super) fn all<T>(
        &mut self,
        sql: &str,
        params: &[Param<'_>],
        read: impl FnMut(&Row) -> Result<T, Error>,
    ) -> StoreResult<Vec<T>> {
        let inner = self.inner.clone();
        let rows = self.rows(sql, params)?;
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|e| inner.err(e.into()))
    }

    /// Drops the state tables where nothing was ever moved in or out of the store and no guard is left: a store that had
    /// guards only is as it was.
    pub(super) fn drop_unused_state(&mut self) -> StoreResult<()> {
        let state = self.inner.address.state.clone();
        let names: Vec<String> = self.all(
            "SELECT c.relname::text FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
             WHERE c.relkind = 'r' AND n.nspname = $1 AND c.relname LIKE '\\_tablemap\\_%'",
            &texts([&state]),
            |r| r.try_get(0),
        )?;
        for name in names.iter().filter(|n| *n != "_tablemap_meta") {
            if self.one(&format!("SELECT 'yes' FROM {} LIMIT 1", ident(name)), &[])?.is_some() {
                return Ok(());
            }
        }
        for name in &names {
            self.batch(&format!("DROP TABLE {}", ident(name)))?;
        }
        let others = "SELECT 'yes' FROM pg_catalog.pg_depend WHERE refclassid = 'pg_namespace'::regclass \
                      AND refobjid = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = $1) LIMIT 1";
        if self.one(others, &texts([&state]))?.is_none() {
            self.batch(&format!("DROP SCHEMA {}", ident(&state)))?;
        }
        self.inner.prepared.store(false, Ordering::Relaxed);
        self.session().forget();
        self.inner.forget_shapes();
        Ok(())
    }

    /// Makes the schema and the state tables that are not there.
    pub(super) fn make_state_tables(&mut self) -> StoreResult<()> {
        let inner = self.inner.clone();
        if self.is_prepared()? {
            let format = self.one("SELECT format::text FROM _tablemap_meta", &[])?;
            let format = format.and_then(|f| f.parse::<i64>().ok()).unwrap_or(FORMAT);
            if format > FORMAT {
                return Err(inner.other("it was prepared by a newer tablemap; use that one"));
            }
            // An earlier build made no such table.
            if self.one("SELECT to_regclass('_tablemap_slot')::text", &[])?.is_some() {
                return Ok(());
            }
        }
        let state = &inner.address.state;
        self.rows("SELECT pg_advisory_xact_lock(29806, hashtext($1))", &texts([state]))?;
        let there = self.one("SELECT 'yes' FROM pg_catalog.pg_namespace WHERE nspname = $1", &texts([state]))?;
        if there.is_none() {
            self.batch(&format!("CREATE SCHEMA {}", ident(state)))?;
        }
        self.batch(TABLES)?;
        self.inner.prepared.store(false, Ordering::Relaxed);
        Ok(())
    }

    /// Whether a row of the table holds these values.
    fn holds(&mut self, table: &str, columns: &str, values: &str) -> StoreResult<bool> {
        let inner = self.inner.clone();
        // What this schema does not know any more is not waited for.
        let Some(i) = inner.schema.tables.iter().position(|t| t.stored_name() == table) else {
            return Ok(true);
        };
        let (Ok(id), t) = (u32::try_from(i).map(TableId), &inner.schema.tables[i]) else { return Ok(true) };
        let names: Vec<String> = serde_json::from_str(columns).unwrap_or_default();
        let by: Option<Vec<ColumnId>> = names
            .iter()
            .map(|n| u32::try_from(t.columns.iter().position(|c| c.name == *n)?).ok().map(ColumnId))
            .collect();
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

/// What waits: the record's key and company, and the table, columns and values waited for.
type Waits = ((String, String), (String, String, String));

impl ReadState for Handle {
    fn progress(&mut self, leg: &str) -> StoreResult<Option<Progress>> {
        let sql = format!("SELECT {PROGRESS} FROM _tablemap_progress WHERE leg = $1");
        Ok(self.all(&sql, &texts([leg]), progress_of)?.into_iter().next())
    }
    fn all_progress(&mut self, prefix: &str) -> StoreResult<Vec<Progress>> {
        let sql = format!("SELECT {PROGRESS} FROM _tablemap_progress WHERE starts_with(leg, $1) ORDER BY leg");
        self.all(&sql, &texts([prefix]), progress_of)
    }
    fn quarantined(&mut self, filter: &QuarantineFilter) -> StoreResult<Vec<Quarantined>> {
        let sql = format!(
            "SELECT {QUARANTINE} FROM _tablemap_quarantine WHERE ($1::text IS NULL OR leg = $1) \
             AND ($2::text IS NULL OR (next_try <> '' AND next_try <= $2)) AND (NOT $3::boolean OR old_ikey <> '') \
             ORDER BY leg, key, company LIMIT $4"
        );
        let limit = (filter.limit > 0).then(|| Cow::Owned(filter.limit.to_string()));
        let optional = |s: &Option<String>| s.clone().map(Cow::Owned);
        self.all(
            &sql,
            &[Param(optional(&filter.leg)), Param(optional(&filter.due)), Param::number(filter.rekeyed), Param(limit)],
            quarantined_of,
        )
    }
    fn quarantine_of(&mut self, leg: &str, key: &str) -> StoreResult<Vec<Quarantined>> {
        let sql = format!("SELECT {QUARANTINE} FROM _tablemap_quarantine WHERE leg = $1 AND key = $2 ORDER BY company");
        self.all(&sql, &texts([leg, key]), quarantined_of)
    }
    fn quarantine_counts(&mut self, leg: &str) -> StoreResult<Vec<(QuarantineKind, u64)>> {
        let sql = "SELECT kind, count(*) FROM _tablemap_quarantine WHERE leg = $1 GROUP BY kind ORDER BY kind";
        let known = |word: &str| QuarantineKind::from_word(word).unwrap_or(QuarantineKind::Held);
        self.all(sql, &texts([leg]), |r| Ok((known(r.try_get(0)?), r.try_get::<_, i64>(1)?.unsigned_abs())))
    }
    fn arrived(&mut self, leg: &str, limit: usize) -> StoreResult<Vec<String>> {
        let waits: Vec<Waits> = self.all(
            "SELECT key, company, tbl, columns, \"values\" FROM _tablemap_waits WHERE leg = $1 ORDER BY key, company, id",
            &texts([leg]),
            |r| Ok(((r.try_get(0)?, r.try_get(1)?), (r.try_get(2)?, r.try_get(3)?, r.try_get(4)?))),
        )?;
        let mut known: HashMap<(String, String, String), bool> = HashMap::new();
        let mut arrived: Vec<String> = Vec::new();
        for ((key, _), wait) in waits {
            if arrived.len() >= limit || arrived.last() == Some(&key) {
                continue;
            }
            let there = match known.get(&wait) {
                Some(there) => *there,
                None => {
                    let there = self.holds(&wait.0, &wait.1, &wait.2)?;
                    known.insert(wait, there);
                    there
                }
            };
            if there {
                arrived.push(key);
            }
        }
        Ok(arrived)
    }
    fn ahead(&mut self, leg: &str) -> StoreResult<Vec<Ahead>> {
        self.write_noted()?;
        let sql = "SELECT key, kind, through FROM _tablemap_consumed WHERE leg = $1 ORDER BY key, through";
        let rows: Vec<(String, String, i64)> =
            self.all(sql, &texts([leg]), |r| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?)))?;
        let known = |(key, kind, through): (String, String, i64)| {
            let kind = AheadKind::from_word(&kind)
                .ok_or_else(|| self.inner.other(format!("_tablemap_consumed holds a kind that is none, `{kind}`")))?;
            Ok(Ahead { key, kind, through })
        };
        rows.into_iter().map(known).collect()
    }
    fn held(&mut self, leg: &str) -> StoreResult<Vec<(String, String, i64)>> {
        self.write_noted()?;
        let sql = "SELECT ikey, key, through FROM _tablemap_held WHERE leg = $1 ORDER BY ikey";
        self.all(sql, &texts([leg]), |r| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?)))
    }
    fn ledger(&mut self, leg: &str) -> StoreResult<Vec<(String, i64)>> {
        let sql = "SELECT upper_key, position FROM _tablemap_ledger WHERE leg = $1 ORDER BY id";
        self.all(sql, &texts([leg]), |r| Ok((r.try_get(0)?, r.try_get(1)?)))
    }
    fn runs(&mut self, prefix: &str, limit: usize) -> StoreResult<Vec<RunRecord>> {
        let sql = "SELECT run, leg, started, ended, counts, samples FROM _tablemap_runs WHERE starts_with(leg, $1) \
                   ORDER BY started DESC, id DESC LIMIT $2";
        self.all(sql, &[text(prefix), Param::number(limit)], |r| {
            Ok(RunRecord {
                run: r.try_get(0)?,
                leg: r.try_get(1)?,
                started: r.try_get(2)?,
                ended: r.try_get(3)?,
                counts: r.try_get(4)?,
                samples: r.try_get(5)?,
            })
        })
    }
    fn conflicts(&mut self, leg: &str, key: Option<&str>) -> StoreResult<Vec<ConflictRow>> {
        let sql = "SELECT id, leg, key, base, \"left\", \"right\", outcome, at FROM _tablemap_conflicts \
                   WHERE leg = $1 AND ($2::text IS NULL OR key = $2) ORDER BY id";
        self.all(sql, &[text(leg), key.map_or(Param(None), text)], |r| {
            Ok(ConflictRow {
                id: r.try_get(0)?,
                leg: r.try_get(1)?,
                key: r.try_get(2)?,
                base: r.try_get(3)?,
                left: r.try_get(4)?,
                right: r.try_get(5)?,
                outcome: r.try_get(6)?,
                at: r.try_get(7)?,
            })
        })
    }
    fn conflict_count(&mut self, leg: &str) -> StoreResult<u64> {
        let n = self.one("SELECT count(*)::text FROM _tablemap_conflicts WHERE leg = $1", &texts([leg]))?;
        Ok(n.and_then(|n| n.parse().ok()).unwrap_or(0))
    }
    fn suspended(&mut self, project: &str) -> StoreResult<Vec<String>> {
        if !self.is_prepared()? {
            return Ok(vec![]);
        }
        let sql = "SELECT tbl FROM _tablemap_suspended WHERE project = $1 ORDER BY tbl";
        self.all(sql, &texts([project]), |r| r.try_get(0))
    }
    fn companies(&mut self, project: &str) -> StoreResult<Vec<(String, String, String)>> {
        let sql = "SELECT company, since, until FROM _tablemap_companies WHERE project = $1 ORDER BY company, since";
        self.all(sql, &texts([project]), |r| Ok((r.try_get(0)?, r.try_get(1)?, r.try_get(2)?)))
    }
}

/// What was consumed out of order, not yet written: a row of it comes for each record, and they go together.
#[derive(Default)]
pub(super) struct Noted {
    /// Leg, key, kind, through.
    ahead: Vec<(String, String, &'static str, i64)>,
    /// By leg and integration key: key, through.
    held: BTreeMap<(String, String), (String, i64)>,
}

impl Handle {
    /// Writes what was noted.
    pub(super) fn write_noted(&mut self) -> StoreResult<()> {
        let Noted { ahead, held } = std::mem::take(&mut self.noted);
        if !ahead.is_empty() {
            let sql = "INSERT INTO _tablemap_consumed (leg, key, kind, through) SELECT * FROM unnest($1::text[], \
                       $2::text[], $3::text[], $4::text[]::bigint[]) ON CONFLICT DO NOTHING";
            let number = |n: &i64| Some(Cow::Owned(n.to_string()));
            let lists = [
                array(ahead.iter().map(|(leg, ..)| text(leg).0)),
                array(ahead.iter().map(|(_, key, ..)| text(key).0)),
                array(ahead.iter().map(|(_, _, kind, _)| Some(Cow::Borrowed(*kind)))),
                array(ahead.iter().map(|(.., through)| number(through))),
            ];
            self.put(sql, &lists)?;
        }
        if !held.is_empty() {
            let sql = "INSERT INTO _tablemap_held (leg, ikey, key, through) SELECT * FROM unnest($1::text[], $2::text[], \
                       $3::text[], $4::text[]::bigint[]) \
                       ON CONFLICT (leg, ikey) DO UPDATE SET key = excluded.key, through = excluded.through";
            let lists = [
                array(held.keys().map(|(leg, _)| text(leg).0)),
                array(held.keys().map(|(_, ikey)| text(ikey).0)),
                array(held.values().map(|(key, _)| text(key).0)),
                array(held.values().map(|(_, through)| Some(Cow::Owned(through.to_string())))),
            ];
            self.put(sql, &lists)?;
        }
        Ok(())
    }

    /// Writes a row of a state table.
    fn put(&mut self, sql: &str, params: &[Param<'_>]) -> StoreResult<u64> {
        self.alive()?;
        self.run(sql, params)
    }
}

impl WriteState for Handle {
    fn put_progress(&mut self, p: &Progress) -> StoreResult<()> {
        let sql = format!(
            "INSERT INTO _tablemap_progress ({PROGRESS}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (leg) DO UPDATE SET \
             map_hash = excluded.map_hash, source_id = excluded.source_id, \
             source_incarnation = excluded.source_incarnation, position = excluded.position, cut = excluded.cut, \
             witness = excluded.witness, phase = excluded.phase, cursor = excluded.cursor, desired = excluded.desired, \
             state = excluded.state, epoch = excluded.epoch, last_applied_at = excluded.last_applied_at, \
             last_run_at = excluded.last_run_at"
        );
        let epoch = p.epoch.to_string();
        let params = texts([
            &p.leg,
            &p.map_hash,
            &p.source_id,
            &p.source_incarnation,
            &p.position.0,
            &p.cut.0,
            &p.witness,
            &p.phase,
            &p.cursor,
            &p.desired,
            &p.state,
            &epoch,
            &p.last_applied_at,
            &p.last_run_at,
        ]);
        self.put(&sql, &params).map(|_| ())
    }
    fn forget_leg(&mut self, leg: &str) -> StoreResult<()> {
        self.write_noted()?;
        for table in ["progress", "consumed", "held", "ledger", "quarantine", "waits"] {
            self.put(&format!("DELETE FROM _tablemap_{table} WHERE leg = $1"), &texts([leg]))?;
        }
        Ok(())
    }
    fn quarantine(&mut self, q: &Quarantined) -> StoreResult<()> {
        let sql = format!(
            "INSERT INTO _tablemap_quarantine AS q ({QUARANTINE}) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) \
             ON CONFLICT (leg, key, company) DO UPDATE SET kind = excluded.kind, code = excluded.code, \
             line = excluded.line, \"column\" = excluded.\"column\", value = excluded.value, \
             message = excluded.message, base = CASE WHEN q.base = '' THEN excluded.base ELSE q.base END, \
             old_ikey = CASE WHEN q.old_ikey = '' THEN excluded.old_ikey ELSE q.old_ikey END, \
             tries = excluded.tries, next_try = excluded.next_try"
        );
        let tries = q.tries.to_string();
        let params = texts([
            &q.leg,
            &q.key,
            &q.company,
            q.kind.word(),
            &q.code,
            &q.line,
            &q.column,
            &q.value,
            &q.message,
            &q.base,
            &q.old_ikey,
            &tries,
            &q.next_try,
            &q.since,
        ]);
        self.put(&sql, &params).map(|_| ())
    }
    fn release(&mut self, leg: &str, key: &str, company: &str) -> StoreResult<u64> {
        let n = self.put(
            "DELETE FROM _tablemap_quarantine WHERE leg = $1 AND key = $2 AND ($3 = '' OR company = $3)",
            &texts([leg, key, company]),
        )?;
        if n > 0 {
            self.put(
                "DELETE FROM _tablemap_waits WHERE leg = $1 AND key = $2 AND ($3 = '' OR company = $3)",
                &texts([leg, key, company]),
            )?;
        }
        Ok(n)
    }
    fn forget_before(&mut self, leg: &str, key: &str, company: &str) -> StoreResult<()> {
        let sql = "UPDATE _tablemap_quarantine SET old_ikey = '' WHERE leg = $1 AND key = $2 AND company = $3";
        self.put(sql, &texts([leg, key, company])).map(|_| ())
    }
    fn put_waits(&mut self, leg: &str, key: &str, company: &str, waits: &[Wait]) -> StoreResult<()> {
        let sql = "DELETE FROM _tablemap_waits WHERE leg = $1 AND key = $2 AND company = $3";
        self.put(sql, &texts([leg, key, company]))?;
        let inner = self.inner.clone();
        for w in waits {
            let t = inner.schema.get(w.table);
            let names: Vec<&str> = w.columns.iter().map(|c| t.column(*c).name.as_str()).collect();
            let columns = serde_json::Value::from(names).to_string();
            let values = Key(w.values.iter().map(|v| Collation::Exact.fold(v)).collect()).to_text();
            self.put(
                "INSERT INTO _tablemap_waits (leg, key, tbl, columns, \"values\", company) VALUES ($1, $2, $3, $4, $5, $6)",
                &texts([leg, key, t.stored_name(), &columns, &values, company]),
            )?;
        }
        Ok(())
    }
    fn put_ahead(&mut self, leg: &str, ahead: &Ahead) -> StoreResult<()> {
        self.alive()?;
        self.noted.ahead.push((leg.to_string(), ahead.key.clone(), ahead.kind.word(), ahead.through));
        Ok(())
    }
    fn put_held(&mut self, leg: &str, ikey: &str, key: &str, through: i64) -> StoreResult<()> {
        self.alive()?;
        self.noted.held.insert((leg.to_string(), ikey.to_string()), (key.to_string(), through));
        Ok(())
    }
    fn drop_ahead(&mut self, leg: &str, through: i64) -> StoreResult<()> {
        self.write_noted()?;
        for table in ["consumed", "held"] {
            let sql = format!("DELETE FROM _tablemap_{table} WHERE leg = $1 AND through <= $2");
            self.put(&sql, &[text(leg), Param::number(through)])?;
        }
        Ok(())
    }
    fn put_ledger(&mut self, leg: &str, upper: &str, position: i64) -> StoreResult<()> {
        let sql = "INSERT INTO _tablemap_ledger (leg, upper_key, position) VALUES ($1, $2, $3)";
        self.put(sql, &[text(leg), text(upper), Param::number(position)]).map(|_| ())
    }
    fn drop_ledger(&mut self, leg: &str) -> StoreResult<()> {
        self.put("DELETE FROM _tablemap_ledger WHERE leg = $1", &texts([leg])).map(|_| ())
    }
    fn put_conflict(
        &mut self,
        leg: &str,
        key: &str,
        base: &str,
        left: &str,
        right: &str,
        outcome: &str,
    ) -> StoreResult<()> {
        let sql = "INSERT INTO _tablemap_conflicts (leg, key, base, \"left\", \"right\", outcome, at) VALUES ($1, $2, $3, \
                   $4, $5, $6, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"'))";
        self.put(sql, &texts([leg, key, base, left, right, outcome])).map(|_| ())
    }
    fn update_conflict(&mut self, c: &ConflictRow) -> StoreResult<()> {
        let sql = "UPDATE _tablemap_conflicts SET key = $1, base = $2, \"left\" = $3, \"right\" = $4, outcome = $5 \
                   WHERE id = $6";
        let id = c.id.to_string();
        self.put(sql, &texts([&c.key, &c.base, &c.left, &c.right, &c.outcome, &id])).map(|_| ())
    }
    fn put_run(&mut self, r: &RunRecord) -> StoreResult<()> {
        let sql = "INSERT INTO _tablemap_runs (run, leg, started, ended, counts, samples) VALUES ($1, $2, $3, $4, $5, $6) \
                   ON CONFLICT (run, leg) DO UPDATE SET started = excluded.started, ended = excluded.ended, \
                   counts = excluded.counts, samples = excluded.samples";
        self.put(sql, &texts([&r.run, &r.leg, &r.started, &r.ended, &r.counts, &r.samples])).map(|_| ())
    }
    fn put_suspended(&mut self, project: &str, table: &str, suspended: bool) -> StoreResult<()> {
        let sql = match suspended {
            true => {
                "INSERT INTO _tablemap_suspended (project, tbl, since) \
                 VALUES ($1, $2, to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')) \
                 ON CONFLICT DO NOTHING"
            }
            false => "DELETE FROM _tablemap_suspended WHERE project = $1 AND tbl = $2",
        };
        self.put(sql, &texts([project, table])).map(|_| ())
    }
    fn put_company(&mut self, project: &str, company: &str, since: &str, until: &str) -> StoreResult<()> {
        let sql = "INSERT INTO _tablemap_companies (project, company, since, until) VALUES ($1, $2, $3, $4) \
                   ON CONFLICT (project, company, since) DO UPDATE SET until = excluded.until";
        self.put(sql, &texts([project, company, since, until])).map(|_| ())
    }
}

//! Numbers the change log in the order in which its rows became visible (R9).
//!
//! The numbers that a sequence gives are drawn when a row is written, and a smaller one may be committed later: who reads
//! on after the greatest one seen loses it. Waiting until no older transaction runs would stall behind any long one of
//! the whole cluster. So a log row is written without a number. Whoever opens a view numbers the rows that this view
//! sees and that have none yet, under a lock, in a short transaction of its own: first comes the lock, then the view is
//! taken, then exactly the rows whose transaction `pg_visible_in_snapshot` finds in it are numbered on from the
//! greatest number there is. A row that becomes visible later gets a greater number, however long its transaction ran;
//! nobody waits for it. Rows of one key keep their order, since a row's second writer waits for its first to commit.
//!
//! Where a slot takes the place of the triggers, the rows that it holds are added to the log first, behind the same lock
//! and after the view was taken.
//!
//! So a view and a number say the same, and positions are plain numbers. The view itself does not see the numbers that
//! were given after it was taken: the log is then read on the connection that gave them, up to the view's head.

use super::Handle;
use super::connect::Session;
use super::types::Param;
use crate::store::Result;
use std::sync::atomic::Ordering;
use tokio_postgres::Row;

/// The lock of those who number: `tm` and the state tables' schema.
const LOCK: &str = "SELECT pg_advisory_xact_lock(29805, hashtext($1))";

/// What a view sees of the log: the greatest number, whether a row has none, the view itself.
const LOOK: &str = "SELECT greatest((SELECT max(seq) FROM _tablemap_changes), (SELECT floor FROM _tablemap_meta), 0)::text, \
                    EXISTS (SELECT 1 FROM _tablemap_changes WHERE seq IS NULL)::text, pg_current_snapshot()::text, \
                    pg_current_wal_insert_lsn()::text";

const NUMBER: &str = "
WITH base AS (
  SELECT greatest((SELECT max(seq) FROM _tablemap_changes), (SELECT floor FROM _tablemap_meta), 0) AS seq),
fresh AS (
  SELECT id, row_number() OVER (ORDER BY id) AS n FROM _tablemap_changes
  WHERE seq IS NULL AND pg_visible_in_snapshot(txid, $1::pg_snapshot)),
given AS (
  UPDATE _tablemap_changes AS c SET seq = base.seq + fresh.n FROM base, fresh WHERE c.id = fresh.id RETURNING c.seq)
SELECT greatest((SELECT seq FROM base), (SELECT max(seq) FROM given))::text";

impl Handle {
    /// Begins the transaction: its view is fixed, and every log row that it sees has a number.
    pub(super) fn begin(&mut self, writing: bool) -> Result<()> {
        let begin = if writing {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ WRITE"
        } else {
            "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
        };
        if !self.inner.prepared.load(Ordering::Relaxed) {
            self.batch(begin)?;
            self.logged = self.is_prepared()?;
            if !self.logged {
                return Ok(());
            }
            self.batch("ROLLBACK")?;
        }
        self.logged = true;
        let inner = self.inner.clone();
        let looked = self.begun_with(begin, LOOK)?;
        let text = |rows: &[Row], i: usize| -> Result<String> {
            let row = rows.first().ok_or_else(|| inner.other("its log cannot be read"))?;
            row.try_get(i).map_err(|e| inner.err(e.into()))
        };
        let number = |s: String| s.parse::<i64>().map_err(|_| inner.other("its log has odd numbers"));
        self.head = number(text(&looked, 0)?)?;
        // What a slot holds is not in the log yet.
        let unread = inner.address.logical && !inner.is_drained(&text(&looked, 3)?);
        if text(&looked, 1)? != "true" && !unread {
            return Ok(());
        }
        // Another one may be numbering: what this view sees need not be the beginning of what it numbers. Anew, behind
        // the lock.
        let (mut log, _) = inner.take()?;
        let numbered = (|| {
            log.busy = true;
            log.query_after("BEGIN", LOCK, &[Param::from(&inner.address.state)]).map_err(|e| inner.err(e))?;
            let again = format!("ROLLBACK; {begin}");
            let view = text(&self.begun_with(&again, "SELECT pg_current_snapshot()::text")?, 0)?;
            let empty = match inner.address.logical {
                true => super::drain::drain(&mut log, &inner, &view)?,
                false => None,
            };
            let given = log.query(NUMBER, &[Param::from(&view)]).map_err(|e| inner.err(e))?;
            self.head = number(text(&given, 0)?)?;
            log.batch("COMMIT").map_err(|e| inner.err(e))?;
            log.busy = false;
            inner.drained_to(empty);
            Ok(())
        })();
        match numbered {
            Ok(()) => self.log = Some(log),
            Err(_) => inner.put_back(log),
        }
        numbered
    }

    /// Begins, and asks along with it: a message goes to the server and back for both.
    fn begun_with(&mut self, begin: &str, sql: &str) -> Result<Vec<Row>> {
        let inner = self.inner.clone();
        self.journal.end();
        let session = self.session();
        session.busy = true;
        session.query_after(begin, sql, &[]).map_err(|e| inner.err(e))
    }

    /// The connection that sees the numbers of every log row up to the head.
    pub(super) fn log(&mut self) -> &mut Session {
        match self.log {
            Some(ref mut log) => log,
            #[allow(clippy::expect_used)]
            None => self.session.as_mut().expect("a handle has its session until it is dropped"),
        }
    }
}

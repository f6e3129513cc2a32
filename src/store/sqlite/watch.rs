//! Whether anybody committed: `PRAGMA data_version` on a connection of its own, which nothing is written through.
//!
//! Every commit writes to the WAL. So most of the time a look at that file's time stamp is enough, which costs a fraction of
//! asking SQLite a hundred times a second.

use super::connect::{Inner, Session};
use crate::store::{Result, Watch};
use std::fs::File;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// After so many looks at the WAL alone, SQLite is asked whatever the WAL says.
const LOOKS: u32 = 10;
/// Time stamps come in steps of some milliseconds: a commit in the same step as the one before would not show.
const STEP: Duration = Duration::from_millis(50);

/// When the WAL was written to last, and how long it is.
type Stamp = (SystemTime, u64);

pub(super) struct DataVersion {
    session: Session,
    inner: Arc<Inner>,
    /// The WAL, open: looking at an open file takes a fraction of finding it by its path. No lock of SQLite's lies on this
    /// file, so none is lost when it is closed.
    wal: Option<File>,
    last: Option<i64>,
    /// What the WAL looked like before SQLite was asked last, if it was left alone for some time by then.
    quiet: Option<Stamp>,
    /// Looks since.
    looks: u32,
}

impl DataVersion {
    pub fn new(inner: &Arc<Inner>) -> Result<DataVersion> {
        let session = inner.connect(false)?;
        Ok(DataVersion { session, inner: inner.clone(), wal: None, last: None, quiet: None, looks: 0 })
    }

    /// Elsewhere a file that is kept open may get its time stamp late.
    fn stamp(&mut self) -> Option<Stamp> {
        if !cfg!(unix) {
            return None;
        }
        if self.looks == 0 {
            // Another file may have taken its place.
            self.wal = File::open(self.inner.wal()).ok();
        }
        let meta = self.wal.as_ref()?.metadata().ok()?;
        Some((meta.modified().ok()?, meta.len()))
    }
}

impl Watch for DataVersion {
    fn changed(&mut self) -> Result<bool> {
        let stamp = self.stamp();
        if stamp.is_some() && stamp == self.quiet && self.looks < LOOKS {
            self.looks += 1;
            return Ok(false);
        }
        let now: i64 = self
            .session
            .conn
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut s| s.query_row([], |r| r.get(0)))
            .map_err(|e| self.inner.err(e))?;
        self.quiet = stamp.filter(|(at, _)| at.elapsed().is_ok_and(|age| age > STEP));
        self.looks = 0;
        Ok(self.last.replace(now) != Some(now))
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::{Options, SqliteStore};
    use super::STEP;
    use crate::schema::StoreSchema;
    use crate::store::Store;
    use rusqlite::Connection;
    use std::sync::Arc;

    #[test]
    fn each_commit_is_seen_at_the_next_look() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        let options = Options { create: true, ..Options::default() };
        let store = SqliteStore::open("x", &path, Arc::new(StoreSchema::default()), options).unwrap();
        let user = Connection::open(&path).unwrap();
        user.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a)").unwrap();
        let mut watch = store.watch().unwrap();
        watch.changed().unwrap();
        for i in 0..60 {
            // At once, in the same step of the clock, and after some rest.
            match i % 3 {
                0 => {}
                1 => std::thread::sleep(std::time::Duration::from_millis(3)),
                _ => {
                    std::thread::sleep(STEP + STEP / 5);
                    for _ in 0..5 {
                        assert!(!watch.changed().unwrap(), "nobody committed anything, {i}");
                    }
                }
            }
            user.execute("INSERT INTO t VALUES (?1)", [i]).unwrap();
            assert!(watch.changed().unwrap(), "commit {i} was overlooked");
            assert!(!watch.changed().unwrap(), "commit {i} was told twice");
            if i % 20 == 10 {
                user.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
                // That may count as a change or not.
                watch.changed().unwrap();
            }
        }
    }
}

//! Whether anything was committed by anybody: by looking at the transactions' numbers, or woken by NOTIFY.

use super::connect::{Inner, Session};
use super::types::ident;
use crate::store::{Result, Watch};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// How often one who listens looks all the same: writes to tables that are not captured notify nobody.
const LOOK_ANYWAY: Duration = Duration::from_secs(1);

/// `pg_current_snapshot()` changes with every commit of the cluster that wrote something.
struct Watched {
    inner: Arc<Inner>,
    session: Session,
    last: Option<String>,
    listens: bool,
    looked: Instant,
}

/// The channel that the change log notifies.
pub(super) fn channel(state: &str) -> String {
    format!("_tablemap_{state}")
}

pub(super) fn watch(inner: &Arc<Inner>) -> Result<Box<dyn Watch>> {
    let mut watched = Watched {
        session: inner.connect()?,
        inner: inner.clone(),
        last: None,
        listens: inner.address.notify,
        looked: Instant::now(),
    };
    watched.listen()?;
    Ok(Box::new(watched))
}

impl Watched {
    fn listen(&mut self) -> Result<()> {
        if !self.listens {
            return Ok(());
        }
        let sql = format!("LISTEN {}", ident(&channel(&self.inner.address.state)));
        self.session.batch(&sql).map_err(|e| self.inner.err(e))
    }
}

impl Watch for Watched {
    fn changed(&mut self) -> Result<bool> {
        if self.session.broken {
            self.session = self.inner.connect()?;
            // What came while nobody listened is not known.
            self.last = None;
            self.listen()?;
        }
        if self.listens && self.last.is_some() && !self.session.listen() && self.looked.elapsed() < LOOK_ANYWAY {
            return Ok(false);
        }
        self.looked = Instant::now();
        let rows = self.session.query("SELECT pg_current_snapshot()::text", &[]).map_err(|e| self.inner.err(e))?;
        let now: Option<String> = match rows.first() {
            None => None,
            Some(row) => row.try_get(0).map_err(|e| self.inner.err(e.into()))?,
        };
        let changed = self.last != now;
        self.last = now;
        Ok(changed)
    }
}

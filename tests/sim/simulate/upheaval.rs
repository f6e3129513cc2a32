//! What operators do: edited maps, restored files, windows in which a table is not captured, changes put aside.

use super::world::{Sim, checked};
use tablemap::engine::{EngineError, Quiet};
use tablemap::schema::TableId;

fn said(e: EngineError) -> String {
    e.to_string()
}

impl Sim {
    /// Lets a paused map go on without what is pending; what was put aside is carried over after all.
    pub fn skip(&mut self, map: usize) -> Result<(), String> {
        if !self.paused.contains(&map) {
            return Ok(());
        }
        let engine = self.plain_engine();
        match engine.skip_pending(map, None) {
            Ok(_) => {}
            Err(EngineError::Refused(_)) => {
                self.desire(map, "run")?;
                return Ok(());
            }
            Err(e) => return Err(said(e)),
        }
        self.paused.retain(|m| *m != map);
        engine.run_once(None, &Quiet).map_err(said)?;
        let skipped: Vec<_> = engine
            .errors(&[map])
            .map_err(said)?
            .into_iter()
            .map(|(_, e)| e)
            .filter(|e| e.kind == tablemap::store::QuarantineKind::Skipped)
            .collect();
        engine.retry(&skipped).map_err(said)?;
        self.steps.push(format!("skip of map {map}: {} put aside, and tried again", skipped.len()));
        self.stats.add("skips", 1);
        Ok(())
    }

    /// Other maps take over while an engine works.
    pub fn reload(&mut self, maps: &[String]) -> Result<(), String> {
        let before = self.plain_engine();
        before.run_once(None, &Quiet).map_err(said)?;
        self.maps = checked(&self.schemas, maps, self.companies.as_deref())?;
        let next = self.plain_engine();
        next.widen_from(&before).map_err(said)?;
        before.settle(None, &Quiet).map_err(said)?;
        drop(before);
        next.run_once(None, &Quiet).map_err(said)?;
        next.sync_changed(None, None, &Quiet).map_err(said)?;
        self.steps.push(format!("reload: {}", maps.join("\n")));
        self.stats.add("reloads", 1);
        Ok(())
    }

    /// A copy of the store's file.
    pub fn back_up(&mut self, store: &str) {
        let copy = self.path(&format!("backup-{store}"));
        let _ = std::fs::remove_file(&copy);
        self.rows(store, &format!("vacuum into '{}'", copy.display()));
        self.steps.push(format!("{store}: backed up"));
    }

    /// The copy in the place of the file; whether there was one.
    pub fn restore(&mut self, store: &str) -> Result<bool, String> {
        let (path, copy) = (self.path(store), self.path(&format!("backup-{store}")));
        if !copy.exists() {
            return Ok(false);
        }
        let threads = self.close(store);
        for tail in ["-wal", "-shm"] {
            let mut name = path.clone().into_os_string();
            name.push(tail);
            // A file that is not there need not go.
            let _ = std::fs::remove_file(name);
        }
        std::fs::rename(&copy, &path).map_err(|e| e.to_string())?;
        self.open(store, threads);
        self.steps.push(format!("{store}: restored"));
        let engine = self.plain_engine();
        let report = engine.run_once(None, &Quiet).map_err(said)?;
        let strayed = report.stopped.iter().any(|s| s.reason.contains("recover"));
        if !strayed && !report.stopped.is_empty() {
            return Err(format!("after the restore: {:?}", report.stopped));
        }
        let recovered = engine.recover(None, false, &Quiet).map_err(said)?;
        if strayed == recovered.legs.is_empty() {
            return Err(format!("stopped {:?}, recovered {recovered:?}", report.stopped));
        }
        self.steps.push(format!("recover: {} legs", recovered.legs.len()));
        self.stats.add("restores", 1);
        self.stats.add("recovers", u64::from(strayed));
        Ok(true)
    }

    fn index(&self, store: &str) -> usize {
        self.schemas.iter().position(|(name, _)| name == store).unwrap_or_else(|| panic!("no store `{store}`"))
    }

    /// A table's capture goes off, where there is any and nothing speaks against it.
    pub fn suspend(&mut self, store: &str, table: usize) -> Result<(), String> {
        let s = self.index(store);
        let id = TableId(table as u32);
        let engine = self.plain_engine();
        if !engine.captured(Some(s)).map_err(said)?.iter().any(|c| c.table == id && !c.suspended) {
            return Ok(());
        }
        match engine.suspend(s, &[id]) {
            Ok(()) => {}
            Err(EngineError::Refused(_)) => return Ok(()),
            Err(e) => return Err(said(e)),
        }
        self.suspended.push((store.to_string(), table));
        self.steps.push(format!("{store}: capture of table {table} suspended"));
        self.stats.add("windows", 1);
        Ok(())
    }

    /// And on again; whether it was off.
    pub fn resume(&mut self, store: &str, table: usize) -> Result<bool, String> {
        let this = (store.to_string(), table);
        if !self.suspended.contains(&this) {
            return Ok(false);
        }
        let engine = self.plain_engine();
        engine.resume_capture(self.index(store), &[TableId(table as u32)]).map_err(said)?;
        self.suspended.retain(|t| *t != this);
        engine.run_once(None, &Quiet).map_err(said)?;
        self.steps.push(format!("{store}: capture of table {table} resumed"));
        Ok(true)
    }
}

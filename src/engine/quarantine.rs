//! Records that could not be applied: into quarantine with the whole sentence, out again when solved, and when a leg
//! must stop itself (R12).

use super::apply::{Failure, code};
use super::chunk::{Chunk, Claims, Item, KeySet, Left, Record, What};
use super::message;
use super::report::LegReport;
use super::runtime::{CellFrom, LegRt, Result};
use crate::sema::Company;
use crate::store::{QuarantineFilter, QuarantineKind, Quarantined, RecordError, RecordErrorKind, Transaction, Wait};
use crate::value::{Key, Type, Value};
use std::collections::VecDeque;
use std::time::Duration;

/// The outcomes of the last records of a leg, for R12.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    last: VecDeque<bool>,
    seen: u64,
}

impl Window {
    pub(super) fn push(&mut self, failed: bool, size: usize) {
        self.seen += 1;
        self.last.push_back(failed);
        if self.last.len() > size {
            self.last.pop_front();
        }
    }
    pub(super) fn too_many(&self, size: usize, percent: usize) -> bool {
        let failed = self.last.iter().filter(|f| **f).count();
        self.seen >= size as u64 && failed * 100 >= percent * size
    }
}

/// The key lines' values that an entry keeps as the ones before.
pub(super) fn before_lines(leg: &LegRt, text: &str) -> Option<Vec<Value>> {
    if text.is_empty() {
        return None;
    }
    let types: Vec<Type> = leg.leg().lines.iter().map(|l| l.ty.clone()).collect();
    Some(Key::parse(text, &types)?.0.into_vec())
}

/// Whether another record holds this integration key since a record was last consumed. `owns`: what waits under its
/// primary key is its own; `stood`: see [`Item::stood`].
pub(super) fn taken(leg: &LegRt, claims: &Claims, owns: bool, stood: (&[Value], i64), ikey: &Key) -> bool {
    match claims.get(&KeySet::fingerprint(ikey)) {
        None => false,
        _ if mutant!("holders-unknown") => false,
        Some(None) => true,
        // A primary key may have been several records', one after another, each consumed further on.
        Some(Some((by, through))) => (!owns && stood.1 != *through) || leg.source_key(stood.0).to_text() != *by,
    }
}

impl Chunk<'_> {
    pub(super) fn refused(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        e: RecordError,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let item = &items[record.item];
        if e.kind == RecordErrorKind::Unique && !self.mode.last_try && !self.mode.bulk && !mutant!("taken-is-final") {
            left.retry.push(record.item);
            left.leaving.push(self.ikey_of(record));
            return Ok(());
        }
        let mut f = self.store_failure(&e);
        if self.is_to_leave(record, &e) {
            (f.kind, f.passes) = (QuarantineKind::Parked, true);
            f.remedy =
                "that row's record has another key by now and waits itself; it is tried again every ten seconds".into();
        }
        let cell =
            e.column.and_then(|c| self.leg.columns.iter().position(|k| *k == c)).and_then(|i| record.cells.get(i));
        f.value = cell.filter(|v| !v.is_null()).map(ToString::to_string);
        let company = super::chunk::word(record.company);
        self.failed(tx, item, &company, &f, &[], counts)
    }

    /// Whether the row that has a record's key is that of a record which waits, and has another key by now: nobody has to
    /// correct the key.
    fn is_to_leave(&self, record: &Record<'_>, e: &RecordError) -> bool {
        let of_key = e.column.is_none_or(|c| self.leg.leg().key.contains(&c));
        let waits = e.kind == RecordErrorKind::Unique && of_key && self.befores.contains(&self.ikey_of(record));
        waits && !mutant!("leavers-are-failures")
    }

    pub(super) fn store_failure(&self, e: &RecordError) -> Failure {
        let leg = self.leg;
        let target = leg.leg().target;
        let table = self.engine.maps.stores[target.store].1.get(target.table);
        let (code, remedy) = match e.kind {
            RecordErrorKind::Unique => (code::KEY, "another row has it; make it unique, then `tablemap errors retry`"),
            RecordErrorKind::Foreign => (code::MISSING, "add the row it refers to, then `tablemap errors retry`"),
            RecordErrorKind::Required => (code::REQUIRED, "fill it at the source or give the line a `default`"),
            RecordErrorKind::Misfit => (code::FIT, "change the value, the map or the column"),
            RecordErrorKind::Refused => {
                (code::STORE, "the store's own rule refused it; correct the record or the rule")
            }
        };
        let mut f = Failure::new(code, e.message.clone(), remedy);
        f.store_kind = Some(e.kind);
        if let Some(c) = e.column {
            f.column = table.column(c).name.clone();
            f.line = leg.cells.iter().find(|cell| cell.column == c).and_then(|cell| match cell.from {
                CellFrom::Line(i) => Some(i),
                _ => cell.line,
            });
        }
        f
    }

    pub(super) fn blame_key(&self, f: Failure) -> Failure {
        match self.leg.key_cells.first().and_then(|i| self.leg.cells[*i].line) {
            Some(line) => f.at_line(self.leg.leg(), line),
            None => f,
        }
    }

    /// A record that was applied leaves the quarantine, but for the references that are still to be filled.
    pub(super) fn solved(&mut self, tx: &mut dyn Transaction, item: &Item, company: &str) -> Result<()> {
        if self.has_quarantine && !item.silent {
            let key = self.leg.source_key(&item.key).to_text();
            let company = if mutant!("solved-in-all-companies") { "" } else { company };
            if tx.state_mut().release(&self.leg.name, &key, company)? > 0 && self.is_held(item) {
                super::holding::close(tx, &self.leg.name, &key, super::holding::SETTLED)?;
            }
        }
        if self.debts.is_empty() {
            return Ok(());
        }
        let owed = self.debts.remove(&(item.n, company.to_string()));
        let Some(owed) = owed.filter(|_| !mutant!("debts-forgotten")) else { return Ok(()) };
        let waits: Vec<Wait> = owed.iter().flat_map(|(_, waits)| waits.clone()).collect();
        match owed.first() {
            Some((f, _)) => self.enter(tx, item, company, f, &waits).map(drop),
            None => Ok(()),
        }
    }

    /// What waits goes along with records whose primary key changed. Of one that came under a key which another record
    /// had, nothing waits. All at once: records may have taken their keys from each other.
    pub(super) fn move_waiting(&mut self, tx: &mut dyn Transaction, items: &[Item]) -> Result<()> {
        // A last try comes after a first one.
        if !self.has_quarantine || self.mode.last_try || mutant!("waiting-stays-behind") {
            return Ok(());
        }
        let mut moved = Vec::new();
        for item in items {
            let key = self.leg.source_key(&item.key).to_text();
            let was = item.start.as_ref().map(|k| self.leg.source_key(k).to_text());
            if let Some(was) = was.filter(|was| *was != key && !item.silent) {
                for mut conflict in super::holding::open(tx.state_mut(), &self.leg.name, &was)? {
                    conflict.key.clone_from(&key);
                    tx.state_mut().update_conflict(&conflict)?;
                }
                for entry in tx.state_mut().quarantine_of(&self.leg.name, &was)? {
                    moved.push(Quarantined { key: key.clone(), ..entry });
                }
                tx.state_mut().release(&self.leg.name, &was, "")?;
            }
        }
        for item in items.iter().filter(|i| i.renewed && !self.stands_for(i)) {
            tx.state_mut().release(&self.leg.name, &self.leg.source_key(&item.key).to_text(), "")?;
        }
        moved.iter().try_for_each(|entry| Ok(tx.state_mut().quarantine(entry)?))
    }

    /// Whether a change that is skipped tells of a row which came under the primary key of another one: one entry speaks of
    /// both, so that the first one's row becomes the second one's when it is carried over after all.
    fn stands_for(&self, item: &Item) -> bool {
        let skipped = matches!(&item.what, What::Failed(f) if f.kind == QuarantineKind::Skipped);
        skipped && item.renewed && self.leg.map.two_way == 0 && !mutant!("skip-forgets-the-first")
    }

    /// Whether another record holds this integration key since the item's record was last consumed.
    pub(super) fn taken(&self, item: &Item, ikey: &Key) -> bool {
        taken(self.leg, &self.claimed, item.start.is_some(), (&item.stood.0, item.stood.1), ikey)
    }

    /// A record holds its integration key from now on, or the one its row keeps: then nor is what it was found by
    /// another one's.
    pub(super) fn claim_of(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        record: &Record<'_>,
        kept: Option<&Key>,
    ) -> Result<()> {
        let Some(kept) = kept else { return self.claim(tx, item, &self.ikey_of(record)) };
        self.claim(tx, item, kept)?;
        self.claim(tx, item, &self.found_by(record))
    }

    /// A record holds this integration key from now on: no other one's row is found by it any more.
    pub(super) fn claim(&mut self, tx: &mut dyn Transaction, item: &Item, ikey: &Key) -> Result<()> {
        self.claimed.insert(KeySet::fingerprint(ikey), None);
        self.holds.push((item.n, ikey.clone()));
        if self.befores.remove(ikey) {
            for entry in tx.state_mut().quarantined(&self.filter())? {
                if self.before_ikeys(&entry.old_ikey, &entry.company).contains(ikey) {
                    tx.state_mut().forget_before(&self.leg.name, &entry.key, &entry.company)?;
                }
            }
        }
        Ok(())
    }

    pub(super) fn filter(&self) -> QuarantineFilter {
        QuarantineFilter { leg: Some(self.leg.name.clone()), rekeyed: true, ..QuarantineFilter::default() }
    }

    /// Learns under which integration keys records that wait were applied.
    pub(super) fn learn_befores(&mut self, tx: &mut dyn Transaction) -> Result<()> {
        let entries = tx.state_mut().quarantined(&self.filter())?;
        self.befores = entries.iter().flat_map(|e| self.before_ikeys(&e.old_ikey, &e.company)).collect();
        Ok(())
    }

    /// The integration keys of an entry's lines before, in every company if it waits as a whole; none where parts of it
    /// are looked up in the target.
    pub(super) fn before_ikeys(&self, text: &str, company: &str) -> Vec<Key> {
        let Some(lines) = before_lines(self.leg, text) else { return vec![] };
        let ikey = |company: &str| Some(self.ikey(&self.key_of(&lines, Some(&Value::text(company)), &[])?));
        match self.leg.leg().company {
            Company::Each(_) if company.is_empty() => {
                self.engine.maps.companies.iter().flatten().filter_map(|c| ikey(c)).collect()
            }
            _ => ikey(company).into_iter().collect(),
        }
    }

    /// The key lines' values, as an entry keeps them, under which the record was last applied; empty where another record
    /// has the key since: the row there is that one's.
    fn still_under(&self, item: &Item, company: &str) -> String {
        let Some(before) = item.before_in(company) else { return String::new() };
        let text = Key(before.clone().into_boxed_slice()).to_text();
        let taken = self.before_ikeys(&text, company).iter().any(|ikey| self.taken(item, ikey));
        if taken && !mutant!("waits-under-a-taken-key") { String::new() } else { text }
    }

    /// Whether other records hold by now what an entry says that its record was applied under.
    fn all_taken(&self, item: &Item, old_ikey: &str, company: &str) -> bool {
        let befores = self.before_ikeys(old_ikey, company);
        !befores.is_empty() && befores.iter().all(|ikey| self.taken(item, ikey))
    }

    /// Puts a record into quarantine and goes on.
    pub fn failed(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        company: &str,
        f: &Failure,
        waits: &[Wait],
        counts: &mut LegReport,
    ) -> Result<()> {
        match f.kind {
            QuarantineKind::Parked => counts.parked += 1,
            QuarantineKind::Skipped => counts.unchanged += 1,
            _ => counts.quarantined += 1,
        }
        self.outcomes.push((item.n, f.kind == QuarantineKind::Failed));
        let message = self.enter(tx, item, company, f, waits)?;
        if self.samples.len() < 20 && f.kind == QuarantineKind::Failed {
            self.samples.push(message);
        }
        Ok(())
    }

    /// Makes the entry of a record; returns its sentence.
    fn enter(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        company: &str,
        f: &Failure,
        waits: &[Wait],
    ) -> Result<String> {
        let leg = self.leg;
        let env = &self.engine.env;
        let key = leg.source_key(&item.key).to_text();
        let record = message::record(&self.engine.maps, leg, &item.key);
        let (message, line) = message::sentence(&self.engine.maps, leg, &record, f);
        let earlier = match self.has_quarantine {
            true => tx.state_mut().quarantine_of(&leg.name, &key)?.into_iter().find(|q| q.company == company),
            false => None,
        };
        let tries = earlier.as_ref().map_or(0, |q| q.tries) + 1;
        // What may pass by itself is tried again, ever more rarely; what cannot is tried when the record changes, or
        // by command.
        let may_pass = matches!(f.store_kind, Some(RecordErrorKind::Unique | RecordErrorKind::Foreign));
        let next_try = match f.kind {
            _ if f.passes => env.later(Duration::from_secs(10)),
            QuarantineKind::Failed if may_pass => {
                env.later(Duration::from_secs(5u64.saturating_mul(1 << tries.min(9)).min(3600)))
            }
            _ => String::new(),
        };
        // What owes a reference was applied: it is what it is now.
        let applied = f.kind == QuarantineKind::Debt;
        let base = match (leg.map.two_way > 0 && !applied, &item.base) {
            (true, Some(base)) => {
                let table = self.engine.maps.stores[leg.leg().source.store].1.get(leg.leg().source.table);
                let map: serde_json::Map<String, serde_json::Value> = base
                    .iter()
                    .map(|(c, v)| {
                        let text = Key(Box::new([v.clone()])).to_text();
                        (table.column(*c).name.clone(), serde_json::Value::String(text))
                    })
                    .collect();
                serde_json::Value::Object(map).to_string()
            }
            _ => String::new(),
        };
        let entry = Quarantined {
            leg: leg.name.clone(),
            key: key.clone(),
            company: company.to_string(),
            kind: f.kind,
            code: f.code.to_string(),
            line,
            column: f.column.clone(),
            value: f.value.as_deref().map(message::shorten).unwrap_or_default(),
            message: message.clone(),
            base,
            old_ikey: match earlier.filter(|_| self.stands_for(item)) {
                Some(first) if self.all_taken(item, &first.old_ikey, company) => String::new(),
                Some(first) => first.old_ikey,
                None if applied => String::new(),
                None => self.still_under(item, company),
            },
            tries,
            next_try,
            since: env.now(),
        };
        let befores = self.before_ikeys(&entry.old_ikey, company);
        self.befores.extend(befores);
        tx.state_mut().quarantine(&entry)?;
        let waits: Vec<Wait> = waits.iter().map(|w| Wait { key: key.clone(), ..w.clone() }).collect();
        tx.state_mut().put_waits(&leg.name, &key, company, &waits)?;
        self.has_quarantine = true;
        Ok(message)
    }

    /// Whether the leg must stop itself (R12): the batch is then rolled back by the caller.
    pub fn must_stop(&self, tx: &mut dyn Transaction) -> Result<Option<String>> {
        let limits = &self.engine.limits;
        if mutant!("never-stops-itself") {
            return Ok(None);
        }
        if self.window.too_many(limits.failure_window, limits.failure_percent) {
            return Ok(Some(format!(
                "{}% or more of the last {} records failed",
                limits.failure_percent, limits.failure_window
            )));
        }
        if self.samples.is_empty() {
            return Ok(None);
        }
        let counts = tx.state_mut().quarantine_counts(&self.leg.name)?;
        let open = counts.iter().find(|(k, _)| *k == QuarantineKind::Failed).map_or(0, |(_, n)| *n);
        Ok((open >= limits.open_failures).then(|| format!("{open} records wait in quarantine")))
    }
}

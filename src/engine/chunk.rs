//! APPLY of the protocol: one chunk of records of one leg, in one target transaction.

use super::apply::{Failure, code};
use super::conflict::{PendingTarget, Verdict};
pub(super) use super::keys::{KeySet, Written};
use super::quarantine::Window;
use super::queue::{Queue, Step};
use super::references::{Cache, Owed, cell_value, prefetch, resolve};
use super::report::LegReport;
use super::runtime::{CellFrom, Engine, LegRt, Result};
use crate::schema::ColumnId;
use crate::sema::Company;
use crate::store::{Found, QuarantineKind, Transaction, Wait};
use crate::value::{Key, Type, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

/// A source record on its way.
#[derive(Debug)]
pub(super) struct Item {
    /// Its primary key.
    pub key: Vec<Value>,
    /// What the leg makes of it.
    pub what: What,
    /// The values of the key lines before the change, where they may differ from now.
    pub before: Option<Vec<Value>>,
    /// Older ones by company, of records that wait.
    pub kept: Vec<(String, Vec<Value>)>,
    /// Values of two-way inputs before the first unconsumed change; none = unknown.
    pub base: Option<HashMap<ColumnId, Value>>,
    /// Values of the source's own columns now, for comparing with the base (two-way legs only).
    pub now: HashMap<ColumnId, Value>,
    /// The legs that led to it.
    pub path: String,
    /// Its primary key when it was last consumed; none: what waits under that key is not this record's.
    pub start: Option<Vec<Value>>,
    /// The same whatever waits, and up to which log number it was consumed then.
    pub stood: (Vec<Value>, i64),
    /// It left its primary key, nothing of it waits, and another record may have the key now: what waits is that one's.
    pub silent: bool,
    /// It is not there.
    pub absent: bool,
    /// It was on both sides when it was last consumed, or is since.
    pub known: bool,
    /// It came under its key since: what waits under it was another record's.
    pub renewed: bool,
    /// Its place among the records evaluated with it.
    pub n: usize,
}

impl Item {
    /// The values of the key lines under which a company may hold the record.
    pub fn before_in(&self, company: &str) -> Option<&Vec<Value>> {
        let of = |wanted: &str| self.kept.iter().find(|(c, _)| c == wanted).map(|(_, before)| before);
        of(company).or_else(|| of("")).or(self.before.as_ref())
    }
}

/// What a leg makes of a record.
#[derive(Debug)]
pub(super) enum What {
    /// Write the line values that begin here in the chunk's buffer.
    Write(usize),
    /// Leave it; it does not leave the source.
    FilteredOut,
    /// It has no values.
    Failed(Box<Failure>),
    /// Delete its target row, found by the key values before.
    Delete,
}

/// How a chunk is applied.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Mode {
    /// The target holds no rows but ours: insert without looking first.
    pub bulk: bool,
    /// Rows that are there keep their two-way columns (second leg of an initial sync).
    pub yields: bool,
    /// A unique violation is final, not to be tried again after the deletes.
    pub last_try: bool,
    /// Rows whose records swapped keys may be given passing ones.
    pub swaps: bool,
    /// A full sync: lossy two-way lines are written too.
    pub full: bool,
    /// The sides are compared without a master: nobody knows which change was the last. A map of two directions makes
    /// no rows, and two-way lines that differ are conflicts.
    pub compares: bool,
}

/// What is left to do of a chunk.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Indexes of items to try again after the cycle's deletes.
    pub retry: Vec<usize>,
    /// The integration keys which items to try again want, and other rows have.
    pub leaving: Vec<Key>,
    /// Indexes of items that stay pending until the opposite leg has dealt with them: it wins, and finds them only as
    /// long as they are.
    pub yielded: Vec<usize>,
}

/// Integration keys that records hold in the target since the part of the log that is not consumed began: a row under
/// one of them is not another record's from before. With each the source key of the record that was consumed ahead of
/// the position, and up to where; none where this cycle wrote it.
pub(super) type Claims = HashMap<u128, Option<(String, i64)>>;

/// What a chunk needs to know beside its items.
pub(super) struct Chunk<'a> {
    pub engine: &'a Engine,
    pub leg: &'a LegRt,
    pub mode: Mode,
    pub pending: Option<&'a PendingTarget>,
    /// Whether the leg has anything in quarantine, so that solved entries must be looked for.
    pub has_quarantine: bool,
    pub cache: Cache,
    /// Rows written in this transaction (R3).
    pub written: Written,
    /// Integration keys written in this transaction.
    pub(super) seen: KeySet,
    /// Who holds which integration key.
    pub claimed: Claims,
    /// Integration keys claimed in this transaction, by the item's number.
    pub holds: Vec<(usize, Key)>,
    /// Integration keys under which records that wait were applied last.
    pub(super) befores: HashSet<Key>,
    /// Records held for a person, by source key, with what was decided.
    pub(super) held: HashMap<String, Option<super::Resolution>>,
    /// A row of this transaction got another key: what was found before may stand elsewhere.
    pub(super) moved: bool,
    /// Records whose rows have a passing key.
    pub(super) aside: HashSet<usize>,
    /// One of them could not be given its own: the transaction must not be committed.
    pub swap_failed: bool,
    pub window: Window,
    /// Outcomes of the items at hand, by their number: written out of order, counted in order.
    pub outcomes: Vec<(usize, bool)>,
    /// What records owe once they are written, by the item's number and company.
    pub(super) debts: HashMap<(usize, String), Owed>,
    /// Items that refer to rows which have yet to go or to change.
    deferred: Vec<usize>,
    /// See [`Left::yielded`].
    yielded: Vec<usize>,
    /// Whole sentences of the first failures, for the run record.
    pub samples: Vec<String>,
    /// What a comparison found.
    pub compared: super::compare::Compared,
    pub(super) tracks: bool,
}

/// One target row to be.
pub(super) struct Record<'a> {
    pub item: usize,
    pub company: Option<&'a Value>,
    pub cells: Cow<'a, [Value]>,
    pub before_key: Option<Vec<Value>>,
    /// It stands under another row's key now: what it held before says nothing about that row.
    pub elsewhere: bool,
    /// Its row got another key there since the sides agreed.
    pub moved: bool,
}

impl<'a> Chunk<'a> {
    pub fn new(engine: &'a Engine, leg: &'a LegRt, mode: Mode, window: Window) -> Chunk<'a> {
        let target = leg.leg().target;
        let tracks = engine
            .legs
            .iter()
            .any(|l| l.leg().source.store == target.store && l.leg().capture.iter().any(|c| c.table == target.table));
        Chunk {
            engine,
            leg,
            mode,
            pending: None,
            has_quarantine: true,
            cache: Cache::default(),
            written: Written::default(),
            seen: KeySet::default(),
            claimed: Claims::new(),
            holds: vec![],
            befores: HashSet::new(),
            held: HashMap::new(),
            moved: false,
            aside: HashSet::new(),
            swap_failed: false,
            window,
            outcomes: vec![],
            debts: HashMap::new(),
            deferred: vec![],
            yielded: vec![],
            samples: vec![],
            compared: super::compare::Compared::default(),
            tracks,
        }
    }

    /// Applies items whose line values lie in `values`; several calls may share one transaction.
    pub fn apply(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        values: &[Value],
        counts: &mut LegReport,
    ) -> Result<Left> {
        self.holds.clear();
        self.debts.clear();
        self.move_waiting(tx, items)?;
        let mut left = self.apply_all(tx, items, values, counts)?;
        left.retry.append(&mut self.deferred);
        left.yielded.append(&mut self.yielded);
        self.outcomes.sort_unstable();
        for (_, failed) in self.outcomes.drain(..) {
            self.window.push(failed, self.engine.limits.failure_window);
        }
        Ok(left)
    }

    fn apply_all(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        values: &[Value],
        counts: &mut LegReport,
    ) -> Result<Left> {
        let leg = self.leg;
        let width = leg.leg().lines.len();
        let companies: Vec<Value> = match leg.leg().company {
            Company::Each(_) => self.engine.maps.companies.iter().flatten().map(Value::text).collect(),
            _ => vec![],
        };
        let mut left = Left::default();
        if tx.in_batches() && companies.is_empty() && !leg.leg().references.is_empty() {
            let schema = self.engine.maps.stores[leg.leg().target.store].1.clone();
            let now = items.iter().filter_map(|item| match item.what {
                What::Write(start) => Some((&values[start..start + width], None, false)),
                _ => None,
            });
            let before = items.iter().filter_map(|item| Some((item.before_in("")?.as_slice(), None, true)));
            let all: Vec<_> = now.chain(before).collect();
            prefetch(leg, &schema, tx, &all, &mut self.cache)?;
        }
        let gone: Vec<&Item> = items.iter().filter(|item| matches!(item.what, What::Delete)).collect();
        match companies.is_empty() {
            true => self.delete_all(tx, &gone, None, counts)?,
            false => {
                for item in gone {
                    self.whole_again(tx, item)?;
                    for c in &companies {
                        self.delete_all(tx, &[item], Some(c), counts)?;
                    }
                }
            }
        }
        let mut records: Vec<Record> = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match &item.what {
                What::FilteredOut => {
                    counts.filtered_out += 1;
                    self.solved(tx, item, "")?;
                }
                What::Failed(f) => {
                    if !companies.is_empty() && self.has_quarantine {
                        // What single companies wait for does not help it any more.
                        let key = leg.source_key(&item.key).to_text();
                        for e in tx.state_mut().quarantine_of(&leg.name, &key)? {
                            tx.state_mut().put_waits(&leg.name, &key, &e.company, &[])?;
                        }
                    }
                    self.failed(tx, item, "", f, &[], counts)?;
                }
                What::Delete => {}
                What::Write(start) => {
                    let lines = &values[*start..*start + width];
                    if leg.plain {
                        let cells = match leg.cells.len() == width {
                            true => Cow::Borrowed(lines),
                            false => {
                                Cow::Owned(leg.cells.iter().filter_map(|c| cell_value(c, lines, None, &[])).collect())
                            }
                        };
                        let before_key = item.before.as_ref().and_then(|b| self.key_of(b, None, &[]));
                        records.push(Record {
                            item: i,
                            company: None,
                            cells,
                            before_key,
                            elsewhere: false,
                            moved: false,
                        });
                    } else if companies.is_empty() {
                        self.resolved(tx, items, i, lines, None, &mut records, counts)?;
                    } else {
                        self.whole_again(tx, item)?;
                        for c in &companies {
                            self.resolved(tx, items, i, lines, Some(c), &mut records, counts)?;
                        }
                    }
                }
            }
        }
        if self.mode.bulk {
            self.create_all(tx, items, &records, counts, &mut left)?;
            return Ok(left);
        }
        let now = |r: &Record<'_>| -> Vec<Value> { leg.key_cells.iter().map(|i| r.cells[*i].clone()).collect() };
        let keys: Vec<Vec<Value>> = records.iter().map(|r| r.before_key.clone().unwrap_or_else(|| now(r))).collect();
        let mut found = tx.find(leg.leg().target.table, &leg.leg().key, &keys, &leg.columns)?;
        self.moved = false;
        if self.mode.last_try {
            // Those that leave their keys may be refused after those that want them.
            let leavers = records.iter().zip(&keys).filter(|(r, key)| now(r) != **key);
            self.befores.extend(leavers.map(|(_, key)| self.ikey(key)).collect::<Vec<_>>());
        }
        if self.mode.swaps && !mutant!("no-swaps") {
            self.step_aside(tx, items, &records, &mut found, counts)?;
        }
        let mut queue = Queue::default();
        for (n, (hit, key)) in found.iter_mut().zip(&keys).enumerate() {
            let record = &mut records[n];
            let aside = self.aside.contains(&record.item);
            // Whose key moves, or may have been moved, needs what was written so far.
            if aside || self.moved || self.mode.last_try || now(record) != *key {
                self.flush(tx, items, &records, &mut queue, counts, &mut left)?;
            }
            let record = &mut records[n];
            // The row of one set aside was just given a passing key.
            if !aside {
                let taken = record.before_key.is_some() && self.taken(&items[record.item], &self.ikey(key));
                if self.moved && !taken {
                    *hit = self.find_one(tx, key.clone())?;
                }
                // Not there under the key it had, or another record has it now: it may be there under the key it has.
                let asked = now(record) == *key && !self.moved && !self.mode.last_try;
                if let Some(row) = self.moved_there(tx, &items[record.item], key, hit).transpose()?.filter(|_| !taken) {
                    *hit = row;
                    record.moved = true;
                } else if record.before_key.is_some() && !asked && (taken || matches!(hit, Found::None)) {
                    *hit = self.find_one(tx, now(record))?;
                    record.elsewhere = now(record) != *key;
                }
            }
            let step = self.decide(tx, items, record, hit, counts)?;
            let alone = aside || self.mode.last_try || !tx.in_batches() || step.moves(leg);
            if alone {
                self.flush(tx, items, &records, &mut queue, counts, &mut left)?;
            }
            queue.push(n, step);
            if alone {
                self.flush(tx, items, &records, &mut queue, counts, &mut left)?;
            }
        }
        self.flush(tx, items, &records, &mut queue, counts, &mut left)?;
        self.swap_failed = !self.aside.is_empty();
        Ok(left)
    }

    /// Records that swapped their keys, or took them from each other in a ring: their rows get a passing key first, so
    /// that each can then have its own.
    fn step_aside(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        records: &[Record<'_>],
        found: &mut [Found],
        counts: &mut LegReport,
    ) -> Result<()> {
        let leg = self.leg;
        let befores: HashSet<Key> = records.iter().filter_map(|r| Some(self.ikey(r.before_key.as_ref()?))).collect();
        let passing = |n: usize| {
            let cell = leg.key_cells.iter().map(|i| &leg.cells[*i]).find(|c| c.from != CellFrom::Each)?;
            let target = leg.leg().target;
            let value = match self.engine.maps.stores[target.store].1.get(target.table).column(cell.column).ty {
                Type::Text { .. } => Value::text(format!("~{n}")),
                Type::Integer => Value::Integer(-(1 << 52) - n as i64),
                Type::Uuid => uuid::Uuid::try_parse(&self.engine.env.id()).map(Value::Uuid).ok()?,
                _ => return None,
            };
            Some((cell.column, value))
        };
        let passing: Vec<Option<(ColumnId, Value)>> = (0..records.len()).map(passing).collect();
        for ((record, hit), passing) in records.iter().zip(found).zip(passing) {
            let now: Vec<Value> = leg.key_cells.iter().map(|i| record.cells[*i].clone()).collect();
            let (Some(before), Some((column, value))) = (&record.before_key, passing) else { continue };
            let Found::One { key, .. } = hit else { continue };
            let (was, now) = (self.ikey(before), self.ikey(&now));
            if was == now || !befores.contains(&now) || self.taken(&items[record.item], &was) {
                continue;
            }
            // What is still owed to the other direction is said by the write that follows.
            if !self.mark(tx, &items[record.item], false, &word(record.company), counts)? {
                continue;
            }
            if tx.update(leg.leg().target.table, key, &[column], std::slice::from_ref(&value))?.is_err() {
                continue;
            }
            self.own(key, &[column], std::slice::from_ref(&value));
            let at = leg.leg().key.iter().position(|c| *c == column).unwrap_or(0);
            let mut aside = before.clone();
            aside[at] = value;
            *hit = self.find_one(tx, aside)?;
            self.aside.insert(record.item);
            self.moved = true;
        }
        Ok(())
    }

    /// A record of several companies that waited as a whole waits no more; each company says for itself.
    fn whole_again(&mut self, tx: &mut dyn Transaction, item: &Item) -> Result<()> {
        if self.has_quarantine {
            let key = self.leg.source_key(&item.key).to_text();
            let entries = tx.state_mut().quarantine_of(&self.leg.name, &key)?;
            if entries.iter().any(|e| e.company.is_empty()) {
                self.solved(tx, item, "")?;
                for e in entries.iter().filter(|e| !e.company.is_empty()) {
                    tx.state_mut().quarantine(e)?;
                }
            }
        }
        Ok(())
    }

    /// Whether the record was on both sides when the sides last agreed; a copy takes every one for such.
    fn knows(&self, item: &Item) -> bool {
        item.known || self.mode.full
    }

    /// The integration key by which a record's row is looked for: the one it had, if that was another one.
    pub(super) fn found_by(&self, record: &Record<'_>) -> Key {
        record.before_key.as_ref().map_or_else(|| self.ikey_of(record), |before| self.ikey(before))
    }

    /// The row of a record that was on both sides under this key and has another one there, which the opposite leg has
    /// yet to carry. `hit`: what stands under the key there now.
    pub(super) fn moved_there(
        &self,
        tx: &mut dyn Transaction,
        item: &Item,
        key: &[Value],
        hit: &Found,
    ) -> Option<Result<Found>> {
        let pending = self.pending.filter(|_| self.knows(item) && !self.mode.compares)?;
        if let Found::One { key: primary, .. } = hit
            && pending.is_that(self.leg, primary, &self.ikey(key))
        {
            return None;
        }
        let primary = pending.moved(self.leg, &self.ikey(key))?.to_vec();
        let target = self.leg.leg().target;
        let by = &self.engine.maps.stores[target.store].1.get(target.table).primary_key;
        let found = tx.find(target.table, by, &[primary], &self.leg.columns);
        match found.map(|mut f| f.pop()) {
            Ok(Some(row)) => {
                let moved = matches!(&row, Found::One { values, .. } if self.ikey_there(values) != self.ikey(key));
                moved.then_some(Ok(row))
            }
            Ok(None) => None,
            Err(e) => Some(Err(e.into())),
        }
    }

    fn find_one(&self, tx: &mut dyn Transaction, key: Vec<Value>) -> Result<Found> {
        let l = self.leg.leg();
        Ok(tx.find(l.target.table, &l.key, &[key], &self.leg.columns)?.pop().unwrap_or(Found::None))
    }

    /// Values of the integration key as they compare.
    pub(super) fn ikey(&self, values: &[Value]) -> Key {
        Key::new(values.iter().zip(self.leg.key_cells.iter().map(|i| self.leg.cells[*i].collation)))
    }

    /// The integration key of a row that is there, from its cells.
    pub(super) fn ikey_there(&self, cells: &[Value]) -> Key {
        Key::new(self.leg.key_cells.iter().map(|i| (&cells[*i], self.leg.cells[*i].collation)))
    }

    /// A record's integration key, as it compares.
    pub(super) fn ikey_of(&self, record: &Record<'_>) -> Key {
        self.ikey_there(&record.cells)
    }

    #[expect(clippy::too_many_arguments, reason = "one step of `apply`, split off for reading only")]
    fn resolved<'b>(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        i: usize,
        lines: &[Value],
        company: Option<&'b Value>,
        records: &mut Vec<Record<'b>>,
        counts: &mut LegReport,
    ) -> Result<()> {
        let leg = self.leg;
        let schema = self.engine.maps.stores[leg.leg().target.store].1.clone();
        let item = &items[i];
        let word = word(company);
        self.cache.owed.clear();
        let refs = match resolve(leg, &schema, tx, lines, company, false, &mut self.cache)? {
            Ok(refs) => refs,
            Err(u) if u.passing => {
                self.deferred.push(i);
                return Ok(());
            }
            Err(u) => {
                let waits: Vec<Wait> = u.waits;
                return self.failed(tx, item, &word, &u.failure, &waits, counts);
            }
        };
        let cells: Vec<Value> = leg.cells.iter().filter_map(|c| cell_value(c, lines, company, &refs)).collect();
        if cells.len() != leg.cells.len() {
            let f =
                Failure::new(code::KEY, "a reference gave fewer columns than the map writes", "check the map's paths");
            return self.failed(tx, item, &word, &f, &[], counts);
        }
        let before_key = match item.before_in(&word) {
            None => None,
            Some(before) => match resolve(leg, &schema, tx, before, company, true, &mut self.cache)? {
                Ok(refs) => self.key_of(before, company, &refs),
                // What it referred to is gone: it can only be found by the key it has now.
                Err(_) => None,
            },
        };
        if !self.cache.owed.is_empty() {
            self.debts.insert((item.n, word), std::mem::take(&mut self.cache.owed));
        }
        records.push(Record { item: i, company, cells: Cow::Owned(cells), before_key, elsewhere: false, moved: false });
        Ok(())
    }

    /// The target key from line values; none where a part is null.
    pub(super) fn key_of(&self, lines: &[Value], company: Option<&Value>, refs: &[Vec<Value>]) -> Option<Vec<Value>> {
        let cell = |i: &usize| cell_value(&self.leg.cells[*i], lines, company, refs).filter(|v| !v.is_null());
        self.leg.key_cells.iter().map(cell).collect()
    }

    /// What is to be written of a record; what needs no writing is done.
    fn decide(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        found: &Found,
        counts: &mut LegReport,
    ) -> Result<Step> {
        let leg = self.leg;
        let item = &items[record.item];
        let company = word(record.company);
        let ikey = self.ikey_of(record);
        let copies = self.mode.full && !self.mode.compares;
        if copies && self.is_held_anywhere(item, &ikey) && !mutant!("copy-decides-held") {
            // A copy decides no conflict that waits for a person.
            counts.unchanged += 1;
            return Ok(Step::Done);
        }
        if !self.seen.insert(&ikey) && !self.mode.last_try {
            // Written in this very transaction by another record: two records would take turns for ever.
            let f = self.blame_key(Failure::new(
                code::KEY,
                "another record has the same key",
                "make the key unique at the source, or let the filter keep one of them back",
            ));
            self.failed(tx, item, &company, &f, &[], counts)?;
            return Ok(Step::Done);
        }
        let (key, values) = match found {
            Found::None
                if self.mode.compares
                    && !mutant!("recover-makes-rows")
                    && (self.engine.opposite(leg).is_some() || !leg.leg().operations.create) =>
            {
                self.compared.alone(|| super::message::record(&self.engine.maps, leg, &item.key));
                counts.unchanged += 1;
                return Ok(Step::Done);
            }
            Found::None => {
                let was = self.found_by(record);
                let rekeyed = was != ikey;
                // One that came under the key of a row that is gone there is another record.
                if let Some(gone) = self.pending.filter(|_| self.knows(item)).and_then(|p| p.gone(&was)) {
                    let changed = |number| rekeyed || record.elsewhere || self.line_changed(item, number);
                    if !(0..leg.map.two_way).any(changed) {
                        // Deleted there, untouched here: the other leg's affair.
                        self.wake_gone(tx, &was)?;
                        counts.unchanged += 1;
                        self.solved(tx, item, &company)?;
                        return Ok(Step::Done);
                    }
                    let verdict = self.whole(item);
                    if rekeyed && verdict == Verdict::Target {
                        self.yielded.push(record.item);
                        return Ok(Step::Done);
                    }
                    self.note(tx, item, &gone, Some(&record.cells), None, &[], verdict)?;
                    match verdict {
                        Verdict::Source => {}
                        Verdict::Target => {
                            counts.unchanged += 1;
                            self.solved(tx, item, &company)?;
                            return Ok(Step::Done);
                        }
                        Verdict::Hold => {
                            self.hold(tx, item, &company, &[], counts)?;
                            return Ok(Step::Done);
                        }
                    }
                } else if self.resolution(item).is_some() && self.whole(item) == Verdict::Target {
                    counts.unchanged += 1;
                    self.solved(tx, item, &company)?;
                    return Ok(Step::Done);
                }
                if leg.leg().operations.create {
                    return Ok(Step::Create);
                }
                counts.unchanged += 1;
                self.outcomes.push((item.n, false));
                self.solved(tx, item, &company)?;
                return Ok(Step::Done);
            }
            Found::Many => {
                let f = self.blame_key(Failure::new(
                    code::KEY,
                    "more than one row has this key",
                    "the map's key must be unique in the target; correct the data or the key",
                ));
                self.failed(tx, item, &company, &f, &[], counts)?;
                return Ok(Step::Done);
            }
            Found::One { key, values, .. } => (key, values),
        };
        if self.mode.compares {
            self.compared.met.insert(&leg.target_key(key));
        }
        let decision = self.decision(item, record, key, values);
        if let Some(d) = &decision
            && !d.conflicts.is_empty()
        {
            let there = self.pending.and_then(|p| p.of(key, &self.ikey_there(values))).unwrap_or_default();
            let verdict = if d.hold { Verdict::Hold } else { self.whole(item) };
            // Both directions of a comparison meet it; one writes it down.
            if !self.mode.compares || verdict == Verdict::Source || (verdict == Verdict::Hold && !self.mode.yields) {
                self.note(tx, item, &there, Some(&record.cells), Some(values), &d.conflicts, verdict)?;
                self.compared.conflicts += 1;
            }
            if d.hold {
                // Nor is the row that of one whose delete is yet to come.
                if !mutant!("held-holds-no-row") {
                    self.claim(tx, item, &self.ikey_there(values))?;
                }
                self.hold(tx, item, &company, &d.conflicts, counts)?;
                return Ok(Step::Done);
            }
        }
        let there = self.ikey_there(values);
        let mut keeps_key = record.moved && there != ikey;
        if keeps_key && self.found_by(record) != ikey {
            // Both sides gave it another key.
            let verdict = self.whole(item);
            let pending = self.pending.and_then(|p| p.of(key, &there)).unwrap_or_default();
            self.note(tx, item, &pending, Some(&record.cells), Some(values), &[], verdict)?;
            match verdict {
                Verdict::Source => keeps_key = false,
                Verdict::Target => {}
                Verdict::Hold => {
                    self.hold(tx, item, &company, &[], counts)?;
                    return Ok(Step::Done);
                }
            }
        }
        let mut columns: Vec<ColumnId> = Vec::new();
        let mut new: Vec<Value> = Vec::new();
        let mut rekeyed = false;
        for (i, cell) in leg.cells.iter().enumerate() {
            let (now, there) = (&record.cells[i], &values[i]);
            if now == there && !mutant!("writes-what-is-there") {
                continue;
            }
            if cell.key {
                if keeps_key || cell.collation.fold(now) == cell.collation.fold(there) {
                    continue;
                }
                rekeyed |= cell.once;
            } else if cell.once && !mutant!("once-is-always") {
                continue;
            }
            if let Some((number, exact)) = cell.two_way {
                let skipped = decision.as_ref().is_some_and(|d| d.skip.contains(&number));
                let forced = decision.as_ref().is_some_and(|d| d.force.contains(&number));
                let untouched = !exact && !self.mode.full && !forced && !self.line_changed(item, number);
                if skipped || (self.mode.yields && !self.mode.compares) || untouched {
                    continue;
                }
            }
            columns.push(cell.column);
            new.push(now.clone());
        }
        let kept = keeps_key.then_some(there);
        if columns.is_empty() || !leg.leg().operations.update {
            self.claim_of(tx, item, record, kept.as_ref())?;
            if kept.is_some() {
                self.tell_key(tx, key, &record.cells)?;
            }
            self.wake(tx, key, values)?;
            self.meet(tx, key, values)?;
            counts.unchanged += 1;
            self.outcomes.push((item.n, false));
            self.solved(tx, item, &company)?;
            return Ok(Step::Done);
        }
        if rekeyed {
            let f = self.blame_key(Failure::new(
                code::OPERATION,
                "the key changed, and its columns are written on create only",
                "delete the row on the other side, then `tablemap errors retry`",
            ));
            self.failed(tx, item, &company, &f, &[], counts)?;
            return Ok(Step::Done);
        }
        let settles = kept.is_none() && decision.as_ref().is_none_or(|d| d.settles);
        Ok(Step::Update { key: key.clone(), there: values.clone(), columns, new, settles, kept })
    }

    /// Marks the write; false if the record goes in a circle and was quarantined instead.
    pub(super) fn mark(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        settles: bool,
        company: &str,
        counts: &mut LegReport,
    ) -> Result<bool> {
        let leg = self.leg;
        if item.path.is_empty() || mutant!("path-not-carried") {
            tx.writing(&leg.name, settles, &leg.name)?;
            return Ok(true);
        }
        let turns = item.path.split(' ').filter(|l| *l == leg.name).count();
        if turns >= 2 {
            let mut f = Failure::new(
                code::CIRCLE,
                format!("this change came back a third time: {}", item.path.replace(' ', " → ")),
                "the maps on this path feed each other; change one of them, then `tablemap errors retry`",
            );
            f.kind = QuarantineKind::Circle;
            self.failed(tx, item, company, &f, &[], counts)?;
            return Ok(false);
        }
        tx.writing(&leg.name, settles, &format!("{} {}", item.path, leg.name))?;
        Ok(true)
    }

    pub(super) fn primary_key(&self, cells: &[Value]) -> Option<Vec<Value>> {
        let target = self.leg.leg().target;
        let table = self.engine.maps.stores[target.store].1.get(target.table);
        let value = |c: &ColumnId| self.leg.columns.iter().position(|k| k == c).map(|i| cells[i].clone());
        table.primary_key.iter().map(value).collect()
    }

    /// Notes a written row, under the primary key it has now.
    pub(super) fn own(&mut self, key: &[Value], columns: &[ColumnId], new: &[Value]) {
        if !self.tracks {
            return;
        }
        let target = self.leg.leg().target;
        let table = self.engine.maps.stores[target.store].1.get(target.table);
        let now: Vec<Value> = table
            .primary_key
            .iter()
            .zip(key)
            .map(|(c, old)| columns.iter().position(|k| k == c).map_or(old, |i| &new[i]).clone())
            .collect();
        self.written.add(self.leg, &now);
    }
}

/// A company's code as state tables hold it; empty where there is none.
pub(super) fn word(company: Option<&Value>) -> String {
    match company {
        None => String::new(),
        Some(Value::Text(code)) => code.to_string(),
        Some(other) => other.to_string(),
    }
}

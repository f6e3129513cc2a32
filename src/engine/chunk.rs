//! APPLY of the protocol: one chunk of records of one leg, in one target transaction.

use super::apply::{Failure, code};
use super::conflict::{Decision, LineState, Pending, PendingTarget, decide};
use super::message;
use super::references::{Cache, cell_value, resolve};
use super::report::LegReport;
use super::runtime::{CellFrom, Engine, LegRt, Result};
use crate::schema::ColumnId;
use crate::sema::Company;
use crate::store::{Found, QuarantineKind, Quarantined, RecordError, RecordErrorKind, Transaction, Wait};
use crate::syntax::ast::{Conflict, Side};
use crate::value::{Key, Value};
use std::borrow::Cow;
use std::collections::{HashMap, HashSet, VecDeque};
use std::time::Duration;

/// A source record on its way.
#[derive(Debug)]
pub(super) struct Item {
    /// Its primary key.
    pub key: Vec<Value>,
    /// What the leg makes of it.
    pub what: What,
    /// The values of the key lines before the change, where they may differ from now.
    pub before: Option<Vec<Value>>,
    /// Values of two-way inputs before the first unconsumed change; none = unknown.
    pub base: Option<HashMap<ColumnId, Value>>,
    /// Values of the source's own columns now, for comparing with the base (two-way legs only).
    pub now: HashMap<ColumnId, Value>,
    /// The legs that led to it.
    pub path: String,
    /// Its place among the records evaluated with it.
    pub n: usize,
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
    /// A full sync: lossy two-way lines are written too.
    pub full: bool,
}

/// What is left to do of a chunk.
#[derive(Debug, Default)]
pub(super) struct Left {
    /// Indexes of items to try again after the cycle's deletes.
    pub retry: Vec<usize>,
}

/// The outcomes of the last records of a leg, for R12.
#[derive(Clone, Debug, Default)]
pub(super) struct Window {
    last: VecDeque<bool>,
    seen: u64,
}

impl Window {
    fn push(&mut self, failed: bool, size: usize) {
        self.seen += 1;
        self.last.push_back(failed);
        if self.last.len() > size {
            self.last.pop_front();
        }
    }
    fn too_many(&self, size: usize, percent: usize) -> bool {
        let failed = self.last.iter().filter(|f| **f).count();
        self.seen >= size as u64 && failed * 100 >= percent * size
    }
}

/// What a chunk needs to know beside its items.
pub(super) struct Chunk<'a> {
    pub engine: &'a Engine,
    pub leg: &'a LegRt,
    pub mode: Mode,
    pub pending: Option<&'a PendingTarget>,
    /// Whether the leg has anything in quarantine, so that solved entries must be looked for.
    pub has_quarantine: bool,
    pub cache: Cache,
    /// Primary keys written in this transaction (R3).
    pub written: HashSet<Key>,
    /// Integration keys written in this transaction.
    seen: HashSet<Key>,
    pub window: Window,
    /// Outcomes of the items at hand, by their number: written out of order, counted in order.
    outcomes: Vec<(usize, bool)>,
    /// Whole sentences of the first failures, for the run record.
    pub samples: Vec<String>,
    tracks: bool,
}

/// One target row to be.
struct Record<'a> {
    item: usize,
    company: Option<&'a Value>,
    cells: Cow<'a, [Value]>,
    before_key: Option<Vec<Value>>,
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
            cache: Cache::new(),
            written: HashSet::new(),
            seen: HashSet::new(),
            window,
            outcomes: vec![],
            samples: vec![],
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
        let left = self.apply_all(tx, items, values, counts)?;
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
        let mut records: Vec<Record> = Vec::with_capacity(items.len());
        for (i, item) in items.iter().enumerate() {
            match &item.what {
                What::FilteredOut => {
                    counts.filtered_out += 1;
                    self.solved(tx, item, "")?;
                }
                What::Failed(f) => self.failed(tx, item, "", f, &[], counts)?,
                What::Delete => {
                    if companies.is_empty() {
                        self.delete(tx, item, None, counts)?;
                    } else {
                        for c in &companies {
                            self.delete(tx, item, Some(c), counts)?;
                        }
                    }
                }
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
                        records.push(Record { item: i, company: None, cells, before_key });
                    } else if companies.is_empty() {
                        self.resolved(tx, items, i, lines, None, &mut records, counts)?;
                    } else {
                        for c in &companies {
                            self.resolved(tx, items, i, lines, Some(c), &mut records, counts)?;
                        }
                    }
                }
            }
        }
        if self.mode.bulk {
            for record in &records {
                self.create(tx, items, record, counts, &mut left)?;
            }
            return Ok(left);
        }
        let keys: Vec<Vec<Value>> = records
            .iter()
            .map(|r| match &r.before_key {
                Some(k) => k.clone(),
                None => leg.key_cells.iter().map(|i| r.cells[*i].clone()).collect(),
            })
            .collect();
        let mut found = tx.find(leg.leg().target.table, &leg.leg().key, &keys, &leg.columns)?;
        for ((record, hit), key) in records.iter().zip(&mut found).zip(&keys) {
            // Not there under the key it had: it may be there under the key it has.
            if matches!(hit, Found::None) && record.before_key.is_some() {
                let now: Vec<Value> = leg.key_cells.iter().map(|i| record.cells[*i].clone()).collect();
                if now != *key
                    && let Some(f) = tx.find(leg.leg().target.table, &leg.leg().key, &[now], &leg.columns)?.pop()
                {
                    *hit = f;
                }
            }
            self.write(tx, items, record, hit, counts, &mut left)?;
        }
        Ok(left)
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
        let word = company.map(|c| c.to_string()).unwrap_or_default();
        let refs = match resolve(leg, &schema, tx, lines, company, false, &mut self.cache)? {
            Ok(refs) => refs,
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
        let before_key = match &item.before {
            None => None,
            Some(before) => match resolve(leg, &schema, tx, before, company, true, &mut self.cache)? {
                Ok(refs) => self.key_of(before, company, &refs),
                // What it referred to is gone: it can only be found by the key it has now.
                Err(_) => None,
            },
        };
        records.push(Record { item: i, company, cells: Cow::Owned(cells), before_key });
        Ok(())
    }

    /// The target key from line values; none where a part is null.
    fn key_of(&self, lines: &[Value], company: Option<&Value>, refs: &[Vec<Value>]) -> Option<Vec<Value>> {
        let cell = |i: &usize| cell_value(&self.leg.cells[*i], lines, company, refs).filter(|v| !v.is_null());
        self.leg.key_cells.iter().map(cell).collect()
    }

    fn write(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        found: &Found,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let leg = self.leg;
        let item = &items[record.item];
        let company = record.company.map(|c| c.to_string()).unwrap_or_default();
        let ikey = Key::new(leg.key_cells.iter().map(|i| (&record.cells[*i], leg.cells[*i].collation)));
        if !self.seen.insert(ikey.clone()) && !self.mode.last_try {
            // Written in this very transaction by another record: two records would take turns for ever.
            let f = self.blame_key(Failure::new(
                code::KEY,
                "another record has the same key",
                "make the key unique at the source, or let the filter keep one of them back",
            ));
            return self.failed(tx, item, &company, &f, &[], counts);
        }
        let (key, values) = match found {
            Found::None => {
                if let Some(gone) = self.pending.and_then(|p| p.gone.get(&ikey)) {
                    let (gone, wins) = (gone.clone(), self.source_wins());
                    self.log_conflict(tx, item, &gone, record, if wins { "source wins" } else { "target wins" })?;
                    if !wins {
                        counts.unchanged += 1;
                        return self.solved(tx, item, &company);
                    }
                }
                return self.create(tx, items, record, counts, left);
            }
            Found::Many => {
                let f = self.blame_key(Failure::new(
                    code::KEY,
                    "more than one row has this key",
                    "the map's key must be unique in the target; correct the data or the key",
                ));
                return self.failed(tx, item, &company, &f, &[], counts);
            }
            Found::One { key, values, .. } => (key, values),
        };
        let decision = self.decision(item, record, key, values);
        if let Some(d) = &decision {
            if d.hold {
                let mut f = Failure::new(
                    code::CONFLICT,
                    "it changed on both sides since they last agreed",
                    "decide which side is right and `tablemap errors retry`",
                );
                f.kind = QuarantineKind::Held;
                return self.failed(tx, item, &company, &f, &[], counts);
            }
            if !d.conflicts.is_empty() {
                let there = Pending::default();
                self.log_conflict(tx, item, &there, record, d.outcome)?;
            }
        }
        let mut columns: Vec<ColumnId> = Vec::new();
        let mut new: Vec<Value> = Vec::new();
        let mut rekeyed = false;
        for (i, cell) in leg.cells.iter().enumerate() {
            let (now, there) = (&record.cells[i], &values[i]);
            if now == there {
                continue;
            }
            if cell.key {
                if cell.collation.fold(now) == cell.collation.fold(there) {
                    continue;
                }
                rekeyed |= cell.once;
            } else if cell.once {
                continue;
            }
            if let Some((number, exact)) = cell.two_way {
                let skipped = decision.as_ref().is_some_and(|d| d.skip.contains(&number));
                let untouched = !exact && !self.mode.full && !self.line_changed(item, number);
                if skipped || self.mode.yields || untouched {
                    continue;
                }
            }
            columns.push(cell.column);
            new.push(now.clone());
        }
        if columns.is_empty() || !leg.leg().operations.update {
            counts.unchanged += 1;
            self.outcomes.push((item.n, false));
            return self.solved(tx, item, &company);
        }
        if rekeyed {
            let f = self.blame_key(Failure::new(
                code::OPERATION,
                "the key changed, and its columns are written on create only",
                "delete the row on the other side, then `tablemap errors retry`",
            ));
            return self.failed(tx, item, &company, &f, &[], counts);
        }
        let settles = decision.as_ref().is_none_or(|d| d.settles);
        if !self.mark(tx, item, settles, &company, counts)? {
            return Ok(());
        }
        match tx.update(leg.leg().target.table, key, &columns, &new)? {
            Ok(()) => {
                counts.updated += 1;
                self.own(key, &columns, &new);
                self.outcomes.push((item.n, false));
                self.solved(tx, item, &company)
            }
            Err(e) => self.refused(tx, items, record, e, counts, left),
        }
    }

    fn create(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let leg = self.leg;
        let item = &items[record.item];
        let company = record.company.map(|c| c.to_string()).unwrap_or_default();
        if !leg.leg().operations.create {
            counts.unchanged += 1;
            self.outcomes.push((item.n, false));
            return self.solved(tx, item, &company);
        }
        if !self.mark(tx, item, true, &company, counts)? {
            return Ok(());
        }
        match tx.insert(leg.leg().target.table, &leg.columns, &record.cells)? {
            Ok(key) => {
                counts.created += 1;
                if self.tracks {
                    let key = key.or_else(|| self.primary_key(&record.cells));
                    if let Some(key) = key {
                        self.written.insert(leg.target_key(&key));
                    }
                }
                self.outcomes.push((item.n, false));
                self.solved(tx, item, &company)
            }
            Err(e) => self.refused(tx, items, record, e, counts, left),
        }
    }

    fn delete(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        company: Option<&Value>,
        counts: &mut LegReport,
    ) -> Result<()> {
        let leg = self.leg;
        let word = company.map(|c| c.to_string()).unwrap_or_default();
        let schema = self.engine.maps.stores[leg.leg().target.store].1.clone();
        let key = match &item.before {
            None => None,
            Some(before) => match resolve(leg, &schema, tx, before, company, true, &mut self.cache)? {
                Ok(refs) => self.key_of(before, company, &refs),
                Err(_) => None,
            },
        };
        let Some(key) = key else {
            // Never applied under any key: there is nothing to delete.
            counts.unchanged += 1;
            return self.solved(tx, item, &word);
        };
        let found = tx.find(leg.leg().target.table, &leg.leg().key, std::slice::from_ref(&key), &leg.columns)?.pop();
        let Some(Found::One { key: primary, .. }) = found else {
            counts.unchanged += 1;
            return self.solved(tx, item, &word);
        };
        let changed_there = self.pending.and_then(|p| p.by_key.get(&leg.target_key(&primary))).cloned();
        if leg.map.two_way > 0
            && let Some(there) = changed_there
        {
            let wins = self.source_wins();
            let record = Record { item: 0, company: None, cells: Cow::Owned(vec![]), before_key: Some(key) };
            self.log_conflict(tx, item, &there, &record, if wins { "source wins" } else { "target wins" })?;
            if !wins {
                counts.unchanged += 1;
                return self.solved(tx, item, &word);
            }
        }
        if !self.mark(tx, item, true, &word, counts)? {
            return Ok(());
        }
        match tx.delete(leg.leg().target.table, &primary)? {
            Ok(()) => {
                counts.deleted += 1;
                if self.tracks {
                    self.written.insert(leg.target_key(&primary));
                }
                self.outcomes.push((item.n, false));
                self.solved(tx, item, &word)
            }
            Err(e) => {
                let f = self.store_failure(&e);
                self.failed(tx, item, &word, &f, &[], counts)
            }
        }
    }

    /// Marks the write; false if the record goes in a circle and was quarantined instead.
    fn mark(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        settles: bool,
        company: &str,
        counts: &mut LegReport,
    ) -> Result<bool> {
        let leg = self.leg;
        if item.path.is_empty() {
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

    fn decision(&self, item: &Item, record: &Record<'_>, key: &[Value], there: &[Value]) -> Option<Decision> {
        let leg = self.leg;
        if leg.map.two_way == 0 || self.mode.yields {
            return None;
        }
        let pending = self.pending?.by_key.get(&leg.target_key(key))?;
        let lines: Vec<LineState> = (0..leg.map.two_way)
            .map(|number| {
                let cells: Vec<usize> =
                    (0..leg.cells.len()).filter(|i| leg.cells[*i].two_way.is_some_and(|(n, _)| n == number)).collect();
                LineState {
                    number,
                    changed_here: self.line_changed(item, number),
                    changed_there: pending.inserted
                        || cells
                            .iter()
                            .any(|i| pending.base.get(&leg.cells[*i].column).is_none_or(|b| *b != there[*i])),
                    equal: cells.iter().all(|i| record.cells[*i] == there[*i]),
                }
            })
            .collect();
        Some(decide(leg.map.conflict, self.source_wins(), &lines))
    }

    /// Whether the inputs of a two-way line changed at the source; where the base is unknown, yes.
    fn line_changed(&self, item: &Item, number: usize) -> bool {
        let Some(base) = &item.base else { return true };
        let Some(line) = self.leg.leg().lines.iter().find(|l| l.two_way == Some(number)) else { return false };
        line.inputs.iter().any(|c| match (base.get(c), item.now.get(c)) {
            (Some(b), Some(n)) => b != n,
            _ => true,
        })
    }

    fn source_wins(&self) -> bool {
        let source: Side = self.leg.into.other();
        matches!(self.leg.map.conflict, Some(Conflict::Wins(s) | Conflict::MergeElse(s)) if s == source)
    }

    fn log_conflict(
        &mut self,
        tx: &mut dyn Transaction,
        item: &Item,
        there: &Pending,
        record: &Record<'_>,
        outcome: &str,
    ) -> Result<()> {
        let leg = self.leg;
        let (source, target) = (leg.leg().source, leg.leg().target);
        let source_table = self.engine.maps.stores[source.store].1.get(source.table);
        let target_table = self.engine.maps.stores[target.store].1.get(target.table);
        let json = |pairs: Vec<(String, String)>| {
            let map: serde_json::Map<String, serde_json::Value> =
                pairs.into_iter().map(|(k, v)| (k, serde_json::Value::String(v))).collect();
            serde_json::Value::Object(map).to_string()
        };
        let of_source = |m: &HashMap<ColumnId, Value>| {
            let mut pairs: Vec<(String, String)> =
                m.iter().map(|(c, v)| (source_table.column(*c).name.clone(), v.to_string())).collect();
            pairs.sort();
            json(pairs)
        };
        let base = item.base.as_ref().map(of_source).unwrap_or_default();
        let here = of_source(&item.now);
        let mut pairs: Vec<(String, String)> =
            there.base.iter().map(|(c, v)| (target_table.column(*c).name.clone(), v.to_string())).collect();
        pairs.extend(
            leg.columns
                .iter()
                .zip(record.cells.iter())
                .map(|(c, v)| (format!("{} (ours)", target_table.column(*c).name), v.to_string())),
        );
        pairs.sort();
        let there = json(pairs);
        let (left, right) = if leg.into == Side::Left { (there, here) } else { (here, there) };
        let key = leg.source_key(&item.key).to_text();
        Ok(tx.state_mut().put_conflict(&leg.name, &key, &base, &left, &right, outcome)?)
    }

    fn primary_key(&self, cells: &[Value]) -> Option<Vec<Value>> {
        let target = self.leg.leg().target;
        let table = self.engine.maps.stores[target.store].1.get(target.table);
        let value = |c: &ColumnId| self.leg.columns.iter().position(|k| k == c).map(|i| cells[i].clone());
        table.primary_key.iter().map(value).collect()
    }

    /// Notes a written row, under the primary key it had and the one it has.
    fn own(&mut self, key: &[Value], columns: &[ColumnId], new: &[Value]) {
        if !self.tracks {
            return;
        }
        self.written.insert(self.leg.target_key(key));
        let target = self.leg.leg().target;
        let table = self.engine.maps.stores[target.store].1.get(target.table);
        let now: Vec<Value> = table
            .primary_key
            .iter()
            .zip(key)
            .map(|(c, old)| columns.iter().position(|k| k == c).map_or(old, |i| &new[i]).clone())
            .collect();
        self.written.insert(self.leg.target_key(&now));
    }

    fn refused(
        &mut self,
        tx: &mut dyn Transaction,
        items: &[Item],
        record: &Record<'_>,
        e: RecordError,
        counts: &mut LegReport,
        left: &mut Left,
    ) -> Result<()> {
        let item = &items[record.item];
        if e.kind == RecordErrorKind::Unique && !self.mode.last_try && !self.mode.bulk {
            left.retry.push(record.item);
            return Ok(());
        }
        let f = self.store_failure(&e);
        let company = record.company.map(|c| c.to_string()).unwrap_or_default();
        self.failed(tx, item, &company, &f, &[], counts)
    }

    fn store_failure(&self, e: &RecordError) -> Failure {
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

    fn blame_key(&self, f: Failure) -> Failure {
        match self.leg.key_cells.first().and_then(|i| self.leg.cells[*i].line) {
            Some(line) => f.at_line(self.leg.leg(), line),
            None => f,
        }
    }

    /// A record that was applied leaves the quarantine.
    fn solved(&mut self, tx: &mut dyn Transaction, item: &Item, company: &str) -> Result<()> {
        if self.has_quarantine {
            tx.state_mut().release(&self.leg.name, &self.leg.source_key(&item.key).to_text(), company)?;
        }
        Ok(())
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
            QuarantineKind::Failed if may_pass => {
                env.later(Duration::from_secs(5u64.saturating_mul(1 << tries.min(9)).min(3600)))
            }
            _ => String::new(),
        };
        match f.kind {
            QuarantineKind::Parked => counts.parked += 1,
            _ => counts.quarantined += 1,
        }
        self.outcomes.push((item.n, f.kind == QuarantineKind::Failed));
        if self.samples.len() < 20 && f.kind == QuarantineKind::Failed {
            self.samples.push(message.clone());
        }
        let base = match (leg.map.two_way > 0, &item.base) {
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
            message,
            base,
            old_ikey: match &item.before {
                Some(before) => Key(before.clone().into_boxed_slice()).to_text(),
                None => String::new(),
            },
            tries,
            next_try,
            since: env.now(),
        };
        tx.state_mut().quarantine(&entry)?;
        let waits: Vec<Wait> = waits.iter().map(|w| Wait { key: key.clone(), ..w.clone() }).collect();
        tx.state_mut().put_waits(&leg.name, &key, &waits)?;
        self.has_quarantine = true;
        Ok(())
    }

    /// Whether the leg must stop itself (R12): the batch is then rolled back by the caller.
    pub fn must_stop(&self, tx: &mut dyn Transaction) -> Result<Option<String>> {
        let limits = &self.engine.limits;
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

//! The log folded by record: first old values, last number, longest path; and what looked-up rows changed.

use super::runtime::LegRt;
use crate::schema::ColumnId;
use crate::store::{Change, Misfit, Op, Position};
use crate::value::{Key, Value};
use std::collections::HashMap;

/// What is to be done for one source record.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Its primary key now.
    pub key: Vec<Value>,
    /// Its primary key before, where it changed.
    pub old_key: Option<Vec<Value>>,
    /// Number of the first log row folded in; `i64::MAX` where there is none (retries, dependents).
    pub first: i64,
    /// Number of the last.
    pub last: i64,
    /// Values before the first change, where the log holds them.
    pub old: HashMap<ColumnId, Value>,
    /// Whether those before values may be trusted for two-way lines: the record was changed, not inserted.
    pub based: bool,
    /// Nothing of the record itself changed: something it looks up did.
    pub dependent: bool,
    /// Cells of the source row before the change of something it looks up.
    pub cells_before: Vec<(usize, Value)>,
    /// The longest path that led to it.
    pub path: String,
    /// Its key does not fit the schema.
    pub misfit: Option<Misfit>,
    /// The values of the key lines that its target row still has, where an earlier change of the key waits in quarantine.
    pub ikey_before: Option<Vec<Value>>,
    /// Texts of primary keys under which it waits in quarantine and which it does not have any more.
    pub was: Vec<String>,
}

impl Work {
    pub fn of(key: Vec<Value>) -> Work {
        Work {
            key,
            old_key: None,
            first: i64::MAX,
            last: 0,
            old: HashMap::new(),
            based: false,
            dependent: false,
            cells_before: vec![],
            path: String::new(),
            misfit: None,
            ikey_before: None,
            was: vec![],
        }
    }
}

/// A change of a row that is looked up.
#[derive(Clone, Debug)]
pub(super) struct LookedUp {
    /// The join that reaches it.
    pub join: usize,
    /// The row's primary key, to read its referred-to columns now.
    pub key: Vec<Value>,
    /// Values of its referred-to columns before, where known.
    pub before: Option<Vec<Value>>,
    /// Other values before, by column.
    pub old: Vec<(ColumnId, Value)>,
    /// The path that led to it.
    pub path: String,
}

/// A folded stretch of the log.
#[derive(Debug, Default)]
pub(super) struct Folded {
    /// Work by record, in the order of first log rows.
    pub works: Vec<Work>,
    index: HashMap<Key, usize>,
    /// Looked-up rows that changed.
    pub looked_up: Vec<LookedUp>,
}

/// What initial sync and earlier cycles already cover.
#[derive(Debug, Default)]
pub(super) struct Covered {
    /// By key text: up to which log number.
    pub ahead: HashMap<String, i64>,
    /// Up to which log number initial sync saw every record.
    pub ledger: i64,
}

impl Covered {
    fn covers(&self, key: &Key, seq: i64) -> bool {
        seq <= self.ledger || (!self.ahead.is_empty() && self.ahead.get(&key.to_text()).is_some_and(|t| seq <= *t))
    }
}

impl Folded {
    /// The work of a record, made where there is none.
    pub fn work(&mut self, leg: &LegRt, key: &[Value]) -> &mut Work {
        let id = leg.source_key(key);
        let i = *self.index.entry(id).or_insert_with(|| {
            self.works.push(Work::of(key.to_vec()));
            self.works.len() - 1
        });
        &mut self.works[i]
    }

    /// Folds log rows in.
    pub fn add(&mut self, leg: &LegRt, opposite: &str, changes: Vec<Change>, covered: &Covered) {
        let l = leg.leg();
        let same_table = l.source == l.target;
        for c in changes {
            if c.op != Op::Touch {
                self.add_looked_up(leg, &c);
            }
            if c.table != l.source.table {
                continue;
            }
            let own = c.origin.as_deref() == Some(opposite) || (same_table && c.origin.as_deref() == Some(&leg.name));
            let key = match &c.key {
                Ok(key) => key.clone(),
                Err(m) => {
                    let mut w = Work::of(vec![Value::text(&m.key)]);
                    (w.first, w.last, w.misfit) = (c.seq, c.seq, Some(m.clone()));
                    self.works.push(w);
                    continue;
                }
            };
            let id = leg.source_key(&key);
            if own {
                if c.settles
                    && let Some(i) = self.index.remove(&id)
                {
                    // Settled: what came before is done for this leg. The slot stays, so that indexes do.
                    self.works[i].first = i64::MAX;
                    self.works[i].last = -1;
                }
                continue;
            }
            if covered.covers(&id, c.seq) {
                continue;
            }
            let moved = c.old_key.as_ref().filter(|from| leg.source_key(from) != id);
            if let Some(from) = moved
                && !self.moved(leg, from, &key, &c)
            {
                continue;
            }
            let w = self.work(leg, &key);
            let fresh = w.last == 0;
            w.first = w.first.min(c.seq);
            w.last = c.seq;
            for (column, value) in c.old {
                w.old.entry(column).or_insert(value);
            }
            if fresh {
                w.based = c.op != Op::Insert;
            }
            if let Some(old_key) = c.old_key
                && w.old_key.is_none()
            {
                w.old_key = Some(old_key);
            }
            if c.path.len() > w.path.len() {
                w.path = c.path;
            }
        }
        self.works.retain(|w| w.last >= 0);
        self.index = self.works.iter().enumerate().map(|(i, w)| (leg.source_key(&w.key), i)).collect();
        self.exchanged(leg);
    }

    /// A record got another primary key: its work goes with it. Where another record had that key before (and is gone),
    /// the row of that one takes the values and the record's old row goes; then all is done here, and the answer is no.
    fn moved(&mut self, leg: &LegRt, from: &[Value], to: &[Value], c: &Change) -> bool {
        let (from_id, id) = (leg.source_key(from), leg.source_key(to));
        if self.index.contains_key(&id) {
            for key in [from, to] {
                let w = self.work(leg, key);
                let fresh = w.last == 0;
                (w.first, w.last) = (w.first.min(c.seq), c.seq);
                if key == from {
                    for (column, value) in &c.old {
                        w.old.entry(*column).or_insert_with(|| value.clone());
                    }
                    w.based |= fresh;
                }
            }
            return false;
        }
        if let Some(i) = self.index.remove(&from_id) {
            let w = &mut self.works[i];
            let before = w.old_key.take().unwrap_or_else(|| w.key.clone());
            w.old_key = (leg.source_key(&before) != id).then_some(before);
            w.key = to.to_vec();
            self.index.insert(id, i);
        }
        true
    }

    /// Records that exchanged their primary keys among themselves: none of their rows could take its new key first. Each
    /// row keeps its key and takes the values of the record that has it now.
    fn exchanged(&mut self, leg: &LegRt) {
        let before = |w: &Work| w.old_key.as_ref().and_then(|k| self.index.get(&leg.source_key(k)).copied());
        let next: Vec<Option<usize>> = self.works.iter().map(before).collect();
        let mut looked = vec![0usize; next.len()];
        for start in 0..next.len() {
            let mut at = start;
            while looked[at] == 0 {
                looked[at] = start + 1;
                match next[at] {
                    Some(n) => at = n,
                    None => break,
                }
            }
            if next[at].is_none() || looked[at] != start + 1 {
                continue;
            }
            // `at` is in a circle that this walk found.
            let first = at;
            loop {
                let w = &mut self.works[at];
                (w.old_key, w.based) = (None, false);
                w.old.clear();
                match next[at] {
                    Some(n) if n != first => at = n,
                    _ => break,
                }
            }
        }
    }

    fn add_looked_up(&mut self, leg: &LegRt, c: &Change) {
        let Ok(key) = &c.key else { return };
        for (j, join) in leg.leg().read.joins.iter().enumerate() {
            if join.table != c.table {
                continue;
            }
            let old = |column: &ColumnId| c.old.iter().find(|(o, _)| o == column).map(|(_, v)| v.clone());
            let before: Option<Vec<Value>> = match c.op {
                Op::Insert => None,
                _ => join.key.iter().map(old).collect(),
            };
            self.looked_up.push(LookedUp {
                join: j,
                key: c.old_key.clone().filter(|_| c.op == Op::Delete).unwrap_or_else(|| key.clone()),
                before,
                old: c.old.clone(),
                path: c.path.clone(),
            });
        }
    }
}

/// The number in a position.
pub(super) fn number(position: &Position) -> i64 {
    position.0.parse().unwrap_or(0)
}

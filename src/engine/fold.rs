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
    /// What waits under its key belongs to another record, which had that key before.
    pub renewed: bool,
    /// Another record has the primary key that this one had.
    pub left: bool,
    /// The longest path that led to it.
    pub path: String,
    /// Its key does not fit the schema.
    pub misfit: Option<Misfit>,
    /// The row is gone, and another one has taken its primary key since.
    pub displaced: bool,
    /// It was deleted, and a row came under the same primary key.
    pub reborn: bool,
    /// Its last log row is a delete.
    pub deleted: bool,
    /// Another work has the same primary key: neither may be noted as ahead by it.
    pub shared: bool,
    /// By company, the key lines' values under which it was last applied, where an earlier change of its key is still
    /// open.
    pub before: Vec<(String, Vec<Value>)>,
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
            renewed: false,
            left: false,
            path: String::new(),
            misfit: None,
            displaced: false,
            reborn: false,
            deleted: false,
            shared: false,
            before: vec![],
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
    /// Its primary key before.
    pub was: Vec<Value>,
    /// Values of its referred-to columns before; none = it was inserted.
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
    /// Records that the opposite leg deleted.
    pub undone: Vec<Vec<Value>>,
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
                match (&c.old_key, c.settles) {
                    (Some(old_key), true) => self.settle(&leg.source_key(old_key)),
                    (Some(old_key), false) => self.rename(leg, old_key, &key),
                    (None, _) => {}
                }
                if c.settles {
                    self.settle(&id);
                }
                if c.op == Op::Delete {
                    self.undone.push(key);
                }
                continue;
            }
            if covered.covers(&id, c.seq) {
                continue;
            }
            if let Some(old_key) = &c.old_key {
                self.rename(leg, old_key, &key);
            }
            let w = self.work(leg, &key);
            let fresh = w.last == 0;
            w.first = w.first.min(c.seq);
            w.last = c.seq;
            w.reborn |= w.deleted && c.op == Op::Insert;
            w.deleted = c.op == Op::Delete;
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
        let there = self.works.iter().enumerate().filter(|(_, w)| !w.displaced && w.misfit.is_none());
        self.index = there.map(|(i, w)| (leg.source_key(&w.key), i)).collect();
        let displaced: Vec<Key> = self.works.iter().filter(|w| w.displaced).map(|w| leg.source_key(&w.key)).collect();
        for id in displaced {
            if let Some(i) = self.index.get(&id) {
                self.works[*i].shared = true;
            }
        }
    }

    /// What came before is done for this leg. The slot stays, so that indexes do.
    fn settle(&mut self, id: &Key) {
        if let Some(i) = self.index.remove(id) {
            self.works[i].first = i64::MAX;
            self.works[i].last = -1;
        }
    }

    /// The record goes on under another primary key: what is folded of it goes with it. A row that had that key was
    /// displaced, and is a record of its own.
    fn rename(&mut self, leg: &LegRt, from: &[Value], to: &[Value]) {
        let (from_id, to_id) = (leg.source_key(from), leg.source_key(to));
        if from_id == to_id {
            return;
        }
        if let Some(gone) = self.index.remove(&to_id) {
            self.works[gone].displaced = true;
            self.works[gone].shared = true;
        }
        if let Some(i) = self.index.remove(&from_id) {
            let w = &mut self.works[i];
            let old = std::mem::replace(&mut w.key, to.to_vec());
            w.old_key.get_or_insert(old);
            self.index.insert(to_id, i);
        }
    }

    /// Whether there is work for a record.
    pub fn knows(&self, leg: &LegRt, key: &[Value]) -> bool {
        self.index.contains_key(&leg.source_key(key))
    }

    /// A record whose key another one had before does not get what waits for that one.
    pub fn renew(&mut self, leg: &LegRt) {
        for n in 0..self.works.len() {
            let Some(was) = self.works[n].old_key.as_ref().map(|k| leg.source_key(k)) else { continue };
            if let Some(i) = self.index.get(&was).copied().filter(|i| *i != n) {
                self.works[i].renewed = true;
                self.works[n].left = true;
            }
        }
    }

    pub fn add_looked_up(&mut self, leg: &LegRt, c: &Change) {
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
                was: c.old_key.clone().unwrap_or_else(|| key.clone()),
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

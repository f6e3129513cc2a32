//! The log folded by record. A record is followed through the log by its primary key: a changed key takes it along, a
//! row that comes under a key which another one had is a record of its own. What a record was before is only known from
//! all of its log rows, so a fold goes on to the end of the log for the records it took up; how many those are is
//! bounded, not how far it reads.

use super::lookups::LookedUp;
use super::runtime::LegRt;
use crate::schema::ColumnId;
use crate::store::{Ahead, AheadKind, Change, Misfit, Op, Position};
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet, VecDeque};

/// What is to be done for one source record.
#[derive(Clone, Debug)]
pub(super) struct Work {
    /// Its primary key now; the last one it had, where it is gone.
    pub key: Vec<Value>,
    /// Its primary key when it was last consumed.
    pub start: Vec<Value>,
    /// Number of the first log row that asks for it; `i64::MAX` where none does (retries).
    pub first: i64,
    /// Number of the last; 0 where there is none.
    pub last: i64,
    /// Up to which log number the record was consumed before; 0 = up to the leg's position.
    pub since: i64,
    /// Values before the first change, where the log holds them.
    pub old: HashMap<ColumnId, Value>,
    /// Whether those before values may be trusted for two-way lines: the record was changed, not inserted.
    pub based: bool,
    /// Columns that are the same on both sides since the opposite leg wrote the row, while others are still to be told:
    /// unless `old` says more, what they hold now is what they held before.
    pub even: HashSet<ColumnId>,
    /// It was inserted, and the opposite leg found it before it was told: its row is on the other side as well.
    pub met: bool,
    /// The same of the row that came under its primary key.
    pub met_again: bool,
    /// Something it looks up changed.
    pub dependent: bool,
    /// The longest path that led to it.
    pub path: String,
    /// Its key does not fit the schema.
    pub misfit: Option<Misfit>,
    /// It is gone, and another record may have its primary key.
    pub gone: bool,
    /// Its last log row is a delete. The row may still be there: an upsert logs one too.
    pub deleted: bool,
    /// A row came under its primary key after a delete: the same record if it has the same integration key.
    pub reborn: Option<Reborn>,
    /// The row that came; what was under its primary key before is another work.
    pub newborn: bool,
    /// What waits in quarantine under `start` is its own.
    pub owns: bool,
    /// Something of it waits in quarantine.
    pub waits: bool,
    /// By company, the key lines' values under which it was last applied, where an earlier change of its key is still
    /// open.
    pub before: Vec<(String, Vec<Value>)>,
}

/// Where a deleted row ended and another one came under its primary key.
#[derive(Clone, Debug)]
pub(super) struct Reborn {
    /// The key it ended under.
    pub key: Vec<Value>,
    /// Number of the delete.
    pub died: i64,
    /// Number of the insert.
    pub born: i64,
    /// Values of the row that came before its first change.
    pub old: HashMap<ColumnId, Value>,
}

impl Work {
    pub fn of(key: Vec<Value>) -> Work {
        Work {
            start: key.clone(),
            key,
            first: i64::MAX,
            last: 0,
            since: 0,
            old: HashMap::new(),
            based: false,
            even: HashSet::new(),
            met: false,
            met_again: false,
            dependent: false,
            path: String::new(),
            misfit: None,
            gone: false,
            deleted: false,
            reborn: None,
            newborn: false,
            owns: true,
            waits: false,
            before: vec![],
        }
    }

    /// Whether all that asks for it is at or below a log number.
    pub fn is_before(&self, seq: i64) -> bool {
        self.first <= seq && self.last <= seq
    }

    /// Whether the log says nothing of the record itself.
    pub fn untouched(&self) -> bool {
        self.last == 0
    }

    /// Whether it is no more and left the primary key under which it was last consumed: another record may have that.
    pub fn left(&self, leg: &LegRt) -> bool {
        self.gone || (self.deleted && leg.source_key(&self.start) != leg.source_key(&self.key))
    }

    /// Its values before the first change, of columns that the log knows; `now`: its values now.
    pub fn base(&self, now: &HashMap<ColumnId, Value>) -> HashMap<ColumnId, Value> {
        let mut base = self.old.clone();
        for column in &self.even {
            if let Some(value) = now.get(column) {
                base.entry(*column).or_insert_with(|| value.clone());
            }
        }
        base
    }

    /// The opposite leg found its row. Should it go now, the row on the other side has to go too.
    fn meet(&mut self) {
        if let Some(reborn) = &mut self.reborn {
            reborn.old.clear();
            self.met_again = true;
        } else if !self.based {
            self.met = true;
            self.old.clear();
        }
    }

    /// The opposite leg wrote its row and left something to be told. The key is that of both sides now, and what nobody
    /// else changed before is no change.
    fn written(&mut self, leg: &LegRt, c: &Change, key: &[Value], primary: &[ColumnId]) {
        self.meet();
        for (column, before) in &c.old {
            if self.old.get(column) == Some(before) {
                self.old.remove(column);
            }
            if !self.old.contains_key(column) {
                self.even.insert(*column);
            }
        }
        for column in leg.key_inputs() {
            match primary.iter().position(|p| p == column).and_then(|i| key.get(i)) {
                Some(value) => drop(self.old.insert(*column, value.clone())),
                None => drop(self.old.remove(column)),
            }
            self.even.insert(*column);
        }
    }

    /// Whether a row that came under its primary key, and held these values, has another integration key.
    fn another(&self, leg: &LegRt, row: &[(ColumnId, Value)]) -> bool {
        let of = |c: &ColumnId| row.iter().find(|(r, _)| r == c).map(|(_, v)| v);
        let differs = |c: &ColumnId| matches!((self.old.get(c), of(c)), (Some(was), Some(is)) if was != is);
        leg.key_inputs().any(differs) && !mutant!("newborn-settles-the-dead")
    }

    /// Takes the row that came under its primary key off, as a work of its own; this one ends where it was deleted.
    pub fn part(&mut self, reborn: Reborn) -> Work {
        let mut new = Work::of(self.key.clone());
        (new.first, new.last, new.since) = (reborn.born, self.last, self.since);
        (new.newborn, new.owns, new.dependent) = (true, false, self.dependent);
        new.path.clone_from(&self.path);
        if self.met_again {
            (new.met, new.old) = (true, reborn.old);
        }
        new.deleted = self.deleted;
        (self.key, self.last, self.gone, self.deleted) = (reborn.key, reborn.died, true, true);
        new
    }
}

/// A folded log.
#[derive(Clone, Debug, Default)]
pub(super) struct Folded {
    /// Work by record, in the order of first log rows.
    pub works: Vec<Work>,
    /// The work that has a primary key at this point of the log.
    index: HashMap<Key, usize>,
    /// The work that had a primary key when it was last consumed; what waits under the key is its own.
    owners: HashMap<Key, usize>,
    /// What was consumed ahead of the position, in the order of the log.
    ahead: VecDeque<(i64, AheadKind, Key)>,
    /// By primary key, the base of what waits; none: there was nothing before.
    seeds: HashMap<Key, (Vec<Value>, HashMap<ColumnId, Value>)>,
    /// Up to which log number every record is consumed.
    ledger: i64,
    /// How many records are taken up.
    limit: usize,
    /// Records to be taken up whatever the limit says.
    wanted: HashSet<Key>,
    /// By primary key, up to which log number its record was consumed.
    consumed: HashMap<Key, i64>,
    /// Number of the first log row that was left to a later fold.
    left: Option<i64>,
    /// Primary keys of records that were left and renamed since, as they were at the first row left.
    renamed: HashMap<Key, Vec<Value>>,
    /// Looked-up rows that changed, in the order of the log.
    pub looked_up: Vec<LookedUp>,
    /// Records that the opposite leg deleted.
    pub undone: Vec<Vec<Value>>,
    /// Records that the opposite leg made after a row was deleted: they may stand for it.
    pub back: Vec<Vec<Value>>,
    /// Works that were deleted at some point.
    pub ended: Vec<usize>,
    /// Works whose values before are known.
    pub changed: Vec<usize>,
}

impl Folded {
    /// An empty fold that takes up at most `limit` records, and those `wanted`.
    pub fn new(leg: &LegRt, ahead: Vec<Ahead>, ledger: i64, limit: usize, wanted: HashSet<Key>) -> Folded {
        let mut ahead: Vec<(i64, AheadKind, Key)> = ahead
            .into_iter()
            .filter(|_| !mutant!("no-ahead"))
            .filter_map(|a| Some((a.through, a.kind, leg.source_key(&Key::parse(&a.key, &leg.source_key_types)?.0))))
            .collect();
        // A record that is gone went before what came under its key was consumed.
        ahead.sort_by_key(|(through, kind, _)| (*through, *kind != AheadKind::Gone));
        Folded { ahead: ahead.into(), ledger, limit, wanted, ..Folded::default() }
    }

    /// Begins with records that wait in quarantine, with the values before their first change; none: they were made.
    pub fn seed(&mut self, leg: &LegRt, key: Vec<Value>, base: HashMap<ColumnId, Value>) {
        let id = leg.source_key(&key);
        if !self.ahead.iter().any(|(_, _, k)| *k == id) {
            self.plant(leg, &key, base.clone());
        }
        self.seeds.insert(id, (key, base));
    }

    fn plant(&mut self, leg: &LegRt, key: &[Value], base: HashMap<ColumnId, Value>) {
        let i = self.push(leg, Work { based: !base.is_empty(), old: base, ..Work::of(key.to_vec()) });
        self.index.insert(leg.source_key(key), i);
    }

    /// Up to which log number every record was consumed.
    pub fn ledger(&self) -> i64 {
        self.ledger
    }

    /// Begins after a log row: records other than those wanted were left there.
    pub fn begin(&mut self, leg: &LegRt, after: i64) {
        self.consume_ahead(leg, after.saturating_add(1));
        self.left = Some(after.saturating_add(1));
    }

    /// Up to where the fold took up every record: `head` where none was left.
    pub fn end(&self, head: i64) -> i64 {
        self.left.filter(|_| !mutant!("end-past-what-was-left")).map_or(head, |left| left - 1)
    }

    /// The work of the record that has this primary key at the end of the log.
    pub fn at(&self, leg: &LegRt, key: &[Value]) -> Option<usize> {
        self.index.get(&leg.source_key(key)).copied()
    }

    /// Whether what waits under this key belongs to one of the works.
    pub fn owned(&self, leg: &LegRt, key: &[Value]) -> bool {
        self.owners.contains_key(&leg.source_key(key))
    }

    /// The primary key which the record that has this one now had at the first log row that was left.
    pub fn earlier(&self, leg: &LegRt, key: Vec<Value>) -> Vec<Value> {
        self.renamed.get(&leg.source_key(&key)).cloned().unwrap_or(key)
    }

    /// Whether a record that was wanted has this primary key, and the log says nothing of it.
    pub fn untouched(&self, leg: &LegRt, key: &[Value]) -> bool {
        self.wanted.contains(&leg.source_key(key))
    }

    /// A work for a record of which the log says nothing.
    pub fn still(&self, leg: &LegRt, key: Vec<Value>) -> Work {
        let since = self.consumed.get(&leg.source_key(&key)).copied().unwrap_or(self.ledger);
        Work { since, ..Work::of(key) }
    }

    /// Adds a work that the log says nothing of.
    pub fn push(&mut self, leg: &LegRt, work: Work) -> usize {
        let i = self.works.len();
        if work.owns {
            self.owners.insert(leg.source_key(&work.start), i);
        }
        if !work.gone && work.misfit.is_none() {
            self.index.insert(leg.source_key(&work.key), i);
        }
        self.works.push(work);
        i
    }

    /// A row that came is the record which had this primary key when it was last consumed, with these values.
    pub fn takes_over(&mut self, leg: &LegRt, i: usize, start: &[Value], base: HashMap<ColumnId, Value>) {
        if let Some(gone) = self.owners.insert(leg.source_key(start), i) {
            self.works[gone].owns = false;
        }
        let w = &mut self.works[i];
        (w.start, w.owns) = (start.to_vec(), true);
        (w.old, w.based) = (base, true);
    }

    /// Folds log rows in, which follow those before.
    pub fn add(&mut self, leg: &LegRt, opposite: &str, changes: Vec<Change>) {
        let l = leg.leg();
        for c in changes {
            self.consume_ahead(leg, c.seq);
            if self.limit > 0 && c.op != Op::Touch && leg.ways.iter().any(|w| w.table == c.table) {
                if self.looked_up.len() >= self.limit {
                    self.left.get_or_insert(c.seq);
                }
                super::lookups::add(leg, &c, &mut self.looked_up);
            }
            if c.table != l.source.table || (c.seq <= self.ledger && !mutant!("no-ledger")) {
                continue;
            }
            let own = leg.made(&c, opposite) && !mutant!("echo-unknown");
            match (&c.key, own) {
                (Err(m), _) => self.misfit(&c, m),
                (Ok(_), true) => self.add_own(leg, &c),
                (Ok(_), false) => self.add_direct(leg, c),
            }
        }
    }

    /// The log ends here.
    pub fn close(&mut self, leg: &LegRt) {
        self.consume_ahead(leg, i64::MAX);
        self.works.retain(|w| w.last >= 0);
        let all = || self.works.iter().enumerate().filter(|(_, w)| w.misfit.is_none());
        self.index = all().filter(|(_, w)| !w.gone).map(|(i, w)| (leg.source_key(&w.key), i)).collect();
        self.owners = all().filter(|(_, w)| w.owns).map(|(i, w)| (leg.source_key(&w.start), i)).collect();
        self.ended.clear();
        self.changed.clear();
    }

    fn misfit(&mut self, c: &Change, m: &Misfit) {
        if self.works.len() >= self.limit || self.left.is_some() {
            self.left.get_or_insert(c.seq);
            return;
        }
        let mut w = Work::of(vec![Value::text(&m.key)]);
        (w.first, w.last, w.misfit) = (c.seq, c.seq, Some(m.clone()));
        self.works.push(w);
    }

    /// What the opposite leg wrote.
    fn add_own(&mut self, leg: &LegRt, c: &Change) {
        let Ok(key) = &c.key else { return };
        let id = leg.source_key(key);
        if let Some(old_key) = &c.old_key {
            self.rename(leg, old_key, key);
        }
        if c.op == Op::Insert {
            // Not the record that was deleted here, which is still to be told.
            self.end_of(&id);
            if !self.ended.is_empty() || self.left.is_some() {
                self.back.push(key.clone());
            }
        }
        let settles = (c.settles && !mutant!("no-settles")) || mutant!("settles-always");
        if !settles
            && c.op == Op::Update
            && let Some(i) = self.index.get(&id)
        {
            self.works[*i].written(leg, c, key, &leg.source_primary_key);
        }
        let known = if settles { self.index.remove(&id) } else { None };
        if settles && c.op == Op::Update && (known.is_some() || self.left.is_some()) {
            // It may have come under its integration key since another record left that one.
            self.back.push(key.clone());
        }
        if let Some(i) = known {
            // What came before is done for this leg, but for the end of another record that had its primary key.
            match self.works[i].reborn.take().filter(|_| self.works[i].another(leg, &c.old)) {
                Some(reborn) => drop(self.works[i].part(reborn)),
                None => self.drop_work(leg, i),
            }
            if self.left.is_some() && c.op != Op::Delete {
                self.wanted.insert(id);
            }
        }
        if c.op == Op::Delete {
            self.undone.push(key.clone());
        }
    }

    fn add_direct(&mut self, leg: &LegRt, c: Change) {
        let Ok(key) = c.key else { return };
        let from = c.old_key.as_ref().filter(|_| !mutant!("key-change-not-followed")).unwrap_or(&key);
        let from_id = leg.source_key(from);
        let i = match self.index.get(&from_id) {
            Some(i) => *i,
            None => {
                let room = self.left.is_none() && self.works.len() < self.limit;
                if !room && !self.wanted.contains(&from_id) {
                    self.left.get_or_insert(c.seq);
                    self.pass(leg, from, &key, c.op);
                    return;
                }
                self.wanted.remove(&from_id);
                self.take_up(leg, from, c.op)
            }
        };
        let w = &mut self.works[i];
        if c.op == Op::Touch && w.last > 0 {
            w.meet();
        }
        if c.op == Op::Insert && w.last > 0 && w.reborn.is_none() {
            w.reborn = Some(Reborn { key: w.key.clone(), died: w.last, born: c.seq, old: HashMap::new() });
        }
        w.first = w.first.min(c.seq);
        w.last = c.seq;
        w.deleted = c.op == Op::Delete;
        if !c.old.is_empty() {
            self.changed.push(i);
        }
        if let Some(reborn) = &mut w.reborn {
            for (column, value) in &c.old {
                reborn.old.entry(*column).or_insert_with(|| value.clone());
            }
        }
        for (column, value) in c.old {
            if c.op == Op::Touch || mutant!("base-of-last-change") {
                w.even.remove(&column);
                w.old.remove(&column);
            }
            w.old.entry(column).or_insert(value);
        }
        if c.path.len() > w.path.len() {
            w.path = c.path;
        }
        if w.deleted {
            self.ended.push(i);
        }
        if let Some(from) = &c.old_key {
            self.rename(leg, from, &key);
            self.works[i].key = key;
        }
    }

    /// A work for a record whose first log row this is.
    fn take_up(&mut self, leg: &LegRt, key: &[Value], op: Op) -> usize {
        let id = leg.source_key(key);
        let mut w = Work::of(key.to_vec());
        w.based = op != Op::Insert;
        w.since = self.consumed.remove(&id).unwrap_or(self.ledger);
        w.owns = w.based && !self.owners.contains_key(&id);
        let owns = w.owns;
        let i = self.works.len();
        self.works.push(w);
        self.index.insert(id.clone(), i);
        if owns {
            self.owners.insert(id, i);
        }
        i
    }

    /// A log row of a record that is left to a later fold: what had its key before it is gone.
    fn pass(&mut self, leg: &LegRt, from: &[Value], to: &[Value], op: Op) {
        match op {
            Op::Insert => self.end_of(&leg.source_key(to)),
            _ => self.rename(leg, from, to),
        }
    }

    /// Who has this primary key has it no more: another record has.
    fn end_of(&mut self, id: &Key) {
        if let Some(gone) = self.index.remove(id) {
            self.works[gone].gone = true;
            self.ended.push(gone);
        }
        self.wanted.remove(id);
        self.renamed.remove(id);
    }

    /// The record goes on under another primary key: what is folded of it goes with it.
    fn rename(&mut self, leg: &LegRt, from: &[Value], to: &[Value]) {
        let (from_id, to_id) = (leg.source_key(from), leg.source_key(to));
        if from_id == to_id {
            return;
        }
        self.end_of(&to_id);
        if let Some(i) = self.index.remove(&from_id) {
            self.works[i].key = to.to_vec();
            self.index.insert(to_id, i);
        } else if self.wanted.remove(&from_id) {
            self.wanted.insert(to_id);
        } else if self.left.is_some() {
            let was = self.renamed.remove(&from_id).unwrap_or_else(|| from.to_vec());
            self.renamed.insert(to_id, was);
        }
    }

    /// Nothing is to be done any more. The slot stays, so that indexes do.
    fn drop_work(&mut self, leg: &LegRt, i: usize) {
        let start = leg.source_key(&self.works[i].start);
        if self.owners.get(&start) == Some(&i) {
            self.owners.remove(&start);
        }
        (self.works[i].first, self.works[i].last) = (i64::MAX, -1);
    }

    /// What was consumed ahead of the position ends here, for log rows before `seq`.
    pub fn consume_ahead(&mut self, leg: &LegRt, seq: i64) {
        while self.ahead.front().is_some_and(|(through, ..)| *through < seq) {
            let Some((through, kind, id)) = self.ahead.pop_front() else { return };
            if through > self.ledger {
                self.consume(leg, through, kind, &id);
            }
        }
    }

    /// The record that has this primary key is consumed up to here.
    fn consume(&mut self, leg: &LegRt, through: i64, kind: AheadKind, id: &Key) {
        let i = self.index.remove(id);
        if kind == AheadKind::Gone {
            i.into_iter().for_each(|i| self.drop_work(leg, i));
            return;
        }
        if let Some(i) = i {
            match self.works[i].reborn.take().filter(|_| kind == AheadKind::Reborn) {
                Some(reborn) => drop(self.works[i].part(reborn)),
                None => self.drop_work(leg, i),
            }
            if self.left.is_some() {
                self.wanted.insert(id.clone());
            }
        }
        // What waits under the key is that record's, whoever had the key before.
        if let Some(i) = self.owners.remove(id) {
            self.works[i].owns = false;
        }
        self.consumed.insert(id.clone(), through);
        if let Some((key, base)) = self.seeds.get(id).cloned() {
            self.plant(leg, &key, base);
        }
    }
}

/// The number in a position.
pub(super) fn number(position: &Position) -> i64 {
    position.0.parse().unwrap_or(0)
}

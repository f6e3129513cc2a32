//! Looked-up rows that changed, and the records that use them (R14).

use super::fold::{Folded, Work};
use super::live::LegRun;
use super::runtime::{Engine, LegRt, Result};
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::sema::{Leg, Related};
use crate::store::{Change, Join, Op, ReadPlan, Rows, Snapshot};
use crate::value::{Key, Value};
use std::collections::hash_map::Entry;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// A change of a row that is looked up.
#[derive(Clone, Debug)]
pub(super) struct LookedUp {
    /// Its number in the log.
    pub seq: i64,
    /// The way on which it leads to records, in [`LegRt::ways`].
    pub way: usize,
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

/// How a changed row of another table leads to the records that depend on it.
#[derive(Clone, Debug)]
pub(super) struct Way {
    /// The table.
    pub table: TableId,
    /// Its columns that are referred to.
    pub key: Vec<ColumnId>,
    /// Plan and join of each step, the last one from the leg's source table.
    pub steps: Vec<(ReadPlan, usize)>,
    /// What the row is to the record.
    pub of: WayOf,
}

/// What a row of another table is to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum WayOf {
    /// Looked up by this join.
    Join,
    /// A row that this question counts in.
    Question(usize),
    /// A row that related rows look up, or are related to.
    Further,
}

/// The ways of a leg: one per join, in their order, then those of its questions.
pub(super) fn ways(leg: &Leg, schema: &StoreSchema) -> Vec<Way> {
    let looked_up = |(j, join): (usize, &Join)| Way {
        table: join.table,
        key: join.key.clone(),
        steps: vec![(leg.read.clone(), j)],
        of: WayOf::Join,
    };
    let mut all: Vec<Way> = leg.read.joins.iter().enumerate().map(looked_up).collect();
    for (q, related) in leg.related.iter().enumerate() {
        related_ways(schema, leg.read.table, related, &[], WayOf::Question(q), &mut all);
    }
    all
}

fn related_ways(
    schema: &StoreSchema,
    outside: TableId,
    related: &Related,
    rest: &[(ReadPlan, usize)],
    of: WayOf,
    all: &mut Vec<Way>,
) {
    let key: Vec<ColumnId> = related.by.iter().map(|(c, ..)| *c).collect();
    let columns = related.by.iter().map(|(.., c)| *c).collect();
    let table = related.read.table;
    let own = schema.get(outside).primary_key.iter().map(|c| (0, *c)).collect();
    let join = Join { from: 0, columns, table, key: key.clone(), when: None };
    let mut steps = vec![(ReadPlan { table: outside, joins: vec![join], columns: own }, 0)];
    steps.extend_from_slice(rest);
    for (j, join) in related.read.joins.iter().enumerate() {
        let steps = std::iter::once((related.read.clone(), j)).chain(steps.clone()).collect();
        all.push(Way { table: join.table, key: join.key.clone(), steps, of: WayOf::Further });
    }
    for inner in &related.related {
        related_ways(schema, table, inner, &steps, WayOf::Further, all);
    }
    all.push(Way { table, key, steps, of });
}

/// Adds a change for every way that begins at the row.
pub(super) fn add(leg: &LegRt, c: &Change, all: &mut Vec<LookedUp>) {
    let Ok(key) = &c.key else { return };
    let woken = |way: &Way| match way.of {
        WayOf::Join => !mutant!("lookups-not-woken"),
        _ => !mutant!("related-not-woken"),
    };
    for (w, way) in leg.ways.iter().enumerate().filter(|(_, way)| way.table == c.table && woken(way)) {
        let old = |column: &ColumnId| c.old.iter().find(|(o, _)| o == column).map(|(_, v)| v.clone());
        let before: Option<Vec<Value>> = match c.op {
            Op::Insert => None,
            _ => way.key.iter().map(old).collect(),
        };
        all.push(LookedUp {
            seq: c.seq,
            way: w,
            key: c.old_key.clone().filter(|_| c.op == Op::Delete).unwrap_or_else(|| key.clone()),
            was: c.old_key.clone().unwrap_or_else(|| key.clone()),
            before,
            old: c.old.clone(),
            path: c.path.clone(),
        });
    }
}

/// A record that uses looked-up rows and of which the fold knows nothing.
struct User {
    key: Vec<Value>,
    /// The longest path that led to it.
    path: String,
    /// Number of the first log row that led to it: that one is consumed when the record is done.
    first: i64,
}

type Users = HashMap<Key, User>;

/// What rows hold in the columns by which they are referred to, by way and primary key.
type Referred = HashMap<(usize, Vec<Value>), Vec<Value>>;

/// What is done with a page of primary keys.
type OfPage<'a> = dyn FnMut(&mut dyn Snapshot, Vec<Vec<Value>>) -> Result<()> + 'a;

/// What rows hold in these columns; nothing for those that are not there.
pub(super) fn columns_of(
    snapshot: &mut dyn Snapshot,
    table: TableId,
    columns: &[ColumnId],
    keys: &[Vec<Value>],
) -> Result<Vec<Vec<Value>>> {
    let plan = ReadPlan { table, joins: vec![], columns: columns.iter().map(|c| (0, *c)).collect() };
    let mut rows = Rows::of(&plan);
    let there = snapshot.fetch(&plan, keys, &mut rows)?;
    Ok(there.iter().enumerate().filter(|(_, there)| **there).map(|(i, _)| rows.row(i).to_vec()).collect())
}

/// Each once, without those that refer to nothing.
fn distinct(all: Vec<Vec<Value>>) -> Vec<Vec<Value>> {
    let mut seen = HashSet::new();
    all.into_iter().filter(|v| !v.iter().any(Value::is_null) && seen.insert(v.clone())).collect()
}

impl Engine {
    /// Finds the records that use rows which changed. A few of them become works of the fold; many are evaluated page by
    /// page, each in its own transaction. The log rows that caused it stay unconsumed until all of it is done.
    pub(super) fn dependents(
        &self,
        run: &mut LegRun<'_>,
        snapshot: &mut dyn Snapshot,
        folded: &mut Folded,
    ) -> Result<()> {
        let leg = run.leg;
        let changes: Vec<LookedUp> = run.looked_up.iter().filter(|c| c.seq <= run.end).cloned().collect();
        // Many changed rows may lead to the same records: thousands of lines to the lines of one invoice.
        let mut asked: Vec<(LookedUp, Vec<Value>)> = Vec::new();
        let mut known: HashMap<(usize, Vec<Value>), usize> = HashMap::new();
        let now = self.referred_now(leg, snapshot, &changes)?;
        for change in &changes {
            let now = now.get(&(change.way, change.key.clone()));
            for values in self.referred(leg, snapshot, change, now)? {
                match known.entry((change.way, values.clone())) {
                    Entry::Vacant(new) => {
                        new.insert(asked.len());
                        asked.push((change.clone(), values));
                    }
                    Entry::Occupied(i) => {
                        if let Some((first, _)) =
                            asked.get_mut(*i.get()).filter(|(f, _)| f.path.len() < change.path.len())
                        {
                            first.path.clone_from(&change.path);
                        }
                    }
                }
            }
        }
        let mut users = Users::new();
        for (change, values) in &asked {
            self.users_of(run, snapshot, folded, change, values, &mut users)?;
            if run.stopped.is_some() || self.env.cancelled() {
                return Ok(());
            }
        }
        for work in self.followed(run, snapshot, folded, users)? {
            folded.push(leg, work);
        }
        Ok(())
    }

    /// Of rows that changed, those that are there.
    pub(super) fn referred_now(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        changes: &[LookedUp],
    ) -> Result<Referred> {
        let mut now = Referred::new();
        for (w, way) in leg.ways.iter().enumerate() {
            let mut seen: HashSet<&[Value]> = HashSet::new();
            let of_way = changes.iter().filter(|c| c.way == w && seen.insert(&c.key));
            let keys: Vec<Vec<Value>> = of_way.map(|c| c.key.clone()).collect();
            let plan = ReadPlan { table: way.table, joins: vec![], columns: way.key.iter().map(|c| (0, *c)).collect() };
            for keys in keys.chunks(self.limits.live_rows) {
                let mut rows = Rows::of(&plan);
                let there = snapshot.fetch(&plan, keys, &mut rows)?;
                for (i, key) in keys.iter().enumerate().filter(|(i, _)| there[*i]) {
                    now.insert((w, key.clone()), rows.row(i).to_vec());
                }
            }
        }
        Ok(now)
    }

    /// Goes page by page over the primary keys of all rows that reach a join with these values.
    pub(super) fn all_dependents(
        &self,
        snapshot: &mut dyn Snapshot,
        plan: &ReadPlan,
        join: usize,
        values: &[Value],
        each: &mut OfPage<'_>,
    ) -> Result<()> {
        let mut after: Option<Vec<Value>> = None;
        loop {
            let page = snapshot.dependents(plan, join, values, after.as_deref(), self.limits.live_rows)?;
            let full = page.len() == self.limits.live_rows;
            after = page.last().cloned();
            each(snapshot, page)?;
            if !full {
                return Ok(());
            }
        }
    }

    /// The values under which records refer to a row that changed: those of now, and those before.
    pub(super) fn referred(
        &self,
        leg: &LegRt,
        snapshot: &mut dyn Snapshot,
        change: &LookedUp,
        now: Option<&Vec<Value>>,
    ) -> Result<Vec<Vec<Value>>> {
        let way = &leg.ways[change.way];
        let mut all: Vec<Vec<Value>> = now.into_iter().cloned().collect();
        all.extend(change.before.clone().filter(|_| !mutant!("users-of-new-key-only")));
        let mut steps = way.steps.iter();
        let Some((mut plan, mut join)) = steps.next().map(|(p, j)| (p, *j)) else { return Ok(vec![]) };
        for (next, to) in steps {
            // From the rows between to those outside of them.
            let mut between = Vec::new();
            for values in distinct(all) {
                self.all_dependents(snapshot, plan, join, &values, &mut |snapshot, page| {
                    between.extend(columns_of(snapshot, plan.table, &next.joins[*to].key, &page)?);
                    Ok(())
                })?;
            }
            all = between;
            (plan, join) = (next, *to);
        }
        Ok(distinct(all))
    }

    fn users_of(
        &self,
        run: &mut LegRun<'_>,
        snapshot: &mut dyn Snapshot,
        folded: &mut Folded,
        change: &LookedUp,
        values: &[Value],
        users: &mut Users,
    ) -> Result<()> {
        let leg = run.leg;
        let key_len = leg.source_key_types.len();
        let Some((plan, join)) = leg.ways[change.way].steps.last() else { return Ok(()) };
        let mut after: Option<Vec<Value>> = None;
        loop {
            let keys = snapshot.dependents(plan, *join, values, after.as_deref(), self.limits.live_rows)?;
            let full = keys.len() == self.limits.live_rows;
            after = keys.last().map(|k| k[..key_len].to_vec());
            let mut page = Users::new();
            for key in keys {
                let many = full || users.len() > self.limits.log_rows;
                let (path, first) = match folded.at(leg, &key) {
                    Some(i) => {
                        let w = &mut folded.works[i];
                        w.dependent |= w.untouched() && !w.waits;
                        (&mut w.path, &mut w.first)
                    }
                    None => {
                        let of = if many { &mut page } else { &mut *users };
                        let user = || User { key: key.clone(), path: String::new(), first: change.seq };
                        let user = of.entry(leg.source_key(&key)).or_insert_with(user);
                        (&mut user.path, &mut user.first)
                    }
                };
                *first = change.seq.min(*first);
                if change.path.len() > path.len() {
                    path.clone_from(&change.path);
                }
            }
            if !page.is_empty() {
                let works = self.followed(run, snapshot, folded, page)?;
                self.dependent_page(run, snapshot, works)?;
            }
            if !full || mutant!("first-page-of-users") || run.stopped.is_some() || self.env.cancelled() {
                return Ok(());
            }
        }
    }

    /// Works of records that use what changed. Where log rows were left to a later fold, these records are followed
    /// through them: the snapshot holds what they say.
    fn followed(
        &self,
        run: &LegRun<'_>,
        snapshot: &mut dyn Snapshot,
        folded: &Folded,
        users: Users,
    ) -> Result<Vec<Work>> {
        let leg = run.leg;
        if users.is_empty() {
            return Ok(vec![]);
        }
        let mut works = Vec::with_capacity(users.len());
        let dependent = |work: Work, path: String, first: i64| {
            let path = if path.len() > work.path.len() { path } else { work.path.clone() };
            Work { dependent: work.untouched(), path, first: first.min(work.first), ..work }
        };
        if run.end == run.head {
            works.extend(users.into_values().map(|u| dependent(folded.still(leg, u.key), u.path, u.first)));
        } else {
            let wanted = users.values().map(|u| leg.source_key(&folded.earlier(leg, u.key.clone()))).collect();
            let mut view = self.target(leg).snapshot()?;
            let ahead = view.state().ahead(&leg.name)?;
            let mut rest = Folded::new(leg, ahead, folded.ledger(), 0, wanted);
            drop(view);
            rest.begin(leg, run.end);
            self.fold_log(leg, snapshot, run.end, &mut rest)?;
            for User { key, path, first } in users.into_values() {
                if let Some(i) = rest.at(leg, &key) {
                    works.push(dependent(rest.works[i].clone(), path, first));
                } else if rest.untouched(leg, &key) {
                    works.push(dependent(rest.still(leg, key), path, first));
                }
                // Else it came later, and is evaluated when its own log row is.
            }
        }
        self.recall(leg, &mut works)?;
        Ok(works)
    }

    /// A page of records in its own transaction; the log rows that caused it stay where they are.
    fn dependent_page(&self, run: &mut LegRun<'_>, snapshot: &mut dyn Snapshot, page: Vec<Work>) -> Result<()> {
        if page.is_empty() {
            return Ok(());
        }
        let (works, done) = (std::mem::take(&mut run.works), std::mem::take(&mut run.done));
        let held_back =
            if mutant!("page-moves-position") { run.end } else { super::fold::number(&run.progress.position) };
        let end = std::mem::replace(&mut run.end, held_back);
        run.done = vec![false; page.len()];
        let n = page.len();
        run.works = Arc::new(page);
        let outcome = self.forward_chunks(run, snapshot, std::slice::from_ref(&(0..n)));
        let outcome = outcome.and_then(|()| self.backward(run));
        let retries = std::mem::take(&mut run.retries);
        run.postponed.extend(retries.into_iter().map(|w| run.works[w].clone()));
        (run.works, run.done, run.end) = (works, done, end);
        outcome
    }
}

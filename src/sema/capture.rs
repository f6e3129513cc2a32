//! What the source store's log must hold for a leg.

use super::reader::{Reader, Reads};
use super::related::Related;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::store::CaptureSpec;
use std::collections::BTreeSet;

/// What the parts of a leg read.
#[derive(Default)]
pub(crate) struct Wanted {
    /// By the filter.
    pub(crate) filter: Reads,
    /// By key and company lines.
    pub(crate) key: Reads,
    /// Base columns of two-way lines.
    pub(crate) two_way: BTreeSet<ColumnId>,
}

/// One spec per table that the leg reads.
pub(crate) fn specs(schema: &StoreSchema, reader: &Reader<'_>, wanted: &Wanted, exit_delete: bool) -> Vec<CaptureSpec> {
    let mut specs: Vec<(TableId, BTreeSet<ColumnId>, BTreeSet<ColumnId>)> = vec![];
    let mut of = |table: TableId, watched: BTreeSet<ColumnId>, old: BTreeSet<ColumnId>| match specs
        .iter_mut()
        .find(|(t, _, _)| *t == table)
    {
        Some((_, w, o)) => {
            w.extend(watched);
            o.extend(old);
        }
        None => specs.push((table, watched, old)),
    };
    let plan = &reader.plan;
    for from in 0..=plan.joins.len() {
        let table = reader.table(from);
        let mut watched: BTreeSet<ColumnId> =
            plan.columns.iter().filter(|(f, _)| *f == from).map(|(_, c)| *c).collect();
        let mut old = BTreeSet::new();
        if from == 0 {
            // A change of the primary key is always logged.
            let key = &schema.get(table).primary_key;
            watched.retain(|c| !key.contains(c));
            old.extend(&wanted.two_way);
        } else {
            let key = &plan.joins[from - 1].key;
            watched.extend(key);
            old.extend(key);
        }
        for j in plan.joins.iter().filter(|j| j.from == from) {
            old.extend(&j.columns);
            old.extend(j.when.as_ref().map(|(c, _)| *c));
        }
        let read_by = |r: &Reads| r.columns.iter().filter(|(f, _)| *f == from).map(|(_, c)| *c).collect::<Vec<_>>();
        old.extend(read_by(&wanted.key));
        if exit_delete {
            old.extend(read_by(&wanted.filter));
        }
        of(table, watched, old);
    }
    related(schema, &reader.related, &mut of);
    specs
        .into_iter()
        .map(|(table, watched, old)| CaptureSpec {
            table,
            watched: watched.into_iter().collect(),
            old: old.into_iter().collect(),
        })
        .collect()
}

/// Of related rows all that is read, and what it was: an answer of before is worked out from it.
fn related(schema: &StoreSchema, all: &[Related], of: &mut dyn FnMut(TableId, BTreeSet<ColumnId>, BTreeSet<ColumnId>)) {
    for r in all {
        for from in 0..=r.read.joins.len() {
            let join = from.checked_sub(1).and_then(|j| r.read.joins.get(j));
            let table = join.map_or(r.read.table, |j| j.table);
            let mut read: BTreeSet<ColumnId> =
                r.read.columns.iter().filter(|(f, _)| *f == from).map(|(_, c)| *c).collect();
            read.extend(join.iter().flat_map(|j| &j.key));
            if from == 0 {
                read.extend(r.by.iter().map(|(c, ..)| *c));
            }
            let key = &schema.get(table).primary_key;
            let watched = read.iter().filter(|c| !key.contains(c)).copied().collect();
            of(table, watched, read);
        }
        related(schema, &r.related, of);
    }
}

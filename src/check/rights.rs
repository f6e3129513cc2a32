//! TM1208: what the maps do with each table of a store, and the rights that its user lacks for it.

use super::live::{Ids, used};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::TableId;
use crate::sema::{CheckedMap, CheckedProject, Grant, Op, Use};
use std::collections::BTreeSet;
use std::sync::Arc;

/// What these maps do with the tables of a store (by its index), in the schema's order.
pub fn uses<'a>(
    project: &CheckedProject,
    store: usize,
    maps: impl Iterator<Item = &'a Arc<CheckedMap>> + Clone,
) -> Vec<Use> {
    let used = used(project, store, maps.clone());
    let mut all: Vec<Use> = Vec::new();
    for (table, ids) in &used.tables {
        let mut insert = BTreeSet::new();
        let made = used.creates.iter().filter(|(t, ..)| t == table);
        made.for_each(|(_, _, columns)| insert.extend(columns.iter().copied()));
        let legs = || maps.clone().flat_map(|m| m.legs());
        let captured = legs().any(|l| l.source.store == store && l.capture.iter().any(|c| c.table == *table));
        let guarded = maps
            .clone()
            .flat_map(|m| &m.guards)
            .any(|(s, g)| *s == store && g.table == *table && matches!(g.op, Op::Insert | Op::Update | Op::Delete));
        all.push(Use {
            table: *table,
            insert: insert.into_iter().collect(),
            update: used.writes.get(table).into_iter().flatten().copied().collect(),
            delete: legs()
                .any(|l| l.target.store == store && l.target.table == *table && (l.operations.delete || l.exit_delete)),
            triggers: captured || guarded,
            maps: ids.iter().cloned().collect(),
        });
    }
    all
}

/// The rights that are missing, as findings.
pub fn findings(project: &CheckedProject, store: usize, uses: &[Use], grants: &[Grant]) -> Vec<Diagnostic> {
    let (name, schema) = &project.stores[store];
    let mut found = Vec::new();
    for grant in grants.iter().filter(|g| g.missing) {
        let of = |table: TableId| uses.iter().find(|u| u.table == table);
        let all: Ids = uses.iter().flat_map(|u| u.maps.clone()).collect();
        let first = grant.table.or_else(|| uses.first().map(|u| u.table));
        let Some(table) = first else { continue };
        let maps: Vec<String> = match grant.table.and_then(of) {
            Some(u) => u.maps.clone(),
            None => all.into_iter().collect(),
        };
        let message = format!("{} (store `{name}`, used by {})", grant.what, super::live::some(&maps));
        found.push(
            Diagnostic::new(Code::TM1208, schema.get(table).span, message)
                .help(format!("let the owner run: {}", grant.sql)),
        );
    }
    found
}

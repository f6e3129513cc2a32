//! References written through lookups: from the values of their lines to the referred row's key.

use super::apply::{Failure, code};
use super::chunk::KeySet;
use super::runtime::{Cell, CellFrom, LegRt, Result};
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::sema::{Reference, ReferenceInput, ReferenceTarget};
use crate::store::{Found, QuarantineKind, Transaction, Wait};
use crate::syntax::ast::OnMissing;
use crate::value::{Key, Value};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Rows that other legs of the cycle have yet to delete or to give another key: table, key columns, keys.
pub(super) type Passing = Vec<(TableId, Vec<ColumnId>, KeySet)>;

/// What is known of referred rows.
#[derive(Default)]
pub(super) struct Cache {
    /// Rows found in this transaction: (reference, alternative, values) to the columns asked for. Only hits are kept: a
    /// row that is not there yet may be written by this very transaction.
    found: HashMap<(usize, usize, Key), Vec<Value>>,
    /// Rows that are not there, for the records at hand: nothing is written before all of them are resolved.
    missing: HashSet<(usize, usize, Key)>,
    /// A record that refers to one of these rows is tried again when it is gone.
    pub passing: Passing,
    /// A record that refers to one of these rows parks, and is tried again soon.
    pub behind: Arc<Passing>,
    /// References of the record at hand that are written as null for now, and what they wait for.
    pub owed: Owed,
}

/// References that are still to be filled: why each is empty, and what it waits for.
pub(super) type Owed = Vec<(Failure, Vec<Wait>)>;

/// How many found rows are kept, so that memory does not grow with the chunk.
const CACHED: usize = 20_000;

/// A record that cannot be written because of a reference.
pub(super) struct Unresolved {
    pub failure: Failure,
    /// The row is there, but has yet to go or to change in this cycle.
    pub passing: bool,
    /// What it waits for, where it parks.
    pub waits: Vec<Wait>,
}

/// The written columns of every reference of the leg (by reference, then by written column, the table's name of a
/// polymorphic one last), for one record. With `key_only`, references that are no part of the key stay empty.
pub(super) fn resolve(
    leg: &LegRt,
    schema: &StoreSchema,
    tx: &mut dyn Transaction,
    lines: &[Value],
    company: Option<&Value>,
    key_only: bool,
    cache: &mut Cache,
) -> Result<std::result::Result<Vec<Vec<Value>>, Box<Unresolved>>> {
    let l = leg.leg();
    let mut resolved: Vec<Vec<Value>> = Vec::with_capacity(l.references.len());
    for (r, reference) in l.references.iter().enumerate() {
        if key_only && !reference.key {
            resolved.push(vec![]);
            continue;
        }
        match resolve_one(leg, schema, tx, r, reference, lines, company, &resolved, key_only, cache)? {
            Ok(values) => resolved.push(values),
            Err(unresolved) => return Ok(Err(unresolved)),
        }
    }
    Ok(Ok(resolved))
}

#[expect(clippy::too_many_arguments, reason = "one step of `resolve`, split off for reading only")]
fn resolve_one(
    leg: &LegRt,
    schema: &StoreSchema,
    tx: &mut dyn Transaction,
    r: usize,
    reference: &Reference,
    lines: &[Value],
    company: Option<&Value>,
    resolved: &[Vec<Value>],
    key_only: bool,
    cache: &mut Cache,
) -> Result<std::result::Result<Vec<Value>, Box<Unresolved>>> {
    let l = leg.leg();
    let width = reference.targets.first().map_or(0, |t| t.writes.len()) + usize::from(reference.type_column.is_some());
    let blame = l.lines.iter().position(|line| line.target == crate::sema::LineTarget::Reference(r));
    let fail = |reason: String, remedy: &str, code: &'static str, value: String| {
        let mut f = Failure::new(code, reason, remedy);
        f.value = (!value.is_empty()).then_some(value);
        f.column = reference.name.clone();
        match blame {
            Some(i) => f.at_line(l, i),
            None => f,
        }
    };
    let mut waits = Vec::new();
    let mut tried = Vec::new();
    for (t, target) in reference.targets.iter().enumerate() {
        let Some(values) = inputs(leg, target, lines, company, resolved) else {
            if reference.key || !reference.nullable {
                let f = fail(
                    format!("the reference `{}` is required and has no value", reference.name),
                    "fill it at the source",
                    code::REQUIRED,
                    String::new(),
                );
                return Ok(Err(Box::new(Unresolved { failure: f, passing: false, waits: vec![] })));
            }
            return Ok(Ok(vec![Value::Null; width]));
        };
        let table = schema.get(target.table);
        let key = Key::new(values.iter().zip(target.by.iter().map(|(c, _)| table.column(*c).collation)));
        let written = |row: &[Value]| {
            let mut row = row.to_vec();
            if reference.type_column.is_some() {
                row.push(target.type_value.clone());
            }
            row
        };
        if let Some(row) = cache.found.get(&(r, t, key.clone())) {
            return Ok(Ok(written(row)));
        }
        let by: Vec<_> = target.by.iter().map(|(c, _)| *c).collect();
        let among = |rows: &Passing| {
            !key_only
                && rows.iter().any(|(t, columns, keys)| *t == target.table && *columns == by && keys.contains(&key))
        };
        if among(&cache.passing) && !mutant!("refers-to-passing-rows") {
            let f =
                fail("the referred row is about to change".into(), "it is tried again", code::MISSING, String::new());
            return Ok(Err(Box::new(Unresolved { failure: f, passing: true, waits: vec![] })));
        }
        let read: Vec<_> = target.writes.iter().map(|(c, _)| *c).collect();
        let shown = Key(values.clone().into_boxed_slice()).to_string();
        let missing = cache.missing.contains(&(r, t, key.clone()));
        let found = match missing {
            true => None,
            false => tx.find(target.table, &by, std::slice::from_ref(&values), &read)?.pop(),
        };
        match found {
            Some(Found::One { values: row, misfits, .. }) => {
                if let Some((_, m)) = misfits.first() {
                    let f = fail(
                        format!("the referred row in `{}` holds {}, which {}", table.name, m.value, m.reason),
                        "correct the value in the store",
                        code::MISFIT,
                        shown,
                    );
                    return Ok(Err(Box::new(Unresolved { failure: f, passing: false, waits: vec![] })));
                }
                if among(&cache.behind) && !mutant!("refers-to-rows-behind") {
                    let mut f = fail(
                        format!("the referred row in `{}` has a change that its map has not carried yet", table.name),
                        "it is tried again by itself; `tablemap status` tells whether the map is paused or its record waits",
                        code::MISSING,
                        shown,
                    );
                    (f.kind, f.passes) = (QuarantineKind::Parked, true);
                    return Ok(Err(Box::new(Unresolved { failure: f, passing: false, waits: vec![] })));
                }
                let out = written(&row);
                if cache.found.len() >= CACHED {
                    cache.found.clear();
                }
                cache.found.insert((r, t, key), row);
                return Ok(Ok(out));
            }
            Some(Found::Many) => {
                let f = fail(
                    format!("more than one row of `{}` matches", table.name),
                    "the columns a path is written through must be unique; correct the data or the map",
                    code::KEY,
                    shown,
                );
                return Ok(Err(Box::new(Unresolved { failure: f, passing: false, waits: vec![] })));
            }
            Some(Found::None) | None => {
                tried.push(format!("`{}` with {shown}", table.name));
                waits.push(Wait {
                    leg: leg.name.clone(),
                    key: String::new(),
                    table: target.table,
                    columns: by,
                    values,
                });
            }
        }
    }
    if (reference.on_missing == OnMissing::Null || mutant!("missing-is-null")) && reference.nullable {
        return Ok(Ok(vec![Value::Null; width]));
    }
    if !key_only && leg.owes.contains(&r) {
        let mut f = fail(
            format!("no row in {} yet; the reference is empty until then", tried.join(" or in ")),
            "it is filled when the row arrives",
            code::MISSING,
            String::new(),
        );
        f.kind = QuarantineKind::Debt;
        cache.owed.push((f, waits));
        return Ok(Ok(vec![Value::Null; width]));
    }
    let mut f = fail(
        format!("no row in {}", tried.join(" or in ")),
        "it is tried again when the row arrives",
        code::MISSING,
        String::new(),
    );
    match reference.on_missing {
        OnMissing::Park => f.kind = QuarantineKind::Parked,
        _ => f.remedy = "add the row, then `tablemap errors retry`".into(),
    }
    // A polymorphic reference is satisfied by any of its tables: what arrives first wakes the record.
    Ok(Err(Box::new(Unresolved { failure: f, passing: false, waits })))
}

/// Finds the rows that many records refer to, a question for each table instead of one for each record. What is not
/// found, and what a row says of itself that is no plain hit, is left to [`resolve`].
pub(super) fn prefetch(
    leg: &LegRt,
    schema: &StoreSchema,
    tx: &mut dyn Transaction,
    records: &[(&[Value], Option<&Value>, bool)],
    cache: &mut Cache,
) -> Result<()> {
    let l = leg.leg();
    cache.missing.clear();
    let mut resolved: Vec<Vec<Vec<Value>>> = vec![Vec::with_capacity(l.references.len()); records.len()];
    for (r, reference) in l.references.iter().enumerate() {
        for (t, target) in reference.targets.iter().enumerate() {
            // Rows of the table that is being written may be gone or changed when it is their turn.
            if target.table == l.target.table {
                continue;
            }
            let table = schema.get(target.table);
            let by: Vec<_> = target.by.iter().map(|(c, _)| *c).collect();
            let mut asked: Vec<(Key, Vec<Value>)> = Vec::new();
            let mut known: HashSet<Key> = HashSet::new();
            for ((lines, company, key_only), resolved) in records.iter().zip(&resolved) {
                if *key_only && !reference.key {
                    continue;
                }
                let Some(values) = inputs(leg, target, lines, *company, resolved) else { continue };
                let key = Key::new(values.iter().zip(target.by.iter().map(|(c, _)| table.column(*c).collation)));
                let apart = |rows: &Passing| {
                    rows.iter().any(|(t, columns, keys)| *t == target.table && *columns == by && keys.contains(&key))
                };
                if apart(&cache.passing) || apart(&cache.behind) || cache.found.contains_key(&(r, t, key.clone())) {
                    continue;
                }
                if known.insert(key.clone()) {
                    asked.push((key, values));
                }
            }
            if asked.len() < 2 {
                continue;
            }
            if cache.found.len() + asked.len() > CACHED {
                cache.found.clear();
            }
            let read: Vec<_> = target.writes.iter().map(|(c, _)| *c).collect();
            let (keys, values): (Vec<Key>, Vec<Vec<Value>>) = asked.into_iter().unzip();
            for (key, found) in keys.into_iter().zip(tx.find(target.table, &by, &values, &read)?) {
                match found {
                    Found::One { values, misfits, .. } if misfits.is_empty() => {
                        cache.found.insert((r, t, key), values);
                    }
                    Found::None => {
                        cache.missing.insert((r, t, key));
                    }
                    _ => {}
                }
            }
        }
        // References that lead on from this one.
        for ((lines, company, _), resolved) in records.iter().zip(&mut resolved) {
            let hit = reference.targets.iter().enumerate().find_map(|(t, target)| {
                let values = inputs(leg, target, lines, *company, resolved)?;
                let collations = target.by.iter().map(|(c, _)| schema.get(target.table).column(*c).collation);
                cache.found.get(&(r, t, Key::new(values.iter().zip(collations)))).cloned()
            });
            resolved.push(hit.unwrap_or_default());
        }
    }
    Ok(())
}

/// The values to find the row by; none where the reference is null.
fn inputs(
    leg: &LegRt,
    target: &ReferenceTarget,
    lines: &[Value],
    company: Option<&Value>,
    resolved: &[Vec<Value>],
) -> Option<Vec<Value>> {
    target
        .by
        .iter()
        .map(|(_, input)| {
            let value = match input {
                ReferenceInput::Line(i) => lines.get(*i).cloned(),
                ReferenceInput::Nested(r) => resolved.get(*r).and_then(|v| v.first()).cloned(),
                ReferenceInput::Column(c) => leg
                    .cells
                    .iter()
                    .find(|cell| cell.column == *c)
                    .and_then(|cell| cell_value(cell, lines, company, resolved)),
            };
            value.filter(|v| !v.is_null())
        })
        .collect()
}

/// The value of a written cell.
pub(super) fn cell_value(
    cell: &Cell,
    lines: &[Value],
    company: Option<&Value>,
    resolved: &[Vec<Value>],
) -> Option<Value> {
    match cell.from {
        CellFrom::Line(i) => lines.get(i).cloned(),
        CellFrom::Reference(r, n) => resolved.get(r).and_then(|v| v.get(n)).cloned(),
        CellFrom::Each => company.cloned(),
    }
}

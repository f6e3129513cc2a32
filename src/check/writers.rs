//! TM1003 and TM1004: two maps that write one column of one table, or create the same rows, unless filters or
//! constants keep their rows apart, or one creates what the other only updates.

use super::regions::{Space, Verdict};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::ColumnId;
use crate::sema::{CheckedMap, CheckedProject, Company, Expr, Input, Leg, Line, LineTarget, TableAt};
use crate::source::At;
use crate::value::{Value, compare};
use std::collections::HashMap;

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut by_target: HashMap<TableAt, Vec<(&CheckedMap, &Leg)>> = HashMap::new();
    let mut tables = vec![];
    for map in &project.maps {
        for leg in map.legs() {
            let all = by_target.entry(leg.target).or_insert_with(|| {
                tables.push(leg.target);
                vec![]
            });
            all.push((map, leg));
        }
    }
    let mut out = vec![];
    for table in tables {
        let legs = &by_target[&table];
        for (i, b) in legs.iter().enumerate() {
            // Every map is told of once, with the first that it meets.
            let found = legs[..i].iter().filter(|a| a.0.id != b.0.id).find_map(|a| meet(input, table, *a, *b));
            out.extend(found);
        }
    }
    out
}

fn meet(
    input: &Input<'_>,
    table: TableAt,
    (a_map, a): (&CheckedMap, &Leg),
    (b_map, b): (&CheckedMap, &Leg),
) -> Option<Diagnostic> {
    let (store, schema) = &input.stores[table.store];
    let t = schema.get(table.table);
    let (of_a, of_b) = (written(a), written(b));
    let mut shared: Vec<(ColumnId, At, At)> = vec![];
    for (c, line) in &of_b {
        let Some((_, first)) = of_a.iter().find(|(d, _)| d == c) else { continue };
        if !hand_over((a, first), (b, line)) {
            shared.push((*c, line.at, first.at));
        }
    }
    let both_create = a.operations.create && b.operations.create && a.source == b.source;
    if (shared.is_empty() && !both_create) || apart(input, a, b) {
        return None;
    }
    let Some((column, here, there)) = shared.first() else {
        let at = b.lines.first()?.at;
        return Some(
            Diagnostic::new(
                Code::TM1004,
                at.0,
                format!("maps `{}` and `{}` both create rows of `{store}.{}` for the same rows", a_map.id, b_map.id, t.name),
            )
            .related(a.lines.first()?.at.0, format!("the key of `{}`", a_map.id))
            .help(format!(
                "let one of them create and delete, the other update only: `operations {}: update`; or keep their rows apart by filters",
                b.into.word()
            )),
        );
    };
    let more = match shared.len() {
        1 => String::new(),
        n => format!(" (and {} more)", n - 1),
    };
    Some(
        Diagnostic::new(
            Code::TM1003,
            here.0,
            format!(
                "maps `{}` and `{}` both write `{store}.{}.{}`{more}: the last one wins",
                a_map.id,
                b_map.id,
                t.name,
                t.column(*column).name
            ),
        )
        .related(there.0, format!("`{}` writes it here", a_map.id))
        .help("leave the column to one of them, or keep their rows apart by filters or a constant"),
    )
}

/// The columns that a leg writes beside its key, with the line.
fn written(leg: &Leg) -> Vec<(ColumnId, &Line)> {
    let mut out = vec![];
    for line in leg.lines.iter().filter(|l| !l.key) {
        match line.target {
            LineTarget::Column(c) => out.push((c, line)),
            LineTarget::Reference(r) => {
                let columns = leg.references.get(r).into_iter().flat_map(|r| &r.targets).flat_map(|t| &t.writes);
                out.extend(columns.map(|(_, c)| (*c, line)));
            }
        }
    }
    out.retain(|(c, _)| !leg.key.contains(c));
    let mut seen = vec![];
    out.retain(|(c, _)| {
        let new = !seen.contains(c);
        seen.push(*c);
        new
    });
    out
}

/// One writes when a row is created, the other never creates: a hand-over, not a quarrel.
fn hand_over((a, line_a): (&Leg, &Line), (b, line_b): (&Leg, &Line)) -> bool {
    let first = |leg: &Leg, line: &Line| line.once || !leg.operations.update;
    (first(a, line_a) && !b.operations.create) || (first(b, line_b) && !a.operations.create)
}

/// Whether no row of the target can be written by both legs.
fn apart(input: &Input<'_>, a: &Leg, b: &Leg) -> bool {
    let target = &input.stores[a.target.store].1;
    // Each marks its rows with a constant of its own.
    for (c, line) in constants(a) {
        let collation = target.get(a.target.table).column(c).collation;
        let other = constants(b).find(|(d, _)| *d == c);
        if other.is_some_and(|(_, v)| compare(line, v, collation).is_some_and(std::cmp::Ordering::is_ne)) {
            return true;
        }
    }
    // The same source rows have the same key: then columns are the same values in both filters. Otherwise only those
    // are that go into one column of the key as they are.
    let same_rows = a.source == b.source && keys(a) == keys(b);
    let name = |leg: &Leg, tag: &str, from: usize, id: ColumnId| -> Option<String> {
        let into = (from == 0).then(|| keys(leg).into_iter().find(|(_, s)| *s == Some(id))).flatten();
        match into {
            Some((c, _)) => Some(format!("key {}", c.0)),
            None if same_rows => None,
            None => Some(format!("{tag} {from} {}", id.0)),
        }
    };
    let mut space = Space::new();
    for leg in [a, b] {
        for (c, v) in constants(leg).filter(|(c, _)| leg.key.contains(c)) {
            space.fix(format!("key {}", c.0), target.get(a.target.table).column(c), v.clone());
        }
    }
    let (name_a, name_b) = (|f, c| name(a, "a", f, c), |f, c| name(b, "b", f, c));
    let sources = [&input.stores[a.source.store].1, &input.stores[b.source.store].1];
    space.decide(&[(a, sources[0], &name_a), (b, sources[1], &name_b)]).0 == Verdict::Never
}

/// Columns that a leg fills with a constant.
pub(super) fn constants(leg: &Leg) -> impl Iterator<Item = (ColumnId, &Value)> {
    leg.lines.iter().filter(|l| !l.once || l.key).filter_map(|l| match (&l.target, &l.value) {
        (LineTarget::Column(c), Expr::Constant(v)) => Some((*c, v)),
        _ => None,
    })
}

/// The columns of the key, each with the source's own column that goes into it as it is.
fn keys(leg: &Leg) -> Vec<(ColumnId, Option<ColumnId>)> {
    let mut out: Vec<(ColumnId, Option<ColumnId>)> = leg
        .lines
        .iter()
        .filter(|l| l.key)
        .flat_map(|l| {
            let own = match (&l.value, l.inputs.as_slice()) {
                (Expr::Slot(_), [one]) => Some(*one),
                _ => None,
            };
            let columns: Vec<ColumnId> = match l.target {
                LineTarget::Column(c) => vec![c],
                LineTarget::Reference(r) => leg
                    .references
                    .get(r)
                    .into_iter()
                    .flat_map(|r| &r.targets)
                    .flat_map(|t| t.writes.iter().map(|w| w.1))
                    .collect(),
            };
            columns.into_iter().map(move |c| (c, own))
        })
        .collect();
    if let Company::Each(c) = leg.company {
        out.push((c, None));
    }
    out.sort_unstable();
    out.dedup();
    out
}

//! TM0609 and TM0610: whether the tables that references point into are filled, and whether a circle of such tables can
//! ever be begun.

use crate::diagnostic::{Code, Diagnostic};
use crate::schema::TableId;
use crate::sema::{CheckedMap, CheckedProject, Input, Leg, Reference, TableAt};
use crate::source::At;
use crate::syntax::ast;

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut out = vec![];
    // A map with errors may be the one that fills a table.
    let whole = input.files.iter().map(|(_, f)| f.maps.len()).sum::<usize>() == project.maps.len();
    for map in &project.maps {
        for leg in map.legs() {
            for reference in &leg.references {
                for target in &reference.targets {
                    let table = TableAt { store: leg.target.store, table: target.table };
                    if whole {
                        out.extend(unfilled(input, project, map, leg, reference, table));
                    }
                    out.extend(circle(input, project, map, leg, reference, table));
                }
            }
        }
    }
    let mut seen: Vec<Diagnostic> = vec![];
    out.retain(|d| {
        !seen.contains(d) && {
            seen.push(d.clone());
            true
        }
    });
    out
}

fn creates(project: &CheckedProject, table: TableAt) -> bool {
    project.maps.iter().any(|m| m.legs().any(|l| l.target == table && l.operations.create))
}

fn unfilled(
    input: &Input<'_>,
    project: &CheckedProject,
    map: &CheckedMap,
    leg: &Leg,
    reference: &Reference,
    table: TableAt,
) -> Option<Diagnostic> {
    let (store, schema) = &input.stores[table.store];
    let t = schema.get(table.table);
    if t.filled_elsewhere || creates(project, table) {
        return None;
    }
    let at = place(input, map, leg, reference)?;
    let d = Diagnostic::new(
        Code::TM0609,
        at.0,
        format!("`{}` refers to `{store}.{}`, which no map of this project fills", reference.name, t.name),
    )
    .help(format!(
        "add the map that fills it, or say in the schema that others do: `{}: {{ filled: elsewhere }}`",
        t.name
    ));
    let here = input.sources.get(t.span).is_some_and(|text| text.trim_matches(['"', '\'']) == t.name);
    Some(if here { d.related(t.span, "the table") } else { d })
}

/// A required reference from which references lead back to its own table: no row could be the first.
fn circle(
    input: &Input<'_>,
    project: &CheckedProject,
    map: &CheckedMap,
    leg: &Leg,
    reference: &Reference,
    table: TableAt,
) -> Option<Diagnostic> {
    if reference.nullable || !leg.operations.create || !leads_back(project, table, leg.target) {
        return None;
    }
    let schema = &input.stores[table.store].1;
    let at = place(input, map, leg, reference)?;
    Some(
        Diagnostic::new(
            Code::TM0610,
            at.0,
            format!(
                "`{}` is required, and `{}` refers back to `{}`: of two rows that need each other none can be first",
                reference.name,
                schema.get(table.table).name,
                schema.get(leg.target.table).name
            ),
        )
        .help("let the column be empty, or defer the store's constraint"),
    )
}

/// Whether required references lead from rows of `from` to rows of `to`.
fn leads_back(project: &CheckedProject, from: TableAt, to: TableAt) -> bool {
    let mut open = vec![from];
    let mut seen: Vec<TableId> = vec![];
    while let Some(at) = open.pop() {
        if at == to {
            return true;
        }
        if seen.contains(&at.table) {
            continue;
        }
        seen.push(at.table);
        let legs = project.maps.iter().flat_map(|m| m.legs()).filter(|l| l.target == at && l.operations.create);
        for r in legs.flat_map(|l| &l.references).filter(|r| !r.nullable) {
            open.extend(r.targets.iter().map(|t| TableAt { store: at.store, table: t.table }));
        }
    }
    false
}

/// The line that writes a reference.
pub(super) fn place(input: &Input<'_>, map: &CheckedMap, leg: &Leg, reference: &Reference) -> Option<At> {
    let ast = input.files.iter().flat_map(|(_, f)| &f.maps).find(|m| m.id.as_ref().is_some_and(|i| i.it == map.id))?;
    let company = ast.company.iter().map(|n| match leg.into {
        ast::Side::Left => &n.it.left,
        ast::Side::Right => &n.it.right,
    });
    let lines = ast.key.iter().chain(&ast.fields).filter(|l| l.sign.flow.into(leg.into)).map(|l| l.operand(leg.into));
    company.chain(lines).find_map(|e| {
        let ast::ExprKind::Path(p) = &e.kind else { return None };
        let first = reference.name.split('.').next()?;
        let step = p.steps.first()?;
        step.name.text.eq_ignore_ascii_case(first).then_some(p.at)
    })
}

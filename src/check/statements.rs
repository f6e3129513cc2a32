//! TM0416, TM0417, TM0418 and TM0507: statements and lines that never do what they seem to.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedMap, CheckedProject, Input, Leg, LineTarget};
use crate::syntax::ast::{Map, Node, Side, Tables};

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut out = vec![];
    let trees = super::trees(input);
    for map in &project.maps {
        let Some(ast) = trees.get(map.id.as_str()) else { continue };
        exits(ast, map, &mut out);
        company(input, ast, map, &mut out);
        for leg in map.legs() {
            create_only(input, leg, &mut out);
            updates(ast, leg, &mut out);
        }
    }
    out
}

/// `on exit` acts on rows that stop matching a filter; without one none does.
fn exits(ast: &Map, map: &CheckedMap, out: &mut Vec<Diagnostic>) {
    for n in &ast.on_exit {
        let (side, _) = n.it;
        if map.leg(side).is_some_and(|l| l.filter.is_none()) {
            let from = side.other().word();
            let message = format!("this never applies: {from} has no filter that a row could stop matching");
            let help = format!("add `filter {from}: …`, or remove it");
            out.push(Diagnostic::new(Code::TM0416, n.at.0, message).help(help));
        }
    }
}

/// Both tables are kept by company, and the map does not say so.
fn company(input: &Input<'_>, ast: &Map, map: &CheckedMap, out: &mut Vec<Diagnostic>) {
    let Some(tables) = ast.tables.as_ref().filter(|_| ast.company.is_none()) else { return };
    let column = |side: Side| {
        let at = if side == Side::Left { map.left } else { map.right };
        let t = input.stores[at.store].1.get(at.table);
        t.company.map(|c| (t.name.as_str(), t.column(c).name.as_str()))
    };
    let (Some((l, lc)), Some((r, rc))) = (column(Side::Left), column(Side::Right)) else {
        map.legs().for_each(|leg| ownerless(input, leg, tables, out));
        return;
    };
    let d = Diagnostic::new(
        Code::TM0507,
        tables.at.0,
        format!("`{l}` and `{r}` both belong to companies, and the map has no `company`: rows of all companies run"),
    )
    .help(format!("add `company {lc} = {rc}`, with the paths to the companies' codes, in place of a key pair"));
    out.push(d);
}

/// Rows are made in a table that belongs to companies, and nothing says which company they are of.
fn ownerless(input: &Input<'_>, leg: &Leg, tables: &Node<Tables>, out: &mut Vec<Diagnostic>) {
    let t = input.stores[leg.target.store].1.get(leg.target.table);
    let Some(company) = t.company.filter(|_| leg.operations.create) else { return };
    let referred = leg.references.iter().flat_map(|r| &r.targets).flat_map(|x| &x.writes);
    let written = leg.lines.iter().any(|l| matches!(l.target, LineTarget::Column(c) if c == company))
        || referred.into_iter().any(|(_, c)| *c == company);
    if written {
        return;
    }
    let (name, column) = (&t.name, &t.column(company).name);
    let message =
        format!("`{name}` belongs to companies, and rows are made in it without one: nothing fills `{column}`");
    let help = format!("add `company`, with `{column}` or a path over it on that side, or a line that fills it");
    out.push(Diagnostic::new(Code::TM0507, tables.at.0, message).help(help));
}

/// The store takes the column on create only, so later changes never arrive; the line should say so.
fn create_only(input: &Input<'_>, leg: &Leg, out: &mut Vec<Diagnostic>) {
    let t = input.stores[leg.target.store].1.get(leg.target.table);
    for line in leg.lines.iter().filter(|l| !l.key && leg.operations.update) {
        let LineTarget::Column(c) = line.target else { continue };
        let column = t.column(c);
        if column.create_only && !line.said_once {
            let message = format!("`{}.{}` is written on create only: later changes never arrive", t.name, column.name);
            let help = "say so: end the line with `once`";
            out.push(Diagnostic::new(Code::TM0417, line.at.0, message).help(help));
        }
    }
}

/// `update` is among the operations, and no line would change anything.
fn updates(ast: &Map, leg: &Leg, out: &mut Vec<Diagnostic>) {
    let Some(n) = ast.operations.iter().find(|n| n.it.0 == leg.into) else { return };
    if leg.operations.update && !leg.lines.is_empty() && leg.lines.iter().all(|l| l.key || l.once) {
        let message = "`update` is allowed, and no line would change a row that is there";
        out.push(Diagnostic::new(Code::TM0418, n.at.0, message).help("remove `update`, or add lines without `once`"));
    }
}

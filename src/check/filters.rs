//! TM0802 and TM0804: filters that every row passes, or none.

use super::regions::{Space, Verdict};
use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Expr, Input};
use crate::syntax::ast::Side;
use crate::value::Value;

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut out = vec![];
    for leg in project.maps.iter().flat_map(|m| m.legs()) {
        let Some(filter) = &leg.filter else { continue };
        // `filter right: true` was told of when it was read.
        if matches!(filter.condition, Expr::Constant(Value::Boolean(true))) {
            continue;
        }
        let schema = &input.stores[leg.source.store].1;
        let (verdict, columns) = Space::new().decide(&[(leg, schema, &|_, _| None)]);
        let whatever = whatever(&columns);
        let d = match verdict {
            Verdict::Depends => continue,
            Verdict::Always => Diagnostic::new(
                Code::TM0802,
                filter.at.0,
                format!("{whatever}this filter is true: it keeps no row back"),
            )
            .help("remove it, or compare with what should stay"),
            Verdict::Never => Diagnostic::new(
                Code::TM0804,
                filter.at.0,
                format!("{whatever}this filter is never true: no row leaves"),
            )
            .help("one of its comparisons contradicts another, or a value that its column cannot have; perhaps `or` is meant"),
        };
        out.push(d);
    }
    guards(input, project, &mut out);
    out
}

/// The filters of sides from which nothing runs: they only say which rows a guard holds for.
fn guards(input: &Input<'_>, project: &CheckedProject, out: &mut Vec<Diagnostic>) {
    let trees = super::trees(input);
    for map in &project.maps {
        for (side, at) in [(Side::Left, map.left), (Side::Right, map.right)] {
            let mut here = map.guards.iter().filter(|(store, g)| (*store, g.table) == (at.store, at.table));
            let Some(when) = here.find_map(|(_, g)| g.when.as_ref()).filter(|_| map.leg(side.other()).is_none()) else {
                continue;
            };
            let tree = trees.get(map.id.as_str());
            let Some(filter) = tree.and_then(|t| t.filter.iter().find(|f| f.it.0 == side)) else { continue };
            let (verdict, columns) = Space::new().decide_row(input.stores[at.store].1.get(at.table), when);
            let (code, what, help) = match verdict {
                Verdict::Always if !columns.is_empty() => {
                    (Code::TM0802, "true: the guard holds for every row", "remove it, or name the rows that are meant")
                }
                Verdict::Never => (
                    Code::TM0804,
                    "never true: the guard holds for no row",
                    "one of its comparisons contradicts another, or a value that its column cannot have",
                ),
                _ => continue,
            };
            let message = format!("{}this filter is {what}", whatever(&columns));
            out.push(Diagnostic::new(code, filter.it.1.at.0, message).help(help));
        }
    }
}

/// `whatever A and B are, `
fn whatever(columns: &[String]) -> String {
    if columns.is_empty() {
        return String::new();
    }
    let names: Vec<String> = columns.iter().map(|n| format!("`{n}`")).collect();
    let are = if names.len() == 1 { "is" } else { "are" };
    format!("whatever {} {are}, ", names.join(" and "))
}

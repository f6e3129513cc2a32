//! TM0508: a one-way map whose key does not tell the source's rows apart, so that several write one row.

use crate::diagnostic::{Code, Diagnostic};
use crate::schema::ColumnId;
use crate::sema::{CheckedProject, Input, Leg};
use crate::source::At;

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let one_way = project.maps.iter().filter(|m| m.legs().count() == 1);
    one_way.flat_map(|m| m.legs()).filter_map(|leg| in_leg(input, leg)).collect()
}

fn in_leg(input: &Input<'_>, leg: &Leg) -> Option<Diagnostic> {
    let t = input.stores[leg.source.store].1.get(leg.source.table);
    let mut read: Vec<ColumnId> = leg.lines.iter().filter(|l| l.key).flat_map(|l| l.inputs.clone()).collect();
    // A company column is told apart by whatever leads to the company.
    read.sort_unstable();
    read.dedup();
    if t.keys().any(|k| k.iter().all(|c| read.contains(c))) {
        return None;
    }
    let first = leg.lines.iter().find(|l| l.key)?.at;
    let last = leg.lines.iter().rfind(|l| l.key)?.at;
    let at = if leg.lines.iter().filter(|l| l.key).count() > 1 { last } else { first };
    let name = |c: &ColumnId| format!("`{}`", t.column(*c).name);
    let names: Vec<String> = read.iter().map(name).collect();
    let keys: Vec<String> =
        t.keys().map(|k| format!("({})", k.iter().map(name).collect::<Vec<_>>().join(", "))).collect();
    let message = match names.as_slice() {
        [] => format!("the key reads nothing of `{}`: all its rows write one row", t.name),
        names => format!(
            "several rows of `{}` may have the same {}, and would all write one row",
            t.name,
            names.join(" and ")
        ),
    };
    let _: At = at;
    Some(
        Diagnostic::new(Code::TM0508, at.0, message)
            .help(format!("let the key read a whole key of it: {}", keys.join(", "))),
    )
}

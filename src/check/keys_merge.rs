//! TM0906: two rows of the source whose keys differ become one row of the target.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::round_trip::{Joint, end_column, joined, merged, shown};
use crate::sema::{CheckedProject, Input, Leg};
use crate::value::Value;

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let mut out = vec![];
    for leg in project.maps.iter().flat_map(|m| m.legs()) {
        let (source, target) = (&input.stores[leg.source.store].1, &input.stores[leg.target.store].1);
        let Some(m) = merged(&project.context, leg, source, target) else {
            out.extend(joined(&project.context, leg, source, target).map(|j| run_together(leg, &j)));
            continue;
        };
        let line = &leg.lines[m.line];
        let (a, b) = (shown(&m.values.0, &m.column.ty), shown(&m.values.1, &m.column.ty));
        let becomes = shown(&m.becomes, &line.ty);
        let end = end_column(leg, line, target);
        let case = end.is_some_and(|c| c.collation != m.column.collation) && a.eq_ignore_ascii_case(&b);
        let message = if case {
            let end = end.map_or("", |c| c.name.as_str());
            format!("{a} and {b} are two keys in `{}`, and one in `{end}`, which compares without case", m.column.name)
        } else {
            format!("{a} and {b} are two keys in `{}`; both become {becomes}", m.column.name)
        };
        let help = if case {
            "if the source never holds both, say so in its schema: `collation: case-insensitive`"
        } else {
            "a key takes its values as they are, or through a transform that keeps them apart"
        };
        out.push(Diagnostic::new(Code::TM0906, line.at.0, message).help(help));
    }
    out.dedup();
    out
}

/// Columns that run into each other.
fn run_together(leg: &Leg, j: &Joint<'_>) -> Diagnostic {
    let row = |values: &[Value]| {
        let cells = j.columns.iter().zip(values).map(|(c, v)| format!("`{}` {}", c.name, shown(v, &c.ty)));
        cells.collect::<Vec<_>>().join(" with ")
    };
    let line = &leg.lines[j.line];
    let message =
        format!("{} and {} are two keys; both become {}", row(&j.rows.0), row(&j.rows.1), shown(&j.becomes, &line.ty));
    Diagnostic::new(Code::TM0906, line.at.0, message)
        .help("give each column a key pair of its own, or put something between them that none of them holds")
}

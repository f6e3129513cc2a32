//! TM0802 and TM0804: filters that every row passes, or none.

use super::regions::{Space, Verdict};
use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Expr, Input};
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
        let whatever = match columns.as_slice() {
            [] => String::new(),
            names => {
                let names: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
                let are = if names.len() == 1 { "is" } else { "are" };
                format!("whatever {} {are}, ", names.join(" and "))
            }
        };
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
    out
}

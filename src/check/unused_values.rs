//! TM1101: a value map of file level that no line uses.

use crate::diagnostic::{Code, Diagnostic, edit};
use crate::sema::{CheckedProject, Input};
use crate::syntax::ast::{Edit, LineValues};
use std::collections::HashSet;

pub(super) fn check(input: &Input<'_>, _: &CheckedProject) -> Vec<Diagnostic> {
    let files = || input.files.iter().map(|(_, f)| f);
    let used: HashSet<&str> = files()
        .flat_map(|f| &f.maps)
        .flat_map(|m| m.key.iter().chain(&m.fields).chain(m.edits.iter().filter_map(Edit::line)))
        .filter_map(|l| match &l.values {
            Some(LineValues::Named(n)) => Some(n.text.as_str()),
            _ => None,
        })
        .collect();
    files()
        .flat_map(|f| &f.values)
        .filter(|v| !used.contains(v.name.text.as_str()))
        .map(|v| {
            let message = format!("no line uses the value map `{}`", v.name.text);
            let d =
                Diagnostic::new(Code::TM1101, v.name.at.0, message).help("remove it, or use it: `A >< b values NAME`");
            let file = input.sources.file(v.at.0.file);
            if !file.name.ends_with(".tmap") {
                return d;
            }
            d.fix("remove it", edit::statement(&file.text, v.at.0), "", false)
        })
        .collect()
}

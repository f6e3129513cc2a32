//! TM1102: a password, key or token that stands in a file. The finding names where, never what.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Input};
use crate::source::Span;

pub(super) fn check(input: &Input<'_>, _: &CheckedProject) -> Vec<Diagnostic> {
    let files = input.sources.iter();
    files
        .flat_map(|(id, file)| file.secrets().into_iter().map(move |(from, to)| Span::new(id, from, to)))
        .map(|span| {
            Diagnostic::new(Code::TM1102, span, "a secret stands in this file")
                .help("keep it in the environment, and write `${NAME}` here; then change it, since it was in a file")
        })
        .collect()
}

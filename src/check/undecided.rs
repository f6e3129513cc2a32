//! TM1402: comments that `merge` left at what both sides had changed.

use crate::diagnostic::{Code, Diagnostic};
use crate::sema::{CheckedProject, Input};
use crate::source::{SourceFile, Span};
use crate::syntax::{dsl, yaml};

pub(super) fn check(input: &Input<'_>, _: &CheckedProject) -> Vec<Diagnostic> {
    let mut found = vec![];
    for (id, _) in input.files {
        let file = input.sources.file(*id);
        let mut last = None;
        for (start, end) in comments(file) {
            let text = file.text.get(start..end).unwrap_or("");
            let line = file.place(u32::try_from(start).unwrap_or(u32::MAX)).line;
            // The lines of one conflict are one finding.
            if is_mark(text) && last.replace(line).is_none_or(|l| l + 1 != line) {
                found.push(
                    Diagnostic::new(Code::TM1402, Span::new(*id, start, end), "what both sides changed is not decided")
                        .help("write the line as it should be, and remove the comments of the conflict"),
                );
            }
        }
    }
    found
}

fn comments(file: &SourceFile) -> Vec<(usize, usize)> {
    match file.text.contains("conflict: ") {
        false => vec![],
        true if file.name.ends_with(".tmap") => dsl::comments(&file.text),
        true => yaml::comments(&file.text),
    }
}

/// As `merge` writes them.
fn is_mark(comment: &str) -> bool {
    let Some(mark) = comment.trim_start_matches('#').trim().strip_prefix("conflict: ") else { return false };
    mark.starts_with("base ") || mark.starts_with("theirs ") || mark.ends_with("was taken away here")
}

//! Takes away what only echoes a mistake of writing: a map whose `key` cannot be read does not also lack a key.

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::source::{FileId, Sources};
use crate::syntax::ast::File;
use std::sync::Arc;

/// Findings about what is missing, and the word of the statement that would say it.
const MISSING: &[(Code, &[&str])] = &[
    (Code::TM0211, &["id"]),
    (Code::TM0212, &["tables"]),
    (Code::TM0501, &["key"]),
    (Code::TM0403, &["fields"]),
    (Code::TM0418, &["fields"]),
];

/// The findings without those that say a statement is missing where it is there, but could not be read.
pub fn without_echoes(sources: &Sources, files: &[(FileId, Arc<File>)], findings: Vec<Diagnostic>) -> Vec<Diagnostic> {
    let starts: Vec<(FileId, u32)> =
        files.iter().flat_map(|(_, f)| &f.maps).map(|m| (m.at.0.file, m.at.0.start)).collect();
    // The map a place lies in: the last that begins at or before it, or the first of the file.
    let map_of = |file: FileId, at: u32| {
        let here = starts.iter().filter(|(f, _)| *f == file).map(|(_, s)| *s);
        here.clone().filter(|s| *s <= at).max().or(here.min())
    };
    let unread: Vec<(FileId, Option<u32>, &str)> = findings
        .iter()
        .filter(|d| d.severity == Severity::Error && d.code.0.starts_with("TM01"))
        .filter_map(|d| {
            let span = d.span()?;
            let text = &sources.file(span.file).text;
            let begin = text.get(..span.start as usize)?.rfind('\n').map_or(0, |i| i + 1);
            let line = text.get(begin..)?.trim_start_matches([' ', '\t', '-', '"']);
            let word = line.split(|c: char| !c.is_alphanumeric()).next().unwrap_or("");
            // What follows such a place in a YAML file is not read at all; a field line is any line.
            let word = if matches!(d.code, Code::TM0130 | Code::TM0136) { "" } else { word };
            Some((span.file, map_of(span.file, span.start), word))
        })
        .collect();
    let echo = |d: &Diagnostic| {
        let Some((_, words)) = MISSING.iter().find(|(c, _)| *c == d.code) else { return false };
        let Some(span) = d.span() else { return false };
        let map = map_of(span.file, span.start);
        unread.iter().any(|(file, at, word)| {
            *file == span.file
                && *at == map
                && (word.is_empty() || words.contains(word) || matches!(d.code, Code::TM0403 | Code::TM0418))
        })
    };
    let dropped: Vec<bool> = findings.iter().map(echo).collect();
    findings.into_iter().zip(dropped).filter(|(_, dropped)| !dropped).map(|(d, _)| d).collect()
}

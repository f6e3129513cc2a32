//! The DSL notation: parse and write.

use super::ast::{Expr, File, Line};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};

/// Reads a `.tmap` file; what can be understood is returned even where there are findings.
pub fn parse(sources: &Sources, file: FileId) -> (File, Vec<Diagnostic>) {
    let _ = (sources, file);
    (File::default(), vec![])
}

/// Writes the canonical text of a file, comments kept.
pub fn write(file: &File) -> String {
    let _ = file;
    String::new()
}

/// The canonical text of an expression.
pub fn write_expr(expr: &Expr) -> String {
    let _ = expr;
    String::new()
}

/// The canonical text of a line, with its value map on one line.
pub fn write_line(line: &Line) -> String {
    let _ = line;
    String::new()
}

/// A piece of map text that stands inside another file (a YAML scalar).
#[derive(Clone, Copy)]
pub struct Fragment<'a> {
    /// The text.
    pub text: &'a str,
    /// The file it came from.
    pub file: FileId,
    /// From a byte offset in `text` (its length included) to one in the file.
    pub offset: &'a dyn Fn(usize) -> usize,
}

/// Reads one field line (or, without its tail, a key pair).
pub fn parse_line(fragment: Fragment<'_>) -> (Option<Line>, Vec<Diagnostic>) {
    let _ = fragment;
    (None, vec![])
}

/// Reads one expression.
pub fn parse_expr(fragment: Fragment<'_>) -> (Option<Expr>, Vec<Diagnostic>) {
    let _ = fragment;
    (None, vec![])
}

/// Reads the body of one head statement, whose beginning (`operations left:`, `tables`, `run`) is `prefix`, into the
/// map. Offsets in the prefix count as the fragment's start.
pub fn parse_head(prefix: &str, fragment: Fragment<'_>, map: &mut super::ast::Map) -> Vec<Diagnostic> {
    let _ = (prefix, fragment, map);
    vec![]
}

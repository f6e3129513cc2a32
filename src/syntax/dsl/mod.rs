//! The DSL notation: parse and write.
//!
//! `scan` finds texts, brackets and comments; `recover` tries the grammar's rules statement by statement and goes on
//! behind what does not fit; `build`, `expr`, `line` and `stmt` make the tree; `write` and `write_expr` make text of it.

mod build;
mod errors;
mod expr;
mod line;
mod line_breaks;
mod parse;
mod recover;
mod scan;
mod stmt;
mod trivia;
mod write;
mod write_expr;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod tests_random;

use super::ast::{Expr, File, Line};
use crate::diagnostic::Diagnostic;
use crate::source::{FileId, Sources};

#[allow(missing_docs)]
mod grammar {
    /// The parser made from `grammar/tablemap.pest`.
    #[derive(pest_derive::Parser)]
    #[grammar = "../grammar/tablemap.pest"]
    pub struct DslParser;
}
use grammar::{DslParser, Rule};

/// Reads a `.tmap` file; what can be understood is returned even where there are findings.
pub fn parse(sources: &Sources, file: FileId) -> (File, Vec<Diagnostic>) {
    parse::file(&sources.file(file).text, file)
}

/// Where the comments of a text stand, from `#` to the last character, in order.
pub fn comments(text: &str) -> Vec<(usize, usize)> {
    scan::scan(text).items.iter().filter_map(|i| i.comment.map(|(_, end)| (i.start, end))).collect()
}

/// What of a file read from YAML has no form in the DSL.
pub fn unwritable(file: &File) -> Vec<Diagnostic> {
    line_breaks::find(file)
}

/// Writes the canonical text of a file, comments kept.
pub fn write(file: &File) -> String {
    write::file(file)
}

/// The canonical text of an expression.
pub fn write_expr(expr: &Expr) -> String {
    write_expr::expr(expr)
}

/// The canonical text of a line, with its value map on one line.
pub fn write_line(line: &Line) -> String {
    write::one_line(line)
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
    parse::line(fragment)
}

/// Reads one expression.
pub fn parse_expr(fragment: Fragment<'_>) -> (Option<Expr>, Vec<Diagnostic>) {
    parse::expr(fragment)
}

/// Reads the body of one head statement, whose beginning (`operations left:`, `tables`, `run`) is `prefix`, into the
/// map. Offsets in the prefix count as the fragment's start.
pub fn parse_head(prefix: &str, fragment: Fragment<'_>, map: &mut super::ast::Map) -> Vec<Diagnostic> {
    parse::head(prefix, fragment, map)
}

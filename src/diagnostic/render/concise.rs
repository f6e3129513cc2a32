//! One line for each finding: `path:line:column: error TM0202: message`.

use super::word;
use crate::diagnostic::Diagnostic;
use crate::source::Sources;

/// Renders one finding, without a line break at its end.
pub fn render(sources: &Sources, d: &Diagnostic) -> String {
    let place = d.span().map_or("tablemap".to_string(), |s| sources.at(s));
    let message: Vec<&str> = d.message.split_whitespace().collect();
    format!("{place}: {} {}: {}", word(d.severity), d.code, message.join(" "))
}

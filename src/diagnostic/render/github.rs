//! Workflow commands of GitHub Actions, which become annotations of the changed lines.

use super::with_help;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;

/// Renders one finding as one line, without the line break.
pub fn render(sources: &Sources, d: &Diagnostic) -> String {
    let command = match d.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "notice",
    };
    let mut properties = vec![];
    if let Some(span) = d.span() {
        let file = sources.file(span.file);
        let (start, end) = (file.place(span.start), file.place(span.end));
        properties.push(format!("file={}", property(&file.name)));
        properties.push(format!("line={}", start.line));
        // Columns count only on one line; the last one is meant to be inside.
        if start.line == end.line {
            properties.push(format!("col={}", start.column));
            properties.push(format!("endColumn={}", end.column.saturating_sub(1).max(start.column)));
        }
        properties.push(format!("endLine={}", end.line));
    }
    properties.push(format!("title={}", d.code));
    format!("::{command} {}::{}", properties.join(","), data(&with_help(d)))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    #[test]
    fn escapes() {
        assert_eq!(super::data("50%\r\nx: a, b"), "50%25%0D%0Ax: a, b");
        assert_eq!(super::property("C:\\a,b%.tmap"), "C%3A\\a%2Cb%25.tmap");
    }
}

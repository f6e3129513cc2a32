//! Findings for programs: format 1, documented in docs/json.md. Its own types, never a dump of [`Diagnostic`].

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};

/// A report of findings.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    format: u32,
    findings: Vec<Finding>,
    errors: usize,
    warnings: usize,
    silenced: usize,
}

#[derive(Debug, serde::Serialize)]
struct Finding {
    code: String,
    severity: Severity,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Where>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Where>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<String>,
}

#[derive(Debug, serde::Serialize)]
struct Where {
    file: String,
    line: u32,
    column: u32,
    end_line: u32,
    end_column: u32,
    text: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
}

fn place(sources: &Sources, span: Span, message: &str) -> Where {
    let file = sources.file(span.file);
    let (start, end) = (file.place(span.start), file.place(span.end));
    Where {
        file: file.name.clone(),
        line: start.line,
        column: start.column,
        end_line: end.line,
        end_column: end.column,
        text: masked(file, span),
        message: message.to_string(),
    }
}

fn masked(file: &crate::source::SourceFile, span: Span) -> String {
    let text = file.masked();
    text.get(span.start as usize..(span.end as usize).min(text.len())).unwrap_or("").to_string()
}

/// Turns findings into the versioned report; comments in the files silenced so many others.
pub fn report(sources: &Sources, findings: &[Diagnostic], silenced: usize) -> Report {
    Report {
        format: 1,
        errors: findings.iter().filter(|d| d.severity == Severity::Error).count(),
        warnings: findings.iter().filter(|d| d.severity == Severity::Warning).count(),
        silenced,
        findings: findings
            .iter()
            .map(|d| Finding {
                code: d.code.to_string(),
                severity: d.severity,
                message: d.message.clone(),
                at: d.primary.as_ref().map(|l| place(sources, l.span, &l.message)),
                related: d.related.iter().map(|l| place(sources, l.span, &l.message)).collect(),
                help: d.help.clone(),
            })
            .collect(),
    }
}

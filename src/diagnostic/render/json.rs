//! Findings for programs: format 1, documented in docs/json.md. Its own types, never a dump of [`Diagnostic`].

use crate::diagnostic::apply::Done;
use crate::diagnostic::{Diagnostic, Edit, Fix, Severity};
use crate::source::{Sources, Span};

/// A report of findings.
#[derive(Debug, serde::Serialize)]
pub struct Report {
    format: u32,
    findings: Vec<Finding>,
    errors: usize,
    warnings: usize,
    silenced: usize,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    mended: Option<Mended>,
}

/// What `--fix` did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Mended {
    /// Fixes applied.
    pub fixed: Vec<Done>,
    /// Fixes that would have left more errors.
    pub not_fixed: Vec<Done>,
    /// Findings left that `--unsafe-fixes` would mend.
    pub more_with_unsafe_fixes: usize,
    /// The changes as a unified diff.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub diff: Option<String>,
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
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Proposal>,
}

#[derive(Debug, serde::Serialize)]
struct Proposal {
    title: String,
    safe: bool,
    edits: Vec<Change>,
}

#[derive(Debug, serde::Serialize)]
struct Change {
    #[serde(flatten)]
    at: Where,
    replacement: String,
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
        text: sources.masked(span),
        message: message.to_string(),
    }
}

fn proposal(sources: &Sources, f: &Fix) -> Proposal {
    let change = |e: &Edit| Change { at: place(sources, e.span, ""), replacement: e.replacement.clone() };
    Proposal { title: f.title.clone(), safe: f.safe, edits: f.edits.iter().map(change).collect() }
}

/// Turns findings into the versioned report; comments in the files silenced so many others.
pub fn report(sources: &Sources, findings: &[Diagnostic], silenced: usize, mended: Option<Mended>) -> Report {
    Report {
        format: 1,
        mended,
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
                fixes: d.fixes.iter().map(|f| proposal(sources, f)).collect(),
            })
            .collect(),
    }
}

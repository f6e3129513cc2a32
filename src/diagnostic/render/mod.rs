//! Small renderers over one diagnostic value. What programs read is deterministic: no times, no absolute folders.

pub mod concise;
pub mod github;
pub mod gitlab;
pub mod human;
pub mod json;
pub mod junit;
pub mod sarif;

use super::{Diagnostic, Severity};
use crate::source::{SourceFile, Sources};
use sha2::{Digest, Sha256};
use std::collections::HashMap;

/// `error`, `warning`, `info`
fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// Message and help line as one text.
fn with_help(d: &Diagnostic) -> String {
    match &d.help {
        Some(help) => format!("{}\nhelp: {help}", d.message),
        None => d.message.clone(),
    }
}

/// What tells a finding from others and stays the same while lines move: code, file, the line's text, the text under
/// the span, and which one of those that agree in all this it is.
fn fingerprints(sources: &Sources, findings: &[Diagnostic]) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    findings
        .iter()
        .map(|d| {
            let mut parts = vec![d.code.0.to_string()];
            match d.span() {
                Some(span) => {
                    let file = sources.file(span.file);
                    parts.push(file.name.clone());
                    // Not even as a hash does a secret go out.
                    let line = SourceFile::new(file.name.as_str(), file.line(file.place(span.start).line));
                    parts.push(line.masked().trim().to_string());
                    parts.push(sources.masked(span));
                }
                None => parts.push(d.message.clone()),
            }
            let key = parts.join("\0");
            let nth = seen.entry(key.clone()).or_insert(0);
            *nth += 1;
            let hash = Sha256::digest(format!("{key}\0{nth}"));
            hash.iter().take(16).map(|b| format!("{b:02x}")).collect()
        })
        .collect()
}

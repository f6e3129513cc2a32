//! GitLab's code quality report: a list of issues in the form of Code Climate.

use super::{fingerprints, with_help};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;
use serde_json::{Value, json};

/// The whole report. Findings without a place have the path `tablemap.yaml`: the form asks for one.
pub fn report(sources: &Sources, findings: &[Diagnostic]) -> Value {
    let prints = fingerprints(sources, findings);
    let issues = findings.iter().zip(prints).map(|(d, print)| {
        let (path, begin, end) = match d.span() {
            Some(s) => {
                let file = sources.file(s.file);
                (file.name.as_str(), file.place(s.start).line, file.place(s.end).line)
            }
            None => ("tablemap.yaml", 1, 1),
        };
        json!({
            "description": with_help(d),
            "check_name": d.code.0,
            "fingerprint": print,
            "severity": match d.severity {
                Severity::Error => "major",
                Severity::Warning => "minor",
                Severity::Info => "info",
            },
            "location": { "path": path, "lines": { "begin": begin, "end": end } },
        })
    });
    Value::Array(issues.collect())
}

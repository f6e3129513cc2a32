//! JUnit XML: a suite for each file, a case for each finding; a file without findings is one case that passed.

use super::{concise, word};
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{FileId, Sources};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The whole report. Errors are failures; so are warnings if they are `strict`, else they are skipped cases, since JUnit
/// knows no warnings. The error is the writer's, in words.
pub fn report(sources: &Sources, findings: &[Diagnostic], strict: bool) -> Result<String, String> {
    let mut report = Report::new("tablemap check");
    let mut suites: Vec<(Option<FileId>, &str)> = sources.iter().map(|(id, f)| (Some(id), f.name.as_str())).collect();
    if findings.iter().any(|d| d.primary.is_none()) {
        suites.push((None, "tablemap"));
    }
    for (id, name) in suites {
        let mut suite = TestSuite::new(name);
        for d in findings.iter().filter(|d| d.span().map(|s| s.file) == id) {
            suite.add_test_case(case(sources, d, name, strict));
        }
        if suite.tests == 0 {
            let mut passed = TestCase::new("check", TestCaseStatus::success());
            passed.set_classname(name);
            suite.add_test_case(passed);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|e| e.to_string())
}

fn case(sources: &Sources, d: &Diagnostic, file: &str, strict: bool) -> TestCase {
    let failed = d.severity == Severity::Error || (strict && d.severity == Severity::Warning);
    let mut status =
        if failed { TestCaseStatus::non_success(NonSuccessKind::Failure) } else { TestCaseStatus::skipped() };
    status.set_message(d.message.as_str());
    status.set_type(word(d.severity));
    let place = d.span().map_or(String::new(), |s| sources.at(s));
    let help = d.help.as_ref().map_or(String::new(), |h| format!("\nhelp: {h}"));
    status.set_description(concise::render(sources, d) + &help);
    let name = match d.span() {
        Some(s) => {
            let at = sources.file(s.file).place(s.start);
            format!("{} at {}:{}", d.code, at.line, at.column)
        }
        None => d.code.to_string(),
    };
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    if let (Some(s), false) = (d.span(), place.is_empty()) {
        let file = sources.file(s.file);
        case.extra.insert("file".into(), file.name.as_str().into());
        case.extra.insert("line".into(), file.place(s.start).line.to_string().as_str().into());
    }
    case
}

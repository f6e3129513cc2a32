//! Fixes. `tests/corpus/fix/*` are maps with mistakes, with what safe and what all fixes make of them beside them
//! (`.safe`, `.all`; UPDATE=1 writes them anew); and no fix of any bad map of the corpus makes it worse.

use super::corpus;
use std::path::{Path, PathBuf};
use tablemap::diagnostic::apply::{Checked, Outcome, apply};
use tablemap::diagnostic::{Diagnostic, Severity};
use tablemap::sema::Input;
use tablemap::source::Sources;
use tablemap::{check, syntax};

fn look(name: &str, text: &str) -> Checked {
    let mut sources = Sources::new();
    let stores = corpus::stores(&mut sources, &corpus::corpus());
    let file = sources.add(name, text);
    let parse = if name.ends_with(".yaml") { syntax::yaml::parse } else { syntax::dsl::parse };
    let (ast, mut findings) = parse(&sources, file);
    let asts = [(file, std::sync::Arc::new(ast))];
    let time_zone = jiff::tz::TimeZone::UTC;
    let input = Input { sources: &sources, stores: &stores, files: &asts, companies: None, time_zone };
    findings.extend(check::check(&input).1);
    Checked { sources, findings }
}

fn fixed(name: &str, text: &str, unsafe_too: bool) -> (String, Outcome) {
    let mut again = |texts: &tablemap::diagnostic::apply::Texts| Some(look(name, texts.get(name).map_or(text, |t| t)));
    let outcome = apply(look(name, text), unsafe_too, &mut again);
    (outcome.texts.get(name).cloned().unwrap_or_else(|| text.to_string()), outcome)
}

fn errors(findings: &[Diagnostic]) -> (usize, usize) {
    let errors = || findings.iter().filter(|d| d.severity == Severity::Error);
    (errors().filter(|d| d.code.0.starts_with("TM01")).count(), errors().count())
}

fn cases(dir: &str) -> Vec<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(dir);
    let mut all = corpus::files(&dir, ".tmap");
    all.extend(corpus::files(&dir, ".map.yaml"));
    all
}

#[test]
fn fixes_are_as_they_were() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = vec![];
    for path in cases("fix") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for (ending, unsafe_too) in [("safe", false), ("all", true)] {
            let (got, outcome) = fixed(&name, &text, unsafe_too);
            let beside = path.with_file_name(format!("{name}.{ending}"));
            if update {
                std::fs::write(&beside, &got).unwrap();
            }
            if std::fs::read_to_string(&beside).unwrap_or_default() != got {
                let left = corpus::shown(&outcome.left.sources, &outcome.left.findings);
                wrong.push(format!("{name}.{ending}\n{got}\n{left}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Comments of a text: what stands behind a `#`.
fn comments(text: &str) -> Vec<&str> {
    let mut all: Vec<&str> = text.lines().filter_map(|l| l.split_once("# ")).map(|(_, c)| c.trim()).collect();
    all.sort_unstable();
    all
}

#[test]
fn no_fix_makes_a_bad_map_worse() {
    let mut count = 0;
    for path in cases("check/bad").into_iter().chain(cases("fix")) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let before = look(&name, &text);
        for unsafe_too in [false, true] {
            let (got, outcome) = fixed(&name, &text, unsafe_too);
            let after = look(&name, &got);
            assert!(errors(&after.findings) <= errors(&before.findings), "{name}\n{got}");
            assert_eq!(comments(&got), comments(&text), "{name}\n{got}");
            assert!(outcome.applied.iter().all(|d| d.safe || unsafe_too));
            count += outcome.applied.len();
            // What was done once is not done again.
            let (again, second) = fixed(&name, &got, unsafe_too);
            assert_eq!((again.as_str(), second.applied.len()), (got.as_str(), 0), "{name}");
        }
    }
    assert!(count > 40, "only {count} fixes");
}

/// Each fix by itself, of every bad map: the text can be read again, and is not worse.
#[test]
fn each_proposed_edit_lies_in_the_text() {
    for path in cases("check/bad") {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        for fix in look(&name, &text).findings.iter().flat_map(|d| &d.fixes) {
            let new = tablemap::diagnostic::apply::replace(&text, &fix.edits);
            assert!(new.is_some_and(|n| n != text), "{name}: {}", fix.title);
        }
    }
}

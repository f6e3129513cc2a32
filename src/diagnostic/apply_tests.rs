//! The applier against a checker that is a few words long: `bad` is an error whose fix is `good`, and so on.

use super::*;
use crate::diagnostic::Code;
use crate::source::Span;

/// Words and what they are found to be: (word, code, replacement, safe, errors it stands for).
type Rules = &'static [(&'static str, Code, &'static str, bool)];

fn look(texts: &Texts, rules: Rules) -> Checked {
    let mut sources = Sources::new();
    let mut findings = vec![];
    for (name, text) in texts {
        let id = sources.add(name.as_str(), text.as_str());
        for (word, code, with, safe) in rules {
            for (at, _) in text.match_indices(word) {
                let span = Span::new(id, at, at + word.len());
                let d = Diagnostic::new(*code, span, *word);
                findings.push(if with == word { d } else { d.fix(format!("{word} to {with}"), span, *with, *safe) });
            }
        }
    }
    Checked { sources, findings }
}

fn run(text: &str, unsafe_too: bool, rules: Rules) -> (String, usize, usize, usize) {
    let start: Texts = [("a".to_string(), text.to_string())].into();
    let mut check = |t: &Texts| {
        let mut all = start.clone();
        all.extend(t.clone());
        Some(look(&all, rules))
    };
    let first = look(&start, rules);
    let out = apply(first, unsafe_too, &mut check);
    let text = out.texts.get("a").cloned().unwrap_or_else(|| text.to_string());
    (text, out.applied.len(), out.refused.len(), out.more_unsafe)
}

#[test]
fn safe_ones_only_unless_asked() {
    const RULES: Rules = &[("bad", Code::TM0203, "good", true), ("odd", Code::TM0203, "even", false)];
    assert_eq!(run("bad odd bad", false, RULES), ("good odd good".into(), 2, 0, 1));
    assert_eq!(run("bad odd bad", true, RULES), ("good even good".into(), 3, 0, 0));
    assert_eq!(run("fine", true, RULES), ("fine".into(), 0, 0, 0));
}

#[test]
fn what_a_fix_uncovers_is_mended_in_a_later_round() {
    const RULES: Rules = &[("one", Code::TM0101, "two", true), ("two", Code::TM0203, "three", true)];
    assert_eq!(run("one", false, RULES), ("three".into(), 2, 0, 0));
}

#[test]
fn of_overlapping_fixes_the_first_is_taken() {
    const RULES: Rules = &[("ab", Code::TM0203, "x", true), ("bc", Code::TM0203, "y", true)];
    assert_eq!(run("abc ab", true, RULES), ("xc x".into(), 2, 0, 0));
}

#[test]
fn a_fix_that_makes_it_worse_is_not_applied_and_the_others_are() {
    const RULES: Rules = &[
        ("bad", Code::TM0203, "worse worse", true),
        ("odd", Code::TM0203, "even", true),
        ("worse", Code::TM0203, "worse", true),
    ];
    assert_eq!(run("odd bad odd", false, RULES), ("even bad even".into(), 2, 1, 0));
}

#[test]
fn a_mended_syntax_error_may_bring_more_to_light() {
    const RULES: Rules = &[("open", Code::TM0101, "worse worse", true), ("worse", Code::TM0203, "worse", true)];
    assert_eq!(run("open", false, RULES), ("worse worse".into(), 1, 0, 0));
}

#[test]
fn a_fix_that_mends_nothing_ends() {
    const RULES: Rules = &[("tic", Code::TM0203, "toc", true), ("toc", Code::TM0203, "tic", true)];
    let (_, applied, _, _) = run("tic", false, RULES);
    assert!(applied <= ROUNDS);
    const SAME: Rules = &[("x", Code::TM0203, "xx", true)];
    let (text, _, _, _) = run("x", false, SAME);
    assert!(text.len() < 64, "{text}");
}

#[test]
fn edits_outside_of_the_text_are_none() {
    let edit = |start, end| Edit { span: Span::new(FileId(0), start, end), replacement: "é\n".into() };
    assert_eq!(replace("aé", &[edit(0, 1)]), Some("é\né".into()));
    assert_eq!(replace("aé", &[edit(2, 3)]), None);
    assert_eq!(replace("aé", &[edit(0, 2)]), None);
    assert_eq!(replace("aé", &[edit(3, 9)]), None);
    assert_eq!(replace("ab", &[edit(0, 2), edit(1, 1)]), None);
    assert_eq!(replace("a\r\nb", &[edit(0, 1)]), Some("é\r\n\r\nb".into()));
}

//! Applies fixes, in rounds: of the fixes at hand those that do not overlap, then everything is checked again, until
//! none is left. A fix never makes a file worse: after it there are not more syntax errors, nor, with as many of those,
//! more errors (a mended syntax error may bring to light what it hid). One that would is not applied, and told of.

use super::{Diagnostic, Edit, Fix, Severity};
use crate::source::{FileId, Sources};
use std::collections::BTreeMap;

/// Rounds at most: each mends what the one before uncovered.
const ROUNDS: usize = 16;
/// Looks at the whole project at most, over all rounds.
const LOOKS: usize = 256;

/// Texts that stand in for files, by the files' names.
pub type Texts = BTreeMap<String, String>;

/// A project as it was looked at.
pub struct Checked {
    /// The texts.
    pub sources: Sources,
    /// The findings.
    pub findings: Vec<Diagnostic>,
}

/// A fix that was applied, or not.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Done {
    /// The file's name.
    pub file: String,
    /// The code of the finding.
    pub code: &'static str,
    /// What the fix does.
    pub title: String,
    /// Whether it is safe.
    pub safe: bool,
}

/// What came of it.
pub struct Outcome {
    /// The new texts of the files that changed.
    pub texts: Texts,
    /// What was applied.
    pub applied: Vec<Done>,
    /// What was not, since there would be more errors after it.
    pub refused: Vec<Done>,
    /// Findings left that an unsafe fix would mend.
    pub more_unsafe: usize,
    /// The project after it.
    pub left: Checked,
}

/// The text with these edits made; none where they overlap or do not lie in it.
pub fn replace<'e>(text: &str, edits: impl IntoIterator<Item = &'e Edit>) -> Option<String> {
    let mut edits: Vec<&Edit> = edits.into_iter().collect();
    edits.sort_by_key(|e| (e.span.start, e.span.end));
    let crlf = text.contains("\r\n");
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for e in edits {
        let (start, end) = (e.span.start as usize, e.span.end as usize);
        if start < from || end < start {
            return None;
        }
        out.push_str(text.get(from..start)?);
        text.get(start..end)?;
        if crlf && e.replacement.contains('\n') {
            out.push_str(&e.replacement.replace("\r\n", "\n").replace('\n', "\r\n"));
        } else {
            out.push_str(&e.replacement);
        }
        from = end;
    }
    out.push_str(text.get(from..)?);
    Some(out)
}

/// A fix that may be applied.
#[derive(Clone)]
struct Candidate {
    file: FileId,
    fix: Fix,
    done: Done,
    /// The text it stands on, by which it is known again in a later round.
    line: String,
    /// What it should take away: syntax errors, errors.
    weight: (usize, usize),
}

impl Candidate {
    fn same(&self, other: &Candidate) -> bool {
        self.done == other.done && self.line == other.line
    }
}

/// Whether two edits cannot both be made. Two insertions at one place can be, but in which order nobody said.
fn overlap(a: &Edit, b: &Edit) -> bool {
    let (a, b) = (a.span, b.span);
    a.file == b.file && ((a.start < b.end && b.start < a.end) || a.start == b.start)
}

/// The fix of a finding that would be taken: the first that is allowed, lies in one file and changes something.
fn candidate(checked: &Checked, d: &Diagnostic, unsafe_too: bool) -> Option<Candidate> {
    let fix = d.fixes.iter().find(|f| f.safe || unsafe_too)?;
    let first = fix.edits.first()?;
    let file = checked.sources.file(first.span.file);
    if fix.edits.iter().any(|e| e.span.file != first.span.file) || replace(&file.text, &fix.edits)? == file.text {
        return None;
    }
    Some(Candidate {
        file: first.span.file,
        fix: fix.clone(),
        done: Done { file: file.name.clone(), code: d.code.0, title: fix.title.clone(), safe: fix.safe },
        line: file.line(file.place(first.span.start).line).trim().to_string(),
        weight: weight(d),
    })
}

/// All fixes at hand, in the order of the text.
fn candidates(checked: &Checked, unsafe_too: bool, refused: &[Candidate]) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = checked
        .findings
        .iter()
        .filter_map(|d| candidate(checked, d, unsafe_too))
        .filter(|c| !refused.iter().any(|r| r.same(c)))
        .collect();
    all.sort_by_key(|c| (c.file, c.fix.edits.iter().map(|e| e.span.start).min()));
    all
}

/// Those of them that do not overlap an earlier one.
fn apart(all: Vec<Candidate>) -> Vec<Candidate> {
    let mut taken: Vec<Candidate> = vec![];
    // The last edits of the file at hand are enough to look at: the fixes are in order, and most are small.
    for c in all {
        let clash = taken
            .iter()
            .rev()
            .take_while(|t| t.file == c.file)
            .any(|t| t.fix.edits.iter().any(|a| c.fix.edits.iter().any(|b| overlap(a, b))));
        if !clash {
            taken.push(c);
        }
    }
    taken
}

fn make(checked: &Checked, texts: &Texts, fixes: &[&Candidate]) -> Option<Texts> {
    let mut out = texts.clone();
    let mut files: Vec<FileId> = fixes.iter().map(|c| c.file).collect();
    files.sort_unstable();
    files.dedup();
    for id in files {
        let file = checked.sources.file(id);
        let edits = fixes.iter().filter(|c| c.file == id).flat_map(|c| &c.fix.edits);
        out.insert(file.name.clone(), replace(&file.text, edits)?);
    }
    Some(out)
}

/// Syntax errors and errors, of a file or of all.
fn errors(checked: &Checked, file: Option<&str>) -> (usize, usize) {
    let of = |d: &&Diagnostic| {
        file.is_none_or(|name| d.span().is_some_and(|s| checked.sources.file(s.file).name == name))
            && d.severity == Severity::Error
    };
    checked.findings.iter().filter(of).map(weight).fold((0, 0), |(a, b), (c, d)| (a + c, b + d))
}

/// A finding as syntax errors and errors: 0 or 1 of each.
fn weight(d: &Diagnostic) -> (usize, usize) {
    let error = d.severity == Severity::Error;
    (usize::from(error && d.code.0.starts_with("TM01")), usize::from(error))
}

/// Whether several fixes took away all that each of them should. If not, one of them may have brought in what another
/// took away, so that they are looked at in smaller groups.
fn as_hoped(before: &Checked, after: &Checked, group: &[&Candidate]) -> bool {
    let (s, n) = group.iter().fold((0, 0), |(s, n), c| (s + c.weight.0, n + c.weight.1));
    let (before, after) = (errors(before, None), errors(after, None));
    group.len() == 1 || (after.0 + s <= before.0 && after.1 + n <= before.1)
}

fn worse(before: &Checked, after: &Checked, changed: &[&Candidate]) -> bool {
    if errors(after, None) > errors(before, None) {
        return true;
    }
    let mut names: Vec<&str> = changed.iter().map(|c| c.done.file.as_str()).collect();
    names.dedup();
    names.into_iter().any(|n| errors(after, Some(n)) > errors(before, Some(n)))
}

/// Applies the fixes of `first`. `check` looks at the project with some texts in place of its files; none where there
/// is no project any more.
pub fn apply(first: Checked, unsafe_too: bool, check: &mut dyn FnMut(&Texts) -> Option<Checked>) -> Outcome {
    let mut now = first;
    let mut texts = Texts::new();
    let (mut applied, mut refused): (Vec<Done>, Vec<Candidate>) = (vec![], vec![]);
    let mut looks = 0;
    for _ in 0..ROUNDS {
        let all = candidates(&now, unsafe_too, &refused);
        let round = apart(all.clone());
        if round.is_empty() || looks >= LOOKS {
            break;
        }
        let (mut taken, mut best): (Vec<usize>, Option<(Texts, Checked)>) = (vec![], None);
        let mut groups: Vec<Vec<usize>> = vec![(0..round.len()).collect()];
        while let Some(group) = groups.pop() {
            let mut trial: Vec<usize> = taken.iter().chain(&group).copied().collect();
            trial.sort_unstable();
            let fixes: Vec<&Candidate> = trial.iter().filter_map(|i| round.get(*i)).collect();
            let before = best.as_ref().map_or(&now, |(_, c)| c);
            looks += 1;
            let after = make(&now, &texts, &fixes).and_then(|t| check(&t).map(|c| (t, c)));
            let hoped: Vec<&Candidate> = group.iter().filter_map(|i| round.get(*i)).collect();
            match after.filter(|(_, c)| !worse(before, c, &fixes) && as_hoped(before, c, &hoped)) {
                Some(found) => {
                    best = Some(found);
                    taken = trial;
                }
                None if group.len() > 1 && looks < LOOKS => {
                    let (a, b) = group.split_at(group.len() / 2);
                    groups.push(b.to_vec());
                    groups.push(a.to_vec());
                }
                None => refused.extend(group.iter().filter_map(|i| round.get(*i)).cloned()),
            }
        }
        let Some((new, after)) = best else { continue };
        // A round after which the same is to be mended mended nothing.
        let again = candidates(&after, unsafe_too, &refused);
        if again.len() == all.len() && again.iter().zip(&all).all(|(a, b)| a.done == b.done) {
            refused.extend(round);
            break;
        }
        applied.extend(taken.iter().filter_map(|i| round.get(*i)).map(|c| c.done.clone()));
        (texts, now) = (new, after);
    }
    let more_unsafe = if unsafe_too { 0 } else { candidates(&now, true, &refused).len() };
    // A refused one may have been tried again after its line had changed, and may be gone with another.
    let refused: Vec<Done> = candidates(&now, unsafe_too, &[])
        .into_iter()
        .filter(|c| refused.iter().any(|r| r.same(c)))
        .map(|c| c.done)
        .collect();
    Outcome { texts, applied, refused, more_unsafe, left: now }
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;

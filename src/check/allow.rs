//! TM1110 to TM1113: comments that silence findings.
//!
//! `# allow TM0303: reason` at the end of a line silences what begins on that line; on a line of its own, what begins in
//! the statement or field line right below. Only findings that are warnings of themselves are silenced: an error stays
//! one whatever stands beside it. A project's levels come after this, so that a warning it denies can still be excused
//! where somebody gives a reason.

use super::live;
use crate::diagnostic::{Code, Diagnostic, Severity, all_codes, did_you_mean};
use crate::source::{FileId, SourceFile, Sources, Span};
use crate::syntax::{ast, dsl, yaml};
use std::sync::Arc;

/// What is left of findings.
#[derive(Clone, Debug, Default)]
pub struct Allowed {
    /// Those to be told, and those about the comments themselves.
    pub findings: Vec<Diagnostic>,
    /// How many were silenced.
    pub silenced: usize,
}

/// One code of one comment.
struct Allow {
    code: Code,
    /// The code in the comment.
    at: Span,
    /// Where the findings that it silences begin: from, to before.
    covers: (u32, u32),
    used: bool,
}

/// Takes away what comments allow. `maps` are the map files among the sources: a comment above one of their lines covers
/// all of it.
pub fn allow(sources: &Sources, maps: &[(FileId, Arc<ast::File>)], mut findings: Vec<Diagnostic>) -> Allowed {
    let mut allows = vec![];
    let mut about = vec![];
    for (id, file) in sources.iter() {
        if !file.text.contains("allow") {
            continue;
        }
        let map = maps.iter().find(|(f, _)| *f == id).map(|(_, ast)| ast);
        read(id, file, map.map(Arc::as_ref), &mut allows, &mut about);
    }
    let mut silenced = 0;
    for allow in &mut allows {
        let covered = |d: &Diagnostic| {
            let begins = d.span().filter(|s| s.file == allow.at.file).map(|s| s.start);
            d.code == allow.code && begins.is_some_and(|s| (allow.covers.0..allow.covers.1).contains(&s))
        };
        let before = findings.len();
        let mut an_error = false;
        findings.retain(|d| {
            let here = covered(d);
            an_error |= here && d.severity == Severity::Error;
            !here || d.severity == Severity::Error
        });
        silenced += before - findings.len();
        allow.used = before > findings.len();
        if an_error || (!allow.used && allow.code.severity() == Severity::Error) {
            allow.used = true;
            let message = format!("`{}` is an error, and an error cannot be allowed", allow.code);
            about.push(Diagnostic::new(Code::TM1112, allow.at, message).help("mend what it finds, and remove this"));
        }
    }
    // A map with errors is not judged to the end: what would be silenced may not have been looked for.
    if !findings.iter().any(|d| d.severity == Severity::Error) {
        // Nor is a base: what an overlay replaces in it is not looked for.
        let bases = bases(maps);
        let in_base = |s: Span| bases.iter().any(|b| b.file == s.file && (b.start..b.end).contains(&s.start));
        // What only a live store shows is looked for by `--live` alone.
        for allow in allows.iter().filter(|a| !a.used && !in_base(a.at) && !live::is_live(a.code)) {
            let message = format!("`{}` is not found here, so there is nothing to allow", allow.code);
            about.push(
                Diagnostic::new(Code::TM1111, allow.at, message).help("remove it, or move it to the line it is about"),
            );
        }
    }
    findings.extend(about);
    Allowed { findings, silenced }
}

/// The maps that others extend.
fn bases(maps: &[(FileId, Arc<ast::File>)]) -> Vec<Span> {
    let all = || maps.iter().flat_map(|(_, f)| &f.maps);
    let extended = |id: &str| all().any(|m| m.extends.as_ref().is_some_and(|e| e.text == id));
    all().filter(|m| m.id.as_ref().is_some_and(|i| extended(&i.it))).map(|m| m.at.0).collect()
}

/// The `allow` comments of one file.
fn read(id: FileId, file: &SourceFile, map: Option<&ast::File>, allows: &mut Vec<Allow>, about: &mut Vec<Diagnostic>) {
    let text = file.text.as_str();
    let comments = if file.name.ends_with(".tmap") { dsl::comments(text) } else { yaml::comments(text) };
    let mut extents: Option<Vec<(u32, u32)>> = None;
    for (i, &(start, end)) in comments.iter().enumerate() {
        let Some(directive) = directive(text, start, end) else { continue };
        if !directive.reasoned {
            let d = Diagnostic::new(
                Code::TM1110,
                Span::new(id, start, end),
                "this `allow` gives no reason, so it allows nothing",
            );
            about.push(d.help("write why: `# allow TM0303: names are never that long`"));
            continue;
        }
        let mut covers = line_around(text, start);
        if text.get(covers.0..start).is_some_and(|t| t.trim().is_empty()) {
            // On a line of its own: what stands below, other comments between them or not.
            let mut next = covers.1;
            for &(s, e) in comments.iter().skip(i + 1) {
                let own = text.get(next..s).is_some_and(|t| t.trim().is_empty() && !t.contains('\n'));
                if !own {
                    break;
                }
                next = line_around(text, e).1;
            }
            covers = line_around(text, next);
            let extents = extents.get_or_insert_with(|| map.map(extents_of).unwrap_or_default());
            let whole = extents.iter().filter(|(s, _)| (covers.0..covers.1).contains(&(*s as usize)));
            covers.1 = whole.map(|(_, e)| *e as usize).fold(covers.1, usize::max);
        }
        for (word, at) in directive.codes {
            let at = Span::new(id, at, at + word.len());
            match all_codes().iter().find(|(c, _, _)| c.0 == word) {
                Some((code, _, _)) => {
                    allows.push(Allow { code: *code, at, covers: (covers.0 as u32, covers.1 as u32), used: false });
                }
                None => {
                    let near = did_you_mean(word, all_codes().iter().map(|(c, _, _)| c.0));
                    let help = near.unwrap_or_else(|| "`tablemap explain --list` shows all codes".into());
                    about.push(Diagnostic::new(Code::TM1113, at, format!("no check has the code `{word}`")).help(help));
                }
            }
        }
    }
}

/// A comment that allows something.
struct Directive<'a> {
    /// Codes with their places.
    codes: Vec<(&'a str, usize)>,
    reasoned: bool,
}

/// `# allow TM0303, TM0304: reason`. Prose that begins with the word is none: a code must follow.
fn directive(text: &str, start: usize, end: usize) -> Option<Directive<'_>> {
    let comment = text.get(start..end)?;
    let body = comment.trim_start_matches('#').trim_start();
    let rest = body.strip_prefix("allow")?;
    let list = rest.split(':').next().unwrap_or(rest);
    let reasoned = rest.get(list.len() + 1..).is_some_and(|r| !r.trim().is_empty());
    let offset = |part: &str| start + (part.as_ptr() as usize).saturating_sub(comment.as_ptr() as usize);
    let codes: Vec<(&str, usize)> = list
        .split(|c: char| c.is_whitespace() || c == ',')
        .filter(|w| !w.is_empty())
        .take_while(|w| like_a_code(w))
        .map(|w| (w, offset(w)))
        .collect();
    (rest.starts_with(char::is_whitespace) && !codes.is_empty()).then_some(Directive { codes, reasoned })
}

/// `TM0303`, and what somebody may write for it.
fn like_a_code(word: &str) -> bool {
    let tail = word.get(2..).unwrap_or("");
    word.get(..2).is_some_and(|w| w.eq_ignore_ascii_case("tm"))
        && !tail.is_empty()
        && tail.chars().all(|c| c.is_ascii_digit() || c == 'O' || c == 'o')
}

/// The line that holds a byte, its line break included.
fn line_around(text: &str, at: usize) -> (usize, usize) {
    let at = at.min(text.len());
    let start = text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1);
    let end = text.get(at..).and_then(|t| t.find('\n')).map_or(text.len(), |i| at + i + 1);
    // At the end of the text there is a place, too.
    (start, if end == text.len() { end + 1 } else { end })
}

/// From where to where the statements and lines of a file reach.
fn extents_of(file: &ast::File) -> Vec<(u32, u32)> {
    let mut all: Vec<Span> = vec![];
    for map in &file.maps {
        for l in map.key.iter().chain(&map.fields).chain(map.edits.iter().filter_map(ast::Edit::line)) {
            all.push(match &l.values {
                Some(ast::LineValues::Inline(p)) => l.at.0.to(p.at.0),
                _ => l.at.0,
            });
        }
        all.extend(map.operations.iter().map(|n| n.at.0));
        all.extend(map.direct.iter().map(|n| n.at.0));
        all.extend(map.filter.iter().map(|n| n.at.0.to(n.it.1.at.0)));
        all.extend(map.company.iter().map(|n| n.at.0));
        all.extend(map.needs.iter().map(|n| n.at.0));
    }
    all.iter().map(|s| (s.start, s.end)).collect()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// The text with a finding of TM0303 at every `!`; what is left of them by line, and the codes about comments.
    fn run(name: &str, text: &str) -> (Vec<u32>, Vec<String>, usize) {
        let mut sources = Sources::new();
        let file = sources.add(name, text);
        let found = text.match_indices('!').map(|(i, _)| Diagnostic::new(Code::TM0303, Span::new(file, i, i + 1), "x"));
        let allowed = allow(&sources, &[], found.collect());
        let (own, about): (Vec<_>, Vec<_>) = allowed.findings.into_iter().partition(|d| d.code == Code::TM0303);
        let lines = own.iter().map(|d| sources.file(file).place(d.span().unwrap().start).line).collect();
        let about = about.iter().map(|d| format!("{} {}", d.code, sources.text(d.span().unwrap()))).collect();
        (lines, about, allowed.silenced)
    }

    #[test]
    fn a_comment_covers_its_line_or_the_one_below() {
        let both = |text: &str| {
            let (dsl, yaml) = (run("a.tmap", text), run("a.map.yaml", text));
            assert_eq!(dsl, yaml, "{text}");
            dsl
        };
        assert_eq!(both("a: b!  # allow TM0303: why\nc: d!\n"), (vec![2], vec![], 1));
        assert_eq!(both("# allow TM0303: why\na: b!\nc: d!\n"), (vec![3], vec![], 1));
        assert_eq!(both("# allow TM0303: why\n# more words\n#allow TM0304,TM0303: x\na: b!\n").2, 1);
        assert_eq!(both("# allow TM0303: why\n\na: b!\n"), (vec![3], vec!["TM1111 TM0303".into()], 0));
        assert_eq!(both("a: b!  # allow TM0303\n"), (vec![1], vec!["TM1110 # allow TM0303".into()], 0));
        assert_eq!(both("a: b!  # allow TM0303:\n").1.len(), 1);
        assert_eq!(both("a: b!  # allow the rest: TM0303\n"), (vec![1], vec![], 0));
        assert_eq!(both("a: b!  # allow tm0303: why\n").1, ["TM1113 tm0303"]);
        assert_eq!(both("a: b  # allow TM0301: why").1, ["TM1112 TM0301"]);
        assert_eq!(both("a: b!  # allow TM0303: why"), (vec![], vec![], 1));
        assert_eq!(both("# allow TM0303: why").1, ["TM1111 TM0303"]);
    }

    #[test]
    fn what_looks_like_a_comment_in_a_text_is_none() {
        assert_eq!(run("a.tmap", "A = b! default '# allow TM0303: why'\n"), (vec![1], vec![], 0));
        assert_eq!(run("a.map.yaml", "a: \"b! # allow TM0303: why\"\n"), (vec![1], vec![], 0));
        assert_eq!(run("a.map.yaml", "a: |-\n  b! # allow TM0303: why\n"), (vec![2], vec![], 0));
    }

    #[test]
    fn nothing_is_called_unused_while_there_are_errors() {
        let mut sources = Sources::new();
        let file = sources.add("a.tmap", "# allow TM0303: why\nA\n");
        let error = Diagnostic::new(Code::TM0301, Span::new(file, 20, 21), "x");
        assert_eq!(allow(&sources, &[], vec![error]).findings.len(), 1);
        assert_eq!(allow(&sources, &[], vec![]).findings.len(), 1);
    }
}

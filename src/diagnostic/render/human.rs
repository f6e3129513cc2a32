//! Findings for people: source excerpt, underline, help.

use crate::diagnostic::{Diagnostic, Fix, Severity};
use crate::source::{Sources, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Patch, Renderer, Snippet};

/// Renders one finding; colours only where `colour` says so (the terminal decides, at the edge).
pub fn render(sources: &Sources, d: &Diagnostic, colour: bool) -> String {
    let level = match d.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Info => Level::INFO,
    };
    let title = level.primary_title(d.message.as_str()).id(d.code.0);
    let mut group = match &d.primary {
        None => Group::with_title(title),
        Some(p) => {
            let mut group = title.element(snippet(sources, p.span, &p.message, AnnotationKind::Primary));
            for r in &d.related {
                group = group.element(snippet(sources, r.span, &r.message, AnnotationKind::Context));
            }
            group
        }
    };
    let fix = d.fixes.first().filter(|f| shows(sources, f));
    if let (Some(help), None) = (&d.help, fix) {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let mut groups = vec![group];
    groups.extend(fix.map(|f| patch(sources, d, f)));
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let text = renderer.render(&groups);
    // Without an excerpt there is nothing that a gutter would lead to.
    let bare = |l: &str| d.primary.is_none() && anstream::adapter::strip_str(l).to_string().trim() == "|";
    text.lines().map(str::trim_end).filter(|l| !bare(l)).collect::<Vec<_>>().join("\n")
}

/// Whether a fix can be shown as a change of one file.
fn shows(sources: &Sources, f: &Fix) -> bool {
    let Some(file) = f.edits.first().map(|e| e.span.file) else { return false };
    let text = sources.file(file).text.as_str();
    f.edits.iter().all(|e| e.span.file == file && text.get(e.span.start as usize..e.span.end as usize).is_some())
}

/// The change that a fix makes, under the help line.
fn patch<'a>(sources: &'a Sources, d: &'a Diagnostic, f: &'a Fix) -> Group<'a> {
    let mut title = d.help.clone().unwrap_or_else(|| f.title.clone());
    if !f.safe {
        title.push_str(" (unsafe fix)");
    }
    let file = sources.file(f.edits.first().map(|e| e.span.file).unwrap_or_default());
    let mut snippet = Snippet::source(file.masked()).fold(true);
    if d.span().is_none_or(|s| sources.file(s.file).name != file.name) {
        snippet = snippet.path(file.name.as_str());
    }
    let patches =
        f.edits.iter().map(|e| Patch::new(e.span.start as usize..e.span.end as usize, e.replacement.as_str()));
    Level::HELP.secondary_title(title).element(snippet.patches(patches))
}

fn snippet<'a>(
    sources: &'a Sources,
    span: Span,
    message: &'a str,
    kind: AnnotationKind,
) -> Snippet<'a, annotate_snippets::Annotation<'a>> {
    let file = sources.file(span.file);
    let len = file.text.len();
    let mut start = (span.start as usize).min(len);
    let mut end = (span.end as usize).clamp(start, len);
    while !file.text.is_char_boundary(start) {
        start -= 1;
    }
    while !file.text.is_char_boundary(end) {
        end += 1;
    }
    let mut note = kind.span(start..end);
    if !message.is_empty() {
        note = note.label(message);
    }
    Snippet::source(file.masked()).path(file.name.as_str()).fold(true).annotation(note)
}

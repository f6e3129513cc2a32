//! Findings for people: source excerpt, underline, help.

use crate::diagnostic::{Diagnostic, Severity};
use crate::source::{Sources, Span};
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

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
    if let Some(help) = &d.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
    let text = renderer.render(&[group]);
    // Without an excerpt there is nothing that a gutter would lead to.
    let bare = |l: &str| d.primary.is_none() && anstream::adapter::strip_str(l).to_string().trim() == "|";
    text.lines().map(str::trim_end).filter(|l| !bare(l)).collect::<Vec<_>>().join("\n")
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

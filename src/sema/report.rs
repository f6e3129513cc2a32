//! Collects findings, and finds places and texts for messages.

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean, edit, nearest};
use crate::schema::Column;
use crate::source::{At, Sources, Span};
use crate::value::Type;

/// The most known names that are listed where none is near.
const MANY: usize = 8;

/// The findings of one map, with the texts they are about.
pub(crate) struct Report<'a> {
    pub(crate) sources: &'a Sources,
    pub(crate) findings: Vec<Diagnostic>,
    /// Findings are dropped while this is set: what is looked at was looked at before.
    pub(crate) muted: bool,
    /// Whether an error was found since this was last reset.
    pub(crate) failed: bool,
}

impl<'a> Report<'a> {
    pub(crate) fn new(sources: &'a Sources) -> Report<'a> {
        Report { sources, findings: vec![], muted: false, failed: false }
    }

    /// Adds a finding.
    pub(crate) fn add(&mut self, finding: Diagnostic) {
        self.failed |= finding.severity == Severity::Error;
        if !self.muted && !self.findings.contains(&finding) {
            self.findings.push(finding);
        }
    }

    /// Adds a finding at a node.
    pub(crate) fn at(&mut self, code: Code, at: At, message: impl Into<String>) {
        self.add(Diagnostic::new(code, at.0, message));
    }

    /// Adds a finding at a node with a help line.
    pub(crate) fn help(&mut self, code: Code, at: At, message: impl Into<String>, help: impl Into<String>) {
        self.add(Diagnostic::new(code, at.0, message).help(help));
    }

    /// A finding about a name, with what may have been meant (and a fix where it is one name).
    pub(crate) fn unknown<'n>(
        &mut self,
        code: Code,
        at: At,
        message: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) {
        let d = self.near(code, at, message, name, known);
        self.add(d);
    }

    /// The same, not yet added.
    pub(crate) fn near<'n>(
        &self,
        code: Code,
        at: At,
        message: impl Into<String>,
        name: &str,
        known: impl IntoIterator<Item = &'n str>,
    ) -> Diagnostic {
        let known: Vec<&str> = known.into_iter().collect();
        let near = nearest(name, known.iter().copied());
        let mut d = Diagnostic::new(code, at.0, message);
        d.help = did_you_mean(name, near.iter().copied());
        let quoted = self.sources.text(at.0).starts_with('"');
        if d.help.is_none() && code == Code::TM0203 && quoted {
            d.help = Some(format!("a text stands in single quotes, `'{name}'`; `\"…\"` is a name"));
        }
        if known.is_empty() && matches!(code, Code::TM0201 | Code::TM0202) {
            d.help = Some("none is known: mend the file that says them".into());
        }
        if d.help.is_none() && (1..=MANY).contains(&known.len()) {
            let quoted: Vec<String> = known.iter().map(|k| format!("`{k}`")).collect();
            d.help = Some(format!("{} {}", if known.len() == 1 { "there is" } else { "there are" }, quoted.join(", ")));
        }
        // The fix keeps the quotes: of a text, or of a name (or of a text in YAML).
        let quote = self.sources.text(at.0).chars().next().filter(|c| matches!(c, '\'' | '"'));
        // A name that differs in case only is what was meant.
        let lower = name.to_lowercase();
        let mut cased = near.iter().filter(|n| n.to_lowercase() == lower);
        let (meant, safe) = match (cased.next(), cased.next(), near.as_slice()) {
            (Some(one), None, _) => (Some(one), true),
            (_, _, [one]) => (Some(one), false),
            _ => (None, false),
        };
        if let Some(one) = meant
            && (quote.is_some() || one.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-'))
        {
            let text = match quote {
                Some(q) => format!("{q}{}{q}", one.replace(q, &format!("{q}{q}"))),
                None => (*one).to_string(),
            };
            d = d.fix(format!("write `{one}`"), at.0, text, safe);
        }
        d
    }

    /// Adds the place in the schema file where `name` is declared, if the schema was read from one of these texts.
    pub(crate) fn declared(&self, d: Diagnostic, span: Span, name: &str, message: impl Into<String>) -> Diagnostic {
        let here = self.sources.get(span).is_some_and(|t| t.trim_matches(['"', '\'']) == name);
        if here { d.related(span, message) } else { d }
    }

    /// The same for a column, with its type.
    pub(crate) fn column(&self, d: Diagnostic, column: &Column) -> Diagnostic {
        self.declared(d, column.span, &column.name, format!("this is {}", named(&column.ty)))
    }

    /// The whole text of the file that a node stands in.
    pub(crate) fn file_text(&self, at: At) -> &'a str {
        &self.sources.file(at.0.file).text
    }

    /// A finding about a statement or a line whose fix is to remove it.
    pub(crate) fn needless(&mut self, code: Code, at: At, message: impl Into<String>, help: impl Into<String>) {
        let span = edit::statement(self.file_text(at), at.0);
        let d = Diagnostic::new(code, at.0, message).help(help);
        // Of YAML the key would stay behind.
        let whole = self.sources.text(at.0).starts_with(|c: char| c.is_alphabetic()) && self.is_dsl(at);
        self.add(if whole { d.fix("remove it", span, "", false) } else { d });
    }

    /// Whether a node stands in a file of the DSL.
    pub(crate) fn is_dsl(&self, at: At) -> bool {
        self.sources.file(at.0.file).name.ends_with(".tmap")
    }

    /// Runs `f` without keeping its findings.
    pub(crate) fn silently<T>(&mut self, f: impl FnOnce(&mut Report<'a>) -> T) -> T {
        let (muted, failed) = (std::mem::replace(&mut self.muted, true), self.failed);
        let out = f(self);
        (self.muted, self.failed) = (muted, failed);
        out
    }

    /// `file:line` of a node.
    pub(crate) fn place(&self, at: At) -> String {
        let file = self.sources.file(at.0.file);
        format!("{}:{}", file.name, file.place(at.0.start).line)
    }

    /// The text of a node for a message: one line, blanks squeezed; an inline value map as `{ … }`.
    pub(crate) fn text(&self, at: At) -> String {
        let text = self.sources.text(at.0);
        let mut lines = text.lines();
        let first = lines.next().unwrap_or("");
        let mut out = first.split_whitespace().collect::<Vec<_>>().join(" ");
        if lines.next().is_some() {
            out.push_str(if out.ends_with('{') { " … }" } else { " …" });
        }
        out
    }
}

/// A type as messages name it: "text(20)", "a choice of `Open`, `Posted`, …".
pub(crate) fn named(ty: &Type) -> String {
    match ty {
        Type::Choice(c) => {
            let names: Vec<String> = c.members.iter().take(3).map(|m| format!("`{}`", m.name)).collect();
            format!("a choice of {}{}", names.join(", "), if c.members.len() > 3 { ", …" } else { "" })
        }
        Type::DateTime { kind: crate::value::DateTimeKind::Instant } => "datetime (a point in time)".into(),
        Type::DateTime { kind: crate::value::DateTimeKind::Civil } => "datetime (of no zone)".into(),
        other => other.to_string(),
    }
}

//! One value for every finding, the registry of its codes, its fixes, and the renderers.
//!
//! Wording: short, lower case, names and values in backticks, no internal type names; the help line stands apart.

pub mod apply;
mod codes;
pub mod edit;
pub mod render;

pub use codes::{Code, all as all_codes};

use crate::source::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Probably wrong; does not refuse the map.
    Warning,
    /// Refuses the map.
    Error,
}

/// A span with a word about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// Where.
    pub span: Span,
    /// What about it; may be empty.
    pub message: String,
}

/// A replacement of the text under a span.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// What is replaced; an empty span inserts.
    pub span: Span,
    /// By what.
    pub replacement: String,
}

/// Edits that mend a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    /// What the fix does, in a few words.
    pub title: String,
    /// Non-overlapping edits.
    pub edits: Vec<Edit>,
    /// Whether the meaning is certainly what the author wanted.
    pub safe: bool,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Stable code.
    pub code: Code,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, with the values at stake.
    pub message: String,
    /// Where; none only where no file is at fault.
    pub primary: Option<Label>,
    /// Other places that matter.
    pub related: Vec<Label>,
    /// What to do.
    pub help: Option<String>,
    /// Edits that mend it.
    pub fixes: Vec<Fix>,
}

impl Diagnostic {
    /// A finding of `code` (with the code's own severity) at `span`.
    pub fn new(code: Code, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: Some(Label { span, message: String::new() }),
            related: vec![],
            help: None,
            fixes: vec![],
        }
    }
    /// A finding that no file is to blame for.
    pub fn nowhere(code: Code, message: impl Into<String>) -> Diagnostic {
        Diagnostic { primary: None, ..Diagnostic::new(code, Span::default(), message) }
    }
    /// Adds the help line.
    pub fn help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help = Some(help.into());
        self
    }
    /// Puts a word under the primary span.
    pub fn label(mut self, message: impl Into<String>) -> Diagnostic {
        if let Some(p) = &mut self.primary {
            p.message = message.into();
        }
        self
    }
    /// Adds a related place.
    pub fn related(mut self, span: Span, message: impl Into<String>) -> Diagnostic {
        self.related.push(Label { span, message: message.into() });
        self
    }
    /// Adds a fix that replaces the text under `span`.
    pub fn fix(
        mut self,
        title: impl Into<String>,
        span: Span,
        replacement: impl Into<String>,
        safe: bool,
    ) -> Diagnostic {
        self.fixes.push(Fix { title: title.into(), edits: vec![Edit { span, replacement: replacement.into() }], safe });
        self
    }
    /// The primary span, if any.
    pub fn span(&self) -> Option<Span> {
        self.primary.as_ref().map(|l| l.span)
    }
}

/// The names of `known` nearest to `name`, best first, at most three; for "did you mean".
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = name.to_lowercase();
    let mut scored: Vec<(f64, &str)> = known
        .into_iter()
        .map(|k| (strsim::jaro_winkler(&lower, &k.to_lowercase()), k))
        .filter(|(s, k)| *s > 0.85 || strsim::damerau_levenshtein(&lower, &k.to_lowercase()) <= 2.max(name.len() / 5))
        .collect();
    scored.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(b.1)));
    scored.dedup_by(|a, b| a.1 == b.1);
    scored.into_iter().take(3).map(|(_, k)| k).collect()
}

/// "did you mean `x`?" or, without a near name, nothing.
pub fn did_you_mean<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    match nearest(name, known).as_slice() {
        [] => None,
        [one] => Some(format!("did you mean `{one}`?")),
        many => {
            Some(format!("did you mean {}?", many.iter().map(|n| format!("`{n}`")).collect::<Vec<_>>().join(" or ")))
        }
    }
}

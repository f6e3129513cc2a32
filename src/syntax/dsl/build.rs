//! What all builders share: spans, comments, findings; and the smallest nodes.

use pest::iterators::Pair as Parsed;

use super::Rule;
use super::trivia::Cursor;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{At, Span};
use crate::syntax::ast::{Flow, Literal, LiteralKind, Name, Path, Side, Sign, Step, Trivia, TriviaLine};

/// A rule's match.
pub(super) type P<'i> = Parsed<'i, Rule>;

/// Builds nodes from the grammar's matches.
pub(super) struct Build<'a> {
    /// The text as it is, comments included.
    pub raw: &'a str,
    /// From an offset range of `raw` to a span of the file.
    pub span: &'a dyn Fn(usize, usize) -> Span,
    /// Where the slice now parsed begins in `raw`.
    pub base: usize,
    /// Comments and blank lines not yet given to a node.
    pub cursor: Cursor,
    /// Comments inside a statement that no node of it took.
    pub spill: Vec<TriviaLine>,
    /// Findings.
    pub found: Vec<Diagnostic>,
    /// Whether the tree of the statement at hand got too deep.
    pub too_deep: bool,
}

impl<'a> Build<'a> {
    /// First byte in `raw`.
    pub fn start(&self, p: &P<'_>) -> usize {
        self.base + p.as_span().start()
    }

    /// First byte after it in `raw`, without trailing blanks.
    pub fn end(&self, p: &P<'_>) -> usize {
        self.start(p) + p.as_str().trim_end().len()
    }

    /// The place.
    pub fn at(&self, p: &P<'_>) -> At {
        At((self.span)(self.start(p), self.end(p)))
    }

    /// Adds a finding on a match.
    pub fn report(&mut self, code: Code, p: &P<'_>, message: impl Into<String>) -> &mut Diagnostic {
        let span = self.at(p).0;
        self.push(Diagnostic::new(code, span, message))
    }

    /// Adds a finding whose fix replaces the whole match.
    pub fn report_fix(&mut self, code: Code, p: &P<'_>, message: String, with: &str, safe: bool) {
        let span = self.at(p).0;
        let fixed = Diagnostic::new(code, span, message).fix(format!("write `{with}`"), span, with, safe);
        self.push(fixed);
    }

    /// Adds a finding.
    pub fn push(&mut self, finding: Diagnostic) -> &mut Diagnostic {
        let at = self.found.len();
        self.found.push(finding);
        &mut self.found[at]
    }

    /// Takes what stands before `start`; blank lines inside a statement go.
    pub fn spill_before(&mut self, start: usize) {
        let lines = self.cursor.before(self.raw, start);
        self.keep(lines);
    }

    /// Keeps the comments among `lines` for the next node.
    pub fn keep(&mut self, lines: Vec<TriviaLine>) {
        self.spill.extend(lines.into_iter().filter(|l| matches!(l, TriviaLine::Comment(_))));
    }

    /// The comments of a node that ends at `end` and had `before` before it.
    pub fn trivia(&mut self, mut before: Vec<TriviaLine>, end: usize) -> Trivia {
        self.spill_before(end);
        before.append(&mut self.spill);
        let after = self.cursor.after(self.raw, end);
        Trivia { before, after }
    }

    /// A word or a quoted name.
    pub fn name(&mut self, p: &P<'_>) -> Name {
        let text = p.as_str().trim_end();
        let text = if text.starts_with('"') { unquote(text, '"') } else { text.to_string() };
        Name { text, at: self.at(p) }
    }

    /// A path.
    pub fn path(&mut self, p: P<'_>) -> Path {
        let mut path = Path { this: false, steps: vec![], at: self.at(&p) };
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::kw_this => path.this = true,
                Rule::name => path.steps.push(Step { name: self.name(&part), inner: None }),
                Rule::path_step => {
                    let mut inner = part.into_inner();
                    let Some(name) = inner.next() else { continue };
                    let name = self.name(&name);
                    let inner = inner.find(|p| p.as_rule() == Rule::path).map(|p| self.path(p));
                    path.steps.push(Step { name, inner });
                }
                _ => {}
            }
        }
        path
    }

    /// A literal (`literal`, `plain`, `text` or `bad_text`).
    pub fn literal(&mut self, p: P<'_>) -> Literal {
        let at = self.at(&p);
        let text = p.as_str().trim_end();
        let kind = match p.as_rule() {
            Rule::literal | Rule::plain => match p.into_inner().next() {
                Some(inner) => return self.literal(inner),
                None => LiteralKind::Null,
            },
            Rule::text => LiteralKind::Text(unquote(text, '\'')),
            Rule::bad_text => {
                let meant = unquote(text, '"');
                let with = format!("'{}'", meant.replace('\'', "''"));
                let message = format!("`{text}` is a name; a text stands in single quotes");
                self.report_fix(Code::TM0109, &p, message, &with, true);
                LiteralKind::Text(meant)
            }
            Rule::number => LiteralKind::number(text),
            Rule::kw_true => LiteralKind::Boolean(true),
            Rule::kw_false => LiteralKind::Boolean(false),
            _ => LiteralKind::Null,
        };
        Literal { kind, at }
    }

    /// A sign of a line or a pair; signs of other languages are understood and reported.
    pub fn sign(&mut self, p: &P<'_>) -> Sign {
        let text = p.as_str().trim_end();
        let flow = match text {
            "<" | "<<" | "<-" | "=<" | "<=" => Flow::ToLeft,
            ">" | ">>" | "->" | "=>" | ">=" => Flow::ToRight,
            _ => Flow::Both,
        };
        if p.as_rule() == Rule::bad_sign {
            let with = match flow {
                Flow::ToLeft => "<",
                Flow::ToRight => ">",
                Flow::Both if text == "<>" => "><",
                Flow::Both => "=",
            };
            let message = match text {
                "->" | "<-" | "<->" => format!("`{text}` stands in `tables` only; the sign is `{with}`"),
                "==" | "<=" | ">=" => format!("`{text}` compares; the sign is `{with}`"),
                _ => format!("`{text}` is no sign; write `{with}`"),
            };
            // `a <-1` may mean a minus.
            let next = self.raw[self.end(p)..].bytes().next();
            let safe = text != "<-" || next.is_none_or(|b| b.is_ascii_whitespace());
            self.report_fix(Code::TM0105, p, message, with, safe);
        }
        Sign { flow, doubled: matches!(text, "><" | ">>" | "<<"), at: self.at(p) }
    }

    /// `left` or `right`.
    pub fn side(&self, p: &P<'_>) -> Side {
        if p.as_str().starts_with("left") { Side::Left } else { Side::Right }
    }
}

/// Without the quotes, doubled ones halved.
pub(super) fn unquote(text: &str, quote: char) -> String {
    let inner = text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote)).unwrap_or(text);
    inner.replace(&format!("{quote}{quote}"), &quote.to_string())
}

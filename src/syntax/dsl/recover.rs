//! Where the reader stands, how it tries a rule, and where it goes on after one that does not fit.

use pest::Parser;

use super::build::{Build, P};
use super::scan::{Kind, Lexical, LexicalKind, MAX_NESTING, Scan, Token};
use super::trivia::Cursor;
use super::{DslParser, Rule, errors};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{At, Span};

/// How many wrong pairs of one value map are reported each by itself.
const MAX_WRONG_PAIRS: usize = 32;

/// A text, the place in it, and what has been found.
pub(super) struct Reader<'a> {
    pub b: Build<'a>,
    pub scan: Scan,
    /// The next token.
    pub at: usize,
    /// The first `fields` of the map at hand.
    pub first_fields: Option<At>,
    /// Where the text nests too deep.
    deep: Vec<usize>,
}

impl<'a> Reader<'a> {
    pub fn new(raw: &'a str, mut scan: Scan, span: &'a dyn Fn(usize, usize) -> Span) -> Reader<'a> {
        let cursor = Cursor::new(std::mem::take(&mut scan.items));
        let mut found = vec![];
        for Lexical { start, end, kind } in &scan.problems {
            let at = span(*start, *end);
            found.push(match kind {
                LexicalKind::OpenText => Diagnostic::new(Code::TM0102, at, "this text is not closed on its line")
                    .help("a text ends with `'`; a `'` inside it is written twice"),
                LexicalKind::OpenName => Diagnostic::new(Code::TM0102, at, "this name is not closed on its line")
                    .help("a quoted name ends with `\"`; a `\"` inside it is written twice"),
                LexicalKind::Control => {
                    let c = raw.get(*start..*end).and_then(|t| t.chars().next()).map_or(0, u32::from);
                    Diagnostic::new(Code::TM0101, at, format!("a control character (U+{c:04X}) in a comment"))
                        .help("take it away; the YAML notation cannot hold it")
                }
                LexicalKind::Depth => {
                    Diagnostic::new(Code::TM0108, at, format!("nested deeper than {MAX_NESTING} levels"))
                }
            });
        }
        let deep = scan.problems.iter().filter(|p| p.kind == LexicalKind::Depth).map(|p| p.start).collect();
        let b = Build { raw, span, base: 0, cursor, spill: vec![], found, too_deep: false };
        Reader { b, scan, at: 0, first_fields: None, deep }
    }

    /// The findings, in the order of the text.
    pub fn finish(mut self) -> Vec<Diagnostic> {
        self.b.found.sort_by_key(|d| d.span().map_or(0, |s| s.start));
        self.b.found
    }

    pub fn report(&mut self, finding: Diagnostic) {
        self.b.push(finding);
    }

    fn token(&self, n: usize) -> Option<&Token> {
        self.scan.tokens.get(n)
    }

    /// The text of the token `ahead` of the next.
    pub fn word(&self, ahead: usize) -> Option<&'a str> {
        self.token(self.at + ahead).map(|t| &self.b.raw[t.start..t.end])
    }

    fn text(&self, n: usize) -> &'a str {
        self.token(n).map_or("", |t| &self.b.raw[t.start..t.end])
    }

    /// The range of the next token; at the end the empty range there.
    pub fn here(&self) -> (usize, usize) {
        self.token(self.at).map_or((self.b.raw.len(), self.b.raw.len()), |t| (t.start, t.end))
    }

    pub fn skip_line_breaks(&mut self) {
        while self.token(self.at).is_some_and(|t| t.kind == Kind::NewLine) {
            self.at += 1;
        }
    }

    /// Takes the `}` of a block, if it is there, and says where the block ends.
    pub fn close(&mut self) -> usize {
        if self.word(0) != Some("}") {
            return self.at.checked_sub(1).and_then(|n| self.token(n)).map_or(0, |t| t.end);
        }
        let (_, end) = self.here();
        self.at += 1;
        if self.token(self.at).is_some_and(|t| t.kind != Kind::NewLine && self.text(self.at) != "}") {
            let (start, stop) = self.here();
            let message =
                format!("expected the end of the line after `}}`, found {}", errors::shown(self.text(self.at)));
            self.report(Diagnostic::new(Code::TM0101, (self.b.span)(start, stop), message));
            if self.token(self.at).is_some_and(|t| t.kind != Kind::Word) {
                self.skip_statement();
            }
        }
        end
    }

    pub fn stray_brace(&mut self) {
        let (start, end) = self.here();
        self.at += 1;
        self.report(
            Diagnostic::new(Code::TM0103, (self.b.span)(start, end), "this `}` closes nothing")
                .help("remove it, or open what it is to close"),
        );
    }

    pub fn unclosed(&mut self, (start, end): (usize, usize)) {
        let what = if self.text_at(start) == "{" { "this `{` is never closed" } else { "this block is never closed" };
        self.report(Diagnostic::new(Code::TM0103, (self.b.span)(start, end), what));
    }

    fn text_at(&self, start: usize) -> &str {
        self.b.raw.get(start..start + 1).unwrap_or("")
    }

    /// Reports what follows where a fragment should end.
    pub fn expect_end(&mut self) {
        self.skip_line_breaks();
        if self.token(self.at).is_some() && self.b.found.is_empty() {
            let (start, _) = self.here();
            let end = self.scan.tokens.iter().rev().find(|t| t.kind != Kind::NewLine).map_or(start, |t| t.end);
            let message = format!("expected the end of the text, found {}", errors::shown(self.text(self.at)));
            self.report(Diagnostic::new(Code::TM0101, (self.b.span)(start, end), message));
        }
    }

    /// Goes past a block's head that could not be read: behind the `{` of its line, else to the next line.
    pub fn skip_to_brace(&mut self) {
        while let Some(t) = self.token(self.at) {
            let (kind, word) = (t.kind, self.text(self.at));
            if kind == Kind::NewLine || word == "}" {
                return;
            }
            self.at += 1;
            if word == "{" {
                return;
            }
        }
    }

    /// Goes past the statement at hand without reading it.
    pub fn skip_statement(&mut self) {
        let (start, _) = self.here();
        let from = self.at;
        self.at = self.after_statement(from, start).0.max(from + 1);
    }

    /// Tries `rule` from here. Where it does not fit, says why, and goes on behind the statement; wrong pairs of a
    /// value map are taken out and the rest is tried again.
    pub fn attempt<T>(&mut self, rule: Rule, build: impl FnOnce(&mut Build<'_>, P<'_>) -> Option<T>) -> Option<T> {
        let (start, _) = self.here();
        let from = self.at;
        if self.too_deep_ahead(from) {
            self.skip_statement();
            return None;
        }
        let masked = std::mem::take(&mut self.scan.masked);
        let parsed = self.parse(rule, &masked, from);
        let built = match parsed {
            Ok(mut pairs) => match pairs.next() {
                Some(p) => {
                    let end = start + p.as_span().end();
                    self.at = self.scan.tokens.partition_point(|t| t.start < end).max(from + 1);
                    self.build(start, p, build)
                }
                None => None,
            },
            Err(error) => self.mend(rule, &masked, from, error, build),
        };
        self.scan.masked = masked;
        built
    }

    /// Tries `rule` on as many lines as the statement seems to have, and on more where it wants more: what the grammar
    /// does with a text that is wrong takes time in proportion to all it is given.
    fn parse<'m>(
        &self,
        rule: Rule,
        masked: &'m str,
        from: usize,
    ) -> Result<pest::iterators::Pairs<'m, Rule>, Box<pest::error::Error<Rule>>> {
        let Some(start) = self.token(from).map(|t| t.start) else {
            return DslParser::parse(rule, "").map_err(Box::new);
        };
        let mut end = self.whole_lines(self.after_statement(from, start).0);
        loop {
            match DslParser::parse(rule, &masked[start..end]) {
                Err(error) if end < masked.len() && start + errors::offset(&error) >= end => {
                    let target = end + (end - start);
                    end = self.whole_lines(self.scan.tokens.partition_point(|t| t.start < target));
                }
                parsed => return parsed.map_err(Box::new),
            }
        }
    }

    /// The end of the line of token `n`, or of the last line that goes on from it.
    fn whole_lines(&self, mut n: usize) -> usize {
        while let Some(t) = self.token(n) {
            if t.kind == Kind::NewLine && !goes_on(self.text(self.next_line(n))) {
                return t.end;
            }
            n += 1;
        }
        self.b.raw.len()
    }

    /// Whether the text from here reads as `rule`.
    pub fn matches(&self, rule: Rule) -> bool {
        self.parse(rule, &self.scan.masked, self.at).is_ok()
    }

    fn build<T>(
        &mut self,
        start: usize,
        p: P<'_>,
        build: impl FnOnce(&mut Build<'_>, P<'_>) -> Option<T>,
    ) -> Option<T> {
        self.b.base = start;
        let built = build(&mut self.b, p);
        if std::mem::take(&mut self.b.too_deep) { None } else { built }
    }

    fn mend<T>(
        &mut self,
        rule: Rule,
        masked: &str,
        from: usize,
        mut error: Box<pest::error::Error<Rule>>,
        build: impl FnOnce(&mut Build<'_>, P<'_>) -> Option<T>,
    ) -> Option<T> {
        let (start, _) = self.here();
        let mut wrong = start + errors::offset(&error);
        let (next, open) = self.after_statement(from, wrong);
        let end = self.token(next).map_or(masked.len(), |t| t.start).max(wrong);
        self.at = next.max(from + 1);
        let finding = errors::finding(&error, rule, start, &self.scan, self.b.raw, self.b.span);
        if let Some(brace) = open {
            let t = self.scan.tokens[brace];
            let at = (self.b.span)(t.start, t.end);
            let finding = Diagnostic::new(Code::TM0103, at, "this `{` is never closed");
            let found = errors::found(&self.scan, self.b.raw, wrong);
            let before = (self.b.span)(found.start, found.end);
            self.report(match found.text {
                Some(_) => finding.related(before, "it should have ended before this"),
                None => finding,
            });
            return None;
        }
        self.report_unless_known(finding, wrong);
        let mut copy = masked[start..end].to_string();
        for _ in 0..MAX_WRONG_PAIRS {
            let (a, b) = self.wrong_pair(from, wrong)?;
            copy.replace_range(a - start..b - start, &" ".repeat(b - a));
            match DslParser::parse(rule, &copy) {
                Ok(mut pairs) => return pairs.next().and_then(|p| self.build(start, p, build)),
                Err(again) => *error = again,
            }
            let at = start + errors::offset(&error);
            if at <= wrong {
                return None;
            }
            wrong = at;
            let finding = errors::finding(&error, rule, start, &self.scan, self.b.raw, self.b.span);
            self.report_unless_known(finding, wrong);
        }
        None
    }

    /// An open text has been reported by the scan; what the grammar says about its line is noise.
    fn report_unless_known(&mut self, finding: Diagnostic, wrong: usize) {
        let same_line = |p: &Lexical| {
            let (a, b) = (p.start.min(wrong), p.start.max(wrong));
            self.b.raw.get(a..b).is_some_and(|t| !t.contains('\n'))
        };
        let n = self.scan.problems.partition_point(|p| p.start <= wrong);
        let near = [n.checked_sub(1), Some(n)].into_iter().flatten().filter_map(|n| self.scan.problems.get(n));
        if !near.into_iter().any(same_line) {
            self.report(finding);
        }
    }

    fn too_deep_ahead(&self, from: usize) -> bool {
        let Some(start) = self.token(from).map(|t| t.start) else { return false };
        let Some(deep) = self.deep.get(self.deep.partition_point(|p| *p < start)) else { return false };
        // The statement may go on over lines; its last is found as the reader would find it.
        let (next, _) = self.after_statement(from, start);
        self.token(next).is_none_or(|t| *deep < t.start)
    }

    /// The range of the pair or cell (with a comma after it) in which the grammar gave up.
    fn wrong_pair(&self, from: usize, wrong: usize) -> Option<(usize, usize)> {
        let here = self.scan.tokens.partition_point(|t| t.end <= wrong);
        // The brace around it.
        let mut depth = 0usize;
        let mut open = None;
        let mut first = here;
        for n in (from..here).rev() {
            match self.text(n) {
                "}" => depth += 1,
                "{" if depth == 0 => {
                    open = Some(n);
                    break;
                }
                "{" => depth -= 1,
                "," | "\n" if depth == 0 => {}
                _ => {
                    if depth == 0 && first == n + 1 {
                        first = n;
                    }
                    continue;
                }
            }
        }
        let close = self.token(open?)?.mate? as usize;
        let mut last = here;
        while last < close && !matches!(self.text(last), "," | "\n") {
            last += 1;
        }
        let start = self.token(first)?.start;
        let end = if self.text(last) == "," {
            self.token(last)?.end
        } else {
            last.checked_sub(1).and_then(|n| self.token(n)).map_or(start, |t| t.end)
        };
        (start < end).then_some((start, end))
    }

    /// The token after the statement that begins at `from` and is wrong at `wrong`: behind the line's end at bracket
    /// depth 0. Where the braces of the text do not match, a line that is indented no deeper than the statement ends it
    /// too; then the brace that was open is given.
    fn after_statement(&self, from: usize, wrong: usize) -> (usize, Option<usize>) {
        let indent = self.indent(from);
        let mut open: Vec<usize> = vec![];
        let mut n = from;
        while let Some(t) = self.token(n) {
            match (t.kind, self.text(n)) {
                (Kind::Open, brace) => match t.mate {
                    Some(mate) if self.scan.balanced || brace == "(" => n = mate as usize,
                    _ if brace == "{" => open.push(n),
                    _ => {}
                },
                (Kind::Close, "}") if open.pop().is_none() => return (n, None),
                (Kind::NewLine, _) => {
                    let next = self.next_line(n);
                    let word = self.text(next);
                    if open.is_empty() {
                        let operator = n > from && self.token(next).is_some() && ends_open(self.text(n - 1));
                        if t.start >= wrong && !goes_on(word) && !operator {
                            return (n, None);
                        }
                    } else if next > n && t.start < self.b.raw.len() {
                        let column = self.indent(next);
                        let closes = word == "}";
                        if (closes && column < indent) || (!closes && column <= indent) {
                            return (next, open.first().copied());
                        }
                    }
                }
                _ => {}
            }
            n += 1;
        }
        (n, open.first().copied())
    }

    /// The first token of the next line that has one.
    fn next_line(&self, mut n: usize) -> usize {
        while self.token(n).is_some_and(|t| t.kind == Kind::NewLine) {
            n += 1;
        }
        n
    }

    /// How far the line of a token is indented.
    fn indent(&self, n: usize) -> usize {
        let Some(t) = self.token(n) else { return 0 };
        let line = self.b.raw[..t.start].rfind('\n').map_or(0, |i| i + 1);
        self.b.raw[line..].bytes().take_while(|b| matches!(b, b' ' | b'\t')).count()
    }
}

/// Whether a line that begins so continues the one above.
fn goes_on(first: &str) -> bool {
    matches!(first, "|" | "&" | "and" | "or" | "when" | "then" | "else" | "end" | "was")
}

/// Whether a line that ends so goes on (signs do not: they look like comparisons only).
fn ends_open(last: &str) -> bool {
    matches!(last, "," | "+" | "*" | "/" | "and" | "or" | "not" | "case" | "when" | "then")
}

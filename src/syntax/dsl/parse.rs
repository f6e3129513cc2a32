//! The reader: goes from statement to statement, so that one wrong line costs no other.

use super::Fragment;
use super::Rule;
use super::build::{Build, P};
use super::errors::shown;
use super::recover::Reader;
use super::scan::{Kind, scan};
use super::stmt::STATEMENTS;
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::source::{At, FileId, Span};
use crate::syntax::ast::{Edit, Expr, File, Line, Map, Name, Node, Test, TestStep, Trivia, TriviaLine, ValuesDecl};

/// Reads a whole file.
pub(super) fn file(text: &str, id: FileId) -> (File, Vec<Diagnostic>) {
    let span = |start, end| Span::new(id, start, end);
    let mut reader = Reader::new(text, scan(text), &span);
    let mut file = File::default();
    loop {
        reader.skip_line_breaks();
        let Some(word) = reader.word(0) else { break };
        match word {
            "values" => reader.values(&mut file),
            "map" => reader.map(&mut file),
            "}" => reader.stray_brace(),
            _ => {
                let known = did_you_mean(word, ["map", "values"]);
                let (start, end) = reader.here();
                let message = format!("expected `map` or `values`, found {}", shown(word));
                let finding = Diagnostic::new(Code::TM0107, span(start, end), message);
                reader.report(if let Some(help) = known { finding.help(help) } else { finding });
                reader.skip_statement();
            }
        }
    }
    file.end.before = reader.b.cursor.before(text, usize::MAX);
    (file, reader.finish())
}

/// Reads one line from a fragment.
pub(super) fn line(fragment: Fragment<'_>) -> (Option<Line>, Vec<Diagnostic>) {
    one(fragment, Rule::line, "a field line", |b, p| {
        let (start, end) = (b.start(&p), b.end(&p));
        let before = b.cursor.before(b.raw, start);
        let mut line = b.line(p.into_inner().next()?)?;
        line.trivia = b.trivia(before, end);
        Some(line)
    })
}

/// Reads one expression from a fragment.
pub(super) fn expr(fragment: Fragment<'_>) -> (Option<Expr>, Vec<Diagnostic>) {
    one(fragment, Rule::only_expr, "an expression", |b, p| b.expr(p.into_inner().next()?))
}

fn one<T>(
    fragment: Fragment<'_>,
    rule: Rule,
    what: &str,
    build: impl FnOnce(&mut Build<'_>, P<'_>) -> Option<T>,
) -> (Option<T>, Vec<Diagnostic>) {
    let Fragment { text, file, offset } = fragment;
    let span = |start, end| Span::new(file, offset(start), offset(end));
    let mut reader = Reader::new(text, scan(text), &span);
    reader.skip_line_breaks();
    if reader.word(0).is_none() {
        reader.report(Diagnostic::new(Code::TM0101, span(0, text.len()), format!("expected {what}, found nothing")));
        return (None, reader.finish());
    }
    let built = reader.attempt(rule, build);
    reader.expect_end();
    (built, reader.finish())
}

/// Reads the rest of a statement whose beginning is `prefix`.
pub(super) fn head(prefix: &str, fragment: Fragment<'_>, map: &mut Map) -> Vec<Diagnostic> {
    let Fragment { text, file, offset } = fragment;
    let whole = format!("{prefix} {text}");
    let before = prefix.len() + 1;
    let span = |start: usize, end: usize| {
        Span::new(file, offset(start.saturating_sub(before)), offset(end.saturating_sub(before)))
    };
    let mut reader = Reader::new(&whole, scan(&whole), &span);
    reader.skip_line_breaks();
    reader.statement(map);
    reader.expect_end();
    reader.finish()
}

impl Reader<'_> {
    fn above(&mut self) -> Vec<TriviaLine> {
        let (start, _) = self.here();
        let raw = self.b.raw;
        let mut above = std::mem::take(&mut self.b.spill);
        above.extend(self.b.cursor.before(raw, start));
        above
    }

    fn values(&mut self, file: &mut File) {
        let before = self.above();
        let declared = self.attempt(Rule::values_decl, |b, p| {
            let (at, end) = (b.at(&p), b.end(&p));
            let (mut name, mut pairs) = (None, None);
            for part in p.into_inner() {
                match part.as_rule() {
                    Rule::name => name = Some(b.name(&part)),
                    Rule::pairs => pairs = Some(b.pairs(part)),
                    _ => {}
                }
            }
            Some(ValuesDecl { name: name?, pairs: pairs?, at, trivia: b.trivia(before, end) })
        });
        file.values.extend(declared);
    }

    /// A block's head; where it is wrong, what follows the next `{` of its line is still read as its content.
    fn block(&mut self, rule: Rule) -> (Option<Name>, Option<Name>, (usize, usize)) {
        let (from, first) = (self.at, self.here());
        let mut names = (None, None);
        let built = self.attempt(rule, |b, p| {
            for part in p.into_inner() {
                match part.as_rule() {
                    Rule::qname => names.0 = Some(b.name(&part)),
                    Rule::slug => names.1 = Some(b.name(&part)),
                    Rule::bad_name => {
                        let name = b.name(&part);
                        let quoted = format!("\"{}\"", name.text);
                        let message = format!("the name `{}` stands in double quotes here", name.text);
                        b.report_fix(Code::TM0110, &part, message, &quoted, true);
                        names.0 = Some(name);
                    }
                    _ => {}
                }
            }
            Some(())
        });
        if built.is_none() {
            self.at = from;
            self.skip_to_brace();
        }
        let what = if rule == Rule::map_head { "map" } else { "test" };
        if let Some(blank) = names.0.as_ref().filter(|n| built.is_some() && n.text.trim().is_empty()) {
            let finding = Diagnostic::new(Code::TM0101, blank.at.0, format!("the name of this {what} is blank"));
            self.report(
                finding.help(format!("name it: reports and commands say which {what} they are about by its name")),
            );
        }
        let brace = self.at.checked_sub(1).and_then(|n| self.scan.tokens.get(n)).filter(|t| t.kind == Kind::Open);
        (names.0.filter(|n| !n.text.is_empty()), names.1, brace.map_or(first, |t| (t.start, t.end)))
    }

    /// Whether a block that is still open must have ended, because what comes cannot stand in it.
    fn block_ended(&mut self, brace: (usize, usize), breakers: &[&str]) -> bool {
        let breaks = match self.word(0) {
            None => true,
            Some(word) => breakers.contains(&word) && self.word(1).is_some_and(|w| w.starts_with('"') && w.len() > 1),
        };
        if breaks {
            self.unclosed(brace);
        }
        breaks
    }

    fn map(&mut self, file: &mut File) {
        let mut map = Map { trivia: Trivia { before: self.above(), after: None }, ..Map::default() };
        self.first_fields = None;
        let (start, _) = self.here();
        let (name, extends, brace) = self.block(Rule::map_head);
        (map.name, map.extends) = (name, extends);
        loop {
            self.skip_line_breaks();
            if self.block_ended(brace, &["map"]) {
                break;
            }
            match self.word(0) {
                Some("}") => break,
                Some("values") if self.word(2) == Some("{") => {
                    let (start, end) = self.here();
                    let finding = Diagnostic::new(Code::TM0115, (self.b.span)(start, end), "`values` inside a map");
                    self.report(finding.help("shared value maps stand at file level, outside `map … { }`"));
                    self.values(file);
                }
                Some("fields") => self.fields(&mut map),
                Some("test") => self.test(&mut map),
                _ => self.statement(&mut map),
            }
        }
        map.edits.sort_by_key(Edit::rank);
        map.end.before = self.above();
        let end = self.close();
        map.at = At((self.b.span)(start, end));
        map.trivia.after = self.b.cursor.after(self.b.raw, end);
        file.maps.push(map);
    }

    /// One statement that is no block.
    fn statement(&mut self, map: &mut Map) {
        let before = self.above();
        let word = self.word(0).unwrap_or("");
        if let Some((_, rule)) = STATEMENTS.iter().find(|(w, _)| *w == word) {
            let mut left = Some(before);
            self.attempt(*rule, |b, p| b.statement(p, map, left.take().unwrap_or_default()));
            // Comments of a statement that could not be read go to the next one.
            self.b.spill.extend(left.unwrap_or_default());
            return;
        }
        self.b.spill.extend(before);
        let (start, end) = self.here();
        let here = (self.b.span)(start, end);
        let finding = if self.matches(Rule::line) {
            let message = "a field line stands inside `fields { … }`";
            Diagnostic::new(Code::TM0115, here, message)
                .help("put `fields {` above the first line, and `}` below the last")
        } else if word == "{" {
            Diagnostic::new(Code::TM0107, here, "a `{` without the word that begins the block")
                .help("write `fields {`, or `test \"…\" {`")
        } else {
            let known = STATEMENTS.iter().map(|(w, _)| *w).chain(["fields", "test"]);
            let finding = Diagnostic::new(Code::TM0107, here, format!("unknown statement {}", shown(word)));
            match did_you_mean(word, known) {
                Some(help) => finding.help(help),
                None => finding,
            }
        };
        self.report(finding);
        self.skip_statement();
    }

    fn fields(&mut self, map: &mut Map) {
        let before = self.above();
        map.fields_trivia.before.extend(before);
        let (start, end) = self.here();
        let at = At((self.b.span)(start, end));
        match self.first_fields {
            Some(first) => self.b.twice("fields", at, first),
            None => self.first_fields = Some(at),
        }
        let (_, _, brace) = self.block(Rule::fields_head);
        loop {
            self.skip_line_breaks();
            if self.block_ended(brace, &["map", "test"]) {
                break;
            }
            if self.word(0) == Some("}") {
                map.fields_end.before.extend(self.above());
                self.close();
                break;
            }
            if let Some(word) = self.statement_in_fields() {
                let (start, end) = self.here();
                let message = format!("`{word}` is a statement of the map; it does not stand inside `fields`");
                self.report(Diagnostic::new(Code::TM0115, (self.b.span)(start, end), message));
                self.statement(map);
                continue;
            }
            let mut above = Some(self.above());
            let line = self.attempt(Rule::line, |b, p| {
                let end = b.end(&p);
                let mut line = b.line(p.into_inner().next()?)?;
                line.trivia = b.trivia(above.take().unwrap_or_default(), end);
                Some(line)
            });
            self.b.spill.extend(above.unwrap_or_default());
            map.fields.extend(line);
        }
    }

    /// The first word of what reads as a statement and not as a line.
    fn statement_in_fields(&self) -> Option<&'static str> {
        let word = self.word(0)?;
        let (word, rule) = STATEMENTS.iter().find(|(w, _)| *w == word)?;
        (!self.matches(Rule::line) && self.matches(*rule)).then_some(*word)
    }

    fn test(&mut self, map: &mut Map) {
        let before = self.above();
        let (start, _) = self.here();
        let (name, _, brace) = self.block(Rule::test_head);
        let mut steps = vec![];
        let mut end_trivia = Trivia::default();
        loop {
            self.skip_line_breaks();
            if self.block_ended(brace, &["map", "test"]) {
                break;
            }
            if self.word(0) == Some("}") {
                end_trivia.before = self.above();
                break;
            }
            let mut above = Some(self.above());
            let step = self.attempt(Rule::step, |b, p| b.step(p, above.take().unwrap_or_default()));
            self.b.spill.extend(above.unwrap_or_default());
            steps.extend(step);
        }
        let end = self.close();
        let at = At((self.b.span)(start, end));
        let after = self.b.cursor.after(self.b.raw, end);
        let name = name.unwrap_or_else(|| Name { text: String::new(), at });
        // Rows are given before anything is expected, in whatever order they stand: the other notation has a list of each.
        steps.sort_by_key(|s: &Node<TestStep>| !s.it.given);
        map.tests.push(Test { name, steps, at, trivia: Trivia { before, after }, end: end_trivia });
    }
}

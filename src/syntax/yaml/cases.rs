//! The `tests` of a map.

use super::decode::{Decoder, side};
use super::trivia;
use crate::source::Span;
use crate::syntax::ast::{Cell, ExprKind, Map, Name, Node as Ast, Path, Row, Test, TestStep, TestWhat, Trivia};
use crate::syntax::dsl;
use crate::yaml::{Entry, Item, Node, Scalar};

impl Decoder<'_> {
    /// `tests`: a list of `{test, given, expect}`.
    pub(super) fn tests(&mut self, e: &Entry, map: &mut Map) {
        let mut lead = trivia::flat(&e.comments);
        for item in self.r.sequence(&e.value, "`tests`").unwrap_or_default() {
            let Some(f) = self.r.fields(&item.value, "a test", &["test", "given", "expect"]) else { continue };
            let name = self.r.require(&f, "test", "a test").and_then(|n| {
                let s = self.r.name(n, "`test`")?;
                Some(Name { text: s.text.clone(), at: n.span.into() })
            });
            let mut trivia = Trivia { before: std::mem::take(&mut lead), after: None };
            trivia.before.extend(trivia::flat(&item.comments));
            trivia.before.extend(f.entry("test").map(|e| trivia::flat(&e.comments)).unwrap_or_default());
            let mut test = Test {
                name: name.unwrap_or(Name { text: String::new(), at: item.value.span.into() }),
                steps: vec![],
                at: item.value.span.into(),
                trivia,
                end: Trivia::default(),
            };
            for key in ["given", "expect"] {
                let Some(entry) = f.entry(key) else { continue };
                let mut first = trivia::flat(&entry.comments);
                for step in self.r.sequence(&entry.value, &format!("`{key}`")).unwrap_or_default() {
                    if let Some(what) = self.step(step, key == "given") {
                        let mut node = Ast::new(TestStep { given: key == "given", what }, step.value.span);
                        node.trivia = trivia::of(&step.comments);
                        node.trivia.before.splice(0..0, std::mem::take(&mut first));
                        node.trivia.before.extend(trivia::inside(&step.value));
                        if let (None, Some(c)) = (&node.trivia.after, self.inner_comment(step)) {
                            node.trivia.after = Some(c.to_string());
                            node.trivia.before.pop();
                        }
                        test.steps.push(node);
                    }
                }
                test.end.before.extend(trivia::lines(&entry.value.end));
            }
            test.end.before.extend(trivia::lines(&item.value.end));
            map.tests.push(test);
        }
        map.end.before.extend(trivia::lines(&e.value.end));
    }

    /// `- right: { … } # c`: the comment belongs to the entry, and so to the step.
    fn inner_comment<'n>(&self, step: &'n Item) -> Option<&'n str> {
        let [only] = step.value.entries()? else { return None };
        if !trivia::inside(&only.value).is_empty() {
            return None;
        }
        only.comments.after.as_deref()
    }

    fn step(&mut self, item: &Item, given: bool) -> Option<TestWhat> {
        let n = &item.value;
        if let Some(s) = n.scalar() {
            return match s.text.as_str() {
                // Among the given ones they are as wrong as in the other notation, and told of where maps are checked.
                "parked" => Some(TestWhat::Parked),
                "error" => Some(TestWhat::Error),
                _ => {
                    let expected = if given { "a row" } else { "`parked`, `error` or a row" };
                    self.r.wrong(n, &format!("{expected} (`right: {{ COLUMN: value }}`)"));
                    None
                }
            };
        }
        let [only] = self.r.mapping(n, "a step of a test")? else {
            self.r.refuse(n.span, "a step of a test is one row", "give each row an item (`- left: …`) of its own");
            return None;
        };
        if let Some(side) = side(&only.key.text) {
            if only.value.scalar().is_some_and(|s| s.text == "none") {
                return Some(TestWhat::NoRow(side));
            }
            return Some(TestWhat::Row(side, self.row(&only.value)?));
        }
        let path = self.path(&only.key, only.key_span);
        let row = self.row(&only.value);
        Some(TestWhat::Other(path?, row?))
    }

    fn row(&mut self, n: &Node) -> Option<Row> {
        let mut row = Row { cells: vec![], at: n.span.into() };
        for e in self.r.mapping(n, "a row")? {
            let path = self.path(&e.key, e.key_span);
            let value = self.literal(&e.value);
            if let (Some(path), Some(value)) = (path, value) {
                row.cells.push(Cell { path, value });
            }
        }
        Some(row)
    }

    /// A key that is a path of the DSL.
    fn path(&mut self, key: &Scalar, span: Span) -> Option<Path> {
        let offset = |i: usize| key.offset(i);
        let (expr, findings) = dsl::parse_expr(dsl::Fragment { text: &key.text, file: span.file, offset: &offset });
        self.take(findings, key);
        match expr?.kind {
            ExprKind::Path(path) => Some(path),
            _ => {
                let message = format!("`{}` is no column", key.text);
                self.r.refuse(span, message, "write a column's name, or a path over lookups");
                None
            }
        }
    }
}

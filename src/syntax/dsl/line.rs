//! Field lines, key pairs, value maps and the rows of tests.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::Rule;
use super::build::{Build, P};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::At;
use crate::syntax::ast::{
    Call, Cell, ElseAction, Line, LineValues, Name, Node, OnMissing, Pair, Pairing, Pairs, Row, Sign, Trivia,
};

impl Build<'_> {
    /// `line_body` or `key_line`, without its comments.
    pub fn line(&mut self, p: P<'_>) -> Option<Line> {
        let at = self.at(&p);
        let mut inner = p.into_inner();
        let Pairing { left, sign, right } = self.pairing(&mut inner)?;
        let mut line = Line {
            left,
            sign,
            right,
            pipes: vec![],
            values: None,
            default: None,
            on_missing: None,
            once: false,
            at,
            trivia: Trivia::default(),
        };
        for part in inner {
            match part.as_rule() {
                Rule::pipe => {
                    let call = self.pipe(part)?;
                    line.pipes.push(call);
                }
                Rule::values => line.values = self.line_values(part),
                Rule::default => {
                    line.default = part.into_inner().find(|p| p.as_rule() == Rule::literal).map(|p| self.literal(p));
                }
                Rule::on_missing => {
                    line.on_missing = Some(match part.into_inner().last()?.as_str().trim_end() {
                        "park" => OnMissing::Park,
                        "null" => OnMissing::Null,
                        _ => OnMissing::Error,
                    });
                }
                Rule::once => line.once = true,
                _ => {}
            }
        }
        Some(line)
    }

    /// Two operands with a sign between, taken from the parts of a rule.
    pub fn pairing<'i>(&mut self, parts: &mut impl Iterator<Item = P<'i>>) -> Option<Pairing> {
        let left = parts.find(|p| p.as_rule() == Rule::operand)?;
        let left = self.expr(left)?;
        let sign = self.sign(&parts.next()?);
        let right = self.expr(parts.next()?)?;
        Some(Pairing { left, sign, right })
    }

    fn pipe(&mut self, p: P<'_>) -> Option<Call> {
        let part = p.into_inner().last()?;
        if part.as_rule() == Rule::call {
            return self.call(part).map(|(c, _)| c);
        }
        let name: Name = self.name(&part);
        let with = format!("{}()", name.text);
        let message = format!("`{}` is a function: it is called as `{with}`", name.text);
        self.report_fix(Code::TM0116, &part, message, &with, true);
        Some(Call { at: name.at, name, args: vec![] })
    }

    fn line_values(&mut self, p: P<'_>) -> Option<LineValues> {
        p.into_inner().find_map(|part| match part.as_rule() {
            Rule::pairs => Some(LineValues::Inline(self.pairs(part))),
            Rule::name => Some(LineValues::Named(self.name(&part))),
            _ => None,
        })
    }

    /// `{ … }` of a value map, with the comments of its pairs.
    pub fn pairs(&mut self, p: P<'_>) -> Pairs {
        let (at, start, end) = (self.at(&p), self.start(&p), self.end(&p));
        self.spill_before(start);
        let mut pairs = Pairs { pairs: vec![], at, end: Trivia::default() };
        for part in p.into_inner().filter(|p| p.as_rule() == Rule::pair) {
            let (at, start, end) = (self.at(&part), self.start(&part), self.end(&part));
            let before = self.cursor.before(self.raw, start);
            let built = self.pair(part);
            let trivia = self.trivia(before, end);
            if let Some(it) = built {
                pairs.pairs.push(Node { it, at, trivia });
            }
        }
        pairs.end.before = self.cursor.before(self.raw, end);
        pairs
    }

    fn pair(&mut self, p: P<'_>) -> Option<Pair> {
        let p = p.into_inner().next()?;
        let is_else = p.as_rule() == Rule::else_pair;
        let (mut sign, mut action, mut literals): (Option<Sign>, Option<ElseAction>, Vec<_>) = (None, None, vec![]);
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::sign | Rule::bad_sign => sign = Some(self.sign(&part)),
                Rule::else_action => {
                    action = Some(if part.as_str().starts_with("pass") { ElseAction::Pass } else { ElseAction::Error });
                }
                Rule::literal => literals.push(self.literal(part)),
                _ => {}
            }
        }
        let mut literals = literals.into_iter();
        if is_else {
            let action = match action {
                Some(action) => action,
                None => ElseAction::Literal(literals.next()?),
            };
            return Some(Pair::Else { sign, action });
        }
        Some(Pair::Of { left: literals.next()?, sign: sign?, right: literals.next()? })
    }

    /// `{ path = literal, … }`.
    pub fn row(&mut self, p: P<'_>) -> Row {
        let mut row = Row { cells: vec![], at: self.at(&p) };
        let mut seen: HashMap<String, At> = HashMap::new();
        for cell in p.into_inner().filter(|p| p.as_rule() == Rule::cell) {
            let (mut path, mut value) = (None, None);
            for part in cell.into_inner() {
                match part.as_rule() {
                    Rule::path => path = Some(self.path(part)),
                    Rule::bad_equals => {
                        self.report_fix(Code::TM0105, &part, "a cell is written with `=`".into(), "=", true);
                    }
                    Rule::literal => value = Some(self.literal(part)),
                    _ => {}
                }
            }
            if let (Some(path), Some(value)) = (path, value) {
                let shown = super::write_expr::path(&path);
                match seen.entry(shown) {
                    Entry::Vacant(e) => _ = e.insert(path.at),
                    Entry::Occupied(e) => {
                        let message = format!("`{}` stands twice in this row", e.key());
                        let d = Diagnostic::new(Code::TM0106, path.at.0, message);
                        self.push(d.related(e.get().0, "first here").help("keep one of the two"));
                    }
                }
                row.cells.push(Cell { path, value });
            }
        }
        row
    }

    /// `left.COLUMN` of an edit.
    pub fn side_column(&mut self, p: P<'_>) -> Option<(crate::syntax::ast::Side, Name)> {
        let mut inner = p.into_inner();
        let side = self.side(&inner.next()?);
        let name = inner.last()?;
        Some((side, self.name(&name)))
    }
}

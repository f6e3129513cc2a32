//! The one-line statements of a map, and overlay edits.

use super::Rule;
use super::build::{Build, P};
use crate::diagnostic::{Code, Diagnostic, edit};
use crate::source::At;
use crate::syntax::ast::{
    Arrow, Conflict, Direct, Edit, EditedColumn, GuardMode, Line, Map, Node, Operation, Path, RunMode, Side, TableRef,
    Tables, TriviaLine,
};

/// Every statement's first word with its rule.
pub(super) const STATEMENTS: &[(&str, Rule)] = &[
    ("id", Rule::s_id),
    ("version", Rule::s_version),
    ("label", Rule::s_label),
    ("tables", Rule::s_tables),
    ("operations", Rule::s_operations),
    ("direct", Rule::s_direct),
    ("guard", Rule::s_guard),
    ("company", Rule::s_company),
    ("key", Rule::s_key),
    ("filter", Rule::s_filter),
    ("on", Rule::s_on_exit),
    ("needs", Rule::s_needs),
    ("initial", Rule::s_initial),
    ("conflict", Rule::s_conflict),
    ("run", Rule::s_run),
    ("set", Rule::s_set),
    ("add", Rule::s_add),
    ("drop", Rule::s_drop),
];

impl Build<'_> {
    /// Reads one statement (`s_…`) into the map; `before` are the comments above it.
    pub fn statement(&mut self, p: P<'_>, map: &mut Map, before: Vec<TriviaLine>) -> Option<()> {
        let (rule, at, end) = (p.as_rule(), self.at(&p), self.end(&p));
        let parts: Vec<P<'_>> = p.into_inner().filter(|p| p.as_rule() != Rule::eol).collect();
        match rule {
            Rule::s_key => return self.key(parts, at, end, map, before),
            Rule::s_set | Rule::s_add | Rule::s_drop => return self.edit(rule, parts, end, map, before),
            _ => {}
        }
        macro_rules! keep {
            ($slot:ident, $value:expr) => {{
                let it = $value;
                let trivia = self.trivia(before, end);
                let (node, word) = (Node { it, at, trivia }, stringify!($slot));
                match &map.$slot {
                    Some(first) => self.twice(word, at, first.at),
                    None => map.$slot = Some(node),
                }
            }};
            // One for each side (or language).
            ($slot:ident per $shown:expr, $value:expr) => {{
                let it = $value;
                let trivia = self.trivia(before, end);
                match map.$slot.iter().find(|n| n.it.0 == it.0) {
                    Some(first) => self.twice(&$shown, at, first.at),
                    None => map.$slot.push(Node { it, at, trivia }),
                }
            }};
        }
        let second = parts.get(1).cloned();
        match rule {
            Rule::s_id => keep!(id, text_of(&second?)),
            Rule::s_version => keep!(version, text_of(&second?)),
            Rule::s_label => {
                let language = text_of(&second?);
                let literal = self.literal(parts.get(2).cloned()?);
                let crate::syntax::ast::LiteralKind::Text(text) = literal.kind else { return None };
                keep!(labels per format!("label {language}"), (language.clone(), text))
            }
            Rule::s_tables => keep!(tables, self.tables(&parts)?),
            Rule::s_operations => {
                let side = self.side(&second?);
                let ops = parts.iter().filter(|p| p.as_rule() == Rule::op);
                let ops = ops.map(|p| Node::new(operation(p), self.at(p))).collect();
                keep!(operations per format!("operations {}:", side.word()), (side, ops))
            }
            Rule::s_direct => {
                let side = self.side(&second?);
                let mut items = vec![];
                for p in parts.iter().filter(|p| p.as_rule() == Rule::direct_op) {
                    items.push(self.direct(p.clone())?);
                }
                keep!(direct per format!("direct {}:", side.word()), (side, items))
            }
            Rule::s_guard => {
                let side = self.side(&second?);
                let reject = parts.last()?.as_str().starts_with("reject");
                let mode = if reject { GuardMode::Reject } else { GuardMode::Report };
                keep!(guard per format!("guard {}:", side.word()), (side, mode))
            }
            Rule::s_company => keep!(company, self.pairing(&mut parts.into_iter())?),
            Rule::s_filter => {
                let side = self.side(&second?);
                let expr = parts.into_iter().find(|p| p.as_rule() == Rule::expr)?;
                let expr = self.expr(expr)?;
                keep!(filter per format!("filter {}:", side.word()), (side, expr))
            }
            Rule::s_on_exit => {
                let side = self.side(parts.iter().find(|p| p.as_rule() == Rule::side)?);
                let delete = parts.last()?.as_str().starts_with("delete");
                keep!(on_exit per format!("on exit {}:", side.word()), (side, delete))
            }
            Rule::s_needs => {
                let slugs = parts.iter().filter(|p| p.as_rule() == Rule::slug);
                keep!(needs, slugs.map(|p| self.name(p)).collect())
            }
            Rule::s_initial => keep!(initial, self.winner(&second?)),
            Rule::s_conflict => keep!(conflict, self.conflict(second?)),
            Rule::s_run => keep!(run, self.run(second?)),
            _ => return None,
        }
        Some(())
    }

    /// Reports a statement that stands a second time.
    pub fn twice(&mut self, word: &str, at: At, first: At) {
        let finding = Diagnostic::new(Code::TM0106, at.0, format!("`{word}` stands twice in this map"))
            .related(first.0, "first here")
            .help("keep one of the two");
        // Word for word the same: one of them says nothing. (Offsets are those of the text in a whole file only.)
        let text = |a: At| self.raw.get(a.0.start as usize..a.0.end as usize);
        let whole = (self.span)(0, self.raw.len()).end as usize == self.raw.len();
        let same = whole && at.0 != first.0 && text(at).is_some() && text(at) == text(first);
        let fixed = if same { finding.fix("remove it", edit::statement(self.raw, at.0), "", true) } else { finding };
        self.push(fixed);
    }

    fn tables(&mut self, parts: &[P<'_>]) -> Option<Tables> {
        let mut paths = parts.iter().filter(|p| p.as_rule() == Rule::path);
        let (left, right) = (self.table(paths.next()?.clone()), self.table(paths.next()?.clone()));
        let arrow = match parts.iter().find(|p| p.as_rule() == Rule::arrow)?.as_str().trim_end() {
            "<-" => Arrow::ToLeft,
            "->" => Arrow::ToRight,
            _ => Arrow::Both,
        };
        Some(Tables { left: left?, arrow, right: right? })
    }

    fn table(&mut self, p: P<'_>) -> Option<TableRef> {
        let path: Path = self.path(p.clone());
        let whole = !path.this && path.steps.len() == 2 && path.steps.iter().all(|s| s.inner.is_none());
        let mut steps = path.steps.into_iter();
        match (whole, steps.next(), steps.next()) {
            (true, Some(store), Some(table)) => Some(TableRef { store: store.name, table: table.name }),
            _ => {
                let message = format!("`{}` names no table: a side is `store.table`", p.as_str().trim_end());
                let d = self.report(Code::TM0113, &p, message);
                d.help = Some("write the store's name of tablemap.yaml, a dot and the table's name".into());
                None
            }
        }
    }

    fn direct(&mut self, p: P<'_>) -> Option<Direct> {
        let at = self.at(&p);
        let mut inner = p.into_inner();
        let operation = operation(&inner.next()?);
        let columns = inner
            .next()
            .map(|columns| columns.into_inner().filter(|p| p.as_rule() == Rule::path).map(|p| self.path(p)).collect());
        Some(Direct { operation, columns, at })
    }

    /// `left wins`; none for `none` and `hold`.
    fn winner(&self, p: &P<'_>) -> Option<Side> {
        (p.as_rule() == Rule::winner).then(|| self.side(p))
    }

    fn conflict(&mut self, p: P<'_>) -> Conflict {
        if p.as_rule() == Rule::merge {
            let last = p.into_inner().last();
            return last.and_then(|p| self.winner(&p)).map_or(Conflict::MergeElseHold, Conflict::MergeElse);
        }
        self.winner(&p).map_or(Conflict::Hold, Conflict::Wins)
    }

    fn run(&mut self, p: P<'_>) -> RunMode {
        match p.as_rule() {
            Rule::kw_live => return RunMode::Live,
            Rule::kw_manual => return RunMode::Manual,
            _ => {}
        }
        let Some(duration) = p.into_inner().find(|p| p.as_rule() == Rule::duration) else { return RunMode::Manual };
        let text = duration.as_str().trim_end();
        let (digits, unit) = text.split_at(text.len().saturating_sub(1));
        let unit = match unit {
            "s" => 1,
            "m" => 60,
            "h" => 3600,
            _ => 86_400,
        };
        let seconds = digits.parse::<u64>().ok().and_then(|n| n.checked_mul(unit)).filter(|n| *n > 0);
        if seconds.is_none() {
            let d = self.report(Code::TM0117, &duration, format!("`{text}` is no usable duration"));
            d.help = Some("write a number and a unit: `30s`, `15m`, `2h`, `1d`".into());
        }
        RunMode::Every(seconds.unwrap_or(1))
    }

    fn key(&mut self, parts: Vec<P<'_>>, at: At, end: usize, map: &mut Map, mut before: Vec<TriviaLine>) -> Option<()> {
        let mut lines: Vec<Line> = vec![];
        let last = parts.len().saturating_sub(1);
        for (i, part) in parts.into_iter().enumerate() {
            if part.as_rule() != Rule::key_line {
                continue;
            }
            let start = self.start(&part);
            let stop = if i == last { end } else { self.end(&part) };
            before.extend(self.cursor.before(self.raw, start));
            let mut line = self.line(part)?;
            line.trivia = self.trivia(std::mem::take(&mut before), stop);
            lines.push(line);
        }
        match map.key.first() {
            Some(first) => self.twice("key", at, first.at),
            None => map.key = lines,
        }
        Some(())
    }

    fn edit(
        &mut self,
        rule: Rule,
        parts: Vec<P<'_>>,
        end: usize,
        map: &mut Map,
        before: Vec<TriviaLine>,
    ) -> Option<()> {
        let (mut lines, mut column, mut pairs): (Vec<Line>, _, _) = (vec![], None, None);
        let mut before = Some(before);
        let count = parts.iter().filter(|p| p.as_rule() == Rule::line_body).count();
        for part in parts {
            match part.as_rule() {
                Rule::line_body => {
                    let (start, stop) = (self.start(&part), self.end(&part));
                    let mut above = before.take().unwrap_or_default();
                    above.extend(self.cursor.before(self.raw, start));
                    let mut line = self.line(part)?;
                    line.trivia = self.trivia(above, if lines.len() + 1 == count { end } else { stop });
                    lines.push(line);
                }
                Rule::side_column => column = self.side_column(part),
                Rule::pairs => {
                    pairs = Some(self.pairs(part));
                }
                _ => {}
            }
        }
        let column = match column {
            Some((side, column)) => {
                let trivia = self.trivia(before.take().unwrap_or_default(), end);
                Some(EditedColumn { side, column, trivia })
            }
            None => None,
        };
        let mut lines = lines.into_iter();
        let edit = match (rule, column) {
            (Rule::s_set, _) => Edit::Set(Box::new(lines.next()?), lines.next().map(Box::new)),
            (Rule::s_add, None) => Edit::Add(Box::new(lines.next()?)),
            (Rule::s_add, Some(column)) => Edit::AddPairs(column, pairs?),
            (_, Some(column)) => Edit::Drop(column, pairs),
            _ => return None,
        };
        map.edits.push(edit);
        Some(())
    }

    /// A step of a test.
    pub fn step(&mut self, p: P<'_>, before: Vec<TriviaLine>) -> Option<Node<crate::syntax::ast::TestStep>> {
        use crate::syntax::ast::{TestStep, TestWhat};
        let (at, end) = (self.at(&p), self.end(&p));
        let (mut given, mut side, mut path, mut row, mut what) = (false, None, None, None, None);
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::kw_given => given = true,
                Rule::side => side = Some(self.side(&part)),
                Rule::path => path = Some(self.path(part)),
                Rule::row => row = Some(self.row(part)),
                Rule::kw_parked => what = Some(TestWhat::Parked),
                Rule::kw_error => what = Some(TestWhat::Error),
                _ => {}
            }
        }
        let what = match (what, side, path, row) {
            (Some(what), ..) => what,
            (_, Some(side), _, Some(row)) => TestWhat::Row(side, row),
            (_, Some(side), _, None) => TestWhat::NoRow(side),
            (_, _, Some(path), Some(row)) => TestWhat::Other(path, row),
            _ => return None,
        };
        let trivia = self.trivia(before, end);
        Some(Node { it: TestStep { given, what }, at, trivia })
    }
}

fn text_of(p: &P<'_>) -> String {
    p.as_str().trim_end().to_string()
}

fn operation(p: &P<'_>) -> Operation {
    match p.as_str().as_bytes().first() {
        Some(b'c') => Operation::Create,
        Some(b'u') => Operation::Update,
        _ => Operation::Delete,
    }
}

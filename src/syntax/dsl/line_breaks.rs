//! Texts and names that the DSL cannot write: those with a line break, which only YAML can hold.

use crate::diagnostic::{Code, Diagnostic};
use crate::source::At;
use crate::syntax::ast::*;

/// A finding for each text and name with a line break.
pub(super) fn find(file: &File) -> Vec<Diagnostic> {
    let mut w = Walk { found: vec![] };
    for v in &file.values {
        w.name(&v.name);
        w.pairs(&v.pairs);
    }
    file.maps.iter().for_each(|m| w.map(m));
    w.found
}

struct Walk {
    found: Vec<Diagnostic>,
}

impl Walk {
    fn text(&mut self, text: &str, at: At, what: &str) {
        if text.contains(['\n', '\r']) {
            let d =
                Diagnostic::new(Code::TM0118, at.0, format!("{what} with a line break cannot be written in the DSL"))
                    .help("keep this map in YAML, or take the line break out");
            self.found.push(d);
        }
    }
    fn name(&mut self, name: &Name) {
        self.text(&name.text, name.at, "a name");
    }
    fn literal(&mut self, l: &Literal) {
        if let LiteralKind::Text(text) = &l.kind {
            self.text(text, l.at, "a text");
        }
    }
    fn map(&mut self, m: &Map) {
        m.name.iter().chain(&m.extends).for_each(|n| self.name(n));
        for l in &m.labels {
            self.text(&l.it.1, l.at, "a text");
        }
        if let Some(t) = &m.tables {
            for n in [&t.it.left.store, &t.it.left.table, &t.it.right.store, &t.it.right.table] {
                self.name(n);
            }
        }
        for d in m.direct.iter().flat_map(|d| &d.it.1) {
            d.columns.iter().flatten().for_each(|p| self.path(p));
        }
        if let Some(c) = &m.company {
            self.expr(&c.it.left);
            self.expr(&c.it.right);
        }
        m.needs.iter().flat_map(|n| &n.it).for_each(|n| self.name(n));
        m.filter.iter().for_each(|f| self.expr(&f.it.1));
        m.key.iter().chain(&m.fields).for_each(|l| self.line(l));
        for t in &m.tests {
            self.name(&t.name);
            for step in &t.steps {
                match &step.it.what {
                    TestWhat::Row(_, row) => self.row(row),
                    TestWhat::Other(path, row) => {
                        self.path(path);
                        self.row(row);
                    }
                    TestWhat::NoRow(_) | TestWhat::Parked | TestWhat::Error => {}
                }
            }
        }
        for e in &m.edits {
            match e {
                Edit::Set(line, was) => {
                    self.line(line);
                    was.iter().for_each(|l| self.line(l));
                }
                Edit::Add(line) => self.line(line),
                Edit::AddPairs(c, pairs) => {
                    self.name(&c.column);
                    self.pairs(pairs);
                }
                Edit::Drop(c, pairs) => {
                    self.name(&c.column);
                    pairs.iter().for_each(|p| self.pairs(p));
                }
            }
        }
    }
    fn row(&mut self, row: &Row) {
        for cell in &row.cells {
            self.path(&cell.path);
            self.literal(&cell.value);
        }
    }
    fn line(&mut self, l: &Line) {
        self.expr(&l.left);
        self.expr(&l.right);
        l.pipes.iter().for_each(|c| self.call(c));
        match &l.values {
            Some(LineValues::Inline(pairs)) => self.pairs(pairs),
            Some(LineValues::Named(name)) => self.name(name),
            None => {}
        }
        l.default.iter().for_each(|d| self.literal(d));
    }
    fn pairs(&mut self, pairs: &Pairs) {
        for p in &pairs.pairs {
            match &p.it {
                Pair::Of { left, right, .. } => {
                    self.literal(left);
                    self.literal(right);
                }
                Pair::Else { action: ElseAction::Literal(l), .. } => self.literal(l),
                Pair::Else { .. } => {}
            }
        }
    }
    fn call(&mut self, c: &Call) {
        self.name(&c.name);
        c.args.iter().for_each(|a| self.expr(a));
    }
    fn path(&mut self, p: &Path) {
        for step in &p.steps {
            self.name(&step.name);
            step.inner.iter().for_each(|p| self.path(p));
        }
    }
    fn expr(&mut self, e: &Expr) {
        match &e.kind {
            ExprKind::Literal(l) => self.literal(l),
            ExprKind::Path(p) => self.path(p),
            ExprKind::Call(c) => self.call(c),
            ExprKind::Negate(of) | ExprKind::Not(of) | ExprKind::IsNull { of, .. } => self.expr(of),
            ExprKind::Binary(_, a, b) => {
                self.expr(a);
                self.expr(b);
            }
            ExprKind::In { of, items, .. } => {
                self.expr(of);
                items.iter().for_each(|l| self.literal(l));
            }
            ExprKind::Like { of, pattern, .. } => {
                self.expr(of);
                self.literal(pattern);
            }
            ExprKind::Case { arms, otherwise } => {
                for (when, then) in arms {
                    self.expr(when);
                    self.expr(then);
                }
                otherwise.iter().for_each(|e| self.expr(e));
            }
            ExprKind::Aggregate { name, table, condition, of } => {
                self.name(name);
                self.path(table);
                self.expr(condition);
                of.iter().for_each(|e| self.expr(e));
            }
        }
    }
}

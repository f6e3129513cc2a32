//! The canonical YAML text of a file.

use super::lines::side_column;
use crate::syntax::ast::{
    Arrow, Conflict, Direct, Edit, ElseAction, File, Flow, GuardMode, Line, LineValues, Literal, LiteralKind, Map,
    Name, Node, Operation, Pair, Pairs, Pairing, Path, Row, RunMode, Side, Sign, Step, TableRef, Test, TestWhat,
    Trivia, TriviaLine,
};
use crate::syntax::dsl;
use crate::yaml::{quoted, reads_back};

/// Writes the canonical text of a file, comments kept. A YAML file holds at most one map: of several the first is
/// written.
pub fn write(file: &File) -> String {
    let mut w = Writer { out: String::new() };
    if !file.values.is_empty() {
        w.lead_key(0, &file.values[0].trivia, "values");
        for (i, v) in file.values.iter().enumerate() {
            if i > 0 {
                w.before(2, &v.trivia.before);
            }
            w.pairs(2, &v.name.text, &v.pairs, Flow::Both, v.trivia.after.as_deref());
        }
    }
    if let Some(map) = file.maps.first() {
        w.map(map);
    }
    w.before(0, &file.end.before);
    let mut out = w.out.trim_end().to_string();
    if !out.is_empty() {
        out.push('\n');
    }
    out
}

struct Writer {
    out: String,
}

impl Writer {
    fn map(&mut self, map: &Map) {
        self.before(0, &map.trivia.before);
        if let Some(name) = &map.name {
            self.entry(0, "map", &text(&name.text), None);
        }
        if let Some(base) = &map.extends {
            self.entry(0, "extends", &text(&base.text), None);
        }
        self.simple("id", &map.id, |s| s.clone());
        self.simple("version", &map.version, |s| s.clone());
        if let Some(first) = map.labels.first() {
            self.lead_key(0, &first.trivia, "label");
            for (i, l) in map.labels.iter().enumerate() {
                if i > 0 {
                    self.before(2, &l.trivia.before);
                }
                self.entry(2, &key(&l.it.0), &quoted(&l.it.1), l.trivia.after.as_deref());
            }
        }
        self.simple("tables", &map.tables, |t| {
            let arrow = match t.arrow {
                Arrow::ToLeft => "<-",
                Arrow::ToRight => "->",
                Arrow::Both => "<->",
            };
            format!("{} {arrow} {}", table(&t.left), table(&t.right))
        });
        self.sides("operations", &map.operations, |(side, list)| {
            let words: Vec<&str> = list.iter().map(|o| operation(o.it)).collect();
            (*side, if words.is_empty() { "none".into() } else { words.join(", ") })
        });
        self.sides("direct", &map.direct, |(side, list)| {
            let words: Vec<String> = list.iter().map(direct).collect();
            (*side, if words.is_empty() { "none".into() } else { words.join(", ") })
        });
        self.sides("guard", &map.guard, |(side, mode)| {
            (*side, if *mode == GuardMode::Reject { "reject" } else { "report" }.into())
        });
        self.simple("company", &map.company, pairing);
        self.list("key", &map.key, None);
        self.sides("filter", &map.filter, |(side, e)| (*side, dsl::write_expr(e)));
        self.sides("on exit", &map.on_exit, |(side, delete)| {
            (*side, if *delete { "delete" } else { "leave" }.into())
        });
        if let Some(n) = &map.needs {
            self.before(0, &n.trivia.before);
            let ids: Vec<String> = n.it.iter().map(|n| flow_text(&n.text)).collect();
            self.entry(0, "needs", &format!("[{}]", ids.join(", ")), n.trivia.after.as_deref());
        }
        self.simple("initial", &map.initial, |side| side.map_or("none".into(), |s| format!("{} wins", s.word())));
        self.simple("conflict", &map.conflict, |c| match c {
            Conflict::Wins(s) => format!("{} wins", s.word()),
            Conflict::Hold => "hold".into(),
            Conflict::MergeElse(s) => format!("merge else {} wins", s.word()),
            Conflict::MergeElseHold => "merge else hold".into(),
        });
        self.simple("run", &map.run, |r| match r {
            RunMode::Live => "live".into(),
            RunMode::Manual => "manual".into(),
            RunMode::Every(s) => format!("every {}", duration(*s)),
        });
        if !map.fields.is_empty() || !map.fields_trivia.before.is_empty() || !map.fields_end.before.is_empty() {
            self.before(0, &map.fields_trivia.before);
            if map.fields.is_empty() {
                self.before(0, &map.fields_end.before);
                self.entry(0, "fields", "[]", None);
            } else {
                self.out.push_str("fields:\n");
                for l in &map.fields {
                    self.item(2, l, None);
                }
                self.before(2, &map.fields_end.before);
            }
        }
        self.edits(&map.edits);
        if let Some(first) = map.tests.first() {
            self.lead_key(0, &first.trivia, "tests");
            for (i, t) in map.tests.iter().enumerate() {
                self.test(t, i > 0);
            }
        }
        self.before(0, &map.end.before);
    }

    /// Comments and blank lines, then a key whose value stands below it.
    fn lead_key(&mut self, depth: usize, t: &Trivia, key: &str) {
        self.before(depth, &t.before);
        self.pad(depth);
        self.out.push_str(key);
        self.out.push_str(":\n");
    }

    fn simple<T>(&mut self, key: &str, node: &Option<Node<T>>, show: impl Fn(&T) -> String) {
        if let Some(n) = node {
            self.before(0, &n.trivia.before);
            self.entry(0, key, &show(&n.it), n.trivia.after.as_deref());
        }
    }

    fn sides<T>(&mut self, key: &str, nodes: &[Node<T>], show: impl Fn(&T) -> (Side, String)) {
        for (i, n) in nodes.iter().enumerate() {
            if i == 0 {
                self.lead_key(0, &n.trivia, key);
            } else {
                self.before(2, &n.trivia.before);
            }
            let (side, text) = show(&n.it);
            self.entry(2, side.word(), &text, n.trivia.after.as_deref());
        }
    }

    fn list(&mut self, key: &str, lines: &[Line], end: Option<&Trivia>) {
        for (i, l) in lines.iter().enumerate() {
            if i == 0 {
                self.lead_key(0, &l.trivia, key);
            }
            self.item_with(2, l, None, i > 0);
        }
        if let Some(end) = end {
            self.before(2, &end.before);
        }
    }

    fn item(&mut self, depth: usize, line: &Line, was: Option<&Line>) {
        self.item_with(depth, line, was, true);
    }

    /// A line as an item of a list.
    fn item_with(&mut self, depth: usize, line: &Line, was: Option<&Line>, before: bool) {
        if before {
            self.before(depth, &line.trivia.before);
        }
        let (text, pairs) = split(line);
        self.pad(depth);
        self.out.push_str("- ");
        if pairs.is_none() && was.is_none() {
            self.scalar(depth, &text, line.trivia.after.as_deref());
            return;
        }
        self.out.push_str("line: ");
        self.scalar(depth + 2, &text, line.trivia.after.as_deref());
        if let Some(p) = pairs {
            self.pairs(depth + 2, "values", p, line.sign.flow, None);
        }
        if let Some(was) = was {
            let (text, pairs) = split(was);
            self.pad(depth + 2);
            match pairs {
                None => {
                    self.out.push_str("was: ");
                    self.scalar(depth + 2, &text, None);
                }
                Some(p) => {
                    self.out.push_str("was:\n");
                    self.entry(depth + 4, "line", &text, None);
                    self.pairs(depth + 4, "values", p, was.sign.flow, None);
                }
            }
        }
    }

    fn edits(&mut self, edits: &[Edit]) {
        for key in ["set", "add", "drop"] {
            let of = |e: &&Edit| match e {
                Edit::Set(..) => key == "set",
                Edit::Add(..) | Edit::AddPairs(..) => key == "add",
                Edit::Drop(..) => key == "drop",
            };
            for (i, e) in edits.iter().filter(of).enumerate() {
                let none = Trivia::default();
                let trivia = match e {
                    Edit::Set(l, _) | Edit::Add(l) => &l.trivia,
                    Edit::AddPairs(..) | Edit::Drop(..) => &none,
                };
                if i == 0 {
                    self.lead_key(0, trivia, key);
                }
                match e {
                    Edit::Set(l, was) => self.item_with(2, l, was.as_deref(), i > 0),
                    Edit::Add(l) => self.item_with(2, l, None, i > 0),
                    Edit::AddPairs(side, column, pairs) => self.column(*side, column, Some(pairs)),
                    Edit::Drop(side, column, pairs) => self.column(*side, column, pairs.as_ref()),
                }
            }
        }
    }

    fn column(&mut self, side: Side, column: &Name, pairs: Option<&Pairs>) {
        let name = side_column(side, column);
        self.pad(2);
        self.out.push_str("- ");
        match pairs {
            None => self.scalar(2, &name, None),
            Some(p) => {
                self.out.push_str("column: ");
                self.scalar(4, &name, None);
                self.pairs(4, "values", p, Flow::Both, None);
            }
        }
    }

    /// `NAME:` and a list of pairs; a pair of the direction `own` needs no sign.
    fn pairs(&mut self, depth: usize, name: &str, pairs: &Pairs, own: Flow, after: Option<&str>) {
        if pairs.pairs.is_empty() {
            self.before(depth, &pairs.end.before);
            self.entry(depth, name, "[]", after);
            return;
        }
        self.pad(depth);
        self.out.push_str(name);
        self.out.push(':');
        self.after(after);
        for p in &pairs.pairs {
            self.before(depth + 2, &p.trivia.before);
            self.pad(depth + 2);
            self.out.push_str(&match &p.it {
                Pair::Of { left, sign, right } => {
                    let shown = if sign.flow == own { String::new() } else { format!(", sign: \"{}\"", mark(sign)) };
                    format!("- {{ left: {}, right: {}{shown} }}", literal(left), literal(right))
                }
                Pair::Else { sign, action } => {
                    let shown = sign.map_or(String::new(), |s| format!(", sign: \"{}\"", mark(&s)));
                    let action = match action {
                        ElseAction::Pass => "pass".to_string(),
                        ElseAction::Error => "error".to_string(),
                        ElseAction::Literal(l) => format!("{{ value: {} }}", literal(l)),
                    };
                    format!("- {{ else: {action}{shown} }}")
                }
            });
            self.after(p.trivia.after.as_deref());
        }
        self.before(depth + 2, &pairs.end.before);
    }

    fn test(&mut self, t: &Test, before: bool) {
        if before {
            self.before(2, &t.trivia.before);
        }
        self.out.push_str("  - test: ");
        self.scalar(4, &t.name.text, t.trivia.after.as_deref());
        for (given, key) in [(true, "given"), (false, "expect")] {
            for (i, s) in t.steps.iter().filter(|s| s.it.given == given).enumerate() {
                if i == 0 {
                    self.pad(4);
                    self.out.push_str(key);
                    self.out.push_str(":\n");
                }
                self.before(6, &s.trivia.before);
                self.pad(6);
                self.out.push_str("- ");
                self.out.push_str(&match &s.it.what {
                    TestWhat::Row(side, r) => format!("{}: {}", side.word(), row(r)),
                    TestWhat::NoRow(side) => format!("{}: none", side.word()),
                    TestWhat::Other(p, r) => format!("{}: {}", key_of(p), row(r)),
                    TestWhat::Parked => "parked".to_string(),
                    TestWhat::Error => "error".to_string(),
                });
                self.after(s.trivia.after.as_deref());
            }
        }
        self.before(6, &t.end.before);
    }

    /// Blank lines and comments before something; a blank line never begins the file.
    fn before(&mut self, depth: usize, lines: &[TriviaLine]) {
        for l in lines {
            match l {
                TriviaLine::Blank => {
                    if !self.out.is_empty() && !self.out.ends_with("\n\n") {
                        self.out.push('\n');
                    }
                }
                TriviaLine::Comment(c) => {
                    self.pad(depth);
                    self.out.push('#');
                    self.out.push_str(c);
                    self.out.push('\n');
                }
            }
        }
    }

    fn entry(&mut self, depth: usize, key: &str, value: &str, after: Option<&str>) {
        self.pad(depth);
        self.out.push_str(key);
        self.out.push_str(": ");
        if value.starts_with(['"', '[']) && !reads_back(value) && !is_line(value) {
            self.out.push_str(value);
            self.after(after);
        } else {
            self.scalar(depth, value, after);
        }
    }

    /// DSL text: plain where every reader reads it back, else a literal block.
    fn scalar(&mut self, depth: usize, text: &str, after: Option<&str>) {
        if reads_back(text) {
            self.out.push_str(text);
            self.after(after);
            return;
        }
        let plain_lines = !text.is_empty()
            && !text.starts_with([' ', '\t', '\n'])
            && !text.ends_with([' ', '\n'])
            && !text.chars().any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
        if !plain_lines || is_number(text) {
            self.out.push_str(&quoted(text));
            self.after(after);
            return;
        }
        self.out.push_str("|-");
        self.after(after);
        for line in text.split('\n') {
            if !line.is_empty() {
                self.pad(depth + 2);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }

    fn after(&mut self, comment: Option<&str>) {
        if let Some(c) = comment {
            self.out.push_str(" #");
            self.out.push_str(c);
        }
        self.out.push('\n');
    }

    fn pad(&mut self, depth: usize) {
        self.out.extend(std::iter::repeat_n(' ', depth));
    }
}

//! The canonical YAML text of a file.

use super::lines::side_column;
use crate::syntax::ast::{
    Arrow, Conflict, Direct, Edit, EditedColumn, ElseAction, Expr, ExprKind, File, Flow, GuardMode, Line, LineValues,
    Literal, LiteralKind, Map, Name, Node, Operation, Pair, Pairing, Pairs, Path, Row, RunMode, Side, Sign, Step,
    TableRef, Test, TestWhat, Trivia, TriviaLine,
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
                if v.pairs.pairs.len() > 1 {
                    w.gap();
                }
                w.before(2, &v.trivia.before);
            }
            w.pairs(2, &text(&v.name.text), &v.pairs, Flow::Both, v.trivia.after.as_deref());
        }
    }
    if let Some(map) = file.maps.first() {
        w.gap();
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
            self.entry_as_is(0, "map", &text(&name.text), map.trivia.after.as_deref());
        }
        if let Some(base) = &map.extends {
            self.entry_as_is(0, "extends", &text(&base.text), None);
        }
        self.simple("id", &map.id, |s| s.clone());
        self.simple("version", &map.version, |s| s.clone());
        if let Some(first) = map.labels.first() {
            self.lead_key(0, &first.trivia, "label");
            for (i, l) in map.labels.iter().enumerate() {
                if i > 0 {
                    self.before(2, &l.trivia.before);
                }
                self.entry_as_is(2, &text(&l.it.0), &quoted(&l.it.1), l.trivia.after.as_deref());
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
        self.list("key", &map.key);
        self.sides("filter", &map.filter, |(side, e)| (*side, dsl::write_expr(e)));
        self.sides("on exit", &map.on_exit, |(side, delete)| (*side, if *delete { "delete" } else { "leave" }.into()));
        if let Some(n) = &map.needs {
            self.before(0, &n.trivia.before);
            let ids: Vec<String> = n.it.iter().map(|n| text(&n.text)).collect();
            self.entry_as_is(0, "needs", &format!("[{}]", ids.join(", ")), n.trivia.after.as_deref());
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
            self.gap();
            self.before(0, &map.fields_trivia.before);
            if map.fields.is_empty() {
                self.before(0, &map.fields_end.before);
                self.entry_as_is(0, "fields", "[]", None);
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
            self.gap();
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

    fn list(&mut self, key: &str, lines: &[Line]) {
        for (i, l) in lines.iter().enumerate() {
            if i == 0 {
                self.lead_key(0, &l.trivia, key);
            }
            self.item_with(2, l, None, i > 0);
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
            self.before(depth + 2, &was.trivia.before);
            match pairs {
                None => self.entry(depth + 2, "was", &text, was.trivia.after.as_deref()),
                Some(p) => {
                    self.pad(depth + 2);
                    self.out.push_str("was:");
                    self.after(was.trivia.after.as_deref());
                    self.entry(depth + 4, "line", &text, None);
                    self.pairs(depth + 4, "values", p, was.sign.flow, None);
                }
            }
        }
    }

    fn edits(&mut self, edits: &[Edit]) {
        for (rank, key) in ["set", "add", "drop"].into_iter().enumerate() {
            for (i, e) in edits.iter().filter(|e| usize::from(e.rank()) == rank).enumerate() {
                if i == 0 {
                    self.lead_key(0, e.trivia(), key);
                }
                match e {
                    Edit::Set(l, was) => self.item_with(2, l, was.as_deref(), i > 0),
                    Edit::Add(l) => self.item_with(2, l, None, i > 0),
                    Edit::AddPairs(column, pairs) => self.column(column, Some(pairs), i > 0),
                    Edit::Drop(column, pairs) => self.column(column, pairs.as_ref(), i > 0),
                }
            }
        }
    }

    fn column(&mut self, c: &EditedColumn, pairs: Option<&Pairs>, before: bool) {
        if before {
            self.before(2, &c.trivia.before);
        }
        let (name, after) = (side_column(c.side, &c.column), c.trivia.after.as_deref());
        self.pad(2);
        self.out.push_str("- ");
        match pairs {
            None => self.scalar(2, &name, after),
            Some(p) => {
                self.out.push_str("column: ");
                self.scalar(4, &name, after);
                self.pairs(4, "values", p, Flow::Both, None);
            }
        }
    }

    /// `NAME:` and a list of pairs; a pair of the direction `own` needs no sign.
    fn pairs(&mut self, depth: usize, name: &str, pairs: &Pairs, own: Flow, after: Option<&str>) {
        if pairs.pairs.is_empty() {
            self.before(depth, &pairs.end.before);
            self.entry_as_is(depth, name, "[]", after);
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
            self.gap();
            self.before(2, &t.trivia.before);
        }
        self.entry_as_is(2, "- test", &text(&t.name.text), t.trivia.after.as_deref());
        for (given, key) in [(true, "given"), (false, "expect")] {
            for (i, s) in t.steps.iter().filter(|s| s.it.given == given).enumerate() {
                if i == 0 {
                    self.pad(4);
                    self.out.push_str(key);
                    self.out.push_str(":\n");
                }
                self.before(6, &s.trivia.before);
                if self.long_row(s) {
                    continue;
                }
                self.pad(6);
                self.out.push_str("- ");
                self.out.push_str(&match &s.it.what {
                    TestWhat::Row(side, r) => format!("{}: {}", side.word(), row(r)),
                    TestWhat::NoRow(side) => format!("{}: none", side.word()),
                    TestWhat::Other(p, r) => format!("{}: {}", other(p), row(r)),
                    TestWhat::Parked => "parked".to_string(),
                    TestWhat::Error => "error".to_string(),
                });
                self.after(s.trivia.after.as_deref());
            }
        }
        self.before(6, &t.end.before);
    }

    /// A row that does not fit on one line: one cell on each. A comment that stood behind it moves above.
    fn long_row(&mut self, step: &Node<crate::syntax::ast::TestStep>) -> bool {
        let (key, r) = match &step.it.what {
            TestWhat::Row(side, r) => (side.word().to_string(), r),
            TestWhat::Other(p, r) => (other(p), r),
            _ => return false,
        };
        if r.cells.is_empty() || format!("      - {key}: {}", row(r)).chars().count() <= WIDTH {
            return false;
        }
        if let Some(comment) = &step.trivia.after {
            self.before(6, &[TriviaLine::Comment(comment.clone())]);
        }
        self.pad(6);
        self.out.push_str(&format!("- {key}:\n"));
        for c in &r.cells {
            self.pad(10);
            self.out.push_str(&format!("{}: {}\n", key_of(&c.path), literal(&c.value)));
        }
        true
    }

    /// A blank line, as the other notation has one here.
    fn gap(&mut self) {
        self.before(0, &[TriviaLine::Blank]);
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

    /// A key with DSL text.
    fn entry(&mut self, depth: usize, key: &str, value: &str, after: Option<&str>) {
        self.pad(depth);
        self.out.push_str(key);
        self.out.push_str(": ");
        self.scalar(depth, value, after);
    }

    /// A key with a value that is YAML already.
    fn entry_as_is(&mut self, depth: usize, key: &str, value: &str, after: Option<&str>) {
        self.pad(depth);
        self.out.push_str(key);
        self.out.push_str(": ");
        self.out.push_str(value);
        self.after(after);
    }

    /// DSL text: plain where every reader reads it back, else a literal block.
    fn scalar(&mut self, depth: usize, text: &str, after: Option<&str>) {
        if reads_back(text) {
            self.out.push_str(text);
            self.after(after);
            return;
        }
        let block = text.contains([' ', '\n', '"', '\\', '\''])
            && !text.starts_with([' ', '\t', '\n'])
            && !text.ends_with([' ', '\n'])
            && !text
                .chars()
                .any(|c| (c.is_control() && c != '\n') || matches!(c, '\u{85}' | '\u{2028}' | '\u{2029}' | '\u{feff}'));
        if !block {
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

/// A text that needs no quotes, else in quotes.
fn text(text: &str) -> String {
    if reads_back(text) { text.to_string() } else { quoted(text) }
}

fn table(t: &TableRef) -> String {
    let step = |n: &Name| Step { name: n.clone(), inner: None };
    path(&Path { this: false, steps: vec![step(&t.store), step(&t.table)], at: t.table.at })
}

fn path(p: &Path) -> String {
    dsl::write_expr(&Expr { kind: ExprKind::Path(p.clone()), at: p.at })
}

/// A path as a key of a flow mapping.
fn key_of(p: &Path) -> String {
    let shown = path(p);
    let bare = shown.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.')) && reads_back(&shown);
    if bare { shown } else { quoted(&shown) }
}

/// The key of a row of another table; a table that is called like a side keeps its quotes.
fn other(p: &Path) -> String {
    match path(p).as_str() {
        side @ ("left" | "right") => quoted(&format!("\"{side}\"")),
        _ => key_of(p),
    }
}

/// The longest line of a row.
const WIDTH: usize = 120;

fn row(r: &Row) -> String {
    let cells: Vec<String> = r.cells.iter().map(|c| format!("{}: {}", key_of(&c.path), literal(&c.value))).collect();
    if cells.is_empty() { "{}".into() } else { format!("{{ {} }}", cells.join(", ")) }
}

fn literal(l: &Literal) -> String {
    match &l.kind {
        LiteralKind::Text(t) => quoted(t),
        LiteralKind::Number(n) => n.clone(),
        LiteralKind::Boolean(b) => b.to_string(),
        LiteralKind::Null => "null".into(),
    }
}

fn mark(sign: &Sign) -> &'static str {
    match sign.flow {
        Flow::Both => "=",
        Flow::ToRight => ">",
        Flow::ToLeft => "<",
    }
}

fn operation(o: Operation) -> &'static str {
    match o {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

fn direct(d: &Direct) -> String {
    match &d.columns {
        None => operation(d.operation).to_string(),
        Some(columns) => {
            let columns: Vec<String> = columns.iter().map(path).collect();
            format!("{} ({})", operation(d.operation), columns.join(", "))
        }
    }
}

fn pairing(p: &Pairing) -> String {
    dsl::write_line(&Line {
        left: p.left.clone(),
        sign: p.sign,
        right: p.right.clone(),
        pipes: vec![],
        values: None,
        default: None,
        on_missing: None,
        once: false,
        at: p.sign.at,
        trivia: Trivia::default(),
    })
}

/// In the largest unit without a rest.
fn duration(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    let unit = units.into_iter().find(|(n, _)| seconds > 0 && seconds.is_multiple_of(*n)).unwrap_or((1, 's'));
    format!("{}{}", seconds / unit.0, unit.1)
}

/// The line's text without the pairs written at it, and the pairs; the sign stays as it is with them.
fn split(line: &Line) -> (String, Option<&Pairs>) {
    let Some(LineValues::Inline(pairs)) = &line.values else { return (dsl::write_line(line), None) };
    let mut stand_in = String::from("values_stand_beside");
    let mut plain = line.clone();
    plain.values = None;
    while dsl::write_line(&plain).contains(&stand_in) {
        stand_in.push('_');
    }
    plain.values = Some(LineValues::Named(Name { text: stand_in.clone(), at: line.at }));
    let text = dsl::write_line(&plain);
    (text.replacen(&format!(" values {stand_in}"), "", 1), Some(pairs))
}

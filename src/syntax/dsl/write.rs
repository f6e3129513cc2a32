//! The canonical layout.

use super::write_expr::{call, expr, line_sign, literal, name, operand, pairing_sign, path, quoted, sign, text};
use crate::syntax::ast::{
    Arrow, Conflict, Direct, Edit, EditedColumn, ElseAction, File, GuardMode, Line, LineValues, Map, Node, OnMissing,
    Operation, Pair, Pairs, Row, RunMode, Side, Test, TestStep, TestWhat, Trivia, TriviaLine,
};

/// How wide a value map or a row may get before it is broken into lines.
const WIDTH: usize = 120;
/// The widest left column that signs are aligned behind.
const COLUMN: usize = 40;
/// The longest line that pushes the comments of its neighbours to the right.
const COMMENT_COLUMN: usize = 90;
/// The column of a statement's body, counted from its word.
const BODY: usize = 11;

/// The text of a file.
pub(super) fn file(file: &File) -> String {
    let mut out = Out::default();
    for v in &file.values {
        out.gap(!v.trivia.before.is_empty() || v.pairs.pairs.len() > 1);
        out.before(0, &v.trivia);
        out.with_pairs(0, &format!("values {}", name(&v.name.text)), Some(&v.pairs), "");
        out.after(&v.trivia);
    }
    for m in &file.maps {
        out.gap(true);
        map(&mut out, m);
    }
    out.before(0, &file.end);
    out.finish()
}

/// A line without its comments, its value map on one line.
pub(super) fn one_line(line: &Line) -> String {
    let mut out = head_of(line, 0, 0);
    if let Some(LineValues::Inline(pairs)) = &line.values {
        out.push(' ');
        out.push_str(&inline(pairs));
    }
    out.push_str(&tail_of(line));
    out
}

/// Lines, each with the comment at its end.
#[derive(Default)]
struct Out {
    lines: Vec<(String, Option<String>)>,
    /// Whether a block has just been opened.
    fresh: bool,
}

impl Out {
    fn line(&mut self, indent: usize, text: &str) {
        self.lines.push((format!("{:indent$}{text}", ""), None));
        self.fresh = false;
    }
    fn blank(&mut self) {
        if !self.fresh && self.lines.last().is_some_and(|(l, c)| !l.is_empty() || c.is_some()) {
            self.lines.push((String::new(), None));
        }
    }
    fn gap(&mut self, wanted: bool) {
        if wanted {
            self.blank();
        }
    }
    fn open(&mut self, indent: usize, text: &str) {
        self.line(indent, text);
        self.fresh = true;
    }
    fn close(&mut self, indent: usize, text: &str) {
        while self.lines.last().is_some_and(|(l, c)| l.is_empty() && c.is_none()) {
            self.lines.pop();
        }
        self.line(indent, text);
    }
    fn before(&mut self, indent: usize, trivia: &Trivia) {
        for line in &trivia.before {
            match line {
                TriviaLine::Blank => self.blank(),
                TriviaLine::Comment(text) => self.line(indent, &comment(text)),
            }
        }
    }
    fn after(&mut self, trivia: &Trivia) {
        if let (Some(text), Some(last)) = (&trivia.after, self.lines.last_mut()) {
            last.1 = Some(comment(text));
        }
    }

    /// `HEAD { … } TAIL`, on one line where it fits.
    fn with_pairs(&mut self, indent: usize, head: &str, pairs: Option<&Pairs>, tail: &str) {
        let Some(pairs) = pairs else { return self.line(indent, &format!("{head}{tail}")) };
        let whole = format!("{head} {}{tail}", inline(pairs));
        let commented = |t: &Trivia| t.after.is_some() || has_comment(t);
        let quiet = !commented(&pairs.end) && !pairs.pairs.iter().any(|p| commented(&p.trivia));
        if quiet && (indent + width(&whole) <= WIDTH || pairs.pairs.is_empty()) {
            return self.line(indent, &whole);
        }
        self.open(indent, &format!("{head} {{"));
        let lefts = pairs.pairs.iter().filter_map(|p| match &p.it {
            Pair::Of { left, .. } => Some(width(&literal(left))),
            Pair::Else { .. } => None,
        });
        let column = lefts.filter(|w| *w <= COLUMN).max().unwrap_or(0);
        for p in &pairs.pairs {
            self.before(indent + 2, &p.trivia);
            self.line(indent + 2, &pair(&p.it, column));
            self.after(&p.trivia);
        }
        self.before(indent + 2, &pairs.end);
        self.close(indent, &format!("}}{tail}"));
    }

    fn field(&mut self, indent: usize, prefix: &str, line: &Line, left: usize, sign: usize) {
        let head = format!("{prefix}{}", head_of(line, left, sign));
        let pairs = match &line.values {
            Some(LineValues::Inline(pairs)) => Some(pairs),
            _ => None,
        };
        self.with_pairs(indent, &head, pairs, &tail_of(line));
    }

    fn finish(mut self) -> String {
        while self.lines.last().is_some_and(|(l, c)| l.is_empty() && c.is_none()) {
            self.lines.pop();
        }
        let mut text = String::new();
        let mut i = 0;
        while i < self.lines.len() {
            // Comments of lines that follow each other stand in one column.
            let run = self.lines[i..].iter().take_while(|(_, c)| c.is_some()).count();
            let widths = self.lines[i..i + run].iter().map(|(l, _)| width(l)).filter(|w| *w <= COMMENT_COLUMN);
            let column = widths.max().unwrap_or(0);
            for (line, comment) in &self.lines[i..i + run.max(1)] {
                text.push_str(line);
                if let Some(comment) = comment {
                    text.push_str(&" ".repeat(column.saturating_sub(width(line)) + 2));
                    text.push_str(comment);
                }
                text.push('\n');
            }
            i += run.max(1);
        }
        text
    }
}

fn comment(text: &str) -> String {
    format!("#{}", text.trim_end())
}

fn has_comment(t: &Trivia) -> bool {
    t.before.iter().any(|l| matches!(l, TriviaLine::Comment(_)))
}

fn width(text: &str) -> usize {
    text.chars().count()
}

fn pad(text: &str, to: usize) -> String {
    format!("{text}{}", " ".repeat(to.saturating_sub(width(text))))
}

/// A line up to its value map in braces; `left` and `sign` are the widths of the columns.
fn head_of(line: &Line, left: usize, sign: usize) -> String {
    let mut out =
        format!("{} {} {}", pad(&operand(&line.left), left), pad(line_sign(line), sign), operand(&line.right));
    for pipe in &line.pipes {
        out.push_str(&format!(" | {}", call(pipe)));
    }
    if let Some(LineValues::Named(n)) = &line.values {
        out.push_str(&format!(" values {}", name(&n.text)));
    }
    out
}

/// What follows the value map.
fn tail_of(line: &Line) -> String {
    let mut out = String::new();
    if let Some(value) = &line.default {
        out.push_str(&format!(" default {}", literal(value)));
    }
    match line.on_missing {
        Some(OnMissing::Park) => out.push_str(" on missing park"),
        Some(OnMissing::Null) => out.push_str(" on missing null"),
        Some(OnMissing::Error) => out.push_str(" on missing error"),
        None => {}
    }
    if line.once {
        out.push_str(" once");
    }
    out
}

fn inline(pairs: &Pairs) -> String {
    let items: Vec<String> = pairs.pairs.iter().map(|p| pair(&p.it, 0)).collect();
    if items.is_empty() { "{ }".into() } else { format!("{{ {} }}", items.join(", ")) }
}

fn pair(pair: &Pair, column: usize) -> String {
    match pair {
        Pair::Of { left, sign: s, right } => {
            format!("{} {} {}", pad(&literal(left), column), sign(s.flow, false), literal(right))
        }
        Pair::Else { sign: s, action } => {
            let sign = s.map_or(String::new(), |s| format!("{} ", sign(s.flow, false)));
            let action = match action {
                ElseAction::Pass => "pass".to_string(),
                ElseAction::Error => "error".to_string(),
                ElseAction::Literal(l) => literal(l),
            };
            format!("else {sign}{action}")
        }
    }
}

fn map(out: &mut Out, m: &Map) {
    out.before(0, &m.trivia);
    let extends = m.extends.as_ref().map_or(String::new(), |e| format!(" extends {}", e.text));
    out.open(0, &format!("map {}{extends} {{", quoted(m.name.as_ref().map_or("", |n| &n.text))));
    head(out, m);
    if !m.fields.is_empty() || has_comment(&m.fields_trivia) || has_comment(&m.fields_end) {
        out.blank();
        out.before(2, &m.fields_trivia);
        out.open(2, "fields {");
        lines(out, 4, &m.fields);
        out.before(4, &m.fields_end);
        out.close(2, "}");
    }
    if !m.edits.is_empty() {
        out.blank();
        edits(out, m);
    }
    for t in &m.tests {
        out.blank();
        test(out, t);
    }
    out.before(2, &m.end);
    out.close(0, "}");
    out.after(&m.trivia);
}

fn statement(out: &mut Out, trivia: &Trivia, word: &str, body: &str) {
    out.before(2, trivia);
    out.line(2, &format!("{} {body}", pad(word, BODY - 1)));
    out.after(trivia);
}

/// `left:  `, as wide as `right: `.
fn side(side: Side) -> &'static str {
    match side {
        Side::Left => "left: ",
        Side::Right => "right:",
    }
}

fn listed(items: Vec<String>) -> String {
    if items.is_empty() { "none".into() } else { items.join(", ") }
}

fn head(out: &mut Out, m: &Map) {
    let plain = |out: &mut Out, word: &str, node: &Option<Node<String>>| {
        if let Some(n) = node {
            statement(out, &n.trivia, word, &n.it);
        }
    };
    plain(out, "id", &m.id);
    plain(out, "version", &m.version);
    for n in &m.labels {
        statement(out, &n.trivia, "label", &format!("{} {}", n.it.0, text(&n.it.1)));
    }
    if let Some(n) = &m.tables {
        let arrow = match n.it.arrow {
            Arrow::ToLeft => "<-",
            Arrow::ToRight => "->",
            Arrow::Both => "<->",
        };
        let table = |t: &crate::syntax::ast::TableRef| format!("{}.{}", name(&t.store.text), name(&t.table.text));
        statement(out, &n.trivia, "tables", &format!("{} {arrow} {}", table(&n.it.left), table(&n.it.right)));
    }
    for n in &m.operations {
        let ops = n.it.1.iter().map(|o| operation(o.it).to_string()).collect();
        statement(out, &n.trivia, "operations", &format!("{} {}", side(n.it.0), listed(ops)));
    }
    for n in &m.direct {
        let items = n.it.1.iter().map(direct).collect();
        statement(out, &n.trivia, "direct", &format!("{} {}", side(n.it.0), listed(items)));
    }
    for n in &m.guard {
        let mode = match n.it.1 {
            GuardMode::Report => "report",
            GuardMode::Reject => "reject",
        };
        statement(out, &n.trivia, "guard", &format!("{} {mode}", side(n.it.0)));
    }
    if let Some(n) = &m.company {
        let body = format!("{} {} {}", operand(&n.it.left), pairing_sign(&n.it), operand(&n.it.right));
        statement(out, &n.trivia, "company", &body);
    }
    key(out, &m.key);
    for n in &m.filter {
        statement(out, &n.trivia, "filter", &format!("{} {}", side(n.it.0), expr(&n.it.1)));
    }
    for n in &m.on_exit {
        let what = if n.it.1 { "delete" } else { "leave" };
        statement(out, &n.trivia, "on exit", &format!("{} {what}", side(n.it.0)));
    }
    if let Some(n) = &m.needs {
        let ids: Vec<&str> = n.it.iter().map(|n| n.text.as_str()).collect();
        statement(out, &n.trivia, "needs", &ids.join(", "));
    }
    if let Some(n) = &m.initial {
        let body = n.it.map_or("none".to_string(), |s| format!("{} wins", s.word()));
        statement(out, &n.trivia, "initial", &body);
    }
    if let Some(n) = &m.conflict {
        let body = match n.it {
            Conflict::Wins(s) => format!("{} wins", s.word()),
            Conflict::Hold => "hold".into(),
            Conflict::MergeElse(s) => format!("merge else {} wins", s.word()),
            Conflict::MergeElseHold => "merge else hold".into(),
        };
        statement(out, &n.trivia, "conflict", &body);
    }
    if let Some(n) = &m.run {
        let body = match n.it {
            RunMode::Live => "live".into(),
            RunMode::Manual => "manual".into(),
            RunMode::Every(seconds) => format!("every {}", duration(seconds)),
        };
        statement(out, &n.trivia, "run", &body);
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
        None => operation(d.operation).into(),
        Some(columns) => {
            let columns: Vec<String> = columns.iter().map(path).collect();
            format!("{} ({})", operation(d.operation), columns.join(", "))
        }
    }
}

/// In the largest unit without a rest.
fn duration(seconds: u64) -> String {
    let units = [(86_400, 'd'), (3600, 'h'), (60, 'm')];
    let unit = units.into_iter().find(|(n, _)| seconds > 0 && seconds.is_multiple_of(*n)).unwrap_or((1, 's'));
    format!("{}{}", seconds / unit.0, unit.1)
}

/// The pairs of the key on one line where they fit and have no comments between them.
fn key(out: &mut Out, key: &[Line]) {
    let whole: Vec<String> = key.iter().map(one_line).collect();
    let whole = whole.join(", ");
    let last = key.len().saturating_sub(1);
    let commented = |i: usize, l: &Line| {
        let pairs = match &l.values {
            Some(LineValues::Inline(p)) => {
                has_comment(&p.end) || p.pairs.iter().any(|p| has_comment(&p.trivia) || p.trivia.after.is_some())
            }
            _ => false,
        };
        pairs || (i > 0 && has_comment(&l.trivia)) || (i < last && l.trivia.after.is_some())
    };
    if key.len() > 1 && width(&whole) + 2 + BODY <= WIDTH && !key.iter().enumerate().any(|(i, l)| commented(i, l)) {
        out.before(2, &key[0].trivia);
        out.line(2, &format!("{} {whole}", pad("key", BODY - 1)));
        out.after(&key[last].trivia);
        return;
    }
    let (left, sign) = columns(key);
    let (left, sign) = if key.len() > 1 { (left, sign) } else { (0, 0) };
    for (i, line) in key.iter().enumerate() {
        let word = if i == 0 { "key" } else { "" };
        if i == 0 {
            out.before(2, &line.trivia);
        } else {
            out.before(2 + BODY, &line.trivia);
        }
        out.field(2, &format!("{} ", pad(word, BODY - 1)), line, left, sign);
        if let Some((text, _)) = out.lines.last_mut().filter(|_| i < last) {
            text.push(',');
        }
        out.after(&line.trivia);
    }
}

/// The widths of the left operands and of the signs.
fn columns<'a>(lines: impl IntoIterator<Item = &'a Line> + Clone) -> (usize, usize) {
    let lefts = lines.clone().into_iter().map(|l| width(&operand(&l.left)));
    let left = lefts.filter(|w| *w <= COLUMN).max().unwrap_or(0);
    (left, lines.into_iter().map(|l| line_sign(l).len()).max().unwrap_or(1))
}

fn lines(out: &mut Out, indent: usize, lines: &[Line]) {
    let (left, sign) = columns(lines);
    for line in lines {
        out.before(indent, &line.trivia);
        out.field(indent, "", line, left, sign);
        out.after(&line.trivia);
    }
}

fn edits(out: &mut Out, m: &Map) {
    let (left, sign) = columns(m.edits.iter().filter_map(Edit::line));
    for edit in &m.edits {
        match edit {
            Edit::Set(line, was) => {
                for (word, line) in [("set  ", Some(line)), ("  was ", was.as_ref())] {
                    let Some(line) = line else { continue };
                    out.before(2, &line.trivia);
                    out.field(2, word, line, left.saturating_sub(usize::from(word.len() > 5)), sign);
                    out.after(&line.trivia);
                }
            }
            Edit::Add(line) => {
                out.before(2, &line.trivia);
                out.field(2, "add  ", line, left, sign);
                out.after(&line.trivia);
            }
            Edit::AddPairs(column, pairs) => edited(out, "add ", column, Some(pairs)),
            Edit::Drop(column, pairs) => edited(out, "drop", column, pairs.as_ref()),
        }
    }
}

fn edited(out: &mut Out, word: &str, c: &EditedColumn, pairs: Option<&Pairs>) {
    out.before(2, &c.trivia);
    out.with_pairs(2, &format!("{word} {}.{}", c.side.word(), name(&c.column.text)), pairs, "");
    out.after(&c.trivia);
}

fn test(out: &mut Out, t: &Test) {
    out.before(2, &t.trivia);
    out.open(2, &format!("test {} {{", quoted(&t.name.text)));
    let heads: Vec<String> = t.steps.iter().map(|s| step_head(&s.it)).collect();
    let rows = t.steps.iter().zip(&heads).filter(|(s, _)| row_of(&s.it).is_some()).map(|(_, h)| width(h));
    let column = rows.filter(|w| *w <= COLUMN).max().unwrap_or(0);
    for (s, head) in t.steps.iter().zip(&heads) {
        out.before(4, &s.trivia);
        match row_of(&s.it) {
            Some(row) => cells(out, &pad(head, column), row),
            None => out.line(4, head),
        }
        out.after(&s.trivia);
    }
    out.before(4, &t.end);
    out.close(2, "}");
    out.after(&t.trivia);
}

fn row_of(step: &TestStep) -> Option<&Row> {
    match &step.what {
        TestWhat::Row(_, row) | TestWhat::Other(_, row) => Some(row),
        _ => None,
    }
}

fn step_head(step: &TestStep) -> String {
    let word = if step.given { "given" } else { "expect" };
    let word = if row_of(step).is_some() { pad(word, 6) } else { word.to_string() };
    match &step.what {
        TestWhat::Row(s, _) => format!("{word} {}", s.word()),
        TestWhat::NoRow(s) => format!("{word} {} none", s.word()),
        TestWhat::Other(p, _) => {
            let shown = path(p);
            let shown = if matches!(shown.as_str(), "left" | "right") { quoted(&shown) } else { shown };
            format!("{word} {shown}")
        }
        TestWhat::Parked => format!("{word} parked"),
        TestWhat::Error => format!("{word} error"),
    }
}

fn cells(out: &mut Out, head: &str, row: &Row) {
    let cells: Vec<String> = row.cells.iter().map(|c| format!("{} = {}", path(&c.path), literal(&c.value))).collect();
    if cells.is_empty() {
        return out.line(4, &format!("{head} {{ }}"));
    }
    let whole = format!("{head} {{ {} }}", cells.join(", "));
    if width(&whole) + 4 <= WIDTH {
        return out.line(4, &whole);
    }
    out.open(4, &format!("{head} {{"));
    let column = row.cells.iter().map(|c| width(&path(&c.path))).filter(|w| *w <= COLUMN).max().unwrap_or(0);
    for c in &row.cells {
        out.line(6, &format!("{} = {}", pad(&path(&c.path), column), literal(&c.value)));
    }
    out.close(4, "}");
}

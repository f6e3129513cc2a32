//! Field lines, key lines, edits, value maps and literals.

use super::decode::{Decoder, side};
use super::trivia;
use crate::diagnostic::{Code, Diagnostic};
use crate::syntax::ast::{
    Edit, EditedColumn, ElseAction, Flow, Line, LineValues, Literal, LiteralKind, Map, Name, Node as Ast, Pair, Pairs,
    Side, Sign, Trivia, TriviaLine,
};
use crate::syntax::dsl;
use crate::yaml::{Comments, Entry, Fields, Item, Node, Plain, resolve};

impl Decoder<'_> {
    /// An item of `fields`: a line, or `{line, values}`.
    pub(super) fn line_item(&mut self, item: &Item) -> Option<Line> {
        let mut line = self.line(&item.value, &item.comments, "a field line", &["line", "values"])?;
        line.trivia = self.line_trivia(&item.value, &item.comments);
        Some(line)
    }

    /// Comments of an item or entry and of the keys of the mapping in it; those of pairs stay with the pairs, those of
    /// `was` with it.
    pub(super) fn line_trivia(&mut self, value: &Node, comments: &Comments) -> Trivia {
        let mut t = trivia::of(comments);
        for e in value.entries().unwrap_or_default().iter().filter(|e| e.key.text != "was") {
            t.before.extend(trivia::lines(&e.comments.before));
            match (&e.comments.after, &t.after) {
                (Some(c), Some(_)) => t.before.push(TriviaLine::Comment(c.clone())),
                (Some(c), None) => t.after = Some(c.clone()),
                (None, _) => {}
            }
        }
        t.before.extend(trivia::lines(&value.end));
        t
    }

    /// A line, or a mapping of `known` keys with a line in it.
    fn line(&mut self, n: &Node, comments: &Comments, what: &str, known: &[&str]) -> Option<Line> {
        if n.entries().is_none() {
            return self.line_text(n, comments);
        }
        if !self.unchanged(n, None) {
            return None;
        }
        let f = self.r.fields(n, what, known)?;
        self.r.require(&f, "line", what)?;
        let entry = f.entry("line")?;
        let line = self.line_text(&entry.value, &entry.comments);
        self.with_values(line, &f)
    }

    fn line_text(&mut self, n: &Node, comments: &Comments) -> Option<Line> {
        let s = self.fragment(n, "line", comments)?;
        let offset = |i: usize| s.offset(i);
        let fragment = dsl::Fragment { text: s.text.trim_end(), file: n.span.file, offset: &offset };
        let (line, findings) = dsl::parse_line(fragment);
        self.take(findings, s);
        line
    }

    fn with_values(&mut self, line: Option<Line>, f: &Fields<'_>) -> Option<Line> {
        let flow = line.as_ref().map_or(Flow::Both, |l| l.sign.flow);
        let values = f.get("values").map(|n| (self.pairs(n, flow), n.span));
        let mut line = line?;
        if let Some((pairs, span)) = values {
            if line.values.is_some() {
                let message = "a value map both in the line and beside it";
                self.r.refuse(span, message, "keep one of the two");
            } else {
                line.values = Some(LineValues::Inline(pairs));
            }
        }
        Some(line)
    }

    /// One item of `key`; a text may hold several pairs, of which all but the last are put into the map here.
    pub(super) fn one_key(&mut self, n: &Node, comments: &Comments, map: &mut Map) -> Option<Line> {
        let (text, comments, fields) = match n.entries() {
            None => (n, comments, None),
            Some(_) => {
                if !self.unchanged(n, None) {
                    return None;
                }
                let f = self.r.fields(n, "a key line", &["line", "values"])?;
                self.r.require(&f, "line", "a key line")?;
                let entry = f.entry("line")?;
                (&entry.value, &entry.comments, Some(f))
            }
        };
        let mut one = Map::default();
        if let Some(s) = self.fragment(text, "key", comments) {
            self.head("key", s, text, &mut one);
        }
        let last = one.key.pop();
        map.key.append(&mut one.key);
        match fields {
            Some(f) => self.with_values(last, &f),
            None => last,
        }
    }

    /// `set`, `add`, `drop` of an overlay.
    pub(super) fn edits(&mut self, e: &Entry, map: &mut Map) {
        let key = e.key.text.as_str();
        let mut lead = trivia::flat(&e.comments);
        for item in self.r.sequence(&e.value, &format!("`{key}`")).unwrap_or_default() {
            let mut t = self.line_trivia(&item.value, &item.comments);
            t.before.splice(0..0, std::mem::take(&mut lead));
            let column = key == "drop" || (key == "add" && item.value.get("column").is_some());
            if column {
                if let Some(mut edit) = self.column_edit(key, &item.value) {
                    *edit.trivia_mut() = t;
                    map.edits.push(edit);
                }
                continue;
            }
            let known: &[&str] = if key == "set" { &["line", "values", "was"] } else { &["line", "values"] };
            let line = self.line(&item.value, &item.comments, &format!("an item of `{key}`"), known);
            let was = item.value.get("was").filter(|_| key == "set");
            let was = was.and_then(|w| {
                let mut line = self.line(&w.value, &w.comments, "`was`", &["line", "values"])?;
                line.trivia = self.line_trivia(&w.value, &w.comments);
                Some(line)
            });
            let Some(mut line) = line else { continue };
            line.trivia = t;
            map.edits.push(match key {
                "set" => Edit::Set(Box::new(line), was.map(Box::new)),
                _ => Edit::Add(Box::new(line)),
            });
        }
        map.end.before.extend(trivia::lines(&e.value.end));
    }

    /// `left.COLUMN`, or `{column: left.COLUMN, values: […]}`.
    fn column_edit(&mut self, key: &str, n: &Node) -> Option<Edit> {
        let what = format!("an item of `{key}`");
        let (name, values) = match n.entries() {
            None => (n, None),
            Some(_) => {
                let f = self.r.fields(n, &what, &["column", "values"])?;
                (self.r.require(&f, "column", &what)?, f.get("values"))
            }
        };
        let s = self.r.name(name, "a column")?;
        let found = s.text.split_once('.').and_then(|(a, b)| Some((side(a)?, b)));
        let Some((side, column)) = found.filter(|(_, c)| !c.is_empty()) else {
            let message = format!("`{}` names no column of a side", s.text);
            self.r.refuse(name.span, message, "write `left.COLUMN` or `right.COLUMN`");
            return None;
        };
        let text = match column.strip_prefix('"').and_then(|c| c.strip_suffix('"')) {
            Some(inner) => inner.replace("\"\"", "\""),
            None => column.to_string(),
        };
        let column = Name { text, at: name.span.into() };
        let column = EditedColumn { side, column, trivia: Trivia::default() };
        let pairs = values.map(|v| self.pairs(v, Flow::Both));
        match (key, pairs) {
            ("drop", pairs) => Some(Edit::Drop(column, pairs)),
            (_, Some(pairs)) => Some(Edit::AddPairs(column, pairs)),
            (_, None) => {
                self.r.refuse(name.span, "nothing to add", "write `values:` with the pairs beside `column:`");
                None
            }
        }
    }

    /// A value map; `own` is the direction of a pair without `sign`.
    pub(super) fn pairs(&mut self, n: &Node, own: Flow) -> Pairs {
        let mut pairs = Pairs { pairs: vec![], at: n.span.into(), end: Trivia::default() };
        if n.scalar().is_some_and(|s| resolve(s) == Plain::Text) {
            let help = "write `values NAME` into the line, or list the pairs here";
            self.r.refuse(n.span, "expected a list of pairs for `values`, found a text", help);
            return pairs;
        }
        for item in self.r.sequence(n, "`values`").unwrap_or_default() {
            if let Some(pair) = self.pair(&item.value, own) {
                let mut node = Ast::new(pair, item.value.span);
                node.trivia = self.line_trivia(&item.value, &item.comments);
                pairs.pairs.push(node);
            }
        }
        pairs.end.before = trivia::lines(&n.end);
        pairs
    }

    fn pair(&mut self, n: &Node, own: Flow) -> Option<Pair> {
        let f = self.r.fields(n, "a pair", &["left", "right", "else", "sign"])?;
        let sign = match f.get("sign") {
            None => None,
            Some(s) => {
                let text = self.r.name(s, "`sign`")?.text.as_str();
                let flow = match text {
                    "=" => Flow::Both,
                    ">" => Flow::ToRight,
                    "<" => Flow::ToLeft,
                    other => {
                        let message = format!("`{other}` is no sign of a pair");
                        self.r.refuse(s.span, message, "write `\"=\"`, `\"<\"` or `\">\"`");
                        return None;
                    }
                };
                Some(Sign { flow, doubled: false, at: s.span.into() })
            }
        };
        if let Some(action) = f.get("else") {
            for key in ["left", "right"] {
                if let Some(e) = f.entry(key) {
                    self.r.refuse(e.key_span, format!("`{key}` beside `else`"), "give `else` an item of its own");
                }
            }
            return Some(Pair::Else { sign, action: self.else_action(action)? });
        }
        let left = self.r.require(&f, "left", "a pair").and_then(|n| self.literal(n));
        let right = self.r.require(&f, "right", "a pair").and_then(|n| self.literal(n));
        let sign = sign.unwrap_or(Sign { flow: own, doubled: false, at: n.span.into() });
        Some(Pair::Of { left: left?, sign, right: right? })
    }

    fn else_action(&mut self, n: &Node) -> Option<ElseAction> {
        if n.entries().is_some() {
            let f = self.r.fields(n, "`else`", &["value"])?;
            return Some(ElseAction::Literal(self.r.require(&f, "value", "`else`").and_then(|n| self.literal(n))?));
        }
        match n.scalar().map(|s| s.text.as_str()) {
            Some("error") => Some(ElseAction::Error),
            Some("pass") => Some(ElseAction::Pass),
            _ => {
                self.r.refuse(n.span, "`else` is `error`, `pass` or a value", "write a value as `else: { value: … }`");
                None
            }
        }
    }

    /// A value: in quotes it is text; bare it is `null`, `true`, `false`, a number, else text.
    pub(super) fn literal(&mut self, n: &Node) -> Option<Literal> {
        let Some(s) = n.scalar() else {
            self.r.wrong(n, "a single value");
            return None;
        };
        let kind = match resolve(s) {
            Plain::Null => LiteralKind::Null,
            Plain::Boolean(b) => LiteralKind::Boolean(b),
            Plain::Text => LiteralKind::Text(self.r.text(n, "a value")?.text.clone()),
            Plain::Integer | Plain::Number => {
                if !is_number(&s.text) {
                    let message = format!("`{}` is not written as a number of maps", s.text);
                    self.r.refuse(n.span, message, "write digits with a point, or put a text into quotes");
                    return None;
                }
                let digits = s.text.trim_start_matches('-');
                if digits.len() > 1 && digits.starts_with('0') && !digits.starts_with("0.") {
                    let d = Diagnostic::new(
                        Code::TM0139,
                        n.span,
                        format!("`{}` is read as another number by some readers of YAML", s.text),
                    )
                    .help("put it into quotes if it is a text, else write it without the leading zero");
                    self.r.add(d);
                }
                LiteralKind::number(&s.text)
            }
        };
        Some(Literal { kind, at: n.span.into() })
    }
}

/// `[-]digits[.digits]`
fn is_number(text: &str) -> bool {
    let body = text.strip_prefix('-').unwrap_or(text);
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    match body.split_once('.') {
        Some((a, b)) => digits(a) && digits(b),
        None => digits(body),
    }
}

/// The word of a side in `SIDE.COLUMN`.
pub(super) fn side_column(side: Side, column: &Name) -> String {
    let bare = column.text.starts_with(|c: char| c.is_alphabetic() || c == '_')
        && column.text.chars().all(|c| c.is_alphanumeric() || c == '_');
    match bare {
        true => format!("{}.{}", side.word(), column.text),
        false => format!("{}.\"{}\"", side.word(), column.text.replace('"', "\"\"")),
    }
}

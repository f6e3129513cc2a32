//! The tree into the AST: a file, a map, its statements.

use super::trivia;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;
use crate::syntax::ast::{Edit, File, Flow, Map, Name, Node as Ast, Side, Trivia, TriviaLine, ValuesDecl};
use crate::syntax::dsl;
use crate::yaml::{Comments, Document, Entry, Fields, Node, Plain, Reader, Scalar, Style, resolve};

/// The keys of a map file in their canonical order.
pub(super) const KEYS: &[&str] = &[
    "values",
    "map",
    "extends",
    "id",
    "version",
    "label",
    "tables",
    "operations",
    "direct",
    "guard",
    "company",
    "key",
    "filter",
    "on exit",
    "needs",
    "initial",
    "conflict",
    "run",
    "fields",
    "set",
    "add",
    "drop",
    "tests",
];

pub(super) struct Decoder<'a> {
    pub(super) r: Reader,
    pub(super) text: &'a str,
}

impl Decoder<'_> {
    pub(super) fn file(&mut self, root: &Node, document: &Document, out: &mut File) {
        let end = trivia::lines(&document.end);
        let Some(f) = self.r.fields(root, "a map", KEYS) else {
            out.end.before = end;
            return;
        };
        if let Some(e) = f.entry("values") {
            self.shared(e, out);
        }
        let only_values = f.get("values").is_some() && f.entries().len() == 1;
        if only_values {
            out.end.before = end;
            return;
        }
        let mut map = Map { at: root.span.into(), ..Map::default() };
        self.map(&f, &mut map);
        map.edits.sort_by_key(Edit::rank);
        map.end.before.extend(end);
        out.maps.push(map);
    }

    /// `values: {NAME: [pairs]}` of the file.
    fn shared(&mut self, e: &Entry, out: &mut File) {
        let mut lead = trivia::flat(&e.comments);
        for e in self.r.mapping(&e.value, "`values`").unwrap_or_default() {
            if e.key.text.trim().is_empty() {
                let message = format!("`{}` cannot name a value map", e.key.text);
                self.r.refuse(e.key_span, message, "lines use it by its name, so it needs one");
            }
            let pairs = self.pairs(&e.value, Flow::Both);
            let mut t = trivia::of(&e.comments);
            t.before.splice(0..0, std::mem::take(&mut lead));
            out.values.push(ValuesDecl {
                name: Name { text: e.key.text.clone(), at: e.key_span.into() },
                pairs,
                at: e.key_span.to(e.value.span).into(),
                trivia: t,
            });
        }
    }

    fn map(&mut self, f: &Fields<'_>, map: &mut Map) {
        if let Some(n) = self.r.require(f, "map", "the file") {
            map.name = self.r.name(n, "`map`").map(|s| Name { text: s.text.clone(), at: n.span.into() });
        }
        if let Some(e) = f.entry("map") {
            map.trivia = trivia::of(&e.comments);
        }
        if let Some(e) = f.entry("extends") {
            map.trivia.before.extend(trivia::flat(&e.comments));
            if let Some(s) = self.r.name(&e.value, "`extends`") {
                if !is_slug(&s.text) {
                    let message = format!("`{}` is not an id", s.text);
                    self.r.refuse(e.value.span, message, "letters, digits and single `-` between them");
                }
                map.extends = Some(Name { text: s.text.clone(), at: e.value.span.into() });
            }
        }
        for e in f.entries() {
            match e.key.text.as_str() {
                "id" | "tables" | "company" | "initial" | "conflict" | "run" => {
                    let key = e.key.text.as_str();
                    if let Some(s) = self.fragment(&e.value, key, &e.comments) {
                        self.head(key, s, &e.value, map);
                    }
                    set_trivia(map, key, trivia::of(&e.comments));
                }
                "version" => {
                    // `1.0` is a number to YAML; its text is what counts
                    let number = |s: &&Scalar| matches!(resolve(s), Plain::Integer | Plain::Number);
                    let s = match e.value.scalar().filter(number) {
                        Some(s) => Some(s),
                        None => self.r.name(&e.value, "`version`"),
                    };
                    if let Some(s) = s {
                        self.head("version", s, &e.value, map);
                    }
                    set_trivia(map, "version", trivia::of(&e.comments));
                }
                "label" => self.labels(e, map),
                "operations" | "direct" | "guard" | "filter" | "on exit" => self.by_side(e, map),
                "key" => self.key(e, map),
                "needs" => self.needs(e, map),
                "fields" => {
                    map.fields_trivia.before = trivia::flat(&e.comments);
                    map.fields_end.before = trivia::lines(&e.value.end);
                    for item in self.r.sequence(&e.value, "`fields`").unwrap_or_default() {
                        map.fields.extend(self.line_item(item));
                    }
                }
                "set" | "add" | "drop" => self.edits(e, map),
                "tests" => self.tests(e, map),
                _ => {}
            }
        }
    }

    /// A scalar that holds DSL text; where YAML made something else of it, that is the finding.
    pub(super) fn fragment<'n>(&mut self, n: &'n Node, what: &str, comments: &Comments) -> Option<&'n Scalar> {
        if !self.unchanged(n, comments.after.as_deref()) {
            return None;
        }
        match n.scalar() {
            Some(s) if s.style != Style::Plain || resolve(s) == Plain::Text => {
                if s.text.trim().is_empty() {
                    self.r.wrong(n, &format!("a text for `{what}`"));
                    return None;
                }
                Some(s)
            }
            _ => {
                self.r.wrong(n, &format!("a text for `{what}`"));
                None
            }
        }
    }

    /// Lets the DSL read the body of a statement.
    pub(super) fn head(&mut self, prefix: &str, s: &Scalar, n: &Node, map: &mut Map) {
        let offset = |i: usize| s.offset(i);
        let fragment = dsl::Fragment { text: s.text.trim_end(), file: n.span.file, offset: &offset };
        let findings = dsl::parse_head(prefix, fragment, map);
        self.take(findings, s);
    }

    /// Findings of the DSL; fixes that a quoted scalar would not take are left out.
    pub(super) fn take(&mut self, findings: Vec<Diagnostic>, s: &Scalar) {
        for mut d in findings {
            let bad: &[char] = match s.style {
                Style::Single | Style::Double => &['\'', '"', '\\', '\n'],
                Style::Plain => &['#', ':', '\n'],
                Style::Literal | Style::Folded => &['\n'],
            };
            d.fixes.retain(|f| f.edits.iter().all(|e| !e.replacement.contains(bad)));
            self.r.add(d);
        }
    }

    /// Statements that name a side: `left:` and `right:` below the key.
    fn by_side(&mut self, e: &Entry, map: &mut Map) {
        let key = e.key.text.as_str();
        let mut lead = trivia::flat(&e.comments);
        let entries = match e.value.entries() {
            Some(entries) => entries,
            None => {
                self.r.wrong(&e.value, &format!("`left:` or `right:` below `{key}`"));
                return;
            }
        };
        for (i, s) in entries.iter().enumerate() {
            let Some(side) = side(&s.key.text) else {
                let cut = e.value.flow && s.value.is_null() && i > 0;
                let d = if cut {
                    Diagnostic::new(Code::TM0140, s.key_span, "inside `{ … }` the comma ends the text")
                        .help("write `left:` and `right:` on lines of their own, or put the text into quotes")
                } else {
                    Diagnostic::new(Code::TM0142, s.key_span, format!("unknown key `{}` in `{key}`", s.key.text))
                        .help("the sides are `left` and `right`")
                };
                self.r.add(d);
                continue;
            };
            if let Some(text) = self.fragment(&s.value, key, &s.comments) {
                self.head(&format!("{key} {}:", side.word()), text, &s.value, map);
            }
            let mut t = trivia::of(&s.comments);
            t.before.splice(0..0, std::mem::take(&mut lead));
            set_trivia(map, key, t);
        }
        map.end.before.extend(trivia::lines(&e.value.end));
        if entries.is_empty() {
            self.r.wrong(&e.value, &format!("`left:` or `right:` below `{key}`"));
        }
    }

    fn labels(&mut self, e: &Entry, map: &mut Map) {
        let mut lead = trivia::flat(&e.comments);
        for l in self.r.mapping(&e.value, "`label`").unwrap_or_default() {
            if !is_slug(&l.key.text) {
                let message = format!("`{}` is not a language", l.key.text);
                self.r.refuse(l.key_span, message, "write it like `en` or `zh-CN`");
            }
            let Some(text) = self.r.text(&l.value, "a label") else { continue };
            let at = l.key_span.to(l.value.span);
            let mut node = Ast::new((l.key.text.clone(), text.text.clone()), at);
            node.trivia = trivia::of(&l.comments);
            node.trivia.before.splice(0..0, std::mem::take(&mut lead));
            map.labels.push(node);
        }
        map.end.before.extend(trivia::lines(&e.value.end));
    }

    fn key(&mut self, e: &Entry, map: &mut Map) {
        let Some(items) = e.value.items() else {
            if let Some(mut line) = self.one_key(&e.value, &e.comments, map) {
                line.trivia = self.line_trivia(&e.value, &e.comments);
                map.key.push(line);
            }
            return;
        };
        if items.is_empty() {
            self.r.wrong(&e.value, "a line for `key`");
        }
        let mut lead = trivia::flat(&e.comments);
        for item in items {
            if let Some(mut line) = self.one_key(&item.value, &item.comments, map) {
                let mut t = self.line_trivia(&item.value, &item.comments);
                t.before.splice(0..0, std::mem::take(&mut lead));
                line.trivia = t;
                map.key.push(line);
            }
        }
        map.end.before.extend(trivia::lines(&e.value.end));
    }

    fn needs(&mut self, e: &Entry, map: &mut Map) {
        let mut names = vec![];
        let list: Vec<&Node> = match e.value.items() {
            Some(items) => items.iter().map(|i| &i.value).collect(),
            None => vec![&e.value],
        };
        for n in &list {
            let Some(s) = self.r.name(n, "`needs`") else { continue };
            let mut one = Map::default();
            self.head("needs", s, n, &mut one);
            names.extend(one.needs.into_iter().flat_map(|n| n.it));
        }
        if list.is_empty() {
            self.r.wrong(&e.value, "an id for `needs`");
        }
        if !names.is_empty() {
            let mut node = Ast::new(names, e.value.span);
            node.trivia = trivia::of(&e.comments);
            node.trivia.before.extend(trivia::inside(&e.value));
            map.needs = Some(node);
        }
    }

    /// Whether YAML left a line as it was written; if not, that is a finding with a fix.
    pub(super) fn unchanged(&mut self, n: &Node, comment: Option<&str>) -> bool {
        let (start, end) = (n.span.start as usize, n.span.end as usize);
        let line_end = self.text[end.min(self.text.len())..].find('\n').map_or(self.text.len(), |i| end + i);
        let whole = |from: usize| {
            let text = self.text.get(from..line_end).unwrap_or("").trim_end();
            (Span::new(n.span.file, from, from + text.len()), format!("'{}'", text.replace('\'', "''")))
        };
        let (message, from) = match (&n.scalar(), n.entries()) {
            (None, Some([only])) if !n.flow && !matches!(only.key.text.as_str(), "line" | "column") => {
                ("`: ` makes a mapping of this line", only.key_span.start as usize)
            }
            (Some(s), _) if s.style == Style::Plain && n.flow && !is_plain_word(&s.text) => {
                let d = Diagnostic::new(Code::TM0140, n.span, "a line inside `[ … ]` or `{ … }` is cut at commas")
                    .help("write it on a line of its own, below its key");
                let d = if balanced(&s.text) {
                    d.fix("quote the line", n.span, format!("'{}'", s.text.replace('\'', "''")), false)
                } else {
                    d
                };
                self.r.add(d);
                return false;
            }
            (Some(s), _) if s.style == Style::Plain && comment.is_some() && !balanced(&s.text) => {
                ("` #` ends this line in the middle of a text or bracket", start)
            }
            (Some(s), _)
                if s.style == Style::Plain && n.anchor.is_some() && !s.text.starts_with(char::is_alphanumeric) =>
            {
                ("`&` at its beginning makes an anchor of this line", n.anchor.map_or(start, |a| a.start as usize))
            }
            _ => return true,
        };
        let (span, quoted) = whole(from);
        let d = Diagnostic::new(Code::TM0140, span, message)
            .help("quote the line, or put it into a block that begins with `|-`")
            .fix("quote the line", span, quoted, true);
        self.r.add(d);
        false
    }
}

/// Gives the statement that was read last for `key` its comments; where there is none they stay in the map.
fn set_trivia(map: &mut Map, key: &str, t: Trivia) {
    fn put<T>(node: Option<&mut Ast<T>>, t: Trivia) -> Option<Trivia> {
        match node {
            Some(n) => {
                n.trivia = t;
                None
            }
            None => Some(t),
        }
    }
    let left = match key {
        "id" => put(map.id.as_mut(), t),
        "version" => put(map.version.as_mut(), t),
        "tables" => put(map.tables.as_mut(), t),
        "company" => put(map.company.as_mut(), t),
        "initial" => put(map.initial.as_mut(), t),
        "conflict" => put(map.conflict.as_mut(), t),
        "run" => put(map.run.as_mut(), t),
        "operations" => put(map.operations.last_mut(), t),
        "direct" => put(map.direct.last_mut(), t),
        "guard" => put(map.guard.last_mut(), t),
        "filter" => put(map.filter.last_mut(), t),
        "on exit" => put(map.on_exit.last_mut(), t),
        _ => Some(t),
    };
    if let Some(t) = left {
        map.end.before.extend(t.before);
        map.end.before.extend(t.after.map(TriviaLine::Comment));
    }
}

/// `left` or `right`.
pub(super) fn side(word: &str) -> Option<Side> {
    match word {
        "left" => Some(Side::Left),
        "right" => Some(Side::Right),
        _ => None,
    }
}

/// Whether quotes and brackets are closed.
fn balanced(text: &str) -> bool {
    let mut open = vec![];
    let mut quote = None;
    for c in text.chars() {
        match (quote, c) {
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(c),
            (None, '(' | '{' | '[') => open.push(c),
            (None, ')' | '}' | ']') if open.pop().is_none() => return false,
            _ => {}
        }
    }
    quote.is_none() && open.is_empty()
}

/// One or two plain words, which even flow style leaves alone (`create`, `left wins`).
fn is_plain_word(text: &str) -> bool {
    text.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | ' '))
}

fn is_slug(text: &str) -> bool {
    text.split('-').all(|p| !p.is_empty() && p.chars().all(|c| c.is_ascii_alphanumeric()))
}

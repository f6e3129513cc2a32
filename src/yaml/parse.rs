//! Parser events into the tree. The only file that knows the parser.

use super::comments::{self, Found};
use super::{Comments, Document, Entry, Item, Kind, Node, Offsets, Scalar, Style};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{FileId, Span};
use granit_parser::{Event, Parser, ScalarStyle, StructureStyle};
use std::collections::HashMap;

/// The deepest nesting of collections, aliases followed.
pub const MAX_DEPTH: usize = 128;
/// How many nodes aliases may stand for in one file.
pub const MAX_ALIASED_NODES: usize = 100_000;
/// How many nodes below anchors are kept for aliases (an anchor inside an anchor counts twice).
const MAX_COPIED_NODES: usize = 400_000;
/// After so many findings of one kind the rest is not worth telling.
const MAX_SAME: usize = 20;

/// Reads `text` into a tree; what could be read is returned even where there are findings.
pub fn parse(text: &str, file: FileId) -> (Document, Vec<Diagnostic>) {
    let mut b = Builder { text, file, ..Builder::default() };
    b.run();
    b.close_all();
    b.tabs();
    let mut document = Document { root: b.root.take(), end: vec![], broken: b.broken };
    comments::attach(text, &mut document, std::mem::take(&mut b.comments));
    b.findings.sort_by_key(|d| d.span().map(|s| s.start));
    (document, b.findings)
}

/// Where the comments of `text` stand, from `#` to the last character, in order; those behind broken YAML are not found.
pub fn comments(text: &str) -> Vec<(usize, usize)> {
    let mut b = Builder { text, ..Builder::default() };
    b.run();
    let mut all: Vec<(usize, usize)> = b
        .comments
        .iter()
        .map(|c| {
            let line = text.get(c.at..).and_then(|t| t.lines().next()).unwrap_or("");
            (c.at, c.at + line.trim_end().len())
        })
        .collect();
    all.sort_unstable();
    all
}

/// A collection that is not closed yet.
struct Open {
    kind: Kind,
    key: Option<(Scalar, Span)>,
    /// Keys seen so far with their places.
    keys: HashMap<String, Span>,
    span: Span,
    flow: bool,
    anchor_id: usize,
    anchor: Option<Span>,
    nodes: usize,
    height: usize,
}

struct Anchored {
    node: Option<Node>,
    nodes: usize,
    height: usize,
}

#[derive(Default)]
struct Builder<'a> {
    text: &'a str,
    file: FileId,
    root: Option<Node>,
    stack: Vec<Open>,
    anchors: HashMap<usize, Anchored>,
    last_anchor: Option<(usize, Span)>,
    aliased: usize,
    copied: usize,
    documents: usize,
    comments: Vec<Found>,
    findings: Vec<Diagnostic>,
    broken: bool,
    too_deep: bool,
    /// Spans of scalars over more than one line.
    long: Vec<(usize, usize)>,
    duplicates: usize,
}

impl Builder<'_> {
    fn run(&mut self) {
        let options = granit_parser::options! {
            emit_unresolved_aliases: true,
            emit_anchor_events: true,
            max_buffered_comment_events: usize::MAX,
            flow_nesting_limit: MAX_DEPTH + 1,
            block_nesting_limit: MAX_DEPTH + 1,
        };
        let mut parser = Parser::new_from_str_with_options(self.text, options);
        while !self.too_deep {
            let Some(next) = parser.next_event() else { return };
            let (event, span) = match next {
                Ok(x) => x,
                Err(e) => {
                    let at = e.marker().byte_offset().unwrap_or(self.text.len());
                    self.syntax(at, e.info());
                    self.broken = true;
                    return;
                }
            };
            let bytes = span.byte_range().unwrap_or(self.text.len()..self.text.len());
            let place = self.span(bytes.start, bytes.end);
            if let Some(tag) = span.tag_span().and_then(|t| t.byte_range()) {
                self.tag(tag.start, bytes.end.max(tag.end), matches!(event, Event::Scalar(..)));
            }
            match event {
                Event::DocumentStart(..) => {
                    self.documents += 1;
                    if self.documents > 1 {
                        let d = Diagnostic::new(Code::TM0135, place, "more than one document in a file")
                            .help("put each document into a file of its own");
                        self.findings.push(d);
                        return;
                    }
                }
                Event::Comment(text, _) => self.comments.push(Found { at: bytes.start, text: text.trim_end().into() }),
                Event::Anchor(id, _) => self.anchor(id, place),
                Event::Scalar(text, style, id, _) => self.scalar(&text, style, id, place),
                Event::SequenceStart(style, id, _) => self.open(Kind::Sequence(vec![]), style, id, place),
                Event::MappingStart(style, id, _) => self.open(Kind::Mapping(vec![]), style, id, place),
                Event::SequenceEnd | Event::MappingEnd => self.close(bytes.end),
                Event::Alias(id) => self.alias(id, place),
                Event::UnresolvedAlias(name) => {
                    let d = Diagnostic::new(Code::TM0132, place, format!("nothing is anchored as `&{name}`"))
                        .help("anchor the value first (`&name value`), or quote a text that begins with `*`");
                    self.findings.push(d);
                    self.nothing(place);
                }
                _ => {}
            }
        }
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.file, start, end.max(start))
    }

    fn syntax(&mut self, at: usize, info: String) {
        let mut at = at.min(self.text.len());
        while !self.text.is_char_boundary(at) {
            at -= 1;
        }
        let line_start = self.text[..at].rfind('\n').map_or(0, |i| i + 1);
        let line = self.text[line_start..].lines().next().unwrap_or("");
        let item = line.trim_start();
        let item = item.strip_prefix("- ").map_or(item, str::trim_start);
        if info.contains("recursion limit") {
            // The parser's own limit, which lies right behind ours.
            let message = format!("nested deeper than {MAX_DEPTH} levels");
            self.findings.push(Diagnostic::new(Code::TM0137, self.span(at, at), message).help("no map needs that"));
            return;
        }
        let message = format!("this is not YAML: {}", info.trim_end_matches('.').to_lowercase());
        let width = self.text[at..].chars().next().filter(|c| *c != '\n').map_or(0, char::len_utf8);
        let mut d = Diagnostic::new(Code::TM0130, self.span(at, at + width), message);
        if info.contains("recursion") {
            d = d.help("take brackets away: this is nested deeper than any file needs to be");
        } else if ["block mapping", "block collection", "block sequence", "multiline text", "tabs"]
            .iter()
            .any(|w| info.contains(w))
        {
            d = d.help("check the indentation here and on the lines above: what belongs together begins in one column");
        } else if item.starts_with(['@', '`', '%', '!', '*', '&', '"', '\'', '[', '{', '|', '>']) || item.contains(": ")
        {
            d = d.help("put the line into single quotes, or into a block that begins with `|-`");
            let whole = !item.starts_with(['"', '\'', '[', '{', '|', '>']);
            if line.trim_start().starts_with("- ") && whole {
                let start = line_start + (line.len() - item.len());
                let place = self.span(start, start + item.trim_end().len());
                d = d.fix("quote the line", place, format!("'{}'", item.trim_end().replace('\'', "''")), false);
            }
        } else {
            d = d.help("check indentation, quotes and brackets here and on the lines above");
        }
        self.findings.push(d);
    }

    fn tag(&mut self, start: usize, end: usize, scalar: bool) {
        let written = self.text.get(start..end).unwrap_or("");
        let tag = written.split_whitespace().next().unwrap_or("");
        let mut d = Diagnostic::new(Code::TM0138, self.span(start, end), format!("the tag `{tag}` is not used here"))
            .help("take it away; a text that begins with `!` stands in quotes");
        if scalar && !written.contains('\n') && !written.contains('\'') {
            d = d.fix("quote the text", self.span(start, end), format!("'{written}'"), false);
        }
        self.findings.push(d);
    }

    fn anchor(&mut self, id: usize, place: Span) {
        self.last_anchor = Some((id, place));
        if let Some(open) = self.stack.last_mut()
            && open.anchor_id == id
        {
            open.anchor = Some(place);
            return;
        }
        // a scalar, already in its parent
        let node = match self.stack.last_mut() {
            None => self.root.as_mut(),
            Some(open) => match &mut open.kind {
                Kind::Mapping(entries) if open.key.is_none() => entries.last_mut().map(|e| &mut e.value),
                Kind::Sequence(items) => items.last_mut().map(|i| &mut i.value),
                _ => None,
            },
        };
        if let Some(node) = node {
            node.anchor = Some(place);
        }
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, id: usize, place: Span) {
        let style = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            ScalarStyle::Literal => Style::Literal,
            ScalarStyle::Folded => Style::Folded,
        };
        let (mut start, mut end) = (place.start as usize, place.end as usize);
        if matches!(style, Style::Literal | Style::Folded) {
            start = block_header(self.text, start);
        }
        // a key without a value reads as `~`
        let text = if start == end && style == Style::Plain { "" } else { text };
        let raw = self.text.get(start..end).unwrap_or("");
        if matches!(style, Style::Plain | Style::Literal | Style::Folded) {
            end = start + raw.trim_end_matches(['\n', '\r', ' ']).len();
        }
        if self.text.get(start..end).is_some_and(|r| r.contains('\n')) {
            self.long.push((start, end));
        }
        let offsets = Offsets::new(raw, start, text, style);
        let scalar = Scalar { text: text.to_string(), style, offsets };
        let node = self.node(Kind::Scalar(scalar), self.span(start, end));
        if id != 0 {
            self.anchors.insert(id, Anchored { node: Some(node.clone()), nodes: 1, height: 0 });
        }
        self.add(node, 1, 0);
    }

    fn node(&self, kind: Kind, span: Span) -> Node {
        let flow = self.stack.last().is_some_and(|o| o.flow);
        Node { kind, span, flow, anchor: None, end: vec![] }
    }

    fn nothing(&mut self, place: Span) {
        let offsets = Offsets::new("", place.start as usize, "", Style::Plain);
        let scalar = Scalar { text: String::new(), style: Style::Plain, offsets };
        let node = self.node(Kind::Scalar(scalar), place);
        self.add(node, 1, 0);
    }

    fn open(&mut self, kind: Kind, style: StructureStyle, id: usize, place: Span) {
        if self.stack.len() >= MAX_DEPTH {
            let d = Diagnostic::new(Code::TM0137, place, format!("nested deeper than {MAX_DEPTH} levels"));
            self.findings.push(d);
            (self.broken, self.too_deep) = (true, true);
            return;
        }
        let flow = style == StructureStyle::Flow || self.stack.last().is_some_and(|o| o.flow);
        if id != 0 {
            self.anchors.insert(id, Anchored { node: None, nodes: 0, height: 0 });
        }
        self.stack.push(Open {
            kind,
            key: None,
            keys: HashMap::new(),
            span: place,
            flow,
            anchor_id: id,
            anchor: None,
            nodes: 1,
            height: 0,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(mut open) = self.stack.pop() else { return };
        if let (Some(_), Kind::Mapping(_)) = (&open.key, &open.kind) {
            // a key without its value: the file broke off
            self.stack.push(open);
            let here = self.span(end.min(self.text.len()), end.min(self.text.len()));
            self.nothing(here);
            let Some(again) = self.stack.pop() else { return };
            open = again;
        }
        let first = match &open.kind {
            Kind::Mapping(e) => e.first().map(|e| e.key_span.start),
            Kind::Sequence(i) => i.first().map(|i| i.value.span.start),
            Kind::Scalar(_) => None,
        };
        let last = match &open.kind {
            Kind::Mapping(e) => e.last().map(|e| e.value.span.end.max(e.key_span.end)),
            Kind::Sequence(i) => i.last().map(|i| i.value.span.end),
            Kind::Scalar(_) => None,
        };
        let written_flow = self.text[..].get(open.span.start as usize..).is_some_and(|t| t.starts_with(['[', '{']));
        let span = if open.flow && written_flow {
            self.span(open.span.start as usize, end)
        } else {
            let start = if open.span.start == open.span.end { first } else { None }.unwrap_or(open.span.start);
            self.span(start as usize, last.unwrap_or(open.span.end) as usize)
        };
        let node = Node { kind: open.kind, span, flow: open.flow, anchor: open.anchor, end: vec![] };
        if open.anchor_id != 0 {
            self.copied = self.copied.saturating_add(open.nodes);
            let node = (self.copied <= MAX_COPIED_NODES).then(|| node.clone());
            self.anchors.insert(open.anchor_id, Anchored { node, nodes: open.nodes, height: open.height + 1 });
        }
        self.add(node, open.nodes, open.height + 1);
    }

    fn close_all(&mut self) {
        while !self.stack.is_empty() {
            self.close(self.text.len());
        }
    }

    fn alias(&mut self, id: usize, place: Span) {
        let depth = self.stack.len();
        let problem = match self.anchors.get(&id) {
            None | Some(Anchored { node: None, nodes: 0, .. }) => {
                Some((Code::TM0133, "this alias stands inside what it names".into()))
            }
            Some(a) if depth + a.height > MAX_DEPTH => {
                Some((Code::TM0137, format!("nested deeper than {MAX_DEPTH} levels through this alias")))
            }
            Some(a) if a.node.is_none() || self.aliased + a.nodes > MAX_ALIASED_NODES => {
                Some((Code::TM0133, format!("aliases stand for more than {MAX_ALIASED_NODES} values")))
            }
            Some(_) => None,
        };
        if let Some((code, message)) = problem {
            if self.findings.iter().filter(|d| d.code == code).count() < MAX_SAME {
                let d = Diagnostic::new(code, place, message).help("write the values out where they are used");
                self.findings.push(d);
            }
            self.nothing(place);
            return;
        }
        if let Some(Anchored { node: Some(node), nodes, height }) = self.anchors.get(&id) {
            let (mut node, nodes, height) = (node.clone(), *nodes, *height);
            self.aliased += nodes;
            node.span = place;
            node.anchor = None;
            self.add(node, nodes, height);
        }
    }

    /// Puts a finished node into the collection around it.
    fn add(&mut self, node: Node, nodes: usize, height: usize) {
        let Some(open) = self.stack.last_mut() else {
            if self.root.is_none() {
                self.root = Some(node);
            }
            return;
        };
        open.nodes = open.nodes.saturating_add(nodes);
        open.height = open.height.max(height);
        match &mut open.kind {
            Kind::Sequence(items) => items.push(Item { value: node, comments: Comments::default() }),
            Kind::Scalar(_) => {}
            Kind::Mapping(entries) => {
                let Some((key, key_span)) = open.key.take() else {
                    let span = node.span;
                    let Kind::Scalar(key) = node.kind else {
                        let d = Diagnostic::new(Code::TM0138, span, "a key must be a text")
                            .help("a line that contains `: `, `[` or `{` stands in quotes or in a block `|-`");
                        self.findings.push(d);
                        let offsets = Offsets::new("", span.start as usize, "", Style::Plain);
                        open.key = Some((Scalar { text: String::new(), style: Style::Plain, offsets }, span));
                        return;
                    };
                    self.duplicates += check_key(&mut self.findings, open, &key, span, self.duplicates);
                    open.key = Some((key, span));
                    return;
                };
                entries.push(Entry { key, key_span, value: node, comments: Comments::default() });
            }
        }
    }

    /// Blanks that are tabs where a line's depth is counted.
    fn tabs(&mut self) {
        let mut at = 0;
        let mut found = 0;
        for line in self.text.split_inclusive('\n') {
            let start = at;
            at += line.len();
            let blanks = line.len() - line.trim_start_matches([' ', '\t']).len();
            if !line[..blanks].contains('\t') || line.trim().is_empty() || line[blanks..].starts_with('#') {
                continue;
            }
            // `long` stands in the order of the file
            let i = self.long.partition_point(|(s, _)| *s <= start + blanks);
            if i.checked_sub(1).and_then(|i| self.long.get(i)).is_some_and(|(_, e)| start + blanks < *e) {
                continue;
            }
            let place = self.span(start, start + blanks);
            let d = Diagnostic::new(Code::TM0136, place, "a tab in the indentation").help("indent with blanks").fix(
                "replace tabs by blanks",
                place,
                line[..blanks].replace('\t', "  "),
                false,
            );
            self.findings.push(d);
            found += 1;
            if found == MAX_SAME {
                return;
            }
        }
    }
}

/// Refuses a key that was there before and merge keys; says how many duplicates it told.
fn check_key(findings: &mut Vec<Diagnostic>, open: &mut Open, key: &Scalar, span: Span, told: usize) -> usize {
    if key.text == "<<" && key.style == Style::Plain {
        let d = Diagnostic::new(Code::TM0134, span, "merge keys (`<<`) are not read")
            .help("write the entries out, or use an alias for the whole value");
        findings.push(d);
        return 0;
    }
    if let Some(first) = open.keys.get(&key.text) {
        if told < MAX_SAME {
            let d = Diagnostic::new(Code::TM0131, span, format!("the key `{}` is written twice", key.text))
                .related(*first, "the first one")
                .help("keep one of the two");
            findings.push(d);
        }
        return 1;
    }
    open.keys.insert(key.text.clone(), span);
    0
}

/// Where the header (`|-`) of a block scalar stands whose content begins at `content`.
fn block_header(text: &str, content: usize) -> usize {
    let is_header = |rest: &str| {
        let Some(rest) = rest.strip_prefix(['|', '>']) else { return false };
        let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-'));
        let after = rest.trim_start_matches([' ', '\t']);
        let line = after.lines().next().unwrap_or("");
        line.is_empty() || (line.starts_with('#') && after.len() < rest.len())
    };
    if text.get(content..).is_some_and(is_header)
        && text.get(..content).is_some_and(|t| !t.trim_end_matches([' ', '\t']).ends_with('\n'))
    {
        return content;
    }
    let head = text.get(..content).unwrap_or("").trim_end();
    let line = head.rfind('\n').map_or(0, |i| i + 1);
    head[line..]
        .char_indices()
        .find(|(i, c)| matches!(c, '|' | '>') && is_header(&head[line + i..]))
        .map_or(content, |(i, _)| line + i)
}

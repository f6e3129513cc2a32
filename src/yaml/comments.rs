//! Gives every comment and blank line to an entry, an item or the end of a collection; none is lost.

use super::{CommentLine, Comments, Document, Kind, Node};
use std::collections::{HashMap, VecDeque};

/// A comment as the parser met it.
pub(super) struct Found {
    /// The byte of its `#`.
    pub(super) at: usize,
    /// What stands after the `#`.
    pub(super) text: String,
}

/// A line that is a comment or blank.
struct Own {
    at: usize,
    /// Its column from 0; for blank lines not used.
    column: usize,
    /// None = blank.
    text: Option<String>,
}

struct Pending<'a> {
    text: &'a str,
    own: VecDeque<Own>,
    right: VecDeque<Found>,
}

/// Attaches `found` and the blank lines of `text` to the tree.
pub(super) fn attach(text: &str, document: &mut Document, mut found: Vec<Found>) {
    found.sort_by_key(|f| f.at);
    let mut own_line: HashMap<usize, Found> = HashMap::new();
    let mut right = VecDeque::new();
    for f in found {
        let line = text[..f.at].rfind('\n').map_or(0, |i| i + 1);
        if text[line..f.at].trim().is_empty() {
            own_line.insert(line, f);
        } else {
            right.push_back(f);
        }
    }
    let mut scalars = vec![];
    if let Some(root) = &document.root {
        long_scalars(root, text, &mut scalars);
    }
    scalars.sort_unstable();
    let mut own = VecDeque::new();
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let start = at;
        at += line.len();
        if let Some(f) = own_line.remove(&start) {
            own.push_back(Own { at: f.at, column: f.at - start, text: Some(f.text) });
        } else if line.trim().is_empty() && start > 0 {
            let i = scalars.partition_point(|(s, _)| *s <= start);
            let inside = i.checked_sub(1).and_then(|i| scalars.get(i)).is_some_and(|(_, e)| start < *e);
            if !inside && own.back().is_none_or(|o: &Own| o.text.is_some() || !text[o.at..start].trim().is_empty()) {
                own.push_back(Own { at: start, column: 0, text: None });
            }
        }
    }
    let mut pending = Pending { text, own, right };
    if let Some(root) = &mut document.root {
        pending.walk(root, None, text.len() + 1);
    }
    let mut end = vec![];
    for f in pending.right.drain(..) {
        end.push(CommentLine::Comment(f.text));
    }
    end.extend(pending.own.drain(..).map(Own::line));
    while end.last() == Some(&CommentLine::Blank) {
        end.pop();
    }
    document.end = end;
}

fn long_scalars(node: &Node, text: &str, out: &mut Vec<(usize, usize)>) {
    match &node.kind {
        Kind::Scalar(_) => {
            let (s, e) = (node.span.start as usize, node.span.end as usize);
            if text.get(s..e).is_some_and(|t| t.contains('\n')) {
                out.push((s, e));
            }
        }
        Kind::Mapping(entries) => {
            for e in entries {
                long_scalars(&e.value, text, out);
            }
        }
        Kind::Sequence(items) => {
            for i in items {
                long_scalars(&i.value, text, out);
            }
        }
    }
}

impl Own {
    fn line(self) -> CommentLine {
        self.text.map_or(CommentLine::Blank, CommentLine::Comment)
    }
}

impl Pending<'_> {
    /// Goes through a collection; `outer` is the column of the collection around it, `bound` the first byte that is no
    /// longer its own.
    fn walk(&mut self, node: &mut Node, outer: Option<usize>, bound: usize) {
        let flow_end = node.span.end as usize;
        let flow = node.flow;
        let bound = if flow { bound.min(flow_end) } else { bound };
        let starts: Vec<usize> = match &node.kind {
            Kind::Scalar(_) => return,
            Kind::Mapping(entries) => entries.iter().map(|e| e.key_span.start as usize).collect(),
            Kind::Sequence(items) => items.iter().map(|i| self.dash(i.value.span.start as usize, flow)).collect(),
        };
        // an alias shows what stands elsewhere
        let first = match &node.kind {
            Kind::Mapping(e) => e.first().map(|e| e.key_span.start),
            Kind::Sequence(i) => i.first().map(|i| i.value.span.start),
            Kind::Scalar(_) => None,
        };
        if first.is_none_or(|f| f < node.span.start || f > node.span.end) {
            return;
        }
        let column = starts.first().map(|s| s - self.line_start(*s));
        let next = |i: usize| starts.get(i + 1).copied().unwrap_or(bound);
        match &mut node.kind {
            Kind::Scalar(_) => {}
            Kind::Mapping(entries) => {
                for (i, e) in entries.iter_mut().enumerate() {
                    self.slot(starts[i], next(i), &mut e.comments, &mut e.value, column);
                }
            }
            Kind::Sequence(items) => {
                for (i, item) in items.iter_mut().enumerate() {
                    self.slot(starts[i], next(i), &mut item.comments, &mut item.value, column);
                }
            }
        }
        if let (Some(outer), Some(column), false) = (outer, column, flow)
            && column > outer
        {
            node.end = self.take_end(column, bound);
        }
    }

    fn slot(&mut self, start: usize, bound: usize, comments: &mut Comments, value: &mut Node, column: Option<usize>) {
        let line = self.line_start(start);
        while self.own.front().is_some_and(|o| o.at < line) {
            if let Some(o) = self.own.pop_front() {
                comments.before.push(o.line());
            }
        }
        let value_start = value.span.start as usize;
        if (start..bound).contains(&value_start) {
            let first = match &value.kind {
                Kind::Scalar(_) => bound,
                Kind::Mapping(e) => e.first().map_or(bound, |e| e.key_span.start as usize),
                Kind::Sequence(i) => i.first().map_or(bound, |i| i.value.span.start as usize),
            };
            self.take_right(start, first.min(bound), comments);
            self.walk(value, column, bound);
        }
        self.take_right(start, bound, comments);
    }

    fn take_right(&mut self, from: usize, to: usize, comments: &mut Comments) {
        while self.right.front().is_some_and(|f| f.at >= from && f.at < to) {
            let Some(f) = self.right.pop_front() else { return };
            match &comments.after {
                None => comments.after = Some(f.text),
                Some(_) => comments.before.push(CommentLine::Comment(f.text)),
            }
        }
    }

    /// The pending lines up to the last comment that stands as deep as the collection.
    fn take_end(&mut self, column: usize, bound: usize) -> Vec<CommentLine> {
        let deep = self
            .own
            .iter()
            .take_while(|o| o.at < bound && (o.text.is_none() || o.column >= column))
            .collect::<Vec<_>>()
            .iter()
            .rposition(|o| o.text.is_some())
            .map_or(0, |i| i + 1);
        self.own.drain(..deep).map(Own::line).collect()
    }

    fn line_start(&self, at: usize) -> usize {
        self.text.get(..at).and_then(|t| t.rfind('\n')).map_or(0, |i| i + 1)
    }

    /// The `-` of a block item whose value begins at `at`.
    fn dash(&self, at: usize, flow: bool) -> usize {
        if flow {
            return at;
        }
        let line = self.line_start(at);
        let before = self.text.get(line..at).unwrap_or("");
        // `- - a`: the dash nearest to the value
        match before.rfind("- ") {
            Some(i) if before[..i].chars().all(|c| matches!(c, ' ' | '-')) => line + i,
            _ => {
                let head = self.text.get(..at).unwrap_or("").trim_end();
                if head.ends_with('-') { head.len() - 1 } else { at }
            }
        }
    }
}

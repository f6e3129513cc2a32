//! Comments and blank lines, handed out in the order of the text.

use super::scan::Item;
use crate::syntax::ast::TriviaLine;

/// Walks over the items once; what is not asked for at one node falls to the next.
#[derive(Debug, Default)]
pub(super) struct Cursor {
    items: Vec<Item>,
    at: usize,
}

impl Cursor {
    pub fn new(items: Vec<Item>) -> Cursor {
        Cursor { items, at: 0 }
    }

    /// Everything not yet handed out that starts before `position`.
    pub fn before(&mut self, raw: &str, position: usize) -> Vec<TriviaLine> {
        let mut lines = vec![];
        while let Some(item) = self.items.get(self.at).filter(|i| i.start < position) {
            lines.push(line(raw, item));
            self.at += 1;
        }
        lines
    }

    /// The comment that stands on the line of `end`, with nothing but blanks and commas between.
    pub fn after(&mut self, raw: &str, end: usize) -> Option<String> {
        let item = self.items.get(self.at).filter(|i| i.start >= end && i.comment.is_some())?;
        if !raw.get(end..item.start)?.bytes().all(|b| matches!(b, b' ' | b'\t' | b',')) {
            return None;
        }
        let (from, to) = item.comment?;
        self.at += 1;
        raw.get(from..to).map(str::to_string)
    }
}

fn line(raw: &str, item: &Item) -> TriviaLine {
    match item.comment {
        Some((from, to)) => TriviaLine::Comment(raw.get(from..to).unwrap_or("").to_string()),
        None => TriviaLine::Blank,
    }
}

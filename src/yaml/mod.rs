//! Spanned YAML trees from parser events, comments kept. No I/O, no panic on any input.
//!
//! Policy: one document per file; scalar keys only, each once (`map` and `"map"` are the same key); anchors and aliases
//! within the file under a budget; no merge keys, no tags, no tabs as indentation; at most [`MAX_DEPTH`] levels; only
//! `true` and `false` are booleans.

mod comments;
mod json;
mod offsets;
mod parse;
mod read;
mod text;

pub use json::to_json;
pub use parse::{MAX_ALIASED_NODES, MAX_DEPTH, comments, parse};
pub use read::{Codes, Fields, Reader};
pub use text::{Plain, quoted, reads_back, reads_differently, resolve};

use crate::source::Span;
use offsets::Offsets;

/// A file's tree.
#[derive(Clone, Debug, Default)]
pub struct Document {
    /// The root, if the file has any content.
    pub root: Option<Node>,
    /// Comments after everything else.
    pub end: Vec<CommentLine>,
    /// Whether the YAML itself is broken, so that what is missing in the tree may stand in the file.
    pub broken: bool,
}

/// A value of the tree.
#[derive(Clone, Debug)]
pub struct Node {
    /// What it is.
    pub kind: Kind,
    /// From its first to after its last character (quotes, brackets and block headers included).
    pub span: Span,
    /// Whether it stands in flow style, itself or something around it (`[a, b]`, `{a: b}`).
    pub flow: bool,
    /// The place of its anchor, if it has one.
    pub anchor: Option<Span>,
    /// Comments after its last child, inside the collection.
    pub end: Vec<CommentLine>,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum Kind {
    /// A scalar; an absent value is a plain scalar without text.
    Scalar(Scalar),
    /// A mapping, in file order.
    Mapping(Vec<Entry>),
    /// A sequence.
    Sequence(Vec<Item>),
}

/// A scalar as it reads, with the way back to its bytes.
#[derive(Clone, Debug)]
pub struct Scalar {
    /// The text after escapes and folding.
    pub text: String,
    /// How it is written.
    pub style: Style,
    offsets: Offsets,
}

/// How a scalar is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Without quotes.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|`
    Literal,
    /// `>`
    Folded,
}

/// A key with its value.
#[derive(Clone, Debug)]
pub struct Entry {
    /// The key.
    pub key: Scalar,
    /// The key's place, quotes included.
    pub key_span: Span,
    /// The value.
    pub value: Node,
    /// Comments around the entry.
    pub comments: Comments,
}

/// An item of a sequence.
#[derive(Clone, Debug)]
pub struct Item {
    /// The value.
    pub value: Node,
    /// Comments around the item.
    pub comments: Comments,
}

/// Comments around an entry or an item.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comments {
    /// Lines before it.
    pub before: Vec<CommentLine>,
    /// The comment at its line's end, as written after the `#`.
    pub after: Option<String>,
}

/// A line that is no content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommentLine {
    /// One or more blank lines.
    Blank,
    /// A comment as written after its `#`, right-trimmed.
    Comment(String),
}

impl Scalar {
    /// The place in the file of a byte of [`Scalar::text`] (its length included).
    pub fn offset(&self, at: usize) -> usize {
        self.offsets.map(at)
    }
}

impl Node {
    /// The scalar, if it is one.
    pub fn scalar(&self) -> Option<&Scalar> {
        match &self.kind {
            Kind::Scalar(s) => Some(s),
            _ => None,
        }
    }
    /// The entries of a mapping.
    pub fn entries(&self) -> Option<&[Entry]> {
        match &self.kind {
            Kind::Mapping(e) => Some(e),
            _ => None,
        }
    }
    /// The items of a sequence.
    pub fn items(&self) -> Option<&[Item]> {
        match &self.kind {
            Kind::Sequence(i) => Some(i),
            _ => None,
        }
    }
    /// The value under a key of a mapping.
    pub fn get(&self, key: &str) -> Option<&Entry> {
        self.entries()?.iter().find(|e| e.key.text == key)
    }
    /// Whether it is `null`, `~` or nothing at all, without quotes.
    pub fn is_null(&self) -> bool {
        self.scalar().is_some_and(|s| resolve(s) == Plain::Null)
    }
    /// What it is, for messages: `a mapping`, `a list`, `a text`, `a number`, `true`, `nothing`.
    pub fn what(&self) -> &'static str {
        match &self.kind {
            Kind::Mapping(_) => "a mapping",
            Kind::Sequence(_) => "a list",
            Kind::Scalar(s) => match resolve(s) {
                Plain::Null => "nothing",
                Plain::Boolean(true) => "`true`",
                Plain::Boolean(false) => "`false`",
                Plain::Integer | Plain::Number => "a number",
                Plain::Text => "a text",
            },
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
mod tests;

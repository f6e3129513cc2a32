//! Texts, spans and the line index. Offsets are bytes of the text as it is in the file (after a BOM is taken off).

mod secret;

use std::fmt;

/// Identifies one text in [`Sources`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FileId(pub u32);

/// A half-open byte range of one file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Span {
    /// The file the range lies in.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// First byte after the range.
    pub end: u32,
}

impl Span {
    /// A span of `file` from byte `start` to before byte `end`.
    pub fn new(file: FileId, start: usize, end: usize) -> Span {
        Span { file, start: start as u32, end: end as u32 }
    }
    /// The smallest span that holds both. Both must be of one file.
    pub fn to(self, other: Span) -> Span {
        Span { file: self.file, start: self.start.min(other.start), end: self.end.max(other.end) }
    }
}

/// A span that takes no part in equality: two trees are equal when they mean the same, wherever they were written.
#[derive(Clone, Copy, Default)]
pub struct At(pub Span);

impl PartialEq for At {
    fn eq(&self, _: &At) -> bool {
        true
    }
}
impl Eq for At {}
impl std::hash::Hash for At {
    fn hash<H: std::hash::Hasher>(&self, _: &mut H) {}
}
impl fmt::Debug for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}..{}", self.0.start, self.0.end)
    }
}
impl From<Span> for At {
    fn from(span: Span) -> At {
        At(span)
    }
}

/// A place in a text as people count it: both from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// Line, from 1.
    pub line: u32,
    /// Column in characters (Unicode scalar values), from 1.
    pub column: u32,
}

/// One text with its line index.
#[derive(Debug)]
pub struct SourceFile {
    /// The path as the user would write it, for messages.
    pub name: String,
    /// The text, without a byte order mark.
    pub text: String,
    line_starts: Vec<u32>,
}

impl SourceFile {
    /// Indexes `text` under `name`.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        let mut line_starts = vec![0];
        line_starts.extend(text.bytes().enumerate().filter(|(_, b)| *b == b'\n').map(|(i, _)| i as u32 + 1));
        SourceFile { name: name.into(), text, line_starts }
    }
    /// Line and column of a byte offset; an offset past the end counts as the end.
    pub fn place(&self, offset: u32) -> Place {
        let mut offset = (offset as usize).min(self.text.len());
        while !self.text.is_char_boundary(offset) {
            offset -= 1;
        }
        let line = self.line_starts.partition_point(|s| *s as usize <= offset) - 1;
        let start = self.line_starts[line] as usize;
        Place { line: line as u32 + 1, column: self.text[start..offset].chars().count() as u32 + 1 }
    }
    /// The same column counted in UTF-16 units, as editors do; line from 1, column from 1.
    pub fn place_utf16(&self, offset: u32) -> Place {
        let place = self.place(offset);
        let start = self.line_starts[place.line as usize - 1] as usize;
        let column: usize =
            self.text[start..].chars().take(place.column as usize - 1).map(char::len_utf16).sum::<usize>() + 1;
        Place { line: place.line, column: column as u32 }
    }
    /// The text of line `line` (from 1), without its line break.
    pub fn line(&self, line: u32) -> &str {
        let i = line as usize - 1;
        let start = self.line_starts.get(i).map_or(self.text.len(), |s| *s as usize);
        let end = self.line_starts.get(i + 1).map_or(self.text.len(), |s| *s as usize);
        self.text[start..end].trim_end_matches(['\n', '\r'])
    }
}

/// A piece of a map as it may be printed: with stars for secrets.
pub fn masked(text: &str) -> String {
    SourceFile::new("piece.tmap", text).masked().into_owned()
}

/// All texts of one run of the tool.
#[derive(Debug, Default)]
pub struct Sources {
    files: Vec<SourceFile>,
    instead: std::collections::BTreeMap<String, String>,
}

impl Sources {
    /// No texts yet.
    pub fn new() -> Sources {
        Sources::default()
    }
    /// No texts yet; where a file of one of these names is to be read, its text here is taken instead.
    pub fn with_instead(instead: std::collections::BTreeMap<String, String>) -> Sources {
        Sources { files: vec![], instead }
    }
    /// What is to be taken instead of the file of this name.
    pub fn instead(&self, name: &str) -> Option<&str> {
        self.instead.get(name).map(String::as_str)
    }
    /// Adds a text and says under which id it is known.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<String>) -> FileId {
        self.files.push(SourceFile::new(name, text));
        FileId(self.files.len() as u32 - 1)
    }
    /// The file of an id given out by [`Sources::add`].
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }
    /// The text under a span, if the span is one of these texts.
    pub fn get(&self, span: Span) -> Option<&str> {
        self.files.get(span.file.0 as usize)?.text.get(span.start as usize..span.end as usize)
    }
    /// The text under a span.
    pub fn text(&self, span: Span) -> &str {
        let text = &self.file(span.file).text;
        text.get(span.start as usize..(span.end as usize).min(text.len())).unwrap_or("")
    }
    /// The text under a span as it may be printed: with stars for secrets.
    pub fn masked(&self, span: Span) -> String {
        self.file(span.file).masked_between(span.start as usize, span.end as usize)
    }
    /// `path:line:column` of a span's start.
    pub fn at(&self, span: Span) -> String {
        let file = self.file(span.file);
        let place = file.place(span.start);
        format!("{}:{}:{}", file.name, place.line, place.column)
    }
    /// Every file with its id.
    pub fn iter(&self) -> impl Iterator<Item = (FileId, &SourceFile)> {
        self.files.iter().enumerate().map(|(i, f)| (FileId(i as u32), f))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_characters_and_utf16_units() {
        let f = SourceFile::new("a", "x\nä😀b\n");
        assert_eq!(f.place(0), Place { line: 1, column: 1 });
        let b = f.text.find('b').unwrap_or(0) as u32;
        assert_eq!(f.place(b), Place { line: 2, column: 3 });
        assert_eq!(f.place_utf16(b), Place { line: 2, column: 4 });
        assert_eq!(f.line(2), "ä😀b");
        assert_eq!(f.place(999), Place { line: 3, column: 1 });
    }
}

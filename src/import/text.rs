//! A text that was taken out of a file, with the way back to the file's bytes.

use crate::source::{FileId, Span};

/// A text and where each of its bytes stands in its file.
#[derive(Clone, Debug)]
pub struct Mapped {
    /// The text.
    pub text: String,
    file: Option<FileId>,
    /// For each byte of the text, and for its end; none = the text is the file.
    offsets: Option<Vec<u32>>,
}

impl Mapped {
    /// A whole file.
    pub fn whole(text: &str, file: FileId) -> Mapped {
        Mapped { text: text.to_string(), file: Some(file), offsets: None }
    }
    /// A text that stands in no file.
    pub fn made(text: &str) -> Mapped {
        Mapped { text: text.to_string(), file: None, offsets: None }
    }
    /// An empty text, to be filled by [`Mapped::push`].
    pub fn in_file(file: Option<FileId>) -> Mapped {
        Mapped { text: String::new(), file, offsets: Some(vec![]) }
    }
    /// The file it came from.
    pub fn file(&self) -> Option<FileId> {
        self.file
    }
    /// Adds a character that begins at an offset of the file.
    pub fn push(&mut self, c: char, at: u32) {
        self.text.push(c);
        if let Some(offsets) = &mut self.offsets {
            offsets.extend(std::iter::repeat_n(at, c.len_utf8()));
        }
    }
    /// Says where the text ends in the file.
    pub fn end(&mut self, at: u32) {
        if let Some(offsets) = &mut self.offsets {
            offsets.push(at);
        }
    }
    /// The offset in the file of a byte of the text.
    pub fn offset(&self, at: usize) -> u32 {
        match &self.offsets {
            None => at as u32,
            Some(offsets) => offsets.get(at).or(offsets.last()).copied().unwrap_or(0),
        }
    }
    /// The place in the file of a range of the text; the empty span of no file where it stands in none.
    pub fn span(&self, start: usize, end: usize) -> Span {
        match self.file {
            None => Span::default(),
            Some(file) => {
                let (start, end) = (self.offset(start), self.offset(end));
                Span { file, start, end: end.max(start) }
            }
        }
    }
}

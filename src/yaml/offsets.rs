//! From a byte of a scalar's text to its byte in the file.

use super::Style;

/// Segments `(byte of the text, byte of the file)`, ascending; inside a segment both run alike.
#[derive(Clone, Debug)]
pub(super) struct Offsets {
    segments: Vec<(u32, u32)>,
    end: u32,
}

impl Offsets {
    /// The table of a scalar that stands at `start` as `raw` and reads as `text`.
    pub(super) fn new(raw: &str, start: usize, text: &str, style: Style) -> Offsets {
        let mut table = Offsets { segments: vec![], end: (start + raw.len()) as u32 };
        match style {
            Style::Literal => table.literal(raw, start, text),
            Style::Folded => {
                let body = raw.find('\n').map_or(raw.len(), |i| i + 1);
                table.align(&raw[body..], start + body, text, style);
            }
            Style::Plain if raw == text => table.push(0, start),
            Style::Plain => table.align(raw, start, text, style),
            Style::Single | Style::Double => {
                let inner = raw.get(1..raw.len().max(2) - 1).unwrap_or("");
                table.end = (start + 1 + inner.len()) as u32;
                table.align(inner, start + 1, text, style);
            }
        }
        if table.segments.first().is_none_or(|(t, _)| *t != 0) {
            table.segments.insert(0, (0, start as u32));
        }
        table
    }

    /// The byte in the file.
    pub(super) fn map(&self, at: usize) -> usize {
        let i = self.segments.partition_point(|(t, _)| *t as usize <= at);
        let Some((text, file)) = i.checked_sub(1).and_then(|i| self.segments.get(i)) else {
            return self.end as usize;
        };
        let limit = self.segments.get(i).map_or(self.end, |(_, f)| *f) as usize;
        (*file as usize + (at - *text as usize)).min(limit)
    }

    fn push(&mut self, text: usize, file: usize) {
        if let Some((t, f)) = self.segments.last()
            && (*f as usize).checked_sub(*t as usize).is_some_and(|d| d + text == file)
        {
            return;
        }
        self.segments.push((text as u32, file as u32));
    }

    /// Line for line: what a line says is the end of the line in the file.
    fn literal(&mut self, raw: &str, start: usize, text: &str) {
        let mut raw_at = raw.find('\n').map_or(raw.len(), |i| i + 1);
        let mut text_at = 0;
        for line in text.split('\n') {
            let rest = &raw[raw_at..];
            let full = rest.find('\n').map_or(rest.len(), |i| i + 1);
            let shown = rest[..full].trim_end_matches(['\n', '\r']);
            if !shown.ends_with(line) {
                return;
            }
            self.push(text_at, start + raw_at + shown.len() - line.len());
            text_at += line.len() + 1;
            raw_at += full;
            if raw_at >= raw.len() {
                self.end = self.end.min((start + raw_at - (full - shown.len())) as u32);
                break;
            }
        }
    }

    /// Walks both texts side by side, through escapes, doubled quotes and folded lines.
    fn align(&mut self, raw: &str, start: usize, text: &str, style: Style) {
        let mut at = 0;
        // the end of the run of blanks `at` stands in, and whether a line ends in it
        let mut run = (0, false);
        for (i, c) in text.char_indices() {
            if style == Style::Double {
                at += continuation(&raw[at..]);
            }
            let blanks = |at: usize| raw[at..].len() - raw[at..].trim_start_matches([' ', '\t', '\r', '\n']).len();
            if !matches!(c, ' ' | '\t' | '\n') && !raw[at..].starts_with(c) {
                at += blanks(at);
            }
            let rest = &raw[at..];
            if style == Style::Double && rest.starts_with('\\') {
                self.push(i, start + at);
                let width = match rest.as_bytes().get(1) {
                    Some(b'x') => 4,
                    Some(b'u') => 6,
                    Some(b'U') => 10,
                    Some(_) => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
                    None => 1,
                };
                at += width.min(rest.len());
                while !raw.is_char_boundary(at) {
                    at += 1;
                }
                continue;
            }
            if style == Style::Single && c == '\'' && rest.starts_with("''") {
                self.push(i, start + at);
                at += 2;
                continue;
            }
            if matches!(c, ' ' | '\t' | '\n') {
                self.push(i, start + at);
                if at >= run.0 {
                    let end = at + blanks(at);
                    run = (end, raw[at..end].contains('\n'));
                }
                if rest.starts_with(c) && !run.1 {
                    at += 1;
                }
                continue;
            }
            if !rest.starts_with(c) {
                return;
            }
            self.push(i, start + at);
            at += c.len_utf8();
        }
    }
}

/// The length of escaped line breaks (`\` at a line's end and the blanks of the next line) at the start of `rest`.
fn continuation(rest: &str) -> usize {
    let mut length = 0;
    loop {
        let here = &rest[length..];
        let Some(after) = here.strip_prefix('\\') else { return length };
        if !after.starts_with('\n') && !after.starts_with("\r\n") {
            return length;
        }
        length += 1 + after.len() - after.trim_start_matches([' ', '\t', '\r', '\n']).len();
    }
}

//! What edits of fixes cover: spans widened so that removing or adding leaves a tidy text behind.

use crate::source::Span;

/// The byte range of a span inside `text`, at character boundaries.
fn range(text: &str, span: Span) -> (usize, usize) {
    let end = (span.end as usize).min(text.len());
    ((span.start as usize).min(end), end)
}

fn blanks_before(text: &str, at: usize) -> usize {
    text.get(..at).map_or(at, |t| t.trim_end_matches([' ', '\t']).len())
}

fn blanks_after(text: &str, at: usize) -> usize {
    text.get(at..).map_or(at, |t| at + t.len() - t.trim_start_matches([' ', '\t', '\r']).len())
}

/// The place just behind a span.
pub fn behind(span: Span) -> Span {
    Span { start: span.end, ..span }
}

/// A statement that goes: its whole lines where nothing else stands on them (comments above and beside it stay), else
/// its text alone.
pub fn statement(text: &str, span: Span) -> Span {
    let (start, end) = range(text, span);
    let from = blanks_before(text, start);
    let to = blanks_after(text, end);
    let begins = from == 0 || text.as_bytes().get(from - 1) == Some(&b'\n');
    let ends = text.as_bytes().get(to).is_none_or(|b| *b == b'\n');
    match (begins, ends) {
        (true, true) => {
            let to = (to + 1).min(text.len());
            // Of the blank lines around it one stays.
            let above = text[..from].ends_with("\n\n") || from == 0;
            let below = text[to..].starts_with('\n');
            Span::new(span.file, from, if above && below { to + 1 } else { to })
        }
        (true, false) => Span::new(span.file, start, to),
        (false, _) => Span::new(span.file, from, end),
    }
}

/// A word or a tail of a line that goes, with the blanks before it.
pub fn tail(text: &str, span: Span) -> Span {
    let (start, end) = range(text, span);
    Span::new(span.file, blanks_before(text, start), end)
}

/// An item of a list that goes: its line where it stands alone, else with one comma beside it.
pub fn item(text: &str, span: Span) -> Span {
    let (start, end) = range(text, span);
    let behind = blanks_after(text, end);
    if text.as_bytes().get(behind) == Some(&b',') {
        let end = behind + 1;
        let whole = statement(text, Span::new(span.file, start, end));
        if whole.start < start as u32 && text[..whole.start as usize].ends_with('\n') {
            return whole;
        }
        return Span::new(span.file, start, blanks_after(text, end));
    }
    let before = blanks_before(text, start);
    // An item of a YAML list has its hyphen.
    if before > 0 && text.as_bytes()[before - 1] == b'-' && text[..before - 1].trim_end_matches(' ').ends_with('\n') {
        return statement(text, Span::new(span.file, before - 1, end));
    }
    if before > 0 && text.as_bytes()[before - 1] == b',' {
        return Span::new(span.file, before - 1, end);
    }
    statement(text, span)
}

/// A word that stands before a span with blanks between (`default` before its literal): both together.
pub fn with_word(text: &str, word: &str, span: Span) -> Option<Span> {
    let (start, end) = range(text, span);
    let before = text.get(..start)?.trim_end();
    before.ends_with(word).then(|| Span::new(span.file, before.len() - word.len(), end))
}

/// The blanks (and the hyphen of a YAML list) that a line begins with, if nothing else stands before `span` on it.
pub fn indent(text: &str, span: Span) -> Option<&str> {
    let (start, _) = range(text, span);
    let line = text[..start].rfind('\n').map_or(0, |i| i + 1);
    let lead = &text[line..start];
    let rest = lead.trim_start_matches([' ', '\t']);
    (rest.is_empty() || rest.trim_end() == "-").then_some(lead)
}

/// The end of the line that a span ends on, comment and all.
pub fn line_end(text: &str, span: Span) -> Span {
    let (_, end) = range(text, span);
    let at = text[end..].find('\n').map_or(text.len(), |i| end + i);
    let at = if text[..at].ends_with('\r') { at - 1 } else { at };
    Span::new(span.file, at, at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn cut(text: &str, piece: &str, widen: fn(&str, Span) -> Span) -> String {
        let start = text.find(piece).unwrap_or(0);
        let span = widen(text, Span::new(FileId(0), start, start + piece.len()));
        format!("{}{}", &text[..span.start as usize], &text[span.end as usize..])
    }

    #[test]
    fn statements_go_with_their_lines() {
        assert_eq!(cut("a\n  bb\nc\n", "bb", statement), "a\nc\n");
        assert_eq!(cut("a\n\nbb\n\nc\n", "bb", statement), "a\n\nc\n");
        assert_eq!(cut("bb\n\nc\n", "bb", statement), "c\n");
        assert_eq!(cut("a\nbb  # why\nc\n", "bb", statement), "a\n# why\nc\n");
        assert_eq!(cut("a bb\nc", "bb", statement), "a\nc");
        assert_eq!(cut("a\nbb", "bb", statement), "a\n");
    }

    #[test]
    fn items_go_with_a_comma() {
        assert_eq!(cut("{ a, bb, c }", "bb", item), "{ a, c }");
        assert_eq!(cut("{ a, bb }", "bb", item), "{ a }");
        assert_eq!(cut("{ bb, a }", "bb", item), "{ a }");
        assert_eq!(cut("{\n  a,\n  bb,\n}", "bb", item), "{\n  a,\n}");
        assert_eq!(cut("{\n  a\n  bb\n}", "bb", item), "{\n  a\n}");
        assert_eq!(cut("v:\n  - a\n  - bb\n  - c\n", "bb", item), "v:\n  - a\n  - c\n");
    }

    #[test]
    fn words_before_a_literal() {
        let text = "A = b default  'x' once";
        let span = with_word(text, "default", Span::new(FileId(0), 15, 18)).map(|s| tail(text, s));
        assert_eq!(span, Some(Span::new(FileId(0), 5, 18)));
    }
}

//! The light scan that precedes the grammar: it finds texts, names, brackets and comments, and hands the grammar a copy
//! of the text, byte for byte as long, in which comments and the line breaks inside parentheses are blank. It also finds
//! what the grammar cannot say well: open texts, brackets without a partner, nesting that is too deep.

use pest::unicode::XID_CONTINUE;

/// How deep parentheses, `case` and prefix operators may nest.
pub(super) const MAX_NESTING: usize = 128;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word or a number.
    Word,
    /// `'…'`, `"…"`, closed or not.
    Quoted,
    /// `{` or `(`.
    Open,
    /// `}` or `)`.
    Close,
    /// A line break outside parentheses.
    NewLine,
    /// Any other character.
    Other,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Token {
    pub kind: Kind,
    pub start: usize,
    pub end: usize,
    /// The token of the other bracket.
    pub mate: Option<u32>,
}

/// A comment (with the range of its text after `#`) or a blank line.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub start: usize,
    pub comment: Option<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LexicalKind {
    OpenText,
    OpenName,
    Depth,
    /// A character in a comment that no text file should hold, and YAML may not.
    Control,
}

/// A problem the scan found.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lexical {
    pub start: usize,
    pub end: usize,
    pub kind: LexicalKind,
}

#[derive(Debug, Default)]
pub(super) struct Scan {
    pub masked: String,
    pub tokens: Vec<Token>,
    pub items: Vec<Item>,
    /// In order of `start`.
    pub problems: Vec<Lexical>,
    /// Whether every brace has its partner.
    pub balanced: bool,
}

pub(super) fn scan(text: &str) -> Scan {
    let mut out = Scan { masked: String::with_capacity(text.len()), balanced: true, ..Scan::default() };
    let mut open: Vec<usize> = vec![];
    let mut blanks: Vec<(usize, usize)> = vec![]; // ranges to blank
    let bytes = text.as_bytes();
    let mut i = 0;
    let mut line_blank = true;
    let mut last_blank = false;
    while i < bytes.len() {
        let Some(c) = text[i..].chars().next() else { break };
        let start = i;
        i += c.len_utf8();
        match c {
            ' ' | '\t' | '\r' => continue,
            '\n' => {
                if line_blank && !last_blank {
                    out.items.push(Item { start, comment: None });
                }
                last_blank = line_blank;
                line_blank = true;
                out.tokens.push(Token { kind: Kind::NewLine, start, end: i, mate: None });
                continue;
            }
            '#' => {
                let end = text[i..].find('\n').map_or(text.len(), |n| i + n);
                let shown = text[i..end].trim_end();
                if let Some((n, c)) = shown.char_indices().find(|(_, c)| unprintable(*c)) {
                    let at = i + n;
                    out.problems.push(Lexical { start: at, end: at + c.len_utf8(), kind: LexicalKind::Control });
                }
                out.items.push(Item { start, comment: Some((i, i + shown.len())) });
                blanks.push((start, end));
                i = end;
            }
            '\'' | '"' => {
                let closed = quoted_end(text, i, c as u8);
                i = closed.unwrap_or_else(|| open_end(text, i));
                if closed.is_none() {
                    let kind = if c == '"' { LexicalKind::OpenName } else { LexicalKind::OpenText };
                    out.problems.push(Lexical { start, end: i, kind });
                }
                out.tokens.push(Token { kind: Kind::Quoted, start, end: i, mate: None });
            }
            '{' | '(' => {
                if c == '{' {
                    drop_parens(&out.tokens, &mut open, text);
                }
                open.push(out.tokens.len());
                out.tokens.push(Token { kind: Kind::Open, start, end: i, mate: None });
            }
            '}' | ')' => {
                if c == '}' {
                    drop_parens(&out.tokens, &mut open, text);
                }
                let here = out.tokens.len();
                let opener = open.last().copied().filter(|o| (byte(text, out.tokens[*o].start) == b'(') == (c == ')'));
                if let Some(o) = opener {
                    open.pop();
                    out.tokens[o].mate = Some(here as u32);
                } else if c == '}' {
                    out.balanced = false;
                }
                out.tokens.push(Token { kind: Kind::Close, start, end: i, mate: opener.map(|o| o as u32) });
            }
            c if XID_CONTINUE(c) => {
                i += text[i..].find(|c| !XID_CONTINUE(c)).unwrap_or(text.len() - i);
                out.tokens.push(Token { kind: Kind::Word, start, end: i, mate: None });
            }
            _ => out.tokens.push(Token { kind: Kind::Other, start, end: i, mate: None }),
        }
        line_blank = false;
    }
    drop_parens(&out.tokens, &mut open, text);
    out.balanced &= open.is_empty();
    blank_inside_parens(text, &mut out, &mut blanks);
    find_depth(text, &mut out);
    out.problems.sort_by_key(|p| p.start);
    out.masked = mask(text, &blanks);
    out
}

/// What YAML calls not printable, and a line break of its own in the middle of a line.
fn unprintable(c: char) -> bool {
    (c.is_control() && !matches!(c, '\t' | '\u{85}')) || matches!(c, '\u{fffe}' | '\u{ffff}')
}

fn byte(text: &str, at: usize) -> u8 {
    text.as_bytes().get(at).copied().unwrap_or(0)
}

/// The end of a quoted text that began before `from`; none where the line ends first.
fn quoted_end(text: &str, from: usize, quote: u8) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut i = from;
    while i < bytes.len() && bytes[i] != b'\n' {
        if bytes[i] == quote {
            if byte(text, i + 1) != quote {
                return Some(i + 1);
            }
            i += 1;
        }
        i += 1;
    }
    None
}

/// Where an open text ends: at the line's end.
fn open_end(text: &str, from: usize) -> usize {
    let line = text[from..].find('\n').map_or(text.len(), |n| from + n);
    from + text[from..line].trim_end().len()
}

/// Forgets open parentheses: a brace does not stand inside them.
fn drop_parens(tokens: &[Token], open: &mut Vec<usize>, text: &str) {
    while open.last().is_some_and(|o| byte(text, tokens[*o].start) == b'(') {
        open.pop();
    }
}

/// Marks where parentheses, `case` or prefix operators nest too deep, once per statement-like stretch.
fn find_depth(text: &str, out: &mut Scan) {
    let (mut parens, mut cases, mut prefix, mut braces) = (0usize, 0usize, 0usize, 0usize);
    let mut reported = false;
    for (n, t) in out.tokens.iter().enumerate() {
        let word = &text[t.start..t.end];
        match word {
            "(" => parens += 1,
            ")" => parens = parens.saturating_sub(1),
            "{" | "}" => {
                (parens, cases) = (0, 0);
                reported &= braces > MAX_NESTING;
                braces = if word == "{" { braces + 1 } else { braces.saturating_sub(1) };
            }
            "case" if next_word(text, &out.tokens, n) == "when" => cases += 1,
            "end" => cases = cases.saturating_sub(1),
            _ => {}
        }
        if t.kind == Kind::NewLine {
            // Only parentheses without a partner are open at a line break.
            parens = 0;
            reported &= cases > 0 || prefix > 0 || braces > MAX_NESTING;
        } else {
            prefix = if matches!(word, "-" | "not" | "!") { prefix + 1 } else { 0 };
        }
        if parens + cases + prefix > MAX_NESTING || braces > MAX_NESTING {
            if !reported {
                out.problems.push(Lexical { start: t.start, end: t.end, kind: LexicalKind::Depth });
            }
            reported = true;
        }
    }
}

fn next_word<'t>(text: &'t str, tokens: &[Token], n: usize) -> &'t str {
    tokens[n + 1..].iter().find(|t| t.kind != Kind::NewLine).map_or("", |t| &text[t.start..t.end])
}

/// Line breaks between matched parentheses are blanks; their tokens go.
fn blank_inside_parens(text: &str, out: &mut Scan, blanks: &mut Vec<(usize, usize)>) {
    let mut closes = 0usize; // end offset of the outermost matched parenthesis we are in
    let mut kept: Vec<Token> = Vec::with_capacity(out.tokens.len());
    let mut new_index: Vec<u32> = Vec::with_capacity(out.tokens.len());
    for t in &out.tokens {
        new_index.push(kept.len() as u32);
        if let (Kind::Open, Some(mate), b'(') = (t.kind, t.mate, byte(text, t.start)) {
            closes = closes.max(out.tokens[mate as usize].end);
        }
        if t.kind == Kind::NewLine && t.start < closes {
            blanks.push((t.start, t.end));
        } else {
            kept.push(*t);
        }
    }
    for t in &mut kept {
        t.mate = t.mate.and_then(|m| new_index.get(m as usize).copied());
    }
    out.tokens = kept;
}

fn mask(text: &str, blanks: &[(usize, usize)]) -> String {
    let mut ranges = blanks.to_vec();
    ranges.sort_unstable();
    let mut masked = String::with_capacity(text.len());
    let mut at = 0;
    for (start, end) in ranges {
        if start < at {
            continue;
        }
        masked.push_str(&text[at..start]);
        masked.extend(std::iter::repeat_n(' ', end - start));
        at = end;
    }
    masked.push_str(&text[at..]);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_line_breaks_in_parentheses_are_blank() {
        let text = "a # x\nf(b, # y\n c)\n'#' \"(\"";
        let s = scan(text);
        assert_eq!(s.masked, "a    \nf(b,      c)\n'#' \"(\"");
        assert_eq!(s.items.len(), 2);
        assert!(s.balanced && s.problems.is_empty());
    }

    #[test]
    fn open_things_are_found() {
        let s = scan("a 'x\nb { (\n}\n}");
        assert_eq!(s.problems.len(), 1);
        assert!(!s.balanced);
        assert_eq!(scan("f(b\nc > d\n").masked, "f(b\nc > d\n");
    }

    #[test]
    fn depth_is_found_without_recursion() {
        assert_eq!(scan(&"(".repeat(100_000)).problems.len(), 1);
        assert_eq!(scan(&"case when ".repeat(1_000)).problems.len(), 1);
        assert_eq!(scan(&"not ".repeat(1_000)).problems.len(), 1);
        assert_eq!(scan(&"{".repeat(1_000)).problems.len(), 1);
    }
}

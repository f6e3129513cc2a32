//! JSON with places: every value knows where it stands in the file, also inside a text that holds JSON itself. What
//! breaks off is returned as far as it goes, and tokens keep the form they were written in.

use super::text::Mapped;
use crate::source::Span;

/// How deep values may nest.
const MAX_DEPTH: usize = 64;

/// A value.
#[derive(Clone, Debug)]
pub struct Json {
    /// What it is.
    pub kind: Kind,
    /// Its place in the file.
    pub span: Span,
    /// Whether the text breaks off inside it.
    pub cut: bool,
}

/// The kinds of values; numbers and texts keep their spelling.
#[derive(Clone, Debug)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// A number as written.
    Number(String),
    /// A text.
    Text(Text),
    /// A list.
    Array(Vec<Json>),
    /// Keys and values in order.
    Object(Vec<(Text, Json)>),
}

/// A text: what it says and how it was written.
#[derive(Clone, Debug)]
pub struct Text {
    /// What it says.
    pub value: Mapped,
    /// How it stands in the file, with its quotes.
    pub raw: String,
}

impl Text {
    /// A new text.
    pub fn new(value: &str) -> Text {
        Text { value: Mapped::made(value), raw: escaped(value) }
    }
}

/// A finding of the reader: what is wrong, and where.
#[derive(Clone, Debug)]
pub struct Broken {
    /// What is wrong.
    pub message: String,
    /// Where.
    pub span: Span,
}

impl Json {
    /// A value that stands in no file.
    pub fn made(kind: Kind) -> Json {
        Json { kind, span: Span::default(), cut: false }
    }
    /// A text that stands in no file.
    pub fn text_of(value: &str) -> Json {
        Json::made(Kind::Text(Text::new(value)))
    }
    /// The value of a key of an object, the last one where it is there twice.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match &self.kind {
            Kind::Object(entries) => entries.iter().rev().find(|(k, _)| k.value.text == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// The same, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Json> {
        match &mut self.kind {
            Kind::Object(entries) => entries.iter_mut().rev().find(|(k, _)| k.value.text == key).map(|(_, v)| v),
            _ => None,
        }
    }
    /// Puts a value under a key: in its place where the key is there, else at the end.
    pub fn set(&mut self, key: &str, value: Json) {
        if let Some(old) = self.get_mut(key) {
            *old = value;
        } else if let Kind::Object(entries) = &mut self.kind {
            entries.push((Text::new(key), value));
        }
    }
    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Text(t) => Some(&t.value.text),
            _ => None,
        }
    }
    /// The items, if it is a list.
    pub fn items(&self) -> Option<&[Json]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }
    /// Whether it is `null`.
    pub fn is_null(&self) -> bool {
        matches!(self.kind, Kind::Null)
    }
    /// A word for messages.
    pub fn word(&self) -> &'static str {
        match self.kind {
            Kind::Null => "null",
            Kind::Boolean(_) => "true or false",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::Array(_) => "a list",
            Kind::Object(_) => "an object",
        }
    }

    /// The value on one line, tokens as they were written.
    pub fn compact(&self) -> String {
        let mut out = String::new();
        self.put(&mut out, None, 0);
        out
    }
    /// The value over lines, tokens as they were written.
    pub fn pretty(&self) -> String {
        let mut out = String::new();
        self.put(&mut out, Some(2), 0);
        out.push('\n');
        out
    }

    fn put(&self, out: &mut String, indent: Option<usize>, depth: usize) {
        let brk = |out: &mut String, depth: usize| {
            if let Some(by) = indent {
                out.push('\n');
                out.push_str(&" ".repeat(by * depth));
            }
        };
        match &self.kind {
            Kind::Null => out.push_str("null"),
            Kind::Boolean(b) => out.push_str(if *b { "true" } else { "false" }),
            Kind::Number(n) => out.push_str(n),
            Kind::Text(t) => out.push_str(&t.raw),
            Kind::Array(items) => {
                out.push('[');
                for (i, item) in items.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    brk(out, depth + 1);
                    item.put(out, indent, depth + 1);
                }
                if !items.is_empty() {
                    brk(out, depth);
                }
                out.push(']');
            }
            Kind::Object(entries) => {
                out.push('{');
                for (i, (key, value)) in entries.iter().enumerate() {
                    if i > 0 {
                        out.push(',');
                    }
                    brk(out, depth + 1);
                    out.push_str(&key.raw);
                    out.push_str(if indent.is_some() { ": " } else { ":" });
                    value.put(out, indent, depth + 1);
                }
                if !entries.is_empty() {
                    brk(out, depth);
                }
                out.push('}');
            }
        }
    }
}

/// A text in quotes.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Reads one value; what comes behind it is a finding too.
pub fn parse(text: &Mapped) -> (Option<Json>, Option<Broken>) {
    let mut p = Parser { text, at: 0, broken: None };
    p.blanks();
    let value = p.value(0);
    if p.broken.is_none() {
        p.blanks();
        if p.at < text.text.len() {
            p.fail("something stands behind the end of the JSON", p.at, p.at + 1);
        }
    }
    (value, p.broken)
}

struct Parser<'a> {
    text: &'a Mapped,
    at: usize,
    broken: Option<Broken>,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while self.peek().is_some_and(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Keeps the first thing that is wrong.
    fn fail(&mut self, message: impl Into<String>, start: usize, end: usize) {
        if self.broken.is_none() {
            self.broken = Some(Broken { message: message.into(), span: self.text.span(start, end) });
        }
    }

    fn unexpected(&mut self, wanted: &str) {
        let at = self.at;
        match self.text.text[at..].chars().next() {
            None => self.fail(format!("the JSON breaks off here: {wanted} is missing"), at.saturating_sub(1), at),
            Some(c) => self.fail(format!("`{c}` stands where {wanted} is expected"), at, at + c.len_utf8()),
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        let start = self.at;
        if depth > MAX_DEPTH {
            self.fail(format!("the JSON nests deeper than {MAX_DEPTH} levels"), start, start + 1);
            return None;
        }
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Text(self.string()?),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't' | b'f' | b'n' | b'T' | b'F') => self.word()?,
            _ => {
                self.unexpected("a value");
                return None;
            }
        };
        let cut = self.broken.is_some();
        Some(Json { kind, span: self.text.span(start, self.at), cut })
    }

    fn word(&mut self) -> Option<Kind> {
        let rest = &self.text.text[self.at..];
        let words = [("true", Kind::Boolean(true)), ("false", Kind::Boolean(false)), ("null", Kind::Null)];
        for (word, kind) in words {
            if rest.starts_with(word) {
                self.at += word.len();
                return Some(kind);
            }
        }
        self.unexpected("a value");
        None
    }

    fn number(&mut self) -> Option<Kind> {
        let start = self.at;
        while self.peek().is_some_and(|b| matches!(b, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) {
            self.at += 1;
        }
        let text = &self.text.text[start..self.at];
        if text.parse::<f64>().is_err() {
            self.fail(format!("`{text}` is no number"), start, self.at);
            return None;
        }
        Some(Kind::Number(text.to_string()))
    }

    fn array(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blanks();
            if self.peek() == Some(b']') {
                self.at += 1;
                break;
            }
            let Some(item) = self.value(depth + 1) else { break };
            items.push(item);
            if self.broken.is_some() || !self.goes_on(b']') {
                break;
            }
        }
        Some(Kind::Array(items))
    }

    fn object(&mut self, depth: usize) -> Option<Kind> {
        self.at += 1;
        let mut entries: Vec<(Text, Json)> = Vec::new();
        loop {
            self.blanks();
            if self.peek() == Some(b'}') {
                self.at += 1;
                break;
            }
            if self.peek() != Some(b'"') {
                self.unexpected("a key in quotes");
                break;
            }
            let Some(key) = self.string() else { break };
            self.blanks();
            if self.peek() != Some(b':') {
                self.unexpected("`:`");
                break;
            }
            self.at += 1;
            self.blanks();
            let Some(value) = self.value(depth + 1) else { break };
            entries.push((key, value));
            if self.broken.is_some() || !self.goes_on(b'}') {
                break;
            }
        }
        Some(Kind::Object(entries))
    }

    /// Behind an item: whether a comma says that there is more. The closing bracket is left to the caller.
    fn goes_on(&mut self, close: u8) -> bool {
        self.blanks();
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blanks();
                if self.peek() == Some(close) {
                    self.unexpected("another item");
                    return false;
                }
                true
            }
            Some(b) if b == close => true,
            _ => {
                self.unexpected("`,` or the closing bracket");
                false
            }
        }
    }

    fn string(&mut self) -> Option<Text> {
        let start = self.at;
        let text = self.text;
        self.at += 1;
        let mut value = Mapped::in_file(text.file());
        loop {
            let here = self.at;
            let Some(c) = text.text[here..].chars().next() else {
                self.fail("the JSON breaks off inside a text", start, here);
                return None;
            };
            self.at += c.len_utf8();
            match c {
                '"' => break,
                '\\' => {
                    let c = self.escape(here)?;
                    value.push(c, text.offset(here));
                }
                c if (c as u32) < 0x20 => {
                    self.fail("a line break or another control character stands inside a text", here, self.at);
                    return None;
                }
                c => value.push(c, text.offset(here)),
            }
        }
        value.end(text.offset(self.at - 1));
        Some(Text { value, raw: text.text[start..self.at].to_string() })
    }

    fn escape(&mut self, start: usize) -> Option<char> {
        let Some(b) = self.peek() else {
            self.fail("the JSON breaks off inside a text", start, self.at);
            return None;
        };
        self.at += 1;
        Some(match b {
            b'"' => '"',
            b'\\' => '\\',
            b'/' => '/',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let first = self.hex(start)?;
                if (0xd800..0xdc00).contains(&first) && self.text.text[self.at..].starts_with("\\u") {
                    self.at += 2;
                    let second = self.hex(start)?;
                    let code = 0x10000 + ((first - 0xd800) << 10) + (second.wrapping_sub(0xdc00) & 0x3ff);
                    char::from_u32(code).unwrap_or('\u{fffd}')
                } else {
                    char::from_u32(first).unwrap_or('\u{fffd}')
                }
            }
            _ => {
                let end = self.at;
                self.fail("an escape that JSON does not have", start, end);
                return None;
            }
        })
    }

    fn hex(&mut self, start: usize) -> Option<u32> {
        let digits = self.text.text.get(self.at..self.at + 4);
        match digits.and_then(|d| u32::from_str_radix(d, 16).ok()) {
            Some(code) => {
                self.at += 4;
                Some(code)
            }
            None => {
                let end = self.at;
                self.fail("`\\u` is followed by four hexadecimal digits", start, end);
                None
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::source::FileId;

    fn read(text: &str) -> (Option<Json>, Option<Broken>) {
        parse(&Mapped::whole(text, FileId(0)))
    }

    #[test]
    fn tokens_keep_their_form() {
        let text = r#"{ "a": [1.50, "\u00e9\/", null, true], "b": {}, "a": 1e3 }"#;
        let (json, broken) = read(text);
        assert!(broken.is_none());
        assert_eq!(json.unwrap().compact(), r#"{"a":[1.50,"\u00e9\/",null,true],"b":{},"a":1e3}"#);
    }

    #[test]
    fn json_in_a_text_has_places_in_the_file() {
        let text = r#"["{ \"a\": \"x\u0041y\" }"]"#;
        let outer = read(text).0.unwrap();
        let Kind::Text(t) = &outer.items().unwrap()[0].kind else { unreachable!() };
        let (inner, broken) = parse(&t.value);
        assert!(broken.is_none(), "{broken:?}");
        let inner = inner.unwrap();
        let a = inner.get("a").unwrap();
        assert_eq!(a.text(), Some("xAy"));
        assert_eq!(&text[a.span.start as usize..a.span.end as usize], r#"\"x\u0041y\""#);
    }

    #[test]
    fn what_breaks_off_is_kept_as_far_as_it_goes() {
        let (json, broken) = read(r#"{"a": [{"x": 1}, {"x": 2, "y"#);
        assert!(broken.unwrap().message.contains("breaks off"));
        let json = json.unwrap();
        let items = json.get("a").unwrap().items().unwrap();
        assert_eq!((items.len(), items[0].cut, items[1].cut), (2, false, true));
        let (json, broken) = read(r#"[1, 2 3]"#);
        assert_eq!(json.unwrap().items().unwrap().len(), 2);
        assert_eq!(broken.unwrap().message, "`3` stands where `,` or the closing bracket is expected");
        assert!(read(&"[".repeat(1000)).1.unwrap().message.contains("deeper"));
        assert!(read("").0.is_none());
    }
}

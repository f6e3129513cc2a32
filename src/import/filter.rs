//! The two filter languages of dual-write as expressions of ours: X++ query ranges (finance) and OData `$filter`
//! (Dataverse). One precedence parser over the tokens of each.

use super::text::Mapped;
use crate::source::At;
use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind, Literal, LiteralKind, Name, Path, Step};

/// How deep parentheses may nest.
const MAX_DEPTH: usize = 64;

/// Which language.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `((PartyType == "Organization"))`
    Xpp,
    /// `statecode eq 0 and msdyn_contactpersonid ne null`
    OData,
}

/// Why a filter could not be read: what is wrong, and the bytes of the filter it is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    /// What is wrong.
    pub message: String,
    /// From byte.
    pub start: usize,
    /// To byte.
    pub end: usize,
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Name(String),
    Literal(LiteralKind),
    Compare(BinaryOp),
    And,
    Or,
    Not,
    In,
    Open,
    Close,
    Comma,
}

type Placed = (Token, usize, usize);

/// Reads a filter; an empty one is none.
pub fn parse(text: &Mapped, dialect: Dialect) -> Result<Option<Expr>, Unreadable> {
    let tokens = tokens(&text.text, dialect)?;
    if tokens.is_empty() {
        return Ok(None);
    }
    let mut p = Parser { text, tokens: &tokens, at: 0, dialect };
    let expr = p.or(0)?;
    match p.tokens.get(p.at) {
        None => Ok(Some(expr)),
        Some((Token::Close, s, e)) => Err(wrong("a parenthesis that closes nothing", *s, *e)),
        Some((_, s, e)) => {
            let words = if dialect == Dialect::Xpp { "`&&` or `||`" } else { "`and` or `or`" };
            Err(wrong(format!("{words} is expected before `{}`", &text.text[*s..*e]), *s, *e))
        }
    }
}

fn wrong(message: impl Into<String>, start: usize, end: usize) -> Unreadable {
    Unreadable { message: message.into(), start, end }
}

fn is_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn tokens(text: &str, dialect: Dialect) -> Result<Vec<Placed>, Unreadable> {
    let mut out = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let start = at;
        let rest = &text[at..];
        let symbol = SYMBOLS.iter().find(|(s, d, _)| rest.starts_with(s) && d.is_none_or(|d| d == dialect));
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let token = if let Some((s, _, token)) = symbol {
            at += s.len();
            token.clone()
        } else if c == '\'' || (c == '"' && dialect == Dialect::Xpp) {
            let (value, len) =
                quoted(rest, c, dialect).ok_or_else(|| wrong("a text is not closed", start, text.len()))?;
            at += len;
            Token::Literal(LiteralKind::Text(value))
        } else if c.is_ascii_digit() || (c == '-' && rest[1..].starts_with(|d: char| d.is_ascii_digit())) {
            let more = |d: char| d.is_ascii_alphanumeric() || matches!(d, '.' | '\\' | ':' | '-' | '+');
            let len = 1 + rest[1..].find(|d| !more(d)).unwrap_or(rest.len() - 1);
            at += len;
            let word = &text[start..at];
            Token::Literal(plain(word, dialect).ok_or_else(|| wrong(format!("`{word}` is no value"), start, at))?)
        } else if is_name(c) {
            at += rest.find(|d| !is_name(d)).unwrap_or(rest.len());
            let word = &text[start..at];
            if let Some(member) = text[at..].strip_prefix("::").filter(|_| dialect == Dialect::Xpp) {
                let len = member.find(|d| !is_name(d)).unwrap_or(member.len());
                if len == 0 {
                    return Err(wrong(format!("`{word}::` lacks the member's name"), start, at + 2));
                }
                at += 2 + len;
                Token::Literal(LiteralKind::Text(member[..len].to_string()))
            } else if text[at..].starts_with(['.', '/']) {
                return Err(wrong(
                    format!("`{word}{}…`: a filter reads the row's own columns only", &text[at..at + 1]),
                    start,
                    at + 1,
                ));
            } else if text[at..].starts_with('-') && word.len() == 8 && word.bytes().all(|b| b.is_ascii_hexdigit()) {
                // An id that begins with a letter: `f0000000-…`.
                at += text[at..].find(|d: char| !(d.is_ascii_hexdigit() || d == '-')).unwrap_or(text.len() - at);
                Token::Literal(LiteralKind::Text(text[start..at].to_string()))
            } else {
                self::word(word, dialect)
            }
        } else {
            return Err(wrong(format!("`{c}` has no meaning here"), start, start + c.len_utf8()));
        };
        out.push((token, start, at));
    }
    Ok(out)
}

/// Longest first.
const SYMBOLS: &[(&str, Option<Dialect>, Token)] = &[
    ("==", Some(Dialect::Xpp), Token::Compare(BinaryOp::Eq)),
    ("!=", Some(Dialect::Xpp), Token::Compare(BinaryOp::Ne)),
    ("<>", Some(Dialect::Xpp), Token::Compare(BinaryOp::Ne)),
    ("<=", Some(Dialect::Xpp), Token::Compare(BinaryOp::Le)),
    (">=", Some(Dialect::Xpp), Token::Compare(BinaryOp::Ge)),
    ("&&", Some(Dialect::Xpp), Token::And),
    ("||", Some(Dialect::Xpp), Token::Or),
    ("<", Some(Dialect::Xpp), Token::Compare(BinaryOp::Lt)),
    (">", Some(Dialect::Xpp), Token::Compare(BinaryOp::Gt)),
    ("=", Some(Dialect::Xpp), Token::Compare(BinaryOp::Eq)),
    ("!", Some(Dialect::Xpp), Token::Not),
    ("(", None, Token::Open),
    (")", None, Token::Close),
    (",", None, Token::Comma),
];

fn word(word: &str, dialect: Dialect) -> Token {
    let lower = word.to_ascii_lowercase();
    match lower.as_str() {
        "true" => return Token::Literal(LiteralKind::Boolean(true)),
        "false" => return Token::Literal(LiteralKind::Boolean(false)),
        "and" => return Token::And,
        "or" => return Token::Or,
        "not" => return Token::Not,
        _ => {}
    }
    if dialect == Dialect::OData {
        let op = match lower.as_str() {
            "eq" => BinaryOp::Eq,
            "ne" => BinaryOp::Ne,
            "gt" => BinaryOp::Gt,
            "ge" => BinaryOp::Ge,
            "lt" => BinaryOp::Lt,
            "le" => BinaryOp::Le,
            "in" => return Token::In,
            "null" => return Token::Literal(LiteralKind::Null),
            _ => return Token::Name(word.to_string()),
        };
        return Token::Compare(op);
    }
    Token::Name(word.to_string())
}

/// A text in quotes, and how many bytes it takes.
fn quoted(text: &str, quote: char, dialect: Dialect) -> Option<(String, usize)> {
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1).peekable();
    while let Some((i, c)) = chars.next() {
        let next = chars.peek().map(|(_, c)| *c);
        if c == '\\' && dialect == Dialect::Xpp && next.is_some_and(|n| n == quote || n == '\\') {
            value.extend(chars.next().map(|(_, c)| c));
        } else if c == quote && next == Some(quote) && dialect == Dialect::OData {
            value.push(quote);
            chars.next();
        } else if c == quote {
            return Some((value, i + 1));
        } else {
            value.push(c);
        }
    }
    None
}

/// A number, a date (`23\06\2021`, `2021-06-23`), a point in time or an id.
fn plain(word: &str, dialect: Dialect) -> Option<LiteralKind> {
    let body = word.strip_prefix('-').unwrap_or(word);
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if digits(body) || body.split_once('.').is_some_and(|(a, b)| digits(a) && digits(b)) {
        return Some(LiteralKind::number(word));
    }
    if dialect == Dialect::Xpp {
        let parts: Vec<&str> = word.split('\\').collect();
        return match parts.as_slice() {
            [d, m, y] if digits(d) && digits(m) && digits(y) && d.len() <= 2 && m.len() <= 2 && y.len() == 4 => {
                Some(LiteralKind::Text(format!("{y}-{m:0>2}-{d:0>2}")))
            }
            _ => None,
        };
    }
    let date = word.len() >= 10 && word.as_bytes()[4] == b'-' && word.as_bytes()[7] == b'-' && digits(&word[..4]);
    let id = word.len() == 36 && word.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    (date || id).then(|| LiteralKind::Text(word.to_string()))
}

struct Parser<'a> {
    text: &'a Mapped,
    tokens: &'a [Placed],
    at: usize,
    dialect: Dialect,
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|t| &t.0)
    }
    fn eat(&mut self, token: &Token) -> bool {
        let found = self.peek() == Some(token);
        self.at += usize::from(found);
        found
    }
    fn expected(&self, what: &str) -> Unreadable {
        match self.tokens.get(self.at) {
            None => {
                let end = self.text.text.trim_end().len();
                wrong(format!("the filter breaks off: {what} is missing"), end.saturating_sub(1), end)
            }
            Some((_, s, e)) => wrong(format!("{what} is expected where `{}` stands", &self.text.text[*s..*e]), *s, *e),
        }
    }
    fn since(&self, first: usize) -> At {
        let start = self.tokens.get(first).map_or(0, |t| t.1);
        let end = self.tokens.get(self.at.saturating_sub(1)).map_or(start, |t| t.2);
        At(self.text.span(start, end))
    }

    fn or(&mut self, depth: usize) -> Result<Expr, Unreadable> {
        let first = self.at;
        let mut left = self.and(depth)?;
        while self.eat(&Token::Or) {
            let right = self.and(depth)?;
            left =
                Expr { kind: ExprKind::Binary(BinaryOp::Or, Box::new(left), Box::new(right)), at: self.since(first) };
        }
        Ok(left)
    }

    fn and(&mut self, depth: usize) -> Result<Expr, Unreadable> {
        let first = self.at;
        let mut left = self.unary(depth)?;
        while self.eat(&Token::And) {
            let right = self.unary(depth)?;
            left =
                Expr { kind: ExprKind::Binary(BinaryOp::And, Box::new(left), Box::new(right)), at: self.since(first) };
        }
        Ok(left)
    }

    fn unary(&mut self, depth: usize) -> Result<Expr, Unreadable> {
        let first = self.at;
        if depth > MAX_DEPTH {
            return Err(wrong("the filter nests too deep", 0, self.text.text.len()));
        }
        if self.eat(&Token::Not) {
            let of = self.unary(depth + 1)?;
            return Ok(Expr { kind: ExprKind::Not(Box::new(of)), at: self.since(first) });
        }
        if self.eat(&Token::Open) {
            let inner = self.or(depth + 1)?;
            if !self.eat(&Token::Close) {
                return Err(self.expected("`)`"));
            }
            return Ok(inner);
        }
        self.comparison()
    }

    fn comparison(&mut self) -> Result<Expr, Unreadable> {
        let first = self.at;
        if let (Some(Token::Name(name)), Some((Token::Open, ..))) = (self.peek().cloned(), self.tokens.get(self.at + 1))
        {
            return self.function(&name);
        }
        let left = self.operand()?;
        if self.eat(&Token::In) {
            let items = self.list()?;
            let kind = ExprKind::In { of: Box::new(left), negated: false, items };
            return Ok(Expr { kind, at: self.since(first) });
        }
        let Some(Token::Compare(op)) = self.peek().cloned() else {
            let what = if self.dialect == Dialect::Xpp {
                "a comparison (`==`, `!=`, `<` …)"
            } else {
                "a comparison (`eq`, `ne`, `lt` …)"
            };
            return Err(self.expected(what));
        };
        self.at += 1;
        let right = self.operand()?;
        let at = self.since(first);
        // Inside maps there is one nothing: an empty text is it too.
        let nothing = |e: &Expr| match &e.kind {
            ExprKind::Literal(l) => l.kind == LiteralKind::Null || l.kind == LiteralKind::Text(String::new()),
            _ => false,
        };
        let of = match (nothing(&left), nothing(&right)) {
            (false, true) => Some(left.clone()),
            (true, false) => Some(right.clone()),
            _ => None,
        };
        let kind = match (of, op) {
            (Some(of), BinaryOp::Eq | BinaryOp::Ne) => {
                ExprKind::IsNull { of: Box::new(of), negated: op == BinaryOp::Ne }
            }
            (Some(_), _) => {
                let (s, e) = (self.tokens[first].1, self.tokens[self.at - 1].2);
                return Err(wrong("nothing is neither less nor greater than nothing", s, e));
            }
            (None, _) => ExprKind::Binary(op, Box::new(left), Box::new(right)),
        };
        Ok(Expr { kind, at })
    }

    fn operand(&mut self) -> Result<Expr, Unreadable> {
        let first = self.at;
        let kind = match self.peek().cloned() {
            Some(Token::Name(name)) => {
                self.at += 1;
                let at = self.since(first);
                let step = Step { name: Name { text: name, at }, inner: None };
                ExprKind::Path(Path { this: false, steps: vec![step], at })
            }
            Some(Token::Literal(kind)) => {
                self.at += 1;
                ExprKind::Literal(Literal { kind, at: self.since(first) })
            }
            _ => return Err(self.expected("a column or a value")),
        };
        Ok(Expr { kind, at: self.since(first) })
    }

    fn list(&mut self) -> Result<Vec<Literal>, Unreadable> {
        if !self.eat(&Token::Open) {
            return Err(self.expected("`(`"));
        }
        let mut items = Vec::new();
        loop {
            let ExprKind::Literal(l) = self.operand()?.kind else {
                self.at -= 1;
                return Err(self.expected("a value"));
            };
            items.push(l);
            if !self.eat(&Token::Comma) {
                break;
            }
        }
        if !self.eat(&Token::Close) {
            return Err(self.expected("`)`"));
        }
        Ok(items)
    }

    /// `startswith(name,'A')`: only Dataverse once had them.
    fn function(&mut self, name: &str) -> Result<Expr, Unreadable> {
        let first = self.at;
        let ours = match (self.dialect, name.to_ascii_lowercase().as_str()) {
            (Dialect::OData, "contains") => "contains",
            (Dialect::OData, "startswith") => "starts_with",
            (Dialect::OData, "endswith") => "ends_with",
            _ => {
                let (_, s, e) = &self.tokens[first];
                return Err(wrong(format!("`{name}` is no function that a filter may use"), *s, *e));
            }
        };
        self.at += 2;
        let a = self.operand()?;
        if !self.eat(&Token::Comma) {
            return Err(self.expected("`,`"));
        }
        let b = self.operand()?;
        if !self.eat(&Token::Close) {
            return Err(self.expected("`)`"));
        }
        let at = self.since(first);
        let call = Call { name: Name { text: ours.into(), at }, args: vec![a, b], at };
        Ok(Expr { kind: ExprKind::Call(call), at })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::panic)]
mod tests {
    use super::*;
    use crate::syntax::dsl::write_expr;

    fn ours(text: &str, dialect: Dialect) -> String {
        match parse(&Mapped::made(text), dialect) {
            Ok(Some(e)) => write_expr(&e),
            Ok(None) => "nothing".into(),
            Err(u) => format!("{} at `{}`", u.message, &text[u.start..u.end]),
        }
    }

    #[test]
    fn query_ranges() {
        for (theirs, expected) in [
            ("((PartyType == \"Organization\"))", "PartyType == 'Organization'"),
            ("(AssociatedContactType = 1)", "AssociatedContactType == 1"),
            ("AccountType == AccountType::Customer", "AccountType == 'Customer'"),
            ("(A == 1) || (B == 2) && !(C == 3)", "A == 1 or B == 2 and not C == 3"),
            ("((A == 1) || (B == 2)) && (C >= 23\\6\\2021)", "(A == 1 or B == 2) and C >= '2021-06-23'"),
            ("(Parent == \"\")", "Parent is null"),
            ("Name != 'it\\'s'", "Name != 'it''s'"),
            ("  ", "nothing"),
            ("(A == 1", "the filter breaks off: `)` is missing at `1`"),
            ("(A == 1))", "a parenthesis that closes nothing at `)`"),
            ("A == ", "the filter breaks off: a column or a value is missing at `=`"),
            ("A eq 1", "a comparison (`==`, `!=`, `<` …) is expected where `eq` stands at `eq`"),
            ("CustTable.Blocked == 1", "`CustTable.…`: a filter reads the row's own columns only at `CustTable.`"),
            ("A == \"x", "a text is not closed at `\"x`"),
            ("A == @", "`@` has no meaning here at `@`"),
        ] {
            assert_eq!(ours(theirs, Dialect::Xpp), expected, "{theirs}");
        }
    }

    #[test]
    fn odata_filters() {
        for (theirs, expected) in [
            ("customertypecode eq 3", "customertypecode == 3"),
            ("a eq true and b eq false and c ne ''", "a == true and b == false and c is not null"),
            ("not (statecode eq 0) or x eq null", "not statecode == 0 or x is null"),
            ("d ge 2021-06-23T00:00:00Z", "d >= '2021-06-23T00:00:00Z'"),
            ("d lt '2021-06-23'", "d < '2021-06-23'"),
            ("name eq 'O''Neill'", "name == 'O''Neill'"),
            ("id eq f0000000-0000-4000-8000-000000000001", "id == 'f0000000-0000-4000-8000-000000000001'"),
            ("startswith(name,'A') and b in (1, 2)", "starts_with(name, 'A') and b in (1, 2)"),
            ("amount gt -1.50", "amount > -1.50"),
            ("a eq 1 b eq 2", "`and` or `or` is expected before `b` at `b`"),
            ("a/b eq 1", "`a/…`: a filter reads the row's own columns only at `a/`"),
            ("length(a) eq 1", "`length` is no function that a filter may use at `length`"),
            ("a gt null", "nothing is neither less nor greater than nothing at `a gt null`"),
            ("a == 1", "`=` has no meaning here at `=`"),
        ] {
            assert_eq!(ours(theirs, Dialect::OData), expected, "{theirs}");
        }
        assert!(ours(&"(".repeat(500), Dialect::OData).contains("too deep"));
    }
}

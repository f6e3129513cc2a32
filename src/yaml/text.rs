//! What a scalar without quotes means, and how a text is written so that every reader reads it back.

use super::{Scalar, Style};
use granit_parser::{Event, Parser, ScalarStyle};

/// What a scalar is under YAML 1.2's core rules; anything in quotes or a block is text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plain {
    /// `null`, `~`, nothing.
    Null,
    /// `true`, `false`.
    Boolean(bool),
    /// A whole number.
    Integer,
    /// Another number.
    Number,
    /// Text.
    Text,
}

/// What `scalar` is.
pub fn resolve(scalar: &Scalar) -> Plain {
    if scalar.style == Style::Plain { plain(&scalar.text) } else { Plain::Text }
}

fn plain(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Boolean(true),
        "false" | "False" | "FALSE" => return Plain::Boolean(false),
        ".inf" | ".Inf" | ".INF" | "-.inf" | "+.inf" | ".nan" | ".NaN" | ".NAN" => return Plain::Number,
        _ => {}
    }
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    if text.strip_prefix("0o").is_some_and(digits)
        || text.strip_prefix("0x").is_some_and(|t| !t.is_empty() && t.bytes().all(|b| b.is_ascii_hexdigit()))
    {
        return Plain::Integer;
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits(body) {
        return Plain::Integer;
    }
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((m, e)) => (m, Some(e.strip_prefix(['-', '+']).unwrap_or(e))),
        None => (body, None),
    };
    let mantissa = match mantissa.split_once('.') {
        Some((a, b)) => (digits(a) && (b.is_empty() || digits(b))) || (a.is_empty() && digits(b)),
        None => digits(mantissa),
    };
    if mantissa && exponent.is_none_or(digits) { Plain::Number } else { Plain::Text }
}

/// Whether readers of older YAML take the bare text for something else: `no`, `on`, `010`, `1_000`, `1:30`.
pub fn reads_differently(text: &str) -> bool {
    if matches!(text.to_ascii_lowercase().as_str(), "y" | "n" | "yes" | "no" | "on" | "off") {
        return true;
    }
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    if !body.starts_with(|c: char| c.is_ascii_digit()) {
        return false;
    }
    let octal = body.len() > 1 && body.starts_with('0') && body.bytes().all(|b| b.is_ascii_digit());
    let grouped = body.contains('_') && body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'_' | b'.'));
    let base60 = body.contains(':') && body.bytes().all(|b| b.is_ascii_digit() || matches!(b, b':' | b'.'));
    octal || grouped || base60 || body.starts_with("0b")
}

/// The text in double quotes.
pub fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{feff}' | '\u{85}' | '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{fffe}' | '\u{ffff}' => {
                out.push_str(&format!("\\u{:04x}", c as u32));
            }
            c if c.is_control() => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Whether the bare text, as an item or value in block style, is read back as exactly this text by every reader.
pub fn reads_back(text: &str) -> bool {
    if plain(text) != Plain::Text
        || reads_differently(text)
        || text == "<<"
        || text == "="
        || text.starts_with(|c: char| c.is_ascii_digit()) && text.bytes().filter(|b| *b == b'-').count() == 2
        || text.starts_with(|c: char| !c.is_alphanumeric() && !matches!(c, '_' | '(' | '-' | '.' | '/' | '<' | '$'))
        || text.chars().any(|c| c.is_control() || matches!(c, '\u{feff}' | '\u{85}' | '\u{2028}' | '\u{2029}'))
        || text.ends_with(':')
        || text.contains(": ")
        || text.contains(" #")
        || text.trim() != text
    {
        return false;
    }
    let line = format!("k: {text}\n");
    let mut scalars = Parser::new_from_str(&line).filter_map(|e| match e {
        Ok((Event::Scalar(t, style, _, None), _)) => Some(Ok((t.into_owned(), style))),
        Ok((Event::StreamStart | Event::StreamEnd | Event::DocumentStart(..) | Event::DocumentEnd, _))
        | Ok((Event::MappingStart(..) | Event::MappingEnd, _)) => None,
        _ => Some(Err(())),
    });
    let key = scalars.next();
    matches!(key, Some(Ok(_)))
        && matches!(scalars.next(), Some(Ok((t, ScalarStyle::Plain))) if t == text)
        && scalars.next().is_none()
}

//! What the functions share: arguments out of values, lengths of texts, the limit on results.

use super::{Arg, Reason};
use crate::value::{Dec, Type, Value, date_text, datetime_text, kind, uuid_text};
use std::borrow::Cow;

/// The longest text a function makes, in bytes.
pub(super) const MAX_TEXT: usize = 1 << 20;

/// A text argument.
pub(super) fn text(v: &Value) -> Result<&str, Reason> {
    match v {
        Value::Text(t) => Ok(t),
        other => Err(format!("text is expected, not {}", kind(other))),
    }
}

/// A whole number argument.
pub(super) fn int(v: &Value) -> Result<i64, Reason> {
    match v {
        Value::Integer(i) => Ok(*i),
        other => Err(format!("an integer is expected, not {}", kind(other))),
    }
}

/// A count of characters: not negative, and no more than a text may have.
pub(super) fn count(v: &Value, what: &str) -> Result<usize, Reason> {
    usize::try_from(int(v)?).map_err(|_| format!("the {what} must not be negative"))
}

/// An integer or decimal argument.
pub(super) fn number(v: &Value) -> Result<Dec, Reason> {
    match v {
        Value::Integer(i) => Ok(Dec::from_i64(*i)),
        Value::Decimal(d) => Ok(d.clone()),
        other => Err(format!("a number is expected, not {}", kind(other))),
    }
}

/// A text result, refused where it is longer than 1 MiB.
pub(super) fn text_value(t: impl AsRef<str>) -> Result<Value, Reason> {
    check_size(t.as_ref().len()).map(|()| Value::text(t))
}

pub(super) fn check_size(bytes: usize) -> Result<(), Reason> {
    if bytes > MAX_TEXT { Err("the result is longer than 1 MiB".into()) } else { Ok(()) }
}

/// What is null in three-valued logic stays null.
pub(super) fn or_null(v: Option<Value>) -> Value {
    v.unwrap_or_default()
}

/// The text form of a value, as `text()` gives it.
pub(super) fn text_form(v: &Value) -> Result<Cow<'_, str>, Reason> {
    Ok(match v {
        Value::Text(t) => Cow::Borrowed(t.as_str()),
        Value::Integer(i) => i.to_string().into(),
        Value::Decimal(d) => d.to_text().into(),
        Value::Float(f) => f.get().to_string().into(),
        Value::Boolean(b) => (if *b { "true" } else { "false" }).into(),
        Value::Date(d) => date_text(*d).to_string().into(),
        Value::DateTime(d) => datetime_text(*d).to_string().into(),
        Value::Uuid(u) => uuid_text(*u).to_string().into(),
        Value::Null | Value::Binary(_) => return Err(format!("{} has no text form", kind(v))),
    })
}

/// The most characters the text form of a type has; none where there is no limit.
pub(super) fn text_len(ty: &Type) -> Option<u32> {
    match ty {
        Type::Null => Some(0),
        Type::Text { max } => *max,
        Type::Integer => Some(20),
        Type::Decimal { limits } => limits.map(|(p, _)| u32::from(p) + 3),
        Type::Boolean => Some(5),
        Type::Date => Some(13),
        Type::DateTime { .. } => Some(32),
        Type::Uuid => Some(36),
        _ => None,
    }
}

/// The length limit of a text argument.
pub(super) fn max(arg: &Arg) -> Option<u32> {
    text_len(&arg.ty)
}

/// The type of an optional scale, count or length argument that is a literal.
pub(super) fn literal_int(arg: Option<&Arg>) -> Option<i64> {
    match arg?.literal {
        Some(Value::Integer(i)) => Some(i),
        _ => None,
    }
}

/// Refuses a literal count below `least` already when it is typed.
pub(super) fn literal_count(arg: Option<&Arg>, least: i64, what: &str) -> Result<Option<u32>, Reason> {
    match literal_int(arg) {
        Some(i) if i < least => Err(format!("the {what} must be at least {least}")),
        Some(i) => Ok(u32::try_from(i).ok()),
        None => Ok(None),
    }
}

/// A text of at most so many characters.
pub(super) const fn text_type(max: Option<u32>) -> Type {
    Type::Text { max }
}

/// The smaller of two limits, where none is no limit.
pub(super) fn tighter(a: Option<u32>, b: Option<u32>) -> Option<u32> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

/// The first `n` characters.
pub(super) fn first(t: &str, n: usize) -> &str {
    match t.char_indices().nth(n) {
        Some((at, _)) => &t[..at],
        None => t,
    }
}

/// The text without its first `n` characters.
pub(super) fn after(t: &str, n: usize) -> &str {
    match t.char_indices().nth(n) {
        Some((at, _)) => &t[at..],
        None => "",
    }
}

/// A value in a message: shortened, so that a message stays a message.
pub(super) fn shown(t: &str) -> String {
    let short = first(t, 40);
    format!("`{short}{}`", if short.len() < t.len() { "…" } else { "" })
}

/// Letter by letter to another case. A letter whose other case is more than one stays, so the length stays too.
pub(super) fn recase<I: Iterator<Item = char>>(t: &str, case: fn(char) -> I) -> String {
    t.chars()
        .map(|c| {
            let mut other = case(c);
            match (other.next(), other.next()) {
                (Some(only), None) => only,
                _ => c,
            }
        })
        .collect()
}

/// Pads to `length` characters on one side.
pub(super) fn pad(args: &[Value], on_the_left: bool) -> Result<Value, Reason> {
    let t = text(&args[0])?;
    let length = count(&args[1], "length")?;
    let fill = args.get(2).map_or(Ok(" "), text)?;
    if fill.is_empty() {
        return Err("the fill must not be empty".into());
    }
    let missing = length.saturating_sub(t.chars().count());
    // A character has at most four bytes, but counting them as one refuses what is certainly too long.
    check_size(missing)?;
    let filling: String = fill.chars().cycle().take(missing).collect();
    text_value(if on_the_left { filling + t } else { t.to_string() + &filling })
}

/// The type of padded text.
pub(super) fn padded(args: &[Arg]) -> Result<Type, Reason> {
    let length = literal_count(args.get(1), 0, "length")?;
    if args.get(2).is_some_and(|a| matches!(&a.literal, Some(Value::Text(t)) if t.is_empty())) {
        return Err("the fill must not be empty".into());
    }
    Ok(text_type(max(&args[0]).zip(length).map(|(a, b)| a.max(b))))
}

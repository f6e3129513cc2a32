//! The ONE table of conversions, and what each may lose. What is lossless happens by itself; what may lose must be
//! asked for by a function; what makes no sense is an error.

use super::{Choice, Dec, Type, Value};

/// What happens to values of one type on their way into a column of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fit {
    /// Every value fits.
    Lossless,
    /// Checked for each record: too long a text, too many digits: quarantined, never cut (a warning in `check`).
    Checked,
    /// May change the value; must be asked for by a function.
    Lossy,
    /// Makes no sense.
    Never,
}

/// Digits an [`i64`] may have.
const INTEGER_DIGITS: u32 = 19;
/// Characters of a uuid as text.
const UUID_LEN: u32 = 36;

/// What a value of type `from` does in a column of type `to`.
pub fn fit(from: &Type, to: &Type) -> Fit {
    use Fit::{Checked, Lossless, Lossy, Never};
    let either = |all: bool| if all { Lossless } else { Checked };
    match (from, to) {
        (a, b) if a == b => Lossless,
        (Type::Null, _) => Lossless,
        (_, Type::Null) => Never,

        (Type::Text { max: from }, Type::Text { max: to }) => either(within(*from, *to)),
        (Type::Text { .. }, Type::Json) => Checked,
        (
            Type::Text { .. },
            Type::Integer | Type::Decimal { .. } | Type::Float | Type::Date | Type::DateTime { .. } | Type::Uuid,
        ) => Lossy,
        (Type::Json, Type::Text { max }) => either(max.is_none()),

        (Type::Integer, Type::Decimal { limits }) => {
            either(limits.is_none_or(|(p, s)| u32::from(p).saturating_sub(s.into()) >= INTEGER_DIGITS))
        }
        (Type::Integer, Type::Text { max }) => either(within(Some(INTEGER_DIGITS + 1), *max)),
        (Type::Integer, Type::Choice(_)) => Checked,
        (Type::Integer, Type::Float) => Lossy,

        (Type::Decimal { limits: from }, Type::Decimal { limits: to }) => match (from, to) {
            (_, None) => Lossless,
            (None, Some(_)) => Lossy,
            (Some((_, s1)), Some((_, s2))) if s1 > s2 => Lossy,
            (Some((p1, s1)), Some((p2, s2))) => either(p1.saturating_sub(*s1) <= p2.saturating_sub(*s2)),
        },
        (Type::Decimal { limits: Some((p, 0)) }, Type::Integer) => either(u32::from(*p) < INTEGER_DIGITS),
        // Sign, point, and a zero before the point.
        (Type::Decimal { limits }, Type::Text { max }) => either(within(limits.map(|(p, _)| u32::from(p) + 3), *max)),
        (Type::Decimal { .. }, Type::Integer | Type::Float) => Lossy,

        (Type::Float, Type::Integer | Type::Decimal { .. } | Type::Text { .. }) => Lossy,

        (Type::Date, Type::DateTime { .. } | Type::Text { .. }) => Lossy,
        (Type::DateTime { .. }, Type::Date | Type::DateTime { .. } | Type::Text { .. }) => Lossy,

        (Type::Uuid, Type::Text { max }) if within(Some(UUID_LEN), *max) => Lossless,

        (Type::Choice(a), Type::Choice(b)) if all_in(a, b) => Lossless,

        _ => Never,
    }
}

/// What to do about a [`Fit::Lossy`] or a [`Fit::Never`], for the end of a message: "use `round()`". None where nothing
/// helps.
pub fn advice(from: &Type, to: &Type) -> Option<&'static str> {
    Some(match (from, to) {
        (Type::Decimal { .. }, Type::Decimal { .. }) => "say how it is rounded: `round(x, scale)`",
        (Type::Decimal { .. } | Type::Float, Type::Integer) => "say how it is rounded: `integer(round(x))`",
        (Type::Text { .. }, Type::Integer) => "use `integer()`, or `try_integer()` for null where it is none",
        (Type::Text { .. } | Type::Float, Type::Decimal { .. }) => "use `decimal()`",
        (_, Type::Float) if matches!(from, Type::Integer | Type::Decimal { .. } | Type::Text { .. }) => "use `float()`",
        (Type::Text { .. }, Type::Boolean) => "use a value map or `boolean()`",
        (Type::Text { .. }, Type::Uuid) => "use `uuid()`, or `uuid_of()` to make one from any text",
        (Type::Text { .. }, Type::Date) => "use `date()` or `parse_date()`",
        (Type::Text { .. }, Type::DateTime { .. }) => "use `datetime()`",
        (Type::Date, Type::DateTime { .. }) => "use `datetime()`",
        (Type::DateTime { .. }, Type::Date) => "use `date()`",
        (Type::DateTime { .. }, Type::DateTime { .. }) => "use `local()` or `utc()`, which name the time zone",
        (Type::Date | Type::DateTime { .. }, Type::Text { .. }) => "use `text()` or `format_date()`",
        (Type::Float, Type::Text { .. }) => "use `text()`",
        (Type::Choice(_), Type::Integer) => "use a value map, or `integer()` for the member's number",
        (Type::Choice(_), _) | (_, Type::Choice(_)) => "use a value map",
        (Type::Boolean, _) | (_, Type::Boolean) => "use a value map or `if()`",
        _ => return None,
    })
}

/// Brings `value` into type `to`, checking length, precision and membership. The error is the reason in words, without
/// the value ("longer than 60 characters").
///
/// Does what [`fit`] calls lossless or checked, and nothing that changes the value. A decimal passes wherever its value
/// fits exactly, whatever its scale: 1.500 into `decimal(5,2)`, 3.00 into an integer.
pub fn convert(value: Value, to: &Type) -> Result<Value, String> {
    match (value, to) {
        (Value::Null, _) => Ok(Value::Null),
        (v @ Value::Text(_), Type::Text { max: None }) => Ok(v),
        (Value::Text(t), Type::Text { max: Some(max) }) => check_length(&t, *max).map(|()| Value::Text(t)),
        (Value::Text(t), Type::Json) => match serde_json::from_str::<serde::de::IgnoredAny>(&t) {
            Ok(_) => Ok(Value::Text(t)),
            Err(_) => Err("not valid JSON".into()),
        },
        (v @ Value::Integer(_), Type::Integer) => Ok(v),
        (Value::Integer(i), Type::Decimal { limits }) => decimal(Dec::from_i64(i), *limits),
        (Value::Integer(i), Type::Text { .. }) => convert(Value::Text(compact_str::format_compact!("{i}")), to),
        (Value::Integer(i), Type::Choice(c)) => match c.by_value(i) {
            Some(_) => Ok(Value::Integer(i)),
            None => Err("not a member of the choice".into()),
        },
        (Value::Decimal(d), Type::Decimal { limits }) => decimal(d, *limits),
        (Value::Decimal(d), Type::Integer) => match d.to_i64() {
            Some(i) => Ok(Value::Integer(i)),
            None if !d.fits_scale(0) => Err("not whole".into()),
            None => Err("too large for an integer".into()),
        },
        (Value::Decimal(d), Type::Text { .. }) => convert(Value::text(d.to_text()), to),
        (Value::Uuid(u), Type::Text { max: None }) => Ok(Value::Text(uuid_text(u))),
        (Value::Uuid(u), Type::Text { max: Some(max) }) if *max >= UUID_LEN => Ok(Value::Text(uuid_text(u))),
        (
            v @ (Value::Boolean(_)
            | Value::Float(_)
            | Value::Date(_)
            | Value::DateTime(_)
            | Value::Uuid(_)
            | Value::Binary(_)),
            to,
        ) if same_kind(&v, to) => Ok(v),
        (v, to) => Err(format!("{}, not {}", article(kind(&v)), article(&to.to_string()))),
    }
}

/// A uuid in its usual form.
pub fn uuid_text(u: super::Uuid) -> super::Text {
    let mut buffer = [0u8; uuid::fmt::Hyphenated::LENGTH];
    super::Text::new(u.hyphenated().encode_lower(&mut buffer))
}

/// "a text(20)", "an integer".
pub(crate) fn article(noun: &str) -> String {
    let an = noun.starts_with(['a', 'e', 'i', 'o']);
    format!("{} {noun}", if an { "an" } else { "a" })
}

/// What a value is, as a schema would name it.
pub(crate) fn kind(v: &Value) -> &'static str {
    match v {
        Value::Null => "null",
        Value::Boolean(_) => "boolean",
        Value::Integer(_) => "integer",
        Value::Decimal(_) => "decimal",
        Value::Float(_) => "float",
        Value::Text(_) => "text",
        Value::Date(_) => "date",
        Value::DateTime(_) => "datetime",
        Value::Uuid(_) => "uuid",
        Value::Binary(_) => "binary",
    }
}

fn same_kind(v: &Value, to: &Type) -> bool {
    matches!(
        (v, to),
        (Value::Boolean(_), Type::Boolean)
            | (Value::Float(_), Type::Float)
            | (Value::Date(_), Type::Date)
            | (Value::DateTime(_), Type::DateTime { .. })
            | (Value::Uuid(_), Type::Uuid)
            | (Value::Binary(_), Type::Binary)
    )
}

/// Refuses what is longer than `max` characters.
pub(super) fn check_length(t: &str, max: u32) -> Result<(), String> {
    let max_len = max as usize;
    // Bytes are never fewer than characters.
    if t.len() <= max_len || t.chars().count() <= max_len {
        return Ok(());
    }
    Err(format!("longer than {max} {}", if max == 1 { "character" } else { "characters" }))
}

/// A stored decimal, as it stands in a column with these limits (digits, and digits after the point). Why it does not
/// fit, in words that follow "the value".
#[cfg(any(feature = "sqlite", feature = "postgres"))]
pub(crate) fn stored_decimal(d: Dec, limits: Option<(u8, u8)>) -> Result<Value, String> {
    match limits {
        Some((p, s)) if !d.fits(u32::from(p), u32::from(s)) => Err(match decimal(d, limits) {
            Err(why) => format!("is {why}"),
            Ok(_) => format!("does not fit decimal({p},{s})"),
        }),
        _ => Ok(Value::Decimal(d)),
    }
}

pub(super) fn decimal(d: Dec, limits: Option<(u8, u8)>) -> Result<Value, String> {
    let Some((p, s)) = limits else {
        return Ok(Value::Decimal(d));
    };
    let before = u32::from(p).saturating_sub(s.into());
    let (after, digits) = (u32::from(s), |n| if n == 1 { "digit" } else { "digits" });
    if d.integer_digits() > before {
        return Err(format!("longer than {before} {} before the point", digits(before)));
    }
    if !d.fits_scale(after) {
        return Err(format!("longer than {after} {} after the point", digits(after)));
    }
    Ok(Value::Decimal(d))
}

fn within(from: Option<u32>, to: Option<u32>) -> bool {
    match (from, to) {
        (_, None) => true,
        (None, Some(_)) => false,
        (Some(a), Some(b)) => a <= b,
    }
}

/// Whether every member of `a` is one of `b`: the same number under the same name, letter case aside. Numbers alone are
/// not enough: that 0 is `No` here and `Active` there is no reason to turn one into the other.
pub(super) fn all_in(a: &Choice, b: &Choice) -> bool {
    a.members.iter().all(|m| b.by_value(m.value).is_some_and(|x| x.name.eq_ignore_ascii_case(&m.name)))
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
#[path = "convert_tests.rs"]
mod tests;

//! Literals, typed by where they stand.

use super::convert::{check_length, convert, decimal, kind};
use super::{Dec, Float, Type, Uuid, Value, parse_date, parse_datetime};

/// A literal as it is written, before a type is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Literal<'a> {
    /// `'text'`, unescaped.
    Text(&'a str),
    /// `[-]digits[.digits]`
    Number(&'a str),
    /// `true`, `false`
    Boolean(bool),
    /// `null`
    Null,
}

impl Literal<'_> {
    /// Its value and type where nothing says what it should be: a number without a point that fits is an integer.
    pub fn natural(self) -> Result<(Value, Type), String> {
        Ok(match self {
            Literal::Null => (Value::Null, Type::Null),
            Literal::Boolean(b) => (Value::Boolean(b), Type::Boolean),
            Literal::Text(t) => (Value::text(t), Type::Text { max: u32::try_from(t.chars().count()).ok() }),
            Literal::Number(n) => match n.parse::<i64>() {
                Ok(i) if !n.starts_with('+') => (Value::Integer(i), Type::Integer),
                _ => {
                    let d = number(n)?;
                    let scale = d.scale();
                    let precision = d.integer_digits() + scale;
                    let limits = u8::try_from(precision).ok().zip(u8::try_from(scale).ok());
                    (Value::Decimal(d), Type::Decimal { limits: limits.filter(|(p, _)| *p <= 76) })
                }
            },
        })
    }
}

/// The value of a literal that stands where `ty` is expected: text is a date in a date column, a member's name in a
/// choice; a number is a member's number in a choice, a float in a float column. The error is the reason in words.
pub fn literal(literal: Literal, ty: &Type) -> Result<Value, String> {
    match (literal, ty) {
        (Literal::Null, _) => Ok(Value::Null),
        (_, Type::Null) => Ok(literal.natural()?.0),

        (Literal::Boolean(b), Type::Boolean) => Ok(Value::Boolean(b)),
        (Literal::Boolean(b), _) => Err(format!("`{b}` where {} is expected", noun(ty))),

        (Literal::Text(t), Type::Text { max }) => {
            max.map_or(Ok(()), |max| check_length(t, max)).map(|()| Value::text(t))
        }
        (Literal::Text(t), Type::Json) => convert(Value::text(t), ty),
        (Literal::Text(t), Type::Date) => {
            parse_date(t).map(Value::Date).ok_or_else(|| "no date of the form '2026-11-20'".into())
        }
        (Literal::Text(t), Type::DateTime { .. }) => parse_datetime(t).map(Value::DateTime).ok_or_else(|| {
            "no date and time of the form '2026-11-20T10:00:00' (an offset other than Z is refused)".into()
        }),
        (Literal::Text(t), Type::Uuid) => uuid(t).map(Value::Uuid).ok_or_else(|| "no uuid".into()),
        (Literal::Text(t), Type::Choice(c)) => match c.by_name(t) {
            Some(m) => Ok(Value::Integer(m.value)),
            None => Err("no member of the choice has this name".into()),
        },
        (Literal::Text(_), Type::Integer | Type::Decimal { .. } | Type::Float) => {
            Err(format!("a text where {} is expected; write the number without quotes", noun(ty)))
        }
        (Literal::Text(_), Type::Boolean) => Err("a text where true or false is expected".into()),
        (Literal::Text(_), Type::Binary) => Err("binary values cannot be written in a map".into()),

        (Literal::Number(n), Type::Integer) => {
            convert(Value::Decimal(number(n)?), ty).map_err(|why| format!("no integer: {why}"))
        }
        (Literal::Number(n), Type::Decimal { limits }) => decimal(number(n)?, *limits),
        (Literal::Number(n), Type::Float) => {
            Float::new(number(n)?.to_f64()).map(Value::Float).ok_or_else(|| "too large for a float".into())
        }
        (Literal::Number(n), Type::Choice(c)) => match number(n)?.to_i64() {
            Some(i) if c.by_value(i).is_some() => Ok(Value::Integer(i)),
            _ => Err("no member of the choice has this number".into()),
        },
        (Literal::Number(_), Type::Text { .. } | Type::Date | Type::DateTime { .. } | Type::Uuid) => {
            Err(format!("a number where {} is expected; write it in quotes", noun(ty)))
        }
        (Literal::Number(_), _) => Err(format!("a number where {} is expected", noun(ty))),
    }
}

/// A value that came typed (from YAML, JSON or a function) as if it were written as a literal where `ty` is expected.
pub fn literal_value(value: &Value, ty: &Type) -> Result<Value, String> {
    match value {
        Value::Null => Ok(Value::Null),
        Value::Boolean(b) => literal(Literal::Boolean(*b), ty),
        Value::Text(t) => literal(Literal::Text(t), ty),
        Value::Integer(i) => literal(Literal::Number(&i.to_string()), ty),
        Value::Decimal(d) => literal(Literal::Number(&d.to_string()), ty),
        other => convert(other.clone(), ty).map_err(|_| format!("{} where {} is expected", kind(other), noun(ty))),
    }
}

/// Reads a uuid in its usual form, with or without braces, in either case. Other forms (without hyphens, `urn:`) are
/// refused, so that a mistyped number is not taken for one.
pub fn uuid(s: &str) -> Option<Uuid> {
    let inner = s.strip_prefix('{').and_then(|s| s.strip_suffix('}')).unwrap_or(s);
    if inner.len() != 36 {
        return None;
    }
    Uuid::try_parse(inner).ok()
}

fn number(n: &str) -> Result<Dec, String> {
    Dec::parse(n).ok_or_else(|| format!("more than {} digits, or no plain number", Dec::MAX_DIGITS))
}

fn noun(ty: &Type) -> String {
    match ty {
        Type::Null => "nothing".into(),
        Type::Choice(_) => "a member of the choice".into(),
        Type::Json => "JSON text".into(),
        Type::Binary => "a binary value".into(),
        other => super::convert::article(&other.to_string()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::value::{Choice, DateTimeKind, Member};

    fn choice() -> Type {
        let members = vec![Member { value: 15, name: "Yes".into() }, Member { value: 16, name: "No".into() }];
        Type::Choice(Choice { members }.into())
    }

    #[test]
    fn typed_by_where_they_stand() {
        use Literal::{Boolean, Null, Number, Text};
        let show = |l, t: &Type| literal(l, t).map(|v| format!("{v:?}")).unwrap_or_else(|e| e);
        let civil = Type::DateTime { kind: DateTimeKind::Civil };
        for (l, ty, expected) in [
            (Null, Type::Date, "Null"),
            (Boolean(true), Type::Boolean, "Boolean(true)"),
            (Boolean(true), Type::Integer, "`true` where an integer is expected"),
            (Text("2026-11-20"), Type::Date, "Date(2026-11-20)"),
            (Text("2026-11-20"), civil, "DateTime(2026-11-20T00:00:00)"),
            (Text("20.11.2026"), Type::Date, "no date of the form '2026-11-20'"),
            (Text("yes"), choice(), "Integer(15)"),
            (Text("maybe"), choice(), "no member of the choice has this name"),
            (Number("16"), choice(), "Integer(16)"),
            (Number("16.0"), choice(), "Integer(16)"),
            (Number("17"), choice(), "no member of the choice has this number"),
            (Text("abc"), Type::Text { max: Some(2) }, "longer than 2 characters"),
            (Text("1"), Type::Integer, "a text where an integer is expected; write the number without quotes"),
            (Number("1"), Type::Text { max: None }, "a number where a text is expected; write it in quotes"),
            (Number("1.5"), Type::Integer, "no integer: not whole"),
            (Number("1.50"), Type::Decimal { limits: Some((5, 2)) }, "Decimal(1.50)"),
            (Number("1.505"), Type::Decimal { limits: Some((5, 2)) }, "longer than 2 digits after the point"),
            (Number("0.1"), Type::Float, "Float(Float(0.1))"),
            (Number("7"), Type::Null, "Integer(7)"),
        ] {
            assert_eq!(show(l, &ty), expected, "{l:?} {ty}");
        }
    }

    #[test]
    fn natural_types() {
        let ty = |l: Literal| l.natural().unwrap().1.to_string();
        assert_eq!(ty(Literal::Number("12")), "integer");
        assert_eq!(ty(Literal::Number("12.50")), "decimal(4,2)");
        assert_eq!(ty(Literal::Number("0.05")), "decimal(2,2)");
        assert_eq!(ty(Literal::Number("99999999999999999999")), "decimal(20,0)");
        assert_eq!(ty(Literal::Text("äöü")), "text(3)");
    }

    #[test]
    fn uuids() {
        assert!(uuid("6f1c2f9e-0b7a-4a53-9c35-1f0e7a8d2b11").is_some());
        assert!(uuid("{6F1C2F9E-0B7A-4A53-9C35-1F0E7A8D2B11}").is_some());
        assert!(uuid("6f1c2f9e0b7a4a539c351f0e7a8d2b11").is_none());
        assert!(uuid("").is_none());
    }
}

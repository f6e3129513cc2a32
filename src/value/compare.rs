//! Comparison in expressions, and the type in which two sides meet.

use super::convert::all_in;
use super::{Collation, Dec, Type, Value};
use std::cmp::Ordering;

/// How two values compare: none where either is null (unknown, in three-valued logic) or where they are of kinds that
/// do not compare. An integer and a decimal compare by value, text by the collation.
pub fn compare(a: &Value, b: &Value, collation: Collation) -> Option<Ordering> {
    Some(match (a, b) {
        (Value::Integer(a), Value::Integer(b)) => a.cmp(b),
        (Value::Decimal(a), Value::Decimal(b)) => a.cmp(b),
        (Value::Integer(a), Value::Decimal(b)) => Dec::from_i64(*a).cmp(b),
        (Value::Decimal(a), Value::Integer(b)) => a.cmp(&Dec::from_i64(*b)),
        (Value::Text(a), Value::Text(b)) => compare_text(a, b, collation),
        (Value::Boolean(a), Value::Boolean(b)) => a.cmp(b),
        (Value::Float(a), Value::Float(b)) => a.get().partial_cmp(&b.get())?,
        (Value::Date(a), Value::Date(b)) => a.cmp(b),
        (Value::DateTime(a), Value::DateTime(b)) => a.cmp(b),
        (Value::Uuid(a), Value::Uuid(b)) => a.cmp(b),
        (Value::Binary(a), Value::Binary(b)) => a.cmp(b),
        _ => return None,
    })
}

/// Text by its Unicode scalar values, ASCII case aside under [`Collation::NoCase`]; never allocates.
pub fn compare_text(a: &str, b: &str, collation: Collation) -> Ordering {
    match collation {
        // The order of UTF-8 is that of the scalar values.
        Collation::Exact => a.cmp(b),
        Collation::NoCase => a.bytes().map(|b| b.to_ascii_lowercase()).cmp(b.bytes().map(|b| b.to_ascii_lowercase())),
    }
}

/// The type in which both sides of a comparison, or the arms of a `case`, meet without loss; none where there is none.
/// Null meets everything; integer and decimal meet as decimal; texts in the longer; choices in the one that has the
/// other's members.
pub fn common(a: &Type, b: &Type) -> Option<Type> {
    Some(match (a, b) {
        (a, b) if a == b => a.clone(),
        (Type::Null, x) | (x, Type::Null) => x.clone(),
        (Type::Text { max: a }, Type::Text { max: b }) => Type::Text { max: a.zip(*b).map(|(a, b)| a.max(b)) },
        (Type::Decimal { limits: a }, Type::Decimal { limits: b }) => Type::Decimal { limits: wider(*a, *b) },
        (Type::Integer, Type::Decimal { limits }) | (Type::Decimal { limits }, Type::Integer) => {
            Type::Decimal { limits: wider(Some((19, 0)), *limits) }
        }
        (Type::Choice(x), Type::Choice(y)) if all_in(x, y) => b.clone(),
        (Type::Choice(x), Type::Choice(y)) if all_in(y, x) => a.clone(),
        _ => return None,
    })
}

/// Limits that hold both; none (any decimal) where one has none or they do not fit 76 digits.
fn wider(a: Option<(u8, u8)>, b: Option<(u8, u8)>) -> Option<(u8, u8)> {
    let ((p1, s1), (p2, s2)) = a.zip(b)?;
    let scale = s1.max(s2);
    let precision = p1.saturating_sub(s1).max(p2.saturating_sub(s2)).checked_add(scale)?;
    (u64::from(precision) <= Dec::MAX_DIGITS).then_some((precision, scale))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::value::{Choice, DateTimeKind, Member};

    #[test]
    fn compares_by_value() {
        let dec = |s| Dec::parse(s).map_or(Value::Null, Value::Decimal);
        let cmp = |a: &Value, b: &Value| compare(a, b, Collation::Exact);
        assert_eq!(cmp(&Value::Integer(3), &dec("3.00")), Some(Ordering::Equal));
        assert_eq!(cmp(&dec("2.99"), &Value::Integer(3)), Some(Ordering::Less));
        assert_eq!(cmp(&Value::Null, &Value::Null), None);
        assert_eq!(cmp(&Value::Integer(1), &Value::text("1")), None);
        assert_eq!(cmp(&Value::text("a"), &Value::text("A")), Some(Ordering::Greater));
        assert_eq!(compare(&Value::text("aB"), &Value::text("Ab"), Collation::NoCase), Some(Ordering::Equal));
        assert_eq!(compare(&Value::text("Ä"), &Value::text("ä"), Collation::NoCase), Some(Ordering::Less));
    }

    #[test]
    fn meets() {
        let text = |max| Type::Text { max };
        let dec = |p, s| Type::Decimal { limits: Some((p, s)) };
        let choice = |numbers: &[i64]| {
            let members = numbers.iter().map(|&value| Member { value, name: format!("m{value}") }).collect();
            Type::Choice(Choice { members }.into())
        };
        assert_eq!(common(&Type::Null, &Type::Date), Some(Type::Date));
        assert_eq!(common(&text(Some(5)), &text(Some(9))), Some(text(Some(9))));
        assert_eq!(common(&text(Some(5)), &text(None)), Some(text(None)));
        assert_eq!(common(&Type::Integer, &dec(10, 4)), Some(dec(23, 4)));
        assert_eq!(common(&dec(32, 6), &dec(20, 16)), Some(dec(42, 16)));
        assert_eq!(common(&dec(76, 0), &dec(20, 16)), Some(Type::Decimal { limits: None }));
        assert_eq!(common(&choice(&[1]), &choice(&[1, 2])), Some(choice(&[1, 2])));
        assert_eq!(common(&choice(&[1, 3]), &choice(&[1, 2])), None);
        assert_eq!(common(&Type::Integer, &text(None)), None);
        let kinds = [DateTimeKind::Civil, DateTimeKind::Instant].map(|kind| Type::DateTime { kind });
        assert_eq!(common(&kinds[0], &kinds[1]), None);
    }
}

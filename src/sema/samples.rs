//! Values to try a line with: for each type those at which transforms are known to lose something.

use super::expr::{Expr, Otherwise};
use crate::value::{Collation, Date, DateTime, Dec, Float, Type, Value, compare, convert, parse_datetime, uuid};
use std::cmp::Ordering;

const TEXTS: &[&str] = &[
    "abc",
    "Abc",
    "ABC",
    " abc",
    "abc ",
    "",
    "7",
    "007",
    "1.5",
    "1.50",
    "true",
    "TRUE",
    "yes",
    "1",
    "0",
    "2026-11-20",
    "2026-11-20T10:30:00",
    "2026-11-20 10:30",
    "6f1c2f9e-0b7a-4a53-9c35-1f0e7a8d2b11",
    "6F1C2F9E-0B7A-4A53-9C35-1F0E7A8D2B11",
    "a much longer text, with more than sixty characters in it, and an end",
    "a much longer text, with more than sixty characters in it, and another end",
];

const INTEGERS: &[i64] = &[7, -7, 0, 1, 2, 12, 10, 1900, 1_234_567, -9_999_999_999, i64::MAX, i64::MIN];

const DECIMALS: &[&str] = &[
    "1.005",
    "1.5",
    "-1.5",
    "0",
    "1",
    "7",
    "0.1",
    "1.49",
    "-1",
    "0.0001",
    "0.000001",
    "12345678.12",
    "123456789012345678.12",
    "0.1234567890123456",
    "1234567890.123456",
];

const TIMES: &[&str] = &[
    "2026-11-20T10:30:15",
    "2026-11-20T00:00:00",
    "2026-11-20T23:30:00",
    "2026-10-25T00:30:00",
    "2026-10-25T01:30:00",
    "2026-10-25T02:30:00",
    "2026-03-29T02:30:00",
    "2026-11-20T10:30:15.123456",
    "1900-01-01T00:00:00",
];

const DATES: &[(i16, i8, i8)] =
    &[(2026, 11, 20), (2026, 1, 31), (2024, 2, 29), (2026, 2, 28), (1900, 1, 1), (1970, 1, 1), (9999, 12, 31)];

/// Values of a type, the ones a person knows first. All members of a choice.
pub(super) fn samples(ty: &Type) -> Vec<Value> {
    let all: Vec<Value> = match ty {
        Type::Null => vec![],
        Type::Text { max } => {
            let mut all: Vec<Value> = TEXTS.iter().map(Value::text).collect();
            if let Some(n) = max.filter(|n| *n <= 4000) {
                all.push(Value::text("x".repeat(n as usize)));
            }
            all
        }
        Type::Json => ["{\"a\": 1}", "{\"a\":1}", "[]"].iter().map(Value::text).collect(),
        Type::Integer => INTEGERS.iter().map(|i| Value::Integer(*i)).collect(),
        Type::Decimal { .. } => DECIMALS.iter().filter_map(|d| Dec::parse(d)).map(Value::Decimal).collect(),
        Type::Float => [0.1, 1.5, -2.0, 0.0, 1e-7, 12_345_678.9, 1e15]
            .into_iter()
            .filter_map(Float::new)
            .map(Value::Float)
            .collect(),
        Type::Boolean => vec![Value::Boolean(true), Value::Boolean(false)],
        Type::Date => dates().map(Value::Date).collect(),
        Type::DateTime { .. } => times().map(Value::DateTime).collect(),
        Type::Uuid => uuid(TEXTS[18]).map(Value::Uuid).into_iter().collect(),
        Type::Choice(c) => c.members.iter().map(|m| Value::Integer(m.value)).collect(),
        Type::Binary => vec![Value::Binary(Box::new([0, 1]))],
    };
    all.into_iter().filter(|v| valid(v, ty)).collect()
}

fn dates() -> impl Iterator<Item = Date> {
    DATES.iter().filter_map(|(y, m, d)| Date::new(*y, *m, *d).ok())
}

fn times() -> impl Iterator<Item = DateTime> {
    TIMES.iter().filter_map(|t| parse_datetime(t))
}

/// Whether a column of that type can hold the value as it is.
pub(super) fn valid(v: &Value, ty: &Type) -> bool {
    match (v, ty) {
        (Value::Null, _) => true,
        (v, ty) => convert(v.clone(), ty).is_ok_and(|c| c == *v),
    }
}

/// Values that an expression names: keys and results of its value maps, constants.
pub(super) fn named(e: &Expr, out: &mut Vec<Value>) {
    match e {
        Expr::Constant(v) => out.push(v.clone()),
        Expr::Slot(_) | Expr::FirstFound(_) | Expr::Related(_) => {}
        Expr::Call(_, items) | Expr::And(items) | Expr::Or(items) => items.iter().for_each(|x| named(x, out)),
        Expr::Negate(x) | Expr::Not(x) | Expr::IsNull(x) | Expr::Like(x, _, _) | Expr::Convert(x, _) => named(x, out),
        Expr::In(x, _, items) => {
            named(x, out);
            out.extend(items.iter().cloned());
        }
        Expr::Default(x, v) => {
            named(x, out);
            out.push(v.clone());
        }
        Expr::Compare(_, _, a, b) | Expr::Arithmetic(_, a, b) => {
            named(a, out);
            named(b, out);
        }
        Expr::Case(arms, otherwise) => {
            for (c, r) in arms {
                named(c, out);
                named(r, out);
            }
            otherwise.iter().for_each(|x| named(x, out));
        }
        Expr::Map(m) => {
            named(&m.of, out);
            // In one order, so that a finding names the same values each time.
            let (mut from, mut to): (Vec<Value>, Vec<Value>) = m.pairs.clone().into_iter().unzip();
            for values in [&mut from, &mut to] {
                values.sort_by(|a, b| compare(a, b, Collation::Exact).unwrap_or(Ordering::Equal));
            }
            out.extend(from);
            out.extend(to);
            if let Otherwise::Value(v) = &m.otherwise {
                out.push(v.clone());
            }
        }
    }
}

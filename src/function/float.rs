//! `float`: The float nearest to a number, or to the number that a text is.

use super::support::{number, or_null, shown};
use super::{Function, NullRule, decimal};
use crate::value::{Float, Type, Value};

pub(super) static F: Function = Function {
    name: "float",
    signature: "float(x) -> float",
    doc: "The float nearest to a number, or to the number that a text is. Only for columns that are floats: most \
          decimals have no exact float.",
    arity: (1, 1),
    takes: &[decimal::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Float),
    call: |_, a| match &a[0] {
        Value::Float(f) => Ok(Value::Float(*f)),
        Value::Text(t) => read(t).map(Value::Float).ok_or_else(|| format!("{} is no number", shown(t))),
        other => Ok(or_null(Float::new(number(other)?.to_f64()).map(Value::Float))),
    },
    inverse: Some(|a| match a.first()?.ty {
        Type::Float => Some(("float", vec![])),
        _ => None,
    }),
    examples: &[("decimal(float(0.1))", "0.1"), ("decimal(float('2.50'))", "2.5")],
};

/// Digits and a point, of any length: the text form of a very small float is long.
fn read(t: &str) -> Option<Float> {
    let body = t.strip_prefix('-').unwrap_or(t);
    let (int, frac) = body.split_once('.').unwrap_or((body, "0"));
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    if !digits(int) || !digits(frac) {
        return None;
    }
    Float::new(t.parse().ok()?)
}

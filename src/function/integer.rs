//! `integer`: The whole number that a text (`-12`, digits only), a decimal or a float is; the number of a choice's
//! member.

use super::support::{shown, text};
use super::{Function, Kind, NullRule, Reason, Takes};
use crate::value::{Dec, Type, Value};

pub(super) static F: Function = Function {
    name: "integer",
    signature: "integer(x) -> integer",
    doc: "The whole number that a text (`-12`, digits only), a decimal or a float is; the number of a choice's \
          member. Digits after the point other than 0 are an error: round first.",
    arity: (1, 1),
    takes: &[TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| read(&a[0]),
    inverse: Some(|a| match a.first()?.ty {
        Type::Integer => Some(("integer", vec![])),
        Type::Decimal { .. } => Some(("decimal", vec![])),
        // A text has more than one spelling of a number: 7, 07.
        _ => None,
    }),
    examples: &[("integer('-12')", "-12"), ("integer(3.00)", "3")],
};

pub(super) const TAKES: Takes =
    Takes::new(&[Kind::Text, Kind::Integer, Kind::Decimal, Kind::Float, Kind::Choice], "text, a number or a choice");

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    let large = || "too large for an integer".to_string();
    let whole = |d: Dec| match d.to_i64() {
        Some(i) => Ok(Value::Integer(i)),
        None if d.fits_scale(0) => Err(large()),
        None => Err(format!("`{d}` is no whole number; round it first")),
    };
    match v {
        Value::Integer(i) => Ok(Value::Integer(*i)),
        Value::Decimal(d) => whole(d.clone()),
        Value::Float(f) => whole(Dec::from_f64_shortest(f.get()).ok_or_else(large)?),
        other => {
            let t = text(other)?;
            let digits = t.strip_prefix('-').unwrap_or(t);
            if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
                return Err(format!("{} is no whole number", shown(t)));
            }
            t.parse().map(Value::Integer).map_err(|_| large())
        }
    }
}

//! `abs`: The number without its sign.

use super::support::{number, or_null};
use super::{Function, Kind, NullRule, Takes};
use crate::value::{Float, Value};

pub(super) static F: Function = Function {
    name: "abs",
    signature: "abs(number) -> number",
    doc: "The number without its sign.",
    arity: (1, 1),
    takes: &[ANY_NUMBER],
    nulls: NullRule::Strict,
    typed: |a| Ok(F.accept(a)?.swap_remove(0).ty),
    call: |_, a| match &a[0] {
        Value::Integer(i) => {
            i.checked_abs().map(Value::Integer).ok_or_else(|| "the result is too large for an integer".into())
        }
        Value::Float(f) => Ok(or_null(Float::new(f.get().abs()).map(Value::Float))),
        other => Ok(Value::Decimal(number(other)?.abs())),
    },
    inverse: None,
    examples: &[("abs(-2.50)", "2.50"), ("abs(null)", "null")],
};

const ANY_NUMBER: Takes = Takes::new(&[Kind::Integer, Kind::Decimal, Kind::Float], "a number");

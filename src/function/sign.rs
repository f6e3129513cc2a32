//! `sign`: the sign of a number.

use super::support::number;
use super::{Function, Kind, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "sign",
    signature: "sign(number) -> integer",
    doc: "-1, 0 or 1.",
    arity: (1, 1),
    takes: &[ANY_NUMBER],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| {
        Ok(Value::Integer(match &a[0] {
            Value::Float(f) => i64::from(f.get() > 0.0) - i64::from(f.get() < 0.0),
            other => number(other)?.signum().into(),
        }))
    },
    inverse: None,
    examples: &[("sign(-2.5)", "-1"), ("sign(0.00)", "0")],
};

const ANY_NUMBER: Takes = Takes::new(&[Kind::Integer, Kind::Decimal, Kind::Float], "a number");

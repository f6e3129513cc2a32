//! `length`: The number of characters (Unicode scalar values, not bytes).

use super::support::text;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "length",
    signature: "length(text) -> integer",
    doc: "The number of characters (Unicode scalar values, not bytes).",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| Ok(Value::Integer(i64::try_from(text(&a[0])?.chars().count()).unwrap_or(i64::MAX))),
    inverse: None,
    examples: &[("length('äöü')", "3"), ("length('')", "0"), ("length(null)", "null")],
};

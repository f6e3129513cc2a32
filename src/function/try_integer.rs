//! `try_integer`: `integer` or null.

use super::{Function, NullRule, integer};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "try_integer",
    signature: "try_integer(x) -> integer",
    doc: "As `integer(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[integer::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| Ok(integer::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[("try_integer('12')", "12"), ("try_integer('x')", "null"), ("try_integer('1.5')", "null")],
};

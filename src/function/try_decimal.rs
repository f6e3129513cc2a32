//! `try_decimal`: `decimal` or null.

use super::{Function, NullRule, decimal};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "try_decimal",
    signature: "try_decimal(x) -> decimal",
    doc: "As `decimal(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[decimal::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Decimal { limits: None }),
    call: |_, a| Ok(decimal::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[("try_decimal('12.50')", "12.5"), ("try_decimal('12,50')", "null")],
};

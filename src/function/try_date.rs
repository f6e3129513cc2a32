//! `try_date`: `date` or null.

use super::{Function, NullRule, Takes, date};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "try_date",
    signature: "try_date(x) -> date",
    doc: "As `date(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Date),
    call: |_, a| Ok(date::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[("try_date('2026-11-20')", "date('2026-11-20')"), ("try_date('2026-02-30')", "null")],
};

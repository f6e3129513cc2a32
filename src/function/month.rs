//! `month`: the month of a date.

use super::calendar::day_of;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "month",
    signature: "month(date) -> integer",
    doc: "The month, 1 to 12.",
    arity: (1, 1),
    takes: &[Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| Ok(Value::Integer(day_of(&a[0])?.month().into())),
    inverse: None,
    examples: &[("month(date('2026-11-20'))", "11"), ("month('2026-11-20')", "11")],
};

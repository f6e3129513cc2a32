//! `day`: the day of a date.

use super::calendar::day_of;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "day",
    signature: "day(date) -> integer",
    doc: "The day of the month, 1 to 31.",
    arity: (1, 1),
    takes: &[Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| Ok(Value::Integer(day_of(&a[0])?.day().into())),
    inverse: None,
    examples: &[("day(date('2026-11-20'))", "20"), ("day('2026-11-20')", "20")],
};

//! `year`: the year of a date.

use super::calendar::day_of;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "year",
    signature: "year(date) -> integer",
    doc: "The year.",
    arity: (1, 1),
    takes: &[Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| Ok(Value::Integer(day_of(&a[0])?.year().into())),
    inverse: None,
    examples: &[("year(date('2026-11-20'))", "2026"), ("year('2026-11-20')", "2026")],
};

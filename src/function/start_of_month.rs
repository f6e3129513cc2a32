//! `start_of_month`: The first day of its month.

use super::calendar::day_of;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "start_of_month",
    signature: "start_of_month(date) -> date",
    doc: "The first day of its month.",
    arity: (1, 1),
    takes: &[Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Date),
    call: |_, a| Ok(Value::Date(day_of(&a[0])?.first_of_month())),
    inverse: None,
    examples: &[("start_of_month(date('2026-11-20'))", "date('2026-11-01')")],
};

//! `end_of_month`: The last day of its month.

use super::calendar::day_of;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "end_of_month",
    signature: "end_of_month(date) -> date",
    doc: "The last day of its month.",
    arity: (1, 1),
    takes: &[Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Date),
    call: |_, a| Ok(Value::Date(day_of(&a[0])?.last_of_month())),
    inverse: None,
    examples: &[("end_of_month(date('2024-02-05'))", "date('2024-02-29')")],
};

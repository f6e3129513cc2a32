//! `days_between`: The number of days from the first date to the second; negative if that is earlier.

use super::calendar::{day_of, out_of_range};
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "days_between",
    signature: "days_between(from, to) -> integer",
    doc: "The number of days from the first date to the second; negative if that is earlier. Times of day do not \
          count.",
    arity: (2, 2),
    takes: &[Takes::DAY, Takes::DAY],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Integer),
    call: |_, a| {
        let span = day_of(&a[0])?.until(day_of(&a[1])?).map_err(|_| out_of_range())?;
        Ok(Value::Integer(span.get_days().into()))
    },
    inverse: None,
    examples: &[
        ("days_between(date('2026-02-27'), date('2026-03-01'))", "2"),
        ("days_between('2026-03-01', '2026-02-27')", "-2"),
    ],
};

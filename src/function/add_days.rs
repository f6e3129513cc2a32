//! `add_days`: So many days later; earlier, if negative.

use super::calendar::{out_of_range, same_or_date, shift};
use super::support::int;
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "add_days",
    signature: "add_days(date, days) -> date",
    doc: "So many days later; earlier, if negative. A datetime keeps its time.",
    arity: (2, 2),
    takes: &[Takes::DAY, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| Ok(same_or_date(&F.accept(a)?[0].ty)),
    call: |_, a| {
        let days = jiff::Span::new().try_days(int(&a[1])?).map_err(|_| out_of_range())?;
        shift(&a[0], days)
    },
    inverse: Some(|a| match a.get(1)?.literal {
        Some(Value::Integer(days)) => Some(("add_days", vec![Value::Integer(days.checked_neg()?)])),
        _ => None,
    }),
    examples: &[
        ("add_days(date('2026-02-27'), 2)", "date('2026-03-01')"),
        ("add_days(date('2026-03-01'), -1)", "date('2026-02-28')"),
    ],
};

//! `add_months`: So many months later; earlier, if negative.

use super::calendar::{out_of_range, same_or_date, shift};
use super::support::int;
use super::{Function, NullRule, Takes};

pub(super) static F: Function = Function {
    name: "add_months",
    signature: "add_months(date, months) -> date",
    doc: "So many months later; earlier, if negative. Where that month is too short it is its last day. A datetime \
          keeps its time.",
    arity: (2, 2),
    takes: &[Takes::DAY, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| Ok(same_or_date(&F.accept(a)?[0].ty)),
    call: |_, a| {
        let months = jiff::Span::new().try_months(int(&a[1])?).map_err(|_| out_of_range())?;
        shift(&a[0], months)
    },
    inverse: None,
    examples: &[
        ("add_months(date('2026-01-31'), 1)", "date('2026-02-28')"),
        ("add_months(date('2026-11-20'), -12)", "date('2025-11-20')"),
    ],
};

//! `least`: The smallest argument.

use super::{Function, NullRule, Takes};
use crate::value::{Collation, compare};

pub(super) static F: Function = Function {
    name: "least",
    signature: "least(a, b, …) -> their type",
    doc: "The smallest argument. Null where any is null, as in standard SQL. Texts compare by their characters, \
          whatever a column's collation.",
    arity: (1, usize::MAX),
    takes: &[Takes::MEETING],
    nulls: NullRule::Strict,
    typed: |a| F.meeting_type(&F.accept(a)?),
    call: |_, a| {
        let mut best = &a[0];
        for v in &a[1..] {
            if compare(v, best, Collation::Exact).is_some_and(|o| o.is_lt()) {
                best = v;
            }
        }
        Ok(best.clone())
    },
    inverse: None,
    examples: &[
        ("least(3, 2.5, 7)", "2.5"),
        ("least(1, null)", "null"),
        ("least(date('2026-11-20'), '2026-01-01')", "date('2026-01-01')"),
    ],
};

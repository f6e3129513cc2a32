//! `nullif`: Null where both are equal, else `a`.

use super::{Function, NullRule, Takes};
use crate::value::{Collation, Value, compare};

pub(super) static F: Function = Function {
    name: "nullif",
    signature: "nullif(a, b) -> type of a",
    doc: "Null where both are equal, else `a`. Texts compare by their characters, whatever a column's collation.",
    arity: (2, 2),
    takes: &[Takes::MEETING, Takes::MEETING],
    nulls: NullRule::Own,
    typed: |a| Ok(F.accept(a)?.swap_remove(0).ty),
    call: |_, a| {
        let equal = compare(&a[0], &a[1], Collation::Exact).is_some_and(|o| o.is_eq());
        Ok(if equal { Value::Null } else { a[0].clone() })
    },
    inverse: None,
    examples: &[("nullif('', '')", "null"), ("nullif(7, 7.0)", "null"), ("nullif('a', null)", "'a'")],
};

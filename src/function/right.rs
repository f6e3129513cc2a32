//! `right`: The last `length` characters.

use super::support::{after, count, literal_count, max, text, text_type, tighter};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "right",
    signature: "right(text, length) -> text",
    doc: "The last `length` characters.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        Ok(text_type(tighter(max(&a[0]), literal_count(a.get(1), 0, "length")?)))
    },
    call: |_, a| {
        let t = text(&a[0])?;
        let length = count(&a[1], "length")?;
        Ok(Value::text(after(t, t.chars().count().saturating_sub(length))))
    },
    inverse: None,
    examples: &[("right('äöü', 2)", "'öü'"), ("right('ab', 5)", "'ab'")],
};

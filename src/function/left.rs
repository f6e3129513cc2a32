//! `left`: The first `length` characters.

use super::support::{count, first, literal_count, max, text, text_type, tighter};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "left",
    signature: "left(text, length) -> text",
    doc: "The first `length` characters.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        Ok(text_type(tighter(max(&a[0]), literal_count(a.get(1), 0, "length")?)))
    },
    call: |_, a| Ok(Value::text(first(text(&a[0])?, count(&a[1], "length")?))),
    inverse: None,
    examples: &[("left('äöü', 2)", "'äö'"), ("left('ab', 5)", "'ab'")],
};

//! `truncate`: The text cut to at most `length` characters: the one way to say that a longer text may lose its end.

use super::support::{count, first, literal_count, max, text, text_type, tighter};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "truncate",
    signature: "truncate(text, length) -> text",
    doc: "The text cut to at most `length` characters: the one way to say that a longer text may lose its end. With \
          a literal length the result is `text(length)`.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        Ok(text_type(tighter(max(&a[0]), literal_count(a.get(1), 0, "length")?)))
    },
    call: |_, a| {
        let t = text(&a[0])?;
        let cut = first(t, count(&a[1], "length")?);
        Ok(if cut.len() == t.len() { a[0].clone() } else { Value::text(cut) })
    },
    inverse: None,
    examples: &[("truncate('a long description', 6)", "'a long'"), ("truncate('abc', 6)", "'abc'")],
};

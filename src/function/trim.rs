//! `trim`: The text without blanks on both sides, of any kind of Unicode blank, line breaks too.

use super::support::{max, text, text_type};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "trim",
    signature: "trim(text) -> text",
    doc: "The text without blanks on both sides, of any kind of Unicode blank, line breaks too. An all-blank text \
          becomes `''`, not null.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|a| text_type(max(&a[0]))),
    call: |_, a| Ok(Value::text(text(&a[0])?.trim())),
    inverse: None,
    examples: &[("trim(' a b ')", "'a b'"), ("trim(' ')", "''")],
};

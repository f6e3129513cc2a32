//! `lower`: The text in small letters, letter by letter: the length stays, so a letter without a single small form
//! (`İ`) stays as it is.

use super::support::{max, recase, text, text_type};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "lower",
    signature: "lower(text) -> text",
    doc: "The text in small letters, letter by letter: the length stays, so a letter without a single small form \
          (`İ`) stays as it is.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|a| text_type(max(&a[0]))),
    call: |_, a| {
        let t = text(&a[0])?;
        if t.is_ascii() {
            Ok(Value::text(t.to_ascii_lowercase()))
        } else {
            Ok(Value::text(recase(t, char::to_lowercase)))
        }
    },
    inverse: None,
    examples: &[("lower('ÄB-7')", "'äb-7'"), ("lower(null)", "null")],
};

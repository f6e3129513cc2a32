//! `upper`: The text in capital letters, letter by letter: the length stays, so a letter without a single capital
//! form (`ß`) stays as it is.

use super::support::{max, recase, text, text_type};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "upper",
    signature: "upper(text) -> text",
    doc: "The text in capital letters, letter by letter: the length stays, so a letter without a single capital form \
          (`ß`) stays as it is.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|a| text_type(max(&a[0]))),
    call: |_, a| {
        let t = text(&a[0])?;
        if t.is_ascii() {
            Ok(Value::text(t.to_ascii_uppercase()))
        } else {
            Ok(Value::text(recase(t, char::to_uppercase)))
        }
    },
    inverse: None,
    examples: &[("upper('Straße äb')", "'STRAßE ÄB'"), ("upper(null)", "null")],
};

//! `substring`: The characters from position `start` (the first is 1), `length` of them or, without a length, all
//! that follow.

use super::support::{after, count, first, int, literal_count, max, text, text_type, tighter};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "substring",
    signature: "substring(text, start, length) -> text",
    doc: "The characters from position `start` (the first is 1), `length` of them or, without a length, all that \
          follow. Beyond the end there is nothing, which is no error; a start below 1 or a negative length is.",
    arity: (2, 3),
    takes: &[Takes::TEXT, Takes::INTEGER, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        literal_count(a.get(1), 1, "start")?;
        Ok(text_type(tighter(max(&a[0]), literal_count(a.get(2), 0, "length")?)))
    },
    call: |_, a| {
        let start = int(&a[1])?;
        if start < 1 {
            return Err("the start must be at least 1".into());
        }
        let rest = after(text(&a[0])?, usize::try_from(start - 1).unwrap_or(usize::MAX));
        Ok(Value::text(match a.get(2) {
            Some(length) => first(rest, count(length, "length")?),
            None => rest,
        }))
    },
    inverse: None,
    examples: &[
        ("substring('invoice', 3, 4)", "'voic'"),
        ("substring('invoice', 6)", "'ce'"),
        ("substring('äöü', 2, 9)", "'öü'"),
        ("substring('abc', 7, 1)", "''"),
    ],
};

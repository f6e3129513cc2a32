//! `concat`: The arguments one after the other.

use super::support::{check_size, text_form, text_len, text_type};
use super::{Function, Kind, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "concat",
    signature: "concat(a, b, …) -> text",
    doc: "The arguments one after the other. Integers, decimals and uuids stand in their text form. Null makes the \
          result null, as `||` does in SQL; write `coalesce(x, '')` where null should count as nothing.",
    arity: (1, usize::MAX),
    takes: &[TEXTUAL],
    nulls: NullRule::Strict,
    typed: |a| {
        let lengths = F.accept(a)?;
        let sum = lengths.iter().try_fold(0u32, |sum, a| sum.checked_add(text_len(&a.ty)?));
        Ok(text_type(sum))
    },
    call: |_, a| {
        let mut out = String::new();
        for v in a {
            let t = text_form(v)?;
            check_size(out.len() + t.len())?;
            out.push_str(&t);
        }
        Ok(Value::text(out))
    },
    inverse: None,
    examples: &[
        ("concat('A-', 7, '-', 1.50)", "'A-7-1.5'"),
        ("concat('a', null)", "null"),
        ("concat('a', coalesce(null, ''))", "'a'"),
    ],
};

const TEXTUAL: Takes =
    Takes::new(&[Kind::Text, Kind::Integer, Kind::Decimal, Kind::Uuid], "text, an integer, a decimal or a uuid");

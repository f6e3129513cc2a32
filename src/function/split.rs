//! `split`: The `n`-th part (the first is 1) of the text cut at every `separator`; null where there is no such part.

use super::support::{int, literal_count, max, or_null, text, text_type};
use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "split",
    signature: "split(text, separator, n) -> text",
    doc: "The `n`-th part (the first is 1) of the text cut at every `separator`; null where there is no such part.",
    arity: (3, 3),
    takes: &[Takes::TEXT, Takes::TEXT, Takes::INTEGER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        literal_count(a.get(2), 1, "number of the part")?;
        Ok(text_type(max(&a[0])))
    },
    call: |_, a| {
        let (t, separator, n) = (text(&a[0])?, text(&a[1])?, int(&a[2])?);
        if separator.is_empty() {
            return Err("the separator must not be empty".into());
        }
        if n < 1 {
            return Err("the number of the part must be at least 1".into());
        }
        let n = usize::try_from(n - 1).unwrap_or(usize::MAX);
        Ok(or_null(t.split(separator).nth(n).map(Value::text)))
    },
    inverse: None,
    examples: &[("split('a;b;c', ';', 2)", "'b'"), ("split('a;;c', ';', 2)", "''"), ("split('a', ';', 2)", "null")],
};

//! `ends_with`: Whether the text ends in `part`.

use super::support::text;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "ends_with",
    signature: "ends_with(text, part) -> boolean",
    doc: "Whether the text ends in `part`. Letters of another case are other letters, whatever a column's collation; \
          put `lower()` around both where they are not.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Boolean),
    call: |_, a| Ok(Value::Boolean(text(&a[0])?.ends_with(text(&a[1])?))),
    inverse: None,
    examples: &[("ends_with('a.pdf', '.pdf')", "true"), ("ends_with('a', '')", "true")],
};

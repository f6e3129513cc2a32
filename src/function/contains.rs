//! `contains`: Whether the text contains `part`.

use super::support::text;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "contains",
    signature: "contains(text, part) -> boolean",
    doc: "Whether the text contains `part`. Letters of another case are other letters, whatever a column's \
          collation; put `lower()` around both where they are not.",
    arity: (2, 2),
    takes: &[Takes::TEXT, Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Boolean),
    call: |_, a| Ok(Value::Boolean(text(&a[0])?.contains(text(&a[1])?))),
    inverse: None,
    examples: &[("contains('invoice', 'voi')", "true"), ("contains(null, 'a')", "null")],
};

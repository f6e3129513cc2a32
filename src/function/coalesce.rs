//! `coalesce`: The first argument that is not null; null if all are.

use super::{Function, NullRule, Takes};

pub(super) static F: Function = Function {
    name: "coalesce",
    signature: "coalesce(a, b, …) -> their type",
    doc: "The first argument that is not null; null if all are.",
    arity: (1, usize::MAX),
    takes: &[Takes::MEETING],
    nulls: NullRule::Own,
    typed: |a| F.meeting_type(&F.accept(a)?),
    call: |_, a| Ok(a.iter().find(|v| !v.is_null()).cloned().unwrap_or_default()),
    inverse: None,
    examples: &[("coalesce(null, 'a', 'b')", "'a'"), ("coalesce(null, null)", "null")],
};

//! `try_boolean`: `boolean` or null.

use super::{Function, NullRule, boolean};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "try_boolean",
    signature: "try_boolean(x) -> boolean",
    doc: "As `boolean(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[boolean::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Boolean),
    call: |_, a| Ok(boolean::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[("try_boolean('no')", "false"), ("try_boolean('perhaps')", "null")],
};

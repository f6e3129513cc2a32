//! `if`: `a` where the condition is true, else `b`, also where it is null.

use super::{Function, NullRule, Takes};
use crate::value::Value;

pub(super) static F: Function = Function {
    name: "if",
    signature: "if(condition, a, b) -> their type",
    doc: "`a` where the condition is true, else `b`, also where it is null. Only the one taken is computed.",
    arity: (3, 3),
    takes: &[Takes::BOOLEAN, Takes::MEETING, Takes::MEETING],
    nulls: NullRule::Own,
    typed: |a| F.meeting_type(&F.accept(a)?),
    call: |_, a| Ok(if a[0] == Value::Boolean(true) { a[1].clone() } else { a[2].clone() }),
    inverse: None,
    examples: &[("if(true, 'a', 'b')", "'a'"), ("if(null, 1, 2.5)", "2.5")],
};

//! `try_uuid`: `uuid` or null.

use super::{Function, NullRule, uuid};
use crate::value::Type;

pub(super) static F: Function = Function {
    name: "try_uuid",
    signature: "try_uuid(x) -> uuid",
    doc: "As `uuid(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[uuid::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Uuid),
    call: |_, a| Ok(uuid::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[
        ("try_uuid('6f1c2f9e-0b7a-4a53-9c35-1f0e7a8d2b11')", "uuid('6f1c2f9e-0b7a-4a53-9c35-1f0e7a8d2b11')"),
        ("try_uuid('none')", "null"),
    ],
};

//! `try_datetime`: `datetime` or null.

use super::{Function, NullRule, Takes, datetime};
use crate::value::{DateTimeKind, Type};

pub(super) static F: Function = Function {
    name: "try_datetime",
    signature: "try_datetime(x) -> datetime",
    doc: "As `datetime(x)`, but null where that is an error.",
    arity: (1, 1),
    takes: &[Takes::TEXT],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::DateTime { kind: DateTimeKind::Civil }),
    call: |_, a| Ok(datetime::read(&a[0]).unwrap_or_default()),
    inverse: None,
    examples: &[
        ("try_datetime('2026-11-20T10:00')", "datetime('2026-11-20T10:00:00')"),
        ("try_datetime('soon')", "null"),
    ],
};

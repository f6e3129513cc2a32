//! `uuid`: The uuid that a text is, in its usual form of 36 characters, with or without braces, in either case of
//! letters.

use super::support::{shown, text};
use super::{Function, Kind, NullRule, Reason, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "uuid",
    signature: "uuid(x) -> uuid",
    doc: "The uuid that a text is, in its usual form of 36 characters, with or without braces, in either case of \
          letters.",
    arity: (1, 1),
    takes: &[TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Uuid),
    call: |_, a| read(&a[0]),
    inverse: Some(|a| match a.first()?.ty {
        Type::Uuid => Some(("uuid", vec![])),
        // Gives back the usual form in small letters, which is the same uuid.
        Type::Text { .. } => Some(("text", vec![])),
        _ => None,
    }),
    examples: &[("uuid('{6F1C2F9E-0B7A-4A53-9C35-1F0E7A8D2B11}')", "uuid('6f1c2f9e-0b7a-4a53-9c35-1f0e7a8d2b11')")],
};

pub(super) const TAKES: Takes = Takes::new(&[Kind::Text, Kind::Uuid], "text");

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    match v {
        Value::Uuid(u) => Ok(Value::Uuid(*u)),
        other => {
            let t = text(other)?;
            crate::value::uuid(t).map(Value::Uuid).ok_or_else(|| format!("{} is no uuid", shown(t)))
        }
    }
}

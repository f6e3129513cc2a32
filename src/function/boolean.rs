//! `boolean`: True for the texts `true`, `yes`, `1` and the number 1, false for `false`, `no`, `0` and the number 0,
//! in any case of letters; everything else is an error.

use super::support::{shown, text};
use super::{Function, Kind, NullRule, Reason, Takes};
use crate::value::{Type, Value};

pub(super) static F: Function = Function {
    name: "boolean",
    signature: "boolean(x) -> boolean",
    doc: "True for the texts `true`, `yes`, `1` and the number 1, false for `false`, `no`, `0` and the number 0, in \
          any case of letters; everything else is an error. For other words use a value map.",
    arity: (1, 1),
    takes: &[TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Boolean),
    call: |_, a| read(&a[0]),
    inverse: Some(|a| match a.first()?.ty {
        Type::Boolean => Some(("boolean", vec![])),
        _ => None,
    }),
    examples: &[("boolean('Yes')", "true"), ("boolean(0)", "false")],
};

pub(super) const TAKES: Takes =
    Takes::new(&[Kind::Text, Kind::Integer, Kind::Boolean], "text, an integer or a boolean");

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    let is = |t: &str, words: [&str; 3]| words.iter().any(|w| t.eq_ignore_ascii_case(w));
    match v {
        Value::Boolean(b) => Ok(Value::Boolean(*b)),
        Value::Integer(1) => Ok(Value::Boolean(true)),
        Value::Integer(0) => Ok(Value::Boolean(false)),
        Value::Integer(i) => Err(format!("`{i}` is neither 0 nor 1")),
        other => match text(other)? {
            t if is(t, ["true", "yes", "1"]) => Ok(Value::Boolean(true)),
            t if is(t, ["false", "no", "0"]) => Ok(Value::Boolean(false)),
            t => Err(format!("{} is neither true nor false", shown(t))),
        },
    }
}

//! `uuid_of`: a uuid made of its arguments.

use super::support::text_form;
use super::{Function, NullRule, Reason, Takes};
use crate::value::{Type, Uuid, Value};

pub(super) static F: Function = Function {
    name: "uuid_of",
    signature: "uuid_of(a, b, …) -> uuid",
    doc: "A uuid made of its arguments, always the same for the same ones: the version 5 uuid, in the namespace \
          `7c0d4c3e-8f0b-5d55-9a64-2d6b7f3e1a90`, of the arguments' encodings one after the other. An argument is \
          encoded as a letter for its kind, the length of its text form in bytes, a colon and the text form: \
          `t3:abc`, numbers `d3:1.5` without trailing zeros, booleans `b4:true`, dates `D10:2026-11-20`, datetimes \
          `T19:2026-11-20T10:00:00`, uuids `u36:…`, floats `f`, bytes `x` in hexadecimal; null is `n` alone. So \
          null, `''` and `0` give three different uuids, and an integer the same one as the equal decimal.",
    arity: (1, usize::MAX),
    takes: &[Takes::ANY],
    nulls: NullRule::Own,
    typed: |a| F.accept(a).map(|_| Type::Uuid),
    call: |_, a| Ok(Value::Uuid(Uuid::new_v5(&NAMESPACE, encode(a)?.as_bytes()))),
    inverse: None,
    examples: &[
        ("uuid_of('billed', 7)", "uuid('dd80bb4c-a5c3-5f6a-9eb5-708f3e5528fa')"),
        ("uuid_of('billed', 7.00)", "uuid('dd80bb4c-a5c3-5f6a-9eb5-708f3e5528fa')"),
        ("uuid_of(null)", "uuid('c8e1764e-d026-5b28-82d7-e874b1d2cad0')"),
        ("uuid_of('')", "uuid('8d4614ec-09e4-57b5-96c2-d237595a4fa6')"),
    ],
};

/// Fixed for ever: rows in users' stores bear uuids made in it.
const NAMESPACE: Uuid = Uuid::from_u128(0x7c0d4c3e_8f0b_5d55_9a64_2d6b7f3e1a90);

/// One text for one list of arguments: kinds and lengths are said, so no two lists share one.
fn encode(args: &[Value]) -> Result<String, Reason> {
    use std::fmt::Write;
    let mut out = String::new();
    for v in args {
        let kind = match v {
            Value::Null => {
                out.push('n');
                continue;
            }
            Value::Text(_) => 't',
            Value::Integer(_) | Value::Decimal(_) => 'd',
            Value::Boolean(_) => 'b',
            Value::Float(_) => 'f',
            Value::Date(_) => 'D',
            Value::DateTime(_) => 'T',
            Value::Uuid(_) => 'u',
            Value::Binary(bytes) => {
                // Writing to a String does not fail.
                let _ = write!(out, "x{}:", bytes.len() * 2);
                let _ = bytes.iter().try_for_each(|b| write!(out, "{b:02x}"));
                continue;
            }
        };
        let form = text_form(v)?;
        let _ = write!(out, "{kind}{}:{form}", form.len());
    }
    Ok(out)
}

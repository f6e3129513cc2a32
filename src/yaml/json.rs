//! The tree as JSON, for JSON Schema.

use super::{Kind, Node, Plain, resolve};
use serde_json::{Map, Value};

/// The node as JSON under YAML 1.2's core rules. The last of duplicate keys stands; a number JSON cannot hold exactly
/// is taken as nearest it can.
pub fn to_json(node: &Node) -> Value {
    match &node.kind {
        Kind::Mapping(entries) => {
            Value::Object(entries.iter().map(|e| (e.key.text.clone(), to_json(&e.value))).collect::<Map<_, _>>())
        }
        Kind::Sequence(items) => Value::Array(items.iter().map(|i| to_json(&i.value)).collect()),
        Kind::Scalar(s) => match resolve(s) {
            Plain::Null => Value::Null,
            Plain::Boolean(b) => Value::Bool(b),
            Plain::Text => Value::String(s.text.clone()),
            Plain::Integer => s.text.parse::<i64>().map_or_else(|_| float(&s.text), Value::from),
            Plain::Number => float(&s.text),
        },
    }
}

fn float(text: &str) -> Value {
    let f = text.parse::<f64>().ok().filter(|f| f.is_finite()).unwrap_or(0.0);
    serde_json::Number::from_f64(f).map_or(Value::Null, Value::Number)
}

//! `float`: The float nearest to a number, or to the number that a text is.

use super::support::{number, or_null};
use super::{Function, NullRule, decimal};
use crate::value::{Float, Type, Value};

pub(super) static F: Function = Function {
    name: "float",
    signature: "float(x) -> float",
    doc: "The float nearest to a number, or to the number that a text is. Only for columns that are floats: most decimals have no exact float.",
    arity: (1, 1),
    takes: &[decimal::TAKES],
    nulls: NullRule::Strict,
    typed: |a| F.accept(a).map(|_| Type::Float),
    call: |_, a| match decimal::read(&a[0]) {
        _ if matches!(a[0], Value::Float(_)) => Ok(a[0].clone()),
        Ok(v) => Ok(or_null(Float::new(number(&v)?.to_f64()).map(Value::Float))),
        Err(why) => Err(why),
    },
    inverse: Some(|a| match a.first()?.ty {
        Type::Float => Some(("float", vec![])),
        _ => None,
    }),
    examples: &[("decimal(float(0.1))", "0.1")],
};

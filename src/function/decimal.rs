//! `decimal`: The decimal that a text (`-12.50`, digits and a point), an integer or a float (the shortest that reads
//! back as it) is.

use super::support::{count, literal_count, number, shown};
use super::{Function, Kind, NullRule, Reason, Takes};
use crate::value::{Dec, Type, Value};

pub(super) static F: Function = Function {
    name: "decimal",
    signature: "decimal(x, scale) -> decimal",
    doc: "The decimal that a text (`-12.50`, digits and a point), an integer or a float (the shortest that reads \
          back as it) is. With `scale`, a literal, it has so many digits after the point at most; more are an error, \
          never rounded.",
    arity: (1, 2),
    takes: &[TAKES, Takes::SCALE],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        let own = match a[0].ty {
            Type::Integer => Some((19, 0)),
            Type::Decimal { limits } => limits,
            _ => None,
        };
        let Some(scale) = literal_count(a.get(1), 0, "scale")? else {
            return Ok(Type::Decimal { limits: own });
        };
        let scale = u8::try_from(scale).ok().filter(|s| *s <= 76).ok_or("the scale must be at most 76")?;
        let limits = match own {
            Some((p, s)) if s > scale => (p - (s - scale), scale),
            Some(own) => own,
            None => (76, scale),
        };
        Ok(Type::Decimal { limits: Some(limits) })
    },
    call: |_, a| {
        let value = read(&a[0])?;
        let scale = a.get(1).map_or(Ok(76), |s| count(s, "scale"))?;
        match &value {
            Value::Decimal(d) if !d.fits_scale(u32::try_from(scale).unwrap_or(u32::MAX)) => {
                Err(format!("`{d}` has digits after the point beyond {scale}; round it first"))
            }
            Value::Decimal(d) if a.len() > 1 && !d.fits(76, u32::try_from(scale).unwrap_or(u32::MAX)) => {
                Err(format!("needs more than 76 digits with {scale} of them after the point"))
            }
            _ => Ok(value),
        }
    },
    inverse: Some(|a| match a.first()?.ty {
        Type::Integer => Some(("integer", vec![])),
        Type::Decimal { .. } => Some(("decimal", vec![])),
        Type::Float => Some(("float", vec![])),
        // A text has more than one spelling of a number: 7, 7.0.
        _ => None,
    }),
    examples: &[("decimal('-12.50')", "-12.5"), ("decimal(7)", "7"), ("decimal('1.50', 1)", "1.5")],
};

pub(super) const TAKES: Takes =
    Takes::new(&[Kind::Text, Kind::Integer, Kind::Decimal, Kind::Float], "text or a number");

pub(super) fn read(v: &Value) -> Result<Value, Reason> {
    match v {
        Value::Float(f) => match Dec::from_f64_shortest(f.get()) {
            Some(d) => Ok(Value::Decimal(d)),
            None => Err("needs more than 76 digits".into()),
        },
        Value::Text(t) => match Dec::parse(t) {
            Some(d) => Ok(Value::Decimal(d)),
            None => Err(format!("{} is no decimal of at most 76 digits", shown(t))),
        },
        other => number(other).map(Value::Decimal),
    }
}

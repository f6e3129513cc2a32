//! What `round`, `floor`, `ceil` and `trunc` share.

use super::support::{int, literal_int};
use super::{Arg, Reason};
use crate::value::{Dec, Rounding, Type, Value};

/// Rounds; an integer stays an integer.
pub(super) fn rounded(args: &[Value], mode: Rounding) -> Result<Value, Reason> {
    let scale = args.get(1).map_or(Ok(0), int)?;
    let scale = i32::try_from(scale).map_err(|_| "the scale is out of range".to_string())?;
    let over = || "the result has more than 76 digits".to_string();
    match &args[0] {
        i @ Value::Integer(_) if scale >= 0 => Ok(i.clone()),
        Value::Integer(i) => match Dec::from_i64(*i).round(scale, mode).and_then(|d| d.to_i64()) {
            Some(i) => Ok(Value::Integer(i)),
            None => Err("the result is too large for an integer".into()),
        },
        Value::Decimal(d) => {
            // The type said is at most decimal(76, scale).
            let kept = scale.clamp(0, 76).unsigned_abs();
            d.round(scale, mode).filter(|d| d.fits(76, kept)).map(Value::Decimal).ok_or_else(over)
        }
        other => Err(format!("a number is expected, not {}", crate::value::kind(other))),
    }
}

/// The type of the result: of that scale, with one more digit before the point for what is carried.
pub(super) fn rounded_type(args: &[Arg]) -> Result<Type, Reason> {
    let scale = match args.get(1) {
        None => 0,
        Some(_) => literal_int(args.get(1)).ok_or("the scale must be a whole number")?,
    };
    if !(-76..=76).contains(&scale) {
        return Err("the scale must lie between -76 and 76".into());
    }
    let Type::Decimal { limits } = args[0].ty else {
        return Ok(args[0].ty.clone());
    };
    let kept = scale.max(0) as u8;
    Ok(Type::Decimal {
        limits: Some(match limits {
            Some((p, s)) if s <= kept => (p, s),
            // Rounding to hundreds may make 100 of 50, whatever digits there were.
            Some((p, s)) => {
                let before = i64::from(p.saturating_sub(s)).max(-scale) as u8 + 1;
                ((before + kept).min(76), kept)
            }
            None => (76, kept),
        }),
    })
}

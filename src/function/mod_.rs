//! `mod`: The remainder of the division that rounds towards zero; it has the sign of the number.

use super::support::number;
use super::{Function, NullRule, Takes};
use crate::value::{Type, Value, common};

pub(super) static F: Function = Function {
    name: "mod",
    signature: "mod(number, divisor) -> number",
    doc: "The remainder of the division that rounds towards zero; it has the sign of the number. A divisor of zero \
          is an error.",
    arity: (2, 2),
    takes: &[Takes::NUMBER, Takes::NUMBER],
    nulls: NullRule::Strict,
    typed: |a| {
        let a = F.accept(a)?;
        Ok(common(&a[0].ty, &a[1].ty).unwrap_or(Type::Decimal { limits: None }))
    },
    call: |_, a| {
        let zero = || "division by zero".to_string();
        if let (Value::Integer(x), Value::Integer(y)) = (&a[0], &a[1]) {
            // The one overflow, i64::MIN by -1, has the remainder 0.
            return if *y == 0 { Err(zero()) } else { Ok(Value::Integer(x.checked_rem(*y).unwrap_or(0))) };
        }
        number(&a[0])?.checked_rem(&number(&a[1])?).map(Value::Decimal).ok_or_else(zero)
    },
    inverse: None,
    examples: &[("mod(7, 3)", "1"), ("mod(-7, 3)", "-1"), ("mod(7.5, 2)", "1.5")],
};

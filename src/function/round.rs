//! `round`: Rounded to `scale` digits after the point (0, if not given), a half away from zero.

use super::rounding::{rounded, rounded_type};
use super::{Function, NullRule, Takes};
use crate::value::Rounding;

pub(super) static F: Function = Function {
    name: "round",
    signature: "round(number, scale) -> number",
    doc: "Rounded to `scale` digits after the point (0, if not given), a half away from zero. A negative scale \
          rounds to tens, hundreds and so on. An integer stays an integer.",
    arity: (1, 2),
    takes: &[Takes::NUMBER, Takes::SCALE],
    nulls: NullRule::Strict,
    typed: |a| rounded_type(&F.accept(a)?),
    call: |_, a| rounded(a, Rounding::HalfUp),
    inverse: None,
    examples: &[("round(2.5)", "3"), ("round(-2.5)", "-3"), ("round(2.345, 2)", "2.35"), ("round(1250, -2)", "1300")],
};

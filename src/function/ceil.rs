//! `ceil`: The nearest number above, of `scale` digits after the point (0, if not given).

use super::rounding::{rounded, rounded_type};
use super::{Function, NullRule, Takes};
use crate::value::Rounding;

pub(super) static F: Function = Function {
    name: "ceil",
    signature: "ceil(number, scale) -> number",
    doc: "The nearest number above, of `scale` digits after the point (0, if not given).",
    arity: (1, 2),
    takes: &[Takes::NUMBER, Takes::SCALE],
    nulls: NullRule::Strict,
    typed: |a| rounded_type(&F.accept(a)?),
    call: |_, a| rounded(a, Rounding::Ceil),
    inverse: None,
    examples: &[("ceil(2.1)", "3"), ("ceil(-2.9)", "-2"), ("ceil(2.31, 1)", "2.4")],
};

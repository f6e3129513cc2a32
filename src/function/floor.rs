//! `floor`: The nearest number below, of `scale` digits after the point (0, if not given).

use super::rounding::{rounded, rounded_type};
use super::{Function, NullRule, Takes};
use crate::value::Rounding;

pub(super) static F: Function = Function {
    name: "floor",
    signature: "floor(number, scale) -> number",
    doc: "The nearest number below, of `scale` digits after the point (0, if not given).",
    arity: (1, 2),
    takes: &[Takes::NUMBER, Takes::SCALE],
    nulls: NullRule::Strict,
    typed: |a| rounded_type(&F.accept(a)?),
    call: |_, a| rounded(a, Rounding::Floor),
    inverse: None,
    examples: &[("floor(2.9)", "2"), ("floor(-2.1)", "-3"), ("floor(2.39, 1)", "2.3")],
};
